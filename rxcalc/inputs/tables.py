"""A table of text cells checked against a rulebook's declared inputs, by whole columns.

The forms in `columns.py` accept a subset of what `cells.CellReader` accepts and give the same value;
every other cell goes, once per distinct text, through the `CellReader` itself.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from fractions import Fraction
from typing import Any, Final

import polars as pl

from rxcalc.inputs.cells import CellProblem, CellReader
from rxcalc.inputs.columns import (
    VALUE,
    Column,
    accepted,
    column_of,
    is_amount,
    numeric_kind,
    quick_check,
    quick_value,
    usual_form,
)
from rxcalc.inputs.records import either_sign
from rxcalc.inputs.typed import Fault, Faults, taken, texts_of
from rxcalc.lang.types import Kind
from rxcalc.plan.nodes import Plan, Value

ROW: Final = "__row"
_MEMO_LIMIT: Final = 100_000
_FEW: Final = 20_000
_WIDEST_SHAPE: Final = 64


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


def together(parts: Sequence[tuple[Checked, pl.Series]]) -> Checked:
    """One checked table of several, each with the places of its rows."""
    places = pl.concat([rows.cast(pl.Int64) for _, rows in parts])
    order = places.arg_sort()
    problems = [(int(rows[row]), problem) for checked, rows in parts for row, problem in checked.problems]
    names = dict.fromkeys(name for checked, _ in parts for name, _ in checked.defaulted)
    amounts = pl.concat([checked.amounts for checked, _ in parts])
    no = pl.Series([False])
    filled = [
        (
            name,
            pl.concat(
                [
                    dict(checked.defaulted).get(name, no.new_from_index(0, rows.len())).alias(name)
                    for checked, rows in parts
                ]
            ).gather(order),
        )
        for name in names
    ]
    return Checked(
        frame=pl.concat([checked.frame for checked, _ in parts])[order].with_columns(places.gather(order).alias(ROW)),
        amounts=amounts[order] if amounts.width else amounts,  # without columns it has no rows either
        problems=tuple(sorted(problems, key=lambda item: item[0])),
        odd=tuple(replace(odd, row=int(rows[odd.row])) for checked, rows in parts for odd in checked.odd),
        defaulted=tuple(filled),
    )


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
    alone: bool  # whether no other column is read, so that records of other spellings can be read apart


@dataclass(slots=True)
class _Found:
    """What checking one table has found so far."""

    problems: list[tuple[int, int, CellProblem]] = field(default_factory=list)
    odd: list[OddAmount] = field(default_factory=list)


class TableReader:
    """Checks tables of one rulebook. May be used by several threads."""

    def __init__(self, plan: Plan) -> None:
        self._columns = tuple(column_of(at, spec, plan.currency) for at, spec in enumerate(plan.inputs))
        quick = {
            column.spec.name: (column, expr) for column in self._columns if (expr := quick_value(column)) is not None
        }
        self._values = {name: expr.alias(name + VALUE) for name, (_, expr) in quick.items()}
        self._checks = {
            name: quick_check(column).fill_null(value=False).alias(name) for name, (column, _) in quick.items()
        }
        self._reverses = plan.sequence.reverses if plan.sequence is not None else ""
        self._spared = {
            spec.name: CellReader.of(either_sign(spec), plan.currency) for spec in plan.inputs if self._reverses
        }
        self.money: tuple[str, ...] = tuple(column.spec.name for column in self._columns if is_amount(column.spec))
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
            form = usual_form(column) if at not in keep else None
            schema[str(at)] = form[1] if form else pl.String
            if form:
                cells[at] = f"(?:{form[0]})?" if column.spec.optional and column.spec.default is None else form[0]
                typed.add(column.spec.name)
        if not typed or not 1 < width <= _WIDEST_SHAPE:  # in two columns or more an empty line has no shape
            return None
        return Shape("^" + re.escape(separator).join(cells) + "$", schema, frozenset(typed), not keep)

    def read_usual(self, cells: pl.DataFrame, shape: Shape) -> Checked | None:
        """The typed table of records that all have a shape; None when a cell needs `read` after all."""
        ready: dict[str, pl.Series] = {}
        for column in self._columns:
            if column.spec.name in shape.typed:
                values = accepted(column, cells.get_column(column.spec.name))
                if values is None:
                    return None
                ready[column.spec.name] = values
        return self.read(cells, ready=ready)

    def read_typed(self, cells: pl.DataFrame) -> Checked:
        """The typed table of columns named by input, of the types that a file holds itself.

        Each cell means what its text means (`texts_of`); texts are made only of cells whose value is not sure without.
        """
        ready: dict[str, pl.Series] = {}
        partly: dict[str, tuple[pl.Series, pl.Series | None]] = {}
        texts: list[pl.Series] = []
        faults: dict[str, Mapping[int, Fault]] = {}
        for column in self._columns:
            if column.spec.name not in cells.columns:
                continue
            own = cells.get_column(column.spec.name)
            values = taken(column, own)
            if values is not None and values[1] is None:
                ready[own.name] = values[0]
                texts.append(pl.Series(own.name, [None], dtype=pl.String).new_from_index(0, own.len()))
                continue
            if values is not None and values[1] is not None:
                partly[own.name] = values
                own = own.zip_with(~values[1], own.clear(own.len()))
            text, unsaid = texts_of(own)
            texts.append(text)
            if unsaid:
                faults[own.name] = unsaid
        return self.read(pl.DataFrame(texts), ready=ready, partly=partly, faults=faults)

    def read(
        self,
        texts: pl.DataFrame,
        first_row: int = 0,
        ready: Mapping[str, pl.Series] | None = None,
        partly: Mapping[str, tuple[pl.Series, pl.Series | None]] | None = None,
        faults: Faults | None = None,
    ) -> Checked:
        """The typed table of a table of String columns named by input; inputs without a column are missing.

        Columns in `ready` are typed and sure already, of those in `partly` the rows marked. `faults` are cells refused
        whatever their text.
        """
        ready, faults = ready or {}, faults or {}
        height = texts.height
        found = _Found()
        quick = {**self._first_pass(texts, {*ready, *(partly or ())}), **(partly or {})}
        typed: list[pl.Series] = []
        amounts: list[pl.Series] = []
        defaulted: list[tuple[str, pl.Series]] = []
        for column in self._columns:
            name = column.spec.name
            if name in ready:
                typed.append(ready[name])
                if is_amount(column.spec):
                    amounts.append(ready[name])
                continue
            text = (
                texts.get_column(name)
                if name in texts.columns
                else pl.Series(name, [None], dtype=pl.String).new_from_index(0, height)
            )
            refused = faults.get(name)
            if refused:
                text = text.scatter(list(refused), None)
            whole = name not in (partly or ()) and text.null_count() == height
            values, absent = (
                _absent_everywhere(column, text, found) if whole else _finish(column, text, quick.get(name), found)
            )
            if refused:
                values, absent = _refuse(column, values, absent, texts.get_column(name), refused, found)
            if is_amount(column.spec):
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
        if self._reverses and any(problem.code == "RX703" for _, _, problem in found.problems):
            self._spare_reversals(texts, typed, amounts, found)
        typed.append(pl.int_range(first_row, first_row + height, dtype=pl.Int64, eager=True).alias(ROW))
        found.problems.sort(key=lambda item: item[:2])
        return Checked(
            frame=pl.DataFrame(typed),
            amounts=pl.DataFrame(amounts),
            problems=tuple((row, problem) for row, _, problem in found.problems),
            odd=tuple(found.odd),
            defaulted=tuple(defaulted),
        )

    def _spare_reversals(
        self, texts: pl.DataFrame, typed: list[pl.Series], amounts: list[pl.Series], found: _Found
    ) -> None:
        """Takes the numbers of reversals that only their bounds forbid (see `RecordReader`)."""
        reverses = next(column.order for column in self._columns if column.spec.name == self._reverses)
        reversing = set(typed[reverses].is_not_null().arg_true())
        left: list[tuple[int, int, CellProblem]] = []
        for row, order, problem in found.problems:
            column = self._columns[order]
            if problem.code == "RX703" and row in reversing and numeric_kind(column) is not None:
                value = self._spared[column.spec.name].read(texts[row, column.spec.name])
                if not isinstance(value, CellProblem):
                    cell: Any = _stored(column, value)
                    typed[order] = typed[order].scatter(row, cell)
                    for place, held in enumerate(amounts):
                        if held.name == column.spec.name:
                            amounts[place] = held.scatter(row, cell)
                    found.odd[:] = [odd for odd in found.odd if (odd.row, odd.field) != (row, column.spec.name)]
                    continue
            left.append((row, order, problem))
        found.problems[:] = left

    def _first_pass(self, texts: pl.DataFrame, ready: Collection[str]) -> dict[str, tuple[pl.Series, pl.Series | None]]:
        """Per column with a quick form: the values, and whether each is sure (None: all are)."""
        names = [name for name in self._values if name in texts.columns and name not in ready]
        if not names or not texts.height:
            return {}
        values = texts.with_columns(self._values[name] for name in names)
        every = values.select(self._checks[name].all() for name in names).row(0)
        unsure = [name for name, sure in zip(names, every, strict=True) if not sure]
        masks = values.select(self._checks[name] for name in unsure) if unsure else values
        return {
            name: (values.get_column(name + VALUE).alias(name), None if sure else masks.get_column(name))
            for name, sure in zip(names, every, strict=True)
        }


def _finish(
    column: Column, text: pl.Series, quick: tuple[pl.Series, pl.Series | None] | None, found: _Found
) -> tuple[pl.Series, pl.Series | None]:
    """The typed column, and which cells are missing (None: no cell is)."""
    sure: pl.Series | None
    if quick is None:
        if numeric_kind(column) is None:
            return _by_distinct(column, text, found)
        values, rest = _nothing(column, text), pl.int_range(text.len(), dtype=pl.UInt32, eager=True)
    else:
        values, sure = quick
        if sure is None:
            return values, None
        rest = (~sure).arg_true()
        values = values.zip_with(sure, _nothing(column, text))
    left = text.gather(rest)
    if numeric_kind(column) is not None:
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


def _refuse(
    column: Column,
    values: pl.Series,
    absent: pl.Series | None,
    text: pl.Series,
    faults: Mapping[int, Fault],
    found: _Found,
) -> tuple[pl.Series, pl.Series | None]:
    """Cells refused whatever their text, which were left out as missing ones till now."""
    name, rows = column.spec.name, sorted(faults)
    found.problems[:] = [item for item in found.problems if item[1] != column.order or item[0] not in faults]
    for row, cell in zip(rows, text.gather(rows).to_list(), strict=True):
        fault = faults[row]
        found.problems.append(
            (row, column.order, CellProblem(fault.code, name, cell or "", f"{name}: {fault.message}"))
        )
        if is_amount(column.spec):
            found.odd.append(OddAmount(row, name, None))
    if absent is not None:
        absent = absent.scatter(rows, values=False)
    return values.scatter(rows, None), absent


def _second_pass(column: Column, text: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Plain numerals of any sign and up to the allowed decimals: the values, and which are sure."""
    decimals = column.spec.decimals
    percent = numeric_kind(column) is Kind.PERCENT
    fraction = rf"(?:\.[0-9]{{1,{decimals}}})?" if decimals else ""
    plain = text.str.contains(rf"^-?[0-9]{{1,15}}{fraction}{'%' if percent else ''}$").fill_null(value=False)
    body = text.str.strip_suffix("%") if percent else text
    number = body.str.to_decimal(scale=decimals).to_physical().cast(column.dtype, strict=False)
    return number, plain & number.is_between(column.least, column.most).fill_null(value=False)


