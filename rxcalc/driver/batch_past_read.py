"""The files of earlier results read: put aside in parts as the episodes of the run are, and held against them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import polars as pl

from rxcalc.driver.batch_blocks import in_order
from rxcalc.driver.batch_past import Past, PastFile, PastRead
from rxcalc.driver.batch_read import MainRead, Places
from rxcalc.inputs.tables import ROW
from rxcalc.tabular import problems
from rxcalc.tabular.blocks import Raw
from rxcalc.tabular.judging import ID, Judged
from rxcalc.tabular.parts import PARTS, Parts, part_of
from rxcalc.tabular.problems import UsageProblem
from rxcalc.tabular.summary import FileFacts, facts_of

_FILE = "__file"  # 0 is the file of the run, then the earlier ones in their order


@dataclass(frozen=True, slots=True)
class PastHeld:
    """A file of earlier results: its rows in parts."""

    file: PastFile
    rows: Parts
    places: Places
    facts: FileFacts


@dataclass(frozen=True, slots=True)
class PastParts:
    """All earlier results, of which a part can be taken."""

    held: tuple[PastHeld, ...] = ()

    def part(self, chosen: Sequence[int]) -> Past:
        """The episodes of some parts, of each file in its order."""
        return Past(tuple(PastRead(of.file, _ordered(of.rows.read(chosen)), of.places, of.facts) for of in self.held))

    def order(self, name: str) -> int:
        """The place of a file among them."""
        return [of.file.path.name for of in self.held].index(name)


def _ordered(frame: pl.DataFrame) -> pl.DataFrame:
    return frame if frame.get_column(ROW).is_sorted() else frame.sort(ROW)


@dataclass(slots=True)
class _Ids:
    """The ids of all episodes, to find those that stand twice."""

    parts: Parts
    _files: list[tuple[str, Places]] = field(default_factory=list)

    def add(self, name: str, places: Places, frames: Iterable[pl.DataFrame]) -> None:
        """The next file."""
        number = pl.lit(len(self._files), pl.UInt16).alias(_FILE)
        for frame in frames:
            self.parts.add(frame.filter(pl.col(ID).is_not_null()).select(ID, ROW, number))
        self._files.append((name, places))

    def twice(self) -> UsageProblem | None:
        """The first episode of which an earlier result stands in two places, or whose result was issued before."""
        self.parts.seal()
        first: tuple[tuple[int, int], tuple[int, int], str] | None = None
        for part in range(PARTS):
            frame = self.parts.read((part,))
            doubled = frame.filter(frame.get_column(ID).is_duplicated()).sort(ID, _FILE, ROW)
            # The run's own doubled ids are refused record by record; here one of the two is an earlier result.
            before = doubled.with_columns(pl.col(_FILE, ROW).shift(1).over(ID).name.suffix("_before"))
            found = before.filter((pl.col(_FILE) > 0) & pl.col(f"{_FILE}_before").is_not_null())
            for name, file, row, other, place in found.select(
                ID, _FILE, ROW, f"{_FILE}_before", f"{ROW}_before"
            ).iter_rows():
                if first is None or ((other, place), (file, row)) < first[:2]:
                    first = (other, place), (file, row), name
        if first is None:
            return None
        there, here = (self._told(*at) for at in first[:2])
        return problems.twice_given(first[2], there, here)

    def _told(self, file: int, row: int) -> str:
        name, places = self._files[file]
        return f"line {places.line(row)} of {name}"


def read_past(
    files: Sequence[PastFile], main: MainRead, by: str, parts: Callable[[str, pl.Expr], Parts]
) -> PastParts | UsageProblem:
    """All earlier results, in parts by `by`; refused when a row cannot be read, or an episode stands in two files."""
    if not files:
        return PastParts()
    ids = _Ids(parts("earlier-ids", part_of(pl.col(ID))))
    ids.add(main.name, main.places, main.parts.pieces())
    held: list[PastHeld] = []
    for at, file in enumerate(files):
        read = _read(file, parts(f"earlier-{at}", part_of(pl.col(by))))
        if isinstance(read, UsageProblem):
            return read
        ids.add(file.path.name, read.places, read.rows.pieces())
        held.append(read)
    return ids.twice() or PastParts(tuple(held))


def _read(file: PastFile, rows: Parts) -> PastHeld | UsageProblem:
    job = file.job
    reader = job.source.blocks(job.options.block)
    places = Places(next_line=job.head.line)
    # A column that the file does not have says nothing; an input that somebody reads is missing, or its default.
    unread = [name for name in job.columns.absent if name not in file.absent]

    def work(_: int, raw: Raw) -> Judged:
        return job.judged(raw)

    for judged in in_order(reader, work, job.options.threads):
        base = places.records
        places.add(judged)
        if judged.refused:
            row = min(judged.refused)
            return problems.unreadable_row(str(file.path), places.line(base + row), judged.refused[row][0].message)
        rows.add(judged.good_frame().with_columns(pl.col(ROW) + base).drop(unread))
    if reader.problem is not None:
        return reader.problem
    texts = pl.DataFrame(schema=dict.fromkeys(job.columns.inputs, pl.String))
    rows.add(job.tables.read(texts).frame.drop(unread))
    rows.seal()
    return PastHeld(file, rows, places, facts_of(job.source, reader.bytes_read, reader.digest))
