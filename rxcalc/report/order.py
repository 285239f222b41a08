"""The order in which a bill is explained: that of the rulebook file, but nothing before what it is computed from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, TypeAlias

from rxcalc.lang.ops import Op
from rxcalc.plan.nodes import Plan, PlanGroup, PlanList, PlanPartition, PlanSpread, PlanStep
from rxcalc.plan.reads import nodes_below

Result: TypeAlias = PlanStep | PlanSpread
Name: TypeAlias = "tuple[str, str]"  # level and name

_OTHER_EPISODES: Final = frozenset({"window", "above"})


def bill_order(plan: Plan) -> dict[str, tuple[Result, ...]]:
    """The steps and parts received of each level, "" the episode.

    They stand as written, base before overlay; one that is written below a step that reads it, also through other
    levels, comes right before that step.
    """
    return _Order(plan).found()


def bill_sequence(plan: Plan) -> tuple[Name, ...]:
    """The same order with all levels in one row: nothing stands before what it is computed from."""
    return tuple(_Order(plan).after_what_is_read())


class _Order:
    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.shares: dict[str, tuple[PlanPartition, ...]] = {"": plan.shares}
        levels: list[tuple[str, Plan | PlanList | PlanGroup]] = [("", plan)]
        levels += [(x.name, x) for x in plan.lists]
        levels += [(g.name, g) for g in plan.groups]
        self.shares |= {g.name: g.shares for g in plan.groups}
        results: dict[Name, Result] = {(level, s.name): s for level, of in levels for s in of.steps}
        results.update({(s.target, s.name): s for s in plan.spreads})
        rank = {base.shown: -at for at, base in enumerate(plan.bases, start=1)}
        written = sorted(results, key=lambda name: _place(results[name], rank))
        self.results = {name: results[name] for name in written}
        self.number = {name: at for at, name in enumerate(written)}

    def found(self) -> dict[str, tuple[Result, ...]]:
        order: dict[str, list[Result]] = {}
        for level, name in self.after_what_is_read():
            order.setdefault(level, []).append(self.results[level, name])
        return {level: tuple(results) for level, results in order.items()}

    def after_what_is_read(self) -> Iterator[Name]:
        """Depth first, without recursion: a chain of steps may be long. Rows that read the row above end a circle."""
        seen: set[Name] = set()
        for first in self.results:
            stack: list[tuple[Name, Iterator[Name]]] = []
            if first not in seen:
                seen.add(first)
                stack.append((first, self._reads(first)))
            while stack:
                name, left = stack[-1]
                below = next((n for n in left if n not in seen), None)
                if below is None:
                    yield name
                    stack.pop()
                else:
                    seen.add(below)
                    stack.append((below, self._reads(below)))

    def _reads(self, name: Name) -> Iterator[Name]:
        """What a result is computed from, as written."""
        result = self.results[name]
        if isinstance(result, PlanSpread):
            roots = [result.what, result.by]
        else:
            roots = [n for c in result.clauses for n in (c.when, c.then)]
        return iter(sorted(self._below(roots), key=self.number.__getitem__))

    def _below(self, roots: list[int]) -> set[Name]:
        nodes, found, seen, stack = self.plan.nodes, set[Name](), set[int](), list(roots)
        while stack:
            index = stack.pop()
            if index < 0 or index in seen:
                continue
            seen.add(index)
            node = nodes[index]
            stack.extend(node.args)
            match node.op:
                case Op.STEP if not node.earlier and (node.level, str(node.data)) in self.results:
                    found.add((node.level, str(node.data)))
                case Op.SHARE if not node.earlier:
                    parts = self.shares.get(node.level, ())
                    stack.extend(n for p in parts for n in (p.of, *(part.value for part in p.parts)))
                case Op.WINDOW | Op.ROWS:
                    call = self.plan.calls[int(str(node.data))]
                    stack.extend((call.value, call.where))
                    if call.kind not in _OTHER_EPISODES:
                        found |= {(call.element, name) for name in self._fields(call.value, call.where)}
                case _:
                    pass
        return {name for name in found if name in self.results}

    def _fields(self, *roots: int) -> set[str]:
        """The fields of the other row that a call reads."""
        nodes = [self.plan.nodes[n] for n in nodes_below(self.plan, roots)]
        return {str(node.data[1]) for node in nodes if node.op is Op.EARLIER and isinstance(node.data, tuple)}


def _place(result: Result, rank: Mapping[str, int]) -> tuple[int, str, int]:
    return rank.get(result.place.file, 1), result.place.file, result.place.line
