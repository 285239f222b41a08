"""Parameters and tables in columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from itertools import product
from math import lcm
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from rxcalc.lang.types import DATE, FLAG, MONEY, OneOf, Type, is_numeric
from rxcalc.plan.columns.formed import Formed, either
from rxcalc.plan.columns.kernel import NotProven
from rxcalc.plan.columns.numbers import Ints, Number
from rxcalc.plan.nodes import CellRef, ParameterRef, PlanNode, PlanParameter, Segment, Value

if TYPE_CHECKING:
    from rxcalc.plan.columns.walk import Walk

__all__ = ["At", "Resolved", "cell", "combined", "has_row", "looked_up", "parameter", "resolve"]

X = TypeVar("X")
KEY_LIMIT: Final = 2**62
"""Table keys stay below it, so that it can stand for an open limit."""


@dataclass(frozen=True, slots=True)
class Resolved(Generic[X]):
    """The values of a parameter that rows can meet, and each row's position among them.

    `values` are flat: by live segment, then by key combination; `index` is None when one value is
    left. `fail` holds on rows whose date has no value.
    """

    values: tuple[object, ...]
    index: X | None
    fail: X | None


@dataclass(frozen=True, slots=True)
class At(Generic[X]):
    """A date at which something is looked up, with its bounds as ordinals."""

    code: X
    low: int
    high: int


def _live(parameter: PlanParameter, at: At[X]) -> list[Segment]:
    """The segments that a date within the bounds can meet; the first stands also for dates before it."""
    starts = [segment.start.toordinal() for segment in parameter.segments]
    live = [
        segment
        for place, segment in enumerate(parameter.segments)
        if starts[place] <= at.high and (place + 1 == len(starts) or starts[place + 1] > at.low)
    ]
    return live or [parameter.segments[0]]


def combined(
    walk: Walk[X], found: PlanParameter, keys: Sequence[int]
) -> tuple[list[tuple[str, ...]], list[tuple[X, int]], X | None]:
    """The key combinations that rows can meet, the columns that say which, and the failures of the keys."""
    places: list[tuple[str, ...]] = []
    codes: list[tuple[X, int]] = []
    fails: list[X | None] = []
    for node, names in zip(keys, found.keys, strict=True):
        key = walk.form(node)
        of = walk.plan.nodes[node].type
        fails.append(key.fail)
        own = of.values if isinstance(of, OneOf) else names
        if key.at is not None:
            places.append((own[key.at],))
            continue
        code = key.as_code
        codes.append((code if own == names else walk.kernel.recode(code, own, names), len(names)))
        places.append(names)
    return list(product(*places)), codes, either(walk.kernel, *fails)


def resolve(walk: Walk[X], name: str, keys: Sequence[int], on: int | None) -> Resolved[X]:
    """Where the parameter's values for each row stand; `keys` and `on` are nodes (None: the effective date)."""
    kernel = walk.kernel
    found = walk.parameters[name]
    at = walk.effective() if on is None else walk.at(on)
    fails: list[X | None] = [] if on is None else [walk.form(on).fail]
    live = _live(found, at)
    if found.segments[0].start.toordinal() > at.low:
        fails.append(kernel.binary("<", at.code, kernel.constant(found.segments[0].start, DATE)))
    if found.end is not None and found.end.toordinal() < at.high:
        fails.append(kernel.binary(">", at.code, kernel.constant(found.end, DATE)))

    combinations, codes, failed = combined(walk, found, keys)
    fails.append(failed)
    values: list[object] = []
    for segment in live:
        given = dict(segment.values)
        values.extend(given.get(combination) for combination in combinations)
    fail = either(kernel, *fails)
    if all(value == values[0] for value in values):
        return Resolved((values[0],), None, fail)
    segment_code = kernel.segment(at.code, [s.start.toordinal() for s in live[1:]]) if len(live) > 1 else None
    return Resolved(tuple(values), kernel.share(kernel.index(codes, segment_code, len(combinations))), fail)


