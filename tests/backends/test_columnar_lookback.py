"""How window calls run in columns, and what goes to the exact evaluator: rows, single persons, nothing else."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from functools import partial
from typing import Any

import pytest
from histories import WINDOWS, exactly, in_columns
from plans import HERE, Book, cells, column, frame, run

from rxcalc.backends.base import Known, Outcome
from rxcalc.backends.columnar import Columnar
from rxcalc.backends.exact import Exact
from rxcalc.backends.history import run_person
from rxcalc.backends.replay import run_known
from rxcalc.lang.ops import Op
from rxcalc.lang.types import CODE, COUNT, DATE, MONEY, NUMBER
from rxcalc.plan.layout import lay_out
from rxcalc.plan.nodes import Formula, Plan, PlanCheck, PlanSequence, RoundTo

F = Fraction


def day(n: int) -> date:
    return date(2024, 1, 1) + timedelta(days=n)


def episodes(*rows: tuple[str, int, Any]) -> list[dict[str, Any]]:
    """Rows from (person, day, x)."""
    return [{"person": person, "on": day(on), "x": x, "left": day(on + 1)} for person, on, x in rows]


def book_of(kind: str) -> Book:
    book = Book()
    book.window("w", **WINDOWS[kind])
    for name in ("seen", "left", "policy"):
        book.input(name, DATE, date(2020, 1, 1), date(2027, 12, 31), optional=True)
    book.input("chain", CODE, optional=True)
    book.input("level", CODE, optional=True)
    book.input("x", MONEY, 0, 1000)
    return book


def how(book: Book) -> list[str]:
    return [call.how for call in lay_out(book.plan()).calls]


@pytest.mark.parametrize(
    ("kind", "plain", "other"),
    [
        ("all", "accumulated", "accumulated"),
        ("policy year", "accumulated", "accumulated"),
        ("spell", "accumulated", "accumulated"),
        ("period of a level", "accumulated", "accumulated"),
        ("2 months", "totals", "pairs"),
        ("3 calendar months", "totals", "pairs"),
        ("90 days of another date", "pairs", "pairs"),
    ],
)
def test_how_calls_run(kind: str, plain: str, other: str) -> None:
    """Running results where nothing rolls out; running totals for sums that do; pairs where this episode is read."""
    book = book_of(kind)
    x = book.read("x")
    larger = book.test(Op.GT, book.earlier("w", "x"), x)
    same = book.test(Op.EQ, book.earlier("w", "level", CODE), book.read("level"))
    calls = [
        (book.call("w", "sum", book.earlier("w", "x")), plain),
        (book.call("w", "count", where=same, of=COUNT), plain),
        (book.call("w", "max", book.earlier("w", "x")), other),
        (book.call("w", "count", book.earlier("w", "x"), distinct=True, of=COUNT), other),
        (book.call("w", "sum", book.earlier("w", "x"), larger, correlated=True), "pairs"),
    ]
    for at, (node, _) in enumerate(calls):
        of = book.nodes[node].type
        book.step(f"s{at}", node, of, optional=True)
    assert how(book) == [expected for _, expected in calls]


def test_a_twelve_month_cap_rolls() -> None:
    """What was paid a year ago is open again; the day twelve months back is outside."""
    book = book_of("1 year")
    book.windows[0] = replace(book.windows[0], same=())
    spent = book.call("w", "sum", book.earlier("w", "pays"))
    left = book.node(Op.MAX, book.const(0), book.add(book.const(100), spent, signs=(1, -1)))
    book.step("pays", book.node(Op.MIN, book.read("x"), left))
    rows = episodes(("p", 0, 70), ("p", 365, 70), ("p", 366, 70), ("p", 730, 90))
    assert column(book, rows) == [70, 30, 70, 30]


def readmissions() -> Book:
    """Counts within a spell of 30 days, and sums of larger ones."""
    book = book_of("spell")
    larger = book.test(Op.GT, book.earlier("w", "x"), book.read("x"))
    book.step("before", book.call("w", "count", of=COUNT), COUNT)
    book.step("v", book.call("w", "sum", book.earlier("w", "x"), larger, correlated=True))
    return book


def test_a_spell_goes_on_until_the_gap() -> None:
    """The latest discharge counts, not the last one; the gap itself begins a new spell."""
    rows = episodes(("p", 0, 9), ("p", 10, 8), ("p", 20, 7), ("p", 50, 6), ("p", 101, 5), ("q", 21, 5))
    rows[0]["left"] = day(60)
    assert column(readmissions(), rows, "before") == [0, 1, 2, 3, 0, 0]
    assert column(readmissions(), rows) == [0, 9, 17, 24, 0, 0]


def test_the_order_of_the_file_does_not_matter() -> None:
    """The same rows in any order give the same results."""
    pick = random.Random(1)
    plan = readmissions().plan()
    rows = [(f"p{pick.randrange(9)}", pick.randrange(400), pick.randrange(99)) for _ in range(120)]
    table = frame(plan, episodes(*rows))
    exact = Exact(plan)
    back_end = Columnar(plan, partial(run_known, exact), partial(run_person, exact))
    back_end.small_wave = 0
    plain = back_end.run(table, ["before", "v"]).values
    for seed in range(3):
        shuffled = back_end.run(table.sample(fraction=1, shuffle=True, seed=seed), ["before", "v"]).values
        assert not shuffled.equals(plain)
        assert shuffled.sort("__row").equals(plain)


class Watched:
    """A back end that counts the rows and persons that go to the exact evaluator."""

    def __init__(self, plan: Plan) -> None:
        exact = Exact(plan)
        self.rows: list[Any] = []
        self.persons: list[Any] = []

        def scalar(inputs: Any, known: Known | None) -> Outcome:
            self.rows.append(inputs["episode_id"])
            return run_known(exact, inputs, known)

        def alone(rows: Any, **options: Any) -> Any:
            self.persons.append(rows[0].inputs["person"])
            return run_person(exact, rows, **options)

        self.back_end = Columnar(plan, scalar, alone)
        self.back_end.small_wave = 0


def reversible(*, windows: bool = True) -> Plan:
    book = book_of("all") if windows else Book()
    if not windows:
        book.input("person", CODE)
        book.input("x", MONEY, 0, 1000)
    book.sequence = PlanSequence("person", ("on", "episode_id"), "undoes")
    book.input("undoes", CODE, optional=True)
    x = book.read("x")
    book.step("v", book.add(x, book.call("w", "sum", book.earlier("w", "x"))) if windows else x)
    return book.plan()


@pytest.mark.parametrize("windows", [True, False])
def test_persons_with_reversals_are_computed_alone(windows: bool) -> None:
    """All rows of such a person, and nobody else's, with windows and without."""
    plan = reversible(windows=windows)
    rows = episodes(("p", 0, 5), ("q", 1, 7), ("p", 2, 0), ("q", 3, 8), ("p", 4, 9))
    for row in rows:
        del row["left"]
    rows[2]["undoes"] = "E0000"
    watched = Watched(plan)
    result = watched.back_end.run(frame(plan, rows), ["v"])
    assert cells(plan, result, "v") == {1: 5, 2: 7, 3: -5, 4: 15 if windows else 8, 5: 9}
    assert (watched.persons, watched.rows) == (["p"], [])
    assert result.affected == {}


