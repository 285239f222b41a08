"""Diagnostics are data: what is wrong, where, and what to do. Printing is elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum

from rxcalc.source import SourceFile, Span


class Severity(Enum):
    """How much a diagnostic weighs: only an error stops a rulebook from running."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, kw_only=True)
class Label:
    """A place and a short text about it."""

    span: Span
    text: str = ""


@dataclass(frozen=True, kw_only=True)
class Diagnostic:
    """One mistake. `message` is a terse phrase readable alone, without final full stop."""

    code: str  # "RX402"; its slug and default severity stand in diagnostics/codes.py
    severity: Severity
    message: str
    primary: Label
    related: tuple[Label, ...] = ()
    help: tuple[str, ...] = ()


@dataclass(slots=True)
class Sink:
    """Collects the diagnostics of one run and the files they point into.

    The same code at the same place is kept once. `limit` bounds what is kept;
    `left_out` counts the rest.
    """

    limit: int = 200
    files: dict[str, SourceFile] = field(default_factory=dict)
    left_out: int = 0
    _items: list[Diagnostic] = field(default_factory=list)
    _seen: set[tuple[str, Span]] = field(default_factory=set)

    def add(self, diagnostic: Diagnostic) -> None:
        """Keep a diagnostic, unless the same code was already reported at the same place."""
        key = (diagnostic.code, diagnostic.primary.span)
        if key in self._seen:
            return
        self._seen.add(key)
        if len(self._items) >= self.limit:
            self.left_out += 1
            return
        self._items.append(diagnostic)

    def extend(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Keep each of several diagnostics."""
        for diagnostic in diagnostics:
            self.add(diagnostic)

    def add_file(self, file: SourceFile) -> None:
        """Remember a file so that messages can quote it."""
        self.files[file.name] = file

    def sorted(self) -> tuple[Diagnostic, ...]:
        """All kept diagnostics in the order file, place, code."""
        return tuple(sorted(self._items, key=lambda d: (d.primary.span, d.code, d.message)))

    @property
    def has_errors(self) -> bool:
        """Whether anything kept is an error."""
        return any(d.severity is Severity.ERROR for d in self._items)

    def count(self, severity: Severity) -> int:
        """How many kept diagnostics have this severity."""
        return sum(d.severity is severity for d in self._items)

    def __iter__(self) -> Iterator[Diagnostic]:
        return iter(self._items)
