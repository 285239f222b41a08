"""Which change moved which bills, as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Final

from rxcalc.compare.attributed import Attributed, Effect, Interaction
from rxcalc.compare.model import Subject
from rxcalc.report.amounts import signed
from rxcalc.report.narrow import hanging, within
from rxcalc.report.phrases_diff import say, subject

MOST_TOLD: Final = 10
MOST_ALONG: Final = 6


def text(x: Attributed, language: str = "en", *, columns: int = 80) -> str:
    """Every bill that comes out otherwise, by the changes that moved it; then the changes that moved none."""
    lines = [say("none_moves", language)] if not x.rows else _attributed(x, language, columns)
    still = [line for told in unmoving(x, language) for line in hanging(told, columns)]
    return "\n".join([*lines, *(["", *still] if still else [])]) + "\n"


def summary(x: Attributed, language: str) -> str:
    """How many bills are whose."""
    return say("attributed", language, *(f"{n:,}" for n in (x.rows, x.sole, x.adding, x.interacting)))


def unmoving(x: Attributed, language: str) -> Iterator[str]:
    """The changes that moved no row, and those that could not be made by themselves."""
    for e in x.effects:
        if not e.rows:
            told = subject(e.subject, language)
            own = [s for s in e.along if s not in e.beyond]
            if own:
                told = say("with", language, told, some(own, language))
            if e.beyond:
                yield say("moved_none_beyond", language, told, some(e.beyond, language))
            else:
                yield say("moved_none", language, told)
    for of in x.silent:
        yield say("moved_none_itself", language, subject(of, language))
    if len(x.effects) > 1 and any(not e.rows for e in x.effects):
        yield say("cancel", language)
    if x.beside:
        yield say("beside", language)
    if x.unmade:
        yield say("unmade", language, some(x.unmade, language))


def head(language: str) -> list[str]:
    """The heads of the columns of effects."""
    return [say(key, language) for key in ("change", "count_of", "alone", "moved", "rejects", "accepts")]


def rows(x: Attributed, language: str) -> list[list[str]]:
    """What each change does by itself; what changes do beyond that together is the last row."""
    found = [
        [
            subject(e.subject, language),
            f"{e.rows:,}",
            f"{e.sole:,}",
            signed(e.moved, x.decimals),
            f"{e.refuses:,}",
            f"{e.accepts:,}",
        ]
        for e in x.effects
        if e.rows
    ]
    if x.interactions:
        rest = sum((i.rest for i in x.interactions), Fraction(0))
        found.append([say("interacting", language), f"{x.interacting:,}", "", signed(rest, x.decimals), "", ""])
    return found


def movers(i: Interaction, language: str) -> str:
    """The changes that move bills on which they act on each other."""
    return say("and", language).join(subject(s, language) for s in i.subjects) or say("none_of_them", language)


def mixed_head(language: str) -> list[str]:
    """The heads of the columns of interactions."""
    return [say(key, language) for key in ("mixed_head", "count_of", "beyond")]


def some(subjects: Sequence[Subject], language: str) -> str:
    """Subjects, of very many the first ones."""
    first = say("list_sep", language).join(subject(s, language) for s in subjects[:MOST_ALONG])
    more = len(subjects) - MOST_ALONG
    return first if more <= 0 else say("and_more", language, first, f"{more:,}")


def along(e: Effect, language: str) -> str:
    """What a change was made with, and what its figures are then."""
    told = say("along", language, subject(e.subject, language), some(e.along, language))
    return told + say("beyond_along", language, some(e.beyond, language)) if e.beyond else told


def _attributed(x: Attributed, language: str, columns: int) -> list[str]:
    lines = [*hanging(summary(x, language), columns), *hanging(say("each", language, x.amount), columns), ""]
    lines += within(head(language), rows(x, language), columns)
    for e in x.effects:
        if e.rows and e.along:
            lines += hanging(along(e, language), columns)
    if x.interactions:
        lines += ["", *hanging(say("mixed", language), columns)]
        told = [[movers(i, language), f"{i.rows:,}", signed(i.rest, x.decimals)] for i in x.interactions[:MOST_TOLD]]
        lines += within(mixed_head(language), told, columns, indent=2)
        if len(x.interactions) > MOST_TOLD:
            more = say("more_mixed", language, f"{len(x.interactions) - MOST_TOLD:,}")
            lines += hanging(more, columns, 2)
    return lines
