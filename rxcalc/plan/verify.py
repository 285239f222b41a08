"""Invariants of a plan. A violation is a fault of rxcalc, reported as RX902 and never run."""

from __future__ import annotations

from collections.abc import Iterator

from rxcalc.diagnostics.model import Diagnostic, Label, Severity
from rxcalc.lang.ops import Op
from rxcalc.plan.nodes import Plan, PlanStep, evaluation_order
from rxcalc.plan.reads import nodes_below
from rxcalc.source import NOWHERE


def verify(plan: Plan) -> tuple[Diagnostic, ...]:
    """What is wrong with a plan; empty when it holds together."""
    faults: list[str] = []
    for index, node in enumerate(plan.nodes):
        if any(not 0 <= a < index for a in node.args):
            faults.append(f"node {index} ({node.op.value}) has operands after itself")
        if node.low is not None and node.high is not None and node.low > node.high:
            faults.append(f"node {index} ({node.op.value}) has an empty range")
        if node.scale < 0:
            faults.append(f"node {index} ({node.op.value}) has a negative scale")
    seen: set[tuple[str, str]] = set()
    lazy = {(level, s.name) for level, steps in _levels(plan) for s in steps if s.lazy}
    for item, roots in _items(plan):
        faults.extend(
            f"{item[0]}.{item[1]} reads {plan.nodes[n].level}.{plan.nodes[n].data} before it is computed"
            for n in nodes_below(plan, roots)
            if plan.nodes[n].op is Op.STEP
            and not plan.nodes[n].earlier
            and (plan.nodes[n].level, plan.nodes[n].data) not in seen | lazy
        )
        seen.add(item)
    faults.extend(
        f"{level}.{s.name} is never computed"
        for level, steps in _levels(plan)
        for s in steps
        if (level, s.name) not in seen
    )
    place = Label(span=NOWHERE)
    return tuple(
        Diagnostic(code="RX902", severity=Severity.ERROR, message=f"the plan of `{plan.rulebook}` is faulty: {fault}", primary=place,
                   help=("this is a fault of rxcalc, not of the rulebook: please report it with the rulebook",))
        for fault in faults
    )  # fmt: skip


def _levels(plan: Plan) -> list[tuple[str, tuple[PlanStep, ...]]]:
    return [("", plan.steps), *((x.name, x.steps) for x in plan.lists), *((g.name, g.steps) for g in plan.groups)]


def _items(plan: Plan) -> Iterator[tuple[tuple[str, str], tuple[int, ...]]]:
    """Everything that is computed, in order, with the nodes that it starts from."""
    steps = {(level, s.name): s for level, found in _levels(plan) for s in found}
    spreads = {(s.target, s.name): s for s in plan.spreads}
    shares = {("", f"shares:{p.name}"): p for p in plan.shares}
    shares.update({(g.name, f"shares:{p.name}"): p for g in plan.groups for p in g.shares})
    for block in evaluation_order(plan):
        for item in block.items:
            if item in spreads:
                yield item, (spreads[item].what, spreads[item].by)
            elif item in shares:
                yield item, (shares[item].of, *(p.value for p in shares[item].parts))
            elif item in steps:
                yield item, tuple(n for c in steps[item].clauses for n in (c.when, c.then))
