"""The lines of a batch: files whose rows belong to the episodes of the main file, read, held to them, written back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import polars as pl

from rxcalc.driver.batch_blocks import Finished, Job, finish_block, in_order
from rxcalc.driver.batch_read import MainRead, Places, known_ids, part_of
from rxcalc.inputs.cells import CellProblem
from rxcalc.inputs.shown import quoted
from rxcalc.inputs.tables import ROW
from rxcalc.plan.nodes import PlanList
from rxcalc.tabular.blocks import Raw
from rxcalc.tabular.judging import ID, Judged
from rxcalc.tabular.lists import EpisodeIndex
from rxcalc.tabular.problems import UsageProblem
from rxcalc.tabular.progress import Progress

LINE: Final = "__line"
"""The record of a list file that a row of its frame is."""


@dataclass(frozen=True, slots=True)
class ListJob:
    """A list file: `job` reads and writes it as if its rows were episodes."""

    spec: PlanList
    job: Job
    results: Path | None
    rejects: Path

    @property
    def name(self) -> str:
        """The file's name without its folder, for messages."""
        return self.job.options.episodes.name


@dataclass(frozen=True, slots=True)
class BadLine:
    """The first line of an episode that cannot be read, and how many there are."""

    record: int
    problem: CellProblem
    count: int = 1


@dataclass(frozen=True, slots=True)
class ListRead:
    """A list file as typed columns.

    `frame` holds the lines that are fine and whose episode is in the main file: the list's inputs, `__row` (the
    episode's record) and `__line` (the line's). `episodes` are for each block the episode's record of
    each of its records, null where there is none. `bad` goes by the episode's record. `unlinked` counts
    lines whose episode cannot be read at all.
    """

    job: ListJob
    frame: pl.DataFrame
    places: Places
    episodes: Sequence[pl.Series]
    bad: Mapping[int, BadLine]
    unlinked: int
    digest: str


def read_lists(jobs: Iterable[ListJob], main: MainRead, progress: Progress) -> dict[str, ListRead] | UsageProblem:
    """All list files read."""
    ids, rows = known_ids(main)
    index = EpisodeIndex(ids, rows)
    found: dict[str, ListRead] = {}
    for job in jobs:
        read = _read_list(job, index, progress)
        if isinstance(read, UsageProblem):
            return read
        found[job.spec.name] = read
    return found


