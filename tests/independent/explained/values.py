"""Values as they are printed: amounts, percentages, durations, dates, words; and rounding."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import (
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_DOWN,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    ROUND_UP,
    Decimal,
    localcontext,
)
from fractions import Fraction


@dataclass(frozen=True)
class Span:
    """A number of days, months or years."""

    count: Fraction
    unit: str


@dataclass(frozen=True)
class Word:
    """A value of a set, a code, a text."""

    text: str


@dataclass(frozen=True)
class Near:
    """A number of which only the first digits are printed: at least `low`, less than `high`."""

    low: Fraction
    high: Fraction


class _Sign:
    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


MISSING = _Sign("missing")
"""No value is there."""
UNKNOWN = _Sign("not in the text")
"""What the text does not say: which of two words of an ordered set is the higher one, what stands in a table."""

Value = Fraction | Span | Word | Near | date | bool | frozenset[str] | _Sign

DIGITS = r"(?:\d{1,3}(?:,\d{3})+|\d[\d_]*)(?:\.\d+)?"
NUMBER = re.compile(
    rf"(?P<sign>-?)(?P<open>\()?(?P<top>{DIGITS})(?:/(?P<under>\d+)(?P<close>\)))?(?P<more>\.\.)?(?P<unit>%| per day| days?| months?| years?)?"
)
BOTH = re.compile(
    r"(?P<sign>-?)(?P<top>\d+)/(?P<under>\d+) = (?P<near>-?(?:\d{1,3}(?:,\d{3})+|\d+)\.\d+)\.\.(?P<unit>%| per day| days?| months?| years?)?"
)
DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
MODES = {
    "half-up": ROUND_HALF_UP,
    "half-even": ROUND_HALF_EVEN,
    "half-down": ROUND_HALF_DOWN,
    "up": ROUND_UP,
    "down": ROUND_DOWN,
    "floor": ROUND_FLOOR,
    "ceil": ROUND_CEILING,
}


def digits(text: str) -> Fraction:
    """A decimal with separators of thousands."""
    return Fraction(text.replace(",", "").replace("_", ""))


def united(number: Fraction, unit: str | None) -> Fraction | Span:
    """A number with its unit: 85% is 0.85."""
    match (unit or "").strip():
        case "%":
            return number / 100
        case "" | "per day":
            return number
        case name:
            return Span(number, name if name.endswith("s") else name + "s")


def number(text: str) -> Value | None:
    """A printed number, or None when it is none. `(1/3)` and `1/3 = 0.333333..` are exact, `0.333333..` is near."""
    both = BOTH.fullmatch(text)
    if both:
        exact = Fraction(int(both["sign"] + both["top"]), int(both["under"]))
        near = digits(both["near"])
        places = len(both["near"].partition(".")[2])
        if trimmed(exact, places) != near:
            return None
        return united(exact, both["unit"])
    found = NUMBER.fullmatch(text)
    if not found or bool(found["open"]) != bool(found["under"]):
        return None
    value = digits(found["top"])
    if found["under"]:
        value /= int(found["under"])
    if found["sign"]:
        value = -value
    if found["more"]:
        places = len(found["top"].partition(".")[2])
        ends = sorted([value, value + Fraction(-1 if found["sign"] else 1, 10**places)])
        low, high = (united(end, found["unit"]) for end in ends)
        return Near(low, high) if isinstance(low, Fraction) and isinstance(high, Fraction) else None
    return united(value, found["unit"])


def printed(text: str) -> Value:
    """A printed value of any kind. What is no number, date, yes or no is a word; of `County (county)` the word in brackets."""
    text = text.strip()
    if text.startswith("-(") and text.endswith(")"):
        inside = number(text[2:-1])
        if inside is not None:
            return negative(inside)
    found = number(text)
    if found is not None:
        return found
    if DATE.fullmatch(text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            return Word(text)
    match text:
        case "missing" | "not known":
            return MISSING
        case "yes":
            return True
        case "no":
            return False
    if text.startswith("{") and text.endswith("}"):
        return frozenset(part.strip() for part in text[1:-1].split(",") if part.strip())
    return Word(text)


def bare(value: Value) -> Value:
    """The name of a value of a set that is printed with its label: `County hospital (county)`."""
    if isinstance(value, Word):
        found = re.fullmatch(r".* \(([A-Za-z][A-Za-z0-9_]*)\)", value.text)
        if found:
            return Word(found[1])
    return value


def negative(value: Value) -> Value:
    """The value with its sign changed."""
    match value:
        case Near(low=low, high=high):
            return Near(-high, -low)
        case Span(count=count, unit=unit):
            return Span(-count, unit)
        case bool() | Word() | date() | frozenset() | _Sign():
            return UNKNOWN
    return -value


def trimmed(value: Fraction, places: int) -> Fraction:
    """Cut to some decimals, towards zero."""
    return rounded(value, Fraction(1, 10**places), "down")


def rounded(value: Fraction, to: Fraction, mode: str) -> Fraction:
    """Rounded to a multiple of `to`; by decimal arithmetic, with as many digits as the fraction needs to be decided."""
    ratio = value / to
    whole, rest = divmod(abs(ratio.numerator), ratio.denominator)
    # The rest is told by a digit that keeps its place: nothing, below a half, a half, above a half.
    tail = {-1: "25", 0: "5", 1: "75"}[(2 * rest > ratio.denominator) - (2 * rest < ratio.denominator)] if rest else "0"
    with localcontext() as context:
        context.prec = len(str(whole)) + 5
        decimal = Decimal(f"{'-' if ratio < 0 else ''}{whole}.{tail}")
        return Fraction(decimal.quantize(Decimal(1), rounding=MODES[mode])) * to


def same(a: Value, b: Value) -> bool:
    """Whether two values are the same, as far as their digits go; a set's value may carry its label."""
    a, b = bare(a), bare(b)
    if isinstance(a, Near) or isinstance(b, Near):
        first, last = _ends(a), _ends(b)
        return first is not None and last is not None and first[0] <= last[1] and last[0] <= first[1]
    if type(a) is not type(b) and not (isinstance(a, Fraction) and isinstance(b, Fraction)):
        return _loosely(a, b)
    return a == b


def _loosely(a: Value, b: Value) -> bool:
    """A code that looks like a number is one where a number is meant: a year, a code of digits."""
    for one, other in ((a, b), (b, a)):
        if isinstance(one, Span) and isinstance(other, Fraction):
            return one.count == other
        if isinstance(one, Word) and not isinstance(other, Word):
            return same(printed(one.text), other) if not isinstance(printed(one.text), Word) else False
    return False


def _ends(value: Value) -> tuple[Fraction, Fraction] | None:
    if isinstance(value, Near):
        return value.low, value.high
    return (value, value) if isinstance(value, Fraction) else None


def shown(value: Value) -> str:
    """A value in a message."""
    match value:
        case Near(low=low):
            return f"{float(low):f}.."
        case Span(count=count, unit=unit):
            return f"{shown(count)} {unit}"
        case Word(text=text):
            return text
        case bool():
            return "yes" if value else "no"
        case Fraction():
            if value.denominator == 1:
                return str(value.numerator)
            return str(float(value)) if len(str(value.denominator)) < 12 else f"{value} ({float(value)})"
    return str(value)
