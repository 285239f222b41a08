"""Constants as sentences have them."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Final

from rxcalc.lang.arithmetic import plain
from rxcalc.syntax import nodes as n

UNITS_ZH: Final = {"days": "天", "months": "个月", "years": "年"}


GROUPED_FROM: Final = 10_000
"""Plain numbers below it stand without groups: 2025 is a year."""


def quoted(text: str) -> str:
    """A code or a name that stands for itself."""
    return f"“{text}”"


def day(value: date, *, chinese: bool) -> str:
    """A date."""
    return f"{value.year}年{value.month}月{value.day}日" if chinese else value.isoformat()


def literal(x: n.Number | n.Money | n.Percent | n.Duration | n.DateLiteral | n.Flag | n.Text, *, chinese: bool) -> str:
    """A constant with its unit, its digits in groups of three, as many decimals as were written."""
    match x:
        case n.Number():
            return digits(x.value, x.decimals, grouped=x.value >= GROUPED_FROM)
        case n.Money():
            space = " " if x.sign.isalpha() else ""
            rate = ("/天" if chinese else " per day") if x.per else ""
            return f"{x.sign}{space}{digits(x.value, x.decimals)}{rate}"
        case n.Percent():
            return f"{digits(x.value * 100)}%"
        case n.Duration():
            unit = UNITS_ZH[x.unit] if chinese else f" {x.unit[:-1] if x.value == 1 else x.unit}"
            return f"{digits(x.value)}{unit}"
        case n.DateLiteral():
            return day(x.value, chinese=chinese)
        case n.Flag():
            word = ("是" if x.value else "否") if chinese else "yes" if x.value else "no"
            return quoted(word) if chinese else word
        case n.Text():
            return quoted(x.value)


def digits(value: Fraction, decimals: int | None = None, *, grouped: bool = True) -> str:
    """A decimal in groups of three; as few decimals as it needs unless said."""
    if decimals is None:
        decimals = 0
        while (value * 10**decimals).denominator != 1:
            decimals += 1
    return plain(value, decimals, grouped=grouped)
