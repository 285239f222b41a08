"""Aggregates over rows of the same bill, and over the members of a group, in columns.

Where every row that is gone over belongs to one row that asks, value and condition are formed on the frame of the
rows gone over. Where rows ask about each other (`sum(lines.amount where lines.code = code)`), equalities narrow the rows to
those with the same key; what else reads both rows is formed over pairs of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Generic, TypeVar

from rxcalc.lang.ops import Op
from rxcalc.lang.types import CODES
from rxcalc.plan.columns.across import Aggregate, Lifted, PairAggregate, Result
from rxcalc.plan.columns.formed import Formed, either, under
from rxcalc.plan.columns.kernel import NotProven
from rxcalc.plan.columns.lifting import absorbed, brought
from rxcalc.plan.columns.logic import joined
from rxcalc.plan.columns.lookups import At
from rxcalc.plan.columns.numbers import Ints, Number
from rxcalc.plan.columns.sides import OTHER, OWN
from rxcalc.plan.columns.walk import Walk
from rxcalc.plan.nodes import Plan, PlanCall, PlanNode
from rxcalc.plan.ranges import MAX_EPISODES, MAX_ROWS

if TYPE_CHECKING:
    from rxcalc.plan.columns.levels import Levels, LevelWalk

__all__ = ["Conditions", "ElementWalk", "RowCalls", "Terms", "conjuncts", "result_of", "terms"]

X = TypeVar("X")


class ElementWalk(Walk[X]):
    """Nodes of calls over the rows that they go over: EARLIER reads this row, everything else comes from the row that asks.

    `base` is the level whose row both belong to; the row that asks is that one, or reads of it only.
    """

    def __init__(self, levels: Levels[X], reader: str, element: str, base: str) -> None:
        own = levels.walks[element]
        super().__init__(own.plan, own.kernel, limited=own.limited, earlier=own.earlier, like=own)
        self._levels, self._own = levels, own
        self._reader, self._base = reader, base
        self._leaves: dict[int, Formed[X]] = {}

    def form(self, node: int, local: tuple[str, Number[X]] | None = None) -> Formed[X]:
        """The node over the rows gone over."""
        sides = self._levels.sides[node]
        if local is None and node not in self.bound and sides and not sides & OTHER:
            key = self.same[node]
            if key not in self._leaves:
                self._leaves[key] = self._leaf(node)
            return self._leaves[key]
        return super().form(node, local)

    def effective(self) -> At[X]:
        """The date at which parameters of the row that asks resolve."""
        if self._reader == self._base:
            return self._own.dated(self._levels.walks[self._base].effective(), self._base)
        return self._own.effective()

    def forget(self, nodes: Iterable[int]) -> None:
        """Forgets what was formed of these nodes."""
        super().forget(nodes)
        for node in nodes:
            self._leaves.pop(self.same[node], None)

    def _leaf(self, node: int) -> Formed[X]:
        levels = self._levels
        source: Walk[X] = levels.walks[self._base] if self._reader == self._base else levels.bill
        formed = source.form(node)
        absorbed(self, source)
        of = self.plan.nodes[node].type
        return brought(
            self, source, formed, of, lambda code: self.kernel.across(Lifted(self._base, code))[0], nullable=False
        )

    def _form(self, node: PlanNode) -> Formed[X]:
        return self._own.field(other_name(node)) if node.op is Op.EARLIER else super()._form(node)


class _PairWalk(Walk[X]):
    """Nodes of one call over pairs of rows. What reads one side alone is formed there and gathered."""

    def __init__(self, reader: LevelWalk[X], element: ElementWalk[X]) -> None:
        super().__init__(
            reader.plan, reader.kernel.apart(), limited=reader.limited, earlier=reader.earlier, like=reader
        )
        self._reader, self._element = reader, element
        self._leaves: dict[int, Formed[X]] = {}
        self.this: dict[str, X] = {}
        self.other: dict[str, X] = {}

    def form(self, node: int, local: tuple[str, Number[X]] | None = None) -> Formed[X]:
        """The node over pairs."""
        sides = self._reader.levels.sides[node]
        if local is None and node not in self.bound and sides and sides & (OWN | OTHER) != OWN | OTHER:
            key = self.same[node]
            if key not in self._leaves:
                self._leaves[key] = self._leaf(node, key, of_other=bool(sides & OTHER))
            return self._leaves[key]
        return super().form(node, local)

    def effective(self) -> At[X]:
        """This row's date."""
        at = self._reader.effective()
        self.this["on"] = at.code
        return At(self.kernel.taken("on"), at.low, at.high)

    def _leaf(self, node: int, key: int, *, of_other: bool) -> Formed[X]:
        source: Walk[X] = self._element if of_other else self._reader
        formed = source.form(node)
        absorbed(self, source)
        taken = self.other if of_other else self.this
        side = "o" if of_other else "t"

        def carry(code: X) -> X:
            name = next((name for name, known in taken.items() if known is code), f"{side}{key}.{len(taken)}")
            taken[name] = code
            return self.kernel.taken(name)

        return brought(self, source, formed, self.plan.nodes[node].type, carry, nullable=False)


