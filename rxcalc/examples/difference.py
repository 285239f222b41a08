"""What an example expected and what came out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Difference:
    """One expected value that did not come out."""

    name: str
    expected: str
    found: str
