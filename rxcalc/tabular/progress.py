"""A progress line on a terminal: rows, rate, time left. Nothing is written anywhere else."""

from __future__ import annotations

import time
from typing import Protocol, TextIO


class Progress(Protocol):
    """What a batch reports while it runs."""

    def update(self, done: int, total: int, rows: int) -> None:
        """`done` of `total` bytes and `rows` records are finished."""

    def close(self) -> None:
        """The run is over."""


class Silent:
    """No progress shown."""

    def update(self, done: int, total: int, rows: int) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


class TerminalProgress:
    """One line rewritten at most ten times a second."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._started = time.monotonic()
        self._shown = 0.0
        self._width = 0

    def update(self, done: int, total: int, rows: int) -> None:
        """Show the line, unless it was shown just now."""
        now = time.monotonic()
        if now - self._shown < 0.1:
            return
        self._shown = now
        line = progress_line(done, total, rows, now - self._started)
        self._stream.write("\r" + line.ljust(self._width))
        self._stream.flush()
        self._width = len(line)

    def close(self) -> None:
        """Remove the line."""
        if self._width:
            self._stream.write("\r" + " " * self._width + "\r")
            self._stream.flush()


def progress_line(done: int, total: int, rows: int, seconds: float) -> str:
    """The line's text.

    >>> progress_line(50, 100, 2000, 2.0)
    ' 50%  2,000 rows  1,000 rows/s  0:02 left'
    """
    share = min(1.0, done / total) if total else 1.0
    rate = int(rows / seconds) if seconds > 0 else 0
    left = int(seconds * (1 - share) / share + 0.5) if share > 0 else 0
    return f"{int(share * 100):3d}%  {rows:,} rows  {rate:,} rows/s  {left // 60}:{left % 60:02d} left"


def progress_for(stream: TextIO, *, wanted: bool | None) -> Progress:
    """A progress line when `wanted`, or when nothing was said and the stream is a terminal."""
    return TerminalProgress(stream) if (stream.isatty() if wanted is None else wanted) else Silent()
