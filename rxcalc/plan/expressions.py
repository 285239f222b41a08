"""Typed expressions to plan nodes, each with its proven range and scale."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from itertools import pairwise
from typing import TypeAlias

from rxcalc.lang.ops import Op
from rxcalc.lang.types import PERCENT, OneOf, Plain, ScheduleType, Type, is_numeric, is_whole
from rxcalc.plan import ranges
from rxcalc.plan.formula import formula
from rxcalc.plan.nodes import CellRef, Formula, ParameterRef, Place, PlanCall, PlanNode, RoundTo, ScheduleRef
from rxcalc.plan.places import Places
from rxcalc.plan.ranges import ANYTHING, FLAG_RANGE, Range
from rxcalc.source import SourceFile, Span
from rxcalc.syntax.unparse import unparse
from rxcalc.typed.graph import walk
from rxcalc.typed.nodes import (
    CellUse,
    ParameterUse,
    ScheduleUse,
    TBand,
    TCondition,
    TExpr,
    TParameter,
    TPoint,
    TypedRulebook,
    WindowUse,
)

SCHEDULE_OPS = frozenset({Op.BANDS, Op.BAND, Op.BANDS_REACH, Op.SLICE, Op.ALONG, Op.OVER_DAYS})
FLAG_OPS = frozenset(
    {Op.EQ, Op.NE, Op.LT, Op.LE, Op.GT, Op.GE, Op.IN_SET, Op.AND, Op.OR, Op.NOT, Op.KNOWN, Op.HAS, Op.MEETS, Op.HAS_ROW}
)
HOLES = SCHEDULE_OPS | {
    Op.INPUT, Op.STEP, Op.SHARE, Op.PARAMETER, Op.CELL, Op.WINDOW, Op.ROWS, Op.LIFT, Op.GROUP, Op.LOCAL,
}  # fmt: skip
LONGEST_SPAN_DAYS = Fraction(4_000_000)


Field: TypeAlias = "tuple[str, str]"  # level and name


class Expressions:
    """Lowers the expressions of one rulebook into one list of nodes.

    `parts` and `power` carry the rounding of the step being lowered to its schedule operations
    (`round: {.., parts: yes}`) and to power and root.
    """

    def __init__(self, typed: TypedRulebook, files: dict[str, SourceFile], earlier: dict[Field, Range]) -> None:
        self.typed = typed
        self.nodes: list[PlanNode] = []
        self.calls: list[PlanCall] = []
        self.call_places: dict[PlanCall, int] = {}
        self.steps: dict[Field, Range] = {}
        self.shares: dict[Field, Range] = {}
        self.parts: RoundTo | None = None
        self.power: RoundTo | None = None
        self.places = Places(files)
        self.earlier = earlier
        levels = (
            ("", typed.inputs),
            *((x.name, x.inputs) for x in typed.lists),
            *((g.name, g.inputs) for g in typed.groups),
        )
        self.inputs: dict[Field, Range] = {
            (level, i.name): _input_range(i.type, i.low, i.high, i.decimals) for level, given in levels for i in given
        }
        self.parameters = {p.name: p for p in typed.parameters}
        self.tables = {t.name: t for t in typed.tables}
        self.in_bill = {"", *(x.name for x in typed.lists), *(g.name for g in typed.groups if g.in_bill)}
        self.by_syntax: dict[int, int] = {}
        self.leaves: dict[tuple[object, ...], int] = {}
        self.local: Range = ANYTHING

    # ---- what the rest of lowering asks ----

    def node(self, t: TExpr) -> int:
        """The index of the node for a typed expression, lowering it when it is new."""
        return self._node(t, body=False, earlier=False)

    def range_of(self, index: int) -> Range:
        """Range and scale of a node."""
        n = self.nodes[index]
        return Range(n.low, n.high, n.scale)

    def formula(self, t: TExpr) -> Formula:
        """The text of an expression with holes where figures go."""
        return formula(t.syntax, self.by_syntax)

    def text(self, t: TExpr) -> str:
        """Canonical text."""
        return unparse(t.syntax)

    def place(self, span: Span) -> Place:
        """File and line."""
        return self.places.of(span)

    def learn(self, requires: tuple[TCondition, ...]) -> None:
        """Use `requires` comparisons of inputs as facts about their ranges, from here on.

        They are tested before any step runs; nodes lowered before keep the declared bounds.
        """
        for _ in range(2):
            for condition in requires:
                for t in condition.that.args if condition.that.op is Op.AND else (condition.that,):
                    self._fact(t)
        self.leaves = {}

    def _fact(self, t: TExpr) -> None:
        if t.op not in (Op.LE, Op.LT, Op.GE, Op.GT, Op.EQ) or any(a.op not in (Op.INPUT, Op.CONST) for a in t.args):
            return
        small, large = t.args if t.op in (Op.LE, Op.LT, Op.EQ) else t.args[::-1]
        self._below(small, large)
        if t.op is Op.EQ:
            self._below(large, small)

    def _below(self, small: TExpr, large: TExpr) -> None:
        if (
            small.missing
            or large.missing
            or isinstance(small.type, OneOf)
            or not (is_numeric(small.type) or str(small.type) == "date")
        ):
            return
        a, b = (
            self.inputs[t.level, str(t.data)] if t.op is Op.INPUT else _constant_range(t.data) for t in (small, large)
        )
        if small.op is Op.INPUT and b.high is not None:
            self.inputs[small.level, str(small.data)] = Range(
                a.low, b.high if a.high is None else min(a.high, b.high), a.scale
            )
        if large.op is Op.INPUT and a.low is not None:
            self.inputs[large.level, str(large.data)] = Range(
                a.low if b.low is None else max(a.low, b.low), b.high, b.scale
            )

    # ---- nodes ----

    def _node(self, t: TExpr, *, body: bool, earlier: bool) -> int:
        key = (
            (t.op, t.data, t.type, t.level, body, earlier) if t.op in (Op.INPUT, Op.STEP, Op.CONST, Op.SHARE) else None
        )
        if key is not None and key in self.leaves:
            index = self.leaves[key]
        else:
            index = self._lower(t, body=body, earlier=earlier)
            if key is not None:
                self.leaves[key] = index
        if t.op in HOLES and not (earlier or body):
            self.by_syntax[id(t.syntax)] = index
        return index

    def _lower(self, t: TExpr, *, body: bool, earlier: bool) -> int:
        if t.op in (Op.WINDOW, Op.ROWS):
            return self._call(t)
        if t.op is Op.LIFT:  # evaluated on another row: nothing of this one's window or mapped rate is there
            args: tuple[int, ...] = (self._node(t.args[0], body=False, earlier=False),)
            return self._append(t, args, t.data, self.range_of(args[0]), body=body, earlier=earlier)
        if t.op is Op.GROUP:
            field = self._node(t.args[0], body=False, earlier=False)
            keys = tuple(self._node(a, body=body, earlier=earlier) for a in t.args[1:])
            return self._append(t, (field, *keys), t.data, self.range_of(field), body=body, earlier=earlier)
        data: object = t.data
        if isinstance(data, ScheduleUse):
            return self._schedule(t, data, body=body, earlier=earlier)
        args = tuple(self._node(a, body=body, earlier=earlier) for a in t.args)
        known = [self.range_of(a) for a in args]
        found = self._range(t, known)
        if t.op is Op.EARLIER and isinstance(data, tuple):
            data = data[:2]
        match t.op:
            case Op.PARAMETER if isinstance(data, ParameterUse):
                data = ParameterRef(data.parameter, data.keys, data.at)
            case Op.CELL | Op.HAS_ROW if isinstance(data, CellUse):
                data = CellRef(data.table, data.column, data.keys, data.at)
            case Op.ROUND | Op.FLOOR | Op.CEIL if isinstance(data, int | Fraction):
                data = RoundTo(Fraction(data), self.typed.decl.rounding)
            case Op.POWER | Op.ROOT:
                data = self.power
        return self._append(t, args, data, found, body=body, earlier=earlier)

    def _append(self, t: TExpr, args: tuple[int, ...], data: object, found: Range, *, body: bool, earlier: bool) -> int:
        self.nodes.append(
            PlanNode(
                op=t.op,
                args=args,
                type=t.type,
                data=data,
                low=found.low,
                high=found.high,
                scale=found.scale,
                missing=t.missing,
                body=body,
                earlier=earlier,
                place=self.places.of(t.span),
                text=unparse(t.syntax),
                level=t.level,
            )
        )
        return len(self.nodes) - 1

    # ---- windows and schedules ----

    def _call(self, t: TExpr) -> int:
        use = t.data
        assert isinstance(use, WindowUse)  # noqa: S101 - data of WINDOW and ROWS
        operands = list(t.args)
        value = self._node(operands.pop(0), body=False, earlier=True) if use.has_value else -1
        where = self._node(operands.pop(0), body=False, earlier=True) if use.has_where else -1
        correlated = any(
            node.op in (Op.INPUT, Op.STEP, Op.PARAMETER, Op.CELL, Op.HAS_ROW, Op.LIFT, Op.GROUP)
            or node.op in SCHEDULE_OPS
            for a in t.args
            for node in walk(a)
        )
        found = self.range_of(value) if value >= 0 else Range(scale=1)
        few = use.kind == "above" or (use.kind == "rows" and use.element in self.in_bill and t.level in self.in_bill)
        most = ranges.MAX_ROWS if few else ranges.MAX_EPISODES
        match use.function:
            case "count":
                found = Range(Fraction(0), Fraction(most), 1)
            case "rank":
                found = Range(Fraction(1), Fraction(most + 1), 1)
            case "any" | "all":
                found = FLAG_RANGE
            case "sum":
                found = ranges.accumulated(found, most)
        call = PlanCall(
            use.window, use.function, value, where, use.distinct, correlated, use.key, t.type, self.places.of(t.span),
            t.level, use.kind, use.of, use.inner, use.element,
        )  # fmt: skip
        at = self.call_places.setdefault(call, len(self.calls))
        if at == len(self.calls):
            self.calls.append(call)
        return self._append(t, (), at, found, body=False, earlier=False)

    def _schedule(self, t: TExpr, use: ScheduleUse, *, body: bool, earlier: bool) -> int:
        parameter = self.parameters[use.parameter]
        operands = t.args[:-1] if use.local is not None else t.args
        args = tuple(self._node(a, body=body, earlier=earlier) for a in operands)
        plain = self._schedule_values(parameter)
        rates, held = plain, False
        if use.local is not None:
            outer, self.local = self.local, plain
            mapped = self._node(t.args[-1], body=True, earlier=earlier)
            self.local = outer
            args = (*args, mapped)
            rates = self.range_of(mapped)
            held = isinstance(parameter.type, ScheduleType) and Plain(parameter.type.value) == PERCENT
            if held:
                # A mapped rate outside 0..100% refuses the row, so what is used lies inside.
                rates = Range(
                    max(Fraction(0), rates.low) if rates.low is not None else Fraction(0),
                    min(Fraction(1), rates.high) if rates.high is not None else Fraction(1),
                    rates.scale,
                )
        head = use.keys + int(use.at)
        own = [self.range_of(a) for a in args[head : len(args) - int(use.local is not None)]]
        ref = ScheduleRef(
            use.parameter, use.keys, use.at, use.local, self.parts if t.op in (Op.BANDS, Op.BAND) else None, held
        )
        found = self._schedule_range(t.op, parameter, own, rates, ref)
        return self._append(t, args, ref, found, body=body, earlier=earlier)

    def _schedule_values(self, parameter: TParameter) -> Range:
        if not isinstance(parameter.type, ScheduleType):
            return self._parameter(parameter)
        return ranges.of_values(
            [b.value for s in parameter.segments for _, v in s.values if isinstance(v, tuple) for b in v]
        )

    def _parameter(self, parameter: TParameter) -> Range:
        return _values_range([v for s in parameter.segments for _, v in s.values])

    def _schedule_range(self, op: Op, parameter: TParameter, own: list[Range], rates: Range, ref: ScheduleRef) -> Range:
        schedules = [v for s in parameter.segments for _, v in s.values if isinstance(v, tuple)]
        limits = 1
        for schedule in schedules:
            for b in schedule:
                place = b.limit if isinstance(b, TBand) else b.at
                limits = ranges.joined(limits, place.denominator if place is not None else 1)
        match op:
            case Op.BANDS | Op.BAND:
                start, end = own[-2], own[-1]
                found = ranges.marginal(rates, start, end, limits)
                if ref.parts is not None:
                    slack = ref.parts.to * max((len(s) for s in schedules), default=1)
                    low, high = found.low, found.high
                    found = Range(
                        None if low is None else low - slack if low < 0 else low,
                        None if high is None else high + slack,
                        ref.parts.to.denominator,
                    )
                return found
            case Op.BANDS_REACH:
                start, end = own[-2], own[-1]
                low = None if start.low is None or end.low is None else min(start.low, end.low)
                return Range(low, end.high, 0)
            case Op.SLICE:
                return rates
            case Op.ALONG:
                return Range(rates.low, rates.high, _curve_scale(schedules, own[0], rates))
            case _:
                days = ranges.add([own[1], own[0]], (1, -1))
                high = None if days.high is None else max(Fraction(0), days.high)
                return ranges.multiply(rates, Range(Fraction(0), high, 1))

    # ---- ranges by operation ----

    def _range(self, t: TExpr, known: list[Range]) -> Range:
        match t.op:
            case _ if t.op in FLAG_OPS:
                return FLAG_RANGE
            case Op.CONST:
                return _constant_range(t.data)
            case Op.INPUT:
                return self.inputs.get((t.level, str(t.data)), ANYTHING)
            case Op.STEP:
                return self.steps.get((t.level, str(t.data)), ANYTHING)
            case Op.SHARE:
                return self.shares.get((t.level, str(t.data)), ANYTHING)
            case Op.LOCAL:
                return self.local
            case Op.EARLIER:
                field = (str(t.data[2]), str(t.data[1])) if isinstance(t.data, tuple) else ("", "")
                found = self.inputs.get(field) or self.steps.get(field) or self.shares.get(field)
                return found or self.earlier.get(field, ANYTHING)
            case Op.PARAMETER:
                return (
                    self._parameter(self.parameters[t.data.parameter]) if isinstance(t.data, ParameterUse) else ANYTHING
                )
            case Op.CELL:
                return self._column(t)
            case Op.ADD:
                signs = t.data if isinstance(t.data, tuple) else ()
                return ranges.add(known, signs)
            case Op.MULTIPLY:
                return ranges.multiply(known[0], known[1])
            case Op.DIVIDE:
                return ranges.divide(known[0], known[1], self._few_values(t.args[1]))
            case Op.NEGATE:
                return ranges.negate(known[0])
            case Op.MIN:
                return ranges.least(known)
            case Op.MAX:
                return ranges.largest(known)
            case Op.ABS:
                return ranges.absolute(known[0])
            case Op.ROUND | Op.FLOOR | Op.CEIL:
                return ranges.rounded(known[0], _constant_range(t.data).low or Fraction(1))
            case Op.POWER | Op.ROOT:
                return Range(Fraction(0), None, self.power.to.denominator if self.power else 0)
            case Op.IF:
                return ranges.union(known[1:])
            case Op.DEFAULT:
                return ranges.union(known)
            case Op.YEAR:
                return Range(Fraction(1), Fraction(9999), 1)
            case Op.MONTH:
                return Range(Fraction(1), Fraction(12), 1)
            case Op.DAY:
                return Range(Fraction(1), Fraction(31), 1)
            case Op.DAYS_BETWEEN:
                return ranges.add([known[1], known[0]], (1, -1))
            case Op.MONTHS_BETWEEN | Op.YEARS_BETWEEN:
                days = ranges.add([known[1], known[0]], (1, -1))
                unit = 28 if t.op is Op.MONTHS_BETWEEN else 365
                low = None if days.low is None else Fraction(min(Fraction(0), days.low) // unit - 1)
                high = None if days.high is None else Fraction(max(Fraction(0), days.high) // unit + 1)
                return Range(low, high, 1)
            case Op.MAKE_DATE | Op.FIRST_DAY | Op.LAST_DAY | Op.ADD_MONTHS | Op.ADD_YEARS:
                return self._date_range(t, known)
            case Op.CONVERT:
                return Range(known[0].low, known[0].high, 1 if _whole(t.type) else known[0].scale)
            case _:
                return ANYTHING

    def _date_range(self, t: TExpr, known: list[Range]) -> Range:
        whole = Range(Fraction(date.min.toordinal()), Fraction(date.max.toordinal()), 1)
        if t.op in (Op.FIRST_DAY, Op.LAST_DAY) and known[0].low is not None and known[0].high is not None:
            back, forth = (366, 0) if t.op is Op.FIRST_DAY else (0, 366)
            return Range(known[0].low - back, known[0].high + forth, 1)
        if t.op in (Op.ADD_MONTHS, Op.ADD_YEARS):
            longest = 31 if t.op is Op.ADD_MONTHS else 366
            shift = ranges.multiply(known[1], Range(Fraction(longest), Fraction(longest), 1))
            moved = ranges.add([known[0], shift], (1, int(t.data)))  # type: ignore[call-overload]  # the sign
            if (
                moved.low is not None
                and moved.high is not None
                and known[0].low is not None
                and known[0].high is not None
            ):
                low, high = min(moved.low, known[0].low) - 31, max(moved.high, known[0].high) + 31
                if abs(low) < LONGEST_SPAN_DAYS and abs(high) < LONGEST_SPAN_DAYS:
                    return Range(low, high, 1)
        return whole

    def _column(self, t: TExpr) -> Range:
        use = t.data
        if not isinstance(use, CellUse):
            return ANYTHING
        table = self.tables[use.table]
        at = [c.name for c in table.columns].index(use.column)
        return _values_range([row.cells[at] for row in table.rows])

    def _few_values(self, t: TExpr) -> list[Fraction] | None:
        """All values a divisor can take, when it is a constant or a parameter."""
        if t.op is Op.CONST and isinstance(t.data, int | Fraction):
            return [Fraction(t.data)]
        if t.op is Op.PARAMETER and isinstance(t.data, ParameterUse):
            values = [v for s in self.parameters[t.data.parameter].segments for _, v in s.values]
            numbers = [Fraction(v) for v in values if isinstance(v, int | Fraction)]
            return numbers if len(numbers) <= 64 else None
        return None


def _input_range(type_: Type, low: object, high: object, decimals: int) -> Range:
    if not isinstance(type_, Plain):
        return FLAG_RANGE
    lows = [
        Fraction(x.toordinal()) if isinstance(x, date) else Fraction(x) if isinstance(x, int | Fraction) else None
        for x in (low, high)
    ]
    return Range(lows[0], lows[1], 10 ** (decimals + (2 if type_ == PERCENT else 0)))


def _constant_range(value: object) -> Range:
    match value:
        case bool():
            return FLAG_RANGE
        case int() | Fraction():
            return ranges.exactly(Fraction(value))
        case date():
            return ranges.exactly(Fraction(value.toordinal()))
        case _:
            return FLAG_RANGE


def _values_range(values: list[object]) -> Range:
    known = [v for v in values if v is not None]
    if any(isinstance(v, str | frozenset | bool) for v in known):
        return FLAG_RANGE
    return ranges.of_values(
        [
            Fraction(v.toordinal()) if isinstance(v, date) else Fraction(v)
            for v in known
            if isinstance(v, date | int | Fraction)
        ]
    )


def _whole(of: Type) -> bool:
    return is_whole(of)


def _curve_scale(schedules: list[tuple[TBand, ...] | tuple[TPoint, ...]], x: Range, values: Range) -> int:
    scale = values.scale
    for schedule in schedules:
        points = [p for p in schedule if isinstance(p, TPoint)]
        for a, b in pairwise(points):
            if a.at != b.at:
                slope = (b.value - a.value) / (b.at - a.at)
                scale = ranges.joined(scale, ranges.times(ranges.joined(x.scale, a.at.denominator), slope.denominator))
    return scale


def sum_of(parts: list[Range]) -> Range:
    """The range of a sum of parts."""
    return ranges.add(parts, (1,) * len(parts))


def earlier_names(t: TExpr) -> list[Field]:
    """The inputs and steps of other rows that an expression reads, with their level."""
    return [(node.data[2], node.data[1]) for node in walk(t) if node.op is Op.EARLIER and isinstance(node.data, tuple)]
