"""docs/drafter.md is true: its transcripts come out as printed, its gates pass, its hooks exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from rxcalc.cli.main import COMMANDS, cli

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "drafter.md").read_text(encoding="utf-8")


def run(words: list[str]) -> tuple[int, list[str]]:
    result = CliRunner().invoke(cli, words, standalone_mode=False)
    code = result.return_value if result.exception is None else getattr(result.exception, "exit_code", -1)
    return code or 0, [line.rstrip() for line in (result.stdout + result.stderr).splitlines()]


def test_transcripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In order, in one folder: every line is printed, in order; `..` stands for lines left out."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LANG", "C.UTF-8")
    blocks = re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
    commands = [part for block in blocks for part in re.findall(r"\$ (.+)\n((?:(?!\$ ).*\n)*)", block)]
    assert len(commands) == 4
    for command, printed in commands:
        program, *words = shlex.split(command)
        assert program == "rxcalc"
        code, lines = run(words)
        assert code == 0, command
        rest = iter(lines)
        for wanted in printed.splitlines():
            if wanted.strip() != "..":
                assert wanted.rstrip() in rest, f"{command}: not printed, or not in this place: {wanted!r}"


def test_gates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The chain of the page passes over a new rulebook, and every other command line names a command that exists."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rules").mkdir()
    assert run(["new", "county", "--in", "rules"])[0] == 0
    (chain,) = re.findall(r"```sh\n(rxcalc fmt .*)\n```", PAGE)
    for command in chain.split("&&"):
        assert run(shlex.split(command)[1:])[0] == 0, command
    for word in re.findall(
        r"(?m)^(?:      - run: )?rxcalc ([a-z-]+)\b",
        "\n".join(re.findall(r"```(?:sh|yaml)\n(.*?)```", PAGE, re.DOTALL)),
    ):
        assert word in COMMANDS, word


def test_hooks_of_the_page_exist() -> None:
    """The ids of the configuration are those of the hooks."""
    (config,) = (yaml.safe_load(block) for block in re.findall(r"```yaml\n(repos:.*?)```", PAGE, re.DOTALL))
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert {h["id"] for h in config["repos"][0]["hooks"]} == {h["id"] for h in hooks}
