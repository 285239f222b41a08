"""Reads a file of separated values block by block: every record with its line, none lost, in bounded memory."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rxcalc.tabular import problems
from rxcalc.tabular.blocks import Head, Mark
from rxcalc.tabular.encodings import ASCII_LIMIT, AUTO, SAMPLE, UTF8, Encoding, Unfit, encoding_of
from rxcalc.tabular.problems import UsageProblem
from rxcalc.tabular.records import Text, fields_of, spans
from rxcalc.tabular.streams import (
    BrokenFileError,
    FileTape,
    Raw,
    StreamTape,
    Tape,
    narrowed,
    packing_of,
    plain_name,
    unpacked,
)
from rxcalc.tabular.text_blocks import RawBlock, cut, read_block

__all__ = ["BLOCK", "RECORD_LIMIT", "BlockReader", "RawBlock", "TextSource", "open_text", "read_block"]

BLOCK: Final = 8 << 20
RECORD_LIMIT: Final = 256 << 20
_HEADER_LIMIT: Final = BLOCK
_TABS: Final = frozenset({".tsv", ".tab"})
_MAGIC: Final = (
    (b"PK\x03\x04", "a zip or spreadsheet file"),
    (b"\xd0\xcf\x11\xe0", "an old spreadsheet (.xls) or document"),
    (b"\x1f\x8b", "a gzip file"),
    (b"(\xb5/\xfd", "a zstd file"),
    (b"PAR1", "a Parquet file"),
    (b"%PDF", "a PDF file"),
)
_QUOTED: Final = re.compile('"(?:[^"]|"")*"')


@dataclass(frozen=True, slots=True)
class TextSource:
    """A file of separated values. `stamp` is what the file system says of it, to notice when it is written to."""

    path: Path
    head: Head
    text: Text
    packing: str
    stamp: tuple[int, int, int]

    def assumed(self, inputs: Mapping[str, int]) -> tuple[str, ...]:  # noqa: ARG002 - text cells hide nothing
        """How the file is read, where it does not say so itself."""
        return self.head.notes

    def blocks(self, size: int, after: Mark | None = None) -> BlockReader:
        """The blocks; those after a mark hash what lies before it."""
        return BlockReader(self, size, after)


def open_text(path: Path, encoding: str = AUTO) -> TextSource | UsageProblem:
    """A text file with its head, or why it cannot be read at all."""
    try:
        if not path.is_file():
            path.stat()  # tells why
            return problems.cannot_read(str(path), "it is a folder" if path.is_dir() else "it is not a regular file")
        stamp = _stamp(path)
        with path.open("rb", buffering=0) as file:
            packing = packing_of(file.read(8))
            file.seek(0)
            with closing(unpacked(path, Raw(file), packing)) as pieces:
                start, sample = _start(pieces, guess=encoding == AUTO)
    except OSError as error:
        return problems.cannot_read(str(path), error.strerror or str(error))
    except BrokenFileError as broken:
        return broken.problem
    for magic, what in _MAGIC:
        if start.startswith(magic):
            inside = f"a {packing} file that holds " if packing else ""
            return problems.not_text(str(path), inside + what)
    found = encoding_of(sample, encoding)
    if isinstance(found, Unfit):
        return problems.no_encoding(str(path), found.why, found.help)
    text = Text(found.name, found.guessed, bool(packing), found.mark if found.wide else 0)
    head = _head(path, start, found, packing, stamp[0])
    return head if isinstance(head, UsageProblem) else TextSource(path, head, text, packing, stamp)


def _stamp(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_size, found.st_mtime_ns, found.st_ino


def _start(pieces: Iterator[bytes], *, guess: bool) -> tuple[bytes, bytes]:
    """The start of a text, with the whole header; and what tells the encoding: that, and lines where it leaves ASCII."""
    data = bytearray()
    for piece in pieces:
        data += piece
        newline = data.find(b"\n")
        quoted = data.find(b'"', 0, newline + 1) >= 0  # a quoted name may hold line ends
        if len(data) > _HEADER_LIMIT or (newline >= 0 and not quoted):
            break
    start = bytes(data)
    if not guess:
        return start, start
    if not start.isascii():
        return start, start + _more(pieces, SAMPLE - len(start))
    header, seen = start[: start.find(b"\n") + 1], len(start)
    for piece in pieces:
        if not piece.isascii():
            return start, header + piece + _more(pieces, SAMPLE)
        seen += len(piece)
        if seen > ASCII_LIMIT:
            break
    return start, start


def _more(pieces: Iterator[bytes], size: int) -> bytes:
    found = bytearray()
    while len(found) < size and (piece := next(pieces, None)) is not None:
        found += piece
    return bytes(found)


def _head(path: Path, start: bytes, found: Encoding, packing: str, size: int) -> Head | UsageProblem:
    """The header, or why there is none."""
    data = start[found.mark :]
    if found.wide:
        data = b"".join(narrowed(iter([data[: len(data) & ~1]]), found.name, 0))
    if not data.strip():
        return problems.empty_file(str(path))
    name, promised = plain_name(path)
    notes = _notes(path, found, packing, promised)
    first_line = data[: data.find(b"\n") + 1] or data
    if b"\0" in first_line:
        return problems.not_text(str(path), "UTF-16 text without its mark, or binary data")
    if b"\n" not in data and b"\r" in data.rstrip(b"\r"):
        why = "has bare returns for line ends, as old Macs wrote them"
        return problems.bad_header(str(path), why, "save the file with line feeds (Unix) or both (Windows)")
    if b"\n" not in data and len(data) > _HEADER_LIMIT:
        return problems.bad_header(
            str(path), f"is longer than {_HEADER_LIMIT >> 20} MiB", "give a table with line ends"
        )
    separator = _separator(path, name, first_line)
    if isinstance(separator, UsageProblem):
        return separator
    if (separator == "\t") != (Path(name).suffix.lower() in _TABS):
        notes += (f"{path.name}: its columns are separated by tabs",)
    record = spans(data[:_HEADER_LIMIT], separator, last=True)[0][0]
    body = data[record.start : record.end].rstrip(b"\n").rstrip(b"\r")
    codec = UTF8 if found.wide else found.name
    try:
        text = body.decode(codec)
    except UnicodeDecodeError as error:
        why = f"is not readable as {found.label}: byte {body[error.start]:02x} at offset {found.mark + error.start:,}"
        return problems.bad_header(str(path), why, "save the file as UTF-8, or say with --encoding what it is")
    if not record.whole:
        why = "has a quote that is never closed, or text after one"
        return problems.bad_header(str(path), why, "a quote in a name must be doubled, and the name quoted")
    line = 1 + data[: record.end].count(b"\n")
    return Head(
        tuple(fields_of(text, separator)),
        separator,
        line,
        size,
        start=record.end + (0 if found.wide else found.mark),
        encoding=found.name,
        packing=packing,
        notes=notes,
    )


def _notes(path: Path, found: Encoding, packing: str, promised: str) -> tuple[str, ...]:
    """What whoever gave the file should know about how it is read."""
    notes: tuple[str, ...] = ()
    if packing != promised:
        what = f"it is a {packing} file" if packing else f"it is no {promised} file, but plain text"
        notes += (f"{path.name}: {what}, whatever its name says",)
    if found.why:
        notes += (f"{path.name}: read as {found.label}, since {found.why}",)
    return notes


def _separator(path: Path, name: str, line: bytes) -> str | UsageProblem:
    """What parts the columns: by the file's name, or by the header where that says otherwise."""
    outside = _QUOTED.sub("", line.decode("latin-1"))
    tabs, commas, semicolons = outside.count("\t"), outside.count(","), outside.count(";")
    if Path(name).suffix.lower() in _TABS:
        if not tabs and commas > 1:
            why = "is separated by commas, but the file's name says tabs"
            return problems.bad_header(str(path), why, "rename the file to .csv")
        return "\t"
    if tabs and not commas:
        return "\t"
    if semicolons and not commas:
        why = "is separated by semicolons"
        help_ = "save the table with commas or tabs between columns, and a point before decimals"
        return problems.bad_header(str(path), why, help_)
    return ","


