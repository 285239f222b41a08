"""What no expression over one frame computes: columns taken from other frames or from other rows, as operations on series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeAlias

import polars as pl

from rxcalc.backends.columnar.layers import Layer, Layers
from rxcalc.backends.columnar.pairs import added_up
from rxcalc.backends.columnar.parts import (
    NOTHING,
    Runs,
    counts_of,
    decided_before,
    ends_of,
    keyed_runs,
    over_runs,
    ranks,
    up_to_rows,
)
from rxcalc.plan.columns.across import Result

__all__ = ["Added", "AddedPairs", "Crossing", "Formed", "Frames", "Membership", "Searched", "Spot", "Taken"]

Spot: TypeAlias = "tuple[str, str]"
"""A column: its level and its name."""

PAIRS: Final = 2_000_000
"""Pairs held at once."""

_ID: Final = pl.UInt32()


@dataclass(slots=True)
class Frames:
    """A run: the columns of each level that are still needed, and which rows belong together.

    `rows` are for each list the places of its rows among all of the run.

    `belongs` is for the rows of one level the position of the row of another that each belongs to. `left` are the episodes
    that the exact evaluator is to compute although nothing is wrong with them.

    Of kinds of groups across bills `given` are the rows of their files, keys `k0`, .. and inputs `i:NAME`, and last of all one
    for groups that have none; `falls` is the group that each row would be in, refused ones too. `of` says what each kind is of.
    """

    tables: dict[str, pl.DataFrame]
    belongs: dict[tuple[str, str], pl.Series]
    rows: dict[str, pl.Series] = field(default_factory=dict)
    left: list[pl.Series] = field(default_factory=list)
    given: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    of: Mapping[str, str] = field(default_factory=dict)
    falls: dict[str, pl.Series] = field(default_factory=dict)
    small: int = 0
    _runs: dict[tuple[str, ...], tuple[Runs, pl.DataFrame]] = field(default_factory=dict)

    def place(self, name: str, runs: Runs) -> None:
        """Where the rows of a list stand, which come by episode."""
        self.belongs[name, ""] = runs.ids
        self._runs[name, ""] = (runs, pl.DataFrame())

    def column(self, spot: Spot) -> pl.Series:
        """A column."""
        return self.tables[spot[0]][spot[1]]

    def height(self, level: str) -> int:
        """How many rows a level has."""
        return self.tables[level].height

    def position(self, level: str, base: str) -> pl.Series:
        """The position of the row of `base` that each row of a level belongs to, through groups of groups too."""
        if level == base:
            return pl.int_range(self.height(level), dtype=_ID, eager=True)
        if (level, base) not in self.belongs:
            between = self.of[base]
            self.belongs[level, base] = self.position(between, base).gather(self.position(level, between))
        return self.belongs[level, base]

    def runs(self, element: str, base: str) -> Runs:
        """The rows of `element` by the row of `base` that they belong to: as many runs as that has rows."""
        key = (element, base)
        if key not in self._runs:
            self._runs[key] = (self._by_base(element, base), pl.DataFrame())
        return self._runs[key][0]

    def keyed(self, element: str, base: str, keys: Sequence[str]) -> tuple[Runs, pl.DataFrame]:
        """The rows of `element` by the row of `base` and some columns, and what these are in each run (`b`, `k0`, ..)."""
        key = (element, base, *keys)
        if key not in self._runs:
            columns = [self.position(element, base).alias("b")]
            columns += [self.column((element, name)).alias(f"k{at}") for at, name in enumerate(keys)]
            self._runs[key] = keyed_runs(pl.DataFrame(columns))
        return self._runs[key]

    def _by_base(self, element: str, base: str) -> Runs:
        up, size = self.position(element, base), self.height(base)
        at: pl.Series | None = None
        if up.null_count() or not up.is_sorted():
            rows = up.is_not_null().arg_true()
            at = rows.gather(up.gather(rows).to_frame("b").select(pl.arg_sort_by("b", maintain_order=True)).to_series())
            up = up.gather(at)
        counts = pl.repeat(0, size, dtype=pl.Int64(), eager=True)
        if up.len():
            found = up.rle().struct.unnest()
            counts = counts.scatter(found["value"], found["len"].cast(pl.Int64()))
        starts, ends = ends_of(counts)
        return Runs(at, starts, ends, up)

    def form(self, kind: str, of: str, rows: Runs, base: pl.DataFrame) -> None:
        """The groups of a kind: the runs of their members' rows, with these columns. Inside a bill `__up` is its place."""
        member = pl.repeat(None, self.height(of), dtype=_ID, eager=True)
        if rows.at is not None and rows.at.len():
            member = member.scatter(rows.at, rows.ids)
        self.belongs[of, kind] = member
        if "__up" in base.columns:
            self.belongs[kind, ""] = base["__up"]
        self.tables[kind] = base
        self._runs[of, kind] = (rows, pl.DataFrame())


