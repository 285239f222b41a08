"""Source files and the places inside them that messages point at."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of a file, as character offsets; `end` is one past the last character.

    `file` is the name shown to the reader. Line and column are computed from the
    `SourceFile` only when a message is printed.
    """

    file: str
    start: int
    end: int

    def to(self, other: Span) -> Span:
        """The smallest span that holds both; both must lie in one file."""
        return Span(self.file, min(self.start, other.start), max(self.end, other.end))


NOWHERE = Span("", 0, 0)


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A text file as read. `name` is how messages call it; `hidden` files are never quoted."""

    name: str
    text: str
    hidden: bool = False
    line_starts: tuple[int, ...] = field(default=(), compare=False, repr=False)

    @staticmethod
    def of(name: str, text: str, *, hidden: bool = False) -> SourceFile:
        """A file with its line starts computed."""
        starts = [0]
        at = text.find("\n")
        while at >= 0:
            starts.append(at + 1)
            at = text.find("\n", at + 1)
        return SourceFile(name, text, hidden, tuple(starts))

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset, both counted from 1."""
        offset = max(0, min(offset, len(self.text)))
        line = bisect_right(self.line_starts, offset)
        return line, offset - self.line_starts[line - 1] + 1

    def line(self, number: int) -> str:
        """The text of line `number` (from 1), without its line end."""
        start = self.line_starts[number - 1]
        stop = self.line_starts[number] - 1 if number < len(self.line_starts) else len(self.text)
        return self.text[start:stop].rstrip("\r")


@dataclass(frozen=True, slots=True)
class EmbeddedText:
    """DSL text cut out of a YAML scalar, with the way back to file offsets.

    `segments` are (offset in `text`, offset in the file) pairs in ascending order; inside
    one segment the two run in step. Plain one-line and `|` scalars map exactly; in a quoted
    scalar each escape starts a new segment.
    """

    text: str
    file: str
    segments: tuple[tuple[int, int], ...]

    def span(self, start: int, end: int) -> Span:
        """The file span of `text[start:end]`."""
        return Span(
            self.file, self._offset(start), max(self._offset(start), self._offset(end - 1) + 1 if end > start else 0)
        )

    def _offset(self, at: int) -> int:
        index = bisect_right(self.segments, (at, float("inf"))) - 1
        text_start, file_start = self.segments[max(0, index)]
        return file_start + at - text_start
