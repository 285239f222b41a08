"""The layout of plans and its printed forms."""

from __future__ import annotations

import json
from fractions import Fraction

from bills import compiled
from plans import Book

from rxcalc.lang.ops import Op
from rxcalc.lang.types import COUNT, MONEY, NUMBER, OneOf
from rxcalc.plan.dump import dump_dot, dump_json, dump_text
from rxcalc.plan.layout import lay_out
from rxcalc.plan.nodes import RoundTo


def book() -> Book:
    """A plan with a whole number, a quotient, a set and a power."""
    made = Book()
    x, n = made.input("x", MONEY, 0, 1000), made.input("n", COUNT, 1, 7)
    made.input("level", OneOf(("low", "high")))
    half = made.step("half", made.node(Op.MULTIPLY, x, made.const("0.5", NUMBER)))
    made.step("each", made.node(Op.DIVIDE, half, n), to=None)
    made.step("power", made.node(Op.POWER, n, n, of=NUMBER, data=RoundTo(Fraction(1), "up")), NUMBER, scale=1)
    return made


def test_how_steps_are_held() -> None:
    """Whole numbers of fen, numerator and denominator, or the exact evaluator with a reason."""
    half, each, power = lay_out(book().plan()).steps
    assert (half.scale, half.low, half.high, half.width, half.pair) == (100, 0, 500, 64, False)
    assert (each.pair, each.runs_on, each.high) == (True, "columnar", 500)
    assert (power.runs_on, power.reason) == ("exact", "power needs more digits than a column holds")


def test_every_intermediate_is_within_its_peak() -> None:
    """The recorded peak covers the product before it is rounded."""
    plan = book().plan()
    product = next(at for at, node in enumerate(plan.nodes) if node.op is Op.MULTIPLY)
    record = lay_out(plan).nodes[product]
    assert record is not None
    assert (record.low, record.high, record.scale, record.width) == (0, 100_000, 200, 64)
    assert record.peak >= 100_000


def test_text_is_stable_and_fits_a_page() -> None:
    """The text names inputs, steps, ranges, widths and where each step runs, within 96 columns."""
    plan = book().plan()
    text = dump_text(plan, lay_out(plan))
    assert text == dump_text(plan, lay_out(plan))
    assert max(len(line) for line in text.splitlines()) <= 96
    for part in (
        "x                        money",
        "0 .. 1,000, x 100",
        "round to 0.01 half-up",
        "64 bits",
        "numerator and denominator",
        "on the exact evaluator: power",
    ):
        assert part in text


def test_json_and_graph() -> None:
    """Programs get the same facts; the graph has an arrow for each read."""
    plan = book().plan()
    layout = lay_out(plan)
    document = json.loads(dump_json(plan, layout))
    assert [step["runs_on"] for step in document["steps"]] == ["columnar", "columnar", "exact"]
    assert document["steps"][1]["reads"] == ["half", "n"]
    graph = dump_dot(plan, layout)
    assert '"half" -> "each";' in graph
    assert graph.startswith("digraph")


def test_rows_of_lists_and_groups() -> None:
    """How steps of lists are held, how calls over rows run, and why groups across bills run on the exact evaluator."""
    plan = compiled(
        """
inputs:
  episode_id: {type: code}
  day: {type: date}
lines:
  inputs: {line_no: {type: count}, code: {type: code}, amount: {type: money, max: 1_000}}
  order: [line_no]
  steps:
    same: {rule: "sum(lines.amount where lines.code = code)"}
    more: {type: flag, rule: "any(lines.amount > amount)"}
    pays: {rule: "min(amount, max(0, ¥500 - above.sum(pays)))"}
    grown: {type: number, round: {to: 0.01, mode: up}, rule: "root(amount / ¥1 + 1, 2)"}
groups:
  year_of: {of: episodes, by: {year: year(day)}, steps: {total: {rule: "sum(episodes.total)"}}}
steps:
  total: {rule: "sum(lines.pays)"}
outputs: [total]
"""
    )
    layout = lay_out(plan)
    held = {step.name: step for step in layout.levels["lines"]}
    same, pays, grown = held["same"], held["pays"], held["grown"]
    assert (same.high, same.width, pays.high, pays.runs_on) == (100_000_000, 64, 500, "columnar")
    assert (grown.runs_on, grown.reason) == ("exact", "root needs more digits than a column holds")
    assert {call.how for call in layout.calls} == {"added up", "added up by key", "over pairs", "row after row"}
    assert layout.together == "lines.grown: root needs more digits than a column holds"
    text = dump_text(plan, layout)
    for part in (
        "0 .. 100,000,000, 64 bits, x 100",
        "on the exact evaluator: root needs more digits than a column holds",
        "sum(lines.amount where lines.code = code)  [added up by key]",
        "on the exact evaluator, with all its bills: lines.grown",
    ):
        assert part in text
    document = json.loads(dump_json(plan, layout))
    assert {step["name"] for step in document["lists"][0]["steps"] if step["runs_on"] == "exact"} == {"grown"}
