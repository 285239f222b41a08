"""Typed rulebook to plan: names to slots, ranges and scales proven, formulas cut for figures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from rxcalc.diagnostics.model import Sink
from rxcalc.lang.arithmetic import decimals_of
from rxcalc.lang.ops import Op
from rxcalc.lang.types import DATE, FLAG, Kind, Plain
from rxcalc.plan import describe, expressions
from rxcalc.plan.expressions import Expressions
from rxcalc.plan.nodes import (
    Plan,
    PlanClause,
    PlanCondition,
    PlanPart,
    PlanPartition,
    PlanStep,
    PlanTrend,
    RoundTo,
    share_name,
)
from rxcalc.plan.places import Places
from rxcalc.plan.ranges import ANYTHING, Range, rounded, union
from rxcalc.source import SourceFile
from rxcalc.syntax.unparse import unparse
from rxcalc.typed import problems
from rxcalc.typed.nodes import TCondition, TExpr, TPart, TPartition, TStep, TypedRulebook, WindowUse

MAX_OUTPUT_DECIMALS = 12


@dataclass(frozen=True, slots=True)
class _Lowered:
    """What one pass over the rules gives."""

    expressions: Expressions
    requires: tuple[PlanCondition, ...]
    steps: tuple[PlanStep, ...]
    shares: tuple[PlanPartition, ...]
    guarantees: tuple[PlanCondition, ...]
    trends: tuple[PlanTrend, ...]
    earlier: dict[str, Range]


def lower(typed: TypedRulebook, files: dict[str, SourceFile], digest: str, sink: Sink) -> Plan:
    """The plan of a checked rulebook. May add RX408 (values that are not finite).

    The rules are lowered twice: windows read earlier results of the same steps, whose ranges are
    unknown at first. What the first pass proves without knowing them holds for every episode, so the
    second pass may use it.
    """
    first = _pass(typed, files, {})
    done = _pass(typed, files, first.earlier)
    decl = typed.decl
    place = Places(files)
    plan = Plan(
        rulebook=decl.name.name,
        version=decl.version,
        title=describe.words(decl.title),
        currency=decl.currency,
        decimals=decl.decimals,
        rounding=decl.rounding,
        effective_from=decl.effective.start,
        effective_to=decl.effective.end,
        effective_by=decl.effective.by.name,
        file=decl.file,
        digest=digest,
        inputs=tuple(describe.plan_input(i, place) for i in typed.inputs),
        requires=done.requires,
        sequence=describe.sequence(decl),
        windows=tuple(describe.window(w, place) for w in decl.windows),
        window_calls=tuple(done.expressions.window_calls),
        parameters=tuple(describe.parameter(p, decl, place) for p in typed.parameters),
        tables=tuple(describe.table(t, decl, place) for t in typed.tables),
        nodes=tuple(done.expressions.nodes),
        steps=done.steps,
        shares=done.shares,
        totals=typed.totals,
        guarantees=done.guarantees,
        trends=done.trends,
        outputs=typed.outputs,
        sources=describe.sources(decl),
        evidence=describe.evidence(typed),
    )
    _check_finite(typed, plan, sink)
    return plan


def _pass(typed: TypedRulebook, files: dict[str, SourceFile], earlier: dict[str, Range]) -> _Lowered:
    x = Expressions(typed, files, earlier)
    requires = tuple(_condition(x, r) for r in typed.requires)
    x.learn(typed.requires)
    steps = tuple(_step(x, s) for s in typed.steps)
    shares: list[PlanPartition] = []
    for index, partition in enumerate(typed.shares):
        shares.append(_partition(x, typed, index, partition))
    guarantees = tuple(_condition(x, g) for g in typed.guarantees)
    trends = tuple(
        PlanTrend(t.kind, x.node(t.what), t.within, f"{t.kind}: {x.text(t.what)} in {t.within}", x.place(t.span))
        for t in typed.trends
    )
    known = {s.name: Range(s.low, s.high, s.scale) for s in steps}
    return _Lowered(x, requires, steps, tuple(shares), guarantees, trends, {**known, **x.shares})


def _condition(x: Expressions, c: TCondition) -> PlanCondition:
    that = x.node(c.that)
    return PlanCondition(that, x.formula(c.that), describe.words(c.say), x.place(c.span))


def _step(x: Expressions, step: TStep) -> PlanStep:
    rounding = RoundTo(step.rounding.to, step.rounding.mode) if step.rounding else None
    x.parts = rounding if step.rounding and step.rounding.parts else None
    x.power = rounding
    clauses: list[PlanClause] = []
    ranges: list[Range] = []
    for c in step.clauses:
        when = x.node(c.when) if c.when is not None else -1
        then = x.node(c.then) if c.then is not None else -1
        if then >= 0:
            ranges.append(x.range_of(then))
        clauses.append(
            PlanClause(
                when,
                then,
                describe.words(c.because),
                c.because_name,
                x.formula(c.when) if c.when is not None else None,
                x.formula(c.then) if c.then is not None else None,
                x.place(c.span),
            )
        )
    found = union(ranges) if ranges else ANYTHING
    if rounding is not None:
        found = rounded(found, rounding.to)
    x.parts = x.power = None
    if step.type in (FLAG, DATE) or not isinstance(step.type, Plain):
        found = replace(found, scale=1)
    x.steps[step.name] = found
    meta = step.decl.meta
    return PlanStep(
        name=step.name,
        type=step.type,
        clauses=tuple(clauses),
        rounding=rounding,
        optional=step.optional,
        low=found.low,
        high=found.high,
        scale=found.scale,
        values=describe.set_values(step.values),
        label=describe.words(meta.label),
        note=describe.words(meta.note),
        cite=describe.cites(meta),
        status=meta.status or "",
        names=meta.names,
        place=x.place(step.decl.name.span),
    )


def _partition(x: Expressions, typed: TypedRulebook, index: int, partition: TPartition) -> PlanPartition:
    unit = Fraction(1, 10**typed.decl.decimals)
    of = x.node(partition.of)
    whole = rounded(x.range_of(of), unit)
    parts: list[PlanPart] = []
    totals: dict[str, list[Range]] = {}
    nodes = [x.node(p.value) if p.value is not None else -1 for p in partition.parts]
    own = [_part_range(x, p, node, unit) for p, node in zip(partition.parts, nodes, strict=True)]
    for at, (p, node) in enumerate(zip(partition.parts, nodes, strict=True)):
        found = own[at]
        others = [r.low for other, r in enumerate(own) if other != at]
        if whole.high is not None and all(low is not None for low in others):
            # What the others take at the least is not left for this one.
            left = whole.high - sum((low for low in others if low is not None), Fraction(0))
            if left >= (found.low or 0):
                found = replace(found, high=left if found.high is None else min(found.high, left))
        x.shares[share_name(index, partition.name, p.bearer, p.part)] = found
        totals.setdefault(p.bearer, []).append(found)
        parts.append(
            PlanPart(
                bearer=p.bearer,
                part=p.part,
                value=node,
                formula=x.formula(p.value) if p.value is not None else None,
                reason=p.decl.reason or "",
                may_be_negative=p.decl.may_be_negative,
                label=describe.words(p.decl.meta.label),
                bearer_label=describe.words(p.bearer_decl.meta.label),
                cite=describe.cites(p.decl.meta),
                place=x.place(p.decl.span),
            )
        )
    if index == 0:
        for bearer, ranges in totals.items():
            x.shares[f"{bearer}_pays"] = expressions.sum_of(ranges)
    return PlanPartition(
        partition.name,
        of,
        x.formula(partition.of),
        tuple(parts),
        describe.words(partition.decl.meta.label),
        x.place(partition.decl.name.span),
    )


def _part_range(x: Expressions, p: TPart, node: int, unit: Fraction) -> Range:
    """The range of a part by itself: never negative unless allowed; `rest` has no upper end of its own."""
    found = rounded(x.range_of(node), unit) if node >= 0 else Range(None, None, unit.denominator)
    if p.decl.may_be_negative or (found.low is not None and found.low >= 0):
        return found
    return replace(found, low=Fraction(0), high=None if found.high is None else max(found.high, Fraction(0)))


def _check_finite(typed: TypedRulebook, plan: Plan, sink: Sink) -> None:
    """A value written out or read by a window must be a finite decimal (docs/language.md, Exactness and rounding)."""
    steps = {s.name: s for s in plan.steps}
    spans = {s.name: s.decl.name.span for s in typed.steps}

    def check(name: str, reader: str) -> bool:
        step = steps.get(name)
        if step is None or not _is_rational(step.type) or _finite(step.scale):
            return False
        sink.add(problems.not_exact(spans[name], name, reader))
        return True

    written = {name for name in plan.outputs if check(name, "`outputs`")}
    calls = {c.key: c for c in plan.window_calls}
    for reader, root in _readers(typed):
        for use in _window_uses(root):
            names = [n for n in expressions.earlier_names(use) if n not in written]
            if [name for name in names if check(name, f"a window in {reader}")]:
                continue
            call = calls.get(use.data.key) if isinstance(use.data, WindowUse) else None
            value = plan.nodes[call.value] if call is not None and call.value >= 0 else None
            if value is not None and _is_rational(value.type) and not _finite(value.scale):
                sink.add(problems.not_exact(use.span, unparse(use.args[0].syntax), f"a window in {reader}"))
    for partition in typed.shares:
        for part in partition.parts:
            name = str(part.value.data) if part.value is not None and part.value.op is Op.STEP else ""
            if name and name not in written:
                check(name, "the shares")


def _readers(typed: TypedRulebook) -> Iterator[tuple[str, TExpr]]:
    """Every expression that may hold a window call, with what to call its place."""
    for step in typed.steps:
        for clause in step.clauses:
            for root in (clause.when, clause.then):
                if root is not None:
                    yield f"`{step.name}`", root
    for partition in typed.shares:
        for value in (partition.of, *(p.value for p in partition.parts)):
            if value is not None:
                yield "the shares", value
    for condition in (*typed.requires, *typed.guarantees):
        yield "a condition", condition.that


def _window_uses(t: TExpr) -> list[TExpr]:
    if t.op is Op.WINDOW:
        return [t]
    return [found for arg in t.args for found in _window_uses(arg)]


def _is_rational(of: object) -> bool:
    return isinstance(of, Plain) and of.kind in (Kind.MONEY, Kind.NUMBER, Kind.PERCENT, Kind.MONEY_PER_DAY)


def _finite(scale: int) -> bool:
    digits = decimals_of(scale) if scale else None
    return digits is not None and digits <= MAX_OUTPUT_DECIMALS
