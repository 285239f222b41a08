"""The rejects file: what was refused, with its original columns, ready to be mended and fed back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from rxcalc.inputs.cells import CellProblem
from rxcalc.inputs.shown import shown
from rxcalc.plan.nodes import PlanInput
from rxcalc.tabular.forms import FileForm
from rxcalc.tabular.header import RX_COLUMNS, Columns
from rxcalc.tabular.redaction import HIDDEN, Redaction
from rxcalc.tabular.write_excel import Column, safe_cell
from rxcalc.tabular.write_parts import Part, header_part, line_of, packed
from rxcalc.tabular.writer import column_of, named

_CSV: Final = FileForm()
_OTHER: Final[Column] = "other"
_NOTES: Final = (_OTHER,) * len(RX_COLUMNS)


@dataclass(frozen=True, slots=True)
class Reject:
    """A refused record: where it starts, its fields and text, and everything wrong with it (at least one problem)."""

    line: int
    fields: Sequence[str | None]
    raw: str
    problems: tuple[CellProblem, ...]


@dataclass(frozen=True, slots=True)
class RejectLayout:
    """What a rejects file holds: the kept columns of the input, then what is wrong.

    `fields` are the inputs by the position of their columns. Columns are called as in the input, since the file may be read as one.
    """

    columns: Columns
    file: FileForm = _CSV
    fields: Mapping[int, PlanInput] = field(default_factory=dict)
    redaction: Redaction | None = None
    ids: frozenset[str] = frozenset()

    @property
    def names(self) -> tuple[str, ...]:
        """What the columns are called; `rx_` columns of the input are left out."""
        return named([*(self.columns.names[at] for at in self.columns.kept), *RX_COLUMNS], self.file)

    @property
    def types(self) -> Mapping[str, object]:
        """The types of columns in a file that holds types: all are texts."""
        return {}

    def header(self) -> Part:
        """The first part: what stands before the records."""
        return [] if self.file.typed else header_part(self.names, self.file)

    def part(self, rejects: Sequence[Reject]) -> Part:
        """Refused records as they are written."""
        rows = [self._redacted(_cells(reject, self.columns)) for reject in rejects]
        if self.file.typed:
            from rxcalc.tabular.write_typed import typed_part

            texts = [[cell.encode(errors="backslashreplace").decode() or None for cell in row] for row in rows]
            return typed_part(pl.DataFrame(texts, schema=dict.fromkeys(self.names, pl.String), orient="row"), self.file)
        if self.file.excel:
            of = [column_of(self.fields.get(at)) for at in self.columns.kept]
            rows = [[safe_cell(cell, column) for cell, column in zip(row, (*of, *_NOTES), strict=True)] for row in rows]
        return packed([line_of(row, self.file.separator) for row in rows], self.file)

    def _redacted(self, cells: list[str]) -> list[str]:
        if self.redaction is None:
            return cells
        kept = self.columns.kept
        shown = [
            self.redaction.cell(text, self.fields.get(at), self.ids) for text, at in zip(cells, kept, strict=False)
        ]
        line, code, field_, value, message, more, raw = cells[len(kept) :]
        return [*shown, line, code, field_, value and HIDDEN, message and HIDDEN, more, raw and HIDDEN]


def _cells(reject: Reject, columns: Columns) -> list[str]:
    """The cells of one line of a rejects file."""
    fields = [reject.fields[at] or "" if at < len(reject.fields) else "" for at in columns.kept]
    first, *rest = reject.problems
    more = "; ".join(f"{problem.code} {problem.field}".strip() for problem in rest)
    notes = [str(reject.line), first.code, first.field, shown(first.value, 200), first.message, more, reject.raw]
    return [text.replace("\0", "\\x00") for text in [*fields, *notes]]
