"""What a change of rulebook moves over many bills, as data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from rxcalc.compare.model import Subject


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


@dataclass(frozen=True)
class Found:
    """The findings of one check under both: how many, those of one alone, what they come to, bills with such ones.

    A finding is the same when it is on the same bill and the same row of it. `old` or `new` None: that rulebook has no
    such check. Amounts are None where the check has none.
    """

    check: str
    severity: str
    old: int | None
    new: int | None
    gone: int
    come: int
    old_amount: Fraction | None
    new_amount: Fraction | None
    gone_on: tuple[str, ...]
    come_on: tuple[str, ...]

    @property
    def differs(self) -> bool:
        """Whether anything was found by one that was not by the other."""
        return bool(self.gone or self.come) or self.old_amount != self.new_amount


@dataclass(frozen=True)
class GroupExample:
    """A group whose results differ: its keys as texts, the first result that differs, and its values as texts."""

    key: tuple[str, ...]
    name: str
    old: str
    new: str


@dataclass(frozen=True)
class Across:
    """The groups of one kind that goes across bills, or the rows of a list, of which `keys` are the bill and which row of it.

    `both` groups are computed by both, `changed` of them with any other result; `only_old` and `only_new` by one alone.
    `totals` are of amounts over those of both.
    """

    kind: str
    keys: tuple[str, ...]
    both: int
    changed: int
    only_old: int
    only_new: int
    totals: tuple[Total, ...]
    others: tuple[tuple[str, int], ...]
    examples: tuple[GroupExample, ...]

    @property
    def differs(self) -> bool:
        """Whether any group comes out otherwise."""
        return bool(self.changed or self.only_old or self.only_new)


@dataclass(frozen=True)
class OneDay:
    """One rulebook taken as it is on a day, for bills of all days.

    `other` of its computed bills are of days on which the rulebook itself has other values or is not in force, `outside`
    of those of days on which it is not in force. `literals` are the dates that its rules name, and where.
    """

    day: date
    wanted: date
    bills: int
    other: int
    outside: int
    effective: tuple[date, date | None]
    literals: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Days:
    """Days that bear on the comparison of bills.

    `first` and `last` are those of the bills that either computes. `not_in_force` counts, for old and new, bills refused
    because the rulebook is not in force on their days. `later`: changes that begin after all bills, with their days.
    `one` has both rulebooks as of one day, if that was asked for.
    """

    first: date | None = None
    last: date | None = None
    not_in_force: tuple[int, int] = (0, 0)
    later: tuple[tuple[Subject, date], ...] = ()
    one: tuple[OneDay, OneDay] | None = None


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
    found: tuple[Found, ...] = ()
    across: tuple[Across, ...] = ()
    lists: tuple[Across, ...] = ()
    days: Days = Days()
    earlier: tuple[str, ...] = ()  # files of earlier results, which stand as recorded under both
    opening: str = ""
    unopened: tuple[tuple[str, tuple[str, ...]], ...] = ()  # by side the window calls that `opening` says nothing of
    alone: tuple[str, ...] = ()  # of "earlier" and "opening": what only one of the two reads, as `old earlier`

    @property
    def total(self) -> Total:
        """The total of the chosen amount."""
        return next(t for t in self.totals if t.name == self.amount)

    @property
    def differs(self) -> bool:
        """Whether any bill comes out otherwise."""
        bills = self.changed or self.newly_rejected.count or self.newly_accepted.count
        return bool(bills) or self.beside

    @property
    def beside(self) -> bool:
        """Whether anything comes out otherwise that is no result of a bill: findings, groups across bills, rows of lists."""
        return any(f.differs for f in self.found) or any(a.differs for a in (*self.across, *self.lists))
