"""Batches that settle groups: inputs from a folder, results in a folder, members that read them."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rxcalc.cli.main import cli

RULEBOOK = """
rxcalc: 1
rulebook: settles
version: "1"
currency: CNY
rounding: half-up
effective: {from: 2024-01-01, by: discharged}
inputs:
  episode_id: {type: code}
  person_id: {type: code}
  region: {one_of: {north: {aliases: [北]}, south: {}}}
  discharged: {type: date}
  points: {type: number, min: 0}
lines:
  inputs: {line_no: {type: count}, kind: {one_of: [drug, test]}, amount: {type: money}}
  order: [line_no]
  steps:
    own: {rule: "if kind = drug then amount * 10% else ¥0"}
groups:
  region_year:
    of: episodes
    by: {region: region, year: year(discharged)}
    inputs: {budget: {type: money, aliases: [预算]}, share: {type: percent, default: 50%}}
    steps:
      all_points: {rule: "sum(episodes.points)"}
      point_value: {type: money, rule: "if all_points = 0 then ¥0 else budget * share / all_points", round: {to: 0.0001, mode: half-up}}
      spare: {rule: "if all_points = 0 then ¥0 else budget - budget * share"}
    spread: {bonus: {what: spare, over: episodes, by: points}}
  year_all:
    of: region_year
    by: {year: year}
    steps:
      regions: {rule: "count(region_year)"}
      points_all: {rule: "sum(region_year.all_points)"}
steps:
  cost: {rule: "sum(lines.amount)"}
  pays: {rule: "region_year.point_value * points"}
outputs: [cost, pays]
"""
EPISODES = "episode_id,person_id,region,discharged,points\n"
LINES = "episode_id,line_no,kind,amount\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the rulebook and one for inputs of groups."""
    (tmp_path / "rulebook.yaml").write_text(RULEBOOK, encoding="utf-8")
    (tmp_path / "in").mkdir()
    return tmp_path


def settle(folder: Path, episodes: str, groups: str | None, *more: str, command: str = "settle") -> Result:
    """`rxcalc settle` over the files."""
    (folder / "e.csv").write_text(EPISODES + episodes, encoding="utf-8")
    if groups is not None:
        (folder / "in" / "region_year.csv").write_text(groups, encoding="utf-8")
    given = ["--groups", str(folder / "in")] if command == "settle" else []
    args = [command, str(folder / "e.csv"), "-r", str(folder / "rulebook.yaml"), "-o", str(folder / "out.csv"), *given]
    return CliRunner().invoke(cli, [*args, *more], standalone_mode=False)


def rows_of(path: Path) -> list[dict[str, str]]:
    """The rows of a file."""
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))


BUDGETS = "region,year,预算\n北,2025,1000.00\nsouth,2025,100\nsouth,2026,7\n"


def test_groups_are_settled_and_written(folder: Path) -> None:
    """1,000 x 50% / (2 + 6) = 62.50 a point; keys, inputs, steps, members and rejected stand in one file a kind."""
    result = settle(folder, "E1,P1,north,2025-01-05,2\nE2,P2,北,2025-02-05,6\nE3,P1,south,2025-02-05,4\n", BUDGETS)
    assert result.return_value == 0, result.stderr
    assert [(r["episode_id"], r["pays"], r["group_incomplete"]) for r in rows_of(folder / "out.csv")] == [
        ("E1", "125.00", ""), ("E2", "375.00", ""), ("E3", "50.00", ""),
    ]  # fmt: skip
    assert (folder / "out.groups" / "region_year.csv").read_text(encoding="utf-8") == (
        "region,year,budget,share,all_points,point_value,spare,members,rejected\n"
        "north,2025,1000.00,50%,8,62.50,500.00,2,0\n"
        "south,2025,100.00,50%,4,12.50,50.00,1,0\n"
        "south,2026,7.00,50%,0,0.00,0.00,0,0\n"
    )
    assert (folder / "out.groups" / "year_all.csv").read_text(encoding="utf-8") == (
        "year,regions,points_all,members,rejected\n2025,2,12,2,0\n2026,1,0,1,0\n"
    )
    summary = json.loads((folder / "out.summary.json").read_text(encoding="utf-8"))
    assert summary["groups"]["region_year"]["input"]["name"] == "region_year.csv"
    assert summary["groups"]["region_year"]["groups"] == 3
    assert "3 groups of region_year of 3 members" in result.stderr


