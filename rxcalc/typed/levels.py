"""The levels of a rulebook (episode, lists, groups), their names, and how a row of one belongs to a row of another."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from rxcalc.diagnostics.model import Sink
from rxcalc.lang.types import ERROR, MONEY, Type
from rxcalc.rulebook.bases import HIDDEN
from rxcalc.source import Span
from rxcalc.syntax import nodes as syn
from rxcalc.typed import level_problems, problems
from rxcalc.typed.symbols import Role, Symbol, SymbolTable, nearest

EPISODE: Final = ""
EPISODES: Final = "episodes"
ABOVE: Final = "above"


@dataclass(frozen=True, slots=True)
class Level:
    """A kind of row.

    `kind` is episode, list or group. `of` is the level of a group's members. `in_bill`: the rows lie
    inside one bill. `own` are the names declared on it.
    """

    name: str
    kind: str
    of: str
    in_bill: bool
    own: Mapping[str, Symbol]
    symbols: SymbolTable


@dataclass(slots=True)
class World:
    """What typing must know across levels; `types` of steps and keys fill up while they are inferred."""

    levels: dict[str, Level]
    types: dict[tuple[str, str], Type] = field(default_factory=dict)
    keyless: set[str] = field(default_factory=set)  # group kinds of which a member may have no group
    sometimes: dict[str, set[str]] = field(default_factory=dict)  # spreads received: the levels with rows that get none
    higher: dict[str, list[str]] = field(default_factory=dict)  # what `above` tells, filled when first asked for

    def type_of(self, level: str, name: str) -> Type:
        """The type of a step, key or spread received; ERROR while it is not known."""
        return self.types.get((level, name), ERROR)

    def above(self, level: str) -> tuple[str, ...]:
        """The levels that a row of `level` belongs to directly: its episode, the groups that it is a member of."""
        if not self.higher:
            for one in self.levels.values():
                self.higher[one.name] = [EPISODE] if one.name != EPISODE and one.in_bill else []
            for one in self.levels.values():
                if one.kind == "group":
                    self.higher[one.of].append(one.name)
        return tuple(self.higher.get(level, ()))  # a level that was reported has none

    def path(self, start: str, target: str) -> tuple[str, ...] | None:
        """The levels to climb from a row of `start` to the row of `target` that it belongs to; None where it belongs to none."""
        paths: list[tuple[str, tuple[str, ...]]] = [(start, ())]
        seen = {start}
        while paths:
            level, path = paths.pop(0)
            if level == target:
                return path
            for higher in self.above(level):
                if higher not in seen:
                    seen.add(higher)
                    paths.append((higher, (*path, higher)))
        return None

    def may_have_none(self, path: Iterable[str]) -> bool:
        """Whether a row may belong to no row at the end of a path: a group whose key may be missing."""
        return any(level in self.keyless for level in path)

    def rows(self, level: str) -> dict[str, str]:
        """What aggregates on `level` may go over: the word written, and the level of those rows."""
        own = self.levels[level]
        if own.kind == "group":
            found = {EPISODES if own.of == EPISODE else own.of: own.of}
            if not own.in_bill:
                return found
            out = {EPISODE, level}
            below = self.levels[own.of]
            while below.kind == "group":  # what its members are made of, they add up themselves
                out.add(below.of)
                below = self.levels[below.of]
            return {**{g.name: g.name for g in self.levels.values() if g.in_bill and g.name not in out}, **found}
        return {g.name: g.name for g in self.levels.values() if g.in_bill and g.name != EPISODE}


def word_of(level: str) -> str:
    """A level as messages call its rows."""
    return "the episode" if level == EPISODE else f"`{level}`"


def distinct(decl: syn.RulebookDecl, sink: Sink) -> syn.RulebookDecl:
    """The rulebook without the lists and groups that bear the name of an earlier one, which are reported."""
    seen: dict[str, Span] = {}
    kept: set[int] = set()
    levels: tuple[syn.ListDecl | syn.GroupDecl, ...] = (*decl.lists, *decl.groups)
    for of in levels:
        first = seen.setdefault(of.name.name, of.name.span)
        if first is of.name.span:
            kept.add(id(of))
        else:
            sink.add(problems.duplicate_name(of.name.span, of.name.name, first, Role.LIST.value))
    return replace(
        decl,
        lists=tuple(x for x in decl.lists if id(x) in kept),
        groups=tuple(g for g in decl.groups if id(g) in kept),
    )


def build(
    decl: syn.RulebookDecl,
    resolve: Callable[[syn.TypeSpec], Type],
    part_key: Callable[[int, syn.PartitionDecl, syn.BearerDecl, syn.PartDecl], str],
    sink: Sink,
) -> World:
    """The levels with their names; duplicate and hidden names are reported."""
    return _Builder(decl, resolve, part_key, sink).run()


class _Builder:
    def __init__(
        self,
        decl: syn.RulebookDecl,
        resolve: Callable[[syn.TypeSpec], Type],
        part_key: Callable[[int, syn.PartitionDecl, syn.BearerDecl, syn.PartDecl], str],
        sink: Sink,
    ) -> None:
        self.decl = decl
        self.resolve = resolve
        self.part_key = part_key
        self.sink = sink

    def run(self) -> World:
        decl = self.decl
        shared: dict[str, Symbol] = {}
        for p in decl.parameters:
            self._add(shared, p.name, Role.PARAMETER)
        for t in decl.tables:
            self._add(shared, t.name, Role.TABLE)
        for g in decl.groups:
            self._add(shared, g.name, Role.GROUP)
        known = {s.name.name for s in decl.lists} | {g.name.name for g in decl.groups} | {EPISODES}
        kept = [g for g in decl.groups if self._of(g, known)]
        groups = self._acyclic(kept)
        in_bill = {s.name.name for s in decl.lists}
        for g in groups:  # of lists and of groups of lists
            if g.of.name in in_bill:
                in_bill.add(g.name.name)
        receivers = self._receivers(groups)
        levels: dict[str, Level] = {}
        own = self._own(EPISODE, decl.inputs, decl.steps, receivers, decl.windows, base=shared)
        for s in decl.lists:
            self._add(own, s.name, Role.LIST, EPISODE, base=shared)
        shares = self._shares(decl.shares, own, EPISODE)
        levels[EPISODE] = Level(EPISODE, "episode", "", True, own, SymbolTable({**shared, **own}, shares))  # noqa: FBT003 - a field
        episode = levels[EPISODE].symbols
        for s in decl.lists:
            fields = self._own(s.name.name, s.inputs, s.steps, receivers, (), base=shared)
            if s.order:
                fields.setdefault(ABOVE, Symbol(ABOVE, Role.WINDOW, s.name.span, level=s.name.name))
            self._hidden(fields, own)
            names = {**episode.names, **fields}
            levels[s.name.name] = Level(s.name.name, "list", "", True, fields, SymbolTable(names, episode.shares))  # noqa: FBT003 - a field
        for g in groups:
            name = g.name.name
            fields = {}
            for key in g.by:
                self._add(fields, key.name, Role.KEY, name, base=shared)
            for symbol in self._own(name, g.inputs, g.steps, receivers, g.windows, base=shared, into=fields).values():
                fields[symbol.name] = symbol
            inside = name in in_bill
            if inside:
                self._hidden(fields, own)
            outer = episode.names if inside else shared
            of = EPISODE if g.of.name == EPISODES else g.of.name
            levels[name] = Level(
                name,
                "group",
                of,
                inside,
                fields,
                SymbolTable({**outer, **fields}, self._shares(g.shares, fields, name)),
            )
        return World(levels)

    def _add(
        self, names: dict[str, Symbol], ident: syn.Ident, role: Role, level: str = "", type_: Type | None = None,
        *, missing: bool = False, base: Mapping[str, Symbol] | None = None,
    ) -> None:  # fmt: skip
        first = names.get(ident.name) or (base or {}).get(ident.name)
        if first is not None:
            if first.span.file == ident.span.file and first.span.start > ident.span.start:
                self.sink.add(problems.duplicate_name(first.span, ident.name, ident.span, role.value))
            else:
                self.sink.add(problems.duplicate_name(ident.span, ident.name, first.span, first.role.value))
            return
        names[ident.name] = Symbol(ident.name, role, ident.span, type_, missing, level)

    def _own(
        self,
        level: str,
        inputs: tuple[syn.InputDecl, ...],
        steps: tuple[syn.StepDecl, ...],
        receivers: Mapping[str, list[syn.Ident]],
        windows: tuple[syn.WindowDecl, ...],
        *,
        base: Mapping[str, Symbol],
        into: dict[str, Symbol] | None = None,
    ) -> dict[str, Symbol]:
        names: dict[str, Symbol] = into if into is not None else {}
        for i in inputs:
            missing = i.optional and i.default is None
            self._add(names, i.name, Role.INPUT, level, self.resolve(i.type), missing=missing, base=base)
        for s in steps:
            self._add(names, s.name, Role.STEP, level, missing=s.optional, base=base)
        for ident in receivers.get(level, ()):
            self._add(names, ident, Role.RECEIVED, level, MONEY, base=base)
        for w in windows:
            self._add(names, w.name, Role.WINDOW, level, base=base)
        return names

    def _hidden(self, fields: Mapping[str, Symbol], outer: Mapping[str, Symbol]) -> None:
        for name, symbol in fields.items():
            other = outer.get(name) if HIDDEN not in name else None
            if other is not None and other.role not in (Role.LIST, Role.GROUP):
                self.sink.add(level_problems.hides(symbol.span, name, symbol.level, other.span))
            elif other is not None:
                self.sink.add(problems.duplicate_name(symbol.span, name, other.span, other.role.value))

    def _shares(
        self, partitions: tuple[syn.PartitionDecl, ...], own: Mapping[str, Symbol], level: str
    ) -> dict[str, Symbol]:
        shares: dict[str, Symbol] = {}
        for index, partition in enumerate(partitions):
            for bearer in partition.bearers:
                for part in bearer.parts:
                    key = self.part_key(index, partition, bearer, part)
                    if key in shares:
                        self.sink.add(problems.duplicate_name(part.span, key, shares[key].span, "part of the shares"))
                    shares[key] = Symbol(key, Role.PART, part.span, MONEY, level=level)
                if index == 0 and f"{bearer.name.name}_pays" not in own:
                    total = f"{bearer.name.name}_pays"
                    shares[total] = Symbol(total, Role.TOTAL, bearer.name.span, MONEY, level=level)
        return shares

    def _of(self, g: syn.GroupDecl, known: set[str]) -> bool:
        if g.of.name in known:
            return True
        others = sorted(known - {g.name.name})
        self.sink.add(problems.unknown_name(g.of.span, g.of.name, nearest(g.of.name, others), ", ".join(others)))
        return False

    def _acyclic(self, groups: list[syn.GroupDecl]) -> list[syn.GroupDecl]:
        """The groups, each after what it is a group of; those that are groups of each other are reported."""
        done: list[syn.GroupDecl] = []
        names = {s.name.name for s in self.decl.lists} | {EPISODES}
        left = list(groups)
        while left:
            ready = [g for g in left if g.of.name in names]
            if not ready:
                self.sink.add(level_problems.groups_in_circle(left[0].of.span, [g.name.name for g in left]))
                return done
            for g in ready:
                names.add(g.name.name)
                left.remove(g)
            done += ready
        return done

    def _receivers(self, groups: list[syn.GroupDecl]) -> dict[str, list[syn.Ident]]:
        """The spreads by the level that receives them."""
        found: dict[str, list[syn.Ident]] = {}
        lists = {s.name.name for s in self.decl.lists}
        for spread in self.decl.spreads:
            if spread.over.name in lists:
                found.setdefault(spread.over.name, []).append(spread.name)
            else:
                near = nearest(spread.over.name, sorted(lists))
                self.sink.add(problems.unknown_name(spread.over.span, spread.over.name, near, ", ".join(sorted(lists))))
        by_name = {g.name.name: g for g in groups}
        for g in groups:
            members = [g.of.name]
            while members[-1] in by_name:  # members of members too
                members.append(by_name[members[-1]].of.name)
            for spread in g.spreads:
                if spread.over.name in members:
                    over = spread.over.name
                    found.setdefault(EPISODE if over == EPISODES else over, []).append(spread.name)
                else:
                    near = nearest(spread.over.name, members) or g.of.name
                    self.sink.add(problems.unknown_name(spread.over.span, spread.over.name, near, ", ".join(members)))
        return found
