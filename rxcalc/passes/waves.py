"""Sequences in columns: rows in waves, dense ids of window instances, and what they have accumulated.

Wave k holds everybody's k-th episode, so that within a wave no episode sees another: the wave is
computed at once, from what the waves before it have left in the accumulators.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import polars as pl

from rxcalc.lang.types import OneOf
from rxcalc.passes.sequence import period_start, windows_in_use
from rxcalc.plan.nodes import Plan, PlanWindow

__all__ = ["Accumulator", "Arranged", "Refusals", "arrange", "dense_ids", "joint_ids"]

_NO_ID: Final = pl.UInt32()


@dataclass(frozen=True, slots=True)
class Arranged:
    """Rows by wave, then person.

    Columns added: `__n` (place in the frame given), `__person`, `__wave`, `__at` (place in sequence
    order) and `g:NAME`, the instance of each window in use (missing: the row is in none).
    """

    frame: pl.DataFrame
    sizes: tuple[int, ...]  # rows of each wave
    persons: int


def arrange(plan: Plan, frame: pl.DataFrame) -> Arranged:
    """The rows of a frame in waves; rows without a readable `sequence.by` are left out."""
    sequence = plan.sequence
    if sequence is None:
        message = "the plan has no sequence"
        raise ValueError(message)
    frame = frame.with_row_index("__n").filter(pl.col(sequence.by).is_not_null())
    frame = frame.with_columns(dense_ids(frame, [sequence.by]).alias("__person"))
    sets = {field.name for field in plan.inputs if isinstance(field.type, OneOf)}
    # As everywhere in `order`, text compares by code point; values of a set by their name.
    order = [pl.col(name).cast(pl.String()) if name in sets else pl.col(name) for name in sequence.order]
    frame = _sorted(frame, order)
    place = pl.int_range(pl.len(), dtype=pl.UInt32())
    first = pl.when(pl.col("__person") != pl.col("__person").shift(1)).then(place)
    frame = frame.with_columns(place.alias("__at"), first.forward_fill().fill_null(0).alias("__first"))
    frame = frame.with_columns((pl.col("__at") - pl.col("__first")).alias("__wave")).drop("__first")
    frame = frame.with_columns(instance_ids(frame, window).alias(f"g:{window.name}") for window in windows_in_use(plan))
    frame = frame.sort("__wave", maintain_order=True)
    sizes = frame["__wave"].rle().struct.field("len").to_list()
    persons = 0 if frame.is_empty() else int(frame["__person"].n_unique())
    return Arranged(frame, tuple(sizes), persons)


def _sorted(frame: pl.DataFrame, order: Sequence[pl.Expr]) -> pl.DataFrame:
    """By person and order. The last field, an id, is compared only where the fields before it are equal."""
    short = [pl.col("__person"), *order[:-1]]
    if len(order) > 1:
        sample = frame.select(short)
        if not sample.is_duplicated().any():
            return frame.sort(short, nulls_last=False)
    return frame.sort([*short, order[-1]], nulls_last=False)


def dense_ids(frame: pl.DataFrame, columns: Sequence[str]) -> pl.Series:
    """A small number for each combination of values; missing where any value is missing."""
    keys = frame.select(columns)
    known = keys.drop_nulls().unique().with_row_index("__id")
    return keys.join(known, on=list(columns), how="left", maintain_order="left")["__id"].cast(_NO_ID)


def joint_ids(frame: pl.DataFrame, read: Sequence[str], write: Sequence[str]) -> tuple[pl.Series, pl.Series]:
    """Ids of two keys that stand for each other: under the one a row looks back, under the other it is seen later."""
    names = [f"k{place}" for place in range(len(read))]
    both = pl.concat(
        [
            frame.select(pl.col(name).alias(key) for name, key in zip(columns, names, strict=True))
            for columns in (read, write)
        ]
    )
    ids = dense_ids(both, names)
    return ids.head(frame.height), ids.tail(frame.height)


def instance_ids(frame: pl.DataFrame, window: PlanWindow) -> pl.Series:
    """The window instance of each row: rows with equal ids see each other."""
    if not window.same and not window.calendar:
        return frame["__person"]
    keys = frame.select("__person", *(pl.col(name).alias(f"s:{name}") for name in window.same))
    if window.calendar:
        keys = keys.with_columns(_periods(frame, window).alias("period"))
    return dense_ids(keys, keys.columns)


def _periods(frame: pl.DataFrame, window: PlanWindow) -> pl.Series:
    """The first day of each row's civil period. Few dates differ, so each is looked at once, in Python."""
    columns = [window.date, *([window.starting_input] if window.starting_input else [])]
    dates = frame.select(pl.col(name).alias(f"d{place}") for place, name in enumerate(columns))
    known = dates.drop_nulls().unique()
    starts: list[date] = [
        period_start(window, row[0], row[1] if window.starting_input else window.starting) for row in known.iter_rows()
    ]
    known = known.with_columns(pl.Series("start", starts, dtype=pl.Date()))
    return dates.join(known, on=dates.columns, how="left", maintain_order="left")["start"]


