"""Sequences on the exact back end: what came earlier, opening amounts, refused rows. The plain definition of windows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Any

from rxcalc.backends.base import Outcome, Problem, Ran, Row
from rxcalc.backends.exact import Exact, Windows
from rxcalc.backends.exact_nodes import Frame
from rxcalc.backends.exact_ops import Refused
from rxcalc.lang.types import OneOf
from rxcalc.passes.sequence import instance_key, windows_in_use
from rxcalc.plan.nodes import Plan, PlanWindowCall, Value
from rxcalc.tracing.model import Recorder, WindowTrace


@dataclass(frozen=True)
class Past:
    """An earlier episode: its inputs, steps and shares as computed then, and its place in each window."""

    values: Mapping[str, Value]
    keys: Mapping[str, tuple[Value, ...] | None]


@dataclass(frozen=True)
class Opening:
    """`so_far:`: values of window calls before the first listed episode, by normalised call text.

    They hold for the window instances of that first episode (`keys`). Calls that count distinct
    values or look at the episode itself take one only when a single episode is listed.
    """

    values: Mapping[str, Value] = field(default_factory=dict)
    keys: Mapping[str, tuple[Value, ...] | None] = field(default_factory=dict)
    single: bool = True


class Ledger:
    """The earlier episodes of one sequence by window instance.

    For calls that look only at the earlier episode it keeps running results, so that a person with
    thousands of episodes costs no more per episode than one with ten. Everything else goes through
    the list of episodes, which is the definition.
    """

    def __init__(self, exact: Exact) -> None:
        self.exact = exact
        self.episodes: dict[tuple[str, tuple[Value, ...]], list[Past]] = {}
        self.running: dict[tuple[int, tuple[Value, ...]], _Running | None] = {}
        calls = exact.plan.window_calls
        self.quick = frozenset(at for at, c in enumerate(calls) if not c.correlated and not c.distinct)

    def add(self, past: Past) -> None:
        """Takes an episode in, as computed."""
        for window, key in past.keys.items():
            if key is not None:
                self.episodes.setdefault((window, key), []).append(past)
        for at in self.quick:
            call = self.exact.plan.window_calls[at]
            key = past.keys[call.window]
            if key is None:
                continue
            place = (at, key)
            running = self.running.setdefault(place, _Running())
            if running is not None:
                try:
                    running.take(call, self.exact.thunks, past)
                except Refused:
                    self.running[place] = None  # the episode that reads it is refused, by going through the list

    def seen(self, window: str, key: tuple[Value, ...]) -> list[Past]:
        """The earlier episodes in a window instance, in order."""
        return self.episodes.get((window, key), [])


class _Running:
    """What a window call without a look at the reading episode has found so far."""

    __slots__ = ("count", "first", "high", "last", "low", "total")

    def __init__(self) -> None:
        self.count = 0
        self.total: Any = 0
        self.first: Any = None
        self.last: Any = None
        self.low: Any = None
        self.high: Any = None

    def take(self, call: PlanWindowCall, thunks: Sequence[Any], past: Past) -> None:
        """Counts one more episode, if it meets the call's condition."""
        frame = Frame(past.values, date.min, _no_window, None)
        frame.earlier = past.values
        if call.where >= 0 and not thunks[call.where](frame):
            return
        value = thunks[call.value](frame) if call.value >= 0 else None
        if self.count == 0:
            self.first = value
        self.count += 1
        self.last = value
        if value is None or call.value < 0:
            return
        if call.function == "sum":
            self.total += value
        elif call.function in ("min", "max"):
            rank = call.type.values.index if isinstance(call.type, OneOf) else None
            if self.low is None or (rank(value) < rank(self.low) if rank else value < self.low):
                self.low = value
            if self.high is None or (rank(value) > rank(self.high) if rank else value > self.high):
                self.high = value

    def found(self, function: str) -> list[Any]:
        """The values that stand for all of them in `_combine`."""
        if not self.count:
            return []
        match function:
            case "count":
                return []
            case "sum":
                return [self.total]
            case "first":
                return [self.first]
            case "last":
                return [self.last]
            case "min":
                return [self.low] if self.low is not None else []
            case _:
                return [self.high] if self.high is not None else []


def _no_window(call: int, frame: Frame) -> Value:
    del call, frame
    return None


class History(Windows):
    """Answers window calls of one episode from the earlier episodes of its sequence."""

    def __init__(self, exact: Exact, past: Ledger, opening: Opening | None, assumed: set[str] | None = None) -> None:
        super().__init__(exact.plan)
        self.exact = exact
        self.past = past
        self.opening = opening
        self.assumed = assumed if assumed is not None else set()
        self.windows = {w.name: w for w in exact.plan.windows}

    def value(self, call: int, frame: Frame) -> Value:
        """The value of a window call for the episode in `frame`."""
        spec = self.exact.plan.window_calls[call]
        key = instance_key(self.windows[spec.window], frame.inputs)
        opened = self._opening(spec.key, spec.window, key, limited=spec.distinct or spec.correlated)
        if frame.recorder is None and call in self.past.quick:
            running = self.past.running.get((call, key), _NOTHING) if key is not None else _NOTHING
            if running is not None:
                if spec.function == "count":
                    return running.count + (opened if isinstance(opened, int) else 0)
                return _combine(spec.function, spec.distinct, running.found(spec.function), opened, spec.type)
        thunks = self.exact.thunks
        found: list[Value] = []
        seen: list[str] = []
        for past in self.past.seen(spec.window, key) if key is not None else ():
            frame.earlier = past.values
            if spec.where >= 0 and not thunks[spec.where](frame):
                continue
            seen.append(str(past.values.get("episode_id", "")))
            found.append(thunks[spec.value](frame) if spec.value >= 0 else None)
        frame.earlier = {}
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
            number: int = (len({v for v in found if v is not None}) if distinct else len(found)) + int(opened or 0)
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
            values = [*(v for v in found if v is not None), *([opened] if opened is not None else [])]
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


_NOTHING = _Running()


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
    past = Ledger(exact)
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
            past.add(past_of(plan, outcome))
        if outcome.problem is not None or found is not None:
            refused.add(row, keys)
        results.append(Ran(row, outcome, after=found is not None))
    return results


class _Refused:
    """The refused episodes of one sequence, by the windows in which later ones could read them."""

    def __init__(self) -> None:
        self.first: dict[tuple[str, tuple[Value, ...]], tuple[int, Row]] = {}
        self.anywhere: tuple[int, Row] | None = None
        self.count = 0

    def add(self, row: Row, keys: Mapping[str, tuple[Value, ...] | None] | None) -> None:
        """Notes a refused row; keys None: it could be in any window."""
        self.count += 1
        if keys is None:
            self.anywhere = self.anywhere or (self.count, row)
            return
        for window, key in keys.items():
            if key is not None:
                self.first.setdefault((window, key), (self.count, row))

    def read_by(self, keys: Mapping[str, tuple[Value, ...] | None]) -> tuple[str, Row] | None:
        """The first refused row that an episode with these keys could read, and the window."""
        found = [
            (*self.first[window, key], window)
            for window, key in keys.items()
            if key is not None and (window, key) in self.first
        ]
        if self.anywhere is not None and keys:
            found.append((*self.anywhere, next(iter(keys))))
        if not found:
            return None
        _, row, window = min(found, key=lambda f: f[0])
        return window, row


def _depends(window: str, row: Row) -> Problem:
    message = f"`{row.name}` comes earlier in window `{window}` and was refused; mend that one first"
    return Problem("RX811", window, row.name, message)
