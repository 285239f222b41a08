"""A plan with one value changed means what the rulebook with that value in its file means, and proves no more."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest

from rxcalc.backends.exact import Exact
from rxcalc.diagnostics.model import Sink
from rxcalc.driver.compile import compile_file
from rxcalc.lang.arithmetic import shortest
from rxcalc.lang.types import Plain
from rxcalc.plan.changed import (
    UnchangeableError,
    segment_at,
    with_clause,
    with_parameter,
    with_rounding,
    with_segment,
)
from rxcalc.plan.codec import decode, encode
from rxcalc.plan.nodes import Plan, PlanNode, PlanStep, RoundTo, Value

SHIPPED = Path(__file__).parents[2] / "rulebooks"
BOOK = """rxcalc: 1
rulebook: example
version: "1"
currency: CNY
rounding: half-up
effective: {{from: 2025-01-01, by: day}}
inputs:
  episode_id: {{type: code}}
  day: {{type: date}}
  level: {{one_of: [town, city]}}
  total: {{type: money}}
parameters:
  start:
    type: money
    by: [level]
    values:
      2025-01-01: {{town: {town}, city: 800}}
      2026-01-01: {{town: 300, city: 900}}
  rate:
    type: bands of percent over money
    values: {{2025-01-01: [{{to: "start[town] * 2", is: 50%}}, {{to: "start[city] + 5_000", is: 60%}}, {{is: 70%}}]}}
steps:
  over: {{rule: "max(0, total - start[level])"}}
  pays: {{rule: "bands(rate, over)"}}
  half: {{type: money, round: none, rule: pays / 2}}
shares:
  cost:
    of: total
    fund: {{is: pays}}
    patient: {{is: rest}}
