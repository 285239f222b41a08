"""Runs of plans with lists: columns for all bills, the exact evaluator for those that need it, with their lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import polars as pl

from rxcalc.backends.base import Outcome, Problem
from rxcalc.backends.columnar.found import Found
from rxcalc.backends.columnar.listing import Listing
from rxcalc.backends.columnar.program import Output, Program
from rxcalc.backends.columnar.results import complete, nothing
from rxcalc.backends.columnar.wave_run import Scalar

__all__ = ["AT_ONCE", "SMALL_TURN", "BillRun"]

AT_ONCE: Final = 1_000_000
"""Rows of lists (and episodes) computed at once: more take more memory, fewer cost more for each."""

SMALL_TURN: Final = 100
"""What a turn of a loop costs whatever its size, in rows of lists computed by the exact evaluator."""


class BillRun:
    """One run over bills that do not look back.

    Results stand in `values`, `exact`, `problems` and `found` (by `__row`) and `flagged` afterwards, those of lists in the listing.

    Args:
        program: the plan in columns.
        scalar: looks at flagged bills.
        disagree: the problem of a flagged bill in which that finds nothing wrong; None: that is as it should be.
        outputs: the result columns of the episodes.
        listing: the bills.
        wide: some result is held by no column, so that every bill is computed exactly.
    """

    def __init__(
        self,
        program: Program,
        scalar: Scalar,
        disagree: Callable[[], Problem | None],
        outputs: Sequence[Output],
        listing: Listing,
        *,
        wide: bool,
    ) -> None:
        self._program, self._scalar, self._disagree = program, scalar, disagree
        self._outputs, self._listing, self._wide = outputs, listing, wide
        self.values = nothing(outputs, {"__row": listing.bills.frame.schema["__row"]})
        self.exact: list[tuple[int, Outcome]] = []
        self.problems: list[tuple[int, Problem]] = []
        self.flagged: set[int] = set()
        self.found: list[Found] = []
        self.fine = pl.int_range(
            listing.bills.frame.height, dtype=pl.UInt32(), eager=True
        )  # places of rows in `values`

    def run(self, at_once: int) -> None:
        """Computes the bills, so many rows of lists at once."""
        listing, bills = self._listing, self._listing.bills
        wanted = {out.name: out.expr for out in self._outputs if out.expr is not None}
        values: list[pl.DataFrame] = []
        flagged: list[pl.Series] = []
        left: list[pl.Series] = []
        for first, length in bills.slices(at_once):
            frame = self._program.prepared(bills.frame.slice(first, length), ["__row"])
            bad = bills.bad.slice(first, length)
            done = listing.compute(frame, listing.pieces(first, length), bad, wanted, ["__row"])
            flags = done["__flag"] | True if self._wide else done["__flag"]
            self.found += listing.keep(flags)
            values.append(done.filter(~flags) if flags.any() else done)
            flagged.append(flags)
            left.append(done["__left"])
        if not values:
            return
        self.values = complete(pl.concat(values), self._outputs)
        flags = pl.concat(flagged)
        if flags.any():
            rows = flags.arg_true()
            self.fine = (~flags).arg_true()
            self._look(rows, pl.concat(left).gather(rows))

    def _look(self, at: pl.Series, left: pl.Series) -> None:
        """Flagged bills on the exact evaluator."""
        bills = self._listing.bills
        rows = bills.frame["__row"].gather(at).to_list()
        self.flagged.update(rows)
        for row, inputs, settled in zip(rows, bills.inputs(at), left.to_list(), strict=True):
            outcome = self._scalar(inputs, None)
            problem = outcome.problem or (None if settled or self._wide else self._disagree())
            if problem is None:
                self.exact.append((row, outcome))
            else:
                self.problems.append((row, problem))
