"""Tables of DuckDB databases: columns with the database's own types, in the order in which the rows were put in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

from rxcalc.tabular import problems
from rxcalc.tabular.blocks import Head, Mark, Raw
from rxcalc.tabular.locators import Locator
from rxcalc.tabular.problems import UsageProblem
from rxcalc.tabular.tables.databases import failed, identifier, matched, no_table, usable
from rxcalc.tabular.tables.passing import SEPARATOR, Floats, RawFrame, TablePass

if TYPE_CHECKING:
    import duckdb

_CELL: Final = 9
_AT_MOST: Final = 1 << 17
_AT_ONCE: Final = 1 << 16
_FLOATS: Final = ("DOUBLE", "FLOAT")
# What Arrow holds exactly, or what is refused cell by cell; all else is read as the database writes it.
_PLAIN: Final = (
    "BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "DECIMAL",
    "VARCHAR", "DATE", "TIMESTAMP", "BLOB", *_FLOATS,
)  # fmt: skip
_SETTINGS: Final[dict[str, str | bool | int | float | list[str]]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "enable_external_access": False,
    "preserve_insertion_order": True,
    "memory_limit": "512MB",
    "lock_configuration": True,
}


@dataclass(frozen=True, slots=True)
class DuckSource:
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

    def blocks(self, size: int, after: Mark | None = None) -> DuckReader:
        """The blocks of rows."""
        return DuckReader(self, size, after)


class DuckReader(TablePass):
    """Iterates over blocks of as many rows each. While the database is open here, nobody can write to it."""

    def __init__(self, source: DuckSource, size: int, after: Mark | None) -> None:
        import duckdb

        super().__init__(source.path, source.file, source.head.size, after)
        self.failures = (duckdb.Error, pl.exceptions.PolarsError)
        self._source = source
        self._rows = max(1, min(_AT_MOST, size // (_CELL * len(source.head.names))))

    def _failed(self, error: BaseException) -> UsageProblem:
        return failed(self._source.path, error, "DuckDB")

    def _unsound(self) -> UsageProblem | None:
        return usable(self._source.path, self._source.file)

    def _blocks(self) -> Iterator[Raw]:
        with closing(_connected(self._source.file)) as connection:
            yield from self._read(connection)

    def _read(self, connection: duckdb.DuckDBPyConnection) -> Iterator[Raw]:
        source, at = self._source, self._start
        names = [str(number) for number in range(len(source.head.names))]
        query = f"{source.query} OFFSET {at}" if at else source.query
        rest: pl.DataFrame | None = None
        for batch in connection.sql(query).to_arrow_reader(_AT_ONCE):
            frame = pl.DataFrame(pl.from_arrow(batch))
            frame.columns = names
            rest = frame if rest is None else pl.concat([rest, frame])
            while rest.height >= self._rows:
                at += self._rows
                yield self._block(rest[: self._rows], at)
                rest = rest[self._rows :]
        if rest is not None and rest.height:
            yield self._block(rest, at + rest.height)

    def _block(self, frame: pl.DataFrame, at: int) -> RawFrame:
        self.bytes_read = self._source.head.size * at // max(self._source.rows, at)
        return RawFrame(frame.rechunk(), self.mark(at))


def open_duckdb(path: Path, found: Locator) -> DuckSource | UsageProblem:
    """A table, or why it cannot be read."""
    import duckdb

    problem = usable(path, found.file)
    if problem is not None:
        return problem
    try:
        with found.file.open("rb") as opened:
            if opened.read(12)[8:] != b"DUCK":  # other files it would open as tables of their own
                return failed(path, ValueError("the file is no DuckDB database"), "DuckDB")
        size = found.file.stat().st_size
        with closing(_connected(found.file)) as connection:
            return _table(path, found, connection, size)
    except OSError as error:
        return problems.cannot_read(str(path), error.strerror or str(error))
    except duckdb.Error as error:
        return failed(path, error, "DuckDB")


def _connected(file: Path) -> duckdb.DuckDBPyConnection:
    """A connection that can read this one file."""
    import duckdb

    return duckdb.connect(str(file.absolute()), read_only=True, config=_SETTINGS)


def _table(path: Path, found: Locator, connection: duckdb.DuckDBPyConnection, size: int) -> DuckSource | UsageProblem:
    own = "database_name = current_database() AND NOT internal"
    tables = [
        (str(schema), str(name))
        for schema, name in connection.execute(
            f"SELECT schema_name, table_name FROM duckdb_tables() WHERE {own} ORDER BY ALL"  # noqa: S608 no name in it
        ).fetchall()
    ]
    views = connection.execute(
        f"SELECT schema_name, view_name FROM duckdb_views() WHERE {own} ORDER BY ALL"  # noqa: S608 as above
    ).fetchall()
    chosen = matched(found.part, tables, "main")
    if chosen is None:
        shown = [name if schema == "main" else f"{schema}.{name}" for schema, name in tables]
        return no_table(path, found.part, shown, [name if s == "main" else f"{s}.{name}" for s, name in views])
    columns = [
        (str(name), str(kind))
        for name, kind in connection.execute(
            f"SELECT column_name, data_type FROM duckdb_columns() WHERE {own} AND schema_name = ? AND table_name = ? "  # noqa: S608 as above
            "ORDER BY column_index",
            list(chosen),
        ).fetchall()
    ]
    named = f"{identifier(chosen[0])}.{identifier(chosen[1])}"
    counted = connection.execute(f"SELECT count(*) FROM {named}").fetchone()  # noqa: S608 the catalogue's, quoted
    rows = int(counted[0]) if counted is not None else 0
    query = f"SELECT {', '.join(_read(name, kind) for name, kind in columns)} FROM {named}"  # noqa: S608 as above
    head = Head(tuple(name for name, _ in columns), SEPARATOR, 1, size)
    floats = {at for at, (_, kind) in enumerate(columns) if kind in _FLOATS}
    return DuckSource(path, found.file, head, query, rows, Floats(floats))


def _read(name: str, kind: str) -> str:
    """A column as it is selected."""
    column = identifier(name)
    nested = kind.endswith("]") or kind.startswith(("STRUCT", "MAP", "UNION"))
    if nested or kind.partition("(")[0] in _PLAIN or kind.startswith("TIMESTAMP"):
        return column
    return f"CAST({column} AS VARCHAR) AS {column}"
