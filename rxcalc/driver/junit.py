"""How the examples of rulebooks went, as a JUnit report: one test case for each example and each guarantee broken."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final
from xml.etree import ElementTree as Xml

from rxcalc.diagnostics.model import Diagnostic, Severity, Sink
from rxcalc.driver.examples import ExamplesReport
from rxcalc.driver.failing import command_of, workings
from rxcalc.examples.run import ExampleResult
from rxcalc.inputs.episodes import EpisodeEntry

_COLUMNS: Final = 100
_FORBIDDEN: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # what XML 1.0 cannot hold


def document(reports: Iterable[tuple[ExamplesReport, Sink]]) -> str:
    """The report as text. Times are 0, so that the same results give the same bytes."""
    root = Xml.Element("testsuites", name="rxcalc test")
    suites = [_suite(report, sink) for report, sink in reports]
    root.extend(suites)
    for key in ("tests", "failures", "errors"):
        root.set(key, str(sum(int(suite.get(key, "0")) for suite in suites)))
    root.set("time", "0")
    Xml.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + Xml.tostring(root, encoding="unicode") + "\n"


def _suite(report: ExamplesReport, sink: Sink) -> Xml.Element:
    name = report.found.shown
    suite = Xml.Element("testsuite", name=_clean(name))
    for r, entry in zip(report.results, report.entries, strict=True):
        suite.append(_example(report, r, entry))
    for trend in _guarantees(report):
        case = _case(name, trend, name, _line(report, trend))
        found = next((d.found for d in report.trends if d.name.startswith(f"guarantee {trend} (")), "")
        if found:
            _told(case, "failure", found, found)
        suite.append(case)
    for mistake in (d for d in sink.sorted() if d.severity is Severity.ERROR):
        suite.append(_mistake(mistake, sink))
    cases = list(suite)
    suite.set("tests", str(len(cases)))
    suite.set("failures", str(sum(case.find("failure") is not None for case in cases)))
    suite.set("errors", str(sum(case.find("error") is not None for case in cases)))
    suite.set("skipped", "0")
    suite.set("time", "0")
    return suite


def _example(report: ExamplesReport, r: ExampleResult, entry: EpisodeEntry) -> Xml.Element:
    case = _case(r.file, r.name, r.file, r.line)
    if r.passed or report.compiled is None:
        return case
    first, *others = r.differences
    message = f"{first.name}: expected {first.expected}, found {first.found}"
    lines = [
        message,
        *(f"  {line}" for line in workings(report.compiled.plan, entry, first, _COLUMNS)),
        *(f"then {d.name}: expected {d.expected}, found {d.found}" for d in others),
        f"to see it: {command_of(r, report.found.shown)}",
    ]
    _told(case, "failure", message, "\n".join(lines))
    return case


def _guarantees(report: ExamplesReport) -> Sequence[str]:
    """The guarantees that are tried near the examples, as written. Conditions refuse a bill, so examples test them."""
    return [trend.text for trend in report.compiled.plan.trends] if report.compiled is not None else []


def _line(report: ExamplesReport, text: str) -> int:
    trends = report.compiled.plan.trends if report.compiled is not None else ()
    return next((trend.place.line for trend in trends if trend.text == text), 0)


def _mistake(d: Diagnostic, sink: Sink) -> Xml.Element:
    """A mistake in an example file: what is written there was not compared."""
    file = sink.files.get(d.primary.span.file)
    line = file.position(d.primary.span.start)[0] if file is not None else 0
    case = _case(d.primary.span.file, f"{d.code} in line {line}", d.primary.span.file, line)
    _told(case, "error", f"{d.code}: {d.message}", "\n".join([d.message, *d.help]))
    return case


def _case(owner: str, name: str, file: str, line: int) -> Xml.Element:
    return Xml.Element(
        "testcase", classname=_clean(owner), name=_clean(name), file=_clean(file), line=str(line), time="0"
    )


def _told(case: Xml.Element, kind: str, message: str, text: str) -> None:
    found = Xml.SubElement(case, kind, message=_clean(message), type=kind)
    found.text = _clean(text)


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)
