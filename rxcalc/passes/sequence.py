"""Which earlier episodes a window holds: the one description that both back ends follow.

Episodes of one `sequence.by` are taken in the sequence's order. An earlier episode is in a window
of a later one when both have the same instance key. Nothing here looks at the order itself, so a
calendar window's date need not be the first field of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

from rxcalc.lang.dates import add_months, months_between
from rxcalc.plan.nodes import Plan, PlanWindow, Value

__all__ = ["instance_key", "period_start", "placing_fields", "windows_in_use"]

_MONTHS: Final = {"year": 12, "quarter": 3, "month": 1}


def period_start(window: PlanWindow, on: date, starting: date | tuple[int, int]) -> date:
    """The first day of the civil period of `window` that holds `on`.

    `starting` is the month and day on which the window's year begins, or a date that is the first
    day of one such year; quarters and months are counted from it. A year that begins on 29
    February (only a starting input can say so) begins on the 28th in common years.
    """
    length = _MONTHS[window.calendar]
    match starting:
        case (1, 1):
            return date(on.year, on.month - (on.month - 1) % length, 1)
        case (month, day):
            # 2000 is a leap year, so that the 29th of February has a place to count from.
            anchor = date(2000, month, day)
        case date():
            anchor = starting
    months = months_between(anchor, on)
    return add_months(anchor, months - months % length)


def instance_key(window: PlanWindow, values: Mapping[str, Value]) -> tuple[Value, ...] | None:
    """What an episode must share with an earlier one to see it through `window`; None sees nothing.

    Args:
        window: the window.
        values: inputs and steps of the episode, by name.

    Returns:
        The values of the `same` fields and the first day of the civil period; the empty tuple for
        a window of all earlier episodes. None when a field of the key is missing: a missing key
        matches nothing, not even another missing one.
    """
    key: list[Value] = []
    for name in window.same:
        value = values.get(name)
        if value is None:
            return None
        key.append(value)
    if window.calendar:
        on = values.get(window.date)
        starting: Value | tuple[int, int] = window.starting
        if window.starting_input:
            starting = values.get(window.starting_input)
        if not isinstance(on, date) or not isinstance(starting, date | tuple):
            return None
        key.append(period_start(window, on, starting))
    return tuple(key)


def windows_in_use(plan: Plan) -> tuple[PlanWindow, ...]:
    """The windows that at least one call reads, in declared order: only these pass a refusal on."""
    used = {call.window for call in plan.window_calls}
    return tuple(window for window in plan.windows if window.name in used)


def placing_fields(plan: Plan) -> frozenset[str]:
    """The inputs that decide which episodes see each other, and in what order."""
    fields = {name for window in plan.windows for name in (window.date, window.starting_input, *window.same) if name}
    return frozenset({*fields, *(plan.sequence.order if plan.sequence is not None else ())})
