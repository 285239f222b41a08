"""Which rows a node of a plan with lists or groups depends on."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from rxcalc.lang.ops import Op
from rxcalc.plan.nodes import CellRef, ParameterRef, Plan, PlanNode, ScheduleRef

__all__ = ["BILL", "OTHER", "OWN", "reading", "sides_of"]

OWN: Final = 1
"""This row."""

OTHER: Final = 2
"""The other row that a call looks at."""

BILL: Final = 4
"""The episode that this row belongs to."""

_OF_THIS_ROW: Final = frozenset({Op.INPUT, Op.STEP, Op.SHARE, Op.WINDOW, Op.ROWS})


def sides_of(plan: Plan) -> tuple[int, ...]:
    """For each node what it depends on: OWN, OTHER and BILL, added up. On the episode's own level its row is OWN."""
    dated = frozenset(table.name for table in plan.tables if table.dated)
    in_bill = frozenset({*(x.name for x in plan.lists), *(g.name for g in plan.groups if g.inside)})
    found: list[int] = []
    for node in plan.nodes:
        bill = BILL if node.level in in_bill else OWN
        args = node.args
        sides = 0
        match node.op:
            case Op.LIFT:
                sides, args = bill if node.data == "" else OWN, ()
            case Op.GROUP:
                sides, args = bill, args[1:]
            case Op.EARLIER:
                sides = OTHER
            case op if op in _OF_THIS_ROW:
                sides = OWN
            case _ if _is_dated(node, dated):
                sides = bill
        for arg in args:
            sides |= found[arg]
        found.append(sides)
    return tuple(found)


def _is_dated(node: PlanNode, dated: frozenset[str]) -> bool:
    """Whether it resolves at the date of its row."""
    match node.data:
        case ParameterRef(at=False) | ScheduleRef(at=False):
            return True
        case CellRef(at=False) as ref:
            return ref.table in dated
    return False


def reading(plan: Plan, kinds: Collection[str]) -> frozenset[int]:
    """The nodes that read a group of one of these kinds."""
    found: set[int] = set()
    for place, node in enumerate(plan.nodes):
        below = set(node.args)
        if node.op is Op.ROWS:
            call = plan.calls[int(str(node.data))]
            below = {call.value, call.where}
        if (node.op in {Op.LIFT, Op.GROUP} and node.data in kinds) or below & found:
            found.add(place)
    return frozenset(found)
