"""Finding the row of a keyed table for every episode: joins and searches, never a loop over episodes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from fractions import Fraction
from math import ceil, floor
from typing import Final

import polars as pl

from rxcalc.backends.columnar.layers import Past
from rxcalc.lang.types import OneOf, Type
from rxcalc.plan.nodes import PlanTable

__all__ = ["RowSearch"]

_OPEN: Final = 2**62
"""Stands for an open range limit; keys are proven to stay below it (plan/columns/lookups.py)."""


class RowSearch:
    """Finds positions of `table` rows by the columns `keys` (and `day`) of a frame.

    Args:
        table: the table.
        keys: names of the frame's columns that hold the keys, in the table's order.
        kinds: the column type of each key.
        scales: what each numeric key is multiplied by.
        day: the column with the date, when the rows have validity dates.
    """

    def __init__(
        self,
        table: PlanTable,
        keys: tuple[str, ...],
        kinds: Sequence[pl.DataType],
        scales: Sequence[int],
        day: str | None,
    ) -> None:
        self.reads = (*keys, *(() if day is None else (day,)))
        self._keys, self._day = keys, day
        self._range = bool(table.range_key)
        self._starts: pl.Series | None = None
        exact = len(keys) - self._range
        self._exact = keys[:exact]
        columns: dict[str, list[object]] = {f"k{place}": [] for place in range(len(keys))}
        rows: list[int] = []
        starts: list[date | None] = []
        ends: list[date | None] = []
        for place, row in enumerate(table.rows):
            cells = [_key(value, of, scale) for value, of, scale in zip(row.keys, table.key_types, scales, strict=True)]
            if self._range:
                cells[-1] = _limit(row.keys[-1], scales[-1], table.range_key)
            if any(cell is None for cell in cells[:exact]):
                continue  # a key that no episode's column can hold: it is never met
            for name, cell in zip(columns, cells, strict=True):
                columns[name].append(cell)
            rows.append(place)
            starts.append(row.start)
            ends.append(row.end)
        series = [
            pl.Series(name, cells, dtype=pl.Int64() if self._range and place == exact else kinds[place])
            for place, (name, cells) in enumerate(columns.items())
        ]
        frame = pl.DataFrame([*series, pl.Series("row", rows, dtype=pl.UInt32())])
        if day is not None:
            frame = frame.with_columns(
                pl.Series("start", [start or date.min for start in starts], dtype=pl.Date()),
                pl.Series("end", [end or date.max for end in ends], dtype=pl.Date()),
            )
        self._frame = self._by_interval(frame) if self._range and day is not None else frame
        self._prepare()

    def _prepare(self) -> None:
        by = [f"k{place}" for place in range(len(self._exact))]
        if self._range:
            self._frame = self._frame.sort(f"k{len(self._exact)}", *by)
        elif self._day is not None:
            self._frame = self._frame.sort("start", *by)

    def _by_interval(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Each row once for every stretch of dates on which it is valid: a limit may be covered by another later."""
        after = pl.col("end") + timedelta(days=1)
        bounds = frame.select(pl.concat([pl.col("start"), after.filter(pl.col("end") < date.max)])).to_series()
        self._starts = bounds.unique().sort()
        first = self._starts.search_sorted(frame["start"], side="left")
        last = self._starts.search_sorted(frame["end"], side="right")
        spans = pl.DataFrame({"first": first, "last": last}).select(
            pl.int_ranges("first", "last", dtype=pl.UInt32()).alias("k_on")
        )
        return pl.concat([frame, spans], how="horizontal").explode("k_on")

    def find(self, frame: pl.DataFrame, past: Past | None = None) -> pl.Series:
        """Positions of rows of the table; null where there is none."""
        del past
        names = {key: f"k{place}" for place, key in enumerate(self._keys)}
        wanted = frame.select(pl.col(key).alias(name) for key, name in names.items())
        exact = [f"k{place}" for place in range(len(self._exact))]
        if self._day is not None:
            wanted = wanted.with_columns(frame[self._day].alias("on"))
        if self._range:
            return self._covering(wanted, exact)
        if self._day is not None:
            return self._valid(wanted, exact)
        if not exact:
            return pl.repeat(0 if self._frame.height else None, frame.height, dtype=pl.UInt32(), eager=True)
        return wanted.join(self._frame, on=exact, how="left", maintain_order="left", coalesce=True)["row"]

    def _valid(self, wanted: pl.DataFrame, exact: list[str]) -> pl.Series:
        """The last row that starts on or before the date, if it has not ended: rows of one key do not overlap."""
        order = wanted.with_row_index("_n").filter(pl.col("on").is_not_null()).sort("on")
        found = order.join_asof(
            self._frame, left_on="on", right_on="start", by=exact or None, strategy="backward", check_sortedness=False
        )
        return _placed(found.filter(pl.col("end") >= pl.col("on")), wanted.height)

    def _covering(self, wanted: pl.DataFrame, exact: list[str]) -> pl.Series:
        """The row with the smallest limit that covers the value."""
        key = f"k{len(exact)}"
        by = list(exact)
        order = wanted.with_row_index("_n").filter(pl.col(key).is_not_null())
        if self._starts is not None:
            place = self._starts.search_sorted(order["on"], side="right").cast(pl.Int64()) - 1
            order = order.with_columns(place.alias("k_on")).filter(pl.col("on").is_not_null(), pl.col("k_on") >= 0)
            order = order.with_columns(pl.col("k_on").cast(pl.UInt32()))
            by.append("k_on")
        found = order.sort(key).join_asof(
            self._frame, on=key, by=by or None, strategy="forward", check_sortedness=False
        )
        return _placed(found, wanted.height)


def _placed(found: pl.DataFrame, height: int) -> pl.Series:
    """The positions found, back in the order of the frame."""
    result = pl.repeat(None, height, dtype=pl.UInt32(), eager=True)
    known = found.filter(pl.col("row").is_not_null())
    return result.scatter(known["_n"], known["row"]) if known.height else result


def _key(value: object, of: Type, scale: int) -> object:
    """A key cell as its column holds it; None when it cannot be met."""
    if isinstance(value, bool) or not isinstance(value, int | Fraction):
        return of.values.index(value) if isinstance(of, OneOf) and isinstance(value, str) else value
    scaled = Fraction(value) * scale
    return scaled.numerator if scaled.denominator == 1 and abs(scaled) < _OPEN else None


def _limit(value: object, scale: int, kind: str) -> int:
    """The largest whole key that a range limit covers."""
    if not isinstance(value, int | Fraction):
        return _OPEN
    scaled = Fraction(value) * scale
    return max(-_OPEN, min(floor(scaled) if kind == "up_to" else ceil(scaled) - 1, _OPEN))
