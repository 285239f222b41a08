"""What an overlay's `extends:` leads to, as data. Finding the file is the driver's work (`driver/find.py`)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from rxcalc.source import Span

HIDDEN: Final = "@base"
"""What stands behind the name of a step in the name of the step that it replaced; no name in a file can hold it."""

MAX_BASES: Final = 16
"""How many rulebooks an overlay may stand on: its base, the base of that, and so on."""


@dataclass(frozen=True, slots=True)
class FoundBase:
    """The file that `extends:` names, symbolic links followed. `shown` is set for a shipped rulebook."""

    path: Path
    shown: str = ""


@dataclass(frozen=True, slots=True)
class NoBase:
    """Why `extends:` leads nowhere. `kind` is missing, outside or irregular."""

    kind: str
    message: str
    help: str


class FindBase(Protocol):
    """Finds the rulebook that an overlay extends."""

    def __call__(self, owner: Path, named: str, limit: Path | None) -> FoundBase | NoBase:
        """The base that the rulebook file `owner` names; a path must lead into `limit` too, unless that is None."""


@dataclass(frozen=True, slots=True)
class Base:
    """A rulebook that an overlay stands on.

    `shown` is how messages call the file; `path` leads to it from the overlay's folder. `named` is what
    `extends:` says in the file `owner` (as `path`; "" for the overlay itself), at `span`. `status` is the
    evidence behind the values of this file that say nothing themselves. `rulebook` and `version` are its own.
    """

    shown: str
    path: str
    named: str
    owner: str
    status: str | None
    span: Span
    rulebook: str = ""
    version: str = ""

    @property
    def folder(self) -> str:
        """Its folder, from the overlay's."""
        return str(Path(self.path).parent)
