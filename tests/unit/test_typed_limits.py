"""Limits of a rulebook's size that no case file can pass."""

from __future__ import annotations

from pathlib import Path

import pytest

from rxcalc.diagnostics.model import Sink
from rxcalc.driver.compile import compile_file
from rxcalc.typed import tables

CASE = Path(__file__).parents[1] / "cases" / "runs" / "table-row-only-when-used" / "rulebook.yaml"


def test_a_table_with_too_many_rows_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The row after the last one allowed gives one message at the file's name."""
    monkeypatch.setattr(tables, "MAX_ROWS", 2)
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "price.csv").write_text("code,amount\nA,1\nB,2\nC,3\n", encoding="utf-8")
    path = tmp_path / "rulebook.yaml"
    path.write_bytes(CASE.read_bytes())
    sink = Sink()
    assert compile_file(path, "rulebook.yaml", sink) is None
    assert [d.code for d in sink.sorted()] == ["RX611"]
