"""Steps and parts as plain text."""

from __future__ import annotations

from typing import Final

from rxcalc.report.layout import fitted, indented, left_pad, pad, table, width, wrap
from rxcalc.report.model import (
    BandsFigures,
    CallLine,
    GroupValue,
    PartitionLine,
    ShareLine,
    SpreadFigures,
    StepLine,
    Used,
)
from rxcalc.report.phrases import phrase, word

MOST_ROWS: Final = 12


def step_lines(s: StepLine, language: str, detail: str, columns: int, *, placed: bool) -> list[str]:
    """One step; with `placed` also where its rule stands, since there are several files."""
    lines = at_right(titled(s), s.shown, columns)

    def add(key: str, text: str) -> None:
        lines.extend(told(key, text, language, columns))

    if detail == "full":
        for n in s.not_applied:
            add("not_applied", f"{n.condition}  ({n.figures})" if n.figures != n.condition else n.condition)
    if s.clause and s.clause != "otherwise":
        add("clause", f"{s.clause}  ({s.clause_figures})" if s.clause_figures != s.clause else s.clause)
    elif s.clause:
        add("clause", word(s.clause, language))
    add("because", s.because)
    if s.formula != s.shown:
        add("formula", s.formula)
    for bands in s.bands:
        lines.extend(_bands(bands, language, columns))
    if s.figures != s.formula and not any(c.call == s.formula for c in s.calls):
        add("figures", s.figures)
    if s.exact is not None:
        add("exact", f"{s.exact}{', ' + s.rounding if s.rounding else ''}")
    if s.spread is not None and s.spread.group:
        add("group", part_of(s.spread, language))
    for call in s.calls:
        add("over", called(call, s.formula, language, detail))
    for group in s.groups:
        add("group", group_value(group, language))
    for used in s.used:
        add("uses", used_value(used, language))
    lines.extend(sourced(s, language, detail, columns, placed=placed))
    return lines


def at_right(text: str, value: str, columns: int) -> list[str]:
    """A text with a value at the right end of its last line, or below where there is no room."""
    lines = wrap(text, columns)
    if width(lines[-1]) + 2 + width(value) > columns and width(value) <= columns // 2:
        lines = wrap(text, columns - width(value) - 2)
    if width(lines[-1]) + 2 + width(value) > columns:
        return [*lines, *(left_pad(part, columns) for part in wrap(value, columns))]
    return [*lines[:-1], lines[-1] + left_pad(value, columns - width(lines[-1])).rstrip()]


def titled(s: StepLine) -> str:
    """The label of a step with its name."""
    return s.label if s.label == s.name else f"{s.label} [{s.name}]"


def told(key: str, text: str, language: str, columns: int) -> list[str]:
    """A line of a step: a fixed word and what it says; nothing when there is nothing to say."""
    return indented(phrase(key, language), text, columns, label_width=10) if text else []


def sourced(s: StepLine, language: str, detail: str, columns: int, *, placed: bool) -> list[str]:
    """What a step rests on, its note, and where its rule stands."""
    status = f" [{word(s.status, language)}]" if s.status else ""
    lines = told("source", "; ".join(s.cite) + status if s.cite else "", language, columns)
    if detail == "full":
        lines += told("note", " ".join(s.note.split()), language, columns)
    if detail == "full" or placed:
        lines += told("place", f"{s.file}:{s.line}", language, columns)
    return lines


def used_value(u: Used, language: str) -> str:
    """A parameter or cell with its value and source."""
    value = f" = {u.value}" if u.value else ""
    about = [f"{phrase('since', language)} {u.since}" if u.since else "", word(u.status, language), "; ".join(u.cite)]
    said = ", ".join(a for a in about if a)
    return f"{u.name}{value}{f' ({said})' if said else ''}"


def called(c: CallLine, formula: str, language: str, detail: str) -> str:
    """A call over rows with what it saw: `sum(lines.amount where ..) = 300.00: 100.00 + 200.00 (lines 2, 5)`.

    Where the call is the whole formula, what it saw only.
    """
    rows, terms = c.rows, c.terms
    if c.function in ("any", "all") or (c.function == "count" and "count(distinct " not in c.call):
        terms = ()
    most = len(rows) if detail == "full" else MOST_ROWS
    text = ""
    if len(terms) > 1:
        text = joined(terms[:most], " + " if c.function == "sum" else ", ")
        text += (" + .." if c.function == "sum" else ", ..") if c.count > min(most, len(terms)) else ""
    if c.call != formula:
        text = f"{c.call} = {c.value}{': ' + text if text else ''}"
    seen = _seen(c, rows[:most], language)
    return f"{text} ({seen})" if text else seen


