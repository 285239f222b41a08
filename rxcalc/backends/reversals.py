"""Episodes that reverse an earlier one: which, what they amount to, and what was computed in between."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction

from rxcalc.backends.base import Outcome, Problem, Row, RowResult
from rxcalc.passes.sequence import Change, Key, Placed, rolling_days
from rxcalc.plan.nodes import Plan, PlanWindow, Value


@dataclass(slots=True)
class Seen:
    """An episode met before: its place in the order and in the windows as they were then, and what became of it."""

    index: int
    row: Row
    place: Placed | None  # None: its place is not known, or it is in no window
    outcome: Outcome | None = None  # None: it was refused
    after: bool = False
    reverses: str = ""
    reversed_by: str = ""


class Reversals:
    """The episodes of one sequence met so far, by id."""

    def __init__(self, plan: Plan) -> None:
        self.field = plan.sequence.reverses if plan.sequence is not None else ""
        self.all: list[Seen] = []
        self._by_id: dict[Value, Seen] = {}
        self._moves: dict[tuple[int, str], list[tuple[int, Key]]] = {}

    def named_by(self, row: Row) -> str:
        """The id of the episode that a row reverses; "" for an ordinary one."""
        value = row.inputs.get(self.field) if self.field else None
        return "" if value is None else str(value)

    def add(self, seen: Seen) -> None:
        """Takes in the next episode, whatever became of it."""
        self.all.append(seen)
        self._by_id.setdefault(seen.row.inputs.get("episode_id"), seen)

    def original(self, row: Row, later: Iterable[Row]) -> Seen | Problem:
        """The episode that a row reverses, or why it cannot be reversed; from here on it counts as reversed.

        `later` are the episodes after the row, to say so where the row names one of them.
        """
        name = self.named_by(row)
        seen = self._by_id.get(name)
        if seen is None:
            return unknown_reversal(self.field, name, _where(name, row, later))
        if seen.reverses:
            message = f"`{name}`, which this episode reverses, is a reversal itself; a reversal cannot be reversed: enter the bill anew"
            return Problem("RX815", self.field, name, message)
        if seen.reversed_by:
            message = f"`{name}` is reversed already, by `{seen.reversed_by}`; an episode is reversed once"
            return Problem("RX814", self.field, name, message)
        seen.reversed_by = str(row.inputs.get("episode_id", row.name))
        if seen.outcome is None:
            message = (
                f"`{name}`, which this episode reverses, was refused and has no results to reverse; mend that one first"
            )
            return Problem("RX811", self.field, seen.row.name, message)
        return seen

    def affected(
        self, original: Seen, windows: Iterable[PlanWindow], changed: Mapping[str, Mapping[int, Change]]
    ) -> tuple[str, ...]:
        """The episodes computed after the original that could read it, or whose period starts elsewhere without it.

        `changed` are the rows whose spell or period is another one without the original, by window.
        """
        windows = tuple(windows)
        shifted = {
            row
            for window in windows
            if window.period[0]
            for row, change in changed.get(window.name, {}).items()
            if change.shifted
        }
        found = tuple(
            seen.row.name
            for seen in self.all[original.index + 1 :]
            if seen.outcome is not None
            and not seen.reverses
            and (seen.index in shifted or self._could_read(seen, original, windows))
        )
        for name, changes in changed.items():
            for row, change in changes.items():
                self._moves.setdefault((row, name), []).append((len(self.all), change.new))
        return found

    def _could_read(self, seen: Seen, original: Seen, windows: Iterable[PlanWindow]) -> bool:
        """Whether an episode had the original in one of its windows, as they were formed then."""
        if seen.place is None or original.place is None:
            return False
        for window in windows:
            key = seen.place.keys[window.name]
            if key is None or key != self.key_at(original, window.name, seen.index):
                continue
            if not window.rolling[0]:
                return True
            on, then = seen.row.inputs[window.date], original.row.inputs[window.date]
            assert isinstance(on, date)  # noqa: S101 - part of the key
            assert isinstance(then, date)  # noqa: S101 - part of the key
            first, last = rolling_days(window, on)
            if first <= then <= last:
                return True
        return False

    def key_at(self, seen: Seen, window: str, index: int) -> Key:
        """The instance in which an episode stood when the one with this index had its turn."""
        assert seen.place is not None  # noqa: S101 - it was computed, so it was placed
        key = seen.place.keys[window]
        for at, moved in self._moves.get((seen.index, window), ()):
            if at <= index:
                key = moved
        return key


def unknown_reversal(field: str, name: str, where: str) -> Problem:
    """The refusal of an episode whose original is not among the earlier ones."""
    return Problem("RX813", field, name, f"`{name}`, which this episode reverses, {where}")


def _where(name: str, row: Row, later: Iterable[Row]) -> str:
    if row.inputs.get("episode_id") == name:
        return "is this episode itself"
    if any(other.inputs.get("episode_id") == name for other in later):
        return "comes later in the order; a reversal comes after the bill that it reverses"
    return "is not among the earlier episodes of its sequence; give it with them, or take the reversal out"


def negated(outcome: Outcome, inputs: Mapping[str, Value], original: str) -> Outcome:
    """The results of the reversal of an episode: every number with the sign changed, everything else as it was."""
    return replace(
        outcome,
        inputs=inputs,
        steps=_negated(outcome.steps),
        shares={name: -amount for name, amount in outcome.shares.items()},
        lists={
            name: tuple(RowResult(r.inputs, _negated(r.steps)) for r in rows) for name, rows in outcome.lists.items()
        },
        findings=(),
        reverses=original,
    )


def _negated(values: Mapping[str, Value]) -> dict[str, Value]:
    return {
        name: -value if isinstance(value, int | Fraction) and not isinstance(value, bool) else value
        for name, value in values.items()
    }
