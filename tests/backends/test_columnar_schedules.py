"""Bands, their inverse, cliffs, curves and dated amounts in columns."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any

import pytest
from plans import BANDS, CLIFF, CURVE, START, Book, column

from rxcalc.lang.ops import Op
from rxcalc.lang.types import COUNT, DATE, FLAG, MONEY, MONEY_PER_DAY, NUMBER, PERCENT, OneOf
from rxcalc.plan.nodes import Band, Point, RoundTo

F = Fraction
LEVELS = ("a", "b", "c")


def bands(*rows: tuple[Any, str], inclusive: bool = True) -> tuple[Band, ...]:
    """Bands from (limit or None, rate)."""
    return tuple(Band(None if limit is None else F(limit), inclusive, F(rate)) for limit, rate in rows)


TIERS = bands((1000, "0.85"), (4000, "0.9"), (None, "0.7"))
KEYED = {
    date(2024, 1, 1): {
        ("a",): bands(("1000", "0.85"), ("40000", "0.9"), (None, "0.95")),
        ("b",): bands(("500.55", "0"), (None, "0.97")),
        ("c",): bands((None, "0.33")),
    },
    date(2025, 5, 5): {
        ("a",): bands(("2000", "0.85"), ("30000", "0.9"), ("60000", "0.1"), (None, "0.95")),
        ("b",): bands(("500.55", "0.05"), (None, "0.97")),
        ("c",): None,
    },
}
AMOUNTS = [0, "0.01", "500.54", "500.55", 999, 1000, "1000.01", 3999, 4000, 60000, "99999.99"]
PAIRS = [{"x": x, "y": y} for x in AMOUNTS for y in AMOUNTS]


def book_of(op: Op, *, low: int = 0, body: bool = False, **options: Any) -> Book:
    """A schedule over y .. x."""
    book = Book()
    x, y = book.input("x", MONEY, low, 100_000), book.input("y", MONEY, low, 100_000)
    book.parameter("tiers", BANDS, {START: TIERS})
    mapped = None
    if body:
        rate = book.node(Op.LOCAL, of=PERCENT, data="r", body=True)
        mapped = book.node(Op.MULTIPLY, rate, book.const("1.12", NUMBER), of=PERCENT, body=True)
    book.step("v", book.schedule(op, "tiers", y, x, body=mapped, **options), mode="half-even")
    return book


def test_bands_by_hand() -> None:
    """850 for the first thousand, 2,700 for the next three, 70% beyond."""
    got = column(book_of(Op.BANDS), [{"x": 5000, "y": 0}, {"x": 5000, "y": 500}, {"x": 500, "y": 5000}])
    assert got == [4250, 3825, 0]


def test_bands_agree_everywhere() -> None:
    """Every pair of ends, also reversed ones, gives what the exact back end gives."""
    column(book_of(Op.BANDS), PAIRS)


def test_parts_are_rounded_one_by_one() -> None:
    """With `parts` each band's amount is rounded before they are added."""
    column(book_of(Op.BANDS, parts=RoundTo(F(1), "up")), PAIRS)


def test_negative_end_is_an_error_even_if_the_range_is_empty() -> None:
    """A negative end refuses the row."""
    got = column(book_of(Op.BANDS, low=-10), [{"x": -1, "y": 5}, {"x": 5, "y": -1}, {"x": 5, "y": 5}])
    assert got == ["RX714", "RX714", 0]


def test_a_mapped_rate_is_checked_only_where_its_band_is_used() -> None:
    """90% x 1.12 is outside 0..1: an error only for amounts beyond the first band."""
    book = book_of(Op.BANDS, body=True)
    got = column(book, [{"x": 900, "y": 0}, {"x": 1001, "y": 0}, {"x": 5000, "y": 4500}])
    assert got == [F("856.8"), "RX715", 392]
    column(book, PAIRS)


def test_rates_that_are_not_held_may_pass_one() -> None:
    """Outside percent schedules a mapped rate may be anything."""
    book = book_of(Op.BANDS, body=True, held=False)
    assert column(book, [{"x": 2000, "y": 0}])[0] == 952 + 1008


