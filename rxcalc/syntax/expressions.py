"""DSL text to syntax nodes: the tree that Lark gives, rebuilt bottom-up without recursion."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Final, TypeAlias, cast

from lark import Token, Tree
from lark.exceptions import UnexpectedInput

from rxcalc.diagnostics.model import Sink
from rxcalc.source import EmbeddedText, Span
from rxcalc.syntax import nodes as n
from rxcalc.syntax import problems
from rxcalc.syntax.grammar import parser
from rxcalc.syntax.slips import explain, prescan

MAX_DEPTH: Final = 64
MAX_NODES: Final = 10_000
MAX_TEXT: Final = 400_000
MAX_DIGITS: Final = 30

Built: TypeAlias = (
    "n.Expr | n.Argument | n.Because | n.Clause | n.Rule | tuple[n.Expr, ...] | tuple[n.Argument, ...] | _Outcome"
)


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What a clause gives; `expr` None is `reject`."""

    expr: n.Expr | None


class _FailedError(Exception):
    """A literal was reported; the whole text becomes an ErrorExpr."""


def read(text: EmbeddedText, start: str, sink: Sink, left: n.Expr | None = None) -> Built | None:
    """The node for `text` from the grammar's `start`, or None after reporting what is wrong.

    `left` is the left side that a decision table's cell lacks. One mistake is reported for one text.
    """
    if len(text.text) > MAX_TEXT:
        sink.add(problems.too_many_nodes(text.span(0, 1), MAX_NODES))
        return None
    slip = prescan(text)
    if slip is not None:
        sink.add(slip)
        return None
    try:
        tree = parser().parse(text.text, start=start)
    except UnexpectedInput as error:
        sink.add(explain(text, error))
        return None
    assert isinstance(tree, Tree)  # noqa: S101 - every start is a rule that keeps its tree, except lone names
    return _Builder(text, sink, left).build(tree)


