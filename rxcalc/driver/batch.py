"""Runs a rulebook over a file of episodes: read, judge, compute, write, account."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from rxcalc.driver.batch_blocks import (
    INCOMPLETE,
    NOTE,
    Evaluator,
    Finished,
    Job,
    RowProblem,
    compute_block,
    finish_block,
)
from rxcalc.driver.batch_compute import Answer, Request, compute
from rxcalc.driver.batch_conclude import Outputs, WholeFacts, conclude
from rxcalc.driver.batch_findings import FindingsFile
from rxcalc.driver.batch_groups import group_files, group_reports
from rxcalc.driver.batch_lists import (
    LINE,
    ListJob,
    ListRead,
    Verdicts,
    doubled_lines,
    finish_lines,
    read_lists,
    refused_by_lines,
)
from rxcalc.driver.batch_openings import closing_lines
from rxcalc.driver.batch_past import Past, read_past
from rxcalc.driver.batch_prepare import Prepared, prepare
from rxcalc.driver.batch_read import BAD, Duplicates, Kept, MainRead, Places, duplicates, part_of, read_main
from rxcalc.driver.batch_report import BatchOptions, BatchReport, GroupReport
from rxcalc.driver.batch_write import Tally, write_through
from rxcalc.inputs.cells import CellProblem
from rxcalc.inputs.tables import ROW
from rxcalc.plan.nodes import Plan
from rxcalc.tabular import problems
from rxcalc.tabular.blocks import Raw
from rxcalc.tabular.judging import ID, Judged
from rxcalc.tabular.problems import UsageProblem
from rxcalc.tabular.progress import Progress, Silent

if TYPE_CHECKING:
    from rxcalc.backends.base import Finding, GroupOutcome


@dataclass(frozen=True, slots=True)
class _Whole:
    """Everything read and computed; what is left is to write it."""

    main: MainRead
    lists: Mapping[str, ListRead]
    past: Past
    answer: Answer
    values: pl.DataFrame
    problems: Mapping[int, Sequence[tuple[int, RowProblem]]]  # per block, by row in it
    codes: Mapping[int, str]  # of every refused episode

    def findings(self) -> Iterator[tuple[str, Finding]]:
        """The findings on bills, each with the id of its episode."""
        found = self.answer.findings
        rows = self.main.frame.filter(pl.col(ROW).is_in(sorted({row for row, _ in found})))
        ids = {int(row): str(name) for row, name in rows.select(ROW, ID).iter_rows()}
        return ((ids[row], finding) for row, finding in found)

    def affected(self) -> dict[str, tuple[str, ...]]:
        """The episodes that had read what is reversed now, by the id of the reversal."""
        if not self.answer.affected:
            return {}
        ids = {str(row): str(name) for row, name in self.main.frame.select(ROW, ID).iter_rows()}
        return {  # episodes of this run are called by their record, those of earlier ones `=` and their id
            ids[str(row)]: tuple(name[1:] if name.startswith("=") else ids[name] for name in names)
            for row, names in self.answer.affected.items()
        }


def run_batch(
    plan: Plan, options: BatchOptions, progress: Progress | None = None, evaluator: Evaluator | None = None
) -> BatchReport:
    """The outcome of a batch. Files appear whole or not at all; nothing is left behind on a failure.

    Plans whose episodes are computed each by itself stream in bounded memory. Others (earlier episodes,
    lines in another file, groups) hold the typed columns of all rows; results keep the input's order.
    """
    started = time.monotonic()
    shown = progress or Silent()
    prepared = prepare(plan, options, evaluator)
    if isinstance(prepared, UsageProblem):
        return BatchReport(problem=prepared)
    outputs = Outputs(prepared)
    try:
        return _run(prepared, outputs, shown, started)
    except OSError as error:
        return BatchReport(problem=problems.cannot_write(str(options.results), error.strerror or str(error)))
    finally:
        outputs.discard()
        shown.close()


def _run(prepared: Prepared, outputs: Outputs, progress: Progress, started: float) -> BatchReport:
    job = prepared.job
    known: Duplicates = {}
    whole = None
    if prepared.whole:
        found = _compute_whole(prepared, progress)
        if isinstance(found, UsageProblem):
            return BatchReport(problem=found)
        whole, known = found, found.main.duplicates
    for _ in range(2):  # ids that occur twice in a stream are known only at its end, so then once more
        problem = outputs.open()
        if problem is not None:
            return BatchReport(problem=problem)
        kept = Kept() if job.alone else None
        findings = FindingsFile(job.plan, job.options.language, outputs.findings) if job.plan.checks else None
        tally = _write(job, outputs, known, whole, kept, findings, progress)
        if isinstance(tally, UsageProblem):
            return BatchReport(problem=tally)
        if whole is not None:
            if whole.main.digest != tally.digest:
                break
            lists = _write_lists(prepared, outputs, whole, progress)
            if isinstance(lists, UsageProblem):
                return BatchReport(problem=lists)
            problem = _write_more(job, outputs, whole) or _write_groups(job, outputs, whole.answer.groups)
            if findings is not None:
                findings.add(whole.findings())
                findings.add_groups(whole.answer.groups)
            if problem is not None:
                return BatchReport(problem=problem)
            facts = WholeFacts(
                unknown=whole.main.unknown,
                unlinked={name: read.unlinked for name, read in whole.lists.items()},
                incomplete=len(whole.answer.incomplete),
                past=whole.past,
                stale=len(whole.answer.stale),
                affected=whole.affected(),
                groups=group_reports(job.plan, whole.answer.groups, whole.answer.unplaced),
                findings=findings.report() if findings is not None else {},
            )
            return conclude(prepared, outputs, tally, lists, facts, started)
        met = duplicates(job, tally.ids, tally.starts)
        if met == known:
            settled = _settled(prepared, outputs, kept, findings)
            if isinstance(settled, UsageProblem):
                return BatchReport(problem=settled)
            return conclude(prepared, outputs, tally, {}, settled, started)
        known = met
        outputs.discard()
    return BatchReport(problem=problems.changed_file(str(job.options.episodes)))


# ---- plans whose episodes look at each other, or at lines -------------------------------------------


def _compute_whole(prepared: Prepared, progress: Progress) -> _Whole | UsageProblem:
    """All files read and judged, all rows computed."""
    job = prepared.job
    main = read_main(job, progress)
    if isinstance(main, UsageProblem):
        return main
    lists = read_lists(prepared.lists, main, progress)
    if isinstance(lists, UsageProblem):
        return lists
    past = read_past(prepared.past, main)
    if isinstance(past, UsageProblem):
        return past
    by_lines = {row: problem for row, problem in refused_by_lines(lists).items() if row not in main.refused}
    frame = main.frame
    if by_lines:
        frame = frame.with_columns(pl.col(BAD) | pl.col(ROW).is_in(list(by_lines)))
    answer = compute(
        job.plan,
        Request(
            frame=frame,
            outputs=job.outputs,
            compute=job.options.after_reject == "compute",
            lists={name: read.frame for name, read in lists.items()},
            list_outputs={of.spec.name: of.job.form.computed for of in prepared.lists},
            past=past,
            openings=prepared.openings.people,
            group_inputs=prepared.groups.rows,
            closing=job.options.closing is not None,
        ),
        job.evaluator,
        job.settler,
    )
    by_block: dict[int, list[tuple[int, RowProblem]]] = {}
    codes = dict(main.refused)
    for row, problem in _told(job, main.places, lists, by_lines, answer):
        codes.setdefault(row, problem.code)
        block = main.places.block(row)
        by_block.setdefault(block, []).append((row - main.places.bases[block], problem))
    values = answer.values
    if NOTE in job.form.computed:
        marked = pl.col(ROW).is_in(sorted(answer.marked))
        values = values.with_columns(pl.when(marked).then(pl.lit("RX811")).cast(pl.Enum(["RX811"])).alias(NOTE))
    if INCOMPLETE in job.form.computed:
        kinds = {row: ";".join(names) for row, names in answer.incomplete.items()}
        told = [kinds.get(row) for row in values.get_column(ROW).to_list()] if kinds else [None] * values.height
        values = values.with_columns(pl.Series(INCOMPLETE, told, dtype=pl.String))
    return _Whole(main, lists, past, answer, values, by_block, codes)


def _told(
    job: Job, places: Places, lists: Mapping[str, ListRead], by_lines: Mapping[int, CellProblem], answer: Answer
) -> Iterator[tuple[int, RowProblem]]:
    """The problems of all rows as they are told to whoever has the files before him."""
    yield from by_lines.items()
    tied = [row for row, problem in answer.problems if problem.code == "RX805"]
    doubled = {name: doubled_lines(read, tied) for name, read in lists.items()} if tied else {}
    for row, problem in answer.problems:
        if problem.code == "RX811" and problem.value.isdigit():
            yield row, _depends(job.plan, problem.field, places.line(int(problem.value)))
        elif problem.code == "RX805":
            yield row, _doubled(lists, doubled, row, problem)
        else:
            yield row, problem


def _depends(plan: Plan, field: str, line: int) -> CellProblem:
    """Why an episode after a refused one is refused too."""
    if plan.sequence is not None and field == plan.sequence.reverses:
        message = f"the episode that this one reverses was refused, on line {line}; mend that one first"
    else:
        message = f"an earlier episode that the window `{field}` reads was refused, on line {line}; mend that one first"
    return CellProblem("RX811", field, f"line {line}", message)


def _doubled(
    lists: Mapping[str, ListRead], doubled: Mapping[str, Mapping[int, list[list[int]]]], row: int, problem: RowProblem
) -> RowProblem:
    """A refusal for doubled order values, with the lines on which they stand."""
    for name, by_episode in doubled.items():
        found = sorted(record for lines in by_episode.get(row, ()) for record in lines)
        if found:
            read = lists[name]
            numbers = ", ".join(str(read.places.line(record)) for record in found[:5])
            more = ", .." if len(found) > 5 else ""
            told = f"{problem.message} (lines {numbers}{more} of {read.job.name})"
            return CellProblem(problem.code, problem.field, problem.value, told)
    return problem


# ---- writing ----------------------------------------------------------------------------------------


def _write(
    job: Job,
    outputs: Outputs,
    known: Duplicates,
    whole: _Whole | None,
    kept: Kept | None,
    findings: FindingsFile | None,
    progress: Progress,
) -> Tally | UsageProblem:
    """The pass through the file of episodes; of blocks computed as they come `kept` takes up the rows, `findings` what was found."""

    def work(number: int, raw: Raw) -> Finished:
        judged = job.judged(raw, known.get(number))
        if whole is None:
            return compute_block(job, judged)
        bases = whole.main.places.bases
        if number >= len(bases):  # the file has grown; the digests will differ
            return finish_block(job, judged, whole.values.clear(), (), whole.answer.decimals)
        values = part_of(whole.values, ROW, bases[number], judged.records)
        return finish_block(job, judged, values, whole.problems.get(number, ()), whole.answer.decimals)

    def seen(finished: Finished) -> None:
        if kept is not None:
            kept.add(finished.judged)
        if findings is not None:
            findings.add(finished.findings)

    stream = whole is None and (kept is not None or findings is not None)
    return write_through(job, outputs.results, outputs.rejects, work, progress, seen=seen if stream else None)


def _settled(
    prepared: Prepared, outputs: Outputs, kept: Kept | None, findings: FindingsFile | None
) -> WholeFacts | UsageProblem:
    """What is left when all rows were written as they came: the groups on which none depends."""
    job = prepared.job
    reports: Mapping[str, GroupReport] = {}
    if kept is not None:
        assert job.settler is not None  # noqa: S101 - it computes them
        found = job.settler.settle(kept.frame(job), prepared.groups.rows, findings=findings is not None)
        problem = _write_groups(job, outputs, found.groups)
        if problem is not None:
            return problem
        if findings is not None:
            findings.add_groups(found.groups)
        reports = group_reports(job.plan, found.groups, found.unplaced)
    return WholeFacts(groups=reports, findings=findings.report() if findings is not None else {})


def _write_lists(
    prepared: Prepared, outputs: Outputs, whole: _Whole, progress: Progress
) -> dict[str, Tally] | UsageProblem:
    """The passes through the files of lines."""
    refused = pl.Series(sorted(whole.codes), dtype=pl.UInt32)
    tied = [row for row, code in whole.codes.items() if code == "RX805"]
    tallies: dict[str, Tally] = {}
    for of in prepared.lists:
        name = of.spec.name
        read = whole.lists[name]
        verdicts = Verdicts(
            codes=whole.codes,
            places=whole.main.places,
            file=prepared.job.options.episodes.name,
            refused=refused,
            values=whole.answer.lists.get(name, pl.DataFrame(schema={LINE: pl.Int64})),
            decimals=whole.answer.list_decimals.get(name, {}),
            doubled=_others(doubled_lines(read, tied)) if tied else {},
        )
        tally = _write_list(of, outputs, read, verdicts, progress)
        if isinstance(tally, UsageProblem):
            return tally
        if tally.digest != read.digest:
            return problems.changed_file(str(of.job.options.episodes))
        tallies[name] = tally
    return tallies


def _others(doubled: Mapping[int, list[list[int]]]) -> dict[int, int]:
    """Each doubled line with another one of the same order values."""
    groups = [lines for found in doubled.values() for lines in found]
    return {line: lines[at - 1] if at else lines[1] for lines in groups for at, line in enumerate(lines)}


def _write_more(job: Job, outputs: Outputs, whole: _Whole) -> UsageProblem | None:
    """Stale results and closing amounts."""
    options = job.options
    if options.dry_run:
        return None
    made: list[tuple[str, Path, Iterable[bytes]]] = []
    if options.earlier:
        from rxcalc.driver.batch_stale import stale_lines

        places = {stale.row.number: whole.past.place(stale.row.number) for stale in whole.answer.stale}
        made.append(("stale", options.stale_path, stale_lines(job.plan, whole.answer.stale, places)))
    if options.closing is not None:
        made.append(("closing", options.closing, closing_lines(job.plan, whole.answer.closing)))
    return _add(outputs, made)


def _write_groups(job: Job, outputs: Outputs, groups: Sequence[GroupOutcome]) -> UsageProblem | None:
    """The files of all kinds of groups across bills."""
    options = job.options
    files = group_files(job.plan, groups)
    if options.dry_run or not files:
        return None
    problem = outputs.folder(options.groups_path)
    made = [(f"group {file.name}", options.groups_path / file.name, file.lines) for file in files]
    return problem or _add(outputs, made)


def _add(outputs: Outputs, made: Iterable[tuple[str, Path, Iterable[bytes]]]) -> UsageProblem | None:
    """Small files, by what they are."""
    for what, path, lines in made:
        problem = outputs.add(what, path)
        if problem is not None:
            return problem
        for line in lines:
            outputs.drafts[what].write(line)
    return None


def _write_list(
    of: ListJob, outputs: Outputs, read: ListRead, verdicts: Verdicts, progress: Progress
) -> Tally | UsageProblem:
    def work(number: int, raw: Raw) -> Finished:
        judged: Judged = of.job.judged(raw)
        if (
            number >= len(read.episodes) or judged.records != read.episodes[number].len()
        ):  # changed: digests will differ
            return finish_block(of.job, judged, pl.DataFrame(schema={ROW: pl.Int64}), (), {})
        return finish_lines(read, number, judged, verdicts)

    results, rejects = outputs.of_list(of.spec.name)
    return write_through(of.job, results, rejects, work, progress, unique=False)
