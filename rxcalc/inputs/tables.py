"""A table of text cells checked against a rulebook's declared inputs, by whole columns.

The fast forms below accept a subset of what `cells.CellReader` accepts and give the same value;
every other cell goes, once per distinct text, through the `CellReader` itself. Polars 2.1 traps
this avoids: `str.to_decimal(scale=2)` cuts 12.345 to 12.34 and reads 1e3, casts read +5.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Any, Final

import polars as pl

from rxcalc.inputs.cells import MAX_CODE, MAX_TEXT, CellProblem, CellReader
from rxcalc.lang.types import WHOLE, Kind, OneOf, Plain
from rxcalc.plan.nodes import Plan, PlanInput, Value

ROW: Final = "__row"
_INT64: Final = 2**63 - 1
_MEMO_LIMIT: Final = 100_000
_FEW: Final = 20_000
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
        self.money: tuple[str, ...] = tuple(column.spec.name for column in self._columns if _is_amount(column.spec))
        self.decimals: dict[str, int] = {column.spec.name: column.spec.decimals for column in self._columns}

    def reader(self, name: str) -> CellReader:
        """The cell reader of an input."""
        return next(column.reader for column in self._columns if column.spec.name == name)

    def read(self, texts: pl.DataFrame, first_row: int = 0) -> Checked:
        """The typed table of a table of String columns named by input; inputs without a column are missing."""
        height = texts.height
        found = _Found()
        quick = _first_pass(texts, [column for column in self._columns if column.spec.name in texts.columns])
        typed: list[pl.Series] = []
        amounts: list[pl.Series] = []
        defaulted: list[tuple[str, pl.Series]] = []
        for column in self._columns:
            name = column.spec.name
            text = texts.get_column(name) if name in texts.columns else pl.Series(name, [None] * height, dtype=pl.String)
            values, absent = _finish(column, text, quick.get(name), found)
            if _is_amount(column.spec):
                amounts.append(values)
            if absent is not None and column.spec.default is not None:
                filler = pl.Series([_stored(column, column.spec.default)], dtype=column.dtype)
                values = values.to_frame().select(pl.when(absent).then(pl.lit(filler).first()).otherwise(pl.col(name)).alias(name)).to_series()
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
            least = -10**36 if not isinstance(spec.low, int | Fraction) else -int(-spec.low * scale // 1)
            most = 10**36 if not isinstance(spec.high, int | Fraction) else int(spec.high * scale // 1)
            dtype = pl.Int64 if max(abs(least), abs(most)) < 2**62 else pl.Int128
    return _Column(order, spec, reader, dtype, scale, least, most, {})


def _numeric_kind(column: _Column) -> Kind | None:
    of = column.spec.type
    return of.kind if isinstance(of, Plain) and column.dtype in (pl.Int64, pl.Int128) else None


def _first_pass(texts: pl.DataFrame, columns: Sequence[_Column]) -> dict[str, tuple[pl.Series, pl.Series]]:
    """Per column with a quick form: the values, and whether each is sure to be what `CellReader` gives."""
    quick = {column.spec.name: expr for column in columns if (expr := _quick_value(column)) is not None}
    values = texts.select(expr.alias(name) for name, expr in quick.items()) if quick else pl.DataFrame()
    checks = {
        column.spec.name: _quick_check(column, values.get_column(column.spec.name)) for column in columns if column.spec.name in quick
    }
    sure = texts.select(expr.alias(name) for name, expr in checks.items()) if checks else pl.DataFrame()
    return {name: (values.get_column(name), sure.get_column(name)) for name in quick}


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


def _quick_check(column: _Column, values: pl.Series) -> pl.Expr:
    text = pl.col(column.spec.name)
    length = text.str.len_bytes()
    match column.spec.type:
        case Plain(kind=Kind.CODE):
            return text.str.contains(_PLAIN_CODE) & (length >= 3) & (length <= MAX_CODE)
        case Plain(kind=Kind.TEXT):
            return text.str.contains(_PLAIN_TEXT) & (length >= 4) & (length <= MAX_TEXT)
        case Plain(kind=Kind.FLAG) | OneOf():
            return pl.lit(values.is_not_null())
        case _:
            # A tail between .00 and .99 and a first character from 0 on leave only digits, a point and
            # digits: what else sorts there, `to_decimal` refuses (null). 18 characters fit Int64.
            decimals = column.spec.decimals
            tail = text.str.tail(decimals + 1)
            sure = (tail >= "." + "0" * decimals) & (tail <= "." + "9" * decimals) & (text >= "0") & (length <= 18)
            if decimals > 2:  # .1e2 sorts there too; with two decimals an exponent cannot
                sure &= ~text.str.contains_any(["e", "E"])
            return sure & pl.lit(values.is_between(column.least, column.most))


def _finish(
    column: _Column, text: pl.Series, quick: tuple[pl.Series, pl.Series] | None, found: _Found
) -> tuple[pl.Series, pl.Series | None]:
    """The typed column, and which cells are missing (None: no cell is)."""
    if text.null_count() == text.len():
        return _absent_everywhere(column, text, found)
    if quick is None:
        if _numeric_kind(column) is None:
            return _by_distinct(column, text, found)
        values, sure = pl.Series(text.name, [None] * text.len(), dtype=column.dtype), None
    else:
        values, sure = quick
        if sure.null_count() == 0 and sure.all():
            return values, None
    rest = pl.int_range(text.len(), dtype=pl.UInt32, eager=True) if sure is None else (~sure.fill_null(value=False)).arg_true()
    left = text.gather(rest)
    if sure is not None:
        values = values.zip_with(sure.fill_null(value=False), pl.Series(text.name, [None], dtype=values.dtype).new_from_index(0, text.len()))
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


def _absent_everywhere(column: _Column, text: pl.Series, found: _Found) -> tuple[pl.Series, pl.Series | None]:
    height = text.len()
    values = pl.Series(text.name, [None] * height, dtype=column.dtype)
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
        return pl.Series(text.name, [None], dtype=column.dtype).new_from_index(0, text.len())
    new = pl.Series(stored, dtype=column.dtype)
    if len(keys) <= _FEW:  # twice as fast as replace_strict
        return new.gather(text.cast(pl.Enum(keys), strict=False).to_physical()).alias(text.name)
    return text.replace_strict(pl.Series(keys, dtype=pl.String), new, default=None, return_dtype=column.dtype)


def _note(column: _Column, text: pl.Series, problems: dict[str | None, CellProblem], found: _Found, rows: pl.Series | None) -> None:
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
