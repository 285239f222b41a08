"""Where records begin and end, and their fields, when a block holds quotes or damage: strict, and nothing is lost.

A quote opens a field only as its first character. A record that breaks the rules of quoting is
its one physical line; reading goes on with the next line.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Final

from rxcalc.inputs.cells import CellProblem
from rxcalc.tabular.encodings import UTF8, is_clearly_utf8

HALF: Final = b"\xff"
"""Stands in the UTF-8 of a UTF-16 file for half a character at its end."""
_FOLLOWING: Final = bytes(range(0x80, 0xC0))
_OF_FOUR: Final = bytes(range(0xF0, 0xF5))


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
    found: list[Span] = []
    at = 0
    while at < len(data) and (span := span_at(data, at, separator, last=last)) is not None:
        found.append(span)
        at = span.end
    return found, at


def span_at(data: bytes, at: int, separator: str, *, last: bool) -> Span | None:
    """The record that starts at an offset; None when `data` ends before it, and the file goes on."""
    record, opened = _patterns(separator)
    match = record.match(data, at)
    if match is not None and (last or data[match.end() - 1 : match.end()] == b"\n"):
        return Span(at, match.end(), whole=True)
    if not last and (match is not None or opened.match(data, at)):
        return None
    newline = data.find(b"\n", at)
    if newline < 0 and not last:
        return None
    return Span(at, len(data) if newline < 0 else newline + 1, whole=False)


@dataclass(frozen=True, slots=True)
class Text:
    """How the bytes of a text's blocks are read.

    `encoding` is that of the file, where `guessed` says that nobody said so. UTF-16 comes as UTF-8 in which half a
    surrogate pair, and half a character at the file's end, are no UTF-8. Offsets of a `packed` file are those of what
    it unpacks to.
    """

    encoding: str = UTF8
    guessed: bool = False
    packed: bool = False
    mark: int = 0  # bytes of the file before those that come

    @property
    def codec(self) -> str:
        """What the blocks' bytes are decoded with."""
        return UTF8 if self.wide else self.encoding

    @property
    def wide(self) -> bool:
        """Whether the file is UTF-16."""
        return self.encoding.startswith("utf-16")

    def length(self, data: bytes) -> int:
        """How many bytes of the file a piece of a block stands for."""
        if not self.wide:
            return len(data)
        first = len(data.translate(None, _FOLLOWING))  # of each character one byte; two units where it takes four
        return 2 * (first + len(data) - len(data.translate(None, _OF_FOUR))) - data.endswith(HALF)


PLAIN: Final = Text()


def split(
    data: bytes, found: Iterable[Span], separator: str, width: int, offset: int, text: Text = PLAIN
) -> list[Record]:
    """The records of a block, each with `width` fields or a problem. `offset` is the block's place in the file."""
    records: list[Record] = []
    line = at = 0
    for span in found:
        line += data.count(b"\n", at, span.start)
        offset += text.length(data[at : span.start]) if text.wide else span.start - at
        at = span.start
        records.append(_record(data[at : span.end], separator, width, line, offset, text, whole=span.whole))
    return records


def _record(body: bytes, separator: str, width: int, line: int, place: int, text: Text, *, whole: bool) -> Record:
    stripped = body[:-1] if body.endswith(b"\n") else body
    stripped = stripped[:-1] if stripped.endswith(b"\r") else stripped
    try:
        raw = stripped.decode(text.codec)
    except UnicodeDecodeError as error:
        raw = _escaped(stripped, text)
        problem = _undecodable(stripped, error.start, place, text)
        return Record(line, raw, _loose(raw, separator, width), problem)
    if text.guessed and text.codec != UTF8 and is_clearly_utf8(stripped):
        raw = stripped.decode()
        message = f"the record is UTF-8, but the file is read as {text.encoding.upper()}; save all of it in one encoding, or say with --encoding which it is"
        return Record(line, raw, _loose(raw, separator, width), CellProblem("RX742", "", raw[:80], message))
    if "\0" in raw:
        at = place + text.length(stripped[: stripped.index(b"\0")])
        message = f"the record holds a NUL {'character' if text.wide else 'byte'} at {_offset(at, text)}; remove it"
        return Record(line, raw, _loose(raw, separator, width), CellProblem("RX743", "", "\\x00", message))
    if not whole:
        message = "a quote in this line is never closed, or text follows a closing quote; close it, and double quotes inside a cell"
        return Record(line, raw, _loose(raw, separator, width), CellProblem("RX743", "", '"', message))
    fields = fields_of(raw, separator)
    if len(fields) != width:
        return Record(line, raw, tuple(fields[:width]), ragged(len(fields), width, blank=not raw.strip()))
    return Record(line, raw, tuple(fields), None)


def _undecodable(data: bytes, at: int, start: int, text: Text) -> CellProblem:
    """The problem of the first bytes, at `at`, of a record that are no text."""
    place = _offset(start + text.length(data[:at]), text)
    if not text.wide:
        bad = f"{data[at]:02x}"
        message = (
            f"the byte {bad} at {place} is not {text.encoding.upper()}; save the file as UTF-8, or mend this record"
        )
        return CellProblem("RX742", "", f"\\x{bad}", message)
    if data[at : at + 1] == HALF:
        return CellProblem("RX742", "", "", f"at {place} the file ends in the middle of a character; mend this record")
    half = data[at : at + 3].decode("utf-8", "surrogatepass")
    message = f"half a character ({ord(half):04x}) stands alone at {place}; mend this record"
    return CellProblem("RX742", "", f"\\u{ord(half):04x}", message)


def _escaped(data: bytes, text: Text) -> str:
    """What can be read of bytes, the rest as escapes."""
    if not text.wide:
        return data.decode(text.codec, errors="backslashreplace")
    return data.removesuffix(HALF).decode("utf-8", "surrogatepass").encode(errors="backslashreplace").decode()


def _offset(at: int, text: Text) -> str:
    return f"offset {at:,}{' of the unpacked file' if text.packed else ''}"


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
