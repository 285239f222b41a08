"""Rows in parts by the hash of a key: in memory while they are few, else on disk, so that each part can be taken by itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import polars as pl

from rxcalc.tabular.spool import Spool

PARTS: Final = 128
_PIECE: Final = 48 << 20  # bytes gathered before they are divided up
_PART: Final = "__part"


def part_of(key: pl.Expr) -> pl.Expr:
    """The part of rows by their key; those without one are in a part of their own choosing, always the same."""
    return (key.hash() % PARTS).cast(pl.UInt8)


class Parts:
    """Rows added in the order of a file; `sizes` are estimated bytes by part, once all are there.

    `part` gives the part of a row, below PARTS (`part_of` a key). `limit` is how many bytes are kept in memory;
    what is beyond goes to the spool, and with it all else.
    """

    def __init__(self, spool: Spool, part: pl.Expr, limit: int) -> None:
        self._spool, self._part, self._limit = spool, part.alias(_PART), limit
        self._held: list[pl.DataFrame] = []
        self._bytes = 0
        self._spooled = False
        self._empty: pl.DataFrame | None = None
        self._sizes = [0] * PARTS

    def add(self, frame: pl.DataFrame) -> None:
        """The next rows."""
        if self._empty is None:
            self._empty = frame.clear()
        if frame.height:
            self._held.append(frame)
            self._bytes += int(frame.estimated_size())
            if self._bytes > (_PIECE if self._spooled else self._limit):
                self._spill()

    def seal(self) -> None:
        """All rows are there."""
        if self._spooled and self._held:
            self._spill()

    @property
    def total(self) -> int:
        """The estimated bytes of all rows."""
        return sum(self._sizes) + self._bytes

    def sizes(self) -> list[int]:
        """The estimated bytes of each part; those in memory are taken to be spread evenly."""
        return [size + self._bytes // PARTS for size in self._sizes]

    def read(self, chosen: Sequence[int]) -> pl.DataFrame:
        """The rows of some parts, of each part in the order of the file; of all parts at once in it."""
        assert self._empty is not None  # noqa: S101 - even a file without records has its columns
        whole = len(chosen) == PARTS
        held = self._held if whole else [frame.filter(self._part.is_in(chosen)) for frame in self._held]
        spooled = [frame for part in chosen if (frame := self._spool.read(part)) is not None] if self._spooled else []
        return pl.concat([self._empty, *spooled, *held])

    def drop(self, chosen: Sequence[int]) -> None:
        """Rows that are needed no more."""
        if len(chosen) == PARTS:
            self._held.clear()
        for part in chosen if self._spooled else ():
            self._spool.forget(part)

    def pieces(self) -> Iterator[pl.DataFrame]:
        """All rows, piece by piece, in no order."""
        yield from self._held
        for part in range(PARTS) if self._spooled else ():
            yield from self._spool.segments(part)

    def _spill(self) -> None:
        frame = pl.concat(self._held)
        self._held.clear()
        self._bytes = 0
        self._spooled = True
        frame = frame.with_columns(self._part)
        for (part,), rows in frame.partition_by(_PART, maintain_order=True, include_key=False, as_dict=True).items():
            self._sizes[part] += int(rows.estimated_size())
            self._spool.append(part, rows)


def together(sizes: Iterable[Sequence[int]], limit: int) -> list[list[int]]:
    """Parts next to each other, as many at a time as stay below a limit; all of them where they do."""
    total = [sum(of) for of in zip(*sizes, strict=True)]
    groups: list[list[int]] = [[]]
    size = 0
    for part, own in enumerate(total):
        if groups[-1] and size + own > limit:
            groups.append([])
            size = 0
        groups[-1].append(part)
        size += own
    return groups
