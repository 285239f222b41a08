"""The typed columns of declared inputs, and the spellings of cells that Polars may read itself.

Each quick form accepts a subset of what `cells.CellReader` accepts and gives the same value.
Polars 2.1 traps they avoid: `str.to_decimal(scale=2)` cuts 12.345 to 12.34 and reads 1e3, casts
read +5.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Any, Final

import polars as pl

from rxcalc.inputs.cells import MAX_CODE, MAX_TEXT, CellReader
from rxcalc.lang.types import WHOLE, Kind, OneOf, Plain
from rxcalc.plan.nodes import PlanInput

VALUE: Final = ":value"  # ends the names of quick values
_INT64: Final = 2**63 - 1
_AMOUNTS: Final = frozenset({Kind.MONEY, Kind.MONEY_PER_DAY})
_PLAIN_CODE: Final = r"^[0-9A-Za-z][0-9A-Za-z._:-]*$"  # no spelling of "missing" of three or more characters
_PLAIN_TEXT: Final = r"^[!-<>-~]([ -~]*[!-~])?$"  # `="` would start a guarded text


@dataclass(frozen=True, slots=True)
class Column:
    """What is known of one input before any table is seen."""

    order: int
    spec: PlanInput
    reader: CellReader
    dtype: Any  # a Polars type
    scale: int  # value x scale is the stored whole number
    least: int
    most: int
    memo: dict[str, object] = field(compare=False, repr=False)


def is_amount(spec: PlanInput) -> bool:
    """Whether the input holds money, and so has a control total."""
    return isinstance(spec.type, Plain) and spec.type.kind in _AMOUNTS


def column_of(order: int, spec: PlanInput, currency: str) -> Column:
    """The column of an input of a rulebook in `currency`."""
    reader = CellReader.of(spec, currency)
    dtype: Any = pl.String
    scale, least, most = 1, -_INT64, _INT64
    match spec.type:
        case OneOf(values=values):
            dtype = pl.Enum(list(values))
        case Plain(kind=Kind.DATE):
            dtype = pl.Date
        case Plain(kind=Kind.FLAG):
            dtype = pl.Boolean
        case Plain(kind=Kind.CODES):
            dtype = pl.List(pl.String)
        case Plain(kind=Kind.CODE | Kind.TEXT):
            pass
        case _:
            percent = isinstance(spec.type, Plain) and spec.type.kind is Kind.PERCENT
            scale = 10 ** (spec.decimals + (2 if percent else 0))
            least = -(10**36) if not isinstance(spec.low, int | Fraction) else -int(-spec.low * scale // 1)
            most = 10**36 if not isinstance(spec.high, int | Fraction) else int(spec.high * scale // 1)
            dtype = pl.Int64 if max(abs(least), abs(most)) < 2**62 else pl.Int128
    return Column(order, spec, reader, dtype, scale, least, most, {})


def numeric_kind(column: Column) -> Kind | None:
    """The kind of a column of whole numbers; None for dates, sets, flags and texts."""
    of = column.spec.type
    return of.kind if isinstance(of, Plain) and column.dtype in (pl.Int64, pl.Int128) else None


def usual_form(column: Column) -> tuple[str, Any] | None:
    """A pattern of cells that a CSV reader may parse itself, and as what; null must mean an empty cell only."""
    spec = column.spec
    match spec.type:
        case OneOf(values=values):
            return f"(?:{'|'.join(values)})", column.dtype
        case Plain(kind=Kind.CODE):
            return _PLAIN_CODE.strip("^$").replace("*", "{2,}"), pl.String
        case Plain(kind=Kind.FLAG) if not {"true", "false"} & {alias for alias, _ in spec.flags}:
            return "(?:true|false)", pl.Boolean
        case Plain(kind=Kind.DATE) if not spec.optional and spec.default is None:
            return "[12][0-9]{3}-[01][0-9]-[0-3][0-9]", pl.Date
        case Plain(kind=Kind.MONEY | Kind.MONEY_PER_DAY | Kind.NUMBER) if (
            0 < spec.decimals <= 12 and column.dtype == pl.Int64
        ):
            return f"[0-9]{{1,{min(15, 18 - spec.decimals)}}}\\.[0-9]{{{spec.decimals}}}", pl.Decimal(18, spec.decimals)
        case Plain(kind=kind) if kind in WHOLE:
            return "[0-9]{1,18}", pl.Int64
        case _:
            return None


def accepted(column: Column, cells: pl.Series) -> pl.Series | None:
    """The typed column of cells in the usual spelling, or None when one lies outside the bounds."""
    if cells.null_count() and not (column.spec.optional and column.spec.default is None):
        return None
    if cells.null_count() == cells.len():
        return cells.cast(column.dtype)
    if column.dtype == pl.Int64:
        values = cells.to_physical().cast(pl.Int64)
        least, most = values.min(), values.max()
        return values if column.least <= least and most <= column.most else None  # type: ignore[operator]  # whole numbers
    if column.dtype == pl.Date:
        low, high = column.spec.low or date.min, column.spec.high or date.max
        return cells if low <= cells.min() and cells.max() <= high else None  # type: ignore[operator]  # dates
    if column.dtype == pl.String:
        return cells if (cells.str.len_bytes().max() or 0) <= MAX_CODE else None  # type: ignore[operator]  # a whole number
    return cells


def quick_value(column: Column) -> pl.Expr | None:
    """The values of cells in the usual spelling; null or a wrong value for others, which `quick_check` excludes."""
    text = pl.col(column.spec.name)
    match column.spec.type:
        case OneOf():
            return text.cast(column.dtype, strict=False)
        case Plain(kind=Kind.CODE | Kind.TEXT):
            return text
        case Plain(kind=Kind.FLAG):
            declared = {alias for alias, _ in column.spec.flags}
            yes = pl.when(text.is_in(sorted({"true", "yes"} - declared))).then(statement=True)
            return yes.when(text.is_in(sorted({"false", "no"} - declared))).then(statement=False)
        case Plain(kind=Kind.MONEY | Kind.MONEY_PER_DAY | Kind.NUMBER) if column.spec.decimals:
            return text.str.to_decimal(scale=column.spec.decimals).to_physical().cast(column.dtype, strict=False)
        case _:
            return None


def quick_check(column: Column) -> pl.Expr:
    """Whether a cell's quick value (under the name and `VALUE`) is sure to be what `CellReader` gives."""
    text = pl.col(column.spec.name)
    value = pl.col(column.spec.name + VALUE)
    length = text.str.len_bytes()
    match column.spec.type:
        case Plain(kind=Kind.CODE):
            return text.str.contains(_PLAIN_CODE) & length.is_between(3, MAX_CODE)
        case Plain(kind=Kind.TEXT):
            return text.str.contains(_PLAIN_TEXT) & length.is_between(4, MAX_TEXT)
        case Plain(kind=Kind.FLAG) | OneOf():
            return value.is_not_null()
        case _:
            # A tail between .00 and .99 and a first character from 0 on leave only digits, a point and
            # digits: what else sorts there, `to_decimal` refuses (null). 18 characters fit Int64.
            decimals = column.spec.decimals
            tail = text.str.tail(decimals + 1)
            sure = (
                tail.is_between(pl.lit("." + "0" * decimals), pl.lit("." + "9" * decimals))
                & (text >= "0")
                & (length <= 18)
            )
            if decimals > 2:  # .1e2 sorts there too; with two decimals an exponent cannot
                sure &= ~text.str.contains_any(["e", "E"])
            return sure & value.is_between(column.least, column.most)
