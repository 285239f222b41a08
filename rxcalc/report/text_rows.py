"""Lists, groups and findings as plain text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, TypeVar

from rxcalc.report.layout import cut, indented, left_pad, pad, width, wrap
from rxcalc.report.model import CheckLine, FieldLine, GroupLine, ListLine, RowLine, StepLine
from rxcalc.report.phrases import phrase, word
from rxcalc.report.text_steps import (
    MOST_ROWS,
    at_right,
    called,
    counted,
    group_value,
    joined,
    part_of,
    partition_lines,
    sourced,
    step_lines,
    titled,
    told,
    used_value,
)

WIDEST_CELL: Final = 24
WIDEST_HEAD: Final = 12
MOST_HEAD: Final = 2
INDENT: Final = 2

T = TypeVar("T")


def list_lines(x: ListLine, language: str, detail: str, columns: int, *, placed: bool) -> list[str]:
    """A list: its rows at a glance, then every step with the figures of each row; in full, row by row."""
    name = x.name if x.label == x.name else f"{x.label} [{x.name}]"
    if not x.rows:
        return [f"{name}: {phrase('no_rows', language)}"]
    lines = [f"{name}: {counted('rows', len(x.rows), language)}", *_overview(x, columns)]
    if detail == "full":
        for row in x.rows:
            lines += ["", *wrap(f"{name} {row.key}", columns), *_inputs(x, row, columns)]
            for step in row.steps:
                lines += ["", *_moved(step_lines(step, language, detail, columns - INDENT, placed=placed))]
        return lines
    for field in x.fields:
        seen = [(row.key, s) for row in x.rows for s in row.steps if s.name == field.name]
        if field.kind == "step" and seen:
            lines += ["", *_moved(_over_rows(seen, language, detail, columns - INDENT, placed=placed))]
    return lines


def _moved(lines: Sequence[str]) -> list[str]:
    return [" " * INDENT + line for line in lines]


def _inputs(x: ListLine, row: RowLine, columns: int) -> list[str]:
    labels = {f.name: f.label for f in x.fields}
    given = [(labels[name], value) for name, value in row.inputs if value is not None]
    widest = max((width(label) for label, _ in given), default=0)
    return [
        line for label, value in given for line in indented(label, value, columns, indent=4, label_width=widest + 3)
    ]


# ---- at a glance ----


def _overview(x: ListLine, columns: int) -> list[str]:
    """A table of the rows, folded into several beside each other's order where it is too wide."""
    results = [{s.name: _cell(s) for s in row.steps} for row in x.rows]
    given = [{name: value or "" for name, value in row.inputs} for row in x.rows]
    cells = {
        f: [(result if f.kind == "step" else row).get(f.name, "") for row, result in zip(given, results, strict=True)]
        for f in x.fields
    }
    shown = [f for f in x.fields if f.kind == "order" or any(cells[f])]
    folds = _folds(shown, cells, columns)
    if len(folds) > 2:
        folds = _folds([f for f in shown if f.kind != "step" or f.is_money], cells, columns)
    lines: list[str] = []
    for fields in folds:
        lines += [""] * bool(lines) + _table(fields, cells)
    return lines


def _cell(s: StepLine) -> str:
    """A result in short: grouped digits; one without a finite decimal is cut and marked."""
    if s.value is None:
        return ""
    if s.shown.endswith(")"):
        return s.value  # of a set, with its label
    return s.shown.rpartition(" = ")[2]


def _folds(fields: Sequence[FieldLine], cells: dict[FieldLine, list[str]], columns: int) -> list[list[FieldLine]]:
    """The fields in as many tables as the width asks for, each with the order in front."""
    order = [f for f in fields if f.kind == "order"]
    folds: list[list[FieldLine]] = []
    now: list[FieldLine] = []
    for f in fields:
        if f.kind == "order":
            continue
        if now and _wide([*order, *now, f], cells) > columns:
            folds.append([*order, *now])
            now = []
        now.append(f)
    return [*folds, [*order, *now]]


