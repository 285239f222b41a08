"""Diagnostics as plain data for programs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rxcalc.diagnostics.codes import CODES
from rxcalc.diagnostics.model import Diagnostic, Label
from rxcalc.source import SourceFile, Span


def as_json(diagnostic: Diagnostic, files: Mapping[str, SourceFile]) -> dict[str, Any]:
    """One diagnostic as a JSON object; lines and columns count from 1, ends are exclusive."""
    return {
        **_place(diagnostic.primary.span, files),
        "code": diagnostic.code,
        "severity": diagnostic.severity.value,
        "slug": CODES.get(diagnostic.code, ("", ""))[0],
        "message": diagnostic.message,
        "label": diagnostic.primary.text,
        "related": [_related(label, files) for label in diagnostic.related],
        "help": list(diagnostic.help),
    }


def _related(label: Label, files: Mapping[str, SourceFile]) -> dict[str, Any]:
    return {**_place(label.span, files), "label": label.text}


def _place(span: Span, files: Mapping[str, SourceFile]) -> dict[str, Any]:
    file = files.get(span.file)
    line, column = file.position(span.start) if file is not None else (1, 1)
    end_line, end_column = file.position(span.end) if file is not None else (1, 1)
    return {"file": span.file, "line": line, "column": column, "end_line": end_line, "end_column": end_column}
