"""Examples run on the exact back end and held to what they expect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction

from rxcalc.backends.base import Outcome, Row
from rxcalc.backends.exact import Exact
from rxcalc.backends.history import Opening, keys_of, run_person
from rxcalc.diagnostics.model import Sink
from rxcalc.inputs import problems
from rxcalc.inputs.cells import CellProblem, CellReader
from rxcalc.inputs.episodes import EpisodeEntry, Expectation, Fields, openings
from rxcalc.inputs.records import Record, RecordReader
from rxcalc.lang.types import MONEY, Plain, Type, is_numeric
from rxcalc.passes.sequence import placing_fields
from rxcalc.plan.figures import figure
from rxcalc.plan.nodes import Place, Plan, PlanInput, PlanTrend, Value
from rxcalc.rulebook.document import Scalar
from rxcalc.typed.symbols import nearest


@dataclass(frozen=True, slots=True)
class Difference:
    """One expected value that did not come out."""

    name: str
    expected: str
    found: str


@dataclass(frozen=True, slots=True)
class ExampleResult:
    """How one example went. `differences` stand in evaluation order; the first is where to look."""

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
    """Runs the examples of one rulebook."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.exact = Exact(plan)
        self.reader = RecordReader(plan)
        self.step_types: dict[str, Type] = {s.name: s.type for s in plan.steps}
        self.placing = placing_fields(plan)
        self.set_values = {s.name: s.values for s in plan.steps}

    def run(self, entry: EpisodeEntry, sink: Sink) -> ExampleResult:
        """The result of one example; mistakes in the example file itself go to the sink."""
        file = sink.files.get(entry.span.file)
        line = file.position(entry.span.start)[0] if file else 0
        opening = openings(entry, self.plan, sink)
        differences: list[Difference] = []
        checked = 0
        expected: list[tuple[Fields, Expectation | None]] = [*((f, None) for f in entry.earlier), *entry.episodes]
        for fields, _ in expected:
            for name in fields.misplaced_lists(self.plan):
                sink.add(problems.not_one_value(fields.spans[name], name))
        readings = [self.reader.read(fields.values) for fields, _ in expected]
        unread = {at: read[0] for at, read in enumerate(readings) if isinstance(read, tuple)}
        outcomes = self._outcomes(readings, [fields for fields, _ in expected], opening)
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
                read = self.reader.read(entry.episodes[0][0].values)
                if isinstance(read, tuple):
                    continue
                broken = self._trend(trend, read.values)
                if broken is not None:
                    found.append(replace(broken, name=f"{broken.name} (near example `{entry.name}`)"))
                    break
        return found

    # ---- one example ----

    def _outcomes(
        self, readings: list[Record | tuple[CellProblem, ...]], fields: list[Fields], opening: Mapping[str, Value]
    ) -> dict[int, Outcome]:
        """The outcome of each readable episode; the unreadable ones take later episodes with them."""
        people: dict[Value, list[Row]] = {}
        sequence = self.plan.sequence
        for at, read in enumerate(readings):
            values = read.values if isinstance(read, Record) else self.reader.readable(fields[at].values)
            refused = not isinstance(read, Record)
            if sequence is None:
                people[at] = [Row(at, str(at), values, refused=refused)]
            elif sequence.by in values:
                name = str(values.get("episode_id", f"number {at + 1}"))
                unplaced = refused and not self.placing <= values.keys()
                people.setdefault(values[sequence.by], []).append(
                    Row(at, name, values, refused=refused, unplaced=unplaced)
                )
        result: dict[int, Outcome] = {}
        for rows in people.values():
            # A row whose place is not known stands first: any later one could read it.
            ordered = sorted(rows, key=self._place)
            known = [r for r in ordered if not r.refused]
            so_far = Opening(opening, keys_of(self.plan, known[0].inputs), len(ordered) == 1) if known else None
            for ran in run_person(self.exact, ordered, opening=so_far):
                if ran.outcome is not None:
                    result[ran.row.number] = ran.outcome
        return result

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
            if refusal is None:
                return [Difference("rejects", wanted, "a result; nothing was refused")], 1
            return ([] if refusal[0] == wanted else [Difference("rejects", wanted, f"{refusal[0]}: {refusal[1]}")]), 1
        if refusal is not None or outcome is None:
            code, message = refusal or ("", "no result")
            return [Difference("episode", "a result", f"refused {code}: {message}")], 1
        results = self.results(outcome)
        found: list[Difference] = []
        wanted_values = dict(expectation.amounts)
        for name, scalar in expectation.amounts:
            if name not in results and name not in self.step_types:
                sink.add(problems.unknown_expectation(scalar.span, name, nearest(name, list(results))))
        # In evaluation order, so that the first difference is the first step that went another way.
        for name, value in results.items():
            wanted_scalar = wanted_values.get(name)
            if wanted_scalar is None:
                continue
            type_ = self.step_types.get(name, MONEY)
            expected = self._expected(name, type_, wanted_scalar)
            if isinstance(expected, CellProblem):
                sink.add(
                    problems.bad_episode_file(
                        wanted_scalar.span, expected.message, "write the value as a result shows it"
                    )
                )
            elif expected != value:
                found.append(
                    Difference(
                        name, figure(expected, type_, self.plan.decimals), figure(value, type_, self.plan.decimals)
                    )
                )
        return found, len(expectation.amounts)

    def results(self, outcome: Outcome) -> dict[str, Value]:
        """All results by name, in evaluation order."""
        return {**outcome.steps, **outcome.shares}

    def _expected(self, name: str, type_: Type, scalar: Scalar) -> Value | CellProblem:
        if scalar.text.strip() == "missing":
            return None
        wide = Fraction(10**24) if is_numeric(type_) else None
        whole = isinstance(type_, Plain) and str(type_) in ("count", "days", "months", "years")
        spec = PlanInput(
            name=name, type=type_, optional=False, default=None, low=None if wide is None else -wide, high=wide, decimals=0 if whole else 12,
            values=self.set_values.get(name, ()), flags=(), drop_time=False, aliases=(), label=(), names=(), place=Place(),
        )  # fmt: skip
        return CellReader.of(spec, self.plan.currency).read(scalar.text)

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
