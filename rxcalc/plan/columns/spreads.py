"""Spreads in columns: an amount divided by weights into whole minor units, by largest remainder."""

from __future__ import annotations

from dataclasses import replace
from typing import Generic, TypeVar

from rxcalc.lang.types import COUNT, FLAG
from rxcalc.plan.columns.across import Aggregate, Belongs, Lifted, Result
from rxcalc.plan.columns.formed import Formed, either, under
from rxcalc.plan.columns.kernel import NotProven
from rxcalc.plan.columns.levels import Levels
from rxcalc.plan.columns.numbers import Ints
from rxcalc.plan.nodes import PlanSpread
from rxcalc.plan.ranges import MAX_EPISODES, MAX_ROWS

__all__ = ["spread"]

X = TypeVar("X")


def spread(levels: Levels[X], s: PlanSpread) -> None:
    """Forms what each row of the target receives; the failures of both sides are noted."""
    target = levels.walks[s.target]
    try:
        target.steps[s.name] = _Spread(levels, s).run()
    except NotProven as gap:
        target.reasons.append(str(gap))
        target.steps[s.name] = Formed(fail=target.kernel.always(), absent=True)
        levels.fails[s.source].append(levels.walks[s.source].kernel.always())


class _Spread(Generic[X]):
    """One spread. Amounts are whole minor units; each row gets the whole part of its exact share, and the units left go one each."""

    def __init__(self, levels: Levels[X], s: PlanSpread) -> None:
        self.levels, self.s = levels, s
        self.source, self.target = levels.walk(s.source), levels.walk(s.target)
        few = s.source in levels.in_bill and s.target in levels.in_bill
        self.most = MAX_ROWS if few else MAX_EPISODES

    def run(self) -> Formed[X]:
        """What each row receives."""
        s, source, target = self.s, self.source, self.target
        of, to = source.arithmetic, target.arithmetic
        what, whole = self._amount()
        weight = self._weight()
        total = self._sum(weight, 0, weight.high * self.most)
        amount = of.shared(of.narrow(of.absolute(of.number(whole, 1)).num))
        nothing = source.kernel.binary("and", of.test("!=", amount, of.ints(0)), of.test("=", total, of.ints(0)))
        self.levels.fails[s.source] += [what.fail, nothing]
        if s.source in self.levels.across:
            self._refuse_members()
        mine, divisor = self._lifted(amount), self._lifted(total)
        divisor = replace(divisor, low=1, high=max(divisor.high, 1))
        units, over = to.divided(to.shared(to.times(mine, weight)), divisor)
        units = replace(units, high=amount.high)
        units = to.shared(to.narrow(units))
        left = self._lifted(
            of.narrow(replace(of.minus(amount, self._sum(units, 0, amount.high)), low=0, high=self.most))
        )
        first = to.test("<=", self._place(to.narrow(over)), left)
        part = to.plus(units, Ints(target.kernel.unary("flag", first), 0, 1, 64))
        zero = to.ints(0)
        part = to.pick(to.test("=", mine, zero), zero, replace(part, low=0, high=amount.high))
        if whole.low < 0:
            below = target.kernel.across(Lifted(s.source, source.kernel.share(of.test("<", whole, of.ints(0)))))[0]
            part = to.shared(part)
            part = to.pick(below, to.negated(part), part)
        if s.source in self.levels.groups and self.levels.may_have_none(s.source):
            part = self._members_only(part)
        number = to.number(to.shared(to.narrow(part)), 10**source.plan.decimals)
        return Formed(number=to.within(number, s.low, s.high))

    def _amount(self) -> tuple[Formed[X], Ints[X]]:
        """What there is to give, in minor units."""
        what = self.source.form(self.s.what)
        if what.absent:
            message = "what it divides has no column"
            raise NotProven(message)
        whole = self.source.arithmetic.whole(what.as_number, 10**self.source.plan.decimals)
        return what, self.source.arithmetic.shared(replace(whole, fixed=False))

    def _weight(self) -> Ints[X]:
        """The weights, never negative on rows that count; what is wrong with them is noted."""
        s, walk, kernel = self.s, self.target, self.target.kernel
        by = walk.form(s.by)
        if by.absent or by.as_number.den is not None:
            message = "its weights have no column of whole numbers"
            raise NotProven(message)
        num = replace(walk.arithmetic.shared(walk.arithmetic.narrow(by.as_number.num)), fixed=False)
        fails = [by.fail]
        if num.low < 0:
            fails.append(walk.arithmetic.test("<", num, walk.arithmetic.ints(0)))
        if walk.plan.nodes[s.by].missing:
            fails.append(kernel.unary("not", kernel.unary("known", num.code)))
        fail = either(kernel, *fails)
        if s.source in self.levels.across:
            self._refuse(fail)
        elif fail is not None and s.source and self.levels.may_have_none(s.source):
            fail = under(kernel, kernel.unary("known", kernel.across(Belongs(s.source))[0]), fail)
            self.levels.fails[s.target].append(fail)
        else:
            self.levels.fails[s.target].append(fail)
        return replace(num, low=max(num.low, 0), high=max(num.high, 0))

    def _refuse(self, fail: X | None) -> None:
        """A weight that is wrong refuses the whole group across bills."""
        if fail is None:
            return
        still, kernel = self.levels.standing.members(self.s.source, self.s.target), self.target.kernel
        fail = kernel.binary("default", fail, kernel.always())
        fail = fail if still is None else kernel.binary("and", still, fail)
        result = Result("any", distinct=False, type=FLAG, width=64)
        form = self._over_members(result, self.s.source, kernel.share(fail))
        self.levels.fails[self.s.source].append(self.source.kernel.across(form)[0])

    def _refuse_members(self) -> None:
        """Those that should have received a part of what a refused group gives are refused."""
        refused = self.levels.standing.refused(self.s.source)
        if refused is not None:
            kernel = self.target.kernel
            fail = kernel.across(Lifted(self.s.source, refused))[0]
            nobody = kernel.unary("not", kernel.always())
            self.levels.fails[self.s.target].append(kernel.share(kernel.binary("default", fail, nobody)))

    def _over_members(self, result: Result, level: str, value: X) -> Aggregate[X]:
        """An aggregate over the rows that receive of the same row."""
        source, target = self.s.source, self.s.target
        still = self.levels.standing.members(source, target)
        where = None if still is None else self.target.kernel.share(still)
        return Aggregate(result, level, target, source, before=False, keys=(), value=value, where=where, fail=None)

    def _sum(self, a: Ints[X], low: int, high: int) -> Ints[X]:
        """The sum over the rows that receive, for the one that gives."""
        width = self.source.arithmetic.width(low, high)
        form = self._over_members(Result("sum", distinct=False, type=COUNT, width=width), self.s.source, a.code)
        return Ints(self.source.kernel.across(form)[0], low, high, width)

    def _lifted(self, a: Ints[X]) -> Ints[X]:
        return replace(a, code=self.target.kernel.across(Lifted(self.s.source, a.code))[0], fixed=False)

    def _place(self, a: Ints[X]) -> Ints[X]:
        """The place of each row by these numbers, the largest first, among those that receive of the same row."""
        form = self._over_members(Result("rank", distinct=False, type=COUNT, width=64), self.s.target, a.code)
        return Ints(self.target.kernel.across(form)[0], 1, self.most, 64)

    def _members_only(self, part: Ints[X]) -> Ints[X]:
        kernel = self.target.kernel
        member = kernel.unary("known", kernel.across(Belongs(self.s.source))[0])
        gone = kernel.missing(COUNT, part.width)
        return replace(part, code=kernel.select(member, part.code, gone))
