"""Single changes of what came before the bill: earlier episodes, and amounts and counts given for them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from functools import partial
from types import MappingProxyType

from rxcalc.bill.changes import Change, Kind
from rxcalc.bill.limits import limits
from rxcalc.bill.subject import Subject
from rxcalc.inputs.openings import is_limited, normal, opening_specs, window_calls
from rxcalc.inputs.records import Record
from rxcalc.lang.types import MONEY
from rxcalc.plan.nodes import Plan, PlanCall, Value


def before_changes(subject: Subject) -> Iterator[Change]:
    """Earlier episodes left out, one more before the bill, opening amounts left out or moved."""
    plan = subject.plan
    if plan.sequence is None or not window_calls(plan):
        return
    before = subject.before
    for at, values in enumerate(before):
        name = str(values["episode_id"])
        yield Change(Kind.EARLIER_OUT, name, partial(_without, at=at), distance=Fraction(len(before) - at), number=at)
    if len(before) > 1:
        yield Change(Kind.EARLIER_OUT, "", _without_all, now=len(before))
    yield Change(Kind.EARLIER_MORE, "", partial(_with_copy, free=False), number=1, distance=Fraction(3))
    yield Change(Kind.EARLIER_MORE, "", partial(_with_copy, free=True), number=2, distance=Fraction(2))
    yield from _openings(subject)


def _openings(subject: Subject) -> Iterator[Change]:
    """Amounts and counts before the first bill: left out, one more or less, as large as a limit of the rulebook."""
    plan, given = subject.plan, subject.openings
    specs = opening_specs(plan)
    for key, was in given.items():
        spec = specs[key]
        yield Change(Kind.OPENING, spec.name, partial(_without_opening, key=key), was=was, type=spec.type)
    if len(given) > 1:
        yield Change(Kind.OPENING, "", _without_openings, was=len(given))
    done: set[str] = set()
    held_against = limits(plan)
    for call in window_calls(plan):
        key = normal(call.key)
        if key in done or (is_limited(plan, call) and len(subject.records) > 1):
            continue
        done.add(key)
        was = given.get(key)
        for number, now in enumerate(_amounts(plan, call, was, held_against.get(key, frozenset()))):
            yield Change(
                Kind.OPENING if call.function == "count" else Kind.SPENT, call.key, partial(_with_opening, key=key, now=now), was=was, now=now, type=call.type,
                distance=abs(Fraction(now) - Fraction(was if isinstance(was, int | Fraction) else 0)), number=number + 1,
            )  # fmt: skip


def _amounts(plan: Plan, call: PlanCall, was: Value, held_against: frozenset[str]) -> list[int | Fraction]:
    """What a count or sum could have been taken for."""
    own = Fraction(was) if isinstance(was, int | Fraction) and not isinstance(was, bool) else Fraction(0)
    if call.function == "count":
        return [int(own) + n for n in (1, -1) if own + n >= 0]
    if call.function != "sum" or call.type != MONEY:
        return []
    reached = {
        Fraction(value)
        for p in plan.parameters
        if p.type == MONEY and p.name in held_against
        for s in p.segments
        for _, value in s.values
        if isinstance(value, int | Fraction)
    }
    return sorted(reached - {own, Fraction(0)})


def _without(subject: Subject, *, at: int) -> Subject:
    return subject.without_earlier(at)


def _without_all(subject: Subject) -> Subject:
    while len(subject.records) > 1:
        subject = subject.without_earlier(0)
    return subject


def _without_opening(subject: Subject, *, key: str) -> Subject:
    return replace(subject, openings={k: v for k, v in subject.openings.items() if k != key})


def _without_openings(subject: Subject) -> Subject:
    return replace(subject, openings={})


def _with_opening(subject: Subject, *, key: str, now: Value) -> Subject:
    return subject.with_openings({key: now})


def _with_copy(subject: Subject, *, free: bool) -> Subject:
    """The bill after one more of the same day and kind; a `free` one has no amounts, so that it only counts."""
    last = subject.records[-1]
    values = dict(last.values)
    # The id sorts right before that of the bill, as later as any earlier one of the same day.
    values["episode_id"] = f"{str(values['episode_id'])[:-1]}\x01"
    if free:
        for spec in subject.plan.inputs:
            if spec.type == MONEY:
                values[spec.name] = Fraction(0)
        for listed in subject.plan.lists:
            values[listed.name] = ()
    copy = Record(MappingProxyType(values), last.defaulted)
    return replace(subject, records=(*subject.records[:-1], copy, last), earlier=subject.earlier + 1)
