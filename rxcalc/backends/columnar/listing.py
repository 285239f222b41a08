"""Bills computed in columns together with the rows of their lists, whichever episodes come at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

import polars as pl

from rxcalc.backends.base import Outcome
from rxcalc.backends.columnar.bills import Bills
from rxcalc.backends.columnar.crossings import Frames
from rxcalc.backends.columnar.found import LEFT, Finder, Found
from rxcalc.backends.columnar.layers import Past
from rxcalc.backends.columnar.program import Output, Program
from rxcalc.backends.columnar.results import complete, nothing, table_of
from rxcalc.backends.columnar.values import inputs_of
from rxcalc.plan.nodes import Value

__all__ = ["Listing"]

_ID = pl.UInt32()


class Listing:
    """The bills of a run, and the results of the rows of their lists.

    Args:
        program: the plan in columns.
        bills: the episodes with their lists.
        outputs: for each list whose results are wanted its result columns.
        small_turn: what a turn of a loop costs, in rows computed by the exact evaluator.
        finder: the checks, where findings are wanted.
    """

    def __init__(
        self,
        program: Program,
        bills: Bills,
        outputs: Mapping[str, Sequence[Output]],
        *,
        small_turn: int,
        finder: Finder | None = None,
    ) -> None:
        self.bills, self.finder = bills, finder
        self.wide = any(out.exact for own in outputs.values() for out in own)  # no column holds some result
        self._program, self._outputs, self._turn = program, outputs, small_turn
        self._exprs = {name: {o.name: o.expr for o in own if o.expr is not None} for name, own in outputs.items()}
        self._columns = program.tables({name: listed.frame.schema for name, listed in bills.lists.items()})
        self._done: dict[str, list[pl.DataFrame]] = {name: [] for name in outputs}
        self._now: dict[str, pl.DataFrame] = {}
        self._checked: dict[str, pl.DataFrame] = {}  # by level, with the checks' columns
        self._rows, self._places = pl.Series(), dict[str, pl.Series]()

    def pieces(self, first: int, length: int) -> Frames:
        """The lists of episodes that stand one after the other."""
        return self.bills.part(first, length, self._columns)

    def chosen(self, at: pl.Series) -> Frames:
        """The lists of the episodes at these places."""
        return self.bills.chosen(at, self._columns)

    def compute(
        self,
        frame: pl.DataFrame,
        lists: Frames,
        bad: pl.Series,
        wanted: Mapping[str, pl.Expr],
        carried: Sequence[str],
        past: Past | None = None,
    ) -> pl.DataFrame:
        """As `Program.compute`; `__left` says which flagged bills have nothing wrong with them. The lists' results wait for `keep`."""
        return self.compute_groups(frame, lists, bad, wanted, {}, carried, past)[0]

    def compute_groups(
        self,
        frame: pl.DataFrame,
        lists: Frames,
        bad: pl.Series,
        wanted: Mapping[str, pl.Expr],
        groups: Mapping[str, Mapping[str, pl.Expr]],
        carried: Sequence[str],
        past: Past | None = None,
    ) -> tuple[pl.DataFrame, dict[str, pl.DataFrame]]:
        """As `compute`, with what is wanted of groups across bills, by kind."""
        lists.small = self._turn
        every = {"": wanted, **self._exprs, **groups}
        if self.finder is not None:
            every |= {level: {**every.get(level, {}), **self.finder.wanted(level)} for level in self.finder.in_bill}
        found = self._program.compute_bills(frame, lists, every, carried, past)
        self._now = {
            name: complete(found[name], own, ("__up",)).with_columns(lists.rows[name].alias("__at"))
            for name, own in self._outputs.items()
        }
        done = found[""]
        suspect = done["__flag"] | bad
        left = done["__left"]
        if self.finder is not None:
            self._checked = {level: found[level] for level in self.finder.in_bill}
            self._rows, self._places = done["__row"], lists.rows
            left = self._left(left)
        done = done.with_columns((suspect | left).alias("__flag"), (left & ~suspect).alias("__left"))
        return done, {kind: found[kind] for kind in groups}

    def _left(self, left: pl.Series) -> pl.Series:
        """The bills left to the exact evaluator, with those on which a check is."""
        for level, table in self._checked.items():
            if LEFT in table.columns:
                rows = table["__up"].filter(table[LEFT]).unique() if level else table[LEFT].arg_true()
                left = left.scatter(rows, True) if rows.len() else left  # noqa: FBT003 -- the value itself
        return left

    def _found(self, flags: pl.Series) -> list[Found]:
        """The findings on the bills just computed that are not flagged, by their `__row`."""
        found: list[Found] = []
        if self.finder is None:
            return found
        for level, table in self._checked.items():
            up = table["__up"] if level else pl.int_range(table.height, dtype=_ID, eager=True)
            skip = flags.gather(up) if flags.any() else None
            for places, own in self.finder.findings(level, table, partial(self._orders, level), skip):
                rows = self._rows.gather(up.gather(places)).to_list()
                found += zip(rows, own, strict=True)
        self._checked = {}
        return found

    def _orders(self, level: str, places: pl.Series) -> Sequence[tuple[Value, ...]]:
        """What rows of a list, at these places among those just computed, are called in their bill."""
        if not level:
            return [()] * places.len()
        listed, at = self.bills.lists[level], self._places[level].gather(places)
        spec = next(x for x in self.bills.plan.lists if x.name == level)
        if not spec.order:
            numbers = at.cast(pl.Int64()) - listed.starts.gather(listed.up.gather(at)) + 1
            return [(number,) for number in numbers.to_list()]
        fields = replace(self.bills.plan, inputs=tuple(x for x in spec.inputs if x.name in spec.order))
        return [tuple(row[name] for name in spec.order) for row in inputs_of(fields, listed.frame[at])]

    def keep(self, flags: pl.Series) -> list[Found]:
        """Takes over the results of the bills just computed that are not flagged; gives the findings on them."""
        whole = not flags.any()
        for name, done in self._now.items():
            kept = done if whole else done.filter(~flags.gather(done["__up"]))
            self._done[name].append(kept.drop("__up"))
        self._now = {}
        return self._found(flags)

    def tables(self, fine: pl.Series, exact: Sequence[tuple[int, Outcome]]) -> dict[str, pl.DataFrame]:
        """The results of all rows of lists whose episode stands at one of the places `fine`, or was computed exactly (by place)."""
        return {name: self._table(name, fine, exact) for name in self._outputs}

    def _table(self, name: str, fine: pl.Series, exact: Sequence[tuple[int, Outcome]]) -> pl.DataFrame:
        listed, outputs = self.bills.lists[name], self._outputs[name]
        done = self._done[name]
        table = pl.concat(done) if done else nothing(outputs, {"__at": _ID})
        table = table.select("__at", *(out.name for out in outputs))
        if fine.len() < self.bills.frame.height or not table["__at"].is_sorted():
            there = pl.repeat(value=False, n=self.bills.frame.height, dtype=pl.Boolean(), eager=True)
            there = there.scatter(fine, True) if fine.len() else there  # noqa: FBT003 -- the value itself
            table = table.filter(there.gather(listed.up.gather(table["__at"])))
            # What was computed twice counts as it was the second time.
            table = table.unique("__at", keep="last", maintain_order=True)
        if exact:
            at = pl.Series([place for place, _ in exact], dtype=_ID)
            found = [row for _, outcome in exact for row in outcome.lists.get(name, ())]
            more, table = table_of({"__at": self.bills.rows_of(name, at)}, found, outputs, table)
            table = pl.concat([table, more])
        if not table["__at"].is_sorted():
            table = table.sort("__at")
        marks = listed.frame.select(column for column in listed.frame.columns if column.startswith("__"))
        if table.height < marks.height:
            marks = marks[table["__at"]]
        return pl.DataFrame([*marks.get_columns(), *table.drop("__at").get_columns()])
