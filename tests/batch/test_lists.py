"""Batches with a file of lines: every line belongs to an episode, or is refused by name; nothing is lost."""

from __future__ import annotations

import csv
import importlib.util
import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from rxcalc.driver.batch import run_batch
from rxcalc.driver.batch_report import BatchOptions, BatchReport

_SPEC = importlib.util.spec_from_file_location("rxcalc_test_levels", Path(__file__).parents[1] / "batch" / "levels.py")
assert _SPEC is not None
assert _SPEC.loader is not None
levels: Any = sys.modules.setdefault(_SPEC.name, importlib.util.module_from_spec(_SPEC))
_SPEC.loader.exec_module(levels)

EPISODES = "episode_id,person_id,day,region\n"
LINES = "episode_id,line_no,code,class,amount\n"


def episode(number: int, person: str = "P1", day: str = "2024-01-05") -> str:
    """One record of the main file."""
    return f"E{number:03},{person},{day},north\n"


def line(number: int, of: int, amount: str = "10.00", kind: str = "A") -> str:
    """One record of the lines file."""
    return f"E{of:03},{number},C{number},{kind},{amount}\n"


def run(folder: Path, episodes: str, lines: str | bytes, plan: Any = None, **options: Any) -> BatchReport:
    """A batch over both files."""
    (folder / "in.csv").write_text(EPISODES + episodes, encoding="utf-8")
    (folder / "lines.csv").write_bytes(lines.encode() if isinstance(lines, str) else lines)
    options.setdefault("list_results", {"lines": folder / "out.lines.csv"})
    made = BatchOptions(
        episodes=folder / "in.csv", results=folder / "out.csv", lists={"lines": folder / "lines.csv"}, **options
    )
    return run_batch(plan or levels.plan_of(), made)


def rows_of(path: Path) -> list[list[str]]:
    """A CSV file's records, by another reader."""
    return list(csv.reader(io.StringIO(path.read_bytes().decode(), newline="")))


def codes_of(path: Path, key: int = 1) -> dict[tuple[str, str], str]:
    """Code by episode id and one more column of a rejects file."""
    header, *rows = rows_of(path)
    return {(row[0], row[key]): row[header.index("rx_code")] for row in rows}


def test_lines_reach_their_episode_wherever_they_stand(tmp_path: Path) -> None:
    """Lines need no order; they are written in that of their file, with the list's steps."""
    lines = LINES + line(2, 2, "0.50") + line(1, 1, "1.00") + line(1, 2, "2.00") + line(2, 1, "3.33")
    report = run(tmp_path, episode(1) + episode(2) + episode(3), lines)
    assert report.exit_code == 0
    assert [(r[0], r[-1]) for r in rows_of(tmp_path / "out.csv")] == [
        ("episode_id", "due"), ("E001", "2.17"), ("E002", "1.25"), ("E003", "0.00"),
    ]  # fmt: skip
    assert rows_of(tmp_path / "out.lines.csv") == [
        ["episode_id", "line_no", "code", "class", "amount", "twice"],
        ["E002", "2", "C2", "A", "0.50", "1.00"],
        ["E001", "1", "C1", "A", "1.00", "2.00"],
        ["E002", "1", "C1", "A", "2.00", "4.00"],
        ["E001", "2", "C2", "A", "3.33", "6.66"],
    ]
    assert report.lists["lines"].accounts.counts() == {"read": 4, "written": 4, "rejected": 0, "totals": 0, "blank": 0}


@pytest.mark.parametrize("block", [64, 200, 6 << 20])
def test_a_bad_line_refuses_its_whole_episode(tmp_path: Path, block: int) -> None:
    """The episode has the line's code and place; the episode's other lines follow it; other episodes are computed."""
    lines = LINES + line(1, 1) + line(2, 1, "1.005") + line(3, 1, "7.00", "D") + line(1, 2, "5.00")
    report = run(tmp_path, episode(1) + episode(2), lines, block=block)
    assert report.reject_codes == {"RX702": 1}
    header, row = rows_of(tmp_path / "out.rejects.csv")
    reject = dict(zip(header, row, strict=True))
    assert reject["episode_id"] == "E001"
    assert reject["rx_field"] == "lines.amount"
    assert reject["rx_message"].startswith("line 3 of lines.csv: amount:")
    assert "1 more of its lines" in reject["rx_message"]
    assert codes_of(tmp_path / "out.lines.rejects.csv") == {
        ("E001", "1"): "RX816", ("E001", "2"): "RX702", ("E001", "3"): "RX705",
    }  # fmt: skip
    told = {r[1]: r[9] for r in rows_of(tmp_path / "out.lines.rejects.csv")}
    assert "line 3 of lines.csv" in told["1"]
    assert [r[0] for r in rows_of(tmp_path / "out.lines.csv")[1:]] == ["E002"]


