"""Rulebooks with one slip each: exactly the diagnostics expected, each at its line, and each can be shown."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from rxcalc.diagnostics.as_json import as_json
from rxcalc.diagnostics.codes import CODES, WARNINGS
from rxcalc.diagnostics.model import Diagnostic, Severity, Sink
from rxcalc.diagnostics.text import display_width, render
from rxcalc.driver.compile import compile_file

CASES = Path(__file__).parent / "cases" / "check"
EXPECT = re.compile(r"#\s*expect:\s*(RX\d{3}(?:[\s,]+RX\d{3})*)")
CODE = re.compile(r"RX\d{3}")
WIDTH = 80

# A case is a file, or a folder with a rulebook, its tables and its bases.
FILES = sorted([*CASES.glob("*.yaml"), *CASES.glob("*/rulebook.yaml")])


def case_name(path: Path) -> str:
    """The name of a case: its file, or its folder."""
    return path.parent.name if path.name == "rulebook.yaml" else path.stem


def expected(path: Path) -> set[tuple[str, str, int]]:
    """The (file, code, line) triples that a case announces, in comments or in `<name>.expect` beside it."""
    beside = path.with_suffix(".expect")
    found: set[tuple[str, str, int]] = set()
    if beside.exists():
        for line in beside.read_text(encoding="utf-8").splitlines():
            code, _, number = line.partition(" ")
            found.add((path.name, code, int(number or 1)))
        return found
    beside_it = [*sorted((path.parent / "tables").glob("*.csv")), *sorted(path.parent.glob("*.yaml"))]
    files = [path, *(f for f in beside_it if f != path)] if path.name == "rulebook.yaml" else [path]
    for file in files:
        for number, line in enumerate(file.read_bytes().decode("utf-8", "replace").split("\n"), start=1):
            announced = EXPECT.search(line)
            if announced is not None:
                below = line.lstrip().startswith("#")
                found |= {(file.name, code, number + below) for code in CODE.findall(announced[1])}
    return found


def compiled(path: Path) -> Sink:
    """All that the whole compile says of a rulebook."""
    sink = Sink()
    compile_file(path, path.name, sink)
    return sink


def found(sink: Sink) -> list[tuple[str, str, int]]:
    """The (file, code, line) triples of all diagnostics."""
    triples = []
    for diagnostic in sink.sorted():
        span = diagnostic.primary.span
        file = sink.files.get(span.file)
        triples.append((Path(span.file).name, diagnostic.code, file.position(span.start)[0] if file else 1))
    return triples


def shown(sink: Sink) -> str:
    """The diagnostics as a person sees them, for the message of a failing test."""
    return "\n".join(render(diagnostic, sink.files) for diagnostic in sink.sorted())


@pytest.mark.parametrize("path", FILES, ids=case_name)
def test_a_case_gives_exactly_the_diagnostics_it_announces(path: Path) -> None:
    """One slip gives one message at its place; an unexpected diagnostic fails as surely as a missing one."""
    sink = compiled(path)
    assert sorted(found(sink)) == sorted(expected(path)), shown(sink)


@pytest.mark.parametrize("path", FILES, ids=case_name)
def test_every_diagnostic_can_be_shown(path: Path) -> None:
    """Text and JSON hold the message, places lie inside their file, and no excerpt is wider than the terminal."""
    sink = compiled(path)
    for diagnostic in sink.sorted():
        assert_sound(diagnostic, sink)


def assert_sound(diagnostic: Diagnostic, sink: Sink) -> None:
    """One diagnostic has a known code with its severity, places inside files, and both forms."""
    assert diagnostic.code in CODES
    assert (diagnostic.severity is Severity.WARNING) == (diagnostic.code in WARNINGS)
    for label in (diagnostic.primary, *diagnostic.related):
        file = sink.files.get(label.span.file)
        if file is not None:
            assert 0 <= label.span.start <= label.span.end <= len(file.text)
    text = render(diagnostic, sink.files, width=WIDTH)
    assert diagnostic.code in text
    for line in text.splitlines():
        if re.match(r"\s*\d* \|", line):
            assert display_width(line) <= WIDTH, line
    data = json.loads(json.dumps(as_json(diagnostic, sink.files)))
    assert data["code"] == diagnostic.code
    assert data["slug"]


def test_a_name_says_which_code_a_case_is_about() -> None:
    """A case named after a code expects that code; one named `ok-..` expects nothing."""
    for path in FILES:
        name = case_name(path)
        if name.startswith("ok-"):
            assert not expected(path), name
        else:
            assert name[:5] in {code for _, code, _ in expected(path)}, name
