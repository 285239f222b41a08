"""Files to located data: YAML structure, every scalar kept as written.

The structure is built from YAML events with a stack of our own, so no input can exhaust
Python's; tags, anchors, aliases and merge keys never reach a later stage.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

import yaml

from rxcalc.diagnostics.model import Sink
from rxcalc.rulebook import problems
from rxcalc.rulebook.advice import Complaint, advise, extent, quoted
from rxcalc.rulebook.document import Document, Entry, Mapping, Node, Scalar, Sequence
from rxcalc.rulebook.embed import embed
from rxcalc.source import SourceFile, Span

MAX_BYTES: Final = 16 * 1024 * 1024
MAX_DEPTH: Final = 64

# C0 and C1 controls, line and paragraph separators, bidirectional marks, invisible and non-characters, lone \r.
_REFUSED: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff"
    "\ud800-\udfff\U000e0000-\U000e007f]|\r(?!\n)"
)
_MARKED: Final = re.compile(r"(?m)^[-\[{, \t]*([\"']?)rxcalc\1[ \t]*:")
_STYLES: Final = {"'": "single", '"': "double", "|": "literal", ">": "folded"}
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the same events and marks, ten times faster


def load_document(path: Path, shown: str, sink: Sink, *, root: Path | None = None) -> Document | None:
    """The rulebook in a file, or None where it cannot be read as one.

    Args:
        path: the file.
        shown: the name that messages give it.
        sink: takes RX101 to RX120, and the file for excerpts.
        root: the folder that the file must lie in, symbolic links followed.
    """
    text = _read(path, shown, sink, root)
    return None if text is None else load_text(shown, text, sink)


def load_text(name: str, text: str, sink: Sink) -> Document | None:
    """The rulebook in a text; like `load_document`. A text without `rxcalc:` is never quoted."""
    text = text.removeprefix("\ufeff")
    if _MARKED.search(text) is None:
        _refuse(name, text, sink)
        return None
    file = SourceFile.of(name, text)
    sink.add_file(file)
    root = _compose(file, sink)
    match root:
        case None:
            return None
        case Mapping() if root.get("rxcalc") is not None:
            return Document(file, root)
        case Mapping():
            _refuse(name, text, sink)
            return None
        case _:
            sink.add_file(SourceFile.of(name, text, hidden=True))
            sink.add(problems.not_mapping(Span(name, 0, 0)))
            return None


def load_yaml(path: Path, shown: str, sink: Sink, *, root: Path | None = None) -> Node | None:
    """The structure in a YAML or JSON file that need not be a rulebook (episodes, examples)."""
    text = _read(path, shown, sink, root)
    return None if text is None else load_yaml_text(shown, text, sink)


def load_yaml_text(name: str, text: str, sink: Sink) -> Node | None:
    """The structure in a YAML or JSON text that need not be a rulebook."""
    file = SourceFile.of(name, text.removeprefix("\ufeff"))
    sink.add_file(file)
    return _compose(file, sink)


def decode(name: str, data: bytes, sink: Sink) -> str | None:
    """Bytes as UTF-8 text, with or without a byte order mark."""
    if len(data) > MAX_BYTES:
        sink.add(problems.too_large(Span(name, 0, 0), MAX_BYTES // 1024 // 1024))
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        sink.add(problems.not_utf8(Span(name, 0, 0), error.start))
        return None


def _refuse(name: str, text: str, sink: Sink) -> None:
    sink.add_file(SourceFile.of(name, text, hidden=True))
    sink.add(problems.not_a_rulebook(Span(name, 0, 0)))


def _read(path: Path, shown: str, sink: Sink, root: Path | None) -> str | None:
    here = Span(shown, 0, 0)
    try:
        if root is not None and not path.resolve().is_relative_to(root.resolve()):
            sink.add(problems.outside(here))
            return None
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            sink.add(
                problems.not_regular(here, "a folder" if stat.S_ISDIR(status.st_mode) else "a pipe, socket or device")
            )
            return None
        if status.st_size > MAX_BYTES:
            sink.add(problems.too_large(here, MAX_BYTES // 1024 // 1024))
            return None
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError, RuntimeError) as error:  # RuntimeError: a loop of symbolic links
        sink.add(problems.unreadable(here, getattr(error, "strerror", None) or str(error)))
        return None
    return decode(shown, data, sink)


# ---- events to nodes --------------------------------------------------------------------------


class _Mark(Protocol):
    """A place as either YAML reader gives it."""

    index: int


@dataclass(slots=True)
class _Frame:
    """A mapping or sequence that is still open."""

    start: int
    is_mapping: bool
    is_flow: bool
    entries: list[Entry] = field(default_factory=list)
    first: dict[str, int] = field(default_factory=dict)
    items: list[Node] = field(default_factory=list)
    key: Scalar | None = None
    is_skipping: bool = False  # the key was refused: its value is dropped


def _compose(file: SourceFile, sink: Sink) -> Node | None:
    bad = _REFUSED.search(file.text)
    if bad is not None:
        sink.add(problems.control_character(Span(file.name, bad.start(), bad.end()), ord(bad.group()[0])))
        return None
    composer = _Composer(file, sink)
    try:
        for event in _events(file.text):
            if not composer.take(event):
                return None
    except yaml.MarkedYAMLError as error:
        at = _index(error.problem_mark or error.context_mark)
        context_at = None if error.context_mark is None else _index(error.context_mark)
        complaint = Complaint(error.problem or "unreadable", at, error.context or "", context_at)
        sink.add(advise(file, complaint))
        return None
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        sink.add(problems.yaml_syntax(Span(file.name, 0, 0), f"not valid YAML: {problems.shorten(str(error))}"))
        return None
    if composer.root is None:
        if not composer.is_broken:
            sink.add(problems.no_document(Span(file.name, 0, 0)))
        return None
    return None if composer.is_broken else composer.root


def _events(text: str) -> Iterator[yaml.Event]:
    return iter(yaml.parse(text, Loader=_LOADER))


def _index(mark: _Mark | None) -> int:
    return 0 if mark is None else int(mark.index)


@dataclass(slots=True)
class _Composer:
    """Builds the nodes of one document; `take` is false when reading must stop."""

    file: SourceFile
    sink: Sink
    root: Node | None = None
    is_broken: bool = False  # an alias or merge key was dropped: what is left would mislead
    stack: list[_Frame] = field(default_factory=list)
    documents: int = 0

    def take(self, event: yaml.Event) -> bool:
        start, end = _index(event.start_mark), _index(event.end_mark)
        match event:
            case yaml.DocumentStartEvent():
                self.documents += 1
                if self.documents > 1 or event.version or event.tags:
                    self.sink.add(problems.several_documents(self._span(start, max(end, start + 1))))
                    self.is_broken = True
                    return self.documents == 1
            case yaml.ScalarEvent():
                self._check_properties(event, start)
                self._deliver(self._scalar(event, start, end))
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self._check_properties(event, start)
                self.stack.append(_Frame(start, isinstance(event, yaml.MappingStartEvent), bool(event.flow_style)))
                if len(self.stack) > MAX_DEPTH:
                    self.sink.add(problems.yaml_depth(self._span(start, start + 1), MAX_DEPTH))
                    return False
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self._deliver(self._close(self.stack.pop(), end))
            case yaml.AliasEvent():
                self.sink.add(problems.anchor(self._span(start, end), event.anchor or "", alias=True))
                self.is_broken = True
                self._deliver(Scalar("", "plain", self._span(start, end), None))
            case _:
                pass
        return True

    def _span(self, start: int, end: int) -> Span:
        return Span(self.file.name, start, end)

    def _check_properties(self, event: yaml.NodeEvent, start: int) -> None:
        if event.anchor is not None:
            self.sink.add(problems.anchor(self._span(start, start + 1 + len(event.anchor)), event.anchor, alias=False))
        if getattr(event, "tag", None) is not None:
            at = self.file.text.find("!", start)
            word = re.compile(r"!\S*").match(self.file.text, max(at, start))
            stop = word.end() if word else start + 1
            self.sink.add(problems.tag(self._span(max(at, start), stop), word.group() if word else "!"))

    def _scalar(self, event: yaml.ScalarEvent, start: int, end: int) -> Scalar:
        text = self.file.text
        value: str = event.value
        style = _STYLES.get(event.style or "", "plain")
        if event.anchor is not None or event.tag is not None:  # the mark is at the property, not at the value
            return Scalar(value, style, self._span(start, end), None)
        if style in ("plain", "single", "double") and "\n" in text[start:end]:
            style = "folded"
        if style == "double":
            hidden = _REFUSED.search(value)
            if hidden is not None:
                self.sink.add(problems.control_character(self._span(start, end), ord(hidden.group()[0]), escaped=True))
        embedded = embed(self.file.name, text, value, style, start, end)
        while end > start and text[end - 1] in "\r\n":
            end -= 1
        return Scalar(value, style, self._span(start, end), embedded)

    def _close(self, frame: _Frame, end: int) -> Node:
        span = self._span(frame.start, end)
        if not frame.is_mapping:
            return Sequence(tuple(self._mend_items(frame.items) if frame.is_flow else frame.items), span)
        return Mapping(tuple(self._mend_entries(frame.entries) if frame.is_flow else frame.entries), span)

    def _deliver(self, node: Node) -> None:
        if not self.stack:
            self.root = node
            return
        frame = self.stack[-1]
        if not frame.is_mapping:
            frame.items.append(node)
        elif frame.is_skipping:
            frame.is_skipping = False
        elif frame.key is None:
            self._take_key(frame, node)
        else:
            self._take_value(frame, frame.key, node)
            frame.key = None

    def _take_key(self, frame: _Frame, node: Node) -> None:
        if not isinstance(node, Scalar) or (node.is_null and not node.text):
            self.sink.add(problems.bad_key(node.span))
            self.is_broken = True
            frame.is_skipping = True
        elif node.text == "<<" and node.style == "plain":
            self.sink.add(problems.merge_key(node.span))
            self.is_broken = True
            frame.is_skipping = True
        else:
            frame.key = node

    def _take_value(self, frame: _Frame, key: Scalar, value: Node) -> None:
        at = frame.first.get(key.text)
        if at is None:
            frame.first[key.text] = len(frame.entries)
            frame.entries.append(Entry(key, value))
            return
        kept = frame.entries[at]
        self.sink.add(problems.duplicate_key(key.span, key.text, kept.key.span))
        if isinstance(kept.value, Mapping) and isinstance(
            value, Mapping
        ):  # go on with both halves: no cascade of unknown names
            have = {entry.key.text for entry in kept.value.entries}
            more = tuple(entry for entry in value.entries if entry.key.text not in have)
            frame.entries[at] = Entry(kept.key, Mapping(kept.value.entries + more, kept.value.span))

    def _mend(self, value: Node) -> Scalar | None:
        """The whole of a rule that YAML cut at a comma inside its parentheses, reported."""
        if not isinstance(value, Scalar) or value.style != "plain" or value.text.count("(") <= value.text.count(")"):
            return None
        start = value.span.start
        end = extent(self.file.text, start)
        if end <= value.span.end:
            return None
        text = self.file.text[start:end]
        if text.count("(") != text.count(")"):  # never closed: not a rule that YAML cut
            return None
        span = self._span(start, end)
        self.sink.add(problems.unquoted_rule(span, quoted(text)))
        return Scalar(text, "plain", span, embed(self.file.name, self.file.text, text, "plain", start, end))

    def _mend_entries(self, entries: list[Entry]) -> Iterator[Entry]:
        stop = -1
        for entry in entries:
            if entry.key.span.start < stop:
                continue
            mended = self._mend(entry.value)
            if mended is not None:
                stop = mended.span.end
            yield entry if mended is None else Entry(entry.key, mended)

    def _mend_items(self, items: list[Node]) -> Iterator[Node]:
        stop = -1
        for item in items:
            if item.span.start < stop:
                continue
            mended = self._mend(item)
            if mended is not None:
                stop = mended.span.end
            yield item if mended is None else mended
