"""Lists, groups and findings as parts of an outline."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from rxcalc.report.model import CheckLine, GroupLine, ListLine, RowLine, StepLine
from rxcalc.report.outline_model import (
    Block,
    Column,
    Fact,
    Facts,
    Item,
    Paragraph,
    Part,
    RowFigures,
    Rows,
    Section,
    Table,
    Told,
)
from rxcalc.report.outline_steps import MOST_ROWS, Teller, identifier

T = TypeVar("T")


# ---- lists ----


def list_section(teller: Teller, x: ListLine) -> Section:
    """A list: its rows at a glance, then every step with the figures of each row; in full, row by row."""
    name = _called(teller, x)
    at = identifier("list", x.name)
    if not x.rows:
        return Section(at, "list", f"{name}{teller.phrase('label_sep')}{teller.phrase('no_rows')}", ())
    title = f"{name}{teller.phrase('label_sep')}{teller.counted('rows', len(x.rows))}"
    table = _table(x, title)
    if teller.full:
        rows = tuple(_row_section(teller, x, row, number) for number, row in enumerate(x.rows, start=1))
        return Section(at, "list", title, (table,), rows)
    items: list[Block] = []
    for field in x.fields:
        seen = [(row.key, s) for row in x.rows for s in row.steps if s.name == field.name]
        if field.kind == "step" and seen:
            items.append(_over_rows(teller, at, seen))
    return Section(at, "list", title, (table, *items))


def _called(teller: Teller, x: ListLine) -> str:
    return titled(x.label if x.label != x.name else teller.kind(x.name), x.name)


def titled(label: str, name: str) -> str:
    """A label with its name."""
    return name if label == name else f"{label} [{name}]"


def _table(x: ListLine, caption: str) -> Table:
    """The rows with their inputs and results; columns that are empty in every row are left out."""
    columns = [Column(f.name, f.label, f.kind, f.is_number, f.is_money) for f in x.fields]
    cells = [
        {name: value or "" for name, value in row.inputs} | {s.name: _cell(s) for s in row.steps} for row in x.rows
    ]
    shown = [c for c in columns if c.kind == "order" or any(row.get(c.name) for row in cells)]
    return Table(caption, tuple(shown), tuple(tuple(row.get(c.name, "") for c in shown) for row in cells))


def _cell(s: StepLine) -> str:
    """A result in short: one without a finite decimal only near."""
    return "" if s.value is None else s.shown.rpartition(" = ")[2]


def _row_section(teller: Teller, x: ListLine, row: RowLine, number: int) -> Section:
    labels = {f.name: f.label for f in x.fields}
    given = tuple(Fact(name, labels[name], value) for name, value in row.inputs if value is not None)
    at = identifier("list", x.name, str(number))
    items = tuple(teller.step(s, at) for s in row.steps)
    return Section(at, "rows", f"{_called(teller, x)} {row.key}", (Facts(given), *items))


def _over_rows(teller: Teller, at: str, seen: Sequence[tuple[str, StepLine]]) -> Item:
    """A step of a list: each formula that decided once, and below it the figures of every row."""
    first = seen[0][1]
    ways = list(dict.fromkeys((s.clause, s.because, s.formula) for _, s in seen))
    same_calls = _common([s.calls for _, s in seen])
    same_groups = _common([s.groups for _, s in seen])
    parts: list[Part] = []
    for clause, because, formula in ways:
        of = [(key, s) for key, s in seen if (s.clause, s.because, s.formula) == (clause, because, formula)]
        parts += teller.clause(clause, "")
        parts += teller.told("because", because)
        if any(s.formula != s.shown for _, s in of):
            parts += teller.told("formula", formula)
        rows: list[RowFigures] = []
        for key, s in of:
            whole = [c for c in s.calls if c.call == formula]
            notes = [teller.called(c, formula) for c in s.calls if c not in (*same_calls, *whole)]
            notes += [teller.group_value(g) for g in s.groups if g not in same_groups]
            notes += [teller.flat(part) for b in s.bands for part in teller.bands(b)]
            text = _working(s, teller.called(whole[0], formula) if whole else "")
            value = s.shown if s.exact is None or s.rounding else ""
            rows.append(RowFigures(key, text, value, tuple(notes)))
        parts.append(Rows(tuple(rows)))
    rounding = dict.fromkeys(
        teller.phrase("remainder_told") if s.spread is not None else s.rounding for _, s in seen if s.rounding
    )
    parts += teller.told("rounded", "; ".join(rounding))
    parts += _parts(teller, seen)
    for call in (c for c in same_calls if c.call != first.formula):
        parts += teller.told("over", teller.called(call, first.formula))
    for group in same_groups:
        parts += teller.told("group", teller.group_value(group))
    for used in dict.fromkeys(u for _, s in seen for u in s.used):
        parts += teller.told("uses", teller.used(used, first.cite))
    parts += teller.sourced(first)
    qualifiers = {s.qualifier for _, s in seen}
    qualifier = qualifiers.pop() if len(qualifiers) == 1 else ""
    name = "" if first.label == first.name else first.name
    return Item(identifier(at, first.name), first.label, name, "", tuple(parts), qualifier)


def _working(s: StepLine, whole: str) -> str:
    """The figures of a row; `whole` is what a call saw that is the whole formula."""
    text = whole or (s.figures if s.figures not in (s.formula, s.shown) else "")
    if s.clause_figures not in ("", s.clause):
        text = f"({s.clause_figures})  {text}".rstrip()
    if s.exact is not None:
        exact = s.exact
        text = f"{text} = {exact}{' ->' if s.rounding else ''}" if text else f"{exact}{' ->' if s.rounding else ''}"
    return text


def _parts(teller: Teller, seen: Sequence[tuple[str, StepLine]]) -> Iterator[Told]:
    """How the amount of a spread came about, its weights, and that the parts add up, for each amount that was divided."""
    for group in dict.fromkeys(s.spread.group for _, s in seen if s.spread is not None):
        parts = [s for _, s in seen if s.spread is not None and s.spread.group == group]
        spread = parts[0].spread
        if spread is None:
            continue
        of = f"{group}: " if group else ""
        yield from teller.told("given_amount", f"{of}{spread.working}" if spread.working else "")
        if len(parts) < spread.parts:  # the others are on other bills
            yield from teller.told("weights", teller.weights(spread))
            yield from teller.told("group", teller.part_of(spread))
            continue
        weights = teller.weights(spread)
        yield from teller.told("weights", f"{of}{weights}" if weights else "")
        yield from teller.told("together", f"{of}{teller.summed([p.shown for p in parts])} = {spread.whole}")


def _common(found: Sequence[tuple[T, ...]]) -> tuple[T, ...]:
    """What every row shares; of a single row nothing."""
    if len(found) == 1:
        return ()
    return tuple(x for x in found[0] if all(x in other for other in found[1:]))


# ---- groups, findings ----


def group_section(teller: Teller, g: GroupLine, number: int) -> Section:
    """A group: its keys, what it was computed from, its steps."""
    name = titled(g.label, g.kind)
    keys = ", ".join(f"{key} {value}" for key, value in g.keys)
    title = f"{name}{teller.phrase('label_sep')}{keys}" if keys else name
    at = identifier("group", g.kind, str(number))
    kind = "line_group" if g.inside else "group"
    if g.given:
        facts = Facts(tuple(Fact(result, result, value) for result, value in g.results))
        return Section(at, kind, title, (Paragraph(teller.phrase("given_group")), facts))
    most = len(g.members) if teller.full else MOST_ROWS
    of = teller.kind(g.of)
    members = f"{of} {', '.join(g.members[:most])}" if g.members else teller.phrase("none_of").format(of)
    if len(g.members) > most:
        members += teller.phrase("in_all").format(len(g.members))
    told: list[Part] = [*teller.told("members", members)]
    if g.rejected:
        told += teller.told("refused_members", teller.counted("members_refused", g.rejected))
    told += teller.told("given", ", ".join(f"{label} = {value}" for _, label, value in g.inputs))
    about = Item(f"{at}-members", "", "", "", tuple(told))
    items = tuple(teller.step(s, at) for s in g.steps)
    shares = tuple(
        Section(identifier(at, "shares", p.name), "shares", teller.shares_title(p), (teller.shares(p),))
        for p in g.shares
    )
    return Section(at, kind, title, (about, *items), shares)


def check_item(teller: Teller, c: CheckLine, number: int) -> Item:
    """A finding: how severe, on which row, what is said, the figures, the amount."""
    row = ", ".join(f"{teller.field(c.level, name)} {value}" for name, value in c.row)
    label = f"{teller.phrase(c.severity)}{teller.phrase('label_sep')}{c.say or c.condition}"
    parts: list[Part] = [*teller.told("on_row", f"{teller.kind(c.level)}, {row}" if row else "")]
    parts += teller.clause(c.condition, c.figures)
    if c.amount_formula and teller.detail != "brief":
        figures = f" = {c.amount_figures}" if c.amount_figures not in (c.amount_formula, c.shown) else ""
        exact = f" = {c.exact}, {c.rounding}" if c.exact else ""
        parts += teller.told("amount", f"{c.amount_formula}{figures}{exact}")
    if teller.detail != "brief":
        for bands in c.bands:
            parts += teller.bands(bands)
        for call in c.calls:
            parts += teller.told("over", teller.called(call, c.amount_formula))
        for group in c.groups:
            parts += teller.told("group", teller.group_value(group))
        for used in c.used:
            parts += teller.told("uses", teller.used(used))
    if teller.full:
        parts += teller.told("place", teller.place(c.file, c.line))
    return Item(f"finding-{number}", label, "", c.shown, tuple(parts), tone=c.severity)
