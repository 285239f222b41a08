"""A formula laid over its figures: which figure stands for which part of the formula."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .calculator import OF_SCHEDULES, is_lookup
from .language import Node, read
from .values import DIGITS, MISSING, Value, Word, printed

UNITS = r"(?:%| per day| days?| months?| years?)?"
NUMBERS = rf"-?(?:\(\d+/\d+\)|\(-\(?{DIGITS}(?:/\d+\))?{UNITS}\)|{DIGITS}(?:\.\.)?){UNITS}"
FIGURE = rf"{NUMBERS}|\(?-?{NUMBERS}\)?|\d{{4}}-\d{{2}}-\d{{2}}|missing|yes|no|\{{[^{{}}]*\}}|[A-Za-z][A-Za-z0-9_]*|.+?"


@dataclass(frozen=True)
class Hole:
    """A part of a formula that is looked up, and the figure printed in its place; `same` when the formula stands there."""

    node: Node
    text: str
    figure: str
    same: bool

    @property
    def value(self) -> Value:
        """The figure as a value."""
        return figure_value(self.figure)


@dataclass(frozen=True)
class Filled:
    """A formula with its figures: the holes, and the tree of the figures as they are printed."""

    formula: Node
    holes: tuple[Hole, ...]
    figures: Node


def figure_value(figure: str) -> Value:
    """A figure as a value; a negative one may stand in brackets."""
    if figure.startswith("(") and figure.endswith(")"):
        inside = printed(figure[1:-1])
        if not isinstance(inside, Word):
            return inside
    return printed(figure)


def holes_of(node: Node) -> list[Node]:
    """The parts of a formula that are looked up, outermost first."""
    if node.kind == "name":
        return [node]
    if is_lookup(node):
        return [node]
    if node.kind == "in_table":
        table = node.parts[-1]
        return [h for p in node.parts[:-1] for h in holes_of(p)] + [h for p in table.parts for h in holes_of(p)]
    parts = node.parts
    if node.kind == "call":
        parts = parts[1:]
        if node.text in ("first_day", "last_day"):
            parts = parts[:1]
    return [h for p in parts for h in holes_of(p)]


def fill(formula: str, figures: str) -> Filled | None:
    """The formula laid over the figures, or None where they do not fit."""
    tree = read(formula)
    nodes = sorted(holes_of(tree), key=lambda n: n.start)
    pattern, at = "", 0
    for n, node in enumerate(nodes):
        own = formula[node.start : node.end]
        pattern += re.escape(formula[at : node.start]) + f"(?P<h{n}>{FIGURE}|{re.escape(own)})"
        at = node.end
    pattern += re.escape(formula[at:])
    match = re.fullmatch(pattern, figures)
    if match is None:
        return None
    holes: list[Hole] = []
    opaque: dict[str, Value] = {}
    text, at = "", 0
    for n, node in enumerate(nodes):
        own = formula[node.start : node.end]
        figure = match[f"h{n}"]
        holes.append(Hole(node, own, figure, same=figure == own))
        text += figures[at : match.start(f"h{n}")]
        at = match.end(f"h{n}")
        value = figure_value(figure)
        schedule = node.kind == "call" and node.text in OF_SCHEDULES
        if figure != own and not schedule and (isinstance(value, Word | frozenset) or value is MISSING):
            opaque[f"«{n}»"] = value
            text += f"«{n}»"
        else:
            text += figure
    text += figures[at:]
    return Filled(tree, tuple(holes), read(text, opaque))


__all__ = ["Filled", "Hole", "fill", "holes_of"]
