"""Bands, cliffs, curves and dated amounts in columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import ceil, floor
from typing import TYPE_CHECKING, Generic, TypeVar

from rxcalc.lang.ops import Op
from rxcalc.lang.types import FLAG
from rxcalc.plan.columns.formed import Formed, either, under
from rxcalc.plan.columns.kernel import NotProven
from rxcalc.plan.columns.lookups import Resolved, combined, looked_up, resolve
from rxcalc.plan.columns.numbers import Number
from rxcalc.plan.nodes import Band, ParameterRef, PlanNode, Point, ScheduleRef

if TYPE_CHECKING:
    from rxcalc.plan.columns.walk import Walk

__all__ = ["along", "bands", "over_days", "slices"]

X = TypeVar("X")


@dataclass(frozen=True, slots=True)
class Slice(Generic[X]):
    """One band on every row: its upper limit (None: open), its (mapped) rate, and where mapping it fails."""

    limit: Number[X] | None
    rate: Number[X]
    fail: X | None


def _schedules(found: Resolved[X]) -> list[tuple[object, ...]]:
    """The schedules that rows can meet; where there is none another stands in, and the row fails."""
    known = [value for value in found.values if isinstance(value, tuple)]
    if not known:
        message = "no date has a schedule"
        raise NotProven(message)
    return [value if isinstance(value, tuple) else known[0] for value in found.values]


def _no_schedule(walk: Walk[X], found: Resolved[X]) -> X | None:
    """Rows whose schedule is `none`."""
    empty = [value is None for value in found.values]
    if not any(empty):
        return None
    return walk.kernel.always() if found.index is None else walk.kernel.lookup(empty, found.index, FLAG, 64)


def _padded(schedule: Sequence[object], count: int, beyond: Fraction) -> list[Band]:
    """The bands with empty ones after the last, so that all schedules have as many; the last limit is `beyond`."""
    bands = [band for band in schedule if isinstance(band, Band)]
    last = bands[-1]
    closed = [band if band.limit is not None else Band(beyond, True, band.value) for band in bands]  # noqa: FBT003 -- a record's field
    return closed + [Band(beyond, True, last.value)] * (count - len(bands))  # noqa: FBT003 -- as above


def _slices(walk: Walk[X], node: PlanNode, ref: ScheduleRef, found: Resolved[X], top: Number[X]) -> list[Slice[X]]:
    """The bands of every row's schedule side by side, with mapped rates."""
    schedules = _schedules(found)
    count = max(len(schedule) for schedule in schedules)
    same = all(len(schedule) == count for schedule in schedules)
    beyond = Fraction(max(ceil(top.high), 0) + 1)
    for schedule in schedules:
        limits = [band.limit for band in schedule if isinstance(band, Band) and band.limit is not None]
        beyond = max(beyond, *limits) if limits else beyond
    level = [_padded(schedule, count, beyond) for schedule in schedules]
    body = node.args[-1] if ref.local is not None else None
    result: list[Slice[X]] = []
    for place in range(count):
        rate = looked_up(walk, [bands[place].value for bands in level], found.index)
        last_open = same and place == count - 1
        limit = None if last_open else looked_up(walk, [bands[place].limit for bands in level], found.index)
        fail: X | None = None
        if body is not None and ref.local is not None:
            mapped = walk.form(body, (ref.local, rate))
            rate, fail = mapped.as_number, mapped.fail
            if ref.held:
                outside = [
                    walk.arithmetic.compare(op, rate, walk.arithmetic.fixed(end))
                    for op, end, possible in (("<", 0, rate.low < 0), (">", 1, rate.high > 1))
                    if possible
                ]
                fail = either(walk.kernel, fail, *outside)
        result.append(Slice(limit, rate, fail))
    return result


@dataclass(frozen=True, slots=True)
class Ends(Generic[X]):
    """The range of a bands operation and the failures so far."""

    low: Number[X]
    high: Number[X]
    fail: X | None


