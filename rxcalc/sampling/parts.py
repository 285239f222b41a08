"""Typed parts of the formulas of hints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final, TypeAlias

from rxcalc.lang.types import COUNT, NUMBER, ZERO, Type
from rxcalc.sampling.rows import Making, Unmade
from rxcalc.syntax import nodes as syn

Run: TypeAlias = Callable[[Making], Any]


@dataclass(frozen=True, slots=True)
class Part:
    """A typed part of a formula. `digits` are those behind the point of a written number."""

    type: Type
    run: Run
    digits: int | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is wanted where an expression stands: its type, if known, and the grid that a draw standing alone is on."""

    type: Type | None = None
    grid: Fraction | None = None


ANY: Final = Wanted()


def nothing(_: Making) -> None:
    """The value of what was already reported."""


def number(e: syn.Number) -> Part:
    """A written number."""
    if e.value == 0 and e.decimals == 0:
        return constant(ZERO, 0, 0)
    return constant(COUNT, int(e.value), 0) if e.decimals == 0 else constant(NUMBER, e.value, e.decimals)


def constant(of: Type, value: Any, digits: int | None = None) -> Part:
    """A value that is the same in every row."""
    return Part(of, lambda _: value, digits)


def digits_of(value: Fraction) -> int:
    """The digits behind the point of a written decimal."""
    digits = 0
    while value.denominator != 1:
        value, digits = value * 10, digits + 1
    return digits


def apply(of: Callable[..., Any], *parts: Part) -> Run:
    """An operation on values; missing where one of them is."""
    runs = [p.run for p in parts]

    def run(c: Making) -> Any:
        values = [r(c) for r in runs]
        if any(v is None for v in values):
            return None
        try:
            return of(*values)
        except (OverflowError, ValueError) as error:
            raise Unmade("the hints lead to a day that does not exist", str(error)) from None

    return run
