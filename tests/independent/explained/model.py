"""What a printed explanation holds: facts, steps, lists, groups, shares, each with the line on which it stands."""

from __future__ import annotations

from dataclasses import dataclass, field

from .lines import Told


@dataclass(frozen=True)
class Band:
    """A line of bands: `low .. high : length * rate = amount (from given)`."""

    low: str
    high: str
    length: str
    rate: str
    amount: str
    rounded: str
    given: str
    line: int


@dataclass
class Row:
    """The figures of one row of a list, under the clause and the formula that decided."""

    key: str
    clause: str
    formula: str
    text: str
    value: str
    line: int
    notes: list[Told] = field(default_factory=list)


@dataclass
class Item:
    """A step with all that is told of it. In a list it has `rows` instead of one value."""

    title: str
    label: str
    name: str
    value: str
    line: int
    told: list[Told] = field(default_factory=list)
    bands: list[list[Band]] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)

    def all(self, key: str) -> list[Told]:
        """What is told under a key."""
        return [t for t in self.told if t.key == key]

    def one(self, key: str) -> str:
        """The text under a key, or nothing."""
        found = self.all(key)
        return found[0].text if found else ""


@dataclass(frozen=True)
class Part:
    """A part of an amount that is divided."""

    bearer: str
    label: str
    amount: str
    reason: str
    told: list[Told]
    line: int


@dataclass
class Shares:
    """Who bears an amount; `told` says how the amount came about."""

    name: str
    amount: str
    line: int
    told: list[Told] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)


@dataclass(frozen=True)
class Fact:
    """A label with a value."""

    label: str
    value: str
    line: int
    working: str = ""


@dataclass
class Listing:
    """A list of the bill: its rows at a glance, then its steps. `rows` hold cells by label, in full also facts and items."""

    name: str
    label: str
    count: int
    line: int
    rows: dict[str, dict[str, Fact]] = field(default_factory=dict)
    items: list[Item] = field(default_factory=list)
    row_items: dict[str, list[Item]] = field(default_factory=dict)
    twice: list[str] = field(default_factory=list)  # rows that one table shows twice


@dataclass
class Group:
    """A group behind the bill."""

    kind: str
    label: str
    keys: list[Fact]
    line: int
    given_only: bool = False
    members: Told | None = None
    facts: list[Fact] = field(default_factory=list)
    results: list[Fact] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    shares: list[Shares] = field(default_factory=list)


@dataclass(frozen=True)
class Window:
    """A call over earlier episodes with its value and what was seen."""

    call: str
    value: str
    seen: str
    days: str
    line: int


@dataclass
class Page:
    """All that a printed explanation says."""

    title: str = ""
    facts: list[Fact] = field(default_factory=list)
    lists: list[Listing] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    shares: list[Shares] = field(default_factory=list)
    totals: list[Fact] = field(default_factory=list)
    results: list[Fact] = field(default_factory=list)
    findings: list[Item] = field(default_factory=list)
    windows: list[Window] = field(default_factory=list)
    assumed: list[Told] = field(default_factory=list)
    notices: list[Told] = field(default_factory=list)
    refusal: Told | None = None
    reverses: bool = False
    width: int = 80
