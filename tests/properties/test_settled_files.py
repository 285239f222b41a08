"""Files of episodes with groups across bills: the columns write the bytes that the exact evaluator writes, record by record."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import settled
from click.testing import CliRunner

from rxcalc.cli.main import cli
from rxcalc.driver import batch_compute, batch_prepare


def files_of(folder: Path) -> dict[str, bytes]:
    """All that a run has written, the summary without its time."""
    found = {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
    for name, data in found.items():
        if name.endswith(".summary.json"):
            told = {**json.loads(data), "seconds": 0, "exact_steps": {}}  # which way it went is no part of the results
            found[name] = json.dumps(told, ensure_ascii=False).encode()
    return found


def both_ways(
    folder: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], *, in_columns: bool
) -> dict[str, bytes]:
    """A run through columns and one record by record, which must write the same files."""
    monkeypatch.chdir(folder)
    args = ["batch", "e.csv", "-r", "r.yaml", "--no-progress", *options]
    written: list[dict[str, bytes]] = []
    for way in ("columns", "records"):
        out = folder / way
        out.mkdir()
        with monkeypatch.context() as patch:
            if way == "records":
                patch.setattr(batch_prepare, "needs_exact", lambda _: True)
            elif in_columns:
                patch.setattr(batch_compute, "_by_record", refuse)
            lines = ["--lines-out", f"{way}/lo.csv"] if "--lines" in options else []
            result = CliRunner().invoke(cli, [*args, "-o", f"{way}/o.csv", *lines], standalone_mode=False)
        assert not result.exception, result.exception
        assert result.return_value in {0, 1}, result.stderr
        written.append(files_of(out))
    assert list(written[0]) == list(written[1])
    for name, data in written[0].items():
        assert data.decode() == written[1][name].decode(), name
    return written[0]


def refuse(*_: Any) -> Any:
    """In the place of the way record by record."""
    raise AssertionError


@pytest.mark.parametrize("seed", range(80))
def test_both_ways_write_the_same_bytes(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Results, lines, groups, all files of rejects, and the summary apart from its time."""
    book = settled.Book(seed)
    book.write(tmp_path)
    options = ["--groups", "in", *(["--lines", "l.csv"] if book.lines else [])]
    options += ["--after-reject", "compute"] if book.sequence and book.chance(50) else []
    files = both_ways(tmp_path, monkeypatch, options, in_columns=True)
    assert len(files["o.rejects.csv"]) > 300
    assert len(files["o.groups/region_year.csv"]) > 100 or book.required


@pytest.mark.parametrize("groups", [True, False])
@pytest.mark.parametrize("seed", range(60))
def test_both_ways_find_the_same(seed: int, groups: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With checks of every level: the findings as well."""
    book = settled.Book(seed, checks=True, groups=groups)
    book.write(tmp_path)
    options = [*(["--groups", "in"] if groups else []), *(["--lines", "l.csv"] if book.lines else [])]
    options += ["--after-reject", "compute"] if book.sequence and book.chance(50) else []
    files = both_ways(tmp_path, monkeypatch, options, in_columns=True)
    assert ("o.findings.csv" in files) == bool(book.number)
