"""What earlier rows of a sequence hold for the ones after them: the plain definition of windows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from fractions import Fraction
from typing import Any, Final, TypeAlias, TypeVar

from rxcalc.backends.base import RowResult
from rxcalc.backends.exact import Exact, Windows
from rxcalc.backends.exact_ops import Refused
from rxcalc.backends.frames import Frame
from rxcalc.inputs.openings import carrying_call, is_limited, normal
from rxcalc.lang.types import OneOf
from rxcalc.passes.sequence import (
    Change,
    Key,
    Placed,
    calls_of,
    first_keys,
    is_stretch,
    period_end,
    rolling_days,
    windows_in_use,
)
from rxcalc.plan.nodes import PlanCall, PlanWindow, Value
from rxcalc.tracing.model import Recorder, WindowTrace

_Held = TypeVar("_Held")


@dataclass(frozen=True)
class Past:
    """An earlier row: its inputs (of a group: keys too), steps and shares as computed then, and the rows of its lists."""

    name: str
    values: Mapping[str, Value]
    lists: Mapping[str, tuple[RowResult, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Opening:
    """`so_far:`: values of window calls before the first listed episode, by normalised call text.

    They hold for the window instances of that first episode (`keys`), and there for the calls that
    `is_limited` only when a single episode is listed.
    """

    values: Mapping[str, Value] = field(default_factory=dict)
    keys: Mapping[str, Key] = field(default_factory=dict)
    single: bool = True

    def amounts(self, window: PlanWindow, key: Key) -> Mapping[str, Value] | None:
        """The amounts that hold in an instance of a window; None where none do."""
        return self.values if key is not None and self.keys.get(window.name) == key else None

    def before(self, windows: Iterable[PlanWindow], values: Mapping[str, Value]) -> Opening:
        """The same amounts, held to the instances of the first row, the one with these values."""
        return replace(self, keys=first_keys(windows, values))

    def seeds(self, windows: Iterable[PlanWindow], values: Mapping[str, Value]) -> Iterator[Seed]:
        """The spells and periods known before the first row."""
        for window in windows:
            key = self.keys[window.name]
            if key is not None and is_stretch(window) and _tells_of(window, self.values):
                yield _seed(window, key[:-1], self.values, values)


@dataclass(frozen=True)
class Openings(Opening):
    """Opening amounts by window and instance; that of a spell or period is its chain and the number 0."""

    instances: Mapping[tuple[str, Key], Mapping[str, Value]] = field(default_factory=dict)

    def amounts(self, window: PlanWindow, key: Key) -> Mapping[str, Value] | None:
        """The amounts that hold in an instance of a window; None where none do."""
        return self.instances.get((window.name, key))

    def before(self, windows: Iterable[PlanWindow], values: Mapping[str, Value]) -> Opening:
        """The same amounts: each says itself where it holds."""
        del windows, values
        return self

    def seeds(self, windows: Iterable[PlanWindow], values: Mapping[str, Value]) -> Iterator[Seed]:
        """The spells and periods known before the first row."""
        stretches = {window.name: window for window in windows if is_stretch(window)}
        for (name, key), amounts in self.instances.items():
            if name in stretches and key is not None:
                yield _seed(stretches[name], key[:-1], amounts, values)


Seed: TypeAlias = "tuple[PlanWindow, tuple[Value, ...], date]"
"""A spell or period before the first row: the window, the values of `same`, and where it stands."""


def _tells_of(window: PlanWindow, amounts: Mapping[str, Value]) -> bool:
    """Whether any amount of a window is given."""
    return any(text.startswith(f"{window.name}.") for text in amounts)


def _seed(
    window: PlanWindow, chain: tuple[Value, ...], amounts: Mapping[str, Value], values: Mapping[str, Value]
) -> Seed:
    # Without a date, the spell or period before is taken to reach up to the first row.
    mark = amounts.get(normal(carrying_call(window))) or values[window.gap_to or window.date]
    assert isinstance(mark, date)  # noqa: S101 - the type of the field
    return window, chain, mark


def moved(rows: dict[tuple[str, Key], dict[int, _Held]], window: str, changed: Mapping[int, Change]) -> None:
    """Moves rows, held by window and instance, to the instances that they are in now; each instance stays in order."""
    left = {number: change for number, change in changed.items() if change.old != change.new}
    held = {n: rows[window, c.old].pop(n) for n, c in left.items() if n in rows.get((window, c.old), {})}
    for number, row in held.items():
        rows.setdefault((window, changed[number].new), {})[number] = row
    for key in {changed[number].new for number in held}:
        rows[window, key] = dict(sorted(rows[window, key].items()))


class Ledger:
    """The earlier rows of one sequence by window instance; `level` "" episodes, else a kind of groups.

    For calls that look only at the earlier row it keeps running results, so that a person with
    thousands of episodes costs no more per episode than one with ten. Everything else goes through
    the list of rows, which is the definition.
    """

    def __init__(self, exact: Exact, level: str = "") -> None:
        self.exact = exact
        self.windows = {w.name: w for w in windows_in_use(exact.plan, level)}
        self.sorted_by = _first_of_order(exact, level)
        self.rows: dict[tuple[str, Key], dict[int, Past]] = {}
        self.running: dict[tuple[int, Key], _Running | None] = {}
        self.quick = frozenset(
            at
            for at in calls_of(exact.plan, level)
            if _adds_up(call := exact.plan.calls[at]) and not self.windows[call.window].rolling[0]
        )

    def add(self, number: int, past: Past, keys: Mapping[str, Key]) -> None:
        """Takes a row in, as computed; `number` grows with the order."""
        for window, key in keys.items():
            if key is not None:
                self.rows.setdefault((window, key), {})[number] = past
        for at in self.quick:
            call = self.exact.plan.calls[at]
            running = self.running.get((at, keys[call.window]))
            if running is not None:
                self._take(running, at, keys[call.window], past)

    def drop(self, number: int, keys: Mapping[str, Key]) -> None:
        """Takes a row out again."""
        for window, key in keys.items():
            self.rows.get((window, key), {}).pop(number, None)
            self._forget(window, {key})

    def change(self, window: str, changed: Mapping[int, Change]) -> None:
        """Moves rows whose instance of a window has changed."""
        moved(self.rows, window, changed)
        self._forget(window, {key for change in changed.values() for key in (change.old, change.new)})

    def seen(self, window: PlanWindow, key: Key, values: Mapping[str, Value]) -> list[Past]:
        """The earlier rows that the row with these values sees through a window, in order."""
        held = self.rows.get((window.name, key), {}) if key is not None else {}
        if not window.rolling[0]:
            return list(held.values())
        on = values[window.date]
        assert isinstance(on, date)  # noqa: S101 - part of the key
        first, last = rolling_days(window, on)
        found: list[Past] = []
        for past in reversed(held.values()):
            then = past.values[window.date]
            assert isinstance(then, date)  # noqa: S101 - part of the key
            if first <= then <= last:
                found.append(past)
            elif then < first and window.date == self.sorted_by:
                break
        return found[::-1]

    def total(self, at: int, key: Key) -> _Running | None:
        """The running result of a quick call; None where an earlier row refuses whoever reads it."""
        if key is None:
            return _NOTHING
        if (at, key) not in self.running:
            running = self.running[at, key] = _Running()
            for past in self.rows.get((self.exact.plan.calls[at].window, key), {}).values():
                if not self._take(running, at, key, past):
                    break
        return self.running[at, key]

    def _take(self, running: _Running, at: int, key: Key, past: Past) -> bool:
        try:
            running.take(self.exact.plan.calls[at], self.exact.thunks, past)
        except Refused:
            self.running[at, key] = None  # the row that reads it is refused, by going through the list
            return False
        return True

    def _forget(self, window: str, keys: set[Key]) -> None:
        for at in self.quick:
            if self.exact.plan.calls[at].window == window:
                for key in keys:
                    self.running.pop((at, key), None)


def _adds_up(call: PlanCall) -> bool:
    """Whether what a call has found so far can be carried from row to row."""
    return not call.correlated and not call.distinct and not call.inner


def _first_of_order(exact: Exact, level: str) -> str:
    sequence = next((g.sequence for g in exact.plan.groups if g.name == level), exact.plan.sequence)
    return sequence.order[0] if sequence is not None else ""


class _Running:
    """What a window call without a look at the reading row has found so far."""

    __slots__ = ("count", "first", "high", "last", "low", "total")

    def __init__(self) -> None:
        self.count = 0
        self.total: Any = 0
        self.first: Any = None
        self.last: Any = None
        self.low: Any = None
        self.high: Any = None

    def take(self, call: PlanCall, thunks: Sequence[Any], past: Past) -> None:
        """Counts one more row, if it meets the call's condition."""
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


