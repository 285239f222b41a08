"""Results in every kind of file: the same values, nothing lost."""

from __future__ import annotations

import csv
import datetime
import gzip
import importlib.util
import io
import sqlite3
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import polars as pl
import pyarrow.parquet as pq
import pytest
import zstandard

from rxcalc.cli.load import plan_of
from rxcalc.driver.batch import run_batch
from rxcalc.driver.batch_report import BatchOptions
from rxcalc.tabular import write_xlsx
from rxcalc.tabular.publish import open_draft
from rxcalc.tabular.rows import ParquetRows
from rxcalc.tabular.write_parquet import encoded

_SPEC = importlib.util.spec_from_file_location(
    "rxcalc_test_outputs", Path(__file__).parents[1] / "batch" / "outputs.py"
)
assert _SPEC is not None
assert _SPEC.loader is not None
of: Any = sys.modules.setdefault(_SPEC.name, importlib.util.module_from_spec(_SPEC))
_SPEC.loader.exec_module(of)

D, day = Decimal, datetime.date


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the rulebook and the episodes."""
    (tmp_path / "r.yaml").write_text(of.RULEBOOK, encoding="utf-8")
    (tmp_path / "in.csv").write_text(of.EPISODES, encoding="utf-8")
    return tmp_path


def test_text_files_hold_the_cells_as_read(folder: Path) -> None:
    """CSV as it is, with tabs, and compressed; rejects beside them."""
    for name in ("a.csv", "a.tsv", "b.csv.gz", "c.csv.zst", "d.tab.gz"):
        assert of.batch(folder, name).return_value == 1
    assert (folder / "a.csv").read_text(encoding="utf-8") == of.CSV
    tabs = io.StringIO((folder / "a.tsv").read_text(encoding="utf-8"), newline="")
    rows = list(csv.reader(io.StringIO(of.CSV, newline="")))
    assert list(csv.reader(tabs, delimiter="\t")) == rows
    assert gzip.decompress((folder / "b.csv.gz").read_bytes()).decode() == of.CSV
    data = (folder / "c.csv.zst").read_bytes()
    assert zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True).read().decode() == of.CSV
    assert gzip.decompress((folder / "d.tab.gz").read_bytes()) == (folder / "a.tsv").read_bytes()
    beside = {path.name for path in folder.iterdir() if ".rejects." in path.name}
    assert beside == {"a.rejects.csv", "a.rejects.tsv", "b.rejects.csv", "c.rejects.csv", "d.rejects.tab"}


def test_parquet_holds_types(folder: Path) -> None:
    """Amounts are decimals with their digits, stored as whole numbers; a default that was filled in stays missing."""
    assert of.batch(folder, "a.parquet", "--rejects", str(folder / "rejects.parquet")).return_value == 1
    assert of.parquet_rows(folder / "a.parquet") == (of.NAMES, of.VALUES)
    types = {field.name: str(field.type) for field in pq.read_schema(folder / "a.parquet")}
    assert types["total"] == types["pays"] == types["patient.own"] == "decimal128(18, 2)"
    assert (types["exact"], types["more"], types["is_big"], types["day"]) == (
        "decimal128(18, 5)", "int64", "bool", "date32[day]",
    )  # fmt: skip
    assert types["level"] == types["kept_rate"] == types["ward"] == "string"
    stored = pq.ParquetFile(folder / "a.parquet").metadata.row_group(0).column(4)
    assert (stored.path_in_schema, stored.physical_type) == ("total", "INT64")
    names, rejects = of.parquet_rows(folder / "rejects.parquet")
    assert names == [
        *of.HEADER.split(","),
        "rx_line",
        "rx_code",
        "rx_field",
        "rx_value",
        "rx_message",
        "rx_more",
        "rx_raw",
    ]
    assert [row[11:15] for row in rejects] == [["6", "RX705", "level", "moon"], ["7", "RX701", "total", "-5+1"]]
    assert rejects[1][0] == "=E5"


def test_workbooks_hold_types_and_no_formula(folder: Path) -> None:
    """Ids stay texts, amounts are numbers with their digits shown, percentages are shown as such."""
    assert of.batch(folder, "a.xlsx").return_value == 1
    sheet = openpyxl.load_workbook(folder / "a.xlsx").active
    assert sheet is not None
    rows = list(sheet.iter_rows())
    assert [cell.value for cell in rows[0]] == of.NAMES
    for row, values in zip(rows[1:], of.VALUES, strict=True):
        for cell, value in zip(row, values, strict=True):
            wanted = datetime.datetime(value.year, value.month, value.day) if isinstance(value, day) else value
            if isinstance(value, Decimal):
                wanted = float(value)
                assert cell.number_format == "0." + "0" * -int(value.as_tuple().exponent)
            elif isinstance(value, str) and value.endswith("%"):
                wanted = float(D(value[:-1]) / 100)
                assert cell.number_format == "0.0%"
            assert cell.value == wanted
            assert cell.data_type != "f"
    assert rows[2][9].value == '=HYPERLINK("x")'
    assert rows[2][9].data_type in ("s", "inlineStr")


def test_databases_hold_types(folder: Path) -> None:
    """DuckDB has decimals; SQLite has none, so that its amounts are texts, and stay exact."""
    assert of.batch(folder, "duckdb:a.db?table=t").return_value == 1
    assert (
        of.batch(folder, "sqlite:b.db?table=my t", "--rejects", f"sqlite:{folder / 'b.db'}?table=refused").return_value
        == 1
    )
    assert of.duckdb_rows(folder / "a.db") == (of.NAMES, of.VALUES)
    with duckdb.connect(str(folder / "a.db"), read_only=True) as connection:
        types = dict(connection.execute("SELECT column_name, data_type FROM information_schema.columns").fetchall())
    assert (types["total"], types["exact"], types["more"], types["is_big"], types["day"], types["person"]) == (
        "DECIMAL(18,2)", "DECIMAL(18,5)", "BIGINT", "BOOLEAN", "DATE", "VARCHAR",
    )  # fmt: skip
    names, rows = of.sqlite_rows(folder / "b.db", "my t")
    assert (names, rows) == (of.NAMES, [[of.as_texts(value) for value in row] for row in of.VALUES])
    assert [row[0] for row in of.sqlite_rows(folder / "b.db", "refused")[1]] == ["E4", "=E5"]
    beside = {path.name for path in folder.iterdir()}
    assert {"a.db.t.rejects.csv", "a.db.t.summary.json", "b.db.my_t.summary.json"} <= beside
    assert not [name for name in beside if name.endswith((".part", ".wal", "-journal"))]


def test_the_same_run_gives_the_same_bytes(folder: Path) -> None:
    """Compressed files, Parquet and workbooks too: no time of day is in them."""
    for name in ("a.csv.gz", "a.csv.zst", "a.parquet", "a.xlsx"):
        first = (of.batch(folder, name), (folder / name).read_bytes())[1]
        of.batch(folder, name)
        assert (folder / name).read_bytes() == first, name


def test_unknown_kinds_are_refused_by_name(folder: Path) -> None:
    """A CSV file called .xls would be opened with a warning, or not at all."""
    for name in ("a.xls", "a.txt", "a", "a.gz", "a.json.gz", "a.csv.zip"):
        result = of.batch(folder, name)
        assert "no kind of file is known" in of.told(result), name
        assert ".parquet" in of.told(result)
        assert not (folder / name).exists()
    assert "names no table" in of.told(of.batch(folder, "duckdb:a.db"))


# ---- blocks, and going on ---------------------------------------------------------------------------


def test_parquet_of_many_blocks(folder: Path) -> None:
    """Each block is a row group; other readers see one table."""
    ids = [f"E{n:04}" for n in range(500)]
    lines = [f"{name},P1,town,2025-01-05,{n}.25,,,,,," for n, name in enumerate(ids)]
    (folder / "in.csv").write_text("\n".join([of.HEADER, *lines, ""]), encoding="utf-8")
    options = BatchOptions(episodes=folder / "in.csv", results=folder / "a.parquet", block=4000)
    assert run_batch(plan_of(str(folder / "r.yaml")), options).exit_code == 0
    made = pq.ParquetFile(folder / "a.parquet")
    assert made.metadata.num_row_groups > 3
    assert made.metadata.num_rows == 500
    totals = [D(n) + D("0.25") for n in range(500)]
    for table in (made.read().to_pydict(), pl.read_parquet(folder / "a.parquet").to_dict(as_series=False)):
        assert (table["episode_id"], table["total"]) == (ids, totals)
    found = duckdb.sql(f"SELECT total FROM '{folder / 'a.parquet'}' WHERE episode_id = 'E0321'").fetchall()  # noqa: S608 as above
    assert found == [(D("321.25"),)]


def test_files_without_records_name_their_columns(folder: Path) -> None:
    """A header alone: every kind of file has its columns with their types, and no row."""
    (folder / "in.csv").write_text(of.HEADER + "\n", encoding="utf-8")
    for name in ("a.csv", "a.csv.gz", "a.parquet", "a.xlsx", "duckdb:a.db?table=t", "sqlite:b.db?table=t"):
        assert of.batch(folder, name).return_value == 0, name
    assert (folder / "a.csv").read_text(encoding="utf-8") == f"{of.HEADER},{of.RESULTS}\n"
    assert of.parquet_rows(folder / "a.parquet") == (of.NAMES, [])
    assert str(pq.read_schema(folder / "a.parquet").field("exact").type) == "decimal128(18, 5)"
    assert of.duckdb_rows(folder / "a.db") == of.sqlite_rows(folder / "b.db") == (of.NAMES, [])
    sheet = openpyxl.load_workbook(folder / "a.xlsx").active
    assert sheet is not None
    assert [[cell.value for cell in row] for row in sheet.iter_rows()] == [of.NAMES]


def test_a_parquet_file_can_be_gone_on_with_after_any_part(tmp_path: Path) -> None:
    """As a run does that was interrupted: the bytes are those of a run that was not."""
    frames = [pl.DataFrame({"id": [f"{n}-{i}" for i in range(n * 7)], "n": range(n * 7)}) for n in range(1, 5)]
    schema = dict(frames[0].schema)

    def made(name: str, cut: int) -> bytes:
        draft = open_draft(tmp_path / name)
        assert not hasattr(draft, "message")
        rows = ParquetRows(schema, draft)
        for frame in frames[:cut]:
            rows.write(encoded(frame))
        if cut < len(frames):
            draft.flush()
            rows = ParquetRows(schema, draft)
            for frame in frames[cut:]:
                rows.write(encoded(frame))
        rows.close()
        draft.flush()
        return draft.temporary.read_bytes()

    whole = made("whole.parquet", 4)
    assert all(made(f"cut{cut}.parquet", cut) == whole for cut in range(4))
    assert pl.read_parquet(io.BytesIO(whole)).equals(pl.concat(frames))


def test_more_than_a_sheet_holds_ends_the_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Old results stay, and the message names what can hold them."""
    (folder / "a.xlsx").write_bytes(b"old")
    monkeypatch.setattr(write_xlsx, "MAX_RECORDS", 3)
    result = of.batch(folder, "a.xlsx")
    assert "more than 3 records" in of.told(result)
    assert ".parquet" in of.told(result)
    assert (folder / "a.xlsx").read_bytes() == b"old"
    assert not (folder / "a.rejects.csv").exists()
    monkeypatch.setattr(write_xlsx, "MAX_RECORDS", 4)
    assert of.batch(folder, "a.xlsx").return_value == 1


