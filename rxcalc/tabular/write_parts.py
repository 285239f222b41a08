"""Parts of a file of text: each can be written after any other, and a file may end after any of them."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from typing import Final, TypeAlias

from rxcalc.tabular.forms import FileForm
from rxcalc.tabular.write_excel import BOM, safe_cell

Part: TypeAlias = Sequence[bytes]
"""Records as they stand in the file, in pieces."""

_GZIP_HEAD: Final = (
    b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"  # neither a time nor a system: the same bytes everywhere
)
_GZIP_LEVEL: Final = 4
_ZSTD_LEVEL: Final = 3


class Pieces:
    """A file for `write_csv` that keeps what it is given: one copy less than a growing buffer makes."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []

    def write(self, data: bytes) -> int:
        """Keep one piece."""
        self.pieces.append(data)
        return len(data)

    def flush(self) -> None:
        """Nothing to do."""


def packed(pieces: Part, file: FileForm) -> Part:
    """A part of text as the file holds it: one gzip member or one zstd frame, where it is compressed."""
    if not file.compression or not pieces:
        return pieces
    if file.compression == "gz":
        return _gzipped(pieces)
    import zstandard

    return [zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compress(b"".join(pieces))]


def _gzipped(pieces: Part) -> Part:
    deflate = zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    check, size = 0, 0
    found = [_GZIP_HEAD]
    for piece in pieces:
        check = zlib.crc32(piece, check)
        size += len(piece)
        found.append(deflate.compress(piece))
    found += [deflate.flush(), struct.pack("<LL", check, size & 0xFFFFFFFF)]
    return found


def header_part(names: Sequence[str], file: FileForm) -> Part:
    """The first line of a file of text."""
    told = [safe_cell(name) for name in names] if file.excel else names
    line = (file.separator.join(cell(name, file.separator) for name in told) + "\n").encode()
    return packed([BOM + line if file.excel else line], file)


def cell(text: str, separator: str = ",") -> str:
    """A cell as it is written: quoted only where it has to be.

    >>> cell('a"b')
    '"a""b"'
    """
    needs = any(char in text for char in (separator, '"', "\r", "\n"))
    return '"' + text.replace('"', '""') + '"' if needs else text


def line_of(cells: Sequence[str], separator: str = ",", *, excel: bool = False, first: bool = False) -> bytes:
    """A line of a small file; with `excel` one that spreadsheets show as it is, the `first` with the mark of UTF-8."""
    if excel:
        line = line_of([safe_cell(text) for text in cells], separator)
        return BOM + line if first else line
    return (separator.join(cell(text, separator) for text in cells) + "\n").encode(errors="backslashreplace")