def test_rows_can_be_marked_to_be_computed_alone() -> None:
    """A person with openings or earlier results, say."""
    plan = readmissions().plan()
    rows = frame(plan, episodes(("p", 0, 5), ("q", 1, 7), ("p", 2, 3)))
    watched = Watched(plan)
    marked = rows.with_columns(__alone=rows["__row"] == 3)
    assert watched.back_end.run(marked, ["v"]).values.equals(Columnar(plan, *alone_of(plan)).run(rows, ["v"]).values)
    assert (watched.persons, watched.rows) == (["p"], [])


def alone_of(plan: Plan) -> Any:
    exact = Exact(plan)
    return partial(run_known, exact), partial(run_person, exact)


def priced(correlated: bool) -> Book:
    """Adds up prices of earlier codes, of which one may have none."""
    book = book_of("2 months")
    book.input("code", CODE)
    book.table("prices", {"code": CODE}, {"price": MONEY}, [(("A",), (F(3),)), (("B",), (F(4),))])
    price = book.cell("prices", "price", book.earlier("w", "code", CODE))
    where = book.test(Op.GE, book.earlier("w", "x"), book.read("x") if correlated else book.const(5))
    book.step("v", book.call("w", "sum", price, where, correlated=True))
    return book


@pytest.mark.parametrize("correlated", [False, True])
def test_a_failure_refuses_who_reads_it(correlated: bool) -> None:
    """The code without a price refuses the later rows whose condition meets it, in words of the exact evaluator."""
    book = priced(correlated)
    rows = episodes(("p", 0, 9), ("p", 1, 9), ("p", 2, 4), ("p", 3, 9), ("p", 70, 1), ("q", 3, 9), ("q", 4, 9))
    for row, code in zip(rows, "AXABABA", strict=True):
        row["code"] = code
    plan = book.plan()
    watched = Watched(plan)
    result = watched.back_end.run(frame(plan, rows), ["v"])
    assert cells(plan, result, "v") == {1: 0, 2: 3, 3: "RX731", 4: "RX811", 5: 0, 6: 0, 7: 4}
    assert "`prices`" in result.problems[0][1].message and "X" in result.problems[0][1].value
    assert (watched.persons, watched.rows) == ([], ["E0002"])
    assert exactly(plan, rows, compute=True) == in_columns(plan, rows, compute=True)


