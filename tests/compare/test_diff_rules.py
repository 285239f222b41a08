"""`rxcalc diff OLD NEW` without bills, from outside: text, JSON, exit codes, revisions of git."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from books import write
from click.testing import CliRunner, Result

from rxcalc.cli.main import cli


def run(*args: str) -> Result:
    return CliRunner().invoke(cli, ["diff", *args])


def git(folder: Path, *words: str) -> None:
    env = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    who = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(folder), *who, *words], check=True, capture_output=True, env=env)


RATE = ("2024-01-01: 80%", "2024-01-01: 75%")


def test_text(tmp_path: Path) -> None:
    """What, where, was and is."""
    old, new = write(tmp_path / "old"), write(tmp_path / "new", RATE)
    result = run(str(old), str(new))
    assert result.exit_code == 0
    assert (
        "1 change of meaning in 1 place\n\nparameter rate\n  changed    from 2024-01-01\n      - 80%\n      + 75%\n"
        in result.output
    )
    same = run(str(old), str(old), "--exit-code")
    assert (same.exit_code, "no change of meaning" in same.output) == (0, True)


def test_json_and_exit_code(tmp_path: Path) -> None:
    """The same as data."""
    args = ["diff", str(write(tmp_path / "old")), str(write(tmp_path / "new", RATE)), "--format", "json", "--exit-code"]
    result = CliRunner().invoke(cli, args, standalone_mode=False)
    assert result.return_value == 1
    assert json.loads(result.stdout)["changes"] == [
        {
            "section": "parameter",
            "level": "",
            "name": "rate",
            "change": "changed",
            "what": "from 2024-01-01",
            "was": "80%",
            "now": "75%",
        }
    ]


def test_a_revision_of_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The committed rulebook with its committed table, by file, by folder, and from a folder below."""
    path = write(tmp_path / "repository" / "rules" / "small")
    top = tmp_path / "repository"
    git(top, "init", "-q")
    git(top, "add", ".")
    git(top, "commit", "-q", "-m", "one")
    write(path.parent, RATE, table="level,added\ncity,10\ncounty,25\n")
    monkeypatch.chdir(top)
    for old in ("HEAD:rules/small/rulebook.yaml", "HEAD:rules/small", "HEAD:./rules/small"):
        result = run(old, "rules/small")
        assert result.exit_code == 0, result.output
        assert "2 changes of meaning in 2 places" in result.output
        assert "row county, added\n      - 20.00\n      + 25.00" in result.output
    monkeypatch.chdir(path.parent)
    assert "2 changes of meaning" in run("HEAD:rulebook.yaml", "rulebook.yaml").output


