"""What stands around the steps of an episode: its lists, the groups behind it, the findings on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction

from rxcalc.backends.base import Outcome, RowResult
from rxcalc.lang.types import MONEY, Kind, Plain, Type, is_numeric
from rxcalc.plan.figures import formula_text
from rxcalc.plan.nodes import Plan, PlanCheck, PlanGroup, PlanInput, PlanList, PlanStep, Value
from rxcalc.report.book import Book, Seen, level_of
from rxcalc.report.evidence import rounded_to
from rxcalc.report.model import CheckLine, FieldLine, GroupLine, ListLine, RowLine, StepLine
from rxcalc.report.shares import partitions
from rxcalc.report.steps import StepExplainer, without_rule
from rxcalc.tracing.model import GroupKey, GroupTrace, Recorder


class RowsExplainer:
    """Explains the rows of one bill and the groups across bills behind it."""

    def __init__(self, book: Book, outcome: Outcome, recorder: Recorder) -> None:
        self.book = book
        self.plan: Plan = book.plan
        self.wording = book.wording
        self.outcome = outcome
        self.recorder = recorder
        self.on = outcome.inputs.get(self.plan.effective_by)
        self._rows_by_key: dict[str, Mapping[tuple[Value, ...], int]] = {}

    # ---- lists ----

    def lists(self) -> tuple[ListLine, ...]:
        """Every list of the episode with its rows."""
        return tuple(self._list(x) for x in self.plan.lists)

    def _list(self, x: PlanList) -> ListLine:
        given = self.outcome.inputs.get(x.name)
        read = tuple(RowResult(row, {}) for row in given) if isinstance(given, tuple) else ()
        rows = self.outcome.lists.get(x.name, ()) or read  # a bill refused at once has its rows as they were read
        fields = [self._input_field(i, x) for i in x.inputs]
        fields += [
            self._field(r.name, self.wording.words(r.label), "step", r.type if isinstance(r, PlanStep) else MONEY)
            for r in self.book.results(x.name)
        ]
        label = self.wording.words(x.label) or x.name
        return ListLine(
            x.name, label, x.order, tuple(fields), tuple(self._row(x, at, row) for at, row in enumerate(rows))
        )

    def _input_field(self, i: PlanInput, x: PlanList) -> FieldLine:
        return self._field(i.name, self.wording.words(i.label), "order" if i.name in x.order else "input", i.type)

    def _field(self, name: str, label: str, kind: str, type_: Type) -> FieldLine:
        money = isinstance(type_, Plain) and type_.kind is Kind.MONEY
        return FieldLine(name, label or name, kind, is_money=money, is_number=is_numeric(type_))

    def _row(self, x: PlanList, at: int, row: RowResult) -> RowLine:
        inputs = tuple((i.name, self._plain(i, row.inputs.get(i.name))) for i in x.inputs)
        named = {i.name: i for i in x.inputs}
        key = "/".join(self.wording.key(row.inputs.get(n), named[n].type) for n in x.order)
        if self.outcome.reverses:
            return RowLine(key or str(at + 1), inputs, without_rule(self.book, x.name, row.steps))
        return RowLine(key or str(at + 1), inputs, self._steps(x.name, at))

    def _plain(self, i: PlanInput, value: Value) -> str | None:
        return None if value is None else self.wording.input(i, value)

    def _steps(self, level: str, at: int) -> tuple[StepLine, ...]:
        recorder = self.recorder.rows.get((level, at))
        if recorder is None:
            return ()
        return self._explainer(level, recorder).lines()

    def _explainer(self, level: str, recorder: Recorder) -> StepExplainer:
        up = {"": self.recorder} if level else {}
        return StepExplainer(self.book, Seen(recorder, self.on, up, level))

    # ---- groups ----

    def groups(self) -> tuple[GroupLine, ...]:
        """The line groups of the bill, then the groups across bills behind its results."""
        inside = [
            self._inside(g, at, row)
            for g in self.plan.groups
            if g.inside
            for at, row in enumerate(self.outcome.lists.get(g.name, ()))
        ]
        return (*inside, *(self._across(key, trace) for key, trace in self.recorder.groups.items()))

    def _inside(self, g: PlanGroup, at: int, row: RowResult) -> GroupLine:
        recorder = self.recorder.rows.get((g.name, at), Recorder())
        reverses = bool(self.outcome.reverses)
        steps = without_rule(self.book, g.name, row.steps) if reverses else self._steps(g.name, at)
        return GroupLine(
            g.name, self.wording.words(g.label) or g.name, g.of, inside=True, given=False, keys=self._keys(g, row.inputs),
            inputs=(), members=recorder.members, rejected=0, steps=steps,
        )  # fmt: skip

    def _across(self, key: GroupKey, trace: GroupTrace) -> GroupLine:
        g = self.book.kinds[key[0]]
        rows = StepExplainer(self.book, Seen(trace.recorder or Recorder(), trace.on, {}, g.name))
        inputs = [(i, trace.inputs.get(i.name)) for i in g.inputs]
        return GroupLine(
            g.name, self.wording.words(g.label) or g.name, g.of or "episodes", inside=False, given=trace.given,
            keys=self._keys(g, trace.inputs),
            inputs=tuple(
                (i.name, self.wording.words(i.label) or i.name, self.wording.input(i, v)) for i, v in inputs if v is not None
            ),
            members=trace.members, rejected=trace.rejected, steps=rows.lines(),
            results=tuple(self._given(g, trace)) if trace.given else (),
            shares=partitions(rows, g.shares, trace.shares) if trace.shares else (),
        )  # fmt: skip

    def _keys(self, g: PlanGroup, values: Mapping[str, Value]) -> tuple[tuple[str, str], ...]:
        """The keys of a group; one given without keys has none."""
        known = [(k, values[k.name]) for k in g.keys if values.get(k.name) is not None]
        return tuple((k.name, self.wording.key(v, k.type)) for k, v in known)

    def _given(self, g: PlanGroup, trace: GroupTrace) -> Iterator[tuple[str, str]]:
        types: dict[str, Type] = {s.name: s.type for s in g.steps}
        for name, value in trace.steps.items():
            yield name, self.wording.figure(value, types.get(name, MONEY))

    # ---- checks ----

    def checks(self) -> tuple[CheckLine, ...]:
        """The findings on the bill and its rows, then those on the groups behind it."""
        lines: list[CheckLine] = []
        for finding in self.outcome.findings:
            check = self.plan.checks[finding.index]
            recorder, row = self._found_on(check, finding.at)
            filled = self._explainer(check.level, recorder)
            lines.append(self._check(check, filled, row, finding.amount))
        for key, trace in self.recorder.groups.items():
            for index, amount in trace.findings:
                check = self.plan.checks[index]
                filled = StepExplainer(self.book, Seen(trace.recorder or Recorder(), trace.on, {}, key[0]))
                row = self._keys(self.book.kinds[key[0]], trace.inputs)
                lines.append(self._check(check, filled, row, amount))
        return tuple(lines)

    def _found_on(self, check: PlanCheck, at: tuple[Value, ...]) -> tuple[Recorder, tuple[tuple[str, str], ...]]:
        """The recorder of the row with a finding, and what it is called."""
        if not check.level:
            return self.recorder, ()
        of = level_of(self.plan, check.level)
        if isinstance(of, PlanList):
            named = {i.name: i.type for i in of.inputs}
            names = of.order
            shown = tuple((n, self.wording.key(v, named[n])) for n, v in zip(names, at, strict=False))
            shown = shown or (("row", str(at[0])),)
        else:
            assert isinstance(of, PlanGroup)  # noqa: S101 - the episode has no row
            names = tuple(k.name for k in of.keys)
            shown = tuple((k.name, self.wording.key(v, k.type)) for k, v in zip(of.keys, at, strict=True))
        number = self._numbers(check.level, names)[at]
        return self.recorder.rows.get((check.level, number), Recorder()), shown

    def _numbers(self, level: str, names: tuple[str, ...]) -> Mapping[tuple[Value, ...], int]:
        """The rows of a level by what findings call them: their order or keys, else their number from 1."""
        if level not in self._rows_by_key:
            numbered: dict[tuple[Value, ...], int] = {}
            for number, row in enumerate(self.outcome.lists.get(level, ())):
                numbered.setdefault(tuple(row.inputs.get(n) for n in names) or (number + 1,), number)
            self._rows_by_key[level] = numbered
        return self._rows_by_key[level]

    def _check(
        self, check: PlanCheck, filled: StepExplainer, row: tuple[tuple[str, str], ...], amount: Value
    ) -> CheckLine:
        formula = check.amount_formula
        roots = [n for n in (check.when, check.amount) if n >= 0]
        exact = filled.recorder.nodes.get(check.amount) if check.amount >= 0 else None
        rounded = amount is not None and isinstance(exact, int | Fraction) and exact != amount
        unit = Fraction(1, 10**self.plan.decimals)
        return CheckLine(
            name=check.name,
            level=check.level,
            row=row,
            severity=check.severity,
            say=self.wording.words(check.say),
            condition=formula_text(check.formula),
            figures=filled.filled(check.formula),
            amount=None if amount is None else self.wording.plain(amount, MONEY),
            shown="" if amount is None else self.wording.figure(amount, MONEY),
            amount_formula=formula_text(formula) if formula is not None else "",
            amount_figures=filled.filled(formula),
            file=check.place.file,
            line=check.place.line,
            exact=self.wording.exact(exact, MONEY) if rounded else "",
            rounding=rounded_to(self.wording, unit, self.plan.rounding, MONEY) if rounded else "",
            bands=filled.evidence.bands(roots),
            used=filled.evidence.used(roots),
            calls=filled.evidence.calls(roots),
            groups=filled.evidence.group_values(roots),
        )
