"""Running a plan on frames: columns for all rows, the exact evaluator for those that need it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from threading import Lock

import polars as pl

from rxcalc.backends.base import Outcome, Problem
from rxcalc.backends.columnar.bill_run import AT_ONCE, SMALL_TURN, BillRun
from rxcalc.backends.columnar.bills import Bills
from rxcalc.backends.columnar.closed import Closed, closed, is_closable
from rxcalc.backends.columnar.found import Finder, all_found
from rxcalc.backends.columnar.given import Given, among
from rxcalc.backends.columnar.group_run import Evaluators, GroupRun
from rxcalc.backends.columnar.listing import Listing
from rxcalc.backends.columnar.opened import Amounts
from rxcalc.backends.columnar.persons import SMALL_WAVE, Alone, SequenceRun
from rxcalc.backends.columnar.program import Output, Program
from rxcalc.backends.columnar.results import ColumnarResult, complete, held, in_places, patched
from rxcalc.backends.columnar.values import inputs_of
from rxcalc.backends.columnar.wave_run import Scalar
from rxcalc.lang.types import OneOf
from rxcalc.plan.columns.together import bills_alone, why_together
from rxcalc.plan.nodes import Plan, Value

__all__ = ["Columnar", "ColumnarResult", "Scalar"]


class Columnar:
    """The columnar back end for one plan.

    Args:
        plan: the plan.
        scalar: runs one episode on the exact evaluator, which says what is wrong with a flagged row.
        alone: runs one person's episodes on it, one after the other; only plans that look back need it.
        evaluators: run whole sets on it, and episodes among groups; only plans with groups across bills need them.
    """

    def __init__(
        self, plan: Plan, scalar: Scalar, alone: Alone | None = None, evaluators: Evaluators | None = None
    ) -> None:
        self.plan = plan
        self._evaluators = evaluators
        self.program = Program(plan)
        self._scalar = scalar
        self._alone = alone
        self._forming = Lock()
        self.small_wave, self.small_turn, self.at_once = SMALL_WAVE, SMALL_TURN, AT_ONCE

    @cached_property
    def _finder(self) -> Finder:
        return Finder(self.program)

    @property
    def together(self) -> str:
        """Why all bills and all groups across bills are computed exactly at once; "" when columns compute them."""
        return why_together(self.plan, self.program.formed)

    @cached_property
    def bills_alone(self) -> Plan | None:
        """The plan without its groups across bills, if no bill depends on them: then `settle` computes these afterwards."""
        return bills_alone(self.plan, self.program.formed)

    def run(
        self,
        frame: pl.DataFrame,
        columns: Sequence[str],
        *,
        lists: Mapping[str, pl.DataFrame] | None = None,
        list_outputs: Mapping[str, Sequence[str]] | None = None,
        after_reject: str = "refuse",
        findings: bool = False,
        given: Given | None = None,
        openings: Mapping[Value, Amounts] | None = None,
        alone: Alone | None = None,
    ) -> ColumnarResult:
        """Computes `columns` (steps, shares, totals) for every row of `frame`.

        Args:
            frame: one column per input (scaled as `plan.layout.input_scale` says), `__row`, and for
                plans with a sequence `__bad` and `__key_unreadable`. A plan that looks back wants
                all episodes of a person in one frame.
            columns: names of the result columns.
            lists: the rows of each list: one column per input of it, and `__row`, that of their episode.
            list_outputs: for each list whose results are wanted, the names of their columns.
            after_reject: `compute` computes and marks what follows a refused episode.
            findings: whether those of `checks:` are wanted.
            given: results of earlier runs, which later episodes of their persons see; only for plans that look back.
            openings: what windows hold of a person before the first episode; `alone` then knows of them too.
            alone: runs a person's episodes here instead of the function of that name given before.
        """
        finder = self._finder if findings else None
        with self._forming:  # blocks run on several threads; a new output adds columns to the program
            outputs = [self.program.output(name) for name in columns]
            own = {x: [self.program.output(n, x) for n in names] for x, names in (list_outputs or {}).items()}
        if any(call.kind == "window" for call in self.plan.calls) or (
            self.plan.sequence is not None and self.plan.sequence.reverses
        ):
            compute = after_reject == "compute"
            return self._in_sequence(frame, outputs, lists or {}, own, finder, given, openings, alone, compute=compute)
        if "__bad" in frame.columns:
            frame = frame.filter(~pl.col("__bad"))
        if self.plan.lists or self.plan.groups:
            return self._bills(frame, outputs, lists or {}, own, finder)
        wanted = {out.name: out.expr for out in outputs if out.expr is not None}
        prepared = self.program.prepared(frame, ["__row"])
        if finder is None:
            return self._settled(frame, self.program.compute(prepared, wanted, ["__row"]), outputs)
        done = finder.left_out(self.program.compute(prepared, {**wanted, **finder.wanted("")}, ["__row"]))
        return self._settled(frame, done, outputs, finder)

    def run_groups(
        self,
        frame: pl.DataFrame,
        columns: Sequence[str],
        *,
        lists: Mapping[str, pl.DataFrame] | None = None,
        list_outputs: Mapping[str, Sequence[str]] | None = None,
        group_inputs: Mapping[str, Sequence[Mapping[str, Value]]] | None = None,
        after_reject: str = "refuse",
        findings: bool = False,
    ) -> ColumnarResult:
        """As `run`, for plans with groups across bills: all episodes of all groups in one frame.

        Args:
            frame: as for `run`, always with `__bad`: refused rows are counted in their groups.
            columns: names of the result columns.
            lists: the rows of each list.
            list_outputs: for each list whose results are wanted, the names of their columns.
            group_inputs: by kind, one map of keys and inputs for each row of its file.
            after_reject: `compute` computes and marks what follows a refused episode.
            findings: whether those of `checks:` are wanted.
        """
        finder = self._finder if findings else None
        with self._forming:
            outputs = [self.program.output(name) for name in columns]
            own = {x: [self.program.output(n, x) for n in names] for x, names in (list_outputs or {}).items()}
            placed = _placed(self.plan, frame)
            listing = Listing(self.program, Bills(self.plan, placed, lists or {}), own, small_turn=0, finder=finder)
            run = GroupRun(
                self.program,
                self._groups_exactly,
                self.discrepancy,
                outputs,
                listing,
                group_inputs or {},
                compute=after_reject == "compute",
            )
        run.run()
        exact, large = held(run.exact, outputs, own)
        too_large = {row for row, _ in large}
        values = patched(run.values, exact, outputs, placed["__row"]) if exact else run.values
        tables = listing.tables(run.fine, _by_place(placed, exact)) if own else {}
        if placed is not frame:
            values, tables = _back(frame, values), {name: _back(frame, table) for name, table in tables.items()}
        return ColumnarResult(
            values,
            _decimals(outputs),
            frozenset(run.flagged),
            tuple(sorted([*run.problems, *large], key=lambda pair: pair[0])),
            frozenset(run.marked),
            lists=tables,
            list_decimals=_all_decimals(own),
            groups=tuple(run.groups),
            unplaced=run.unplaced,
            incomplete={row: kinds for row, kinds in run.incomplete.items() if row not in too_large},
            findings=all_found(run.found, exact) if findings else (),
        )

    def settle(
        self,
        frame: pl.DataFrame,
        group_inputs: Mapping[str, Sequence[Mapping[str, Value]]] | None = None,
        *,
        findings: bool = False,
    ) -> ColumnarResult:
        """The groups across bills of a plan with `bills_alone`, from all its episodes, as `run_groups` takes them.

        Only `groups` (with findings on them, if wanted) and `unplaced` are given.
        """
        with self._forming:
            finder = self._finder if findings else None
            listing = Listing(self.program, Bills(self.plan, frame, {}), {}, small_turn=0, finder=finder)
            run = GroupRun(
                self.program,
                self._groups_exactly,
                self.discrepancy,
                (),
                listing,
                group_inputs or {},
                compute=False,
                alone=True,
            )
        run.run()
        nothing = frame.select("__row").clear()
        return ColumnarResult(nothing, {}, frozenset(), (), groups=tuple(run.groups), unplaced=run.unplaced)

    def closed(self, tables: Sequence[tuple[pl.DataFrame, Mapping[str, int]]], apart: pl.Series) -> Closed | None:
        """What episodes with these results leave behind for later runs; None: columns do not hold all that can be carried on.

        Args:
            tables: episodes with inputs as in the frame of a run (the last with all of them) and `__row`, and with results as
                whole numbers at these scales.
            apart: persons whom the exact evaluator is to look at in any case.
        """
        return closed(self.program, tables, apart) if is_closable(self.program) else None

    @property
    def _groups_exactly(self) -> Evaluators:
        if self._evaluators is None:
            message = "this plan needs `evaluators`: functions that run groups exactly"
            raise TypeError(message)
        return self._evaluators

    def _bills(
        self,
        frame: pl.DataFrame,
        outputs: Sequence[Output],
        lists: Mapping[str, pl.DataFrame],
        own: Mapping[str, Sequence[Output]],
        finder: Finder | None,
    ) -> ColumnarResult:
        """A plan with lists that does not look back."""
        listing = Listing(self.program, Bills(self.plan, frame, lists), own, small_turn=self.small_turn, finder=finder)
        run = BillRun(
            self.program,
            self._scalar,
            self.discrepancy,
            outputs,
            listing,
            wide=listing.wide or any(out.exact for out in outputs),
        )
        run.run(self.at_once)
        exact, large = held(run.exact, outputs, own)
        values = patched(run.values, exact, outputs, frame["__row"]) if exact else run.values
        problems = tuple(sorted([*run.problems, *large], key=lambda pair: pair[0]))
        tables = listing.tables(run.fine, _by_place(frame, exact)) if own else {}
        return ColumnarResult(
            values,
            _decimals(outputs),
            frozenset(run.flagged),
            problems,
            lists=tables,
            list_decimals=_all_decimals(own),
            findings=all_found(run.found, exact) if finder is not None else (),
        )

    def _in_sequence(
        self,
        frame: pl.DataFrame,
        outputs: Sequence[Output],
        lists: Mapping[str, pl.DataFrame],
        own: Mapping[str, Sequence[Output]],
        finder: Finder | None,
        given: Given | None,
        openings: Mapping[Value, Amounts] | None,
        alone: Alone | None,
        *,
        compute: bool,
    ) -> ColumnarResult:
        """A plan that looks back, wave by wave."""
        if given is not None:
            frame = among(self.program, frame, given)
        listing: Listing | None = None
        if self.plan.lists:
            bills = Bills(self.plan, frame, lists)
            listing = Listing(self.program, bills, own, small_turn=self.small_turn, finder=finder)
        run = SequenceRun(
            self.program,
            self._scalar,
            alone or self._alone,
            outputs,
            self.discrepancy,
            compute=compute,
            small_wave=self.small_wave,
            listing=listing,
            finder=finder,
            given=given,
            openings=openings,
        )
        run.run(frame)
        reverses = self.plan.sequence.reverses if self.plan.sequence is not None else ""
        exact, large = held(run.exact, outputs, own, reverses)
        values = in_places(run.done, exact, outputs, frame["__row"])
        problems = tuple(sorted([*run.problems, *large], key=lambda pair: pair[0]))
        tables: dict[str, pl.DataFrame] = {}
        if listing is not None and own:
            computed = {row for row, _ in exact}
            there = frame["__row"].is_in(values["__row"].implode()) & ~frame["__row"].is_in(list(computed))
            tables = listing.tables(there.arg_true(), _by_place(frame, exact))
        return ColumnarResult(
            values,
            _decimals(outputs),
            frozenset(run.flagged),
            problems,
            frozenset(run.marked),
            run.affected,
            tables,
            _all_decimals(own),
            findings=all_found(run.found, exact) if finder is not None else (),
        )

    def _settled(
        self, frame: pl.DataFrame, done: pl.DataFrame, outputs: Sequence[Output], finder: Finder | None = None
    ) -> ColumnarResult:
        """The result, with flagged rows looked at by the exact evaluator."""
        decimals = _decimals(outputs)
        names = ["__row", *(out.name for out in outputs)]
        wide = any(out.exact for out in outputs)
        if not wide and not done["__flag"].any():
            found = all_found(finder.of_episodes(done), ()) if finder is not None else ()
            return ColumnarResult(done.select(names), decimals, frozenset(), (), findings=found)
        flags = pl.repeat(value=True, n=done.height, dtype=pl.Boolean(), eager=True) if wide else done["__flag"]
        few = done.filter(flags)
        rows = few["__row"].to_list()
        left = few["__left"].to_list() if "__left" in few.columns else [False] * len(rows)
        problems: list[tuple[int, Problem]] = []
        exact: list[tuple[int, Outcome]] = []
        for row, fine, inputs in zip(rows, left, inputs_of(self.plan, frame.filter(flags)), strict=True):
            outcome = self._scalar(inputs, None)
            problem = outcome.problem or (None if wide or fine else self.discrepancy())
            if problem is None:
                exact.append((row, outcome))
            else:
                problems.append((row, problem))
        values = complete(done.filter(~flags), outputs)
        exact, large = held(exact, outputs)
        problems = sorted([*problems, *large], key=lambda pair: pair[0])
        if exact:
            values = patched(values, exact, outputs, frame["__row"])
        found = all_found(finder.of_episodes(done, flags), exact) if finder is not None else ()
        return ColumnarResult(values, decimals, frozenset(rows), tuple(problems), findings=found)

    def discrepancy(self) -> Problem | None:
        """The problem of a flagged row in which the exact evaluator finds nothing wrong.

        Where a step has no column, rows are flagged only in order to be computed.
        """
        if self.program.formed.reasons:
            return None
        message = "the columns refuse this row, the exact evaluator does not: please report it"
        return Problem("RX901", "", "", message)


def _placed(plan: Plan, frame: pl.DataFrame) -> pl.DataFrame:
    """The episodes in the order in which their sequence takes them: what is left of a spread goes to the first."""
    if plan.sequence is None:
        return frame
    sets = {field.name for field in plan.inputs if isinstance(field.type, OneOf)}
    order = [pl.col(name).cast(pl.String()) if name in sets else pl.col(name) for name in plan.sequence.order]
    at = frame.select(pl.arg_sort_by(order, maintain_order=True)).to_series()
    return frame if at.is_sorted() else frame[at]


def _back(frame: pl.DataFrame, table: pl.DataFrame) -> pl.DataFrame:
    """Rows in the order of the frame's."""
    places = frame.select("__row").with_row_index("__place")
    return (
        table.join(places, on="__row", how="left", maintain_order="left")
        .sort("__place", maintain_order=True)
        .drop("__place")
    )


def _decimals(outputs: Sequence[Output]) -> dict[str, int]:
    return {out.name: out.decimals for out in outputs if out.decimals is not None}


def _all_decimals(lists: Mapping[str, Sequence[Output]]) -> dict[str, dict[str, int]]:
    return {name: _decimals(own) for name, own in lists.items()}


def _by_place(frame: pl.DataFrame, exact: Sequence[tuple[int, Outcome]]) -> list[tuple[int, Outcome]]:
    """Outcomes by their place in the frame, ascending."""
    if not exact:
        return []
    rows = [row for row, _ in exact]
    outcomes = dict(exact)
    few = frame.select("__row").with_row_index("at").filter(pl.col("__row").is_in(rows))
    return [(at, outcomes[row]) for at, row in few.iter_rows()]
