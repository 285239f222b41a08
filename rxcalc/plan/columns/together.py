"""How the groups across bills of a plan are computed: exactly with all bills at once, with them in columns, or apart from them."""

from __future__ import annotations

from dataclasses import replace
from typing import Final, TypeVar

from rxcalc.lang.ops import Op
from rxcalc.plan.columns.sides import reading
from rxcalc.plan.columns.steps import Everything
from rxcalc.plan.nodes import Plan

__all__ = ["bills_alone", "bills_read_groups", "kinds_read", "why_together"]

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
    for check in formed.checks:
        if check.level in across and check.reason:
            return f"the check {plan.checks[check.index].name} of {check.level}: {check.reason}"
    for g in plan.groups:
        # What a refused bill's key would have been is known from its inputs alone.
        if not g.inside and any(_reads_results(plan, key.node) for key in g.keys):
            return f"the keys of {g.name} are results"
    return ""


def bills_alone(plan: Plan, formed: Everything[X]) -> Plan | None:
    """The plan without its groups across bills, where columns compute these and no bill depends on them; else None.

    No bill reads one or receives a part of what one gives, and none is refused because the key of its group fails.
    """
    levels = formed.levels
    across, inside = levels.across, levels.in_bill
    if not across or why_together(plan, formed) or bills_read_groups(plan):
        return None
    for g in plan.groups:
        walk = levels.walks[g.of]
        if g.name in across and not g.of and any(walk.form(key.node).fail is not None for key in g.keys):
            return None
    items = [tuple(item for item in block.items if item[0] in inside) for block in plan.blocks]
    blocks = tuple(replace(block, items=own) for block, own in zip(plan.blocks, items, strict=True) if own)
    return replace(
        plan,
        groups=tuple(g for g in plan.groups if g.name not in across),
        spreads=tuple(s for s in plan.spreads if s.target in inside),
        checks=tuple(check for check in plan.checks if check.level in inside),
        blocks=blocks,
    )


def kinds_read(plan: Plan) -> tuple[str, ...]:
    """The kinds of groups across bills that something of a bill reads or receives a part from."""
    across = tuple(g.name for g in plan.groups if not g.inside)
    received = {s.source for s in plan.spreads if s.target not in across}
    return tuple(
        name
        for name in across
        if name in received or any(plan.nodes[node].level not in across for node in reading(plan, (name,)))
    )


def bills_read_groups(plan: Plan) -> bool:
    """Whether something of a bill, its rows or its checks reads a group across bills or receives a part of what one gives."""
    return bool(kinds_read(plan))


def _reads_results(plan: Plan, node: int) -> bool:
    entry = plan.nodes[node]
    return entry.op in _RESULTS or any(_reads_results(plan, arg) for arg in entry.args)
