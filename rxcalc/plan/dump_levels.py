"""Lists, groups, spreads, checks and the order of evaluation in a plan's text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rxcalc.plan.dump_parts import input_lines, share_lines, step_lines
from rxcalc.plan.layout import Layout
from rxcalc.plan.nodes import Plan, PlanBlock, PlanCondition, PlanGroup, PlanList


def list_lines(plan: Plan, layout: Layout, x: PlanList) -> list[str]:
    """A list: its order, inputs and rules."""
    order = f"in order of {', '.join(x.order)}" if x.order else "as they stand"
    return [
        f"rows {order}{'; an episode has at least one' if x.required else ''}",
        *_part("inputs", input_lines(x.inputs)),
        *_part("requires", _conditions(plan, x.requires)),
        *_part("steps", _steps(plan, layout, x)),
        *_part("guarantees", _conditions(plan, x.guarantees)),
    ]


def group_lines(plan: Plan, layout: Layout, g: PlanGroup) -> list[str]:
    """A kind of groups: what it is made of, inputs and rules."""
    keys = ", ".join(
        k.name if plan.nodes[k.node].text == k.name else f"{k.name} = {plan.nodes[k.node].text}" for k in g.keys
    )
    lines = [f"of {g.of or 'episodes'} by {keys}{'; inside one bill' if g.inside else '; across bills'}"]
    if g.sequence is not None:
        lines.append(f"follow each other by {g.sequence.by} in order of {', '.join(g.sequence.order)}")
    if not g.inside and layout.together:
        lines.append(f"on the exact evaluator, with all its bills: {layout.together}")
    if g.effective >= 0:
        lines.append(f"parameters as of {plan.nodes[g.effective].text}")
    return [
        *lines,
        *_part("inputs", input_lines(g.inputs)),
        *_part("requires", _conditions(plan, g.requires)),
        *_part("steps", _steps(plan, layout, g)),
        *_part("shares", share_lines(plan, g.shares)),
        *_part("guarantees", _conditions(plan, g.guarantees)),
    ]


def call_lines(plan: Plan, layout: Layout) -> list[str]:
    """Calls over rows, and how they run."""
    lines = []
    for call, held in zip(plan.calls, layout.calls, strict=True):
        if call.kind != "window":
            how = "on the exact evaluator" if held.how == "exact" else held.how
            lines.append(f"{_named(call.level, call.key)}  [{how}{': ' + held.why if held.why else ''}]")
    return list(dict.fromkeys(lines))


def _steps(plan: Plan, layout: Layout, x: PlanList | PlanGroup) -> list[str]:
    return [line for s, held in zip(x.steps, layout.levels[x.name], strict=True) for line in step_lines(plan, s, held)]


def spread_lines(plan: Plan) -> list[str]:
    """What is divided over which rows, by largest remainder."""
    return [
        f"{_named(s.target, s.name):24} {plan.nodes[s.what].text} of {s.source or 'the episode'} over {s.target or 'episodes'}"
        f" by {plan.nodes[s.by].text}"
        for s in plan.spreads
    ]


def check_lines(plan: Plan) -> list[str]:
    """Findings: how severe, on which rows, when."""
    lines = []
    for check in plan.checks:
        amount = f", amount {plan.nodes[check.amount].text}" if check.amount >= 0 else ""
        lines.append(
            f"{check.name:17} {check.severity:6} {check.level or 'episode':17} when {plan.nodes[check.when].text}{amount}"
        )
    return lines


def order_lines(plan: Plan) -> list[str]:
    """The blocks in which results are computed; nothing for a plan of one block of the episode."""
    if len(plan.blocks) <= 1 and not plan.lists and not plan.groups:
        return []
    return list(_blocks(plan, plan.blocks))


def _blocks(plan: Plan, blocks: Sequence[PlanBlock]) -> Iterator[str]:
    lists = {x.name for x in plan.lists}
    phase = -1
    for block in blocks:
        if block.phase != phase:
            phase = block.phase
            yield f"phase {phase}"
        how = "each for all rows"
        if block.through:
            how = (
                f"row by row of {block.through}"
                if block.through in lists
                else f"group by group of {block.through}, with members"
            )
        yield f"  {how}: {', '.join(_named(level, name) for level, name in block.items)}"


def _named(level: str, name: str) -> str:
    head, _, number = name.partition(":")
    if number.isdigit():  # a condition of `requires:` or `guarantees:`, counted from 0
        name = f"{head} {int(number) + 1}"
    elif not number:
        name = head  # `members:`
    return f"{level}.{name}" if level else name


def _part(title: str, body: Sequence[str]) -> list[str]:
    return [title, *(f"  {line}" for line in body)] if body else []


def _conditions(plan: Plan, conditions: Sequence[PlanCondition]) -> list[str]:
    return [plan.nodes[c.that].text for c in conditions]
