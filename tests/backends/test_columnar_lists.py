"""Lists in columns: every rulebook here gives the same on both back ends, row by row, for thousands of made-up bills."""

from __future__ import annotations

from fractions import Fraction
from functools import partial

import polars as pl
import pytest
from bills import agrees, compiled, frames, made_up, run

from rxcalc.backends.columnar import Columnar
from rxcalc.backends.exact import Exact
from rxcalc.backends.replay import run_known

INPUTS = """
inputs:
  episode_id: {type: code}
  day: {type: date}
  cap: {type: money, max: 3_000}
  level: {one_of: [one, two]}
  bonus: {type: money, min: -500, max: 500, optional: yes}
lines:
  inputs:
    line_no: {type: count}
    code: {type: code}
    class: {one_of: klass}
    quantity: {type: number, min: -2, max: 1000, decimals: 2}
    amount: {type: money, max: 2_000}
    limit: {type: money, optional: yes, max: 1_500}
    parent: {type: code, optional: yes}
    on: {type: date}
    extra: {type: flag}
  order: [line_no]
"""

BOOKS = {
    "amounts of lines, and totals": """
  requires:
    - {that: "amount <= ¥1_999 or extra", say: too much}
  steps:
    excess: {rule: "if limit is known then max(0, amount - limit) else ¥0"}
    rate: {type: percent, rule: "shares_of[class]"}
    covered: {rule: "(amount - excess) * rate * pay_rate"}
    part: {type: percent, round: {to: 0.01%, mode: half-up}, rule: "if total = ¥0 then 0% else as_percent(amount / total)"}
    kind: {one_of: [more, less], rule: "if amount > average then more else less"}
    ceiling: {rule: "if code in prices then prices[code].price * max(0, quantity) else amount"}
    always: {rule: "prices[code].price"}
    year_of: {type: count, rule: "year(on) + year(day)"}
    marked: {type: flag, rule: "extra and amount > cap"}
  guarantees: ["covered <= amount"]
parameters:
  shares_of: {type: percent, by: [klass], status: fictional, values: {2024-01-01: {a: 100%, b: 87.5%, c: 0%}, 2025-01-01: {a: 95%, b: 80%, c: 5%}}}
  base_rate: {type: percent, by: [level], status: fictional, values: {2024-01-01: {one: 90%, two: 80%}}}
tables:
  prices: {file: tables/prices.csv, key: [code], columns: {price: money}, status: fictional}
steps:
  pay_rate: {rule: "base_rate[level]"}
  total: {rule: "sum(lines.amount)"}
  average: {rule: "if count(lines) = 0 then ¥0 else total / count(lines)"}
  dear: {type: count, rule: "count(lines where lines.kind = more)"}
  over_cap: {rule: "sum(lines.amount where lines.amount > cap and lines.class != c)"}
  over: {rule: "sum(lines.amount - cap where lines.amount > cap)"}
  any_b: {type: flag, rule: "any(lines.class = b where lines.extra)"}
  all_b: {type: flag, rule: "all(lines.class != c)"}
  largest: {type: money, optional: yes, rule: "max(lines.amount where lines.class = c)"}
  first_day_of: {type: date, optional: yes, rule: "min(lines.on)"}
  limits: {type: money, optional: yes, rule: "min(lines.limit where lines.limit is known)"}
  codes_seen: {type: count, rule: "count(distinct lines.code)"}
  classes: {type: count, rule: "count(distinct lines.class where lines.amount > ¥7)"}
  known_parents: {type: count, rule: "count(distinct lines.parent where lines.parent is known)"}
  fund: {rule: "min(cap, sum(lines.covered))"}
shares:
  bill:
    of: total
    fund: {pool: fund}
    patient: {rest: {is: rest, reason: PR-2}}
outputs: [total, fund]
""",
    "lines that ask about each other": """
  steps:
    same_code: {rule: "sum(lines.amount where lines.code = code)"}
    same_class: {type: count, rule: "count(lines where lines.class = class and lines.amount > cap)"}
    both: {type: money, optional: yes, rule: "max(lines.amount where lines.class = class and lines.code = code)"}
    children: {rule: "sum(lines.amount where lines.parent is known and lines.parent = code)"}
    amount_again: {type: count, rule: "count(lines where lines.amount = amount)"}
    others: {type: count, rule: "count(distinct lines.code where lines.class = class)"}
    any_later: {type: flag, rule: "any(lines.on > on where lines.code = code)"}
    all_cheaper: {type: flag, rule: "all(lines.amount <= amount where lines.class != class)"}
    gap: {rule: "sum(abs(lines.amount - amount) where lines.line_no != line_no)"}
    near: {type: date, optional: yes, rule: "min(lines.on where lines.on > on and lines.class = class)"}
    quotient: {type: flag, rule: "any(lines.amount / lines.quantity > cap where lines.code = code)"}
    divided: {type: flag, rule: "all(lines.amount / quantity >= ¥0 where lines.class = class)"}
    place: {type: count, rule: "rank(lines.amount)"}
    place_in: {type: count, rule: "rank(lines.amount where lines.class = class)"}
    place_of: {type: count, rule: "rank(lines.on where lines.amount > amount)"}
    place_if: {type: count, rule: "rank(lines.quantity where lines.amount > cap)"}
    half: {rule: "if place = 1 then amount else amount / 2"}
steps:
  total: {rule: "sum(lines.half)"}
outputs: [total]
""",
    "what stands above": """
  steps:
    before: {rule: "above.sum(amount)"}
    count_before: {type: count, rule: "above.count()"}
    dear_before: {type: count, rule: "above.count(where above.amount > cap)"}
    same_before: {rule: "above.sum(amount where above.code = code)"}
    more_before: {rule: "above.sum(amount where above.amount > amount)"}
    first_amount: {type: money, optional: yes, rule: "above.first(amount)"}
    last_b: {type: money, optional: yes, rule: "above.last(limit where above.class = b)"}
    last_same: {type: date, optional: yes, rule: "above.last(on where above.class = class)"}
    best: {type: money, optional: yes, rule: "above.max(amount where above.class != c)"}
    worst: {type: money, optional: yes, rule: "above.min(amount where above.code = code)"}
    kinds: {type: count, rule: "above.count(distinct code)"}
    kinds_of: {type: count, rule: "above.count(distinct code where above.class = class)"}
    first_half: {rule: "above.sum(above.amount / 2 where above.extra and above.on <= on)"}
    left: {rule: "max(0, cap - before)"}
steps:
  total: {rule: "sum(lines.left)"}
  last_before: {type: money, optional: yes, rule: "max(lines.before)"}
outputs: [total]
""",
    "balances that run down the bill": """
  steps:
    share: {rule: "amount * 80%"}
    pays: {rule: "min(share, max(0, cap - above.sum(pays)))"}
    owed: {rule: "if above.count(where above.owed > ¥100) >= 2 then ¥0 else amount - pays"}
    by_code: {rule: "min(amount, max(0, ¥500 - above.sum(by_code where above.code = code)))"}
    state: {one_of: klass, rule: "if class = b and default(above.last(state), a) != c then c else class"}
    trend: {rule: "min(¥700, max(default(above.max(trend), ¥0), amount / 3)) - ¥1"}
    step_a: {rule: "max(0, min(amount, ¥300 + above.sum(step_b)))"}
    step_b: {rule: "max(-¥5, min(¥100, step_a + above.sum(step_a where above.extra)))"}
    split: {rule: "if above.sum(split) > cap then amount / quantity * 0 else min(amount, ¥900)"}
steps:
  fund: {rule: "sum(lines.pays)"}
  total: {rule: "sum(lines.amount)"}
  states: {type: count, rule: "count(lines where lines.state = c)"}
outputs: [total]
""",
    "spreads": """
  steps:
    weight: {rule: "if extra then ¥0 else amount"}
    back: {rule: "default(limit, ¥0) + part_by_amount + part_by_code"}
spread:
  part_by_amount: {what: fund, over: lines, by: amount}
  part_by_code: {what: adjusted, over: lines, by: "weights_of[class]"}
  by_quantity: {what: small, over: lines, by: quantity}
parameters:
  weights_of: {type: number, by: [klass], status: fictional, values: {2024-01-01: {a: 1, b: 0.3, c: 0}}}
steps:
  total: {rule: "sum(lines.amount)"}
  fund: {rule: "min(cap, total)"}
  adjusted: {rule: "if count(lines where lines.class != c) = 0 then ¥0 else default(bonus, ¥0)"}
  small: {rule: "if level = one then ¥0 else ¥0.07"}
  sum_back: {rule: "sum(lines.back)"}
outputs: [total]
""",
    "what no column holds": """
  steps:
    deep: {round: {to: 0.01, mode: half-up}, type: number, rule: "root(1 + amount / ¥1_000, 2)"}
    ratio: {type: percent, round: none, rule: "as_percent(amount / ¥3)"}
    exact_part: {type: percent, round: none, rule: "as_percent(amount / max(cap, ¥1))"}
steps:
  parts: {type: percent, round: {to: 0.01%, mode: half-up}, rule: "sum(lines.exact_part)"}
  total: {rule: "sum(lines.amount)"}
  grown: {type: number, round: {to: 0.01, mode: half-up}, rule: "if level = one then 0 else sum(lines.deep)"}
outputs: [total]
""",
}


