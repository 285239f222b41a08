"""What a step's rule read: parameters, table cells, bands, calls over other rows, values of groups."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from fractions import Fraction

from rxcalc.lang.ops import Op
from rxcalc.lang.types import MONEY, PERCENT, Plain, ScheduleType, Type
from rxcalc.plan.nodes import CellRef, ParameterRef, PlanNode, PlanParameter, ScheduleRef
from rxcalc.report.book import Book, Seen
from rxcalc.report.model import BandLine, BandsFigures, CallLine, GroupValue, Used
from rxcalc.report.wording import cited
from rxcalc.tracing.model import BandsTrace, Recorder


class Evidence:
    """What the rules of one row read."""

    def __init__(self, book: Book, seen: Seen) -> None:
        self.book = book
        self.seen = seen
        self.recorder = seen.recorder
        self.plan = book.plan
        self.wording = book.wording

    # ---- parameters, tables, bands ----

    def used(self, roots: Sequence[int]) -> tuple[Used, ...]:
        """Parameters and table cells, with value and place."""
        used: dict[str, Used] = {}
        for index, node in self._below(roots):
            match node.data:
                case ParameterRef(parameter=name) | ScheduleRef(parameter=name) if index in self.recorder.nodes:
                    parameter = self.book.parameters[name]
                    value = "" if isinstance(node.data, ScheduleRef) else self._recorded(index)
                    text = self._lookup(name, node)
                    found = Used(text, value, self._since(parameter), cited(parameter.cite), parameter.status)
                    used.setdefault(text, found)
                case CellRef(table=name, column=column) if column and index in self.recorder.nodes:
                    cell = self._cell(name, column, node)
                    used.setdefault(cell.name, replace(cell, value=self._recorded(index)))
                case _:
                    pass
        return tuple(used.values())

    def bands(self, roots: Sequence[int]) -> tuple[BandsFigures, ...]:
        """The bands walked."""
        found = self.recorder.bands
        return tuple(self._bands(index, found[index]) for index, _ in self._below(roots) if index in found)

    def band_sum(self, index: int, trace: BandsTrace) -> str:
        """The bands as a sum that a reader can redo."""
        of = self.plan.nodes[index]
        over, value = self._schedule_kinds(of.data)
        figure = self.wording.figure
        if trace.target is not None:
            x = self.recorder.nodes.get(index)
            if not trace.parts or x == trace.end:
                return figure(x, of.type)
            last = trace.parts[-1]
            return f"{figure(last.low, over)} + {figure(last.amount, of.type)} / {figure(last.mapped, value)}"
        terms = [f"{figure(p.high - p.low, over, 'fraction')} * {figure(p.mapped, value)}" for p in trace.parts]
        return " + ".join(terms) or figure(Fraction(0), of.type)

    def _recorded(self, index: int) -> str:
        return self.wording.figure(self.recorder.nodes.get(index), self.plan.nodes[index].type)

    def _schedule_kinds(self, data: object) -> tuple[Type, Type]:
        parameter = self.book.parameters.get(data.parameter) if isinstance(data, ScheduleRef) else None
        if parameter is not None and isinstance(parameter.type, ScheduleType):
            return Plain(parameter.type.over), Plain(parameter.type.value)
        return MONEY, PERCENT

    def _cell(self, name: str, column: str, node: PlanNode) -> Used:
        """A table cell with its keys, and the row it stands in: `ceiling[D1].most`, line 2 of the table."""
        table = self.book.tables[name]
        count = node.data.keys if isinstance(node.data, CellRef) else 0
        keys = tuple(self.recorder.nodes.get(a) for a in node.args[:count])
        shown = ", ".join(self.wording.figure(k, of) for k, of in zip(keys, table.key_types, strict=True))
        on = self.recorder.nodes.get(node.args[count]) if len(node.args) > count else self.seen.on
        row = self.book.rows(name).find(keys, on) if isinstance(on, date) and None not in keys else None
        place = (f"{table.file}:{row.line}",) if row is not None and table.file else ()
        since = str(row.start) if row is not None and row.start is not None else ""
        return Used(f"{name}[{shown}].{column}", "", since, (*place, *cited(table.cite)), table.status)

    def _lookup(self, name: str, node: PlanNode) -> str:
        """A parameter with its keys as looked up: `deductible[county]`."""
        count = node.data.keys if isinstance(node.data, ParameterRef | ScheduleRef) else 0
        keys = [self._recorded(a) if a in self.recorder.nodes else self.plan.nodes[a].text for a in node.args[:count]]
        return f"{name}[{', '.join(keys)}]" if keys else name

    def _since(self, parameter: PlanParameter) -> str:
        on = self.seen.on
        started = [s.start for s in parameter.segments if isinstance(on, date) and s.start <= on]
        return str(started[-1]) if started else ""

    def _bands(self, index: int, trace: BandsTrace) -> BandsFigures:
        node = self.plan.nodes[index]
        over, value = self._schedule_kinds(node.data)
        figure = self.wording.figure
        lines = tuple(
            BandLine(
                figure(p.low, over, "near"),
                figure(p.high, over, "near"),
                figure(p.high - p.low, over, "near"),
                figure(p.mapped, value),
                figure(p.rate, value) if p.rate != p.mapped else "",
                figure(p.amount, node.type, "near"),
            )
            for p in trace.parts
        )
        return BandsFigures(node.text, lines, figure(trace.target, node.type) if trace.target is not None else "")

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
        terms = tuple(self.wording.figure(v, of, "fraction") for v in trace.values)
        value = self.wording.figure(trace.value, call.type, "fraction")
        return CallLine(call.key, call.function, value, call.element or "episodes", trace.seen, terms, trace.count)

    def _window_call(self, at: int, recorder: Recorder) -> CallLine | None:
        call, trace = self.plan.calls[at], recorder.windows.get(at)
        if trace is None:
            return None
        level = next(w.level for w in self.plan.windows if w.name == call.window)
        value = self.wording.figure(trace.value, call.type, "fraction")
        episodes = trace.episodes
        return CallLine(
            call.key,
            call.function,
            value,
            level or "episodes",
            episodes,
            (),
            len(episodes),
            trace.opening,
            is_window=True,
        )

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
