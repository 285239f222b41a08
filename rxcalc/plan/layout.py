"""How the columnar back end holds every value of a plan, and the proof that nothing overflows.

A numeric value is a column of whole numbers: value = numerator / scale, or, for a quotient by a
variable, numerator / (scale x denominator) with a positive denominator. The bounds recorded here
are those of every whole number that is formed on the way, rescaling and rounding included.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final

from rxcalc.lang.types import Type, is_numeric
from rxcalc.plan.columns.across import Across, gives
from rxcalc.plan.columns.calls import CallForm
from rxcalc.plan.columns.formed import Formed
from rxcalc.plan.columns.kernel import Pairs
from rxcalc.plan.columns.steps import Everything, form_plan, full_name, part_name
from rxcalc.plan.columns.together import why_together
from rxcalc.plan.columns.walk import MOST_EPISODES, Bounds, input_scale
from rxcalc.plan.nodes import Plan, PlanCall, PlanGroup, PlanList, PlanStep, Value

__all__ = [
    "MOST_EPISODES",
    "CallLayout",
    "Layout",
    "NodeLayout",
    "StepLayout",
    "earlier_bounds",
    "input_scale",
    "lay_out",
]


@dataclass(frozen=True, slots=True)
class NodeLayout:
    """One node. `low`..`high` bound the numerator, `peak` every intermediate; `width` is 0 when nothing holds it."""

    scale: int
    low: int | None
    high: int | None
    denominator: int  # its largest value; 1 when there is none
    peak: int
    width: int
    reason: str


@dataclass(frozen=True, slots=True)
class StepLayout:
    """One step: how its value is held, the widest column that computing it takes, and where it runs.

    `runs_on` is `exact` when the step, or a branch of it, has no column: rows that reach it are
    computed by the exact evaluator, for the `reason` given.
    """

    name: str
    scale: int
    low: Fraction | None
    high: Fraction | None
    width: int
    widest: int
    pair: bool
    runs_on: str
    reason: str


@dataclass(frozen=True, slots=True)
class CallLayout:
    """One call: how it runs, and why it is not simply accumulated.

    For window calls see `plan/columns/calls.py`. A call over rows is added up (by key), goes over pairs, row after row
    in a loop, or is left to the exact evaluator.
    """

    key: str
    how: str
    why: str


@dataclass(frozen=True, slots=True)
class Layout:
    """The layout of a plan; nodes that only stand inside unused branches have no record (None)."""

    nodes: tuple[NodeLayout | None, ...]
    steps: tuple[StepLayout, ...]
    calls: tuple[CallLayout, ...]
    levels: Mapping[str, tuple[StepLayout, ...]] = field(default_factory=dict)  # the steps of lists and groups
    together: str = ""  # why groups across bills are computed exactly, with all their bills


class _Nothing:
    """A kernel that computes nothing: only bounds pass through."""

    def whole(self, value: int, width: int) -> int:  # noqa: ARG002 -- the protocol's
        return 0

    def constant(self, value: Value, of: Type) -> int:  # noqa: ARG002
        return 0

    def always(self) -> int:
        return 0

    def missing(self, of: Type, width: int) -> int:  # noqa: ARG002
        return 0

    def cast(self, a: int, width: int) -> int:  # noqa: ARG002
        return a

    def unary(self, op: str, a: int) -> int:  # noqa: ARG002
        return a

    def binary(self, op: str, a: int, b: int) -> int:  # noqa: ARG002
        return a

    def make_date(self, year: int, month: int, day: int) -> int:  # noqa: ARG002
        return 0

    def select(self, condition: int, then: int, otherwise: int) -> int:  # noqa: ARG002
        return 0

    def share(self, a: int) -> int:
        return a

    def lookup(self, values: Sequence[Value], index: int, of: Type, width: int) -> int:  # noqa: ARG002
        return 0

    def index(self, keys: Sequence[tuple[int, int]], segment: int | None, size: int) -> int:  # noqa: ARG002
        return 0

    def segment(self, on: int, starts: Sequence[int]) -> int:  # noqa: ARG002
        return 0

    def recode(self, a: int, of: Sequence[str], into: Sequence[str]) -> int:  # noqa: ARG002
        return a

    def input(self, name: str, of: Type, width: int) -> int:  # noqa: ARG002
        return 0

    def window(self, call: int, of: Type, width: int) -> int:  # noqa: ARG002
        return 0

    def pairs(self, form: Pairs[int], call: PlanCall, width: int) -> tuple[int, int | None]:  # noqa: ARG002
        return 0, None if form.fail is None else 0

    def apart(self) -> _Nothing:
        return self

    def taken(self, name: str) -> int:  # noqa: ARG002
        return 0

    def frame(self, level: str) -> _Nothing:  # noqa: ARG002
        return self

    def across(self, form: Across[int]) -> tuple[int, ...]:
        return (0,) * gives(form)

    def find_row(self, table: str, keys: Sequence[tuple[int, Type, int]], on: int | None) -> int:  # noqa: ARG002
        return 0


_WALKS: Final = 4


def earlier_bounds(plan: Plan) -> Mapping[str, Bounds]:
    """Bounds of each step as later rows read it: of later episodes by its name, further down a list by `lines.NAME`.

    A step may read itself through a window. The language refuses a row with a value beyond 4,096
    bits, so a first walk that assumes no more than that is sound, and what it finds is proven. Where a step reads
    another one's earlier results, and that one another's, each further walk proves the next.
    """
    if not any(block.through for block in plan.blocks) and all(call.kind != "window" for call in plan.calls):
        return {}
    limit = Fraction(2**4096)
    levels = (("", plan.steps), *((x.name, x.steps) for x in plan.lists))
    assumed: dict[str, Bounds] = {
        full_name(level, step.name): (
            -limit if step.low is None else step.low,
            limit if step.high is None else step.high,
        )
        for level, steps in levels
        for step in steps
        if is_numeric(step.type)
    }
    shares = [part_name(plan, partition, part) for partition in plan.shares for part in partition.parts]
    assumed.update(dict.fromkeys([*shares, *plan.totals], (-limit, limit)))
    for _ in range(_WALKS):
        formed = form_plan(plan, _Nothing(), limited=False, earlier=assumed)
        found: dict[str, Formed[int]] = {**formed.shares, **formed.steps}
        for x in plan.lists:
            found.update({full_name(x.name, name): value for name, value in formed.levels.walks[x.name].steps.items()})
        numbers = {name: value.number for name, value in found.items() if value.number is not None}
        assumed |= {name: (number.low, number.high) for name, number in numbers.items()}
        if all(-limit < number.low and number.high < limit for number in numbers.values()):
            break
    return assumed


def lay_out(plan: Plan) -> Layout:
    """The layout of `plan`."""
    formed = form_plan(plan, _Nothing(), limited=True, earlier=earlier_bounds(plan))
    return Layout(
        nodes=tuple(_node(formed, place) for place in range(len(plan.nodes))),
        steps=tuple(_step(formed, "", step) for step in plan.steps),
        calls=tuple(_call(plan, formed, place) for place in range(len(plan.calls))),
        levels={x.name: tuple(_step(formed, x.name, step) for step in x.steps) for x in _below(plan)},
        together=why_together(plan, formed),
    )


def _below(plan: Plan) -> tuple[PlanList | PlanGroup, ...]:
    return (*plan.lists, *plan.groups)


def _call(plan: Plan, formed: Everything[int], place: int) -> CallLayout:
    unread = "nothing that is computed in columns reads it"
    if plan.calls[place].kind != "window":
        how, _, why = formed.levels.calls.how.get(place, f"exact: {unread}").partition(": ")
        return CallLayout(plan.calls[place].key, how, why)
    form = formed.calls.forms.get(place, CallForm("exact", unread))
    if place in formed.calls.open:
        name = plan.calls[place].window
        form = CallForm("exact", f"it goes over rows of lists, for checks alone: where {name} holds earlier episodes")
    unheld = sorted(formed.calls.unheld())
    if unheld:
        form = CallForm("exact", f"no column holds {unheld[0]} of earlier episodes")
    return CallLayout(plan.calls[place].key, form.how, form.why)


def _node(formed: Everything[int], place: int) -> NodeLayout | None:
    levels = formed.levels
    walks = (levels.walks[formed.walk.plan.nodes[place].level], levels.bill, *levels.calls.walks())
    walk = next((walk for walk in walks if place in walk.notes and place in walk.formed), None)
    if walk is None:
        return None
    note, value = walk.notes[place], walk.formed[place]
    if value.number is None:
        return NodeLayout(1, None, None, 1, note.peak, 0 if value.absent else note.widest, note.reason)
    number = value.number
    most = 1 if number.den is None else number.den.high
    num = number.num
    peak = max(note.peak, abs(num.low), abs(num.high), most)
    return NodeLayout(number.scale, num.low, num.high, most, peak, max(note.widest, num.width), note.reason)


def _step(formed: Everything[int], level: str, step: PlanStep) -> StepLayout:
    name = full_name(level, step.name)
    value: Formed[int] = formed.levels.walks[level].steps[step.name]
    reason = formed.reasons.get(name, "")
    runs_on = "exact" if reason else "columnar"
    number = value.number
    if number is None:
        width = 0 if value.absent else 64
        return StepLayout(step.name, 1, None, None, width, width, pair=False, runs_on=runs_on, reason=reason)
    widest = formed.widest[name]
    pair = number.den is not None
    return StepLayout(step.name, number.scale, number.low, number.high, number.num.width, widest, pair, runs_on, reason)
