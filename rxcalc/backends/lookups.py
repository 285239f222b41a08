"""Parameters and tables as the exact back end reads them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Final

from rxcalc.plan.nodes import PlanParameter, PlanRow, PlanTable


class NoValue(Enum):
    """A date for which a parameter says nothing; unlike `none`, which says that there is no such value."""

    NO_VALUE = 0


NO_VALUE: Final = NoValue.NO_VALUE


@dataclass(frozen=True)
class ParameterIndex:
    """A parameter's segments by start date."""

    starts: tuple[date, ...]
    values: tuple[Mapping[tuple[str, ...], object], ...]
    end: date | None

    @staticmethod
    def of(p: PlanParameter) -> ParameterIndex:
        """The index of a parameter."""
        return ParameterIndex(tuple(s.start for s in p.segments), tuple(dict(s.values) for s in p.segments), p.end)

    def at(self, keys: tuple[str, ...], on: date) -> object:
        """The value on a date: None for `none`, NO_VALUE where none is in force."""
        index = bisect_right(self.starts, on) - 1
        if index < 0 or (self.end is not None and on > self.end):
            return NO_VALUE
        return self.values[index].get(keys)


class TableIndex:
    """A table's rows by their exact keys."""

    __slots__ = ("_rows", "columns", "table")

    def __init__(self, table: PlanTable) -> None:
        self.table = table
        self.columns = {c.name: at for at, c in enumerate(table.columns)}
        self._rows: dict[tuple[object, ...], list[PlanRow]] = {}
        for row in table.rows:
            self._rows.setdefault(row.keys[:-1] if table.range_key else row.keys, []).append(row)

    def find(self, keys: tuple[object, ...], on: date) -> PlanRow | None:
        """The row for the keys that is valid on a date; for a range key the smallest limit that covers the value."""
        exact = keys[:-1] if self.table.range_key else keys
        best: PlanRow | None = None
        for row in self._rows.get(exact, ()):
            if (row.start is not None and on < row.start) or (row.end is not None and on > row.end):
                continue
            if not self.table.range_key:
                return row
            limit = row.keys[-1]
            value = keys[-1]
            covers = limit is None or (value <= limit if self.table.range_key == "up_to" else value < limit)  # type: ignore[operator]  # one type, checked
            if covers and (best is None or (limit is not None and (best.keys[-1] is None or limit < best.keys[-1]))):  # type: ignore[operator]  # as above
                best = row
        return best
