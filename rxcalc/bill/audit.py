"""Charged amounts held against the rulebook, in the order of the bill, and what could explain the first that differs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from rxcalc.backends.base import Outcome
from rxcalc.bill.changes import Other
from rxcalc.bill.charged import ChargedAmount, difference
from rxcalc.bill.search import Found, same, search
from rxcalc.bill.subject import Computed, Subject, compute
from rxcalc.plan.nodes import Value


@dataclass(frozen=True)
class Compared:
    """A charged amount beside the rulebook's. `verdict` is equal, within, differs, or absent: nothing was computed."""

    charged: ChargedAmount
    ours: Value
    verdict: str

    @property
    def difference(self) -> Fraction | None:
        """How much more is charged; None where the two are no numbers, or one is not there."""
        return None if self.verdict == "absent" else difference(self.charged.charged, self.ours)

    @property
    def differs(self) -> bool:
        """Whether it is off by more than the tolerance."""
        return self.verdict in ("differs", "absent")


@dataclass(frozen=True)
class Audited:
    """A bill held against a rulebook. `found` is None when nothing differs, and for a reversal, to which no rule is applied."""

    subject: Subject
    computed: Computed
    amounts: tuple[Compared, ...]
    tolerance: Fraction
    found: Found | None

    @property
    def outcome(self) -> Outcome:
        """What the rulebook gives."""
        return self.computed.outcome

    @property
    def first(self) -> Compared | None:
        """The first amount that differs, in the order of the bill."""
        return next((a for a in self.amounts if a.differs), None)


def audit(
    subject: Subject,
    charged: Sequence[ChargedAmount],
    others: Callable[[], Sequence[Other]],
    *,
    tolerance: Fraction = Fraction(0),
) -> Audited:
    """Compares every charged amount; when one differs, searches for what explains the first that does.

    `others` gives the bill under other rulebooks; it is asked for only when something differs.
    """
    computed = compute(subject, recording=True)
    amounts = tuple(_compared(subject, computed.outcome, c, tolerance) for c in charged)
    first = next((at for at, a in enumerate(amounts) if a.differs), None)
    found = None
    if first is not None and not computed.outcome.reverses:
        found = search(subject, charged, first, computed, others(), tolerance=tolerance)
    return Audited(subject, computed, amounts, tolerance, found)


def _compared(subject: Subject, outcome: Outcome, charged: ChargedAmount, tolerance: Fraction) -> Compared:
    there, ours = charged.in_outcome(subject.plan, outcome)
    if not there:
        return Compared(charged, None, "absent")
    if charged.charged == ours:
        return Compared(charged, ours, "equal")
    return Compared(charged, ours, "within" if same(charged.charged, ours, tolerance) else "differs")
