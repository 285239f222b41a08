"""Parameters and tables as hints read them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rxcalc.backends.lookups import NO_VALUE, ParameterIndex, TableIndex
from rxcalc.lang.types import DATE, OneOf, ScheduleType
from rxcalc.plan.nodes import PlanRow
from rxcalc.sampling.parts import Part, Run, Wanted, nothing
from rxcalc.sampling.rows import Making
from rxcalc.source import Span
from rxcalc.syntax import nodes as syn
from rxcalc.typed import problems as typed
from rxcalc.typed.symbols import nearest

if TYPE_CHECKING:
    from rxcalc.sampling.formulas import Reader


def lookup(reader: Reader, whole: syn.Expr) -> Part:
    """`p`, `p[key]`, `t[key].column`, each also `at d`; missing where there is no such value or row."""
    at: Run | None = None
    e = whole
    if isinstance(e, syn.At):
        at, e = reader.fit(e.date, Wanted(DATE)).run, e.of
    else:
        reader.dated = True
    cell = e if isinstance(e, syn.Member) else None
    e = cell.of if cell is not None else e
    index = e if isinstance(e, syn.Index) else None
    keys = index.keys if index is not None else ()
    e = index.of if index is not None else e
    name = e.name if isinstance(e, syn.Name) else ""
    if cell is not None and name in reader.tables:
        return _cell(reader, name, keys, cell, at)
    if cell is None and name in reader.parameters:
        return _parameter(reader, name, keys, e.span, at)
    known = reader.tables if cell is not None else reader.parameters
    reader.sink.add(typed.unknown_name(e.span, name or "..", nearest(name, tuple(known))))
    return reader.error()


def _parameter(reader: Reader, name: str, keys: Sequence[syn.Expr], span: Span, at: Run | None) -> Part:
    p = reader.parameters[name]
    if len(keys) != len(p.keys) or isinstance(p.type, ScheduleType):
        usage = f"{name}[{', '.join('..' for _ in p.keys)}]" if p.keys else name
        reader.sink.add(typed.wrong_arguments(span, name, f"{usage}; a schedule has no single value"))
        return reader.error()
    given = [reader.fit(key, Wanted(OneOf(of))).run for key, of in zip(keys, p.keys, strict=True)]
    index = ParameterIndex.of(p)

    def read(c: Making) -> object:
        values = tuple(g(c) for g in given)
        on = c.on if at is None else at(c)
        found = index.at(values, on) if None not in values and on is not None else None
        return None if found is NO_VALUE else found

    return Part(p.type, read)


def _cell(reader: Reader, name: str, keys: Sequence[syn.Expr], e: syn.Member, at: Run | None) -> Part:
    of = {c.name: c.type for c in reader.tables[name].columns}
    if e.name not in of:
        near = nearest(e.name, tuple(of))
        reader.sink.add(typed.unknown_member(e.name_span, name, e.name, near, ", ".join(of)))
        return reader.error()
    find = _row(reader, name, keys, e.span, at)
    place = list(of).index(e.name)

    def read(c: Making) -> object:
        row = find(c)
        return None if row is None else row.cells[place]

    return Part(of[e.name], read)


def _row(
    reader: Reader, name: str, keys: Sequence[syn.Expr], span: Span, at: Run | None
) -> Callable[[Making], PlanRow | None]:
    table = reader.tables[name]
    if len(keys) != len(table.keys):
        reader.sink.add(typed.wrong_arguments(span, name, f"{name}[{', '.join(table.keys)}]"))
        return nothing
    given = [reader.fit(key, Wanted(of)).run for key, of in zip(keys, table.key_types, strict=True)]
    index = TableIndex(table)

    def find(c: Making) -> PlanRow | None:
        values = tuple(g(c) for g in given)
        on = c.on if at is None else at(c)
        return None if None in values or on is None else index.find(values, on)

    return find


def in_table(reader: Reader, e: syn.InTable) -> Run:
    """`key in t`."""
    at: Run | None = None
    table = e.table
    if isinstance(table, syn.At):
        at, table = reader.fit(table.date, Wanted(DATE)).run, table.of
    else:
        reader.dated = True
    name = table.name if isinstance(table, syn.Name) else ""
    if name not in reader.tables:
        reader.sink.add(typed.unknown_name(table.span, name, nearest(name, tuple(reader.tables))))
        return nothing
    find = _row(reader, name, e.keys, e.span, at)
    return lambda c: find(c) is not None
