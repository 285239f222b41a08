"""The README is true: its transcripts come out as printed, its links lead somewhere, its Python runs."""

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
README = (ROOT / "README.md").read_text(encoding="utf-8")
TRANSCRIPTS = re.findall(r"```console\n\$ (.+?)\n(.*?)```", README, re.DOTALL)


def _seconds(text: str) -> str:
    return re.sub(r"\(\d+\.\d s\)", "(0.0 s)", text)


@pytest.mark.parametrize(("command", "printed"), TRANSCRIPTS, ids=[c for c, _ in TRANSCRIPTS])
def test_transcripts(command: str, printed: str, tmp_path: Path) -> None:
    """Every line of a transcript is printed, in order; `..` stands for lines left out."""
    shutil.copytree(ROOT / "docs" / "bills", tmp_path / "docs" / "bills")
    mine = tmp_path / "rules" / "mine"
    shutil.copytree(ROOT / "rulebooks" / "qin" / "tables", mine / "tables")
    text = (ROOT / "rulebooks" / "qin" / "rulebook.yaml").read_text(encoding="utf-8")
    (mine / "rulebook.yaml").write_text(
        text.replace("above_deductible * rate", "above_deductible * rat"), encoding="utf-8"
    )
    program, *args = shlex.split(command)
    assert program == "rxcalc"
    env = {**os.environ, "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8", "COLUMNS": "80"}
    result = subprocess.run(
        [sys.executable, "-m", "rxcalc", *args],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env=env,
        timeout=60,
    )
    lines = iter([line.rstrip() for line in _seconds(result.stdout + result.stderr).splitlines()])
    for wanted in _seconds(printed).splitlines():
        if wanted.strip() != "..":
            assert wanted.rstrip() in lines, f"not printed, or not in this place: {wanted!r}"


def test_links_lead_somewhere() -> None:
    """Every relative link of the README and of docs/ names a file that exists."""
    for page in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md")):
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), (page.name, target)


def test_python_example_runs() -> None:
    """The Python example gives what its comment says."""
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    *setup, last = code.strip().splitlines()
    expression, _, said = last.partition("#")
    result = subprocess.run(
        [sys.executable, "-c", "\n".join([*setup, f"print(repr({expression.strip()}))"])],
        capture_output=True, text=True, check=True, cwd=ROOT, timeout=60,
    )  # fmt: skip
    assert result.stdout.strip() == said.strip()
