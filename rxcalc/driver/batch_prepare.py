"""What a batch needs before it starts: every file's header matched, every output's place known to be free."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from rxcalc.driver.batch_blocks import INCOMPLETE, NOTE, Evaluator, GroupRows, Job
from rxcalc.driver.batch_compute import needs_exact
from rxcalc.driver.batch_groups import GroupInputs, across, input_files, read_group_inputs
from rxcalc.driver.batch_lists import ListJob
from rxcalc.driver.batch_openings import Openings, read_openings
from rxcalc.driver.batch_past import PastFile, prepare_past
from rxcalc.driver.batch_report import BatchOptions, passes_limit
from rxcalc.inputs.openings import window_calls
from rxcalc.inputs.tables import TableReader
from rxcalc.plan.columns.together import bills_read_groups
from rxcalc.plan.nodes import Plan, PlanList, Value
from rxcalc.plan.reads import recorded_results
from rxcalc.tabular import problems
from rxcalc.tabular.header import match_columns
from rxcalc.tabular.lists import list_plan
from rxcalc.tabular.problems import UsageProblem
from rxcalc.tabular.publish import distinct_files
from rxcalc.tabular.selection import select_columns
from rxcalc.tabular.source import open_source
from rxcalc.tabular.writer import Layout

if TYPE_CHECKING:
    from rxcalc.backends.base import GroupOutcome, Known, Outcome, Ran, Row
    from rxcalc.backends.exact import Exact
    from rxcalc.backends.exact_groups import Together


@dataclass(frozen=True, slots=True)
class Prepared:
    """A batch ready to run."""

    job: Job
    lists: tuple[ListJob, ...] = ()
    past: tuple[PastFile, ...] = ()
    openings: Openings = field(default_factory=Openings)
    groups: GroupInputs = field(default_factory=GroupInputs)

    @property
    def whole(self) -> bool:
        """Whether all rows must be read before any is computed."""
        job = self.job
        together = job.settler is not None and not job.alone
        return job.evaluator is None or together or job.plan.sequence is not None or bool(self.lists or self.past)


def prepare(plan: Plan, options: BatchOptions, evaluator: Evaluator | None) -> Prepared | UsageProblem:
    """The batch, or why it cannot run."""
    limit = passes_limit(options.max_rejects, 0, 1)
    if isinstance(limit, UsageProblem):
        return limit
    if not options.results.name:
        return problems.cannot_write(str(options.results), "it names no file")
    clash = _lists_known(plan, options) or distinct_files(_sources(plan, options), _targets(plan, options))
    if clash is not None:
        return clash
    job = _main(plan, options, evaluator)
    if isinstance(job, UsageProblem):
        return job
    lists: list[ListJob] = []
    for spec in plan.lists:
        if spec.name in options.lists:
            found = _list(plan, spec, options)
            if isinstance(found, UsageProblem):
                return found
            lists.append(found)
    past = prepare_past(plan, options)
    if isinstance(past, UsageProblem):
        return past
    openings = read_openings(plan, options)
    if isinstance(openings, UsageProblem):
        return openings
    if options.findings is not None and not plan.checks:
        return UsageProblem("--findings is given, but the rulebook has no checks", ("leave --findings out",))
    if options.closing is not None and (plan.sequence is None or not window_calls(plan)):
        return problems.no_sequence("--closing")
    groups = read_group_inputs(plan, options)
    if isinstance(groups, UsageProblem):
        return groups
    return Prepared(job, tuple(lists), past, openings, groups)


def _main(plan: Plan, options: BatchOptions, evaluator: Evaluator | None) -> Job | UsageProblem:
    source = open_source(options.episodes)
    if isinstance(source, UsageProblem):
        return source
    head = source.head
    own = {name: column for name, column in options.columns.items() if "." not in name}
    columns = match_columns(str(options.episodes), head.names, plan, own)
    if isinstance(columns, UsageProblem):
        return columns
    form = select_columns(plan, columns, options.select, head.separator, recorded_results(plan))
    if isinstance(form, UsageProblem):
        return form
    if options.after_reject == "compute" and plan.sequence is not None:
        form = replace(form, computed=(*form.computed, NOTE))
    if bills_read_groups(plan):
        form = replace(form, computed=(*form.computed, INCOMPLETE))
    tables = TableReader(plan)
    keep = frozenset() if form.whole else frozenset(form.echoed)
    shape = tables.shape(columns.inputs, len(head.names), head.separator, keep)
    job = Job(plan, options, source, columns, form, tables, evaluator, {}, shape)
    return job if evaluator is not None or needs_exact(plan) else _columnar(job)


def _list(plan: Plan, spec: PlanList, options: BatchOptions) -> ListJob | UsageProblem:
    """A list's file as a file of its own: the columns are the episode's id and the list's inputs, the results its steps."""
    path = options.lists[spec.name]
    results = options.list_results.get(spec.name)
    own = list_plan(plan, spec)
    source = open_source(path)
    if isinstance(source, UsageProblem):
        return source
    head = source.head
    prefix = f"{spec.name}."
    mapped = {name.removeprefix(prefix): c for name, c in options.columns.items() if name.startswith(prefix)}
    columns = match_columns(str(path), head.names, own, mapped)
    if isinstance(columns, UsageProblem):
        return columns
    form = Layout(columns, (), (), head.separator)  # without --lines-out nothing is written
    if results is not None:
        wanted = select_columns(own, columns, ("inputs", "steps"), head.separator)
        if isinstance(wanted, UsageProblem):
            return wanted
        form = wanted
    tables = TableReader(own)
    shape = tables.shape(columns.inputs, len(head.names), head.separator, frozenset())
    rejects = options.list_rejects(spec.name)
    job = Job(own, replace(options, episodes=path), source, columns, form, tables, None, {}, shape)
    return ListJob(spec, job, results, rejects)


