"""What an example expected and what came out."""

from __future__ import annotations

from dataclasses import dataclass

from rxcalc.plan.nodes import Value
from rxcalc.source import Span


@dataclass(frozen=True, slots=True)
class Difference:
    """One expected value that did not come out.

    `level` and `item` name the result ("" the episode; else a list or a kind of groups), `row` its row there; `keys` are
    those of a group. `episode` counts all episodes of the example, the earlier ones too; -1: of all together. `span` is
    where the expected value stands and `becomes` what would have to stand there, "" where that is not one value that
    can be read back.
    """

    name: str
    expected: str
    found: str
    level: str = ""
    item: str = ""
    row: int = 0
    keys: tuple[Value, ...] = ()
    episode: int = -1
    span: Span | None = None
    becomes: str = ""
