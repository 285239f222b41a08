"""What every kind of input file is read as: a head, then blocks of records, each block in its turn columns of cells."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import polars as pl

from rxcalc.inputs.tables import Shape
from rxcalc.inputs.typed import Faults, as_text, texts_of
from rxcalc.tabular.problems import UsageProblem
from rxcalc.tabular.records import Record


@dataclass(frozen=True, slots=True)
class Head:
    """What a file says of itself. `size` is its size in the measure of `Blocks.bytes_read`, for progress."""

    names: tuple[str, ...]
    separator: str  # of the records as text, also where the file itself has none
    line: int  # on which the first record after the header starts
    size: int
    start: int = 0  # of text: the offset of the first record after the header
    encoding: str = ""  # of text
    packing: str = ""  # how the file is compressed
    notes: tuple[str, ...] = ()  # what whoever gave the file should know about how it is read


@dataclass(frozen=True, slots=True)
class Mark:
    """The end of a block: where reading may go on. `check` says what was read up to there (a hash, or "")."""

    at: int
    check: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """The records of a block.

    `fields` has one column per header column, named by position ("0", "1" ..): of texts, an empty
    cell null; or, in a `table`, of the file's own types. When every record has a `shape`, its columns are
    those of the shape's schema. `lines` is each record's raw text (of files without lines nothing but their number),
    and `echo` says that it may be copied to a result as it stands. Lines are counted from 0 within
    the block, so that blocks can be read before those ahead of them: `numbers` are the lines on which
    records start (None: one line each), `height` the lines of the block. `bad` are records whose fields
    cannot be trusted. With `other`, `fields` holds only the records of the shape. `faults` are cells of text that are
    refused whatever their text, by the name of the column. `rest` reads the columns that were left out of `fields`,
    since only refused records need them.
    """

    fields: pl.DataFrame
    lines: pl.Series
    echo: bool
    numbers: Sequence[int] | None
    height: int
    bad: tuple[tuple[int, Record], ...]
    separator: str
    shape: Shape | None = None
    other: Other | None = None
    table: bool = False
    faults: Faults = field(default_factory=dict)
    rest: Callable[[], pl.DataFrame] | None = None

    @property
    def records(self) -> int:
        """How many records the block has."""
        return self.lines.len()

    def texts(self, rows: Sequence[int]) -> Iterator[Sequence[str | None]]:
        """The fields of some records as text."""
        if self.shape is None:
            fields = self.fields[list(rows)]
            if self.rest is not None:
                fields = fields.hstack(self.rest()[list(rows)])
                fields = fields.select(str(at) for at in range(fields.width))
            return (as_text(fields) if self.table else fields).iter_rows()
        return (_cells(line, self.separator) for line in self.raw(rows))

    def raw(self, rows: Sequence[int]) -> list[str]:
        """Some records as they stood; of files without lines as a line of their cells."""
        if self.lines.dtype == pl.Null:
            return [_line(fields, self.separator) for fields in self.texts(rows)]
        return [line or "" for line in self.lines.gather(list(rows)).to_list()]

    def as_texts(self) -> Block:
        """The block with every cell as text."""
        if not self.table:
            return self
        found = [(name, texts_of(cells)) for name, cells in zip(self.fields.columns, self.fields, strict=True)]
        fields = pl.DataFrame([texts for _, (texts, _) in found])
        return replace(self, fields=fields, table=False, faults={name: faults for name, (_, faults) in found if faults})

    def line(self, row: int) -> int:
        """The line of the block (from 0) on which a record starts."""
        return self.numbers[row] if self.numbers is not None else row


@dataclass(frozen=True, slots=True)
class Other:
    """The records of a block that do not have its shape: their places, theirs of the rest, and they as a block of text."""

    rows: pl.Series
    rest: pl.Series
    block: Block


def _line(fields: Sequence[str | None], separator: str) -> str:
    """Cells as a record of separated values."""
    return separator.join(_quoted(field or "", separator) for field in fields)


def _quoted(text: str, separator: str) -> str:
    needs = any(char in text for char in (separator, '"', "\r", "\n"))
    return '"' + text.replace('"', '""') + '"' if needs else text


def _cells(line: str, separator: str) -> list[str | None]:
    return [cell or None for cell in line.split(separator)]


class Raw(Protocol):
    """A block as it comes from the file; several may be read at the same time."""

    @property
    def mark(self) -> Mark: ...  # noqa: D102 a field

    def read(self, head: Head, shape: Shape | None = None) -> Block:
        """The records. A block is read by its `shape` only where that is sure to lose nothing."""


class Blocks(Protocol):
    """One pass through a file. `problem` is set when it ends early."""

    problem: UsageProblem | None
    bytes_read: int

    @property
    def digest(self) -> str:
        """SHA-256 of the file's bytes read so far; of the whole file after the last block."""

    def __iter__(self) -> Iterator[Raw]: ...


class Source(Protocol):
    """A file of records whose head has been read."""

    @property
    def path(self) -> Path: ...  # noqa: D102 a field
    @property
    def head(self) -> Head: ...  # noqa: D102 a field

    def assumed(self, inputs: Mapping[str, int]) -> tuple[str, ...]:
        """What was taken for granted about the cells read so far; `inputs` are those read, by the position of their columns."""

    def blocks(self, size: int, after: Mark | None = None) -> Blocks:
        """The blocks of about `size` bytes, from the first record on, or those after a mark of an earlier pass.

        Two passes with the same `size` give the same blocks.
        """
