"""Parquet files: slices of columns with the file's own types."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Final

import polars as pl
from polars import selectors

from rxcalc.inputs.shown import quoted
from rxcalc.tabular import problems
from rxcalc.tabular.blocks import Head, Mark, Raw
from rxcalc.tabular.problems import UsageProblem
from rxcalc.tabular.tables.passing import SEPARATOR, Floats, RawFrame, TablePass

_CELL: Final = 5  # bytes a cell takes; blocks of rows weigh about what blocks of text do
_MOST: Final = 1 << 18
_FAILURES: Final = (pl.exceptions.PolarsError, pl.exceptions.PanicException)


@dataclass(frozen=True, slots=True)
class ParquetSource:
    """A Parquet file whose schema has been read."""

    path: Path
    head: Head
    rows: int
    floats: Floats = field(default_factory=Floats)
    only: tuple[int, ...] = ()  # the columns read at once; (): all

    def narrowed(self, columns: Collection[int]) -> ParquetSource:
        """The same file, of which columns that are seldom needed are read on demand."""
        wanted = tuple(sorted(set(columns)))
        return replace(self, only=wanted if len(wanted) < len(self.head.names) else ())

    def assumed(self, inputs: Mapping[str, int]) -> tuple[str, ...]:
        """How binary floating point was read."""
        return tuple(self.floats.told(self.path, inputs))

    def blocks(self, size: int, after: Mark | None = None) -> ParquetReader:
        """The blocks of rows."""
        return ParquetReader(self, size, after)


def open_parquet(path: Path) -> ParquetSource | UsageProblem:
    """A Parquet file, or why it cannot be read at all."""
    try:
        size = path.stat().st_size
        scan = _scan(path)
        schema = scan.collect_schema()
        rows = int(scan.select(pl.len()).collect().item())
    except OSError as error:
        return problems.cannot_read(str(path), error.strerror or str(error))
    except _FAILURES as error:
        return _damaged(path, error)
    if not schema:
        return problems.empty_file(str(path))
    names = tuple(schema)
    floats = {at for at, dtype in enumerate(schema.values()) if dtype.is_float()}
    return ParquetSource(path, Head(names, SEPARATOR, 1, size), rows, Floats(floats))


class ParquetReader(TablePass):
    """Iterates over blocks of as many rows each."""

    failures = _FAILURES

    def __init__(self, source: ParquetSource, size: int, after: Mark | None) -> None:
        super().__init__(source.path, source.path, source.head.size, after)
        self._source = source
        width = len(source.head.names)
        # Long texts: what they take is told by the file's size.
        row = max(_CELL * width, 2 * source.head.size // max(1, source.rows))
        self._rows = max(1, min(_MOST, size // row))

    def _failed(self, error: BaseException) -> UsageProblem:
        return _damaged(self._source.path, error)

    def _blocks(self) -> Iterator[Raw]:
        source, at = self._source, self._start
        every = range(len(source.head.names))
        columns = source.only or tuple(every)
        others = tuple(number for number in every if number not in source.only) if source.only else ()
        scan = _scan(source.path)
        if at:
            scan = scan.slice(at)
        for frame in _only(scan, columns).collect_batches(chunk_size=self._rows, maintain_order=True):
            if not frame.height:
                continue
            rest = partial(_slice, source.path, others, at, frame.height) if others else None
            at += frame.height
            self.bytes_read = source.head.size * at // max(1, source.rows)
            yield RawFrame(_named(frame, columns), self.mark(at), rest)
        if at != source.rows:
            self.problem = problems.changed_file(str(source.path))


def _scan(path: Path) -> pl.LazyFrame:
    return pl.scan_parquet(path.absolute(), glob=False, hive_partitioning=False, use_statistics=False)


def _only(scan: pl.LazyFrame, columns: Sequence[int]) -> pl.LazyFrame:
    """Some columns by their places: a name may look like a pattern of names."""
    return scan.select(selectors.by_index(*columns))


def _named(frame: pl.DataFrame, columns: Sequence[int]) -> pl.DataFrame:
    frame.columns = [str(number) for number in columns]
    return frame


def _slice(path: Path, columns: Sequence[int], start: int, height: int) -> pl.DataFrame:
    """The columns left out of a block. The pass notices at its end where the file has changed since."""
    return _named(_only(_scan(path).slice(start, height), columns).collect(), columns)


def _damaged(path: Path, error: BaseException) -> UsageProblem:
    return UsageProblem(
        f"{quoted(str(path), 200)} cannot be read as Parquet: {quoted(str(error).splitlines()[0], 200)}",
        ("write the file anew; encrypted files and types unknown here are refused",),
    )
