"""Exact rounding and the printing of exact numbers. No float anywhere."""

from __future__ import annotations

from fractions import Fraction
from math import gcd
from typing import Final, TypeAlias

Rational: TypeAlias = "int | Fraction"

MODES: Final = ("half-up", "half-even", "half-down", "up", "down")
MAX_BITS: Final = 4096
"""Intermediate values with more bits than this refuse the row (docs/language.md, Limits)."""


class TooLargeError(ArithmeticError):
    """An intermediate value would pass `MAX_BITS`; back ends turn it into RX718."""


def round_quotient(numerator: int, denominator: int, mode: str) -> int:
    """The whole number nearest to numerator / denominator by `mode`; denominator > 0.

    Modes are symmetric about zero: `half-up` takes ties away from zero, `half-down` toward it,
    `half-even` to the even neighbour, `up` goes away from zero always, `down` toward it always.
    """
    negative = numerator < 0
    whole, rest = divmod(-numerator if negative else numerator, denominator)
    if rest:
        double = 2 * rest
        match mode:
            case "half-up":
                whole += double >= denominator
            case "half-down":
                whole += double > denominator
            case "half-even":
                whole += double > denominator or (double == denominator and whole % 2 == 1)
            case "up":
                whole += 1
            case "down":
                pass
            case _:
                message = f"no such rounding mode: {mode}"
                raise ValueError(message)
    return -whole if negative else whole


def round_to(value: Rational, to: Fraction, mode: str) -> Fraction:
    """`value` rounded to a multiple of `to` (> 0) by `mode`."""
    return round_quotient(value.numerator * to.denominator, value.denominator * to.numerator, mode) * to


def floor_to(value: Rational, to: Fraction) -> Fraction:
    """The largest multiple of `to` not above `value`."""
    return (value.numerator * to.denominator) // (value.denominator * to.numerator) * to


def ceil_to(value: Rational, to: Fraction) -> Fraction:
    """The smallest multiple of `to` not below `value`."""
    return -((-value.numerator * to.denominator) // (value.denominator * to.numerator)) * to


def integer_root(value: int, degree: int) -> int:
    """The largest whole r with r ** degree <= value; value >= 0, degree >= 1."""
    if value < 2 or degree == 1:
        return value
    if degree >= value.bit_length():
        return 1
    guess = 1 << -(-value.bit_length() // degree)
    while True:
        better = ((degree - 1) * guess + value // guess ** (degree - 1)) // degree
        if better >= guess:
            return guess
        guess = better


def power_rounded(base: Fraction, exponent: Fraction, to: Fraction, mode: str) -> Fraction:
    """Base ** exponent rounded correctly to a multiple of `to`; base > 0.

    x ** (p / q) is the q-th root of x ** p; the candidate below is found by an integer root and the
    decision at the tie by comparing whole powers, so the result is that of exact arithmetic.
    Raises `TooLargeError` when x ** p would pass `MAX_BITS`.
    """
    p, q = exponent.numerator, exponent.denominator
    if p < 0:
        base, p = 1 / base, -p
    bits = max(base.numerator.bit_length(), base.denominator.bit_length())
    if p * bits > MAX_BITS or q > MAX_BITS:
        raise TooLargeError
    scaled = base**p / to**q  # (result / to) ** q
    below = integer_root(scaled.numerator // scaled.denominator, q)
    if Fraction(below) ** q == scaled:
        return below * to
    middle = Fraction(2 * below + 1, 2) ** q
    # The sign of (result - tie) stands in for the remainder; only its side of the middle matters.
    side = 1 if scaled < middle else 2 if scaled == middle else 3
    return round_quotient(4 * below + side, 4, mode) * to


def decimals_of(scale: int) -> int | None:
    """The least d such that `scale` divides 10 ** d, or None when no decimal of any length is exact."""
    twos = fives = 0
    while scale % 2 == 0:
        scale //= 2
        twos += 1
    while scale % 5 == 0:
        scale //= 5
        fives += 1
    return max(twos, fives) if scale == 1 else None


def lcm(a: int, b: int) -> int:
    """Least common multiple of two positive whole numbers."""
    return a // gcd(a, b) * b


def plain(value: Rational, decimals: int, *, grouped: bool = False) -> str:
    """A value that is exact at `decimals` digits, as plain decimal text: `91759.51`, `-0.05`."""
    scaled = value * 10**decimals
    if scaled.denominator != 1:
        message = f"{value} is not exact at {decimals} decimals"
        raise ValueError(message)
    whole, rest = divmod(abs(scaled.numerator), 10**decimals)
    text = f"{whole:,}" if grouped else str(whole)
    if decimals:
        text = f"{text}.{rest:0{decimals}d}"
    return f"-{text}" if scaled.numerator < 0 else text


def shortest(value: Rational, *, least: int = 0, grouped: bool = False) -> str | None:
    """The shortest exact plain decimal with at least `least` digits, or None when none is exact."""
    digits = decimals_of(value.denominator)
    return None if digits is None else plain(value, max(digits, least), grouped=grouped)
