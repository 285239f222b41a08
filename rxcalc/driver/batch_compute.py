"""What a whole batch computes, and by which back end: the one place that hands tables over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import polars as pl

from rxcalc.driver.batch_blocks import Computed, Evaluator, GroupRows, RowProblem, Settler
from rxcalc.driver.batch_lists import LINE
from rxcalc.driver.batch_openings import Instances
from rxcalc.driver.batch_past import Past
from rxcalc.inputs.tables import ROW
from rxcalc.plan.nodes import Plan, Value
from rxcalc.tabular.lists import list_plan

if TYPE_CHECKING:
    from rxcalc.backends.base import Finding, GroupOutcome, Outcome, Ran
    from rxcalc.backends.closing import Closing
    from rxcalc.driver.batch_exact import Cell
    from rxcalc.driver.batch_stale import Stale


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Everything that a run needs to know.

    `frame` is that of `batch_read.MainRead`, with `__bad` also for the episodes that their lines refuse; `lists`
    holds for each list file its frame (`batch_lists.ListRead`). `outputs` are the result columns wanted of
    the episodes, `list_outputs` those of the rows of each list.
    """

    frame: pl.DataFrame
    outputs: tuple[str, ...]
    compute: bool = False
    lists: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    list_outputs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    group_inputs: GroupRows = field(default_factory=dict)
    past: Past = field(default_factory=Past)
    openings: Mapping[Value, Instances] = field(default_factory=dict)
    closing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The results. `values` ascends by `__row`, those of `lists` by `__line`; numbers are whole numbers of the last of their decimals.

    A problem RX811 has for its value the number of the refused row that the row could read. `marked` rows
    were computed after a refused one that they could read. `incomplete` are the kinds of groups
    that a row has read and that lack a member. `stale` are earlier results that rows of this run would have
    changed; `affected` names by the row of a reversal the episodes that had read what it reverses.
    `unplaced` counts for each kind of groups the refused members of nobody knows which group.
    """

    values: pl.DataFrame
    decimals: Mapping[str, int]
    problems: Sequence[tuple[int, RowProblem]] = ()
    marked: frozenset[int] = frozenset()
    lists: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    list_decimals: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    incomplete: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    stale: Sequence[Stale] = ()
    affected: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    closing: Sequence[tuple[Value, Sequence[Closing]]] = ()
    groups: Sequence[GroupOutcome] = ()
    unplaced: Mapping[str, int] = field(default_factory=dict)
    findings: Sequence[tuple[int, Finding]] = ()  # on bills, by row; those on groups across bills stand in `groups`


def needs_exact(plan: Plan) -> bool:
    """Whether a plan is computed one record after the other whatever its columns are: it has groups across bills, and looks back."""
    if all(group.inside for group in plan.groups):
        return False
    return any(call.kind == "window" for call in plan.calls) or (
        plan.sequence is not None and bool(plan.sequence.reverses)
    )


def compute(plan: Plan, request: Request, evaluator: Evaluator | None, settler: Settler | None = None) -> Answer:
    """The results of all rows: by columns, or, where they cannot, one record after the other."""
    goes_on = bool(request.past.reads or request.openings)
    if (evaluator is None and settler is None) or (goes_on and not can_go_on(plan)):
        return _by_record(plan, request)
    frame = request.frame
    if plan.sequence is not None and settler is None:  # a group counts its refused members, whoever they are
        frame = frame.filter(pl.col(plan.sequence.by).is_not_null())
    after = "compute" if request.compute else "refuse"
    lists: dict[str, pl.DataFrame] = {}
    if plan.lists:
        known = frame.select(ROW)
        lists = {name: rows.join(known, on=ROW, how="semi") for name, rows in request.lists.items()}
    if settler is not None:
        settled = settler.run_groups(
            frame,
            request.outputs,
            lists=lists,
            list_outputs=request.list_outputs,
            group_inputs=request.group_inputs,
            after_reject=after,
            findings=bool(plan.checks),
        )
        answer = _answer(request, settled, checks=bool(plan.checks))
        return replace(answer, incomplete=settled.incomplete, groups=settled.groups, unplaced=settled.unplaced)
    assert evaluator is not None  # noqa: S101 - one of the two is there
    more: dict[str, Any] = {"lists": lists, "list_outputs": request.list_outputs} if plan.lists else {}
    more |= {"findings": True} if plan.checks else {}
    if not goes_on and not request.closing:
        found = evaluator.run(frame, request.outputs, after_reject=after, **more)
        return _answer(request, found, checks=bool(plan.checks))
    return _going_on(plan, request, frame, evaluator, {"after_reject": after, **more})


def can_go_on(plan: Plan) -> bool:
    """Whether columns take what came before the run into account as the exact evaluator does.

    Beyond them are groups across bills, and lines of an episode that reverses one of which the lines are not known.
    """
    if plan.sequence is None or any(not group.inside for group in plan.groups):
        return False
    if plan.sequence.reverses and plan.lists:
        return False
    return any(call.kind == "window" for call in plan.calls) or bool(plan.sequence.reverses)


def _going_on(
    plan: Plan, request: Request, frame: pl.DataFrame, evaluator: Evaluator, options: Mapping[str, Any]
) -> Answer:
    """A run that starts from what came before, or of which a later one is to start, in columns."""
    from rxcalc.backends.columnar import Columnar
    from rxcalc.driver.batch_columns import Before

    before = Before(plan, request.past, request.openings)
    clashes = before.clashes(frame)
    opened = before.opened(frame)
    given_frame, more = before.prepared(frame, clashes, opened)
    found = evaluator.run(given_frame, request.outputs, **options, **more)
    answer = _answer(request, found, checks=bool(plan.checks))
    if clashes:
        answer = replace(answer, problems=sorted([*answer.problems, *clashes.items()], key=lambda item: item[0]))
    if request.past.reads:
        answer = replace(answer, stale=before.stale(frame, answer.values[ROW], opened))
    if request.closing:
        columnar = evaluator if isinstance(evaluator, Columnar) else None
        answer = replace(answer, closing=before.closing(frame, answer, opened, columnar))
    return answer


def _answer(request: Request, found: Computed, *, checks: bool) -> Answer:
    values = found.values if found.values.get_column(ROW).is_sorted() else found.values.sort(ROW)
    return Answer(
        values=values,
        decimals=found.decimals,
        problems=found.problems,
        marked=found.marked,
        affected=found.affected,
        lists={name: found.lists[name].select(LINE, *names).sort(LINE) for name, names in request.list_outputs.items()},
        list_decimals=found.list_decimals,
        findings=found.findings if checks else (),
    )


def _by_record(plan: Plan, request: Request) -> Answer:
    from rxcalc.backends.exact import Exact
    from rxcalc.backends.exact_groups import run_all
    from rxcalc.driver import batch_exact as exact
    from rxcalc.driver import batch_sequences as sequences

    evaluator = Exact(plan)
    rows, clashes = sequences.without_clashes(
        plan, exact.rows_of(plan, request.frame, request.lists), request.past, request.openings
    )
    openings = sequences.openings_of(plan, rows, request.openings)
    together = run_all(evaluator, rows, request.group_inputs, compute=request.compute, openings=openings)
    ran = together.ran
    cells = exact.cells_of(plan, request.outputs)
    specs = {spec.name: spec for spec in plan.lists}
    list_cells = {
        name: exact.cells_of(list_plan(plan, specs[name]), names) for name, names in request.list_outputs.items()
    }
    done, problems = _settled(plan, ran, cells, list_cells)
    lists = {
        name: exact.table_of(LINE, exact.lines_of(plan, specs[name], request.lists[name], done), list_cells[name])
        for name in request.list_outputs
    }
    return Answer(
        values=exact.table_of(ROW, list(done.items()), cells),
        decimals=_decimals(cells),
        problems=sorted([*problems, *clashes.items()], key=lambda item: item[0]),
        marked=frozenset(r.row.number for r in ran if r.after and r.row.number in done),
        lists=lists,
        list_decimals={name: _decimals(found) for name, found in list_cells.items()},
        incomplete={number: outcome.incomplete for number, outcome in done.items() if outcome.incomplete},
        stale=sequences.stale_of(evaluator, ran, openings) if request.past.reads else (),
        affected={r.row.number: r.affected for r in ran if r.affected},
        closing=sequences.closing_of(plan, sequences.settled_rows(ran), openings) if request.closing else (),
        groups=together.groups,
        unplaced=together.unplaced,
        findings=[(number, finding) for number, outcome in sorted(done.items()) for finding in outcome.findings],
    )


def _settled(
    plan: Plan, ran: Sequence[Ran], cells: Sequence[Cell], list_cells: Mapping[str, Sequence[Cell]]
) -> tuple[dict[int, Outcome], list[tuple[int, RowProblem]]]:
    """The outcomes that can be written, by row, and the problems of all others."""
    from rxcalc.backends.columnar.results import lacking
    from rxcalc.driver.batch_exact import too_large

    reverses = plan.sequence.reverses if plan.sequence is not None else ""
    done: dict[int, Outcome] = {}
    problems: list[tuple[int, RowProblem]] = []
    for one in ran:
        outcome = one.outcome
        if outcome is None or one.row.recorded is not None:
            continue
        problem = (
            outcome.problem or lacking(outcome, [cell.name for cell in cells], reverses) or too_large(outcome, cells)
        )
        for name, own in list_cells.items():
            for row in outcome.lists.get(name, ()) if problem is None else ():
                problem = problem or too_large(row, own)
        if problem is None:
            done[one.row.number] = outcome
        else:
            problems.append((one.row.number, problem))
    return done, sorted(problems, key=lambda item: item[0])


def _decimals(cells: Sequence[Cell]) -> dict[str, int]:
    return {cell.name: cell.decimals for cell in cells if cell.decimals is not None}
