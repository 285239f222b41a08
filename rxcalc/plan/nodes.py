"""The plan: what both back ends run, and what explanations are printed from.

Everything a run needs is inside it; no pass after lowering looks at a rulebook file again
(tables travel as rows). All records are frozen and made of strings, whole numbers, Fractions,
dates and tuples, so that a plan can be written as JSON and read back (`plan/codec.py`).

The classes have no slots: Python makes a class with slots twice, which every start would pay for.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import TypeAlias

from rxcalc.lang.ops import Op
from rxcalc.lang.types import Type

Words: TypeAlias = tuple[tuple[str, str], ...]
"""Pairs of language tag and text; the tag is "" when only one text is given."""

Value: TypeAlias = "int | Fraction | bool | str | date | frozenset[str] | None"
"""A value of the exact back end; carriers per type stand in `lang/types.py`. None is missing."""


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
class ParameterRef:
    """Operand of PARAMETER: `keys` arguments come first, then the date if `at`."""

    parameter: str
    keys: int
    at: bool


@dataclass(frozen=True)
class CellRef:
    """Operand of CELL and HAS_ROW."""

    table: str
    column: str
    keys: int
    at: bool


@dataclass(frozen=True)
class ScheduleRef:
    """Operand of the schedule operations.

    `local` names the mapped rate in `body` (None: rates are used as they stand). `parts` rounds
    each band's part (`round: {.., parts: yes}`). `held` says that mapped rates must stay within 0..1.
    """

    parameter: str
    keys: int
    at: bool
    local: str | None = None
    parts: RoundTo | None = None
    held: bool = False


@dataclass(frozen=True)
class PlanNode:
    """One operation. `args` are indexes of earlier nodes of the plan.

    For numeric types and dates (as ordinals) `low`..`high` is a proven range of the exact value
    whenever the node is evaluated (None: no bound). `scale` is a positive whole number such that
    value x scale is whole on every row, or 0 when no such number is proven (a quotient by a
    variable). `missing` says whether the value may be missing. `body` marks nodes that stand inside
    the lambda of a schedule operation, hence have no value of their own; `earlier` marks those that
    stand inside a window call and are evaluated with an earlier episode.
    """

    op: Op
    args: tuple[int, ...]
    type: Type
    data: object = None
    low: Fraction | None = None
    high: Fraction | None = None
    scale: int = 0
    missing: bool = False
    body: bool = False
    earlier: bool = False
    place: Place = Place()
    text: str = ""  # canonical text of the expression, for messages and figures


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


@dataclass(frozen=True)
class Point:
    """A point of a curve."""

    at: Fraction
    value: Fraction


Schedule: TypeAlias = "tuple[Band, ...] | tuple[Point, ...]"


@dataclass(frozen=True)
class Segment:
    """The values of a parameter from `start` until the next segment's start.

    One (keys, value) pair per combination of key values, in declared order; without keys the
    single pair has the empty tuple. A value is a scalar, a schedule, or None for `none`.
    """

    start: date
    values: tuple[tuple[tuple[str, ...], object], ...]
    line: int


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
    """A window over earlier episodes of one sequence.

    `calendar` is "", year, quarter or month, of the date in `date` (an input). `starting` is
    (month, day) of the insurance year's first day. `starting_input` names a date input that gives it.
    `same` are inputs whose value must be equal and known. With neither, all earlier episodes count.
    """

    name: str
    calendar: str
    date: str
    starting: tuple[int, int]
    starting_input: str
    same: tuple[str, ...]
    place: Place


@dataclass(frozen=True)
class PlanWindowCall:
    """One `w.fn(value where condition)`.

    `value` and `where` are node indexes (-1: none) of expressions in which EARLIER nodes read the
    earlier episode and all other nodes this one. `correlated` says whether `where` or `value` reads
    this episode at all. `key` is the canonical text, as in `so_far:`.
    """

    window: str
    function: str  # sum count first last min max
    value: int
    where: int
    distinct: bool
    correlated: bool
    key: str
    type: Type
    place: Place


@dataclass(frozen=True)
class PlanSequence:
    """Episodes of one `by` are taken in `order`, whose last field is the episode id. All are inputs."""

    by: str
    order: tuple[str, ...]
    reverses: str


@dataclass(frozen=True)
class Formula:
    """An expression as text with holes: strings, and node indexes whose text or figure stands there.

    `names` holds, for each part, the text shown in the formula; for figures the node's value is
    printed in place of the parts that are whole numbers.
    """

    parts: tuple[str | int, ...]
    names: tuple[str, ...]


@dataclass(frozen=True)
class PlanClause:
    """`when` -1: holds always. `then` -1: the episode is rejected."""

    when: int
    then: int
    because: Words
    because_name: str
    condition: Formula | None
    formula: Formula | None
    place: Place


@dataclass(frozen=True)
class PlanStep:
    """A step: the first clause whose condition holds gives the value, which is then rounded.

    `rounding` None keeps the exact value. `low`..`high`, `scale` describe the value after
    rounding; see `PlanNode`.
    """

    name: str
    type: Type
    clauses: tuple[PlanClause, ...]
    rounding: RoundTo | None
    optional: bool
    low: Fraction | None
    high: Fraction | None
    scale: int
    values: tuple[PlanSetValue, ...]
    label: Words
    note: Words
    cite: Words
    status: str
    names: tuple[tuple[str, str], ...]
    place: Place


@dataclass(frozen=True)
class PlanPart:
    """A part of a partition; `value` -1 is `rest`."""

    bearer: str
    part: str  # "" when the bearer has one unnamed part
    value: int
    formula: Formula | None
    reason: str
    may_be_negative: bool
    label: Words
    bearer_label: Words
    cite: Words
    place: Place


@dataclass(frozen=True)
class PlanPartition:
    """A partition: parts are rounded to the minor unit and add up to `of`, which is rounded too."""

    name: str
    of: int
    of_formula: Formula
    parts: tuple[PlanPart, ...]
    label: Words
    place: Place


def share_name(index: int, partition: str, bearer: str, part: str) -> str:
    """The name of a part: `patient.deductible`, `fund` when unnamed, `partition.fund` in all partitions but the first."""
    name = f"{bearer}.{part}" if part else bearer
    return name if index == 0 else f"{partition}.{name}"


def share_names(plan: Plan) -> tuple[str, ...]:
    """The names of all parts, in order, then the automatic totals."""
    names = [share_name(at, p.name, part.bearer, part.part) for at, p in enumerate(plan.shares) for part in p.parts]
    return (*names, *plan.totals)


def weakest_evidence(plan: Plan) -> str:
    """The weakest evidence that any value of the rulebook has: fictional, illustrative, unmarked or sourced."""
    counts = dict(plan.evidence)
    return next((status for status in ("fictional", "illustrative", "unmarked") if counts.get(status)), "sourced")


@dataclass(frozen=True)
class PlanCondition:
    """A `requires:` or a comparison guarantee: a flag node that must hold."""

    that: int
    formula: Formula
    say: Words
    place: Place


@dataclass(frozen=True)
class PlanTrend:
    """`increasing` or `within` guarantee: tested by `test`, not per row. `what` is a step, `within` an input."""

    kind: str
    what: int
    within: str
    text: str
    place: Place


@dataclass(frozen=True)
class PlanSource:
    """A cited document."""

    name: str
    title: Words
    date: str
    status: str


@dataclass(frozen=True)
class Plan:
    """A compiled rulebook.

    `steps` stand in evaluation order; `nodes` in an order where arguments come first.
    `evidence` counts values by status (sourced, illustrative, fictional, unmarked).
    `requires` run before the steps; `shares` after them, in order; then `guarantees`.
    """

    rulebook: str
    version: str
    title: Words
    currency: str
    decimals: int
    rounding: str
    effective_from: date
    effective_to: date | None
    effective_by: str
    file: str
    digest: str
    inputs: tuple[PlanInput, ...]
    requires: tuple[PlanCondition, ...]
    sequence: PlanSequence | None
    windows: tuple[PlanWindow, ...]
    window_calls: tuple[PlanWindowCall, ...]
    parameters: tuple[PlanParameter, ...]
    tables: tuple[PlanTable, ...]
    nodes: tuple[PlanNode, ...]
    steps: tuple[PlanStep, ...]
    shares: tuple[PlanPartition, ...]
    totals: tuple[str, ...]  # automatic totals `<bearer>_pays` of the first partition, by name
    guarantees: tuple[PlanCondition, ...]
    trends: tuple[PlanTrend, ...]
    outputs: tuple[str, ...]  # steps, totals `fund_pays`, or parts `patient.deductible`
    sources: tuple[PlanSource, ...]
    evidence: tuple[tuple[str, int], ...]
