"""Plain operations on what is possible. Known operands go to the exact back end's own functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from fractions import Fraction
from typing import Any, Final, TypeAlias

from rxcalc.backends import exact_ops as ops
from rxcalc.backends.exact_ops import Refused
from rxcalc.bill.possible import (
    EITHER,
    NO,
    NOTHING,
    ZERO,
    Box,
    Choice,
    Possible,
    Span,
    flag,
    point,
    value_of,
)
from rxcalc.lang.arithmetic import ceil_to, floor_to
from rxcalc.lang.dates import months_between, years_between
from rxcalc.lang.ops import Op
from rxcalc.lang.types import OneOf, Type, is_whole
from rxcalc.plan.nodes import PlanNode, RoundTo

MOST_PAIRS: Final = 256
"""Pairs of possible values that are compared one by one."""

Way: TypeAlias = "Callable[[Box, PlanNode, Sequence[Span]], Possible | None]"


def span_of(possible: Possible) -> Span:
    """A number of which something is possible."""
    return possible if isinstance(possible, Span) else Span()


def exact_function(node: PlanNode, types: Sequence[Type]) -> Callable[..., Any] | None:
    """What the exact back end does with the operands of a plain operation; None for operations of other kinds."""
    match node.op:
        case Op.ADD:
            return ops.add(node)
        case Op.DIVIDE:
            return ops.divide(node)
        case Op.ROUND | Op.FLOOR | Op.CEIL:
            return ops.rounding(node)
        case Op.POWER | Op.ROOT:
            return ops.power(node)
        case Op.MAKE_DATE:
            return ops.make_date(node)
        case Op.ADD_MONTHS | Op.ADD_YEARS:
            return ops.shift(node)
        case Op.FIRST_DAY | Op.LAST_DAY:
            return ops.unit_day(node)
        case Op.CONVERT:
            return ops.convert(node)
        case Op.MULTIPLY:
            return lambda a, b: ops.size_checked(a * b, node)
        case Op.IN_SET:
            members = node.data if isinstance(node.data, tuple) else ()
            return lambda x: x in members
        case Op.MIN | Op.MAX:
            chosen, rank = (min if node.op is Op.MIN else max), _rank(node.type)
            return lambda *xs: chosen(xs, key=rank.__getitem__) if rank is not None else chosen(xs)
        case Op.LT | Op.LE | Op.GT | Op.GE:
            test, rank = ops.BINARY[node.op], _rank(types[0])
            return test if rank is None else lambda a, b: test(rank[a], rank[b])
        case _:
            return ops.BINARY.get(node.op) or ops.UNARY.get(node.op)


def applied(box: Box, node: PlanNode, function: Callable[..., Any], args: Sequence[Possible], types: Sequence[Type]) -> Possible | None:  # fmt: skip
    """What an operation can give; None where nothing better is known than what the compiler has proven."""
    if all(a.is_point for a in args):
        try:
            return point(function(*(value_of(a, t) for a, t in zip(args, types, strict=True))))
        except Refused:
            return NOTHING
    way = _WAYS.get(node.op)
    if all(isinstance(a, Span) for a in args):
        return way(box, node, [span_of(a) for a in args]) if way is not None else None
    return _of_choices(node, function, args, types)


def _of_choices(
    node: PlanNode, function: Callable[..., Any], args: Sequence[Possible], types: Sequence[Type]
) -> Possible | None:
    """An operation on sets of values, each combination tried."""
    count = 1
    sides: list[list[Any]] = []
    for a, t in zip(args, types, strict=True):
        if isinstance(a, Span) or a.values is None:
            if not a.is_point:
                return None
            sides.append([value_of(a, t)])
        else:
            sides.append(sorted(a.values, key=str))
        count *= len(sides[-1])
    if count > MOST_PAIRS:
        return None
    combinations: list[tuple[Any, ...]] = [()]
    for side in sides:
        combinations = [(*c, v) for c in combinations for v in side]
    del node
    return Choice(frozenset(function(*c) for c in combinations))


def _rank(of: Type) -> Mapping[Any, int] | None:
    return {v: at for at, v in enumerate(of.values)} if isinstance(of, OneOf) else None


# ---- numbers ----


def _add(box: Box, node: PlanNode, args: Sequence[Span]) -> Possible:
    return box.add(args, node.data if isinstance(node.data, tuple) else (1,) * len(args))


def _divide(box: Box, node: PlanNode, args: Sequence[Span]) -> Possible | None:
    a, b = args
    del node
    if b.is_point and b.low:
        return box.scaled(a, 1 / b.low)
    if b.low is None or b.high is None or a.low is None or a.high is None:
        return None
    if b.low < 0 < b.high or (b.low == 0 and b.high == 0):
        return None
    if b.low > 0 or b.high < 0:
        corners = [x / y for x in (a.low, a.high) for y in (b.low, b.high)]
        return Span(min(corners), max(corners))
    # A divisor of zero refuses the bill, so the quotient goes on to infinity on one side.
    edge = b.high if b.low == 0 else b.low
    if a.low >= 0:
        return Span(a.low / edge, None) if edge > 0 else Span(None, a.low / edge)
    if a.high <= 0:
        return Span(None, a.high / edge) if edge > 0 else Span(a.high / edge, None)
    return None


def _absolute(box: Box, node: PlanNode, args: Sequence[Span]) -> Possible:
    del node
    return box.largest((args[0], box.negated(args[0])))


def _rounded(box: Box, node: PlanNode, args: Sequence[Span]) -> Possible:
    to = node.data
    assert isinstance(to, RoundTo)  # noqa: S101 - data of ROUND, FLOOR and CEIL
    mode = {Op.FLOOR: "floor", Op.CEIL: "ceil"}.get(node.op, to.mode)
    return box.rounded(args[0], to.to, mode)


def _power(box: Box, node: PlanNode, args: Sequence[Span]) -> Possible | None:
    """Power and root of a base above zero go one way in each operand, so they are bounded by the corners."""
    del box
    base, exponent = args
    ends = (base.low, base.high, exponent.low, exponent.high)
    if any(x is None for x in ends) or (base.low or ZERO) <= 0 or (node.op is Op.ROOT and (exponent.low or ZERO) <= 0):
        return None
    raised = ops.power(node)
    try:
        corners = [Fraction(raised(x, y)) for x in ends[:2] for y in ends[2:]]
    except Refused:
        return None
    return Span(min(corners), max(corners))


def _convert(box: Box, node: PlanNode, args: Sequence[Span]) -> Possible:
    a = args[0]
    if not is_whole(node.type):
        return box.held(a.low, a.high, a.form)
    low = None if a.low is None else ceil_to(a.low, Fraction(1))
    high = None if a.high is None else floor_to(a.high, Fraction(1))
    if low is not None and high is not None and low > high:
        return NOTHING
    return box.held(low, high, a.form)


# ---- comparisons ----


def _compare(box: Box, node: PlanNode, args: Sequence[Span]) -> Possible:
    a, b = args
    less, equal, more = box.order(a, b)
    found = {
        Op.LT: flag(less, equal or more),
        Op.LE: flag(less or equal, more),
        Op.GT: flag(more, less or equal),
        Op.GE: flag(more or equal, less),
        Op.EQ: flag(equal, less or more),
        Op.NE: flag(less or more, equal),
    }[node.op]
    if found == EITHER:
        box.undecided(a, b)
    return found


def _in_set(box: Box, node: PlanNode, args: Sequence[Span]) -> Possible:
    members = node.data if isinstance(node.data, tuple) else ()
    found = [box.order(args[0], m)[1] for m in map(point, members) if isinstance(m, Span)]
    return EITHER if any(found) else NO


# ---- dates ----


def _day(ordinal: Fraction | None) -> date | None:
    if ordinal is None:
        return None
    try:
        return date.fromordinal(int(ordinal))
    except (ValueError, OverflowError):
        return None


def _ends(a: Span) -> tuple[date, date] | None:
    low, high = _day(a.low), _day(a.high)
    return None if low is None or high is None else (low, high)


def _between_days(low: int, high: int) -> Span:
    return Span(Fraction(low), Fraction(high))


def _year(box: Box, node: PlanNode, args: Sequence[Span]) -> Possible | None:
    del box
    days = _ends(args[0])
    if days is None:
        return None
    low, high = days
    if node.op is Op.YEAR:
        return _between_days(low.year, high.year)
    if node.op is Op.MONTH:
        return _between_days(low.month, high.month) if low.year == high.year else _between_days(1, 12)
    same = (low.year, low.month) == (high.year, high.month)
    return _between_days(low.day, high.day) if same else _between_days(1, 31)


def _shifted(box: Box, node: PlanNode, args: Sequence[Span]) -> Possible | None:
    """A later day is moved no less far, and more months move further."""
    del box
    days, count = _ends(args[0]), args[1]
    if days is None or count.low is None or count.high is None:
        return None
    move = ops.shift(node)
    try:
        corners = [move(day, int(n)).toordinal() for day in days for n in (count.low, count.high)]
    except Refused:
        return None
    return _between_days(min(corners), max(corners))


def _unit_day(box: Box, node: PlanNode, args: Sequence[Span]) -> Possible | None:
    del box
    days = _ends(args[0])
    if days is None:
        return None
    first = ops.unit_day(node)
    return _between_days(first(days[0]).toordinal(), first(days[1]).toordinal())


def _days_between(box: Box, node: PlanNode, args: Sequence[Span]) -> Possible | None:
    if node.op is Op.DAYS_BETWEEN:
        return box.minus(args[1], args[0])
    starts, ends = _ends(args[0]), _ends(args[1])
    if starts is None or ends is None:
        return None
    count = months_between if node.op is Op.MONTHS_BETWEEN else years_between
    try:
        return _between_days(count(starts[1], ends[0]), count(starts[0], ends[1]))
    except OverflowError:
        return None


_WAYS: Final[Mapping[Op, Way]] = {
    Op.ADD: _add,
    Op.MULTIPLY: lambda box, _, args: box.multiply(args[0], args[1]),
    Op.DIVIDE: _divide,
    Op.NEGATE: lambda box, _, args: box.negated(args[0]),
    Op.MIN: lambda box, _, args: box.least(args),
    Op.MAX: lambda box, _, args: box.largest(args),
    Op.ABS: _absolute,
    Op.ROUND: _rounded,
    Op.FLOOR: _rounded,
    Op.CEIL: _rounded,
    Op.POWER: _power,
    Op.ROOT: _power,
    Op.CONVERT: _convert,
    Op.LT: _compare,
    Op.LE: _compare,
    Op.GT: _compare,
    Op.GE: _compare,
    Op.EQ: _compare,
    Op.NE: _compare,
    Op.IN_SET: _in_set,
    Op.YEAR: _year,
    Op.MONTH: _year,
    Op.DAY: _year,
    Op.ADD_MONTHS: _shifted,
    Op.ADD_YEARS: _shifted,
    Op.FIRST_DAY: _unit_day,
    Op.LAST_DAY: _unit_day,
    Op.DAYS_BETWEEN: _days_between,
    Op.MONTHS_BETWEEN: _days_between,
    Op.YEARS_BETWEEN: _days_between,
}

PLAIN: Final = frozenset(_WAYS) | {Op.HAS, Op.MEETS, Op.MAKE_DATE}
"""Operations whose operands are all evaluated, and which take no missing one."""

__all__ = ["PLAIN", "applied", "exact_function", "span_of"]
