"""Steps, clauses, shares and conditions."""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from rxcalc.compare.model import ADDED, CHANGED, REMOVED, REORDERED, Aspect, Edit, Subject
from rxcalc.compare.pairs import WHOLE, attribute, paired, unordered, written, yes
from rxcalc.lang.types import OneOf, Type
from rxcalc.plan.nodes import PlanCheck, PlanClause, PlanCondition, PlanPart, PlanPartition, PlanStep, RoundTo

ALWAYS = "otherwise"
REJECT = "reject"


class Clause(NamedTuple):
    """A clause as texts: what it asks for and what it gives."""

    when: str
    then: str

    def __str__(self) -> str:
        """The clause on one line."""
        return self.then if self.when == ALWAYS else f"{self.then} when {self.when}"


def type_text(of: Type) -> str:
    """A type with all values of its set."""
    if not isinstance(of, OneOf):
        return str(of)
    return f"{'ordered ' if of.ordered else ''}one of [{', '.join(of.values if of.ordered else sorted(of.values))}]"


def clauses_of(step: PlanStep) -> list[Clause]:
    """The clauses as texts."""
    return [_clause(c) for c in step.clauses]


def _clause(c: PlanClause) -> Clause:
    return Clause(
        written(c.condition) if c.when >= 0 else ALWAYS,
        written(c.formula) if c.then >= 0 else REJECT,
    )


def steps(level: str, old: Iterable[PlanStep], new: Iterable[PlanStep]) -> Iterator[Edit]:
    """The steps of one level; the order in which they are written means nothing."""
    for name, one, other in paired({s.name: s for s in old}, {s.name: s for s in new}):
        subject = Subject("step", level, name)
        if one is None and other is not None:
            yield Edit(subject, ADDED, WHOLE, "", _step_text(other))
        elif other is None and one is not None:
            yield Edit(subject, REMOVED, WHOLE, _step_text(one), "")
        elif one is not None and other is not None:
            yield from attribute(subject, Aspect("type"), type_text(one.type), type_text(other.type))
            yield from attribute(subject, Aspect("may_be_missing"), yes(one.optional), yes(other.optional))
            yield from attribute(subject, Aspect("rounding"), _rounding(one.rounding), _rounding(other.rounding))
            yield from _clauses(subject, clauses_of(one), clauses_of(other))


def _step_text(step: PlanStep) -> str:
    return "; ".join(map(str, clauses_of(step)))


def _rounding(r: RoundTo | None) -> str:
    return f"to {r.to}, {r.mode}" if r is not None else "none"


def _clauses(subject: Subject, old: list[Clause], new: list[Clause]) -> Iterator[Edit]:
    """Clauses: equal ones are the same clause, then those of equal condition, then those of equal formula, by order."""
    pairs = matched(old, new)
    for at, clause in enumerate(old):
        if at not in pairs:
            yield Edit(subject, REMOVED, Aspect("clause", (str(at + 1),)), str(clause), "")
    taken = set(pairs.values())
    for at, clause in enumerate(new):
        if at not in taken:
            yield Edit(subject, ADDED, Aspect("clause", (str(at + 1),)), "", str(clause))
    for at, to in sorted(pairs.items()):
        yield from attribute(subject, Aspect("clause_condition", (str(at + 1),)), old[at].when, new[to].when)
        yield from attribute(subject, Aspect("clause_formula", (str(at + 1),)), old[at].then, new[to].then)
    order = [to for _, to in sorted(pairs.items())]
    if order != sorted(order):
        moved = "; ".join(str(old[at]) for at, _ in sorted(pairs.items()))
        yield Edit(subject, REORDERED, Aspect("clauses"), moved, "; ".join(str(new[to]) for to in sorted(order)))


def _same_condition(one: Clause, other: Clause) -> bool:
    return one.when == other.when


def _same_formula(one: Clause, other: Clause) -> bool:
    return one.then == other.then and ALWAYS not in (one.when, other.when)


_SAME: Final[tuple[Callable[[Clause, Clause], bool], ...]] = (operator.eq, _same_condition, _same_formula)


