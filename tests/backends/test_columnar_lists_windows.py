"""Lists together with windows: waves of bills with their lines, held against the exact evaluator."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any

import pytest
from bills import agrees, compiled, made_up

from rxcalc.plan.nodes import Plan

INPUTS = """
inputs:
  episode_id: {type: code}
  person_id: {type: code}
  day: {type: date}
  ward: {one_of: klass}
  cap: {type: money, max: 3_000}
  quantity: {type: number, min: 0, max: 9, decimals: 2}
lines:
  inputs:
    line_no: {type: count}
    code: {type: code}
    class: {one_of: klass}
    quantity: {type: number, min: -2, max: 100, decimals: 2}
    amount: {type: money, max: 2_000}
  order: [line_no]
  requires:
    - {that: "amount <= ¥1_990", say: too much}
"""

SEQUENCE = """
sequence: {by: person_id, order: [day, episode_id]}
windows:
  this_year: {calendar: year, date: day}
  before: {all: yes}
  lately: {rolling: 90 days, date: day}
"""

BOOKS = {
    "episodes look back on what their lines gave": """
  steps:
    share: {rule: "amount * 80%"}
    pays: {rule: "min(share, max(0, left - above.sum(pays)))"}
    part: {rule: "if total = ¥0 then ¥0 else amount / total * used"}
    price: {rule: "if class = c then prices[code].price else ¥1"}
tables:
  prices: {file: tables/prices.csv, key: [code], columns: {price: money}, status: fictional}
steps:
  total: {rule: "sum(lines.amount)"}
  used: {rule: "this_year.sum(fund)"}
  left: {rule: "max(0, cap - used)"}
  fund: {rule: "sum(lines.pays)"}
  same_ward: {rule: "before.sum(fund where before.ward = ward)"}
  dearer: {type: count, rule: "lately.count(where lately.total > total)"}
  last_fund: {type: money, optional: yes, rule: "before.last(fund)"}
spread:
  given: {what: fund, over: lines, by: amount}
""",
    "nothing looks back but the order": """
  steps:
    share: {rule: "amount * 80%"}
steps:
  total: {rule: "sum(lines.share)"}
""",
    "lines look back": """
  steps:
    seen: {type: count, rule: "this_year.count(where this_year.ward = class)"}
    used: {rule: "this_year.sum(fund where this_year.total > amount)"}
    pays: {rule: "max(0, amount - used / 10 - seen * ¥3)"}
steps:
  total: {rule: "sum(lines.amount)"}
  fund: {rule: "min(cap, sum(lines.pays))"}
""",
    "earlier lines": """
  steps:
    before_this: {type: number, rule: "this_year.sum(this_year.lines.quantity where this_year.lines.code = code)"}
    pays: {rule: "if before_this > 10 then ¥0 else amount"}
steps:
  total: {rule: "sum(lines.pays)"}
  earlier_lines: {rule: "before.sum(before.lines.pays)"}
""",
}

BOOKS["earlier lines where they are read"] = """
  steps:
    pays: {rule: "amount"}
steps:
  total: {rule: "if cap > ¥2_000 and this_year.sum(this_year.lines.quantity) > 10 then ¥0 else cap"}
"""


def persons(plan: Plan, count: int, seed: int) -> list[dict[str, Any]]:
    """Bills of persons with one to many episodes."""
    pick = random.Random(seed)
    bills = made_up(plan, count, seed, most=6)
    for bill in bills:
        bill["person_id"] = f"P{int(pick.random() ** 2 * count / 3):04}"
        bill["day"] = date(2024, 1, 1) + timedelta(days=pick.randrange(730))
    return bills


@pytest.mark.parametrize("after", ["refuse", "compute"])
@pytest.mark.parametrize("name", BOOKS)
def test_same_on_both_back_ends(name: str, after: str) -> None:
    """Results, problems, marks and what is looked at again."""
    plan = compiled(INPUTS + BOOKS[name] + SEQUENCE + "outputs: [total]\n")
    bills = persons(plan, 800, seed=len(name))
    agrees(plan, bills, flagged=0.0 if name.startswith(("episodes", "nothing")) else 1.0, after_reject=after)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", BOOKS)
def test_same_on_many_bills(name: str, seed: int) -> None:
    """The same for more bills, long persons on the exact evaluator too."""
    plan = compiled(INPUTS + BOOKS[name] + SEQUENCE + "outputs: [total]\n")
    bills = persons(plan, 1500, seed)
    after = ["refuse", "compute"][seed % 2]
    agrees(plan, bills, after_reject=after, wave=[0, 5, 60][seed % 3], turn=[0, 20][seed % 2])