@pytest.mark.parametrize("op", [Op.BANDS, Op.BAND, Op.BANDS_REACH])
@pytest.mark.parametrize("mapped", [False, True])
def test_keyed_and_dated_schedules(op: Op, mapped: bool) -> None:
    """Schedules of different lengths stand side by side; `none` refuses the rows that need it."""
    book = Book()
    level = book.input("level", OneOf(LEVELS))
    x, y, ok = book.input("x", MONEY, 0, 100_000), book.input("y", MONEY, 0, 100_000), book.input("ok", FLAG)
    book.parameter("keyed", BANDS, KEYED, (LEVELS,))
    extra = {Op.BANDS: (), Op.BAND: (book.const(2, COUNT),), Op.BANDS_REACH: (y,)}[op]
    body = None
    if mapped:
        rate = book.node(Op.LOCAL, of=PERCENT, data="r", body=True)
        half = book.node(Op.MULTIPLY, rate, book.const("0.5", NUMBER), of=PERCENT, body=True)
        body = book.node(Op.IF, ok, half, rate, of=PERCENT, body=True)
    start = book.const(250) if op is Op.BANDS_REACH else y
    book.step("v", book.schedule(op, "keyed", *extra, start, x, keys=(level,), body=body))
    rows = [
        {**pair, "level": level, "on": on, "ok": at % 2 == 0}
        for at, pair in enumerate(PAIRS)
        for level, on in (
            ("a", date(2024, 7, 1)),
            ("a", date(2025, 5, 5)),
            ("b", date(2025, 5, 4)),
            ("b", date(2026, 1, 1)),
            ("c", date(2025, 1, 1)),
        )
    ]
    column(book, [*rows, {"x": 1, "y": 1, "level": "c", "on": date(2025, 6, 1), "ok": True}])


def test_reach_by_hand() -> None:
    """The target decides: reached in a band, at the start, beyond the end, or the range is reversed."""
    book = Book()
    x, y, t = (book.input(name, MONEY, low, 100_000) for name, low in (("x", 0), ("y", 0), ("t", -100)))
    book.parameter("tiers", BANDS, {START: bands((1000, "0.5"), (2000, "0"), (None, "0.3"))})
    book.step("v", book.schedule(Op.BANDS_REACH, "tiers", t, y, x))
    rows = [
        {"t": 250, "y": 0, "x": 9000},  # 500
        {"t": 500, "y": 0, "x": 9000},  # exactly the first band
        {"t": 501, "y": 0, "x": 9000},  # 2000 + 1 / 0.3
        {"t": 10, "y": 1500, "x": 9000},  # nothing before 2000
        {"t": 0, "y": 77, "x": 9000},
        {"t": -5, "y": 77, "x": 9000},
        {"t": 9000, "y": 0, "x": 3000},
        {"t": 10, "y": 50, "x": 40},
    ]
    assert column(book, rows) == [500, 1000, F("2003.33"), F("2033.33"), 77, 77, 3000, 40]


def test_nth_band_by_variable() -> None:
    """`band` gives one band's part, nothing beyond the last."""
    book = Book()
    x, n = book.input("x", MONEY, 0, 100_000), book.input("n", COUNT, 0, 9)
    book.parameter("tiers", BANDS, {START: TIERS})
    book.step("v", book.schedule(Op.BAND, "tiers", n, book.const(0), x))
    assert column(book, [{"x": 5000, "n": n} for n in range(5)]) == [0, 850, 2700, 700, 0]


