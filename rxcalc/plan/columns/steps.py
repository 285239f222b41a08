"""Steps, shares and conditions in columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Generic, TypeVar

from rxcalc.lang.types import DATE
from rxcalc.plan.columns.calls import Calls
from rxcalc.plan.columns.checks import FormedCheck, form_checks
from rxcalc.plan.columns.dates import input_bounds
from rxcalc.plan.columns.formed import Formed, either
from rxcalc.plan.columns.kernel import Kernel, NotProven
from rxcalc.plan.columns.levels import Levels
from rxcalc.plan.columns.logic import chosen
from rxcalc.plan.columns.loops import form_loop
from rxcalc.plan.columns.numbers import Number
from rxcalc.plan.columns.spreads import spread
from rxcalc.plan.columns.walk import Bounds, Walk
from rxcalc.plan.nodes import (
    Plan,
    PlanBlock,
    PlanGroup,
    PlanList,
    PlanPart,
    PlanPartition,
    PlanStep,
    RoundTo,
    evaluation_order,
    share_name,
)

__all__ = ["Everything", "form_plan", "full_name", "part_name"]

X = TypeVar("X")


@dataclass(frozen=True, slots=True)
class Everything(Generic[X]):
    """A plan in columns. `fails` hold on rows that the exact evaluator must look at; `levels` has those of all levels.

    `kept` are the columns that an episode keeps for later ones, of its own frame.
    """

    levels: Levels[X]
    walk: Walk[X]
    steps: Mapping[str, Formed[X]]
    shares: Mapping[str, Formed[X]]
    fails: tuple[X, ...]
    calls: Calls[X]
    kept: Mapping[str, X]
    reasons: Mapping[str, str]  # by result (`full_name`): why it, or a branch of it, has no column
    widest: Mapping[str, int]  # by result: the widest column that computing it takes
    checks: tuple[FormedCheck[X], ...] = ()


def full_name(level: str, name: str) -> str:
    """A result as messages call it: `pays`, `lines.pays`."""
    return f"{level}.{name}" if level else name


def part_name(of: Plan | PlanGroup, partition: PlanPartition, part: PlanPart) -> str:
    """The name of a share of a plan, or of a group."""
    return share_name(0 if partition is of.shares[0] else 1, partition.name, part.bearer, part.part)


def form_plan(plan: Plan, kernel: Kernel[X], *, limited: bool, earlier: Mapping[str, Bounds]) -> Everything[X]:
    """The whole plan, in evaluation order."""
    levels = Levels(plan, kernel, limited=limited, earlier=earlier)
    walk = levels.walks[""]
    calls = Calls(walk)
    walk.looking = calls.window
    levels.fails[""] += [_outside(walk), _reversal(walk)]
    forming = _Forming(levels)
    for block in evaluation_order(plan):
        levels.begin(block)
        if block.through in levels.across:
            forming.left_out(block)
        elif block.through:
            forming.loop(block)
        else:
            for level, name in block.items:
                forming.item(level, name)
    forming.marks(evaluation_order(plan))
    checks = form_checks(levels, calls)
    for level, fails in levels.fails.items():
        own = levels.walks[level].kernel
        levels.fails[level] = [own.share(fail) for fail in fails if fail is not None]
    found = tuple(fail for fail in levels.fails[""] if fail is not None)
    reasons, widest = forming.reasons, forming.widest
    kept = calls.stored()
    return Everything(levels, walk, walk.steps, walk.shares, found, calls, kept, reasons, widest, checks)


class _Forming(Generic[X]):
    """Forms items of blocks, and notes why a result has no column and how wide it went."""

    def __init__(self, levels: Levels[X]) -> None:
        self.levels = levels
        self.reasons: dict[str, str] = {}
        self.widest: dict[str, int] = {}
        plan = levels.plan
        self._of: dict[str, Plan | PlanList | PlanGroup] = {
            "": plan,
            **{x.name: x for x in plan.lists},
            **{g.name: g for g in plan.groups},
        }
        self._steps = {(level, s.name): s for level, of in self._of.items() for s in of.steps}
        self._spreads = {(s.target, s.name): s for s in plan.spreads}

    def item(self, level: str, name: str) -> None:
        """One item of a block: its columns, and where it fails."""
        levels, of = self.levels, self._of[level]
        walk = levels.walks[level]
        fails = levels.fails[level]
        if level in levels.across:
            levels.forget()
        self._begin(walk)
        head, _, rest = name.partition(":") if ":" in name else ("", "", "")
        formed: Formed[X] | None = None
        try:
            source = self._spreads[level, name].source if (level, name) in self._spreads else level
            if head != "members":
                levels.standing.act(source)
            if (level, name) in self._spreads:
                spread(levels, self._spreads[level, name])
                formed = walk.steps[name]
            elif head == "members" and isinstance(of, PlanGroup):
                levels.members(of)
            elif head == "requires":
                fails.append(_broken(walk, of.requires[int(rest)].that))
            elif head == "guarantee":
                fails.append(_broken(walk, of.guarantees[int(rest)].that))
            elif head == "shares" and not isinstance(of, PlanList):
                fails.append(_partition(walk, of, next(p for p in of.shares if p.name == rest)))
            else:
                step = self._steps[level, name]
                formed = walk.steps[name] = _step(walk, step)
                if not step.lazy:  # the failures of a lazy step are those of the steps that read it
                    fails.append(formed.fail)
        finally:
            self._end(walk, level, name, formed)

    def marks(self, blocks: Iterable[PlanBlock]) -> None:
        """Where items read groups that lack a member: those of groups first, then those of bills."""
        levels, marks = self.levels, self.levels.marks
        if not levels.across or levels.broken:
            return
        reads = {
            kind: marks.read_by(kind) | {s.source for s in self._spreads.values() if s.target == kind}
            for kind in levels.across
        }
        items = [item for block in blocks for item in block.items]
        for kinds in [*([kind] for kind in marks.kinds(reads)), sorted(levels.in_bill)]:
            for level, name in items:
                if level in kinds:
                    self._mark(level, name)

    def _mark(self, level: str, name: str) -> None:
        """Where an item reads a group that lacks a member."""
        marks, of = self.levels.marks, self._of[level]
        head, _, rest = name.partition(":") if ":" in name else ("", "", "")
        if (level, name) in self._spreads:
            s = self._spreads[level, name]
            marks.item(s.source, (s.what,), lambda walk: walk.form(s.what).fail)
            marks.item(s.target, (s.by,), lambda walk: walk.form(s.by).fail)
            if s.source in self.levels.across:
                marks.received(s)
        elif head == "members" and isinstance(of, PlanGroup):
            keys = tuple(key.node for key in of.keys)
            marks.item(of.of, keys, lambda walk: walk.fails(keys))
        elif head in {"requires", "guarantee"}:
            that = (of.requires if head == "requires" else of.guarantees)[int(rest)].that
            marks.item(level, (that,), lambda walk: _broken(walk, that))
        elif head == "shares" and not isinstance(of, PlanList):
            partition = next(p for p in of.shares if p.name == rest)
            roots = [partition.of, *(part.value for part in partition.parts if part.value >= 0)]
            marks.item(level, roots, lambda walk: _partition(walk, of, partition))
        elif not (step := self._steps[level, name]).lazy:
            marks.item(
                level,
                [n for c in step.clauses for n in (c.when, c.then) if n >= 0],
                lambda walk: _step(walk, step).fail,
            )

    def left_out(self, block: PlanBlock) -> None:
        """The items of a block that goes from group to group in their sequence: no columns compute them."""
        for level, name in block.items:
            walk = self.levels.walks[level]
            gone: Formed[X] = Formed(fail=walk.kernel.always(), absent=True)
            self.levels.fails[level].append(walk.kernel.always())
            self.reasons[full_name(level, name)] = (
                f"it is computed group after group, in the sequence of {block.through}"
            )
            head, _, rest = name.partition(":") if ":" in name else ("", "", "")
            of = self._of[level]
            if head == "members":
                self.levels.broken[level] = self.reasons[full_name(level, name)]
            elif head == "shares" and not isinstance(of, PlanList):
                names = [part_name(of, p, part) for p in of.shares if p.name == rest for part in p.parts]
                walk.shares.update(dict.fromkeys([*names, *of.totals], gone))
            elif not rest:
                walk.steps[name] = gone

    def loop(self, block: PlanBlock) -> None:
        """The items of a block that goes row after row down a list."""
        level = block.through
        walk = self.levels.walks[level]
        self._begin(walk)
        steps = [self._steps[item] for item in block.items]
        if any(self.levels.marks.reads(node) for s in steps for c in s.clauses for node in (c.when, c.then)):
            self.levels.marks.unknown = f"the loop of {steps[0].name} reads groups"
        walk.steps.update(form_loop(self.levels, level, steps, _step))
        for step in steps:
            if not step.lazy:
                self.levels.fails[level].append(walk.steps[step.name].fail)
            self._end(walk, level, step.name, walk.steps[step.name])

    def _begin(self, walk: Walk[X]) -> None:
        walk.reasons = []
        walk.arithmetic.widest = 64

    def _end(self, walk: Walk[X], level: str, name: str, formed: Formed[X] | None) -> None:
        key = full_name(level, name)
        self.widest[key] = walk.arithmetic.widest
        if walk.reasons:
            self.reasons[key] = walk.reasons[0]
        elif formed is not None and formed.absent:
            self.reasons[key] = "reads a value that has no column"


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


def _partition(walk: Walk[X], of: Plan | PlanGroup, partition: PlanPartition) -> X | None:
    """Forms the parts and, for the first partition, the totals; returns where it does not balance."""
    first = partition is of.shares[0]
    names = [part_name(of, partition, part) for part in partition.parts]
    try:
        parts, fail = _balanced(walk, partition)
    except NotProven:
        gone: Formed[X] = Formed(fail=walk.kernel.always(), absent=True)
        walk.shares.update(dict.fromkeys(names, gone))
        if first:
            walk.shares.update(dict.fromkeys(of.totals, gone))
        return walk.kernel.always()
    walk.shares.update({name: Formed(number=part) for name, part in zip(names, parts, strict=True)})
    if not first:
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
