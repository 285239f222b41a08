"""Single small changes of a rulebook that its examples should notice: limits, rates, comparisons, clauses, dates, cells.

Each is a change of the plan for the exact evaluator (`plan/changed.py` says why that is sound).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from fractions import Fraction
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Final

from rxcalc.lang.ops import Op
from rxcalc.lang.types import FLAG, Kind, Plain, ScheduleType, Type, is_whole
from rxcalc.plan.changed import with_cell, with_parameter, with_step
from rxcalc.plan.figures import figure, formula_text
from rxcalc.plan.nodes import (
    Band,
    Place,
    Plan,
    PlanGroup,
    PlanList,
    PlanNode,
    PlanParameter,
    PlanStep,
    PlanTable,
    Point,
    Segment,
    Value,
)
from rxcalc.rulebook.bases import HIDDEN
from rxcalc.tracing.hits import ClauseTaken, Hit, RowRead, ValueRead

KINDS: Final = ("limit", "rate", "comparison", "clause", "date", "cell")
_AMOUNTS: Final = frozenset({Kind.MONEY, Kind.MONEY_PER_DAY})
_OTHER: Final = {Op.LT: Op.LE, Op.LE: Op.LT, Op.GT: Op.GE, Op.GE: Op.GT}
_SIGNS: Final = {Op.LT: "<", Op.LE: "<=", Op.GT: ">", Op.GE: ">="}
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True)
class Mutant:
    """A change: `kind` is one of `KINDS`, `what` says which thing, `was` and `now` how.

    `hits` are uses without which an episode cannot notice it (None: any might). `near` are values around which inputs
    should be tried to notice it.
    """

    kind: str
    place: Place
    what: str
    was: str
    now: str
    change: Callable[[Plan], Plan]
    hits: frozenset[Hit] | None = None
    near: tuple[Value, ...] = field(default=(), compare=False)


def mutants(plan: Plan) -> tuple[Mutant, ...]:
    """All of them, in the order of the files. Changes that nothing could notice are not among them as far as that is plain."""
    found = [*_parameters(plan), *_tables(plan), *_clauses(plan), *_conditions(plan), *_nodes(plan)]
    files = {file: at for at, file in enumerate(dict.fromkeys([plan.file, *(m.place.file for m in found)]))}
    return tuple(sorted(found, key=lambda m: (files[m.place.file], m.place.line)))


# ---- parameters ----


def _parameters(plan: Plan) -> Iterator[Mutant]:
    for p in plan.parameters:
        for at, segment in enumerate(p.segments):
            yield from _start(plan, p, at)
            for number, (keys, value) in enumerate(segment.values):
                name = f"{p.name}[{', '.join(keys)}]" if keys else p.name
                place = segment.cells[number].place if segment.cells else segment.place
                hits = _readers(plan, p, at, keys)
                if isinstance(p.type, ScheduleType):
                    if isinstance(value, tuple):
                        limits = segment.cells[number].limits if segment.cells else ()
                        yield from _schedule(plan, p, p.type, segment, keys, value, limits, name, place, hits)
                    continue
                for kind, now in _moved(value, p.type):
                    change = partial(with_parameter, name=p.name, keys=keys, on=segment.start, value=now)
                    told = [figure(v, p.type, plan.decimals) for v in (value, now)]  # type: ignore[arg-type]  # values of the type
                    near = (segment.start, now, value)
                    what = f"{name} since {segment.start}"
                    yield Mutant(kind, place, what, told[0], told[1], change, hits, near)  # type: ignore[arg-type]  # as above


def _readers(plan: Plan, p: PlanParameter, at: int, keys: tuple[str, ...]) -> frozenset[Hit] | None:
    """The reads of a value; any, where limits of schedules are computed from the parameter."""
    computed = any(name == p.name for q in plan.parameters for s in q.segments for c in s.cells for name, _ in c.reads)
    return None if computed else frozenset({ValueRead(p.name, at, keys)})


def _moved(value: object, type_: Type) -> Iterator[tuple[str, Fraction | int]]:
    """An amount a fen and a unit lower and higher, a rate a point; nothing below nothing, no rate above all."""
    if not isinstance(type_, Plain) or isinstance(value, bool) or not isinstance(value, int | Fraction):
        return
    strides: tuple[Fraction, ...] = ()
    kind = "limit"
    if type_.kind is Kind.PERCENT:
        strides, kind = (Fraction(1, 100),), "rate"
    elif type_.kind in _AMOUNTS or type_.kind is Kind.NUMBER:
        strides = (Fraction(1, 100), Fraction(1))
    elif is_whole(type_):
        strides = (Fraction(1),)
    for stride in strides:
        for now in (value - stride, value + stride):
            if now < 0 <= value or (kind == "rate" and now > 1 >= value):
                continue
            yield kind, int(now) if is_whole(type_) else now


def _schedule(
    plan: Plan, p: PlanParameter, of: ScheduleType, segment: Segment, keys: tuple[str, ...], parts: tuple[Band | Point, ...],
    limits: tuple[object, ...], name: str, place: Place, hits: frozenset[Hit] | None,
) -> Iterator[Mutant]:  # fmt: skip
    """Limits and rates of the bands of a schedule; a limit that is computed moves with what it is computed from."""
    over, gives = Plain(of.over), Plain(of.value)
    for number, part in enumerate(parts):
        where = part.place if part.place.line else place
        changes: list[tuple[str, Band | Point, str, str, Fraction | None]] = []
        limit = part.limit if isinstance(part, Band) else part.at
        if limit is not None and not (limits and getattr(limits[number], "op", Op.CONST) is not Op.CONST):
            for _, now in _moved(limit, over):
                new = replace(part, limit=Fraction(now)) if isinstance(part, Band) else replace(part, at=Fraction(now))
                told = [figure(v, over, plan.decimals) for v in (limit, now)]
                changes.append(("limit", new, told[0], told[1], Fraction(now)))
        for kind, now in _moved(part.value, gives):
            told = [figure(v, gives, plan.decimals) for v in (part.value, now)]
            changes.append((kind, replace(part, value=Fraction(now)), told[0], told[1], limit))
        for kind, new, was, now_told, near in changes:
            schedule = (*parts[:number], new, *parts[number + 1 :])
            if not _ascends(schedule, of):
                continue
            change = partial(with_parameter, name=p.name, keys=keys, on=segment.start, value=schedule)
            what = f"band {number + 1} of {name} since {segment.start}"
            around: tuple[Value, ...] = (segment.start, *(v for v in (near, limit) if v is not None))
            yield Mutant(kind, where, what, was, now_told, change, hits, around)


def _ascends(parts: tuple[Band | Point, ...], of: ScheduleType) -> bool:
    places = [x for x in (part.limit if isinstance(part, Band) else part.at for part in parts) if x is not None]
    rising = all(a < b or (a == b and of.form == "curve") for a, b in pairwise(places))
    return rising and not (of.form == "bands" and places and places[0] <= 0)


def _start(plan: Plan, p: PlanParameter, at: int) -> Iterator[Mutant]:
    """The first day of a value a day earlier and later. Nothing precedes the rulebook's own first day."""
    start = p.segments[at].start
    for now in (start - _DAY, start + _DAY):
        if at and now <= p.segments[at - 1].start:
            continue
        if at + 1 < len(p.segments) and now >= p.segments[at + 1].start:
            continue
        if not at and now < start:
            continue
        near = [n for n in (at - 1, at) if n >= 0]
        keys = {k for n in near for k, _ in p.segments[n].values}
        computed = _readers(plan, p, at, ()) is None
        hits = None if computed else frozenset[Hit](ValueRead(p.name, n, k) for n in near for k in keys)
        change = partial(_started, name=p.name, at=at, start=now)
        around = (start - _DAY, start, now)
        yield Mutant("date", p.segments[at].place, p.name, f"from {start}", f"from {now}", change, hits, around)


