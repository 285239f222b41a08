"""The walk over a plan's nodes: each is formed once, from its arguments, over any kernel."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final, Generic, TypeGuard, TypeVar

from rxcalc.lang.ops import Op
from rxcalc.lang.types import Kind, Plain, Type, is_numeric
from rxcalc.plan.columns import dates, logic, lookups, schedules
from rxcalc.plan.columns.formed import Formed, either
from rxcalc.plan.columns.kernel import Kernel, NotProven
from rxcalc.plan.columns.lookups import At
from rxcalc.plan.columns.numbers import Arithmetic, Ints, Number
from rxcalc.plan.nodes import (
    CellRef,
    ParameterRef,
    Plan,
    PlanGroup,
    PlanInput,
    PlanList,
    PlanNode,
    RoundTo,
    ScheduleRef,
    Value,
)

__all__ = ["MOST_EPISODES", "Bounds", "Note", "Walk", "input_scale"]

X = TypeVar("X")

Bounds = tuple[Fraction | None, Fraction | None]

MOST_EPISODES = 100_000
"""Sums over windows are proven for this many episodes of one person; the columnar run stops there."""


def input_scale(field: PlanInput) -> int:
    """What an input's value is multiplied by in its column: 85.5% with one decimal is 855, of scale 1000."""
    match field.type:
        case Plain(Kind.MONEY | Kind.NUMBER | Kind.MONEY_PER_DAY):
            return int(10**field.decimals)
        case Plain(Kind.PERCENT):
            return int(10 ** (field.decimals + 2))
        case _:
            return 1


_ARITHMETIC: Final = frozenset({Op.ADD, Op.MULTIPLY, Op.DIVIDE, Op.NEGATE, Op.ABS, Op.MIN, Op.MAX, Op.CONVERT})


@dataclass(frozen=True, slots=True)
class Note:
    """What forming a node needed: the widest column, the largest magnitude, and why it has no column."""

    widest: int
    peak: int
    reason: str


