"""Rows of totals (合计, 小计, total): what they say, and what the records above them add up to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final

Sums = Mapping[str, Fraction]
_KEPT: Final = 20


@dataclass(frozen=True, slots=True)
class TotalRow:
    """A row of totals: its line, the amounts it says, and those of all records above it.

    `since` are the amounts of the records since the row of totals before.
    """

    line: int
    said: Sums
    above: Sums
    since: Sums

    @property
    def holds(self) -> bool:
        """Whether it is the total of everything above it, or of what came since the row of totals before."""
        return any(
            all(sums.get(name, 0) == amount for name, amount in self.said.items()) for sums in (self.above, self.since)
        )


@dataclass(slots=True)
class TotalRows:
    """The rows of totals that say an amount: how many, how many do not hold, the first of them, and the last."""

    said: int = 0
    wrong: int = 0
    first: list[TotalRow] = field(default_factory=list)  # of those that do not hold
    last: Sums = field(default_factory=dict)  # what stood above the last row of totals

    def add(self, line: int, said: Sums, above: Sums) -> None:
        """The next row of totals of the file."""
        row = TotalRow(line, said, above, _less(above, self.last))
        self.last = above
        if not said:
            return
        self.said += 1
        if not row.holds:
            self.wrong += 1
            if len(self.first) < _KEPT:
                self.first.append(row)

    def state(self) -> list[Any]:
        """The rows for a journal: plain JSON."""
        rows = [[row.line, _texts(row.said), _texts(row.above), _texts(row.since)] for row in self.first]
        return [self.said, self.wrong, rows, _texts(self.last)]

    @classmethod
    def of(cls, state: Sequence[Any]) -> TotalRows:
        """The rows that had a state."""
        said, wrong, rows, last = state
        first = [TotalRow(line, _sums(a), _sums(b), _sums(c)) for line, a, b, c in rows]
        return cls(said, wrong, first, _sums(last))


def _less(one: Sums, other: Sums) -> Sums:
    return {name: one.get(name, Fraction(0)) - other.get(name, Fraction(0)) for name in {**one, **other}}


def _texts(sums: Sums) -> dict[str, str]:
    return {name: str(amount) for name, amount in sums.items()}


def _sums(texts: Mapping[str, str]) -> Sums:
    return {name: Fraction(text) for name, text in texts.items()}