def _ends(walk: Walk[X], found: Resolved[X], low: int, high: int, *others: int) -> Ends[X]:
    """Both ends; a negative one is an error, whether or not the range is empty."""
    kernel, arithmetic = walk.kernel, walk.arithmetic
    fails: list[X | None] = [found.fail, _no_schedule(walk, found)]
    ends: list[Number[X]] = []
    for arg in (low, high):
        formed = walk.form(arg)
        number = formed.as_number
        fails.append(formed.fail)
        if number.low < 0:
            number = arithmetic.shared_number(number)
            fails.append(arithmetic.compare("<", number, arithmetic.fixed(0)))
            number = arithmetic.within(number, Fraction(0), None)  # negative ones are refused, what follows is unused
        ends.append(number)
    fails.extend(walk.form(arg).fail for arg in others)
    return Ends(ends[0], ends[1], either(kernel, *fails))


def bands(walk: Walk[X], node: PlanNode, ref: ScheduleRef) -> Formed[X]:
    """BANDS, BAND and BANDS_REACH."""
    keys, rest = node.args[: ref.keys], list(node.args[ref.keys :])
    on = rest.pop(0) if ref.at else None
    extra = rest.pop(0) if node.op is not Op.BANDS else None
    found = resolve(walk, ref.parameter, keys, on)
    ends = _ends(walk, found, rest[0], rest[1], *([] if extra is None else [extra]))
    # A schedule's key that no column holds has stopped the walk before; the ends are used many times.
    low, high = walk.arithmetic.shared_number(ends.low), walk.arithmetic.shared_number(ends.high)
    ends = Ends(low, high, ends.fail)
    level = _slices(walk, node, ref, found, high)
    match node.op:
        case Op.BANDS if ref.parts is None and all(part.fail is None for part in level):
            return Formed(number=_telescoped(walk, level, ends), fail=ends.fail)
        case Op.BANDS:
            return _summed(walk, level, ends, ref)
        case Op.BAND:
            return _nth(walk, level, ends, ref, walk.form(extra or 0).as_number)
        case _:
            return _reached(walk, level, ends, ref, walk.form(extra or 0).as_number)


def _telescoped(walk: Walk[X], level: Sequence[Slice[X]], ends: Ends[X]) -> Number[X]:
    """The sum of (rate - next rate) x (min(b, limit) - min(a, limit)): fewer operations than a sum over slices."""
    arithmetic = walk.arithmetic
    from_zero = ends.low.fixed == 0
    top = ends.high
    if not from_zero and top.low < ends.low.high:
        top = arithmetic.shared_number(arithmetic.least_or_most("max", ends.low, ends.high))  # reversed: empty
    total = arithmetic.fixed(0)
    for place, part in enumerate(level):
        following = level[place + 1].rate if place + 1 < len(level) else arithmetic.fixed(0)
        drop = arithmetic.add(part.rate, following, -1)
        if drop.fixed == 0:
            continue
        reach, before = top, ends.low
        if part.limit is not None:
            reach = arithmetic.least_or_most("min", top, part.limit)
            before = arithmetic.least_or_most("min", ends.low, part.limit)
        length = reach if from_zero else arithmetic.add(reach, before, -1)
        if drop.fixed is not None and drop.fixed < 0 and place:
            total = arithmetic.add(total, arithmetic.multiply(length, arithmetic.fixed(-drop.fixed)), -1)
        else:
            total = arithmetic.add(total, arithmetic.multiply(length, drop))
    return total


def _parts(walk: Walk[X], level: Sequence[Slice[X]], ends: Ends[X]) -> list[tuple[Number[X], Number[X]]]:
    """For each band, where its part of the range starts, and how long it is (0 when empty)."""
    arithmetic = walk.arithmetic
    zero = arithmetic.fixed(0)
    result: list[tuple[Number[X], Number[X]]] = []
    limit: Number[X] | None = None
    for part in level:
        start = ends.low if limit is None else arithmetic.least_or_most("max", ends.low, limit)
        stop = ends.high if part.limit is None else arithmetic.least_or_most("min", ends.high, part.limit)
        start = arithmetic.shared_number(start)
        length = arithmetic.least_or_most("max", arithmetic.add(stop, start, -1), zero)
        length = arithmetic.within(length, None, ends.high.high)
        result.append((start, arithmetic.shared_number(length)))
        limit = part.limit
    return result


