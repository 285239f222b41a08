"""Sequences on the exact back end: rows in order, what each may read, refused rows and reversals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from rxcalc.backends.base import Outcome, Problem, Ran, Row
from rxcalc.backends.exact import Exact, outside
from rxcalc.backends.ledger import History, Ledger, Opening, Past, moved
from rxcalc.backends.reversals import Reversals, Seen, negated
from rxcalc.inputs.openings import normal
from rxcalc.passes.sequence import Change, Forming, Key, Placed, first_keys, rolling_days, windows_in_use
from rxcalc.plan.nodes import Plan, PlanWindow, Value
from rxcalc.tracing.model import Recorder

__all__ = [
    "History", "Ledger", "LookBack", "Opening", "Past", "Turn", "follow", "in_order", "keys_of", "normal", "run_person",
    "run_sequence",
]  # fmt: skip


def keys_of(plan: Plan, values: Mapping[str, Value]) -> dict[str, Key]:
    """An episode's place in each window that is read, when nothing came before it."""
    return first_keys(windows_in_use(plan), values)


def past_of(outcome: Outcome, name: str) -> Past:
    """An outcome as later episodes see it."""
    return Past(name, {**outcome.inputs, **outcome.steps, **outcome.shares}, outcome.lists)


def in_order(plan: Plan, records: Iterable[tuple[int, Mapping[str, Value]]]) -> list[tuple[int, Mapping[str, Value]]]:
    """Numbered records in sequence order (codes by Unicode code point)."""
    order = plan.sequence.order if plan.sequence is not None else ("episode_id",)
    return sorted(records, key=lambda r: tuple(r[1][name] for name in order))


@dataclass(frozen=True)
class Turn:
    """A row of a sequence whose turn it is.

    `place` is where it reads, `whole` where it stands among all rows, refused ones too. `found` is the window
    and the name of the first refused row that it could read.
    """

    index: int
    name: str
    values: Mapping[str, Value]
    place: Placed
    whole: Placed
    found: tuple[str, str] | None


class LookBack:
    """The rows of one sequence, taken in order; of episodes, or of the kind of groups `level`.

    Each row first has its `turn`, then `windows` answer its calls, then it is `settled`. A refused row
    stays where it stands when spells and periods are formed, since every later row that could read it is refused
    too; with `compute` those rows are computed, from spells and periods formed without it.
    """

    def __init__(self, exact: Exact, level: str = "", *, compute: bool = False) -> None:
        windows = windows_in_use(exact.plan, level)
        self.ledger = Ledger(exact, level)
        self.reading = Forming(windows)
        self.whole = Forming(windows) if compute else self.reading
        self.refused = _Refused(windows, self.ledger.sorted_by)

    def open(self, opening: Opening, values: Mapping[str, Value]) -> Opening:
        """Starts from opening amounts, which hold for the instances of the first row, the one with these values."""
        opening = opening.before(self.reading.windows, values)
        for window, chain, mark in opening.seeds(self.reading.windows, values):
            for forming in {id(f): f for f in (self.reading, self.whole)}.values():
                forming.seed(window, chain, mark)
        return opening

    def turn(self, index: int, name: str, values: Mapping[str, Value]) -> Turn:
        """The next row; `index` grows from row to row."""
        place = self.reading.look(values)
        whole = place if self.whole is self.reading else self.whole.look(values)
        return Turn(index, name, values, place, whole, self.refused.read_by(whole.keys, values))

    def windows(self, turn: Turn, opening: Opening | None = None, assumed: set[str] | None = None) -> History:
        """What answers the row's window calls."""
        return History(self.ledger, turn.values, turn.place, opening, assumed)

    def settled(self, turn: Turn, past: Past | None, *, refuses: bool = False) -> None:
        """The row is done: later ones see it `past`; None: it is refused. `refuses`: who could read it is refused all the same."""
        if self.whole is self.reading or past is not None:
            self.reading.take(turn.index, turn.values, turn.place)
        if self.whole is not self.reading:
            self.whole.take(turn.index, turn.values, turn.whole)
        if past is not None:
            self.ledger.add(turn.index, past, turn.place.keys)
        if past is None or refuses:
            self.refused.add(turn)

    def unplaced(self, name: str) -> None:
        """A refused row of which nobody knows who could read it: every later row is taken to."""
        self.refused.add_anywhere(name)

    def take_out(self, reversals: Reversals, original: Seen) -> tuple[str, ...]:
        """Takes an episode out from here on; names those computed since that could read it."""
        keys = {w.name: reversals.key_at(original, w.name, len(reversals.all)) for w in self.reading.windows}
        self.ledger.drop(original.index, keys)
        changed = self.reading.drop(original.index)
        for window, changes in changed.items():
            self.ledger.change(window, changes)
        for window, changes in (changed if self.whole is self.reading else self.whole.drop(original.index)).items():
            self.refused.change(window, changes)
        self.refused.drop(original.index)
        return reversals.affected(original, self.reading.windows, changed)


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

    With `compute` those are computed all the same, from what is left, and marked. Episodes that tie are refused.
    """
    person = _Person(exact, rows, opening, compute=compute)
    return [
        person.next(index, row, recorders[index] if index < len(recorders) else None, assumed)
        for index, row in enumerate(rows)
    ]


def follow(exact: Exact, rows: Sequence[Row], opening: Opening | None) -> tuple[LookBack, Opening | None]:
    """What one sequence's episodes, given in order with their results recorded, leave behind."""
    person = _Person(exact, rows, opening, compute=False)
    for index, row in enumerate(rows):
        person.next(index, row, None, None)
    return person.look, person.opening


