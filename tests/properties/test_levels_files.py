"""Files of episodes and lines: the columns write the bytes that the exact evaluator writes, record by record."""

from __future__ import annotations

import csv
from fractions import Fraction
from pathlib import Path
from typing import Any

import levels
import pytest
from click.testing import CliRunner

from rxcalc.cli.main import cli
from rxcalc.driver import batch_prepare

FILES = ("o.csv", "lo.csv", "o.rejects.csv", "o.lines.rejects.csv")


def cell(value: Any) -> str:
    """A value as a file has it."""
    if isinstance(value, Fraction):
        return f"{int(value * 100) // 100}.{int(value * 100) % 100:02d}"
    return "" if value is None else str(value)


def write(folder: Path, seed: int) -> None:
    """A rulebook, its episodes (three without a date) and their lines (one of nobody, one with a wrong value)."""
    (folder / "r.yaml").write_text(levels.Writer(seed, groups=False).write().text, encoding="utf-8")
    episodes = levels.Maker(seed).episodes(80)
    for episode in episodes[:3]:
        episode["day"] = None
    names = [name for name in episodes[0] if name != "lines"]
    with (folder / "e.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([names, *([cell(e[name]) for name in names] for e in episodes)])
    fields = ["line_no", "code", "class", "quantity", "amount", "extra"]
    rows = [[e["episode_id"], *(cell(line[f]) for f in fields)] for e in episodes for line in e["lines"]]
    rows += [
        ["NOBODY", "1", "A1", "A", "1.00", "5.00", ""],
        [episodes[5]["episode_id"], "99", "A1", "Q", "1.00", "5.00", ""],
    ]
    with (folder / "l.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["episode_id", *fields], *rows])


@pytest.mark.parametrize("seed", [5, 7, 11, 12, 14])
def test_both_ways_write_the_same_bytes(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Results, lines and both files of rejects."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path, seed)
    written: list[list[bytes]] = []
    for by_record in (False, True):
        if by_record:
            monkeypatch.setattr(batch_prepare, "needs_exact", lambda _: True)
        options = ["-r", "r.yaml", "-o", "o.csv", "--lines", "l.csv", "--lines-out", "lo.csv", "--no-progress"]
        CliRunner().invoke(cli, ["batch", "e.csv", *options], standalone_mode=False)
        written.append([(tmp_path / name).read_bytes() for name in FILES])
    assert written[0] == written[1]
    assert len(written[0][1]) > 1000
