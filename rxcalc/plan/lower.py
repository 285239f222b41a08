"""Typed rulebook to plan: names to slots, ranges and scales proven, formulas cut for figures."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction

from rxcalc.diagnostics.model import Sink
from rxcalc.lang.types import DATE, FLAG, Plain
from rxcalc.plan import describe, expressions
from rxcalc.plan.expressions import Expressions, Field
from rxcalc.plan.finite import check_finite
from rxcalc.plan.nodes import (
    Plan,
    PlanBase,
    PlanBlock,
    PlanCheck,
    PlanClause,
    PlanCondition,
    PlanGroup,
    PlanKey,
    PlanList,
    PlanPart,
    PlanPartition,
    PlanSpread,
    PlanStep,
    PlanTrend,
    RoundTo,
    share_name,
)
from rxcalc.plan.places import Places
from rxcalc.plan.ranges import ANYTHING, Range, rounded, union
from rxcalc.source import SourceFile
from rxcalc.typed.nodes import (
    TCheck,
    TCondition,
    TGroup,
    TList,
    TPart,
    TPartition,
    TSpread,
    TStep,
    TypedRulebook,
)
from rxcalc.typed.order import MEMBERS


@dataclass(slots=True)
class _Rules:
    """The rules of one level as far as they are lowered; requires and guarantees by number."""

    requires: dict[int, PlanCondition] = field(default_factory=dict)
    steps: dict[str, PlanStep] = field(default_factory=dict)
    shares: dict[str, PlanPartition] = field(default_factory=dict)
    guarantees: dict[int, PlanCondition] = field(default_factory=dict)

    def conditions(self, of: dict[int, PlanCondition]) -> tuple[PlanCondition, ...]:
        """Conditions in declared order."""
        return tuple(of[n] for n in sorted(of))


@dataclass(frozen=True, slots=True)
class _Lowered:
    """What one pass over the rules gives, by level."""

    expressions: Expressions
    rules: dict[str, _Rules]
    keys: dict[str, tuple[PlanKey, ...]]
    spreads: dict[tuple[str, str], PlanSpread]
    effective: dict[str, int]
    trends: tuple[PlanTrend, ...]
    checks: tuple[PlanCheck, ...]
    earlier: dict[Field, Range]


def lower(typed: TypedRulebook, files: dict[str, SourceFile], digest: str, sink: Sink) -> Plan:
    """The plan of a checked rulebook. May add RX408 (values that are not finite).

    The rules are lowered twice: windows read earlier results of the same steps, whose ranges are
    unknown at first. What the first pass proves without knowing them holds for every episode, so the
    second pass may use it.
    """
    first = _Pass(typed, files, {}).run()
    done = _Pass(typed, files, first.earlier).run()
    decl = typed.decl
    place = Places(files)
    own = done.rules[""]
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
        requires=own.conditions(own.requires),
        sequence=describe.sequence(decl.sequence),
        windows=describe.windows(decl, place),
        calls=tuple(done.expressions.calls),
        parameters=tuple(describe.parameter(p, decl, place) for p in typed.parameters),
        tables=tuple(describe.table(t, decl, place) for t in typed.tables),
        nodes=tuple(done.expressions.nodes),
        steps=tuple(own.steps.values()),
        shares=_declared(own, typed.shares),
        totals=typed.totals,
        guarantees=own.conditions(own.guarantees),
        trends=done.trends,
        outputs=typed.outputs,
        sources=describe.sources(decl),
        evidence=describe.evidence(typed),
        lists=tuple(_list(done, x, place) for x in typed.lists),
        groups=tuple(_group(done, g, place) for g in typed.groups),
        spreads=tuple(done.spreads.values()),
        checks=done.checks,
        blocks=tuple(PlanBlock(b.phase, b.through, b.items) for b in typed.blocks),
        bases=tuple(PlanBase(b.path, b.named, b.owner, b.rulebook, b.version, b.shown) for b in decl.bases),
        files=describe.files(typed),
    )
    check_finite(typed, plan, sink)
    return plan


def ranges_of(plan: Plan) -> dict[tuple[str, str], tuple[Fraction | None, Fraction | None]]:
    """The proven range of every step, by level and name."""
    levels = (("", plan.steps), *((x.name, x.steps) for x in plan.lists), *((g.name, g.steps) for g in plan.groups))
    return {(level, s.name): (s.low, s.high) for level, steps in levels for s in steps}


def _declared(rules: _Rules, partitions: tuple[TPartition, ...]) -> tuple[PlanPartition, ...]:
    return tuple(rules.shares[p.name] for p in partitions)


def _list(done: _Lowered, x: TList, place: Places) -> PlanList:
    rules = done.rules[x.name]
    return PlanList(
        name=x.name,
        inputs=tuple(describe.plan_input(i, place) for i in x.inputs),
        order=tuple(i.name for i in x.decl.order),
        required=x.decl.required,
        requires=rules.conditions(rules.requires),
        steps=tuple(rules.steps.values()),
        guarantees=rules.conditions(rules.guarantees),
        label=describe.words(x.decl.meta.label),
        place=place.of(x.decl.name.span),
    )


def _group(done: _Lowered, g: TGroup, place: Places) -> PlanGroup:
    rules = done.rules[g.name]
    return PlanGroup(
        name=g.name,
        of=g.of,
        keys=done.keys[g.name],
        inputs=tuple(describe.plan_input(i, place) for i in g.inputs),
        sequence=describe.sequence(g.decl.sequence),
        effective=done.effective.get(g.name, -1),
        requires=rules.conditions(rules.requires),
        steps=tuple(rules.steps.values()),
        shares=_declared(rules, g.shares),
        totals=g.totals,
        guarantees=rules.conditions(rules.guarantees),
        label=describe.words(g.decl.meta.label),
        place=place.of(g.decl.name.span),
        inside="bill" if g.in_bill else "",
    )


class _Pass:
    """One pass over all rules, in the order in which they are computed."""

    def __init__(self, typed: TypedRulebook, files: dict[str, SourceFile], earlier: dict[Field, Range]) -> None:
        self.typed = typed
        self.x = Expressions(typed, files, earlier)
        levels = ["", *(x.name for x in typed.lists), *(g.name for g in typed.groups)]
        self.rules = {level: _Rules() for level in levels}
        self.groups = {g.name: g for g in typed.groups}
        self.of: dict[str, TypedRulebook | TList | TGroup] = {
            "": typed,
            **{x.name: x for x in typed.lists},
            **self.groups,
        }
        self.keys: dict[str, tuple[PlanKey, ...]] = {}
        self.effective: dict[str, int] = {}
        self.spreads: dict[tuple[str, str], PlanSpread] = {}

    def run(self) -> _Lowered:
        typed, x = self.typed, self.x
        learned: set[str] = set()
        for block in typed.blocks:
            for level, name in block.items:
                if not name.startswith("requires:") and name != MEMBERS and level not in learned:
                    # What a row was refused for cannot be true of a row that comes this far.
                    x.learn(self.of[level].requires)
                    learned.add(level)
                self._item(level, name)
        trends = tuple(
            PlanTrend(t.kind, x.node(t.what), t.within, f"{t.kind}: {x.text(t.what)} in {t.within}", x.place(t.span))
            for t in typed.trends
        )
        checks = tuple(self._check(c, str(n)) for n, c in enumerate(typed.checks, start=1))
        known = {
            (level, s.name): Range(s.low, s.high, s.scale) for level, r in self.rules.items() for s in r.steps.values()
        }
        received = {(s.target, s.name): Range(s.low, s.high, s.scale) for s in self.spreads.values()}
        earlier = {**known, **received, **x.shares}
        return _Lowered(x, self.rules, self.keys, self.spreads, self.effective, trends, checks, earlier)

    def _item(self, level: str, name: str) -> None:
        x, rules, of = self.x, self.rules[level], self.of[level]
        head, _, rest = name.partition(":") if ":" in name else ("", "", "")
        if name == MEMBERS:
            self._members(self.groups[level])
        elif head == "requires":
            rules.requires[int(rest)] = _condition(x, of.requires[int(rest)])
        elif head == "guarantee":
            rules.guarantees[int(rest)] = _condition(x, of.guarantees[int(rest)])
        elif head == "shares" and not isinstance(of, TList):
            index = [p.name for p in of.shares].index(rest)
            rules.shares[rest] = _partition(x, self.typed, level, index, of.shares[index])
        else:
            spread = next((s for s in self.typed.spreads if (s.target, s.name) == (level, name)), None)
            if spread is not None:
                self.spreads[level, name] = self._spread(spread)
            else:
                rules.steps[name] = _step(x, level, next(s for s in of.steps if s.name == name))

    def _members(self, g: TGroup) -> None:
        x = self.x
        keys = []
        for key in g.keys:
            node = x.node(key.value)
            x.inputs[g.name, key.name] = x.range_of(node)
            keys.append(PlanKey(key.name, node, key.value.type, key.value.missing))
        self.keys[g.name] = tuple(keys)
        if g.effective is not None:
            self.effective[g.name] = x.node(g.effective)

    def _spread(self, s: TSpread) -> PlanSpread:
        x = self.x
        what, by = x.node(s.what), x.node(s.by)
        whole = x.range_of(what)
        low = None if whole.low is None else min(Fraction(0), whole.low)
        high = None if whole.high is None else max(Fraction(0), whole.high)
        unit = 10**self.typed.decl.decimals
        x.steps[s.target, s.name] = Range(low, high, unit)
        meta = s.decl.meta
        return PlanSpread(
            s.name, s.source, s.target, what, by, x.formula(s.what), x.formula(s.by), low, high, unit,
            describe.words(meta.label), describe.cites(meta), x.place(s.decl.name.span),
        )  # fmt: skip

    def _check(self, c: TCheck, number: str) -> PlanCheck:
        x = self.x
        amount = x.node(c.amount) if c.amount is not None else -1
        return PlanCheck(
            c.level, x.node(c.when), amount, c.decl.severity, describe.words(c.decl.say), x.formula(c.when),
            x.formula(c.amount) if c.amount is not None else None, x.place(c.decl.span),
            c.decl.name.name if c.decl.name is not None else number,
        )  # fmt: skip


def _condition(x: Expressions, c: TCondition) -> PlanCondition:
    that = x.node(c.that)
    return PlanCondition(that, x.formula(c.that), describe.words(c.say), x.place(c.span))


def _step(x: Expressions, level: str, step: TStep) -> PlanStep:
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
    x.steps[level, step.name] = found
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
        label=describe.step_label(step),
        note=describe.words(meta.note),
        cite=describe.cites(meta),
        status=meta.status or "",
        names=meta.names,
        place=x.place(step.decl.name.span),
        lazy=step.lazy,
        table=step.decl.rule.form == "table",
    )


def _partition(x: Expressions, typed: TypedRulebook, level: str, index: int, partition: TPartition) -> PlanPartition:
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
        x.shares[level, share_name(index, partition.name, p.bearer, p.part)] = found
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
                names=p.decl.meta.names,
                bearer_names=p.bearer_decl.meta.names,
                x12=p.decl.x12.name if p.decl.x12 is not None else "",
            )
        )
    if index == 0:
        for bearer, ranges in totals.items():
            x.shares[level, f"{bearer}_pays"] = expressions.sum_of(ranges)
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