def matched(old: Sequence[Clause], new: Sequence[Clause]) -> dict[int, int]:
    """Which clause of the new step each clause of the old one became."""
    pairs: dict[int, int] = {}
    taken: set[int] = set()
    for same in _SAME:
        for at, clause in enumerate(old):
            left = [to for to, other in enumerate(new) if to not in taken and same(clause, other)]
            if at not in pairs and left:
                pairs[at] = left[0]
                taken.add(left[0])
    return pairs


# ---- shares -----------------------------------------------------------------------------------------


def shares(level: str, old: Iterable[PlanPartition], new: Iterable[PlanPartition]) -> Iterator[Edit]:
    """Partitions: what is divided, the parts by bearer, and which is the first: the totals of bearers are the first's."""
    old, new = tuple(old), tuple(new)
    firsts = old[0].name if old else "", new[0].name if new else ""
    for name, one, other in paired({p.name: p for p in old}, {p.name: p for p in new}):
        subject = Subject("shares", level, name)
        if one is None and other is not None:
            yield Edit(subject, ADDED, WHOLE, "", _partition(other))
        elif other is None and one is not None:
            yield Edit(subject, REMOVED, WHOLE, _partition(one), "")
        elif one is not None and other is not None:
            yield from attribute(subject, Aspect("divided"), written(one.of_formula), written(other.of_formula))
            yield from _parts(subject, one.parts, other.parts)
            yield from attribute(subject, Aspect("first"), yes(name == firsts[0]), yes(name == firsts[1]))


def _partition(p: PlanPartition) -> str:
    parts = ", ".join(f"{_called(part)}: {_part(part)}" for part in p.parts)
    return f"of {written(p.of_formula)}: {parts}"


def _called(part: PlanPart) -> str:
    return f"{part.bearer}.{part.part}" if part.part else part.bearer


def _part(part: PlanPart) -> str:
    return written(part.formula) if part.value >= 0 else "rest"


def _parts(subject: Subject, old: Iterable[PlanPart], new: Iterable[PlanPart]) -> Iterator[Edit]:
    for name, one, other in paired({_called(p): p for p in old}, {_called(p): p for p in new}):
        if one is None and other is not None:
            yield Edit(subject, ADDED, Aspect("name", (name,)), "", _part(other))
        elif other is None and one is not None:
            yield Edit(subject, REMOVED, Aspect("name", (name,)), _part(one), "")
        elif one is not None and other is not None:
            yield from attribute(subject, Aspect("name", (name,)), _part(one), _part(other))
            negative = Aspect("negative", (name,))
            yield from attribute(subject, negative, yes(one.may_be_negative), yes(other.may_be_negative))


# ---- conditions -------------------------------------------------------------------------------------


def conditions(section: str, level: str, old: Iterable[PlanCondition], new: Iterable[PlanCondition]) -> Iterator[Edit]:
    """`requires:` or guarantees: all must hold, in whatever order."""
    subject = Subject(section, level)
    before, after = ([written(c.formula) for c in side] for side in (old, new))
    gone, come = Counter(before) - Counter(after), Counter(after) - Counter(before)
    if len(before) == len(after) and gone.total() == come.total() == 1:
        yield Edit(subject, CHANGED, WHOLE, next(gone.elements()), next(come.elements()))
        return
    yield from unordered(subject, before, after)


def checks(old: Iterable[PlanCheck], new: Iterable[PlanCheck]) -> Iterator[Edit]:
    """`checks:`; one without a name is called by its number."""
    before, after = ({_check_name(c, at): c for at, c in enumerate(side, 1)} for side in (old, new))
    for name, one, other in paired(before, after):
        present = one or other
        subject = Subject("check", present.level if present is not None else "", name)
        if one is None and other is not None:
            yield Edit(subject, ADDED, WHOLE, "", written(other.formula))
        elif other is None and one is not None:
            yield Edit(subject, REMOVED, WHOLE, written(one.formula), "")
        elif one is not None and other is not None:
            yield from attribute(subject, Aspect("condition"), written(one.formula), written(other.formula))
            yield from attribute(subject, Aspect("amount"), written(one.amount_formula), written(other.amount_formula))
            yield from attribute(subject, Aspect("severity"), one.severity, other.severity)


def _check_name(c: PlanCheck, at: int) -> str:
    return c.name or str(at)