def test_numbers_of_more_digits_than_a_sheet_keeps_are_texts(folder: Path) -> None:
    """Sixteen digits: a number would be shown, and saved, as another one."""
    rulebook = of.RULEBOOK.replace("total: {type: money,", "total: {type: money, max: 999_999_999_999_999_999,")
    (folder / "r.yaml").write_text(rulebook, encoding="utf-8")
    big = "E1,P1,town,2025-01-05,12345678901234.56,100%,,,,,\nE2,P1,town,2025-01-05,1234567890123.45,100%,,,,,\n"
    (folder / "in.csv").write_text(f"{of.HEADER}\n{big}", encoding="utf-8")
    assert of.batch(folder, "a.xlsx").return_value == 0
    assert of.batch(folder, "a.csv", "--excel").return_value == 0
    assert of.batch(folder, "a.parquet").return_value == 0
    sheet = openpyxl.load_workbook(folder / "a.xlsx").active
    assert sheet is not None
    assert [row[4].value for row in sheet.iter_rows(min_row=2)] == ["12345678901234.56", 1234567890123.45]
    assert [row[11].value for row in sheet.iter_rows(min_row=2)] == ["12345678901234.56", 1234567890123.45]
    rows = list(csv.DictReader(io.StringIO((folder / "a.csv").read_text(encoding="utf-8-sig"))))
    assert [row["total"] for row in rows] == ['="12345678901234.56"', "1234567890123.45"]
    assert [row["pays"] for row in rows] == ['="12345678901234.56"', "1234567890123.45"]
    assert of.parquet_rows(folder / "a.parquet")[1][0][11] == D("12345678901234.56")
    assert str(pq.read_schema(folder / "a.parquet").field("pays").type) == "decimal128(38, 2)"


