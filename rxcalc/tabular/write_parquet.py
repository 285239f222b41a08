"""Parquet files of many parts: each part is a whole Parquet file, and at the end one footer speaks of the rows of all.

So parts are encoded on several threads, each stands on its own, and a file that was left after any part can be gone on
with. A reader goes by the last footer only and never looks at those between.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final, cast

import polars as pl

from rxcalc.tabular.thrift import Struct, Typed, Values, read_struct, write_struct
from rxcalc.tabular.write_parts import Part, Pieces

_MAGIC: Final = b"PAR1"
_END: Final = struct.Struct("<I4s")  # a file's end: the length of its footer, and the mark of the format
_TAIL: Final = struct.Struct("<Q8s")  # after each part: its length, and our mark
_MARK: Final = b"rxpart\0\1"

# Compressing would take three times as long as everything else here. Least and greatest values help nobody to find
# rows that stand in the order of the input.
_STATISTICS: Final = {"min": False, "max": False, "null_count": True}

# Fields of the footer by their numbers in parquet.thrift.
_SCHEMA: Final = 2
_ROWS: Final = 3
_GROUPS: Final = 4
_KEY_VALUES: Final = 5
_CHUNKS: Final = 1  # of a row group
_GROUP_ROWS: Final = 3
_GROUP_AT: Final = 5
_ORDINAL: Final = 7
_CHUNK_AT: Final = 2  # of a column's chunk
_META: Final = 3
_INDEXES: Final = (4, 5, 6, 7)
_PAGES_AT: Final = (9, 10, 11, 14)  # of the chunk's metadata
_ORDINALS: Final = 1 << 15


def encoded(frame: pl.DataFrame) -> Part:
    """A part: the frame as one row group. Its last piece holds the footer."""
    out = Pieces()
    frame.write_parquet(
        cast("IO[bytes]", out),
        compression="uncompressed",
        statistics=dict(_STATISTICS),
        row_group_size=max(1, frame.height),
    )
    last = out.pieces.pop()
    while out.pieces and len(last) < _END.size + int.from_bytes(last[-_END.size :][:4], "little"):
        last = out.pieces.pop() + last
    length = sum(map(len, out.pieces)) + len(last)
    return [*out.pieces, last + _TAIL.pack(length, _MARK)]


class Footers:
    """What the footers of the parts of a file say, together."""

    def __init__(self) -> None:
        self._first: Struct = {}
        self._groups: list[Struct] = []
        self._rows = 0

    @property
    def any(self) -> bool:
        """Whether there has been a part."""
        return bool(self._first)

    def add(self, ending: bytes, at: int) -> None:
        """One more part, which stands at the offset `at` of the file; `ending` is at least the footer with what follows."""
        whole = ending[: -_TAIL.size]
        length, magic = _END.unpack(whole[-_END.size :])
        if magic != _MAGIC:
            message = "a part of a Parquet file is damaged"
            raise ValueError(message)
        footer = read_struct(whole[-_END.size - length : -_END.size])
        if not self._first:
            # What Polars says of its own types would make readers see enumerations where there are texts.
            footer.pop(_KEY_VALUES, None)
            self._first = footer
        elif footer[_SCHEMA] != self._first[_SCHEMA]:
            message = "two parts of a Parquet file have different columns, a fault of rxcalc"
            raise ValueError(message)
        for group in footer[_GROUPS].value.items:
            if group[_GROUP_ROWS].value:
                _move(group, at)
                group.pop(_ORDINAL, None)
                if len(self._groups) < _ORDINALS:
                    group[_ORDINAL] = Typed(4, len(self._groups))
                self._groups.append(group)
        self._rows += footer[_ROWS].value

    def footer(self) -> bytes:
        """The end of the file."""
        groups = Typed(9, Values(12, self._groups))
        body = write_struct({**self._first, _ROWS: Typed(6, self._rows), _GROUPS: groups})
        return body + _END.pack(len(body), _MAGIC)


def _move(group: Struct, by: int) -> None:
    """Everything that a row group says of where it stands, moved."""
    if _GROUP_AT in group:
        group[_GROUP_AT].value += by
    for chunk in group[_CHUNKS].value.items:
        chunk[_CHUNK_AT].value += by
        for number in _INDEXES:
            chunk.pop(number, None)  # indexes hold offsets of their own, which were right in the part alone
        meta = chunk[_META].value
        for number in _PAGES_AT:
            if number in meta:
                meta[number].value += by


def endings(path: Path, size: int) -> Iterator[tuple[int, bytes]]:
    """The parts of a file of `size` bytes that has no last footer yet: where each starts, and its end. The last comes first."""
    with path.open("rb") as file:
        end = size
        while end:
            file.seek(max(0, end - _TAIL.size - _END.size))
            length, _, own, mark = struct.unpack("<I4sQ8s", file.read(_TAIL.size + _END.size))
            start = end - _TAIL.size - own
            if mark != _MARK or start < 0:
                message = "the parts of a Parquet file are damaged"
                raise OSError(5, message, str(path))
            ending = length + _END.size + _TAIL.size
            file.seek(end - ending)
            yield start, file.read(ending)
            end = start
