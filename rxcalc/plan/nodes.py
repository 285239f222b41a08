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

from rxcalc.lang.ops import Op
from rxcalc.lang.types import Type
from rxcalc.plan.declared import (
    Band,
    Cell,
    Limit,
    Place,
    PlanColumn,
    PlanInput,
    PlanParameter,
    PlanRow,
    PlanSetValue,
    PlanTable,
    PlanWindow,
    Point,
    RoundTo,
    Schedule,
    Segment,
    Value,
    Words,
)

__all__ = [
    "Band", "Cell", "CellRef", "Formula", "Limit", "ParameterRef", "Place", "Plan", "PlanBase", "PlanBlock", "PlanCall", "PlanCheck",
    "PlanClause", "PlanColumn", "PlanCondition", "PlanGroup", "PlanInput", "PlanKey", "PlanList", "PlanNode",
    "PlanParameter", "PlanPart", "PlanPartition", "PlanRow", "PlanSequence", "PlanSetValue", "PlanSource",
    "PlanSpread", "PlanStep", "PlanTable", "PlanTrend", "PlanWindow", "Point", "RoundTo", "Schedule", "ScheduleRef",
    "Segment", "Value", "Words", "evaluation_order", "share_name", "share_names", "weakest_evidence",
]  # fmt: skip


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
    place: Place = Place()  # noqa: RUF009 - frozen, so one for all
    text: str = ""  # canonical text of the expression, for messages and figures
    level: str = ""  # the level of the rows that it is evaluated on: "" the episode, else a list's or group's name


@dataclass(frozen=True)
class PlanCall:
    """One aggregate: `w.sum(value where condition)`, `sum(lines.amount where ..)`, `above.sum(pays)`, `rank(..)`.

    `level` is where the call stands. `kind` says which rows it goes over:

    - `window`: earlier rows of the sequence, by the window `of`; with `inner` the rows of that list of
      those earlier episodes (`w.lines.x`);
    - `above`: the rows of the same list before this one, in the list's order;
    - `rows`: all rows of the list `of` of this bill (also from one of its rows: the siblings, itself
      included); the members of a group (`of` is `episodes`, a list or a group kind); the line groups of
      kind `of` of this bill.

    `element` is the level of the rows gone over. `value` and `where` are node indexes (-1: none) of
    expressions in which EARLIER nodes read the other row and all other nodes this one. `correlated`
    says whether `where` or `value` reads this row at all. `key` is the canonical text, as in `so_far:`.

    `function`: sum count first last min max any all rank. `any` and `all` test `value`, a flag. `rank` is 1 +
    the rows that meet `where` and stand before this one (larger value, or equal and earlier in order).
    """

    window: str  # what messages and `so_far` call the rows: the window's name, `above`, `lines`, ..
    function: str
    value: int
    where: int
    distinct: bool
    correlated: bool
    key: str
    type: Type
    place: Place
    level: str = ""
    kind: str = "window"
    of: str = ""  # the window, list or group kind
    inner: str = ""
    element: str = ""


@dataclass(frozen=True)
class PlanSequence:
    """Episodes of one `by` are taken in `order`, whose last field is the episode id. All are inputs.

    Groups of one `by` (a key) are taken in `order` (keys), which together make out the group.
    """

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
    lazy: bool = False  # computed only where it is read: the rule that an overlay's `base` stands for
    table: bool = False  # its clauses are the rows of a decision table


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
    names: tuple[tuple[str, str], ...] = ()
    bearer_names: tuple[tuple[str, str], ...] = ()
    x12: str = ""  # group and reason code, `PR-1`


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
class PlanCheck:
    """A finding on a bill (`checks:`): holds when `when` does. A missing row or value means no finding.

    `amount` -1: none. `level` is the level that it looks at: every row of it may have the finding. One without
    a name is called by its number among all checks, from 1.
    """

    level: str
    when: int
    amount: int
    severity: str  # info warn error
    say: Words
    formula: Formula
    amount_formula: Formula | None
    place: Place
    name: str