def _lists_known(plan: Plan, options: BatchOptions) -> UsageProblem | None:
    """Refuses files for lists that the rulebook does not have, and the want of one that it needs."""
    known = tuple(spec.name for spec in plan.lists)
    for name in (*options.lists, *options.list_results, *(n.partition(".")[0] for n in options.columns if "." in n)):
        if name not in known:
            return problems.unknown_list(name, known)
    for name in options.list_results:
        if name not in options.lists:
            return problems.required_list(name)
    lacking = next((spec.name for spec in plan.lists if spec.required and spec.name not in options.lists), None)
    return problems.required_list(lacking) if lacking is not None else None


def _sources(plan: Plan, options: BatchOptions) -> tuple[tuple[str, Path], ...]:
    """The files read, as messages call them."""
    lists = tuple((f"the file of {name}", path) for name, path in options.lists.items())
    earlier = tuple(("an earlier result", path) for path in options.earlier)
    opening = (("the opening amounts", options.opening),) if options.opening is not None else ()
    rulebook = tuple(("a file of the rulebook", path) for path in options.reads)
    folder = input_files(plan, options.groups) if options.groups is not None else {}
    groups = tuple((f"the inputs of group {name}", path) for name, path in folder.items())
    return (("the input", options.episodes), *lists, *earlier, *opening, *groups, *rulebook)


def _targets(plan: Plan, options: BatchOptions) -> tuple[tuple[str, Path], ...]:
    """The files written, as messages call them."""
    lists = [(f"the results of {name}", path) for name, path in options.list_results.items()]
    lists += [(f"the rejects of {name}", options.list_rejects(name)) for name in options.lists]
    if options.earlier:
        lists.append(("the stale results", options.stale_path))
    if options.closing is not None:
        lists.append(("the closing amounts", options.closing))
    if plan.checks:
        lists.append(("the findings", options.findings_path))
    for group in across(plan):
        for name in (f"{group.name}.csv", f"{group.name}.rejects.csv"):
            lists.append((f"the results of group {group.name}", options.groups_path / name))
    return (
        ("the results", options.results),
        ("the rejects", options.rejects_path),
        ("the summary", options.summary_path),
        *lists,
    )


def _columnar(job: Job) -> Job:
    """The job with the columnar back end, and the steps that it leaves to the exact evaluator with the reason."""
    from rxcalc.backends.columnar import Columnar

    later = _Exact(job.plan)
    found = Columnar(job.plan, later.episode, later.person, later)
    formed = found.program.formed
    reasons = {
        **formed.reasons,
        **{f"checks.{job.plan.checks[c.index].name}": c.reason for c in formed.checks if c.reason},
    }
    if not across(job.plan):
        return replace(job, evaluator=found, exact_steps=reasons)
    if found.together:  # the exact evaluator would take all rows anyway
        return job
    bills = found.bills_alone
    alone = Columnar(bills, later.episode) if bills is not None else None
    return replace(job, evaluator=alone or found, settler=found, alone=alone is not None, exact_steps=reasons)


class _Exact:
    """The exact evaluator, imported and made when a row needs it: most batches have none."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    @cached_property
    def _exact(self) -> Exact:
        from rxcalc.backends.exact import Exact

        return Exact(self._plan)

    def episode(self, inputs: Mapping[str, Value], known: Known | None) -> Outcome:
        from rxcalc.backends.replay import run_known

        return run_known(self._exact, inputs, known)

    def person(self, rows: Sequence[Row], *, compute: bool) -> Sequence[Ran]:
        from rxcalc.backends.history import run_person

        return run_person(self._exact, rows, compute=compute)

    def together(self, rows: Sequence[Row], group_inputs: GroupRows, *, compute: bool) -> Together:
        from rxcalc.backends.exact_groups import run_all

        return run_all(self._exact, rows, group_inputs, compute=compute)

    def among(self, groups: Sequence[GroupOutcome]) -> Callable[[Mapping[str, Value], Mapping[str, Value]], Outcome]:
        from rxcalc.backends.among import Among

        return Among(self._exact, groups).run
