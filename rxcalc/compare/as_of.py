"""A rulebook with the values of one day for bills of all days.

A rule that is changed from next year on moves no bill of this year. Whoever has this year's bills asks what they would
come to under next year's values: every parameter and every dated row of a table is then taken as it is on that day, and
the rulebook holds for all days. The bills stay as they are, with their dates.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

from rxcalc.lang.ops import Op
from rxcalc.lang.types import DATE
from rxcalc.plan.nodes import Place, Plan, PlanParameter, PlanTable

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Pinned:
    """A plan with the values of `day`. On days from `first` to `last` the rulebook gives these very values by itself.

    `literals` are the dates that its rules name; they are held against each bill's own dates all the same.
    """

    plan: Plan
    day: date
    first: date
    last: date
    literals: tuple[tuple[str, Place], ...]


def pinned(plan: Plan, wanted: date) -> Pinned:
    """The plan as it is on a day: its first one where it begins later, its last one where it ends before."""
    day = nearest(plan, wanted)
    turns = list(_turns(plan))
    return Pinned(
        with_values_of(plan, day),
        day,
        max((turn for turn in turns if turn <= day), default=date.min),
        min((turn for turn in turns if turn > day), default=date.max) - _DAY,
        tuple(dict.fromkeys((n.text, n.place) for n in plan.nodes if n.op is Op.CONST and n.type == DATE)),
    )


def nearest(plan: Plan, day: date) -> date:
    """The day, or that of the rulebook's own days which is nearest to it."""
    last = plan.effective_to or date.max
    return min(max(day, plan.effective_from), last)


def with_values_of(plan: Plan, day: date, others: Collection[str] = (), on: date = date.min) -> Plan:
    """The plan in force on all days, with the values of one; parameters and tables of `others` with those of another one."""

    def when(name: str) -> date:
        return on if name in others else day

    return replace(
        plan,
        effective_from=date.min,
        effective_to=None,
        parameters=tuple(_parameter(p, when(p.name)) for p in plan.parameters),
        tables=tuple(_table(t, when(t.name)) if t.dated else t for t in plan.tables),
    )


def _parameter(p: PlanParameter, day: date) -> PlanParameter:
    """The values in force on a day, the first ones where all begin later, the last ones where they have ended."""
    if not p.segments:
        return p
    segment = next((s for s in reversed(p.segments) if s.start <= day), p.segments[0])
    return replace(p, segments=(replace(segment, start=date.min),), end=None)


def _table(t: PlanTable, day: date) -> PlanTable:
    rows = (r for r in t.rows if (r.start or date.min) <= day <= (r.end or date.max))
    return replace(t, rows=tuple(replace(r, start=None, end=None) for r in rows))


def _turns(plan: Plan) -> Iterator[date]:
    """The first days of everything that changes with time."""
    yield plan.effective_from
    yield from _after(plan.effective_to)
    for p in plan.parameters:
        yield from (s.start for at, s in enumerate(p.segments) if not at or s.values != p.segments[at - 1].values)
        yield from _after(p.end)
    for t in plan.tables:
        for row in t.rows if t.dated else ():
            if row.start is not None:
                yield row.start
            yield from _after(row.end)


def _after(end: date | None) -> Iterator[date]:
    if end is not None and end < date.max:
        yield end + _DAY
