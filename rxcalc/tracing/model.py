"""What an evaluation with a recorder leaves behind: values at the places formulas need, clauses taken, bands walked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import TypeAlias

from rxcalc.plan.nodes import Value
from rxcalc.tracing.hits import Hit

GroupKey: TypeAlias = tuple[str, tuple[Value, ...]]
"""The kind and the keys of a group."""


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
    """A window call: its value and the episode ids of the earlier episodes it saw; `opening`: an opening amount is in it.

    `days` are the first and the last day of a rolling window or a period, both in it; of a spell the last is None.
    `terms` are what was found, each with the id of its episode and the day it has there; `opened` is the opening amount.
    """

    key: str
    value: Value
    episodes: tuple[str, ...]
    opening: bool
    days: tuple[date, date | None] | None = None
    terms: tuple[tuple[str, Value, Value], ...] = ()
    opened: Value = None


@dataclass(frozen=True)
class StepTrace:
    """One step: `clause` decided (index), `exact` before rounding, `value` after."""

    name: str
    clause: int
    exact: Value
    value: Value


@dataclass(frozen=True)
class RowsTrace:
    """A call over rows of the bill or members of a group: its value, the rows that met its condition, and what each gave.

    `count` rows met it; of many only the first are named. Where one row decides `any` or `all`, it alone is
    named. `count` without a value has no `values`.
    """

    key: str
    rows: str
    value: Value
    seen: tuple[str, ...]
    values: tuple[Value, ...] = ()
    count: int = 0


@dataclass(frozen=True)
class SpreadTrace:
    """A part received: `amount` x `weight` / `total` is `exact`; by largest remainder it became `part`.

    `parts` counts those that were given; `group` says which group gave them. `weights` are those of all rows that
    received, in order, of many the first.
    """

    amount: Fraction
    weight: Fraction
    total: Fraction
    exact: Fraction
    part: Fraction
    parts: int = 1
    group: GroupKey | None = None
    weights: tuple[tuple[str, Fraction], ...] = ()


@dataclass(frozen=True)
class GroupTrace:
    """A group across bills that a bill read or received from, as it was in the end.

    `members` names those that it was computed from; `rejected` counts the refused ones. One that was `given` was
    not computed. `findings` are indexes of the checks found on it, with their amounts.
    """

    inputs: Mapping[str, Value]
    steps: Mapping[str, Value]
    shares: Mapping[str, Fraction]
    given: bool
    members: tuple[str, ...]
    rejected: int
    on: date
    recorder: Recorder | None
    findings: tuple[tuple[int, Fraction | None], ...] = ()


@dataclass(slots=True)
class Recorder:
    """Collects while a row is evaluated. `nodes` maps plan nodes to the value last seen there.

    `assumed` are the window calls read for which an opening amount could have been given and was not.
    Of an episode `rows` holds a recorder for every row of its lists and line groups, by level and number, and
    `groups` the groups across bills behind its results. `reads` says which group a node read; `members` of a
    line group names its lines. `hits` is what the row used of the rulebook, where the evaluator watches for it.
    """

    nodes: dict[int, Value] = field(default_factory=dict)
    bands: dict[int, BandsTrace] = field(default_factory=dict)
    steps: list[StepTrace] = field(default_factory=list)
    windows: dict[int, WindowTrace] = field(default_factory=dict)
    assumed: list[str] = field(default_factory=list)
    calls: dict[int, RowsTrace] = field(default_factory=dict)
    spreads: dict[str, SpreadTrace] = field(default_factory=dict)
    rows: dict[tuple[str, int], Recorder] = field(default_factory=dict)
    groups: dict[GroupKey, GroupTrace] = field(default_factory=dict)
    reads: dict[int, GroupKey] = field(default_factory=dict)
    members: tuple[str, ...] = ()
    hits: set[Hit] = field(default_factory=set)
