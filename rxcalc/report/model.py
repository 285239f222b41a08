"""The explanation of one episode as data: what every output format prints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from rxcalc.backends.base import Problem

Cites: TypeAlias = tuple[str, ...]


@dataclass(frozen=True)
class NotApplied:
    """A clause that did not decide, with its condition as written and with figures.

    `what` names it: its `because`, else what it asks for; `reason` says which part of the condition failed ("": only
    the figures tell).
    """

    condition: str
    figures: str
    because: str
    what: str = ""
    reason: str = ""


@dataclass(frozen=True)
class BandLine:
    """One band's part: figures ready to be redone. `exact` is the amount before it was rounded, "" where it was not."""

    low: str
    high: str
    length: str
    rate: str
    given: str  # the rate before mapping, "" when not mapped
    amount: str
    exact: str = ""


@dataclass(frozen=True)
class LimitLine:
    """How a limit of a schedule was computed from parameters: formula, figures, value."""

    formula: str
    figures: str
    value: str


@dataclass(frozen=True)
class BandsFigures:
    """The bands behind one schedule call, or the daily amounts behind `over_days`; `target` for bands_reach.

    `total` is what the parts add up to, `rounding` how each was rounded ("": it was not).
    """

    call: str
    lines: tuple[BandLine, ...]
    target: str
    total: str = ""
    rounding: str = ""
    limits: tuple[LimitLine, ...] = ()


@dataclass(frozen=True)
class Used:
    """A parameter or table cell that a step read. `by_hand`: the value is not the rulebook's."""

    name: str
    value: str
    since: str
    cite: Cites
    status: str
    by_hand: bool = False


@dataclass(frozen=True)
class SeenLine:
    """What an earlier episode (or one row of it) gave to a window call, "" where it was only counted; the day it has there."""

    episode: str
    day: str
    value: str


@dataclass(frozen=True)
class CallLine:
    """What a call over other rows saw.

    `rows` names those that met its condition, of many the first of `count`; `of` is their kind and `terms` what each of
    them gave. Where one decided `any` or `all`, it is the only one. `opening`: an opening amount is in it, `opened`.
    Of a window `seen` is what each earlier episode gave.
    """

    call: str
    function: str
    value: str
    of: str
    rows: tuple[str, ...]
    terms: tuple[str, ...]
    count: int
    opening: bool = False
    is_window: bool = False
    opened: str = ""
    seen: tuple[SeenLine, ...] = ()


@dataclass(frozen=True)
class GroupValue:
    """A value read from a group: `region_year[north, 2025].point_value`. `source` is computed, given, input or key.

    `members` counts those that a computed one comes from; `incomplete`: some of its group's members were refused.
    """

    name: str
    value: str
    source: str
    members: int = 0
    incomplete: bool = False


@dataclass(frozen=True)
class SpreadFigures:
    """A part received by largest remainder: `whole` x `weight` / `weights`; with the others of `parts` it makes up `whole`.

    `more`: one of the units left over went to it. `group` names the group that gave it. `working` is how `whole`
    came about, "" where it is a field by itself. `all_weights` are those of all rows that received, of many the first.
    """

    whole: str
    weight: str
    weights: str
    parts: int
    more: bool
    group: str = ""
    working: str = ""
    all_weights: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class StepLine:
    """One step as explained. `value` is plain (JSON), `shown` is for reading; `exact` only where it differs.

    A part received from a `spread:` is one too. `qualifier` names the keys for which the deciding value holds.
    """

    name: str
    label: str
    type: str
    value: str | None
    shown: str
    exact: str | None
    rounding: str
    clause: str
    clause_figures: str
    because: str
    formula: str
    figures: str
    bands: tuple[BandsFigures, ...]
    used: tuple[Used, ...]
    not_applied: tuple[NotApplied, ...]
    cite: Cites
    status: str
    note: str
    file: str
    line: int
    calls: tuple[CallLine, ...] = ()
    groups: tuple[GroupValue, ...] = ()
    spread: SpreadFigures | None = None
    qualifier: str = ""


@dataclass(frozen=True)
class ShareLine:
    """One part of a partition. `exact` and `rounding` only where the part was rounded."""

    partition: str
    bearer: str
    bearer_label: str
    part: str
    label: str
    amount: str
    shown: str
    reason: str
    formula: str
    figures: str
    cite: Cites
    exact: str = ""
    rounding: str = ""
    bands: tuple[BandsFigures, ...] = ()
    used: tuple[Used, ...] = ()
    calls: tuple[CallLine, ...] = ()
    groups: tuple[GroupValue, ...] = ()
    x12: str = ""  # group and reason code of X12, `PR-1`


