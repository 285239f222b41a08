"""Things of two rulebooks paired by their names, and single attributes compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, TypeVar

from rxcalc.compare.model import ADDED, CHANGED, REMOVED, Aspect, Edit, Subject
from rxcalc.plan.nodes import Formula, Plan

T = TypeVar("T")
WHOLE: Final = Aspect()


def written(formula: Formula | None) -> str:
    """A formula in its canonical spelling; "" for none."""
    return "".join(formula.names) if formula is not None else ""


def node_text(plan: Plan, index: int) -> str:
    """The canonical spelling of a node; "" for none."""
    return plan.nodes[index].text if index >= 0 else ""


def paired(old: Mapping[str, T], new: Mapping[str, T]) -> Iterator[tuple[str, T | None, T | None]]:
    """All names with what each side has: those of the old in its order, then what only the new one has."""
    for name, one in old.items():
        yield name, one, new.get(name)
    for name, other in new.items():
        if name not in old:
            yield name, None, other


def attribute(subject: Subject, aspect: Aspect, was: str, now: str) -> Iterator[Edit]:
    """The edit of one attribute, if it changed."""
    if was != now:
        yield Edit(subject, CHANGED, aspect, was, now)


def unordered(subject: Subject, old: Iterable[str], new: Iterable[str], aspect: Aspect = WHOLE) -> Iterator[Edit]:
    """Texts of which order means nothing: what went and what came."""
    before, after = Counter(old), Counter(new)
    for text in (before - after).elements():
        yield Edit(subject, REMOVED, aspect, text, "")
    for text in (after - before).elements():
        yield Edit(subject, ADDED, aspect, "", text)


def yes(flag: bool) -> str:  # noqa: FBT001 - a value, not an option
    """A flag as text."""
    return "yes" if flag else "no"
