"""Values as the cells of a file hold them: exact, without separators of thousands."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from fractions import Fraction

from rxcalc.lang.arithmetic import shortest
from rxcalc.lang.types import Kind, Plain, Type
from rxcalc.plan.nodes import Value


def writer_of(of: Type, least: int) -> Callable[[Value], str]:
    """What writes values of a type; amounts have at least `least` decimals."""
    kind = of.kind if isinstance(of, Plain) else None
    digits = least if kind in (Kind.MONEY, Kind.MONEY_PER_DAY) else 0
    factor = 100 if kind is Kind.PERCENT else 1
    unit = "%" if kind is Kind.PERCENT else ""
    zeros, whole = "0" * digits, 10**digits

    def write(value: Value) -> str:
        match value:
            case None:
                return ""
            case bool():
                return "yes" if value else "no"
            case str():
                return value
            case date():
                return value.isoformat()
            case int():
                value *= factor
                return f"{value}.{zeros}{unit}" if zeros else f"{value}{unit}"
            case Fraction():
                text = shortest(value * factor, least=digits)
                assert text is not None  # noqa: S101 - what is made up has finite decimals
                return text + unit
            case frozenset():
                return ";".join(sorted(value))
            case _:
                return ""

    def write_amount(value: Value) -> str:
        if isinstance(value, Fraction) and value >= 0 and whole % value.denominator == 0:
            cents = value.numerator * (whole // value.denominator)
            return f"{cents // whole}.{cents % whole:0{digits}d}"
        return write(value)

    return write_amount if digits else write


def quoted(text: str, separator: str) -> str:
    """A cell as it is written: quoted only where it has to be."""
    if separator in text or '"' in text or "\n" in text or "\r" in text:
        return '"' + text.replace('"', '""') + '"'
    return text
