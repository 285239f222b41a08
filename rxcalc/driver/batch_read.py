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
from rxcalc.tabular.parts import Parts
from rxcalc.tabular.problems import UsageProblem
from rxcalc.tabular.progress import Progress
from rxcalc.tabular.spool import Spool

BAD = "__bad"
UNPLACED = "__key_unreadable"
CODE = "__code"
_DOUBLED = 744

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

    `parts` holds every data row with `__row` (its record in the file), `__bad` for those refused,
    `__key_unreadable` for those of which nobody knows which later ones could read them, and `__code` (the number of
    the first code with which a record was refused as it was read, else 0). `doubled` are the records whose id stands
    elsewhere too. `unknown` counts rows whose sequence cannot be read.
    """

    name: str
    parts: Parts
    places: Places
    duplicates: Duplicates
    doubled: Sequence[int]
    unknown: int
    digest: str

    def frame(self, chosen: Sequence[int]) -> pl.DataFrame:
        """The rows of some parts, in the order of the file."""
        frame = self.parts.read(chosen)
        if not frame.get_column(ROW).is_sorted():
            frame = frame.sort(ROW)
        if self.doubled:
            doubled = pl.col(ROW).is_in(self.doubled)
            code = pl.when(doubled).then(pl.lit(_DOUBLED, pl.UInt16)).otherwise(pl.col(CODE))
            frame = frame.with_columns(pl.col(BAD) | doubled, code.alias(CODE))
        return frame


def read_main(job: Job, parts: Parts, ids: Ids, progress: Progress) -> MainRead | UsageProblem:
    """All rows read and judged."""
    sequence = job.plan.sequence
    by = sequence.by if sequence is not None else ""
    reader = job.source.blocks(job.options.block)
    places = Places(next_line=job.head.line)
    unknown = 0
    keys = placing_fields(job.plan)

    def work(_: int, raw: Raw) -> tuple[pl.DataFrame, Judged]:
        judged = job.judged(raw)
        return _with_keys(judged.data_frame(), judged, by, keys), judged

    for frame, judged in in_order(reader, work, job.options.threads):
        base = places.records
        places.add(judged)
        ids.add(judged)
        if by:
            unknown += frame.get_column(by).null_count()
        parts.add(frame.with_columns(pl.col(ROW) + base))
        progress.update(reader.bytes_read // 2, job.head.size, places.records)
    if reader.problem is not None:
        return reader.problem
    parts.add(_empty(job))
    parts.seal()
    doubles = duplicates(job, ids, places.starts)
    doubled = sorted(places.bases[block] + row for block, rows in doubles.items() for row in rows)
    return MainRead(job.options.episodes.name, parts, places, doubles, doubled, unknown, reader.digest)


@dataclass(slots=True)
class Kept:
    """The typed rows of blocks that are computed as they come, put aside."""

    spool: Spool
    records: int = 0

    def add(self, judged: Judged) -> None:
        """Take the next block."""
        self.spool.append(0, judged.data_frame().with_columns(pl.col(ROW) + self.records))
        self.records += judged.records

    def frame(self, job: Job) -> pl.DataFrame:
        """All rows."""
        frame = self.spool.read(0)
        return frame if frame is not None else _empty(job).drop(CODE, UNPLACED)

    @property
    def size(self) -> int:
        """How many bytes the rows take, about."""
        return self.spool.sizes.get(0, 0)

    def state(self) -> dict[str, int]:
        """What `reopen` needs to go on from here."""
        return {"records": self.records, "size": self.spool.sizes.get(0, 0)}

    def reopen(self, state: Mapping[str, int]) -> bool:
        """Go on from a state; False when the rows are not there any more."""
        self.records = state["records"]
        return not state["size"] or self.spool.reopen({0: state["size"]})


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


def known_ids(frame: pl.DataFrame) -> tuple[pl.Series, pl.Series]:
    """The readable ids of episodes, and their rows."""
    frame = frame.select(ID, ROW).filter(pl.col(ID).is_not_null())
    return frame.get_column(ID), frame.get_column(ROW)


def _empty(job: Job) -> pl.DataFrame:
    """The typed table of a file without records."""
    texts = pl.DataFrame(schema=dict.fromkeys(job.columns.inputs, pl.String))
    no = pl.lit(value=False)
    return job.tables.read(texts).frame.with_columns(
        no.alias(BAD), no.alias(UNPLACED), pl.lit(0, pl.UInt16).alias(CODE)
    )


def _with_keys(frame: pl.DataFrame, judged: Judged, by: str, keys: frozenset[str]) -> pl.DataFrame:
    """The frame with `__key_unreadable` (refused rows of which nobody knows which later rows could read them) and `__code`."""
    unread = [row for row, found in judged.refused.items() if any(p.field in keys and p.code != "RX744" for p in found)]
    unplaced = pl.col(ROW).is_in(unread)
    if by:
        unplaced |= pl.col(by).is_null()
    code = pl.lit(0, pl.UInt16)
    if judged.refused:
        codes = {row: int(found[0].code[2:]) for row, found in judged.refused.items()}
        code = pl.col(ROW).replace_strict(codes, default=0, return_dtype=pl.UInt16)
    return frame.with_columns(unplaced.alias(UNPLACED), code.alias(CODE))