class _Person:
    """The run of one sequence's episodes."""

    def __init__(self, exact: Exact, rows: Sequence[Row], opening: Opening | None, *, compute: bool) -> None:
        self.exact = exact
        self.rows = rows
        self.opening = opening
        self.opened = opening is None
        self.compute = compute
        self.look = LookBack(exact, compute=compute)
        self.reversals = Reversals(exact.plan)
        self.tied = _ties(exact.plan, rows)

    def next(self, index: int, row: Row, recorder: Recorder | None, assumed: set[str] | None) -> Ran:
        """What becomes of the next row."""
        name = self.reversals.named_by(row)
        if name:
            ran = self._reversal(index, row, name)
            self.reversals.add(Seen(index, row, None, None, reverses=name))
            return ran
        if row.unplaced:
            self.look.unplaced(row.name)
            self.reversals.add(Seen(index, row, None))
            return Ran(row, None)
        if not self.opened and self.opening is not None:
            self.opened = True
            self.opening = self.look.open(self.opening, row.inputs)
        turn = self.look.turn(index, row.name, row.inputs)
        if row.refused:
            outcome = None
        elif row.recorded is not None:
            outcome = row.recorded
        elif index in self.tied:
            outcome = Outcome(row.inputs, problem=self._tie())
        elif turn.found is not None and not self.compute:
            outcome = Outcome(row.inputs, problem=_depends(*turn.found))
        else:
            outcome = self.exact.run(row.inputs, self.look.windows(turn, self.opening, assumed), recorder)
        computed = outcome if outcome is not None and outcome.problem is None else None
        after = turn.found is not None and outcome is not None and row.recorded is None
        past = past_of(computed, row.name) if computed is not None else None
        self.look.settled(turn, past, refuses=after)
        self.reversals.add(Seen(index, row, turn.place, computed, after))
        return Ran(row, outcome, after)

    def _reversal(self, index: int, row: Row, name: str) -> Ran:
        """A reversal: in no window itself, it takes its original out of them. One that is refused could have meant any."""
        plan = self.exact.plan
        original = self.reversals.original(row, self.rows[index + 1 :])
        on = row.inputs.get(plan.effective_by)
        if row.recorded is not None:
            if not isinstance(original, Problem):  # else its original lies before the earlier results
                self.look.take_out(self.reversals, original)
            return Ran(row, row.recorded)
        if row.refused or index in self.tied:
            problem = self._tie() if index in self.tied else None
        elif isinstance(on, date) and (late := outside(plan, on)) is not None:
            problem = late
        elif isinstance(original, Problem):
            problem = original
        else:
            assert original.outcome is not None  # noqa: S101 - else it is a problem
            affected = self.look.take_out(self.reversals, original)
            return Ran(row, negated(original.outcome, row.inputs, name), original.after, affected)
        self.look.unplaced(row.name)
        return Ran(row, None if row.refused else Outcome(row.inputs, problem=problem))

    def _tie(self) -> Problem:
        order = ", ".join(self.exact.plan.sequence.order) if self.exact.plan.sequence is not None else ""
        return Problem("RX818", order, "", f"another episode of the sequence has the same {order}; neither comes first")


