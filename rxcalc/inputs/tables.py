"""A table of text cells checked against a rulebook's declared inputs, by whole columns.

The fast forms below accept a subset of what `cells.CellReader` accepts and give the same value;
every other cell goes, once per distinct text, through the `CellReader` itself. Polars 2.1 traps
this avoids: `str.to_decimal(scale=2)` cuts 12.345 to 12.34 and reads 1e3, casts read +5.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Any, Final

import polars as pl

from rxcalc.inputs.cells import MAX_CODE, MAX_TEXT, CellProblem, CellReader
from rxcalc.lang.types import WHOLE, Kind, OneOf, Plain
from rxcalc.plan.nodes import Plan, PlanInput, Value

ROW: Final = "__row"
_VALUE: Final = ":value"
_INT64: Final = 2**63 - 1
_MEMO_LIMIT: Final = 100_000
_FEW: Final = 20_000
_WIDEST_SHAPE: Final = 64
_AMOUNTS: Final = frozenset({Kind.MONEY, Kind.MONEY_PER_DAY})
_PLAIN_CODE: Final = r"^[0-9A-Za-z][0-9A-Za-z._:-]*$"  # no spelling of "missing" of three or more characters
_PLAIN_TEXT: Final = r"^[!-~]([ -~]*[!-~])?$"


@dataclass(frozen=True, slots=True)
class OddAmount:
    """A refused money cell: `amount` is what it says, None when that cannot be read."""

    row: int
    field: str
    amount: Fraction | None


@dataclass(frozen=True, slots=True)
class Checked:
    """A checked table.

    `frame` has one typed column per input and `__row`; a refused cell is null. `amounts` holds the
    money columns as read, before defaults. `problems` are (row in the frame, problem), by row, then
    in the order of the inputs. `defaulted` counts the cells that a default filled, per input and row.
    """

    frame: pl.DataFrame
    amounts: pl.DataFrame
    problems: tuple[tuple[int, CellProblem], ...]
    odd: tuple[OddAmount, ...]
    defaulted: tuple[tuple[str, pl.Series], ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """How a record of only usual spellings looks, so that a CSV reader may parse cells itself.

    A line that `pattern` matches has one field per column, and each cell of a typed column means
    exactly what the reader's type makes of it. `schema` names columns by position; what is not in
    it need not be read.
    """

    pattern: str
    schema: Mapping[str, Any]
    typed: frozenset[str]  # inputs whose columns are not text


@dataclass(frozen=True, slots=True)
class _Column:
    """What is known of one input before any table is seen."""

    order: int
    spec: PlanInput
    reader: CellReader
    dtype: Any  # a Polars type
    scale: int  # value x scale is the stored whole number
    least: int
    most: int
    memo: dict[str, object] = field(compare=False, repr=False)


@dataclass(slots=True)
class _Found:
    """What checking one table has found so far."""

    problems: list[tuple[int, int, CellProblem]] = field(default_factory=list)
    odd: list[OddAmount] = field(default_factory=list)


class TableReader:
    """Checks tables of one rulebook. May be used by several threads."""

    def __init__(self, plan: Plan) -> None:
        self._columns = tuple(_column(at, spec, plan.currency) for at, spec in enumerate(plan.inputs))
        quick = {
            column.spec.name: (column, expr) for column in self._columns if (expr := _quick_value(column)) is not None
        }
        self._values = {name: expr.alias(name + _VALUE) for name, (_, expr) in quick.items()}
        self._checks = {
            name: _quick_check(column).fill_null(value=False).alias(name) for name, (column, _) in quick.items()
        }
        self.money: tuple[str, ...] = tuple(column.spec.name for column in self._columns if _is_amount(column.spec))
        self.decimals: dict[str, int] = {column.spec.name: column.spec.decimals for column in self._columns}

    def reader(self, name: str) -> CellReader:
        """The cell reader of an input."""
        return next(column.reader for column in self._columns if column.spec.name == name)

    def shape(self, inputs: Mapping[str, int], width: int, separator: str, keep: frozenset[int]) -> Shape | None:
        """The shape of usual records of a file; columns in `keep` stay text. None when no cell gains by it."""
        cells = [f"[^{re.escape(separator)}\n]*"] * width
        schema: dict[str, Any] = {str(at): pl.String for at in range(width) if at in keep}
        typed: set[str] = set()
        for column in self._columns:
            at = inputs.get(column.spec.name)
            if at is None:
                continue
            form = _usual(column) if at not in keep else None
            schema[str(at)] = form[1] if form else pl.String
            if form:
                cells[at] = f"(?:{form[0]})?" if column.spec.optional and column.spec.default is None else form[0]
                typed.add(column.spec.name)
        if not typed or width > _WIDEST_SHAPE:
            return None
        return Shape("^" + re.escape(separator).join(cells) + "$", schema, frozenset(typed))

    def read_usual(self, cells: pl.DataFrame, shape: Shape) -> Checked | None:
        """The typed table of records that all have a shape; None when a cell needs `read` after all."""
        ready: dict[str, pl.Series] = {}
        for column in self._columns:
            if column.spec.name in shape.typed:
                values = _accepted(column, cells.get_column(column.spec.name))
                if values is None:
                    return None
                ready[column.spec.name] = values
        return self.read(cells, ready=ready)

    def read(self, texts: pl.DataFrame, first_row: int = 0, ready: Mapping[str, pl.Series] | None = None) -> Checked:
        """The typed table of a table of String columns named by input; inputs without a column are missing.

        Columns in `ready` are typed and sure already.
        """
        ready = ready or {}
        height = texts.height
        found = _Found()
        quick = self._first_pass(texts, ready)
        typed: list[pl.Series] = []
        amounts: list[pl.Series] = []
        defaulted: list[tuple[str, pl.Series]] = []
        for column in self._columns:
            name = column.spec.name
            if name in ready:
                typed.append(ready[name])
                if _is_amount(column.spec):
                    amounts.append(ready[name])
                continue
            text = (
                texts.get_column(name)
                if name in texts.columns
                else pl.Series(name, [None], dtype=pl.String).new_from_index(0, height)
            )
            values, absent = _finish(column, text, quick.get(name), found)
            if _is_amount(column.spec):
                amounts.append(values)
            if absent is not None and column.spec.default is not None:
                filler = pl.Series([_stored(column, column.spec.default)], dtype=column.dtype)
                values = (
                    values.to_frame()
                    .select(pl.when(absent).then(pl.lit(filler).first()).otherwise(pl.col(name)).alias(name))
                    .to_series()
                )
                defaulted.append((name, absent))
            typed.append(values)
        typed.append(pl.int_range(first_row, first_row + height, dtype=pl.Int64, eager=True).alias(ROW))
        found.problems.sort(key=lambda item: item[:2])
        return Checked(
            frame=pl.DataFrame(typed),
            amounts=pl.DataFrame(amounts),
            problems=tuple((row, problem) for row, _, problem in found.problems),
            odd=tuple(found.odd),
            defaulted=tuple(defaulted),
        )

    def _first_pass(
        self, texts: pl.DataFrame, ready: Mapping[str, pl.Series]
    ) -> dict[str, tuple[pl.Series, pl.Series | None]]:
        """Per column with a quick form: the values, and whether each is sure (None: all are)."""
        names = [name for name in self._values if name in texts.columns and name not in ready]
        if not names or not texts.height:
            return {}
        values = texts.with_columns(self._values[name] for name in names)
        every = values.select(self._checks[name].all() for name in names).row(0)
        unsure = [name for name, sure in zip(names, every, strict=True) if not sure]
        masks = values.select(self._checks[name] for name in unsure) if unsure else values
        return {
            name: (values.get_column(name + _VALUE).alias(name), None if sure else masks.get_column(name))
            for name, sure in zip(names, every, strict=True)
        }


def _is_amount(spec: PlanInput) -> bool:
    return isinstance(spec.type, Plain) and spec.type.kind in _AMOUNTS


def _column(order: int, spec: PlanInput, currency: str) -> _Column:
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
    return _Column(order, spec, reader, dtype, scale, least, most, {})


def _numeric_kind(column: _Column) -> Kind | None:
    of = column.spec.type
    return of.kind if isinstance(of, Plain) and column.dtype in (pl.Int64, pl.Int128) else None


def _usual(column: _Column) -> tuple[str, Any] | None:
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


def _accepted(column: _Column, cells: pl.Series) -> pl.Series | None:
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


def _quick_value(column: _Column) -> pl.Expr | None:
    """The values of cells in the usual spelling; null or a wrong value for others, which `_quick_check` excludes."""
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


def _quick_check(column: _Column) -> pl.Expr:
    """Whether a cell's quick value (under the name and `_VALUE`) is sure to be what `CellReader` gives."""
    text = pl.col(column.spec.name)
    value = pl.col(column.spec.name + _VALUE)
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


