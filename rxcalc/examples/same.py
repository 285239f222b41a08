"""Whether the clauses of a step give one value in two ways, by linear arithmetic over what they read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final, TypeAlias

from rxcalc.lang.arithmetic import round_to
from rxcalc.lang.ops import Op
from rxcalc.lang.types import DATE, is_numeric
from rxcalc.plan.nodes import ParameterRef, Plan, PlanNode, PlanStep
from rxcalc.plan.reads import nodes_below

Linear: TypeAlias = "Mapping[int, Fraction]"
"""A sum of nodes, each times its number; -1 stands for one."""

_ONE: Final = -1
_DEEP: Final = 12
_ORDER: Final = frozenset({Op.LT, Op.LE, Op.GT, Op.GE})
_REFUSES: Final = frozenset(
    {Op.DIVIDE, Op.PARAMETER, Op.CELL, Op.HAS_ROW, Op.POWER, Op.ROOT, Op.MAKE_DATE, Op.ADD_MONTHS, Op.ADD_YEARS, Op.CONVERT,
     Op.BANDS, Op.BAND, Op.BANDS_REACH, Op.SLICE, Op.ALONG, Op.OVER_DAYS, Op.GROUP, Op.LIFT, Op.WINDOW, Op.ROWS, Op.SHARE}
)  # fmt: skip
"""Operations that can refuse a row, or leave a trace of what was read."""


@dataclass
class Facts:
    """What is known where a clause decides: sums that are nothing or not below it, conditions, values of sets.

    `memo` keeps what nodes come to, as long as nothing is added.
    """

    zeros: list[Linear] = field(default_factory=list)
    positive: list[Linear] = field(default_factory=list)
    holds: set[int] = field(default_factory=set)
    fails: set[int] = field(default_factory=set)
    equals: dict[int, object] = field(default_factory=dict)
    memo: dict[int, Linear] = field(default_factory=dict)

    def copy(self) -> Facts:
        """The same, to be added to."""
        return Facts([*self.zeros], [*self.positive], {*self.holds}, {*self.fails}, {**self.equals})

    def rows(self, plan: Plan) -> list[tuple[int, dict[int, Fraction]]]:
        """The sums that are nothing, each with a node of which no later one speaks: the one of which least is known."""
        found: list[tuple[int, dict[int, Fraction]]] = []
        for zero in self.zeros:
            row = _eliminated(dict(zero), found)
            keys = [key for key in sorted(row, reverse=True) if key != _ONE and row[key]]
            if keys:
                found.append((max(keys, key=lambda key: _width(plan.nodes[key])), row))
        return found


class Same:
    """Proofs about the clauses of one plan."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        levels = [("", plan.steps), *((x.name, x.steps) for x in plan.lists), *((g.name, g.steps) for g in plan.groups)]
        self.steps = [s for _, steps in levels for s in steps]
        self.by_name = {(level, s.name): s for level, steps in levels for s in steps}
        self.first = _firsts(plan)
        self.readers: dict[int, list[int]] = {}
        for index, node in enumerate(plan.nodes):
            for arg in node.args:
                self.readers.setdefault(arg, []).append(index)
        self.lazy = {s.name for s in self.steps if s.lazy}
        self.others = {
            *(c.that for c in (*plan.requires, *plan.guarantees)),
            *(c.that for x in plan.lists for c in (*x.requires, *x.guarantees)),
            *(c.that for g in plan.groups for c in (*g.requires, *g.guarantees)),
            *(c.when for c in plan.checks),
            *(c.where for c in plan.calls),
            *(c.value for c in plan.calls),
        }

    # ---- what is asked ----

    def where_equal(self, index: int) -> bool:
        """Whether a comparison matters nowhere when its two operands are equal."""
        node = self.plan.nodes[index]
        if index in self.others:
            return False
        if not self._is_number(node.args[0]):
            return False
        facts = Facts([self._difference(index, Facts())])
        used = [(s, at) for s in self.steps for at, c in enumerate(s.clauses) if c.when == index]
        given = [s for s in self.steps for c in s.clauses if c.then == index]
        within = self.readers.get(index, [])
        if given or len(used) + len(within) != 1:
            return False
        if used:
            return self._without(*used[0], facts)
        reader = self.plan.nodes[within[0]]
        if reader.op is Op.IF and reader.args[0] == index:
            before = {self.first[n] for n in self._below([index])}
            return self._same(reader.args[1], reader.args[2], facts, before)
        if reader.op is Op.AND and not self.readers.get(within[0]) and within[0] not in self.others:
            used = [(s, at) for s in self.steps for at, c in enumerate(s.clauses) if c.when == within[0]]
            if len(used) == 1 and not any(c.then == within[0] for s in self.steps for c in s.clauses):
                for arg in reader.args:
                    if arg != index:
                        self._know(facts, arg)
                return self._without(*used[0], facts)
        return False

    def without(self, step: PlanStep, at: int) -> bool:
        """Whether a step gives the same without one of its clauses."""
        facts = Facts()
        if step.clauses[at].when >= 0:
            self._know(facts, step.clauses[at].when)
        return self._without(step, at, facts)

    def always(self, index: int) -> bool:
        """Whether a condition holds on every row, and can be evaluated on every row."""
        return self._decide(index, Facts()) is True and not self._refusing([index])

    # ---- clauses ----

    def _without(self, step: PlanStep, at: int, facts: Facts) -> bool:
        """Whether the clauses after one give what it gives, where it would decide and the facts hold."""
        own = step.clauses[at]
        if own.then < 0:
            return False
        before = {self.first[n] for n in self._below([c.when for c in step.clauses[: at + 1]])}
        passed: list[int] = []
        for clause in step.clauses[at + 1 :]:
            held = True if clause.when < 0 else self._decide(clause.when, facts)
            passed.append(clause.when)
            if held is False:
                continue
            if clause.then < 0:
                return False
            here = facts.copy()
            if clause.when >= 0:
                self._know(here, clause.when)
            if self._refusing([*passed, clause.then]) - before != self._refusing([own.then]) - before:
                return False
            if not self._same(own.then, clause.then, here, before):
                return False
            if held:
                return True
        return False

    def _same(self, one: int, other: int, facts: Facts, before: set[int]) -> bool:
        """Whether two expressions have one value, and one refuses where the other does."""
        if self.first[one] == self.first[other]:
            return True
        if self._refusing([one]) - before != self._refusing([other]) - before:
            return False
        if not self._is_number(one) or not self._is_number(other):
            return False
        if self._may_miss(one, other, before) or self._may_miss(other, one, before):
            return False
        difference = _minus(self._value(one, facts), self._value(other, facts))
        return not any(difference.values())

    def _may_miss(self, one: int, other: int, before: set[int]) -> bool:
        """Whether a value may be missing although the other way computes with what it rests on: nothing computes with a missing value."""
        computed = {self.first[n] for n in self._below(self.plan.nodes[other].args)}
        return self.plan.nodes[one].missing and self.first[one] not in computed | before

    def _below(self, roots: Iterable[int]) -> set[int]:
        return nodes_below(self.plan, roots)

    def _refusing(self, roots: Iterable[int]) -> set[int]:
        nodes = self.plan.nodes
        return {
            self.first[n]
            for n in self._below(roots)
            if (nodes[n].op in _REFUSES and not self._never_refuses(nodes[n]))
            or (nodes[n].op is Op.STEP and str(nodes[n].data) in self.lazy)
        }

    def _never_refuses(self, node: PlanNode) -> bool:
        """Whether a node never refuses: a parameter has a value on every day of the rulebook, a divisor is never zero."""
        if node.op is Op.DIVIDE:
            by = self.plan.nodes[node.args[1]]
            return (by.low is not None and by.low > 0) or (by.high is not None and by.high < 0)
        if node.op in (Op.ROWS, Op.WINDOW):
            call = self.plan.calls[int(str(node.data))]
            inner = self._below([call.value, call.where])
            across = {g.name for g in self.plan.groups if not g.inside}
            return node.level not in across and not any(self.plan.nodes[n].op in _REFUSES for n in inner)
        ref = node.data
        within = not any(g.name == node.level and not g.inside for g in self.plan.groups)
        return node.op is Op.PARAMETER and isinstance(ref, ParameterRef) and not ref.at and within

    # ---- facts ----

    def _know(self, facts: Facts, index: int) -> None:
        """Adds what follows from a condition that holds."""
        node = self.plan.nodes[index]
        facts.holds.add(self.first[index])
        if node.op is Op.AND:
            for arg in node.args:
                self._know(facts, arg)
        elif node.op is Op.NOT:
            facts.fails.add(self.first[node.args[0]])
        elif node.op is Op.EQ and not self._is_number(node.args[0]):
            one, other = node.args
            if self.plan.nodes[other].op is Op.CONST:
                facts.equals[self.first[one]] = self.plan.nodes[other].data
        elif node.op in (Op.EQ, *_ORDER) and self._is_number(node.args[0]):
            difference = self._difference(index, facts)
            low, high = self._range(difference)
            # x <= y where x - y is never below nothing: they are equal
            at_least = node.op is Op.LE and low is not None and low >= 0
            if node.op is Op.EQ or at_least or (node.op is Op.GE and high is not None and high <= 0):
                facts.zeros.append(difference)
            else:
                facts.positive.append(difference if node.op in (Op.GE, Op.GT) else _minus({}, difference))
        facts.memo.clear()

    def _decide(self, index: int, facts: Facts, depth: int = 0) -> bool | None:
        """Whether a condition holds where the facts do; None where that is not decided."""
        node = self.plan.nodes[index]
        if self.first[index] in facts.holds:
            return True
        if self.first[index] in facts.fails:
            return False
        if node.op is Op.CONST and isinstance(node.data, bool):
            return node.data
        if node.op is Op.NOT:
            inner = self._decide(node.args[0], facts, depth)
            return None if inner is None else not inner
        if node.op in (Op.AND, Op.OR):
            found = [self._decide(a, facts, depth) for a in node.args]
            stops = node.op is Op.OR
            if stops in found:
                return stops
            return None if None in found else not stops
        if node.op in (Op.EQ, Op.NE, Op.IN_SET) and self.first[node.args[0]] in facts.equals:
            own = facts.equals[self.first[node.args[0]]]
            if node.op is Op.IN_SET:
                return own in node.data if isinstance(node.data, tuple) else None
            other = self.plan.nodes[node.args[1]]
            return (own == other.data) == (node.op is Op.EQ) if other.op is Op.CONST else None
        if node.op not in (Op.EQ, Op.NE, *_ORDER) or not self._is_number(node.args[0]):
            return None
        difference = self._difference(index, facts, depth)
        low, high = self._bounded(difference, facts)
        if node.op in (Op.EQ, Op.NE):
            if not any(difference.values()):
                return node.op is Op.EQ
            apart = (low is not None and low > 0) or (high is not None and high < 0)
            return node.op is Op.NE if apart else None
        if node.op in (Op.GT, Op.LE):
            above = True if low is not None and low > 0 else False if high is not None and high <= 0 else None
            return above if node.op is Op.GT or above is None else not above
        least = True if low is not None and low >= 0 else False if high is not None and high < 0 else None
        return least if node.op is Op.GE or least is None else not least

    def _bounded(self, of: Linear, facts: Facts) -> tuple[Fraction | None, Fraction | None]:
        """The range of a sum, and what the facts add: a sum that is a known positive one and more is not below nothing."""
        low, high = self._range(of)
        for known in facts.positive:
            least = self._range(_minus(of, known))[0]
            most = self._range(_minus(_minus({}, of), known))[0]
            if least is not None and least >= 0:
                low = max(low, least) if low is not None else least
            if most is not None and most >= 0:
                high = min(high, -most) if high is not None else -most
        return low, high

    # ---- sums ----

    def _is_number(self, index: int) -> bool:
        type_ = self.plan.nodes[index].type
        return is_numeric(type_) or type_ == DATE

    def _difference(self, index: int, facts: Facts, depth: int = 0) -> Linear:
        """The first operand of a comparison less the second."""
        one, other = (self._value(a, facts, depth) for a in self.plan.nodes[index].args)
        return _minus(one, other)

    def _value(self, index: int, facts: Facts, depth: int = 0) -> Linear:
        """A node as a sum of others, each of which has one value on a row, where the facts hold."""
        node = self.plan.nodes[index]
        if node.op is Op.CONST and isinstance(node.data, int | Fraction) and not isinstance(node.data, bool):
            return {_ONE: Fraction(node.data)}
        if node.low is not None and node.low == node.high and not node.missing and node.op is Op.PARAMETER:
            return {_ONE: node.low}
        if self.first[index] not in facts.memo:
            found: Linear | None = None
            if depth < _DEEP and self._is_number(index):
                found = self._computed(node, facts, depth + 1)
            own = found if found is not None else {self.first[index]: Fraction(1)}
            facts.memo[self.first[index]] = _eliminated(dict(own), facts.rows(self.plan))
        return facts.memo[self.first[index]]

    def _computed(self, node: PlanNode, facts: Facts, depth: int) -> Linear | None:
        """What an operation gives as a sum; None where it is none."""
        match node.op:
            case Op.ADD if isinstance(node.data, tuple):
                sums = [self._value(a, facts, depth) for a in node.args]
                found: dict[int, Fraction] = {}
                for sign, own in zip(node.data, sums, strict=True):
                    for key, value in own.items():
                        found[key] = found.get(key, Fraction(0)) + int(sign) * value
                return found
            case Op.NEGATE:
                return _minus({}, self._value(node.args[0], facts, depth))
            case Op.MULTIPLY | Op.DIVIDE:
                one, other = (self._value(a, facts, depth) for a in node.args)
                return _product(one, other) if node.op is Op.MULTIPLY else _quotient(one, other)
            case Op.MIN | Op.MAX:
                return self._least([self._value(a, facts, depth) for a in node.args], facts, greatest=node.op is Op.MAX)
            case Op.IF:
                held = self._decide(node.args[0], facts, depth)
                return None if held is None else self._value(node.args[1 if held else 2], facts, depth)
            case Op.STEP:
                return self._of_step(node, facts, depth)
        return None

    def _least(self, sums: list[Linear], facts: Facts, *, greatest: bool) -> Linear | None:
        """The one that is never above (or below) any other."""
        for own in sums:
            apart = [_minus(own, x) if greatest else _minus(x, own) for x in sums]
            lows = [self._bounded(difference, facts)[0] for difference in apart]
            if all(low is not None and low >= 0 for low in lows):
                return own
        return None

    def _of_step(self, node: PlanNode, facts: Facts, depth: int) -> Linear | None:
        """What a step gives where the facts decide its clause, and no rounding stands between."""
        step = self.by_name.get((node.level, str(node.data)))
        for clause in step.clauses if step is not None and not node.earlier else ():
            held = True if clause.when < 0 else self._decide(clause.when, facts, depth)
            if held is None or (held and clause.then < 0):
                return None
            if held:
                if self.plan.nodes[clause.then].data is None and self.plan.nodes[clause.then].op is Op.CONST:
                    return None
                own = self._value(clause.then, facts, depth)
                if step is None or step.rounding is None:
                    return own
                if any(value for key, value in own.items() if key != _ONE):
                    return None
                return {_ONE: round_to(own.get(_ONE, Fraction(0)), step.rounding.to, step.rounding.mode)}
        return None

    def _range(self, of: Linear) -> tuple[Fraction | None, Fraction | None]:
        """The least and the greatest value of a sum, by the proven ranges of its nodes."""
        low: Fraction | None = Fraction(0)
        high: Fraction | None = Fraction(0)
        for key, times in of.items():
            if not times:
                continue
            ends = (Fraction(1), Fraction(1)) if key == _ONE else (self.plan.nodes[key].low, self.plan.nodes[key].high)
            first, last = ends if times > 0 else (ends[1], ends[0])
            low = None if low is None or first is None else low + times * first
            high = None if high is None or last is None else high + times * last
        return low, high


