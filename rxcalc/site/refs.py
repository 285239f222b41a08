"""What things are called inside a site: `step-lines.covered` as data, `step-lines-covered` in an address."""

from __future__ import annotations

import re
from typing import Final

from rxcalc.plan.nodes import Plan, PlanGroup, PlanList, PlanPartition, PlanSpread, share_name
from rxcalc.report.order import Result, bill_order

_OTHER: Final = re.compile(r"[^A-Za-z0-9_]+")

RULES: Final = "rules"
VALUES: Final = "values"
INPUTS: Final = "inputs"
PAGES: Final = ("index", "rules", "values", "inputs", "sources", "graph", "examples", "coverage")
"""The pages of a rulebook, in the order of its contents; each is a file `NAME.html`."""


def ref(kind: str, level: str, name: object) -> str:
    """The name of a thing, as `prose` has it too: of other levels than the episode with the level in front."""
    return f"{kind}-{level}.{name}" if level else f"{kind}-{name}"


def anchor(of: str) -> str:
    """The id of a thing on its page. Names hold neither `-` nor `.` nor `@`, so that no two things share one."""
    return _OTHER.sub("-", of)


def levels(plan: Plan) -> tuple[tuple[str, Plan | PlanList | PlanGroup], ...]:
    """The kinds of rows that rules are about: the episode "", its lists, its groups."""
    return (("", plan), *((x.name, x) for x in plan.lists), *((g.name, g) for g in plan.groups))


def shares_of(of: Plan | PlanList | PlanGroup) -> tuple[PlanPartition, ...]:
    """The partitions of a level."""
    return () if isinstance(of, PlanList) else of.shares


def result_ref(level: str, of: Result) -> str:
    """The name of a step, or of a part that a row receives."""
    return ref("spread" if isinstance(of, PlanSpread) else "step", level, of.name)


def part_ref(level: str, at: int, partition: PlanPartition, number: int) -> str:
    """The name of a part of the partition `at` of a level."""
    part = partition.parts[number]
    return ref("share", level, share_name(at, partition.name, part.bearer, part.part))


class Names:
    """What the names of a rulebook stand for, and on which page of its site each thing is.

    `order` has the steps and received parts of each level in the order in which a bill is explained; `level` says on which level
    a step, input, share or received part is; `totals` are the sums of bearers.
    """

    def __init__(self, plan: Plan) -> None:
        self.page: dict[str, str] = {}
        self.level: dict[str, str] = {}
        self.totals: set[str] = set()
        self._fields: dict[tuple[str, str], str] = {}
        self.order = bill_order(plan)
        for level, of in levels(plan):
            self._level(level, of)
        for at, _ in enumerate(plan.checks, start=1):
            self._add(ref("check", "", at), RULES)
        for window in plan.windows:
            self._add(ref("window", window.level, window.name), RULES)
        for parameter in plan.parameters:
            self._add(ref("parameter", "", parameter.name), VALUES)
        for table in plan.tables:
            self._add(ref("table", "", table.name), VALUES)
        for at, _ in enumerate(plan.trends, start=1):
            self._add(ref("trend", "", at), RULES)

    def field(self, level: str, name: str) -> str:
        """The step, input, key, share or part received that a level calls so; "" for none."""
        return self._fields.get((level, name), "")

    def href(self, of: str, page: str) -> str:
        """The address of a thing, from a page of the same language; "" where it has none."""
        at = self.page.get(of)
        return "" if at is None else f"#{anchor(of)}" if at == page else f"{at}.html#{anchor(of)}"

    def _add(self, name: str, page: str, field: tuple[str, str] | None = None) -> None:
        self.page[name] = page
        if field is not None:
            self._fields.setdefault(field, name)
            self.level[name] = field[0]

    def _level(self, level: str, of: Plan | PlanList | PlanGroup) -> None:
        if isinstance(of, PlanList):
            self._add(ref("list", "", level), RULES)
        elif isinstance(of, PlanGroup):
            self._add(ref("group", "", level), RULES)
            for key in of.keys:
                self._add(ref("input", level, key.name), RULES, (level, key.name))
        for result in self.order.get(level, ()):
            self._add(result_ref(level, result), RULES, (level, result.name))
        for i in of.inputs:
            self._add(ref("input", level, i.name), INPUTS, (level, i.name))
        for at, _ in enumerate(of.requires, start=1):
            self._add(ref("requires", level, at), RULES)
        for at, _ in enumerate(of.guarantees, start=1):
            self._add(ref("guarantee", level, at), RULES)
        for at, partition in enumerate(shares_of(of)):
            self._add(ref("partition", level, partition.name), RULES)
            for number, part in enumerate(partition.parts):
                name = share_name(at, partition.name, part.bearer, part.part)
                self._add(part_ref(level, at, partition, number), RULES, (level, name))
        if not isinstance(of, PlanList):
            for total in of.totals:
                self.totals.add(ref("share", level, total))
                self._add(ref("share", level, total), RULES, (level, total))