def _started(plan: Plan, name: str, at: int, start: date) -> Plan:
    def moved(p: PlanParameter) -> PlanParameter:
        segment = replace(p.segments[at], start=start)
        return replace(p, segments=(*p.segments[:at], segment, *p.segments[at + 1 :]))

    return replace(plan, parameters=tuple(moved(p) if p.name == name else p for p in plan.parameters))


# ---- tables ----


def _tables(plan: Plan) -> Iterator[Mutant]:
    """The cells of a column swapped between rows that stand next to each other."""
    for table in plan.tables:
        file = _file(table, plan)
        for (a, first), (b, second) in pairwise(enumerate(table.rows)):
            for at, column in enumerate(table.columns):
                if first.cells[at] == second.cells[at]:
                    continue
                told = [
                    f"{figure(x, column.type, plan.decimals)}, {figure(y, column.type, plan.decimals)}"  # type: ignore[arg-type]  # cells are values
                    for x, y in ((first.cells[at], second.cells[at]), (second.cells[at], first.cells[at]))
                ]
                what = f"{table.name}: {column.name} of lines {first.line} and {second.line}"
                change = partial(_swapped, table=table.name, rows=(a, b), column=column.name, at=at)
                hits = frozenset[Hit]({RowRead(table.name, a), RowRead(table.name, b)})
                near = tuple(k for k in (*first.keys, *second.keys) if k is not None)
                place = Place(file, first.line)
                yield Mutant("cell", place, what, told[0], told[1], change, hits, near)  # type: ignore[arg-type]  # keys are values


