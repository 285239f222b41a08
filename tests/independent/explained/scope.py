"""Where a name may come from: the inputs and steps that a reader sees, and the values cited on the spot."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import date

from .calculator import worked_out
from .language import Node, NotReadable
from .model import Fact
from .told import Called, Cited
from .values import MISSING, UNKNOWN, Value, Word, bare, printed, same, shown


@dataclass(frozen=True)
class Problem:
    """What does not follow from the text."""

    line: int
    kind: str
    message: str


@dataclass
class Report:
    """What was found, and how much was redone."""

    problems: list[Problem] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, line: int, kind: str, message: str) -> None:
        """Notes what does not follow."""
        self.problems.append(Problem(line, kind, message))

    def count(self, what: str, how_many: int = 1) -> None:
        """Notes what was redone."""
        self.counts[what] += how_many

    @property
    def redone(self) -> int:
        """How many lines of arithmetic were redone."""
        return sum(n for what, n in self.counts.items() if what.startswith("line: "))

    @property
    def traced(self) -> int:
        """How many numbers were found among the inputs, the results and the cited values."""
        return sum(n for what, n in self.counts.items() if what.startswith("number: "))


def spelled(label: str) -> str:
    """A label as a name would be written."""
    return re.sub(r"[^a-z0-9]+", "_", label.lower()).strip("_")


@dataclass
class Scope:
    """What one row can read: its own inputs and steps, then those of the bill around it."""

    name: str = ""
    facts: list[Fact] = field(default_factory=list)
    steps: dict[str, Value] = field(default_factory=dict)
    above: Scope | None = None
    rows: dict[str, dict[str, Scope]] = field(default_factory=dict)
    windows: dict[str, Value] = field(default_factory=dict)
    mode: str = "half-up"
    bound: dict[str, Value] = field(default_factory=dict)
    parts: list[tuple[str, Value]] = field(default_factory=list)  # of the shares, by bearer
    members: frozenset[str] = frozenset()  # of a group, where all are listed
    labels: set[str] = field(default_factory=set)
    read: dict[str, tuple[Value, int]] = field(default_factory=dict)  # what names stood for, and on which line

    def chain(self) -> list[Scope]:
        """This scope and those around it."""
        return [self, *(self.above.chain() if self.above is not None else [])]

    def facts_like(self, name: str, value: Value) -> list[Fact]:
        """The inputs that may bear a name and have a value: by its label, else any of that value."""
        for scope in self.chain():
            named = [f for f in scope.facts if spelled(f.label) == name]
            if named:
                return [f for f in named if same(printed(f.value), value)]
            found = [f for f in scope.facts if same(printed(f.value), value)]
            if found:
                return found
        return []


@dataclass
class Sources:
    """What one step tells beside its figures: cited values, values of groups, calls over rows."""

    cited: list[Cited] = field(default_factory=list)
    grouped: list[Cited] = field(default_factory=list)
    called: list[Called] = field(default_factory=list)


class Names:
    """The values that the parts of a formula may have, by what the text says."""

    def __init__(self, scope: Scope, sources: Sources) -> None:
        self.scope = scope
        self.sources = sources

    def lookup(self, node: Node) -> Value:
        """The value of a part of a formula where the text decides it, else UNKNOWN."""
        values = self.values(node)
        return values[0] if len(values) == 1 or (values and all(same(v, values[0]) for v in values)) else UNKNOWN

    def values(self, node: Node) -> list[Value]:
        """The values that a part of a formula is said to have somewhere; none where nothing is said."""
        match node.kind:
            case "name":
                return self._of_name(node.text)
            case "index":
                return self._cited(node.parts[0].text, node.parts[1:], "")
            case "at":
                return self._at(node)
            case "member":
                of = node.parts[0]
                if of.kind == "index":
                    return self._cited(of.parts[0].text, of.parts[1:], node.text) or self._grouped(
                        of.parts[0].text, of.parts[1:], node.text
                    )
                return self._grouped(of.text, (), node.text) or self._of_name(f"{of.text}.{node.text}")
        return []

    def _at(self, node: Node) -> list[Value]:
        """A value at another date: what is cited for that date."""
        on = worked_out(node.parts[1], self.in_formula, self.scope.mode)
        before = self.sources.cited
        if isinstance(on, date) and any(c.at for c in before):
            self.sources.cited = [c for c in before if c.at == on.isoformat()]
        try:
            return self.values(node.parts[0])
        finally:
            self.sources.cited = before

    def _of_name(self, name: str) -> list[Value]:
        for scope in self.scope.chain():
            if name in scope.steps:
                return [scope.steps[name]]
            if name in scope.bound:
                return [scope.bound[name]]
        cited = [c.value for c in self.sources.cited if c.name == name and not c.keys and c.value is not None]
        if cited:
            return cited
        for scope in self.scope.chain():
            found = [printed(f.value) for f in scope.facts if spelled(f.label) == name]
            if found:
                return found
        return []

    def _cited(self, name: str, keys: tuple[Node, ...], field_: str) -> list[Value]:
        return [
            c.value
            for c in self.sources.cited
            if c.name == name and c.field == field_ and c.value is not None and self._fit(keys, c.keys)
        ]

    def _grouped(self, name: str, keys: tuple[Node, ...], field_: str) -> list[Value]:
        return [
            c.value
            for c in self.sources.grouped
            if c.name == name
            and c.field == field_
            and c.value is not None
            and (not keys or c.value is MISSING or self._fit(keys, c.keys))
        ]

    def _fit(self, keys: tuple[Node, ...], written: tuple[str, ...]) -> bool:
        if len(keys) != len(written):
            return not written
        for key, text in zip(keys, written, strict=True):
            if key.kind == "name" and key.text == text:
                continue
            try:
                value = worked_out(key, self.in_formula, self.scope.mode)
            except NotReadable:
                continue
            if value is UNKNOWN or value is MISSING:
                continue
            if not same(value, printed(text)) and shown(bare(value)) != text:
                return False
        return True

    def in_formula(self, node: Node) -> Value:
        """The value of a part of a formula that is not printed with its figures: a name may be part of a label."""
        value = self.lookup(node)
        if value is not UNKNOWN or node.kind != "name":
            return value
        for scope in self.scope.chain():
            if node.text in scope.read:
                return scope.read[node.text][0]
        if any(c.name == node.text for c in self.sources.cited):
            return UNKNOWN
        words = set(node.text.split("_"))
        for scope in self.scope.chain():
            found = [f for f in scope.facts if words <= set(spelled(f.label).split("_"))]
            if len(found) == 1:
                return bare(printed(found[0].value))
        return UNKNOWN


def in_figures(node: Node) -> Value:
    """A word among the figures is a value of a set; what was not evaluated has no value."""
    if node.kind == "name":
        return MISSING if node.text == "missing" else Word(node.text)
    return UNKNOWN
