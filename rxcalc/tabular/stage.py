"""Records put aside as text for what can only be written as a whole: workbooks and tables of databases.

The first line is a JSON object that names the columns with their types; the rest is CSV. An empty cell is a missing value.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

Type = Literal["text", "percent", "date", "flag", "count", "decimal"]
_HEAD_LIMIT: Final = 64 << 20


@dataclass(frozen=True, slots=True)
class StagedColumn:
    """A column; of decimals `digits` and `decimals` say how many there are."""

    name: str
    type: Type
    digits: int = 0
    decimals: int = 0


def head_line(columns: Sequence[StagedColumn]) -> bytes:
    """The first line."""
    told = [[column.name, column.type, column.digits, column.decimals] for column in columns]
    return (json.dumps({"columns": told}, ensure_ascii=False) + "\n").encode()


def staged_columns(path: Path) -> tuple[tuple[StagedColumn, ...], int]:
    """The columns, and where the CSV begins."""
    with path.open("rb") as file:
        line = file.readline(_HEAD_LIMIT)
    return tuple(StagedColumn(*column) for column in json.loads(line)["columns"]), len(line)


@contextmanager
def staged_rows(path: Path) -> Iterator[Iterator[list[str]]]:
    """The records, each as its cells."""
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    with path.open(encoding="utf-8", newline="") as file:
        file.readline()
        yield csv.reader(file)
