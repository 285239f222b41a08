"""Dated and keyed parameters, and tables, in columns."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import pytest
from plans import START, Book, column

from rxcalc.lang.ops import Op
from rxcalc.lang.types import CODE, COUNT, DATE, FLAG, MONEY, NUMBER, PERCENT, OneOf

F = Fraction
AB = ("a", "b")
XY = ("x", "y")
DAYS = [date(2024, 1, 1), date(2024, 12, 31), date(2025, 1, 1), date(2025, 6, 30), date(2025, 7, 1), date(2026, 1, 1)]


def test_segments_by_the_effective_date() -> None:
    """A value holds from its start until the next."""
    book = Book()
    book.parameter("p", MONEY, {START: F(1), date(2025, 1, 1): F("2.5"), date(2025, 7, 1): F(3)})
    book.step("v", book.use("p"))
    assert column(book, [{"on": on} for on in DAYS]) == [1, 1, F("2.5"), F("2.5"), 3, 3]


def test_many_segments() -> None:
    """Twenty changes are searched, not compared one by one."""
    book = Book()
    starts = [date(2024 + n // 12, n % 12 + 1, 15) for n in range(30)]
    book.parameter("p", MONEY, {START: F(0), **{start: F(n + 1) for n, start in enumerate(starts)}})
    book.step("v", book.use("p"))
    assert column(book, [{"on": start} for start in starts]) == [n + 1 for n in range(30)]


def test_before_the_first_and_after_the_end() -> None:
    """No value at the date refuses the row; `none` is missing where the rule allows for it."""
    book = Book()
    day = book.input("day", DATE, date(2020, 1, 1), date(2030, 1, 1))
    book.parameter(
        "p", MONEY, {date(2025, 1, 1): F(7), date(2025, 2, 1): None, date(2025, 3, 1): F(8)}, end=date(2025, 12, 31)
    )
    book.step("v", book.use("p", at=day))
    book2 = Book()
    day2 = book2.input("day", DATE, date(2020, 1, 1), date(2030, 1, 1))
    book2.parameters = book.parameters
    book2.step("v", book2.node(Op.DEFAULT, book2.use("p", at=day2, missing=True), book2.const(1)))
    days = [date(2024, 12, 31), date(2025, 1, 1), date(2025, 2, 5), date(2025, 12, 31), date(2026, 1, 1)]
    rows = [{"day": day} for day in days]
    assert column(book, rows) == ["RX724", 7, "RX724", 8, "RX724"]
    assert column(book2, rows) == ["RX724", 7, 1, 8, "RX724"]


def test_keys_and_dates_together() -> None:
    """Two keys and two segments; a literal key narrows what is looked at."""
    book = Book()
    first, second = book.input("first", OneOf(AB)), book.input("second", OneOf(XY))
    older = {(one, two): F(n, 10) for n, (one, two) in enumerate([("a", "x"), ("a", "y"), ("b", "x"), ("b", "y")])}
    newer = {**older, ("a", "y"): F("0.125"), ("b", "y"): None}
    book.parameter("p", PERCENT, {START: older, date(2025, 1, 1): newer}, (AB, XY))
    book.step("v", book.use("p", first, second), PERCENT, scale=1000)
    book.step("only", book.use("p", first, book.const("x", OneOf(XY))), PERCENT, scale=1000)
    rows = [{"first": a, "second": b, "on": on} for a in AB for b in XY for on in (START, date(2025, 1, 1))]
    assert column(book, rows, "v") == [0, 0, F("0.1"), F("0.125"), F("0.2"), F("0.2"), F("0.3"), "RX724"]
    column(book, rows, "only")


def test_values_that_are_no_numbers() -> None:
    """Parameters may hold dates, flags, codes and values of sets."""
    book = Book()
    key = book.input("key", OneOf(AB))
    book.parameter("day", DATE, {START: {("a",): date(2025, 1, 31), ("b",): date(2025, 2, 1)}}, (AB,))
    book.parameter("flag", FLAG, {START: {("a",): True, ("b",): False}}, (AB,))
    book.parameter("set", OneOf(XY), {START: {("a",): "y", ("b",): "x"}}, (AB,))
    book.parameter("code", CODE, {START: {("a",): "A01", ("b",): "B02"}}, (AB,))
    for name, of in (("day", DATE), ("flag", FLAG), ("set", OneOf(XY)), ("code", CODE)):
        book.step(f"v_{name}", book.use(name, key), of)
    rows = [{"key": "a"}, {"key": "b"}]
    assert column(book, rows, "v_day") == [date(2025, 1, 31), date(2025, 2, 1)]
    assert column(book, rows, "v_flag") == [True, False]
    assert column(book, rows, "v_set") == ["y", "x"]
    assert column(book, rows, "v_code") == ["A01", "B02"]


def test_a_key_of_another_order() -> None:
    """A parameter's key set may list its values in another order than the input."""
    book = Book()
    key = book.input("key", OneOf(("b", "a")))
    book.parameter("p", MONEY, {START: {("a",): F(1), ("b",): F(2)}}, (AB,))
    book.step("v", book.use("p", key))
    assert column(book, [{"key": "a"}, {"key": "b"}]) == [1, 2]


