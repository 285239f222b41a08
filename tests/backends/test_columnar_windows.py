"""Windows over earlier episodes, and what a refused episode takes with it, in waves of columns."""

from __future__ import annotations

import random
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import pytest
from plans import Book, cells, column, run

from rxcalc.lang.ops import Op
from rxcalc.lang.types import CODE, COUNT, DATE, FLAG, MONEY, OneOf
from rxcalc.plan.layout import lay_out
from rxcalc.plan.nodes import Plan

F = Fraction
AB = OneOf(("a", "b"))
BOTH = pytest.mark.parametrize("small", [0, 10**9], ids=["waves", "one by one"])


def capped() -> Book:
    """A fund of 100 a year: each episode gets what is left."""
    book = Book()
    book.window("year", calendar="year", on="on")
    x = book.input("x", MONEY, 0, 1000)
    spent = book.call("year", "sum", book.earlier("year", "pays"))
    left = book.node(Op.MAX, book.const(0), book.add(book.const(100), spent, signs=(1, -1)))
    book.step("pays", book.node(Op.MIN, x, left))
    return book


def episodes(*rows: tuple[str, str, Any]) -> list[dict[str, Any]]:
    """Rows from (person, date, x); `?` is a division by zero, `!` a bad row."""
    return [{"person": person, "on": date.fromisoformat(on), "x": x} for person, on, x in rows]


@BOTH
def test_a_running_cap(small: int) -> None:
    """Episodes count in order of their dates, wherever they stand, and each year apart."""
    rows = episodes(
        ("p", "2025-03-01", 50), ("p", "2025-01-01", 30), ("q", "2025-02-01", 70), ("p", "2025-06-01", 50), ("p", "2026-01-01", 50), ("p", "2025-07-01", 1)
    )  # fmt: skip
    assert column(capped(), rows, small=small) == [50, 30, 70, 20, 50, 0]


@BOTH
def test_equal_dates_go_by_episode_id(small: int) -> None:
    """The last order field decides between episodes of one day, by code point."""
    rows = episodes(("p", "2025-03-01", 60), ("p", "2025-03-01", 60))
    rows[0]["episode_id"], rows[1]["episode_id"] = "E9", "E10"
    assert column(capped(), rows, small=small) == [40, 60]


def every_function(name: str) -> Book:
    """Each function over money, dates, sets and counts, in the window `name`."""
    book = Book()
    book.window("all")
    book.window("year", calendar="year", on="seen", starting=(7, 1))
    book.window("quarter", calendar="quarter", on="seen", starting=(2, 29))
    book.window("month", calendar="month", on="seen", same=("level",))
    book.window("chain", same=("chain",))
    x, fee = book.input("x", MONEY, -100, 1000), book.input("fee", MONEY, 0, 10, optional=True)
    book.input("seen", DATE, date(2023, 1, 1), date(2026, 12, 31))
    level = book.input("level", AB)
    book.input("chain", CODE, optional=True)
    step = book.step("half", book.node(Op.MULTIPLY, x, book.const("0.5")))
    del fee, step
    mine, theirs = book.earlier(name, "half"), book.earlier(name, "x")
    their_fee = book.earlier(name, "fee")
    known = book.node(Op.KNOWN, their_fee, of=FLAG, earlier=True)
    large = book.node(Op.GT, theirs, book.const(500), of=FLAG, earlier=True)
    same = book.node(Op.EQ, book.earlier(name, "level", AB), level, of=FLAG, earlier=True)
    both = book.node(Op.AND, large, same, of=FLAG, earlier=True)
    total = book.add(
        book.call(name, "sum", mine),
        book.call(name, "sum", their_fee, known),
        book.call(name, "sum", theirs, both, correlated=True),
        *(
            book.node(Op.DEFAULT, book.call(name, f, mine), book.const(n))
            for n, f in enumerate(("first", "last", "min", "max"))
        ),
        book.node(Op.DEFAULT, book.call(name, "last", their_fee), book.const(9)),
    )
    book.step("total", total)
    counts = [
        book.call(name, "count", of=COUNT),
        book.call(name, "count", where=large, of=COUNT),
        book.call(name, "count", book.earlier(name, "seen", DATE), distinct=True, of=COUNT),
        book.call(name, "count", mine, distinct=True, of=COUNT),
        book.call(name, "count", where=same, of=COUNT, correlated=True),
    ]
    book.step("counts", book.add(*counts, of=COUNT), COUNT)
    last = book.call(name, "last", book.earlier(name, "level", AB), of=AB)
    book.step("level_before", book.node(Op.DEFAULT, last, level, of=AB), AB)
    latest = book.call(name, "max", book.earlier(name, "seen", DATE), of=DATE)
    book.step("latest", book.node(Op.DEFAULT, latest, book.read("on"), of=DATE), DATE)
    return book


