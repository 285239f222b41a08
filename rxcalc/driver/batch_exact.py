"""A whole batch on the exact evaluator, record by record: what no columns can compute."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import polars as pl

from rxcalc.backends.base import Outcome, Problem, Row, RowResult
from rxcalc.backends.columnar.values import inputs_of, result_type, written
from rxcalc.driver.batch_lists import LINE
from rxcalc.driver.batch_read import BAD, UNPLACED
from rxcalc.inputs.tables import ROW
from rxcalc.lang.arithmetic import decimals_of
from rxcalc.lang.types import MONEY, Type, is_numeric
from rxcalc.plan.nodes import Plan, PlanInput, PlanList, Value, share_names

_LARGEST: Final = 10**38 - 1  # what a decimal column holds


@dataclass(frozen=True, slots=True)
class Cell:
    """A result column: its type, and how many decimals it is written with (None: it is no number)."""

    name: str
    type: Type
    decimals: int | None


def cells_of(plan: Plan, names: Iterable[str]) -> tuple[Cell, ...]:
    """The columns of some results: steps, what is received of spreads, parts and totals."""
    steps = {step.name: step for step in plan.steps}
    amounts = {*share_names(plan), *(spread.name for spread in plan.spreads if not spread.target)}
    found: list[Cell] = []
    for name in names:
        step = steps.get(name)
        if step is None:
            assert name in amounts, name  # noqa: S101 - the selection knows no other names
            found.append(Cell(name, MONEY, plan.decimals))
        else:
            digits = (decimals_of(step.scale) or 0) if step.scale else 0
            least = plan.decimals if step.type == MONEY else 0
            found.append(Cell(name, step.type, max(digits, least) if is_numeric(step.type) else None))
    return tuple(found)


def rows_of(plan: Plan, frame: pl.DataFrame, lists: Mapping[str, pl.DataFrame]) -> list[Row]:
    """The episodes of a frame with their lines. A row is called by its number."""
    numbers = frame.get_column(ROW).to_list()
    bad, unplaced = frame.get_column(BAD).to_list(), frame.get_column(UNPLACED).to_list()
    inputs = values_of(plan, plan.inputs, frame)
    for spec in plan.lists:
        by_episode = _by_episode(plan, spec, lists.get(spec.name))
        for number, values in zip(numbers, inputs, strict=True):
            values[spec.name] = by_episode.get(number, ())
    return [
        Row(number, str(number), values, refused=refused, unplaced=unknown)
        for number, values, refused, unknown in zip(numbers, inputs, bad, unplaced, strict=True)
    ]


def _by_episode(plan: Plan, spec: PlanList, frame: pl.DataFrame | None) -> dict[int, tuple[Mapping[str, Value], ...]]:
    """The rows of a list by episode, in the order of the file."""
    if frame is None or frame.is_empty():
        return {}
    frame = frame.sort(ROW, LINE)
    rows = values_of(plan, spec.inputs, frame)
    runs = frame.get_column(ROW).rle().struct.unnest()
    found: dict[int, tuple[Mapping[str, Value], ...]] = {}
    start = 0
    for episode, count in zip(runs["value"].to_list(), runs["len"].to_list(), strict=True):
        found[episode] = tuple(rows[start : start + count])
        start += count
    return found


def values_of(plan: Plan, inputs: Sequence[PlanInput], frame: pl.DataFrame) -> list[dict[str, Value]]:
    """The values of some inputs for each row of a typed frame."""
    return inputs_of(replace(plan, inputs=tuple(inputs)), frame)


# ---- results as columns ---------------------------------------------------------------------------


def result_of(outcome: Outcome | RowResult, name: str) -> Value:
    """A step, share or total of an outcome, or a step of a line."""
    if isinstance(outcome, RowResult):
        return outcome.steps.get(name)
    return outcome.steps[name] if name in outcome.steps else outcome.shares[name]


def too_large(outcome: Outcome | RowResult, cells: Sequence[Cell]) -> Problem | None:
    """The refusal of results that no column can hold."""
    for cell in cells:
        value = written(result_of(outcome, cell.name), cell.type, cell.decimals)
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) > _LARGEST:
            message = f"`{cell.name}` has more than 38 digits; no table can hold it"
            return Problem("RX718", cell.name, "", message)
    return None


def table_of(key: str, rows: Sequence[tuple[int, Outcome | RowResult]], cells: Sequence[Cell]) -> pl.DataFrame:
    """The results by `key`, ascending; numbers as whole numbers of their last decimal."""
    columns: list[pl.Series] = [pl.Series(key, [number for number, _ in rows], dtype=pl.Int64)]
    for cell in cells:
        values = [written(result_of(outcome, cell.name), cell.type, cell.decimals) for _, outcome in rows]
        kind = result_type(cell.type, None)
        if kind == pl.Int64 and any(isinstance(v, int) and not -(2**63) <= v < 2**63 for v in values):
            kind = pl.Int128()
        columns.append(pl.Series(cell.name, values, dtype=kind))
    return pl.DataFrame(columns).sort(key)


def lines_of(
    plan: Plan, spec: PlanList, frame: pl.DataFrame, done: Mapping[int, Outcome]
) -> list[tuple[int, RowResult]]:
    """The results of a list's rows by the record that each is.

    The evaluator gives them in the list's order, whose fields are unique in a bill; a list without order keeps
    that of the file.
    """
    by_episode: dict[int, list[int]] = {}
    ordered = frame.select(ROW, LINE).sort(ROW, LINE)
    for episode, line in ordered.iter_rows():
        by_episode.setdefault(episode, []).append(line)
    own = [field for field in spec.inputs if field.name in spec.order]
    at: dict[int, tuple[Value, ...]] = {}
    if own:
        keys = values_of(plan, own, frame)
        at = {line: tuple(key[f] for f in spec.order) for line, key in zip(frame[LINE].to_list(), keys, strict=True)}
    found: list[tuple[int, RowResult]] = []
    for episode, outcome in done.items():
        results = outcome.lists.get(spec.name, ())
        lines = by_episode.get(episode, [])
        if own:
            by_key = {tuple(r.inputs[f] for f in spec.order): r for r in results}
            # The lines of a reversal have the negated results of its original's lines, where these are known.
            nothing = {line: RowResult({}, {}) for line in lines} if outcome.reverses else {}
            found += [(n, r) for n in lines if (r := by_key.get(at[n]) or nothing.get(n)) is not None]
        else:
            found += list(zip(lines, results, strict=False))
    return found
