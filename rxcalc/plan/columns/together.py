"""When the groups across bills of a plan are computed exactly, all bills and all groups at once."""

from __future__ import annotations

from typing import Final, TypeVar

from rxcalc.lang.ops import Op
from rxcalc.plan.columns.steps import Everything
from rxcalc.plan.nodes import Plan

__all__ = ["why_together"]

X = TypeVar("X")

_RESULTS: Final = frozenset({Op.STEP, Op.SHARE, Op.ROWS, Op.WINDOW, Op.LIFT, Op.GROUP})


def why_together(plan: Plan, formed: Everything[X]) -> str:
    """Why columns cannot compute the groups across bills of a plan; "" when they can, or there are none."""
    across = formed.levels.across
    if not across:
        return ""
    if formed.reasons:
        name, reason = next(iter(formed.reasons.items()))
        return f"{name}: {reason}"
    if any(call.kind == "window" for call in plan.calls):
        return "the rulebook looks back"
    if plan.sequence is not None and plan.sequence.reverses:
        return "episodes may be reversed"
    if formed.levels.marks.unknown:
        return formed.levels.marks.unknown
    if any(check.level in across for check in plan.checks):
        return "groups have checks"
    for g in plan.groups:
        # What a refused bill's key would have been is known from its inputs alone.
        if not g.inside and any(_reads_results(plan, key.node) for key in g.keys):
            return f"the keys of {g.name} are results"
    return ""


def _reads_results(plan: Plan, node: int) -> bool:
    entry = plan.nodes[node]
    return entry.op in _RESULTS or any(_reads_results(plan, arg) for arg in entry.args)
