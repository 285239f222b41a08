"""Amounts and movements as comparisons of rulebooks write them."""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from rxcalc.lang.arithmetic import Rational, plain, round_to

MOST_DIGITS: Final = 12


def rounded(value: Rational, decimals: int) -> Rational:
    """A mean, half up to the digits of the currency."""
    return round_to(value, Fraction(1, 10**decimals), "half-up")


def money(value: Rational, decimals: int) -> str:
    """An amount with thousands separators, with more digits than the currency where it has them."""
    return _plain(value, decimals, grouped=True)


def signed(value: Rational, decimals: int) -> str:
    """A movement, always with its sign but for 0."""
    text = money(value, decimals)
    return f"+{text}" if value > 0 else text


def bare(value: Rational, decimals: int) -> str:
    """An amount as data: digits and a point alone, as many as `money` has."""
    return _plain(value, decimals, grouped=False)


def _plain(value: Rational, decimals: int, *, grouped: bool) -> str:
    digits = next((d for d in range(decimals, MOST_DIGITS + 1) if (value * 10**d).denominator == 1), MOST_DIGITS)
    return plain(round_to(value, Fraction(1, 10**digits), "half-up"), digits, grouped=grouped)
