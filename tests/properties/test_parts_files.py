"""Rows computed part by part, put aside on disk: the same bytes as all rows at once in memory."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from test_levels_files import FILES, write

from rxcalc.cli.main import cli
from rxcalc.driver import batch_prepare, batch_store
from rxcalc.driver.batch_prepare import Prepared
from rxcalc.tabular import parts


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows go to disk at once, parts hold a few persons, and results are put aside in small buckets."""
    monkeypatch.setattr(Prepared, "held", property(lambda _: 3_000))
    monkeypatch.setattr(parts, "_PIECE", 1_000)
    monkeypatch.setattr(batch_store, "_TOGETHER", 7)


@pytest.mark.parametrize("by_record", [False, True])
@pytest.mark.parametrize("seed", [5, 7, 11, 12, 14])
def test_parts_write_the_same_bytes(
    seed: int, by_record: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """Results, lines and both files of rejects."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path, seed)
    if by_record:
        monkeypatch.setattr(batch_prepare, "needs_exact", lambda _: True)
    written: list[list[bytes]] = []
    for _ in range(2):
        options = ["-r", "r.yaml", "-o", "o.csv", "--lines", "l.csv", "--lines-out", "lo.csv", "--no-progress"]
        found = CliRunner().invoke(cli, ["batch", "e.csv", *options], standalone_mode=False)
        assert found.exception is None, found.output
        written.append([(tmp_path / name).read_bytes() for name in FILES])
        request.getfixturevalue("tiny")
    assert written[0] == written[1]
    assert len(written[0][1]) > 1000
    assert sorted(path.name for path in tmp_path.glob(".*")) == []


@pytest.mark.parametrize("groups", [1, 2, 128])
def test_parts_are_put_together_up_to_a_limit(groups: int) -> None:
    """Each part once, in order, and no more than the limit in a group of several."""
    sizes = [[10] * parts.PARTS, [5] * parts.PARTS]
    limit = 15 * parts.PARTS // groups
    found = parts.together(sizes, limit)
    assert [part for group in found for part in group] == list(range(parts.PARTS))
    assert len(found) == groups
    assert all(15 * len(group) <= limit for group in found)
