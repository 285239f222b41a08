"""Results of earlier runs in columns: random plans, histories split at random, against the plain definition."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial
from typing import Any

import polars as pl
import pytest
from histories import AB, WINDOWS, Histories
from plans import Book, frame

from rxcalc.backends.base import Outcome, Row
from rxcalc.backends.closing import closings
from rxcalc.backends.columnar import Columnar
from rxcalc.backends.columnar.given import Given
from rxcalc.backends.columnar.values import result_type, value_of, written
from rxcalc.backends.exact import Exact
from rxcalc.backends.history import run_person
from rxcalc.backends.replay import run_known
from rxcalc.driver.batch_exact import cells_of
from rxcalc.driver.batch_sequences import closings_of
from rxcalc.lang.ops import Op
from rxcalc.lang.types import COUNT, DATE, FLAG, MONEY
from rxcalc.plan.layout import input_scale
from rxcalc.plan.nodes import Plan, Value


def values(plan: Plan, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Value]]:
    """The rows as the exact evaluator takes them."""
    return [
        {field.name: value_of(raw[field.name], field.type, input_scale(field)) for field in plan.inputs}
        for raw in frame(plan, rows).iter_rows(named=True)
    ]


def persons(plan: Plan, rows: Sequence[Row]) -> list[list[Row]]:
    """Everybody's episodes in order; of two in one place the first one given comes first."""
    assert plan.sequence is not None
    order = plan.sequence.order
    found: dict[Value, list[Row]] = {}
    for row in rows:
        found.setdefault(row.inputs[plan.sequence.by], []).append(row)
    return [
        sorted(own, key=lambda r: tuple((r.inputs[n] is not None, r.inputs[n] or "") for n in order))
        for own in found.values()
    ]


