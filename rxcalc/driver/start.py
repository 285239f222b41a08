"""A first rulebook to change: it checks, its examples pass and use all of it."""

from __future__ import annotations

import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rxcalc.driver import find

NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,63}")

RULEBOOK: Final = """\
# A first rulebook, to be changed into yours. EVERY FIGURE IS MADE UP: put in those of your regulation, say where each
# stands (cite: source#place), and mark it `status: sourced`. Until then results say that they are fictional.
#
#   rxcalc check FOLDER               every error, with its place and what to do
#   rxcalc test FOLDER --coverage     the examples, and what of the rules none of them uses
#   rxcalc fmt FOLDER                 one spelling for the whole team
#   rxcalc explain BILL -r FOLDER     one bill, step by step
#
# For completion in an editor: run `rxcalc schema rulebook -o rulebook.schema.json` here, and begin this file with
# the line `# yaml-language-server: $schema=rulebook.schema.json`.
rxcalc: 1
rulebook: {name}
title: {{en: First rulebook, zh: 示例规则}}
version: "1"
status: fictional
currency: CNY
rounding: half-up  # each amount once, to the fen
effective: {{from: 2025-01-01, by: discharge_date}}  # bills from this day on; `by` is the date that decides

sources:
  regulation: {{title: "Title and number of the regulation", date: 2024-12-01, status: fictional}}

# What is known of one bill. Aliases are other headers that a file may have.
inputs:
  episode_id: {{type: code, label: {{en: Bill, zh: 就诊号}}, aliases: [就诊号]}}
  discharge_date: {{type: date, label: {{en: Discharge, zh: 出院日期}}, aliases: [出院日期]}}
  level:
    one_of:
      town: {{label: {{en: Township, zh: 乡镇}}, aliases: [乡镇]}}
      county: {{label: {{en: County, zh: 县级}}, aliases: [县级]}}
      city: {{label: {{en: City, zh: 市级}}, aliases: [市级]}}
    label: {{en: Hospital level, zh: 医院等级}}
    aliases: [医院等级]
  total: {{type: money, label: {{en: Total cost, zh: 总费用}}, aliases: [总费用]}}
  in_scope: {{type: money, label: {{en: Cost in scope, zh: 政策范围内费用}}, aliases: [政策范围内费用]}}

# Bills that cannot be right are refused, with their figures.
requires:
  - {{that: in_scope <= total, say: {{en: the cost in scope is part of the total, zh: 政策范围内费用不超过总费用}}}}

# Values by the date from which they hold. Add a date when they change, and leave the old one: old bills need it.
parameters:
  deductible:
    label: {{en: Deductible, zh: 起付线}}
    cite: regulation#article 1
    type: money
    by: [level]
    values:
      2025-01-01: {{town: 100, county: 300, city: 800}}
  rate:
    label: {{en: Reimbursement rate, zh: 报销比例}}
    cite: regulation#article 2
    type: percent
    by: [level]
    values:
      2025-01-01: {{town: 90%, county: 80%, city: 65%}}

# What is computed, step by step. The first clause that holds decides; `because` is what an explanation says.
steps:
  deductible_due:
    label: {{en: Deductible paid, zh: 起付线以下自付}}
    cite: regulation#article 1
    rule: |
      when in_scope <= deductible[level] then in_scope  because below_deductible
      otherwise deductible[level]  because full_deductible
  fund_amount:
    label: {{en: Fund, zh: 基金支付}}
    cite: regulation#article 2
    rule: (in_scope - deductible_due) * rate[level]

messages:
  below_deductible: {{en: the cost stays below the deductible, zh: 未超过起付线}}
  full_deductible: {{en: the whole deductible is due, zh: 已达到起付线}}

# Who bears each yuan of the total. The parts must add up; `rest` is what is left.
shares:
  bill:
    of: total
    fund: {{is: fund_amount, label: {{en: Fund, zh: 基金支付}}}}
    patient:
      deductible: {{is: deductible_due, reason: PR-1, label: {{en: Deductible, zh: 起付线}}}}
      coinsurance:
        is: in_scope - deductible_due - fund_amount
        reason: PR-2
        label: {{en: Coinsurance, zh: 按比例自付}}
      not_covered: {{is: rest, reason: PR-96, label: {{en: Outside the scope, zh: 政策范围外费用}}}}

# What must hold for every bill, whatever is changed above.
guarantees:
  - fund_amount <= in_scope
  - increasing: {{what: fund_amount, in: in_scope}}
outputs: [deductible_due, fund_amount, fund_pays, patient_pays]
"""

