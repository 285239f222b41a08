"""Tables of databases as outputs: records put aside are loaded in one transaction, when all other files are ready.

A table appears whole or not at all. A database that was not there before is made under another name and renamed.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

from rxcalc.inputs.shown import quoted
from rxcalc.tabular import problems
from rxcalc.tabular.locators import Locator, locate
from rxcalc.tabular.problems import UsageProblem
from rxcalc.tabular.stage import StagedColumn, staged_columns, staged_rows

_BATCH: Final = 50_000
_NO_EXTENSIONS: Final = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}


class DatabaseError(OSError):
    """Why a table cannot be made."""

    def __init__(self, why: str) -> None:
        super().__init__(5, why)


class _Database(Protocol):
    """A database open for writing. What it raises is a DatabaseError."""

    def lacks(self, name: str) -> bool:
        """Whether there is neither a table nor a view of that name."""

    def begin(self) -> None:
        """Start the one transaction."""

    def load(self, name: str, stage: Path) -> None:
        """A new table with the records put aside."""

    def commit(self) -> None:
        """Everything loaded is there from now on."""

    def close(self) -> None:
        """Let go of the file; what is not committed is undone."""


def check_table(path: Path) -> UsageProblem | None:
    """Why a table cannot be made under that name: it is there already, or the database cannot be written to."""
    found = locate(path)
    if isinstance(found, UsageProblem):
        return found
    folder = found.file.absolute().parent
    if not folder.is_dir():
        return problems.cannot_write(str(path), f"the folder {str(folder)!r} does not exist")
    if found.scheme == "sqlite" and found.part.lower().startswith("sqlite_"):
        return problems.cannot_write(str(path), "names that begin with sqlite_ are the database's own")
    if not found.file.exists():
        return None
    if not found.file.is_file():
        return problems.cannot_write(str(path), "it is no regular file")
    try:
        database = _open(found, found.file)
        try:
            if not database.lacks(found.part):
                return UsageProblem(
                    f"cannot write {quoted(str(path), 200)}: the database has a table {quoted(found.part)} already",
                    ("name another table, or remove that one first",),
                )
        finally:
            database.close()
    except DatabaseError as error:
        return problems.cannot_write(str(path), error.strerror or "")
    return None


@dataclass(slots=True)
class _Open:
    """A database with what is loaded into it: `made` is where a new one is before it gets its name."""

    database: _Database
    file: Path
    made: Path | None


@dataclass(slots=True)
class Loads:
    """The tables that a run makes, by database."""

    _open: dict[str, _Open] = field(default_factory=dict)

    def load(self, path: Path, stage: Path) -> None:
        """Loads a table; nobody sees it yet."""
        found = locate(path)
        if isinstance(found, UsageProblem):
            raise DatabaseError(found.message)
        key = os.path.realpath(found.file)
        if key not in self._open:
            file = Path(key)
            # Beside the rows put aside, in the private folder of the run, so that nothing of it is ever left.
            made = None if file.exists() else stage.with_name(f"{stage.name}.database")
            if made is not None:
                _remove(made)
            self._open[key] = _Open(_open(found, made or file), file, made)
            self._open[key].database.begin()
        database = self._open[key].database
        if not database.lacks(found.part):
            raise DatabaseError(f"the database has a table {quoted(found.part)} by now")
        database.load(found.part, stage)

    def commit(self) -> None:
        """Everything loaded is there from now on."""
        for one in self._open.values():
            one.database.commit()
            one.database.close()
            if one.made is not None:
                one.made.replace(one.file)
        self._open.clear()

    def undo(self) -> None:
        """As if nothing had been loaded; never fails."""
        for one in self._open.values():
            with contextlib.suppress(Exception):
                one.database.close()
            if one.made is not None:
                _remove(one.made)
        self._open.clear()


def has_table(path: Path) -> bool:
    """Whether a table is there. Raises DatabaseError."""
    found = locate(path)
    if isinstance(found, UsageProblem) or not found.file.is_file():
        return False
    database = _open(found, found.file)
    try:
        return not database.lacks(found.part)
    finally:
        database.close()


def _remove(made: Path) -> None:
    """Removes a database that was not to be, with what stands beside it."""
    for suffix in ("", ".wal", "-journal", "-wal", "-shm"):
        with contextlib.suppress(OSError):
            made.with_name(made.name + suffix).unlink(missing_ok=True)


def _open(found: Locator, file: Path) -> _Database:
    return _Duck(file) if found.scheme == "duckdb" else _Sqlite(file)


def _name(text: str) -> str:
    """A name as SQL takes it, whatever it holds."""
    return '"' + text.replace('"', '""') + '"'


def _error(error: Exception) -> DatabaseError:
    said = (str(error) or type(error).__name__).splitlines()[0]
    locked = "lock" in said.lower()
    return DatabaseError(
        f"{quoted(said, 300)}{'; end the program that uses the database, then run again' if locked else ''}"
    )


class _Sqlite:
    """SQLite: amounts are text, since its numbers are binary; counts are whole numbers, flags `yes` and `no`."""

    def __init__(self, file: Path) -> None:
        try:
            self._connection = sqlite3.connect(file.absolute(), isolation_level=None, timeout=2)
            self._connection.execute("PRAGMA trusted_schema=OFF")
            # Takes the lock, and reads the file, so that a file that is no database is found out.
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            self._connection.execute("ROLLBACK")
        except sqlite3.Error as error:
            raise _error(error) from error

    def lacks(self, name: str) -> bool:
        query = "SELECT count(*) FROM sqlite_master WHERE name = ? COLLATE NOCASE"
        with _told(sqlite3.Error):
            return not self._connection.execute(query, (name,)).fetchone()[0]

    def begin(self) -> None:
        with _told(sqlite3.Error):
            self._connection.execute("BEGIN IMMEDIATE")

    def load(self, name: str, stage: Path) -> None:
        columns, _ = staged_columns(stage)
        declared = ", ".join(f"{_name(c.name)} {'INTEGER' if c.type == 'count' else 'TEXT'}" for c in columns)
        insert = f"INSERT INTO {_name(name)} VALUES ({', '.join('?' * len(columns))})"  # noqa: S608 the name is quoted
        with _told(sqlite3.Error), staged_rows(stage) as rows:
            self._connection.execute(f"CREATE TABLE {_name(name)} ({declared})")
            self._connection.executemany(insert, _values(columns, rows))

    def commit(self) -> None:
        with _told(sqlite3.Error):
            self._connection.execute("COMMIT")

    def close(self) -> None:
        self._connection.close()


def _values(columns: Sequence[StagedColumn], rows: Iterable[list[str]]) -> Iterator[list[Any]]:
    """Records as SQLite takes them."""
    flags = [at for at, column in enumerate(columns) if column.type == "flag"]
    for row in rows:
        found: list[Any] = [cell or None for cell in row]
        for at in flags:
            found[at] = {"true": "yes", "false": "no"}.get(row[at])
        yield found


class _Duck:
    """DuckDB: every column has its type."""

    def __init__(self, file: Path) -> None:
        import duckdb

        self._errors = duckdb.Error
        with _told(duckdb.Error, duckdb.IOException):
            self._connection = duckdb.connect(str(file.absolute()), config=dict(_NO_EXTENSIONS))

    def lacks(self, name: str) -> bool:
        schema, table = self._named(name)
        query = "SELECT count(*) FROM information_schema.tables WHERE lower(table_schema) = lower(?) AND lower(table_name) = lower(?) AND table_catalog = current_database()"
        with _told(self._errors):
            found = self._connection.execute(query, [schema, table]).fetchone()
        return found is None or not found[0]

    def _named(self, name: str) -> tuple[str, str]:
        """The schema and table of a name; what stands before a point is a schema where there is one of that name."""
        schema, point, table = name.partition(".")
        query = "SELECT count(*) FROM information_schema.schemata WHERE catalog_name = current_database() AND schema_name = ?"
        with _told(self._errors):
            found = self._connection.execute(query, [schema]).fetchone() if point and table else None
        return (schema, table) if found is not None and found[0] else ("main", name)

    def begin(self) -> None:
        with _told(self._errors):
            self._connection.execute("BEGIN TRANSACTION")

    def load(self, name: str, stage: Path) -> None:
        import polars as pl

        columns, _ = staged_columns(stage)
        schema, table = (_name(part) for part in self._named(name))
        declared = ", ".join(f"{_name(column.name)} {_duck_type(column)}" for column in columns)
        own = {f"c{at}": _polars_type(column) for at, column in enumerate(columns)}
        with _told(self._errors, pl.exceptions.PolarsError):
            self._connection.execute(f"CREATE TABLE {schema}.{table} ({declared})")
            lines = pl.scan_csv(stage, has_header=False, schema=own, skip_lines=1, glob=False, low_memory=True)
            for batch in lines.collect_batches(chunk_size=_BATCH, maintain_order=True) if _any(stage) else ():
                self._connection.register("rx_batch", batch.to_arrow())
                self._connection.execute(f"INSERT INTO {schema}.{table} SELECT * FROM rx_batch")  # noqa: S608 the names are quoted
                self._connection.unregister("rx_batch")

    def commit(self) -> None:
        with _told(self._errors):
            self._connection.execute("COMMIT")

    def close(self) -> None:
        with contextlib.suppress(self._errors):
            self._connection.execute("ROLLBACK")
        self._connection.close()


def _any(stage: Path) -> bool:
    """Whether there is any record."""
    _, start = staged_columns(stage)
    return stage.stat().st_size > start


def _duck_type(column: StagedColumn) -> str:
    match column.type:
        case "decimal":
            return f"DECIMAL({column.digits},{column.decimals})"
        case "count":
            return "BIGINT"
        case "date":
            return "DATE"
        case "flag":
            return "BOOLEAN"
        case _:
            return "VARCHAR"


def _polars_type(column: StagedColumn) -> Any:
    import polars as pl

    match column.type:
        case "decimal":
            return pl.Decimal(column.digits, column.decimals)
        case "count":
            return pl.Int64()
        case "date":
            return pl.Date()
        case "flag":
            return pl.Boolean()
        case _:
            return pl.String()


@contextlib.contextmanager
def _told(*errors: type[Exception]) -> Iterator[None]:
    """What a library raises, told as a DatabaseError."""
    try:
        yield
    except errors as error:
        raise _error(error) from error
