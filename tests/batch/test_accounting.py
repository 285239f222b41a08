"""Nothing is lost: counts and sums of dirty files, held against an independent reader; rejects mended and run again."""

from __future__ import annotations

import csv
import io
import json
import re
import tempfile
import unicodedata
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from rxcalc.cli.load import plan_of
from rxcalc.cli.main import cli
from rxcalc.cli.show import Failure
from rxcalc.driver.batch import run_batch
from rxcalc.driver.batch_report import BatchOptions

RULEBOOK = """
rxcalc: 1
rulebook: half
version: "1"
currency: CNY
rounding: half-up
effective: {from: 2025-01-01, by: day}
inputs:
  episode_id: {type: code}
  day: {type: date}
  level: {one_of: [town, city]}
  total: {type: money, max: 100_000, aliases: [费用]}
  fee: {type: money, default: 2}
requires:
  - {that: total >= fee, say: the fee is more than the bill}
steps:
  paid: {rule: "total * 50%"}
outputs: [paid]
"""
WITH_LINES = RULEBOOK.replace(
    "requires:", "lines: {inputs: {line_no: {type: count}, price: {type: money, min: 0}}, order: [line_no]}\nrequires:"
)
HEAD = ["episode_id", "day", "level", "费用", "fee", "note"]
TRIM = " \t\r\n\u00a0\u3000\u2007\u202f"


# ---- a reader that shares nothing with rxcalc --------------------------------------------------------------


def amount(cell: str) -> Decimal | str | None:
    """What a money cell says: an amount, None when it is missing, or "unreadable"."""
    text = unicodedata.normalize("NFKC", cell.strip(TRIM)).strip().replace(" ", "")
    if cell.strip(TRIM) in ("", "无", "待填", "空", "-", "--", "N/A", "n/a"):
        return None
    found = re.fullmatch(r"(-?)(?:¥|CNY)?(\d{1,3}(?:,\d{3})+|\d+)(\.\d+)?(万?)元?", text)
    if not found or len(re.sub(r"\D", "", text)) > 30:
        return "unreadable"
    sign, whole, decimals, ten_thousand = found.groups()
    value = Decimal(sign + whole.replace(",", "") + (decimals or ""))
    return value * (10_000 if ten_thousand else 1)


def kind(fields: list[str]) -> str:
    """Whether a record is blank, a row of totals, broken, or data."""
    if (len(fields) != len(HEAD) and fields) or any("\0" in f or "\ufffd" in f for f in fields):
        return "blank" if not any(f.strip(TRIM) for f in fields) else "broken"
    if not any(f.strip(TRIM) for f in fields):
        return "blank"
    words = r"(合\s*计|总\s*计|小\s*计|(sub|grand )?total)\s*[:：]?"
    is_missing = amount(fields[0]) is None
    return "totals" if re.fullmatch(words, fields[0].strip(TRIM), re.IGNORECASE) and not is_missing else "data"


class Sums:
    """Records and, for each money column, the sum and the cells that cannot be read."""

    def __init__(self, records: list[list[str]], header: list[str], broken: set[int]) -> None:
        self.records, self.sums, self.unreadable = (
            len(records),
            {"total": Decimal(0), "fee": Decimal(0)},
            Counter[str](),
        )
        for name, column in (("total", "费用"), ("fee", "fee")):
            for at, fields in enumerate(records):
                value = (
                    amount(fields[header.index(column)])
                    if at not in broken and len(fields) > header.index(column)
                    else None
                )
                if value == "unreadable":
                    self.unreadable[name] += 1
                elif isinstance(value, Decimal):
                    self.sums[name] += value


def records_of(path: Path) -> list[list[str]]:
    text = path.read_bytes().decode(errors="replace")
    return list(csv.reader(io.StringIO(text, newline="")))


