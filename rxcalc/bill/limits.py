"""Which values of parameters a rulebook holds a sum over earlier episodes against."""

from __future__ import annotations

from typing import Final

from rxcalc.inputs.openings import normal
from rxcalc.lang.ops import Op
from rxcalc.plan.nodes import ParameterRef, Plan, PlanNode

_COMPARING: Final = frozenset(
    {Op.EQ, Op.NE, Op.LT, Op.LE, Op.GT, Op.GE, Op.MIN, Op.MAX, Op.BANDS, Op.BAND, Op.BANDS_REACH}
)

Side = tuple[frozenset[str], frozenset[str]]  # window calls and parameters


def limits(plan: Plan) -> dict[str, frozenset[str]]:
    """By window call the parameters that it is compared with, or that it is taken off.

    A sum, or what it is added to, stands on one side of a comparison, a difference or a range of bands, and the parameter
    on the other: `cap - year.sum(paid)`. What only meets further on, after a rate or a limit, is not held against it.
    """
    sides = _Sides(plan)
    found: dict[str, set[str]] = {}
    for node in plan.nodes:
        parts = _compared(node)
        for at, one in enumerate(parts):
            for other in parts[at + 1 :]:
                for (calls, _), (_, parameters) in ((sides.of(one), sides.of(other)), (sides.of(other), sides.of(one))):
                    for call in calls:
                        found.setdefault(call, set()).update(parameters)
    return {call: frozenset(parameters) for call, parameters in found.items()}


def _compared(node: PlanNode) -> list[tuple[int, ...]]:
    """The sides of a comparison or a difference, each as nodes that are added up."""
    if node.op in _COMPARING:
        return [(arg,) for arg in node.args]
    if node.op is Op.ADD:
        signed = _signed(node)
        plus, minus = (tuple(a for a, s in signed if s == sign) for sign in (1, -1))
        return [plus, minus] if plus and minus else []
    return []


def _signed(node: PlanNode) -> list[tuple[int, int]]:
    signs = node.data if isinstance(node.data, tuple) else (1,) * len(node.args)
    return [(arg, int(str(sign))) for arg, sign in zip(node.args, signs, strict=True)]


class _Sides:
    """What stands on one side of a comparison, steps looked into."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        levels = [("", plan.steps), *((x.name, x.steps) for x in plan.lists), *((g.name, g.steps) for g in plan.groups)]
        self.steps = {(level, s.name): s for level, steps in levels for s in steps}

    def of(self, nodes: tuple[int, ...]) -> Side:
        calls: set[str] = set()
        parameters: set[str] = set()
        seen: set[int] = set()
        todo = list(nodes)
        while todo:
            at = todo.pop()
            if at < 0 or at in seen:
                continue
            seen.add(at)
            node = self.plan.nodes[at]
            match node.op:
                case Op.WINDOW:
                    calls.add(normal(self.plan.calls[int(str(node.data))].key))
                case Op.PARAMETER if isinstance(node.data, ParameterRef):
                    parameters.add(node.data.parameter)
                case Op.STEP if (step := self.steps.get((node.level, str(node.data)))) is not None:
                    todo += [clause.then for clause in step.clauses]
                case Op.ADD if all(sign == 1 for _, sign in _signed(node)):
                    todo += node.args
                case Op.DEFAULT | Op.LIFT:
                    todo += node.args
                case Op.IF:
                    todo += node.args[1:]
                case _:
                    pass
        return frozenset(calls), frozenset(parameters)


def caps(plan: Plan) -> frozenset[str]:
    """Parameters without which an amount stands as it is, and with which it is limited: `none` means no limit there."""
    levels = [plan.steps, *(x.steps for x in plan.lists), *(g.steps for g in plan.groups)]
    arms = [[(c.when, c.then) for c in step.clauses] for steps in levels for step in steps]
    arms += [[(n.args[0], n.args[1]), (-1, n.args[2])] for n in plan.nodes if n.op is Op.IF]
    found: set[str] = set()
    for own in arms:
        for when, then in own:
            for name, is_there in _tested(plan, when):
                others = [other for condition, other in own if condition != when]
                free, limited = (others, [then]) if is_there else ([then], others)
                if any(_same(plan, x, arg) for x in free for y in limited for arg in _limited(plan, y)):
                    found.add(name)
    return frozenset(found)


def _tested(plan: Plan, at: int) -> list[tuple[str, bool]]:
    """The parameter that a condition asks for, and whether it holds where there is one."""
    wanted = True
    while at >= 0 and plan.nodes[at].op is Op.NOT:
        wanted, at = not wanted, plan.nodes[at].args[0]
    if at < 0 or plan.nodes[at].op is not Op.KNOWN:
        return []
    data = plan.nodes[plan.nodes[at].args[0]].data
    return [(data.parameter, wanted)] if isinstance(data, ParameterRef) else []


def _limited(plan: Plan, at: int) -> tuple[int, ...]:
    return plan.nodes[at].args if at >= 0 and plan.nodes[at].op is Op.MIN else ()


def _same(plan: Plan, a: int, b: int) -> bool:
    """Whether two nodes are one and the same step or input."""
    if a < 0 or b < 0:
        return False
    one, other = plan.nodes[a], plan.nodes[b]
    return a == b or (
        one.op in (Op.STEP, Op.INPUT) and (one.op, one.level, one.data) == (other.op, other.level, other.data)
    )
