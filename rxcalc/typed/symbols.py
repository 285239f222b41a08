"""Names of a rulebook and what they stand for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import Enum
from typing import Final

from rxcalc.lang.types import Type
from rxcalc.rulebook.bases import HIDDEN
from rxcalc.source import Span

BASE: Final = "base"
"""In a changed step of an overlay, and only there: the rule that it replaces."""


class Role(Enum):
    """What a name stands for; the value is the word used in messages."""

    INPUT = "input"
    STEP = "step"
    PARAMETER = "parameter"
    TABLE = "table"
    WINDOW = "window"
    TOTAL = "total of a bearer"
    PART = "part of the shares"
    LIST = "list"
    GROUP = "group"
    KEY = "key of a group"
    RECEIVED = "part that a spread gives"


@dataclass(frozen=True, slots=True)
class Symbol:
    """One name. `missing`: an optional input without default, or an optional step. `level`: whose field it is."""

    name: str
    role: Role
    span: Span
    type: Type | None = None
    missing: bool = False
    level: str = ""

    @property
    def key(self) -> str:
        """The name, with its level in front when that is not the episode: unique in a rulebook."""
        return f"{self.level}.{self.name}" if self.level else self.name


@dataclass(frozen=True, slots=True)
class SymbolTable:
    """The names that an expression of one level sees, and its share parts, which have a name space of their own."""

    names: Mapping[str, Symbol]
    shares: Mapping[str, Symbol] = field(default_factory=dict)
    set_values: frozenset[str] = frozenset()

    def nearest(self, word: str, extra: tuple[str, ...] = ()) -> str | None:
        """The known name most like `word`, if any is close."""
        return nearest(word, (*self.names, *self.shares, *extra))


def nearest(word: str, known: tuple[str, ...] | list[str]) -> str | None:
    """The element of `known` most like `word`, if any is close."""
    found = get_close_matches(word, [name for name in known if HIDDEN not in name], n=1)
    return found[0] if found else None
