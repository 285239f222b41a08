"""The section on testing of docs/drafter.md is true: what it says is printed comes out as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from rxcalc.cli.main import cli

PAGE = (Path(__file__).parents[2] / "docs" / "drafter.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)


def run(*words: str) -> str:
    return CliRunner().invoke(cli, [*words], standalone_mode=False, catch_exceptions=False).stdout


@pytest.fixture(autouse=True)
def county(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    run("new", "county")
    return tmp_path / "county" / "examples" / "first.yaml"


def holds(printed: str, block: str) -> None:
    """Every line of the block is printed, in order; `..` stands for lines left out."""
    rest = iter(line.rstrip() for line in printed.splitlines())
    for wanted in block.splitlines():
        if wanted != "..":
            assert wanted.rstrip() in rest, f"not printed, or not in this place: {wanted!r}"


def test_a_failing_example(county: Path) -> None:
    """Ten fen more for the fund, ten less for the patient."""
    (block,) = (b for b in BLOCKS if b.startswith("FAILED"))
    text = county.read_text(encoding="utf-8")
    wrong = text.replace("fund_amount: 4000.40", "fund_amount: 4000.50").replace(
        "patient_pays: 1999.60", "patient_pays: 1999.50"
    )
    assert wrong != text
    county.write_text(wrong, encoding="utf-8")
    holds(run("test", "county"), block)


def test_mutation() -> None:
    """What survives in a new rulebook, and the example for it."""
    (block,) = (b for b in BLOCKS if b.startswith("$ rxcalc test county --mutate"))
    holds(run("test", "county", "--mutate"), block.partition("\n")[2])
