"""Runs a rulebook over a file of episodes: read, judge, compute, write, account."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING

import polars as pl

from rxcalc import __version__
from rxcalc.driver.batch_blocks import NOTE, Evaluator, Finished, Job, RowProblem, compute_block, finish_block, in_order
from rxcalc.driver.batch_report import BatchOptions, BatchReport, RejectExample, passes_limit
from rxcalc.inputs.cells import CellProblem
from rxcalc.inputs.tables import ROW, TableReader
from rxcalc.passes.sequence import placing_fields
from rxcalc.plan.nodes import Plan, Value
from rxcalc.tabular import problems
from rxcalc.tabular.accounts import Accounts
from rxcalc.tabular.duplicates import Ids, confirm
from rxcalc.tabular.header import RX_COLUMNS, match_columns
from rxcalc.tabular.judging import Judged
from rxcalc.tabular.problems import UsageProblem
from rxcalc.tabular.progress import Progress, Silent
from rxcalc.tabular.publish import Draft, distinct_files, open_draft, publish
from rxcalc.tabular.reader import BlockReader, RawBlock, read_head
from rxcalc.tabular.rejects import Reject, reject_line, rejects_header
from rxcalc.tabular.selection import select_columns
from rxcalc.tabular.summary import FileFacts, SummaryFacts, summary_json

if TYPE_CHECKING:
    from rxcalc.backends.base import Outcome, Ran, Row
    from rxcalc.backends.exact import Exact

Duplicates = Mapping[int, Mapping[int, int]]  # per block: row to the line where its id stands too


@dataclass(slots=True)
class _Tally:
    """What has been added up over the blocks so far."""

    accounts: Accounts
    codes: dict[str, int] = field(default_factory=dict)
    examples: dict[str, RejectExample] = field(default_factory=dict)
    defaults: dict[str, int] = field(default_factory=dict)
    starts: list[int] = field(default_factory=list)  # the first line of each block
    ids: Ids = field(default_factory=Ids)


@dataclass(frozen=True, slots=True)
class _Whole:
    """The results of all rows of a plan with a sequence, by place in the file."""

    values: pl.DataFrame
    problems: Mapping[int, tuple[tuple[int, RowProblem], ...]]  # per block, by row in it
    decimals: Mapping[str, int]
    bases: tuple[int, ...]  # the first row of each block
    duplicates: Duplicates
    unknown: int  # data rows whose sequence cannot be read
    digest: str


def run_batch(
    plan: Plan, options: BatchOptions, progress: Progress | None = None, evaluator: Evaluator | None = None
) -> BatchReport:
    """The outcome of a batch. Files appear whole or not at all; nothing is left behind on a failure.

    Stateless plans stream in bounded memory. Plans with a sequence hold the typed columns of all rows,
    since an episode's earlier ones may stand anywhere in the file; results keep the input's order.
    """
    started = time.monotonic()
    shown = progress or Silent()
    drafts: list[Draft] = []
    job = _prepare(plan, options, evaluator)
    if isinstance(job, UsageProblem):
        return BatchReport(problem=job)
    try:
        return _run(job, drafts, shown, started)
    except OSError as error:
        return BatchReport(problem=problems.cannot_write(str(options.results), error.strerror or str(error)))
    finally:
        for draft in drafts:
            draft.discard()
        shown.close()


def _prepare(plan: Plan, options: BatchOptions, evaluator: Evaluator | None) -> Job | UsageProblem:
    limit = passes_limit(options.max_rejects, 0, 1)
    if isinstance(limit, UsageProblem):
        return limit
    if not options.results.name:
        return problems.cannot_write(str(options.results), "it names no file")
    separator = "\t" if options.episodes.suffix.lower() in {".tsv", ".tab"} else ","
    head = read_head(options.episodes, separator)
    if isinstance(head, UsageProblem):
        return head
    targets = (
        ("the results", options.results),
        ("the rejects", options.rejects_path),
        ("the summary", options.summary_path),
    )
    clash = distinct_files(
        (("the input", options.episodes), *(("a file of the rulebook", f) for f in options.reads)), targets
    )
    if clash is not None:
        return clash
    columns = match_columns(str(options.episodes), head.names, plan, options.columns)
    if isinstance(columns, UsageProblem):
        return columns
    form = select_columns(plan, columns, options.select, head.separator)
    if isinstance(form, UsageProblem):
        return form
    if options.after_reject == "compute" and plan.sequence is not None:
        form = replace(form, computed=(*form.computed, NOTE))
    tables = TableReader(plan)
    keep = frozenset() if form.whole else frozenset(form.echoed)
    shape = tables.shape(columns.inputs, len(head.names), head.separator, keep)
    back_end, exact_steps = (evaluator, {}) if evaluator is not None else _columnar(plan)
    return Job(plan, options, head, columns, form, tables, back_end, exact_steps, shape)


def _columnar(plan: Plan) -> tuple[Evaluator, Mapping[str, str]]:
    """The columnar back end, and the steps that it leaves to the exact evaluator with the reason."""
    from rxcalc.backends.columnar import Columnar

    later = _Exact(plan)
    found = Columnar(plan, later.episode, later.person)
    return found, dict(found.program.formed.reasons)


class _Exact:
    """The exact evaluator, imported and made when a row needs it: most batches have none."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    @cached_property
    def _exact(self) -> Exact:
        from rxcalc.backends.exact import Exact

        return Exact(self._plan)

    def episode(self, inputs: Mapping[str, Value], windows: Mapping[int, Value] | None) -> Outcome:
        return self._exact.run_scalar(inputs, windows)

    def person(self, rows: Sequence[Row], *, compute: bool) -> Sequence[Ran]:
        from rxcalc.backends.history import run_person

        return run_person(self._exact, rows, compute=compute)


