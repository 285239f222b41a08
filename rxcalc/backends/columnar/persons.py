"""Runs of plans that look back: waves of columns, and single persons on the exact evaluator.

Columns pay as long as many persons have a k-th episode. Persons with more episodes than that, and those with
reversals, are computed one episode after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Final, Protocol

import polars as pl

from rxcalc.backends.base import Outcome, Problem, Ran, Row
from rxcalc.backends.columnar.found import Finder, Found
from rxcalc.backends.columnar.given import RECORDED, Given
from rxcalc.backends.columnar.listing import Listing
from rxcalc.backends.columnar.opened import Amounts, Seeds, seeds_of
from rxcalc.backends.columnar.program import Output, Program
from rxcalc.backends.columnar.values import inputs_of
from rxcalc.backends.columnar.wave_run import Scalar, TooMany, Waved, WaveRun
from rxcalc.passes.sequence import is_stretch
from rxcalc.passes.waves import best_cut, in_order, wave_sizes
from rxcalc.plan.columns.walk import MOST_EPISODES
from rxcalc.plan.nodes import Value

__all__ = ["SMALL_WAVE", "Alone", "SequenceRun"]

SMALL_WAVE: Final = 60
"""What a wave costs whatever its size, in episodes computed by the exact evaluator."""

_LOOKING: Final = Fraction(1, 20)
"""What the exact evaluator takes for a look at one earlier episode, in episodes."""

_MARKS: Final = ("__bad", "__key_unreadable", "__alone", RECORDED)


class Alone(Protocol):
    """Runs the episodes of one person exactly, one after the other."""

    def __call__(self, rows: Sequence[Row], *, compute: bool) -> Sequence[Ran]:
        """What became of each row, in order."""


class SequenceRun:
    """One run of a plan with a sequence over all episodes of all its persons.

    Results stand in `done`, `exact`, `problems`, `found`, `flagged`, `marked` and `affected` (by the row of a reversal)
    afterwards.
    """

    def __init__(
        self,
        program: Program,
        scalar: Scalar,
        alone: Alone | None,
        outputs: Sequence[Output],
        disagree: Callable[[], Problem | None],
        *,
        compute: bool,
        small_wave: int,
        listing: Listing | None = None,
        finder: Finder | None = None,
        given: Given | None = None,
        openings: Mapping[Value, Amounts] | None = None,
    ) -> None:
        self._program, self._plan = program, program.plan
        self._openings = openings
        self._seeds: Seeds | None = None
        self._given = given
        self._finder = finder
        self._scalar, self._outputs, self._disagree = scalar, outputs, disagree
        self._alone = alone
        self._compute = compute
        self._small = small_wave
        self._listing = listing
        self.done: list[pl.DataFrame] = []
        self.exact: list[tuple[int, Outcome]] = []
        self.problems: list[tuple[int, Problem]] = []
        self.flagged: set[int] = set()
        self.marked: set[int] = set()
        self.affected: dict[int, tuple[str, ...]] = {}
        self.found: list[Found] = []

    def run(self, frame: pl.DataFrame) -> None:
        """Computes the frame, but for rows that are `__recorded`. Where `__alone` holds of a row, its person is computed by the exact evaluator."""
        no = pl.lit(False, dtype=pl.Boolean())  # noqa: FBT003 -- the literal itself
        frame = frame.with_columns(no.alias(name) for name in _MARKS if name not in frame.columns)
        frame = frame.with_columns((pl.col("__bad") & pl.col("__key_unreadable")).alias("__unplaced"))
        frame = in_order(self._plan, frame)
        if self._openings and self._plan.sequence is not None:
            self._seeds = seeds = seeds_of(self._program, self._openings, frame)
            by = self._plan.sequence.by
            apart = pl.Series(list(seeds.alone), dtype=frame.schema[by], strict=False)
            frame = frame.with_columns(pl.col("__alone") | pl.col(by).is_in(apart.implode()))
        if not self._program.looking.windows:  # nobody sees anybody: one wave
            frame = frame.with_columns(pl.lit(0, dtype=pl.UInt32()).alias("__wave"))
        alone = self._by_one(frame)
        waves, persons = frame.filter(~alone), frame.filter(alone)
        if waves.height:
            self._waves(waves)
        if persons.height:
            self._one_by_one(persons)

    def _by_one(self, frame: pl.DataFrame) -> pl.Series:
        """The rows of persons that are computed one episode after the other."""
        looking = self._program.looking
        wide = any(out.exact for out in self._outputs) or (self._listing is not None and self._listing.wide)
        if wide or looking.unheld:
            return pl.repeat(value=True, n=frame.height, dtype=pl.Boolean(), eager=True)
        marked = frame["__alone"]
        reverses = self._plan.sequence.reverses if self._plan.sequence is not None else ""
        if reverses:
            marked |= frame[reverses].is_not_null()
        person = frame["__person"]
        one = _of(person, person.filter(marked)) if marked.any() else marked
        return one | _of(person, self._long(frame.filter(~one) if marked.any() else frame))

    def _long(self, frame: pl.DataFrame) -> pl.Series:
        """The persons with more episodes than waves pay for."""
        looks = sum(form.how in {"pairs", "totals"} for form in self._program.looking.forms.values())
        cut = best_cut(wave_sizes(frame), overhead=self._small, looking=_LOOKING * looks, most=MOST_EPISODES)
        return frame["__person"].filter(frame["__wave"] == cut)

    # Waves

    def _waves(self, frame: pl.DataFrame) -> None:
        """Waves over these rows.

        Where later rows are computed after a refused one, spells and periods are formed without it. Which rows are refused
        shows on the way only, and from the first such row of a person on they may have been formed wrongly. So these persons
        are computed again without that row, until no more turn up.
        """
        again = self._compute and any(is_stretch(view.window) for view in self._program.looking.windows)
        apart = frame["__bad"] | (frame["__tied"] & ~frame[RECORDED]) if again else None
        while frame.height:
            run = WaveRun(
                self._program,
                self._outputs,
                self._scalar,
                self._disagree,
                frame,
                apart,
                compute=self._compute,
                listing=self._listing,
                finder=self._finder,
                seeds=self._seeds,
            )
            try:
                found = run.run(wave_sizes(frame))
            except TooMany:
                self._one_by_one(frame)
                return
            late = _first_late(frame, found.refused, apart) if apart is not None else pl.Series(dtype=pl.UInt32())
            once_more = _of(frame["__person"], frame["__person"].gather(late))
            few = once_more & _of(frame["__person"], self._long(frame.filter(once_more)))
            if found.alone:
                few |= _of(frame["__person"], frame["__person"].gather(pl.concat(found.alone)))
            self._take(found, set(frame["__row"].filter(once_more | few).to_list()))
            if few.any():
                self._one_by_one(frame.filter(few))
            if apart is not None:
                apart = (apart.scatter(late, True) if late.len() else apart).filter(once_more & ~few)  # noqa: FBT003 -- the value itself
            frame = frame.filter(once_more & ~few)

    def _take(self, found: Waved, besides: set[int]) -> None:
        """Takes over what a run found, but for the rows `besides`."""
        rows = sorted(besides)
        self.done += [frame.filter(~pl.col("__row").is_in(rows)) if rows else frame for frame in found.done]
        self.exact += [entry for entry in found.exact if entry[0] not in besides]
        self.problems += [entry for entry in found.problems if entry[0] not in besides]
        self.found += [entry for entry in found.found if entry[0] not in besides]
        self.flagged |= found.flagged - besides
        self.marked |= found.marked - besides

    # One episode after the other

    def _one_by_one(self, frame: pl.DataFrame) -> None:
        if self._alone is None:
            message = "this plan needs `alone`: a function that runs one person's episodes exactly"
            raise TypeError(message)
        persons, rows = frame["__person"].to_list(), frame["__row"].to_list()
        bad, unplaced = frame["__bad"].to_list(), frame["__unplaced"].to_list()
        listing = self._listing
        episodes = inputs_of(self._plan, frame) if listing is None else listing.bills.inputs(frame["__n"])
        recorded: dict[int, Row] = {}
        if self._given is not None:
            numbers = frame["__row"].filter(frame[RECORDED]).to_list()
            recorded = {row.number: row for row in self._given.rows(numbers)}
        start = 0
        for end in range(1, len(rows) + 1):
            if end < len(rows) and persons[end] == persons[start]:
                continue
            mine = [
                recorded.get(rows[at])
                or Row(rows[at], str(rows[at]), episodes[at], refused=bad[at], unplaced=unplaced[at])
                for at in range(start, end)
            ]
            for ran in self._alone(mine, compute=self._compute):
                self._ran(ran)
            start = end

    def _ran(self, ran: Ran) -> None:
        row = ran.row.number
        if ran.outcome is None or ran.row.recorded is not None:
            return
        if ran.outcome.problem is not None:
            self.problems.append((row, ran.outcome.problem))
            return
        self.exact.append((row, ran.outcome))
        if ran.after and self._compute:
            self.marked.add(row)
        if ran.affected:
            self.affected[row] = ran.affected


def _first_late(frame: pl.DataFrame, refused: Sequence[pl.Series], apart: pl.Series) -> pl.Series:
    """The place of each person's first row refused on the way that is not among those `apart`."""
    at = pl.concat([pl.Series(dtype=pl.UInt32()), *refused])
    late = pl.DataFrame([at.alias("at"), frame["__person"].gather(at).alias("person"), apart.gather(at).alias("apart")])
    return late.filter(~pl.col("apart")).group_by("person").agg(pl.col("at").min())["at"]


def _of(person: pl.Series, chosen: pl.Series) -> pl.Series:
    """The rows of the chosen persons; persons are numbered from 0."""
    top = person.max()
    marks = pl.repeat(value=False, n=(top if isinstance(top, int) else 0) + 1, dtype=pl.Boolean(), eager=True)
    return (marks.scatter(chosen, True) if chosen.len() else marks).gather(person)  # noqa: FBT003 -- the value itself
