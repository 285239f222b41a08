"""Episodes that are not computed, as groups see them: those of earlier runs, and those refused as they were read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from rxcalc.backends.base import Outcome
from rxcalc.backends.frames import Frame, sortable
from rxcalc.plan.nodes import Plan, Value

__all__ = ["as_far_as_read", "as_recorded"]


def as_recorded(plan: Plan, inputs: Mapping[str, Value], recorded: Outcome) -> Frame:
    """An episode of an earlier run: with the amounts recorded then."""
    frame = Frame(inputs, date.min, _no_window, None, order=(inputs.get("episode_id"),))
    if plan.sequence is not None:
        frame.place = sortable(tuple(inputs.get(name) for name in plan.sequence.order))
    frame.steps, frame.shares = dict(recorded.steps), dict(recorded.shares)
    return frame


def as_far_as_read(inputs: Mapping[str, Value], level: str) -> Iterator[Frame]:
    """The rows of a level of an episode that was refused as it was read; what cannot be read is not there."""
    bill = Frame(inputs, date.min, _no_window, None)
    lines = inputs.get(level) if level else None
    if not level:
        yield bill
    for line in lines if isinstance(lines, tuple) else ():
        yield bill.within(line, level, ())


def _no_window(call: int, frame: Frame) -> Value:
    del call, frame
    return None