def _file(table: PlanTable, plan: Plan) -> str:
    """The path of a table as messages show it: that of a base has it already."""
    of_base = table.place.file != plan.file and Path(table.file).is_relative_to(Path(table.place.file).parent)
    return table.file if of_base else str(Path(plan.file).parent / table.file)


def _swapped(plan: Plan, table: str, rows: tuple[int, int], column: str, at: int) -> Plan:
    of = next(t for t in plan.tables if t.name == table)
    one, other = (of.rows[n].cells[at] for n in rows)
    return with_cell(with_cell(plan, table, rows[0], column, other), table, rows[1], column, one)


# ---- clauses and conditions ----


def _levels(plan: Plan) -> list[tuple[str, Plan | PlanList | PlanGroup]]:
    found: list[tuple[str, Plan | PlanList | PlanGroup]] = [("", plan)]
    return [*found, *((x.name, x) for x in plan.lists), *((g.name, g) for g in plan.groups)]


def _called(level: str, step: PlanStep) -> str:
    name = step.name.partition(HIDDEN)[0]
    return f"{level}.{name}" if level else name


def _clauses(plan: Plan) -> Iterator[Mutant]:
    """A clause of a step left out."""
    for level, of in _levels(plan):
        for step in of.steps:
            for at, clause in enumerate(step.clauses):
                if len(step.clauses) == 1:
                    continue
                said = f"when {formula_text(clause.condition)}" if clause.condition is not None else "otherwise"
                change = partial(_without, level=level, step=step, at=at)
                hits = frozenset[Hit]({ClauseTaken(level, step.name, at)})
                yield Mutant("clause", clause.place, _called(level, step), said, "left out", change, hits)


def _without(plan: Plan, level: str, step: PlanStep, at: int) -> Plan:
    return with_step(plan, level, replace(step, clauses=(*step.clauses[:at], *step.clauses[at + 1 :])))


def _conditions(plan: Plan) -> Iterator[Mutant]:
    """A condition of `requires:` or a check left out."""
    for level, of in _levels(plan):
        for at, condition in enumerate(of.requires):
            change = partial(_not_required, level=level, at=at)
            name = f"requires of {level}" if level else "requires"
            yield Mutant("clause", condition.place, name, formula_text(condition.formula), "left out", change)
    for at, check in enumerate(plan.checks):
        change = partial(_not_checked, at=at)
        name = f"check {check.name or at + 1}"
        yield Mutant("clause", check.place, name, f"when {formula_text(check.formula)}", "left out", change)


