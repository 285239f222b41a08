"""Results of a run: columns, with those of rows that the exact evaluator computed put in their places."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from rxcalc.backends.base import Finding, GroupOutcome, Outcome, Problem, RowResult
from rxcalc.backends.columnar.program import DECIMAL_LIMIT, Output
from rxcalc.backends.columnar.values import result_type, written
from rxcalc.plan.nodes import Value

__all__ = ["ColumnarResult", "complete", "held", "in_places", "lacking", "nothing", "patched", "result_of", "table_of"]

_LARGEST: Final = DECIMAL_LIMIT - 1


@dataclass(frozen=True, slots=True)
class ColumnarResult:
    """What a run gives.

    `values` has `__row` and a column per requested name, for the rows without a problem, in the
    order of the frame; numbers are whole numbers of the last of `decimals` digits. `flagged` are the rows
    that the exact evaluator looked at. `marked` are the rows computed after a refused one that they
    could read (only with `after_reject="compute"`). `affected` names by the row of a reversal the episodes
    computed since the one that it reverses, which could read that.

    `lists` has for each list asked for its rows with all columns of its frame that begin with `__`, by episode and in
    their order, and `list_decimals` their decimals.

    `groups` are those across bills, kind by kind in the order of their keys; `unplaced` counts by kind the rows of which nobody
    knows which group they are in; `incomplete` names by row the kinds of groups that it has read and that lack a member.

    `findings` are those on bills, by row and check, where they were asked for; those on groups across bills stand in `groups`.
    """

    values: pl.DataFrame
    decimals: Mapping[str, int]
    flagged: frozenset[int]
    problems: tuple[tuple[int, Problem], ...]
    marked: frozenset[int] = field(default_factory=frozenset)
    affected: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    lists: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    list_decimals: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    groups: tuple[GroupOutcome, ...] = ()
    unplaced: Mapping[str, int] = field(default_factory=dict)
    incomplete: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    findings: tuple[tuple[int, Finding], ...] = ()


def held(
    outcomes: Sequence[tuple[int, Outcome]],
    outputs: Sequence[Output],
    lists: Mapping[str, Sequence[Output]] | None = None,
    reverses: str = "",
) -> tuple[list[tuple[int, Outcome]], list[tuple[int, Problem]]]:
    """The outcomes whose requested amounts a result column holds, and the refusals of the others.

    `reverses` is the input that names what an episode reverses.
    """
    fine: list[tuple[int, Outcome]] = []
    problems: list[tuple[int, Problem]] = []
    for row, outcome in outcomes:
        lacks = lacking(outcome, [out.name for out in outputs], reverses)
        if lacks is not None:
            problems.append((row, lacks))
            continue
        large = _too_large(outcome, outputs)
        for name, own in (lists or {}).items():
            for line in outcome.lists.get(name, ()):
                large = large or _too_large(line, own)
        if not large:
            fine.append((row, outcome))
        else:
            message = f"`{large}` has more than 38 digits; no table can hold it"
            problems.append((row, Problem("RX718", large, "", message)))
    return fine, problems


def lacking(outcome: Outcome, names: Iterable[str], field: str) -> Problem | None:
    """The refusal of a reversal whose original, an earlier result, does not hold all that is asked for."""
    if not outcome.reverses:
        return None
    name = next((name for name in names if name not in outcome.steps and name not in outcome.shares), None)
    if name is None:
        return None
    message = f"the earlier result of `{outcome.reverses}` lacks {name}, so it cannot be reversed; give its file with all columns"
    return Problem("RX813", field, outcome.reverses, message)


def _too_large(outcome: Outcome | RowResult, outputs: Sequence[Output]) -> str:
    cells = ((out.name, written(result_of(outcome, out.name), out.type, out.decimals)) for out in outputs)
    return next((name for name, cell in cells if isinstance(cell, int) and abs(cell) > _LARGEST), "")


def result_of(outcome: Outcome | RowResult, name: str) -> Value:
    """A step, share or total of an outcome, or a step of a row of a list."""
    if isinstance(outcome, RowResult):
        return outcome.steps.get(name)
    return outcome.steps[name] if name in outcome.steps else outcome.shares[name]


def complete(done: pl.DataFrame, outputs: Sequence[Output], keys: Sequence[str] = ("__row",)) -> pl.DataFrame:
    """The requested columns; those that no column holds are empty until the exact evaluator fills them."""
    gaps = [pl.lit(None, dtype=result_type(out.type, None)).alias(out.name) for out in outputs if out.expr is None]
    return done.with_columns(gaps).select(*keys, *(out.name for out in outputs))


def nothing(outputs: Sequence[Output], keys: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """A table without rows."""
    return pl.DataFrame(schema={**keys, **{out.name: result_type(out.type, None) for out in outputs}})


def table_of(
    keys: Mapping[str, pl.Series],
    outcomes: Sequence[Outcome | RowResult],
    outputs: Sequence[Output],
    like: pl.DataFrame,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Outcomes as a table, and `like` with the column types that hold both."""
    columns: dict[str, list[object]] = {}
    schema = pl.Schema(like.schema)
    for out in outputs:
        cells = [written(result_of(outcome, out.name), out.type, out.decimals) for outcome in outcomes]
        columns[out.name] = cells
        if schema[out.name] == pl.Int64 and any(isinstance(c, int) and not -(2**63) <= c < 2**63 for c in cells):
            schema[out.name] = pl.Int128()
    own = {name: kind for name, kind in schema.items() if name in columns}
    table = pl.DataFrame([*(series.alias(name) for name, series in keys.items()), *pl.DataFrame(columns, schema=own)])
    table = table.select(pl.col(name).cast(kind) for name, kind in schema.items())
    return table, like.select(pl.col(name).cast(kind) for name, kind in schema.items())


def patched(
    values: pl.DataFrame, exact: Sequence[tuple[int, Outcome]], outputs: Sequence[Output], order: pl.Series
) -> pl.DataFrame:
    """The values together with those of rows computed exactly, in the order of the frame."""
    rows = pl.Series([row for row, _ in exact], dtype=values.schema["__row"])
    table, values = table_of({"__row": rows}, [outcome for _, outcome in exact], outputs, values)
    return order.to_frame().join(pl.concat([values, table]), on="__row", how="inner", maintain_order="left")


def in_places(
    done: Sequence[pl.DataFrame], exact: Sequence[tuple[int, Outcome]], outputs: Sequence[Output], rows: pl.Series
) -> pl.DataFrame:
    """Frames with `__n`, the place of each row among `rows`, and rows computed exactly, as one table in the order of `rows`."""
    keys = {"__n": pl.UInt32(), "__row": rows.dtype}
    values = complete(pl.concat(done), outputs, tuple(keys)) if done else nothing(outputs, keys)
    if exact:
        outcomes = dict(exact)
        few = rows.to_frame("__row").with_row_index("__n").filter(pl.col("__row").is_in(list(outcomes)))
        own = {name: few[name] for name in keys}
        table, values = table_of(own, [outcomes[row] for row in few["__row"].to_list()], outputs, values)
        values = pl.concat([values, table])
    order = pl.repeat(None, rows.len(), dtype=pl.UInt32(), eager=True)
    if values.height:
        order = order.scatter(values["__n"], pl.int_range(values.height, dtype=pl.UInt32(), eager=True))
    return values[order.drop_nulls()].drop("__n")
