"""Running a plan on frames: columns for all rows, the exact evaluator for those that need it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Final, TypeAlias

import polars as pl

from rxcalc.backends.base import Outcome, Problem
from rxcalc.backends.columnar.persons import SMALL_WAVE, Alone, SequenceRun
from rxcalc.backends.columnar.program import DECIMAL_LIMIT, Output, Program
from rxcalc.backends.columnar.values import inputs_of, result_type, written
from rxcalc.plan.nodes import Plan, Value

__all__ = ["Columnar", "ColumnarResult", "Scalar"]

Scalar: TypeAlias = "Callable[[Mapping[str, Value], Mapping[int, Value] | None], Outcome]"
"""Runs one episode exactly: its inputs, and the values of its window calls by index."""


@dataclass(frozen=True, slots=True)
class ColumnarResult:
    """What a run gives.

    `values` has `__row` and a column per requested name, for the rows without a problem, in the
    order of the frame; numbers are whole numbers of the last of `decimals` digits. `flagged` are the rows
    that the exact evaluator looked at. `marked` are the rows computed after a refused one that they
    could read (only with `after_reject="compute"`).
    """

    values: pl.DataFrame
    decimals: Mapping[str, int]
    flagged: frozenset[int]
    problems: tuple[tuple[int, Problem], ...]
    marked: frozenset[int] = field(default_factory=frozenset)


class Columnar:
    """The columnar back end for one plan.

    Args:
        plan: the plan.
        scalar: runs one episode on the exact evaluator, which says what is wrong with a flagged row.
        alone: runs one person's episodes on it, one after the other; only plans that look back need it.
    """

    def __init__(self, plan: Plan, scalar: Scalar, alone: Alone | None = None) -> None:
        self.plan = plan
        self.program = Program(plan)
        self._scalar = scalar
        self._alone = alone
        self._forming = Lock()
        self.small_wave = SMALL_WAVE

    def run(self, frame: pl.DataFrame, columns: Sequence[str], *, after_reject: str = "refuse") -> ColumnarResult:
        """Computes `columns` (steps, shares, totals) for every row of `frame`.

        Args:
            frame: one column per input (scaled as `plan.layout.input_scale` says), `__row`, and for
                plans with a sequence `__bad` and `__key_unreadable`. A plan that looks back wants
                all episodes of a person in one frame.
            columns: names of the result columns.
            after_reject: `compute` computes and marks what follows a refused episode.
        """
        with self._forming:  # blocks run on several threads; a new output adds columns to the program
            outputs = [self.program.output(name) for name in columns]
        if self.plan.window_calls:
            return self._in_sequence(frame, outputs, compute=after_reject == "compute")
        if "__bad" in frame.columns:
            frame = frame.filter(~pl.col("__bad"))
        wanted = {out.name: out.expr for out in outputs if out.expr is not None}
        prepared = self.program.prepared(frame, ["__row"])
        done = self.program.compute(prepared, wanted, ["__row"])
        return self._settled(frame, done, outputs)

    def _in_sequence(self, frame: pl.DataFrame, outputs: Sequence[Output], *, compute: bool) -> ColumnarResult:
        """A plan that looks back, wave by wave."""
        run = SequenceRun(
            self.program,
            self._scalar,
            self._alone,
            outputs,
            self.discrepancy,
            compute=compute,
            small_wave=self.small_wave,
        )
        run.run(frame)
        decimals = {out.name: out.decimals for out in outputs if out.decimals is not None}
        if run.done:
            values = _complete(pl.concat(run.done).sort("__n"), outputs)
        else:
            schema = {"__row": frame.schema["__row"], **{out.name: result_type(out.type, None) for out in outputs}}
            values = pl.DataFrame(schema=schema)
        exact, large = held(run.exact, outputs)
        if exact:
            values = patched(values, exact, outputs, frame["__row"])
        problems = tuple(sorted([*run.problems, *large], key=lambda pair: pair[0]))
        return ColumnarResult(values, decimals, frozenset(run.flagged), problems, frozenset(run.marked))

    def _settled(self, frame: pl.DataFrame, done: pl.DataFrame, outputs: Sequence[Output]) -> ColumnarResult:
        """The result, with flagged rows looked at by the exact evaluator."""
        decimals = {out.name: out.decimals for out in outputs if out.decimals is not None}
        names = ["__row", *(out.name for out in outputs)]
        wide = any(out.exact for out in outputs)
        if not wide and not done["__flag"].any():
            return ColumnarResult(done.select(names), decimals, frozenset(), ())
        flags = pl.repeat(value=True, n=done.height, dtype=pl.Boolean(), eager=True) if wide else done["__flag"]
        rows = done.filter(flags)["__row"].to_list()
        problems: list[tuple[int, Problem]] = []
        exact: list[tuple[int, Outcome]] = []
        for row, inputs in zip(rows, inputs_of(self.plan, frame.filter(flags)), strict=True):
            outcome = self._scalar(inputs, None)
            problem = outcome.problem or (None if wide else self.discrepancy())
            if problem is None:
                exact.append((row, outcome))
            else:
                problems.append((row, problem))
        values = _complete(done.filter(~flags), outputs)
        exact, large = held(exact, outputs)
        problems = sorted([*problems, *large], key=lambda pair: pair[0])
        if exact:
            values = patched(values, exact, outputs, frame["__row"])
        return ColumnarResult(values, decimals, frozenset(rows), tuple(problems))

    def discrepancy(self) -> Problem | None:
        """The problem of a flagged row in which the exact evaluator finds nothing wrong.

        Where a step has no column, rows are flagged only in order to be computed.
        """
        if self.program.formed.reasons:
            return None
        message = "the columns refuse this row, the exact evaluator does not: please report it"
        return Problem("RX901", "", "", message)


_LARGEST: Final = DECIMAL_LIMIT - 1


def held(
    outcomes: Sequence[tuple[int, Outcome]], outputs: Sequence[Output]
) -> tuple[list[tuple[int, Outcome]], list[tuple[int, Problem]]]:
    """The outcomes whose requested amounts a result column holds, and the refusals of the others."""
    fine: list[tuple[int, Outcome]] = []
    problems: list[tuple[int, Problem]] = []
    for row, outcome in outcomes:
        cells = ((out.name, written(result_of(outcome, out.name), out.type, out.decimals)) for out in outputs)
        large = next((name for name, cell in cells if isinstance(cell, int) and abs(cell) > _LARGEST), None)
        if large is None:
            fine.append((row, outcome))
        else:
            message = f"`{large}` has more than 38 digits; no table can hold it"
            problems.append((row, Problem("RX718", large, "", message)))
    return fine, problems


def result_of(outcome: Outcome, name: str) -> Value:
    """A step, share or total of an outcome."""
    return outcome.steps[name] if name in outcome.steps else outcome.shares[name]


def _complete(done: pl.DataFrame, outputs: Sequence[Output]) -> pl.DataFrame:
    """The requested columns; those that no column holds are empty until the exact evaluator fills them."""
    gaps = [pl.lit(None, dtype=result_type(out.type, None)).alias(out.name) for out in outputs if out.expr is None]
    return done.with_columns(gaps).select("__row", *(out.name for out in outputs))


def patched(
    values: pl.DataFrame, exact: Sequence[tuple[int, Outcome]], outputs: Sequence[Output], order: pl.Series
) -> pl.DataFrame:
    """The values together with those of rows computed exactly, in the order of the frame."""
    columns: dict[str, list[object]] = {"__row": [row for row, _ in exact]}
    schema = pl.Schema(values.schema)
    for out in outputs:
        cells = [written(result_of(outcome, out.name), out.type, out.decimals) for _, outcome in exact]
        columns[out.name] = cells
        if schema[out.name] == pl.Int64 and any(isinstance(c, int) and not -(2**63) <= c < 2**63 for c in cells):
            schema[out.name] = pl.Int128()
    both = pl.concat(
        [values.select(pl.col(name).cast(kind) for name, kind in schema.items()), pl.DataFrame(columns, schema=schema)]
    )
    return order.to_frame().join(both, on="__row", how="inner", maintain_order="left")
