"""The layout of a printed text: display width, blocks between blank lines, wrapped texts joined again."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field


class Unreadable(ValueError):
    """A line of no known kind."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True)
class Line:
    """A line with its number, from 1."""

    number: int
    text: str

    @property
    def indent(self) -> int:
        """How many blanks it begins with."""
        return len(self.text) - len(self.text.lstrip(" "))


@dataclass(frozen=True)
class Told:
    """A line of a step: its key (`formula`, `uses`, ..) and what it says."""

    key: str
    text: str
    line: int


@dataclass
class Block:
    """Lines without a blank one between them."""

    lines: list[Line] = field(default_factory=list)

    @property
    def first(self) -> Line:
        """The first line."""
        return self.lines[0]


def width(text: str) -> int:
    """Columns on a terminal: a Chinese character takes two."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def piece(text: str, start: int, end: int | None = None) -> str:
    """What stands between two display columns."""
    if text.isascii():
        return text[start:end]
    taken, at = "", 0
    for char in text:
        if at >= start and (end is None or at < end):
            taken += char
        at += width(char)
    return taken


def blocks(text: str) -> list[Block]:
    """The blocks of a text."""
    found: list[Block] = []
    open_ = False
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            open_ = False
            continue
        if not open_:
            found.append(Block())
            open_ = True
        found[-1].lines.append(Line(number, line))
    return found


def split_right(text: str) -> tuple[str, str]:
    """A text and the value at its right end, two blanks or more between them."""
    found = re.fullmatch(r"(.*?\S)?\s{2,}(\S.*?)", text.rstrip())
    if not found:
        return text.strip(), ""
    left, right = found[1] or "", found[2]
    # The value is what stands after the widest gap.
    gaps = [(len(m[0]), m.start(), m.end()) for m in re.finditer(r"(?<=\S)\s{2,}(?=\S)", text.rstrip())]
    if gaps:
        _, start, end = max(gaps)
        left, right = text[:start].strip(), text[end:].rstrip()
    return left.strip(), right.strip()


def unwrapped(lines: list[Line], column: int) -> str:
    """Wrapped lines as one text; each begins at the column."""
    return " ".join(piece(line.text, column).strip() for line in lines).strip()
