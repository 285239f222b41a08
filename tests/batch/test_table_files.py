"""Parquet files, workbooks and databases as input: every cell means what its text means in a CSV file, exactly or refused."""

from __future__ import annotations

import csv
import hashlib
import importlib.util
import io
import json
import sqlite3
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import date, datetime, time
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rxcalc.cli.load import plan_of
from rxcalc.driver.batch import run_batch
from rxcalc.driver.batch_report import BatchOptions, BatchReport
from rxcalc.inputs.tables import TableReader
from rxcalc.inputs.typed import as_text, decimal_text, texts_of
from rxcalc.lang.types import CODE, COUNT, DATE, FLAG, MONEY, NUMBER, PERCENT
from rxcalc.tabular.blocks import Mark, Source
from rxcalc.tabular.header import match_columns
from rxcalc.tabular.judging import judge
from rxcalc.tabular.problems import UsageProblem
from rxcalc.tabular.source import open_source
from rxcalc.tabular.tables import workbook

_SPEC = importlib.util.spec_from_file_location("rxcalc_test_plans", Path(__file__).parents[1] / "batch" / "plans.py")
assert _SPEC is not None
assert _SPEC.loader is not None
plans: Any = sys.modules.setdefault(_SPEC.name, importlib.util.module_from_spec(_SPEC))
_SPEC.loader.exec_module(plans)

PLAN = plans.plan_of(plans.inputs())
NAMES = ("episode_id", "person_id", "level", "day", "total", "referred")

# ---- writing files of every kind ----------------------------------------------------------------------


