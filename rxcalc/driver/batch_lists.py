"""The lines of a batch: files whose rows belong to the episodes of the main file, read, held to them, told what became of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import polars as pl

from rxcalc.driver.batch_blocks import Job, in_order
from rxcalc.driver.batch_read import Places
from rxcalc.inputs.cells import CellProblem
from rxcalc.inputs.shown import quoted
from rxcalc.inputs.tables import ROW
from rxcalc.plan.nodes import PlanList
from rxcalc.tabular.blocks import Raw
from rxcalc.tabular.judging import ID, Judged
from rxcalc.tabular.lists import EpisodeIndex
from rxcalc.tabular.parts import PARTS, Parts, part_of
from rxcalc.tabular.problems import UsageProblem
from rxcalc.tabular.progress import Progress

LINE: Final = "__line"
"""The record of a list file that a row of its frame is."""

_ALL: Final = tuple(range(PARTS))
_BAD: Final = {
    LINE: pl.Int64,
    ID: pl.String,
    "code": pl.String,
    "field": pl.String,
    "value": pl.String,
    "message": pl.String,
}


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

    `good` holds the lines that are fine: the list's inputs, the episode's id and `__line`, their record; `bad` those
    that cannot be read but whose episode is known, with the first problem. `unlinked` counts lines whose
    episode cannot be read at all.
    """

    job: ListJob
    good: Parts
    bad: Parts
    places: Places
    unlinked: int
    digest: str


def read_lists(
    jobs: Iterable[ListJob], parts: Callable[[str, pl.Expr], Parts], progress: Progress
) -> dict[str, ListRead] | UsageProblem:
    """All list files read. `parts` gives the place for rows by a name and what says in which part they go."""
    found: dict[str, ListRead] = {}
    for job in jobs:
        good, bad = (parts(f"{job.spec.name}-{what}", part_of(pl.col(ID))) for what in ("good", "bad"))
        read = _read_list(job, good, bad, progress)
        if isinstance(read, UsageProblem):
            return read
        found[job.spec.name] = read
    return found