@pytest.mark.parametrize("name", BOOKS)
def test_same_on_both_back_ends(name: str) -> None:
    """Results, problems and their messages are the same; only rows that are refused are looked at again."""
    plan = compiled(INPUTS + BOOKS[name])
    agrees(plan, made_up(plan, 1500, seed=len(name)), flagged=1.0 if "no column" in name else 0.0)


SEVERAL = """
inputs:
  episode_id: {type: code}
  day: {type: date}
  target: {type: money, max: 100_000_000_000_000_000}
lines:
  inputs:
    line_no: {type: count}
    class: {one_of: klass}
    day_of: {type: date}
    amount: {type: money, max: 100_000_000_000_000_000}
  order: [class, day_of, line_no]
  required: yes
  steps:
    last_premium: {type: money, optional: yes, rule: "max(premiums.paid where premiums.on <= day_of)"}
    premiums_before: {type: count, rule: "count(premiums where premiums.on < day_of and premiums.class = class)"}
    running: {rule: "above.sum(amount)"}
    place: {type: count, rule: "rank(lines.amount)"}
    doubled: {rule: "amount * 2 + shares_of_premiums"}
lists:
  premiums:
    inputs: {on: {type: date}, class: {one_of: klass}, paid: {type: money, max: 5_000}}
    steps:
      class_amount: {rule: "sum(lines.amount where lines.class = class)"}
      part: {rule: "if premium_total = ¥0 then ¥0 else paid / premium_total * ¥100"}
  visits:
    inputs: {month: {type: date}, weight: {type: number, min: 0, max: 1_000_000, decimals: 6}}
    order: [month]
spread:
  shares_of_premiums: {what: premium_total, over: lines, by: amount}
  by_visit: {what: target, over: visits, by: weight}
steps:
  premium_total: {rule: "sum(premiums.paid)"}
  total: {rule: "sum(lines.amount)"}
  best: {rule: "sum(lines.place)", type: count}
  parts: {rule: "sum(premiums.part)"}
  visited: {rule: "if count(visits) = 0 then ¥0 else sum(visits.by_visit)"}
outputs: [total]
"""