def parquet(path: Path, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> Path:
    """A Parquet file of texts."""
    columns = zip(*rows, strict=True) if rows else [()] * len(names)
    frame = pl.DataFrame([pl.Series(n, list(c), dtype=pl.String) for n, c in zip(names, columns, strict=True)])
    frame.write_parquet(path.with_suffix(".parquet"), row_group_size=3)
    return path.with_suffix(".parquet")


def sheet(path: Path, names: Sequence[str], rows: Sequence[Sequence[Any]], **_: Any) -> Path:
    """A workbook."""
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    page.append(list(names))
    for row in rows:
        page.append(list(row))
    book.save(path.with_suffix(".xlsx"))
    return path.with_suffix(".xlsx")


def lite(path: Path, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> Path:
    """A SQLite table without declared types."""
    file = path.with_suffix(".db")
    with closing(sqlite3.connect(file)) as made:
        made.execute(f"CREATE TABLE t ({', '.join(names)})")
        made.executemany(f"INSERT INTO t VALUES ({', '.join('?' * len(names))})", rows)  # noqa: S608 no name in it
        made.commit()
    return Path(f"sqlite:{file}?table=t")


def duck(path: Path, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> Path:
    """A DuckDB table of texts."""
    file = path.with_suffix(".duckdb")
    with closing(duckdb.connect(str(file))) as made:
        made.execute(f"CREATE TABLE t ({', '.join(f'{name} VARCHAR' for name in names)})")
        for row in rows:
            made.execute(f"INSERT INTO t VALUES ({', '.join('?' * len(names))})", list(row))  # noqa: S608 no name in it
    return Path(f"duckdb:{file}?table=t")


KINDS: dict[str, Callable[..., Path]] = {"parquet": parquet, "xlsx": sheet, "sqlite": lite, "duckdb": duck}

# ---- reading them -------------------------------------------------------------------------------------


def opened(path: Path) -> Source:
    """The source of a file that can be read."""
    found = open_source(path)
    assert not isinstance(found, UsageProblem), found
    return found


def refused(path: Path) -> str:
    """What is said of a file that cannot be read."""
    found = open_source(path)
    assert isinstance(found, UsageProblem)
    return f"{found.message} -- {'; '.join(found.help)}"


def judged(path: Path, fields: Any = None, block: int = 6 << 20) -> tuple[dict[int, dict[str, Any]], dict[int, Any]]:
    """By line: the typed values of good records, and the problems of the others as (code, field, value)."""
    plan = plans.plan_of(fields) if fields is not None else PLAN
    source = opened(path)
    tables = TableReader(plan)
    columns = match_columns(str(path), source.head.names, plan)
    assert not isinstance(columns, UsageProblem), columns
    good: dict[int, dict[str, Any]] = {}
    bad: dict[int, Any] = {}
    line = source.head.line
    blocks = source.blocks(block)
    for raw in blocks:
        read = raw.read(source.head, None)
        found = judge(read, columns, tables)
        assert found is not None
        for row in found.good_frame().iter_rows(named=True):
            good[line + read.line(row["__row"])] = row
        for at, problems in found.refused.items():
            bad[line + read.line(at)] = [(p.code, p.field, p.value) for p in problems]
        line += read.height
    assert blocks.problem is None, blocks.problem
    file = (
        path
        if not str(path).startswith(("sqlite:", "duckdb:"))
        else Path(str(path).partition(":")[2].partition("?")[0])
    )
    assert blocks.digest == hashlib.sha256(file.read_bytes()).hexdigest()
    assert blocks.bytes_read == file.stat().st_size == source.head.size
    return good, bad


def one(path: Path, field: Any, block: int = 6 << 20) -> tuple[list[Any], list[str]]:
    """The values of a single input beside the id (None where refused), and the codes of the refusals."""
    fields = (plans.field_of("episode_id", CODE), field)
    good, bad = judged(path, fields, block)
    lines = sorted({*good, *bad})
    return [good[line][field.name] if line in good else None for line in lines], [
        bad[line][0][0] for line in lines if line in bad
    ]


def column(folder: Path, cells: pl.Series) -> Path:
    """A Parquet file of one column beside an id."""
    path = folder / "column.parquet"
    ids = pl.Series("episode_id", [f"E{at:03}" for at in range(cells.len())])
    pl.DataFrame([ids, cells.alias("cell")]).write_parquet(path)
    return path


# ---- the same as text ---------------------------------------------------------------------------------

TEXTS = [
    ("E1", "P1", "town", "2024-01-05", "10.01", "yes"),
    ("E2", "P2", "乡镇", "2024/1/5", "1,000", "是"),
    ("E3", "P3", "village", "2024-01-05", "5", "no"),
    ("E4", None, "town", "2024-01-05", "5", "no"),
    ("E5", "P5", "town", "5.1.2024", "5.123", "no"),
    ("", None, "", None, None, None),
    ("合计", None, None, None, "1015.01", None),
    ("E6", "1.2E+17", "county", "20240105", "-5", "0"),
    ("E7", " P7 ", "county", "20240105", "￥１２．５", "Y"),
    ("total", None, None, None, "1", None),
    ("E8", "P,\"8\"\n", "city", "2024年1月5日", "1.2万元", "TRUE"),
]  # fmt: skip
GOOD = {
    "E1": ("P1", "town", 1001, True),
    "E2": ("P2", "town", 100000, True),
    "E7": ("P7", "county", 1250, True),
    "E8": ('P,"8"', "city", 1200000, True),
}
CODES = {
    3: [("RX705", "level", "village")],
    4: [("RX704", "person_id", "")],
    5: [("RX706", "day", "5.1.2024"), ("RX702", "total", "5.123")],
    8: [("RX709", "person_id", "1.2E+17"), ("RX703", "total", "-5"), ("RX707", "referred", "0")],
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("block", [64, 700, 6 << 20])
def test_texts_are_read_as_in_a_csv_file(tmp_path: Path, kind: str, block: int) -> None:
    """The same cells give the same amounts and the same refusals, whatever the file and the size of blocks."""
    good, bad = judged(KINDS[kind](tmp_path / "t", NAMES, TEXTS), block=block)
    first = 2 if kind == "xlsx" else 1
    assert {
        row["episode_id"]: (row["person_id"], row["level"], row["total"], row["referred"]) for row in good.values()
    } == GOOD
    assert {row["day"] for row in good.values()} == {date(2024, 1, 5)}
    assert {line - first + 1: found for line, found in bad.items()} == CODES


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_gives_the_files_of_the_run_over_csv(tmp_path: Path, kind: str) -> None:
    """Results and rejects of a whole run hold the same cells; only the lines are the file's own."""
    texts = tmp_path / "t.csv"
    with texts.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([NAMES, *TEXTS])
    found = []
    for at, path in enumerate((texts, KINDS[kind](tmp_path / "t", NAMES, TEXTS))):
        out = tmp_path / f"out{at}.csv"
        report = run(path, out)
        assert report.exit_code == 1, report.problem
        assert report.accounts is not None
        assert report.accounts.counts() == {"read": 11, "written": 4, "rejected": 4, "totals": 2, "blank": 1}
        rejects = list(csv.reader(io.StringIO(out.with_name(f"out{at}.rejects.csv").read_text("utf-8"), newline="")))
        found.append((out.read_bytes(), [[*row[:6], *row[7:12]] for row in rejects]))
    assert found[0] == found[1]


def run(path: Path, out: Path, plan: Any = PLAN, **options: Any) -> BatchReport:
    """A batch."""
    return run_batch(plan, BatchOptions(episodes=path, results=out, **options), evaluator=plans.HalfDue())


def test_the_summary_names_columns_of_binary_floating_point(tmp_path: Path) -> None:
    """What was read of doubles is said under `assumptions`, with the file."""
    rows = [("E1", "P1", "town", "2024-01-05", 10.01, "yes")]
    path = lite(tmp_path / "t", NAMES, rows)
    report = run(path, tmp_path / "out.csv")
    assert report.exit_code == 0
    told = (
        "total: binary floating point in t.db?table=t, each read as the decimal of at most 15 digits that it stands for"
    )
    assert told in json.loads((tmp_path / "out.summary.json").read_text("utf-8"))["assumptions"]
    assert (tmp_path / "out.csv").read_text("utf-8").splitlines()[1] == "E1,P1,town,2024-01-05,10.01,yes,5.01"


MONTHS = """
rxcalc: 1
rulebook: months
version: "1"
currency: CNY
rounding: half-up
effective: {from: 2025-01-01, by: discharged}
inputs:
  episode_id: {type: code}
  person_id: {type: code}
  region: {one_of: [north, south]}
  discharged: {type: date}
sequence: {by: person_id, order: [discharged, episode_id]}
windows:
  year: {calendar: year, date: discharged}
lines:
  inputs: {line_no: {type: count}, amount: {type: money}, covered: {type: flag}}
  order: [line_no]
  steps:
    own: {rule: "if covered then amount * 10% else amount"}
steps:
  cost: {rule: "sum(lines.amount)"}
  before: {rule: "year.sum(cost)"}
  share: {type: percent, rule: "if before > ¥100 then 80% else 60%"}
  pays: {rule: "(cost - sum(lines.own)) * share"}
outputs: [cost, before, share, pays]
"""
# Three months of two persons, two lines each: amount and 1 for covered. By hand: cost is their sum, own the uncovered one and
# a tenth of the covered one, so that 90 % of the covered one is paid at 60 %, from costs of more than 100 before on at 80 %.
BILLS = {
    1: [("E1", "P1", "north", "2025-01-10", "60", "30"), ("E2", "P2", "south", "2025-01-11", "100", "0.50")],
    2: [("E3", "P1", "north", "2025-02-10", "20", "10"), ("E4", "P2", "south", "2025-02-11", "50", "1")],
    3: [("E5", "P1", "north", "2025-03-10", "10", "1")],
}
PAID = {
    "E1": ("90.00", "0.00", "60%", "32.40"),
    "E2": ("100.50", "0.00", "60%", "54.00"),
    "E3": ("30.00", "90.00", "60%", "10.80"),
    "E4": ("51.00", "100.50", "80%", "36.00"),
    "E5": ("11.00", "120.00", "80%", "7.20"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_file_of_a_run_may_be_of_any_kind(tmp_path: Path, kind: str) -> None:
    """Bills, lines, earlier results and opening amounts: month after month the amounts computed by hand."""
    make = KINDS[kind]
    (tmp_path / "months.yaml").write_text(MONTHS, encoding="utf-8")
    plan = plan_of(str(tmp_path / "months.yaml"))
    earlier: list[Path] = []
    opening: Path | None = None
    for month, bills in BILLS.items():
        names = ("episode_id", "person_id", "region", "discharged")
        episodes = make(tmp_path / f"bills{month}", names, [bill[:4] for bill in bills])
        items = [(bill[0], at, bill[3 + at], word) for bill in bills for at, word in ((1, "yes"), (2, "no"))]
        lines = make(tmp_path / f"lines{month}", ("episode_id", "line_no", "amount", "covered"), _texts(items))
        for way, more in (("e", {"earlier": tuple(earlier)}), ("o", {"opening": opening})):
            if month == 1 and way == "o":
                continue
            out = tmp_path / f"out{month}{way}.csv"
            closing = tmp_path / f"closing{month}{way}.csv"
            given: Any = {"lists": {"lines": lines}, "closing": closing, **more}
            report = run_batch(plan, BatchOptions(episodes=episodes, results=out, **given))
            assert report.exit_code == 0, report
            with out.open(encoding="utf-8", newline="") as file:
                found = {r["episode_id"]: (r["cost"], r["before"], r["share"], r["pays"]) for r in csv.DictReader(file)}
            assert found == {bill[0]: PAID[bill[0]] for bill in bills}
        earlier.append(_again(tmp_path / f"out{month}e.csv", make))
        opening = _again(tmp_path / f"closing{month}{'o' if month > 1 else 'e'}.csv", make, plain=True)


def _texts(rows: Sequence[Sequence[Any]]) -> list[list[str]]:
    return [[str(cell) for cell in row] for row in rows]


def _again(path: Path, make: Callable[..., Path], *, plain: bool = False) -> Path:
    """A CSV file as one of another kind; names that no table of a database would be made with stay in a CSV file."""
    with path.open(encoding="utf-8", newline="") as file:
        names, *rows = csv.reader(file)
    if plain and make in (lite, duck):
        names = [f'"{name}"' for name in names]
    return make(path.with_name(f"again-{path.stem}"), names, [[cell or None for cell in row] for row in rows])


# ---- columns with types -------------------------------------------------------------------------------


def test_decimals_are_taken_exactly_or_refused(tmp_path: Path) -> None:
    """Extra digits that are zero are none; others are too many decimals; bounds hold."""
    cells = pl.Series(
        [Decimal(text) for text in ("12.340", "12.345", "-0.010", "99999999999.990")], dtype=pl.Decimal(20, 3)
    )
    path = column(tmp_path, cells)
    values, codes = one(path, plans.field_of("cell", MONEY))
    assert (values, codes) == ([1234, None, None, 9999999999999], ["RX702", "RX703"])
    values, codes = one(path, plans.field_of("cell", NUMBER))
    assert values == [1234000000, 1234500000, -1000000, 9999999999999000000]


def test_whole_numbers_are_amounts_counts_and_codes(tmp_path: Path) -> None:
    """12 is 12.00 as money, 12 as a count, and the code 12."""
    for dtype in (pl.Int8, pl.UInt64, pl.Int32, pl.Decimal(5, 0)):
        path = column(tmp_path, pl.Series([12, None, 0]).cast(dtype))
        assert one(path, plans.field_of("cell", MONEY, optional=True))[0] == [1200, None, 0]
        assert one(path, plans.field_of("cell", COUNT, default=7))[0] == [12, 7, 0]
        assert one(path, plans.field_of("cell", CODE, optional=True))[0] == ["12", None, "0"]
        assert one(path, plans.field_of("cell", DATE, optional=True))[1] == ["RX706", "RX706"]
    wide = column(tmp_path, pl.Series([2**64 - 1, 5], dtype=pl.UInt64))
    assert one(wide, plans.field_of("cell", MONEY)) == ([None, 500], ["RX703"])


def test_a_number_is_no_percentage_and_1_is_no_flag(tmp_path: Path) -> None:
    """0.85 may be a ratio or a percentage, 1 may be anything; true and false are flags."""
    assert one(column(tmp_path, pl.Series([Decimal("0.85")])), plans.field_of("cell", PERCENT))[1] == ["RX701"]
    assert one(column(tmp_path, pl.Series([1, 0])), plans.field_of("cell", FLAG))[1] == ["RX707", "RX707"]
    flags = column(tmp_path, pl.Series([True, False, None]))
    assert one(flags, plans.field_of("cell", FLAG, optional=True)) == ([True, False, None], [])
    upside = plans.field_of("cell", FLAG, optional=True, flags=(("true", False),))
    assert one(flags, upside)[0] == [False, False, None]
    assert one(flags, plans.field_of("cell", MONEY, optional=True))[1] == ["RX701", "RX701"]


def test_dates_and_moments(tmp_path: Path) -> None:
    """Midnight is the day; another time is refused or dropped as declared; a moment of a time zone is no day."""
    days = column(tmp_path, pl.Series([date(2024, 7, 1), date(1850, 1, 1), date(9999, 12, 31)]))
    assert one(days, plans.field_of("cell", DATE)) == ([date(2024, 7, 1), None, None], ["RX703", "RX703"])
    moments = [datetime(2024, 7, 1), datetime(2024, 7, 1, 13, 30), None]
    for unit in ("ms", "us", "ns"):
        path = column(tmp_path, pl.Series(moments, dtype=pl.Datetime(unit)))
        assert one(path, plans.field_of("cell", DATE)) == ([date(2024, 7, 1), None, None], ["RX708", "RX704"])
        dropped = plans.field_of("cell", DATE, drop_time=True, optional=True)
        assert one(path, dropped) == ([date(2024, 7, 1), date(2024, 7, 1), None], [])
    zoned = column(tmp_path, pl.Series(moments, dtype=pl.Datetime("us", "Asia/Shanghai")))
    assert one(zoned, plans.field_of("cell", DATE, optional=True))[1] == ["RX706", "RX706"]


def test_sets_and_codes_of_dictionaries(tmp_path: Path) -> None:
    """Categories are their texts, aliases count."""
    cells = pl.Series(["town", "乡镇", None, "city", "3"])
    for dtype in (pl.Categorical, pl.Enum(["town", "乡镇", "city", "3"]), pl.String):
        path = column(tmp_path, cells.cast(dtype))
        level = plans.level_field(optional=True)
        fields = (plans.field_of("episode_id", CODE), level.__class__(**{**_fields(level), "name": "cell"}))
        good, bad = judged(path, fields)
        assert [row["cell"] for row in good.values()] == ["town", "town", None, "city", "town"]
        assert not bad
        assert one(path, plans.field_of("cell", CODE, optional=True))[0] == ["town", "乡镇", None, "city", "3"]


def _fields(of: Any) -> dict[str, Any]:
    return {name: getattr(of, name) for name in of.__dataclass_fields__}


def test_types_that_are_no_plain_value_are_refused_cell_by_cell(tmp_path: Path) -> None:
    """Bytes, lists and structures are refused by name where an input is read from them, and kept where none is."""
    for cells in (pl.Series([b"ab", None]), pl.Series([[1], None]), pl.Series([{"a": 1}, None])):
        path = column(tmp_path, cells)
        assert one(path, plans.field_of("cell", MONEY, optional=True)) == ([None, None], ["RX747"])
        good, bad = judged(path, (plans.field_of("episode_id", CODE),))
        assert len(good) == 2
        assert not bad
    times = column(tmp_path, pl.Series([time(10, 30)]))
    assert one(times, plans.field_of("cell", DATE))[1] == ["RX706"]


def test_a_nul_refuses_its_record_even_in_a_column_that_nobody_reads(tmp_path: Path) -> None:
    """As in a file of text."""
    path = tmp_path / "n.parquet"
    pl.DataFrame({"episode_id": ["E1", "E2"], "other": ["a\0b", "c"]}).write_parquet(path)
    good, bad = judged(path, (plans.field_of("episode_id", CODE),))
    assert list(good) == [2]
    assert bad[1][0][0] == "RX743"


# ---- binary floating point ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.1, "0.1"),
        (12.3, "12.3"),
        (5.0, "5"),
        (100.0, "100"),
        (0.1 + 0.2, None),
        (1e-7, "0.0000001"),
        (123456789012.345, "123456789012.345"),
        (999999999999999.0, "999999999999999"),
        (1e15, "1E+15"),
        (1.2e17, "1.2E+17"),
        (float("nan"), None),
        (float("inf"), None),
        (float("-inf"), None),
        (-2.5, "-2.5"),
        (0.0, "0"),
        (9007199254740992.0, "9.00719925474099E+15"),  # refused by every input that is no text
        (0.1234567890123456, None),
    ],
)
def test_the_decimal_of_a_double(number: float, text: str | None) -> None:
    """At most 15 digits, and converted back the very same double."""
    assert decimal_text(number) == text


@given(st.integers(-(10**15) + 1, 10**15 - 1), st.integers(0, 12))
@example(10**15 - 1, 2)
@example(5, 3)
def test_decimals_of_15_digits_survive_a_double(units: int, places: int) -> None:
    """A number written with so few digits comes back as it was."""
    number = float(Fraction(units, 10**places))
    text = decimal_text(number)
    assert text is not None
    assert Fraction(Decimal(text)) == Fraction(units, 10**places)


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_a_double_is_never_read_as_another_number(number: float) -> None:
    """Whatever is read converts back to the same double and has at most 15 digits; from 10**15 on nothing is."""
    text = decimal_text(number)
    if text is not None:
        assert float(text) == number or abs(number) >= 10**15
        assert len(Decimal(text).normalize().as_tuple().digits) <= 15


DOUBLES = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True),
    st.integers(-(10**13), 10**13).map(lambda cents: cents / 100),
    st.integers(-(10**16), 10**16).map(float),
    st.decimals(-1000, 1000, places=3).map(float),
    st.just(0.1 + 0.2),
)


@settings(deadline=None, max_examples=60)
@given(cells=st.lists(st.none() | DOUBLES, min_size=1, max_size=30))
def test_columns_of_doubles_are_read_as_their_decimals(cells: list[float | None]) -> None:
    """Taken in columns or one by one: the same values, the same refusals."""
    texts = [None if cell is None else decimal_text(cell) or repr(cell) for cell in cells]
    none = [at for at, cell in enumerate(cells) if cell is not None and decimal_text(cell) is None]
    assert as_text(pl.DataFrame({"x": pl.Series(cells, dtype=pl.Float64)}))["x"].to_list() == texts
    for field in (
        plans.field_of("cell", MONEY, optional=True),
        plans.field_of("cell", NUMBER, optional=True),
        plans.field_of("cell", COUNT, default=1),
    ):
        own = TableReader(plans.plan_of((field,)))
        read = own.read_typed(pl.DataFrame({"cell": pl.Series(cells, dtype=pl.Float64)}))
        by_text = own.read(pl.DataFrame({"cell": pl.Series(texts, dtype=pl.String)}))
        codes = {row: p.code for row, p in by_text.problems} | dict.fromkeys(none, "RX701")
        assert {row: p.code for row, p in read.problems} == codes
        wanted = [None if at in codes else cell for at, cell in enumerate(by_text.frame["cell"].to_list())]
        assert read.frame["cell"].to_list() == wanted


def test_single_precision_is_read_to_six_digits(tmp_path: Path) -> None:
    """0.1 of 32 bits is 0.1; what has no decimal of six digits is refused."""
    near = struct.unpack("f", struct.pack("f", 0.1))[0]
    other = struct.unpack("f", struct.pack("f", 16777215.0))[0]
    path = column(tmp_path, pl.Series([near, 2.5, 1000.0, other], dtype=pl.Float32))
    assert one(path, plans.field_of("cell", MONEY)) == ([10, 250, 100000, None], ["RX701"])


def test_ids_held_as_doubles(tmp_path: Path) -> None:
    """Whole numbers below 10**15 are their digits, above they have been cut short."""
    path = column(tmp_path, pl.Series([12.0, 123456789012345.0, 1.2e17, float("nan")]))
    values, codes = one(path, plans.field_of("cell", CODE))
    assert (values, codes) == (["12", "123456789012345", None, None], ["RX709", "RX701"])


# ---- any table, typed ---------------------------------------------------------------------------------

AMOUNTS = st.none() | st.decimals(-100, 10**9, places=3)


@settings(deadline=None, max_examples=40)
@given(
    rows=st.lists(
        st.tuples(AMOUNTS, st.none() | st.dates(date(1850, 1, 1), date(2300, 1, 1)), st.none() | st.booleans()),
        min_size=1,
        max_size=25,
    )
)
def test_typed_cells_mean_what_their_texts_mean(rows: list[tuple[Any, Any, Any]]) -> None:
    """Columns of decimals, dates and flags give what the same table as text gives."""
    fields = (
        plans.field_of("total", MONEY),
        plans.field_of("rebate", MONEY, optional=True, decimals=3),
        plans.field_of("more", NUMBER, default=3),
        plans.field_of("day", DATE),
        plans.field_of("seen", DATE, optional=True),
        plans.field_of("referred", FLAG, optional=True),
        plans.field_of("code", CODE, optional=True),
    )
    amounts = pl.Series([row[0] for row in rows], dtype=pl.Decimal(18, 3))
    days = pl.Series([row[1] for row in rows], dtype=pl.Date)
    flags = pl.Series([row[2] for row in rows], dtype=pl.Boolean)
    frame = pl.DataFrame(
        {
            "total": amounts,
            "rebate": amounts,
            "more": amounts,
            "day": days,
            "seen": days,
            "referred": flags,
            "code": amounts,
        }
    )
    tables = TableReader(plans.plan_of(fields))
    typed, text = tables.read_typed(frame), tables.read(as_text(frame))
    assert typed.frame.equals(text.frame)
    assert typed.amounts.equals(text.amounts)
    assert typed.problems == text.problems
    assert typed.odd == text.odd
    assert [(name, rows.to_list()) for name, rows in typed.defaulted] == [
        (name, rows.to_list()) for name, rows in text.defaulted
    ]


# ---- Parquet ------------------------------------------------------------------------------------------


def big(folder: Path) -> Path:
    """A Parquet file of 1,000 rows in groups of 77."""
    path = folder / "big.parquet"
    rows = range(1000)
    pl.DataFrame(
        {
            "episode_id": [f"E{at:04}" for at in rows],
            "cell": pl.Series(rows, dtype=pl.Int64),
        }
    ).write_parquet(path, row_group_size=77)
    return path


@pytest.mark.parametrize("kind", KINDS)
def test_two_passes_give_the_same_blocks_and_marks_lead_on(tmp_path: Path, kind: str) -> None:
    """Reading on after a block gives the blocks that the first pass gave after it."""
    rows = [(f"E{at:04}", f"P{at}", "town", "2024-01-05", str(at), "yes") for at in range(300)]
    source = opened(KINDS[kind](tmp_path / "t", NAMES, rows))
    seen: list[tuple[Mark, list[Any]]] = [
        (raw.mark, raw.read(source.head).as_texts().fields.rows()) for raw in source.blocks(3000)
    ]
    assert len(seen) > 3
    assert [row for _, many in seen for row in many] == rows
    for at, (mark, _) in enumerate(seen):
        again = source.blocks(3000, mark)
        assert [raw.read(source.head).as_texts().fields.rows() for raw in again] == [many for _, many in seen[at + 1 :]]
        assert again.problem is None
        assert again.bytes_read == source.head.size
    other = source.blocks(3000, Mark(seen[0][0].at, "another file"))
    assert list(other) == []
    assert other.problem is not None
    assert "changed while it was read" in other.problem.message


def test_columns_that_nobody_reads_are_read_for_refused_records_alone(tmp_path: Path) -> None:
    """Results without them, rejects with all of them as they stood, in every block."""
    path = tmp_path / "wide.parquet"
    rows = range(50)
    pl.DataFrame(
        {
            "^.*$": [f"first {at}" for at in rows],
            "episode_id": [f"E{at:03}" for at in rows],
            "person_id": ["P"] * 50,
            "size": pl.Series([at / 4 for at in rows]),
            "level": ["town" if at % 10 else "moon" for at in rows],
            "day": [date(2024, 1, 5)] * 50,
            "total": pl.Series([Decimal(at) for at in rows], dtype=pl.Decimal(10, 2)),
            "referred": [True] * 50,
            "last": [at if at % 2 else None for at in rows],
        }
    ).write_parquet(path, row_group_size=7)
    report = run(path, tmp_path / "out.csv", select=("episode_id", "outputs"), block=500)
    assert report.reject_codes == {"RX705": 5}
    assert (tmp_path / "out.csv").read_text("utf-8").splitlines()[:3] == ["episode_id,due", "E001,0.50", "E002,1.00"]
    with (tmp_path / "out.rejects.csv").open(encoding="utf-8", newline="") as file:
        names, *rejects = csv.reader(file)
    assert names[:9] == ["^.*$", "episode_id", "person_id", "size", "level", "day", "total", "referred", "last"]
    assert rejects[1][:10] == ["first 10", "E010", "P", "2.5", "moon", "2024-01-05", "10.00", "true", "", "11"]
    assert rejects[1][-1] == "first 10,E010,P,2.5,moon,2024-01-05,10.00,true,"


def test_parquet_is_known_by_its_content(tmp_path: Path) -> None:
    """Whatever the file is called; and a text called .parquet is refused."""
    path = big(tmp_path).rename(tmp_path / "big.dat")
    assert opened(path).head.names == ("episode_id", "cell")
    wrong = tmp_path / "wrong.parquet"
    wrong.write_text("episode_id,cell\nE1,2\n")
    assert "no Parquet file" in refused(wrong)


def test_damaged_parquet_is_refused_or_ends_the_run(tmp_path: Path) -> None:
    """Cut off, it cannot be opened; damaged inside, the pass ends with a problem and nothing is published."""
    path = big(tmp_path)
    data = path.read_bytes()
    cut = tmp_path / "cut.parquet"
    cut.write_bytes(data[: len(data) // 2])
    assert "cannot be read as Parquet" in refused(cut)
    inside = bytearray(data)
    inside[200:400] = b"\xff" * 200
    cut.write_bytes(inside)
    source = opened(cut)
    blocks = source.blocks(6 << 20)
    assert sum(1 for _ in blocks) == 0
    assert blocks.problem is not None
    assert "cannot be read as Parquet" in blocks.problem.message


def test_a_file_that_changes_while_it_is_read_is_noticed(tmp_path: Path) -> None:
    """The pass says so at its end."""
    source = opened(big(tmp_path))
    blocks = source.blocks(2000)
    for at, _ in enumerate(blocks):
        if at == 1:
            (tmp_path / "new.parquet").write_bytes(source.path.read_bytes() + b"more")
            (tmp_path / "new.parquet").replace(source.path)
    assert blocks.problem is not None
    assert "changed while it was read" in blocks.problem.message


def test_parquet_without_rows_and_with_names_of_any_kind(tmp_path: Path) -> None:
    """No record, no problem; names that mean something to Polars are names."""
    path = tmp_path / "none.parquet"
    pl.DataFrame(schema={"episode_id": pl.String, "^.*$": pl.String, "*": pl.Int8, "0": pl.Date}).write_parquet(path)
    source = opened(path)
    assert source.head.names == ("episode_id", "^.*$", "*", "0")
    assert judged(path, (plans.field_of("episode_id", CODE),)) == ({}, {})


# ---- workbooks ----------------------------------------------------------------------------------------


def made(path: Path, fill: Callable[[Any, Any], None]) -> Path:
    """A workbook made cell by cell."""
    book = openpyxl.Workbook()
    fill(book, book.active)
    book.save(path)
    return path


def test_cells_of_a_sheet(tmp_path: Path) -> None:
    """Numbers, percentages, dates and booleans by their formats; formulas and errors are refused."""

    def fill(_: Any, page: Any) -> None:
        page.append(["episode_id", "money", "share", "day", "flag", "code"])
        page.append(["E1", 12.3, 0.85, datetime(2024, 7, 1), True, 12])
        page.append(["E2", 12, 0.125, date(2024, 7, 2), False, "0012"])
        page.append(["E3", "=1+1", 0.85, datetime(2024, 7, 1, 13, 30), True, 1.2e17])
        page.append(["E4", "#N/A", "85%", "2024-07-04", "yes", 120000198001010017])
        page.append(["E5", 0.1 + 0.2, 0.85, 45474, True, "x"])
        for row in (2, 3, 4):
            page.cell(row, 3).number_format = "0.00%"
        page.cell(5, 2).data_type = "e"

    path = made(tmp_path / "c.xlsx", fill)
    with zipfile.ZipFile(path) as packed:  # openpyxl writes 16 digits, spreadsheets 17
        data = packed.read("xl/worksheets/sheet1.xml")
    path = changed(path, "xl/worksheets/sheet1.xml", data.replace(b"<v>0.3</v>", b"<v>0.30000000000000004</v>"))
    fields = (
        plans.field_of("episode_id", CODE), plans.field_of("money", MONEY), plans.field_of("share", PERCENT),
        plans.field_of("day", DATE), plans.field_of("flag", FLAG), plans.field_of("code", CODE),
    )  # fmt: skip
    good, bad = judged(path, fields)
    assert [(r["money"], r["share"], r["day"], r["flag"], r["code"]) for r in good.values()] == [
        (1230, 8500, date(2024, 7, 1), True, "12"),
        (1200, 1250, date(2024, 7, 2), False, "0012"),
    ]
    assert bad == {
        4: [("RX746", "money", "=1+1"), ("RX708", "day", "2024-07-01 13:30:00"), ("RX709", "code", "1.2E+17")],
        5: [("RX746", "money", "#N/A"), ("RX709", "code", "1.2000019800101E+17")],
        6: [("RX701", "money", repr(0.1 + 0.2)), ("RX701", "share", "0.85"), ("RX706", "day", "45474")],
    }


def test_where_a_sheet_starts_and_what_is_beside_it(tmp_path: Path) -> None:
    """Empty rows and columns before the header are none, empty rows after the last record are none, cells outside are told."""

    def fill(_: Any, page: Any) -> None:
        page["C4"], page["D4"] = "episode_id", "cell"
        page["C5"], page["D5"] = "E1", 5
        page["C7"], page["D7"] = "E2", 6
        page["C8"], page["D8"], page["F8"] = "E3", 7, "see above"
        page["A9"], page["C9"], page["D9"] = 1, "E4", 8
        page["D2000"].number_format = "0.00"
        page.row_dimensions[5].hidden = True
        page.column_dimensions["D"].hidden = True

    path = made(tmp_path / "s.xlsx", fill)
    source = opened(path)
    assert (source.head.names, source.head.line) == (("episode_id", "cell"), 5)
    good, bad = judged(path, (plans.field_of("episode_id", CODE), plans.field_of("cell", MONEY)))
    assert {line: row["cell"] for line, row in good.items()} == {5: 500, 7: 600}
    assert {line: found[0] for line, found in bad.items()} == {8: ("RX741", "", "see above"), 9: ("RX741", "", "1")}
    assert set(source.assumed({"cell": 1})) == {
        "1 hidden column(s) of the sheet 'Sheet' of s.xlsx were read as others",
        "1 hidden row(s) of the sheet 'Sheet' of s.xlsx were read as others",
    }


def test_which_sheet_is_read(tmp_path: Path) -> None:
    """The one named, else the first that holds anything, and then the others are told."""

    def fill(book: Any, page: Any) -> None:
        page.title = "空"
        for name in ("一月", "二月"):
            other = book.create_sheet(name)
            other.append(["episode_id"])
            other.append([f"E-{name}"])

    path = made(tmp_path / "w.xlsx", fill)
    fields = (plans.field_of("episode_id", CODE),)
    assert [row["episode_id"] for row in judged(path, fields)[0].values()] == ["E-一月"]
    assert opened(path).assumed({}) == ("the sheet '一月' of w.xlsx was read, not '二月'",)
    second = Path(f"{path}?sheet=二月")
    assert [row["episode_id"] for row in _rows(second)] == ["E-二月"]
    assert "there is no sheet '三月'" in refused(Path(f"{path}?sheet=三月"))
    assert "'一月', '二月'" in refused(Path(f"{path}?sheet=三月"))
    assert "is empty" in refused(Path(f"{path}?sheet=空"))


def _rows(path: Path) -> list[dict[str, Any]]:
    source = opened(path)
    return [
        dict(zip(source.head.names, row, strict=True))
        for raw in source.blocks(6 << 20)
        for row in raw.read(source.head).as_texts().fields.iter_rows()
    ]


def test_workbooks_that_are_refused(tmp_path: Path) -> None:
    """Old, encrypted, foreign and hostile ones, each with what to do."""
    for name, what in (("a.xls", "an old workbook"), ("b.xlsx", "an encrypted workbook")):
        (tmp_path / name).write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600)
        assert what in refused(tmp_path / name)
    for name, what in (("c.xlsm", "with macros"), ("d.ods", "OpenDocument")):
        (tmp_path / name).write_bytes(b"PK\x03\x04" + b"\0" * 100)
        assert what in refused(tmp_path / name)
    (tmp_path / "e.xlsx").write_text("episode_id\nE1\n")
    assert "no workbook" in refused(tmp_path / "e.xlsx")
    (tmp_path / "f.xlsx").write_bytes(b"PK\x03\x04" + b"\0" * 100)
    assert "cannot be read as a workbook" in refused(tmp_path / "f.xlsx")
    with zipfile.ZipFile(tmp_path / "g.zip", "w") as packed:
        packed.writestr("x.csv", "a\n")
    assert "is a zip file, not a workbook" in refused(tmp_path / "g.zip")


def changed(path: Path, part: str, data: bytes, deflate: int = zipfile.ZIP_DEFLATED) -> Path:
    """A copy of a workbook with another content of one of its parts."""
    out = path.with_name(f"changed-{path.name}")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(out, "w", deflate) as new:
        for item in old.infolist():
            new.writestr(item.filename, data if item.filename == part else old.read(item.filename))
    return out


def test_hostile_workbooks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Entities are refused before anything is expanded, bombs before anything is unpacked."""
    path = sheet(tmp_path / "x", ["episode_id"], [["E1"]])
    entities = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><worksheet>&b;</worksheet>'
    assert "declares entities" in refused(changed(path, "xl/worksheets/sheet1.xml", entities))
    broken = changed(path, "xl/worksheets/sheet1.xml", b"<worksheet><sheetData><row>")
    assert "cannot be read as a workbook" in refused(broken)
    monkeypatch.setattr(workbook, "_FREE", 1 << 20)
    bomb = changed(path, "xl/worksheets/sheet1.xml", b"<worksheet>" + b" " * (8 << 20) + b"</worksheet>")
    assert "unpacks to 8 MiB" in refused(bomb)


# ---- databases ----------------------------------------------------------------------------------------


def test_types_of_duckdb(tmp_path: Path) -> None:
    """Decimals stay exact, wide whole numbers and identifiers are their digits, in the order of the rows."""
    file = tmp_path / "d.duckdb"
    with closing(duckdb.connect(str(file))) as db:
        db.execute('CREATE SCHEMA "a b"')
        db.execute(
            'CREATE TABLE "a b"."t;--" ("episode_id" UUID, money DECIMAL(18,3), wide HUGEINT, day TIMESTAMP, kind ENUM(\'town\', \'city\'), f DOUBLE)'
        )
        db.execute(
            "INSERT INTO \"a b\".\"t;--\" SELECT ('00000000-0000-0000-0000-' || lpad(i::VARCHAR, 12, '0'))::UUID, i / 8, "
            "170141183460469231731687303715884105727, TIMESTAMP '2024-07-01', 'city', 0.1 FROM range(1, 4) r(i)"
        )
    path = Path(f"duckdb:{file}?table=a b.t;--")
    fields = (
        plans.field_of("episode_id", CODE), plans.field_of("money", MONEY, decimals=3), plans.field_of("wide", CODE),
        plans.field_of("day", DATE), plans.field_of("f", NUMBER, decimals=2),
    )  # fmt: skip
    good, bad = judged(path, fields)
    assert not bad
    assert [row["money"] for row in good.values()] == [125, 250, 375]
    assert [row["episode_id"][-2:] for row in good.values()] == ["01", "02", "03"]
    assert {row["wide"] for row in good.values()} == {"170141183460469231731687303715884105727"}
    assert {(row["day"], row["f"]) for row in good.values()} == {(date(2024, 7, 1), 10)}
    assert opened(path).assumed({"f": 5})[0].startswith("f: binary floating point in d.duckdb?table=a b.t;--")


def test_types_of_sqlite(tmp_path: Path) -> None:
    """Every cell by its own type; bytes and undecodable texts are refused."""
    file = tmp_path / "l.db"
    with closing(sqlite3.connect(file)) as db:
        db.execute('CREATE TABLE "o""x" (episode_id TEXT PRIMARY KEY, cell, rowid INTEGER)')
        rows = [("E1", 12), ("E2", 12.5), ("E3", "12.25"), ("E4", None), ("E5", b"12"), ("E6", 2**62)]
        db.executemany('INSERT INTO "o""x" VALUES (?, ?, 9)', rows)
        db.execute("INSERT INTO \"o\"\"x\" VALUES ('E7', CAST(x'ff31' AS TEXT), 9)")
        db.commit()
    path = Path(f'sqlite:{file}?table=o"x')
    values, codes = one(path, plans.field_of("cell", MONEY, optional=True))
    assert values == [1200, 1250, 1225, None, None, None, None]
    assert codes == ["RX747", "RX703", "RX742"]
    assert one(path, plans.field_of("cell", CODE, optional=True))[0][:6] == [
        "12",
        "12.5",
        "12.25",
        None,
        None,
        str(2**62),
    ]


@pytest.mark.parametrize("scheme", ["duckdb", "sqlite"])
def test_databases_that_cannot_be_read(tmp_path: Path, scheme: str) -> None:
    """No such file, no database, no such table, a view, no table named: each says what to do."""
    make = {"duckdb": duck, "sqlite": lite}[scheme]
    path = make(tmp_path / "t", NAMES, TEXTS)
    file = Path(str(path).partition(":")[2].partition("?")[0])
    connect: Any = duckdb.connect if scheme == "duckdb" else sqlite3.connect
    with closing(connect(str(file))) as db:
        db.execute("CREATE VIEW looks AS SELECT * FROM t")
        db.execute("CREATE TABLE episodes (a INTEGER)")
        if scheme == "sqlite":
            db.commit()
    assert "did you mean 'episodes'? its tables are 'episodes', 't'" in refused(Path(f"{scheme}:{file}?table=episode"))
    assert "has no table" in refused(Path(f'{scheme}:{file}?table=t" UNION SELECT 1 --'))
    assert "is a view" in refused(Path(f"{scheme}:{file}?table=looks"))
    assert "names no table" in refused(Path(f"{scheme}:{file}"))
    assert "names no table" in refused(Path(f"{scheme}:{file}?table="))
    assert "names no file" in refused(Path(f"{scheme}:?table=t"))
    assert "there is no file" in refused(Path(f"{scheme}:{tmp_path}/nowhere.db?table=t"))
    text = tmp_path / "text.db"
    text.write_text("no database\n" * 100)
    assert f"is a {'DuckDB' if scheme == 'duckdb' else 'SQLite'} database" in refused(Path(f"{scheme}:{text}?table=t"))
    assert f"{scheme}:{file}?table=TABLE" in refused(file)
    assert not list(tmp_path.glob("*nowhere*"))


def test_a_database_that_somebody_else_holds_is_refused(tmp_path: Path) -> None:
    """It says that the database is locked, and what to do."""
    path = lite(tmp_path / "t", NAMES, TEXTS)
    with closing(sqlite3.connect(tmp_path / "t.db", isolation_level=None)) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        assert "end the program that uses it" in refused(path)
    path = duck(tmp_path / "u", NAMES, TEXTS)
    code = f"import duckdb, sys; c = duckdb.connect({str(tmp_path / 'u.duckdb')!r}); print(1, flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        try:
            assert "end the program that uses it" in refused(path)
        finally:
            other.communicate()


def test_wide_files(tmp_path: Path) -> None:
    """Ten thousand columns, of which one is read."""
    path = tmp_path / "wide.parquet"
    pl.DataFrame({"episode_id": ["E1", "E2"]} | {f"c{at}": [at, None] for at in range(10_000)}).write_parquet(path)
    good, bad = judged(path, (plans.field_of("episode_id", CODE),))
    assert (len(good), bad) == (2, {})
    wide = sheet(tmp_path / "w", ["episode_id", *(f"c{at}" for at in range(16_000))], [["E1", *range(16_000)]])
    assert len(judged(wide, (plans.field_of("episode_id", CODE),))[0]) == 1


def test_changes_beside_the_file_are_not_missed(tmp_path: Path) -> None:
    """A database whose last changes stand in a log beside it is refused: its hash would not be that of the rows."""
    path = lite(tmp_path / "t", NAMES, TEXTS)
    file = tmp_path / "t.db"
    writer = sqlite3.connect(file)
    with closing(writer):
        writer.execute("PRAGMA journal_mode=WAL")
        writer.execute("INSERT INTO t (episode_id) VALUES ('E99')")
        writer.commit()
        assert "t.db-wal" in refused(path)
    assert opened(path).head.names == NAMES


def test_a_table_without_row_numbers_is_read_by_its_key(tmp_path: Path) -> None:
    """The order of its key is its order."""
    file = tmp_path / "k.db"
    with closing(sqlite3.connect(file)) as db:
        db.execute("CREATE TABLE t (episode_id TEXT PRIMARY KEY) WITHOUT ROWID")
        db.executemany("INSERT INTO t VALUES (?)", [("E3",), ("E1",), ("E2",)])
        db.commit()
    assert [row["episode_id"] for row in _rows(Path(f"sqlite:{file}?table=t"))] == ["E1", "E2", "E3"]


# ---- names --------------------------------------------------------------------------------------------


def test_names_that_are_no_local_file(tmp_path: Path) -> None:
    """URLs, other databases and patterns are refused; a file may be called anything."""
    assert "http: is not known" in refused(Path("https://example.org/a.csv".replace("https", "http")))
    assert "mysql: is not known" in refused(Path("mysql:x?table=t"))
    assert "patterns are not read" in refused(tmp_path / "*.csv")
    odd = tmp_path / "a[1].csv"
    odd.write_text("episode_id\nE1\n")
    assert opened(odd).head.names == ("episode_id",)
    assert "names no sheet" in refused(Path("a.csv?sheet=x"))


def test_texts_of_cells() -> None:
    """What stands for a cell where a file of text is written."""
    moments = pl.Series([datetime(2024, 7, 1), datetime(2024, 7, 1, 13, 30, 0, 5000), None])
    assert texts_of(moments)[0].to_list() == ["2024-07-01", "2024-07-01 13:30:00.005", None]
    assert texts_of(pl.Series([True, None, False]))[0].to_list() == ["true", None, "false"]
    assert texts_of(pl.Series([Decimal("-0.50"), None]))[0].to_list() == ["-0.50", None]
    assert texts_of(pl.Series([b"\xff", None]))[0].to_list() == ["ff", None]
    assert texts_of(pl.Series(["", None, "x"]))[0].to_list() == [None, None, "x"]
    assert texts_of(pl.Series([None, None]))[0].to_list() == [None, None]
