"""Persons with their episodes: each made by itself, so that more of them change none of those before."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final, TypeAlias

from rxcalc.backends.base import Problem
from rxcalc.backends.exact import Exact
from rxcalc.lang.ops import Op
from rxcalc.lang.types import CODE
from rxcalc.passes.sequence import moved
from rxcalc.plan.nodes import Plan, Value
from rxcalc.sampling.bills import Bill, BillMaker, Turn
from rxcalc.sampling.draws import Draws
from rxcalc.sampling.hints import Hints
from rxcalc.sampling.rows import Fields, Making, Unmade
from rxcalc.sampling.valid import refused

Check: TypeAlias = Callable[[Sequence[Bill]], Collection[int]]
"""The places of the bills that are refused, among the bills of whole persons."""

MOST_ROUNDS: Final = 100
_BLOCK: Final = 5_000  # bills checked at once
# How many episodes a person has where nothing says it: one of these.
_SIZES: Final = (1, 1, 1, 1, 2, 2, 2, 3, 4, 6)
_MOST: Final = 10_000
_DIGITS: Final = 7
_NEAR: Final = timedelta(days=60)
_SELDOM: Final = 3  # most of these days would not be in order, and are not taken


@dataclass(slots=True)
class Person:
    """A person's episodes, and how often each was refused."""

    number: int
    first: int  # the number of the first episode
    attempts: list[int]
    bills: list[Bill]


