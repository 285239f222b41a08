"""Rulebooks with lists and groups, made-up bills for them, and runs on both back ends held against each other."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from fractions import Fraction
from functools import cache, partial
from pathlib import Path
from typing import Any

import polars as pl

import rxcalc
from rxcalc.backends.base import Outcome, Problem, Row
from rxcalc.backends.columnar import Columnar, ColumnarResult
from rxcalc.backends.columnar.values import value_of
from rxcalc.backends.exact import Exact
from rxcalc.backends.history import run_person
from rxcalc.backends.replay import run_known
from rxcalc.driver.api import RulebookError
from rxcalc.lang.arithmetic import decimals_of
from rxcalc.lang.types import CODE, CODES, DATE, FLAG, OneOf, is_numeric, is_whole
from rxcalc.plan.layout import input_scale
from rxcalc.plan.nodes import Plan, PlanInput, PlanStep, share_names

Bill = dict[str, Any]

HEAD = """
rxcalc: 1
rulebook: made-up
title: made up
version: "1"
currency: CNY
rounding: half-up
effective: {from: 2024-01-01, to: 2025-12-31, by: day}
sets: {klass: [c, a, b]}
"""


PRICES = "code,price\nA1,10\nA2,25.5\nB1,0.05\nzz,7\n"


@cache
def compiled(text: str, head: str = HEAD) -> Plan:
    """The plan of a rulebook, given without its head; beside it stands `tables/prices.csv`."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rulebook.yaml"
        path.write_text(head + text, encoding="utf-8")
        (Path(folder) / "tables").mkdir()
        (Path(folder) / "tables" / "prices.csv").write_text(PRICES, encoding="utf-8")
        try:
            return rxcalc.load(path).plan
        except RulebookError as error:
            raise AssertionError("\n".join(f"{d.code} {d.message}" for d in error.diagnostics)) from None


# ---- made-up bills --------------------------------------------------------------------------------


def value(pick: random.Random, field: PlanInput) -> Any:
    """A value of an input, often at an end of its range or one met before."""
    if field.optional and pick.random() < 0.3:
        return None
    match field.type:
        case OneOf(values=values):
            return pick.choice(values)
        case of if of == FLAG:
            return pick.random() < 0.5
        case of if of == DATE:
            return date(2024, 1, 1) + timedelta(days=pick.randrange(0, 730))
        case of if of == CODES:
            return frozenset(pick.sample(["x", "y", "z"], pick.randrange(0, 3)))
        case of if of == CODE:
            return pick.choice(["A1", "A2", "B1", "zz", "é"])
        case of if is_numeric(of):
            scale = input_scale(field)
            low, high = int(Fraction(field.low or 0) * scale), int(Fraction(field.high or 0) * scale)
            few = [low, high, max(low, min(0, high)), min(high, max(low, 7)), min(high, max(low, 700))]
            whole = pick.choice(few) if pick.random() < 0.5 else pick.randrange(low, min(high, low + 200_000) + 1)
            return whole if is_whole(of) else Fraction(whole, scale)
    raise AssertionError(field)


def made_up(plan: Plan, count: int, seed: int = 1, *, most: int = 12, doubled: float = 0.01) -> list[Bill]:
    """Bills with up to `most` rows in each list, in any order."""
    pick = random.Random(seed)
    bills: list[Bill] = []
    for at in range(count):
        bill: Bill = {field.name: value(pick, field) for field in plan.inputs}
        if "episode_id" in bill:
            bill["episode_id"] = f"E{at:06}"
        for x in plan.lists:
            rows = []
            size = pick.choice([0, 1, 2, 3, most, pick.randrange(most + 1)])
            places = pick.sample(range(1, 4 * most), size)
            for place in places:
                row = {field.name: value(pick, field) for field in x.inputs}
                if x.order and x.order[0] == "line_no":
                    row["line_no"] = place
                rows.append(row)
            if rows and pick.random() < doubled:
                rows.append(dict(pick.choice(rows)))
            bill[x.name] = tuple(rows)
        bills.append(bill)
    return bills


