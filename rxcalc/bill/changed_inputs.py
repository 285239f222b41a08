"""Single changes of what was read from the bill: fields of the bill and of its rows, rows left out or counted twice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from difflib import SequenceMatcher
from fractions import Fraction
from functools import partial
from typing import Final

from rxcalc.bill.changes import Change, Kind
from rxcalc.bill.charged import sorted_rows
from rxcalc.bill.compare import row_name
from rxcalc.bill.digits import other_digits, shifted, transposed
from rxcalc.bill.reach import Reach
from rxcalc.bill.subject import Subject
from rxcalc.lang.arithmetic import round_to
from rxcalc.lang.dates import add_months
from rxcalc.lang.ops import Op
from rxcalc.lang.types import CODE, CODES, DATE, FLAG, MONEY, MONEY_PER_DAY, PERCENT, OneOf, is_numeric, is_whole
from rxcalc.plan.nodes import CellRef, Plan, PlanInput, PlanList, Value
from rxcalc.sampling.edges import Edges, edges

NEAR_DAYS: Final = 7
FULL_ROWS: Final = 60
"""Of longer lists only sets and flags of each row are tried, of lists four times as long no fields at all."""
DIGIT_ROWS: Final = 12
"""In longer lists no wrong digits are looked for: a list has too many digits."""
_MOST_CODES: Final = 60
_STARTS: Final = 3  # dates at which something begins, on either side
_FEN: Final = Fraction(1, 100)

Values = Mapping[str, Value]


def input_changes(subject: Subject, reach: Reach) -> Iterator[Change]:
    """Every field of the bill read as another value."""
    plan = subject.plan
    around = _Around(subject)
    fixed = {"episode_id"} | ({plan.sequence.by, plan.sequence.reverses} if plan.sequence is not None else set())
    always = {plan.effective_by, *(plan.sequence.order if plan.sequence is not None else ())}
    for spec in plan.inputs:
        if spec.name in fixed or not (("", spec.name) in reach.inputs or spec.name in always):
            continue
        was = subject.bill.get(spec.name)
        for number, (now, distance, kind) in enumerate(around.others("", spec, was, subject.bill)):
            yield Change(
                kind or Kind.INPUT, spec.name, partial(_with_value, name=spec.name, now=now), was=was, now=now,
                type=spec.type, values=spec.values, label=spec.label, distance=distance, number=number,
            )  # fmt: skip


def row_changes(subject: Subject, reach: Reach) -> Iterator[Change]:
    """Every field of a row read as another value, every row left out, every row counted twice.

    Where the bill's own totals are those of the rows, they move with them: an amount of the row that is its quantity
    times its price, and fields of the bill that are the sum of a field of all rows.
    """
    plan = subject.plan
    around = _Around(subject)
    for spec in plan.lists:
        rows = sorted_rows(subject, spec)
        links = _sums(plan, subject.bill, spec, rows)
        if not any(level == spec.name for level, _ in (*reach.inputs, *reach.steps)) and not links:
            continue
        for at, row in enumerate(rows):
            name = row_name(spec, row, at)
            what = _about(spec, row)
            for field in _fields_tried(spec, len(rows)):
                relevant = (spec.name, field.name) in reach.inputs or _product(spec, row, field.name)
                if field.name in spec.order or not relevant:
                    continue
                was = row.get(field.name)
                for number, (now, distance, kind) in enumerate(around.others(spec.name, field, was, row)):
                    changed = _moved(spec, row, field.name, now)
                    yield Change(
                        kind or Kind.ROW_INPUT, field.name, partial(_with_row, spec=spec, at=at, row=changed, links=links),
                        level=spec.name, row=name, was=was, now=now, type=field.type, values=field.values,
                        label=field.label, detail=what, distance=distance, number=number,
                    )  # fmt: skip
            about = {"level": spec.name, "row": name, "label": spec.label, "detail": what}
            yield Change(Kind.ROW_OUT, spec.name, partial(_with_row, spec=spec, at=at, row=None, links=links), **about)  # type: ignore[arg-type]
            twice = partial(_with_row_twice, spec=spec, at=at, links=links)
            yield Change(Kind.ROW_TWICE, spec.name, twice, **about)  # type: ignore[arg-type]


def lists_in_part(subject: Subject) -> tuple[PlanList, ...]:
    """The lists so long that not every field of their rows is tried."""
    return tuple(spec for spec in subject.plan.lists if len(subject.rows(spec.name)) > FULL_ROWS)


def _fields_tried(spec: PlanList, rows: int) -> tuple[PlanInput, ...]:
    if rows <= FULL_ROWS:
        return spec.inputs
    return tuple(i for i in spec.inputs if isinstance(i.type, OneOf) or i.type == FLAG) if rows <= 4 * FULL_ROWS else ()


# ---- other values of one field ----

Candidate = tuple[Value, Fraction, "Kind | None"]


class _Around:
    """The values that a field could have been taken for."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.plan = subject.plan
        self.edges: Edges = edges(subject.plan)
        self.starts = starts(subject.plan)
        self.codes: dict[tuple[str, str], list[str]] = {}
        self.keys = _table_keys(subject.plan)

    def others(self, level: str, spec: PlanInput, was: Value, row: Values) -> Iterator[Candidate]:
        """The values, each once and within the declared bounds, with how far each is from the one that stands there."""
        seen: set[Value] = {was}
        for now, distance, kind in self._candidates(level, spec, was, row):
            if now in seen or not _allowed(spec, now):
                continue
            seen.add(now)
            yield now, distance, kind

    def _candidates(self, level: str, spec: PlanInput, was: Value, row: Values) -> Iterator[Candidate]:
        if spec.default is not None:
            yield spec.default, Fraction(1), None
        if spec.optional and was is not None:
            yield None, Fraction(2 if spec.type == DATE else 1), None
        if isinstance(spec.type, OneOf):
            names = spec.type.values
            for at, name in enumerate(names):
                far = abs(at - names.index(str(was))) if spec.type.ordered and was is not None else 1
                yield name, Fraction(far), None
        elif spec.type == FLAG:
            yield from ((value, Fraction(1), None) for value in (True, False))
        elif spec.type == CODE:
            yield from self._codes(level, spec, was)
        elif spec.type == CODES and isinstance(was, frozenset):
            yield from ((was - {one}, Fraction(1), None) for one in sorted(was))
        elif spec.type == DATE:
            yield from self._dates(level, spec, was, row)
        elif is_numeric(spec.type):
            yield from self._numbers(level, spec, was, row)

    def _codes(self, level: str, spec: PlanInput, was: Value) -> Iterator[Candidate]:
        """The codes of earlier bills, and of each table that the code is looked up in one key for all rows alike."""
        if not level:
            for earlier in reversed(self.subject.before):
                if earlier.get(spec.name) is not None:
                    yield earlier[spec.name], Fraction(1), None
        own = str(was) if was is not None else ""
        alike: dict[object, list[str]] = {}
        for key, signature in self.keys.get((level, spec.name), {}).items():
            alike.setdefault(signature, []).append(key)
        mine = self.keys.get((level, spec.name), {}).get(own)
        for n, (signature, keys) in enumerate(alike.items()):
            if signature != mine and n < _MOST_CODES:
                alike_to = {k: SequenceMatcher(None, own, k).ratio() for k in keys}
                nearest = max(keys, key=lambda k: (alike_to[k], k))
                yield nearest, 2 - Fraction(round(alike_to[nearest] * 100), 100), None

    def _dates(self, level: str, spec: PlanInput, was: Value, row: Values) -> Iterator[Candidate]:
        if not isinstance(was, date):
            return
        days = [was + timedelta(days=n) for n in (-1, 1) if date.min < was < date.max]
        others = [row.get(i.name) for i in self._fields(level) if i.type == DATE and i.name != spec.name]
        days += [other for other in others if isinstance(other, date)]
        before = [s for s in self.starts if s <= was][-_STARTS:]
        days += [s - timedelta(days=1) for s in before if s > date.min] + [s for s in self.starts if s > was][:_STARTS]
        edge = [v for v in self.edges.values.get((level, spec.name), ()) if isinstance(v, date)]
        days += [v for v in edge if v <= was][-2:] + [v for v in edge if v >= was][:2]
        days += [date(was.year, 1, 1) - timedelta(days=1), date(was.year + 1, 1, 1)] if 1 < was.year < 9999 else []
        days += [add_months(was, n) for n in (-12, -1, 1, 12) if 1 < was.year < 9998]
        for day in days:
            far = abs((day - was).days)
            yield day, Fraction(far), Kind.FAR_DATE if far > NEAR_DAYS else None

    def _numbers(self, level: str, spec: PlanInput, was: Value, row: Values) -> Iterator[Candidate]:
        if not isinstance(was, int | Fraction):
            return
        if is_whole(spec.type):
            yield from ((was + n, Fraction(1), None) for n in (-1, 1))
        own = Fraction(was)
        found: list[tuple[Fraction, Fraction, Kind | None]] = []
        decimals = 0 if is_whole(spec.type) else 2
        found += [(value, Fraction(1), None) for value in transposed(own, decimals)]
        if spec.type in (MONEY, MONEY_PER_DAY) and len(self._rows(level)) <= DIGIT_ROWS:
            found += [(value, Fraction(4), None) for value in shifted(own, decimals)]
        for i in self._fields(level):
            value = row.get(i.name)
            if i.type == spec.type and i.name != spec.name and isinstance(value, int | Fraction):
                found.append((Fraction(value), Fraction(3), None))
        if level and spec.type not in (MONEY, MONEY_PER_DAY, PERCENT):
            found += [(value, Fraction(1), None) for value in (own + 1, own - 1, own * 2) if value > 0]
        elif spec.optional or spec.default is not None:
            found.append((Fraction(0), Fraction(2), None))
        edge = [Fraction(v) for v in self.edges.values.get((level, spec.name), ()) if isinstance(v, int | Fraction)]
        edge = [
            v for v in edge if v not in (spec.low, spec.high) and (spec.type != MONEY or (v * 100).denominator == 1)
        ]
        near = [v for v in edge if 0 < v <= own][-4:] + [v for v in edge if v >= own][:4]
        found += [(v, abs(v - own) / max(own, Fraction(1)), Kind.EDGE) for v in near]
        if spec.type in (MONEY, MONEY_PER_DAY) and len(self._rows(level)) <= DIGIT_ROWS:
            found += [(value, Fraction(2), Kind.DIGIT) for value in other_digits(own, decimals)]
        for value, distance, kind in found:
            yield value.numerator if is_whole(spec.type) else value, distance, kind

    def _rows(self, level: str) -> Sequence[Values]:
        return self.subject.rows(level) if level else ()

    def _fields(self, level: str) -> Sequence[PlanInput]:
        return self.plan.inputs if not level else next((x.inputs for x in self.plan.lists if x.name == level), ())


