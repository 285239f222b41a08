"""What a change of rulebook moves over many bills, as data."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class Total:
    """The sum of an amount over all bills that both rulebooks compute, and on how many of them it differs."""

    name: str
    old: Fraction
    new: Fraction
    changed: int

    @property
    def moved(self) -> Fraction:
        """New less old."""
        return self.new - self.old


@dataclass(frozen=True)
class Bill:
    """One bill: its id and the amount under both."""

    id: str
    old: Fraction
    new: Fraction

    @property
    def moved(self) -> Fraction:
        """New less old."""
        return self.new - self.old


@dataclass(frozen=True)
class Side:
    """The bills on which the amount moved one way: how many, by how much together, the ones that moved most."""

    count: int
    moved: Fraction
    largest: tuple[Bill, ...]


@dataclass(frozen=True)
class Bin:
    """Bills of which the amount moved by `low` to `high`: of the two, the limit that is farther from 0 is included."""

    low: Fraction
    high: Fraction
    count: int


@dataclass(frozen=True)
class Group:
    """The bills that have the same values in the fields of `--by`."""

    key: tuple[str, ...]
    count: int
    lower: int
    higher: int
    old: Fraction
    new: Fraction


@dataclass(frozen=True)
class Refusal:
    """A bill that only one rulebook refuses: its id, the code, and why."""

    id: str
    code: str
    message: str


@dataclass(frozen=True)
class Refused:
    """Bills that only one of the rulebooks refuses: how many, by code, examples, and the amount that the other gives."""

    count: int
    codes: tuple[tuple[str, int], ...]
    examples: tuple[Refusal, ...]
    amount: Fraction


@dataclass(frozen=True, kw_only=True)
class Moved:
    """The comparison of two runs over the same bills.

    `changed` counts bills of which any compared result differs, `others` by name those results that are no amounts.
    `deciles` are of the movement among the bills whose `amount` moved: the least, the nine deciles, the most (the smallest
    value that at least a tenth, two tenths .. of them do not pass). `heads` counts persons, None where no input names them.
    """

    amount: str
    decimals: int
    read: int
    both: int
    changed: int
    rejected_by_both: int
    newly_rejected: Refused
    newly_accepted: Refused
    totals: tuple[Total, ...]
    others: tuple[tuple[str, int], ...]
    lower: Side
    higher: Side
    deciles: tuple[Fraction, ...]
    histogram: tuple[Bin, ...]
    by: tuple[str, ...]
    groups: tuple[Group, ...]
    heads: int | None
    heads_by: str
    only_old: tuple[str, ...] = ()
    only_new: tuple[str, ...] = ()

    @property
    def total(self) -> Total:
        """The total of the chosen amount."""
        return next(t for t in self.totals if t.name == self.amount)

    @property
    def differs(self) -> bool:
        """Whether any bill comes out otherwise."""
        return bool(self.changed or self.newly_rejected.count or self.newly_accepted.count)
