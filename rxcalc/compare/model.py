"""One change of meaning between two rulebooks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

ADDED: Final = "added"
REMOVED: Final = "removed"
CHANGED: Final = "changed"
REORDERED: Final = "reordered"


@dataclass(frozen=True)
class Subject:
    """What of a rulebook changed: its section, the level ("" the bill, else a list or a group kind) and the name.

    Conditions have no names of their own: all `requires:` of a level are one subject, and so are its guarantees. The
    name is then "". The same holds of `effective`, `outputs`, `sequence` and the rulebook's `currency` and `rounding`.
    """

    section: str
    level: str = ""
    name: str = ""

    def __str__(self) -> str:
        """The subject as a reader writes it: `parameter deductible`, `step lines.covered`."""
        name = f"{self.level}.{self.name}" if self.level and self.name else self.level or self.name
        return f"{self.section} {name}" if name else self.section


@dataclass(frozen=True)
class Edit:
    """One change: `change` is added, removed, changed or reordered; `what` says of what within the subject ("" the whole).

    `was` and `now` are texts for a reader; "" where there was or is nothing.
    """

    subject: Subject
    change: str
    what: str = ""
    was: str = ""
    now: str = ""