class Crossing(Protocol):
    """An operation; `reads` are the columns that it needs."""

    @property
    def reads(self) -> Sequence[Spot]:
        """Columns of any level."""

    def run(self, frames: Frames) -> list[pl.Series]:
        """The columns that it gives."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A column of the row of `level` that each row of `own` belongs to, or of the row at a position."""

    own: str
    source: Spot
    at: Spot | None

    @property
    def reads(self) -> Sequence[Spot]:
        """What is taken, and the position."""
        return (self.source,) if self.at is None else (self.source, self.at)

    def run(self, frames: Frames) -> list[pl.Series]:
        """The column."""
        at = frames.position(self.own, self.source[0]) if self.at is None else frames.column(self.at)
        return [frames.column(self.source).gather(at)]


@dataclass(frozen=True, slots=True)
class Formed:
    """The groups of a kind; gives their keys. `orders` are for keys that are positions in a set their places by name.

    Those across bills (not `inside`) have the rows of `Frames.given` too, are without the members `out`, and have `__rejected`, the
    number of these that would be in the group.
    """

    kind: str
    of: str
    keys: Sequence[Spot]
    orders: Sequence[Sequence[int] | None]
    inside: bool
    out: Spot | None

    @property
    def reads(self) -> Sequence[Spot]:
        """The keys of the members."""
        return self.keys if self.out is None else (*self.keys, self.out)

    def run(self, frames: Frames) -> list[pl.Series]:
        """The keys of the groups, in the order in which the exact evaluator forms them: by bill, then by key."""
        held = [frames.column(spot) for spot in self.keys]
        if not self.inside:
            return self._across(frames, held)
        columns = [frames.position(self.of, "").alias("b"), *self._sorted(held)]
        runs, first = keyed_runs(pl.DataFrame(columns))
        rows = runs.at.gather(runs.starts) if runs.at is not None else runs.starts
        keys = [column.gather(rows) for column in held]
        frames.form(self.kind, self.of, runs, first.select(pl.col("b").cast(_ID).alias("__up")))
        return keys

    def _sorted(self, keys: Sequence[pl.Series]) -> list[pl.Series]:
        """The keys as they are put in order."""
        return [
            (column if order is None else pl.Series(order, dtype=_ID).gather(column)).alias(f"k{at}")
            for at, (column, order) in enumerate(zip(keys, self.orders, strict=True))
        ]

    def _across(self, frames: Frames, held: Sequence[pl.Series]) -> list[pl.Series]:
        """Groups of the members that are not refused, and of the rows of the file."""
        size = frames.height(self.of)
        given = frames.given[self.kind]
        out = (
            pl.repeat(value=False, n=size, dtype=pl.Boolean(), eager=True)
            if self.out is None
            else frames.column(self.out)
        )
        names = [f"k{at}" for at in range(len(held))]
        own = pl.DataFrame([*self._sorted(held), out.alias("out")]).with_row_index("at").drop_nulls(names)
        file = pl.DataFrame(self._sorted([given[name].cast(held[at].dtype) for at, name in enumerate(names)]))
        known = pl.concat([own.filter(~pl.col("out")).select(names), file.drop_nulls()])
        known = known.unique().sort(names).with_row_index("id")
        placed = own.join(known, on=names, how="left", maintain_order="left")
        members = placed.filter(~pl.col("out")).sort("id", maintain_order=True)
        counts = counts_of(members["id"], known.height)
        rejected = placed.filter(pl.col("out") & pl.col("id").is_not_null())["id"].sort()
        row = known.join(file.with_row_index("row"), on=names, how="left", maintain_order="left")["row"]
        row = row.fill_null(given.height - 1)
        base = pl.DataFrame([counts_of(rejected, known.height).alias("__rejected")])
        base = base.with_columns(given[name].gather(row) for name in given.columns if name not in names)
        runs = Runs(members["at"], *ends_of(counts), members["id"].cast(_ID))
        frames.form(self.kind, self.of, runs, base)
        falls = pl.repeat(None, size, dtype=_ID, eager=True)
        frames.falls[self.kind] = falls.scatter(placed["at"], placed["id"].cast(_ID)) if placed.height else falls
        return [self._unsorted(known[name], at, held[at].dtype) for at, name in enumerate(names)]

    def _unsorted(self, keys: pl.Series, at: int, kind: pl.DataType) -> pl.Series:
        """A key as its column holds it."""
        order = self.orders[at]
        if order is None:
            return keys
        back = sorted(range(len(order)), key=lambda place: order[place])
        return pl.Series(back, dtype=kind).gather(keys)