@dataclass(frozen=True)
class PlanSpread:
    """`what` of a row of `source`, divided among its rows of `target` by their weight `by`.

    By largest remainder, to the minor unit; ties go by the order of the target. The parts are the field
    `name` of the target level. `source` is "" (the episode) or a group kind; `target` a list of the
    episode, or what the group is of ("" for episodes).
    """

    name: str
    source: str
    target: str
    what: int  # a node of the source level
    by: int  # a node of the target level
    formula: Formula
    by_formula: Formula
    low: Fraction | None
    high: Fraction | None
    scale: int
    label: Words
    cite: Words
    place: Place


@dataclass(frozen=True)
class PlanList:
    """A list of the episode: `lines`, or one of `lists:`. Its rows are taken by `order` (inputs; unique in a bill)."""

    name: str
    inputs: tuple[PlanInput, ...]
    order: tuple[str, ...]
    required: bool  # an episode without rows is refused
    requires: tuple[PlanCondition, ...]
    steps: tuple[PlanStep, ...]
    guarantees: tuple[PlanCondition, ...]
    label: Words
    place: Place


@dataclass(frozen=True)
class PlanKey:
    """A key of a group: the value of `node` (of the member's level) that members share. Read as an input of the group."""

    name: str
    node: int
    type: Type
    missing: bool  # a member without it is in no group of the kind


@dataclass(frozen=True)
class PlanGroup:
    """A kind of groups `of` episodes (""), a list, or another kind of groups.

    A group of a list's rows lies inside one bill. `effective` is a date node of the group (-1: line
    groups, which have the episode's date, and groups that use no dated parameter). Its inputs come from
    a file with one row a group; a group without row has them missing.
    """

    name: str
    of: str
    keys: tuple[PlanKey, ...]
    inputs: tuple[PlanInput, ...]
    sequence: PlanSequence | None
    effective: int
    requires: tuple[PlanCondition, ...]
    steps: tuple[PlanStep, ...]
    shares: tuple[PlanPartition, ...]
    totals: tuple[str, ...]
    guarantees: tuple[PlanCondition, ...]
    label: Words
    place: Place
    inside: str = ""  # "bill" when it lies inside one bill


@dataclass(frozen=True)
class PlanBlock:
    """Results computed together, in this order, for every row of their levels.

    An item is (level, name): a step, a spread received (`name` of the receiving level), `shares:NAME`,
    `requires:N` or `guarantee:N`.

    `through` "": item after item, each for all its rows. A list's name: row after row in the list's order,
    every row with all items, because they read `above`. A group kind's name: group after group in its
    sequence's order, each with its members, because the items read earlier groups.

    `phase`: blocks of the episode, its lists and line groups of phase 0 are computed first, for all
    episodes; then blocks of groups of phase 0; then phase 1, which may read those groups; and so on.
    """

    phase: int
    through: str
    items: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class PlanSource:
    """A cited document."""

    name: str
    title: Words
    date: str
    status: str


@dataclass(frozen=True)
class PlanBase:
    """A rulebook that this one is laid over, by its path; `named` is what `extends:` says in `owner` ("": this one).

    `shown` is what places in it call the file.
    """

    file: str
    named: str
    owner: str
    rulebook: str = ""
    version: str = ""
    shown: str = ""


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
    calls: tuple[PlanCall, ...]
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
    lists: tuple[PlanList, ...] = ()
    groups: tuple[PlanGroup, ...] = ()
    spreads: tuple[PlanSpread, ...] = ()
    checks: tuple[PlanCheck, ...] = ()
    blocks: tuple[PlanBlock, ...] = ()
    bases: tuple[PlanBase, ...] = ()  # nearest first
    files: tuple[str, ...] = ()  # what else was read: bases and tables, from the rulebook's folder


def evaluation_order(plan: Plan) -> tuple[PlanBlock, ...]:
    """The plan's blocks; without any, everything of the episode in the order in which it stands."""
    if plan.blocks:
        return plan.blocks
    items = [f"requires:{n}" for n in range(len(plan.requires))]
    items += [s.name for s in plan.steps]
    items += [f"shares:{p.name}" for p in plan.shares]
    items += [f"guarantee:{n}" for n in range(len(plan.guarantees))]
    return (PlanBlock(0, "", tuple(("", item) for item in items)),)
