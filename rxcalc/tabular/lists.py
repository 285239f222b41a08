"""Files of lines: rows of a list of the episode, each of which names its episode by the id."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from rxcalc.lang.types import CODE
from rxcalc.plan.nodes import Place, Plan, PlanInput, PlanList
from rxcalc.tabular.judging import ID


def list_plan(plan: Plan, spec: PlanList) -> Plan:
    """A plan whose inputs are those of a list file: the episode's id, then the list's own; its results are the list's.

    Only readers and writers of files look at it; nothing is computed by it.
    """
    episode = next((field for field in plan.inputs if field.name == ID), None) or PlanInput(
        name=ID, type=CODE, optional=False, default=None, low=None, high=None, decimals=0, values=(), flags=(),
        drop_time=False, aliases=(), label=(), names=(), place=Place(),
    )  # fmt: skip
    own = tuple(field for field in spec.inputs if field.name != ID)
    return replace(
        plan, inputs=(episode, *own), requires=(), sequence=None, windows=(), calls=(), steps=spec.steps, shares=(),
        totals=(), guarantees=(), trends=(), outputs=tuple(s.name for s in spec.steps if not s.lazy), lists=(), groups=(),
        spreads=tuple(replace(spread, target="") for spread in plan.spreads if spread.target == spec.name), checks=(),
        blocks=(),
    )  # fmt: skip


class EpisodeIndex:
    """Finds the rows of episodes by their ids, many at a time: by 64-bit hashes, confirmed by the ids themselves."""

    def __init__(self, ids: pl.Series, rows: pl.Series) -> None:
        hashes = ids.hash()
        order = hashes.arg_sort()
        self._hashes = hashes.gather(order)
        self._ids = ids.gather(order)
        self._rows = rows.gather(order)
        # Two ids of one hash stand beside each other; only the first would be found.
        same = self._hashes.slice(1) == self._hashes.slice(0, max(0, self._hashes.len() - 1))
        other = self._ids.slice(1) != self._ids.slice(0, max(0, self._ids.len() - 1))
        self._collided = bool((same & other).any())

    def find(self, ids: pl.Series) -> pl.Series:
        """The row of each id, of the first episode that bears it; null where there is none or the id is missing."""
        if not self._hashes.len():
            return pl.Series("__row", [None], dtype=self._rows.dtype).new_from_index(0, ids.len())
        if self._collided:
            known = pl.DataFrame([self._ids.alias("id"), self._rows.alias("__row")]).unique("id", keep="first")
            found = ids.alias("id").to_frame().join(known, on="id", how="left", maintain_order="left")
            return found.get_column("__row")
        at = self._hashes.search_sorted(ids.hash(), side="left").clip(0, self._hashes.len() - 1)
        rows = self._rows.gather(at)
        right = (self._ids.gather(at) == ids).fill_null(value=False)
        return rows.zip_with(right, pl.Series([None], dtype=rows.dtype).new_from_index(0, rows.len())).alias("__row")
