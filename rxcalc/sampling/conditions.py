"""The conditions of hints: with a missing value in it, a comparison does not hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from rxcalc.lang import units
from rxcalc.lang.types import FLAG, ErrorType, OneOf, Type
from rxcalc.sampling.lookups import in_table
from rxcalc.sampling.parts import Part, Run, Wanted
from rxcalc.sampling.rows import Making
from rxcalc.source import Span
from rxcalc.syntax import nodes as syn
from rxcalc.typed import problems as typed
from rxcalc.typed.hints import article

if TYPE_CHECKING:
    from rxcalc.sampling.formulas import Reader

_TESTS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "has": lambda a, b: b in a,
    "meets": lambda a, b: bool(a & b),
}


def flag(reader: Reader, e: syn.Expr) -> Run:
    """A condition."""
    match e:
        case syn.And():
            items = [flag(reader, item) for item in e.items]
            return lambda c: all(item(c) for item in items)
        case syn.Or():
            items = [flag(reader, item) for item in e.items]
            return lambda c: any(item(c) for item in items)
        case syn.Not():
            inner = flag(reader, e.operand)
            return lambda c: not inner(c)
        case syn.IsKnown():
            operand, known = reader.part(e.operand).run, e.known
            return lambda c: (operand(c) is not None) is known
        case syn.Between():
            parts = _compared(reader, e.operand, e.low, e.high, span=e.span, ordered=True)
            return _holds(lambda x, low, high: low <= x <= high, _rank(parts[0].type), *parts)
        case syn.Compare():
            return _compare(reader, e)
        case syn.InSet():
            first = reader.part(e.operand)
            members = [_compared(reader, e.operand, m, span=e.span)[1].run for m in e.members]
            return lambda c: (value := first.run(c)) is not None and any(value == m(c) for m in members)
        case syn.InTable():
            return in_table(reader, e)
        case _:
            found = reader.part(e, Wanted(FLAG))
            if found.type != FLAG and not isinstance(found.type, ErrorType):
                reader.sink.add(typed.wrong_type(e.span, "a condition (yes or no)", found.type))
            return lambda c: found.run(c) is True


def _compare(reader: Reader, e: syn.Compare) -> Run:
    test = _TESTS[e.operator]
    if e.operator in ("has", "meets"):
        return _holds(test, None, reader.part(e.left), reader.part(e.right))
    ordered = e.operator not in ("=", "!=")
    parts = _compared(reader, e.left, e.right, span=e.span, ordered=ordered)
    return _holds(test, _rank(parts[0].type) if ordered else None, *parts)


def _compared(reader: Reader, *operands: syn.Expr, span: Span, ordered: bool = False) -> list[Part]:
    """Operands of one type; a word that is no name is a value of the set of another one."""
    named = {*reader.names.bill, *reader.names.own}
    first = next((o for o in operands if not (isinstance(o, syn.Name) and o.name not in named)), operands[0])
    lead = reader.part(first)
    parts = [lead if o is first else reader.part(o, Wanted(lead.type)) for o in operands]
    fits = units.can_order if ordered else units.can_equal
    for other in parts[1:]:
        if not fits(parts[0].type, other.type):
            reader.sink.add(typed.unlike_units(span, "compare", article(parts[0].type), article(other.type)))
            break
    return parts


def _rank(of: Type) -> Mapping[str, int] | None:
    return {v: at for at, v in enumerate(of.values)} if isinstance(of, OneOf) else None


def _holds(of: Callable[..., bool], rank: Mapping[str, int] | None, *parts: Part) -> Run:
    runs = [p.run for p in parts]

    def run(c: Making) -> bool:
        values = [r(c) for r in runs]
        if any(v is None for v in values):
            return False
        return of(*(values if rank is None else [rank[v] for v in values]))

    return run
