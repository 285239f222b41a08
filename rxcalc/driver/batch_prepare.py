"""What a batch needs before it starts: every file's header matched, every output's place known to be free."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rxcalc.driver.batch_blocks import INCOMPLETE, NOTE, Evaluator, GroupRows, Job
from rxcalc.driver.batch_compute import needs_exact
from rxcalc.driver.batch_groups import GroupInputs, across, input_files, read_group_inputs
from rxcalc.driver.batch_lists import ListJob
from rxcalc.driver.batch_openings import Openings, read_openings
from rxcalc.driver.batch_past import PastFile, prepare_past
from rxcalc.driver.batch_report import BatchOptions, passes_limit
from rxcalc.driver.versions import VersionsEvaluator
from rxcalc.inputs.openings import window_calls
from rxcalc.inputs.shown import quoted
from rxcalc.inputs.tables import TableReader
from rxcalc.plan.columns.together import bills_read_groups
from rxcalc.plan.nodes import Plan, PlanList, Value
from rxcalc.plan.reads import recorded_results
from rxcalc.tabular import problems
from rxcalc.tabular.forms import FileForm, form_of
from rxcalc.tabular.header import match_columns
from rxcalc.tabular.lists import list_plan
from rxcalc.tabular.locators import is_database
from rxcalc.tabular.naming import Named, name_columns
from rxcalc.tabular.problems import UsageProblem
from rxcalc.tabular.publish import distinct_files
from rxcalc.tabular.redaction import VARIABLE, ids_of
from rxcalc.tabular.selection import result_types, select_columns
from rxcalc.tabular.source import narrowed, open_source
from rxcalc.tabular.summary import VersionsFacts
from rxcalc.tabular.writer import Layout, in_file

if TYPE_CHECKING:
    from rxcalc.backends.base import GroupOutcome, Known, Outcome, Ran, Row
    from rxcalc.backends.exact import Exact
    from rxcalc.backends.exact_groups import Together


# Bytes that a run takes beside its rows, and for each byte of typed rows: measured, see docs/performance.md.
_BASE: Final = 500 << 20
_COLUMNS: Final = 8
_EXACT: Final = 60


_ALWAYS_CSV: Final = ("the findings", "the closing amounts")


@dataclass(frozen=True, slots=True)
class Prepared:
    """A batch ready to run."""

    job: Job
    lists: tuple[ListJob, ...] = ()
    past: tuple[PastFile, ...] = ()
    openings: Openings = field(default_factory=Openings)
    groups: GroupInputs = field(default_factory=GroupInputs)

    @property
    def divisible(self) -> bool:
        """Whether a whole run may be computed in parts, by `sequence.by` or by the episode."""
        return not across(self.job.plan)

    @property
    def held(self) -> int:
        """How many bytes of typed rows may be computed at once."""
        return max(8 << 20, (self.job.options.memory - _BASE) // self._each)

    def needed(self, size: int) -> int:
        """The memory that a run needs to compute so many bytes of typed rows at once."""
        return _BASE + size * self._each

    @property
    def _each(self) -> int:
        """What a run takes for each byte of typed rows."""
        plan = self.job.plan
        if self.job.evaluator is None:
            return _EXACT  # every row becomes objects
        return _COLUMNS + (len(plan.steps) + len(plan.shares)) // 10

    @property
    def targets(self) -> Mapping[str, Path]:
        """The files that may be written, by what they are."""
        job = self.job
        options = job.options
        found = {"results": options.results, "rejects": options.rejects_path, "summary": options.summary_path}
        found |= {"findings": options.findings_path, "stale": options.stale_path}
        if options.closing is not None:
            found["closing"] = options.closing
        for of in self.lists:
            found[f"{of.spec.name} rejects"] = of.rejects
            if of.results is not None:
                found[f"{of.spec.name} results"] = of.results
        for group in across(job.plan):
            for name in (f"{group.name}.csv", f"{group.name}.rejects.csv"):
                found[f"group {name}"] = options.groups_path / name
        return found

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
    targets = _targets(plan, options)
    clash = _redactable(plan, options)
    if clash is not None:
        return clash
    clash = (
        _lists_known(plan, options)
        or distinct_files(_sources(plan, options), targets)
        or unwritable(targets, resumed=options.resume)
    )
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
    source = open_source(options.episodes, options.encoding)
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
    named = formed(form, plan, options, options.results)
    refusals = form_of(options.rejects_path, excel=options.excel)
    if isinstance(named, UsageProblem) or isinstance(refusals, UsageProblem):
        return named if isinstance(named, UsageProblem) else refusals  # type: ignore[return-value]  # one of them is
    form = named.form
    several = evaluator if isinstance(evaluator, VersionsEvaluator) else None
    if several is not None:  # what not all versions read alike is echoed as text
        form = replace(form, fields={at: s for at, s in form.fields.items() if s.name in several.reader.shared})
    source = narrowed(source, {*columns.inputs.values(), *form.echoed})
    tables = several.reader if several is not None else TableReader(plan)
    reasons: Mapping[str, str] = several.exact_steps if several is not None else {}
    shape = tables.shape(columns.inputs, len(head.names), head.separator, form.texts(head.separator))
    job = Job(
        plan, options, source, columns, form, tables, evaluator, reasons, shape, refusals=refusals, untold=named.untold
    )
    return job if evaluator is not None or needs_exact(plan) else _columnar(job)


def _list(plan: Plan, spec: PlanList, options: BatchOptions) -> ListJob | UsageProblem:
    """A list's file as a file of its own: the columns are the episode's id and the list's inputs, the results its steps."""
    path = options.lists[spec.name]
    results = options.list_results.get(spec.name)
    own = list_plan(plan, spec)
    source = open_source(path, options.encoding)
    if isinstance(source, UsageProblem):
        return source
    head = source.head
    prefix = f"{spec.name}."
    mapped = {name.removeprefix(prefix): c for name, c in options.columns.items() if name.startswith(prefix)}
    columns = match_columns(str(path), head.names, own, mapped)
    if isinstance(columns, UsageProblem):
        return columns
    named = Named(Layout(columns, (), (), head.separator))  # without --lines-out nothing is written
    if results is not None:
        wanted = select_columns(own, columns, ("inputs", "steps"), head.separator)
        found = wanted if isinstance(wanted, UsageProblem) else formed(wanted, own, options, results)
        if isinstance(found, UsageProblem):
            return found
        named = found
    form = named.form
    rejects = options.list_rejects(spec.name)
    refusals = form_of(rejects, excel=options.excel)
    if isinstance(refusals, UsageProblem):
        return refusals
    source = narrowed(source, {*columns.inputs.values(), *form.echoed})
    tables = TableReader(own)
    shape = tables.shape(columns.inputs, len(head.names), head.separator, form.texts(head.separator))
    own_options = replace(options, episodes=path)
    job = Job(own, own_options, source, columns, form, tables, None, {}, shape, refusals=refusals, untold=named.untold)
    return ListJob(spec, job, results, rejects)


