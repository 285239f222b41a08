"""Declarations of a rulebook as written. Equality ignores places."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from rxcalc.rulebook.bases import Base
from rxcalc.rulebook.document import Mapping, Node, Scalar
from rxcalc.source import Span
from rxcalc.syntax.tree import Expr, Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Ident:
    """A name where it was written."""

    name: str
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A text for readers: pairs of language tag and string; the tag is "" when only one string is given."""

    by_language: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cite:
    """`regs#36`: a source id of `sources:` and a place in it ("" for the whole)."""

    source: str
    place: str
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Meta:
    """What any declaration may carry: label, note, citations, evidence status, names in other systems."""

    label: Words | None = None
    note: Words | None = None
    cite: tuple[Cite, ...] = ()
    status: str | None = None  # sourced | illustrative | fictional
    names: tuple[tuple[str, str], ...] = ()


NO_META = Meta()


@dataclass(frozen=True, slots=True, kw_only=True)
class SetValue:
    """One value of a `one_of` set, with the spellings that data may use for it."""

    name: str
    aliases: tuple[str, ...] = ()
    label: Words | None = None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeSpec:
    """A type as written.

    `kind` is money, percent, number, count, date, days, months, years, flag, code, codes, text,
    `money per day`, `one_of`, `bands`, `cliff` or `curve`. For `one_of` either `values` or
    `set_name` (of `sets:`) is given. For schedules `value` and `over` are the kinds R and Q.
    """

    kind: str
    values: tuple[SetValue, ...] = ()
    set_name: Ident | None = None
    ordered: bool = False
    value: str | None = None
    over: str | None = None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SetDecl:
    """An entry of `sets:`; `type` has kind `one_of` with values."""

    name: Ident
    type: TypeSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceDecl:
    """An entry of `sources:`."""

    name: Ident
    title: Words
    date: Scalar | None = None
    status: str | None = None
    url: str | None = None
    note: Words | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InputDecl:
    """An entry of `inputs:`. `minimum`, `maximum` and `default` are read by the type later."""

    name: Ident
    type: TypeSpec
    optional: bool = False
    default: Scalar | None = None
    minimum: Scalar | None = None
    maximum: Scalar | None = None
    decimals: Scalar | None = None
    time: str | None = None  # `drop`: a time of day in a date cell is dropped
    aliases: tuple[str, ...] = ()
    meta: Meta = NO_META


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """`{that: c, say: text}` of `requires:`."""

    that: Expr
    say: Words | None
    meta: Meta = NO_META
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DatedValue:
    """One entry of a parameter's `values:`; `value` is read by the parameter's type later."""

    start: date
    value: Node
    span: Span = field(compare=False, repr=False)  # of the date key


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterDecl:
    """An entry of `parameters:`. `outside` is `hold` or None (curves)."""

    name: Ident
    type: TypeSpec
    by: tuple[Ident, ...] = ()
    values: tuple[DatedValue, ...]
    ends: Scalar | None = None
    outside: str | None = None
    meta: Meta = NO_META


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyColumn:
    """A key of a table; `match` is `exact`, `up_to` or `below`."""

    name: Ident
    match: str = "exact"


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnDecl:
    """A value column of a table."""

    name: Ident
    type: TypeSpec
    optional: bool = False
    decimals: Scalar | None = None
    meta: Meta = NO_META


@dataclass(frozen=True, slots=True, kw_only=True)
class TableDecl:
    """An entry of `tables:`; the CSV file itself is read by the typed stage."""

    name: Ident
    file: Scalar
    key: tuple[KeyColumn, ...]
    start: Ident | None = None  # `from:` column
    end: Ident | None = None  # `to:` column
    columns: tuple[ColumnDecl, ...]
    meta: Meta = NO_META


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceDecl:
    """`sequence:`."""

    by: Ident
    order: tuple[Ident, ...]
    reverses: Ident | None = None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Length:
    """`12 months`: a number of days, months or years; `unit` "" is a bare number."""

    number: int
    unit: str
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowDecl:
    """An entry of `windows:`; kinds combine as docs/language.md, Windows, says.

    `calendar` is year, quarter or month. `starting` is `07-01` or an input's name. `rolling` with a
    bare number counts calendar units, whose name is `unit`.
    """

    name: Ident
    calendar: str | None = None
    date: Ident | None = None
    starting: Scalar | None = None
    same: tuple[Ident, ...] = ()
    all: bool = False
    rolling: Length | None = None
    unit: str | None = None
    gap: Length | None = None
    gap_from: Ident | None = None
    gap_to: Ident | None = None
    period: Length | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundSpec:
    """`round:` of a step. `exact` is `round: none`; `to` and `mode` None take the rulebook's."""

    exact: bool = False
    to: Scalar | None = None
    mode: str | None = None
    parts: bool = False
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepDecl:
    """An entry of `steps:`; `type` None is inferred from the rule.

    `lazy`: an overlay has replaced it. It bears the name of the new step with `@base` behind it, stands right
    after that, and is what `base` means there: exact, and computed only where it is read.
    """

    name: Ident
    type: TypeSpec | None = None
    rule: Rule
    round: RoundSpec | None = None
    optional: bool = False
    lazy: bool = False
    meta: Meta = NO_META


