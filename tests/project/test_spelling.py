"""The shipped rulebooks, those of the atlas and what `rxcalc new` writes are in the canonical spelling."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from rxcalc.cli.main import cli

ROOT = Path(__file__).parents[2]
FOLDERS = [*(p for p in sorted((ROOT / "rulebooks").iterdir()) if p.is_dir()), ROOT / "tests" / "cases" / "atlas"]


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli, [*words], standalone_mode=False, catch_exceptions=False)
    return result.return_value, result.output


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_shipped(folder: Path) -> None:
    """`rxcalc fmt` would change nothing in them; `rxcalc fmt rulebooks tests/cases/atlas` mends what this finds."""
    code, told = run("fmt", str(folder), "--check")
    assert code == 0, told
    assert told.startswith("0 files would change")


def test_new(tmp_path: Path) -> None:
    """A new rulebook and its examples are as `rxcalc fmt` would have them."""
    run("new", "county", "--in", str(tmp_path))
    code, told = run("fmt", str(tmp_path), "--check")
    assert code == 0, told
    assert "0 files would change, 2 left" in told
