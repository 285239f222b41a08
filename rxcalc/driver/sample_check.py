"""Which of many made-up bills are refused, found out by columns: their cells are read and computed as a batch does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import polars as pl

from rxcalc.backends.among import Among
from rxcalc.backends.base import GroupOutcome, Outcome, Problem, Row
from rxcalc.backends.columnar import Columnar
from rxcalc.backends.exact import Exact
from rxcalc.backends.exact_groups import Together, run_all
from rxcalc.backends.history import run_person
from rxcalc.backends.replay import run_known
from rxcalc.driver.batch_compute import needs_exact
from rxcalc.inputs.tables import ROW, TableReader
from rxcalc.plan.nodes import Plan, Value
from rxcalc.sampling.bills import Bill
from rxcalc.sampling.groups import Settle
from rxcalc.sampling.people import Check
from rxcalc.sampling.sample import Columns
from rxcalc.tabular.lists import list_plan


def check_of(plan: Plan) -> Check | None:
    """The check of a plan none of whose bills depends on groups; None where columns cannot do it."""
    if any(not g.inside for g in plan.groups):
        bills = Columnar(plan, partial(run_known, Exact(plan))).bills_alone
        if bills is None:
            return None
        plan = bills
    return _Columns(plan).refused


def settle_of(plan: Plan) -> Settle | None:
    """What computes bills with their groups; None where columns cannot do it."""
    columns = _Columns(plan)
    return None if columns.columnar.together or needs_exact(plan) else columns.settled


class _Exactly:
    """The exact evaluator, as columns call it for what they leave to it."""

    def __init__(self, plan: Plan) -> None:
        self.exact = Exact(plan)

    def together(
        self, rows: Sequence[Row], group_inputs: Mapping[str, Sequence[Mapping[str, Value]]], *, compute: bool
    ) -> Together:
        """A whole set of episodes with their groups."""
        return run_all(self.exact, rows, group_inputs, compute=compute)

    def among(self, groups: Sequence[GroupOutcome]) -> Callable[[Mapping[str, Value], Mapping[str, Value]], Outcome]:
        """Episodes among groups that are computed."""
        return Among(self.exact, groups).run


class _Columns:
    def __init__(self, plan: Plan) -> None:
        later = _Exactly(plan)
        exact = later.exact
        self.plan = plan
        self.columnar = Columnar(plan, partial(run_known, exact), partial(run_person, exact), later)
        self.columns = Columns.of(plan, plan.inputs)
        self.reader = TableReader(plan)
        self.lists = {x.name: (Columns.of(plan, x.inputs), TableReader(list_plan(plan, x))) for x in plan.lists}

    def refused(self, bills: Sequence[Bill]) -> set[int]:
        """The places of refused bills; a cell that cannot be read refuses its bill too."""
        frame, lists, wrong = self._frames(bills)
        if lists:
            found = self.columnar.run(frame, self.plan.outputs, lists=lists)
        else:
            found = self.columnar.run(frame, self.plan.outputs)
        return {*wrong, *(row for row, _ in found.problems)}

    def settled(
        self, bills: Sequence[Bill], groups: Mapping[str, Sequence[Mapping[str, Value]]]
    ) -> tuple[dict[int, Problem], list[GroupOutcome]]:
        """Why bills are refused among their groups, and what became of these."""
        frame, lists, wrong = self._frames(bills)
        found = self.columnar.run_groups(frame, self.plan.outputs, lists=lists, group_inputs=groups)
        return {**wrong, **dict(found.problems)}, list(found.groups)

    def _frames(self, bills: Sequence[Bill]) -> tuple[pl.DataFrame, dict[str, pl.DataFrame], dict[int, Problem]]:
        """The typed columns of bills and their lists, read from the cells that are written; and what cannot be read."""
        names = [i.name for i in self.plan.inputs]
        checked = self.reader.read(_texts(names, [self.columns.of_bill(b) for b in bills]))
        wrong = {row: Problem(p.code, p.field, p.value, p.message) for row, p in checked.problems}
        frame = checked.frame
        if self.plan.sequence is not None or any(not g.inside for g in self.plan.groups):
            no = pl.repeat(value=False, n=len(bills), dtype=pl.Boolean(), eager=True)
            frame = frame.with_columns(no.alias("__bad"), no.alias("__key_unreadable"))
        lists: dict[str, pl.DataFrame] = {}
        for name, (columns, reader) in self.lists.items():
            rows = [(at, b.name, row) for at, b in enumerate(bills) for row in b.rows.get(name, ())]
            cells = [[bill, *columns.cells(*row)] for _, bill, row in rows]
            read = reader.read(_texts(["episode_id", *(i.name for i in columns.inputs)], cells))
            wrong |= {rows[row][0]: Problem(p.code, p.field, p.value, p.message) for row, p in read.problems}
            at = pl.Series(ROW, [at for at, _, _ in rows], dtype=frame.schema[ROW])
            lists[name] = read.frame.drop("episode_id").with_columns(at)
        return frame, lists, wrong


def _texts(names: Sequence[str], cells: Sequence[Sequence[str]]) -> pl.DataFrame:
    """Cells as the reader of files gives them: an empty one is null."""
    turned = list(zip(*cells, strict=True)) if cells else [() for _ in names]
    columns = {n: [c or None for c in column] for n, column in zip(names, turned, strict=True)}
    return pl.DataFrame(columns, schema=dict.fromkeys(names, pl.String()))
