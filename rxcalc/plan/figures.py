"""Values as text in messages and explanations."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from fractions import Fraction
from typing import Final

from rxcalc.lang.arithmetic import Rational, plain, round_to, shortest
from rxcalc.lang.types import Kind, Plain, Type
from rxcalc.plan.nodes import Formula, Value

ENDLESS_DECIMALS: Final = 6
MAX_FRACTION: Final = 40


def figure(value: Value, type_: Type, decimals: int, *, grouped: bool = True, endless: str = "both") -> str:
    """A value for readers: `1,300.00`, `85%`, `2025-06-30`, `yes`, `missing`.

    Amounts have the currency's digits, more where the exact value needs them; a value without a
    finite decimal is its fraction and, after `=`, six decimals marked with `..`; `endless` may ask
    for one of the two: `fraction` (in brackets, for formulas) or `near`.
    """
    match value:
        case None:
            return "missing"
        case bool():
            return "yes" if value else "no"
        case str():
            return value
        case date():
            return value.isoformat()
        case frozenset():
            return "{" + ", ".join(sorted(value)) + "}"
        case tuple():
            return f"{len(value)} rows"
        case _:
            return _number(value, type_, decimals, grouped=grouped, endless=endless)


def _number(value: Rational, type_: Type, decimals: int, *, grouped: bool, endless: str) -> str:
    kind = type_.kind if isinstance(type_, Plain) else None
    unit = ""
    least = 0
    match kind:
        case Kind.PERCENT:
            value, unit = value * 100, "%"
        case Kind.MONEY:
            least = decimals
        case Kind.MONEY_PER_DAY:
            least, unit = decimals, " per day"
        case Kind.DAYS | Kind.MONTHS | Kind.YEARS:
            unit = f" {kind.value}"
    text = shortest(value, least=least, grouped=grouped)
    if text is None or len(text) > MAX_FRACTION:
        near = plain(round_to(value, Fraction(1, 10**ENDLESS_DECIMALS), "down"), ENDLESS_DECIMALS, grouped=grouped)
        exact = f"{value.numerator}/{value.denominator}"
        short = len(exact) <= MAX_FRACTION
        forms = {"fraction": f"({exact})", "both": f"{exact} = {near}.."} if short else {}
        text = forms.get(endless, f"{near}..")
    return text + unit


def filled(formula: Formula, value_of: Callable[[int], str]) -> str:
    """A formula with figures in its holes; what is missing and tested for being there keeps its name."""
    pieces: list[str] = []
    for at, part in enumerate(formula.parts):
        if isinstance(part, str):
            pieces.append(part)
            continue
        value = value_of(part)
        after = formula.parts[at + 1] if at + 1 < len(formula.parts) else ""
        tested = isinstance(after, str) and after.startswith((" is missing", " is known"))
        pieces.append(formula.names[at] if value == "missing" and tested else value)
    return "".join(pieces)


def formula_text(formula: Formula) -> str:
    """A formula as written."""
    return "".join(formula.names)
