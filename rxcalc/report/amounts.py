"""Amounts and movements as comparisons of rulebooks write them."""

from __future__ import annotations

from fractions import Fraction

from rxcalc.lang.arithmetic import Rational, plain, round_to


def money(value: Rational, decimals: int) -> str:
    """An amount with thousands separators, rounded half up where it has more digits than the currency."""
    return plain(round_to(value, Fraction(1, 10**decimals), "half-up"), decimals, grouped=True)


def signed(value: Rational, decimals: int) -> str:
    """A movement, always with its sign but for 0."""
    text = money(value, decimals)
    return f"+{text}" if value > 0 else text


def bare(value: Rational, decimals: int) -> str:
    """An amount as data: digits and a point alone."""
    return plain(round_to(value, Fraction(1, 10**decimals), "half-up"), decimals)
