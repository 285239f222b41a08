"""What could explain a charged amount: every single change of a finite set tried, those that reproduce it ranked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial

from rxcalc.backends.base import Outcome, Row
from rxcalc.backends.exact_groups import run_all
from rxcalc.backends.history import Opening
from rxcalc.backends.watched import WatchedExact
from rxcalc.bill.changed_before import before_changes
from rxcalc.bill.changed_groups import group_changes
from rxcalc.bill.changed_inputs import input_changes, lists_in_part, row_changes
from rxcalc.bill.changed_rules import fitted_changes, rule_changes
from rxcalc.bill.changed_stay import stay_changes
from rxcalc.bill.changes import Change, Kind, Other
from rxcalc.bill.charged import ChargedAmount, difference
from rxcalc.bill.lean import lean
from rxcalc.bill.reach import reach_of
from rxcalc.bill.subject import Computed, Subject
from rxcalc.lang.ops import Op
from rxcalc.lang.types import is_numeric
from rxcalc.plan.changed import UnchangeableError
from rxcalc.plan.nodes import PlanList, Value
from rxcalc.tracing.hits import Hit
from rxcalc.tracing.model import Recorder

_BROKEN = "RX803"  # a guarantee: all amounts are there, and whoever charged them keeps no guarantees


@dataclass(frozen=True)
class Hypothesis:
    """A change that reproduces the first differing amount. `reproduced` and `missed` are places among the charged amounts.

    `within` are those that come out within the tolerance only, each with what comes out.
    """

    change: Change
    reproduced: tuple[int, ...]
    missed: tuple[int, ...]
    off: Fraction  # how far the missed amounts are off, all together
    within: tuple[tuple[int, Value], ...] = ()
    is_thin: bool = False  # a wrong digit that a single differing amount speaks for: any amount can be had so

    @property
    def explains_all(self) -> bool:
        """Whether every charged amount comes out as charged."""
        return not self.missed

    @property
    def is_cause(self) -> bool:
        """Whether it may be called a likely cause: it explains all, and is neither a figure of the bill put in nor thin."""
        return self.explains_all and self.change.kind is not Kind.FITTED and not self.is_thin


@dataclass(frozen=True)
class Found:
    """What a search found. `tried` counts changes by kind, `refused` those that cannot be computed.

    `hypotheses` stand in the order of plausibility: first those that explain all amounts.
    """

    hypotheses: tuple[Hypothesis, ...]
    tried: Mapping[Kind, int]
    refused: int
    unread: tuple[Other, ...] = ()  # rulebooks under which the bill cannot be read
    in_part: tuple[PlanList, ...] = ()  # lists too long for every field of their rows to be tried

    @property
    def count(self) -> int:
        """How many changes were tried."""
        return sum(self.tried.values())

    @property
    def causes(self) -> tuple[Hypothesis, ...]:
        """The changes that reproduce every charged amount."""
        return tuple(h for h in self.hypotheses if h.is_cause)


def search(
    subject: Subject,
    charged: Sequence[ChargedAmount],
    first: int,
    computed: Computed,
    others: Sequence[Other] = (),
    *,
    tolerance: Fraction = Fraction(0),
) -> Found:
    """Tries every single change that the first differing amount can rest on.

    Args:
        subject: the bill.
        charged: what it says, in the order of the bill.
        first: the place of the first amount that differs.
        computed: the bill and what came before it as they are, recorded.
        others: the bill under other rulebooks.
        tolerance: how far amounts may be off and still count as reproduced; exact changes stand before such ones.
    """
    outcomes = [ran.outcome for ran in computed.all if ran.outcome is not None]
    trial = _Trial(subject, charged, first, outcomes, tolerance)
    trial.differing = frozenset(
        at
        for at, c in enumerate(charged)
        if not same(c.charged, c.in_outcome(subject.plan, computed.outcome)[1], tolerance)
    )
    goals = _goals(charged[first])
    reach = reach_of(subject.plan, [n for level, n in goals if not level], [g for g in goals if g[0]])
    looks_back = len(subject.records) > 1 and any(subject.plan.nodes[n].op is Op.WINDOW for n in reach.nodes)
    if not looks_back:
        trial.lean = trial.subject.with_plan(lean(trial.subject.plan, reach))
    hits = trial.hits()
    for change in input_changes(subject, reach):
        trial.put(change)
    for change in row_changes(subject, reach):
        trial.put(change)
    for change in stay_changes(subject):
        trial.put(change)
    for change in group_changes(subject, reach):
        trial.put(change)
    for change in before_changes(subject):
        trial.put(change)
    for change in rule_changes(trial.subject, computed, hits, reach):
        changed = trial.put(change)
        if looks_back and changed is not None:
            # The edited rules are the same; they also give the episodes before the bill other amounts.
            trial.put(replace(change, apply=partial(_as_made, made=changed), throughout=True))
    figures = [c.charged for c in charged if isinstance(c.charged, int | Fraction) and not isinstance(c.charged, bool)]
    for change in fitted_changes(subject, hits, reach, map(Fraction, figures)):
        trial.put(change)
    for at, other in enumerate(others):
        if other.subject is not None:
            trial.put(_as_change(other, at))
    return trial.found(tuple(o for o in others if o.subject is None))


def _goals(first: ChargedAmount) -> list[tuple[str, str]]:
    return [(first.of.level, first.of.name)]


def _as_made(_: Subject, *, made: Subject) -> Subject:
    return made


def _as_change(other: Other, at: int) -> Change:
    own = other.subject
    assert own is not None  # noqa: S101 - asked only then
    label = (("", f"{own.plan.rulebook} {own.plan.version}"),)
    return Change(
        Kind.RULEBOOK, other.name, lambda _: own, number=at, label=label, distance=Fraction(2 if other.given else 1)
    )


class _Trial:
    """Computes the bill with one change after the other and keeps what reproduces the first differing amount."""

    def __init__(
        self,
        subject: Subject,
        charged: Sequence[ChargedAmount],
        first: int,
        outcomes: Sequence[Outcome],
        tolerance: Fraction,
    ) -> None:
        # Findings are no amounts; leaving them out saves their evaluation with every change.
        self.subject = subject.with_plan(replace(subject.plan, checks=()))
        self.charged = charged
        self.first = first
        self.tolerance = tolerance
        self.settled = {id(r): o for r, o in zip(subject.records[:-1], outcomes, strict=False)}
        self.tried: dict[Kind, int] = {}
        self.refused = 0
        self.differing: frozenset[int] = (
            frozenset()
        )  # the places of the amounts that are not charged as the rules have them
        self.kept: list[Hypothesis] = []
        self.lean: Subject | None = None  # computes only what the first differing amount rests on

    def hits(self) -> set[Hit]:
        """What the bill uses of the rulebook."""
        recorder = Recorder()
        watched = replace(self.subject, _exact={False: WatchedExact(self.subject.plan)})
        self._outcome(watched, throughout=False, recorder=recorder)
        return set().union(recorder.hits, *(own.hits for own in recorder.rows.values()))

    def put(self, change: Change) -> Subject | None:
        """Tries a change; the bill with it, None where it cannot be made or is seen to leave the first amount as it is."""
        self.tried[change.kind] = self.tried.get(change.kind, 0) + 1
        try:
            if self.lean is not None and change.kind is not Kind.RULEBOOK and self._leaves_first(change, self.lean):
                return None
            subject = change.apply(self.subject)
        except UnchangeableError:
            self.refused += 1
            return None
        outcome = self._computed(subject, throughout=change.throughout or change.kind is Kind.RULEBOOK)
        if outcome is None or (outcome.problem is not None and outcome.problem.code != _BROKEN):
            self.refused += 1
        else:
            self._keep(change, outcome)
        return subject

    def _leaves_first(self, change: Change, lean: Subject) -> bool:
        """Whether the first differing amount is not as charged with a change, by what it rests on alone."""
        outcome = self._computed(change.apply(lean), throughout=change.throughout)
        if outcome is None:
            return False  # the whole plan decides
        if outcome.problem is not None:
            self.refused += 1
            return True
        first = self.charged[self.first]
        there, value = first.in_outcome(lean.plan, outcome)
        return there and not same(first.charged, value, self.tolerance)

    def _keep(self, change: Change, outcome: Outcome) -> None:
        """Keeps a change that reproduces the first differing amount."""
        plan = self.subject.plan
        there, value = self.charged[self.first].in_outcome(plan, outcome)
        if not there or not same(self.charged[self.first].charged, value, self.tolerance):
            return
        reproduced, missed, within, off = [], [], [], Fraction(0)
        for at, amount in enumerate(self.charged):
            there, value = amount.in_outcome(plan, outcome)
            if there and same(amount.charged, value, self.tolerance):
                reproduced.append(at)
                within += [(at, value)] if value != amount.charged else []
            else:
                missed.append(at)
                apart = difference(amount.charged, value) if there and is_numeric(amount.of.type) else None
                off += abs(apart) if apart is not None else 0
        is_thin = change.kind is Kind.DIGIT and len(self.differing.intersection(reproduced)) < 2
        self.kept.append(Hypothesis(change, tuple(reproduced), tuple(missed), off, tuple(within), is_thin))

    def found(self, unread: tuple[Other, ...]) -> Found:
        """All that was found, in the order of plausibility."""
        kept = sorted(self.kept, key=_rank)
        # A change that holds for the earlier bills too says no more where the bill alone explains as much.
        alone = {(_same_change(h.change), h.reproduced) for h in kept if not h.change.throughout}
        kept = [h for h in kept if not h.change.throughout or (_same_change(h.change), h.reproduced) not in alone]
        return Found(tuple(kept), dict(self.tried), self.refused, unread, lists_in_part(self.subject))

    def _computed(self, subject: Subject, *, throughout: bool) -> Outcome | None:
        try:
            return self._outcome(subject, throughout=throughout)
        except (TypeError, KeyError, IndexError, AttributeError, ValueError, ArithmeticError):
            # A rule that is forced reads what its condition had made sure of: a missing value, a row that is not there.
            return None

    def _outcome(self, subject: Subject, *, throughout: bool, recorder: Recorder | None = None) -> Outcome | None:
        """The bill's outcome. The episodes before it keep their amounts, unless the change holds for them too."""
        plan, records = subject.plan, subject.records
        last = len(records) - 1
        rows = [
            Row(
                at,
                str(record.values["episode_id"]),
                record.values,
                recorded=None if throughout or at == last else self.settled.get(id(record)),
            )
            for at, record in enumerate(records)
        ]
        owners = {record.values[plan.sequence.by] for record in records} if plan.sequence is not None else ()
        together = run_all(
            subject.exact(),
            rows,
            subject.groups.inputs,
            given=subject.groups.results,
            openings=dict.fromkeys(owners, Opening(subject.openings, single=last == 0)),
            recorders={last: recorder} if recorder is not None else None,
        )
        return together.ran[-1].outcome


def same(charged: Value, ours: Value, tolerance: Fraction) -> bool:
    """Whether an amount is as charged, or within the tolerance of it."""
    if charged == ours:
        return True
    apart = difference(charged, ours)
    return apart is not None and abs(apart) <= tolerance


def _rank(h: Hypothesis) -> tuple[object, ...]:
    c = h.change
    return (not h.explains_all, -len(h.reproduced), bool(h.within), c.weight, c.throughout, c.distance, h.off)


def _same_change(c: Change) -> tuple[object, ...]:
    return (c.kind, c.level, c.row, c.name, repr(c.was), repr(c.now), c.detail, c.number)
