"""What a back end over columns must be able to do, one small operation at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from rxcalc.lang.types import Type
from rxcalc.plan.columns.across import Across
from rxcalc.plan.nodes import PlanCall, Value

__all__ = ["Kernel", "NotProven", "Pairs"]

X = TypeVar("X")


class NotProven(Exception):  # noqa: N818 -- no error: the step runs on the exact evaluator instead
    """No width holds a value, or the operation has no column form; the text says which."""


class Kernel(Protocol[X]):
    """What a back end over columns must be able to do. An unknown operand gives an unknown result.

    Widths are 64 or 128. Values of a set are held as their position in the set, dates as dates.
    """

    def whole(self, value: int, width: int) -> X:
        """A whole number."""

    def constant(self, value: Value, of: Type) -> X:
        """A value that is no number; None is missing."""

    def always(self) -> X:
        """The flag that holds on every row."""

    def missing(self, of: Type, width: int) -> X:
        """A missing value."""

    def cast(self, a: X, width: int) -> X:
        """The same whole numbers at another width."""

    def unary(self, op: str, a: X) -> X:
        """`abs not known`, `flag` (a flag as 0 or 1), of dates `year month day days first:.. last:..`, `from_days`.

        Parts of dates are whole numbers of 64 bits; `days` counts from 0001-01-01 as 1, as Python does.
        """

    def binary(self, op: str, a: X, b: X) -> X:
        """`+ - * // min max < <= > >= = != and or default`, both operands at one width.

        `//` goes to minus infinity; `and or` are three-valued; `default` fills the missing.
        Also `months` (date + months; missing outside the years 1 to 9999), `has`, `meets`.
        """

    def make_date(self, year: X, month: X, day: X) -> X:
        """A date, or missing when there is no such day."""

    def select(self, condition: X, then: X, otherwise: X) -> X:
        """`then` where the condition holds, else `otherwise` (also where it is unknown)."""

    def share(self, a: X) -> X:
        """The same value, computed once however often it is used from here on."""

    def lookup(self, values: Sequence[Value], index: X, of: Type, width: int) -> X:
        """The value at the index; numbers come as whole numbers."""

    def index(self, keys: Sequence[tuple[X, int]], segment: X | None, size: int) -> X:
        """Position in a flat array: by segment (each of `size` entries), then by keys (position, number of values)."""

    def segment(self, on: X, starts: Sequence[int]) -> X:
        """How many of the ascending start days (ordinals) are not after the date."""

    def recode(self, a: X, of: Sequence[str], into: Sequence[str]) -> X:
        """Positions in one set as positions in another."""

    def input(self, name: str, of: Type, width: int) -> X:
        """An input."""

    def window(self, call: int, of: Type, width: int) -> X:
        """The result of a window call."""

    def pairs(self, form: Pairs[X], call: PlanCall, width: int) -> tuple[X, X | None]:
        """The result of a window call that looks at pairs of rows, and where that fails (None: nowhere)."""

    def apart(self) -> Kernel[X]:
        """A kernel of the same kind for another frame of rows."""

    def taken(self, name: str) -> X:
        """A column that is there from the start."""

    def frame(self, level: str) -> Kernel[X]:
        """The kernel for the rows of another level, in the same run."""

    def across(self, form: Across[X]) -> tuple[X, ...]:
        """Columns taken from other frames or rows, as the form says."""

    def find_row(self, table: str, keys: Sequence[tuple[X, Type, int]], on: X | None) -> X:
        """The position of the table's row for the keys (with each number's scale) at the date, or missing."""


@dataclass(frozen=True, slots=True)
class Pairs(Generic[X]):
    """A window call over pairs of a row and an earlier one: columns of a `kernel` of their own.

    `this` are the columns of the pairs that come from this row's frame, `earlier` those that were kept of the
    earlier one, under the name kept. `where` None: every pair counts. `fail` counts whether `where` holds or not.
    """

    place: int
    kernel: Kernel[X]
    value: X | None
    where: X | None
    fail: X | None
    this: Mapping[str, X]
    earlier: Mapping[str, str]
