"""What was computed of a file's records, put aside on disk until they are written."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import polars as pl

from rxcalc.driver.batch_blocks import RowProblem
from rxcalc.inputs.cells import CellProblem
from rxcalc.inputs.tables import ROW
from rxcalc.tabular.spool import Spool

_HELD: Final = 160 << 20  # bytes of results kept in memory besides
_TOGETHER: Final = 1 << 19  # records whose results are held at once
_PROBLEM: Final = {ROW: pl.Int64, "code": pl.String, "field": pl.String, "value": pl.String, "message": pl.String}
_FINDING: Final = {ROW: pl.Int64, "line": pl.String}


@dataclass(frozen=True, slots=True)
class Taken:
    """What there is of some records, by `__row` counted from the first of them."""

    values: pl.DataFrame
    problems: Sequence[tuple[int, RowProblem]]
    findings: Sequence[str]  # lines of the findings file, in the order of the records


class Store:
    """Results, problems and findings of a file's records, added part by part in any order and taken block by block."""

    def __init__(self, folder: Path, name: str) -> None:
        self._spools = {what: Spool(folder, f"{name}-{what}") for what in ("values", "problems", "findings")}
        self._empty: pl.DataFrame | None = None
        self._lock = threading.Lock()
        self._load = lru_cache(maxsize=2)(self._bucket)
        self._held: dict[tuple[str, int], list[pl.DataFrame]] = {}  # what is small enough is not read back
        self._room = _HELD
        self.decimals: Mapping[str, int] = {}

    def add(
        self,
        values: pl.DataFrame,
        problems: Iterable[tuple[int, RowProblem]] = (),
        findings: Iterable[tuple[int, str]] = (),
    ) -> None:
        """Results by `__row`; the problems of rows without; lines of findings. `decimals` must be those of all parts."""
        values = values.with_columns(pl.col(ROW).cast(pl.Int64))
        if self._empty is None:
            self._empty = values.clear()
            self._spools["values"].append(0, self._empty)  # the columns, also when nothing was computed
        self._append("values", values.select(self._empty.columns))
        told = [(row, p.code, p.field, p.value, p.message) for row, p in problems]
        self._append("problems", pl.DataFrame(told, schema=_PROBLEM, orient="row"))
        self._append("findings", pl.DataFrame(list(findings), schema=_FINDING, orient="row"))

    def take(self, base: int, records: int) -> Taken:
        """What there is of `records` records from `base` on. May be called from several threads."""
        first, last = base // _TOGETHER, max(base, base + records - 1) // _TOGETHER
        with self._lock:
            buckets = [self._load(at) for at in range(first, last + 1)]
        values, problems, findings = (
            _between(pl.concat(frames), base, records) for frames in zip(*buckets, strict=True)
        )
        return Taken(
            values,
            [(row, CellProblem(*rest)) for row, *rest in problems.iter_rows()],
            findings.get_column("line").to_list(),
        )

    def state(self) -> dict[str, Any]:
        """What `reopen` needs."""
        return {
            "decimals": dict(self.decimals),
            **{name: {str(part): size for part, size in spool.sizes.items()} for name, spool in self._spools.items()},
        }

    def reopen(self, state: Mapping[str, Any]) -> bool:
        """Take up what an interrupted run has put aside; False when it is not there any more."""
        self.decimals = state["decimals"]
        for name, spool in self._spools.items():
            if not spool.reopen({int(part): size for part, size in state[name].items()}):
                return False
        self._empty = next(self._spools["values"].segments(0), None)
        return self._empty is not None

    def _append(self, what: str, frame: pl.DataFrame) -> None:
        if frame.is_empty():
            return
        numbered = frame.with_columns((pl.col(ROW) // _TOGETHER).alias("__bucket"))
        parts = numbered.partition_by("__bucket", maintain_order=True, include_key=False, as_dict=True)
        for (bucket,), rows in parts.items():
            self._spools[what].append(int(bucket), rows)
            self._room -= int(rows.estimated_size())
            if self._room > 0:
                self._held.setdefault((what, int(bucket)), []).append(rows)
            else:
                self._held.clear()

    def _bucket(self, at: int) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
        empty = {"problems": pl.DataFrame(schema=_PROBLEM), "findings": pl.DataFrame(schema=_FINDING)}
        assert self._empty is not None  # noqa: S101 - something was added, or reopened
        empty["values"] = self._empty
        found = []
        for what in ("values", "problems", "findings"):
            held = self._held.get((what, at))
            frame = pl.concat(held) if held and self._room > 0 else self._spools[what].read(at)
            frame = empty[what] if frame is None else frame
            found.append(frame if frame.get_column(ROW).is_sorted() else frame.sort(ROW, maintain_order=True))
        return found[0], found[1], found[2]


def _between(frame: pl.DataFrame, base: int, records: int) -> pl.DataFrame:
    """The rows of some records, counted from the first of them; `frame` ascends."""
    have = frame.get_column(ROW)
    start = int(have.search_sorted(base, side="left"))
    end = int(have.search_sorted(base + records, side="left"))
    return frame.slice(start, end - start).with_columns(pl.col(ROW) - base)
