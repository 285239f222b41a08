"""`whatif` and `diff` as Markdown, with one column for each alternative and one for what it moved."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rxcalc.report.compared import Parting
from rxcalc.report.phrases import phrase
from rxcalc.report.phrases_whatif import said
from rxcalc.report.side_by_side import NearView, View

# What Markdown, or HTML inside it, would take for more than a character.
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~&!])")


def escaped(text: str) -> str:
    """A text that reads as it stands, on one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def render(view: View) -> str:
    """The page as Markdown."""
    lines = [f"# {escaped(view.title)}", ""]
    if view.intro:
        lines += [escaped(view.intro), ""]
    lines += [f"- **{escaped(mark)}** {escaped(text)}" for mark, text in view.heads]
    for refusal in view.refusals:
        lines += ["", escaped(refusal)]
    sides = [at for at, side in enumerate(view.table.sides) if at and not side.refusal]
    if view.table.lines and sides:
        lines += ["", *_table(view, sides)]
    sep = phrase("label_sep", view.language)
    for title, parting in view.partings:
        lines += ["", f"## {escaped(title + sep + parting.label)}", "", *_parting(view, parting)]
    for note in view.notes:
        lines += ["", escaped(note)]
    if view.near is not None:
        lines += ["", *_near(view.near, sep)]
    if view.status:
        lines += ["", f"*{escaped(view.status)}*"]
    return "\n".join(lines) + "\n"


def _table(view: View, sides: Sequence[int]) -> list[str]:
    head = ["", view.first]
    for at in sides:
        head += [view.table.sides[at].mark, said("moved", view.language)]
    lines = [_row(head), "| --- |" + " ---: |" * (len(head) - 1)]
    for title, found in view.columns_of([0, *sides]):
        lines.append(f"| **{escaped(title)}** |" + " |" * (len(head) - 1))
        for line in found:
            first = line.cells[0]
            cells = [line.label, first.shown if first is not None else ""]
            for at in sides:
                cell = line.cells[at]
                cells += [cell.shown, cell.moved] if cell is not None else ["", ""]
            lines.append(_row(cells))
    return lines


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(escaped(cell) for cell in cells) + " |"


def _parting(view: View, parting: Parting) -> list[str]:
    instead = said("instead", view.language).format(parting.other.shown, parting.one.shown)
    by = f" ({parting.moved})" if parting.moved else ""
    sep = phrase("label_sep", view.language)
    lines = [escaped(instead + by), ""]
    for mark, reading in ((view.first, parting.one), (parting.mark, parting.other)):
        lines.append(f"- **{escaped(mark)}**")
        lines += [f"  - {escaped(t.title + sep + t.text)}" for t in reading.told]
    return lines


def _near(near: NearView, sep: str) -> list[str]:
    lines = [f"## {escaped(near.title)}", ""]
    if near.told:
        lines += [escaped(near.told), ""]
    for one in near.lines:
        told = f"{one.becomes}; {one.away}" if one.away else one.becomes
        lines.append(f"- {escaped(one.text + sep + told)}")
    for title, names in near.notes:
        lines += ["", escaped(title + sep + names)]
    return lines
