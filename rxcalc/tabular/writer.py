"""The results file: the input columns as read, in their order, then the outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from typing import IO, Any, Final, Literal, cast

import polars as pl

from rxcalc.inputs.typed import as_text
from rxcalc.lang.types import Kind, OneOf, Plain, Type
from rxcalc.plan.figures import figure
from rxcalc.plan.nodes import PlanInput, Value
from rxcalc.tabular import problems
from rxcalc.tabular.forms import FileForm
from rxcalc.tabular.header import Columns
from rxcalc.tabular.judging import Judged
from rxcalc.tabular.problems import UsageProblem
from rxcalc.tabular.redaction import Redaction, without_texts
from rxcalc.tabular.write_excel import Column, guarded_texts, safe_amounts, safe_cells
from rxcalc.tabular.write_parts import Part, Pieces, cell, header_part, line_of, packed

__all__ = [
    "Layout",
    "Part",
    "as_percent",
    "as_plain",
    "cell",
    "column_of",
    "in_file",
    "layout",
    "line_of",
    "lines", "named",
    "plain_cell",
    "write_rows",
]  # fmt: skip

_CSV: Final = FileForm()


@dataclass(frozen=True, slots=True)
class Layout:
    """What a results file holds: `echoed` input columns by position, then `computed` outputs.

    Those of `computed` that are `percents` are written as `85%`, as an input of that type is read. `fields` are the inputs by
    the position of their columns, `types` the types of the outputs in a file that holds types; `titles` what columns are
    called where that is not their name.
    """

    columns: Columns
    echoed: tuple[int, ...]
    computed: tuple[str, ...]
    separator: str
    percents: frozenset[str] = frozenset()
    file: FileForm = _CSV
    fields: Mapping[int, PlanInput] = field(default_factory=dict)
    types: Mapping[str, Any] = field(default_factory=dict)  # Polars types; texts are left out
    titles: Mapping[str, str] = field(default_factory=dict)
    redaction: Redaction | None = None
    own: frozenset[str] = frozenset()  # results that say nothing of a bill
    ids: frozenset[str] = frozenset()  # inputs that a redaction gives pseudonyms

    @property
    def whole(self) -> bool:
        """Whether every column is echoed in order, so that lines can be copied as they stand."""
        return self.echoed == tuple(range(len(self.columns.names)))

    def copies(self, separator: str) -> bool:
        """Whether lines of a file with that separator can be copied as they stand."""
        return self.whole and self.file.plain and separator == self.separator and self.redaction is None

    def texts(self, separator: str) -> frozenset[int]:
        """The columns whose cells are needed as they stand, one by one."""
        if self.copies(separator):
            return frozenset()
        typed = self.file.typed and self.redaction is None
        return frozenset(at for at in self.echoed if not typed or at not in self.fields)

    @property
    def names(self) -> tuple[str, ...]:
        """What the columns are called."""
        names = [*(self.columns.names[at] for at in self.echoed), *self.computed]
        return named([self.titles.get(name, name) for name in names], self.file)

    def header(self) -> Part:
        """The first part: what stands before the records."""
        return [] if self.file.typed else header_part(self.names, self.file)


def named(names: Sequence[str], file: FileForm) -> tuple[str, ...]:
    """The names of columns; in a file that holds types one that the input leaves empty is called by its place."""
    return tuple(name or f"column_{at}" for at, name in enumerate(names, 1)) if file.typed else tuple(names)


def layout(
    columns: Columns,
    echoed: tuple[int, ...],
    computed: tuple[str, ...],
    separator: str,
    percents: frozenset[str] = frozenset(),
) -> Layout | UsageProblem:
    """The layout, unless a result would bear an echoed column's name."""
    names = {columns.names[at] for at in echoed}
    clashes = tuple(name for name in computed if name in names)
    return problems.clashing_columns(clashes) if clashes else Layout(columns, echoed, computed, separator, percents)


def in_file(form: Layout, file: FileForm, fields: Sequence[PlanInput]) -> Layout:
    """The layout as a kind of file holds it."""
    own = {form.columns.inputs[spec.name]: spec for spec in fields if spec.name in form.columns.inputs}
    return replace(form, file=file, separator=file.separator, fields=own)


