"""The results file: the input columns as read, in their order, then the outputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import IO, Literal, TypeAlias, cast

import polars as pl

from rxcalc.lang.types import Type
from rxcalc.plan.figures import figure
from rxcalc.plan.nodes import Value
from rxcalc.tabular import problems
from rxcalc.tabular.header import Columns
from rxcalc.tabular.judging import Judged
from rxcalc.tabular.problems import UsageProblem


class _Parts:
    """A file for `write_csv` that keeps what it is given: one copy less than a growing buffer makes."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        """Keep one part."""
        self.parts.append(data)
        return len(data)

    def flush(self) -> None:
        """Nothing to do."""


@dataclass(frozen=True, slots=True)
class Layout:
    """What a results file holds: `echoed` input columns by position, then `computed` outputs.

    Those of `computed` that are `percents` are written as `85%`, as an input of that type is read.
    """

    columns: Columns
    echoed: tuple[int, ...]
    computed: tuple[str, ...]
    separator: str
    percents: frozenset[str] = frozenset()

    @property
    def whole(self) -> bool:
        """Whether every column is echoed in order, so that lines can be copied as they stand."""
        return self.echoed == tuple(range(len(self.columns.names)))

    def header(self) -> bytes:
        """The first line."""
        names = [self.columns.names[at] for at in self.echoed]
        return (self.separator.join(cell(name, self.separator) for name in [*names, *self.computed]) + "\n").encode()


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


Part: TypeAlias = Sequence[bytes] | pl.DataFrame
"""Records ready to be written: lines of text, or, for files that hold types, a table."""


def write_rows(
    form: Layout, judged: Judged, rows: pl.Series | None, results: pl.DataFrame, decimals: dict[str, int]
) -> Part:
    """A block's good rows (None: all) as they are written; `results` has one row each, amounts scaled by 10**decimals."""
    block = judged.block
    computed = results.select(
        (_percent if name in form.percents else _plain)(name, results.schema[name], decimals.get(name))
        for name in form.computed
    )
    computed = computed.rename({name: f"r{at}" for at, name in enumerate(form.computed)})
    copied = block.echo and form.whole
    if copied:
        # A line copied whole holds separators, so the writer must not quote; texts beside it are quoted here.
        texts = [name for name, dtype in computed.schema.items() if dtype == pl.String]
        computed = computed.with_columns(_quoted(name, form.separator) for name in texts)
    frame = computed
    if form.echoed:
        echo = block.lines.to_frame() if copied else block.fields.select(str(at) for at in form.echoed)
        frame = (echo if rows is None else echo[rows]).hstack(computed)
    out = _Parts()
    if frame.height:
        safe = copied or (block.echo and pl.String not in computed.dtypes)  # plain cells and numbers need no quotes
        quote: Literal["never", "necessary"] = "never" if safe else "necessary"
        frame.write_csv(cast("IO[bytes]", out), include_header=False, separator=form.separator, quote_style=quote)
    return out.parts


def _quoted(name: str, separator: str) -> pl.Expr:
    """Texts with quotes around those that need them."""
    text = pl.col(name)
    needs = text.str.contains_any([separator, '"', "\r", "\n"])
    quoted = pl.concat_str(pl.lit('"'), text.str.replace_all('"', '""', literal=True), pl.lit('"'))
    return pl.when(needs).then(quoted).otherwise(text).alias(name)


def _percent(name: str, dtype: pl.DataType, decimals: int | None) -> pl.Expr:
    """A ratio as a percentage: 0.8 is `80%`."""
    places = decimals or 0
    if places < 2:
        # As text: a product could pass what the column is proven to hold.
        zeros = pl.when(pl.col(name) == 0).then(pl.lit("")).otherwise(pl.lit("0" * (2 - places)))
        return pl.concat_str(pl.col(name).cast(pl.String), zeros, pl.lit("%")).alias(name)
    return pl.concat_str(_plain(name, dtype, places - 2).cast(pl.String), pl.lit("%")).alias(name)


def _plain(name: str, dtype: pl.DataType, decimals: int | None) -> pl.Expr:
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


def line_of(cells: Sequence[str], separator: str = ",") -> bytes:
    """A line of a small file."""
    return (separator.join(cell(text, separator) for text in cells) + "\n").encode(errors="backslashreplace")


def cell(text: str, separator: str = ",") -> str:
    """A cell as it is written: quoted only where it has to be.

    >>> cell('a"b')
    '"a""b"'
    """
    needs = any(char in text for char in (separator, '"', "\r", "\n"))
    return '"' + text.replace('"', '""') + '"' if needs else text
