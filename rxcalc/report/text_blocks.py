"""The blocks of an outline as lines of a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import Final

from rxcalc.report.layout import cut, fitted, indented, left_pad, pad, table, width, wrap
from rxcalc.report.outline_model import (
    Bands,
    Block,
    Column,
    Facts,
    Item,
    Listing,
    Paragraph,
    Part,
    Rows,
    Shares,
    Table,
    Told,
)

WIDEST_KEY: Final = 24
WIDEST_CELL: Final = 32
WIDEST_HEAD: Final = 12
MOST_HEAD: Final = 2
LABEL: Final = 10


def block_lines(block: Block, columns: int) -> list[str]:
    """A block at the left edge."""
    match block:
        case Paragraph():
            return wrap(block.text, columns)
        case Facts():
            return _facts(block, columns)
        case Listing():
            return [f"  {line}" for item in block.items for line in wrap(item, columns - 2)]
        case Table():
            return _overview(block, columns)
        case Shares():
            return _shares(block, columns)
        case Item():
            return item_lines(block, columns)


def moved(lines: Sequence[str], by: int = 2) -> list[str]:
    """Lines further to the right."""
    return [" " * by + line if line else line for line in lines]


# ---- items ----


def item_lines(item: Item, columns: int) -> list[str]:
    """What an item is called with its value at the right end, and how it came about."""
    lines: list[str] = []
    if item.label:
        lines = at_right(item.title, item.value, columns) if item.value else wrap(item.title, columns)
    for part in item.parts:
        lines += part_lines(part, columns)
    return lines


def part_lines(part: Part, columns: int) -> list[str]:
    """A line of an item, its bands, or the figures of the rows."""
    match part:
        case Told(sentence=True):
            first, *rest = wrap(part.line, columns - 4)
            return [f"  {first}", *(f"    {line}" for line in rest)]
        case Told():
            return indented(part.title, part.text, columns, label_width=max(LABEL, width(part.title) + 1))
        case Bands():
            return _bands(part, columns)
        case Rows():
            return _rows(part, columns)


def at_right(text: str, value: str, columns: int) -> list[str]:
    """A text with a value at the right end of its last line, or below where there is no room."""
    lines = wrap(text, columns)
    if width(lines[-1]) + 2 + width(value) > columns and width(value) <= columns // 2:
        lines = wrap(text, columns - width(value) - 2)
    if width(lines[-1]) + 2 + width(value) > columns:
        return [*lines, *(left_pad(part, columns) for part in wrap(value, columns))]
    return [*lines[:-1], lines[-1] + left_pad(value, columns - width(lines[-1])).rstrip()]


def _bands(b: Bands, columns: int) -> list[str]:
    rows: list[list[str]] = []
    for line in b.rows:
        amount = f"{line.exact} -> {line.amount}" if line.exact else line.amount
        mapped = f"({b.mapped} {line.given})" if line.given else ""
        rows.append([line.low, "..", line.high, ":", line.length, "*", line.rate, "=", amount, mapped])
    lead = pad("  " + b.title, 2 + LABEL)
    body = table(rows, "rlrlrlrlrl", 1)
    if any(width(lead + line) > columns for line in body):
        # Two lines for each band: where it lies, then what it gives.
        body = []
        for r in rows:
            body += [
                f"{r[0]} .. {r[2]}",
                *(f"  {line}" for line in wrap(" ".join(t for t in r[3:] if t), columns - 14)),
            ]
    return [(lead if at == 0 else " " * (2 + LABEL)) + line for at, line in enumerate(body)]


def _rows(part: Rows, columns: int) -> list[str]:
    key_width = min(WIDEST_KEY, max(width(row.key) for row in part.rows))
    lines: list[str] = []
    for row in part.rows:
        lead = f"    {pad(cut(row.key, key_width), key_width)}  "
        beside = " " * width(lead)
        room = columns - width(lead)
        found = at_right(row.text, row.value, room) if row.value else wrap(row.text, room)
        lines += [((lead if at == 0 else beside) + line).rstrip() for at, line in enumerate(found)]
        lines += [beside + line for note in row.notes for line in wrap(note, room)]
    return lines


# ---- facts, shares ----


def _facts(block: Facts, columns: int) -> list[str]:
    if not block.amounts:
        return _beside(block, columns)
    taken = fitted([[f"  {fact.label}", fact.value] for fact in block.rows], "lr", 3, columns, 0)
    lines: list[str] = []
    for found, fact in zip(taken, block.rows, strict=True):
        lines += found
        if fact.working:
            lines += [f"      {line}" for line in wrap(fact.working, columns - 6)]
    return lines


def _beside(block: Facts, columns: int) -> list[str]:
    """Labels with their values beside them, each wrapped in its own column."""
    widest = min(max((width(fact.label) for fact in block.rows), default=0), columns // 2)
    lines: list[str] = []
    for fact in block.rows:
        labels, values = wrap(fact.label, widest), wrap(fact.value, columns - widest - 5)
        lines += [f"  {pad(a, widest)}   {b}".rstrip() for a, b in zip_longest(labels, values, fillvalue="")]
    return lines


def _shares(block: Shares, columns: int) -> list[str]:
    lines = [f"  {line}" for text in block.working for line in wrap(text, columns - 2)]
    rows: list[list[str]] = []
    before = ""
    for part in block.parts:
        bearer = part.bearer_label if part.bearer_label != before else ""
        before = part.bearer_label
        rows.append([f"  {bearer}", part.label, part.amount, part.reason])
    indent = 4 + max((width(r[0]) for r in rows), default=0)
    for taken, part in zip(fitted(rows, "llrl", 2, columns, 1), block.parts, strict=True):
        lines += taken
        for text in part.working:
            lines += [" " * indent + line for line in wrap(text, columns - indent)]
    return [*lines, *([f"  {block.zeros}"] if block.zeros else [])]


# ---- rows at a glance ----


def _overview(block: Table, columns: int) -> list[str]:
    """A table of the rows, folded into several beside each other's order where it is too wide."""
    cells = {c: [row[at] for row in block.rows] for at, c in enumerate(block.columns)}
    folds = _folds(block.columns, cells, columns)
    if len(folds) > 2:
        folds = _folds([c for c in block.columns if c.kind != "step" or c.is_money], cells, columns)
    lines: list[str] = []
    for fields in folds:
        lines += [""] * bool(lines) + _table(fields, cells)
    return lines


