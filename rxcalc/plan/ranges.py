"""Proven ranges and scales of operations: interval arithmetic over exact rationals.

A range holds for every row on which the operation is evaluated. A scale is a positive whole
number that makes value x scale whole, or 0 when none is proven.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from rxcalc.lang.arithmetic import ceil_to, floor_to, lcm

MAX_SCALE: Final = 10**40
"""Above this a common denominator is of no use to any back end."""

MAX_EPISODES: Final = 10**9
"""A window never holds more earlier episodes than this (a file has fewer records), a group no more members."""

MAX_ROWS: Final = 100_000
"""A list of one bill has no more rows; the evaluators refuse a bill with more (RX820)."""


@dataclass(frozen=True, slots=True)
class Range:
    """`low`..`high` (None: not bounded) and `scale` (0: not proven)."""

    low: Fraction | None = None
    high: Fraction | None = None
    scale: int = 0


ANYTHING: Final = Range()
FLAG_RANGE: Final = Range(None, None, 1)


def exactly(value: Fraction) -> Range:
    """The range of one known value."""
    return Range(value, value, value.denominator)


def of_values(values: list[Fraction]) -> Range:
    """The range of one of several known values."""
    if not values:
        return ANYTHING
    scale = 1
    for value in values:
        scale = joined(scale, value.denominator)
    return Range(min(values), max(values), scale)


def joined(a: int, b: int) -> int:
    """The common scale of two scales."""
    if a == 0 or b == 0:
        return 0
    scale = lcm(a, b)
    return scale if scale <= MAX_SCALE else 0


def times(a: int, b: int) -> int:
    """The scale of a product."""
    return a * b if a * b <= MAX_SCALE else 0


def union(ranges: list[Range]) -> Range:
    """A range that holds whatever each of several holds."""
    lows = [r.low for r in ranges]
    highs = [r.high for r in ranges]
    scale = 1
    for r in ranges:
        scale = joined(scale, r.scale)
    return Range(
        None if any(x is None for x in lows) else min(x for x in lows if x is not None),
        None if any(x is None for x in highs) else max(x for x in highs if x is not None),
        scale,
    )


def add(ranges: list[Range], signs: tuple[int, ...]) -> Range:
    """The range of a signed sum."""
    low: Fraction | None = Fraction(0)
    high: Fraction | None = Fraction(0)
    scale = 1
    for r, sign in zip(ranges, signs, strict=True):
        a, b = (r.low, r.high) if sign > 0 else (_negated(r.high), _negated(r.low))
        low = None if low is None or a is None else low + a
        high = None if high is None or b is None else high + b
        scale = joined(scale, r.scale)
    return Range(low, high, scale)


def negate(r: Range) -> Range:
    """The range of -x."""
    return Range(_negated(r.high), _negated(r.low), r.scale)


def multiply(a: Range, b: Range) -> Range:
    """The range of a x b."""
    if a.low is None or a.high is None or b.low is None or b.high is None:
        low = Fraction(0) if _is_positive(a) and _is_positive(b) else None
        return Range(low, None, times(a.scale, b.scale))
    corners = [a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high]
    return Range(min(corners), max(corners), times(a.scale, b.scale))


def divide(a: Range, b: Range, divisors: list[Fraction] | None) -> Range:
    """The range of a / b; `divisors` are all values b can take, when they are few and known."""
    scale = 0
    if divisors:
        scale = a.scale
        for divisor in divisors:
            if divisor:
                scale = joined(scale, times(a.scale, abs(divisor.numerator)))
    if b.low is None or b.high is None or b.low <= 0 <= b.high:
        if b.low is not None and b.low >= 0 and _is_positive(a):
            return Range(Fraction(0), None, scale)
        return Range(None, None, scale)
    inverse = Range(1 / b.high, 1 / b.low, 1)
    result = multiply(a, inverse)
    return Range(result.low, result.high, scale)


def least(ranges: list[Range]) -> Range:
    """The range of min(..)."""
    scale = union(ranges).scale
    highs = [r.high for r in ranges if r.high is not None]
    lows = [r.low for r in ranges]
    return Range(
        None if any(x is None for x in lows) else min(x for x in lows if x is not None),
        min(highs) if highs else None,
        scale,
    )


def largest(ranges: list[Range]) -> Range:
    """The range of max(..)."""
    return negate(least([negate(r) for r in ranges]))


def absolute(r: Range) -> Range:
    """The range of abs(x)."""
    if _is_positive(r):
        return r
    high = None if r.low is None or r.high is None else max(-r.low, r.high)
    return Range(Fraction(0), high, r.scale)


def rounded(r: Range, to: Fraction) -> Range:
    """The range of x rounded to a multiple of `to` by any mode."""
    return Range(
        None if r.low is None else floor_to(r.low, to),
        None if r.high is None else ceil_to(r.high, to),
        to.denominator,
    )


def accumulated(r: Range, most: int) -> Range:
    """The range of a sum over at most `most` rows."""
    low = None if r.low is None else min(Fraction(0), r.low * most)
    high = None if r.high is None else max(Fraction(0), r.high * most)
    return Range(low, high, r.scale)


def marginal(rate: Range, start: Range, end: Range, limits_scale: int) -> Range:
    """The range of bands(..): rates on the part of start .. end, empty when reversed."""
    scale = times(joined(joined(start.scale, end.scale), limits_scale), rate.scale)
    if end.high is None or rate.low is None or rate.high is None:
        return Range(Fraction(0) if _is_positive(rate) else None, None, scale)
    length = max(Fraction(0), end.high - max(Fraction(0), start.low or Fraction(0)))
    return Range(min(Fraction(0), rate.low * length), max(Fraction(0), rate.high * length), scale)


def _negated(x: Fraction | None) -> Fraction | None:
    return None if x is None else -x


def _is_positive(r: Range) -> bool:
    return r.low is not None and r.low >= 0
