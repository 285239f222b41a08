"""What every back end returns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    `recorded` are the results of an episode of an earlier run (`--earlier`): it is not computed again, and later
    episodes and groups see it as it was then. Its inputs may lack those that nobody reads.
    """

    number: int
    name: str
    inputs: Mapping[str, Value]
    refused: bool = False
    unplaced: bool = False
    recorded: Outcome | None = None


@dataclass(frozen=True)
class Ran:
    """What became of a `Row`; `outcome` is None for one refused before. `after`: it could read a refused one.

    `affected` names the episodes computed between the one that this row reverses and this row, that could read
    it: they keep their amounts.
    """

    row: Row
    outcome: Outcome | None
    after: bool = False
    affected: tuple[str, ...] = ()


@dataclass(frozen=True)
class Known:
    """What is known of the window calls of one episode.

    `values` by index of the call, and for the windows of the other calls the fields of the earlier episodes in them, in order.
    """

    values: Mapping[int, Value] = field(default_factory=dict)
    rows: Mapping[str, Sequence[Mapping[str, Value]]] = field(default_factory=dict)


@dataclass(frozen=True)
class RowResult:
    """A row of a list, or a line group of a bill: `inputs` (of a group: keys too), and `steps` with spreads received."""

    inputs: Mapping[str, Value]
    steps: Mapping[str, Value]


@dataclass(frozen=True)
class Finding:
    """A `checks:` entry that holds. `at` is the row it was found on, by its order (() for the bill itself)."""

    index: int  # in the plan's checks
    at: tuple[Value, ...]
    amount: Fraction | None
    figures: str


@dataclass(frozen=True)
class Outcome:
    """The result of one episode.

    `steps` maps each step (and spread received) to its rounded value (exact for `round: none`); `shares` maps
    `bearer.part` (or `bearer` for an unnamed part; later partitions are prefixed `partition.`) and each
    automatic total `<bearer>_pays` to its amount. `lists` holds the rows of every list and every kind of
    line groups by name, in order. `incomplete` names the group kinds read that lost a member. With a
    `problem` all hold what was computed before it. `reverses` is the id of the episode whose negated results
    these are ("": they were computed).
    """

    inputs: Mapping[str, Value]
    steps: Mapping[str, Value] = field(default_factory=dict)
    shares: Mapping[str, Fraction] = field(default_factory=dict)
    problem: Problem | None = None
    lists: Mapping[str, tuple[RowResult, ...]] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    incomplete: tuple[str, ...] = ()
    reverses: str = ""


@dataclass(frozen=True)
class GroupOutcome:
    """The result of one group of a kind that goes across bills.

    `inputs` holds its keys and inputs. `members` counts the members it was computed from, `rejected` those
    refused before (outside it) or afterwards (still in its amounts); it is incomplete when there are any.
    """

    kind: str
    inputs: Mapping[str, Value]
    steps: Mapping[str, Value] = field(default_factory=dict)
    shares: Mapping[str, Fraction] = field(default_factory=dict)
    problem: Problem | None = None
    members: int = 0
    rejected: int = 0
    findings: tuple[Finding, ...] = ()