def _finish(
    column: _Column, text: pl.Series, quick: tuple[pl.Series, pl.Series | None] | None, found: _Found
) -> tuple[pl.Series, pl.Series | None]:
    """The typed column, and which cells are missing (None: no cell is)."""
    sure: pl.Series | None
    if text.null_count() == text.len():
        return _absent_everywhere(column, text, found)
    if quick is None:
        if _numeric_kind(column) is None:
            return _by_distinct(column, text, found)
        values, rest = _nothing(column, text), pl.int_range(text.len(), dtype=pl.UInt32, eager=True)
    else:
        values, sure = quick
        if sure is None:
            return values, None
        rest = (~sure).arg_true()
        values = values.zip_with(sure, _nothing(column, text))
    left = text.gather(rest)
    if _numeric_kind(column) is not None:
        number, sure = _second_pass(column, left)
        values = values.scatter(rest.filter(sure), number.filter(sure))
        rest, left = rest.filter(~sure), left.filter(~sure)
        if not rest.len():
            return values, None
    more, absent = _by_distinct(column, left, found, rest)
    values = values.scatter(rest, more)
    if absent is None:
        return values, None
    everywhere = pl.Series([False]).new_from_index(0, text.len()).scatter(rest.filter(absent), True)  # noqa: FBT003 a value, not an option
    return values, everywhere


