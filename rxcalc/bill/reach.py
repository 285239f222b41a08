"""What some results of a rulebook rest on: the nodes, steps, parameters and tables that can move them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rxcalc.lang.ops import Op
from rxcalc.plan.nodes import CellRef, ParameterRef, Plan, PlanGroup, PlanPartition, PlanStep, ScheduleRef, share_name
from rxcalc.plan.reads import nodes_below


@dataclass(frozen=True, slots=True)
class Reach:
    """What results rest on. `inputs` and `steps` go by level and name."""

    nodes: frozenset[int]
    steps: frozenset[tuple[str, str]]
    inputs: frozenset[tuple[str, str]]
    parameters: frozenset[str]
    tables: frozenset[str]


def reach_of(plan: Plan, goals: Iterable[str] | None = None, rows: Iterable[tuple[str, str]] = ()) -> Reach:
    """What the results `goals` of the bill rest on (none given: its outputs and all its shares), and its conditions.

    `rows` are further goals among the results of lists, by level and name.
    """
    walk = _Walk(plan)
    for level, name in rows:
        walk.result(level, name)
    names = set(goals) if goals is not None else {*plan.outputs, *plan.totals}
    for name in names:
        walk.result("", name)
    if goals is None:
        for partition in plan.shares:
            walk.partition(partition)
    for condition in plan.requires:
        walk.node(condition.that)
    for x in plan.lists:
        for condition in x.requires:
            walk.node(condition.that)
    return walk.done()


class _Walk:
    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        levels = [("", plan.steps), *((x.name, x.steps) for x in plan.lists), *((g.name, g.steps) for g in plan.groups)]
        self.all: dict[tuple[str, str], PlanStep] = {(level, s.name): s for level, steps in levels for s in steps}
        self.spreads = {(s.target, s.name): s for s in plan.spreads}
        self.kinds: dict[str, PlanGroup] = {g.name: g for g in plan.groups}
        self.shares = {"": plan.shares, **{g.name: g.shares for g in plan.groups}}
        self.nodes: set[int] = set()
        self.steps: set[tuple[str, str]] = set()
        self.inputs: set[tuple[str, str]] = set()
        self.parameters: set[str] = set()
        self.tables: set[str] = set()
        self.calls: set[int] = set()
        self.todo: list[int] = []
        self.told: set[str] = set()

    def done(self) -> Reach:
        """Everything below what was named."""
        while self.todo:
            index = self.todo.pop()
            if index < 0 or index in self.nodes:
                continue
            self.nodes.add(index)
            self._below(index)
        return Reach(
            frozenset(self.nodes), frozenset(self.steps), frozenset(self.inputs), frozenset(self.parameters), frozenset(self.tables)
        )  # fmt: skip

    def node(self, index: int) -> None:
        """A node counts."""
        self.todo.append(index)

    def result(self, level: str, name: str) -> None:
        """A step, part received, part or total counts."""
        if (level, name) in self.steps:
            return
        if (level, name) in self.all:
            self.steps.add((level, name))
            for clause in self.all[level, name].clauses:
                self.todo += [clause.when, clause.then]
        elif (level, name) in self.spreads:
            self.steps.add((level, name))
            spread = self.spreads[level, name]
            self.todo += [spread.what, spread.by]
        else:
            self._share(level, name)

    def partition(self, partition: PlanPartition) -> None:
        """All parts of a partition count."""
        self.todo += [partition.of, *(part.value for part in partition.parts)]

    def _share(self, level: str, name: str) -> None:
        """The partition that a part or a total belongs to: `rest` and the totals read all of it."""
        for at, partition in enumerate(self.shares.get(level, ())):
            names = {share_name(at, partition.name, part.bearer, part.part) for part in partition.parts}
            totals = {f"{part.bearer}_pays" for part in partition.parts} if at == 0 else set()
            if name in names | totals:
                self.partition(partition)

    def _below(self, index: int) -> None:
        node = self.plan.nodes[index]
        self.todo += node.args
        match node.data:
            case ParameterRef(parameter=name) | ScheduleRef(parameter=name):
                self.parameters.add(name)
            case CellRef(table=name):
                self.tables.add(name)
            case _:
                pass
        match node.op:
            case Op.INPUT:
                self.inputs.add((node.level, str(node.data)))
            case Op.STEP | Op.SHARE:
                self.result(node.level, str(node.data))
            case Op.WINDOW | Op.ROWS:
                self._call(int(str(node.data)))
            case Op.LIFT | Op.GROUP:
                self._group(str(node.data))
            case _:
                pass

    def _call(self, at: int) -> None:
        if at in self.calls:
            return
        self.calls.add(at)
        call = self.plan.calls[at]
        self.todo += [call.value, call.where]
        for window in self.plan.windows:
            if window.name == call.of:
                fields = (window.date, window.starting_input, window.gap_from, window.gap_to, *window.same)
                self.inputs |= {(window.level, name) for name in fields if name}
        self._group(call.of)
        for index in nodes_below(self.plan, (call.value, call.where)):
            node = self.plan.nodes[index]
            if node.op is Op.EARLIER and isinstance(node.data, tuple):
                self._field(call.element, str(node.data[1]))

    def _field(self, level: str, name: str) -> None:
        """A field of another row: an input, or a result."""
        of = {"episodes": ""}.get(level, level)
        if (of, name) in self.all or (of, name) in self.spreads or of in self.shares:
            self.result(of, name)
        self.inputs.add((of, name))

    def _group(self, kind: str) -> None:
        """The keys by which rows are in groups."""
        if kind in self.kinds and kind not in self.told:
            self.told.add(kind)
            self.todo += [key.node for key in self.kinds[kind].keys]
