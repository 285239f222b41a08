"""Conditions, missing values, sets, codes, dates, shares and refusals in columns."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

import pytest
from plans import Book, cells, column, run

from rxcalc.lang.ops import Op
from rxcalc.lang.types import CODE, CODES, COUNT, DATE, DAYS, FLAG, MONEY, OneOf

F = Fraction
ABC = OneOf(("a", "b", "c"), ordered=True)


def test_clauses_in_order_and_only_what_decides_can_fail() -> None:
    """The first clause that holds decides; conditions after it and branches not taken are not evaluated."""
    book = Book()
    x, n = book.input("x", MONEY, 0, 1000), book.input("n", COUNT, 0, 9)
    share = book.node(Op.DIVIDE, x, n)
    zero = book.test(Op.EQ, n, book.const(0, COUNT))
    large = book.test(Op.GT, share, book.const(100))
    refuse = book.test(Op.EQ, n, book.const(9, COUNT))
    book.step("v", [(zero, book.const(1)), (large, share), (refuse, -1), (-1, book.const(2))])
    rows = [{"x": 500, "n": n} for n in (0, 1, 8, 9)]
    assert column(book, rows) == [1, 500, 2, "RX721"]


@pytest.mark.parametrize("op", [Op.AND, Op.OR])
def test_operands_after_the_decision_cannot_fail(op: Op) -> None:
    """`and` and `or` stop when decided, from left to right."""
    book = Book()
    x, n = book.input("x", MONEY, 0, 1000), book.input("n", COUNT, 0, 9)
    test = {Op.AND: Op.NE, Op.OR: Op.EQ}[op]
    guard = book.test(test, n, book.const(0, COUNT))
    risky = book.test(Op.GT, book.node(Op.DIVIDE, x, n), book.const(100))
    book.step("safe", book.node(op, guard, risky, of=FLAG), FLAG)
    assert column(book, [{"x": 500, "n": 0}, {"x": 500, "n": 1}]) == [op is Op.OR, True]
    book.step("unsafe", book.node(op, risky, guard, of=FLAG), FLAG)
    assert column(book, [{"x": 500, "n": 0}, {"x": 500, "n": 1}], "unsafe") == ["RX711", True]


def test_missing_is_tested_defaulted_and_passed_on() -> None:
    """A missing field reaches only `known`, `default` and guarded branches; an optional step may be missing."""
    book = Book()
    fee, x = book.input("fee", MONEY, 0, 100, optional=True), book.input("x", MONEY, 0, 100)
    known = book.node(Op.KNOWN, fee, of=FLAG)
    none = book.const(None)
    book.step("a", book.node(Op.DEFAULT, fee, x))
    book.step("b", book.node(Op.IF, known, fee, book.const(7)))
    large = book.node(Op.AND, known, book.test(Op.GT, fee, x), of=FLAG)
    book.step("c", large, FLAG)
    got = book.step("d", [(large, fee), (-1, book.node(Op.IF, known, x, none, missing=True))], optional=True)
    book.step("e", book.node(Op.DEFAULT, got, book.const(-1)))
    rows = [{"x": 5}, {"x": 5, "fee": 6}, {"x": 5, "fee": 4}]
    assert column(book, rows, "a") == [5, 6, 4]
    assert column(book, rows, "b") == [7, 6, 4]
    assert column(book, rows, "c") == [False, True, False]
    assert column(book, rows, "d") == [None, 6, 5]
    assert column(book, rows, "e") == [-1, 6, 5]


def test_the_default_of_a_known_value_cannot_fail() -> None:
    """`default(fee, x / n)` divides only where the fee is missing."""
    book = Book()
    fee, x, n = (
        book.input("fee", MONEY, 0, 100, optional=True),
        book.input("x", MONEY, 0, 100),
        book.input("n", COUNT, 0, 9),
    )
    book.step("v", book.node(Op.DEFAULT, fee, book.node(Op.DIVIDE, x, n)))
    assert column(book, [{"fee": 3, "x": 1, "n": 0}, {"x": 1, "n": 0}, {"x": 1, "n": 4}]) == [3, "RX711", F("0.25")]


def test_sets() -> None:
    """Values of ordered sets compare by place; choices and membership give sets and flags."""
    book = Book()
    one, other = book.input("one", ABC), book.input("other", ABC, optional=True)
    book.step("lt", book.test(Op.LT, one, book.const("c", ABC)), FLAG)
    book.step("in", book.node(Op.IN_SET, one, of=FLAG, data=("a", "c")), FLAG)
    book.step("default", book.node(Op.DEFAULT, other, one, of=ABC), ABC)
    book.step("least", book.node(Op.MIN, one, book.const("b", ABC), of=ABC), ABC)
    rows = [{"one": "a", "other": "c"}, {"one": "b"}, {"one": "c"}]
    assert column(book, rows, "lt") == [True, True, False]
    assert column(book, rows, "in") == [True, False, True]
    assert column(book, rows, "default") == ["c", "b", "c"]
    assert column(book, rows, "least") == ["a", "b", "b"]


def test_numbers_in_a_set() -> None:
    """Membership of a number is exact."""
    book = Book()
    x = book.input("x", MONEY, 0, 10)
    book.step("in", book.node(Op.IN_SET, x, of=FLAG, data=(F(1), F("2.5"), F(1, 3))), FLAG)
    assert column(book, [{"x": 1}, {"x": "2.50"}, {"x": "0.33"}]) == [True, True, False]


def test_codes() -> None:
    """A set of codes has a code, or meets another set."""
    book = Book()
    codes, code = book.input("codes", CODES), book.input("code", CODE)
    book.step("has", book.node(Op.HAS, codes, code, of=FLAG), FLAG)
    book.step("meets", book.node(Op.MEETS, codes, book.const(frozenset({"b", "é"}), CODES), of=FLAG), FLAG)
    rows = [{"codes": ["a", "b"], "code": "a"}, {"codes": [], "code": "a"}, {"codes": ["é"], "code": "e"}]
    assert column(book, rows, "has") == [True, False, False]
    assert column(book, rows, "meets") == [True, False, True]


def test_codes_compare_by_code_point() -> None:
    """E10 comes before E9."""
    book = Book()
    code = book.input("code", CODE)
    book.step("v", book.test(Op.LT, code, book.const("E9", CODE)), FLAG)
    assert column(book, [{"code": c} for c in ("E10", "E9", "é", "E")]) == [True, False, False, True]


ENDS = [
    date(2024, 1, 31),
    date(2024, 2, 29),
    date(2024, 3, 1),
    date(2024, 12, 31),
    date(2025, 2, 28),
    date(2026, 3, 30),
]


@pytest.mark.parametrize("op", [Op.MONTHS_BETWEEN, Op.YEARS_BETWEEN, Op.DAYS_BETWEEN])
def test_differences_of_dates(op: Op) -> None:
    """Whole months and years count the month's last day; earlier ends give negative numbers."""
    book = Book()
    day = book.input("day", DATE, date(2000, 1, 1), date(2030, 1, 1))
    book.step("v", book.node(op, day, book.read("on"), of=COUNT if op is not Op.DAYS_BETWEEN else DAYS), COUNT)
    column(book, [{"day": a, "on": b} for a in ENDS for b in ENDS])


