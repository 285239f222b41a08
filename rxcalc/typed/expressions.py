"""Types, units and missing values of expressions: syntax tree to typed tree."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import assert_never

from rxcalc.diagnostics.model import Severity, Sink
from rxcalc.lang import units
from rxcalc.lang.ops import Op
from rxcalc.lang.types import (
    CODE,
    CODES,
    COUNT,
    DATE,
    ERROR,
    FLAG,
    MONEY,
    MONEY_PER_DAY,
    NUMBER,
    PERCENT,
    TEXT,
    ZERO,
    ErrorType,
    Kind,
    OneOf,
    Plain,
    Type,
    ZeroType,
)
from rxcalc.source import Span
from rxcalc.syntax import nodes as syn
from rxcalc.syntax.unparse import unparse
from rxcalc.typed import calls, lookups, names, problems
from rxcalc.typed.facts import Facts, false_facts, true_facts
from rxcalc.typed.hints import article, conversion, product_hint
from rxcalc.typed.levels import World
from rxcalc.typed.nodes import TExpr
from rxcalc.typed.symbols import BASE, nearest

DURATION_TYPES = {"days": Plain(Kind.DAYS), "months": Plain(Kind.MONTHS), "years": Plain(Kind.YEARS)}
CURRENCY_SIGNS = {"¥": ("CNY", "JPY"), "￥": ("CNY", "JPY")}
COMPARISONS = {"=": Op.EQ, "!=": Op.NE, "<": Op.LT, "<=": Op.LE, ">": Op.GT, ">=": Op.GE}


@dataclass(frozen=True, slots=True)
class Scope:
    """Where an expression stands.

    `rows`: inside a call over rows, the prefixes that stand for the other row and its level, longest
    first. `shares`: totals and parts may be read. `local`: the name and type before `->`.
    `constants`: only parameters may be read (limits of schedules). `yaml`: a plain number is read in
    the unit expected (`is: 30_000` for money). `base`: the step that `base` stands for.
    """

    rows: tuple[tuple[tuple[str, ...], str], ...] = ()
    shares: bool = False
    local: tuple[str, Type] | None = None
    constants: bool = False
    yaml: bool = False
    base: str | None = None


@dataclass(frozen=True, slots=True)
class Tables:
    """What the typer must know of declarations besides names: parameters' and tables' shapes."""

    parameters: dict[str, ParameterShape]
    tables: dict[str, TableShape]
    currency: str


@dataclass(frozen=True, slots=True)
class ParameterShape:
    """A parameter as expressions see it."""

    type: Type
    keys: tuple[OneOf, ...]
    may_be_none: bool


@dataclass(frozen=True, slots=True)
class TableShape:
    """A table as expressions see it: key types, and (type, may be blank) of each column."""

    keys: tuple[Type, ...]
    columns: dict[str, tuple[Type, bool]]


class Typer:
    """Types the expressions of one level; mistakes go to the sink and become `ErrorType`."""

    def __init__(self, world: World, level: str, tables: Tables, sink: Sink, used: set[str] | None = None) -> None:
        self.world = world
        self.level = level
        self.symbols = world.levels[level].symbols
        self.tables = tables
        self.sink = sink
        self.used = used if used is not None else set()

    def at(self, level: str) -> Typer:
        """The typer of another level's expressions."""
        return self if level == self.level else Typer(self.world, level, self.tables, self.sink, self.used)

    def step_type(self, name: str) -> Type:
        """The type of a step of this level."""
        return self.world.type_of(self.level, name)

    def use_rows(self, level: str) -> None:
        """Notes that the rows of a level are read."""
        self.used.add(level)

    # ---- entry points ----

    def value(self, e: syn.Expr, want: Type | None, facts: Facts, scope: Scope) -> TExpr:
        """A typed expression whose value is proven to be there."""
        return self.known(self.expr(e, want, facts, scope))

    def condition(self, e: syn.Expr, facts: Facts, scope: Scope) -> TExpr:
        """A typed flag."""
        result = self.value(e, FLAG, facts, scope)
        if not isinstance(result.type, ErrorType) and result.type != FLAG:
            self.sink.add(problems.wrong_type(e.span, "a condition (yes or no)", result.type))
            return self.error(e)
        return result

    def expr(self, e: syn.Expr, want: Type | None, facts: Facts, scope: Scope) -> TExpr:
        """A typed expression; `missing` is cleared where `facts` say that the value is there."""
        result = self._expr(e, want, facts, scope)
        if result.missing and repr(e) in facts:
            return replace(result, missing=False)
        return result

    def known(self, t: TExpr) -> TExpr:
        """`t`, reported where its value may be missing."""
        if t.missing and t.op in (Op.IF, Op.DEFAULT):
            # The branch that may be missing is the place to look at.
            for arg in t.args[1:]:
                self.known(arg)
            return replace(t, missing=False)
        if t.missing and t.op is Op.CONST:
            self.sink.add(problems.no_value_here(t.span))
            return self.error(t.syntax)
        if t.missing:
            self.sink.add(problems.may_be_missing(t.span, unparse(t.syntax)))
            return replace(t, missing=False)
        return t

    def coerce(self, t: TExpr, want: Type, help_: str = "") -> TExpr:
        """`t` read as `want`, reported where it cannot be."""
        common = units.common(t.type, want)
        if isinstance(common, OneOf) and isinstance(want, OneOf):
            return t  # the same values; whether they have an order is a matter of who compares them
        if common is None or (common != want and not isinstance(t.type, ErrorType) and not isinstance(want, ErrorType)):
            self.sink.add(problems.wrong_type(t.span, f"a {want}", f"a {t.type}", help_ or self.hint(t.type, want)))
            return self.error(t.syntax)
        return replace(t, type=want) if isinstance(t.type, ZeroType) else t

    def error(self, e: syn.Expr) -> TExpr:
        """The typed form of something already reported."""
        return TExpr(op=Op.CONST, args=(), type=ERROR, span=e.span, syntax=e, level=self.level)

    def make(
        self, op: Op, args: tuple[TExpr, ...], type_: Type, e: syn.Expr, data: object = None, *, missing: bool = False
    ) -> TExpr:
        """A typed node; an operand in error makes it one."""
        if any(isinstance(a.type, ErrorType) for a in args) and op not in (Op.ADD, Op.MIN, Op.MAX, Op.IF, Op.DEFAULT):
            if op in (Op.KNOWN, Op.AND, Op.OR, Op.NOT):
                return TExpr(op=op, args=args, type=type_, span=e.span, syntax=e, data=data, level=self.level)
            type_, missing = ERROR, False
        if isinstance(type_, ZeroType) and any(isinstance(a.type, ErrorType) for a in args):
            type_ = ERROR  # zero beside something not known yet: it may turn out to be an amount
        return TExpr(op=op, args=args, type=type_, span=e.span, syntax=e, data=data, missing=missing, level=self.level)

    # ---- expressions ----

    def _expr(self, e: syn.Expr, want: Type | None, facts: Facts, scope: Scope) -> TExpr:
        match e:
            case syn.ErrorExpr():
                return self.error(e)
            case syn.Number():
                return self._number(e, want, scope)
            case syn.Money():
                signs = CURRENCY_SIGNS.get(e.sign, (e.sign,))
                if self.tables.currency not in signs:
                    self.sink.add(problems.foreign_currency(e.span, e.sign, self.tables.currency))
                    return self.error(e)
                return self.make(Op.CONST, (), MONEY_PER_DAY if e.per else MONEY, e, e.value)
            case syn.Percent():
                return self.make(Op.CONST, (), PERCENT, e, e.value)
            case syn.Duration():
                if e.value.denominator != 1:
                    self.sink.add(problems.bad_value(e.span, unparse(e), "whole number of " + e.unit))
                    return self.error(e)
                return self.make(Op.CONST, (), DURATION_TYPES[e.unit], e, int(e.value))
            case syn.DateLiteral():
                return self.make(Op.CONST, (), DATE, e, e.value)
            case syn.Flag():
                return self.make(Op.CONST, (), FLAG, e, e.value)
            case syn.Text():
                return self._text(e, want)
            case syn.Name():
                return names.bare(self, e, want, scope)
            case syn.Member():
                return names.member(self, e, facts, scope)
            case syn.Index() | syn.At():
                return lookups.lookup(self, e, facts, scope)
            case syn.Call():
                return calls.call(self, e, want, facts, scope)
            case syn.Range() | syn.Lambda():
                self.sink.add(
                    problems.wrong_type(
                        e.span, "a value", "a range or `name -> ..`", "these stand only inside bands(..) and its kin"
                    )
                )
                return self.error(e)
            case syn.Negate():
                return self._negate(e, want, facts, scope)
            case syn.Sum():
                return self._sum(e, want, facts, scope)
            case syn.Product():
                return self._product(e, facts, scope)
            case syn.Compare():
                return self._compare(e, facts, scope)
            case syn.Between():
                operand = self.value(e.operand, None, facts, scope)
                low = self.value(e.low, operand.type, facts, scope)
                high = self.value(e.high, operand.type, facts, scope)
                ordered = [self._check_order(operand, bound, e.span) for bound in (low, high)]
                if not all(ordered):
                    operand = self.error(e.operand)
                return self.make(
                    Op.AND,
                    (self.make(Op.GE, (operand, low), FLAG, e), self.make(Op.LE, (operand, high), FLAG, e)),
                    FLAG,
                    e,
                )
            case syn.InSet():
                return self._in_set(e, facts, scope)
            case syn.InTable():
                return lookups.in_table(self, e, facts, scope)
            case syn.IsKnown():
                before = self.sink.count(Severity.ERROR)
                operand = self._expr(e.operand, None, facts, scope)
                is_sound = self.sink.count(Severity.ERROR) == before and not isinstance(operand.type, ErrorType)
                if not operand.missing and is_sound:
                    self.sink.add(problems.never_missing(e.span, unparse(e.operand)))
                result = self.make(Op.KNOWN, (operand,), FLAG, e)
                return result if e.known else self.make(Op.NOT, (result,), FLAG, e)
            case syn.And() | syn.Or():
                items: list[TExpr] = []
                for item in e.items:
                    items.append(self.condition(item, facts, scope))
                    facts |= true_facts(item) if isinstance(e, syn.And) else false_facts(item)
                return self.make(Op.AND if isinstance(e, syn.And) else Op.OR, tuple(items), FLAG, e)
            case syn.Not():
                return self.make(Op.NOT, (self.condition(e.operand, facts, scope),), FLAG, e)
            case syn.If():
                return self._if(e, want, facts, scope)
            case _:
                assert_never(e)

    def _number(self, e: syn.Number, want: Type | None, scope: Scope) -> TExpr:
        if scope.yaml and isinstance(want, Plain) and want.kind in units.SUMS and want.kind is not Kind.PERCENT:
            if want.kind in (Kind.COUNT, Kind.DAYS, Kind.MONTHS, Kind.YEARS):
                if e.value.denominator != 1:
                    self.sink.add(problems.bad_value(e.span, unparse(e), f"whole number, as {want} needs"))
                    return self.error(e)
                return self.make(Op.CONST, (), want, e, int(e.value))
            return self.make(Op.CONST, (), want, e, e.value)
        if e.value == 0:
            return self.make(Op.CONST, (), ZERO, e, 0)
        if e.decimals == 0:
            return self.make(Op.CONST, (), COUNT, e, int(e.value))
        return self.make(Op.CONST, (), NUMBER, e, e.value)

    def _text(self, e: syn.Text, want: Type | None) -> TExpr:
        if isinstance(want, OneOf):
            if e.value in want.values:
                return self.make(Op.CONST, (), want, e, e.value)
            self.sink.add(problems.unknown_key(e.span, e.value, str(want), nearest(e.value, want.values)))
            return self.error(e)
        return self.make(Op.CONST, (), TEXT if want == TEXT else CODE, e, e.value)

    # ---- operators ----

    def _negate(self, e: syn.Negate, want: Type | None, facts: Facts, scope: Scope) -> TExpr:
        operand = self.value(e.operand, want, facts, scope)
        if isinstance(operand.type, ErrorType):
            return self.error(e)
        if units.add(operand.type, operand.type, 1) is None:
            self.sink.add(problems.wrong_type(e.span, "a number or amount", f"a {operand.type}"))
            return self.error(e)
        if operand.op is Op.CONST:
            return self.make(Op.CONST, (), operand.type, e, -operand.data)  # type: ignore[operator]  # a numeric constant
        return self.make(Op.NEGATE, (operand,), operand.type, e)

    def _sum(self, e: syn.Sum, want: Type | None, facts: Facts, scope: Scope) -> TExpr:
        inner = want if scope.yaml else None
        args = [self.value(term, inner, facts, scope) for _, term in e.terms]
        signs = [sign for sign, _ in e.terms]
        total: Type = args[0].type
        result = [args[0]]
        kept = [signs[0]]
        for sign, arg in zip(signs[1:], args[1:], strict=True):
            after = units.add(total, arg.type, sign)
            if after is None:
                doing = "add" if sign > 0 else "subtract"
                self.sink.add(
                    problems.unlike_units(e.span, doing, article(total), article(arg.type), self.hint(arg.type, total))
                )
                return self.error(e)
            if isinstance(arg.type, Plain) and arg.type.kind in (Kind.MONTHS, Kind.YEARS) and total == DATE:
                op = Op.ADD_MONTHS if arg.type.kind is Kind.MONTHS else Op.ADD_YEARS
                date = result[0] if len(result) == 1 else self.make(Op.ADD, tuple(result), DATE, e, tuple(kept))
                result, kept = [self.make(op, (date, arg), DATE, e, sign)], [1]
            elif isinstance(total, Plain) and total.kind in (Kind.MONTHS, Kind.YEARS) and after == DATE:
                op = Op.ADD_MONTHS if total.kind is Kind.MONTHS else Op.ADD_YEARS
                span = result[0] if len(result) == 1 else self.make(Op.ADD, tuple(result), total, e, tuple(kept))
                result, kept = [self.make(op, (arg, span), DATE, e, 1)], [1]
            else:
                result.append(arg)
                kept.append(sign)
            total = after
        if len(result) == 1:
            return result[0]
        return self.make(Op.ADD, tuple(result), total, e, tuple(kept))

    def _product(self, e: syn.Product, facts: Facts, scope: Scope) -> TExpr:
        # A limit such as `21 / 11 * full` mixes plain numbers and amounts, so no unit is pressed on its factors.
        plain = replace(scope, yaml=False)
        left = self.value(e.left, None, facts, plain)
        right = self.value(e.right, None, facts, plain)
        result = (units.multiply if e.operator == "*" else units.divide)(left.type, right.type)
        if result is None:
            doing = "multiply" if e.operator == "*" else "divide"
            self.sink.add(
                problems.unlike_units(
                    e.span,
                    doing,
                    article(left.type),
                    article(right.type),
                    product_hint(left.type, right.type, e.operator),
                )
            )
            return self.error(e)
        if e.operator == "/" and right.op is Op.CONST and right.data == 0 and not isinstance(right.type, ErrorType):
            self.sink.add(problems.wrong_type(e.right.span, "a divisor other than zero", "0"))
            return self.error(e)
        return self.make(Op.MULTIPLY if e.operator == "*" else Op.DIVIDE, (left, right), result, e)

    def _compare(self, e: syn.Compare, facts: Facts, scope: Scope) -> TExpr:
        if e.operator in ("has", "meets"):
            left = self.coerce(self.value(e.left, CODES, facts, scope), CODES)
            wanted = CODE if e.operator == "has" else CODES
            right = self.coerce(self.value(e.right, wanted, facts, scope), wanted)
            return self.make(Op.HAS if e.operator == "has" else Op.MEETS, (left, right), FLAG, e)
        left, right = self.pair(e.left, e.right, facts, scope)
        if e.operator in ("=", "!="):
            if not units.can_equal(left.type, right.type):
                self.sink.add(
                    problems.unlike_units(
                        e.span,
                        "compare",
                        article(left.type),
                        article(right.type),
                        self.hint(right.type, left.type),
                    )
                )
                return self.make(COMPARISONS[e.operator], (self.error(e.left), self.error(e.right)), FLAG, e)
        elif not self._check_order(left, right, e.span):
            return self.make(COMPARISONS[e.operator], (self.error(e.left), self.error(e.right)), FLAG, e)
        return self.make(COMPARISONS[e.operator], (left, right), FLAG, e)

    def pair(self, left: syn.Expr, right: syn.Expr, facts: Facts, scope: Scope) -> tuple[TExpr, TExpr]:
        """Both sides of a comparison; a bare word is looked up in the set of the other side."""
        if self._is_word(left, scope) and not self._is_word(right, scope):
            r = self.value(right, None, facts, scope)
            return self._beside(left, r, facts, scope), r
        first = self.value(left, None, facts, scope)
        return first, self._beside(right, first, facts, scope)

    def _beside(self, e: syn.Expr, other: TExpr, facts: Facts, scope: Scope) -> TExpr:
        """`e` read beside `other`; a bare word beside something already reported is not judged."""
        if isinstance(other.type, ErrorType) and self._is_word(e, scope):
            return self.error(e)
        return self.value(e, other.type, facts, scope)

    def _is_word(self, e: syn.Expr, scope: Scope) -> bool:
        return (
            isinstance(e, syn.Name)
            and e.name not in self.symbols.names
            and e.name not in self.symbols.shares
            and not (scope.local and scope.local[0] == e.name)
            and not (e.name == BASE and scope.base is not None)
        )

    def _check_order(self, left: TExpr, right: TExpr, span: Span) -> bool:
        if units.can_order(left.type, right.type):
            return True
        hint = self.hint(right.type, left.type)
        if isinstance(left.type, OneOf) and left.type == right.type:
            hint = "say `ordered: yes` on the set, lowest value first"
        self.sink.add(problems.unlike_units(span, "order", article(left.type), article(right.type), hint))
        return False

    def _in_set(self, e: syn.InSet, facts: Facts, scope: Scope) -> TExpr:
        operand = self.value(e.operand, None, facts, scope)
        members = [self._beside(m, operand, facts, scope) for m in e.members]
        for member in members:
            if not units.can_equal(operand.type, member.type):
                self.sink.add(
                    problems.unlike_units(member.span, "compare", article(operand.type), article(member.type))
                )
                return self.make(Op.IN_SET, (self.error(e),), FLAG, e, ())
        if all(m.op is Op.CONST for m in members):
            return self.make(Op.IN_SET, (operand,), FLAG, e, tuple(m.data for m in members))
        return self.make(Op.OR, tuple(self.make(Op.EQ, (operand, m), FLAG, e) for m in members), FLAG, e)

    def _if(self, e: syn.If, want: Type | None, facts: Facts, scope: Scope) -> TExpr:
        condition = self.condition(e.condition, facts, scope)
        then = self.expr(e.then, want, facts | true_facts(e.condition), scope)
        otherwise = self.expr(e.otherwise, want, facts | false_facts(e.condition), scope)
        result = units.common(then.type, otherwise.type)
        if result is None:
            self.sink.add(problems.unlike_units(e.span, "choose between", article(then.type), article(otherwise.type)))
            return self.error(e)
        return self.make(Op.IF, (condition, then, otherwise), result, e, missing=then.missing or otherwise.missing)

    def hint(self, found: Type, want: Type) -> str:
        """What to write so that a `found` becomes a `want`."""
        return conversion(found, want, self.tables.currency)
