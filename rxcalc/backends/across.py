"""The groups that go across bills, as the rows of one bill read them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Any, TypeAlias, cast

from rxcalc.backends.base import Outcome, Problem
from rxcalc.backends.exact import Exact, Windows
from rxcalc.backends.exact_ops import Refused
from rxcalc.backends.frames import Frame
from rxcalc.backends.history import History
from rxcalc.lang.ops import Op
from rxcalc.plan.nodes import Plan, Value, evaluation_order
from rxcalc.tracing.model import Recorder

Keys: TypeAlias = "tuple[Value, ...]"


class _GivenSteps(dict[str, Value]):
    """What is given of a group with the episode; reading what is not refuses the reader."""

    def __init__(self, kind: str, values: Mapping[str, Value]) -> None:
        super().__init__(values)
        self.kind = kind

    def __missing__(self, name: str) -> Value:
        message = f"the result `{name}` of group `{self.kind}` is read, but not among those given; give it too"
        raise Refused(Problem("RX821", f"{self.kind}.{name}", "", message))


class PartsNotGiven(dict[str, Value]):
    """The results of a row whose part of a given group cannot be known; reading that part refuses the row."""

    def __init__(self, kind: str, name: str, values: dict[str, Value]) -> None:
        super().__init__(values)
        before: dict[str, str] = values.kinds if isinstance(values, PartsNotGiven) else {}
        self.kinds: dict[str, str] = {**before, name: kind}

    def __missing__(self, name: str) -> Value:
        kind = self.kinds.get(name)
        if kind is None:
            raise KeyError(name)
        message = (
            f"`{name}` is a part of what group `{kind}` gives to all its members; it takes all of them to divide it, "
            "so it is known only where their episodes are listed"
        )
        raise Refused(Problem("RX821", name, "", message))


class Across:
    """The groups across bills as rows read them."""

    def __init__(self, exact: Exact) -> None:
        self.exact = exact
        self.kinds = {g.name: g for g in exact.plan.groups if not g.inside}
        self.frames: dict[str, dict[Keys, Frame]] = {kind: {} for kind in self.kinds}
        self.given: set[str] = set()
        self.sole: dict[str, Frame] = {}  # of a kind given without keys
        self.of: dict[tuple[str, int], Frame | None] = {}

    def give(self, kind: str, rows: Iterable[Mapping[str, Value]]) -> None:
        """Takes the results of a kind as given."""
        self.given.add(kind)
        g = self.kinds[kind]
        names = {k.name for k in g.keys} | {i.name for i in g.inputs}
        for row in rows:
            known = {i.name: i.default for i in g.inputs if i.optional or i.default is not None}
            inputs = _GivenSteps(kind, known | {n: v for n, v in row.items() if n in names})
            key = tuple(row.get(k.name) for k in g.keys)
            frame = Frame(inputs, date.min, no_window, None, level=kind, order=key)
            frame.steps = _GivenSteps(kind, {n: v for n, v in row.items() if n not in names})
            frame.shares = cast("Any", frame.steps)
            self.frames[kind][key] = frame
            if all(k not in row for k in (key.name for key in g.keys)):
                self.sole[kind] = frame

    def key_of(self, kind: str, member: Frame) -> Keys | None:
        """The keys of the group that a row falls in; None where one is missing."""
        key = tuple(self.exact.thunks[k.node](member) for k in self.kinds[kind].keys)
        return None if None in key else key

    def own(self, kind: str, member: Frame) -> Frame | None:
        """The group that a row is a member of."""
        if kind in self.sole:
            return self.sole[kind]
        if kind in self.given:
            key = self.key_of(kind, member)
            return None if key is None else self.frames[kind].get(key)
        return self.of.get((kind, id(member)))

    def find(self, kind: str, keys: Keys) -> Frame | None:
        """The group with these keys."""
        return self.sole.get(kind) or self.frames[kind].get(keys)


def no_window(call: int, frame: Frame) -> Value:
    """The windows of a row that has none."""
    del call, frame
    return None


def looks_back_later(plan: Plan, inside: Collection[str]) -> bool:
    """Whether window calls of a bill are answered after its own turn.

    That is so in checks, in the keys of groups, in the weights of what groups spread, and with the groups of a loop.
    """
    if not any(c.kind == "window" and c.level in inside for c in plan.calls):
        return False
    if any(block.through and block.through not in inside for block in evaluation_order(plan)):
        return True
    late = [n for c in plan.checks if c.level in inside for n in (c.when, c.amount) if n >= 0]
    late += [key.node for g in plan.groups if g.name not in inside for key in g.keys]
    late += [s.by for s in plan.spreads if s.source not in inside]
    while late:
        node = plan.nodes[late.pop()]
        if node.op is Op.WINDOW:
            return True
        late.extend(node.args)
        if node.op is Op.ROWS:
            call = plan.calls[int(str(node.data))]
            late.extend(n for n in (call.value, call.where) if n >= 0)
    return False


class Phase:
    """The evaluator as a sequence's run sees it while one phase is computed: each bill goes on where it stood."""

    def __init__(self, exact: Exact, bills: Mapping[int, Frame], phase: int) -> None:
        self.plan, self.thunks = exact.plan, exact.thunks
        self._exact, self._bills, self._phase = exact, bills, phase
        self._keeps = looks_back_later(exact.plan, exact.inside)

    def run(
        self, inputs: Mapping[str, Value], windows: Windows | None = None, recorder: Recorder | None = None
    ) -> Outcome:
        """What has been computed of a bill after this phase."""
        del recorder  # the bill has its own
        bill = self._bills[id(inputs)]
        if self._keeps and isinstance(windows, History):
            windows.freeze()
        if self._phase < len(self._exact.phases):
            self._exact.advance(bill, self._phase, windows)
        return self._exact.outcome(bill, checked=False)


def pass_on(frames: Sequence[Frame]) -> bool:
    """Refuses the bills and groups that have read, or received of, a refused group; whether there was any."""
    anybody = False
    again = True
    while again:
        again = False
        for frame in frames:
            refused = [g for g in frame.touched if g.problem is not None] if frame.problem is None else []
            if refused:
                group = min(refused, key=lambda g: (g.level, g.place))
                shown = "/".join(str(k) for k in group.order)
                why = f"{group.problem.code}: {group.problem.message}" if group.problem is not None else ""
                frame.problem = Problem("RX809", group.level, shown, f"group {group.level} {shown} is refused ({why})")
                anybody = again = True
    return anybody
