"""Invariants of a plan. A violation is a fault of rxcalc, reported as RX902 and never run."""

from __future__ import annotations

from rxcalc.diagnostics.model import Diagnostic, Label, Severity
from rxcalc.plan.nodes import Plan
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
    seen: set[str] = set()
    for step in plan.steps:
        for clause in step.clauses:
            faults.extend(
                f"step {step.name} reads {plan.nodes[n].data} before it is computed"
                for n in _reached(plan, (clause.when, clause.then))
                if plan.nodes[n].op.value == "step" and not plan.nodes[n].earlier and plan.nodes[n].data not in seen
            )
        seen.add(step.name)
    place = Label(span=NOWHERE)
    return tuple(
        Diagnostic(code="RX902", severity=Severity.ERROR, message=f"the plan of `{plan.rulebook}` is faulty: {fault}", primary=place,
                   help=("this is a fault of rxcalc, not of the rulebook: please report it with the rulebook",))
        for fault in faults
    )  # fmt: skip


def _reached(plan: Plan, roots: tuple[int, ...]) -> set[int]:
    found: set[int] = set()
    stack = [r for r in roots if r >= 0]
    while stack:
        index = stack.pop()
        if index not in found:
            found.add(index)
            stack.extend(plan.nodes[index].args)
    return found
