"""Everything of a file read before anything of it is computed: for plans whose episodes look at each other."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import polars as pl

from rxcalc.driver.batch_blocks import Job, in_order
from rxcalc.inputs.tables import ROW
from rxcalc.passes.sequence import placing_fields
from rxcalc.tabular.blocks import Raw
from rxcalc.tabular.duplicates import Ids, confirm
from rxcalc.tabular.judging import ID, Judged
from rxcalc.tabular.problems import UsageProblem
from rxcalc.tabular.progress import Progress

BAD = "__bad"
UNPLACED = "__key_unreadable"

Duplicates = Mapping[int, Mapping[int, int]]
"""Per block: row to the line where its id stands too."""


@dataclass(slots=True)
class Places:
    """Where the records of a file stand: per block its first record (`bases`), first line, and the lines in it."""

    bases: list[int] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    numbers: list[Sequence[int] | None] = field(default_factory=list)
    records: int = 0
    next_line: int = 0

    def add(self, judged: Judged) -> None:
        """Take the next block."""
        self.bases.append(self.records)
        self.starts.append(self.next_line)
        self.numbers.append(judged.block.numbers)
        self.records += judged.records
        self.next_line += judged.block.height

    def block(self, record: int) -> int:
        """The block that holds a record."""
        return bisect_right(self.bases, record) - 1

    def line(self, record: int) -> int:
        """The line of the file on which a record starts."""
        at = self.block(record)
        lines, shift = self.numbers[at], record - self.bases[at]
        return self.starts[at] + (lines[shift] if lines is not None else shift)


@dataclass(frozen=True, slots=True)
class MainRead:
    """The file of episodes as typed columns.

    `frame` holds every data row with `__row` (its record in the file), `__bad` for those refused and
    `__key_unreadable` for those of which nobody knows which later ones could read them. `unknown` counts rows
    whose sequence cannot be read. `refused` are records refused as they were
    read, with the first code.
    """

    name: str
    frame: pl.DataFrame
    places: Places
    duplicates: Duplicates
    refused: Mapping[int, str]
    unknown: int
    digest: str


def read_main(job: Job, progress: Progress) -> MainRead | UsageProblem:
    """All rows read and judged."""
    sequence = job.plan.sequence
    by = sequence.by if sequence is not None else ""
    reader = job.source.blocks(job.options.block)
    frames: list[pl.DataFrame] = []
    places = Places(next_line=job.head.line)
    refused: dict[int, str] = {}
    ids = Ids()
    unknown = 0
    keys = placing_fields(job.plan)

    def work(_: int, raw: Raw) -> tuple[pl.DataFrame, Judged]:
        judged = job.judged(raw)
        return _with_keys(judged.data_frame(), judged, by, keys), judged

    for frame, judged in in_order(reader, work, job.options.threads):
        base = places.records
        refused.update((base + row, found[0].code) for row, found in judged.refused.items())
        places.add(judged)
        ids.add(judged)
        if by:
            unknown += frame.get_column(by).null_count()
        frames.append(frame.with_columns(pl.col(ROW) + base))
        progress.update(reader.bytes_read // 2, job.head.size, places.records)
    if reader.problem is not None:
        return reader.problem
    doubles = duplicates(job, ids, places.starts)
    if not frames:
        frames.append(_empty(job))
    frame = pl.concat(frames)
    frames.clear()
    doubled = [places.bases[block] + row for block, rows in doubles.items() for row in rows]
    if doubled:
        frame = frame.with_columns(pl.col(BAD) | pl.col(ROW).is_in(doubled))
        refused.update(dict.fromkeys(doubled, "RX744"))
    return MainRead(job.options.episodes.name, frame, places, doubles, refused, unknown, reader.digest)


@dataclass(slots=True)
class Kept:
    """The typed rows of blocks that are computed as they come."""

    frames: list[pl.DataFrame] = field(default_factory=list)
    records: int = 0

    def add(self, judged: Judged) -> None:
        """Take the next block."""
        self.frames.append(judged.data_frame().with_columns(pl.col(ROW) + self.records))
        self.records += judged.records

    def frame(self, job: Job) -> pl.DataFrame:
        """All rows, which are not kept here any longer."""
        frame = pl.concat(self.frames) if self.frames else _empty(job)
        self.frames.clear()
        return frame


def duplicates(job: Job, ids: Ids, starts: Sequence[int]) -> dict[int, dict[int, int]]:
    """The rows whose id stands elsewhere too, confirmed on the ids themselves."""
    suspects = ids.suspects()
    if not suspects:
        return {}
    blocks = job.source.blocks(job.options.block)
    return confirm(
        suspects,
        (
            (number, starts[number], partial(job.judged, raw))
            for number, raw in enumerate(blocks)
            if number < len(starts)
        ),
    )


def known_ids(read: MainRead) -> tuple[pl.Series, pl.Series]:
    """The readable ids of the episodes, and their rows."""
    frame = read.frame.select(ID, ROW).filter(pl.col(ID).is_not_null())
    return frame.get_column(ID), frame.get_column(ROW)


def part_of(values: pl.DataFrame, key: str, base: int, records: int) -> pl.DataFrame:
    """The results of a block's records, under `__row` numbered in the block; `values` ascend by `key`."""
    have = values.get_column(key)
    start = int(have.search_sorted(base, side="left"))
    end = int(have.search_sorted(base + records, side="left"))
    return values.slice(start, end - start).with_columns((pl.col(key) - base).alias(key)).rename({key: ROW})


def _empty(job: Job) -> pl.DataFrame:
    """The typed table of a file without records."""
    texts = pl.DataFrame(schema=dict.fromkeys(job.columns.inputs, pl.String))
    no = pl.lit(value=False)
    return job.tables.read(texts).frame.with_columns(no.alias(BAD), no.alias(UNPLACED))


def _with_keys(frame: pl.DataFrame, judged: Judged, by: str, keys: frozenset[str]) -> pl.DataFrame:
    """The frame with `__key_unreadable`: refused rows of which nobody knows which later rows could read them."""
    unread = [row for row, found in judged.refused.items() if any(p.field in keys and p.code != "RX744" for p in found)]
    unplaced = pl.col(ROW).is_in(unread)
    if by:
        unplaced |= pl.col(by).is_null()
    return frame.with_columns(unplaced.alias(UNPLACED))
