"""What an evaluation with a recorder leaves behind: values at the places formulas need, clauses taken, bands walked."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from rxcalc.plan.nodes import Value


@dataclass(frozen=True)
class BandPart:
    """One band that a schedule operation used.

    `index` counts from 1; `low`..`high` is the part of the range in it; `amount` = (high - low) x `mapped`,
    rounded when parts are.
    """

    index: int
    low: Fraction
    high: Fraction
    rate: Fraction
    mapped: Fraction
    amount: Fraction


@dataclass(frozen=True)
class BandsTrace:
    """The bands walked by one schedule operation, and for `bands_reach` where it stopped."""

    parts: tuple[BandPart, ...]
    start: Fraction
    end: Fraction
    target: Fraction | None = None


@dataclass(frozen=True)
class WindowTrace:
    """A window call: its value and the episode ids of the earlier episodes it saw (None: given as an opening amount)."""

    key: str
    value: Value
    episodes: tuple[str, ...]
    opening: bool


@dataclass(frozen=True)
class StepTrace:
    """One step: `clause` decided (index), `exact` before rounding, `value` after."""

    name: str
    clause: int
    exact: Value
    value: Value


@dataclass(slots=True)
class Recorder:
    """Collects while an episode is evaluated. `nodes` maps plan nodes to the value last seen there."""

    nodes: dict[int, Value] = field(default_factory=dict)
    bands: dict[int, BandsTrace] = field(default_factory=dict)
    steps: list[StepTrace] = field(default_factory=list)
    windows: dict[int, WindowTrace] = field(default_factory=dict)
