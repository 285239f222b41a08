"""The rejects file: what was refused, with its original columns, ready to be mended and fed back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rxcalc.inputs.cells import CellProblem
from rxcalc.inputs.shown import shown
from rxcalc.tabular.header import RX_COLUMNS, Columns
from rxcalc.tabular.writer import Part, cell


@dataclass(frozen=True, slots=True)
class Reject:
    """A refused record: where it starts, its fields and text, and everything wrong with it (at least one problem)."""

    line: int
    fields: Sequence[str | None]
    raw: str
    problems: tuple[CellProblem, ...]


@dataclass(frozen=True, slots=True)
class RejectLayout:
    """What a rejects file holds: the kept columns of the input, then what is wrong."""

    columns: Columns
    separator: str

    def header(self) -> bytes:
        """The first line."""
        return rejects_header(self.columns, self.separator)

    def part(self, rejects: Sequence[Reject]) -> Part:
        """Refused records as they are written."""
        return [reject_line(reject, self.columns, self.separator) for reject in rejects]


def rejects_header(columns: Columns, separator: str) -> bytes:
    """The first line of a rejects file; `rx_` columns of the input are left out."""
    names = [columns.names[at] for at in columns.kept]
    return (separator.join(cell(name, separator) for name in [*names, *RX_COLUMNS]) + "\n").encode()


def reject_line(reject: Reject, columns: Columns, separator: str) -> bytes:
    """One line of a rejects file."""
    fields = [reject.fields[at] or "" if at < len(reject.fields) else "" for at in columns.kept]
    first, *rest = reject.problems
    more = "; ".join(f"{problem.code} {problem.field}".strip() for problem in rest)
    notes = [str(reject.line), first.code, first.field, shown(first.value, 200), first.message, more, reject.raw]
    return (separator.join(cell(text.replace("\0", "\\x00"), separator) for text in [*fields, *notes]) + "\n").encode(
        errors="backslashreplace"
    )