@pytest.mark.parametrize("rows", [1, 3])
def test_table_cells_and_rows(rows: int) -> None:
    """A missing key refuses only the rows that read a cell."""
    book = Book()
    code = book.input("code", CODE)
    entries = [(("k1",), (F("100.5"), "t1")), (("k2",), (F(200), "t2")), (("k3",), (F(300), "t3"))]
    book.table("drg", {"code": CODE}, {"price": MONEY, "text": CODE}, entries[:rows])
    there = book.has_row("drg", code)
    book.step("sure", book.node(Op.IF, there, book.cell("drg", "price", code), book.const(1)))
    book.step(
        "text",
        book.node(Op.IF, there, book.cell("drg", "text", code, of=CODE), book.const("none", CODE), of=CODE),
        CODE,
    )
    cases = [{"code": "k1"}, {"code": "zz"}]
    assert column(book, cases, "sure") == [F("100.5"), 1]
    assert column(book, cases, "text") == ["t1", "none"]
    book.step("bare", book.cell("drg", "price", code))
    assert column(book, cases, "bare") == [F("100.5"), "RX731"]


def test_keys_of_sets_and_numbers() -> None:
    """Several keys; a number that the input's decimals cannot write is never met."""
    book = Book()
    key, n = book.input("key", OneOf(AB)), book.input("n", NUMBER, 0, 100)
    rows = [(("a", F("1.5")), (F(1),)), (("b", F("1.5")), (F(2),)), (("a", F("1.505")), (F(3),))]
    book.table("t", {"key": OneOf(AB), "n": NUMBER}, {"v": MONEY}, rows)
    book.step("v", book.node(Op.IF, book.has_row("t", key, n), book.cell("t", "v", key, n), book.const(0)))
    cases = [{"key": "a", "n": "1.5"}, {"key": "b", "n": "1.50"}, {"key": "a", "n": "1.51"}]
    assert column(book, cases) == [1, 2, 0]


def test_validity_dates() -> None:
    """Of a key's rows the one valid at the date counts; between two there is none."""
    book = Book()
    code = book.input("code", CODE)
    rows = [
        (("k",), (F(10),), date(2024, 1, 1), date(2024, 12, 31)),
        (("k",), (F(11),), date(2025, 1, 1), date(2025, 6, 29)),
        (("k",), (F(12),), date(2025, 7, 1), None),
        (("m",), (F(20),), None, date(2025, 1, 1)),
    ]
    book.table("t", {"code": CODE}, {"v": MONEY}, rows, dated=True)
    book.step("v", book.cell("t", "v", code))
    assert column(book, [{"code": "k", "on": on} for on in DAYS]) == [10, 10, 11, "RX731", 12, 12]
    assert column(book, [{"code": "m", "on": on} for on in DAYS[:4]]) == [20, 20, 20, "RX731"]


@pytest.mark.parametrize("kind", ["up_to", "below"])
def test_range_keys(kind: str) -> None:
    """The smallest limit that covers the value; an empty cell is open."""
    book = Book()
    key, x = book.input("key", OneOf(AB)), book.input("x", MONEY, 0, 10_000)
    rows = [
        (("a", None), (F(30),)),
        (("a", F(100)), (F(10),)),
        (("a", F("2000.505")), (F(20),)),
        (("b", F(500)), (F(5),)),
    ]
    book.table("t", {"key": OneOf(AB), "x": MONEY}, {"v": MONEY}, rows, kind)
    book.step("v", book.cell("t", "v", key, x))
    cases = [{"key": "a", "x": x} for x in (0, 100, "100.01", "2000.50", "2000.51")] + [
        {"key": "b", "x": x} for x in (500, "500.01")
    ]
    edge = kind == "up_to"
    assert column(book, cases) == [10, 10 if edge else 20, 20, 20, 30, 5 if edge else "RX731", "RX731"]


def test_range_key_with_dates() -> None:
    """A limit that is not yet, or no longer, valid does not cover."""
    book = Book()
    x = book.input("x", MONEY, 0, 100_000)
    rows = [
        ((F(100),), (F(1),), None, date(2025, 3, 1)),
        ((F(500),), (F(2),), date(2025, 1, 1), None),
        ((F(2000),), (F(3),), None, None),
        ((F(50000),), (F(4),), date(2024, 12, 1), date(2025, 8, 1)),
    ]
    book.table("t", {"x": MONEY}, {"v": MONEY}, rows, "up_to", dated=True)
    book.step("v", book.cell("t", "v", x))
    cases = [
        {"x": x, "on": on} for x in (50, 101, 501, 2001, 50001) for on in (*DAYS, date(2025, 3, 2), date(2025, 8, 2))
    ]
    column(book, cases)


def test_large_table() -> None:
    """A table of 20,000 rows is joined."""
    book = Book()
    n = book.input("n", COUNT, 0, 10**6)
    book.table("t", {"n": COUNT}, {"v": MONEY}, [((n,), (F(n, 4),)) for n in range(0, 40_000, 2)])
    book.step("v", book.node(Op.IF, book.has_row("t", n), book.cell("t", "v", n), book.const(-1)))
    assert column(book, [{"n": 39_998}, {"n": 3}, {"n": 2}]) == [F("9999.5"), -1, F("0.5")]
