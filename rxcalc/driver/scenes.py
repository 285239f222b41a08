"""Examples as scenes: all their episodes, rows and groups, to be computed as they are and with some values moved."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from functools import cached_property
from typing import Final, TypeAlias

from rxcalc.backends.base import GroupOutcome, Outcome, Row
from rxcalc.backends.exact import Exact
from rxcalc.backends.exact_groups import run_all
from rxcalc.backends.exact_nodes import NodeCompiler
from rxcalc.backends.frames import sortable
from rxcalc.backends.history import Opening, run_person
from rxcalc.backends.watched import WatchedExact
from rxcalc.diagnostics.model import Sink
from rxcalc.inputs.episodes import EpisodeEntry
from rxcalc.inputs.groups import GivenGroups, read_groups
from rxcalc.inputs.openings import openings
from rxcalc.inputs.records import Record, RecordReader
from rxcalc.lang.ops import Op
from rxcalc.lang.types import is_numeric
from rxcalc.plan.nodes import Plan, PlanInput, PlanStep, Value
from rxcalc.sampling.edges import specs_of
from rxcalc.tracing.hits import CheckFound, Hit
from rxcalc.tracing.model import Recorder

OF_GROUPS: Final = -1
"""Stands for the number of an episode where a value belongs to a row of inputs of groups."""

_MOST_ROWS: Final = 6  # of a list or a kind of groups whose values are moved
_KEPT: Final = 300

Spot: TypeAlias = "tuple[int, str, int, str]"
"""A value of a scene: the number of its episode, its list ("" the episode itself) and row, its field."""

Moves: TypeAlias = "Mapping[Spot, Value]"

At: TypeAlias = "tuple[object, ...]"
"""Where a result stands: ("episode", its number, level, row, name) or ("group", kind, keys, "", name)."""

BREAKS: Final = (TypeError, ValueError, AttributeError, ArithmeticError, LookupError, AssertionError)
"""What evaluating a changed plan may end in where its proofs no longer hold: the change is noticed."""


@dataclass(frozen=True)
class Scene:
    """An example, read. `records` are its episodes, those of `earlier:` first; `shown` is the number of the first other one."""

    entry: EpisodeEntry
    plan: Plan
    records: tuple[Mapping[str, Value], ...]
    shown: int
    opening: Opening
    groups: GivenGroups

    @property
    def size(self) -> int:
        """How much there is to compute, in rows."""
        rows = (len(v) for record in self.records for v in record.values() if isinstance(v, tuple))
        return len(self.records) + sum(rows)

    @cached_property
    def specs(self) -> dict[tuple[str, str], PlanInput]:
        """The declared inputs by level and name."""
        return specs_of(self.plan)

    def value(self, spot: Spot) -> Value:
        """The value that stands there."""
        return self._row(spot).get(spot[3])

    def spec(self, spot: Spot) -> PlanInput:
        """What is declared of it."""
        return self.specs[spot[1], spot[3]]

    def spots(self) -> Iterator[Spot]:
        """The values that can be moved: the bill's first, then those of its rows, earlier episodes, inputs of groups.

        Ids and what rows are ordered by stay, and so do rows that come late in a list.
        """
        plan = self.plan
        fixed = {"episode_id", *((plan.sequence.by, plan.sequence.reverses) if plan.sequence is not None else ())}
        last = len(self.records) - 1
        for at in (last, *range(last)):
            yield from ((at, "", 0, i.name) for i in plan.inputs if i.name not in fixed)
            for level in plan.lists:
                rows = self.records[at].get(level.name)
                for row in range(min(len(rows), _MOST_ROWS) if isinstance(rows, tuple) else 0):
                    yield from ((at, level.name, row, i.name) for i in level.inputs if i.name not in level.order)
        for group in plan.groups:
            for row in range(min(len(self.groups.inputs.get(group.name, ())), _MOST_ROWS)):
                yield from ((OF_GROUPS, group.name, row, i.name) for i in group.inputs)

    def numbers(self) -> Iterator[Spot]:
        """Those of them that hold a number or a date."""
        for spot in self.spots():
            value = self.value(spot)
            if isinstance(value, date) or (
                isinstance(value, int | Fraction) and not isinstance(value, bool) and is_numeric(self.spec(spot).type)
            ):
                yield spot

    def allows(self, spot: Spot, value: Value) -> bool:
        """Whether the rulebook lets the field have the value."""
        spec = self.spec(spot)
        if value is None:
            return spec.optional
        if isinstance(value, bool | str | frozenset | tuple):
            return True
        return (spec.low is None or spec.low <= value) and (spec.high is None or value <= spec.high)  # type: ignore[operator]  # one type, by the declaration

    def moved(self, moves: Moves) -> tuple[list[Mapping[str, Value]], GivenGroups]:
        """The episodes and groups with other values."""
        records = [*self.records]
        inputs = {kind: [*rows] for kind, rows in self.groups.inputs.items()}
        for (at, level, row, name), value in moves.items():
            if at == OF_GROUPS:
                inputs[level][row] = {**inputs[level][row], name: value}
            elif not level:
                records[at] = {**records[at], name: value}
            else:
                rows = records[at][level]
                assert isinstance(rows, tuple)  # noqa: S101 - a list stands among the values
                changed = {**rows[row], name: value}
                records[at] = {**records[at], level: (*rows[:row], changed, *rows[row + 1 :])}
        results = {kind: [*rows] for kind, rows in self.groups.results.items()}
        for kind, row, name, year in self.years(moves):
            of = results if kind in results else inputs
            of[kind][row] = {**of[kind][row], name: year}
        return records, GivenGroups(
            {kind: tuple(rows) for kind, rows in inputs.items()}, {kind: tuple(rows) for kind, rows in results.items()}
        )

    def years(self, moves: Moves) -> Iterator[tuple[str, int, str, int]]:
        """The years of groups that are given, as kind, row, key and year: they go with the bill into another one."""
        last = len(self.records) - 1
        for group in self.plan.groups:
            rows = self.groups.results.get(group.name) or self.groups.inputs.get(group.name, ())
            for key in group.keys:
                name = self._year_of(group.name, key.name)
                was, now = self.records[last].get(name), moves.get((last, "", 0, name))
                if not isinstance(was, date) or not isinstance(now, date):
                    continue
                for row, values in enumerate(rows):
                    own = values.get(key.name)
                    if isinstance(own, int) and was.year != now.year:
                        yield group.name, row, key.name, own + now.year - was.year

    def _year_of(self, kind: str, name: str) -> str:
        """The date of the bill of which a key of groups is the year, through groups of groups too; "" where it is none."""
        group = next((g for g in self.plan.groups if g.name == kind), None)
        key = next((k for k in group.keys if k.name == name), None) if group is not None else None
        if group is None or key is None:
            return ""
        node = self.plan.nodes[key.node]
        if node.op is Op.INPUT and group.of:
            return self._year_of(group.of, str(node.data))
        day = self.plan.nodes[node.args[0]] if node.op is Op.YEAR else None
        return str(day.data) if day is not None and day.op is Op.INPUT and not day.level else ""

    def _row(self, spot: Spot) -> Mapping[str, Value]:
        at, level, row, _ = spot
        if at == OF_GROUPS:
            return self.groups.inputs[level][row]
        rows = self.records[at].get(level) if level else None
        return rows[row] if isinstance(rows, tuple) else self.records[at]


def scene_of(plan: Plan, entry: EpisodeEntry) -> Scene | None:
    """An example as a scene; None where one of its episodes cannot be read, or nothing is expected of one."""
    sink = Sink()
    reader = RecordReader(plan)
    given = [*entry.earlier, *(fields for fields, _ in entry.episodes)]
    read = [reader.read(fields.given()) for fields in given]
    opening = openings(entry, plan, sink)
    groups = read_groups(entry, plan, sink)
    records = [record.values for record in read if isinstance(record, Record)]
    if len(records) != len(read) or sink.has_errors or any(wanted is None for _, wanted in entry.episodes):
        return None
    return Scene(entry, plan, tuple(records), len(entry.earlier), Opening(opening, single=len(records) == 1), groups)


@dataclass(frozen=True)
class Run:
    """What a scene gave. `used` and `nodes` are what of the plan it used, where the run was watched.

    `recorders` are those of all rows: of episodes by ("", number of the episode, 0), of rows by list, of groups by kind.
    """

    outcomes: Mapping[int, Outcome]
    groups: Sequence[GroupOutcome]
    used: frozenset[Hit] = frozenset()
    nodes: frozenset[int] = frozenset()
    recorders: Mapping[tuple[str, int, object], Recorder] = field(default_factory=dict)


class Recording(WatchedExact):
    """Notes what was used, and the value of every node."""

    def _compiler(self, recorded: frozenset[int]) -> NodeCompiler:
        del recorded
        return super()._compiler(frozenset(range(len(self.plan.nodes))))


def run(exact: Exact, scene: Scene, moves: Moves, *, recording: bool = False) -> Run:
    """What a scene gives, moved; computed as an example is."""
    plan = exact.plan
    records, groups = scene.moved(moves)
    rows = [Row(at, str(values.get("episode_id")), values) for at, values in enumerate(records)]
    recorders = {row.number: Recorder() for row in rows} if recording else {}
    sequence = plan.sequence
    people: dict[Value, list[Row]] = {}
    for row in rows:
        people.setdefault(row.inputs[sequence.by] if sequence is not None else row.number, []).append(row)
    formed: Sequence[GroupOutcome] = ()
    across: Mapping[tuple[str, tuple[Value, ...]], Recorder] = {}
    outcomes: dict[int, Outcome] = {}
    if any(not group.inside for group in plan.groups):
        together = run_all(
            exact, rows, groups.inputs, given=groups.results, openings=dict.fromkeys(people, scene.opening),
            recorders=recorders,
        )  # fmt: skip
        outcomes = {ran.row.number: ran.outcome for ran in together.ran if ran.outcome is not None}
        formed, across = together.groups, together.recorders
    else:
        for own in people.values():
            if sequence is not None:
                own.sort(key=lambda r: sortable(tuple(r.inputs.get(name) for name in sequence.order)))
            watched = [recorders[row.number] for row in own] if recording else ()
            ran_own = run_person(exact, own, opening=scene.opening, recorders=watched)
            outcomes.update((ran.row.number, ran.outcome) for ran in ran_own if ran.outcome is not None)
    if not recording:
        return Run(outcomes, formed)
    found: dict[tuple[str, int, object], Recorder] = {("", at, 0): r for at, r in recorders.items()}
    found |= {(level, at, n): r for at, own_ in recorders.items() for (level, n), r in own_.rows.items()}
    found |= {(kind, OF_GROUPS, keys): r for (kind, keys), r in across.items()}
    hits: set[Hit] = {hit for r in found.values() for hit in r.hits}
    hits |= {CheckFound(f.index) for o in outcomes.values() for f in o.findings}
    hits |= {CheckFound(f.index) for g in formed for f in g.findings}
    return Run(outcomes, formed, frozenset(hits), frozenset(n for r in found.values() for n in r.nodes), found)


class Scenes:
    """Scenes of one plan, computed; what was computed before is not computed again."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.exact = Recording(plan)
        self.computed = 0
        self._light: dict[tuple[int, frozenset[tuple[Spot, Value]]], Run | None] = {}
        self._full: OrderedDict[tuple[int, frozenset[tuple[Spot, Value]]], Run] = OrderedDict()

    def plain(self, scene: Scene, moves: Moves) -> Run | None:
        """What a scene gives under the rules as they are, with what it used; None where it cannot be computed."""
        key = (id(scene), frozenset(moves.items()))
        if key not in self._light:
            full = self._run(scene, moves)
            self._light[key] = Run(full.outcomes, full.groups, full.used, full.nodes) if full is not None else None
        return self._light[key]

    def recorded(self, scene: Scene, moves: Moves) -> Run | None:
        """The same with the values of all nodes, of which only the last ones are kept."""
        key = (id(scene), frozenset(moves.items()))
        if key in self._full:
            return self._full[key]
        return self._run(scene, moves)

    def _run(self, scene: Scene, moves: Moves) -> Run | None:
        self.computed += 1
        try:
            found = run(self.exact, scene, moves, recording=True)
        except BREAKS:  # moved to where the rulebook's own declarations do not lead
            return None
        self._full[id(scene), frozenset(moves.items())] = found
        if len(self._full) > _KEPT:
            self._full.popitem(last=False)
        return found


