"""Spans to file and line, for explanations."""

from __future__ import annotations

from rxcalc.plan.nodes import Place
from rxcalc.source import SourceFile, Span


class Places:
    """Looks up lines in the files of one rulebook."""

    def __init__(self, files: dict[str, SourceFile]) -> None:
        self.files = files

    def of(self, span: Span) -> Place:
        """File and line where a span starts."""
        file = self.files.get(span.file)
        return Place(span.file, file.position(span.start)[0] if file else 0)
