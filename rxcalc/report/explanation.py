"""The explanation of one episode as data: what every output format prints."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from typing import Final, TypeAlias

from rxcalc.backends.base import Outcome, Problem
from rxcalc.backends.lookups import TableIndex
from rxcalc.lang.arithmetic import plain, round_to, shortest
from rxcalc.lang.types import MONEY, PERCENT, Kind, Plain, ScheduleType, Type
from rxcalc.plan.figures import ENDLESS_DECIMALS, figure, filled, formula_text
from rxcalc.plan.nodes import (
    CellRef,
    Formula,
    ParameterRef,
    Plan,
    PlanClause,
    PlanInput,
    PlanNode,
    PlanParameter,
    PlanPart,
    PlanPartition,
    PlanSetValue,
    PlanStep,
    ScheduleRef,
    Value,
    Words,
    share_name,
    weakest_evidence,
)
from rxcalc.report.phrases import word
from rxcalc.tracing.model import BandsTrace, Recorder, StepTrace

Cites: TypeAlias = tuple[str, ...]

BEARERS: Final = {
    "fund": {"en": "Fund", "zh": "基金"},
    "patient": {"en": "Patient", "zh": "个人"},
    "hospital": {"en": "Hospital", "zh": "医院"},
    "government": {"en": "Government", "zh": "政府"},
    "other": {"en": "Other", "zh": "其他"},
}


@dataclass(frozen=True)
class NotApplied:
    """A clause that did not decide, with its condition as written and with figures."""

    condition: str
    figures: str
    because: str


@dataclass(frozen=True)
class BandLine:
    """One band's part: figures ready to be redone."""

    low: str
    high: str
    length: str
    rate: str
    given: str  # the rate before mapping, "" when not mapped
    amount: str


@dataclass(frozen=True)
class BandsFigures:
    """The bands behind one schedule call; `target` for bands_reach."""

    call: str
    lines: tuple[BandLine, ...]
    target: str


@dataclass(frozen=True)
class Used:
    """A parameter or table cell that a step read."""

    name: str
    value: str
    since: str
    cite: Cites
    status: str


@dataclass(frozen=True)
class StepLine:
    """One step as explained. `value` is plain (JSON), `shown` is for reading; `exact` only where it differs."""

    name: str
    label: str
    type: str
    value: str | None
    shown: str
    exact: str | None
    rounding: str
    clause: str
    clause_figures: str
    because: str
    formula: str
    figures: str
    bands: tuple[BandsFigures, ...]
    used: tuple[Used, ...]
    not_applied: tuple[NotApplied, ...]
    cite: Cites
    status: str
    note: str
    file: str
    line: int


@dataclass(frozen=True)
class ShareLine:
    """One part of a partition."""

    partition: str
    bearer: str
    bearer_label: str
    part: str
    label: str
    amount: str
    shown: str
    reason: str
    formula: str
    figures: str
    cite: Cites


@dataclass(frozen=True)
class PartitionLine:
    """A partition with the amount it divides."""

    name: str
    label: str
    of: str
    amount: str
    parts: tuple[ShareLine, ...]


@dataclass(frozen=True)
class WindowLine:
    """A window call: its value, the earlier episodes it saw, whether an opening amount stands in it."""

    call: str
    value: str
    episodes: tuple[str, ...]
    opening: bool


@dataclass(frozen=True)
class Explanation:
    """Everything known about one episode's result. A refused episode has a `problem` and the steps before it."""

    rulebook: str
    version: str
    title: str
    digest: str
    status: str  # the weakest evidence: fictional, illustrative, sourced or ""
    currency: str
    episode: tuple[tuple[str, str, str], ...]  # name, label, value
    steps: tuple[StepLine, ...]
    shares: tuple[PartitionLine, ...]
    totals: tuple[tuple[str, str], ...]
    outputs: tuple[tuple[str, str], ...]
    windows: tuple[WindowLine, ...]
    assumptions: tuple[str, ...]
    sources: tuple[tuple[str, str, str], ...]  # id, title, status
    problem: Problem | None
    defaulted: tuple[str, ...]
    set_by_hand: tuple[str, ...] = ()  # inputs given by --set


def explain(
    plan: Plan,
    outcome: Outcome,
    recorder: Recorder,
    *,
    language: str = "en",
    grouped: bool = True,
    assumptions: tuple[str, ...] = (),
    defaulted: tuple[str, ...] = (),
) -> Explanation:
    """The explanation of an outcome that was computed with `recorder`. `grouped` writes 1,300.00, else 1300.00."""
    return _Explainer(plan, outcome, recorder, language, grouped=grouped).explanation(assumptions, defaulted)


