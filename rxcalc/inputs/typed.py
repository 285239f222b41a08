"""Cells of files that hold types (Parquet, databases): the text that each stands for, and values taken without any text.

The text decides. What `taken` gives is what `cells.CellReader` gives for the text of the cell; where that is not sure at
once, the cell goes by its text.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from math import isfinite
from typing import Any, Final

import polars as pl

from rxcalc.inputs.cells import MAX_CODE
from rxcalc.inputs.columns import Column
from rxcalc.inputs.shown import quoted
from rxcalc.lang.types import Kind, OneOf, Plain

EXACT: Final = 15  # digits: every decimal of as many is told from its neighbours by a double
EXACT_SINGLE: Final = 6
_WHOLE_LIMIT: Final = 10**EXACT
_LEAST: Final = 3  # characters: shorter ones may mean that nothing is known
_PLAIN_CODE: Final = r"^[0-9A-Za-z][0-9A-Za-z._:-]{2,127}$"


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a cell that has no text of its own is refused, whatever input it is read for."""

    code: str
    message: str


Faults = Mapping[str, Mapping[int, Fault]]
"""By column, then by row."""


# ---- texts --------------------------------------------------------------------------------------------


def as_text(cells: pl.DataFrame) -> pl.DataFrame:
    """Every cell as text, a missing one null; of cells that have no plain text something to be recognised by."""
    return pl.DataFrame([texts_of(column)[0] for column in cells.iter_columns()])


def texts_of(cells: pl.Series) -> tuple[pl.Series, Mapping[int, Fault]]:
    """A column as text, and its cells that say no value."""
    dtype = cells.dtype
    if dtype == pl.String:
        return filled(cells), {}
    if dtype.is_integer() or isinstance(dtype, pl.Decimal | pl.Enum | pl.Categorical | pl.Date | pl.Time | pl.Null):
        return cells.cast(pl.String), {}
    if dtype == pl.Boolean:
        words = pl.when(pl.col(cells.name)).then(pl.lit("true")).when(~pl.col(cells.name)).then(pl.lit("false"))
        return cells.to_frame().select(words.alias(cells.name)).to_series(), {}
    if isinstance(dtype, pl.Datetime):
        return _moments(cells, dtype)
    if dtype.is_float():
        return _floats(cells)
    return _others(cells, dtype)


def filled(texts: pl.Series) -> pl.Series:
    """Texts, of which an empty one is a missing cell, as in files of text."""
    empty = texts == ""
    return texts.set(empty, None) if empty.any() else texts


def decimal_text(number: float, digits: int = EXACT) -> str | None:
    """The decimal of at most `digits` significant digits that is this very double, None where there is none.

    From 10**15 on it is written as spreadsheets write it, which no number and no code may be: the digits that it had
    as an id are lost.

    >>> decimal_text(0.1), decimal_text(0.1 + 0.2), decimal_text(1.2e17)
    ('0.1', None, '1.2E+17')
    """
    if not isfinite(number):
        return None
    text = format(number, f".{digits}g")
    exact = Decimal(text)
    if abs(exact) >= _WHOLE_LIMIT:
        return format(exact.normalize(), "E")
    over, under = exact.as_integer_ratio()
    near = over / under  # Python rounds a quotient of whole numbers correctly
    if digits == EXACT_SINGLE:
        near = struct.unpack("f", struct.pack("f", near))[0]
    if near != number:
        return None
    plain = format(exact, "f")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def no_decimal(number: float, digits: int = EXACT) -> Fault:
    """A binary floating point number that says no decimal."""
    return Fault(
        "RX701",
        f"{quoted(repr(number))} is a binary floating point number that stands for no decimal of at most {digits} digits; "
        "store the column as decimals or as text",
    )


