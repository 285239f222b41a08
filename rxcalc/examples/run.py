"""Examples run on the exact back end and held to what they expect."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction

from rxcalc.backends.base import Finding, GroupOutcome, Outcome, Problem, Row
from rxcalc.backends.exact import Exact
from rxcalc.backends.exact_groups import Together, run_all
from rxcalc.backends.history import Opening, run_person
from rxcalc.backends.watched import WatchedExact
from rxcalc.diagnostics.model import Sink
from rxcalc.examples.compare import Comparer, Order
from rxcalc.examples.difference import Difference
from rxcalc.inputs import problems
from rxcalc.inputs.cells import CellProblem
from rxcalc.inputs.episodes import EpisodeEntry, Expectation, Fields
from rxcalc.inputs.groups import GivenGroups, read_groups
from rxcalc.inputs.openings import openings
from rxcalc.inputs.records import Record, RecordReader
from rxcalc.passes.sequence import placing_fields
from rxcalc.plan.figures import figure
from rxcalc.plan.nodes import Plan, PlanInput, PlanTrend, Value
from rxcalc.tracing.hits import CheckFound, Hit
from rxcalc.tracing.model import Recorder


@dataclass(frozen=True, slots=True)
class ExampleResult:
    """How one example went. `differences` stand in the order of the bill; the first is where to look."""

    file: str
    line: int
    name: str
    by: str
    differences: tuple[Difference, ...]
    checked: int

    @property
    def passed(self) -> bool:
        """Whether everything expected came out."""
        return not self.differences


class ExampleRunner:
    """Runs the examples of one rulebook.

    With `watching`, `used` takes up what each episode, and each group across bills, used of the rulebook, and `nodes` those
    whose values an evaluator that records them (`exact`) left behind. `order` is the one in which differences are told (evaluation order where none is given).
    """

    def __init__(
        self, plan: Plan, *, watching: bool = False, order: Order | None = None, exact: Exact | None = None
    ) -> None:
        self.plan = plan
        self.exact = exact or (WatchedExact(plan) if watching else Exact(plan))
        self.watching = watching
        self.used: list[frozenset[Hit]] = []
        self.nodes: list[frozenset[int]] = []
        self.reader = RecordReader(plan)
        self.placing = placing_fields(plan)
        self.compare = Comparer(plan, order)

    def run(self, entry: EpisodeEntry, sink: Sink) -> ExampleResult:
        """The result of one example; mistakes in the example file itself go to the sink."""
        file = sink.files.get(entry.span.file)
        line = file.position(entry.span.start)[0] if file else 0
        opening = openings(entry, self.plan, sink)
        differences: list[Difference] = []
        checked = 0
        expected: list[tuple[Fields, Expectation | None]] = [*((f, None) for f in entry.earlier), *entry.episodes]
        for fields, _ in expected:
            for span, name in fields.misplaced_lists(self.plan):
                sink.add(problems.not_one_value(span, name))
        readings = [self.reader.read(fields.given()) for fields, _ in expected]
        unread = {at: read[0] for at, read in enumerate(readings) if isinstance(read, tuple)}
        groups = read_groups(entry, self.plan, sink)
        outcomes, formed = self._outcomes(readings, [fields for fields, _ in expected], opening, groups)
        for at, (_, expectation) in enumerate(expected):
            if expectation is None:
                if at >= len(entry.earlier) or at in unread or outcomes[at].problem is None:
                    continue
                problem = outcomes[at].problem
                differences.append(
                    Difference("earlier", "a result", f"refused {problem.code}: {problem.message}" if problem else "")
                )
                continue
            found, count = self._compare(expectation, outcomes.get(at), unread.get(at), sink)
            across, more = self.compare.of_groups(expectation, formed, groups.results, sink)
            differences += [replace(difference, episode=at) for difference in (*found, *across)]
            checked += count + more
        if entry.expect is not None:
            found, count = self.compare.of_groups(entry.expect, formed, groups.results, sink)
            differences += found
            checked += count
        if not checked and not differences:
            differences.append(Difference("expect", "something to compare", "the example expects nothing"))
        return ExampleResult(entry.span.file, line, entry.name, entry.by, tuple(differences), checked)

    def trends(self, entries: Sequence[EpisodeEntry]) -> list[Difference]:
        """Where an `increasing` or `within` guarantee fails near an example: its input is moved up in several strides."""
        found: list[Difference] = []
        for trend in self.plan.trends:
            for entry in entries:
                if entry.earlier or entry.so_far or len(entry.episodes) != 1:
                    continue
                read = self.reader.read(entry.episodes[0][0].given())
                if isinstance(read, tuple):
                    continue
                broken = self._trend(trend, read.values)
                if broken is not None:
                    found.append(replace(broken, name=f"{broken.name} (near example `{entry.name}`)"))
                    break
        return found

    # ---- one example ----

    def _outcomes(
        self,
        readings: list[Record | tuple[CellProblem, ...]],
        fields: list[Fields],
        opening: Mapping[str, Value],
        groups: GivenGroups,
    ) -> tuple[dict[int, Outcome], list[GroupOutcome]]:
        """The outcome of each readable episode, and of all groups; the unreadable ones take later episodes with them."""
        people: dict[Value, list[Row]] = {}
        sequence = self.plan.sequence
        given = [
            read.values if isinstance(read, Record) else self.reader.readable(fields[at].given())
            for at, read in enumerate(readings)
        ]
        result = _doubled(self.plan, given)
        for at, (read, values) in enumerate(zip(readings, given, strict=True)):
            refused = not isinstance(read, Record) or at in result
            if sequence is None:
                people[at] = [Row(at, str(at), values, refused=refused)]
            elif sequence.by in values:
                name = str(values.get("episode_id", f"number {at + 1}"))
                unplaced = refused and not self.placing <= values.keys()
                people.setdefault(values[sequence.by], []).append(
                    Row(at, name, values, refused=refused, unplaced=unplaced)
                )
        so_far = Opening(opening, single=len(readings) == 1)
        # A row whose place is not known stands first: any later one could read it.
        ordered = [sorted(rows, key=self._place) for rows in people.values()]
        rows = [row for own in ordered for row in own]
        recorders = {row.number: Recorder() for row in rows} if self.watching else {}
        if any(not group.inside for group in self.plan.groups):
            together = run_all(
                self.exact,
                rows,
                groups.inputs,
                given=groups.results,
                openings=dict.fromkeys(people, so_far),
                recorders=recorders,
            )
            result.update((ran.row.number, ran.outcome) for ran in together.ran if ran.outcome is not None)
            self._note(recorders, result, together)
            return result, together.groups
        for own in ordered:
            watched = [recorders[row.number] for row in own] if recorders else ()
            for ran in run_person(self.exact, own, opening=so_far, recorders=watched):
                if ran.outcome is not None:
                    result[ran.row.number] = ran.outcome
        self._note(recorders, result, None)
        return result, []

    def _note(
        self, recorders: Mapping[int, Recorder], outcomes: Mapping[int, Outcome], together: Together | None
    ) -> None:
        """Takes up what the episodes and groups of one example used."""
        if not self.watching:
            return
        across = together.recorders if together is not None else {}
        for recorder in (*recorders.values(), *across.values()):
            self.nodes.append(frozenset(n for one in (recorder, *recorder.rows.values()) for n in one.nodes))
        for number, recorder in recorders.items():
            outcome = outcomes.get(number)
            self.used.append(_used(recorder, outcome.findings if outcome is not None else ()))
        if together is not None:
            findings: dict[tuple[str, tuple[Value, ...]], list[Finding]] = {}
            for group in together.groups:
                for finding in group.findings:
                    findings.setdefault((group.kind, finding.at), []).append(finding)
            self.used += [_used(recorder, findings.get(key, ())) for key, recorder in together.recorders.items()]

    def _place(self, row: Row) -> tuple[bool, tuple[Value, ...]]:
        order = self.plan.sequence.order if self.plan.sequence is not None else ()
        placed = all(name in row.inputs for name in order)
        return placed, tuple(row.inputs[name] for name in order) if placed else ()

    def _compare(
        self, expectation: Expectation, outcome: Outcome | None, unread: CellProblem | None, sink: Sink
    ) -> tuple[list[Difference], int]:
        refusal = None
        if unread is not None:
            refusal = (unread.code, unread.message)
        elif outcome is not None and outcome.problem is not None:
            refusal = (outcome.problem.code, outcome.problem.message)
        if expectation.rejects is not None:
            wanted = expectation.rejects.text.strip()
            at = Difference("rejects", wanted, "a result; nothing was refused", span=expectation.rejects.span)
            if refusal is None:
                return [at], 1
            found = replace(at, found=f"{refusal[0]}: {refusal[1]}", becomes=refusal[0])
            return ([] if refusal[0] == wanted else [found]), 1
        if refusal is not None or outcome is None:
            code, message = refusal or ("", "no result")
            told = f"refused {code}: {message}"
            return [Difference("episode", "a result", told, span=expectation.span, becomes=code)], 1
        return self.compare.episode(expectation, outcome, sink)

    # ---- trends ----

    def _trend(self, trend: PlanTrend, inputs: Mapping[str, Value]) -> Difference | None:
        base = self.exact.run(inputs)
        start = inputs.get(trend.within)
        if base.problem is not None or start is None:
            return None
        spec = next(i for i in self.plan.inputs if i.name == trend.within)
        for stride in _strides(spec):
            moved = _moved(start, stride)
            if spec.high is not None and moved > spec.high:  # type: ignore[operator]  # one type
                break
            after = self.exact.run({**inputs, trend.within: moved})
            if after.problem is not None:
                continue
            before, later = self.exact.value_of(trend.what, base), self.exact.value_of(trend.what, after)
            if not isinstance(before, int | Fraction) or not isinstance(later, int | Fraction):
                continue
            a, b = Fraction(before), Fraction(later)
            fell = trend.kind == "increasing" and b < a
            ran = trend.kind == "within" and isinstance(stride, Fraction) and abs(b - a) > stride
            if fell or ran:
                type_ = self.plan.nodes[trend.what].type
                was, now = figure(a, type_, self.plan.decimals), figure(b, type_, self.plan.decimals)
                at = f"{trend.within} from {figure(start, spec.type, self.plan.decimals)} to {figure(moved, spec.type, self.plan.decimals)}"
                return Difference(f"guarantee {trend.text}", "to hold", f"it goes from {was} to {now} while {at}")
        return None


def _used(recorder: Recorder, findings: Iterable[Finding]) -> frozenset[Hit]:
    """What an episode with all its rows, or a group, used of the rulebook."""
    own = (recorder, *recorder.rows.values())
    return frozenset().union(*(one.hits for one in own), (CheckFound(f.index) for f in findings))


def _doubled(plan: Plan, values: Sequence[Mapping[str, Value]]) -> dict[int, Outcome]:
    """The refusals of rows whose id another one bears too; those that also stand at one place of the order tie instead."""
    by = plan.sequence.by if plan.sequence is not None else ""
    order = plan.sequence.order if plan.sequence is not None else ()
    rows: dict[Value, list[int]] = {}
    for at, row in enumerate(values):
        if row.get("episode_id") is not None:
            rows.setdefault(row["episode_id"], []).append(at)
    found: dict[int, Outcome] = {}
    for name, same in rows.items():
        places = {tuple(values[at].get(field) for field in (by, *order)) for at in same}
        if len(same) > 1 and (len(places) > 1 or not order):
            problem = Problem("RX744", "episode_id", str(name), f"the id `{name}` is given to {len(same)} episodes")
            found.update((at, Outcome(values[at], problem=problem)) for at in same)
    return found


def _strides(spec: PlanInput) -> list[Fraction | timedelta]:
    if str(spec.type) == "date":
        return [timedelta(days=n) for n in (1, 31, 366)]
    unit = Fraction(1, 10 ** (spec.decimals + (2 if str(spec.type) == "percent" else 0)))
    return [unit * n for n in (1, 2, 7, 50, 100, 999, 10_000, 123_457, 1_000_000, 9_999_999)]


def _moved(start: Value, stride: Fraction | timedelta) -> Value:
    if isinstance(start, date) and isinstance(stride, timedelta):
        return start + stride
    if isinstance(start, int | Fraction) and isinstance(stride, Fraction):
        moved = start + stride
        return moved.numerator if moved.denominator == 1 else moved
    return start
