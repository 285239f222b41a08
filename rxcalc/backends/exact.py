"""The exact back end: one episode over rationals. It defines what a rulebook means."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from typing import Final

from rxcalc.backends.base import Outcome, Problem
from rxcalc.backends.exact_nodes import SAFE_BITS, Frame, NodeCompiler, Thunk
from rxcalc.backends.exact_ops import Refused
from rxcalc.lang.arithmetic import MAX_BITS, plain, round_to
from rxcalc.lang.ops import Op
from rxcalc.lang.types import is_whole
from rxcalc.plan.figures import figure, filled, formula_text
from rxcalc.plan.nodes import Formula, Plan, PlanCondition, PlanPartition, PlanStep, Value, share_name
from rxcalc.tracing.model import Recorder, StepTrace

KEYED: Final = frozenset({Op.PARAMETER, Op.CELL, Op.BANDS, Op.BAND, Op.BANDS_REACH, Op.SLICE, Op.ALONG, Op.OVER_DAYS})


class Exact:
    """Evaluates episodes of one plan.

    Inputs are checked values (`inputs/records.py`), every declared input present. The result with
    a recorder equals the result without one.
    """

    def __init__(self, plan: Plan, *, recording: bool = False) -> None:
        self.plan = plan
        self.unit = Fraction(1, 10**plan.decimals)
        self.nothing_before = Windows(plan)
        self.thunks: list[Thunk] = NodeCompiler(plan, _shown_nodes(plan) if recording else frozenset()).thunks
        self.steps = [_StepRunner(s, self.thunks) for s in plan.steps]
        self.names_total = frozenset(s.name for s in plan.steps) & frozenset(plan.totals)

    def run(
        self, inputs: Mapping[str, Value], windows: Windows | None = None, recorder: Recorder | None = None
    ) -> Outcome:
        """The outcome of one episode; `windows` answers its window calls (None: nothing came before)."""
        on = inputs[self.plan.effective_by]
        assert isinstance(on, date)  # noqa: S101 - a required date input, checked by the compiler
        frame = Frame(inputs, on, (windows or self.nothing_before).value, recorder)
        try:
            self._effective(on)
            self._reversal(inputs)
            self._requires(frame)
            for step in self.steps:
                step.run(frame)
            for index, partition in enumerate(self.plan.shares):
                self._divide(index, partition, frame)
            for guarantee in self.plan.guarantees:
                self._guarantee(guarantee, frame)
        except Refused as refused:
            return Outcome(inputs, frame.steps, frame.shares, refused.problem)
        return Outcome(inputs, frame.steps, frame.shares)

    def run_scalar(self, inputs: Mapping[str, Value], window_values: Mapping[int, Value] | None) -> Outcome:
        """The outcome of one episode whose window calls are already known, by index of the call."""
        return self.run(inputs, Given(self.plan, window_values) if window_values is not None else None)

    def value_of(self, node: int, outcome: Outcome) -> Value:
        """The value of a node that reads only inputs and results (a trend guarantee) for a finished outcome."""
        on = outcome.inputs[self.plan.effective_by]
        assert isinstance(on, date)  # noqa: S101 - a required date input, checked by the compiler
        frame = Frame(outcome.inputs, on, self.nothing_before.value, None)
        frame.steps, frame.shares = dict(outcome.steps), dict(outcome.shares)
        value: Value = self.thunks[node](frame)
        return value

    # ---- before and after the steps ----

    def _effective(self, on: date) -> None:
        plan = self.plan
        if on < plan.effective_from or (plan.effective_to is not None and on > plan.effective_to):
            until = f" to {plan.effective_to}" if plan.effective_to is not None else " on"
            message = f"the rulebook is effective from {plan.effective_from}{until}; use the version for this date"
            raise Refused(Problem("RX723", plan.effective_by, str(on), message))

    def _reversal(self, inputs: Mapping[str, Value]) -> None:
        """Refuses a reversal: its negated results are not built yet, and computed like a bill it would count twice."""
        field = self.plan.sequence.reverses if self.plan.sequence is not None else ""
        if field and inputs[field] is not None:
            message = f"{field} names an episode that this one reverses; this version cannot compute reversals, take both out of the file"
            raise Refused(Problem("RX812", field, str(inputs[field]), message))

    def _requires(self, frame: Frame) -> None:
        for condition in self.plan.requires:
            if not self.thunks[condition.that](frame):
                said = _first(condition.say)
                figures = self._figures(condition.formula, frame)
                text = formula_text(condition.formula)
                message = f"{said + ': ' if said else ''}`{text}` does not hold ({figures})"
                raise Refused(Problem("RX722", text, figures, message))

    def _guarantee(self, guarantee: PlanCondition, frame: Frame) -> None:
        if not self.thunks[guarantee.that](frame):
            text = formula_text(guarantee.formula)
            figures = self._figures(guarantee.formula, frame)
            message = f"the results break the rulebook's guarantee `{text}` ({figures}); the rulebook must be mended"
            raise Refused(Problem("RX803", text, figures, message))

    def _divide(self, index: int, partition: PlanPartition, frame: Frame) -> None:
        plan = self.plan
        whole = round_to(self.thunks[partition.of](frame), self.unit, plan.rounding)
        amounts = [
            None if part.value < 0 else round_to(self.thunks[part.value](frame), self.unit, plan.rounding)
            for part in partition.parts
        ]
        rest = whole - sum((a for a in amounts if a is not None), Fraction(0))
        totals: dict[str, Fraction] = {}
        left = rest
        for part, amount in zip(partition.parts, amounts, strict=True):
            own = rest if amount is None else amount
            if amount is None:
                left = Fraction(0)
            name = share_name(index, partition.name, part.bearer, part.part)
            if own < 0 and not part.may_be_negative:
                shown = self._money(own)
                message = f"`{name}` would be {shown}; a part must not be negative unless the rulebook says `may_be_negative: yes`"
                raise Refused(Problem("RX802", name, shown, message))
            frame.shares[name] = own
            totals[part.bearer] = totals.get(part.bearer, Fraction(0)) + own
        if left != 0:
            message = f"the parts of `{partition.name}` add up to {self._money(whole - left)}, not to {self._money(whole)}: {self._money(left)} has no bearer"
            raise Refused(Problem("RX801", partition.name, self._money(left), message))
        if index == 0:
            for bearer, total in totals.items():
                name = f"{bearer}_pays"
                if name in self.names_total:
                    if frame.steps.get(name) != total:
                        own_value = frame.steps.get(name)
                        shown = self._money(own_value) if isinstance(own_value, int | Fraction) else str(own_value)
                        message = f"step `{name}` is {shown}, but the parts that `{bearer}` bears add up to {self._money(total)}"
                        raise Refused(Problem("RX804", name, shown, message))
                else:
                    frame.shares[name] = total

    def _figures(self, formula: Formula, frame: Frame) -> str:
        nodes = self.plan.nodes
        return filled(formula, lambda n: figure(self.thunks[n](frame), nodes[n].type, self.plan.decimals))

    def _money(self, amount: Fraction | int) -> str:
        return plain(amount, self.plan.decimals, grouped=True) if (amount / self.unit).denominator == 1 else str(amount)


class Windows:
    """Answers window calls. This one knows of no earlier episode: sums and counts are 0, the others missing."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    def value(self, call: int, frame: Frame) -> Value:
        """The value of a window call for the episode in `frame`."""
        del frame
        return 0 if self.plan.window_calls[call].function in ("sum", "count") else None


