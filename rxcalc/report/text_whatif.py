"""`whatif` and `diff` as plain text: as many columns beside each other as a terminal takes, the rest in blocks below."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rxcalc.report.compared import Line, Parting, Reading
from rxcalc.report.layout import cut, fitted, indented, width, wrap
from rxcalc.report.phrases import phrase
from rxcalc.report.phrases_whatif import said
from rxcalc.report.side_by_side import NearView, View

LABEL: Final = 24  # columns that labels keep however many amounts there are
WIDEST: Final = 20  # columns that a value takes at most; what is cut stands below, where the sides part, and in JSON
_GAP: Final = 2


def render(view: View, *, columns: int = 80) -> str:
    """The page as text, plain, at most `columns` wide (60 to 120)."""
    columns = max(60, min(columns, 120))
    lines: list[str] = []
    if view.table.sides[1:] and view.heads[0][0] != view.first:
        lines += _underlined(view.title, columns)
    if view.intro:
        lines += wrap(view.intro, columns)
    marks = max((width(mark) for mark, _ in view.heads), default=0) + 2
    for mark, text in view.heads:
        lines += indented(mark, text, columns, label_width=marks)
    if not lines:
        lines += _underlined(view.title, columns)
    for refusal in view.refusals:
        lines += ["", *wrap(refusal, columns)]
    lines += _amounts(view, columns)
    for title, parting in view.partings:
        lines += ["", *_parting(view, title, parting, columns)]
    for note in view.notes:
        lines += ["", *wrap(note, columns)]
    if view.near is not None:
        lines += ["", *_near(view, view.near, columns)]
    if view.status:
        lines += ["", *wrap(view.status, columns)]
    return "\n".join(lines) + "\n"


def _underlined(title: str, columns: int) -> list[str]:
    lines = wrap(title, columns)
    return [*lines, "=" * min(columns, max(width(line) for line in lines))]


# ---- amounts ----


def _amounts(view: View, columns: int) -> list[str]:
    """The table, folded into blocks that each repeat the first column."""
    sides = [at for at, side in enumerate(view.table.sides) if at and not side.refusal]
    lines: list[str] = []
    while sides and view.table.lines:
        block = _fitting(view, sides, columns)
        sides = sides[len(block) :]
        lines += ["", *_block(view, block, columns)]
    return lines


def _fitting(view: View, sides: Sequence[int], columns: int) -> list[int]:
    """The sides that fit beside the first column, at least one."""
    left = columns - LABEL - _GAP - _widest(view, 0)
    taken: list[int] = []
    for at in sides:
        left -= _widest(view, at) + _widest(view, at, moved=True) + 2 * _GAP
        if taken and left < 0:
            break
        taken.append(at)
    return taken


def _widest(view: View, at: int, *, moved: bool = False) -> int:
    head = said("moved", view.language) if moved else view.first if at == 0 else view.table.sides[at].mark
    cells = [line.cells[at] for line in view.table.lines]
    return max(width(head), *(width(c.moved if moved else cut(c.shown, WIDEST)) for c in cells if c is not None), 0)


def _block(view: View, block: Sequence[int], columns: int) -> list[str]:
    head = ["", view.first]
    for at in block:
        head += [view.table.sides[at].mark, said("moved", view.language)]
    rows: list[list[str]] = [head]
    for title, lines in view.columns_of([0, *block]):
        rows.append([title, *[""] * (len(head) - 1)])
        rows += [[f"  {line.label}", *_cells(line, block)] for line in lines]
    return [text for row in fitted(rows, "l" + "r" * (len(head) - 1), _GAP, columns, 0) for text in row]


def _cells(line: Line, block: Sequence[int]) -> list[str]:
    first = line.cells[0]
    found = [cut(first.shown, WIDEST) if first is not None else ""]
    for at in block:
        cell = line.cells[at]
        found += [cut(cell.shown, WIDEST), cell.moved] if cell is not None else ["", ""]
    return found


# ---- where they part ----


def _parting(view: View, title: str, parting: Parting, columns: int) -> list[str]:
    instead = said("instead", view.language).format(parting.other.shown, parting.one.shown)
    by = f" ({parting.moved})" if parting.moved else ""
    lines = wrap(title, columns)
    lines += indented("", f"{parting.label}  {instead}{by}", columns, label_width=0)
    same = view.first if view.first != parting.mark else ""
    for mark, reading in ((same, parting.one), (parting.mark, parting.other)):
        lines += _reading(mark, reading, columns)
    return lines


def _reading(mark: str, reading: Reading, columns: int) -> list[str]:
    """How one side came to its value, under its name."""
    lines: list[str] = []
    lead = max(10, width(mark) + 2)
    words = max((width(t.title) for t in reading.told), default=0) + 2
    for at, told in enumerate(reading.told):
        body = indented(told.title, told.text, columns - lead, label_width=words)
        head = f"  {mark}" if at == 0 else ""
        for number, line in enumerate(body):
            text = line[2:]
            lines.append((head if number == 0 else "") + " " * (2 + lead - width(head if number == 0 else "")) + text)
    return lines


# ---- near ----


def _near(view: View, near: NearView, columns: int) -> list[str]:
    lines = wrap(near.title, columns)
    if near.told:
        lines += [f"  {line}" for line in wrap(near.told, columns - 2)]
    for one in near.lines:
        told = f"{one.becomes}; {one.away}" if one.away else one.becomes
        lines += indented("-", one.text, columns, label_width=2)
        lines += [f"      {line}" for line in wrap(told, columns - 6)]
    for title, names in near.notes:
        lines += [f"  {line}" for line in wrap(f"{title}{phrase('label_sep', view.language)}{names}", columns - 2)]
    return lines
