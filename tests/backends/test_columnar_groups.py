"""Groups in columns: those inside one bill, held against the exact evaluator row by row."""

from __future__ import annotations

import pytest
from bills import agrees, compiled, made_up

INPUTS = """
inputs:
  episode_id: {type: code}
  day: {type: date}
  cap: {type: money, max: 3_000}
  wanted: {one_of: klass}
  wanted_day: {type: date}
lines:
  inputs:
    line_no: {type: count}
    code: {type: code}
    class: {one_of: klass, optional: yes}
    quantity: {type: number, min: -2, max: 1000, decimals: 2}
    amount: {type: money, max: 2_000}
    month: {type: count, min: 1, max: 4}
    extra: {type: flag}
  order: [line_no]
"""

BOOKS = {
    "groups of lines": """
  steps:
    month_spent: {rule: "months.spent"}
    month_facts: {type: count, rule: "months.codes * 1000 + months.counted * 100 + (if months.any_dear then 1 else 0)"}
    month_rest: {rule: "months.kept + months.weighted - over_part"}
    month_largest: {type: money, optional: yes, rule: "months.largest"}
    class_rest: {rule: "default(classes.spent, ¥0) - default(classes.back, ¥0)"}
    class_others: {type: money, optional: yes, rule: "if classes.others is known and classes.all_lines is known then classes.others + classes.all_lines else classes.back"}
    other_month: {type: money, optional: yes, rule: "months[1, extra].spent"}
    portion: {type: percent, round: {to: 0.01%, mode: half-up}, rule: "if month_spent = ¥0 then 0% else as_percent(amount / month_spent)"}
groups:
  months:
    of: lines
    by: {month: month, extra: extra}
    steps:
      spent: {rule: "sum(lines.amount)"}
      counted: {type: count, rule: "count(lines where lines.amount > cap)"}
      largest: {type: money, optional: yes, rule: "max(lines.amount where lines.class is known)"}
      codes: {type: count, rule: "count(distinct lines.code)"}
      any_dear: {type: flag, rule: "any(lines.amount > cap)"}
      over: {rule: "max(0, spent - cap / 4)"}
      weighted: {rule: "sum(lines.amount where lines.amount > spent / 3)"}
      rate: {type: percent, rule: "rates[wanted]"}
      kept: {rule: "spent * rate"}
    guarantees: ["kept <= spent"]
    spread: {over_part: {what: over, over: lines, by: amount}}
  classes:
    of: lines
    by: {class: class}
    steps:
      spent: {rule: "sum(lines.amount)"}
      back: {rule: "sum(lines.over_part)"}
      others: {rule: "sum(months.spent where months.spent < spent)"}
      all_lines: {rule: "sum(lines.amount)"}
parameters:
  rates: {type: percent, by: [klass], status: fictional, values: {2024-01-01: {a: 100%, b: 87.5%, c: 0%}, 2025-01-01: {a: 95%, b: 80%, c: 5%}}}
steps:
  total: {rule: "sum(months.spent)"}
  most: {type: money, optional: yes, rule: "max(months.spent where months.extra)"}
  kinds: {type: count, rule: "count(classes)"}
  of_wanted: {type: money, optional: yes, rule: "classes[wanted].spent"}
  of_month: {rule: "default(months[month(wanted_day), yes].over, ¥0) + default(months[2, no].spent, ¥3)"}
""",
    "groups of groups": """
  steps:
    due: {rule: "days.given + days.bonus"}
    left: {rule: "months.left + default(months[month].amount, ¥0)"}
groups:
  days:
    of: lines
    by: {month: month, code: code}
    steps:
      amount: {rule: "sum(lines.amount)"}
      share: {rule: "min(amount, ¥500)"}
      bonus: {rule: "months.left / 3"}
  months:
    of: days
    by: {month: month}
    steps:
      amount: {rule: "sum(days.share)"}
      left: {rule: "max(0, ¥800 - amount)"}
      codes: {type: count, rule: "count(days)"}
    spread: {given: {what: left, over: days, by: amount}}
steps:
  total: {rule: "sum(days.given) + sum(months.amount)"}
""",
}


@pytest.mark.parametrize("name", BOOKS)
def test_same_on_both_back_ends(name: str) -> None:
    """Results, problems and their messages are the same; only rows that are refused are looked at again."""
    plan = compiled(INPUTS + BOOKS[name] + "outputs: [total]\n")
    agrees(plan, made_up(plan, 1500, seed=len(name)), flagged=0.0)
