"""The page of values: parameters by key and date, and tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Final

from rxcalc.lang.types import OneOf, Plain, ScheduleType, Type
from rxcalc.plan.nodes import Band, PlanParameter, PlanTable, Point, Segment
from rxcalc.plan.nodes import Value as PlanValue
from rxcalc.prose.model import Sentence
from rxcalc.site import sentences
from rxcalc.site.book import Book
from rxcalc.site.facts import rule
from rxcalc.site.model import Parameter, Table, Value, ValueRow
from rxcalc.site.refs import levels, ref
from rxcalc.site.timeline import timeline
from rxcalc.tracing.hits import RowRead, ValueRead

MOST_ROWS: Final = 60
"""Rows of a table that are shown; of a longer one the first."""


def parameters(book: Book) -> tuple[Parameter, ...]:
    """All parameters, as written."""
    return tuple(_parameter(book, p) for p in book.plan.parameters)


def tables(book: Book) -> tuple[Table, ...]:
    """All tables, as written."""
    return tuple(_table(book, t) for t in book.plan.tables)


def changes(book: Book) -> tuple[tuple[str, Sentence], ...]:
    """The dates on which values of parameters or rows of tables begin or end, each with the parameters and tables."""
    found: dict[date, dict[str, None]] = {}
    for p in book.plan.parameters:
        for day in (*(segment.start for segment in p.segments), _after(p.end)):
            if day is not None:
                found.setdefault(day, {})[ref("parameter", "", p.name)] = None
    for t in book.plan.tables:
        for day in (day for row in t.rows for day in (row.start, _after(row.end)) if day is not None):
            found.setdefault(day, {})[ref("table", "", t.name)] = None
    return tuple((day.isoformat(), book.runs(found[day])) for day in sorted(found))


def _after(end: date | None) -> date | None:
    """The first day without what lasts until then."""
    return end + timedelta(days=1) if end is not None and end < date.max else None


# ---- parameters ----


def _parameter(book: Book, p: PlanParameter) -> Parameter:
    of = ref("parameter", "", p.name)
    labels = book.set_labels
    keys = [keys for keys, _ in p.segments[0].values]
    shown = {k: tuple(_key(k_, values, labels) for k_, values in zip(k, p.keys, strict=True)) for k in keys}
    by_date = not p.keys or len(keys) <= min(len(p.segments), 4)
    cells = {(at, k): cell for at, segment in enumerate(p.segments) for k, cell in _cells(book, p, at, segment)}
    starts = [segment.start.isoformat() for segment in p.segments]
    if by_date:
        columns = tuple(book.say("list_sep").join(shown[k]) if k else book.say("value") for k in keys)
        rows = tuple(ValueRow((s,), tuple(cells[at, k] for k in keys)) for at, s in enumerate(starts))
        heads: tuple[str, ...] = (book.say("since"),)
    else:
        columns = tuple(starts)
        rows = tuple(ValueRow(shown[k], tuple(cells[at, k] for at in range(len(starts)))) for k in keys)
        heads = tuple("" for _ in p.keys)
    return Parameter(
        rule=rule(
            book,
            of,
            said=sentences.parameter(book, p.name),
            status=p.status or "unmarked",
            place=p.place,
            citable=True,
        ),
        heads=heads,
        columns=columns,
        rows=rows,
        ends=book.say("ends", p.end.isoformat()) if p.end is not None else "",
        timeline=timeline(book, p, {k: book.say("list_sep").join(v) for k, v in shown.items()}, cells),
    )


def _cells(book: Book, p: PlanParameter, at: int, segment: Segment) -> Iterator[tuple[tuple[str, ...], Value]]:
    for keys, value in segment.values:
        shown = tuple(lines(book, p.type, value))
        is_used = book.times.get(ValueRead(p.name, at, keys), 0) > 0
        unused: frozenset[int] = frozenset()
        if is_used and isinstance(value, tuple):
            unused = frozenset(b for b in _counted(book, p.name, at, keys) if b < len(shown))
        yield keys, Value(shown, is_used, unused)


def _counted(book: Book, parameter: str, segment: int, keys: tuple[str, ...]) -> Iterator[int]:
    """The parts of a schedule that an example could use and none does."""
    for hit in book.band_hits.get((parameter, segment, keys), ()):
        if not book.times.get(hit, 0):
            yield hit.band


def lines(book: Book, of: Type, value: object) -> Iterator[str]:
    """A value of a parameter: one line, or one for each part of a schedule."""
    if value is None:
        yield book.say("none")
    elif isinstance(of, ScheduleType) and isinstance(value, tuple):
        low = ""
        for number, part in enumerate(value):
            if isinstance(part, Band):
                worth = book.wording.figure(part.value, Plain(of.value))
                limit = book.wording.figure(part.limit, Plain(of.over)) if part.limit is not None else ""
                yield (
                    _span(book, low, limit, inclusive=part.inclusive, first=not number) + book.say("label_sep") + worth
                )
                low = book.say("band_above" if part.inclusive else "band_from", limit)
            elif isinstance(part, Point):
                at = book.wording.figure(part.at, Plain(of.over))
                yield (
                    book.say("point_at", at) + book.say("label_sep") + book.wording.figure(part.value, Plain(of.value))
                )
    else:
        yield book.wording.figure(value, of)  # type: ignore[arg-type]  # a value of the type


def _span(book: Book, low: str, limit: str, *, inclusive: bool, first: bool) -> str:
    to = book.say("band_to" if inclusive else "band_below", limit) if limit else ""
    if first:
        return to or book.say("band_all")
    return f"{low}{book.say('list_sep')}{to}" if to else low


def _key(key: str, values: tuple[str, ...], labels: Mapping[tuple[str, ...], Mapping[str, str]]) -> str:
    return labels.get(values, {}).get(key) or key.replace("_", " ")


# ---- tables ----


def _table(book: Book, table: PlanTable) -> Table:
    of = ref("table", "", table.name)
    dates = (book.say("since"), book.say("until")) if table.dated else ()
    range_ = f" ({book.say(f'range_{table.range_key}')})" if table.range_key else ""
    heads = [_column(book, name) for name in table.keys]
    if heads and range_:
        heads[-1] += range_
    rows = []
    for at, row in enumerate(table.rows[:MOST_ROWS]):
        keys = tuple(
            book.say("open_limit") if k is None else _plain(book, k, t)
            for k, t in zip(row.keys, table.key_types, strict=True)
        )
        days = tuple(Value((d.isoformat() if d is not None else "",)) for d in (row.start, row.end)) if dates else ()
        cells = tuple(
            Value((_plain(book, cell, column.type) if cell is not None else book.say("none"),))
            for cell, column in zip(row.cells, table.columns, strict=True)
        )
        is_used = book.times.get(RowRead(table.name, at), 0) > 0
        rows.append(ValueRow(keys, (*days, *cells, Value((), is_used))))
    count = book.say("in_table_1") if len(table.rows) == 1 else book.say("in_table", len(table.rows))
    return Table(
        rule=rule(
            book,
            of,
            facts=(count,),
            said=sentences.table(book, table.name),
            status=table.status or "unmarked",
            place=table.place,
            citable=True,
        ),
        heads=tuple(heads),
        columns=(*dates, *(book.words(c.label) or c.name.replace("_", " ") for c in table.columns)),
        rows=tuple(rows),
        all=len(table.rows),
        file=table.file,
    )


def _column(book: Book, name: str) -> str:
    """A key column: called like the field whose name it bears."""
    field = next((f for level, _ in levels(book.plan) if (f := book.names.field(level, name))), "")
    return book.label(field) if field else name.replace("_", " ")


def _plain(book: Book, value: object, type_: Type) -> str:
    found: PlanValue = value  # type: ignore[assignment]  # keys and cells are values
    if isinstance(type_, OneOf) and isinstance(found, str):
        return _key(found, type_.values, book.set_labels)
    return book.wording.figure(found, type_)
