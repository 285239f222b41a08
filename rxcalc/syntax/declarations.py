"""The sections of a rulebook document, read into declarations.

The shapes were checked by `rulebook/schema.py`: what has another shape was reported there and
is passed over here in silence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Final

from rxcalc.diagnostics.model import Sink
from rxcalc.rulebook.document import Entry, Mapping, Node, Scalar, Sequence
from rxcalc.source import Span
from rxcalc.syntax import nodes as n
from rxcalc.syntax import problems

KINDS: Final = (
    "money", "percent", "number", "count", "date", "days", "months", "years", "flag", "code", "codes", "text",
    "money per day",
)  # fmt: skip
RESERVED: Final = frozenset({
    "and", "or", "not", "in", "is", "between", "if", "then", "else", "when", "otherwise", "where", "because", "reject",
    "yes", "no", "true", "false", "rest",
})  # fmt: skip
_SCHEDULE: Final = re.compile(r"(bands|cliff|curve)\s+of\s+(.+?)\s+over\s+(.+)")
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")


# ---- reading nodes ----------------------------------------------------------------------------


def entries(node: Node | None) -> tuple[Entry, ...]:
    """The entries of a mapping; none for anything else."""
    return node.entries if isinstance(node, Mapping) else ()


def items(node: Node | None) -> tuple[Node, ...]:
    """The items of a sequence; a lone scalar is a list of one."""
    match node:
        case Sequence():
            return node.items
        case Scalar() if not node.is_null:
            return (node,)
        case _:
            return ()


def scalar(node: Node | None) -> Scalar | None:
    """The node if it is a scalar with a value."""
    return node if isinstance(node, Scalar) and not node.is_null else None


def text(node: Node | None) -> str | None:
    """The text of a scalar with a value."""
    found = scalar(node)
    return found.text if found is not None else None


def is_yes(node: Node | None) -> bool:
    """Whether a flag is set."""
    return text(node) in ("yes", "true")


def ident(node: Scalar) -> n.Ident:
    """A name where it is used."""
    return n.Ident(name=node.text, span=node.span)


def opt_ident(node: Node | None) -> n.Ident | None:
    """The name in a scalar, if there is one."""
    found = scalar(node)
    return ident(found) if found is not None else None


def idents(node: Node | None) -> tuple[n.Ident, ...]:
    """The names of a list, or the one name of a scalar."""
    return tuple(ident(item) for item in items(node) if isinstance(item, Scalar) and not item.is_null)


def declared(key: Scalar, sink: Sink) -> n.Ident:
    """A name where it is declared; words of the language are refused."""
    if key.text in RESERVED:
        sink.add(problems.reserved(key.span, key.text))
    return ident(key)


def texts(node: Node | None) -> tuple[str, ...]:
    """The texts of a list, or the one text of a scalar."""
    return tuple(item.text for item in items(node) if isinstance(item, Scalar))


def words(node: Node | None) -> n.Words | None:
    """A text for readers: one string, or a map of language tags."""
    match node:
        case Scalar() if not node.is_null:
            return n.Words(by_language=(("", node.text),))
        case Mapping():
            return n.Words(
                by_language=tuple((e.key.text, e.value.text) for e in node.entries if isinstance(e.value, Scalar))
            )
        case _:
            return None


def cites(node: Node | None) -> tuple[n.Cite, ...]:
    """`regs`, `regs#36`, or a list of these."""
    found = []
    for item in items(node):
        if isinstance(item, Scalar):
            source, _, place = item.text.partition("#")
            found.append(n.Cite(source=source.strip(), place=place.strip(), span=item.span))
    return tuple(found)


def meta(node: Node | None) -> n.Meta:
    """What any declaration may carry."""
    if not isinstance(node, Mapping):
        return n.NO_META
    found = n.Meta(
        label=words(node.get("label")),
        note=words(node.get("note")),
        cite=cites(node.get("cite")),
        status=text(node.get("status")),
        names=tuple((e.key.text, e.value.text) for e in entries(node.get("names")) if isinstance(e.value, Scalar)),
    )
    return n.NO_META if found == n.NO_META else found


def day(node: Scalar, sink: Sink) -> date | None:
    """A date, or None after reporting that there is no such day."""
    try:
        return date.fromisoformat(node.text) if _DATE.fullmatch(node.text) else None
    except ValueError:
        sink.add(problems.no_such_day(node.span, node.text))
        return None


# ---- types ------------------------------------------------------------------------------------


def type_spec(node: Mapping, where: Span, name: str, sink: Sink, *, needed: bool) -> n.TypeSpec | None:
    """The type given by `type:` or `one_of:`; with `needed`, one of them must stand there."""
    type_node, set_node = scalar(node.get("type")), node.get("one_of")
    if type_node is not None and set_node is not None:
        sink.add(problems.one_of_two(type_node.span, f"`{name}`", "type", "one_of", both=True))
    if set_node is not None:
        return one_of(set_node, sink, ordered=is_yes(node.get("ordered")))
    if type_node is not None:
        return plain_type(type_node, sink)
    if needed and node.get("type") is None:
        sink.add(problems.one_of_two(where, f"`{name}`", "type", "one_of", both=False))
    return None


def plain_type(node: Scalar, sink: Sink) -> n.TypeSpec | None:
    """`money`, `money per day`, `bands of percent over money`, .."""
    written = " ".join(node.text.split())
    if written in KINDS:
        return n.TypeSpec(kind=written, span=node.span)
    schedule = _SCHEDULE.fullmatch(written)
    if schedule is not None:
        form, value, over = schedule.groups()
        if value in KINDS and over in KINDS:
            return n.TypeSpec(kind=form, value=value, over=over, span=node.span)
        written = value if value not in KINDS else over
    sink.add(problems.bad_type(node.span, written, KINDS))
    return None


def one_of(node: Node, sink: Sink, *, ordered: bool) -> n.TypeSpec:
    """A set of values: a list, a map of values to their spellings, or the name of a set."""
    if isinstance(node, Scalar):
        return n.TypeSpec(kind="one_of", set_name=ident(node), ordered=ordered, span=node.span)
    values: list[n.SetValue] = []
    seen: dict[str, Span] = {}
    for name, detail in _set_values(node):
        if name.text in seen:
            sink.add(problems.twice(name.span, "the value", name.text, seen[name.text]))
            continue
        if name.text in RESERVED - {"rest"}:
            sink.add(problems.reserved(name.span, name.text))
        seen[name.text] = name.span
        given = detail if isinstance(detail, Mapping) else None
        values.append(
            n.SetValue(
                name=name.text,
                aliases=texts(given.get("aliases")) if given else (),
                label=words(given.get("label")) if given else None,
                span=name.span,
            )
        )
    return n.TypeSpec(kind="one_of", values=tuple(values), ordered=ordered, span=node.span)


def _set_values(node: Node) -> Iterator[tuple[Scalar, Node | None]]:
    for item in items(node):
        if isinstance(item, Scalar) and not item.is_null:
            yield item, None
    for entry in entries(node):
        yield entry.key, entry.value


# ---- sections without expressions -------------------------------------------------------------


def sources(node: Node | None) -> tuple[n.SourceDecl, ...]:
    """`sources:`."""
    found = []
    for entry in entries(node):
        of = entry.value if isinstance(entry.value, Mapping) else None
        title = words(of.get("title")) if of else words(entry.value)
        found.append(
            n.SourceDecl(
                name=ident(entry.key),
                title=title or n.Words(by_language=()),
                date=scalar(of.get("date")) if of else None,
                status=text(of.get("status")) if of else None,
                url=text(of.get("url")) if of else None,
                note=words(of.get("note")) if of else None,
            )
        )
    return tuple(found)


def sets(node: Node | None, sink: Sink) -> tuple[n.SetDecl, ...]:
    """`sets:`; a value is a list or a map of values, or `{one_of: .., ordered: yes}`."""
    found = []
    for entry in entries(node):
        value = entry.value
        if isinstance(value, Mapping) and value.get("one_of") is not None:
            spec = one_of(value.get("one_of") or value, sink, ordered=is_yes(value.get("ordered")))
        else:
            spec = one_of(value, sink, ordered=False)
        found.append(n.SetDecl(name=declared(entry.key, sink), type=spec))
    return tuple(found)


def inputs(node: Node | None, sink: Sink) -> tuple[n.InputDecl, ...]:
    """`inputs:`."""
    found = []
    for entry in entries(node):
        if not isinstance(entry.value, Mapping):
            continue
        of = entry.value
        spec = type_spec(of, entry.key.span, entry.key.text, sink, needed=True)
        name = declared(entry.key, sink)
        if spec is None:
            continue
        found.append(
            n.InputDecl(
                name=name,
                type=spec,
                optional=is_yes(of.get("optional")),
                default=scalar(of.get("default")),
                minimum=scalar(of.get("min")),
                maximum=scalar(of.get("max")),
                decimals=scalar(of.get("decimals")),
                time=text(of.get("time")),
                aliases=texts(of.get("aliases")),
                meta=meta(of),
            )
        )
    return tuple(found)


def parameters(node: Node | None, sink: Sink) -> tuple[n.ParameterDecl, ...]:
    """`parameters:`; the values themselves are read by their type later."""
    found = []
    for entry in entries(node):
        if not isinstance(entry.value, Mapping):
            continue
        of = entry.value
        spec = type_spec(of, entry.key.span, entry.key.text, sink, needed=True)
        name = declared(entry.key, sink)
        values = []
        for dated in entries(of.get("values")):
            start = day(dated.key, sink)
            if start is not None:
                values.append(n.DatedValue(start=start, value=dated.value, span=dated.key.span))
        ends = scalar(of.get("ends"))
        if ends is not None:
            day(ends, sink)
        if spec is None:
            continue
        found.append(
            n.ParameterDecl(
                name=name,
                type=spec,
                by=idents(of.get("by")),
                values=tuple(values),
                ends=ends,
                outside=text(of.get("outside")),
                meta=meta(of),
            )
        )
    return tuple(found)


def tables(node: Node | None, sink: Sink) -> tuple[n.TableDecl, ...]:
    """`tables:`; the CSV files are read later."""
    found = []
    for entry in entries(node):
        of = entry.value
        if not isinstance(of, Mapping):
            continue
        file = scalar(of.get("file"))
        name = declared(entry.key, sink)
        columns = tuple(_columns(of.get("columns"), sink))
        if file is None:
            continue
        found.append(
            n.TableDecl(
                name=name,
                file=file,
                key=tuple(_keys(of.get("key"))),
                start=opt_ident(of.get("from")),
                end=opt_ident(of.get("to")),
                columns=columns,
                meta=meta(of),
            )
        )
    return tuple(found)


def _keys(node: Node | None) -> Iterator[n.KeyColumn]:
    for item in (node,) if isinstance(node, Mapping) else items(node):
        if isinstance(item, Scalar):
            yield n.KeyColumn(name=ident(item))
        for entry in entries(item):
            column = scalar(entry.value)
            if column is not None:
                yield n.KeyColumn(name=ident(column), match=entry.key.text)


def _columns(node: Node | None, sink: Sink) -> Iterator[n.ColumnDecl]:
    for entry in entries(node):
        match entry.value:
            case Scalar() if not entry.value.is_null:
                spec = plain_type(entry.value, sink)
                if spec is not None:
                    yield n.ColumnDecl(name=ident(entry.key), type=spec)
            case Mapping():
                of = entry.value
                spec = type_spec(of, entry.key.span, entry.key.text, sink, needed=True)
                if spec is not None:
                    yield n.ColumnDecl(
                        name=ident(entry.key),
                        type=spec,
                        optional=is_yes(of.get("optional")),
                        decimals=scalar(of.get("decimals")),
                        meta=meta(of),
                    )
            case _:
                pass


def sequence(node: Node | None) -> n.SequenceDecl | None:
    """`sequence:`."""
    if not isinstance(node, Mapping):
        return None
    by = opt_ident(node.get("by"))
    if by is None:
        return None
    return n.SequenceDecl(
        by=by, order=idents(node.get("order")), reverses=opt_ident(node.get("reverses")), span=node.span
    )


def messages(node: Node | None) -> tuple[n.MessageDecl, ...]:
    """`messages:`."""
    found = []
    for entry in entries(node):
        said = words(entry.value)
        if said is not None:
            found.append(n.MessageDecl(name=ident(entry.key), text=said))
    return tuple(found)