def check(folder: Path) -> dict[str, Any]:
    """The summary held against input, results and rejects, each read independently."""
    summary: dict[str, Any] = json.loads((folder / "out.summary.json").read_text(encoding="utf-8"))
    every = records_of(folder / "in.csv")[1:]
    by_kind: dict[str, list[list[str]]] = {"blank": [], "totals": [], "broken": [], "data": []}
    for fields in every:
        by_kind[kind(fields)].append(fields)
    results, rejects = records_of(folder / "out.csv"), records_of(folder / "out.rejects.csv")
    code = rejects[0].index("rx_code")
    untrusted = {at for at, fields in enumerate(rejects[1:]) if fields[code] in ("RX741", "RX742", "RX743")}
    assert len(untrusted) == len(by_kind["broken"])
    found = {
        "read": Sums(by_kind["data"] + by_kind["totals"], HEAD, set()),
        "written": Sums(results[1:], results[0], set()),
        "rejected": Sums(rejects[1:], rejects[0], untrusted),
        "totals": Sums(by_kind["totals"], HEAD, set()),
        "blank": Sums([], HEAD, set()),
    }
    counts = {name: sums.records for name, sums in found.items()}
    assert summary["counts"] == {**counts, "read": len(every), "blank": len(by_kind["blank"])}
    for name in ("total", "fee"):
        told = summary["totals"][name]
        assert {k: Decimal(told[k]) for k in found} == {k: sums.sums[name] for k, sums in found.items()}
        assert told["unreadable_cells"] == found["read"].unreadable[name]
        assert sum(Decimal(told[k]) for k in ("written", "rejected", "totals", "blank")) == Decimal(told["read"])
    counted = Counter(fields[code] for fields in rejects[1:])
    assert summary["rejects_by_code"] == dict(sorted(counted.items()))
    return summary


def run(folder: Path, *more: str, text: str = RULEBOOK) -> Result:
    (folder / "r.yaml").write_text(text, encoding="utf-8")
    args = ["batch", str(folder / "in.csv"), "-r", str(folder / "r.yaml"), "-o", str(folder / "out.csv"), *more]
    return CliRunner().invoke(cli, args, standalone_mode=False, catch_exceptions=False)


# ---- dirty files -------------------------------------------------------------------------------------------

MONEY = [
    "10.00", "1,234.50", "￥１２．５０", "1.2万元", "5元", "0", "0.01", "12.3400", " 7.5 ", "99999999", "-5", "12.345", "abc",
    "", "无", "-", "N/A", "1e3", "1,23", "(5.00)", "+5", ".5", "三百", "7" * 31, "100,000.01", "NaN",
]  # fmt: skip
DAYS = ["2025-01-05", "20250105", "2025年1月5日", "2025/1/5", "2024-12-31", "45292", "05/01/2025", "", "2025-02-30"]
LEVELS = ["town", "city", "village", "", " town "]
NOTES = ["", "x", "a, b", 'he said "no"', "two\nlines", "总计"]


def line(fields: list[str]) -> str:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerow(fields)
    return out.getvalue()


GOOD = st.tuples(
    st.sampled_from(MONEY[:9]), st.sampled_from(DAYS[:4]), st.sampled_from(LEVELS[:2]), st.sampled_from(MONEY[4:7]), st.sampled_from(NOTES)
)  # fmt: skip
DIRTY = st.tuples(
    st.sampled_from(MONEY),
    st.sampled_from(DAYS),
    st.sampled_from(LEVELS),
    st.sampled_from(MONEY),
    st.sampled_from(NOTES),
)
ODD = st.sampled_from(
    [
        b"\n", b",,,,,\n", b" ,,\xe3\x80\x80,,,\n", b"E9\n", b"E9,2025-01-05,town,5,1,,,\n", b"E9,2025-01-05,town,5\xff,1,\n",
        b"E9,2025-01-05,town,5\x00,1,\n", "合计,,,\"1,000.00\",3,\n".encode(), "小 计：,,,7,,\n".encode(), b"Grand Total,,,x,,\n",
        b"total:,,,,,\n", b",2025-01-05,town,5,1,\n", "无,2025-01-05,town,5,1,\n".encode(), b"1.2E+17,2025-01-05,town,8,1,\n",
    ]
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(GOOD, DIRTY, DIRTY, ODD), max_size=40), st.booleans(), st.booleans(), st.data())
def test_counts_and_sums_of_any_dirty_file(records: list[Any], end: bool, doubled: bool, data: st.DataObject) -> None:
    """Every record of any file is in one of four places, and so is every amount that it says."""
    lines = [",".join(HEAD).encode() + b"\n"]
    for at, record in enumerate(records):
        if isinstance(record, bytes):
            lines.append(record)
            continue
        total, day, level, fee, note = record
        name = f"E{data.draw(st.integers(0, at))}" if doubled else f"E{at}"
        lines.append(line([name, day, level, total, fee, note]).encode())
    if end:
        lines.append(b'E999,2025-01-05,"town,5,1,')  # a quote that is never closed, and no end of line
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "in.csv").write_bytes(b"".join(lines))
        result = run(folder)
        assert result.return_value in (0, 1)
        summary = check(folder)
        rejects = records_of(folder / "out.rejects.csv")
        starts = {1}
        for raw in lines:
            starts.add(max(starts) + raw.count(b"\n"))
        assert all(int(fields[rejects[0].index("rx_line")]) in starts for fields in rejects[1:])
        told = f"{summary['counts']['read']:,} records read = {summary['counts']['written']:,} written"
        assert told in result.stderr


