"""What passes through all files of tables share: the hash of the file beside the reading, blocks of rows, cells as text."""

from __future__ import annotations

import hashlib
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final, TypeAlias

import polars as pl

from rxcalc.inputs.cells import CellProblem
from rxcalc.inputs.shown import quoted
from rxcalc.inputs.tables import Shape
from rxcalc.inputs.typed import Fault, filled
from rxcalc.tabular import problems
from rxcalc.tabular.blocks import Block, Head, Mark, Raw
from rxcalc.tabular.problems import UsageProblem
from rxcalc.tabular.records import Record

SEPARATOR: Final = ","  # of records as text
_CHUNK: Final = 1 << 20
_EDGE: Final = 1 << 16
_TEXTS: Final = frozenset({str, type(None)})

Cell: TypeAlias = "str | tuple[str, Fault] | None"
"""A cell of a file whose cells have types of their own: its text, or its text and why it is refused."""


class FileHash:
    """SHA-256 of a file's bytes, on a thread of its own, and whether the file stayed as it was meanwhile."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._hash = hashlib.sha256()
        self._before = _look(path)
        self._stop = False
        self._error: OSError | None = None
        self._thread = threading.Thread(target=self._run, name="rxcalc-hash", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            with self._path.open("rb", buffering=0) as file:
                while not self._stop and (data := file.read(_CHUNK)):
                    self._hash.update(data)
        except OSError as error:
            self._error = error

    def digest(self) -> str:
        """The hash of the whole file; waits for it."""
        self._thread.join()
        return self._hash.hexdigest()

    def problem(self) -> UsageProblem | None:
        """Why the file cannot be trusted, after a pass through it."""
        self._thread.join()
        if self._error is not None:
            return problems.cannot_read(str(self._path), self._error.strerror or str(self._error))
        return problems.changed_file(str(self._path)) if _look(self._path) != self._before else None

    def stop(self) -> None:
        """A pass that ends early needs no hash."""
        self._stop = True
        self._thread.join()


class TablePass(ABC):
    """One pass through a table. `bytes_read` is what share of the rows has been read, in bytes of the file."""

    failures: tuple[type[BaseException], ...] = ()  # what reading raises when the file is damaged

    def __init__(self, path: Path, file: Path, size: int, after: Mark | None) -> None:
        self._path = path
        self._file = file
        self._size = size
        self._after = after
        self._start = after.at if after is not None else 0
        self._hash: FileHash | None = None
        self._check = ""
        self.bytes_read = 0
        self.problem: UsageProblem | None = None

    @property
    def digest(self) -> str:
        """SHA-256 of the file."""
        return self._hash.digest() if self._hash is not None else ""

    def __iter__(self) -> Iterator[Raw]:
        """The blocks in order; stops early with `problem` set when the file cannot be read on."""
        whole = False
        try:
            self._check = _fingerprint(self._file)
            if self._after is not None and self._after.check not in {"", self._check}:
                self.problem = problems.changed_file(str(self._path))
                return
            self._hash = FileHash(self._file)
            yield from self._blocks()
            whole = self.problem is None
            if whole:
                self.problem = self._hash.problem() or self._unsound()
        except OSError as error:
            self.problem = problems.cannot_read(str(self._path), error.strerror or str(error))
        except self.failures as error:
            self.problem = self._failed(error)
        finally:
            if not whole and self._hash is not None:
                self._hash.stop()
        if whole:
            self.bytes_read = self._size

    def mark(self, at: int) -> Mark:
        """The end of a block after so many rows."""
        return Mark(at, self._check)

    @abstractmethod
    def _blocks(self) -> Iterator[Raw]:
        """The blocks after `_start` rows."""

    @abstractmethod
    def _failed(self, error: BaseException) -> UsageProblem:
        """What one of the `failures` means."""

    def _unsound(self) -> UsageProblem | None:
        """What else can be wrong after the last block."""
        return None


def _fingerprint(file: Path) -> str:
    """Short proof that a file is still the one of an earlier pass.

    All these files hold sums, sizes or counters of changes at their start or end.
    """
    with file.open("rb", buffering=0) as opened:
        size = opened.seek(0, 2)
        opened.seek(0)
        found = hashlib.sha256(opened.read(_EDGE))
        opened.seek(max(0, size - _EDGE))
        found.update(opened.read(_EDGE))
    return f"{size}:{found.hexdigest()}"


def _look(path: Path) -> tuple[int, ...]:
    try:
        found = path.stat()
    except OSError:
        return ()
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)


@dataclass(slots=True)
class Floats:
    """The columns in which binary floating point numbers were met, by position."""

    seen: set[int] = field(default_factory=set)

    def note(self, at: int, given: object) -> None:
        """Take a value (or a sheet's cell) of a column."""
        if type(given) is float or type(getattr(given, "value", None)) is float:
            self.seen.add(at)

    def told(self, path: Path, inputs: Mapping[str, int], digits: int = 15) -> Iterator[str]:
        """How they were read, input by input."""
        for name, at in inputs.items():
            if at in self.seen:
                yield (
                    f"{name}: binary floating point in {path.name}, each read as the decimal of at most {digits} digits "
                    "that it stands for"
                )


@dataclass(frozen=True, slots=True)
class RawFrame:
    """Rows with the file's own types, their columns named by position."""

    frame: pl.DataFrame
    mark: Mark
    rest: Callable[[], pl.DataFrame] | None = None  # columns left out

    def read(self, head: Head, shape: Shape | None = None) -> Block:  # noqa: ARG002 a shape is one of text
        """The rows as a block."""
        frame = self.frame
        lines = pl.Series("", [None], dtype=pl.Null).new_from_index(0, frame.height)
        return Block(
            frame,
            lines,
            echo=False,
            numbers=None,
            height=frame.height,
            bad=(),
            separator=head.separator,
            table=True,
            rest=self.rest,
        )


@dataclass(frozen=True, slots=True)
class RawRows:
    """Rows of cells, each of its own type; `first` is the place of the first column in them."""

    rows: Sequence[Sequence[object]]
    write: Callable[[Any], Cell]
    mark: Mark
    floats: Floats
    first: int = 0

    def read(self, head: Head, shape: Shape | None = None) -> Block:  # noqa: ARG002 a shape is one of text
        """The rows as a block of texts."""
        width, height = len(head.names), len(self.rows)
        columns = [pl.Series(str(at), [None], dtype=pl.String).new_from_index(0, height) for at in range(width)]
        faults: dict[str, dict[int, Fault]] = {}
        bad: dict[int, Record] = {}
        for place, given in enumerate(zip_longest(*self.rows)):
            at = place - self.first
            texts, own = self._texts(at, given)
            if not 0 <= at < width:
                for number, cell in enumerate(texts):
                    if cell is not None:
                        bad.setdefault(number, _outside(number, cell))
                continue
            columns[at] = filled(pl.Series(str(at), texts, dtype=pl.String))
            if own:
                faults[str(at)] = own
            bad.update((row, nul_in(row)) for row in columns[at].str.contains("\0", literal=True).arg_true().to_list())
        return Block(
            pl.DataFrame(columns),
            pl.Series("", [None], dtype=pl.Null).new_from_index(0, height),
            echo=False,
            numbers=None,
            height=height,
            bad=tuple(bad.items()),
            separator=head.separator,
            faults=faults,
        )

    def _texts(self, at: int, given: Sequence[Any]) -> tuple[Sequence[str | None], dict[int, Fault]]:
        """The cells of a column as texts, and those refused whatever their text."""
        if set(map(type, given)) <= _TEXTS:
            return given, {}
        texts: list[str | None] = []
        faults: dict[int, Fault] = {}
        for number, value in enumerate(given):
            cell = value if value is None or type(value) is str else self.write(value)
            if at not in self.floats.seen:
                self.floats.note(at, value)
            if isinstance(cell, tuple):
                cell, faults[number] = cell
            texts.append(cell)
        return texts, faults


def _outside(row: int, text: str) -> Record:
    message = f"the row holds {quoted(text)} outside the columns that the header names; move or remove it"
    return Record(row, "", (), CellProblem("RX741", "", text, message))


def nul_in(row: int) -> Record:
    """A record that is refused for a NUL."""
    message = "the record holds a NUL character; remove it"
    return Record(row, "", (), CellProblem("RX743", "", "\\x00", message))
