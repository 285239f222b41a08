"""What `--select` names: groups of columns, or single inputs, columns, steps and shares."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from fractions import Fraction
from typing import Any, Final

from rxcalc.inputs.shown import quoted
from rxcalc.lang.arithmetic import decimals_of
from rxcalc.lang.types import MONEY, PERCENT, is_numeric, is_whole
from rxcalc.plan.nodes import Plan, PlanStep, share_name, share_names
from rxcalc.tabular.header import Columns
from rxcalc.tabular.problems import UsageProblem
from rxcalc.tabular.write_typed import number_type
from rxcalc.tabular.writer import Layout, layout

MAX_DECIMALS: Final = 12
GROUPS = ("inputs", "outputs", "steps", "shares")


def select_columns(
    plan: Plan, columns: Columns, select: tuple[str, ...], separator: str, always: tuple[str, ...] = ()
) -> Layout | UsageProblem:
    """The layout of the results; without `select` the input columns and the outputs. Results in `always` are never left out."""
    endless = {step.name for step in plan.steps if not is_finite(step)}
    steps = tuple(step.name for step in plan.steps if step.name not in endless and not step.lazy)
    shares = share_names(plan)
    received = tuple(spread.name for spread in plan.spreads if not spread.target)
    computable = {*steps, *received, *shares, *plan.outputs}
    groups = {"outputs": plan.outputs, "steps": (*steps, *received), "shares": shares}
    position = {name: at for at, name in enumerate(columns.names) if at in columns.kept}
    echoed: list[int] = []
    computed: list[str] = []
    for name in select or ("inputs", "outputs"):
        if name == "inputs":
            echoed.extend(columns.kept)
        elif name in groups:
            computed.extend(groups[name])
        elif name in columns.inputs:
            echoed.append(columns.inputs[name])
        elif name in endless:
            return UsageProblem(
                f"--select names {quoted(name)}, whose values have no finite decimal form",
                ("leave it out, or give the step a `round:` in the rulebook; `rxcalc explain` shows it as a fraction",),
            )
        elif name in computable:
            computed.append(name)
        elif name in position:
            echoed.append(position[name])
        else:
            known = [*GROUPS, *columns.inputs, *sorted(computable), *position]
            near = get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"name {', '.join(GROUPS)}, an input, a step or a share"
            return UsageProblem(f"--select names {quoted(name)}, which the rulebook and the file do not have", (hint,))
    computed.extend(always)
    percents = frozenset(step.name for step in plan.steps if step.type == PERCENT)
    return layout(columns, tuple(dict.fromkeys(echoed)), tuple(dict.fromkeys(computed)), separator, percents)


def result_types(plan: Plan, names: Iterable[str]) -> dict[str, Any]:
    """The types of results in a file that holds types. Results that the plan does not know are left out, being texts."""
    steps = {step.name: step for step in plan.steps}
    bounds = _amount_bounds(plan)
    found: dict[str, Any] = {}
    for name in names:
        step = steps.get(name)
        if step is not None:
            digits = (decimals_of(step.scale) or 0) if step.scale else 0
            decimals = max(digits, plan.decimals if step.type == MONEY else 0)
            found[name] = number_type(step.type, decimals, _bound(step.low, step.high))
        elif name in bounds:
            found[name] = number_type(MONEY, plan.decimals, bounds[name])
    return found


def _amount_bounds(plan: Plan) -> dict[str, Fraction | None]:
    """What parts, totals and received amounts cannot pass, on either side of 0."""
    found: dict[str, Fraction | None] = {}
    for at, partition in enumerate(plan.shares):
        whole = plan.nodes[partition.of]
        most = _bound(whole.low, whole.high)
        if most is None or any(part.may_be_negative for part in partition.parts):
            most = None  # one part can be as large as others are negative
        for part in partition.parts:
            found[share_name(at, partition.name, part.bearer, part.part)] = most
            if at == 0:
                found[f"{part.bearer}_pays"] = most
    for spread in plan.spreads:
        if not spread.target:
            found[spread.name] = _bound(spread.low, spread.high)
    return found


def _bound(low: Fraction | None, high: Fraction | None) -> Fraction | None:
    """Rounding moves a value by less than one."""
    return None if low is None or high is None else max(abs(low), abs(high)) + 1


def is_finite(step: PlanStep) -> bool:
    """Whether a step's value can be written out: language.md allows 12 decimals."""
    if not is_numeric(step.type) or is_whole(step.type):
        return True
    digits = decimals_of(step.scale) if step.scale else None
    return digits is not None and digits <= MAX_DECIMALS
