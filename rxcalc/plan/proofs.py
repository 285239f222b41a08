"""Ranges and scales taken back where what they were proven from has changed."""

from __future__ import annotations

from dataclasses import dataclass, replace

from rxcalc.lang.ops import Op
from rxcalc.lang.types import ScheduleType
from rxcalc.plan.nodes import CellRef, ParameterRef, Plan, PlanNode, PlanStep, ScheduleRef, share_name

Field = tuple[str, str]  # level and name

_FIXED_SCALE = frozenset(
    {Op.ROUND, Op.FLOOR, Op.CEIL, Op.POWER, Op.ROOT, Op.SHARE, Op.DAYS_BETWEEN, Op.MONTHS_BETWEEN, Op.YEARS_BETWEEN}
)
"""Operations whose scale does not come from their operands."""

_NOT_RANGED = frozenset(
    {Op.CONST, Op.EQ, Op.NE, Op.LT, Op.LE, Op.GT, Op.GE, Op.IN_SET, Op.AND, Op.OR, Op.NOT, Op.KNOWN, Op.HAS, Op.MEETS,
     Op.HAS_ROW}
)  # fmt: skip
"""Operations whose range does not come from their operands."""


@dataclass(frozen=True)
class Roots:
    """What has changed: parameters and tables by name; steps whose range, or whose scale, is no longer the old one."""

    parameters: frozenset[str] = frozenset()
    tables: frozenset[str] = frozenset()
    ranges: frozenset[Field] = frozenset()
    scales: frozenset[Field] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.parameters or self.tables or self.ranges or self.scales)


def without_proofs(plan: Plan, roots: Roots) -> tuple[Plan, str]:
    """The plan in which no range or scale relies on what has changed.

    The text names a spread that would no longer have whole minor units to give, "" when there is none.
    """
    if not roots:
        return plan, ""
    doubts = _Doubts(plan, roots)
    doubts.run()
    lost = next((s.name for s in plan.spreads if s.what in doubts.scales), "")

    def steps(level: str, of: tuple[PlanStep, ...]) -> tuple[PlanStep, ...]:
        return tuple(
            replace(s, low=None, high=None, scale=0 if (level, s.name) in doubts.field_scales else s.scale)
            if (level, s.name) in doubts.fields and (level, s.name) not in roots.ranges
            else s
            for s in of
        )

    nodes = tuple(
        replace(n, low=None, high=None, scale=0 if at in doubts.scales else n.scale) if at in doubts.nodes else n
        for at, n in enumerate(plan.nodes)
    )
    spreads = tuple(replace(s, low=None, high=None) if (s.target, s.name) in doubts.fields else s for s in plan.spreads)
    changed = replace(
        plan,
        nodes=nodes,
        steps=steps("", plan.steps),
        lists=tuple(replace(x, steps=steps(x.name, x.steps)) for x in plan.lists),
        groups=tuple(replace(g, steps=steps(g.name, g.steps)) for g in plan.groups),
        spreads=spreads,
    )
    return changed, lost


class _Doubts:
    """Nodes and fields whose range (`nodes`, `fields`) or scale may rely on what has changed.

    Fields are steps, parts received, shares and keys of groups, by level and name.
    """

    def __init__(self, plan: Plan, roots: Roots) -> None:
        self.plan = plan
        self.roots = roots
        self.nodes: set[int] = set()
        self.scales: set[int] = set()
        self.fields: set[Field] = set(roots.ranges)
        self.field_scales: set[Field] = set(roots.scales)
        self.is_mapped = any(isinstance(p.type, ScheduleType) for p in plan.parameters if p.name in roots.parameters)

    def run(self) -> None:
        """Goes over everything until nothing more is in doubt: windows read the very steps that they stand in."""
        before = -1
        while before != (before := self._size()):
            names = {name for _, name in self.fields}
            scaled = {name for _, name in self.field_scales}
            for at, node in enumerate(self.plan.nodes):
                if at in self.nodes and at in self.scales:
                    continue
                ranged, scale = self._doubted(node, names, scaled)
                if ranged:
                    self.nodes.add(at)
                if scale:
                    self.scales.add(at)
                    self.nodes.add(at)
            self._fields()

    def _size(self) -> int:
        return len(self.nodes) + len(self.scales) + len(self.fields) + len(self.field_scales)

    def _doubted(self, node: PlanNode, names: set[str], scaled: set[str]) -> tuple[bool, bool]:
        """Whether range and scale of a node are in doubt."""
        data, op = node.data, node.op
        if op in _NOT_RANGED:
            return False, False
        match data:
            case ParameterRef(parameter=name) | ScheduleRef(parameter=name) if name in self.roots.parameters:
                return True, True
            case CellRef(table=name) if name in self.roots.tables:
                return True, True
        if op in (Op.INPUT, Op.STEP, Op.SHARE):
            field = (node.level, str(data))
            return field in self.fields, field in self.field_scales
        if op is Op.EARLIER and isinstance(data, tuple):
            return data[1] in names, data[1] in scaled
        if op is Op.LOCAL:
            return self.is_mapped, self.is_mapped
        if op in (Op.WINDOW, Op.ROWS):
            value = self.plan.calls[int(str(data))].value
            return value in self.nodes, value in self.scales
        ranged = any(a in self.nodes for a in node.args)
        return ranged, op not in _FIXED_SCALE and any(a in self.scales for a in node.args)

    def _fields(self) -> None:
        plan = self.plan
        levels = [("", plan.steps), *((x.name, x.steps) for x in plan.lists), *((g.name, g.steps) for g in plan.groups)]
        for level, steps in levels:
            for s in steps:
                thens = [c.then for c in s.clauses]
                if any(n in self.nodes for n in thens):
                    self.fields.add((level, s.name))
                if s.rounding is None and any(n in self.scales for n in thens):
                    self.field_scales.add((level, s.name))
        for spread in plan.spreads:
            if spread.what in self.nodes:
                self.fields.add((spread.target, spread.name))
        for g in plan.groups:
            for key in g.keys:
                if key.node in self.nodes:
                    self.fields.add((g.name, key.name))
                if key.node in self.scales:
                    self.field_scales.add((g.name, key.name))
        for level, partitions in (("", plan.shares), *((g.name, g.shares) for g in plan.groups)):
            for index, partition in enumerate(partitions):
                # A part may take what the others leave, so all are in doubt together.
                if any(n in self.nodes for n in (partition.of, *(p.value for p in partition.parts))):
                    for p in partition.parts:
                        self.fields.add((level, share_name(index, partition.name, p.bearer, p.part)))
                        self.fields.add((level, f"{p.bearer}_pays"))