def test_several_lists() -> None:
    """Lines that ask about another list, wide amounts, values of a set in the order, a list without order, one that must have rows."""
    plan = compiled(SEVERAL)
    bills = made_up(plan, 1500, seed=7, doubled=0.05)
    for at, bill in enumerate(bills):
        if at % 3:
            bill["target"] = bill["target"] % 7
        if at % 5 == 0:
            bill["target"] = Fraction(0)
    result = agrees(plan, bills, flagged=0.0)
    assert {"RX805", "RX807", "RX808"} <= {problem.code for _, problem in result.problems}
    assert result.values["total"].dtype == pl.Int128


def test_pieces_give_the_same() -> None:
    """How many bills are computed at once makes no difference, nor does leaving long ones to the exact evaluator."""
    plan = compiled(INPUTS + BOOKS["balances that run down the bill"])
    bills = made_up(plan, 200, seed=3)
    whole = agrees(plan, bills, flagged=0.0)
    for at_once, turn in ((5, 0), (37, 0), (100_000, 40)):
        again = run(plan, bills, at_once=at_once, turn=turn)
        assert again.values.equals(whole.values)
        assert again.lists["lines"].equals(whole.lists["lines"])
        assert again.problems == whole.problems


def test_no_lines_at_all() -> None:
    """Lists may be empty, or not given; episodes too."""
    plan = compiled(INPUTS + BOOKS["what stands above"])
    bills = made_up(plan, 50, seed=2)
    for bill in bills:
        bill["lines"] = ()
    agrees(plan, bills, flagged=0.0)
    exact = Exact(plan)
    main, _ = frames(plan, bills)
    found = Columnar(plan, partial(run_known, exact)).run(main, ["total"], list_outputs={"lines": ["before"]})
    assert found.values["total"].to_list() == [0] * 50
    assert found.lists["lines"].columns == ["__row", "before"]
    none = Columnar(plan, partial(run_known, exact)).run(main.clear(), ["total"], list_outputs={"lines": ["before"]})
    assert none.values.height == none.lists["lines"].height == 0


