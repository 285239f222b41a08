"""Syntax nodes back to canonical text on one line, with as few parentheses as the grammar allows."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Final, assert_never

from rxcalc.syntax import nodes as n

# How tightly a form binds, loosest first; an operand that binds less tightly gets parentheses.
_WHOLE: Final = 0  # if
_OR: Final = 1
_AND: Final = 2
_NOT: Final = 3
_COMPARISON: Final = 4
_SUM: Final = 5
_PRODUCT: Final = 6
_UNARY: Final = 7
_DATED: Final = 8
_LITERAL: Final = 9
_POSTFIX: Final = 10

# Before anything else `distinct` would be read as a name.
_AFTER_DISTINCT: Final = re.compile(r'(?!(at|has|meets)\b)[A-Za-z("¥\d]')


def unparse(expr: n.Expr) -> str:
    """The canonical text of an expression; reading it gives an equal tree.

    Raises:
        ValueError: the tree holds an ErrorExpr, which has no text.
    """
    return _show(expr, _WHOLE)


def unparse_rule(rule: n.Rule) -> str:
    """The canonical text of a rule: an expression, or its clauses one a line."""
    if rule.form == "expression":
        then = rule.clauses[0].then
        return "reject" if then is None else unparse(then)
    return "\n".join(_clause(clause) for clause in rule.clauses)


def _clause(clause: n.Clause) -> str:
    then = "reject" if clause.then is None else unparse(clause.then)
    head = f"otherwise {then}" if clause.when is None else f"when {unparse(clause.when)} then {then}"
    match clause.because:
        case n.Because(text=str(text)):
            return f"{head} because {_quote(text)}"
        case n.Because(name=str(name)):
            return f"{head} because {name}"
        case _:
            return head


def _show(expr: n.Expr, needed: int) -> str:
    text = _text(expr)
    return text if _binding(expr) >= needed else f"({text})"


def _binding(expr: n.Expr) -> int:
    match expr:
        case n.If() | n.Range() | n.Lambda():
            return _WHOLE
        case n.Or():
            return _OR
        case n.And():
            return _AND
        case n.Not():
            return _NOT
        case n.Compare() | n.Between() | n.InSet() | n.InTable() | n.IsKnown():
            return _COMPARISON
        case n.Sum():
            return _SUM
        case n.Product():
            return _PRODUCT
        case n.Negate():
            return _UNARY
        case n.At():
            return _DATED
        case n.Number() | n.Money() | n.Percent() | n.Duration() | n.DateLiteral() | n.Flag() | n.Text():
            return _LITERAL
        case n.Name() | n.Member() | n.Index() | n.Call() | n.ErrorExpr():
            return _POSTFIX
        case _:
            assert_never(expr)


def _text(expr: n.Expr) -> str:
    match expr:
        case n.Number() | n.Money() | n.Percent() | n.Duration() | n.DateLiteral() | n.Flag() | n.Text():
            return _literal(expr)
        case n.Name():
            return expr.name
        case n.Member():
            return f"{_show(expr.of, _POSTFIX)}.{expr.name}"
        case n.Index():
            return f"{_show(expr.of, _POSTFIX)}[{_list(expr.keys)}]"
        case n.At():
            return f"{_show(expr.of, _POSTFIX)} at {_moment(expr.date)}"
        case n.Call():
            return f"{_text(expr.function)}({', '.join(_argument(item) for item in expr.arguments)})"
        case n.Range():
            return f"{_show(expr.low, _SUM)} .. {_show(expr.high, _SUM)}"
        case n.Lambda():
            return f"{expr.parameter} -> {_show(expr.body, _WHOLE)}"
        case n.Negate():
            return f"-{_show(expr.operand, _UNARY)}"
        case n.Sum():
            return _sum(expr)
        case n.Product():
            return f"{_show(expr.left, _PRODUCT)} {expr.operator} {_show(expr.right, _UNARY)}"
        case n.Compare():
            return f"{_show(expr.left, _SUM)} {expr.operator} {_show(expr.right, _SUM)}"
        case n.Between():
            return f"{_show(expr.operand, _SUM)} between {_show(expr.low, _SUM)} and {_show(expr.high, _SUM)}"
        case n.InSet():
            return f"{_show(expr.operand, _SUM)} in {{{_list(expr.members)}}}"
        case n.InTable():
            keys = _show(expr.keys[0], _SUM) if len(expr.keys) == 1 else f"[{_list(expr.keys)}]"
            return f"{keys} in {_text(expr.table)}"
        case n.IsKnown():
            return f"{_show(expr.operand, _SUM)} is {'known' if expr.known else 'missing'}"
        case n.And():
            return " and ".join(_show(item, _NOT) for item in expr.items)
        case n.Or():
            return " or ".join(_show(item, _AND) for item in expr.items)
        case n.Not():
            return f"not {_show(expr.operand, _NOT)}"
        case n.If():
            condition, then = _show(expr.condition, _OR), _show(expr.then, _WHOLE)
            return f"if {condition} then {then} else {_show(expr.otherwise, _WHOLE)}"
        case n.ErrorExpr():
            message = "an ErrorExpr has no text"
            raise ValueError(message)
        case _:
            assert_never(expr)


def _sum(expr: n.Sum) -> str:
    parts = [_show(expr.terms[0][1], _PRODUCT)]
    parts += [f"{'+' if sign > 0 else '-'} {_show(term, _PRODUCT)}" for sign, term in expr.terms[1:]]
    return " ".join(parts)


def _moment(expr: n.Expr) -> str:
    """What may follow `at`: a name, literal, call or parenthesis."""
    match expr:
        case n.Name() | n.Call():
            return _text(expr)
        case _ if _binding(expr) == _LITERAL:
            return _text(expr)
        case _:
            return f"({_text(expr)})"


def _list(items: tuple[n.Expr, ...]) -> str:
    return ", ".join(_show(item, _WHOLE) for item in items)


def _argument(item: n.Argument) -> str:
    parts = []
    if item.value is not None:
        value = _show(item.value, _WHOLE)
        if item.distinct and not _AFTER_DISTINCT.match(value):
            value = f"({value})"
        parts.append(f"distinct {value}" if item.distinct else value)
    if item.where is not None:
        parts.append(f"where {_show(item.where, _WHOLE)}")
    return " ".join(parts)


def _literal(expr: n.Number | n.Money | n.Percent | n.Duration | n.DateLiteral | n.Flag | n.Text) -> str:
    match expr:
        case n.Number():
            return _digits(expr.value, expr.decimals)
        case n.Money():
            space = " " if expr.sign.isalpha() else ""
            return f"{expr.sign}{space}{_digits(expr.value, expr.decimals)}{' per day' if expr.per else ''}"
        case n.Percent():
            return f"{_digits(expr.value * 100, None)}%"
        case n.Duration():
            return f"{_digits(expr.value, None)} {expr.unit[:-1] if expr.value == 1 else expr.unit}"
        case n.DateLiteral():
            return expr.value.isoformat()
        case n.Flag():
            return "yes" if expr.value else "no"
        case n.Text():
            return _quote(expr.value)
        case _:
            assert_never(expr)


def _quote(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _digits(value: Fraction, decimals: int | None) -> str:
    """A decimal with its digits in groups of three from five digits on; `decimals` None takes as few as needed."""
    if decimals is None:
        decimals = 0
        while value.denominator != 1 and (value * 10**decimals).denominator != 1:
            decimals += 1
    scaled = int(value * 10**decimals)
    digits = str(scaled).rjust(decimals + 1, "0")
    whole, part = (digits[:-decimals], digits[-decimals:]) if decimals else (digits, "")
    grouped = f"{int(whole):_}" if len(whole) > 4 else whole
    return f"{grouped}.{part}" if part else grouped
