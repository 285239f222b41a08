"""Frames put aside on disk, in numbered parts, each read back whole or segment by segment. Private to one run.

A segment is its length, a checksum, and its bytes: one frame as Arrow IPC. A segment that was cut short or damaged
is never taken for data.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Final, Literal, cast
from zlib import crc32

import polars as pl

_HEAD: Final = 12

Compression = Literal["uncompressed", "lz4"]


class SpoolError(OSError):
    """A part is not what was written."""


class Spool:
    """Parts of frames in the files NAME.0, NAME.1 .. of a folder. Writing raises OSError, as when the disk is full."""

    def __init__(self, folder: Path, name: str, compression: Compression = "uncompressed") -> None:
        self._folder, self._name, self._compression = folder, name, compression
        self._sizes: dict[int, int] = {}

    @property
    def sizes(self) -> Mapping[int, int]:
        """How many bytes every part has so far; all of them are with the operating system."""
        return self._sizes

    def append(self, part: int, frame: pl.DataFrame) -> None:
        """One more segment of a part."""
        out = BytesIO()
        frame.write_ipc(out, compression=self._compression)
        data = out.getbuffer()
        have = self._sizes.get(part)
        with self._open(part, os.O_WRONLY | (os.O_CREAT | os.O_TRUNC if have is None else os.O_APPEND)) as file:
            file.write(len(data).to_bytes(8, "big") + crc32(data).to_bytes(4, "big"))
            file.write(data)
        self._sizes[part] = (have or 0) + _HEAD + len(data)

    def read(self, part: int) -> pl.DataFrame | None:
        """All of a part, in the order in which it was written; None when there is nothing."""
        frames = list(self.segments(part))
        return pl.concat(frames) if frames else None

    def segments(self, part: int) -> Iterator[pl.DataFrame]:
        """The segments of a part, one after the other."""
        if part not in self._sizes:
            return
        with self._open(part, os.O_RDONLY) as source:
            while head := source.read(_HEAD):
                data = source.read(int.from_bytes(head[:8], "big"))
                if len(head) < _HEAD or crc32(data).to_bytes(4, "big") != head[8:]:
                    message = "a temporary file was damaged"
                    raise SpoolError(5, message, str(self._path(part)))
                yield pl.read_ipc(BytesIO(data))

    def forget(self, part: int) -> None:
        """Remove a part."""
        if self._sizes.pop(part, None) is not None:
            self._path(part).unlink(missing_ok=True)

    def reopen(self, sizes: Mapping[int, int]) -> bool:
        """Take up the parts of an interrupted run as they were at these sizes; False when one of them is shorter."""
        for part, size in sizes.items():
            try:
                if self._path(part).lstat().st_size < size:
                    return False
                with self._open(part, os.O_RDWR) as file:
                    file.truncate(size)
            except OSError:
                return False
            self._sizes[part] = size
        return True

    def _path(self, part: int) -> Path:
        return self._folder / f"{self._name}.{part}"

    def _open(self, part: int, flags: int) -> BinaryIO:
        flags |= getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
        mode = "r+b" if flags & os.O_RDWR else "wb" if flags & os.O_WRONLY else "rb"
        return cast("BinaryIO", os.fdopen(os.open(self._path(part), flags, 0o600), mode))