def test_lines_of_episodes_that_are_not_there() -> None:
    """Rows of a list whose episode is marked bad, or not in the frame, are left out."""
    plan = compiled(INPUTS + BOOKS["what stands above"])
    bills = made_up(plan, 200, seed=4)
    exact = Exact(plan)
    main, lists = frames(plan, bills)
    some = main.filter(pl.col("__row") % 3 == 0)
    found = Columnar(plan, partial(run_known, exact)).run(
        some, ["total"], lists=lists, list_outputs={"lines": ["left"]}
    )
    whole = Columnar(plan, partial(run_known, exact)).run(
        main, ["total"], lists=lists, list_outputs={"lines": ["left"]}
    )
    assert found.values.equals(whole.values.filter(pl.col("__row") % 3 == 0))
    assert found.lists["lines"].equals(whole.lists["lines"].filter(pl.col("__row") % 3 == 0))


def test_more_rows_than_a_bill_may_have() -> None:
    """100,001 lines are refused, 100,000 are computed."""
    plan = compiled(
        INPUTS
        + """
steps:
  total: {rule: "sum(lines.amount)"}
outputs: [total]
"""
    )
    bill = made_up(plan, 1, seed=4)[0]
    line = made_up(plan, 30, seed=5)[-1]["lines"][0]
    bills = [{**bill, "lines": tuple({**line, "line_no": at} for at in range(size))} for size in (100_000, 100_001)]
    result = agrees(plan, bills)
    assert [problem.code for _, problem in result.problems] == ["RX820"]


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 105))
@pytest.mark.parametrize("name", BOOKS)
def test_same_on_many_bills(name: str, seed: int) -> None:
    """The same for more bills, in pieces of any size."""
    plan = compiled(INPUTS + BOOKS[name])
    bills = made_up(plan, 1200, seed=seed)
    agrees(plan, bills, flagged=1.0 if "no column" in name else 0.0, at_once=[40, 1_000_000, 777][seed % 3])
