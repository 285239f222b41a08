"""Blocks of text as columns of cells: lines by Polars where that is sure to give what the strict reader gives, the rest by it.

The strict reader (`records`) defines what a record is. A **regular** line is a record by itself whose cells Polars
reads the same: its quotes, if it has any, stand around whole cells, doubled inside. All others are **odd** and read
one by one: records of several lines, damaged ones, bare returns.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from itertools import accumulate
from typing import Final

import polars as pl

from rxcalc.inputs.tables import Shape
from rxcalc.tabular.blocks import Block, Head, Mark, Other
from rxcalc.tabular.encodings import UTF8, lines_clearly_utf8
from rxcalc.tabular.records import PLAIN, Record, Span, Text, fields_of, ragged, span_at, spans, split

BOM: Final = b"\xef\xbb\xbf"
_NO_MARK: Final = Mark(0)
_FIRST: Final = 200
_MOST: Final = 4  # a quarter of the records may be spelt in other ways
_BARE_RETURN: Final = re.compile(rb"\r(?!\n|\Z)")
_ASCII: Final = bytes(at if at < 0x80 else 0x5F for at in range(256))
# What Polars 2.1 takes, at the start of a text, for a byte order mark or a compressed file: it would drop or unpack it.
_MISREAD: Final = (BOM, b"\x1f\x8b", b"(\xb5/\xfd", *(b"x" + bytes([at]) for at in (0x01, 0x5E, 0x9C, 0xDA)))


@dataclass(frozen=True, slots=True)
class RawBlock:
    """Complete records as bytes. With quotes among them, `odd` are those that are not regular."""

    data: bytes
    offset: int  # in the file, of what it unpacks to
    odd: tuple[Span, ...] | None
    mark: Mark = _NO_MARK
    text: Text = PLAIN

    def read(self, head: Head, shape: Shape | None = None) -> Block:
        """The records as columns, by the fast reader where the block is regular."""
        return read_block(self, len(head.names), head.separator, shape)


def cut(data: bytes, separator: str, *, last: bool) -> tuple[tuple[Span, ...] | None, int]:
    """The odd records (None: there are no quotes at all) and the length of the complete records at the start of `data`."""
    end = len(data) if last else data.rfind(b"\n") + 1
    if b'"' not in data:
        return None, end
    lines = _lines(data[:end] if end < len(data) else data, masked=True) if end else None
    if lines is None:
        found, end = spans(data, separator, last=last)
        return tuple(found), end
    unsure = (~lines.str.contains(_regular(separator))).arg_true().to_list()
    if not unsure:
        return (), end
    starts = list(accumulate((len(line) + 1 for line in data[:end].split(b"\n")), initial=0))
    odd: list[Span] = []
    passed = 0
    for start in map(starts.__getitem__, unsure):
        if start < passed:
            continue  # a line of the record before
        span = span_at(data, start, separator, last=last)
        if span is None:
            return tuple(odd), start
        odd.append(span)
        passed = span.end
    return tuple(odd), end


@cache
def _regular(separator: str) -> str:
    """The pattern of a regular line. Every way in which it matches gives the same fields."""
    sep = re.escape(separator)
    field = f'(?:"(?:[^"]|"")*"|[^"{sep}]*)'
    return f"^{field}(?:{sep}{field})*$"


def _lines(data: bytes, *, masked: bool = False) -> pl.Series | None:
    """The physical lines, without their ends; `masked` is enough to see where quotes stand. None when Polars sees others."""
    if masked and not data.isascii():
        data = data.translate(_ASCII)
    if data.startswith(_MISREAD):
        return None
    try:
        lines = pl.read_lines(data).to_series()
    except pl.exceptions.PolarsError:
        return None
    whole = data.count(b"\n") + (0 if data.endswith(b"\n") else 1)
    return lines if lines.len() == whole else None


def read_block(raw: RawBlock, width: int, separator: str, shape: Shape | None = None) -> Block:
    """The records of a block as columns, by the fast reader where the block is regular."""
    data = raw.data
    if raw.odd is None and b"\0" not in data and _same_bytes(raw):
        data = data.replace(b"\r\n", b"\n") if b"\r" in data else data
        if data.endswith(b"\r") and data[-2:-1] not in {b"", b"\n"}:  # a bare return is a record of its own
            data = data[:-1]
        block = _fast(data, width, separator, shape) if b"\r" not in data else None
        if block is not None:
            return block
    return _mixed(raw, width, separator, shape) or _strict(raw, width, separator)


def _same_bytes(raw: RawBlock) -> bool:
    """Whether the bytes, if they are text at all, are UTF-8 already."""
    return raw.text.codec == UTF8 or raw.data.isascii()


def _fast(data: bytes, width: int, separator: str, shape: Shape | None) -> Block | None:
    names = [str(at) for at in range(width)]
    quoted = b'"' in data
    if data.startswith(_MISREAD):
        return None
    try:
        lines = pl.read_lines(data).to_series()
        block = _usual(data, lines, width, separator, shape) if shape is not None and not quoted else None
        if block is not None:
            return block
        fields = pl.read_csv(
            data,
            has_header=False,
            schema=dict.fromkeys(names, pl.String),
            separator=separator,
            quote_char='"' if quoted else None,
            truncate_ragged_lines=True,
            extra_columns="ignore",
        )
    except pl.exceptions.PolarsError:
        return None
    if fields.height != lines.len():
        return None
    length = lines.str.len_bytes()
    if int(length.sum() or 0) + lines.len() - (0 if data.endswith(b"\n") else 1) != len(data):
        return None
    # Polars pads short records and cuts long ones silently. A record is regular only if its
    # fields and separators, and the quotes around and inside them, are as long as its line.
    every = pl.all()
    whole = fields.select(pl.sum_horizontal(every.str.len_bytes()) + (width - 1)).to_series()
    if quoted:
        inside = fields.select(pl.sum_horizontal(every.str.count_matches('"', literal=True))).to_series()
        whole = whole + lines.str.count_matches('"', literal=True) - inside
        if b'""' in data:
            fields = fields.select(pl.when(every != "").then(every))
    bad: list[tuple[int, Record]] = []
    for row in (whole != length).arg_true().to_list():
        text = str(lines[row])
        found = fields_of(text, separator)
        if len(found) == width:
            return None
        bad.append((row, Record(row, text, tuple(found[:width]), ragged(len(found), width, blank=not text.strip()))))
    return Block(fields, lines, not quoted, None, lines.len(), tuple(bad), separator)


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
        if data.startswith(_MISREAD):
            return None
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


# ---- blocks with odd records ------------------------------------------------------------------------


def _mixed(raw: RawBlock, width: int, separator: str, shape: Shape | None) -> Block | None:
    """Regular lines by Polars and odd records one by one; None when there is more to it."""
    data, text = raw.data, raw.text
    whole = _as_utf8(data, raw)
    odd = _with_damaged(raw, sound=whole is not None)
    if not odd and whole is not None:
        return _fast(_plain_ends(whole), width, separator, shape)
    rest, rows, left = _around(data, odd)
    regular = None
    if rest:
        joined = _as_utf8(b"".join(rest), raw)
        regular = _fast(_plain_ends(joined), width, separator, None) if joined is not None else None
        if regular is None or regular.records + len(odd) != rows[-1] + 1 + left:
            return None
    records = split(data, odd, separator, width, raw.offset, text)
    return _joined(regular, records, rows, data, width, separator)


def _as_utf8(data: bytes, raw: RawBlock) -> bytes | None:
    """The same text as UTF-8; None when there are bytes that are no text."""
    try:
        text = data.decode(raw.text.codec)
    except UnicodeDecodeError:
        return None
    return data if _same_bytes(raw) else text.encode()


def _plain_ends(data: bytes) -> bytes:
    """Lines that end with a line feed alone. Bare returns are odd, but one may end the last line."""
    data = data.replace(b"\r\n", b"\n") if b"\r" in data else data
    return data.removesuffix(b"\r")


def _with_damaged(raw: RawBlock, *, sound: bool) -> list[Span]:
    """The odd records: those known, and single lines that are no text (none where it is `sound`) or that Polars misreads."""
    data, text = raw.data, raw.text
    found = list(raw.odd or ())
    damaged = set() if sound else set(_undecodable(data, text))
    damaged |= {_line(data, match) for match in _places(data, b"\0")}
    if b"\r" in data:
        damaged |= {_line(data, match.start()) for match in _BARE_RETURN.finditer(data)}
        if data.endswith(b"\r") and data[-2:-1] in {b"", b"\n"}:
            damaged.add((len(data) - 1, len(data)))
    if data.startswith(_MISREAD):
        damaged.add(_line(data, 0))
    if text.guessed and text.codec != UTF8:
        damaged.update(lines_clearly_utf8(data))
    if not damaged:
        return found
    covered = array("q", [at for span in found for at in (span.start, span.end)])
    found += [Span(start, end, whole=True) for start, end in damaged if not _inside(covered, start)]
    return sorted(found, key=lambda span: span.start)


def _inside(covered: Sequence[int], at: int) -> bool:
    """Whether a place lies in one of the stretches whose ends ascend."""
    return bisect_right(covered, at) % 2 == 1


def _places(data: bytes, what: bytes) -> Iterator[int]:
    """One place of `what` on each line that has it."""
    at = data.find(what)
    while at >= 0:
        yield at
        newline = data.find(b"\n", at)
        at = data.find(what, newline) if newline >= 0 else -1


def _line(data: bytes, at: int) -> tuple[int, int]:
    """Where the physical line of a place starts and ends."""
    end = data.find(b"\n", at) + 1
    return data.rfind(b"\n", 0, at) + 1, end or len(data)


def _undecodable(data: bytes, text: Text) -> Iterator[tuple[int, int]]:
    """The lines that are no text of their encoding."""
    at = 0
    for line in data.split(b"\n"):
        start, at = at, at + len(line) + 1
        try:
            line.decode(text.codec)
        except UnicodeDecodeError:
            yield start, min(at, len(data))


def _around(data: bytes, odd: Sequence[Span]) -> tuple[list[bytes], list[int], int]:
    """What lies between odd records, the row of each of them, and how many lines follow the last."""
    rest: list[bytes] = []
    rows: list[int] = []
    row = at = 0
    for span in odd:
        row += data.count(b"\n", at, span.start)
        if span.start > at:
            rest.append(data[at : span.start])
        rows.append(row)
        row, at = row + 1, span.end
    if at < len(data):
        rest.append(data[at:])
    left = data.count(b"\n", at) + (1 if at < len(data) and not data.endswith(b"\n") else 0)
    return rest, rows, left


def _joined(
    regular: Block | None, records: Sequence[Record], rows: Sequence[int], data: bytes, width: int, separator: str
) -> Block:
    """The block of regular lines with the odd records put where they stood."""
    apart = _columns(records, width)
    raws = pl.Series("", [record.raw for record in records], dtype=pl.String)
    fields, lines = apart, raws
    bad = [(row, record) for row, record in zip(rows, records, strict=True) if _is_bad(record, width)]
    count = len(records) + (regular.records if regular is not None else 0)
    if regular is not None:
        is_odd = pl.Series([False]).new_from_index(0, count).scatter(list(rows), True)  # noqa: FBT003 a value
        places = pl.concat([(~is_odd).arg_true(), pl.Series(rows, dtype=pl.UInt32)]).arg_sort()
        fields = pl.concat([regular.fields, apart])[places]
        lines = pl.concat([regular.lines.rename(""), raws]).gather(places)
        back = (~is_odd).arg_true()
        bad += [(int(back[row]), record) for row, record in regular.bad]
        bad.sort(key=lambda item: item[0])
    height = data.count(b"\n")
    several = height + (0 if data.endswith(b"\n") else 1) > count
    return Block(
        fields,
        lines,
        echo=(regular is None or regular.echo) and all(record.problem is not None for record in records),
        numbers=_numbers(records, rows, count) if several else None,
        height=height,
        bad=tuple(bad),
        separator=separator,
    )


def _numbers(records: Iterable[Record], rows: Iterable[int], count: int) -> array[int]:
    """The line of every record, when some take several: 4 bytes each."""
    numbers = array("I")
    line = 0
    for row, record in zip(rows, records, strict=True):
        numbers.extend(range(line, line + row - len(numbers)))
        numbers.append(record.line)
        line = record.line + record.raw.count("\n") + 1
    numbers.extend(range(line, line + count - len(numbers)))
    return numbers


def _is_bad(record: Record, width: int) -> bool:
    return record.problem is not None or len(record.fields) != width


def _columns(records: Sequence[Record], width: int) -> pl.DataFrame:
    columns: list[list[str | None]] = [[] for _ in range(width)]
    for record in records:
        padded = record.fields + ("",) * (width - len(record.fields))
        for column, cell in zip(columns, padded, strict=True):
            column.append(cell or None)
    return pl.DataFrame([pl.Series(str(at), column, dtype=pl.String) for at, column in enumerate(columns)])


def _strict(raw: RawBlock, width: int, separator: str) -> Block:
    """The records one by one."""
    found, _ = spans(raw.data, separator, last=True)
    records = split(raw.data, found, separator, width, raw.offset, raw.text)
    return _joined(None, records, range(len(records)), raw.data, width, separator)
