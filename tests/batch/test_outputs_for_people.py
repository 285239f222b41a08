"""Results for people: cells that spreadsheets show as they are, columns by other names, ids hidden."""

from __future__ import annotations

import csv
import importlib.util
import io
import json
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rxcalc.inputs.guarded import guarded, unguarded
from rxcalc.tabular.write_excel import safe_cell, safe_cells

_SPEC = importlib.util.spec_from_file_location(
    "rxcalc_test_outputs", Path(__file__).parents[1] / "batch" / "outputs.py"
)
assert _SPEC is not None
assert _SPEC.loader is not None
of: Any = sys.modules.setdefault(_SPEC.name, importlib.util.module_from_spec(_SPEC))
_SPEC.loader.exec_module(of)

D = Decimal


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the rulebook and the episodes."""
    (tmp_path / "r.yaml").write_text(of.RULEBOOK, encoding="utf-8")
    (tmp_path / "in.csv").write_text(of.EPISODES, encoding="utf-8")
    return tmp_path


# ---- --excel ----------------------------------------------------------------------------------------


def test_spreadsheets_show_cells_as_they_are(folder: Path) -> None:
    """A mark at the start, ids and formulas as texts, amounts and dates as they were."""
    assert of.batch(folder, "a.csv", "--excel").return_value == 1
    data = (folder / "a.csv").read_bytes()
    assert data.startswith(b"\xef\xbb\xbfepisode_id,")
    rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    assert rows[1][:2] == ['="0001"', '="110101199003071234"']
    assert rows[1][10] == '="007"'
    assert rows[2][9:11] == ['="=HYPERLINK(""x"")"', '="1-2"']
    assert rows[3][1] == rows[3][18] == '="-5"'
    assert rows[3][3:5] == ["2025年1月7日", "8888888.88"]
    assert rows[3][10] == '="@x"'
    assert rows[4][9] == '="kept"'
    assert rows[1][18] == '="110101199003071234"'
    rejects = list(csv.reader(io.StringIO((folder / "a.rejects.csv").read_text(encoding="utf-8-sig"), newline="")))
    assert rejects[2][0] == '="=E5"'
    assert rejects[2][4] == rejects[2][14] == '="-5+1"'
    assert rejects[2][9] == '="+cmd"'
    assert rejects[2][17].startswith('="=E5,')


def test_rejects_for_spreadsheets_run_again_after_mending(folder: Path) -> None:
    """What is guarded is read as what it stands for: by hand, half of 4.00 and of 5.00."""
    of.batch(folder, "a.csv", "--excel")
    text = (folder / "a.rejects.csv").read_text(encoding="utf-8-sig")
    mended = text.replace("moon", "town", 1).replace('"=""-5+1"""', "4", 1)
    (folder / "again.csv").write_text(mended, encoding="utf-8-sig")
    result = of.batch(folder, "b.parquet", "--select", "episode_id,person,remark,pays", source="again.csv")
    assert result.return_value == 0, result.stderr
    assert of.parquet_rows(folder / "b.parquet")[1] == [["E4", "P4", None, D("2.50")], ["=E5", "P5", "+cmd", D("2.00")]]


def test_inputs_written_for_spreadsheets_are_read_again(folder: Path) -> None:
    """The inputs of results written with --excel give the same results."""
    (folder / "good.csv").write_text("\n".join([of.HEADER, *of.GOOD, ""]), encoding="utf-8")
    assert of.batch(folder, "for-excel.csv", "--excel", "--select", "inputs", source="good.csv").return_value == 0
    assert of.batch(folder, "a.parquet", source="good.csv").return_value == 0
    assert of.batch(folder, "b.parquet", source="for-excel.csv").return_value == 0
    first, again = of.parquet_rows(folder / "a.parquet"), of.parquet_rows(folder / "b.parquet")
    ward = of.NAMES.index("ward")
    assert [row[ward] for row in again[1]] == [
        '="007"',
        '="1-2"',
        '="@x"',
        None,
    ]  # nobody reads it, so it stays as written
    for rows in (first[1], again[1]):
        for row in rows:
            row[ward] = None
    assert first == again


_TRICKY = st.text(
    alphabet=st.sampled_from("=\"'+-@\t\r\n 019.,eE/%元JanmTRUE（＝＋１ab|"), max_size=9
) | st.text(max_size=20)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(_TRICKY, min_size=1, max_size=30), st.sampled_from(["number", "other", "text"]))
def test_every_text_is_read_again_as_it_was(texts: list[str], column: Any) -> None:
    """And what begins as a formula does never; cells and whole columns are written alike."""
    safe = [safe_cell(text, column) for text in texts]
    assert pl.DataFrame({"x": texts}).select(safe_cells(pl.col("x"), column)).to_series().to_list() == safe
    for text, cell in zip(texts, safe, strict=True):
        assert unguarded(cell) == unguarded(text)
        if cell[:1] in ("\t", "\r", "\n") or cell.lstrip(" ")[:1] in ("=", "+", "-", "@", "＝", "＋"):
            number = cell.removeprefix("-").removesuffix("%").replace(".", "", 1)
            plain = cell[0] == "-" and number.isascii() and number.isdigit()
            assert plain or cell in ("-", "--", guarded(unguarded(cell)))
    assert [unguarded(guarded(text)) for text in texts] == texts


# ---- names ------------------------------------------------------------------------------------------


