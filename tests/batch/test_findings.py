"""`checks:` in a batch: findings on bills, lines, groups of lines and groups across bills, in a file of their own."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result

from rxcalc.cli.main import cli

HEAD = """
rxcalc: 1
rulebook: finds
version: "1"
currency: CNY
rounding: half-up
effective: {from: 2024-01-01, by: day}
inputs:
  episode_id: {type: code}
  region: {type: code}
  day: {type: date}
  total: {type: money}
"""

RULEBOOK = (
    HEAD
    + """
tables:
  listed: {file: listed.csv, key: [code], columns: {price: money}}
lines:
  inputs: {line_no: {type: count}, code: {type: code}, quantity: {type: count}, amount: {type: money}}
  order: [line_no]
checks:
  - {name: above_listed, when: "amount > listed[code].price * quantity", say: {en: "above the listed price, by line", zh: 高于挂网价}, amount: "amount - listed[code].price * quantity"}
  - {when: sum(lines.amount) != total, say: the lines do not add up, severity: error, amount: total - sum(lines.amount)}
groups:
  by_code:
    of: lines
    by: {code: code}
    steps: {pieces: {rule: sum(lines.quantity)}}
    checks: [{name: many, when: pieces > 9, say: many pieces, severity: info}]
  region_year:
    of: episodes
    by: {region: region, year: year(day)}
    steps: {paid: {rule: sum(episodes.pays)}}
    checks: [{name: dear_year, when: paid > ¥40, say: a dear year, amount: paid / 3}]
steps:
  pays: {rule: total * 50%}
outputs: [pays]
"""
)

HEADER = "episode_id,check,severity,level,row,amount,message,figures\n"
EPISODES = (
    "episode_id,region,day,total\nE1,N,2025-01-02,30\nE2,N,2025-01-03,60.00\nE3,N,2025-13-01,5\nE4,S,2025-01-04,7\n"
)
LINES = (
    "episode_id,line_no,code,quantity,amount\nE1,1,A01,1,12.00\nE1,2,A01,1,13\nE1,3,C03,1,5\nE1,4,B02,1,7\n"
    "E2,1,B02,10,60\nE4,1,B02,1,8\nE3,1,B02,1,80\n"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the rulebook, its table, and the files of a batch."""
    (tmp_path / "r.yaml").write_text(RULEBOOK, encoding="utf-8")
    (tmp_path / "listed.csv").write_text("code,price\nA01,12\nB02,7\n", encoding="utf-8")
    (tmp_path / "e.csv").write_text(EPISODES, encoding="utf-8")
    (tmp_path / "l.csv").write_text(LINES, encoding="utf-8")
    return tmp_path


def batch(folder: Path, *more: str, lines: bool = True) -> Result:
    """`rxcalc batch` over the files."""
    args = [
        "batch",
        str(folder / "e.csv"),
        "-r",
        str(folder / "r.yaml"),
        "-o",
        str(folder / "out.csv"),
        "--no-progress",
    ]
    args += ["--lines", str(folder / "l.csv")] if lines else []
    return CliRunner().invoke(cli, [*args, *more], standalone_mode=False)


def found(folder: Path, name: str = "out.findings.csv") -> str:
    """The findings as written."""
    return (folder / name).read_text(encoding="utf-8")


def test_findings_of_every_level_stand_in_one_file(folder: Path) -> None:
    """By hand: line 2 is 1.00 above 12.00, the lines of E1 are 7 more than the bill; 15 + 30 = 45 in the north, a third is 15."""
    result = batch(folder, "--lang", "en")
    assert result.return_value == 1, result.stderr
    assert found(folder) == (
        HEADER
        + 'E1,above_listed,warn,lines,2,1.00,"above the listed price, by line",13.00 > 12.00 * 1\n'
        + "E1,2,error,,,-7.00,the lines do not add up,37.00 != 30.00\n"
        + "E2,many,info,by_code,B02,,many pieces,10 > 9\n"
        + 'E4,above_listed,warn,lines,1,1.00,"above the listed price, by line",8.00 > 7.00 * 1\n'
        + "E4,2,error,,,-1.00,the lines do not add up,8.00 != 7.00\n"
        + ",dear_year,warn,region_year,N/2025,15.00,a dear year,45.00 > ¥40\n"
    )


