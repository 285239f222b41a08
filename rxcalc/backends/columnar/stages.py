"""Kernels for several frames, and the run of what they have put together: in stages, between which columns cross from frame to frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from rxcalc.backends.columnar.crossings import (
    Added,
    AddedPairs,
    Crossing,
    Formed,
    Frames,
    Membership,
    Searched,
    Spot,
    Taken,
)
from rxcalc.backends.columnar.kernel import PolarsKernel, carrier
from rxcalc.backends.columnar.layers import Layer, Layers, Past, Search
from rxcalc.backends.columnar.loops import Rows
from rxcalc.lang.types import OneOf
from rxcalc.plan.columns.across import (
    Across,
    Aggregate,
    Belongs,
    Found,
    Grouped,
    Lifted,
    Loop,
    PairAggregate,
)
from rxcalc.plan.nodes import Plan

__all__ = ["FrameKernel", "Stages"]


@dataclass(slots=True)
class Stages:
    """The kernels of a plan, by level, and the crossings of each stage with the columns that they give.

    A column of stage s is computed from columns of its own frame up to s, after the crossings of stage s, which read
    columns of earlier stages.
    """

    plan: Plan
    kernels: dict[str, FrameKernel] = field(default_factory=dict)
    crossings: list[list[tuple[str, tuple[str, ...], Crossing]]] = field(default_factory=list)
    _live: dict[object, list[_Stage]] = field(default_factory=dict)

    def kernel(self, level: str) -> FrameKernel:
        """The kernel of a level."""
        if level not in self.kernels:
            self.kernels[level] = FrameKernel(self, level)
        return self.kernels[level]

    def compute(
        self,
        frames: Frames,
        wanted: Mapping[str, Mapping[str, pl.Expr]],
        carried: Mapping[str, Sequence[str]],
        past: Past | None = None,
    ) -> dict[str, pl.DataFrame]:
        """The carried columns and the wanted expressions of each level; `past` is what the episodes see of earlier ones."""
        tables = frames.tables
        frames.of = {g.name: g.of for g in self.plan.groups}
        for stage in self._plan_for(wanted, carried):
            for level, names, crossing in stage.crossings:
                columns = [column.alias(name) for column, name in zip(crossing.run(frames), names, strict=True)]
                tables[level] = tables[level].with_columns(columns)
            for level, (layers, made, keep) in stage.layers.items():
                if level not in tables:
                    continue
                if made:
                    results = [pl.col(name) for name in made]
                    tables[level] = layers.compute(tables[level], results, keep, None if level else past)
                elif len(keep) < tables[level].width:
                    tables[level] = tables[level].select(keep)
        done: dict[str, pl.DataFrame] = {}
        for level, exprs in wanted.items():
            results = [expr.alias(name) for name, expr in exprs.items()]
            done[level] = Layers([]).compute(tables[level], results, carried.get(level, ()))
        return done

    def _plan_for(
        self, wanted: Mapping[str, Mapping[str, pl.Expr]], carried: Mapping[str, Sequence[str]]
    ) -> list[_Stage]:
        """What each stage has to do for these results."""
        key = tuple((level, *exprs, *carried.get(level, ())) for level, exprs in wanted.items())
        if key not in self._live:
            self._live[key] = self._planned(wanted, carried)
        return self._live[key]

    def _planned(
        self, wanted: Mapping[str, Mapping[str, pl.Expr]], carried: Mapping[str, Sequence[str]]
    ) -> list[_Stage]:
        needed: dict[str, set[str]] = {level: {*kernel.base} for level, kernel in self.kernels.items()}
        for level, exprs in wanted.items():
            needed[level].update(carried.get(level, ()))
            for expr in exprs.values():
                needed[level].update(expr.meta.root_names())
        stages: list[_Stage] = []
        for number in reversed(range(len(self.crossings))):
            layers = {}
            for level, kernel in self.kernels.items():
                if number < kernel.first:
                    continue
                own = kernel.stages[number] if number < len(kernel.stages) else []
                made = sorted(needed[level] & {name for layer in own for name, _ in layer})
                keep = sorted(needed[level] - set(made))
                layers[level] = (Layers(own), tuple(made), tuple(keep))
                needed[level] = set(keep) | _read(own, made)
            crossings = []
            for level, names, crossing in reversed(self.crossings[number]):
                if needed[level].isdisjoint(names) and not isinstance(crossing, Formed):
                    continue
                needed[level].difference_update(names)
                for where, name in crossing.reads:
                    needed[where].add(name)
                crossings.append((level, names, crossing))
            stages.append(_Stage(crossings[::-1], layers))
        return stages[::-1]


@dataclass(frozen=True, slots=True)
class _Stage:
    """Crossings, and for each level its layers, what is made by them and what is kept of before."""

    crossings: Sequence[tuple[str, tuple[str, ...], Crossing]]
    layers: Mapping[str, tuple[Layers, tuple[str, ...], tuple[str, ...]]]


def _read(layers: Sequence[Layer], made: Sequence[str]) -> set[str]:
    """What the layers read for these columns of theirs, without what they make themselves."""
    needed = set(made)
    for layer in reversed(layers):
        active = [(name, what) for name, what in layer if name in needed]
        needed.difference_update(name for name, _ in active)
        for _, what in active:
            needed.update(what.meta.root_names() if isinstance(what, pl.Expr) else what.reads)
    return needed


class FrameKernel(PolarsKernel):
    """The kernel of one level. `stages` holds the layers of each stage; `first` is the stage at which its rows are there.

    `base` are columns that are there from the start.
    """

    def __init__(self, owner: Stages, level: str) -> None:
        super().__init__(owner.plan.tables)
        self.owner, self.level = owner, level
        self.stages: list[list[Layer]] = []
        self.first = 0
        across = any(g.name == level and not g.inside for g in owner.plan.groups)
        self.base: tuple[str, ...] = () if not level else ("__rejected",) if across else ("__up",)
        self.keys: dict[str, tuple[str, ...]] = {}  # by kind of groups the names of their keys' columns
        self._stage: dict[str, int] = {}
        self._known: dict[tuple[object, ...], tuple[pl.Expr, ...]] = {}
        self._once: dict[int, tuple[pl.Expr, pl.Expr]] = {}

    def share(self, a: pl.Expr) -> pl.Expr:
        """The same value, computed once."""
        if id(a) not in self._once:
            self._once[id(a)] = (a, super().share(a))  # an id stays taken as long as its object lives
        return self._once[id(a)][1]

    def _add(self, what: pl.Expr | Search, reads: Sequence[str]) -> str:
        stage = max((self._stage.get(name, 0) for name in reads), default=0)
        stage = max(stage, self.first)
        level = max((self._level[name] for name in reads if self._stage.get(name, -1) == stage), default=0)
        name = self._new(stage, level + 1)
        while len(self.stages) <= stage:
            self.stages.append([])
        layers = self.stages[stage]
        while len(layers) <= level:
            layers.append([])
        layers[level].append((name, what))
        self._reach(stage)
        return name

    def _new(self, stage: int, level: int) -> str:
        name = f"_{len(self._level)}"
        self._level[name], self._stage[name] = level, stage
        return name

    def _reach(self, stage: int) -> None:
        while len(self.owner.crossings) <= stage:
            self.owner.crossings.append([])

    def stage_of(self, name: str) -> int:
        """The stage after which a column is there."""
        return max(self._stage.get(name, 0), self.first)

    def frame(self, level: str) -> FrameKernel:
        """The kernel of another level."""
        return self.owner.kernel(level)

    def across(self, form: Across[pl.Expr]) -> tuple[pl.Expr, ...]:
        """Columns taken from other frames or rows."""
        match form:
            case Lifted():
                at = None if form.at is None else self._spot(self.level, form.at)
                taken = Taken(self.level, self._spot(form.level, form.code), at)
                return self._cross(taken, (form.level,), 1, (taken.source, taken.at))
            case Belongs():
                return self._cross(Membership(self.level, form.kind), (form.kind,), 1, (form.kind,))
            case Grouped():
                return self._grouped(form)
            case Found():
                keys = tuple(self._spot(self.level, key) for key in form.keys)
                theirs = self.frame(form.kind).keys[form.kind]
                searched = Searched(self.level, form.kind, keys, theirs, form.inside)
                return self._cross(searched, (form.kind,), 1, (form.kind, keys))
            case Aggregate():
                return self._aggregate(form)
            case PairAggregate():
                return self._pairs(form)
            case Loop():
                taken_ = {name: self._named_column(code) for name, code in form.taken.items()}
                own = {name: self._named_column(code) for name, code in form.own_taken.items()}
                keys_ = {
                    call.place: [(self._named_column(a), self._named_column(b)) for a, b in call.keys]
                    for call in form.calls
                }
                return self._cross(Rows.of(form, taken_, own, keys_), (), len(form.results), None)

    def _spot(self, level: str, code: pl.Expr) -> Spot:
        return level, self.frame(level)._named_column(code)  # noqa: SLF001 -- of the same class

    def _cross(
        self, crossing: Crossing, levels: Sequence[str], gives: int, key: tuple[object, ...] | None
    ) -> tuple[pl.Expr, ...]:
        """Adds a crossing, unless it is there already; `levels` are those whose rows must be there."""
        known = None if key is None else (type(crossing), *key)
        if known in self._known:
            return self._known[known]
        stage = max((self.frame(level).stage_of(name) for level, name in crossing.reads), default=0)
        stage = 1 + max([stage, self.first, *(self.frame(level).first for level in levels)])
        names = tuple(self._new(stage, 0) for _ in range(gives))
        self._reach(stage)
        self.owner.crossings[stage].append((self.level, names, crossing))
        columns = tuple(self._column(name) for name in names)
        if known is not None:
            self._known[known] = columns
        return columns

    def _grouped(self, form: Grouped[pl.Expr]) -> tuple[pl.Expr, ...]:
        group = next(g for g in self.owner.plan.groups if g.name == form.kind)
        orders: list[Sequence[int] | None] = []
        for key in group.keys:
            values = key.type.values if isinstance(key.type, OneOf) else ()
            by_name = {value: at for at, value in enumerate(sorted(values))}
            orders.append([by_name[value] for value in values] if values else None)
        keys = tuple(self._spot(form.of, code) for code in form.keys)
        out = None if form.out is None else self._spot(form.of, form.out)
        formed = Formed(form.kind, form.of, keys, orders, form.inside, out)
        stage = 1 + max((self.frame(level).stage_of(name) for level, name in formed.reads), default=0)
        self.first = max(stage, 1 + self.frame(form.of).first)
        names = tuple(self._new(self.first, 0) for _ in keys)
        self._reach(self.first)
        self.owner.crossings[self.first].append((self.level, names, formed))
        self.keys[form.kind] = names
        return tuple(self._column(name) for name in names)

    def _aggregate(self, form: Aggregate[pl.Expr]) -> tuple[pl.Expr, ...]:
        element = self.frame(form.element)
        parts = [None if part is None else element._named_column(part) for part in (form.value, form.where, form.fail)]  # noqa: SLF001
        mine = tuple(self._named_column(a) for a, _ in form.keys)
        theirs = tuple(element._named_column(b) for _, b in form.keys)  # noqa: SLF001 -- of the same class
        kind = carrier(form.result.type, form.result.width)
        added = Added(form.result, kind, form.level, form.element, form.base, form.before, mine, theirs, *parts)
        key = (form.result, form.element, form.base, form.before, mine, theirs, *parts)
        return self._cross(added, (form.element, form.base), 1 if form.fail is None else 2, key)

    def _pairs(self, form: PairAggregate[pl.Expr]) -> tuple[pl.Expr, ...]:
        if not isinstance(form.kernel, PolarsKernel):
            raise TypeError(form.kernel)
        this = {name: self._named_column(code) for name, code in form.this.items()}
        other = {name: self._spot(form.element, code)[1] for name, code in form.other.items()}
        parts = {"value": form.value, "where": form.where, "fail": form.fail}
        results = {name: expr for name, expr in parts.items() if expr is not None}
        kind = carrier(form.result.type, form.result.width)
        added = AddedPairs(
            form.result, kind, form.level, form.element, form.base, form.before, this, other, form.kernel.layers, results
        )  # fmt: skip
        return self._cross(added, (form.element, form.base), 1 if form.fail is None else 2, None)
