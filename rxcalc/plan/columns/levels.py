"""The walks of all levels of a plan: each forms the nodes of its own rows, over a kernel for their frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Generic, TypeVar

from rxcalc.lang.ops import Op
from rxcalc.lang.types import OneOf, Type
from rxcalc.plan.columns.across import Belongs, Found, Grouped, Lifted
from rxcalc.plan.columns.formed import Formed, either
from rxcalc.plan.columns.kernel import Kernel, NotProven
from rxcalc.plan.columns.lifting import absorbed, brought
from rxcalc.plan.columns.lookups import At
from rxcalc.plan.columns.marks import Marks
from rxcalc.plan.columns.numbers import Number
from rxcalc.plan.columns.rows import RowCalls
from rxcalc.plan.columns.sides import BILL, reading, sides_of
from rxcalc.plan.columns.standing import Standing
from rxcalc.plan.columns.walk import Bounds, Walk
from rxcalc.plan.nodes import Plan, PlanBlock, PlanGroup, PlanInput, PlanList, PlanNode

__all__ = ["LevelWalk", "Levels"]

X = TypeVar("X")


class LevelWalk(Walk[X]):
    """Nodes of one level. `keys` are the keys of a group, once its members are formed."""

    def __init__(
        self, levels: Levels[X], level: str, fields: Sequence[PlanInput], kernel: Kernel[X], like: Walk[X] | None
    ) -> None:
        super().__init__(levels.plan, kernel, limited=levels.limited, earlier=levels.earlier, like=like)
        self.levels, self.level = levels, level
        self.inputs = {field.name: field for field in fields}
        self.keys: dict[str, Formed[X]] = {}
        self._at: At[X] | None = None

    def form(self, node: int, local: tuple[str, Number[X]] | None = None) -> Formed[X]:
        """The node in columns; what depends on the episode alone is formed there, once for all rows of the bill."""
        key = self.same[node]
        plain = local is None and node not in self.bound
        if plain and self.level and self.levels.sides[node] == BILL and key not in self._memo:
            self._memo[key] = self.from_bill(node)
        return super().form(node, local)

    def from_bill(self, node: int) -> Formed[X]:
        """A node that depends on the episode alone."""
        levels, entry = self.levels, self.plan.nodes[node]
        if entry.op is Op.LIFT and entry.data == "":
            source: Walk[X] = levels.walks[""]
            formed = source.form(entry.args[0])
        else:
            source = levels.bill
            formed = source.form(node)
        absorbed(self, source)
        formed = self._lifted(source, "", formed, entry.type, nullable=False)
        self.formed[node] = formed
        return self._shared(node, formed)

    def effective(self) -> At[X]:
        """The date at which parameters resolve."""
        if not self.level:
            return super().effective()
        if self._at is None and self.level in self.levels.across:
            self._at = self.at(self.levels.groups[self.level].effective)
        if self._at is None:
            self._at = self.dated(self.levels.walks[""].effective(), "")
        return self._at

    def dated(self, at: At[X], level: str) -> At[X]:
        """A date of the row that each row belongs to."""
        return At(self.kernel.across(Lifted(level, at.code))[0], at.low, at.high)

    def input(self, name: str) -> Formed[X]:
        """An input, or a key of a group."""
        return self.keys[name] if name in self.keys else super().input(name)

    def field(self, name: str) -> Formed[X]:
        """An input, key, step, spread received or share, as other rows read it."""
        if name in self.inputs or name in self.keys:
            return self.input(name)
        return replace(self.steps[name] if name in self.steps else self.shares[name], fail=None)

    def _form(self, node: PlanNode) -> Formed[X]:
        match node.op:
            case Op.LIFT:
                return self._lift(node)
            case Op.GROUP:
                return self.levels.group(self, node)
            case Op.ROWS:
                return self.levels.calls.form(self, int(str(node.data)))
            case Op.WINDOW if self.level and (looking := self.levels.walks[""].looking) is not None:
                main = self.levels.walks[""]  # a call that reads this row is known where its window holds nothing
                return self._lifted(main, "", looking(int(str(node.data))), node.type, nullable=False)
            case _:
                return super()._form(node)

    def _lift(self, node: PlanNode) -> Formed[X]:
        level = str(node.data)
        source = self.levels.walk(level)
        formed = self.levels.standing.read(level, source.form(node.args[0]))
        absorbed(self, source)
        return self._lifted(source, level, formed, node.type, nullable=self.levels.may_have_none(level))

    def _lifted(self, source: Walk[X], level: str, formed: Formed[X], of: Type, *, nullable: bool) -> Formed[X]:
        return brought(
            self, source, formed, of, lambda code: self.kernel.across(Lifted(level, code))[0], nullable=nullable
        )


class _BillWalk(Walk[X]):
    """Nodes of rows of a bill that depend on its episode alone, over the frame of episodes."""

    def __init__(self, levels: Levels[X], main: Walk[X]) -> None:
        super().__init__(main.plan, main.kernel, limited=main.limited, earlier=main.earlier, like=main)
        self.levels, self._main = levels, main

    def effective(self) -> At[X]:
        return self._main.effective()

    def _form(self, node: PlanNode) -> Formed[X]:
        if node.op is Op.LIFT:
            formed = self._main.form(node.args[0])
            absorbed(self, self._main)
            return formed
        return self.levels.group(self, node) if node.op is Op.GROUP else super()._form(node)


class Levels(Generic[X]):
    """The walks by level. `fails` hold, by level, on rows that the exact evaluator must look at with their whole bill."""

    def __init__(self, plan: Plan, kernel: Kernel[X], *, limited: bool, earlier: Mapping[str, Bounds]) -> None:
        self.plan, self.limited, self.earlier = plan, limited, earlier
        self.sides = sides_of(plan) if plan.lists or plan.groups else ()
        main: LevelWalk[X] = LevelWalk(self, "", plan.inputs, kernel, None)
        self.walks = {"": main}
        below: tuple[PlanList | PlanGroup, ...] = (*plan.lists, *plan.groups)
        for x in below:
            self.walks[x.name] = LevelWalk(self, x.name, x.inputs, kernel.frame(x.name), main)
        self.bill: Walk[X] = _BillWalk(self, main)
        self.groups = {g.name: g for g in plan.groups}
        self.in_bill = {"", *(x.name for x in plan.lists), *(g.name for g in plan.groups if g.inside)}
        self.calls = RowCalls(self)
        self.open: set[int] = set()  # window calls whose columns hold nothing but what a call over nothing is
        self.across = frozenset(g.name for g in plan.groups if not g.inside)
        self.fails: dict[str, list[X | None]] = {level: [] for level in self.walks}
        if self.across:  # rows that were refused before
            self.fails[""].append(kernel.taken("__bad"))
        self.standing = Standing(self)
        self._reading = reading(plan, self.across)
        self.marks = Marks(self)
        self.broken: dict[str, str] = {}  # kinds of groups that no columns form, and why

    def begin(self, block: PlanBlock) -> None:
        """At the beginning of a block: what reads groups across bills is formed anew, since more may be refused by now."""
        if self.across:
            if any(level in self.across or self.source(level, name) in self.across for level, name in block.items):
                self.standing.begin()
            self.forget()

    def source(self, level: str, name: str) -> str:
        """The level that gives what a row receives; "" where that is no spread."""
        return next((s.source for s in self.plan.spreads if (s.target, s.name) == (level, name)), "")

    def forget(self) -> None:
        """Forgets what was formed of nodes that read groups across bills."""
        walks: list[Walk[X]] = [*self.walks.values(), self.bill, *self.calls.walks()]
        for walk in walks:
            walk.forget(self._reading)

    def walk(self, level: str) -> LevelWalk[X]:
        """The walk of a level; NotProven when there are no columns for its rows."""
        if level in self.broken:
            raise NotProven(self.broken[level])
        return self.walks[level]

    def may_have_none(self, level: str) -> bool:
        """Whether a row may belong to no row of a level: it has no key, or was refused before the groups were formed."""
        return level in self.across or (level in self.groups and any(key.missing for key in self.groups[level].keys))

    # Groups

    def members(self, g: PlanGroup) -> None:
        """Forms the groups of a kind."""
        walk = self.walks[g.name]
        try:
            source = self.walk(g.of)
            keys = [self._key(source, g, key.name, key.node) for key in g.keys]
        except NotProven as gap:
            self.broken[g.name] = str(gap)
            walk.reasons.append(str(gap))
            self.fails[g.of].append(self.walks[g.of].kernel.always())
            return
        bad = either(source.kernel, *(formed.fail for formed in keys))
        codes = tuple(formed.as_code if formed.number is None else formed.number.num.code for formed in keys)
        self.fails[g.of].append(bad)
        out = None if g.inside else self.standing.refused(g.of)
        self.standing.formed[g.name] = out
        form = Grouped(g.name, g.of, codes, bool(g.inside), out)
        held = walk.kernel.across(form)
        source.kernel.across(Belongs(g.name))
        for key, formed, code in zip(g.keys, keys, held, strict=True):
            if formed.number is None:
                walk.keys[key.name] = Formed(code=code)
            else:
                num = replace(formed.number.num, code=code, fixed=False)
                walk.keys[key.name] = Formed(number=replace(formed.number, num=num))
        if not g.inside:
            self._lacking(g)

    def _lacking(self, g: PlanGroup) -> None:
        """Groups without an input that they need are refused, and those whose date cannot be found."""
        walk = self.walks[g.name]
        for field in g.inputs:
            if not field.optional:
                formed = walk.input(field.name)
                code = formed.as_code if formed.number is None else formed.number.num.code
                self.fails[g.name].append(walk.kernel.unary("not", walk.kernel.unary("known", code)))
        if g.effective >= 0:
            self.fails[g.name].append(walk.form(g.effective).fail)

    def _key(self, walk: LevelWalk[X], g: PlanGroup, name: str, node: int) -> Formed[X]:
        formed = walk.form(node)
        if formed.absent or (formed.number is not None and formed.number.den is not None):
            message = f"the key {name} of {g.name} has no column"
            raise NotProven(message)
        if formed.number is None:
            return formed
        number = walk.arithmetic.narrowed(formed.number)
        if number.num.width != 64:
            message = f"the key {name} of {g.name} is no whole number of 64 bits"
            raise NotProven(message)
        return replace(formed, number=number)

    def group(self, walk: Walk[X], node: PlanNode) -> Formed[X]:
        """GROUP: a value of the group with some keys."""
        kind = str(node.data)
        source = self.walk(kind)
        formed = self.standing.read(kind, source.form(node.args[0]))
        absorbed(walk, source)
        at = self.place(walk, node)
        found = brought(
            walk, source, formed, node.type, lambda code: walk.kernel.across(Lifted(kind, code, at))[0], nullable=True
        )
        return replace(found, fail=either(walk.kernel, walk.fails(node.args[1:]), found.fail))

    def place(self, walk: Walk[X], node: PlanNode) -> X:
        """The position of the group that a GROUP names by its keys."""
        kind = str(node.data)
        keys: list[X] = []
        for arg, key in zip(node.args[1:], self.groups[kind].keys, strict=True):
            own = self.walk(kind).keys[key.name]
            keys.append(self._like_key(walk, walk.form(arg), self.plan.nodes[arg].type, own, key.type))
        return walk.kernel.across(Found(kind, tuple(keys), bool(self.groups[kind].inside)))[0]

    def _like_key(self, walk: Walk[X], formed: Formed[X], of: Type, key: Formed[X], into: Type) -> X:
        """A value as the key column holds it."""
        if key.number is None:
            code = formed.as_code
            if isinstance(of, OneOf) and isinstance(into, OneOf) and of.values != into.values:
                return walk.kernel.recode(code, of.values, into.values)
            return code
        number = formed.as_number
        if number.den is not None or key.number.scale % number.scale:
            message = "a key has more decimals than those of the groups"
            raise NotProven(message)
        num = walk.arithmetic.narrow(walk.arithmetic.at_scale(number, key.number.scale))
        if num.width != 64:
            message = "a key is no whole number of 64 bits"
            raise NotProven(message)
        return num.code