def _product(one: Linear, other: Linear) -> Linear | None:
    for number, of in ((one, other), (other, one)):
        if not any(value for key, value in number.items() if key != _ONE):
            by = number.get(_ONE, Fraction(0))
            return {key: value * by for key, value in of.items()}
    return None


def _quotient(one: Linear, other: Linear) -> Linear | None:
    """A sum divided by a number, or by one of which it is so many times the other."""
    if not any(value for key, value in other.items() if key != _ONE):
        by = other.get(_ONE, Fraction(0))
        return {key: value / by for key, value in one.items()} if by else None
    times = _times(one, other)
    return {_ONE: times} if times is not None else None


def _firsts(plan: Plan) -> list[int]:
    """For each node the first one that has its value on every row: the same operation of the same operands."""
    seen: dict[object, int] = {}
    found: list[int] = []
    for index, node in enumerate(plan.nodes):
        # What stands in a mapped rate or in a call over rows has other values for each of these.
        key = (node.op, node.data, tuple(found[a] for a in node.args), node.level, str(node.type))
        found.append(index if node.body or node.earlier else seen.setdefault(key, index))
    return found


def _minus(one: Linear, other: Linear) -> Linear:
    return {key: one.get(key, Fraction(0)) - other.get(key, Fraction(0)) for key in {*one, *other}}


def _width(node: PlanNode) -> tuple[bool, Fraction]:
    """How wide the proven range of a node is; an open one is wider than any other."""
    is_open = node.low is None or node.high is None
    return is_open, Fraction(0) if node.low is None or node.high is None else node.high - node.low


def _times(one: Linear, other: Linear) -> Fraction | None:
    """How many times another sum a sum is, where it is a multiple of it."""
    key = next((k for k, v in other.items() if v), None)
    if key is None:
        return None
    times = one.get(key, Fraction(0)) / other[key]
    return (
        times if not any(one.get(k, Fraction(0)) != times * other.get(k, Fraction(0)) for k in {*one, *other}) else None
    )


def _eliminated(of: dict[int, Fraction], rows: Iterable[tuple[int, Mapping[int, Fraction]]]) -> dict[int, Fraction]:
    for pivot, row in rows:
        times = of.get(pivot, Fraction(0)) / row[pivot]
        if times:
            for key, value in row.items():
                of[key] = of.get(key, Fraction(0)) - times * value
    return of