def _seen(c: CallLine, rows: tuple[str, ...], language: str) -> str:
    of = phrase("episodes", language) if c.of == "episodes" else c.of
    seen = phrase("none_before", language) if c.is_window else phrase("none_of", language).format(of)
    if rows:
        seen = f"{of} {', '.join(rows)}"
        seen += phrase("in_all", language).format(c.count) if c.count > len(rows) else ""
        if (c.function, c.value) == ("all", word("no", language)):
            seen = phrase("not_so", language).format(seen)
        elif (c.function, c.value) == ("any", word("no", language)):
            seen = phrase("none_holds", language).format(seen)
    return f"{seen}; {phrase('opening', language)}" if c.opening else seen


def part_of(s: SpreadFigures, language: str) -> str:
    """That an amount is a part of what a group gives."""
    return phrase("part_of_1" if s.parts == 1 else "part_of", language).format(s.group, s.whole, s.parts)


def counted(key: str, count: int, language: str) -> str:
    """A phrase with a number; some languages have another one for one."""
    return phrase(f"{key}_1" if count == 1 else key, language).format(count)


def joined(terms: tuple[str, ...], sign: str) -> str:
    """Terms as a sum, a difference or a list; two signs become one."""
    other = {" + ": " - ", " - ": " + "}
    text = terms[0]
    for term in terms[1:]:
        text += other[sign] + term[1:] if term.startswith("-") and sign in other else sign + term
    return text


def group_value(g: GroupValue, language: str) -> str:
    """A value of a group and where it comes from."""
    source = counted("group_computed", g.members, language) if g.members else phrase(f"group_{g.source}", language)
    more = "; " + phrase("group_lost", language) if g.incomplete else ""
    return f"{g.name} = {g.value} ({source}{more})"


def _bands(b: BandsFigures, language: str, columns: int) -> list[str]:
    rows: list[list[str]] = []
    for line in b.lines:
        mapped = f"({phrase('rate_from', language)} {line.given})" if line.given else ""
        rows.append([line.low, "..", line.high, ":", line.length, "*", line.rate, "=", line.amount, mapped])
    lead = pad("  " + phrase("bands", language), 12)
    body = table(rows, "rlrlrlrlrl", 1)
    if any(width(lead + line) > columns for line in body):
        body = table([[r[4], r[5], r[6], r[7], r[8]] for r in rows], "rlrlr", 1)
    return [(lead if at == 0 else " " * 12) + line for at, line in enumerate(body)]


def partition_lines(p: PartitionLine, language: str, detail: str, columns: int) -> list[str]:
    """Who bears an amount."""
    title = f"{phrase('shares', language)} {phrase('of', language)} {p.amount}"
    if p.label != p.name or p.name != "bill":
        title += f" ({p.label})"
    rows: list[list[str]] = []
    before = ""
    for part in p.parts:
        bearer = part.bearer_label if part.bearer_label != before else ""
        before = part.bearer_label
        rows.append([f"  {bearer}", part.label, part.shown, part.reason])
    lines = [title]
    indent = 4 + max((width(r[0]) for r in rows), default=0)
    for taken, part in zip(fitted(rows, "llrl", 2, columns, 1), p.parts, strict=True):
        lines += taken
        if detail != "brief":
            lines.extend(" " * indent + working for working in _working(part, p, language, columns - indent))
    return lines


def _working(part: ShareLine, p: PartitionLine, language: str, columns: int) -> list[str]:
    """How a part's amount comes about: its formula with figures, or for `rest` what the others leave."""
    if not part.formula:  # of a reversal
        return []
    if part.formula == "rest":
        others = [other.shown for other in p.parts if other is not part]
        return wrap(f"= {phrase('rest', language)}: " + joined((p.amount, *others), " - "), columns)
    figures = f" = {part.figures}" if part.figures and part.figures not in (part.formula, part.shown) else ""
    return wrap(f"= {part.formula}{figures}", columns)
