"""The bill moved as a whole to another time: what a bill reckoned with another year's rules looks like."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from functools import partial
from typing import Final

from rxcalc.bill.changed_inputs import starts
from rxcalc.bill.changes import Change, Kind
from rxcalc.bill.subject import Subject
from rxcalc.lang.dates import add_months
from rxcalc.lang.types import DATE
from rxcalc.plan.nodes import PlanInput, Value

_STARTS: Final = 3  # dates at which something begins, on either side
_STAY: Final = 366
"""Dates further than so many days before the bill's own do not move with it: a birth, the begin of an insurance."""


def stay_changes(subject: Subject) -> Iterator[Change]:
    """All dates of the bill and of its rows moved by the same number of days, to before and after where rules change."""
    plan = subject.plan
    spec = next((i for i in plan.inputs if i.name == plan.effective_by), None)
    was = subject.bill.get(plan.effective_by) if spec is not None else None
    if spec is None or not isinstance(was, date):
        return
    begins = starts(plan)
    days = [s - timedelta(days=1) for s in begins if date.min < s <= was][-_STARTS:]
    days += [s for s in begins if s > was][:_STARTS]
    days += [add_months(was, n) for n in (-12, 12) if 1 < was.year < 9998]
    if not _moving(plan.inputs, subject.bill, was) > {plan.effective_by} and not any(
        subject.rows(x.name) for x in plan.lists
    ):
        return  # one date alone is tried as a field
    for number, now in enumerate(dict.fromkeys(days)):
        apart = (now - was).days
        yield Change(
            Kind.STAY, spec.name, partial(_moved, by=apart, on=was), was=was, now=now, type=DATE, label=spec.label,
            detail=str(abs(apart)), distance=Fraction(abs(apart)), number=number + 1 if apart > 0 else -1 - number,
        )  # fmt: skip


def _moving(inputs: tuple[PlanInput, ...], values: Mapping[str, Value], on: date) -> set[str]:
    """The dates that belong to the stay."""
    found = set()
    for spec in inputs:
        value = values.get(spec.name)
        if spec.type == DATE and isinstance(value, date) and abs((on - value).days) <= _STAY:
            found.add(spec.name)
    return found


def _moved(subject: Subject, *, by: int, on: date) -> Subject:
    plan = subject.plan

    def moved(inputs: tuple[PlanInput, ...], values: Mapping[str, Value]) -> dict[str, Value]:
        return {name: _later(values[name], by) for name in _moving(inputs, values, on)}

    rows = {x.name: tuple({**row, **moved(x.inputs, row)} for row in subject.rows(x.name)) for x in plan.lists}
    changed = subject.with_values({**moved(plan.inputs, subject.bill), **rows})
    return replace(changed, openings=subject.openings)  # one thing at a time


def _later(value: Value, by: int) -> date:
    assert isinstance(value, date)  # noqa: S101 - only dates are moved
    return value + timedelta(days=by)
