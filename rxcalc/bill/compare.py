"""Two results held against each other: what differs, in the order of the bill, and where they part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

from rxcalc.backends.base import Outcome
from rxcalc.lang.arithmetic import shortest
from rxcalc.lang.types import MONEY, Type
from rxcalc.plan.nodes import Plan, PlanGroup, PlanList, Value, evaluation_order, share_name


@dataclass(frozen=True, slots=True)
class Place:
    """Which result it is: `level` "" is the bill, else a list or a kind of groups with `row`, its place there as text.

    `kind` is step, received (of a spread), part or total. `at` is the row's number in its own result, from 0; it is no
    part of what the place is.
    """

    level: str
    row: str
    name: str
    kind: str = "step"
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Figure:
    """A result with its type."""

    value: Value
    type: Type


@dataclass(frozen=True, slots=True)
class Difference:
    """A result that both have, with another value."""

    place: Place
    one: Figure
    other: Figure

    @property
    def moved(self) -> Fraction | None:
        """How much the other is above the one; None where they are no numbers of one type."""
        return moved(self.one, self.other)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs between two results, in the order of the bill; `of_one` and `of_other` are results that only one has."""

    differing: tuple[Difference, ...]
    of_one: tuple[Place, ...]
    of_other: tuple[Place, ...]

    @property
    def first(self) -> Difference | None:
        """Where they part: the first step that both computed to another value; else the first share."""
        return self.differing[0] if self.differing else None


def compare(
    plan: Plan, outcome: Outcome, other_plan: Plan, other: Outcome, order: Sequence[tuple[str, str]] | None = None
) -> Comparison:
    """Two outcomes compared by name and row.

    `order` says of the first plan in which order steps stand, by level and name: each before everything that reads
    it. Without it that is the order in which they are computed.
    """
    one, two = figures(plan, outcome, order), figures(other_plan, other)
    differing = tuple(
        Difference(place, own, two[place]) for place, own in one.items() if place in two and own != two[place]
    )
    return Comparison(
        differing,
        tuple(place for place in one if place not in two),
        tuple(place for place in two if place not in one),
    )


def moved(one: Figure | None, other: Figure | None) -> Fraction | None:
    """How much a figure is above another one; None where they are no numbers of one type."""
    if one is None or other is None or one.type != other.type:
        return None
    a, b = one.value, other.value
    if isinstance(a, bool) or isinstance(b, bool) or not isinstance(a, int | Fraction):
        return None
    return Fraction(b) - Fraction(a) if isinstance(b, int | Fraction) else None


def figures(plan: Plan, outcome: Outcome, order: Sequence[tuple[str, str]] | None = None) -> Mapping[Place, Figure]:
    """All results of a bill: steps of the bill, of its lists and of the groups inside it, then shares and totals."""
    found: dict[Place, Figure] = {}
    levels: dict[str, PlanList | PlanGroup] = {x.name: x for x in plan.lists}
    levels.update({g.name: g for g in plan.groups if g.inside})
    types = _types(plan)
    for level, name in order or order_of_evaluation(plan):
        kind, of = types.get((level, name), ("", MONEY))
        if not kind:
            continue
        if not level:
            if name in outcome.steps:
                found[Place("", "", name, kind)] = Figure(outcome.steps[name], of)
        elif level in levels:
            for at, row in enumerate(outcome.lists.get(level, ())):
                if name in row.steps:
                    place = Place(level, row_name(levels[level], row.inputs, at), name, kind, at)
                    found[place] = Figure(row.steps[name], of)
    for at, partition in enumerate(plan.shares):
        for part in partition.parts:
            name = share_name(at, partition.name, part.bearer, part.part)
            if name in outcome.shares:
                found[Place("", "", name, "part")] = Figure(outcome.shares[name], MONEY)
    for name in plan.totals:
        if name in outcome.shares:
            found.setdefault(Place("", "", name, "total"), Figure(outcome.shares[name], MONEY))
    return found


def order_of_evaluation(plan: Plan) -> tuple[tuple[str, str], ...]:
    """Everything computed, by level and name, in the order of computation."""
    return tuple(item for block in evaluation_order(plan) for item in block.items)


def row_name(of: PlanList | PlanGroup, values: Mapping[str, Value], at: int) -> str:
    """The place of a row: its order fields or keys, else its number from 1."""
    names = of.order if isinstance(of, PlanList) else tuple(key.name for key in of.keys)
    return "/".join(_text(values.get(name)) for name in names) or str(at + 1)


def _types(plan: Plan) -> dict[tuple[str, str], tuple[str, Type]]:
    """Whether an item is a step or a part received, and its type."""
    levels = [("", plan.steps), *((x.name, x.steps) for x in plan.lists), *((g.name, g.steps) for g in plan.groups)]
    found: dict[tuple[str, str], tuple[str, Type]] = {
        (level, s.name): ("step", s.type) for level, steps in levels for s in steps if not s.lazy
    }
    found.update({(s.target, s.name): ("received", MONEY) for s in plan.spreads})
    return found


def _text(value: Value) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case int() | Fraction():
            return shortest(Fraction(value)) or str(value)
        case date():
            return value.isoformat()
        case _:
            return str(value)