class BlockReader:
    """Iterates over the blocks after the header, or after a mark. `digest` and `bytes_read` are of what was read so far."""

    def __init__(self, source: TextSource, block: int = BLOCK, after: Mark | None = None) -> None:
        self._source = source
        self._block = block
        self._after = after
        self._tape: Tape | None = None
        self.bytes_read = 0  # of the file
        self.problem: UsageProblem | None = None

    @property
    def digest(self) -> str:
        """SHA-256 of the file's bytes read so far; of the whole file after the last block."""
        return self._tape.digest if self._tape is not None else hashlib.sha256().hexdigest()

    def __iter__(self) -> Iterator[RawBlock]:
        """The blocks in order; stops early with `problem` set when the file cannot be read on."""
        source = self._source
        name = str(source.path)
        try:
            with source.path.open("rb", buffering=0) as file:
                if source.packing or source.text.wide:
                    raw = Raw(file)
                    pieces: Iterator[bytes] = unpacked(source.path, raw, source.packing)
                    if source.text.wide:
                        pieces = narrowed(pieces, source.text.encoding, source.text.mark)
                    self._tape = StreamTape(raw, pieces)
                else:
                    self._tape = FileTape(file)
                yield from self._blocks(self._tape)
            if self.problem is None and _stamp(source.path) != source.stamp:
                self.problem = problems.changed_file(name)
        except OSError as error:
            self.problem = problems.cannot_read(name, error.strerror or str(error))
        except BrokenFileError as broken:
            self.problem = broken.problem

    def _blocks(self, tape: Tape) -> Iterator[RawBlock]:
        source, separator = self._source, self._source.head.separator
        at = self._after.at if self._after is not None else source.head.start
        offset = source.text.mark + self._pass(tape, at)
        if self._after is not None and self._after.check not in {"", tape.check}:
            self.problem = problems.changed_file(str(source.path))
            return
        want = self._block
        while True:
            data, last = tape.take(want)
            self.bytes_read = tape.size
            if not data:
                return
            odd, end = cut(data, separator, last=last)
            if not end:
                if want > RECORD_LIMIT:
                    self.problem = problems.record_too_long(str(source.path), offset, RECORD_LIMIT)
                    return
                want = min(2 * want, RECORD_LIMIT + 1)  # doubling keeps a long record linear
                continue
            body = data if end == len(data) else data[:end]
            tape.keep(body)
            self.bytes_read = tape.size
            at += end
            want = self._block
            yield RawBlock(body, offset, odd, Mark(at, tape.check), source.text)
            offset += source.text.length(body)

    def _pass(self, tape: Tape, at: int) -> int:
        """What comes before a place of the text is read over: how many bytes of the file's text that is."""
        length = 0
        while at:
            data, last = tape.take(min(at, BLOCK))
            tape.keep(data)
            at -= len(data)
            length += self._source.text.length(data)
            if last:
                break
        return length
