"""What a rulebook declares, as the plan carries it: inputs, parameters, tables, windows.

Part of the plan (`plan/nodes.py`, from which everything here is imported).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import TypeAlias

from rxcalc.lang.ops import Op
from rxcalc.lang.types import Type

Words: TypeAlias = tuple[tuple[str, str], ...]
"""Pairs of language tag and text; the tag is "" when only one text is given."""

Value: TypeAlias = "int | Fraction | bool | str | date | frozenset[str] | tuple[Mapping[str, Value], ...] | None"
"""A value of the exact back end; carriers per type stand in `lang/types.py`. None is missing.

Among the inputs of an episode each list stands under its name as a tuple of rows, each a map of the
list's inputs; no other value is a tuple.
"""


@dataclass(frozen=True)
class Place:
    """Where something was written, for explanations."""

    file: str = ""
    line: int = 0


@dataclass(frozen=True)
class RoundTo:
    """Round to a multiple of `to` (in the value's unit: 1/100 for the fen) with `mode`."""

    to: Fraction
    mode: str


@dataclass(frozen=True)
class PlanSetValue:
    """A value of a `one_of` set with its spellings in data."""

    name: str
    aliases: tuple[str, ...]
    label: Words


@dataclass(frozen=True)
class PlanInput:
    """A declared input: type, bounds (inclusive, in the type's carrier; dates as dates), spellings."""

    name: str
    type: Type
    optional: bool
    default: Value
    low: int | Fraction | date | None
    high: int | Fraction | date | None
    decimals: int  # digits allowed after the point (money, number); percent: of the percentage figure
    values: tuple[PlanSetValue, ...]  # one_of
    flags: tuple[tuple[str, bool], ...]  # declared alias spellings of a flag
    drop_time: bool
    aliases: tuple[str, ...]
    label: Words
    names: tuple[tuple[str, str], ...]
    place: Place


@dataclass(frozen=True)
class Band:
    """A slice of a bands or cliff schedule up to `limit` (None: open; `inclusive`: `to:`, else `below:`)."""

    limit: Fraction | None
    inclusive: bool
    value: Fraction
    place: Place = field(default=Place(), compare=False)


@dataclass(frozen=True)
class Point:
    """A point of a curve."""

    at: Fraction
    value: Fraction
    place: Place = field(default=Place(), compare=False)


Schedule: TypeAlias = "tuple[Band, ...] | tuple[Point, ...]"


@dataclass(frozen=True)
class Limit:
    """How a limit of a schedule was computed: a constant (`value`), the value of a parameter, or an operation.

    Of PARAMETER `args` are the keys; of ADD `signs` says which are taken away.
    """

    op: Op
    args: tuple[Limit, ...] = ()
    value: int | Fraction | str | None = None
    parameter: str = ""
    signs: tuple[int, ...] = ()


@dataclass(frozen=True)
class Cell:
    """Where a value of a parameter stands.

    `reads` names the values of other parameters (with their keys) that the limits of a schedule were computed from, and
    `limits` how (None: open); both are empty where no limit reads a parameter. `by_hand`: the value is not the
    rulebook's (`plan/changed.py`).
    """

    place: Place
    reads: tuple[tuple[str, tuple[str, ...]], ...] = ()
    limits: tuple[Limit | None, ...] = ()
    by_hand: bool = False


@dataclass(frozen=True)
class Segment:
    """The values of a parameter from `start` until the next segment's start.

    One (keys, value) pair per combination of key values, in declared order; without keys the
    single pair has the empty tuple. A value is a scalar, a schedule, or None for `none`. `cells` say of
    each pair where it stands, `place` where the date stands.
    """

    start: date
    values: tuple[tuple[tuple[str, ...], object], ...]
    line: int
    cells: tuple[Cell, ...] = field(default=(), compare=False)
    place: Place = field(default=Place(), compare=False)


@dataclass(frozen=True)
class PlanParameter:
    """A dated parameter. `segments` ascend by start; `end` closes the last (inclusive)."""

    name: str
    type: Type
    keys: tuple[tuple[str, ...], ...]  # the values of each key's set
    segments: tuple[Segment, ...]
    end: date | None
    held: bool  # curve: outside its points the ends hold
    label: Words
    cite: Words  # pairs of source id and place
    status: str
    note: Words
    place: Place


@dataclass(frozen=True)
class PlanColumn:
    """A value column of a table."""

    name: str
    type: Type
    optional: bool
    label: Words


@dataclass(frozen=True)
class PlanRow:
    """A row of a table: keys in declared order (a range key's limit is last; None is open), validity, cells."""

    keys: tuple[object, ...]
    start: date | None
    end: date | None  # inclusive
    cells: tuple[object, ...]
    line: int


@dataclass(frozen=True)
class PlanTable:
    """A keyed table. `range_key` is "", `up_to` or `below` and then the last key is a range."""

    name: str
    keys: tuple[str, ...]
    key_types: tuple[Type, ...]
    range_key: str
    dated: bool
    columns: tuple[PlanColumn, ...]
    rows: tuple[PlanRow, ...]
    label: Words
    cite: Words
    status: str
    place: Place
    file: str = ""  # relative to the rulebook's folder


@dataclass(frozen=True)
class PlanWindow:
    """A window over the earlier rows of one sequence (episodes, or groups of one kind).

    `calendar` is "", year, quarter or month, of the date in `date` (an input, or a key of a group).
    `starting` is (month, day) of the insurance year's first day. `starting_input` names a date input
    that gives it. `same` are fields whose value must be equal and known.

    `rolling` is (12, "months"): date - 12 months < earlier date <= date; (60, "days"), (1, "years"). With
    `rolling_unit` month, quarter or year it is a number of whole calendar units up to and with this one.
    `gap` (length, unit) with the fields `gap_from`, `gap_to`: spells. `period` (length, unit): periods that
    start with an episode. With none of these, all earlier rows count (that are equal in `same`).
    """

    name: str
    calendar: str
    date: str
    starting: tuple[int, int]
    starting_input: str
    same: tuple[str, ...]
    place: Place
    rolling: tuple[int, str] = (0, "")
    rolling_unit: str = ""
    gap: tuple[int, str] = (0, "")
    gap_from: str = ""
    gap_to: str = ""
    period: tuple[int, str] = (0, "")
    level: str = ""  # "" episodes, else the group kind whose sequence it looks back in
