"""Single subjects of change taken from a new rulebook and put into an old one, as declarations.

The result is compiled like any rulebook. What a subject reads that the old rulebook has not is brought along, and what goes away
takes along what reads it (`closure`); sets, messages and sources that only the new one has are always there, since they
compute nothing. A subject may be a part of a thing (`parts.py`); rows of tables are the business of whoever has the files.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any, Final, TypeVar

from rxcalc.compare.mix import mixed, words_of
from rxcalc.compare.model import Subject
from rxcalc.compare.parts import Part, RowPart
from rxcalc.rulebook.document import Scalar
from rxcalc.source import Span
from rxcalc.syntax import nodes as n
from rxcalc.syntax.nodes import RulebookDecl

_T = TypeVar("_T")
_IDENT: Final = re.compile(r"[^\W\d]\w*")
_INERT: Final = frozenset({"parameter", "table", "window"})  # nothing comes of these until something reads them
_CONTEXT: Final = ("effective", "currency", "rounding", "sequence")
_FIELDS: Final = {
    "parameter": "parameters", "table": "tables", "input": "inputs", "window": "windows", "step": "steps",
    "shares": "shares", "spread": "spreads", "list": "lists", "group": "groups",
}  # fmt: skip
_WHOLE: Final = {"requires": "requires", "guarantees": "guarantees", "sequence": "sequence"}
_HEAD: Final = {"effective": ("effective",), "currency": ("currency", "decimals"), "rounding": ("rounding",)}


def is_inert(subject: Subject, change: str) -> bool:
    """Whether a change can move nothing by itself: what is new is not read yet, what went is read no more."""
    return subject.section in _INERT and change != "changed"


def context(changes: Iterable[Subject]) -> list[Subject]:
    """The changes of the rulebook as a whole, which others may need: values that begin with a later day, for one."""
    return [s for s in changes if s.section in _CONTEXT]


def merged(
    old: RulebookDecl, new: RulebookDecl, taken: Collection[Subject], parts: Mapping[Subject, Part]
) -> RulebookDecl:
    """The old rulebook with these subjects as they are in the new one; rows of tables are left as they were."""
    made = replace(
        old,
        sets=_united(old.sets, new.sets, lambda s: s.name.name, _sets_of(new, taken)),
        sources=_united(old.sources, new.sources, lambda s: s.name.name),
        messages=_united(old.messages, new.messages, lambda m: m.name.name),
        sample=None,
    )
    for subject in taken:
        if subject not in parts:
            made = _with(made, new, subject)
    for whole in dict.fromkeys(s.whole for s in taken if s in parts):
        own = [parts[s] for s in taken if s.whole == whole and s in parts]
        is_all = len(own) == sum(s.whole == whole for s in parts)
        made = _with(made, new, whole) if is_all else _with_parts(made, (old, new), whole, own)
    held = {s.name.name for s in made.steps}
    gone = {s.name for s in taken if s.section == "step" and not s.level and s.name not in held}
    return replace(made, outputs=tuple(o for o in made.outputs if o.name not in gone)) if gone else made


def _sets_of(new: RulebookDecl, taken: Iterable[Subject]) -> frozenset[str]:
    """The sets that changed inputs have in the new rulebook: their values come with the input."""
    names = {(s.level, s.name) for s in taken if s.section == "input"}
    found: list[tuple[str, n.InputDecl]] = []
    for level, part in _levels(new):
        found += [(level, declared) for declared in part.inputs]
    return frozenset(
        i.type.set_name.name for level, i in found if (level, i.name.name) in names and i.type.set_name is not None
    )


def _levels(decl: RulebookDecl) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = [("", decl)]
    found += [(x.name.name, x) for x in decl.lists]
    found += [(x.name.name, x) for x in decl.groups]
    return found


def _united(
    old: Sequence[_T], new: Sequence[_T], key: Callable[[_T], str], exchanged: Collection[str] = ()
) -> tuple[_T, ...]:
    """What either has; of what both have the old one's, but for those named."""
    theirs = {key(item): item for item in new}
    own = [theirs[key(i)] if key(i) in exchanged and key(i) in theirs else i for i in old]
    held = {key(item) for item in own}
    return (*own, *(item for name, item in theirs.items() if name not in held))


def _with(made: RulebookDecl, new: RulebookDecl, subject: Subject) -> RulebookDecl:
    """One subject taken over."""
    if subject.section in _HEAD:
        return replace(made, **{name: getattr(new, name) for name in _HEAD[subject.section]})
    if subject.level and subject.section not in ("list", "group"):
        return _in_level(made, new, subject)
    return replace(made, **_exchanged(made, new, subject))


