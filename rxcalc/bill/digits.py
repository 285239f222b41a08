"""Slips of the pen: what a number becomes when its digits or its decimal point are written wrongly."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

from rxcalc.lang.arithmetic import plain


def transposed(value: Fraction, decimals: int) -> list[Fraction]:
    """The number with two neighbouring digits swapped."""
    if value < 0 or (value * 10**decimals).denominator != 1:
        return []
    digits = plain(value, decimals).replace(".", "")
    found = []
    for at, (a, b) in enumerate(pairwise(digits)):
        if a != b:
            found.append(Fraction(int(digits[:at] + b + a + digits[at + 2 :]), 10**decimals))
    return found


def shifted(value: Fraction, decimals: int) -> list[Fraction]:
    """The number with its decimal point one or two places off."""
    moved = [value * Fraction(10) ** n for n in (1, -1, 2, -2)]
    return [v for v in moved if value > 0 and (v * 10**decimals).denominator == 1]


def other_digits(value: Fraction, decimals: int) -> list[Fraction]:
    """The number with one digit wrong, left out, or written twice."""
    if value <= 0 or (value * 10**decimals).denominator != 1:
        return []
    digits = plain(value, decimals).replace(".", "")
    found = []
    for at, own in enumerate(digits):
        before, after = digits[:at], digits[at + 1 :]
        found += [before + other + after for other in "0123456789" if other != own and (at or other != "0")]
        if at < len(digits) - decimals:
            found += [before + after, before + own + own + after]
    return [Fraction(int(text), 10**decimals) for text in dict.fromkeys(found) if text]
