"""The exact evaluator watching what it uses of a rulebook, for coverage.

It computes what `Exact` computes, by the same closures; around them it notes, in the recorder of the row, which
clause, arm, value, band, table row, condition and share it used. `Exact` itself knows nothing of it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from fractions import Fraction
from typing import Any, ClassVar

from rxcalc.backends import schedules
from rxcalc.backends.exact import Action, Exact
from rxcalc.backends.exact_nodes import NodeCompiler, Thunk
from rxcalc.backends.exact_ops import Refused
from rxcalc.backends.frames import Frame
from rxcalc.lang.arithmetic import Rational
from rxcalc.lang.ops import Op
from rxcalc.lang.types import ScheduleType
from rxcalc.plan.nodes import (
    Band,
    CellRef,
    Plan,
    PlanList,
    PlanNode,
    PlanPartition,
    Point,
    RoundTo,
    ScheduleRef,
    share_name,
)
from rxcalc.tracing.hits import (
    BandUsed,
    BranchTaken,
    ClauseTaken,
    ConditionBroken,
    Hit,
    PartBorne,
    RowRead,
    RuleRun,
    ValueRead,
)
from rxcalc.tracing.model import BandPart


class WatchedExact(Exact):
    """Evaluates as `Exact` does and leaves what was used in `Recorder.hits` of each row that has a recorder."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        for (level, name), runner in self.runners.items():
            runner.clauses = [
                (_taking(when, level, name, at), then, clause) for at, (when, then, clause) in enumerate(runner.clauses)
            ]

    def action(self, level: str, name: str) -> Action:
        """What an item of a block does to a row that it acts on."""
        act = super().action(level, name)
        head, _, rest = name.partition(":") if ":" in name else ("", "", "")
        of = self.of[level]
        if head == "requires":
            return _requiring(act, ConditionBroken(level, int(rest)))
        if head == "shares" and not isinstance(of, PlanList):
            index = [p.name for p in of.shares].index(rest)
            return _dividing(act, level, index, of.shares[index])
        return act

    def _compiler(self, recorded: frozenset[int]) -> NodeCompiler:
        return _WatchedNodes(self.plan, recorded)


def _note(f: Frame, hit: Hit) -> None:
    if f.recorder is not None:
        f.recorder.hits.add(hit)


def _taking(when: Thunk | None, level: str, step: str, clause: int) -> Thunk:
    """The condition of a clause. One that holds decides, whatever its value then does to the row."""
    taken, run = ClauseTaken(level, step, clause), RuleRun(level, step)

    def holds(f: Frame) -> bool:
        if clause == 0:
            _note(f, run)
        if when is not None and not when(f):
            return False
        _note(f, taken)
        return True

    return holds


def _requiring(act: Action, broken: ConditionBroken) -> Action:
    def required(f: Frame) -> None:
        try:
            act(f)
        except Refused as refused:
            if refused.problem.code == "RX722":  # else the condition could not be evaluated
                _note(f, broken)
            raise

    return required


def _dividing(act: Action, level: str, index: int, partition: PlanPartition) -> Action:
    names = [share_name(index, partition.name, part.bearer, part.part) for part in partition.parts]

    def divided(f: Frame) -> None:
        act(f)
        for at, name in enumerate(names):
            if f.shares[name]:
                _note(f, PartBorne(level, index, at))

    return divided


class _Held:
    """An operand that remembers its last value, so that it need not be evaluated a second time."""

    __slots__ = ("thunk", "value")

    def __init__(self, thunk: Thunk) -> None:
        self.thunk = thunk
        self.value: Any = None

    def __call__(self, f: Frame) -> Any:
        self.value = self.thunk(f)
        return self.value


class _Seen(tuple[Any, ...]):
    """A schedule as read on one row; `used` takes up the numbers of its bands, from 0."""

    used: Callable[[int], None]


def _seen(schedule: tuple[Any, ...], f: Frame, read: ValueRead) -> _Seen:
    seen = _Seen(schedule)
    seen.used = lambda band: _note(f, BandUsed(read.parameter, read.segment, read.keys, band))
    return seen