def test_an_overlay_of_a_revision_has_the_base_of_that_revision(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not the base as it is now."""
    top = tmp_path / "repository"
    base = write(top / "small")
    over = top / "over" / "rulebook.yaml"
    over.parent.mkdir()
    over.write_text(
        'rxcalc: 1\nrulebook: over\nextends: ../small\nversion: "1"\nstatus: illustrative\neffective: {from: 2024-01-01, by: discharge_date}\n',
        encoding="utf-8",
    )
    git(top, "init", "-q")
    git(top, "add", ".")
    git(top, "commit", "-q", "-m", "one")
    write(base.parent, RATE)
    monkeypatch.chdir(top)
    result = run("HEAD:over", "over")
    assert "parameter rate\n  changed    from 2024-01-01\n      - 80%\n      + 75%" in result.output


def test_the_gate_of_a_pull_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`main:rules/NAME rules/NAME` on a branch, in a copy that has `main` elsewhere only, and in one that lacks it."""
    top = tmp_path / "repository"
    path = write(top / "rules" / "small")
    git(top, "init", "-q", "-b", "main")
    git(top, "add", ".")
    git(top, "commit", "-q", "-m", "one")
    git(top, "checkout", "-q", "-b", "change")
    monkeypatch.chdir(top)
    args = ["diff", "main:rules/small", "rules/small", "--exit-code"]
    assert CliRunner().invoke(cli, args, standalone_mode=False).return_value == 0
    write(path.parent, RATE)
    assert CliRunner().invoke(cli, args, standalone_mode=False).return_value == 1
    git(top, "commit", "-q", "-am", "two")
    assert "did you mean `main`?" in run("mian:rules/small", "rules/small").stderr
    for name, more, told in (
        ("whole", (), "did you mean `origin/main`?"),
        ("shallow", ("--depth", "1"), "checkout with `fetch-depth: 0`"),
    ):
        git(tmp_path, "clone", "-q", *more, f"file://{top}", name)
        monkeypatch.chdir(tmp_path / name)
        result = run("main:rules/small", "rules/small", "--exit-code")
        assert (result.exit_code, told in result.stderr) == (2, True), result.stderr
    monkeypatch.chdir(tmp_path / "whole")
    assert "parameter rate" in run("origin/main:rules/small", "rules/small").stdout


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("HEAD:nothing.yaml", "revision `HEAD` has no `nothing.yaml`"),
        ("v9:small", "the repository has no revision `v9`"),
        ("--upload-pack=x:small", "No such option"),
        ("HEAD:../../etc", "revision `HEAD` has no `../../etc`"),
        ("HEAD:empty", "`HEAD:empty` holds no rulebook"),
    ],
)
def test_what_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, message: str) -> None:
    """Exit code 2, and why."""
    top = tmp_path / "repository"
    write(top / "small")
    (top / "empty").mkdir()
    (top / "empty" / "note.txt").write_text("nothing\n", encoding="utf-8")
    git(top, "init", "-q")
    git(top, "add", ".")
    git(top, "commit", "-q", "-m", "one")
    monkeypatch.chdir(top)
    result = run(name, "small")
    assert result.exit_code == 2
    assert message in result.stderr
    monkeypatch.chdir(tmp_path)
    if name.startswith("v9"):
        monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
        assert "in no git repository" in run(name, "small").stderr
        monkeypatch.setenv("PATH", "")
        assert "needs git, which is not installed" in run(name, "small").stderr


def test_which_partition_is_the_first(tmp_path: Path) -> None:
    """Totals of bearers are those of the first partition: the order of partitions means something."""
    second = "  second:\n    of: base_amount\n    fund: {pool: fund_amount}\n    patient: {coinsurance: {is: rest, reason: PR-2}}\n"
    bill = "  bill:\n    of: total\n    fund: {pool: fund_amount}\n    patient:\n      deductible: {is: total - base_amount, reason: PR-1}\n      coinsurance: {is: rest, reason: PR-2}\n"
    one = write(tmp_path / "one", (bill, bill + second))
    other = write(tmp_path / "other", (bill, second + bill))
    changes = json.loads(run(str(one), str(other), "--format", "json").stdout)["changes"]
    assert {(c["section"], c["name"], c["what"], c["was"], c["now"]) for c in changes} == {
        ("shares", "bill", "is the first, of which totals are", "yes", "no"),
        ("shares", "second", "is the first, of which totals are", "no", "yes"),
    }
    args = ["diff", str(one), str(other), "--exit-code"]
    assert CliRunner().invoke(cli, args, standalone_mode=False).return_value == 1
    bills = tmp_path / "bills.csv"
    bills.write_text(
        "episode_id,person_id,discharge_date,level,total,age\nE1,A,2024-03-01,county,1300.00,40\n", encoding="utf-8"
    )
    args = [str(one), str(other), str(bills), "--attribute", "--format", "json"]
    effects = json.loads(run(*args).stdout)["attribution"]["changes"]
    # 1,300.00 less 800.00 from the fund, then 1,000.00 less 800.00
    assert {c["change"]: c["moved"] for c in effects if c["bills"]} == {"shares second": "-300.00"}
