"""What an amount of a bill was computed from, as it went: the steps behind it and the fields that were read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rxcalc.bill.audit import Audited
from rxcalc.bill.charged import ChargedAmount
from rxcalc.lang.ops import Op
from rxcalc.plan.nodes import Plan, share_name
from rxcalc.tracing.model import Recorder


@dataclass(frozen=True)
class Behind:
    """The steps of the bill behind an amount, the nearest first, and the fields that were read on the way."""

    steps: tuple[str, ...]
    inputs: frozenset[str]


def behind(audited: Audited, amount: ChargedAmount, agreed: Iterable[str] = ()) -> Behind:
    """What an amount of the bill (not of its rows) comes from, by the cases that decided.

    Steps that are `agreed`, and what only they rest on, are not named: both sides have the same amount there. Their
    fields are.
    """
    recorder = audited.computed.recorder
    assert recorder is not None  # noqa: S101 - audits are computed with one
    walk = _Walk(audited.subject.plan, recorder)
    first = walk.goal(amount.of.name)
    known = frozenset(agreed)
    named = walk.steps(first, known)
    walk.steps(first, frozenset())
    return Behind(tuple(n for n in named if n != amount.of.name), frozenset(walk.inputs))


class _Walk:
    def __init__(self, plan: Plan, recorder: Recorder) -> None:
        self.plan = plan
        self.recorder = recorder
        self.own = {s.name: s for s in plan.steps}
        self.traces = {t.name: t for t in recorder.steps}
        self.inputs: set[str] = set()

    def goal(self, name: str) -> list[str]:
        """The steps that an amount reads: itself where it is one, else what its part or all parts of its total read."""
        if name in self.own:
            return [name]
        found: list[str] = []
        for at, partition in enumerate(self.plan.shares):
            for part in partition.parts:
                own = share_name(at, partition.name, part.bearer, part.part)
                if own == name and part.value >= 0:
                    found += self._read([part.value], frozenset())
                elif own == name or (at == 0 and name == f"{part.bearer}_pays"):
                    values = [p.value for p in partition.parts if p.value >= 0] if part.value < 0 else [part.value]
                    found += self._read([*values, partition.of], frozenset())
        return list(dict.fromkeys(found))

    def steps(self, first: Iterable[str], known: frozenset[str]) -> list[str]:
        """All steps behind some, the nearest first; not those behind known ones, which are left out."""
        found: dict[str, None] = {}
        todo = [name for name in first if name not in known]
        while todo:
            name = todo.pop(0)
            if name in found or name not in self.traces:
                continue
            found[name] = None
            clauses = self.own[name].clauses
            decided = self.traces[name].clause
            tried = clauses[: decided + 1]
            roots = [*(c.when for c in tried), clauses[decided].then]
            formulas = [*(c.condition for c in tried), clauses[decided].formula]
            holes = frozenset(p for f in formulas if f is not None for p in f.parts if isinstance(p, int))
            todo += [n for n in self._read(roots, holes) if n not in known]
        return list(found)

    def _read(self, roots: Iterable[int], holes: frozenset[int]) -> list[str]:
        """The steps that formulas read; fields are taken up. A hole that was not evaluated was not read."""
        steps: dict[str, None] = {}
        seen: set[int] = set()
        stack = [r for r in roots if r >= 0]
        while stack:
            at = stack.pop()
            if at in seen or (at in holes and at not in self.recorder.nodes and at not in self.recorder.bands):
                continue
            seen.add(at)
            node = self.plan.nodes[at]
            stack += reversed(node.args)
            if node.op is Op.INPUT and not node.level:
                self.inputs.add(str(node.data))
            elif node.op is Op.STEP and not node.level:
                steps[str(node.data)] = None
        return list(steps)
