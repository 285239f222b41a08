"""Episode ids that occur more than once: found by 64-bit hashes, 8 bytes a row, and confirmed by the ids themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import polars as pl

from rxcalc.tabular.judging import ID, Judged


@dataclass(slots=True)
class Ids:
    """The hashes of all ids, block by block. Ids of a block that ascend past all before them need no look."""

    hashes: list[pl.Series] = field(default_factory=list)
    rows: list[pl.Series | None] = field(default_factory=list)
    ascending: bool = True
    _last: str = ""

    def add(self, judged: Judged) -> None:
        """Take the next block's ids."""
        self.hashes.append(judged.hashes)
        self.rows.append(judged.id_rows)
        if self.ascending and judged.hashes.len():
            ids = judged.checked.frame.get_column(ID)
            ids = ids if judged.id_rows is None else ids.gather(judged.id_rows)
            self.ascending = bool(ids[0] > self._last) and bool((ids.slice(1) > ids.slice(0, ids.len() - 1)).all())
            self._last = ids[-1]

    def suspects(self) -> dict[int, list[int]]:
        """Per block the rows whose hash occurs elsewhere too."""
        if self.ascending or not self.hashes:
            return {}
        every = pl.concat(self.hashes, rechunk=True)
        if every.n_unique() == every.len():
            return {}
        doubled = every.is_duplicated()
        found: dict[int, list[int]] = {}
        at = 0
        for block, (hashes, rows) in enumerate(zip(self.hashes, self.rows, strict=True)):
            places = doubled.slice(at, hashes.len()).arg_true()
            at += hashes.len()
            if places.len():
                found[block] = (places if rows is None else rows.gather(places)).to_list()
        return found


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
