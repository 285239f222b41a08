"""The order in which results are computed, over all levels: blocks, phases, and the loops that have no order.

A unit is (level, name): a step, a spread received, `shares:NAME`, `requires:N`, `guarantee:N`, or `members:`
(which rows make up the groups of a kind). An edge says what a unit reads: `plain`, through `above` of a
list, or through a window of a sequence (of episodes, or of one kind of groups).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from itertools import pairwise
from typing import Final, TypeAlias

from rxcalc.diagnostics.model import Label, Sink
from rxcalc.lang.ops import Op
from rxcalc.source import Span
from rxcalc.typed import level_problems, problems
from rxcalc.typed.graph import walk
from rxcalc.typed.levels import EPISODE, World
from rxcalc.typed.nodes import TBlock, TExpr, WindowUse
from rxcalc.typed.symbols import Role

MEMBERS: Final = "members:"  # no step can be named so

Unit: TypeAlias = "tuple[str, str]"


@dataclass(frozen=True, slots=True)
class Edge:
    """What a unit reads. `through` is "" (this row), `above LIST` or `window LEVEL`."""

    to: Unit
    through: str
    span: Span


@dataclass(slots=True)
class Units:
    """All units, as declared, with what each reads."""

    world: World
    share_units: Mapping[tuple[str, str], str]  # (level, part or total) to the unit `shares:NAME`
    reads: dict[Unit, dict[tuple[Unit, str], Edge]] = field(default_factory=dict)
    given: dict[Unit, str] = field(default_factory=dict)  # spreads received from groups across bills: by which kind
    looking: set[Unit] = field(default_factory=set)  # what calls a window

    def add(self, unit: Unit, roots: Iterable[TExpr | None]) -> None:
        """A unit with the expressions that it evaluates."""
        found = self.reads.setdefault(unit, {})
        for root in roots:
            for edge in self._edges(root) if root is not None else ():
                found.setdefault((edge.to, edge.through), edge)
            if root is not None and any(node.op is Op.WINDOW for node in walk(root)):
                self.looking.add(unit)

    def need(self, unit: Unit, other: Unit, span: Span) -> None:
        """`unit` comes after `other`."""
        self.reads.setdefault(unit, {}).setdefault((other, ""), Edge(other, "", span))

    def _edges(self, root: TExpr) -> Iterator[Edge]:
        stack: list[tuple[TExpr, str]] = [(root, "")]
        while stack:
            node, through = stack.pop()
            inside = through
            match node.op:
                case Op.STEP:
                    yield Edge((node.level, str(node.data)), "", node.span)
                case Op.SHARE:
                    yield Edge((node.level, self.share_units[node.level, str(node.data)]), "", node.span)
                case Op.LIFT | Op.GROUP if self.world.levels[str(node.data)].kind == "group":
                    yield Edge((str(node.data), MEMBERS), "", node.span)
                case Op.WINDOW | Op.ROWS if isinstance(node.data, WindowUse):
                    use = node.data
                    if use.kind == "window":
                        sequence = EPISODE if use.inner else use.element
                        inside = f"window {sequence}"
                    elif use.kind == "above":
                        inside = f"above {use.element}"
                    else:
                        inside = ""
                        grouped = (
                            node.level
                            if use.element == self.world.levels[node.level].of
                            and self.world.levels[node.level].kind == "group"
                            else use.element
                        )
                        if self.world.levels[grouped].kind == "group":
                            yield Edge((grouped, MEMBERS), "", node.span)
                case Op.EARLIER if isinstance(node.data, tuple):
                    unit = self._unit(str(node.data[2]), str(node.data[1]))
                    if unit is not None:
                        yield Edge(unit, through, node.span)
            stack.extend((a, inside) for a in node.args)

    def _unit(self, level: str, name: str) -> Unit | None:
        symbol = self.world.levels[level].own.get(name)
        if symbol is None:
            unit = self.share_units.get((level, name))
            return None if unit is None else (level, unit)
        return (level, name) if symbol.role in (Role.STEP, Role.RECEIVED) else None


def blocks(units: Units, sink: Sink) -> tuple[TBlock, ...] | None:
    """All units in blocks; None after reporting a loop (RX304 within one level, RX464 across rows)."""
    return _Ordering(units, sink).run()


class _Ordering:
    def __init__(self, units: Units, sink: Sink) -> None:
        self.world = units.world
        self.given, self.looking = units.given, units.looking
        self.sink = sink
        self.reads = {u: [e for e in edges.values() if e.to in units.reads] for u, edges in units.reads.items()}
        self.place = {u: at for at, u in enumerate(self.reads)}
        self.phase: dict[Unit, int] = {}
        self.loops: dict[Unit, tuple[Unit, ...]] = {}  # units of a loop through a group's sequence, in order
        self.above: dict[Unit, tuple[Unit, ...]] = {}  # units of a loop through `above`, in order

    def run(self) -> tuple[TBlock, ...] | None:
        parts = list(_components(self.reads))
        settled: list[list[Unit]] = []
        for part in parts:
            ordered = self._settle(part)
            if ordered is None:
                return None
            settled.append(ordered)
        self._phases(parts)
        return tuple(self._emit([u for part in self._upward(settled) for u in part]))

    def _upward(self, parts: list[list[Unit]]) -> Iterator[list[Unit]]:
        """Components after those that they read, and groups of groups as late as that allows.

        So a group that is refused for any of its results is refused before the groups that it would be a member of.
        """
        of = {u: at for at, part in enumerate(parts) for u in part}
        below = [{of[e.to] for u in part for e in self.reads[u]} - {at} for at, part in enumerate(parts)]
        above: list[list[int]] = [[] for _ in parts]
        for at, needs in enumerate(below):
            for other in needs:
                above[other].append(at)
        waiting = [len(needs) for needs in below]
        ready = [(self._height(parts[at]), at) for at, n in enumerate(waiting) if not n]
        heapify(ready)
        while ready:
            _, at = heappop(ready)
            yield parts[at]
            for other in above[at]:
                waiting[other] -= 1
                if not waiting[other]:
                    heappush(ready, (self._height(parts[other]), other))

    def _height(self, part: list[Unit]) -> int:
        """How many kinds of groups lie one above the other up to a component; 0 inside a bill."""
        most = 0
        for unit in part:
            level, height = self.given.get(unit, unit[0]), 0
            while self._is_group(level):
                level, height = self.world.levels[level].of, height + 1
            most = max(most, height)
        return most

    # ---- loops ----

    def _settle(self, part: list[Unit]) -> list[Unit] | None:
        """The units of one component in order; None after reporting the loop that has none."""
        inside = set(part)
        edges = {u: [e for e in self.reads[u] if e.to in inside] for u in part}
        if not any(edges.values()):
            return part
        groups = {u[0] for u in part if self._is_group(u[0])}
        if groups:
            return self._group_loop(part, edges, groups)
        # Episodes are computed one after the other, so what came earlier is always there.
        return self._bill({u: [e for e in es if e.through != "window "] for u, es in edges.items()})

    def _bill(self, edges: Mapping[Unit, list[Edge]]) -> list[Unit] | None:
        result: list[Unit] = []
        for sub in _components(edges):
            inside = set(sub)
            own = {u: [e for e in edges[u] if e.to in inside] for u in sub}
            if not any(own.values()):
                result += sub
                continue
            levels = {u[0] for u in sub}
            (level, *others) = sorted(levels)
            left = {u: [e for e in es if e.through != f"above {level}"] for u, es in own.items()}
            rest = list(_components(left))
            if others or any(len(p) > 1 or any(e.to == p[0] for e in left[p[0]]) for p in rest):
                self._report(own if others else left)
                return None
            ordered = [u for p in rest for u in p]
            self.above.update(dict.fromkeys(ordered, tuple(ordered)))
            result += ordered
        return result

    def _group_loop(self, part: list[Unit], edges: Mapping[Unit, list[Edge]], groups: set[str]) -> list[Unit] | None:
        for group in sorted(groups):
            cut = {u: [e for e in es if e.through != f"window {group}"] for u, es in edges.items()}
            if not all(self._inside(u[0], group) for u in part):
                continue
            if any(e.through.startswith("window") for u in part for e in cut[u]):
                continue
            if any(u in self.looking and u[0] != group and self._is_group(u[0]) for u in part):
                continue  # groups below are computed with theirs, not in a sequence of their own
            subs = list(_components(cut))
            result: list[Unit] = []
            for sub in subs:
                inside = set(sub)
                own = {u: [e for e in cut[u] if e.to in inside] for u in sub}
                if any(self._is_group(u[0]) for u in sub) and any(own.values()):
                    break
                ordered = self._bill({u: [e for e in es if e.through != "window "] for u, es in own.items()})
                if ordered is None:
                    return None
                result += ordered
            else:
                self.loops.update(dict.fromkeys(result, (*result, (group, ""))))
                return result
        self._report(edges)
        return None

    def _inside(self, level: str, group: str) -> bool:
        """Whether rows of a level belong to one group of the kind, and to nothing wider."""
        return level == group or self.world.path(level, group) is not None

    def _across(self, unit: Unit) -> bool:
        """Whether a unit is computed with groups that go across bills."""
        return self._is_group(unit[0]) or unit in self.given

    def _is_group(self, level: str) -> bool:
        return not self.world.levels[level].in_bill

    def _report(self, edges: Mapping[Unit, list[Edge]]) -> None:
        """Names the shortest loop that no order resolves, and says why none does."""
        path = _circle({u: [e for e in es if not e.through] for u, es in edges.items()})
        why = "each needs the others first" if path else ""
        if not path:
            path, why = self._passing(edges)
        names = tuple(_shown(u) for u in path)
        by_pair = {(u, e.to): e for u, es in edges.items() for e in es}
        steps = [by_pair[a, b] for a, b in pairwise(path)]
        places = tuple(
            Label(span=e.span, text=f"`{a}` reads `{b}` here") for e, (a, b) in zip(steps, pairwise(names), strict=True)
        )
        if len({u[0] for u in path}) == 1 and not any(e.through for e in steps):
            self.sink.add(problems.cycle(places[0].span, names, places[1:]))
            return
        self.sink.add(level_problems.loop(places[0].span, names, why, places[1:]))

    def _passing(self, edges: Mapping[Unit, list[Edge]]) -> tuple[list[Unit], str]:
        """The loop to show where every turn passes through earlier rows, and why that does not help."""
        passes = sorted({e.through for es in edges.values() for e in es if e.through})
        windows = [p for p in passes if p.startswith("window")]
        if len(windows) > 1:
            cut = {u: [e for e in es if e.through != windows[-1]] for u, es in edges.items()}
            told = " and ".join(_through(p) for p in windows)
            return _circle(cut) or _circle(edges), f"its turns pass through rows of different sequences, {told}"
        through = (windows or passes)[0]
        counted = through.rpartition(" ")[2]
        part_of = self._inside if windows else str.__eq__
        outside = [u for u in edges if not part_of(u[0], counted)]
        path = _circle(edges, outside[:1]) or _circle(edges)
        told = ", ".join(f"`{_shown(u)}`" for u in outside if u in path)
        looking = next((u for u in edges if windows and u in self.looking and u[0] not in ("", counted)), None)
        if told:
            rest = f", but {told} is no part of one"
        elif looking is not None:
            path = _circle(edges, [looking]) or path
            rest = f", but `{_shown(looking)}` itself looks back in another sequence: give that call a step of its own"
        else:
            rest = ""
        return path, f"it passes through {_through(through)}{rest}"

    # ---- phases ----

    def _phases(self, parts: list[list[Unit]]) -> None:
        for part in parts:
            phase = 0
            inside = set(part)
            looped = any(u in self.loops for u in part)
            for u in part:
                for e in self.reads[u]:
                    if e.to in inside:
                        continue
                    later = (self._across(e.to) or e.to in self.loops) and not (self._across(u) or looped)
                    phase = max(phase, self.phase[e.to] + later)
            self.phase.update(dict.fromkeys(part, phase))

    def _emit(self, order: list[Unit]) -> Iterator[TBlock]:
        for phase in range(max(self.phase.values(), default=0) + 1):
            now = [u for u in order if self.phase[u] == phase]
            yield from self._blocks(phase, [u for u in now if not self._across(u) and u not in self.loops])
            yield from self._blocks(phase, [u for u in now if self._across(u) or u in self.loops])

    def _blocks(self, phase: int, units: list[Unit]) -> Iterator[TBlock]:
        run: list[Unit] = []
        done: set[Unit] = set()
        for u in units:
            if u in done:
                continue
            special = self.loops.get(u) or self.above.get(u)
            if special is None:
                run.append(u)
                continue
            if run:
                yield TBlock(phase, "", tuple(run))
                run = []
            if u in self.loops:
                through = special[-1][0]
                special = special[:-1]
            else:
                through = u[0]
            yield TBlock(phase, through, special)
            done |= set(special)
        if run:
            yield TBlock(phase, "", tuple(run))


def _components(edges: Mapping[Unit, list[Edge]]) -> Iterator[list[Unit]]:
    """Strongly connected components (Tarjan, without recursion), each after those that it reads."""
    index: dict[Unit, int] = {}
    low: dict[Unit, int] = {}
    on_stack: set[Unit] = set()
    stack: list[Unit] = []
    for root in edges:
        if root in index:
            continue
        work: list[tuple[Unit, Iterator[Edge]]] = [(root, iter(edges[root]))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        while work:
            unit, rest = work[-1]
            edge = next(rest, None)
            if edge is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[unit])
                if low[unit] == index[unit]:
                    part: list[Unit] = []
                    while True:
                        part.append(stack.pop())
                        on_stack.discard(part[-1])
                        if part[-1] == unit:
                            break
                    yield part[::-1]
            elif edge.to not in edges:
                continue
            elif edge.to not in index:
                index[edge.to] = low[edge.to] = len(index)
                stack.append(edge.to)
                on_stack.add(edge.to)
                work.append((edge.to, iter(edges[edge.to])))
            elif edge.to in on_stack:
                low[unit] = min(low[unit], index[edge.to])


def _shown(unit: Unit) -> str:
    """A unit as a rulebook writes it: `pays`, `lines.pays`, `region_year.by`, `shares.bill`."""
    level, name = unit
    told = name
    if ":" in name:
        head, _, rest = name.partition(":")
        told = {"members": "by", "shares": f"shares.{rest}", "guarantee": "guarantees"}.get(head, head)
    return f"{level}.{told}" if level else told


def _through(passed: str) -> str:
    """What an edge passes through, in words."""
    kind, _, level = passed.partition(" ")
    if kind == "above":
        return f"the rows of `{level}` above"
    return f"earlier `{level}`" if level else "earlier episodes"


def _circle(edges: Mapping[Unit, list[Edge]], starts: Iterable[Unit] | None = None) -> list[Unit]:
    """The shortest circle (through one of `starts`), first and last the same; empty when there is none."""
    best: list[Unit] = []
    for start in edges if starts is None else starts:
        before: dict[Unit, Unit] = {}
        queue = [start]
        while queue and start not in before:
            unit = queue.pop(0)
            for e in edges[unit]:
                if e.to in edges and e.to not in before:
                    before[e.to] = unit
                    queue.append(e.to)
        if start in before:
            path = [start]
            while True:
                path.append(before[path[-1]])
                if path[-1] == start:
                    break
            path.reverse()
            if not best or len(path) < len(best):
                best = path
    return best
