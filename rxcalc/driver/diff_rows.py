"""Every bill that comes out otherwise as a line of a CSV file, with the changes that moved it."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Final

import polars as pl

from rxcalc.driver.diff_pieces import Piece

COLUMNS: Final = ("episode_id", "outcome", "amount", "old", "new", "moved")
ATTRIBUTED: Final = ("by", "changes", "beyond_their_sum")


def lines(table: pl.DataFrame, amount: str, scale: int, found: Sequence[Piece] | None) -> str:
    """The file. `table` has the bills with `old`, `new` (whole numbers of 1 / 10**scale), and whether each is computed.

    With `found` it has also what each piece does to a bill. Amounts are exact. `outcome` is `changed`, `newly_rejected` or
    `newly_accepted`; `by` is `one` (change alone), `several` (that add up) or `interacting`; `changes` are those that move the
    bill by themselves, each with what it does to the amount where both compute it.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow((*COLUMNS, *(ATTRIBUTED if found is not None else ())))
    for row in table.iter_rows(named=True):
        told = [row["id"], _outcome(row), amount, *(_amount(row[side], scale) for side in ("old", "new"))]
        told.append(plain_units(row["whole"], scale) if row["both"] else "")
        if found is not None:
            told += _attributed(row, scale, found)
        writer.writerow(told)
    return text.getvalue()


def _outcome(row: dict[str, object]) -> str:
    if row["both"]:
        return "changed"
    return "newly_rejected" if row["old computed"] else "newly_accepted"


def _attributed(row: dict[str, object], scale: int, found: Sequence[Piece]) -> list[str]:
    by = "one" if row["sole"] else "several" if row["adding"] else "interacting"
    movers = []
    for at, piece in enumerate(found):
        if row[f"moves {at}"]:
            delta = row[f"delta {at}"]
            movers.append(
                f"{piece.subject} {plain_units(delta, scale, sign=True)}" if row["both"] else str(piece.subject)
            )
    return [by, "; ".join(movers), plain_units(row["rest"], scale) if row["both"] else ""]


def _amount(units: object, scale: int) -> str:
    return "" if units is None else plain_units(units, scale)


def plain_units(units: object, scale: int, *, sign: bool = False) -> str:
    """A whole number of 1 / 10**scale as a decimal."""
    assert isinstance(units, int)  # noqa: S101 - a column of whole numbers
    whole, rest = divmod(abs(units), 10**scale)
    mark = "-" if units < 0 else "+" if sign and units > 0 else ""
    return f"{mark}{whole}.{rest:0{scale}}" if scale else f"{mark}{whole}"