def test_members_receive_their_part_of_a_spread(folder: Path) -> None:
    """500.00 over 2 and 6 points: 125.00 and 375.00, as a result like any other."""
    episodes = "E1,P1,north,2025-01-05,2\nE2,P2,north,2025-02-05,6\n"
    result = settle(folder, episodes, BUDGETS, "--select", "episode_id,bonus")
    assert result.return_value == 0, result.stderr
    assert [(r["episode_id"], r["bonus"]) for r in rows_of(folder / "out.csv")] == [("E1", "125.00"), ("E2", "375.00")]


def test_a_group_that_lacks_a_member_marks_who_reads_it(folder: Path) -> None:
    """A rejected episode is outside its group; the others of it carry `group_incomplete`, and the exit code is 1."""
    result = settle(folder, "E1,P1,north,2025-01-05,2\nE2,P2,north,2025-02-05,-6\nE3,P1,south,2025-02-05,4\n", BUDGETS)
    assert result.return_value == 1
    assert [(r["episode_id"], r["pays"], r["group_incomplete"]) for r in rows_of(folder / "out.csv")] == [
        ("E1", "500.00", "region_year"), ("E3", "50.00", ""),
    ]  # fmt: skip
    north = rows_of(folder / "out.groups" / "region_year.csv")[0]
    assert (north["members"], north["rejected"]) == ("1", "1")
    summary = json.loads((folder / "out.summary.json").read_text(encoding="utf-8"))
    assert summary["incomplete_results"] == 1
    assert summary["status"] == "incomplete"


def test_members_of_nobody_knows_which_group_are_told_first(folder: Path) -> None:
    """Where the region itself cannot be read, no group is known to be complete."""
    result = settle(folder, "E1,P1,north,2025-01-05,2\nE2,P2,nroth,2025-02-05,6\n", BUDGETS)
    assert result.return_value == 1
    assert result.stderr.startswith("1 rejected record(s) may belong to any group of region_year")


def test_a_group_without_its_inputs_is_refused_by_name(folder: Path) -> None:
    """Its members are refused with it; the group stands in a rejects file of its own."""
    result = settle(
        folder, "E1,P1,north,2025-01-05,2\nE2,P2,south,2025-02-05,6\n", "region,year,budget\nnorth,2025,8\n"
    )
    assert result.return_value == 1
    assert [r["episode_id"] for r in rows_of(folder / "out.csv")] == ["E1"]
    (reject,) = rows_of(folder / "out.rejects.csv")
    assert reject["rx_code"] == "RX809"
    (refused,) = rows_of(folder / "out.groups" / "region_year.rejects.csv")
    assert (refused["region"], refused["year"], refused["rx_code"]) == ("south", "2025", "RX822")


@pytest.mark.parametrize(
    ("groups", "part"),
    [
        ("region,year,budget\nnorth,2025,1\nsouth,2025,1\n北,2025,2\n", "RX817: lines 2 and 4"),
        ("region,budget\nnorth,1\n", "no column for the required year"),
        ("region,year,budget,bugdet\nnorth,2025,1,2\n", "a column 'bugdet' that means nothing here"),
        ("region,year,budget\n,2025,1\n", "line 2 of"),
        ("region,year,budget\nnorth,2025,1e3\n", "line 2 of"),
        ("region,year\nnorth,2025\n", "no column for the required budget"),
    ],
)
def test_inputs_of_groups_that_cannot_be_taken_stop_the_run(folder: Path, groups: str, part: str) -> None:
    """Exit code 2, by name; nothing is written."""
    result = settle(folder, "E1,P1,north,2025-01-05,2\n", groups)
    assert result.exit_code == 1
    assert part in getattr(result.exception, "message", "")
    assert sorted(p.name for p in folder.iterdir()) == ["e.csv", "in", "rulebook.yaml"]


