"""Schedules read exactly: bands, their inverse, cliffs and curves."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Final

from rxcalc.lang.arithmetic import Rational, round_to
from rxcalc.plan.nodes import Band, Point, RoundTo
from rxcalc.tracing.model import BandPart

Mapper = Callable[[Fraction], Fraction]


def band_parts(
    schedule: tuple[Band, ...], start: Rational, end: Rational, mapper: Mapper | None, parts: RoundTo | None
) -> list[BandPart]:
    """The bands that hold a part of start .. end, with what each gives.

    Only these bands' rates are mapped. A part at a limit belongs to neither side more than the
    other: it has no length, so inclusive and exclusive limits give the same sum.
    """
    found: list[BandPart] = []
    low: Rational = 0
    for index, band in enumerate(schedule, start=1):
        high = end if band.limit is None or band.limit > end else band.limit
        begin = max(low, start)
        if high > begin:
            rate = mapper(band.value) if mapper is not None else band.value
            amount = (high - begin) * rate
            if parts is not None:
                amount = round_to(amount, parts.to, parts.mode)
            found.append(BandPart(index, Fraction(begin), Fraction(high), band.value, rate, Fraction(amount)))
        if band.limit is None or band.limit >= end:
            break
        low = band.limit
    return found


def one_band(
    schedule: tuple[Band, ...],
    number: int,
    start: Rational,
    end: Rational,
    mapper: Mapper | None,
    parts: RoundTo | None,
) -> list[BandPart]:
    """The part of start .. end in the band of this number, from 1; none where there is no such part."""
    return [p for p in band_parts(schedule, start, end, mapper, parts) if p.index == number]


def reach(
    schedule: tuple[Band, ...], target: Rational, start: Rational, end: Rational, mapper: Mapper | None
) -> tuple[Fraction, list[BandPart]]:
    """The smallest x in start .. end at which the bands from `start` give `target`, and the bands walked up to it.

    A reversed range gives `end`, a target that is not above zero `start`, one that is never reached `end`.
    """
    if start > end:
        return Fraction(end), []
    if target <= 0:
        return Fraction(start), []
    walked: list[BandPart] = []
    left = Fraction(target)
    low: Rational = 0
    for index, band in enumerate(schedule, start=1):
        high = end if band.limit is None or band.limit > end else band.limit
        begin = max(low, start)
        if high > begin:
            rate = mapper(band.value) if mapper is not None else band.value
            amount = (high - begin) * rate
            if rate > 0 and amount >= left:
                x = begin + left / rate
                walked.append(BandPart(index, Fraction(begin), Fraction(x), band.value, rate, left))
                return Fraction(x), walked
            walked.append(BandPart(index, Fraction(begin), Fraction(high), band.value, rate, Fraction(amount)))
            left -= amount
        if band.limit is None or band.limit >= end:
            break
        low = band.limit
    return Fraction(end), walked


def whole_slice(schedule: tuple[Band, ...], x: Rational) -> Fraction:
    """The value of the slice of a cliff that holds x: `to:` limits belong to the slice below, `below:` limits to the one above."""
    return schedule[slice_at(schedule, x)].value


def slice_at(schedule: tuple[Band, ...], x: Rational) -> int:
    """The number, from 0, of the slice of a cliff that holds x."""
    for index, band in enumerate(schedule):
        if band.limit is None or x < band.limit or (band.inclusive and x == band.limit):
            return index
    return len(schedule) - 1


def on_curve(schedule: tuple[Point, ...], x: Rational, *, held: bool) -> Fraction | None:
    """The value of a curve at x, linear between points; of two points at one place the second holds. None outside."""
    first, last = schedule[0], schedule[-1]
    if x < first.at:
        return first.value if held else None
    if x >= last.at:
        return last.value if held or x == last.at else None
    below = max(index for index, p in enumerate(schedule) if p.at <= x)
    a, b = schedule[below], schedule[below + 1]
    return a.value + (x - a.at) * (b.value - a.value) / (b.at - a.at)


class Ways:
    """How schedules are read. An evaluator that watches what is used reads them in its own way, to the same values."""

    band_parts = staticmethod(band_parts)
    one_band = staticmethod(one_band)
    reach = staticmethod(reach)
    whole_slice = staticmethod(whole_slice)
    on_curve = staticmethod(on_curve)


WAYS: Final = Ways()
