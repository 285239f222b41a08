"""What the episodes of a sequence leave behind: for each window the amounts that a later run starts from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from rxcalc.backends.base import Row
from rxcalc.backends.exact import Exact
from rxcalc.backends.frames import Frame
from rxcalc.backends.history import Opening, follow
from rxcalc.backends.ledger import History, Openings
from rxcalc.inputs.openings import carrying_call, is_limited, normal, window_calls
from rxcalc.passes.sequence import Key, Placed, is_stretch
from rxcalc.plan.nodes import PlanWindow, Value


@dataclass(frozen=True)
class Closing:
    """The state of one window instance after the last episode: call texts (without white space) to values."""

    window: PlanWindow
    key: Key
    values: Mapping[str, Value]


def closings(exact: Exact, rows: Sequence[Row], opening: Opening | None = None) -> list[Closing]:
    """The state after a sequence's episodes, given in order with their results recorded.

    Calls that cannot be carried on (over a rolling window, of distinct values, about the episode that reads them)
    are left out. Of spells and periods only the latest can go on.
    """
    if not rows and isinstance(opening, Openings):
        windows = {window.name: window for window in exact.plan.windows}
        return [Closing(windows[name], key, values) for (name, key), values in opening.instances.items()]
    look, opened = follow(exact, rows, opening)
    carried = {
        at: call
        for at, call in enumerate(exact.plan.calls)
        if call in window_calls(exact.plan) and not is_limited(exact.plan, call)
    }
    keys: dict[tuple[str, Key], None] = {place: None for place, held in look.ledger.rows.items() if held}
    if isinstance(opened, Openings):
        keys |= dict.fromkeys(opened.instances)
    found: list[Closing] = []
    for name, key in keys:
        window = look.ledger.windows.get(name)
        if window is None or key is None:
            continue
        latest = look.reading.latest(name, key[:-1]) if is_stretch(window) else None
        if is_stretch(window) and (latest is None or latest.number != key[-1]):
            continue
        history = History(look.ledger, {}, Placed({name: key}, {}), opened)
        frame = Frame({}, date.min, history.value, None)
        values = {normal(c.key): history.value(at, frame) for at, c in carried.items() if c.window == name}
        if latest is not None:
            key = (*key[:-1], 0)  # noqa: PLW2901 what the next run starts with
            values[normal(carrying_call(window))] = latest.mark
        if values:
            found.append(Closing(window, key, values))
    return found
