"""Steps of a list that read themselves on the rows above (`above.sum(pays)`), in columns: row after row, all bills at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from rxcalc.lang.ops import Op
from rxcalc.lang.types import CODES, Type, is_numeric
from rxcalc.plan.columns.across import Loop, LoopCall, Result
from rxcalc.plan.columns.formed import Formed
from rxcalc.plan.columns.kernel import NotProven
from rxcalc.plan.columns.levels import Levels, LevelWalk
from rxcalc.plan.columns.lifting import absorbed, brought
from rxcalc.plan.columns.lookups import At
from rxcalc.plan.columns.numbers import Number
from rxcalc.plan.columns.rows import Terms, other_name, result_of, terms
from rxcalc.plan.columns.walk import Walk
from rxcalc.plan.nodes import PlanNode, PlanStep

__all__ = ["form_loop"]

X = TypeVar("X")


def form_loop(
    levels: Levels[X], level: str, steps: Sequence[PlanStep], form: Callable[[Walk[X], PlanStep], Formed[X]]
) -> dict[str, Formed[X]]:
    """The steps of a loop, as columns of the list."""
    walk = _LoopWalk(levels.walks[level], steps)
    for step in steps:
        walk.steps[step.name] = form(walk, step)
    absorbed(levels.walks[level], walk)
    return walk.closed()


class _LoopWalk(Walk[X]):
    """Nodes over one row of every bill at a time; what does not read the loop is formed on the list's frame and taken."""

    def __init__(self, outer: LevelWalk[X], steps: Sequence[PlanStep]) -> None:
        super().__init__(outer.plan, outer.kernel.apart(), limited=outer.limited, earlier=outer.earlier, like=outer)
        self._outer = outer
        self._of = {step.name: step for step in steps}
        self._looped = _looped(outer, frozenset(self._of))
        self._leaves: dict[int, Formed[X]] = {}
        self._taken: dict[str, X] = {}
        self._calls: dict[int, tuple[LoopCall[X], Formed[X]]] = {}
        self._own: _Kept[X] = _Kept(outer, self._of, self._looped)

    def form(self, node: int, local: tuple[str, Number[X]] | None = None) -> Formed[X]:
        """The node, taken from the list's frame unless it reads the loop."""
        if local is None and node not in self.bound and self._outer.levels.sides[node] and node not in self._looped:
            key = self.same[node]
            if key not in self._leaves:
                formed = self._outer.form(node)
                absorbed(self, self._outer)
                of = self.plan.nodes[node].type
                self._leaves[key] = brought(self, self._outer, formed, of, self._carry, nullable=False)
            return self._leaves[key]
        return super().form(node, local)

    def _carry(self, code: X) -> X:
        name = f"t{len(self._taken)}"
        self._taken[name] = code
        return self.kernel.taken(name)

    def effective(self) -> At[X]:
        """The episode's date."""
        at = self._outer.effective()
        self._taken["on"] = at.code
        return At(self.kernel.taken("on"), at.low, at.high)

    def _form(self, node: PlanNode) -> Formed[X]:
        if node.op is not Op.ROWS:
            return super()._form(node)
        place = int(str(node.data))
        if place not in self._calls:
            self._calls[place] = self._call(place)
        return self._calls[place][1]

    def _call(self, place: int) -> tuple[LoopCall[X], Formed[X]]:
        """A running result, and how a row reads it."""
        outer, call = self._outer, self.plan.calls[place]
        calls = outer.levels.calls
        element = calls.element(call)
        conditions = calls.conditions(call, element, frozenset(self._looped))
        keys = None if conditions.mixed else calls.keys(outer, element, conditions.keys)
        absorbed(self, element)
        if keys is None:
            message = f"{call.key} compares rows of a loop"
            raise NotProven(message)
        calls.how[place] = "row after row"
        found: Terms[X] = terms(self._own, call, conditions.plain)
        absorbed(self, self._own)
        results: list[Result] = []

        def code(width: int) -> tuple[X, X | None]:
            results.append(Result(call.function, call.distinct, call.type, width))
            return self.kernel.taken(f"w:{place}"), None if found.fail is None else self.kernel.taken(f"x:{place}")

        formed = result_of(outer, call, found.value, code)
        return LoopCall(place, results[0], tuple(keys), found.code, found.where, found.fail), formed

    def closed(self) -> dict[str, Formed[X]]:
        """The steps, as columns of the list's frame."""
        results: list[X] = []

        def numbered(code: X) -> int:
            results.append(self.kernel.share(code))
            return len(results) - 1

        places = {
            name: (
                None if formed.number is None else numbered(formed.number.num.code),
                None if formed.number is None or formed.number.den is None else numbered(formed.number.den.code),
                None if formed.code is None else numbered(formed.code),
                None if formed.fail is None or formed.absent else numbered(formed.fail),
            )
            for name, formed in self.steps.items()
        }
        kept = {f"f:{name}": self._as_kept(name) for name in self._own.fields}
        calls = [call for call, _ in self._calls.values()]
        form = Loop(
            self._outer.level, self.kernel, self._taken, self._own.kernel, self._own.taken, kept, calls, tuple(results)
        )
        columns = self._outer.kernel.across(form)

        def opened(name: str) -> Formed[X]:
            num, den, code, fail = (None if at is None else columns[at] for at in places[name])
            formed = self.steps[name]
            if formed.absent:
                return Formed(fail=self._outer.kernel.always(), absent=True)
            if formed.number is None or num is None:
                return Formed(code=code, fail=fail)
            number = replace(formed.number, num=replace(formed.number.num, code=num, fixed=False))
            if formed.number.den is not None and den is not None:
                number = replace(number, den=replace(formed.number.den, code=den, fixed=False))
            return Formed(number=number, fail=fail)

        return {name: opened(name) for name in self.steps}

    def _as_kept(self, name: str) -> X:
        """A step's column as the rows below read it."""
        formed, (scale, width, of) = self.steps[name], self._own.fields[name]
        if formed.absent:
            return self.kernel.missing(of, width)
        if formed.number is None:
            return formed.as_code
        whole = self.arithmetic.whole(formed.number, scale)
        return whole.code if whole.width == width else self.kernel.cast(whole.code, width)


