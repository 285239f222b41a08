"""Boundaries: the values at which a rulebook decides, and what stands right beside them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Final, TypeAlias

from rxcalc.lang.arithmetic import Rational, ceil_to, floor_to
from rxcalc.lang.ops import Op
from rxcalc.lang.types import DATE, Plain, is_numeric
from rxcalc.plan.nodes import (
    Band,
    Plan,
    PlanInput,
    PlanNode,
    PlanParameter,
    PlanStep,
    Point,
    ScheduleRef,
    Segment,
    Value,
)
from rxcalc.sampling.draws import plain_number
from rxcalc.sampling.hints import grid_of
from rxcalc.typed.inputs import DEFAULT_BOUNDS

Field: TypeAlias = "tuple[str, str]"  # level and name
Term: TypeAlias = "tuple[Field | None, int, Fraction]"  # sign * field + constant; dates as ordinals

_COMPARISONS: Final = frozenset({Op.EQ, Op.NE, Op.LT, Op.LE, Op.GT, Op.GE, Op.MIN, Op.MAX})
_SCHEDULES: Final = frozenset({Op.BANDS, Op.BAND, Op.BANDS_REACH, Op.SLICE, Op.ALONG})
_MOST_TERMS: Final = 64
_MOST_EDGES: Final = 400
_MOST_CELLS: Final = 64
_DEPTH: Final = 12
_GAP: Final = " days"  # no level bears such a name
_AGE: Final = " years"
_CENTURY: Final = 36_525
_MOST_YEARS: Final = 20


def specs_of(plan: Plan) -> dict[Field, PlanInput]:
    """Every declared input by level and name; groups inside a bill have none."""
    found = {("", i.name): i for i in plan.inputs}
    found.update({(x.name, i.name): i for x in plan.lists for i in x.inputs})
    found.update({(g.name, i.name): i for g in plan.groups for i in g.inputs})
    return found


def declared_bounds(spec: PlanInput) -> tuple[int | Fraction | date | None, int | Fraction | date | None]:
    """The bounds that the rulebook says itself, not those every input of the type has."""
    usual = DEFAULT_BOUNDS.get(spec.type.kind, (None, None)) if isinstance(spec.type, Plain) else (None, None)
    return (spec.low if spec.low != usual[0] else None), (spec.high if spec.high != usual[1] else None)


@dataclass(frozen=True, slots=True)
class Edges:
    """Boundaries, ascending.

    `values` of each number, amount and date: bounds, zero, and what the rulebook compares it with, each with its
    neighbours. `gaps`: days between a date and another one, `ages`: years since a date.
    """

    values: Mapping[Field, tuple[Value, ...]]
    gaps: Mapping[Field, tuple[int, ...]]
    ages: Mapping[Field, tuple[int, ...]]


def edges(plan: Plan) -> Edges:
    """The boundaries of all inputs."""
    return _Edges(plan).found()


class _Edges:
    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.specs = specs_of(plan)
        self.parameters = {p.name: p for p in plan.parameters}
        levels = [("", plan.steps), *((x.name, x.steps) for x in plan.lists), *((g.name, g.steps) for g in plan.groups)]
        self.steps: dict[Field, PlanStep] = {(level, s.name): s for level, steps in levels for s in steps}
        self.at: dict[Field, set[Fraction]] = {}
        self.known: dict[int, tuple[Term, ...]] = {}
        self.pairs: dict[str, tuple[Field, Field]] = {}

    def found(self) -> Edges:
        """All boundaries."""
        for node in self.plan.nodes:
            if node.op in _COMPARISONS:
                first, *others = node.args
                for other in others:
                    self._pair(self._terms(first), self._terms(other))
            elif node.op is Op.IN_SET and isinstance(node.data, tuple):
                numbers = tuple((None, 1, _rational(v)) for v in node.data if isinstance(v, int | Fraction | date))
                self._pair(self._terms(node.args[0]), numbers)
            elif node.op in _SCHEDULES and isinstance(node.data, ScheduleRef):
                self._schedule(node, node.data)
        self._ranges_of_tables()
        values = {key: tuple(self._around(key, spec)) for key, spec in self.specs.items() if _has_edges(spec)}
        return Edges(values, self._of_pairs(_GAP), self._of_pairs(_AGE))

    def _of_pairs(self, what: str) -> dict[Field, tuple[int, ...]]:
        """What dates are reckoned apart by, for each of the two."""
        found: dict[Field, set[int]] = {}
        for (kind, pair), points in self.at.items():
            if kind == what:
                for field in self.pairs[pair]:
                    found.setdefault(field, set()).update(
                        int(p) for p in points if p.denominator == 1 and 0 <= p < _CENTURY
                    )
        return {field: tuple(sorted(n)) for field, n in found.items()}

    def _pair_of(self, what: str, first: Field, second: Field) -> Field:
        """What stands for the time between two dates among the terms."""
        name = f"{first[0]}.{first[1]} {second[0]}.{second[1]}"
        self.pairs[name] = (first, second)
        return what, name

    # ---- what is compared with what ----

    def _pair(self, left: Iterable[Term], right: Iterable[Term]) -> None:
        others = tuple(right)
        for a in left:
            for b in others:
                for (field, sign, c), (other, _, d) in ((a, b), (b, a)):
                    if field is not None and other is None:
                        self.at.setdefault(field, set()).add((d - c) * sign)

    def _terms(self, index: int, depth: int = 0) -> tuple[Term, ...]:
        """What a node may be, as one field plus a constant, or a constant; nothing where it is more than that."""
        if depth > _DEPTH:
            return ()
        if index not in self.known:
            self.known[index] = ()  # a step that reads itself
            self.known[index] = tuple(dict.fromkeys(self._form(index, depth)))[:_MOST_TERMS]
        return self.known[index]

    def _form(self, index: int, depth: int) -> list[Term]:
        node = self.plan.nodes[index]
        below = depth + 1
        match node.op:
            case Op.CONST if isinstance(node.data, int | Fraction | date) and not isinstance(node.data, bool):
                return [(None, 1, _rational(node.data))]
            case Op.INPUT if (node.level, str(node.data)) in self.specs:
                return [((node.level, str(node.data)), 1, Fraction(0))]
            case Op.PARAMETER:
                p = self.parameters[node.data.parameter]  # type: ignore[attr-defined]  # data of PARAMETER
                return [(None, 1, v) for v in _values(p)]
            case Op.STEP:
                step = self.steps.get((node.level, str(node.data)))
                clauses = step.clauses if step is not None else ()
                return [t for c in clauses if c.then >= 0 for t in self._terms(c.then, below)]
            case Op.LIFT | Op.CONVERT:
                return list(self._terms(node.args[0], below))
            case Op.NEGATE:
                return [(f, -s, -c) for f, s, c in self._terms(node.args[0], below)]
            case Op.MIN | Op.MAX | Op.DEFAULT:
                return [t for a in node.args for t in self._terms(a, below)]
            case Op.IF:
                return [t for a in node.args[1:] for t in self._terms(a, below)]
            case Op.ADD:
                return self._added(node, below)
            case Op.CELL:
                return self._cells(node)
            case Op.DAYS_BETWEEN | Op.YEARS_BETWEEN:
                what = _AGE if node.op is Op.YEARS_BETWEEN else _GAP
                first, second = (self._terms(a, below) for a in node.args)
                return [
                    (self._pair_of(what, f, g), 1, d - c)
                    for f, s, c in first
                    for g, t, d in second
                    if f is not None and g is not None and s == t == 1
                ]
            case _:
                return []

    def _added(self, node: PlanNode, depth: int) -> list[Term]:
        signs = node.data if isinstance(node.data, tuple) else ()
        total: list[Term] = [(None, 1, Fraction(0))]
        for sign, arg in zip(signs, node.args, strict=True):
            after: list[Term] = []
            for f, s, c in total:
                for g, t, d in self._terms(arg, depth):
                    if f is None or g is None:
                        after.append((g, t * sign, c + sign * d) if f is None else (f, s, c + sign * d))
                    elif self._is_day(f) and self._is_day(g) and {s, t * sign} == {1, -1}:
                        first, second = (g, f) if s == 1 else (f, g)
                        after.append((self._pair_of(_GAP, first, second), 1, c + sign * d))
            total = after[:_MOST_TERMS]
        return total

    def _is_day(self, of: Field) -> bool:
        return of in self.specs and self.specs[of].type == DATE

    def _cells(self, node: PlanNode) -> list[Term]:
        table = next(t for t in self.plan.tables if t.name == node.data.table)  # type: ignore[attr-defined]  # data of CELL
        column = [c.name for c in table.columns].index(node.data.column)  # type: ignore[attr-defined]  # as above
        cells = {row.cells[column] for row in table.rows[: 4 * _MOST_CELLS]}
        numbers = sorted({_rational(v) for v in cells if isinstance(v, int | Fraction) and not isinstance(v, bool)})
        return [(None, 1, v) for v in numbers] if len(numbers) <= _MOST_CELLS else []

    def _schedule(self, node: PlanNode, ref: ScheduleRef) -> None:
        limits = tuple((None, 1, limit) for limit in _limits(self.parameters[ref.parameter]))
        for arg in node.args[ref.keys + int(ref.at) :]:
            self._pair(self._terms(arg), limits)

    def _ranges_of_tables(self) -> None:
        """The limits of tables that are keyed by a range."""
        for node in self.plan.nodes:
            if node.op not in (Op.CELL, Op.HAS_ROW):
                continue
            ref = node.data
            table = next(t for t in self.plan.tables if t.name == ref.table)  # type: ignore[attr-defined]  # data of CELL
            if table.range_key:
                limits = {row.keys[-1] for row in table.rows[:_MOST_EDGES]}
                numbers = tuple((None, 1, _rational(v)) for v in limits if isinstance(v, int | Fraction | date))
                self._pair(self._terms(node.args[len(table.keys) - 1]), numbers)

    # ---- values ----

    def _around(self, key: Field, spec: PlanInput) -> list[Value]:
        """Boundaries of one field with their neighbours, inside its bounds."""
        low, high = declared_bounds(spec)
        at = sorted(self.at.get(key, ()))
        if len(at) > _MOST_EDGES:
            at = at[:: -(-len(at) // _MOST_EDGES)]
        points = {p for p in at if p.denominator == 1 or spec.type != DATE}
        if spec.type == DATE:
            return self._days(key, spec, {date.fromordinal(int(p)) for p in points if 1 <= p <= date.max.toordinal()})
        grid = grid_of(spec) or Fraction(1)
        wide: set[Rational] = {Fraction(0)}
        for point in points:
            wide |= {
                floor_to(point, grid) - grid,
                floor_to(point, grid),
                ceil_to(point, grid),
                ceil_to(point, grid) + grid,
            }
        wide |= {_rational(bound) for bound in (low, high, spec.low) if isinstance(bound, int | Fraction)}
        least, most = spec.low, spec.high
        inside = [
            w
            for w in sorted(map(Fraction, wide))
            if (not isinstance(least, int | Fraction) or w >= least)
            and (not isinstance(most, int | Fraction) or w <= most)
        ]
        usual = [w for w in inside if abs(w) < _FAR or w in (low, high)]
        return [plain_number(w) for w in usual]

    def _days(self, key: Field, spec: PlanInput, points: set[date]) -> list[Value]:
        one = timedelta(days=1)
        plan = self.plan
        if key == ("", plan.effective_by):
            points |= {segment.start for p in plan.parameters for segment in p.segments}
            points |= {
                d for t in plan.tables if t.dated for row in t.rows[:_MOST_EDGES] for d in (row.start,) if d is not None
            }
            points |= {plan.effective_from, *((plan.effective_to,) if plan.effective_to is not None else ())}
            years = any(w.calendar and w.date == key[1] for w in plan.windows if not w.level)
            span = range(plan.effective_from.year, (plan.effective_to or plan.effective_from).year + 2) if years else ()
            points |= {date(y, 1, 1) for y in [*span][:_MOST_YEARS]}
        days = {d for p in points for d in (_moved(p, -one), p, _moved(p, one))}
        if key == ("", plan.effective_by):
            last = plan.effective_to or date.max
            days = {d for d in days if plan.effective_from <= d <= last}
        low, high = spec.low, spec.high
        return sorted(  # type: ignore[return-value]  # days are values
            d for d in days if (not isinstance(low, date) or d >= low) and (not isinstance(high, date) or d <= high)
        )


_FAR: Final = 10**10  # larger figures in a rule (`max(.., 10^11)`) are no thresholds of bills


def _has_edges(spec: PlanInput) -> bool:
    return is_numeric(spec.type) or spec.type == DATE


def _moved(on: date, by: timedelta) -> date:
    try:
        return on + by
    except OverflowError:
        return on


def _rational(value: object) -> Fraction:
    if isinstance(value, date):
        return Fraction(value.toordinal())
    assert isinstance(value, int | Fraction)  # noqa: S101 - callers look
    return Fraction(value)


def _values(p: PlanParameter) -> list[Fraction]:
    """The single values of a parameter."""
    found = {v for s in p.segments for v in _of(s) if isinstance(v, int | Fraction | date) and not isinstance(v, bool)}
    return sorted({_rational(v) for v in found})[:_MOST_TERMS]


def _of(segment: Segment) -> list[object]:
    return [value for _, value in segment.values]


def _limits(p: PlanParameter) -> list[Fraction]:
    """The limits of a schedule."""
    found: set[Fraction] = set()
    for segment in p.segments:
        for parts in _of(segment):
            if isinstance(parts, tuple):
                found |= {part.limit for part in parts if isinstance(part, Band) and part.limit is not None}
                found |= {part.at for part in parts if isinstance(part, Point)}
    return sorted(found)
