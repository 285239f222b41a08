"""Calls over rows, spreads and the forming of groups on the exact back end: the plain definition of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from typing import Any

from rxcalc.backends.base import Problem
from rxcalc.backends.exact_ops import Refused
from rxcalc.backends.frames import Frame, sortable
from rxcalc.lang.arithmetic import shortest
from rxcalc.lang.ops import Op
from rxcalc.lang.types import OneOf, Type
from rxcalc.plan.nodes import Plan, PlanCall, PlanGroup, PlanSpread, Value
from rxcalc.tracing.model import RowsTrace, SpreadTrace

Thunk = Callable[[Frame], Any]

# Rows that the trace of a call names. A bill of many lines may look at all of them from each one, hence fewer there.
MOST_TRACED = 10_000
MOST_TRACED_OF_LINE = 50


def rows_of(call: PlanCall, frame: Frame) -> Sequence[Frame]:
    """The rows that a call goes over, in order."""
    match call.kind:
        case "above":
            return frame.root.rows[call.element][: frame.number]
        case _ if call.element in frame.rows:  # members of a group, lists of an episode
            return frame.rows[call.element]
        case _:  # all rows of a list, from one of its rows
            return frame.root.rows.get(call.element, ())


def row_name(row: Frame) -> str:
    """What explanations call a row: its place in its order, the keys of a group, the id of an episode."""
    return "/".join(_shown(k) for k in row.order or (row.inputs.get("episode_id"),))


def _shown(key: Value) -> str:
    if isinstance(key, bool):
        return "yes" if key else "no"
    return (shortest(key) or str(key)) if isinstance(key, int | Fraction) else str(key)


def call_rows(call: PlanCall, at: int, value: Thunk | None, where: Thunk | None, of: Type) -> Thunk:
    """The value of a call over rows of the same bill, or over the members of a group."""
    places = {v: n for n, v in enumerate(of.values)} if isinstance(of, OneOf) else None

    def run(frame: Frame) -> Value:
        found: list[Value] = []
        met: list[Frame] = []
        own: Value = None
        outer = frame.earlier
        if call.function == "rank":
            assert value is not None  # noqa: S101 - rank has a value
            frame.earlier = frame.values()
            own = value(frame)
        for row in rows_of(call, frame):
            frame.earlier = row.values()
            if where is not None and not where(frame):
                continue
            met.append(row)
            found.append(value(frame) if value is not None else None)
            if (call.function == "any" and found[-1]) or (call.function == "all" and not found[-1]):
                break
        frame.earlier = outer
        if call.function == "rank":
            mine = places[own] if places is not None and isinstance(own, str) else own
            theirs = [places[x] if places is not None and isinstance(x, str) else x for x in found]
            result: Value = 1 + sum(
                x > mine or (x == mine and row.order < frame.order)  # type: ignore[operator]  # like fields
                for row, x in zip(met, theirs, strict=True)
            )
        else:
            result = combined(call.function, call.distinct, found, call.type)
        if frame.recorder is not None:
            decided = (call.function == "any" and result) or (call.function == "all" and not result)
            kept = slice(-1, None) if decided else slice(MOST_TRACED if frame.root is frame else MOST_TRACED_OF_LINE)
            shown = tuple(row_name(row) for row in met[kept])
            values = tuple(found[kept]) if value is not None else ()
            frame.recorder.calls[at] = RowsTrace(
                call.key, call.window, result, shown, values, 1 if decided else len(met)
            )
        return result

    return run


def combined(function: str, distinct: bool, found: list[Any], of: Type) -> Value:  # noqa: FBT001 - one case per function
    """The result of a call from the values of the rows that meet its condition."""
    match function:
        case "count":
            return len({v for v in found if v is not None}) if distinct else len(found)
        case "sum":
            total: Value = sum(found, Fraction(0))
            return total
        case "any":
            return any(found)
        case "all":
            return all(found)
        case "first":
            first: Value = found[0] if found else None
            return first
        case "last":
            last: Value = found[-1] if found else None
            return last
        case _:
            values = [v for v in found if v is not None]
            if not values:
                return None
            chosen = min if function == "min" else max
            rank = {v: at for at, v in enumerate(of.values)} if isinstance(of, OneOf) else None
            best: Value = chosen(values, key=rank.__getitem__) if rank is not None else chosen(values)
            return best


def allocate(amount: Fraction, weights: Sequence[Fraction], unit: Fraction) -> list[Fraction] | None:
    """`amount` divided by weights into whole minor units by largest remainder; None when all weights are zero.

    Each part is the whole units of its exact part; the units left go one each to the largest remainders,
    ties to the first. A negative amount is divided as its absolute value and negated.
    """
    if amount == 0:
        return [Fraction(0)] * len(weights)
    total = sum(weights, Fraction(0))
    if total == 0:
        return None
    whole = abs(amount) / unit
    parts = [divmod(whole * weight, total) for weight in weights]
    left = int(whole - sum(int(units) for units, _ in parts))
    by_remainder = sorted(range(len(weights)), key=lambda at: -parts[at][1])
    more = set(by_remainder[:left])
    sign = 1 if amount > 0 else -1
    return [sign * unit * (int(units) + (at in more)) for at, (units, _) in enumerate(parts)]


def spread(s: PlanSpread, what: Thunk, by: Thunk, unit: Fraction, source: Frame, rows: Iterable[Frame]) -> None:
    """Gives each row its part of what the source row has, as a field of the row."""
    rows = list(rows)
    amount = Fraction(what(source))
    weights = []
    for row in rows:
        weight = by(row)
        if weight is None or weight < 0:
            shown = "missing" if weight is None else shortest(weight) or str(weight)
            where = f"{s.target} {'/'.join(str(o) for o in row.order)}" if s.target else f"{row.inputs['episode_id']}"
            message = f"{where}: the weight of `{s.name}` is {shown}; a weight must not be negative"
            raise Refused(Problem("RX806", s.name, shown, message))
        weights.append(Fraction(weight))
    parts = allocate(amount, weights, unit)
    if parts is None:
        where = "there are no rows" if not rows else "all weights are zero"
        shown = shortest(amount) or str(amount)
        raise Refused(Problem("RX807", s.name, shown, f"`{s.name}` has {shown} to give, but {where}"))
    total = sum(weights, Fraction(0))
    group = (source.level, source.order) if source.level else None
    known: tuple[tuple[str, Fraction], ...] = ()
    if any(row.recorder is not None for row in rows):
        near = zip(rows[:MOST_TRACED], weights, strict=False)
        known = tuple((row_name(row) or row.level, weight) for row, weight in near)
    for row, weight, part in zip(rows, weights, parts, strict=True):
        row.steps[s.name] = part
        if source.level and source.root is source:  # a group across bills: who receives of it has read it
            row.root.touched.add(source)
        if row.recorder is not None:
            exact = amount * weight / total if total else Fraction(0)
            row.recorder.spreads[s.name] = SpreadTrace(amount, weight, total, exact, part, len(rows), group, known)
            if group is not None and source.root is source:
                row.root.received.add(source)


def rows_below(frame: Frame, level: str) -> list[Frame]:
    """The rows of a level that belong to a row, directly or as members of its members."""
    if level in frame.rows:
        return frame.rows[level]
    below = [row for rows in frame.rows.values() for member in rows for row in rows_below(member, level)]
    return sorted(below, key=lambda row: (row.root.place, row.place))


def form_groups(g: PlanGroup, keys: Sequence[Thunk], root: Frame) -> None:
    """Forms the groups of a kind inside one bill: rows with the same keys; a row with a missing key is in none."""
    members = root.rows.get(g.of, [])
    found: dict[tuple[Value, ...], list[Frame]] = {}
    for row in members:
        key = tuple(k(row) for k in keys)
        if None not in key:
            found.setdefault(key, []).append(row)
    root.rows[g.name] = []
    root.index[g.name] = {}
    for key in sorted(found, key=sortable):
        row = root.within({k.name: v for k, v in zip(g.keys, key, strict=True)}, g.name, key)
        row.rows[g.of] = found[key]
        if row.recorder is not None:
            row.recorder.members = tuple(row_name(member) for member in found[key])
        root.index[g.name][key] = row
        for member in found[key]:
            member.up[g.name] = row


def above_runs(plan: Plan, items: Sequence[tuple[str, str]]) -> list[list[tuple[str, str]]]:
    """Items in runs: those of a list that read each other on the rows above are taken row by row, together."""
    last = list(range(len(items)))
    for at, (level, name) in enumerate(items):
        reads = _above(plan, level, name)
        for other in range(at + 1, len(items)):
            if items[other][0] == level and items[other][1] in reads:
                last[at] = other
    runs: list[list[tuple[str, str]]] = []
    end = -1
    for at, item in enumerate(items):
        if at <= end:
            runs[-1].append(item)
        else:
            runs.append([item])
        end = max(end, last[at])
    return runs


def _above(plan: Plan, level: str, name: str) -> set[str]:
    """The fields that a step of a list reads on the rows above."""
    steps = next((x.steps for x in plan.lists if x.name == level), ())
    clauses = [c for s in steps if s.name == name for c in s.clauses]
    stack = [n for c in clauses for n in (c.when, c.then) if n >= 0]
    found: set[str] = set()
    while stack:
        node = plan.nodes[stack.pop()]
        stack.extend(node.args)
        if node.op is Op.ROWS:
            call = plan.calls[int(str(node.data))]
            stack.extend(n for n in (call.value, call.where) if n >= 0)
        elif node.op is Op.EARLIER and isinstance(node.data, tuple) and node.data[0] == "above":
            found.add(str(node.data[1]))
    return found
