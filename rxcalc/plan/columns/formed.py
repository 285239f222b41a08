"""The value of a node in columns, and when computing it fails."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from rxcalc.plan.columns.kernel import Kernel, NotProven
from rxcalc.plan.columns.numbers import Number

__all__ = ["Formed", "either", "under"]

X = TypeVar("X")


@dataclass(frozen=True, slots=True)
class Formed(Generic[X]):
    """A node in columns.

    Exactly one of `number` (numeric types) and `code` (all others) is set, unless `absent`: then
    no column can hold the value, and every row that needs it is left to the exact evaluator.
    `fail` holds on the rows on which evaluating the node is an error (None: on no row); it has
    a meaning only where the node is evaluated. `at` is the position of a literal of a set.
    """

    number: Number[X] | None = None
    code: X | None = None
    fail: X | None = None
    absent: bool = False
    at: int | None = None

    @property
    def as_number(self) -> Number[X]:
        """The number; NotProven when there is none."""
        if self.number is None:
            raise NotProven
        return self.number

    @property
    def as_code(self) -> X:
        """The code; NotProven when there is none."""
        if self.code is None:
            raise NotProven
        return self.code


def either(kernel: Kernel[X], *fails: X | None) -> X | None:
    """Where any of the failures holds."""
    known = [fail for fail in fails if fail is not None]
    if not known:
        return None
    result = known[0]
    for fail in known[1:]:
        result = kernel.binary("or", result, fail)
    return result


def under(kernel: Kernel[X], guard: X, fail: X | None) -> X | None:
    """A failure that counts only where the guard holds."""
    return None if fail is None else kernel.binary("and", guard, fail)
