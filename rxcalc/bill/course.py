"""Where a bill changes course while one of its inputs moves: another clause, band, arm, bound or row decides.

The course of a computation is everything that it decided. Between two values of an input with the same course nothing is
decided anew; where the courses differ, the place is closed in on, down to two neighbouring values (a fen, a day, one).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from itertools import pairwise
from typing import Final, TypeAlias

from rxcalc.backends.base import Outcome
from rxcalc.backends.exact_nodes import NodeCompiler
from rxcalc.backends.watched import WatchedExact
from rxcalc.bill.reach import Reach, reach_of
from rxcalc.bill.subject import Subject, compute
from rxcalc.lang.ops import Op
from rxcalc.lang.types import DATE, FLAG
from rxcalc.plan.nodes import Plan, PlanInput, Value
from rxcalc.sampling.edges import Edges, edges
from rxcalc.sampling.hints import grid_of
from rxcalc.tracing.hits import (
    BandUsed,
    BranchTaken,
    CheckFound,
    ClauseTaken,
    Hit,
    PartBorne,
    RowRead,
    RuleRun,
    ValueRead,
)
from rxcalc.tracing.model import Recorder

Row: TypeAlias = "tuple[str, int]"
Course: TypeAlias = "frozenset[object]"

_COMPARED: Final = frozenset({Op.MIN, Op.MAX, Op.EQ, Op.NE, Op.LT, Op.LE, Op.GT, Op.GE})
MOST_LOOKS: Final = 600
_MOST_EDGES: Final = 60
_MOST_COURSES: Final = 40
_STRETCH: Final = 1_000  # units over which a slope is measured, so that rounding to the fen hardly tilts it


@dataclass(frozen=True, slots=True)
class Turn:
    """The course at `near` is another one than at `far`, its neighbour; `near` is on the side of the bill's own value."""

    near: Value
    far: Value


@dataclass(frozen=True, slots=True)
class Look:
    """The bill with one value moved."""

    outcome: Outcome
    course: Course
    compared: Mapping[tuple[Row, int], Fraction]  # first operand less another one, by row and operand


class _CourseExact(WatchedExact):
    """Notes what was used, and the value of every node."""

    def _compiler(self, recorded: frozenset[int]) -> NodeCompiler:
        del recorded
        return super()._compiler(frozenset(range(len(self.plan.nodes))))


class Courses:
    """The courses that a bill takes. `looks` counts how often it was computed.

    `cut_short` are inputs of which no further values were looked at, although there may be further places.
    """

    def __init__(self, subject: Subject, goals: Iterable[str] | None = None) -> None:
        """`goals` are the results that count (none given: all outputs and shares); decisions that they do not rest on are left out."""
        self.plan: Plan = subject.plan
        self.subject = replace(subject, _exact={True: _CourseExact(subject.plan)})
        self.reach: Reach = reach_of(subject.plan, goals)
        self.looks = 0
        self.cut_short: set[str] = set()
        self._edges: Edges | None = None
        nodes = self.plan.nodes
        self._picked = [n for n in self.reach.nodes if nodes[n].op in (Op.MIN, Op.MAX)]
        self._flags = [n for n in self.reach.nodes if nodes[n].type == FLAG]
        self._compared = [n for n in self.reach.nodes if nodes[n].op in _COMPARED]

    def look(self, changes: Mapping[str, Value]) -> Look:
        """The bill with other values of inputs, which must keep to their declarations."""
        self.looks += 1
        computed = compute(self.subject.with_values(changes), recording=True)
        assert computed.recorder is not None  # noqa: S101 - asked for
        course: set[object] = set()
        compared: dict[tuple[Row, int], Fraction] = {}
        problem = computed.outcome.problem
        if problem is not None:
            course.add((problem.code, problem.field))
        for row, recorder in _rows(computed.recorder):
            course.update(self._decided(row, recorder))
            for node, difference in self._differences(recorder):
                compared[row, node] = difference
        return Look(computed.outcome, frozenset(course), compared)

    def turns(self, spec: PlanInput) -> tuple[Turn, ...]:
        """The places at which the course changes while one number or date moves through its bounds, ascending."""
        grid = _grid(spec)
        own = self.subject.bill.get(spec.name)
        low, high = _units(spec.low, grid), _units(spec.high, grid)
        if low is None or high is None:
            return ()
        start = _units(own, grid)
        return _Walk(self, spec, low, high, start).turns()

    def edges_of(self, spec: PlanInput) -> tuple[Value, ...]:
        """The values with which rules compare an input, and their neighbours."""
        if self._edges is None:
            self._edges = edges(self.plan)
        return self._edges.values.get(("", spec.name), ())

    # ---- what was decided ----

    def _decided(self, row: Row, recorder: Recorder) -> Iterator[object]:
        for hit in recorder.hits:
            if self._counts(hit):
                yield row, hit
        values = recorder.nodes
        for n in self._flags:
            if n in values:
                yield row, n, values[n]
        for n in self._picked:
            if n in values:
                args = self.plan.nodes[n].args
                yield row, n, next((at for at, a in enumerate(args) if values.get(a) == values[n]), -1)
        for at, call in recorder.calls.items():
            yield row, "rows", at, call.count
        for at, window in recorder.windows.items():
            yield row, "window", at, window.episodes

    def _counts(self, hit: Hit) -> bool:
        match hit:
            case ClauseTaken(level=level, step=step):
                return (level, step) in self.reach.steps
            case BranchTaken(node=node):
                return node in self.reach.nodes
            case ValueRead(parameter=name) | BandUsed(parameter=name):
                return name in self.reach.parameters
            case RowRead(table=name):
                return name in self.reach.tables
            case RuleRun() | PartBorne() | CheckFound():
                return False
            case _:
                return True

    def _differences(self, recorder: Recorder) -> Iterator[tuple[int, Fraction]]:
        """How far apart what is compared stands: of each operand but the first its distance from the first."""
        values = recorder.nodes
        for n in self._compared:
            first, *others = self.plan.nodes[n].args
            a = _rational(values.get(first))
            for other in others:
                b = _rational(values.get(other))
                if a is not None and b is not None:
                    yield other * len(self.plan.nodes) + n, a - b


