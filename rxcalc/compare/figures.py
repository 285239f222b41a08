"""Parameters by date and key, and the rows of tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby

from rxcalc.compare.model import ADDED, CHANGED, REMOVED, Aspect, Edit, Subject
from rxcalc.compare.pairs import WHOLE, attribute, paired, unordered, yes
from rxcalc.lang.types import Plain, ScheduleType, Type
from rxcalc.plan.figures import figure
from rxcalc.plan.nodes import Band, Plan, PlanParameter, PlanRow, PlanTable, Point

NO_VALUE = "no value"
_Keys = tuple[str, ...]


def value_text(value: object, type_: Type, decimals: int) -> str:
    """A value for a reader; a schedule as its bands or points. None is a value that is written `none`."""
    if value is None:
        return "none"
    if isinstance(value, tuple) and isinstance(type_, ScheduleType):
        over, of = Plain(type_.over), Plain(type_.value)
        return "; ".join(_piece(piece, over, of, decimals) for piece in value)
    return figure(value, type_, decimals)  # type: ignore[arg-type]  # a scalar of its type


def _piece(piece: object, over: Type, of: Type, decimals: int) -> str:
    if isinstance(piece, Point):
        return f"{figure(piece.value, of, decimals)} at {figure(piece.at, over, decimals)}"
    if not isinstance(piece, Band):
        return str(piece)
    if piece.limit is None:
        return f"{figure(piece.value, of, decimals)} above"
    word = "to" if piece.inclusive else "below"
    return f"{figure(piece.value, of, decimals)} {word} {figure(piece.limit, over, decimals)}"


# ---- parameters -------------------------------------------------------------------------------------


def parameters(old: Plan, new: Plan) -> Iterator[Edit]:
    """Parameters: type, keys, and values by day."""
    before, after = ({p.name: p for p in plan.parameters} for plan in (old, new))
    for name, one, other in paired(before, after):
        subject = Subject("parameter", "", name)
        if one is None and other is not None:
            yield Edit(subject, ADDED, WHOLE, "", _latest(other, new.decimals))
        elif other is None and one is not None:
            yield Edit(subject, REMOVED, WHOLE, _latest(one, old.decimals), "")
        elif one is not None and other is not None:
            yield from _parameter(subject, one, other, (old, new))


def _latest(p: PlanParameter, decimals: int) -> str:
    """The type, and the value when there is only one."""
    values = {value_text(v, p.type, decimals) for s in p.segments for _, v in s.values}
    return f"{p.type}: {values.pop()}" if len(values) == 1 else str(p.type)


def _parameter(subject: Subject, one: PlanParameter, other: PlanParameter, plans: tuple[Plan, Plan]) -> Iterator[Edit]:
    yield from attribute(subject, Aspect("type"), str(one.type), str(other.type))
    if len(one.keys) != len(other.keys):
        yield Edit(subject, CHANGED, Aspect("number_of_keys"), str(len(one.keys)), str(len(other.keys)))
        return
    yield from attribute(subject, Aspect("held"), yes(one.held), yes(other.held))
    if one.segments == other.segments and one.end == other.end and one.type == other.type:
        return
    days = sorted({*_turns(one), *_turns(other), *_dates(plans[0]), *_dates(plans[1])})
    keys = list(dict.fromkeys(k for p in (one, other) for s in p.segments for k, _ in s.values))
    sides = [[_on(p, day) for day in days] for p in (one, other)]
    texts = _Texts(days, sides, plans, (one.type, other.type))
    for key in keys:
        yield from _values(subject, key, texts)


def _dates(plan: Plan) -> Iterator[date]:
    """The days on which a rulebook begins and ceases to be in force."""
    yield plan.effective_from
    if plan.effective_to is not None and plan.effective_to < date.max:
        yield plan.effective_to + timedelta(days=1)


def _turns(p: PlanParameter) -> Iterator[date]:
    """The days on which a value may change."""
    yield from (s.start for s in p.segments)
    if p.end is not None and p.end < date.max:
        yield p.end + timedelta(days=1)


def _on(p: PlanParameter, day: date) -> Mapping[_Keys, object]:
    """The values in force on a day, by keys; empty outside its dates."""
    if p.end is not None and day > p.end:
        return {}
    segment = next((s for s in reversed(p.segments) if s.start <= day), None)
    return dict(segment.values) if segment is not None else {}


@dataclass(frozen=True)
class _Texts:
    """Both sides of a parameter on the days on which anything turns."""

    days: list[date]
    sides: list[list[Mapping[_Keys, object]]]
    plans: tuple[Plan, Plan]
    types: tuple[Type, Type]

    def on(self, at: int, key: _Keys) -> tuple[str, str]:
        """What the values were and are on a day.

        A rulebook that is not in force on a day needs no value then, and a missing one is no change; a key that it never has is.
        """
        held = [key in side[at] for side in self.sides]
        texts = [
            value_text(side[at][key], type_, plan.decimals) if is_there else NO_VALUE
            for side, is_there, plan, type_ in zip(self.sides, held, self.plans, self.types, strict=True)
        ]
        for one, other in ((0, 1), (1, 0)):
            knows = any(key in values for values in self.sides[one])
            if knows and not held[one] and not self._in_force(one, self.days[at]):
                texts[one] = texts[other]
        return texts[0], texts[1]

    def _in_force(self, side: int, day: date) -> bool:
        plan = self.plans[side]
        return plan.effective_from <= day and (plan.effective_to is None or day <= plan.effective_to)


def _values(subject: Subject, key: _Keys, of: _Texts) -> Iterator[Edit]:
    """What changed for one key: stretches of days with the same two values are one edit."""
    at = 0
    for (was, now), run in groupby(of.on(at, key) for at in range(len(of.days))):
        length = len(list(run))
        if was != now:
            end = of.days[at + length] - timedelta(days=1) if at + length < len(of.days) else None
            kind = ("value_of" if key else "value") + ("_to" if end is not None else "")
            args = (", ".join(key), str(of.days[at]), *([str(end)] if end is not None else []))
            yield Edit(subject, CHANGED, Aspect(kind, args), was, now, of.days[at])
        at += length


# ---- tables -----------------------------------------------------------------------------------------


def tables(old: Plan, new: Plan) -> Iterator[Edit]:
    """Tables: keys, columns, and rows by key and first day."""
    before, after = ({t.name: t for t in plan.tables} for plan in (old, new))
    for name, one, other in paired(before, after):
        subject = Subject("table", "", name)
        if one is None and other is not None:
            yield Edit(subject, ADDED, WHOLE, "", f"{len(other.rows):,} rows")
        elif other is None and one is not None:
            yield Edit(subject, REMOVED, WHOLE, f"{len(one.rows):,} rows", "")
        elif one is not None and other is not None:
            yield from _table(subject, one, other, old.decimals)


def _table(subject: Subject, one: PlanTable, other: PlanTable, decimals: int) -> Iterator[Edit]:
    yield from attribute(subject, Aspect("keys"), _keys(one), _keys(other))
    yield from unordered(subject, _columns(one), _columns(other), Aspect("column"))
    if len(one.keys) != len(other.keys):
        return
    for mark, was, now in paired(row_marks(one, decimals), row_marks(other, decimals)):
        if was is None and now is not None:
            yield Edit(subject, ADDED, Aspect("row", (mark,)), "", _cells(other, now, decimals))
        elif now is None and was is not None:
            yield Edit(subject, REMOVED, Aspect("row", (mark,)), _cells(one, was, decimals), "")
        elif was is not None and now is not None and (was.end, was.cells) != (now.end, now.cells):
            yield from _row(subject, mark, (one, was), (other, now), decimals)


def _keys(t: PlanTable) -> str:
    keys = [f"{name} ({type_})" for name, type_ in zip(t.keys, t.key_types, strict=True)]
    return ", ".join(keys) + (f", {t.range_key}" if t.range_key else "") + (", dated" if t.dated else "")


def _columns(t: PlanTable) -> list[str]:
    return [f"{c.name} ({c.type}{', optional' if c.optional else ''})" for c in t.columns]


def row_marks(t: PlanTable, decimals: int) -> dict[str, PlanRow]:
    """The rows by their keys and first day as text."""
    found = {}
    for row in t.rows:
        keys = [
            "and above" if k is None and t.range_key else value_text(k, type_, decimals)
            for k, type_ in zip(row.keys, t.key_types, strict=True)
        ]
        found[", ".join(keys) + (f" from {row.start}" if row.start is not None else "")] = row
    return found


def _values_of(t: PlanTable, row: PlanRow, decimals: int) -> dict[str, str]:
    return {c.name: value_text(v, c.type, decimals) for c, v in zip(t.columns, row.cells, strict=True)}


def _cells(t: PlanTable, row: PlanRow, decimals: int) -> str:
    return ", ".join(f"{name} {value}" for name, value in _values_of(t, row, decimals).items())


def _row(
    subject: Subject, mark: str, one: tuple[PlanTable, PlanRow], other: tuple[PlanTable, PlanRow], decimals: int
) -> Iterator[Edit]:
    """What changed in a row that both have; a column that only one has is told of the table."""
    yield from attribute(subject, Aspect("row_end", (mark,)), str(one[1].end or "open"), str(other[1].end or "open"))
    before, after = _values_of(*one, decimals), _values_of(*other, decimals)
    for name in before:
        if name in after:
            yield from attribute(subject, Aspect("row_cell", (mark, name)), before[name], after[name])
