"""Windows in columns: which instance of a window each row is in, and where it stands there.

Rows come in sequence order: by person, then by the sequence's `order`. What a window holds is defined by
the functions on single episodes in `sequence.py`; few dates differ, so these are asked once for each date.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import polars as pl

from rxcalc.lang.types import OneOf
from rxcalc.passes.sequence import moved, period_end, period_start, rolling_days
from rxcalc.plan.nodes import Plan, PlanWindow

__all__ = ["Order", "Places", "View", "civil_starts", "dense_ids", "instance_ids", "order_of"]

_ID: Final = pl.UInt32()
_SHIFT: Final = 2**22
"""More than the days of all years that a date can have."""
_EPOCH: Final = date(1, 1, 1).toordinal() - date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class View:
    """A window as calls look through it: `same` are further inputs in which both rows must be equal."""

    window: PlanWindow
    same: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """A name for columns."""
        return ",".join((self.window.name, *self.same))


@dataclass(frozen=True, slots=True)
class Order:
    """Rows by instance, then place in sequence: those that a row could see stand right before it.

    `at` is the row at each position. `start` and `end` are for each row the first position that it could see and
    the one after the last, which is its own; both missing for a row in no instance. With `on`, the date of
    each row, it sees of them only those dated from `low` to `high` of its own.
    """

    at: pl.Series
    start: pl.Series
    end: pl.Series
    on: pl.Series | None = None
    low: pl.Series | None = None
    high: pl.Series | None = None

    def holds(self, at: pl.Series) -> pl.Series:
        """Whether there may be anything that the rows at `at` could see; where not, there is nothing."""
        return (self.end.gather(at) > self.start.gather(at)).fill_null(value=False)


# Instances


def instance_ids(plan: Plan, frame: pl.DataFrame, view: View, apart: pl.Series | None = None) -> pl.Series:
    """The instance of each row: rows with equal ids see each other; missing: the row is in none.

    Rows `__unplaced` are in none. Spells and periods are formed without the rows `apart`, which only look.
    """
    window = view.window
    ids = frame["__person"]
    if frame["__unplaced"].any():
        ids = pl.select(pl.when(~pl.lit(frame["__unplaced"])).then(pl.lit(ids))).to_series()
    for name in window.same:
        ids = _narrowed(ids, _codes(plan, frame[name]))
    if window.calendar:
        ids = _narrowed(ids, _day_numbers(civil_starts(frame, window)))
    if window.rolling[0]:
        ids = _known(ids, frame[window.date])
    if window.gap[0]:
        ids = _spells(frame, window, ids, apart)
    if window.period[0]:
        ids = _in_periods(frame, window, ids, apart)
    for name in view.same:  # within the spell, which goes on whatever they are
        ids = _narrowed(ids, _codes(plan, frame[name]))
    return ids


def _narrowed(ids: pl.Series, codes: pl.Series) -> pl.Series:
    """Dense ids of pairs of an id and a whole number, ascending as those do; missing where either is."""
    top: Any = codes.max()
    return _dense(ids.cast(pl.Int64()) * (int(top or 0) + 1) + codes.cast(pl.Int64()))


def _dense(keys: pl.Series) -> pl.Series:
    """The keys numbered from 0 in ascending order."""
    whole = keys.null_count() == 0
    known = keys if whole else keys.drop_nulls()
    if known.is_sorted():  # the usual case: windows by the first field of the order
        ids = _runs(known)
    else:
        order = known.arg_sort()
        ids = _placed(known.len(), order, _runs(known.gather(order)))
    return ids if whole else _placed(keys.len(), keys.is_not_null().arg_true(), ids)


def _runs(keys: pl.Series) -> pl.Series:
    """The number of the run of equal keys that each stands in."""
    if not keys.len():
        return pl.Series(dtype=_ID)
    return (keys != keys.shift(1)).fill_null(value=False).cum_sum().cast(_ID)


def _placed(size: int, at: pl.Series, values: pl.Series) -> pl.Series:
    """A column with the values at these places and nothing elsewhere."""
    if at.len() == size and at.is_sorted():
        return values
    empty = pl.repeat(None, size, dtype=values.dtype, eager=True)
    return empty.scatter(at, values) if at.len() else empty


def _known(ids: pl.Series, *columns: pl.Series) -> pl.Series:
    """The ids of the rows that have a value in every column."""
    for column in columns:
        if column.null_count():
            ids = pl.select(pl.when(pl.lit(column).is_not_null()).then(pl.lit(ids))).to_series()
    return ids


def _codes(plan: Plan, column: pl.Series) -> pl.Series:
    """A small whole number for each value."""
    if isinstance(next(field.type for field in plan.inputs if field.name == column.name), OneOf):
        return column.to_physical()
    if column.dtype == pl.Boolean():
        return column.cast(_ID)
    if column.dtype == pl.Date():
        return _day_numbers(column)
    hashes = column.hash()
    rows = hashes.arg_sort()
    hashes, values = hashes.gather(rows), column.gather(rows)
    begins = (hashes != hashes.shift(1)).fill_null(value=True)
    if (~begins & values.ne_missing(values.shift(1))).any():  # two values with one hash
        return dense_ids(column.to_frame(), [column.name])
    codes = _placed(column.len(), rows, (begins.cum_sum() - 1).cast(_ID))
    return _known(codes, column)


def dense_ids(frame: pl.DataFrame, columns: Sequence[str]) -> pl.Series:
    """A small number for each combination of values; missing where any value is missing."""
    keys = frame.select(columns)
    known = keys.drop_nulls().unique().with_row_index("__id")
    return keys.join(known, on=list(columns), how="left", maintain_order="left")["__id"].cast(_ID)


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


# Dates


def _day_numbers(dates: pl.Series) -> pl.Series:
    """Days since the first day of the year 1."""
    return dates.to_physical().cast(pl.Int64()) - _EPOCH


def _by_date(dates: pl.Series, function: Callable[[date], date]) -> pl.Series:
    """A function of dates, asked once for each that occurs."""
    days = dates.to_physical()
    least: Any = days.min()
    if least is None:
        return dates
    known = dates.drop_nulls().unique()
    found = pl.Series([function(day) for day in known.to_list()], dtype=pl.Date())
    top: Any = days.max()
    table = _placed(top - least + 1, known.to_physical() - least, found)
    return table.gather(days - least)


def civil_starts(frame: pl.DataFrame, window: PlanWindow) -> pl.Series:
    """The first day of each row's civil period."""
    if not window.starting_input:
        return _by_date(frame[window.date], lambda on: period_start(window, on, window.starting))
    dates = frame.select(pl.col(window.date).alias("on"), pl.col(window.starting_input).alias("starting"))
    known = dates.drop_nulls().unique()
    starts: list[date] = [period_start(window, on, starting) for on, starting in known.iter_rows()]
    known = known.with_columns(pl.Series("start", starts, dtype=pl.Date()))
    return dates.join(known, on=dates.columns, how="left", maintain_order="left")["start"]


