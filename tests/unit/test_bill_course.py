"""The places at which a bill takes another course: between two of them every amount runs in a straight line."""

from __future__ import annotations

import random
from fractions import Fraction
from pathlib import Path

import pytest

from rxcalc.bill.course import Courses
from rxcalc.bill.subject import Subject, compute, read_subject
from rxcalc.cli.episode import entry_of
from rxcalc.cli.load import plan_of
from rxcalc.diagnostics.model import Sink
from rxcalc.lang.types import is_numeric
from rxcalc.plan.nodes import PlanInput, Value

BILLS = Path(__file__).parents[2] / "docs" / "bills"
# Steps and parts are rounded to the fen; so many of them may stand behind one amount.
ROUNDINGS = Fraction(6, 100)


def amounts(subject: Subject, spec: PlanInput, at: Fraction) -> str | tuple[Fraction, ...]:
    """The totals with one number moved; of a refused bill the code."""
    value: Value = at.numerator if at.denominator == 1 else at
    outcome = compute(subject.with_values({spec.name: value})).outcome
    if outcome.problem is not None:
        return outcome.problem.code
    results = {**outcome.steps, **outcome.shares}
    return tuple(Fraction(results[name]) for name in subject.plan.totals)  # type: ignore[arg-type]  # totals are amounts


@pytest.mark.parametrize(
    "bill", ["qin-city", "beijing-check", "national-methods-stay", "shanghai-visit", "dian-discharge"]
)
def test_between_two_turns_amounts_run_straight(bill: str) -> None:
    """At random places between neighbouring turns each total lies on the line through the ends, within roundings."""
    entry = entry_of(str(BILLS / f"{bill}.yaml"), None, Sink())
    plan = plan_of(entry.rulebook)
    subject = read_subject(plan, entry, Sink())
    assert subject is not None
    courses = Courses(subject)
    draw = random.Random(bill)
    checked = turned = 0
    for spec in plan.inputs:
        if not is_numeric(spec.type) or spec.low is None or spec.high is None:
            continue
        grid = Fraction(1, 10 ** (spec.decimals + (2 if str(spec.type) == "percent" else 0)))
        turns = courses.turns(spec)
        turned += len(turns)
        firsts = [max(Fraction(t.near), Fraction(t.far)) for t in turns]  # type: ignore[arg-type]  # numbers
        starts = [Fraction(spec.low), *firsts]  # type: ignore[arg-type]  # a number's bound
        ends = [*(s - grid for s in firsts), Fraction(spec.high)]  # type: ignore[arg-type]  # as above
        for low, high in zip(starts, ends, strict=True):
            if high - low < 3 * grid:
                continue
            one, other = amounts(subject, spec, low), amounts(subject, spec, high)
            for _ in range(5):
                at = low + draw.randrange(int((high - low) / grid)) * grid
                found = amounts(subject, spec, at)
                checked += 1
                if isinstance(one, str) or isinstance(other, str) or isinstance(found, str):
                    assert one == found == other, (spec.name, low, at, high)
                    continue
                for a, b, own in zip(one, other, found, strict=True):
                    line = a + (b - a) * (at - low) / (high - low)
                    assert abs(line - own) <= ROUNDINGS, (spec.name, low, at, high)
    assert turned
    assert checked >= 10
