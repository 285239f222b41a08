"""What the nodes of a plan can be while some inputs are not known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any, Final

from rxcalc.bill import bounds_lookups as lookups
from rxcalc.bill.bounds_ops import PLAIN, applied, span_of
from rxcalc.bill.bounds_scene import Place, Prepared, Row, fallback
from rxcalc.bill.possible import (
    ABSENT,
    ANYTHING,
    NOTHING,
    Box,
    Choice,
    Form,
    Possible,
    Span,
    flag,
    is_known,
    may_be_false,
    may_be_true,
    met,
    point,
    union,
    without_missing,
)
from rxcalc.lang.ops import Op
from rxcalc.plan.nodes import CellRef, ParameterRef, PlanNode, ScheduleRef, Value


class RefusedForSureError(Exception):
    """Whatever the unknown inputs are, the bill is refused; caught where one case is worked out."""


class Nodes:
    """Evaluates nodes on rows of one case: limits of the unknown, and the answers to what is not in the bill.

    `reading` takes up what is read of the unknown while a result is worked out: names of inputs, `list:lines`,
    `so_far:call`, `group:kind.field`. `windows` holds window calls by index, `groups` results of groups by kind and field.
    """

    def __init__(self, prepared: Prepared, box: Box, windows: dict[int, Possible], groups: dict[str, Possible]) -> None:
        self.prepared = prepared
        self.plan = prepared.plan
        self.nodes = prepared.plan.nodes
        self.box = box
        self.windows = windows
        self.groups = groups
        self.reading: set[str] = set()
        self._ways: dict[Op, Callable[[PlanNode, Place], Possible]] = {
            Op.CONST: lambda node, _: point(node.data),  # type: ignore[arg-type] # a constant is a value
            Op.INPUT: self._input,
            Op.STEP: self._step,
            Op.SHARE: self._share,
            Op.LOCAL: lambda _, place: place.local,
            Op.EARLIER: self._earlier,
            Op.LIFT: self._lift,
            Op.GROUP: self._group,
            Op.WINDOW: self._window,
            Op.ROWS: self._rows,
            Op.AND: self._and,
            Op.OR: self._or,
            Op.NOT: self._not,
            Op.KNOWN: self._known,
            Op.DEFAULT: self._default,
            Op.IF: self._if,
            Op.PARAMETER: self._parameter,
            Op.CELL: self._cell,
            Op.HAS_ROW: self._cell,
            Op.BANDS: self._schedule,
            Op.BAND: self._schedule,
            Op.BANDS_REACH: self._schedule,
            Op.SLICE: self._schedule,
            Op.ALONG: self._schedule,
            Op.OVER_DAYS: self._schedule,
        }

    # ---- what rows give; see bounds_rows.py ----

    def step(self, row: Row, name: str) -> Possible | None:
        """A step of a row; None where nothing is known of it."""
        raise NotImplementedError

    def share(self, row: Row, name: str) -> Possible | None:
        """A part or total of a row."""
        raise NotImplementedError

    def call(self, index: int, node: PlanNode, place: Place) -> Possible:
        """An aggregate over rows of the bill."""
        raise NotImplementedError

    # ---- nodes ----

    def value(self, index: int, place: Place) -> Possible:
        """All that a node can be; `NOTHING` where the bill would be refused."""
        node = self.nodes[index]
        if node.op in PLAIN:
            found = self._plain(node, place)
        else:
            way = self._ways.get(node.op)
            found = way(node, place) if way is not None else fallback(node)
        if isinstance(found, Span) and not found.is_point and (node.low is not None or node.high is not None):
            return met(found, Span(node.low, node.high, missing=True))
        return found

    def _plain(self, node: PlanNode, place: Place) -> Possible:
        args: list[Possible] = []
        for a in node.args:
            found = without_missing(self.value(a, place))
            if found == NOTHING:
                return NOTHING
            args.append(found)
        function, types = self.prepared.function(node)
        if function is None:
            return fallback(node)
        result = applied(self.box, node, function, args, types)
        return fallback(node) if result is None else result

    def _input(self, node: PlanNode, place: Place) -> Possible:
        return self.input(place.row, str(node.data), place)

    def input(self, row: Row, name: str, place: Place) -> Possible:
        """An input of a row; what is unknown of the episode's is noted as read."""
        own = row.inputs.get(name, ANYTHING)
        if row.level == "" and not is_known(own):
            self.reading.add(name)
        return place.settled.get((id(row), "input", name), own)

    def _step(self, node: PlanNode, place: Place) -> Possible:
        settled = place.settled.get((id(place.row), "step", str(node.data)))
        found = self.step(place.row, str(node.data))
        return settled if settled is not None else fallback(node) if found is None else found

    def _share(self, node: PlanNode, place: Place) -> Possible:
        found = self.share(place.row, str(node.data))
        return fallback(node) if found is None else found

    def _earlier(self, node: PlanNode, place: Place) -> Possible:
        if place.other is None or not isinstance(node.data, tuple):
            return fallback(node)
        name = str(node.data[1])
        found = self.step(place.other, name)
        if found is None and name in place.other.inputs:
            found = self.input(place.other, name, replace(place, settled={}))
        if found is None:
            found = self.share(place.other, name)
        return fallback(node) if found is None else found

    def _lift(self, node: PlanNode, place: Place) -> Possible:
        level = str(node.data)
        if not level:
            return self.value(node.args[0], Place(place.row.root))
        return self._group(node, place)

    def _group(self, node: PlanNode, place: Place) -> Possible:
        del place
        kind = str(node.data)
        return self._of_group(kind, node) if kind in self.prepared.across else fallback(node)

    def _of_group(self, kind: str, node: PlanNode) -> Possible:
        """A result of a group across bills: given, or not known."""
        field = self.nodes[node.args[0]]
        key = f"{kind}.{field.data}"
        found = self.groups.get(key)
        if field.op not in (Op.STEP, Op.SHARE, Op.INPUT):
            return fallback(node)
        if found is None or not is_known(found):
            self.reading.add(f"group:{key}")
        return fallback(node) if found is None else found

    def _window(self, node: PlanNode, place: Place) -> Possible:
        at = int(str(node.data))
        found = self.windows.get(at)
        if found is None or not is_known(found):
            self.reading.add(f"so_far:{self.plan.calls[at].key}")
            # Which earlier episodes the window holds depends on these.
            own = place.row.root.inputs
            self.reading |= {n for n in self.prepared.window_fields[at] if n in own and not is_known(own[n])}
        return fallback(node) if found is None else found

    def _rows(self, node: PlanNode, place: Place) -> Possible:
        return self.call(int(str(node.data)), node, place)

    # ---- logic: left to right, as far as it takes ----

    def _and(self, node: PlanNode, place: Place) -> Possible:
        return self._until(node, place, stops=False)

    def _or(self, node: PlanNode, place: Place) -> Possible:
        return self._until(node, place, stops=True)

    def _until(self, node: PlanNode, place: Place, *, stops: bool) -> Possible:
        """`and` and `or`: the first operand that is `stops` decides."""
        stopping, going_on = False, True
        now = place
        for a in node.args:
            found = self.value(a, now)
            if found == NOTHING:
                going_on = False
                break
            can, cannot = (
                (may_be_true(found), may_be_false(found)) if stops else (may_be_false(found), may_be_true(found))
            )
            stopping = stopping or can
            if not cannot:
                going_on = False
                break
            inside = self.narrowed(a, now, holds=not stops)
            if inside is None:
                going_on = False
                break
            now = inside
        return flag(stopping, going_on) if stops else flag(going_on, stopping)

    def _not(self, node: PlanNode, place: Place) -> Possible:
        found = self.value(node.args[0], place)
        return NOTHING if found == NOTHING else flag(may_be_false(found), may_be_true(found))

    def _known(self, node: PlanNode, place: Place) -> Possible:
        found = self.value(node.args[0], place)
        if isinstance(found, Choice) and found.values == frozenset():
            return flag(can_be=False, can_fail=found.missing)
        return flag(can_be=True, can_fail=found.missing)

    def _default(self, node: PlanNode, place: Place) -> Possible:
        found = self.value(node.args[0], place)
        if not found.missing:
            return found
        other = self.value(node.args[1], place)
        return other if found == ABSENT else union((without_missing(found), other))

    def _if(self, node: PlanNode, place: Place) -> Possible:
        condition, then, otherwise = node.args
        found: list[Possible] = []
        holds = self.value(condition, place)
        if holds == NOTHING:
            return NOTHING
        for can, branch, side in ((may_be_true(holds), then, True), (may_be_false(holds), otherwise, False)):
            inside = self.narrowed(condition, place, holds=side) if can else None
            if inside is not None:
                found.append(self.value(branch, inside))
        return union(found)

    # ---- lookups ----

    def _on(self, place: Place) -> Span:
        """The date at which the bill's parameters resolve."""
        return span_of(self.input(place.row.root, self.plan.effective_by, place))

    def _keys(self, node: PlanNode, count: int, place: Place) -> list[Possible] | None:
        keys = [without_missing(self.value(a, place)) for a in node.args[:count]]
        return None if NOTHING in keys else keys

    def _at(self, node: PlanNode, ref: ParameterRef | CellRef | ScheduleRef, place: Place) -> Span:
        return span_of(self.value(node.args[ref.keys], place)) if ref.at else self._on(place)

    def _parameter(self, node: PlanNode, place: Place) -> Possible:
        ref = node.data
        assert isinstance(ref, ParameterRef)  # noqa: S101 - data of PARAMETER
        keys = self._keys(node, ref.keys, place)
        if keys is None:
            return NOTHING
        index = self.prepared.indexes[ref.parameter]
        if len(index.values) == 1 and index.end is None:
            on = Span()  # the same on every date
        else:
            on = self._at(node, ref, place)
        return lookups.scalars(lookups.parameter_values(self.box, index, keys, on), missing=node.missing)

    def _cell(self, node: PlanNode, place: Place) -> Possible:
        ref = node.data
        assert isinstance(ref, CellRef)  # noqa: S101 - data of CELL and HAS_ROW
        keys = self._keys(node, ref.keys, place)
        if keys is None:
            return NOTHING
        table = self.prepared.tables[ref.table]
        dated = table.table.dated
        on = self._at(node, ref, place) if dated else Span()
        rows = lookups.rows_of(self.box, table, keys, table.table.key_types, on)
        if node.op is Op.HAS_ROW:
            return lookups.has_row(rows, keys, on, dated=dated)
        at = table.columns[ref.column]
        cells = dict.fromkeys(row.cells[at] for row in rows)
        return union(point(cell) for cell in cells)  # type: ignore[arg-type] # a cell holds a value

    def _schedule(self, node: PlanNode, place: Place) -> Possible:
        ref = node.data
        assert isinstance(ref, ScheduleRef)  # noqa: S101 - data of the schedule operations
        args = node.args[:-1] if ref.local is not None else node.args
        keys = self._keys(node, ref.keys, place)
        own = [without_missing(self.value(a, place)) for a in args[ref.keys + int(ref.at) :]]
        if keys is None or NOTHING in own:
            return NOTHING
        numbers = [span_of(x) for x in own]
        index = self.prepared.indexes[ref.parameter]
        if node.op is Op.OVER_DAYS:
            days = self.box.minus(numbers[1], numbers[0])
            return lookups.over_days(index, keys, numbers[0], numbers[1], days, self.box)
        on = Span() if len(index.values) == 1 and index.end is None else self._at(node, ref, place)
        found: list[Possible] = []
        for schedule in lookups.schedules_of(lookups.parameter_values(self.box, index, keys, on)):
            result = self._read_schedule(node, ref, schedule, numbers, place)
            if result is not None:
                found.append(result)
        return union(found)

    def _read_schedule(
        self, node: PlanNode, ref: ScheduleRef, schedule: Any, numbers: list[Span], place: Place
    ) -> Possible | None:
        """What one schedule gives; None where that refuses the bill."""
        if node.op is Op.SLICE:
            return lookups.whole_slice(self.box, schedule, numbers[0])
        if node.op is Op.ALONG:
            return lookups.along(self.box, schedule, numbers[0], held=self.prepared.parameters[ref.parameter].held)
        ends = (numbers[-2], numbers[-1])
        if any(end.high is not None and end.high < 0 for end in ends):
            return NOTHING
        body = node.args[-1] if ref.local is not None else -1

        def mapped(rate: Any) -> Span:
            if body < 0:
                return Span(rate, rate)
            found = self.value(body, replace(place, local=Span(rate, rate)))
            if ref.held:
                found = met(found, Span(Fraction(0), Fraction(1), missing=True))
            if not isinstance(found, Span):
                raise _NoRateError
            return found

        try:
            if node.op is Op.BANDS_REACH:
                return lookups.reach(self.box, schedule, numbers[0], ends, mapped)
            number = numbers[0] if node.op is Op.BAND else None
            return lookups.bands(self.box, schedule, ends, mapped, ref.parts, number)
        except _NoRateError:
            # Only a band that is reached refuses the bill for its rate; which ones are is not known here.
            return fallback(node)

    # ---- conditions as facts ----

    def narrowed(self, index: int, place: Place, *, holds: bool) -> Place | None:
        """The place with what a condition says of inputs and steps that it compares; None where it cannot be so."""
        node = self.nodes[index]
        match node.op:
            case Op.NOT:
                return self.narrowed(node.args[0], place, holds=not holds)
            case Op.AND | Op.OR if holds is (node.op is Op.AND):
                now: Place | None = place
                for a in node.args:
                    now = self.narrowed(a, now, holds=holds) if now is not None else None
                return now
            case Op.KNOWN:
                own = self.value(node.args[0], place)
                return self._settle(node.args[0], place, without_missing(own) if holds else ABSENT)
            case Op.INPUT | Op.STEP:
                return self._settle(index, place, point(holds))
            case Op.IN_SET if isinstance(node.data, tuple):
                return self._among(node.args[0], place, frozenset(node.data), inside=holds)
            case Op.EQ | Op.NE | Op.LT | Op.LE | Op.GT | Op.GE:
                return self._compared(node, place, holds=holds)
            case _:
                return place

    def facts(self, index: int, place: Place) -> list[Form]:
        """What a condition that holds says of several unknown numbers together: forms that are not below zero."""
        node = self.nodes[index]
        if node.op is Op.AND:
            return [fact for a in node.args for fact in self.facts(a, place)]
        if node.op not in (Op.LE, Op.LT, Op.GE, Op.GT, Op.EQ):
            return []
        left, right = (self.value(a, place) for a in node.args)
        if not isinstance(left, Span) or not isinstance(right, Span) or left.missing or right.missing:
            return []
        sides = {Op.LE: [(right, left)], Op.LT: [(right, left)], Op.EQ: [(right, left), (left, right)]}
        differences = (self.box.minus(a, b).form for a, b in sides.get(node.op, [(left, right)]))
        return [form for form in differences if form is not None and len(form.factors) > 1]

    def _settle(self, index: int, place: Place, fact: Possible) -> Place | None:
        """The place with one more fact about the node of an input or step of its own row."""
        node = self.nodes[index]
        if node.op not in (Op.INPUT, Op.STEP) or node.earlier:
            return place
        own = self.value(index, place)
        found = met(own, fact)
        if found == NOTHING:
            return None
        kind = "input" if node.op is Op.INPUT else "step"
        key = (id(place.row), kind, str(node.data))
        return place if found == own else replace(place, settled={**place.settled, key: found})

    def _among(self, index: int, place: Place, values: frozenset[Value], *, inside: bool) -> Place | None:
        own = self.value(index, place)
        if not isinstance(own, Choice) or own.values is None:
            return self._settle(index, place, Choice(values)) if inside and isinstance(own, Choice) else place
        return self._settle(index, place, Choice(own.values & values if inside else own.values - values))

    def _compared(self, node: PlanNode, place: Place, *, holds: bool) -> Place | None:
        op = node.op if holds else _OPPOSITE[node.op]
        now: Place | None = place
        left, right = node.args
        for index, other, way in ((left, right, op), (right, left, _MIRRORED[op])):
            if now is None:
                return None
            if self.nodes[index].op not in (Op.INPUT, Op.STEP):
                continue
            bound = without_missing(self.value(other, now))
            if isinstance(bound, Choice):
                if bound.is_point and way in (Op.EQ, Op.NE) and bound.values is not None:
                    now = self._among(index, now, bound.values, inside=way is Op.EQ)
            elif way is Op.EQ:
                now = self._settle(index, now, Span(bound.low, bound.high))
            elif way in (Op.LT, Op.LE):
                now = self._settle(index, now, Span(None, bound.high))
            elif way in (Op.GT, Op.GE):
                now = self._settle(index, now, Span(bound.low, None))
        return now


class _NoRateError(Exception):
    """A mapped rate is outside what is allowed for sure."""


_OPPOSITE: Final = {Op.EQ: Op.NE, Op.NE: Op.EQ, Op.LT: Op.GE, Op.GE: Op.LT, Op.GT: Op.LE, Op.LE: Op.GT}
_MIRRORED: Final = {Op.EQ: Op.EQ, Op.NE: Op.NE, Op.LT: Op.GT, Op.GT: Op.LT, Op.LE: Op.GE, Op.GE: Op.LE}

__all__ = ["Nodes", "RefusedForSureError"]
