"""Runs of plans that look back: waves of columns, and single persons on the exact evaluator.

Columns pay as long as many persons have a k-th episode. Persons with more episodes than that, and
everybody when a window call has no accumulator, are computed one episode after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

import polars as pl

from rxcalc.backends.base import Outcome, Problem, Ran, Row
from rxcalc.backends.columnar.program import Output, Program
from rxcalc.backends.columnar.values import inputs_of, value_of
from rxcalc.passes.waves import Accumulator, Arranged, Refusals, arrange, joint_ids
from rxcalc.plan.columns.walk import MOST_EPISODES
from rxcalc.plan.nodes import Value

__all__ = ["SMALL_WAVE", "Alone", "SequenceRun"]

SMALL_WAVE: Final = 60
"""A wave of fewer rows costs more than the exact evaluator takes for them."""

_Scalar = Callable[[Mapping[str, Value], Mapping[int, Value] | None], Outcome]


class Alone(Protocol):
    """Runs the episodes of one person exactly, one after the other."""

    def __call__(self, rows: Sequence[Row], *, compute: bool) -> Sequence[Ran]:
        """What became of each row, in order."""


class SequenceRun:
    """One run of a plan with window calls over all episodes of all its persons."""

    def __init__(
        self,
        program: Program,
        scalar: _Scalar,
        alone: Alone | None,
        outputs: Sequence[Output],
        disagree: Callable[[], Problem | None],
        *,
        compute: bool,
        small_wave: int,
    ) -> None:
        self._program, self._plan = program, program.plan
        self._scalar, self._outputs, self._disagree = scalar, outputs, disagree
        self._alone = alone
        self._compute = compute
        self._small = small_wave
        self._calls = self._plan.window_calls
        self._contributions = program.formed.contributions
        self._read = tuple(sorted(program.windows))  # the calls that a step reads
        self.done: list[pl.DataFrame] = []
        self.exact: list[tuple[int, Outcome]] = []
        self.problems: list[tuple[int, Problem]] = []
        self.flagged: set[int] = set()
        self.marked: set[int] = set()

    def run(self, frame: pl.DataFrame) -> None:
        """Computes the frame; results stand in `done`, `exact`, `problems`, `flagged` and `marked` afterwards."""
        for name in ("__bad", "__key_unreadable"):
            if name not in frame.columns:
                frame = frame.with_columns(pl.lit(False, dtype=pl.Boolean()).alias(name))  # noqa: FBT003 -- the literal itself
        arranged = arrange(self._plan, frame)
        self._row_at = arranged.frame.sort("__at")["__row"]
        # A row that the exact evaluator must compute would leave the accumulators behind.
        slow = any(self._contributions[place].slow for place in self._read) or bool(self._program.formed.reasons)
        slow = slow or any(out.exact for out in self._outputs)
        waves = 0 if slow else len(arranged.sizes)
        for place, size in enumerate(arranged.sizes[:waves]):
            if size < self._small or place >= MOST_EPISODES:
                waves = place
                break
        long = arranged.frame.filter(pl.col("__wave") == waves)["__person"].implode()
        by_one = arranged.frame.filter(pl.col("__person").is_in(long))
        if waves:
            rest = arranged.frame if by_one.is_empty() else arranged.frame.filter(~pl.col("__person").is_in(long))
            self._waves(Arranged(rest, tuple(rest["__wave"].rle().struct.field("len").to_list()), arranged.persons))
        if not by_one.is_empty():
            self._one_by_one(by_one.sort("__at"))

    # Waves

    def _waves(self, arranged: Arranged) -> None:
        frame = arranged.frame
        names = [name[2:] for name in frame.columns if name.startswith("g:")]
        held: dict[int, Accumulator] = {}
        ids: list[pl.Series] = []
        for place in self._read:
            call, equal = self._calls[place], self._contributions[place].equal
            key = f"g:{call.window}"
            read, write = frame[key], frame[key]
            if equal:
                read, write = joint_ids(frame, [key, *(y for _, y in equal)], [key, *(x for x, _ in equal)])
            ids += [read.alias(f"r:{place}"), write.alias(f"x:{place}")]
            tops: list[Any] = [read.max(), write.max()]
            size = max((int(top) for top in tops if top is not None), default=0) + 1
            kind = self._program.windows[place]
            held[place] = Accumulator(call.function, distinct=call.distinct, kind=kind, size=size)
        refusals = Refusals(arranged, names)
        frame = frame.with_columns(ids)
        carried = ["__row", "__n", "__at", "__person", *(f"g:{name}" for name in names), *(s.name for s in ids)]
        prepared = self._program.prepared(frame, [*carried, "__bad", "__key_unreadable"])
        start = 0
        for size in arranged.sizes:
            wave = prepared.slice(start, size)
            raw = frame.slice(start, size)
            start += size
            wave, raw = self._admitted(wave, raw, refusals)
            if wave.height:
                self._wave(wave, raw, carried, held, refusals)

    def _admitted(self, wave: pl.DataFrame, raw: pl.DataFrame, refusals: Refusals) -> tuple[pl.DataFrame, pl.DataFrame]:
        """The rows of a wave that are computed; the others take with them whoever could read them."""
        if wave["__bad"].any():
            bad = wave.filter(pl.col("__bad"))
            refusals.note(bad, by_person=bad["__key_unreadable"])
            wave, raw = wave.filter(~pl.col("__bad")), raw.filter(~pl.col("__bad"))
        if not refusals.any or wave.is_empty():
            return wave, raw
        found = refusals.read(wave)
        hit = found["at"].is_not_null()
        if not hit.any():
            return wave, raw
        refusals.note(wave.filter(hit))
        rows = wave.filter(hit)["__row"].to_list()
        if self._compute:
            self.marked.update(rows)
            return wave, raw
        for row, at, window in zip(
            rows, *(found.filter(hit)[name].to_list() for name in ("at", "window")), strict=True
        ):
            self.problems.append((row, _depends(window, self._row_at[at])))
        return wave.filter(~hit), raw.filter(~hit)

    def _wave(
        self,
        wave: pl.DataFrame,
        raw: pl.DataFrame,
        carried: Sequence[str],
        held: Mapping[int, Accumulator],
        refusals: Refusals,
    ) -> None:
        program = self._program
        windows = [accumulator.read(wave[f"r:{place}"]).alias(f"w:{place}") for place, accumulator in held.items()]
        wave = wave.with_columns(windows)
        wanted = {out.name: out.expr for out in self._outputs if out.expr is not None}
        for place in held:
            contribution = self._contributions[place]
            value = contribution.value
            if value is not None:
                wanted[f"c:{place}"] = value.as_code if value.number is None else value.number.num.code
            if contribution.where is not None:
                wanted[f"u:{place}"] = contribution.where
        done = program.compute(wave, wanted, carried)
        flags = done["__flag"]
        if flags.any():
            settled = self._look_closer(raw.filter(flags), wave.filter(flags))
            refused = done.filter(flags).filter(~settled)
            refusals.note(refused)
            done = done.filter(~flags)
        for place, accumulator in held.items():
            values = done[f"c:{place}"] if f"c:{place}" in wanted else None
            where = done[f"u:{place}"] if f"u:{place}" in wanted else None
            accumulator.take(done[f"x:{place}"], values, where)
        self.done.append(done)

    def _look_closer(self, raw: pl.DataFrame, wave: pl.DataFrame) -> pl.Series:
        """Flagged rows on the exact evaluator; says which have no problem."""
        scales = self._program.formed.walk.call_scales
        columns: dict[int, list[Value]] = {}
        for place in self._read:
            of = self._calls[place].type
            columns[place] = [value_of(cell, of, scales.get(place, 1)) for cell in _cells(wave[f"w:{place}"], of)]
        fine: list[bool] = []
        for at, (row, inputs) in enumerate(zip(raw["__row"].to_list(), inputs_of(self._plan, raw), strict=True)):
            outcome = self._scalar(inputs, {place: cells[at] for place, cells in columns.items()})
            fine.append(self._take(row, outcome, looked=True))
        return pl.Series(fine, dtype=pl.Boolean())

    def _take(self, row: int, outcome: Outcome, *, looked: bool) -> bool:
        if looked:
            self.flagged.add(row)
        problem = outcome.problem or (self._disagree() if looked else None)
        if problem is not None:
            self.problems.append((row, problem))
            self.marked.discard(row)
            return False
        self.exact.append((row, outcome))
        return True

    # One episode after the other

    def _one_by_one(self, frame: pl.DataFrame) -> None:
        if self._alone is None:
            message = "this plan needs `alone`: a function that runs one person's episodes exactly"
            raise TypeError(message)
        persons, rows = frame["__person"].to_list(), frame["__row"].to_list()
        bad, unknown = frame["__bad"].to_list(), frame["__key_unreadable"].to_list()
        episodes = inputs_of(self._plan, frame)
        start = 0
        for end in range(1, len(rows) + 1):
            if end < len(rows) and persons[end] == persons[start]:
                continue
            mine = [
                Row(rows[at], str(rows[at]), episodes[at], refused=bad[at], unplaced=unknown[at])
                for at in range(start, end)
            ]
            for ran in self._alone(mine, compute=self._compute):
                if ran.outcome is not None:
                    if ran.after and self._compute:
                        self.marked.add(ran.row.number)
                    self._take(ran.row.number, ran.outcome, looked=False)
            start = end


def _cells(column: pl.Series, of: Any) -> list[Any]:
    """Cells of a window column; positions in a set become its values."""
    values = getattr(of, "values", None)
    cells = column.to_list()
    return cells if values is None else [None if cell is None else values[cell] for cell in cells]


def _depends(window: str, row: int) -> Problem:
    message = f"record {row} comes earlier in window `{window}` and was refused; mend that one first"
    return Problem("RX811", window, str(row), message)
