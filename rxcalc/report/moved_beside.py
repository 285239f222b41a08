"""Findings of checks, groups across bills, and the days on which rules hold, of two rulebooks over the same bills."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final

from rxcalc.compare.as_of import nearest
from rxcalc.compare.moved import Across, Found, Moved, OneDay
from rxcalc.inputs.shown import shown
from rxcalc.plan.nodes import Plan
from rxcalc.report.amounts import money, signed
from rxcalc.report.narrow import hanging, within
from rxcalc.report.phrases_diff import say, subject

MOST_LATER: Final = 5
MOST_DATES: Final = 10

# ---- findings and groups ----------------------------------------------------------------------------


def findings_table(x: Moved, language: str) -> tuple[list[str], list[list[str]]]:
    """Heads and rows: each check with how much it found under both; what it comes to where any check has an amount."""
    keys = ["check", "old", "new", "gone", "come"]
    rows = []
    for f in x.found:
        counts = [say("absent", language) if n is None else f"{n:,}" for n in (f.old, f.new)]
        rows.append([f.check, *counts, f"{f.gone:,}", f"{f.come:,}"])
    if any(a is not None for f in x.found for a in (f.old_amount, f.new_amount)):
        keys += ["old_amount", "new_amount"]
        for f, row in zip(x.found, rows, strict=True):
            row += ["" if a is None else money(a, x.decimals) for a in (f.old_amount, f.new_amount)]
    return [say(key, language) for key in keys], rows


def findings_examples(f: Found, language: str) -> Iterator[str]:
    """Bills on which a check finds something under one of the two alone."""
    for key, ids in (("gone_on", f.gone_on), ("come_on", f.come_on)):
        if ids:
            yield say(key, language, f.check, say("list_sep", language).join(map(shown, ids)))


def findings_lines(x: Moved, language: str, columns: int) -> list[str]:
    """What the checks found, as text."""
    if not x.found:
        return []
    lines = [say("findings_title", language) + say("label_sep", language).rstrip()]
    lines += within(*findings_table(x, language), columns, indent=2)
    for f in x.found:
        for told in findings_examples(f, language):
            lines += hanging(told, columns, 2)
    return lines


def across_head(a: Across, language: str, key: str = "across") -> str:
    """How many groups of a kind, or `rows` of a list, came out how."""
    numbers = (a.both, a.changed, a.only_old, a.only_new)
    return say(key, language, a.kind, *(f"{n:,}" for n in numbers))


def across_rows(a: Across, decimals: int) -> list[list[str]]:
    """The totals of amounts that moved."""
    return [
        [
            t.name,
            money(t.old, decimals),
            money(t.new, decimals),
            signed(t.moved, decimals),
            f"{t.changed:,}",
        ]
        for t in a.totals
        if t.changed
    ]


def across_more(a: Across, language: str, key: str = "across") -> Iterator[str]:
    """Results that are no amounts, and single groups or rows."""
    for name, count in a.others:
        if count:
            yield say("group_result" if key == "across" else "row_result", language, name, f"{count:,}")
    for e in a.examples:
        values = (shown(v) or say("missing", language) for v in (e.old, e.new))
        if key == "across":
            yield say("group_example", language, say("list_sep", language).join(map(shown, e.key)), e.name, *values)
        else:
            yield say("row_example", language, *map(shown, e.key), e.name, *values)


def across_lines(x: Moved, language: str, columns: int) -> list[str]:
    """Groups across bills, as text."""
    return _across_lines(x.across, "across", x.decimals, language, columns)


def list_lines(x: Moved, language: str, columns: int) -> list[str]:
    """Rows of lists, as text."""
    return _across_lines(x.lists, "rows", x.decimals, language, columns)


def _across_lines(told: Sequence[Across], key: str, decimals: int, language: str, columns: int) -> list[str]:
    lines: list[str] = []
    counted = "groups_changed" if key == "across" else "rows_changed"
    head = [say(word, language) for word in ("total", "old", "new", "moved", counted)]
    for a in told:
        lines += [""] if lines else []
        lines += hanging(across_head(a, language, key), columns)
        rows = across_rows(a, decimals)
        lines += within(head, rows, columns, indent=2) if rows else []
        lines += [line for more in across_more(a, language, key) for line in hanging(more, columns, 2)]
    return lines


# ---- days -------------------------------------------------------------------------------------------


def days_told(x: Moved, plans: tuple[Plan, Plan], language: str) -> list[str]:
    """What was done about days, and what ought to be known about them; what came before the bills."""
    told: list[str] = []
    if x.days.one is not None:
        for key, side in zip(("old", "new"), x.days.one, strict=True):
            told += _one_day(say(key, language), side, language)
    else:
        for key, count, plan in zip(("old", "new"), x.days.not_in_force, plans, strict=True):
            if count:
                day = _suggested(plan, x.days.first, x.days.last)
                told.append(say(f"not_in_force_{key}", language, f"{count:,}", day))
        if x.days.later:
            sep = say("list_sep", language)
            later = x.days.later[:MOST_LATER]
            named = sep.join(say("later_one", language, subject(of, language), since) for of, since in later)
            told.append(say("later", language, x.days.last, named, max(since for _, since in x.days.later)))
    if x.earlier:
        told.append(say("earlier", language, say("list_sep", language).join(x.earlier)))
    if x.opening:
        told.append(say("opening", language, x.opening))
    for which, calls in x.unopened:
        told.append(say(f"unopened_{which}", language, x.opening, say("list_sep", language).join(calls)))
    return told + [say(key, language) for key in x.alone]


def _suggested(plan: Plan, first: date | None, last: date | None) -> date:
    """A day on which the rulebook is in force: the nearest to the bills."""
    return nearest(plan, last or first or plan.effective_from)


def said_of_force(start: date, end: date | None, language: str) -> str:
    """When a rulebook is in force."""
    return say("force_from_to", language, start, end) if end is not None else say("force_from", language, start)


def _one_day(which: str, side: OneDay, language: str) -> Iterator[str]:
    start, end = side.effective
    if side.day == side.wanted:
        told = say("one_day", language, which, side.day)
    else:
        told = say("one_day_near", language, which, said_of_force(start, end, language), side.day, side.wanted)
    counts = (f"{n:,}" for n in (side.bills, side.other, side.outside))
    yield told + say("sentence_sep", language) + say("one_day_other", language, *counts)
    if side.literals:
        sep = say("list_sep", language)
        yield say(
            "literals", language, sep.join(say("later_one", language, *one) for one in side.literals[:MOST_DATES])
        )
