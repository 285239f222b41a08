"""`check --format sarif` and `--format github`: every diagnostic, at its place, for machines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from jsonschema import Draft202012Validator

from rxcalc.cli.main import cli
from rxcalc.diagnostics.github import as_github
from rxcalc.diagnostics.model import Diagnostic, Label, Severity
from rxcalc.source import SourceFile, Span

ROOT = Path(__file__).parents[2]
HEAD = """\
rxcalc: 1
rulebook: small
version: "1"
currency: CNY
rounding: half-up
effective: {from: 2020-01-01, by: day}
inputs:
  episode_id: {type: code}
  day: {type: date}
  total: {type: money, label: 总费用𠮷}
"""
MISSPELT = HEAD + (
    "parameters:\n  rate: {type: percent, values: {2020-01-01: 80%}}\nsteps:\n  pays: totl * rate\noutputs: [pays]\n"
)
LAID_OVER = """\
rxcalc: 1
rulebook: over
extends: "./base.yaml"
version: "1"
effective: {from: 2020-01-01, by: day}
changes: {rounding: half-up}
"""

# The parts of the SARIF 2.1.0 schema that a consumer relies on, with the constraints that it has there.
REGION = {
    "type": "object",
    "additionalProperties": False,
    "required": ["startLine"],
    "properties": {
        "startLine": {"type": "integer", "minimum": 1},
        "startColumn": {"type": "integer", "minimum": 1},
        "endLine": {"type": "integer", "minimum": 1},
        "endColumn": {"type": "integer", "minimum": 1},
    },
}
MESSAGE = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "minLength": 1}}}
LOCATION = {
    "type": "object",
    "additionalProperties": False,
    "required": ["physicalLocation"],
    "properties": {
        "id": {"type": "integer", "minimum": -1},
        "message": MESSAGE,
        "physicalLocation": {
            "type": "object",
            "additionalProperties": False,
            "required": ["artifactLocation"],
            "properties": {
                "artifactLocation": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["uri"],
                    "properties": {
                        "uri": {"type": "string", "format": "uri-reference", "pattern": "^[!-~]+$"},
                        "uriBaseId": {"const": "%SRCROOT%"},
                    },
                },
                "region": REGION,
            },
        },
    },
}
RULE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["id", "name", "shortDescription", "help", "defaultConfiguration"],
    "properties": {
        "id": {"type": "string", "pattern": "^RX[0-9]{3}$"},
        "name": {"type": "string", "pattern": "^[A-Z][A-Za-z0-9]+$"},
        "shortDescription": MESSAGE,
        "help": {**MESSAGE, "required": ["text", "markdown"]},
        "defaultConfiguration": {"properties": {"level": {"enum": ["none", "note", "warning", "error"]}}},
    },
}
SARIF = {
    "type": "object",
    "additionalProperties": False,
    "required": ["version", "runs"],
    "properties": {
        "$schema": {"type": "string", "format": "uri"},
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["tool", "results"],
                "properties": {
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                    "invocations": {"items": {"required": ["executionSuccessful"]}},
                    "tool": {
                        "required": ["driver"],
                        "properties": {
                            "driver": {
                                "required": ["name", "version"],
                                "properties": {"rules": {"type": "array", "uniqueItems": True, "items": RULE}},
                            }
                        },
                    },
                    "results": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "additionalProperties": False,
                            "required": ["message", "ruleId", "ruleIndex", "level"],
                            "properties": {
                                "ruleId": {"type": "string"},
                                "ruleIndex": {"type": "integer", "minimum": 0},
                                "level": {"enum": ["none", "note", "warning", "error"]},
                                "message": MESSAGE,
                                "locations": {"type": "array", "items": LOCATION},
                                "relatedLocations": {"type": "array", "uniqueItems": True, "items": LOCATION},
                            },
                        },
                    },
                },
            },
        },
    },
}


def run(*args: str) -> Result:
    return CliRunner().invoke(cli, ["check", *args], catch_exceptions=False, standalone_mode=False)


def sarif(*args: str) -> dict[str, Any]:
    result = run(*args, "--format", "sarif")
    log: dict[str, Any] = json.loads(result.stdout)
    assert list(Draft202012Validator(SARIF).iter_errors(log)) == []
    rules = log["runs"][0]["tool"]["driver"]["rules"]
    for found in log["runs"][0]["results"]:
        assert rules[found["ruleIndex"]]["id"] == found["ruleId"]
    return log


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)
    (tmp_path / "rules, 100%").mkdir()
    (tmp_path / "rules, 100%" / "rulebook.yaml").write_text(MISSPELT, encoding="utf-8")
    return tmp_path


def test_sarif_places_and_paths(folder: Path) -> None:
    """Lines and columns from 1, ends exclusive, in code points; paths from the current folder, escaped as URIs."""
    result = run("rules, 100%", "--format", "sarif")
    assert result.return_value == 1
    (one,) = (r for r in sarif("rules, 100%")["runs"][0]["results"] if r["ruleId"] == "RX301")
    place = one["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "rules%2C%20100%25/rulebook.yaml", "uriBaseId": "%SRCROOT%"}
    assert place["region"] == {"startLine": 14, "startColumn": 9, "endLine": 14, "endColumn": 13}
    assert one["level"] == "error"
    assert one["message"]["text"] == "`totl` is not a known name\nhelp: did you mean `total`?"
    assert sarif("rules, 100%")["runs"][0]["columnKind"] == "unicodeCodePoints"


def test_columns_count_code_points(folder: Path) -> None:
    """A character outside the basic plane is one column, not two."""
    text = HEAD + 'steps:\n  pays: {label: "𠮷𠮷", rule: totl}\noutputs: [pays]\n'
    (folder / "one.yaml").write_text(text, encoding="utf-8")
    (one,) = sarif("one.yaml")["runs"][0]["results"]
    line = text.splitlines()[11]
    assert one["locations"][0]["physicalLocation"]["region"]["startColumn"] == line.index("totl") + 1


def test_both_formats_hold_what_the_text_holds() -> None:
    """Over all cases of mistakes: the same codes at the same lines as JSON, warnings included, and the same exit code."""
    cases = sorted(str(p) for p in (ROOT / "tests" / "cases" / "check").iterdir() if p.suffix != ".expect")[::7]
    plain = run(*cases, "--format", "json")
    wanted = {(d["code"], d["line"]) for doc in json.loads(plain.stdout) for d in doc["diagnostics"]}
    log = sarif(*cases)
    found = set()
    for r in log["runs"][0]["results"]:
        region = r["locations"][0]["physicalLocation"].get("region", {"startLine": 1})
        found.add((r["ruleId"], region["startLine"]))
    assert found == wanted
    told = run(*cases, "--format", "github")
    lines = told.stdout.splitlines()
    assert len(lines) == len(log["runs"][0]["results"])
    assert all(line.startswith(("::error ", "::warning ")) for line in lines)
    assert plain.return_value == told.return_value == 1


def test_related_places_are_in_sarif() -> None:
    """The other place of a duplicate name, with its text."""
    log = sarif(str(ROOT / "tests/cases/check/RX302-duplicate-name.yaml"))
    (one,) = (r for r in log["runs"][0]["results"] if r["ruleId"] == "RX302")
    (related,) = one["relatedLocations"]
    assert related["id"] == 1
    assert related["message"]["text"]


def test_nothing_found_is_a_valid_log() -> None:
    """No results, exit code 0; no line at all for GitHub."""
    assert sarif("qin")["runs"][0]["results"] == []
    assert run("qin", "--format", "sarif").return_value == 0
    assert run("qin", "--format", "github").stdout == ""


def test_github_escapes(folder: Path) -> None:
    """Commas, colons and percent signs of a file's name cannot end the property."""
    lines = run("rules, 100%", "--format", "github").stdout.splitlines()
    assert (
        "::error file=rules%2C 100%25/rulebook.yaml,line=14,col=9,endColumn=13,title=RX301"
        "::`totl` is not a known name%0Ahelp: did you mean `total`?"
    ) in lines


