"""One episode on the exact back end when the groups across bills are computed already."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from rxcalc.backends.across import Across, no_window
from rxcalc.backends.base import GroupOutcome, Outcome, Problem
from rxcalc.backends.exact import Exact
from rxcalc.backends.frames import Frame
from rxcalc.plan.nodes import Value, evaluation_order

__all__ = ["Among"]


class Among:
    """Runs episodes that read these groups."""

    def __init__(self, exact: Exact, groups: Iterable[GroupOutcome]) -> None:
        self._exact = exact
        self._across = Across(exact)
        for group in groups:
            g = self._across.kinds[group.kind]
            key = tuple(group.inputs[k.name] for k in g.keys)
            frame = Frame(group.inputs, date.min, no_window, None, level=group.kind, order=key)
            frame.steps, frame.shares = dict(group.steps), dict(group.shares)
            frame.problem, frame.rejected = group.problem, group.rejected
            frame.groups = self._across
            self._across.frames[group.kind][key] = frame
        # A row finds its own group by the keys, as one that is given.
        self._across.given = set(self._across.kinds)
        self._phase = {item: block.phase for block in evaluation_order(exact.plan) for item in block.items}

    def run(self, inputs: Mapping[str, Value], received: Mapping[str, Value]) -> Outcome:
        """The outcome of one episode, with what it received of groups."""
        exact = self._exact
        bill = exact.begin(inputs, None, self._across)
        bill.steps.update(received)
        for phase in range(len(exact.phases)):
            exact.advance(bill, phase)
            if bill.problem is None:
                bill.problem = self._refused(bill, phase)
        return exact.outcome(bill)

    def _refused(self, bill: Frame, phase: int) -> Problem | None:
        """Why a bill is refused that should have received a part of what a refused group gives."""
        for s in self._exact.plan.spreads:
            if s.source not in self._across.kinds or self._phase[s.target, s.name] != phase:
                continue
            group = self._group(s.source, bill) if not s.target else None
            if group is not None and group.problem is not None:
                shown = "/".join(str(k) for k in group.order)
                message = f"group {s.source} {shown} is refused ({group.problem.code}: {group.problem.message})"
                return Problem("RX809", s.source, shown, message)
        return None

    def _group(self, kind: str, bill: Frame) -> Frame | None:
        """The group that a bill belongs to, through groups of groups too."""
        of = self._across.kinds[kind].of
        member = self._group(of, bill) if of else bill
        return None if member is None else self._across.own(kind, member)
