"""Tables of text that are never wider than the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rxcalc.report.layout import fitted, table, width, wrap

GAP: Final = 2
LEAST: Final = 16  # columns that the first one keeps


def within(
    head: Sequence[str], rows: Sequence[Sequence[str]], columns: int, *, left: int = 1, indent: int = 0
) -> list[str]:
    """Columns under their heads, the first `left` to the left, amounts to the right.

    Where they are too wide the first column is wrapped; where that does not do each row stands by itself, its amounts
    named below.
    """
    room = columns - indent
    align = "l" * left + "r" * (len(head) - left)
    lines = table([head, *rows], align, GAP)
    if max(map(width, lines)) > room:
        rest = [max(width(row[at]) for row in (head, *rows)) + GAP for at in range(1, len(head))]
        if room - sum(rest) >= LEAST:
            lines = [line for row in fitted([head, *rows], align, GAP, room, 0) for line in row]
        else:
            lines = [line for row in rows for line in _alone(head, row, room, left)]
    return [(" " * indent + line).rstrip() for line in lines]


def _alone(head: Sequence[str], row: Sequence[str], room: int, left: int) -> list[str]:
    """A row by itself."""
    lines = wrap(", ".join(row[:left]), room)
    line = ""
    for name, cell in zip(head[left:], row[left:], strict=True):
        piece = f"{name} {cell}".rstrip()
        if line and width(line) + GAP + width(piece) > room - GAP:
            lines.append(" " * GAP + line)
            line = piece
        else:
            line = f"{line}{' ' * GAP}{piece}" if line else piece
    return [*lines, " " * GAP + line]


def hanging(text: str, columns: int, indent: int = 0, more: int = 2) -> list[str]:
    """A text in lines, those after the first `more` further in."""
    lines = wrap(text, columns - indent - more)
    first = wrap(text, columns - indent)
    if len(first) == 1:
        return [" " * indent + first[0]]
    return [" " * (indent + (more if at else 0)) + line for at, line in enumerate(lines)]