def in_language(words: Words, language: str) -> str:
    """The text in a language, else in English, else the first one given."""
    texts = dict(words)
    return texts.get(language) or texts.get("") or texts.get("en") or (words[0][1] if words else "")


def plain_value(value: Value, type_: Type, decimals: int) -> str | None:
    """A value as JSON holds it: plain decimals, ISO dates, `yes` and `no`; None is missing.

    A value without a finite decimal is rounded half up to the currency's digits (six for plain numbers); its
    exact fraction stands beside it.
    """
    if value is None:
        return None
    if isinstance(value, int | Fraction) and not isinstance(value, bool):
        least = decimals if isinstance(type_, Plain) and type_.kind in (Kind.MONEY, Kind.MONEY_PER_DAY) else 0
        if isinstance(type_, Plain) and type_.kind is Kind.PERCENT:
            return figure(value, type_, decimals, grouped=False)
        places = least or ENDLESS_DECIMALS
        return shortest(value, least=least) or plain(round_to(value, Fraction(1, 10**places), "half-up"), places)
    return figure(value, type_, decimals, grouped=False)


class _Explainer:
    def __init__(self, plan: Plan, outcome: Outcome, recorder: Recorder, language: str, *, grouped: bool) -> None:
        self.plan = plan
        self.outcome = outcome
        self.recorder = recorder
        self.language = language
        self.grouped = grouped
        self.parameters = {p.name: p for p in plan.parameters}
        self.tables = {t.name: t for t in plan.tables}

    def explanation(self, assumptions: tuple[str, ...], defaulted: tuple[str, ...]) -> Explanation:
        plan, outcome = self.plan, self.outcome
        traces = {t.name: t for t in self.recorder.steps}
        steps = tuple(self._step(s, traces[s.name]) for s in plan.steps if s.name in traces)
        refused = outcome.problem is not None
        weakest = weakest_evidence(plan) if any(count for _, count in plan.evidence) else ""
        return Explanation(
            rulebook=plan.rulebook,
            version=plan.version,
            title=self.words(plan.title),
            digest=plan.digest,
            status=weakest,
            currency=plan.currency,
            episode=tuple(
                (i.name, self.words(i.label) or i.name, self._input(i, outcome.inputs.get(i.name))) for i in plan.inputs
            ),
            steps=steps,
            shares=() if refused else tuple(self._partition(index, p) for index, p in enumerate(plan.shares)),
            totals=() if refused else tuple((name, self.result(name)) for name in plan.totals),
            outputs=() if refused else tuple((name, self.result(name)) for name in plan.outputs),
            windows=tuple(
                WindowLine(w.key, self.figure(w.value, plan.window_calls[at].type), w.episodes, w.opening)
                for at, w in sorted(self.recorder.windows.items())
            ),
            assumptions=assumptions,
            sources=tuple((s.name, self.words(s.title), s.status) for s in plan.sources),
            problem=outcome.problem,
            defaulted=defaulted,
        )

    def figure(self, value: Value, type_: Type, endless: str = "both") -> str:
        """A value for readers."""
        if isinstance(value, bool) and self.grouped:
            return word("yes" if value else "no", self.language)
        return figure(value, type_, self.plan.decimals, grouped=self.grouped, endless=endless)

    def _exact(self, value: Value, type_: Type) -> str:
        """The unrounded value: for reading as fraction and decimals, as data the one that is exact."""
        if not self.grouped and isinstance(value, Fraction) and shortest(value) is None:
            return f"{value.numerator}/{value.denominator}"
        return self.figure(value, type_)

    def words(self, words: Words) -> str:
        return in_language(words, self.language)

    def result(self, name: str) -> str:
        """A step, total or part as plain text."""
        if name in self.outcome.shares:
            return plain(self.outcome.shares[name], self.plan.decimals)
        step = next((s for s in self.plan.steps if s.name == name), None)
        value = self.outcome.steps.get(name)
        return (plain_value(value, step.type, self.plan.decimals) or "") if step is not None else ""

    # ---- steps ----

    def _step(self, step: PlanStep, trace: StepTrace) -> StepLine:
        clause = step.clauses[trace.clause]
        differs = trace.exact != trace.value
        unrounded = isinstance(trace.value, Fraction) and shortest(trace.value) is None
        exact = self._exact(trace.exact, step.type) if differs or unrounded else None
        roots = [c.when for c in step.clauses[: trace.clause + 1] if c.when >= 0] + [clause.then]
        used, bands = self._evidence([r for r in roots if r >= 0], step)
        rounding = ""
        if differs and step.rounding is not None:
            to = " 至 " if self.language == "zh" else " to "
            rounding = word(step.rounding.mode, self.language) + to + figure(step.rounding.to, step.type, 0)
        return StepLine(
            name=step.name,
            label=self.words(step.label) or step.name,
            type=str(step.type),
            value=plain_value(trace.value, step.type, self.plan.decimals),
            shown=self._shown(step, trace.value),
            exact=exact,
            rounding=rounding,
            clause=formula_text(clause.condition)
            if clause.condition is not None
            else "otherwise"
            if len(step.clauses) > 1
            else "",
            clause_figures=self.filled(clause.condition),
            because=self.words(clause.because),
            formula=formula_text(clause.formula) if clause.formula is not None else "",
            figures=self.filled(clause.formula),
            bands=bands,
            used=used,
            not_applied=tuple(self._not_applied(c) for c in step.clauses[: trace.clause]),
            cite=cited(step.cite),
            status=step.status,
            note=self.words(step.note),
            file=step.place.file,
            line=clause.place.line or step.place.line,
        )

    def _shown(self, step: PlanStep, value: Value) -> str:
        return self._named(step.values, value) or self.figure(value, step.type)

    def _input(self, i: PlanInput, value: Value) -> str:
        if not self.grouped:
            return self.figure(value, i.type)
        return self._named(i.values, value) or self.figure(value, i.type)

    def _named(self, values: tuple[PlanSetValue, ...], value: Value) -> str:
        """A value of a set with its label: `county hospital (county)`."""
        for candidate in values:
            if candidate.name == value and self.words(candidate.label):
                return f"{self.words(candidate.label)} ({value})"
        return ""

    def _not_applied(self, clause: PlanClause) -> NotApplied:
        condition = formula_text(clause.condition) if clause.condition is not None else ""
        return NotApplied(condition, self.filled(clause.condition), self.words(clause.because))

    def filled(self, formula: Formula | None) -> str:
        """A formula with figures; a name that was not evaluated stays a name."""
        if formula is None:
            return ""
        names = {part: name for part, name in zip(formula.parts, formula.names, strict=True) if isinstance(part, int)}

        def value_of(node: int) -> str:
            if node in self.recorder.bands:
                return self._band_sum(node, self.recorder.bands[node])
            if node not in self.recorder.nodes:
                return names[node]
            return self.figure(self.recorder.nodes[node], self.plan.nodes[node].type, endless="fraction")

        return filled(formula, value_of)

    def _band_sum(self, node: int, trace: BandsTrace) -> str:
        """The bands as a sum that a reader can redo."""
        of = self.plan.nodes[node]
        over, value = self._schedule_kinds(of.data)
        if trace.target is not None:
            x = self.recorder.nodes.get(node)
            if not trace.parts or x == trace.end:
                return self.figure(x, of.type)
            last = trace.parts[-1]
            start, left, rate = (
                self.figure(last.low, over),
                self.figure(last.amount, of.type),
                self.figure(last.mapped, value),
            )
            return f"{start} + {left} / {rate}"
        terms = [
            f"{self.figure(p.high - p.low, over, endless='fraction')} * {self.figure(p.mapped, value)}"
            for p in trace.parts
        ]
        return " + ".join(terms) or self.figure(Fraction(0), of.type)

    def _schedule_kinds(self, data: object) -> tuple[Type, Type]:
        parameter = self.parameters.get(data.parameter) if isinstance(data, ScheduleRef) else None
        if parameter is not None and isinstance(parameter.type, ScheduleType):
            return Plain(parameter.type.over), Plain(parameter.type.value)
        return MONEY, PERCENT

    # ---- what a step read ----

    def _evidence(self, roots: list[int], step: PlanStep) -> tuple[tuple[Used, ...], tuple[BandsFigures, ...]]:
        del step
        used: dict[str, Used] = {}
        bands: list[BandsFigures] = []
        seen: set[int] = set()
        stack = list(reversed(roots))
        while stack:
            index = stack.pop()
            if index in seen:
                continue
            seen.add(index)
            node = self.plan.nodes[index]
            stack.extend(reversed(node.args))
            if index in self.recorder.bands:
                bands.append(self._bands(index, self.recorder.bands[index]))
            match node.data:
                case ParameterRef(parameter=name) | ScheduleRef(parameter=name):
                    evaluated = index in self.recorder.nodes
                    if evaluated:
                        parameter = self.parameters[name]
                        value = (
                            ""
                            if isinstance(node.data, ScheduleRef)
                            else self.figure(self.recorder.nodes.get(index), node.type)
                        )
                        text = self._lookup(name, node)
                        used.setdefault(
                            text, Used(text, value, self._since(parameter), cited(parameter.cite), parameter.status)
                        )
                case CellRef(table=name, column=column) if column and index in self.recorder.nodes:
                    cell = self._cell(name, column, node)
                    used.setdefault(cell.name, replace(cell, value=self.figure(self.recorder.nodes[index], node.type)))
                case _:
                    pass
        return tuple(used.values()), tuple(bands)

    def _cell(self, name: str, column: str, node: PlanNode) -> Used:
        """A table cell with its keys, and the row it stands in: `ceiling[D1].most`, line 2 of the table."""
        table = self.tables[name]
        count = node.data.keys if isinstance(node.data, CellRef) else 0
        keys = tuple(self.recorder.nodes.get(a) for a in node.args[:count])
        shown = ", ".join(self.figure(k, of) for k, of in zip(keys, table.key_types, strict=True))
        on = (
            self.recorder.nodes.get(node.args[count])
            if len(node.args) > count
            else self.outcome.inputs.get(self.plan.effective_by)
        )
        row = TableIndex(table).find(keys, on) if isinstance(on, date) and None not in keys else None
        place = (f"{table.file}:{row.line}",) if row is not None and table.file else ()
        since = str(row.start) if row is not None and row.start is not None else ""
        return Used(f"{name}[{shown}].{column}", "", since, (*place, *cited(table.cite)), table.status)

    def _lookup(self, name: str, node: PlanNode) -> str:
        """A parameter with its keys as looked up: `deductible[county]`."""
        count = node.data.keys if isinstance(node.data, ParameterRef | ScheduleRef) else 0
        keys = [
            self.figure(self.recorder.nodes[a], self.plan.nodes[a].type)
            if a in self.recorder.nodes
            else self.plan.nodes[a].text
            for a in node.args[:count]
        ]
        return f"{name}[{', '.join(keys)}]" if keys else name

    def _since(self, parameter: PlanParameter) -> str:
        on = self.outcome.inputs.get(self.plan.effective_by)
        started = [s.start for s in parameter.segments if on is not None and s.start <= on]  # type: ignore[operator]  # a date
        return str(started[-1]) if started else ""

    def _bands(self, index: int, trace: BandsTrace) -> BandsFigures:
        node = self.plan.nodes[index]
        over, value = self._schedule_kinds(node.data)
        lines = tuple(
            BandLine(
                self.figure(p.low, over, endless="near"),
                self.figure(p.high, over, endless="near"),
                self.figure(p.high - p.low, over, endless="near"),
                self.figure(p.mapped, value),
                self.figure(p.rate, value) if p.rate != p.mapped else "",
                self.figure(p.amount, node.type, endless="near"),
            )
            for p in trace.parts
        )
        return BandsFigures(node.text, lines, self.figure(trace.target, node.type) if trace.target is not None else "")

    # ---- shares ----

    def _partition(self, index: int, partition: PlanPartition) -> PartitionLine:
        parts: list[ShareLine] = []
        whole = Fraction(0)
        for part in partition.parts:
            name = share_name(index, partition.name, part.bearer, part.part)
            amount = self.outcome.shares[name]
            whole += amount
            parts.append(self._part(partition, part, amount))
        shown = self.figure(whole, Plain(Kind.MONEY))
        return PartitionLine(
            partition.name,
            self.words(partition.label) or partition.name,
            formula_text(partition.of_formula),
            shown,
            tuple(parts),
        )

    def _part(self, partition: PlanPartition, part: PlanPart, amount: Fraction) -> ShareLine:
        return ShareLine(
            partition=partition.name,
            bearer=part.bearer,
            bearer_label=self.words(part.bearer_label) or BEARERS.get(part.bearer, {}).get(self.language, part.bearer),
            part=part.part,
            label=self.words(part.label) or part.part or part.bearer,
            amount=plain(amount, self.plan.decimals),
            shown=self.figure(amount, Plain(Kind.MONEY)),
            reason=part.reason,
            formula=formula_text(part.formula) if part.formula is not None else "rest",
            figures=self.filled(part.formula) if part.formula is not None else "",
            cite=cited(part.cite),
        )


def cited(cite: Words) -> Cites:
    """Citations as `source, place`."""
    return tuple(f"{source}, {place}" if place else source for source, place in cite)
