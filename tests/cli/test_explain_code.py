"""`explain-code` from outside: a page as plain text, the nearest code, the list."""

from __future__ import annotations

import pytest
from click.testing import CliRunner, Result

from rxcalc.cli.explain_code import NO_CHINESE
from rxcalc.cli.main import cli
from rxcalc.cli.show import Failure
from rxcalc.diagnostics.codes import CODES
from rxcalc.diagnostics.pages import nearest, page, plain
from rxcalc.diagnostics.text import display_width


def run(*args: str) -> Result:
    return CliRunner().invoke(cli, ["explain-code", *args], catch_exceptions=False, standalone_mode=False)


def test_a_page_says_why_and_shows_wrong_and_right() -> None:
    """The page of a code is printed as text: title, why, both examples, no Markdown."""
    result = run("RX301", "--lang", "en")
    assert result.return_value == 0
    text = result.stdout
    assert text.startswith("RX301: unknown name\n\nA word is neither a name")
    assert "Wrong:\n\n    steps:\n      pays:\n        rule: base_amont * 50%\n" in text
    assert text.endswith("Right:\n\n    steps:\n      pays:\n        rule: base_amount * 50%\n")
    assert "```" not in text
    assert result.stderr == ""


@pytest.mark.parametrize("written", ["rx301", "301", "unknown-name", "Unknown Name"])
def test_ways_to_name_a_code(written: str) -> None:
    """Case, the bare number and the short name lead to the same page."""
    assert run(written).stdout == run("RX301").stdout


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("RX300", "RX301 (unknown-name)"),
        ("unknown-nam", "RX301 (unknown-name)"),
        ("too-large", "RX611 (too-large) or RX718 (too-large)"),
        ("quux", "--list"),
    ],
)
def test_an_unknown_code_names_the_nearest(written: str, hint: str) -> None:
    """Exit code 2, and what may have been meant."""
    with pytest.raises(Failure) as failure:
        run(written)
    assert failure.value.exit_code == 2
    assert hint in failure.value.help_
    assert written in failure.value.message


def test_bad_usage() -> None:
    """Neither a code nor --list, or both, is bad usage."""
    for args in ([], ["RX301", "--list"]):
        with pytest.raises(Failure):
            run(*args)


def test_the_list_names_every_code() -> None:
    """One entry a code, with its short name and summary, within 80 columns; warnings are marked."""
    lines = run("--list").stdout.splitlines()
    assert [line[:5] for line in lines if line.startswith("RX")] == list(CODES)
    assert all(len(line) <= 80 for line in lines)
    text = " ".join(" ".join(lines).split())
    for slug, summary in CODES.values():
        assert slug in text
        assert summary in text
    assert f"{CODES['RX311'][1]} (warning)" in text


def test_every_page_fits_80_columns() -> None:
    """Words are wrapped; only an example keeps its own width."""
    for code in CODES:
        for line in plain(page(code)).splitlines():
            assert line.startswith("    ") or display_width(line) <= 80, code
            assert "](" not in line, code


def test_chinese_readers_are_told_that_pages_are_english() -> None:
    """One line on stderr; the page itself is unchanged."""
    result = run("RX301", "--lang", "zh")
    assert result.stderr == NO_CHINESE + "\n"
    assert result.stdout == run("RX301", "--lang", "en").stdout


def test_nearest_prefers_the_number() -> None:
    """A wrong number names its neighbours, nonsense nothing."""
    assert nearest("RX8000")[0] == "RX902"
    assert nearest("zzzzzz") == ()