def _allowed(spec: PlanInput, value: Value) -> bool:
    """Whether the rulebook lets the field have the value."""
    if value is None:
        return spec.optional
    if isinstance(value, bool | str | frozenset | tuple):
        return True
    low, high = spec.low, spec.high
    return (low is None or value >= low) and (high is None or value <= high)  # type: ignore[operator]  # one type, by the declaration


def starts(plan: Plan) -> list[date]:
    """The days on which something of the rulebook changes: values of parameters, rows of tables, window years."""
    found = {s.start for p in plan.parameters for s in p.segments[1:]}
    for table in plan.tables:
        found |= {r.start for r in table.rows if r.start is not None}
        found |= {r.end + timedelta(days=1) for r in table.rows if r.end is not None and r.end < date.max}
    return sorted(found)


def _table_keys(plan: Plan) -> dict[tuple[str, str], dict[str, object]]:
    """For every code that is looked up in tables, the codes they know, each with all that they say of it."""
    tables = {t.name: t for t in plan.tables}
    said: dict[tuple[str, str], dict[str, list[object]]] = {}
    done: set[tuple[str, str, str, int]] = set()
    for node in plan.nodes:
        if node.op not in (Op.CELL, Op.HAS_ROW) or not isinstance(node.data, CellRef):
            continue
        for at, arg in enumerate(node.args[: node.data.keys]):
            own = plan.nodes[arg]
            while own.op is Op.LIFT and own.args:
                own = plan.nodes[own.args[0]]
            place = (own.level, str(own.data), node.data.table, at)
            if own.op is not Op.INPUT or own.type != CODE or place in done:
                continue
            done.add(place)
            known = said.setdefault((own.level, str(own.data)), {})
            for row in tables[node.data.table].rows:
                if isinstance(row.keys[at], str):
                    rest = (*row.keys[:at], *row.keys[at + 1 :])
                    known.setdefault(str(row.keys[at]), []).append(
                        (node.data.table, rest, row.start, row.end, row.cells)
                    )
    return {place: {key: tuple(map(repr, facts)) for key, facts in known.items()} for place, known in said.items()}


