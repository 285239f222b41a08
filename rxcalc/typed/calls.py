"""Typing of calls of functions and schedules; calls over rows stand in typed/rows.py."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from rxcalc.lang import units
from rxcalc.lang.builtins import AGGREGATES, FUNCTIONS
from rxcalc.lang.ops import Op
from rxcalc.lang.types import (
    COUNT,
    DATE,
    DAYS,
    MONEY,
    MONEY_PER_DAY,
    MONTHS,
    NUMBER,
    PERCENT,
    YEARS,
    ErrorType,
    Kind,
    Plain,
    ScheduleType,
    Type,
    ZeroType,
)
from rxcalc.syntax import nodes as syn
from rxcalc.syntax.unparse import unparse
from rxcalc.typed import problems, rows
from rxcalc.typed.facts import Facts
from rxcalc.typed.nodes import ParameterUse, ScheduleUse, TExpr
from rxcalc.typed.symbols import nearest

if TYPE_CHECKING:
    from rxcalc.typed.expressions import Scope, Typer

PERIODS = ("month", "quarter", "year")


def call(typer: Typer, e: syn.Call, want: Type | None, facts: Facts, scope: Scope) -> TExpr:
    """The typed form of a call."""
    if isinstance(e.function, syn.Member):
        return rows.window_call(typer, e, e.function, facts, scope)
    name = e.function.name
    if rows.is_aggregate(e):
        return rows.aggregate(typer, e, facts, scope)
    if name not in FUNCTIONS:
        typer.sink.add(problems.unknown_function(e.function.span, name, nearest(name, (*FUNCTIONS, *AGGREGATES))))
        return typer.error(e)
    if any(a.where or a.distinct or a.value is None for a in e.arguments):
        typer.sink.add(problems.wrong_arguments(e.span, name, FUNCTIONS[name][0]))
        return typer.error(e)
    given = [a.value for a in e.arguments if a.value is not None]
    match name, given:
        case "min" | "max", [_, _, *_]:
            return _least(typer, e, Op.MIN if name == "min" else Op.MAX, given, want, facts, scope)
        case "clamp", [x, low, high]:
            inner = _least(typer, e, Op.MAX, [x, low], want, facts, scope)
            top = typer.value(high, want, facts, scope)
            return _join(typer, e, Op.MIN, [inner, top])
        case "abs", [x]:
            operand = typer.value(x, want, facts, scope)
            return _numeric(typer, e, operand) or typer.make(Op.ABS, (operand,), operand.type, e)
        case "round" | "floor" | "ceil", [x, to]:
            return _round(typer, e, name, x, to, want, facts, scope)
        case "power" | "root", [x, y]:
            base = typer.value(x, None, facts, scope)
            exponent = typer.value(y, None, facts, scope)
            for operand, allowed in ((base, (Kind.NUMBER, Kind.COUNT)), (exponent, (Kind.NUMBER, Kind.COUNT))):
                if not isinstance(operand.type, ErrorType | ZeroType) and not (
                    isinstance(operand.type, Plain) and operand.type.kind in allowed
                ):
                    typer.sink.add(problems.wrong_type(operand.span, "a number", f"a {operand.type}"))
                    return typer.error(e)
            return typer.make(Op.POWER if name == "power" else Op.ROOT, (base, exponent), NUMBER, e)
        case "default", [x, d]:
            return _default(typer, e, x, d, want, facts, scope)
        case "year" | "month" | "day", [d]:
            operand = typer.coerce(typer.value(d, DATE, facts, scope), DATE)
            return typer.make({"year": Op.YEAR, "month": Op.MONTH, "day": Op.DAY}[name], (operand,), COUNT, e)
        case "date", [y, m, d]:
            parts = tuple(typer.coerce(typer.value(part, COUNT, facts, scope), COUNT) for part in (y, m, d))
            return typer.make(Op.MAKE_DATE, parts, DATE, e)
        case "age" | "days_between" | "months_between", [a, b]:
            dates = tuple(typer.coerce(typer.value(part, DATE, facts, scope), DATE) for part in (a, b))
            op, type_ = {
                "age": (Op.YEARS_BETWEEN, COUNT),
                "days_between": (Op.DAYS_BETWEEN, DAYS),
                "months_between": (Op.MONTHS_BETWEEN, COUNT),
            }[name]
            return typer.make(op, dates, type_, e)
        case "first_day" | "last_day", [d, syn.Name(name=unit)] if unit in PERIODS:
            operand = typer.coerce(typer.value(d, DATE, facts, scope), DATE)
            return typer.make(Op.FIRST_DAY if name == "first_day" else Op.LAST_DAY, (operand,), DATE, e, unit)
        case "first_day" | "last_day", [year]:
            number = typer.coerce(typer.value(year, COUNT, facts, scope), COUNT)
            month, day = (1, 1) if name == "first_day" else (12, 31)
            constants = tuple(typer.make(Op.CONST, (), COUNT, e, n) for n in (month, day))
            return typer.make(Op.MAKE_DATE, (number, *constants), DATE, e)
        case "days" | "months" | "years", [n]:
            operand = typer.value(n, None, facts, scope)
            target = {"days": DAYS, "months": MONTHS, "years": YEARS}[name]
            return _convert(typer, e, operand, target, (Kind.COUNT, Kind.NUMBER))
        case "as_count", [n]:
            operand = typer.value(n, None, facts, scope)
            return _convert(typer, e, operand, COUNT, (Kind.NUMBER, Kind.DAYS, Kind.MONTHS, Kind.YEARS))
        case "as_percent", [n]:
            return _convert(typer, e, typer.value(n, None, facts, scope), PERCENT, (Kind.COUNT, Kind.NUMBER))
        case "as_number", [p]:
            return _convert(
                typer,
                e,
                typer.value(p, PERCENT, facts, scope),
                NUMBER,
                (Kind.PERCENT, Kind.DAYS, Kind.MONTHS, Kind.YEARS),
            )
        case "bands" | "band" | "bands_reach" | "step" | "along" | "over_days", _:
            return _schedule_call(typer, e, name, given, facts, scope)
        case _:
            typer.sink.add(problems.wrong_arguments(e.span, name, FUNCTIONS[name][0]))
            return typer.error(e)


def _numeric(typer: Typer, e: syn.Expr, operand: TExpr) -> TExpr | None:
    if isinstance(operand.type, ErrorType) or units.add(operand.type, operand.type, 1) is not None:
        return None
    typer.sink.add(problems.wrong_type(operand.span, "a number or amount", f"a {operand.type}"))
    return typer.error(e)


def _least(
    typer: Typer, e: syn.Call, op: Op, given: list[syn.Expr], want: Type | None, facts: Facts, scope: Scope
) -> TExpr:
    return _join(typer, e, op, [typer.value(x, want, facts, scope) for x in given])


def _join(typer: Typer, e: syn.Call, op: Op, operands: list[TExpr]) -> TExpr:
    result: Type = operands[0].type
    for operand in operands[1:]:
        joined = units.common(result, operand.type)
        if joined is None or not units.can_order(joined, joined):
            typer.sink.add(
                problems.unlike_units(
                    e.span, "compare", f"a {result}", f"a {operand.type}", typer.hint(operand.type, result)
                )
            )
            return typer.error(e)
        result = joined
    return typer.make(op, tuple(operands), result, e)


def _round(
    typer: Typer, e: syn.Call, name: str, x: syn.Expr, to: syn.Expr, want: Type | None, facts: Facts, scope: Scope
) -> TExpr:
    operand = typer.value(x, want, facts, scope)
    if (bad := _numeric(typer, e, operand)) is not None:
        return bad
    step = typer.value(to, operand.type, facts, replace(scope, yaml=True))
    if isinstance(operand.type, ErrorType) or isinstance(step.type, ErrorType):
        return typer.error(e)
    if step.op is not Op.CONST or units.common(operand.type, step.type) is None or step.data <= 0:  # type: ignore[operator]  # a numeric constant
        typer.sink.add(
            problems.wrong_type(step.span, f"a constant above zero of type `{operand.type}`", f"`{unparse(to)}`")
        )
        return typer.error(e)
    op = {"round": Op.ROUND, "floor": Op.FLOOR, "ceil": Op.CEIL}[name]
    result = operand.type
    if operand.type == NUMBER and isinstance(step.data, int | Fraction) and Fraction(step.data).denominator == 1:
        result = COUNT
    return typer.make(op, (operand,), result, e, step.data)


def _default(
    typer: Typer, e: syn.Call, x: syn.Expr, d: syn.Expr, want: Type | None, facts: Facts, scope: Scope
) -> TExpr:
    operand = typer.expr(x, want, facts, scope)
    if not operand.missing and not isinstance(operand.type, ErrorType):
        typer.sink.add(problems.never_missing(x.span, unparse(x)))
    other = typer.expr(d, operand.type, facts, scope)
    result = units.common(operand.type, other.type)
    if result is None:
        typer.sink.add(problems.unlike_units(e.span, "choose between", f"a {operand.type}", f"a {other.type}"))
        return typer.error(e)
    return typer.make(Op.DEFAULT, (operand, other), result, e, missing=operand.missing and other.missing)


def _convert(typer: Typer, e: syn.Call, operand: TExpr, target: Type, allowed: tuple[Kind, ...]) -> TExpr:
    if not isinstance(operand.type, ErrorType | ZeroType) and not (
        isinstance(operand.type, Plain) and operand.type.kind in allowed
    ):
        typer.sink.add(problems.wrong_type(operand.span, " or ".join(k.value for k in allowed), f"a {operand.type}"))
        return typer.error(e)
    return typer.make(Op.CONVERT, (operand,), target, e)


# ---- schedules -------------------------------------------------------------------------------


def _schedule_call(typer: Typer, e: syn.Call, name: str, given: list[syn.Expr], facts: Facts, scope: Scope) -> TExpr:
    wrong = problems.wrong_arguments(e.span, name, FUNCTIONS[name][0])
    if not given:
        typer.sink.add(wrong)
        return typer.error(e)
    schedule = typer.value(given[0], None, facts, scope)
    if isinstance(schedule.type, ErrorType):
        return typer.error(e)
    form = {"step": "cliff", "along": "curve"}.get(name, "bands")
    if schedule.op is not Op.PARAMETER or not isinstance(schedule.data, ParameterUse):
        typer.sink.add(problems.wrong_type(given[0].span, "a parameter", f"`{unparse(given[0])}`"))
        return typer.error(e)
    if name == "over_days":
        return _over_days(typer, e, schedule, given, facts, scope)
    if not isinstance(schedule.type, ScheduleType) or schedule.type.form != form:
        typer.sink.add(
            problems.wrong_type(given[0].span, f"a parameter of type `{form} of .. over ..`", f"a {schedule.type}")
        )
        return typer.error(e)
    over, value = Plain(schedule.type.over), Plain(schedule.type.value)
    if name in ("step", "along"):
        if len(given) != 2:
            typer.sink.add(wrong)
            return typer.error(e)
        x = typer.coerce(typer.value(given[1], over, facts, scope), over)
        return _schedule_node(typer, e, Op.SLICE if name == "step" else Op.ALONG, schedule, (x,), None, value, None)
    heads = {"bands": 0, "band": 1, "bands_reach": 1}[name]
    if len(given) - heads not in (2, 3):
        typer.sink.add(wrong)
        return typer.error(e)
    product = units.multiply(over, value) or value
    head: tuple[TExpr, ...] = ()
    if heads:
        wanted = COUNT if name == "band" else product
        head = (typer.coerce(typer.value(given[1], wanted, facts, scope), wanted),)
    ends = _ends(typer, given[1 + heads], over, facts, scope)
    body: TExpr | None = None
    local: str | None = None
    if len(given) == heads + 3:
        mapping = given[heads + 2]
        if not isinstance(mapping, syn.Lambda):
            typer.sink.add(problems.wrong_arguments(mapping.span, name, FUNCTIONS[name][0]))
            return typer.error(e)
        local = mapping.parameter
        if scope.local is not None and scope.local[0] == local:
            typer.sink.add(problems.duplicate_name(mapping.parameter_span, local, e.span, "name before an outer `->`"))
        clash = typer.symbols.names.get(local)
        if clash is not None:
            typer.sink.add(problems.duplicate_name(mapping.parameter_span, local, clash.span, clash.role.value))
        body = typer.coerce(typer.value(mapping.body, value, facts, replace(scope, local=(local, value))), value)
    op = {"bands": Op.BANDS, "band": Op.BAND, "bands_reach": Op.BANDS_REACH}[name]
    return _schedule_node(typer, e, op, schedule, head + ends, body, over if name == "bands_reach" else product, local)


def _ends(typer: Typer, e: syn.Expr, over: Type, facts: Facts, scope: Scope) -> tuple[TExpr, TExpr]:
    if isinstance(e, syn.Range):
        low = typer.coerce(typer.value(e.low, over, facts, scope), over)
        return low, typer.coerce(typer.value(e.high, over, facts, scope), over)
    zero = typer.make(Op.CONST, (), over, e, 0)
    return zero, typer.coerce(typer.value(e, over, facts, scope), over)


def _schedule_node(
    typer: Typer,
    e: syn.Call,
    op: Op,
    schedule: TExpr,
    args: tuple[TExpr, ...],
    body: TExpr | None,
    type_: Type,
    local: str | None,
) -> TExpr:
    use = schedule.data
    assert isinstance(use, ParameterUse)  # noqa: S101 - narrowed by the caller
    data = ScheduleUse(use.parameter, use.keys, use.at, local)
    return typer.make(op, schedule.args + args + ((body,) if body else ()), type_, e, data)


def _over_days(typer: Typer, e: syn.Call, amount: TExpr, given: list[syn.Expr], facts: Facts, scope: Scope) -> TExpr:
    if len(given) != 2 or not isinstance(given[1], syn.Range):
        typer.sink.add(problems.wrong_arguments(e.span, "over_days", FUNCTIONS["over_days"][0]))
        return typer.error(e)
    use = amount.data
    assert isinstance(use, ParameterUse)  # noqa: S101 - narrowed by the caller
    if use.at:
        typer.sink.add(
            problems.wrong_arguments(e.span, "over_days", "the parameter without `at`: each day reads its own value")
        )
        return typer.error(e)
    if amount.type not in (MONEY_PER_DAY, MONEY, NUMBER):
        typer.sink.add(
            problems.wrong_type(
                given[0].span, "a parameter of type `money per day`, money or number", f"a {amount.type}"
            )
        )
        return typer.error(e)
    ends = tuple(typer.coerce(typer.value(d, DATE, facts, scope), DATE) for d in (given[1].low, given[1].high))
    result = MONEY if amount.type == MONEY_PER_DAY else amount.type
    return typer.make(
        Op.OVER_DAYS, amount.args + ends, result, e, ScheduleUse(use.parameter, use.keys, at=False, local=None)
    )
