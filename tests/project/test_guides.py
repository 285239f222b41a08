"""The tutorial and the guides are true: their commands run in order, in one folder, and print what the page shows."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STEPS = {
    "tutorial.md": ["rulebooks", "check", "explain", "sample", "batch", "settle"],
    "guide-advocate.md": ["rulebooks", "explain", "audit", "whatif"],
    "guide-drafter.md": ["new", "check", "test", "doc", "diff", "sample", "fmt"],
}
PAGES = {name: (ROOT / "docs" / name).read_text(encoding="utf-8") for name in STEPS}
BLOCK = re.compile(r"```(console|yaml (?P<file>\S+))\n(?P<text>.*?)```", re.DOTALL)
READERS = {"head", "grep", "cut"}


def _seconds(text: str) -> str:
    return re.sub(r"\(\d+\.\d s\)", "(0.0 s)", text)


def _commands(text: str) -> list[tuple[str, str]]:
    """The commands of a console block, each with what is printed below it."""
    return re.findall(r"^\$ (.+)\n((?:(?!\$ ).*\n)*)", text, re.MULTILINE)


def _run(command: str, folder: Path) -> tuple[str, int]:
    program, *args = shlex.split(command)
    assert program == "rxcalc" or program in READERS, f"the page runs {program!r}, which this test does not know"
    start = [sys.executable, "-m", "rxcalc"] if program == "rxcalc" else [program]
    result = subprocess.run(
        [*start, *args],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8", "COLUMNS": "80"},
        timeout=60,
    )
    return result.stdout + result.stderr, result.returncode


@pytest.mark.parametrize("name", PAGES)
def test_commands_in_order(name: str, tmp_path: Path) -> None:
    """Each line shown is printed, in order; `..` stands for lines left out, and without it nothing is left out."""
    shutil.copytree(ROOT / "docs" / "bills", tmp_path / "docs" / "bills")
    page = PAGES[name]
    code, ran = 0, 0
    for block in BLOCK.finditer(page):
        if block["file"]:
            (tmp_path / block["file"]).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / block["file"]).write_text(block["text"], encoding="utf-8")
            continue
        for command, shown in _commands(block["text"]):
            if command == "echo $?":
                assert shown.strip() == str(code), f"the exit code before this line is {code}"
                continue
            output, code = _run(command, tmp_path)
            ran += 1
            printed = [line.rstrip() for line in _seconds(output).splitlines()]
            wanted = [line.rstrip() for line in _seconds(shown).splitlines()]
            if not any(line.strip() == ".." for line in wanted):
                assert printed == wanted, command
            lines = iter(printed)
            for line in wanted:
                if line.strip() != "..":
                    assert line in lines, f"`{command}` does not print this, or not in this place: {line!r}"
    assert ran == len(re.findall(r"^\$ (?!echo )", page, re.MULTILINE))


@pytest.mark.parametrize(("name", "step"), [(name, step) for name, steps in STEPS.items() for step in steps])
def test_every_step_is_there(name: str, step: str) -> None:
    """A page goes all the way: from the list of rulebooks to the settled year, from the bill to the letter."""
    assert re.search(rf"^\$ rxcalc {step}\b", PAGES[name], re.MULTILINE)


def test_the_interview_of_the_guide(tmp_path: Path) -> None:
    """The questions of the guide come as shown, when they are answered as shown; the file that is saved can be audited."""
    page = PAGES["guide-advocate.md"]
    shown = "".join(re.findall(r"^```text\n(.*?)^```", page, re.MULTILINE | re.DOTALL)[:2])
    answers = ["2025-03-18", "no", "36150", *re.findall(r"\] > ?(.*)", shown)]  # those left out come first
    ran = subprocess.run(
        [sys.executable, "-m", "rxcalc", "explain", "-r", "beijing-employee", "--ask", "--save", "mybill.yaml"],
        cwd=tmp_path,
        input="".join(f"{answer}\n" for answer in answers),
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8", "COLUMNS": "80"},
        timeout=120,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    lines = iter([line.rstrip() for line in (ran.stdout + ran.stderr).splitlines()])
    for line in shown.splitlines():
        if line.strip() != "..":
            assert line.rstrip() in lines, f"not printed, or not in this place: {line!r}"
    audit, code = _run("rxcalc audit mybill.yaml", tmp_path)
    assert code == 1
    assert "Pooled fund      29,930.00     30,627.00     -697.00  <--" in audit
