"""Parameters, tables and schedules of which key, date or place is not known: all that they can give."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from fractions import Fraction
from itertools import pairwise
from typing import Final

from rxcalc.backends import schedules
from rxcalc.backends.lookups import ParameterIndex, TableIndex
from rxcalc.bill.possible import (
    ABSENT,
    EITHER,
    NO,
    NOTHING,
    YES,
    ZERO,
    Box,
    Possible,
    Span,
    is_known,
    point,
    union,
    value_of,
)
from rxcalc.lang.types import Type
from rxcalc.plan.nodes import Band, PlanRow, Point, RoundTo, Schedule

Mapper = Callable[[Fraction], Span]

BEYOND: Final = Fraction(10**40)
"""A place in a schedule that no amount comes to."""


def can_be(possible: Possible, value: object) -> bool:
    """Whether a value is among the possible ones."""
    if isinstance(possible, Span):
        own = value.toordinal() if isinstance(value, date) else value
        if not isinstance(own, int | Fraction):
            return False
        return (possible.low is None or possible.low <= own) and (possible.high is None or own <= possible.high)
    return possible.values is None or value in possible.values


def parameter_values(box: Box, index: ParameterIndex, keys: Sequence[Possible], on: Span) -> Iterator[object]:
    """The values that a parameter can have, None for `none`; dates for which it says nothing refuse the bill."""
    starts = [Fraction(start.toordinal()) for start in index.starts]
    first = 0 if on.low is None else max(0, bisect_right(starts, on.low) - 1)
    last = len(starts) - 1 if on.high is None else bisect_right(starts, on.high) - 1
    if index.end is not None and on.low is not None and on.low > index.end.toordinal():
        return
    if last > first:
        for start in starts[first + 1 : last + 1]:
            before = start - Fraction(1, 2)
            box.undecided(on, Span(before, before))
    for at in range(first, last + 1):
        for own, value in index.values[at].items():
            if all(can_be(k, v) for k, v in zip(keys, own, strict=True)):
                yield value


def scalars(values: Iterator[object], *, missing: bool) -> Possible:
    """One of several values of a parameter; `none` refuses where the rule does not allow for it."""
    found: list[Possible] = []
    for value in values:
        if value is None:
            found += [ABSENT] if missing else []
        else:
            found.append(point(value))  # type: ignore[arg-type] # a scalar, not a schedule
    return union(found)


# ---- tables ----


def rows_of(box: Box, index: TableIndex, keys: Sequence[Possible], types: Sequence[Type], on: Span) -> list[PlanRow]:
    """The rows of a table that can be the one for these keys on this date."""
    table = index.table
    if all(is_known(k) for k in keys) and (on.is_point or not table.dated):
        wanted = tuple(value_of(k, t) for k, t in zip(keys, types, strict=True))
        day = date.fromordinal(int(on.low)) if on.low is not None else date.min
        row = index.find(wanted, day)
        return [row] if row is not None else []
    exact = keys[:-1] if table.range_key else keys
    found = [
        row
        for row in table.rows
        if _may_hold(row, on) and all(can_be(k, v) for k, v in zip(exact, row.keys, strict=False))
    ]
    return _covering(box, index, found, keys[-1], on) if table.range_key else found


def _may_hold(row: PlanRow, on: Span) -> bool:
    if row.start is not None and on.high is not None and on.high < row.start.toordinal():
        return False
    return not (row.end is not None and on.low is not None and on.low > row.end.toordinal())


def _holds(row: PlanRow, on: Span) -> bool:
    if row.start is not None and (on.low is None or on.low < row.start.toordinal()):
        return False
    return not (row.end is not None and (on.high is None or on.high > row.end.toordinal()))


def _covering(box: Box, index: TableIndex, rows: list[PlanRow], value: Possible, on: Span) -> list[PlanRow]:
    """Of rows by limits those that can be the first to cover a value."""
    if not isinstance(value, Span):
        return rows
    below = index.table.range_key == "below"
    groups: dict[tuple[object, ...], list[PlanRow]] = {}
    for row in rows:
        groups.setdefault(row.keys[:-1], []).append(row)
    found: list[PlanRow] = []
    for group in groups.values():
        for row in sorted(group, key=lambda r: (r.keys[-1] is None, _limit(r) or ZERO)):
            limit = _limit(row)
            if limit is not None:
                at = Span(limit, limit)
                less, equal, more = box.order(value, at)
                if (less or equal) and more:
                    box.undecided(value, at)
                if not (less or (equal and not below)):
                    continue
            found.append(row)
            surely = limit is None or (
                value.high is not None and (value.high < limit or (value.high == limit and not below))
            )
            if surely and _holds(row, on):
                break
    return found


def _limit(row: PlanRow) -> Fraction | None:
    limit = row.keys[-1]
    if isinstance(limit, date):
        return Fraction(limit.toordinal())
    return Fraction(limit) if isinstance(limit, int | Fraction) else None


def has_row(rows: list[PlanRow], keys: Sequence[Possible], on: Span, *, dated: bool) -> Possible:
    """Whether there is a row, of those that can be the one."""
    if not rows:
        return NO
    return YES if all(is_known(k) for k in keys) and (on.is_point or not dated) else EITHER


# ---- schedules ----


def bands(
    box: Box, schedule: tuple[Band, ...], ends: tuple[Span, Span], mapper: Mapper, parts: RoundTo | None, number: Span | None
) -> Span:  # fmt: skip
    """What the bands give over the part of start .. end in them; with a `number` only the band of that number.

    A negative end refuses the bill, so neither is.
    """
    start, end = (box.largest((x, _ZERO)) for x in ends)
    amounts: list[Span] = []
    low = _ZERO
    for index, band in enumerate(schedule, start=1):
        limit = None if band.limit is None else Span(band.limit, band.limit)
        high = end if limit is None else box.least((end, limit))
        length = box.largest((box.minus(high, box.largest((low, start))), _ZERO))
        if length.high != 0 and (number is None or can_be(number, index)):
            amount = box.multiply(length, mapper(band.value))
            if parts is not None:
                amount = box.rounded(amount, parts.to, parts.mode)
            if number is not None and not number.is_point:
                amount = Span(_least(amount.low), _most(amount.high))
            amounts.append(amount)
        if limit is None or not box.order(end, limit)[2]:
            break
        low = limit
    return box.add(amounts, (1,) * len(amounts))


def _least(low: Fraction | None) -> Fraction | None:
    return None if low is None else min(ZERO, low)


def _most(high: Fraction | None) -> Fraction | None:
    return None if high is None else max(ZERO, high)


_ZERO = Span(ZERO, ZERO)


def reach(box: Box, schedule: tuple[Band, ...], target: Span, ends: tuple[Span, Span], mapper: Mapper) -> Span:
    """The place at which the bands from the start give a target: further for a higher one, and never past the end."""
    start, end = ends
    found = Span(_least_end(start, end), end.high)
    rates: list[Span] = []

    def rate(value: Fraction) -> Fraction:
        rates.append(mapper(value))
        return rates[-1].low or ZERO

    if start.low is None or not start.is_point or start.low < 0:
        return found
    # Up to the furthest end: where the target is not reached before it, it is not reached before any.
    last = max(BEYOND if end.high is None else end.high, start.low)
    places = [
        None if t is None else schedules.reach(schedule, t, start.low, last, rate)[0] for t in (target.low, target.high)
    ]
    if not all(r.is_point and (r.low or ZERO) >= 0 for r in rates):
        return found
    return box.least((Span(start.low if places[0] is None else places[0], places[1]), end))


def _least_end(start: Span, end: Span) -> Fraction:
    return ZERO if start.low is None or end.low is None else max(ZERO, min(start.low, end.low))


def whole_slice(box: Box, schedule: tuple[Band, ...], x: Span) -> Possible:
    """The value of the slice of a cliff that holds x."""
    first = 0 if x.low is None else schedules.slice_at(schedule, x.low)
    last = len(schedule) - 1 if x.high is None else schedules.slice_at(schedule, x.high)
    for band in schedule[first:last]:
        if band.limit is not None:
            box.undecided(x, Span(band.limit, band.limit))
    return union(point(band.value) for band in schedule[first : last + 1])


def along(box: Box, schedule: tuple[Point, ...], x: Span, *, held: bool) -> Possible:
    """The value of a curve at x; outside its points the bill is refused unless the ends hold."""
    first, last = schedule[0], schedule[-1]
    low = first.at if x.low is None else x.low
    high = last.at if x.high is None else x.high
    if not held:
        low, high = max(low, first.at), min(high, last.at)
        if low > high:
            return NOTHING
    for a, b in pairwise(schedule):
        if a.at <= low and high < b.at:
            slope = (b.value - a.value) / (b.at - a.at)
            moved = box.minus(x, Span(a.at, a.at))
            return box.add((Span(a.value, a.value), box.scaled(moved, slope)), (1, 1))
    values = [schedules.on_curve(schedule, at, held=held) for at in (low, high)]
    found = [v for v in values if v is not None]
    for p in schedule:
        if low <= p.at <= high:
            found.append(p.value)
            box.undecided(x, Span(p.at, p.at))
    return Span(min(found), max(found))


def schedules_of(values: Iterator[object]) -> list[Schedule]:
    """The schedules among the values of a parameter."""
    return [v for v in dict.fromkeys(values) if isinstance(v, tuple)]


def over_days(
    index: ParameterIndex, keys: Sequence[Possible], start: Span, end: Span, days: Span, box: Box
) -> Possible:
    """A dated daily amount summed over the days from a start on, before an end."""
    whole = Span(start.low, None if end.high is None else max(end.high - 1, start.low or end.high))
    rate = scalars(parameter_values(Box({}), index, keys, whole), missing=False)
    if not isinstance(rate, Span):
        # No days need no value.
        return NOTHING if days.low is not None and days.low > 0 else Span(ZERO, ZERO)
    known = [x.low for x in (start, end)]
    if start.is_point and end.is_point and rate.low != rate.high and known[0] is not None and known[1] is not None:
        total = _stretches(index, keys, int(known[0]), int(known[1]))
        if total is not None:
            return total
    return box.multiply(rate, box.largest((days, _ZERO)))


def _stretches(index: ParameterIndex, keys: Sequence[Possible], start: int, end: int) -> Span | None:
    """The sum between two known days, stretch by stretch of a value."""
    low = high = ZERO
    day = start
    while day < end:
        now = Span(Fraction(day), Fraction(day))
        value = scalars(parameter_values(Box({}), index, keys, now), missing=False)
        if not isinstance(value, Span) or value.low is None or value.high is None:
            return None
        until = min([end, *(s.toordinal() for s in index.starts if s.toordinal() > day)])
        low += value.low * (until - day)
        high += value.high * (until - day)
        day = until
    return Span(low, high)
