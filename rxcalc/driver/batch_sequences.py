"""Sequences of a batch on the exact evaluator: earlier results, opening and closing amounts, late arrivals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import polars as pl

from rxcalc.backends.base import Outcome, Problem, Ran, Row
from rxcalc.backends.closing import Closing, closings
from rxcalc.backends.columnar.values import value_of
from rxcalc.backends.exact import Exact
from rxcalc.backends.ledger import Opening, Openings
from rxcalc.driver.batch_compute import Answer
from rxcalc.driver.batch_exact import cells_of, rows_of
from rxcalc.driver.batch_openings import Instances, chain_of
from rxcalc.driver.batch_past import Past
from rxcalc.driver.batch_stale import stale_results
from rxcalc.inputs.openings import is_limited, normal, window_calls
from rxcalc.inputs.tables import ROW
from rxcalc.passes.sequence import Key, instance_key, windows_in_use
from rxcalc.plan.nodes import Plan, Value, share_names
from rxcalc.plan.reads import recorded_results
from rxcalc.tabular.judging import ID

stale_of = stale_results


def without_clashes(
    plan: Plan, rows: Sequence[Row], past: Past, openings: Mapping[Value, Instances]
) -> tuple[list[Row], dict[int, Problem]]:
    """The rows of this run and those of earlier results; refused are those that cannot take the opening amounts given.

    These are rows of a window of which earlier results tell too, and of persons with several episodes whose
    opening amount only a single one could take.
    """
    earlier = past.rows(plan)
    if plan.sequence is None or not openings:
        return [*earlier, *rows], {}
    by = plan.sequence.by
    told = _told_twice(plan, earlier, openings)
    limited = _limited(plan, [*earlier, *rows], openings)
    problems: dict[int, Problem] = {}
    for row in rows:
        owner = row.inputs.get(by)
        if row.refused:
            continue
        if owner in limited:
            message = f"the opening amount of `{limited[owner]}` counts only for whoever has a single episode; give the earlier results"
            problems[row.number] = Problem("RX758", limited[owner], "", message)
            continue
        for window in windows_in_use(plan) if told else ():
            other = told.get((owner, window.name, instance_key(window, row.inputs)))
            if other is not None and row.number not in problems:
                file, line = past.place(other.number)
                message = (
                    f"window `{window.name}` of {by} `{owner}` has an opening amount and an earlier result "
                    f"(`{other.inputs[ID]}` on line {line} of {file}); give one of the two"
                )
                problems[row.number] = Problem("RX819", window.name, str(other.inputs[ID]), message)
    kept = [replace(row, refused=True) if row.number in problems else row for row in rows]
    return [*earlier, *kept], problems


def _told_twice(
    plan: Plan, earlier: Iterable[Row], openings: Mapping[Value, Instances]
) -> dict[tuple[Value, str, Key], Row]:
    """The window instances of which both an opening and an earlier result tell, with that result."""
    assert plan.sequence is not None  # noqa: S101 - asked before
    windows = {window.name: window for window in windows_in_use(plan)}
    found: dict[tuple[Value, str, Key], Row] = {}
    for row in earlier:
        owner = row.inputs.get(plan.sequence.by)
        given = {(name, chain_of(windows[name], key)) for name, key in openings.get(owner, {}) if name in windows}
        for name, window in windows.items():
            key = instance_key(window, row.inputs)
            if key is not None and (name, key) in given:
                found.setdefault((owner, name, key), row)
    return found


def _limited(plan: Plan, rows: Iterable[Row], openings: Mapping[Value, Instances]) -> dict[Value, str]:
    """The persons with several episodes for whom an amount is given that only a single episode can take, with its call."""
    assert plan.sequence is not None  # noqa: S101 - asked before
    calls = {normal(call.key): call.key for call in window_calls(plan) if is_limited(plan, call)}
    count = Counter(row.inputs.get(plan.sequence.by) for row in rows) if calls else Counter[Value]()
    found: dict[Value, str] = {}
    for owner, instances in openings.items():
        given = next((calls[text] for amounts in instances.values() for text in amounts if text in calls), None)
        if given is not None and count[owner] > 1:
            found[owner] = given
    return found


def openings_of(plan: Plan, rows: Iterable[Row], given: Mapping[Value, Instances]) -> dict[Value, Opening]:
    """The opening amounts as the evaluator takes them, by the value of `sequence.by`."""
    if plan.sequence is None or not given:
        return {}
    count: dict[Value, int] = {}
    for row in rows:
        owner = row.inputs.get(plan.sequence.by)
        count[owner] = count.get(owner, 0) + 1
    return {owner: Openings(single=count.get(owner, 0) <= 1, instances=instances) for owner, instances in given.items()}


def settled_rows(ran: Iterable[Ran]) -> list[Row]:
    """The rows that were computed, now with their results recorded."""
    return [
        replace(one.row, recorded=one.outcome) for one in ran if one.outcome is not None and one.outcome.problem is None
    ]


def recorded_rows(plan: Plan, frame: pl.DataFrame, answer: Answer) -> list[Row]:
    """The rows that columns have computed, with the results that windows read."""
    names = recorded_results(plan)
    cells = cells_of(plan, names)
    shares = set(share_names(plan))
    values = answer.values.select(ROW, *names)
    columns = [
        [value_of(raw, cell.type, 10 ** (cell.decimals or 0)) for raw in values.get_column(cell.name).to_list()]
        for cell in cells
    ]
    results = {
        number: dict(zip(names, row, strict=True))
        for number, *row in zip(values.get_column(ROW).to_list(), *columns, strict=True)
    }
    found: list[Row] = []
    for row in rows_of(plan, frame.filter(pl.col(ROW).is_in(values.get_column(ROW).implode())), {}):
        own: dict[str, Any] = results[row.number]
        steps = {name: value for name, value in own.items() if name not in shares}
        amounts = {name: Fraction(value) for name, value in own.items() if name in shares}
        found.append(replace(row, recorded=Outcome(row.inputs, steps, amounts)))
    return found


def closing_of(
    plan: Plan, rows: Iterable[Row], openings: Mapping[Value, Opening]
) -> list[tuple[Value, Sequence[Closing]]]:
    """What every person's episodes and opening amounts leave behind."""
    sequence = plan.sequence
    if sequence is None:
        return []
    people: dict[Value, list[Row]] = {owner: [] for owner in openings}
    for row in rows:
        owner = row.inputs.get(sequence.by)
        if owner is not None:
            people.setdefault(owner, []).append(row)
    exact = Exact(plan)
    return [
        (
            owner,
            closings(
                exact,
                sorted(own, key=lambda row: tuple(_sortable(row.inputs.get(name)) for name in sequence.order)),
                openings.get(owner),
            ),
        )
        for owner, own in sorted(people.items(), key=lambda item: str(item[0]))
    ]


def _sortable(value: Value) -> tuple[bool, Any]:
    return value is not None, value
