"""The end of a batch: accounts held against each other, the summary, files published, the report."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rxcalc import __version__
from rxcalc.driver.batch_lists import ListJob
from rxcalc.driver.batch_past import Past, assumed_of
from rxcalc.driver.batch_prepare import Prepared
from rxcalc.driver.batch_report import BatchReport, FindingReport, GroupReport, ListReport, passes_limit
from rxcalc.driver.batch_write import Tally
from rxcalc.inputs.openings import is_limited, window_calls
from rxcalc.tabular import problems
from rxcalc.tabular.header import RX_COLUMNS
from rxcalc.tabular.problems import UsageProblem
from rxcalc.tabular.publish import Draft, open_draft, publish
from rxcalc.tabular.summary import FileFacts, SummaryFacts, accounts_json, summary_json


@dataclass(slots=True)
class Outputs:
    """The files that a batch writes, each under a temporary name until all are published. A dry run has none."""

    prepared: Prepared
    drafts: dict[str, Draft] = field(default_factory=dict)
    made: Path | None = None  # a folder that was not there before
    temporary: list[Path] = field(default_factory=list)

    def open(self) -> UsageProblem | None:
        """Opens the files that are written while the input is gone through."""
        options = self.prepared.job.options
        if options.dry_run:
            return None
        targets = {"results": options.results, "rejects": options.rejects_path}
        if self.prepared.job.plan.checks:
            targets["findings"] = options.findings_path
        for of in self.prepared.lists:
            targets[f"{of.spec.name} rejects"] = of.rejects
            if of.results is not None:
                targets[f"{of.spec.name} results"] = of.results
        return next((problem for what, path in targets.items() if (problem := self.add(what, path)) is not None), None)

    def add(self, what: str, path: Path) -> UsageProblem | None:
        """Opens one more file."""
        draft = open_draft(path, self.temporary)
        if isinstance(draft, UsageProblem):
            return draft
        self.drafts[what] = draft
        return None

    @property
    def results(self) -> Draft | None:
        """The results file."""
        return self.drafts.get("results")

    @property
    def findings(self) -> Draft | None:
        """The file of findings, if the rulebook has checks."""
        return self.drafts.get("findings")

    @property
    def rejects(self) -> Draft | None:
        """The rejects file."""
        return self.drafts.get("rejects")

    def of_list(self, name: str) -> tuple[Draft | None, Draft | None]:
        """The results and rejects of a list."""
        return self.drafts.get(f"{name} results"), self.drafts.get(f"{name} rejects")

    def folder(self, path: Path) -> UsageProblem | None:
        """Makes a folder for files to come, unless it is there."""
        try:
            if not path.is_dir():
                path.mkdir()
                self.made = path
        except OSError as error:
            return problems.cannot_write(str(path), error.strerror or str(error))
        return None

    def discard(self) -> None:
        """Removes what is not published."""
        for draft in self.drafts.values():
            draft.discard()
        self.drafts.clear()
        for path in self.temporary:
            with contextlib.suppress(OSError):  # most have gone with their draft, or were published
                path.unlink(missing_ok=True)
        self.temporary.clear()
        if self.made is not None:
            with contextlib.suppress(OSError):  # it holds what was published
                self.made.rmdir()


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeFacts:
    """What is known of a run whose rows were computed together: see `BatchReport`."""

    unknown: int = 0  # rows whose sequence cannot be read
    unlinked: Mapping[str, int] = field(default_factory=dict)  # by list: rows whose episode cannot be read
    incomplete: int = 0
    past: Past = field(default_factory=Past)
    stale: int = 0
    affected: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    groups: Mapping[str, GroupReport] = field(default_factory=dict)
    findings: Mapping[str, FindingReport] = field(default_factory=dict)


def conclude(
    prepared: Prepared,
    outputs: Outputs,
    tally: Tally,
    lists: Mapping[str, Tally],
    whole: WholeFacts,
    started: float,
) -> BatchReport:
    """Files published and the report made."""
    job = prepared.job
    options, plan, accounts = job.options, job.plan, tally.accounts
    faults = [*accounts.differences(), *(f"{name}: {f}" for name, t in lists.items() for f in t.accounts.differences())]
    if faults:
        return BatchReport(
            problem=UsageProblem(f"the accounts do not reconcile, a fault of rxcalc: {'; '.join(faults)}")
        )
    rejected = accounts.kinds["rejected"].records
    held = passes_limit(options.max_rejects, rejected, accounts.read.records - accounts.kinds["blank"].records) is True
    assumptions = _assumptions(prepared)
    if rejected and options.closing is not None:
        assumptions += (f"the closing amounts lack the {rejected:,} rejected record(s)",)
    problem = None
    if held:
        problem = UsageProblem(
            f"{rejected:,} records were rejected, more than --max-rejects {options.max_rejects}; no results were published",
            ("mend the records in the rejects file, or allow more",),
        )
    reports = {of.spec.name: _list_report(of, lists[of.spec.name], whole.unlinked) for of in prepared.lists}
    broken = (
        bool(rejected)
        or whole.incomplete > 0
        or whole.stale > 0
        or any(found.reject_codes for found in reports.values())
    )
    published: tuple[Draft, ...] = ()
    if not options.dry_run:
        more: dict[str, object] = {}
        if prepared.lists:
            more["lists"] = {
                of.spec.name: _list_json(of, outputs, lists[of.spec.name], whole.unlinked, held=held)
                for of in prepared.lists
            }
        more |= _more(prepared, outputs, whole, held=held)
        files = {"input": FileFacts(name=options.episodes.name, size=tally.size, sha256=tally.digest)}
        if not held:
            files["results"] = _facts(outputs.drafts["results"])
        files["rejects"] = _facts(outputs.drafts["rejects"])
        facts = SummaryFacts(
            version=__version__,
            status="refused" if held else "incomplete" if broken else "complete",
            files=files,
            options=options.as_json(),
            columns=job.columns,
            accounts=accounts,
            decimals=job.tables.decimals,
            reject_codes=tally.codes,
            defaults=tally.defaults,
            assumptions=assumptions,
            exact_steps=job.exact_steps,
            unknown_sequence=whole.unknown,
            seconds=time.monotonic() - started,
            more=more,
        )
        failure = outputs.add("summary", options.summary_path)
        if failure is not None:
            return BatchReport(problem=failure)
        outputs.drafts["summary"].write(summary_json(plan, facts))
        told = ("summary", "rejects", " rejects", ".rejects.csv")  # what is published even when no results are
        kept = [d for what, d in outputs.drafts.items() if not held or what.endswith(told)]
        published = tuple(kept)
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
        unknown_sequence=whole.unknown,
        lists=reports,
        groups=whole.groups,
        findings=whole.findings,
        incomplete=whole.incomplete,
        stale=whole.stale,
        affected=sum(len(names) for names in whole.affected.values()),
        published=tuple(draft.shown for draft in published),
        seconds=time.monotonic() - started,
    )


def _assumptions(prepared: Prepared) -> tuple[str, ...]:
    """What was taken for granted about things that no file says."""
    job = prepared.job
    calls = window_calls(job.plan)
    rest = [
        what
        for what, given in (("earlier results", prepared.past), ("opening amounts", prepared.openings.people))
        if given
    ]
    before = f"and in the {' and '.join(rest)}" if rest else ""
    found = [f"{call.key}: nothing before the first episode in the file {before}".rstrip() for call in calls]
    found += assumed_of(prepared.past)
    found += [f"{name} in the folder of groups is no input of a group: not read" for name in prepared.groups.others]
    found += _unused(prepared)
    if calls and any(name in RX_COLUMNS for name in job.head.names):
        found.append(
            "this is a rejects file: episodes that were written before are not in it, so they count as nothing"
        )
    given = {of.spec.name for of in prepared.lists}
    found += [
        f"{spec.name}: no file is given, so no episode has any" for spec in job.plan.lists if spec.name not in given
    ]
    return tuple(found)


def _unused(prepared: Prepared) -> list[str]:
    """Calls that closing amounts cannot carry on."""
    plan, options = prepared.job.plan, prepared.job.options
    limited = [call.key for call in window_calls(plan) if is_limited(plan, call)]
    found: list[str] = []
    if limited and options.closing is not None:
        found.append(f"{', '.join(limited)}: not in the closing amounts, since no later run could go on from them")
    return found


def _more(prepared: Prepared, outputs: Outputs, whole: WholeFacts, *, held: bool) -> dict[str, object]:
    """What the summary says of groups, earlier results, opening and closing amounts."""
    more: dict[str, object] = {}
    if whole.incomplete:
        more["incomplete_results"] = whole.incomplete
    if whole.past.reads:
        more["earlier"] = [read.facts.as_json() for read in whole.past.reads]
        stale = {} if held else _facts(outputs.drafts["stale"]).as_json()
        more["stale"] = {"results": whole.stale, **stale}
    if prepared.openings.facts is not None:
        more["opening"] = prepared.openings.facts.as_json()
    if "closing" in outputs.drafts and not held:
        more["closing"] = _facts(outputs.drafts["closing"]).as_json()
    if whole.groups:
        more["groups"] = {
            name: _group_json(prepared, outputs, name, found, held=held) for name, found in whole.groups.items()
        }
    if whole.findings:
        more["findings"] = _findings_json(prepared, outputs, whole.findings, held=held)
    if whole.affected:
        more["affected_by_reversals"] = {name: list(names) for name, names in whole.affected.items()}
    return more


def _findings_json(
    prepared: Prepared, outputs: Outputs, found: Mapping[str, FindingReport], *, held: bool
) -> dict[str, object]:
    job = prepared.job
    file = {} if held else _facts(outputs.drafts["findings"]).as_json()
    checks = {name: report.as_json(job.plan.decimals) for name, report in found.items()}
    return {**file, "language": job.options.language, "checks": checks}


def _group_json(
    prepared: Prepared, outputs: Outputs, name: str, found: GroupReport, *, held: bool
) -> dict[str, object]:
    given = prepared.groups.files.get(name)
    files = {"input": given.as_json()} if given is not None else {}
    if not held:
        files["results"] = _facts(outputs.drafts[f"group {name}.csv"]).as_json()
    files["rejects"] = _facts(outputs.drafts[f"group {name}.rejects.csv"]).as_json()
    return {
        **files,
        "groups": found.groups,
        "members": found.members,
        "rejected_members": found.rejected,
        "incomplete": found.incomplete,
        "rejects_by_code": dict(sorted(found.reject_codes.items())),
        **({"unknown_group": found.unplaced} if found.unplaced else {}),
    }


def _facts(draft: Draft) -> FileFacts:
    return FileFacts(name=draft.shown.name, size=draft.size, sha256=draft.digest)


def _list_json(
    of: ListJob, outputs: Outputs, tally: Tally, unlinked: Mapping[str, int], *, held: bool
) -> dict[str, object]:
    name = of.spec.name
    results, rejects = outputs.of_list(name)
    files = {"input": FileFacts(name=of.name, size=tally.size, sha256=tally.digest)}
    if results is not None and not held:
        files["results"] = _facts(results)
    if rejects is not None:
        files["rejects"] = _facts(rejects)
    body = accounts_json(files, tally.accounts, of.job.tables.decimals, of.job.columns, tally.codes, tally.defaults)
    if unlinked.get(name):
        body["unknown_episode"] = {
            "records": unlinked[name],
            "meaning": "their episode_id cannot be read, so the episode that they belong to is computed without them",
        }
    return body


def _list_report(of: ListJob, tally: Tally, unlinked: Mapping[str, int]) -> ListReport:
    return ListReport(
        accounts=tally.accounts,
        decimals=of.job.tables.decimals,
        reject_codes=tally.codes,
        examples=tally.examples,
        defaults=tally.defaults,
        unlinked=unlinked.get(of.spec.name, 0),
    )
