"""Each diagnostic code has a page, each page a code, and each code of a rulebook's mistakes a case that triggers it."""

from __future__ import annotations

import re
from pathlib import Path

from rxcalc.diagnostics.codes import CODES, WARNINGS

REPOSITORY = Path(__file__).resolve().parents[2]
PAGES = REPOSITORY / "docs" / "diagnostics"
CASES = REPOSITORY / "tests" / "cases" / "check"
CODE = re.compile(r"RX\d{3}")

# No file can hold these slips: tests/unit makes the folder, pipe, large file or large table.
WITHOUT_CASE = {"RX101", "RX102", "RX103", "RX105", "RX155", "RX611"}


def test_every_code_has_a_page_and_every_page_a_code() -> None:
    """A message's code leads to a page, and no page outlives its code."""
    assert {p.stem for p in PAGES.glob("*.md")} == set(CODES)


def test_a_page_says_what_why_and_how() -> None:
    """Each page has its code and slug as title, the summary, and a wrong and a right example."""
    for code, (slug, _) in CODES.items():
        page = (PAGES / f"{code}.md").read_text(encoding="utf-8")
        assert page.startswith(f"# {code}: "), code
        assert slug.replace("-", " ") in page.splitlines()[0].replace("-", " "), code
        assert "Wrong:" in page, code
        assert "Right:" in page, code


def test_every_code_in_the_program_is_in_the_table() -> None:
    """No message bears a code without summary, and no code is left that nothing raises."""
    raised = set()
    for file in (REPOSITORY / "rxcalc").rglob("*.py"):
        if file.name != "codes.py":
            raised |= set(re.findall(r'"(RX\d{3})"', file.read_text(encoding="utf-8")))
    assert raised - set(CODES) == set()
    assert set(CODES) - raised - {"RX901"} == set()
    assert set(CODES) >= WARNINGS


def test_every_mistake_of_a_rulebook_has_a_case() -> None:
    """Each code of files, syntax, names, types, values and analysis is triggered by a case, or by a unit test."""
    named = {code for path in CASES.iterdir() for code in CODE.findall(path.name)}
    for code in CODES:
        if code[2] in "123456" and code not in WITHOUT_CASE:
            assert code in named, code
    units = "".join(
        p.read_text(encoding="utf-8") for p in (REPOSITORY / "tests").rglob("test_*.py") if p != Path(__file__)
    )
    for code in sorted(WITHOUT_CASE):
        assert f'"{code}"' in units, code
