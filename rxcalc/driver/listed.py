"""The page of a coverage report: the files of rulebooks with how often each line was used."""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from rxcalc.coverage.listing import listing
from rxcalc.diagnostics.model import Sink
from rxcalc.driver.examples import ExamplesReport
from rxcalc.plan.nodes import weakest_evidence
from rxcalc.report.listing import render


def page(reports: Sequence[tuple[ExamplesReport, Sink]], version: str) -> str:
    """The page of reports that were made with coverage."""
    found = [
        listing(
            report.coverage,
            report.found.shown,
            partial(_text, report=report, sink=sink),
            examples=len(report.results),
            failed=report.failed,
            status=weakest_evidence(report.compiled.plan),
        )
        for report, sink in reports
        if report.coverage is not None and report.compiled is not None
    ]
    return render(found, version)


def _text(shown: str, report: ExamplesReport, sink: Sink) -> str | None:
    """The text of a file that was read for the rulebook; tables are not kept, so they are read again."""
    file = sink.files.get(shown)
    if file is not None:
        return file.text
    folder = Path(report.found.shown).parent
    path = Path(shown)
    if path.is_relative_to(folder):
        path = report.found.path.parent / path.relative_to(folder)
    try:
        return path.read_bytes().removeprefix(codecs.BOM_UTF8).decode("utf-8", errors="replace")
    except OSError:
        return None
