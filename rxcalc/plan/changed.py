"""A plan with one thing in it changed: the value of a parameter or cell, the rounding or the deciding clause of a step.

A changed plan is for the exact evaluator only, which reads values where they are declared and needs no proof of their
size. Every range and scale that was proven from what is changed is taken back, so that nothing relies on it any more.
Whether the clauses of a step leave a case open was decided from those ranges too: the evaluator refuses such a bill.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from fractions import Fraction
from itertools import pairwise
from typing import Final

from rxcalc.lang.ops import Op
from rxcalc.lang.types import ScheduleType
from rxcalc.plan.nodes import (
    Band,
    Limit,
    Plan,
    PlanClause,
    PlanParameter,
    PlanRow,
    PlanStep,
    PlanTable,
    Point,
    RoundTo,
    Segment,
)
from rxcalc.plan.proofs import Roots, without_proofs

_NUMBERS: Final[Mapping[Op, Callable[[list[Fraction]], Fraction]]] = {
    Op.MULTIPLY: lambda x: x[0] * x[1],
    Op.DIVIDE: lambda x: x[0] / x[1],
    Op.NEGATE: lambda x: -x[0],
    Op.MIN: min,
    Op.MAX: max,
}


class UnchangeableError(ValueError):
    """A change that the plan does not allow: why, and what to do."""

    def __init__(self, message: str, help_: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.help = help_


def segment_at(parameter: PlanParameter, on: date) -> int | None:
    """The index of the parameter's values that are in force on a day; None where it says nothing."""
    at = bisect_right([s.start for s in parameter.segments], on) - 1
    return None if at < 0 or (parameter.end is not None and on > parameter.end) else at


def with_parameter(plan: Plan, name: str, keys: tuple[str, ...], on: date, value: object) -> Plan:
    """The plan with another value of a parameter for these keys, for as long as the one in force on a day is.

    Earlier episodes of the same time therefore read it too. `value` is in the carrier of the parameter's type; a
    schedule is a tuple of bands or points.

    Raises:
        UnchangeableError: there is no such value on that day, or something that was computed from it no longer holds together.
    """
    parameter, at = _found(plan, name, on)
    segment = parameter.segments[at]
    place = next((n for n, (own, _) in enumerate(segment.values) if own == keys), None)
    if place is None:
        raise UnchangeableError(f"`{name}` has no value for `{', '.join(keys)}`", _keys_of(parameter))
    values = (*segment.values[:place], (keys, value), *segment.values[place + 1 :])
    cells = tuple(replace(c, by_hand=True) if n == place else c for n, c in enumerate(segment.cells))
    return _with_segment(plan, parameter, at, replace(segment, values=values, cells=cells))


def with_segment(plan: Plan, name: str, on: date, index: int) -> Plan:
    """The plan with all values of the parameter's segment `index` in place of those in force on a day.

    Raises:
        UnchangeableError: as for `with_parameter`.
    """
    parameter, at = _found(plan, name, on)
    other = parameter.segments[index]
    cells = tuple(replace(c, by_hand=True) for c in other.cells)
    return _with_segment(plan, parameter, at, replace(other, start=parameter.segments[at].start, cells=cells))


def with_cell(plan: Plan, table: str, row: int, column: str, value: object) -> Plan:
    """The plan with another value in a column of one row (its index) of a table.

    Raises:
        UnchangeableError: a spread would no longer have whole minor units to give.
    """
    of = next(t for t in plan.tables if t.name == table)
    at = [c.name for c in of.columns].index(column)
    old = of.rows[row]
    new = replace(old, cells=(*old.cells[:at], value, *old.cells[at + 1 :]))
    rows = (*of.rows[:row], new, *of.rows[row + 1 :])
    tables = tuple(replace(t, rows=rows) if t is of else t for t in plan.tables)
    is_known = any(r.cells[at] == value for r in of.rows)
    return _proven(replace(plan, tables=tables), Roots(tables=frozenset(() if is_known else (table,))))