# ---- databases --------------------------------------------------------------------------------------


def test_a_table_that_is_there_is_refused_before_anything_is_computed(folder: Path) -> None:
    """In any case of its name, and a view too."""
    connection = sqlite3.connect(folder / "b.db")
    connection.executescript(
        "CREATE TABLE Paid (x); INSERT INTO Paid VALUES (1); CREATE VIEW seen AS SELECT x FROM Paid"
    )
    connection.close()
    with duckdb.connect(str(folder / "a.db")) as made:
        made.execute("CREATE SCHEMA s; CREATE TABLE s.Paid (x INTEGER); CREATE VIEW seen AS SELECT 1 AS x")
    for name in (
        "sqlite:b.db?table=paid",
        "sqlite:b.db?table=seen",
        "duckdb:a.db?table=s.PAID",
        "duckdb:a.db?table=seen",
    ):
        result = of.batch(folder, name)
        assert "already" in of.told(result), name
    assert of.sqlite_rows(folder / "b.db", "Paid") == (["x"], [[1]])
    assert not [path for path in folder.iterdir() if "rejects" in path.name]
    assert of.batch(folder, "duckdb:a.db?table=s.new").return_value == 1
    with duckdb.connect(str(folder / "a.db"), read_only=True) as made:
        assert made.execute("SELECT sum(pays) FROM s.new").fetchall() == [(D("7778328.03"),)]


