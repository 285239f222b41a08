"""Records written to a file, part by part."""

from __future__ import annotations

from typing import Any, Protocol

from rxcalc.tabular.publish import Draft
from rxcalc.tabular.rejects import RejectLayout
from rxcalc.tabular.writer import Layout, Part


class Rows(Protocol):
    """The records of one file being written. Writing raises OSError, as when the disk is full."""

    @property
    def resumable(self) -> bool:
        """Whether writing may go on in a file that was left at the end of a part."""

    def write(self, part: Part) -> None:
        """More records."""

    def close(self) -> None:
        """The last record has been written; the draft gets what the file needs at its end."""


class TextRows:
    """Lines of text, of those put aside too. A draft that has any already has the header too."""

    resumable: bool = True

    def __init__(self, header: Part, draft: Draft) -> None:
        self._draft = draft
        if not draft.size:
            self.write(header)

    def write(self, part: Part) -> None:
        """Append lines."""
        for data in part:
            self._draft.write(data)

    def close(self) -> None:
        """Nothing is left; what is put aside for a database is loaded when all files are published."""


class ParquetRows:
    """Whole Parquet files one after the other, and one footer for all."""

    resumable: bool = True

    def __init__(self, schema: dict[str, Any], draft: Draft) -> None:
        from rxcalc.tabular.write_parquet import Footers, endings

        self._draft, self._schema = draft, schema
        self._footers = Footers()
        for at, ending in reversed(list(endings(draft.temporary, draft.size)) if draft.size else []):
            self._footers.add(ending, at)

    def write(self, part: Part) -> None:
        """Append one part."""
        if part:
            self._footers.add(part[-1], self._draft.size)
        for data in part:
            self._draft.write(data)

    def close(self) -> None:
        """The footer. A file without records has one part without rows, which says what its columns are."""
        if not self._footers.any:
            import polars as pl

            from rxcalc.tabular.write_parquet import encoded

            self.write(encoded(pl.DataFrame(schema=self._schema)))
        self._draft.write(self._footers.footer())


class WorkbookRows(TextRows):
    """Lines put aside, and at the end a workbook made of them."""

    def close(self) -> None:
        """The workbook takes the place of the lines."""
        from rxcalc.tabular.write_xlsx import make_workbook

        self._draft.flush()
        made = self._draft.temporary.with_suffix(".xlsx.part")
        make_workbook(self._draft.temporary, made)
        self._draft.become(made)


def open_rows(form: Layout | RejectLayout, draft: Draft) -> Rows:
    """What writes the records of a layout into a draft; it goes on where the draft has any."""
    if not form.file.typed:
        return TextRows(form.header(), draft)
    from rxcalc.tabular.write_typed import schema_of, stage_header

    if form.file.kind == "parquet":
        return ParquetRows(schema_of(form), draft)
    kind = WorkbookRows if form.file.kind == "xlsx" else TextRows
    return kind(stage_header(form), draft)