class Accumulator:
    """The running result of one window call for every window instance.

    Args:
        function: sum, count, first, last, min or max.
        distinct: count different values once.
        kind: the column type of the result.
        size: the number of instances.
    """

    def __init__(self, function: str, *, distinct: bool, kind: pl.DataType, size: int) -> None:
        self._function = function
        self._seen: pl.DataFrame | None = None
        self._distinct = distinct
        start = 0 if function in {"sum", "count"} else None
        self._held = pl.repeat(start, max(size, 1), dtype=kind, eager=True)
        # Whether an instance has its first episode, whose value may itself be missing.
        self._begun = pl.repeat(value=False, n=max(size, 1), dtype=pl.Boolean(), eager=True)

    def read(self, ids: pl.Series) -> pl.Series:
        """The result for each row; a row in no instance sees nothing."""
        found = pl.select(pl.lit(self._held).gather(pl.lit(ids))).to_series()
        return found.fill_null(0) if self._function in {"sum", "count"} else found

    def take(self, ids: pl.Series, values: pl.Series | None, where: pl.Series | None) -> None:
        """Adds the rows of a wave; no two of them are in one instance. For first and last a missing value counts."""
        rows = pl.DataFrame([ids.alias("id"), *([] if values is None else [values.alias("value")])])
        keep = pl.col("id").is_not_null()
        if values is not None and self._function not in {"first", "last"}:
            keep &= pl.col("value").is_not_null()
        if where is not None:
            rows, keep = rows.with_columns(where.alias("where")), keep & pl.col("where")
        rows = rows.filter(keep)
        if self._distinct:
            rows = self._unseen(rows)
        if rows.is_empty():
            return
        at, kind = rows["id"], self._held.dtype
        held = self._held.gather(at)
        match self._function:
            case "sum":
                new = held + rows["value"].cast(kind)
            case "count":
                new = held + pl.Series([1], dtype=kind)
            case "last":
                new = rows["value"].cast(kind)
            case "first":
                begun = self._begun.gather(at)
                new = pl.select(
                    pl.when(pl.lit(begun)).then(pl.lit(held)).otherwise(pl.lit(rows["value"].cast(kind)))
                ).to_series()
                self._begun = self._begun.scatter(at, True)  # noqa: FBT003 -- the value itself
            case _:
                new = _extreme(self._function, held, rows["value"].cast(kind))
        self._held = self._held.scatter(at, new)

    def _unseen(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The rows whose value their instance has not counted yet."""
        rows = rows.select("id", "value")
        if self._seen is not None:
            rows = rows.join(self._seen, on=["id", "value"], how="anti")
        self._seen = rows if self._seen is None else pl.concat([self._seen, rows])
        return rows


def _filled(held: pl.Series, values: pl.Series) -> pl.Series:
    return pl.select(pl.coalesce(pl.lit(held), pl.lit(values))).to_series()


def _extreme(function: str, held: pl.Series, values: pl.Series) -> pl.Series:
    """The smaller or larger of two columns; a missing side does not count."""
    pick = pl.min_horizontal if function == "min" else pl.max_horizontal
    return pl.select(pick(pl.lit(held), pl.lit(values))).to_series()


class Refusals:
    """For every window instance, and for every person, the first refused episode (by place in order)."""

    def __init__(self, arranged: Arranged, windows: Sequence[str]) -> None:
        self.any = False
        self._windows = tuple(windows)
        sizes: Mapping[str, Any] = {
            name: arranged.frame[f"g:{name}"].max() if arranged.frame.height else None for name in windows
        }
        self._first = {name: _empty(int(most) + 1 if most is not None else 1) for name, most in sizes.items()}
        self._person = _empty(arranged.persons)

    def note(self, rows: pl.DataFrame, *, by_person: pl.Series | None = None) -> None:
        """Refuses later readers of the rows; `by_person` says where the window keys are not known."""
        if rows.is_empty():
            return
        self.any = True
        for name in self._windows:
            self._first[name] = _noted(self._first[name], rows[f"g:{name}"], rows["__at"])
        if by_person is not None:
            wide = rows.filter(by_person)
            self._person = _noted(self._person, wide["__person"], wide["__at"])

    def read(self, rows: pl.DataFrame) -> pl.DataFrame:
        """For each row the first refused episode that it could read (`at`), and the window's name (`window`)."""
        columns = {
            name: pl.select(pl.lit(self._first[name]).gather(pl.lit(rows[f"g:{name}"]))).to_series()
            for name in self._windows
        }
        person = pl.select(pl.lit(self._person).gather(pl.lit(rows["__person"]))).to_series()
        found = pl.DataFrame([*(series.alias(name) for name, series in columns.items()), person.alias("__all")])
        at = pl.min_horizontal(pl.all())
        window = pl.coalesce(
            *(pl.when(pl.col(name) == at).then(pl.lit(name)) for name in self._windows), pl.lit(self._windows[0])
        )
        return found.select(at.alias("at"), window.alias("window"))


def _empty(size: int) -> pl.Series:
    return pl.repeat(None, max(size, 1), dtype=pl.UInt32(), eager=True)


def _noted(held: pl.Series, ids: pl.Series, at: pl.Series) -> pl.Series:
    """The first refusal stays: waves come in order."""
    rows = pl.DataFrame([ids.alias("id"), at.alias("at")]).drop_nulls()
    if rows.is_empty():
        return held
    return held.scatter(rows["id"], _filled(held.gather(rows["id"]), rows["at"]))
