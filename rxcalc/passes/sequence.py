"""Which earlier rows a window holds: the one description that both back ends follow.

Rows of one `by` (episodes, or groups of one kind) are taken in the sequence's order. An earlier row is in
a window of a later one when both have the same instance key. What that is depends on the kind of window:

- `calendar`, `same`, `all`: the row's own fields say it (`instance_key`);
- `gap`, `period`: the key numbers the spell or period, which the rows before it decide (`next_stretch`);
- `rolling`: the key says nothing of time; the earlier row's date must lie within `rolling_days` of this row's.

Nothing here looks at the order itself, so the date of a calendar or rolling window need not be its first
field; `gap` needs `to`, `period` its `date` as the first one, which the compiler sees to.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from typing import Final, TypeAlias

from rxcalc.lang.dates import add_months, first_day, last_day, months_between
from rxcalc.plan.nodes import Plan, PlanWindow, Value

__all__ = [
    "Change",
    "Forming",
    "Key",
    "Placed",
    "Stretch",
    "calls_of",
    "first_keys",
    "instance_key",
    "is_stretch",
    "moved",
    "next_stretch",
    "period_end",
    "period_start",
    "placing_fields",
    "rolling_days",
    "windows_in_use",
]

_MONTHS: Final = {"year": 12, "quarter": 3, "month": 1}
_ONE_DAY: Final = timedelta(days=1)

Key: TypeAlias = "tuple[Value, ...] | None"
"""What a row must share with an earlier one to see it through a window; None sees nothing, and nobody sees it."""


# ---- dates -----------------------------------------------------------------------------------


def moved(on: date, length: int, unit: str) -> date:
    """`on` moved by so many days, months or years, forth or (below zero) back; the calendar's first or last day beyond it."""
    try:
        return (
            on + timedelta(days=length) if unit == "days" else add_months(on, length * (12 if unit == "years" else 1))
        )
    except OverflowError:
        return date.max if length > 0 else date.min


def period_start(window: PlanWindow, on: date, starting: date | tuple[int, int]) -> date:
    """The first day of the civil period of `window` that holds `on`.

    `starting` is the month and day on which the window's year begins, or a date that is the first
    day of one such year; quarters and months are counted from it. A year that begins on 29
    February (only a starting input can say so) begins on the 28th in common years.
    """
    length = _MONTHS[window.calendar]
    match starting:
        case (1, 1):
            return date(on.year, on.month - (on.month - 1) % length, 1)
        case (month, day):
            # 2000 is a leap year, so that the 29th of February has a place to count from.
            anchor = date(2000, month, day)
        case date():
            anchor = starting
    months = months_between(anchor, on)
    return add_months(anchor, months - months % length)


def rolling_days(window: PlanWindow, on: date) -> tuple[date, date]:
    """The first and the last day of the rolling window of a row dated `on`; both are in it.

    `12 months` holds on - 12 months < date <= on. Twelve calendar months hold those up to and with the
    month of `on`, to its last day: only a date that does not decide the order can lie after `on`.
    """
    length, unit = window.rolling
    if window.rolling_unit:
        start = first_day(on, window.rolling_unit)
        return moved(start, -(length - 1) * _MONTHS[window.rolling_unit], "months"), last_day(on, window.rolling_unit)
    before = moved(on, -length, unit)
    return (before + _ONE_DAY if before < on else on), on


@dataclass(frozen=True, slots=True)
class Stretch:
    """The spell or period that the latest row fell in: its number, and the date against which the next row is held.

    Of spells `mark` is the latest `from` so far, of a period its first day.
    """

    number: int
    mark: date


def next_stretch(
    window: PlanWindow, before: Stretch | None, values: Mapping[str, Value], number: int
) -> Stretch | None:
    """The spell or period of the next row, and what the rows after it need to know.

    A spell goes on while the row's `to` is less than the gap after the latest `from` so far; a period
    holds start <= date < start + its length.

    Args:
        window: the window.
        before: the one that the row before it fell in; None: it is the first.
        values: the row's inputs.
        number: what the spell or period is called if the row begins a new one.

    Returns:
        None when a date is missing: such a row is in none.
    """
    if window.gap[0]:
        to, last = values.get(window.gap_to), values.get(window.gap_from)
        if not isinstance(to, date) or not isinstance(last, date):
            return None
        if before is None:
            return Stretch(number, last)
        begins = to >= moved(before.mark, *window.gap)
        return Stretch(number if begins else before.number, max(before.mark, last))
    on = values.get(window.date)
    if not isinstance(on, date):
        return None
    if before is None:
        return Stretch(number, on)
    return before if on < period_end(window, before.mark) else Stretch(number, on)


