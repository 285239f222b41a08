"""Keyed tables from CSV files beside the rulebook, checked cell by cell."""

from __future__ import annotations

import csv
import io
import os
import re
import stat
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Final

from rxcalc.diagnostics.model import Sink
from rxcalc.lang.types import (
    CODE,
    CODES,
    COUNT,
    DATE,
    DAYS,
    FLAG,
    MONEY,
    MONEY_PER_DAY,
    NUMBER,
    PERCENT,
    TEXT,
    ErrorType,
    OneOf,
    Type,
)
from rxcalc.rulebook.document import Scalar
from rxcalc.source import EmbeddedText, SourceFile, Span
from rxcalc.syntax import nodes as syn
from rxcalc.typed import problems
from rxcalc.typed.nodes import TColumn, TRow, TTable
from rxcalc.typed.symbols import nearest
from rxcalc.typed.values import BAD, Bad, Values

ISO_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
MAX_ROWS: Final = 1_000_000
MAX_BYTES: Final = 512 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class _File:
    """A CSV file as rows of located cells."""

    header: tuple[str, ...]
    header_span: Span
    rows: tuple[tuple[tuple[Scalar, ...], int], ...]


def load_table(
    decl: syn.TableDecl,
    key_types: tuple[Type, ...],
    columns: tuple[TColumn, ...],
    folder: Path,
    values: Values,
    sink: Sink,
) -> TTable | None:
    """The table with every cell read, or None when the file cannot be used."""
    file = _read(decl.file, folder, sink)
    if file is None:
        return None
    wanted = (
        [k.name for k in decl.key]
        + [i for i in (decl.start, decl.end) if i is not None]
        + [c.decl.name for c in columns]
    )
    places: dict[str, int] = {name: at for at, name in enumerate(file.header)}
    bad = False
    for ident in wanted:
        if ident.name not in places:
            near = nearest(ident.name, file.header)
            help_ = f"did you mean `{near}`?" if near else f"the file has: {', '.join(file.header)}"
            sink.add(problems.table_header(ident.span, f"`{decl.file.text}` has no column `{ident.name}`", help_))
            bad = True
    if bad:
        return None
    rows: list[TRow] = []
    for cells, line in file.rows:
        row = _row(decl, key_types, columns, places, cells, line, values, sink)
        if row is not None:
            rows.append(row)
    range_key = decl.key[-1].match if decl.key and decl.key[-1].match != "exact" else ""
    dated = decl.start is not None or decl.end is not None
    _duplicates(rows, dated, decl, file, sink)
    return TTable(decl.name.name, key_types, range_key, dated, columns, tuple(rows), decl)


def _read(reference: Scalar, folder: Path, sink: Sink) -> _File | None:
    path = folder / reference.text
    real = Path(os.path.realpath(path))
    shown = reference.text
    if not real.is_relative_to(Path(os.path.realpath(folder))):
        sink.add(
            problems.table_unreadable(
                reference.span, f"`{shown}` is outside the rulebook's folder", "put the table inside it"
            )
        )
        return None
    try:
        info = real.stat()
        if not stat.S_ISREG(info.st_mode):
            sink.add(problems.table_unreadable(reference.span, f"`{shown}` is not a regular file", "name a CSV file"))
            return None
        if info.st_size > MAX_BYTES:
            sink.add(
                problems.table_unreadable(
                    reference.span, f"`{shown}` is larger than {MAX_BYTES >> 20} MB", "split the table"
                )
            )
            return None
        text = real.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        sink.add(
            problems.table_unreadable(
                reference.span, f"`{shown}` is not UTF-8 (byte {problem.start})", "save it as UTF-8"
            )
        )
        return None
    except (OSError, ValueError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) and problem.strerror else "it cannot be opened"
        sink.add(
            problems.table_unreadable(
                reference.span, f"`{shown}`: {reason}", "check the path; it is relative to the rulebook's folder"
            )
        )
        return None
    source = SourceFile.of(str(Path(reference.span.file).parent / shown), text)
    sink.add_file(source)
    return _split(source, reference, sink)


def _split(source: SourceFile, reference: Scalar, sink: Sink) -> _File | None:
    reader = csv.reader(io.StringIO(source.text, newline=""), strict=True)
    header: tuple[str, ...] | None = None
    header_span = Span(source.name, 0, 0)
    rows: list[tuple[tuple[Scalar, ...], int]] = []
    try:
        for record in reader:
            line = min(reader.line_num, len(source.line_starts))
            start = source.line_starts[line - 1]
            span = Span(source.name, start, start + max(1, len(source.line(line))))
            if not record or all(not cell.strip() for cell in record):
                continue
            if header is None:
                header, header_span = tuple(cell.strip() for cell in record), span
                if len(set(header)) != len(header):
                    sink.add(problems.table_header(span, "a column name occurs twice", "rename one of them"))
                    return None
                continue
            if len(record) != len(header):
                sink.add(problems.table_cell(span, f"this row has {len(record)} cells, the header {len(header)}"))
                continue
            if len(rows) >= MAX_ROWS:
                sink.add(
                    problems.too_large(
                        reference.span, f"`{reference.text}` has more than {MAX_ROWS:,} rows", "split the table"
                    )
                )
                return None
            at = start
            cells: list[Scalar] = []
            for cell in record:
                text = cell.strip()
                found = source.text.find(text, at, span.end)
                place = found if found >= 0 else at
                embedded = EmbeddedText(text, source.name, ((0, place),))
                cells.append(Scalar(text, "plain", Span(source.name, place, place + max(1, len(text))), embedded))
                at = place + len(text)
            rows.append((tuple(cells), line))
    except csv.Error as problem:
        sink.add(
            problems.table_unreadable(
                reference.span,
                f"`{reference.text}`, line {reader.line_num}: {problem}",
                "check the quotes in that line",
            )
        )
        return None
    if header is None:
        sink.add(problems.table_unreadable(reference.span, f"`{reference.text}` is empty", "give it a header and rows"))
        return None
    return _File(header, header_span, tuple(rows))


