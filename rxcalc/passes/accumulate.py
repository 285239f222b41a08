"""What window calls have found so far, for every instance of the window at once."""

from __future__ import annotations

import polars as pl

__all__ = ["Accumulator", "Totals"]

_NONE_YET = {"sum": 0, "count": 0, "any": False, "all": True}


class Accumulator:
    """The running result of one window call for every window instance.

    Args:
        function: sum, count, first, last, min, max, any or all.
        distinct: count different values once.
        kind: the column type of the result.
        size: the number of instances.
    """

    def __init__(self, function: str, *, distinct: bool, kind: pl.DataType, size: int) -> None:
        self._function = function
        self._seen: pl.DataFrame | None = None
        self._distinct = distinct
        self._held = pl.repeat(_NONE_YET.get(function), max(size, 1), dtype=kind, eager=True)
        # Whether an instance has its first episode, whose value may itself be missing.
        self._begun = pl.repeat(value=False, n=max(size, 1), dtype=pl.Boolean(), eager=True)

    def begin(self, ids: pl.Series, values: pl.Series) -> None:
        """Starts some instances with what was found before their first row; to be called before any row is taken."""
        if ids.len():
            self._held = self._held.scatter(ids, values.cast(self._held.dtype))
            self._begun = self._begun.scatter(ids, True)  # noqa: FBT003 -- the value itself

    def read(self, ids: pl.Series) -> pl.Series:
        """The result for each row; a row in no instance sees nothing."""
        found = self._held.gather(ids)
        start = _NONE_YET.get(self._function)
        return found if start is None else found.fill_null(start)

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
            case "any":
                new = held | rows["value"]
            case "all":
                new = held & rows["value"]
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


def _extreme(function: str, held: pl.Series, values: pl.Series) -> pl.Series:
    """The smaller or larger of two columns; a missing side does not count."""
    pick = pl.min_horizontal if function == "min" else pl.max_horizontal
    return pl.select(pick(pl.lit(held), pl.lit(values))).to_series()


class Totals(Accumulator):
    """Running sums or counts that can be read from any earlier row on: what there is now less what there was then.

    Args:
        function: sum or count.
        kind: the column type of the result.
        size: the number of instances.
        rows: the number of positions.
    """

    def __init__(self, function: str, *, kind: pl.DataType, size: int, rows: int) -> None:
        super().__init__(function, distinct=False, kind=kind, size=size)
        self._before = pl.repeat(0, rows, dtype=kind, eager=True)

    def come(self, ids: pl.Series, places: pl.Series) -> None:
        """Notes what stands before the rows of a wave, refused ones too; to be called before anything else of the wave."""
        known = places.is_not_null()
        ids, places = ids.filter(known), places.filter(known)
        if places.len():
            self._before = self._before.scatter(places, self.read(ids))

    def since(self, ids: pl.Series, starts: pl.Series) -> pl.Series:
        """The result for each row from the position on at which its window starts."""
        return self.read(ids) - self._before.gather(starts).fill_null(0)
