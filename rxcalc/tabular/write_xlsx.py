"""Workbooks: one sheet, its header first. Nothing in a cell is a formula, and no digit is lost."""

from __future__ import annotations

import datetime
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from rxcalc.tabular.stage import StagedColumn, staged_columns, staged_rows

MAX_RECORDS: Final = 1_048_575  # the rows of a sheet, less the header
MAX_COLUMNS: Final = 16_384
MAX_TEXT: Final = 32_767  # characters in a cell
_DIGITS: Final = 15  # more of a number are not kept
_CREATED: Final = datetime.datetime(2000, 1, 1)
_FIRST_DAY: Final = datetime.date(1900, 3, 1)  # the days before are counted wrongly


class WorkbookError(OSError):
    """What no workbook can hold."""

    def __init__(self, why: str) -> None:
        super().__init__(27, why)


Write = Callable[[int, int, str], None]


def make_workbook(stage: Path, target: Path) -> None:
    """A workbook of the records put aside in `stage`, as a new file. Raises WorkbookError where a sheet cannot hold them."""
    from xlsxwriter import Workbook  # type: ignore[import-untyped]  # it has no types

    columns, _ = staged_columns(stage)
    if len(columns) > MAX_COLUMNS:
        raise WorkbookError(
            f"{len(columns):,} columns, more than the {MAX_COLUMNS:,} that a sheet holds; write .csv or .parquet"
        )
    folder = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        made = folder / "made.xlsx"
        options = {
            "constant_memory": True,
            "tmpdir": str(folder),
            "strings_to_formulas": False,
            "strings_to_urls": False,
        }
        book = Workbook(str(made), options)
        try:
            book.set_properties({"created": _CREATED})
            _fill(book, columns, stage)
        finally:
            book.close()
        made.chmod(0o600)
        made.replace(target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _fill(book: Any, columns: Sequence[StagedColumn], stage: Path) -> None:
    sheet = book.add_worksheet("results")
    writes = [_writer(book, sheet, column) for column in columns]
    for at, column in enumerate(columns):
        sheet.write_string(0, at, column.name[:MAX_TEXT])
    with staged_rows(stage) as rows:
        for number, row in enumerate(rows, 1):
            if number > MAX_RECORDS:
                raise WorkbookError(
                    f"more than {MAX_RECORDS:,} records, which is what a sheet holds; write .csv or .parquet"
                )
            for at, (cell, write) in enumerate(zip(row, writes, strict=True)):
                if cell:
                    write(number, at, cell)


def _writer(book: Any, sheet: Any, column: StagedColumn) -> Write:
    """How the cells of a column are written."""

    def text(row: int, at: int, cell: str) -> None:
        if len(cell) > MAX_TEXT:
            raise WorkbookError(
                f"record {row:,}, column {column.name!r}: more than {MAX_TEXT:,} characters, which is what a cell holds; write .csv or .parquet"
            )
        sheet.write_string(row, at, cell)

    def number(cell: str, row: int, at: int, form: Any, by: int = 1) -> None:
        digits = cell.lstrip("-0.").replace(".", "")
        if len(digits) > _DIGITS:
            sheet.write_string(row, at, cell)
        else:
            sheet.write_number(row, at, float(cell) / by, form)

    match column.type:
        case "decimal" | "count":
            form = book.add_format({"num_format": "0." + "0" * column.decimals if column.decimals else "0"})
            return lambda row, at, cell: number(cell, row, at, form)
        case "percent":
            forms: dict[int, Any] = {}

            def percent(row: int, at: int, cell: str) -> None:
                places = len(cell.partition(".")[2].rstrip("%"))
                if places not in forms:
                    forms[places] = book.add_format({"num_format": "0." + "0" * places + "%" if places else "0%"})
                number(cell.rstrip("%"), row, at, forms[places], 100)

            return percent
        case "date":
            day = book.add_format({"num_format": "yyyy-mm-dd"})

            def date(row: int, at: int, cell: str) -> None:
                found = datetime.date.fromisoformat(cell)
                if found < _FIRST_DAY:
                    sheet.write_string(row, at, cell)
                else:
                    sheet.write_datetime(row, at, datetime.datetime.combine(found, datetime.time()), day)

            return date
        case "flag":
            return lambda row, at, cell: sheet.write_boolean(row, at, cell == "true")
        case _:
            return text
