"""A graph laid out in layers from left to right: longest paths, then barycentre sweeps, then straightened.

An edge over several layers goes through bends; edges from one node share them, so that what is read in many places leaves
its node as one line. The same graph always gives the same picture.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, TypeAlias

SWEEPS: Final = 12
STRAIGHTENED: Final = 8
GAP: Final = 10.0  # between two nodes of a layer
THREAD: Final = 7.0  # the room that a bend takes


Point: TypeAlias = "tuple[float, float]"


@dataclass(frozen=True)
class Laid:
    """A graph with places. `at` has the left upper corner of each node; `edges` are those that could be layered.

    `lines` are the lines to draw from each node, each once, however many edges share it: pairs of points. `ends` are the
    points at which an edge arrives.
    """

    at: Mapping[str, tuple[float, float]]
    layer: Mapping[str, int]
    edges: frozenset[tuple[str, str]]
    lines: Mapping[str, tuple[tuple[Point, Point], ...]]
    ends: tuple[Point, ...]
    width: float
    height: float


@dataclass(frozen=True)
class Size:
    """How wide the nodes are, and how far layers stand apart."""

    width: float = 168.0
    apart: float = 44.0


def lay_out(
    heights: Mapping[str, float],
    edges: Iterable[tuple[str, str]],
    *,
    late: Iterable[str] = (),
    last: Iterable[str] = (),
    size: Size | None = None,
) -> Laid:
    """The layout of nodes with heights and edges between them, in the order given where nothing else decides.

    An edge that closes a circle is left out of the layering and has no path. `late` nodes stand right before the first
    that reads them instead of in the first layer, `last` nodes in the last layer.
    """
    size = size or Size()
    forward = _acyclic(list(heights), [e for e in dict.fromkeys(edges) if e[0] != e[1]])
    layer = _layers(list(heights), forward, frozenset(late), frozenset(last))
    graph = _Bent(heights, forward, layer)
    graph.sort()
    graph.straighten()
    return graph.laid(size)


def _acyclic(nodes: Sequence[str], edges: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The edges without those that close a circle, found depth first without recursion."""
    out: dict[str, list[str]] = {n: [] for n in nodes}
    for a, b in edges:
        out[a].append(b)
    state: dict[str, int] = {}
    back: set[tuple[str, str]] = set()
    for root in nodes:
        if root in state:
            continue
        state[root] = 1
        stack = [(root, iter(out[root]))]
        while stack:
            node, rest = stack[-1]
            following = next(rest, None)
            if following is None:
                state[node] = 2
                stack.pop()
            elif state.get(following) == 1:
                back.add((node, following))
            elif following not in state:
                state[following] = 1
                stack.append((following, iter(out[following])))
    return [e for e in edges if e not in back]


def _layers(
    nodes: Sequence[str], edges: Sequence[tuple[str, str]], late: frozenset[str], last: frozenset[str]
) -> dict[str, int]:
    """The layer of each node: one beyond the farthest that it reads."""
    before: dict[str, list[str]] = {n: [] for n in nodes}
    after: dict[str, list[str]] = {n: [] for n in nodes}
    for a, b in edges:
        before[b].append(a)
        after[a].append(b)
    waiting = {n: len(before[n]) for n in nodes}
    ready = [n for n in nodes if not waiting[n]]
    layer: dict[str, int] = {}
    for node in ready:  # grows while it is walked
        layer[node] = max((layer[b] + 1 for b in before[node]), default=0)
        for following in after[node]:
            waiting[following] -= 1
            if not waiting[following]:
                ready.append(following)
    end = max(layer.values(), default=0)
    for node in nodes:
        if node in last and not after[node]:
            layer[node] = end
    for node in nodes:
        if node in late and not before[node] and after[node]:
            layer[node] = min(layer[a] for a in after[node]) - 1
    return layer


