"""Waves of columns: everybody's k-th episode at once, from what the waves before have left."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final, TypeAlias

import polars as pl

from rxcalc.backends.base import Known, Outcome, Problem
from rxcalc.backends.columnar.found import Finder, Found
from rxcalc.backends.columnar.given import RECORDED
from rxcalc.backends.columnar.listing import Listing
from rxcalc.backends.columnar.looking import Running
from rxcalc.backends.columnar.memory import Memory
from rxcalc.backends.columnar.opened import Seeds
from rxcalc.backends.columnar.program import Output, Program
from rxcalc.backends.columnar.values import cells, held_as, inputs_of, value_of
from rxcalc.passes.earlier import Refusals
from rxcalc.passes.instances import Places
from rxcalc.passes.waves import in_waves
from rxcalc.plan.nodes import Value

__all__ = ["Scalar", "TooMany", "WaveRun", "Waved"]

Scalar: TypeAlias = "Callable[[Mapping[str, Value], Known | None], Outcome]"
"""Runs one episode exactly: its inputs, and what is known of its window calls."""

_FLAGGED: Final = Fraction(1, 2)
"""Where the exact evaluator has to look at more of the first wave than this, it computes whole persons."""


class TooMany(Exception):  # noqa: N818 -- no error: the persons are computed by the exact evaluator
    """The columns leave most rows to the exact evaluator."""


@dataclass(slots=True)
class Waved:
    """What became of the rows, by `__row`.

    `refused` are the places (in sequence order) of rows refused on the way, `alone` those of rows whose persons the exact evaluator is
    to compute: what it would have to know of their earlier episodes no column holds.
    """

    done: list[pl.DataFrame] = field(default_factory=list)
    exact: list[tuple[int, Outcome]] = field(default_factory=list)
    problems: list[tuple[int, Problem]] = field(default_factory=list)
    flagged: set[int] = field(default_factory=set)
    marked: set[int] = field(default_factory=set)
    refused: list[pl.Series] = field(default_factory=list)
    found: list[Found] = field(default_factory=list)
    alone: list[pl.Series] = field(default_factory=list)


class WaveRun:
    """One run over rows in sequence order.

    Args:
        program: the plan in columns.
        outputs: the result columns.
        scalar: looks at flagged rows.
        disagree: the problem of a flagged row in which that finds nothing wrong; None: that is as it should be.
        frame: the rows (`waves.in_order`), with `__bad`, `__unplaced` and `__tied`. Those `__recorded` are not computed: later rows see
            them with their results as given (`f:NAME`).
        apart: rows known to be refused, without which spells and periods are formed (None: they stay in).
        compute: rows that could read a refused one are computed and marked.
        listing: the bills with their lists, by `__n`, where the plan has any.
        finder: the checks, where findings are wanted.
        seeds: opening amounts.
    """

    def __init__(
        self,
        program: Program,
        outputs: Sequence[Output],
        scalar: Scalar,
        disagree: Callable[[], Problem | None],
        frame: pl.DataFrame,
        apart: pl.Series | None,
        *,
        compute: bool,
        listing: Listing | None = None,
        finder: Finder | None = None,
        seeds: Seeds | None = None,
    ) -> None:
        self._program, self._plan, self._outputs = program, program.plan, outputs
        self._listing, self._finder = listing, finder
        self._scalar, self._disagree, self._compute = scalar, disagree, compute
        self._frame, self._rows = frame, frame["__row"]
        self._looking = looking = program.looking
        self._places = Places(self._plan, frame, apart)
        # Who could read whom is decided with all rows in their places, also those that turn out refused.
        whole = self._places if apart is None else Places(self._plan, frame)
        self._refusals = Refusals(
            {view.key: whole.ids(view) for view in looking.windows},
            {view.key: whole.order(view) for view in looking.windows if view.window.rolling[0]},
            frame["__person"],
        )
        self._running = [
            Running(at, self._plan.calls[at], looking.forms[at], self._places, program.windows[at], looking.views[at])
            for at in looking.running
        ]
        if seeds is not None:
            for running in self._running:
                running.begin(*seeds.of(running.at, frame, running.ids, running.kind))
        self._fields = [f"f:{name}" for name in program.formed.calls.fields]
        given = [name for name in self._fields if name in frame.columns]
        carried = ["__row", "__n", "__wave", "__bad", "__unplaced", "__tied", RECORDED, *given]
        prepared = program.prepared(frame, carried)
        self._inputs = [name for name in prepared.columns if name.startswith("i:") and name in program.own_inputs]
        orders = {at: self._places.order(looking.views[at]) for at in looking.paired}
        self._memory = Memory(self._plan, frame, prepared.select(self._inputs), orders, looking.fields, partial=compute)
        self._prepared = in_waves(prepared)
        self._begun = False
        self.found = Waved()

    def run(self, sizes: Sequence[int]) -> Waved:
        """Computes all rows, in waves of these sizes."""
        start = 0
        for size in sizes:
            wave = self._prepared.slice(start, size)
            for running in self._running:
                running.come(wave["__at"])
            if wave[RECORDED].any():
                self._keep(wave.filter(pl.col(RECORDED)))
                wave = wave.filter(~pl.col(RECORDED))
            wave = self._admitted(wave)
            if wave.height:
                self._wave(wave, first=not self._begun)
                self._begun = True
            start += size
        return self.found

    def _refuse(self, at: pl.Series, unplaced: pl.Series | None = None) -> None:
        self._refusals.note(at, unplaced=unplaced)

    def _admitted(self, wave: pl.DataFrame) -> pl.DataFrame:
        """The rows of a wave that are computed; the others take with them whoever could read them."""
        if wave["__bad"].any():
            bad = wave.filter(pl.col("__bad"))
            self._refuse(bad["__at"], bad["__unplaced"])
            wave = wave.filter(~pl.col("__bad"))
        if wave["__tied"].any():
            tied = wave.filter(pl.col("__tied"))
            self._refuse(tied["__at"])
            problem = _tie(self._plan.sequence.order if self._plan.sequence is not None else ())
            self.found.problems += [(row, problem) for row in tied["__row"].to_list()]
            wave = wave.filter(~pl.col("__tied"))
        if not self._refusals.any or wave.is_empty() or not self._looking.windows:
            return wave
        found = self._refusals.read(wave["__at"])
        hit = found["at"].is_not_null()
        if not hit.any():
            return wave
        self._refuse(wave["__at"].filter(hit))
        rows = wave["__row"].filter(hit).to_list()
        if self._compute:
            self.found.marked.update(rows)
            return wave
        earlier = self._rows.gather(found["at"].filter(hit)).to_list()
        windows = found["window"].filter(hit).to_list()
        self.found.problems += [(row, _depends(*what)) for row, *what in zip(rows, windows, earlier, strict=True)]
        return wave.filter(~hit)

    def _wave(self, wave: pl.DataFrame, *, first: bool) -> None:
        program, looking = self._program, self._looking
        at = wave["__at"]
        columns = [column for running in self._running for column in running.read(at)]
        columns += [self._places.order(view).holds(at).alias(f"s:{call}") for call, view in looking.open.items()]
        wave = wave.drop(self._fields, strict=False).with_columns(columns)
        wanted = {out.name: out.expr for out in self._outputs if out.expr is not None}
        wanted.update(program.formed.kept)
        self._memory.at = at
        done = self._computed(wave, wanted)
        flags = done["__flag"]
        own = wave.select("__at", *self._inputs).hstack([done[name] for name in program.formed.kept])
        if first and (program.formed.reasons or self._finder is not None) and int(flags.sum()) > _FLAGGED * flags.len():
            raise TooMany
        if flags.any() and looking.late:
            left = at.filter(flags)
            self._refuse(left)
            self.found.alone.append(left)
            at, own, done = at.filter(~flags), own.filter(~flags), done.filter(~flags)
        elif flags.any():
            rows = flags.arg_true()
            outcomes = self._looked_at(wave[rows], done["__left"].gather(rows) if "__left" in done.columns else None)
            fine = [place for place, outcome in enumerate(outcomes) if outcome is not None]
            own = self._patched(own, rows.gather(fine), [o for o in outcomes if o is not None])
            refused = pl.Series([outcome is None for outcome in outcomes], dtype=pl.Boolean())
            self._refuse(at.gather(rows.filter(refused)))
            self.found.refused.append(at.gather(rows.filter(refused)))
            stays = pl.repeat(value=True, n=at.len(), dtype=pl.Boolean(), eager=True)
            stays = stays.scatter(rows.filter(refused), False) if refused.any() else stays  # noqa: FBT003 -- the value itself
            at, own, done = at.filter(stays), own.filter(stays), done.filter(~flags)
        self.found.done.append(
            done.select("__row", "__n", *(out.name for out in self._outputs if out.expr is not None))
        )
        self._keep(own)

    def _keep(self, own: pl.DataFrame) -> None:
        """Later rows see these, with what they keep of themselves."""
        program, looking = self._program, self._looking
        at = own["__at"]
        kept = program.keep(own, looking.own) if looking.own else own
        for running in self._running:
            running.take(at, kept)
        stored = [kept[name] for name in program.formed.calls.kept]
        self._memory.keep(at, [*(own[f"f:{name}"] for name in looking.fields), *stored])

    def _computed(self, wave: pl.DataFrame, wanted: Mapping[str, pl.Expr]) -> pl.DataFrame:
        """The wave in columns, with its lists if the plan has any."""
        if self._listing is None:
            return self._alone(wave, wanted)
        listing, at = self._listing, wave["__n"]
        bad = listing.bills.bad.gather(at)
        done = listing.compute(wave, listing.chosen(at), bad, wanted, ["__row", "__n"], self._memory)
        self.found.found += listing.keep(done["__flag"])
        return done

    def _alone(self, wave: pl.DataFrame, wanted: Mapping[str, pl.Expr]) -> pl.DataFrame:
        """The wave in columns, of a plan without lists."""
        finder = self._finder
        if finder is None:
            return self._program.compute(wave, wanted, ["__row", "__n"], self._memory)
        done = self._program.compute(wave, {**wanted, **finder.wanted("")}, ["__row", "__n"], self._memory)
        done = finder.left_out(done)
        self.found.found += finder.of_episodes(done, done["__flag"])
        return done

    # Rows that the exact evaluator looks at

    def _inputs_of(self, frame: pl.DataFrame) -> list[dict[str, Value]]:
        return inputs_of(self._plan, frame) if self._listing is None else self._listing.bills.inputs(frame["__n"])

    def _looked_at(self, wave: pl.DataFrame, left: pl.Series | None) -> list[Outcome | None]:
        """Flagged rows on the exact evaluator; None for those with a problem. Rows `left` to it have nothing wrong with them."""
        looking, plan, at = self._looking, self._plan, wave["__at"]
        seen = {name: self._memory.seen(self._places.order(view), at) for name, view in looking.told.items()}
        values: dict[int, list[Value]] = {}
        for call in looking.running:
            form, of = looking.forms[call], plan.calls[call].type
            if form.fail is None:
                scale = self._program.formed.walk.call_scales[call]
                values[call] = [value_of(cell, of, scale) for cell in cells(wave[f"w:{call}"], of)]
        found: list[Outcome | None] = []
        for place, (row, inputs) in enumerate(
            zip(wave["__row"].to_list(), self._inputs_of(self._frame[at]), strict=True)
        ):
            known = Known(
                {call: column[place] for call, column in values.items()},
                {name: rows[place] for name, rows in seen.items()},
            )
            outcome = self._scalar(inputs, known)
            self.found.flagged.add(row)
            problem = outcome.problem or (None if left is not None and left[place] else self._disagree())
            if problem is None:
                self.found.exact.append((row, outcome))
                found.append(outcome)
            else:
                self.found.problems.append((row, problem))
                self.found.marked.discard(row)
                found.append(None)
        return found

    def _patched(self, own: pl.DataFrame, rows: pl.Series, outcomes: Sequence[Outcome]) -> pl.DataFrame:
        """What episodes keep, with the results of those that were computed exactly."""
        if not outcomes:
            return own
        columns: list[pl.Series] = []
        for name, kept in self._program.formed.calls.fields.items():
            column = own[f"f:{name}"]
            held = [held_as({**o.shares, **o.steps}[name], kept.type, kept.scale) for o in outcomes]
            columns.append(column.clone().scatter(rows, pl.Series(held, dtype=column.dtype)).alias(column.name))
        return own.with_columns(columns)


def _depends(window: str, row: int) -> Problem:
    message = f"record {row} comes earlier in window `{window}` and was refused; mend that one first"
    return Problem("RX811", window, str(row), message)


def _tie(order: Sequence[str]) -> Problem:
    names = ", ".join(order)
    return Problem("RX818", names, "", f"another episode of the sequence has the same {names}; neither comes first")
