"""The sources of rulebooks with how often each line was used, as one HTML page: no script, no request."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

# What HTML forbids in a page, and half characters, which no file can hold.
_FORBIDDEN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")


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
    env = Environment(
        loader=PackageLoader("rxcalc.report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_clean,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    loader = PackageLoader("rxcalc.report")
    style = "".join(loader.get_source(env, name)[0] for name in ("page.css", "listing.css"))
    style = style.replace("STATUS-ON-PAPER", '""')
    return env.get_template("listing.html").render(
        listings=listings,
        title=f"Coverage of {listings[0].name}" if len(listings) == 1 else f"Coverage of {len(listings)} rulebooks",
        style=Markup(style),  # noqa: S704 - the package's own files
        style_hash=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode("ascii"),
        version=version,
    )


def _clean(value: object) -> object:
    """Text without the characters that a page must not hold; everything else as it is."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return _FORBIDDEN.sub("\ufffd", value)