class _WatchedWays(schedules.Ways):
    """Reads schedules and says which bands were used."""

    @staticmethod
    def band_parts(
        schedule: tuple[Band, ...],
        start: Rational,
        end: Rational,
        mapper: schedules.Mapper | None,
        parts: RoundTo | None,
    ) -> list[BandPart]:
        return schedules.band_parts(schedule, start, end, _counting(schedule, start, end, mapper), parts)

    @staticmethod
    def one_band(
        schedule: tuple[Band, ...],
        number: int,
        start: Rational,
        end: Rational,
        mapper: schedules.Mapper | None,
        parts: RoundTo | None,
    ) -> list[BandPart]:
        counting = _counting(schedule, start, end, mapper, only=number)
        return schedules.one_band(schedule, number, start, end, counting, parts)

    @staticmethod
    def reach(
        schedule: tuple[Band, ...], target: Rational, start: Rational, end: Rational, mapper: schedules.Mapper | None
    ) -> tuple[Fraction, list[BandPart]]:
        return schedules.reach(schedule, target, start, end, _counting(schedule, start, end, mapper))

    @staticmethod
    def whole_slice(schedule: tuple[Band, ...], x: Rational) -> Fraction:
        if isinstance(schedule, _Seen):
            schedule.used(schedules.slice_at(schedule, x))
        return schedules.whole_slice(schedule, x)

    @staticmethod
    def on_curve(schedule: tuple[Point, ...], x: Rational, *, held: bool) -> Fraction | None:
        if isinstance(schedule, _Seen):
            # The last point belongs to the stretch before it, any other to the one after it.
            last = x == schedule[-1].at
            before = [at for at, p in enumerate(schedule[:-1]) if p.at < x or (p.at == x and not last)]
            if before and x <= schedule[-1].at:
                schedule.used(before[-1])
        return schedules.on_curve(schedule, x, held=held)


def _counting(
    schedule: tuple[Band, ...], start: Rational, end: Rational, mapper: schedules.Mapper | None, only: int = 0
) -> schedules.Mapper | None:
    """A mapping of rates that notes each band as it is walked: also the one whose mapped rate refuses the row."""
    if not isinstance(schedule, _Seen):
        return mapper
    used = schedule.used
    walk = iter([p.index for p in schedules.band_parts(schedule, start, end, None, None)])

    def mapped(rate: Fraction) -> Fraction:
        number = next(walk)
        if only in (0, number):
            used(number - 1)
        return rate if mapper is None else mapper(rate)

    return mapped


class _WatchedNodes(NodeCompiler):
    """Compiles nodes as its base does, each around what notes its use."""

    ways: ClassVar[schedules.Ways] = _WatchedWays()

    def _compile(self, index: int, node: PlanNode) -> Thunk:
        if node.op is not Op.IF:
            return super()._compile(index, node)
        c, t, e = (self.thunks[a] for a in node.args)
        taken, other = BranchTaken(index, then=True), BranchTaken(index, then=False)

        def choose(f: Frame) -> Any:
            if c(f):
                _note(f, taken)
                return t(f)
            _note(f, other)
            return e(f)

        return choose

    def _read(self, node: PlanNode, name: str, keys: list[Thunk], at: Thunk | None) -> Thunk:
        held = [_Held(k) for k in keys]
        held_at = _Held(at) if at is not None else None
        plain = super()._read(node, name, [*held], held_at)
        starts = self.indexes[name].starts
        is_schedule = isinstance(self.parameters[name].type, ScheduleType)

        def watched(f: Frame) -> Any:
            value = plain(f)
            on = f.on if held_at is None else held_at.value
            read = ValueRead(name, bisect_right(starts, on) - 1, tuple(k.value for k in held))
            _note(f, read)
            return _seen(value, f, read) if is_schedule and value is not None else value

        return watched

    def _cell(self, node: PlanNode, args: list[Thunk]) -> Thunk:
        ref = node.data
        assert isinstance(ref, CellRef)  # noqa: S101 - data of CELL and HAS_ROW
        held = [_Held(a) for a in args]
        plain = super()._cell(node, [*held])
        table = self.tables[ref.table]
        numbers = {id(row): at for at, row in enumerate(table.table.rows)}

        def watched(f: Frame) -> Any:
            value = plain(f)
            on = held[ref.keys].value if ref.at else f.on
            row = table.find(tuple(k.value for k in held[: ref.keys]), on)
            if row is not None:
                _note(f, RowRead(ref.table, numbers[id(row)]))
            return value

        return watched

    def _over_days(self, node: PlanNode, ref: ScheduleRef, keys: list[Thunk], own: list[Thunk]) -> Thunk:
        held, ends = [_Held(k) for k in keys], [_Held(x) for x in own]
        plain = super()._over_days(node, ref, [*held], [*ends])
        starts = self.indexes[ref.parameter].starts

        def watched(f: Frame) -> Any:
            value = plain(f)
            start, end = ends[0].value, ends[1].value
            if start < end:
                wanted = tuple(k.value for k in held)
                for segment, since in enumerate(starts):
                    if since < end and (segment + 1 == len(starts) or starts[segment + 1] > start):
                        _note(f, ValueRead(ref.parameter, segment, wanted))
            return value

        return watched