def _nothing(column: Column, text: pl.Series) -> pl.Series:
    """A typed column of nulls, as long as `text`."""
    return pl.Series(text.name, [None], dtype=column.dtype).new_from_index(0, text.len())


def _absent_everywhere(column: Column, text: pl.Series, found: _Found) -> tuple[pl.Series, pl.Series | None]:
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
    column: Column, text: pl.Series, found: _Found, rows: pl.Series | None = None
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
            if cell is not None and len(cell) <= 40 and numeric_kind(column) is None:
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


def _replaced(column: Column, text: pl.Series, keys: list[str], stored: list[object]) -> pl.Series:
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
    column: Column, text: pl.Series, problems: dict[str | None, CellProblem], found: _Found, rows: pl.Series | None
) -> None:
    """Record each refused cell, and what a refused money cell says."""
    bad = text.is_in(pl.Series(list(problems), dtype=pl.String).implode(), nulls_equal=True)
    at = bad.arg_true()
    places: Iterable[int] = (rows.gather(at) if rows is not None else at).to_list()
    money = is_amount(column.spec)
    amounts: dict[str | None, Fraction | None] = {}
    for row, cell in zip(places, text.gather(at).to_list(), strict=True):
        problem = problems[cell]
        found.problems.append((row, column.order, problem))
        if money and problem.code != "RX704":
            if cell not in amounts:
                amounts[cell] = column.reader.amount(cell)
            found.odd.append(OddAmount(row, column.spec.name, amounts[cell]))


def _stored(column: Column, value: Value) -> object:
    """The value as the typed column holds it."""
    if isinstance(value, bool | str | date):
        return value
    if isinstance(value, int | Fraction):
        return int(value * column.scale)
    if isinstance(value, frozenset):
        return sorted(value)
    return None
