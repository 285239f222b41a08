"""Overlays: a rulebook's document laid over that of its base, and over the base of that."""

from __future__ import annotations

import os
import posixpath
from dataclasses import replace
from pathlib import Path

from rxcalc.diagnostics.model import Diagnostic, Label, Sink
from rxcalc.rulebook import problems
from rxcalc.rulebook.bases import MAX_BASES, Base, FindBase, NoBase
from rxcalc.rulebook.document import Document, Node, Scalar
from rxcalc.rulebook.laying import lay_over, named_base
from rxcalc.rulebook.load import load_document
from rxcalc.rulebook.schema import check_structure, is_overlay
from rxcalc.source import Span

__all__ = ["Overlays"]


class Overlays:
    """Resolves the overlays of one rulebook file.

    Args:
        path: the file.
        shown: how messages call it.
        find: finds the file that `extends:` names.
        sink: takes RX151 to RX162, what is wrong with the bases themselves, and all files for excerpts.
    """

    def __init__(self, path: Path, shown: str, find: FindBase, sink: Sink) -> None:
        self.find = find
        self.sink = sink
        self.path = Path(os.path.realpath(path))
        self.place = Path(os.path.realpath(path.parent))
        self.shown_place = posixpath.dirname(shown)
        self.shown = {self.path: shown}
        self.extended: dict[str, Span] = {}  # by file: where it is named
        self.removed: dict[str, Span] = {}  # by name: where it is removed

    def resolved(self, document: Document) -> Document | None:
        """The document as a whole rulebook; None after errors. A rulebook that extends nothing stays as it is."""
        if not is_overlay(document):
            return document
        return self._resolved(document, self.path, "", self.place.parent)

    def related(self, diagnostic: Diagnostic) -> Diagnostic:
        """A diagnostic about a base, with the place where the base is named or the missing thing removed."""
        span = diagnostic.primary.span
        file = self.sink.files.get(span.file)
        if span.file not in self.extended or file is None:
            return diagnostic
        labels = [Label(span=self.extended[span.file], text="extended here")]
        word = file.text[span.start : span.end]
        if diagnostic.code == "RX301" and word in self.removed:
            labels.insert(0, Label(span=self.removed[word], text="removed here"))
        return replace(diagnostic, related=(*diagnostic.related, *labels))

    def _resolved(self, document: Document, path: Path, owner: str, limit: Path | None) -> Document | None:
        if not check_structure(document, self.sink):
            return None
        named = document.root.get("extends")
        if not is_overlay(document) or not isinstance(named, Scalar):
            return document
        found = self.find(path if owner else self.place / path.name, named.text, limit)
        if isinstance(found, NoBase):
            self.sink.add(problems.no_base(named.span, found.kind, found.message, found.help))
            return None
        if found.path in self.shown:
            self.sink.add(problems.overlay_cycle(named.span, self._circle(found.path)))
            return None
        if len(self.shown) > MAX_BASES:
            self.sink.add(problems.too_many_bases(named.span, MAX_BASES))
            return None
        shown = found.shown or posixpath.normpath(
            posixpath.join(self.shown_place, Path(os.path.relpath(found.path, self.place)).as_posix())
        )
        self.shown[found.path] = shown
        self.extended[shown] = named.span
        base = load_document(found.path, shown, self.sink)
        if base is None:
            return None
        below = os.path.relpath(found.path, self.place)
        # A shipped rulebook extends what is shipped beside it, whoever extends it.
        whole = self._resolved(base, found.path, below, None if found.shown else limit)
        if whole is None:
            return None
        taken = next(named_base(whole.root), None)
        if taken is not None:
            self.sink.add(problems.base_is_a_name(taken.span))
            return None
        root = lay_over(whole.root, document.root, self.sink, self.removed)
        status = whole.root.get("status")
        first = Base(
            shown=shown,
            path=below,
            named=named.text,
            owner=owner,
            status=status.text if isinstance(status, Scalar) else None,
            span=named.span,
            rulebook=_text(whole.root.get("rulebook")),
            version=_text(whole.root.get("version")),
        )
        return None if root is None else Document(document.file, root, (first, *whole.bases))

    def _circle(self, again: Path) -> list[str]:
        names = list(self.shown)
        return [self.shown[path] for path in (*names[names.index(again) :], again)]


def _text(node: Node | None) -> str:
    return node.text if isinstance(node, Scalar) else ""
