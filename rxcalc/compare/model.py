"""One change of meaning between two rulebooks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

ADDED: Final = "added"
REMOVED: Final = "removed"
CHANGED: Final = "changed"
REORDERED: Final = "reordered"

ASPECTS: Final = {
    "": "",
    "name": "{0}",  # what the rulebook calls it: a part, a column
    "type": "type",
    "optional": "optional",
    "default": "default",
    "min": "min",
    "max": "max",
    "decimals": "decimals",
    "time": "time",
    "spellings": "spellings",
    "column_names": "column names",
    "may_be_missing": "may be missing",
    "rounding": "rounding",
    "clause": "clause {0}",
    "new_clause": "new clause {0}",
    "clause_condition": "clause {0}, condition",
    "clause_formula": "clause {0}, formula",
    "clauses": "clauses",
    "divided": "amount divided",
    "first": "is the first, of which totals are",
    "negative": "{0}, may be negative",
    "condition": "condition",
    "amount": "amount",
    "severity": "severity",
    "number_of_keys": "number of keys",
    "held": "outside its points the ends hold",
    "value": "from {1}",
    "value_to": "from {1} to {2}",
    "value_of": "{0}, from {1}",
    "value_of_to": "{0}, from {1} to {2}",
    "keys": "keys",
    "column": "column",
    "row": "row {0}",
    "row_end": "row {0}, last day",
    "row_cell": "row {0}, {1}",
    "from": "from",
    "to": "to",
    "by": "by",
    "of": "of",
    "order": "order",
    "required": "required",
    "effective": "effective",
}
"""What of a thing changed, as JSON and Python have it; `report/phrases_diff.py` has the words of other languages."""


@dataclass(frozen=True)
class Aspect:
    """What of a subject changed: a key of `ASPECTS` and what stands in its places. `Aspect()` is the whole subject."""

    key: str = ""
    args: tuple[str, ...] = ()

    def __str__(self) -> str:
        """In English."""
        return ASPECTS[self.key].format(*self.args)


@dataclass(frozen=True)
class Subject:
    """What of a rulebook changed: its section, the level ("" the bill, else a list or a group kind) and the name.

    Conditions have no names of their own: all `requires:` of a level are one subject, and so are its guarantees. The
    name is then "". The same holds of `effective`, `outputs`, `sequence` and the rulebook's `currency` and `rounding`.

    `part` is one value, row or clause of it, where a change is taken by itself to see what it moves.
    """

    section: str
    level: str = ""
    name: str = ""
    part: Aspect = Aspect()

    @property
    def whole(self) -> Subject:
        """All of it."""
        return Subject(self.section, self.level, self.name)

    @property
    def path(self) -> str:
        """The name as a rule writes it: `deductible`, `lines.covered`; "" for what has none."""
        return f"{self.level}.{self.name}" if self.level and self.name else self.level or self.name

    def __str__(self) -> str:
        """The subject as a reader writes it: `parameter deductible`, `step lines.covered: clause 2`."""
        whole = f"{self.section} {self.path}" if self.path else self.section
        return f"{whole}: {self.part}" if self.part.key else whole


@dataclass(frozen=True)
class Edit:
    """One change: `change` is added, removed, changed or reordered; `aspect` says of what within the subject.

    `was` and `now` are texts for a reader; "" where there was or is nothing. `since` is the first day on which the change
    is in force, where it has one.
    """

    subject: Subject
    change: str
    aspect: Aspect = Aspect()
    was: str = ""
    now: str = ""
    since: date | None = None

    @property
    def what(self) -> str:
        """The aspect in English; "" is the whole."""
        return str(self.aspect)