# ---- frames and runs ------------------------------------------------------------------------------


def table(fields: Sequence[PlanInput], rows: Sequence[Mapping[str, Any]], **marks: Sequence[int]) -> pl.DataFrame:
    """Rows as typed columns."""
    columns = [pl.Series(name, cells, dtype=pl.Int64) for name, cells in marks.items()]
    for field in fields:
        cells = [row[field.name] for row in rows]
        kind: Any = {DATE: pl.Date, FLAG: pl.Boolean, CODES: pl.List(pl.String)}.get(field.type, pl.String)
        if is_numeric(field.type):
            scale = input_scale(field)
            cells = [None if cell is None else int(Fraction(cell) * scale) for cell in cells]
            kind = pl.Int128 if field.high is not None and field.high * scale >= 2**62 else pl.Int64  # type: ignore[operator]
        elif isinstance(field.type, OneOf):
            kind = pl.Enum(field.type.values)
        elif field.type == CODES:
            cells = [None if cell is None else sorted(cell) for cell in cells]
        columns.append(pl.Series(field.name, cells, dtype=kind))
    return pl.DataFrame(columns)


def frames(plan: Plan, bills: Sequence[Bill], seed: int = 1) -> tuple[pl.DataFrame, dict[str, pl.DataFrame]]:
    """The episodes and the rows of their lists, these shuffled."""
    pick = random.Random(seed)
    main = table(plan.inputs, bills, __row=range(1, len(bills) + 1))
    if plan.sequence is not None:
        no = pl.lit(False)
        main = main.with_columns(no.alias("__bad"), no.alias("__key_unreadable"))
    lists = {}
    for x in plan.lists:
        rows = [(at + 1, row) for at, bill in enumerate(bills) for row in bill[x.name]]
        if x.order:
            pick.shuffle(rows)
        lines = range(1, len(rows) + 1)
        lists[x.name] = table(x.inputs, [row for _, row in rows], __row=[at for at, _ in rows], __line=lines)
    return main, lists


def _finite(step: PlanStep) -> bool:
    return not step.lazy and (not is_numeric(step.type) or bool(step.scale and decimals_of(step.scale) is not None))


def names_of(plan: Plan) -> list[str]:
    """All results of an episode that a column can hold as it is written."""
    steps = [s.name for s in plan.steps if _finite(s)]
    return [*steps, *(n for n in share_names(plan) if n not in steps)]


def list_names(plan: Plan) -> dict[str, list[str]]:
    """All results of the rows of lists, as above."""
    found = {}
    for x in plan.lists:
        received = [s.name for s in plan.spreads if s.target == x.name]
        found[x.name] = [s.name for s in x.steps if _finite(s)] + received
    return found


def run(
    plan: Plan, bills: Sequence[Bill], *, turn: int = 0, at_once: int = 1_000_000, wave: int = 0, **options: Any
) -> ColumnarResult:
    """A columnar run with everything that can be asked for."""
    exact = Exact(plan)
    back_end = Columnar(plan, partial(run_known, exact), partial(run_person, exact))
    back_end.small_wave, back_end.small_turn, back_end.at_once = wave, turn, at_once
    main, lists = frames(plan, bills)
    return back_end.run(main, names_of(plan), lists=lists, list_outputs=list_names(plan), **options)


