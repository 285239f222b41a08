"""A bill that tells a rulebook from a changed one: an example's bill with its inputs moved to where the change shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from itertools import chain, islice, product
from typing import Final

from rxcalc.backends.base import Outcome
from rxcalc.backends.exact import Exact
from rxcalc.bill.course import Courses
from rxcalc.bill.subject import Subject, compute, read_subject
from rxcalc.diagnostics.model import Sink
from rxcalc.examples.mutants import Mutant
from rxcalc.examples.run import ExampleRunner
from rxcalc.examples.saved import Expected, entry_text, scalar
from rxcalc.inputs.episodes import EpisodeEntry, Fields, read_entries
from rxcalc.lang.types import CODE, DATE, FLAG, MONEY, TEXT, is_numeric, is_whole
from rxcalc.plan.figures import figure
from rxcalc.plan.nodes import Plan, PlanInput, Value
from rxcalc.rulebook.load import load_yaml_text
from rxcalc.sampling.edges import edges
from rxcalc.sampling.hints import grid_of

MOST_TRIES: Final = 900
MOST_BILLS: Final = 9
MOST_PROOFS: Final = 3
MOST_TURNED: Final = 1
MOST_PLACES: Final = 40
MOST_FEN: Final = 20
MARK: Final = (
    "NOT CHECKED BY HAND: the amounts are what the rulebook gives today; replace this by who checked them, and how"
)
UNKNOWN: Final = "NONE-SUCH"
"""A code that no table has: a condition that looks one up is noticed by it."""

BREAKS: Final = (TypeError, ValueError, ArithmeticError, LookupError, AssertionError)
"""What evaluating a changed plan may end in where its proofs no longer hold: the change is noticed."""

Moves = Mapping[str, Value]
Place = tuple[EpisodeEntry, Moves | None, int]
"""A bill, what of it to move (None: nothing to be tried), and how many bills were computed to get there."""


@dataclass(frozen=True)
class Told:
    """An example as text, ready to be pasted; `name` is what differs under the change it was made for, with both values."""

    title: str
    text: str
    name: str
    was: str
    now: str


class Telling:
    """Searches the bills of examples, moved, for one that gives other results under a changed plan."""

    def __init__(self, plan: Plan, entries: Sequence[EpisodeEntry], rulebook: str) -> None:
        self.plan = plan
        self.rulebook = rulebook
        self.single = [e for e in entries if len(e.episodes) == 1 and not e.several and e.episodes[0][1] is not None]
        self.runner = ExampleRunner(plan)
        self.found: list[tuple[EpisodeEntry, Told]] = []
        self.subjects: dict[int, Subject | None] = {}
        self.edges = edges(plan)
        self.ids = {"episode_id", plan.sequence.by if plan.sequence is not None else ""}
        self.taken = {e.name for e in entries}

    def bill(self, mutant: Mutant, changed: Plan, touched: Sequence[EpisodeEntry]) -> tuple[Told | None, int]:
        """The first bill found that tells the plans apart, as an example proven to; and how many were tried.

        One that was found for another change, and tells this one apart too, comes first.
        """
        runner = under(self.runner, changed)
        for at, (entry, known) in enumerate(self.found, start=1):
            if fails(runner, entry):
                return known, at
        tries = len(self.found)
        proofs = 0
        own = [e for e in self.single if e in touched]
        entries = [*own, *(e for e in self.single if e not in own)][:MOST_BILLS]
        for entry, moves, looks in chain(
            self._near_by(mutant, entries), self._where_it_turns(mutant, changed, entries[:MOST_TURNED])
        ):
            subject = self._subject(entry)
            tries += looks
            if subject is None or moves is None:
                continue
            moved = subject.with_values(moves)
            difference = self._differs(moved, moved.with_plan(changed))
            if difference is None:
                continue
            told = self._example(mutant, changed, entry, moves, difference)
            if told is not None:
                return told, tries
            proofs += 1
            if proofs >= MOST_PROOFS:
                break
        return None, tries

    def _subject(self, entry: EpisodeEntry) -> Subject | None:
        at = id(entry)
        if at not in self.subjects:
            self.subjects[at] = read_subject(self.plan, entry, Sink())
        return self.subjects[at]

    # ---- where to look ----

    def _near_by(self, mutant: Mutant, entries: Sequence[EpisodeEntry]) -> Iterator[Place]:
        """Each bill with its inputs at the values of the change."""
        for entry in entries:
            subject = self._subject(entry)
            if subject is not None:
                most = MOST_TRIES // MOST_BILLS + 1
                yield from ((entry, moves, 1) for moves in islice(self._moves(mutant, subject), most))

    def _where_it_turns(self, mutant: Mutant, changed: Plan, entries: Sequence[EpisodeEntry]) -> Iterator[Place]:
        """Each bill with one amount moved to where the changed rules take another course: also behind other steps."""
        if mutant.kind in ("cell", "date"):
            return
        for entry in entries:
            subject = self._subject(entry)
            if subject is None:
                continue
            courses = Courses(subject.with_plan(changed))
            for spec in self.plan.inputs:
                if not is_numeric(spec.type):
                    continue
                before = courses.looks
                try:
                    turns = courses.turns(spec)
                except BREAKS:
                    turns = ()
                yield entry, None, courses.looks - before
                for value in dict.fromkeys(v for turn in turns[:MOST_PLACES] for v in (turn.near, turn.far)):
                    yield entry, {spec.name: value}, 1

    def _moves(self, mutant: Mutant, subject: Subject) -> Iterator[Moves]:
        """The bill as it is, with one thing moved (its days, an amount, a choice), then with two, then further away."""
        numbers = [
            {spec.name: value}
            for spec in self.plan.inputs
            for value in self._near(spec, mutant.near)
            if value != subject.bill.get(spec.name)
        ]
        choices = [
            {spec.name: value}
            for spec in self.plan.inputs
            if spec.name not in self.ids
            for value in _choices(spec, (*mutant.near, UNKNOWN) if mutant.kind == "clause" else mutant.near)
            if value != subject.bill.get(spec.name)
        ]
        far = [
            {spec.name: value}
            for spec in self.plan.inputs
            for value in self.edges.values.get(("", spec.name), ())[:24]
            if value != subject.bill.get(spec.name)
        ]
        days = list(self._days(mutant, subject))
        yield {}
        yield from days
        if mutant.kind == "limit":
            yield from self._fen(subject)
        yield from chain(numbers, choices)
        yield from (
            {**a, **b} for a, b in chain(product(numbers, choices), product(days, numbers), product(days, choices))
        )
        yield from far

    def _fen(self, subject: Subject) -> Iterator[Moves]:
        """Each amount a few fen lower: what a limit moves by a fen may show only where something is rounded."""
        for step, spec in product(range(1, MOST_FEN + 1), (i for i in self.plan.inputs if i.type == MONEY)):
            own = subject.bill.get(spec.name)
            if isinstance(own, int | Fraction) and own > 0:
                value = Fraction(own) - step * (grid_of(spec) or 1)
                if spec.low is None or value >= spec.low:  # type: ignore[operator]  # one type
                    yield {spec.name: value}

    def _days(self, mutant: Mutant, subject: Subject) -> Iterator[Moves]:
        """The whole bill moved to the days of a change: all its dates by as many days as the one that counts."""
        own = subject.bill.get(self.plan.effective_by)
        dates = {i: v for i in self.plan.inputs if isinstance(v := subject.bill.get(i.name), date)}
        for day in mutant.near:
            if isinstance(day, date) and isinstance(own, date):
                moved = {i: v + (day - own) for i, v in dates.items()}
                if all((i.low is None or i.low <= v) and (i.high is None or v <= i.high) for i, v in moved.items()):  # type: ignore[operator]  # one type
                    yield {i.name: v for i, v in moved.items()}

    def _near(self, spec: PlanInput, near: Sequence[Value]) -> Iterator[Value]:
        """The values of a change and their neighbours, as far as the input can hold them."""
        if spec.type == DATE:
            found: list[Value] = [v for v in near if isinstance(v, date)]
        elif is_numeric(spec.type):
            grid = grid_of(spec) or Fraction(1)
            given = [Fraction(v) for v in near if isinstance(v, int | Fraction) and not isinstance(v, bool)]
            places = (v + step * grid for v in given for step in (0, 1, -1, 100, -100))
            found = [int(v) if is_whole(spec.type) else v for v in places if (v / grid).denominator == 1]
        else:
            return
        for value in dict.fromkeys(found):
            if (spec.low is None or spec.low <= value) and (spec.high is None or value <= spec.high):  # type: ignore[operator]  # one type
                yield value

    # ---- what differs ----

    def _differs(self, one: Subject, other: Subject) -> tuple[Outcome, str, Value, Value] | None:
        """The first result that differs, where the bill itself is not refused; None where nothing does."""
        try:
            was = compute(one).outcome
        except BREAKS:
            return None
        try:
            now = compute(other).outcome
        except BREAKS:
            return None if was.problem is not None else (was, "", None, "cannot be computed")
        if was.problem is not None or now.problem is not None:
            codes = [x.problem.code if x.problem is not None else "" for x in (was, now)]
            return (was, "", codes[0] or "a result", codes[1] or "a result") if codes[0] != codes[1] else None
        before, after = ({**x.steps, **x.shares} for x in (was, now))
        hidden = {s.name for s in self.plan.steps if s.lazy}
        for name, value in before.items():
            if name not in hidden and value != after.get(name):
                return was, name, value, after.get(name)
        one_told, other_told = (", ".join(self._findings(x)) or "none" for x in (was, now))
        return (was, "findings", one_told, other_told) if one_told != other_told else None

    def _findings(self, outcome: Outcome) -> list[str]:
        """The findings as an example expects them."""
        told: list[str] = []
        for f in outcome.findings:
            check = self.plan.checks[f.index]
            fields = {"check": check.name or str(f.index + 1)}
            if f.at:
                fields[check.level] = "/".join(str(v) for v in f.at)
            if f.amount is not None:
                fields["amount"] = figure(f.amount, MONEY, self.plan.decimals, grouped=False)
            told.append("{" + ", ".join(f"{key}: {scalar(text)}" for key, text in fields.items()) + "}")
        return told

    # ---- the example ----

    def _example(
        self, mutant: Mutant, changed: Plan, entry: EpisodeEntry, moves: Moves,
        difference: tuple[Outcome, str, Value, Value],
    ) -> Told | None:  # fmt: skip
        """The bill as an example that passes and that fails under the change; None where it cannot be written so."""
        outcome, name, was, now = difference
        given = [*entry.earlier, *(fields for fields, _ in entry.episodes)]
        given[-1] = _written(self.plan, given[-1], moves)
        expected = Expected(refused=outcome.problem.code) if outcome.problem else self._expected(outcome, name)
        title = self._free(f"notices {mutant.what}: {mutant.was} -> {mutant.now}")
        text = entry_text(self.plan, entry, given, [expected], title, MARK)
        if name == "findings":
            text = text.rstrip().removesuffix("}") + f", findings: [{', '.join(self._findings(outcome))}]}}\n"
        sink = Sink()
        node = load_yaml_text("example", text, sink)
        read = read_entries(node, sink) if node is not None else ()
        if len(read) != 1 or not self.runner.run(read[0], sink).passed or sink.has_errors:
            return None
        if not fails(under(self.runner, changed), read[0]):
            return None
        self.taken.add(title)
        told = Told(title, text, name or "the bill", self._figure(name, was), self._figure(name, now))
        self.found.append((read[0], told))
        return told

    def _expected(self, outcome: Outcome, name: str) -> Expected:
        """The outputs and what differs."""
        values = {**outcome.steps, **outcome.shares}
        names = dict.fromkeys([*self.plan.outputs, *([name] if name not in ("", "findings") else [])])
        return Expected(tuple((n, self._figure(n, values[n])) for n in names if n in values))

    def _figure(self, name: str, value: Value) -> str:
        types = {s.name: s.type for s in self.plan.steps}
        if name in ("", "findings"):
            return str(value)
        if name in types:
            return figure(value, types[name], self.plan.decimals, grouped=False)
        return figure(value, MONEY, self.plan.decimals, grouped=False)

    def _free(self, name: str) -> str:
        """The name, with a number where it is taken."""
        found, at = name, 2
        while found in self.taken:
            found, at = f"{name} ({at})", at + 1
        return found


def _choices(spec: PlanInput, near: Sequence[Value]) -> Iterator[Value]:
    """The values of a set, a flag's two, and for codes those that the change names."""
    if spec.values:
        yield from (v.name for v in spec.values)
    elif spec.type == FLAG:
        yield from (True, False)
    elif spec.type in (CODE, TEXT):
        yield from (v for v in near if isinstance(v, str))


def _written(plan: Plan, fields: Fields, moves: Moves) -> Fields:
    """The fields of a bill with other values, under the names that they were given."""
    values = dict(fields.values)
    for spec in plan.inputs:
        if spec.name in moves:
            name = next((n for n in (spec.name, *spec.aliases) if n in values), spec.name)
            values[name] = figure(moves[spec.name], spec.type, plan.decimals, grouped=False)
    return replace(fields, values=values)


def under(runner: ExampleRunner, changed: Plan) -> ExampleRunner:
    """A runner that reads and compares as before, and computes with a changed plan."""
    other = copy(runner)
    other.plan = changed
    other.exact = Exact(changed)
    return other


def fails(runner: ExampleRunner, entry: EpisodeEntry) -> bool:
    """Whether an example does not give what it expects; so does one that can no longer be computed."""
    try:
        return not runner.run(entry, Sink()).passed
    except BREAKS:
        return True
