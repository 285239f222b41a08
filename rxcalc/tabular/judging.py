"""Every record of a block gets one fate: to be computed, rejected, recognised as a total, or blank."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import polars as pl

from rxcalc.inputs.cells import TRIM, CellProblem
from rxcalc.inputs.tables import ROW, Checked, Shape, TableReader, together
from rxcalc.tabular.accounts import Account, Accounts
from rxcalc.tabular.blocks import Block, Other
from rxcalc.tabular.header import Columns
from rxcalc.tabular.tables.passing import nul_in

ID: Final = "episode_id"
_TOTAL_HINTS: Final = ("total", "合", "总", "小")  # an id without one of these names no total row
_TOTAL_WORD: Final = r"(?:合\s*计|总\s*计|小\s*计|(?:sub|grand )?total)\s*[:：]?"
_TOTAL: Final = re.compile(_TOTAL_WORD, re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Judged:
    """A block with the fate of each record. Rows are places in the block.

    `good` are the rows to compute (None: all). `refused` maps other data rows to their problems.
    `hashes` are of the episode ids of all data rows whose id is readable, `id_rows` their rows
    (None: all).
    """

    block: Block
    checked: Checked
    good: pl.Series | None
    refused: Mapping[int, tuple[CellProblem, ...]]
    totals: tuple[int, ...]
    blank: tuple[int, ...]
    hashes: pl.Series
    id_rows: pl.Series | None

    @property
    def records(self) -> int:
        """How many records the block has."""
        return self.block.records

    def good_frame(self) -> pl.DataFrame:
        """The typed rows to compute."""
        return self.checked.frame if self.good is None else self.checked.frame[self.good]

    def data_frame(self) -> pl.DataFrame:
        """All typed data rows, refused ones marked in `__bad`, for plans that look at earlier episodes."""
        frame = self.checked.frame
        bad = pl.Series("__bad", [False]).new_from_index(0, frame.height)
        if self.refused:
            bad = bad.scatter(list(self.refused), True)  # noqa: FBT003 a value, not an option
        frame = frame.with_columns(bad.alias("__bad"))
        aside = [*self.totals, *self.blank]
        return frame.filter(~pl.col(ROW).is_in(aside)) if aside else frame


def judge(
    block: Block, columns: Columns, reader: TableReader, duplicates: Mapping[int, int] | None = None
) -> Judged | None:
    """The fate of each record. `duplicates` maps rows whose episode id stands elsewhere too to that line.

    None: the block was read by its shape, and must be read as text.
    """
    if block.shape is not None:
        return None if duplicates else _judge_usual(block, columns, reader, block.shape)
    cells = block.fields.select(pl.col(str(at)).alias(name) for name, at in columns.inputs.items())
    broken = dict(block.bad)
    if block.table:
        broken.update((row, nul_in(row)) for row in _nuls(block, columns))
    if broken:
        mask = pl.Series([False]).new_from_index(0, cells.height).scatter(list(broken), True)  # noqa: FBT003 a value
        cells = cells.select(pl.when(~mask).then(pl.all()).otherwise(None).name.keep())
    if block.table:
        checked = reader.read_typed(cells)
    else:
        faults = {name: found for name, at in columns.inputs.items() if (found := block.faults.get(str(at)))}
        checked = reader.read(cells, faults=faults)
    problems: dict[int, list[CellProblem]] = {}
    for row, problem in checked.problems:
        if row not in broken:
            problems.setdefault(row, []).append(problem)
    for row, record in broken.items():
        problems[row] = [record.problem] if record.problem is not None else []
    ids = checked.frame.get_column(ID) if block.table else cells.get_column(ID)
    named = _named_totals(ids)
    for row, other in (duplicates or {}).items():
        message = f"episode_id: the same id stands on line {other} too; keep one, or give each episode its own id"
        value = str(ids[row])
        problems.setdefault(row, []).insert(0, CellProblem("RX744", ID, value, message))
    totals: list[int] = []
    blank: list[int] = []
    refused: dict[int, tuple[CellProblem, ...]] = {}
    suspects = sorted({*problems, *named})
    if suspects:
        id_at = columns.inputs[ID]
        missing = reader.reader(ID).is_missing
        for row, fields in zip(suspects, block.texts(suspects), strict=True):
            if row in broken and broken[row].problem is not None:
                refused[row] = tuple(problems[row])
            elif not any(field and field.strip(TRIM) for field in fields):
                blank.append(row)
            elif _is_total(fields[id_at]) or (missing(fields[id_at]) and _is_total(fields[0])):
                totals.append(row)
            else:
                refused[row] = tuple(problems[row])
    return _judged(block, checked, refused, tuple(totals), tuple(blank))


def _nuls(block: Block, columns: Columns) -> list[int]:
    """The rows of a table with a NUL in a text that no input is read from; in the others it makes no value."""
    read = set(columns.inputs.values())
    schema = block.fields.schema
    texts = [str(at) for at in columns.kept if at not in read and schema.get(str(at)) == pl.String]
    if not texts:
        return []
    found = block.fields.select(pl.any_horizontal(pl.col(texts).str.contains("\0", literal=True))).to_series()
    return found.arg_true().to_list()


def _named_totals(ids: pl.Series) -> list[int]:
    """The rows whose id is the name of a total row."""
    every = str(ids.str.join("")[0])
    if not any(letter in every for letter in "oO计"):  # most often none, and then this is the quickest look
        return []
    hints = ids.str.contains_any(list(_TOTAL_HINTS), ascii_case_insensitive=True).arg_true()
    if not hints.len():
        return []
    return hints.filter(ids.gather(hints).str.contains(rf"(?i)^\s*{_TOTAL_WORD}\s*$")).to_list()


def _judged(
    block: Block,
    checked: Checked,
    refused: Mapping[int, tuple[CellProblem, ...]],
    totals: tuple[int, ...],
    blank: tuple[int, ...],
) -> Judged:
    """The fates of all records, with what follows from them."""
    aside = {*refused, *totals, *blank}
    good = None
    if aside:
        good = pl.int_range(block.records, eager=True).filter(~_mask(block.records, aside))
    ids = checked.frame.get_column(ID)
    id_rows = None
    if ids.null_count() or totals or blank:
        id_rows = (ids.is_not_null() & ~_mask(ids.len(), [*totals, *blank])).arg_true()
        ids = ids.gather(id_rows)
    return Judged(block, checked, good, refused, totals, blank, ids.hash(), id_rows)


def _judge_usual(block: Block, columns: Columns, reader: TableReader, shape: Shape) -> Judged | None:
    """The fates when every record has the shape; None when one cell or record needs a closer look."""
    checked = reader.read_usual(
        block.fields.select(pl.col(str(at)).alias(name) for name, at in columns.inputs.items()), shape
    )
    if checked is None or checked.problems:
        return None
    ids = checked.frame.get_column(ID)
    if ids.null_count() or ids.str.contains_any(list(_TOTAL_HINTS), ascii_case_insensitive=True).any():
        return None
    if block.other is None:
        return Judged(block, checked, None, {}, (), (), ids.hash(), None)
    other = judge(block.other.block, columns, reader)
    return _joined(block, checked, other, block.other) if other is not None else None


def _joined(block: Block, usual: Checked, judged: Judged, other: Other) -> Judged:
    """The fates of a block, most records of which have the shape, with those of the others."""
    checked = together([(usual, other.rest), (judged.checked, other.rows)])
    at = other.rows.to_list()
    refused = {at[row]: found for row, found in judged.refused.items()}
    totals, blank = tuple(at[row] for row in judged.totals), tuple(at[row] for row in judged.blank)
    return _judged(block, checked, refused, totals, blank)


def block_accounts(
    judged: Judged, money: Iterable[str], decimals: Mapping[str, int], written: pl.Series | None
) -> Accounts:
    """The accounts of a block when the rows `written` (None: all) are published and every other data row is rejected."""
    names = tuple(money)
    out = Accounts(names)
    height = judged.records
    aside = {*judged.totals, *judged.blank}
    rejected: list[int] = []
    if written is not None:
        kept = _mask(height, written)
        rejected = [row for row in (~kept).arg_true().to_list() if row not in aside]
    out.read.records = height
    kinds = out.kinds
    kinds["written"].records = height if written is None else written.len()
    rows = {"rejected": rejected, "totals": list(judged.totals), "blank": list(judged.blank)}
    for kind, places in rows.items():
        kinds[kind].records = len(places)
    for name in names:
        scale = 10 ** decimals[name]
        column = judged.checked.amounts.get_column(name)
        total = _sum(column, scale)
        out.read.add(name, total)
        if written is None:
            kinds["written"].add(name, total)
            continue
        kinds["written"].add(name, _sum(column.gather(written), scale))
        for kind, places in rows.items():
            if places:
                kinds[kind].add(name, _sum(column.gather(places), scale))
    _add_odd(judged, out.read, kinds, rows)
    if judged.totals:
        out.found_totals = list(_totals(judged, names, decimals))
    return out


def _totals(
    judged: Judged, names: tuple[str, ...], decimals: Mapping[str, int]
) -> Iterator[tuple[int, dict[str, Fraction], dict[str, Fraction]]]:
    """Each row of totals: its line in the block, what it says, and the sums of the data rows above it."""
    odd: dict[tuple[int, str], Fraction | None] = {(o.row, o.field): o.amount for o in judged.checked.odd}
    above = dict.fromkeys(names, Fraction(0))
    start = 0
    for row in sorted(judged.totals):
        said: dict[str, Fraction] = {}
        for name in names:
            scale = 10 ** decimals[name]
            column = judged.checked.amounts.get_column(name)
            above[name] += _sum(column.slice(start, row - start), scale)
            cell = odd.get((row, name)) if column[row] is None else Fraction(column[row], scale)
            if cell is not None:
                said[name] = cell
        for (at, name), amount in odd.items():
            if start <= at < row and amount is not None:
                above[name] += amount
        start = row + 1
        yield judged.block.line(row), said, dict(above)


def _add_odd(judged: Judged, read: Account, kinds: Mapping[str, Account], rows: Mapping[str, list[int]]) -> None:
    """Count refused money cells by what they say: out of bounds they still have an amount."""
    if not judged.checked.odd:
        return
    kind_of = {row: kind for kind, places in rows.items() for row in places}
    for odd in judged.checked.odd:
        read.add(odd.field, odd.amount)
        kinds[kind_of.get(odd.row, "written")].add(odd.field, odd.amount)  # written: an amount of another version


def _sum(column: pl.Series, scale: int) -> Fraction:
    """The exact sum of a column of whole numbers over `scale`."""
    low, high = column.min(), column.max()
    if not isinstance(low, int) or not isinstance(high, int):
        return Fraction(0)
    if max(-low, high) * column.len() >= 2**63:
        column = column.cast(pl.Int128)
    return Fraction(int(column.sum()), scale)


def _mask(height: int, rows: Iterable[int]) -> pl.Series:
    places = rows if isinstance(rows, pl.Series) else pl.Series(list(rows), dtype=pl.UInt32)
    return pl.Series([False]).new_from_index(0, height).scatter(places, True)  # noqa: FBT003 a value, not an option


def _is_total(text: str | None) -> bool:
    return text is not None and len(text) < 40 and _TOTAL.fullmatch(text.strip(TRIM)) is not None
