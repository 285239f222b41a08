"""What `rxcalc test` says of examples that fail, on the terminal, as JSON and as a JUnit report."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest
from click.testing import CliRunner, Result

from rxcalc.cli.main import cli
from rxcalc.cli.show import Failure

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
lines:
  inputs:
    line_no: {type: count}
    price: {type: money}
  order: [line_no]
  steps:
    cheap: price * 50%
steps:
  reduced: factor * of_lines
  factor: |
    when total > ¥100 then 50%
    otherwise 100%
  of_lines: sum(lines.cheap)
  pays: max(0, total - reduced)
shares:
  bill: {of: total, fund: pays, patient: rest}
checks:
  - {name: dear, say: dear bill, when: "total > ¥1_000", amount: total - ¥1_000}
guarantees:
  - {increasing: {what: pays, in: total}}
outputs: [pays]
"""
EXAMPLE = """\
- example: "it's all wrong"
  by: hand
  episode: {episode_id: E1, day: 2025-01-01, total: 2000}
  lines: [{line_no: 1, price: 100}, {line_no: 2, price: 30}]
  expect:
    patient_pays: 1.00
    pays: 2.00
    of_lines: 60.00
    factor: 40%
    lines: {1: {cheap: 50.00}, 2: {cheap: 14.00}}
    findings: []
- example: fine
  by: hand
  episode: {episode_id: E1, day: 2025-01-01, total: 50}
  expect: {pays: 50.00}
- example: not refused
  by: hand
  episode: {episode_id: E1, day: 2025-01-01, total: 50}
  rejects: RX722
- example: refused
  by: hand
  episode: {episode_id: E1, day: 2025-01-01, total: -1}
  expect: {pays: 50.00}
"""


def run(*args: str) -> Result:
    return CliRunner().invoke(cli, [*args], catch_exceptions=False, standalone_mode=False)


def parsed(report: Path) -> Xml.Element:
    return Xml.fromstring(report.read_text(encoding="utf-8"))  # noqa: S314 - the program's own report


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a b" / "examples").mkdir(parents=True)
    (tmp_path / "a b" / "rulebook.yaml").write_text(RULEBOOK, encoding="utf-8")
    (tmp_path / "a b" / "examples" / "all.yaml").write_text(EXAMPLE, encoding="utf-8")
    return tmp_path / "a b"


def test_first_difference_in_the_bills_order_with_its_working(folder: Path) -> None:
    """2000 - 50% * 65 = 1967.50: the line comes first, as it is read first; then what is computed from it."""
    result = run("test", str(folder))
    assert result.return_value == 1
    failed = result.stdout.split("FAILED ")[1].splitlines()
    assert failed[0].endswith("all.yaml:1: it's all wrong")
    assert failed[1].strip() == "first difference: lines 2 cheap: expected 14.00, found 15.00"
    working = failed[2 : next(n for n, line in enumerate(failed) if "then:" in line)]
    assert [" ".join(line.split()) for line in working] == ["cheap 15.00", "formula price * 50%", "figures 30.00 * 50%"]
    assert [line.strip() for line in failed if line.startswith("  then: ")] == [
        "then: factor: expected 40%, found 50%",
        "then: of_lines: expected 60.00, found 65.00",
        "then: pays: expected 2.00, found 1,967.50",
        "then: patient_pays: expected 1.00, found 32.50",
        "then: findings: expected nothing more, found dear (1,000.00)",
    ]


def test_the_command_reproduces_it(folder: Path) -> None:
    """The command is quoted for a shell, and explains the bill."""
    line = next(x for x in run("test", str(folder)).stdout.splitlines() if "to see it" in x)
    words = shlex.split(line.removeprefix("  to see it: "))
    assert words[:2] == ["rxcalc", "explain"]
    assert "1,967.50" in run(*words[1:]).stdout


@pytest.mark.parametrize(
    ("expected", "working"),
    [
        ("{patient: 9.99}", ["Patient [patient] 32.50", "formula what is left: 2,000.00 - 1,967.50"]),
        ("{fund: 9.99}", ["Fund [fund] 1,967.50", "formula pays"]),
        ("{pays: 1967.50, findings: []}", ["warning: dear bill 1,000.00", "(2,000.00 > ¥1000)"]),
        ("{pays: 1967.50, findings: [{check: dear, amount: 1.00}]}", ["warning: dear bill 1,000.00"]),
    ],
)
def test_workings_of_parts_and_findings(folder: Path, expected: str, working: list[str]) -> None:
    """A part has its formula or what the others leave, a finding its condition and amount."""
    text = EXAMPLE[: EXAMPLE.index("  expect:")] + f"  expect: {expected}\n"
    (folder / "examples" / "all.yaml").write_text(text, encoding="utf-8")
    told = " ".join(run("test", str(folder)).stdout.split())
    for line in working:
        assert line in told


