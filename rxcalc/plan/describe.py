"""Declarations copied into the plan: what explanations print and what rows are checked against."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

from rxcalc.lang.ops import Op
from rxcalc.lang.types import FLAG, OneOf
from rxcalc.plan.nodes import (
    Band,
    Cell,
    Limit,
    PlanColumn,
    PlanInput,
    PlanParameter,
    PlanRow,
    PlanSequence,
    PlanSetValue,
    PlanSource,
    PlanTable,
    PlanWindow,
    Point,
    Segment,
    Words,
)
from rxcalc.plan.places import Places
from rxcalc.rulebook.bases import HIDDEN
from rxcalc.source import Span
from rxcalc.syntax import nodes as syn
from rxcalc.typed.nodes import ParameterUse, TBand, TExpr, TInput, TParameter, TPoint, TStep, TTable, TypedRulebook
from rxcalc.typed.sequence import month_day

ONE_DAY = timedelta(days=1)


def words(given: syn.Words | None) -> Words:
    """Texts by language; empty when none is given."""
    return given.by_language if given is not None else ()


def cites(meta: syn.Meta) -> Words:
    """Pairs of source id and place."""
    return tuple((c.source, c.place) for c in meta.cite)


def set_values(values: tuple[syn.SetValue, ...]) -> tuple[PlanSetValue, ...]:
    """The values of a set with spellings and labels."""
    return tuple(PlanSetValue(v.name, v.aliases, words(v.label)) for v in values)


def plan_input(i: TInput, place: Places) -> PlanInput:
    """A declared input."""
    flags: tuple[tuple[str, bool], ...] = ()
    if i.type == FLAG:
        flags = tuple((alias, v.name in ("yes", "true")) for v in i.values for alias in v.aliases)
    return PlanInput(
        name=i.name,
        type=i.type,
        optional=i.optional,
        default=i.default,  # type: ignore[arg-type]  # read by the type
        low=i.low,  # type: ignore[arg-type]  # read by the type
        high=i.high,  # type: ignore[arg-type]  # read by the type
        decimals=i.decimals,
        values=set_values(i.values) if isinstance(i.type, OneOf) else (),
        flags=flags,
        drop_time=i.decl.time == "drop",
        aliases=i.decl.aliases,
        label=words(i.decl.meta.label),
        names=i.decl.meta.names,
        place=place.of(i.decl.name.span),
    )


def sequence(s: syn.SequenceDecl | None) -> PlanSequence | None:
    """Whose episodes, or which groups, follow each other."""
    if s is None:
        return None
    return PlanSequence(s.by.name, tuple(i.name for i in s.order), s.reverses.name if s.reverses else "")


def windows(decl: syn.RulebookDecl, place: Places) -> tuple[PlanWindow, ...]:
    """The windows of all levels."""
    own = (window(w, place) for w in decl.windows)
    return (*own, *(replace(window(w, place), level=g.name.name) for g in decl.groups for w in g.windows))


def window(w: syn.WindowDecl, place: Places) -> PlanWindow:
    """A window."""
    starting = month_day(w.starting.text) if w.starting is not None else (1, 1)
    return PlanWindow(
        name=w.name.name,
        calendar=w.calendar or "",
        date=w.date.name if w.date else "",
        starting=starting or (1, 1),
        starting_input=w.starting.text if w.starting is not None and starting is None else "",
        same=tuple(i.name for i in w.same),
        place=place.of(w.name.span),
        rolling=_length(w.rolling),
        rolling_unit=w.unit or "",
        gap=_length(w.gap),
        gap_from=w.gap_from.name if w.gap_from else "",
        gap_to=w.gap_to.name if w.gap_to else "",
        period=_length(w.period),
    )


def _length(given: syn.Length | None) -> tuple[int, str]:
    return (given.number, given.unit) if given is not None else (0, "")


def parameter(p: TParameter, decl: syn.RulebookDecl, place: Places) -> PlanParameter:
    """A parameter with all its values."""
    return PlanParameter(
        name=p.name,
        type=p.type,
        keys=p.keys,
        segments=tuple(
            Segment(
                start=s.start,
                values=tuple((key, _value(value, place)) for key, value in s.values),
                line=place.of(s.span).line,
                cells=tuple(Cell(place.of(c.span), c.reads, tuple(map(_limit, c.limits))) for c in s.cells),
                place=place.of(s.span),
            )
            for s in p.segments
        ),
        end=p.end,
        held=p.held,
        label=words(p.decl.meta.label),
        cite=cites(p.decl.meta),
        status=status_of(p.decl.meta, decl, p.decl.name.span),
        note=words(p.decl.meta.note),
        place=place.of(p.decl.name.span),
    )


def _limit(t: TExpr | None) -> Limit | None:
    """A limit's expression, as far as what is typed as a limit goes (`typed/values.py`)."""
    if t is None:
        return None
    if t.op is Op.PARAMETER and isinstance(t.data, ParameterUse):
        keys = tuple(key for a in t.args[: t.data.keys] if (key := _limit(a)) is not None)
        return Limit(t.op, keys, parameter=t.data.parameter)
    args = tuple(arg for a in t.args if (arg := _limit(a)) is not None)
    signs = t.data if t.op is Op.ADD and isinstance(t.data, tuple) else ()
    return Limit(t.op, args, t.data if isinstance(t.data, int | Fraction | str) else None, signs=signs)