class _Kept(Walk[X]):
    """Nodes of the loop's calls over what a row keeps: its steps of the loop, and what is taken from the list's frame."""

    def __init__(self, outer: LevelWalk[X], steps: dict[str, PlanStep], looped: frozenset[int]) -> None:
        super().__init__(outer.plan, outer.kernel.apart(), limited=outer.limited, earlier=outer.earlier, like=outer)
        self._outer, self._of, self._looped = outer, steps, looped
        self._leaves: dict[int, Formed[X]] = {}
        self.taken: dict[str, X] = {}
        self.fields: dict[str, tuple[int, int, Type]] = {}  # by step: scale, width and type of the column kept

    def form(self, node: int, local: tuple[str, Number[X]] | None = None) -> Formed[X]:
        """The node, taken from the list's frame unless it reads the loop."""
        if local is None and node not in self.bound and self._outer.levels.sides[node] and node not in self._looped:
            key = self.same[node]
            if key not in self._leaves:
                calls = self._outer.levels.calls
                element = calls.siblings(self._outer.level)
                formed = element.form(node)
                absorbed(self, element)
                self._leaves[key] = brought(
                    self, element, formed, self.plan.nodes[node].type, self._carry, nullable=False
                )
            return self._leaves[key]
        return super().form(node, local)

    def _carry(self, code: X) -> X:
        name = f"t{len(self.taken)}"
        self.taken[name] = code
        return self.kernel.taken(name)

    def effective(self) -> At[X]:
        """The episode's date."""
        at = self._outer.effective()
        self.taken["on"] = at.code
        return At(self.kernel.taken("on"), at.low, at.high)

    def _form(self, node: PlanNode) -> Formed[X]:
        return self._field(other_name(node)) if node.op is Op.EARLIER else super()._form(node)

    def _field(self, name: str) -> Formed[X]:
        step = self._of[name]
        if step.type == CODES:
            message = f"{name} is a set of codes"
            raise NotProven(message)
        code = self.kernel.taken(f"f:{name}")
        if not is_numeric(step.type):
            self.fields[name] = (1, 64, step.type)
            return Formed(code=code)
        scale = step.scale if step.rounding is None else step.rounding.to.denominator
        if not scale:
            message = f"{name} has no proven number of decimals"
            raise NotProven(message)
        low, high = self.earlier.get(f"{self._outer.level}.{name}", (step.low, step.high))
        formed = self.column(scale, low, high, lambda _: code)
        self.fields[name] = (scale, formed.as_number.num.width, step.type)
        return formed


def _looped(walk: LevelWalk[X], names: frozenset[str]) -> frozenset[int]:
    """The nodes of the list that read a step of the loop: on this row, or on those above."""
    plan = walk.plan
    found: set[int] = set()
    for place, node in enumerate(plan.nodes):
        match node.op:
            case Op.STEP:
                reads = node.level == walk.level and node.data in names
            case Op.EARLIER:
                reads = (
                    node.level == walk.level
                    and isinstance(node.data, tuple)
                    and node.data[0] == "above"
                    and node.data[1] in names
                )
            case Op.ROWS:
                call = plan.calls[int(str(node.data))]
                reads = call.level == walk.level and call.kind == "above" and bool(found & {call.value, call.where})
            case Op.LIFT:
                reads = False
            case _:
                reads = bool(found & set(node.args))
        if reads:
            found.add(place)
    return frozenset(found)
