"""Plans as JSON text and back. What is read is only ever data: no class is found by a name in the file."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import date
from fractions import Fraction
from typing import Any, Final

from rxcalc.lang.ops import Op
from rxcalc.lang.types import ErrorType, Kind, OneOf, Plain, ScheduleType, ZeroType
from rxcalc.plan import nodes as n

# Records are written as [tag, field, field, ..]; the tag is the place in this tuple.
RECORDS: Final[tuple[type, ...]] = (
    Plain, OneOf, ScheduleType, ZeroType, ErrorType, n.Place, n.RoundTo, n.ParameterRef, n.CellRef, n.ScheduleRef, n.PlanNode,
    n.PlanSetValue, n.PlanInput, n.Band, n.Point, n.Segment, n.PlanParameter, n.PlanColumn, n.PlanRow, n.PlanTable, n.PlanWindow,
    n.PlanCall, n.PlanSequence, n.Formula, n.PlanClause, n.PlanStep, n.PlanPart, n.PlanPartition, n.PlanCondition, n.PlanTrend,
    n.PlanSource, n.Plan, n.PlanCheck, n.PlanSpread, n.PlanList, n.PlanKey, n.PlanGroup, n.PlanBlock, n.PlanBase, n.Cell,
    n.Limit,
)  # fmt: skip
TAGS: Final = {record: tag for tag, record in enumerate(RECORDS)}
NAMES: Final = tuple(tuple(f.name for f in fields(record)) for record in RECORDS)
OPS: Final = {op.value: op for op in Op}
KINDS: Final = {kind.value: kind for kind in Kind}


def encode(plan: n.Plan) -> str:
    """A plan as JSON text."""
    return json.dumps(_written(plan), ensure_ascii=False, separators=(",", ":"))


def decode(text: str) -> n.Plan:
    """The plan in JSON text written by `encode`.

    Raises:
        ValueError, TypeError, IndexError, KeyError: the text is not such a plan.
    """
    plan = _read(json.loads(text))
    if not isinstance(plan, n.Plan):
        message = "not a plan"
        raise TypeError(message)
    return plan


def _written(value: Any) -> Any:
    match value:
        case None | bool() | str() | int():
            return value
        case tuple():
            return ["t", *map(_written, value)]
        case Fraction():
            return ["f", f"{value.numerator}/{value.denominator}"]
        case date():
            return ["d", value.toordinal()]
        case frozenset():
            return ["s", *sorted(value)]
        case Op():
            return ["o", value.value]
        case Kind():
            return ["k", value.value]
        case _:
            tag = TAGS[type(value)]
            return [tag, *(_written(getattr(value, name)) for name in NAMES[tag])]


def _read(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    tag = value[0]
    if tag == "t":
        return tuple([_read(v) if isinstance(v, list) else v for v in value[1:]])
    if isinstance(tag, int):
        return RECORDS[tag](
            **dict(zip(NAMES[tag], [_read(v) if isinstance(v, list) else v for v in value[1:]], strict=True))
        )
    if tag == "f":
        numerator, _, denominator = value[1].partition("/")
        return Fraction(int(numerator), int(denominator))
    if tag == "o":
        return OPS[value[1]]
    if tag == "k":
        return KINDS[value[1]]
    if tag == "d":
        return date.fromordinal(value[1])
    if tag == "s":
        return frozenset(value[1:])
    message = f"unknown tag {tag!r}"
    raise ValueError(message)
