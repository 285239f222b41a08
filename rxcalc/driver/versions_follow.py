"""Versions of a rulebook by their dates: whether they follow each other, and which of them a bill belongs to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise

from rxcalc.inputs.cells import CellReader
from rxcalc.inputs.episodes import EpisodeEntry, Fields
from rxcalc.plan.nodes import Plan
from rxcalc.tabular.problems import UsageProblem


def called(plan: Plan) -> str:
    """How a version is called: NAME@VERSION, as `-r` takes it."""
    return f"{plan.rulebook}@{plan.version}"


def in_order(plans: Sequence[Plan]) -> tuple[Plan, ...] | UsageProblem:
    """The versions, oldest first; refused when their dates overlap, leave a gap, or are not those of one field."""
    ordered = tuple(sorted(plans, key=lambda plan: plan.effective_from))
    found = (_follows(one, other) for one, other in pairwise(ordered))
    return next((problem for problem in found if problem is not None), ordered)


def _follows(one: Plan, other: Plan) -> UsageProblem | None:
    """Whether the dates of two versions follow each other."""
    first, second = called(one), called(other)
    if one.effective_by != other.effective_by:
        return UsageProblem(
            f"{first} goes by {one.effective_by}, {second} by {other.effective_by}; which of them an episode belongs "
            "to is then not one question",
            ("run each version by itself",),
        )
    if one.effective_to is None or one.effective_to >= other.effective_from:
        ends = [end for end in (one.effective_to, other.effective_to) if end is not None]
        told = f"from {other.effective_from}" + (f" to {min(ends)}" if ends else " on")
        return UsageProblem(
            f"{first} and {second} are both effective {told}: which of them holds an episode is not clear",
            ("leave one out, or end `effective` of the older one the day before",),
        )
    after = one.effective_to + timedelta(days=1)
    if after != other.effective_from:
        before = other.effective_from - timedelta(days=1)
        told = f"on {after}" if after == before else f"from {after} to {before}"
        return UsageProblem(f"neither {first} nor {second} is effective {told}", ("give the version between them too",))
    return None


def version_of(plans: Sequence[Plan], entry: EpisodeEntry, overrides: Mapping[str, str]) -> Plan | UsageProblem:
    """The version that holds the episodes of an entry; refused when they belong to several, or to none.

    Where no date can be read it is the newest: it then says what is wrong.
    """
    ordered = in_order(plans)
    if isinstance(ordered, UsageProblem):
        return ordered
    given = [*entry.earlier, *(fields for fields, _ in entry.episodes)]
    last = len(given) - 1
    days = [_day(ordered, fields, overrides if at == last else {}) for at, fields in enumerate(given)]
    known = [day for day in days if day is not None]
    held: list[Plan] = []
    for day in known:
        plan = next(
            (p for p in ordered if p.effective_from <= day and (p.effective_to is None or day <= p.effective_to)), None
        )
        if plan is None:
            names = ", ".join(called(p) for p in ordered)
            return UsageProblem(f"no version holds {day}: the versions are {names}", ("give the version of that date",))
        held.append(plan)
    if any(plan is not held[0] for plan in held):
        names = ", ".join(dict.fromkeys(called(plan) for plan in held))
        return UsageProblem(
            f"the episodes of this file belong to several versions: {names}",
            (
                "explain the bill alone, with what came before under `so_far:`; `rxcalc batch` runs all versions together",
            ),
        )
    return held[0] if held else ordered[-1]


def _day(plans: Sequence[Plan], fields: Fields, overrides: Mapping[str, str]) -> date | None:
    """The date by which an episode belongs to a version, None when none can be read."""
    for plan in reversed(plans):
        spec = next((spec for spec in plan.inputs if spec.name == plan.effective_by), None)
        if spec is None:
            continue
        values = {**fields.values, **overrides}
        text = next((values[name] for name in (spec.name, *spec.aliases) if name in values), None)
        value = CellReader.of(spec, plan.currency).read(text)
        if isinstance(value, date):
            return value
    return None
