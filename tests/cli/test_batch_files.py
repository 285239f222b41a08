"""The files of `rxcalc batch` and `rxcalc settle` from outside: options, exit codes, what a terminal shows."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rxcalc.cli.main import cli
from rxcalc.cli.show import Failure

CASES = Path(__file__).parents[1] / "cases" / "runs"
RULEBOOK = str(CASES / "example-files-lists" / "rulebook.yaml")


def run(*args: str) -> Result:
    return CliRunner().invoke(cli, [*args], standalone_mode=False)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Two bills, their lines and their premiums."""
    (tmp_path / "e.csv").write_text("episode_id,person_id,discharge_date\nE1,P1,2025-01-05\nE2,P1,2025-02-05\n")
    (tmp_path / "l.csv").write_text(
        "episode_id,序号,class,quantity,unit_price\nE2,1,甲,2,1.50\nE1,2,乙,,30\nE1,1,A,1,2\n", encoding="utf-8"
    )
    (tmp_path / "p.csv").write_text("episode_id,month,number,paid\nE1,2025-01-01,1,5.00\nE1,2025-02-01,1,7.50\n")
    return tmp_path


def batch(files: Path, *more: str) -> Result:
    return run("batch", str(files / "e.csv"), "-r", RULEBOOK, "-o", str(files / "out.csv"), *more)


def test_lists_come_from_their_files(files: Path) -> None:
    """`--lines` and `--list NAME=FILE` give rows, `--lines-out` and `--list-out` take their results."""
    result = batch(
        files, "--lines", str(files / "l.csv"), "--list", f"premiums={files / 'p.csv'}",
        "--lines-out", str(files / "l.out.csv"), "--list-out", f"premiums={files / 'p.out.csv'}",
    )  # fmt: skip
    assert result.return_value == 0, result.stderr
    assert (files / "out.csv").read_text() == (
        "episode_id,person_id,discharge_date,cost,own_part,paid_in,before\n"
        "E1,P1,2025-01-05,32.00,3.00,12.50,0.00\n"
        "E2,P1,2025-02-05,3.00,0.00,0.00,32.00\n"
    )
    assert (files / "l.out.csv").read_text(encoding="utf-8").splitlines()[2] == "E1,2,乙,,30,30.00,3.00"
    assert (files / "p.out.csv").read_text().splitlines()[2] == "E1,2025-02-01,1,7.50,12.50"
    assert "3 records of lines read = 3 written + 0 rejected" in result.stderr
    assert "quantity: the default was filled in 1 times" in result.stderr
    assert "paid: 12.50 CNY read = 12.50 written" in result.stderr


def test_the_same_amounts_as_explain(files: Path) -> None:
    """A bill with its lines has the same results one at a time."""
    batch(files, "--lines", str(files / "l.csv"))
    (files / "bill.yaml").write_text(
        "episode: {episode_id: E1, person_id: P1, discharge_date: 2025-01-05}\n"
        "lines: [{line_no: 2, class: B, unit_price: 30}, {line_no: 1, class: A, unit_price: 2}]\n"
    )
    result = run("explain", str(files / "bill.yaml"), "-r", RULEBOOK, "--format", "json")
    assert '"value": "32.00"' in result.stdout
    assert "E1,P1,2025-01-05,32.00,3.00" in (files / "out.csv").read_text()


@pytest.mark.parametrize(
    ("more", "part"),
    [
        (("--list", "premiums"), "is not NAME=FILE"),
        (("--list", "premiums=a.csv", "--list", "premiums=b.csv"), "a second time"),
        (("--lines", "l.csv", "--list", "lines=l.csv"), "a second time"),
        (("--list", "premium=p.csv"), "no list 'premium'"),
        (("--lines-out", "x.csv"), "no file is given"),
        (("--lines", "nowhere.csv"), "cannot read"),
        (("--earlier", "nowhere.csv"), "cannot read"),
        (("--opening", "nowhere.csv"), "cannot read"),
        (("--groups", "."), "no groups"),
    ],
)
def test_bad_usage_is_exit_code_2(files: Path, more: tuple[str, ...], part: str) -> None:
    """Each with what is wrong; nothing is written."""
    result = batch(files, *more)
    assert isinstance(result.exception, Failure)
    assert result.exception.exit_code == 2
    assert part in result.exception.message
    assert not (files / "out.csv").exists()


def test_settle_is_a_batch_that_needs_groups() -> None:
    """It takes the same options; without a folder it says what is missing."""
    assert "groups" in str(run("settle", "e.csv", "-r", RULEBOOK, "-o", "out.csv").exception)
    shown = run("settle", "--help").stdout
    assert "rxcalc settle episodes.csv -r rules/ -o results.csv --groups inputs/" in shown
    option = " ".join(shown.split()).split("--groups PATH", 1)[1].split(" --")[0]
    assert "[required]" in option


def test_the_schema_of_episodes_knows_lists_and_groups() -> None:
    """Editors are told of lists, their fields, and groups."""
    shown = run("schema", "episode", RULEBOOK).stdout
    assert '"premiums"' in shown
    assert '"unit_price"' in shown
    groups = run("schema", "episode", str(CASES / "example-files-groups" / "rulebook.yaml")).stdout
    assert '"region_year"' in groups
    assert '"point_value"' in groups
    assert '"bill_day"' not in groups


def test_bad_lines_of_an_episode_file_are_shown_in_place(files: Path) -> None:
    """The place is the cell in the file, the line is called by its order field."""
    (files / "bill.yaml").write_text(
        "episode: {episode_id: E1, person_id: P1, discharge_date: 2025-01-05}\n"
        "lines:\n  - {line_no: 1, class: A, unit_price: 2}\n  - {line_no: 2, class: X, unit_price: 2}\n"
    )
    result = run("explain", str(files / "bill.yaml"), "-r", RULEBOOK)
    assert result.return_value == 1
    assert "error RX705: lines 2: class: 'X' is not in the set" in result.stderr
    assert "bill.yaml:4:" in result.stderr
