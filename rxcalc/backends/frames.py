"""Rows while they are evaluated: an episode, a row of one of its lists, a group."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from fractions import Fraction
from typing import Any, Protocol

from rxcalc.backends.base import Problem
from rxcalc.plan.nodes import Value
from rxcalc.tracing.model import Recorder


class Frame:
    """One row while it is evaluated.

    `on` is the date at which its parameters resolve. `up` holds the rows of the same bill that it belongs to, by
    level; `rows` the rows that belong to it (lists of an episode, members of a group); `root` is the episode
    of a row inside a bill. `earlier` is set only while a call looks at another row. `order` names it among the
    rows of its level, `place` puts it in order there (episodes: as their sequence takes them).
    """

    __slots__ = (
        "counted", "earlier", "groups", "index", "inputs", "lazy", "level", "local", "number", "on", "order", "place", "problem", "received", "recorder",
        "rejected", "root", "rows", "shares", "steps", "touched", "up", "window",
    )  # fmt: skip

    def __init__(
        self,
        inputs: Mapping[str, Value],
        on: date,
        window: Callable[[int, Frame], Value],
        recorder: Recorder | None,
        *,
        level: str = "",
        order: tuple[Value, ...] = (),
    ) -> None:
        self.inputs = inputs
        self.on = on
        self.window = window
        self.recorder = recorder
        self.level = level
        self.order = order
        self.number = 0  # its place among the rows of a bill's list
        self.place: tuple[Any, ...] = sortable(order)
        self.steps: dict[str, Value] = {}
        self.lazy: dict[str, Value] = {}  # what `base` stands for, where it was read
        self.shares: dict[str, Fraction] = {}
        self.local: dict[str, Fraction] = {}
        self.earlier: Mapping[str, Value] = {}
        self.root: Frame = self
        self.up: dict[str, Frame] = {}
        self.rows: dict[str, list[Frame]] = {}
        self.index: dict[str, dict[tuple[Value, ...], Frame]] = {}  # groups inside the bill by key
        self.groups: Groups = NO_GROUPS
        self.touched: set[Frame] = set()  # groups across bills that were read
        self.received: set[Frame] = set()  # and those that gave a part; kept for explanations only
        self.problem: Problem | None = None  # of a group: why it is refused
        self.rejected = 0  # of a group: members refused
        self.counted = -1  # of a group: members that it was computed from

    def values(self) -> Mapping[str, Value]:
        """All fields, as a call that looks at this row reads them."""
        return _Fields(self)

    def within(self, inputs: Mapping[str, Value], level: str, order: tuple[Value, ...]) -> Frame:
        """A row that belongs to this episode."""
        recorder = None
        if self.recorder is not None:
            recorder = Recorder()
            self.recorder.rows[level, len(self.rows.get(level, ()))] = recorder
        row = Frame(inputs, self.on, self.window, recorder, level=level, order=order)
        row.root, row.groups = self, self.groups
        row.number = len(self.rows.get(level, ()))
        row.up[""] = self
        self.rows.setdefault(level, []).append(row)
        return row


class _Fields(Mapping[str, Value]):
    """The fields of a frame as one map; what is not computed yet is not there."""

    __slots__ = ("_frame",)

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    def __getitem__(self, name: str) -> Value:
        frame = self._frame
        if name in frame.steps:
            return frame.steps[name]
        return frame.inputs[name] if name in frame.inputs else frame.shares[name]

    def __iter__(self) -> Iterator[str]:
        return iter({**self._frame.inputs, **self._frame.steps, **self._frame.shares})

    def __len__(self) -> int:
        return len({**self._frame.inputs, **self._frame.steps, **self._frame.shares})


def sortable(key: tuple[Value, ...]) -> tuple[Any, ...]:
    """Values in an order that any types have."""
    return tuple((str(type(v)), v) for v in key)


class Groups(Protocol):
    """Groups that go across bills, as the rows of one bill read them."""

    def own(self, kind: str, member: Frame) -> Frame | None:
        """The group that a row is a member of; None where it is in none."""

    def find(self, kind: str, keys: tuple[Value, ...]) -> Frame | None:
        """The group with these keys; None where there is none."""


class _NoGroups:
    def own(self, kind: str, member: Frame) -> Frame | None:
        del kind, member
        return None

    def find(self, kind: str, keys: tuple[Value, ...]) -> Frame | None:
        del kind, keys
        return None


NO_GROUPS: Groups = _NoGroups()
