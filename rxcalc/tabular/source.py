"""Any input of records by its name: which kind of file it is, and its head."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from rxcalc.tabular.blocks import Source
from rxcalc.tabular.encodings import AUTO
from rxcalc.tabular.locators import locate
from rxcalc.tabular.problems import UsageProblem
from rxcalc.tabular.reader import open_text
from rxcalc.tabular.tables.opening import open_table


def open_source(path: Path, encoding: str = AUTO) -> Source | UsageProblem:
    """The source, or why it cannot be read at all. `encoding` is that of text."""
    found = locate(path)
    if isinstance(found, UsageProblem):
        return found
    return open_table(path, found) or open_text(path, encoding)


def narrowed(source: Source, columns: Collection[int]) -> Source:
    """The source with only some columns read at once, where others can be read on demand."""
    from rxcalc.tabular.tables.parquet import ParquetSource

    return source.narrowed(columns) if isinstance(source, ParquetSource) else source
