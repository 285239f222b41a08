"""What `requires:` says of how fields hang together: bounds and equations of one field by others.

`in_scope <= total` bounds one of the two by the other; `abs(amount - price * quantity) < ¥0.01` gives the amount. It
saves tries; whatever is not understood here is left to them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from rxcalc.lang.ops import Op
from rxcalc.lang.types import DATE, is_numeric
from rxcalc.plan.nodes import Plan, PlanCondition
from rxcalc.sampling.edges import Field, specs_of

_MIRRORED = {Op.LE: Op.GE, Op.GE: Op.LE, Op.LT: Op.GT, Op.GT: Op.LT, Op.EQ: Op.EQ}


@dataclass(frozen=True, slots=True)
class Term:
    """A signed sum of nodes."""

    parts: tuple[tuple[int, int], ...]  # sign, node


@dataclass(frozen=True, slots=True)
class Bound:
    """A limit of a field: `strict` leaves it out. `reads` are other fields of its row or bill, `over` lists of the bill."""

    of: Term
    strict: bool
    reads: frozenset[Field]
    over: frozenset[str]


@dataclass(slots=True)
class Relation:
    """What is known of one field."""

    equal: Bound | None = None
    low: list[Bound] = field(default_factory=list)
    high: list[Bound] = field(default_factory=list)

    def bounds(self) -> Iterator[Bound]:
        """All of it."""
        if self.equal is not None:
            yield self.equal
        yield from self.low
        yield from self.high


def relations(plan: Plan, hinted: Collection[Field], needs: Mapping[Field, Collection[Field]]) -> dict[Field, Relation]:
    """What can be used without a circle. Hints win: a field that has one is never bounded. `needs` are what hints read."""
    return _Relations(plan, hinted, needs).found()


class _Relations:
    def __init__(self, plan: Plan, hinted: Collection[Field], needs: Mapping[Field, Collection[Field]]) -> None:
        self.plan = plan
        self.hinted = hinted
        self.specs = specs_of(plan)
        self.needs: dict[Field, set[Field]] = {key: set(of) for key, of in needs.items()}
        self.relations: dict[Field, Relation] = {}
        self.lists = {x.name for x in plan.lists}

    def found(self) -> dict[Field, Relation]:
        """Equations first, those that leave the least choice before others; then bounds."""
        conditions = [(level, c) for level, of in self._levels() for c in of]
        compared = [(level, n) for level, c in conditions for n in self._comparisons(c.that)]
        equations = [(level, terms) for level, n in compared if (terms := self._equation(n)) is not None]
        for level, terms in sorted(equations, key=lambda e: len([n for _, n in e[1] if self._lone(e[0], n)])):
            self._equate(level, terms)
        for level, index in compared:
            if self._equation(index) is None:
                self._compare(level, index)
        return self.relations

    def _levels(self) -> Iterator[tuple[str, tuple[PlanCondition, ...]]]:
        yield "", self.plan.requires
        for x in self.plan.lists:
            yield x.name, x.requires
        for g in self.plan.groups:
            if not g.inside:
                yield g.name, g.requires

    def _comparisons(self, index: int) -> Iterator[int]:
        """The comparisons that must hold; of `x is missing or c`, c."""
        node = self.plan.nodes[index]
        if node.op is Op.AND:
            for arg in node.args:
                yield from self._comparisons(arg)
        elif node.op is Op.OR:
            rest = [a for a in node.args if not self._is_missing(a)]
            if len(rest) == 1:
                yield from self._comparisons(rest[0])
        elif node.op in _MIRRORED:
            yield index

    def _is_missing(self, index: int) -> bool:
        node = self.plan.nodes[index]
        return node.op is Op.NOT and self.plan.nodes[node.args[0]].op is Op.KNOWN

    def _equation(self, index: int) -> list[tuple[int, int]] | None:
        """The signed terms of what must be zero, or nearly; None where that is not what is compared."""
        node = self.plan.nodes[index]
        left, right = node.args
        if node.op is Op.EQ:
            return [*self._signed(left), *((-s, n) for s, n in self._signed(right))]
        return self._within(node.op, left, right)

    def _compare(self, level: str, index: int) -> None:
        """Takes up `a <= b` and its kin as a bound of one of the two."""
        node = self.plan.nodes[index]
        left, right = node.args
        sides = [(left, right, node.op), (right, left, _MIRRORED[node.op])]
        for own, other, op in sorted(sides, key=lambda side: self._rank(level, side[0], side[2])):
            key = self._lone(level, own)
            if key is not None and self._bound(key, Term(tuple(self._signed(other))), op):
                return

    def _rank(self, level: str, own: int, op: Op) -> tuple[bool, bool, bool]:
        """Which of two fields is bounded by the other: not the date that decides, the part rather than the whole, the later day."""
        key = self._lone(level, own)
        if key is None:
            return True, True, True
        is_date = self.specs[key].type == DATE
        is_upper = op in (Op.LE, Op.LT)
        return False, key == ("", self.plan.effective_by), is_upper if is_date else not is_upper

    def _within(self, op: Op, left: int, right: int) -> list[tuple[int, int]] | None:
        """The terms t of `abs(t) < constant`."""
        if op in (Op.GT, Op.GE):
            left, right = right, left
        elif op not in (Op.LT, Op.LE):
            return None
        inner, limit = self.plan.nodes[left], self.plan.nodes[right]
        if inner.op is not Op.ABS or limit.op is not Op.CONST:
            return None
        return self._signed(inner.args[0])

    def _signed(self, index: int) -> list[tuple[int, int]]:
        """A node as a signed sum."""
        node = self.plan.nodes[index]
        if node.op is Op.ADD and isinstance(node.data, tuple) and node.type != DATE:
            return [(sign * s, n) for sign, a in zip(node.data, node.args, strict=True) for s, n in self._signed(a)]
        return [(1, index)]

    def _equate(self, level: str, terms: list[tuple[int, int]]) -> None:
        """Solves a sum that is zero for one of its fields: the last one declared that has no hint."""
        order = list(self.specs)
        own = [(n, s, key) for s, n in terms if (key := self._lone(level, n)) is not None]
        # A field that stands alone on its side is the sum of the others.
        alone = [key for n, s, key in own if sum(1 for t, _ in terms if t == s) == 1]
        for n, s, key in sorted(own, key=lambda o: (o[2] not in alone, -order.index(o[2]))):
            rest = Term(tuple((-s * t, m) for t, m in terms if m != n))
            if self._bound(key, rest, Op.EQ):
                return

    def _lone(self, level: str, index: int) -> Field | None:
        """The number or date of this level that a node is."""
        node = self.plan.nodes[index]
        key = (level, str(node.data))
        if node.op is not Op.INPUT or node.level != level or key not in self.specs:
            return None
        return key if is_numeric(self.specs[key].type) or self.specs[key].type == DATE else None

    def _bound(self, key: Field, of: Term, op: Op) -> bool:
        """Takes a bound up, unless there is a hint or a circle."""
        if key in self.hinted or not of.parts:
            return False
        relation = self.relations.get(key) or Relation()
        if relation.equal is not None:
            return False
        reads, over, is_plain = self._reads(of)
        if not is_plain or key in reads:
            return False
        wanted = {*reads, *((name, "*") for name in over)}
        if any(self._reaches(read, key) for read in wanted):
            return False
        self.needs.setdefault(key, set()).update(wanted)
        if key[0]:
            self.needs.setdefault((key[0], "*"), set()).add(key)
        bound = Bound(of, op in (Op.LT, Op.GT), frozenset(reads), frozenset(over))
        if op is Op.EQ:
            relation.equal = bound
        else:
            (relation.high if op in (Op.LE, Op.LT) else relation.low).append(bound)
        self.relations[key] = relation
        return True

    def _reaches(self, start: Field, goal: Field) -> bool:
        """Whether making `start` needs `goal`."""
        seen: set[Field] = set()
        stack = [start]
        while stack:
            at = stack.pop()
            if at == goal:
                return True
            if at not in seen:
                seen.add(at)
                stack.extend(self.needs.get(at, ()))
                if at[1] == "*":
                    stack.extend(k for k in self.specs if k[0] == at[0])
        return False

    def _reads(self, of: Term) -> tuple[set[Field], set[str], bool]:
        """The fields and lists that a term reads; whether it reads nothing else."""
        reads: set[Field] = set()
        over: set[str] = set()
        stack = [n for _, n in of.parts]
        is_plain = True
        while stack:
            node = self.plan.nodes[stack.pop()]
            if node.op is Op.INPUT:
                reads.add((node.level, str(node.data)))
            elif node.op is Op.ROWS:
                call = self.plan.calls[int(str(node.data))]
                is_plain = is_plain and call.kind == "rows" and call.of in self.lists
                over.add(call.of)
                stack.extend(n for n in (call.value, call.where) if n >= 0)
            elif node.op in (Op.STEP, Op.SHARE, Op.WINDOW, Op.GROUP):
                is_plain = False
            elif node.op is Op.EARLIER:
                continue
            stack.extend(node.args)
        return reads, over, is_plain
