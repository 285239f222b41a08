"""Calls over rows: redone from the rows where these stand in the text, else from the terms that are listed."""

from __future__ import annotations

from fractions import Fraction

from .calculator import compared, extreme, worked_out
from .language import Node, NotReadable, read
from .scope import Names, Report, Scope, Sources, spelled
from .told import Called
from .values import MISSING, UNKNOWN, Near, Span, Value, Word, bare, printed, same, shown

Result = tuple[Value, tuple[str, ...], tuple[Value, ...]]
"""The value of a call, the rows that count, what each gave."""


def of_rows(node: Node, scope: Scope) -> Result | None:
    """A call over rows that stand in the text, redone from their values; None where these do not decide it."""
    kinds = {kind for s in scope.chain() for kind in s.rows}
    kind = next((n.parts[0].text for n in node.walk() if n.kind == "member" and n.parts[0].text in kinds), None)
    kind = kind or next((n.text for n in node.walk() if n.kind == "name" and n.text in kinds), None)
    if kind is None or len(node.parts) < 2 or node.kind != "call":
        return None
    rows = next(s.rows[kind] for s in scope.chain() if kind in s.rows)
    argument = node.parts[1]
    condition = argument.parts[-1] if argument.kind in ("where", "filtered") else None
    what = None if argument.kind == "where" else argument.parts[0] if argument.kind == "filtered" else argument
    distinct = what is not None and what.kind == "distinct"
    if distinct and what is not None:
        what = what.parts[0]
    keys: list[str] = []
    terms: list[Value] = []
    for key, row in rows.items():
        if condition is not None:
            holds = in_row(condition, row, kind, scope)
            if holds is UNKNOWN:
                return None
            if holds is not True:
                continue
        value: Value = True if what is None or what.kind == "name" else in_row(what, row, kind, scope)
        if value is UNKNOWN:
            return None
        if node.text in ("any", "all") and what is not None:
            if (value is True) == (node.text == "any"):
                keys.append(key)
            terms.append(value)
            continue
        if value is MISSING:
            return None
        keys.append(key)
        terms.append(value)
    result = of_terms(node.text, terms, distinct=distinct)
    return None if result is UNKNOWN else (result, tuple(keys), tuple(terms))


def in_row(node: Node, row: Scope, kind: str, scope: Scope) -> Value:
    """The value of an expression of a row: `lines.x` is the row's, a bare name that of the row which reads."""
    around = Names(scope, Sources())
    of_row = Names(Scope(facts=row.facts, steps=row.steps), Sources())

    def lookup(part: Node) -> Value:
        if part.kind == "member" and part.parts[0].text == kind:
            value = of_row.lookup(Node("name", 0, 0, text=part.text))
            if value is UNKNOWN and part.text in row.bound:
                return row.bound[part.text]
            return value
        value = around.lookup(part)
        if (
            value is UNKNOWN
            and part.kind == "name"
            and not any(spelled(f.label) == part.text for s in scope.chain() for f in s.facts)
        ):
            return Word(part.text)  # a value of a set
        return value

    try:
        return worked_out(node, lookup, scope.mode)
    except NotReadable:
        return UNKNOWN


def of_terms(function: str, terms: list[Value], *, distinct: bool) -> Value:
    """What a function makes of the values of some rows."""
    match function:
        case "count":
            return Fraction(len({repr(t) for t in terms})) if distinct else Fraction(len(terms))
        case "sum":
            return added(terms)
        case "min" | "max":
            return extreme(function, terms) if terms else MISSING
        case "any":
            return True in terms
        case "all":
            return False not in terms
    return UNKNOWN


def added(terms: list[Value]) -> Value:
    """The sum of amounts, numbers or durations."""
    if all(isinstance(t, Span) for t in terms) and terms:
        return Span(
            sum((t.count for t in terms if isinstance(t, Span)), Fraction(0)),
            next(t.unit for t in terms if isinstance(t, Span)),
        )
    if all(isinstance(t, Fraction) for t in terms):
        return sum((t for t in terms if isinstance(t, Fraction)), Fraction(0))
    if all(isinstance(t, Fraction | Near) for t in terms):
        low = sum((t.low if isinstance(t, Near) else t for t in terms if isinstance(t, Fraction | Near)), Fraction(0))
        high = sum((t.high if isinstance(t, Near) else t for t in terms if isinstance(t, Fraction | Near)), Fraction(0))
        return Near(low, high)
    return UNKNOWN


