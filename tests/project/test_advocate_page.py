"""docs/advocate.md is true: its transcripts come out as printed."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from rxcalc.cli.main import cli

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "advocate.md").read_text(encoding="utf-8")
TRANSCRIPTS = re.findall(r"```console\n\$ (.+?)\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize(("command", "printed"), TRANSCRIPTS, ids=[c for c, _ in TRANSCRIPTS])
def test_transcripts(command: str, printed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every line of a transcript is printed, in order; `..` stands for lines left out."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("LANG", "C.UTF-8")
    program, *args = shlex.split(command)
    assert program == "rxcalc"
    result = CliRunner().invoke(cli, args)
    lines = iter([line.rstrip() for line in (result.stdout + result.stderr).splitlines()])
    for wanted in printed.splitlines():
        if wanted.strip() != "..":
            assert wanted.rstrip() in lines, f"not printed, or not in this place: {wanted!r}"
