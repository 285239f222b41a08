"""Plans and a stand-in back end for tests of the batch, made by hand so that no compiler is needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import polars as pl

from rxcalc.lang.types import CODE, COUNT, DATE, FLAG, MONEY, NUMBER, PERCENT, TEXT, OneOf, Type
from rxcalc.plan.nodes import Place, Plan, PlanInput, PlanSequence, PlanSetValue

LEVELS = ("town", "county", "city")


def field_of(name: str, of: Type, **more: Any) -> PlanInput:
    """A declared input with the language's default bounds."""
    low: Any = None
    high: Any = None
    decimals = 0
    if of == MONEY:
        low, high, decimals = 0, 10**11, 2
    elif of == PERCENT:
        low, high, decimals = 0, 1, 2
    elif of == NUMBER:
        low, high, decimals = -(10**12), 10**12, 8
    elif of == COUNT:
        low, high = 0, 10**9
    elif of == DATE:
        low, high = date(1900, 1, 1), date(2199, 12, 31)
    plain = PlanInput(
        name=name,
        type=of,
        optional=False,
        default=None,
        low=low,
        high=high,
        decimals=decimals,
        values=(),
        flags=(),
        drop_time=False,
        aliases=(),
        label=(),
        names=(),
        place=Place(),
    )
    return replace(plain, **more)


def level_field(**more: Any) -> PlanInput:
    """A `one_of` input with an alias."""
    values = tuple(PlanSetValue(name, ("乡镇", "3") if name == "town" else (), ()) for name in LEVELS)
    return field_of("level", OneOf(LEVELS), values=values, **more)


def inputs() -> tuple[PlanInput, ...]:
    """The inputs of the plan most tests use."""
    return (
        field_of("episode_id", CODE, aliases=("住院号",)),
        field_of("person_id", CODE),
        level_field(),
        field_of("day", DATE),
        field_of("total", MONEY, aliases=("医疗费用总额", "总费用")),
        field_of("referred", FLAG, flags=(("Y", True),)),
        field_of("rebate", MONEY, optional=True),
        field_of("fee", MONEY, default=5),
        field_of("note", TEXT, optional=True),
    )


def plan_of(fields: tuple[PlanInput, ...], *, sequence: bool = False) -> Plan:
    """A plan with these inputs and one output, `due`."""
    return Plan(
        rulebook="made-up", version="1", title=(), currency="CNY", decimals=2, rounding="half-up",
        effective_from=date(2020, 1, 1), effective_to=None, effective_by="day", file="made-up.yaml", digest="0" * 64,
        inputs=fields, requires=(), sequence=PlanSequence("person_id", ("day", "episode_id"), "") if sequence else None,
        windows=(), calls=(), parameters=(), tables=(), nodes=(), steps=(), shares=(), totals=(), guarantees=(),
        trends=(), outputs=("due",), sources=(), evidence=(("fictional", 1),),
    )  # fmt: skip


@dataclass(frozen=True)
class Computed:
    """What the stand-in gives."""

    values: pl.DataFrame
    decimals: Mapping[str, int]
    problems: tuple[tuple[int, Any], ...] = ()
    marked: frozenset[int] = field(default_factory=frozenset)
    affected: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    lists: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    list_decimals: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class Fault:
    """A problem of a computed row."""

    code: str
    field: str
    value: str
    message: str


class HalfDue:
    """`due` is half the total, rounded up; a total of 13.13 is refused. With a sequence: the running total of the person."""

    def __init__(self, *, sequence: bool = False) -> None:
        self.sequence = sequence

    def run(self, frame: pl.DataFrame, columns: tuple[str, ...], *, after_reject: str = "refuse") -> Computed:
        """The stand-in's results."""
        if self.sequence:
            good = frame.filter(~pl.col("__bad")).sort("person_id", "day", "episode_id")
            due = pl.col("total").cum_sum().over("person_id")
        else:
            good, due = frame, (pl.col("total") + 1) // 2
        unlucky = good.filter(pl.col("total") == 1313).get_column("__row").to_list()
        values = good.filter(pl.col("total") != 1313).select("__row", due.cast(pl.Int64).alias("due")).sort("__row")
        return Computed(
            values, {"due": 2}, tuple((row, Fault("RX721", "due", "", "refused by rule")) for row in unlucky)
        )
