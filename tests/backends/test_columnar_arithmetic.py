"""Sums, products, quotients and rounding in columns, against hand values and the exact back end."""

from __future__ import annotations

from fractions import Fraction

import polars as pl
import pytest
from plans import Book, column, frame, run

from rxcalc.lang.arithmetic import round_to
from rxcalc.lang.ops import Op
from rxcalc.lang.types import COUNT, FLAG, MONEY, NUMBER, PERCENT
from rxcalc.plan.layout import lay_out
from rxcalc.plan.nodes import RoundTo

MODES = ("half-up", "half-even", "half-down", "up", "down")
TIES = [
    "0.05",
    "0.15",
    "0.25",
    "0.35",
    "-0.05",
    "-0.15",
    "-0.25",
    "-0.35",
    "0.04",
    "0.06",
    "-0.04",
    "-0.06",
    "0",
    "7",
    "-7",
]
EXPECTED = {
    # by hand, to tenths: ties at .05, .15, .25, .35 and their negatives
    "half-up": [1, 2, 3, 4, -1, -2, -3, -4, 0, 1, 0, -1, 0, 70, -70],
    "half-even": [0, 2, 2, 4, 0, -2, -2, -4, 0, 1, 0, -1, 0, 70, -70],
    "half-down": [0, 1, 2, 3, 0, -1, -2, -3, 0, 1, 0, -1, 0, 70, -70],
    "up": [1, 2, 3, 4, -1, -2, -3, -4, 1, 1, -1, -1, 0, 70, -70],
    "down": [0, 1, 2, 3, 0, -1, -2, -3, 0, 0, 0, 0, 0, 70, -70],
}


@pytest.mark.parametrize("mode", MODES)
def test_steps_round_once_and_symmetrically(mode: str) -> None:
    """A step rounds ties by its mode, alike above and below zero."""
    book = Book()
    book.step("y", book.input("x", MONEY, -1000, 1000), to="0.1", mode=mode)
    assert column(book, [{"x": x} for x in TIES]) == [Fraction(n, 10) for n in EXPECTED[mode]]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("low", "high"), [(0, 1000), (-1000, 0), (-1000, 1000)])
def test_bounds_do_not_change_what_is_rounded(mode: str, low: int, high: int) -> None:
    """The shorter forms for values of one sign give what the general form gives."""
    book = Book()
    x = book.input("x", MONEY, low, high)
    book.step("y", book.node(Op.MULTIPLY, x, book.const("0.035", NUMBER)), to="0.05", mode=mode)
    values = [Fraction(n, 100) for n in range(-300, 301, 7) if low <= Fraction(n, 100) <= high]
    expected = [round_to(value * Fraction(35, 1000), Fraction(1, 20), mode) for value in values]
    assert column(book, [{"x": x} for x in values]) == expected


@pytest.mark.parametrize("mode", MODES)
def test_quotients_by_a_variable_round_exactly(mode: str) -> None:
    """A quotient is held as numerator and denominator until it is rounded; divisors may be negative."""
    book = Book()
    x, n = book.input("x", MONEY, -1000, 1000), book.input("n", NUMBER, -50, 50)
    book.step("y", book.node(Op.DIVIDE, x, n), mode=mode)
    rows = [{"x": Fraction(a, 100), "n": Fraction(b, 2)} for a in range(-40, 41, 3) for b in (-7, -3, -1, 1, 2, 3, 8)]
    expected = [round_to(Fraction(r["x"]) / r["n"], Fraction(1, 100), mode) for r in rows]
    assert column(book, rows) == expected


def test_long_division_by_eight_has_ties() -> None:
    """Dividing by a whole n meets exact ties, which half-even sends to the even fen."""
    book = Book()
    x, n = book.input("x", MONEY, 0, 1000), book.input("n", COUNT, 1, 8)
    book.step("y", book.node(Op.DIVIDE, x, n), mode="half-even")
    rows = [
        {"x": "0.04", "n": 8},
        {"x": "0.12", "n": 8},
        {"x": "0.20", "n": 8},
        {"x": "0.01", "n": 2},
        {"x": "0.03", "n": 2},
    ]
    assert column(book, rows) == [Fraction(n, 100) for n in (0, 2, 2, 0, 2)]


def test_division_by_zero_is_refused_only_where_it_is_evaluated() -> None:
    """A branch that is not taken cannot fail."""
    book = Book()
    x, n, ok = book.input("x", MONEY, 0, 1000), book.input("n", COUNT, 0, 8), book.input("ok", FLAG)
    book.step("y", book.node(Op.IF, ok, book.node(Op.DIVIDE, x, n), book.const(1)))
    rows = [{"x": 8, "n": 4, "ok": True}, {"x": 8, "n": 0, "ok": False}, {"x": 8, "n": 0, "ok": True}]
    assert column(book, rows) == [2, 1, "RX711"]


def test_quotients_add_multiply_and_compare() -> None:
    """Quotients by variables take part in sums, products, comparisons, minima and absolute values."""
    book = Book()
    x, y = book.input("x", MONEY, -100, 100), book.input("y", MONEY, 1, 100)
    ratio = book.node(Op.DIVIDE, x, y, of=NUMBER)
    twice = book.add(ratio, ratio, of=NUMBER)
    least = book.node(Op.MIN, twice, book.const("1.5", NUMBER), book.node(Op.ABS, ratio, of=NUMBER), of=NUMBER)
    amount = book.node(Op.MULTIPLY, y, book.add(least, book.node(Op.NEGATE, ratio, of=NUMBER), of=NUMBER))
    book.step("y2", amount)
    book.step("more", book.test(Op.GT, twice, ratio), FLAG)
    rows = [{"x": Fraction(a, 4), "y": b} for a in range(-20, 21, 3) for b in (1, 3, 7, 64)]
    column(book, rows, "y2")
    assert column(book, rows, "more") == [row["x"] > 0 for row in rows]