def new_rows(plan: Plan, rows: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Rows to be computed, numbered from 1 as in their frame."""
    return [
        Row(at, str(at), inputs, refused=bool(raw.get("__bad")), unplaced=bool(raw.get("__key_unreadable")))
        for at, (raw, inputs) in enumerate(zip(rows, values(plan, rows), strict=True), 1)
    ]


def exactly(plan: Plan, rows: Sequence[Row], *, compute: bool) -> dict[int, Any]:
    """What becomes of each row that is not recorded, one after the other."""
    exact = Exact(plan)
    found: dict[int, Any] = {}
    for own in persons(plan, rows):
        for ran in run_person(exact, own, compute=compute):
            if ran.outcome is None or ran.row.recorded is not None:
                continue
            problem = ran.outcome.problem
            fine = dict(ran.outcome.steps), ran.after and compute
            found[ran.row.number] = fine if problem is None else (problem.code, problem.field, problem.value)
    return found


def issued(plan: Plan, rows: Sequence[Mapping[str, Any]], pick: random.Random, odd: float) -> list[Row]:
    """Earlier results: those of a run of its own, some with amounts that this plan cannot have come to."""
    exact = Exact(plan)
    found: list[Row] = []
    for own in persons(plan, new_rows(plan, rows)):
        for ran in run_person(exact, own):
            outcome = ran.outcome
            if outcome is None or outcome.problem is not None:
                continue
            if pick.random() < odd:
                outcome = replace(outcome, steps={n: strange(v, pick) for n, v in outcome.steps.items()})
            number = -len(found) - 1
            name = f"={ran.row.inputs['episode_id']}"
            found.append(replace(ran.row, number=number, name=name, recorded=replace(outcome, inputs=ran.row.inputs)))
    return found


def strange(value: Value, pick: random.Random) -> Value:
    """An amount of another rulebook."""
    if isinstance(value, bool) or not isinstance(value, int | Fraction):
        return value
    return pick.choice([value, value, -value, value + 10**19, value * 10**7, value + 12345])


def given(plan: Plan, rows: Sequence[Row]) -> Given:
    """Recorded rows as columns, as the files of a batch hold them."""
    inputs = [row.inputs for row in rows]
    table = frame(plan, inputs) if inputs else frame(plan, []).clear()
    columns = [table[field.name] for field in plan.inputs]
    columns.append(pl.Series("__row", [row.number for row in rows], dtype=pl.Int64))
    scales: dict[str, int] = {}
    for cell in cells_of(plan, [step.name for step in plan.steps if not step.lazy]):
        told = [written(row.recorded.steps[cell.name], cell.type, cell.decimals) for row in rows if row.recorded]
        kind = pl.Int128() if cell.decimals is not None else result_type(cell.type, None)
        columns.append(pl.Series(cell.name, told, dtype=kind, strict=False))
        scales[cell.name] = 10 ** (cell.decimals or 0)
    by_number = {row.number: row for row in rows}
    return Given(pl.DataFrame(columns), scales, lambda numbers: [by_number[n] for n in numbers])


def in_columns(
    plan: Plan, rows: Sequence[Mapping[str, Any]], past: Sequence[Row], *, compute: bool, small: int, met: Counter[str]
) -> dict[int, Any]:
    """The same from the columnar back end."""
    exact = Exact(plan)

    def alone(own: Sequence[Row], **options: Any) -> Any:
        met["persons computed alone"] += 1
        return run_person(exact, own, **options)

    back_end = Columnar(plan, partial(run_known, exact), alone)
    back_end.small_wave = small
    after = "compute" if compute else "refuse"
    names = [step.name for step in plan.steps]
    result = back_end.run(frame(plan, rows), names, after_reject=after, given=given(plan, past))
    found: dict[int, Any] = {row: (p.code, p.field, p.value) for row, p in result.problems}
    types = {step.name: step.type for step in plan.steps}
    for raw in result.values.iter_rows(named=True):
        row = raw.pop("__row")
        assert row not in found
        steps = {name: value_of(cell, types[name], 10 ** result.decimals.get(name, 0)) for name, cell in raw.items()}
        found[row] = (steps, row in result.marked)
    met["rows looked at again"] += len(result.flagged)
    met["computed rows"] += result.values.height
    met["marked rows"] += len(result.marked)
    met.update(f"refused {what[0]}" for what in found.values() if isinstance(what[0], str))
    return found


def compared(kind: str, seed: int, count: int, met: Counter[str]) -> list[str]:
    """Where the two differ on one random plan and a history split at random."""
    made = Histories(kind, seed)
    plan, rows, pick = made.book.plan(), made.rows(count), made.pick
    compute = pick.random() < 0.4
    day = sorted(row["on"] for row in rows if row["on"] is not None)[len(rows) * pick.choice([3, 6, 9]) // 10]
    stray = pick.choice([0.0, 0.1, 0.5])  # late arrivals, and results of later episodes
    early = [(row["on"] is None or row["on"] < day) != (pick.random() < stray) for row in rows]
    past = issued(
        plan, [row for row, is_early in zip(rows, early, strict=True) if is_early], pick, pick.choice([0, 0, 0.1])
    )
    now = [row for row, is_early in zip(rows, early, strict=True) if not is_early]
    if (
        past and pick.random() < 0.5
    ):  # beside an earlier result at one place of the order: only that of this run is refused
        same = [row for row, is_early in zip(rows, early, strict=True) if is_early and not row.get("__bad")]
        now += [{**row, "x": Fraction(7)} for row in pick.sample(same, min(2, len(same)))]
    expected = exactly(plan, [*past, *new_rows(plan, now)], compute=compute)
    found = in_columns(plan, now, past, compute=compute, small=pick.choice([0, 0, 0, 3]), met=met)
    met["plans"] += 1
    met["recorded rows"] += len(past)
    return [
        f"{kind} {seed}{' compute' if compute else ''} row {row}: exact {expected.get(row)}, columns {found.get(row)}"
        for row in sorted({*expected, *found})
        if expected.get(row) != found.get(row)
    ]


def judged(seeds: Sequence[int], count: int, least: Mapping[str, int]) -> None:
    met: Counter[str] = Counter()
    differences = [told for kind in WINDOWS for seed in seeds for told in compared(kind, seed, count, met)]
    print("\n" + "\n".join(f"{count:9,d}  {what}" for what, count in sorted(met.items())))  # noqa: T201 - what was reached
    assert differences == [], "\n".join(differences[:20])
    short = {what: (met[what], count) for what, count in least.items() if met[what] < count}
    assert short == {}, f"reached too seldom: {short}"


def test_some_histories_go_on_as_one_after_the_other() -> None:
    """Windows of rows of this run read recorded rows as the exact evaluator lets them."""
    least = {"computed rows": 500, "recorded rows": 500, "refused RX811": 50, "persons computed alone": 10}
    judged(range(3), 40, least)


@pytest.mark.long
def test_many_histories_go_on_as_one_after_the_other() -> None:
    """Hundreds of random plans."""
    judged(range(20_000, 20_025), 50, {"computed rows": 4_000, "recorded rows": 4_000, "marked rows": 100})


# What is left behind


def carrying(kind: str, seed: int) -> Histories:
    """A random plan with calls of every function that later runs go on from."""
    made = Histories(kind, seed)
    book = made.book
    for w in [window.name for window in book.windows]:
        large = book.node(Op.GT, book.earlier(w, "x"), book.const(600), of=FLAG, earlier=True)
        city = book.node(Op.EQ, book.earlier(w, "level", AB), book.const("b", AB), of=FLAG, earlier=True)
        known = book.node(Op.KNOWN, book.earlier(w, "fee"), of=FLAG, earlier=True)
        fields: list[tuple[Any, Any, int]] = [("x", MONEY, large), ("fee", MONEY, known), ("seen", DATE, city)]
        fields += [("level", AB, large), ("half", MONEY, city)]
        for at, (name, of, where) in enumerate(fields):
            for function in ("sum", "first", "last", "min", "max"):
                if function == "sum" and of != MONEY:
                    continue
                condition = -1 if made.pick.random() < 0.3 and name != "fee" else where
                if name == "fee" and function in {"first", "last"}:
                    condition = made.pick.choice([-1, large])
                found = book.call(w, function, book.earlier(w, name, of), condition, of=of)
                book.step(f"{w}{at}{function}", found, of, optional=True)
        book.step(f"{w}count", book.call(w, "count", where=made.pick.choice([-1, large]), of=COUNT), COUNT)
    return made


@pytest.mark.parametrize("kind", WINDOWS)
def test_what_is_left_behind_is_what_the_exact_evaluator_leaves(kind: str) -> None:
    """Every call of every instance after the last episode, in the order in which instances begin."""
    met: Counter[str] = Counter()
    for seed in range(5):
        made = carrying(kind, 30_000 + seed)
        plan, rows = made.book.plan(), made.rows(60)
        past = issued(plan, rows, made.pick, 0)
        exact = Exact(plan)
        expected = {own[0].inputs["person"]: closings(exact, own) for own in persons(plan, past)}
        columns = given(plan, past)
        found = Columnar(plan, partial(run_known, exact)).closed(
            [(columns.frame, columns.scales)], pl.Series(["P1"], dtype=pl.String)
        )
        if found is None:  # a call that no column holds
            met["no columns"] += 1
            continue
        people = closings_of(plan, found.left, {})
        met["instances"] += len(found.left)
        met["persons apart"] += len(found.apart)
        for person, left in expected.items():
            if person not in found.apart:
                assert people.get(person, []) == left, (seed, person)
    rolls = bool(WINDOWS[kind].get("rolling"))  # of a rolling window nothing is left
    assert met["instances"] > 10 or rolls
    assert met["persons apart"] >= 1


def capped() -> Plan:
    """Each episode gets what is left of 100 a year."""
    book = Book()
    book.window("year", calendar="year", on="on")
    x = book.input("x", MONEY, 0, 1000)
    spent = book.call("year", "sum", book.earlier("year", "pays"))
    left = book.add(book.const(100), spent, signs=(1, -1))
    book.step("pays", book.node(Op.MIN, x, book.node(Op.MAX, book.const(0), left)))
    return book.plan()


@pytest.mark.parametrize(
    ("paid", "pays", "is_alone"),
    [
        ("30", 70, False),
        ("30.000", 70, False),
        ("30.004", 70, True),  # no column holds it; 69.996 is rounded as every result is
        ("99999999999999999999", 0, True),  # more than the plan proves possible
    ],
)
def test_an_amount_that_no_column_holds_sends_the_person_to_the_exact_evaluator(
    paid: str, pays: Any, is_alone: bool
) -> None:
    """The file may say more than this rulebook can come to: it is never cut or wrapped."""
    plan = capped()
    rows = [{"person": "p", "x": 500}, {"person": "q", "x": 500}]
    (first, *_) = new_rows(plan, [{"person": "p", "x": 500, "episode_id": "A"}])
    row = replace(first, number=-1, name="=A", recorded=Outcome(first.inputs, {"pays": Fraction(paid)}))
    alone: list[str] = []
    exact = Exact(plan)

    def by_one(own: Sequence[Row], **options: Any) -> Any:
        alone.extend(str(r.inputs["person"]) for r in own)
        return run_person(exact, own, **options)

    back_end = Columnar(plan, partial(run_known, exact), by_one)
    back_end.small_wave = 0
    digits = len(paid.partition(".")[2])
    table = given(plan, [replace(row, recorded=Outcome(first.inputs, {"pays": Fraction(0)}))])
    whole = pl.Series("pays", [int(Fraction(paid) * 10**digits)], dtype=pl.Int128)
    table = replace(table, frame=table.frame.with_columns(whole), scales={"pays": 10**digits}, rows=lambda _: [row])
    result = back_end.run(frame(plan, rows), ["pays"], given=table)
    assert result.values["pays"].to_list() == [pays * 100, 100 * 100]
    assert alone == (["p", "p"] if is_alone else [])
