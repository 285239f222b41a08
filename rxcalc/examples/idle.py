"""Changes of a rulebook that are proven to make no difference to any result.

A proof holds for every bill that the rulebook accepts as input, whatever its examples are. Where there is none, nothing is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from fractions import Fraction
from typing import Final

from rxcalc.examples.mutant import Mutant
from rxcalc.examples.same import Same
from rxcalc.lang.ops import Op
from rxcalc.lang.types import is_whole
from rxcalc.plan.nodes import Band, CellRef, Plan, PlanGroup, PlanList, PlanNode, PlanStep, ScheduleRef
from rxcalc.plan.reads import nodes_below

_MOST_VALUES: Final = 200
_MOST_CELLS: Final = 10_000
_ORDER: Final = frozenset({Op.LT, Op.LE, Op.GT, Op.GE})


class Idle:
    """Proofs about the changes of one plan."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.levels: list[tuple[str, Plan | PlanList | PlanGroup]] = [("", plan)]
        self.levels += [*((x.name, x) for x in plan.lists), *((g.name, g) for g in plan.groups)]
        self.steps: dict[tuple[str, str], PlanStep] = {(at, s.name): s for at, of in self.levels for s in of.steps}
        self.same = Same(plan)
        self.alive = nodes_below(plan, self._roots())

    def proof(self, mutant: Mutant) -> str:
        """Why a change makes no difference; "" where that is not proven."""
        about = [n for n in mutant.about if n in self.alive]
        if not about and (
            mutant.about or mutant.of[0] in ("table", "column") or (mutant.of[0] and mutant.hits is not None)
        ):
            return "nothing that is computed reads it"
        if mutant.span is not None and mutant.of[0]:
            first, last = mutant.span
            if all(self._apart(self.plan.nodes[n], first, last) for n in about):
                return "no rule reads it on the days that it concerns"
        if mutant.kind == "date" and mutant.alike:
            return "the value is the same on both sides of the day"
        if mutant.kind == "comparison":
            return self._compared(about)
        if mutant.moves is not None and about:
            was, now = mutant.moves
            if all(self._between(self.plan.nodes[n], mutant.node, was, now) for n in about):
                return "no value lies between the two"
        if mutant.part is not None and self._flat(mutant):
            return "the band on the other side of it has the same value"
        if (
            mutant.slices is not None
            and about
            and all(self._apart_from(self.plan.nodes[n], *mutant.slices) for n in about)
        ):
            return "no value that is looked up lies between the two"
        if mutant.kind == "clause":
            return self._clause(mutant)
        return ""

    def _roots(self) -> Iterator[int]:
        plan = self.plan
        for _, of in self.levels:
            for step in of.steps:
                yield from (n for c in step.clauses for n in (c.when, c.then))
            yield from (c.that for c in (*of.requires, *of.guarantees))
            for partition in () if isinstance(of, PlanList) else of.shares:
                yield from (partition.of, *(p.value for p in partition.parts))
        for group in plan.groups:
            yield from (group.effective, *(key.node for key in group.keys))
        for spread in plan.spreads:
            yield from (spread.what, spread.by)
        for check in plan.checks:
            yield from (check.when, check.amount)
        for call in plan.calls:
            yield from (call.value, call.where)
        yield from (trend.what for trend in plan.trends)

    # ---- days ----

    def _apart(self, node: PlanNode, first: date, last: date | None) -> bool:
        """Whether a node never reads its parameter or table on these days."""
        keys = getattr(node.data, "keys", 0)
        if node.op is Op.OVER_DAYS:
            start, end = (self.plan.nodes[n] for n in node.args[keys : keys + 2])
            low, high = start.low, end.high
        elif getattr(node.data, "at", False):
            at = self.plan.nodes[node.args[keys]]
            low, high = at.low, at.high
        else:
            yearly = self._yearly(node.level)
            if yearly is not None and last is not None:
                least, month, day = yearly
                return not any(
                    y >= least and first <= date(y, month, day) <= last for y in range(first.year, last.year + 1)
                )
            low, high = self._days(node.level)
        return (high is not None and high < first.toordinal()) or (
            last is not None and low is not None and low > last.toordinal()
        )

    def _days(self, level: str) -> tuple[Fraction | None, Fraction | None]:
        """The days on which rules of a level can be evaluated."""
        plan = self.plan
        group = next((g for g in plan.groups if g.name == level and not g.inside), None)
        if group is None:
            high = Fraction(plan.effective_to.toordinal()) if plan.effective_to is not None else None
            return Fraction(plan.effective_from.toordinal()), high
        if group.effective < 0:
            return None, None
        return self.plan.nodes[group.effective].low, self.plan.nodes[group.effective].high

    def _yearly(self, level: str) -> tuple[int, int, int] | None:
        """The least year, the month and the day, where groups of a kind have the same day of each year as theirs."""
        group = next((g for g in self.plan.groups if g.name == level and g.effective >= 0), None)
        made = self.plan.nodes[group.effective] if group is not None else None
        if group is None or made is None or made.op is not Op.MAKE_DATE:
            return None
        year, month, day = (self.plan.nodes[a] for a in made.args)
        if year.op is not Op.INPUT or not isinstance(month.data, int) or not isinstance(day.data, int):
            return None
        if day.data > 28 and (month.data, day.data) != (12, 31):  # not a day of every year
            return None
        return self._least_year(level, str(year.data)), int(str(month.data)), int(str(day.data))

    def _least_year(self, level: str, name: str) -> int:
        """The least year that a key of groups can be: that of the rulebook's first day where it is the year of the bill's own."""
        group = next((g for g in self.plan.groups if g.name == level), None)
        key = next((k for k in group.keys if k.name == name), None) if group is not None else None
        if group is None or key is None:
            return 1
        node = self.plan.nodes[key.node]
        if node.op is Op.INPUT and group.of:
            return self._least_year(group.of, str(node.data))
        day = self.plan.nodes[node.args[0]] if node.op is Op.YEAR else node
        own = node.op is Op.YEAR and day.op is Op.INPUT and not day.level and day.data == self.plan.effective_by
        return self.plan.effective_from.year if own else 1

    # ---- comparisons ----

    def _compared(self, about: Iterable[int]) -> str:
        for index in about:
            node = self.plan.nodes[index]
            one, other = (self.plan.nodes[a] for a in node.args)
            if _never_equal(one, other) or _never_equal(other, one) or self._disjoint(*node.args):
                return "the two are never equal"
            if self.same.where_equal(index):
                return "where the two are equal, both ways lead to the same value"
        return ""

    def _disjoint(self, one: int, other: int) -> bool:
        """Whether two nodes have few values, none in common."""
        a, b = self._values(one), self._values(other)
        return a is not None and b is not None and a.isdisjoint(b)

    def _between(self, node: PlanNode, constant: int, was: Fraction, now: Fraction) -> bool:
        """Whether a comparison with a constant comes out the same for the moved constant, whatever the other operand is."""
        if node.op not in _ORDER or constant not in node.args or node.args[0] == node.args[1]:
            return False
        left = node.args[0] == constant
        other = node.args[1] if left else node.args[0]
        # x < c and x >= c part at c from below, the other two from above.
        below = node.op in ((Op.GT, Op.LE) if left else (Op.LT, Op.GE))
        low, high = min(was, now), max(was, now)
        values = self._values(other)
        x = self.plan.nodes[other]
        if values is not None:
            return not any(low <= v < high if below else low < v <= high for v in values)
        if (x.high is not None and (x.high < low or (not below and x.high <= low))) or (
            x.low is not None and (x.low > high or (below and x.low >= high))
        ):
            return True
        if not x.scale and not is_whole(x.type):
            return False
        scale = x.scale or 1
        first, last = low * scale, high * scale
        count = (last.__ceil__() - first.__ceil__()) if below else (last.__floor__() - first.__floor__())
        return count == 0

    def _values(self, index: int, depth: int = 0) -> frozenset[Fraction] | None:
        """All values that a node can have, where they are few and known; None otherwise."""
        node = self.plan.nodes[index]
        if depth > 12:
            return None
        if node.op is Op.CONST and isinstance(node.data, int | Fraction) and not isinstance(node.data, bool):
            return frozenset({Fraction(node.data)})
        if node.op is Op.CONST and node.data is None:
            return frozenset()  # a missing value is compared with nothing
        if node.op is Op.CELL and isinstance(node.data, CellRef):
            return self._of_column(node.data)
        if node.op is Op.PARAMETER and not node.missing:
            name = getattr(node.data, "parameter", "")
            parameter = next(p for p in self.plan.parameters if p.name == name)
            values = [v for s in parameter.segments for _, v in s.values]
            if all(isinstance(v, int | Fraction) and not isinstance(v, bool) for v in values if v is not None):
                return frozenset(Fraction(v) for v in values if isinstance(v, int | Fraction))
            return None
        if node.op is Op.STEP:
            return self._of_step((node.level, str(node.data)), depth)
        if node.op is Op.EARLIER and isinstance(node.data, tuple) and not self._elsewhere(str(node.data[1])):
            return self._of_step(("", str(node.data[1])), depth)
        if node.op in (Op.MIN, Op.MAX, Op.IF):
            return self._all_of(node.args[1:] if node.op is Op.IF else node.args, depth)
        return None

    def _of_column(self, ref: CellRef) -> frozenset[Fraction] | None:
        """What stands in a column of a table."""
        table = next(t for t in self.plan.tables if t.name == ref.table)
        at = [c.name for c in table.columns].index(ref.column)
        cells = [row.cells[at] for row in table.rows if row.cells[at] is not None]
        if len(cells) > _MOST_CELLS or any(isinstance(v, bool) or not isinstance(v, int | Fraction) for v in cells):
            return None
        return frozenset(Fraction(v) for v in cells if isinstance(v, int | Fraction))

    def _elsewhere(self, name: str) -> bool:
        """Whether a name may be that of a field on another level than the bill's."""
        inputs = [i.name for _, of in self.levels for i in of.inputs]
        others = [step for level, step in self.steps if level]
        return name in inputs or name in others or ("", name) not in self.steps

    def _of_step(self, key: tuple[str, str], depth: int) -> frozenset[Fraction] | None:
        step = self.steps.get(key)
        if step is None or step.rounding is not None:
            return None
        return self._all_of([c.then for c in step.clauses if c.then >= 0], depth)

    def _all_of(self, nodes: Iterable[int], depth: int) -> frozenset[Fraction] | None:
        found: frozenset[Fraction] = frozenset()
        for index in nodes:
            own = self._values(index, depth + 1)
            if own is None:
                return None
            found |= own
        return found if len(found) <= _MOST_VALUES else None

    # ---- bands and clauses ----

    def _flat(self, mutant: Mutant) -> bool:
        """Whether a limit stands between two bands of the same value, and nothing asks for a band by its number."""
        name = mutant.of[1]
        readers = [n for n in self.plan.nodes if isinstance(n.data, ScheduleRef) and n.data.parameter == name]
        # Parts that are rounded each by itself, or bands that are asked for by number, tell two equal bands apart.
        if any(n.op not in (Op.BANDS, Op.SLICE) or n.data.parts is not None for n in readers):  # type: ignore[attr-defined]  # asked above
            return False
        parts, at = mutant.part or ((), 0)
        if at + 1 >= len(parts):
            return False
        one, other = parts[at], parts[at + 1]
        return isinstance(one, Band) and isinstance(other, Band) and one.value == other.value

    def _apart_from(self, node: PlanNode, was: Fraction, now: Fraction) -> bool:
        """Whether a cliff is never asked for a value between two places of one of its limits, these places among them."""
        values = self._values(node.args[-1]) if node.op is Op.SLICE else None
        return values is not None and not any(min(was, now) <= v <= max(was, now) for v in values)

    def _clause(self, mutant: Mutant) -> str:
        if mutant.clause is not None:
            level, name, at = mutant.clause
            if self.same.without(self.steps[level, name], at):
                return "where its condition holds, the clauses after it give the same value"
        elif mutant.what.startswith("requires") and all(self.same.always(n) for n in mutant.about):
            return "it always holds"
        return ""


def _never_equal(one: PlanNode, other: PlanNode) -> bool:
    """Whether ranges or grids keep two values apart."""
    if one.low is not None and other.high is not None and one.low > other.high:
        return True
    if other.op is Op.CONST and isinstance(other.data, int | Fraction) and not isinstance(other.data, bool):
        scale = one.scale or (1 if is_whole(one.type) else 0)
        return bool(scale) and (Fraction(other.data) * scale).denominator != 1
    return False
