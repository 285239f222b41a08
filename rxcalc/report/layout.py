"""Plain text laid out by display width: Chinese characters take two columns."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence


def width(text: str) -> int:
    """How many terminal columns a text takes."""
    if text.isascii():
        return len(text)
    return sum(_columns(c) for c in text)


def _columns(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def pad(text: str, columns: int) -> str:
    """`text` filled with blanks on the right."""
    return text + " " * (columns - width(text))


def left_pad(text: str, columns: int) -> str:
    """`text` filled with blanks on the left."""
    return " " * (columns - width(text)) + text


def wrap(text: str, columns: int) -> list[str]:
    """`text` broken into lines of at most `columns`, at blanks where there are any."""
    lines: list[str] = []
    for paragraph in text.splitlines() or [""]:
        line = ""
        for word in paragraph.split(" "):
            if line and width(line) + 1 + width(word) > columns:
                lines.append(line)
                line = word
            else:
                line = f"{line} {word}" if line else word
            while width(line) > columns:
                head = _fit(line, columns)
                lines.append(line[:head])
                line = line[head:]
        lines.append(line)
    return lines


def _fit(text: str, columns: int) -> int:
    used = 0
    for at, char in enumerate(text):
        used += _columns(char)
        if used > columns:
            return max(1, at)
    return len(text)


def indented(label: str, text: str, columns: int, indent: int = 2, label_width: int = 10) -> list[str]:
    """`label  text` with wrapped lines under the text."""
    lead = " " * indent + pad(label, label_width)
    rest = " " * width(lead)
    return [(lead if at == 0 else rest) + line for at, line in enumerate(wrap(text, max(20, columns - width(lead))))]


def table(rows: Sequence[Sequence[str]], align: str, gap: int = 2) -> list[str]:
    """Rows in columns; `align` holds `l` or `r` per column."""
    widths = [max(width(row[at]) for row in rows) for at in range(len(align))] if rows else []
    lines: list[str] = []
    for row in rows:
        cells = [pad(cell, w) if a == "l" else left_pad(cell, w) for cell, w, a in zip(row, widths, align, strict=True)]
        lines.append((" " * gap).join(cells).rstrip())
    return lines
