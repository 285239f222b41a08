"""The items of a rulebook that its examples should use, from its plan."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

from rxcalc.coverage.model import Item
from rxcalc.lang.ops import Op
from rxcalc.lang.types import Plain, ScheduleType, Type
from rxcalc.plan.figures import figure, formula_text
from rxcalc.plan.nodes import (
    Band,
    Place,
    Plan,
    PlanClause,
    PlanGroup,
    PlanList,
    PlanParameter,
    PlanStep,
    PlanTable,
    Point,
    Value,
    share_name,
)
from rxcalc.rulebook.bases import HIDDEN
from rxcalc.tracing.hits import (
    BandUsed,
    BranchTaken,
    CheckFound,
    ClauseTaken,
    ConditionBroken,
    Hit,
    PartBorne,
    RowRead,
    RuleRun,
    ValueRead,
)

ONE_DAY = timedelta(days=1)


def items_of(plan: Plan) -> tuple[Item, ...]:
    """All items, in the order of the files: the rulebook, its bases, its tables."""
    of: list[tuple[str, Plan | PlanList | PlanGroup]] = [("", plan)]
    of += [(x.name, x) for x in plan.lists]
    of += [(g.name, g) for g in plan.groups]
    found: list[Item] = []
    for level, declared in of:
        found += _conditions(level, declared)
        for step in declared.steps:
            found += _clauses(level, step)
        if not isinstance(declared, PlanList):
            found += _shares(level, declared)
    found += _branches(plan, of)
    for parameter in plan.parameters:
        found += _parameter(parameter, plan.decimals)
    for table in plan.tables:
        found += _table(table, plan)
    found += _checks(plan)
    files = {file: at for at, file in enumerate(dict.fromkeys([plan.file, *(i.place.file for i in found)]))}
    return tuple(sorted(found, key=lambda i: (files[i.place.file], i.place.line)))


def implied_reads(plan: Plan) -> dict[Hit, tuple[Hit, ...]]:
    """The values that a schedule's limits were computed from: whoever reads the schedule reads them."""
    starts = {p.name: [s.start for s in p.segments] for p in plan.parameters}
    return {
        ValueRead(p.name, at, keys): tuple(
            ValueRead(name, bisect_right(starts[name], segment.start) - 1, of) for name, of in cell.reads
        )
        for p in plan.parameters
        for at, segment in enumerate(p.segments)
        for (keys, _), cell in zip(segment.values, segment.cells, strict=True)
        if cell.reads
    }


# ---- rules ----


def _clauses(level: str, step: PlanStep) -> Iterator[Item]:
    name = _step_name(step)
    for at, clause in enumerate(step.clauses):
        hit = ClauseTaken(level, step.name, at)
        said = _clause(clause, only=len(step.clauses) == 1)
        if step.table:
            yield Item("decision rows", name, level, f"row {at + 1}, {said}", clause.place, (hit,), _first(step, at))
        else:
            yield Item("clauses", name, level, said, clause.place, (hit,), _first(step, at))
    if level:
        run = RuleRun(level, step.name)
        yield Item("line rules", name, level, "", step.place, (run,), f"with a row of {level} that gets to it")


def _step_name(step: PlanStep) -> str:
    name, hidden, _ = step.name.partition(HIDDEN)
    return f"{name} (base)" if hidden else name


def _clause(clause: PlanClause, *, only: bool) -> str:
    if clause.condition is not None:
        said = f"when {formula_text(clause.condition)}"
    else:
        said = "its one expression" if only and clause.then >= 0 else "otherwise"
    return f"{said} then reject" if clause.then < 0 else said


def _first(step: PlanStep, at: int) -> str:
    if len(step.clauses) == 1:
        return "that gets to it"
    if step.clauses[at].condition is None:
        return "in which none before it holds"
    return "in which it holds" + (" and none before it" if at else "")