def _wide(fields: Sequence[FieldLine], cells: dict[FieldLine, list[str]]) -> int:
    return sum(_column(f, cells[f]) + 2 for f in fields)


def _column(f: FieldLine, cells: Sequence[str]) -> int:
    return max(width(text) for text in (*_head(f), *(cut(c, WIDEST_CELL) for c in cells)))


def _head(f: FieldLine) -> list[str]:
    """The label in two lines at most, else the name, broken after underscores."""
    head = wrap(f.label, WIDEST_HEAD)
    if f.label != f.name and len(head) <= MOST_HEAD:
        return head
    return [line.replace(" ", "") for line in wrap(f.name.replace("_", "_ "), WIDEST_HEAD)]


def _table(fields: Sequence[FieldLine], cells: dict[FieldLine, list[str]]) -> list[str]:
    widths = [_column(f, cells[f]) for f in fields]
    heads = [_head(f) for f in fields]
    most = max(len(h) for h in heads)
    heads = [[""] * (most - len(h)) + h for h in heads]

    def line(texts: Sequence[str]) -> str:
        aligned = [left_pad(t, w) if f.is_number else pad(t, w) for t, w, f in zip(texts, widths, fields, strict=True)]
        return ("  " + "  ".join(aligned)).rstrip()

    lines = [line(texts) for texts in zip(*heads, strict=True)]
    lines.append("  " + "  ".join("-" * w for w in widths))
    rows = zip(*(cells[f] for f in fields), strict=True)
    return [*lines, *(line([cut(c, WIDEST_CELL) for c in row]) for row in rows)]


# ---- a step over all rows ----


def _over_rows(
    seen: Sequence[tuple[str, StepLine]], language: str, detail: str, columns: int, *, placed: bool
) -> list[str]:
    """A step of a list: each formula that decided once, and below it the figures of every row."""
    first = seen[0][1]
    lines = wrap(titled(first), columns)
    ways = list(dict.fromkeys((s.clause, s.because, s.formula) for _, s in seen))
    key_width = min(WIDEST_CELL, max(width(key) for key, _ in seen))
    same_calls = _common([s.calls for _, s in seen])
    same_groups = _common([s.groups for _, s in seen])
    for clause, because, formula in ways:
        of = [(key, s) for key, s in seen if (s.clause, s.because, s.formula) == (clause, because, formula)]
        lines += told("clause", word(clause, language), language, columns)
        lines += told("because", because, language, columns)
        if any(s.formula != s.shown for _, s in of):
            lines += told("formula", formula, language, columns)
        for key, s in of:
            lead = f"    {pad(cut(key, key_width), key_width)}  "
            whole = [c for c in s.calls if c.call == formula]
            lines += _figures(lead, s, columns, called(whole[0], formula, language, detail) if whole else "")
            told_here = [called(c, formula, language, detail) for c in s.calls if c not in (*same_calls, *whole)]
            told_here += [group_value(g, language) for g in s.groups if g not in same_groups]
            for text in told_here:
                lines += [" " * width(lead) + part for part in wrap(text, columns - width(lead))]
    rounding = dict.fromkeys(
        phrase("remainder_told", language) if s.spread is not None else s.rounding for _, s in seen if s.rounding
    )
    lines += told("rounded", "; ".join(rounding), language, columns)
    lines += _parts(seen, language, columns)
    for call in (c for c in same_calls if c.call != first.formula):
        lines += told("over", called(call, first.formula, language, detail), language, columns)
    for group in same_groups:
        lines += told("group", group_value(group, language), language, columns)
    for used in dict.fromkeys(u for _, s in seen for u in s.used):
        lines += told("uses", used_value(used, language), language, columns)
    return lines + sourced(first, language, detail, columns, placed=placed)


