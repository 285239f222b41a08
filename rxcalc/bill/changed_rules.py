"""Single changes of the rules that a bill was computed by: steps, the values they read, how they are rounded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import date
from fractions import Fraction
from functools import partial
from typing import Final

from rxcalc.backends.base import Outcome
from rxcalc.bill.changed_terms import term_changes
from rxcalc.bill.changed_walks import walk_changes
from rxcalc.bill.changes import Change, Kind
from rxcalc.bill.reach import Reach
from rxcalc.bill.subject import Computed, Subject
from rxcalc.lang.arithmetic import round_to
from rxcalc.lang.ops import Op
from rxcalc.lang.types import MONEY, MONEY_PER_DAY, NUMBER, PERCENT, ScheduleType, is_numeric
from rxcalc.lang.types import Kind as TypeKind
from rxcalc.plan.changed import with_cell, with_clause, with_parameter, with_rounding, with_segment, with_step
from rxcalc.plan.figures import formula_text
from rxcalc.plan.nodes import (
    Band,
    Plan,
    PlanNode,
    PlanParameter,
    PlanStep,
    RoundTo,
    ScheduleRef,
    Value,
)
from rxcalc.plan.reads import nodes_below
from rxcalc.tracing.hits import BandUsed, ClauseTaken, Hit, RowRead, ValueRead
from rxcalc.tracing.model import Recorder, StepTrace

_MODES: Final = ("half-up", "half-even", "half-down", "up", "down")
_NEAR_POINTS: Final = 10
_MOST_ROWS: Final = 200

Edit = Callable[[Plan], Plan]


def rule_changes(subject: Subject, computed: Computed, hits: Iterable[Hit], reach: Reach) -> Iterator[Change]:
    """Everything about the rules that could have been done in another way, as far as the goals of `reach` rest on it.

    `hits` are what the bill used of the rulebook.
    """
    plan, used = subject.plan, sorted(hits, key=repr)
    yield from _versions(plan, used, reach)
    yield from _clauses(plan, used, reach)
    yield from _operands(plan, reach)
    yield from _keys(plan, used, reach)
    yield from _cells(plan, used, reach)
    if any(plan.nodes[n].op in (Op.BANDS, Op.BANDS_REACH) for n in reach.nodes):
        yield from walk_changes()
    yield from _amounts(plan, computed.outcome, reach)
    yield from term_changes(plan, computed.outcome, reach)
    yield from _roundings(plan, computed.recorder, reach)
    yield from _rates(plan, used, reach)


def fitted_changes(
    subject: Subject, hits: Iterable[Hit], reach: Reach, figures: Iterable[Fraction]
) -> Iterator[Change]:
    """Amounts of parameters replaced by figures of the bill: what was reckoned with, where the parameter never has that value."""
    plan = subject.plan
    wanted = sorted(set(figures))
    for read, parameter in _reads(plan, sorted(hits, key=repr), reach):
        if parameter.type != MONEY:
            continue
        was = _value(parameter, read)
        known = {value for segment in parameter.segments for _, value in segment.values}
        for number, now in enumerate(f for f in wanted if f not in known and f >= 0):
            yield _of_parameter(
                Kind.FITTED,
                parameter,
                read,
                was,
                now,
                _set(parameter, read, now),
                distance=abs(now - _fraction(was)),
                number=number,
            )


def _edited(subject: Subject, *, edit: Edit) -> Subject:
    return subject.with_plan(edit(subject.plan))


def _applied(edit: Edit) -> Callable[[Subject], Subject]:
    return partial(_edited, edit=edit)


# ---- parameters and tables ----


def _reads(plan: Plan, hits: Iterable[Hit], reach: Reach) -> Iterator[tuple[ValueRead, PlanParameter]]:
    """The values of parameters that were read and that the goals rest on."""
    parameters = {p.name: p for p in plan.parameters}
    for hit in hits:
        if isinstance(hit, ValueRead) and hit.parameter in reach.parameters and hit.segment >= 0:
            yield hit, parameters[hit.parameter]


def _value(parameter: PlanParameter, read: ValueRead) -> object:
    return dict(parameter.segments[read.segment].values).get(read.keys)


def _set(parameter: PlanParameter, read: ValueRead, value: object) -> Edit:
    on = parameter.segments[read.segment].start
    return lambda plan: with_parameter(plan, parameter.name, read.keys, on, value)


def _of_parameter(
    kind: Kind, parameter: PlanParameter, read: ValueRead, was: object, now: object, edit: Edit, *, detail: str = "",
    distance: Fraction = Fraction(1), number: int = 0,
) -> Change:  # fmt: skip
    scalar = not isinstance(parameter.type, ScheduleType)
    return Change(
        kind, parameter.name, _applied(edit), was=was if scalar else None, now=now if scalar else None,  # type: ignore[arg-type]  # a scalar is a value
        type=parameter.type if scalar else None, label=parameter.label, detail=detail or ", ".join(read.keys),
        cite=parameter.cite, distance=distance, number=number,
    )  # fmt: skip


def _versions(plan: Plan, hits: list[Hit], reach: Reach) -> Iterator[Change]:
    """Values of the previous and the next date."""
    steps: dict[int, dict[str, Edit]] = {-1: {}, 1: {}}
    for read, parameter in _reads(plan, hits, reach):
        was = _value(parameter, read)
        on = parameter.segments[read.segment].start
        for to in (-1, 1):
            other = read.segment + to
            if not 0 <= other < len(parameter.segments):
                continue
            edit = partial(with_segment, name=parameter.name, on=on, index=other)
            steps[to][parameter.name] = edit
            now = dict(parameter.segments[other].values).get(read.keys)
            if now == was:
                continue
            start = parameter.segments[other].start
            until = parameter.segments[other + 1].start if other + 1 < len(parameter.segments) else None
            detail = f"{start}..{until or ''}"
            change = _of_parameter(Kind.VERSION, parameter, read, was, now, edit, detail=detail, number=to)
            yield replace(change, said=(("", ", ".join(read.keys)),))
    for hit in hits:
        if isinstance(hit, RowRead) and hit.table in reach.tables:
            for to, row_edit in _rows_of_other_dates(plan, hit):
                steps[to][f"{hit.table} {hit.row}"] = row_edit
    for to, edits in steps.items():
        if len(edits) > 1:
            yield Change(
                Kind.VERSION, "", _applied(partial(_all, edits=tuple(edits.values()))), number=to, now=len(edits)
            )


def _rows_of_other_dates(plan: Plan, hit: RowRead) -> Iterator[tuple[int, Edit]]:
    """What the row of a table said before, and says afterwards, for the same keys."""
    table = next(t for t in plan.tables if t.name == hit.table)
    own = table.rows[hit.row]
    alike = [n for n, r in enumerate(table.rows) if r.keys == own.keys]
    alike.sort(key=lambda n: table.rows[n].start or date.min)
    if hit.row not in alike:
        return
    for to in (-1, 1):
        at = alike.index(hit.row) + to
        if 0 <= at < len(alike):
            cells = table.rows[alike[at]].cells
            changed = [(c.name, new) for c, old, new in zip(table.columns, own.cells, cells, strict=True) if new != old]
            if changed:
                edits = [partial(with_cell, table=table.name, row=hit.row, column=c, value=v) for c, v in changed]
                yield to, partial(_all, edits=tuple(edits))


def _all(plan: Plan, edits: tuple[Edit, ...]) -> Plan:
    for edit in edits:
        plan = edit(plan)
    return plan


def _keys(plan: Plan, hits: list[Hit], reach: Reach) -> Iterator[Change]:
    """The value of other keys of the same date."""
    for read, parameter in _reads(plan, hits, reach):
        was = _value(parameter, read)
        for number, (keys, now) in enumerate(parameter.segments[read.segment].values):
            if now == was or keys == read.keys:
                continue
            far = sum(
                abs(values.index(a) - values.index(b))
                for a, b, values in zip(keys, read.keys, parameter.keys, strict=True)
            )
            change = _of_parameter(
                Kind.KEY, parameter, read, was, now, _set(parameter, read, now), distance=Fraction(far), number=number
            )
            yield replace(change, said=(("", ", ".join(keys)),))


def _cells(plan: Plan, hits: list[Hit], reach: Reach) -> Iterator[Change]:
    """What other rows of a table say."""
    tables = {t.name: t for t in plan.tables}
    for hit in hits:
        if not isinstance(hit, RowRead) or hit.table not in reach.tables:
            continue
        table = tables[hit.table]
        row = table.rows[hit.row]
        near = sorted(range(len(table.rows)), key=lambda n: abs(n - hit.row))[:_MOST_ROWS]
        for at, column in enumerate(table.columns):
            seen = {repr(row.cells[at])}
            for other in near:
                now = table.rows[other].cells[at]
                if repr(now) in seen:
                    continue
                seen.add(repr(now))
                edit = partial(with_cell, table=table.name, row=hit.row, column=column.name, value=now)
                told = ", ".join(str(k) for k in table.rows[other].keys if k is not None)
                since = table.rows[other].start
                yield Change(
                    Kind.CELL, table.name, _applied(edit), level=column.name, row=", ".join(str(k) for k in row.keys),
                    was=row.cells[at], now=now, type=column.type, label=table.label, detail=told,  # type: ignore[arg-type]  # a cell is a value
                    said=(("", str(since) if since is not None else ""),), cite=table.cite,
                    distance=Fraction(abs(other - hit.row)), number=hit.row * 1000 + at,
                )  # fmt: skip


def _rates(plan: Plan, hits: list[Hit], reach: Reach) -> Iterator[Change]:
    """Round percentages: every whole one within ten points, every fifth beyond."""
    for read, parameter in _reads(plan, hits, reach):
        was = _value(parameter, read)
        if parameter.type == PERCENT and isinstance(was, int | Fraction):
            for now in _percentages(Fraction(was)):
                yield _of_parameter(
                    Kind.RATE,
                    parameter,
                    read,
                    was,
                    now,
                    _set(parameter, read, now),
                    distance=abs(now - was),
                    number=int(now * 100),
                )
    parameters = {p.name: p for p in plan.parameters}
    for hit in hits:
        if not isinstance(hit, BandUsed) or hit.parameter not in reach.parameters:
            continue
        parameter = parameters[hit.parameter]
        read = ValueRead(hit.parameter, hit.segment, hit.keys)
        schedule = _value(parameter, read)
        percents = isinstance(parameter.type, ScheduleType) and parameter.type.value is TypeKind.PERCENT
        if not isinstance(schedule, tuple) or not percents or not isinstance(schedule[hit.band], Band):
            continue
        band = schedule[hit.band]
        for now in _percentages(band.value):
            changed = (*schedule[: hit.band], replace(band, value=now), *schedule[hit.band + 1 :])
            change = _of_parameter(
                Kind.RATE, parameter, read, None, None, _set(parameter, read, changed), distance=abs(now - band.value),
                number=hit.band * 1000 + int(now * 100),
            )  # fmt: skip
            yield replace(change, was=band.value, now=now, type=PERCENT, row=str(hit.band + 1))


def _percentages(own: Fraction) -> list[Fraction]:
    points = [Fraction(n, 100) for n in range(101) if n % 5 == 0 or abs(Fraction(n, 100) - own) * 100 <= _NEAR_POINTS]
    return [p for p in points if p != own]


# ---- steps ----


def _steps(plan: Plan, reach: Reach) -> Iterator[tuple[str, PlanStep]]:
    """The steps that the goals rest on, of the bill, its rows and its groups."""
    levels = [
        ("", plan.steps),
        *((x.name, x.steps) for x in plan.lists),
        *((g.name, g.steps) for g in plan.groups if g.inside),
    ]
    yield from ((level, s) for level, steps in levels for s in steps if (level, s.name) in reach.steps)


def _clauses(plan: Plan, hits: list[Hit], reach: Reach) -> Iterator[Change]:
    """Another clause of a step decides, on every row of its level."""
    taken = {(h.level, h.step): set[int]() for h in hits if isinstance(h, ClauseTaken)}
    for h in hits:
        if isinstance(h, ClauseTaken):
            taken[h.level, h.step].add(h.clause)
    for level, step in _steps(plan, reach):
        own = taken.get((level, step.name), set())
        for at, clause in enumerate(step.clauses):
            if clause.then < 0 or own == {at} or len(step.clauses) == 1:
                continue
            condition = formula_text(clause.condition) if clause.condition is not None else ""
            yield Change(
                Kind.CLAUSE, step.name, _applied(partial(_forced, level=level, name=step.name, index=at)), level=level,
                label=step.label, detail=condition, said=clause.because, cite=step.cite,
                distance=Fraction(min((abs(at - n) for n in own), default=1)), number=at,
            )  # fmt: skip


def _forced(plan: Plan, level: str, name: str, index: int) -> Plan:
    return with_clause(plan, level, name, index)


def _operands(plan: Plan, reach: Reach) -> Iterator[Change]:
    """The other arm of an `if`; of `min` and `max` each operand by itself."""
    for level, step in _steps(plan, reach):
        for node_index in sorted(nodes_below(plan, [c.then for c in step.clauses])):
            node = plan.nodes[node_index]
            if node.op is Op.IF:
                choices, kind = node.args[1:], Kind.BRANCH
            elif node.op in (Op.MIN, Op.MAX) and is_numeric(node.type):
                choices, kind = node.args, Kind.BOUND
            else:
                continue
            for at, arg in enumerate(choices):
                if kind is Kind.BOUND and plan.nodes[arg].op is Op.CONST:
                    continue  # `max(0, x)` is no limit that could be taken for the amount
                yield Change(
                    kind, step.name, _applied(partial(_picked, node=node_index, arg=arg)), level=level, was=node.text,
                    now=plan.nodes[arg].text, label=step.label, cite=step.cite, number=node_index * 100 + at,
                )  # fmt: skip


def _picked(plan: Plan, node: int, arg: int) -> Plan:
    """The plan in which a node has the value of one of its operands."""
    own = replace(plan.nodes[node], op=Op.DEFAULT, args=(arg, arg), data=None, low=None, high=None, scale=0)
    return replace(plan, nodes=(*plan.nodes[:node], own, *plan.nodes[node + 1 :]))


def _amounts(plan: Plan, outcome: Outcome, reach: Reach) -> Iterator[Change]:
    """An amount of the bill counted as nothing, or twice."""
    for level, step in _steps(plan, reach):
        value = outcome.steps.get(step.name) if not level else None
        if step.type != MONEY or step.lazy or not isinstance(value, int | Fraction) or value == 0:
            continue
        for kind, now in ((Kind.STEP_OUT, Fraction(0)), (Kind.STEP_TWICE, 2 * Fraction(value))):
            edit = partial(_constant, name=step.name, value=now)
            yield Change(
                kind, step.name, _applied(edit), was=value, now=now, type=step.type, label=step.label, cite=step.cite
            )


def _constant(plan: Plan, name: str, value: Value) -> Plan:
    step = next(s for s in plan.steps if s.name == name)
    node = PlanNode(op=Op.CONST, args=(), type=step.type, data=value, low=None, high=None)
    clause = replace(step.clauses[-1], when=-1, then=len(plan.nodes), condition=None, formula=None)
    grown = replace(plan, nodes=(*plan.nodes, node))
    return with_step(grown, "", replace(step, clauses=(clause,)))


# ---- rounding ----


def _roundings(plan: Plan, recorder: Recorder | None, reach: Reach) -> Iterator[Change]:
    """Another mode, not at all, or coarser; for what is exact to the fen; all steps by another mode.

    A rounding that gives the same on every row of the bill is no change, so it is left out.
    """
    unit = Fraction(1, 10**plan.decimals)
    traces = _traces(recorder)
    for level, step in _steps(plan, reach):
        if not is_numeric(step.type) or step.lazy:
            continue
        for number, rounding in enumerate(_other_roundings(step, unit)):
            if not any(_differs(trace, rounding) for trace in traces.get((level, step.name), ())):
                continue
            yield Change(
                Kind.ROUNDING, step.name, _applied(partial(_rounded, level=level, name=step.name, rounding=rounding)),
                level=level, was=_told(step.rounding), now=_told(rounding), label=step.label, cite=step.cite, number=number,
                distance=Fraction(1) if rounding is None or step.rounding is None else Fraction(2),
            )  # fmt: skip
    for mode in _MODES:
        if mode != plan.rounding:
            yield Change(Kind.ROUNDING, "", _applied(partial(_all_rounded, mode=mode)), was=plan.rounding, now=mode)
    for at, node in enumerate(plan.nodes):
        if at in reach.nodes and node.op in (Op.BANDS, Op.BAND) and isinstance(node.data, ScheduleRef):
            was = node.data.parts
            now = None if was is not None else RoundTo(unit, plan.rounding)
            yield Change(
                Kind.ROUNDING, node.data.parameter, _applied(partial(_parts, node=at, rounding=now)),
                was=_told(was), now=_told(now), detail="parts", number=at,
            )  # fmt: skip


def _traces(recorder: Recorder | None) -> dict[tuple[str, str], list[StepTrace]]:
    """What every step gave before and after it was rounded, on the bill and on its rows."""
    found: dict[tuple[str, str], list[StepTrace]] = {}
    if recorder is not None:
        for level, own in [("", recorder), *((level, row) for (level, _), row in recorder.rows.items())]:
            for trace in own.steps:
                found.setdefault((level, trace.name), []).append(trace)
    return found


def _differs(trace: StepTrace, rounding: RoundTo | None) -> bool:
    """Whether a step would have been another value, rounded in another way."""
    if not isinstance(trace.exact, int | Fraction):
        return False
    other = trace.exact if rounding is None else round_to(trace.exact, rounding.to, rounding.mode)
    return other != trace.value


def _other_roundings(step: PlanStep, unit: Fraction) -> list[RoundTo | None]:
    own = step.rounding
    if own is None:
        if step.type in (MONEY, MONEY_PER_DAY):
            return [RoundTo(unit, "half-up"), RoundTo(unit, "down"), RoundTo(Fraction(1), "half-up")]
        if step.type == PERCENT:
            return [RoundTo(Fraction(1, 10**n), "half-up") for n in (4, 3, 2)]
        return [RoundTo(Fraction(1, 10**n), "half-up") for n in (4, 2, 0)] if step.type == NUMBER else []
    found: list[RoundTo | None] = (
        [None] if is_numeric(step.type) and step.type in (MONEY, MONEY_PER_DAY, PERCENT, NUMBER) else []
    )
    found += [RoundTo(own.to, mode) for mode in _MODES if mode != own.mode]
    if step.type == MONEY:
        found += [
            RoundTo(to, mode) for to in (Fraction(1, 10), Fraction(1)) for mode in ("half-up", "down") if to > own.to
        ]
    return found


def _told(rounding: RoundTo | None) -> str:
    """A rounding as rulebooks write it: `0.01 half-up`, `none`."""
    if rounding is None:
        return "none"
    to = rounding.to
    digits = 0
    while (to * 10**digits).denominator != 1:
        digits += 1
    whole = int(to * 10**digits)
    text = str(whole) if digits == 0 else f"{whole / 10**digits:.{digits}f}"
    return f"{text} {rounding.mode}"


def _rounded(plan: Plan, level: str, name: str, rounding: RoundTo | None) -> Plan:
    return with_rounding(plan, level, name, rounding)


def _all_rounded(plan: Plan, mode: str) -> Plan:
    """The plan in which every step that is rounded by the rulebook's mode is rounded by another one."""

    def put(steps: tuple[PlanStep, ...]) -> tuple[PlanStep, ...]:
        return tuple(
            replace(s, rounding=RoundTo(s.rounding.to, mode))
            if s.rounding is not None and s.rounding.mode == plan.rounding
            else s
            for s in steps
        )

    return replace(
        plan,
        rounding=mode,
        steps=put(plan.steps),
        lists=tuple(replace(x, steps=put(x.steps)) for x in plan.lists),
        groups=tuple(replace(g, steps=put(g.steps)) for g in plan.groups),
    )


def _parts(plan: Plan, node: int, rounding: RoundTo | None) -> Plan:
    old = plan.nodes[node]
    assert isinstance(old.data, ScheduleRef)  # noqa: S101 - chosen by it
    own = replace(old, data=replace(old.data, parts=rounding))
    return replace(plan, nodes=(*plan.nodes[:node], own, *plan.nodes[node + 1 :]))


def _fraction(value: object) -> Fraction:
    return Fraction(value) if isinstance(value, int | Fraction) else Fraction(0)