_NOTHING: Final = _Running()


def _no_window(call: int, frame: Frame) -> Value:
    del call, frame
    return None


class History(Windows):
    """Answers the window calls of one row (and of its lines) from the earlier rows of its sequence.

    Args:
        ledger: the earlier rows.
        values: the row's inputs (of a group: keys too), by which rolling windows are taken.
        place: its instance of every window in use.
        opening: amounts for what came before the first row.
        assumed: takes up the calls that an opening could have given and did not.
    """

    def __init__(
        self,
        ledger: Ledger,
        values: Mapping[str, Value],
        place: Placed,
        opening: Opening | None = None,
        assumed: set[str] | None = None,
    ) -> None:
        super().__init__(ledger.exact.plan)
        self.ledger = ledger
        self.values = values
        self.place = place
        self.opening = opening
        self.assumed = assumed if assumed is not None else set()
        self.held: dict[str, list[Past]] = {}
        self.frozen = False

    def freeze(self) -> None:
        """Keeps the earlier rows as they are now, for calls that are answered after later rows have come."""
        for name, window in self.ledger.windows.items():
            self.held.setdefault(name, self.ledger.seen(window, self.place.keys[name], self.values))
        self.frozen = True

    def value(self, call: int, frame: Frame) -> Value:
        """The value of a window call; `frame` is the row's, or that of one of its lines."""
        spec = self.plan.calls[call]
        window = self.ledger.windows[spec.window]
        key = self.place.keys[spec.window]
        opened = self._opening(spec, window, key, frame.recorder)
        if frame.recorder is None and call in self.ledger.quick and not self.frozen:
            running = self.ledger.total(call, key)
            if running is not None:
                if spec.function == "count":
                    return running.count + (opened if isinstance(opened, int) else 0)
                return _combine(spec.function, spec.distinct, running.found(spec.function), opened, spec.type)
        thunks = self.ledger.exact.thunks
        found: list[Value] = []
        seen: list[str] = []
        from_: list[Past] = []
        if window.name not in self.held:
            self.held[window.name] = self.ledger.seen(window, key, self.values)
        held = self.held[window.name]
        for past in held:
            for element in _elements(spec, past):
                frame.earlier = element
                if spec.where >= 0 and not thunks[spec.where](frame):
                    continue
                if seen[-1:] != [past.name]:
                    seen.append(past.name)
                found.append(thunks[spec.value](frame) if spec.value >= 0 else None)
                from_.append(past)
        frame.earlier = {}
        result = _combine(spec.function, spec.distinct, found, opened, spec.type)
        if frame.recorder is not None:
            days = self._days(window, held)
            on = window.gap_to or window.date or self.ledger.sorted_by
            terms = tuple((p.name, p.values.get(on), value) for p, value in zip(from_, found, strict=True))
            frame.recorder.windows[call] = WindowTrace(
                spec.key, result, tuple(seen), opened is not None, days, terms, opened
            )
        return result

    def _days(self, window: PlanWindow, held: Sequence[Past]) -> tuple[date, date | None] | None:
        """The first and last day of a rolling window or period; of a spell the first only."""
        on = self.values.get(window.gap_to or window.date)
        if not isinstance(on, date):
            return None
        if window.rolling[0]:
            return rolling_days(window, on)
        if window.gap[0]:
            began = held[0].values[window.gap_to] if held else on
            return (began, None) if isinstance(began, date) else None
        if window.period[0]:
            start = next((s.mark for (name, _), s in self.place.after.items() if name == window.name), on)
            return start, period_end(window, start) - timedelta(days=1)
        return None

    def _opening(self, call: PlanCall, window: PlanWindow, key: Key, recorder: Recorder | None) -> Value:
        """The opening amount of a call, while this row still lies in the instance of the first one."""
        o = self.opening
        amounts = o.amounts(window, key) if o is not None else None
        if o is None or amounts is None:
            return None
        text = normal(call.key)
        lacking: list[str] = []
        if is_stretch(window) and _tells_of(window, amounts) and amounts.get(normal(carrying_call(window))) is None:
            lacking.append(carrying_call(window))
        lacking += [call.key] if text not in amounts else []
        self.assumed.update(lacking)
        if recorder is not None:
            recorder.assumed.extend(lacking)
        if text not in amounts:
            return None
        return amounts[text] if o.single or not is_limited(self.plan, call) else None


def _elements(call: PlanCall, past: Past) -> Iterator[Mapping[str, Value]]:
    """What the EARLIER nodes of a call read: the earlier row, or one after the other the lines of it.

    Beside a line the row itself can be read; the line's fields are then called `lines/x`, which no name can be.
    """
    if not call.inner:
        yield past.values
        return
    for row in past.lists.get(call.inner, ()):
        yield {
            **past.values,
            **{f"{call.inner}/{name}": value for name, value in (*row.inputs.items(), *row.steps.items())},
        }


def combined(call: PlanCall, found: Sequence[Value], opened: Value) -> Value:
    """What a call comes to that has found this (of a count the number) in an instance that begins with an opening amount."""
    if call.function == "count":
        return sum(int(value) for value in found if isinstance(value, int)) + (opened if isinstance(opened, int) else 0)
    return _combine(call.function, call.distinct, [*found], opened, call.type)


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