@dataclass(frozen=True, slots=True)
class Conditions:
    """The conjuncts of a `where`: `plain` read no field of this row, `keys` say that a field of either row is the same, as (this, other).

    `mixed` says that some other conjunct reads both rows.
    """

    plain: tuple[int, ...]
    keys: tuple[tuple[int, int], ...]
    mixed: bool


@dataclass(frozen=True, slots=True)
class Terms(Generic[X]):
    """Value, condition and failure of a call, over one kernel."""

    value: Formed[X] | None
    where: X | None
    fail: X | None

    @property
    def code(self) -> X | None:
        """The value's column."""
        if self.value is None:
            return None
        return self.value.as_code if self.value.number is None else self.value.number.num.code


@dataclass(slots=True)
class RowCalls(Generic[X]):
    """The calls over rows, each formed where a step first reads it. `how` says how each runs."""

    levels: Levels[X]
    how: dict[int, str] = field(default_factory=dict)
    _elements: dict[tuple[str, str, str], ElementWalk[X]] = field(default_factory=dict)

    def form(self, walk: LevelWalk[X], place: int) -> Formed[X]:
        """The result of a call for the row that asks."""
        call = self.levels.plan.calls[place]
        element = self.element(call)
        try:
            return self._formed(walk, call, place, element)
        except NotProven as gap:
            self.how[place] = f"exact: {gap}" if str(gap) else "exact"
            raise
        finally:
            absorbed(walk, element)

    def element(self, call: PlanCall) -> ElementWalk[X]:
        """The walk over the rows that a call goes over."""
        levels = self.levels
        base = base_of(levels.plan, call)
        for level in (base, call.element):
            levels.walk(level)
        key = (call.level, call.element, base)
        if key not in self._elements:
            self._elements[key] = ElementWalk(levels, *key)
        return self._elements[key]

    def _formed(self, walk: LevelWalk[X], call: PlanCall, place: int, element: ElementWalk[X]) -> Formed[X]:
        plan, kernel = walk.plan, walk.kernel
        base = base_of(plan, call)
        before = call.kind == "above"
        if base == call.level and not before:
            found = self._members(element, call, terms(element, call, conjuncts(plan, call.where)))
            self.how[place] = "added up"
            return self._aggregate(walk, call, base, found, (), before=before)
        conditions = self.conditions(call, element)
        if not conditions.mixed:
            keys = self.keys(walk, element, conditions.keys)
            # Ranks and what stands above are found in one order of the rows: every row stands among those it looks at.
            ordered = before or call.function == "rank"
            if keys is not None and (not ordered or all(_is_one_field(plan, call, k) for k in conditions.keys)):
                found = terms(element, call, conditions.plain)
                self.how[place] = "added up by key" if keys else "added up"
                return self._aggregate(walk, call, base, found, keys, before=before)
        if call.function == "rank" and self.levels.sides[call.value] & OWN:
            message = "a rank by a value that reads both rows"
            raise NotProven(message)
        pairs = _PairWalk(walk, element)
        found = terms(pairs, call, conjuncts(plan, call.where))
        own = element.form(call.value).fail if call.function == "rank" else None
        self.how[place] = "over pairs"

        def code(width: int) -> tuple[X, X | None]:
            result = Result(call.function, call.distinct, call.type, width)
            form = PairAggregate(
                result, walk.level, call.element, base, before, pairs.kernel, pairs.this, pairs.other, found.code, found.where, found.fail
            )  # fmt: skip
            got = kernel.across(form)
            return got[0], got[1] if found.fail is not None else None

        formed = result_of(walk, call, found.value, code)
        return replace(formed, fail=either(kernel, own, formed.fail))

    def _members(self, element: ElementWalk[X], call: PlanCall, found: Terms[X]) -> Terms[X]:
        """The terms for those rows only that a group across bills still goes over."""
        still, kernel = self.levels.standing.members(call.level, call.element), element.kernel
        if still is None:
            return found
        where = still if found.where is None else kernel.binary("and", still, found.where)
        fail = under(kernel, still, found.fail)
        return Terms(found.value, kernel.share(where), None if fail is None else kernel.share(fail))

    def _aggregate(
        self,
        walk: LevelWalk[X],
        call: PlanCall,
        base: str,
        found: Terms[X],
        keys: Sequence[tuple[X, X]],
        *,
        before: bool,
    ) -> Formed[X]:
        def code(width: int) -> tuple[X, X | None]:
            result = Result(call.function, call.distinct, call.type, width)
            form = Aggregate(
                result, walk.level, call.element, base, before, tuple(keys), found.code, found.where, found.fail
            )
            got = walk.kernel.across(form)
            return got[0], got[1] if found.fail is not None else None

        formed = result_of(walk, call, found.value, code)
        if call.function != "rank" or found.value is None:
            return formed
        return replace(formed, fail=either(walk.kernel, found.value.fail, formed.fail))

    def base(self, call: PlanCall) -> str:
        """The level whose row the row that asks and those gone over both belong to."""
        return base_of(self.levels.plan, call)

    def walks(self) -> list[Walk[X]]:
        """The walks over rows gone over."""
        return list(self._elements.values())

    def siblings(self, level: str) -> ElementWalk[X]:
        """The walk over the rows of a list as other rows of the bill see them."""
        key = (level, level, "")
        if key not in self._elements:
            self._elements[key] = ElementWalk(self.levels, *key)
        return self._elements[key]

    def conditions(self, call: PlanCall, element: ElementWalk[X], looped: frozenset[int] = frozenset()) -> Conditions:
        """What the conjuncts of a call's `where` read; `looped` are nodes that no frame holds as a whole."""
        levels, nodes = self.levels, self.levels.plan.nodes
        plain: list[int] = []
        keys: list[tuple[int, int]] = []
        mixed = call.value >= 0 and bool(levels.sides[call.value] & OWN)
        for node in conjuncts(levels.plan, call.where):
            if not levels.sides[node] & OWN:
                plain.append(node)
                continue
            pair = _sides(levels.sides, nodes[node]) if nodes[node].op is Op.EQ else None
            # What stands before an equality is evaluated on every row, so it must not be able to fail.
            open_ = (
                pair is None or pair[1] in looped or any(n in looped or element.form(n).fail is not None for n in plain)
            )
            if pair is None or open_ or not self._can_key(element, pair):
                mixed = True
            else:
                keys.append(pair)
        return Conditions(tuple(plain), tuple(keys), mixed)

    def _can_key(self, element: ElementWalk[X], pair: tuple[int, int]) -> bool:
        nodes = element.plan.nodes
        types = [nodes[node].type for node in pair]
        if types[0] != types[1] or types[0] == CODES:
            return False
        theirs = element.form(pair[1])
        return not theirs.absent and theirs.fail is None and (theirs.number is None or theirs.number.den is None)

    def keys(
        self, walk: LevelWalk[X], element: ElementWalk[X], keys: Sequence[tuple[int, int]]
    ) -> list[tuple[X, X]] | None:
        """Pairs of key columns; None where this row's cannot be held as the other's is."""
        found: list[tuple[X, X]] = []
        for this, other in keys:
            mine, theirs = walk.form(this), element.form(other)
            if mine.absent or mine.fail is not None:
                return None
            if theirs.number is None:
                found.append((mine.as_code, theirs.as_code))
                continue
            a, b = mine.as_number, theirs.number
            if a.den is not None or a.scale != b.scale or a.num.fixed or b.num.fixed:
                return None
            nums = [w.arithmetic.narrow(n.num) for w, n in ((walk, a), (element, b))]
            if nums[0].width != nums[1].width:
                return None
            found.append((nums[0].code, nums[1].code))
        return found


