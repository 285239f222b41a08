"""One episode on the exact back end when what came before it is known already."""

from __future__ import annotations

from collections.abc import Mapping

from rxcalc.backends.base import Known, Outcome
from rxcalc.backends.exact import Exact
from rxcalc.backends.frames import Frame
from rxcalc.backends.ledger import History, Ledger, Past
from rxcalc.passes.sequence import Key, Placed
from rxcalc.plan.nodes import Value

__all__ = ["run_known"]

_HERE: Key = ()
"""The one instance of every window that the rows given stand in."""


class _Replayed(History):
    """Window calls by their known values, the others from the rows given."""

    def __init__(self, exact: Exact, inputs: Mapping[str, Value], known: Known) -> None:
        ledger = Ledger(exact)
        for window, rows in known.rows.items():
            ledger.rows[window, _HERE] = {number: Past("", values) for number, values in enumerate(rows)}
        super().__init__(ledger, inputs, Placed(dict.fromkeys(known.rows, _HERE), {}))
        self.known = known.values

    def value(self, call: int, frame: Frame) -> Value:
        """The value of a window call."""
        return self.known[call] if call in self.known else super().value(call, frame)


def run_known(exact: Exact, inputs: Mapping[str, Value], known: Known | None) -> Outcome:
    """The outcome of one episode, given its window calls (None: it has none, or nothing came before)."""
    return exact.run(inputs, _Replayed(exact, inputs, known) if known is not None else None)