def many(count: int = 300, seed: int = 3) -> list[dict[str, Any]]:
    """Random episodes of a few dozen persons."""
    pick = random.Random(seed)
    return [
        {
            "person": f"P{pick.randrange(count // 6)}",
            "on": date(2024, 1, 1) + timedelta(days=pick.randrange(1000)),
            "seen": date(2023, 6, 1) + timedelta(days=pick.randrange(1200)),
            "x": F(pick.randrange(-10_000, 100_000), 100),
            "fee": pick.choice([None, 1, 2]),
            "level": pick.choice("ab"),
            "chain": pick.choice([None, "c1", "c2"]),
        }
        for _ in range(count)
    ]


@BOTH
@pytest.mark.parametrize("name", ["all", "year", "quarter", "month", "chain"])
def test_every_function_in_every_window(name: str, small: int) -> None:
    """Sums, counts, distinct counts, first, last, least and largest agree with the plain definition."""
    book = every_function(name)
    assert {call.how for call in lay_out(book.plan()).calls} == {"accumulated"}
    rows = many()
    for step in ("total", "counts", "level_before", "latest"):
        column(book, rows, step, small=small)


def test_small_waves_go_one_by_one() -> None:
    """Persons with unusually many episodes are computed by the exact evaluator; the others in waves."""
    rows = many(400) + [{**row, "person": "long"} for row in many(120, seed=5)]
    column(every_function("year"), rows, "total", small=5)


@BOTH
def test_a_condition_on_this_episode_has_no_accumulator(small: int) -> None:
    """`year.sum(x where year.x > x)` looks at every earlier episode."""
    book = Book()
    book.window("year", calendar="year", on="on")
    x = book.input("x", MONEY, 0, 1000)
    larger = book.node(Op.GT, book.earlier("year", "x"), x, of=FLAG, earlier=True)
    book.step("v", book.call("year", "sum", book.earlier("year", "x"), larger, correlated=True))
    assert lay_out(book.plan()).calls[0].how == "pairs"
    rows = episodes(("p", "2025-01-01", 5), ("p", "2025-01-02", 3), ("p", "2025-01-03", 4), ("p", "2025-01-04", 9))
    assert column(book, rows, small=small) == [0, 5, 5, 0]


def cascade(**more: Any) -> tuple[Plan, list[dict[str, Any]]]:
    """Person p: second episode of 2025 fails; q has none that fails. Window by year."""
    book = Book()
    book.window("year", calendar="year", on="on")
    x, n = book.input("x", MONEY, 0, 1000), book.input("n", COUNT, 0, 9)
    book.step("one", book.node(Op.DIVIDE, x, n))
    book.step("v", book.add(book.call("year", "sum", book.earlier("year", "one")), x))
    rows = episodes(
        ("p", "2025-01-01", 1), ("p", "2025-02-01", 2), ("p", "2025-03-01", 3), ("p", "2026-01-01", 4), ("q", "2025-02-15", 5), ("p", "2025-04-01", 6)
    )  # fmt: skip
    for row in rows:
        row["n"] = 1
    rows[1].update(more)
    return book.plan(), rows


@BOTH
def test_a_refused_episode_takes_its_later_readers_with_it(small: int) -> None:
    """Later episodes of the same year are refused and name it; other years and persons are not."""
    plan, rows = cascade(n=0)
    result = run(plan, rows, ["v"], small=small)
    assert cells(plan, result, "v") == {1: 1, 2: "RX711", 3: "RX811", 4: 4, 5: 5, 6: "RX811"}
    named = {row: (problem.field, problem.value) for row, problem in result.problems if problem.code == "RX811"}
    assert named == {3: ("year", "2"), 6: ("year", "2")}


@BOTH
def test_a_row_refused_before_taints_by_its_window(small: int) -> None:
    """A bad row whose date can be read taints its year only."""
    plan, rows = cascade(__bad=True, x=None)
    assert cells(plan, run(plan, rows, ["v"], small=small), "v") == {1: 1, 3: "RX811", 4: 4, 5: 5, 6: "RX811"}


@BOTH
def test_an_unreadable_window_key_taints_every_later_episode(small: int) -> None:
    """Which year it belongs to is not known: whatever comes later could read it."""
    plan, rows = cascade(__bad=True, __key_unreadable=True)
    assert cells(plan, run(plan, rows, ["v"], small=small), "v") == {1: 1, 3: "RX811", 4: "RX811", 5: 5, 6: "RX811"}


