"""`rxcalc test --coverage` from outside: text, JSON, exit codes, the least percentage, and examples taken away."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from rxcalc.cli.main import cli
from rxcalc.cli.show import Failure

ROOT = Path(__file__).parents[2]
RULEBOOK = """\
rxcalc: 1
rulebook: small
version: "1"
currency: CNY
rounding: half-up
effective: {from: 2020-01-01, by: day}
inputs:
  episode_id: {type: code}
  day: {type: date}
  total: {type: money}
steps:
  pays: |
    when total > ¥100 then ¥100
    otherwise total
shares:
  bill: {of: total, fund: pays, patient: rest}
outputs: [pays]
"""
ONE = """\
- example: below
  by: hand
  episode: {episode_id: E1, day: 2025-01-01, total: 50}
  expect: {pays: 50.00}
"""
OTHER = """\
- example: above
  by: hand
  episode: {episode_id: E2, day: 2025-01-01, total: 120}
  expect: {pays: 100.00}
"""


def run(*args: str) -> Result:
    return CliRunner().invoke(cli, [*args], catch_exceptions=False, standalone_mode=False)


def small(folder: Path, examples: str) -> Path:
    (folder / "examples").mkdir(parents=True)
    (folder / "rulebook.yaml").write_text(RULEBOOK, encoding="utf-8")
    (folder / "examples" / "all.yaml").write_text(examples, encoding="utf-8")
    return folder


def test_text_and_exit_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of the clauses and shares: the table, then the gaps. Gaps alone fail nothing."""
    small(tmp_path / "a", ONE)
    monkeypatch.chdir(tmp_path)
    result = run("test", "a", "--coverage")
    assert result.return_value == 0
    lines = result.stdout.splitlines()
    assert lines[0].endswith("1 of 1 examples passed (1 values compared)")
    assert [line.split() for line in lines if line.startswith(("  clauses", "  total"))] == [
        ["clauses", "1", "2", "50.0"],
        ["total", "2", "4", "50.0"],  # fund is not zero, the patient's part is
    ]
    told = " ".join(result.stdout.split())
    assert "a/rulebook.yaml:13: clause of pays: when total > ¥100; no example in which it holds" in told
    assert "a/rulebook.yaml:16: share patient; no example in which it is not zero" in told


