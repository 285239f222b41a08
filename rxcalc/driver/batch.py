"""Runs a rulebook over a file of episodes: read, judge, compute, write, account."""

from __future__ import annotations

import errno
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from rxcalc.driver.batch_blocks import ComputedGroups, Evaluator, Finished, Job, compute_block, finish_block
from rxcalc.driver.batch_conclude import WholeFacts, conclude
from rxcalc.driver.batch_findings import FindingsFile
from rxcalc.driver.batch_groups import group_files, group_reports
from rxcalc.driver.batch_lists import ListRead
from rxcalc.driver.batch_openings import closing_lines
from rxcalc.driver.batch_prepare import Prepared, prepare
from rxcalc.driver.batch_read import Duplicates, Kept, MainRead, duplicates
from rxcalc.driver.batch_report import BatchOptions, BatchReport
from rxcalc.driver.batch_session import Passed, Session, open_session
from rxcalc.driver.batch_store import Store, Taken
from rxcalc.driver.batch_whole import Whole, compute_whole, stores_of
from rxcalc.driver.batch_write import Pass, Tally
from rxcalc.inputs.tables import ROW
from rxcalc.plan.nodes import Plan
from rxcalc.tabular import problems
from rxcalc.tabular.blocks import Raw
from rxcalc.tabular.duplicates import Ids
from rxcalc.tabular.problems import UsageProblem
from rxcalc.tabular.progress import Progress, Silent
from rxcalc.tabular.publish import DamagedError
from rxcalc.tabular.spool import SpoolError

if TYPE_CHECKING:
    from rxcalc.backends.base import GroupOutcome


def run_batch(
    plan: Plan, options: BatchOptions, progress: Progress | None = None, evaluator: Evaluator | None = None
) -> BatchReport:
    """The outcome of a batch. Files appear whole or not at all; nothing is left behind on a failure.

    A run that is interrupted (Ctrl-C, a signal, a crash) leaves its parts and a journal in `options.work_path`; with
    `options.resume` the next one goes on from there. Plans whose episodes are computed each by itself stream in bounded
    memory. Others (earlier episodes, lines in another file, groups) are computed part by part, where they can be
    divided; results keep the input's order.
    """
    started = time.monotonic()
    shown = progress or Silent()
    prepared = prepare(plan, options, evaluator)
    if isinstance(prepared, UsageProblem):
        return BatchReport(problem=prepared)
    session = open_session(prepared)
    if isinstance(session, UsageProblem):
        return BatchReport(problem=session)
    keep = True
    try:
        try:
            report = _run(prepared, session, shown, started)
        except (DamagedError, SpoolError):
            if session.left.start is None:
                raise
            session.begin_again()
            report = _run(prepared, session, shown, started)
        keep = False
    except OSError as error:
        keep = False
        report = BatchReport(problem=_failed(options, error))
    except Exception:
        keep = False
        raise
    except BaseException as stop:  # Ctrl-C or a signal
        stop.add_note(session.kept())
        raise
    finally:
        session.close(keep=keep)
        shown.close()
    return report


def _failed(options: BatchOptions, error: OSError) -> UsageProblem:
    """Why files could not be written or read."""
    problem = problems.cannot_write(str(options.results), error.strerror or str(error))
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return replace(
            problem,
            help=("free some space there, or put rows aside elsewhere with --temp-dir; old files are as they were",),
        )
    return problem


def _run(prepared: Prepared, session: Session, progress: Progress, started: float) -> BatchReport:
    checks = prepared.job.plan.checks
    findings = FindingsFile.of(prepared.job.plan, prepared.job.options) if checks else None
    run = _whole if prepared.whole else _stream
    done = run(prepared, session, findings, progress)
    if isinstance(done, UsageProblem):
        return BatchReport(problem=done)
    done.facts.findings = findings.report() if findings is not None else {}
    return conclude(prepared, session, done.tally, done.lists, done.facts, started)


