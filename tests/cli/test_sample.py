"""`rxcalc sample` from outside: files, streams, options, exit codes, and `rxcalc batch` on what it made."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rxcalc.cli.main import cli

ROOT = Path(__file__).parents[2]
CLINIC = ROOT / "tests" / "cases" / "sample" / "clinic"
ATLAS = ROOT / "tests" / "cases" / "atlas"


def run(*args: object) -> Result:
    return CliRunner().invoke(cli, ["sample", *map(str, args)], standalone_mode=False)


def program(*args: object, **env: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "rxcalc", *map(str, args)],
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), **env},
        cwd=ROOT,
        timeout=120,
    )


def all_of(folder: Path) -> list[object]:
    lists = ["--lines-out", folder / "lines.csv", "--list", f"receipts={folder / 'receipts.csv'}"]
    return [CLINIC, "-o", folder / "x.csv", *lists, "--groups-out", folder / "in"]


def test_what_is_made_goes_through_batch(tmp_path: Path) -> None:
    """Episodes, lines, another list and the inputs of groups: nothing is rejected, every record is written."""
    made = run(*all_of(tmp_path), "-n", 300, "--seed", "spring")
    assert made.exit_code == 0
    assert "made up 300 episodes of" in made.stderr
    assert "made-up data" in made.stderr
    assert "FICTIONAL" in made.stderr
    results = tmp_path / "y.csv"
    lists = ["--lines", tmp_path / "lines.csv", "--list", f"receipts={tmp_path / 'receipts.csv'}"]
    ran = program("batch", tmp_path / "x.csv", "-r", CLINIC, "-o", results, *lists, "--groups", tmp_path / "in")
    assert ran.returncode == 0, ran.stderr.decode()
    counts = json.loads((tmp_path / "y.summary.json").read_text(encoding="utf-8"))["counts"]
    assert counts["read"] == counts["written"] == 300


def test_one_seed_one_set_of_bytes_whatever_the_hashes(tmp_path: Path) -> None:
    """Two processes with other hash seeds, time zones and languages write the same files."""
    one, two = tmp_path / "1", tmp_path / "2"
    for folder, env in (
        (one, {"PYTHONHASHSEED": "1"}),
        (two, {"PYTHONHASHSEED": "2", "TZ": "Asia/Tokyo", "LANG": "zh_CN.UTF-8"}),
    ):
        folder.mkdir()
        made = program("sample", *all_of(folder), "-n", 60, "--seed", "9", **env)
        assert made.returncode == 0, made.stderr.decode()
    names = sorted(p.relative_to(one) for p in one.rglob("*.csv"))
    assert len(names) == 4
    for name in names:
        assert (one / name).read_bytes() == (two / name).read_bytes(), name


def test_the_terminal_and_tabs(tmp_path: Path) -> None:
    """Without -o the episodes go to the standard output; `.tsv` has tabs, and holds the same."""
    shown = run(ATLAS / "danish-ladder", "-n", 12, "--seed", 3)
    assert shown.exit_code == 0
    lines = shown.stdout.splitlines()
    assert len(lines) == 13
    assert lines[0].startswith("episode_id,person_id,purchase_date")
    assert run(ATLAS / "danish-ladder", "-n", 12, "--seed", 3, "-o", tmp_path / "x.tsv").exit_code == 0
    assert (tmp_path / "x.tsv").read_text(encoding="utf-8") == shown.stdout.replace(",", "\t")


def test_none_at_all(tmp_path: Path) -> None:
    """No episodes is a header, and a batch of nothing."""
    assert run(ATLAS / "danish-ladder", "-n", 0, "-o", tmp_path / "x.csv").exit_code == 0
    assert len((tmp_path / "x.csv").read_text(encoding="utf-8").splitlines()) == 1


def test_lists_without_a_file(tmp_path: Path) -> None:
    """A list that every episode needs asks for its file; another one gets no rows, and that is said."""
    made = run(CLINIC, "-n", 5, "-o", tmp_path / "x.csv")
    assert "lines" in made.exception.message  # type: ignore[union-attr]
    assert "--lines-out" in made.exception.help_  # type: ignore[union-attr]
    assert not list(tmp_path.iterdir())
    made = run(CLINIC, "-n", 5, "-o", tmp_path / "x.csv", "--lines-out", tmp_path / "l.csv")
    assert made.exit_code == 0
    assert "without rows of receipts" in made.stderr
    assert "alliance_year are not written" in made.stderr


WRONG: list[tuple[tuple[object, ...], str, str]] = [
    (("nosuch-rulebook",), "no rulebook `nosuch-rulebook`", ""),
    ((CLINIC, "--list", "recepts=x.csv"), "no list `recepts`", "receipts"),
    ((CLINIC, "--list", "receipts"), "not NAME=FILE", ""),
    ((ATLAS / "drg-adjustments", "--per-key", 3), "no `sequence:`", "leave --per-key out"),
    ((ATLAS / "alliance-budget", "--per-key", 3), "not numbered", "leave --per-key out"),
    ((ATLAS / "danish-ladder", "-o", "x.parquet"), ".parquet are not written", ".csv"),
    ((ATLAS / "danish-ladder", "-o", "/nonexistent/x.csv"), "does not exist", ""),
    ((ROOT / "tests/cases/check/RX171-unknown-hint.yaml",), "has errors", "rxcalc check"),
]


@pytest.mark.parametrize(("args", "said", "advice"), WRONG, ids=[said for _, said, _ in WRONG])
def test_what_cannot_be_made_is_said(
    args: tuple[object, ...], said: str, advice: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 2, one line for what is wrong and one for what to do; nothing is written."""
    monkeypatch.chdir(tmp_path)
    failed = run(*args)
    error = failed.exception
    assert getattr(error, "exit_code", None) == 2
    assert said in error.message  # type: ignore[union-attr]
    assert advice in error.help_  # type: ignore[union-attr]
    assert failed.stdout == ""
    assert not list(tmp_path.iterdir())


