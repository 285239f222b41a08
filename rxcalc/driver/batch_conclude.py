"""The end of a batch: accounts held against each other, the summary, files published, the report."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rxcalc import __version__
from rxcalc.driver.batch_lists import ListJob
from rxcalc.driver.batch_past import assumed_of, rejected_before
from rxcalc.driver.batch_prepare import Prepared
from rxcalc.driver.batch_report import BatchReport, FindingReport, GroupReport, ListReport, passes_limit
from rxcalc.driver.batch_session import Session
from rxcalc.driver.batch_write import Tally
from rxcalc.inputs.openings import is_limited, window_calls
from rxcalc.tabular.header import RX_COLUMNS
from rxcalc.tabular.problems import UsageProblem
from rxcalc.tabular.publish import Draft
from rxcalc.tabular.summary import FileFacts, SummaryFacts, accounts_json, facts_of, summary_json


@dataclass(slots=True, kw_only=True)
class WholeFacts:
    """What is known of a run whose rows were computed together: see `BatchReport`."""

    unknown: int = 0  # rows whose sequence cannot be read
    unlinked: Mapping[str, int] = field(default_factory=dict)  # by list: rows whose episode cannot be read
    incomplete: int = 0
    earlier: tuple[FileFacts, ...] = ()  # the files of earlier results
    stale: int = 0
    affected: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    groups: Mapping[str, GroupReport] = field(default_factory=dict)
    findings: Mapping[str, FindingReport] = field(default_factory=dict)

    def state(self) -> dict[str, Any]:
        """Everything but the findings, for a journal: plain JSON."""
        return {
            "unknown": self.unknown,
            "unlinked": dict(self.unlinked),
            "incomplete": self.incomplete,
            "earlier": [[facts.name, facts.size, facts.sha256, str(facts.path)] for facts in self.earlier],
            "stale": self.stale,
            "affected": {name: list(names) for name, names in self.affected.items()},
            "groups": {name: dataclasses.asdict(report) for name, report in self.groups.items()},
        }

    @classmethod
    def of(cls, state: Mapping[str, Any]) -> WholeFacts:
        """The facts that had a state."""
        return cls(
            unknown=state["unknown"],
            unlinked=state["unlinked"],
            incomplete=state["incomplete"],
            earlier=tuple(
                FileFacts(name=name, size=size, sha256=digest, path=Path(path))
                for name, size, digest, path in state["earlier"]
            ),
            stale=state["stale"],
            affected={name: tuple(names) for name, names in state["affected"].items()},
            groups={name: GroupReport(**report) for name, report in state["groups"].items()},
        )


def conclude(
    prepared: Prepared,
    session: Session,
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
    assumptions = _assumptions(prepared, whole)
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
    published: tuple[Path, ...] = ()
    if not options.dry_run:
        more: dict[str, object] = {}
        if prepared.lists:
            more["lists"] = {
                of.spec.name: _list_json(of, session, lists[of.spec.name], whole.unlinked, held=held)
                for of in prepared.lists
            }
        more |= _more(prepared, session, whole, held=held)
        files = {"input": facts_of(job.source, tally.size, tally.digest)}
        if not held:
            files["results"] = _facts(session.drafts["results"])
        files["rejects"] = _facts(session.drafts["rejects"])
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
            titles=job.form.titles,
            folder=options.summary_path.parent,
            rulebook=options.rulebook,
            more=more,
        )
        failure = session.add_anew("summary", options.summary_path)
        if failure is not None:
            return BatchReport(problem=failure)
        session.drafts["summary"].write(summary_json(plan, facts))
        told = ("summary", "rejects", " rejects", ".rejects.csv")  # what is published even when no results are
        kept = [what for what in session.drafts if not held or what.endswith(told)]
        made = session.publish(*_ordered(kept))
        if isinstance(made, UsageProblem):
            return BatchReport(problem=made)
        published = made
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
        published=published,
        resumed=session.told,
        seconds=time.monotonic() - started,
    )


def _ordered(kept: list[str]) -> list[str]:
    """Files by when they get their name: the results come first here, hence last, and never stand without their rejects."""
    first = [what for what in ("results", "rejects") if what in kept]
    return [*first, *(what for what in kept if what not in first)]


def _assumptions(prepared: Prepared, whole: WholeFacts) -> tuple[str, ...]:
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
    found += [*assumed_of(prepared.past), *rejected_before(whole.earlier)]
    read = (job, *(of.job for of in prepared.lists), *(file.job for file in prepared.past))
    found += [told for one in read for told in one.source.assumed(one.columns.inputs)]
    found += [f"{name} in the folder of groups is no input of a group: not read" for name in prepared.groups.others]
    found += _unused(prepared)
    untold = dict.fromkeys(name for of in (job, *(of.job for of in prepared.lists)) for name in of.untold)
    if untold:
        found.append(
            f"--names {job.options.names}: the rulebook has none for {', '.join(untold)}, which keep their own"
        )
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


def _more(prepared: Prepared, session: Session, whole: WholeFacts, *, held: bool) -> dict[str, object]:
    """What the summary says of groups, earlier results, opening and closing amounts."""
    more: dict[str, object] = {}
    if whole.incomplete:
        more["incomplete_results"] = whole.incomplete
    if whole.earlier:
        more["earlier"] = [facts.as_json() for facts in whole.earlier]
        stale = {} if held else _facts(session.drafts["stale"]).as_json()
        more["stale"] = {"results": whole.stale, **stale}
    if prepared.openings.facts is not None:
        more["opening"] = prepared.openings.facts.as_json()
    if "closing" in session.drafts and not held:
        more["closing"] = _facts(session.drafts["closing"]).as_json()
    if whole.groups:
        more["groups"] = {
            name: _group_json(prepared, session, name, found, held=held) for name, found in whole.groups.items()
        }
    if whole.findings:
        more["findings"] = _findings_json(prepared, session, whole.findings, held=held)
    if whole.affected:
        hide = prepared.job.options.redact
        shown = (lambda name: name) if hide is None else hide.pseudonym
        more["affected_by_reversals"] = {shown(n): [shown(one) for one in names] for n, names in whole.affected.items()}
    return more


def _findings_json(
    prepared: Prepared, session: Session, found: Mapping[str, FindingReport], *, held: bool
) -> dict[str, object]:
    job = prepared.job
    file = {} if held else _facts(session.drafts["findings"]).as_json()
    checks = {name: report.as_json(job.plan.decimals) for name, report in found.items()}
    return {**file, "language": job.options.language, "checks": checks}


def _group_json(
    prepared: Prepared, session: Session, name: str, found: GroupReport, *, held: bool
) -> dict[str, object]:
    given = prepared.groups.files.get(name)
    files = {"input": given.as_json()} if given is not None else {}
    if not held:
        files["results"] = _facts(session.drafts[f"group {name}.csv"]).as_json()
    files["rejects"] = _facts(session.drafts[f"group {name}.rejects.csv"]).as_json()
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
    return FileFacts(name=draft.shown.name, size=draft.size, sha256=draft.digest, path=draft.shown)


def _list_json(
    of: ListJob, session: Session, tally: Tally, unlinked: Mapping[str, int], *, held: bool
) -> dict[str, object]:
    name = of.spec.name
    results, rejects = session.drafts.get(f"{name} results"), session.drafts.get(f"{name} rejects")
    files = {"input": facts_of(of.job.source, tally.size, tally.digest)}
    if results is not None and not held:
        files["results"] = _facts(results)
    if rejects is not None:
        files["rejects"] = _facts(rejects)
    own = of.job
    body = accounts_json(
        files, tally.accounts, own.tables.decimals, own.columns, tally.codes, tally.defaults, own.form.titles
    )
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
