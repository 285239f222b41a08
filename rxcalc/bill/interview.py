"""What to ask next of a bill of which not everything is known: only what can still make a difference, the most telling first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from enum import Enum
from fractions import Fraction
from functools import cached_property
from itertools import islice, product
from typing import Final, TypeAlias

from rxcalc.backends.base import Row
from rxcalc.backends.exact import Exact
from rxcalc.backends.exact_groups import run_all
from rxcalc.bill.bounds import Bounder, Bounds, Partial, domain_of, grid_of, group_fields
from rxcalc.bill.bounds_scene import of_type
from rxcalc.bill.looking_back import Before, answers_of, read_calls
from rxcalc.bill.possible import ABSENT, Choice, Possible, Span, is_known, met, point, without_missing
from rxcalc.inputs.groups import result_specs
from rxcalc.inputs.openings import normal, opening_specs
from rxcalc.lang.ops import Op
from rxcalc.plan.nodes import CellRef, Plan, PlanInput, Value

CASES: Final = 64
"""Cases worked out after each answer."""
CASES_TO_RANK: Final = 48
"""Cases spent on finding the next question, over all that could be asked."""
MOST_TRIED: Final = 8
MOST_FILLED: Final = 400
KEYS_TRIED: Final = 3

Rows: TypeAlias = "tuple[Mapping[str, Value], ...]"


class Kind(Enum):
    """What a question asks for."""

    INPUT = "input"
    BEFORE = "before"  # whether anything came before the bill
    OPENING = "so_far"
    GROUP = "group"
    LIST = "list"


@dataclass(frozen=True)
class Question:
    """One thing to ask. `name` is that of the unknown; `spec` says how an answer is read (None: a list, or yes or no)."""

    kind: Kind
    name: str
    spec: PlanInput | None = None


@dataclass(frozen=True)
class Answer:
    """What was said to a question: a value (of a list its rows), or that it is not known."""

    value: Value = None
    known: bool = True


@dataclass(frozen=True)
class Given:
    """What an episode file says before anything is asked.

    `before` says whether anything came before the bill: None where the file does not tell.
    """

    values: Mapping[str, Value] = field(default_factory=dict)
    lists: Mapping[str, Rows] = field(default_factory=dict)
    groups: Mapping[str, Possible] = field(default_factory=dict)
    past: Before = Before()  # noqa: RUF009 - frozen, so one for all
    before: bool | None = None


class Interviewed:
    """A plan as interviews need it, worked out once."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.exact = Exact(plan)
        self.calls = read_calls(plan)
        self.openings = {c.key: opening_specs(plan)[normal(c.key)] for c in self.calls.values()}
        self.fields = group_fields(plan)
        kinds = {g.name: g for g in plan.groups}
        self.groups: dict[tuple[str, str], PlanInput] = {}
        for kind, name in self.fields:
            specs = {s.name: s for s in (*kinds[kind].inputs, *result_specs(kinds[kind], plan))}
            if name in specs:
                self.groups[kind, name] = specs[name]
        grids = {f"so_far:{key}": grid_of(spec) for key, spec in self.openings.items()}
        grids |= {f"group:{k}.{n}": grid_of(spec) for (k, n), spec in self.groups.items()}
        self.bounder = Bounder(plan, grids)

        self.keys = _table_keys(plan)

    def asked_calls(self, given: Given) -> dict[str, Possible]:
        """The opening amounts that could be asked for, with what they can be."""
        nodes = {int(str(n.data)): n for n in self.plan.nodes if n.op is Op.WINDOW}
        found: dict[str, Possible] = {}
        for at, call in self.calls.items():
            spec = self.openings[call.key]
            if normal(call.key) in given.past.openings:
                continue
            missing = call.function not in ("sum", "count")
            whole = of_type(call.type, nodes[at].low, nodes[at].high, missing=missing)
            found[f"so_far:{call.key}"] = met(whole, of_type(spec.type, spec.low, spec.high, missing=missing))
        return found

    def asked_groups(self, given: Given) -> dict[str, Possible]:
        """The results of groups that could be asked for: of kinds of which the bill reads one group only."""
        read: dict[str, set[str]] = {}
        for node in self.plan.nodes:
            if (
                node.op in (Op.LIFT, Op.GROUP)
                and (str(node.data), str(self.plan.nodes[node.args[0]].data)) in self.groups
            ):
                read.setdefault(str(node.data), set()).add(node.text.rpartition(".")[0])
        found: dict[str, Possible] = {}
        for (kind, name), spec in self.groups.items():
            if len(read.get(kind, ())) == 1 and f"{kind}.{name}" not in given.groups:
                of = self.fields[kind, name]
                found[f"group:{kind}.{name}"] = of_type(spec.type, of.low, of.high, missing=spec.optional)
        return found


