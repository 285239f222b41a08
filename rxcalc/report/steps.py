"""The steps of one row explained: of an episode, of a line, of a group."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Final

from rxcalc.lang.arithmetic import shortest
from rxcalc.lang.types import MONEY
from rxcalc.plan.figures import formula_text
from rxcalc.plan.nodes import Formula, PlanClause, PlanSpread, PlanStep, Value
from rxcalc.report.book import Book, Seen
from rxcalc.report.evidence import Evidence, rounded_to
from rxcalc.report.model import NotApplied, SpreadFigures, StepLine
from rxcalc.report.phrases import phrase
from rxcalc.report.reasons import Reasons
from rxcalc.report.wording import cited
from rxcalc.tracing.model import Recorder, SpreadTrace, StepTrace

SIGNS: Final = frozenset("+-*/")


class StepExplainer:
    """Explains the steps of one row."""

    def __init__(self, book: Book, seen: Seen) -> None:
        self.book = book
        self.wording = book.wording
        self.recorder: Recorder = seen.recorder
        self.seen = seen
        self.level = seen.level
        self.evidence = Evidence(book, seen)
        self.reasons = Reasons(book, seen)

    def lines(self) -> tuple[StepLine, ...]:
        """The steps that were computed and the parts received, in the order in which the bill is explained."""
        traces = {t.name: t for t in self.recorder.steps}
        found: list[StepLine] = []
        for result in self.book.results(self.level):
            match result:
                case PlanStep(name=name) if name in traces:
                    found.append(self.step(result, traces[name]))
                case PlanSpread(name=name) if name in self.recorder.spreads:
                    found.append(self.received(result, self.recorder.spreads[name]))
                case _:
                    pass
        return tuple(found)

    def step(self, step: PlanStep, trace: StepTrace) -> StepLine:
        """A step with the clause that decided, its figures, and what it read."""
        clause = step.clauses[trace.clause]
        differs = trace.exact != trace.value
        unrounded = isinstance(trace.value, Fraction) and shortest(trace.value) is None
        roots = [c.when for c in step.clauses[: trace.clause + 1] if c.when >= 0]
        roots += [clause.then] if clause.then >= 0 else []
        rounding = ""
        if differs and step.rounding is not None:
            rounding = rounded_to(self.wording, step.rounding.to, step.rounding.mode, step.type)
        written = formula_text(clause.condition) if clause.condition is not None else ""
        return StepLine(
            name=step.name,
            label=self.wording.words(step.label) or step.name,
            type=str(step.type),
            value=self.wording.plain(trace.value, step.type),
            shown=self.wording.step(step, trace.value),
            exact=self.wording.exact(trace.exact, step.type) if differs or unrounded else None,
            rounding=rounding,
            clause=written or ("otherwise" if len(step.clauses) > 1 else ""),
            clause_figures=self.filled(clause.condition),
            because=self.wording.words(clause.because),
            formula=formula_text(clause.formula) if clause.formula is not None else "",
            figures=self.filled(clause.formula),
            bands=self.evidence.bands(roots),
            used=self.evidence.used(roots),
            not_applied=tuple(self._not_applied(c) for c in step.clauses[: trace.clause]),
            cite=cited(step.cite),
            status=step.status,
            note=self.wording.words(step.note),
            file=step.place.file,
            line=clause.place.line or step.place.line,
            calls=self.evidence.calls(roots),
            groups=self.evidence.group_values(roots),
            qualifier=self.evidence.qualifier(clause.then),
        )

    def received(self, spread: PlanSpread, trace: SpreadTrace) -> StepLine:
        """A part received, with the figures of the largest remainder."""
        of = self.book.plan.nodes[spread.by].type
        amount = self.wording.written(trace.amount, MONEY)
        weight, total = (self.wording.written(x, of, "fraction") for x in (trace.weight, trace.total))
        roots = [spread.by]
        unit = Fraction(1, 10**self.book.plan.decimals)
        over = spread.target or "episodes"
        unlike = trace.exact != trace.part
        return StepLine(
            name=spread.name,
            label=self.wording.words(spread.label) or spread.name,
            type=str(MONEY),
            value=self.wording.plain(trace.part, MONEY),
            shown=self.wording.figure(trace.part, MONEY),
            exact=self.wording.exact(trace.exact, MONEY) if unlike else None,
            rounding=phrase("remainder", self.wording.language) if unlike else "",
            clause="",
            clause_figures="",
            because="",
            formula=f"{formula_text(spread.formula)} over {over} by {formula_text(spread.by_formula)}",
            figures=f"{amount} * {weight} / {total}" if trace.total else amount,
            bands=(),
            used=self.evidence.used(roots),
            not_applied=(),
            cite=cited(spread.cite),
            status="",
            note="",
            file=spread.place.file,
            line=spread.place.line,
            calls=self.evidence.calls(roots),
            groups=self.evidence.group_values(roots),
            spread=SpreadFigures(
                amount, weight, total, trace.parts, more=abs(trace.part) > abs(trace.exact) // unit * unit,
                group=self.book.group_name(trace.group) if trace.group is not None else "",
                working=self._given(spread, trace),
                all_weights=tuple((name, self.wording.written(w, of, "fraction")) for name, w in trace.weights),
            ),
        )  # fmt: skip

    def _given(self, spread: PlanSpread, trace: SpreadTrace) -> str:
        """How the amount that is divided came about: `max(0, left) = max(0, 52.30)`; "" for a field by itself."""
        if all(isinstance(part, int) for part in spread.formula.parts):
            return ""
        row = self._source(spread, trace)
        text = formula_text(spread.formula)
        figures = StepExplainer(self.book, row).filled(spread.formula) if row is not None else text
        return f"{text} = {figures}" if figures != text else text

    def _source(self, spread: PlanSpread, trace: SpreadTrace) -> Seen | None:
        """The row that gave: the episode, or a group that was computed here."""
        if not spread.source:
            return Seen(self.seen.up[""], self.seen.on, {}) if "" in self.seen.up else None
        group = self.book.groups.get(trace.group) if trace.group is not None else None
        if group is None or group.recorder is None:
            return None
        return Seen(group.recorder, group.on, {}, spread.source)

    def filled(self, formula: Formula | None) -> str:
        """A formula with figures; a name that was not evaluated stays a name, and so does one that is tested for being there."""
        if formula is None:
            return ""
        text = ""
        for at, (part, name) in enumerate(zip(formula.parts, formula.names, strict=True)):
            if isinstance(part, str):
                text += part
                continue
            after = next((p for p in formula.parts[at + 1 : at + 2] if isinstance(p, str)), "")
            text += self._figure(part, name, text, after)
        return text

    def _figure(self, node: int, name: str, before: str, after: str) -> str:
        """The figure of a hole, in brackets where the signs around it would take it apart."""
        if node not in self.recorder.nodes and node not in self.recorder.bands:
            return name
        working = self.evidence.working(node)
        value = self.recorder.nodes.get(node)
        if value is None and not working and after.startswith((" is missing", " is known")):
            return name
        figure = working or self.wording.written(value, self.book.plan.nodes[node].type, "fraction")
        signs = before.rstrip()[-1:] in SIGNS or after.lstrip()[:1] in SIGNS
        if (working and signs) or (figure.startswith("-") and before.rstrip()[-1:] in SIGNS):
            return f"({figure})"
        return figure

    def _not_applied(self, clause: PlanClause) -> NotApplied:
        condition = formula_text(clause.condition) if clause.condition is not None else ""
        because = self.wording.words(clause.because)
        return NotApplied(
            condition,
            self.filled(clause.condition),
            because,
            because or ("" if self.reasons.states(clause.when) else self.reasons.wanted(clause.when)),
            self.reasons.failed(clause.when),
        )


def without_rule(book: Book, level: str, values: Mapping[str, Value]) -> tuple[StepLine, ...]:
    """The results of a reversal: no rule was applied, each is the original's with the sign changed."""
    return tuple(_bare(book, result, values[result.name]) for result in book.results(level) if result.name in values)


def _bare(book: Book, result: PlanStep | PlanSpread, value: Value) -> StepLine:
    words = book.wording
    type_ = result.type if isinstance(result, PlanStep) else MONEY
    return StepLine(
        name=result.name, label=words.words(result.label) or result.name, type=str(type_), value=words.plain(value, type_),
        shown=words.step(result, value) if isinstance(result, PlanStep) else words.figure(value, type_), exact=None, rounding="",
        clause="", clause_figures="", because="", formula="", figures="", bands=(), used=(), not_applied=(),
        cite=cited(result.cite), status=result.status if isinstance(result, PlanStep) else "",
        note=words.words(result.note) if isinstance(result, PlanStep) else "", file=result.place.file, line=result.place.line,
    )  # fmt: skip