def period_end(window: PlanWindow, start: date) -> date:
    """The first day after a period that starts with `start`."""
    return moved(start, *window.period)


# ---- instances -------------------------------------------------------------------------------


def instance_key(window: PlanWindow, values: Mapping[str, Value]) -> Key:
    """What a row's own fields say of its instance of `window`.

    Args:
        window: the window.
        values: inputs of the episode, or keys and inputs of the group, by name.

    Returns:
        The values of the `same` fields and the first day of the civil period; the empty tuple for
        a window of all earlier rows. For `gap` and `period` the number of the spell or period is to be
        added (`Forming`). None when a field of the key is missing: a missing key matches nothing,
        not even another missing one.
    """
    key: list[Value] = []
    for name in window.same:
        value = values.get(name)
        if value is None:
            return None
        key.append(value)
    if window.calendar:
        on = values.get(window.date)
        starting = values.get(window.starting_input) if window.starting_input else date(2000, *window.starting)
        if not isinstance(on, date) or not isinstance(starting, date):
            return None
        key.append(period_start(window, on, starting if window.starting_input else window.starting))
    if window.rolling[0] and not isinstance(values.get(window.date), date):
        return None
    return tuple(key)


def is_stretch(window: PlanWindow) -> bool:
    """Whether its instances are formed by the rows before: spells and periods."""
    return bool(window.gap[0] or window.period[0])


@dataclass(frozen=True, slots=True)
class Placed:
    """A row's instance of every window in use, and the spells and periods as they stand after it."""

    keys: Mapping[str, Key]
    after: Mapping[tuple[str, tuple[Value, ...]], Stretch]


@dataclass(frozen=True, slots=True)
class Change:
    """A row whose instance changed when another was taken out; `shifted`: its period starts on another day."""

    old: Key
    new: Key
    shifted: bool


class Forming:
    """The instances of windows over one sequence, formed row after row in its order.

    `look` says where a row falls; `take` makes it one of those that the rows after it are held against.
    `drop` takes one out again: spells and periods are formed anew from the rows left.
    """

    def __init__(self, windows: Iterable[PlanWindow]) -> None:
        self.windows = tuple(windows)
        self._chains: dict[tuple[str, tuple[Value, ...]], _Chain] = {}
        self._places: dict[int, tuple[tuple[str, tuple[Value, ...]], ...]] = {}

    def seed(self, window: PlanWindow, chain: tuple[Value, ...], mark: date) -> None:
        """Starts with a spell or period known before the first row; it has the number 0."""
        self._chains[window.name, chain] = _Chain(window, Stretch(0, mark))

    def look(self, values: Mapping[str, Value]) -> Placed:
        """Where the next row falls."""
        keys: dict[str, Key] = {}
        after: dict[tuple[str, tuple[Value, ...]], Stretch] = {}
        for window in self.windows:
            key = keys[window.name] = instance_key(window, values)
            if key is None or not is_stretch(window):
                continue
            chain = self._chains.get((window.name, key))
            found = chain.next(values) if chain is not None else next_stretch(window, None, values, 0)
            keys[window.name] = None if found is None else (*key, found.number)
            if found is not None:
                after[window.name, key] = found
        return Placed(keys, after)

    def take(self, number: int, values: Mapping[str, Value], placed: Placed) -> None:
        """Takes in a row looked at; `number` tells it apart and grows with the order."""
        if placed.after:
            self._places[number] = tuple(placed.after)
        for place, stretch in placed.after.items():
            if place not in self._chains:
                self._chains[place] = _Chain(next(w for w in self.windows if w.name == place[0]), None)
            self._chains[place].take(number, values, stretch)

    def drop(self, number: int) -> dict[str, dict[int, Change]]:
        """Takes a row out; tells for each window of which rows the spell or period is another one."""
        changed: dict[str, dict[int, Change]] = {}
        for name, key in self._places.pop(number, ()):
            changed[name] = {
                row: Change((*key, old.number), (*key, new.number), old.mark != new.mark)
                for row, old, new in self._chains[name, key].drop(number)
            }
        return changed

    def latest(self, name: str, chain: tuple[Value, ...]) -> Stretch | None:
        """The spell or period that goes on after the last row."""
        return self._chains[name, chain].latest if (name, chain) in self._chains else None


