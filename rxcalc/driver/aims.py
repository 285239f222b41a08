"""Where a change of a rulebook begins to show: pairs of values that must meet, in the order of how near they are to it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Final

from rxcalc.examples.mutant import Mutant
from rxcalc.lang.ops import Op
from rxcalc.plan.nodes import Band, CellRef, ParameterRef, Plan, PlanNode, Point, ScheduleRef, Value, share_name
from rxcalc.plan.reads import nodes_below

COMPARED: Final = frozenset({Op.LT, Op.LE, Op.GT, Op.GE, Op.EQ, Op.NE})
_SCHEDULES: Final = frozenset({Op.BANDS, Op.BAND, Op.BANDS_REACH, Op.SLICE, Op.ALONG})
_MOST: Final = 14
_MOST_LIMITS: Final = 4
_MOST_NODES: Final = 400


@dataclass(frozen=True)
class Aim:
    """The value of one node is to come to that of another one (`to` 0 or more), or to a number or day (`at`)."""

    node: int
    to: int = -1
    at: Value = None


class Reading:
    """Who reads what in a plan: nodes, and through steps, calls and shares."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.readers: dict[int, list[int]] = {}
        by_name: dict[tuple[Op, str, str], list[int]] = {}
        for index, node in enumerate(plan.nodes):
            for arg in node.args:
                self.readers.setdefault(arg, []).append(index)
            if node.op in (Op.STEP, Op.SHARE, Op.INPUT):
                by_name.setdefault((node.op, node.level, str(node.data)), []).append(index)
            elif node.op is Op.EARLIER and isinstance(node.data, tuple):
                by_name.setdefault((Op.EARLIER, "", str(node.data[1])), []).append(index)
            elif node.op in (Op.WINDOW, Op.ROWS):
                call = plan.calls[int(str(node.data))]
                for arg in (call.value, call.where):
                    if arg >= 0:
                        self.readers.setdefault(arg, []).append(index)

        def passed_on(root: int, level: str, name: str) -> None:
            for op, of in ((Op.STEP, level), (Op.SHARE, level), (Op.INPUT, level), (Op.EARLIER, "")):
                self.readers.setdefault(root, []).extend(by_name.get((op, of, name), ()))

        levels = [("", plan.steps), *((x.name, x.steps) for x in plan.lists), *((g.name, g.steps) for g in plan.groups)]
        for level, steps in levels:
            for step in steps:
                for clause in step.clauses:
                    for root in (clause.when, clause.then):
                        if root >= 0:
                            passed_on(root, level, step.name)
        for level, shares in (("", plan.shares), *((g.name, g.shares) for g in plan.groups)):
            for at, partition in enumerate(shares):
                for part in partition.parts:
                    if part.value >= 0:
                        passed_on(part.value, level, share_name(at, partition.name, part.bearer, part.part))
        for spread in plan.spreads:
            passed_on(spread.what, spread.target, spread.name)
        for group in plan.groups:
            for key in group.keys:
                passed_on(key.node, group.name, key.name)

    def above(self, roots: Iterable[int]) -> Iterator[int]:
        """The roots and what reads them, the nearest first."""
        todo = deque(roots)
        seen = set(todo)
        while todo and len(seen) < _MOST_NODES:
            index = todo.popleft()
            yield index
            for reader in self.readers.get(index, ()):
                if reader not in seen:
                    seen.add(reader)
                    todo.append(reader)


def aims_of(reading: Reading, mutant: Mutant) -> tuple[Aim, ...]:
    """What is to meet so that a change shows: first in what is changed itself, then in what reads it."""
    plan = reading.plan
    found: dict[Aim, None] = {}
    roots = list(mutant.about)
    inner = [n for n in sorted(nodes_below(plan, roots), reverse=True) if plan.nodes[n].op in COMPARED]
    first = inner if mutant.kind in ("clause", "comparison") else []
    for index in (*first, *reading.above(roots)):
        for aim in _of_node(plan, index, plan.nodes[index], mutant):
            found.setdefault(aim)
        if len(found) >= _MOST:
            break
    return tuple(found)[:_MOST]


def guards_of(reading: Reading, mutant: Mutant) -> tuple[Aim, ...]:
    """What is to meet so that the clauses come to decide in which a change lies."""
    plan = reading.plan
    about = set(mutant.about)
    found: dict[Aim, None] = {}
    levels = [plan.steps, *(x.steps for x in plan.lists), *(g.steps for g in plan.groups)]
    for steps in levels:
        for step in steps:
            for at, clause in enumerate(step.clauses):
                own = (clause.when, clause.then)
                if at and not about.isdisjoint(nodes_below(plan, own)):
                    conditions = nodes_below(plan, [c.when for c in step.clauses[: at + 1]])
                    for index in sorted(conditions, reverse=True):
                        if plan.nodes[index].op in COMPARED:
                            found.setdefault(Aim(*plan.nodes[index].args[:2]))
    return (*aims_of(reading, mutant)[:_MOST_LIMITS], *found)[:_MOST]


def _of_node(plan: Plan, index: int, node: PlanNode, mutant: Mutant) -> Iterator[Aim]:
    if node.op in COMPARED:
        yield Aim(node.args[0], node.args[1])
    elif node.op in (Op.MIN, Op.MAX):
        yield from (Aim(node.args[0], other) for other in node.args[1:])
    elif isinstance(node.data, ScheduleRef) and node.op in _SCHEDULES:
        own = node.args[node.data.keys + int(node.data.at) :]
        own = own[: len(own) - (node.data.local is not None)]
        if node.op is Op.BAND:
            own = own[1:]
        limits = _limits(plan, node.data.parameter, mutant)
        yield from (Aim(arg, at=limit) for limit in limits for arg in reversed(own))
    elif isinstance(node.data, CellRef) and node.data.keys:
        table = next(t for t in plan.tables if t.name == node.data.table)
        if table.range_key:
            near = [v for v in mutant.near if isinstance(v, int | Fraction | date) and not isinstance(v, bool)]
            others = [r.keys[-1] for r in table.rows[:_MOST_LIMITS] if isinstance(r.keys[-1], int | Fraction)]
            yield from (Aim(node.args[node.data.keys - 1], at=v) for v in (near or others)[:_MOST_LIMITS])
    if isinstance(node.data, ParameterRef | CellRef | ScheduleRef) and node.data.at and index in mutant.about:
        days = [v for v in mutant.near if isinstance(v, date)]
        yield from (Aim(node.args[node.data.keys], at=day) for day in days)


def _limits(plan: Plan, name: str, mutant: Mutant) -> list[Value]:
    """The limits of a schedule: those that the change names, else the first ones."""
    parameter = next(p for p in plan.parameters if p.name == name)
    known: list[Value] = []
    for segment in reversed(parameter.segments):
        for _, value in segment.values:
            parts = value if isinstance(value, tuple) else ()
            places = [p.limit if isinstance(p, Band) else p.at for p in parts if isinstance(p, Band | Point)]
            known += [place for place in places if place is not None and place not in known]
    near = [v for v in mutant.near if v in known]
    return (near or known)[:_MOST_LIMITS]