def _not_required(plan: Plan, level: str, at: int) -> Plan:
    grown, index = _with_flag(plan, value=True)

    def put(of: tuple[object, ...]) -> tuple[object, ...]:
        return tuple(replace(c, that=index) if n == at else c for n, c in enumerate(of))  # type: ignore[type-var]  # conditions

    if not level:
        return replace(grown, requires=put(plan.requires))  # type: ignore[arg-type]  # as above
    lists = tuple(replace(x, requires=put(x.requires)) if x.name == level else x for x in plan.lists)  # type: ignore[arg-type]  # as above
    groups = tuple(replace(g, requires=put(g.requires)) if g.name == level else g for g in plan.groups)  # type: ignore[arg-type]  # as above
    return replace(grown, lists=lists, groups=groups)


def _not_checked(plan: Plan, at: int) -> Plan:
    grown, index = _with_flag(plan, value=False)
    checks = tuple(replace(c, when=index) if n == at else c for n, c in enumerate(plan.checks))
    return replace(grown, checks=checks)


def _with_flag(plan: Plan, *, value: bool) -> tuple[Plan, int]:
    node = PlanNode(op=Op.CONST, args=(), type=FLAG, data=value)
    return replace(plan, nodes=(*plan.nodes, node)), len(plan.nodes)


# ---- expressions ----


def _nodes(plan: Plan) -> Iterator[Mutant]:
    """Comparisons with and without equality; amounts and rates written into rules.

    Equal constants are one node, and so are equal comparisons: such a change concerns every place that writes it.
    """
    compared: dict[int, list[int]] = {}
    for index, node in enumerate(plan.nodes):
        for arg in node.args:
            compared.setdefault(arg, []).append(index)
    given: dict[int, list[tuple[str, Place]]] = {}  # constants that are the whole result of a clause
    for level, of in _levels(plan):
        for step in of.steps:
            for clause in step.clauses:
                given.setdefault(clause.then, []).append((_called(level, step), clause.place))
    for index, node in enumerate(plan.nodes):
        if node.op in _OTHER:
            other = _OTHER[node.op]
            change = partial(_with_node, index=index, node=replace(node, op=other))
            near = tuple(n.data for n in (plan.nodes[a] for a in node.args) if n.op is Op.CONST)
            yield Mutant("comparison", node.place, node.text, _SIGNS[node.op], _SIGNS[other], change, None, near)  # type: ignore[arg-type]  # constants are values
        elif node.op is Op.CONST and isinstance(node.data, int | Fraction) and node.data != 0:
            used = [(plan.nodes[n].text, plan.nodes[n].place) for n in compared.get(index, ())] + given.get(index, [])
            if not used or (plan.spreads and isinstance(node.type, Plain) and node.type.kind is Kind.PERCENT):
                continue
            what = used[0][0] + (f" and {len(used) - 1} more" if len(used) > 1 else "")
            place = node.place if node.place.line else used[0][1]
            for kind, now in _moved(node.data, node.type):
                new = replace(node, data=now, low=None, high=None, scale=0, text=figure(now, node.type, plan.decimals))
                told = [figure(v, node.type, plan.decimals) for v in (node.data, now)]
                change = partial(_with_node, index=index, node=new)
                yield Mutant(kind, place, what, told[0], told[1], change, None, (node.data, now))


def _with_node(plan: Plan, index: int, node: PlanNode) -> Plan:
    return replace(plan, nodes=(*plan.nodes[:index], node, *plan.nodes[index + 1 :]))


def noticed(mutant: Mutant, used: Iterable[Hit]) -> bool:
    """Whether an episode that used so much of the rulebook could notice a mutant."""
    return mutant.hits is None or not mutant.hits.isdisjoint(used)
