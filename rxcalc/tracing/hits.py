"""What an evaluation used of a rulebook, for coverage: one record for each thing, by its place in the plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class ClauseTaken:
    """A clause decided: it gave the value, rejected the row, or its expression refused it."""

    level: str
    step: str
    clause: int


@dataclass(frozen=True, slots=True)
class RuleRun:
    """A rule was evaluated on a row."""

    level: str
    step: str


@dataclass(frozen=True, slots=True)
class BranchTaken:
    """One arm of the `if` that a node is."""

    node: int
    then: bool


@dataclass(frozen=True, slots=True)
class ValueRead:
    """A value of a parameter, by the number of its date and its keys."""

    parameter: str
    segment: int
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BandUsed:
    """A band with a part of the range in it, the slice of a cliff, or the stretch after a point of a curve; from 0."""

    parameter: str
    segment: int
    keys: tuple[str, ...]
    band: int


@dataclass(frozen=True, slots=True)
class RowRead:
    """A row of a table was found, by its number."""

    table: str
    row: int


@dataclass(frozen=True, slots=True)
class ConditionBroken:
    """A row was refused by the `requires:` of this number."""

    level: str
    condition: int


@dataclass(frozen=True, slots=True)
class PartBorne:
    """A part of a partition, by their numbers, was not zero."""

    level: str
    partition: int
    part: int


@dataclass(frozen=True, slots=True)
class CheckFound:
    """A check was found on a row."""

    check: int


Hit: TypeAlias = (
    ClauseTaken | RuleRun | BranchTaken | ValueRead | BandUsed | RowRead | ConditionBroken | PartBorne | CheckFound
)
