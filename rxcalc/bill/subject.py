"""One bill made ready to be computed, as it is and again with something changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from rxcalc.backends.base import Outcome, Ran, Row
from rxcalc.backends.exact import Exact
from rxcalc.backends.exact_groups import run_all
from rxcalc.backends.history import Opening
from rxcalc.diagnostics.model import Diagnostic, Label, Severity, Sink
from rxcalc.inputs import problems
from rxcalc.inputs.cells import CellProblem
from rxcalc.inputs.episodes import EpisodeEntry, Fields
from rxcalc.inputs.groups import GivenGroups, read_groups
from rxcalc.inputs.openings import openings
from rxcalc.inputs.records import Record, RecordReader
from rxcalc.passes.sequence import instance_key
from rxcalc.plan.nodes import Plan, Value
from rxcalc.source import NOWHERE, Span
from rxcalc.tracing.model import Recorder


@dataclass(frozen=True)
class Subject:
    """The episodes of an entry, checked: the first `earlier` ones come before the bill, which is the last.

    `openings` are opening amounts by window call. Nothing in it is ever changed: the `with_..` methods give another
    subject, and share the evaluator as long as the plan is the same.
    """

    plan: Plan
    records: tuple[Record, ...]
    earlier: int
    openings: Mapping[str, Value]
    groups: GivenGroups
    _exact: dict[bool, Exact] = field(default_factory=dict, repr=False, compare=False)  # by whether it records

    @property
    def bill(self) -> Mapping[str, Value]:
        """The values of the bill's inputs, lists as tuples of rows under their names."""
        return self.records[-1].values

    @property
    def before(self) -> tuple[Mapping[str, Value], ...]:
        """The values of the episodes before the bill."""
        return tuple(record.values for record in self.records[:-1])

    def with_values(self, changes: Mapping[str, Value]) -> Subject:
        """The same bill with other values of inputs; nothing is checked against their declarations.

        Opening amounts of a year (or quarter, month) end with it: a bill moved into another one begins at nothing.
        """
        last = self.records[-1]
        changed = Record(MappingProxyType({**last.values, **changes}), last.defaulted)
        return replace(self, records=(*self.records[:-1], changed), openings=still_open(self, changed.values))

    def with_rows(self, name: str, rows: Sequence[Mapping[str, Value]]) -> Subject:
        """The same bill with other rows of a list."""
        return self.with_values({name: tuple(rows)})

    def rows(self, name: str) -> tuple[Mapping[str, Value], ...]:
        """The rows of a list of the bill."""
        return tuple(self.bill[name] or ())  # type: ignore[arg-type] # a list stands among the values

    def without_earlier(self, at: int) -> Subject:
        """The same bill with one episode before it left out."""
        records = (*self.records[:at], *self.records[at + 1 :])
        return replace(self, records=records, earlier=self.earlier - (at < self.earlier))

    def with_openings(self, changes: Mapping[str, Value]) -> Subject:
        """The same bill with other opening amounts."""
        return replace(self, openings={**self.openings, **changes})

    def with_plan(self, plan: Plan) -> Subject:
        """The same bill under another plan that declares the same inputs, lists and groups."""
        return replace(self, plan=plan, _exact={})

    def exact(self, *, recording: bool = False) -> Exact:
        """The evaluator of the plan; one that records is another one."""
        if recording not in self._exact:
            self._exact[recording] = Exact(self.plan, recording=recording)
        return self._exact[recording]


def still_open(subject: Subject, values: Mapping[str, Value]) -> Mapping[str, Value]:
    """The opening amounts that hold for a bill with other values: those of a civil window only within the same one.

    They are the state before the first episode listed, so with episodes before the bill nothing changes. Spells and periods
    are formed by the episodes themselves: what is given for them stays.
    """
    if len(subject.records) > 1 or not subject.openings:
        return subject.openings
    ended = {
        f"{w.name}."
        for w in subject.plan.windows
        if w.calendar and instance_key(w, subject.bill) != instance_key(w, values)
    }
    return {call: value for call, value in subject.openings.items() if not call.startswith(tuple(ended))}


@dataclass(frozen=True)
class Computed:
    """What became of a bill; `recorder` is there where it was asked for. `all` are the episodes before it too."""

    outcome: Outcome
    recorder: Recorder | None
    all: tuple[Ran, ...]
    recorders: Mapping[int, Recorder]


