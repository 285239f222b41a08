"""Rows in runs, and what is added up over each run or over the part of it before a row."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from rxcalc.plan.columns.across import Result

__all__ = [
    "NOTHING",
    "Runs",
    "counts_of",
    "decided_before",
    "ends_of",
    "keyed_runs",
    "over_runs",
    "ranks",
    "up_to_rows",
]

NOTHING = {"sum": 0, "count": 0, "any": False, "all": True}
"""What an aggregate over no rows gives; the others are missing."""

_ID = pl.UInt32()


@dataclass(slots=True)
class Runs:
    """Rows of a frame in runs: those that are gone over together.

    `at` is the row at each position (None: as they stand; rows in no run are left out). `starts` and `ends` are for each run
    its first position and the one after its last; `ids` the run of each position, ascending.
    """

    at: pl.Series | None
    starts: pl.Series
    ends: pl.Series
    ids: pl.Series

    def gathered(self, column: pl.Series) -> pl.Series:
        """A column of the frame by position."""
        return column if self.at is None else column.gather(self.at)

    def back(self, column: pl.Series, size: int) -> pl.Series:
        """A column by position as one of the frame, missing on rows in no run."""
        if self.at is None:
            return column
        blank = pl.repeat(None, size, dtype=column.dtype, eager=True)
        return blank.scatter(self.at, column) if column.len() else blank


def ends_of(counts: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Where runs of these lengths start and end."""
    ends = counts.cast(pl.Int64()).cum_sum()
    return ends - counts, ends


def counts_of(ids: pl.Series, size: int) -> pl.Series:
    """How often each of `size` ids stands in an ascending column."""
    counts = pl.repeat(0, size, dtype=pl.Int64(), eager=True)
    if not ids.len():
        return counts
    runs = ids.rle().struct.unnest()
    return counts.scatter(runs["value"], runs["len"].cast(pl.Int64()))


def keyed_runs(frame: pl.DataFrame) -> tuple[Runs, pl.DataFrame]:
    """Rows with equal values in all columns, in the order of these; rows with a missing one are in no run. Also the values of each run."""
    names = frame.columns
    known = frame.with_row_index("__at")
    if sum(frame.null_count().row(0)):
        known = known.drop_nulls(names)
    known = known.sort(names, maintain_order=True)
    if known.is_empty():
        none = pl.Series(dtype=pl.Int64())
        return Runs(known["__at"], none, none, pl.Series(dtype=_ID)), known.drop("__at")
    change = known.select(
        pl.any_horizontal(pl.col(name).ne_missing(pl.col(name).shift(1)) for name in names)
    ).to_series()
    change = change.scatter(0, True)  # noqa: FBT003 -- the value itself
    starts = change.arg_true().cast(pl.Int64())
    ends = pl.concat([starts.slice(1), pl.Series([known.height], dtype=pl.Int64())])
    ids = (change.cum_sum() - 1).cast(_ID)
    return Runs(known["__at"], starts, ends, ids), known[starts].drop("__at")


def _running(column: pl.Series) -> pl.Series:
    """Sums of what stands before each position, and of all at the end.

    Whole numbers wrap around: differences are right whenever the sums of the runs themselves fit.
    """
    return pl.concat([pl.Series([0], dtype=column.dtype), column.cum_sum()])


def _counted(flags: pl.Series | None, size: int) -> pl.Series:
    if flags is None:
        return pl.repeat(1, size, dtype=pl.Int64(), eager=True)
    return flags.fill_null(value=False).cast(pl.Int64())


def _summed(value: pl.Series, where: pl.Series | None, kind: pl.DataType) -> pl.Series:
    """What counts of the values, 0 elsewhere."""
    value = value.cast(kind, strict=False)
    if where is None:
        return value.fill_null(0) if value.null_count() else value
    zero = pl.lit(0, dtype=kind)
    return pl.select(pl.when(pl.lit(where)).then(pl.lit(value).fill_null(zero)).otherwise(zero)).to_series()


def _odd(function: str, value: pl.Series, where: pl.Series | None) -> pl.Series:
    """The rows that decide `any` or `all`."""
    odd = value if function == "any" else ~value
    return odd if where is None else odd & where


def over_runs(
    result: Result, runs: Runs, value: pl.Series | None, where: pl.Series | None, kind: pl.DataType
) -> pl.Series:
    """An aggregate for each run; columns come by position."""
    starts, ends = runs.starts, runs.ends
    size = runs.ids.len()
    if value is None or (result.function == "count" and not result.distinct):
        if where is None:
            return (ends - starts).cast(kind)
        running = _running(_counted(where, size))
        return (running.gather(ends) - running.gather(starts)).cast(kind)
    match result.function:
        case "sum":
            running = _running(_summed(value, where, kind))
            return running.gather(ends) - running.gather(starts)
        case "any" | "all":
            running = _running(_counted(_odd(result.function, value, where), size))
            odd = running.gather(ends) > running.gather(starts)
            return odd if result.function == "any" else ~odd
        case _:
            return _grouped(result.function, runs, value, where, kind)


def _grouped(function: str, runs: Runs, value: pl.Series, where: pl.Series | None, kind: pl.DataType) -> pl.Series:
    """What needs the values of each run one beside the other."""
    pick = {
        "count": pl.col("value").n_unique(),
        "min": pl.col("value").min(),
        "max": pl.col("value").max(),
        "first": pl.col("value").first(),
        "last": pl.col("value").last(),
    }[function]
    frame = pl.DataFrame([runs.ids.alias("id"), value.alias("value")])
    if where is not None:
        frame = frame.filter(where)
    if function not in {"first", "last"}:  # these take a missing value as it stands
        frame = frame.filter(pl.col("value").is_not_null())
    grouped = frame.group_by(pl.col("id").set_sorted(), maintain_order=True).agg(pick.cast(kind))
    found = pl.repeat(NOTHING.get(function), runs.starts.len(), dtype=kind, eager=True)
    return found.scatter(grouped["id"], grouped["value"]) if grouped.height else found