def _branches(plan: Plan, of: Sequence[tuple[str, Plan | PlanList | PlanGroup]]) -> Iterator[Item]:
    """Both arms of each `if`; one that stands in several cells of a decision table is one."""
    owners = _owners(plan, of)
    found: dict[tuple[Place, str, str, str], list[int]] = {}
    for index, node in enumerate(plan.nodes):
        if node.op is Op.IF and index in owners:
            found.setdefault((node.place, owners[index], node.level, node.text), []).append(index)
    for (place, owner, level, text), nodes in found.items():
        said = _arms(text, [plan.nodes[a].text for a in plan.nodes[nodes[0]].args])
        lacking = ("in which the condition holds", "in which it does not hold")
        for arm, then in enumerate((True, False)):
            hits = tuple(BranchTaken(n, then=then) for n in nodes)
            yield Item("branches", owner, level, said[arm], place, hits, lacking[arm])


def _arms(text: str, parts: Sequence[str]) -> tuple[str, str]:
    """What to call the two arms of an `if`, from its text and the texts of its parts.

    Equal constants are one node with the text of the first of them, so that a part alone may bear another's text.
    """
    condition, then, other = parts
    head, between = f"if {condition} then ", " else "
    if not text.startswith(head):
        return f"then of {text}", f"else of {text}"
    rest = text.removeprefix(head)
    if rest.endswith(between + other):
        then = rest.removesuffix(between + other)
    elif rest.startswith(then + between):
        other = rest.removeprefix(then + between)
    else:
        then, _, other = rest.partition(between)
    return f"if {condition}: then {then}", f"if {condition}: else {other}"


def _owners(plan: Plan, of: Sequence[tuple[str, Plan | PlanList | PlanGroup]]) -> dict[int, str]:
    """The nodes that are evaluated on rows, each with what it is part of; guarantees over several runs are not."""
    roots: list[tuple[str, int]] = []
    for _, declared in of:
        roots += [(_step_name(s), n) for s in declared.steps for c in s.clauses for n in (c.when, c.then)]
        roots += [("requires", c.that) for c in declared.requires]
        roots += [("guarantees", c.that) for c in declared.guarantees]
        if isinstance(declared, PlanGroup):
            roots += [*((k.name, k.node) for k in declared.keys), ("effective", declared.effective)]
        if not isinstance(declared, PlanList):
            roots += [(p.name, n) for p in declared.shares for n in (p.of, *(part.value for part in p.parts))]
    roots += [(s.name, n) for s in plan.spreads for n in (s.what, s.by)]
    roots += [(c.name or "checks", n) for c in plan.checks for n in (c.when, c.amount)]
    owners: dict[int, str] = {}
    todo = roots[::-1]
    while todo:
        owner, index = todo.pop()
        if index < 0 or index in owners:
            continue
        owners[index] = owner
        node = plan.nodes[index]
        todo += [(owner, a) for a in node.args]
        if node.op in (Op.WINDOW, Op.ROWS):
            call = plan.calls[int(str(node.data))]
            todo += [(owner, call.value), (owner, call.where)]
    return owners


# ---- conditions, shares, checks ----


def _conditions(level: str, of: Plan | PlanList | PlanGroup) -> Iterator[Item]:
    for at, condition in enumerate(of.requires):
        hit = ConditionBroken(level, at)
        text = formula_text(condition.formula)
        yield Item("requires", "requires", level, text, condition.place, (hit,), "that breaks it (rejects: RX722)")


def _shares(level: str, of: Plan | PlanGroup) -> Iterator[Item]:
    for at, partition in enumerate(of.shares):
        for number, part in enumerate(partition.parts):
            name = share_name(at, partition.name, part.bearer, part.part)
            hit = PartBorne(level, at, number)
            yield Item("shares", name, level, "", part.place, (hit,), "in which it is not zero")


def _checks(plan: Plan) -> Iterator[Item]:
    for at, check in enumerate(plan.checks):
        text = f"when {formula_text(check.formula)}"
        yield Item(
            "checks",
            check.name or "check",
            check.level,
            text,
            check.place,
            (CheckFound(at),),
            "in which it is found",
        )