@dataclass(frozen=True)
class Interview:
    """How far an interview has come. Never changed: an answer gives another one."""

    of: Interviewed
    given: Given
    history: tuple[tuple[Question, Answer], ...] = ()

    # ---- what is known ----

    def answered(self, question: Question, answer: Answer) -> Interview:
        """The interview with one more answer."""
        return replace(self, history=(*self.history, (question, answer)))

    def back(self) -> Interview:
        """The interview without its last answer."""
        return replace(self, history=self.history[:-1])

    def _said(self, kind: Kind) -> Iterator[tuple[str, Answer]]:
        return ((q.name, a) for q, a in self.history if q.kind is kind)

    @cached_property
    def unknown(self) -> frozenset[str]:
        """What was asked and is not known."""
        return frozenset(q.name for q, a in self.history if not a.known)

    @cached_property
    def values(self) -> dict[str, Value]:
        """The inputs that are known; None is surely missing. A bill that is asked for is not the reversal of another one."""
        plan = self.of.plan
        reverses = plan.sequence.reverses if plan.sequence is not None else ""
        said = {name: a.value for name, a in self._said(Kind.INPUT) if a.known}
        return {**({reverses: None} if reverses else {}), **self.given.values, **said}

    @cached_property
    def lists(self) -> dict[str, Rows]:
        """The lists that are known, by name."""
        said = {name.removeprefix("list:"): a.value for name, a in self._said(Kind.LIST) if a.known}
        return {**self.given.lists, **{name: rows for name, rows in said.items() if isinstance(rows, tuple)}}

    @cached_property
    def before(self) -> bool | None:
        """Whether anything came before the bill; None where it is not known."""
        for _, a in self._said(Kind.BEFORE):
            return bool(a.value) if a.known else None
        return self.given.before

    @cached_property
    def openings(self) -> dict[str, Value]:
        """The opening amounts that are known, by call."""
        return {name.removeprefix("so_far:"): a.value for name, a in self._said(Kind.OPENING) if a.known}

    @cached_property
    def groups(self) -> dict[tuple[str, str], Value]:
        """The results of groups that were answered, by kind and field."""
        said = {name.removeprefix("group:"): a.value for name, a in self._said(Kind.GROUP) if a.known}
        return {(kind, name): said[f"{kind}.{name}"] for kind, name in self.of.groups if f"{kind}.{name}" in said}

    @cached_property
    def partial(self) -> Partial:
        """What is known, as bounds take it."""
        plan = self.of.plan
        asked: dict[str, Possible] = {}
        past = self.given.past
        if self.before is not False and not past:
            openings = {normal(key): value for key, value in self.openings.items()}
            past = replace(past, openings=openings)
            asked = {
                n: p
                for n, p in self.of.asked_calls(self.given).items()
                if n.removeprefix("so_far:") not in self.openings
            }
        left_open = {name.removeprefix("so_far:") for name in asked}
        calls = {
            at: found
            for at, found in answers_of(self.of.exact, self.values, past).items()
            if plan.calls[at].key not in left_open and (self.before is not None or past or not plan.calls[at].level)
        }
        groups = {**self.given.groups, **{f"{k}.{n}": point(v) for (k, n), v in self.groups.items()}}
        asked |= {n: p for n, p in self.of.asked_groups(self.given).items() if n.removeprefix("group:") not in groups}
        return Partial(self.values, self.lists, calls, groups, asked)

    @cached_property
    def bounds(self) -> Bounds:
        """What the results can be."""
        return self.of.bounder.bounds(self.partial, CASES)

    # ---- what to ask ----

    @cached_property
    def open(self) -> tuple[Question, ...]:
        """What can make a difference and was not asked yet, in the rulebook's order."""
        return tuple(q for name in self.bounds.open if (q := self._question(name)) is not None)

    def _question(self, name: str) -> Question | None:
        if name in self.unknown:
            return None
        kind, _, rest = name.partition(":")
        if kind == "list":
            return Question(Kind.LIST, name)
        if kind == "so_far":
            spec = self.of.openings.get(rest)
            if self.before is None or spec is None or name not in self.partial.asked:
                return None
            return Question(Kind.OPENING, name, spec)
        if kind == "group":
            found = next((s for (k, n), s in self.of.groups.items() if f"{k}.{n}" == rest), None)
            return Question(Kind.GROUP, name, found) if found is not None and name in self.partial.asked else None
        return Question(Kind.INPUT, name, self.of.bounder.prepared.inputs[name])

    @cached_property
    def next(self) -> Question | None:
        """The next question: the date first, then what came before, then lists, then what is expected to settle most."""
        plan = self.of.plan
        on = Question(Kind.INPUT, plan.effective_by, self.of.bounder.prepared.inputs[plan.effective_by])
        if on.name not in self.values and on.name not in self.unknown:
            return on
        if self.bounds.is_settled or self.bounds.is_refused:
            return None
        before = Question(Kind.BEFORE, "before")
        looks_back = any(name.startswith("so_far:") for name in self.bounds.open)
        if looks_back and self.before is None and "before" not in self.unknown and not self.given.past:
            return before
        # Nothing better than the compiler's bounds is known of what reads a list, so lists come before single inputs.
        lists = tuple(q for q in self.open if q.kind is Kind.LIST)
        return self._most_telling(lists or self.open)

    def _most_telling(self, questions: tuple[Question, ...]) -> Question | None:
        """The question whose answers leave least open on average, of those tried; ties go by the rulebook's order."""
        if len(questions) < 2:
            return questions[0] if questions else None
        tries = {q.name: tuple(self.tries(q)) for q in questions}
        cases = max(1, CASES_TO_RANK // max(1, sum(map(len, tries.values()))))
        untried = self.of.bounder.bounds(self.partial, cases).width
        best: tuple[Fraction, int] | None = None
        for at, q in enumerate(questions):
            found = [self.of.bounder.bounds(self.partial, cases, {q.name: p}) for p in tries[q.name]]
            widths = [b.width for b in found if not b.is_refused]
            mean = sum(widths, Fraction(0)) / len(widths) if widths else untried
            if best is None or (mean, at) < best:
                best = mean, at
        return questions[best[1]] if best is not None else None

    def tries(self, question: Question) -> Iterator[Possible]:
        """Answers to try a question by: the values of a set or flag, three places of a number, first keys of a table.

        They decide on the order of questions only, never on a bound.
        """
        own = self.domain(question.name)
        if isinstance(own, Choice) and own.values is not None:
            yield from (Choice(frozenset({v})) for v in sorted(own.values, key=str)[:MOST_TRIED])
            if own.missing:
                yield ABSENT
        elif isinstance(own, Span) and own.low is not None and own.high is not None:
            for quarter in (1, 2, 3):
                at = Fraction(int(own.low + (own.high - own.low) * quarter / 4))
                yield Span(at, at)
        else:
            yield from (Choice(frozenset({key})) for key in self.of.keys.get(question.name, ()))

    def domain(self, name: str) -> Possible:
        """What an unknown can be by its declaration alone."""
        if name in self.partial.asked:
            return self.partial.asked[name]
        spec = self.of.bounder.prepared.inputs.get(name)
        return domain_of(spec) if spec is not None else Choice(None)

    def when(self, name: str, value: Possible) -> Bounds:
        """What the results can be if one of the unknown is as said."""
        return self.of.bounder.bounds(self.partial, CASES, {name: value})

    # ---- the whole bill ----

    @cached_property
    def filled(self) -> dict[str, Value] | None:
        """Values for the required inputs that were not asked, with which the bill is computed; None where none is found.

        No value of them changes a result that is settled; what is chosen only has to meet the rulebook's requirements.
        """
        lacking = [i for i in self.of.plan.inputs if i.name not in self.values and not i.optional and i.default is None]
        others = {i.name: i.default for i in self.of.plan.inputs if i.name not in self.values and i not in lacking}
        lists = {x.name: self.lists.get(x.name, ()) for x in self.of.plan.lists}
        choices = [self._fillers(i) for i in lacking]
        for chosen in islice(product(*choices), MOST_FILLED):
            mine = {i.name: v for i, v in zip(lacking, chosen, strict=True)}
            if self._stands({**self.values, **others, **mine}, lists):
                return mine
        return None

    @cached_property
    def refusal(self) -> str:
        """Why the rulebook refuses the bill, as it would tell one with the first values that fit; "" where it cannot be told."""
        plan = self.of.plan
        values = {i.name: i.default for i in plan.inputs} | self.values
        for spec in plan.inputs:
            if spec.name not in self.values and not spec.optional and spec.default is None:
                found = self._fillers(spec)
                if not found:
                    return ""
                values[spec.name] = found[0]
        values |= {x.name: self.lists.get(x.name, ()) for x in plan.lists}
        # Groups across bills are not known from one bill; reading one is no reason that concerns the answers.
        given: dict[str, Rows] = {g.name: ({},) for g in plan.groups if not g.inside}
        outcome = run_all(self.of.exact, [Row(0, "", values)], {}, given=given).ran[0].outcome
        problem = outcome.problem if outcome is not None else None
        return f"{problem.code}: {problem.message}" if problem is not None and problem.code != "RX821" else ""

    def _stands(self, values: Mapping[str, Value], lists: Mapping[str, Rows]) -> bool:
        """Whether a complete bill has the results that the bounds say."""
        plan = self.of.plan
        calls = dict(self.partial.calls) | {
            at: point(0 if c.function in ("sum", "count") else None)
            for at, c in enumerate(plan.calls)
            if c.kind == "window" and at not in self.partial.calls
        }
        known = Partial(values, lists, calls, self.partial.groups, {n: p for n, p in self.partial.asked.items() if n.startswith("group:")})  # fmt: skip
        found = self.of.bounder.bounds(known, 1)
        if found.is_refused:
            return False
        return all(found.results[name] == p for name, p in self.bounds.results.items() if is_known(p))

    def _fillers(self, spec: PlanInput) -> list[Value]:
        own = self.of.bounder.narrowed(self.partial).get(spec.name, domain_of(spec))
        if isinstance(own, Choice):
            if own.values is not None:
                return sorted(own.values, key=lambda v: (v is True, str(v)))
            return [self._id_of(spec)]
        dates = [v for v in self.values.values() if isinstance(v, date)]
        ends = [x for x in (own.low, own.high) if x is not None]
        if isinstance(spec.low, date) or isinstance(spec.high, date):
            days = [*dates, *(date.fromordinal(int(x)) for x in ends)]
            return list(dict.fromkeys(d for d in days if _inside(without_missing(own), Fraction(d.toordinal()))))
        numbers = [
            Fraction(v) for v in self.values.values() if isinstance(v, int | Fraction) and not isinstance(v, bool)
        ]
        found: Iterable[Fraction] = (x for x in (*ends, *numbers) if _inside(own, x))
        return [x.numerator if x.denominator == 1 else x for x in dict.fromkeys(found)]

    def _id_of(self, spec: PlanInput) -> str:
        ids = [str(values["episode_id"]) for values in self.given.past.earlier]
        if spec.name == "episode_id":
            return max(ids) + "-1" if ids else "BILL-1"
        return spec.name.removesuffix("_id").upper() + "-1"


def _table_keys(plan: Plan) -> dict[str, tuple[str, ...]]:
    """By input that is looked up in a table, the first keys of it."""
    tables = {t.name: t for t in plan.tables}
    found: dict[str, dict[str, None]] = {}
    for node in plan.nodes:
        if not isinstance(node.data, CellRef):
            continue
        for at, arg in enumerate(node.args[: node.data.keys]):
            of = plan.nodes[arg]
            if of.op is Op.INPUT and not of.level:
                keys = (row.keys[at] for row in tables[node.data.table].rows)
                found.setdefault(str(of.data), {}).update(
                    dict.fromkeys(islice((str(k) for k in keys if k is not None), KEYS_TRIED))
                )
    return {name: tuple(keys) for name, keys in found.items()}


def _inside(own: Possible, x: Fraction) -> bool:
    return isinstance(own, Span) and (own.low is None or own.low <= x) and (own.high is None or x <= own.high)


__all__ = ["Answer", "Given", "Interview", "Interviewed", "Kind", "Question"]