def test_floor_and_ceil_go_to_the_infinities() -> None:
    """Floor and ceil are not symmetric."""
    book = Book()
    x = book.input("x", MONEY, -10, 10)
    book.step("down", book.node(Op.FLOOR, x, data=RoundTo(Fraction(1), "half-up")))
    book.step("up", book.node(Op.CEIL, x, data=RoundTo(Fraction(1), "half-up")))
    rows = [{"x": "1.50"}, {"x": "-1.50"}, {"x": "2"}]
    assert column(book, rows, "down") == [1, -2, 2]
    assert column(book, rows, "up") == [2, -1, 2]


def test_percent_inputs_are_ratios() -> None:
    """85% in the column is 85 of scale 100, and its value is 0.85."""
    book = Book()
    p, x = book.input("p", PERCENT, 0, 1), book.input("x", MONEY, 0, 1000)
    book.step("y", book.node(Op.MULTIPLY, x, p))
    assert frame(book.plan(), [{"p": "0.85", "x": 1}])["p"].to_list() == [85]
    assert column(book, [{"p": "0.85", "x": "10.10"}]) == [Fraction("8.59")]  # 8.585


def test_conversion_to_a_whole_unit_wants_a_whole_number() -> None:
    """CONVERT refuses 1.5 where a count is wanted."""
    book = Book()
    x = book.input("x", NUMBER, 0, 100)
    book.step("n", book.node(Op.CONVERT, x, of=COUNT), COUNT)
    assert column(book, [{"x": 3}, {"x": "1.5"}]) == [3, "RX713"]


@pytest.mark.parametrize(("high", "width"), [(10**6, 64), (10**14, 64), (10**15, 128), (10**32, 128)])
def test_width_follows_the_proven_bounds(high: int, width: int) -> None:
    """64 bits where everything on the way fits, else 128; the amounts are exact at both ends."""
    book = Book()
    x = book.input("x", MONEY, -high, high)
    book.step("y", book.node(Op.MULTIPLY, x, book.const("0.955", NUMBER)))
    (held,) = lay_out(book.plan()).steps
    assert held.widest == width
    rows = [{"x": high}, {"x": -high}, {"x": high - Fraction(1, 100)}]
    assert column(book, rows)[0] == high * Fraction(955, 1000)


def test_what_fits_no_column_runs_on_the_exact_evaluator() -> None:
    """Rows that reach a product beyond 128 bits are computed exactly, one by one; the others in columns."""
    book = Book()
    x = book.input("x", NUMBER, 0, 10**12, decimals=8)
    huge = book.node(Op.MULTIPLY, x, x, of=NUMBER)
    for _ in range(2):
        huge = book.node(Op.MULTIPLY, huge, huge, of=NUMBER)
    large = book.test(Op.GT, x, book.const(2, NUMBER))
    book.step("y", [(large, book.node(Op.MULTIPLY, huge, book.const(1))), (-1, book.const(5))])
    (held,) = lay_out(book.plan()).steps
    assert (held.runs_on, "128 bits" in held.reason) == ("exact", True)
    rows = [{"x": 1}, {"x": 3}]
    assert column(book, rows) == [5, 3**8]
    assert run(book.plan(), rows, ["y"]).flagged == {2}


def test_power_runs_on_the_exact_evaluator() -> None:
    """A power has no column form; a step that reads it follows it."""
    book = Book()
    x = book.input("x", NUMBER, 1, 100)
    power = book.node(Op.POWER, x, book.const("1.5", NUMBER), of=NUMBER, data=RoundTo(Fraction(1, 100), "half-up"))
    step = book.step("p", power, NUMBER, scale=100)
    book.step("y", book.node(Op.MULTIPLY, step, book.const(2)))
    assert [held.runs_on for held in lay_out(book.plan()).steps] == ["exact", "exact"]
    assert column(book, [{"x": 4}, {"x": 2}]) == [16, Fraction("5.66")]


def test_long_sums_stay_shallow() -> None:
    """A sum of 400 terms is computed in pieces."""
    book = Book()
    x = book.input("x", MONEY, 0, 100)
    terms = [book.node(Op.MULTIPLY, x, book.const(n + 1, NUMBER)) for n in range(400)]
    book.step("y", book.add(*terms))
    assert column(book, [{"x": "0.01"}, {"x": 3}]) == [Fraction(80200, 100), 3 * 80200]


def test_no_float_and_whole_columns() -> None:
    """Results are whole numbers of the last decimal."""
    book = Book()
    book.step("y", book.input("x", MONEY, 0, 100))
    result = run(book.plan(), [{"x": "1.25"}], ["y"])
    assert result.values.schema == {"__row": pl.Int64, "y": pl.Int64}
    assert (result.values["y"].to_list(), result.decimals) == ([125], {"y": 2})


def test_empty_frame() -> None:
    """No rows in, no rows out."""
    book = Book()
    book.step("y", book.input("x", MONEY, 0, 100))
    assert run(book.plan(), [], ["y"]).values.height == 0
