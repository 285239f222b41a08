"""Several versions that look back, in columns: the results of older versions are given to the newer ones as recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, Any

import polars as pl

from rxcalc.backends.base import Outcome, Row
from rxcalc.backends.columnar.given import Given
from rxcalc.backends.columnar.values import value_of
from rxcalc.driver.batch_blocks import Computed
from rxcalc.driver.batch_exact import rows_of
from rxcalc.driver.batch_read import BAD
from rxcalc.driver.versions_found import Found
from rxcalc.driver.versions_read import VERSION
from rxcalc.inputs.tables import ROW
from rxcalc.passes.sequence import placing_fields
from rxcalc.plan.columns.walk import input_scale
from rxcalc.plan.nodes import share_names
from rxcalc.plan.reads import recorded_results, window_reads

if TYPE_CHECKING:
    from rxcalc.driver.versions import VersionsEvaluator


def is_told_alike(evaluator: VersionsEvaluator) -> bool:
    """Whether all versions hold the inputs that windows look at in the same way, so that columns can take them over."""
    own = {spec.name for plan in evaluator.versions.plans for spec in plan.inputs}
    looked_at = {name for plan in evaluator.versions.plans for name in (*window_reads(plan), *placing_fields(plan))}
    return (looked_at & own) <= evaluator.reader.shared


def run_in_columns(
    evaluator: VersionsEvaluator, frame: pl.DataFrame, columns: Sequence[str], *, compute: bool
) -> list[tuple[int, Computed]]:
    """Every version in its columns, oldest first, for persons without reversals and episodes of unreadable date."""
    plans = evaluator.versions.plans
    recorded = tuple(dict.fromkeys(name for plan in plans for name in recorded_results(plan)))
    wanted = tuple(dict.fromkeys((*columns, *recorded)))
    found: list[tuple[int, Computed]] = []
    refused = frame.clear()
    for at, plan in enumerate(plans):
        mine = frame.filter(pl.col(VERSION) == at)
        if mine.is_empty():
            continue
        more: dict[str, Any] = {"findings": True} if plan.checks else {}
        if found:
            more["given"] = _given(evaluator, frame, found, recorded)
        own = evaluator.own_frame(pl.concat([mine, refused]).sort(ROW), at)
        result = evaluator.by_columns(at, own, wanted, after_reject="compute" if compute else "refuse", **more)
        here = set(mine.get_column(ROW).to_list())
        found.append(
            (
                at,
                Found(
                    values=result.values,
                    decimals=dict(result.decimals),
                    problems=[item for item in result.problems if item[0] in here],
                    marked=frozenset(result.marked & here),
                    affected=dict(result.affected),
                    findings=list(result.findings),
                ),
            )
        )
        lost = mine.filter(~pl.col(ROW).is_in(result.values.get_column(ROW).implode()))
        refused = pl.concat([refused, lost.with_columns(pl.lit(value=True).alias(BAD))])
    return found


def _given(
    evaluator: VersionsEvaluator,
    frame: pl.DataFrame,
    found: Sequence[tuple[int, Computed]],
    recorded: tuple[str, ...],
) -> Given:
    """What the versions before have computed, as results of earlier runs."""
    together = evaluator.together(found, recorded)
    inputs = [name for name in frame.columns if name in evaluator.reader.shared and name != ROW]
    past = (
        frame.select(ROW, *inputs)
        .join(together.values.select(ROW, *recorded), on=ROW, how="inner", maintain_order="left")
        .with_columns((-1 - pl.col(ROW)).alias(ROW))
    )
    newest = evaluator.versions.plans[-1]
    scales = {spec.name: input_scale(spec) for spec in newest.inputs if spec.name in inputs}
    scales |= {name: 10**digits for name, digits in together.decimals.items()}
    values = together.values
    return Given(past, scales, partial(_rows, evaluator, frame, values, dict(together.decimals), recorded))


def _rows(
    evaluator: VersionsEvaluator,
    frame: pl.DataFrame,
    values: pl.DataFrame,
    decimals: dict[str, int],
    recorded: tuple[str, ...],
    numbers: Sequence[int],
) -> list[Row]:
    """Some of those episodes as the exact evaluator takes them."""
    wanted = pl.Series([-1 - number for number in numbers], dtype=pl.Int64).implode()
    results = {row[ROW]: row for row in values.filter(pl.col(ROW).is_in(wanted)).iter_rows(named=True)}
    found: list[Row] = []
    for at, plan in enumerate(evaluator.versions.plans):
        shares = set(share_names(plan))
        own = frame.filter((pl.col(VERSION) == at) & pl.col(ROW).is_in(wanted))
        for row in rows_of(plan, evaluator.own_frame(own, at), {}):
            steps: dict[str, Any] = {}
            amounts: dict[str, Fraction] = {}
            for name in recorded:
                cell = evaluator.cells((name,), at)
                if not cell:
                    continue
                value: Any = value_of(results[row.number][name], cell[0].type, 10 ** decimals.get(name, 0))
                if name in shares:
                    amounts[name] = Fraction(value)
                else:
                    steps[name] = value
            outcome = Outcome(row.inputs, steps, amounts)
            found.append(replace(row, number=-1 - row.number, name=f"={row.inputs['episode_id']}", recorded=outcome))
    return found
