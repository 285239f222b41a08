"""The questions of `explain --ask`, and what the results can be so far, as plain text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Final

from rxcalc.bill.charged import Result
from rxcalc.bill.interview import Interview, Kind, Question
from rxcalc.bill.possible import ABSENT, Choice, Possible, Span, is_known, value_of
from rxcalc.inputs.groups import WIDE
from rxcalc.lang.ops import Op
from rxcalc.lang.types import FLAG, MONEY, OneOf, Plain, Type, is_numeric
from rxcalc.lang.types import Kind as TypeKind
from rxcalc.plan.figures import formula_text
from rxcalc.plan.nodes import Plan, PlanInput, PlanSetValue, PlanStep, PlanWindow, Value, Words, share_name
from rxcalc.report.bearers import bearer_of, total_label
from rxcalc.report.layout import indented, wrap
from rxcalc.report.phrases_ask import phrase
from rxcalc.report.wording import Wording, in_language

MOST_NAMED: Final = 8
MOST_CAUSES: Final = 6

_KINDS: Final[Mapping[TypeKind, str]] = {
    TypeKind.PERCENT: "percent",
    TypeKind.NUMBER: "number",
    TypeKind.COUNT: "whole",
    TypeKind.DAYS: "whole",
    TypeKind.MONTHS: "whole",
    TypeKind.YEARS: "whole",
    TypeKind.DATE: "date",
    TypeKind.FLAG: "yes_no",
    TypeKind.CODE: "code",
    TypeKind.CODES: "codes",
    TypeKind.TEXT: "text",
}


class AskWords:
    """How an interview about one rulebook is worded."""

    def __init__(self, plan: Plan, language: str, columns: int) -> None:
        self.plan = plan
        self.language = language
        self.columns = columns
        self.wording = Wording(language, plan.decimals, grouped=True)
        self.readers = _readers(plan)
        self.types = _types(plan)

    def say(self, key: str, *given: object) -> str:
        """A fixed sentence."""
        return phrase(key, self.language, *given)

    def wrapped(self, text: str, indent: int = 0) -> list[str]:
        """A text at the terminal's width."""
        return [" " * indent + line for line in wrap(text, max(20, self.columns - indent))]

    def listed(self, names: Iterator[str] | list[str] | tuple[str, ...]) -> str:
        """Names one after the other."""
        found = list(dict.fromkeys(names))
        return self.say("sep").join(found[:MOST_NAMED]) + (" .." if len(found) > MOST_NAMED else "")

    # ---- questions ----

    def title(self, question: Question) -> str:
        """What is asked for."""
        match question.kind:
            case Kind.BEFORE:
                windows = dict.fromkeys(self.window(w) for w in self.plan.windows if not w.level)
                return self.say("before", self.say("or").join(windows))
            case Kind.LIST:
                return self.say("list", self.list_label(question.name.removeprefix("list:")))
            case Kind.OPENING:
                return self.say("opening", self.call_label(question.name.removeprefix("so_far:")))
            case Kind.GROUP:
                kind, _, name = question.name.removeprefix("group:").partition(".")
                group = next(g for g in self.plan.groups if g.name == kind)
                label = next((self._labelled(s.label, s.name) for s in group.steps if s.name == name), name)
                return self.say("group", self._labelled(group.label, kind), label)
            case _:
                return self.label(question.name)

    def label(self, name: str) -> str:
        """An unknown by its label and name."""
        kind, _, rest = name.partition(":")
        if kind == "so_far":
            return self.call_label(rest)
        if kind == "group":
            return rest
        if kind == "list":
            return self.list_label(rest)
        if name == "before":
            return self.title(Question(Kind.BEFORE, name))
        spec = next((i for i in self.plan.inputs if i.name == name), None)
        return self._labelled(spec.label, name) if spec is not None else name

    def call_label(self, key: str) -> str:
        """A window call in words, with its text."""
        call = next(c for c in self.plan.calls if c.key == key)
        if call.function == "count":
            return self.say("call_count", key)
        of = self.plan.nodes[call.value] if call.value >= 0 else None
        if of is None or of.op is not Op.EARLIER or not isinstance(of.data, tuple):
            return key
        name = str(of.data[1])
        label = next(
            (self._labelled(i.label, name) for i in self.plan.inputs if i.name == name), self.result_label(name)
        )
        return self.say(f"call_{call.function}", label.partition(" (")[0], key)

    def window(self, w: PlanWindow) -> str:
        """Which bills a window holds, in words."""
        if w.calendar:
            day = f"{w.starting[0]:02d}-{w.starting[1]:02d}"
            if w.calendar == "year" and w.starting_input:
                told = self.say("window_starting_input", self.label(w.starting_input))
            elif w.calendar == "year" and w.starting != (1, 1):
                told = self.say("window_starting", day)
            else:
                told = self.say(f"window_{w.calendar}")
        elif w.rolling_unit:
            told = self.say("window_calendar_rolling", w.rolling[0], self.say(f"unit_{w.rolling_unit}"))
        else:
            lengths = {"rolling": w.rolling, "gap": w.gap, "period": w.period}
            kind = next((kind for kind, (length, _) in lengths.items() if length), "")
            if not kind:
                told = self.say("window_all")
            else:
                length, unit = lengths[kind]
                told = self.say(f"window_{kind}", length, self.say(f"unit_{unit}"))
        same = [self.label(name).partition(" (")[0] for name in w.same]
        return self.say("window_same", told, self.listed(same)) if same else told

    def list_label(self, name: str) -> str:
        """A list by its label and name."""
        return next((self._labelled(x.label, name) for x in self.plan.lists if x.name == name), name)

    def _labelled(self, label: Words, name: str) -> str:
        text = in_language(label, self.language)
        return f"{text} ({name})" if text and text != name else name

    def field(self, spec: PlanInput) -> str:
        """A field of a row by its label and name."""
        return self._labelled(spec.label, spec.name)

    def options(self, spec: PlanInput) -> list[str]:
        """The values of a set with their numbers."""
        lines: list[str] = []
        for at, value in enumerate(self.values(spec), start=1):
            lines += indented(f"{at})", self._labelled(value.label, value.name), self.columns, 2, 4)
        return lines

    @staticmethod
    def values(spec: PlanInput) -> tuple[PlanSetValue, ...]:
        """The values that are shown with a number."""
        return spec.values

    def wanted(self, question: Question) -> str:
        """What an answer looks like, in brackets behind the question."""
        if question.kind is Kind.BEFORE:
            return self.say("yes_no")
        if question.kind is Kind.LIST:
            required = any(x.required for x in self.plan.lists if f"list:{x.name}" == question.name)
            return self.say("list_how_required" if required else "list_how")
        return self.of_cell(question.spec) if question.spec is not None else ""

    def of_cell(self, spec: PlanInput) -> str:
        """What a cell looks like."""
        if isinstance(spec.type, OneOf):
            found = [self.say("number_or_name")]
        elif isinstance(spec.type, Plain) and spec.type.kind in _KINDS:
            found = [self.say(_KINDS[spec.type.kind])]
        else:
            found = [self.say("amount", self.plan.currency)]
        if spec.default is not None:
            found.append(self.say("enter_default", self.value(spec, spec.default)))
        elif spec.optional:
            found.append(self.say("may_be_none"))
        return self.say("semicolon").join(found)

    def value(self, spec: PlanInput, value: Value) -> str:
        """A value of an input."""
        return self.say("none_value") if value is None else self.wording.input(spec, value)

    def help(self, question: Question) -> list[str]:
        """What a question is about, and why it is asked."""
        lines: list[str] = []
        spec = question.spec
        if question.kind is Kind.BEFORE:
            lines += self.wrapped(self.say("help_before"), 2)
            for w in self.plan.windows:
                if not w.level:
                    lines += self.wrapped(self.say("help_what", w.name, self.window(w)), 4)
            steps = [s for name, (found, _) in self.readers.items() if name.startswith("so_far:") for s in found]
            lines += self.wrapped(self.say("help_reads", self.listed([self.step_label(n) for n in steps])), 2)
        elif question.kind is Kind.LIST:
            x = next(x for x in self.plan.lists if f"list:{x.name}" == question.name)
            lines += self.wrapped(self.say("help_list", self.listed([self.field(i) for i in x.inputs])), 2)
        elif spec is not None:
            lines += self.wrapped(self.say("help_what", self.title(question), self.of_cell(spec)), 2)
            lines += self._limits(spec)
        if question.name == self.plan.effective_by:
            lines += self.wrapped(self.say("help_date", self.plan.rulebook), 2)
        reads, tests = self.readers.get(question.name, ((), ()))
        if reads:
            lines += self.wrapped(self.say("help_reads", self.listed([self.step_label(n) for n in reads])), 2)
        if tests:
            lines += self.wrapped(self.say("help_requires", self.listed(tests)), 2)
        if not reads and not tests and question.kind is Kind.INPUT and question.name != self.plan.effective_by:
            lines += self.wrapped(self.say("help_nothing"), 2)
        return [*lines, *self.wrapped(self.say("help_keys"), 2)]

    def _limits(self, spec: PlanInput) -> list[str]:
        """Between which values an input lies; nothing of one whose limits are those of any number or day."""
        wide = WIDE if is_numeric(spec.type) else None
        low = None if wide is not None and spec.low == -wide else spec.low
        high = None if wide is not None and spec.high == wide else spec.high
        match (
            None if low is None else self.wording.figure(low, spec.type),
            None if high is None else self.wording.figure(high, spec.type),
        ):
            case (None, None):
                return []
            case (from_, None):
                return self.wrapped(self.say("help_from", from_), 2)
            case (None, to):
                return self.wrapped(self.say("help_to", to), 2)
            case (from_, to):
                return self.wrapped(self.say("help_limits", from_, to), 2)

    def charged(self, of: Result) -> str:
        """An amount as a bill states it, by its label."""
        bearer = bearer_of(of.name) if of.kind == "total" else ""
        label = in_language(of.label, self.language)
        return self.say("paper_one", total_label(bearer, label, self.language) if bearer else label or of.name)

    def step_label(self, name: str) -> str:
        """A step by its label and name; `shares:NAME` is a partition, `check:N` a finding."""
        if name.startswith("check:"):
            check = self.plan.checks[int(name.removeprefix("check:"))]
            return self.say("finding", in_language(check.say, self.language) or check.name)
        if name.startswith("shares:"):
            label = next(p.label for p in self.plan.shares if f"shares:{p.name}" == name)
            return in_language(label, self.language) or self.say("division")
        steps: dict[str, PlanStep] = {s.name: s for x in self.plan.lists for s in x.steps} | {
            s.name: s for s in self.plan.steps
        }
        return self._labelled(steps[name].label, name) if name in steps else name

    # ---- results ----

    def result_label(self, name: str) -> str:
        """A result by its label."""
        if name == "patient_pays" and name in self.plan.totals:
            return self.say("patient_pays")
        for at, p in enumerate(self.plan.shares):
            for part in p.parts:
                if share_name(at, p.name, part.bearer, part.part) == name:
                    return self._labelled(part.label, name)
        return self.step_label(name)

    def possible(self, name: str, found: Possible) -> str:
        """What a result can be."""
        label, of = self.result_label(name), self.types.get(name, MONEY)
        pays = name == "patient_pays" and name in self.plan.totals
        missing = self.say("may_miss") if found.missing and found != ABSENT else ""
        if found == ABSENT:
            return self.say("exactly", label, self.say("none_value"))
        if is_known(found):
            return self.say("exactly_pays" if pays else "exactly", label, self._figure(name, value_of(found, of), of))
        if isinstance(found, Choice):
            if found.values is None:
                return self.say("anything", label)
            order = of.values if isinstance(of, OneOf) else ()
            values = sorted(found.values, key=lambda v: (order.index(v) if v in order else 0, str(v)))
            return self.say("one_of", label, self.say("or").join(self._figure(name, v, of) for v in values)) + missing
        ends = [None if x is None else self.wording.figure(_end(x, of), of, "near") for x in (found.low, found.high)]
        match ends:
            case [None, None]:
                return self.say("anything", label)
            case [low, None]:
                return self.say("at_least", label, low) + missing
            case [None, high]:
                return self.say("at_most", label, high) + missing
            case [low, high]:
                return self.say("range_pays" if pays else "range", label, low, high) + missing
        return label

    def _figure(self, name: str, value: Value, of: Type) -> str:
        step = next((s for s in self.plan.steps if s.name == name), None)
        return self.wording.step(step, value) if step is not None else self.wording.figure(value, of)

    def headline(self, interview: Interview) -> str:
        """The result that the range after each answer is about: what the patient pays, else the last amount of the outputs."""
        results = interview.bounds.results
        if "patient_pays" in results:
            return "patient_pays"
        amounts = [n for n in self.plan.outputs if self.types.get(n, MONEY) == MONEY]
        return amounts[-1] if amounts else self.plan.outputs[-1]

    def so_far(self, interview: Interview) -> list[str]:
        """The range of the result so far, and what is open. While an amount is open its bounds are those of any amount."""
        name, result = self.headline(interview), interview.bounds.results
        amounts = {i.name for i in self.plan.inputs if i.type == MONEY}
        wide = not amounts.isdisjoint(interview.bounds.open) and not is_known(result[name])
        text = self.say("so_far_wide") if wide else self.say("so_far", self.possible(name, result[name]))
        still = [self.label(n) for n in interview.bounds.open]
        if still:
            text += self.say("open", self.listed(still))
        return self.wrapped(text)

    def unsettled(self, interview: Interview) -> list[str]:
        """The proven ranges of all results, and which unknown keeps them open."""
        bounds = interview.bounds
        shown = [n for n in dict.fromkeys((*self.plan.outputs, *self.plan.totals)) if n in bounds.results]
        lines = self.wrapped(self.say("unsettled"))
        for name in shown:
            if not is_known(bounds.results[name]):
                lines += self.wrapped(self.possible(name, bounds.results[name]), 2)
        known = [n for n in shown if is_known(bounds.results[n])]
        if known:
            lines += ["", *self.wrapped(self.say("certain"))]
            for name in known:
                lines += self.wrapped(self.possible(name, bounds.results[name]), 2)
        lines += ["", *self.wrapped(self.say("causes"))]
        for name in bounds.open:
            lines += self._cause(interview, name)
        return lines

    def _cause(self, interview: Interview, name: str) -> list[str]:
        """An unknown, with the range that each of its values would leave, or the steps that read it."""
        lines = self.wrapped(self.label(name), 2)
        head = self.headline(interview)
        own = interview.domain(name)
        values = sorted(own.values, key=str) if isinstance(own, Choice) and own.values is not None else []
        spec = next((i for i in self.plan.inputs if i.name == name), None)
        if values and len(values) <= MOST_CAUSES and spec is not None:
            order = [v.name for v in spec.values]
            values.sort(key=lambda v: order.index(v) if v in order else 0)  # type: ignore[arg-type] # names of the set
            tries: list[Possible] = [Choice(frozenset({v})) for v in values]
            for possible in [*tries, *([ABSENT] if own.missing else [])]:
                found = interview.when(name, possible)
                if not found.is_refused:
                    told = self.possible(head, found.results[head])
                    lines += self.wrapped(
                        self.say("cause_if", self.value(spec, value_of(possible, spec.type)), told), 4
                    )
            return lines
        reads, _ = self.readers.get(name, ((), ()))
        if reads:
            lines += self.wrapped(self.say("cause_read", self.listed([self.step_label(n) for n in reads])), 4)
        return lines

    def filled(self, filled: Mapping[str, Value]) -> list[str]:
        """What was entered without being asked."""
        specs = {i.name: i for i in self.plan.inputs}
        names = [self.say("filled_as", self.label(n), self.value(specs[n], v)) for n, v in filled.items()]
        return self.wrapped(self.say("filled", self.say("sep").join(names))) if names else []


