"""Groups across bills on the exact back end: a whole set of episodes, phase by phase, with their groups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from fractions import Fraction
from typing import Any, cast

from rxcalc.backends.across import Across, Keys, PartsNotGiven, Phase, no_window, pass_on
from rxcalc.backends.base import GroupOutcome, Problem, Ran, Row
from rxcalc.backends.exact import Exact, in_row
from rxcalc.backends.exact_ops import Refused
from rxcalc.backends.exact_rows import above_runs, rows_below
from rxcalc.backends.frames import Frame, sortable
from rxcalc.backends.group_traces import trace_groups
from rxcalc.backends.history import LookBack, Opening, Past, run_person
from rxcalc.backends.recorded import as_far_as_read, as_recorded
from rxcalc.backends.reversals import negated
from rxcalc.plan.nodes import PlanBlock, PlanGroup, Value, evaluation_order
from rxcalc.tracing.model import Recorder


@dataclass
class Together:
    """What became of a set of episodes and of the groups that go across them."""

    ran: list[Ran]
    groups: list[GroupOutcome]
    recorders: Mapping[tuple[str, Keys], Recorder] = field(default_factory=dict)
    unplaced: Mapping[str, int] = field(default_factory=dict)  # by kind: refused members of nobody knows which group


def run_all(
    exact: Exact,
    rows: Sequence[Row],
    group_inputs: Mapping[str, Sequence[Mapping[str, Value]]],
    *,
    given: Mapping[str, Sequence[Mapping[str, Value]]] | None = None,
    compute: bool = False,
    openings: Mapping[Value, Opening] | None = None,
    recorders: Mapping[int, Recorder] | None = None,
    assumed: set[str] | None = None,
) -> Together:
    """Runs all episodes and all groups.

    Args:
        exact: the evaluator.
        rows: the episodes, in any order; rows refused before are marked so.
        group_inputs: by kind, one map of keys and inputs for each row of its file.
        given: results of groups by kind, which are then not computed: maps of keys (left out when there
            is one group only), inputs and steps.
        compute: rows that could read a refused one are computed all the same, and marked.
        openings: opening amounts by the value of `sequence.by`.
        recorders: by the number of the row, to explain it.
        assumed: takes up the window calls that an opening could have given and did not.

    Returns:
        One `Ran` a row, in the order given, and all groups, kind by kind, in the order of their keys.
    """
    return _Run(exact, rows, group_inputs, given or {}, openings or {}, recorders or {}, assumed, compute=compute).run()


class _Run:
    def __init__(
        self, exact: Exact, rows: Sequence[Row], group_inputs: Mapping[str, Sequence[Mapping[str, Value]]],
        given: Mapping[str, Sequence[Mapping[str, Value]]], openings: Mapping[Value, Opening], recorders: Mapping[int, Recorder],
        assumed: set[str] | None, *, compute: bool,
    ) -> None:  # fmt: skip
        self.exact, self.plan = exact, exact.plan
        self.rows = rows
        self.compute = compute
        self.openings, self.assumed = openings, assumed
        self.across = Across(exact)
        for kind, results in given.items():
            self.across.give(kind, results)
        self.group_inputs = group_inputs
        self.is_recording = bool(recorders)
        self.recorders: dict[tuple[str, Keys], Recorder] = {}
        self.bills: dict[int, Frame] = {}  # by identity of the inputs
        for row in rows:
            if row.recorded is not None:
                self.bills[id(row.inputs)] = as_recorded(self.plan, row.inputs, row.recorded)
            elif not row.refused and not row.unplaced:
                self.bills[id(row.inputs)] = exact.begin(row.inputs, recorders.get(row.number), self.across)
        self.ran: dict[int, Ran] = {}
        self.left_out: set[int] = set()  # rows outside all groups: reversals and what they reverse
        self.originals: dict[Value, Frame] = {}  # what is reversed: it reads its groups, but does not count in them
        self.formed: set[str] = set()
        self.unplaced: dict[str, int] = {}

    def run(self) -> Together:
        for phase in range(len(self.exact.phases)):
            self._bills(phase)
            if phase == 0:
                self._reversed()
            for block in evaluation_order(self.plan):
                if block.phase == phase:
                    self._leave_out_refused()
                    self._block(block)
            self._pass_on()
        while self._pass_on():
            self._bills(len(self.exact.phases))  # later episodes that could read those refused just now
        self._count_refused()
        return Together(
            [self._settled(row) for row in self.rows], list(self._outcomes()), self.recorders, self.unplaced
        )

    # ---- bills ----

    def _bills(self, phase: int) -> None:
        runner = cast("Exact", Phase(self.exact, self.bills, phase))
        for person in self._persons():
            now = [self._as_refused(row) for row in person]
            opening = None
            if self.plan.sequence is not None and person:
                opening = self.openings.get(person[0].inputs.get(self.plan.sequence.by))
            for row, ran in zip(
                person,
                run_person(runner, now, compute=self.compute, opening=opening, assumed=self.assumed),
                strict=True,
            ):
                before = self.ran.get(row.number)
                if before is not None and (
                    ran.outcome is None or (before.outcome is not None and before.outcome.problem)
                ):
                    continue
                self.ran[row.number] = replace(ran, row=row, after=ran.after or (before is not None and before.after))
                bill = self.bills.get(id(row.inputs))
                if bill is not None and ran.outcome is not None and ran.outcome.problem is not None:
                    bill.problem = bill.problem or ran.outcome.problem

    def _persons(self) -> Iterator[list[Row]]:
        sequence = self.plan.sequence
        if sequence is None:
            yield from ([row] for row in self.rows)
            return
        found: dict[Value, list[Row]] = {}
        for row in self.rows:
            found.setdefault(row.inputs.get(sequence.by), []).append(row)
        for rows in found.values():
            yield sorted(rows, key=lambda r: _place([r.inputs.get(n) for n in sequence.order]))

    def _as_refused(self, row: Row) -> Row:
        """A row that was refused in an earlier phase stays refused."""
        bill, ran = self.bills.get(id(row.inputs)), self.ran.get(row.number)
        if bill is None or ran is None:
            return row
        # A reversal is never computed by itself: what became of it, its sequence has said.
        outcome = ran.outcome
        problem = outcome.problem if outcome is not None and outcome.reverses else bill.problem
        return row if problem is None else replace(row, refused=True)

    def _reversed(self) -> None:
        name = self.plan.sequence.reverses if self.plan.sequence is not None else ""
        if not name:
            return
        ids: set[Value] = set()
        for row in self.rows:
            outcome = self.ran[row.number].outcome if row.number in self.ran else None
            if row.inputs.get(name) is not None and outcome is not None and outcome.problem is None:
                ids.add(row.inputs[name])
                self.left_out.add(row.number)
        for row in self.rows:
            if row.inputs.get("episode_id") in ids:
                self.left_out.add(row.number)
                if row.recorded is None and id(row.inputs) in self.bills:
                    self.originals[row.inputs["episode_id"]] = self.bills[id(row.inputs)]

    def _settled(self, row: Row) -> Ran:
        ran = self.ran.get(row.number) or Ran(row, None)
        bill = self.bills.get(id(row.inputs))
        if bill is None or ran.outcome is None or row.recorded is not None:
            return ran
        if ran.outcome.reverses:
            original = self.originals.get(ran.outcome.reverses)
            found = self.exact.outcome(original) if original is not None else None
            whole = negated(found, row.inputs, ran.outcome.reverses) if found is not None else ran.outcome
            return ran if ran.outcome.problem is not None else replace(ran, outcome=whole)
        outcome = self.exact.outcome(bill)
        trace_groups(self.exact, bill, frozenset(self.across.given))
        return replace(ran, outcome=replace(outcome, problem=ran.outcome.problem or outcome.problem))

    # ---- groups ----

    def _block(self, block: PlanBlock) -> None:
        items = [(level, name) for level, name in block.items if (level, name) not in self.exact.lazy]
        if block.through and block.through not in self.exact.inside and block.through not in self.across.given:
            self._loop(block.through, items)
            return
        for level, name in items:
            if self.exact.is_inside(level, name):
                if block.through and block.through not in self.exact.inside:
                    self._in_bills(level, name)  # reads groups that are given, hence in no order
                continue
            source = self.exact.acts_on(level, name) if name != "members:" else level
            if source in self.across.given:
                if (level, name) in self.exact.spreads:
                    self._not_given(source, level, name)
                continue
            if name == "members:":
                self._form(self.across.kinds[level])
            else:
                act = self.exact.action(level, name)
                for frames in self._sequences(source):
                    self._in_order(source, frames, [(source, act, level)])
                if source != level:
                    self._refuse_members(source, level)
                    for row in self._members(level):
                        if row.root.problem is None:
                            row.steps.setdefault(name, None)  # in no such group: there is nobody to give it
                    for bill in self.originals.values() if not level else ():
                        bill.steps.setdefault(name, self._part_of_none(source, bill))

    def _in_bills(self, level: str, name: str) -> None:
        act = self.exact.action(level, name)
        for bill in self.bills.values():
            if bill.problem is None:
                _on_bill(bill, self.exact.acts_on(level, name), act)

    def _not_given(self, kind: str, level: str, name: str) -> None:
        """A part of what a given group gives cannot be known: it takes all members to divide it. Who reads it is refused."""
        for row in self._members(level):
            row.steps = PartsNotGiven(kind, name, row.steps)

    def _loop(self, kind: str, items: Sequence[tuple[str, str]]) -> None:
        """Items that read earlier groups: group after group, each with its members; then the rows of no group."""
        runs = above_runs(self.plan, items)
        acts = [(self.exact.acts_on(*run[0]), self._all_of(run), run[0][0]) for run in runs]
        for frames in self._sequences(kind):
            self._in_order(kind, frames, acts)
        placed = {id(b) for frame in self.across.frames[kind].values() for b in self._bills_of(frame)}
        for bill in [b for b in self.bills.values() if id(b) not in placed]:
            for ((level, name), *_), (acts_on, act, _) in zip(runs, acts, strict=True):
                if bill.problem is None and acts_on not in self.across.kinds:
                    _on_bill(bill, acts_on, act)
                elif bill.problem is None and (level, name) in self.exact.spreads and not level:
                    bill.steps[name] = self._part_of_none(acts_on, bill)

    def _part_of_none(self, source: str, bill: Frame) -> Fraction | None:
        """What a spread gives to a bill that does not count in its group: nothing, and where it is in none there is nobody to give."""
        return Fraction(0) if self.across.own(source, bill) is not None else None

    def _is_read_later(self, kind: str) -> bool:
        """Whether something of a kind's groups is evaluated after their turn: checks, weights, keys of groups of them."""
        readers = [c.level for c in self.plan.checks] + [s.target for s in self.plan.spreads]
        return kind in readers or any(g.of == kind for g in self.plan.groups)

    def _all_of(self, run: Sequence[tuple[str, str]]) -> Any:
        acts = [self.exact.action(*item) for item in run]
        return acts[0] if len(acts) == 1 else lambda row: [act(row) for act in acts]

    def _in_order(self, kind: str, frames: Sequence[Frame], items: Sequence[tuple[str, Any, str]]) -> None:
        look = LookBack(self.exact, kind)
        for at, frame in enumerate(frames):
            name = "/".join(str(o) for o in frame.order)
            turn = look.turn(at, name, frame.inputs)
            if turn.found is not None and frame.problem is None:
                message = f"group `{turn.found[1]}` comes earlier in window `{turn.found[0]}` and was refused"
                frame.problem = Problem("RX811", turn.found[0], turn.found[1], message)
            windows = look.windows(turn)
            if self._is_read_later(kind):
                windows.freeze()
            frame.window = windows.value
            for acts_on, act, level in items:
                self._act(acts_on, act, kind, frame)
                if acts_on == kind and level != kind and frame.problem is not None:
                    self._refuse_receivers(kind, frame, level)
            look.settled(turn, None if frame.problem is not None else Past(name, frame.values()))

    def _act(self, level: str, act: Any, kind: str, frame: Frame) -> None:
        if level == kind or level in self.across.kinds:
            for group in [frame] if level == kind else rows_below(frame, level):
                try:
                    if group.problem is None:
                        act(group)
                        group.counted = sum(len(rows) for rows in group.rows.values())
                except Refused as refused:
                    group.problem = refused.problem
            if level != kind:
                _leave_out(frame)
            return
        for bill in [m for m in self._bills_of(frame) if m.problem is None]:
            _on_bill(bill, level, act)
        _leave_out(frame)

    def _bills_of(self, frame: Frame) -> list[Frame]:
        """The bills that belong to a group, through groups of groups too."""
        found: list[Frame] = []
        for level, rows in frame.rows.items():
            found += (
                [b for m in rows for b in self._bills_of(m)] if level in self.across.kinds else [m.root for m in rows]
            )
        return found

    def _form(self, g: PlanGroup) -> None:
        """The groups of a kind: of the rows of its file and of the members that are not refused."""
        names = [k.name for k in g.keys]
        for row in self.group_inputs.get(g.name, ()):
            self._frame(g, tuple(row[n] for n in names), row)
        refused: list[Keys] = []
        for member in self._members(g.of):
            problem = member.root.problem if g.of in self.exact.inside else member.problem
            try:
                key = self.across.key_of(g.name, member)
            except (Refused, KeyError, TypeError) as error:
                if isinstance(error, Refused) and problem is None:
                    member.root.problem = error.problem
                continue
            if key is None:
                continue
            if problem is not None:
                refused.append(key)
                continue
            frame = self.across.frames[g.name].get(key) or self._frame(g, key, {})
            frame.rows.setdefault(g.of, []).append(member)
            self.across.of[g.name, id(member)] = frame
        for member in self.originals.values() if not g.of else ():
            try:
                key = None if member.problem is not None else self.across.key_of(g.name, member)
            except Refused as refused_:
                key, member.problem = None, refused_.problem
            if key is not None:
                frame = self.across.frames[g.name].get(key) or self._frame(g, key, {})
                self.across.of[g.name, id(member)] = frame
        for member in self._unread(g.of):
            try:
                key = self.across.key_of(g.name, member)
            except (Refused, KeyError, TypeError, AttributeError, ValueError):
                key = None  # a field that the key reads cannot be read
            if key is not None:
                refused.append(key)
            else:
                self.unplaced[g.name] = self.unplaced.get(g.name, 0) + 1
        for key in refused:
            if key in self.across.frames[g.name]:
                self.across.frames[g.name][key].rejected += 1
        ordered = sorted(self.across.frames[g.name].items(), key=lambda item: sortable(item[0]))
        self.across.frames[g.name] = dict(ordered)
        self.formed.add(g.name)

    def _frame(self, g: PlanGroup, key: Keys, row: Mapping[str, Value]) -> Frame:
        inputs: dict[str, Value] = dict(zip((k.name for k in g.keys), key, strict=True))
        lacking = []
        for i in g.inputs:
            value = row.get(i.name)
            inputs[i.name] = i.default if value is None else value
            if inputs[i.name] is None and not i.optional:
                lacking.append(i.name)
        recorder = Recorder() if self.is_recording else None
        frame = Frame(inputs, date.min, no_window, recorder, level=g.name, order=key)
        frame.groups = self.across
        frame.rows[g.of] = []
        if recorder is not None:
            self.recorders[g.name, key] = recorder
        shown = "/".join(str(k) for k in key)
        try:
            if lacking:
                message = (
                    f"group {g.name} {shown} has no {', '.join(lacking)}; give a row for it in the file of `{g.name}`"
                )
                frame.problem = Problem("RX822", lacking[0], shown, message)
            elif g.effective >= 0:
                frame.on = self.exact.thunks[g.effective](frame)
        except Refused as refused_:
            frame.problem = refused_.problem
        self.across.frames[g.name][key] = frame
        return frame

    def _members(self, level: str) -> Iterator[Frame]:
        if level in self.across.kinds:
            yield from self.across.frames[level].values()
            return
        bills = [
            self.bills[id(r.inputs)] for r in self.rows if id(r.inputs) in self.bills and r.number not in self.left_out
        ]
        for bill in sorted(bills, key=lambda b: b.place):
            yield from [bill] if not level else bill.rows.get(level, ())

    def _unread(self, level: str) -> Iterator[Frame]:
        """The rows of a level that were refused as they were read, with what can be read of them."""
        reverses = self.plan.sequence.reverses if self.plan.sequence is not None else ""
        for row in self.rows if level not in self.across.kinds else ():
            if id(row.inputs) not in self.bills and row.inputs.get(reverses) is None:
                yield from as_far_as_read(row.inputs, level)

    def _sequences(self, kind: str) -> Iterator[list[Frame]]:
        """The groups of a kind in the order in which they look back."""
        g = self.across.kinds[kind]
        frames = list(self.across.frames[kind].values())
        if g.sequence is None:
            yield from ([f] for f in frames)
            return
        found: dict[Value, list[Frame]] = {}
        for f in frames:
            found.setdefault(f.inputs[g.sequence.by], []).append(f)
        for same in found.values():
            yield sorted(same, key=lambda f: sortable(tuple(f.inputs[n] for n in g.sequence.order)))  # type: ignore[union-attr]  # not None here

    def _refuse_members(self, kind: str, level: str) -> None:
        """Members that should have received a part from a refused group are refused."""
        for frame in self.across.frames[kind].values():
            if frame.problem is not None:
                self._refuse_receivers(kind, frame, level)

    def _refuse_receivers(self, kind: str, frame: Frame, level: str) -> None:
        if frame.problem is not None:
            shown = "/".join(str(k) for k in frame.order)
            message = f"group {kind} {shown} is refused ({frame.problem.code}: {frame.problem.message})"
            for m in rows_below(frame, level):
                m.root.problem = m.root.problem or Problem("RX809", kind, shown, message)

    def _leave_out_refused(self) -> None:
        """Members refused by now are outside what is computed of their groups from here on."""
        for frames in self.across.frames.values():
            for frame in frames.values():
                _leave_out(frame)

    def _pass_on(self) -> bool:
        """Refuses whoever has read, or received of, a group that is refused; whether there was anybody."""
        return pass_on([*self.bills.values(), *(f for found in self.across.frames.values() for f in found.values())])

    def _count_refused(self) -> None:
        """Members refused after their group was computed stay in its amounts; the group is marked."""
        for frames in self.across.frames.values():
            for frame in frames.values():
                frame.rejected += sum(1 for rows in frame.rows.values() for m in rows if m.root.problem is not None)

    def _outcomes(self) -> Iterator[GroupOutcome]:
        for kind, frames in self.across.frames.items():
            if kind in self.across.given:
                continue
            checks = [(n, c) for n, c in enumerate(self.plan.checks) if c.level == kind]
            for frame in frames.values():
                findings = (
                    []
                    if frame.problem is not None
                    else [f for n, c in checks for f in self.exact.findings_of(n, c, [frame])]
                )
                members = frame.counted if frame.counted >= 0 else sum(len(rows) for rows in frame.rows.values())
                yield GroupOutcome(
                    kind,
                    frame.inputs,
                    frame.steps,
                    frame.shares,
                    frame.problem,
                    members,
                    frame.rejected,
                    tuple(findings),
                )


def _place(order: Sequence[Value]) -> tuple[Any, ...]:
    """Where a row stands in its sequence; rows of which a field is missing come first."""
    return all(v is not None for v in order), [(v is not None, v if v is not None else 0) for v in order]


def _leave_out(group: Frame) -> None:
    for of, rows in group.rows.items():
        group.rejected += sum(1 for m in rows if m.root.problem is not None)
        group.rows[of] = [m for m in rows if m.root.problem is None]


def _on_bill(bill: Frame, level: str, act: Any) -> None:
    """Acts on a bill or on its rows; one that is refused takes the bill with it."""
    try:
        for row in [bill] if not level else bill.rows.get(level, ()):
            in_row(row, act) if level else act(row)
    except Refused as refused:
        bill.problem = refused.problem
