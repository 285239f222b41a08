"""Late arrivals: issued results that would have been others, had the episodes of this run been there in time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from rxcalc.backends.base import Outcome, Ran, Row
from rxcalc.backends.exact import Exact
from rxcalc.backends.history import Opening, run_person
from rxcalc.lang.types import MONEY
from rxcalc.passes.sequence import instance_key, is_stretch, rolling_days, windows_in_use
from rxcalc.plan.figures import figure
from rxcalc.plan.nodes import Plan, Value
from rxcalc.plan.reads import recorded_results
from rxcalc.tabular.judging import ID
from rxcalc.tabular.writer import line_of


@dataclass(frozen=True, slots=True)
class Stale:
    """An issued result that is not what it would be now. `changed` tells how, "" where that cannot be known."""

    row: Row
    late: tuple[str, ...]
    changed: str


def stale_results(exact: Exact, ran: Sequence[Ran], openings: Mapping[Value, Opening]) -> list[Stale]:
    """The recorded rows that rows of this run come before and would have changed.

    Where everything that they were computed from is known, they are computed again, without the late
    arrivals and with them; those that differ are stale. Otherwise every one is that could read a late arrival.
    """
    sequence = exact.plan.sequence
    if sequence is None:
        return []
    people: dict[Value, list[Ran]] = {}
    for one in ran:
        fine = one.outcome is not None and one.outcome.problem is None
        placed = all(one.row.inputs.get(name) is not None for name in sequence.order)
        if fine and placed:
            people.setdefault(one.row.inputs.get(sequence.by), []).append(one)
    found: list[Stale] = []
    for owner, own in people.items():
        if owner is None or all(one.row.recorded is None for one in own):
            continue
        own.sort(key=lambda one: _place(exact.plan, one.row))
        last = max(at for at, one in enumerate(own) if one.row.recorded is not None)
        late = [one for one in own[:last] if one.row.recorded is None]
        if late:
            found += _of_person(exact, own, late, openings.get(owner))
    return found


def _place(plan: Plan, row: Row) -> tuple[Any, ...]:
    assert plan.sequence is not None  # noqa: S101 - asked only then
    return tuple(row.inputs[name] for name in plan.sequence.order)


def _of_person(exact: Exact, own: Sequence[Ran], late: Sequence[Ran], opening: Opening | None) -> list[Stale]:
    plan = exact.plan
    issued = [one.row for one in own if one.row.recorded is not None]
    names = [field.name for field in plan.inputs]
    whole = not plan.lists and not plan.groups and all(name in row.inputs for row in issued for name in names)
    if not whole:
        return [
            Stale(one.row, seen, "")
            for at, one in enumerate(own)
            if one.row.recorded is not None
            and (seen := tuple(_id(o.row) for o in own[:at] if o in late and could_read(plan, one.row, o.row)))
        ]
    anew = {row.number: replace(row, recorded=None) for row in issued}
    before = {r.row.number: r.outcome for r in run_person(exact, list(anew.values()), opening=opening)}
    every = [anew.get(one.row.number, one.row) for one in own]
    after = {r.row.number: r.outcome for r in run_person(exact, every, opening=opening)}
    found: list[Stale] = []
    for at, one in enumerate(own):
        number = one.row.number
        if one.row.recorded is None:
            continue
        changed = _changed(plan, one.row.recorded, before[number], after[number])
        if changed:
            found.append(Stale(one.row, tuple(_id(o.row) for o in own[:at] if o in late), changed))
    return found


def _changed(plan: Plan, recorded: Outcome, before: Outcome | None, after: Outcome | None) -> str:
    """Which results differ, and from what they go to what."""
    if before is None or after is None or before.problem is not None:
        return ""
    if after.problem is not None:
        return f"refused {after.problem.code}: {after.problem.message}"
    types = {step.name: step.type for step in plan.steps}
    told: list[str] = []
    for name in dict.fromkeys((*plan.outputs, *recorded_results(plan))):
        was, now = _result(before, name), _result(after, name)
        if was != now:
            issued = _result(recorded, name)
            texts = [figure(v, types.get(name, MONEY), plan.decimals, grouped=False) for v in (issued, now)]
            told.append(f"{name}: {texts[0]} -> {texts[1]}")
    return "; ".join(told)


def _result(outcome: Outcome, name: str) -> Value:
    return outcome.steps[name] if name in outcome.steps else outcome.shares.get(name)


def could_read(plan: Plan, row: Row, earlier: Row) -> bool:
    """Whether a row could have seen an earlier one through a window; of spells and periods any of the same chain."""
    for window in windows_in_use(plan):
        key, other = instance_key(window, row.inputs), instance_key(window, earlier.inputs)
        if key is None or key != other:
            continue
        if is_stretch(window) or not window.rolling[0]:
            return True
        on, then = row.inputs.get(window.date), earlier.inputs.get(window.date)
        if isinstance(on, date) and isinstance(then, date):
            first, last = rolling_days(window, on)
            if first <= then <= last:
                return True
    return False


def _id(row: Row) -> str:
    return str(row.inputs[ID])


def stale_header(plan: Plan, *, excel: bool) -> bytes:
    """The first line of the stale file."""
    return line_of([*_named(plan), "rx_file", "rx_line", "rx_late", "rx_changed"], excel=excel, first=True)


def stale_line(plan: Plan, stale: Stale, file: str, line: int, *, excel: bool) -> bytes:
    """A line of the stale file: an issued result, with the file and line on which it stands."""
    values = ["" if (value := stale.row.inputs.get(name)) is None else str(value) for name in _named(plan)]
    return line_of([*values, file, str(line), ";".join(stale.late), stale.changed], excel=excel)


def _named(plan: Plan) -> list[str]:
    """The fields that name an episode in the stale file."""
    by = plan.sequence.by if plan.sequence is not None else ""
    order = [name for name in plan.sequence.order if name not in (ID, by)] if plan.sequence is not None else []
    return [ID, *([by] if by and by != ID else []), *order]
