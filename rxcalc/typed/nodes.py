"""The rulebook as meant: every expression has a type, every name is resolved, missing values are proven handled."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import TypeAlias

from rxcalc.lang.ops import Op
from rxcalc.lang.types import Type
from rxcalc.source import NOWHERE, Span
from rxcalc.syntax import nodes as syn


@dataclass(frozen=True, slots=True)
class TExpr:
    """An operation with typed operands. `data` per `Op` as in lang/ops.py, names still symbolic.

    `missing`: the value may be missing. `syntax` is what was written (by identity the place for
    figures). `level` is the level of the row that it is evaluated on.
    """

    op: Op
    args: tuple[TExpr, ...]
    type: Type
    span: Span = field(compare=False, repr=False)
    syntax: syn.Expr = field(compare=False, repr=False)
    data: object = None
    missing: bool = False
    level: str = ""


@dataclass(frozen=True, slots=True)
class ParameterUse:
    """Data of PARAMETER and schedule ops before lowering."""

    parameter: str
    keys: int
    at: bool


@dataclass(frozen=True, slots=True)
class CellUse:
    """Data of CELL and HAS_ROW before lowering."""

    table: str
    column: str
    keys: int
    at: bool


@dataclass(frozen=True, slots=True)
class ScheduleUse:
    """Data of the schedule ops; the last argument is the lambda body when `local` is set."""

    parameter: str
    keys: int
    at: bool
    local: str | None


@dataclass(frozen=True, slots=True)
class WindowUse:
    """Data of WINDOW; args are [value] [where]."""

    window: str
    function: str
    has_value: bool
    has_where: bool
    distinct: bool
    key: str
    kind: str = "window"  # window above rows, as in PlanCall
    of: str = ""
    inner: str = ""
    element: str = ""


@dataclass(frozen=True, slots=True)
class TClause:
    """`when` None: always. `then` None: reject."""

    when: TExpr | None
    then: TExpr | None
    because: syn.Words | None
    because_name: str
    span: Span
    syntax: syn.Clause


@dataclass(frozen=True, slots=True)
class Rounding:
    """How a step's value is rounded; None on a step keeps it exact."""

    to: Fraction
    mode: str
    parts: bool


@dataclass(frozen=True, slots=True)
class TInput:
    """A checked input."""

    name: str
    type: Type
    optional: bool
    default: object
    low: object
    high: object
    decimals: int
    decl: syn.InputDecl
    values: tuple[syn.SetValue, ...]


@dataclass(frozen=True, slots=True)
class TBand:
    """A slice; limit None is open."""

    limit: Fraction | None
    inclusive: bool
    value: Fraction
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class TPoint:
    """A point of a curve."""

    at: Fraction
    value: Fraction
    span: Span = field(default=NOWHERE, compare=False, repr=False)


Schedule: TypeAlias = "tuple[TBand, ...] | tuple[TPoint, ...]"


@dataclass(frozen=True, slots=True)
class TCell:
    """Where a value of a parameter stands, and which values of other parameters (with keys) its limits read.

    `limits` are the expressions of a schedule's limits (None: open), where any of them reads a parameter.
    """

    span: Span
    reads: tuple[tuple[str, tuple[str, ...]], ...] = ()
    limits: tuple[TExpr | None, ...] = ()


@dataclass(frozen=True, slots=True)
class TSegment:
    """Values from `start` on, one per combination of keys; a cell for each."""

    start: date
    values: tuple[tuple[tuple[str, ...], object], ...]
    span: Span
    cells: tuple[TCell, ...] = ()


@dataclass(frozen=True, slots=True)
class TParameter:
    """A checked parameter."""

    name: str
    type: Type
    keys: tuple[tuple[str, ...], ...]
    segments: tuple[TSegment, ...]
    end: date | None
    held: bool
    decl: syn.ParameterDecl

    @property
    def may_be_none(self) -> bool:
        """Whether some value is `none`."""
        return any(value is None for segment in self.segments for _, value in segment.values)


@dataclass(frozen=True, slots=True)
class TColumn:
    """A checked value column; cells have at most `decimals` digits after the point (None: no limit)."""

    name: str
    type: Type
    optional: bool
    decl: syn.ColumnDecl
    decimals: int | None = None