@dataclass(slots=True)
class _Builder:
    text: EmbeddedText
    sink: Sink
    left: n.Expr | None
    done: dict[int, Built] = field(default_factory=dict)

    def build(self, root: Tree[Token]) -> Built | None:
        subtrees = list(root.iter_subtrees())
        if not self._fits(subtrees):
            return None
        try:
            for tree in subtrees:
                self.done[id(tree)] = self._node(tree)
        except _FailedError:
            return None
        return self.done[id(root)]

    def _fits(self, subtrees: Sequence[Tree[Token]]) -> bool:
        depth: dict[int, int] = {}
        for tree in subtrees:
            below = max((depth[id(child)] for child in tree.children if isinstance(child, Tree)), default=0)
            match str(tree.data):
                case "product_":
                    own = len(tree.children) // 2  # left-nested
                case "arguments" | "expressions" | "plain" | "clauses" | "lone" | "outcome" | "when" | "otherwise":
                    own = 0
                case _:
                    own = 1
            depth[id(tree)] = below + own
            if below + own > MAX_DEPTH:
                self.sink.add(problems.too_deep(self._span(tree), MAX_DEPTH))
                return False
        if len(subtrees) > MAX_NODES:
            self.sink.add(problems.too_many_nodes(self._span(subtrees[-1]), MAX_NODES))
            return False
        return True

    def _span(self, item: Tree[Token] | Token) -> Span:
        if isinstance(item, Token):
            return self.text.span(item.start_pos or 0, item.end_pos or 0)
        if item.meta.empty:
            return self.text.span(0, len(self.text.text))
        return self.text.span(item.meta.start_pos, item.meta.end_pos)

    def _expr(self, child: Tree[Token] | Token) -> n.Expr:
        return cast("n.Expr", self.done[id(child)])

    def _many(self, child: Tree[Token] | Token) -> tuple[n.Expr, ...]:
        return cast("tuple[n.Expr, ...]", self.done[id(child)])

    def _node(self, tree: Tree[Token]) -> Built:
        kind, children, span = str(tree.data), tree.children, self._span(tree)
        if kind in _LITERALS:
            return self._literal(kind, [cast("Token", child) for child in children], span)
        if kind in _CLAUSES:
            return self._clause(kind, children, span)
        if kind.startswith("cell_"):
            return self._cell(kind, children, span)
        if kind in _CALLS:
            return self._call(kind, children, span)
        return self._operation(kind, children, span)

    def _operation(self, kind: str, children: list[Tree[Token] | Token], span: Span) -> Built:
        expr = self._expr
        match kind:
            case "name":
                return n.Name(name=str(children[0]), span=span)
            case "paren":
                return expr(children[0])
            case "expressions":
                return tuple(expr(child) for child in children)
            case "if_then_else":
                condition, then, otherwise = (expr(child) for child in children)
                return n.If(condition=condition, then=then, otherwise=otherwise, span=span)
            case "or_":
                return n.Or(items=tuple(expr(child) for child in children), span=span)
            case "and_":
                return n.And(items=tuple(expr(child) for child in children), span=span)
            case "not_":
                return n.Not(operand=expr(children[0]), span=span)
            case "negate":
                return n.Negate(operand=expr(children[0]), span=span)
            case "sum_":
                signs = (1, *(1 if child == "+" else -1 for child in children[1::2]))
                return n.Sum(terms=tuple(zip(signs, (expr(child) for child in children[::2]), strict=True)), span=span)
            case "product_":
                product = expr(children[0])
                start = self._start(children[0])
                for operator, factor in zip(children[1::2], children[2::2], strict=True):
                    stop = self._span(factor).end
                    product = n.Product(
                        operator=str(operator), left=product, right=expr(factor), span=Span(span.file, start, stop)
                    )
                return product
            case "member":
                return n.Member(
                    of=expr(children[0]), name=str(children[1]), name_span=self._span(children[1]), span=span
                )
            case "index":
                return n.Index(of=expr(children[0]), keys=self._many(children[1]), span=span)
            case "at":
                return n.At(of=expr(children[0]), date=expr(children[1]), span=span)
            case "table":
                table = n.Name(name=str(children[0]), span=self._span(children[0]))
                return table if len(children) == 1 else n.At(of=table, date=expr(children[1]), span=span)
            case "in_table_by_keys":
                return n.InTable(keys=self._many(children[0]), table=expr(children[1]), span=span)
            case _:
                return self._condition(kind, expr(children[0]), children[1:], span)

    def _start(self, item: Tree[Token] | Token) -> int:
        return self._span(item).start

    def _cell(self, kind: str, children: list[Tree[Token] | Token], span: Span) -> n.Expr:
        assert self.left is not None  # noqa: S101 - `cell` is only read with a left side
        return self._condition(kind.removeprefix("cell_"), self.left, children, span)

    def _condition(self, kind: str, left: n.Expr, rest: list[Tree[Token] | Token], span: Span) -> n.Expr:
        match kind:
            case "compare":
                return n.Compare(operator=str(rest[0]), left=left, right=self._expr(rest[1]), span=span)
            case "between":
                return n.Between(operand=left, low=self._expr(rest[0]), high=self._expr(rest[1]), span=span)
            case "in_set":
                return n.InSet(operand=left, members=self._many(rest[0]), span=span)
            case "in_table":
                return n.InTable(keys=(left,), table=self._expr(rest[0]), span=span)
            case "is_known":
                return n.IsKnown(operand=left, known=str(rest[0]) == "known", span=span)
            case _:
                message = f"no node for the grammar's {kind}"
                raise AssertionError(message)  # a bug: grammar and builder disagree

    def _call(self, kind: str, children: list[Tree[Token] | Token], span: Span) -> Built:
        expr = self._expr
        match kind:
            case "call":
                name = n.Name(name=str(children[0]), span=self._span(children[0]))
                return n.Call(function=name, arguments=self._arguments(children[1:]), span=span)
            case "method":
                of, token = expr(children[0]), children[1]
                name_span = self._span(token)
                whole = Span(span.file, self._start(children[0]), name_span.end)
                method = n.Member(of=of, name=str(token), name_span=name_span, span=whole)
                return n.Call(function=method, arguments=self._arguments(children[2:]), span=span)
            case "arguments":
                return tuple(cast("n.Argument", self.done[id(child)]) for child in children)
            case "plain":
                return n.Argument(value=expr(children[0]))
            case "filtered":
                return n.Argument(value=expr(children[0]), where=expr(children[1]))
            case "only_where":
                return n.Argument(value=None, where=expr(children[0]))
            case "distinct":
                where = expr(children[2]) if len(children) > 2 else None
                return n.Argument(value=expr(children[1]), where=where, distinct=True)
            case "range":
                return n.Argument(value=n.Range(low=expr(children[0]), high=expr(children[1]), span=span))
            case _:  # function
                token = children[0]
                return n.Argument(
                    value=n.Lambda(
                        parameter=str(token), parameter_span=self._span(token), body=expr(children[1]), span=span
                    )
                )

    def _arguments(self, rest: list[Tree[Token] | Token]) -> tuple[n.Argument, ...]:
        return cast("tuple[n.Argument, ...]", self.done[id(rest[0])]) if rest else ()

    def _clause(self, kind: str, children: list[Tree[Token] | Token], span: Span) -> Built:
        match kind:
            case "lone":
                value = self._expr(children[0])
                return n.Rule(clauses=(n.Clause(when=None, then=value, span=value.span),), span=span)
            case "clauses":
                clauses = tuple(cast("n.Clause", self.done[id(child)]) for child in children)
                return n.Rule(clauses=clauses, form="clauses", span=span)
            case "because":
                token = cast("Token", children[0])
                if token.type == "STRING":
                    return n.Because(text=_unescape(token), name=None, span=self._span(token))
                return n.Because(text=None, name=str(token), span=self._span(token))
            case "outcome":
                return _Outcome(self._expr(children[0]))
            case "reject":
                return _Outcome(None)
            case _:
                built = [self.done[id(child)] for child in children]
                because = cast("n.Because", built.pop()) if isinstance(built[-1], n.Because) else None
                outcome = cast("_Outcome", built[-1])
                condition = cast("n.Expr", built[0]) if kind == "when" else None
                return n.Clause(when=condition, then=outcome.expr, because=because, span=span)

    # ---- literals -----------------------------------------------------------------------------

    def _literal(self, kind: str, tokens: list[Token], span: Span) -> n.Expr:
        text = str(tokens[0])
        match kind:
            case "number":
                value, decimals = self._exact(text, span)
                return n.Number(value=value, decimals=decimals, span=span)
            case "duration":
                unit = str(tokens[1])
                return n.Duration(
                    value=self._exact(text, span)[0], unit=unit if unit.endswith("s") else unit + "s", span=span
                )
            case "percent":
                return n.Percent(value=self._exact(text[:-1], span)[0] / 100, span=span)
            case "money" | "money_per_day":
                sign = text[:3] if text[0].isalpha() else text[0]
                value, decimals = self._exact(text[len(sign) :].strip(), span)
                per = "day" if kind == "money_per_day" else None
                return n.Money(sign=sign, value=value, decimals=decimals, per=per, span=span)
            case "date":
                try:
                    return n.DateLiteral(value=date.fromisoformat(text), span=span)
                except ValueError:
                    self.sink.add(problems.no_such_day(span, text))
                    raise _FailedError from None
            case "flag":
                return n.Flag(value=text in ("yes", "true"), span=span)
            case _:
                return n.Text(value=_unescape(tokens[0]), span=span)

    def _exact(self, text: str, span: Span) -> tuple[Fraction, int]:
        digits = text.replace("_", "")
        if len(digits) - ("." in digits) > MAX_DIGITS:
            self.sink.add(problems.too_many_digits(span, MAX_DIGITS))
            raise _FailedError
        return Fraction(digits), len(digits.partition(".")[2])


_LITERALS: Final = frozenset({"number", "duration", "percent", "money", "money_per_day", "date", "flag", "text"})
_CLAUSES: Final = frozenset({"lone", "clauses", "because", "outcome", "reject", "when", "otherwise"})
_CALLS: Final = frozenset(
    {"call", "method", "arguments", "plain", "filtered", "only_where", "distinct", "range", "function"}
)


def _unescape(token: Token) -> str:
    return re.sub(r'\\(["\\])', r"\1", str(token)[1:-1])