@dataclass(slots=True)
class _Done:
    """All files are gone through."""

    tally: Tally
    lists: Mapping[str, Tally]
    facts: WholeFacts


def _open(session: Session, prepared: Prepared) -> UsageProblem | None:
    """Opens the files that are written while inputs are gone through."""
    targets = prepared.targets
    wanted = ["results", "rejects", *(["findings"] if prepared.job.plan.checks else [])]
    for of in prepared.lists:
        wanted += [f"{of.spec.name} rejects", *([f"{of.spec.name} results"] if of.results is not None else [])]
    found = (session.add(what, targets[what]) for what in wanted)
    return next((problem for problem in found if problem is not None), None)


# ---- blocks computed as they come -------------------------------------------------------------------


def _stream(
    prepared: Prepared, session: Session, findings: FindingsFile | None, progress: Progress
) -> _Done | UsageProblem:
    """Blocks are read, computed and written one after the other."""
    job = prepared.job
    known: Duplicates = _known(session.left.round["known"]) if session.left.round is not None else {}
    for _ in range(2):  # ids that occur twice in a stream are known only at its end, so then once more
        stream = _Stream(prepared, known, session, findings)
        if not stream.reopen():
            session.begin_again()
            return _stream(prepared, session, findings, progress)
        problem = _open(session, prepared)
        if problem is not None:
            return problem
        tally = stream.written().through(session, progress)
        if isinstance(tally, UsageProblem):
            return tally
        known = stream.doubled(tally)
        if known == stream.known:
            facts = stream.settled()
            return facts if isinstance(facts, UsageProblem) else _Done(tally, {}, facts)
        session.begin_round(
            {str(block): {str(row): line for row, line in rows.items()} for block, rows in known.items()}
        )
        if findings is not None:
            findings.restore(FindingsFile.of(job.plan, job.options).state())
    return problems.changed_file(str(job.options.episodes))


def _known(state: Mapping[str, Mapping[str, int]]) -> dict[int, dict[int, int]]:
    """Doubled ids as the journal holds them."""
    return {int(block): {int(row): line for row, line in rows.items()} for block, rows in state.items()}


class _Stream:
    """One pass through the file, and the groups on which no bill depends. `known` are the ids that stand twice in it."""

    def __init__(self, prepared: Prepared, known: Duplicates, session: Session, findings: FindingsFile | None) -> None:
        self._prepared, self._job, self._session, self._findings = prepared, prepared.job, session, findings
        self.known = known
        self._ids = Ids(session.spool("ids"))
        self._kept = Kept(session.spool("kept")) if self._job.alone else None
        self._groups: ComputedGroups | None = None

    def reopen(self) -> bool:
        """Takes up what an interrupted run has put aside; False when it is not there any more."""
        latest = self._session.left.passes.get("", Passed()).latest
        if latest is None:
            return True
        return self._ids.reopen(latest["ids"]) and (self._kept is None or self._kept.reopen(latest["more"]["kept"]))

    def written(self) -> Pass:
        """The pass."""
        kept = self._kept
        return Pass(
            job=self._job,
            name="",
            results="results",
            rejects="rejects",
            work=lambda number, raw: compute_block(self._job, self._job.judged(raw, self.known.get(number))),
            ids=self._ids,
            seen=(lambda finished: kept.add(finished.judged)) if kept is not None else None,
            findings=self._findings,
            lines=self._lines,
            last=self._last,
            more=(lambda: {"kept": kept.state()}) if kept is not None else dict,
        )

    def doubled(self, tally: Tally) -> Duplicates:
        """The ids that stand twice, now that all are known."""
        return duplicates(self._job, self._ids, tally.starts)

    def settled(self) -> WholeFacts | UsageProblem:
        """What became of the groups, which are written."""
        job = self._job
        if self._kept is None:
            return WholeFacts()
        if self._too_large:
            return problems.too_much_memory(self._prepared.needed(self._kept.size), job.options.memory)
        found = self._groups or self._settle()
        problem = _write_groups(job, self._session, found.groups)
        return problem or WholeFacts(groups=group_reports(job.plan, found.groups, found.unplaced))

    @property
    def _too_large(self) -> bool:
        return self._kept is not None and self._kept.size > self._prepared.held

    def _lines(self, finished: Finished) -> Iterable[bytes]:
        findings = self._findings
        return [findings.line(name, found) for name, found in finished.findings] if findings is not None else ()

    def _last(self, tally: Tally) -> Iterable[bytes]:
        """The findings on groups."""
        if self._kept is None or self._findings is None or self._too_large or self.doubled(tally) != self.known:
            return ()
        self._groups = self._settle()
        return self._findings.of_groups(self._groups.groups)

    def _settle(self) -> ComputedGroups:
        assert self._job.settler is not None and self._kept is not None  # noqa: S101 - asked before
        frame = self._kept.frame(self._job)
        return self._job.settler.settle(frame, self._prepared.groups.rows, findings=self._findings is not None)


