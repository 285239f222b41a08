"""One generated rulebook with its episodes through every back end, and what was met on the way."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import generate
import polars as pl
from episodes import Hunter

from rxcalc.backends import exact as exact_module
from rxcalc.backends import exact_ops, schedules
from rxcalc.backends.base import Outcome, Problem
from rxcalc.backends.columnar import Columnar
from rxcalc.backends.exact import Exact
from rxcalc.backends.history import History, in_order, run_person, run_sequence
from rxcalc.backends.replay import run_known
from rxcalc.diagnostics.model import Severity, Sink
from rxcalc.driver.compile import compile_file
from rxcalc.inputs.tables import TableReader
from rxcalc.lang.arithmetic import decimals_of
from rxcalc.lang.types import Kind, Plain, is_numeric
from rxcalc.passes.sequence import instance_key, windows_in_use
from rxcalc.plan.layout import lay_out
from rxcalc.plan.nodes import Plan, Value
from rxcalc.tracing.model import Recorder

EVERYBODY_ALONE = 10**9


@dataclass
class Run:
    """What a number of pairs gave: situations reached, and where back ends differ."""

    reached: Counter[str] = field(default_factory=Counter)
    differences: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)


def compiled(made: generate.Rulebook, folder: Path) -> tuple[Plan | None, list[str]]:
    """The plan of a generated rulebook, or its errors."""
    path = made.write(folder / str(made.seed))
    sink = Sink()
    found = compile_file(path, path.name, sink)
    return (found.plan if found else None), [
        f"{d.code} {d.message}" for d in sink.sorted() if d.severity is Severity.ERROR
    ]


def cell(value: Value, spec: Any) -> str | None:
    """A value as a cell of a CSV file."""
    match value:
        case None:
            return None
        case bool():
            return "yes" if value else "no"
        case date():
            return value.isoformat()
        case frozenset():
            return ";".join(sorted(value))
        case str():
            return value
    if spec.type == Plain(Kind.PERCENT):
        return f"{_decimal(value * 100)}%"
    return _decimal(value)


def _decimal(x: int | Fraction) -> str:
    digits = 0
    while (x * 10**digits).denominator != 1:
        digits += 1
    text = str(abs((x * 10**digits).numerator)).rjust(digits + 1, "0")
    return ("-" if x < 0 else "") + (f"{text[:-digits]}.{text[-digits:]}" if digits else text)


class _WithBad:
    """The exact back end, with rows that were refused before."""

    def __init__(self, exact: Exact, bad: set[str]) -> None:
        self.exact, self.bad = exact, bad
        self.plan, self.thunks = exact.plan, exact.thunks

    def run(self, inputs: Mapping[str, Value], windows: History, recorder: Recorder | None = None) -> Outcome:
        if inputs["episode_id"] in self.bad:
            return Outcome(inputs, problem=Problem("BAD", "", "", "refused by the reader"))
        return self.exact.run(inputs, windows, recorder)


def reference(
    plan: Plan, exact: Exact, episodes: Sequence[Mapping[str, Value]], bad: set[str], *, record: bool
) -> dict[int, Outcome]:
    """The outcome of every row by the exact back end, person by person."""
    if plan.sequence is None:
        return {at: exact.run(e, None, Recorder() if record else None) for at, e in enumerate(episodes)}
    outcomes: dict[int, Outcome] = {}
    by: dict[Value, list[tuple[int, Mapping[str, Value]]]] = {}
    for at, e in enumerate(episodes):
        by.setdefault(e[plan.sequence.by], []).append((at, e))
    runner: Any = _WithBad(exact, bad)
    for mine in by.values():
        ordered = in_order(plan, mine)
        recorders = [Recorder() if record else None for _ in ordered]
        found = run_sequence(runner, [e for _, e in ordered], recorders=recorders)
        outcomes.update({at: outcome for (at, _), outcome in zip(ordered, found, strict=True)})
    before = Problem("BAD", "", "", "refused by the reader")
    outcomes.update({at: Outcome(e, problem=before) for at, e in enumerate(episodes) if e["episode_id"] in bad})
    return outcomes


def table(plan: Plan, episodes: Sequence[Mapping[str, Value]], bad: set[str], run: Run) -> pl.DataFrame:
    """The episodes as the frame that the columnar back end takes, by way of the reader of CSV cells."""
    texts = {spec.name: [cell(e[spec.name], spec) for e in episodes] for spec in plan.inputs}
    checked = TableReader(plan).read(pl.DataFrame(texts, schema=dict.fromkeys(texts, pl.String)))
    run.unread += [f"row {row}: {problem.message}" for row, problem in checked.problems]
    frame = checked.frame
    if plan.sequence is not None:
        frame = frame.with_columns(
            pl.Series("__bad", [e["episode_id"] in bad for e in episodes], dtype=pl.Boolean),
            pl.Series("__key_unreadable", [False] * len(episodes), dtype=pl.Boolean),
        )
    return frame


def names_of(plan: Plan) -> list[str]:
    """The steps, parts and totals that may be written out: those with a proven number of decimals."""
    names = [s.name for s in plan.steps if not s.lazy]
    for index, partition in enumerate(plan.shares):
        prefix = "" if index == 0 else f"{partition.name}."
        names += [prefix + (f"{p.bearer}.{p.part}" if p.part else p.bearer) for p in partition.parts]
    names += plan.totals
    endless = {s.name for s in plan.steps if is_numeric(s.type) and (not s.scale or decimals_of(s.scale) is None)}
    return [
        name for name in dict.fromkeys(names) if name not in endless
    ]  # of the others only what reads them is compared


def pair(made: generate.Rulebook, plan: Plan, count: int, run: Run) -> None:
    """Runs `count` episodes on all back ends and notes what differs."""
    hunter = Hunter(plan, made.seed)
    episodes = hunter.episodes(count)
    bad = {
        str(e["episode_id"])
        for e in episodes
        if plan.calls and _in_every_window(plan, e) and hunter.r.randrange(30) == 0
    }
    exact = Exact(plan)
    with instrumented(plan, run.reached):
        expected = reference(plan, exact, episodes, bad, record=False)
    _situations(plan, episodes, expected, run.reached)
    recorded = reference(plan, Exact(plan, recording=True), episodes, bad, record=True)
    for at, outcome in expected.items():
        other = recorded[at]
        if (outcome.steps, outcome.shares, outcome.problem) != (other.steps, other.shares, other.problem):
            run.differences.append(
                f"seed {made.seed} row {at}: with the recorder {_told(other)}, without {_told(outcome)}"
            )
    frame = table(plan, episodes, bad, run)
    columnar = Columnar(plan, partial(run_known, exact), partial(run_person, exact))
    columnar.small_wave = (1, 1, 4, EVERYBODY_ALONE)[made.seed % 4]
    _compare(made.seed, plan, episodes, expected, columnar, frame, run)
    run.reached["rulebooks"] += 1
    run.reached["pairs"] += count
    layout = lay_out(plan)
    run.reached["steps"] += len(layout.steps)
    run.reached["steps of 128 bits"] += sum(s.widest == 128 for s in layout.steps)
    run.reached["nodes of 128 bits"] += sum(n is not None and n.width == 128 for n in layout.nodes)
    run.reached["steps left to exact"] += sum(s.runs_on == "exact" for s in layout.steps)
    run.reached["steps held as quotients"] += sum(s.pair for s in layout.steps)


def _in_every_window(plan: Plan, episode: Mapping[str, Value]) -> bool:
    """Whether no part of a window's key is missing: else a row refused before takes all later ones with it."""
    return all(instance_key(window, episode) is not None for window in windows_in_use(plan))