def test_results_go_into_the_database_that_the_episodes_are_in(folder: Path) -> None:
    """Another table of the same file; the tables there before stay as they are."""
    (folder / "good.csv").write_text("\n".join([of.HEADER, *of.GOOD, ""]), encoding="utf-8")
    for scheme, reader in (("duckdb", of.duckdb_rows), ("sqlite", of.sqlite_rows)):
        name = f"{scheme}:{scheme}.db?table=t"
        assert of.batch(folder, name, "--select", "inputs", source="good.csv").return_value == 0
        before = reader(folder / f"{scheme}.db")
        result = of.batch(folder, f"{scheme}:{scheme}.db?table=paid", "--select", "episode_id,pays", source=name)
        assert result.return_value == 0, of.told(result)
        assert reader(folder / f"{scheme}.db") == before
        rows = reader(folder / f"{scheme}.db", "paid")[1]
        assert [(row[0], str(row[1])) for row in rows] == [
            ("0001", "50.01"), ("E2", "500.25"), ("E3", "7777777.77"), ("E6", "0.00"),
        ]  # fmt: skip
        assert "also" in of.told(of.batch(folder, name, source=name))


def test_a_database_that_cannot_be_written_is_said(folder: Path) -> None:
    """Somebody else holds it; it is something else altogether."""
    holder = sqlite3.connect(folder / "b.db", isolation_level=None)
    holder.execute("CREATE TABLE x (y)")
    holder.execute("BEGIN EXCLUSIVE")
    assert "locked" in of.told(of.batch(folder, "sqlite:b.db?table=t"))
    holder.execute("ROLLBACK")
    holder.close()
    (folder / "c.db").write_text("no database at all, but long enough to look at" * 100, encoding="utf-8")
    for scheme in ("sqlite", "duckdb"):
        assert "cannot write" in of.told(of.batch(folder, f"{scheme}:c.db?table=t"))
    assert (folder / "c.db").read_text(encoding="utf-8").startswith("no database")