class Walk(Generic[X]):
    """Forms nodes of `plan`. `steps` and `shares` hold what was formed before; `earlier` bounds earlier results.

    `limited` makes a value that fits no width NotProven. `looking` forms window calls. A walk `like` another
    one shares what is known of the nodes, not what was formed.
    """

    def __init__(
        self,
        plan: Plan,
        kernel: Kernel[X],
        *,
        limited: bool,
        earlier: Mapping[str, Bounds],
        like: Walk[X] | None = None,
    ) -> None:
        self.plan = plan
        self.kernel = kernel
        self.limited, self.earlier = limited, earlier
        self.looking: Callable[[int], Formed[X]] | None = None
        self.arithmetic = Arithmetic(kernel, limited=limited)
        self.parameters = {found.name: found for found in plan.parameters}
        self.tables = {table.name: table for table in plan.tables}
        self.inputs = {field.name: field for field in plan.inputs}
        self.steps: dict[str, Formed[X]] = {}
        self.shares: dict[str, Formed[X]] = {}
        self.call_scales: dict[int, int] = {}
        self.notes: dict[int, Note] = {}
        self.formed: dict[int, Formed[X]] = {}
        self.reasons: list[str] = []
        self._lazy = frozenset(step.name for step in plan.steps if step.lazy)
        self.same: list[int] = _same_nodes(plan.nodes) if like is None else like.same
        self.bound: frozenset[int] = _reads_local(plan.nodes) if like is None else like.bound
        self._uses: Counter[int] = _uses(plan, self.same) if like is None else like._uses  # noqa: SLF001 -- of the same class
        self._memo: dict[int, Formed[X]] = {}
        self._rows: dict[tuple[object, ...], X] = {}
        self._local: tuple[str, Number[X]] | None = None

    # What the operations ask for

    def form(self, node: int, local: tuple[str, Number[X]] | None = None) -> Formed[X]:
        """The node in columns; `local` binds the name before `->` for this node and below."""
        if local is not None:
            outer, self._local = self._local, local
            try:
                return self.form(node)
            finally:
                self._local = outer
        key = self.same[node]
        bound = node in self.bound
        if not bound and key in self._memo:
            return self._memo[key]
        widest, peak = self.arithmetic.widest, self.arithmetic.peak
        self.arithmetic.widest, self.arithmetic.peak = 64, 0
        reason = ""
        try:
            formed = self._shared(node, self._form(self.plan.nodes[node]))
        except NotProven as gap:
            reason = str(gap)
            if reason:
                self.reasons.append(reason)
            formed = Formed(fail=self.kernel.always(), absent=True)
        self.notes[node] = Note(self.arithmetic.widest, self.arithmetic.peak, reason)
        self.formed[node] = formed
        self.arithmetic.widest, self.arithmetic.peak = max(widest, self.arithmetic.widest), peak
        if not bound:
            self._memo[key] = formed
        return formed

    def forget(self, nodes: Iterable[int]) -> None:
        """Forgets what was formed of these nodes: they are formed anew where they are read again."""
        for node in nodes:
            self._memo.pop(self.same[node], None)

    def numbers(self, args: Iterable[int]) -> list[Number[X]]:
        """The arguments as numbers."""
        return [self.form(arg).as_number for arg in args]

    def fails(self, args: Iterable[int]) -> X | None:
        """Where any argument fails."""
        return either(self.kernel, *(self.form(arg).fail for arg in args))

    def constant(self, value: Value, of: Type) -> Formed[X]:
        """A literal."""
        if value is None:
            if is_numeric(of):
                return Formed(number=self.arithmetic.number(Ints(self.kernel.missing(of, 64), 0, 0, 64), 1))
            return Formed(code=self.kernel.missing(of, 64))
        if is_numeric(of):
            return Formed(number=self.arithmetic.fixed(Fraction(value)))  # type: ignore[arg-type] # int or Fraction
        place = logic.place_in(value, of)
        return Formed(code=self.kernel.constant(value, of), at=place)

    def blank(self, formed: Formed[X], of: Type, where: X | None, fail: X | None) -> Formed[X]:
        """The value, missing on the rows `where` (None: as it is)."""
        if where is None:
            return replace(formed, fail=fail, at=None)
        if formed.number is not None:
            num = formed.number.num
            gone = self.kernel.missing(of, num.width)
            num = replace(num, code=self.kernel.select(where, gone, num.code), fixed=False)
            return Formed(number=replace(formed.number, num=num), fail=fail)
        code = self.kernel.select(where, self.kernel.missing(of, 64), formed.as_code)
        return Formed(code=code, fail=fail)

    def at(self, node: int) -> At[X]:
        """A date argument with its bounds."""
        low, high = dates.day_bounds(self.plan.nodes[node])
        return At(self.form(node).as_code, low, high)

    def effective(self) -> At[X]:
        """The episode's effective date; an episode outside the rulebook's range is refused elsewhere."""
        field = self.inputs[self.plan.effective_by]
        low, high = dates.input_bounds(field)
        low = max(low, self.plan.effective_from.toordinal())
        if self.plan.effective_to is not None:
            high = min(high, self.plan.effective_to.toordinal())
        return At(self.kernel.input(field.name, field.type, 64), low, max(low, high))

    def day_number(self, node: int) -> Number[X]:
        """A date argument as days since 0001-01-01, which is 1."""
        at = self.at(node)
        return self.arithmetic.number(Ints(self.kernel.unary("days", at.code), at.low, at.high, 64), 1)

    def found_row(self, ref: CellRef, args: Sequence[int], keys: list[tuple[X, Type, int]], on: X | None) -> X:
        """The position of the table row, looked for once for the same keys."""
        key = (ref.table, ref.at, *(self.same[arg] for arg in args))
        if any(arg in self.bound for arg in args):
            return self.kernel.find_row(ref.table, keys, on)
        if key not in self._rows:
            self._rows[key] = self.kernel.find_row(ref.table, keys, on)
        return self._rows[key]

    # Forming

    def _shared(self, node: int, formed: Formed[X]) -> Formed[X]:
        """Bounds from the plan, and one column for what is used more than once."""
        entry = self.plan.nodes[node]
        number, code, fail = formed.number, formed.code, formed.fail
        if number is not None:
            number = self.arithmetic.within(number, entry.low, entry.high)
        if self._uses[self.same[node]] > 1 and entry.op not in {Op.CONST, Op.INPUT, Op.STEP, Op.LOCAL}:
            number = None if number is None else self.arithmetic.shared_number(self.arithmetic.narrowed(number))
            code = None if code is None else self.kernel.share(code)
            fail = None if fail is None else self.kernel.share(fail)
        return replace(formed, number=number, code=code, fail=fail)

    def _form(self, node: PlanNode) -> Formed[X]:
        match node.op:
            case Op.CONST:
                return self.constant(node.data, node.type)  # type: ignore[arg-type] # the literal of a CONST
            case Op.INPUT:
                return self.input(str(node.data))
            case Op.STEP:
                step = self.steps[str(node.data)]
                return step if node.data in self._lazy else replace(step, fail=None)
            case Op.SHARE:
                return replace(self.shares[str(node.data)], fail=None)
            case Op.LOCAL if self._local is not None:
                return Formed(number=self._local[1])
            case Op.WINDOW:
                return self._window(int(str(node.data)))
        match node.data:
            case ParameterRef() as ref if node.op is Op.PARAMETER:
                return lookups.parameter(self, node, ref)
            case CellRef() as row:
                return lookups.cell(self, node, row) if node.op is Op.CELL else lookups.has_row(self, node, row)
            case ScheduleRef() | ParameterRef() as ref if node.op is Op.OVER_DAYS:
                return schedules.over_days(self, node, ref)
            case ScheduleRef() as schedule:
                return self._schedule(node, schedule)
            case RoundTo() as to:
                return self._rounded(node, to)
        if is_numeric(node.type) and node.op in _ARITHMETIC and not dates.of_dates(self.plan, node):
            return self._arithmetic(node)
        formed = dates.form(self, node) or logic.form(self, node)
        if formed is None:
            message = f"{node.op.value} has no column form"
            raise NotProven(message)
        return formed

    def input(self, name: str) -> Formed[X]:
        """An input."""
        field = self.inputs[name]
        if not is_numeric(field.type):
            return Formed(code=self.kernel.input(name, field.type, 64))
        scale = input_scale(field)
        low, high = logic.number_bounds(field)
        return self.column(scale, low, high, lambda width: self.kernel.input(name, field.type, width))

    def column(self, scale: int, low: Fraction | None, high: Fraction | None, code: Callable[[int], X]) -> Formed[X]:
        """A column of numbers within bounds, which say its width."""
        if low is None or high is None:
            message = "no bounds are proven"
            raise NotProven(message)
        whole = (low * scale).__ceil__(), (high * scale).__floor__()
        width = self.arithmetic.width(*whole)
        return Formed(number=self.arithmetic.number(Ints(code(width), *whole, width), scale))

    def _window(self, place: int) -> Formed[X]:
        if self.looking is None:
            message = "a window call inside another one"
            raise NotProven(message)
        return self.looking(place)

    def _schedule(self, node: PlanNode, ref: ScheduleRef) -> Formed[X]:
        match node.op:
            case Op.SLICE:
                return schedules.slices(self, node, ref)
            case Op.ALONG:
                return schedules.along(self, node, ref)
            case _:
                return schedules.bands(self, node, ref)

    def _rounded(self, node: PlanNode, to: RoundTo) -> Formed[X]:
        if node.op in {Op.POWER, Op.ROOT}:
            message = f"{node.op.value} needs more digits than a column holds"
            raise NotProven(message)
        mode = {Op.FLOOR: "floor", Op.CEIL: "ceil"}.get(node.op, to.mode)
        number = self.arithmetic.rounded(self.form(node.args[0]).as_number, to, mode)
        return Formed(number=number, fail=self.fails(node.args))

    def _arithmetic(self, node: PlanNode) -> Formed[X]:
        numbers = self.numbers(node.args)
        fail = self.fails(node.args)
        sums = self.arithmetic
        result = numbers[0]
        match node.op:
            case Op.ADD:
                signs = tuple(node.data) if isinstance(node.data, tuple) else (1,) * len(numbers)
                result = result if signs[0] > 0 else sums.negate(result)
                # Long sums are cut into pieces: an engine's time grows with the square of the depth.
                for place, (number, sign) in enumerate(zip(numbers[1:], signs[1:], strict=True), 1):
                    result = sums.add(result, number, sign)
                    result = sums.shared_number(result) if place % 16 == 0 else result
            case Op.MULTIPLY:
                for number in numbers[1:]:
                    result = sums.multiply(result, number)
            case Op.DIVIDE:
                under = numbers[1]
                if under.low <= 0 <= under.high and under.fixed in {None, 0}:
                    under = sums.shared_number(under)
                    fail = either(self.kernel, fail, sums.compare("=", under, sums.fixed(0)))
                if under.fixed == 0:
                    message = "a quotient by zero"
                    raise NotProven(message)
                result = sums.divide(result, under, node.scale)
            case Op.NEGATE:
                result = sums.negate(result)
            case Op.ABS:
                result = sums.absolute(result)
            case Op.MIN | Op.MAX:
                for number in numbers[1:]:
                    result = sums.least_or_most(node.op.value, result, number)
            case _:
                return self._converted(node, result, fail)
        return Formed(number=result, fail=fail)

    def _converted(self, node: PlanNode, value: Number[X], fail: X | None) -> Formed[X]:
        """The same number in another unit; a whole unit takes whole numbers only."""
        whole = isinstance(node.type, Plain) and node.type.kind in {Kind.COUNT, Kind.DAYS, Kind.MONTHS, Kind.YEARS}
        if not whole or (value.scale == 1 and value.den is None):
            return Formed(number=value, fail=fail)
        value = self.arithmetic.shared_number(value)
        down = self.arithmetic.shared_number(self.arithmetic.rounded(value, RoundTo(Fraction(1), "floor"), "floor"))
        if self.plan.nodes[node.args[0]].scale != 1:
            fail = either(self.kernel, fail, self.arithmetic.compare("!=", value, down))
        return Formed(number=down, fail=fail)