def _told(outcome: Outcome) -> str:
    return (
        f"{outcome.problem.code} at {outcome.problem.field}"
        if outcome.problem
        else str({**outcome.steps, **outcome.shares})
    )


def _compare(
    seed: int,
    plan: Plan,
    episodes: Sequence[Mapping[str, Value]],
    expected: Mapping[int, Outcome],
    columnar: Columnar,
    frame: pl.DataFrame,
    run: Run,
) -> None:
    names = names_of(plan)
    result = columnar.run(frame, names)
    refused: dict[int, list[Problem]] = {}
    for row, problem in result.problems:
        refused.setdefault(row, []).append(problem)
    written = {row["__row"]: row for row in result.values.iter_rows(named=True)}
    types = {s.name: s.type for s in plan.steps}
    run.reached["rows looked at by exact"] += len(result.flagged)
    for at, outcome in expected.items():
        told = f"seed {seed} row {at} ({episodes[at]['episode_id']})"
        problem = outcome.problem
        if problem is not None and problem.code == "BAD":
            if at in written or at in refused:
                run.differences.append(f"{told}: a row refused before is computed")
            continue
        if problem is not None:
            got = [(p.code, p.field) for p in refused.get(at, [])]
            if got != [(problem.code, problem.field)] or at in written:
                run.differences.append(
                    f"{told}: exact refuses with {problem.code} {problem.field}, columnar {got or 'computes it'}"
                )
            continue
        if at in refused or at not in written:
            got = [(p.code, p.field, p.message) for p in refused.get(at, [])]
            run.differences.append(f"{told}: exact computes it, columnar refuses: {got or 'it is lost'}")
            continue
        both = {**outcome.shares, **outcome.steps}
        for name in names:
            mine, its = both.get(name), written[at][name]
            of = types.get(name, Plain(Kind.MONEY))
            if is_numeric(of) and its is not None:
                its = Fraction(its, 10 ** result.decimals[name])
            if isinstance(mine, frozenset):
                its = None if its is None else frozenset(its)
            if mine != its:
                run.differences.append(f"{told}: {name} is {mine} on exact, {its} on columnar")
                break


