"""Tables of SQLite databases: rows in their own order, every cell with a type of its own."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from rxcalc.inputs.shown import quoted
from rxcalc.inputs.typed import Fault, decimal_text, no_decimal
from rxcalc.tabular import problems
from rxcalc.tabular.blocks import Head, Mark, Raw
from rxcalc.tabular.locators import Locator
from rxcalc.tabular.problems import UsageProblem
from rxcalc.tabular.tables.databases import failed, identifier, matched, no_table, usable
from rxcalc.tabular.tables.passing import SEPARATOR, Cell, Floats, RawRows, TablePass

_CELL: Final = 12
_AT_MOST: Final = 20_000
_SYSTEM: Final = "sqlite_"


@dataclass(frozen=True, slots=True)
class SqliteSource:
    """A table whose columns are known. `query` selects all rows in order."""

    path: Path
    file: Path
    head: Head
    query: str
    rows: int
    floats: Floats = field(default_factory=Floats)

    def assumed(self, inputs: Mapping[str, int]) -> tuple[str, ...]:
        """How binary floating point was read."""
        return tuple(self.floats.told(self.path, inputs))

    def blocks(self, size: int, after: Mark | None = None) -> SqliteReader:
        """The blocks of rows."""
        return SqliteReader(self, size, after)


class SqliteReader(TablePass):
    """Iterates over blocks of as many rows each, in one transaction, so that nobody can change the file meanwhile."""

    failures = (sqlite3.Error,)

    def __init__(self, source: SqliteSource, size: int, after: Mark | None) -> None:
        super().__init__(source.path, source.file, source.head.size, after)
        self._source = source
        self._rows = max(1, min(_AT_MOST, size // (_CELL * len(source.head.names))))

    def _failed(self, error: BaseException) -> UsageProblem:
        return failed(self._source.path, error, "SQLite")

    def _unsound(self) -> UsageProblem | None:
        return usable(self._source.path, self._source.file)

    def _blocks(self) -> Iterator[Raw]:
        with closing(_connected(self._source.file)) as connection:
            connection.execute("BEGIN")
            yield from self._read(connection)

    def _read(self, connection: sqlite3.Connection) -> Iterator[Raw]:
        source, at = self._source, 0
        cursor = connection.execute(source.query)
        while rows := cursor.fetchmany(min(self._rows, self._start - at) if at < self._start else self._rows):
            at += len(rows)
            if at <= self._start:
                for row in rows:
                    for place, cell in enumerate(row):
                        source.floats.note(place, cell)
                continue
            self.bytes_read = source.head.size * at // max(source.rows, at)
            yield RawRows(rows, cell_of, self.mark(at), source.floats)


def open_sqlite(path: Path, found: Locator) -> SqliteSource | UsageProblem:
    """A table, or why it cannot be read."""
    problem = usable(path, found.file)
    if problem is not None:
        return problem
    try:
        size = found.file.stat().st_size
        with closing(_connected(found.file)) as connection:
            return _table(path, found, connection, size)
    except OSError as error:
        return problems.cannot_read(str(path), error.strerror or str(error))
    except sqlite3.Error as error:
        return failed(path, error, "SQLite")


def cell_of(given: Any) -> Cell:
    """A value as the text that would stand for it in a file of text, or what it is refused for."""
    if isinstance(given, float):
        text = decimal_text(given)
        return (repr(given), no_decimal(given)) if text is None else text
    if isinstance(given, _Undecodable):
        shown = given.decode(errors="backslashreplace")
        return shown, Fault("RX742", f"the cell {quoted(shown)} holds bytes that are not UTF-8; store the text anew")
    if isinstance(given, bytes):
        return given.hex(), Fault("RX747", "the cell holds bytes; store the column as text or numbers")
    return str(given)


class _Undecodable(bytes):
    """A text that is not UTF-8."""

    __slots__ = ()


def _text(data: bytes) -> str | bytes:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return _Undecodable(data)


def _connected(file: Path) -> sqlite3.Connection:
    """A connection that can only read. Extensions are never loaded."""
    uri = f"file:{quote(str(file.absolute()))}?mode=ro"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=2)
    connection.text_factory = _text
    connection.execute("PRAGMA trusted_schema=OFF")
    connection.execute("PRAGMA query_only=ON")
    return connection


def _table(path: Path, found: Locator, connection: sqlite3.Connection, size: int) -> SqliteSource | UsageProblem:
    listed = connection.execute("SELECT name, type, sql FROM sqlite_master WHERE type IN ('table', 'view')").fetchall()
    made = {str(name): str(sql or "") for name, kind, sql in listed if kind == "table"}
    tables = sorted(name for name in made if not name.startswith(_SYSTEM))
    views = [str(name) for name, kind, _ in listed if kind == "view"]
    chosen = matched(found.part, [("main", name) for name in tables], "main")
    if chosen is None:
        return no_table(path, found.part, tables, views)
    table = chosen[1]
    if made[table].lstrip().upper().startswith("CREATE VIRTUAL"):
        return UsageProblem(
            f"{quoted(table)} of {quoted(str(path), 200)} is a virtual table", ("copy its rows to a table",)
        )
    named = identifier(table)
    names = tuple(str(column[1]) for column in connection.execute(f"PRAGMA table_xinfo({named})") if column[6] != 1)
    taken = {name.lower() for name in names}
    own = next((name for name in ("rowid", "_rowid_", "oid") if name not in taken), "")
    try:
        connection.execute(f"SELECT {own} FROM {named} LIMIT 1")  # noqa: S608 the name is the catalogue's, quoted
        order = f" ORDER BY {own}" if own else ""
    except sqlite3.OperationalError:
        order = ""  # a table without row numbers is kept in the order of its key
    columns = ", ".join(identifier(name) for name in names)
    rows = int(connection.execute(f"SELECT count(*) FROM {named}").fetchone()[0])  # noqa: S608 as above
    query = f"SELECT {columns} FROM {named}{order}"  # noqa: S608 as above
    return SqliteSource(path, found.file, Head(names, SEPARATOR, 1, size), query, rows)
