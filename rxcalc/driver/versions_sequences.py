"""Several versions that look back: what came before a version holds its first episodes, as computed by the older ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import polars as pl

from rxcalc.backends.base import Outcome, Ran, Row
from rxcalc.backends.exact import Exact
from rxcalc.backends.exact_groups import run_all
from rxcalc.driver.batch_blocks import Computed
from rxcalc.driver.batch_exact import Cell, rows_of, table_of, too_large
from rxcalc.driver.batch_read import UNPLACED
from rxcalc.driver.versions_found import Found
from rxcalc.driver.versions_history import is_told_alike, run_in_columns
from rxcalc.driver.versions_read import VERSION
from rxcalc.inputs.tables import ROW
from rxcalc.passes.sequence import is_stretch, period_start, windows_in_use
from rxcalc.plan.nodes import Plan

if TYPE_CHECKING:
    from rxcalc.driver.versions import VersionsEvaluator


def run_sequences(
    evaluator: VersionsEvaluator, frame: pl.DataFrame, columns: Sequence[str], *, compute: bool
) -> Computed:
    """The rows of all versions. Whoever has episodes of one version only is computed in its columns.

    So is everybody where no window reaches from one version into the next. Else versions follow each other: what older ones
    computed stands as a recorded result, what they refused as a refused episode. Persons with a reversal, or an
    episode of no readable date, go through the exact evaluator.
    """
    sequence = evaluator.versions.plan.sequence
    assert sequence is not None  # noqa: S101 - the caller looked
    by = pl.col(sequence.by)
    several = pl.col(VERSION).n_unique() > 1
    reverses = pl.col(sequence.reverses).is_not_null().any() if sequence.reverses else pl.lit(value=False)
    hard = ((several & reverses) | pl.col(UNPLACED).any()).over(by)
    across = several.over(by)
    if windows_end(evaluator.versions.plans):  # then only a reversal looks across
        across = pl.lit(value=False)
    elif not is_told_alike(evaluator):
        hard |= across
    mixed = frame.filter(hard) if frame.height else frame
    joined = frame.filter(across & ~hard) if frame.height else frame
    alone = frame.filter(~across & ~hard) if frame.height else frame
    found: list[tuple[int, Computed]] = []
    for at, plan in enumerate(evaluator.versions.plans):
        own = evaluator.own_frame(alone.filter(pl.col(VERSION) == at), at)
        if own.height:
            more: dict[str, Any] = {"findings": True} if plan.checks else {}
            after = "compute" if compute else "refuse"
            found.append((at, evaluator.by_columns(at, own, columns, after_reject=after, **more)))
    if joined.height:
        found += run_in_columns(evaluator, joined, columns, compute=compute)
    if mixed.height:
        found += _one_by_one(evaluator, mixed, columns, compute=compute)
    return evaluator.together(found, columns)


def windows_end(plans: Sequence[Plan]) -> bool:
    """Whether every window of every version ends where the next version begins: an insurance year, with its rules."""
    starts = [plan.effective_from for plan in plans[1:]]
    return all(
        bool(window.calendar)
        and not window.starting_input
        and not window.rolling[0]
        and not is_stretch(window)
        and window.date == plan.effective_by
        and all(period_start(window, start, window.starting) == start for start in starts)
        for plan in plans
        for window in windows_in_use(plan)
    )


def _one_by_one(
    evaluator: VersionsEvaluator, frame: pl.DataFrame, columns: Sequence[str], *, compute: bool
) -> list[tuple[int, Computed]]:
    """Every version on the exact evaluator, oldest first."""
    plans = evaluator.versions.plans
    own = [
        rows_of(plan, evaluator.own_frame(frame.filter(pl.col(VERSION) == at), at), {}) for at, plan in enumerate(plans)
    ]
    before: list[Row] = []
    found: list[tuple[int, Computed]] = []
    for at, plan in enumerate(plans):
        later = [row for rows in own[at + 1 :] for row in rows if row.unplaced]
        numbers = {row.number for row in own[at]}
        together = run_all(Exact(plan), [*before, *own[at], *later], {}, compute=compute)
        ran = [one for one in together.ran if one.row.number in numbers]
        done, problems = _settled(evaluator, ran, at, columns)
        found += [(at, result) for result in _results(done)]
        found.append((at, _found(ran, done, problems)))
        outcomes = {number: outcome for number, (outcome, _) in done.items()}
        before += [
            replace(row, recorded=outcomes[row.number]) if row.number in outcomes else replace(row, refused=True)
            for row in own[at]
        ]
    return found


_Done = dict[int, tuple[Outcome, tuple[Cell, ...]]]
"""Outcomes by row, with the result columns that they have."""


def _settled(
    evaluator: VersionsEvaluator, ran: Sequence[Ran], at: int, columns: Sequence[str]
) -> tuple[_Done, list[tuple[int, Any]]]:
    """The outcomes of a version's own rows that can be written, and the problems of all others.

    A reversal has the results that its original has, whichever version computed that.
    """
    own = evaluator.cells(columns, at)
    done: _Done = {}
    problems: list[tuple[int, Any]] = []
    for one in ran:
        outcome = one.outcome
        if outcome is None:
            continue
        cells = own
        if outcome.problem is None and outcome.reverses:
            cells = tuple(
                cell
                for name in columns
                if (name in outcome.steps or name in outcome.shares) and (cell := evaluator.cell(name, at)) is not None
            )
        problem = outcome.problem or too_large(outcome, cells)
        if problem is None:
            done[one.row.number] = (outcome, cells)
        else:
            problems.append((one.row.number, problem))
    return done, problems


def _results(done: _Done) -> list[Found]:
    """The results, those of the same columns together."""
    alike: dict[tuple[Cell, ...], list[tuple[int, Outcome]]] = {}
    for number, (outcome, cells) in done.items():
        alike.setdefault(cells, []).append((number, outcome))
    return [
        Found(
            values=table_of(ROW, rows, cells),
            decimals={cell.name: cell.decimals for cell in cells if cell.decimals is not None},
        )
        for cells, rows in alike.items()
    ]


def _found(ran: Sequence[Ran], done: _Done, problems: list[tuple[int, Any]]) -> Found:
    """What else is to be told of a version's own rows."""
    return Found(
        values=pl.DataFrame(schema={ROW: pl.Int64}),
        decimals={},
        problems=problems,
        marked=frozenset(one.row.number for one in ran if one.after and one.row.number in done),
        affected={one.row.number: one.affected for one in ran if one.affected},
        findings=[(number, finding) for number, (outcome, _) in done.items() for finding in outcome.findings],
    )
