"""Shell completion: scripts for three shells, and what they are offered."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from rxcalc.cli.completion import SHELLS
from rxcalc.cli.main import COMMANDS, cli

ROOT = Path(__file__).parents[2]


def offered(*words: str) -> list[str]:
    """What is offered for the last word."""
    *before, incomplete = words
    found = ShellComplete(cli, {}, "rxcalc", "_RXCALC_COMPLETE").get_completions(before, incomplete)
    return [item.value for item in found]


@pytest.mark.parametrize("shell", SHELLS)
def test_scripts(shell: str) -> None:
    """The script of the shell, which calls the program with the variable that it listens to."""
    result = CliRunner().invoke(cli, ["completion", shell], catch_exceptions=False, standalone_mode=False)
    assert result.return_value == 0
    assert f"_RXCALC_COMPLETE={shell}_complete" in result.stdout
    if shutil.which(shell):
        done = subprocess.run([shell, "-n"], input=result.stdout.encode(), capture_output=True, check=False)
        assert done.returncode == 0, done.stderr


def test_the_program_answers_bash(tmp_path: Path) -> None:
    """A program named `rxcalc` answers what the script asks."""
    program = tmp_path / "rxcalc"
    program.write_text(
        f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(ROOT)!r})\nfrom rxcalc.__main__ import main\nmain()\n",
        encoding="utf-8",
    )
    env = {
        "_RXCALC_COMPLETE": "bash_complete",
        "COMP_WORDS": "rxcalc check beij",
        "COMP_CWORD": "2",
        "PATH": "/usr/bin:/bin",
    }
    done = subprocess.run([sys.executable, str(program)], env=env, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[0] == "plain,beijing-employee"
    assert done.returncode == 0


def test_commands_and_options() -> None:
    """Every command, and the options of one."""
    assert offered("") == list(COMMANDS)
    assert offered("expl") == ["explain", "explain-code"]
    assert "--fail-under" in offered("test", "qin", "--f")


@pytest.mark.parametrize(
    "words",
    [
        ("check",), ("test",), ("fmt",), ("plan",), ("sample",), ("schema", "episode"), ("explain", "-r"), ("diff",),
        ("diff", "qin"),
    ],
)  # fmt: skip
def test_rulebook_names(words: tuple[str, ...]) -> None:
    """Shipped names, versions of one with several, and files."""
    assert offered(*words, "nat")[:3] == ["national-dip", "national-drg", "national-methods"]
    assert offered(*words, "shang")[:2] == ["shanghai-employee@2017", "shanghai-employee@2024"]
    assert offered(*words, "./ru") == ["./ru"]


def test_codes() -> None:
    """Codes of `explain-code`, in small letters too."""
    assert offered("explain-code", "rx30")[:2] == ["RX301", "RX302"]