def test_folders_must_fit_the_rulebook(folder: Path) -> None:
    """A misspelt file, a missing folder, a rulebook without groups, and inputs as outputs are bad usage."""
    (folder / "in" / "regoin_year.csv").write_text("region,year,budget\n", encoding="utf-8")
    assert "did you mean 'region_year.csv'?" in getattr(settle(folder, "", None).exception, "help_", "")
    (folder / "in" / "regoin_year.csv").unlink()
    (folder / "in" / "notes.csv").write_text("a\n", encoding="utf-8")
    result = settle(folder, "", BUDGETS)
    assert result.return_value == 0
    assert "notes.csv in the folder of groups is no input of a group" in result.stderr
    result = settle(folder, "", BUDGETS, "--groups-out", str(folder / "in"))
    assert "is also" in getattr(result.exception, "message", "")
    result = settle(folder, "", None, "--groups", str(folder / "nowhere"), command="batch")
    assert "is no folder" in getattr(result.exception, "message", "")
    result = settle(folder, "", None, "-r", "qin", "--groups", str(folder / "in"), command="batch")
    assert result.exception is not None


def test_a_batch_without_a_folder_settles_what_needs_no_inputs(folder: Path) -> None:
    """Groups without inputs are computed from their members alone."""
    text = (folder / "rulebook.yaml").read_text(encoding="utf-8")
    text = text.replace("budget: {type: money, aliases: [预算]}", "budget: {type: money, default: 80}")
    (folder / "rulebook.yaml").write_text(text, encoding="utf-8")
    result = settle(folder, "E1,P1,north,2025-01-05,2\n", None, command="batch")
    assert result.return_value == 0, result.stderr
    assert rows_of(folder / "out.csv")[0]["pays"] == "40.00"
    result = settle(folder, "E1,P1,north,2025-01-05,2\n", None, "--dry-run", command="batch")
    assert result.return_value == 0


def test_lines_and_groups_together(folder: Path) -> None:
    """A bad line refuses its episode, and the group says that it lacks a member."""
    (folder / "l.csv").write_text(LINES + "E1,1,drug,10\nE1,2,test,5\nE2,1,drug,x\n", encoding="utf-8")
    result = settle(
        folder, "E1,P1,north,2025-01-05,2\nE2,P2,north,2025-02-05,6\n", BUDGETS,
        "--lines", str(folder / "l.csv"), "--lines-out", str(folder / "l.out.csv"),
    )  # fmt: skip
    assert result.return_value == 1
    assert [(r["cost"], r["group_incomplete"]) for r in rows_of(folder / "out.csv")] == [("15.00", "region_year")]
    assert [(r["line_no"], r["own"]) for r in rows_of(folder / "l.out.csv")] == [("1", "1.00"), ("2", "0.00")]


def test_max_rejects_publishes_no_groups(folder: Path) -> None:
    """Without results there are no results of groups either; the folder made for them is removed or holds rejects only."""
    result = settle(folder, "E1,P1,north,2025-01-05,x\n", BUDGETS, "--max-rejects", "0")
    assert result.exception is not None
    assert not (folder / "out.csv").exists()
    assert not (folder / "out.groups" / "region_year.csv").exists()


def test_earlier_results_count_in_their_groups(folder: Path) -> None:
    """Episodes of `--earlier` are members with what was recorded; the group is settled over all of them."""
    text = (folder / "rulebook.yaml").read_text(encoding="utf-8")
    text = text.replace("groups:\n", "sequence: {by: person_id, order: [discharged, episode_id]}\ngroups:\n", 1)
    (folder / "rulebook.yaml").write_text(text, encoding="utf-8")
    assert settle(folder, "E1,P1,north,2025-01-05,2\n", BUDGETS).return_value == 0
    (folder / "out.csv").rename(folder / "january.csv")
    result = settle(folder, "E2,P2,north,2025-02-05,6\n", BUDGETS, "--earlier", str(folder / "january.csv"))
    assert result.return_value == 0, result.stderr
    assert [(r["episode_id"], r["pays"]) for r in rows_of(folder / "out.csv")] == [("E2", "375.00")]
    assert rows_of(folder / "out.groups" / "region_year.csv")[0]["members"] == "2"
