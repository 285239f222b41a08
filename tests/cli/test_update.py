"""`rxcalc test --update`: values are replaced in place, nothing else; what only a person can mend is said."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rxcalc.cli.main import cli
from rxcalc.cli.show import Failure

RULEBOOK = """\
rxcalc: 1
rulebook: small
version: "1"
currency: CNY
rounding: half-up
effective: {from: 2020-01-01, by: day}
inputs:
  episode_id: {type: code}
  day: {type: date}
  total: {type: money}
lines:
  inputs:
    line_no: {type: count}
    price: {type: money}
  order: [line_no]
  steps:
    cheap: price * 50%
  checks:
    - {name: dear, say: dear line, when: price > ¥100, amount: price - ¥100}
steps:
  pays: |
    when total > ¥5_000 then reject because "too much"
    otherwise total * 80%
  large: total > ¥1_000
shares:
  bill: {of: total, fund: pays, patient: rest}
outputs: [pays]
"""
HEAD = "  episode: {episode_id: E1, day: 2025-01-01, total: 100}\n"


def run(*args: str, answer: str | None = None) -> Result:
    return CliRunner().invoke(cli, [*args], catch_exceptions=False, standalone_mode=False, input=answer)


def updated(tmp_path: Path, before: str, *, code: int = 0) -> tuple[str, str]:
    """What the examples file holds afterwards, and what was printed."""
    file = book(tmp_path, before)
    result = run("test", str(tmp_path), "--update", "--yes")
    assert result.return_value == code, result.output
    return file.read_bytes().decode("utf-8"), result.stdout


def book(tmp_path: Path, examples: str) -> Path:
    (tmp_path / "examples").mkdir(exist_ok=True)
    (tmp_path / "rulebook.yaml").write_text(RULEBOOK, encoding="utf-8")
    file = tmp_path / "examples" / "all.yaml"
    file.write_bytes(examples.encode("utf-8"))
    return file


MIXED = """\
# a comment at the top
- example: "plain, in a flow"   # beside
  by: "hand: x"
  episode: {episode_id: E1, day: 2025-01-01, total: 100}
  expect: {patient_pays: 19.00, pays: 81.00}   # wrong
- example: in a block
  by: |
    hand: the first line
    the second
  episode: {episode_id: E1, day: 2025-01-01, total: 2000}
  lines: [{line_no: 1, price: 7}]
  expect:
    pays: "1.00"     # quoted
    large: 'no'
    # between
    lines:
      1: {cheap: 3.00}
- example: right
  by: hand
  episode: {episode_id: E1, day: 2025-01-01, total: 100}
  expect: {pays:   80}
