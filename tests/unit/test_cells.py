"""How one cell is read."""

from __future__ import annotations

import importlib.util
import sys
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from rxcalc.inputs.cells import CellProblem, CellReader, parse_cell, parse_scalar
from rxcalc.inputs.records import Record, RecordReader, check_record
from rxcalc.lang.types import CODE, CODES, COUNT, DATE, FLAG, MONEY, NUMBER, PERCENT, TEXT

_SPEC = importlib.util.spec_from_file_location("rxcalc_test_plans", Path(__file__).parents[1] / "batch" / "plans.py")
assert _SPEC is not None
assert _SPEC.loader is not None
plans: Any = sys.modules.setdefault(_SPEC.name, importlib.util.module_from_spec(_SPEC))
_SPEC.loader.exec_module(plans)

ANY_MONEY = plans.field_of("total", MONEY, low=-(10**11))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12.34", Fraction(1234, 100)), ("12", 12), ("0", 0), ("-5", -5), ("12.3400", Fraction(1234, 100)), ("007.10", Fraction(71, 10)),
        ("1,234.50", Fraction(12345, 10)), ("1,234,567", 1234567), ("１，２３４．５", Fraction(12345, 10)), ("¥5", 5), ("￥５", 5), ("-¥5", -5),
        ("¥-5", -5), ("CNY 5", 5), ("5元", 5), ("1.2万元", 12000), ("0.123456万元", Fraction(123456, 100)), (" 5 ", 5), ("\u30005\u3000", 5),
        ("－5", -5),
    ],
)  # fmt: skip
def test_money_read_exactly(text: str, value: object) -> None:
    """Every accepted spelling gives the exact amount."""
    assert parse_cell(text, ANY_MONEY) == value


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("12.345", "RX702"), ("0.0000001万元", "RX702"), ("1e3", "RX710"), ("1.5E-2", "RX710"), ("1.2E+17", "RX710"),
        ("9" * 31, "RX710"), ("1,23.4", "RX701"), ("1,2345", "RX701"), (",123", "RX701"), ("+5", "RX701"), (".5", "RX701"), ("5.", "RX701"),
        ("(5.00)", "RX701"), ("12 元钱", "RX701"), ("abc", "RX701"), ("NaN", "RX701"), ("inf", "RX701"), ("0x1F", "RX701"), ("1_000", "RX701"),
        ("1 000", "RX701"), ("--5", "RX701"), ("5%", "RX701"), ("$5", "RX701"), ("١٢", "RX701"), ("100000000000.01", "RX703"), ("", "RX704"),
        ("无", "RX704"), ("待填", "RX704"), ("-", "RX704"), ("N/A", "RX704"), ("　", "RX704"),
    ],
)  # fmt: skip
def test_money_refused(text: str, code: str) -> None:
    """What is not exactly an amount is refused with its code, never rounded and never missing."""
    found = parse_cell(text, ANY_MONEY)
    assert isinstance(found, CellProblem)
    assert (found.code, found.field) == (code, "total")


@pytest.mark.parametrize(
    "text",
    [
        "2024-01-05",
        "2024/1/5",
        "2024.1.5",
        "20240105",
        "2024年1月5日",
        "２０２４-01-05",
        "2024-01-05 00:00:00",
        "2024-01-05T00:00",
    ],
)
def test_dates(text: str) -> None:
    """A date may be written in these ways, with a time of midnight."""
    assert parse_cell(text, plans.field_of("day", DATE)) == date(2024, 1, 5)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("05/01/2024", "RX706"), ("45292", "RX706"), ("2024-02-30", "RX706"), ("2024-01-05x", "RX706"), ("2024- 1-05", "RX706"), ("24-01-05", "RX706"),
        ("2024-01-05 10:30", "RX708"), ("2024-01-05 25:00", "RX706"), ("1899-12-31", "RX703"), ("2200-01-01", "RX703"),
    ],
)  # fmt: skip
def test_dates_refused(text: str, code: str) -> None:
    """No guess between day and month, no time of day, no day that does not exist."""
    found = parse_cell(text, plans.field_of("day", DATE))
    assert isinstance(found, CellProblem)
    assert found.code == code


def test_time_may_be_dropped() -> None:
    """`time: drop` takes the date of a moment."""
    assert parse_cell("2024-01-05 10:30:59", plans.field_of("day", DATE, drop_time=True)) == date(2024, 1, 5)


def test_percent_needs_its_sign() -> None:
    """85% is a ratio; a bare 0.85 could be two things."""
    rate = plans.field_of("rate", PERCENT)
    assert parse_cell("85%", rate) == Fraction(85, 100)
    assert parse_cell("0.5％", rate) == Fraction(5, 1000)
    for text, code in [("0.85", "RX701"), ("85", "RX701"), ("85.125%", "RX702"), ("101%", "RX703")]:
        found = parse_cell(text, rate)
        assert isinstance(found, CellProblem)
        assert found.code == code