def _amount(walk: Walk[X], part: Slice[X], length: Number[X], ref: ScheduleRef) -> Number[X]:
    amount = walk.arithmetic.multiply(length, part.rate)
    return amount if ref.parts is None else walk.arithmetic.rounded(amount, ref.parts, ref.parts.mode)


def _summed(walk: Walk[X], level: Sequence[Slice[X]], ends: Ends[X], ref: ScheduleRef) -> Formed[X]:
    """The sum over slices; a rate is mapped, and can fail, only where its part is not empty."""
    arithmetic, kernel = walk.arithmetic, walk.kernel
    total, fail = arithmetic.fixed(0), ends.fail
    for part, (_, length) in zip(level, _parts(walk, level, ends), strict=True):
        total = arithmetic.add(total, _amount(walk, part, length, ref))
        if part.fail is not None:
            some = arithmetic.compare(">", length, arithmetic.fixed(0))
            fail = either(kernel, fail, under(kernel, some, part.fail))
    return Formed(number=total, fail=fail)


def _nth(walk: Walk[X], level: Sequence[Slice[X]], ends: Ends[X], ref: ScheduleRef, n: Number[X]) -> Formed[X]:
    """The n-th band's part; there is none beyond the last."""
    arithmetic, kernel = walk.arithmetic, walk.kernel
    result, fail = arithmetic.fixed(0), ends.fail
    n = arithmetic.shared_number(n)
    for place, (part, (_, length)) in enumerate(zip(level, _parts(walk, level, ends), strict=True)):
        if part.fail is not None:  # the rates of all bands that are walked are mapped
            some = arithmetic.compare(">", length, arithmetic.fixed(0))
            fail = either(kernel, fail, under(kernel, some, part.fail))
        if n.fixed is not None and n.fixed != place + 1:
            continue
        amount = _amount(walk, part, length, ref)
        if n.fixed is not None:
            result = amount
        else:
            chosen: X = kernel.share(arithmetic.compare("=", n, arithmetic.fixed(place + 1)))
            result = arithmetic.choose(chosen, amount, result)
    return Formed(number=result, fail=fail)


def _reached(walk: Walk[X], level: Sequence[Slice[X]], ends: Ends[X], ref: ScheduleRef, target: Number[X]) -> Formed[X]:
    """The smallest x in the range whose bands reach the target; b when none does.

    Within the band that reaches it, x = start + (target - sum before) / rate.
    """
    arithmetic, kernel = walk.arithmetic, walk.kernel
    zero = arithmetic.fixed(0)
    target = arithmetic.shared_number(target)
    before = zero
    fail = ends.fail
    reversed_range = kernel.share(arithmetic.compare(">", ends.low, ends.high))
    at_once = kernel.share(arithmetic.compare("<=", target, zero))
    done = kernel.share(kernel.binary("or", reversed_range, at_once))
    found: list[tuple[X, Number[X]]] = []
    for part, (start, length) in zip(level, _parts(walk, level, ends), strict=True):
        if part.fail is not None:
            walked = arithmetic.compare(">", length, zero)
            walked = kernel.binary("and", kernel.unary("not", done), walked)
            fail = either(kernel, fail, under(kernel, walked, part.fail))
        after = arithmetic.shared_number(arithmetic.add(before, _amount(walk, part, length, ref)))
        if part.rate.fixed is None or part.rate.fixed > 0:
            hit = arithmetic.compare(">=", after, target)
            if part.rate.low <= 0:
                hit = kernel.binary("and", hit, arithmetic.compare(">", part.rate, zero))
            hit = kernel.share(kernel.binary("and", hit, arithmetic.compare(">", length, zero)))
            rate = arithmetic.within(part.rate, Fraction(1, part.rate.scale * _most(part.rate)), None)
            missing = arithmetic.add(target, before, -1)
            x = arithmetic.add(start, arithmetic.divide(missing, rate, 0))
            x = arithmetic.shared_number(arithmetic.within(x, Fraction(0), ends.high.high))
            found.append((kernel.binary("and", kernel.unary("not", done), hit), x))
            done = kernel.share(kernel.binary("or", done, hit))
        before = after
    result = ends.high
    for here, x in reversed(found):
        result = arithmetic.choose(here, x, result)
    result = arithmetic.choose(at_once, ends.low, result)
    result = arithmetic.choose(reversed_range, ends.high, result)
    return Formed(number=result, fail=fail)


