"""What each rule reads: inputs, other rules, values, earlier bills; and so what reads it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from rxcalc.lang.ops import Op
from rxcalc.plan.nodes import (
    CellRef,
    ParameterRef,
    Plan,
    PlanCall,
    PlanGroup,
    PlanList,
    PlanNode,
    PlanParameter,
    PlanSpread,
    PlanWindow,
    ScheduleRef,
)
from rxcalc.report.bearers import bearer_of
from rxcalc.report.order import Result
from rxcalc.site.refs import Names, levels, part_ref, ref, result_ref, shares_of


@dataclass(frozen=True)
class Reads:
    """What a rule reads: `now` of the same bill and of what belongs to it, `before` only of earlier rows."""

    now: tuple[str, ...]
    before: tuple[str, ...] = ()

    @property
    def all(self) -> tuple[str, ...]:
        """Both."""
        return (*self.now, *self.before)


class Uses:
    """Who reads what in a rulebook, by the names of `refs`."""

    def __init__(self, plan: Plan, names: Names) -> None:
        self.plan = plan
        self.names = names
        self.reads: dict[str, Reads] = {}
        for name, roots in _rules(plan, names):
            self.reads[name] = self._reads(roots)
        for parameter in plan.parameters:
            self.reads[ref("parameter", "", parameter.name)] = Reads(tuple(_limits(parameter)))
        for window in plan.windows:
            self.reads[ref("window", window.level, window.name)] = Reads(tuple(self._window(window)))
        read_by: dict[str, list[str]] = {}
        for name, read in self.reads.items():
            for other in read.all:
                read_by.setdefault(other, []).append(name)
        self.read_by: Mapping[str, tuple[str, ...]] = {name: tuple(by) for name, by in read_by.items()}

    def of_node(self, index: int) -> str:
        """What a node of a formula names, where it is the value of one thing."""
        node = self.plan.nodes[index]
        while node.op in (Op.LIFT, Op.GROUP):
            node = self.plan.nodes[node.args[0]]
        return next(self._named(node, None), "")

    def _reads(self, roots: Iterable[int]) -> Reads:
        now: dict[str, None] = {}
        before: dict[str, None] = {}
        seen: set[tuple[int, int, bool]] = set()
        todo: list[tuple[int, int, bool]] = [(root, -1, False) for root in reversed(list(roots))]
        while todo:
            here = index, within, earlier = todo.pop()
            if index < 0 or here in seen:
                continue
            seen.add(here)
            node = self.plan.nodes[index]
            call = self.plan.calls[within] if within >= 0 else None
            for name in self._named(node, call):
                (before if earlier and node.op is Op.EARLIER else now).setdefault(name)
            if node.op in (Op.WINDOW, Op.ROWS):
                number = int(str(node.data))
                inner = self.plan.calls[number]
                looks_back = inner.kind in ("window", "above")
                todo += [(n, number, looks_back) for n in (inner.where, inner.value)]
            todo += [(a, within, earlier) for a in reversed(node.args)]
        return Reads(tuple(now), tuple(name for name in before if name not in now))

    def _named(self, node: PlanNode, call: PlanCall | None) -> Iterator[str]:
        """The things that a node itself names."""
        match node.op, node.data:
            case ((Op.INPUT | Op.STEP | Op.SHARE), str(name)):
                found = self.names.field(node.level, name)
                if found:
                    yield found
            case Op.EARLIER, (str(rows), str(name)) if call is not None:
                level = call.element if not call.inner or rows.endswith(f".{call.inner}") else ""
                found = self.names.field(level, name)
                if found:
                    yield found
            case Op.GROUP, str(kind):
                yield ref("group", "", kind)
            case _, ParameterRef(parameter=name) | ScheduleRef(parameter=name):
                yield ref("parameter", "", name)
            case _, CellRef(table=name):
                yield ref("table", "", name)
            case ((Op.WINDOW | Op.ROWS), _):
                yield from self._called(self.plan.calls[int(str(node.data))])
            case _:
                pass

    def _called(self, call: PlanCall) -> Iterator[str]:
        """The window, list or kind of groups that a call goes over."""
        for kind, level in (("window", call.level), ("window", ""), ("list", ""), ("group", "")):
            name = ref(kind, level, call.of)
            if call.kind != "above" and name in self.names.page and (kind == "window") == (call.kind == "window"):
                yield name
                return

    def _window(self, window: PlanWindow) -> Iterator[str]:
        fields = (window.date, window.starting_input, *window.same, window.gap_from, window.gap_to)
        yield from dict.fromkeys(found for name in fields if (found := self.names.field(window.level, name)))


def _rules(plan: Plan, names: Names) -> Iterator[tuple[str, list[int]]]:
    """Every rule with the expressions that it consists of."""
    for level, of in levels(plan):
        for at, condition in enumerate(of.requires, start=1):
            yield ref("requires", level, at), [condition.that]
        for result in names.order.get(level, ()):
            yield result_ref(level, result), _roots(result)
        for at, partition in enumerate(shares_of(of)):
            yield ref("partition", level, partition.name), [partition.of]
            for number, part in enumerate(partition.parts):
                yield part_ref(level, at, partition, number), [part.value]
        if not isinstance(of, PlanList):
            yield from _totals(level, of)
        for at, condition in enumerate(of.guarantees, start=1):
            yield ref("guarantee", level, at), [condition.that]
        if isinstance(of, PlanGroup):
            for key in of.keys:
                yield ref("input", level, key.name), [key.node]
    for at, check in enumerate(plan.checks, start=1):
        yield ref("check", "", at), [check.when, check.amount]
    for at, trend in enumerate(plan.trends, start=1):
        yield ref("trend", "", at), [trend.what]


def _roots(of: Result) -> list[int]:
    if isinstance(of, PlanSpread):
        return [of.what, of.by]
    return [n for c in of.clauses for n in (c.when, c.then)]


def _totals(level: str, of: Plan | PlanGroup) -> Iterator[tuple[str, list[int]]]:
    """The total of a bearer is made of its parts of the first partition."""
    for total in of.totals:
        parts = of.shares[0].parts if of.shares else ()
        bearer = bearer_of(total)
        yield ref("share", level, total), [p.value for p in parts if p.bearer == bearer]


def _limits(parameter: PlanParameter) -> Iterator[str]:
    """The parameters that the limits of a schedule are computed from."""
    read = (name for s in parameter.segments for cell in s.cells for name, _ in cell.reads)
    yield from dict.fromkeys(ref("parameter", "", name) for name in read)