def test_rows_without_a_column_are_looked_at_and_read_by_later_ones() -> None:
    """A root has no column: rows that take one are computed exactly, their persons go on in waves."""
    book = book_of("all")
    x = book.read("x")
    count = book.node(Op.CONVERT, book.call("w", "count", of=COUNT), of=NUMBER)
    root = book.node(
        Op.ROOT, book.node(Op.MAX, count, book.const(1, NUMBER), of=NUMBER), book.const(2, COUNT), of=NUMBER, data=RoundTo(F(1, 10**12), "half-up")
    )  # fmt: skip
    odd = book.node(Op.MULTIPLY, x, root)
    book.step("odd", [(book.test(Op.GT, x, book.const(500)), odd), (-1, x)])
    larger = book.test(Op.GE, book.earlier("w", "odd"), x)
    book.step("v", book.call("w", "sum", book.earlier("w", "odd"), larger, correlated=True))
    plan = book.plan()
    rows = episodes(*((f"p{at % 7}", at, 600 if at % 11 == 8 else at) for at in range(70)))
    watched = Watched(plan)
    result = watched.back_end.run(frame(plan, rows), ["v", "odd"])
    expected = exactly(plan, rows, compute=False)
    assert cells(plan, result, "v") == {row: what[0]["v"] for row, what in sorted(expected.items())}
    assert watched.persons == [] and len(watched.rows) == sum(row["x"] == 600 for row in rows)


def test_most_rows_without_a_column_send_everybody() -> None:
    """Where nearly every row needs the exact evaluator, it computes persons as a whole."""
    book = book_of("all")
    x = book.read("x")
    one = book.node(Op.CONVERT, book.const(1, COUNT), of=NUMBER)
    root = book.node(Op.ROOT, one, book.const(2, COUNT), of=NUMBER, data=RoundTo(F(1, 10**12), "half-up"))
    book.step("odd", book.node(Op.MULTIPLY, x, root))
    book.step("v", book.call("w", "sum", book.earlier("w", "odd")))
    rows = episodes(("p", 0, 5), ("q", 1, 7), ("p", 2, 3))
    watched = Watched(book.plan())
    result = watched.back_end.run(frame(book.plan(), rows), ["v"])
    assert cells(book.plan(), result, "v") == {1: 0, 2: 0, 3: 5}
    assert (sorted(watched.persons), watched.rows) == (["p", "q"], [])


def test_sums_of_128_bits() -> None:
    """Rolling sums of amounts near the limits, by running totals and over pairs."""
    book = book_of("2 months")
    big = book.input("big", MONEY, 0, 10**17)
    larger = book.test(Op.GE, book.earlier("w", "big"), big)
    book.step("v", book.add(*(book.call("w", "sum", book.earlier("w", "big"), where) for where in (-1, larger))))
    rows = episodes(*(("p", 3 * at, 1) for at in range(40)))
    for at, row in enumerate(rows):
        row["big"] = 10**17 - at % 3
    assert column(book, rows)[1] == 2 * 10**17
    assert lay_out(book.plan()).steps[0].widest == 128


def test_spells_are_formed_anew_without_refused_rows() -> None:
    """When what follows is computed all the same, a refused row joins no two spells."""
    book = readmissions()
    n = book.input("n", COUNT, 0, 9)
    book.step("one", book.node(Op.DIVIDE, book.read("x"), n))
    rows = episodes(("p", 0, 1), ("p", 25, 1), ("p", 50, 1), ("p", 60, 1), ("p", 85, 1), ("p", 110, 1), ("q", 0, 1))
    for at, row in enumerate(rows):
        row["n"] = 0 if at in (1, 4) else 1
    plan = book.plan()
    result = run(plan, rows, ["before"], after_reject="compute")
    assert cells(plan, result, "before") == {1: 0, 2: "RX711", 3: 0, 4: 1, 5: "RX711", 6: 0, 7: 0}
    assert result.marked == {3, 4, 6}
    assert exactly(plan, rows, compute=True) == in_columns(plan, rows, compute=True)


