"""Changes of meaning for readers: text, and JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from rxcalc.compare.model import Edit
from rxcalc.plan.nodes import Plan

MOST: int = 12  # of one subject, in text
WIDEST: int = 400


def text(old: Plan, new: Plan, found: Sequence[Edit]) -> str:
    """The changes by what they are of; of a subject with very many the first ones, and how many more."""
    if not found:
        return f"{heading(old, new)}: no change of meaning\n"
    subjects = len({edit.subject for edit in found})
    lines = [f"{heading(old, new)}: {_count(len(found), 'change')} of meaning in {_count(subjects, 'place')}"]
    for subject, edits in groupby(found, key=lambda edit: edit.subject):
        own = list(edits)
        lines += ["", str(subject)]
        for edit in own[:MOST]:
            lines += _lines(edit)
        if len(own) > MOST:
            lines.append(f"  and {len(own) - MOST:,} more: --format json lists them all")
    return "\n".join(lines) + "\n"


def heading(old: Plan, new: Plan) -> str:
    """Which two rulebooks."""
    return f"{_called(old)} -> {_called(new)}"


def _called(plan: Plan) -> str:
    return f"{plan.rulebook} {plan.version} ({plan.file})"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _lines(edit: Edit) -> Iterator[str]:
    yield f"  {edit.change:9s}  {edit.what}".rstrip()
    if edit.was:
        yield f"      - {_cut(edit.was)}"
    if edit.now:
        yield f"      + {_cut(edit.now)}"


def _cut(text: str) -> str:
    return text if len(text) <= WIDEST else f"{text[:WIDEST]} .. ({len(text):,} characters)"


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
