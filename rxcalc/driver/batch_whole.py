"""Plans whose episodes look at each other or at lines: everything is read, then computed part by part, then put aside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from rxcalc.driver.batch_blocks import INCOMPLETE, NOTE, RowProblem
from rxcalc.driver.batch_compute import Answer, Request, compute
from rxcalc.driver.batch_findings import FindingsFile
from rxcalc.driver.batch_lists import (
    LINE,
    Linked,
    ListRead,
    Verdicts,
    doubled_lines,
    line_problems,
    link,
    read_lists,
    refused_by_lines,
    with_episodes,
)
from rxcalc.driver.batch_past import Past
from rxcalc.driver.batch_past_read import PastParts, read_past
from rxcalc.driver.batch_prepare import Prepared
from rxcalc.driver.batch_read import BAD, CODE, MainRead, Places, known_ids, read_main
from rxcalc.driver.batch_store import Store
from rxcalc.inputs.cells import CellProblem
from rxcalc.inputs.tables import ROW
from rxcalc.plan.nodes import Plan, Value
from rxcalc.tabular.duplicates import Ids
from rxcalc.tabular.judging import ID
from rxcalc.tabular.lists import EpisodeIndex
from rxcalc.tabular.parts import PARTS, Parts, part_of, together
from rxcalc.tabular.problems import UsageProblem, too_much_memory
from rxcalc.tabular.progress import Progress
from rxcalc.tabular.spool import Spool

if TYPE_CHECKING:
    from rxcalc.backends.base import GroupOutcome
    from rxcalc.backends.closing import Closing


@dataclass(slots=True)
class Whole:
    """Everything read and computed; what is left is to write it.

    `stores` holds what was computed of the main file ("") and of each list. `stale` are lines of that file with the place
    by which they are ordered.
    """

    main: MainRead
    lists: Mapping[str, ListRead]
    past: PastParts
    stores: Mapping[str, Store]
    incomplete: int = 0
    stale: list[tuple[tuple[int, int], bytes]] = field(default_factory=list)
    affected: dict[str, tuple[str, ...]] = field(default_factory=dict)
    closing: list[tuple[Value, Sequence[Closing]]] = field(default_factory=list)
    groups: Sequence[GroupOutcome] = ()
    unplaced: Mapping[str, int] = field(default_factory=dict)

    def rows(self) -> Iterator[Parts]:
        """All rows that were read."""
        yield self.main.parts
        for read in self.lists.values():
            yield read.good
            yield read.bad
        for held in self.past.held:
            yield held.rows


def compute_whole(
    prepared: Prepared, folder: Path, findings: FindingsFile | None, progress: Progress
) -> Whole | UsageProblem:
    """All files read and judged, all rows computed, part by part where they do not fit into memory together."""
    job = prepared.job
    limit = prepared.held
    share = limit // (1 + len(prepared.lists) + len(prepared.past))

    def parts(name: str, part: pl.Expr) -> Parts:
        return Parts(Spool(folder, name, "lz4"), part, share)

    by = job.plan.sequence.by if job.plan.sequence is not None else ID
    main = read_main(job, parts("episodes", part_of(pl.col(by))), Ids(Spool(folder, "ids")), progress)
    if isinstance(main, UsageProblem):
        return main
    lists = read_lists(prepared.lists, parts, progress)
    if isinstance(lists, UsageProblem):
        return lists
    past = read_past(prepared.past, main, by, parts)
    if isinstance(past, UsageProblem):
        return past
    every = [main.parts, *(read.good for read in lists.values()), *(of.rows for of in past.held)]
    if not prepared.divisible:
        groups = [list(range(PARTS))]
        size = sum(of.total for of in every)
        if size > limit:
            return too_much_memory(prepared.needed(size), job.options.memory)
    else:
        groups = together([of.sizes() for of in every], limit)
        if len(groups) > 1 and lists and by != ID:
            links = parts("links", part_of(pl.col(ID)))
            for frame in main.parts.pieces():
                known = frame.filter(pl.col(ID).is_not_null())
                links.add(known.select(ID, part_of(pl.col(by)).alias("__at")))
            links.seal()
            lists = {name: with_episodes(read, links, parts) for name, read in lists.items()}
    whole = Whole(main, lists, past, stores_of(folder, list(lists)))
    for chosen in groups:
        _Part(prepared, whole, chosen).compute(findings)
        for rows in whole.rows():  # nobody asks for these any more
            rows.drop(chosen)
    return whole


def stores_of(folder: Path, lists: Sequence[str]) -> dict[str, Store]:
    """The places for what is computed of the episodes ("") and of each list."""
    return {name: Store(folder, f"computed-{at}") for at, name in enumerate(("", *lists))}


class _Part:
    """Some parts of all files, computed together."""

    def __init__(self, prepared: Prepared, whole: Whole, chosen: Sequence[int]) -> None:
        self._prepared, self._whole, self._chosen = prepared, whole, chosen
        self._job = prepared.job
        self._frame = whole.main.frame(chosen)
        self._names: dict[int, str] = {}

    def compute(self, findings: FindingsFile | None) -> None:
        """Computes the rows and adds what came of them to the whole."""
        job, whole = self._job, self._whole
        frame = self._frame
        index = EpisodeIndex(*known_ids(frame)) if whole.lists else None
        lists = {name: link(read, self._chosen, index) for name, read in whole.lists.items() if index is not None}
        read_as = dict(frame.filter(pl.col(CODE) > 0).select(ROW, CODE).iter_rows()) if lists else {}
        by_lines = {row: problem for row, problem in refused_by_lines(lists).items() if row not in read_as}
        frame = frame.drop(CODE)
        if by_lines:
            frame = frame.with_columns(pl.col(BAD) | pl.col(ROW).is_in(list(by_lines)))
        past, openings = self._before()
        answer = compute(
            job.plan,
            Request(
                frame=frame,
                outputs=job.outputs,
                compute=job.options.after_reject == "compute",
                lists={name: linked.frame for name, linked in lists.items()},
                list_outputs={of.spec.name: of.job.form.computed for of in self._prepared.lists},
                past=past,
                openings=openings,
                group_inputs=self._prepared.groups.rows,
                closing=job.options.closing is not None,
            ),
            job.evaluator,
            job.settler,
        )
        codes = {row: f"RX{code}" for row, code in read_as.items()}
        problems = list(self._told(lists, by_lines, answer))
        for row, problem in problems:
            codes.setdefault(row, problem.code)
        told = [
            (row, findings.line(self._name(row), finding).decode())
            for row, finding in answer.findings
            if findings is not None
        ]
        store = whole.stores[""]
        store.decimals = answer.decimals
        store.add(self._marked(answer), problems, told)
        self._add_lists(lists, answer, codes)
        self._add_rest(past, answer)

    def _before(self) -> tuple[Past, Mapping[Value, Any]]:
        """Earlier results and opening amounts of the persons in these parts."""
        past, openings = self._whole.past.part(self._chosen), self._prepared.openings.people
        if len(self._chosen) == PARTS or self._job.plan.sequence is None:
            return past, openings
        keep = part_of(pl.col(self._job.plan.sequence.by)).is_in(self._chosen)
        if openings:
            owners = list(openings)
            dtype = self._frame.schema[self._job.plan.sequence.by]
            held = pl.DataFrame([pl.Series(self._job.plan.sequence.by, owners, dtype=dtype)]).select(keep).to_series()
            openings = {owner: openings[owner] for owner, own in zip(owners, held.to_list(), strict=True) if own}
        return past, openings

    def _marked(self, answer: Answer) -> pl.DataFrame:
        """The results with the columns that say what follows a refused row, and which groups lack a member."""
        values = answer.values
        computed = self._job.form.computed
        if NOTE in computed:
            marked = pl.col(ROW).is_in(sorted(answer.marked))
            values = values.with_columns(pl.when(marked).then(pl.lit("RX811")).cast(pl.Enum(["RX811"])).alias(NOTE))
        if INCOMPLETE in computed:
            kinds = {row: ";".join(names) for row, names in answer.incomplete.items()}
            told = [kinds.get(row) for row in values.get_column(ROW).to_list()] if kinds else [None] * values.height
            values = values.with_columns(pl.Series(INCOMPLETE, told, dtype=pl.String))
        return values

    def _add_lists(self, lists: Mapping[str, Linked], answer: Answer, codes: Mapping[int, str]) -> None:
        tied = [row for row, code in codes.items() if code == "RX805"]
        names = {row: self._name(row) for row in codes} if lists else {}
        for name, linked in lists.items():
            verdicts = Verdicts(
                codes=codes,
                names=names,
                places=self._whole.main.places,
                file=self._whole.main.name,
                doubled=_others(doubled_lines(linked, tied)) if tied else {},
            )
            values = answer.lists.get(name, pl.DataFrame(schema={LINE: pl.Int64})).rename({LINE: ROW})
            store = self._whole.stores[name]
            store.decimals = answer.list_decimals.get(name, {})
            store.add(values, line_problems(linked, verdicts))

    def _add_rest(self, past: Past, answer: Answer) -> None:
        whole, plan = self._whole, self._job.plan
        whole.incomplete += len(answer.incomplete)
        whole.closing.extend(answer.closing)
        whole.groups, whole.unplaced = answer.groups, answer.unplaced
        if answer.stale:
            from rxcalc.driver.batch_stale import stale_line

            for stale in answer.stale:
                file, line = past.place(stale.row.number)
                at = whole.past.order(file)
                whole.stale.append(((at, line), stale_line(plan, stale, file, line, excel=self._job.options.excel)))
        for row, names in answer.affected.items():
            # Episodes of this run are called by their record, those of earlier ones `=` and their id.
            own = (name[1:] if name.startswith("=") else self._name(int(name)) for name in names)
            whole.affected[self._name(int(row))] = tuple(own)

    def _name(self, row: int) -> str:
        """The id of an episode."""
        if row not in self._names:
            rows = self._frame.get_column(ROW)
            at = int(rows.search_sorted(row))
            self._names[row] = str(self._frame.get_column(ID)[at])
        return self._names[row]

    def _told(
        self, lists: Mapping[str, Linked], by_lines: Mapping[int, CellProblem], answer: Answer
    ) -> Iterator[tuple[int, RowProblem]]:
        """The problems of all rows as they are told to whoever has the files before him."""
        places = self._whole.main.places
        yield from by_lines.items()
        tied = [row for row, problem in answer.problems if problem.code == "RX805"]
        doubled = {name: doubled_lines(linked, tied) for name, linked in lists.items()} if tied else {}
        for row, problem in answer.problems:
            if problem.code == "RX811" and problem.value.isdigit():
                yield row, _depends(self._job.plan, problem.field, places.line(int(problem.value)))
            elif problem.code == "RX805":
                yield row, _doubled(lists, doubled, row, problem)
            else:
                yield row, problem


def _depends(plan: Plan, field_: str, line: int) -> CellProblem:
    """Why an episode after a refused one is refused too."""
    if plan.sequence is not None and field_ == plan.sequence.reverses:
        message = f"the episode that this one reverses was refused, on line {line}; mend that one first"
    else:
        message = (
            f"an earlier episode that the window `{field_}` reads was refused, on line {line}; mend that one first"
        )
    return CellProblem("RX811", field_, f"line {line}", message)


def _doubled(
    lists: Mapping[str, Linked], doubled: Mapping[str, Mapping[int, list[list[int]]]], row: int, problem: RowProblem
) -> RowProblem:
    """A refusal for doubled order values, with the lines on which they stand."""
    for name, by_episode in doubled.items():
        found = sorted(record for lines in by_episode.get(row, ()) for record in lines)
        if found:
            read = lists[name].read
            numbers = ", ".join(str(read.places.line(record)) for record in found[:5])
            more = ", .." if len(found) > 5 else ""
            told = f"{problem.message} (lines {numbers}{more} of {read.job.name})"
            return CellProblem(problem.code, problem.field, problem.value, told)
    return problem


def _others(doubled: Mapping[int, list[list[int]]]) -> dict[int, int]:
    """Each doubled line with another one of the same order values."""
    groups = [lines for found in doubled.values() for lines in found]
    return {line: lines[at - 1] if at else lines[1] for lines in groups for at, line in enumerate(lines)}


__all__ = ["Places", "Whole", "compute_whole", "stores_of"]