def test_lines_without_episode_and_of_refused_ones_are_rejects(tmp_path: Path) -> None:
    """An orphan and a line of a refused episode are both RX816, each with its reason."""
    episodes = episode(1) + "E002,P1,2024-13-01,north\n" + episode(3) + episode(3)
    lines = LINES + line(1, 1) + line(1, 2) + line(1, 3) + line(1, 9) + ",1,C1,A,4.00\n"
    report = run(tmp_path, episodes, lines)
    assert report.exit_code == 1
    assert report.lists["lines"].reject_codes == {"RX816": 3, "RX704": 1}
    assert report.lists["lines"].unlinked == 1
    told = {r[0]: r[-3] for r in rows_of(tmp_path / "out.lines.rejects.csv")}
    assert "no episode of in.csv has the id 'E009'" in told["E009"]
    assert "RX706 on line 3 of in.csv" in told["E002"]
    assert "RX744" in told["E003"]


def test_every_line_and_amount_is_accounted_for(tmp_path: Path) -> None:
    """Read = written + rejected + totals + blank, in records and in money, in the summary too."""
    lines = (
        LINES
        + line(1, 1, "1.50")
        + line(1, 7, "2.25")
        + line(2, 2, "x")
        + line(1, 2, "4.00")
        + "合计,,,,99.00\n"
        + ",,,,\n"
        + "E001,5\n"
    )
    report = run(tmp_path, episode(1) + episode(2), lines)
    accounts = report.lists["lines"].accounts
    assert accounts.counts() == {"read": 7, "written": 1, "rejected": 4, "totals": 1, "blank": 1}
    assert accounts.differences() == ()
    summary = json.loads((tmp_path / "out.summary.json").read_text(encoding="utf-8"))
    found = summary["lists"]["lines"]
    assert found["counts"] == accounts.counts()
    assert found["totals"]["amount"] == {
        "read": "106.75", "written": "1.50", "rejected": "6.25", "totals": "99.00", "blank": "0.00", "unreadable_cells": 1,
    }  # fmt: skip
    assert found["rejects_by_code"] == {"RX701": 1, "RX741": 1, "RX816": 2}
    assert found["input"]["name"] == "lines.csv"
    assert {"input", "results", "rejects"} <= found.keys()
    assert summary["status"] == "incomplete"


def test_rejected_lines_can_be_mended_and_fed_back(tmp_path: Path) -> None:
    """The rejects of lines are an input again; their rx_ columns are ignored."""
    run(tmp_path, episode(1), LINES + line(1, 1) + line(2, 1, "1.005"))
    rejects = (tmp_path / "out.lines.rejects.csv").read_text(encoding="utf-8").replace("1.005", "1.50")
    again = tmp_path / "again"
    again.mkdir()
    report = run(again, episode(1), rejects)
    assert report.exit_code == 0
    assert [r[0] for r in rows_of(again / "out.lines.csv")[1:]] == ["E001", "E001"]


def test_doubled_order_and_required_lists_are_told_with_their_lines(tmp_path: Path) -> None:
    """RX805 stands on the doubled lines themselves and in the episode with their numbers; RX808 on the episode."""
    lines = LINES + line(1, 1) + line(2, 1) + line(1, 1)
    report = run(tmp_path, episode(1) + episode(2), lines, levels.plan_of(required=True))
    assert report.reject_codes == {"RX805": 1, "RX808": 1}
    told = {r[0]: r[-3] for r in rows_of(tmp_path / "out.rejects.csv")}
    assert "(lines 2, 4 of lines.csv)" in told["E001"]
    assert [r[6] for r in rows_of(tmp_path / "out.lines.rejects.csv")[1:]] == ["RX805", "RX816", "RX805"]
    assert "line 4 has the same line_no" in rows_of(tmp_path / "out.lines.rejects.csv")[1][-3]