# ---- applying ----


def _with_value(subject: Subject, *, name: str, now: Value) -> Subject:
    """The bill with one field changed; what was given for before it stays, in another year too: that is another thing."""
    return replace(subject.with_values({name: now}), openings=subject.openings)


def _with_row(
    subject: Subject, *, spec: PlanList, at: int, row: Values | None, links: Sequence[tuple[str, str]]
) -> Subject:
    """The bill with one row of a list changed, or (None) left out, and the totals that belong to it moved."""
    rows = list(sorted_rows(subject, spec))
    old = rows[at]
    rows[at : at + 1] = [row] if row is not None else []
    moved = {}
    for total, name in links:
        less, more = old.get(name), row.get(name) if row is not None else None
        moved[total] = Fraction(_number(subject.bill[total])) - Fraction(_number(less)) + Fraction(_number(more))
    return subject.with_rows(spec.name, rows).with_values(moved)


def _with_row_twice(subject: Subject, *, spec: PlanList, at: int, links: Sequence[tuple[str, str]]) -> Subject:
    """The bill with one row of a list counted a second time, after all others."""
    rows = list(sorted_rows(subject, spec))
    again = dict(rows[at])
    for name in spec.order[-1:]:
        last = [row[name] for row in rows]
        again[name] = _after(last)
    moved = {
        total: Fraction(_number(subject.bill[total])) + Fraction(_number(again.get(name))) for total, name in links
    }
    return subject.with_rows(spec.name, [*rows, again]).with_values(moved)