def up_to_rows(
    result: Result, runs: Runs, value: pl.Series | None, where: pl.Series | None, kind: pl.DataType
) -> pl.Series:
    """An aggregate over what stands before each position in its run."""
    size = runs.ids.len()
    starts = runs.starts.gather(runs.ids)
    if value is None or (result.function == "count" and not result.distinct):
        return _since(_counted(where, size), starts).cast(kind)
    match result.function:
        case "sum":
            return _since(_summed(value, where, kind), starts)
        case "any" | "all":
            odd = _since(_counted(_odd(result.function, value, where), size), starts) > 0
            return odd if result.function == "any" else ~odd
        case "count":
            return _since(_counted(_first_met(runs, value, where), size), starts).cast(kind)
        case "first" | "last":
            return _one_before(result.function, runs, value, where, starts).cast(kind)
        case function:
            taken = pl.col("value") if where is None else pl.when(pl.col("where")).then(pl.col("value"))
            best = taken.cum_max() if function == "max" else taken.cum_min()
            columns = [runs.ids.alias("id"), value.alias("value"), *([] if where is None else [where.alias("where")])]
            return pl.DataFrame(columns).select(best.forward_fill().shift(1).over("id").cast(kind)).to_series()


def _since(column: pl.Series, starts: pl.Series) -> pl.Series:
    """The sum from these positions up to each one, which itself does not count."""
    running = column.cum_sum() - column
    return running - running.gather(starts)


def _first_met(runs: Runs, value: pl.Series, where: pl.Series | None) -> pl.Series:
    """Where a value of a run is met for the first time."""
    known = value.is_not_null() if where is None else value.is_not_null() & where
    frame = pl.DataFrame([runs.ids.alias("id"), value.alias("value")]).with_row_index("at").filter(known)
    first = frame.filter(pl.struct("id", "value").is_first_distinct())["at"]
    flags = pl.repeat(value=False, n=value.len(), dtype=pl.Boolean(), eager=True)
    return flags.scatter(first, True) if first.len() else flags  # noqa: FBT003 -- the value itself


def _one_before(function: str, runs: Runs, value: pl.Series, where: pl.Series | None, starts: pl.Series) -> pl.Series:
    """The first or last value before each position that counts."""
    place = pl.int_range(value.len(), dtype=pl.Int64(), eager=True)
    met = place if where is None else pl.select(pl.when(pl.lit(where)).then(pl.lit(place))).to_series()
    if function == "last":
        found = met.fill_null(strategy="forward").shift(1)
        found = pl.select(pl.when(pl.lit(found) >= pl.lit(starts)).then(pl.lit(found))).to_series()
    else:
        best = _grouped("min", runs, met, None, pl.Int64()).gather(runs.ids)
        found = pl.select(pl.when(pl.lit(best) < pl.lit(place)).then(pl.lit(best))).to_series()
    return value.gather(found)


def decided_before(function: str, runs: Runs, value: pl.Series, where: pl.Series | None) -> pl.Series:
    """Where `any` or `all` was settled before a position: what stands there is not looked at any more."""
    return _since(_counted(_odd(function, value, where), value.len()), runs.starts.gather(runs.ids)) > 0


def ranks(runs: Runs, value: pl.Series, where: pl.Series | None) -> pl.Series:
    """One and the number of rows of the run that count and have a larger value, or an equal one and stand before."""
    order = _packed(runs, value)
    if order is None:
        frame = pl.DataFrame([runs.ids.alias("id"), value.alias("value")])
        order = frame.select(pl.arg_sort_by("id", "value", descending=[False, True], maintain_order=True)).to_series()
    if not order.len():
        return order.cast(pl.Int64())
    # Runs stay where they are, so that their starts still hold.
    starts = runs.starts.gather(runs.ids)
    if where is None:
        found = pl.int_range(1, order.len() + 1, dtype=pl.Int64(), eager=True) - starts
    else:
        found = _since(_counted(where, value.len()).gather(order), starts) + 1
    return pl.repeat(0, order.len(), dtype=pl.Int64(), eager=True).scatter(order, found)


def _packed(runs: Runs, value: pl.Series) -> pl.Series | None:
    """The positions by run, then by falling value, then as they stand: by sorting one whole number for each.

    None where it would take more than 63 bits. A sort of whole numbers takes a third of one by two columns.
    """
    if not value.dtype.is_integer() or not value.len():
        return None
    low, high = value.min(), value.max()
    longest = (runs.ends - runs.starts).max()
    if not isinstance(low, int) or not isinstance(high, int) or not isinstance(longest, int):
        return None
    bits = [runs.starts.len().bit_length(), (high - low).bit_length(), longest.bit_length()]
    if sum(bits) > 63:
        return None
    starts = runs.starts.gather(runs.ids)
    columns = [runs.ids.alias("id"), value.alias("value"), starts.alias("start")]
    span, size = (pl.lit(2 ** bits[at], dtype=pl.Int64()) for at in (1, 2))
    place = pl.int_range(pl.len(), dtype=pl.Int64()) - pl.col("start")
    falling = pl.lit(high, dtype=value.dtype) - pl.col("value").fill_null(low)
    key = (pl.col("id").cast(pl.Int64()) * span + falling.cast(pl.Int64())) * size + place
    keys = pl.DataFrame(columns).select(key.alias("key")).to_series().sort()
    return pl.DataFrame([keys, starts.alias("start")]).select(pl.col("key") % size + pl.col("start")).to_series()
