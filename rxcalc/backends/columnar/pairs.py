"""Window calls that look at every earlier episode: columns over pairs of rows, added up for the later one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from rxcalc.backends.columnar.layers import Layer, Layers, Past
from rxcalc.passes.earlier import Spans
from rxcalc.plan.columns.kernel import Pairs
from rxcalc.plan.nodes import PlanCall

__all__ = ["PairSearch", "added_up"]


class PairSearch:
    """The result of a call for each row of a frame; where it can fail, a struct of `value` and `fail`.

    Args:
        form: the call over pairs.
        call: its function.
        this: for each column of the pairs that comes from this row's frame, the column there.
        layers: what the kernel of the pairs has put together.
        kind: the column type of the result.
    """

    def __init__(
        self, form: Pairs[pl.Expr], call: PlanCall, this: Mapping[str, str], layers: Sequence[Layer], kind: pl.DataType
    ) -> None:
        self.reads = tuple(dict.fromkeys(this.values()))
        self._place, self._this, self._earlier = form.place, this, form.earlier
        parts = {"value": form.value, "where": form.where, "fail": form.fail}
        self._results = [expr.alias(name) for name, expr in parts.items() if expr is not None]
        self._has = frozenset(name for name, expr in parts.items() if expr is not None)
        self._layers = Layers(layers)
        self._call, self._kind = call, kind

    def find(self, frame: pl.DataFrame, past: Past | None) -> pl.Series:
        """The result for each row."""
        if past is None:
            message = "window calls need the rows before"
            raise TypeError(message)
        function = self._call.function
        found: list[pl.Series] = []
        failed: list[pl.Series] = []
        for first, end, pairs in Spans(past.order(self._place), past.at).pieces():
            readable = past.readable(pairs["at"])
            if readable is not None:
                pairs = pairs.filter(readable)  # noqa: PLW2901 -- the pairs that count
            if pairs.is_empty():  # nothing was kept yet, perhaps
                found.append(added_up(function, pairs["row"], None, end - first, self._kind))
                failed.append(pl.repeat(value=False, n=end - first, dtype=pl.Boolean(), eager=True))
                continue
            done = self._computed(frame, first, pairs, past)
            if "fail" in self._has:
                # An unknown failure goes to the exact evaluator too.
                rows = done.filter(pl.col("fail").fill_null(value=True))["row"].unique()
                none = pl.repeat(value=False, n=end - first, dtype=pl.Boolean(), eager=True)
                failed.append(none.scatter(rows, True) if rows.len() else none)  # noqa: FBT003 -- the value itself
            if "where" in self._has:
                done = done.filter(pl.col("where"))
            value = done["value"] if "value" in self._has else None
            found.append(added_up(function, done["row"], value, end - first, self._kind, distinct=self._call.distinct))
        result = pl.concat(found)
        if "fail" not in self._has:
            return result
        return pl.DataFrame([result.alias("value"), pl.concat(failed).alias("fail")]).to_struct("both")

    def _computed(self, frame: pl.DataFrame, first: int, pairs: pl.DataFrame, past: Past) -> pl.DataFrame:
        """Value, condition and failure of each pair."""
        if not self._results:
            return pairs
        row, at = pairs["row"], pairs["at"]
        rows = row + first if first else row
        columns = [frame[source].gather(rows).alias(name) for name, source in self._this.items()]
        columns += [past.column(source).gather(at).alias(name) for name, source in self._earlier.items()]
        return self._layers.compute(pl.DataFrame([row, *columns]), self._results, ["row"])


def added_up(
    function: str, rows: pl.Series, values: pl.Series | None, size: int, kind: pl.DataType, *, distinct: bool = False
) -> pl.Series:
    """One result for each of `size` rows of the values (in order) that belong to them; `rows` ascends.

    Over none a sum and a count are 0, the others missing (`any` no, `all` yes). `first` and `last` take a missing
    value as it stands; for the others it does not count.
    """
    if not rows.len():
        return pl.repeat({"sum": 0, "count": 0, "any": False, "all": True}.get(function), size, dtype=kind, eager=True)
    if values is None or (function == "count" and not distinct):
        return _counts(rows, size).cast(kind)
    match function:
        case "sum":
            counts = _counts(rows, size)
            ends = counts.cum_sum()
            # Whole numbers wrap around: differences of running sums are right whenever the sums themselves fit.
            running = values.cast(kind).fill_null(0).cum_sum()
            running = pl.concat([pl.Series([0], dtype=kind), running])
            return running.gather(ends) - running.gather(ends - counts)
        case "first" | "last":
            counts = _counts(rows, size)
            ends = counts.cum_sum()
            place = ends - counts if function == "first" else ends - 1
            known = pl.select(pl.when(pl.lit(counts) > 0).then(pl.lit(place))).to_series()
            return values.cast(kind).gather(known)
        case "any" | "all":
            odd = rows.filter(values if function == "any" else ~values).unique()
            result = pl.repeat(value=function == "all", n=size, dtype=pl.Boolean(), eager=True)
            return result.scatter(odd, function == "any") if odd.len() else result
        case _:
            pick = {"count": pl.col("value").n_unique(), "min": pl.col("value").min(), "max": pl.col("value").max()}
            frame = pl.DataFrame([rows.alias("row"), values.alias("value")]).drop_nulls()
            grouped = frame.group_by(pl.col("row").set_sorted(), maintain_order=True).agg(pick[function].cast(kind))
            result = pl.repeat(0 if function == "count" else None, size, dtype=kind, eager=True)
            return result.scatter(grouped["row"], grouped["value"]) if grouped.height else result


def _counts(rows: pl.Series, size: int) -> pl.Series:
    """How many values belong to each row."""
    counts = pl.repeat(0, size, dtype=pl.Int64(), eager=True)
    runs = rows.rle().struct.unnest()
    return counts.scatter(runs["value"], runs["len"].cast(pl.Int64())) if runs.height else counts