def _value(value: object, place: Places) -> object:
    if isinstance(value, tuple):
        return tuple(
            Band(b.limit, b.inclusive, b.value, place.of(b.span))
            if isinstance(b, TBand)
            else Point(b.at, b.value, place.of(b.span))
            for b in value
            if isinstance(b, TBand | TPoint)
        )
    return value


def table(t: TTable, decl: syn.RulebookDecl, place: Places) -> PlanTable:
    """A table with all its rows; where rows only say when they start, each ends before the next of its key."""
    ends: dict[int, date] = {}
    if t.decl.end is None and t.decl.start is not None:
        by_key: dict[tuple[object, ...], list[tuple[date, int]]] = {}
        for at, row in enumerate(t.rows):
            by_key.setdefault(row.keys, []).append((row.start or date.min, at))
        for same in by_key.values():
            same.sort()
            for (_, at), (following, _) in pairwise(same):
                ends[at] = following - ONE_DAY
    base = decl.base_at(t.decl.file.span)
    rows = tuple(PlanRow(r.keys, r.start, ends.get(at, r.end), r.cells, r.line) for at, r in enumerate(t.rows))
    return PlanTable(
        name=t.name,
        keys=tuple(k.name.name for k in t.decl.key),
        key_types=t.key_types,
        range_key=t.range_key,
        dated=t.dated,
        columns=tuple(PlanColumn(c.name, c.type, c.optional, words(c.decl.meta.label)) for c in t.columns),
        rows=rows,
        label=words(t.decl.meta.label),
        cite=cites(t.decl.meta),
        status=status_of(t.decl.meta, decl, t.decl.name.span),
        place=place.of(t.decl.name.span),
        file=t.decl.file.text if base is None else str(Path(base.shown).parent / t.decl.file.text),
    )


def sources(decl: syn.RulebookDecl) -> tuple[PlanSource, ...]:
    """The cited documents."""
    return tuple(
        PlanSource(s.name.name, words(s.title), s.date.text if s.date else "", s.status or "") for s in decl.sources
    )


def files(typed: TypedRulebook) -> tuple[str, ...]:
    """The files that a rulebook reads besides its own, from its folder: bases and tables."""
    decl = typed.decl
    tables = []
    for t in typed.tables:
        base = decl.base_at(t.decl.file.span)
        tables.append(t.decl.file.text if base is None else str(Path(base.folder) / t.decl.file.text))
    return (*(b.path for b in decl.bases), *dict.fromkeys(tables))


def step_label(step: TStep) -> Words:
    """The label of a step; of one that an overlay replaced also the file in which it stands."""
    label = words(step.decl.meta.label)
    if not step.lazy:
        return label
    file = step.decl.name.span.file
    told = {"zh": f"（按 {file}）"}
    name = step.name.partition(HIDDEN)[0]
    named = label or (("en", name), ("zh", name))
    return tuple((tag, text + told.get(tag, f" (as in {file})")) for tag, text in named)


def status_of(meta: syn.Meta, decl: syn.RulebookDecl, span: Span) -> str:
    """The evidence status of a value: its own, else that of what it cites, else that of its file, else ""."""
    if meta.status:
        return meta.status
    by_source = {s.name.name: s.status for s in decl.sources}
    found = [status for c in meta.cite if (status := by_source.get(c.source))]
    weakest = [s for s in ("fictional", "illustrative", "sourced") if s in found]
    base = decl.base_at(span)
    return weakest[0] if weakest else (decl.status if base is None else base.status) or ""


def evidence(typed: TypedRulebook) -> tuple[tuple[str, int], ...]:
    """How many values (parameter values and table rows) carry each status; `unmarked` for none."""
    counts = dict.fromkeys(("sourced", "illustrative", "fictional", "unmarked"), 0)
    for p in typed.parameters:
        counts[status_of(p.decl.meta, typed.decl, p.decl.name.span) or "unmarked"] += sum(
            _size(v) for s in p.segments for _, v in s.values
        )
    for t in typed.tables:
        counts[status_of(t.decl.meta, typed.decl, t.decl.name.span) or "unmarked"] += len(t.rows)
    return tuple(counts.items())


def _size(value: object) -> int:
    return len(value) if isinstance(value, tuple) else 1