def check_call(called: Called, value: Value, scope: Scope, report: Report) -> None:
    """Redoes a call: from its terms, and from the rows in the text."""
    try:
        node = read(called.call)
    except NotReadable:
        report.add(called.line, "unreadable", f"`{called.call}`")
        return
    distinct = any(n.kind == "distinct" for n in node.walk())
    function = node.text
    seen = called.seen
    terms = [bare(printed(t)) for t in called.terms]
    opening = printed(seen.opening) if seen.opening else None
    for row in seen.rows if scope.members and seen.of not in scope.rows and node.kind == "call" else ():
        if row not in scope.members:
            report.add(called.line, "rows", f"{row} is no member of the group")
    redone = of_rows(node, scope)
    if redone is not None:
        result, keys, values = redone
        if not same(result, value):
            report.add(
                called.line, "sum", f"`{called.call}` over the rows of the bill is {shown(result)}, not {shown(value)}"
            )
        if function not in ("any", "all", "rank") and not seen.cut and keys != seen.rows:
            report.add(
                called.line,
                "rows",
                f"`{called.call}` counts {', '.join(keys) or 'no rows'}, not {', '.join(seen.rows) or 'none'}",
            )
        if terms and not called.cut and function != "count" and not alike(terms, values):
            report.add(called.line, "sum", f"the terms of `{called.call}` are {', '.join(shown(v) for v in values)}")
        report.count("line: call redone from the rows")
        return
    if function in ("sum", "min", "max") and node.kind == "call":
        rows = next((s.rows[seen.of] for s in scope.chain() if seen.of in s.rows), {})
        for key, term in zip(seen.rows, terms or [value], strict=False) if len(terms) in (0, len(seen.rows)) else ():
            own = [*rows[key].steps.values(), *(printed(f.value) for f in rows[key].facts)] if key in rows else [term]
            if (terms or seen.count == 1) and is_field(node) and not any(same(o, term) for o in own):
                report.add(called.line, "not derivable", f"{shown(term)} of row {key} in `{called.call}`")
    if function == "sum" and (terms or not seen.count) and not called.cut:
        total = added([*terms, *([opening] if opening is not None else [])] or [zero_like(value)])
        if not same(total, value):
            report.add(
                called.line, "sum", f"{' + '.join(called.terms) or 'nothing'} is {shown(total)}, not {shown(value)}"
            )
        if terms and len(terms) != seen.count:
            report.add(called.line, "rows", f"{len(terms)} terms of {seen.count} rows: `{called.call}`")
        report.count("line: sum of terms")
    elif function == "count" and not distinct:
        if not same(added([Fraction(seen.count), *([opening] if opening is not None else [])]), value):
            report.add(called.line, "rows", f"{seen.count} rows are listed, not {shown(value)}")
        report.count("line: rows counted")
    elif function == "count" and (len(terms) == seen.count or seen.count <= 1) and not called.cut:
        number = len({repr(t) for t in terms}) if terms else seen.count
        if not same(Fraction(number), value):
            report.add(called.line, "rows", f"{number} different values, not {shown(value)}")
        report.count("line: rows counted")
    elif (
        function in ("min", "max", "first", "last")
        and not called.cut
        and (terms or opening is not None or not seen.count)
    ):
        terms = [*([opening] if opening is not None else []), *terms]
        best: list[Value] | None = {"first": terms[:1], "last": terms[-1:]}.get(function)
        result = MISSING if not terms else best[0] if best else extreme(function, terms)
        if result is not UNKNOWN and not same(result, value):
            report.add(
                called.line,
                "sum",
                f"the {function} of {', '.join(called.terms)} is {shown(result)}, not {shown(value)}",
            )
        report.count("line: best of terms")
    elif function == "rank":
        reader = scope.name.partition(" ")[2]
        place = seen.rows.index(reader) if reader in seen.rows else -1
        if seen.count <= 1 and place == seen.count - 1:
            terms = [Fraction(0)] * seen.count
        if place >= 0 and len(terms) == len(seen.rows):
            before = [
                compared(t, terms[place], ">") is True or (n < place and same(t, terms[place]))
                for n, t in enumerate(terms)
            ]
            if not same(Fraction(1 + sum(before)), value):
                report.add(
                    called.line,
                    "rows",
                    f"{sum(before)} rows stand before row {reader}, whose rank is told as {shown(value)}",
                )
            report.count("line: rows counted")
        else:
            report.count("cut short" if seen.cut or called.cut else "taken from another row")
    elif function in ("any", "all"):
        report.count("undecided condition")
    elif called.cut or seen.cut:
        report.count("cut short")
    else:
        report.count("taken from another row")


def is_field(node: Node) -> bool:
    """Whether a call takes a field of the rows as it is, without working anything out."""
    argument = node.parts[1] if len(node.parts) > 1 else node
    return (argument.parts[0] if argument.kind == "filtered" else argument).kind == "member"


def alike(terms: list[Value], values: tuple[Value, ...]) -> bool:
    """Whether two lists hold the same values; zeros may have been counted at the end."""
    nothing = [t for t in terms if same(t, zero_like(t))], [v for v in values if same(v, zero_like(v))]
    rest = [t for t in terms if not same(t, zero_like(t))], [v for v in values if not same(v, zero_like(v))]
    return len(nothing[0]) == len(nothing[1]) and len(rest[0]) == len(rest[1]) and all(map(same, *rest))


def zero_like(value: Value) -> Value:
    """Nothing, in the unit of a value."""
    return Span(Fraction(0), value.unit) if isinstance(value, Span) else Fraction(0)
