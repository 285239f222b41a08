"""The smallest single change of a bill that lowers an amount.

Every input is tried by itself: the other values of a set, the other flag, leaving it out, the days and whole numbers up to
31 from its own (rules of a day of the month or of every tenth day come round), each code that rules ask for put in or taken
out, and each place at which the bill takes another course (a threshold, the edge of a band, the day of another version). How
far a change goes is counted in the smallest steps that the field can take: one place in an ordered set, one day, one, one
fen; any other value of a set without order, a flag turned, a field left out or filled in counts as one step.

An amount of money that is lowered by some yuan takes these yuan off somebody's share. That is no finding; a change of
money counts only when it saves more than itself, as where an amount lies just above a threshold. A number that the bill
does not give is not made up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Final

from rxcalc.backends.base import Outcome
from rxcalc.bill.compare import Figure, Place, figures, row_name
from rxcalc.bill.reach import reach_of
from rxcalc.bill.subject import Subject, compute
from rxcalc.bill.whatif import Bill, Change, written
from rxcalc.lang.types import CODE, CODES, DATE, FLAG, MONEY, MONEY_PER_DAY, OneOf, is_numeric, is_whole
from rxcalc.plan.nodes import PlanInput, PlanList, Value
from rxcalc.sampling.hints import grid_of

MOST_OF_ROWS: Final = 2_000
AROUND: Final = 31


@dataclass(frozen=True)
class Nearest:
    """The smallest change of one input that lowers the amount: by `steps`, to `amount`.

    `level` and `row` are "" for an input of the bill, else the list and the place of the row.
    """

    change: Change
    level: str
    row: str
    steps: int
    amount: Fraction
    saving: Fraction


@dataclass(frozen=True)
class Near:
    """What lowers an amount, the smallest change first, one of each input. `tried` changes were computed, `refused` of them refused.

    `unmoved` are inputs of which no change lowers it, `passed` those with nothing to go through. Changes of rows end after
    `MOST_OF_ROWS`; `cut_short` says that there are further ones.
    """

    goal: Place
    amount: Figure
    found: tuple[Nearest, ...]
    tried: int
    refused: int
    unmoved: tuple[str, ...]
    passed: tuple[str, ...]
    cut_short: bool = False


@dataclass(frozen=True)
class _Candidate:
    """One change with its length."""

    spec: PlanInput
    new: Value
    steps: int


def near(bill: Bill, name: str) -> Near | str:
    """The changes that lower the result `name` of the bill; a text says why there can be none."""
    own = compute(bill.subject).outcome
    found = _result(bill, own, name)
    if found is None:
        return "refused" if own.problem is not None else "missing"
    place, amount = found
    value = amount.value
    if isinstance(value, bool) or not isinstance(value, int | Fraction):
        return "no_number"
    return _Search(bill, place, amount, Fraction(value)).run()


class _Search:
    def __init__(self, bill: Bill, goal: Place, amount: Figure, value: Fraction) -> None:
        self.bill, self.goal, self.amount, self.value = bill, goal, amount, value
        self.tried = self.refused = 0
        self.reach = reach_of(bill.plan, (goal.name,))

    def run(self) -> Near:
        """All inputs of the bill, then those of its rows."""
        found: list[Nearest] = []
        unmoved: list[str] = []
        passed: list[str] = []
        for spec in self.bill.plan.inputs:
            own = self.bill.subject.bill.get(spec.name)
            candidates = self._of_input(spec)
            if candidates is None:
                passed.append(spec.name)
                continue
            best = self._nearest(candidates, own, lambda c: self._of_texts({c.spec.name: written(c.new, c.spec)}))
            found += [best] if best is not None else []
            unmoved += [] if best is not None else [spec.name]
        before = self.tried
        cut_short = False
        reach = self.reach
        for level in self.bill.plan.lists:
            # A field on which the amount does not rest need not be tried row by row.
            fields = [s for s in level.inputs if (level.name, s.name) in reach.inputs and s.name not in level.order]
            for at in range(len(self.bill.subject.rows(level.name))):
                if self.tried - before >= MOST_OF_ROWS:
                    cut_short = True
                    break
                found += self._row(level, at, fields)
        found.sort(key=lambda n: (n.steps, -n.saving))
        return Near(
            self.goal, self.amount, tuple(found), self.tried, self.refused, tuple(unmoved), tuple(passed), cut_short
        )

    # ---- what is tried ----

    def _of_input(self, spec: PlanInput) -> list[_Candidate] | None:
        """The changes of an input of the bill; None where there is nothing to go through."""
        own = self.bill.subject.bill.get(spec.name)
        if spec.type == CODES:
            texts = self.bill.others(spec)
            return (
                None if texts is None else [_Candidate(spec, frozenset(t.split(";")) if t else None, 1) for t in texts]
            )
        if spec.type == CODE:
            texts = self.bill.others(spec)
            return None if texts is None else [_Candidate(spec, text or None, 1) for text in texts]
        found = list(_beside(spec, own, AROUND if ("", spec.name) in self.reach.inputs else 1))
        if spec.type == DATE or (is_numeric(spec.type) and own is not None):
            found += [_Candidate(spec, v, _steps(spec, own, v)) for v in self.bill.turning_values(spec)]
        elif not found:
            return None
        return found

    def _row(self, level: PlanList, at: int, fields: Sequence[PlanInput]) -> Iterator[Nearest]:
        """The smallest change of each field of a row: sets, flags, days and whole numbers beside their own."""
        rows = self.bill.subject.rows(level.name)
        own = rows[at]

        def changed(c: _Candidate) -> Subject | None:
            other = {**own, c.spec.name: c.new}
            return self.bill.subject.with_rows(level.name, (*rows[:at], other, *rows[at + 1 :]))

        for spec in fields:
            best = self._nearest(list(_beside(spec, own.get(spec.name))), own.get(spec.name), changed)
            if best is not None:
                yield Nearest(best.change, level.name, row_name(level, own, at), best.steps, best.amount, best.saving)

    # ---- what it gives ----

    def _nearest(
        self, candidates: list[_Candidate], own: Value, changed: Callable[[_Candidate], Subject | None]
    ) -> Nearest | None:
        """The shortest change that lowers the amount, of equally short ones that which saves most."""
        best: tuple[_Candidate, Fraction] | None = None
        for candidate in sorted(dict.fromkeys(candidates), key=lambda c: c.steps):
            if best is not None and candidate.steps > best[0].steps:
                break
            amount = self._amount(changed(candidate))
            if amount is None or not self._counts(candidate, own, amount):
                continue
            if best is None or amount < best[1]:
                best = candidate, amount
        if best is None:
            return None
        candidate, amount = best
        spec = candidate.spec
        change = Change(spec.name, written(candidate.new, spec), spec, own, candidate.new)
        return Nearest(change, "", "", candidate.steps, amount, self.value - amount)

    def _amount(self, subject: Subject | None) -> Fraction | None:
        """The amount under a change; None where the bill is refused or has no such amount."""
        self.tried += 1
        outcome = compute(subject).outcome if subject is not None else None
        if subject is None or outcome is None or outcome.problem is not None:
            self.refused += 1
            return None
        values = {**outcome.steps, **outcome.shares}
        value = values.get(self.goal.name)
        return Fraction(value) if isinstance(value, int | Fraction) and not isinstance(value, bool) else None

    def _counts(self, candidate: _Candidate, own: Value, amount: Fraction) -> bool:
        """Whether a change lowers the amount, one of money by more than itself."""
        saving = self.value - amount
        if candidate.spec.type not in (MONEY, MONEY_PER_DAY) or self.amount.type != MONEY:
            return saving > 0
        moved = abs(_number(candidate.new) - _number(own)) if candidate.new is not None and own is not None else 0
        return saving > moved

    def _of_texts(self, texts: dict[str, str]) -> Subject | None:
        found = self.bill.with_inputs(texts)
        return found if isinstance(found, Subject) else None


def _result(bill: Bill, outcome: Outcome, name: str) -> tuple[Place, Figure] | None:
    found = figures(bill.plan, outcome)
    return next(((p, f) for p, f in found.items() if not p.level and p.name == name), None)


def _beside(spec: PlanInput, own: Value, around: int = 1) -> Iterator[_Candidate]:
    """The values next to an input's own one, days and whole numbers so many on each side, and none at all."""
    if isinstance(spec.type, OneOf):
        names = [v.name for v in spec.values]
        for name in names:
            if name != own:
                ranked = spec.type.ordered and own in names
                yield _Candidate(spec, name, abs(names.index(name) - names.index(str(own))) if ranked else 1)
    elif spec.type == FLAG:
        yield from (_Candidate(spec, flag, 1) for flag in (True, False) if flag is not own)
    elif spec.type == DATE and isinstance(own, date):
        for days in _near(around):
            if not 1 <= own.toordinal() + days <= date.max.toordinal():
                continue
            day = own + timedelta(days)
            if (spec.low is None or day >= spec.low) and (spec.high is None or day <= spec.high):  # type: ignore[operator]  # bounds of a date
                yield _Candidate(spec, day, abs(days))
    elif is_whole(spec.type) and isinstance(own, int):
        for one in _near(around):
            if (spec.low is None or own + one >= spec.low) and (spec.high is None or own + one <= spec.high):  # type: ignore[operator]  # bounds of a number
                yield _Candidate(spec, own + one, abs(one))
    if spec.optional and own is not None:
        yield _Candidate(spec, None, 1)


def _near(around: int) -> Iterator[int]:
    for n in range(1, around + 1):
        yield from (-n, n)


def _steps(spec: PlanInput, own: Value, new: Value) -> int:
    """How far a number or a date is moved, in the smallest steps that it can take; filled in or left out is one."""
    if own is None or new is None:
        return 1
    if isinstance(own, date) and isinstance(new, date):
        return abs((new - own).days)
    return abs(int((_number(new) - _number(own)) / (grid_of(spec) or 1)))


def _number(value: Value) -> Fraction:
    assert isinstance(value, int | Fraction)  # noqa: S101 - asked of numbers only
    return Fraction(value)
