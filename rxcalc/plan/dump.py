"""A plan and its layout as text, JSON and a graph: what `rxcalc plan` prints. Stable, for golden files."""

from __future__ import annotations

from textwrap import wrap
from typing import Final

from rxcalc.plan.dump_data import dump_dot, dump_json
from rxcalc.plan.dump_levels import call_lines, check_lines, group_lines, list_lines, order_lines, spread_lines
from rxcalc.plan.dump_parts import input_lines, share_lines, step_lines
from rxcalc.plan.layout import Layout
from rxcalc.plan.nodes import Plan, PlanParameter, weakest_evidence

__all__ = ["dump_dot", "dump_json", "dump_text"]

_WIDTH: Final = 96


def dump_text(plan: Plan, layout: Layout) -> str:
    """The plan for a reader, within 96 columns."""
    until = plan.effective_to or ".."
    lines = [
        f"plan {plan.rulebook} {plan.version}",
        f"currency {plan.currency}, {plan.decimals} decimals, rounding {plan.rounding}",
        f"evidence {weakest_evidence(plan)} (the weakest of its values)",
        f"effective {plan.effective_from} to {until} by {plan.effective_by}",
        *(f"laid over {base.file}" for base in plan.bases),
    ]
    for title, body in (
        ("inputs", input_lines(plan.inputs)),
        ("requires", [f"{plan.nodes[c.that].text}" for c in plan.requires]),
        ("parameters", [_parameter(p) for p in plan.parameters]),
        ("tables", [f"{t.name:24} {len(t.rows)} rows by {', '.join(t.keys)}" for t in plan.tables]),
        ("windows", _windows(plan, layout)),
        ("steps", [x for s, held in zip(plan.steps, layout.steps, strict=True) for x in step_lines(plan, s, held)]),
        *((f"list {x.name}", list_lines(plan, layout, x)) for x in plan.lists),
        *((f"group {g.name}", group_lines(plan, layout, g)) for g in plan.groups),
        ("spread", spread_lines(plan)),
        ("calls over rows", call_lines(plan, layout)),
        ("shares", share_lines(plan, plan.shares)),
        (
            "guarantees",
            [*(plan.nodes[c.that].text for c in plan.guarantees), *(f"{t.text} (by `test`)" for t in plan.trends)],
        ),
        ("checks", check_lines(plan)),
        ("order", order_lines(plan)),
    ):
        if body:
            lines += ["", title, *(part for line in body for part in _folded(line))]
    return "\n".join(lines) + "\n"


def _folded(line: str) -> list[str]:
    """The line indented, wrapped where it is too long."""
    depth = 2 + len(line) - len(line.lstrip())
    folded = wrap(
        line.strip(), _WIDTH - depth, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
    )
    return [" " * depth + part for part in folded]


def _parameter(found: PlanParameter) -> str:
    dates = ", ".join(str(segment.start) for segment in found.segments)
    end = f", until {found.end}" if found.end else ""
    keys = f", {' x '.join(str(len(key)) for key in found.keys)} keys" if found.keys else ""
    return f"{found.name:24} {found.type!s:24} from {dates}{end}{keys}"


def _windows(plan: Plan, layout: Layout) -> list[str]:
    lines = []
    for window in plan.windows:
        parts = [f"calendar {window.calendar} of {window.date}"] if window.calendar else []
        if window.starting_input:
            parts.append(f"starting {window.starting_input}")
        elif window.starting != (1, 1):
            parts.append(f"starting {window.starting[0]:02}-{window.starting[1]:02}")
        if window.rolling[0]:
            parts.append(f"rolling {window.rolling[0]} {window.rolling_unit or window.rolling[1]} of {window.date}")
        if window.gap[0]:
            parts.append(f"gap {window.gap[0]} {window.gap[1]} from {window.gap_from} to {window.gap_to}")
        if window.period[0]:
            parts.append(f"period {window.period[0]} {window.period[1]} of {window.date}")
        parts += [f"same {', '.join(window.same)}"] if window.same else []
        rows = f"groups {window.level}" if window.level else "episodes"
        lines.append(
            f"{window.name:24} {'; '.join(parts) or f'all earlier {rows}'}{f' [{rows}]' if window.level else ''}"
        )
    for call, held in zip(plan.calls, layout.calls, strict=True):
        if call.kind == "window":
            how = "on the exact evaluator" if held.how == "exact" else held.how
            lines.append(f"  {call.key}  [{how}{': ' + held.why if held.why else ''}]")
    return lines
