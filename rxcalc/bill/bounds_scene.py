"""Rows of a bill of which not everything is known, and what a plan holds that bounds are worked out from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Any

from rxcalc.backends.lookups import ParameterIndex, TableIndex
from rxcalc.bill.bounds_ops import exact_function
from rxcalc.bill.looking_back import fields_of
from rxcalc.bill.possible import ANYTHING, EITHER, Choice, Possible, Span
from rxcalc.inputs.openings import window_calls
from rxcalc.lang.types import DATE, FLAG, OneOf, Type, is_numeric
from rxcalc.plan.nodes import (
    Plan,
    PlanNode,
    PlanParameter,
    PlanPartition,
    PlanSpread,
    PlanStep,
    Value,
    share_name,
)


class Row:
    """An episode or a row of one of its lists. Steps and shares are worked out when they are asked for, once.

    `rows` holds the lists; None stands for a list of which nothing is known.
    """

    __slots__ = ("inputs", "level", "number", "order", "root", "rows", "shares", "steps", "working")

    def __init__(self, inputs: dict[str, Possible], level: str = "", root: Row | None = None) -> None:
        self.inputs = inputs
        self.level = level
        self.root: Row = root or self
        self.rows: dict[str, list[Row] | None] = {}
        self.number = 0
        self.order: tuple[Value, ...] = ()
        self.steps: dict[str, tuple[Possible, frozenset[str]]] = {}
        self.shares: dict[str, tuple[Possible, frozenset[str]]] = {}
        self.working: set[str] = set()


@dataclass(frozen=True)
class Place:
    """Where a node is evaluated: on a row, beside another one, with a mapped rate, and with what conditions have settled.

    `settled` holds inputs and steps by row, kind and name.
    """

    row: Row
    other: Row | None = None
    local: Possible = ANYTHING
    settled: Mapping[tuple[int, str, str], Possible] = field(default_factory=dict)


class Prepared:
    """A plan as bounds need it, worked out once."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.indexes = {p.name: ParameterIndex.of(p) for p in plan.parameters}
        self.parameters: dict[str, PlanParameter] = {p.name: p for p in plan.parameters}
        self.tables = {t.name: TableIndex(t) for t in plan.tables}
        self.lists = {x.name: x for x in plan.lists}
        levels = [("", plan.steps), *((x.name, x.steps) for x in plan.lists)]
        self.steps: dict[tuple[str, str], PlanStep] = {(level, s.name): s for level, steps in levels for s in steps}
        self.spreads: dict[tuple[str, str], PlanSpread] = {(s.target, s.name): s for s in plan.spreads}
        self.partition: dict[str, tuple[int, PlanPartition]] = {}
        for at, p in enumerate(plan.shares):
            for part in p.parts:
                self.partition.setdefault(share_name(at, p.name, part.bearer, part.part), (at, p))
        if plan.shares:
            for name in plan.totals:
                self.partition.setdefault(name, (0, plan.shares[0]))
        self.across = {g.name: g for g in plan.groups if not g.inside}
        self.inputs = {i.name: i for i in plan.inputs}
        own = window_calls(plan)
        self.window_fields = {at: fields_of(plan, call) for at, call in enumerate(plan.calls) if call in own}
        self._functions: dict[int, tuple[Callable[..., Any] | None, tuple[Type, ...]]] = {}

    def function(self, node: PlanNode) -> tuple[Callable[..., Any] | None, tuple[Type, ...]]:
        """What the exact back end does with the operands of a plain operation, and their types."""
        found = self._functions.get(id(node))
        if found is None:
            types = tuple(self.plan.nodes[a].type for a in node.args)
            found = self._functions[id(node)] = exact_function(node, types), types
        return found


def fallback(node: PlanNode) -> Possible:
    """All that a node can be on any row at all, as the compiler has proven it."""
    return of_type(node.type, node.low, node.high, missing=node.missing)


def of_type(of: Type, low: object = None, high: object = None, *, missing: bool = False) -> Possible:
    """All values of a type."""
    if is_numeric(of) or of == DATE:
        return Span(_number(low), _number(high), missing)
    if of == FLAG:
        return Choice(EITHER.values, missing)
    if isinstance(of, OneOf):
        return Choice(frozenset(of.values), missing)
    return Choice(None, missing)


def _number(bound: object) -> Fraction | None:
    if isinstance(bound, date):
        return Fraction(bound.toordinal())
    return Fraction(bound) if isinstance(bound, int | Fraction) else None
