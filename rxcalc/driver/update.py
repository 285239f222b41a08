"""Expectations of examples rewritten to what came out (`rxcalc test --update`).

Only the values are replaced, in place: comments, order, quotes and everything else stay byte for byte. An example whose
amounts were rewritten is no longer proven by what its `by:` says, so that text is marked `NEEDS REVIEW` at its start.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rxcalc.diagnostics.model import Sink
from rxcalc.driver.examples import ExamplesReport
from rxcalc.examples.difference import Difference
from rxcalc.examples.run import ExampleRunner
from rxcalc.examples.saved import scalar
from rxcalc.inputs.episodes import EpisodeEntry, read_entries
from rxcalc.plan.nodes import Plan
from rxcalc.rulebook.document import Entry, Mapping, Node, Scalar
from rxcalc.rulebook.document import Sequence as Items
from rxcalc.rulebook.load import load_yaml_text
from rxcalc.source import SourceFile, Span

if TYPE_CHECKING:
    from rxcalc.report.model import Explanation

MARK: Final = "NEEDS REVIEW - amounts rewritten by rxcalc test --update - before that - "
UNPROVEN: Final = ("NEEDS REVIEW", "NOT CHECKED BY HAND")
_PLAIN: Final = re.compile(r"-?[\w.][\w%./+-]*( [\w%./+-]+)*")  # texts that need no quotes anywhere in YAML


@dataclass(frozen=True)
class Change:
    """One expected value: where it stands, what it is called, what it was and becomes; `becomes` "": to be done by hand."""

    file: str
    line: int
    example: str
    name: str
    was: str
    becomes: str


@dataclass(frozen=True)
class Rewritten:
    """An example file with its new text. `reviewed` are the examples whose `by:` was marked."""

    path: Path
    shown: str
    text: str
    changes: tuple[Change, ...]
    by_hand: tuple[Change, ...]
    reviewed: tuple[str, ...]
    has_mark: bool  # the file began with a byte order mark


class UpdateError(ValueError):
    """A file that cannot be rewritten safely: nothing of it is written."""


def rewritten(report: ExamplesReport, sink: Sink) -> list[Rewritten]:
    """The example files of a rulebook that would change, or that hold differences to be mended by hand.

    Raises:
        UpdateError: a file changed meanwhile, or its new text does not read back as meant.
    """
    assert report.compiled is not None  # noqa: S101 - the caller has refused it before
    plan = report.compiled.plan
    found: list[Rewritten] = []
    for shown, path in report.read.items():
        failed = [
            (entry, r.differences)
            for r, entry in zip(report.results, report.entries, strict=True)
            if r.file == shown and not r.passed
        ]
        if failed:
            found.append(_File(plan, sink.files[shown], path).rewritten(failed))
    return found


@dataclass(frozen=True)
class _Edit:
    start: int
    end: int
    text: str


class _File:
    """One example file being rewritten."""

    def __init__(self, plan: Plan, source: SourceFile, path: Path) -> None:
        self.plan, self.source, self.path = plan, source, path
        raw = path.read_bytes().decode("utf-8")
        self.has_mark = raw.startswith("\ufeff")
        if raw.removeprefix("\ufeff") != source.text:
            message = f"`{source.name}` was changed while it was tested"
            raise UpdateError(message)
        self.root = load_yaml_text(source.name, source.text, Sink())
        self.edits: list[_Edit] = []
        self.changes: list[Change] = []
        self.by_hand: list[Change] = []
        self.reviewed: list[str] = []

    def rewritten(self, failed: Sequence[tuple[EpisodeEntry, Sequence[Difference]]]) -> Rewritten:
        """The file with what can be replaced replaced."""
        for entry, differences in failed:
            before = len(self.edits)
            for difference in differences:
                self._change(entry, difference)
            if len(self.edits) > before:
                self._review(entry)
        text = self.source.text
        whole = [e for e in self.edits if not any(o.start <= e.start and e.end <= o.end and o != e for o in self.edits)]
        for edit in sorted(whole, key=lambda e: e.start, reverse=True):
            text = text[: edit.start] + edit.text + text[edit.end :]
        if self.edits:
            self._prove(text)
        found = (tuple(self.changes), tuple(self.by_hand), tuple(self.reviewed))
        return Rewritten(self.path, self.source.name, text, *found, self.has_mark)

    # ---- what becomes of a difference ----

    def _change(self, entry: EpisodeEntry, d: Difference) -> None:
        at = d.span if d.span is not None else entry.span
        change = Change(self.source.name, self.source.position(at.start)[0], entry.name, d.name, d.expected, "")
        edit: _Edit | None = None
        if d.span is None:
            edit = self._findings(entry, d)
        elif d.name == "episode":
            edit = self._expect_refusal(d.span, d.becomes)
        elif d.name == "rejects" and not d.becomes:
            edit = self._expect_result(entry, d)
        elif d.becomes:
            edit = self._value(d.span, d.becomes)
        if edit is None:
            self.by_hand.append(Change(change.file, change.line, change.example, d.name, d.expected, d.found))
            return
        if edit not in self.edits:
            self.edits.append(edit)
        line = self.source.position(edit.start)[0]
        replaced = edit == self.edits[-1] and d.span == Span(self.source.name, edit.start, edit.end)
        was, becomes = (self.source.text[edit.start : edit.end], edit.text) if replaced else (d.expected, edit.text)
        self.changes.append(Change(change.file, line, change.example, d.name, was, becomes))

    def _value(self, span: Span, becomes: str) -> _Edit | None:
        """Another text for a scalar, quoted as it was."""
        old = self.source.text[span.start : span.end]
        if "\n" in old:
            return None
        if old.startswith('"'):
            return _Edit(span.start, span.end, json.dumps(becomes, ensure_ascii=False))
        if old.startswith("'"):
            return _Edit(span.start, span.end, "'" + becomes.replace("'", "''") + "'")
        text = becomes if _PLAIN.fullmatch(becomes) else scalar(becomes)
        return _Edit(span.start, span.end, text)

    def _expect_refusal(self, key: Span, code: str) -> _Edit | None:
        """`rejects: CODE` in place of the whole `expect:`."""
        entry = next((e for e in _entries(self.root) if e.key.span == key and e.key.text == "expect"), None)
        return self._whole(entry, f"rejects: {code}") if entry is not None and code else None

    def _expect_result(self, entry: EpisodeEntry, d: Difference) -> _Edit | None:
        """`expect:` with the outputs in place of `rejects:`."""
        outputs = self._outputs(entry, d.episode)
        rejects = next((e for e in _entries(self.root) if e.value.span == d.span), None)
        if rejects is None or outputs is None:
            return None
        told = ", ".join(f"{name}: {scalar(value)}" for name, value in outputs)
        return self._whole(rejects, f"expect: {{{told}}}")

    def _findings(self, entry: EpisodeEntry, d: Difference) -> _Edit | None:
        """All findings of an episode in place of those expected."""
        expectation = entry.episodes[d.episode - len(entry.earlier)][1] if d.episode >= len(entry.earlier) else None
        if expectation is None or d.name != "findings":
            return None
        expect = next((e for e in _entries(self.root) if e.key.span == expectation.span), None)
        own = expect.value.entry("findings") if expect is not None and isinstance(expect.value, Mapping) else None
        explained = self._explained(entry, d.episode)
        if own is None or explained is None:
            return None
        told: list[str] = []
        for check in explained.checks:
            fields = [f"check: {scalar(check.name)}"]
            if check.row:
                fields.append(f"{check.level}: {scalar('/'.join(value for _, value in check.row))}")
            fields += [f"amount: {check.amount}"] if check.amount is not None else []
            told.append("{" + ", ".join(fields) + "}")
        return self._whole(own, f"findings: [{', '.join(told)}]")

    def _whole(self, entry: Entry, text: str) -> _Edit | None:
        """Another key and value; None where a comment would be lost."""
        start, end = entry.key.span.start, _end(entry.value, self.source.text)
        return None if "#" in self.source.text[start:end] else _Edit(start, end, text)

    def _outputs(self, entry: EpisodeEntry, episode: int) -> tuple[tuple[str, str], ...] | None:
        x = self._explained(entry, episode)
        return tuple((name, value or "missing") for name, value in x.outputs) if x is not None and x.outputs else None

    def _explained(self, entry: EpisodeEntry, episode: int) -> Explanation | None:
        """The bill's explanation; None where it is not computed as one bill is."""
        from rxcalc.driver.explain import GivenBill, given_bill

        given = given_bill(self.plan, entry, Sink())
        found = given.explained(grouped=False) if isinstance(given, GivenBill) else ()
        at = episode - len(entry.earlier)
        return found[at] if 0 <= at < len(found) else None

    # ---- where the amounts came from ----

    def _review(self, entry: EpisodeEntry) -> None:
        """Marks the `by:` of an example, and of the episodes in it."""
        if not isinstance(self.root, Items):
            return
        item = next((i for i in self.root.items if i.span == entry.span), None)
        marked = False
        inner = item.get("episodes") if isinstance(item, Mapping) else None
        own = [item, *(inner.items if isinstance(inner, Items) else ())]
        for by in (one.get("by") for one in own if isinstance(one, Mapping)):
            if not isinstance(by, Scalar) or not by.text.strip() or by.text.strip().startswith(UNPROVEN):
                continue
            start = self._content(by)
            self.edits.append(_Edit(start, start, MARK))
            marked = True
        if marked:
            self.reviewed.append(entry.name)

    def _content(self, by: Scalar) -> int:
        """Where the text of a scalar begins."""
        text, start = self.source.text, by.span.start
        if text[start] in "\"'":
            return start + 1
        if text[start] in "|>":
            start = text.index("\n", start) + 1
            while text[start] in " \r\n":
                start += 1
        return start

    def _prove(self, text: str) -> None:
        """Reads the new text and runs it: nothing but what was to be replaced may differ any more."""
        sink = Sink()
        node = load_yaml_text(self.source.name, text, sink)
        entries = read_entries(node, sink) if node is not None else ()
        runner = ExampleRunner(self.plan)
        left = {(c.example, c.name) for c in self.by_hand}
        mine = (self.plan.rulebook, f"{self.plan.rulebook}@{self.plan.version}", "")
        wrong = [
            f"{entry.name}: {d.name}"
            for entry in entries
            if entry.rulebook in mine
            for d in runner.run(entry, sink).differences
            if (entry.name, d.name) not in left
        ]
        if sink.has_errors or wrong or not entries:
            told = wrong[0] if wrong else "it cannot be read"
            message = f"the new text of `{self.source.name}` would not be what is meant ({told}); change it by hand"
            raise UpdateError(message)


def _entries(node: Node | None) -> Iterator[Entry]:
    """All keys of a structure with their values, at any depth."""
    if isinstance(node, Mapping):
        for entry in node.entries:
            yield entry
            yield from _entries(entry.value)
    elif isinstance(node, Items):
        for item in node.items:
            yield from _entries(item)


def _end(node: Node, text: str) -> int:
    """Where the last text of a node ends: the span of a block reaches up to the next key."""
    if isinstance(node, Scalar) or text[node.span.start] in "[{":
        return node.span.end
    inner = [e.value for e in node.entries] if isinstance(node, Mapping) else list(node.items)
    return max((_end(one, text) for one in inner), default=node.span.end)