def _same_nodes(nodes: Sequence[PlanNode]) -> list[int]:
    """For each node the first one that means the same, so that what is written twice is computed once.

    Nodes whose proven bounds differ stay apart: bounds may rest on the branch a node stands in.
    """
    seen: dict[object, int] = {}
    same: list[int] = []
    for place, node in enumerate(nodes):
        args = tuple(same[arg] for arg in node.args)
        # The text of `data` stands for it, since True and 1 are equal.
        key = (
            node.op,
            args,
            node.type,
            repr(node.data),
            node.low,
            node.high,
            node.scale,
            node.missing,
            node.body,
            node.level,
        )
        same.append(seen.setdefault(key, place))
    return same


def _uses(plan: Plan, same: Sequence[int]) -> Counter[int]:
    """How often each node is read; one that a lambda reads is read once for each band."""
    uses: Counter[int] = Counter()
    for place, node in enumerate(plan.nodes):
        if same[place] != place:
            continue
        for arg in node.args:
            uses[same[arg]] += 2 if node.body and not plan.nodes[arg].body else 1
    levels: tuple[Plan | PlanList | PlanGroup, ...] = (plan, *plan.lists, *plan.groups)
    for of in levels:
        for step in of.steps:
            for clause in step.clauses:
                uses.update(same[node] for node in (clause.when, clause.then) if node >= 0)
        uses.update(same[condition.that] for condition in (*of.requires, *of.guarantees))
    for partition in (*plan.shares, *(partition for group in plan.groups for partition in group.shares)):
        uses[same[partition.of]] += 1
        uses.update(same[part.value] for part in partition.parts if part.value >= 0)
    for s in plan.spreads:
        uses.update((same[s.what], same[s.by]))
    for check in plan.checks:
        uses.update(same[node] for node in (check.when, check.amount, *check.formula.parts) if _is_node(node))
    uses.update(same[key.node] for group in plan.groups for key in group.keys)
    for call in plan.calls:
        uses.update(same[node] for node in (call.value, call.where) if node >= 0)
    return uses


def _is_node(part: int | str) -> TypeGuard[int]:
    return isinstance(part, int) and part >= 0


def _reads_local(nodes: Sequence[PlanNode]) -> frozenset[int]:
    """The nodes whose value depends on the name before `->`."""
    found: set[int] = set()
    for place, node in enumerate(nodes):
        args = node.args
        match node.data:
            case ScheduleRef(local=str()):
                args = args[:-1]  # its own lambda binds the name
        if node.op is Op.LOCAL or any(arg in found for arg in args):
            found.add(place)
    return frozenset(found)
