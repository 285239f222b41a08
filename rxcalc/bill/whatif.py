"""A bill under other circumstances: the alternatives of its inputs and of the rulebook's parameters, and what they give."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from typing import Final, TypeAlias

from rxcalc.bill.course import Courses, Turn
from rxcalc.bill.subject import Subject, read_subject, still_open
from rxcalc.diagnostics.model import Diagnostic, Sink
from rxcalc.inputs.by_hand import set_by_hand
from rxcalc.inputs.cells import CellProblem
from rxcalc.inputs.episodes import EpisodeEntry
from rxcalc.lang.arithmetic import shortest
from rxcalc.lang.ops import Op
from rxcalc.lang.types import CODE, CODES, DATE, FLAG, PERCENT, OneOf, is_numeric
from rxcalc.plan.changed import UnchangeableError, segment_at, with_segment
from rxcalc.plan.nodes import CellRef, Plan, PlanInput, PlanParameter, Value
from rxcalc.typed.symbols import nearest

PARAMETER: Final = "parameter."
MOST_ALTERNATIVES: Final = 24
_MOST_CODES: Final = 200

Pick: TypeAlias = "Callable[[Mapping[str, str]], Plan | str]"
"""The version of the rulebook that holds the bill with some fields changed, or why there is none."""


@dataclass(frozen=True)
class Change:
    """One thing that is otherwise. `field` and `text` are what `--set` would take; text "" leaves a field out.

    Of an input `spec` declares it, `old` and `new` are its values. Of a parameter `parameter` declares it; `since` is the
    first day of the other version taken, `was` that of the one in force; of a single value `words` are both as read.
    """

    field: str
    text: str
    spec: PlanInput | None = None
    old: Value = None
    new: Value = None
    parameter: PlanParameter | None = None
    was: date | None = None
    since: date | None = None
    words: tuple[str, str] = ("", "")


@dataclass(frozen=True)
class Alternative:
    """The bill with some changes made; without a `subject` it cannot be computed, and `problems` say why."""

    changes: tuple[Change, ...]
    subject: Subject | None
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Unvaried:
    """Why something cannot be varied or set, and what to do. Bad usage, not a result."""

    message: str
    help: str = ""


@dataclass(frozen=True)
class Varied:
    """The alternatives of one thing; `left_out` further ones are not shown. None at all: `why`."""

    field: str
    alternatives: tuple[Alternative, ...]
    left_out: int = 0
    why: str = ""  # nothing_compares, one_version, no_turn


class Bill:
    """A bill read from an entry, and read again with changes, by the same rules as `explain --set`."""

    def __init__(
        self, entry: EpisodeEntry, subject: Subject, versions: Sequence[Plan] = (), pick: Pick | None = None
    ) -> None:
        """`pick` chooses among several `versions` of the rulebook; without it there is one."""
        self.entry = entry
        self.subject = subject
        self.versions = tuple(versions) or (subject.plan,)
        self._pick = pick
        self._shared: dict[int, Subject] = {id(subject.plan): subject}
        self._courses: Courses | None = None
        self._written = entry.episodes[-1][0].values

    @property
    def plan(self) -> Plan:
        """The plan of the bill as it is."""
        return self.subject.plan

    @property
    def courses(self) -> Courses:
        """The courses of the bill as it is."""
        if self._courses is None:
            self._courses = Courses(self.subject)
        return self._courses

    def spec(self, name: str) -> PlanInput | None:
        """The input of this name or spelling."""
        return next((i for i in self.plan.inputs if i.name == name or name in i.aliases), None)

    def with_inputs(self, texts: Mapping[str, str]) -> Subject | tuple[str, ...]:
        """The bill with other texts in some fields, or what is wrong with it."""
        overrides = {self._as_written(name): text for name, text in texts.items()}
        plan = self._pick(overrides) if self._pick is not None else self.plan
        if isinstance(plan, str):
            return (plan,)
        sink = Sink()
        found = read_subject(plan, self.entry, sink, overrides)
        if found is None:
            return tuple(_told(d) for d in sink.sorted())
        shared = self._shared.setdefault(id(plan), found)
        # The same evaluator for all: to make one takes longer than to compute a bill.
        given, kept = self.subject.openings, still_open(self.subject, found.bill)
        openings = {call: value for call, value in found.openings.items() if call in kept or call not in given}
        return replace(shared, records=found.records, openings=openings, groups=found.groups)

    def alternative(self, texts: Mapping[str, str]) -> Alternative | Unvaried:
        """The bill with several things changed together, as `--set` says them."""
        inputs = {name: text for name, text in texts.items() if not name.startswith(PARAMETER)}
        for name in inputs:
            if self.spec(name) is None:
                return self.unknown(name)
        changes: list[Change] = []
        found = self.with_inputs(inputs)
        for name, text in inputs.items():
            spec = self.spec(name)
            assert spec is not None  # noqa: S101 - asked above
            new = found.bill.get(spec.name) if isinstance(found, Subject) else None
            changes.append(Change(spec.name, text, spec, self.subject.bill.get(spec.name), new))
        named = self.subject if isinstance(found, tuple) else found
        for name, text in texts.items():
            if name.startswith(PARAMETER):
                made = _set_parameter(named, name, text)
                if isinstance(made, Unvaried):
                    return made
                change, named = made
                changes.append(change)
        if isinstance(found, tuple):
            return Alternative(tuple(changes), None, found)
        return Alternative(tuple(changes), named)

    def unknown(self, name: str) -> Unvaried:
        """That a name is none of the bill's inputs."""
        for spec in self.plan.lists:
            if name == spec.name or name.startswith(f"{spec.name}."):
                return Unvaried(
                    f"`{name}` belongs to the rows of `{spec.name}`, of which there may be several",
                    f"change the row under `{spec.name}:` in the episode file",
                )
        known = [n for i in self.plan.inputs for n in (i.name, *i.aliases)]
        parameters = [PARAMETER + p.name for p in self.plan.parameters]
        near = nearest(name[:80], [*known, *parameters, *(p.name for p in self.plan.parameters)])
        if near in {p.name for p in self.plan.parameters} and near not in known:
            near = PARAMETER + str(near)
        inputs = ", ".join(i.name for i in self.plan.inputs)
        return Unvaried(f"the bill has no input `{name}`", f"did you mean `{near}`?" if near else f"it has {inputs}")

    # ---- one thing varied ----

    def vary(self, name: str) -> Varied | Unvaried:
        """What else one input, or one parameter's version, could be."""
        if name.startswith(PARAMETER):
            return self._versions(name.removeprefix(PARAMETER))
        spec = self.spec(name)
        if spec is None:
            return self.unknown(name)
        texts = self.others(spec)
        if texts is None:
            return Unvaried(
                f"`{spec.name}` has no other values to go through: it is {_kind(spec)} that no rule compares with a given one",
                f"name one: --set {spec.name}=VALUE",
            )
        shown, left_out = _fewest(spec, self.subject.bill.get(spec.name), texts)
        found = [a for t in shown if isinstance(a := self.alternative({spec.name: t}), Alternative)]
        own = self.subject.bill.get(spec.name)
        found = [a for a in found if a.subject is None or a.changes[0].new != own]
        return Varied(spec.name, tuple(found), left_out, "" if found else "no_turn")

    def others(self, spec: PlanInput) -> list[str] | None:
        """The other values of an input, as texts: all of a set, the other flag, nothing, or where the course changes.

        None where there is nothing to go through.
        """
        own = self.subject.bill.get(spec.name)
        found: list[str] = []
        if isinstance(spec.type, OneOf):
            found = [v.name for v in spec.values if v.name != own]
        elif spec.type == FLAG:
            found = [t for t, flag in (("yes", True), ("no", False)) if flag is not own]
        elif is_numeric(spec.type) or spec.type == DATE:
            found = [written(v, spec) for v in self.turning_values(spec)]
        elif spec.type == CODE and not self._is_id(spec):
            found = [code for code in self._codes(spec) if code != own]
            if not found and not (spec.optional and own is not None):
                return None
        elif spec.type == CODES:
            held = own if isinstance(own, frozenset) else frozenset()
            sets = [held ^ {code} for code in self._codes(spec)]  # each code that rules ask for, put in or taken out
            found = [written(one, spec) for one in sets if one]
            if not found and not (spec.optional and own is not None):
                return None
        else:
            return None
        if spec.optional and own is not None:
            found.append("")
        return found

    def turning_values(self, spec: PlanInput) -> tuple[Value, ...]:
        """The values at which the bill takes another course, each the first one there, seen from the bill's own."""
        own = self.subject.bill.get(spec.name)
        turns: Sequence[Turn] = self.courses.turns(spec)
        found: set[Value] = {turn.far for turn in turns}
        if own is None:
            found |= {turn.near for turn in turns[:1]}
        if spec.name == self.plan.effective_by:
            found |= set(self._version_days())
        return tuple(sorted((v for v in found if v != own), key=_rank))

    def _version_days(self) -> Iterable[date]:
        """The first day of the version before and after the bill's own, where several are given."""
        own = self.subject.bill.get(self.plan.effective_by)
        for plan in self.versions:
            if isinstance(own, date) and plan is not self.plan:
                last = plan.effective_to or plan.effective_from
                yield plan.effective_from if plan.effective_from > own else last

    def _codes(self, spec: PlanInput) -> list[str]:
        """The codes that rules compare an input with, and the keys of tables that it is looked up in."""
        nodes = self.plan.nodes
        is_own = {n for n, x in enumerate(nodes) if x.op is Op.INPUT and x.level == "" and x.data == spec.name}
        found: dict[str, None] = {}
        for node in nodes:
            if node.op in (Op.EQ, Op.NE) and is_own & set(node.args):
                found |= {str(nodes[a].data): None for a in node.args if nodes[a].op is Op.CONST}
            elif node.op is Op.HAS and node.args[0] in is_own and nodes[node.args[1]].op is Op.CONST:
                found[str(nodes[node.args[1]].data)] = None
            elif node.op is Op.IN_SET and node.args[0] in is_own and isinstance(node.data, tuple):
                found |= {str(v): None for v in node.data}
            elif isinstance(node.data, CellRef):
                table = next(t for t in self.plan.tables if t.name == node.data.table)
                for at, arg in enumerate(node.args[: node.data.keys]):
                    if arg in is_own and not (table.range_key and at == len(table.keys) - 1):
                        found |= {str(row.keys[at]): None for row in table.rows[:_MOST_CODES]}
        return sorted(found)

    def _is_id(self, spec: PlanInput) -> bool:
        sequence = self.plan.sequence
        return spec.name == "episode_id" or (sequence is not None and spec.name == sequence.by)

    def _versions(self, name: str) -> Varied | Unvaried:
        """A parameter with the values of its other dates in force on the bill's day."""
        parameter = next((p for p in self.plan.parameters if p.name == name), None)
        if parameter is None:
            near = nearest(name[:80], [p.name for p in self.plan.parameters])
            if any(name.startswith(f"{p.name}.") for p in self.plan.parameters):
                return Unvaried(f"`{name}` is one value of a parameter", f"name it: --set {PARAMETER}{name}=VALUE")
            known = ", ".join(p.name for p in self.plan.parameters)
            return Unvaried(
                f"the rulebook has no parameter `{name}`",
                f"did you mean `{PARAMETER}{near}`?" if near else f"its parameters are {known or 'none'}",
            )
        on = self._day
        now = segment_at(parameter, on)
        found: list[Alternative] = []
        for at, segment in enumerate(parameter.segments):
            if at == now or now is None:
                continue
            change = Change(
                PARAMETER + name,
                segment.start.isoformat(),
                parameter=parameter,
                was=parameter.segments[now].start,
                since=segment.start,
            )
            try:
                changed = self.subject.with_plan(with_segment(self.plan, name, on, at))
            except UnchangeableError as problem:
                found.append(Alternative((change,), None, (problem.message,)))
            else:
                found.append(Alternative((change,), changed))
        return Varied(PARAMETER + name, tuple(found), 0, "" if found else "one_version")

    @property
    def _day(self) -> date:
        on = self.subject.bill[self.plan.effective_by]
        assert isinstance(on, date)  # noqa: S101 - a required date input, checked by the compiler
        return on

    def _as_written(self, name: str) -> str:
        """The name under which the file gives an input, so that it is not given a second time under another one."""
        spec = self.spec(name)
        if spec is None:
            return name
        return next((n for n in (spec.name, *spec.aliases) if n in self._written), spec.name)


