"""`checks:` in a batch: one row a finding, on bills, their lists and groups, and on groups across bills."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from rxcalc.driver.batch_report import FindingReport
from rxcalc.lang.types import COUNT, MONEY, Type
from rxcalc.plan.nodes import Plan, PlanCheck, PlanGroup, PlanList
from rxcalc.report.wording import in_language
from rxcalc.tabular.writer import line_of, plain_cell

if TYPE_CHECKING:
    from rxcalc.backends.base import Finding, GroupOutcome
    from rxcalc.tabular.publish import Draft

COLUMNS: Final = ("episode_id", "check", "severity", "level", "row", "amount", "message", "figures")


class FindingsFile:
    """The findings of a run, written as they come (None: nowhere) and added up by check."""

    def __init__(self, plan: Plan, language: str, draft: Draft | None) -> None:
        self._plan, self._draft = plan, draft
        self._messages = [in_language(check.say, language) for check in plan.checks]
        self._types = [_order_types(plan, check) for check in plan.checks]
        self._counts = [0] * len(plan.checks)
        self._amounts = [Fraction(0)] * len(plan.checks)
        if draft is not None:
            draft.write(line_of(COLUMNS))

    def add(self, found: Iterable[tuple[str, Finding]]) -> None:
        """Findings on bills, each with the id of its episode."""
        for name, finding in found:
            check = self._plan.checks[finding.index]
            self._counts[finding.index] += 1
            amount = ""
            if finding.amount is not None:
                self._amounts[finding.index] += finding.amount
                amount = plain_cell(finding.amount, MONEY, self._plan.decimals)
            if self._draft is None:
                continue
            # An order that is none of the list's fields is the place of the row in its bill.
            types: Sequence[Type] = self._types[finding.index] or (COUNT,)
            row = "/".join(plain_cell(v, of, self._plan.decimals) for v, of in zip(finding.at, types, strict=False))
            told = (self._messages[finding.index], finding.figures)
            self._draft.write(line_of([name, check.name, check.severity, check.level, row, amount, *told]))

    def add_groups(self, groups: Iterable[GroupOutcome]) -> None:
        """Findings on groups across bills, which belong to no single episode."""
        self.add(("", finding) for group in groups for finding in group.findings)

    def report(self) -> Mapping[str, FindingReport]:
        """What was found by each check."""
        return {
            check.name: FindingReport(check.severity, count, amount if check.amount >= 0 else None)
            for check, count, amount in zip(self._plan.checks, self._counts, self._amounts, strict=True)
        }


def _order_types(plan: Plan, check: PlanCheck) -> tuple[Type, ...]:
    """The types of what names a row of the check's level."""
    levels: tuple[PlanList | PlanGroup, ...] = (*plan.lists, *plan.groups)
    match next((x for x in levels if x.name == check.level), None):
        case PlanList(inputs=inputs, order=order):
            of: Mapping[str, Type] = {field.name: field.type for field in inputs}
            return tuple(of[name] for name in order)
        case PlanGroup(keys=keys):
            return tuple(key.type for key in keys)
        case _:
            return ()
