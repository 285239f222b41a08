"""Names of a rulebook and what they stand for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import Enum

from rxcalc.lang.types import Type
from rxcalc.source import Span


class Role(Enum):
    """What a name stands for; the value is the word used in messages."""

    INPUT = "input"
    STEP = "step"
    PARAMETER = "parameter"
    TABLE = "table"
    WINDOW = "window"
    TOTAL = "total of a bearer"
    PART = "part of the shares"


@dataclass(frozen=True, slots=True)
class Symbol:
    """One name. `missing`: an optional input without default, or an optional step."""

    name: str
    role: Role
    span: Span
    type: Type | None = None
    missing: bool = False


@dataclass(frozen=True, slots=True)
class SymbolTable:
    """The one name space of inputs, steps, parameters, tables and windows, and that of share parts."""

    names: Mapping[str, Symbol]
    shares: Mapping[str, Symbol] = field(default_factory=dict)
    set_values: frozenset[str] = frozenset()

    def nearest(self, word: str, extra: tuple[str, ...] = ()) -> str | None:
        """The known name most like `word`, if any is close."""
        return nearest(word, (*self.names, *self.shares, *extra))


def nearest(word: str, known: tuple[str, ...] | list[str]) -> str | None:
    """The element of `known` most like `word`, if any is close."""
    found = get_close_matches(word, known, n=1)
    return found[0] if found else None
