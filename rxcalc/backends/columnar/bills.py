"""Episodes with the rows of their lists, in order, as a run takes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from rxcalc.backends.columnar.crossings import Frames
from rxcalc.backends.columnar.parts import Runs, counts_of, ends_of
from rxcalc.backends.columnar.values import inputs_of, result_type
from rxcalc.lang.types import OneOf
from rxcalc.plan.nodes import Plan, PlanInput, PlanList, Value
from rxcalc.plan.ranges import MAX_ROWS

__all__ = ["Bills", "prepared"]

_ID = pl.UInt32()


@dataclass(frozen=True, slots=True)
class Listed:
    """The rows of a list by episode and in their order; the episode of each, and where those of each episode start and end."""

    frame: pl.DataFrame
    up: pl.Series
    starts: pl.Series
    ends: pl.Series


class Bills:
    """The episodes of a frame with their lists.

    Args:
        plan: the plan.
        frame: the episodes, with `__row`.
        lists: the rows of each list, with the `__row` of their episode; those of other episodes are left out.

    `bad` says which episodes the exact evaluator refuses for how many rows they have, or for two in one place.
    """

    def __init__(self, plan: Plan, frame: pl.DataFrame, lists: Mapping[str, pl.DataFrame]) -> None:
        self.plan, self.frame = plan, frame
        self.bad = pl.repeat(value=False, n=frame.height, dtype=pl.Boolean(), eager=True)
        self.lists = {x.name: self._listed(x, lists.get(x.name)) for x in plan.lists}

    def _listed(self, x: PlanList, rows: pl.DataFrame | None) -> Listed:
        size = self.frame.height
        if rows is None:
            kinds = {field.name: result_type(field.type, None) for field in x.inputs}
            rows = pl.DataFrame(schema={"__row": self.frame.schema["__row"], **kinds})
        up = _places(rows["__row"], self.frame["__row"])
        if up.null_count():
            rows, up = rows.filter(up.is_not_null()), up.drop_nulls()
        order = self._order(x, rows) if rows.height else []
        keys = pl.DataFrame([up.alias("b"), *order])
        if not _ascending(keys):
            at = keys.select(pl.arg_sort_by(keys.columns, maintain_order=True)).to_series()
            rows, up, keys = rows[at], up.gather(at), keys[at]
        counts = counts_of(up, size)
        self.bad |= counts > MAX_ROWS
        if x.required:
            self.bad |= counts == 0
        if order:
            same = keys.select(pl.all_horizontal(pl.all().eq_missing(pl.all().shift(1)))).to_series()
            if same.any():
                self.bad = self.bad.scatter(up.filter(same), True)  # noqa: FBT003 -- the value itself
        return Listed(rows, up, *ends_of(counts))

    def _order(self, x: PlanList, rows: pl.DataFrame) -> list[pl.Series]:
        """What orders the rows; as everywhere in an order, values of a set go by name."""
        sets = {field.name for field in x.inputs if isinstance(field.type, OneOf)}
        return [
            (rows[name].cast(pl.String()) if name in sets else rows[name]).alias(f"k{at}")
            for at, name in enumerate(x.order)
        ]

    def slices(self, most: int) -> list[tuple[int, int]]:
        """Episodes in pieces of so many rows of lists at most (or one episode): first and length."""
        size = self.frame.height
        reached = pl.int_range(1, size + 1, dtype=pl.Int64(), eager=True)
        for listed in self.lists.values():
            reached += listed.ends
        found: list[tuple[int, int]] = []
        first = before = 0
        while first < size:
            end = max(int(reached.search_sorted(before + most, side="right")), first + 1)
            found.append((first, end - first))
            first, before = end, int(reached[end - 1])
        return found

    def part(self, first: int, length: int, tables: Mapping[str, Sequence[pl.Expr]]) -> Frames:
        """The lists of some episodes, one after the other, with these columns."""
        frames = Frames({}, {})
        for name, listed in self.lists.items():
            start = int(listed.starts[first]) if length else 0
            end = int(listed.ends[first + length - 1]) if length else 0
            up = listed.up.slice(start, end - start)
            up = (up - first if first else up).cast(_ID)
            starts, ends = listed.starts.slice(first, length) - start, listed.ends.slice(first, length) - start
            _put(frames, name, listed.frame.slice(start, end - start), Runs(None, starts, ends, up), tables)
            frames.rows[name] = pl.int_range(start, end, dtype=_ID, eager=True)
        return frames

    def chosen(self, at: pl.Series, tables: Mapping[str, Sequence[pl.Expr]]) -> Frames:
        """The lists of the episodes at these places, with these columns."""
        frames = Frames({}, {})
        for name, listed in self.lists.items():
            starts, ends = listed.starts.gather(at), listed.ends.gather(at)
            spans = pl.DataFrame([starts.alias("start"), ends.alias("end")]).with_row_index("up")
            spans = spans.filter(pl.col("end") > pl.col("start"))
            rows = spans.select("up", pl.int_ranges("start", "end", dtype=_ID).alias("row")).explode("row")
            runs = Runs(None, *ends_of(ends - starts), rows["up"].cast(_ID))
            _put(frames, name, listed.frame[rows["row"]], runs, tables)
            frames.rows[name] = rows["row"]
        return frames

    def rows_of(self, name: str, at: pl.Series) -> pl.Series:
        """The places of the rows of a list that the episodes at these places have."""
        listed = self.lists[name]
        spans = pl.DataFrame([listed.starts.gather(at).alias("start"), listed.ends.gather(at).alias("end")])
        spans = spans.filter(pl.col("end") > pl.col("start"))
        return spans.select(pl.int_ranges("start", "end", dtype=_ID).alias("row")).explode("row")["row"]

    def inputs(self, at: pl.Series) -> list[dict[str, Value]]:
        """The inputs of the episodes at these places, with the rows of their lists."""
        found = inputs_of(self.plan, self.frame[at])
        for x in self.plan.lists:
            listed = self.lists[x.name]
            spec = _with_fields(self.plan, x.inputs)
            starts, ends = listed.starts.gather(at).to_list(), listed.ends.gather(at).to_list()
            for values, start, end in zip(found, starts, ends, strict=True):
                values[x.name] = tuple(inputs_of(spec, listed.frame.slice(start, end - start)))
        return found


def _put(frames: Frames, name: str, rows: pl.DataFrame, runs: Runs, tables: Mapping[str, Sequence[pl.Expr]]) -> None:
    frames.tables[name] = pl.DataFrame([runs.ids.alias("__up"), *rows.select(tables.get(name, ())).get_columns()])
    frames.place(name, runs)


def _with_fields(plan: Plan, fields: Sequence[PlanInput]) -> Plan:
    return replace(plan, inputs=tuple(fields))


def _places(rows: pl.Series, episodes: pl.Series) -> pl.Series:
    """The place of each row's episode; missing for one that is not there."""
    size = episodes.len()
    wanted, known_rows = rows.cast(pl.Int64()), episodes.cast(pl.Int64())
    least = int(known_rows[0]) if size else 0
    if size and (known_rows == pl.int_range(least, least + size, dtype=pl.Int64(), eager=True)).all():
        place = wanted - least
        known = (place >= 0) & (place < size)
        if not known.all():
            place = pl.select(pl.when(pl.lit(known)).then(pl.lit(place))).to_series()
        return place.cast(_ID)
    there = pl.DataFrame([known_rows.alias("row")]).with_row_index("at")
    return wanted.to_frame("row").join(there, on="row", how="left", maintain_order="left")["at"].cast(_ID)


def _ascending(keys: pl.DataFrame) -> bool:
    """Whether rows stand in the order of their columns; equal ones may."""
    if not keys.height:
        return True
    names = keys.columns
    if len(names) == 1:
        return keys[names[0]].is_sorted()
    if len(names) > 2:
        return False
    first, second = (pl.col(name) for name in names)
    below = (first < first.shift(-1)) | ((first == first.shift(-1)) & (second <= second.shift(-1)))
    return bool(keys.select(below.head(pl.len() - 1).all()).item())


def prepared(
    fields: Sequence[PlanInput], kinds: Mapping[str, pl.DataType], schema: Mapping[str, pl.DataType]
) -> list[pl.Expr]:
    """Inputs as layers read them, from columns as a reader makes them."""
    of = {field.name: field for field in fields}
    columns: list[pl.Expr] = []
    for name, kind in kinds.items():
        column = pl.col(name)
        if isinstance(of[name].type, OneOf):
            column = column.to_physical()
        if schema.get(name) != kind:
            column = column.cast(kind)
        columns.append(column.alias(f"i:{name}"))
    return columns
