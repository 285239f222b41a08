"""Diagnostics as SARIF 2.1.0, the format of code-scanning tools."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from rxcalc.diagnostics.codes import CODES, WARNINGS
from rxcalc.diagnostics.model import Diagnostic, Label, Severity, Sink
from rxcalc.diagnostics.pages import page, plain
from rxcalc.diagnostics.paths import relative
from rxcalc.diagnostics.text import visible
from rxcalc.source import SourceFile

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVEL: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def as_sarif(sinks: Iterable[tuple[str, Sink]], version: str, root: Path) -> dict[str, Any]:
    """The diagnostics of one run over some rulebooks, each with its sink, as one SARIF log.

    Columns count Unicode code points from 1, ends are exclusive. Paths below `root` are relative to it;
    where two rulebooks share a base, a mistake in it is one result.
    """
    rules: dict[str, int] = {}
    results: list[dict[str, Any]] = []
    notes: list[dict[str, Any]] = []
    seen: set[tuple[str, object]] = set()
    for shown, sink in sinks:
        for diagnostic in sink.sorted():
            if (diagnostic.code, diagnostic.primary.span) in seen:
                continue
            seen.add((diagnostic.code, diagnostic.primary.span))
            index = rules.setdefault(diagnostic.code, len(rules))
            results.append(_result(diagnostic, index, sink.files, root))
        if sink.left_out:
            notes.append(
                {"level": "note", "message": {"text": f"{visible(shown)}: and {sink.left_out} more diagnostics"}}
            )
    driver = {"name": "rxcalc", "version": version, "rules": [_rule(code) for code in rules]}
    run: dict[str, Any] = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": results,
    }
    if notes:
        run["invocations"] = [{"executionSuccessful": True, "toolExecutionNotifications": notes}]
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _result(diagnostic: Diagnostic, index: int, files: Mapping[str, SourceFile], root: Path) -> dict[str, Any]:
    label = diagnostic.primary
    text = f"{diagnostic.message} ({label.text})" if label.text else diagnostic.message
    message = "\n".join(visible(line) for line in (text, *(f"help: {line}" for line in diagnostic.help)))
    found: dict[str, Any] = {
        "ruleId": diagnostic.code,
        "ruleIndex": index,
        "level": _LEVEL[diagnostic.severity],
        "message": {"text": message},
    }
    if label.span.file:
        found["locations"] = [_location(label, files, root)]
    related = [_location(one, files, root, said=True) for one in diagnostic.related if one.span.file]
    if related:
        found["relatedLocations"] = [{"id": number, **one} for number, one in enumerate(related, 1)]
    return found


def _location(label: Label, files: Mapping[str, SourceFile], root: Path, *, said: bool = False) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": _artifact(label.span.file, root)}
    file = files.get(label.span.file)
    if file is not None and not file.hidden and (file.text or label.span.end):
        line, column = file.position(label.span.start)
        end_line, end_column = file.position(label.span.end)
        physical["region"] = {
            "startLine": line,
            "startColumn": column,
            "endLine": end_line,
            "endColumn": end_column,
        }
    found: dict[str, Any] = {"physicalLocation": physical}
    if said and label.text:
        found["message"] = {"text": visible(label.text)}
    return found


def _artifact(shown: str, root: Path) -> dict[str, str]:
    inside = relative(shown, root)
    if inside is not None:
        return {"uri": quote(inside, safe="/"), "uriBaseId": "%SRCROOT%"}
    return {"uri": (root / shown).absolute().as_uri()}


def _rule(code: str) -> dict[str, Any]:
    slug, summary = CODES[code]
    name = "".join(word.capitalize() for word in slug.split("-"))
    found: dict[str, Any] = {
        "id": code,
        "name": name,
        "shortDescription": {"text": f"{summary[:1].upper()}{summary[1:]}."},
        "defaultConfiguration": {"level": "warning" if code in WARNINGS else "error"},
    }
    try:
        markdown = page(code)
    except OSError:  # an installation without pages still reports
        return found
    return {**found, "help": {"text": plain(markdown), "markdown": markdown}}
