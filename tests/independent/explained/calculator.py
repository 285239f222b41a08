"""Formulas worked out: exact arithmetic, dates, conditions."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable
from datetime import date, timedelta
from fractions import Fraction
from math import ceil, floor

from .language import Node, NotReadable
from .values import MISSING, UNKNOWN, Near, Span, Value, Word, bare, negative, rounded, same

Lookup = Callable[[Node], Value]
"""The value of a name, a parameter with keys, a call over rows: whatever is no arithmetic."""

LOOKED_UP = frozenset({"name", "index", "member", "method", "at"})
OF_ROWS = frozenset({"sum", "count", "any", "all", "rank"})
OF_SCHEDULES = frozenset({"bands", "band", "bands_reach", "step", "along", "over_days"})


def is_lookup(node: Node) -> bool:
    """Whether a part of a formula is read somewhere, not worked out from its own parts."""
    if node.kind in LOOKED_UP:
        return True
    if node.kind != "call":
        return False
    over_rows = any(a.kind in ("where", "filtered", "distinct") for a in node.parts[1:])
    if node.text in ("min", "max") and len(node.parts) == 2:
        over_rows = True  # of one argument: the smallest of some rows
    return over_rows or node.text in OF_ROWS or node.text in OF_SCHEDULES


def worked_out(node: Node, lookup: Lookup, mode: str = "half-up") -> Value:
    """The value of a formula; UNKNOWN where it rests on what the text does not say."""
    return _Calculator(lookup, mode).of(node)


class _Calculator:
    def __init__(self, lookup: Lookup, mode: str) -> None:
        self.lookup = lookup
        self.mode = mode

    def of(self, node: Node) -> Value:
        if is_lookup(node):
            return self.lookup(node)
        match node.kind:
            case "value":
                assert node.value is not None
                return node.value
            case "bracket":
                return self.of(node.parts[0])
            case "negate":
                return negative(self.of(node.parts[0]))
            case "sum":
                return self.added(self.of(node.parts[0]), self.of(node.parts[1]), node.text)
            case "product":
                return multiplied(self.of(node.parts[0]), self.of(node.parts[1]), node.text)
            case "if":
                return self.choice(node)
            case "and" | "or":
                return self.logic(node)
            case "not":
                return opposite(self.of(node.parts[0]))
            case "compare":
                return compared(self.of(node.parts[0]), self.of(node.parts[1]), node.text)
            case "between":
                x, low, high = (self.of(p) for p in node.parts)
                return both(compared(low, x, "<="), compared(x, high, "<="))
            case "in_set":
                return self.member(node)
            case "in_table":
                return self.lookup(node)
            case "is":
                value = self.of(node.parts[0])
                if isinstance(value, Word) and value.text == node.parts[0].text and node.parts[0].kind == "name":
                    value = MISSING  # a name that is tested for being there keeps its name where it is not
                return UNKNOWN if value is UNKNOWN else (value is not MISSING) == (node.text == "known")
            case "call":
                return self.call(node.text, list(node.parts[1:]))
        raise NotReadable(f"{node.kind} cannot be worked out")

    def choice(self, node: Node) -> Value:
        condition = self.of(node.parts[0])
        if condition is UNKNOWN:
            then, other = self.of(node.parts[1]), self.of(node.parts[2])
            if then is UNKNOWN or other is UNKNOWN:  # the one that was not evaluated has no figures
                return other if then is UNKNOWN else then
            return then if same(then, other) else UNKNOWN
        return self.of(node.parts[1] if condition is True else node.parts[2])

    def logic(self, node: Node) -> Value:
        decides = node.kind == "or"
        result: Value = not decides
        for part in node.parts:
            value = self.of(part)
            if value is decides and result is not UNKNOWN:
                return decides
            if value is UNKNOWN:
                result = UNKNOWN
        return result

    def member(self, node: Node) -> Value:
        x = self.of(node.parts[0])
        found = [compared(x, self.of(p), "=") for p in node.parts[1:]]
        return True if True in found else UNKNOWN if UNKNOWN in found else False

    def added(self, a: Value, b: Value, sign: str) -> Value:
        if isinstance(a, date):
            return moved(a, negative(b) if sign == "-" and isinstance(b, Span) else b, sign)
        if sign == "-":
            b = negative(b)
        match a, b:
            case Fraction(), Fraction():
                return a + b
            case Span(), Span() if a.unit == b.unit:
                return Span(a.count + b.count, a.unit)
            case Span(), Fraction() if b == 0:
                return a
            case Fraction(), Span() if a == 0:
                return b
            case ((Near() | Fraction()), (Near() | Fraction())):
                (low, high), (other_low, other_high) = ends(a), ends(b)
                return Near(low + other_low, high + other_high)
        return UNKNOWN

    def call(self, name: str, arguments: list[Node]) -> Value:
        if name == "default":
            first = self.of(arguments[0])
            return self.of(arguments[1]) if first is MISSING else first
        if name in ("first_day", "last_day") and len(arguments) == 2:
            return period_end(name, self.of(arguments[0]), arguments[1].text)
        given = [self.of(a) for a in arguments]
        if any(g is UNKNOWN for g in given):
            return UNKNOWN
        values = [bare(g) for g in given]
        match name, values:
            case (("min" | "max"), [*_]):
                return extreme(name, values)
            case "clamp", [x, low, high]:
                return extreme("min", [extreme("max", [x, low]), high])
            case "abs", [Fraction() as x]:
                return abs(x)
            case "abs", [Span(count=count, unit=unit)]:
                return Span(abs(count), unit)
            case (("round" | "floor" | "ceil"), [Fraction() as x, Fraction() as to]):
                if name == "round":
                    return rounded(x, to, self.mode)
                return (floor(x / to) if name == "floor" else ceil(x / to)) * to
            case "as_percent" | "as_number", [x]:
                return x
            case "as_count", [Span(count=count)]:
                return count
            case "as_count", [x]:
                return x
            case (("days" | "months" | "years"), [Fraction() as x]):
                return Span(x, name)
            case "year", [date() as d]:
                return Fraction(d.year)
            case "month", [date() as d]:
                return Fraction(d.month)
            case "day", [date() as d]:
                return Fraction(d.day)
            case "date", [Fraction() as y, Fraction() as m, Fraction() as d]:
                return date(int(y), int(m), int(d))
            case "first_day", [Fraction() as y]:
                return date(int(y), 1, 1)
            case "last_day", [Fraction() as y]:
                return date(int(y), 12, 31)
            case "days_between", [date() as a, date() as b]:
                return Span(Fraction((b - a).days), "days")
            case "months_between", [date() as a, date() as b]:
                return Span(Fraction(whole_months(a, b)), "months")
            case "age", [date() as a, date() as b]:
                return Span(Fraction(whole_months(a, b) // 12), "years")
            case (("power" | "root"), [Fraction() as x, Fraction() as y]):
                return power(x, y if name == "power" else 1 / y)
        return UNKNOWN


def ends(value: Fraction | Near) -> tuple[Fraction, Fraction]:
    """The least and the largest that a number may be."""
    return (value.low, value.high) if isinstance(value, Near) else (value, value)


def multiplied(a: Value, b: Value, sign: str) -> Value:
    """A product or quotient."""
    match a, b:
        case Fraction(), Fraction():
            if sign == "/" and b == 0:
                return UNKNOWN
            return a * b if sign == "*" else a / b
        case Span(), Span() if sign == "/" and a.unit == b.unit and b.count != 0:
            return a.count / b.count
        case Span(), Fraction() if sign == "*":
            return Span(a.count * b, a.unit) if b.denominator == 1 or a.unit != "days" else a.count * b
        case Fraction(), Span() if sign == "*":
            return a * b.count  # a daily amount times days
        case Fraction(), Span() if b.count != 0:
            return a / b.count
        case ((Near() | Fraction()), (Near() | Fraction())):
            (low, high), (other_low, other_high) = ends(a), ends(b)
            if sign == "/" and other_low <= 0 <= other_high:
                return UNKNOWN
            corners = [x * y if sign == "*" else x / y for x in (low, high) for y in (other_low, other_high)]
            return Near(min(corners), max(corners))
    return UNKNOWN


def moved(start: date, by: Value, sign: str) -> Value:
    """A date and a duration, or the days between two dates."""
    if isinstance(by, date) and sign == "-":
        return Span(Fraction((start - by).days), "days")
    if not isinstance(by, Span):
        return UNKNOWN
    if by.unit == "days":
        return start + timedelta(days=int(by.count))
    return plus_months(start, int(by.count) * (12 if by.unit == "years" else 1))


def plus_months(start: date, months: int) -> date:
    """The same day some months later, or the last one of a shorter month."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    return date(year, month + 1, min(start.day, monthrange(year, month + 1)[1]))


