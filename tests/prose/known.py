"""What the readers of sentences are told of a rulebook, and formulas in one spelling."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any

from prose_reader import Lexicon

from rxcalc.lang.types import OneOf
from rxcalc.plan.nodes import Plan
from rxcalc.prose.names import Names
from rxcalc.prose.written import tree
from rxcalc.syntax import nodes as n
from rxcalc.syntax.unparse import unparse


def lexicon(plan: Plan, language: str = "en") -> Lexicon:
    """What the reader cannot know from the sentences: which label stands for which value of a set, or for which column."""
    names = Names(plan, language)
    values: dict[str, set[str]] = {}

    def add(of: OneOf) -> None:
        for v in of.values:
            values.setdefault(names.value(of, v).strip("“”"), set()).add(v)

    for of in names.levels.values():
        for f in (*of.inputs, *of.steps):
            if isinstance(f.type, OneOf):
                add(f.type)
    for p in plan.parameters:
        for keys in p.keys:
            add(OneOf(keys))
    columns = {(t, names.run(c)[-1].text.strip("“”")): column for (t, column), c in names.columns.items()}
    return Lexicon(tuple(names.levels), {label: tuple(sorted(found)) for label, found in values.items()}, columns)


def canonical(text: str) -> str:
    """The canonical text, with `w.sum(x)` written out as `w.sum(w.x)`, which means the same."""
    return unparse(_prefixed(tree(text)))


def _prefixed(x: Any) -> Any:
    if isinstance(x, tuple):
        return tuple(_prefixed(i) for i in x)
    if not (is_dataclass(x) and isinstance(x, n.Expression | n.Argument)):
        return x
    if isinstance(x, n.Call) and isinstance(x.function, n.Member) and x.arguments:
        value, rows = x.arguments[0].value, x.function.of
        if isinstance(value, n.Name | n.Member) and _head(value) != rows:
            x = replace(x, arguments=(replace(x.arguments[0], value=_under(value, rows)), *x.arguments[1:]))
    return replace(
        x, **{f.name: _prefixed(getattr(x, f.name)) for f in fields(x) if f.name not in ("span", "name_span")}
    )  # type: ignore[type-var]


def _head(x: n.Expr) -> n.Expr:
    while isinstance(x, n.Member):
        x = x.of
    return x


def _under(x: n.Expr, rows: n.Expr) -> n.Expr:
    if isinstance(x, n.Member):
        return replace(x, of=_under(x.of, rows))
    assert isinstance(x, n.Name)
    return n.Member(of=rows, name=x.name, name_span=x.span, span=x.span)
