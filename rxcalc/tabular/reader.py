"""Reads a CSV file block by block: every record with its line, none lost, in bounded memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO, FileIO
from pathlib import Path
from typing import Final

import polars as pl

from rxcalc.inputs.tables import Shape
from rxcalc.tabular import problems
from rxcalc.tabular.problems import UsageProblem
from rxcalc.tabular.records import Record, Span, fields_of, ragged, spans, split

BLOCK: Final = 8 << 20
RECORD_LIMIT: Final = 256 << 20
_EDGE: Final = 1 << 16
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
class Head:
    """What the first record says. `size` is the file's, for progress."""

    names: tuple[str, ...]
    separator: str
    start: int  # offset of the first record after the header
    line: int  # and its line
    size: int


@dataclass(frozen=True, slots=True)
class RawBlock:
    """Complete records as bytes. `found` holds their spans when the block needs the strict reader."""

    data: bytes
    offset: int
    found: tuple[Span, ...] | None


@dataclass(frozen=True, slots=True)
class Block:
    """The records of a block as text.

    `fields` has one String column per header column, named by position ("0", "1" ..); an empty
    cell is null. When every record has a `shape`, its columns are those of the shape's schema. `lines` is each record's raw text, and `echo` says that it may be copied to a
    result as it stands. Lines are counted from 0 within the block, so that blocks can be read
    before those ahead of them: `numbers` are the lines on which records start (None: one line
    each), `height` the lines of the block. `bad` are records whose fields cannot be trusted.
    With `other`, `fields` holds only the records of the shape.
    """

    fields: pl.DataFrame
    lines: pl.Series
    echo: bool
    numbers: tuple[int, ...] | None
    height: int
    bad: tuple[tuple[int, Record], ...]
    separator: str
    shape: Shape | None = None
    other: Other | None = None

    def texts(self, rows: Sequence[int]) -> Iterator[Sequence[str | None]]:
        """The fields of some records as text."""
        if self.shape is None:
            return self.fields[list(rows)].iter_rows()
        return (_cells(line, self.separator) for line in self.lines.gather(list(rows)).to_list())

    def line(self, row: int) -> int:
        """The line of the block (from 0) on which a record starts."""
        return self.numbers[row] if self.numbers is not None else row


@dataclass(frozen=True, slots=True)
class Other:
    """The records of a block that do not have its shape: their places, theirs of the rest, and they as a block of text."""

    rows: pl.Series
    rest: pl.Series
    block: Block


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
    return Head(tuple(fields_of(text, separator)), separator, bom + first.end, 1 + data[: first.end].count(b"\n"), size)


class BlockReader:
    """Iterates over the blocks after the header. `digest` and `bytes_read` are of what was read so far."""

    def __init__(self, path: Path, head: Head, block: int = BLOCK) -> None:
        self._path = path
        self._head = head
        self._block = block
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
                self._hash.update(file.read(self._head.start))
                yield from self._blocks(file)
        except OSError as error:
            self.problem = problems.cannot_read(str(self._path), error.strerror or str(error))

    def _blocks(self, file: FileIO) -> Iterator[RawBlock]:
        at, want = self._head.start, self._block
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
            yield RawBlock(body, at - cut, found)

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


def _cells(line: str, separator: str) -> list[str | None]:
    return [cell or None for cell in line.split(separator)]


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
