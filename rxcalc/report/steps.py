"""The steps of one row explained: of an episode, of a line, of a group."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from rxcalc.lang.arithmetic import shortest
from rxcalc.lang.types import MONEY
from rxcalc.plan.figures import figure, filled, formula_text
from rxcalc.plan.nodes import Formula, PlanClause, PlanSpread, PlanStep, Value
from rxcalc.report.book import Book, Seen
from rxcalc.report.evidence import Evidence
from rxcalc.report.model import NotApplied, SpreadFigures, StepLine
from rxcalc.report.phrases import phrase, word
from rxcalc.report.wording import cited
from rxcalc.tracing.model import Recorder, SpreadTrace, StepTrace


class StepExplainer:
    """Explains the steps of one row."""

    def __init__(self, book: Book, seen: Seen) -> None:
        self.book = book
        self.wording = book.wording
        self.recorder: Recorder = seen.recorder
        self.level = seen.level
        self.evidence = Evidence(book, seen)

    def lines(self) -> tuple[StepLine, ...]:
        """The steps that were computed and the parts received, in the order in which they are computed."""
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
            to = " 至 " if self.wording.language == "zh" else " to "
            mode = word(step.rounding.mode, self.wording.language)
            rounding = mode + to + figure(step.rounding.to, step.type, 0)
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
        )

    def received(self, spread: PlanSpread, trace: SpreadTrace) -> StepLine:
        """A part received, with the figures of the largest remainder."""
        of = self.book.plan.nodes[spread.by].type
        amount = self.wording.figure(trace.amount, MONEY)
        weight, total = (self.wording.figure(x, of, "fraction") for x in (trace.weight, trace.total))
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
            used=(),
            not_applied=(),
            cite=cited(spread.cite),
            status="",
            note="",
            file=spread.place.file,
            line=spread.place.line,
            spread=SpreadFigures(
                amount, weight, total, trace.parts, more=abs(trace.part) > abs(trace.exact) // unit * unit,
                group=self.book.group_name(trace.group) if trace.group is not None else "",
            ),
        )  # fmt: skip

    def filled(self, formula: Formula | None) -> str:
        """A formula with figures; a name that was not evaluated stays a name."""
        if formula is None:
            return ""
        names = {part: name for part, name in zip(formula.parts, formula.names, strict=True) if isinstance(part, int)}

        def value_of(node: int) -> str:
            if node in self.recorder.bands:
                return self.evidence.band_sum(node, self.recorder.bands[node])
            if node not in self.recorder.nodes:
                return names[node]
            return self.wording.figure(self.recorder.nodes[node], self.book.plan.nodes[node].type, "fraction")

        return filled(formula, value_of)

    def _not_applied(self, clause: PlanClause) -> NotApplied:
        condition = formula_text(clause.condition) if clause.condition is not None else ""
        return NotApplied(condition, self.filled(clause.condition), self.wording.words(clause.because))


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