class Given(Windows):
    """Window calls whose values are known."""

    def __init__(self, plan: Plan, values: Mapping[int, Value]) -> None:
        super().__init__(plan)
        self.values = values

    def value(self, call: int, frame: Frame) -> Value:
        """The given value."""
        del frame
        return self.values[call]


class _StepRunner:
    """One step: clauses compiled, rounding at hand."""

    __slots__ = ("clauses", "rounding", "step", "unbounded", "whole")

    def __init__(self, step: PlanStep, thunks: list[Thunk]) -> None:
        self.step = step
        self.rounding = step.rounding
        self.whole = is_whole(step.type)
        proven = step.scale and step.low is not None and step.high is not None
        self.unbounded = not proven or max(-(step.low or 0), step.high or 0) > 2**SAFE_BITS
        self.clauses = [
            (thunks[c.when] if c.when >= 0 else None, thunks[c.then] if c.then >= 0 else None, c) for c in step.clauses
        ]

    def run(self, frame: Frame) -> None:
        for index, (when, then, clause) in enumerate(self.clauses):
            if when is None or when(frame):
                if then is None:
                    said = _first(clause.because) or clause.because_name
                    message = f"the rulebook rejects this episode{': ' + said if said else ''}"
                    raise Refused(Problem("RX721", self.step.name, clause.because_name or said, message))
                exact = then(frame)
                value = exact
                if self.rounding is not None and exact is not None:
                    value = round_to(exact, self.rounding.to, self.rounding.mode)
                    if self.whole:
                        value = value.numerator
                if self.unbounded and isinstance(value, int | Fraction) and _bits(value) > MAX_BITS:
                    message = f"`{self.step.name}` has more than {MAX_BITS} bits; make the numbers smaller"
                    raise Refused(Problem("RX718", self.step.name, "", message))
                frame.steps[self.step.name] = value
                if frame.recorder is not None:
                    frame.recorder.steps.append(StepTrace(self.step.name, index, exact, value))
                return
        message = f"no clause of `{self.step.name}` holds; the compiler should have seen this"
        raise Refused(Problem("RX902", self.step.name, "", message))


def _bits(value: int | Fraction) -> int:
    return max(value.numerator.bit_length(), value.denominator.bit_length())


def _first(words: tuple[tuple[str, str], ...]) -> str:
    """The English text of a message, else its first."""
    by_language = dict(words)
    return by_language.get("en") or (words[0][1] if words else "")


def _shown_nodes(plan: Plan) -> frozenset[int]:
    """The nodes whose values explanations print."""
    formulas: list[Formula | None] = [p.of_formula for p in plan.shares]
    formulas += [part.formula for p in plan.shares for part in p.parts]
    formulas += [f for s in plan.steps for c in s.clauses for f in (c.condition, c.formula)]
    holes = {part for f in formulas if f is not None for part in f.parts if isinstance(part, int)}
    # The keys of a lookup are shown with it: `deductible[county]`.
    keys = {a for h in holes for a in plan.nodes[h].args if plan.nodes[h].op in KEYED}
    return frozenset(holes | keys | {n for k in keys if plan.nodes[k].body for n in _parameters_below(plan, k)})


def _parameters_below(plan: Plan, root: int) -> set[int]:
    """The parameters that a mapped rate reads."""
    found: set[int] = set()
    stack = [root]
    while stack:
        index = stack.pop()
        if plan.nodes[index].op is Op.PARAMETER:
            found.add(index)
        stack.extend(plan.nodes[index].args)
    return found
