"""What expressions are made of, and what windows read of earlier episodes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from rxcalc.lang.ops import Op
from rxcalc.plan.nodes import Plan, share_names

_CALLS: Final = frozenset({Op.WINDOW, Op.ROWS})


def nodes_below(plan: Plan, roots: Iterable[int]) -> set[int]:
    """The nodes that some expressions are made of, they themselves among them; those inside calls over rows are not.

    Arguments have smaller numbers than what reads them, so `sorted` gives an order of evaluation. Roots below 0 are none.
    """
    found: set[int] = set()
    stack = [root for root in roots if root >= 0]
    while stack:
        index = stack.pop()
        if index not in found:
            found.add(index)
            stack.extend(plan.nodes[index].args)
    return found


def nodes_with_calls(plan: Plan, roots: Iterable[int]) -> set[int]:
    """The same with those inside calls over rows; not what steps are computed from."""
    found: set[int] = set()
    waiting = nodes_below(plan, roots)
    while waiting:
        found |= waiting
        calls = [plan.calls[int(str(n.data))] for n in map(plan.nodes.__getitem__, waiting) if n.op in _CALLS]
        waiting = nodes_below(plan, [root for call in calls for root in (call.value, call.where)]) - found
    return found


def window_reads(plan: Plan) -> tuple[str, ...]:
    """The fields of earlier episodes that some window call reads, by name: inputs, steps, parts and totals."""
    own = {window.name for window in plan.windows if not window.level}
    return tuple(dict.fromkeys(name for rows, name in _read(plan) if rows in own))


def lists_looked_back_at(plan: Plan) -> tuple[str, ...]:
    """The lists whose rows some window call reads of earlier episodes."""
    own = {window.name for window in plan.windows if not window.level}
    return tuple(dict.fromkeys(call.inner for call in plan.calls if call.inner and call.window in own))


def recorded_results(plan: Plan) -> tuple[str, ...]:
    """The results that later runs need of this one: every step, part or total that a window reads."""
    results = {*(step.name for step in plan.steps), *share_names(plan), *(s.name for s in plan.spreads if not s.target)}
    return tuple(name for name in window_reads(plan) if name in results)


def _read(plan: Plan) -> Iterable[tuple[str, str]]:
    """What the EARLIER nodes of all window calls read: rows and field."""
    for call in plan.calls:
        if call.kind != "window":
            continue
        todo = [node for node in (call.value, call.where) if node >= 0]
        while todo:
            node = plan.nodes[todo.pop()]
            if node.op is Op.EARLIER and isinstance(node.data, tuple):
                yield node.data[0], node.data[1]
            todo.extend(reversed(node.args))
