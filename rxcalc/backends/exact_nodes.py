"""Plan nodes compiled to closures over a frame: lazy, exact, optionally recorded."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from fractions import Fraction
from typing import Any, ClassVar, TypeAlias, assert_never

from rxcalc.backends import exact_ops as ops
from rxcalc.backends import schedules
from rxcalc.backends.base import Problem
from rxcalc.backends.exact_ops import Refused, refuse
from rxcalc.backends.exact_rows import call_rows
from rxcalc.backends.frames import Frame
from rxcalc.backends.lookups import NO_VALUE, ParameterIndex, TableIndex
from rxcalc.lang.arithmetic import shortest
from rxcalc.lang.ops import Op
from rxcalc.lang.types import OneOf
from rxcalc.plan.nodes import CellRef, ParameterRef, Plan, PlanNode, ScheduleRef
from rxcalc.tracing.model import BandsTrace

ONE_DAY = timedelta(days=1)
SAFE_BITS = 2000


Thunk: TypeAlias = Callable[[Frame], Any]


class NodeCompiler:
    """Compiles each node of a plan once. With `recorded`, the nodes named there report their values."""

    ways: ClassVar[schedules.Ways] = schedules.WAYS

    def __init__(self, plan: Plan, recorded: frozenset[int]) -> None:
        self.plan = plan
        self.recorded = recorded
        self.parameters = {p.name: p for p in plan.parameters}
        self.indexes = {p.name: ParameterIndex.of(p) for p in plan.parameters}
        self.tables = {t.name: TableIndex(t) for t in plan.tables}
        self.inside = {"", *(x.name for x in plan.lists), *(g.name for g in plan.groups if g.inside)}
        levels = [("", plan.steps), *((x.name, x.steps) for x in plan.lists), *((g.name, g.steps) for g in plan.groups)]
        self.lazy = {(level, s.name) for level, steps in levels for s in steps if s.lazy}
        self.on_demand: dict[tuple[str, str], Thunk] = {}  # steps computed where they are read
        self.thunks: list[Thunk] = []
        for index, node in enumerate(plan.nodes):
            thunk = self._compile(index, node)
            # Inside a mapped rate only what is the same for every band can be shown: parameters.
            seen = index in recorded and not node.earlier and (not node.body or node.op is Op.PARAMETER)
            self.thunks.append(_recording(index, thunk) if seen else thunk)

    # ---- nodes ----

    def _compile(self, index: int, node: PlanNode) -> Thunk:
        args = [self.thunks[a] for a in node.args]
        data = node.data
        match node.op:
            case Op.CONST:
                return lambda _: data
            case Op.INPUT:
                return lambda f: f.inputs[data]  # type: ignore[index]  # data is the name
            case Op.STEP if (node.level, data) in self.lazy:
                return lambda f: self.on_demand[node.level, str(data)](f)  # noqa: PLW0108 - filled in later
            case Op.STEP:
                return lambda f: f.steps[data]  # type: ignore[index]  # data is the name
            case Op.SHARE:
                return lambda f: f.shares[data]  # type: ignore[index]  # data is the name
            case Op.LOCAL:
                return lambda f: f.local[data]  # type: ignore[index]  # data is the name
            case Op.EARLIER:
                return self._earlier(node)
            case Op.LIFT:
                return self._lift(index, str(data), args[0], missing=node.missing)
            case Op.GROUP:
                return self._group(index, str(data), args[0], args[1:])
            case Op.ROWS:
                call = self.plan.calls[int(str(data))]
                value, where = (self.thunks[n] if n >= 0 else None for n in (call.value, call.where))
                of = self.plan.nodes[call.value].type if call.value >= 0 else call.type
                return call_rows(call, int(str(data)), value, where, of)
            case Op.PARAMETER:
                return self._parameter(node, args)
            case Op.CELL | Op.HAS_ROW:
                return self._cell(node, args)
            case Op.WINDOW:
                return lambda f: f.window(data, f)  # type: ignore[arg-type]  # data is the call's index
            case Op.ADD:
                return _apply(ops.add(node), args)
            case Op.MULTIPLY:
                a, b = args
                if node.scale == 0 or node.low is None or node.high is None or max(-node.low, node.high) > 2**SAFE_BITS:
                    return lambda f: ops.size_checked(a(f) * b(f), node)
                return lambda f: a(f) * b(f)
            case Op.DIVIDE:
                return _apply(ops.divide(node), args)
            case Op.MIN | Op.MAX:
                return self._least(node, args)
            case Op.ROUND | Op.FLOOR | Op.CEIL:
                return _apply(ops.rounding(node), args)
            case Op.POWER | Op.ROOT:
                return _apply(ops.power(node), args)
            case Op.LT | Op.LE | Op.GT | Op.GE:
                return self._order(node, args)
            case Op.IN_SET:
                x = args[0]
                members = data if isinstance(data, tuple) else ()
                return lambda f: x(f) in members
            case Op.AND:
                return lambda f: all(a(f) for a in args)
            case Op.OR:
                return lambda f: any(a(f) for a in args)
            case Op.NOT:
                x = args[0]
                return lambda f: not x(f)
            case Op.KNOWN:
                x = args[0]
                return lambda f: x(f) is not None
            case Op.DEFAULT:
                x, d = args
                return lambda f: d(f) if (value := x(f)) is None else value
            case Op.IF:
                c, t, e = args
                return lambda f: t(f) if c(f) else e(f)
            case Op.MAKE_DATE:
                return _apply(ops.make_date(node), args)
            case Op.ADD_MONTHS | Op.ADD_YEARS:
                return _apply(ops.shift(node), args)
            case Op.FIRST_DAY | Op.LAST_DAY:
                return _apply(ops.unit_day(node), args)
            case Op.CONVERT:
                return _apply(ops.convert(node), args)
            case Op.EQ | Op.NE | Op.HAS | Op.MEETS | Op.DAYS_BETWEEN | Op.MONTHS_BETWEEN | Op.YEARS_BETWEEN:
                return _apply(ops.BINARY[node.op], args)
            case Op.NEGATE | Op.ABS | Op.YEAR | Op.MONTH | Op.DAY:
                return _apply(ops.UNARY[node.op], args)
            case Op.BANDS | Op.BAND | Op.BANDS_REACH | Op.SLICE | Op.ALONG | Op.OVER_DAYS:
                return self._schedule(index, node, args)
            case _:
                assert_never(node.op)

    def _earlier(self, node: PlanNode) -> Thunk:
        rows, name = node.data if isinstance(node.data, tuple) else ("", "")
        window, _, inner = str(rows).partition(".")
        del window
        # Beside a line of an earlier episode that episode can be read too (backends/ledger.py).
        name = f"{inner}/{name}" if inner else name
        return lambda f: f.earlier[name]

    def _lift(self, index: int, level: str, x: Thunk, *, missing: bool) -> Thunk:
        def inside(f: Frame) -> Any:
            row = f.up.get(level)
            if level:
                _noted(index, f, row)
            return None if row is None else x(row)

        def across(f: Frame) -> Any:
            group = _noted(index, f, f.groups.own(level, f))
            return _of_group(level, group, f, x, missing=missing)

        return inside if level in self.inside else across

    def _group(self, index: int, kind: str, x: Thunk, keys: list[Thunk]) -> Thunk:
        def find(f: Frame) -> Any:
            wanted = tuple(k(f) for k in keys)
            if kind in self.inside:
                row = _noted(index, f, f.root.index.get(kind, {}).get(wanted))
                return None if row is None else x(row)
            return _of_group(kind, _noted(index, f, f.groups.find(kind, wanted)), f, x, missing=True)

        return find

    def _least(self, node: PlanNode, args: list[Thunk]) -> Thunk:
        chosen = min if node.op is Op.MIN else max
        if isinstance(node.type, OneOf):
            rank = {v: at for at, v in enumerate(node.type.values)}
            return lambda f: chosen((a(f) for a in args), key=rank.__getitem__)
        if len(args) == 2:
            a, b = args
            return lambda f: chosen(a(f), b(f))
        return lambda f: chosen([a(f) for a in args])

    def _order(self, node: PlanNode, args: list[Thunk]) -> Thunk:
        test = ops.BINARY[node.op]
        a, b = args
        of = self.plan.nodes[node.args[0]].type
        if isinstance(of, OneOf):
            rank = {v: at for at, v in enumerate(of.values)}
            return lambda f: test(rank[a(f)], rank[b(f)])
        return lambda f: test(a(f), b(f))

    # ---- lookups ----

    def _parameter(self, node: PlanNode, args: list[Thunk]) -> Thunk:
        ref = node.data
        assert isinstance(ref, ParameterRef)  # noqa: S101 - data of PARAMETER
        return self._read(node, ref.parameter, args[: ref.keys], args[ref.keys] if ref.at else None)

    def _read(self, node: PlanNode, name: str, keys: list[Thunk], at: Thunk | None) -> Thunk:
        """The value of a parameter, scalar or schedule; refused where there is none and the rule does not allow for it."""
        index = self.indexes[name]
        parameter = self.parameters[name]
        only = index.values[0].get(()) if len(index.values) == 1 and not keys else None
        start = parameter.segments[0].start if parameter.segments else date.max
        may_miss = node.missing

        def lookup(f: Frame) -> Any:
            on = f.on if at is None else at(f)
            if only is not None and on >= start and (index.end is None or on <= index.end):
                return only
            value = index.at(tuple(k(f) for k in keys), on)
            if value is NO_VALUE or (value is None and not may_miss):
                raise refuse(
                    "RX724",
                    node,
                    f"`{name}` has no value on {on}; the rulebook must give one, or the date is wrong",
                    on,
                )
            return value

        return lookup

    def _cell(self, node: PlanNode, args: list[Thunk]) -> Thunk:
        ref = node.data
        assert isinstance(ref, CellRef)  # noqa: S101 - data of CELL
        table = self.tables[ref.table]
        keys, at = args[: ref.keys], args[ref.keys] if ref.at else None
        if node.op is Op.HAS_ROW:
            return lambda f: table.find(tuple(k(f) for k in keys), f.on if at is None else at(f)) is not None
        column = table.columns[ref.column]

        def cell(f: Frame) -> Any:
            wanted = tuple(k(f) for k in keys)
            on = f.on if at is None else at(f)
            row = table.find(wanted, on)
            if row is None:
                shown = ", ".join(str(k) for k in wanted)
                when = f" on {on}" if table.table.dated else ""
                raise refuse(
                    "RX731",
                    node,
                    f"table `{ref.table}` has no row for `{shown}`{when}; check the code, or test `in {ref.table}` in the rule",
                    shown,
                )
            return row.cells[column]

        return cell

    # ---- schedules ----

    def _schedule(self, index: int, node: PlanNode, args: list[Thunk]) -> Thunk:
        ref = node.data
        assert isinstance(ref, ScheduleRef)  # noqa: S101 - data of the schedule operations
        body = args.pop() if ref.local is not None else None
        keys = args[: ref.keys]
        at = args[ref.keys] if ref.at else None
        own = args[ref.keys + int(ref.at) :]
        keep = index in self.recorded and not node.body
        ways = self.ways
        if node.op is Op.OVER_DAYS:
            return self._over_days(node, ref, keys, own)
        schedule = self._read(node, ref.parameter, keys, at)
        if node.op is Op.SLICE:
            return lambda f: ways.whole_slice(schedule(f), own[0](f))
        if node.op is Op.ALONG:
            return self._along(node, ref, schedule, own[0])
        mapper = self._mapper(node, ref, body)

        def ends(f: Frame) -> tuple[Any, Any]:
            a, b = own[-2](f), own[-1](f)
            if a < 0 or b < 0:
                raise refuse(
                    "RX714",
                    node,
                    f"`{node.text}` is read from {_shown(a)} to {_shown(b)}; an end must not be negative, so use max(0, ..)",
                    _shown(min(a, b)),
                )
            return a, b

        match node.op:
            case Op.BANDS:

                def bands(f: Frame) -> Any:
                    a, b = ends(f)
                    walked = ways.band_parts(schedule(f), a, b, mapper(f), ref.parts)
                    if keep and f.recorder is not None:
                        f.recorder.bands[index] = BandsTrace(tuple(walked), Fraction(a), Fraction(b))
                    return sum((p.amount for p in walked), Fraction(0))

                return bands
            case Op.BAND:

                def band(f: Frame) -> Any:
                    n = own[0](f)
                    a, b = ends(f)
                    walked = ways.one_band(schedule(f), n, a, b, mapper(f), ref.parts)
                    if keep and f.recorder is not None:
                        f.recorder.bands[index] = BandsTrace(tuple(walked), Fraction(a), Fraction(b))
                    return sum((p.amount for p in walked), Fraction(0))

                return band
            case _:

                def bands_reach(f: Frame) -> Any:
                    target = own[0](f)
                    a, b = ends(f)
                    x, walked = ways.reach(schedule(f), target, a, b, mapper(f))
                    if keep and f.recorder is not None:
                        f.recorder.bands[index] = BandsTrace(tuple(walked), Fraction(a), Fraction(b), Fraction(target))
                    return x

                return bands_reach

    def _mapper(
        self, node: PlanNode, ref: ScheduleRef, body: Thunk | None
    ) -> Callable[[Frame], schedules.Mapper | None]:
        if body is None or ref.local is None:
            return lambda _: None
        local = ref.local

        def mapper(f: Frame) -> schedules.Mapper:
            def mapped(rate: Fraction) -> Fraction:
                outer = f.local.get(local)
                f.local[local] = rate
                result: Fraction = body(f)
                if outer is not None:
                    f.local[local] = outer
                if ref.held and not 0 <= result <= 1:
                    raise refuse(
                        "RX715",
                        node,
                        f"`{node.text}` maps the rate {_shown(rate * 100)}% to {_shown(result * 100)}%, outside 0% to 100%",
                        _shown(result),
                    )
                return result

            return mapped

        return mapper

    def _along(self, node: PlanNode, ref: ScheduleRef, schedule: Thunk, x: Thunk) -> Thunk:
        held, ways = self.parameters[ref.parameter].held, self.ways

        def along(f: Frame) -> Any:
            at = x(f)
            found = ways.on_curve(schedule(f), at, held=held)
            if found is None:
                raise refuse(
                    "RX716",
                    node,
                    f"`{ref.parameter}` has no value at {_shown(at)}, outside its points; say `outside: hold` if the ends go on",
                    _shown(at),
                )
            return found

        return along

    def _over_days(self, node: PlanNode, ref: ScheduleRef, keys: list[Thunk], own: list[Thunk]) -> Thunk:
        index = self.indexes[ref.parameter]

        def over(f: Frame) -> Any:
            start, end = own[0](f), own[1](f)
            wanted = tuple(k(f) for k in keys)
            total = Fraction(0)
            day = start
            while day < end:
                # Whole stretches between changes of the value, so that a long span costs no more than a short one.
                value = index.at(wanted, day)
                if value is None or value is NO_VALUE:
                    raise refuse(
                        "RX724",
                        node,
                        f"`{ref.parameter}` has no value on {day}; the rulebook must give one, or the date is wrong",
                        day,
                    )
                changes = [s for s in index.starts if s > day]
                stops = [end, *changes[:1]]
                if index.end is not None and index.end < end:
                    stops.append(index.end + ONE_DAY)
                until = min(stops)
                total += value * (until - day).days
                day = until
            return total

        return over


def _noted(index: int, reader: Frame, group: Frame | None) -> Frame | None:
    """The group that a node reads, noted for an explanation of the reader."""
    if reader.recorder is not None and group is not None:
        reader.recorder.reads[index] = (group.level, group.order)
    return group


def _of_group(kind: str, group: Frame | None, reader: Frame, x: Thunk, *, missing: bool) -> Any:
    """A group's field; a refused group refuses its reader, one that lost members marks it."""
    if group is None:
        if not missing:
            message = (
                f"no results of group `{kind}` are given; give them under `groups:`, or compute them from its episodes"
            )
            raise Refused(Problem("RX821", kind, "", message))
        return None
    if group.problem is not None:
        shown = "/".join(str(o) for o in group.order)
        message = f"group {kind} {shown} is refused ({group.problem.code}: {group.problem.message})"
        raise Refused(Problem("RX809", kind, shown, message))
    reader.root.touched.add(group)
    return x(group)


def _apply(function: Callable[..., Any], args: list[Thunk]) -> Thunk:
    if len(args) == 1:
        a = args[0]
        return lambda f: function(a(f))
    if len(args) == 2:
        a, b = args
        return lambda f: function(a(f), b(f))
    return lambda f: function(*[a(f) for a in args])


def _recording(index: int, thunk: Thunk) -> Thunk:
    def recorded(f: Frame) -> Any:
        value = thunk(f)
        if f.recorder is not None:
            f.recorder.nodes[index] = value
        return value

    return recorded


def _shown(x: Any) -> str:
    return shortest(x) or str(x)