class _Chain:
    """The spells or periods of the rows that are equal in `same`, in order; `seed` is the one before the first row."""

    def __init__(self, window: PlanWindow, seed: Stretch | None) -> None:
        self.window = window
        self.seed = seed
        self.fresh = 0 if seed is None else 1  # the number that the next new one bears
        self.order: list[int] = []
        self.rows: dict[int, tuple[Mapping[str, Value], Stretch]] = {}

    @property
    def latest(self) -> Stretch | None:
        """The one that the last row fell in."""
        return self.rows[self.order[-1]][1] if self.order else self.seed

    def next(self, values: Mapping[str, Value]) -> Stretch | None:
        """The one that the next row falls in."""
        return next_stretch(self.window, self.latest, values, self.fresh)

    def take(self, number: int, values: Mapping[str, Value], stretch: Stretch) -> None:
        """Takes the next row in."""
        self.fresh = max(self.fresh, stretch.number + 1)
        self.order.append(number)
        self.rows[number] = values, stretch

    def drop(self, number: int) -> list[tuple[int, Stretch, Stretch]]:
        """Takes a row out; the rows whose spell or period is another one now, with the old and the new one.

        One that still begins with the row it began with keeps its number, so that nothing changes beyond the point
        where the rows left are as they were.
        """
        changed: list[tuple[int, Stretch, Stretch]] = []
        at = bisect_left(self.order, number)
        before = self.rows[self.order[at - 1]][1] if at else self.seed
        was = self.rows.pop(number)[1]
        # What the row itself began is now begun, if at all, by the one after it.
        began_here = before is None or before.number != was.number
        del self.order[at]
        for row in islice(self.order, at, None):
            values, old = self.rows[row]
            began = began_here or old.number != was.number
            began_here = False
            new = next_stretch(self.window, before, values, old.number if began else self.fresh)
            assert new is not None  # noqa: S101 - a row without its dates is in no chain
            if new == old:
                break
            self.fresh = max(self.fresh, new.number + 1)
            self.rows[row] = values, new
            if new.number != old.number or self.window.period[0]:
                changed.append((row, old, new))
            was, before = old, new
        return changed


def first_keys(windows: Iterable[PlanWindow], values: Mapping[str, Value]) -> dict[str, Key]:
    """The instances of a row that nothing came before, by window."""
    return dict(Forming(windows).look(values).keys)


# ---- what a plan looks back with -------------------------------------------------------------


def calls_of(plan: Plan, level: str = "") -> tuple[int, ...]:
    """The window calls (by index) that look back over the rows of `level`: episodes (""), or groups of a kind.

    A call that stands in a list or in a group inside one bill looks back over episodes.
    """
    across = {group.name for group in plan.groups if group.inside != "bill"}
    return tuple(
        at
        for at, call in enumerate(plan.calls)
        if call.kind == "window" and (call.level if call.level in across else "") == level
    )


def windows_in_use(plan: Plan, level: str = "") -> tuple[PlanWindow, ...]:
    """The windows over rows of `level` that at least one call reads, in declared order: only these pass a refusal on."""
    used = {plan.calls[at].window for at in calls_of(plan, level)}
    return tuple(window for window in plan.windows if window.name in used and window.level == level)


def placing_fields(plan: Plan) -> frozenset[str]:
    """The inputs that decide which episodes see each other, in what order, and which reverse another one."""
    fields: set[str] = set()
    for window in plan.windows:
        if not window.level:
            fields |= {window.date, window.starting_input, window.gap_from, window.gap_to, *window.same}
    if plan.sequence is not None:
        fields |= {plan.sequence.reverses, *plan.sequence.order}
    return frozenset(fields - {""})
