"""What the episodes of a run leave behind, in columns: for each window instance the amounts that a later run starts from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from rxcalc.backends.columnar.given import recorded
from rxcalc.backends.columnar.program import Program
from rxcalc.backends.columnar.values import cells, value_of, values_of
from rxcalc.inputs.openings import is_limited, window_calls
from rxcalc.lang.types import OneOf
from rxcalc.passes.instances import Places, View, civil_starts, instance_ids
from rxcalc.passes.sequence import Key, is_stretch
from rxcalc.passes.waves import in_order
from rxcalc.plan.columns.walk import MOST_EPISODES, input_scale
from rxcalc.plan.nodes import PlanWindow, Value

__all__ = ["Closed", "Left", "closed", "is_closable"]


@dataclass(frozen=True, slots=True)
class Left:
    """What one window instance of a person holds after the last episode.

    `at` is the place of its first episode, `key` what tells the instance from others of the window. Of a spell or period that
    can go on `mark` is the date against which the next episode is held. `values` are those of the calls, by index; those over
    no episode at all are not there.
    """

    owner: Value
    at: int
    window: PlanWindow
    key: Key
    mark: Value
    values: Mapping[int, Value]


@dataclass(frozen=True, slots=True)
class Closed:
    """All instances, and the persons who are left to the exact evaluator."""

    left: Sequence[Left]
    apart: frozenset[Value]


def _carried(program: Program) -> dict[int, str]:
    """The calls that can be carried on, with the name of their window."""
    plan = program.plan
    looks_back = set(window_calls(plan))
    return {at: call.window for at, call in enumerate(plan.calls) if call in looks_back and not is_limited(plan, call)}


def is_closable(program: Program) -> bool:
    """Whether columns hold all calls that can be carried on."""
    forms = program.looking.forms
    return not program.looking.unheld and all(
        at in forms and forms[at].how == "accumulated" and not forms[at].same and not forms[at].equal
        for at in _carried(program)
    )


def closed(program: Program, tables: Sequence[tuple[pl.DataFrame, Mapping[str, int]]], apart: pl.Series) -> Closed:
    """What is left behind by episodes whose results are known.

    Args:
        program: the plan in columns, for which `is_closable` holds.
        tables: episodes with inputs and results, the latter whole numbers at these scales; the last has all inputs.
        apart: persons whom the exact evaluator is to look at in any case.
    """
    plan = program.plan
    sequence = plan.sequence
    if sequence is None:
        return Closed((), frozenset())
    schema = tables[-1][0].schema
    frame = pl.concat([recorded(program, table, scales, schema) for table, scales in tables])
    odd = frame["__alone"]
    if sequence.reverses:  # whoever reverses an episode takes it out again
        odd |= frame[sequence.reverses].is_not_null()
    person = pl.col(sequence.by)
    many = frame.group_by(person).len().filter(pl.col("len") > MOST_EPISODES)[sequence.by]
    left_out = pl.concat([apart.cast(many.dtype), frame[sequence.by].filter(odd), many]).drop_nulls().unique()
    if left_out.len():
        frame = frame.filter(~person.is_in(left_out.implode()))
    no = pl.lit(False, dtype=pl.Boolean())  # noqa: FBT003 -- the literal itself
    run = _Closing(program, in_order(plan, frame.with_columns(no.alias("__unplaced"))))
    found = [one for window in program.looking.windows for one in run.window(window)]
    spec = next(spec for spec in plan.inputs if spec.name == sequence.by)
    others = {value_of(cell, spec.type, input_scale(spec)) for cell in left_out.to_list()}
    return Closed([one for one in found if one.owner not in run.failed], frozenset(others | run.failed))


class _Closing:
    """The instances of all windows over episodes in sequence order."""

    def __init__(self, program: Program, frame: pl.DataFrame) -> None:
        self._program, self._plan, self._frame = program, program.plan, frame
        self._places = Places(self._plan, frame)
        self._inputs = {spec.name: spec for spec in self._plan.inputs}
        self._calls = _carried(program)
        fields = [f"f:{name}" for name in program.formed.calls.fields]
        wanted = {name: expr for name, expr in program.looking.own.items() if name.partition(":")[0] in {"c", "u", "x"}}
        own = program.prepared(frame, fields)
        self._kept = program.keep(own, wanted) if wanted else own
        self.failed: set[Value] = set()

    def window(self, view: View) -> Iterator[Left]:
        """What the instances of a window hold; of spells and periods those that can go on."""
        window = view.window
        calls = [at for at, name in self._calls.items() if name == window.name]
        if not calls and not is_stretch(window):
            return
        ids = self._places.ids(view)
        rows = self._kept.with_columns(ids.alias("id"), pl.int_range(pl.len(), dtype=pl.Int64()).alias("at"))
        rows = rows.filter(pl.col("id").is_not_null())
        parts = [expr for at in calls for expr in self._results(at)]
        found = rows.group_by("id", maintain_order=True).agg(pl.col("at").min(), *parts)
        marks: list[Value] = [None] * found.height
        if is_stretch(window):
            found = self._latest(window, rows, found)
            marks = found["mark"].to_list()
        owners = self._values(self._plan.sequence.by if self._plan.sequence is not None else "", found["at"])
        keys = self._keys(window, found["at"])
        columns = {at: self._found(at, found[f"r:{at}"]) for at in calls}
        some = {at: found[f"n:{at}"].to_list() for at in calls if f"n:{at}" in found.columns}
        failing = [found[f"x:{at}"] for at in calls if f"x:{at}" in found.columns]
        for fails in failing:
            self.failed |= {owners[place] for place in fails.arg_true().to_list()}
        for place, (owner, at, key, mark) in enumerate(zip(owners, found["at"].to_list(), keys, marks, strict=True)):
            values = {call: column[place] for call, column in columns.items()}
            for call, counts in some.items():
                if not counts[place]:
                    del values[call]
            yield Left(owner, at, window, key, mark, values)

    def _results(self, at: int) -> Iterator[pl.Expr]:
        """What a call finds over all rows of an instance, and whether finding it fails."""
        function, kind = self._plan.calls[at].function, self._program.windows[at]
        has = self._kept.columns
        where = pl.col(f"u:{at}").fill_null(value=False) if f"u:{at}" in has else None
        value = pl.col(f"c:{at}") if f"c:{at}" in has else None
        if f"x:{at}" in has:
            yield pl.col(f"x:{at}").fill_null(value=True).any()
        if value is None:
            counted = pl.len() if where is None else where.sum()
            yield counted.cast(kind).alias(f"r:{at}")
            return
        value = value.cast(kind) if function not in {"count", "any", "all"} else value
        some = value if where is None else value.filter(where)
        result = {
            "sum": some.sum,
            "count": lambda: some.is_not_null().sum(),
            "first": some.first,
            "last": some.last,
            "min": some.min,
            "max": some.max,
            "any": some.any,
            "all": some.all,
        }[function]
        yield result().cast(kind).alias(f"r:{at}")
        if function == "last" and where is not None:  # a missing value and none at all are not the same
            yield where.sum().alias(f"n:{at}")

    def _latest(self, window: PlanWindow, rows: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
        """The last instance of every chain, with the date against which the next episode of it is held."""
        plain = replace(window, gap=(0, ""), period=(0, ""))
        chains = instance_ids(self._plan, self._frame, View(plain))
        dated = self._frame[window.gap_from or window.date]
        at = rows["at"]
        few = pl.DataFrame([rows["id"], chains.gather(at).alias("chain"), dated.gather(at).alias("on")])
        if window.gap[0]:
            last = few.group_by("chain").agg(pl.col("id").last(), pl.col("on").max().alias("mark")).drop("chain")
        else:
            last = few.group_by("chain").agg(pl.col("id").last()).drop("chain")
            last = last.join(few.group_by("id").agg(pl.col("on").first().alias("mark")), on="id")
        return found.join(last, on="id", how="inner", maintain_order="left")

    def _keys(self, window: PlanWindow, at: pl.Series) -> Sequence[Key]:
        """What tells instances apart, from an episode of each."""
        columns = [self._values(name, at) for name in window.same]
        if window.calendar:
            columns.append(civil_starts(self._frame[at], window).to_list())
        if is_stretch(window):
            columns.append([0] * at.len())
        return list(zip(*columns, strict=True)) if columns else [()] * at.len()

    def _values(self, name: str, at: pl.Series) -> list[Value]:
        """An input of the episodes at some places."""
        spec = self._inputs[name]
        return values_of(self._frame[name].gather(at), spec.type, input_scale(spec))

    def _found(self, at: int, column: pl.Series) -> list[Value]:
        """The results of a call as the exact evaluator carries them."""
        of, scale = self._plan.calls[at].type, self._program.formed.walk.call_scales[at]
        if isinstance(of, OneOf):
            return [value_of(cell, of, scale) for cell in cells(column, of)]
        return values_of(column, of, scale)
