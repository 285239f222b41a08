"""Values written in YAML: bounds, defaults, parameters by date and key, schedules."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from itertools import pairwise
from typing import Final

from rxcalc.diagnostics.model import Diagnostic, Sink
from rxcalc.lang.ops import Op
from rxcalc.lang.types import CODE, CODES, DATE, TEXT, ErrorType, OneOf, Plain, ScheduleType, Type
from rxcalc.rulebook.document import Mapping, Node, Scalar, Sequence
from rxcalc.source import Span
from rxcalc.syntax import nodes as syn
from rxcalc.syntax.rules import parse_expression
from rxcalc.typed import problems
from rxcalc.typed.expressions import Scope, Typer
from rxcalc.typed.facts import NO_FACTS
from rxcalc.typed.nodes import ParameterUse, TBand, TCell, TExpr, TParameter, TPoint, TSegment
from rxcalc.typed.symbols import nearest


@dataclass(frozen=True, slots=True)
class Bad:
    """A value that could not be read; already reported."""


BAD: Final = Bad()


class Values:
    """Reads YAML values of one rulebook. Parameters read so far may be used in limits of schedules."""

    def __init__(self, typer: Typer, sink: Sink) -> None:
        self.typer = typer
        self.sink = sink
        self.parameters: dict[str, TParameter] = {}

    # ---- single values ----

    def scalar(self, node: Node | None, type_: Type, *, none: bool = False) -> object:
        """The value of a YAML scalar read as `type_`; None for `none` where allowed; BAD when reported."""
        if isinstance(type_, ErrorType):
            return BAD
        if not isinstance(node, Scalar):
            span = node.span if node is not None else Span("", 0, 0)
            self.sink.add(problems.bad_value(span, "a list or map", type_, "one value is expected here"))
            return BAD
        if none and node.text == "none" and not node.is_quoted:
            return None
        if type_ in (CODE, TEXT):
            return node.text
        if type_ == CODES:
            return frozenset(part.strip() for part in node.text.split(";") if part.strip())
        if isinstance(type_, OneOf):
            if node.text in type_.values:
                return node.text
            self.sink.add(problems.unknown_key(node.span, node.text, str(type_), nearest(node.text, type_.values)))
            return BAD
        t = self._typed(node, type_)
        return BAD if t is None else self._evaluate(t, None)

    def trial(self, node: Scalar, type_: Type) -> object:
        """As `scalar`, but BAD is not reported."""
        sink = Sink()
        of = self.typer
        return Values(Typer(of.world, of.level, of.tables, sink, of.used), sink).scalar(node, type_)

    def _typed(self, node: Scalar, type_: Type) -> TExpr | None:
        e = parse_expression(node, self.sink)
        if isinstance(e, syn.ErrorExpr):
            return None
        t = self.typer.coerce(self.typer.value(e, type_, NO_FACTS, Scope(constants=True, yaml=True)), type_)
        return None if isinstance(t.type, ErrorType) else t

    def _evaluate(self, t: TExpr, on: date | None) -> object:
        """The value of a constant expression; parameters are read as of `on`."""
        match t.op:
            case Op.CONST:
                return t.data
            case Op.PARAMETER if on is not None and isinstance(t.data, ParameterUse):
                return self._parameter_at(t, t.data, on)
            case Op.ADD | Op.MULTIPLY | Op.DIVIDE | Op.NEGATE | Op.MIN | Op.MAX:
                values = [self._evaluate(a, on) for a in t.args]
                numbers = [Fraction(v) for v in values if isinstance(v, int | Fraction)]
                if len(numbers) != len(values):
                    if not any(isinstance(v, Bad) for v in values):
                        self.sink.add(problems.bad_value(t.span, "this", "plain number or amount"))
                    return BAD
                match t.op:
                    case Op.ADD:
                        signs = t.data
                        return sum((s * n for s, n in zip(signs, numbers, strict=True)), Fraction(0))  # type: ignore[call-overload]  # a tuple of signs
                    case Op.MULTIPLY:
                        return numbers[0] * numbers[1]
                    case Op.DIVIDE:
                        if numbers[1] == 0:
                            self.sink.add(problems.bad_value(t.span, "a division by zero", "value"))
                            return BAD
                        return numbers[0] / numbers[1]
                    case Op.NEGATE:
                        return -numbers[0]
                    case _:
                        return (min if t.op is Op.MIN else max)(numbers)
            case _:
                self.sink.add(
                    problems.bad_value(
                        t.span, "this", "constant", "write a number, or + - * / of numbers and parameters"
                    )
                )
                return BAD

    def _parameter_at(self, t: TExpr, use: ParameterUse, on: date) -> object:
        parameter = self.parameters.get(use.parameter)
        if parameter is None:
            help_ = "a limit may read parameters that hold one value, not other schedules"
            self.sink.add(problems.wrong_role(t.span, use.parameter, "parameter", help_))
            return BAD
        keys = tuple(str(self._evaluate(a, on)) for a in t.args[: use.keys])
        found: object = None
        for segment in parameter.segments:
            if segment.start <= on:
                found = dict(segment.values).get(keys)
        if found is None or (parameter.end is not None and on > parameter.end):
            self.sink.add(problems.no_value_at(t.span, use.parameter, f"on {on}", "give it a value from that date on"))
            return BAD
        return found

    # ---- parameters ----

    def parameter(self, decl: syn.ParameterDecl, type_: Type, keys: tuple[OneOf, ...]) -> TParameter | None:
        """A parameter with all its values read; None when its type is in error."""
        if isinstance(type_, ErrorType):
            return None
        end: date | None = None
        if decl.ends is not None:
            read = self.scalar(decl.ends, DATE)
            end = read if isinstance(read, date) else None
        segments: list[TSegment] = []
        ordered = sorted(decl.values, key=lambda v: v.start)
        for first, second in pairwise(ordered):
            if first.start == second.start:
                self.sink.add(
                    problems.bad_dates(second.span, f"two values start on {second.start}", "keep one of them")
                )
        for index, dated in enumerate(ordered):
            next_start = ordered[index + 1].start if index + 1 < len(ordered) else None
            segments.extend(self._segment(decl, dated, next_start, type_, keys))
        if end is not None and segments and end < segments[-1].start and decl.ends is not None:
            self.sink.add(
                problems.bad_dates(
                    decl.ends.span,
                    f"the values end on {end}, before the last of them starts",
                    "put `ends:` after the last start date",
                )
            )
        result = TParameter(
            decl.name.name, type_, tuple(k.values for k in keys), tuple(segments), end, decl.outside == "hold", decl
        )
        self.parameters[decl.name.name] = result
        return result

    def _segment(
        self,
        decl: syn.ParameterDecl,
        dated: syn.DatedValue,
        next_start: date | None,
        type_: Type,
        keys: tuple[OneOf, ...],
    ) -> list[TSegment]:
        cells = list(self._by_key(decl.name.name, dated.value, keys, ()))
        if not isinstance(type_, ScheduleType):
            values = tuple((key, self.scalar(node, type_, none=True)) for key, node in cells)
            known = tuple((k, None if isinstance(v, Bad) else v) for k, v in values)
            return [TSegment(dated.start, known, dated.span, tuple(TCell(node.span) for _, node in cells))]
        drafts = [(key, _is_none(node) or _Draft(self, node, type_)) for key, node in cells]
        starts = {dated.start}
        for _, draft in drafts:
            if isinstance(draft, _Draft):
                for name in draft.reads():
                    read = self.parameters.get(name)
                    starts |= {
                        s.start
                        for s in (read.segments if read else ())
                        if s.start > dated.start and (next_start is None or s.start < next_start)
                    }
        return [
            TSegment(
                start,
                tuple((key, draft.schedule(start) if isinstance(draft, _Draft) else None) for key, draft in drafts),
                dated.span,
                tuple(
                    draft.cell(node.span, start) if isinstance(draft, _Draft) else TCell(node.span)
                    for (_, node), (_, draft) in zip(cells, drafts, strict=True)
                ),
            )
            for start in sorted(starts)
        ]

    def _by_key(
        self, parameter: str, node: Node, keys: tuple[OneOf, ...], path: tuple[str, ...]
    ) -> list[tuple[tuple[str, ...], Node]]:
        if not keys:
            return [(path, node)]
        if _is_none(node):
            return [((*path, value, *rest), node) for value in keys[0].values for rest in _product(keys[1:])]
        if not isinstance(node, Mapping):
            self.sink.add(
                problems.bad_value(
                    node.span,
                    node.text if isinstance(node, Scalar) else "a list",
                    f"map with one entry per key ({keys[0]})",
                )
            )
            return []
        result: list[tuple[tuple[str, ...], Node]] = []
        given = {entry.key.text for entry in node.entries}
        for entry in node.entries:
            if entry.key.text not in keys[0].values:
                near = nearest(entry.key.text, keys[0].values)
                self.sink.add(problems.unknown_key(entry.key.span, entry.key.text, str(keys[0]), near))
        for value in keys[0].values:
            if value not in given:
                self.sink.add(problems.missing_key(node.span, parameter, value))
        for entry in node.entries:
            if entry.key.text in keys[0].values:
                result += self._by_key(parameter, entry.value, keys[1:], (*path, entry.key.text))
        order = {value: at for at, value in enumerate(keys[0].values)}
        return sorted(result, key=lambda item: order[item[0][len(path)]])


class _Draft:
    """A schedule whose limits may read parameters: typed once, evaluated at each date."""

    def __init__(self, values: Values, node: Node, type_: ScheduleType) -> None:
        self.values = values
        self.type = type_
        self.node = node
        self.rows: list[tuple[str, TExpr | None, object, Span]] = []
        self.is_broken = False  # a part could not be read: what is left is not judged
        over, value = Plain(type_.over), Plain(type_.value)
        if not isinstance(node, Sequence) or not node.items:
            self._broken(problems.bad_schedule(node.span, "a schedule is a list of its parts", _example(type_.form)))
            return
        for item in node.items:
            if not isinstance(item, Mapping):
                self._broken(problems.bad_schedule(item.span, "each part is a map", _example(type_.form)))
                continue
            allowed = ("at", "is") if type_.form == "curve" else ("to", "below", "is")
            unknown = [entry.key for entry in item.entries if entry.key.text not in allowed]
            for key in unknown:
                near = nearest(key.text, allowed)
                self._broken(problems.unknown_key(key.span, key.text, ", ".join(allowed), near))
            if unknown:
                continue
            kinds = [k for k in allowed[:-1] if item.get(k) is not None]
            content = item.get("is")
            if content is None or len(kinds) > 1 or (type_.form == "curve" and not kinds):
                self._broken(
                    problems.bad_schedule(item.span, "a part needs one place and one value", _example(type_.form))
                )
                continue
            limit: TExpr | None = None
            if kinds:
                at = item.get(kinds[0])
                limit = values._typed(at, over) if isinstance(at, Scalar) else None  # noqa: SLF001 - one class in two
                if limit is None:
                    self.is_broken = True
                    continue
            self.rows.append((kinds[0] if kinds else "", limit, values.scalar(content, value), item.span))

    def _broken(self, problem: Diagnostic) -> None:
        self.values.sink.add(problem)
        self.is_broken = True

    def reads(self) -> set[str]:
        """The parameters that the limits read."""
        return {use.parameter for use, _ in self._uses()}

    def cell(self, span: Span, on: date) -> TCell:
        """Where the schedule stands, with the parameters that its limits read and their keys as of a date."""
        if self.is_broken:
            return TCell(span)
        read = self.values._evaluate  # noqa: SLF001 - one class in two
        found = {(use.parameter, tuple(str(read(key, on)) for key in t.args[: use.keys])) for use, t in self._uses()}
        return TCell(span, tuple(sorted(found)), tuple(limit for _, limit, _, _ in self.rows) if found else ())

    def _uses(self) -> Iterator[tuple[ParameterUse, TExpr]]:
        stack = [limit for _, limit, _, _ in self.rows if limit is not None]
        while stack:
            t = stack.pop()
            if t.op is Op.PARAMETER and isinstance(t.data, ParameterUse):
                yield t.data, t
            stack.extend(t.args)

    def schedule(self, on: date) -> object:
        """The schedule as of a date; checked to ascend and to be open at its end."""
        if self.is_broken:
            return None
        sink = self.values.sink
        parts: list[TBand | TPoint] = []
        previous: Fraction | None = None
        for index, (kind, limit, value, span) in enumerate(self.rows):
            if isinstance(value, Bad) or not isinstance(value, int | Fraction):
                return None
            at = self.values._evaluate(limit, on) if limit is not None else None  # noqa: SLF001 - one class in two
            if isinstance(at, Bad):
                return None
            place = Fraction(at) if isinstance(at, int | Fraction) else None
            last = index == len(self.rows) - 1
            if self.type.form != "curve" and (place is None) != last:
                message = "the last part must be open" if last else "only the last part may be open"
                sink.add(problems.bad_schedule(span, message, _example(self.type.form)))
                return None
            if (
                place is not None
                and previous is not None
                and (place < previous or (place == previous and self.type.form != "curve"))
            ):
                sink.add(
                    problems.bad_schedule(
                        span, "the limits do not ascend", "write the parts from the lowest limit to the highest"
                    )
                )
                return None
            if place is not None and previous is None and self.type.form == "bands" and place <= 0:
                sink.add(
                    problems.bad_schedule(
                        span,
                        "the first band ends at or below zero",
                        "bands start at zero; give the first one a limit above it",
                    )
                )
                return None
            if self.type.form == "curve":
                parts.append(TPoint(place if place is not None else Fraction(0), Fraction(value), span))
            else:
                parts.append(TBand(place, kind != "below", Fraction(value), span))
            previous = place if place is not None else previous
        return tuple(parts) or None


def _is_none(node: Node) -> bool:
    return isinstance(node, Scalar) and node.text == "none" and not node.is_quoted


def _product(keys: tuple[OneOf, ...]) -> list[tuple[str, ...]]:
    result: list[tuple[str, ...]] = [()]
    for key in keys:
        result = [(*path, value) for path in result for value in key.values]
    return result


def _example(form: str) -> str:
    return (
        "e.g. [{at: 1.5, is: 0%}, {at: 4, is: 8.5%}]" if form == "curve" else "e.g. [{to: 30_000, is: 85%}, {is: 95%}]"
    )
