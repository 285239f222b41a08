"""What can be covered in a rulebook, and what was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from rxcalc.plan.nodes import Place
from rxcalc.tracing.hits import Hit

KINDS: Final = (
    "clauses", "branches", "decision rows", "bands", "parameter dates", "parameter keys", "table rows", "line rules", "shares",
    "requires", "checks",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Item:
    """Something of a rulebook that an example can use.

    `what` says which one in words: the condition of a clause, the date and key of a value, a band. Any of `hits`
    covers it. `lacking` is what to say after "no example" where none does.
    """

    kind: str
    name: str
    level: str
    what: str
    place: Place
    hits: tuple[Hit, ...]
    lacking: str


@dataclass(frozen=True, slots=True)
class Share:
    """How many of so many are covered."""

    covered: int
    of: int

    @property
    def percent(self) -> str:
        """With one decimal, rounded down, so that 100.0 means all."""
        tenths = self.covered * 1000 // self.of if self.of else 0
        return f"{tenths // 10}.{tenths % 10}"

    def is_under(self, percent: Fraction) -> bool:
        """Whether the exact share is less than this many percent."""
        return Fraction(self.covered * 100, self.of or 1) < percent


@dataclass(frozen=True, slots=True)
class Coverage:
    """The items of a rulebook in the order of its files, and how many episodes or groups of its examples used each."""

    items: tuple[Item, ...]
    counts: tuple[int, ...]

    @property
    def total(self) -> Share:
        """All items together."""
        return _share(self.counts)

    @property
    def kinds(self) -> dict[str, Share]:
        """By kind, those of which there are any."""
        by_kind: dict[str, list[int]] = {}
        for item, count in zip(self.items, self.counts, strict=True):
            by_kind.setdefault(item.kind, []).append(count)
        return {kind: _share(by_kind[kind]) for kind in KINDS if kind in by_kind}

    @property
    def uncovered(self) -> list[Item]:
        """What no example uses."""
        return [item for item, count in zip(self.items, self.counts, strict=True) if not count]


def measured(items: Sequence[Item], used: Iterable[frozenset[Hit]], implied: Mapping[Hit, tuple[Hit, ...]]) -> Coverage:
    """The coverage by episodes and groups that used so much each; a hit stands also for those that it implies."""
    of: dict[Hit, list[int]] = {}
    for at, item in enumerate(items):
        for hit in item.hits:
            of.setdefault(hit, []).append(at)
    counts: Counter[int] = Counter()
    for hits in used:
        whole = hits.union(*(implied[hit] for hit in hits if hit in implied))
        counts.update({at for hit in whole for at in of.get(hit, ())})
    return Coverage(tuple(items), tuple(counts[at] for at in range(len(items))))


def _share(counts: Sequence[int]) -> Share:
    return Share(sum(1 for count in counts if count), len(counts))
