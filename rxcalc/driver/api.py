"""Rulebooks from Python: the same names and the same meaning as the commands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from rxcalc.backends.base import Outcome, Problem
from rxcalc.backends.exact import Exact
from rxcalc.backends.history import Opening, keys_of, normal, run_sequence
from rxcalc.diagnostics.model import Diagnostic, Sink
from rxcalc.driver import find
from rxcalc.driver.cached import plan_for
from rxcalc.driver.explain import misplaced
from rxcalc.inputs.cells import CellProblem
from rxcalc.inputs.records import Record, RecordReader
from rxcalc.plan.nodes import Plan, Value
from rxcalc.report.explanation import Explanation, explain
from rxcalc.tracing.model import Recorder

if TYPE_CHECKING:
    from rxcalc.driver.examples import ExamplesReport

Fields = Mapping[str, object]


class RulebookError(Exception):
    """A rulebook that cannot be found or has errors: where a command would exit with 2. `diagnostics` says why."""

    def __init__(self, message: str, diagnostics: tuple[Diagnostic, ...] = ()) -> None:
        super().__init__(message)
        self.diagnostics = diagnostics


@dataclass(frozen=True, slots=True)
class Rulebook:
    """A compiled rulebook.

    Episodes are mappings of input names to text as a file would hold it, or to Python values
    (Decimal, int, str, date, bool; a float is refused). An episode that is refused is a result with a
    `problem`, never an exception.
    """

    plan: Plan
    found: find.Found
    _reader: RecordReader = field(repr=False)
    _exact: Exact = field(repr=False)

    def evaluate(self, episode: Fields) -> Outcome:
        """The result of one episode that nothing came before, without an explanation.

        >>> import rxcalc
        >>> bill = {
        ...     "episode_id": "E1", "person_id": "P1", "level": "county", "admission_date": "2025-03-03",
        ...     "discharge_date": "2025-03-10", "total_cost": "10000.00", "referred": True, "emergency": False,
        ... }
        >>> rxcalc.load("qin").evaluate(bill).steps["fund_pays"]
        Fraction(9310, 1)
        """
        read = self._reader.read(episode)
        return self._exact.run(read.values) if isinstance(read, Record) else _unread(read)

    def explain(
        self,
        episode: Fields,
        *,
        earlier: Sequence[Fields] = (),
        so_far: Mapping[str, object] | None = None,
        language: str = "en",
    ) -> Explanation:
        """The explanation of an episode after `earlier` ones and opening amounts.

        `so_far` maps window calls (`"this_year.sum(pool_pays)"`) to their value before the first episode.
        """
        read = [self._reader.read(e) for e in (*earlier, episode)]
        for one in read:
            if not isinstance(one, Record):
                return explain(self.plan, _unread(one), Recorder(), language=language)
        records = [r for r in read if isinstance(r, Record)]
        for _, name, message, _ in misplaced(self.plan, records, len(earlier)):
            return self._refused(Problem("RX756", name, "", message), language)
        opening: dict[str, Value] = {}
        calls = {normal(c.key) for c in self.plan.window_calls}
        for call, value in (so_far or {}).items():
            if normal(call) not in calls:
                return self._refused(
                    Problem("RX752", call, str(value), f"`{call}` is not a window call of this rulebook"), language
                )
            if not isinstance(value, int | Fraction | date | str):
                return self._refused(
                    Problem("RX753", call, str(value), "give an int, a Fraction, a date or a text"), language
                )
            opening[normal(call)] = value
        target = records[-1]
        if self.plan.sequence is not None:
            order = self.plan.sequence.order
            records.sort(key=lambda r: tuple(r.values[name] for name in order))
        recorders = [Recorder() for _ in records]
        assumed: set[str] = set()
        first = Opening(opening, keys_of(self.plan, records[0].values), len(records) == 1)
        exact = Exact(self.plan, recording=True)
        outcomes = run_sequence(exact, [r.values for r in records], first, recorders, assumed)
        at = next(i for i, r in enumerate(records) if r is target)
        assumptions = tuple(c for c in sorted(assumed) if any(w.key == c for w in recorders[at].windows.values()))
        return explain(
            self.plan,
            outcomes[at],
            recorders[at],
            language=language,
            assumptions=assumptions,
            defaulted=target.defaulted,
        )

    def _refused(self, problem: Problem, language: str) -> Explanation:
        return explain(self.plan, Outcome({}, problem=problem), Recorder(), language=language)

    def check(self) -> tuple[Diagnostic, ...]:
        """Every diagnostic of the rulebook's file as it is now, errors and warnings."""
        from rxcalc.driver.compile import compile_file

        sink = Sink()
        compile_file(self.found.path, self.found.shown, sink)
        return sink.sorted()

    def test(self) -> ExamplesReport:
        """The examples beside the rulebook, run."""
        from rxcalc.driver.examples import run_examples

        return run_examples(self.found, Sink())


def load(name_or_path: str | Path) -> Rulebook:
    """The rulebook with a shipped name or at a path.

    Raises:
        RulebookError: there is no such rulebook, or it has errors.
    """
    found = find.rulebook(str(name_or_path))
    if isinstance(found, find.NotFound):
        raise RulebookError(f"{found.message}; {found.help}")
    sink = Sink()
    plan = plan_for(found, sink)
    if plan is None:
        errors = sink.sorted()
        first = errors[0].message if errors else "it cannot be compiled"
        raise RulebookError(f"`{name_or_path}` has errors: {first}", errors)
    return Rulebook(plan, found, RecordReader(plan), Exact(plan))


def _unread(problems: tuple[CellProblem, ...]) -> Outcome:
    first = problems[0]
    return Outcome({}, problem=Problem(first.code, first.field, first.value, first.message))
