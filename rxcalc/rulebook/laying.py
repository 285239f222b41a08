"""What an overlay changes, adds and removes, done to the document of its base."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from rxcalc.diagnostics.model import Diagnostic, Sink
from rxcalc.rulebook import problems
from rxcalc.rulebook.bases import HIDDEN
from rxcalc.rulebook.document import REPLACED, Entry, Mapping, Node, Scalar, Sequence
from rxcalc.rulebook.overlay_keys import LEVEL, LEVELS, LISTED, NAMED, OWN
from rxcalc.source import Span

__all__ = ["lay_over", "named_base"]

_ONE_NAME_SPACE: Final = frozenset({"inputs", "windows", "parameters", "tables", "steps", "spread", "by"})
_NEEDED: Final = frozenset({"currency", "rounding", "inputs"})
_MOST_NEAR: Final = 2_000  # names that are compared with a misspelt one


def lay_over(base: Mapping, overlay: Mapping, sink: Sink, removed: dict[str, Span]) -> Mapping | None:
    """The whole rulebook that an overlay and its base make; None after errors.

    The overlay's own words come first, then the base's sections in their order. `removed` takes the names
    removed. Diagnostics: RX111, RX135, RX156 to RX159, RX162.
    """
    laying = _Laying(base, sink, removed)
    root = laying.laid(overlay)
    return None if laying.failed else root


def named_base(root: Mapping) -> Iterator[Scalar]:
    """The keys `base` in the one name space of inputs, steps, parameters, tables, windows, lists and groups."""
    for entry in root.entries:
        key, value = entry.key.text, entry.value
        if not isinstance(value, Mapping):
            continue
        if key in _ONE_NAME_SPACE or key in LEVELS:
            yield from (member.key for member in value.entries if member.key.text == "base")
        for level in (value,) if key in LEVEL else (m.value for m in value.entries) if key in LEVELS else ():
            if isinstance(level, Mapping):
                yield from named_base(level)


@dataclass(slots=True)
class _Part:
    """A thing of the rulebook while it is laid over.

    `kind` is whole, list (a section that `adds:` appends to), section (of named members), level (of sections)
    or levels (named ones); the last three have `parts`. `older` are what it has replaced, latest first, with
    the places of their names.
    """

    key: Scalar
    value: Node
    kind: str = "whole"
    parts: dict[str, _Part] | None = None
    older: list[tuple[Span, Node]] = field(default_factory=list)


def _opened(level: Mapping) -> dict[str, _Part]:
    """The sections of a level."""
    found: dict[str, _Part] = {}
    for entry in level.entries:
        key, value = entry.key.text, entry.value
        part = found[key] = _Part(entry.key, value, "list" if key in LISTED else "whole")
        if not isinstance(value, Mapping):
            continue
        if key in NAMED:
            part.kind, part.parts = "section", _members(value)
        elif key in LEVEL:
            part.kind, part.parts = "level", _opened(value)
        elif key in LEVELS:
            part.kind, part.parts = "levels", _members(value)
            for member in part.parts.values():
                if isinstance(member.value, Mapping):
                    member.kind, member.parts = "level", _opened(member.value)
    return found


def _members(section: Mapping) -> dict[str, _Part]:
    """The members of a section; what they have replaced stands behind them."""
    found: dict[str, _Part] = {}
    for entry in section.entries:
        if entry.key.style == REPLACED:
            found[entry.key.text.partition(HIDDEN)[0]].older.append((entry.key.span, entry.value))
        else:
            found[entry.key.text] = _Part(entry.key, entry.value)
    return found


def _closed(part: _Part) -> Iterator[Entry]:
    """The entries that a part stands for; a section or list that has become empty is none."""
    value = part.value
    if part.parts is not None:
        value = Mapping(tuple(e for p in part.parts.values() for e in _closed(p)), value.span)
    match value:
        case Mapping(entries=()) | Sequence(items=()):
            return
    yield Entry(part.key, value)
    name = part.key.text
    for span, older in part.older:
        name += HIDDEN
        yield Entry(Scalar(name, REPLACED, span, None), older)


class _Laying:
    def __init__(self, base: Mapping, sink: Sink, removed: dict[str, Span]) -> None:
        self.base = base
        self.sink = sink
        self.removed = removed
        self.failed = False
        self.root = _opened(Mapping(tuple(e for e in base.entries if e.key.text not in OWN), base.span))
        self.gone: dict[str, Span] = {}  # paths removed: where they stand in the base
        self.named: dict[str, Span] = {}  # paths changed or removed: where that is said
        self.above: dict[str, Span] = {}  # whatever holds one of those
        self.outputs: set[str] = set()  # paths of the outputs that are left

    def laid(self, overlay: Mapping) -> Mapping:
        """The merged top level."""
        changes, adds, removes = overlay.get("changes"), overlay.get("adds"), overlay.get("removes")
        own = tuple(entry for entry in overlay.entries if entry.key.text in OWN)
        if isinstance(changes, Mapping):
            texts = tuple(entry for entry in changes.entries if entry.key.text in OWN)
            own = self._texts(own, texts)
            self._change(self.root, [e for e in changes.entries if e.key.text not in OWN], "")
        # An output may have a dot in its name, as `patient.deductible` has.
        outputs = self.root.get("outputs")
        listed = _items(outputs.value) if outputs is not None else ()
        self.outputs = {f"outputs.{i.text}" for i in listed if isinstance(i, Scalar)}
        for item in _items(removes):
            if isinstance(item, Scalar):
                self._remove(item)
        self._keep_outputs()
        if isinstance(adds, Mapping):
            for taken in named_base(adds):
                self._error(problems.base_is_a_name(taken.span))
            self._add(self.root, adds.entries, "")
        if changes is None and adds is None and removes is None:
            self._idle(overlay)
        kept = tuple(entry for part in self.root.values() for entry in _closed(part))
        return Mapping((*own, *kept), overlay.span)

    def _error(self, diagnostic: Diagnostic) -> None:
        self.sink.add(diagnostic)
        self.failed = True

    def _nearest(self, word: str, known: Iterator[str]) -> str | None:
        return None if self.sink.left_out else problems.nearest(word, islice(known, _MOST_NEAR))

    def _name(self, path: str, span: Span) -> None:
        """Notes that a path is changed or removed."""
        self.named[path] = span
        above = path.rpartition(".")[0]
        while above and above not in self.above:
            self.above[above] = span
            above = above.rpartition(".")[0]

    def _idle(self, overlay: Mapping) -> None:
        """An overlay that changes nothing is there for its dates."""
        named, old, new = overlay.get("extends"), self.base.get("effective"), overlay.get("effective")
        if named is not None and old is not None and new is not None and _same(old, new):
            self.sink.add(problems.changes_nothing(named.span, "", old.span))

    # ---- changes ----

    def _texts(self, own: tuple[Entry, ...], texts: tuple[Entry, ...]) -> tuple[Entry, ...]:
        """Title and its kin, which an overlay may also give under `changes:`."""
        for entry in texts:
            name = entry.key.text
            first = next((e for e in own if e.key.text == name), None)
            if first is not None:
                self._error(problems.duplicate_key(entry.key.span, name, first.key.span))
            elif self.base.entry(name) is None:
                advice = f"give `{name}:` at the top level of the overlay"
                self._error(problems.not_in_base(entry.key.span, "changes", name, None, advice))
        return (*own, *texts)

    def _change(self, parts: dict[str, _Part], entries: list[Entry] | tuple[Entry, ...], above: str) -> None:
        for entry in entries:
            key, path = entry.key.text, above + entry.key.text
            old = parts.get(key)
            if old is None:
                # A section has its right name already; members of `lists` and `groups` may be misspelt.
                self._lacks(entry.key, path, parts if above else {})
            elif old.parts is not None and isinstance(entry.value, Mapping):
                if old.kind == "section":
                    for member in entry.value.entries:
                        self._replace(old.parts, member, path)
                else:
                    self._change(old.parts, entry.value.entries, f"{path}.")
            else:
                self._note(path, entry, old)
                parts[key] = _Part(entry.key, entry.value, old.kind)

    def _replace(self, parts: dict[str, _Part], new: Entry, section: str) -> None:
        name = new.key.text
        old = parts.get(name)
        path = f"{section}.{name}"
        if old is None:
            self._lacks(new.key, path, parts)
            return
        self._note(path, new, old)
        is_step = section.rpartition(".")[2] == "steps"
        parts[name] = _Part(new.key, new.value, older=[(old.key.span, old.value), *old.older] if is_step else [])

    def _lacks(self, key: Scalar, path: str, known: dict[str, _Part]) -> None:
        near = self._nearest(key.text, iter(known))
        advice = "" if near else "what is new stands under `adds:`"
        self._error(problems.not_in_base(key.span, "changes", path, near, advice))

    def _note(self, path: str, new: Entry, old: _Part) -> None:
        self._name(path, new.key.span)
        # The same words name another file when they stand in another folder.
        if not path.startswith("tables.") and _same(old.value, new.value):
            self.sink.add(problems.changes_nothing(new.key.span, path, old.key.span))

    # ---- removals ----

    def _remove(self, item: Scalar) -> None:
        path = item.text
        heads = [path[:at] for at, char in enumerate(path) if char == "."]
        clash = next((p for p in (path, *heads) if p in self.named), None)
        first = self.named[clash] if clash is not None else self.above.get(path)
        if first is not None:
            self._error(problems.removed_too(item.span, path, first))
            return
        if path in _NEEDED or path in OWN:
            self._error(problems.not_removable(item.span, path))
            return
        *above, last = path.split(".")
        parts: dict[str, _Part] | None = self.root
        for name in above:
            part = parts.get(name) if parts is not None else None
            parts = part.parts if part is not None else None
        old = parts.pop(last, None) if parts is not None else None
        if old is not None:
            self.gone[path] = old.key.span
            self.removed[last] = item.span
        elif path.partition(".")[0] == "outputs" and path in self.outputs:
            self.outputs.remove(path)
        else:
            beside = self._nearest(last, iter(parts or {}))
            same = (p for p in _paths(self.root, "") if p.rpartition(".")[2] == last and not self.sink.left_out)
            near = next(same, None) if beside is None else ".".join((*above, beside))
            self._error(problems.not_in_base(item.span, "removes", path, near))
            return
        self._name(path, item.span)

    def _keep_outputs(self) -> None:
        """Takes the outputs that were removed out of their list."""
        outputs = self.root.get("outputs")
        if outputs is not None:
            left = tuple(
                i for i in _items(outputs.value) if isinstance(i, Scalar) and f"outputs.{i.text}" in self.outputs
            )
            outputs.value = Sequence(left, outputs.value.span)

    # ---- additions ----

    def _add(self, parts: dict[str, _Part], entries: tuple[Entry, ...], above: str) -> None:
        """Whatever the base has, also what was just removed, cannot be added."""
        for entry in entries:
            key, path = entry.key.text, above + entry.key.text
            old = parts.get(key)
            if old is None and path in self.gone:
                self._error(problems.already_in_base(entry.key.span, path, self.gone[path]))
            elif old is None:
                parts[key] = _Part(entry.key, entry.value)
            elif old.kind == "list":
                old.value = Sequence((*_items(old.value), *_items(entry.value)), old.value.span)
            elif old.parts is not None and isinstance(entry.value, Mapping):
                self._add(old.parts, entry.value.entries, f"{path}.")
            else:
                self._error(problems.already_in_base(entry.key.span, path, old.key.span))


def _items(node: Node | None) -> tuple[Node, ...]:
    match node:
        case Sequence():
            return node.items
        case Scalar():
            return (node,)
        case _:
            return ()


def _paths(parts: dict[str, _Part], above: str) -> Iterator[str]:
    """Everything that has a path."""
    for name, part in parts.items():
        yield above + name
        if part.parts is not None:
            yield from _paths(part.parts, f"{above}{name}.")


def _same(a: Node, b: Node) -> bool:
    """Whether two nodes say the same, wherever they stand."""
    match a, b:
        case Scalar(), Scalar():
            return a.text.rstrip("\n") == b.text.rstrip("\n") and a.is_quoted == b.is_quoted
        case Sequence(), Sequence():
            return len(a.items) == len(b.items) and all(map(_same, a.items, b.items))
        case Mapping(), Mapping():
            return [e.key.text for e in a.entries] == [e.key.text for e in b.entries] and all(
                _same(x.value, y.value) for x, y in zip(a.entries, b.entries, strict=True)
            )
        case _:
            return False
