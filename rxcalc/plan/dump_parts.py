"""Lines of a plan's text that the episode, lists and groups have in common."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from rxcalc.lang.arithmetic import shortest
from rxcalc.lang.types import Kind, Plain
from rxcalc.plan.layout import StepLayout, input_scale
from rxcalc.plan.nodes import Plan, PlanInput, PlanPartition, PlanStep, RoundTo


def input_lines(inputs: Sequence[PlanInput]) -> list[str]:
    """Inputs with type, bounds and scale."""
    return [
        f"{field.name:24} {field.type!s:24} {', '.join(t for t in (_bounds(field), 'optional' if field.optional else '') if t)}".rstrip()
        for field in inputs
    ]


def step_lines(plan: Plan, step: PlanStep, held: StepLayout) -> Iterator[str]:
    """A step with its rounding, how columns hold it, and its clauses."""
    lazy = ", computed where `base` is read" if step.lazy else ""
    yield f"{step.name:24} {step.type!s:18} {rounding_text(step.rounding)}{lazy}"
    yield f"    {_held(held)}"
    for clause in step.clauses:
        then = "reject" if clause.then < 0 else plan.nodes[clause.then].text
        when = "" if clause.when < 0 else f"when {plan.nodes[clause.when].text} then "
        otherwise = "otherwise " if clause.when < 0 and len(step.clauses) > 1 else ""
        yield f"    {when}{otherwise}{then}"


def share_lines(plan: Plan, shares: Sequence[PlanPartition]) -> list[str]:
    """Partitions with their parts."""
    lines = []
    for partition in shares:
        lines.append(f"{partition.name} of {plan.nodes[partition.of].text}")
        for part in partition.parts:
            name = f"{part.bearer}.{part.part}" if part.part else part.bearer
            value = "rest" if part.value < 0 else plan.nodes[part.value].text
            told = f"{', may be negative' if part.may_be_negative else ''}{f', X12 {part.x12}' if part.x12 else ''}"
            lines.append(f"  {name:22} {value}{told}")
    return lines


def _held(held: StepLayout) -> str:
    if held.runs_on == "exact":
        return f"on the exact evaluator: {held.reason}"
    if held.low is None:
        return "columnar"
    scale = f", x {held.scale}" if held.scale != 1 else ""
    bits = f"{held.width} bits" + (f", {held.widest} on the way" if held.widest != held.width else "")
    return f"{_figure(held.low)} .. {_figure(held.high)}, {bits}{scale}{', numerator and denominator' if held.pair else ''}"


def _bounds(field: PlanInput) -> str:
    match field.type:
        case Plain(Kind.CODE | Kind.CODES | Kind.TEXT | Kind.FLAG):
            return ""
    if field.low is None and field.high is None:
        return ""
    scale = input_scale(field)
    return f"{_shown(field.low)} .. {_shown(field.high)}" + (f", x {scale}" if scale != 1 else "")


def _shown(value: object) -> str:
    if isinstance(value, int | Fraction):
        return shortest(value, grouped=True) or str(value)
    return "" if value is None else str(value)


def _figure(value: Fraction | None) -> str:
    """A bound; a repeating one is cut, with a mark."""
    if value is None:
        return ""
    text = shortest(value, grouped=True)
    return text if text is not None else f"~{_cut(value)}"


def _cut(value: Fraction) -> str:
    """The first digits of a value that no decimal writes."""
    thousandths = abs(value.numerator) * 1000 // value.denominator
    return f"{'-' if value < 0 else ''}{thousandths // 1000:,}.{thousandths % 1000:03}"


def rounding_text(rounding: RoundTo | None) -> str:
    """How a value is rounded."""
    return "exact" if rounding is None else f"round to {_shown(rounding.to)} {rounding.mode}"
