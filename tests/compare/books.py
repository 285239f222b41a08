"""A small rulebook with one of everything, and changed copies of it."""

from __future__ import annotations

from pathlib import Path

from rxcalc.diagnostics.model import Sink
from rxcalc.driver.compile import compile_file
from rxcalc.plan.nodes import Plan

BOOK = """\
rxcalc: 1
rulebook: small
title: a small rulebook
version: "1"
status: illustrative
currency: CNY
rounding: half-up
effective: {from: 2024-01-01, by: discharge_date}
inputs:
  episode_id: {type: code}
  person_id: {type: code}
  discharge_date: {type: date}
  level: {one_of: {city: {aliases: [市级]}, county: {aliases: [县级]}}}
  total: {type: money, max: 1_000_000}
  age: {type: count, min: 0, max: 120, default: 40}
requires:
  - {that: total > ¥0, say: a bill is more than nothing}
  - {that: age < 110, say: nobody is that old}
sequence: {by: person_id, order: [discharge_date, episode_id]}
windows:
  this_year: {calendar: year, date: discharge_date}
parameters:
  deductible:
    type: money
    by: [level]
    values:
      2024-01-01: {city: 500, county: 300}
      2025-01-01: {city: 600, county: 300}
  rate: {type: percent, values: {2024-01-01: 80%}}
  steps_of_rate:
    type: bands of percent over money
    values:
      2024-01-01:
        - {to: 1000, is: 50%}
        - {is: 60%}
tables:
  extra:
    file: extra.csv
    key: [level]
    columns: {added: money}
steps:
  paid_before: this_year.sum(fund_amount)
  base_amount: max(total - deductible[level], ¥0)
  fund_amount:
    round: {to: 0.01}
    rule: |
      when age >= 70 then base_amount * 90%
      when age < 18 then base_amount * 85%
      when paid_before > ¥50000 then ¥0
      otherwise base_amount * rate
  banded: bands(steps_of_rate, total)
  added_part: extra[level].added
shares:
  bill:
    of: total
    fund: {pool: fund_amount}
    patient:
      deductible: {is: total - base_amount, reason: PR-1}
      coinsurance: {is: rest, reason: PR-2}
guarantees:
  - fund_amount <= total
checks:
  - {name: large, when: total > ¥100000, say: a large bill}
messages:
  enough: that is enough
  young: still young
outputs: [fund_amount, patient_pays, added_part, banded]
"""
TABLE = "level,added\ncity,10\ncounty,20\n"


def write(folder: Path, *changes: tuple[str, str], table: str = TABLE) -> Path:
    """The rulebook's file, with texts in it replaced."""
    text = BOOK
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "extra.csv").write_text(table, encoding="utf-8")
    path = folder / "rulebook.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def plan_of(path: Path) -> Plan:
    """The plan of a file without errors."""
    sink = Sink()
    compiled = compile_file(path, path.name, sink)
    assert compiled is not None, [d.message for d in sink.sorted()]
    return compiled.plan


def book(folder: Path, *changes: tuple[str, str], table: str = TABLE) -> Plan:
    """The plan of the rulebook with texts in it replaced."""
    return plan_of(write(folder, *changes, table=table))
