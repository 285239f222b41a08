"""What a rule in words is made of: runs of text that may name something, sentences, numbered points, grids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class Run:
    """A piece of a sentence. `ref` is the anchor of what it names, or "".

    Anchors are `step-NAME`, `parameter-NAME`, `input-NAME`, `table-NAME`, `window-NAME`, `partition-NAME`,
    `group-NAME`, `list-NAME`, `share-NAME`; of other levels than the episode `step-LEVEL.NAME`. What a row receives
    of a spread is `spread-LEVEL.NAME`, a value of a set `input-NAME` or `step-NAME` of what declares it.
    """

    text: str
    ref: str = ""


Sentence: TypeAlias = tuple[Run, ...]


@dataclass(frozen=True)
class Point:
    """A numbered point of a list, `1`, `2.1`; what it opens with a colon stands in its own points."""

    number: str
    sentence: Sentence
    points: tuple[Point, ...] = ()


@dataclass(frozen=True)
class Said:
    """A block that is a sentence of its own; with `points`, the sentence opens the list."""

    sentence: Sentence
    points: tuple[Point, ...] = ()


@dataclass(frozen=True)
class Grid:
    """A block with rows and columns: a decision table, the bands of a schedule, the values of a parameter."""

    headers: tuple[Sentence, ...]
    rows: tuple[tuple[Sentence, ...], ...]


Block: TypeAlias = "Said | Grid"


def plain(sentence: Sentence) -> str:
    """The text of a sentence, without what its runs name."""
    return "".join(run.text for run in sentence)