def differences(
    plan: Plan, bills: Sequence[Bill], outcomes: Sequence[Outcome | None], result: ColumnarResult
) -> list[str]:
    """Where the columns and the exact evaluator disagree; None: not looked at."""
    found: list[str] = []
    problems = dict(result.problems)
    types: dict[tuple[str, str], Any] = {("", s.name): s.type for s in plan.steps}
    types |= {(x.name, s.name): s.type for x in plan.lists for s in x.steps}
    rows = {row["__row"]: row for row in result.values.iter_rows(named=True)}
    listed: dict[str, dict[int, list[Mapping[str, Any]]]] = {}
    for name, frame in result.lists.items():
        for row in frame.iter_rows(named=True):
            listed.setdefault(name, {}).setdefault(row["__row"], []).append(row)

    def same(level: str, name: str, cell: Any, wanted: Any, decimals: Mapping[str, int]) -> bool:
        of = types.get((level, name))
        if of is None or is_numeric(of):
            return wanted == (None if cell is None else Fraction(cell, 10 ** decimals[name]))
        return bool(value_of(cell, of, 1) == wanted)

    for at, outcome in enumerate(outcomes):
        number = at + 1
        if outcome is None:
            continue
        if outcome.problem is not None:
            got = problems.get(number)
            if _compared(got) != _compared(outcome.problem):
                found.append(f"bill {number}: {got} instead of {outcome.problem}")
            continue
        if number in problems or number not in rows:
            found.append(f"bill {number}: {problems.get(number, 'missing')} instead of results: {bills[at]}")
            continue
        both = {**outcome.shares, **outcome.steps}
        for name in names_of(plan):
            if not same("", name, rows[number][name], both[name], result.decimals):
                found.append(f"bill {number}: {name} is {rows[number][name]}, not {both[name]}: {bills[at]}")  # noqa: PERF401
        for level, names in list_names(plan).items():
            theirs = outcome.lists[level]
            ours = listed.get(level, {}).get(number, [])
            if len(ours) != len(theirs):
                found.append(f"bill {number}: {len(ours)} rows of {level}, not {len(theirs)}")
                continue
            for mine, wanted in zip(ours, theirs, strict=True):
                for name in names:
                    if not same(level, name, mine[name], wanted.steps.get(name), result.list_decimals[level]):
                        found.append(  # noqa: PERF401
                            f"bill {number}: {level}.{name} is {mine[name]}, not {wanted.steps.get(name)}: {wanted.inputs} of {bills[at]}"
                        )
    return found


def _compared(problem: Problem | None) -> Any:
    """What must be the same; rows that come earlier go by number here and by name there."""
    return problem if problem is None or problem.code != "RX811" else (problem.code, problem.field)


def reference(plan: Plan, bills: Sequence[Bill], *, compute: bool = False) -> tuple[list[Outcome], set[int]]:
    """What the exact evaluator says of each bill, and the numbers of those computed after a refused one."""
    exact = Exact(plan)
    if plan.sequence is None:
        return [exact.run(bill) for bill in bills], set()
    persons: dict[Any, list[Row]] = {}
    for at, bill in enumerate(bills):
        persons.setdefault(bill[plan.sequence.by], []).append(Row(at + 1, str(at + 1), bill))
    order = plan.sequence.order
    found: dict[int, Outcome] = {}
    marked: set[int] = set()
    for rows in persons.values():
        rows.sort(key=lambda row: tuple(row.inputs[name] for name in order))
        for ran in run_person(exact, rows, compute=compute):
            assert ran.outcome is not None
            found[ran.row.number] = ran.outcome
            if ran.after and ran.outcome.problem is None:
                marked.add(ran.row.number)
    return [found[at + 1] for at in range(len(bills))], marked


def agrees(plan: Plan, bills: Sequence[Bill], *, flagged: float = 1.0, **options: Any) -> ColumnarResult:
    """Holds a columnar run against the exact evaluator; at most this part of the bills may be looked at by it."""
    compute = options.get("after_reject") == "compute"
    outcomes, marked = reference(plan, bills, compute=compute)
    result = run(plan, bills, **options)
    assert not compute or result.marked == marked
    wrong = differences(plan, bills, outcomes, result)
    assert not wrong, f"{len(wrong)} differences\n" + "\n".join(wrong[:5])
    refused = sum(outcome.problem is not None for outcome in outcomes)
    assert len(result.flagged) - refused <= flagged * len(bills), f"{len(result.flagged)} looked at, {refused} refused"
    return result
