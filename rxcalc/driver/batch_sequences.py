"""Sequences of a batch on the exact evaluator: earlier results, opening and closing amounts, late arrivals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import polars as pl

from rxcalc.backends.base import Outcome, Problem, Ran, Row
from rxcalc.backends.closing import Closing, closings
from rxcalc.backends.columnar.values import value_of
from rxcalc.backends.exact import Exact
from rxcalc.backends.ledger import Opening, Openings, combined
from rxcalc.driver.batch_compute import Answer
from rxcalc.driver.batch_exact import cells_of, rows_of
from rxcalc.driver.batch_openings import Instances, chain_of
from rxcalc.driver.batch_past import Past
from rxcalc.driver.batch_stale import stale_results
from rxcalc.inputs.openings import carrying_call, is_limited, normal, window_calls
from rxcalc.inputs.tables import ROW
from rxcalc.passes.sequence import Key, instance_key, is_stretch, windows_in_use
from rxcalc.plan.nodes import Plan, PlanWindow, Value, share_names
from rxcalc.plan.reads import recorded_results
from rxcalc.tabular.judging import ID

if TYPE_CHECKING:
    from rxcalc.backends.columnar.closed import Left

stale_of = stale_results

_AFTER: Final = 2**62  # after all episodes


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
    told = told_twice(plan, earlier, openings)
    counts = Counter(row.inputs.get(by) for row in (*earlier, *rows))
    problems = given_twice(plan, rows, past, told, limited(plan, openings, counts))
    kept = [replace(row, refused=True) if row.number in problems else row for row in rows]
    return [*earlier, *kept], problems


Told: TypeAlias = "Mapping[tuple[Value, str, Key], Row]"
"""An earlier result by person, window and instance."""


def given_twice(
    plan: Plan, rows: Iterable[Row], past: Past, told: Told, single: Mapping[Value, str]
) -> dict[int, Problem]:
    """The rows that cannot take the opening amounts given: of what `told_twice` and `limited` say."""
    by = plan.sequence.by if plan.sequence is not None else ""
    problems: dict[int, Problem] = {}
    for row in rows:
        owner = row.inputs.get(by)
        if row.refused:
            continue
        if owner in single:
            message = f"the opening amount of `{single[owner]}` counts only for whoever has a single episode; give the earlier results"
            problems[row.number] = Problem("RX758", single[owner], "", message)
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
    return problems


def told_twice(
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


def limited(plan: Plan, openings: Mapping[Value, Instances], counts: Mapping[Value, int] | None) -> dict[Value, str]:
    """The persons for whom an amount is given that only a single episode can take, with its call.

    With `counts` (how many episodes each has) only those with several.
    """
    calls = {normal(call.key): call.key for call in window_calls(plan) if is_limited(plan, call)}
    found: dict[Value, str] = {}
    for owner, instances in openings.items() if calls else ():
        if counts is not None and counts.get(owner, 0) <= 1:
            continue
        given = next((calls[text] for amounts in instances.values() for text in amounts if text in calls), None)
        if given is not None:
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


def closings_of(plan: Plan, left: Iterable[Left], openings: Mapping[Value, Openings]) -> dict[Value, Sequence[Closing]]:
    """What columns say of instances, together with the opening amounts of their persons."""
    calls = window_calls(plan)
    carried = {at: call for at, call in enumerate(plan.calls) if call in calls and not is_limited(plan, call)}
    texts = {at: normal(call.key) for at, call in carried.items()}
    windows = {window.name: at for at, window in enumerate(windows_in_use(plan))}
    of_window = {name: [at for at, call in carried.items() if call.window == name] for name in windows}
    people: dict[Value, list[tuple[int, int, Closing]]] = {}
    seen: set[tuple[Value, str, Key]] = set()

    def add(owner: Value, at: int, window: PlanWindow, key: Key, found: Mapping[int, Value], mark: Value) -> None:
        own = openings.get(owner)
        given = own.instances.get((window.name, key)) if own is not None else None
        mine = of_window[window.name]
        values = {
            texts[n]: found[n]
            if n in found and given is None
            else combined(carried[n], [found[n]] if n in found else [], (given or {}).get(texts[n]))
            for n in mine
        }
        if is_stretch(window):
            values[normal(carrying_call(window))] = mark
        if values:
            people.setdefault(owner, []).append((at, windows[window.name], Closing(window, key, values)))

    for one in left:
        add(one.owner, one.at, one.window, one.key, one.values, one.mark)
        if one.owner in openings:
            seen.add((one.owner, one.window.name, one.key))
    in_use = {window.name: window for window in windows_in_use(plan)}
    for owner, own in openings.items():
        for name, key in own.instances:
            if name in in_use and key is not None and (owner, name, key) not in seen:
                add(owner, _AFTER + len(people.get(owner, ())), in_use[name], key, {}, None)
    return {owner: [one for *_, one in sorted(found, key=lambda entry: entry[:2])] for owner, found in people.items()}


def _sortable(value: Value) -> tuple[bool, Any]:
    return value is not None, value
