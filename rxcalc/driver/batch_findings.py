"""`checks:` in a batch: one row a finding, on bills, their lists and groups, and on groups across bills."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from rxcalc.driver.batch_report import BatchOptions, FindingReport
from rxcalc.lang.types import COUNT, MONEY, Type
from rxcalc.plan.nodes import Plan, PlanCheck, PlanGroup, PlanList
from rxcalc.report.wording import in_language
from rxcalc.tabular.redaction import HIDDEN, Redaction
from rxcalc.tabular.writer import line_of, plain_cell

if TYPE_CHECKING:
    from rxcalc.backends.base import Finding, GroupOutcome

COLUMNS: Final = ("episode_id", "check", "severity", "level", "row", "amount", "message", "figures")


class FindingsFile:
    """The lines of the findings of a run; what they say is added up by check."""

    def __init__(self, plan: Plan, language: str, *, excel: bool = False, redaction: Redaction | None = None) -> None:
        self._plan, self._excel, self._redaction = plan, excel, redaction
        self._messages = [in_language(check.say, language) for check in plan.checks]
        self._types = [_order_types(plan, check) for check in plan.checks]
        self._counts = [0] * len(plan.checks)
        self._amounts = [Fraction(0)] * len(plan.checks)

    @classmethod
    def of(cls, plan: Plan, options: BatchOptions) -> FindingsFile:
        """The file that a run writes."""
        return cls(plan, options.language, excel=options.excel, redaction=options.redact)

    def header(self) -> bytes:
        """The first line."""
        return line_of(COLUMNS, excel=self._excel, first=True)

    def line(self, name: str, finding: Finding) -> bytes:
        """The line of a finding on the bill with an id, which is added up with it."""
        check = self._plan.checks[finding.index]
        self._counts[finding.index] += 1
        amount = ""
        if finding.amount is not None:
            self._amounts[finding.index] += finding.amount
            amount = plain_cell(finding.amount, MONEY, self._plan.decimals)
        # An order that is none of the list's fields is the place of the row in its bill.
        types: Sequence[Type] = self._types[finding.index] or (COUNT,)
        row = "/".join(plain_cell(v, of, self._plan.decimals) for v, of in zip(finding.at, types, strict=False))
        figures = finding.figures
        if self._redaction is not None:
            name, row, figures = name and self._redaction.pseudonym(name), row and HIDDEN, figures and HIDDEN
        told = (self._messages[finding.index], figures)
        return line_of([name, check.name, check.severity, check.level, row, amount, *told], excel=self._excel)

    def of_groups(self, groups: Iterable[GroupOutcome]) -> list[bytes]:
        """The lines of findings on groups across bills, which belong to no single episode."""
        return [self.line("", finding) for group in groups for finding in group.findings]

    def state(self) -> list[Any]:
        """What was added up, for a journal: plain JSON."""
        return [self._counts, [str(amount) for amount in self._amounts]]

    def restore(self, state: Sequence[Any]) -> None:
        """Goes on from a state."""
        counts, amounts = state
        self._counts, self._amounts = list(counts), [Fraction(amount) for amount in amounts]

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
