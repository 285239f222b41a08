"""Results can be read again: whatever is selected, every row has the header's cells, and texts come back."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from rxcalc.driver.api import load
from rxcalc.driver.batch import run_batch
from rxcalc.driver.batch_report import BatchOptions

RULEBOOK = """\
rxcalc: 1
rulebook: words
version: "1"
currency: CNY
rounding: half-up
effective: {from: 2020-01-01, by: day}
inputs:
  episode_id: {type: code}
  day: {type: date}
  total: {type: money}
  urgent: {type: flag}
parameters:
  rate: {type: percent, values: {2020-01-01: 12.5%}}
steps:
  pays: {rule: total * rate}
  share: {type: percent, rule: "if urgent then 100% else rate"}
  word:
    type: code
    rule: |
      when urgent then "a, \\"b\\""
      otherwise "plain"
  due: {rule: "day + 30 days"}
  free: {type: flag, rule: total = 0}
shares:
  bill: {of: total, fund: pays, patient: rest}
outputs: [pays, share, word, due, free]
"""
PLAIN = "episode_id,day,total,urgent\nE1,2024-01-31,10.00,yes\nE2,2024-02-29,0.00,no\nE3,2024-03-01,bad,no\n"
QUOTED = 'episode_id,day,total,urgent\n"E,1",2024-01-31,10.00,yes\nE2,2024-02-29,"0.00",no\nE3,2024-03-01,bad,no\n'
# By hand: 10.00 x 12.5% = 1.25; 31 January + 30 days = 1 March 2024, 29 February + 30 days = 30 March 2024.
EXPECTED = {
    "pays": ["1.25", "0.00"],
    "share": ["100.0%", "12.5%"],
    "word": ['a, "b"', "plain"],
    "due": ["2024-03-01", "2024-03-30"],
    "free": ["no", "yes"],
    "fund": ["1.25", "0.00"],
    "patient": ["8.75", "0.00"],
}


@pytest.mark.parametrize("text", [PLAIN, QUOTED], ids=["plain", "quoted"])
@pytest.mark.parametrize(
    "select",
    [(), ("outputs",), ("steps",), ("shares",), ("word",), ("episode_id", "word", "share"), ("inputs", "shares")],
)
def test_every_row_has_the_cells_of_the_header(text: str, select: tuple[str, ...], tmp_path: Path) -> None:
    """Copied lines, quoted inputs, texts with separators and selections without inputs all parse back to the right cells."""
    (tmp_path / "rulebook.yaml").write_text(RULEBOOK, encoding="utf-8")
    source = tmp_path / "in.csv"
    source.write_text(text, encoding="utf-8")
    report = run_batch(load(tmp_path).plan, BatchOptions(episodes=source, results=tmp_path / "out.csv", select=select))
    assert report.problem is None
    assert report.accounts is not None
    assert report.accounts.counts() == {"read": 3, "written": 2, "rejected": 1, "totals": 0, "blank": 0}
    header, *rows = list(csv.reader((tmp_path / "out.csv").open(encoding="utf-8", newline="")))
    assert [len(row) for row in rows] == [len(header)] * 2
    for name, values in EXPECTED.items():
        if name in header:
            at = header.index(name)
            assert [row[at] for row in rows] == values
    if "episode_id" in header:
        assert [row[header.index("episode_id")] for row in rows] == ["E1" if text == PLAIN else "E,1", "E2"]
