"""Diagnostics as commands of a GitHub job, which shows them beside the lines of a pull request."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from rxcalc.diagnostics.model import Diagnostic, Severity
from rxcalc.diagnostics.paths import relative
from rxcalc.diagnostics.text import visible
from rxcalc.source import SourceFile

_COMMAND: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}
_DATA: Final = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_PROPERTY: Final = {**_DATA, ":": "%3A", ",": "%2C"}


def as_github(diagnostic: Diagnostic, files: Mapping[str, SourceFile], root: Path) -> str:
    """One diagnostic as a line `::error file=..,line=..::..`, without a final line end.

    A file outside `root` has no place in the pull request: its name stands in the message. Columns are
    given only where a place lies in one line, as GitHub wants it.
    """
    label = diagnostic.primary
    text = f"{diagnostic.message} ({label.text})" if label.text else diagnostic.message
    lines = [text, *(f"help: {line}" for line in diagnostic.help)]
    properties: list[str] = []
    shown = relative(label.span.file, root) if label.span.file else None
    file = files.get(label.span.file)
    if shown is None and label.span.file:
        lines.insert(0, f"{label.span.file}:")
    elif shown is not None:
        properties.append(f"file={_escaped(shown, _PROPERTY)}")
        if file is not None and not file.hidden:
            properties += _place(file, label.span.start, label.span.end)
    properties.append(f"title={_escaped(diagnostic.code, _PROPERTY)}")
    told = "\n".join(visible(line) for line in lines)
    return f"::{_COMMAND[diagnostic.severity]} {','.join(properties)}::{_escaped(told, _DATA)}"


def left_out(shown: str, count: int) -> str:
    """What says that more was found than is shown."""
    return f"::notice title=rxcalc::{_escaped(f'{visible(shown)}: and {count} more', _DATA)}"


def _place(file: SourceFile, start: int, end: int) -> list[str]:
    line, column = file.position(start)
    end_line, end_column = file.position(end)
    if end_line != line:
        return [f"line={line}", f"endLine={end_line}"]
    return [f"line={line}", f"col={column}", f"endColumn={max(end_column, column + 1)}"]


def _escaped(text: str, table: Mapping[str, str]) -> str:
    return "".join(table.get(char, char) for char in text)
