"""Which changed rule moved which bill, as data."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from rxcalc.compare.model import Subject


@dataclass(frozen=True)
class Effect:
    """What one change does when it alone is made in the old rulebook (with what it needs: `along`).

    `rows`: bills that come out otherwise, refusals included. `sole`: those that this change alone moves, to exactly the new
    result. `moved`: the sum of the amount's movements over the bills that both rulebooks compute. `refuses`, `accepts`:
    bills that the old rulebook computes and this change refuses, and the other way round. `beyond`: changes of their own among
    `along`; all figures are what this change adds to them.
    """

    subject: Subject
    along: tuple[Subject, ...]
    rows: int
    sole: int
    moved: Fraction
    refuses: int
    accepts: int
    beyond: tuple[Subject, ...] = ()


@dataclass(frozen=True)
class Interaction:
    """Bills whose movement is not the sum of what single changes do: the changes that move them, how many, and the rest.

    `subjects` empty: no change moves them by itself.
    """

    subjects: tuple[Subject, ...]
    rows: int
    rest: Fraction


@dataclass(frozen=True)
class Attributed:
    """Every bill that comes out otherwise is in one of `sole`, `adding` and `interacting`.

    `sole`: one change moves it, all the way. `adding`: several move it, and their movements of the amount add up to the whole.
    `interacting`: the rest. The sum of the effects' `moved` and of the interactions' `rest` is what the amount moved.
    """

    amount: str
    decimals: int
    rows: int
    sole: int
    adding: int
    interacting: int
    effects: tuple[Effect, ...]
    interactions: tuple[Interaction, ...]
    silent: tuple[Subject, ...]  # checks and outputs: they move no amount
    beside: bool = False  # rows of lists, groups across bills or findings come out otherwise, which is nobody's here
    unmade: tuple[Subject, ...] = ()  # cannot be made by themselves: what they do is in the interactions
