"""Values that are written out, or read by windows, groups and spreads, must be finite decimals."""

from __future__ import annotations

from collections.abc import Iterator

from rxcalc.diagnostics.model import Sink
from rxcalc.lang.arithmetic import decimals_of
from rxcalc.lang.ops import Op
from rxcalc.lang.types import Kind, Plain
from rxcalc.plan.expressions import earlier_names
from rxcalc.plan.nodes import Plan, PlanNode
from rxcalc.syntax.unparse import unparse
from rxcalc.typed import level_problems, problems
from rxcalc.typed.graph import walk
from rxcalc.typed.nodes import TExpr, TGroup, TList, TSpread, TypedRulebook, WindowUse

MAX_OUTPUT_DECIMALS = 12


def check_finite(typed: TypedRulebook, plan: Plan, sink: Sink) -> None:
    """RX408 for every value that must be a finite decimal and is not proven to be (docs/language.md, Exactness and rounding)."""
    _Finite(typed, plan, sink).run()


class _Finite:
    def __init__(self, typed: TypedRulebook, plan: Plan, sink: Sink) -> None:
        self.typed, self.plan, self.sink = typed, plan, sink
        typed_levels = (
            ("", typed.steps),
            *((x.name, x.steps) for x in typed.lists),
            *((g.name, g.steps) for g in typed.groups),
        )
        levels = (("", plan.steps), *((x.name, x.steps) for x in plan.lists), *((g.name, g.steps) for g in plan.groups))
        self.spans = {(level, s.name): s.decl.name.span for level, steps in typed_levels for s in steps}
        self.steps = {(level, s.name): s for level, steps in levels for s in steps}
        self.told: set[tuple[str, str]] = set()

    def run(self) -> None:
        for name in self.plan.outputs:
            self.check(("", name), "`outputs`")
        for g in self.plan.groups:
            for s in g.steps if not g.inside else ():
                self.check((g.name, s.name), f"the results of `{g.name}`")
        across = {g.name for g in self.plan.groups if not g.inside}
        calls = {(c.key, c.level): c for c in self.plan.calls}
        for reader, root in _readers(self.typed):
            for use in walk(root):
                if not isinstance(use.data, WindowUse) or (use.data.kind != "window" and use.level not in across):
                    continue
                told = f"a window in {reader}" if use.data.kind == "window" else reader
                if [n for n in earlier_names(use) if n not in self.told and self.check(n, told)]:
                    continue
                call = calls.get((use.data.key, use.level))
                value = self.plan.nodes[call.value] if call is not None and call.value >= 0 else None
                if value is not None and _is_rational(value) and not _finite(value.scale):
                    self.sink.add(problems.not_exact(use.span, unparse(use.args[0].syntax), told))
        for partition in (*self.typed.shares, *(p for g in self.typed.groups for p in g.shares)):
            for part in partition.parts:
                if part.value is not None and part.value.op is Op.STEP:
                    self.check((part.value.level, str(part.value.data)), "the shares")
        unit = 10**self.plan.decimals
        for spread, of in zip(self.plan.spreads, sorted(self.typed.spreads, key=self._place), strict=True):
            scale = self.plan.nodes[spread.what].scale
            if not scale or unit % scale:
                help_ = (
                    f"round it first: give it a money step of its own, and spread that (`what: {spread.name}_whole`)"
                )
                self.sink.add(
                    level_problems.bad_spread(of.what.span, "what is spread must be whole minor units", help_)
                )

    def _place(self, spread: TSpread) -> int:
        order = [(s.target, s.name) for s in self.plan.spreads]
        return order.index((spread.target, spread.name))

    def check(self, field: tuple[str, str], reader: str) -> bool:
        """Whether a step was reported, now or before."""
        step = self.steps.get(field)
        if step is None or not _is_rational(step) or _finite(step.scale):
            return False
        if field not in self.told:
            self.told.add(field)
            self.sink.add(problems.not_exact(self.spans[field], field[1], reader))
        return True


def _readers(typed: TypedRulebook) -> Iterator[tuple[str, TExpr]]:
    """Every expression that may hold a call over rows, with what to call its place."""
    levels: tuple[TypedRulebook | TList | TGroup, ...] = (typed, *typed.lists, *typed.groups)
    for of in levels:
        for step in of.steps:
            for clause in step.clauses:
                for root in (clause.when, clause.then):
                    if root is not None:
                        yield f"`{step.name}`", root
        for condition in (*of.requires, *of.guarantees):
            yield "a condition", condition.that
    for partition in (*typed.shares, *(p for g in typed.groups for p in g.shares)):
        for value in (partition.of, *(p.value for p in partition.parts)):
            if value is not None:
                yield "the shares", value


def _is_rational(of: PlanNode | object) -> bool:
    kind = getattr(of, "type", None)
    return isinstance(kind, Plain) and kind.kind in (Kind.MONEY, Kind.NUMBER, Kind.PERCENT, Kind.MONEY_PER_DAY)


def _finite(scale: int) -> bool:
    digits = decimals_of(scale) if scale else None
    return digits is not None and digits <= MAX_OUTPUT_DECIMALS