def _moments(cells: pl.Series, dtype: pl.Datetime) -> tuple[pl.Series, Mapping[int, Fault]]:
    """Midnight is the date alone. A moment in a time zone is no day: which one it is depends on the place."""
    if dtype.time_zone is not None:
        texts = cells.dt.to_string("%Y-%m-%d %H:%M:%S%.f%:z")
        rows = cells.is_not_null().arg_true().to_list()
        return texts, {
            row: Fault(
                "RX706",
                f"{quoted(str(texts[row]))} is a moment of the time zone {dtype.time_zone}, and the day depends on the place; store the date alone",
            )
            for row in rows
        }
    days = cells.dt.date()
    midnight = cells == days.cast(dtype)
    return days.cast(pl.String).zip_with(midnight.fill_null(value=True), cells.dt.to_string("%Y-%m-%d %H:%M:%S%.f")), {}


def _floats(cells: pl.Series) -> tuple[pl.Series, Mapping[int, Fault]]:
    single = cells.dtype != pl.Float64
    digits = EXACT_SINGLE if single else EXACT
    # The shortest text that is the double: where it has so few digits, it is the decimal looked for.
    short = cells.cast(pl.String)
    plain = short.str.contains(r"^-?[0-9]{1,3}\.[0-9]{1,3}$" if single else r"^-?[0-9]{1,12}\.[0-9]{1,3}$")
    texts = short.str.strip_suffix(".0").alias(cells.name)
    rest = (~plain.fill_null(value=True)).arg_true()
    faults: dict[int, Fault] = {}
    if rest.len():
        numbers = cells.gather(rest).to_list()
        found = {number: decimal_text(number, digits) for number in set(numbers)}
        faults = {
            row: no_decimal(number, digits)
            for row, number in zip(rest.to_list(), numbers, strict=True)
            if found[number] is None
        }
        texts = texts.scatter(rest, [found[number] or repr(number) for number in numbers])
    return texts, faults


def _others(cells: pl.Series, dtype: pl.DataType) -> tuple[pl.Series, Mapping[int, Fault]]:
    if isinstance(dtype, pl.Duration):
        return cells.dt.to_string(), {}
    if isinstance(dtype, pl.Binary):
        texts, what = cells.bin.encode("hex"), "bytes"
    else:
        texts = pl.Series(
            cells.name, [None if cell is None else str(cell) for cell in cells.to_list()], dtype=pl.String
        )
        what = f"a value of the type {dtype}"
    fault = Fault("RX747", f"the cell holds {what}; store the column as text, numbers, dates or yes and no")
    return texts, dict.fromkeys(cells.is_not_null().arg_true().to_list(), fault)


# ---- values without text ------------------------------------------------------------------------------


def taken(column: Column, cells: pl.Series) -> tuple[pl.Series, pl.Series | None] | None:
    """The typed values of cells, and which are sure to be what their texts say (None: all); None where only texts decide."""
    found = _taken(column, cells)
    if found is None:
        return None
    values, sure = found
    if cells.null_count() and not (column.spec.optional and column.spec.default is None):
        sure = cells.is_not_null() if sure is None else sure & cells.is_not_null()
    elif cells.null_count() and sure is not None:
        sure |= cells.is_null()
    if sure is not None:
        sure = sure.fill_null(value=False)
    return values.alias(cells.name), None if sure is None or sure.all() else sure


def _taken(column: Column, cells: pl.Series) -> tuple[pl.Series, pl.Series | None] | None:
    spec, dtype = column.spec, cells.dtype
    listed = isinstance(dtype, pl.Enum | pl.Categorical)
    match spec.type:
        case Plain(kind=Kind.CODE):
            cells = cells.cast(pl.String) if listed else cells
            if cells.dtype == pl.String:
                return cells, None if _alphanumeric(cells) else cells.str.contains(_PLAIN_CODE)
            return (cells.cast(pl.String), None) if dtype.is_integer() else None
        case Plain(kind=Kind.FLAG):
            plain = not {"true", "false"} & {alias for alias, _ in spec.flags}
            return (cells, None) if dtype == pl.Boolean and plain else None
        case Plain(kind=Kind.DATE):
            return _days(column, cells)
        case OneOf():
            if dtype != pl.String and not listed:
                return None
            found = cells.cast(column.dtype, strict=False)
            return found, None if found.null_count() == cells.null_count() else found.is_not_null()
        case Plain(kind=Kind.PERCENT | Kind.CODES | Kind.TEXT):
            return None
        case _:
            return _numbers(column, cells)