def _end(x: Fraction, of: Type) -> Value:
    return value_of(Span(x, x), of)


def _types(plan: Plan) -> dict[str, Type]:
    found: dict[str, Type] = {s.name: s.type for s in plan.steps}
    return found | {f"check:{at}": FLAG for at, _ in enumerate(plan.checks)}


def _readers(plan: Plan) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """By unknown: the steps whose rules read it, and the requirements that do."""
    across = {g.name for g in plan.groups if not g.inside}
    steps: dict[str, list[str]] = {}
    tests: dict[str, list[str]] = {}
    for step in (*plan.steps, *(s for x in plan.lists for s in x.steps)):
        for name in _read(plan, [n for c in step.clauses for n in (c.when, c.then) if n >= 0], across):
            steps.setdefault(name, []).append(step.name)
    for p in plan.shares:
        for part in p.parts:
            for name in _read(plan, [n for n in (p.of, part.value) if n >= 0], across):
                steps.setdefault(name, []).append(f"shares:{p.name}")
    for at, check in enumerate(plan.checks):
        for name in _read(plan, [check.when] if not check.level else [], across):
            steps.setdefault(name, []).append(f"check:{at}")
    for condition in plan.requires:
        for name in _read(plan, [condition.that], across):
            tests.setdefault(name, []).append(formula_text(condition.formula))
    names = steps.keys() | tests.keys()
    return {n: (tuple(dict.fromkeys(steps.get(n, ()))), tuple(dict.fromkeys(tests.get(n, ())))) for n in names}


def _read(plan: Plan, roots: list[int], across: set[str]) -> Iterator[str]:
    """The unknowns that expressions read themselves."""
    stack, seen = list(roots), set[int]()
    while stack:
        index = stack.pop()
        if index in seen:
            continue
        seen.add(index)
        node = plan.nodes[index]
        stack += node.args
        if node.op is Op.INPUT and not node.level:
            yield str(node.data)
        elif node.op is Op.WINDOW:
            yield f"so_far:{plan.calls[int(str(node.data))].key}"
        elif node.op is Op.ROWS:
            call = plan.calls[int(str(node.data))]
            yield f"list:{call.element}"
            stack += [n for n in (call.value, call.where) if n >= 0]
        elif node.op in (Op.LIFT, Op.GROUP) and node.data in across:
            yield f"group:{node.data}.{plan.nodes[node.args[0]].data}"
