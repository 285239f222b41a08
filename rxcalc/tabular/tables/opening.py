"""Which kind of table a file holds: told by its first bytes, then by its name."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from rxcalc.inputs.shown import quoted
from rxcalc.tabular import problems
from rxcalc.tabular.blocks import Source
from rxcalc.tabular.locators import Locator, is_pattern
from rxcalc.tabular.problems import UsageProblem

_PARQUET: Final = frozenset({".parquet", ".pq"})
_REFUSED: Final = {
    ".xls": "an old workbook",
    ".xlsm": "a workbook with macros",
    ".xlsb": "a binary workbook",
    ".ods": "an OpenDocument sheet",
}


def open_table(path: Path, found: Locator) -> Source | UsageProblem | None:
    """The table that a name means; None when it is a file of text, or one for others to refuse."""
    if found.scheme == "duckdb":
        from rxcalc.tabular.tables.duck import open_duckdb

        return open_duckdb(path, found)
    if found.scheme == "sqlite":
        from rxcalc.tabular.tables.sqlite import open_sqlite

        return open_sqlite(path, found)
    file, suffix = found.file, found.file.suffix.lower()
    if not file.exists():
        return _lacking(path) if is_pattern(path) else None
    start = b""
    try:
        if file.is_file():
            with file.open("rb") as opened:
                start = opened.read(16)
    except OSError as error:
        return problems.cannot_read(str(path), error.strerror or str(error))
    if start.startswith(b"PAR1"):
        from rxcalc.tabular.tables.parquet import open_parquet

        return open_parquet(file)
    if start.startswith(b"PARE"):
        return _refused(path, "an encrypted Parquet file", "write it without encryption")
    if start.startswith(b"SQLite format 3\0"):
        return _refused(path, "a SQLite database", f"name the table: sqlite:{path}?table=TABLE, in quotes")
    if start[8:12] == b"DUCK":
        return _refused(path, "a DuckDB database", f"name the table: duckdb:{path}?table=TABLE, in quotes")
    if start.startswith(b"\xd0\xcf\x11\xe0"):
        what = "an encrypted workbook" if suffix == ".xlsx" else "an old workbook"
        return _refused(path, what, "save it as .xlsx without a password, or export it as CSV")
    if suffix in _REFUSED:
        return _refused(path, _REFUSED[suffix], "save it as .xlsx, or export it as CSV")
    if start.startswith(b"PK\x03\x04"):
        from rxcalc.tabular.tables.workbook import open_workbook

        return open_workbook(path, found)
    if suffix in _PARQUET:
        return _refused(path, "no Parquet file", "a file of text ends in .csv or .tsv")
    if suffix == ".xlsx":
        return _refused(path, "no workbook", "a file of text ends in .csv or .tsv")
    return None


def _refused(path: Path, what: str, hint: str) -> UsageProblem:
    return UsageProblem(f"{quoted(str(path), 200)} is {what}", (hint,))


def _lacking(path: Path) -> UsageProblem:
    return UsageProblem(
        f"{quoted(str(path), 200)} is no file", ("give one local file; patterns are not read as several files",)
    )