def test_refusals_have_no_working(folder: Path) -> None:
    """Where a refusal did not come, or came unasked, the difference says it all."""
    parts = run("test", str(folder)).stdout.split("FAILED ")
    assert "first difference: rejects: expected RX722, found a result; nothing was refused\n  to see it" in parts[2]
    assert "first difference: episode: expected a result, found refused RX703" in parts[3]


def test_json_has_working_and_command(folder: Path) -> None:
    """A failing example has both, one that passed neither."""
    (document,) = json.loads(run("test", str(folder), "--format", "json").stdout)
    wrong, fine, *_ = document["results"]
    assert wrong["first"][0].split() == ["cheap", "15.00"]
    assert "--example 'it'\\''s all wrong'" in wrong["command"]
    assert "first" not in fine


def test_junit_report(folder: Path, tmp_path: Path) -> None:
    """One case for each example and guarantee; failures say what differs, and totals are right."""
    report = tmp_path / "report.xml"
    assert run("test", str(folder), "--junit", str(report)).return_value == 1
    root = parsed(report)
    assert (root.tag, root.get("tests"), root.get("failures"), root.get("errors")) == ("testsuites", "5", "3", "0")
    cases = list(root.iter("testcase"))
    assert [c.get("name") for c in cases] == [
        "it's all wrong",
        "fine",
        "not refused",
        "refused",
        "increasing: pays in total",
    ]
    failure = cases[0].find("failure")
    assert failure is not None
    assert failure.get("message") == "lines 2 cheap: expected 14.00, found 15.00"
    assert "figures   30.00 * 50%" in (failure.text or "")
    assert "then patient_pays: expected 1.00, found 32.50" in (failure.text or "")
    assert [c.find("failure") is None for c in cases] == [False, True, False, False, True]
    before = report.read_bytes()
    run("test", str(folder), "--junit", str(report))
    assert report.read_bytes() == before


def test_junit_counts_guarantees_and_mistakes(folder: Path, tmp_path: Path) -> None:
    """A broken guarantee is a failure, a mistake in an example file an error."""
    text = RULEBOOK.replace("pays: max(0, total - reduced)", 'pays: "if total > ¥60 then ¥0 else total"')
    (folder / "rulebook.yaml").write_text(text, encoding="utf-8")
    wrong = "- example: one\n  by: h\n  episode: {episode_id: E1, day: 2025-01-01, total: 60}\n  expect: {pays: 60, payz: 1}\n"
    (folder / "examples" / "all.yaml").write_text(wrong, encoding="utf-8")
    report = tmp_path / "report.xml"
    assert run("test", str(folder), "--junit", str(report)).return_value == 1
    root = parsed(report)
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("3", "1", "1")
    told = [c.find("failure") for c in root.iter("testcase")]
    assert [t is not None and "from 60.00 to 0.00" in (t.get("message") or "") for t in told] == [False, True, False]
    error = next(c for c in root.iter("error"))
    assert "payz" in (error.get("message") or "")


def test_junit_of_hostile_names(folder: Path, tmp_path: Path) -> None:
    """Names with markup make a well-formed report."""
    text = EXAMPLE.replace('"it\'s all wrong"', '"<a> & ]]> \\U0001F600"')
    (folder / "examples" / "all.yaml").write_text(text, encoding="utf-8")
    report = tmp_path / "report.xml"
    run("test", str(folder), "--junit", str(report))
    names = [c.get("name") for c in parsed(report).iter("testcase")]
    assert names[0] == "<a> & ]]> \U0001f600"


@pytest.mark.parametrize(
    ("more", "where"), [([], "-"), (["-o", "-"], "-"), (["-o", "{0}"], "{0}"), (["-o", "x/../{0}"], "{0}")]
)
def test_junit_and_results_in_one_place(folder: Path, tmp_path: Path, more: list[str], where: str) -> None:
    """Two documents in one file, or both on standard output, would be neither."""
    (tmp_path / "x").mkdir()
    file = str(tmp_path / "both.xml")
    options = [o.replace("x/../{0}", str(tmp_path / "x" / ".." / "both.xml")).replace("{0}", file) for o in more]
    with pytest.raises(Failure, match="both"):
        run("test", str(folder), "--junit", where.replace("{0}", file), *options)
    assert not Path(file).exists()