def differences(plan: Plan, was: Run, now: Run, shown: int) -> list[tuple[At, Value, Value]]:
    """What two runs of a scene give otherwise, as an example can expect it: results, refusals, findings."""
    found: list[tuple[At, Value, Value]] = []
    hidden = {(level, s.name) for level, steps in _steps(plan) for s in steps if s.lazy}
    for at, one in was.outcomes.items():
        other = now.outcomes.get(at)
        if other is None or one == other or (at < shown and one.problem is None and other.problem is None):
            continue
        where = ("episode", at)
        codes = [x.problem.code if x.problem is not None else "" for x in (one, other)]
        if any(codes):
            if codes[0] != codes[1]:
                found.append(((*where, "", "", ""), codes[0] or "a result", codes[1] or "a result"))
            continue
        found += _named(where, "", "", {**one.steps, **one.shares}, {**other.steps, **other.shares}, hidden)
        for level, rows in one.lists.items():
            for n, (a, b) in enumerate(zip(rows, other.lists.get(level, ()), strict=False)):
                found += _named(where, level, n, a.steps, b.steps, hidden)
        found += _findings((*where, "", "", "findings"), one, other)
    formed = {(g.kind, _keys(plan, g)): g for g in now.groups}
    for group in was.groups:
        keys = _keys(plan, group)
        after = formed.get((group.kind, keys))
        where_ = ("group", group.kind, keys)
        if after is None:
            found.append(((*where_, "", ""), "a group", "none"))
        elif group.problem is not None or after.problem is not None:
            if (group.problem is None) != (after.problem is None):
                told = [g.problem.code if g.problem is not None else "a result" for g in (group, after)]
                found.append(((*where_, "", ""), told[0], told[1]))
        else:
            pair = [{**g.steps, **g.shares} for g in (group, after)]
            found += [
                ((*where_, "", a[4]), x, y) for a, x, y in _named(("", 0), group.kind, "", pair[0], pair[1], hidden)
            ]
            found += _findings((*where_, "", "findings"), group, after)
    return found


def _steps(plan: Plan) -> list[tuple[str, Sequence[PlanStep]]]:
    return [("", plan.steps), *((x.name, x.steps) for x in plan.lists), *((g.name, g.steps) for g in plan.groups)]


def _keys(plan: Plan, group: GroupOutcome) -> tuple[Value, ...]:
    kind = next(g for g in plan.groups if g.name == group.kind)
    return tuple(group.inputs.get(key.name) for key in kind.keys)


def _named(
    where: tuple[str, int], level: str, row: object, was: Mapping[str, Value], now: Mapping[str, Value],
    hidden: set[tuple[str, str]],
) -> list[tuple[At, Value, Value]]:  # fmt: skip
    if was == now:
        return []
    return [
        ((*where, level, row, name), value, now.get(name))
        for name, value in was.items()
        if value != now.get(name) and (level, name) not in hidden
    ]


def _findings(at: At, one: Outcome | GroupOutcome, other: Outcome | GroupOutcome) -> list[tuple[At, Value, Value]]:
    told = [[(f.index, f.at, f.amount) for f in x.findings] for x in (one, other)]
    return [(at, f"{len(told[0])}", f"{len(told[1])}")] if told[0] != told[1] else []
