"""Findings that an example expects: on the bill, on rows, on groups across bills; all of them or none."""

from __future__ import annotations

from pathlib import Path

import pytest

from rxcalc.diagnostics.model import Sink
from rxcalc.driver.examples import run_examples
from rxcalc.driver.find import Found

RULEBOOK = """\
rxcalc: 1
rulebook: findings
version: "1"
currency: CNY
rounding: half-up
effective: {from: 2020-01-01, by: day}
inputs:
  episode_id: {type: code}
  region: {type: code}
  day: {type: date}
  total: {type: money}
lines:
  inputs:
    line_no: {type: count}
    price: {type: money}
    allowed: {type: money}
    quantity: {type: count, max: 1000}
  order: [line_no]
  checks:
    - {name: over_price, when: price > allowed, say: above the allowed price, amount: (price - allowed) * quantity}
steps:
  pays: {rule: total}
checks:
  - {name: large, when: "total >= ¥1_000", say: large bill, severity: info}
  - {when: "total = ¥0", say: nothing, severity: info}
groups:
  area:
    of: episodes
    by: {region: region}
    steps: {spent: {rule: sum(episodes.pays)}}
    checks:
      - {name: dear, when: "spent > ¥1_500", say: dear, amount: "spent - ¥1_500"}
shares: {bill: {of: total, fund: {pool: pays}, patient: {own: rest}}}
outputs: [pays]
"""
LINES = "[{line_no: 1, price: 5, allowed: 4, quantity: 3}, {line_no: 2, price: 4, allowed: 4, quantity: 3}]"


def run(folder: Path, example: str) -> tuple[list[tuple[str, str, str]], list[str]]:
    """The differences of one example, and the messages about the example file."""
    (folder / "examples").mkdir()
    (folder / "rulebook.yaml").write_text(RULEBOOK, encoding="utf-8")
    (folder / "examples" / "one.yaml").write_text(f"- example: one\n  by: hand\n{example}", encoding="utf-8")
    sink = Sink()
    report = run_examples(Found(folder / "rulebook.yaml", "rulebook.yaml"), sink)
    (result,) = report.results
    return [(d.name, d.expected, d.found) for d in result.differences], [d.message for d in sink]


def bill(total: str, findings: str, lines: str = LINES) -> str:
    """An example of one bill with lines."""
    episode = f"{{episode_id: A, region: n, day: 2024-01-01, total: {total}}}"
    return f"  episode: {episode}\n  lines: {lines}\n  expect: {{findings: {findings}}}\n"


@pytest.mark.parametrize(
    "example",
    [
        bill("1000", "[{check: large}, {check: over_price, lines: 1, amount: 3}]"),
        bill("1000", "[{check: over_price, lines: 1}, {check: large}]"),
        bill("999.99", "[]", lines="[]"),
        bill("0", "[{check: 2}]", lines="[]"),
    ],
)
def test_what_is_found_is_what_is_expected(tmp_path: Path, example: str) -> None:
    """Line 1 is 3 x (5 - 4) = 3.00 above the price, line 2 exactly at it; the bill is large from 1,000 on."""
    assert run(tmp_path, example) == ([], [])


def test_findings_that_differ_are_told_one_by_one(tmp_path: Path) -> None:
    """One not made, one of another amount, one not expected."""
    differences, mistakes = run(
        tmp_path, bill("1000", "[{check: over_price, lines: 2}, {check: over_price, lines: 1, amount: 4}]")
    )
    assert differences == [
        ("findings", "over_price on lines 2", "no such finding"),
        ("finding over_price on lines 1", "4.00", "3.00"),
        ("findings", "nothing more", "large"),
    ]
    assert mistakes == []


def test_none_expected_and_one_made(tmp_path: Path) -> None:
    """`findings: []` says that nothing is found."""
    differences, _ = run(tmp_path, bill("5", "[]"))
    assert differences == [("findings", "nothing more", "over_price on lines 1 (3.00)")]


@pytest.mark.parametrize(
    ("findings", "message"),
    [
        ("[{check: over_prise, lines: 1}]", "`over_prise` is no check of this rulebook"),
        ("[{check: over_price}]", "the check `over_price` looks at the rows of `lines`"),
        ("[{check: large, lines: 1}]", "the check `large` looks at the bill"),
        ("[{check: over_price, lines: x}]", "line_no: 'x' is not a number; write digits, with a point before decimals"),
        ("[{check: over_price, lines: 1/2}]", "this names no row of `lines`"),
        ("[5]", "a finding is a check with the row it is found on, and its amount"),
        ("[{lines: 1}]", "a finding is a check with the row it is found on, and its amount"),
    ],
)
def test_a_finding_that_cannot_be_meant_is_told(tmp_path: Path, findings: str, message: str) -> None:
    """Unknown checks, rows that are not there, shapes that say nothing."""
    (tmp_path / "examples").mkdir()
    (tmp_path / "rulebook.yaml").write_text(RULEBOOK, encoding="utf-8")
    text = f"- example: one\n  by: hand\n{bill('5', findings)}"
    (tmp_path / "examples" / "one.yaml").write_text(text, encoding="utf-8")
    sink = Sink()
    run_examples(Found(tmp_path / "rulebook.yaml", "rulebook.yaml"), sink)
    assert message in [d.message for d in sink]


def test_findings_of_groups_across_bills(tmp_path: Path) -> None:
    """North spends 1,000.00 + 600.01 = 1,600.01, 100.01 above the limit; south exactly 1,500.00."""
    episode = "{{episode_id: {}, region: {}, day: 2024-01-01, total: {}}}".format
    bills = "".join(
        f"    - {{episode: {episode(*of)}, expect: {{findings: {found}}}}}\n"
        for of, found in [
            (("A", "n", "1000"), "[{check: large}]"),
            (("B", "n", "600.01"), "[]"),
            (("C", "s", "1500"), "[{check: large}]"),
        ]
    )
    right = "{region: n, spent: 1600.01, findings: [{check: dear, amount: 100.01}]}, {region: s, findings: []}"
    wrong = "{region: n, findings: []}, {region: s, findings: [{check: dear}]}"
    for n, (rows, expected) in enumerate(
        [
            (right, []),
            (
                wrong,
                [("area findings", "nothing more", "dear (100.01)"), ("area findings", "dear", "no such finding")],
            ),
        ]
    ):
        folder = tmp_path / str(n)
        folder.mkdir()
        example = f"  episodes:\n{bills}  expect: {{groups: {{area: [{rows}]}}}}\n"
        assert run(folder, example) == (expected, [])
