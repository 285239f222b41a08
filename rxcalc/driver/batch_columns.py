"""A batch that goes on from earlier ones, in columns: what came before is given, and what later runs start from is gathered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import polars as pl

from rxcalc.backends.base import Outcome, Problem, Ran, Row
from rxcalc.backends.closing import Closing, closings
from rxcalc.driver.batch_exact import rows_of
from rxcalc.driver.batch_openings import Instances
from rxcalc.driver.batch_past import Past
from rxcalc.driver.batch_read import BAD
from rxcalc.driver.batch_sequences import closing_of, closings_of, given_twice, limited, recorded_rows, told_twice
from rxcalc.driver.batch_stale import Stale, stale_results
from rxcalc.inputs.tables import ROW
from rxcalc.passes.sequence import is_stretch, windows_in_use
from rxcalc.plan.nodes import Plan, Value
from rxcalc.plan.reads import recorded_results

if TYPE_CHECKING:
    from rxcalc.backends.columnar import Columnar
    from rxcalc.backends.columnar.given import Given
    from rxcalc.backends.exact import Exact
    from rxcalc.backends.ledger import Openings
    from rxcalc.driver.batch_compute import Answer


@dataclass(frozen=True)
class Before:
    """What came before the episodes of a run: results of earlier runs and opening amounts."""

    plan: Plan
    past: Past
    openings: Mapping[Value, Instances]

    @cached_property
    def given(self) -> Given | None:
        """The earlier results."""
        return self.past.given(self.plan) if self.past.reads else None

    @property
    def by(self) -> str:
        """The input that says whose episode it is."""
        return self.plan.sequence.by if self.plan.sequence is not None else ""

    @cached_property
    def exact(self) -> Exact:
        """The exact evaluator, made when it is needed."""
        from rxcalc.backends.exact import Exact

        return Exact(self.plan)

    def of(self, frame: pl.DataFrame, owners: Iterable[Value]) -> pl.DataFrame:
        """The rows of some persons."""
        kind = frame.schema[self.by]
        return frame.filter(pl.col(self.by).is_in(pl.Series(list(owners), dtype=kind, strict=False).implode()))

    def recorded(self, owners: Iterable[Value]) -> list[Row]:
        """The earlier episodes of some persons."""
        if self.given is None:
            return []
        return self.past.rows(self.plan, self.of(self.given.frame, owners)[ROW].to_list())

    def clashes(self, frame: pl.DataFrame) -> dict[int, Problem]:
        """The rows that cannot take the opening amounts given."""
        if not self.openings:
            return {}
        told = told_twice(self.plan, self.recorded(self.openings), self.openings)
        counts = self._counts(frame) if limited(self.plan, self.openings, None) else {}
        single = limited(self.plan, self.openings, counts)
        concerned = {*single, *(owner for owner, _, _ in told)}
        if not concerned:
            return {}
        return given_twice(self.plan, rows_of(self.plan, self.of(frame, concerned), {}), self.past, told, single)

    def _counts(self, frame: pl.DataFrame) -> dict[Value, int]:
        """How many episodes each person has, in all files."""
        frames = [frame.select(self.by), *([] if self.given is None else [self.given.frame.select(self.by)])]
        return dict(pl.concat(frames).group_by(self.by).len().iter_rows())

    def opened(self, frame: pl.DataFrame) -> dict[Value, Openings]:
        """The opening amounts of those who have an episode in the run, as the evaluator takes them."""
        from rxcalc.backends.ledger import Openings

        if not self.openings:
            return {}
        counts = self._counts(frame)
        return {
            owner: Openings(single=counts.get(owner, 0) <= 1, instances=instances)
            for owner, instances in self.openings.items()
        }

    def stale(self, frame: pl.DataFrame, done: pl.Series, opened: Mapping[Value, Openings]) -> Sequence[Stale]:
        """The earlier results that rows of this run would have changed; `done` are those computed.

        Only persons are looked at of whom an earlier result may come after a row of this run.
        """
        if self.given is None or self.plan.sequence is None:
            return ()
        first = pl.col(self.plan.sequence.order[0])
        now = frame.filter(pl.col(ROW).is_in(done.implode()))
        new = now.group_by(self.by).agg(first.min().alias("new"))
        old = self.given.frame.group_by(self.by).agg(first.max().alias("old"))
        if isinstance(now.schema[self.plan.sequence.order[0]], pl.Enum):  # values of a set go by name in an order
            late = new.join(old, on=self.by, how="semi")
        else:
            late = new.join(old, on=self.by).filter(pl.col("new") <= pl.col("old"))
        if late.is_empty():
            return ()
        owners = late[self.by].to_list()
        ran = [Ran(row, row.recorded) for row in self.recorded(owners)]
        ran += [Ran(row, Outcome(row.inputs)) for row in rows_of(self.plan, self.of(now, owners), {})]
        return stale_results(self.exact, ran, opened)

    def closing(
        self, frame: pl.DataFrame, answer: Answer, opened: Mapping[Value, Openings], columnar: Columnar | None
    ) -> list[tuple[Value, Sequence[Closing]]]:
        """What every person's episodes, and what came before them, leave behind."""
        values = answer.values.select(ROW, *recorded_results(self.plan))
        now = frame.filter(pl.col(ROW).is_in(values[ROW].implode()))
        table = now.drop(set(values.columns) - {ROW}, strict=False).join(
            values, on=ROW, how="left", maintain_order="left"
        )
        tables = [] if self.given is None else [(self.given.frame, self.given.scales)]
        tables.append((table, {name: 10**digits for name, digits in answer.decimals.items()}))
        stretches = {window.name for window in windows_in_use(self.plan) if is_stretch(window)}
        apart = [owner for owner, own in opened.items() if any(name in stretches for name, _ in own.instances)]
        series = pl.Series(apart, dtype=frame.schema[self.by], strict=False)
        closed = columnar.closed(tables, series) if columnar is not None else None
        if closed is None:
            rows = [*self.past.rows(self.plan), *recorded_rows(self.plan, frame, answer)]
            return closing_of(self.plan, rows, opened)
        few = self.of(frame, closed.apart)
        rows = [*self.recorded(closed.apart), *recorded_rows(self.plan, few, answer)] if closed.apart else []
        people = dict(closing_of(self.plan, rows, {o: own for o, own in opened.items() if o in closed.apart}))
        people |= closings_of(self.plan, closed.left, {o: own for o, own in opened.items() if o not in closed.apart})
        known = {owner for part, _ in tables for owner in part[self.by].unique().to_list()} if opened else set()
        for owner, own in opened.items():
            if owner not in known:  # nothing of it has changed
                people[owner] = closings(self.exact, [], own)
        return sorted(people.items(), key=lambda item: str(item[0]))

    def alone(self, opened: Mapping[Value, Openings], rows: Sequence[Row], *, compute: bool) -> Sequence[Ran]:
        """One person's episodes on the exact evaluator."""
        from rxcalc.backends.history import run_person

        owner = next((row.inputs.get(self.by) for row in rows), None)
        return run_person(self.exact, rows, compute=compute, opening=opened.get(owner))

    def prepared(
        self, frame: pl.DataFrame, clashes: Mapping[int, Problem], opened: Mapping[Value, Openings]
    ) -> tuple[pl.DataFrame, dict[str, Any]]:
        """The frame with what is refused by now, and what else the columns are told."""
        more: dict[str, Any] = {} if self.given is None else {"given": self.given}
        if clashes:
            frame = frame.with_columns(pl.col(BAD) | pl.col(ROW).is_in(sorted(clashes)))
        if opened:
            more |= {"openings": self.openings, "alone": partial(self.alone, opened)}
        return frame, more