def base_of(plan: Plan, call: PlanCall) -> str:
    """The level whose row the row that asks and those gone over both belong to."""
    group = next((g for g in plan.groups if g.name == call.level), None)
    return call.level if group is not None and group.of == call.element else ""


def other_name(node: PlanNode) -> str:
    """The field that an EARLIER node reads."""
    return str(node.data[1])  # type: ignore[index] # (rows, name)


def conjuncts(plan: Plan, node: int) -> list[int]:
    """The conditions that a `where` joins by `and`, in order."""
    if node < 0:
        return []
    entry = plan.nodes[node]
    return [part for arg in entry.args for part in conjuncts(plan, arg)] if entry.op is Op.AND else [node]


def _sides(sides: Sequence[int], node: PlanNode) -> tuple[int, int] | None:
    """The operands of an equality between a value of this row alone and one of the other row alone, in this order."""
    first, second = node.args
    for this, other in ((first, second), (second, first)):
        if sides[other] == OTHER and not sides[this] & OTHER:
            return this, other
    return None


def _is_one_field(plan: Plan, call: PlanCall, key: tuple[int, int]) -> bool:
    """Whether both sides of an equality are the same field, so that every row is one of those that it looks at."""
    this, other = (plan.nodes[node] for node in key)
    plain = this.op in {Op.INPUT, Op.STEP} and other.op is Op.EARLIER
    return plain and call.level == call.element and str(this.data) == other_name(other)