def test_columns_are_called_by_label_or_by_the_national_interface(folder: Path) -> None:
    """Inputs and results; what has no such name keeps its own, and the summary says so. Rejects are as read."""
    assert of.batch(folder, "a.csv", "--names", "label", "--select", "inputs,pays,shares").return_value == 1
    header = (folder / "a.csv").read_text(encoding="utf-8").splitlines()[0]
    assert (
        header
        == "Case,Person,level,day,Total,rate,referred,nights,tags,remark,ward,Fund,fund.pool,Own part,All funds,patient_pays"
    )
    assert (
        of.batch(folder, "b.csv", "--names", "nhsa", "--select", "inputs,pays,patient.own,fund_pays").return_value == 1
    )
    header = (folder / "b.csv").read_text(encoding="utf-8").splitlines()[0]
    assert header == (
        "episode_id,psn_no,level,setl_time,medfee_sumamt,rate,referred,nights,tags,remark,ward,"
        "fund_pay_sumamt,psn_part_amt,hifp_pay"
    )
    assert (folder / "b.rejects.csv").read_text(encoding="utf-8").startswith(of.HEADER + ",rx_line,")
    summary = json.loads((folder / "b.summary.json").read_text(encoding="utf-8"))
    assert (
        "--names nhsa: the rulebook has none for episode_id, level, rate, referred, nights, tags, remark, which keep their own"
        in summary["assumptions"]
    )


def test_two_columns_of_one_name_are_refused(folder: Path) -> None:
    """Both are named."""
    (folder / "r.yaml").write_text(of.RULEBOOK.replace("nhsa: psn_part_amt", "nhsa: fund_pay_sumamt"), encoding="utf-8")
    result = of.batch(folder, "a.csv", "--names", "nhsa")
    assert "'pays' and 'patient.own' would both be called 'fund_pay_sumamt'" in of.told(result)
    assert of.batch(folder, "a.csv", "--names", "nhsa", "--select", "inputs,pays").return_value == 1


# ---- --redact ---------------------------------------------------------------------------------------


def test_redacted_results_show_no_id_and_no_text(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Amounts, dates, flags and sets stay; an id has one pseudonym in all files of one key, and another by another key."""
    monkeypatch.setenv("RXCALC_REDACT_KEY", "one")
    assert of.batch(folder, "a.csv", "--redact").return_value == 1
    rows = list(csv.DictReader(io.StringIO((folder / "a.csv").read_text(encoding="utf-8"), newline="")))
    names = [row["episode_id"] for row in rows]
    assert len(set(names)) == 4
    assert all(len(name) == 21 and name.startswith("x") for name in names)
    for row, shown in zip(rows, csv.DictReader(io.StringIO(of.CSV, newline="")), strict=True):
        for column in (
            "level",
            "day",
            "total",
            "rate",
            "referred",
            "nights",
            "pays",
            "is_big",
            "where_to",
            "patient.own",
        ):
            assert row[column] == shown[column]
        for column in ("person", "tags", "remark", "ward", "kept_tags", "who"):
            assert row[column] == ("***" if shown[column] else "")
    rejects = (folder / "a.rejects.csv").read_text(encoding="utf-8")
    for secret in ("E4", "P4", "moon", "E5", "cmd", "-5+1"):
        assert secret not in rejects
    assert [row["rx_code"] for row in csv.DictReader(io.StringIO(rejects))] == ["RX705", "RX701"]
    assert of.batch(folder, "b.parquet", "--redact").return_value == 1
    assert [row[0] for row in of.parquet_rows(folder / "b.parquet")[1]] == names
    assert [row[1] for row in of.parquet_rows(folder / "b.parquet")[1]] == ["***"] * 4
    assert [row[4] for row in of.parquet_rows(folder / "b.parquet")[1]] == [row[4] for row in of.VALUES]
    monkeypatch.delenv("RXCALC_REDACT_KEY")
    seen = set(names)
    for name in ("c.csv", "d.csv"):
        result = of.batch(folder, name, "--redact", "--select", "episode_id")
        assert "-5+1" not in result.stderr
        found = set((folder / name).read_text(encoding="utf-8").splitlines()[1:])
        assert not found & seen
        seen |= found
    assert "--resume" in of.told(of.batch(folder, "a.csv", "--redact", "--resume"))


def test_redaction_lets_rows_be_joined(folder: Path) -> None:
    """The person of a sequence has one pseudonym on all bills, with spaces around it or not."""
    (folder / "back.yaml").write_text(of.LOOKS_BACK, encoding="utf-8")
    lines = "E1,0012,2025-01-02,100,\nE2, 0012 ,2025-02-02,100,90%\nE3,0013,2025-02-02,100,90%\n"
    (folder / "one.csv").write_text("episode_id,person,day,total,rate\n" + lines, encoding="utf-8")
    assert of.batch(folder, "a.csv", "--redact", source="one.csv", rulebook="back.yaml").return_value == 0
    rows = list(csv.DictReader(io.StringIO((folder / "a.csv").read_text(encoding="utf-8"))))
    assert rows[0]["person"] == rows[1]["person"] != rows[2]["person"]
    assert [row["before"] for row in rows] == ["0.00", "50.00", "0.00"]
    result = of.batch(
        folder, "b.csv", "--redact", "--earlier", str(folder / "a.csv"), source="one.csv", rulebook="back.yaml"
    )
    assert "--redact does not go with --earlier" in of.told(result)
