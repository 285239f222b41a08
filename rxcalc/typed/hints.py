"""How messages call units, and what they advise."""

from __future__ import annotations

from rxcalc.lang.types import MONEY, Kind, Plain, ScheduleType, Type, ZeroType


def conversion(found: Type, want: Type, currency: str) -> str:
    """What to write so that a `found` becomes a `want`."""
    if isinstance(want, Plain) and isinstance(found, Plain):
        sign = "¥" if currency in ("CNY", "JPY") else currency + " "
        match found.kind, want.kind:
            case ((Kind.COUNT | Kind.NUMBER), Kind.MONEY):
                return f"write an amount with its sign, e.g. `{sign}5`"
            case ((Kind.COUNT | Kind.NUMBER), Kind.PERCENT):
                return "write a percentage, e.g. `85%`, or as_percent(..)"
            case Kind.PERCENT, (Kind.NUMBER | Kind.COUNT):
                return "as_number(..) gives the number"
            case ((Kind.COUNT | Kind.NUMBER), Kind.DAYS):
                return "write `5 days`, or days(..)"
    return ""


def article(of: Type) -> str:
    """A type in a sentence."""
    match of:
        case ScheduleType():
            return f"a schedule ({of})"
        case ZeroType():
            return "0"
        case _:
            return f"a value of type `{of}`"


def product_hint(left: Type, right: Type, operator: str) -> str:
    """What to write instead of a product that has no unit."""
    if operator == "*" and left == MONEY and right == MONEY:
        return "one of the two should be a rate or a number"
    return ""