def terms(walk: Walk[X], call: PlanCall, conditions: Sequence[int]) -> Terms[X]:
    """The value, the condition and the failure of a call, over the columns of a walk."""
    kernel = walk.kernel
    where = joined(kernel, Op.AND, [walk.form(node) for node in conditions]) if conditions else None
    value = walk.form(call.value) if call.value >= 0 else None
    if any(part is not None and part.absent for part in (where, value)):
        raise NotProven(walk.reasons[-1] if walk.reasons else "")
    if value is not None and value.number is not None:
        if value.number.den is not None:
            message = "what it goes over is a quotient by a variable"
            raise NotProven(message)
        number = replace(value.number, num=replace(value.number.num, fixed=False))
        value = replace(value, number=walk.arithmetic.shared_number(walk.arithmetic.narrowed(number)))
    elif value is not None:
        value = replace(value, code=kernel.share(value.as_code))
    if call.distinct and call.value >= 0 and walk.plan.nodes[call.value].type == CODES:
        message = "it counts different sets of codes"
        raise NotProven(message)
    code = None if where is None else kernel.share(where.as_code)
    fail = None if value is None else value.fail
    if where is not None and code is not None:
        fail = either(kernel, where.fail, under(kernel, code, fail))
    return Terms(value, code, None if fail is None else kernel.share(fail))


def result_of(
    walk: LevelWalk[X], call: PlanCall, value: Formed[X] | None, code: Callable[[int], tuple[X, X | None]]
) -> Formed[X]:
    """The result's column, with its bounds."""
    levels = walk.levels
    few = call.level in levels.in_bill and call.element in levels.in_bill
    most = MAX_ROWS if few else MAX_EPISODES
    if call.function in {"count", "rank"}:
        low = int(call.function == "rank")
        found, fail = code(64)
        return Formed(number=walk.arithmetic.number(Ints(found, low, most + low, 64), 1), fail=fail)
    if value is None:
        raise NotProven
    if value.number is None:
        found, fail = code(64)
        return Formed(code=found, fail=fail)
    low, high = value.number.num.low, value.number.num.high
    if call.function == "sum":
        low, high = min(low * most, 0), max(high * most, 0)
    width = walk.arithmetic.width(low, high)
    found, fail = code(width)
    number = walk.arithmetic.number(Ints(found, low, high, width), value.number.scale)
    return Formed(number=number, fail=fail)
