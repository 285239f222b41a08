"""The accounts of a batch: what was read equals what was written, rejected, recognised as a total, or blank."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final

from rxcalc.tabular.totals import TotalRows

KINDS: Final = ("written", "rejected", "totals", "blank")


@dataclass(slots=True)
class Account:
    """Records of one kind: how many, the sum of each money input, and the money cells that cannot be read."""

    records: int = 0
    sums: dict[str, Fraction] = field(default_factory=dict)
    unreadable: dict[str, int] = field(default_factory=dict)

    def add(self, name: str, amount: Fraction | int | None) -> None:
        """Count one cell, or a sum; None is a cell that cannot be read."""
        if amount is None:
            self.unreadable[name] = self.unreadable.get(name, 0) + 1
        elif amount:
            self.sums[name] = self.sums.get(name, Fraction(0)) + amount

    def merge(self, other: Account) -> None:
        """Add another account of the same kind."""
        self.records += other.records
        for name, amount in other.sums.items():
            self.add(name, amount)
        for name, count in other.unreadable.items():
            self.unreadable[name] = self.unreadable.get(name, 0) + count

    def state(self) -> list[Any]:
        """The account for a journal: plain JSON."""
        return [self.records, {name: str(amount) for name, amount in self.sums.items()}, self.unreadable]

    @classmethod
    def of(cls, state: Sequence[Any]) -> Account:
        """The account that had a state."""
        records, sums, unreadable = state
        return cls(records, {name: Fraction(amount) for name, amount in sums.items()}, dict(unreadable))


@dataclass(slots=True)
class Accounts:
    """`read` is added up on its own, from whole columns, so that it checks the other four."""

    money: tuple[str, ...]
    read: Account = field(default_factory=Account)
    kinds: dict[str, Account] = field(default_factory=lambda: {kind: Account() for kind in KINDS})
    total_rows: TotalRows = field(default_factory=TotalRows)
    # of a block: the line of each row of totals in it, what it says, and what the data rows above it in the block say
    found_totals: list[tuple[int, dict[str, Fraction], dict[str, Fraction]]] = field(default_factory=list)

    def merge(self, other: Accounts, line: int = 0) -> None:
        """Add the accounts of the next block, which starts on a line."""
        if other.found_totals:
            before = {name: self.read.sums.get(name, Fraction(0)) for name in self.money}
            for name, amount in self.kinds["totals"].sums.items():
                before[name] -= amount
            for at, said, above in other.found_totals:
                here = {name: amount + above.get(name, 0) for name, amount in before.items()}
                self.total_rows.add(line + at, said, here)
        self.read.merge(other.read)
        for kind, account in other.kinds.items():
            self.kinds[kind].merge(account)

    def state(self) -> list[Any]:
        """The accounts for a journal: plain JSON."""
        kinds = {kind: account.state() for kind, account in self.kinds.items()}
        return [self.read.state(), kinds, self.total_rows.state()]

    @classmethod
    def of(cls, money: tuple[str, ...], state: Sequence[Any]) -> Accounts:
        """The accounts that had a state."""
        read, kinds, rows = state
        own = {kind: Account.of(account) for kind, account in kinds.items()}
        return cls(money, Account.of(read), own, TotalRows.of(rows))

    def differences(self) -> tuple[str, ...]:
        """What does not reconcile; empty unless rxcalc itself is at fault."""
        found = []
        records = sum(account.records for account in self.kinds.values())
        if records != self.read.records:
            found.append(f"{self.read.records} records read, {records} accounted for")
        for name in self.money:
            parts = sum((account.sums.get(name, Fraction(0)) for account in self.kinds.values()), Fraction(0))
            if parts != self.read.sums.get(name, Fraction(0)):
                found.append(f"{name}: {self.read.sums.get(name, Fraction(0))} read, {parts} accounted for")
            unreadable = sum(account.unreadable.get(name, 0) for account in self.kinds.values())
            if unreadable != self.read.unreadable.get(name, 0):
                found.append(
                    f"{name}: {self.read.unreadable.get(name, 0)} cells unreadable, {unreadable} accounted for"
                )
        return tuple(found)

    def counts(self) -> dict[str, int]:
        """The five counts, `read` first."""
        return {"read": self.read.records, **{kind: self.kinds[kind].records for kind in KINDS}}

    def totals(self, decimals: Mapping[str, int]) -> dict[str, dict[str, object]]:
        """Per money input the five sums as plain decimals, and the cells that could not be read."""
        out: dict[str, dict[str, object]] = {}
        for name in self.money:
            sums = {"read": self.read, **self.kinds}
            row: dict[str, object] = {
                kind: plain(account.sums.get(name, Fraction(0)), decimals[name]) for kind, account in sums.items()
            }
            row["unreadable_cells"] = self.read.unreadable.get(name, 0)
            out[name] = row
        return out

    def total_rows_json(self, decimals: Mapping[str, int]) -> dict[str, object]:
        """What the rows of totals say, held against the records above them; {} where none says an amount."""
        rows = self.total_rows
        if not rows.said:
            return {}
        differing = [
            {
                "line": row.line,
                **{
                    what: {name: plain(sums.get(name, Fraction(0)), decimals[name]) for name in row.said}
                    for what, sums in (("says", row.said), ("above", row.above), ("since_last", row.since))
                },
            }
            for row in rows.first
        ]
        return {"total_rows": {"equal": rows.said - rows.wrong, "different": rows.wrong, "rows": differing}}


def plain(amount: Fraction, decimals: int) -> str:
    """The exact amount with at least `decimals` digits after the point, more when it has more.

    >>> plain(Fraction(5, 2), 2)
    '2.50'
    """
    while (amount * 10**decimals).denominator != 1:
        decimals += 1
    units = int(amount * 10**decimals)
    digits = str(abs(units)).rjust(decimals + 1, "0")
    body = f"{digits[:-decimals]}.{digits[-decimals:]}" if decimals else digits
    return f"-{body}" if units < 0 else body
