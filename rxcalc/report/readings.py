"""How cliffs, curves, daily amounts and the limits of bands were read: figures that a reader can redo."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from rxcalc.backends.schedules import slice_at
from rxcalc.lang.arithmetic import Rational
from rxcalc.lang.ops import Op
from rxcalc.lang.types import DAYS, MONEY, MONEY_PER_DAY, NUMBER, PERCENT, Plain, ScheduleType, Type
from rxcalc.plan.nodes import Band, Limit, PlanNode, Point, ScheduleRef, Value
from rxcalc.report.book import Book, Seen
from rxcalc.report.model import BandLine, LimitLine
from rxcalc.report.phrases import phrase


@dataclass(frozen=True)
class Reading:
    """What was read: `value` for the list of what a step uses, `figures` for its working ("": the value itself)."""

    value: str
    figures: str = ""


class Readings:
    """The schedules that the rules of one row read by a place, a day or a range of days."""

    def __init__(self, book: Book, seen: Seen) -> None:
        self.book = book
        self.nodes = book.plan.nodes
        self.recorder = seen.recorder
        self.on = seen.on
        self.wording = book.wording

    def read(self, index: int, node: PlanNode) -> Reading | None:
        """How a cliff or curve was read; None where it is neither, or was not evaluated."""
        ref = node.data
        if node.op not in (Op.SLICE, Op.ALONG) or not isinstance(ref, ScheduleRef) or index not in self.recorder.nodes:
            return None
        x = self.recorder.nodes.get(node.args[ref.keys + int(ref.at)])
        schedule = self._schedule(node, ref)
        if not isinstance(x, int | Fraction) or not isinstance(schedule, tuple) or not schedule:
            return None
        over, value = self.kinds(ref)
        if node.op is Op.SLICE:
            return self._slice(tuple(b for b in schedule if isinstance(b, Band)), x, over, value)
        return self._along(tuple(p for p in schedule if isinstance(p, Point)), x, over, value)

    def days(self, index: int, node: PlanNode) -> tuple[BandLine, ...]:
        """The daily amounts that `over_days` added, each with its days; the last day of a line is the first of the next."""
        ref = node.data
        if node.op is not Op.OVER_DAYS or not isinstance(ref, ScheduleRef) or index not in self.recorder.nodes:
            return ()
        start, end = (self.recorder.nodes.get(a) for a in node.args[-2:])
        if not isinstance(start, date) or not isinstance(end, date):
            return ()
        keys = tuple(str(self.recorder.nodes.get(a)) for a in node.args[: ref.keys])
        segments = self.book.parameters[ref.parameter].segments
        lines: list[BandLine] = []
        for at, segment in enumerate(segments):
            first = max(start, segment.start)
            last = min(end, segments[at + 1].start) if at + 1 < len(segments) else end
            daily = dict(segment.values).get(keys)
            if first >= last or not isinstance(daily, int | Fraction):
                continue
            length = (last - first).days
            lines.append(
                BandLine(
                    first.isoformat(), last.isoformat(), self.wording.written(length, DAYS),
                    self.wording.written(daily, MONEY_PER_DAY), "", self.wording.written(daily * length, MONEY),
                )
            )  # fmt: skip
        return tuple(lines)

    def limits(self, node: PlanNode, used: frozenset[Fraction]) -> tuple[LimitLine, ...]:
        """How the limits of a schedule were computed from parameters, those at which a part began or ended."""
        ref = node.data
        schedule = self._schedule(node, ref) if isinstance(ref, ScheduleRef) else None
        if not isinstance(ref, ScheduleRef) or not isinstance(schedule, tuple):
            return ()
        cell = self._cell(node, ref)
        over, _ = self.kinds(ref)
        lines: list[LimitLine] = []
        for part, limit in zip(schedule, cell, strict=False):
            value = part.limit if isinstance(part, Band) else part.at
            if limit is not None and value in used and _reads(limit):
                line = LimitLine(
                    self._limit(limit, filled=False), self._limit(limit, filled=True), self.wording.written(value, over)
                )
                if line not in lines:
                    lines.append(line)
        return tuple(lines)

    def kinds(self, data: object) -> tuple[Type, Type]:
        """What a schedule goes over, and what it gives."""
        parameter = self.book.parameters.get(data.parameter) if isinstance(data, ScheduleRef) else None
        if parameter is not None and isinstance(parameter.type, ScheduleType):
            return Plain(parameter.type.over), Plain(parameter.type.value)
        return MONEY, PERCENT

    # ---- which schedule ----

    def _when(self, node: PlanNode, ref: ScheduleRef) -> Value:
        return self.recorder.nodes.get(node.args[ref.keys]) if ref.at else self.on

    def _keys(self, node: PlanNode, ref: ScheduleRef) -> tuple[Value, ...]:
        values = [(a, self.nodes[a]) for a in node.args[: ref.keys]]
        return tuple(n.data if n.op is Op.CONST else self.recorder.nodes.get(a) for a, n in values)  # type: ignore[misc]  # data of CONST

    def _schedule(self, node: PlanNode, ref: ScheduleRef) -> object:
        on = self._when(node, ref)
        return self.book.schedule(ref.parameter, self._keys(node, ref), on) if isinstance(on, date) else None

    def _cell(self, node: PlanNode, ref: ScheduleRef) -> tuple[Limit | None, ...]:
        on, keys = self._when(node, ref), self._keys(node, ref)
        started = [s for s in self.book.parameters[ref.parameter].segments if isinstance(on, date) and s.start <= on]
        if not started:
            return ()
        pairs = zip(started[-1].values, started[-1].cells, strict=False)
        return next((cell.limits for (named, _), cell in pairs if named == keys), ())

    # ---- figures ----

    def _slice(self, schedule: tuple[Band, ...], x: Rational, over: Type, value: Type) -> Reading:
        at = slice_at(schedule, x)
        ends: list[str] = []
        for end, band in (("from", schedule[at - 1] if at else None), ("to", schedule[at])):
            if band is not None and band.limit is not None:
                inclusive = band.inclusive is (end == "to")
                key = f"slice_{end}" if inclusive else f"slice_{end}_without"
                ends.append(phrase(key, self.wording.language).format(self.wording.written(band.limit, over)))
        told = phrase("slice", self.wording.language)
        given = self.wording.written(schedule[at].value, value)
        text = told.format(given, self.wording.written(x, over), " ".join(ends))
        return Reading(text.replace(" ()", "").replace("（）", ""))

    def _along(self, schedule: tuple[Point, ...], x: Rational, over: Type, value: Type) -> Reading:
        def y(v: Rational) -> str:
            return self.wording.written(v, value, "fraction")

        def place(v: Rational) -> str:
            return self.wording.written(v, over, "fraction")

        told = phrase("point", self.wording.language)
        below = [p for p in schedule if p.at <= x]
        above = [p for p in schedule if p.at > x]
        if not below or not above or below[-1].at == x:
            one = below[-1] if below else schedule[0]
            return Reading(told.format(y(one.value), place(one.at)))
        a, b = below[-1], above[0]
        rise = f"({y(b.value)} - {_bracketed(y(a.value))})"
        run = f"({place(x)} - {_bracketed(place(a.at))})"
        length = f"({place(b.at)} - {_bracketed(place(a.at))})"
        points = "; ".join(told.format(y(p.value), place(p.at)) for p in (a, b))
        return Reading(points, f"{y(a.value)} + {run} * {rise} / {length}")

    def _limit(self, limit: Limit, *, filled: bool) -> str:
        """A limit as written, or with the values of the parameters in it."""
        parts = [self._limit(a, filled=filled) for a in limit.args]
        match limit.op:
            case Op.PARAMETER:
                keys = tuple(str(a.value) for a in limit.args)
                if not filled:
                    return f"{limit.parameter}[{', '.join(keys)}]" if keys else limit.parameter
                value = self.book.schedule(limit.parameter, keys, self.on) if isinstance(self.on, date) else None
                number = value if isinstance(value, int | Fraction) else None
                return self.wording.written(number, self.book.parameters[limit.parameter].type, "fraction")
            case Op.ADD:
                signs = limit.signs or (1,) * len(parts)
                text = parts[0] if signs[0] > 0 else f"-{parts[0]}"
                return text + "".join(
                    f"{' + ' if s > 0 else ' - '}{_bracketed(p)}" for s, p in zip(signs[1:], parts[1:], strict=True)
                )
            case Op.MULTIPLY | Op.DIVIDE:
                sign = " * " if limit.op is Op.MULTIPLY else " / "
                whole = [_whole(p, a) for p, a in zip(parts, limit.args, strict=True)]
                last = (
                    whole[1]
                    if limit.args[1].op is not Op.DIVIDE and limit.args[1].op is not Op.MULTIPLY
                    else f"({whole[1]})"
                )
                return f"{whole[0]}{sign}{last}"
            case Op.NEGATE:
                return f"-{_whole(parts[0], limit.args[0])}"
            case Op.MIN | Op.MAX:
                return f"{limit.op.value}({', '.join(parts)})"
            case Op.CONST if isinstance(limit.value, int | Fraction):
                return self.wording.written(limit.value, NUMBER, "fraction")
            case _:
                return f"{limit.op.value}({', '.join(parts)})" if parts else str(limit.value)


def _reads(limit: Limit) -> bool:
    return limit.op is Op.PARAMETER or any(_reads(a) for a in limit.args)


def _bracketed(text: str) -> str:
    return f"({text})" if text.startswith("-") else text


def _whole(text: str, limit: Limit) -> str:
    """A part of a product: a sum or a negative number stands in brackets."""
    return f"({text})" if limit.op is Op.ADD or text.startswith("-") else text
