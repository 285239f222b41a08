"""Records with types: what Parquet files, workbooks and databases hold in place of texts.

Amounts and numbers are decimals with the declared digits, counts whole numbers, dates dates, flags flags; everything else
is text, percentages too: 0.85 alone could be a ratio or a percentage.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Final

import polars as pl

from rxcalc.inputs.columns import column_of, numeric_kind
from rxcalc.inputs.typed import as_text
from rxcalc.lang.types import Kind, OneOf, Plain, Type, is_numeric, is_whole
from rxcalc.plan.nodes import PlanInput
from rxcalc.tabular.forms import FileForm
from rxcalc.tabular.judging import Judged
from rxcalc.tabular.rejects import RejectLayout
from rxcalc.tabular.stage import StagedColumn, head_line
from rxcalc.tabular.write_parts import Part
from rxcalc.tabular.writer import Layout, as_percent, as_plain, lines

_SMALL: Final = 18  # digits of a decimal that is stored as a whole number of 64 bits
_WIDE: Final = 38
_STAGE: Final = FileForm()  # how records are put aside for what can only be written as a whole


def number_type(of: Type, decimals: int, bound: Fraction | int | None) -> Any:
    """The type of a column of results or inputs whose values stay within `bound` (None: nobody knows)."""
    match of:
        case Plain(kind=Kind.DATE):
            return pl.Date()
        case Plain(kind=Kind.FLAG):
            return pl.Boolean()
        case Plain(kind=Kind.PERCENT):
            return pl.String()
        case _ if not is_numeric(of):
            return pl.String()
    if is_whole(of) and bound is not None and bound < 2**63:
        return pl.Int64()
    small = bound is not None and bound * 10**decimals < 10**_SMALL
    return pl.Decimal(_SMALL if small else _WIDE, decimals)


def input_type(spec: PlanInput) -> Any:
    """The type of the column of an input."""
    column = column_of(0, spec, "")
    if numeric_kind(column) is None:
        return number_type(spec.type, 0, None)
    bound = Fraction(max(abs(column.least), abs(column.most)), column.scale)
    return number_type(spec.type, spec.decimals, bound)


def schema_of(form: Layout | RejectLayout) -> dict[str, Any]:
    """The columns of a file with their types, as far as the rulebook says them; all others are texts."""
    if not isinstance(form, Layout):
        return dict.fromkeys(form.names, pl.String())
    found = [_echoed_type(form, at) for at in form.echoed] + [form.types.get(n, pl.String()) for n in form.computed]
    return dict(zip(form.names, found, strict=True))


def stage_header(form: Layout | RejectLayout) -> Part:
    """The first part of records put aside."""
    percents: set[str] = set()
    if isinstance(form, Layout):
        sources = [form.fields.get(at) for at in form.echoed]
        percent = [spec is not None and _is_percent(spec.type) for spec in sources]
        percent += [name in form.percents for name in form.computed]
        percents = {name for name, is_percent in zip(form.names, percent, strict=True) if is_percent}
    return [head_line([_staged(name, of, percent=name in percents) for name, of in schema_of(form).items()])]


def _staged(name: str, of: Any, *, percent: bool) -> StagedColumn:
    if isinstance(of, pl.Decimal):
        return StagedColumn(name, "decimal", of.precision, of.scale)
    if of == pl.String:
        return StagedColumn(name, "percent" if percent else "text")
    return StagedColumn(name, "date" if of == pl.Date else "flag" if of == pl.Boolean else "count")


def _echoed_type(form: Layout, at: int) -> Any:
    spec = form.fields.get(at)
    return pl.String() if spec is None else input_type(spec)


def typed_rows(
    form: Layout, judged: Judged, rows: pl.Series | None, results: pl.DataFrame, decimals: Mapping[str, int]
) -> pl.DataFrame:
    """The good rows (None: all) of a block with their results, as columns with types."""
    found: list[pl.Series] = []
    if form.echoed:
        own = _own_cells(form, judged) if form.file.kind == "parquet" and judged.block.table else _cells(form, judged)
        found = (own if rows is None else own[rows]).get_columns()
    computed = results.select(
        _result(form, name, results.schema[name], decimals.get(name)).alias(f"r{at}")
        for at, name in enumerate(form.computed)
    ).get_columns()
    return pl.DataFrame([column.alias(name) for column, name in zip([*found, *computed], form.names, strict=True)])


def _own_cells(form: Layout, judged: Judged) -> pl.DataFrame:
    """The cells as the file read holds them, with its types."""
    fields = judged.block.fields
    sets = [at for at in form.echoed if isinstance(_set_of(form, at), OneOf) and fields.schema[str(at)] == pl.String]
    return fields.select(str(at) for at in form.echoed).with_columns(
        _few(fields.get_column(str(at)), _set_of(form, at)) for at in sets
    )


def _set_of(form: Layout, at: int) -> Type | None:
    spec = form.fields.get(at)
    return spec.type if spec is not None else None


def _few(texts: pl.Series, of: Type | None) -> pl.Series:
    """Texts that are all values of a set, held as such: they are written five times as fast, and as the same texts."""
    found = texts.cast(pl.Enum(of.values), strict=False) if isinstance(of, OneOf) else texts
    return texts if found.null_count() > texts.null_count() else found


def _cells(form: Layout, judged: Judged) -> pl.DataFrame:
    """The cells as they were read: values of inputs, texts of other columns. A missing one stays missing, default or not."""
    block, checked = judged.block, judged.checked
    filled = dict(checked.defaulted)
    texts = [str(at) for at in form.echoed if at not in form.fields]
    others = block.fields.select(texts) if texts else pl.DataFrame()
    if block.table and texts:
        others = as_text(others)
    found: list[pl.Series] = []
    for at in form.echoed:
        spec = form.fields.get(at)
        if spec is None:
            found.append(others.get_column(str(at)))
            continue
        values = checked.frame.get_column(spec.name)
        if spec.name in filled:
            values = values.zip_with(
                ~filled[spec.name], pl.Series([None], dtype=values.dtype).new_from_index(0, values.len())
            )
        decimals = column_of(0, spec, "").scale
        places = len(str(decimals)) - 1
        expr = (
            as_percent(spec.name, values.dtype, places)
            if _is_percent(spec.type)
            else _value(input_type(spec), spec.name, values.dtype, places)
        )
        found.append(values.to_frame().select(expr.alias(str(at))).to_series())
    return pl.DataFrame(found)


def _is_percent(of: Type) -> bool:
    return isinstance(of, Plain) and of.kind is Kind.PERCENT


def _result(form: Layout, name: str, dtype: pl.DataType, decimals: int | None) -> pl.Expr:
    if name in form.percents:
        return as_percent(name, dtype, decimals)
    return _value(form.types.get(name, pl.String()), name, dtype, decimals)


def _value(wanted: Any, name: str, dtype: pl.DataType, decimals: int | None) -> pl.Expr:
    """A column as the file holds it."""
    column = pl.col(name)
    if isinstance(wanted, pl.Decimal):
        if dtype == pl.Int64 and decimals == wanted.scale:
            return column.cast(pl.Int128).reinterpret(dtype=wanted)
        return as_plain(name, dtype, decimals).cast(wanted)
    if wanted == pl.String and isinstance(dtype, pl.List):
        return as_plain(name, dtype, None)
    return column if dtype == wanted or (wanted == pl.String and isinstance(dtype, pl.Enum)) else column.cast(wanted)


def typed_part(frame: pl.DataFrame, file: FileForm) -> Part:
    """Records with types as they are written, or put aside till the end."""
    if not frame.height:
        return []
    if file.kind == "parquet":
        from rxcalc.tabular.write_parquet import encoded

        return encoded(frame)
    return lines(frame, _STAGE.separator, "necessary")