@dataclass(frozen=True, slots=True)
class Membership:
    """The position of the group of a kind that each row is in."""

    own: str
    kind: str

    @property
    def reads(self) -> Sequence[Spot]:
        """Nothing but what forming the groups has left."""
        return ()

    def run(self, frames: Frames) -> list[pl.Series]:
        """The positions."""
        return [frames.position(self.own, self.kind)]


@dataclass(frozen=True, slots=True)
class Searched:
    """The position of the group with some keys; of one inside a bill, in the same bill."""

    own: str
    kind: str
    keys: Sequence[Spot]
    theirs: Sequence[str]
    inside: bool

    @property
    def reads(self) -> Sequence[Spot]:
        """The keys on either side."""
        return (*self.keys, *((self.kind, name) for name in self.theirs))

    def run(self, frames: Frames) -> list[pl.Series]:
        """The positions."""
        names = [f"k{at}" for at in range(len(self.keys))]
        mine = [frames.column(spot) for spot in self.keys]
        there = [frames.column((self.kind, name)) for name in self.theirs]
        if self.inside:
            names = ["b", *names]
            mine, there = [frames.position(self.own, ""), *mine], [frames.belongs[self.kind, ""], *there]
        wanted = pl.DataFrame([column.alias(name) for column, name in zip(mine, names, strict=True)])
        known = pl.DataFrame([column.alias(name) for column, name in zip(there, names, strict=True)]).with_row_index(
            "at"
        )
        return [wanted.join(known, on=names, how="left", maintain_order="left")["at"].cast(_ID)]


@dataclass(frozen=True, slots=True)
class Added:
    """An aggregate: see `plan/columns/across.py`."""

    result: Result
    kind: pl.DataType
    own: str
    element: str
    base: str
    before: bool
    mine: Sequence[str]
    theirs: Sequence[str]
    value: str | None
    where: str | None
    fail: str | None

    @property
    def reads(self) -> Sequence[Spot]:
        """Keys of either side, and the columns of the rows gone over."""
        names = [*self.theirs, *(name for name in (self.value, self.where, self.fail) if name is not None)]
        return (*((self.own, name) for name in self.mine), *((self.element, name) for name in names))

    def run(self, frames: Frames) -> list[pl.Series]:
        """The result, and where finding it fails."""
        runs, of = self._runs(frames)
        value, where, fail = (
            None if name is None else runs.gathered(frames.column((self.element, name)))
            for name in (self.value, self.where, self.fail)
        )
        found = self._found(frames, runs, of, self.result, value, where, self.kind)
        if fail is None:
            return [found]
        failing = fail.fill_null(value=True)
        if self.result.function in {"any", "all"} and value is not None:
            failing &= ~decided_before(self.result.function, runs, value, where)
        any_ = Result("any", False, self.result.type, 64)  # noqa: FBT003 -- a record's field
        return [found, self._found(frames, runs, of, any_, failing, None, pl.Boolean())]

    def _runs(self, frames: Frames) -> tuple[Runs, pl.Series | None]:
        """The rows gone over, and for each row that asks its run (None: the n-th row asks for the n-th)."""
        if not self.theirs:
            runs = frames.runs(self.element, self.base)
            return runs, None if self.own == self.base else frames.position(self.own, self.base)
        runs, known = frames.keyed(self.element, self.base, self.theirs)
        if self.own == self.element and list(self.mine) == list(self.theirs):
            ids = runs.back(runs.ids, frames.height(self.own))
            return runs, ids
        names = ["b", *(f"k{at}" for at in range(len(self.mine)))]
        columns = [frames.position(self.own, self.base), *(frames.column((self.own, name)) for name in self.mine)]
        wanted = pl.DataFrame([column.alias(name) for column, name in zip(columns, names, strict=True)])
        found = wanted.join(known.with_row_index("id"), on=names, how="left", maintain_order="left")["id"]
        return runs, found.cast(_ID)

    def _found(
        self,
        frames: Frames,
        runs: Runs,
        of: pl.Series | None,
        result: Result,
        value: pl.Series | None,
        where: pl.Series | None,
        kind: pl.DataType,
    ) -> pl.Series:
        nothing = NOTHING.get(result.function)
        if result.function == "rank" and value is not None:
            return runs.back(ranks(runs, value, where), frames.height(self.own)).fill_null(1)
        if self.before:
            found = up_to_rows(result, runs, value, where, kind)
            if of is None or list(self.mine) == list(self.theirs):
                found = runs.back(found, frames.height(self.own))
        else:
            found = over_runs(result, runs, value, where, kind)
            if of is not None:
                found = found.gather(of)
        return found if nothing is None or not found.null_count() else found.fill_null(nothing)