@pytest.mark.parametrize(
    ("op", "sign"), [(Op.ADD_MONTHS, 1), (Op.ADD_MONTHS, -1), (Op.ADD_YEARS, 1), (Op.ADD_YEARS, -1)]
)
def test_months_later_is_clamped(op: Op, sign: int) -> None:
    """The same day, or the month's last."""
    book = Book()
    n = book.input("n", COUNT, 0, 40)
    book.step("v", book.node(op, book.read("on"), n, of=DATE, data=sign), DATE)
    column(book, [{"on": on, "n": n} for on in ENDS for n in (0, 1, 11, 12, 13, 25)])


def test_years_out_of_the_calendar_are_refused() -> None:
    """There is no year 10000."""
    book = Book()
    n = book.input("n", COUNT, 0, 10_000)
    book.step("v", book.node(Op.ADD_YEARS, book.read("on"), n, of=DATE, data=1), DATE)
    book.step(
        "w",
        book.node(
            Op.ADD, book.read("on"), book.node(Op.MULTIPLY, n, book.const(365, COUNT), of=DAYS), of=DATE, data=(1, 1)
        ),
        DATE,
    )
    assert column(book, [{"n": 1}, {"n": 9000}], "v") == [date(2026, 6, 15), "RX712"]


def test_parts_of_dates() -> None:
    """Year, month, day, first and last days, shifts by days, and dates put together."""
    book = Book()
    on, n = book.read("on"), book.input("n", COUNT, 0, 40)
    for op in (Op.YEAR, Op.MONTH, Op.DAY):
        book.step(op.value, book.node(op, on, of=COUNT), COUNT)
    for unit in ("month", "quarter", "year"):
        book.step(f"first_{unit}", book.node(Op.FIRST_DAY, on, of=DATE, data=unit), DATE)
        book.step(f"last_{unit}", book.node(Op.LAST_DAY, on, of=DATE, data=unit), DATE)
    book.step("shifted", book.node(Op.ADD, on, n, of=DATE, data=(1, -1)), DATE)
    rows = [{"on": on, "n": n} for on in ENDS for n in (0, 3)]
    for step in book.plan().steps:
        column(book, rows, step.name)
    assert column(book, rows[:2], "shifted") == [ENDS[0], ENDS[0] - timedelta(days=3)]
    book.step("made", book.node(Op.MAKE_DATE, book.const(2025, COUNT), book.const(2, COUNT), n, of=DATE), DATE)
    assert column(book, [{"n": 28}, {"n": 29}, {"n": 0}], "made") == [date(2025, 2, 28), "RX712", "RX712"]


