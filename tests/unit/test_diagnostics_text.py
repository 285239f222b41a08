"""How a diagnostic looks to a person and to a program."""

from __future__ import annotations

from pathlib import Path

from rxcalc.diagnostics.as_json import as_json
from rxcalc.diagnostics.codes import CODES
from rxcalc.diagnostics.model import Diagnostic, Label, Severity
from rxcalc.diagnostics.text import display_width, render
from rxcalc.source import SourceFile, Span

TEXT = "a: 1\nlabel: 起付线 foo\n\tz: 3\n"
FILE = SourceFile.of("f.yaml", TEXT)
FILES = {"f.yaml": FILE}


def diagnostic(start: int, end: int, **more: object) -> Diagnostic:
    """A diagnostic over a stretch of TEXT."""
    return Diagnostic(
        code="RX131",
        severity=Severity.ERROR,
        message="wrong",
        primary=Label(span=Span("f.yaml", start, end), text="here"),
        **more,
    )


def test_excerpt() -> None:
    """Message, place, line, underline, help; the underline lines up below wide characters."""
    at = TEXT.index("foo")
    shown = render(diagnostic(at, at + 3, help=("do this",)), FILES).split("\n")
    assert shown == [
        "error RX131: wrong",
        "  --> f.yaml:2:12",
        "  |",
        "2 | label: 起付线 foo",
        "  |               ^^^ here",
        "  help: do this",
    ]
    assert display_width(shown[3][: shown[3].index("foo")]) == shown[4].index("^")


def test_wide_place() -> None:
    """A wide character is underlined by two carets, a tab counts as four columns."""
    at = TEXT.index("起")
    assert "^^^^^^ here" in render(diagnostic(at, at + 3), FILES)
    at = TEXT.index("z")
    assert render(diagnostic(at, at + 1), FILES).split("\n")[4] == "  |     ^ here"


def test_long_lines_are_cut() -> None:
    """An excerpt stays within the width and still shows the place."""
    text = "x " * 500 + "here" + " y" * 500
    files = {"f.yaml": SourceFile.of("f.yaml", text)}
    shown = render(diagnostic(1000, 1004), files, width=60).split("\n")
    assert all(display_width(line) <= 66 for line in shown)
    assert shown[3][shown[4].index("^") :].startswith("here")


def test_hidden_files_are_not_quoted() -> None:
    """A hidden or unknown file shows its name only."""
    files = {"f.yaml": SourceFile.of("f.yaml", "secret", hidden=True)}
    assert "secret" not in render(diagnostic(0, 3), files)
    assert "--> f.yaml" in render(diagnostic(0, 3), {})


def test_colour_only_on_demand() -> None:
    """Colour codes appear only when asked for, control characters of the file never."""
    files = {"f.yaml": SourceFile.of("f.yaml", "a\x1b[31m\u202eb")}
    assert "\x1b" not in render(diagnostic(0, 1), files)
    assert "\u202e" not in render(diagnostic(0, 1), files)
    assert "\x1b[" in render(diagnostic(0, 1), files, color=True)


def test_related_places() -> None:
    """Related places follow with their own excerpt."""
    related = (Label(span=Span("f.yaml", 0, 1), text="first"),)
    assert "::: f.yaml:1:1" in render(diagnostic(5, 6, related=related), FILES)


def test_json() -> None:
    """The same facts as data."""
    found = as_json(diagnostic(5, 10, help=("x",), related=(Label(span=Span("f.yaml", 0, 1), text="r"),)), FILES)
    assert (found["file"], found["line"], found["column"], found["end_line"], found["end_column"]) == (
        "f.yaml",
        2,
        1,
        2,
        6,
    )
    assert (found["code"], found["slug"], found["severity"], found["label"]) == (
        "RX131",
        "unknown-key",
        "error",
        "here",
    )
    assert found["related"][0]["line"] == 1
    assert found["help"] == ["x"]


def test_files_and_syntax_codes_have_pages() -> None:
    """Each RX1xx and RX2xx has a page."""
    pages = Path(__file__).parents[2] / "docs" / "diagnostics"
    missing = [code for code in CODES if code[2] in "12" and not (pages / f"{code}.md").is_file()]
    assert missing == []
