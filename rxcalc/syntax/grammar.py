"""The grammar file, found and built into parsers once."""

from __future__ import annotations

from functools import cache
from importlib import resources
from pathlib import Path
from typing import Final

from lark import Lark

STARTS: Final = ("rule", "expression", "cell")


def grammar_text() -> str:
    """The grammar: the copy inside an installed package, else the repository's."""
    packaged = resources.files("rxcalc") / "grammar" / "rxcalc.lark"
    if packaged.is_file():
        return packaged.read_text(encoding="utf-8")
    return (Path(__file__).parents[2] / "grammar" / "rxcalc.lark").read_text(encoding="utf-8")


@cache
def parser() -> Lark:
    """The parser for every start of `STARTS`, built at the first call."""
    return Lark(
        grammar_text(),
        parser="lalr",
        lexer="contextual",
        start=list(STARTS),
        propagate_positions=True,
        maybe_placeholders=False,
        cache=False,
    )
