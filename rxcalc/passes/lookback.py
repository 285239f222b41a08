"""Expressions inside window calls, evaluated with an earlier and with this episode. Pure Python, exact."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from fractions import Fraction
from math import prod
from typing import Any, Final

from rxcalc.lang.arithmetic import ceil_to, floor_to, round_to
from rxcalc.lang.dates import add_months, first_day, last_day, months_between, years_between
from rxcalc.lang.ops import Op
from rxcalc.plan.nodes import Plan, PlanNode, PlanWindowCall, RoundTo, Value

__all__ = ["aggregate", "evaluate", "is_supported"]

_PLAIN: Final[Mapping[Op, Callable[..., Any]]] = {
    Op.MULTIPLY: lambda *values: prod(values),
    Op.DIVIDE: lambda a, b: Fraction(a) / b,
    Op.NEGATE: lambda a: -a,
    Op.MIN: min,
    Op.MAX: max,
    Op.ABS: abs,
    Op.EQ: lambda a, b: a == b,
    Op.NE: lambda a, b: a != b,
    Op.NOT: lambda a: not a,
    Op.KNOWN: lambda a: a is not None,
    Op.HAS: lambda codes, code: code in codes,
    Op.MEETS: lambda a, b: bool(a & b),
    Op.YEAR: lambda on: on.year,
    Op.MONTH: lambda on: on.month,
    Op.DAY: lambda on: on.day,
    Op.DAYS_BETWEEN: lambda a, b: (b - a).days,
    Op.MONTHS_BETWEEN: months_between,
    Op.YEARS_BETWEEN: years_between,
    Op.CONVERT: lambda a: a,
}
_ORDERED: Final[Mapping[Op, Callable[..., Any]]] = {
    Op.LT: lambda a, b: a < b,
    Op.LE: lambda a, b: a <= b,
    Op.GT: lambda a, b: a > b,
    Op.GE: lambda a, b: a >= b,
}
_OWN: Final = frozenset(
    {
        *(Op.CONST, Op.INPUT, Op.STEP, Op.EARLIER, Op.ADD, Op.ROUND, Op.FLOOR, Op.CEIL, Op.IN_SET, Op.AND, Op.OR),
        *(Op.DEFAULT, Op.IF, Op.ADD_MONTHS, Op.ADD_YEARS, Op.FIRST_DAY, Op.LAST_DAY),
    }
)


def is_supported(plan: Plan, node: int) -> bool:
    """Whether `evaluate` knows every operation of an expression (-1: there is none)."""
    if node < 0:
        return True
    entry = plan.nodes[node]
    known = entry.op in _PLAIN or entry.op in _ORDERED or entry.op in _OWN
    return known and all(is_supported(plan, arg) for arg in entry.args)


def evaluate(plan: Plan, node: int, this: Mapping[str, Value], earlier: Mapping[str, Value]) -> Any:
    """The value of an expression of a window call; `this` and `earlier` hold inputs and steps by name."""
    entry = plan.nodes[node]

    def value(arg: int) -> Any:
        return evaluate(plan, arg, this, earlier)

    match entry.op:
        case Op.CONST:
            return entry.data
        case Op.INPUT | Op.STEP:
            return this[str(entry.data)]
        case Op.EARLIER:
            return earlier[str(entry.data[1])]  # type: ignore[index] # (window, name)
        case Op.AND:
            return all(value(arg) for arg in entry.args)
        case Op.OR:
            return any(value(arg) for arg in entry.args)
        case Op.IF:
            return value(entry.args[1] if value(entry.args[0]) else entry.args[2])
        case Op.DEFAULT:
            first = value(entry.args[0])
            return value(entry.args[1]) if first is None else first
        case Op.LT | Op.LE | Op.GT | Op.GE:
            return _ORDERED[entry.op](*(_rank(plan, arg, value(arg)) for arg in entry.args))
        case Op.IN_SET:
            return value(entry.args[0]) in tuple(entry.data)  # type: ignore[arg-type] # a tuple of values
        case _:
            return _applied(entry, [value(arg) for arg in entry.args])


def _rank(plan: Plan, node: int, value: Any) -> Any:
    """The value as it compares: one of an ordered set by its place."""
    values = getattr(plan.nodes[node].type, "values", None)
    return values.index(value) if values is not None else value


def _applied(entry: PlanNode, values: list[Any]) -> Any:
    data: Any = entry.data
    match entry.op:
        case Op.ADD if isinstance(values[0], date):
            days = sum(
                sign * (v.toordinal() if isinstance(v, date) else v) for sign, v in zip(data, values, strict=True)
            )
            return date.fromordinal(int(days)) if str(entry.type) == "date" else days
        case Op.ADD:
            signs = data if isinstance(data, tuple) else (1,) * len(values)
            if any(isinstance(v, date) for v in values):
                return next(v for v in values if isinstance(v, date)) + timedelta(
                    days=int(sum(s * v for s, v in zip(signs, values, strict=True) if not isinstance(v, date)))
                )
            return sum(sign * v for sign, v in zip(signs, values, strict=True))
        case Op.ROUND | Op.FLOOR | Op.CEIL:
            to: RoundTo = data
            match entry.op:
                case Op.ROUND:
                    return round_to(values[0], to.to, to.mode)
                case Op.FLOOR:
                    return floor_to(values[0], to.to)
                case _:
                    return ceil_to(values[0], to.to)
        case Op.ADD_MONTHS | Op.ADD_YEARS:
            unit = 12 if entry.op is Op.ADD_YEARS else 1
            return add_months(values[0], unit * (-values[1] if data == -1 else values[1]))
        case Op.FIRST_DAY:
            return first_day(values[0], str(data))
        case Op.LAST_DAY:
            return last_day(values[0], str(data))
        case _:
            return _PLAIN[entry.op](*values)


def aggregate(call: PlanWindowCall, values: list[Any], rank: Callable[[Any], Any]) -> Value:
    """The result of a window call over the values of the earlier episodes that count, in order."""
    match call.function:
        case "count":
            return len(set(values)) if call.distinct else len(values)
        case "sum":
            total: Value = sum(values)
            return total
        case "first":
            return values[0] if values else None
        case "last":
            return values[-1] if values else None
        case "min":
            return min(values, key=rank) if values else None
        case _:
            return max(values, key=rank) if values else None