def write_rows(
    form: Layout, judged: Judged, rows: pl.Series | None, results: pl.DataFrame, decimals: dict[str, int]
) -> Part:
    """A block's good rows (None: all) as they are written; `results` has one row each, amounts scaled by 10**decimals."""
    if form.redaction is not None:
        judged = form.redaction.judged(judged, dict(form.fields), form.echoed, form.ids)
        results = without_texts(results, form.own)
    if form.file.typed:
        from rxcalc.tabular.write_typed import typed_part, typed_rows

        return typed_part(typed_rows(form, judged, rows, results, decimals), form.file)
    block = judged.block
    computed = results.select(
        _result(form, name, results.schema[name], decimals.get(name)).alias(f"r{at}")
        for at, name in enumerate(form.computed)
    )
    copied = block.echo and form.copies(block.separator)
    if copied:
        # A line copied whole holds separators, so the writer must not quote; texts beside it are quoted here.
        texts = [name for name, dtype in computed.schema.items() if dtype == pl.String]
        computed = computed.with_columns(_quoted(name, form.separator) for name in texts)
    frame = computed
    if form.echoed:
        echo = block.lines.to_frame() if copied else block.fields.select(str(at) for at in form.echoed)
        echo = echo if rows is None else echo[rows]
        if block.table:
            echo = as_text(echo)
        if form.file.excel:
            echo = echo.select(
                safe_cells(pl.col(str(at)), column_of(form.fields.get(at))).alias(str(at)) for at in form.echoed
            )
        frame = echo.hstack(computed)
    # Plain cells and numbers need no quotes.
    plain = block.echo and block.separator == form.separator and form.file.plain and pl.String not in computed.dtypes
    return packed(lines(frame, form.separator, "never" if copied or plain else "necessary"), form.file)


def lines(frame: pl.DataFrame, separator: str, quote: Literal["never", "necessary"]) -> Part:
    """The lines of a table."""
    out = Pieces()
    if frame.height:
        frame.write_csv(cast("IO[bytes]", out), include_header=False, separator=separator, quote_style=quote)
    return out.pieces


def column_of(spec: PlanInput | None) -> Column:
    """What spreadsheets are to take a column of the input for."""
    match spec.type if spec is not None else None:
        case None:
            return "other"
        case OneOf() | Plain(kind=Kind.CODE | Kind.CODES | Kind.TEXT):
            return "text"
        case _:
            return "number"


def _quoted(name: str, separator: str) -> pl.Expr:
    """Texts with quotes around those that need them."""
    text = pl.col(name)
    needs = text.str.contains_any([separator, '"', "\r", "\n"])
    quoted = pl.concat_str(pl.lit('"'), text.str.replace_all('"', '""', literal=True), pl.lit('"'))
    return pl.when(needs).then(quoted).otherwise(text).alias(name)


def _result(form: Layout, name: str, dtype: pl.DataType, decimals: int | None) -> pl.Expr:
    """A result as a file of text holds it."""
    if name in form.percents:
        return as_percent(name, dtype, decimals)
    found = as_plain(name, dtype, decimals)
    if form.file.excel:
        if dtype.is_integer():
            return safe_amounts(found.cast(pl.String), pl.col(name))
        return safe_cells(found, "text") if dtype == pl.String or isinstance(dtype, pl.List) else found
    if dtype == pl.String:
        # One that looks like a guarded text is guarded, since otherwise it would be read as what is inside.
        return pl.when(found.str.starts_with('="')).then(guarded_texts(found)).otherwise(found)
    return found


def as_percent(name: str, dtype: pl.DataType, decimals: int | None) -> pl.Expr:
    """A ratio as a percentage: 0.8 is `80%`."""
    places = decimals or 0
    if places < 2:
        # As text: a product could pass what the column is proven to hold.
        zeros = pl.when(pl.col(name) == 0).then(pl.lit("")).otherwise(pl.lit("0" * (2 - places)))
        return pl.concat_str(pl.col(name).cast(pl.String), zeros, pl.lit("%")).alias(name)
    return pl.concat_str(as_plain(name, dtype, places - 2).cast(pl.String), pl.lit("%")).alias(name)


def as_plain(name: str, dtype: pl.DataType, decimals: int | None) -> pl.Expr:
    """An amount as an exact decimal column; flags as yes and no; sets of codes as `a;b`."""
    column = pl.col(name)
    if isinstance(dtype, pl.List):
        return column.list.sort().list.join(";").alias(name)
    if dtype == pl.Boolean:
        return (
            pl.when(column)
            .then(pl.lit("yes"))
            .when(~column)
            .then(pl.lit("no"))
            .cast(pl.Enum(["yes", "no"]))
            .alias(name)
        )
    if not decimals:
        return column
    if dtype == pl.Int64:
        # A decimal is a whole number of 128 bits and a scale: the same bits are the amount, without a multiplication.
        return column.cast(pl.Int128).reinterpret(dtype=pl.Decimal(38, decimals)).alias(name)
    # Decimal precision ends at 38 digits, which this multiplication checks; the plan proves that results stay far below.
    scale = Decimal(1).scaleb(-decimals)
    return (column.cast(pl.Decimal(38, 0)) * pl.lit(scale, pl.Decimal(38, decimals))).alias(name)


def plain_cell(value: Value, type_: Type, decimals: int) -> str:
    """A value of the exact evaluator as a cell holds it: no thousands separators and no unit, a missing one empty."""
    if value is None:
        return ""
    if isinstance(value, frozenset):
        return ";".join(sorted(value))
    text = figure(value, type_, decimals, grouped=False)
    return text.partition(" ")[0] if isinstance(value, int | Fraction) else text
