"""The sources of rulebooks with how often each line was used, as one HTML page: no script, no request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rxcalc.report import pages


@dataclass(frozen=True)
class Mark:
    """Something on a line that can be used: what it is, how many used it, and for none what no example does."""

    what: str
    count: int
    lacking: str


@dataclass(frozen=True)
class Line:
    """A line of a file with what can be used on it."""

    number: int
    text: str
    marks: tuple[Mark, ...] = ()

    @property
    def never(self) -> int:
        """How many things on it were never used."""
        return sum(not mark.count for mark in self.marks)

    @property
    def uses(self) -> str:
        """In short: `never`, how often, or how often at least and at most; "" where nothing can be used."""
        counts = sorted({mark.count for mark in self.marks})
        if not counts:
            return ""
        if counts == [0]:
            return "never"
        return f"{counts[0]}" if len(counts) == 1 else f"{counts[0]}..{counts[-1]}"


@dataclass(frozen=True)
class File:
    """A file; of a long one only `lines` that were never used, which `cut` says."""

    name: str
    lines: tuple[Line, ...]
    covered: int
    of: int
    cut: bool = False


@dataclass(frozen=True)
class Listing:
    """A rulebook: its name, how many examples, the shares by kind, its files. `status` is its weakest evidence."""

    name: str
    examples: int
    failed: int
    status: str
    kinds: tuple[tuple[str, int, int, str], ...]
    total: tuple[int, int, str]
    files: tuple[File, ...]


def render(listings: Sequence[Listing], version: str) -> str:
    """The page."""
    return pages.render(
        pages.environment(),
        "listing.html",
        "listing.css",
        title=f"Coverage of {listings[0].name}" if len(listings) == 1 else f"Coverage of {len(listings)} rulebooks",
        lang="en",
        skip="Skip to the content",
        listings=listings,
        version=version,
    )
