"""Expressions and clauses as written, with their places.

Equality ignores places, so that reparsing the canonical text gives an equal tree.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import TypeAlias

from rxcalc.source import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """Something written in the policy language."""

    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Number(Expression):
    """`1.25`, `30_000`; `decimals` counts the digits after the point."""

    value: Fraction
    decimals: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Money(Expression):
    """`¥1_300`, `CNY 5`; `sign` is as written. `per` is `day` in `¥419 per day`."""

    sign: str
    value: Fraction
    decimals: int
    per: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Percent(Expression):
    """`85%`; `value` is 85/100."""

    value: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Duration(Expression):
    """`60 days`; `unit` is days, months or years (the singular is read as the plural)."""

    value: Fraction
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DateLiteral(Expression):
    """`2025-07-01`."""

    value: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag(Expression):
    """`yes` or `no`."""

    value: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Text(Expression):
    """`"A01.0"`."""

    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Name(Expression):
    """A bare word: a name, or a value of the set expected there."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Member(Expression):
    """`this_year.level`, `drg[code].price`."""

    of: Expr
    name: str
    name_span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Index(Expression):
    """`deductible[admission]`, `drg[code, level]`."""

    of: Expr
    keys: tuple[Expr, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class At(Expression):
    """`p at service_date`, `drg[code].price at d`."""

    of: Expr
    date: Expr


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """One argument of a call: `x`, `x where c`, `where c` (value None), `distinct x`."""

    value: Expr | None
    where: Expr | None = None
    distinct: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Expression):
    """`min(a, b)`; `this_year.sum(pays)` has a Member as `function`."""

    function: Name | Member
    arguments: tuple[Argument, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Range(Expression):
    """`a .. b`, only as an argument."""

    low: Expr
    high: Expr


@dataclass(frozen=True, slots=True, kw_only=True)
class Lambda(Expression):
    """`rate -> body`, only as an argument."""

    parameter: str
    parameter_span: Span = field(compare=False, repr=False)
    body: Expr


@dataclass(frozen=True, slots=True, kw_only=True)
class Negate(Expression):
    """`-x`."""

    operand: Expr


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum(Expression):
    """`a + b - c`; n-ary. Each term carries +1 or -1; the first is +1."""

    terms: tuple[tuple[int, Expr], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Product(Expression):
    """`a * b` or `a / b`; `operator` is `*` or `/`."""

    operator: str
    left: Expr
    right: Expr


@dataclass(frozen=True, slots=True, kw_only=True)
class Compare(Expression):
    """`a < b`; `operator` is one of `= != < <= > >=`, `has`, `meets`."""

    operator: str
    left: Expr
    right: Expr


@dataclass(frozen=True, slots=True, kw_only=True)
class Between(Expression):
    """`x between a and b`, both ends included."""

    operand: Expr
    low: Expr
    high: Expr


@dataclass(frozen=True, slots=True, kw_only=True)
class InSet(Expression):
    """`x in {a, b}`."""

    operand: Expr
    members: tuple[Expr, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class InTable(Expression):
    """`code in drg`, `[a, b] in drg at d`; `table` is a Name or an At of a Name."""

    keys: tuple[Expr, ...]
    table: Expr


@dataclass(frozen=True, slots=True, kw_only=True)
class IsKnown(Expression):
    """`x is known`, or with `known` false `x is missing`."""

    operand: Expr
    known: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class And(Expression):
    """`a and b and c`; n-ary."""

    items: tuple[Expr, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Or(Expression):
    """`a or b or c`; n-ary."""

    items: tuple[Expr, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Not(Expression):
    """`not a`."""

    operand: Expr


@dataclass(frozen=True, slots=True, kw_only=True)
class If(Expression):
    """`if c then a else b`."""

    condition: Expr
    then: Expr
    otherwise: Expr


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorExpr(Expression):
    """What could not be parsed; already reported, so every later pass stays silent about it."""


Expr: TypeAlias = (
    "Number | Money | Percent | Duration | DateLiteral | Flag | Text | Name | Member | Index | At | Call | Range | Lambda"
    " | Negate | Sum | Product | Compare | Between | InSet | InTable | IsKnown | And | Or | Not | If | ErrorExpr"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Because:
    """`because "text"` (text set) or `because name` (name set, a key of `messages:`)."""

    text: str | None
    name: str | None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """`when c then x because ..`; `when` None is `otherwise` or a lone expression; `then` None is `reject`."""

    when: Expr | None
    then: Expr | None
    because: Because | None = None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """An ordered list of clauses.

    `form` is `expression` (one clause without condition), `clauses`, or `table` (a decision table,
    already rewritten: its `of` columns became the left sides of each row's conditions). `hit` is
    `first`, or for a table `unique` (two rows that may hold together are an error).
    """

    clauses: tuple[Clause, ...]
    form: str = "expression"
    hit: str = "first"
    span: Span = field(compare=False, repr=False)
