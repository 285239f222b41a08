"""Rulebooks from Python: the same names and the same meaning as the commands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

from rxcalc.backends.base import Outcome, Problem, Row
from rxcalc.backends.exact import Exact
from rxcalc.backends.exact_groups import run_all
from rxcalc.backends.history import Opening
from rxcalc.bill.subject import misplaced
from rxcalc.diagnostics.model import Diagnostic, Sink
from rxcalc.driver import find
from rxcalc.driver.cached import plan_for
from rxcalc.driver.explain import assumptions
from rxcalc.inputs.cells import CellProblem
from rxcalc.inputs.groups import results_given
from rxcalc.inputs.openings import is_limited, normal, opening_specs, window_calls
from rxcalc.inputs.records import Record, RecordReader
from rxcalc.lang.types import DATE, is_numeric
from rxcalc.plan.nodes import Plan, Value
from rxcalc.report.explanation import explain
from rxcalc.report.model import Explanation
from rxcalc.tracing.model import Recorder

if TYPE_CHECKING:
    from rxcalc.driver.diff_api import Difference
    from rxcalc.driver.examples import ExamplesReport

Fields = Mapping[str, object]


class DiffOptions(TypedDict, total=False):
    """The options of `rxcalc diff` over a file of bills."""

    lines: str | Path | None
    lists: Mapping[str, str | Path] | None
    groups: str | Path | None
    columns: Mapping[str, str] | None
    encoding: str
    earlier: Sequence[str | Path]
    opening: str | Path | None
    by: str | Sequence[str]
    amount: str | None
    as_of: date | str | None
    attribute: bool
    memory: int
    temp_dir: str | Path | None
    rows: bool


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
        """The result of one episode that nothing came before, without an explanation. Lists are sequences of mappings.

        >>> import rxcalc
        >>> bill = {
        ...     "episode_id": "E1", "person_id": "P1", "level": "county", "admission_date": "2025-03-03",
        ...     "discharge_date": "2025-03-10", "total_cost": "10000.00", "referred": True, "emergency": False,
        ... }
        >>> rxcalc.load("qin").evaluate(bill).steps["fund_pays"]
        Fraction(9310, 1)
        """
        read = self._reader.read(episode)
        if not isinstance(read, Record):
            return _unread(read)
        given = results_given(self.plan, {})
        if not given or isinstance(given, CellProblem):
            return self._exact.run(read.values)
        ran = run_all(self._exact, [Row(0, str(read.values["episode_id"]), read.values)], {}, given=given).ran[0]
        return ran.outcome or Outcome(read.values)

    def explain(
        self,
        episode: Fields,
        *,
        earlier: Sequence[Fields] = (),
        so_far: Mapping[str, object] | None = None,
        groups: Mapping[str, object] | None = None,
        language: str = "en",
    ) -> Explanation:
        """The explanation of an episode after `earlier` ones and opening amounts.

        `so_far` maps window calls (`"this_year.sum(pool_pays)"`) to their value before the first episode.
        `groups` maps kinds of groups to results that the episode reads: one mapping, or several with keys.
        """
        read = [self._reader.read(e) for e in (*earlier, episode)]
        for one in read:
            if not isinstance(one, Record):
                return explain(self.plan, _unread(one), Recorder(), language=language)
        records = [r for r in read if isinstance(r, Record)]
        for _, name, message, _ in misplaced(self.plan, records, len(earlier)):
            return self._refused(Problem("RX756", name, "", message), language)
        opening = self._opening(so_far or {}, len(records))
        if isinstance(opening, Problem):
            return self._refused(opening, language)
        given = results_given(self.plan, groups or {})
        if isinstance(given, CellProblem):
            return self._refused(Problem(given.code, given.field, given.value, given.message), language)
        target = records[-1]
        recorders = {at: Recorder() for at in range(len(records))}
        rows = [Row(at, str(record.values["episode_id"]), record.values) for at, record in enumerate(records)]
        first = Opening(opening, single=len(records) == 1)
        owners = {r.values[self.plan.sequence.by] for r in records} if self.plan.sequence is not None else ()
        exact = Exact(self.plan, recording=True)
        openings = dict.fromkeys(owners, first)
        ran = run_all(exact, rows, {}, given=given, openings=openings, recorders=recorders).ran
        at = len(records) - 1
        return explain(
            self.plan,
            ran[at].outcome or Outcome(target.values),
            recorders[at],
            language=language,
            assumptions=assumptions(self.plan, recorders[at]),
            defaulted=target.defaulted,
            affected=ran[at].affected,
        )

    def _opening(self, so_far: Mapping[str, object], listed: int) -> dict[str, Value] | Problem:
        """Opening amounts by call text without white space, or what is wrong with one."""
        specs = opening_specs(self.plan)
        limited = {normal(c.key) for c in window_calls(self.plan) if is_limited(self.plan, c)}
        opening: dict[str, Value] = {}
        for call, value in so_far.items():
            spec = specs.get(normal(call))
            if spec is None:
                return Problem("RX752", call, str(value), f"`{call}` is not a window call of this rulebook")
            wanted = date if spec.type == DATE else int | Fraction if is_numeric(spec.type) else str | bool | date
            if not isinstance(value, wanted) or (is_numeric(spec.type) and isinstance(value, bool)):
                return Problem("RX753", call, str(value), "give an int, a Fraction, a date or a text, as its type is")
            if listed > 1 and normal(call) in limited:
                return Problem("RX758", call, str(value), f"`{call}` can be given for a single episode only")
            opening[normal(call)] = value
        return opening

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

    def diff(
        self, new: Rulebook | str | Path, episodes: str | Path | None = None, **options: Unpack[DiffOptions]
    ) -> Difference:
        """What changed in meaning from this rulebook to `new`, and with a file of bills what it moves.

        The options are those of `rxcalc diff`, by the same names: `by`, `amount`, `as_of`, `attribute`, `lines`, `lists`,
        `groups`, `columns`, `encoding`, `earlier`, `opening`, `memory` (bytes), `temp_dir`; `rows` keeps
        every bill that comes out otherwise, as `--moved-out` does.

        Raises:
            RulebookError: there is no such rulebook, or the two cannot be run over the file.

        >>> import rxcalc
        >>> found = rxcalc.load("shanghai-employee@2017").diff("shanghai-employee@2024")
        >>> found.differs, str(found.edits[0].subject)
        (True, 'effective')
        """
        from rxcalc.driver.diff_api import BillsAsked, Difference, compared

        other = new if isinstance(new, Rulebook) else load(new)
        found = compared((self.plan, other.plan), (self.found, other.found), episodes, BillsAsked(**options))
        if isinstance(found, Difference):
            return found
        raise RulebookError("; ".join((found.message, *found.help)))


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