def _row(
    decl: syn.TableDecl, key_types: tuple[Type, ...], columns: tuple[TColumn, ...], places: dict[str, int],
    cells: tuple[Scalar, ...], line: int, values: Values, sink: Sink,
) -> TRow | None:  # fmt: skip
    keys: list[object] = []
    bad = False
    for key, type_ in zip(decl.key, key_types, strict=True):
        cell = cells[places[key.name.name]]
        if not cell.text:
            if key.match == "exact":
                sink.add(problems.table_cell(cell.span, f"the key `{key.name.name}` is empty"))
                bad = True
            keys.append(None)
            continue
        value = read_cell(cell, type_, values)
        bad |= isinstance(value, Bad)
        keys.append(value)
    dates: list[date | None] = []
    for ident in (decl.start, decl.end):
        cell_ = cells[places[ident.name]] if ident is not None else None
        if cell_ is None or not cell_.text:
            dates.append(None)
            continue
        value = read_cell(cell_, DATE, values)
        bad |= isinstance(value, Bad)
        dates.append(value if isinstance(value, date) else None)
    content: list[object] = []
    for column in columns:
        cell = cells[places[column.name]]
        if not cell.text:
            if not column.optional:
                sink.add(
                    problems.table_cell(
                        cell.span, f"`{column.name}` is blank", "fill it, or declare the column `optional: yes`"
                    )
                )
                bad = True
            content.append(None)
            continue
        value = read_cell(cell, column.type, values)
        if column.decimals is not None and isinstance(value, int | Fraction) and value * 10**column.decimals % 1:
            message = f"`{cell.text}` has more than {column.decimals} decimals"
            sink.add(
                problems.table_cell(cell.span, message, "correct it, or allow more with `decimals:` on the column")
            )
            bad = True
        bad |= isinstance(value, Bad)
        content.append(value)
    start, end = dates
    if start is not None and end is not None and end < start:
        sink.add(problems.table_cell(cells[0].span, f"this row ends on {end}, before it starts on {start}"))
        bad = True
    return None if bad else TRow(tuple(keys), start, end, tuple(content), line)


def read_cell(cell: Scalar, type_: Type, values: Values) -> object:
    """A table cell read by its column's type; BAD when reported.

    Plain numbers, percentages and dates are read without calling the parser: tables may hold a million rows.
    """
    if isinstance(type_, ErrorType):
        return BAD
    if type_ in (CODE, TEXT, CODES):
        return values.scalar(cell, type_)
    if isinstance(type_, OneOf):
        if cell.text in type_.values:
            return cell.text
        near = nearest(cell.text, type_.values)
        help_ = f"did you mean `{near}`?" if near else ""
        values.sink.add(problems.table_cell(cell.span, f"`{cell.text}` is not {type_}", help_))
        return BAD
    number = _plain_number(cell.text.removesuffix("%") if type_ == PERCENT else cell.text)
    if number is not None and type_ == PERCENT and cell.text.endswith("%"):
        return number / 100
    if number is not None and type_ in (MONEY, NUMBER, MONEY_PER_DAY):
        return number
    if number is not None and type_ in (COUNT, DAYS) and number.denominator == 1:
        return int(number)
    if type_ == DATE and ISO_DATE.fullmatch(cell.text):
        try:
            return date.fromisoformat(cell.text)
        except ValueError:
            pass
    found = values.trial(cell, type_)
    if isinstance(found, Bad):
        values.sink.add(problems.table_cell(cell.span, f"`{cell.text}` is not of type {type_}", _written(type_)))
    return found


def _written(type_: Type) -> str:
    """How a value of the type is written in a cell."""
    forms = {PERCENT: "85%", DATE: "2025-07-01", MONEY: "1300.50", NUMBER: "1.25", COUNT: "3", DAYS: "60", FLAG: "yes"}
    return f"write it like {forms[type_]}" if type_ in forms else ""


def _plain_number(text: str) -> Fraction | None:
    """A plain decimal without calling the parser: tables may hold a million rows."""
    head, _, tail = text.partition(".")
    digits = head.removeprefix("-")
    if (
        digits.isascii()
        and digits.isdigit()
        and len(text) <= 30
        and (not tail or (tail.isascii() and tail.isdigit()))
        and text[-1] != "."
    ):
        return Fraction(text)
    return None


def _duplicates(rows: list[TRow], dated: bool, decl: syn.TableDecl, file: _File, sink: Sink) -> None:  # noqa: FBT001 - private
    lines = {line: cells[0].span for cells, line in file.rows}
    by_key: dict[tuple[object, ...], list[TRow]] = {}
    for row in rows:
        by_key.setdefault(row.keys, []).append(row)
    for key, same in by_key.items():
        if len(same) < 2:
            continue
        same.sort(key=lambda r: r.start or date.min)
        for first, second in pairwise(same):
            if not dated or first.end is None or second.start is None or second.start <= first.end:
                if (
                    dated
                    and first.end is None
                    and decl.end is None
                    and second.start is not None
                    and second.start != first.start
                ):
                    continue  # with only a `from` column each row holds until the next one starts
                shown = ", ".join(str(k) for k in key)
                message = f"two rows for `{shown}`" + (" at overlapping dates" if dated else "")
                sink.add(problems.table_duplicate(lines[second.line], message, lines[first.line]))