@dataclass(frozen=True, slots=True, kw_only=True)
class PartDecl:
    """A part of a bearer's share; `value` None is `rest`. `name` is None when the bearer has one unnamed part."""

    name: Ident | None
    value: Expr | None
    reason: str | None = None
    x12: Ident | None = None
    may_be_negative: bool = False
    meta: Meta = NO_META
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class BearerDecl:
    """`fund:`, `patient:`, `hospital:`, `government:` or `other:` with its parts."""

    name: Ident
    parts: tuple[PartDecl, ...]
    meta: Meta = NO_META


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionDecl:
    """A named partition of an amount among bearers."""

    name: Ident
    of: Expr
    bearers: tuple[BearerDecl, ...]
    meta: Meta = NO_META


@dataclass(frozen=True, slots=True, kw_only=True)
class GuaranteeDecl:
    """A guarantee by `kind`.

    `compare`: `that` holds on every row. `increasing`: `what` never falls while `within` grows.
    `within`: `what` changes by at most the change of `within`.
    """

    kind: str
    that: Expr | None = None
    what: Expr | None = None
    within: Ident | None = None
    say: Words | None = None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageDecl:
    """An entry of `messages:`."""

    name: Ident
    text: Words


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectiveDecl:
    """`effective: {from, to, by}`; `to` None is open. `announced` is text for readers only."""

    start: date
    end: date | None
    by: Ident
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpreadDecl:
    """An entry of `spread:`: `what` of this level divided over the rows of `over` by their weight `by`."""

    name: Ident
    what: Expr
    over: Ident
    by: Expr
    meta: Meta = NO_META


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckDecl:
    """An entry of `checks:`; `severity` is info, warn or error."""

    name: Ident | None = None
    when: Expr
    say: Words | None
    severity: str = "warn"
    amount: Expr | None = None
    meta: Meta = NO_META
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListDecl:
    """`lines:`, or an entry of `lists:`. `required`: an episode without rows is refused."""

    name: Ident
    inputs: tuple[InputDecl, ...]
    order: tuple[Ident, ...] = ()
    required: bool = False
    requires: tuple[Condition, ...] = ()
    steps: tuple[StepDecl, ...] = ()
    checks: tuple[CheckDecl, ...] = ()
    guarantees: tuple[GuaranteeDecl, ...] = ()
    meta: Meta = NO_META


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyDecl:
    """A key of a group: an expression over the member."""

    name: Ident
    value: Expr


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupDecl:
    """An entry of `groups:`."""

    name: Ident
    of: Ident
    by: tuple[KeyDecl, ...]
    inputs: tuple[InputDecl, ...] = ()
    sequence: SequenceDecl | None = None
    windows: tuple[WindowDecl, ...] = ()
    effective: Expr | None = None
    requires: tuple[Condition, ...] = ()
    steps: tuple[StepDecl, ...] = ()
    spreads: tuple[SpreadDecl, ...] = ()
    shares: tuple[PartitionDecl, ...] = ()
    checks: tuple[CheckDecl, ...] = ()
    guarantees: tuple[GuaranteeDecl, ...] = ()
    meta: Meta = NO_META


@dataclass(frozen=True, slots=True, kw_only=True)
class RulebookDecl:
    """A whole rulebook as written. Sections not given are empty."""

    file: str  # display name of the file
    name: Ident
    title: Words | None
    version: str
    currency: str
    decimals: int
    rounding: str
    effective: EffectiveDecl
    status: str | None = None
    note: Words | None = None
    sources: tuple[SourceDecl, ...] = ()
    sets: tuple[SetDecl, ...] = ()
    inputs: tuple[InputDecl, ...] = ()
    requires: tuple[Condition, ...] = ()
    sequence: SequenceDecl | None = None
    windows: tuple[WindowDecl, ...] = ()
    parameters: tuple[ParameterDecl, ...] = ()
    tables: tuple[TableDecl, ...] = ()
    steps: tuple[StepDecl, ...] = ()
    shares: tuple[PartitionDecl, ...] = ()
    guarantees: tuple[GuaranteeDecl, ...] = ()
    outputs: tuple[Ident, ...] = ()
    messages: tuple[MessageDecl, ...] = ()
    bases: tuple[Base, ...] = ()  # what it is laid over, nearest first
    lists: tuple[ListDecl, ...] = ()  # `lines` first
    groups: tuple[GroupDecl, ...] = ()
    spreads: tuple[SpreadDecl, ...] = ()
    checks: tuple[CheckDecl, ...] = ()
    sample: Mapping | None = None  # hints for made-up data, read by `sampling/hints.py`; never meaning

    def base_at(self, span: Span) -> Base | None:
        """The base that a place lies in; None for the rulebook's own file."""
        return next((base for base in self.bases if base.shown == span.file), None)
