"""Wide tables in several below each other, each with the row's place in front, so that a sheet of paper holds them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from rxcalc.report.layout import width
from rxcalc.report.outline_model import Column, Table

COLUMNS: Final = 92  # characters in a line of an A4 page in the small print of tables
BETWEEN: Final = 2
WIDEST: Final = 18  # a longer cell is broken over several lines
SHORT: Final = 16  # a cell that is never broken


def folds(table: Table) -> tuple[Table, ...]:
    """The table, or as many as its columns take; columns that say the row's place stand in each."""
    widths = [_width(column, [row[at] for row in table.rows]) for at, column in enumerate(table.columns)]
    order = [at for at, column in enumerate(table.columns) if column.kind == "order"]
    others = [at for at, column in enumerate(table.columns) if column.kind != "order"]
    room = max(COLUMNS - sum(widths[at] for at in order), WIDEST)
    found: list[list[int]] = [[]]
    for at in others:
        if found[-1] and sum(widths[n] for n in (*found[-1], at)) > room:
            found.append([])
        found[-1].append(at)
    return tuple(_taken(table, [*order, *taken]) for taken in found)


def _taken(table: Table, taken: Sequence[int]) -> Table:
    columns = tuple(table.columns[at] for at in taken)
    return replace(table, columns=columns, rows=tuple(tuple(row[at] for at in taken) for row in table.rows))


def _width(column: Column, cells: Sequence[str]) -> int:
    """How wide a column must be: its longest cell, or where cells are broken their longest word; the head's longest word."""
    head = min(max((width(word) for word in column.label.split()), default=0), WIDEST if column.label.isascii() else 8)
    body = max((width(cell) if len(cell) <= SHORT else _broken(cell) for cell in cells), default=0)
    return max(head, body) + BETWEEN


def _broken(cell: str) -> int:
    return min(max(WIDEST, *(width(word) for word in cell.split())), 2 * WIDEST)
