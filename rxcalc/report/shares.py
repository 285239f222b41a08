"""Who bears what: the parts of an amount with their figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from rxcalc.lang.arithmetic import plain
from rxcalc.lang.types import MONEY
from rxcalc.plan.figures import formula_text
from rxcalc.plan.nodes import PlanPart, PlanPartition, share_name
from rxcalc.report.bearers import bearer_label
from rxcalc.report.evidence import rounded_to
from rxcalc.report.model import PartitionLine, ShareLine
from rxcalc.report.steps import StepExplainer
from rxcalc.report.wording import cited


def partitions(
    row: StepExplainer, given: Sequence[PlanPartition], amounts: Mapping[str, Fraction], *, reverses: bool = False
) -> tuple[PartitionLine, ...]:
    """The partitions of an episode or a group that was computed. Those of a reversal have no formulas."""
    return tuple(_partition(row, index, p, amounts, reverses=reverses) for index, p in enumerate(given))


def _partition(
    row: StepExplainer, index: int, partition: PlanPartition, amounts: Mapping[str, Fraction], *, reverses: bool
) -> PartitionLine:
    names = [share_name(index, partition.name, part.bearer, part.part) for part in partition.parts]
    parts = [
        _part(row, partition, part, amounts[name], reverses=reverses)
        for name, part in zip(names, partition.parts, strict=True)
    ]
    whole = sum((amounts[name] for name in names), Fraction(0))
    return PartitionLine(
        partition.name,
        row.wording.words(partition.label) or partition.name,
        formula_text(partition.of_formula),
        row.wording.figure(whole, MONEY),
        tuple(parts),
        None if reverses else _whole(row, partition, whole),
    )


def _whole(row: StepExplainer, partition: PlanPartition, amount: Fraction) -> ShareLine | None:
    """How the amount that is divided came about; None for a field by itself that was not rounded."""
    exact = row.recorder.nodes.get(partition.of)
    rounded = isinstance(exact, int | Fraction) and exact != amount
    by_itself = all(isinstance(part, int) for part in partition.of_formula.parts)
    if by_itself and not rounded and not row.evidence.calls([partition.of]):
        return None
    part = PlanPart("", "", partition.of, partition.of_formula, "", False, (), (), (), partition.place)  # noqa: FBT003 - in this order
    return _part(row, partition, part, amount, reverses=False)


def _part(
    row: StepExplainer, partition: PlanPartition, part: PlanPart, amount: Fraction, *, reverses: bool
) -> ShareLine:
    words = row.wording
    found = ShareLine(
        partition=partition.name,
        bearer=part.bearer,
        bearer_label=bearer_label(part.bearer, words.words(part.bearer_label), words.language),
        part=part.part,
        label=words.words(part.label) or part.part or part.bearer,
        amount=plain(amount, words.decimals),
        shown=words.figure(amount, MONEY),
        reason=part.reason,
        formula="" if reverses else formula_text(part.formula) if part.formula is not None else "rest",
        figures="" if reverses else row.filled(part.formula),
        cite=cited(part.cite),
        x12=part.x12,
    )
    if reverses or part.value < 0:
        return found
    exact = row.recorder.nodes.get(part.value)
    rounded = isinstance(exact, int | Fraction) and exact != amount
    plan, roots = row.book.plan, [part.value]
    return replace(
        found,
        exact=words.exact(exact, MONEY) if rounded else "",
        rounding=rounded_to(words, Fraction(1, 10**plan.decimals), plan.rounding, MONEY) if rounded else "",
        bands=row.evidence.bands(roots),
        used=row.evidence.used(roots),
        calls=row.evidence.calls(roots),
        groups=row.evidence.group_values(roots),
    )
