"""The bytes of a text file from front to back: as they stand, unpacked, or brought from UTF-16 to UTF-8.

What is damaged, or unpacks to more than any table holds, ends the reading with a problem.
"""

from __future__ import annotations

import codecs
import hashlib
import zlib
from collections.abc import Generator, Iterator
from io import FileIO
from pathlib import Path
from typing import Final, Protocol

from rxcalc.tabular import problems
from rxcalc.tabular.problems import UsageProblem
from rxcalc.tabular.records import HALF

CHUNK: Final = 1 << 20
UNPACKED_LIMIT: Final = 200 << 30
RATIO: Final = 1000
RATIO_FROM: Final = 100 << 20
_EDGE: Final = 1 << 16
_BITE: Final = 2048  # a zstd block of 4 bytes may hold 128 KiB, so that this gives 64 MiB at the most
_PACKED: Final = ((b"\x1f\x8b", "gzip"), (b"(\xb5/\xfd", "zstd"))
_SUFFIXES: Final = {".gz": "gzip", ".zst": "zstd"}


class BrokenFileError(Exception):
    """A file cannot be read on."""

    def __init__(self, problem: UsageProblem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def packing_of(start: bytes) -> str:
    """How a file that starts so is compressed: "gzip", "zstd", or not at all."""
    return next((name for magic, name in _PACKED if start.startswith(magic)), "")


def plain_name(path: Path) -> tuple[str, str]:
    """A file's name without the suffix of its compression, and which that is."""
    packed = _SUFFIXES.get(path.suffix.lower(), "")
    return (path.stem if packed else path.name), packed


class Raw:
    """The file's own bytes in order, counted and hashed."""

    def __init__(self, file: FileIO) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self.count = 0

    def chunks(self) -> Iterator[bytes]:
        """All bytes from here on."""
        while data := self._file.read(CHUNK):
            self._hash.update(data)
            self.count += len(data)
            yield data

    @property
    def digest(self) -> str:
        """SHA-256 of what was read so far."""
        return self._hash.hexdigest()


def unpacked(path: Path, raw: Raw, packing: str) -> Generator[bytes, None, None]:
    """The text's bytes, in pieces of at most some MiB. Raises `BrokenFileError`."""
    if not packing:
        yield from raw.chunks()
        return
    made = 0
    for piece in _gunzip(path, raw) if packing == "gzip" else _unzstd(path, raw):
        made += len(piece)
        if made > UNPACKED_LIMIT or (made > RATIO_FROM and made > RATIO * raw.count):
            raise BrokenFileError(problems.unpacks_too_far(str(path), raw.count, made, UNPACKED_LIMIT, RATIO))
        yield piece


def _gunzip(path: Path, raw: Raw) -> Iterator[bytes]:
    """Every member of a gzip file, each checked against its sum; zeros after the last one are padding."""
    member = zlib.decompressobj(31)
    opened = True
    for chunk in raw.chunks():
        rest = chunk
        while rest:
            if not opened:
                rest = rest.lstrip(b"\0")
                if not rest:
                    break
                member, opened = zlib.decompressobj(31), True
            try:
                piece = member.decompress(rest, CHUNK)
            except zlib.error as error:
                raise BrokenFileError(
                    problems.damaged(str(path), "gzip", raw.count - len(rest), _reason(error))
                ) from error
            if piece:
                yield piece
            rest = member.unused_data if member.eof else member.unconsumed_tail
            opened = not member.eof
    while opened and not member.eof:
        piece = member.decompress(b"", CHUNK)  # what it still holds back
        if not piece:
            raise BrokenFileError(problems.cut_short(str(path), "gzip", raw.count))
        yield piece


def _reason(error: Exception) -> str:
    """What zlib says after its numbers."""
    return str(error).rpartition(": ")[2]


def _unzstd(path: Path, raw: Raw) -> Iterator[bytes]:
    """Every frame of a zstd file."""
    import zstandard

    frame = zstandard.ZstdDecompressor().decompressobj()
    fresh = True
    for chunk in raw.chunks():
        view = memoryview(chunk)
        at = 0
        while at < len(chunk):
            bite = view[at : at + _BITE]
            try:
                piece = frame.decompress(bite)
            except zstandard.ZstdError as error:
                place = raw.count - len(chunk) + at
                raise BrokenFileError(problems.damaged(str(path), "zstd", place, _reason(error))) from error
            at += len(bite)
            fresh = False
            if piece:
                yield piece
            if frame.eof:
                at -= len(frame.unused_data)
                frame = zstandard.ZstdDecompressor().decompressobj()
                fresh = True
    if not fresh:
        raise BrokenFileError(problems.cut_short(str(path), "zstd", raw.count))


def narrowed(pieces: Iterator[bytes], encoding: str, mark: int) -> Iterator[bytes]:
    """UTF-16 as UTF-8. Half a surrogate pair, and half a character at the end, give bytes that are no UTF-8."""
    decoder = codecs.getincrementaldecoder(encoding)("surrogatepass")
    held = b""
    for piece in pieces:
        data = held + piece if held else piece
        if mark:
            cut = min(mark, len(data))
            data, mark = data[cut:], mark - cut
        odd = len(data) & 1
        held, data = data[len(data) - odd :], data[: len(data) - odd]
        yield decoder.decode(data).encode("utf-8", "surrogatepass")
    yield decoder.decode(b"", final=True).encode("utf-8", "surrogatepass")
    if held:
        yield HALF


class Tape(Protocol):
    """A text's bytes, read forward by whole records. `size` and `digest` are of the file's own bytes read so far."""

    @property
    def size(self) -> int: ...  # noqa: D102 a field
    @property
    def digest(self) -> str: ...  # noqa: D102 a field
    @property
    def check(self) -> str: ...  # noqa: D102 a hash of the text that was kept

    def take(self, want: int) -> tuple[bytes, bool]:
        """Some `want` bytes, up to a line end where one is near; and whether the text ends with them. They are not gone."""

    def keep(self, data: bytes) -> None:
        """The first bytes of the text that are left, `data`, are read."""


class FileTape:
    """A file that is its own text. Plain bytes are the fast case, so that each is read once, at its place."""

    def __init__(self, file: FileIO) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self.size = 0

    @property
    def digest(self) -> str:
        """SHA-256 of what was kept."""
        return self._hash.hexdigest()

    @property
    def check(self) -> str:
        """The same: the file is its text."""
        return self.digest

    def take(self, want: int) -> tuple[bytes, bool]:
        """As `Tape.take`. What follows the last line end near is read again with the next block: most blocks save a copy so."""
        file, at = self._file, self.size
        edge = max(0, want - _EDGE)
        file.seek(at + edge)
        tail = _read(file, want - edge)
        newline = tail.rfind(b"\n")
        file.seek(at)
        if newline >= 0:
            return _read(file, edge + newline + 1), False
        data = _read(file, want)
        return data, len(data) < want

    def keep(self, data: bytes) -> None:
        """As `Tape.keep`."""
        self._hash.update(data)
        self.size += len(data)


class StreamTape:
    """A text that is made from a file's bytes."""

    def __init__(self, raw: Raw, pieces: Iterator[bytes]) -> None:
        self._raw = raw
        self._pieces = pieces
        self._held = bytearray()
        self._ended = False
        self._text = hashlib.sha256()

    @property
    def size(self) -> int:
        """Bytes of the file, not of the text."""
        return self._raw.count

    @property
    def digest(self) -> str:
        """SHA-256 of these."""
        return self._raw.digest

    @property
    def check(self) -> str:
        """SHA-256 of what was kept."""
        return self._text.hexdigest()

    def take(self, want: int) -> tuple[bytes, bool]:
        """As `Tape.take`."""
        held = self._held
        while len(held) < want and not self._ended:
            piece = next(self._pieces, None)
            if piece is None:
                self._ended = True
            else:
                held += piece
        if len(held) >= want:
            newline = held.rfind(b"\n", max(0, want - _EDGE), want)
            if newline >= 0:
                return bytes(memoryview(held)[: newline + 1]), False
        data = bytes(memoryview(held)[:want])
        return data, self._ended and len(data) == len(held)

    def keep(self, data: bytes) -> None:
        """As `Tape.keep`."""
        self._text.update(data)
        del self._held[: len(data)]


def _read(file: FileIO, size: int) -> bytes:
    """`size` bytes, fewer only at the end of the file."""
    data = file.read(size)
    while len(data) < size:
        more = file.read(size - len(data))
        if not more:
            break
        data += more
    return data