def _most(a: Number[X]) -> int:
    return 1 if a.den is None else max(a.den.high, 1)


def slices(walk: Walk[X], node: PlanNode, ref: ScheduleRef) -> Formed[X]:
    """SLICE: the whole value of the slice that holds x."""
    arithmetic, kernel = walk.arithmetic, walk.kernel
    found = resolve(walk, ref.parameter, node.args[: ref.keys], node.args[ref.keys] if ref.at else None)
    schedules = _schedules(found)
    formed = walk.form(node.args[-1])
    x = arithmetic.shared_number(formed.as_number)
    if x.den is not None:
        message = "a cliff over a quotient by a variable"
        raise NotProven(message)
    fail = either(kernel, found.fail, _no_schedule(walk, found), formed.fail)
    count = max(len(schedule) for schedule in schedules)
    beyond = Fraction(max(ceil(x.high), 0) + 1)
    level = [_padded(schedule, count, beyond) for schedule in schedules]
    # Whole numbers turn `below` into `to`: X < L is X <= ceil(L) - 1.
    limits = [[_inclusive(band, x.scale) for band in schedule] for schedule in level]
    choice = looked_up(walk, [schedule[-1].value for schedule in level], found.index)
    for place in range(count - 2, -1, -1):
        value = looked_up(walk, [schedule[place].value for schedule in level], found.index)
        limit = looked_up(walk, [row[place] for row in limits], found.index)
        whole = arithmetic.number(x.num, 1)
        choice = arithmetic.choose(arithmetic.compare("<=", whole, limit), value, choice)
    return Formed(number=choice, fail=fail)


def _inclusive(band: Band, scale: int) -> Fraction:
    limit = (band.limit or Fraction(0)) * scale
    return Fraction(floor(limit) if band.inclusive else ceil(limit) - 1)


def along(walk: Walk[X], node: PlanNode, ref: ScheduleRef) -> Formed[X]:
    """ALONG: on each stretch between two points the value is A + B x; where points share a place the last holds."""
    arithmetic, kernel = walk.arithmetic, walk.kernel
    found = resolve(walk, ref.parameter, node.args[: ref.keys], node.args[ref.keys] if ref.at else None)
    schedules = _schedules(found)
    formed = walk.form(node.args[-1])
    x = arithmetic.shared_number(formed.as_number)
    curves = [_stretches(schedule) for schedule in schedules]
    count = max(len(curve) for curve in curves)
    fail = either(kernel, found.fail, _no_schedule(walk, found), formed.fail)
    if not walk.parameters[ref.parameter].held:
        first = looked_up(walk, [_points(schedule)[0].at for schedule in schedules], found.index)
        last = looked_up(walk, [_points(schedule)[-1].at for schedule in schedules], found.index)
        if x.low < first.high:
            fail = either(kernel, fail, arithmetic.compare("<", x, first))
        if x.high > last.low:
            fail = either(kernel, fail, arithmetic.compare(">", x, last))
    choice: Number[X] | None = None
    for place in range(count):
        rows = [curve[min(place, len(curve) - 1)] for curve in curves]
        base = looked_up(walk, [row[1] for row in rows], found.index)
        slope = looked_up(walk, [row[2] for row in rows], found.index)
        value = arithmetic.add(base, arithmetic.multiply(slope, x))
        value = arithmetic.within(value, *_span(rows))
        if choice is None:
            choice = value
            continue
        start = looked_up(walk, [row[0] for row in rows], found.index)
        choice = arithmetic.choose(arithmetic.compare(">=", x, start), value, choice)
    if choice is None:
        message = "a curve without points"
        raise NotProven(message)
    return Formed(number=choice, fail=fail)