# ---- parameters ----


def _parameter(p: PlanParameter, decimals: int) -> Iterator[Item]:
    for at, segment in enumerate(p.segments):
        since = f"from {segment.start}"
        reads = tuple(ValueRead(p.name, at, keys) for keys, _ in segment.values)
        yield Item("parameter dates", p.name, "", since, segment.place, reads, _dated(p, at))
        for number, (keys, value) in enumerate(segment.values):
            where = f"[{', '.join(keys)}] {since}" if keys else since
            if isinstance(p.type, ScheduleType):
                if isinstance(value, tuple):
                    yield from _bands(p, p.type, at, keys, where, value, decimals)
            elif keys:
                said = f"{where} ({figure(value, p.type, decimals)})"  # type: ignore[arg-type]  # a value of the type
                yield Item(
                    "parameter keys",
                    p.name,
                    "",
                    said,
                    segment.cells[number].place,
                    (ValueRead(p.name, at, keys),),
                    "that reads it",
                )


def _dated(p: PlanParameter, at: int) -> str:
    end = p.segments[at + 1].start - ONE_DAY if at + 1 < len(p.segments) else p.end
    since = p.segments[at].start
    return f"that reads it from {since} {f'to {end}' if end is not None else 'on'}"


def _bands(
    p: PlanParameter, of: ScheduleType, at: int, keys: tuple[str, ...], where: str, schedule: Sequence[object],
    decimals: int,
) -> Iterator[Item]:  # fmt: skip
    """The bands of one schedule; of a curve the stretches between two points."""
    noun, lacking = ("slice", "with a value in it") if of.form == "cliff" else ("band", "with a part in it")
    low = ""
    for number, part in enumerate(schedule):
        hit = BandUsed(p.name, at, keys, number)
        if isinstance(part, Band):
            limit = figure(part.limit, Plain(of.over), decimals) if part.limit is not None else ""
            said = f"{noun} {number + 1}, {_span(low, limit, inclusive=part.inclusive)}"
            said += f" ({figure(part.value, Plain(of.value), decimals)})"
            yield Item("bands", p.name, "", f"{where}: {said}", part.place, (hit,), lacking)
            low = limit
        elif isinstance(part, Point) and number + 1 < len(schedule):
            after = schedule[number + 1]
            if isinstance(after, Point) and after.at > part.at:
                ends = [figure(x.at, Plain(of.over), decimals) for x in (part, after)]
                said = f"{where}: between {ends[0]} and {ends[1]}"
                yield Item("bands", p.name, "", said, part.place, (hit,), "with a value between them")


def _span(low: str, limit: str, *, inclusive: bool) -> str:
    upto = f"{'to' if inclusive else 'below'} {limit}" if limit else ""
    if not low:
        return upto or "everything"
    return f"{low} {upto}" if upto else f"above {low}"


# ---- tables ----


def _table(table: PlanTable, plan: Plan) -> Iterator[Item]:
    file = _shown(table, plan)
    for at, row in enumerate(table.rows):
        keys = ", ".join(_key(k, t) for k, t in zip(row.keys, table.key_types, strict=True))
        dates = f" from {row.start}" if row.start is not None else ""
        place = Place(file, row.line)
        yield Item(
            "table rows", table.name, "", f"row {keys}{dates}", place, (RowRead(table.name, at),), "that finds it"
        )


def _shown(table: PlanTable, plan: Plan) -> str:
    """The path of a table as messages show it: that of a base has it already."""
    folder = Path(table.place.file).parent
    of_base = table.place.file != plan.file and Path(table.file).is_relative_to(folder)
    return table.file if of_base else str(Path(plan.file).parent / table.file)


def _key(key: object, type_: Type) -> str:
    value: Value = key  # type: ignore[assignment]  # keys are values
    return "open" if value is None else figure(value, type_, 2)
