"""A plan that computes only what some results rest on: whether a change moves an amount is seen from it, and sooner."""

from __future__ import annotations

from dataclasses import replace

from rxcalc.bill.reach import Reach
from rxcalc.plan.nodes import Plan, PlanGroup, PlanPartition, evaluation_order


def lean(plan: Plan, reach: Reach) -> Plan:
    """The plan without its checks and what the goals of `reach` do not rest on; the goals come out the same wherever they come out.

    Nodes and steps stay, so that the plan can be changed as the whole one: only what is computed gets less. A bill that the
    whole plan refuses may be computed by this one.
    """
    groups: dict[str, PlanGroup] = {g.name: g for g in plan.groups}
    shares = {"": plan.shares, **{g.name: g.shares for g in plan.groups}}

    def counts(level: str, name: str) -> bool:
        head, _, rest = name.partition(":") if ":" in name else ("", "", "")
        if level in groups and not groups[level].inside:
            return True  # of several bills
        match head:
            case "requires":
                return level not in groups
            case "guarantee":
                return False
            case "members":
                return all(key.node in reach.nodes for key in groups[level].keys)
            case "shares":
                return _is_reached(next(p for p in shares[level] if p.name == rest), reach)
            case _:
                return (level, name) in reach.steps

    blocks = [replace(b, items=tuple(item for item in b.items if counts(*item))) for b in evaluation_order(plan)]
    return replace(plan, blocks=tuple(blocks), checks=())


def _is_reached(partition: PlanPartition, reach: Reach) -> bool:
    """Whether everything that is divided is computed."""
    return all(node < 0 or node in reach.nodes for node in (partition.of, *(part.value for part in partition.parts)))
