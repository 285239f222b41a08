"""Formulas with an amount in the wrong place: a rate of the whole cost, what comes off first left out or taken off last."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
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
from rxcalc.plan.reads import nodes_below


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


_Put = Callable[[int], PlanNode | None]


def _applied(edit: Callable[[Plan, PlanStep, str], Plan], step: str, term: str) -> Callable[[Subject], Subject]:
    return partial(_edited, edit=edit, step=step, term=term)


def _edited(subject: Subject, *, edit: Callable[[Plan, PlanStep, str], Plan], step: str, term: str) -> Subject:
    plan = subject.plan
    return subject.with_plan(edit(plan, next(s for s in plan.steps if s.name == step), term))


def _without(plan: Plan, step: PlanStep, term: str) -> Plan:
    """The plan in which one step of the bill reads another one as nothing."""

    def put(at: int) -> PlanNode | None:
        node = plan.nodes[at]
        return _bare(node, Op.CONST, (), Fraction(0)) if _reads(node) == term else None

    nodes, new = _copied(plan, step, put)
    return _with(plan, step, nodes, new)


def _late(plan: Plan, step: PlanStep, term: str) -> Plan:
    """The plan in which one step takes an amount off what it comes to, and nothing before it is less by that amount."""
    steps = {s.name: s for s in plan.steps}
    off = next(at for own in steps.values() for node in _formulas(plan, own) for at in _off(plan, node, term))

    def put(at: int) -> PlanNode | None:
        node = plan.nodes[at]
        taken = _off(plan, node, term)
        if taken:
            rest = [(a, s) for a, s in _signed(node) if a not in taken]
            return _bare(node, Op.ADD, tuple(a for a, _ in rest), tuple(s for _, s in rest))
        read = steps.get(_reads(node))
        if read is None or not any(_off(plan, whole, term) for whole in _wholes(plan, read)):
            return None
        return _bare(node, Op.ADD, (at, off), (1, 1))

    nodes, new = _copied(plan, step, put)
    for clause in step.clauses:
        if clause.then in new:
            nodes.append(_bare(plan.nodes[clause.then], Op.ADD, (new[clause.then], off), (1, -1)))
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
        made = put(at)
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


def _signed(node: PlanNode) -> list[tuple[int, int]]:
    """The arguments of a sum with their signs; none of anything else."""
    signs = node.data if node.op is Op.ADD and node.type == MONEY and isinstance(node.data, tuple) else ()
    return list(zip(node.args, (int(s) for s in signs), strict=bool(signs)))


def _off(plan: Plan, node: PlanNode, term: str = "") -> list[int]:
    """The nodes by which a formula takes a step off something else; only those of `term`, where one is named."""
    signed = _signed(node)
    read = {a: _reads(plan.nodes[a]) for a, sign in signed if sign < 0}
    found = [a for a, name in read.items() if name and name == (term or name)]
    return found if len(signed) > len(found) else []


def _formulas(plan: Plan, step: PlanStep) -> list[PlanNode]:
    return [plan.nodes[at] for at in _nodes_of(plan, step)]


def _wholes(plan: Plan, step: PlanStep) -> list[PlanNode]:
    """The last nodes of a step's formulas."""
    return [plan.nodes[c.then] for c in step.clauses if c.then >= 0]


def _taken_off(plan: Plan, steps: Mapping[str, PlanStep], step: PlanStep) -> list[str]:
    """What a step takes off before it goes on, or what a step that it reads takes off in the end."""
    found: dict[str, None] = {}
    last = {c.then for c in step.clauses}
    for at in _nodes_of(plan, step):
        if at in last:
            continue
        node = plan.nodes[at]
        read = steps.get(_reads(node))
        for own in [node, *(_wholes(plan, read) if read is not None else ())]:
            found |= dict.fromkeys(_reads(plan.nodes[off]) for off in _off(plan, own))
    return [name for name in found if name in steps]


def _terms(plan: Plan, step: PlanStep) -> list[str]:
    """The steps that the formulas of a step read, in their order."""
    return list(dict.fromkeys(name for at in _nodes_of(plan, step) if (name := _reads(plan.nodes[at]))))


def _nodes_of(plan: Plan, step: PlanStep) -> list[int]:
    """The nodes of a step's formulas, those that others read first."""
    return sorted(nodes_below(plan, [c.then for c in step.clauses]))
