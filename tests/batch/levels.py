"""A plan with lines, another list and groups, made by hand so that no compiler is needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from fractions import Fraction
from typing import Any

from rxcalc.lang.ops import Op
from rxcalc.lang.types import CODE, CODES, COUNT, DATE, MONEY, NUMBER, OneOf, Type
from rxcalc.plan.nodes import (
    Place,
    Plan,
    PlanBlock,
    PlanCall,
    PlanClause,
    PlanGroup,
    PlanInput,
    PlanKey,
    PlanList,
    PlanNode,
    PlanSequence,
    PlanSetValue,
    PlanStep,
    RoundTo,
)

FEN = RoundTo(Fraction(1, 100), "half-up")
CLASSES = ("A", "B", "C")


def field_of(name: str, of: Type, **more: Any) -> PlanInput:
    """A declared input with the language's default bounds."""
    bounds: Mapping[Type, tuple[Any, Any, int]] = {
        MONEY: (0, 10**11, 2),
        NUMBER: (-(10**12), 10**12, 8),
        COUNT: (0, 10**9, 0),
        DATE: (date(1900, 1, 1), date(2199, 12, 31), 0),
    }
    low, high, decimals = bounds.get(of, (None, None, 0))
    values = tuple(PlanSetValue(v, (), ()) for v in of.values) if isinstance(of, OneOf) else ()
    plain = PlanInput(name, of, False, None, low, high, decimals, values, (), False, (), (), (), Place())
    return replace(plain, **more)


def step_of(name: str, node: int, of: Type = MONEY) -> PlanStep:
    """A step of one clause."""
    clause = PlanClause(-1, node, (), "", None, None, Place())
    rounding = FEN if of == MONEY else None
    scale = 100 if of == MONEY else 1
    return PlanStep(name, of, (clause,), rounding, False, None, None, scale, (), (), (), (), "", (), Place())


def plan_of(
    *, required: bool = False, needs_budget: bool = False, sequence: bool = False, order: tuple[str, ...] = ("line_no",)
) -> Plan:
    """Bills with lines and premiums; `region_year` groups pay `points * point_value` back.

    lines.twice = 2 * amount; episode.cost = sum(lines.amount), due = cost / 2; group spent = sum(episodes.cost).
    """
    nodes: list[PlanNode] = []

    def node(op: Op, *args: int, of: Type = MONEY, data: Any = None, level: str = "", **facts: Any) -> int:
        nodes.append(PlanNode(op, args, of, data, text=f"n{len(nodes)}", level=level, **facts))
        return len(nodes) - 1

    amount = node(Op.INPUT, data="amount", level="lines")
    two = node(Op.CONST, of=NUMBER, data=Fraction(2), level="lines")
    twice = node(Op.MULTIPLY, amount, two, level="lines")
    element = node(Op.EARLIER, data=("lines", "amount"), earlier=True)
    cost = node(Op.ROWS, data=0)
    read = node(Op.STEP, data="cost")
    half = node(Op.CONST, of=NUMBER, data=Fraction(1, 2))
    due = node(Op.MULTIPLY, read, half)
    member = node(Op.EARLIER, data=("episodes", "cost"), earlier=True, level="region_year")
    spent = node(Op.ROWS, data=1, level="region_year")
    region = node(Op.INPUT, of=CODE, data="region")
    on = node(Op.INPUT, of=DATE, data="day")
    year = node(Op.YEAR, on, of=COUNT)
    calls = (
        PlanCall("lines", "sum", element, -1, False, False, "sum(lines.amount)", MONEY, Place(), "", "rows", "lines", "", "lines"),
        PlanCall("episodes", "sum", member, -1, False, False, "sum(episodes.cost)", MONEY, Place(), "region_year", "rows", "episodes", "", ""),
    )  # fmt: skip
    lines = PlanList(
        "lines",
        (
            field_of("line_no", COUNT, aliases=("序号",)),
            field_of("code", CODE),
            field_of("class", OneOf(CLASSES)),
            field_of("quantity", NUMBER, default=Fraction(1)),
            field_of("amount", MONEY, aliases=("金额",)),
            field_of("marks", CODES, optional=True),
        ),
        order,
        required,
        (),
        (step_of("twice", twice),),
        (),
        (),
        Place(),
    )
    premiums = PlanList(
        "premiums", (field_of("month", DATE), field_of("paid", MONEY)), ("month",), False, (), (), (), (), Place()
    )
    group = PlanGroup(
        "region_year",
        "",
        (PlanKey("region", region, CODE, missing=False), PlanKey("year", year, COUNT, missing=False)),
        (field_of("budget", MONEY, optional=not needs_budget),),
        None,
        -1,
        (),
        (step_of("spent", spent), step_of("point_value", spent, NUMBER)),
        (),
        (),
        (),
        (),
        Place(),
    )
    return Plan(
        rulebook="made-up", version="1", title=(), currency="CNY", decimals=2, rounding="half-up",
        effective_from=date(2020, 1, 1), effective_to=None, effective_by="day", file="made-up.yaml", digest="0" * 64,
        inputs=(field_of("episode_id", CODE), field_of("person_id", CODE), field_of("day", DATE), field_of("region", CODE)),
        requires=(), sequence=PlanSequence("person_id", ("day", "episode_id"), "") if sequence else None,
        windows=(), calls=calls, parameters=(), tables=(), nodes=tuple(nodes),
        steps=(step_of("cost", cost), step_of("due", due)), shares=(), totals=(), guarantees=(), trends=(),
        outputs=("due",), sources=(), evidence=(("fictional", 1),), lists=(lines, premiums), groups=(group,),
        blocks=(
            PlanBlock(0, "", (("lines", "twice"), ("", "cost"), ("", "due"))),
            PlanBlock(0, "", (("region_year", "members:"), ("region_year", "spent"), ("region_year", "point_value"))),
        ),
    )  # fmt: skip
