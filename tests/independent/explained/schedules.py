"""Values read off schedules: sums over bands, ranges reached, slices, curves, daily amounts."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from .bands import Length, points_read, slice_place, slice_read
from .calculator import compared, worked_out
from .language import Node, NotReadable, read
from .rows import added
from .scope import Names, Scope, in_figures
from .template import Hole
from .values import UNKNOWN, Value, Word, number, printed, same, shown

if TYPE_CHECKING:
    from .steps import Step


def traced(step: Step, node: Node, hole: Hole) -> bool:
    """Whether a value read off a schedule follows from what stands beside it."""
    arguments = list(node.parts[1:])
    match node.text:
        case "bands":
            return banded(step, node, hole, arguments)
        case "band":
            return one_band(step, hole)
        case "bands_reach":
            return reached(step, hole, arguments)
        case "over_days":
            return over_days(step, hole)
    cited = [c for c in step.sources.cited if c.name == root(arguments[0])]
    of = step.value(arguments[1])
    if of is not UNKNOWN and node.text == "step":
        cited = [c for c in cited if same(of, slice_place(c.text))] or cited[:1]
    for one in cited:
        if node.text == "step" and same(slice_read(one.text, of, step.report, one.line), value_of(hole.figure)):
            return step.found("a slice", yes=True)
        points = points_read(one.text)
        if node.text == "along" and points and on_curve(points, of, hole.figure):
            return step.found("a place on a curve", yes=True)
    return False


def root(node: Node) -> str:
    """The name of a parameter."""
    while node.kind in ("index", "at", "member"):
        node = node.parts[0]
    return node.text


def value_of(figure: str) -> Value:
    """What a figure comes to."""
    plain = number(figure)
    if plain is not None:
        return plain
    try:
        return worked_out(read(figure), in_figures)
    except NotReadable:
        return printed(figure)


def on_curve(points: list[tuple[Value, Value]], of: Value, figure: str) -> bool:
    """Whether a figure is the place between two points."""
    result = value_of(figure)
    if len(points) == 1:
        return same(points[0][0], result)
    (y0, x0), (y1, x1) = points[:2]
    if not all(isinstance(v, Fraction) for v in (y0, x0, y1, x1)):
        return of is UNKNOWN
    if not isinstance(of, Fraction):
        return True
    assert (
        isinstance(y0, Fraction) and isinstance(x0, Fraction) and isinstance(y1, Fraction) and isinstance(x1, Fraction)
    )
    return same(y0 + (of - x0) * (y1 - y0) / (x1 - x0), result)


def fits(figure: str, lines: list[Length], *, turned: bool = False) -> bool:
    """Whether a figure is the sum of the products of the lines, or of their rounded amounts."""
    figure = figure[1:-1] if figure.startswith("(") and figure.endswith(")") and " " in figure else figure
    terms = figure.split(" + ")
    if len(terms) != len(lines):
        return False
    for term, line in zip(terms, lines, strict=True):
        first, sign, second = term.partition(" * ")
        if turned:
            first, second = second, first
        if not sign:
            if not same(bracketless(term), printed(line.amount)):
                return False
        elif not same(bracketless(first), printed(line.length)) or not same(bracketless(second), printed(line.rate)):
            return False
    return True


def bracketless(text: str) -> Value:
    """A figure without its brackets."""
    text = text.strip()
    if text.startswith("(-") and text.endswith(")"):
        return printed(text[1:-1])
    return printed(text)


def ends(step: Step, argument: Node) -> tuple[Value, Value]:
    """The ends of the range that bands go over."""
    if argument.kind == "range":
        return step.value(argument.parts[0]), step.value(argument.parts[1])
    return Fraction(0), step.value(argument)


def one_band(step: Step, hole: Hole) -> bool:
    """`band(s, n, a .. b)`: the part of one band, or nothing."""
    if any(fits(hole.figure, lines) for lines in step.blocks):
        return step.found("a sum of bands", yes=True)
    return same(value_of(hole.figure), Fraction(0)) and step.found("an empty range of bands", yes=True)


def over_days(step: Step, hole: Hole) -> bool:
    """A daily amount over some days."""
    if any(fits(hole.figure, lines, turned=True) or fits(hole.figure, lines) for lines in step.blocks):
        return step.found("a sum of days", yes=True)
    return same(value_of(hole.figure), Fraction(0)) and step.found("an empty range of bands", yes=True)


def banded(step: Step, node: Node, hole: Hole, arguments: list[Node]) -> bool:
    """`bands(s, a .. b)`: the lines from a to b, and the sum of their products among the figures."""
    low, high = ends(step, arguments[1])
    lines = next((b for b in step.blocks if fits(hole.figure, b)), None)
    if lines is None:
        if not same(value_of(hole.figure), Fraction(0)):
            return False
        empty = compared(high, low, "<=")
        return empty is not False and step.found("an empty range of bands", yes=True)
    for end, value, text in ((lines[0].low, low, "begin"), (lines[-1].high, high, "end")):
        if not end:
            continue  # under a row of a list the ends are not told
        if value is UNKNOWN:
            if not somewhere(step, printed(end)):
                step.report.add(
                    lines[0].line, "not derivable", f"the bands {text} at {end}, which is found nowhere ({step.what})"
                )
        elif not same(printed(end), value):
            step.report.add(lines[0].line, "bands", f"the bands {text} at {end}, not at {shown(value)}")
    mapped_all(step, lines, arguments)
    return step.found("a sum of bands", yes=True)


def somewhere(step: Step, value: Value) -> bool:
    """Whether any input or result has a value."""
    return any(
        any(same(printed(f.value), value) for f in scope.facts) or any(same(v, value) for v in scope.steps.values())
        for scope in step.scope.chain()
    )


def reached(step: Step, hole: Hole, arguments: list[Node]) -> bool:
    """`bands_reach(s, target, a .. b)`: where the bands have added up to the target."""
    target, (low, high) = step.value(arguments[1]), ends(step, arguments[2])
    value = value_of(hole.figure)
    blocks = [b for b in step.blocks if b and b[0].low]
    for lines in blocks:
        total = added([printed(line.amount) for line in lines])
        if not isinstance(total, Fraction) or not isinstance(target, Fraction):
            continue
        if low is not UNKNOWN and not same(printed(lines[0].low), low):
            continue
        end = printed(lines[-1].high)
        if (total == target or (total < target and same(end, high))) and same(value, end):
            mapped_all(step, lines, arguments)
            return step.found("a sum of bands", yes=True)
    if isinstance(target, Fraction) and target <= 0:
        return same(value, low) and step.found("an end of the range", yes=True)
    return any(same(value, e) for e in (low, high)) and step.found("an end of the range", yes=True)


def mapped_all(step: Step, lines: list[Length], arguments: list[Node]) -> None:
    """Rates that were made of other ones: `97% (from 95%)`."""
    function = arguments[-1] if arguments[-1].kind == "function" else None
    for line in lines:
        if function is None or not line.low:
            if line.given:
                step.report.add(line.line, "bands", f"{line.rate} (from {line.given}), but no rate is changed")
            continue
        given = line.given or line.rate
        rate = applied(step, function, printed(given))
        if rate is UNKNOWN:
            step.report.add(line.line, "not derivable", f"the rate {line.rate} from {given} ({step.what})")
        elif not same(rate, printed(line.rate)):
            step.report.add(line.line, "bands", f"{given} becomes {shown(rate)}, not {line.rate}")
        else:
            step.report.count("line: rate changed")


def applied(step: Step, function: Node, given: Value) -> Value:
    """A function of a rate."""
    names = Names(Scope(above=step.scope, bound={function.text: given}, mode=step.scope.mode), step.sources)

    def lookup(node: Node) -> Value:
        value = names.in_formula(node)
        return Word(node.text) if value is UNKNOWN and node.kind == "name" else value

    return worked_out(function.parts[0], lookup, step.scope.mode)