def test_lines_reconcile_too(tmp_path: Path) -> None:
    """For lines the same four counts and sums, added up here by hand."""
    (tmp_path / "in.csv").write_text(
        "episode_id,day,level,total,fee\nE1,2025-01-05,town,5,1\nE2,2025-01-05,town,x,1\nE3,2025-01-05,town,5,1\nE4,2025-01-05,city,5,1\n"
    )
    (tmp_path / "l.csv").write_text(
        'episode_id,line_no,price\nE1,1,1.50\nE1,2,"2,000.25"\nE2,1,4\nE3,1,0.125\nE3,2,8\nE7,1,16\nE4,1,32\nE4,1,64\n'
        "合计,,128\n,,\nE1,3\n,1,256\nE3,3,三\nE1,9,-5\n",
        encoding="utf-8",
    )
    result = run(
        tmp_path, "--lines", str(tmp_path / "l.csv"), "--lines-out", str(tmp_path / "l.out.csv"), text=WITH_LINES
    )
    assert result.return_value == 1
    summary = json.loads((tmp_path / "out.summary.json").read_text(encoding="utf-8"))
    # E1 is refused by its lines 3 (ragged) and 9 (below 0), E2 by itself, E3 by 0.125 and 三, E4 by two lines 1; nobody knows E7
    assert summary["counts"] == {"read": 4, "written": 0, "rejected": 4, "totals": 0, "blank": 0}
    of = summary["lists"]["lines"]
    assert of["counts"] == {"read": 14, "written": 0, "rejected": 12, "totals": 1, "blank": 1}
    assert of["totals"]["price"] == {
        "read": "2504.875", "written": "0.00", "rejected": "2376.875", "totals": "128.00", "blank": "0.00", "unreadable_cells": 1,
    }  # fmt: skip
    assert 1.5 + 2000.25 + 4 + 0.125 + 8 + 16 + 32 + 64 + 256 - 5 == 2376.875
    rejects = records_of(tmp_path / "out.lines.rejects.csv")
    assert len(rejects) == 13


# ---- rows of totals ----------------------------------------------------------------------------------------

TOTALS = """episode_id,day,level,费用,fee
E1,2025-01-05,town,"1,000.00",1
E2,2025-01-05,town,0.005,1
小计,,,1000.005,2
,,,,
E3,2025-01-05,town,10,x
E4,2025-01-05,town,99999999,1
小计,,,"100,000,009.00",
总计：,,,"100,001,009.00",3
Total,,,三,
E5,2025-01-05,town,1,1
合计,,,100001010.005,
"""


@pytest.mark.parametrize("block", [64, 1 << 20])
def test_total_rows_are_held_against_the_records_above_them(tmp_path: Path, block: int) -> None:
    """Rejected records count as what they say. A total may be of everything above it, or since the total row before."""
    (tmp_path / "r.yaml").write_text(RULEBOOK, encoding="utf-8")
    (tmp_path / "in.csv").write_text(TOTALS, encoding="utf-8")
    options = BatchOptions(episodes=tmp_path / "in.csv", results=tmp_path / "out.csv", block=block)
    run_batch(plan_of(str(tmp_path / "r.yaml")), options)
    summary = json.loads((tmp_path / "out.summary.json").read_text(encoding="utf-8"))
    assert summary["counts"]["totals"] == 5
    assert summary["total_rows"] == {
        "equal": 3,  # line 4; line 8, since line 4; line 12. Line 10 says no amount
        "different": 1,
        "rows": [
            {
                "line": 9,
                "says": {"total": "100001009.00", "fee": "3.00"},
                "above": {"total": "100001009.005", "fee": "3.00"},  # 1000 + 0.005 + 10 + 99999999; 1 + 1 + 1
                "since_last": {"total": "0.00", "fee": "0.00"},
            }
        ],
    }


