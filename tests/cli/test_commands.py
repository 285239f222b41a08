"""The other commands from outside: check, test, plan, rulebooks, schema, and the program itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result
from jsonschema import Draft202012Validator

from rxcalc.cli.main import COMMANDS, cli

ROOT = Path(__file__).parents[2]
SMALL = """\
rxcalc: 1
rulebook: small
title: Small
version: "1"
currency: CNY
rounding: half-up
effective: {from: 2020-01-01, by: on}
inputs:
  episode_id: {type: code}
  "on": {type: date}
  total: {type: money}
parameters:
  rate: {type: percent, values: {2020-01-01: 80%}}
steps:
  pays: {rule: "total * rate"}
shares:
  bill: {of: total, fund: pays, patient: rest}
outputs: [pays]
"""


def run(*args: str) -> Result:
    return CliRunner().invoke(cli, [*args], catch_exceptions=False, standalone_mode=False)


def program(*args: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "rxcalc", *args],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **(env or {})},
        cwd=ROOT,
        timeout=60,
    )


def small(folder: Path, text: str = SMALL, example: str | None = None) -> Path:
    (folder / "examples").mkdir(parents=True)
    (folder / "rulebook.yaml").write_text(text, encoding="utf-8")
    if example is not None:
        (folder / "examples" / "all.yaml").write_text(example, encoding="utf-8")
    return folder


def test_check_shipped_rulebooks() -> None:
    """The shipped rulebooks have no errors and no warnings."""
    result = run("check", "qin", "beijing-employee", "--format", "json")
    assert result.return_value == 0
    for report in json.loads(result.stdout):
        assert report["errors"] == report["warnings"] == 0
        assert report["evidence"]


def test_check_shows_every_error_with_its_place(tmp_path: Path) -> None:
    """All errors of all files come in one run, each with file, line, column, code, help and the nearest name."""
    small(tmp_path / "a", SMALL.replace("total * rate", "totl * rate"))
    small(tmp_path / "b", SMALL.replace("total * rate", "total + rate").replace("[pays]", "[pay]"))
    result = run("check", str(tmp_path), "--format", "json")
    reports = json.loads(result.stdout)
    assert result.return_value == 1
    first, second = (r["diagnostics"] for r in reports)
    assert [(d["code"], d["line"], d["column"]) for d in first] == [("RX301", 15, 17)]
    assert first[0]["help"] == ["did you mean `total`?"]
    assert {d["code"] for d in second} == {"RX401", "RX301"}


def test_check_reports_what_it_read(tmp_path: Path) -> None:
    """A clean rulebook ends with what was read and its values by evidence."""
    out = run("check", str(small(tmp_path / "a"))).stdout
    assert "3 inputs, 1 parameter, 0 tables, 1 step, 2 parts" in out
    assert "evidence   1 unmarked" in out


def test_failing_example_shows_first_difference(tmp_path: Path) -> None:
    """A failing example names the first step that differs, both values and the command that reproduces it; exit code 1."""
    example = "- example: wrong\n  by: hand\n  episode: {episode_id: E, on: 2021-01-01, total: 100.00}\n  expect: {pays: 80.01, patient_pays: 20.00}\n"
    result = run("test", str(small(tmp_path / "a", example=example)))
    assert result.return_value == 1
    assert "first difference: pays: expected 80.01, found 80.00" in result.stdout
    assert "rxcalc explain" in result.stdout
    assert "--example 'wrong'" in result.stdout


def test_reproducing_command_works(tmp_path: Path) -> None:
    """The command that a failing example prints explains that very entry."""
    example = "- example: one\n  episode: {episode_id: E, on: 2021-01-01, total: 100.00}\n  expect: {pays: 1.00}\n"
    folder = small(tmp_path / "a", example=example)
    text = run("explain", str(folder / "examples" / "all.yaml"), "--example", "one", "-r", str(folder)).stdout
    assert "80.00" in text


def test_rulebook_without_examples_is_a_warning(tmp_path: Path) -> None:
    """`test` without examples warns and exits with 0."""
    result = run("test", str(small(tmp_path / "a")))
    assert result.return_value == 0
    assert "no examples" in result.stderr


def test_broken_increasing_guarantee_is_found(tmp_path: Path) -> None:
    """`increasing` is tested around the examples: a cliff that pays less for more is found with its figures."""
    text = (
        SMALL.replace('rule: "total * rate"', 'rule: "if total > ¥100 then ¥0 else total * rate"')
        + "guarantees:\n  - increasing: {what: pays, in: total}\n"
    )
    example = "- example: edge\n  by: hand\n  episode: {episode_id: E, on: 2021-01-01, total: 100.00}\n  expect: {pays: 80.00}\n"
    result = run("test", str(small(tmp_path / "a", text, example)))
    assert result.return_value == 1
    assert "increasing" in result.stdout
    assert "80.00 to 0.00" in result.stdout


def test_plan_names_widths_and_nothing_runs_on_exact() -> None:
    """No shipped rulebook needs the exact back end in a batch."""
    for name in ("qin", "beijing-employee"):
        document = json.loads(run("plan", name, "--format", "json").stdout)
        assert all(step["runs_on"] == "columnar" for step in document["steps"]), name


def test_rulebooks_lists_evidence() -> None:
    """`rulebooks` says how many values of each rulebook are sourced."""
    rows = {r["name"]: r for r in json.loads(run("rulebooks", "--format", "json").stdout)}
    assert rows["qin"]["sourced"] == 0
    assert rows["beijing-employee"]["evidence"]["illustrative"] > 0


@pytest.mark.parametrize("bill", sorted(p.name for p in (ROOT / "docs" / "bills").glob("*.yaml")))
def test_episode_schema_accepts_the_bills(bill: str) -> None:
    """The schema for episode files is a valid schema and accepts the bills of the documentation."""
    episode = yaml.load((ROOT / "docs" / "bills" / bill).read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    schema = json.loads(run("schema", "episode", episode["rulebook"]).stdout)
    Draft202012Validator.check_schema(schema)
    assert list(Draft202012Validator(schema).iter_errors(_flags(episode))) == []


def _flags(node: object) -> object:
    if isinstance(node, dict):
        return {k: _flags(v) for k, v in node.items()}
    return node


def test_rulebook_schema_accepts_the_shipped_ones() -> None:
    """The schema for rulebook files accepts the shipped rulebooks as YAML texts."""
    schema = json.loads(run("schema", "rulebook").stdout)
    Draft202012Validator.check_schema(schema)
    for name in ("qin", "beijing-employee"):
        document = yaml.load(
            (ROOT / "rulebooks" / name / "rulebook.yaml").read_text(encoding="utf-8"), Loader=yaml.BaseLoader
        )
        assert list(Draft202012Validator(schema).iter_errors(document)) == []


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_help_with_an_example(name: str) -> None:
    """Each command answers --help with an example."""
    result = program(name, "--help")
    assert result.returncode == 0
    assert "Example:" in result.stdout


def test_exit_codes_of_the_program() -> None:
    """The program itself ends with 0, 1 or 2 and never shows a traceback."""
    assert program("--version").returncode == 0
    assert program("explain", "docs/bills/qin-town.yaml").returncode == 0
    assert program("explain", "docs/bills/qin-town.yaml", "--set", "total_cost=1e3").returncode == 1
    for args in (
        ("explain",),
        ("explian",),
        ("explain", "nope.yaml"),
        ("check", "no-such-rulebook"),
        ("--no-such-option",),
    ):
        result = program(*args)
        assert result.returncode == 2, args
        assert "Traceback" not in result.stderr
        assert result.stderr


def test_unknown_command_suggests_the_nearest() -> None:
    """A misspelt command names the nearest one."""
    assert "Did you mean `explain`?" in program("explian").stderr


def test_help_imports_little() -> None:
    """`--help` imports neither Polars, Lark, jsonschema nor YAML."""
    code = "import sys\nfrom rxcalc.cli.main import cli\ntry:\n    cli(['--help'])\nexcept SystemExit:\n    pass\nprint([m for m in ('polars', 'lark', 'jsonschema', 'yaml', 'numpy') if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert out.rstrip().endswith("[]")


def test_cached_explain_imports_little(tmp_path: Path) -> None:
    """`explain` of a cached rulebook imports neither Polars, Lark nor jsonschema, and gives the same text as uncached."""
    code = (
        "import sys\nfrom rxcalc.cli.main import cli\ncli(['explain', 'docs/bills/beijing-check.yaml'], standalone_mode=False)\n"
        "print([m for m in ('polars', 'lark', 'jsonschema', 'numpy', 'tabulate') if m in sys.modules])"
    )
    env = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    outs = [
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT, env=env
        ).stdout
        for _ in range(2)
    ]
    assert outs[0].splitlines()[:-1] == outs[1].splitlines()[:-1]
    assert outs[1].rstrip().endswith("[]")


def test_damaged_cache_is_compiled_again(tmp_path: Path) -> None:
    """A damaged or tampered cache entry is never used."""
    env = {"XDG_CACHE_HOME": str(tmp_path)}
    first = program("explain", "docs/bills/qin-town.yaml", env=env).stdout
    (entry,) = (tmp_path / "rxcalc").glob("*.plan")
    text = entry.read_text(encoding="utf-8")
    for damage in (
        "",
        "x",
        text[: len(text) // 2],
        text.replace("19/20", "1/20"),
        text.replace("\n", "\n[" * 50_000, 1),
    ):
        entry.write_text(damage, encoding="utf-8")
        result = program("explain", "docs/bills/qin-town.yaml", env=env)
        assert result.stdout == first
        assert result.stderr == ""
