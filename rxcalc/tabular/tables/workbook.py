"""Workbooks (.xlsx): one sheet, row by row, with the values that the file holds and not those that it shows."""

from __future__ import annotations

import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Final
from xml.etree.ElementTree import ParseError

from rxcalc.inputs.cells import TRIM
from rxcalc.inputs.shown import quoted
from rxcalc.inputs.typed import Fault, decimal_text, no_decimal
from rxcalc.tabular import problems
from rxcalc.tabular.blocks import Head, Mark, Raw
from rxcalc.tabular.locators import Locator
from rxcalc.tabular.problems import UsageProblem
from rxcalc.tabular.tables.passing import SEPARATOR, Cell, Floats, RawRows, TablePass

MOST_BYTES: Final = 4 << 30
MOST_STRINGS: Final = 512 << 20
MOST_ROWS: Final = 1_048_576
_RATIO: Final = 500
_FREE: Final = 100 << 20  # of so many bytes the ratio is not looked at
_CELL: Final = 12
_AT_MOST: Final = 20_000
_ROOT: Final = re.compile(rb"<[A-Za-z_]")
_HIDDEN: Final = re.compile(rb"<(?:[a-z]+:)?(row|col)\b[^<>]*\shidden=\"(?:1|true)\"")
_QUOTED: Final = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]')
_DAMAGE: Final = (
    zipfile.BadZipFile, zlib.error, ParseError, KeyError, ValueError, TypeError, IndexError, AttributeError, EOFError,
    NotImplementedError, RuntimeError, OverflowError,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class WorkbookSource:
    """A sheet whose header has been read. `first` is the column of the first name, from 0."""

    path: Path
    file: Path
    head: Head
    sheet: Any  # openpyxl's types take a sheet of this kind for none
    first: int
    told: tuple[str, ...]
    floats: Floats = field(default_factory=Floats)

    def assumed(self, inputs: Mapping[str, int]) -> tuple[str, ...]:
        """Which sheet was read, what of it is hidden, and how binary floating point was read."""
        return (*self.told, *self.floats.told(self.file, inputs))

    def blocks(self, size: int, after: Mark | None = None) -> WorkbookReader:
        """The blocks of rows."""
        return WorkbookReader(self, size, after)


class WorkbookReader(TablePass):
    """Iterates over blocks of as many rows each; rows after the last one that holds anything are none."""

    failures = _DAMAGE

    def __init__(self, source: WorkbookSource, size: int, after: Mark | None) -> None:
        super().__init__(source.path, source.file, source.head.size, after)
        self._source = source
        self._rows = max(1, min(_AT_MOST, size // (_CELL * len(source.head.names))))

    def _failed(self, error: BaseException) -> UsageProblem:
        return _damaged(self._source.path, error)

    def _blocks(self) -> Iterator[Raw]:
        at = self._start
        rows: list[tuple[Any, ...]] = []
        for number, row in enumerate(self._records()):
            if number < self._start:
                for place, cell in enumerate(row):
                    self._source.floats.note(place - self._source.first, cell)
                continue
            rows.append(row)
            if len(rows) == self._rows:
                at += len(rows)
                yield self._block(rows, at)
                rows = []
        if rows:
            yield self._block(rows, at + len(rows))

    def _block(self, rows: list[tuple[Any, ...]], at: int) -> RawRows:
        # How many rows follow is not known; the share that a full sheet would have is shown.
        self.bytes_read = self._source.head.size * min(at, MOST_ROWS) // MOST_ROWS
        return RawRows(rows, cell_of, self.mark(at), self._source.floats, self._source.first)

    def _records(self) -> Iterator[tuple[Any, ...]]:
        """The rows after the header; empty ones only where another follows."""
        source = self._source
        empty = 0
        for number, row in enumerate(source.sheet.iter_rows(), start=1):
            if number > MOST_ROWS:
                self.problem = UsageProblem(f"{quoted(str(source.path), 200)} has more rows than a sheet can have")
                return
            if number < source.head.line:
                continue
            if all(cell.value is None for cell in row):
                empty += 1
                continue
            for _ in range(empty):
                yield ()
            empty = 0
            yield row


def open_workbook(path: Path, found: Locator) -> WorkbookSource | UsageProblem:
    """A sheet of a workbook, or why it cannot be read at all."""
    import openpyxl

    warnings.filterwarnings("ignore", module="openpyxl")  # of styles and extensions, which are not read
    file = found.file
    try:
        size = file.stat().st_size
        problem = _guarded(path, file)
        if problem is not None:
            return problem
        book = openpyxl.load_workbook(file, read_only=True, keep_links=False)
        sheets = [sheet for sheet in book.worksheets if hasattr(sheet, "reset_dimensions")]
        for sheet in sheets:
            sheet.reset_dimensions()  # what the file says of its size need not be true
        chosen, others = _chosen(sheets, found.part)
        if chosen is None:
            return _no_sheet(path, found.part, [sheet.title for sheet in sheets])
        return _headed(path, file, size, chosen, others)
    except OSError as error:
        return problems.cannot_read(str(path), error.strerror or str(error))
    except _DAMAGE as error:
        return _damaged(path, error)


def _chosen(sheets: list[Any], part: str) -> tuple[Any, list[str]]:
    """The sheet named, else the first visible one that holds anything; and the names of others that do."""
    if part:
        return next((sheet for sheet in sheets if sheet.title == part), None), []
    filled = [sheet for sheet in sheets if _first_row(sheet) is not None]
    shown = [sheet for sheet in filled if sheet.sheet_state == "visible"] or filled or sheets
    return (shown[0] if shown else None), [sheet.title for sheet in filled if sheet is not shown[0]]


def _first_row(sheet: Any) -> tuple[int, tuple[Any, ...]] | None:
    """The first row that holds anything, and its number."""
    for number, row in enumerate(sheet.iter_rows(), start=1):
        if any(cell.value is not None for cell in row):
            return number, row
        if number > MOST_ROWS:
            break
    return None


def _headed(path: Path, file: Path, size: int, sheet: Any, others: list[str]) -> WorkbookSource | UsageProblem:
    """The source, once the header has been read."""
    found = _first_row(sheet)
    if found is None:
        return problems.empty_file(str(path))
    number, row = found
    names: list[str] = []
    for cell in row:
        name = cell_of(cell)
        if isinstance(name, tuple):
            return UsageProblem(
                f"the header of {quoted(str(path), 200)} holds {quoted(name[0])}, which is no name: {name[1].message}",
                ("write the names of the columns as texts",),
            )
        names.append((name or "").strip(TRIM))
    filled = [at for at, name in enumerate(names) if name]
    if not filled:
        return problems.empty_file(str(path))
    told: list[str] = []
    if others:
        told.append(
            f"the sheet {quoted(sheet.title)} of {file.name} was read, not {', '.join(quoted(name) for name in others[:5])}"
        )
    for what, count in _hidden(file, sheet).items():
        told.append(f"{count:,} hidden {what}(s) of the sheet {quoted(sheet.title)} of {file.name} were read as others")
    head = Head(tuple(names[filled[0] : filled[-1] + 1]), SEPARATOR, number + 1, size)
    return WorkbookSource(path, file, head, sheet, filled[0], tuple(told))


# ---- cells --------------------------------------------------------------------------------------------


def cell_of(cell: Any) -> Cell:
    """A cell as the text that would stand for it in a file of text, or what it is refused for."""
    value = cell.value
    if value is None:
        return None
    kind = cell.data_type
    if kind == "f":
        text = value if isinstance(value, str) else str(getattr(value, "text", None) or "=")
        return text, Fault("RX746", f"the cell holds the formula {quoted(text)}; replace it by its value")
    if kind == "e":
        return str(value), Fault("RX746", f"the cell holds the error {quoted(str(value))}; replace it by a value")
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return _number(value, cell.number_format)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time(0) else value.isoformat(sep=" ")
    return value.isoformat() if isinstance(value, date) else str(value)


@cache
def _is_percent(number_format: str) -> bool:
    """Whether a number format shows a percentage; a sign in quotes is only text."""
    return "%" in _QUOTED.sub("", number_format)


def _number(value: float, number_format: str) -> Cell:
    """A number, which a sheet holds in binary floating point; one formatted as a percentage is that percentage."""
    text = decimal_text(float(value))
    if text is None:
        return repr(value), no_decimal(float(value))
    if _is_percent(number_format or ""):
        exact = Decimal(text) * 100
        plain = format(exact, "f")
        return f"{plain.rstrip('0').rstrip('.') if '.' in plain else plain}%"
    return text


# ---- guards -------------------------------------------------------------------------------------------


def _guarded(path: Path, file: Path) -> UsageProblem | None:
    """Whether a workbook would unpack to more than can be meant, or has parts that a workbook has not."""
    with zipfile.ZipFile(file) as packed:
        parts = packed.infolist()
        size = sum(part.file_size for part in parts)
        strings = sum(part.file_size for part in parts if part.filename.lower().endswith("sharedstrings.xml"))
        small = sum(part.compress_size for part in parts)
        if size > MOST_BYTES or strings > MOST_STRINGS or (size > _FREE and size > _RATIO * max(1, small)):
            return UsageProblem(
                f"{quoted(str(path), 200)} unpacks to {size >> 20:,} MiB, more than is read of a workbook",
                ("export the sheet as CSV",),
            )
        names = {part.filename for part in parts}
        if "xl/workbook.xml" not in names and "[Content_Types].xml" not in names:
            return UsageProblem(f"{quoted(str(path), 200)} is a zip file, not a workbook", ("unpack it first",))
        if "xl/vbaProject.bin" in names:
            return UsageProblem(f"{quoted(str(path), 200)} is a workbook with macros", ("save it as .xlsx",))
        for part in parts:
            if part.flag_bits & 1:
                return UsageProblem(f"{quoted(str(path), 200)} is encrypted", ("save it without a password",))
            if part.filename.lower().endswith((".xml", ".rels")):
                with packed.open(part) as opened:
                    start = opened.read(1 << 16).replace(b"\0", b"")
                root = _ROOT.search(start)
                if part.file_size and (root is None or b"<!" in re.sub(rb"<!--.*?-->", b"", start[: root.start()])):
                    return UsageProblem(
                        f"{quoted(str(path), 200)} declares entities of its own, which no workbook needs",
                        ("save it anew with a spreadsheet program",),
                    )
    return None


def _hidden(file: Path, sheet: Any) -> dict[str, int]:
    """How many rows and columns of a sheet are hidden."""
    counts: dict[str, int] = {}
    name = sheet._worksheet_path.lstrip("/")  # noqa: SLF001 openpyxl says it nowhere else
    with zipfile.ZipFile(file) as packed, packed.open(name) as opened:
        rest = b""
        while data := opened.read(1 << 20):
            data = rest + data
            end = data.rfind(b"<")
            for match in _HIDDEN.finditer(data, 0, max(0, end)):
                what = "row" if match[1] == b"row" else "column"
                counts[what] = counts.get(what, 0) + 1
            rest = data[max(0, end) :][: 1 << 16]
    return counts


def _no_sheet(path: Path, part: str, names: list[str]) -> UsageProblem:
    listed = ", ".join(quoted(name) for name in names[:20]) or "none"
    return UsageProblem(
        f"{quoted(str(path), 200)}: there is no sheet {quoted(part)}"
        if part
        else f"{quoted(str(path), 200)} has no sheet",
        (f"its sheets are {listed}",),
    )


def _damaged(path: Path, error: BaseException) -> UsageProblem:
    said = (str(error) or type(error).__name__).splitlines()[0]
    return UsageProblem(
        f"{quoted(str(path), 200)} cannot be read as a workbook: {quoted(said, 200)}",
        ("save it anew with a spreadsheet program, or export it as CSV",),
    )