def _read_list(of: ListJob, good: Parts, bad: Parts, progress: Progress) -> ListRead | UsageProblem:
    job = of.job
    reader = job.source.blocks(job.options.block)
    places = Places(next_line=job.head.line)
    unlinked = 0

    def work(_: int, raw: Raw) -> Judged:
        return job.judged(raw)

    for judged in in_order(reader, work, job.options.threads):
        base = places.records
        places.add(judged)
        good.add(judged.good_frame().rename({ROW: LINE}).with_columns(pl.col(LINE) + base))
        if judged.refused:
            ids = judged.checked.frame.get_column(ID)
            named = [(base + row, ids[row], found[0]) for row, found in judged.refused.items()]
            unlinked += sum(1 for _, name, _ in named if name is None)
            told = [(row, name, p.code, p.field, p.value, p.message) for row, name, p in named if name is not None]
            bad.add(pl.DataFrame(told, schema=_BAD, orient="row"))
        progress.update(reader.bytes_read // 2, job.head.size, places.records)
    if reader.problem is not None:
        return reader.problem
    texts = pl.DataFrame(schema=dict.fromkeys(job.columns.inputs, pl.String))
    good.add(job.tables.read(texts).frame.rename({ROW: LINE}))
    bad.add(pl.DataFrame(schema=_BAD))
    for parts in (good, bad):
        parts.seal()
    return ListRead(of, good, bad, places, unlinked, reader.digest)


def with_episodes(read: ListRead, links: Parts, parts: Callable[[str, pl.Expr], Parts]) -> ListRead:
    """The lines in the parts of their episodes. `links` holds the ids of the episodes with their `__at`, the part."""
    moved: list[Parts] = []
    for name, rows in (("good", read.good), ("bad", read.bad)):
        found = parts(f"{read.job.spec.name}-{name}-linked", pl.col("__at"))
        for part in _ALL:
            known = links.read((part,)).unique(ID, keep="first")
            frame = rows.read((part,)).join(known, on=ID, how="left", maintain_order="left")
            found.add(frame.with_columns(pl.col("__at").fill_null(0)))
            rows.drop((part,))
        found.seal()
        moved.append(found)
    return ListRead(read.job, moved[0], moved[1], read.places, read.unlinked, read.digest)


# ---- the lines of one part of the episodes --------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Linked:
    """Lines with their episodes.

    `frame` holds those that are fine and whose episode is in the main file: the list's inputs, `__row` (the episode's
    record) and `__line`. `orphans` are lines and the ids that no episode bears. `bad` goes by the episode's record.
    """

    read: ListRead
    frame: pl.DataFrame
    orphans: Sequence[tuple[int, str]]
    bad: Mapping[int, BadLine]


def link(read: ListRead, chosen: Sequence[int], index: EpisodeIndex) -> Linked:
    """The lines of some parts, held to the episodes of the index."""
    rows = read.good.read(chosen)
    if not rows.get_column(LINE).is_sorted():
        rows = rows.sort(LINE)
    rows = rows.drop("__at", strict=False).with_columns(index.find(rows.get_column(ID)).cast(pl.UInt32).alias(ROW))
    lost = rows.filter(pl.col(ROW).is_null()).select(LINE, ID)
    bad: dict[int, BadLine] = {}
    unread = read.bad.read(chosen).sort(LINE)
    unread = unread.with_columns(index.find(unread.get_column(ID)).alias(ROW)).filter(pl.col(ROW).is_not_null())
    for episode, record, *problem in unread.select(ROW, LINE, "code", "field", "value", "message").iter_rows():
        first = bad.get(episode)
        bad[episode] = (
            BadLine(record, CellProblem(*problem))
            if first is None
            else BadLine(first.record, first.problem, first.count + 1)
        )
    return Linked(read, rows.filter(pl.col(ROW).is_not_null()).drop(ID), list(lost.iter_rows()), bad)


def refused_by_lines(lists: Mapping[str, Linked]) -> dict[int, CellProblem]:
    """The episodes that have a line which cannot be read, with that line's problem in the words of the main file."""
    found: dict[int, CellProblem] = {}
    for name, linked in lists.items():
        read = linked.read
        for episode, bad in linked.bad.items():
            where = f"line {read.places.line(bad.record)} of {read.job.name}"
            more = f" (and {bad.count - 1} more of its {name})" if bad.count > 1 else ""
            p = bad.problem
            named = f"{name}.{p.field}" if p.field else name
            found.setdefault(episode, CellProblem(p.code, named, p.value, f"{where}: {p.message}{more}"))
    return found


def doubled_lines(linked: Linked, episodes: Iterable[int]) -> dict[int, list[list[int]]]:
    """By episode (of those refused with RX805) the lines that share their order values with another one of it."""
    order = linked.read.job.spec.order
    if not order:
        return {}
    rows = linked.frame.filter(pl.col(ROW).is_in(list(episodes)))
    keys = [ROW, *order]
    same = rows.filter(rows.select(keys).is_duplicated()).select(*keys, LINE).sort(LINE)
    found: dict[int, list[list[int]]] = {}
    for episode, lines in same.group_by(keys, maintain_order=True).agg(LINE).select(ROW, LINE).iter_rows():
        found.setdefault(episode, []).append(lines)
    return found


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What became of the episodes, as their lines have to know it.

    `codes` and `names` are of the refused ones, by record; `places` tells where an episode stands in the main `file`.
    """

    codes: Mapping[int, str]
    names: Mapping[int, str]
    places: Places
    file: str
    doubled: Mapping[int, int] = field(default_factory=dict)  # lines to another one with the same order values


def line_problems(linked: Linked, verdicts: Verdicts) -> list[tuple[int, CellProblem]]:
    """Why lines that can be read are refused all the same, by their record."""
    found: list[tuple[int, CellProblem]] = []
    for record, name in linked.orphans:
        message = f"no episode of {verdicts.file} has the id {quoted(name)}; add the episode, or correct the id"
        found.append((record, CellProblem("RX816", ID, name, message)))
    if not verdicts.codes:
        return found
    refused = pl.Series(sorted(verdicts.codes), dtype=pl.UInt32)
    rows = linked.frame.select(LINE, ROW).filter(pl.col(ROW).is_in(refused.implode()))
    found += [(record, _following(linked, verdicts, record, episode)) for record, episode in rows.iter_rows()]
    return found


def _following(linked: Linked, verdicts: Verdicts, record: int, episode: int) -> CellProblem:
    """Why a line of a refused episode is refused."""
    read = linked.read
    name = verdicts.names[episode]
    if record in verdicts.doubled:
        order = ", ".join(read.job.spec.order)
        other = read.places.line(verdicts.doubled[record])
        message = f"line {other} has the same {order} in episode {quoted(name)}; give each of its {read.job.spec.name} its own"
        return CellProblem("RX805", read.job.spec.order[-1], "", message)
    bad = linked.bad.get(episode)
    if bad is not None:
        where = f"line {read.places.line(bad.record)} of {read.job.name}"
    else:
        where = f"line {verdicts.places.line(episode)} of {verdicts.file}"
    code = verdicts.codes[episode]
    message = f"its episode {quoted(name)} was refused ({code} on {where}); mend that, and this line is fine"
    return CellProblem("RX816", ID, name, message)