def _read_list(of: ListJob, index: EpisodeIndex, progress: Progress) -> ListRead | UsageProblem:
    job = of.job
    reader = job.source.blocks(job.options.block)
    places = Places(next_line=job.head.line)
    frames: list[pl.DataFrame] = []
    episodes: list[pl.Series] = []
    bad: dict[int, BadLine] = {}
    unlinked = 0

    def work(_: int, raw: Raw) -> tuple[pl.DataFrame, pl.Series, Judged]:
        judged = job.judged(raw)
        linked = index.find(judged.checked.frame.get_column(ID)).cast(pl.UInt32)
        frame = judged.checked.frame.with_columns(linked.alias("__row_of"))
        frame = frame.filter(pl.col("__row_of").is_not_null()) if judged.good is None else frame[judged.good]
        frame = frame.filter(pl.col("__row_of").is_not_null()).drop(ID)
        return frame.rename({ROW: LINE, "__row_of": ROW}), linked, judged

    for frame, linked, judged in in_order(reader, work, job.options.threads):
        base = places.records
        places.add(judged)
        frames.append(frame.with_columns(pl.col(LINE) + base))
        episodes.append(linked)
        for row, found in judged.refused.items():
            episode = linked[row]
            if episode is None:
                unlinked += judged.checked.frame.get_column(ID)[row] is None
            elif episode in bad:
                first = bad[episode]
                bad[episode] = BadLine(first.record, first.problem, first.count + 1)
            else:
                bad[episode] = BadLine(base + row, found[0])
        progress.update(reader.bytes_read // 2, job.head.size, places.records)
    if reader.problem is not None:
        return reader.problem
    frame = pl.concat(frames) if frames else _no_lines(job)
    return ListRead(of, frame, places, episodes, bad, unlinked, reader.digest)


def _no_lines(job: Job) -> pl.DataFrame:
    """The typed table of a list file without records."""
    texts = pl.DataFrame(schema=dict.fromkeys(job.columns.inputs, pl.String))
    frame = job.tables.read(texts).frame.drop(ID).rename({ROW: LINE})
    return frame.with_columns(pl.lit(None, dtype=pl.UInt32).alias(ROW))


# ---- episodes that their lines refuse -------------------------------------------------------------


def refused_by_lines(lists: Mapping[str, ListRead]) -> dict[int, CellProblem]:
    """The episodes that have a line which cannot be read, with that line's problem in the words of the main file."""
    found: dict[int, CellProblem] = {}
    for name, read in lists.items():
        for episode, bad in read.bad.items():
            where = f"line {read.places.line(bad.record)} of {read.job.name}"
            more = f" (and {bad.count - 1} more of its {name})" if bad.count > 1 else ""
            p = bad.problem
            named = f"{name}.{p.field}" if p.field else name
            found.setdefault(episode, CellProblem(p.code, named, p.value, f"{where}: {p.message}{more}"))
    return found


def doubled_lines(read: ListRead, episodes: Iterable[int]) -> dict[int, list[list[int]]]:
    """By episode (of those refused with RX805) the lines that share their order values with another one of it."""
    if not read.job.spec.order:
        return {}
    rows = read.frame.filter(pl.col(ROW).is_in(list(episodes)))
    keys = [ROW, *read.job.spec.order]
    same = rows.filter(rows.select(keys).is_duplicated()).select(*keys, LINE).sort(LINE)
    found: dict[int, list[list[int]]] = {}
    for episode, lines in same.group_by(keys, maintain_order=True).agg(LINE).select(ROW, LINE).iter_rows():
        found.setdefault(episode, []).append(lines)
    return found


# ---- the second pass ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What became of the episodes, as their lines have to know it.

    `codes` are of the refused ones, by record; `lines` tells where an episode stands in the main file.
    """

    codes: Mapping[int, str]
    places: Places
    file: str
    refused: pl.Series
    values: pl.DataFrame  # the list's results by `__line`, ascending
    decimals: Mapping[str, int]
    doubled: Mapping[int, int] = field(default_factory=dict)  # lines to another one with the same order values


def finish_lines(read: ListRead, number: int, judged: Judged, verdicts: Verdicts) -> Finished:
    """A block of lines written out: those of computed episodes with their results, every other one with the reason."""
    job = read.job.job
    base = read.places.bases[number]
    values = part_of(verdicts.values, LINE, base, judged.records)
    if read.job.results is None:  # nothing is written; only the accounts are made
        rows = judged.good if judged.good is not None else pl.int_range(judged.records, eager=True)
        values = pl.DataFrame({ROW: rows.cast(pl.Int64)})
    episodes = read.episodes[number]
    aside = {*judged.refused, *judged.totals, *judged.blank}
    orphans = episodes.is_null() | episodes.is_in(verdicts.refused.implode())
    found = [
        (row, _following(read, verdicts, base + row, episodes[row], judged))
        for row in orphans.arg_true().to_list()
        if row not in aside
    ]
    return finish_block(job, judged, values, found, verdicts.decimals)


def _following(read: ListRead, verdicts: Verdicts, record: int, episode: int | None, judged: Judged) -> CellProblem:
    """Why a line that can be read is refused all the same."""
    base = read.places.bases[read.places.block(record)]
    name = str(judged.checked.frame.get_column(ID)[record - base])
    if episode is None:
        message = f"no episode of {verdicts.file} has the id {quoted(name)}; add the episode, or correct the id"
        return CellProblem("RX816", ID, name, message)
    if record in verdicts.doubled:
        order = ", ".join(read.job.spec.order)
        other = read.places.line(verdicts.doubled[record])
        message = f"line {other} has the same {order} in episode {quoted(name)}; give each of its {read.job.spec.name} its own"
        return CellProblem("RX805", read.job.spec.order[-1], "", message)
    bad = read.bad.get(episode)
    code = verdicts.codes.get(episode, "")
    if bad is not None:
        where = f"line {read.places.line(bad.record)} of {read.job.name}"
    else:
        where = f"line {verdicts.places.line(episode)} of {verdicts.file}"
    message = f"its episode {quoted(name)} was refused ({code} on {where}); mend that, and this line is fine"
    return CellProblem("RX816", ID, name, message)
