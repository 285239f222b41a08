"""Single small changes of a rulebook that its examples should notice: limits, rates, comparisons, clauses, dates, cells.

Each is a change of the plan for the exact evaluator (`plan/changed.py` says why that is sound).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from functools import partial
from itertools import pairwise
from typing import Final

from rxcalc.examples.mutant import Mutant, moved
from rxcalc.examples.mutants_tables import table_mutants
from rxcalc.lang.ops import Op
from rxcalc.lang.types import FLAG, Kind, Plain, ScheduleType
from rxcalc.plan.changed import UnchangeableError, with_parameter, with_step
from rxcalc.plan.figures import figure, formula_text
from rxcalc.plan.nodes import (
    Band,
    CellRef,
    ParameterRef,
    Place,
    Plan,
    PlanGroup,
    PlanList,
    PlanNode,
    PlanParameter,
    PlanStep,
    Point,
    ScheduleRef,
    Segment,
    Value,
)
from rxcalc.rulebook.bases import HIDDEN
from rxcalc.tracing.hits import ClauseTaken, Hit, ValueRead

_OTHER: Final = {Op.LT: Op.LE, Op.LE: Op.LT, Op.GT: Op.GE, Op.GE: Op.GT}
_SIGNS: Final = {Op.LT: "<", Op.LE: "<=", Op.GT: ">", Op.GE: ">="}
_DAY: Final = timedelta(days=1)


def mutants(plan: Plan) -> tuple[Mutant, ...]:
    """All of them, in the order of the files. Changes that nothing could notice are not among them as far as that is plain."""
    reads = _readers_of(plan)
    found = [*_parameters(plan), *table_mutants(plan), *_clauses(plan), *_conditions(plan), *_nodes(plan)]
    found = [m if m.about else replace(m, about=reads.get(m.of, ())) for m in found]
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
                for kind, now in moved(value, p.type):
                    change = partial(with_parameter, name=p.name, keys=keys, on=segment.start, value=now)
                    told = [figure(v, p.type, plan.decimals) for v in (value, now)]  # type: ignore[arg-type]  # values of the type
                    near: tuple[Value, ...] = (segment.start, now, value, *keys)  # type: ignore[arg-type]  # as above
                    what = f"{name} since {segment.start}"
                    span = _span(p, at) if hits is not None else None
                    yield Mutant(
                        kind,
                        place,
                        what,
                        told[0],
                        told[1],
                        change,
                        hits,
                        near,
                        of=("parameter", p.name),
                        keys=(keys,),
                        span=span,
                    )


def _span(p: PlanParameter, at: int) -> tuple[date, date | None]:
    """The days on which a parameter's values of a segment are in force."""
    last = p.segments[at + 1].start - _DAY if at + 1 < len(p.segments) else p.end
    return p.segments[at].start, last


def _readers(plan: Plan, p: PlanParameter, at: int, keys: tuple[str, ...]) -> frozenset[Hit] | None:
    """The reads of a value; any, where limits of schedules are computed from the parameter."""
    computed = any(name == p.name for q in plan.parameters for s in q.segments for c in s.cells for name, _ in c.reads)
    return None if computed else frozenset({ValueRead(p.name, at, keys)})


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
            for _, now in moved(limit, over):
                new = replace(part, limit=Fraction(now)) if isinstance(part, Band) else replace(part, at=Fraction(now))
                told = [figure(v, over, plan.decimals) for v in (limit, now)]
                changes.append(("limit", new, told[0], told[1], Fraction(now)))
        for kind, now in moved(part.value, gives):
            told = [figure(v, gives, plan.decimals) for v in (part.value, now)]
            changes.append((kind, replace(part, value=Fraction(now)), told[0], told[1], limit))
        for kind, new, was, now_told, near in changes:
            schedule = (*parts[:number], new, *parts[number + 1 :])
            if not _ascends(schedule, of):
                continue
            change = partial(with_parameter, name=p.name, keys=keys, on=segment.start, value=schedule)
            what = f"band {number + 1} of {name} since {segment.start}"
            around: tuple[Value, ...] = (segment.start, *(v for v in (near, limit) if v is not None), *keys)
            span = _span(p, p.segments.index(segment)) if hits is not None else None
            is_limit = isinstance(part, Band) and isinstance(new, Band) and new.limit != part.limit
            moved_limit = (parts, number) if is_limit else None
            slices = (limit, near) if is_limit and limit is not None and near is not None else None
            yield Mutant(
                kind, where, what, was, now_told, change, hits, around, of=("parameter", p.name), keys=(keys,), span=span,
                part=moved_limit, slices=slices,
            )  # fmt: skip


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
        place = p.segments[at].place
        told = (f"from {start}", f"from {now}")
        alike = at > 0 and not computed and p.segments[at - 1].values == p.segments[at].values
        span = None if computed else (min(start, now), max(start, now) - _DAY)
        of = ("parameter", p.name)
        yield Mutant("date", place, p.name, *told, change, hits, around, of=of, span=span, alike=alike)


