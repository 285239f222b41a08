"""Changes cut as small as is safe: one value of a parameter, one row of a table, one clause of a step, one condition.

Each is made by itself to see what it moves. What cannot be cut without saying more than one rulebook means stays whole:
a parameter with other keys, a step with its clauses in another order, a table with other columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Final, TypeAlias

from rxcalc.compare.figures import row_marks
from rxcalc.compare.model import Aspect, Edit, Subject
from rxcalc.compare.pairs import written
from rxcalc.compare.rules import clauses_of, matched
from rxcalc.plan.nodes import Plan, PlanGroup, PlanList, PlanStep

SILENT: Final = frozenset({"check", "outputs"})  # sections that move no amount of a bill
MOST_OF_ONE: Final = 16
"""With more parts a subject stays whole: every part costs a run of the bills that moved."""
MOST: Final = 48
LONGEST: Final = 40  # characters of a condition as the name of its part
_VALUES: Final = frozenset({"value", "value_to", "value_of", "value_of_to"})
_ROWS: Final = frozenset({"row", "row_end", "row_cell"})
_CLAUSES: Final = frozenset({"clause", "clause_condition", "clause_formula"})


@dataclass(frozen=True)
class ValuePart:
    """The value of a parameter for keys, from a day to another one (None: on)."""

    keys: tuple[str, ...]
    start: date
    end: date | None


@dataclass(frozen=True)
class RowPart:
    """A row of a table, by its line in either file; 0: it has none."""

    old: int
    new: int


@dataclass(frozen=True)
class SlicePart:
    """The old clauses or conditions from `start` to `stop`, for which those of the new one from `first` to `last` come."""

    start: int
    stop: int
    first: int
    last: int


Part: TypeAlias = "ValuePart | RowPart | SlicePart"


@dataclass(frozen=True)
class Changes:
    """The subjects that may move amounts, with `added`, `removed` or `changed`, and how each part of one is cut out."""

    kinds: dict[Subject, str]
    parts: dict[Subject, Part]

    def siblings(self, subject: Subject) -> list[Subject]:
        """All parts of the thing that a subject is a part of."""
        return [s for s in self.kinds if s.whole == subject.whole]

    def told(self, taken: Iterable[Subject]) -> tuple[Subject, ...]:
        """Subjects for readers: all parts of one thing are the thing."""
        held = list(dict.fromkeys(taken))
        return tuple(dict.fromkeys(s.whole if set(self.siblings(s)) <= set(held) else s for s in held))


def changes_of(plans: tuple[Plan, Plan], edits: Sequence[Edit]) -> Changes:
    """The changes, cut where that is safe; those with most parts stay whole where there are too many together."""
    by_subject: dict[Subject, list[Edit]] = {}
    for edit in edits:
        if edit.subject.section not in SILENT:
            by_subject.setdefault(edit.subject, []).append(edit)
    cut = {subject: _parts(plans, subject, own) for subject, own in by_subject.items()}
    cut = {subject: parts for subject, parts in cut.items() if 1 < len(parts) <= MOST_OF_ONE}
    room = MOST
    kept = set()
    for subject in sorted(cut, key=lambda s: len(cut[s])):
        if len(cut[subject]) <= room:
            room -= len(cut[subject])
            kept.add(subject)
    kinds: dict[Subject, str] = {}
    parts: dict[Subject, Part] = {}
    for subject, own in by_subject.items():
        if subject in kept:
            parts |= cut[subject]
            kinds |= dict.fromkeys(cut[subject], "changed")
        else:
            last = own[-1]
            kinds[subject] = last.change if not last.aspect.key else "changed"
    return Changes(kinds, parts)


def _parts(plans: tuple[Plan, Plan], subject: Subject, edits: Sequence[Edit]) -> dict[Subject, Part]:
    """The parts of a subject, or none where it cannot be cut."""
    aspects = {edit.aspect.key for edit in edits}
    match subject.section:
        case "parameter" if aspects <= _VALUES:
            return _values(subject, edits)
        case "table" if aspects <= _ROWS:
            return _rows(plans, subject, edits)
        case "step" if aspects <= _CLAUSES:
            return _clauses(plans, subject)
        case "requires":
            return _conditions(plans, subject)
        case _:
            return {}


def _part(subject: Subject, aspect: Aspect) -> Subject:
    return Subject(subject.section, subject.level, subject.name, aspect)


def _values(subject: Subject, edits: Sequence[Edit]) -> dict[Subject, Part]:
    found: dict[Subject, Part] = {}
    for edit in edits:
        keys, start, *end = edit.aspect.args
        part = ValuePart(
            tuple(keys.split(", ")) if keys else (),
            date.fromisoformat(start),
            date.fromisoformat(end[0]) if end else None,
        )
        found[_part(subject, edit.aspect)] = part
    return found


def _rows(plans: tuple[Plan, Plan], subject: Subject, edits: Sequence[Edit]) -> dict[Subject, Part]:
    tables = [next((t for t in plan.tables if t.name == subject.name), None) for plan in plans]
    if tables[0] is None or tables[1] is None:
        return {}
    old, new = (row_marks(t, plan.decimals) for t, plan in zip(tables, plans, strict=True) if t is not None)
    found: dict[Subject, Part] = {}
    for mark in dict.fromkeys(edit.aspect.args[0] for edit in edits):
        one, other = old.get(mark), new.get(mark)
        part = RowPart(one.line if one is not None else 0, other.line if other is not None else 0)
        found[_part(subject, Aspect("row", (mark,)))] = part
    return found


def _clauses(plans: tuple[Plan, Plan], subject: Subject) -> dict[Subject, Part]:
    """The clauses that are others, each with the one in whose place it stands; none where their order changed."""
    sides = [_step(plan, subject) for plan in plans]
    if sides[0] is None or sides[1] is None:
        return {}
    old, new = clauses_of(sides[0]), clauses_of(sides[1])
    pairs = sorted(matched(old, new).items())
    if _crossing(pairs):
        return {}
    found: dict[Subject, Part] = {}
    for part in _gaps(pairs, len(old), len(new)):
        name = Aspect("clause", (str(part.start + 1),))
        if part.stop == part.start:
            name = Aspect("new_clause", (str(part.first + 1),))
        found[_part(subject, name)] = part
    for at, to in pairs:
        if old[at] != new[to]:
            found[_part(subject, Aspect("clause", (str(at + 1),)))] = SlicePart(at, at + 1, to, to + 1)
    return found


def _crossing(pairs: Sequence[tuple[int, int]]) -> bool:
    """Whether things that both have stand in another order."""
    return any(one[1] > other[1] for one, other in pairwise(pairs))


def _gaps(pairs: Sequence[tuple[int, int]], old: int, new: int) -> Iterator[SlicePart]:
    """What stands between the things that both have: one for one where there are as many, else all for all."""
    before = (-1, -1)
    for at, to in [*pairs, (old, new)]:
        gap = SlicePart(before[0] + 1, at, before[1] + 1, to)
        gone, come = gap.stop - gap.start, gap.last - gap.first
        if gone == come:
            for n in range(gone):
                yield SlicePart(gap.start + n, gap.start + n + 1, gap.first + n, gap.first + n + 1)
        elif gone or come:
            yield gap
        before = (at, to)


def _step(plan: Plan, subject: Subject) -> PlanStep | None:
    of = _levels(plan).get(subject.level)
    return next((s for s in of.steps if s.name == subject.name), None) if of is not None else None


def _levels(plan: Plan) -> dict[str, Plan | PlanList | PlanGroup]:
    found: dict[str, Plan | PlanList | PlanGroup] = {"": plan}
    found |= {x.name: x for x in plan.lists}
    return found | {g.name: g for g in plan.groups}


def _conditions(plans: tuple[Plan, Plan], subject: Subject) -> dict[Subject, Part]:
    """The conditions that are others; none where they stand in another order, for the first that fails is told."""
    texts = []
    for plan in plans:
        of = _levels(plan).get(subject.level)
        texts.append([written(c.formula) for c in of.requires] if of is not None else [])
    old, new = texts
    if len(set(old)) < len(old) or len(set(new)) < len(new):
        return {}
    pairs = [(at, new.index(text)) for at, text in enumerate(old) if text in new]
    if _crossing(pairs):
        return {}
    found: dict[Subject, Part] = {}
    for part in _gaps(pairs, len(old), len(new)):
        found[_part(subject, _named(old[part.start] if part.stop > part.start else new[part.first]))] = part
    return found


def _named(text: str) -> Aspect:
    return Aspect("name", (text if len(text) <= LONGEST else text[: LONGEST - 3] + "..",))
