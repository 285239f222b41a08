"""Explanations as plain text for a terminal, at any width from 60 columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rxcalc.report.layout import width, wrap
from rxcalc.report.model import CheckLine, Explanation
from rxcalc.report.outline import build
from rxcalc.report.outline_model import Facts, Item, Outline, Section
from rxcalc.report.outline_rows import check_item
from rxcalc.report.outline_steps import Teller
from rxcalc.report.text_blocks import block_lines, item_lines, moved

_TIGHT: Final = frozenset({"findings", "windows"})
"""Sections whose items follow each other without a blank line."""


def render(x: Explanation, *, language: str = "en", detail: str = "steps", columns: int = 80) -> str:
    """The explanation as text. `detail`: brief (result and shares), steps, full (also clauses that did not apply)."""
    return lay_out(build(x, language, detail), max(60, min(columns, 120)))


def lay_out(outline: Outline, columns: int) -> str:
    """An outline as text of a width."""
    lines = wrap(outline.title, columns)
    lines.append("=" * min(columns, max(width(line) for line in lines)))
    for version in outline.versions:
        lines += [f"  {line}" for line in wrap(version, columns - 2)]
    for section in outline.sections:
        lines += [*([""] if section.key != "facts" else []), *_section(section, columns)]
    if outline.detail != "brief":  # what stays in sight when the page has run through
        for section in outline.sections:
            lines += ["", *_section(section, columns)] if section.key == "status" else []
    return "\n".join(line.rstrip() for line in lines) + "\n"


def check_lines(
    checks: Sequence[CheckLine], sources: Sequence[tuple[str, str, str]], language: str, columns: int
) -> list[str]:
    """Findings by themselves; `sources` as an explanation has them."""
    teller = Teller(language, "steps", sources)
    items = [check_item(teller, c, at) for at, c in enumerate(checks, start=1)]
    return [line for item in items for line in moved(item_lines(item, columns - 2))]


def _section(section: Section, columns: int) -> list[str]:
    lines = wrap(section.title, columns) if section.title and section.key != "steps" else []
    match section.key:
        case "sources":
            return lines + _sources(section, columns)
        case key if key in _TIGHT:
            for item in section.blocks:
                lines += moved(block_lines(item, columns - 2))
            return lines
        case "steps":
            for block in section.blocks:
                lines += ([""] if lines else []) + block_lines(block, columns)
            return lines
        case _:
            pass
    for block in section.blocks:
        if isinstance(block, Item) and block.label:
            lines += ["", *moved(item_lines(block, columns - 2))]
        else:
            lines += block_lines(block, columns)
    for inner in section.sections:
        indent = 2 if inner.key == "shares" else 0
        lines += ["", *moved(_section(inner, columns - indent), indent)]
    return lines


def _sources(section: Section, columns: int) -> list[str]:
    """The cited documents: the whole title, and how far the source can be trusted."""
    lines: list[str] = []
    for facts in (block for block in section.blocks if isinstance(block, Facts)):
        for fact in facts.rows:
            first, *rest = wrap(f"{fact.label} [{fact.value}]" if fact.value else fact.label, columns - 4)
            lines += [f"  {first}", *(f"    {line}" for line in rest)]
    return lines