@BOTH
def test_an_unreadable_order_taints_all_episodes(small: int) -> None:
    """Without its date a row could come before any other."""
    plan, rows = cascade(__bad=True, __key_unreadable=True, on=None)
    expected = {1: "RX811", 3: "RX811", 4: "RX811", 5: 5, 6: "RX811"}
    assert cells(plan, run(plan, rows, ["v"], small=small), "v") == expected


@BOTH
def test_what_follows_a_refusal_can_be_computed_and_marked(small: int) -> None:
    """With `after_reject="compute"` the refused episode counts as nothing."""
    plan, rows = cascade(n=0)
    result = run(plan, rows, ["v"], small=small, after_reject="compute")
    assert cells(plan, result, "v") == {1: 1, 2: "RX711", 3: 4, 4: 4, 5: 5, 6: 10}
    assert result.marked == {3, 6}


@BOTH
def test_refusal_is_passed_on_through_other_windows(small: int) -> None:
    """B cannot be computed because of A; C reads B through another window and is refused too."""
    book = Book()
    book.window("year", calendar="year", on="on")
    book.window("chain", same=("chain",))
    x, n = book.input("x", MONEY, 0, 1000), book.input("n", COUNT, 0, 9)
    book.input("chain", CODE, optional=True)
    book.step("one", book.node(Op.DIVIDE, x, n))
    sums = [book.call(name, "sum", book.earlier(name, "one")) for name in ("year", "chain")]
    book.step("v", book.add(*sums))
    rows = episodes(
        ("p", "2024-05-01", 1),
        ("p", "2024-06-01", 1),
        ("p", "2025-01-01", 1),
        ("p", "2026-01-01", 1),
        ("p", "2026-02-01", 1),
    )
    for row, (count, chain) in zip(rows, ((0, None), (1, "c"), (1, "c"), (1, "d"), (1, None)), strict=True):
        row.update(n=count, chain=chain)
    assert column(book, rows, small=small) == ["RX711", "RX811", "RX811", 0, 1]
    result = run(book.plan(), rows, ["v"], small=small)
    assert [(p.field, p.value) for _, p in result.problems if p.code == "RX811"] == [("year", "1"), ("chain", "2")]


def test_rows_without_a_person_are_left_out() -> None:
    """Where `sequence.by` cannot be read nothing is computed, and nobody is tainted."""
    plan, rows = cascade(__bad=True, person=None)
    assert cells(plan, run(plan, rows, ["v"]), "v") == {1: 1, 3: 4, 4: 4, 5: 5, 6: 10}


def test_a_step_that_reads_itself_has_proven_bounds() -> None:
    """The cap bounds what later episodes read, so that sums fit 64 bits."""
    layout = lay_out(capped().plan())
    assert (layout.steps[0].low, layout.steps[0].high, layout.steps[0].widest) == (0, 100, 64)


@BOTH
def test_a_bad_row_in_no_window_taints_nobody(small: int) -> None:
    """A refused row whose optional window key is known to be missing could be read by nobody."""
    book = Book()
    book.input("chain", CODE, optional=True)
    book.window("w", same=("chain",))
    book.step("v", book.call("w", "count", of=COUNT), of=COUNT)
    rows = episodes(("p", "2025-01-01", 1), ("p", "2025-02-01", 2), ("p", "2025-03-01", 3))
    for row, chain in zip(rows, (None, "c", "c"), strict=True):
        row["chain"] = chain
        del row["x"]
    rows[0]["__bad"] = True
    plan = book.plan()
    assert cells(plan, run(plan, rows, ["v"], small=small), "v") == {2: 0, 3: 1}


@BOTH
def test_first_and_last_of_an_episode_without_the_value(small: int) -> None:
    """`last` is the value of the last episode, also where that is missing; it does not reach for an older one."""
    book = Book()
    book.input("fee", MONEY, 0, 1000, optional=True)
    book.window("w")
    for function in ("first", "last"):
        book.step(
            function,
            book.call("w", function, book.node(Op.EARLIER, data=("w", "fee"), earlier=True, missing=True)),
            optional=True,
        )
    rows = episodes(("p", "2025-01-01", 1), ("p", "2025-02-01", 2), ("p", "2025-03-01", 3), ("p", "2025-04-01", 4))
    for row, fee in zip(rows, (None, 5, None, 7), strict=True):
        row["fee"] = fee
        del row["x"]
    plan = book.plan()
    result = run(plan, rows, ["first", "last"], small=small)
    assert cells(plan, result, "first") == {1: None, 2: None, 3: None, 4: None}
    assert cells(plan, result, "last") == {1: None, 2: None, 3: 5, 4: None}
