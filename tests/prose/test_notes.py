"""What refuses what, what holds where nothing is found: said beside the rule, in both languages."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from spoken import compiled, text

from rxcalc.plan.nodes import Plan
from rxcalc.prose.model import Said, plain
from rxcalc.prose.rules import Rules

RULEBOOK = """rxcalc: 1
rulebook: notes
title: {en: Notes, zh: 说明}
version: "1"
status: fictional
currency: CNY
rounding: half-up
effective: {from: 2025-01-01, by: d}
inputs:
  episode_id: {type: code}
  d: {type: date}
  total: {type: money, label: {en: Total cost, zh: 总费用}}
  score: {type: number, min: 1, max: 9, label: {en: Score, zh: 分值}}
parameters:
  rate: {type: bands of percent over money, label: {en: Rate, zh: 比例}, values: {2025-01-01: [{to: 100, is: 50%}, {is: 80%}]}}
  line: {type: curve of money over number, label: {en: Line, zh: 曲线}, values: {2025-01-01: [{at: 0, is: 1}, {at: 4, is: 2}, {at: 4, is: 3}, {at: 9, is: 4}]}}
tables:
  prices: {file: prices.csv, key: code, columns: {price: {type: money, label: {en: Price, zh: 价格}}}, label: {en: Price list, zh: 价目表}}
lines:
  order: [num]
  inputs:
    num: {type: count}
    code: {type: code, label: {en: Code, zh: 编码}}
    amount: {type: money, label: {en: Amount, zh: 金额}}
  requires: [amount >= ¥1]
  steps:
    allowed:
      label: {en: Allowed amount, zh: 许可金额}
      rule: |
        when amount > ¥900 then reject because "too much"
        otherwise min(amount, prices[code].price)
    asked: {rule: "if code in prices then prices[code].price else ¥0"}
    place: {type: count, label: {en: Place, zh: 名次}, rule: rank(lines.amount)}
steps:
  small: {type: flag, label: {en: Small, zh: 小额}, rule: "if score > 3 then total < ¥100 else no"}
  reached: {label: {en: Reached amount, zh: 所达金额}, round: 0.01, rule: "bands_reach(rate, ¥90, ¥0 .. total)"}
  read: {label: {en: Read amount, zh: 所取金额}, round: 0.01, rule: "along(line, score) + sum(lines.allowed)"}
  third: {round: 0.01, rule: "total / score * 2"}
outputs: [reached, read]
"""


@cache
def notes() -> Plan:
    with TemporaryDirectory() as folder:
        (Path(folder) / "prices.csv").write_text("code,price\nA,10\n", "utf-8")
        path = Path(folder) / "rulebook.yaml"
        path.write_text(RULEBOOK, "utf-8")
        plan = compiled(path)
    assert plan is not None
    return plan


def both(level: str, name: str) -> tuple[str, str]:
    """A step in both languages."""
    return text(Rules(notes(), "en").step(level, name)), text(Rules(notes(), "zh").step(level, name))


def test_a_row_that_is_rejected_refuses_its_bill() -> None:
    english, chinese = both("lines", "allowed")
    assert "1. If the amount is more than ¥900: the whole bill is refused (reason: “too much”)." in english
    assert "1. 若金额高于¥900：整张单据不予受理（理由：“too much”）。" in chinese
    required = text(Rules(notes(), "en").requires("lines", 0))
    assert required == "It is required that the amount is not less than ¥1; else the whole bill is refused."
    assert text(Rules(notes(), "zh").requires("lines", 0)) == "须符合以下条件，否则整张单据不予受理：金额不低于¥1。"


def test_a_row_that_a_table_lacks_refuses_the_bill_and_the_rule_says_so() -> None:
    english, chinese = both("lines", "allowed")
    assert "Where a row that is needed is not in the price list, the whole bill is refused." in english
    assert "须查而价目表中没有该行的，整张单据不予受理。" in chinese
    assert "not in the price list" not in both("", "read")[0]
    assert "price list, the whole bill" not in both("lines", "asked")[0]  # the rule says itself what then holds
    assert "no row refuses what needs it" in text(Rules(notes(), "en").declared.table("prices"))


def test_a_target_that_is_not_reached_gives_the_upper_end() -> None:
    english, chinese = both("", "reached")
    assert (
        "Where no amount reaches the target, the upper end holds; a target of zero or less is reached at the" in english
    )
    assert "达不到目标的，取上限；目标为零或负数的，取下限。" in chinese


def test_equal_ones_take_their_places_in_order() -> None:
    english, chinese = both("lines", "place")
    assert "Of equal ones, the one that stands earlier in the order comes first." in english
    assert "相等者，以排列在前者为先。" in chinese


def test_a_jump_of_a_curve_is_told() -> None:
    blocks = Rules(notes(), "en").declared.parameter("line")
    assert any(
        isinstance(b, Said) and plain(b.sentence) == "Of two points at one place the second holds there."
        for b in blocks
    )
    assert "second holds there" not in text(Rules(notes(), "en").declared.parameter("rate"))


def test_a_choice_of_conditions_is_told_case_by_case() -> None:
    english, chinese = both("", "small")
    assert english == (
        "“Small” is what the first of these cases that applies gives:\n"
        "1. if the score is more than 3: whether (the total cost is less than ¥100).\n"
        "2. otherwise: no."
    )
    assert chinese == (
        "小额为按下列第一个成立的情形所得之值：\n1. 若分值高于3：是否（总费用低于¥100）。\n2. 其他情形：“否”。"
    )


def test_a_quotient_stands_in_brackets_before_times() -> None:
    english, chinese = both("", "third")
    assert "is (the total cost divided by the score) times 2." in english
    assert "为（总费用除以分值）乘以2。" in chinese
