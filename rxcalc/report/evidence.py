"""What a step's rule read: parameters, table cells, bands, calls over other rows, values of groups."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from fractions import Fraction
from typing import Final

from rxcalc.lang.ops import Op
from rxcalc.lang.types import MONEY, OneOf, Type
from rxcalc.plan.figures import figure
from rxcalc.plan.nodes import Cell, CellRef, ParameterRef, PlanNode, PlanParameter, ScheduleRef, Value
from rxcalc.report.book import Book, Seen
from rxcalc.report.model import BandLine, BandsFigures, CallLine, GroupValue, SeenLine, Used
from rxcalc.report.phrases import phrase, word
from rxcalc.report.readings import Readings
from rxcalc.report.wording import Wording, cited
from rxcalc.tracing.model import BandsTrace, Recorder, WindowTrace

SEPARATOR: Final = {"zh": "，"}


class Evidence:
    """What the rules of one row read."""

    def __init__(self, book: Book, seen: Seen) -> None:
        self.book = book
        self.seen = seen
        self.recorder = seen.recorder
        self.plan = book.plan
        self.wording = book.wording
        self.readings = Readings(book, seen)

    # ---- parameters, tables, bands ----

    def used(self, roots: Sequence[int]) -> tuple[Used, ...]:
        """Parameters and table cells, with value and place."""
        used: dict[str, Used] = {}
        for index, node in self._below(roots):
            match node.data:
                case ParameterRef(parameter=name) | ScheduleRef(parameter=name) if index in self.recorder.nodes:
                    used.setdefault(self._lookup(name, node), self._parameter(name, index, node))
                    if isinstance(node.data, ScheduleRef):
                        for other in self._read_by_limits(name, node):
                            used.setdefault(other.name, other)
                case CellRef(table=name, column=column) if column and index in self.recorder.nodes:
                    cell = self._cell(name, column, node)
                    used.setdefault(cell.name, replace(cell, value=self._recorded(index)))
                case _:
                    pass
        return tuple(used.values())

    def bands(self, roots: Sequence[int]) -> tuple[BandsFigures, ...]:
        """The bands walked, and the days gone over."""
        found = self.recorder.bands
        lines: list[BandsFigures] = []
        for index, node in self._below(roots):
            if index in found:
                lines.append(self._bands(index, found[index]))
            elif days := self.readings.days(index, node):
                lines.append(BandsFigures(node.text, days, "", self.wording.written(self._value(index), node.type)))
        return tuple(lines)

    def qualifier(self, root: int) -> str:
        """For what the values hold that a deciding expression looked up: the labels of their keys."""
        labels: dict[str, None] = {}
        for index, node in self._below((root,) if root >= 0 else ()):
            ref = node.data
            if not isinstance(ref, ParameterRef | ScheduleRef | CellRef) or index not in self.recorder.nodes:
                continue
            for a in node.args[: ref.keys]:
                key = self.plan.nodes[a]
                value = key.data if key.op is Op.CONST else self.recorder.nodes.get(a)
                if isinstance(key.type, OneOf) and isinstance(value, str):
                    of = self.plan.nodes[key.args[0]] if key.op is Op.LIFT else key
                    labels[self.book.value_words(value, key.type, of.level, str(of.data))] = None
        return SEPARATOR.get(self.wording.language, ", ").join(labels)

    def working(self, index: int) -> str:
        """What stands in figures for a value that was read off a schedule or added up; "" for any other."""
        node = self.plan.nodes[index]
        if index in self.recorder.bands:
            return self._band_sum(index, self.recorder.bands[index])
        if days := self.readings.days(index, node):
            return " + ".join(f"{line.rate} * {line.length}" for line in days)
        read = self.readings.read(index, node)
        return read.figures if read is not None else ""

    def _band_sum(self, index: int, trace: BandsTrace) -> str:
        """The bands as a sum that a reader can redo."""
        of = self.plan.nodes[index]
        over, value = self.readings.kinds(of.data)
        figure = self.wording.written
        if trace.target is not None:
            x = self.recorder.nodes.get(index)
            if not trace.parts or x == trace.end:
                return figure(x, of.type, "fraction")
            last = trace.parts[-1]
            low, left = figure(last.low, over, "fraction"), figure(last.amount, of.type, "fraction")
            return f"{low} + {left} / {figure(last.mapped, value, 'fraction')}"
        rounded = isinstance(of.data, ScheduleRef) and of.data.parts is not None
        terms = [
            figure(p.amount, of.type, "fraction")
            if rounded
            else f"{figure(p.high - p.low, over, 'fraction')} * {figure(p.mapped, value, 'fraction')}"
            for p in trace.parts
        ]
        return " + ".join(terms) or figure(Fraction(0), of.type)

    def _value(self, index: int) -> Value:
        return self.recorder.nodes.get(index)

    def _recorded(self, index: int) -> str:
        return self.wording.written(self._value(index), self.plan.nodes[index].type)

    def _parameter(self, name: str, index: int, node: PlanNode) -> Used:
        """A parameter with its value; a schedule with what was read off it, bands without."""
        ref = node.data
        assert isinstance(ref, ParameterRef | ScheduleRef)  # noqa: S101 - matched before
        read = self.readings.read(index, node)
        value = read.value if read is not None else "" if isinstance(ref, ScheduleRef) else self._recorded(index)
        on = self._value(node.args[ref.keys]) if ref.at else self.seen.on
        keys = tuple(self._key_at(a) for a in node.args[: ref.keys])
        used = self._with_place(self._lookup(name, node), name, keys, on, value)
        # Daily amounts may come from several dates: the lines of the days say which.
        return replace(used, since="") if node.op is Op.OVER_DAYS else used

    def _read_by_limits(self, name: str, node: PlanNode) -> Iterator[Used]:
        """The parameters from which the limits of a schedule were computed."""
        ref = node.data
        assert isinstance(ref, ScheduleRef)  # noqa: S101 - matched before
        on = self._value(node.args[ref.keys]) if ref.at else self.seen.on
        keys = tuple(self._key_at(a) for a in node.args[: ref.keys])
        cell = self._cell_of(name, keys, on)
        for other, own in cell.reads if cell is not None and isinstance(on, date) else ():
            value = self.book.schedule(other, own, on) if isinstance(on, date) else None
            type_ = self.book.parameters[other].type
            shown = self.wording.written(value, type_) if isinstance(value, int | Fraction) else ""
            text = f"{other}[{', '.join(own)}]" if own else other
            yield self._with_place(text, other, own, on, shown)

    def _with_place(self, text: str, name: str, keys: tuple[Value, ...], on: Value, value: str) -> Used:
        parameter = self.book.parameters[name]
        cell = self._cell_of(name, keys, on)
        by_hand = cell is not None and cell.by_hand
        return Used(text, value, _since(parameter, on), cited(parameter.cite), parameter.status, by_hand)

    def _key_at(self, index: int) -> Value:
        node = self.plan.nodes[index]
        return node.data if node.op is Op.CONST else self._value(index)  # type: ignore[return-value]  # data of CONST

    def _cell_of(self, name: str, keys: tuple[Value, ...], on: Value) -> Cell | None:
        """Where the value stands that was in force on a day."""
        started = [s for s in self.book.parameters[name].segments if isinstance(on, date) and s.start <= on]
        if not started:
            return None
        pairs = zip(started[-1].values, started[-1].cells, strict=False)
        return next((cell for (own, _), cell in pairs if own == keys), None)

    def _cell(self, name: str, column: str, node: PlanNode) -> Used:
        """A table cell with its keys, and the row it stands in: `ceiling[D1].most`, line 2 of the table."""
        table = self.book.tables[name]
        count = node.data.keys if isinstance(node.data, CellRef) else 0
        keys = tuple(self._key_at(a) for a in node.args[:count])
        shown = ", ".join(self.wording.written(k, of) for k, of in zip(keys, table.key_types, strict=True))
        on = self._value(node.args[count]) if len(node.args) > count else self.seen.on
        row = self.book.rows(name).find(keys, on) if isinstance(on, date) and None not in keys else None
        place = (f"{table.file}:{row.line}",) if row is not None and table.file else ()
        since = str(row.start) if row is not None and row.start is not None else ""
        told = f"{name}[{shown}].{column}{self._asked_at(node)}"
        return Used(told, "", since, (*place, *cited(table.cite)), table.status)

    def _lookup(self, name: str, node: PlanNode) -> str:
        """A parameter with its keys as looked up: `deductible[county]`."""
        count = node.data.keys if isinstance(node.data, ParameterRef | ScheduleRef) else 0
        keys = [self._recorded(a) if a in self.recorder.nodes else self.plan.nodes[a].text for a in node.args[:count]]
        return (f"{name}[{', '.join(keys)}]" if keys else name) + self._asked_at(node)

    def _asked_at(self, node: PlanNode) -> str:
        """The day for which a lookup with `at` asked; without, it is that of the episode."""
        ref = node.data
        if not isinstance(ref, ParameterRef | ScheduleRef | CellRef) or not ref.at:
            return ""
        return f" at {self._recorded(node.args[ref.keys])}"

    def _bands(self, index: int, trace: BandsTrace) -> BandsFigures:
        node = self.plan.nodes[index]
        over, value = self.readings.kinds(node.data)
        to = node.data.parts if isinstance(node.data, ScheduleRef) else None
        figure = self.wording.written
        lines = tuple(
            BandLine(
                figure(p.low, over, "near"),
                figure(p.high, over, "near"),
                figure(p.high - p.low, over, "fraction"),
                figure(p.mapped, value, "fraction"),
                figure(p.rate, value, "fraction") if p.rate != p.mapped else "",
                figure(p.amount, node.type, "fraction"),
                figure((p.high - p.low) * p.mapped, node.type, "fraction")
                if to is not None and (p.high - p.low) * p.mapped != p.amount
                else "",
            )
            for p in trace.parts
        )
        is_reach = trace.target is not None
        total = sum((p.amount for p in trace.parts), Fraction(0))
        places = frozenset(x for p in trace.parts for x in (p.low, p.high))
        return BandsFigures(
            node.text,
            lines,
            figure(trace.target, MONEY) if is_reach else "",
            figure(total, MONEY if is_reach else node.type, "fraction"),
            rounded_to(self.wording, to.to, to.mode, node.type) if to is not None else "",
            self.readings.limits(node, places),
        )

    # ---- other rows ----

    def calls(self, roots: Sequence[int]) -> tuple[CallLine, ...]:
        """Calls over rows; of a line also its window calls, those of an episode stand apart."""
        found: dict[str, CallLine] = {}
        for index, node in self._below(roots):
            of, at = self.recorder, index
            if node.op is Op.LIFT and node.args and str(node.data) in self.seen.up:
                of, at = self.seen.up[str(node.data)], node.args[0]
            target = self.plan.nodes[at]
            if target.op is Op.ROWS:
                line = self._rows_call(int(str(target.data)), of)
            elif target.op is Op.WINDOW and target.level:
                line = self._window_call(int(str(target.data)), of)
            else:
                continue
            if line is not None:
                found.setdefault(line.call, line)
        return tuple(found.values())

    def _rows_call(self, at: int, recorder: Recorder) -> CallLine | None:
        call, trace = self.plan.calls[at], recorder.calls.get(at)
        if trace is None:
            return None
        of = self.plan.nodes[call.value].type if call.value >= 0 else call.type
        terms = tuple(self.wording.written(v, of, "fraction") for v in trace.values)
        value = self.wording.written(trace.value, call.type, "fraction")
        return CallLine(call.key, call.function, value, call.element or "episodes", trace.seen, terms, trace.count)

    def _window_call(self, at: int, recorder: Recorder) -> CallLine | None:
        call, trace = self.plan.calls[at], recorder.windows.get(at)
        if trace is None:
            return None
        level = next(w.level for w in self.plan.windows if w.name == call.window)
        value = self.wording.written(trace.value, call.type, "fraction")
        seen = window_terms(self.book, at, trace)
        opened = self.wording.written(trace.opened, call.type, "fraction") if trace.opening else ""
        return CallLine(
            call.key, call.function, value, level or "episodes", trace.episodes, (), len(trace.episodes), trace.opening,
            is_window=True, opened=opened, seen=seen,
        )  # fmt: skip

    def group_values(self, roots: Sequence[int]) -> tuple[GroupValue, ...]:
        """Values read from groups, and where each comes from."""
        found: dict[str, GroupValue] = {}
        for index, node in self._below(roots):
            kind = str(node.data)
            if node.op in (Op.LIFT, Op.GROUP) and kind in self.book.kinds and index in self.recorder.nodes:
                value = self._group_value(kind, index, node)
                found.setdefault(value.name, value)
        return tuple(found.values())

    def _group_value(self, kind: str, index: int, node: PlanNode) -> GroupValue:
        key, value = self.recorder.reads.get(index), self._recorded(index)
        field = self.plan.nodes[node.args[0]]
        if key is None:
            return GroupValue(node.text, value, "none")
        name = f"{self.book.group_name(key)}.{field.data if field.op in (Op.INPUT, Op.STEP, Op.SHARE) else field.text}"
        if key in self.book.inside:
            return GroupValue(name, value, "computed", self.book.inside[key])
        trace = self.book.groups.get(key)
        of = self.book.kinds[kind]
        if trace is not None and trace.given:
            return GroupValue(name, value, "given")
        if field.op is Op.INPUT:
            return GroupValue(name, value, "input" if field.data in {i.name for i in of.inputs} else "key")
        return GroupValue(
            name, value, "computed", len(trace.members) if trace is not None else 0,
            incomplete=trace is not None and bool(trace.rejected),
        )  # fmt: skip

    def _below(self, roots: Sequence[int]) -> Iterator[tuple[int, PlanNode]]:
        """The nodes of this row below some roots, in the order in which they are written."""
        seen: set[int] = set()
        stack = list(reversed(roots))
        while stack:
            index = stack.pop()
            if index in seen or index < 0:
                continue
            seen.add(index)
            node = self.plan.nodes[index]
            yield index, node
            args = node.args[1:] if node.op is Op.GROUP else () if node.op is Op.LIFT else node.args
            stack.extend(reversed(args))


def _since(parameter: PlanParameter, on: Value) -> str:
    started = [s.start for s in parameter.segments if isinstance(on, date) and s.start <= on]
    return str(started[-1]) if started else ""


def window_terms(book: Book, at: int, trace: WindowTrace) -> tuple[SeenLine, ...]:
    """What each earlier episode gave to a window call, in order; of a count none gives a figure."""
    call = book.plan.calls[at]
    of = book.plan.nodes[call.value].type if call.value >= 0 else call.type
    return tuple(
        SeenLine(
            name,
            day.isoformat() if isinstance(day, date) else "",
            book.wording.written(value, of, "fraction") if call.value >= 0 else "",
        )
        for name, day, value in trace.terms
    )


def rounded_to(wording: Wording, to: Fraction, mode: str, type_: Type) -> str:
    """How a value was rounded: `half-up to 0.01`."""
    text = phrase("rounded_to", wording.language)
    return text.format(word(mode, wording.language), figure(to, type_, 0))