# Spells and periods


@dataclass(frozen=True, slots=True)
class _Chains:
    """The rows of every instance one after the other, each in order; rows in no instance are left out.

    `rows` are their places among all `size` rows, `ids` their instance.
    """

    size: int
    rows: pl.Series
    ids: pl.Series

    @classmethod
    def of(cls, ids: pl.Series) -> _Chains:
        """The chains of rows that stand in order and have these ids."""
        rows = ids.is_not_null().arg_true()
        known = ids.gather(rows).cast(pl.Int64())
        if not known.is_sorted():
            order = (known * ids.len() + rows.cast(pl.Int64())).arg_sort()
            rows, known = rows.gather(order), known.gather(order)
        return cls(ids.len(), rows, known)

    def keys(self, dates: pl.Series) -> pl.Series:
        """One number for the instance and date of each row, ascending by both."""
        return self.ids * _SHIFT + _day_numbers(dates.gather(self.rows))

    def begins(self) -> pl.Series:
        """Whether a row is the first of its instance."""
        return (self.ids != self.ids.shift(1)).fill_null(value=True)

    def numbered(self, begins: pl.Series, taken: pl.Series | None) -> pl.Series:
        """Ids for all rows: a new one where these flags hold. Rows not `taken` that begin something new see nothing."""
        if taken is None:
            return _placed(self.size, self.rows, (begins.cum_sum() - 1).cast(_ID))
        number = ((begins & taken).cum_sum() - 1).cast(_ID)
        looks = taken | ~begins
        return _placed(self.size, self.rows.filter(looks), number.filter(looks))


