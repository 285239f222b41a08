"""The plain operations of the exact back end, on values already computed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from fractions import Fraction
from typing import Any, Final

from rxcalc.backends.base import Problem
from rxcalc.lang.arithmetic import MAX_BITS, ceil_to, floor_to, power_rounded, round_to
from rxcalc.lang.dates import add_months, first_day, last_day, months_between, years_between
from rxcalc.lang.ops import Op
from rxcalc.lang.types import is_whole
from rxcalc.plan.nodes import PlanNode, RoundTo


class Refused(Exception):  # noqa: N818 - control flow inside the back end, never seen outside it
    """The episode is refused; caught where the run of one episode ends."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def refuse(code: str, node: PlanNode, message: str, value: object = "") -> Refused:
    """The refusal of an episode at a node."""
    return Refused(Problem(code, node.text, str(value), message))


def size_checked(value: Any, node: PlanNode) -> Any:
    """`value`, refused when it passes the limit of docs/language.md, Limits."""
    if value.numerator.bit_length() > MAX_BITS or value.denominator.bit_length() > MAX_BITS:
        raise refuse(
            "RX718",
            node,
            f"`{node.text}` has more than {MAX_BITS} bits; make the numbers smaller or round between steps",
        )
    return value


def add(node: PlanNode) -> Callable[..., Any]:
    """A signed sum; a date with days stays a date."""
    signs = node.data
    assert isinstance(signs, tuple)  # noqa: S101 - data of ADD
    if str(node.type) == "date":

        def move(*values: Any) -> Any:
            start = next(v for v in values if isinstance(v, date))
            shift = sum(s * v for s, v in zip(signs, values, strict=True) if not isinstance(v, date))
            return _day(node, lambda: start + timedelta(days=int(shift)))

        return move
    if signs == (1, 1):
        return lambda a, b: a + b
    if signs == (1, -1):

        def minus(a: Any, b: Any) -> Any:
            return (a - b).days if isinstance(a, date) else a - b

        return minus

    def total(*values: Any) -> Any:
        numbers = [v.toordinal() if isinstance(v, date) else v for v in values]
        return sum(s * v for s, v in zip(signs, numbers, strict=True))

    return total


def divide(node: PlanNode) -> Callable[[Any, Any], Any]:
    """An exact quotient; a zero divisor refuses the row."""

    def quotient(a: Any, b: Any) -> Any:
        if b == 0:
            raise refuse(
                "RX711", node, f"`{node.text}` divides by zero; test the divisor first, e.g. `when .. = 0 then ..`"
            )
        return size_checked(Fraction(a) / b, node)

    return quotient


def rounding(node: PlanNode) -> Callable[[Any], Any]:
    """round, floor and ceil."""
    to = node.data
    assert isinstance(to, RoundTo)  # noqa: S101 - data of ROUND
    whole = is_whole(node.type)
    match node.op:
        case Op.ROUND:
            return lambda x: _whole(round_to(x, to.to, to.mode), whole)
        case Op.FLOOR:
            return lambda x: _whole(floor_to(x, to.to), whole)
        case _:
            return lambda x: _whole(ceil_to(x, to.to), whole)


def _whole(value: Fraction, whole: bool) -> Any:  # noqa: FBT001 - private
    return value.numerator if whole else value


def power(node: PlanNode) -> Callable[[Any, Any], Any]:
    """Power and root, rounded correctly."""
    to = node.data
    assert isinstance(to, RoundTo)  # noqa: S101 - data of POWER

    def raised(x: Any, y: Any) -> Any:
        if x <= 0:
            raise refuse("RX717", node, f"`{node.text}` needs a base above zero", x)
        if node.op is Op.ROOT and y == 0:
            raise refuse("RX717", node, f"`{node.text}` asks for the zeroth root", y)
        exponent = Fraction(y) if node.op is Op.POWER else 1 / Fraction(y)
        try:
            return power_rounded(Fraction(x), exponent, to.to, to.mode)
        except ArithmeticError as problem:
            raise refuse("RX718", node, f"`{node.text}` passes {MAX_BITS} bits; use a simpler exponent", y) from problem

    return raised


def make_date(node: PlanNode) -> Callable[[Any, Any, Any], date]:
    """A date from year, month and day."""

    def made(year: int, month: int, day: int) -> date:
        return _day(node, lambda: date(year, month, day))

    return made


def shift(node: PlanNode) -> Callable[[date, int], date]:
    """A date moved by months or years."""
    unit = (12 if node.op is Op.ADD_YEARS else 1) * (node.data if isinstance(node.data, int) else 1)

    def moved(on: date, n: int) -> date:
        return _day(node, lambda: add_months(on, unit * n))

    return moved


def _day(node: PlanNode, make: Callable[[], date]) -> date:
    try:
        return make()
    except (ValueError, OverflowError) as problem:
        raise refuse("RX712", node, f"`{node.text}` is no day of the calendar") from problem


def convert(node: PlanNode) -> Callable[[Any], Any]:
    """The same number in another unit; whole units take whole numbers only."""
    whole = is_whole(node.type)

    def converted(x: Any) -> Any:
        if whole:
            if x.denominator != 1:
                raise refuse("RX713", node, f"`{node.text}` needs a whole number; round it first", x)
            return x.numerator
        return x

    return converted


BINARY: Final[dict[Op, Callable[[Any, Any], Any]]] = {
    Op.MULTIPLY: lambda a, b: a * b,
    Op.EQ: lambda a, b: a == b,
    Op.NE: lambda a, b: a != b,
    Op.LT: lambda a, b: a < b,
    Op.LE: lambda a, b: a <= b,
    Op.GT: lambda a, b: a > b,
    Op.GE: lambda a, b: a >= b,
    Op.HAS: lambda codes, code: code in codes,
    Op.MEETS: lambda a, b: bool(a & b),
    Op.DAYS_BETWEEN: lambda a, b: (b - a).days,
    Op.MONTHS_BETWEEN: months_between,
    Op.YEARS_BETWEEN: years_between,
}

UNARY: Final[dict[Op, Callable[[Any], Any]]] = {
    Op.NEGATE: lambda x: -x,
    Op.ABS: abs,
    Op.YEAR: lambda d: d.year,
    Op.MONTH: lambda d: d.month,
    Op.DAY: lambda d: d.day,
}


def unit_day(node: PlanNode) -> Callable[[date], date]:
    """First or last day of a month, quarter or year."""
    unit = str(node.data)
    return (lambda d: first_day(d, unit)) if node.op is Op.FIRST_DAY else (lambda d: last_day(d, unit))


__all__ = [
    "BINARY",
    "UNARY",
    "Refused",
    "add",
    "convert",
    "divide",
    "make_date",
    "power",
    "refuse",
    "rounding",
    "shift",
    "size_checked",
    "unit_day",
]
