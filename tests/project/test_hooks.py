"""The hooks for pre-commit: they name commands and options that exist, and files as rulebook repositories have them."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from rxcalc.cli.main import cli

ROOT = Path(__file__).parents[2]
HOOKS: list[dict[str, Any]] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
MINE = ["rules/county/rulebook.yaml", "rulebook@2024.yaml", "a/b/rulebook@2024.1.yml"]
EXAMPLES = ["rules/county/examples/first.yaml", "examples/x.yml"]
TABLES = ["rules/county/tables/drg.csv"]
OTHERS = ["README.md", "my-rulebook.yaml.bak", "docs/notes.yaml", "myexamples/a.yaml", "rules/examples/a.csv"]


def test_there_are_three() -> None:
    """Each with what pre-commit requires."""
    assert [hook["id"] for hook in HOOKS] == ["rxcalc-check", "rxcalc-fmt", "rxcalc-test"]
    for hook in HOOKS:
        assert {"id", "name", "entry", "language", "files"} <= set(hook)
        assert hook["language"] == "python"


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("rxcalc-check", MINE + TABLES), ("rxcalc-fmt", MINE + EXAMPLES), ("rxcalc-test", MINE + EXAMPLES + TABLES)],
)
def test_files(name: str, wanted: list[str]) -> None:
    """A hook runs for the files that it is about, and for no others."""
    (hook,) = (hook for hook in HOOKS if hook["id"] == name)
    pattern = re.compile(hook["files"])
    assert [file for file in MINE + EXAMPLES + TABLES + OTHERS if pattern.search(file)] == [
        file for file in MINE + EXAMPLES + TABLES if file in wanted
    ]


def test_they_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As pre-commit runs them in a repository of rulebooks: green, then red after a slip."""
    runner = CliRunner()
    monkeypatch.chdir(tmp_path)
    assert runner.invoke(cli, ["new", "mine"], standalone_mode=False).return_value == 0
    file = tmp_path / "mine" / "rulebook.yaml"

    def codes() -> list[int]:
        found = []
        for hook in HOOKS:
            _, *words = shlex.split(hook["entry"])
            files = [] if hook.get("pass_filenames") is False else ["mine/rulebook.yaml", "mine/examples/first.yaml"]
            result = runner.invoke(cli, [*words, *hook.get("args", []), *files], standalone_mode=False)
            found.append(
                result.return_value if result.exception is None else getattr(result.exception, "exit_code", -1)
            )
        return found

    assert codes() == [0, 0, 0]
    file.write_text(file.read_text(encoding="utf-8").replace("* rate[level]", "* rat[level]"), encoding="utf-8")
    assert codes() == [1, 0, 2]