def _figures(lead: str, s: StepLine, columns: int, whole: str) -> list[str]:
    """The figures of a row with its value at the right end; `whole` is what a call saw that is the whole formula."""
    text = whole or (s.figures if s.figures not in (s.formula, s.shown) else "")
    if s.clause_figures not in ("", s.clause):
        text = f"({s.clause_figures})  {text}".rstrip()
    if s.exact is not None:
        exact = s.exact.rpartition(" = ")[2]
        text = f"{text} = {exact}{' ->' if s.rounding else ''}" if text else f"{exact} ->"
    room = columns - width(lead)
    value = s.shown if s.exact is None or s.rounding else ""
    lines = at_right(text, value, room)
    return [(lead if at == 0 else " " * width(lead)) + line.rstrip() for at, line in enumerate(lines)]


def _parts(seen: Sequence[tuple[str, StepLine]], language: str, columns: int) -> Iterator[str]:
    """That the parts of a spread add up, for each amount that was divided."""
    for group in dict.fromkeys(s.spread.group for _, s in seen if s.spread is not None):
        parts = [s for _, s in seen if s.spread is not None and s.spread.group == group]
        spread = parts[0].spread
        if spread is None:
            continue
        of = f"{group}: " if group else ""
        if len(parts) < spread.parts:  # the others are on other bills
            yield from told("group", part_of(spread, language), language, columns)
            continue
        terms = joined(tuple(p.shown for p in parts[:MOST_ROWS]), " + ")
        rest = phrase("in_all", language).format(len(parts)) if len(parts) > MOST_ROWS else ""
        yield from told("together", f"{of}{terms}{rest} = {spread.whole}", language, columns)


def _common(found: Sequence[tuple[T, ...]]) -> tuple[T, ...]:
    """What every row shares; of a single row nothing."""
    if len(found) == 1:
        return ()
    return tuple(x for x in found[0] if all(x in other for other in found[1:]))


# ---- groups, findings ----


def group_lines(g: GroupLine, language: str, detail: str, columns: int, *, placed: bool) -> list[str]:
    """A group: its keys, what it was computed from, its steps."""
    name = g.kind if g.label == g.kind else f"{g.label} [{g.kind}]"
    keys = ", ".join(f"{key} {value}" for key, value in g.keys)
    lines = wrap(f"{name}: {keys}" if keys else name, columns)
    if g.given:
        lines += [f"  {line}" for line in wrap(phrase("given_group", language), columns - 2)]
        for result, value in g.results:
            lines += indented(result, value, columns, label_width=3 + max(width(r) for r, _ in g.results))
        return lines
    most = len(g.members) if detail == "full" else MOST_ROWS
    of = phrase("episodes", language) if g.of == "episodes" else g.of
    members = f"{of} {', '.join(g.members[:most])}" if g.members else phrase("none_of", language).format(of)
    if len(g.members) > most:
        members += phrase("in_all", language).format(len(g.members))
    lines += told("members", members, language, columns)
    if g.rejected:
        lines += told("refused_members", counted("members_refused", g.rejected, language), language, columns)
    lines += told("given", ", ".join(f"{label} = {value}" for _, label, value in g.inputs), language, columns)
    for step in g.steps:
        lines += ["", *_moved(step_lines(step, language, detail, columns - INDENT, placed=placed))]
    for partition in g.shares:
        lines += ["", *_moved(partition_lines(partition, language, detail, columns - INDENT))]
    return lines


def check_lines(c: CheckLine, language: str, detail: str, columns: int) -> list[str]:
    """A finding: how severe, on which row, what is said, the figures, the amount."""
    row = ", ".join(f"{name} {value}" for name, value in c.row)
    where = f"{c.level}, {row}" if row else ""
    head = f"{phrase(c.severity, language)}{phrase('label_sep', language)}{c.say or c.condition}"
    lines = [f"  {line}" for line in at_right(head, c.shown, columns - 2)]

    def add(key: str, text: str) -> None:
        lines.extend(f"  {line}" for line in told(key, text, language, columns - 2))

    add("on_row", where)
    add("clause", f"{c.condition}  ({c.figures})" if c.figures != c.condition else c.condition)
    if c.amount_formula and detail != "brief":
        figures = f" = {c.amount_figures}" if c.amount_figures not in (c.amount_formula, c.shown) else ""
        add("amount", f"{c.amount_formula}{figures}")
    if detail == "full":
        add("place", f"{c.file}:{c.line}")
    return lines