def with_rows(plan: Plan, table: str, rows: Mapping[int, PlanRow]) -> Plan:
    """The plan with some rows of a table (by index) under other keys or on other days; their cells stay.

    What is proven of the cells holds on: they are the same, only found elsewhere.
    """

    def changed(of: PlanTable) -> PlanTable:
        return replace(of, rows=tuple(rows.get(at, row) for at, row in enumerate(of.rows)))

    return replace(plan, tables=tuple(changed(t) if t.name == table else t for t in plan.tables))


def with_step(plan: Plan, level: str, step: PlanStep) -> Plan:
    """The plan with the step of the same name at a level ("" the bill, else a list or a kind of groups) replaced.

    The clauses may be a choice of the old ones; what the step gives otherwise must be of the old type.

    Raises:
        UnchangeableError: a spread would no longer have whole minor units to give.
    """
    old = step_of(plan, level, step.name)
    is_coarser = step.rounding is not None and old.scale and old.scale % step.rounding.to.denominator == 0
    if step.rounding != old.rounding:
        step = replace(step, low=None, high=None, scale=step.rounding.to.denominator if step.rounding else 0)

    def put(steps: tuple[PlanStep, ...]) -> tuple[PlanStep, ...]:
        return tuple(step if s is old else s for s in steps)

    changed = replace(
        plan,
        steps=put(plan.steps),
        lists=tuple(replace(x, steps=put(x.steps)) if x.name == level else x for x in plan.lists),
        groups=tuple(replace(g, steps=put(g.steps)) if g.name == level else g for g in plan.groups),
    )
    if step.rounding == old.rounding:
        return changed
    key = frozenset({(level, step.name)})
    return _proven(changed, Roots(ranges=key, scales=frozenset() if is_coarser else key))


def with_clause(plan: Plan, level: str, name: str, index: int) -> Plan:
    """The plan in which one clause of a step decides always.

    What its condition would have ruled out may be missing then: the evaluator raises TypeError where it computes with it.
    """
    step = step_of(plan, level, name)
    clause: PlanClause = replace(step.clauses[index], when=-1, condition=None)
    return with_step(plan, level, replace(step, clauses=(clause,)))


def with_rounding(plan: Plan, level: str, name: str, rounding: RoundTo | None) -> Plan:
    """The plan in which a step is rounded in another way, or (None) not at all.

    The parts of bands that are rounded each by itself stay as they are.

    Raises:
        UnchangeableError: a spread would no longer have whole minor units to give.
    """
    return with_step(plan, level, replace(step_of(plan, level, name), rounding=rounding))


def step_of(plan: Plan, level: str, name: str) -> PlanStep:
    """The step of a level; KeyError when there is none."""
    levels = {"": plan.steps, **{x.name: x.steps for x in plan.lists}, **{g.name: g.steps for g in plan.groups}}
    return {s.name: s for s in levels[level]}[name]


def _found(plan: Plan, name: str, on: date) -> tuple[PlanParameter, int]:
    parameter = next((p for p in plan.parameters if p.name == name), None)
    if parameter is None:
        raise UnchangeableError(f"the rulebook has no parameter `{name}`")
    at = segment_at(parameter, on)
    if at is None:
        raise UnchangeableError(
            f"`{name}` has no value on {on}",
            f"its values begin on {parameter.segments[0].start}" if parameter.segments else "",
        )
    return parameter, at


def _keys_of(parameter: PlanParameter) -> str:
    sets = "; ".join(" ".join(values) for values in parameter.keys)
    return f"its keys are: {sets}" if sets else "it has one value, without keys"


