"""Opening amounts in columns: what running results begin with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from math import ceil, floor, inf
from typing import TypeAlias

import polars as pl

from rxcalc.backends.columnar.program import Program
from rxcalc.backends.columnar.values import held_as
from rxcalc.inputs.openings import is_limited, normal, window_calls
from rxcalc.lang.ops import Op
from rxcalc.lang.types import DATE, OneOf, is_numeric
from rxcalc.passes.instances import civil_starts
from rxcalc.passes.sequence import Key, is_stretch, windows_in_use
from rxcalc.plan.columns.walk import MOST_EPISODES, input_scale
from rxcalc.plan.nodes import PlanWindow, Value

__all__ = ["Amounts", "Seeds", "seeds_of"]

Amounts: TypeAlias = "Mapping[tuple[str, Key], Mapping[str, Value]]"
"""What is given of a person: by window and instance, the values of calls by their text without white space."""


@dataclass(frozen=True, slots=True)
class _Seed:
    """An amount given for an instance of a person."""

    owner: Value
    key: tuple[Value, ...]
    value: object


@dataclass(slots=True)
class Seeds:
    """Opening amounts by call; `alone` are the persons whose amounts no column can begin with."""

    program: Program
    by_call: dict[int, list[_Seed]] = field(default_factory=dict)
    alone: set[Value] = field(default_factory=set)

    def of(self, at: int, frame: pl.DataFrame, ids: pl.Series, kind: pl.DataType) -> tuple[pl.Series, pl.Series]:
        """The instances of a call, out of those of the rows of a frame, that begin with an amount, and the amounts."""
        plan = self.program.plan
        given = self.by_call.get(at, [])
        if not given or plan.sequence is None:
            return ids.clear(), pl.Series(dtype=kind)
        window = next(window for window in plan.windows if window.name == plan.calls[at].window)
        columns = [frame[plan.sequence.by], *(frame[name] for name in window.same)]
        if window.calendar:
            columns.append(civil_starts(frame, window))
        names = [f"k{place}" for place in range(len(columns))]
        rows = pl.DataFrame([*(c.alias(n) for c, n in zip(columns, names, strict=True)), ids.alias("id")])
        rows = rows.drop_nulls().unique("id")
        scales = [input_scale(spec) for name in window.same for spec in plan.inputs if spec.name == name]
        parts = zip(*((one.owner, *_held(one.key, window, scales)) for one in given), strict=True)
        kinds = [column.dtype for column in columns]
        told = [pl.Series(n, part, dtype=k, strict=False) for n, part, k in zip(names, parts, kinds, strict=True)]
        amounts = pl.DataFrame([*told, pl.Series("value", [one.value for one in given], dtype=kind)])
        found = rows.join(amounts, on=names, how="inner")
        return found["id"], found["value"]


def _held(key: tuple[Value, ...], window: PlanWindow, scales: Sequence[int]) -> Iterator[Value]:
    """The parts of an instance's key as the columns of a run hold them."""
    for place, part in enumerate(key):
        if isinstance(part, int | Fraction) and not isinstance(part, bool) and place < len(window.same):
            yield int(part * scales[place])
        else:
            yield part


def seeds_of(program: Program, openings: Mapping[Value, Amounts], frame: pl.DataFrame) -> Seeds:
    """What the running results of the persons in a frame begin with."""
    plan = program.plan
    found = Seeds(program)
    if plan.sequence is None:
        return found
    windows = {window.name: window for window in windows_in_use(plan)}
    calls: dict[str, list[int]] = {}
    looks_back = set(window_calls(plan))
    for at, call in enumerate(plan.calls):
        if call in looks_back:
            calls.setdefault(normal(call.key), []).append(at)
    limits = {at: _Limit(program, at) for places in calls.values() for at in places}
    counts = dict(frame.group_by(plan.sequence.by).len().iter_rows())
    for owner, instances in openings.items():
        many = counts.get(owner, 0)
        own: list[tuple[int, _Seed]] = []
        for (name, key), amounts in instances.items() if many else ():
            if name not in windows or key is None:
                continue
            held = [(at, limits[at].held(value, many)) for text, value in amounts.items() for at in calls.get(text, ())]
            if is_stretch(windows[name]) or any(value is None for _, value in held):
                found.alone.add(owner)
                break
            own += [(at, _Seed(owner, key, value)) for at, value in held]
        else:
            for at, seed in own:
                found.by_call.setdefault(at, []).append(seed)
    return found


class _Limit:
    """What a running result may begin with, so that it stays within what its column is proven to hold."""

    def __init__(self, program: Program, at: int) -> None:
        self._call, form = program.plan.calls[at], program.looking.forms.get(at)
        self._scale = program.formed.walk.call_scales.get(at, 1)
        self._never = (
            form is None
            or form.how != "accumulated"
            or bool(form.same or form.equal)
            or form.fail is not None
            or is_limited(program.plan, self._call)
        )
        self._each = (Fraction(0), Fraction(0)) if form is None or form.span is None else form.span
        if self._call.function == "count":
            self._each = Fraction(0), Fraction(1)
        self._low, self._high = _bounds(program, at)
        self._by_count: dict[int, tuple[int | float, int | float]] = {}

    def _within(self, many: int) -> tuple[int | float, int | float]:
        """From where to where a number may lie, as its column holds it, if so many episodes can still add to it."""
        if many not in self._by_count:
            adds = many if self._call.function in {"sum", "count"} else 0
            low, high = adds * min(self._each[0], Fraction(0)), adds * max(self._each[1], Fraction(0))
            self._by_count[many] = (
                -inf if self._low is None else ceil((self._low - low) * self._scale),
                inf if self._high is None else floor((self._high - high) * self._scale),
            )
        return self._by_count[many]

    def held(self, value: Value, many: int) -> object:
        """An amount as the column of a person with so many episodes holds it; None: it does not."""
        if self._never or value is None or many > MOST_EPISODES:
            return None
        of = self._call.type
        if is_numeric(of):
            if not isinstance(value, int | Fraction):
                return None
            whole, rest = divmod(value.numerator * self._scale, value.denominator)
            low, high = self._within(many)
            return whole if not rest and low <= whole <= high else None
        if of == DATE and isinstance(value, date):
            day = value.toordinal()
            outside = (self._low is not None and day < self._low) or (self._high is not None and day > self._high)
            return None if outside else value
        return held_as(value, of, 1) if not isinstance(of, OneOf) or value in of.values else None


def _bounds(program: Program, at: int) -> tuple[Fraction | None, Fraction | None]:
    """The least and the largest result that a call is proven to have: dates as day numbers."""
    lows: list[Fraction] = []
    highs: list[Fraction] = []
    formed = program.formed.walk.formed
    for place, node in enumerate(program.plan.nodes):
        if node.op is not Op.WINDOW or int(str(node.data)) != at:
            continue
        if node.low is not None:
            lows.append(Fraction(node.low))
        if node.high is not None:
            highs.append(Fraction(node.high))
        number = formed[place].number if place in formed else None
        if number is not None:
            lows.append(number.low)
            highs.append(number.high)
    return max(lows, default=None), min(highs, default=None)
