"""Single values, clauses and conditions of a new rulebook put into an old one, as declarations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, TypeVar

from rxcalc.compare.parts import Part, SlicePart, ValuePart
from rxcalc.rulebook.document import Entry, Node, Scalar
from rxcalc.rulebook.document import Mapping as YamlMapping
from rxcalc.syntax import nodes as n

_T = TypeVar("_T")
_Leaves = dict[tuple[str, ...], Node]


class UnfitError(Exception):
    """The parts of a thing cannot be put together one by one: it must change as a whole."""


def mixed(old: Any, new: Any, parts: Sequence[Part]) -> Any:
    """A parameter or step of the old rulebook with some of what the new one's has."""
    if isinstance(old, n.ParameterDecl):
        values = [part for part in parts if isinstance(part, ValuePart)]
        return _parameter(old, new, values)
    slices = [part for part in parts if isinstance(part, SlicePart)]
    if isinstance(old, n.StepDecl):
        return _step(old, new, slices)
    return spliced(old, new, slices)


def spliced(old: Sequence[_T], new: Sequence[_T], parts: Sequence[SlicePart]) -> tuple[_T, ...]:
    """The old items with slices of the new ones in their places; parts do not overlap."""
    items = list(old)
    for part in sorted(parts, key=lambda p: (p.start, p.stop, p.first), reverse=True):
        if part.stop > len(old) or part.last > len(new):
            raise UnfitError
        items[part.start : part.stop] = new[part.first : part.last]
    return tuple(items)


def words_of(declared: Any, part: Part, *, of_new: bool) -> object:
    """What of a declaration a part is: where names are looked for that it reads."""
    if isinstance(part, SlicePart):
        items = declared.rule.clauses if isinstance(declared, n.StepDecl) else declared
        return tuple(items[part.first : part.last] if of_new else items[part.start : part.stop])
    return declared


def _step(old: n.StepDecl, new: n.StepDecl, parts: Sequence[SlicePart]) -> n.StepDecl:
    one, other = old.rule, new.rule
    if (one.form, one.hit) != (other.form, other.hit) or old.lazy or new.lazy:
        raise UnfitError
    return replace(old, rule=replace(one, clauses=spliced(one.clauses, other.clauses, parts)))


# ---- parameters -------------------------------------------------------------------------------------


def _parameter(old: n.ParameterDecl, new: n.ParameterDecl, parts: Sequence[ValuePart]) -> n.ParameterDecl:
    """Every day on which anything turns with the values of its keys, each from the side from which it is taken."""
    ends = [side.ends.text if side.ends is not None else None for side in (old, new)]
    if ends[0] != ends[1] or (old.type, old.by, old.outside) != (new.type, new.by, new.outside):
        raise UnfitError
    days = {v.start for side in (old, new) for v in side.values}
    days |= {p.start for p in parts} | {p.end + timedelta(days=1) for p in parts if p.end is not None}
    values = []
    for day in sorted(days):
        one, other = _on(old, day), _on(new, day)
        leaves = dict(one)
        for part in parts:
            if part.start <= day and (part.end is None or day <= part.end):
                if other.keys() != one.keys() or part.keys not in other:
                    raise UnfitError
                leaves[part.keys] = other[part.keys]
        if leaves:
            span = old.values[0].span
            values.append(n.DatedValue(start=day, value=_tree(leaves, old.values[0].value), span=span))
    return replace(old, values=tuple(values))


def _on(p: n.ParameterDecl, day: date) -> _Leaves:
    """The values that are written for a day, by keys."""
    before = [v for v in p.values if v.start <= day]
    if not before:
        return {}
    value = max(before, key=lambda v: v.start).value
    return dict(_leaves(value, len(p.by), ()))


def _leaves(node: Node, depth: int, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Node]]:
    if not depth:
        yield path, node
    elif isinstance(node, YamlMapping):
        for entry in node.entries:
            yield from _leaves(entry.value, depth - 1, (*path, entry.key.text))
    else:  # `none` for all keys
        raise UnfitError


def _tree(leaves: Mapping[tuple[str, ...], Node], like: Node) -> Node:
    if () in leaves:
        return leaves[()]
    first: dict[str, dict[tuple[str, ...], Node]] = {}
    for path, node in leaves.items():
        first.setdefault(path[0], {})[path[1:]] = node
    entries = tuple(Entry(Scalar(key, "plain", like.span, None), _tree(below, like)) for key, below in first.items())
    return YamlMapping(entries, like.span)