def _spells(frame: pl.DataFrame, window: PlanWindow, ids: pl.Series, apart: pl.Series | None) -> pl.Series:
    """A new spell begins where `to` is not before the latest `from` of the instance so far plus the gap."""
    chains = _Chains.of(_known(ids, frame[window.gap_from], frame[window.gap_to]))
    taken = None if apart is None else ~apart.gather(chains.rows)
    # The largest key so far is the latest date of the instance, since keys of later instances are larger.
    keys = chains.keys(frame[window.gap_from]) + 1
    if taken is not None:
        keys = pl.select(pl.when(pl.lit(taken)).then(pl.lit(keys)).otherwise(pl.lit(chains.ids * _SHIFT))).to_series()
    latest = keys.cum_max().shift(1, fill_value=-1)
    first = (latest // _SHIFT != chains.ids) | (latest % _SHIFT == 0)
    mark = (latest % _SHIFT - 1 + _EPOCH).cast(pl.Int32()).cast(pl.Date())
    known = pl.select(pl.when(~pl.lit(first)).then(pl.lit(mark))).to_series()
    limit = _by_date(known, lambda day: moved(day, *window.gap))
    return chains.numbered(first | (frame[window.gap_to].gather(chains.rows) >= limit).fill_null(value=True), taken)


def _in_periods(frame: pl.DataFrame, window: PlanWindow, ids: pl.Series, apart: pl.Series | None) -> pl.Series:
    """A period begins with the first row after the end of the one before: the next of all instances at once."""
    all_rows = _Chains.of(_known(ids, frame[window.date]))
    if apart is None:
        return all_rows.numbered(_period_starts(frame, window, all_rows), None)
    taken = ~apart.gather(all_rows.rows)
    few = _Chains(all_rows.size, all_rows.rows.filter(taken), all_rows.ids.filter(taken))
    none = pl.repeat(value=False, n=taken.len(), dtype=pl.Boolean(), eager=True)
    starts = taken.arg_true().filter(_period_starts(frame, window, few))
    begins = none.scatter(starts, True) if starts.len() else none  # noqa: FBT003 -- the value itself
    # A row apart begins something where the latest period of its instance has ended, or there is none.
    latest = begins.cum_sum().cast(pl.Int64()) - 1
    dates = frame[window.date].gather(all_rows.rows)
    own = starts.gather(pl.select(pl.when(pl.lit(latest) >= 0).then(pl.lit(latest))).to_series())
    end = _by_date(dates.gather(own), lambda day: period_end(window, day))
    inside = ((all_rows.ids.gather(own) == all_rows.ids) & (dates < end)).fill_null(value=False)
    return all_rows.numbered(begins | ~(taken | inside), taken)


def _period_starts(frame: pl.DataFrame, window: PlanWindow, chains: _Chains) -> pl.Series:
    """Whether a row is the first of a period."""
    dates, keys = frame[window.date].gather(chains.rows), chains.keys(frame[window.date])
    begins = chains.begins()
    latest = begins.arg_true()
    while latest.len():
        begins = begins.scatter(latest, True)  # noqa: FBT003 -- the value itself
        end = _by_date(dates.gather(latest), lambda day: period_end(window, day))
        own = chains.ids.gather(latest)
        found = keys.search_sorted(own * _SHIFT + _day_numbers(end)).cast(_ID)
        found = pl.select(pl.max_horizontal(pl.lit(found), pl.lit(latest) + 1)).to_series()
        inside = (found < keys.len()) & (chains.ids.gather(found, null_on_oob=True) == own).fill_null(value=False)
        latest = found.filter(inside)
    return begins


# Orders


def order_of(plan: Plan, frame: pl.DataFrame, view: View, ids: pl.Series) -> Order:
    """Where each row stands in the instances of a view, and which of those before it it could see."""
    window = view.window
    chains = _Chains.of(ids)
    place = pl.int_range(chains.rows.len(), dtype=_ID, eager=True)
    dates = frame[window.date] if window.rolling[0] else None
    if dates is not None:
        low = _by_date(dates, lambda on: rolling_days(window, on)[0])
        if plan.sequence is not None and plan.sequence.order[0] == window.date:
            # Both ascend, so this goes through them side by side: four times as fast as a search for each.
            own = pl.DataFrame({"from": chains.ids * _SHIFT + _day_numbers(low.gather(chains.rows))})
            keys = pl.DataFrame({"key": chains.keys(dates), "place": place})
            start = own.join_asof(keys, left_on="from", right_on="key", strategy="forward", check_sortedness=False)[
                "place"
            ]
            return Order(chains.rows, *(_placed(chains.size, chains.rows, column) for column in (start, place)))
    begins = chains.begins()
    start = place.filter(begins).gather(begins.cum_sum() - 1)
    first, end = (_placed(chains.size, chains.rows, column) for column in (start, place))
    if dates is None:
        return Order(chains.rows, first, end)
    return Order(chains.rows, first, end, dates, low, _by_date(dates, lambda on: rolling_days(window, on)[1]))


class Places:
    """Instances and orders of rows that stand in sequence order, each worked out when first asked for.

    Spells and periods are formed without the rows `apart`, which only look.
    """

    def __init__(self, plan: Plan, frame: pl.DataFrame, apart: pl.Series | None = None) -> None:
        self._plan, self._frame, self._apart = plan, frame, apart
        self._ids: dict[str, pl.Series] = {}
        self._orders: dict[str, Order] = {}

    def ids(self, view: View) -> pl.Series:
        """The instance of each row; missing: it is in none."""
        if view.key not in self._ids:
            self._ids[view.key] = instance_ids(self._plan, self._frame, view, self._apart)
        return self._ids[view.key]

    def order(self, view: View) -> Order:
        """Where each row stands in the instances, and which of those before it it could see."""
        if view.key not in self._orders:
            self._orders[view.key] = order_of(self._plan, self._frame, view, self.ids(view))
        return self._orders[view.key]

    def both(self, view: View, equal: Sequence[tuple[str, str]]) -> tuple[pl.Series, pl.Series]:
        """Instances under which a row looks back, and under which it is seen: further inputs of the two must be equal."""
        ids = self.ids(view)
        if not equal:
            return ids, ids
        frame = self._frame.with_columns(ids.alias("__id"))
        return joint_ids(frame, ["__id", *(mine for mine, _ in equal)], ["__id", *(theirs for _, theirs in equal)])