def _with_segment(plan: Plan, parameter: PlanParameter, at: int, segment: Segment) -> Plan:
    """The plan with one segment of a parameter replaced, and the limits computed from its values computed anew."""
    segments = (*parameter.segments[:at], segment, *parameter.segments[at + 1 :])
    changed = {parameter.name: replace(parameter, segments=segments)}
    known = [v for s in parameter.segments for _, v in s.values]
    roots = {parameter.name} if any(v not in known for _, v in segment.values) else set()
    own = replace(segment, cells=()) != replace(parameter.segments[at], cells=())
    for other in plan.parameters:
        if own and any(name == parameter.name for s in other.segments for c in s.cells for name, _ in c.reads):
            changed[other.name] = _recomputed(other, {**{p.name: p for p in plan.parameters}, **changed})
            roots.add(other.name)
    parameters = tuple(changed.get(p.name, p) for p in plan.parameters)
    return _proven(replace(plan, parameters=parameters), Roots(parameters=frozenset(roots)))


def _proven(plan: Plan, roots: Roots) -> Plan:
    """The plan without the proofs that no longer hold."""
    changed, spread = without_proofs(plan, roots)
    if spread:
        raise UnchangeableError(
            f"with this change `{spread}` would no longer have whole minor units to divide",
            "leave the rounding of what is divided as it is",
        )
    return changed


# ---- limits of schedules that were computed from other values ----


def _recomputed(schedule: PlanParameter, parameters: Mapping[str, PlanParameter]) -> PlanParameter:
    """A schedule with its limits computed anew, as of the day from which each segment holds."""
    segments = []
    for segment in schedule.segments:
        values = tuple(
            (keys, _limited(schedule, value, cell.limits, segment.start, parameters))
            for (keys, value), cell in zip(segment.values, segment.cells, strict=True)
        )
        segments.append(replace(segment, values=values))
    return replace(schedule, segments=tuple(segments))


def _limited(
    schedule: PlanParameter,
    value: object,
    limits: tuple[Limit | None, ...],
    on: date,
    parameters: Mapping[str, PlanParameter],
) -> object:
    if not limits or not isinstance(value, tuple):
        return value
    parts: list[Band | Point] = []
    places: list[Fraction] = []
    for part, limit in zip(value, limits, strict=True):
        place = _number(schedule, limit, on, parameters) if limit is not None else None
        if isinstance(part, Band):
            parts.append(replace(part, limit=place))
        else:
            parts.append(replace(part, at=place if place is not None else Fraction(0)))
        if place is not None:
            places.append(place)
    form = schedule.type.form if isinstance(schedule.type, ScheduleType) else ""
    ascend = all(a < b or (a == b and form == "curve") for a, b in pairwise(places))
    if not ascend or (form == "bands" and places and places[0] <= 0):
        raise UnchangeableError(
            f"with this value the limits of `{schedule.name}`, which are computed from it, no longer ascend",
            "set a value that keeps them in order",
        )
    return tuple(parts)


def _number(schedule: PlanParameter, limit: Limit, on: date, parameters: Mapping[str, PlanParameter]) -> Fraction:
    found = _evaluated(limit, on, parameters)
    if isinstance(found, Fraction):
        return found
    raise UnchangeableError(
        f"with this value a limit of `{schedule.name}`, which is computed from it, cannot be computed"
    )


def _evaluated(limit: Limit, on: date, parameters: Mapping[str, PlanParameter]) -> Fraction | str | None:
    """The value of a limit's expression: a number, a key, or None where there is none."""
    if limit.op is Op.CONST:
        return Fraction(limit.value) if isinstance(limit.value, int | Fraction) else limit.value
    args = [_evaluated(a, on, parameters) for a in limit.args]
    if limit.op is Op.PARAMETER:
        parameter = parameters[limit.parameter]
        at = segment_at(parameter, on)
        found = dict(parameter.segments[at].values).get(tuple(map(str, args))) if at is not None else None
        return Fraction(found) if isinstance(found, int | Fraction) else found if isinstance(found, str) else None
    numbers = [a for a in args if isinstance(a, Fraction)]
    if len(numbers) != len(args) or (limit.op is Op.DIVIDE and not numbers[1]):
        return None
    if limit.op is Op.ADD:
        return sum((s * n for s, n in zip(limit.signs, numbers, strict=True)), Fraction(0))
    return _NUMBERS[limit.op](numbers)
