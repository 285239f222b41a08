"""What has been computed of one version's rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from rxcalc.driver.batch_blocks import RowProblem

if TYPE_CHECKING:
    from rxcalc.backends.base import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The results of some rows: see `batch_blocks.Computed`."""

    values: pl.DataFrame
    decimals: Mapping[str, int]
    problems: Sequence[tuple[int, RowProblem]] = ()
    marked: frozenset[int] = frozenset()
    affected: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    lists: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    list_decimals: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    findings: Sequence[tuple[int, Finding]] = ()
