"""Steps, shares, conditions and what an episode adds to later windows, in columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final, Generic, TypeVar

from rxcalc.lang.ops import Op
from rxcalc.lang.types import DATE, is_numeric
from rxcalc.plan.columns.dates import input_bounds
from rxcalc.plan.columns.formed import Formed, either
from rxcalc.plan.columns.kernel import Kernel, NotProven
from rxcalc.plan.columns.logic import chosen
from rxcalc.plan.columns.numbers import Number
from rxcalc.plan.columns.walk import Bounds, Walk
from rxcalc.plan.nodes import Plan, PlanPart, PlanPartition, PlanStep, RoundTo, share_name

__all__ = ["Contribution", "Everything", "form_plan", "part_name", "reads_this_episode"]

X = TypeVar("X")


@dataclass(frozen=True, slots=True)
class Contribution(Generic[X]):
    """What an episode adds to a window call of later ones: its value (at the call's scale) where `where` holds.

    `None` for `where` is: always. `equal` are conditions `w.x = y` on inputs, as (x, y): they narrow
    the window's key instead of being tested. `slow` says why the call has no such form and each row must look
    at the earlier episodes itself.
    """

    value: Formed[X] | None
    where: X | None
    slow: str
    equal: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Everything(Generic[X]):
    """A plan in columns. `fails` hold on rows that the exact evaluator must look at."""

    walk: Walk[X]
    steps: Mapping[str, Formed[X]]
    shares: Mapping[str, Formed[X]]
    fails: tuple[X, ...]
    contributions: tuple[Contribution[X], ...]
    reasons: Mapping[str, str]  # by step: why it, or a branch of it, has no column
    widest: Mapping[str, int]  # by step: the widest column that computing it takes


def part_name(plan: Plan, partition: PlanPartition, part: PlanPart) -> str:
    """The name of a share of a plan."""
    return share_name(0 if partition is plan.shares[0] else 1, partition.name, part.bearer, part.part)


def form_plan(plan: Plan, kernel: Kernel[X], *, limited: bool, earlier: Mapping[str, Bounds]) -> Everything[X]:
    """The whole plan, in evaluation order."""
    walk = Walk(plan, kernel, limited=limited, earlier=earlier)
    fails: list[X | None] = [_outside(walk), _reversal(walk)]
    reasons: dict[str, str] = {}
    widest: dict[str, int] = {}
    fails.extend(_broken(walk, condition.that) for condition in plan.requires)
    for step in plan.steps:
        walk.reasons = []
        walk.arithmetic.widest = 64
        formed = _step(walk, step)
        walk.steps[step.name] = formed
        widest[step.name] = walk.arithmetic.widest
        fails.append(formed.fail)
        if walk.reasons:
            reasons[step.name] = walk.reasons[0]
        elif formed.absent:
            reasons[step.name] = "reads a value that has no column"
    fails.extend([_partition(walk, partition) for partition in plan.shares])
    fails.extend(_broken(walk, condition.that) for condition in plan.guarantees)
    contributions = tuple(_contribution(walk, place) for place in range(len(plan.window_calls)))
    kept = tuple(kernel.share(fail) for fail in fails if fail is not None)
    return Everything(walk, walk.steps, walk.shares, kept, contributions, reasons, widest)


def _outside(walk: Walk[X]) -> X | None:
    """Episodes outside the rulebook's effective range."""
    plan, kernel = walk.plan, walk.kernel
    field = walk.inputs[plan.effective_by]
    low, high = input_bounds(field)
    fail: X | None = None
    code = kernel.input(field.name, field.type, 64)
    if low < plan.effective_from.toordinal():
        fail = kernel.binary("<", code, kernel.constant(plan.effective_from, DATE))
    if plan.effective_to is not None and high > plan.effective_to.toordinal():
        fail = either(kernel, fail, kernel.binary(">", code, kernel.constant(plan.effective_to, DATE)))
    return fail


def _reversal(walk: Walk[X]) -> X | None:
    """Episodes that reverse another one."""
    sequence = walk.plan.sequence
    if sequence is None or not sequence.reverses:
        return None
    field = walk.inputs[sequence.reverses]
    return walk.kernel.unary("known", walk.kernel.input(field.name, field.type, 64))


def _broken(walk: Walk[X], that: int) -> X | None:
    """Where a condition that must hold does not, or cannot be evaluated."""
    formed = walk.form(that)
    broken = None if formed.code is None else walk.kernel.unary("not", formed.code)
    return either(walk.kernel, formed.fail, broken)


def _step(walk: Walk[X], step: PlanStep) -> Formed[X]:
    """The step's value, rounded; without a column when any whole number on the way fits none."""
    try:
        result = _decided(walk, step)
        if result.absent:
            return result
        fail = None if result.fail is None else walk.kernel.share(result.fail)
        if result.number is None:
            return Formed(code=walk.kernel.share(result.as_code), fail=fail, at=result.at)
        arithmetic, number = walk.arithmetic, result.number
        if step.rounding is not None:
            number = arithmetic.rounded(number, step.rounding, step.rounding.mode)
        number = arithmetic.within(number, step.low, step.high)
        return Formed(number=arithmetic.shared_number(arithmetic.narrowed(number)), fail=fail)
    except NotProven as gap:
        walk.reasons.append(str(gap))
        return Formed(fail=walk.kernel.always(), absent=True)


def _decided(walk: Walk[X], step: PlanStep) -> Formed[X]:
    """The first clause that holds; computed from the last clause backwards."""
    kernel = walk.kernel
    # A rejecting clause has no value; whatever stands there is never written. Where no clause holds
    # (conditions without `otherwise` are proven exhaustive) the row goes to the exact evaluator too.
    refused: Formed[X] = Formed(fail=kernel.always(), absent=True)
    result = refused
    for clause in reversed(step.clauses):
        then = walk.form(clause.then) if clause.then >= 0 else refused
        if clause.when < 0:
            result = then
            continue
        condition = walk.form(clause.when)
        if condition.code is None:
            return Formed(fail=kernel.always(), absent=True)
        code = condition.code
        if then.fail is not None or result.fail is not None:
            code = kernel.share(code)
        picked = chosen(walk, code, then, result)
        result = replace(picked, fail=either(kernel, condition.fail, picked.fail), at=None)
    return result


def _partition(walk: Walk[X], partition: PlanPartition) -> X | None:
    """Forms the parts and, for the first partition, the totals; returns where it does not balance."""
    plan = walk.plan
    names = [part_name(plan, partition, part) for part in partition.parts]
    try:
        parts, fail = _balanced(walk, partition)
    except NotProven:
        gone: Formed[X] = Formed(fail=walk.kernel.always(), absent=True)
        walk.shares.update(dict.fromkeys(names, gone))
        if partition is plan.shares[0]:
            walk.shares.update(dict.fromkeys(plan.totals, gone))
        return walk.kernel.always()
    walk.shares.update({name: Formed(number=part) for name, part in zip(names, parts, strict=True)})
    if partition is not plan.shares[0]:
        return fail
    arithmetic = walk.arithmetic
    totals: dict[str, Number[X]] = {}
    for part, number in zip(partition.parts, parts, strict=True):
        name = f"{part.bearer}_pays"
        totals[name] = arithmetic.add(totals[name], number) if name in totals else number
    for name, total in totals.items():
        if name in walk.steps:
            step = walk.steps[name]
            if step.number is None:
                return walk.kernel.always()
            if not _same_column(step.number, total):
                fail = either(walk.kernel, fail, arithmetic.compare("!=", step.number, total))
        walk.shares[name] = Formed(number=arithmetic.shared_number(arithmetic.narrowed(total)))
    return fail


def _same_column(a: Number[X], b: Number[X]) -> bool:
    return a.num.code is b.num.code and a.scale == b.scale and a.den is None and b.den is None


def _balanced(walk: Walk[X], partition: PlanPartition) -> tuple[list[Number[X]], X | None]:
    """The rounded parts, and where one is negative or they do not add up."""
    plan, arithmetic, kernel = walk.plan, walk.arithmetic, walk.kernel
    minor = RoundTo(Fraction(1, 10**plan.decimals), plan.rounding)
    fails: list[X | None] = []

    def rounded(node: int) -> Number[X]:
        formed = walk.form(node)
        fails.append(formed.fail)
        number = formed.as_number
        if number.den is None and minor.to.denominator % number.scale == 0:
            return number  # already a whole number of minor units
        return arithmetic.shared_number(arithmetic.narrowed(arithmetic.rounded(number, minor, plan.rounding)))

    of = rounded(partition.of)
    parts: list[Number[X] | None] = [rounded(part.value) if part.value >= 0 else None for part in partition.parts]
    rest = of
    for part in parts:
        if part is not None:
            rest = arithmetic.add(rest, part, -1)
    if None in parts:
        rest = arithmetic.shared_number(arithmetic.narrowed(rest))
    elif not (rest.low == rest.high == 0):
        fails.append(arithmetic.compare("!=", rest, arithmetic.fixed(0)))
    result = [rest if part is None else part for part in parts]
    for entry, number in zip(partition.parts, result, strict=True):
        if number.low < 0 and not entry.may_be_negative:
            fails.append(arithmetic.compare("<", number, arithmetic.fixed(0)))
    return result, either(kernel, *fails)


_OF_THIS_ROW: Final = frozenset(
    {
        *(Op.INPUT, Op.STEP, Op.SHARE, Op.WINDOW, Op.PARAMETER, Op.CELL, Op.HAS_ROW),
        *(Op.BANDS, Op.BAND, Op.BANDS_REACH, Op.SLICE, Op.ALONG, Op.OVER_DAYS),
    }
)
"""What depends on the episode that looks back: its own fields, and parameters, which resolve at its date."""


def reads_this_episode(plan: Plan, node: int) -> bool:
    """Whether an expression inside a window call depends on the episode that looks back."""
    if node < 0:
        return False
    entry = plan.nodes[node]
    return entry.op in _OF_THIS_ROW or any(reads_this_episode(plan, arg) for arg in entry.args)


def _conditions(plan: Plan, node: int) -> tuple[list[int], list[tuple[str, str]], bool]:
    """The conjuncts of a `where` that look at the earlier episode only, those that are `w.x = y`; is that all?"""
    if node < 0:
        return [], [], True
    entry = plan.nodes[node]
    if entry.op is Op.AND:
        parts = [_conditions(plan, arg) for arg in entry.args]
        return [n for p in parts for n in p[0]], [e for p in parts for e in p[1]], all(p[2] for p in parts)
    if not reads_this_episode(plan, node):
        return [node], [], True
    if entry.op is Op.EQ:
        sides = {plan.nodes[arg].op: plan.nodes[arg] for arg in entry.args}
        earlier, this = sides.get(Op.EARLIER), sides.get(Op.INPUT)
        inputs = {field.name for field in plan.inputs}
        if earlier is not None and this is not None and earlier.type == this.type:
            name = str(earlier.data[1])  # type: ignore[index] # (window, name)
            if name in inputs:
                return [], [(name, str(this.data))], True
    return [], [], False


def _contribution(walk: Walk[X], place: int) -> Contribution[X]:
    plan, kernel = walk.plan, walk.kernel
    call = plan.window_calls[place]
    tested, equal, complete = _conditions(plan, call.where)
    if not complete or reads_this_episode(plan, call.value):
        return Contribution(None, None, "its condition or value reads this episode")
    walk.own = True
    try:
        conditions = [walk.form(node) for node in tested]
        value = walk.form(call.value) if call.value >= 0 else None
        formed = [*conditions, *([] if value is None else [value])]
        if either(kernel, *(part.fail for part in formed)) is not None or any(part.absent for part in formed):
            return Contribution(None, None, "computing what an episode adds can fail")
        if value is not None and value.number is not None and call.function != "count":
            value = Formed(number=_at_call_scale(walk, call.value, value.number))
        if value is not None and value.number is not None and value.number.den is not None:
            return Contribution(None, None, "what an episode adds is a quotient by a variable")
    except NotProven as gap:
        return Contribution(None, None, str(gap) or "what an episode adds has no column")
    finally:
        walk.own = False
    if value is not None and value.number is not None:
        value = Formed(number=walk.arithmetic.shared_number(walk.arithmetic.narrowed(value.number)))
    elif value is not None:
        value = Formed(code=kernel.share(value.as_code))
    where: X | None = None
    for condition in conditions:
        where = condition.as_code if where is None else kernel.binary("and", where, condition.as_code)
    return Contribution(value, None if where is None else kernel.share(where), "", tuple(equal))


def _at_call_scale(walk: Walk[X], node: int, value: Number[X]) -> Number[X]:
    """The value at the scale that the rows looking back assume."""
    walk.own = False
    assumed = walk.form(node).as_number
    walk.own = True
    if not is_numeric(walk.plan.nodes[node].type) or value.den is not None:
        raise NotProven
    return walk.arithmetic.number(walk.arithmetic.at_scale(value, assumed.scale), assumed.scale)