# ---- everything read and computed before anything is written ---------------------------------------


def _whole(
    prepared: Prepared, session: Session, findings: FindingsFile | None, progress: Progress
) -> _Done | UsageProblem:
    """What was computed is put aside, or was by an interrupted run; then the files are gone through once more."""
    job = prepared.job
    ready = _Ready.of(prepared, session)
    if ready is None and session.left.computed is not None:
        session.begin_again()
    if ready is None:
        found = compute_whole(prepared, session.folder, findings, progress)
        if isinstance(found, UsageProblem):
            return found
        problem = _write_rest(prepared, session, found)
        if problem is not None:
            return problem
        ready = _Ready.made(prepared, found, findings)
        session.note("computed", ready=ready.state(), drafts=session.states(*session.drafts))
    if findings is not None:
        findings.restore(ready.findings)
    problem = _open(session, prepared)
    if problem is not None:
        return problem
    tallies: dict[str, Tally] = {}
    for name, own in (("", job), *((of.spec.name, of.job) for of in prepared.lists)):
        tally = _ready_pass(ready, name, own, findings).through(session, progress)
        if isinstance(tally, UsageProblem):
            return tally
        if tally.digest != ready.digests[name]:
            return problems.changed_file(str(own.options.episodes))
        tallies[name] = tally
    return _Done(tallies.pop(""), tallies, ready.facts)


@dataclass(slots=True)
class _Ready:
    """Everything computed and put aside, ready to be written.

    By file ("" the episodes): where each block begins, the digest of what was read, and what was computed.
    """

    stores: Mapping[str, Store]
    bases: Mapping[str, Sequence[int]]
    digests: Mapping[str, str]
    doubled: Duplicates
    facts: WholeFacts
    findings: Sequence[Any] = ()
    last: Sequence[str] = ()  # lines of findings on groups

    @classmethod
    def made(cls, prepared: Prepared, whole: Whole, findings: FindingsFile | None) -> _Ready:
        """What was computed just now."""
        plan = prepared.job.plan
        facts = WholeFacts(
            unknown=whole.main.unknown,
            unlinked={name: read.unlinked for name, read in whole.lists.items()},
            incomplete=whole.incomplete,
            earlier=tuple(of.facts for of in whole.past.held),
            stale=len(whole.stale),
            affected=whole.affected,
            groups=group_reports(plan, whole.groups, whole.unplaced),
        )
        last = [line.decode() for line in findings.of_groups(whole.groups)] if findings is not None else []
        reads: dict[str, MainRead | ListRead] = {"": whole.main, **whole.lists}
        return cls(
            whole.stores,
            {name: read.places.bases for name, read in reads.items()},
            {name: read.digest for name, read in reads.items()},
            whole.main.duplicates,
            facts,
            findings.state() if findings is not None else (),
            last,
        )

    @classmethod
    def of(cls, prepared: Prepared, session: Session) -> _Ready | None:
        """What an interrupted run has put aside; None when there is nothing, or not all of it."""
        if session.left.computed is None:
            return None
        state = session.left.computed["ready"]
        stores = stores_of(session.folder, [of.spec.name for of in prepared.lists])
        if not all(store.reopen(state["stores"][name]) for name, store in stores.items()):
            return None
        facts = WholeFacts.of(state["facts"])
        doubled = _known(state["doubled"])
        return cls(stores, state["bases"], state["digests"], doubled, facts, state["findings"], state["last"])

    def state(self) -> dict[str, Any]:
        """What `of` needs, as JSON."""
        return {
            "stores": {name: store.state() for name, store in self.stores.items()},
            "bases": {name: list(bases) for name, bases in self.bases.items()},
            "digests": dict(self.digests),
            "doubled": {str(block): {str(r): line for r, line in rows.items()} for block, rows in self.doubled.items()},
            "facts": self.facts.state(),
            "findings": self.findings,
            "last": list(self.last),
        }


