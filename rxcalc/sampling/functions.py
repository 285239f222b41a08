"""The functions of hints: draws, plain functions, and sums over rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import DecimalException
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from rxcalc.lang import units
from rxcalc.lang.arithmetic import ceil_to, floor_to
from rxcalc.lang.builtins import FUNCTIONS
from rxcalc.lang.dates import first_day, last_day, months_between, years_between
from rxcalc.lang.types import (
    COUNT,
    DATE,
    DAYS,
    FLAG,
    MONEY,
    MONEY_PER_DAY,
    MONTHS,
    NUMBER,
    PERCENT,
    YEARS,
    ZERO,
    ErrorType,
    OneOf,
    Plain,
    Type,
    is_whole,
)
from rxcalc.sampling import problems
from rxcalc.sampling.conditions import flag
from rxcalc.sampling.draws import decimal_of, on_grid, plain_number
from rxcalc.sampling.parts import Part, Run, Wanted, apply, nothing
from rxcalc.sampling.rows import Making, Unmade
from rxcalc.syntax import nodes as syn
from rxcalc.typed import problems as typed
from rxcalc.typed.hints import article
from rxcalc.typed.symbols import nearest

if TYPE_CHECKING:
    from rxcalc.sampling.formulas import Reader

DRAWS: Final[Mapping[str, str]] = {
    "uniform": "uniform(low, high)",
    "normal": "normal(mean, deviation)",
    "lognormal": "lognormal(mu, sigma)",
    "choice": "choice(a, b, ..)",
    "chance": "chance(30%)",
}
_PLAIN: Final = ("min", "max", "clamp", "abs", "round", "floor", "ceil", "default", "year", "month", "day", "date", "age",
                 "days_between", "months_between", "first_day", "last_day", "days", "months", "years", "as_count",
                 "as_percent", "as_number")  # fmt: skip
_OVER_ROWS: Final = ("sum", "count", "min", "max", "any", "all")
_FINE: Final = Fraction(1, 10**6)
_LARGEST: Final = 10**15  # more than any field holds


def call(reader: Reader, e: syn.Call, wanted: Wanted) -> Part:
    """A typed call. Diagnostics: RX172, RX304, RX405."""
    name = e.function.name if isinstance(e.function, syn.Name) else ""
    if not name:
        reader.sink.add(problems.bad_hint(e.span, "a hint sees no windows", "`before.x` is the episode before"))
        return reader.error()
    over = _gone_over(reader, e) if name in _OVER_ROWS else ""
    if over:
        return _over_rows(reader, e, name, over)
    usage = DRAWS.get(name) or (FUNCTIONS[name][0] if name in _PLAIN else "")
    if not usage:
        known = (*DRAWS, *_PLAIN, "sum", "count", "any", "all")
        if name in FUNCTIONS or name in _OVER_ROWS:
            reader.sink.add(
                problems.bad_hint(e.span, f"`{name}` is not for hints", f"a hint may call {', '.join(known)}")
            )
        else:
            reader.sink.add(typed.unknown_function(e.function.span, name, nearest(name, known)))
        return reader.error()
    given = [a.value for a in e.arguments if a.value is not None and not a.where and not a.distinct]
    found = None
    if len(given) == len(e.arguments):
        found = _draw(reader, e, name, given, wanted) if name in DRAWS else _plain(reader, e, name, given, wanted)
    if found is None:
        reader.sink.add(typed.wrong_arguments(e.span, name, usage))
        return reader.error()
    return found


# ---- draws ----


def _draw(reader: Reader, e: syn.Call, name: str, given: Sequence[syn.Expr], wanted: Wanted) -> Part | None:
    match name, given:
        case "uniform", [low, high]:
            found = _uniform(reader, e, low, high, wanted)
        case "normal", [mean, deviation]:
            found = _normal(reader, e, mean, deviation, wanted)
        case "lognormal", [mu, sigma]:
            found = _lognormal(reader, mu, sigma, wanted)
        case "choice", [_, *_]:
            parts = [reader.part(item, wanted) for item in given]
            found = reader.joined(e, parts, lambda c: c.draws.one(parts).run(c))
        case "chance", [part]:
            share = reader.fit(part, Wanted(PERCENT))
            found = Part(FLAG, _chance(share.run))
        case _:
            return None
    reader.draws = True
    return found


def _chance(share: Run) -> Run:
    def run(c: Making) -> bool:
        part = share(c)
        return part is not None and c.draws.chance(part)

    return run


def _grid(of: Type, parts: Sequence[Part], wanted: Wanted, currency_digits: int) -> Fraction:
    """What draws between two ends are multiples of: as the ends are written, amounts and percentages at least as usual."""
    if of == DATE or is_whole(of):
        return Fraction(1)
    written = [p.digits for p in parts]
    digits = max((d for d in written if d is not None), default=0)
    if of in (MONEY, MONEY_PER_DAY) or wanted.type in (MONEY, MONEY_PER_DAY):
        return Fraction(1, 10 ** max(digits, currency_digits))
    if of == PERCENT:
        return Fraction(1, 10 ** (max(digits, 2) + 2))
    return _FINE if None in written else Fraction(1, 10**digits)


def _uniform(reader: Reader, e: syn.Call, low: syn.Expr, high: syn.Expr, wanted: Wanted) -> Part:
    a, b = reader.part(low, Wanted(wanted.type)), reader.part(high, Wanted(wanted.type))
    of = units.common(a.type, b.type)
    if isinstance(of, OneOf) or of is None or (of != DATE and units.add(of, of, 1) is None and of != ZERO):
        if not isinstance(a.type, ErrorType) and not isinstance(b.type, ErrorType):
            reader.sink.add(typed.unlike_units(e.span, "draw between", article(a.type), article(b.type)))
        return reader.error()
    of = COUNT if of == ZERO else of
    grid = _grid(of, (a, b), wanted, reader.plan.decimals)
    text = "uniform(..)"

    def run(c: Making) -> Any:
        x, y = a.run(c), b.run(c)
        if x is None or y is None:
            return None
        if isinstance(x, date):
            first, last = x.toordinal(), y.toordinal()
            if last < first:
                raise Unmade(text, f"its end {y} comes before its start {x}")
            return date.fromordinal(c.draws.between(first, last))
        least, most = int(ceil_to(x, grid) / grid), int(floor_to(y, grid) / grid)
        if most < least:
            raise Unmade(text, f"there is nothing between {x} and {y}")
        return plain_number(c.draws.between(least, most) * grid)

    return Part(of, run)


def _steps(wanted: Wanted) -> Fraction:
    """What a continuous draw is a multiple of: of its field where it stands alone, else fine."""
    return wanted.grid or _FINE


def _normal(reader: Reader, e: syn.Call, mean: syn.Expr, deviation: syn.Expr, wanted: Wanted) -> Part:
    a, b = reader.part(mean, Wanted(wanted.type)), reader.part(deviation, Wanted(wanted.type))
    of = units.common(a.type, b.type)
    if of is None or units.add(of, of, 1) is None:
        if not isinstance(a.type, ErrorType) and not isinstance(b.type, ErrorType):
            reader.sink.add(typed.unlike_units(e.span, "draw from", article(a.type), article(b.type)))
        return reader.error()
    grid = Fraction(1) if is_whole(of) and of != COUNT else _steps(wanted)
    of = NUMBER if of in (COUNT, ZERO) else of
    return Part(of, apply(lambda m, s, z: on_grid(m + s * z, grid), a, b, Part(NUMBER, _deviation)))


def _deviation(c: Making) -> Fraction:
    return Fraction(c.draws.normal())


def _lognormal(reader: Reader, mu: syn.Expr, sigma: syn.Expr, wanted: Wanted) -> Part:
    a, b = reader.fit(mu, Wanted(NUMBER)), reader.fit(sigma, Wanted(NUMBER))
    grid = _steps(wanted)

    def run(c: Making) -> Any:
        m, s = a.run(c), b.run(c)
        if m is None or s is None:
            return None
        try:
            value = c.draws.lognormal(decimal_of(m), decimal_of(s))
        except DecimalException:
            value = None
        if value is None or value > _LARGEST:
            raise Unmade("lognormal(..)", "the value is too large")
        return on_grid(Fraction(value), grid)

    return Part(NUMBER, run)


# ---- plain functions ----


def _plain(reader: Reader, e: syn.Call, name: str, given: Sequence[syn.Expr], wanted: Wanted) -> Part | None:
    match name, given:
        case "min" | "max", [_, _, *_]:
            return _least(reader, e, name, [reader.part(x, wanted) for x in given])
        case "clamp", [x, low, high]:
            inner = _least(reader, e, "max", [reader.part(x, wanted), reader.part(low, wanted)])
            return _least(reader, e, "min", [inner, reader.part(high, wanted)])
        case "abs", [x]:
            operand = reader.part(x, wanted)
            return Part(operand.type, apply(abs, operand))
        case "round" | "floor" | "ceil", [x, to]:
            operand, step = reader.part(x), reader.part(to)
            of = COUNT if operand.type == NUMBER and step.type == COUNT else operand.type
            chosen = {"round": on_grid, "floor": floor_to, "ceil": ceil_to}[name]
            return Part(of, apply(lambda a, g: plain_number(chosen(a, Fraction(g))), operand, step))
        case "default", [x, d]:
            first, second = reader.part(x, wanted), reader.part(d, wanted)
            return reader.joined(e, [first, second], lambda c: second.run(c) if (v := first.run(c)) is None else v)
        case "year" | "month" | "day", [d]:
            return Part(COUNT, apply(lambda on: getattr(on, name), reader.fit(d, Wanted(DATE))))
        case "date", [y, m, d]:
            return Part(DATE, apply(date, *(reader.fit(part, Wanted(COUNT)) for part in (y, m, d))))
        case "age" | "days_between" | "months_between", [a, b]:
            of, run = _BETWEEN[name]
            return Part(of, apply(run, reader.fit(a, Wanted(DATE)), reader.fit(b, Wanted(DATE))))
        case "first_day" | "last_day", [d, syn.Name(name=("month" | "quarter" | "year") as unit)]:
            end = first_day if name == "first_day" else last_day
            return Part(DATE, apply(lambda on: end(on, unit), reader.fit(d, Wanted(DATE))))
        case "first_day" | "last_day", [year]:
            month, day = (1, 1) if name == "first_day" else (12, 31)
            return Part(DATE, apply(lambda y: date(y, month, day), reader.fit(year, Wanted(COUNT))))
        case "days" | "months" | "years" | "as_count", [n]:
            whole = {"days": DAYS, "months": MONTHS, "years": YEARS, "as_count": COUNT}[name]
            return Part(whole, apply(lambda x: int(x // 1), reader.part(n)))
        case "as_percent" | "as_number", [n]:
            return Part(PERCENT if name == "as_percent" else NUMBER, apply(lambda x: x, reader.part(n)))
        case _:
            return None


_BETWEEN: Final[Mapping[str, tuple[Plain, Callable[[date, date], int]]]] = {
    "age": (COUNT, years_between),
    "days_between": (DAYS, lambda a, b: (b - a).days),
    "months_between": (COUNT, months_between),
}


def _least(reader: Reader, e: syn.Call, name: str, parts: list[Part]) -> Part:
    of = reader.joined(e, parts, nothing).type
    chosen = min if name == "min" else max
    if isinstance(of, OneOf):
        rank = {v: at for at, v in enumerate(of.values)}
        return Part(of, apply(lambda *values: chosen(values, key=rank.__getitem__), *parts))
    return Part(of, apply(lambda *values: chosen(values), *parts))


# ---- over rows ----


def _gone_over(reader: Reader, e: syn.Call) -> str:
    """The list or members that a call goes over, by the first prefix in it."""
    stack: list[object] = [a for argument in e.arguments for a in (argument.value, argument.where)]
    while stack:
        node = stack.pop()
        match node:
            case syn.Member(of=syn.Name(name=name)) | syn.Name(name=name) if name in reader.names.rows:
                return name
            case syn.Expression():
                stack.extend(getattr(node, slot) for slot in node.__slots__)
            case tuple():
                stack.extend(node)
            case syn.Argument():
                stack.extend((node.value, node.where))
    return ""


def _over_rows(reader: Reader, e: syn.Call, name: str, over: str) -> Part:
    usage = f"{name}({over}.x)"
    if len(e.arguments) != 1 or e.arguments[0].distinct:
        reader.sink.add(typed.wrong_arguments(e.span, name, usage))
        return reader.error()
    argument = e.arguments[0]
    inner = reader.inside(over)
    where = flag(inner, argument.where) if argument.where is not None else None
    is_plain_count = name == "count" and (argument.value is None or isinstance(argument.value, syn.Name))
    value = None if is_plain_count or argument.value is None else inner.part(argument.value)
    reader.merge(inner)
    if value is None and name != "count":
        reader.sink.add(typed.wrong_arguments(e.span, name, usage))
        return reader.error()

    def values(c: Making) -> list[Any]:
        found: list[Any] = []
        outer = c.other
        for row in c.rows.get(over, ()):
            c.other = row
            if where is None or where(c):
                found.append(True if value is None else value.run(c))
        c.other = outer
        return [v for v in found if v is not None]

    of = value.type if value is not None else COUNT
    match name:
        case "count":
            return Part(COUNT, lambda c: len(values(c)))
        case "sum":
            if units.add(of, of, 1) is None:
                return reader.wrong(e.span, "number or amount", of)
            return Part(of, lambda c: sum(values(c)))
        case "any" | "all":
            test = any if name == "any" else all
            return Part(FLAG, lambda c: test(values(c)))
        case _:
            chosen = min if name == "min" else max
            return Part(of, lambda c: chosen(values(c), default=None))
