"""Sequences in columns: rows in sequence order, and in waves.

Wave k holds everybody's k-th episode, so that within a wave no episode sees another: the wave is
computed at once, from what the waves before it have left behind.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, Final

import polars as pl

from rxcalc.lang.types import OneOf
from rxcalc.passes.instances import dense_ids
from rxcalc.plan.nodes import Plan

__all__ = ["best_cut", "in_order", "in_waves", "wave_sizes"]

_ID: Final = pl.UInt32()


def in_order(plan: Plan, frame: pl.DataFrame) -> pl.DataFrame:
    """The rows of a frame by person, then in sequence order; rows without a readable `sequence.by` are left out.

    Columns added: `__n` (place in the frame given), `__person` (a number, ascending), `__wave`, and `__tied`: at one place of
    the order with another row, so that neither comes first.
    """
    sequence = plan.sequence
    if sequence is None:
        message = "the plan has no sequence"
        raise ValueError(message)
    frame = frame.with_row_index("__n").filter(pl.col(sequence.by).is_not_null())
    sets = {field.name for field in plan.inputs if isinstance(field.type, OneOf)}
    # As everywhere in `order`, text compares by code point; values of a set by their name.
    order = [pl.col(name).cast(pl.String()) if name in sets else pl.col(name) for name in sequence.order]
    rows, heads = _by_head(frame, sequence.by, sequence.order[0])
    rows, tied = _sorted(frame, rows, heads, sequence.order, order)
    frame = frame[rows]
    by = frame[sequence.by]
    persons = (by != by.shift(1)).fill_null(value=False).cum_sum().cast(_ID).alias("__person")
    return frame.with_columns(persons, _waves(persons).alias("__wave"), tied.alias("__tied"))


def _by_head(frame: pl.DataFrame, by: str, first: str) -> tuple[pl.Series, pl.Series]:
    """Places of the rows by person and first field of the order (if it is a date), and what they were sorted by."""
    days: pl.Series = pl.repeat(0, frame.height, dtype=pl.UInt64(), eager=True)
    if frame.schema[first] == pl.Date():
        whole = frame[first].to_physical().cast(pl.Int64())
        least: Any = whole.min()
        days = (whole - (least or 0) + 1).fill_null(0).cast(pl.UInt64())
    top: Any = days.max()
    size = 2 ** int(top or 0).bit_length()
    # One number to sort by instead of a text: different persons have different hashes, which is looked at afterwards.
    heads = frame[by].hash() // size * size + days
    rows = heads.arg_sort()
    heads = heads.gather(rows)
    person, text = heads // size, frame[by].gather(rows)
    if ((person == person.shift(1)) & (text != text.shift(1))).any():
        heads = dense_ids(frame, [by]).cast(pl.UInt64()) * size + days
        rows = heads.arg_sort()
        heads = heads.gather(rows)
    return rows, heads


def _sorted(
    frame: pl.DataFrame, rows: pl.Series, heads: pl.Series, names: Sequence[str], order: Sequence[pl.Expr]
) -> tuple[pl.Series, pl.Series]:
    """Places of the rows by person and order, and which are equal in both.

    Fields after the first, an id say, are compared only between rows equal in that.
    """
    same = (heads == heads.shift(1)).fill_null(value=False)
    tied = (same | same.shift(-1, fill_value=False)).arg_true()
    none = pl.repeat(value=False, n=frame.height, dtype=pl.Boolean(), eager=True)
    if not tied.len():
        return rows, none
    places = rows.gather(tied)
    few = frame[places].select(heads.gather(tied).alias("__head"), *order, places.alias("__n")).with_row_index("__at")
    few = few.sort(["__head", *names, "__n"], nulls_last=False)
    equal = pl.all_horizontal(pl.col(name) == pl.col(name).shift(1) for name in ("__head", *names)).fill_null(
        value=False
    )
    both = few.select(equal | equal.shift(-1, fill_value=False)).to_series()
    none = none.scatter(tied.filter(both), True) if both.any() else none  # noqa: FBT003 -- the value itself
    return rows.scatter(tied, places.gather(few["__at"])), none


def _waves(persons: pl.Series) -> pl.Series:
    """How many rows of the same person stand before each."""
    place = pl.int_range(persons.len(), dtype=_ID, eager=True)
    begins = (persons != persons.shift(1)).fill_null(value=True)
    return place - place.filter(begins).gather(begins.cum_sum() - 1)


def wave_sizes(frame: pl.DataFrame) -> list[int]:
    """The number of rows of each wave."""
    sizes: list[int] = frame["__wave"].value_counts().sort("__wave")["count"].to_list()
    return sizes


def in_waves(frame: pl.DataFrame) -> pl.DataFrame:
    """Rows in sequence order put into waves; `__at` keeps their place in that order."""
    return frame.with_row_index("__at").sort("__wave", maintain_order=True)


def best_cut(sizes: Sequence[int], *, overhead: int, looking: Fraction, most: int) -> int:
    """The number of waves to compute as columns; persons with more episodes than that are computed one by one.

    What is weighed, in units of one episode computed alone: each wave costs `overhead` whatever its size; an
    episode computed alone also costs `looking` for each one before it.
    """
    alone = sum((_cost(length, looking) * count for length, count in _lengths(sizes)), Fraction(0))
    best, cut, spent = alone, 0, Fraction(0)
    for length, count in _lengths(sizes):
        if length > most:
            break
        alone -= _cost(length, looking) * count
        spent = Fraction(overhead * length)
        if spent + alone <= best:
            best, cut = spent + alone, length
    return cut


def _cost(length: int, looking: Fraction) -> Fraction:
    return length + looking * length * (length - 1) / 2


def _lengths(sizes: Sequence[int]) -> list[tuple[int, int]]:
    """How many persons have 1, 2, .. episodes."""
    after = [*sizes, 0][1:]
    return [(at + 1, size - later) for at, (size, later) in enumerate(zip(sizes, after, strict=True)) if size > later]
