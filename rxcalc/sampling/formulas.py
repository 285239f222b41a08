"""The rule text of hints: typed against the rulebook's names, and compiled to functions of the row that is being made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Any, Final

from rxcalc.diagnostics.model import Severity, Sink
from rxcalc.lang import units
from rxcalc.lang.dates import add_months
from rxcalc.lang.types import (
    CODE,
    COUNT,
    DATE,
    DAYS,
    ERROR,
    FLAG,
    MONEY,
    MONEY_PER_DAY,
    MONTHS,
    NUMBER,
    PERCENT,
    YEARS,
    ZERO,
    ErrorType,
    Kind,
    OneOf,
    Plain,
    Type,
)
from rxcalc.plan.nodes import Plan
from rxcalc.sampling import problems
from rxcalc.sampling.conditions import flag
from rxcalc.sampling.functions import call
from rxcalc.sampling.lookups import lookup
from rxcalc.sampling.parts import ANY, Part, Run, Wanted, apply, constant, digits_of, nothing, number
from rxcalc.sampling.rows import Making, Unmade
from rxcalc.source import Span
from rxcalc.syntax import nodes as syn
from rxcalc.typed import problems as typed
from rxcalc.typed.hints import article, conversion, product_hint
from rxcalc.typed.symbols import nearest

DURATIONS: Final = {"days": DAYS, "months": MONTHS, "years": YEARS}
SIGNS: Final = {"¥": ("CNY", "JPY"), "￥": ("CNY", "JPY")}


@dataclass(frozen=True, slots=True)
class Names:
    """The names that a hint sees: fields of its row, of the episode of that row, of the rows it may go over."""

    level: str
    own: Mapping[str, Type]
    bill: Mapping[str, Type] = field(default_factory=dict)
    rows: Mapping[str, Mapping[str, Type]] = field(default_factory=dict)
    has_before: bool = False


@dataclass(frozen=True, slots=True)
class Formula:
    """A hint that can be evaluated.

    It needs the fields `reads` of its row, `of_bill` of the episode, the lists `over`, the row `before`, the episode's
    date if `dated`. `draws`: it is drawn, so that another try may give another value.
    """

    type: Type
    run: Run
    reads: frozenset[str]
    of_bill: frozenset[str]
    over: frozenset[str]
    before: bool
    dated: bool
    draws: bool


class Reader:
    """Reads the rule text of one hint. Diagnostics: RX172, RX301 to RX305, RX401 to RX406."""

    def __init__(self, plan: Plan, names: Names, sink: Sink) -> None:
        self.plan = plan
        self.names = names
        self.sink = sink
        self.parameters = {p.name: p for p in plan.parameters}
        self.tables = {t.name: t for t in plan.tables}
        self.reads: set[str] = set()
        self.of_bill: set[str] = set()
        self.over: set[str] = set()
        self.before = self.dated = self.draws = False
        self.rows = ""  # the list gone over inside a call over rows

    def rule(self, rule: syn.Rule, wanted: Wanted) -> Formula | None:
        """The formula of a hint whose value becomes one of `wanted`; None after errors."""
        before = self.sink.count(Severity.ERROR)
        clauses: list[tuple[Run | None, Run]] = []
        for clause in rule.clauses:
            when = flag(self, clause.when) if clause.when is not None else None
            if clause.then is None:
                self.sink.add(problems.bad_hint(clause.span, "a hint cannot reject", "say what the value is instead"))
                continue
            clauses.append((when, self.fit(clause.then, wanted).run))
        if self.sink.count(Severity.ERROR) > before or self.sink.left_out:
            return None
        only = clauses[0][1] if len(clauses) == 1 and clauses[0][0] is None else _first_that_holds(clauses)
        return Formula(
            wanted.type or ERROR,
            only,
            frozenset(self.reads),
            frozenset(self.of_bill),
            frozenset(self.over),
            self.before,
            self.dated,
            self.draws,
        )

    def fit(self, e: syn.Expr, wanted: Wanted) -> Part:
        """A whole hint: a plain number is in the unit of its field."""
        part = self.part(e, wanted)
        want = wanted.type
        if want is None or isinstance(part.type, ErrorType):
            return part
        common = units.common(part.type, want)
        is_plain = part.type in (COUNT, NUMBER, ZERO) and isinstance(want, Plain) and want.kind in units.SUMS
        if isinstance(want, OneOf) and isinstance(common, OneOf):
            return part
        if (common == want and common is not None) or (is_plain and want != PERCENT) or part.type == ZERO == want:
            return part
        if {part.type, want} == {CODE, Plain(Kind.TEXT)}:
            return part
        return self.wrong(e.span, want, part.type)

    def wrong(self, span: Span, want: object, found: Type) -> Part:
        """Reports a value of another type than wanted."""
        advice = conversion(found, want, self.plan.currency) if isinstance(want, Plain) else ""
        self.sink.add(typed.wrong_type(span, f"a {want}", f"a {found}", advice))
        return Part(ERROR, nothing)

    def error(self) -> Part:
        """The form of what was already reported."""
        return Part(ERROR, nothing)

    # ---- expressions ----

    def part(self, e: syn.Expr, wanted: Wanted = ANY) -> Part:
        """A typed expression."""
        match e:
            case syn.Number():
                return number(e)
            case syn.Money():
                if self.plan.currency not in SIGNS.get(e.sign, (e.sign,)):
                    self.sink.add(typed.foreign_currency(e.span, e.sign, self.plan.currency))
                    return self.error()
                return constant(MONEY_PER_DAY if e.per else MONEY, e.value, e.decimals)
            case syn.Percent():
                return constant(PERCENT, e.value, digits_of(e.value * 100))
            case syn.Duration():
                if e.value.denominator != 1:
                    return self.wrong(e.span, f"whole number of {e.unit}", NUMBER)
                return constant(DURATIONS[e.unit], int(e.value))
            case syn.DateLiteral():
                return constant(DATE, e.value)
            case syn.Flag():
                return constant(FLAG, e.value)
            case syn.Text():
                return constant(CODE, e.value)
            case syn.Name():
                return self._name(e, wanted.type)
            case syn.Member():
                return self._member(e)
            case syn.Index() | syn.At():
                return lookup(self, e)
            case syn.Call():
                return call(self, e, wanted)
            case syn.Negate():
                operand = self.part(e.operand, wanted)
                if units.add(operand.type, operand.type, 1) is None:
                    return self.wrong(e.span, "number or amount", operand.type)
                return Part(operand.type, apply(lambda a: -a, operand))
            case syn.Sum():
                return self._sum(e)
            case syn.Product():
                return self._product(e)
            case syn.If():
                when = flag(self, e.condition)
                then, other = self.part(e.then, wanted), self.part(e.otherwise, wanted)
                return self.joined(e, [then, other], lambda c: then.run(c) if when(c) else other.run(c))
            case syn.ErrorExpr():
                return self.error()
            case syn.Range() | syn.Lambda():
                self.sink.add(problems.bad_hint(e.span, "a range has no place here", "write uniform(a, b)"))
                return self.error()
            case _:
                return Part(FLAG, flag(self, e))

    def _name(self, e: syn.Name, want: Type | None) -> Part:
        word = e.name
        if word in self.names.own:
            self.reads.add(word)
            return Part(self.names.own[word], lambda c: c.values.get(word))
        if word in self.names.bill:
            self.of_bill.add(word)
            return Part(self.names.bill[word], lambda c: c.bill.get(word))
        if isinstance(want, OneOf) and word in want.values:
            return constant(want, word)
        if word in self.parameters:
            return lookup(self, e)
        if word == "missing":
            return Part(want or ERROR, nothing)
        known = (*self.names.own, *self.names.bill, *self.parameters, *(want.values if isinstance(want, OneOf) else ()))
        self.sink.add(
            typed.unknown_name(
                e.span, word, nearest(word, known), ", ".join(want.values) if isinstance(want, OneOf) else ""
            )
        )
        return self.error()

    def _member(self, e: syn.Member) -> Part:
        name = e.name
        if isinstance(e.of, syn.Name) and e.of.name == "before":
            return self._before(e)
        if isinstance(e.of, syn.Name) and e.of.name in self.names.rows:
            fields = self.names.rows[e.of.name]
            if name not in fields:
                self.sink.add(
                    typed.unknown_member(e.name_span, e.of.name, name, nearest(name, tuple(fields)), ", ".join(fields))
                )
                return self.error()
            if self.rows != e.of.name:
                self.sink.add(
                    problems.bad_hint(e.span, f"`{e.of.name}` has many rows", f"write e.g. sum({e.of.name}.{name})")
                )
                return self.error()
            return Part(fields[name], lambda c: c.other.get(name))
        return lookup(self, e)

    def _before(self, e: syn.Member) -> Part:
        if not self.names.has_before:
            self.sink.add(
                problems.bad_hint(
                    e.span,
                    "there is no episode before",
                    "`before` needs a rulebook with `sequence:`, or a row of a list",
                )
            )
            return self.error()
        name, fields = e.name, self.names.own
        if name not in fields:
            self.sink.add(
                typed.unknown_member(e.name_span, "before", name, nearest(name, tuple(fields)), ", ".join(fields))
            )
            return self.error()
        self.before = True
        return Part(fields[name], lambda c: None if c.before is None else c.before.get(name))

    # ---- operators ----

    def _sum(self, e: syn.Sum) -> Part:
        (_, first), *rest = e.terms
        total = self.part(first)
        if e.terms[0][0] < 0:
            total = Part(total.type, apply(lambda a: -a, total))
        for sign, term in rest:
            other = self.part(term)
            after = units.add(total.type, other.type, sign)
            if after is None:
                advice = conversion(other.type, total.type, self.plan.currency)
                doing = "add" if sign > 0 else "subtract"
                self.sink.add(typed.unlike_units(e.span, doing, article(total.type), article(other.type), advice))
                return self.error()
            total = Part(after, apply(_added(total.type, other.type, sign), total, other))
        return total

    def _product(self, e: syn.Product) -> Part:
        left, right = self.part(e.left), self.part(e.right)
        found = units.multiply(left.type, right.type) if e.operator == "*" else units.divide(left.type, right.type)
        if found is None:
            doing = "multiply" if e.operator == "*" else "divide"
            hint = product_hint(left.type, right.type, e.operator)
            self.sink.add(typed.unlike_units(e.span, doing, article(left.type), article(right.type), hint))
            return self.error()
        if e.operator == "*":
            return Part(found, apply(lambda a, b: a * b, left, right))
        return Part(found, apply(_divided, left, right))

    def joined(self, e: syn.Expr, parts: Sequence[Part], run: Run) -> Part:
        """Alternatives of one type."""
        result = parts[0].type
        for other in parts[1:]:
            common = units.common(result, other.type)
            if common is None:
                self.sink.add(typed.unlike_units(e.span, "choose between", article(result), article(other.type)))
                return self.error()
            result = common
        return Part(result, run)

    def inside(self, rows: str) -> Reader:
        """The reader of what a call over rows goes over; it notes what it reads here."""
        inner = Reader(self.plan, self.names, self.sink)
        inner.reads, inner.of_bill, inner.over, inner.rows = self.reads, self.of_bill, self.over, rows
        self.over.add(rows)
        return inner

    def merge(self, inner: Reader) -> None:
        """Takes over what an inner reader has noted."""
        self.before, self.dated, self.draws = (
            self.before or inner.before,
            self.dated or inner.dated,
            self.draws or inner.draws,
        )


def _first_that_holds(clauses: Sequence[tuple[Run | None, Run]]) -> Run:
    def run(c: Making) -> Any:
        return next((then(c) for when, then in clauses if when is None or when(c)), None)

    return run


def _divided(a: Any, b: Any) -> Any:
    if b == 0:
        raise Unmade("a hint divides by zero")
    return Fraction(a) / b


def _added(left: Type, right: Type, sign: int) -> Callable[[Any, Any], Any]:
    if left == DATE and right == DATE:
        return lambda a, b: (a - b).days
    if left == DATE or right == DATE:
        of = right if left == DATE else left
        months = 1 if of == MONTHS else 12 if of == YEARS else None

        def move(a: Any, b: Any) -> date:
            start, n = (a, b) if left == DATE else (b, a)
            if months is not None:
                return add_months(start, sign * n * months)
            return date.fromordinal(start.toordinal() + sign * int(n))

        return move
    return lambda a, b: a + sign * b
