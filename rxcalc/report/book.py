"""A plan as explanations read it, and the rows that were evaluated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from rxcalc.backends.lookups import TableIndex
from rxcalc.plan.nodes import Plan, PlanGroup, PlanList, PlanSpread, PlanStep, Value, evaluation_order
from rxcalc.report.wording import Wording
from rxcalc.tracing.model import GroupKey, GroupTrace, Recorder

Result: TypeAlias = PlanStep | PlanSpread


class Book:
    """A plan as explanations read it, with what is known of the groups behind one bill."""

    def __init__(
        self, plan: Plan, wording: Wording, groups: Mapping[GroupKey, GroupTrace], inside: Mapping[GroupKey, int]
    ) -> None:
        self.plan = plan
        self.wording = wording
        self.groups = groups
        self.inside = inside  # line groups and how many lines each has
        self.parameters = {p.name: p for p in plan.parameters}
        self.tables = {t.name: t for t in plan.tables}
        self.kinds = {g.name: g for g in plan.groups}
        self._rows: dict[str, TableIndex] = {}
        self._results: dict[str, tuple[Result, ...]] = {}

    def results(self, level: str) -> tuple[Result, ...]:
        """The steps and the parts received of a level, in the order in which they are computed."""
        if level not in self._results:
            self._results[level] = _results(self.plan, level)
        return self._results[level]

    def rows(self, table: str) -> TableIndex:
        """A table, ready to be looked into."""
        if table not in self._rows:
            self._rows[table] = TableIndex(self.tables[table])
        return self._rows[table]

    def group_name(self, key: GroupKey) -> str:
        """A group with its keys: `region_year[north, 2025]`; one given without keys by its kind only."""
        kind, keys = key
        shown = [self.wording.key(v, k.type) for v, k in zip(keys, self.kinds[kind].keys, strict=True)]
        return kind if not keys or all(v is None for v in keys) else f"{kind}[{', '.join(shown)}]"


@dataclass(frozen=True)
class Seen:
    """A row that was evaluated: its recorder, the date of its parameters, the recorders of the rows it belongs to."""

    recorder: Recorder
    on: Value
    up: Mapping[str, Recorder]
    level: str = ""


def level_of(plan: Plan, level: str) -> Plan | PlanList | PlanGroup:
    """What declares a level."""
    levels: dict[str, Plan | PlanList | PlanGroup] = {"": plan}
    levels.update({x.name: x for x in plan.lists})
    levels.update({g.name: g for g in plan.groups})
    return levels[level]


def _results(plan: Plan, level: str) -> tuple[Result, ...]:
    of = level_of(plan, level)
    found: dict[str, Result] = {s.name: s for s in of.steps}
    found.update({s.name: s for s in plan.spreads if s.target == level})
    order = [name for block in evaluation_order(plan) for at, name in block.items if at == level and name in found]
    missing = [name for name in found if name not in set(order)]  # computed where they are read
    return tuple(found[name] for name in (*missing, *order))