def _ready_pass(ready: _Ready, name: str, job: Job, findings: FindingsFile | None) -> Pass:
    """The pass through the episodes ("") or a list."""
    store, bases = ready.stores[name], ready.bases[name]
    doubled = ready.doubled if not name else {}
    only_accounts = bool(name) and name not in job.options.list_results

    def work(number: int, raw: Raw) -> Finished:
        judged = job.judged(raw, doubled.get(number))
        if number >= len(bases):  # the file has grown; the digests will differ
            return finish_block(job, judged, store.take(0, 0).values.clear(), (), store.decimals)
        taken: Taken = store.take(bases[number], judged.records)
        values = taken.values
        if only_accounts:  # nothing is written of the lines; every one that is not refused counts as written
            rows = judged.good if judged.good is not None else pl.int_range(judged.records, eager=True)
            values = pl.DataFrame({ROW: rows.cast(pl.Int64)})
        return replace(finish_block(job, judged, values, taken.problems, store.decimals), told=taken.findings)

    return Pass(
        job=job,
        name=name,
        results=f"{name} results" if name else "results",
        rejects=f"{name} rejects" if name else "rejects",
        work=work,
        findings=findings if not name else None,
        lines=lambda finished: [line.encode() for line in finished.told],
        last=lambda _: [line.encode() for line in ready.last],
    )


# ---- other files ------------------------------------------------------------------------------------


def _write_rest(prepared: Prepared, session: Session, whole: Whole) -> UsageProblem | None:
    """Stale results, closing amounts and groups."""
    job = prepared.job
    options = job.options
    made: list[tuple[str, Path, Iterable[bytes]]] = []
    if options.earlier:
        from rxcalc.driver.batch_stale import stale_header

        lines = [line for _, line in sorted(whole.stale, key=lambda item: item[0])]
        made.append(("stale", options.stale_path, [stale_header(job.plan, excel=options.excel), *lines]))
    if options.closing is not None:
        closing = sorted(whole.closing, key=lambda item: str(item[0]))
        made.append(("closing", options.closing, closing_lines(job.plan, closing)))
    return _add(session, made) or _write_groups(job, session, whole.groups)


def _write_groups(job: Job, session: Session, groups: Sequence[GroupOutcome]) -> UsageProblem | None:
    """The files of all kinds of groups across bills."""
    options = job.options
    files = group_files(job.plan, groups, excel=options.excel)
    if options.dry_run or not files:
        return None
    problem = session.make_folder(options.groups_path)
    made = [(f"group {file.name}", options.groups_path / file.name, file.lines) for file in files]
    return problem or _add(session, made)


def _add(session: Session, made: Iterable[tuple[str, Path, Iterable[bytes]]]) -> UsageProblem | None:
    """Small files, by what they are, written from their start."""
    for what, path, lines in made:
        problem = session.add_anew(what, path)
        if problem is not None:
            return problem
        for line in lines if session.noted else ():
            session.drafts[what].write(line)
    return None
