"""Formulas with an amount in the wrong place: a rate of the whole cost, what comes off first left out or taken off last."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from functools import partial

from rxcalc.backends.base import Outcome
from rxcalc.bill.changes import Change, Kind
from rxcalc.bill.reach import Reach
from rxcalc.bill.subject import Subject
from rxcalc.lang.ops import Op
from rxcalc.lang.types import MONEY
from rxcalc.plan.changed import with_step
from rxcalc.plan.nodes import Plan, PlanNode, PlanStep


def term_changes(plan: Plan, outcome: Outcome, reach: Reach) -> Iterator[Change]:
    """Each amount that a step of the bill reads from another one, as nothing: in this step, not where else it is read.

    What a step or the one that it reads takes off first, taken off last: `cost * rate - deductible`.
    """
    steps = {s.name: s for s in plan.steps}
    for step in plan.steps:
        if ("", step.name) not in reach.steps or step.lazy or step.type != MONEY:
            continue
        for term in _terms(plan, step):
            own = steps.get(term)
            was = outcome.steps.get(term)
            if own is None or own.type != MONEY or own.lazy or not isinstance(was, int | Fraction) or was == 0:
                continue
            yield Change(
                Kind.TERM_OUT, term, _applied(_without, step.name, term), row=step.name, was=was, now=Fraction(0),
                type=MONEY, label=own.label, said=step.label, cite=step.cite,
            )  # fmt: skip
        for term in _taken_off(plan, steps, step):
            was = outcome.steps.get(term)
            if isinstance(was, int | Fraction) and was != 0:
                yield Change(
                    Kind.TERM_LATE, term, _applied(_late, step.name, term), row=step.name, was=was, type=MONEY,
                    label=steps[term].label, said=step.label, cite=step.cite,
                )  # fmt: skip


_Put = Callable[[Plan, list[PlanNode], int], PlanNode | None]


def _applied(edit: Callable[[Plan, PlanStep, str], Plan], step: str, term: str) -> Callable[[Subject], Subject]:
    return partial(_edited, edit=edit, step=step, term=term)


def _edited(subject: Subject, *, edit: Callable[[Plan, PlanStep, str], Plan], step: str, term: str) -> Subject:
    plan = subject.plan
    return subject.with_plan(edit(plan, next(s for s in plan.steps if s.name == step), term))


def _without(plan: Plan, step: PlanStep, term: str) -> Plan:
    """The plan in which one step of the bill reads another one as nothing."""

    def put(plan: Plan, nodes: list[PlanNode], at: int) -> PlanNode | None:
        node = plan.nodes[at]
        return _bare(node, Op.CONST, (), Fraction(0)) if _reads(node) == term else None

    nodes, new = _copied(plan, step, put)
    return _with(plan, step, nodes, new)


def _late(plan: Plan, step: PlanStep, term: str) -> Plan:
    """The plan in which one step takes an amount off what it comes to, and nothing before it is less by that amount."""
    steps = {s.name: s for s in plan.steps}
    taken = next(n for n in _differences(plan, steps.values(), term))
    off = plan.nodes[taken].args[1]

    def put(plan: Plan, nodes: list[PlanNode], at: int) -> PlanNode | None:
        node = plan.nodes[at]
        if node.op is Op.SUBTRACT and _reads(plan.nodes[node.args[1]]) == term:
            return _bare(node, Op.DEFAULT, (node.args[0], node.args[0]))
        read = steps.get(_reads(node))
        if read is None or not any(_differences(plan, [read], term)):
            return None
        nodes.append(node)
        return _bare(node, Op.ADD, (len(nodes) - 1, off))

    nodes, new = _copied(plan, step, put)
    for clause in step.clauses:
        if clause.then in new:
            nodes.append(_bare(plan.nodes[clause.then], Op.SUBTRACT, (new[clause.then], off)))
            new[clause.then] = len(nodes) - 1
    return _with(plan, step, nodes, new)


def _copied(plan: Plan, step: PlanStep, put: _Put) -> tuple[list[PlanNode], dict[int, int]]:
    """The nodes with those of one step's formulas copied where `put` has something for them, or for what they read.

    Nodes are shared between steps, so none is changed in its place. Proven ranges of the copies are taken back.
    """
    nodes = list(plan.nodes)
    new: dict[int, int] = {}
    for at in _nodes_of(plan, step):
        node = plan.nodes[at]
        made = put(plan, nodes, at)
        if made is None and any(arg in new for arg in node.args):
            made = replace(node, args=tuple(new.get(arg, arg) for arg in node.args), low=None, high=None, scale=0)
        if made is not None:
            nodes.append(made)
            new[at] = len(nodes) - 1
    return nodes, new


def _with(plan: Plan, step: PlanStep, nodes: list[PlanNode], new: dict[int, int]) -> Plan:
    clauses = tuple(replace(c, then=new.get(c.then, c.then), formula=None) for c in step.clauses)
    return with_step(replace(plan, nodes=tuple(nodes)), "", replace(step, clauses=clauses))


def _bare(node: PlanNode, op: Op, args: tuple[int, ...], data: object = None) -> PlanNode:
    return replace(node, op=op, args=args, data=data, low=None, high=None, scale=0)


def _reads(node: PlanNode) -> str:
    """The step of the bill that a node reads; "" when it reads none."""
    return str(node.data) if node.op is Op.STEP and not node.level and node.type == MONEY else ""


def _differences(plan: Plan, steps: Iterable[PlanStep], term: str) -> Iterator[int]:
    """The nodes of formulas in which a step is taken off."""
    for step in steps:
        for at in _nodes_of(plan, step):
            node = plan.nodes[at]
            if node.op is Op.SUBTRACT and _reads(plan.nodes[node.args[1]]) == term:
                yield at


def _taken_off(plan: Plan, steps: Mapping[str, PlanStep], step: PlanStep) -> list[str]:
    """What a step takes off before it goes on, or what a step that it reads takes off in the end."""
    found: dict[str, None] = {}
    whole = {c.then for c in step.clauses}
    for at in _nodes_of(plan, step):
        node = plan.nodes[at]
        if node.op is Op.SUBTRACT and at not in whole:
            found[_reads(plan.nodes[node.args[1]])] = None
        read = steps.get(_reads(node))
        if read is not None and at not in whole:
            for then in {c.then for c in read.clauses if c.then >= 0}:
                if plan.nodes[then].op is Op.SUBTRACT:
                    found[_reads(plan.nodes[plan.nodes[then].args[1]])] = None
    return [name for name in found if name in steps]


def _terms(plan: Plan, step: PlanStep) -> list[str]:
    """The steps that the formulas of a step read, in their order."""
    return list(dict.fromkeys(name for at in _nodes_of(plan, step) if (name := _reads(plan.nodes[at]))))


def _nodes_of(plan: Plan, step: PlanStep) -> list[int]:
    """The nodes of a step's formulas, those that others read first."""
    found: set[int] = set()
    stack = [c.then for c in step.clauses if c.then >= 0]
    while stack:
        at = stack.pop()
        if at not in found:
            found.add(at)
            stack.extend(plan.nodes[at].args)
    return sorted(found)