def _set_parameter(subject: Subject, field: str, text: str) -> tuple[Change, Subject] | Unvaried:
    """One value of a parameter given by hand."""
    plan = subject.plan
    on = subject.bill[plan.effective_by]
    assert isinstance(on, date)  # noqa: S101 - a required date input, checked by the compiler
    found = set_by_hand(plan, {field: text}, on)
    if isinstance(found, CellProblem):
        return Unvaried(found.message)
    changed, (made,) = found
    parameter = next(p for p in plan.parameters if p.name == made.parameter)
    at = segment_at(parameter, on)
    old = dict(parameter.segments[at].values).get(made.keys) if at is not None else None
    scalar: Value = old if isinstance(old, int | Fraction | str | date) else None
    change = Change(field, text, None, scalar, None, parameter, words=(made.was, made.now))
    return change, subject.with_plan(changed)


def _fewest(spec: PlanInput, own: Value, texts: Sequence[str]) -> tuple[Sequence[str], int]:
    """At most so many as can be looked at, those nearest to the bill's own value."""
    if len(texts) <= MOST_ALTERNATIVES:
        return texts, 0
    first = 0
    if is_numeric(spec.type) and isinstance(own, int | Fraction):
        below = sum(1 for t in texts if t and _number(t) < own)
        first = min(max(0, below - MOST_ALTERNATIVES // 2), len(texts) - MOST_ALTERNATIVES)
    elif spec.type == DATE and isinstance(own, date):
        below = sum(1 for t in texts if t and t < own.isoformat())
        first = min(max(0, below - MOST_ALTERNATIVES // 2), len(texts) - MOST_ALTERNATIVES)
    return texts[first : first + MOST_ALTERNATIVES], len(texts) - MOST_ALTERNATIVES


def _number(text: str) -> Fraction:
    return Fraction(text.removesuffix("%")) / (100 if text.endswith("%") else 1)


def written(value: Value, spec: PlanInput) -> str:
    """A value as a cell holds it; missing is an empty one."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case date():
            return value.isoformat()
        case int() | Fraction():
            percent = spec.type == PERCENT
            return (shortest(value * 100 if percent else value) or str(value)) + ("%" if percent else "")
        case frozenset():
            return ";".join(sorted(value))
        case _:
            return str(value)


def _kind(spec: PlanInput) -> str:
    return f"a {spec.type}" if str(spec.type) != "codes" else "a set of codes"


def _told(d: Diagnostic) -> str:
    return f"{d.code}: {d.message}"


def _rank(value: Value) -> tuple[str, Fraction]:
    if isinstance(value, date):
        return "", Fraction(value.toordinal())
    return "", Fraction(value) if isinstance(value, int | Fraction) else Fraction(0)