@dataclass(frozen=True)
class PartitionLine:
    """A partition with the amount it divides; `whole` shows how that came about where it is not a field by itself."""

    name: str
    label: str
    of: str
    amount: str
    parts: tuple[ShareLine, ...]
    whole: ShareLine | None = None


@dataclass(frozen=True)
class WindowLine:
    """A window call: its value, the earlier episodes it saw, whether an opening amount stands in it, which is `opened`.

    `since` and `until` are the first and last day of a rolling window or a period; of a spell the first only. `seen`
    is what each episode gave.
    """

    call: str
    value: str
    episodes: tuple[str, ...]
    opening: bool
    since: str = ""
    until: str = ""
    function: str = ""
    opened: str = ""
    seen: tuple[SeenLine, ...] = ()


@dataclass(frozen=True)
class FieldLine:
    """A field of a list: `kind` is order, input or step; `is_money` and `is_number` say how it is written."""

    name: str
    label: str
    kind: str
    is_money: bool
    is_number: bool


@dataclass(frozen=True)
class RowLine:
    """A row of a list: `key` is its place, `inputs` by name (None: missing), the `steps` computed for it."""

    key: str
    inputs: tuple[tuple[str, str | None], ...]
    steps: tuple[StepLine, ...]


@dataclass(frozen=True)
class ListLine:
    """A list of the episode with its rows in their order."""

    name: str
    label: str
    order: tuple[str, ...]
    fields: tuple[FieldLine, ...]
    rows: tuple[RowLine, ...]


@dataclass(frozen=True)
class GroupLine:
    """A group: lines of the bill (`inside`), or one across bills that the bill read or received from.

    `members` names what it was computed from; one that was `given` was not computed and has `results` only.
    `rejected` counts the members that were refused.
    """

    kind: str
    label: str
    of: str
    inside: bool
    given: bool
    keys: tuple[tuple[str, str], ...]
    inputs: tuple[tuple[str, str, str], ...]  # name, label, value
    members: tuple[str, ...]
    rejected: int
    steps: tuple[StepLine, ...]
    results: tuple[tuple[str, str], ...] = ()
    shares: tuple[PartitionLine, ...] = ()


@dataclass(frozen=True)
class CheckLine:
    """A finding of `checks:`. `name` is the check's, or its number. `row` says on which row of `level` (order or keys by name); none for the bill itself."""

    name: str
    level: str
    row: tuple[tuple[str, str], ...]
    severity: str
    say: str
    condition: str
    figures: str
    amount: str | None
    shown: str
    amount_formula: str
    amount_figures: str
    file: str
    line: int
    exact: str = ""
    rounding: str = ""
    bands: tuple[BandsFigures, ...] = ()
    used: tuple[Used, ...] = ()
    calls: tuple[CallLine, ...] = ()
    groups: tuple[GroupValue, ...] = ()


@dataclass(frozen=True)
class RulesLine:
    """A rulebook whose rules were used, with its version; `file` is what places in it say."""

    rulebook: str
    version: str
    file: str


@dataclass(frozen=True)
class Explanation:
    """Everything known about one episode's result. A refused episode has a `problem` and the steps before it.

    `reverses` is the id of the episode whose negated results these are; `affected` are the episodes computed
    between, which keep their amounts.
    """

    rulebook: str
    version: str
    title: str
    digest: str
    status: str  # the weakest evidence: fictional, illustrative, sourced or ""
    currency: str
    episode: tuple[tuple[str, str, str], ...]  # name, label, value
    steps: tuple[StepLine, ...]
    shares: tuple[PartitionLine, ...]
    totals: tuple[tuple[str, str], ...]
    outputs: tuple[tuple[str, str], ...]
    windows: tuple[WindowLine, ...]
    assumptions: tuple[str, ...]
    sources: tuple[tuple[str, str, str], ...]  # id, title, status
    problem: Problem | None
    defaulted: tuple[str, ...]
    set_by_hand: tuple[str, ...] = ()  # inputs given by --set
    bases: tuple[str, ...] = ()  # the files that the rulebook is laid over, nearest first
    reverses: str = ""
    affected: tuple[str, ...] = ()
    lists: tuple[ListLine, ...] = ()
    groups: tuple[GroupLine, ...] = ()
    checks: tuple[CheckLine, ...] = ()
    incomplete: tuple[str, ...] = ()  # kinds of groups read that lost a member
    rules: tuple[RulesLine, ...] = ()  # the rulebook itself, then those it is laid over, nearest first

    @property
    def complains(self) -> bool:
        """Whether something is wrong with the bill: refused, read from an incomplete group, or a finding that is an error."""
        return self.problem is not None or bool(self.incomplete) or any(c.severity == "error" for c in self.checks)
