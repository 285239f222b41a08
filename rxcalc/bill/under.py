"""One bill put under two rulebooks that need not ask for the same things, nor be in force on the same day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from rxcalc.bill.subject import Subject, read_subject
from rxcalc.diagnostics.model import Sink
from rxcalc.inputs.episodes import EpisodeEntry, Fields
from rxcalc.inputs.openings import normal, opening_specs
from rxcalc.plan.nodes import Plan, PlanInput, PlanParameter


@dataclass(frozen=True)
class Adapted:
    """A bill as one of two rulebooks takes it: `subject`, or the `problems` that it has.

    `unknown` are fields that only the other rulebook asks for, `unasked` inputs of this one that only it has and that
    the bill does not give. `stretched` says that the rulebook is taken to be in force on days on which it is not.
    """

    subject: Subject | None
    problems: tuple[str, ...]
    unknown: tuple[str, ...]
    unasked: tuple[str, ...]
    stretched: tuple[date, ...] = ()


@dataclass
class _Dropped:
    names: dict[str, None] = field(default_factory=dict)

    def kept(self, name: str, known: set[str], known_to_other: set[str], level: str = "") -> bool:
        """Whether a field stays: one that neither rulebook knows stays, to be told as a mistake."""
        if name in known or name not in known_to_other:
            return True
        self.names[f"{level}.{name}" if level else name] = None
        return False


def adapted(entry: EpisodeEntry, plan: Plan, other: Plan) -> Adapted:
    """The bill without what only the other rulebook asks for, read and ready to be computed."""
    dropped = _Dropped()
    own = replace(
        entry,
        earlier=tuple(_fields(f, plan, other, dropped) for f in entry.earlier),
        episodes=tuple((_fields(f, plan, other, dropped), x) for f, x in entry.episodes),
        so_far=tuple(
            (key, value)
            for key, value in entry.so_far
            if dropped.kept(normal(key.text), set(opening_specs(plan)), set(opening_specs(other)))
        ),
        groups=tuple(
            (kind, rows)
            for kind, rows in entry.groups
            if dropped.kept(kind.text, {g.name for g in plan.groups}, {g.name for g in other.groups})
        ),
    )
    unasked = _unasked(own, plan, other)
    sink = Sink()
    subject = read_subject(plan, own, sink)
    if subject is None:
        problems = tuple(f"{d.code}: {d.message}" for d in sink.sorted())
        return Adapted(None, problems, tuple(dropped.names), unasked)
    days = [day for r in subject.records if isinstance(day := r.values.get(plan.effective_by), date)]
    outside = tuple(sorted(d for d in days if not _is_effective(plan, d)))
    if outside:
        last = plan.effective_to
        first = min(plan.effective_from, *days)
        wide = replace(
            plan,
            effective_from=first,
            effective_to=None if last is None else max(last, *days),
            parameters=tuple(_going_on(p, first) for p in plan.parameters),
        )
        subject = subject.with_plan(wide)
    return Adapted(subject, (), tuple(dropped.names), unasked, outside)


def _going_on(p: PlanParameter, first: date) -> PlanParameter:
    """The parameter with its first values from a day on, and its last ones without an end."""
    if not p.segments:
        return p
    start = p.segments[0]
    return replace(p, segments=(replace(start, start=min(start.start, first)), *p.segments[1:]), end=None)


def _is_effective(plan: Plan, on: date) -> bool:
    return plan.effective_from <= on and (plan.effective_to is None or on <= plan.effective_to)


def _fields(fields: Fields, plan: Plan, other: Plan, dropped: _Dropped) -> Fields:
    own, theirs = _names(plan.inputs), _names(other.inputs)
    lists = {x.name: _names(x.inputs) for x in plan.lists}
    other_lists = {x.name: _names(x.inputs) for x in other.lists}
    rows: Mapping[str, tuple[Fields, ...]] = {
        name: tuple(_row(row, name, lists.get(name, set()), other_lists.get(name, set()), dropped) for row in found)
        for name, found in fields.rows.items()
        if dropped.kept(name, set(lists), set(other_lists))
    }
    values = {name: text for name, text in fields.values.items() if dropped.kept(name, own, theirs)}
    return replace(fields, values=values, rows=rows)


def _row(row: Fields, level: str, own: set[str], theirs: set[str], dropped: _Dropped) -> Fields:
    return replace(row, values={n: text for n, text in row.values.items() if dropped.kept(n, own, theirs, level)})


def _names(inputs: Iterable[PlanInput]) -> set[str]:
    return {name for i in inputs for name in (i.name, *i.aliases)}


def _unasked(entry: EpisodeEntry, plan: Plan, other: Plan) -> tuple[str, ...]:
    """Inputs that only this rulebook has and that the bill does not give."""
    given = entry.episodes[-1][0].values
    theirs = {i.name for i in other.inputs}
    return tuple(
        i.name for i in plan.inputs if i.name not in theirs and not any(n in given for n in (i.name, *i.aliases))
    )
