"""What columns of one frame take from other frames, or from other rows of their own: the operations, as data.

Each level has its frame: the episodes, the rows of each list, the groups of each kind. A column of a frame other than the
one that an operation gives to is named with its level.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar

from rxcalc.lang.types import Type

if TYPE_CHECKING:
    from rxcalc.plan.columns.kernel import Kernel

__all__ = [
    "Across",
    "Aggregate",
    "Belongs",
    "Found",
    "Grouped",
    "Lifted",
    "Loop",
    "LoopCall",
    "PairAggregate",
    "Result",
    "gives",
]

X = TypeVar("X")


@dataclass(frozen=True, slots=True)
class Lifted(Generic[X]):
    """A column of the row of `level` that each row belongs to, or of the row at the position `at`. Missing where there is none."""

    level: str
    code: X
    at: X | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What an aggregate gives: how, and how its column is held."""

    function: str
    distinct: bool
    type: Type
    width: int


@dataclass(frozen=True, slots=True)
class Aggregate(Generic[X]):
    """An aggregate over the rows of `element` that belong to the same row of `base` as this row of `level` does.

    With `before` only over those that stand before this one. `keys` are pairs of columns, of this row and of
    the other one, that must be equal. `value`, `where` (None: every row counts) and `fail` are columns of `element`.
    Gives the result, and with `fail` whether finding it fails. The function `rank` counts the rows with a larger value, or an equal
    one and standing before this one, and adds one.
    """

    result: Result
    level: str
    element: str
    base: str
    before: bool
    keys: tuple[tuple[X, X], ...]
    value: X | None
    where: X | None
    fail: X | None


@dataclass(frozen=True, slots=True)
class PairAggregate(Generic[X]):
    """As `Aggregate`, over pairs of this row and the other one: `value`, `where` and `fail` are columns of a kernel of their own.

    `this` and `other` are the columns of the pairs that come from either side, by name.
    """

    result: Result
    level: str
    element: str
    base: str
    before: bool
    kernel: Kernel[X]
    this: Mapping[str, X]
    other: Mapping[str, X]
    value: X | None
    where: X | None
    fail: X | None


@dataclass(frozen=True, slots=True)
class Grouped(Generic[X]):
    """The keys of the groups of a kind, which is formed by it: the different values of `keys` of the rows of `of`.

    `inside`: rows of different episodes are never in one group. Rows `out` are in none.
    """

    kind: str
    of: str
    keys: tuple[X, ...]
    inside: bool
    out: X | None = None


@dataclass(frozen=True, slots=True)
class Belongs:
    """The position of the group of a kind that each row is in; missing where it is in none. `Grouped` comes first."""

    kind: str


@dataclass(frozen=True, slots=True)
class Found(Generic[X]):
    """The position of the group of a kind with these keys (inside one bill: of this row's bill), or missing."""

    kind: str
    keys: tuple[X, ...]
    inside: bool


@dataclass(frozen=True, slots=True)
class LoopCall(Generic[X]):
    """A call over the rows above, inside a loop: the running result that the rows above have left, and whether finding it failed.

    `keys` are pairs of columns of the list, this row's and the other's, that must be equal. `value`, `where` and `fail` are
    columns over what a row keeps.
    """

    place: int
    result: Result
    keys: tuple[tuple[X, X], ...]
    value: X | None
    where: X | None
    fail: X | None


@dataclass(frozen=True, slots=True)
class Loop(Generic[X]):
    """Columns of a list computed row after row in its order, because they read what they gave on the rows above.

    `results` and `kept` are columns of a `kernel` of their own, over `taken` (columns of the list, by name) and the calls (`w:0`
    and `x:0`). What the calls add up are columns of `own`, over `own_taken` and what was kept (by name).
    """

    level: str
    kernel: Kernel[X]
    taken: Mapping[str, X]
    own: Kernel[X]
    own_taken: Mapping[str, X]
    kept: Mapping[str, X]
    calls: Sequence[LoopCall[X]]
    results: Sequence[X]


Across: TypeAlias = "Lifted[X] | Aggregate[X] | PairAggregate[X] | Grouped[X] | Belongs | Found[X] | Loop[X]"


def gives(form: Across[X]) -> int:
    """How many columns an operation gives."""
    match form:
        case Aggregate(fail=fail) | PairAggregate(fail=fail):
            return 1 if fail is None else 2
        case Grouped(keys=keys):
            return len(keys)
        case Loop(results=results):
            return len(results)
        case _:
            return 1
