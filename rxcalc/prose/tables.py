"""Decision tables as grids: a column for each expression, a row for each row, the result last."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from rxcalc.prose.expressions import Expressions
from rxcalc.prose.model import Grid, Run, Sentence, plain
from rxcalc.prose.phrase import CHAIN, TERM
from rxcalc.prose.words import CONDITIONS, fill
from rxcalc.syntax import nodes as n
from rxcalc.syntax.unparse import unparse

HEADS: Final[dict[str, tuple[str, str]]] = {
    "row": ("Row", "行"),
    "then": ("Then", "结果"),
    "any": ("any", "不限"),
    "otherwise": ("otherwise", "其他情形"),
    "or": (" or ", "或"),
}  # fmt: skip


def decision_grid(
    rows: tuple[tuple[n.Expr | None, Sentence], ...], words: Callable[[int], Expressions], at: int
) -> Grid | None:
    """The grid of a decision table; None where a row's condition is not made of cells.

    `rows` are conditions (None: otherwise) with what they give; `words` gives the words of a row; `at` is the language.
    """
    columns: dict[str, Sentence] = {}
    found: list[dict[str, Sentence]] = []
    for number, (when, _) in enumerate(rows):
        cells: dict[str, Sentence] = {}
        x = words(number)
        for item in when.items if isinstance(when, n.And) else () if when is None else (when,):
            left = _left(item)
            if left is None or unparse(left) in cells:
                return None
            columns.setdefault(unparse(left), x.operand(left, CHAIN))
            cells[unparse(left)] = _cell(x, item, at)
        found.append(cells)
    any_ = (Run(HEADS["any"][at]),)
    shown = []
    for number, (cells, (when, then)) in enumerate(zip(found, rows, strict=True), start=1):
        middle = tuple(cells.get(column, any_) for column in columns)
        if when is None and columns:
            middle = ((Run(HEADS["otherwise"][at]),), *(() for _ in range(len(columns) - 1)))
        shown.append(((Run(str(number)),), *middle, then))
    heads = (_word("row", at), *(_capital(c) for c in columns.values()), _word("then", at))
    return Grid(heads, tuple(shown))


def _left(x: n.Expr) -> n.Expr | None:
    match x:
        case n.Compare():
            return x.left
        case n.Between() | n.InSet() | n.IsKnown():
            return x.operand
        case n.InTable() if len(x.keys) == 1:
            return x.keys[0]
        case _:
            return None


def _cell(x: Expressions, item: n.Expr, at: int) -> Sentence:
    """A condition without its left side."""
    match item:
        case n.Compare(operator="="):
            return x.operand(item.right, CHAIN, like=item.left)
        case n.InSet() if len(item.members) > 1:
            runs: list[Run] = []
            for place, member in enumerate(item.members):
                runs += [Run(HEADS["or"][at])] if place else []
                runs += x.operand(member, TERM, like=item.operand)
            return tuple(runs)
        case n.Compare():
            parts = {"a": (), "b": x.operand(item.right, CHAIN, like=item.left)}
            return _trimmed(fill(CONDITIONS[x.relation(item)][at], parts))
        case n.Between():
            low, high = (x.operand(end, CHAIN, like=item.operand) for end in (item.low, item.high))
            return _trimmed(fill(CONDITIONS["between"][at], {"a": (), "b": low, "c": high}))
        case n.IsKnown():
            return _trimmed(fill(CONDITIONS["known" if item.known else "missing"][at], {"a": ()}))
        case _:
            return x.condition(item, 0)


SAID: Final = ("is ", "lies ")


def _trimmed(runs: Sentence) -> Sentence:
    text = runs[0].text.lstrip()
    for verb in SAID:
        text = text.removeprefix(verb)
    return (Run(text, runs[0].ref), *runs[1:])


def _word(key: str, at: int) -> Sentence:
    return (Run(HEADS[key][at]),)


def _capital(runs: Sentence) -> Sentence:
    """A heading: with a capital, and without the article that a sentence wants."""
    if len(runs) > 1 and runs[0].text == "the ":
        runs = runs[1:]
    text = plain(runs[:1])
    return (Run(text[:1].upper() + text[1:], runs[0].ref), *runs[1:])