def test_github_warnings(folder: Path) -> None:
    """A warning is a warning there too, and the exit code stays 0."""
    (folder / "base.yaml").write_text(MISSPELT.replace("totl", "total"), encoding="utf-8")
    (folder / "over.yaml").write_text(LAID_OVER, encoding="utf-8")
    result = run("over.yaml", "--format", "github")
    assert result.return_value == 0
    assert all(line.startswith("::warning file=over.yaml,line=") for line in result.stdout.splitlines())
    assert "title=RX158::" in result.stdout


def test_github_paths_start_at_the_workspace(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a job that runs in a subfolder, paths are those of the repository; outside it the name is in the message."""
    (folder / "sub").mkdir()
    monkeypatch.chdir(folder / "sub")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(folder))
    assert "file=rules%2C 100%25/rulebook.yaml," in run("../rules, 100%", "--format", "github").stdout
    monkeypatch.setenv("GITHUB_WORKSPACE", str(folder / "elsewhere"))
    (line, *_) = run("../rules, 100%", "--format", "github").stdout.splitlines()
    assert line.startswith("::error title=RX301::../rules, 100%25/rulebook.yaml:%0A")


def test_github_place_over_several_lines() -> None:
    """Columns are left out, as GitHub wants it."""
    file = SourceFile.of("a.yaml", "one\ntwo\nthree\n")
    found = Diagnostic(
        code="RX301", severity=Severity.INFO, message="50% :: \r\n", primary=Label(span=Span("a.yaml", 1, 9), text="x")
    )
    told = as_github(found, {"a.yaml": file}, Path.cwd())
    assert told == "::notice file=a.yaml,line=1,endLine=3,title=RX301::50%25 :: \\u000d\\u000a (x)"
