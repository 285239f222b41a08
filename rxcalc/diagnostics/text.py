"""Diagnostics for people: message, place, the line with the place underlined, what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from unicodedata import category, combining, east_asian_width

from rxcalc.diagnostics.model import Diagnostic, Label, Severity
from rxcalc.source import SourceFile

_COLOURS: Final = {Severity.ERROR: "31", Severity.WARNING: "33", Severity.INFO: "36"}
_TAB: Final = 4


def render(diagnostic: Diagnostic, files: Mapping[str, SourceFile], *, color: bool = False, width: int = 80) -> str:
    """The text of one diagnostic, without a final line end.

    Args:
        diagnostic: what to show.
        files: the files that its places point into; a hidden or unknown file is not quoted.
        color: whether to use terminal colours.
        width: columns of the terminal; excerpts are cut to it.
    """
    paint = _Paint(color=color)
    tint = _COLOURS[diagnostic.severity]
    head = paint(f"{diagnostic.severity.value} {diagnostic.code}", tint, bold=True)
    lines = [f"{head}: {paint(visible(diagnostic.message), '', bold=True)}"]
    lines += _place(diagnostic.primary, files, paint, tint, width, arrow="-->")
    for label in diagnostic.related:
        lines += _place(label, files, paint, "34", width, arrow=":::")
    lines += [f"  {paint('help:', '36')} {visible(line)}" for line in diagnostic.help]
    return "\n".join(lines)


def display_width(text: str) -> int:
    """How many terminal columns a text takes; East Asian wide characters take two."""
    return sum(_columns(char) for char in text)


def visible(text: str) -> str:
    """The text with control and bidirectional characters written as escapes."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        f"\\u{ord(char):04x}" if category(char) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp") else char for char in text
    )


class _Paint:
    """Wraps text in terminal colours, or leaves it alone."""

    def __init__(self, *, color: bool) -> None:
        self.color = color

    def __call__(self, text: str, tint: str, *, bold: bool = False) -> str:
        codes = ";".join(code for code in ("1" if bold else "", tint) if code)
        return f"\x1b[{codes}m{text}\x1b[0m" if self.color and codes else text


def _columns(char: str) -> int:
    if combining(char) or category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if east_asian_width(char) in "WF" else 1


def _place(
    label: Label, files: Mapping[str, SourceFile], paint: _Paint, tint: str, width: int, *, arrow: str
) -> list[str]:
    span = label.span
    if not span.file:
        return [f"  {paint(arrow, '34')} {visible(label.text)}"] if label.text else []
    file = files.get(span.file)
    if file is None or file.hidden or (not file.text and span.start == span.end):
        text = f": {visible(label.text)}" if label.text else ""
        return [f"  {paint(arrow, '34')} {visible(span.file)}{text}"]
    number, column = file.position(span.start)
    end_number, end_column = file.position(span.end)
    line = file.line(number)
    stop = end_column - 1 if end_number == number else len(line)
    gutter = str(number)
    blank = " " * len(gutter)
    shown, before, marks = _excerpt(line, column - 1, max(stop, column), max(20, width - len(gutter) - 3))
    underline = paint("^" * marks + (f" {visible(label.text)}" if label.text else ""), tint)
    return [
        f"{blank} {paint(arrow, '34')} {visible(span.file)}:{number}:{column}",
        f"{blank} {paint('|', '34')}",
        f"{paint(gutter, '34')} {paint('|', '34')} {shown}".rstrip(),
        f"{blank} {paint('|', '34')} {' ' * before}{underline}",
    ]


def _excerpt(line: str, start: int, stop: int, width: int) -> tuple[str, int, int]:
    """The line cut to `width` columns around `start`, the columns before the place, and its length."""
    cells = [" " * _TAB if char == "\t" else visible(char) for char in line]
    widths = [display_width(cell) for cell in cells]
    first, last = 0, len(cells)
    if sum(widths) > width:
        while first < start and sum(widths[first:start]) > width // 3:
            first += 1
        used, last = 0, first
        while last < len(cells) and used + widths[last] <= width - 4:
            used += widths[last]
            last += 1
    lead, tail = ".." if first else "", ".." if last < len(cells) else ""
    before = len(lead) + sum(widths[first:start])
    marks = max(1, sum(widths[start : min(stop, last)]))
    return lead + "".join(cells[first:last]) + tail, before, marks
