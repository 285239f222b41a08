"""What is kept of every episode of a run, for the ones after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from rxcalc.backends.columnar.kernel import carrier
from rxcalc.backends.columnar.values import cells, inputs_of, value_of
from rxcalc.passes.earlier import Spans
from rxcalc.passes.instances import Order
from rxcalc.plan.columns.calls import Kept
from rxcalc.plan.nodes import Plan, Value

__all__ = ["Memory"]


class Memory:
    """Columns by place in sequence order; `at` are the rows that look back now.

    Args:
        plan: the plan.
        frame: all rows in sequence order.
        inputs: those that earlier episodes are asked for, as columns `i:NAME`, in sequence order.
        orders: where rows stand in the window of each call.
        fields: steps and shares to keep, as `f:NAME`.
        partial: not every row that a window holds counts, only those noted as `computed`.
    """

    def __init__(
        self,
        plan: Plan,
        frame: pl.DataFrame,
        inputs: pl.DataFrame,
        orders: Mapping[int, Order],
        fields: Mapping[str, Kept],
        *,
        partial: bool,
    ) -> None:
        self.at = pl.Series(dtype=pl.UInt32())
        self._plan, self._frame, self._orders, self._fields = plan, frame, orders, fields
        self._columns = {column.name: column for column in inputs.get_columns()}
        self._computed = pl.repeat(value=False, n=frame.height, dtype=pl.Boolean(), eager=True) if partial else None
        for name, kept in fields.items():
            self._columns[f"f:{name}"] = self._blank(carrier(kept.type, kept.width))

    def _blank(self, kind: pl.DataType) -> pl.Series:
        return pl.repeat(None, self._frame.height, dtype=kind, eager=True)

    def order(self, call: int) -> Order:
        """Where rows stand in the window of a call."""
        return self._orders[call]

    def column(self, name: str) -> pl.Series:
        """What was kept of every row."""
        return self._columns[name]

    def readable(self, at: pl.Series) -> pl.Series | None:
        """Which of the rows at these places were computed; None: all that a row can see were."""
        return None if self._computed is None else self._computed.gather(at)

    def keep(self, at: pl.Series, columns: Sequence[pl.Series]) -> None:
        """Keeps the columns of the rows at these places, which are computed."""
        if self._computed is not None:
            self._computed = self._computed.scatter(at, True)  # noqa: FBT003 -- the value itself
        for column in columns:
            held = self._columns.get(column.name)
            if held is None:
                held = self._blank(column.dtype)
            self._columns[column.name] = held.scatter(at, column)

    def seen(self, order: Order, at: pl.Series) -> list[list[dict[str, Value]]]:
        """The fields of the earlier rows that each row at these places could see, as the exact evaluator takes them."""
        found: list[list[dict[str, Value]]] = [[] for _ in range(at.len())]
        for first, _, pairs in Spans(order, at).pieces():
            readable = self.readable(pairs["at"])
            rows = pairs if readable is None else pairs.filter(readable)
            past = inputs_of(self._plan, self._frame[rows["at"]])
            for name, field in self._fields.items():
                column = cells(self._columns[f"f:{name}"].gather(rows["at"]), field.type)
                for values, cell in zip(past, column, strict=True):
                    values[name] = value_of(cell, field.type, field.scale)
            for row, values in zip(rows["row"].to_list(), past, strict=True):
                found[first + row].append(values)
        return found
