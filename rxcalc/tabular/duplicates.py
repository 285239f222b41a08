"""Episode ids that occur more than once: found by 64-bit hashes, 8 bytes a row on disk, and confirmed by the ids themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import polars as pl

from rxcalc.tabular.judging import ID, Judged
from rxcalc.tabular.spool import Spool

_AT_ONCE: Final = 8_000_000  # hashes looked through together: some 200 MB


class Ids:
    """The hashes of all ids, block by block. Ids that ascend from first to last need no look."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._rows = 0
        self._blocks = 0
        self._ascending = True
        self._last = ""

    def add(self, judged: Judged) -> None:
        """Take the next block's ids."""
        frame = judged.hashes.alias("hash").to_frame()
        if judged.id_rows is not None:
            frame = frame.with_columns(judged.id_rows.cast(pl.UInt32).alias("row"))
        self._spool.append(0, frame)
        self._rows += frame.height
        self._blocks += 1
        if self._ascending and frame.height:
            ids = judged.checked.frame.get_column(ID)
            ids = ids if judged.id_rows is None else ids.gather(judged.id_rows)
            self._ascending = bool(ids[0] > self._last) and bool((ids.slice(1) > ids.slice(0, ids.len() - 1)).all())
            self._last = ids[-1]

    def state(self) -> dict[str, Any]:
        """What `reopen` needs to go on from here."""
        size = self._spool.sizes.get(0, 0)
        return {"size": size, "rows": self._rows, "blocks": self._blocks, "up": self._ascending, "last": self._last}

    def reopen(self, state: Mapping[str, Any]) -> bool:
        """Go on from a state; False when the hashes are not there any more."""
        self._rows, self._blocks = state["rows"], state["blocks"]
        self._ascending, self._last = state["up"], state["last"]
        return not state["size"] or self._spool.reopen({0: state["size"]})

    def suspects(self) -> dict[int, list[int]]:
        """Per block the rows whose hash occurs elsewhere too."""
        if self._ascending or not self._rows:
            return {}
        ranges = -(-self._rows // _AT_ONCE)
        found: dict[int, list[int]] = {}
        for at in range(ranges):
            for block, row in self._doubled(at, ranges):
                found.setdefault(block, []).append(row)
        return {block: sorted(rows) for block, rows in sorted(found.items())}

    def _doubled(self, at: int, ranges: int) -> Iterable[tuple[int, int]]:
        """The block and row of doubled hashes, of one of several ranges of hashes."""
        frames: list[pl.DataFrame] = []
        width = 2**64 // ranges + 1
        for block, segment in enumerate(self._spool.segments(0)):
            frame = segment if "row" in segment.columns else segment.with_row_index("row").select("hash", "row")
            if ranges > 1:
                frame = frame.filter(pl.col("hash").is_between(at * width, min(2**64, (at + 1) * width) - 1))
            frames.append(frame.with_columns(pl.lit(block, dtype=pl.UInt32).alias("block")))
        every = pl.concat(frames)
        hashes = every.get_column("hash")
        if hashes.n_unique() == hashes.len():
            return ()
        return every.filter(hashes.is_duplicated()).select("block", "row").iter_rows()


def confirm(
    suspects: Mapping[int, list[int]], blocks: Iterable[tuple[int, int, Callable[[], Judged]]]
) -> dict[int, dict[int, int]]:
    """Per block the rows whose id truly occurs elsewhere, with that line.

    `blocks` gives each block's number, first line, and a way to read it again; only suspects are read.
    """
    places: dict[str, list[tuple[int, int, int]]] = {}
    for number, line, read in blocks:
        if number not in suspects:
            continue
        judged = read()
        ids = judged.checked.frame.get_column(ID)
        for row in suspects[number]:
            places.setdefault(ids[row], []).append((number, row, line + judged.block.line(row)))
    found: dict[int, dict[int, int]] = {}
    for same in places.values():
        for number, row, _ in same if len(same) > 1 else ():
            other = next(line for block, place, line in same if (block, place) != (number, row))
            found.setdefault(number, {})[row] = other
    return found