EXAMPLES: Final = """\
# Each expected amount is worked out by hand, from the regulation, not copied from what rxcalc prints.

# County: deductible 300, rate 80%.
#   above the deductible   5,300.50 - 300.00               = 5,000.50
#   fund                   5,000.50 x 80%                  = 4,000.40
#   coinsurance            5,000.50 - 4,000.40             = 1,000.10
#   outside the scope      6,000.00 - 5,300.50             =   699.50
#   patient                300.00 + 1,000.10 + 699.50      = 1,999.60
- example: county hospital
  by: "hand: (5,300.50 - 300.00) x 80% = 4,000.40"
  episode: {episode_id: E1, discharge_date: 2025-03-10, level: county, total: 6000.00, in_scope: 5300.50}
  expect:
    deductible_due: 300.00
    fund_amount: 4000.40
    patient.deductible: 300.00
    patient.coinsurance: 1000.10
    patient.not_covered: 699.50
    fund_pays: 4000.40
    patient_pays: 1999.60

- example: below the deductible of a township hospital
  by: "hand: 62.35 is less than 100.00, so the fund pays nothing; 80.00 - 62.35 = 17.65 is outside the scope"
  episode: {episode_id: E2, discharge_date: 2025-03-10, level: town, total: 80.00, in_scope: 62.35}
  expect: {deductible_due: 62.35, fund_pays: 0.00, patient.not_covered: 17.65, patient_pays: 80.00}

- example: half a fen in a city hospital
  by: "hand: (10,000.01 - 800.00) x 65% = 5,980.0065, rounded half up to 5,980.01; 12,000.00 - 5,980.01 = 6,019.99"
  episode: {episode_id: E3, discharge_date: 2025-01-01, level: city, total: 12000.00, in_scope: 10000.01}
  expect: {deductible_due: 800.00, fund_pays: 5980.01, patient.coinsurance: 3220.00, patient_pays: 6019.99}

- example: more in scope than was billed
  by: "120.00 is more than 100.00"
  episode: {episode_id: E4, discharge_date: 2025-03-10, level: county, total: 100.00, in_scope: 120.00}
  rejects: RX722
"""


@dataclass(frozen=True, slots=True)
class NotStarted:
    """Why no rulebook was begun."""

    message: str
    help: str


def start(name: str, parent: Path) -> Path | NotStarted:
    """Makes the folder `parent/name` with a rulebook and its examples; it appears whole or not at all."""
    if not NAME.fullmatch(name):
        near = re.sub(r"[^a-z0-9_-]+", "-", name.lower()).strip("-_")[:64]
        hint = f"; `{near}` would do" if NAME.fullmatch(near) else ""
        return NotStarted(
            f"`{name}` cannot be the name of a rulebook",
            f"a name has small letters, digits, - and _, a letter first{hint}",
        )
    if name in {found.path.parent.name for found in find.shipped()}:
        return NotStarted(
            f"`{name}` is a rulebook that comes with rxcalc", "choose another name, so that nobody mixes them up"
        )
    if not parent.is_dir():
        return NotStarted(f"there is no folder `{parent}`", "make it first, or choose another one with --in")
    folder = parent / name
    if folder.exists() or folder.is_symlink():
        return NotStarted(f"`{folder}` exists already", "choose another name, or another folder with --in")
    made: Path | None = None
    try:
        made = Path(tempfile.mkdtemp(prefix=f".{name}.", dir=parent))
        (made / "examples").mkdir()
        (made / "rulebook.yaml").write_text(RULEBOOK.format(name=name), encoding="utf-8", newline="\n")
        (made / "examples" / "first.yaml").write_text(EXAMPLES, encoding="utf-8", newline="\n")
        made.chmod((made / "examples").stat().st_mode & 0o777)  # mkdtemp's own is private
        made.rename(folder)
    except OSError as problem:
        if made is not None:
            shutil.rmtree(made, ignore_errors=True)
        return NotStarted(f"cannot write `{folder}`: {problem.strerror}", "choose another folder with --in")
    return folder
