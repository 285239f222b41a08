"""Single changes of what the file gives of the groups that a bill reads: a point value, the figures of a year."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from functools import partial
from typing import Final

from rxcalc.bill.changes import Change, Kind
from rxcalc.bill.digits import other_digits, shifted, transposed
from rxcalc.bill.reach import Reach
from rxcalc.bill.subject import Subject
from rxcalc.inputs.groups import key_specs, result_specs
from rxcalc.lang.types import FLAG, MONEY, OneOf, is_numeric, is_whole
from rxcalc.plan.nodes import PlanGroup, PlanInput, Value

_MOST_DECIMALS: Final = 12

Row = Mapping[str, Value]


def group_changes(subject: Subject, reach: Reach) -> Iterator[Change]:
    """Every given result of a group that the goals rest on read as another value, or left out."""
    plan = subject.plan
    for group in plan.groups:
        keys = [k.name for k in key_specs(group, plan)]
        specs = {s.name: s for s in result_specs(group, plan)}
        rows = subject.groups.results.get(group.name, ())
        for at, row in enumerate(rows):
            told = ", ".join(str(row[k]) for k in keys if row.get(k) is not None)
            for name, was in row.items():
                if name in keys or name not in specs or (group.name, name) not in reach.steps:
                    continue
                seen: set[Value] = {was}
                for number, (now, distance, kind) in enumerate(_others(specs, rows, row, specs[name])):
                    if now in seen:
                        continue
                    seen.add(now)
                    yield Change(
                        kind, name, partial(_with_result, kind=group.name, at=at, name=name, now=now), level=group.name,
                        row=told, was=was, now=now, type=specs[name].type, values=specs[name].values,
                        label=_label(group, name), distance=distance, number=number,
                    )  # fmt: skip


def _others(
    specs: Mapping[str, PlanInput], rows: tuple[Row, ...], row: Row, spec: PlanInput
) -> Iterator[tuple[Value, Fraction, Kind]]:
    """The other results of the same row, the same result of other rows, slips of the pen, nothing."""
    was = row[spec.name]
    same_type = [n for n in row if n in specs and n != spec.name and specs[n].type == spec.type]
    yield from ((row[n], Fraction(1), Kind.GROUP) for n in same_type if row[n] is not None)
    yield from ((other[spec.name], Fraction(2), Kind.GROUP) for other in rows if other.get(spec.name) is not None)
    if isinstance(spec.type, OneOf):
        yield from ((v, Fraction(1), Kind.GROUP) for v in spec.type.values)
    elif spec.type == FLAG:
        yield from ((v, Fraction(1), Kind.GROUP) for v in (True, False))
    elif is_numeric(spec.type) and isinstance(was, int | Fraction):
        own, whole = Fraction(was), is_whole(spec.type)
        decimals = 0 if whole else _decimals(own, 2 if spec.type == MONEY else 0)
        pens = [(v, Fraction(1), Kind.GROUP) for v in transposed(own, decimals)]
        pens += [(v, Fraction(4), Kind.GROUP) for v in shifted(own, decimals)]
        pens += [(v, Fraction(5), Kind.DIGIT) for v in other_digits(own, decimals)]
        yield from ((v.numerator if whole else v, far, kind) for v, far, kind in pens)
    if spec.optional:
        yield None, Fraction(3), Kind.GROUP


def _decimals(value: Fraction, least: int) -> int:
    """How many decimals a number is written with."""
    return next((n for n in range(least, _MOST_DECIMALS) if (value * 10**n).denominator == 1), _MOST_DECIMALS)


def _label(group: PlanGroup, name: str) -> tuple[tuple[str, str], ...]:
    return next((s.label for s in group.steps if s.name == name), ())


def _with_result(subject: Subject, *, kind: str, at: int, name: str, now: Value) -> Subject:
    rows = subject.groups.results[kind]
    changed = (*rows[:at], {**rows[at], name: now}, *rows[at + 1 :])
    groups = replace(subject.groups, results={**subject.groups.results, kind: changed})
    return replace(subject, groups=groups)
