"""A small rulebook with one of everything that a site shows, and its examples."""

from __future__ import annotations

from pathlib import Path

RULEBOOK = """\
rxcalc: 1
rulebook: small
title: {en: Small rules, zh: 小规则}
version: "3"
status: illustrative
note:
  en: |
    First paragraph
    goes on.

    Second one.
currency: CNY
rounding: half-up
effective: {from: 2024-01-01, by: day}
sources:
  law: {title: {en: The law, zh: 法规}, date: 2023-12-01, status: sourced, url: "https://example.org/law"}
  idle: {title: Never used}
inputs:
  episode_id: {type: code}
  person_id: {type: code}
  day: {type: date}
  total: {type: money, label: {en: Total, zh: 总额}, cite: law#article 9, note: Of the bill.}
  level: {one_of: {town: {label: {en: Township, zh: 乡镇}, aliases: [乡]}, city: {}}, ordered: yes}
  spare: {type: text, optional: yes}
requires:
  - {that: total >= sum(lines.amount), say: the lines are part of the bill, cite: law#article 10}
sequence: {by: person_id, order: [day, episode_id]}
windows: {before: {all: yes}}
parameters:
  deductible:
    type: money
    by: [level]
    cite: law#article 2
    status: sourced
    values:
      2024-01-01: {town: 10, city: 50}
      2025-01-01: {town: 10, city: 60}
  rate:
    type: bands of percent over money
    values: {2024-01-01: [{to: 100, is: 50%}, {is: 20%}]}
tables:
  prices: {file: prices.csv, key: [code], columns: {price: {type: money}}, cite: law}
lines:
  inputs: {line_no: {type: count}, code: {type: code}, amount: {type: money}}
  order: [line_no]
  steps:
    excess:
      rule: |
        when code in prices then max(0, amount - prices[code].price)
        otherwise ¥0
steps:
  first_time:
    rule: before.count() = 0
  used: {rule: before.sum(pays)}
  base_due:
    label: {en: Deductible due, zh: 起付额}
    cite: [law#article 2, law#article 10]
    rule: |
      when not first_time then ¥0  because later
      otherwise min(total, deductible[level])
  kind:
    table:
      hit: first
      of: [level, first_time]
      rows:
        - {when: [town, yes], then: 1}
        - {otherwise: 2}
  pays: {rule: "bands(rate, base_due .. max(base_due, total)) + ¥1 * kind - ¥1 * kind"}
  lost: {rule: sum(lines.excess)}
shares:
  bill:
    of: total
    fund: {is: pays, cite: law#article 3}
    patient:
      base: {is: base_due, reason: A-1}
      own: {is: rest, reason: A-2}
guarantees:
  - pays <= total
  - increasing: {what: pays, in: total}
checks:
  - {name: dear, when: total > ¥1_000, say: dear, amount: total}
groups:
  year:
    of: episodes
    by: {in_year: year(day)}
    steps:
      paid: {rule: sum(episodes.pays), cite: law#article 3}
messages:
  later: {en: not the first time, zh: 非首次}
outputs: [base_due, pays, patient_pays]
"""
PRICES = "code,price\nA,30.00\nB,40.00\n"
# Total 150 in the town, first time: 10 due, then 90 x 50% + 50 x 20% = 55.
EXAMPLES = """\
- example: first
  by: "hand: 90 x 50% + 50 x 20% = 55"
  episode: {episode_id: E1, person_id: P, day: 2024-05-01, total: 150, level: town}
  lines: [{line_no: 1, code: A, amount: 50}]
  expect: {base_due: 10.00, pays: 55.00, fund: 55.00, patient.own: 85.00, lost: 20.00}
- example: below zero
  by: "5 is less than 6"
  episode: {episode_id: E2, person_id: P, day: 2024-05-01, total: 5, level: town}
  lines: [{line_no: 1, code: A, amount: 6}]
  rejects: RX722
"""


def make(folder: Path, rulebook: str = RULEBOOK, examples: str = EXAMPLES) -> Path:
    (folder / "examples").mkdir(parents=True, exist_ok=True)
    (folder / "rulebook.yaml").write_text(rulebook, encoding="utf-8")
    (folder / "prices.csv").write_text(PRICES, encoding="utf-8")
    (folder / "examples" / "all.yaml").write_text(examples, encoding="utf-8")
    return folder / "rulebook.yaml"
