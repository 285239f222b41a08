"""A row while it is made up, and what keeps it from being made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TypeAlias

from rxcalc.plan.nodes import Value
from rxcalc.sampling.draws import Draws

Fields: TypeAlias = "Mapping[str, Value]"


class Unmade(Exception):  # noqa: N818 - control flow inside sampling: this try has failed, the next one may not
    """Why a row cannot be made from these draws. `about` names the hint or requirement, the same for every try."""

    def __init__(self, about: str, why: str = "") -> None:
        super().__init__(f"{about}: {why}" if why else about)
        self.about = about


class Making:
    """A row while it is made up.

    `values` are its fields so far; `bill` those of its episode (of an episode the same); `before` is the person's episode
    before, or the row above. `rows` are the rows that a sum goes over, by the name of their list, `other` the one
    gone over just now. `draws` is the stream of the field that is being made.
    """

    __slots__ = ("before", "bill", "draws", "on", "other", "rows", "values")

    def __init__(
        self,
        values: dict[str, Value],
        bill: Fields,
        before: Fields | None,
        rows: Mapping[str, Sequence[Fields]],
        on: date,
    ) -> None:
        self.values = values
        self.bill = bill
        self.before = before
        self.rows = rows
        self.on = on
        self.other: Fields = {}
        self.draws = Draws()