def test_a_long_path_is_not_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A place stays in one piece; what stands behind it goes to the next line."""
    name = "long/" * 16
    small(tmp_path / name, ONE)
    monkeypatch.chdir(tmp_path)
    lines = run("test", name, "--coverage").stdout.splitlines()
    at = lines.index(f"  {name}rulebook.yaml:13:")
    assert lines[at + 1] == "    clause of pays: when total > ¥100; no example in which it holds"


def test_without_coverage_nothing_is_said_of_it(tmp_path: Path) -> None:
    """Text and JSON stay as they are."""
    folder = str(small(tmp_path / "a", ONE))
    assert run("test", folder).stdout.count("\n") == 1
    (document,) = json.loads(run("test", folder, "--format", "json").stdout)
    assert "coverage" not in document


def test_json(tmp_path: Path) -> None:
    """Total, kinds and every item with its place, percentages as exact text."""
    folder = small(tmp_path / "a", ONE)
    (document,) = json.loads(run("test", str(folder), "--coverage", "--format", "json").stdout)
    assert document["failed"] == 0
    coverage = document["coverage"]
    half = {"covered": 1, "of": 2, "percent": "50.0"}
    assert coverage["total"] == {"covered": 2, "of": 4, "percent": "50.0"}
    assert coverage["kinds"] == {"clauses": half, "shares": half}
    place = f"{folder}/rulebook.yaml"
    assert coverage["items"] == [
        {"kind": "clauses", "name": "pays", "level": "", "what": "when total > ¥100", "where": {"file": place, "line": 13}, "covered": False, "examples": 0},
        {"kind": "clauses", "name": "pays", "level": "", "what": "otherwise", "where": {"file": place, "line": 14}, "covered": True, "examples": 1},
        {"kind": "shares", "name": "fund", "level": "", "what": "", "where": {"file": place, "line": 16}, "covered": True, "examples": 1},
        {"kind": "shares", "name": "patient", "level": "", "what": "", "where": {"file": place, "line": 16}, "covered": False, "examples": 0},
    ]  # fmt: skip


@pytest.mark.parametrize(("least", "code"), [("50", 0), ("50.0", 0), ("50.1", 1), ("100", 1), ("0", 0)])
def test_fail_under(tmp_path: Path, least: str, code: int) -> None:
    """Less than the least percentage of any rulebook fails, and is said by name; the document is printed all the same."""
    folder = small(tmp_path / "a", ONE)
    whole = small(tmp_path / "b", ONE + OTHER)
    result = run("test", str(folder), str(whole), "--coverage", "--fail-under", least, "--format", "json")
    assert result.return_value == code
    said = [f"{folder}/rulebook.yaml: 50.0% is covered, less than {least}%"] if code else []
    assert result.stderr.splitlines() == said
    assert [d["coverage"]["total"]["percent"] for d in json.loads(result.stdout)] == ["50.0", "100.0"]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--fail-under", "90"], "--fail-under needs --coverage"),
        (["--coverage", "--fail-under", "101"], "is no percentage"),
        (["--coverage", "--fail-under", "-1"], "is no percentage"),
        (["--coverage", "--fail-under", "90%"], "is no percentage"),
        (["--coverage", "--fail-under", "1e2"], "is no percentage"),
    ],
)
def test_bad_usage(tmp_path: Path, args: list[str], message: str) -> None:
    """Exit code 2, and what to do instead."""
    folder = small(tmp_path / "a", ONE)
    with pytest.raises(Failure, match=message) as raised:
        run("test", str(folder), *args)
    assert raised.value.exit_code == 2
    assert raised.value.help_


def test_a_failing_example_fails_with_coverage_too(tmp_path: Path) -> None:
    """Exit code 1; what the failing example used counts."""
    folder = small(tmp_path / "a", ONE + OTHER.replace("100.00", "99.00"))
    result = run("test", str(folder), "--coverage")
    assert result.return_value == 1
    assert "FAILED" in result.stdout
    assert "100.0" in result.stdout


def test_no_examples(tmp_path: Path) -> None:
    """Nothing is covered; a warning as without --coverage, and a least percentage is missed."""
    folder = small(tmp_path / "a", "[]")
    result = run("test", str(folder), "--coverage")
    assert result.return_value == 0
    assert "it has no examples" in result.stderr
    assert ["total", "0", "4", "0.0"] in [line.split() for line in result.stdout.splitlines()]
    assert run("test", str(folder), "--coverage", "--fail-under", "1").return_value == 1


def test_output_file(tmp_path: Path) -> None:
    """-o writes what would have been printed, whole; not over a file that was read, and nothing when a rulebook has errors."""
    folder = small(tmp_path / "a", ONE)
    for form in ("text", "json"):
        printed = run("test", str(folder), "--coverage", "--format", form).stdout
        written = run("test", str(folder), "--coverage", "--format", form, "-o", str(tmp_path / form))
        assert written.stdout == ""
        assert (tmp_path / form).read_text(encoding="utf-8") == printed
    example = folder / "examples" / "all.yaml"
    with pytest.raises(Failure, match="one of the files read"):
        run("test", str(folder), "--coverage", "-o", str(example))
    assert example.read_text(encoding="utf-8") == ONE
    broken = small(tmp_path / "b", ONE)
    (broken / "rulebook.yaml").write_text(RULEBOOK.replace("otherwise total", "otherwise totl"), encoding="utf-8")
    with pytest.raises(Failure, match="has errors"):
        run("test", str(folder), str(broken), "--coverage", "-o", str(tmp_path / "never"))
    assert not (tmp_path / "never").exists()


# ---- examples taken away ----


def uncovered(folder: Path) -> set[tuple[str, str, str]]:
    (document,) = json.loads(run("test", str(folder), "--coverage", "--format", "json").stdout)
    return {(i["kind"], i["name"], i["what"]) for i in document["coverage"]["items"] if not i["covered"]}


def without(folder: Path, gone: Callable[[dict[str, Any]], bool]) -> None:
    """Takes episodes out of the examples of a rulebook; an example that has none left goes with them."""
    for path in (folder / "examples").glob("*.yaml"):
        kept = []
        for entry in yaml.load(path.read_text(encoding="utf-8"), yaml.BaseLoader):
            if "episodes" in entry:
                entry["episodes"] = [e for e in entry["episodes"] if not gone(e["episode"])]
            if entry.get("episodes") or ("episode" in entry and not gone(entry["episode"])):
                kept.append(entry)
        path.write_text(yaml.safe_dump(kept, allow_unicode=True), encoding="utf-8")


@pytest.mark.parametrize(
    ("gone", "items"),
    [
        (
            lambda e: e.get("discharge_date", "9") < e.get("admission_date", ""),
            {("requires", "requires", "discharge_date >= admission_date")},
        ),
        (
            lambda e: (
                e.get("level") in ("city", "province") and e.get("referred") == "no" and e.get("emergency") == "yes"
            ),
            {("clauses", "referral_factor", "when emergency")},
        ),
    ],
    ids=["condition", "clause"],
)
def test_qin_without_an_example(
    tmp_path: Path, gone: Callable[[dict[str, Any]], bool], items: set[tuple[str, str, str]]
) -> None:
    """Taking the only examples of an item away uncovers that item and no other."""
    folder = tmp_path / "qin"
    shutil.copytree(ROOT / "rulebooks" / "qin", folder)
    before = uncovered(folder)
    assert not before & items
    without(folder, lambda _: False)
    assert uncovered(folder) == before
    without(folder, gone)
    assert uncovered(folder) - before == items
