"""Changes of meaning for readers: text, and JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from rxcalc.compare.model import Edit
from rxcalc.plan.nodes import Plan
from rxcalc.report.layout import indented, width, wrap
from rxcalc.report.narrow import hanging
from rxcalc.report.phrases_diff import aspect, say, subject, value, word

MOST: int = 12  # of one subject, in text
WIDEST: int = 400
_CHANGE: int = 11  # columns of the word for what happened


def text(old: Plan, new: Plan, found: Sequence[Edit], language: str = "en", *, columns: int = 80) -> str:
    """The changes by what they are of; of a subject with very many the first ones, and how many more."""
    told = headline(old, new, found, language)
    first = heading(old, new)
    if width(told) <= columns:
        lines = [told]
    else:
        lines = [*hanging(first, columns), *hanging(told.removeprefix(first).lstrip(" :："), columns)]
    for of, edits in groupby(found, key=lambda edit: edit.subject):
        own = list(edits)
        lines += ["", *wrap(subject(of, language), columns)]
        for edit in own[:MOST]:
            lines += _lines(edit, language, columns)
        if len(own) > MOST:
            lines += hanging(say("more_changes", language, f"{len(own) - MOST:,}"), columns, 2)
    return "\n".join(lines) + "\n"


def headline(old: Plan, new: Plan, found: Sequence[Edit], language: str) -> str:
    """How much changed."""
    places = len({edit.subject for edit in found})
    if not found:
        return say("same", language, heading(old, new))
    if len(found) == 1:
        return say("changes_1", language, heading(old, new))
    key = "changes_in_1" if places == 1 else "changes"
    return say(key, language, heading(old, new), f"{len(found):,}", f"{places:,}")


def heading(old: Plan, new: Plan) -> str:
    """Which two rulebooks."""
    return f"{_called(old)} -> {_called(new)}"


def _called(plan: Plan) -> str:
    return f"{plan.rulebook} {plan.version} ({plan.file})"


def _lines(edit: Edit, language: str, columns: int) -> Iterator[str]:
    told = indented(word(edit.change, language), aspect(edit.aspect, language), columns, label_width=_CHANGE)
    yield from (line.rstrip() for line in told)
    for sign, side in (("-", edit.was), ("+", edit.now)):
        if side:
            yield from hanging(f"{sign} {cut(value(side, language), language)}", columns, 6)


def cut(text: str, language: str) -> str:
    """A long text cut, with its length."""
    return text if len(text) <= WIDEST else say("characters", language, text[:WIDEST], f"{len(text):,}")


def edit_json(edit: Edit) -> dict[str, object]:
    """One change."""
    return {
        "section": edit.subject.section,
        "level": edit.subject.level,
        "name": edit.subject.name,
        "change": edit.change,
        "what": edit.what,
        "was": edit.was or None,
        "now": edit.now or None,
    }


def document(old: Plan, new: Plan, found: Sequence[Edit], version: str) -> dict[str, object]:
    """The changes as a JSON object."""
    return {
        "rxcalc": version,
        "format": 1,
        "old": _rulebook(old),
        "new": _rulebook(new),
        "differs": bool(found),
        "changes": [edit_json(edit) for edit in found],
    }


def _rulebook(plan: Plan) -> dict[str, object]:
    return {"name": plan.rulebook, "version": plan.version, "file": plan.file, "hash": plan.digest}
