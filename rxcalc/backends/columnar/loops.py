"""Columns of a list that read themselves on the rows above: the first row of every bill, then the second, and so on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import polars as pl

from rxcalc.backends.columnar.crossings import Frames, Spot
from rxcalc.backends.columnar.kernel import PolarsKernel, carrier
from rxcalc.backends.columnar.layers import Layers
from rxcalc.passes.accumulate import Accumulator
from rxcalc.passes.instances import dense_ids
from rxcalc.passes.waves import best_cut
from rxcalc.plan.columns.across import Loop, LoopCall
from rxcalc.plan.ranges import MAX_ROWS

__all__ = ["Rows"]

_ID = pl.UInt32()


@dataclass(frozen=True, slots=True)
class Rows:
    """A loop as an operation of a list's frame. `taken` and `own_taken` are columns of it by the names that the loop's kernels use."""

    form: Loop[pl.Expr]
    taken: Mapping[str, str]
    own_taken: Mapping[str, str]
    keys: Mapping[int, Sequence[tuple[str, str]]]
    layers: Layers
    own: Layers

    @classmethod
    def of(
        cls,
        form: Loop[pl.Expr],
        taken: Mapping[str, str],
        own_taken: Mapping[str, str],
        keys: Mapping[int, Sequence[tuple[str, str]]],
    ) -> Rows:
        """The operation for a form."""
        if not isinstance(form.kernel, PolarsKernel) or not isinstance(form.own, PolarsKernel):
            raise TypeError(form)
        return cls(form, taken, own_taken, keys, Layers(form.kernel.layers), Layers(form.own.layers))

    @property
    def reads(self) -> Sequence[Spot]:
        """Columns of the list."""
        names = {
            *self.taken.values(),
            *self.own_taken.values(),
            *(n for pairs in self.keys.values() for p in pairs for n in p),
        }
        return [(self.form.level, name) for name in sorted(names)]

    def run(self, frames: Frames) -> list[pl.Series]:
        """The results. Bills with so many more rows than others that they are not worth a turn are left to the exact evaluator."""
        level = self.form.level
        size = frames.height(level)
        up = frames.position(level, "")
        runs = frames.runs(level, "")
        place = (pl.int_range(size, dtype=pl.Int64(), eager=True) - runs.starts.gather(up)).alias("k")
        by_turn = place.to_frame().select(pl.arg_sort_by("k", maintain_order=True)).to_series()
        sizes = place.value_counts().sort("k")["count"].to_list()
        turns = best_cut(sizes, overhead=frames.small, looking=Fraction(0), most=MAX_ROWS) if size else 0
        if turns < len(sizes):
            frames.left.append(up.filter(place >= turns).unique())
        held = [_Running(call, self.keys[call.place], frames, level) for call in self.form.calls]
        results = [expr.alias(f"r{at}") for at, expr in enumerate(self.form.results)]
        kept = [expr.alias(name) for name, expr in self.form.kept.items()]
        table = frames.tables[level]

        def gathered(names: Mapping[str, str], rows: pl.Series) -> list[pl.Series]:
            return [rows.alias("__at"), *(table[source].gather(rows).alias(name) for name, source in names.items())]

        wanted = [expr.alias(name) for running in held for name, expr in running.parts.items()]
        found: list[pl.DataFrame] = []
        rows_of: list[pl.Series] = []
        start = 0
        for count in sizes[:turns]:
            rows = by_turn.slice(start, count)
            start += count
            now = pl.DataFrame([*gathered(self.taken, rows), *(c for running in held for c in running.read(rows))])
            done = self.layers.compute(now, [*results, *kept], [])
            found.append(done.select(f"r{at}" for at in range(len(results))))
            rows_of.append(rows)
            mine = pl.DataFrame([*gathered(self.own_taken, rows), *done.select(list(self.form.kept)).get_columns()])
            parts = self.own.compute(mine, wanted, ["__at"])
            for running in held:
                running.take(rows, parts)
        if not found:
            none = pl.Series(dtype=_ID)
            now = pl.DataFrame([*gathered(self.taken, none), *(c for running in held for c in running.read(none))])
            schema = self.layers.compute(now, results, []).schema
            return [pl.repeat(None, size, dtype=kind, eager=True) for kind in schema.values()]
        back = pl.concat(rows_of)
        both = pl.concat(found)
        blank = [pl.repeat(None, size, dtype=column.dtype, eager=True) for column in both]
        return [empty.scatter(back, column) for empty, column in zip(blank, both, strict=True)]


class _Running:
    """One call over the rows above: a running result for each bill, or for each bill and key."""

    def __init__(self, call: LoopCall[pl.Expr], keys: Sequence[tuple[str, str]], frames: Frames, level: str) -> None:
        self._place = call.place
        up = frames.position(level, "")
        self._read = self._write = up
        size = frames.height("")
        if keys:
            table = frames.tables[level]
            mine = pl.DataFrame([up.alias("b"), *(table[a].alias(f"k{at}") for at, (a, _) in enumerate(keys))])
            theirs = pl.DataFrame([up.alias("b"), *(table[b].alias(f"k{at}") for at, (_, b) in enumerate(keys))])
            ids = dense_ids(pl.concat([mine, theirs]), mine.columns)
            self._read, self._write = ids.head(up.len()), ids.tail(up.len())
            top = ids.max()
            size = (top if isinstance(top, int) else 0) + 1
        kind = carrier(call.result.type, call.result.width)
        self._held = Accumulator(call.result.function, distinct=call.result.distinct, kind=kind, size=size)
        self._failed: Accumulator | None = None
        if call.fail is not None:
            self._failed = Accumulator("any", distinct=False, kind=pl.Boolean(), size=size)
        marks = {"c": call.value, "u": call.where, "x": call.fail}
        self.parts = {f"{mark}:{call.place}": expr for mark, expr in marks.items() if expr is not None}
        self._function = call.result.function

    def read(self, rows: pl.Series) -> list[pl.Series]:
        """The result for these rows, and whether it fails."""
        ids = self._read.gather(rows)
        found = [self._held.read(ids).alias(f"w:{self._place}")]
        if self._failed is not None:
            found.append(self._failed.read(ids).alias(f"x:{self._place}"))
        return found

    def take(self, rows: pl.Series, parts: pl.DataFrame) -> None:
        """Adds what these rows give."""
        ids = self._write.gather(rows)
        value, where, fail = (
            parts[name] if (name := f"{mark}:{self._place}") in self.parts else None for mark in "cux"
        )
        if self._failed is not None and fail is not None:
            failing = fail.fill_null(value=True)
            if self._function in {"any", "all"}:
                # What is settled is not looked at any more.
                settled = self._held.read(ids)
                failing &= ~settled if self._function == "any" else settled
            self._failed.take(ids, failing, None)
        self._held.take(ids, value, where)