outputs: [pays]
"""


def book(folder: Path, town: int) -> Plan:
    """The rulebook of these tests with a deductible of the town."""
    path = folder / "rulebook.yaml"
    path.write_text(BOOK.format(town=town), encoding="utf-8")
    return plan_of(path)


def plan_of(path: Path) -> Plan:
    sink = Sink()
    compiled = compile_file(path, path.name, sink)
    assert compiled is not None, [d.message for d in sink.sorted()]
    return compiled.plan


def pays(plan: Plan, total: int, level: str = "town", year: int = 2025) -> object:
    inputs: dict[str, Value] = {"episode_id": "E", "day": date(year, 3, 1), "level": level, "total": Fraction(total)}
    return Exact(plan).run(inputs).steps["pays"]


def test_limits_computed_from_a_value_follow_it(tmp_path: Path) -> None:
    changed = with_parameter(book(tmp_path, 500), "start", ("town",), date(2025, 6, 1), Fraction(400))
    # over 9,600: 800 at 50% and up to 5,800 at 60%, the other 3,800 at 70%.
    assert pays(changed, 10_000) == 400 + 3000 + 2660
    assert pays(changed, 10_000) == pays(book(tmp_path, 400), 10_000)
    assert pays(changed, 10_000, year=2026) == pays(book(tmp_path, 500), 10_000, year=2026)


def test_the_values_of_the_next_version(tmp_path: Path) -> None:
    plan = book(tmp_path, 500)
    changed = with_segment(plan, "start", date(2025, 6, 1), 1)
    # 300 and 900 instead of 500 and 800: 600 at 50%, up to 5,900 at 60%, the other 3,800 at 70%.
    assert pays(changed, 10_000) == 300 + 3180 + 2660
    assert changed.parameters[0].segments[0].start == date(2025, 1, 1)
    assert all(c.by_hand for c in changed.parameters[0].segments[0].cells)


def test_what_cannot_be_changed_says_why(tmp_path: Path) -> None:
    plan = book(tmp_path, 500)
    for name, keys, on, value, message in (
        ("strat", (), date(2025, 1, 1), 1, "no parameter `strat`"),
        ("start", ("village",), date(2025, 1, 1), 1, "no value for `village`"),
        ("start", ("town",), date(2024, 12, 31), 1, "no value on 2024-12-31"),
        ("start", ("town",), date(2025, 1, 1), 3000, "limits of `rate`"),
        ("start", ("town",), date(2025, 1, 1), 0, "limits of `rate`"),
    ):
        with pytest.raises(UnchangeableError, match=re.escape(message)):
            with_parameter(plan, name, keys, on, Fraction(value))
    assert segment_at(plan.parameters[0], date(2024, 12, 31)) is None


def test_rounding_and_clauses(tmp_path: Path) -> None:
    plan = book(tmp_path, 501)
    whole = with_rounding(plan, "", "pays", RoundTo(Fraction(1), "half-up"))
    # over 502 - 501 = 1 at 50%
    assert (pays(plan, 502), pays(whole, 502)) == (Fraction(1, 2), 1)
    assert pays(with_rounding(plan, "", "pays", None), 502) == Fraction(1, 2)
    step = next(s for s in plan.steps if s.name == "over")
    assert with_clause(plan, "", "over", 0).steps[0].clauses[0].then == step.clauses[0].then


def test_numbers_of_the_shipped_rulebooks_may_be_changed(tmp_path: Path) -> None:
    """The changed plan has the values of the file with that number, and claims nothing beyond it."""
    tried = 0
    for path in sorted(SHIPPED.glob("*/rulebook*.yaml")):
        if "extends:" in path.read_text(encoding="utf-8"):
            continue
        folder = tmp_path / path.parent.name
        shutil.copytree(path.parent, folder, dirs_exist_ok=True)
        plan = plan_of(path)
        for name, keys, start, old, line in numbers(plan):
            lines = path.read_text(encoding="utf-8").splitlines()
            new = (
                old / 2
                if of_type(plan, name, "percent")
                else old * 2 + Fraction(tried % 3, 2 if of_type(plan, name, "money") else 1)
            )
            found = rewritten(lines[line - 1], keys, start, old, new, of_type(plan, name, "percent"))
            if found is None:
                continue
            lines[line - 1] = found
            (folder / path.name).write_text("\n".join(lines), encoding="utf-8")
            sink = Sink()
            compiled = compile_file(folder / path.name, path.name, sink)
            if compiled is None:  # the new number is none that this parameter can have
                continue
            changed = with_parameter(plan, name, keys, start, new)
            tried += 1
            where = f"{path.parent.name} {name} {keys} {start}"
            for a, b in zip(changed.parameters, compiled.plan.parameters, strict=True):
                assert [(s.start, s.values) for s in a.segments] == [(s.start, s.values) for s in b.segments], where
            for at, (node, proven) in enumerate(zip(changed.nodes, compiled.plan.nodes, strict=True)):
                assert is_within(node, proven), f"{where}: node {at} {node.text}"
            for own, theirs in zip(every_step(changed), every_step(compiled.plan), strict=True):
                assert own.low is None or (theirs.low is not None and own.low <= theirs.low), f"{where}: {own.name}"
                assert own.high is None or (theirs.high is not None and own.high >= theirs.high), f"{where}: {own.name}"
                assert own.scale == 0 or (theirs.scale and own.scale % theirs.scale == 0), f"{where}: {own.name}"
    assert tried > 30


def is_within(claimed: PlanNode, proven: PlanNode) -> bool:
    """Whether a node claims no more than what is proven of it."""
    low = claimed.low is None or (proven.low is not None and claimed.low <= proven.low)
    high = claimed.high is None or (proven.high is not None and claimed.high >= proven.high)
    return low and high and (claimed.scale == 0 or bool(proven.scale and claimed.scale % proven.scale == 0))


def every_step(plan: Plan) -> list[PlanStep]:
    return [*plan.steps, *(s for x in plan.lists for s in x.steps), *(s for g in plan.groups for s in g.steps)]


def numbers(plan: Plan) -> Iterator[tuple[str, tuple[str, ...], date, Fraction, int]]:
    """The last number of each parameter that holds single ones: name, keys, start, value, line."""
    for p in plan.parameters:
        of = [(s.start, v, c) for s in p.segments for v, c in zip(s.values, s.cells, strict=True)]
        for start, (keys, value), cell in of[-1:]:
            if isinstance(p.type, Plain) and isinstance(value, int | Fraction) and not isinstance(value, bool):
                yield p.name, keys, start, Fraction(value), cell.place.line


def of_type(plan: Plan, name: str, type_: str) -> bool:
    return any(p.name == name and str(p.type) == type_ for p in plan.parameters)


def rewritten(line: str, keys: tuple[str, ...], start: date, old: Fraction, new: Fraction, percent: bool) -> str | None:
    """The line with another number for the last key, or for the date; None where it is written in another way."""
    head = re.escape(keys[-1] if keys else str(start))
    pattern = re.compile(rf"(?<![\w-])({head}: *)([0-9_.]+%?)(?=[,}} ]|$)")
    match = pattern.search(line)
    if match is None:
        return None
    text = match[2].replace("_", "")
    value = Fraction(text.rstrip("%")) / (100 if text.endswith("%") else 1)
    if value != old or len(pattern.findall(line)) != 1:
        return None
    shown = f"{shortest(new * 100)}%" if percent else shortest(new) or ""
    return line[: match.start(2)] + shown + line[match.end(2) :]


def test_a_change_inside_the_old_values_keeps_the_proofs() -> None:
    plan = plan_of(SHIPPED / "qin" / "rulebook.yaml")
    changed = with_parameter(plan, "deductible", ("city",), date(2026, 6, 1), Fraction(200))
    assert changed.parameters != plan.parameters
    assert replace(changed, parameters=plan.parameters) == plan


def test_how_limits_were_computed_is_kept_with_the_plan(tmp_path: Path) -> None:
    """A plan from the cache can be changed as well as one just compiled."""
    plan = decode(encode(book(tmp_path, 500)))
    assert pays(with_parameter(plan, "start", ("town",), date(2025, 6, 1), Fraction(400)), 10_000) == 400 + 3000 + 2660