def _started(plan: Plan, name: str, at: int, start: date) -> Plan:
    def moved(p: PlanParameter) -> PlanParameter:
        segment = replace(p.segments[at], start=start)
        return replace(p, segments=(*p.segments[:at], segment, *p.segments[at + 1 :]))

    return replace(plan, parameters=tuple(moved(p) if p.name == name else p for p in plan.parameters))


# ---- clauses and conditions ----


def _readers_of(plan: Plan) -> dict[tuple[str, str], tuple[int, ...]]:
    """The nodes that read each parameter and each table."""
    found: dict[tuple[str, str], list[int]] = {}
    for index, node in enumerate(plan.nodes):
        match node.data:
            case ParameterRef(parameter=name) | ScheduleRef(parameter=name):
                found.setdefault(("parameter", name), []).append(index)
            case CellRef(table=name, column=column):
                found.setdefault(("table", name), []).append(index)
                found.setdefault(("column", f"{name}.{column}"), []).append(index)
    return {key: tuple(nodes) for key, nodes in found.items()}


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
                about = (clause.when,) if clause.when >= 0 else tuple(c.when for c in step.clauses[:at])
                called = _called(level, step)
                yield Mutant(
                    "clause",
                    clause.place,
                    called,
                    said,
                    "left out",
                    change,
                    hits,
                    about=about,
                    clause=(level, step.name, at),
                )


def _without(plan: Plan, level: str, step: PlanStep, at: int) -> Plan:
    return with_step(plan, level, replace(step, clauses=(*step.clauses[:at], *step.clauses[at + 1 :])))


def _conditions(plan: Plan) -> Iterator[Mutant]:
    """A condition of `requires:` or a check left out."""
    for level, of in _levels(plan):
        for at, condition in enumerate(of.requires):
            change = partial(_not_required, level=level, at=at)
            name = f"requires of {level}" if level else "requires"
            text = formula_text(condition.formula)
            yield Mutant("clause", condition.place, name, text, "left out", change, about=(condition.that,))
    for at, check in enumerate(plan.checks):
        change = partial(_not_checked, at=at)
        name = f"check {check.name or at + 1}"
        text = f"when {formula_text(check.formula)}"
        yield Mutant("clause", check.place, name, text, "left out", change, about=(check.when,))


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
            swapped = partial(_with_node, index=index, node=replace(node, op=other))
            near: tuple[Value, ...] = tuple(plan.nodes[a].data for a in node.args if plan.nodes[a].op is Op.CONST)  # type: ignore[misc]  # constants are values
            signs = _SIGNS[node.op], _SIGNS[other]
            yield Mutant("comparison", node.place, node.text, *signs, swapped, None, near, (index,))
        elif node.op is Op.CONST and isinstance(node.data, int | Fraction) and node.data != 0:
            used = [(plan.nodes[n].text, plan.nodes[n].place) for n in compared.get(index, ())] + given.get(index, [])
            if not used:
                continue
            if any(text == node.text for text, _ in used):
                continue  # no figure of the rule: `last_day(year)` is made of one
            what = used[0][0] + (f" and {len(used) - 1} more" if len(used) > 1 else "")
            place = node.place if node.place.line else used[0][1]
            for kind, now in moved(node.data, node.type):
                new = replace(node, data=now, low=None, high=None, scale=0, text=figure(now, node.type, plan.decimals))
                told = [figure(v, node.type, plan.decimals) for v in (node.data, now)]
                change: Callable[[Plan], Plan] = partial(_with_node, index=index, node=new)
                if plan.spreads and isinstance(node.type, Plain) and node.type.kind is Kind.PERCENT:
                    change = _beside_a_spread
                about = () if index in given else tuple(compared.get(index, ()))
                near = (node.data, now)
                yield Mutant(
                    kind,
                    place,
                    what,
                    told[0],
                    told[1],
                    change,
                    None,
                    near,
                    about,
                    moves=(Fraction(node.data), Fraction(now)),
                    node=index,
                )


def _beside_a_spread(plan: Plan) -> Plan:
    """Refused: what is spread must stay whole minor units, and nothing proves that of another percentage in a rule."""
    message = f"what `{plan.spreads[0].name}` divides might no longer be whole minor units"
    raise UnchangeableError(message, "make the percentage a parameter")


def _with_node(plan: Plan, index: int, node: PlanNode) -> Plan:
    return replace(plan, nodes=(*plan.nodes[:index], node, *plan.nodes[index + 1 :]))
