"""The declared inputs: bounds, defaults and decimals."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Final

from rxcalc.diagnostics.model import Sink
from rxcalc.lang.arithmetic import shortest
from rxcalc.lang.dates import FIRST_DATE, LAST_DATE
from rxcalc.lang.types import PERCENT, Kind, Plain, ScheduleType, Type
from rxcalc.syntax import nodes as syn
from rxcalc.typed import problems
from rxcalc.typed.nodes import TInput
from rxcalc.typed.values import Bad, Values

DEFAULT_BOUNDS: Final[dict[Kind, tuple[object, object]]] = {
    Kind.MONEY: (Fraction(0), Fraction(10**11)),
    Kind.NUMBER: (Fraction(-(10**12)), Fraction(10**12)),
    Kind.COUNT: (0, 10**9),
    Kind.DAYS: (0, 10**9),
    Kind.MONTHS: (0, 10**6),
    Kind.YEARS: (0, 10**5),
    Kind.PERCENT: (Fraction(0), Fraction(1)),
    Kind.MONEY_PER_DAY: (Fraction(0), Fraction(10**11)),
    Kind.DATE: (FIRST_DATE, LAST_DATE),
}
NUMBER_DECIMALS: Final = 8
PERCENT_DECIMALS: Final = 6
MAX_DECIMALS: Final = 12
FRACTIONAL: Final = frozenset({Kind.MONEY, Kind.MONEY_PER_DAY, Kind.NUMBER, Kind.PERCENT})


def check_inputs(
    decl: syn.RulebookDecl,
    declared: tuple[syn.InputDecl, ...],
    resolve: Callable[[syn.TypeSpec], Type],
    set_values: Callable[[syn.TypeSpec | None], tuple[syn.SetValue, ...]],
    values: Values,
    sink: Sink,
) -> tuple[TInput, ...]:
    """The inputs `declared` on a level, with their bounds, defaults and decimals; those in error are left out."""
    result: list[TInput] = []
    for i in declared:
        type_ = resolve(i.type)
        if isinstance(type_, ScheduleType):
            sink.add(problems.wrong_type(i.type.span, "a type of single values", f"a {type_}"))
            continue
        kind = type_.kind if isinstance(type_, Plain) else None
        low, high = DEFAULT_BOUNDS.get(kind, (None, None)) if kind else (None, None)
        if i.minimum is not None:
            low = values.scalar(i.minimum, type_)
        if i.maximum is not None:
            high = values.scalar(i.maximum, type_)
        low, high = (None if isinstance(x, Bad) else x for x in (low, high))
        if low is not None and high is not None and low > high:  # type: ignore[operator]  # both of the input's type
            shown = i.minimum or i.maximum
            span = shown.span if shown is not None else i.name.span
            given_both = i.minimum is not None and i.maximum is not None
            help_ = (
                "exchange them"
                if given_both
                else f"unless said, an input of type {type_} has a bound of its own: say both `min:` and `max:`"
            )
            sink.add(problems.bad_bounds(span, _figure(low, type_), _figure(high, type_), help_))
        default = values.scalar(i.default, type_) if i.default is not None else None
        if i.default is not None and i.optional:
            sink.add(problems.default_on_required(i.default.span))
        decimals = _decimals(decl, kind)
        if i.decimals is not None:
            given = values.scalar(i.decimals, Plain(Kind.COUNT))
            if kind not in FRACTIONAL:
                help_ = "amounts, numbers and percentages have decimals; leave it out here"
                sink.add(problems.bad_value(i.decimals.span, "decimals", f"property of {type_}", help_))
            elif isinstance(given, int) and not 0 <= given <= MAX_DECIMALS:
                sink.add(problems.bad_value(i.decimals.span, str(given), f"number of decimals (0 to {MAX_DECIMALS})"))
            elif isinstance(given, int):
                decimals = given
        if i.default is not None and default is not None and not isinstance(default, Bad):
            out = (low is not None and default < low) or (high is not None and default > high)  # type: ignore[operator]  # one type
            if out:
                sink.add(
                    problems.bad_value(
                        i.default.span,
                        i.default.text,
                        f"value between {_figure(low, type_)} and {_figure(high, type_)}",
                    )
                )
        result.append(
            TInput(
                i.name.name,
                type_,
                i.optional and i.default is None,
                None if isinstance(default, Bad) else default,
                low,
                high,
                decimals,
                i,
                set_values(i.type),
            )
        )
    return tuple(result)


def _decimals(decl: syn.RulebookDecl, kind: Kind | None) -> int:
    """How many decimals a field has unless it says otherwise."""
    match kind:
        case Kind.MONEY | Kind.MONEY_PER_DAY:
            return decl.decimals
        case Kind.NUMBER:
            return NUMBER_DECIMALS
        case Kind.PERCENT:
            return PERCENT_DECIMALS
        case _:
            return 0


def _figure(value: object, type_: Type) -> str:
    """A bound as its input writes it."""
    if not isinstance(value, Fraction):
        return str(value)
    return f"{shortest(value * 100)}%" if type_ == PERCENT else shortest(value) or str(value)
