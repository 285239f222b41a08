"""A single thing changed in how a bill is computed: what an audit tries to find out why another amount was charged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from fractions import Fraction
from typing import Final

from rxcalc.bill.subject import Subject
from rxcalc.lang.types import Type
from rxcalc.plan.nodes import PlanSetValue, Value, Words


class Kind(Enum):
    """What is changed. The value is how files call it."""

    INPUT = "input"  # a field of the bill is read as another value
    ROW_INPUT = "row_input"  # a field of one row of a list
    ROW_OUT = "row_left_out"
    ROW_TWICE = "row_twice"
    EARLIER_OUT = "earlier_left_out"  # one episode before the bill; without a name all of them
    EARLIER_MORE = "earlier_added"  # a bill like this one before it
    GROUP = "group_result"  # a result of a group that the file gives, read as another value
    OPENING = "so_far"  # another amount or count before the first bill
    VERSION = "parameter_version"  # the values of a parameter of its previous or next date; without a name of all
    CLAUSE = "clause"  # another clause of a step decides
    BRANCH = "branch"  # the other arm of an `if`
    BOUND = "bound"  # of `min` and `max` another operand counts: a limit that is not applied
    KEY = "parameter_key"  # a parameter is read with another key
    CELL = "table_row"  # a table is read in another row
    BANDS = "bands"  # a schedule is walked in another way
    STEP_OUT = "step_left_out"
    STEP_TWICE = "step_twice"
    TERM_OUT = "term_left_out"  # a step is computed without an amount that it reads
    ROUNDING = "rounding"  # a step is rounded in another way; without a name every step
    TERM_LATE = "term_taken_off_late"  # a step takes an amount off in the end instead of first
    DIGIT = "digit"  # one digit of a number was written wrongly
    EDGE = "limit"  # a number or date is one at which the rules decide otherwise
    SPENT = "so_far_limit"  # as much as a limit of the rules had been paid before
    FAR_DATE = "far_date"  # a date that is weeks or years from the one on the bill
    STAY = "whole_stay"  # all dates of the bill moved by as many days
    RATE = "rate"  # a round percentage that the rulebook does not have there
    RULEBOOK = "rulebook"  # another version, or a rulebook given with `--against`
    FITTED = "fitted"  # a parameter set to a figure of the bill: tells what was reckoned with, never why


WEIGHTS: Final[dict[Kind, int]] = {
    Kind.INPUT: 1,
    Kind.ROW_INPUT: 1,
    Kind.ROW_OUT: 1,
    Kind.ROW_TWICE: 1,
    Kind.GROUP: 1,
    Kind.EARLIER_OUT: 2,
    Kind.EARLIER_MORE: 2,
    Kind.OPENING: 2,
    Kind.VERSION: 3,
    Kind.CLAUSE: 4,
    Kind.BRANCH: 4,
    Kind.BOUND: 4,
    Kind.KEY: 5,
    Kind.CELL: 5,
    Kind.BANDS: 5,
    Kind.SPENT: 5,
    Kind.STEP_OUT: 6,
    Kind.STEP_TWICE: 6,
    Kind.TERM_OUT: 6,
    Kind.TERM_LATE: 6,
    Kind.ROUNDING: 7,
    Kind.DIGIT: 8,
    Kind.EDGE: 8,
    Kind.FAR_DATE: 8,
    Kind.STAY: 8,
    Kind.RATE: 8,
    Kind.RULEBOOK: 9,
    Kind.FITTED: 10,
}
"""How plausible kinds of changes are, the smallest first: slips on one bill before rules applied wrongly, before other rules.

The weights order changes that reproduce the same charged amounts (docs/advocate.md); they never make one a cause.
"""


@dataclass(frozen=True)
class Change:
    """One change. `name` is the field, step, parameter, window call, table or rulebook; `level` and `row` where it stands.

    `was` and `now` are the values, or texts where `type` is None. `detail` says the rest: keys of a parameter, the
    condition of a clause, what else moved with it. `distance` tells near changes of one kind from far ones.
    `throughout`: it holds for the episodes before the bill too, which else keep their amounts.
    """

    kind: Kind
    name: str
    apply: Callable[[Subject], Subject] = field(compare=False, repr=False)
    level: str = ""
    row: str = ""
    was: Value | str = None
    now: Value | str = None
    type: Type | None = None
    values: tuple[PlanSetValue, ...] = ()
    label: Words = ()
    detail: str = ""
    said: Words = ()  # the rulebook's own words, e.g. why a clause holds
    cite: Words = ()
    distance: Fraction = Fraction(1)
    throughout: bool = False
    number: int = 0  # of the row, clause or digit: tells changes of one place apart

    @property
    def weight(self) -> int:
        """How plausible it is by its kind; 1 is the most."""
        return WEIGHTS[self.kind]


@dataclass(frozen=True)
class Other:
    """The bill under another rulebook or version, read by its declarations; `problem` says why it could not be read."""

    name: str
    given: bool  # by the user, else found among the shipped ones
    subject: Subject | None
    problem: str = ""


def in_words(words: Words) -> str:
    """The first text, for names and messages without a language."""
    return dict(words).get("en") or (words[0][1] if words else "")
