"""Lists, groups, spreads and checks: the declarations of levels other than the episode."""

from __future__ import annotations

from typing import Final

from rxcalc.diagnostics.model import Sink
from rxcalc.rulebook.document import Entry, Mapping, Node, Scalar
from rxcalc.syntax import nodes as n
from rxcalc.syntax import problems
from rxcalc.syntax.declarations import (
    declared,
    entries,
    ident,
    idents,
    inputs,
    is_yes,
    items,
    meta,
    scalar,
    sequence,
    text,
    words,
)
from rxcalc.syntax.rules import expression_at, guarantees, requires, shares, steps
from rxcalc.syntax.windows import windows

# What a rule calls the members of a group, and the rows before a row of a list.
ROWS_WORDS: Final = frozenset({"episodes", "above"})
# A list stands in an episode file under its name, beside the keys of the file itself.
FILE_KEYS: Final = frozenset({
    "rulebook", "episode", "episodes", "earlier", "so_far", "groups", "charged", "example", "cite", "by", "note", "status",
    "expect", "rejects",
})  # fmt: skip


def lists(lines: Entry | None, others: Node | None, sink: Sink) -> tuple[n.ListDecl, ...]:
    """`lines:` and the entries of `lists:`; lines come first."""
    found = [] if lines is None else [lines]
    found += entries(others)
    return tuple(_list(entry.key, entry.value, sink) for entry in found if isinstance(entry.value, Mapping))


def _list(key: Scalar, of: Mapping, sink: Sink) -> n.ListDecl:
    if key.text in ROWS_WORDS | FILE_KEYS:
        sink.add(problems.reserved(key.span, key.text))
    order: dict[str, n.Ident] = {}
    for field in idents(of.get("order")):
        first = order.setdefault(field.name, field)
        if first is not field:
            sink.add(problems.twice(field.span, "the field", field.name, first.span))
    return n.ListDecl(
        name=declared(key, sink),
        inputs=inputs(of.get("inputs"), sink),
        order=tuple(order.values()),
        required=is_yes(of.get("required")),
        requires=requires(of.get("requires"), sink),
        steps=steps(of.get("steps"), sink),
        checks=checks(of.get("checks"), sink),
        guarantees=guarantees(of.get("guarantees"), sink),
        meta=meta(of),
    )


def groups(node: Node | None, sink: Sink) -> tuple[n.GroupDecl, ...]:
    """`groups:`."""
    found = []
    for entry in entries(node):
        of = entry.value
        members = scalar(of.get("of")) if isinstance(of, Mapping) else None
        if not isinstance(of, Mapping) or members is None:
            continue
        if entry.key.text in ROWS_WORDS:
            sink.add(problems.reserved(entry.key.span, entry.key.text))
        keys = [
            n.KeyDecl(name=declared(item.key, sink), value=value)
            for item in entries(of.get("by"))
            if (value := expression_at(item.value, sink)) is not None
        ]
        found.append(
            n.GroupDecl(
                name=declared(entry.key, sink),
                of=ident(members),
                by=tuple(keys),
                inputs=inputs(of.get("inputs"), sink),
                sequence=sequence(of.get("sequence")),
                windows=windows(of.get("windows"), sink),
                effective=expression_at(of.get("effective"), sink),
                requires=requires(of.get("requires"), sink),
                steps=steps(of.get("steps"), sink),
                spreads=spreads(of.get("spread"), sink),
                shares=shares(of.get("shares"), sink),
                checks=checks(of.get("checks"), sink),
                guarantees=guarantees(of.get("guarantees"), sink),
                meta=meta(of),
            )
        )
    return tuple(found)


def spreads(node: Node | None, sink: Sink) -> tuple[n.SpreadDecl, ...]:
    """`spread:`."""
    found = []
    for entry in entries(node):
        of = entry.value
        if not isinstance(of, Mapping):
            continue
        what, by = expression_at(of.get("what"), sink), expression_at(of.get("by"), sink)
        over = scalar(of.get("over"))
        if what is not None and by is not None and over is not None:
            found.append(
                n.SpreadDecl(name=declared(entry.key, sink), what=what, over=ident(over), by=by, meta=meta(of))
            )
    return tuple(found)


def checks(node: Node | None, sink: Sink) -> tuple[n.CheckDecl, ...]:
    """`checks:`."""
    found = []
    for item in items(node):
        of = item if isinstance(item, Mapping) else None
        when = expression_at(of.get("when") if of is not None else None, sink)
        if of is None or when is None:
            continue
        found.append(
            n.CheckDecl(
                name=declared(called, sink) if (called := scalar(of.get("name"))) is not None else None,
                when=when,
                say=words(of.get("say")),
                severity=text(of.get("severity")) or "warn",
                amount=expression_at(of.get("amount"), sink),
                meta=meta(of),
                span=item.span,
            )
        )
    return tuple(found)
