"""Between columns and the values of the exact evaluator."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from fractions import Fraction

import polars as pl

from rxcalc.lang.types import Kind, OneOf, Plain, Type, is_numeric, is_whole
from rxcalc.plan.columns.formed import Formed
from rxcalc.plan.columns.walk import input_scale
from rxcalc.plan.nodes import Plan, Value

__all__ = ["cells", "held_as", "inputs_of", "parts_of", "result_type", "value_of", "values_in", "values_of", "written"]


def value_of(raw: object, of: Type, scale: int) -> Value:
    """A cell as the exact evaluator carries it."""
    if raw is None:
        return None
    if is_numeric(of):
        if not isinstance(raw, int):
            raise TypeError(raw)
        return raw if is_whole(of) and scale == 1 else Fraction(raw, scale)
    if of == Plain(Kind.CODES):
        return frozenset(str(entry) for entry in raw) if isinstance(raw, Sequence) else None
    return raw if isinstance(raw, str | date | bool) else str(raw)


def cells(column: pl.Series, of: Type) -> list[object]:
    """Cells of a column inside a run; positions in a set become its values."""
    found = column.to_list()
    return [None if cell is None else of.values[cell] for cell in found] if isinstance(of, OneOf) else found


def values_of(column: pl.Series, of: Type, scale: int) -> list[Value]:
    """The cells of a column as the exact evaluator carries them."""
    found: list[object] = column.to_list()
    if not is_numeric(of) or (is_whole(of) and scale == 1):
        return [value_of(raw, of, scale) for raw in found]
    # Amounts are most of what there is; what they are is asked once for the column.
    return [Fraction(raw, scale) if isinstance(raw, int) else value_of(raw, of, scale) for raw in found]


def inputs_of(plan: Plan, frame: pl.DataFrame) -> list[dict[str, Value]]:
    """The inputs of each row."""
    columns = [values_of(frame[field.name], field.type, input_scale(field)) for field in plan.inputs]
    names = [field.name for field in plan.inputs]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def written(value: Value, of: Type, decimals: int | None) -> object:
    """A value of the exact evaluator as its result column holds it."""
    if value is None:
        return None
    if is_numeric(of) and isinstance(value, int | Fraction):
        scaled = value * 10 ** (decimals or 0)
        if scaled.denominator != 1:
            message = f"{value} has more than {decimals} decimals"
            raise ValueError(message)
        return scaled.numerator
    return sorted(value) if isinstance(value, frozenset) else value


def result_type(of: Type, width: pl.DataType | None) -> pl.DataType:
    """The type of a result column."""
    if is_numeric(of):
        return width or pl.Int64()
    match of:
        case OneOf():
            return pl.Enum(of.values)
        case Plain(Kind.DATE):
            return pl.Date()
        case Plain(Kind.FLAG):
            return pl.Boolean()
        case Plain(Kind.CODES):
            return pl.List(pl.String())
        case _:
            return pl.String()


def held_as(value: Value, of: Type, scale: int) -> object:
    """A value of the exact evaluator as a column inside a run holds it."""
    if value is None:
        return None
    if is_numeric(of) and isinstance(value, int | Fraction):
        return int(value * scale)
    return of.values.index(value) if isinstance(of, OneOf) and isinstance(value, str) else value


def parts_of(formed: Formed[pl.Expr]) -> dict[str, pl.Expr]:
    """The columns that hold a value: its numerator and denominator, or itself."""
    if formed.number is None:
        return {"": formed.as_code}
    den = {} if formed.number.den is None else {"/": formed.number.den.code}
    return {"": formed.number.num.code, **den}


def values_in(table: pl.DataFrame, name: str, formed: Formed[pl.Expr], of: Type) -> list[Value]:
    """The values that these columns hold, as the exact evaluator carries them."""
    found = cells(table[name], of)
    if formed.number is None:
        return [value_of(cell, of, 1) for cell in found]
    scale = formed.number.scale
    if formed.number.den is None:
        return [value_of(cell, of, scale) for cell in found]
    under = table[f"{name}/"].to_list()
    return [
        None if not isinstance(cell, int) or den is None else Fraction(cell, scale * den)
        for cell, den in zip(found, under, strict=True)
    ]