@dataclass(frozen=True, slots=True)
class TRow:
    """A row of a table."""

    keys: tuple[object, ...]
    start: date | None
    end: date | None
    cells: tuple[object, ...]
    line: int


@dataclass(frozen=True, slots=True)
class TTable:
    """A checked table."""

    name: str
    key_types: tuple[Type, ...]
    range_key: str
    dated: bool
    columns: tuple[TColumn, ...]
    rows: tuple[TRow, ...]
    decl: syn.TableDecl


@dataclass(frozen=True, slots=True)
class TStep:
    """A checked step."""

    name: str
    type: Type
    clauses: tuple[TClause, ...]
    rounding: Rounding | None
    optional: bool
    decl: syn.StepDecl
    values: tuple[syn.SetValue, ...]

    @property
    def lazy(self) -> bool:
        """Whether it is computed only where it is read, as `base`."""
        return self.decl.lazy


@dataclass(frozen=True, slots=True)
class TPart:
    """A part of a partition; `value` None is `rest`."""

    bearer: str
    part: str
    value: TExpr | None
    decl: syn.PartDecl
    bearer_decl: syn.BearerDecl


@dataclass(frozen=True, slots=True)
class TPartition:
    """A checked partition."""

    name: str
    of: TExpr
    parts: tuple[TPart, ...]
    decl: syn.PartitionDecl


@dataclass(frozen=True, slots=True)
class TCondition:
    """A checked `requires` or comparison guarantee."""

    that: TExpr
    say: syn.Words | None
    span: Span


@dataclass(frozen=True, slots=True)
class TTrend:
    """A checked `increasing` or `within`."""

    kind: str
    what: TExpr
    within: str
    span: Span


@dataclass(frozen=True, slots=True)
class TCheck:
    """A checked `checks:` entry of a level."""

    level: str
    when: TExpr
    amount: TExpr | None
    decl: syn.CheckDecl


@dataclass(frozen=True, slots=True)
class TSpread:
    """A checked spread from a row of `source` over its rows of `target`."""

    name: str
    source: str
    target: str
    what: TExpr
    by: TExpr
    decl: syn.SpreadDecl


@dataclass(frozen=True, slots=True)
class TList:
    """A checked list."""

    name: str
    inputs: tuple[TInput, ...]
    requires: tuple[TCondition, ...]
    steps: tuple[TStep, ...]
    guarantees: tuple[TCondition, ...]
    decl: syn.ListDecl


@dataclass(frozen=True, slots=True)
class TKey:
    """A checked key of a group."""

    name: str
    value: TExpr


@dataclass(frozen=True, slots=True)
class TGroup:
    """A checked kind of groups; `of` is the level of its members ("" for episodes)."""

    name: str
    of: str
    in_bill: bool
    keys: tuple[TKey, ...]
    inputs: tuple[TInput, ...]
    effective: TExpr | None
    requires: tuple[TCondition, ...]
    steps: tuple[TStep, ...]
    shares: tuple[TPartition, ...]
    totals: tuple[str, ...]
    guarantees: tuple[TCondition, ...]
    decl: syn.GroupDecl


@dataclass(frozen=True, slots=True)
class TBlock:
    """Results computed together; as `PlanBlock`."""

    phase: int
    through: str
    items: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class TypedRulebook:
    """A checked rulebook; `steps` of each level are in evaluation order, `blocks` say the order over all levels."""

    decl: syn.RulebookDecl
    inputs: tuple[TInput, ...]
    parameters: tuple[TParameter, ...]
    tables: tuple[TTable, ...]
    requires: tuple[TCondition, ...]
    steps: tuple[TStep, ...]
    shares: tuple[TPartition, ...]
    totals: tuple[str, ...]
    guarantees: tuple[TCondition, ...]
    trends: tuple[TTrend, ...]
    outputs: tuple[str, ...]
    lists: tuple[TList, ...] = ()
    groups: tuple[TGroup, ...] = ()
    spreads: tuple[TSpread, ...] = ()
    checks: tuple[TCheck, ...] = ()
    blocks: tuple[TBlock, ...] = ()
