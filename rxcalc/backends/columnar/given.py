"""Episodes of earlier runs among those of this one: rows whose results are given, in columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from math import ceil, floor
from typing import Final, TypeAlias

import polars as pl

from rxcalc.backends.base import Row
from rxcalc.backends.columnar.kernel import carrier
from rxcalc.backends.columnar.program import Program
from rxcalc.lang.ops import Op
from rxcalc.lang.types import DATE, OneOf, is_numeric
from rxcalc.plan.columns.calls import Kept
from rxcalc.plan.columns.walk import input_scale
from rxcalc.plan.nodes import Plan

__all__ = ["RECORDED", "Given", "among", "recorded"]

RECORDED: Final = "__recorded"
"""The column that says which episodes have their results given."""

_MOST: Final = 2**127 - 1

Limits: TypeAlias = "tuple[Fraction | None, Fraction | None]"


@dataclass(frozen=True, slots=True)
class Given:
    """Results of earlier runs.

    `frame` holds the episodes in the order in which the files tell of them: `__row` (below 0), inputs as in the frame of a run,
    and results as whole numbers at their `scales`, each by its name. A column that is not there is missing throughout.
    `rows` gives episodes by `__row` as the exact evaluator takes them.
    """

    frame: pl.DataFrame
    scales: Mapping[str, int]
    rows: Callable[[Sequence[int]], Sequence[Row]]


def among(program: Program, frame: pl.DataFrame, given: Given) -> pl.DataFrame:
    """The episodes of a run, after those of earlier runs of the same persons.

    Columns added: `__recorded`, for recorded rows each result that is kept of an episode as `f:NAME`, and `__alone`: what they tell
    is more than any column is proven to hold.
    """
    by = program.plan.sequence.by if program.plan.sequence is not None else ""
    past = given.frame.filter(pl.col(by).is_in(frame[by].drop_nulls().unique().implode()))
    both = pl.concat([recorded(program, past, given.scales, frame.schema), frame], how="diagonal")
    marks = [name for name, kind in both.schema.items() if name.startswith("__") and kind == pl.Boolean()]
    return both.with_columns(pl.col(marks).fill_null(value=False))


def recorded(
    program: Program, past: pl.DataFrame, scales: Mapping[str, int], schema: Mapping[str, pl.DataType]
) -> pl.DataFrame:
    """Episodes with their results (whole numbers at these scales) as rows of a run: the columns of `among`, inputs of a schema's types."""
    plan = program.plan
    limits = _limits(plan)
    odd = pl.repeat(value=False, n=past.height, dtype=pl.Boolean(), eager=True)
    columns = [past["__row"].cast(schema["__row"])]
    for spec in plan.inputs:
        column = past[spec.name] if spec.name in past.columns else _nothing(past, schema[spec.name])
        columns.append(column.cast(schema[spec.name]).alias(spec.name))
        if spec.name in limits:
            odd |= ~_inside(column, limits[spec.name], input_scale(spec))
    results: list[pl.Series] = []
    for name, kept in program.formed.calls.fields.items():
        held = carrier(kept.type, kept.width)
        if name not in past.columns:  # nothing can be said of it
            results.append(_nothing(past, held).alias(f"f:{name}"))
            odd = pl.repeat(value=True, n=past.height, dtype=pl.Boolean(), eager=True)
            continue
        column, fits = _held(past[name], kept, scales.get(name, 1), held, limits.get(name, (None, None)))
        results.append(column.alias(f"f:{name}"))
        odd |= ~fits
    yes = pl.repeat(value=True, n=past.height, dtype=pl.Boolean(), eager=True)
    return pl.DataFrame([*columns, *results, yes.alias(RECORDED), odd.alias("__alone")])


def _limits(plan: Plan) -> dict[str, Limits]:
    """The least and the largest value that the plan takes a field of an earlier episode to have: dates as day numbers."""
    found: dict[str, Limits] = {}
    windows = {window.name for window in plan.windows if not window.level}
    for node in plan.nodes:
        if node.op is not Op.EARLIER or not isinstance(node.data, tuple) or node.data[0] not in windows:
            continue
        if not is_numeric(node.type) and node.type != DATE:
            continue
        name = str(node.data[1])
        low, high = found.get(name, (None, None))
        lows = [Fraction(x) for x in (low, node.low) if x is not None]
        highs = [Fraction(x) for x in (high, node.high) if x is not None]
        found[name] = max(lows, default=None), min(highs, default=None)
    return found


def _inside(column: pl.Series, limits: Limits, scale: int) -> pl.Series:
    """Where a column, of whole numbers at a scale or of dates, keeps within limits; a missing value does."""
    if column.dtype == pl.Date():
        column = column.to_physical().cast(pl.Int64()) + date(1970, 1, 1).toordinal()
    low, high = limits
    least = -_MOST if low is None else max(-_MOST, ceil(low * scale))
    most = _MOST if high is None else min(_MOST, floor(high * scale))
    wide = pl.lit(column.cast(pl.Int128()))
    within = (wide >= pl.lit(least, dtype=pl.Int128())) & (wide <= pl.lit(most, dtype=pl.Int128()))
    return pl.select(within.fill_null(value=True)).to_series()


def _held(column: pl.Series, kept: Kept, scale: int, held: pl.DataType, limits: Limits) -> tuple[pl.Series, pl.Series]:
    """A given result as the columns of a run keep it, and where they can."""
    if not is_numeric(kept.type):
        if isinstance(kept.type, OneOf):
            places = column.cast(pl.Enum(kept.type.values), strict=False).to_physical().cast(held)
            return places, column.is_null() | places.is_not_null()
        fits = _inside(column, limits, 1) if kept.type == DATE else None
        return column.cast(held), fits if fits is not None else column.is_null() | column.is_not_null()
    fits = _inside(column, limits, scale) & _inside(column, (kept.low, kept.high), scale)
    wide = pl.lit(column.cast(pl.Int128()))
    factor, rest = divmod(kept.scale, scale)
    if rest:  # the file has decimals that the column has not: only noughts there can be held
        common = Fraction(kept.scale, scale)
        exact = (wide * common.numerator) % common.denominator == 0
        fits &= pl.select(exact.fill_null(value=True)).to_series()
        whole = (wide * common.numerator) // common.denominator
    else:
        whole = wide * factor
    # What does not fit is left out before it is reckoned with: its person is computed exactly.
    return pl.select(pl.when(pl.lit(fits)).then(whole)).to_series().cast(held, strict=False), fits


def _nothing(frame: pl.DataFrame, kind: pl.DataType) -> pl.Series:
    return pl.repeat(None, frame.height, dtype=kind, eager=True)
