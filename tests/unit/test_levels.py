"""Lists and groups: sizes, names that are words of the machinery, and when windows are looked through."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest

from rxcalc.backends.base import Row
from rxcalc.backends.exact import Exact
from rxcalc.backends.exact_groups import run_all
from rxcalc.diagnostics.model import Sink
from rxcalc.diagnostics.text import render
from rxcalc.driver.compile import compile_file
from rxcalc.plan.nodes import Plan
from rxcalc.plan.ranges import MAX_ROWS

HEAD = """rxcalc: 1
rulebook: example
version: "1"
currency: CNY
rounding: half-up
effective: {from: 2025-01-01, by: discharge_date}
inputs:
  episode_id: {type: code}
  person_id: {type: code}
  discharge_date: {type: date}
  total: {type: money}
sequence: {by: person_id, order: [discharge_date, episode_id]}
windows: {this_year: {calendar: year, date: discharge_date}}
"""
LINES = """lines:
  inputs: {line_no: {type: count}, amount: {type: money}}
  order: [line_no]
"""


def compiled(tmp_path: Path, body: str) -> tuple[Plan | None, Sink]:
    """A rulebook of the usual head and `body`."""
    path = tmp_path / "rulebook.yaml"
    path.write_text(HEAD + body, encoding="utf-8")
    sink = Sink()
    found = compile_file(path, "rulebook.yaml", sink)
    return (found.plan if found is not None else None), sink


def sound(tmp_path: Path, body: str) -> Plan:
    """A rulebook that compiles."""
    plan, sink = compiled(tmp_path, body)
    assert plan is not None, "\n".join(render(d, sink.files) for d in sink.sorted())
    return plan


def episode(number: int, day: int, total: int, person: str = "P", lines: tuple[object, ...] = ()) -> Row:
    """An episode of January 2025."""
    values = {
        "episode_id": f"E{number}",
        "person_id": person,
        "discharge_date": date(2025, 1, day),
        "total": Fraction(total),
        "lines": lines,
    }
    return Row(number, f"E{number}", values)  # type: ignore[arg-type]  # the values of this rulebook


def test_a_list_has_at_most_so_many_rows(tmp_path: Path) -> None:
    """One row more than the limit refuses the bill, with its own code."""
    exact = Exact(sound(tmp_path, LINES + "steps: {all_lines: sum(lines.amount)}\noutputs: [all_lines]\n"))
    rows = tuple({"line_no": n, "amount": Fraction(1)} for n in range(MAX_ROWS + 1))
    assert exact.run(episode(1, 1, 0, lines=rows[:-1]).inputs).steps == {"all_lines": MAX_ROWS}
    problem = exact.run(episode(1, 1, 0, lines=rows).inputs).problem
    assert problem is not None
    assert problem.code == "RX820"


def test_two_thousand_line_steps_are_a_rulebook(tmp_path: Path) -> None:
    """A long chain is followed without recursion, forwards and backwards."""
    chain = [f"    s{n}: s{n - 1} + ¥1\n" for n in range(1, 2_000)]
    for steps in (chain, chain[::-1]):
        plan = sound(tmp_path, LINES + "  steps:\n    s0: amount\n" + "".join(steps))
        outcome = Exact(plan).run(episode(1, 1, 0, lines=({"line_no": 1, "amount": Fraction(3)},)).inputs)
        assert outcome.lists["lines"][0].steps["s1999"] == 3 + 1_999


def test_a_circle_of_two_thousand_line_steps_is_one_message(tmp_path: Path) -> None:
    """However long the circle, it is told once."""
    chain = "".join(f"    s{n}: s{n - 1} + ¥1\n" for n in range(1, 2_000))
    plan, sink = compiled(tmp_path, LINES + "  steps:\n    s0: {type: money, rule: s1999}\n" + chain)
    assert plan is None
    assert [d.code for d in sink] == ["RX307"]


@pytest.mark.parametrize(
    "name",
    [
        "members",
        "requires",
        "guarantee",
        "guarantees",
        "shares",
        "by",
        "of",
        "episode",
        "rows",
        "count",
        "sum",
        "rank",
        "distinct",
        "window",
    ],
)
def test_a_step_may_bear_any_word_of_the_machinery(tmp_path: Path, name: str) -> None:
    """On every level a step so named is computed as any other."""
    plan = sound(
        tmp_path,
        f"""{LINES}  steps: {{{name}: amount * 2}}
  requires: [amount >= ¥0]
steps:
  in_all: sum(lines.{name})
  own: kind.{name}
groups:
  kind:
    of: episodes
    by: {{person: person_id}}
    requires: [count(episodes) > 0]
    steps: {{{name}: sum(episodes.in_all)}}
    guarantees: [{name} >= ¥0]
outputs: [in_all, own]
""",
    )
    rows = [episode(n, n, 0, lines=({"line_no": 1, "amount": Fraction(5)},)) for n in (1, 2)]
    for ran in run_all(Exact(plan), rows, {}).ran:
        assert ran.outcome is not None
        assert (ran.outcome.problem, ran.outcome.steps["own"]) == (None, 20)


def test_a_check_looks_through_a_window_as_it_was_at_its_episode(tmp_path: Path) -> None:
    """Checks come last, after groups of all episodes; what came after an episode is not in its windows all the same."""
    plan = sound(
        tmp_path,
        """steps: {before: this_year.count(), members: half_year.members}
groups:
  half_year:
    of: episodes
    by: {half: "if month(discharge_date) > 6 then 2 else 1", day: discharge_date}
    sequence: {by: half, order: [day]}
    windows: {earlier: {all: yes}}
    steps: {members: count(episodes), before: earlier.count()}
    checks: [{when: earlier.count() > 0, say: not the first}]
checks:
  - {when: this_year.count() > 0, say: not the first}
  - {when: half_year.members > 1, say: not alone}
outputs: [before, members]
""",
    )
    together = run_all(Exact(plan), [episode(3, 3, 1), episode(1, 1, 1), episode(2, 2, 1), episode(4, 3, 1, "Q")], {})
    for ran in together.ran:
        assert ran.outcome is not None
        steps, found = ran.outcome.steps, {f.index for f in ran.outcome.findings}
        assert (steps["before"] > 0) == (0 in found)  # type: ignore[operator]  # a count
        assert (steps["members"] > 1) == (1 in found)  # type: ignore[operator]  # a count
    assert [(g.steps["before"], len(g.findings)) for g in together.groups] == [(0, 0), (1, 1), (2, 1)]


def test_an_ordered_set_and_the_same_values_without_order_are_one_type(tmp_path: Path) -> None:
    """A step declares the values it gives; whether they compare is a matter of who compares them."""
    body = """lines:
  inputs: {line_no: {type: count}, grade: {one_of: [low, high], ordered: yes}}
steps:
  best:
    one_of: [low, high]
    optional: yes
    rule: max(lines.grade)
outputs: [best]
"""
    rows = ({"line_no": 1, "grade": "high"}, {"line_no": 2, "grade": "low"})
    assert Exact(sound(tmp_path, body)).run(episode(1, 1, 0, lines=rows).inputs).steps == {"best": "high"}