class _Walk:
    """One input moved through its bounds, counted in units of its grid."""

    def __init__(self, courses: Courses, spec: PlanInput, low: int, high: int, start: int | None) -> None:
        self.courses, self.spec = courses, spec
        self.low, self.high = low, high
        self.start = min(max(low, start), high) if start is not None else low
        self.known: dict[int, Look] = {}
        self.left = MOST_LOOKS

    def turns(self) -> tuple[Turn, ...]:
        """The places, ascending."""
        probes = {self.low, self.high, self.start, *self._edges()}
        for at in sorted(probes, key=lambda n: abs(n - self.start)):
            self._look(at)
        measured: set[Course] = set()
        while len(measured) < _MOST_COURSES:
            fresh = [n for n, look in sorted(self.known.items()) if look.course not in measured]
            if not fresh or self.left <= 0:
                break
            nearest = min(fresh, key=lambda n: abs(n - self.start))
            measured.add(self.known[nearest].course)
            for crossing in self._crossings(nearest):
                self._look(crossing)
        found: set[tuple[int, int]] = set()
        for a, b in pairwise(sorted(self.known)):
            self._close_in(a, b, found)
        return tuple(self._turn(a, b) for a, b in sorted(found))

    def value(self, n: int) -> Value:
        """The value at a place."""
        if self.spec.type == DATE:
            return date.fromordinal(n)
        exact = n * _grid(self.spec)
        return exact.numerator if exact.denominator == 1 else exact

    def _turn(self, a: int, b: int) -> Turn:
        near, far = (a, b) if a >= self.start else (b, a)
        return Turn(self.value(near), self.value(far))

    def _look(self, n: int) -> Look | None:
        if n not in self.known:
            if self.left <= 0:
                self.courses.cut_short.add(self.spec.name)
                return None
            self.left -= 1
            self.known[n] = self.courses.look({self.spec.name: self.value(n)})
        return self.known[n]

    def _edges(self) -> list[int]:
        grid = _grid(self.spec)
        found = sorted({n for v in self.courses.edges_of(self.spec) if (n := _units(v, grid)) is not None})
        at = bisect_left(found, self.start)
        return [n for n in found[max(0, at - _MOST_EDGES) : at + _MOST_EDGES] if self.low <= n <= self.high]

    def _crossings(self, n: int) -> set[int]:
        """Where two things that are compared would become equal if they went on as they go around a place."""
        here = self._look(n)
        for step in (_STRETCH, -_STRETCH, 1, -1):
            if here is None or not self.low <= n + step <= self.high:
                continue
            there = self._look(n + step)
            if there is None or there.course != here.course:
                continue
            found: set[int] = set()
            for key, distance in here.compared.items():
                change = there.compared.get(key, distance) - distance
                if change:
                    at = n - distance * step / change
                    found |= {m for m in (at.__floor__(), at.__ceil__()) if self.low <= m <= self.high}
            return found
        return set()

    def _close_in(self, a: int, b: int, found: set[tuple[int, int]]) -> None:
        """All places between two values of different courses at which halving finds the course to change."""
        stack = [(a, b)]
        while stack:
            a, b = stack.pop()
            one, other = self._look(a), self._look(b)
            if one is None or other is None or one.course == other.course:
                continue
            if b - a == 1:
                found.add((a, b))
                continue
            middle = (a + b) // 2
            if self._look(middle) is None:
                continue
            stack += [(a, middle), (middle, b)]


def _rows(recorder: Recorder) -> Iterator[tuple[Row, Recorder]]:
    yield ("", 0), recorder
    yield from recorder.rows.items()


def _grid(spec: PlanInput) -> Fraction:
    return grid_of(spec) or Fraction(1)


def _units(value: object, grid: Fraction) -> int | None:
    """A value counted in units of its grid; a date in days."""
    if isinstance(value, date):
        return value.toordinal()
    if isinstance(value, bool) or not isinstance(value, int | Fraction):
        return None
    return (Fraction(value) / grid).__floor__()


def _rational(value: Value) -> Fraction | None:
    if isinstance(value, date):
        return Fraction(value.toordinal())
    return Fraction(value) if isinstance(value, int | Fraction) and not isinstance(value, bool) else None
