"""One person's earlier episodes, kept in Python: window values, and what a refused episode takes with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rxcalc.lang.types import OneOf
from rxcalc.passes.lookback import aggregate, evaluate
from rxcalc.passes.sequence import instance_key, windows_in_use
from rxcalc.plan.nodes import Plan, PlanWindowCall, Value

__all__ = ["History"]

_Key = tuple[str, tuple[Value, ...]]


class History:
    """The earlier episodes of one value of `sequence.by`, in order.

    `this` and `episode` map inputs and steps to values; for the windows of an episode that is not
    computed yet the steps that its windows' keys and conditions read are enough.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._windows = {window.name: window for window in windows_in_use(plan)}
        self._held: dict[_Key, list[Mapping[str, Value]]] = {}
        self._refused: dict[_Key, int] = {}
        self._all_refused: int | None = None
        self._order: dict[int, int] = {}

    def _keys(self, values: Mapping[str, Value]) -> list[_Key]:
        keys = ((name, instance_key(window, values)) for name, window in self._windows.items())
        return [(name, key) for name, key in keys if key is not None]

    def windows(self, this: Mapping[str, Value]) -> dict[int, Value]:
        """The value of every window call for an episode, by index."""
        held = {name: self._held.get((name, key), []) for name, key in self._keys(this)}
        return {
            place: self._called(call, held.get(call.window, []), this)
            for place, call in enumerate(self._plan.window_calls)
        }

    def _called(self, call: PlanWindowCall, held: list[Mapping[str, Value]], this: Mapping[str, Value]) -> Value:
        plan = self._plan
        kept = [e for e in held if call.where < 0 or evaluate(plan, call.where, this, e)]
        if call.value < 0:
            return len(kept)
        # A value that was missing then is no value: it is neither counted nor first or last.
        found: list[Any] = [evaluate(plan, call.value, this, e) for e in kept]
        values = [value for value in found if value is not None]
        of = plan.nodes[call.value].type
        return aggregate(call, values, of.values.index if isinstance(of, OneOf) else lambda value: value)

    def add(self, episode: Mapping[str, Value]) -> None:
        """Takes an episode in, as computed."""
        for key in self._keys(episode):
            self._held.setdefault(key, []).append(episode)

    def refuse(self, row: int, episode: Mapping[str, Value] | None) -> None:
        """Notes a refused episode: by its window keys, or, when they are not known (None), for all that follow."""
        self._order.setdefault(row, len(self._order))
        if episode is None:
            self._all_refused = row if self._all_refused is None else self._all_refused
            return
        for key in self._keys(episode):
            self._refused.setdefault(key, row)

    def reads_refused(self, this: Mapping[str, Value]) -> tuple[str, int] | None:
        """The window and the first refused episode that an episode could read, if any."""
        found = [(name, self._refused[name, key]) for name, key in self._keys(this) if (name, key) in self._refused]
        if self._all_refused is not None:
            found.append((next(iter(self._windows)), self._all_refused))
        return min(found, key=lambda pair: self._order[pair[1]], default=None)
