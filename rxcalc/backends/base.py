"""What every back end returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from rxcalc.plan.nodes import Value


@dataclass(frozen=True)
class Problem:
    """Why an episode is refused. `field` is the input, step or share concerned; `value` its text."""

    code: str
    field: str
    value: str
    message: str


@dataclass(frozen=True)
class Row:
    """An episode of one person for a back end that takes them one after the other.

    `number` tells rows apart, `name` is what messages call it. A row `refused` before is not computed;
    when it is also `unplaced` its windows are not known, so every later episode could read it.
    """

    number: int
    name: str
    inputs: Mapping[str, Value]
    refused: bool = False
    unplaced: bool = False


@dataclass(frozen=True)
class Ran:
    """What became of a `Row`; `outcome` is None for one refused before. `after`: it could read a refused one."""

    row: Row
    outcome: Outcome | None
    after: bool = False


@dataclass(frozen=True)
class Outcome:
    """The result of one episode.

    `steps` maps each step to its rounded value (exact for `round: none`); `shares` maps
    `bearer.part` (or `bearer` for an unnamed part; later partitions are prefixed `partition.`) and each
    automatic total `<bearer>_pays` to its amount. With a `problem` both hold what was computed before it.
    """

    inputs: Mapping[str, Value]
    steps: Mapping[str, Value] = field(default_factory=dict)
    shares: Mapping[str, Fraction] = field(default_factory=dict)
    problem: Problem | None = None
