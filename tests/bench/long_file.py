#!/usr/bin/env python3
"""A long file of stays for `beijing-employee`, three a person, in no order: long_file.py ROWS OUT.csv.

Made with Polars, a million rows at a time, from the row's number alone, so that the same number gives the same file.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import IO, cast

import polars as pl

CHUNK = 1_000_000
HEADER = "episode_id,person_id,person_class,level,discharge_date,total,in_scope\n"


def chunk(first: int, size: int, rows: int) -> pl.DataFrame:
    """The rows from one on; persons meet again anywhere in the file."""
    at = pl.int_range(first, first + size, dtype=pl.UInt64)
    person = at.hash(1) % (rows // 3 + 1)
    fen = at.hash(3) % 5_000_000 + 50_000
    return pl.select(
        episode_id=pl.format("E{}", at.cast(pl.String).str.zfill(9)),
        person_id=pl.format("P{}", person.cast(pl.String).str.zfill(9)),
        person_class=pl.when(person.hash(2) % 3 == 0).then(pl.lit("retired")).otherwise(pl.lit("active")),
        level=pl.format("level_{}", at.hash(4) % 3 + 1),
        discharge_date=pl.date(2025, 1, 1) + pl.duration(days=(at.hash(5) % 365).cast(pl.Int64)),
        total=fen.cast(pl.Decimal(18, 0)) * pl.lit("0.01").cast(pl.Decimal(18, 2)),
        in_scope=(fen * 4 // 5).cast(pl.Decimal(18, 0)) * pl.lit("0.01").cast(pl.Decimal(18, 2)),
    )


def main(rows: int, path: Path) -> None:
    """Writes the file."""
    with path.open("wb") as file:
        file.write(HEADER.encode())
        for first in range(0, rows, CHUNK):
            frame = chunk(first, min(CHUNK, rows - first), rows)
            frame.write_csv(cast("IO[bytes]", file), include_header=False)


if __name__ == "__main__":
    main(int(float(sys.argv[1])), Path(sys.argv[2]))