def formed(form: Layout, plan: Plan, options: BatchOptions, path: Path) -> Named | UsageProblem:
    """A layout as the kind of file that `path` asks for holds it, with the names of its columns."""
    file = form_of(path, excel=options.excel)
    if isinstance(file, UsageProblem):
        return file
    made = replace(
        in_file(form, file, plan.inputs),
        types=result_types(plan, form.computed),
        redaction=options.redact,
        own=frozenset({NOTE, INCOMPLETE}),
        ids=ids_of(plan),
    )
    return name_columns(made, plan, options.names, options.language)


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


def _redactable(plan: Plan, options: BatchOptions) -> UsageProblem | None:
    """Refuses `--redact` beside what cannot be hidden, or would have to be hidden by the same key again."""
    if options.redact is None:
        return None
    others = {
        "--earlier": options.earlier,
        "--closing": options.closing,
        "groups across bills": across(plan),
        "several versions of a rulebook": isinstance(options.rulebook, VersionsFacts),
    }
    for what, given in others.items():
        if given:
            return UsageProblem(
                f"--redact does not go with {what}", ("run without --redact, and hide what is to be shown elsewhere",)
            )
    if options.resume and options.redact.own:
        return UsageProblem(
            "--resume of a run with --redact needs the key of that run",
            (f"run anew; with the variable {VARIABLE} set, a run with --redact can be resumed",),
        )
    return None


def unwritable(targets: Iterable[tuple[str, Path]], *, resumed: bool = False) -> UsageProblem | None:
    """Why a table of a database cannot be made."""
    for what, path in targets:
        form = form_of(path)
        if what in _ALWAYS_CSV and isinstance(form, FileForm) and form != FileForm():
            return UsageProblem(f"{what} are written as CSV, not as {quoted(path.name, 80)}", ("end the name in .csv",))
        if is_database(path) and not resumed:  # whoever goes on may find its own table
            from rxcalc.tabular.write_databases import check_table

            problem = check_table(path)
            if problem is not None:
                return problem
    return None


def _columnar(job: Job) -> Job:
    """The job with the columnar back end, and the steps that it leaves to the exact evaluator with the reason."""
    from rxcalc.backends.columnar import Columnar

    later = LateExact(job.plan)
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


class LateExact:
    """The exact evaluator, imported and made when a row needs it: most batches have none."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    @cached_property
    def _exact(self) -> Exact:
        from rxcalc.backends.exact import Exact

        return Exact(self._plan)

    def episode(self, inputs: Mapping[str, Value], known: Known | None) -> Outcome:
        """An episode, with what its windows hold."""
        from rxcalc.backends.replay import run_known

        return run_known(self._exact, inputs, known)

    def person(self, rows: Sequence[Row], *, compute: bool) -> Sequence[Ran]:
        """One person's episodes."""
        from rxcalc.backends.history import run_person

        return run_person(self._exact, rows, compute=compute)

    def together(self, rows: Sequence[Row], group_inputs: GroupRows, *, compute: bool) -> Together:
        """All episodes, with their groups."""
        from rxcalc.backends.exact_groups import run_all

        return run_all(self._exact, rows, group_inputs, compute=compute)

    def among(self, groups: Sequence[GroupOutcome]) -> Callable[[Mapping[str, Value], Mapping[str, Value]], Outcome]:
        """What runs an episode among groups that are known."""
        from rxcalc.backends.among import Among

        return Among(self._exact, groups).run
