"""The window calls of a bill of which not everything is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType

from rxcalc.backends.base import Row
from rxcalc.backends.exact import Exact
from rxcalc.backends.frames import Frame
from rxcalc.backends.history import LookBack, Opening, follow
from rxcalc.bill.possible import Possible, point, union
from rxcalc.inputs.openings import normal, window_calls
from rxcalc.plan.nodes import Plan, PlanCall, PlanWindow, Value


@dataclass(frozen=True)
class Before:
    """What is given of the time before a bill: whole episodes in their order, and opening amounts by call."""

    earlier: tuple[Mapping[str, Value], ...] = ()
    openings: Mapping[str, Value] = field(default_factory=lambda: MappingProxyType({}))

    def __bool__(self) -> bool:
        return bool(self.earlier or self.openings)


def read_calls(plan: Plan) -> dict[int, PlanCall]:
    """The window calls of the episode itself, by index."""
    own = window_calls(plan)
    return {at: call for at, call in enumerate(plan.calls) if call in own and not call.level}


def fields_of(plan: Plan, call: PlanCall) -> tuple[str, ...]:
    """The inputs of a bill that decide which earlier episodes its window holds."""
    window = _window(plan, call)
    names = (window.date, window.gap_to, window.gap_from, window.starting_input, *window.same)
    return tuple(dict.fromkeys(name for name in names if name))


def answers_of(exact: Exact, values: Mapping[str, Value], past: Before) -> dict[int, Possible]:
    """What the window calls of a bill can be, by index; nothing is said of those of which nothing can be told.

    A call that nothing is given for counts as nothing before.
    """
    plan = exact.plan
    own = window_calls(plan)
    found: dict[int, Possible] = {}
    for at, call in enumerate(plan.calls):
        if call not in own:
            continue
        nothing = point(0 if call.function in ("sum", "count") else None)
        placed = all(name in values for name in fields_of(plan, call)) and not call.correlated and not call.level
        if placed and past:
            found[at] = point(_looked_up(exact, values, past, at))
        elif past.earlier:
            continue
        elif normal(call.key) in past.openings:
            found[at] = union((point(past.openings[normal(call.key)]), nothing))
        else:
            found[at] = nothing
    return found


def _looked_up(exact: Exact, values: Mapping[str, Value], past: Before, at: int) -> Value:
    """The answer to a call that reads nothing of the bill but its place in the window."""
    whole = {i.name: values.get(i.name) for i in exact.plan.inputs}
    rows = [Row(n, str(e.get("episode_id")), e) for n, e in enumerate(past.earlier)]
    opening: Opening | None = Opening(past.openings, single=not rows)
    if rows:
        look, opening = follow(exact, rows, opening)
    else:
        look = LookBack(exact)
        opening = look.open(Opening(past.openings, single=True), whole)
    turn = look.turn(len(rows), "", whole)
    frame = Frame(whole, date.min, exact.nothing_before.value, None)
    return look.windows(turn, opening).value(at, frame)


def _window(plan: Plan, call: PlanCall) -> PlanWindow:
    return next(w for w in plan.windows if w.name == call.window and not w.level)