def compute(subject: Subject, *, recording: bool = False) -> Computed:
    """Computes the episodes before the bill, then the bill. Its amounts are the same with and without recording."""
    plan, records = subject.plan, subject.records
    recorders = {at: Recorder() for at in range(len(records))} if recording else {}
    rows = [Row(at, str(record.values["episode_id"]), record.values) for at, record in enumerate(records)]
    opening = Opening(subject.openings, single=len(records) == 1)
    owners = {record.values[plan.sequence.by] for record in records} if plan.sequence is not None else ()
    together = run_all(
        subject.exact(recording=recording),
        rows,
        subject.groups.inputs,
        given=subject.groups.results,
        openings=dict.fromkeys(owners, opening),
        recorders=recorders,
    )
    last = together.ran[-1].outcome
    assert last is not None  # noqa: S101 - no row was refused before
    return Computed(last, recorders.get(len(records) - 1), tuple(together.ran), recorders)


def read_subject(
    plan: Plan, entry: EpisodeEntry, sink: Sink, overrides: Mapping[str, str] | None = None
) -> Subject | None:
    """The episodes of an entry checked against a plan, in the order given; None when anything is wrong (in the sink).

    `overrides` are values of the last episode that replace those in the file.
    """
    given = all_fields(entry, overrides)
    reader = RecordReader(plan)
    read = [read_record(reader, plan, fields, sink) for fields in given]
    opening_values = openings(entry, plan, sink)
    if any(record is None for record in read):
        return None
    records = [record for record in read if record is not None]
    groups = read_groups(entry, plan, sink)
    for at, name, message, help_ in misplaced(plan, records, len(entry.earlier), several=entry.several):
        sink.add(problems.not_earlier(given[at].place(name), message, help_))
    if sink.has_errors:
        return None
    return Subject(plan, tuple(records), len(entry.earlier), opening_values, groups)


def all_fields(entry: EpisodeEntry, overrides: Mapping[str, str] | None = None) -> list[Fields]:
    """The fields of all episodes of an entry, the earlier ones first; `overrides` replace values of the last."""
    given = [*entry.earlier, *(fields for fields, _ in entry.episodes)]
    if overrides:
        last = given[-1]
        spans = {name: span for name, span in last.spans.items() if name not in overrides}
        given[-1] = replace(
            last, values={**last.values, **overrides}, spans={**spans, **dict.fromkeys(overrides, NOWHERE)}
        )
    return given


def read_record(reader: RecordReader, plan: Plan, fields: Fields, sink: Sink) -> Record | None:
    """The checked values of one episode; None when anything is wrong (in the sink)."""
    for span, name in fields.misplaced_lists(plan):
        sink.add(problems.not_one_value(span, name))
    read = reader.read(fields.given())
    if isinstance(read, Record):
        return read
    for problem in read:
        sink.add(cell_diagnostic(problem, fields))
    return None


def cell_diagnostic(problem: CellProblem, fields: Fields) -> Diagnostic:
    """A cell's problem at its place in the episode file."""
    span: Span = fields.place(problem.field, problem.row, of_key=problem.code == "RX745")
    return Diagnostic(code=problem.code, severity=Severity.ERROR, message=problem.message, primary=Label(span=span))


def misplaced(
    plan: Plan, records: Sequence[Record], earlier: int, *, several: bool = False
) -> list[tuple[int, str, str, str]]:
    """Listed episodes that are not one sequence in which the first `earlier` ones come first; of `several` sequences each.

    Each as its index, the field that shows it, what is wrong, and what to do.
    """
    found: list[tuple[int, str, str, str]] = []
    seen: set[Value] = set()
    for at, record in enumerate(records):
        episode_id = record.values["episode_id"]
        if episode_id in seen:
            found.append(
                (at, "episode_id", f"the id `{episode_id}` is given to two episodes", "give each bill its own id")
            )
        seen.add(episode_id)
    sequence = plan.sequence
    if sequence is None:
        return found
    bill = records[-1].values[sequence.by]
    first: dict[Value, tuple[Value, ...]] = {}
    for record in records[earlier:]:
        own = record.values[sequence.by]
        if several or own == bill:
            first[own] = min(first.get(own, _place(plan, record)), _place(plan, record))
    for at, record in enumerate(records):
        own = record.values[sequence.by]
        if own not in first:
            message = f"this episode belongs to {sequence.by} `{own}`, the bill to `{bill}`"
            found.append((at, sequence.by, message, "list only episodes of the same one, or correct the field"))
        elif at < earlier and _place(plan, record) >= first[own]:
            told = f"episodes are taken by {', '.join(sequence.order)}"
            found.append((at, sequence.order[0], "this episode does not come before the bill", told))
    return found


def _place(plan: Plan, record: Record) -> tuple[Value, ...]:
    assert plan.sequence is not None  # noqa: S101 - asked only then
    return tuple(record.values[name] for name in plan.sequence.order)