def whole_months(start: date, end: date) -> int:
    """The largest n with start + n months <= end."""
    n = (end.year - start.year) * 12 + end.month - start.month
    return n if plus_months(start, n) <= end else n - 1


def period_end(name: str, on: Value, unit: str) -> Value:
    """The first or last day of a month, quarter or year."""
    if not isinstance(on, date):
        return UNKNOWN
    length = {"month": 1, "quarter": 3, "year": 12}.get(unit)
    if length is None:
        return UNKNOWN
    first = date(on.year, (on.month - 1) // length * length + 1, 1)
    return first if name == "first_day" else plus_months(first, length) - timedelta(days=1)


def compared(a: Value, b: Value, sign: str) -> Value:
    """Whether a comparison holds; of two words only whether they are the same."""
    a, b = bare(a), bare(b)
    if a is UNKNOWN or b is UNKNOWN:
        return UNKNOWN
    if a is MISSING or b is MISSING:
        return {"=": a is b, "!=": a is not b}.get(sign, UNKNOWN)
    if sign in ("has", "meets"):
        return held(a, b)
    if sign in ("=", "!="):
        return same(a, b) == (sign == "=")
    if isinstance(a, Span) and isinstance(b, Span) and a.unit == b.unit:
        a, b = a.count, b.count
    if isinstance(a, Span) and isinstance(b, Fraction):
        a = a.count
    if isinstance(b, Span) and isinstance(a, Fraction):
        b = b.count
    if isinstance(a, Word) and isinstance(b, Word):
        return sign in ("<=", ">=") if a == b else UNKNOWN
    order: int
    if isinstance(a, Fraction | Near) and isinstance(b, Fraction | Near):
        (low, high), (other_low, other_high) = ends(a), ends(b)
        if (low, other_low) != (high, other_high) and low < other_high and other_low < high:
            return UNKNOWN
        order = (low > other_low) - (low < other_low)
    elif isinstance(a, date) and isinstance(b, date):
        order = (a > b) - (a < b)
    else:
        return UNKNOWN
    return {"<": order < 0, "<=": order <= 0, ">": order > 0, ">=": order >= 0}[sign]


def held(codes: Value, other: Value) -> Value:
    """`codes has code`, `codes meets codes`."""
    sets = [frozenset({x.text}) if isinstance(x, Word) else x for x in (codes, other)]
    first, second = sets
    if isinstance(first, frozenset) and isinstance(second, frozenset):
        return bool(first & second)
    return UNKNOWN


def extreme(name: str, values: list[Value]) -> Value:
    """The smallest or largest of some values."""
    if not values or any(v is UNKNOWN or v is MISSING for v in values):
        return UNKNOWN
    best = values[0]
    for value in values[1:]:
        if isinstance(best, Near) or isinstance(value, Near):
            pair = [ends(v) for v in (best, value) if isinstance(v, Fraction | Near)]
            pick = min if name == "min" else max
            best = Near(pick(p[0] for p in pair), pick(p[1] for p in pair))
            continue
        wins = compared(value, best, "<" if name == "min" else ">")
        if wins is UNKNOWN:
            return UNKNOWN
        best = value if wins is True else best
    return best


def opposite(value: Value) -> Value:
    """Not."""
    return (not value) if isinstance(value, bool) else UNKNOWN


def both(a: Value, b: Value) -> Value:
    """And."""
    if a is False or b is False:
        return False
    return True if a is True and b is True else UNKNOWN


def power(x: Fraction, y: Fraction) -> Value:
    """X to the y, to 40 digits: enough to redo its rounding."""
    if y.denominator == 1 and abs(y) <= 64:
        return x ** int(y)
    from decimal import Decimal, localcontext

    with localcontext() as context:
        context.prec = 60
        base = Decimal(x.numerator) / Decimal(x.denominator)
        found = Fraction(base ** (Decimal(y.numerator) / Decimal(y.denominator)))
    error = abs(found) / 10**40
    return Near(found - error, found + error)