@dataclass(frozen=True, slots=True)
class AddedPairs:
    """An aggregate over pairs of rows."""

    result: Result
    kind: pl.DataType
    own: str
    element: str
    base: str
    before: bool
    this: Mapping[str, str]
    other: Mapping[str, str]
    layers: Sequence[Layer]
    results: Mapping[str, pl.Expr]

    @property
    def reads(self) -> Sequence[Spot]:
        """The columns of either side."""
        return (*((self.own, n) for n in self.this.values()), *((self.element, n) for n in self.other.values()))

    def run(self, frames: Frames) -> list[pl.Series]:
        """The result, and where finding it fails."""
        runs = frames.runs(self.element, self.base)
        size = frames.height(self.own)
        of = frames.position(self.own, self.base)
        starts, ends = runs.starts.gather(of), runs.ends.gather(of)
        if self.before:
            ends = pl.int_range(size, dtype=pl.Int64(), eager=True)
        spans = pl.DataFrame([starts.alias("start"), (ends - starts).fill_null(0).alias("count")]).with_row_index("row")
        reached = spans["count"].cum_sum()
        layers = Layers(self.layers)
        found: list[pl.Series] = []
        failed: list[pl.Series] = []
        first = 0
        while first < size:
            before = int(reached[first - 1]) if first else 0
            end = max(int(reached.search_sorted(before + PAIRS, side="right")), first + 1)
            value, fail = self._piece(frames, runs, layers, spans.slice(first, end - first), first)
            found.append(value)
            failed.append(fail)
            first = end
        if not found:
            found, failed = [pl.Series(dtype=self.kind)], [pl.Series(dtype=pl.Boolean())]
        both = [pl.concat(found), pl.concat(failed)]
        return both if "fail" in self.results else both[:1]

    def _piece(
        self, frames: Frames, runs: Runs, layers: Layers, spans: pl.DataFrame, first: int
    ) -> tuple[pl.Series, pl.Series]:
        """Results and failures of some rows, from the pairs with all rows that they go over."""
        size = spans.height
        places = pl.int_ranges("start", pl.col("start") + pl.col("count"), dtype=_ID)
        pairs = spans.filter(pl.col("count") > 0).select("row", places.alias("at")).explode("at")
        row, at = pairs["row"], pairs["at"] if runs.at is None else runs.at.gather(pairs["at"])
        columns = [row, at.alias("at")]
        columns += [frames.column((self.own, source)).gather(row).alias(name) for name, source in self.this.items()]
        columns += [frames.column((self.element, source)).gather(at).alias(name) for name, source in self.other.items()]
        results = [expr.alias(name) for name, expr in self.results.items()]
        done = layers.compute(pl.DataFrame(columns), results, ["row", "at"])
        done = done.with_columns(pl.col("row") - first)
        value = done["value"] if "value" in self.results else None
        where = done["where"] if "where" in self.results else None
        failed = pl.repeat(value=False, n=size, dtype=pl.Boolean(), eager=True)
        if "fail" in self.results:
            failing = done["fail"].fill_null(value=True)
            if self.result.function in {"any", "all"} and value is not None:
                starts, ends = ends_of(spans["count"])
                rows = Runs(None, starts, ends, done["row"])
                failing &= ~decided_before(self.result.function, rows, value, where)
            bad = done["row"].filter(failing).unique()
            failed = failed.scatter(bad, True) if bad.len() else failed  # noqa: FBT003 -- the value itself
        if self.result.function == "rank":
            return self._rank(done, first, size), failed
        if where is not None:
            done = done.filter(where)
            value = done["value"] if "value" in self.results else None
        distinct = self.result.distinct
        return added_up(self.result.function, done["row"], value, size, self.kind, distinct=distinct), failed

    def _rank(self, done: pl.DataFrame, first: int, size: int) -> pl.Series:
        """One and the number of rows that count and stand before."""
        own = done.filter(pl.col("at") == pl.col("row") + first)
        mine = pl.repeat(None, size, dtype=done.schema["value"], eager=True)
        mine = mine.scatter(own["row"], own["value"]).gather(done["row"])
        value = pl.col("value")
        ahead = (value > pl.lit(mine)) | ((value == pl.lit(mine)) & (pl.col("at") < pl.col("row") + first))
        counted = done.filter(ahead & pl.col("where") if "where" in self.results else ahead)
        return added_up("count", counted["row"], None, size, self.kind, distinct=False) + 1