def test_the_summary_counts_and_adds_up_by_check(folder: Path) -> None:
    """With the hash of the file; the terminal says how many."""
    result = batch(folder)
    summary = json.loads((folder / "out.summary.json").read_text(encoding="utf-8"))
    data = (folder / "out.findings.csv").read_bytes()
    assert summary["findings"]["sha256"] == hashlib.sha256(data).hexdigest()
    assert summary["findings"]["checks"] == {
        "above_listed": {"severity": "warn", "count": 2, "amount": "2.00"},
        "2": {"severity": "error", "count": 2, "amount": "-8.00"},
        "many": {"severity": "info", "count": 1},
        "dear_year": {"severity": "warn", "count": 1, "amount": "15.00"},
    }
    assert not any("checks" in text for text in summary["assumptions"])
    assert "6 finding(s), 2 of them errors: see" in result.stderr
    assert "  warn   above_listed  2  CNY 2.00" in result.stderr


def test_messages_follow_the_language(folder: Path) -> None:
    """`--lang zh`; a text without Chinese stays as it is."""
    batch(folder, "--lang", "zh", "--findings", str(folder / "other.csv"))
    assert not (folder / "out.findings.csv").exists()
    assert ",高于挂网价," in found(folder, "other.csv")
    assert ",a dear year," in found(folder, "other.csv")


def test_without_findings_the_file_has_its_header(folder: Path) -> None:
    """And nothing is wrong; a warning alone is no error either."""
    (folder / "e.csv").write_text("episode_id,region,day,total\nE1,N,2025-01-02,12\n", encoding="utf-8")
    (folder / "l.csv").write_text("episode_id,line_no,code,quantity,amount\nE1,1,A01,1,12\n", encoding="utf-8")
    assert batch(folder).return_value == 0
    assert found(folder) == HEADER
    (folder / "l.csv").write_text("episode_id,line_no,code,quantity,amount\nE1,1,B02,1,12\n", encoding="utf-8")
    assert batch(folder).return_value == 0
    assert found(folder).count("\n") == 2


def test_rulebooks_without_checks_write_no_such_file(folder: Path) -> None:
    """`--findings` is refused then."""
    (folder / "r.yaml").write_text(HEAD + "steps:\n  pays: {rule: total * 50%}\noutputs: [pays]\n", encoding="utf-8")
    assert batch(folder, lines=False).return_value == 1  # E3 is refused
    assert not (folder / "out.findings.csv").exists()
    assert "findings" not in json.loads((folder / "out.summary.json").read_text(encoding="utf-8"))
    result = batch(folder, "--findings", str(folder / "f.csv"), lines=False)
    assert "the rulebook has no checks" in str(result.exception)


def test_the_file_may_replace_nothing_that_is_read(folder: Path) -> None:
    """Nor another output."""
    for name in ("l.csv", "out.csv", "listed.csv"):
        result = batch(folder, "--findings", str(folder / name))
        assert "is also" in str(result.exception), name
    assert (folder / "l.csv").read_text(encoding="utf-8") == LINES


def test_findings_are_no_results_to_hold_back_by_halves(folder: Path) -> None:
    """Neither a dry run nor one past `--max-rejects` writes them."""
    assert batch(folder, "--dry-run").return_value == 1
    assert not (folder / "out.findings.csv").exists()
    result = batch(folder, "--max-rejects", "0")
    assert "no results were published" in str(result.exception)
    assert not (folder / "out.findings.csv").exists()
    findings = json.loads((folder / "out.summary.json").read_text(encoding="utf-8"))["findings"]
    assert "sha256" not in findings
    assert findings["checks"]["many"]["count"] == 1


