"""Reads a CSV file block by block: every record with its line, none lost, in bounded memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO, FileIO
from pathlib import Path
from typing import Final

import polars as pl

from rxcalc.inputs.tables import Shape
from rxcalc.tabular import problems
from rxcalc.tabular.blocks import Block, Head, Mark, Other
from rxcalc.tabular.problems import UsageProblem
from rxcalc.tabular.records import Record, Span, fields_of, ragged, spans, split

BLOCK: Final = 8 << 20
RECORD_LIMIT: Final = 256 << 20
_EDGE: Final = 1 << 16
_NO_MARK: Final = Mark(0)
_FIRST: Final = 200
_MOST: Final = 4  # a quarter of the records may be spelt in other ways
_BOM: Final = b"\xef\xbb\xbf"
_MAGIC: Final = (
    (b"PK\x03\x04", "a zip or spreadsheet file"),
    (b"\x1f\x8b", "a gzip file"),
    (b"(\xb5/\xfd", "a zstd file"),
    (b"PAR1", "a Parquet file"),
    (b"\xff\xfe", "UTF-16 text"),
    (b"\xfe\xff", "UTF-16 text"),
)


@dataclass(frozen=True, slots=True)
class RawBlock:
    """Complete records as bytes. `found` holds their spans when the block needs the strict reader."""

    data: bytes
    offset: int
    found: tuple[Span, ...] | None
    mark: Mark = _NO_MARK

    def read(self, head: Head, shape: Shape | None = None) -> Block:
        """The records as columns, by the fast reader where the block is regular."""
        return read_block(self, len(head.names), head.separator, shape)


@dataclass(frozen=True, slots=True)
class TextSource:
    """A file of separated values in UTF-8."""

    path: Path
    head: Head

    def blocks(self, size: int, after: Mark | None = None) -> BlockReader:
        """The blocks; those after a mark hash what lies before it."""
        return BlockReader(self.path, self.head, size, after)


def open_text(path: Path) -> TextSource | UsageProblem:
    """A text file with its head, or why it cannot be read at all."""
    head = read_head(path, "\t" if path.suffix.lower() in {".tsv", ".tab"} else ",")
    return head if isinstance(head, UsageProblem) else TextSource(path, head)


def read_head(path: Path, separator: str = ",") -> Head | UsageProblem:
    """The header, or why the file cannot be read at all."""
    try:
        size = path.stat().st_size
        if not path.is_file():
            return problems.cannot_read(str(path), "it is not a regular file")
        with path.open("rb") as file:
            data = file.read(1 << 16)
            while data and b"\n" not in data and len(data) < RECORD_LIMIT:
                more = file.read(1 << 20)
                if not more:
                    break
                data += more
            rest = file.read(BLOCK) if b'"' in data else b""
    except OSError as error:
        return problems.cannot_read(str(path), error.strerror or str(error))
    for magic, what in _MAGIC:
        if data.startswith(magic):
            return problems.not_text(str(path), what)
    bom = len(_BOM) if data.startswith(_BOM) else 0
    data = (data + rest)[bom:]
    if not data.strip():
        return problems.empty_file(str(path))
    found, _ = spans(data[:BLOCK], separator, last=True)
    first = found[0]
    body = data[first.start : first.end].rstrip(b"\n").rstrip(b"\r")
    if b"\0" in body:
        return problems.not_text(str(path), "UTF-16 text without its mark, or binary data")
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return problems.bad_header(str(path))
    if not first.whole:
        return problems.bad_header(str(path))
    line = 1 + data[: first.end].count(b"\n")
    return Head(tuple(fields_of(text, separator)), separator, line, size, start=bom + first.end)


class BlockReader:
    """Iterates over the blocks after the header, or after a mark. `digest` and `bytes_read` are of what was read so far."""

    def __init__(self, path: Path, head: Head, block: int = BLOCK, after: Mark | None = None) -> None:
        self._path = path
        self._head = head
        self._block = block
        self._start = after.at if after is not None else head.start
        self._hash = hashlib.sha256()
        self.bytes_read = 0
        self.problem: UsageProblem | None = None

    @property
    def digest(self) -> str:
        """SHA-256 of the bytes read so far; of the whole file after the last block."""
        return self._hash.hexdigest()

    def __iter__(self) -> Iterator[RawBlock]:
        """The blocks in order; stops early with `problem` set when the file cannot be read on."""
        try:
            with self._path.open("rb", buffering=0) as file:
                left = self._start
                while left and (data := _read(file, min(left, BLOCK))):
                    self._hash.update(data)
                    left -= len(data)
                yield from self._blocks(file)
        except OSError as error:
            self.problem = problems.cannot_read(str(self._path), error.strerror or str(error))

    def _blocks(self, file: FileIO) -> Iterator[RawBlock]:
        at, want = self._start, self._block
        self.bytes_read = at
        while True:
            data, last = self._take(file, at, want)
            if not data:
                return
            found, cut = _cut(data, self._head.separator, last=last)
            if not cut:
                if len(data) > RECORD_LIMIT:
                    self.problem = problems.record_too_long(str(self._path), at, RECORD_LIMIT)
                    return
                want *= 2  # doubling keeps a long record linear
                continue
            body = data if cut == len(data) else data[:cut]
            self._hash.update(body)
            at += cut
            self.bytes_read = at
            want = self._block
            yield RawBlock(body, at - cut, found, Mark(at, self.digest))

    def _take(self, file: FileIO, at: int, want: int) -> tuple[bytes, bool]:
        """Some `want` bytes from offset `at`, up to a line end where one is near; and whether the file ends with them.

        Ending at a line end saves most blocks a second copy: what follows it is read again with the next block.
        """
        edge = max(0, want - _EDGE)
        file.seek(at + edge)
        tail = _read(file, want - edge)
        newline = tail.rfind(b"\n")
        file.seek(at)
        if newline >= 0:
            return _read(file, edge + newline + 1), False
        data = _read(file, want)
        return data, len(data) < want


def _read(file: FileIO, size: int) -> bytes:
    """`size` bytes, fewer only at the end of the file."""
    data = file.read(size)
    while len(data) < size:
        more = file.read(size - len(data))
        if not more:
            break
        data += more
    return data


def _cut(data: bytes, separator: str, *, last: bool) -> tuple[tuple[Span, ...] | None, int]:
    """The spans (None: one record per line) and the length of the complete records at the start of `data`."""
    if b'"' not in data:
        return None, len(data) if last else data.rfind(b"\n") + 1
    found, end = spans(data, separator, last=last)
    return tuple(found), end


def read_block(raw: RawBlock, width: int, separator: str, shape: Shape | None = None) -> Block:
    """The records of a block as columns, by the fast reader where the block is regular."""
    if raw.found is None and b"\0" not in raw.data:
        data = raw.data.replace(b"\r\n", b"\n") if b"\r" in raw.data else raw.data
        if data.endswith(b"\r") and data[-2:-1] not in {b"", b"\n"}:  # a bare return is a record of its own
            data = data[:-1]
        # Polars would drop a byte order mark at the start of a block.
        block = _fast(data, width, separator, shape) if b"\r" not in data and not data.startswith(_BOM) else None
        if block is not None:
            return block
    return _strict(raw, width, separator)


def _fast(data: bytes, width: int, separator: str, shape: Shape | None) -> Block | None:
    names = [str(at) for at in range(width)]
    try:
        lines = pl.read_lines(data).to_series()
        block = _usual(data, lines, width, separator, shape) if shape is not None else None
        if block is not None:
            return block
        fields = pl.read_csv(
            data,
            has_header=False,
            schema=dict.fromkeys(names, pl.String),
            separator=separator,
            quote_char=None,
            truncate_ragged_lines=True,
        )
    except pl.exceptions.PolarsError:
        return None
    if fields.height != lines.len():
        return None
    # Polars pads short records and cuts long ones silently. A record is regular only if its
    # fields and separators are as long as its line.
    length = lines.str.len_bytes()
    whole = fields.select(pl.sum_horizontal(pl.all().str.len_bytes()) + (width - 1)).to_series()
    if int(length.sum() or 0) + lines.len() - (0 if data.endswith(b"\n") else 1) != len(data):
        return None
    bad: list[tuple[int, Record]] = []
    for row in (whole != length).arg_true().to_list():
        text = str(lines[row])
        found = text.split(separator)
        bad.append((row, Record(row, text, tuple(found[:width]), ragged(len(found), width, blank=not text.strip()))))
    return Block(fields, lines, echo=True, numbers=None, height=lines.len(), bad=tuple(bad), separator=separator)


def _usual(data: bytes, lines: pl.Series, width: int, separator: str, shape: Shape) -> Block | None:
    """The shape's columns, typed by the CSV reader itself, when every line has the shape, or most have."""
    has = lines.head(_FIRST).str.contains(shape.pattern)
    if int(has.sum()) * _MOST < has.len() * (_MOST - 1):
        return None  # files of another shape are told apart early
    has = lines.str.contains(shape.pattern)
    other = None
    if not has.all():
        rows = (~has).arg_true()
        if not shape.alone or rows.len() * _MOST > lines.len():
            return None
        rest = lines.filter(has).to_frame()
        text = BytesIO()
        rest.write_csv(text, include_header=False, separator=separator, quote_style="never")
        odd = "".join(f"{line}\n" for line in lines.gather(rows).to_list()).encode()
        read = _fast(odd, width, separator, None)
        if read is None:
            return None
        data, other = text.getvalue(), Other(rows, has.arg_true(), read)
    schema = {name: shape.schema.get(name, pl.String) for name in map(str, range(width))}
    columns = [at for at, name in enumerate(schema) if name in shape.schema]
    try:
        cells = pl.read_csv(
            data, has_header=False, schema=schema, columns=columns, separator=separator, quote_char=None
        )
    except pl.exceptions.PolarsError:
        return None
    if cells.height != (lines.len() if other is None else other.rest.len()):
        return None
    return Block(cells, lines, True, None, lines.len(), (), separator, shape, other)  # noqa: FBT003 a field


def _strict(raw: RawBlock, width: int, separator: str) -> Block:
    found = list(raw.found) if raw.found is not None else spans(raw.data, separator, last=True)[0]
    records = split(raw.data, found, separator, width, raw.offset)
    columns: list[list[str | None]] = [[] for _ in range(width)]
    for record in records:
        padded = record.fields + ("",) * (width - len(record.fields))
        for column, cell in zip(columns, padded, strict=True):
            column.append(cell or None)
    return Block(
        pl.DataFrame([pl.Series(str(at), column, dtype=pl.String) for at, column in enumerate(columns)]),
        pl.Series("", [record.raw for record in records], dtype=pl.String),
        echo=False,
        numbers=tuple(record.line for record in records),
        height=raw.data.count(b"\n"),
        bad=tuple(
            (row, record)
            for row, record in enumerate(records)
            if record.problem is not None or len(record.fields) != width
        ),
        separator=separator,
    )