"""
MARK = "NEEDS REVIEW - amounts rewritten by rxcalc test --update - before that - "


def test_only_the_values_change(tmp_path: Path) -> None:
    """Comments, order, quotes, blanks and all that is right stay as they are; `by:` is marked."""
    after, told = updated(tmp_path, MIXED)
    wanted = (
        MIXED.replace("19.00, pays: 81.00", "20.00, pays: 80.00")
        .replace('"1.00"', '"1600.00"')
        .replace("'no'", "'yes'")
        .replace("cheap: 3.00", "cheap: 3.50")
        .replace('"hand: x"', f'"{MARK}hand: x"')
        .replace("hand: the first", f"{MARK}hand: the first")
    )
    assert after == wanted
    assert "all.yaml:5: plain, in a flow: pays: 81.00 -> 80.00" in told
    assert "its `by:` is marked NEEDS REVIEW" in told
    assert run("test", str(tmp_path)).return_value == 0


def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    """What was updated passes."""
    after, _ = updated(tmp_path, MIXED)
    again, told = updated(tmp_path, after)
    assert (again, told) == (after, "every example passes; nothing to update\n")


def test_marked_once(tmp_path: Path) -> None:
    """A `by:` that already says that nothing is proven stays."""
    text = "- example: one\n  by: NOT CHECKED BY HAND - x\n" + HEAD + "  expect: {pays: 1}\n"
    after, told = updated(tmp_path, text)
    assert after == text.replace("pays: 1", "pays: 80.00")
    assert "REVIEW" not in told


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_line_ends_and_byte_order_mark_stay(tmp_path: Path, newline: str) -> None:
    """Files from other systems keep what they have."""
    text = "\ufeff" + MIXED.replace("\n", newline)
    after, _ = updated(tmp_path, text)
    assert after.startswith("\ufeff#")
    assert after.count(newline) == text.count(newline)
    assert f"pays: 80.00}}   # wrong{newline}" in after


@pytest.mark.parametrize(
    ("episode", "before", "after"),
    [
        ("total: 100", "rejects: RX722", "expect: {pays: 80.00}"),
        ("total: 100.001", "rejects: RX722", "rejects: RX702"),
        ("total: 6000", "expect: {pays: 1.00}", "rejects: RX721"),
        ("total: 6000", "expect:\n    pays: 1.00\n    patient_pays: 2.00", "rejects: RX721"),
    ],
)
def test_refusals(tmp_path: Path, episode: str, before: str, after: str) -> None:
    """A refusal becomes another one, or a result; a result becomes a refusal."""
    text = f"- example: one\n  episode: {{episode_id: E1, day: 2025-01-01, {episode}}}\n  {before}\n"
    assert updated(tmp_path, text)[0] == text.replace(before, after)


def test_findings_become_those_found(tmp_path: Path) -> None:
    """Found and not expected, expected and not found, another amount."""
    lines = "  lines: [{line_no: 1, price: 150}, {line_no: 2, price: 120}]\n"
    found = "[{check: dear, lines: 1, amount: 50.00}, {check: dear, lines: 2, amount: 20.00}]"
    for before in (
        "[]",
        "[{check: dear, lines: 1, amount: 7.00}]",
        "[{check: dear, lines: 1, amount: 7}, {check: dear, lines: 2}]",
    ):
        text = f"- example: one\n{HEAD}{lines}  expect: {{pays: 80.00, findings: {before}}}\n"
        wanted = found if before.count("check") < 2 else before.replace("7", "50.00")
        assert updated(tmp_path, text)[0] == text.replace(before, wanted)


def test_what_only_a_person_can_mend(tmp_path: Path) -> None:
    """A row that is not there, and an `expect:` with a comment that would be lost, are named; exit code 1."""
    rows = f"- example: rows\n{HEAD}  expect: {{pays: 1, lines: {{1: {{cheap: 1}}}}}}\n"
    comment = "- example: comment\n  episode: {episode_id: E1, day: 2025-01-01, total: 6000}\n  expect:\n    # why\n    pays: 1\n"
    after, told = updated(tmp_path, rows + comment, code=1)
    assert after == (rows + comment).replace("pays: 1, ", "pays: 80.00, ")
    assert told.count("change it by hand") == 2


def test_asks_and_does_not_write_unasked(tmp_path: Path) -> None:
    """Without a terminal and without --yes: the changes are shown, nothing is written."""
    file = book(tmp_path, MIXED)
    with pytest.raises(Failure) as found:
        run("test", str(tmp_path), "--update", answer="y\n")
    assert "nobody to ask" in found.value.message
    assert found.value.exit_code == 2
    assert file.read_text(encoding="utf-8") == MIXED


@pytest.mark.parametrize("extra", [["--coverage"], ["--format", "json"], ["-o", "x"], ["--junit", "x"]])
def test_goes_with_nothing_else(tmp_path: Path, extra: list[str]) -> None:
    """`--update` is done by itself."""
    book(tmp_path, MIXED)
    with pytest.raises(Failure, match="no other output"):
        run("test", str(tmp_path), "--update", *extra)


def test_mistakes_stop_it(tmp_path: Path) -> None:
    """A file with a mistake is not written, nor any other."""
    file = book(tmp_path, MIXED + "- example: bad\n" + HEAD + "  expect: {pays: 1, nothing: 2}\n")
    before = file.read_bytes()
    with pytest.raises(Failure, match="have errors"):
        run("test", str(tmp_path), "--update", "--yes")
    assert file.read_bytes() == before