def test_lines_refuse_what_comes_after_their_episode(tmp_path: Path) -> None:
    """Without --lines-out nothing of the lines is written but rejects; accounts are the same."""
    report = run(tmp_path, episode(1), LINES + line(1, 1) + line(1, 5), list_results={})
    assert report.exit_code == 1
    assert not (tmp_path / "out.lines.csv").exists()
    assert report.lists["lines"].accounts.counts()["written"] == 1
    assert codes_of(tmp_path / "out.lines.rejects.csv") == {("E005", "1"): "RX816"}


def test_headers_of_lines_match_by_alias_and_map(tmp_path: Path) -> None:
    """As in the main file; `--columns` names fields of a list as `lines.amount`."""
    report = run(tmp_path, episode(1), "episode_id,序号,code,class,金额\nE001,1,X,A,5.00\n")
    assert report.exit_code == 0
    mapped = run(
        tmp_path, episode(1), "住院,序号,code,class,费用\nE001,1,X,A,5.00\n",
        columns={"lines.episode_id": "住院", "lines.amount": "费用"},
    )  # fmt: skip
    assert mapped.exit_code == 0
    lacking = run(tmp_path, episode(1), "episode_id,line_no,code,class,amuont\n")
    assert lacking.exit_code == 2
    assert lacking.problem is not None
    assert "amuont" in lacking.problem.help[0]


def test_files_for_lists_must_fit_the_rulebook(tmp_path: Path) -> None:
    """A list that the rulebook lacks, a required one without file, and an input as output are exit code 2."""
    (tmp_path / "in.csv").write_text(EPISODES + episode(1), encoding="utf-8")
    (tmp_path / "lines.csv").write_text(LINES, encoding="utf-8")

    def told(plan: Any, **options: Any) -> str:
        made = BatchOptions(episodes=tmp_path / "in.csv", results=tmp_path / "out.csv", **options)
        report = run_batch(plan, made)
        assert report.exit_code == 2
        assert report.problem is not None
        return report.problem.message

    plan = levels.plan_of()
    assert "no list 'items'" in told(plan, lists={"items": tmp_path / "lines.csv"})
    assert "every episode needs rows of 'lines'" in told(levels.plan_of(required=True))
    assert "is also" in told(
        plan, lists={"lines": tmp_path / "lines.csv"}, list_results={"lines": tmp_path / "lines.csv"}
    )
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.csv", "lines.csv"]
    report = run_batch(plan, BatchOptions(episodes=tmp_path / "in.csv", results=tmp_path / "out.csv"))
    assert report.exit_code == 0
    assert "lines: no file is given, so no episode has any" in report.assumptions


def test_a_file_without_money_may_hold_records_of_other_spellings(tmp_path: Path) -> None:
    """Episodes whose only amounts are in their lines are read by their shape, and one by one where they have another."""
    episodes = "".join(episode(n, f"P{n:03}") for n in range(8)) + episode(9, "P9") + episode(10, "P010")
    assert run(tmp_path, episodes, LINES).exit_code == 0
    assert [r[0] for r in rows_of(tmp_path / "out.csv")[1:]] == [f"E{n:03}" for n in (*range(8), 9, 10)]


@pytest.mark.parametrize("order", ["line_no", "file"])
def test_a_hundred_blocks_of_lines_give_the_same(tmp_path: Path, order: str) -> None:
    """Results do not depend on how the file is cut into blocks."""
    episodes = "".join(episode(n) for n in range(50))
    made = [line(k, n, f"{k}.{n:02}") for n in range(50) for k in range(1, 9)]
    if order == "file":
        made = made[1::2] + made[::2]
    found = []
    for block in (100, 1000, 6 << 20):
        run(tmp_path, episodes, LINES + "".join(made), block=block)
        found.append((tmp_path / "out.lines.csv").read_bytes() + (tmp_path / "out.csv").read_bytes())
    assert found[0] == found[1] == found[2]
    assert len(rows_of(tmp_path / "out.lines.csv")) == 401
