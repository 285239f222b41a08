"""Sequences on the exact back end: what came earlier, opening amounts, refused rows. The plain definition of windows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from rxcalc.backends.base import Outcome, Problem, Ran, Row
from rxcalc.backends.exact import Exact, Windows
from rxcalc.backends.exact_nodes import Frame
from rxcalc.lang.types import OneOf
from rxcalc.passes.sequence import instance_key, windows_in_use
from rxcalc.plan.nodes import Plan, Value
from rxcalc.tracing.model import Recorder, WindowTrace


@dataclass(frozen=True, slots=True)
class Past:
    """An earlier episode: its inputs, steps and shares as computed then, and its place in each window."""

    values: Mapping[str, Value]
    keys: Mapping[str, tuple[Value, ...] | None]


@dataclass(frozen=True, slots=True)
class Opening:
    """`so_far:`: values of window calls before the first listed episode, by normalised call text.

    They hold for the window instances of that first episode (`keys`). Calls that count distinct
    values or look at the episode itself take one only when a single episode is listed.
    """

    values: Mapping[str, Value] = field(default_factory=dict)
    keys: Mapping[str, tuple[Value, ...] | None] = field(default_factory=dict)
    single: bool = True


class History(Windows):
    """Answers window calls of one episode from the earlier episodes of its sequence."""

    def __init__(
        self, exact: Exact, past: Sequence[Past], opening: Opening | None, assumed: set[str] | None = None
    ) -> None:
        super().__init__(exact.plan)
        self.exact = exact
        self.past = past
        self.opening = opening
        self.assumed = assumed if assumed is not None else set()
        self.windows = {w.name: w for w in exact.plan.windows}

    def value(self, call: int, frame: Frame) -> Value:
        """The value of a window call by going through all earlier episodes."""
        spec = self.exact.plan.window_calls[call]
        key = instance_key(self.windows[spec.window], frame.inputs)
        thunks = self.exact.thunks
        found: list[Value] = []
        seen: list[str] = []
        for past in self.past if key is not None else ():
            if past.keys[spec.window] != key:
                continue
            frame.earlier = past.values
            if spec.where >= 0 and not thunks[spec.where](frame):
                continue
            seen.append(str(past.values.get("episode_id", "")))
            value = thunks[spec.value](frame) if spec.value >= 0 else None
            if value is not None or spec.value < 0:
                found.append(value)
        frame.earlier = {}
        opened = self._opening(spec.key, spec.window, key, limited=spec.distinct or spec.correlated)
        result = _combine(spec.function, spec.distinct, found, opened, spec.type)
        if frame.recorder is not None:
            frame.recorder.windows[call] = WindowTrace(spec.key, result, tuple(seen), opened is not None)
        return result

    def _opening(self, call: str, window: str, key: tuple[Value, ...] | None, *, limited: bool) -> Value:
        o = self.opening
        if o is None or key is None or o.keys.get(window) != key or (limited and not o.single):
            return None
        text = normal(call)
        if text not in o.values:
            self.assumed.add(call)
            return None
        return o.values[text]


def _combine(function: str, distinct: bool, found: list[Any], opened: Any, type_: Any) -> Value:  # noqa: FBT001 - one case per function
    match function:
        case "count":
            number: int = (len(set(found)) if distinct else len(found)) + int(opened or 0)
            return number
        case "sum":
            total: Value = sum(found, Fraction(0)) + (opened or 0)
            return total
        case "first":
            first: Value = opened if opened is not None else found[0] if found else None
            return first
        case "last":
            last: Value = found[-1] if found else opened
            return last
        case _:
            values = [*found, *([opened] if opened is not None else [])]
            if not values:
                return None
            rank = {v: at for at, v in enumerate(type_.values)} if isinstance(type_, OneOf) else None
            chosen = min if function == "min" else max
            best: Value = chosen(values, key=rank.__getitem__) if rank is not None else chosen(values)
            return best


def normal(call: str) -> str:
    """A window call's text without white space, for matching `so_far` keys."""
    return "".join(call.split())


def keys_of(plan: Plan, values: Mapping[str, Value]) -> dict[str, tuple[Value, ...] | None]:
    """An episode's place in each window that is read."""
    return {w.name: instance_key(w, values) for w in windows_in_use(plan)}


def past_of(plan: Plan, outcome: Outcome) -> Past:
    """An outcome as later episodes see it."""
    values: dict[str, Value] = {**outcome.inputs, **outcome.steps, **outcome.shares}
    return Past(values, keys_of(plan, outcome.inputs))


def in_order(plan: Plan, records: Iterable[tuple[int, Mapping[str, Value]]]) -> list[tuple[int, Mapping[str, Value]]]:
    """Numbered records in sequence order (codes by Unicode code point)."""
    order = plan.sequence.order if plan.sequence is not None else ("episode_id",)
    return sorted(records, key=lambda r: tuple(r[1][name] for name in order))


def run_sequence(
    exact: Exact,
    records: Sequence[Mapping[str, Value]],
    opening: Opening | None = None,
    recorders: Sequence[Recorder | None] = (),
    assumed: set[str] | None = None,
) -> list[Outcome]:
    """The outcomes of one sequence's episodes, given in order."""
    rows = [Row(at, str(inputs.get("episode_id")), inputs) for at, inputs in enumerate(records)]
    ran = run_person(exact, rows, opening=opening, recorders=recorders, assumed=assumed)
    return [r.outcome for r in ran if r.outcome is not None]


def run_person(
    exact: Exact,
    rows: Sequence[Row],
    *,
    compute: bool = False,
    opening: Opening | None = None,
    recorders: Sequence[Recorder | None] = (),
    assumed: set[str] | None = None,
) -> list[Ran]:
    """One sequence's episodes, given in order; a refused one refuses the later ones that could read it.

    With `compute` those are computed all the same, from what is left, and marked.
    """
    plan = exact.plan
    past: list[Past] = []
    refused = _Refused()
    results: list[Ran] = []
    for index, row in enumerate(rows):
        keys = keys_of(plan, row.inputs)
        if row.refused:
            refused.add(row, None if row.unplaced else keys)
            results.append(Ran(row, None))
            continue
        found = refused.read_by(keys)
        if found is not None and not compute:
            outcome = Outcome(row.inputs, problem=_depends(*found))
        else:
            recorder = recorders[index] if index < len(recorders) else None
            outcome = exact.run(row.inputs, History(exact, past, opening, assumed), recorder)
        if outcome.problem is None:
            past.append(past_of(plan, outcome))
        if outcome.problem is not None or found is not None:
            refused.add(row, keys)
        results.append(Ran(row, outcome, after=found is not None))
    return results


class _Refused:
    """The refused episodes of one sequence, by the windows in which later ones could read them."""

    def __init__(self) -> None:
        self.rows: list[tuple[Row, Mapping[str, tuple[Value, ...] | None] | None]] = []

    def add(self, row: Row, keys: Mapping[str, tuple[Value, ...] | None] | None) -> None:
        """Notes a refused row; keys None: it could be in any window."""
        self.rows.append((row, keys))

    def read_by(self, keys: Mapping[str, tuple[Value, ...] | None]) -> tuple[str, Row] | None:
        """The first refused row that an episode with these keys could read, and the window."""
        for row, theirs in self.rows:
            for window, key in keys.items():
                if theirs is None or (key is not None and theirs.get(window) == key):
                    return window, row
        return None


def _depends(window: str, row: Row) -> Problem:
    message = f"`{row.name}` comes earlier in window `{window}` and was refused; mend that one first"
    return Problem("RX811", window, row.name, message)
