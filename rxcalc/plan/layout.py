"""How the columnar back end holds every value of a plan, and the proof that nothing overflows.

A numeric value is a column of whole numbers: value = numerator / scale, or, for a quotient by a
variable, numerator / (scale x denominator) with a positive denominator. The bounds recorded here
are those of every whole number that is formed on the way, rescaling and rounding included.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from rxcalc.lang.types import Type, is_numeric
from rxcalc.plan.columns.formed import Formed
from rxcalc.plan.columns.steps import Everything, form_plan, part_name
from rxcalc.plan.columns.walk import MOST_EPISODES, Bounds, input_scale
from rxcalc.plan.nodes import Plan, Value

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
    """One window call: an accumulator, or (`slow`) a look at the earlier episodes for each row."""

    key: str
    slow: str


@dataclass(frozen=True, slots=True)
class Layout:
    """The layout of a plan; nodes that only stand inside unused branches have no record (None)."""

    nodes: tuple[NodeLayout | None, ...]
    steps: tuple[StepLayout, ...]
    calls: tuple[CallLayout, ...]


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

    def find_row(self, table: str, keys: Sequence[tuple[int, Type, int]], on: int | None) -> int:  # noqa: ARG002
        return 0


def earlier_bounds(plan: Plan) -> Mapping[str, Bounds]:
    """Bounds of each step as later episodes read it.

    A step may read itself through a window. The language refuses a row with a value beyond 4,096
    bits, so a first walk that assumes no more than that is sound, and what it finds is proven.
    """
    if not plan.window_calls:
        return {}
    limit = Fraction(2**4096)
    assumed: dict[str, Bounds] = {
        step.name: (-limit if step.low is None else step.low, limit if step.high is None else step.high)
        for step in plan.steps
        if is_numeric(step.type)
    }
    shares = [part_name(plan, partition, part) for partition in plan.shares for part in partition.parts]
    assumed.update(dict.fromkeys([*shares, *plan.totals], (-limit, limit)))
    formed = form_plan(plan, _Nothing(), limited=False, earlier=assumed)
    found = {**formed.shares, **formed.steps}
    result = {name: (value.number.low, value.number.high) for name, value in found.items() if value.number is not None}
    return {**assumed, **result}


def lay_out(plan: Plan) -> Layout:
    """The layout of `plan`."""
    formed = form_plan(plan, _Nothing(), limited=True, earlier=earlier_bounds(plan))
    return Layout(
        nodes=tuple(_node(formed, place) for place in range(len(plan.nodes))),
        steps=tuple(_step(plan, formed, place) for place in range(len(plan.steps))),
        calls=tuple(
            CallLayout(call.key, contribution.slow)
            for call, contribution in zip(plan.window_calls, formed.contributions, strict=True)
        ),
    )


def _node(formed: Everything[int], place: int) -> NodeLayout | None:
    note, value = formed.walk.notes.get(place), formed.walk.formed.get(place)
    if note is None or value is None:
        return None
    if value.number is None:
        return NodeLayout(1, None, None, 1, note.peak, 0 if value.absent else note.widest, note.reason)
    number = value.number
    most = 1 if number.den is None else number.den.high
    num = number.num
    peak = max(note.peak, abs(num.low), abs(num.high), most)
    return NodeLayout(number.scale, num.low, num.high, most, peak, max(note.widest, num.width), note.reason)


def _step(plan: Plan, formed: Everything[int], place: int) -> StepLayout:
    step = plan.steps[place]
    value: Formed[int] = formed.steps[step.name]
    reason = formed.reasons.get(step.name, "")
    runs_on = "exact" if reason else "columnar"
    number = value.number
    if number is None:
        width = 0 if value.absent else 64
        return StepLayout(step.name, 1, None, None, width, width, pair=False, runs_on=runs_on, reason=reason)
    widest = formed.widest[step.name]
    pair = number.den is not None
    return StepLayout(step.name, number.scale, number.low, number.high, number.num.width, widest, pair, runs_on, reason)