@pytest.mark.parametrize("block", [40, 6 << 20])
def test_blocks_and_doubled_ids_change_nothing(tmp_path: Path, block: int) -> None:
    """A stream is gone through again when ids turn out to be doubled: findings are written once, and not on these."""
    import rxcalc
    from rxcalc.driver.batch import run_batch
    from rxcalc.driver.batch_report import BatchOptions

    (tmp_path / "r.yaml").write_text(
        HEAD + "steps:\n  pays: {rule: total * 50%}\noutputs: [pays]\n"
        "checks: [{name: big, when: pays > ¥2, say: big, amount: pays}]\n",
        encoding="utf-8",
    )
    rows = [f"E{n},N,2025-01-02,{n}.00\n" for n in (*range(10), 7)]
    (tmp_path / "e.csv").write_text("episode_id,region,day,total\n" + "".join(rows), encoding="utf-8")
    plan = rxcalc.load(tmp_path / "r.yaml").plan
    report = run_batch(plan, BatchOptions(episodes=tmp_path / "e.csv", results=tmp_path / "out.csv", block=block))
    assert report.findings["big"].count == 4
    assert [line.split(",")[0] for line in found(tmp_path).splitlines()[1:]] == ["E5", "E6", "E8", "E9"]
    assert report.findings["big"].amount == 14  # 2.5 + 3 + 4 + 4.5


LATE = """
rxcalc: 1
rulebook: again
version: "1"
currency: CNY
rounding: half-up
effective: {from: 2024-01-01, by: day}
inputs:
  episode_id: {type: code}
  person_id: {type: code}
  day: {type: date}
sequence: {by: person_id, order: [day, episode_id]}
windows: {recent: {rolling: 30 days, date: day}}
lines:
  order: [line_no]
  inputs: {line_no: {type: count}, code: {type: code}, amount: {type: money}}
steps:
  total: {rule: sum(lines.amount)}
  due: {rule: "max(0, ¥300 - recent.sum(due where recent.total <= total))"}
checks:
  - {name: again, when: 'code in {"A", "B"} and recent.count(where recent.lines.code = code) > 0', say: again, amount: amount}
  - {name: first, when: "recent.sum(recent.lines.amount where recent.lines.code = code) = 0 and amount > ¥90", say: first}
  - {name: much, when: total + recent.sum(recent.lines.amount) > ¥290, say: much}
outputs: [due, total]
"""


def test_calls_over_earlier_lines_that_only_checks_read_leave_amounts_in_columns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only persons with something in the window are computed one bill after the other; the files are those of all persons."""
    from rxcalc.backends.columnar.persons import SequenceRun

    (tmp_path / "r.yaml").write_text(LATE, encoding="utf-8")
    episodes, lines = ["episode_id,person_id,day\n"], ["episode_id,line_no,code,amount\n"]
    for at in range(400):  # of every four persons one has a second bill, half of these within 30 days
        days = ["2025-01-02", "2025-01-20" if at % 8 else "2025-03-20"][: 2 - bool(at % 4)]
        for number, day in enumerate(days):
            episodes.append(f"E{at}-{number},P{at},{day}\n")
            lines += [
                f"E{at}-{number},{k},{'ABCD'[(at // 4 + k) % 4]},{(at * 37 + k * 11) % 100}.00\n" for k in range(3)
            ]
    (tmp_path / "e.csv").write_text("".join(episodes), encoding="utf-8")
    (tmp_path / "l.csv").write_text("".join(lines), encoding="utf-8")
    names = ["out.csv", "out.findings.csv"]
    counted: list[int] = []
    one_by_one = SequenceRun._one_by_one

    def count(run: SequenceRun, frame: pl.DataFrame) -> None:
        counted.append(frame["__person"].n_unique())
        one_by_one(run, frame)

    monkeypatch.setattr(SequenceRun, "_one_by_one", count)
    assert batch(tmp_path).return_value == 0
    columns = [(tmp_path / name).read_bytes() for name in names]
    assert sum(counted) == 50
    every = pl.Boolean()
    monkeypatch.setattr(
        SequenceRun, "_by_one", lambda _, frame: pl.repeat(value=True, n=frame.height, dtype=every, eager=True)
    )
    assert batch(tmp_path).return_value == 0
    assert sum(counted) == 450
    assert [(tmp_path / name).read_bytes() for name in names] == columns
    for check in ("again", "first", "much"):
        assert f",{check},".encode() in columns[1]