def looked_up(walk: Walk[X], values: Sequence[Fraction | None], index: X | None, least: int = 1) -> Number[X]:
    """The number at each row's position; a literal when all are the same. Its scale is a multiple of `least`."""
    known = [value for value in values if value is not None]
    first = values[0]
    if first is not None and len(known) == len(values) and (index is None or all(v == first for v in known)):
        return walk.arithmetic.fixed(first)
    scale = lcm(least, *(value.denominator for value in known))
    whole = [None if value is None else value.numerator * (scale // value.denominator) for value in values]
    low = min((n for n in whole if n is not None), default=0)
    high = max((n for n in whole if n is not None), default=0)
    width = walk.arithmetic.width(low, high)
    if index is None:
        return walk.arithmetic.number(Ints(walk.kernel.missing(MONEY, width), 0, 0, width), scale)
    code = walk.kernel.lookup(whole, index, MONEY, width)
    return walk.arithmetic.number(Ints(code, low, high, width), scale)


def _value(walk: Walk[X], values: Sequence[object], index: X | None, of: Type) -> Formed[X]:
    """The value at each row's position."""
    if is_numeric(of):
        # Money at the scale of the inputs, so that sums need no rescaling.
        least = 10**walk.plan.decimals if of == MONEY else 1
        return Formed(number=looked_up(walk, [_fraction(value) for value in values], index, least))
    if index is None:
        return walk.constant(values[0], of)  # type: ignore[arg-type] # a scalar of the type
    return Formed(code=walk.kernel.lookup([_scalar(value) for value in values], index, of, 64))


def _fraction(value: object) -> Fraction | None:
    return Fraction(value) if isinstance(value, int | Fraction) else None


def _scalar(value: object) -> Value:
    return value if isinstance(value, str | date | bool | frozenset) else None


def parameter(walk: Walk[X], node: PlanNode, ref: ParameterRef) -> Formed[X]:
    """The parameter's value; `none` is missing if the node may be, else an error; a date without value is an error."""
    keys, on = node.args[: ref.keys], node.args[ref.keys] if ref.at else None
    found = resolve(walk, ref.parameter, keys, on)
    formed = _value(walk, found.values, found.index, node.type)
    fail = found.fail
    empty = [value is None for value in found.values]
    if any(empty) and not node.missing:
        gone = walk.kernel.always() if found.index is None else walk.kernel.lookup(empty, found.index, FLAG, 64)
        fail = either(walk.kernel, fail, gone)
    return Formed(number=formed.number, code=formed.code, fail=fail, at=formed.at)


def _row(walk: Walk[X], node: PlanNode, ref: CellRef) -> tuple[X, X | None]:
    """The position of each row's table row (missing: no such row), and the failures of the arguments."""
    table = walk.tables[ref.table]
    keys: list[tuple[X, Type, int]] = []
    for arg, of in zip(node.args[: ref.keys], table.key_types, strict=True):
        formed = walk.form(arg)
        if formed.number is None:
            own = walk.plan.nodes[arg].type
            code = formed.as_code
            if isinstance(own, OneOf) and isinstance(of, OneOf) and own.values != of.values:
                code = walk.kernel.recode(code, own.values, of.values)
            keys.append((code, of, 1))
            continue
        number = walk.arithmetic.narrowed(formed.number)
        if number.den is not None or number.num.width != 64 or max(-number.num.low, number.num.high) >= KEY_LIMIT:
            message = f"a key of table {table.name} is no whole number of 62 bits"
            raise NotProven(message)
        keys.append((number.num.code, of, number.scale))
    on: X | None = None
    if table.dated:
        on = walk.at(node.args[ref.keys]).code if ref.at else walk.effective().code
    fails = either(walk.kernel, *(walk.form(arg).fail for arg in node.args))
    return walk.found_row(ref, node.args, keys, on), fails


def cell(walk: Walk[X], node: PlanNode, ref: CellRef) -> Formed[X]:
    """The cell of the row with the keys; no such row is an error."""
    row, fails = _row(walk, node, ref)
    table = walk.tables[ref.table]
    place = next(at for at, column in enumerate(table.columns) if column.name == ref.column)
    values = [entry.cells[place] for entry in table.rows]
    fail = either(walk.kernel, fails, walk.kernel.unary("not", walk.kernel.unary("known", row)))
    if not values:
        return walk.blank(walk.constant(None, node.type), node.type, None, fail)
    formed = _value(walk, values, row, node.type)
    return Formed(number=formed.number, code=formed.code, fail=fail)


def has_row(walk: Walk[X], node: PlanNode, ref: CellRef) -> Formed[X]:
    """Whether the table has a row with the keys."""
    row, fails = _row(walk, node, ref)
    return Formed(code=walk.kernel.unary("known", row), fail=fails)
