"""Plain text laid out by display width: Chinese characters take two columns."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from typing import Final

CLOSING: Final = frozenset("，。；：、！？）》」』】”’%,.;:!?)]}")
OPENING: Final = frozenset("（《「『【“‘([{¥")


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
    """`text` broken into lines of at most `columns`, at blanks where there are any, Chinese between any two characters."""
    lines: list[str] = []
    for paragraph in text.splitlines() or [""]:
        line = ""
        for gap, word in _pieces(paragraph):
            if line and width(line) + len(gap) + width(word) > columns:
                lines.append(line)
                line = word
            else:
                line = f"{line}{gap}{word}" if line else word
            while width(line) > columns:
                head = _fit(line, columns)
                lines.append(line[:head])
                line = line[head:]
        lines.append(line)
    return lines


def _pieces(text: str) -> Iterator[tuple[str, str]]:
    """What may stand on a line of its own, with the blank before it: words, and Chinese characters one by one."""
    for at, word in enumerate(text.split(" ")):
        gap = " " if at else ""
        if word.isascii():
            yield gap, word
            continue
        piece = ""
        for char in word:
            # A line neither begins with a sign that closes nor ends with one that opens.
            wide = _columns(char) > 1 or (bool(piece) and _columns(piece[-1]) > 1)
            if piece and wide and char not in CLOSING and piece[-1] not in OPENING:
                yield gap, piece
                gap, piece = "", char
            else:
                piece += char
        yield gap, piece


def cut(text: str, columns: int) -> str:
    """`text` cut to `columns`, marked where something is left out."""
    return text if width(text) <= columns else text[: _fit(text, columns - 2)] + ".."


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


def fitted(rows: Sequence[Sequence[str]], align: str, gap: int, columns: int, at: int) -> list[list[str]]:
    """Rows in columns, each as the lines it takes: column `at` is wrapped where a row would be too wide."""
    others = sum(max((width(row[n]) for row in rows), default=0) + gap for n in range(len(align)) if n != at)
    wrapped = [_wrapped(row[at], max(10, columns - others)) for row in rows]
    flat: list[list[str]] = []
    for row, parts in zip(rows, wrapped, strict=True):
        for number, part in enumerate(parts):
            # What stands before the wrapped text goes with its first line, what stands after it with its last.
            before = row[:at] if number == 0 else [""] * at
            after = row[at + 1 :] if number == len(parts) - 1 else [""] * (len(row) - at - 1)
            flat.append([*before, part, *after])
    lines = iter(table(flat, align, gap))
    return [[next(lines) for _ in parts] for parts in wrapped]


def _wrapped(text: str, columns: int) -> list[str]:
    blanks = len(text) - len(text.lstrip())
    return [" " * blanks + part for part in wrap(text[blanks:], columns - blanks)]
