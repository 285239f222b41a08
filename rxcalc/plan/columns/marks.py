"""Which rows read a group that lost a member: their results carry `group_incomplete`.

Whether a row reads a group at all depends on the branches that it takes. That is what failures tell already: so items are formed
once more when all is formed, with reading an incomplete group as the failure. On rows that are not refused no other failure holds.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Generic, TypeVar

from rxcalc.lang.ops import Op
from rxcalc.lang.types import COUNT, FLAG
from rxcalc.plan.columns.across import Aggregate, Lifted, Result
from rxcalc.plan.columns.formed import Formed, either
from rxcalc.plan.columns.lookups import At
from rxcalc.plan.columns.numbers import Number
from rxcalc.plan.columns.sides import OTHER, reading
from rxcalc.plan.columns.walk import Walk
from rxcalc.plan.nodes import PlanSpread

if TYPE_CHECKING:
    from rxcalc.plan.columns.levels import Levels, LevelWalk

__all__ = ["Marks"]

X = TypeVar("X")


class Marks(Generic[X]):
    """The marks of a plan. `unknown` says why they cannot be found in columns."""

    def __init__(self, levels: Levels[X]) -> None:
        self._levels = levels
        self._walks = {kind: _Marking(levels, kind) for kind in sorted(levels.across)}
        self._found: dict[tuple[str, str], list[X]] = {}  # by kind read and level
        self._incomplete: dict[str, X] = {}
        self.unknown = ""

    def item(self, level: str, roots: Iterable[int], form: Callable[[Walk[X]], X | None]) -> None:
        """An item of a level, which evaluates these nodes; `form` gives where it fails."""
        roots = set(roots)
        for kind, marking in self._walks.items():
            if roots.isdisjoint(marking.nodes):
                continue
            mark = form(marking.walk(level))
            if mark is not None:
                self._found.setdefault((kind, level), []).append(mark)

    def received(self, s: PlanSpread) -> None:
        """Who receives a part of what a group gives has read it."""
        kernel = self._levels.walks[s.target].kernel
        lifted = kernel.across(Lifted(s.source, self.incomplete(s.source)))[0]
        nobody = kernel.unary("not", kernel.always())
        self._found.setdefault((s.source, s.target), []).append(kernel.binary("default", lifted, nobody))

    def kinds(self, reads: Mapping[str, Collection[str]]) -> list[str]:
        """The kinds of groups, each after those that it reads."""
        done: list[str] = []
        while len(done) < len(reads):
            ready = [kind for kind, read in reads.items() if kind not in done and not set(read) - set(done) - {kind}]
            if not ready:
                self.unknown = f"groups {', '.join(sorted(set(reads) - set(done)))} read each other"
                return []
            done += ready
        return done

    def read_by(self, level: str) -> set[str]:
        """The kinds that nodes of a level read."""
        nodes = self._levels.plan.nodes
        return {
            kind for kind, marking in self._walks.items() if any(nodes[node].level == level for node in marking.nodes)
        }

    def reads(self, node: int) -> bool:
        """Whether a node reads a group across bills."""
        return any(node in marking.nodes for marking in self._walks.values())

    def incomplete(self, kind: str) -> X:
        """Which groups of a kind lack a member, or have read one that does."""
        if kind not in self._incomplete:
            levels = self._levels
            kernel, of = levels.walks[kind].kernel, levels.groups[kind].of
            found: list[X | None] = [kernel.binary(">", kernel.taken("__rejected"), kernel.whole(0, 64))]
            gone = levels.standing.refused(of)
            if gone is not None and gone is not levels.standing.formed[kind]:
                result = Result("any", distinct=False, type=FLAG, width=64)
                form = Aggregate(result, kind, of, kind, before=False, keys=(), value=gone, where=None, fail=None)
                found.append(kernel.across(form)[0])
            found += [mark for (_, level), marks in self._found.items() if level == kind for mark in marks]
            whole = either(kernel, *found)
            assert whole is not None  # noqa: S101 - it has at least one part
            self._incomplete[kind] = kernel.share(kernel.binary("default", whole, kernel.always()))
        return self._incomplete[kind]

    def bills(self, kind: str) -> X | None:
        """Which bills read an incomplete group of a kind; None: none does."""
        levels = self._levels
        kernel = levels.walks[""].kernel
        found: list[X | None] = []
        for level in sorted(levels.in_bill):
            own = levels.walks[level].kernel
            mark = either(own, *self._found.get((kind, level), []))
            if mark is not None and level:
                result = Result("any", distinct=False, type=FLAG, width=64)
                form = Aggregate(
                    result, "", level, "", before=False, keys=(), value=own.share(mark), where=None, fail=None
                )
                mark = kernel.across(form)[0]
            found.append(mark)
        return either(kernel, *found)


class _Marking(Generic[X]):
    """The walks that fail where an incomplete group of one kind is read."""

    def __init__(self, levels: Levels[X], kind: str) -> None:
        self.levels, self.kind = levels, kind
        self.nodes = reading(levels.plan, {kind})
        self._walks: dict[str, _MarkWalk[X]] = {}

    def walk(self, level: str) -> _MarkWalk[X]:
        """The walk of a level."""
        if level not in self._walks:
            self._walks[level] = _MarkWalk(self, self.levels.walks[level])
        return self._walks[level]


class _MarkWalk(Walk[X]):
    """Nodes of a level, failing only where they read an incomplete group."""

    def __init__(self, marking: _Marking[X], main: LevelWalk[X]) -> None:
        super().__init__(main.plan, main.kernel, limited=main.limited, earlier=main.earlier, like=main)
        self._marking, self._main = marking, main
        self.inputs, self.steps = main.inputs, dict(main.steps)
        self.shares = dict(main.shares)

    def form(self, node: int, local: tuple[str, Number[X]] | None = None) -> Formed[X]:
        """The node; what reads no such group is as it was formed, without failures."""
        if local is not None or node in self.bound:
            return super().form(node, local)
        if node not in self._marking.nodes:
            return replace(self._main.form(node), fail=None)
        entry = self.plan.nodes[node]
        match entry.op:
            case Op.LIFT | Op.GROUP | Op.ROWS:
                return replace(self._main.form(node), fail=self._mark(node))
            case _:
                return super().form(node)

    def effective(self) -> At[X]:
        return self._main.effective()

    def _mark(self, node: int) -> X | None:
        """Where a node that takes something from other rows reads an incomplete group."""
        marking, levels, entry = self._marking, self._marking.levels, self.plan.nodes[node]
        if entry.op is Op.ROWS:
            return self._of_call(int(str(entry.data)))
        level = str(entry.data)
        found = self.fails(entry.args[1:]) if entry.op is Op.GROUP else None
        at: X | None = None
        if level == marking.kind:
            mark: X | None = levels.marks.incomplete(level)
            at = levels.place(self._main, entry) if entry.op is Op.GROUP else None
        elif level in levels.across:
            return found
        else:
            mark = marking.walk(level).form(entry.args[0]).fail
        if mark is None:
            return found
        lifted = self.kernel.across(Lifted(level, mark, at))[0]
        nobody = self.kernel.unary("not", self.kernel.always())
        return either(self.kernel, found, self.kernel.share(self.kernel.binary("default", lifted, nobody)))

    def _of_call(self, place: int) -> X | None:
        """A call reads what it reads of this row's groups where it goes over any row at all."""
        call, levels = self.plan.calls[place], self._marking.levels
        marks: list[X | None] = []
        todo = [node for node in (call.value, call.where) if node >= 0]
        while todo:
            node = todo.pop()
            if node not in self._marking.nodes:
                continue
            if not levels.sides[node] & OTHER:
                marks.append(self.form(node).fail)
            elif self.plan.nodes[node].op in {Op.LIFT, Op.GROUP}:
                levels.marks.unknown = f"{call.key} reads groups by what it goes over"
            else:
                todo.extend(self.plan.nodes[node].args)
        mark = either(self.kernel, *marks)
        if mark is None:
            return None
        form: Aggregate[X] = Aggregate(
            Result("count", distinct=False, type=COUNT, width=64), call.level, call.element,
            levels.calls.base(call), before=call.kind == "above", keys=(), value=None, where=None, fail=None,
        )  # fmt: skip
        some = self.kernel.binary(">", self.kernel.across(form)[0], self.kernel.whole(0, 64))
        return self.kernel.binary("and", some, mark)