def test_sets_and_flags() -> None:
    """Sets by name or alias; flags by their words and declared aliases only."""
    assert parse_cell(" town ", plans.level_field()) == "town"
    assert parse_cell("乡镇", plans.level_field()) == "town"
    near = parse_cell("twon", plans.level_field())
    assert isinstance(near, CellProblem)
    assert "town" in near.message
    flag = plans.field_of("referred", FLAG, flags=(("Y", True),))
    assert [parse_cell(text, flag) for text in ("yes", "TRUE", "是", "Y", "no", "False", "否")] == [True] * 4 + [
        False
    ] * 3
    assert all(isinstance(parse_cell(text, flag), CellProblem) for text in ("1", "0", "N", "y", "on"))


def test_declared_spelling_goes_before_missing() -> None:
    """无 as the declared spelling of a value is that value, not a missing one."""
    spec = plans.field_of("disability", FLAG, optional=True, flags=(("无", False),))
    assert parse_cell("无", spec) is False
    assert parse_cell("-", spec) is None


def test_codes_and_text() -> None:
    """Codes are trimmed and kept; what a spreadsheet or an attacker did to them is refused."""
    code = plans.field_of("episode_id", CODE)
    assert parse_cell(" 00123 ", code) == "00123"
    for bad in ("1.2E+17", "a\u202eb", "a\x00b", "a\nb", "x" * 129):
        found = parse_cell(bad, code)
        assert isinstance(found, CellProblem)
        assert found.code == "RX709"
        assert "\u202e" not in found.message
        assert "\x00" not in found.message
    assert parse_cell("A01; B02;A01", plans.field_of("diagnoses", CODES)) == frozenset({"A01", "B02"})
    assert parse_cell("two\nlines", plans.field_of("note", TEXT)) == "two\nlines"


def test_whole_numbers() -> None:
    """A count takes 3 and 3.0, not 3.5."""
    count = plans.field_of("days", COUNT)
    assert parse_cell("3.0", count) == 3
    found = parse_cell("3.5", count)
    assert isinstance(found, CellProblem)
    assert found.code == "RX702"
    assert parse_cell("-1.5", plans.field_of("weight", NUMBER)) == Fraction(-3, 2)


def test_missing_and_default() -> None:
    """A missing cell is the default, missing, or a problem; never zero."""
    assert parse_cell("", plans.field_of("fee", MONEY, default=5)) == 5
    assert parse_cell(None, plans.field_of("fee", MONEY, optional=True)) is None


def test_python_values() -> None:
    """Records may hold Python values; binary floating point is refused."""
    reader = CellReader.of(ANY_MONEY)
    assert reader.value(Decimal("12.30")) == Fraction(123, 10)
    assert reader.value(7) == 7
    for bad in (1.5, float("nan"), True, Decimal("Infinity"), Decimal("1e400"), Fraction(1, 3), b"1", object()):
        assert isinstance(reader.value(bad), CellProblem)
    day = CellReader.of(plans.field_of("day", DATE))
    assert day.value(date(2024, 1, 5)) == date(2024, 1, 5)
    assert isinstance(day.value(datetime(2024, 1, 5, 10, 0)), CellProblem)
    assert CellReader.of(plans.field_of("rate", PERCENT)).value(Fraction(85, 100)) == Fraction(85, 100)


def test_yaml_scalars() -> None:
    """A YAML scalar is read as written; a bare null is missing."""
    assert parse_scalar("189085.85", ANY_MONEY) == Fraction(18908585, 100)
    assert parse_scalar("yes", plans.field_of("referred", FLAG)) is True
    assert parse_scalar("null", plans.field_of("fee", MONEY, optional=True)) is None


def test_records() -> None:
    """A record gives all its values or all its problems."""
    plan = plans.plan_of(plans.inputs())
    good = {
        "episode_id": "E1",
        "person_id": "P1",
        "level": "town",
        "day": "2024-01-05",
        "总费用": "12.34",
        "referred": "yes",
    }
    found = RecordReader(plan).read(good)
    assert isinstance(found, Record)
    assert found.values["total"] == Fraction(1234, 100)
    assert found.values["rebate"] is None
    assert found.defaulted == ("fee",)
    bad = check_record(plan, {**good, "levle": "town", "day": "x", "referred": 1.0})
    assert isinstance(bad, tuple)
    assert [problem.code for problem in bad] == ["RX745", "RX706", "RX701"]
    assert "level" in bad[0].message