class _Bent:
    """The graph with a node for each bend: every edge leads from one layer to the next."""

    def __init__(
        self, heights: Mapping[str, float], edges: Sequence[tuple[str, str]], layer: Mapping[str, int]
    ) -> None:
        self.heights = dict(heights)
        self.layer = dict(layer)
        self.columns: list[list[str]] = [[] for _ in range(max(layer.values(), default=0) + 1)]
        self.routes: dict[tuple[str, str], tuple[str, ...]] = {}
        for node in heights:
            self.columns[layer[node]].append(node)
        self.before: dict[str, list[str]] = {n: [] for n in heights}
        self.after: dict[str, list[str]] = {n: [] for n in heights}
        for a, b in edges:
            route = [a, *(self._bend(a, at) for at in range(layer[a] + 1, layer[b])), b]
            self.routes[a, b] = tuple(route)
            for one, two in pairwise(route):
                if two not in self.after[one]:
                    self.after[one].append(two)
                    self.before[two].append(one)
        self.middle: dict[str, float] = {}

    def _bend(self, source: str, at: int) -> str:
        name = f"\0{source}\0{at}"  # no name of a node has it
        if name not in self.layer:
            self.layer[name] = at
            self.heights[name] = THREAD
            self.columns[at].append(name)
            self.before[name], self.after[name] = [], []
        return name

    def sort(self) -> None:
        """Puts each layer into the order of what it is joined to, back and forth; the order with the fewest crossings stays."""
        best, fewest = [list(c) for c in self.columns], self.crossings()
        for sweep in range(SWEEPS):
            forth = sweep % 2 == 0
            near = self.before if forth else self.after
            for at in range(len(self.columns)) if forth else reversed(range(len(self.columns))):
                self._sort(at, near)
            now = self.crossings()
            if now < fewest:
                best, fewest = [list(c) for c in self.columns], now
        self.columns = best

    def _sort(self, at: int, near: Mapping[str, Sequence[str]]) -> None:
        place = {n: i for c in (at - 1, at + 1) if 0 <= c < len(self.columns) for i, n in enumerate(self.columns[c])}
        own = {n: i for i, n in enumerate(self.columns[at])}

        def centre(node: str) -> float:
            joined = [place[n] for n in near[node]]
            return sum(joined) / len(joined) if joined else float(own[node])

        self.columns[at].sort(key=lambda n: (centre(n), own[n]))

    def crossings(self) -> int:
        """How many pairs of edges between neighbouring layers cross."""
        total = 0
        for left, right in pairwise(self.columns):
            place = {n: i for i, n in enumerate(right)}
            ends = [p for n in left for p in sorted(place[a] for a in self.after[n])]
            total += _inversions(ends, len(right))
        return total

    def straighten(self) -> None:
        """Moves nodes toward the middle of what they are joined to, as far as their order leaves room."""
        for column in self.columns:
            at = 0.0
            for node in column:
                self.middle[node] = at + self.heights[node] / 2
                at += self.heights[node] + GAP
        for turn in range(STRAIGHTENED):
            forth = turn % 2 == 0
            near = self.before if forth else self.after
            for column in self.columns if forth else reversed(self.columns):
                wanted = [self._wanted(n, near) for n in column]
                for node, middle in zip(column, self._apart(column, wanted), strict=True):
                    self.middle[node] = middle

    def _wanted(self, node: str, near: Mapping[str, Sequence[str]]) -> float:
        joined = [self.middle[n] for n in near[node]]
        return sum(joined) / len(joined) if joined else self.middle[node]

    def _apart(self, column: Sequence[str], wanted: Sequence[float]) -> list[float]:
        """The middles nearest to those wanted that keep the order and leave room: neighbours in each other's way move as one."""
        offset, at = [], 0.0
        for n, node in enumerate(column):
            at += (self.heights[column[n - 1]] / 2 + GAP + self.heights[node] / 2) if n else 0.0
            offset.append(at)
        groups: list[tuple[float, int]] = []  # the sum of what its members want, less their offsets; how many they are
        for want, off in zip(wanted, offset, strict=True):
            groups.append((want - off, 1))
            while len(groups) > 1 and groups[-2][0] / groups[-2][1] > groups[-1][0] / groups[-1][1]:
                (a, m), (b, k) = groups[-2:]
                groups[-2:] = [(a + b, m + k)]
        means = [total / count for total, count in groups for _ in range(count)]
        return [mean + off for mean, off in zip(means, offset, strict=True)]

    def laid(self, size: Size) -> Laid:
        """The places, from 0 on."""
        top = min((self.middle[n] - self.heights[n] / 2 for n in self.middle), default=0.0)
        bottom = max((self.middle[n] + self.heights[n] / 2 for n in self.middle), default=0.0)
        step = size.width + size.apart

        def left(node: str) -> float:
            return self.layer[node] * step

        def points(route: Sequence[str]) -> Iterator[Point]:
            yield left(route[0]) + size.width, self.middle[route[0]] - top
            for bend in route[1:-1]:
                yield left(bend), self.middle[bend] - top
                yield left(bend) + size.width, self.middle[bend] - top
            yield left(route[-1]), self.middle[route[-1]] - top

        lines: dict[str, dict[tuple[Point, Point], None]] = {}
        ends: dict[Point, None] = {}
        for (source, _), route in self.routes.items():
            through = list(points(route))
            lines.setdefault(source, {}).update(dict.fromkeys(pairwise(through)))
            ends.setdefault(through[-1])
        real = [n for n in self.middle if not n.startswith("\0")]
        return Laid(
            at={n: (left(n), self.middle[n] - self.heights[n] / 2 - top) for n in real},
            layer={n: self.layer[n] for n in real},
            edges=frozenset(self.routes),
            lines={source: tuple(found) for source, found in lines.items()},
            ends=tuple(ends),
            width=len(self.columns) * step - size.apart if self.middle else 0.0,
            height=bottom - top,
        )


def _inversions(values: Sequence[int], size: int) -> int:
    """How many pairs stand in the wrong order: a tree of counts, so that a thousand edges take no time."""
    tree = [0] * (size + 1)
    total = 0
    for seen, value in enumerate(values):
        at, below = value + 1, 0
        while at:
            below += tree[at]
            at -= at & -at
        total += seen - below
        at = value + 1
        while at <= size:
            tree[at] += 1
            at += at & -at
    return total