def _second_pass(column: _Column, text: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Plain numerals of any sign and up to the allowed decimals: the values, and which are sure."""
    decimals = column.spec.decimals
    percent = _numeric_kind(column) is Kind.PERCENT
    fraction = rf"(?:\.[0-9]{{1,{decimals}}})?" if decimals else ""
    plain = text.str.contains(rf"^-?[0-9]{{1,15}}{fraction}{'%' if percent else ''}$").fill_null(value=False)
    body = text.str.strip_suffix("%") if percent else text
    number = body.str.to_decimal(scale=decimals).to_physical().cast(column.dtype, strict=False)
    return number, plain & number.is_between(column.least, column.most).fill_null(value=False)


def _nothing(column: _Column, text: pl.Series) -> pl.Series:
    """A typed column of nulls, as long as `text`."""
    return pl.Series(text.name, [None], dtype=column.dtype).new_from_index(0, text.len())


def _absent_everywhere(column: _Column, text: pl.Series, found: _Found) -> tuple[pl.Series, pl.Series | None]:
    height = text.len()
    values = _nothing(column, text)
    if not height:
        return values, None
    absent = column.reader.absent("")
    if isinstance(absent, CellProblem):
        found.problems.extend((row, column.order, absent) for row in range(height))
        return values, None
    return values, pl.Series([True]).new_from_index(0, height)


def _by_distinct(
    column: _Column, text: pl.Series, found: _Found, rows: pl.Series | None = None
) -> tuple[pl.Series, pl.Series | None]:
    """The typed column through the `CellReader`, one call per distinct text; `rows` are the cells' places."""
    distinct = text.unique().to_list()
    memo = column.memo
    if len(memo) > _MEMO_LIMIT:
        memo.clear()
    keys: list[str] = []
    stored: list[object] = []
    problems: dict[str | None, CellProblem] = {}
    missing: list[str | None] = []
    for cell in distinct:
        read = memo.get(cell, column) if cell is not None else column
        if read is column:
            read = column.reader.read(cell)
            if cell is not None and len(cell) <= 40 and _numeric_kind(column) is None:
                memo[cell] = read
        if isinstance(read, CellProblem):
            problems[cell] = read
        elif cell is None or column.reader.is_missing(cell):
            missing.append(cell)
        else:
            keys.append(cell)
            stored.append(_stored(column, read))  # type: ignore[arg-type]  # the memo holds values and problems only
    values = _replaced(column, text, keys, stored)
    if problems:
        _note(column, text, problems, found, rows)
    if not missing:
        return values, None
    return values, text.is_in(pl.Series(missing, dtype=pl.String).implode(), nulls_equal=True)


def _replaced(column: _Column, text: pl.Series, keys: list[str], stored: list[object]) -> pl.Series:
    if column.dtype == pl.List(pl.String):  # replace_strict knows no lists
        by_text = dict(zip(keys, stored, strict=True))
        return pl.Series(text.name, [by_text.get(cell) for cell in text.to_list()], dtype=column.dtype)
    if not keys:
        return _nothing(column, text)
    new = pl.Series(stored, dtype=column.dtype)
    if len(keys) <= _FEW:  # twice as fast as replace_strict
        return new.gather(text.cast(pl.Enum(keys), strict=False).to_physical()).alias(text.name)
    return text.replace_strict(pl.Series(keys, dtype=pl.String), new, default=None, return_dtype=column.dtype)


def _note(
    column: _Column, text: pl.Series, problems: dict[str | None, CellProblem], found: _Found, rows: pl.Series | None
) -> None:
    """Record each refused cell, and what a refused money cell says."""
    bad = text.is_in(pl.Series(list(problems), dtype=pl.String).implode(), nulls_equal=True)
    at = bad.arg_true()
    places: Iterable[int] = (rows.gather(at) if rows is not None else at).to_list()
    money = _is_amount(column.spec)
    amounts: dict[str | None, Fraction | None] = {}
    for row, cell in zip(places, text.gather(at).to_list(), strict=True):
        problem = problems[cell]
        found.problems.append((row, column.order, problem))
        if money and problem.code != "RX704":
            if cell not in amounts:
                amounts[cell] = column.reader.amount(cell)
            found.odd.append(OddAmount(row, column.spec.name, amounts[cell]))


def _stored(column: _Column, value: Value) -> object:
    """The value as the typed column holds it."""
    if isinstance(value, bool | str | date):
        return value
    if isinstance(value, int | Fraction):
        return int(value * column.scale)
    if isinstance(value, frozenset):
        return sorted(value)
    return None
