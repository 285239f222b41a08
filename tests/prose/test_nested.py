"""Sums, products and limits within one another, on one line and as numbered points, read back in both languages."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import test_read_back
import test_read_back_zh
from spoken import EVERY, SHIPPED, compiled, generated, laid_text, roots

from rxcalc.plan.nodes import Plan
from rxcalc.prose import points as laying
from rxcalc.prose.expressions import Expressions
from rxcalc.prose.names import Names
from rxcalc.prose.phrase import CLOSED, Phrase
from rxcalc.prose.points import Points
from rxcalc.prose.written import tree

HEAD = """rxcalc: 1
rulebook: nested
title: {en: Nested, zh: 算式}
version: "1"
status: fictional
currency: CNY
rounding: half-up
effective: {from: 2025-01-01, by: d}
inputs:
  episode_id: {type: code}
  d: {type: date}
  a: {type: money, label: {en: Total cost, zh: 总费用}}
  b: {type: money, label: {en: Cap, zh: 封顶线}}
  c: {type: money, optional: true, label: {en: Fee, zh: 挂号费}}
  e: {type: money, label: {en: Deductible, zh: 起付线}}
  n: {type: number, min: 1, max: 9, label: {en: Weight, zh: 权重}}
  f: {type: flag, label: {en: Emergency, zh: 急诊}}
lines:
  order: [num]
  inputs: {num: {type: count}, x: {type: money, label: {en: Amount, zh: 金额}}, y: {type: money, label: {en: Price, zh: 价格}}}
steps:
"""
KNOWN = (
    "max(¥0, a - b) - max(¥0, default(c, ¥0) - (e - a)) - ¥1",
    "a - b / n - e / n - (a / n - e)",
    "a - (b - (default(c, ¥0) - ¥3)) - a / 4 * 2",
    "a - clamp(b - e, ¥0, a) - default(c, a - b) - (if f then a - b else e)",
    "min(a, sum(lines.x))",
    "a + sum(lines.x) * n - b",
    "max(sum(lines.x), sum(lines.y where lines.y > lines.x), a - sum(lines.y))",
    "a / n - abs(a - b) / n - abs(b) - -(a - b)",
)


def money(r: random.Random, depth: int) -> str:
    """A formula of an amount."""
    if depth == 0:
        return r.choice(("a", "b", "e", "¥0", "¥250", "default(c, ¥0)", "sum(lines.x)", "default(max(lines.y), ¥0)"))
    x, y, z = (money(r, r.randrange(depth)) for _ in "xyz")
    most = money(r, depth - 1)
    return r.choice(
        (
            f"({most}) - ({x})", f"({x}) - ({most}) + ({y})", f"({x}) + ({y}) - ({most})", f"({most}) * n",
            f"({most}) / (n + 1)", f"80% * ({most})", f"-({most})", f"max(¥0, {most})", f"min(¥900, {most})",
            f"min({most}, {x})", f"max({x}, {most}, {y})", f"clamp({most}, ¥1, {x})", f"abs({most})",
            f"default(c, {most})", f"(if ({most}) > ({x}) then ({y}) else ({z}))", f"round({most}, ¥10)",
            "sum(lines.x - (a - b / n))", "sum(lines.y where lines.x > min(a, b) - e)",
            f"(if f and ({x}) < ({y}) or ({z}) = ({most}) then a else b)",
        )
    )  # fmt: skip


def nested(folder: Path, formulas: tuple[str, ...]) -> Plan:
    """The plan of a rulebook with these formulas."""
    folder.mkdir()
    lines = [f'  p{at}: {{type: money, optional: true, round: 0.01, rule: "{f}"}}\n' for at, f in enumerate(formulas)]
    outputs = ", ".join(f"p{at}" for at in range(len(formulas)))
    path = folder / "rulebook.yaml"
    path.write_text(HEAD + "".join(lines) + f"outputs: [{outputs}]\n", "utf-8")
    plan = compiled(path)
    assert plan is not None, path
    return plan


def wrong(plan: Plan) -> list[object]:
    """What the readers of either language read as something else."""
    return [*test_read_back.wrong(plan)[1], *test_read_back_zh.wrong(plan)[1]]


@pytest.mark.parametrize("longest", [laying.LONGEST, ((40, 16), (36, 14)), ((0, 0),)], ids=["usual", "short", "none"])
def test_what_is_nested_reads_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, longest: object) -> None:
    r = random.Random(7)
    generated = tuple(money(r, 3) for _ in range(40))
    plan = nested(tmp_path / "r", (*KNOWN, *generated))
    monkeypatch.setattr(laying, "LONGEST", longest)
    assert wrong(plan) == []


@pytest.mark.long
def test_so_does_much_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    r = random.Random(8)
    for seed in range(8):
        plan = nested(tmp_path / str(seed), tuple(money(r, 3 + seed % 2) for _ in range(40)))
        monkeypatch.setattr(laying, "LONGEST", (laying.LONGEST, ((40, 16), (36, 14)), ((0, 0),))[seed % 3])
        assert wrong(plan) == [], seed


def test_points_that_lack_their_brackets_are_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`minus the fee minus the deductible, but at least 0` as a point of a sum."""

    def bare(self: Points, sign: int, x: object) -> object:
        return self._value(x) if sign > 0 else self._labelled("less", x)  # type: ignore[arg-type]

    plan = nested(tmp_path / "r", KNOWN[:4])
    monkeypatch.setattr(laying, "LONGEST", ((0, 0),))
    monkeypatch.setattr(Points, "_term", bare)
    assert len({str(w[0]) for w in test_read_back.wrong(plan)[1]}) == 4
    assert len({str(w[0]) for w in test_read_back_zh.wrong(plan)[1]}) >= 3


def test_a_sum_among_others_stands_in_brackets_in_chinese(tmp_path: Path) -> None:
    plan = nested(tmp_path / "r", ("min(a, sum(lines.x))",))
    step = plan.steps[0].clauses[0].then
    points = Points(Expressions(plan, Names(plan, "zh"), step))
    assert laid_text(points.value(tree("min(a, sum(lines.x))"))) == "总费用与（各明细的金额之和）中的较小者"


def test_one_without_its_brackets_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = nested(tmp_path / "r", ("min(a, sum(lines.x))", "max(b, default(max(lines.y), ¥0))", "a + sum(lines.x)"))
    whole = Expressions._over_rows
    monkeypatch.setattr(Expressions, "_over_rows", lambda *given: Phrase(whole(*given).runs, CLOSED))
    monkeypatch.setattr(Expressions, "_is_over_rows", lambda *_: False)
    assert [w[0] for w in test_read_back_zh.wrong(plan)[1]] == ["min(a, sum(lines.x))", "a + sum(lines.x)"]


@pytest.mark.parametrize("longest", [((60, 24), (55, 22)), ((0, 0),)], ids=["short", "none"])
def test_so_do_rulebooks_laid_out_as_points(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, longest: object) -> None:
    monkeypatch.setattr(laying, "LONGEST", longest)
    plans = [plan for path in (EVERY, *SHIPPED[::2]) if (plan := compiled(path)) is not None]
    plans += [plan for _, plan in generated(range(500, 502), tmp_path)]
    assert [found for plan in plans for found in wrong(plan)] == []
    laid = [
        Points(Expressions(plan, Names(plan, "zh"), of.node)).value(of.tree) for plan in plans for of in roots(plan)
    ]
    assert sum(bool(of.points) for of in laid) > 100