def _ties(plan: Plan, rows: Sequence[Row]) -> frozenset[int]:
    """The rows that stand at one place of the order with another."""
    order = plan.sequence.order if plan.sequence is not None else ()
    placed = [(tuple(row.inputs.get(name) for name in order), at) for at, row in enumerate(rows) if order]
    places = [one for one in placed if None not in one[0]]
    return frozenset(at for one, other in pairwise(places) if one[0] == other[0] for at in (one[1], other[1]))


def _depends(window: str, name: str) -> Problem:
    message = f"`{name}` comes earlier in window `{window}` and was refused; mend that one first"
    return Problem("RX811", window, name, message)


@dataclass(frozen=True, slots=True)
class _Mark:
    """A refused row: how many were refused before it, its name, and its inputs."""

    count: int
    name: str
    values: Mapping[str, Value]


class _Refused:
    """The refused rows of one sequence, by the windows in which later ones could read them."""

    def __init__(self, windows: Sequence[PlanWindow], sorted_by: str) -> None:
        self.windows = windows
        self.sorted_by = sorted_by
        self.rows: dict[tuple[str, Key], dict[int, _Mark]] = {}
        self.placed: set[int] = set()
        self.anywhere: _Mark | None = None
        self.count = 0

    def add(self, turn: Turn) -> None:
        """Notes a refused row at its place."""
        self.count += 1
        mark = _Mark(self.count, turn.name, turn.values)
        self.placed.add(turn.index)
        for window, key in turn.whole.keys.items():
            if key is not None:
                self.rows.setdefault((window, key), {})[turn.index] = mark

    def add_anywhere(self, name: str) -> None:
        """Notes a refused row that could be in any window."""
        self.count += 1
        self.anywhere = self.anywhere or _Mark(self.count, name, {})

    def drop(self, index: int) -> None:
        """Takes a row out again: one that was computed and marked, and is reversed."""
        if index in self.placed:
            for held in self.rows.values():
                held.pop(index, None)

    def change(self, window: str, changed: Mapping[int, Change]) -> None:
        """Moves rows whose instance of a window has changed."""
        moved(self.rows, window, changed)

    def read_by(self, keys: Mapping[str, Key], values: Mapping[str, Value]) -> tuple[str, str] | None:
        """The window and name of the first refused row that a row with these keys could read."""
        found: list[tuple[int, str, str]] = []
        for window in self.windows if self.count else ():
            key = keys[window.name]
            marks = self.rows.get((window.name, key), {}) if key is not None else {}
            if window.rolling[0] and window.date == self.sorted_by:
                self._forget(marks, window, values)
            first = next((mark for mark in marks.values() if _within(window, mark.values, values)), None)
            if first is not None:
                found.append((first.count, window.name, first.name))
        if self.anywhere is not None and self.windows:
            found.append((self.anywhere.count, self.windows[0].name, self.anywhere.name))
        if not found:
            return None
        _, name, row = min(found, key=lambda f: f[0])
        return name, row

    def _forget(self, marks: dict[int, _Mark], window: PlanWindow, values: Mapping[str, Value]) -> None:
        """Rows that have left a rolling window whose dates ascend are never in it again."""
        while marks and not _within(window, marks[first := next(iter(marks))].values, values):
            del marks[first]


def _within(window: PlanWindow, earlier: Mapping[str, Value], values: Mapping[str, Value]) -> bool:
    """Whether an earlier row of the same instance lies in the window; only rolling windows leave some out."""
    if not window.rolling[0]:
        return True
    then, on = earlier[window.date], values[window.date]
    assert isinstance(then, date)  # noqa: S101 - part of the key
    assert isinstance(on, date)  # noqa: S101 - part of the key
    first, last = rolling_days(window, on)
    return first <= then <= last
