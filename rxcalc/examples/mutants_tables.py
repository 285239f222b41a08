"""Single small changes of tables: cells swapped, boundary keys moved, first and last days of rows moved."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Final

from rxcalc.examples.mutant import Mutant, moved
from rxcalc.lang.types import is_whole
from rxcalc.plan.changed import with_cell, with_rows
from rxcalc.plan.figures import figure
from rxcalc.plan.nodes import Place, Plan, PlanRow, PlanTable, Value
from rxcalc.tracing.hits import Hit, RowRead

_DAY: Final = timedelta(days=1)
MOST_ROWS: Final = 2_000
"""Of a table, so that a catalogue does not crowd out the rules."""


def table_mutants(plan: Plan) -> Iterator[Mutant]:
    """All of them. Exact keys stay: a row under the key of its neighbour is that neighbour with all cells swapped."""
    for table in plan.tables:
        file = _file(table, plan)
        yield from _cells(plan, table, file)
        if table.range_key:
            yield from _limits(plan, table, file)
        if table.dated:
            yield from _days(table, file)


def _file(table: PlanTable, plan: Plan) -> str:
    """The path of a table as messages show it: that of a base has it already."""
    of_base = table.place.file != plan.file and Path(table.file).is_relative_to(Path(table.place.file).parent)
    return table.file if of_base else str(Path(plan.file).parent / table.file)


def _cells(plan: Plan, table: PlanTable, file: str) -> Iterator[Mutant]:
    """The cells of a column swapped between rows that stand next to each other."""
    for a in _drawn(len(table.rows) - 1):
        b = a + 1
        first, second = table.rows[a], table.rows[b]
        for at, column in enumerate(table.columns):
            if first.cells[at] == second.cells[at]:
                continue
            told = [
                f"{figure(x, column.type, plan.decimals)}, {figure(y, column.type, plan.decimals)}"  # type: ignore[arg-type]  # cells are values
                for x, y in ((first.cells[at], second.cells[at]), (second.cells[at], first.cells[at]))
            ]
            what = f"{table.name}: {column.name} of lines {first.line} and {second.line}"
            change = partial(_swapped, table=table.name, rows=(a, b), column=column.name, at=at)
            hits = frozenset[Hit]({RowRead(table.name, a), RowRead(table.name, b)})
            near = _near(first, second)
            starts, ends = (first.start, second.start), (first.end, second.end)
            last = max((e for e in ends if e is not None), default=None) if None not in ends else None
            begun = [day for day in starts if day is not None]
            span = (min(begun), last) if len(begun) == len(starts) else None
            place = Place(file, first.line)
            yield Mutant(
                "cell", place, what, told[0], told[1], change, hits, near,
                of=("column", f"{table.name}.{column.name}"),
                keys=(_keys(first), _keys(second)), span=span,
            )  # fmt: skip


def _swapped(plan: Plan, table: str, rows: tuple[int, int], column: str, at: int) -> Plan:
    of = next(t for t in plan.tables if t.name == table)
    one, other = (of.rows[n].cells[at] for n in rows)
    return with_cell(with_cell(plan, table, rows[0], column, other), table, rows[1], column, one)


def _keys(row: PlanRow) -> tuple[Value, ...]:
    return tuple(row.keys)  # type: ignore[arg-type]  # keys are values


def _near(*rows: PlanRow) -> tuple[Value, ...]:
    """What a bill must have to read some rows: their keys, and a day on which each is valid."""
    keys = [k for row in rows for k in row.keys if k is not None]
    days = [day for row in rows for day in (row.start, row.end) if day is not None and day.year < date.max.year]
    return (*keys, *days)  # type: ignore[arg-type]  # keys are values


def _limits(plan: Plan, table: PlanTable, file: str) -> Iterator[Mutant]:
    """The boundary key of a row a fen and a unit, a day or one lower and higher, as long as it keeps its place."""
    type_ = table.key_types[-1]
    alike: dict[tuple[object, ...], list[Fraction]] = {}
    for row in table.rows:
        if row.keys[-1] is not None:
            alike.setdefault(row.keys[:-1], []).append(_rank(row.keys[-1]))
    for limits in alike.values():
        limits.sort()
    for at in _drawn(len(table.rows)):
        row = table.rows[at]
        limit = row.keys[-1]
        nows: list[Value] = []
        if isinstance(limit, date):
            nows = [*_beside(limit)]
        elif isinstance(limit, int | Fraction):
            nows = [int(v) if is_whole(type_) else v for _, v in moved(limit, type_)]
        for now in nows:
            first, last = sorted((_rank(limit), _rank(now)))
            limits = alike[row.keys[:-1]]
            if bisect_right(limits, last) - bisect_left(limits, first) > 1:
                continue  # another limit stands there or between
            told = [figure(v, type_, plan.decimals) for v in (limit, now)]  # type: ignore[arg-type]  # keys are values
            what = f"{table.name}: {table.keys[-1]} of line {row.line}"
            change = partial(_with_row, table=table.name, at=at, row=replace(row, keys=(*row.keys[:-1], now)))
            near = (now, *_near(row))
            yield Mutant(
                "limit", Place(file, row.line), what, told[0], told[1], change, None, near,
                of=("table", table.name), keys=(_keys(row),),
            )  # fmt: skip


def _rank(key: object) -> Fraction:
    """A boundary key as a number."""
    return (
        Fraction(key.toordinal())
        if isinstance(key, date)
        else Fraction(key)
        if isinstance(key, int | Fraction)
        else Fraction(0)
    )


def _days(table: PlanTable, file: str) -> Iterator[Mutant]:
    """The first day of a row a day earlier and later, and with it the last day of the row before; so the last day of the last."""
    alike: dict[tuple[object, ...], dict[int, PlanRow]] = {}
    for at, row in enumerate(table.rows):
        alike.setdefault(row.keys, {})[at] = row
    for at in _drawn(len(table.rows)):
        row = table.rows[at]
        same = alike[row.keys]
        if row.start is not None:
            before = next((n for n, r in same.items() if r.end is not None and r.end + _DAY == row.start), None)
            for now in _beside(row.start):
                rows = {at: replace(row, start=now)}
                if before is not None:
                    rows[before] = replace(same[before], end=now - _DAY)
                yield from _day(table, file, same, rows, at, "from", row.start, now)
        if row.end is not None and row.end.year < date.max.year:
            after = any(r.start == row.end + _DAY for r in same.values())
            for now in () if after else _beside(row.end):
                yield from _day(table, file, same, {at: replace(row, end=now)}, at, "to", row.end, now)


def _beside(day: date) -> Iterator[date]:
    """The days before and after one, as far as there are any."""
    yield from (day + away for away in (-_DAY, _DAY) if date.min + _DAY < day < date.max - _DAY)


def _drawn(rows: int) -> Iterable[int]:
    """The numbers of the rows that are changed: of a long table some, evenly."""
    return range(rows) if rows <= MOST_ROWS else (n * rows // MOST_ROWS for n in range(MOST_ROWS))


def _day(
    table: PlanTable, file: str, same: Mapping[int, PlanRow], rows: dict[int, PlanRow], at: int, which: str, was: date, now: date,
) -> Iterator[Mutant]:  # fmt: skip
    """The change, where every row still has a day and none is valid together with another one of its keys."""
    changed = [rows.get(n, old) for n, old in same.items()]
    spans = [(r.start or date.min, r.end or date.max) for r in changed]
    ordered = sorted(spans)
    if any(start > end for start, end in spans) or any(a[1] >= b[0] for a, b in pairwise(ordered)):
        return
    change = partial(_with_rows, table=table.name, rows=rows)
    what = f"{table.name}: line {table.rows[at].line}"
    first, last = min(was, now), max(was, now)
    span = (first, last - _DAY) if which == "from" else (first + _DAY, last)
    near = (was, now, was - _DAY, was + _DAY, *(k for k in table.rows[at].keys if k is not None))
    yield Mutant(
        "date", Place(file, table.rows[at].line), what, f"{which} {was}", f"{which} {now}", change, None,
        near, of=("table", table.name), keys=(_keys(table.rows[at]),), span=span,  # type: ignore[arg-type]  # keys are values
    )  # fmt: skip


def _with_row(plan: Plan, table: str, at: int, row: PlanRow) -> Plan:
    return with_rows(plan, table, {at: row})


def _with_rows(plan: Plan, table: str, rows: dict[int, PlanRow]) -> Plan:
    return with_rows(plan, table, rows)