def test_a_table_appears_whole_or_not_at_all(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure at the very end leaves the database as it was, and no new one."""

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    connection = sqlite3.connect(folder / "b.db")
    connection.execute("CREATE TABLE x (y)")
    connection.close()
    monkeypatch.setattr("rxcalc.tabular.publish._umask", fail)
    for name in ("sqlite:b.db?table=t", "sqlite:new.db?table=t", "duckdb:new2.db?table=t"):
        assert "No space left" in of.told(of.batch(folder, name))
    connection = sqlite3.connect(folder / "b.db")
    assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("x",)]
    connection.close()
    left = {path.name for path in folder.iterdir()}
    assert left == {"b.db", "in.csv", "r.yaml"}


# ---- results read again -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "a.csv.gz",
        "a.csv.zst",
        "a.tsv",
        "a.parquet",
        "a.xlsx",
        "duckdb:a.db?table=t",
        "sqlite:b.db?table=t",
        "excel.csv",
    ],
)
def test_results_of_every_kind_are_earlier_results(folder: Path, name: str) -> None:
    """By hand: 50.00 and 90.00 were paid before; the best rate so far is 90 %."""
    (folder / "back.yaml").write_text(of.LOOKS_BACK, encoding="utf-8")
    head = "episode_id,person,day,total,rate\n"
    (folder / "one.csv").write_text(head + "E1,0012,2025-01-02,100,\nE2,0012,2025-02-02,100,90%\n", encoding="utf-8")
    (folder / "two.csv").write_text(head + "E3,0012,2025-03-02,100,80%\n", encoding="utf-8")
    more = ["--excel"] if name.startswith("excel") else []
    first = of.batch(folder, name, *more, source="one.csv", rulebook="back.yaml")
    assert first.return_value == 0, of.told(first)
    scheme, colon, file = name.partition(":")
    earlier = f"{scheme}:{folder / file}" if colon else str(folder / name)
    result = of.batch(folder, "two-paid.csv", "--earlier", earlier, source="two.csv", rulebook="back.yaml")
    assert result.return_value == 0, of.told(result)
    rows = list(csv.reader(io.StringIO((folder / "two-paid.csv").read_text(encoding="utf-8"))))
    assert rows[1][-4:-1] == ["140.00", "90%", "80.00"]


@pytest.mark.parametrize("name", ["a.parquet", "a.xlsx", "duckdb:a.db?table=t", "sqlite:b.db?table=t", "a.tsv.zst"])
def test_inputs_of_every_kind_are_inputs(folder: Path, name: str) -> None:
    """Echoed inputs, read again, give the same results in every kind of file."""
    (folder / "good.csv").write_text("\n".join([of.HEADER, *of.GOOD, ""]), encoding="utf-8")
    assert of.batch(folder, name, "--select", "inputs", source="good.csv").return_value == 0
    result = of.batch(folder, "again.csv", "--select", "outputs", source=name)
    assert result.return_value == 0, of.told(result)
    assert (folder / "again.csv").read_text(encoding="utf-8") == "\n".join([of.RESULTS, *of.COMPUTED, ""])
    assert of.batch(folder, "again.parquet", source=name).return_value == 0
    assert of.parquet_rows(folder / "again.parquet")[1] == of.VALUES or name.startswith(("sqlite", "a.tsv", "a.xlsx"))


def test_tables_are_echoed_as_text(folder: Path) -> None:
    """What comes from Parquet stands in a file of text as plain values, and from Parquet to Parquet keeps its type."""
    days = [datetime.date(2025, 1, 5), datetime.date(2025, 1, 6)]
    pl.DataFrame(
        {
            "episode_id": ["0001", "E,2"], "person": ["P1", "P2"], "level": ["town", "乡镇"], "day": days,
            "total": pl.Series([D("100.010"), D("4.000")], dtype=pl.Decimal(12, 3)), "referred": [True, None],
            "nights": pl.Series([3, None], dtype=pl.UInt8), "ward": [7, 8], "weight": [0.1, 2.5],
        }
    ).write_parquet(folder / "in.parquet")  # fmt: skip
    select = ["--select", "inputs,pays"]
    assert of.batch(folder, "a.csv", *select, source="in.parquet").return_value == 0
    assert (folder / "a.csv").read_text(encoding="utf-8") == (
        "episode_id,person,level,day,total,referred,nights,ward,weight,pays\n"
        "0001,P1,town,2025-01-05,100.010,true,3,7,0.1,50.01\n"
        '"E,2",P2,乡镇,2025-01-06,4.000,,,8,2.5,2.00\n'
    )
    assert of.batch(folder, "a.parquet", *select, source="in.parquet").return_value == 0
    types = {field.name: str(field.type) for field in pq.read_schema(folder / "a.parquet")}
    assert (types["total"], types["nights"], types["ward"], types["weight"], types["level"]) == (
        "decimal128(12, 3)", "uint8", "int64", "double", "string",
    )  # fmt: skip
    assert [row[2] for row in of.parquet_rows(folder / "a.parquet")[1]] == ["town", "乡镇"]
    assert of.batch(folder, "sqlite:a.db?table=t", *select, source="in.parquet").return_value == 0
    assert of.sqlite_rows(folder / "a.db")[1][1] == [
        "E,2",
        "P2",
        "town",
        "2025-01-06",
        "4.00",
        None,
        None,
        "8",
        "2.5",
        "2.00",
    ]


def test_columns_without_a_name_are_called_by_their_place(folder: Path) -> None:
    """Where columns must have names; text files keep the header as it is."""
    (folder / "in.csv").write_text(
        "episode_id,person,level,day,total,,\nE1,P1,town,2025-01-05,1,x,y\n", encoding="utf-8"
    )
    select = ["--select", "inputs,pays"]
    for name in ("a.csv", "a.parquet", "a.xlsx", "duckdb:a.db?table=t", "sqlite:b.db?table=t"):
        assert of.batch(folder, name, *select).return_value == 0, name
    names = ["episode_id", "person", "level", "day", "total", "column_6", "column_7", "pays"]
    assert of.parquet_rows(folder / "a.parquet")[0] == names
    assert of.duckdb_rows(folder / "a.db")[0] == of.sqlite_rows(folder / "b.db")[0] == names
    header = (folder / "a.csv").read_text(encoding="utf-8").splitlines()[0]
    assert header == "episode_id,person,level,day,total,,,pays"