def test_total_rows_on_the_terminal(tmp_path: Path) -> None:
    """A note with line, name and both sums; nothing fails by it."""
    (tmp_path / "in.csv").write_text(
        "episode_id,day,level,费用\nE1,2025-01-05,town,10\n合计,,,11\nE2,2025-01-05,town,5\n合计,,,15\n合计,,,16\n合计,,,17\n合计,,,18\n",
        encoding="utf-8",
    )
    result = run(tmp_path)
    assert result.return_value == 0
    notes = [line for line in result.stderr.splitlines() if "total row" in line and "read =" not in line]
    assert notes == [
        "  1 total row(s) equal what stands above them",
        "  note: the total row on line 3 says total 11.00, the records above it add up to 10.00",
        "  note: the total row on line 6 says total 16.00, the records above it add up to 15.00 (0.00 since the total row before)",
        "  note: the total row on line 7 says total 17.00, the records above it add up to 15.00 (0.00 since the total row before)",
        "  note: 1 more total rows differ: see total_rows in the summary",
    ]


# ---- rejects mended and run again --------------------------------------------------------------------------


def test_rejects_of_every_kind_mended_alone_give_the_missing_results(tmp_path: Path) -> None:
    """The rejects file, its cells put right and its rx_ columns left as they are, is a valid input; together nothing is missing."""
    clean = [
        [f"E{at}", "2025-01-05", ("town", "city")[at % 2], f"{at * 3 + 10}.05", "1", f"n {at}, x"] for at in range(24)
    ]
    bad: dict[int, dict[int, str]] = {
        1: {3: "12.345"}, 2: {3: "abc"}, 3: {3: ""}, 4: {1: "05/01/2025"}, 5: {2: "village"}, 6: {3: "100000.01"}, 7: {4: "x"},
        8: {3: "1", 4: "5"}, 9: {1: "2024-12-31"}, 10: {0: "1.2E+17"}, 11: {0: ""}, 12: {3: "1e3"}, 13: {0: "E14"}, 15: {1: "2025-01-05 10:30"},
        16: {5: "nul\0"},
    }  # fmt: skip
    lines = [",".join(HEAD) + "\n"]
    for at, fields in enumerate(clean):
        lines.append(line([bad.get(at, {}).get(n, cell) for n, cell in enumerate(fields)]))
    lines[18] = lines[18].rstrip("\n") + ",more\n"  # E17
    lines[19] = 'E18,"2025-01-05,town,64.05,1,x\n'
    data = "".join(lines).encode()
    data = data.replace(b'"n 19, x"', b'"n 19, \xff"')
    (tmp_path / "in.csv").write_bytes(data)
    run(tmp_path)
    first = records_of(tmp_path / "out.csv")
    rejects = records_of(tmp_path / "out.rejects.csv")
    codes = {fields[rejects[0].index("rx_code")] for fields in rejects[1:]}
    assert codes == {
        "RX701", "RX702", "RX703", "RX704", "RX705", "RX706", "RX708", "RX709", "RX710", "RX722", "RX723", "RX741", "RX742",
        "RX743", "RX744",
    }  # fmt: skip
    again = tmp_path / "again"
    again.mkdir()
    mended = [rejects[0]]
    for fields in rejects[1:]:
        own = clean[int(fields[rejects[0].index("rx_line")]) - 2]
        mended.append([*own, *fields[len(HEAD) :]])
    (again / "in.csv").write_text("".join(line(fields) for fields in mended), encoding="utf-8")
    result = run(again)
    assert result.return_value == 0, result.stderr
    second = records_of(again / "out.csv")
    whole = tmp_path / "whole"
    whole.mkdir()
    (whole / "in.csv").write_text("".join(line(fields) for fields in [HEAD, *clean]), encoding="utf-8")
    assert run(whole).return_value == 0
    assert first[0] == second[0]
    wanted = records_of(whole / "out.csv")
    assert len(first) + len(second) - 1 == len(wanted)
    assert sorted(first[1:] + second[1:]) == sorted(wanted[1:])


