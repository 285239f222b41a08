"""Formulas as text with holes, so that figures can be put where the names stand."""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass, replace
from typing import Final

from rxcalc.plan.nodes import Formula
from rxcalc.syntax import nodes as syn
from rxcalc.syntax.unparse import unparse

HOLE: Final = re.compile(r"hole(\d+)hole")


def formula(e: syn.Expr, places: dict[int, int]) -> Formula:
    """The canonical text of `e` cut at the expressions in `places` (by identity), which become holes.

    The outermost expression found in `places` wins: a schedule call is one hole, not its arguments.
    """
    held: list[tuple[int, str]] = []

    def cut(node: object) -> object:
        if isinstance(node, syn.Expression) and id(node) in places:
            held.append((places[id(node)], unparse(node)))  # type: ignore[arg-type]  # every Expression is an Expr
            return syn.Name(span=node.span, name=f"hole{len(held) - 1}hole")
        if isinstance(node, tuple):
            return tuple(cut(item) for item in node)
        if isinstance(node, syn.Expression | syn.Argument) and is_dataclass(node):
            changes = {
                f.name: cut(value)
                for f in fields(node)
                if isinstance(value := getattr(node, f.name), syn.Expression | syn.Argument | tuple)
            }
            return replace(node, **changes)  # type: ignore[arg-type]  # fields of the same types as before
        return node

    text = unparse(cut(e))  # type: ignore[arg-type]  # an Expr again
    parts: list[str | int] = []
    names: list[str] = []
    at = 0
    for match in HOLE.finditer(text):
        if match.start() > at:
            parts.append(text[at : match.start()])
            names.append(text[at : match.start()])
        node, name = held[int(match[1])]
        parts.append(node)
        names.append(name)
        at = match.end()
    if at < len(text):
        parts.append(text[at:])
        names.append(text[at:])
    return Formula(tuple(parts), tuple(names))