def test_no_file_of_the_rulebook_is_replaced(tmp_path: Path) -> None:
    """An output that is the rulebook's table, or another output, is refused and stays as it is."""
    folder = tmp_path / "r"
    (folder / "tables").mkdir(parents=True)
    for file in ("rulebook.yaml", "tables/clinics.csv", "tables/price_list.csv"):
        (folder / file).write_bytes((CLINIC / file).read_bytes())
    kept = (folder / "tables" / "clinics.csv").read_bytes()
    failed = run(folder, "-n", 5, "-o", folder / "tables" / "clinics.csv", "--lines-out", tmp_path / "l.csv")
    assert "also a file of the rulebook" in failed.exception.message  # type: ignore[union-attr]
    assert (folder / "tables" / "clinics.csv").read_bytes() == kept
    failed = run(folder, "-n", 5, "-o", tmp_path / "x.csv", "--lines-out", tmp_path / "x.csv")
    assert "also another output" in failed.exception.message  # type: ignore[union-attr]


def test_older_files_stay_when_nothing_can_be_made(tmp_path: Path) -> None:
    """Files appear whole or not at all: a failure leaves those of before, and no temporary ones."""
    (tmp_path / "bad.yaml").write_text(
        "rxcalc: 1\nrulebook: bad\nversion: '1'\ncurrency: CNY\nrounding: half-up\n"
        "effective: {from: 2025-01-01, by: discharge_date}\ninputs:\n  episode_id: {type: code}\n"
        "  discharge_date: {type: date}\n  a: {type: money}\nrequires:\n  - a * a / ¥1 = ¥2\n"
        "steps:\n  pays: {rule: a}\noutputs: [pays]\n".replace("a * a / ¥1 = ¥2", "a * 3 = ¥1"),
        encoding="utf-8",
    )
    (tmp_path / "x.csv").write_text("of before\n", encoding="utf-8")
    failed = run(tmp_path / "bad.yaml", "-n", 3, "-o", tmp_path / "x.csv")
    assert "`a * 3 = ¥1`" in failed.exception.message  # type: ignore[union-attr]
    assert (tmp_path / "x.csv").read_text(encoding="utf-8") == "of before\n"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["bad.yaml", "x.csv"]


def test_help_has_an_example() -> None:
    """The help says what the command promises and shows how it is called."""
    shown = run("--help")
    assert shown.exit_code == 0
    assert "rxcalc sample qin -n 1000 --seed 7 -o episodes.csv" in shown.stdout