_Stretch = tuple[Fraction, Fraction, Fraction, Fraction, Fraction]
"""Start, A, B, and the least and largest value on the stretch."""


def _points(schedule: Sequence[object]) -> list[Point]:
    return [point for point in schedule if isinstance(point, Point)]


def _stretches(schedule: Sequence[object]) -> list[_Stretch]:
    """The stretches in ascending order: first the value held before the first point, last the one after the last."""
    points = _points(schedule)
    first, last = points[0], points[-1]
    result: list[_Stretch] = [(first.at, first.value, Fraction(0), first.value, first.value)]
    for one, other in pairwise(points):
        if one.at == other.at:
            continue
        slope = (other.value - one.value) / (other.at - one.at)
        ends = (one.value, other.value)
        result.append((one.at, one.value - slope * one.at, slope, min(ends), max(ends)))
    result.append((last.at, last.value, Fraction(0), last.value, last.value))
    return result


def _span(rows: Sequence[_Stretch]) -> tuple[Fraction, Fraction]:
    return min(row[3] for row in rows), max(row[4] for row in rows)


def over_days(walk: Walk[X], node: PlanNode, ref: ParameterRef | ScheduleRef) -> Formed[X]:
    """OVER_DAYS: each segment's daily amount times the days of the range that fall into it."""
    arithmetic, kernel = walk.arithmetic, walk.kernel
    found = walk.parameters[ref.parameter]
    combinations, codes, failed = combined(walk, found, node.args[: ref.keys])
    index = kernel.share(kernel.index(codes, None, len(combinations))) if codes else None
    start, end = node.args[ref.keys :]
    low, high = (arithmetic.shared_number(walk.day_number(arg)) for arg in (start, end))
    fails: list[X | None] = [failed, walk.form(start).fail, walk.form(end).fail]
    some = kernel.share(arithmetic.compare("<", low, high))
    starts = [segment.start.toordinal() for segment in found.segments]
    if low.low < starts[0]:
        fails.append(under(kernel, some, arithmetic.compare("<", low, arithmetic.fixed(starts[0]))))
    if found.end is not None and high.high > found.end.toordinal() + 1:
        beyond = arithmetic.compare(">", high, arithmetic.fixed(found.end.toordinal() + 1))
        fails.append(under(kernel, some, beyond))
    zero = arithmetic.fixed(0)
    total = zero
    for segment, first, stop in zip(found.segments, starts, [*starts[1:], None], strict=True):
        if first >= high.high or (stop is not None and stop <= low.low):
            continue
        since = arithmetic.least_or_most("max", low, arithmetic.fixed(first))
        until = high if stop is None else arithmetic.least_or_most("min", high, arithmetic.fixed(stop))
        days = arithmetic.least_or_most("max", arithmetic.add(until, since, -1), zero)
        days = arithmetic.shared_number(days)
        given = dict(segment.values)
        values = [given.get(combination) for combination in combinations]
        empty = [value is None for value in values]
        if any(empty):
            gone = kernel.always() if index is None else kernel.lookup(empty, index, FLAG, 64)
            fails.append(under(kernel, arithmetic.compare(">", days, zero), gone))
        amounts = [Fraction(value) if isinstance(value, int | Fraction) else Fraction(0) for value in values]
        total = arithmetic.add(total, arithmetic.multiply(days, looked_up(walk, amounts, index)))
    return Formed(number=total, fail=either(kernel, *fails))