def _with_parts(
    made: RulebookDecl, sides: tuple[RulebookDecl, RulebookDecl], whole: Subject, parts: Sequence[Part]
) -> RulebookDecl:
    """Some parts of one thing taken over."""
    if isinstance(parts[0], RowPart):
        return made
    one, other = (_declared(side, whole) for side in sides)
    item = mixed(one, other, parts)
    if not whole.level:
        if whole.section in _WHOLE:
            return replace(made, requires=item)
        field: dict[str, Any] = {_FIELDS[whole.section]: _put(getattr(made, _FIELDS[whole.section]), item)}
        return replace(made, **field)
    changes: dict[str, Any] = {}
    for section in ("lists", "groups"):
        changes[section] = tuple(
            (
                replace(x, requires=item)
                if whole.section in _WHOLE
                else replace(x, **{_FIELDS[whole.section]: _put(getattr(x, _FIELDS[whole.section]), item)})
            )
            if x.name.name == whole.level
            else x
            for x in getattr(made, section)
        )
    return replace(made, **changes)


def _put(items: Sequence[Any], item: Any) -> tuple[Any, ...]:
    return tuple(item if i.name.name == item.name.name else i for i in items)


def _in_level(made: RulebookDecl, new: RulebookDecl, subject: Subject) -> RulebookDecl:
    """A subject of a list or a group."""
    changes: dict[str, Any] = {}
    for section in ("lists", "groups"):
        theirs = {x.name.name: x for x in getattr(new, section)}
        changes[section] = tuple(
            replace(x, **_exchanged(x, theirs[subject.level], subject))
            if x.name.name == subject.level and subject.level in theirs
            else x
            for x in getattr(made, section)
        )
    return replace(made, **changes)


def _exchanged(made: Any, new: Any, subject: Subject) -> dict[str, Any]:
    """The changed field of a rulebook, list or group."""
    if subject.section in _WHOLE:
        name = _WHOLE[subject.section]
        return {name: getattr(new, name)} if hasattr(made, name) else {}
    name = _FIELDS[subject.section]
    if not hasattr(made, name):
        return {}
    found = _one_exchanged(getattr(made, name), getattr(new, name), subject.name)
    if subject.section == "shares" and new.shares and new.shares[0].name.name == subject.name:
        found = tuple(sorted(found, key=lambda p: p.name.name != subject.name))  # the totals of bearers are the first's
    return {name: found}


def _one_exchanged(old: Sequence[Any], new: Sequence[Any], name: str) -> tuple[Any, ...]:
    """The item of this name taken from the new ones: in its place, at the end, or gone."""
    item = next((i for i in new if i.name.name == name), None)
    if item is None:
        return tuple(i for i in old if i.name.name != name)
    if any(i.name.name == name for i in old):
        return tuple(item if i.name.name == name else i for i in old)
    before = {i.name.name for i in new[: new.index(item)]}
    at = max((at + 1 for at, i in enumerate(old) if i.name.name in before), default=0)
    return (*old[:at], item, *old[at:])


# ---- what belongs together --------------------------------------------------------------------------


def closure(
    first: Subject, changes: Mapping[Subject, str], reads: Mapping[Subject, Collection[Subject]]
) -> list[Subject]:
    """A subject with all that must change with it: what it reads that is new, and what reads it if it goes."""
    found = [first]
    for subject in found:
        needed = [s for s in reads.get(subject, ()) if changes.get(s) == "added"]
        if changes[subject] == "removed":
            needed += [s for s, of in reads.items() if subject in of]
        found += [s for s in needed if s not in found]
    return found


def reading(
    old: RulebookDecl, new: RulebookDecl, changes: Mapping[Subject, str], parts: Mapping[Subject, Part]
) -> dict[Subject, set[Subject]]:
    """Which subjects of change each one names, in the new rulebook or, where it names what is gone, in the old one."""
    by_name: dict[str, list[Subject]] = {}
    for subject in changes:
        by_name.setdefault(subject.name.partition("@")[0] or subject.section, []).append(subject)
    found: dict[Subject, set[Subject]] = {}
    for subject in changes:
        whole, part = subject.whole, parts.get(subject)
        sides = _declared(new, whole), _declared(old, whole)
        if part is not None:
            sides = words_of(sides[0], part, of_new=True), words_of(sides[1], part, of_new=False)
        words, gone = map(_words, sides)
        named = {s for w in words for s in by_name.get(w, ()) if changes[s] != "removed"}
        named |= {s for w in gone for s in by_name.get(w, ()) if changes[s] == "removed"}
        found[subject] = {s for s in named if s.whole != whole}
    return found


def _declared(decl: RulebookDecl, subject: Subject) -> object:
    """The declaration of a subject, or None."""
    if subject.section in _HEAD:
        return tuple(getattr(decl, name) for name in _HEAD[subject.section])
    holder = dict(_levels(decl)).get(subject.level, decl)
    if subject.section in _WHOLE:
        return getattr(holder, _WHOLE[subject.section], None)
    items = getattr(holder, _FIELDS[subject.section], ())
    return next((i for i in items if i.name.name == subject.name), None)


def _words(node: object) -> set[str]:
    """All words in a declaration: more than it names, never less."""
    if isinstance(node, str):
        return set(_IDENT.findall(node))
    if isinstance(node, Scalar):
        return _words(node.text)
    if isinstance(node, tuple | list):
        return set().union(*map(_words, node)) if node else set()
    if is_dataclass(node) and not isinstance(node, type | Span | n.Meta):
        return set().union(*(_words(getattr(node, f.name)) for f in fields(node)))
    return set()