def test_rejects_not_mended_are_rejected_with_the_same_codes(tmp_path: Path) -> None:
    """Fed back as it is, a rejects file gives itself again, whatever is in it."""
    records = [
        [f"E{at}", "2025-01-05", "town", cell, "1", note]
        for at, (cell, note) in enumerate(zip(MONEY, NOTES * 5, strict=False))
    ]
    (tmp_path / "in.csv").write_text("".join(line(fields) for fields in [HEAD, *records]), encoding="utf-8")
    run(tmp_path)
    again = tmp_path / "again"
    again.mkdir()
    (again / "in.csv").write_bytes((tmp_path / "out.rejects.csv").read_bytes())
    run(again)
    one, other = records_of(tmp_path / "out.rejects.csv"), records_of(again / "out.rejects.csv")
    line_at = one[0].index("rx_line")
    raw = one[0].index("rx_raw")
    bare = [
        [[c for n, c in enumerate(fields) if n not in (line_at, raw)] for fields in found] for found in (one, other)
    ]
    assert bare[0] == bare[1]
    assert len(records_of(again / "out.csv")) == 1


# ---- duplicates, limits ------------------------------------------------------------------------------------


def test_every_record_of_a_doubled_id_names_another_line(tmp_path: Path) -> None:
    """Also where a record spans lines, and where one of them has another fault."""
    rows = [
        "A,2025-01-05,town,1,,\n",
        'B,2025-01-05,town,2,,"two\nlines"\n',
        "C,2025-01-05,town,3,,\n",
        "B,2025-01-05,town,x,,\n",
        "A,2025-01-05,city,5,,\n",
        " A ,2025-01-05,city,5,,\n",
    ]
    (tmp_path / "in.csv").write_text(",".join(HEAD) + "\n" + "".join(rows), encoding="utf-8")
    run(tmp_path)
    rejects = records_of(tmp_path / "out.rejects.csv")
    found = {
        fields[rejects[0].index("rx_line")]: re.findall(r"line (\d+)", fields[rejects[0].index("rx_message")])
        for fields in rejects[1:]
    }
    assert found.keys() == {"2", "3", "6", "7", "8"}
    assert found["3"] == ["6"]
    assert found["6"] == ["3"]
    assert found["2"][0] in ("7", "8")
    assert found["7"][0] in ("2", "8")
    assert found["8"][0] in ("2", "7")
    assert [fields[0] for fields in records_of(tmp_path / "out.csv")[1:]] == ["C"]


@pytest.mark.parametrize(
    ("limit", "passes"),
    [
        ("2", False),
        ("1", True),
        ("0", True),
        ("50%", False),
        ("49.99%", True),
        ("100%", False),
        ("0%", True),
    ],
)
def test_max_rejects(tmp_path: Path, limit: str, passes: bool) -> None:
    """2 of 4 records are rejected; blank records do not count. Past the limit old results stay, with new rejects and summary."""
    text = (
        ",".join(HEAD)
        + "\nA,2025-01-05,town,1,1,\nB,2025-01-05,town,x,,\n,,,,,\nC,2025-01-05,town,y,,\nD,2025-01-05,town,3,,\n"
    )
    (tmp_path / "in.csv").write_text(text, encoding="utf-8")
    (tmp_path / "out.csv").write_text("old\n")
    if not passes:
        assert run(tmp_path, "--max-rejects", limit).return_value == 1
        assert (tmp_path / "out.csv").read_text() != "old\n"
        return
    with pytest.raises(Failure) as failure:
        run(tmp_path, "--max-rejects", limit)
    assert failure.value.exit_code == 2
    assert (
        failure.value.message == f"2 records were rejected, more than --max-rejects {limit}; no results were published"
    )
    assert (tmp_path / "out.csv").read_text() == "old\n"
    assert len(records_of(tmp_path / "out.rejects.csv")) == 3
    summary = json.loads((tmp_path / "out.summary.json").read_text(encoding="utf-8"))
    assert (summary["status"], summary["options"]["max_rejects"]) == ("refused", limit)
    assert "results" not in summary
    assert summary["counts"] == {"read": 5, "written": 2, "rejected": 2, "totals": 0, "blank": 1}


@pytest.mark.parametrize("limit", ["many", "-1", "1/2", "%", "-0.1%", "nan", "inf", "1e999999", "2.5", "101%", "5 %"])
def test_limits_that_are_none(tmp_path: Path, limit: str) -> None:
    """Refused before anything is read."""
    (tmp_path / "in.csv").write_text(",".join(HEAD) + "\n", encoding="utf-8")
    with pytest.raises(Failure, match="--max-rejects takes a count such as 100 or a share"):
        run(tmp_path, "--max-rejects", limit)
    assert not (tmp_path / "out.csv").exists()