class People:
    """Makes persons one after the other.

    `per_key`: how many episodes each has (0: as the hints say). `check` names among many bills those that are refused,
    quicker than the evaluator does one by one; a person with any is made again by that.
    """

    def __init__(
        self, plan: Plan, hints: Hints, bills: BillMaker, exact: Exact, seed: str, per_key: int, check: Check | None,
    ) -> None:  # fmt: skip
        self.plan = plan
        self.hints = hints
        self.maker = bills
        self.exact = exact
        self.seed = seed
        self.per_key = per_key
        self.owner = plan.sequence.by if plan.sequence is not None else ""
        self.leads = tuple(n for n in bills.days if bills.makers["", n].is_free and not bills.makers["", n].missing)
        self.jumps = tuple(j for j in _jumps(plan) if not bills.makers["", j[0]].hint.makes)
        self.check = check
        self.stands_alone = not reads_groups(plan) and (not self.owner or self.is_numbered(plan, hints))

    @staticmethod
    def is_numbered(plan: Plan, hints: Hints) -> bool:
        """Whether persons have ids made here: no hint says who they are, and it is no set that does."""
        if plan.sequence is None:
            return False
        spec = next(i for i in plan.inputs if i.name == plan.sequence.by)
        hint = hints.fields.get(("", spec.name))
        return spec.type == CODE and (hint is None or not hint.makes)

    def made(self, episodes: int) -> Iterator[Person]:
        """Persons until there are so many episodes; the last one may have fewer than it would. Each is computed if it can be alone."""
        check = self.check if self.stands_alone else None
        block: list[Person] = []
        done = number = held = 0
        while done < episodes:
            size = min(self._size(number), _MOST)
            person = Person(number, done, [0] * size, [])
            left = episodes - done
            if check is not None and size <= left:
                person.bills = self._bills(person)
            else:
                self.make_again(person, ())
                person = self._cut(person, left) if size > left else person
            block.append(person)
            done, number, held = done + len(person.bills), number + 1, held + len(person.bills)
            if check is None or held >= _BLOCK or done >= episodes:
                self._checked(block, check)
                yield from block
                block, held = [], 0

    def _checked(self, block: Sequence[Person], check: Check | None) -> None:
        """Makes persons again of whom the quick check refuses a bill."""
        if check is None:
            return
        wrong = check([bill for person in block for bill in person.bills])
        at = 0
        for person in block:
            size = len(person.bills)
            if any(at + n in wrong for n in range(size)):
                self.make_again(person, ())
            at += size

    def person(self, number: int, first: int, size: int) -> Person:
        """One person."""
        person = Person(number, first, [0] * size, [])
        self.make_again(person, ())
        return person

    def make_again(self, person: Person, wrong: Sequence[int]) -> None:
        """Makes a person's bills, those that were `wrong` from other draws; refused ones again until none is.

        Raises Unmade after too many rounds.
        """
        problems: dict[int, Problem] = dict.fromkeys(wrong, Problem("", "", "", ""))
        for _ in range(MOST_ROUNDS):
            for at in problems:
                person.attempts[at] += 1
            person.bills = self._bills(person)
            problems = refused(self.exact, person.bills) if self.stands_alone else {}
            if not problems:
                return
        problem = next(iter(problems.values()))
        raise Unmade(f"{problem.code} {problem.field}".strip(), problem.message)

    def _cut(self, person: Person, size: int) -> Person:
        """The first episodes of a person; another one where these are refused without the rest."""
        short = Person(person.number, person.first, person.attempts[:size], person.bills[:size])
        if self.stands_alone and refused(self.exact, short.bills):
            return self.person(person.number, person.first, size)
        return short

    def _size(self, number: int) -> int:
        if not self.owner:
            return 1
        if self.per_key:
            return self.per_key
        draws = Draws(self.seed, number, "episodes")
        if self.hints.episodes is None:
            return draws.one(_SIZES)
        c = Making({}, {}, None, {}, self.plan.effective_from)
        c.draws = draws
        return max(1, int(self.hints.episodes.run(c) or 1))

    def _bills(self, person: Person) -> list[Bill]:
        days = self._ordered_days(person)
        shared: dict[str, Value] = {}
        if self.owner and self.is_numbered(self.plan, self.hints):
            shared[self.owner] = f"{self.owner[0].upper()}{person.number + 1:0{_DIGITS}d}"
        found: list[Bill] = []
        for at, attempt in enumerate(person.attempts):
            given = {**shared, "episode_id": f"E{person.first + at + 1:0{_DIGITS}d}", **days[at]}
            before = found[-1].values if found else None
            turn = Turn(person.number, at, attempt, given, before)
            jump = self._jump(person, at, before, days) if before is not None else {}
            bill: Bill | None = None
            if jump:
                with suppress(Unmade):  # the day does not go with the rest
                    bill = self.maker.make(replace(turn, given={**given, **jump}))
            found.append(bill or self.maker.make(turn))
            if self.owner:
                shared.setdefault(self.owner, found[0].values[self.owner])
        return found

    def _ordered_days(self, person: Person) -> list[dict[str, Value]]:
        """Days drawn without looking at anything else, in the order of the episodes: ids ascend with them."""
        days: list[dict[str, Value]] = [{} for _ in person.attempts]
        for name in self.leads if len(days) > 1 else ():
            drawn = [
                self.maker.free_date(name, person.number, at, attempt) for at, attempt in enumerate(person.attempts)
            ]
            known = sorted(d for d in drawn if d is not None)
            if len(known) == len(days):
                for own, day in zip(days, known, strict=True):
                    own[name] = day
        return days

    def _jump(
        self, person: Person, at: int, before: Fields, days: Sequence[Mapping[str, Value]]
    ) -> Mapping[str, Value]:
        """Now and then a day right where a window ends or a new spell starts, if that keeps the days in order."""
        draws = Draws(self.seed, person.number, at, person.attempts[at], "jump")
        if not self.jumps or draws.below(_SELDOM):
            return {}
        to, since, length, unit = draws.one(self.jumps)
        start, earlier, own = before.get(since), before.get(to), days[at].get(to)
        if not isinstance(start, date) or not isinstance(earlier, date):
            return {}
        day = moved(start, length, unit) + timedelta(days=draws.below(3) - 1)
        if isinstance(own, date):
            after = days[at + 1].get(to) if at + 1 < len(days) else self.plan.effective_to
            in_order = earlier <= day and (not isinstance(after, date) or day <= after)
        else:  # such as an admission, reckoned back from a discharge: near that, and not after it
            leads = [d for name in self.leads if isinstance(d := days[at].get(name), date)]
            in_order = earlier <= day and all(timedelta(0) <= d - day <= _NEAR for d in leads)
        return {to: day} if in_order else {}


def _jumps(plan: Plan) -> Iterator[tuple[str, str, int, str]]:
    """Where windows end: the date that is so long after another one of the episode before."""
    for w in plan.windows:
        if w.level:
            continue
        if w.gap[0]:
            yield w.gap_to, w.gap_from, *w.gap
        elif w.period[0]:
            yield w.date, w.date, *w.period
        elif w.rolling[0] and not w.rolling_unit:
            yield w.date, w.date, *w.rolling


def reads_groups(plan: Plan) -> bool:
    """Whether a bill depends on groups across bills, and so on other bills."""
    across = {g.name for g in plan.groups if not g.inside}
    if any(s.source in across and s.target not in across for s in plan.spreads):
        return True
    return any(n.op in (Op.GROUP, Op.LIFT) and n.data in across and n.level not in across for n in plan.nodes)