def test_rows_formed_anew_may_need_the_exact_evaluator_too() -> None:
    """A second run over the persons with a refused row, of whose first rows most have no column."""
    book = readmissions()
    n, x = book.input("n", COUNT, 0, 9), book.read("x")
    book.step("one", book.node(Op.DIVIDE, x, n))
    one = book.node(Op.CONVERT, book.const(1, COUNT), of=NUMBER)
    root = book.node(Op.ROOT, one, book.const(2, COUNT), of=NUMBER, data=RoundTo(F(1, 10**12), "half-up"))
    odd = book.node(Op.MULTIPLY, x, root)
    book.step("odd", [(book.test(Op.GT, x, book.const(500)), odd), (-1, x)])
    rows = episodes(("p", 0, 600), ("p", 25, 1), ("p", 50, 1), *((f"q{at}", 0, 1) for at in range(5)))
    for at, row in enumerate(rows):
        row["n"] = int(at != 1)
    plan = book.plan()
    assert exactly(plan, rows, compute=True) == in_columns(plan, rows, compute=True)


def test_a_call_that_only_a_check_makes() -> None:
    """No column reads it; a row that the exact evaluator looks at has it all the same."""
    book = readmissions()
    n = book.input("n", COUNT, 0, 9)
    book.step("one", book.node(Op.DIVIDE, book.read("x"), n))
    found = book.call("w", "max", book.earlier("w", "one"))
    when = book.test(Op.GT, book.node(Op.DEFAULT, found, book.const(0)), book.const(5))
    none = Formula((), ())
    plan = replace(book.plan(), checks=(PlanCheck("", when, -1, "warn", (), none, None, HERE, "c"),))
    rows = episodes(("p", 0, 1), ("p", 1, 7), ("p", 2, 1))
    for row, count in zip(rows, (1, 1, 0), strict=True):
        row["n"] = count
    assert cells(plan, run(plan, rows, ["one"]), "one") == {1: 1, 2: 7, 3: "RX711"}


def test_ties_refuse_both() -> None:
    """Two rows at one place of the order: neither comes first."""
    rows = episodes(("p", 0, 1), ("p", 5, 2), ("p", 5, 3), ("p", 6, 4), ("q", 5, 5))
    rows[1]["episode_id"] = rows[2]["episode_id"] = "E7"
    plan = readmissions().plan()
    result = run(plan, rows, ["before"])
    assert cells(plan, result, "before") == {1: 0, 2: "RX818", 3: "RX818", 4: "RX811", 5: 0}
    assert exactly(plan, rows, compute=False) == in_columns(plan, rows, compute=False)


def test_the_order_may_begin_with_a_set_or_a_code() -> None:
    """Values of a set go by their names, codes by code point; ties of the first field by the next."""
    book = book_of("all")
    book.sequence = PlanSequence("person", ("chain", "on", "episode_id"), "")
    book.step("v", book.call("w", "sum", book.earlier("w", "x")))
    rows = episodes(("p", 9, 1), ("p", 0, 2), ("p", 5, 4), ("q", 5, 8))
    for row, chain in zip(rows, ("E10", "E9", "E10", "a"), strict=True):
        row["chain"] = chain
    assert column(book, rows) == [4, 5, 0, 0]


def test_two_persons_with_one_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are sorted by a hash of the person; equal ones of different persons are noticed."""
    import polars as pl

    monkeypatch.setattr(pl.Series, "hash", lambda self: pl.repeat(7, self.len(), dtype=pl.UInt64(), eager=True))
    book = book_of("chain")
    book.step("v", book.call("w", "sum", book.earlier("w", "x")))
    rows = episodes(("p", 0, 1), ("q", 1, 2), ("p", 2, 4), ("q", 3, 8), ("p", 4, 16))
    for row, chain in zip(rows, ("c", "c", "d", "c", "c"), strict=True):
        row["chain"] = chain
    assert column(book, rows) == [0, 0, 0, 2, 1]


def test_nothing_to_compute() -> None:
    """A frame without rows, and one in which every row is refused."""
    plan = readmissions().plan()
    assert run(plan, [], ["v"]).values.height == 0
    rows = episodes(("p", 0, 1), ("p", 1, 2))
    assert run(plan, [{**row, "__bad": True} for row in rows], ["v"]).values.height == 0
    met: Counter[str] = Counter()
    assert in_columns(plan, [], compute=True, met=met) == {}