@pytest.mark.parametrize("inclusive", [True, False])
def test_cliff_limits(inclusive: bool) -> None:
    """`to` belongs to the slice below, `below` to the one above."""
    book = Book()
    x, level = book.input("x", MONEY, -10, 1000), book.input("level", OneOf(LEVELS))
    cliffs = {
        ("a",): bands((100, "0.1"), (200, "0.2"), (None, "0.3"), inclusive=inclusive),
        ("b",): bands(("99.995", "0.4"), (None, "0.5"), inclusive=inclusive),
        ("c",): bands((None, "0.6")),
    }
    book.parameter("cliff", CLIFF, {START: cliffs}, (LEVELS,))
    rate = book.schedule(Op.SLICE, "cliff", x, keys=(level,), of=PERCENT)
    book.step("v", rate, PERCENT, scale=10)
    rows = [{"x": x, "level": level} for level in LEVELS for x in (-1, "99.99", 100, "100.01", 200, "200.01")]
    first = column(book, rows)[:6]
    assert first == [F(n, 10) for n in ([1, 1, 1, 2, 2, 3] if inclusive else [1, 1, 2, 2, 3, 3])]


POINTS = tuple(Point(F(at), F(value)) for at, value in (("1.5", 0), (4, "0.085"), (4, "0.1"), (30, "0.03")))


@pytest.mark.parametrize("held", [False, True])
def test_curve(held: bool) -> None:
    """Linear between points; of two at one place the second holds; outside an error or the end's value."""
    book = Book()
    q = book.input("q", NUMBER, -100, 100, decimals=3)
    book.parameter("curve", CURVE, {START: POINTS}, held=held)
    book.step("v", book.node(Op.MULTIPLY, book.const(10000), book.schedule(Op.ALONG, "curve", q, of=PERCENT)))
    rows = [{"q": q} for q in ("1.499", "1.5", "2.75", "3.999", 4, "4.001", 17, 30, "30.001")]
    outside: tuple[Any, Any] = (0, 300) if held else ("RX716", "RX716")
    got = column(book, rows)
    assert (got[0], got[-1]) == outside
    assert got[1:8] == [0, 425, F("849.66"), 1000, F("999.97"), 650, 300]


def test_curve_of_a_quotient() -> None:
    """A curve may be read at a quotient by a variable."""
    book = Book()
    x, y = book.input("x", MONEY, 0, 1000), book.input("y", MONEY, 1, 1000)
    book.parameter("curve", CURVE, {START: POINTS}, held=True)
    at = book.node(Op.DIVIDE, x, y, of=NUMBER)
    book.step("v", book.node(Op.MULTIPLY, x, book.schedule(Op.ALONG, "curve", at, of=PERCENT)))
    column(book, [{"x": a, "y": b} for a in (0, 1, 7, 90, 1000) for b in (1, 3, 22, "7.01")])


def test_over_days() -> None:
    """Each day from the first up to, not with, the last counts at its own amount."""
    book = Book()
    since, level = book.input("since", DATE, date(2023, 1, 1), date(2026, 12, 31)), book.input("level", OneOf(LEVELS))
    values = {
        date(2024, 1, 1): {("a",): F(10), ("b",): F(1), ("c",): F(2)},
        date(2025, 1, 1): {("a",): F(20), ("b",): F("1.5"), ("c",): None},
        date(2025, 2, 1): {("a",): F(30), ("b",): F("1.25"), ("c",): F(4)},
    }
    book.parameter("daily", MONEY_PER_DAY, values, (LEVELS,))
    book.step("v", book.schedule(Op.OVER_DAYS, "daily", since, book.read("on"), keys=(level,)))
    rows = [
        {"level": "a", "since": date(2024, 12, 30), "on": date(2025, 2, 2)},  # 2 x 10 + 31 x 20 + 30
        {"level": "a", "since": date(2025, 2, 2), "on": date(2025, 2, 2)},
        {"level": "a", "since": date(2025, 2, 9), "on": date(2025, 2, 2)},
        {"level": "b", "since": date(2025, 1, 31), "on": date(2025, 2, 2)},
        {"level": "c", "since": date(2025, 1, 31), "on": date(2025, 2, 2)},  # one day without a value
        {"level": "c", "since": date(2025, 2, 1), "on": date(2025, 2, 2)},
        {"level": "a", "since": date(2023, 12, 31), "on": date(2025, 2, 2)},  # before the first
        {"level": "a", "since": date(2023, 12, 31), "on": date(2024, 1, 1)},
    ]
    assert column(book, rows) == [670, 0, 0, F("2.75"), "RX724", 4, "RX724", "RX724"]