def _after(values: Sequence[Value]) -> Value:
    """A value of an order field that comes after all others."""
    known = [v for v in values if v is not None]
    if all(isinstance(v, date) for v in known):
        return max(v for v in known if isinstance(v, date)) + timedelta(days=1)
    if all(isinstance(v, int) for v in known):
        return max(v for v in known if isinstance(v, int)) + 1
    return f"{max(str(v) for v in known)}+"


def _moved(spec: PlanList, row: Values, name: str, now: Value) -> Values:
    """The row with one field changed, and its amount where that is quantity times price."""
    changed = {**row, name: now}
    for amount, quantity, price in _products(spec, row):
        factors = {quantity: changed.get(quantity), price: changed.get(price)}
        if name in factors and name != amount and all(v is not None for v in factors.values()):
            product = Fraction(_number(factors[quantity])) * Fraction(_number(factors[price]))
            changed[amount] = round_to(product, _FEN, "half-up")
    return changed


def _product(spec: PlanList, row: Values, name: str) -> bool:
    """Whether a field is a quantity or a price that makes up the row's amount."""
    return any(name in (quantity, price) for _, quantity, price in _products(spec, row))


def _products(spec: PlanList, row: Values) -> list[tuple[str, str, str]]:
    """Amounts of a row that are a quantity times a price, to the fen."""
    numbers = [
        i for i in spec.inputs if is_numeric(i.type) and row.get(i.name) is not None and i.name not in spec.order
    ]
    money = [i.name for i in numbers if i.type == MONEY]
    counts = [i.name for i in numbers if i.type != MONEY]
    found = []
    for amount in money:
        for price in money:
            for quantity in counts:
                a, p, q = (Fraction(_number(row[n])) for n in (amount, price, quantity))
                if amount != price and a and abs(a - p * q) < _FEN:
                    found.append((amount, quantity, price))
    return found[:1]


def _sums(plan: Plan, bill: Values, spec: PlanList, rows: Iterable[Values]) -> list[tuple[str, str]]:
    """Amounts of the bill that are the sum of a field of all rows."""
    rows = list(rows)
    found = []
    for total in plan.inputs:
        value = bill.get(total.name)
        if total.type != MONEY or not value:
            continue
        for own in spec.inputs:
            known = [row[own.name] for row in rows if row.get(own.name) is not None]
            if own.type == MONEY and known and sum((Fraction(_number(v)) for v in known), Fraction(0)) == value:
                found.append((total.name, own.name))
                break
    return found


def _number(value: Value) -> int | Fraction:
    return value if isinstance(value, int | Fraction) else 0


def _about(spec: PlanList, row: Values) -> str:
    """What a row is about, in a few words: its codes."""
    codes = [str(row[i.name]) for i in spec.inputs if i.type == CODE and row.get(i.name) and i.name not in spec.order]
    return ", ".join(codes[:2])
