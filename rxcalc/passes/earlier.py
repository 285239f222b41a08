"""Pairs of a row and each earlier one that it could see, and which of them were refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import polars as pl

from rxcalc.passes.instances import Order

__all__ = ["PAIRS", "Refusals", "Spans"]

PAIRS: Final = 1_000_000
"""Pairs held at once; a wave with more is cut into pieces."""

_ID: Final = pl.UInt32()


class Spans:
    """The earlier rows that the rows at `at` (places in sequence order) could see in the instances of `order`."""

    def __init__(self, order: Order, at: pl.Series) -> None:
        self._order = order
        self._at = at
        self._start = order.start.gather(at)
        self._count = (order.end.gather(at) - self._start).fill_null(0)

    def pieces(self) -> Iterator[tuple[int, int, pl.DataFrame]]:
        """The rows from one place up to another (in `at`), and their pairs: `row` counted from there, `at` of the earlier one.

        Pairs come by row, then in sequence order. All rows are covered, also those that see nothing.
        """
        total, size, most = int(self._count.sum()), self._count.len(), PAIRS
        if total <= most:
            yield 0, size, self._pairs(0, size)
            return
        reached = self._count.cum_sum()
        first = 0
        while first < size:
            before = int(reached[first - 1]) if first else 0
            end = max(int(reached.search_sorted(before + most, side="right")), first + 1)
            yield first, end, self._pairs(first, end)
            first = end

    def _pairs(self, first: int, end: int) -> pl.DataFrame:
        order = self._order
        rows = pl.DataFrame({"start": self._start[first:end], "count": self._count[first:end]}).with_row_index("row")
        rows = rows.filter(pl.col("count") > 0)
        places = pl.int_ranges("start", pl.col("start") + pl.col("count"), dtype=_ID)
        pairs = rows.select("row", places.alias("at")).explode("at")
        pairs = pairs.with_columns(order.at.gather(pairs["at"]).alias("at"))
        if order.on is not None and order.low is not None and order.high is not None:
            mine, on = self._at[first:end].gather(pairs["row"]), order.on.gather(pairs["at"])
            pairs = pairs.filter((on >= order.low.gather(mine)) & (on <= order.high.gather(mine)))
        return pairs


class Refusals:
    """Which rows were refused, and so which later ones could read one of them. Decided by inputs alone.

    Args:
        instances: the instance of each row, by window; the windows that calls read, in declared order.
        rolling: where rows stand in the windows that hold less than the whole instance.
        persons: the person of each row.
    """

    def __init__(self, instances: Mapping[str, pl.Series], rolling: Mapping[str, Order], persons: pl.Series) -> None:
        self.any = False
        self._instances, self._rolling = instances, rolling
        self._first = {name: _empty(ids) for name, ids in instances.items()}
        self._person = _empty(persons)
        self._persons = persons
        self._refused = pl.repeat(value=False, n=persons.len(), dtype=pl.Boolean(), eager=True)

    def note(self, at: pl.Series, *, unplaced: pl.Series | None = None) -> None:
        """Refuses later readers of the rows at `at`; `unplaced` says where the window keys are not known."""
        if not at.len():
            return
        self.any = True
        self._refused = self._refused.scatter(at, True)  # noqa: FBT003 -- the value itself
        for name, ids in self._instances.items():
            self._first[name] = _noted(self._first[name], ids.gather(at), at)
        if unplaced is not None:
            wide = at.filter(unplaced)
            self._person = _noted(self._person, self._persons.gather(wide), wide)

    def read(self, at: pl.Series) -> pl.DataFrame:
        """For each row at `at` the first refused row that it could read (`at`), and the window's name (`window`)."""
        names = list(self._instances)
        found = {name: self._first[name].gather(ids.gather(at)) for name, ids in self._instances.items()}
        for name, order in self._rolling.items():
            found[name] = self._inside(order, at, found[name])
        person = self._person.gather(self._persons.gather(at))
        both = pl.DataFrame([*(series.alias(name) for name, series in found.items()), person.alias("__all")])
        first = pl.min_horizontal(pl.all())
        window = pl.coalesce(*(pl.when(pl.col(name) == first).then(pl.lit(name)) for name in names), pl.lit(names[0]))
        return both.select(first.alias("at"), window.alias("window"))

    def readable(self, at: pl.Series) -> pl.Series:
        """Whether the rows at `at` were not refused."""
        return ~self._refused.gather(at)

    def _inside(self, order: Order, at: pl.Series, first: pl.Series) -> pl.Series:
        """The first refused row inside the window itself, for the rows whose instance has one."""
        rows = first.is_not_null().arg_true()
        result = pl.repeat(None, at.len(), dtype=_ID, eager=True)
        if not rows.len():
            return result
        for start, _, pairs in Spans(order, at.gather(rows)).pieces():
            hit = pairs.filter(self._refused.gather(pairs["at"])).group_by("row").agg(pl.col("at").min())
            if hit.height:
                result = result.scatter(rows.gather(hit["row"] + start), hit["at"])
        return result


def _empty(ids: pl.Series) -> pl.Series:
    top = ids.max()
    return pl.repeat(None, int(top) + 1 if isinstance(top, int) else 1, dtype=_ID, eager=True)


def _noted(held: pl.Series, ids: pl.Series, at: pl.Series) -> pl.Series:
    """The first refusal stays: waves come in order."""
    rows = pl.DataFrame([ids.alias("id"), at.alias("at")]).drop_nulls()
    if rows.is_empty():
        return held
    old = held.gather(rows["id"])
    return held.scatter(rows["id"], pl.select(pl.coalesce(pl.lit(old), pl.lit(rows["at"]))).to_series())