def test_requirements_and_guarantees() -> None:
    """A row that breaks one is flagged, and the exact back end says which."""
    book = Book()
    x = book.input("x", MONEY, 0, 100)
    book.require(book.test(Op.GE, x, book.const(1)))
    step = book.step("v", book.node(Op.MULTIPLY, x, book.const(2)))
    book.require(book.test(Op.LE, step, book.const(50)), after=True)
    assert column(book, [{"x": 0}, {"x": 25}, {"x": 26}]) == ["RX722", 50, "RX803"]


def test_episodes_outside_the_effective_range() -> None:
    """They are refused."""
    book = Book(until=date(2025, 12, 31))
    book.step("v", book.const(1))
    assert column(book, [{"on": date(2025, 12, 31)}, {"on": date(2026, 1, 1)}]) == [1, "RX723"]


def shares(**options: bool) -> Book:
    """A bill of x: a pool of half of y, a deductible, the rest."""
    book = Book()
    x, y = book.input("x", MONEY, -100, 100), book.input("y", MONEY, -100, 100)
    pool = book.step("pool", book.node(Op.MULTIPLY, y, book.const("0.125")), to=None, scale=8000)
    book.divide("bill", x, {"fund": pool, "patient.first": book.const(1), "patient.other": -1}, **options)
    return book


def test_shares_round_and_the_rest_closes() -> None:
    """Parts are rounded first; the rest takes what is left; totals add the parts of a bearer."""
    rows = [{"x": 10, "y": "0.20"}, {"x": 10, "y": "0.21"}, {"x": 1, "y": 1}, {"x": 10, "y": -1}]
    assert column(shares(), rows, "fund") == [F("0.03"), F("0.03"), "RX802", "RX802"]
    assert column(shares(), rows, "patient.other") == [F("8.97"), F("8.97"), "RX802", "RX802"]
    assert column(shares(), rows, "patient_pays") == [F("9.97"), F("9.97"), "RX802", "RX802"]
    assert column(shares(negative=True), rows, "fund_pays") == [F("0.03"), F("0.03"), F("0.13"), F("-0.13")]


def test_shares_without_rest_must_add_up() -> None:
    """Without `rest` the sum must equal the whole; a later partition has prefixed names."""
    book = Book()
    x, y = book.input("x", MONEY, 0, 100), book.input("y", MONEY, 0, 100)
    book.divide("bill", x, {"fund": y, "patient": book.const(1)})
    book.divide("again", x, {"fund": y, "patient": -1})
    assert column(book, [{"x": 5, "y": 4}, {"x": 5, "y": "3.99"}], "fund") == [4, "RX801"]
    assert column(book, [{"x": 5, "y": 4}], "again.patient") == [1]


def test_a_step_that_bears_a_totals_name_must_equal_it() -> None:
    """Else the row does not balance."""
    book = Book()
    x, y = book.input("x", MONEY, 0, 100), book.input("y", MONEY, 0, 100)
    book.step("fund_pays", y)
    book.divide("bill", x, {"fund.a": book.const(1), "fund.b": book.const(2), "patient": -1})
    assert column(book, [{"x": 5, "y": 3}, {"x": 5, "y": 2}], "fund_pays") == [3, "RX804"]


def test_disagreement_is_reported() -> None:
    """A flagged row in which the exact back end finds nothing is a fault of rxcalc, and said so."""
    from plans import frame

    from rxcalc.backends.base import Outcome
    from rxcalc.backends.columnar import Columnar

    book = Book()
    x = book.input("x", MONEY, 0, 100)
    book.require(book.test(Op.GE, x, book.const(1)))
    book.step("v", x)
    plan = book.plan()
    result = Columnar(plan, lambda inputs, windows: Outcome(inputs, {"v": F(1)})).run(
        frame(plan, [{"x": 0}, {"x": 1}]), ["v"]
    )
    assert cells(plan, result, "v") == {1: "RX901", 2: 1}


def test_order_of_rows_is_kept() -> None:
    """Rows come back in the order of the frame, without those that have a problem."""
    book = Book()
    n = book.input("n", COUNT, 0, 9)
    book.step("v", book.node(Op.DIVIDE, book.const(12), n))
    result = run(book.plan(), [{"n": n} for n in (3, 0, 2, 1)], ["v"])
    assert result.values["__row"].to_list() == [1, 3, 4]
    assert [row for row, _ in result.problems] == [2]
