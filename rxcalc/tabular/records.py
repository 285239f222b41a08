"""Where records begin and end, and their fields, when a block holds quotes or damage: strict, and nothing is lost.

A quote opens a field only as its first character. A record that breaks the rules of quoting is
its one physical line; reading goes on with the next line.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from functools import cache

from rxcalc.inputs.cells import CellProblem


@dataclass(frozen=True, slots=True)
class Span:
    """A record's bytes in a block, with its line end. `whole` is False for a record that breaks the rules of quoting."""

    start: int
    end: int
    whole: bool


@dataclass(frozen=True, slots=True)
class Record:
    """One record: its line (in its block, from 0), its raw text, its fields; `problem` when they cannot be trusted."""

    line: int
    raw: str
    fields: tuple[str, ...]
    problem: CellProblem | None


@cache
def _patterns(separator: str) -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
    sep = re.escape(separator.encode())
    field = rb'(?:"(?:[^"]++|"")*+"(?=' + sep + rb"|\r?\n|\r?\Z)|" + rb'(?!")[^' + sep + rb"\n]*+)"
    start = field + rb"(?:" + sep + field + rb")*+"
    record = start + rb"\r?(?:\n|\Z)"
    opened = rb"(?:" + field + sep + rb')*+"(?:[^"]++|"")*+"?\r?\Z'
    return re.compile(record), re.compile(opened)


def spans(data: bytes, separator: str, *, last: bool) -> tuple[list[Span], int]:
    """The complete records at the start of `data`, and the offset after them. `last` says that the file ends here."""
    record, opened = _patterns(separator)
    found: list[Span] = []
    at = 0
    size = len(data)
    while at < size:
        match = record.match(data, at)
        if match is not None and (last or data[match.end() - 1 : match.end()] == b"\n"):
            found.append(Span(at, match.end(), whole=True))
            at = match.end()
            continue
        if not last and (match is not None or opened.match(data, at)):
            break
        newline = data.find(b"\n", at)
        if newline < 0 and not last:
            break
        end = size if newline < 0 else newline + 1
        found.append(Span(at, end, whole=False))
        at = end
    return found, at


def split(data: bytes, found: list[Span], separator: str, width: int, offset: int) -> list[Record]:
    """The records of a block, each with `width` fields or a problem. `offset` is the block's place in the file."""
    records: list[Record] = []
    line = 0
    for span in found:
        body = data[span.start : span.end]
        records.append(_record(body, span, separator, width, line, offset + span.start))
        line += body.count(b"\n")
    return records


def _record(body: bytes, span: Span, separator: str, width: int, line: int, place: int) -> Record:
    stripped = body[:-1] if body.endswith(b"\n") else body
    stripped = stripped[:-1] if stripped.endswith(b"\r") else stripped
    try:
        raw = stripped.decode()
    except UnicodeDecodeError as error:
        raw = stripped.decode(errors="backslashreplace")
        bad = stripped[error.start : error.start + 1].hex()
        message = f"the byte {bad} at offset {place + error.start:,} is not UTF-8; save the file as UTF-8, or mend this record"
        return Record(line, raw, _loose(raw, separator, width), CellProblem("RX742", "", f"\\x{bad}", message))
    if "\0" in raw:
        at = place + stripped.index(b"\0")
        message = f"the record holds a NUL byte at offset {at:,}; remove it"
        return Record(line, raw, _loose(raw, separator, width), CellProblem("RX743", "", "\\x00", message))
    if not span.whole:
        message = "a quote in this line is never closed, or text follows a closing quote; close it, and double quotes inside a cell"
        return Record(line, raw, _loose(raw, separator, width), CellProblem("RX743", "", '"', message))
    fields = fields_of(raw, separator)
    if len(fields) != width:
        return Record(line, raw, tuple(fields[:width]), ragged(len(fields), width, blank=not raw.strip()))
    return Record(line, raw, tuple(fields), None)


def ragged(count: int, width: int, *, blank: bool = False) -> CellProblem | None:
    """The problem of a record with too few or too many fields; a blank line has none."""
    if blank:
        return None
    few = "fewer" if count < width else "more"
    message = (
        f"the record has {count} fields, {few} than the {width} of the header; quote cells that hold the separator"
    )
    return CellProblem("RX741", "", str(count), message)


def fields_of(raw: str, separator: str) -> list[str]:
    """The fields of one well-formed record without its line end."""
    if '"' not in raw:
        return raw.split(separator)
    if len(raw) < csv.field_size_limit() and "\r" not in raw:
        return next(csv.reader([raw], delimiter=separator, strict=True))
    return _own_split(raw, separator)


def _own_split(raw: str, separator: str) -> list[str]:
    fields: list[str] = []
    at = 0
    while True:
        if raw.startswith('"', at):
            end = at + 1
            while raw[end : end + 2] == '""' or raw[end : end + 1] != '"':
                end = end + 2 if raw[end : end + 2] == '""' else raw.index('"', end)
            fields.append(raw[at + 1 : end].replace('""', '"'))
            at = end + 1
        else:
            end = raw.find(separator, at)
            end = len(raw) if end < 0 else end
            fields.append(raw[at:end])
            at = end
        if at >= len(raw):
            return fields
        at += 1


def _loose(raw: str, separator: str, width: int) -> tuple[str, ...]:
    """The fields as far as they can be told, for the rejects file only."""
    return tuple(raw.split(separator)[:width])