@contextmanager
def instrumented(plan: Plan, reached: Counter[str]) -> Iterator[None]:
    """Counts ties and edges while the exact back end runs."""
    unit = Fraction(1, 10**plan.decimals)
    ways: Any = schedules.Ways
    round_to, parts, reach, slice_ = exact_module.round_to, ways.band_parts, ways.reach, ways.whole_slice
    on_curve = ways.on_curve

    def counted(value: Any, to: Fraction, mode: str) -> Fraction:
        if (value.numerator * to.denominator * 2) % (value.denominator * to.numerator) == 0 and (
            value / to
        ).denominator == 2:
            reached["ties at any rounding"] += 1
            reached["ties at half a minor unit"] += to == unit
            reached["ties at half a fen"] += to == unit == Fraction(1, 100)
            reached[f"ties {mode}"] += 1
            reached["ties below zero"] += value < 0
        reached["roundings below zero"] += value < 0
        return round_to(value, to, mode)

    def near(schedule: Any, *ends: Any) -> None:
        for band in schedule:
            for x in ends if band.limit is not None else ():
                distance = x - band.limit
                if distance in (0, unit, -unit):
                    reached["band edges"] += distance == 0
                    reached["band edges + 1 minor unit"] += distance == unit
                    reached["band edges - 1 minor unit"] += distance == -unit

    def counted_parts(schedule: Any, start: Any, end: Any, mapper: Any, rounding: Any) -> Any:
        near(schedule, start, end)
        reached["empty or reversed ranges"] += start >= end
        reached["rates mapped"] += mapper is not None
        return parts(schedule, start, end, mapper, rounding)

    def counted_reach(schedule: Any, target: Any, start: Any, end: Any, mapper: Any) -> Any:
        near(schedule, start, end)
        x, walked = reach(schedule, target, start, end, mapper)
        reached["inverse of bands inside"] += start < x < end
        reached["inverse of bands at its end"] += x == end
        return x, walked

    def counted_slice(schedule: Any, x: Any) -> Any:
        near(schedule, x)
        return slice_(schedule, x)

    def counted_curve(schedule: Any, x: Any, *, held: bool) -> Any:
        reached["points of a curve"] += any(p.at == x for p in schedule)
        return on_curve(schedule, x, held=held)

    exact_module.round_to = exact_ops.round_to = schedules.round_to = counted  # type: ignore[attr-defined]
    own = (counted_parts, counted_reach, counted_slice, counted_curve)
    ways.band_parts, ways.reach, ways.whole_slice, ways.on_curve = map(staticmethod, own)
    try:
        yield
    finally:
        exact_module.round_to = exact_ops.round_to = schedules.round_to = round_to  # type: ignore[attr-defined]
        ways.band_parts, ways.reach, ways.whole_slice, ways.on_curve = map(
            staticmethod, (parts, reach, slice_, on_curve)
        )


def _situations(
    plan: Plan, episodes: Sequence[Mapping[str, Value]], outcomes: Mapping[int, Outcome], reached: Counter[str]
) -> None:
    """Counts what the rows themselves show."""
    seen: Counter[object] = Counter()
    money = {spec.name: spec for spec in plan.inputs if spec.type == Plain(Kind.MONEY)}
    order = sorted(
        outcomes,
        key=lambda at: (str(episodes[at]["person_id"]), str(episodes[at]["day"]), str(episodes[at]["episode_id"])),
    )
    for at in order:
        e, outcome = episodes[at], outcomes[at]
        reached["zero amounts"] += sum(e[name] == 0 for name in money)
        reached["amounts at the declared maximum"] += sum(
            e[name] is not None and e[name] == spec.high for name, spec in money.items()
        )
        reached["missing values"] += sum(v is None for v in e.values())
        reached["results of zero"] += sum(v == 0 for v in outcome.shares.values())
        reached["missing results"] += sum(v is None for v in outcome.steps.values())
        for window in windows_in_use(plan):
            key = instance_key(window, e)
            place = (e["person_id"], window.name, key)
            if key is None:
                reached["rows in no window"] += 1
                continue
            if outcome.problem is None:
                reached["later admissions" if seen[place] else "first admissions"] += 1
                seen[place] += 1
            on = e[window.date] if window.calendar else None
            if isinstance(on, date) and instance_key(window, {**e, window.date: on + timedelta(days=1)}) != key:
                reached["last day of a period"] += 1
            if isinstance(on, date) and instance_key(window, {**e, window.date: on - timedelta(days=1)}) != key:
                reached["first day of a period"] += 1
        if outcome.problem is not None:
            reached["refused rows"] += 1
            reached[f"refused {outcome.problem.code}"] += 1
        else:
            reached["computed rows"] += 1


def many(seeds: Sequence[int], count: int, run: Run | None = None) -> Run:
    """The rulebooks of the seeds, each with `count` episodes."""
    run = run or Run()
    with tempfile.TemporaryDirectory() as folder:
        for seed in seeds:
            made = generate.rulebook(seed)
            plan, errors = compiled(made, Path(folder))
            if plan is None:
                run.reached["rulebooks that do not compile"] += 1
                if not errors:
                    run.differences.append(f"seed {seed}: no plan and no error")
                continue
            pair(made, plan, count, run)
    return run