def _folds(fields: Sequence[Column], cells: dict[Column, list[str]], columns: int) -> list[list[Column]]:
    """The fields in as many tables as the width asks for, each with the order in front."""
    order = [f for f in fields if f.kind == "order"]
    folds: list[list[Column]] = []
    now: list[Column] = []
    for f in fields:
        if f.kind == "order":
            continue
        if now and _wide([*order, *now, f], cells) > columns:
            folds.append([*order, *now])
            now = []
        now.append(f)
    return [*folds, [*order, *now]]


def _wide(fields: Sequence[Column], cells: dict[Column, list[str]]) -> int:
    return sum(_column(f, cells[f]) + 2 for f in fields)


def _column(f: Column, cells: Sequence[str]) -> int:
    return max(width(text) for text in (*_head(f), *(line for c in cells for line in wrap(c, WIDEST_CELL))))


def _head(f: Column) -> list[str]:
    """The label in two lines at most, else the name, broken after underscores."""
    head = wrap(f.label, WIDEST_HEAD)
    if f.label != f.name and len(head) <= MOST_HEAD:
        return head
    return [line.replace(" ", "") for line in wrap(f.name.replace("_", "_ "), WIDEST_HEAD)]


def _table(fields: Sequence[Column], cells: dict[Column, list[str]]) -> list[str]:
    widths = [_column(f, cells[f]) for f in fields]
    heads = [_head(f) for f in fields]
    most = max(len(h) for h in heads)
    heads = [[""] * (most - len(h)) + h for h in heads]

    def line(texts: Sequence[str]) -> str:
        aligned = [left_pad(t, w) if f.is_number else pad(t, w) for t, w, f in zip(texts, widths, fields, strict=True)]
        return ("  " + "  ".join(aligned)).rstrip()

    lines = [line(texts) for texts in zip(*heads, strict=True)]
    lines.append("  " + "  ".join("-" * w for w in widths))
    for row in zip(*(cells[f] for f in fields), strict=True):
        parts = [wrap(c, WIDEST_CELL) for c in row]
        tall = max(len(p) for p in parts)
        lines += [line(texts) for texts in zip(*(p + [""] * (tall - len(p)) for p in parts), strict=True)]
    return lines
