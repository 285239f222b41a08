"""Changes of meaning between two rulebooks: each change by itself, and what is none."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from books import BOOK, book, plan_of, write

from rxcalc.compare.edits import edits
from rxcalc.driver import find
from rxcalc.plan.nodes import Plan


def told(old: Plan, new: Plan) -> list[tuple[str, str, str, str, str]]:
    """The changes as plain texts."""
    return [(str(e.subject), e.change, e.what, e.was, e.now) for e in edits(old, new)]


CHANGES = {
    "a value of one key from a day on": (
        ("{city: 600, county: 300}", "{city: 650, county: 300}"),
        [("parameter deductible", "changed", "city, from 2025-01-01", "600.00", "650.00")],
    ),
    "a version between two others": (
        ("      2025-01-01: {city: 600", "      2024-07-01: {city: 550, county: 300}\n      2025-01-01: {city: 600"),
        [("parameter deductible", "changed", "city, from 2024-07-01 to 2024-12-31", "500.00", "550.00")],
    ),
    "another day": (
        ("2025-01-01: {city: 600", "2025-04-01: {city: 600"),
        [("parameter deductible", "changed", "city, from 2025-01-01 to 2025-03-31", "600.00", "500.00")],
    ),
    "a rate": (
        ("2024-01-01: 80%", "2024-01-01: 82.5%"),
        [("parameter rate", "changed", "from 2024-01-01", "80%", "82.5%")],
    ),
    "a band": (
        ("{to: 1000, is: 50%}", "{to: 1200, is: 50%}"),
        [
            (
                "parameter steps_of_rate",
                "changed",
                "from 2024-01-01",
                "50% to 1,000.00; 60% above",
                "50% to 1,200.00; 60% above",
            )
        ],
    ),
    "a bound": (("max: 120", "max: 130"), [("input age", "changed", "max", "120", "130")]),
    "a default": (("default: 40", "default: 41"), [("input age", "changed", "default", "40", "41")]),
    "no default": (
        (", default: 40}", ", optional: no}"),
        [("input age", "changed", "default", "40", "none")],
    ),
    "a spelling in data": (
        ("aliases: [县级]", "aliases: [县级, 县]"),
        [("input level", "changed", "spellings", "县级 = county, 市级 = city", "县 = county, 县级 = county, 市级 = city")],
    ),
    "a condition": (
        ("age < 110", "age < 111"),
        [("requires", "changed", "", "age < 110", "age < 111")],
    ),
    "a further condition": (
        ("sequence: {by", "  - {that: age > 1, say: no}\nsequence: {by"),
        [("requires", "added", "", "", "age > 1")],
    ),
    "a window": (
        ("calendar: year", "calendar: quarter"),
        [
            (
                "window this_year",
                "changed",
                "",
                "calendar year, date discharge_date",
                "calendar quarter, date discharge_date",
            )
        ],
    ),
    "a clause's formula": (
        ("then base_amount * 85%", "then base_amount * 88%"),
        [("step fund_amount", "changed", "clause 2, formula", "base_amount * 85%", "base_amount * 88%")],
    ),
    "a clause's condition": (
        ("age >= 70", "age > 70"),
        [("step fund_amount", "changed", "clause 1, condition", "age >= 70", "age > 70")],
    ),
    "a clause less": (
        ("      when age < 18 then base_amount * 85%\n", ""),
        [("step fund_amount", "removed", "clause 2", "base_amount * 85% when age < 18", "")],
    ),
    "a clause more": (
        ("      when age < 18", "      when level = county and age > 60 then base_amount\n      when age < 18"),
        [("step fund_amount", "added", "clause 2", "", "base_amount when level = county and age > 60")],
    ),
    "a refusal": (
        ("when paid_before > ¥50000 then ¥0", "when paid_before > ¥50000 then reject because enough"),
        [("step fund_amount", "changed", "clause 3, formula", "¥0", "reject")],
    ),
    "rounding": (
        ("round: {to: 0.01}", "round: {to: 1, mode: down}"),
        [("step fund_amount", "changed", "rounding", "to 1/100, half-up", "to 1, down")],
    ),
    "a part": (
        ("is: total - base_amount, reason", "is: (total - base_amount) * 50%, reason"),
        [("shares bill", "changed", "patient.deductible", "total - base_amount", "(total - base_amount) * 50%")],
    ),
    "a guarantee": (
        ("  - fund_amount <= total", "  - fund_amount <= total\n  - {increasing: {what: fund_amount, in: total}}"),
        [("guarantees", "added", "", "", "increasing: fund_amount in total")],
    ),
    "a check": (
        ("total > ¥100000", "total > ¥200000"),
        [("check large", "changed", "condition", "total > ¥100_000", "total > ¥200_000")],
    ),
    "dates": (
        ("{from: 2024-01-01, by", "{from: 2024-01-01, to: 2027-12-31, by"),
        [("effective", "changed", "to", "open", "2027-12-31")],
    ),
    "an output less": (
        (", banded]", "]"),
        [("outputs", "removed", "", "banded", "")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_one_change(tmp_path: Path, name: str) -> None:
    """A single change is told as itself and as nothing else."""
    change, expected = CHANGES[name]
    assert told(book(tmp_path / "old"), book(tmp_path / "new", change)) == expected


def test_the_way_back(tmp_path: Path) -> None:
    """From new to old: added and removed, was and now change places."""
    old, new = book(tmp_path / "old"), book(tmp_path / "new", ("      when age < 18 then base_amount * 85%\n", ""))
    assert told(new, old) == [("step fund_amount", "added", "clause 2", "", "base_amount * 85% when age < 18")]


def test_clauses_in_another_order(tmp_path: Path) -> None:
    """The first clause that holds decides, so their order is meaning."""
    first, second = "      when age >= 70 then base_amount * 90%\n", "      when age < 18 then base_amount * 85%\n"
    found = edits(book(tmp_path / "old"), book(tmp_path / "new", (first + second, second + first)))
    assert [(str(e.subject), e.change, e.what) for e in found] == [("step fund_amount", "reordered", "clauses")]


def test_rows_of_a_table(tmp_path: Path) -> None:
    """A cell, a row that went, a row that came; rows in another order are the same table."""
    old = book(tmp_path / "old")
    assert told(old, book(tmp_path / "a", table="level,added\ncounty,20\ncity,11\n")) == [
        ("table extra", "changed", "row city, added", "10.00", "11.00")
    ]
    assert told(old, book(tmp_path / "b", table="level,added\ncity,10\n")) == [
        ("table extra", "removed", "row county", "added 20.00", "")
    ]
    assert told(old, book(tmp_path / "c", table="level,added\ncounty,20\ncity,10\n")) == []


def test_things_that_come_and_go(tmp_path: Path) -> None:
    """A constant that is moved into a parameter: a parameter more, and a formula that reads it."""
    new = book(
        tmp_path / "new",
        ("  rate: {type", "  old_rate: {type: percent, values: {2024-01-01: 90%}}\n  rate: {type"),
        ("base_amount * 90%", "base_amount * old_rate"),
    )
    assert told(book(tmp_path / "old"), new) == [
        ("parameter old_rate", "added", "", "", "percent: 90%"),
        ("step fund_amount", "changed", "clause 1, formula", "base_amount * 90%", "base_amount * old_rate"),
    ]


def test_spelling_is_no_change_of_meaning(tmp_path: Path) -> None:
    """Labels, messages, comments, blanks, other digits of the same number, sections and steps in another order, another file."""
    text = BOOK.replace("total - deductible[level]", "(total   -  deductible[ level ])")
    text = text.replace("title: a small rulebook", "title: {en: something else}").replace(
        'version: "1"', 'version: "2"'
    )
    text = text.replace("say: a large bill", "say: really large").replace("¥50000", "¥50_000")
    text = text.replace(
        "rate: {type: percent, values: {2024-01-01: 80%}}",
        "rate: {type: percent, label: r, values: {2024-01-01: 80.0%}}",
    )
    text = text.replace("max: 1_000_000", "max: 1000000, label: all of it")
    text = text.replace("  added_part: extra[level].added\n", "").replace(
        "steps:\n", "steps:  # moved\n  added_part: extra[level].added\n"
    )
    head, rest = text.split("windows:\n")
    windows, rest = rest.split("parameters:\n")
    text = head + "parameters:\n" + rest + "windows:\n" + windows
    text = text.replace("extra.csv", "other.csv").replace(
        "then base_amount * 85%\n", "then base_amount * 85% because young\n"
    )
    path = write(tmp_path / "new")
    path.write_text(text, encoding="utf-8")
    (path.parent / "other.csv").write_text("added,level\n20.00,county\n10,city\n", encoding="utf-8")
    assert told(book(tmp_path / "old"), plan_of(path)) == []


@pytest.mark.parametrize("found", find.shipped(), ids=lambda f: f"{f.path.parent.name}-{f.path.stem}")
def test_a_rulebook_does_not_differ_from_itself_formatted(tmp_path: Path, found: find.Found) -> None:
    """Every shipped rulebook against itself, and against itself in the canonical spelling."""
    from click.testing import CliRunner

    from rxcalc.cli.main import cli

    old = plan_of(found.path)
    assert told(old, old) == []
    shutil.copytree(found.path.parent.parent, tmp_path / "books")
    copy = tmp_path / "books" / found.path.parent.name / found.path.name
    result = CliRunner().invoke(cli, ["fmt", str(copy)])
    assert result.exit_code == 0, result.output
    assert told(old, plan_of(copy)) == []


def test_a_parameter_before_a_rulebook_is_in_force(tmp_path: Path) -> None:
    """That a later version has no values for days before it begins is told by its dates alone."""
    new = book(
        tmp_path / "new",
        ("{from: 2024-01-01, by", "{from: 2025-01-01, by"),
        ("      2024-01-01: {city: 500, county: 300}\n", ""),
    )
    assert told(book(tmp_path / "old"), new) == [("effective", "changed", "from", "2024-01-01", "2025-01-01")]