def _run(job: Job, drafts: list[Draft], progress: Progress, started: float) -> BatchReport:
    if job.plan.sequence is not None:
        whole = _compute_whole(job, progress)
        if isinstance(whole, UsageProblem):
            return BatchReport(problem=whole)
        found = _write(job, drafts, whole.duplicates, whole, progress, started)
    else:
        found = _write(job, drafts, {}, None, progress, started)
        if not isinstance(found, BatchReport):  # ids that occur twice: known only now, so once more
            for draft in drafts:
                draft.discard()
            drafts.clear()
            found = _write(job, drafts, found, None, progress, started)
    if isinstance(found, BatchReport):
        return found
    return BatchReport(problem=problems.changed_file(str(job.options.episodes)))


def _compute_whole(job: Job, progress: Progress) -> _Whole | UsageProblem:
    """All rows read, judged and computed in one columnar run."""
    sequence, options = job.plan.sequence, job.options
    by = sequence.by if sequence is not None else ""
    reader = BlockReader(job.options.episodes, job.head, job.options.block)
    frames: list[pl.DataFrame] = []
    bases: list[int] = []
    starts: list[int] = []
    numbers: list[tuple[int, ...] | None] = []
    ids = Ids()
    row, line, unknown = 0, job.head.line, 0
    keys = placing_fields(job.plan)

    def work(_: int, raw: RawBlock) -> tuple[pl.DataFrame, Judged]:
        judged = job.judged(raw)
        return _with_keys(judged.data_frame(), judged, by, keys), judged

    for frame, judged in in_order(reader, work, job.options.threads):
        bases.append(row)
        starts.append(line)
        numbers.append(judged.block.numbers)
        ids.add(judged)
        unknown += frame.get_column(by).null_count()
        frames.append(frame.filter(pl.col(by).is_not_null()).with_columns(pl.col(ROW) + row))
        row += judged.records
        line += judged.block.height
        progress.update(reader.bytes_read // 2, job.head.size, row)
    if reader.problem is not None:
        return reader.problem
    duplicates = _duplicates(job, ids, starts)
    if not frames:
        frames.append(_empty(job))
    frame = pl.concat(frames)
    frames.clear()
    doubled = [bases[block] + place for block, places in duplicates.items() for place in places]
    if doubled:
        frame = frame.with_columns(pl.col("__bad") | pl.col(ROW).is_in(doubled))
    computed = job.evaluator.run(frame, job.outputs, after_reject=options.after_reject)
    by_block: dict[int, list[tuple[int, RowProblem]]] = {}
    edges = pl.Series(bases, dtype=pl.Int64)
    for place, problem in computed.problems:
        block = int(edges.search_sorted(place, side="right")) - 1
        if problem.code == "RX811" and problem.value.isdigit():
            earlier = int(problem.value)
            at = int(edges.search_sorted(earlier, side="right")) - 1
            lines = numbers[at]
            shift = earlier - bases[at]
            problem = _depends(problem.field, starts[at] + (lines[shift] if lines is not None else shift))  # noqa: PLW2901 in a user's words
        by_block.setdefault(block, []).append((place - bases[block], problem))
    values = computed.values if computed.values.get_column(ROW).is_sorted() else computed.values.sort(ROW)
    if NOTE in job.form.computed:
        marked = pl.col(ROW).is_in(sorted(computed.marked))
        values = values.with_columns(pl.when(marked).then(pl.lit("RX811")).cast(pl.Enum(["RX811"])).alias(NOTE))
    found = {block: tuple(many) for block, many in by_block.items()}
    return _Whole(values, found, computed.decimals, tuple(bases), duplicates, unknown, reader.digest)


def _depends(window: str, line: int) -> CellProblem:
    """Why an episode after a refused one is refused too."""
    message = f"an earlier episode that the window `{window}` reads was refused, on line {line}; mend that one first"
    return CellProblem("RX811", window, f"line {line}", message)


def _empty(job: Job) -> pl.DataFrame:
    """The typed table of a file without records."""
    texts = pl.DataFrame(schema=dict.fromkeys(job.columns.inputs, pl.String))
    no = pl.lit(value=False)
    return job.tables.read(texts).frame.with_columns(no.alias("__bad"), no.alias("__key_unreadable"))


def _with_keys(frame: pl.DataFrame, judged: Judged, by: str, keys: frozenset[str]) -> pl.DataFrame:
    """The frame with `__key_unreadable`: refused rows of which nobody knows which later rows could read them."""
    unread = [row for row, found in judged.refused.items() if any(p.field in keys and p.code != "RX744" for p in found)]
    return frame.with_columns((pl.col(ROW).is_in(unread) | pl.col(by).is_null()).alias("__key_unreadable"))


def _slice(whole: _Whole, block: int, judged: Judged) -> pl.DataFrame:
    """The results of a block's rows, numbered in the block."""
    base = whole.bases[block]
    have = whole.values.get_column(ROW)
    start = int(have.search_sorted(base, side="left"))
    end = int(have.search_sorted(base + judged.records, side="left"))
    return whole.values.slice(start, end - start).with_columns(pl.col(ROW) - base)


def _write(
    job: Job, drafts: list[Draft], duplicates: Duplicates, whole: _Whole | None, progress: Progress, started: float
) -> BatchReport | Duplicates:
    """The report of a run through the file; or the duplicate ids it met that it did not know of."""
    options = job.options
    results = rejects = None
    if not options.dry_run:
        for target in (options.results, options.rejects_path):
            draft = open_draft(target)
            if isinstance(draft, UsageProblem):
                return BatchReport(problem=draft)
            drafts.append(draft)
        results, rejects = drafts[0], drafts[1]
        results.write(job.form.header())
        rejects.write(rejects_header(job.columns, job.head.separator))
    tally = _Tally(Accounts(job.tables.money))
    reader = BlockReader(options.episodes, job.head, options.block)

    def work(number: int, raw: RawBlock) -> Finished:
        judged = job.judged(raw, duplicates.get(number))
        if whole is None:
            return compute_block(job, judged)
        if number >= len(whole.bases):  # the file has grown; the digests will differ
            return finish_block(job, judged, whole.values.clear(), (), whole.decimals)
        return finish_block(job, judged, _slice(whole, number, judged), whole.problems.get(number, ()), whole.decimals)

    line = job.head.line
    for finished in in_order(reader, work, options.threads):
        tally.starts.append(line)
        for data in _told(job, finished, line, tally):
            if rejects is not None:
                rejects.write(data)
        if results is not None:
            for part in finished.lines:
                results.write(part)
        line += finished.judged.block.height
        progress.update(reader.bytes_read, job.head.size, tally.accounts.read.records)
    if reader.problem is not None:
        return BatchReport(problem=reader.problem)
    if whole is not None and whole.digest != reader.digest:
        return BatchReport(problem=problems.changed_file(str(options.episodes)))
    if whole is None:
        found = _duplicates(job, tally.ids, tally.starts)
        if found != duplicates:
            return found
    return _conclude(job, drafts, tally, reader, whole.unknown if whole is not None else 0, started)


def _told(job: Job, finished: Finished, line: int, tally: _Tally) -> Iterator[bytes]:
    """The lines of the rejects file for a block, while everything about the block is added up."""
    judged = finished.judged
    block = judged.block
    tally.accounts.merge(finished.accounts)
    tally.ids.add(judged)
    for name, count in finished.defaults.items():
        tally.defaults[name] = tally.defaults.get(name, 0) + count
    rows = sorted(finished.refused)
    if not rows:
        return
    texts = block.lines.gather(rows).to_list()
    for row, raw, fields in zip(rows, texts, block.texts(rows), strict=True):
        found = finished.refused[row]
        first = found[0]
        at = line + block.line(row)
        tally.codes[first.code] = tally.codes.get(first.code, 0) + 1
        tally.examples.setdefault(first.code, RejectExample(at, first.field, first.message))
        yield reject_line(Reject(at, fields, raw or "", found), job.columns, job.head.separator)


def _duplicates(job: Job, ids: Ids, starts: list[int]) -> dict[int, dict[int, int]]:
    """The rows whose id stands elsewhere too, confirmed on the ids themselves."""
    suspects = ids.suspects()
    if not suspects:
        return {}
    blocks = BlockReader(job.options.episodes, job.head, job.options.block)
    return confirm(
        suspects,
        (
            (number, starts[number], partial(job.judged, raw))
            for number, raw in enumerate(blocks)
            if number < len(starts)
        ),
    )


def _conclude(
    job: Job, drafts: list[Draft], tally: _Tally, reader: BlockReader, unknown: int, started: float
) -> BatchReport:
    """Files published and the report made."""
    options, plan = job.options, job.plan
    accounts = tally.accounts
    faults = accounts.differences()
    if faults:
        return BatchReport(
            problem=UsageProblem(f"the accounts do not reconcile, a fault of rxcalc: {'; '.join(faults)}")
        )
    rejected = accounts.kinds["rejected"].records
    held = passes_limit(options.max_rejects, rejected, accounts.read.records - accounts.kinds["blank"].records) is True
    assumptions = tuple(f"{call.key}: nothing before the first episode in the file" for call in plan.window_calls)
    if plan.window_calls and any(name in RX_COLUMNS for name in job.head.names):
        assumptions += (
            "this is a rejects file: episodes that were written before are not in it, so they count as nothing",
        )
    problem = None
    if held:
        problem = UsageProblem(
            f"{rejected:,} records were rejected, more than --max-rejects {options.max_rejects}; no results were published",
            ("mend the records in the rejects file, or allow more",),
        )
    published: tuple[Draft, ...] = ()
    if drafts:
        results, rejects = drafts
        files = {"input": FileFacts(name=options.episodes.name, size=reader.bytes_read, sha256=reader.digest)}
        if not held:
            files["results"] = FileFacts(name=options.results.name, size=results.size, sha256=results.digest)
        files["rejects"] = FileFacts(name=options.rejects_path.name, size=rejects.size, sha256=rejects.digest)
        facts = SummaryFacts(
            version=__version__,
            status="refused" if held else "incomplete" if rejected else "complete",
            files=files,
            options=options.as_json(),
            columns=job.columns,
            accounts=accounts,
            decimals=job.tables.decimals,
            reject_codes=tally.codes,
            defaults=tally.defaults,
            assumptions=assumptions,
            exact_steps=job.exact_steps,
            unknown_sequence=unknown,
            seconds=time.monotonic() - started,
        )
        summary = open_draft(options.summary_path)
        if isinstance(summary, UsageProblem):
            return BatchReport(problem=summary)
        drafts.append(summary)
        summary.write(summary_json(plan, facts))
        published = (rejects, summary) if held else (results, rejects, summary)
        failure = publish(published)
        if failure is not None:
            return BatchReport(problem=failure)
    return BatchReport(
        problem=problem,
        accounts=accounts,
        decimals=job.tables.decimals,
        reject_codes=tally.codes,
        examples=tally.examples,
        defaults=tally.defaults,
        assumptions=assumptions,
        unknown_sequence=unknown,
        published=tuple(draft.shown for draft in published),
        seconds=time.monotonic() - started,
    )