def _alphanumeric(cells: pl.Series) -> bool:
    """Whether all texts are letters and digits of ASCII, three to 128: no spelling of "missing", nothing to trim.

    One look at all bytes together costs a third of a pattern.
    """
    length = cells.str.len_bytes()
    least, most = length.min(), length.max()
    if not (isinstance(least, int) and isinstance(most, int) and least >= _LEAST and most <= MAX_CODE):
        return False
    return bytes(cells.str.join("").cast(pl.Binary)[0]).isalnum()


def _days(column: Column, cells: pl.Series) -> tuple[pl.Series, pl.Series | None] | None:
    spec, dtype = column.spec, cells.dtype
    low = spec.low if isinstance(spec.low, date) else date.min
    high = spec.high if isinstance(spec.high, date) else date.max
    if dtype == pl.Date:
        return cells, cells.is_between(pl.lit(low), pl.lit(high))
    if isinstance(dtype, pl.Datetime) and dtype.time_zone is None:
        days = cells.dt.date()
        sure = days.is_between(pl.lit(low), pl.lit(high))
        return days, sure if spec.drop_time else sure & (days.cast(dtype) == cells)
    return None


def _numbers(column: Column, cells: pl.Series) -> tuple[pl.Series, pl.Series | None] | None:
    dtype, decimals = cells.dtype, column.spec.decimals
    if isinstance(dtype, pl.Decimal):
        return _scaled(column, cells.to_physical(), decimals - dtype.scale)
    if dtype.is_integer():
        return _scaled(column, cells, decimals)
    if dtype == pl.Float64 and decimals <= EXACT:
        return _whole_floats(column, cells)
    return None


def _scaled(column: Column, units: pl.Series, shift: int) -> tuple[pl.Series, pl.Series | None]:
    """Whole numbers times 10**`shift`, exactly or not sure."""
    narrow = column.dtype == pl.Int64 and abs(shift) <= EXACT
    units = units.cast(pl.Int64 if narrow else pl.Int128, strict=False)
    if shift == 0:
        return _between(units.cast(column.dtype, strict=False), column.least, column.most)
    factor = 10 ** abs(shift)
    if shift > 0:
        least, most = -(-column.least // factor), column.most // factor
        fits = units.is_between(_of(least, units.dtype), _of(most, units.dtype))
        return (units * _of(factor, units.dtype)).cast(column.dtype, strict=False), fits
    values = units // _of(factor, units.dtype)
    sure = values * _of(factor, units.dtype) == units
    values = values.cast(column.dtype, strict=False)
    return values, sure & values.is_between(_of(column.least, column.dtype), _of(column.most, column.dtype))


def _between(values: pl.Series, least: int, most: int) -> tuple[pl.Series, pl.Series | None]:
    low, high = values.min(), values.max()
    if values.null_count() == 0 and isinstance(low, int) and isinstance(high, int) and least <= low and high <= most:
        return values, None
    return values, values.is_between(_of(least, values.dtype), _of(most, values.dtype))


def _of(number: int, dtype: Any) -> pl.Series:
    return pl.Series([number], dtype=dtype)


def _whole_floats(column: Column, cells: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Doubles that are a decimal of the allowed places and at most 15 digits.

    n / 10**d is rounded correctly, so that it is the very double exactly where n x 10**-d is the decimal looked for.
    """
    power = 10**column.spec.decimals
    units = (cells * power).round()
    sure = units.is_finite() & (units.abs() < _WHOLE_LIMIT) & (units / power == cells)
    values = units.cast(pl.Int64, strict=False).cast(column.dtype, strict=False)
    return values, sure & values.is_between(_of(column.least, column.dtype), _of(column.most, column.dtype))
