"""Any input of records by its name: which kind of file it is, and its head."""

from __future__ import annotations

from pathlib import Path

from rxcalc.tabular.blocks import Source
from rxcalc.tabular.problems import UsageProblem
from rxcalc.tabular.reader import open_text


def open_source(path: Path) -> Source | UsageProblem:
    """The source, or why it cannot be read at all."""
    return open_text(path)
