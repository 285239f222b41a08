"""A plan and its layout as text, JSON and a graph: what `rxcalc plan` prints. Stable, for golden files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from textwrap import shorten, wrap
from typing import Any, Final

from rxcalc.lang.arithmetic import shortest
from rxcalc.lang.ops import Op
from rxcalc.lang.types import Kind, Plain, Type
from rxcalc.plan.layout import Layout, StepLayout, input_scale
from rxcalc.plan.nodes import Plan, PlanInput, PlanParameter, PlanStep, RoundTo

__all__ = ["dump_dot", "dump_json", "dump_text"]

_WIDTH: Final = 96


def dump_text(plan: Plan, layout: Layout) -> str:
    """The plan for a reader, within 96 columns."""
    until = plan.effective_to or ".."
    lines = [
        f"plan {plan.rulebook} {plan.version}",
        f"currency {plan.currency}, {plan.decimals} decimals, rounding {plan.rounding}",
        f"effective {plan.effective_from} to {until} by {plan.effective_by}",
    ]
    for title, body in (
        ("inputs", _inputs(plan)),
        ("requires", [f"{plan.nodes[c.that].text}" for c in plan.requires]),
        ("parameters", [_parameter(p) for p in plan.parameters]),
        ("tables", [f"{t.name:24} {len(t.rows)} rows by {', '.join(t.keys)}" for t in plan.tables]),
        ("windows", _windows(plan, layout)),
        ("steps", [line for at in range(len(plan.steps)) for line in _step(plan, layout, at)]),
        ("shares", _shares(plan)),
        (
            "guarantees",
            [*(plan.nodes[c.that].text for c in plan.guarantees), *(f"{t.text} (by `test`)" for t in plan.trends)],
        ),
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


def _inputs(plan: Plan) -> list[str]:
    return [
        f"{field.name:24} {field.type!s:24} {', '.join(t for t in (_bounds(field), 'optional' if field.optional else '') if t)}".rstrip()
        for field in plan.inputs
    ]


def _bounds(field: PlanInput) -> str:
    match field.type:
        case Plain(Kind.CODE | Kind.CODES | Kind.TEXT | Kind.FLAG):
            return ""
    if field.low is None and field.high is None:
        return ""
    scale = input_scale(field)
    return f"{_shown(field.low)} .. {_shown(field.high)}" + (f", x {scale}" if scale != 1 else "")


def _shown(value: object) -> str:
    if isinstance(value, int | Fraction):
        return shortest(value, grouped=True) or str(value)
    return "" if value is None else str(value)


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
        parts += [f"same {', '.join(window.same)}"] if window.same else []
        lines.append(f"{window.name:24} {'; '.join(parts) or 'all earlier episodes'}")
    for call in layout.calls:
        how = f"row by row: {call.slow}" if call.slow else "accumulated"
        lines.append(f"  {call.key}  [{how}]")
    return lines


def _rounding(rounding: RoundTo | None) -> str:
    return "exact" if rounding is None else f"round to {_shown(rounding.to)} {rounding.mode}"


def _step(plan: Plan, layout: Layout, at: int) -> Iterator[str]:
    step, held = plan.steps[at], layout.steps[at]
    yield f"{step.name:24} {step.type!s:18} {_rounding(step.rounding)}"
    yield f"    {_held(held)}"
    for clause in step.clauses:
        then = "reject" if clause.then < 0 else plan.nodes[clause.then].text
        when = "" if clause.when < 0 else f"when {plan.nodes[clause.when].text} then "
        otherwise = "otherwise " if clause.when < 0 and len(step.clauses) > 1 else ""
        yield f"    {when}{otherwise}{then}"


def _held(held: StepLayout) -> str:
    if held.runs_on == "exact":
        return f"on the exact evaluator: {held.reason}"
    if held.low is None:
        return "columnar"
    scale = f", x {held.scale}" if held.scale != 1 else ""
    bits = f"{held.width} bits" + (f", {held.widest} on the way" if held.widest != held.width else "")
    return f"{_figure(held.low)} .. {_figure(held.high)}, {bits}{scale}{', numerator and denominator' if held.pair else ''}"


def _figure(value: Fraction | None) -> str:
    """A bound; a repeating one is cut, with a mark."""
    if value is None:
        return ""
    text = shortest(value, grouped=True)
    return text if text is not None else f"~{_cut(value)}"


def _cut(value: Fraction) -> str:
    """The first digits of a value that no decimal writes."""
    thousandths = abs(value.numerator) * 1000 // value.denominator
    return f"{'-' if value < 0 else ''}{thousandths // 1000:,}.{thousandths % 1000:03}"


def _shares(plan: Plan) -> list[str]:
    lines = []
    for partition in plan.shares:
        lines.append(f"{partition.name} of {plan.nodes[partition.of].text}")
        for part in partition.parts:
            name = f"{part.bearer}.{part.part}" if part.part else part.bearer
            value = "rest" if part.value < 0 else plan.nodes[part.value].text
            lines.append(f"  {name:22} {value}{', may be negative' if part.may_be_negative else ''}")
    return lines


def dump_json(plan: Plan, layout: Layout) -> str:
    """The steps and how they are held, for programs."""
    steps = [_as_json(plan, step, held) for step, held in zip(plan.steps, layout.steps, strict=True)]
    inputs = [
        {
            "name": field.name,
            "type": str(field.type),
            "low": _plain(field.low),
            "high": _plain(field.high),
            "optional": field.optional,
            "scale": input_scale(field),
        }
        for field in plan.inputs
    ]
    document = {
        "rulebook": plan.rulebook,
        "version": plan.version,
        "currency": plan.currency,
        "inputs": inputs,
        "parameters": [
            {"name": found.name, "type": str(found.type), "from": [str(segment.start) for segment in found.segments]}
            for found in plan.parameters
        ],
        "window_calls": [{"call": call.key, "row_by_row": call.slow} for call in layout.calls],
        "steps": steps,
        "outputs": list(plan.outputs),
    }
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _as_json(plan: Plan, step: PlanStep, held: StepLayout) -> dict[str, Any]:
    rounding = None if step.rounding is None else {"to": str(step.rounding.to), "mode": step.rounding.mode}
    return {
        "name": step.name,
        "type": str(step.type),
        "rounding": rounding,
        "low": _plain(held.low),
        "high": _plain(held.high),
        "scale": held.scale,
        "width": held.width,
        "widest": held.widest,
        "denominator": held.pair,
        "runs_on": held.runs_on,
        "reason": held.reason,
        "reads": _reads(plan, step),
    }


def _plain(value: object) -> str | None:
    """A bound as exact text: a fraction as `1/3`, a date as itself."""
    if isinstance(value, int | Fraction | date):
        return str(value)
    return None


def _reads(plan: Plan, step: PlanStep) -> list[str]:
    """The inputs, steps and window calls that a step reads, in the order of first use."""
    seen: dict[str, None] = {}
    todo = [node for clause in step.clauses for node in (clause.when, clause.then) if node >= 0][::-1]
    while todo:
        entry = plan.nodes[todo.pop()]
        match entry.op:
            case Op.INPUT | Op.STEP | Op.SHARE:
                seen.setdefault(str(entry.data))
            case Op.WINDOW:
                seen.setdefault(plan.window_calls[int(str(entry.data))].key)
        todo.extend(reversed(entry.args))
    return list(seen)


def dump_dot(plan: Plan, layout: Layout) -> str:
    """The steps as a graph for Graphviz: an arrow from what is read to the step that reads it."""
    names = [step.name for step in plan.steps]
    lines = [f"digraph {_quoted(plan.rulebook)} {{", "  rankdir=LR;", "  node [shape=box];"]
    known = {*names, *(field.name for field in plan.inputs)}
    edges: list[str] = []
    used: dict[str, str] = {}
    for step in plan.steps:
        for name in _reads(plan, step):
            edges.append(f"  {_quoted(name)} -> {_quoted(step.name)};")
            if name not in names:
                used.setdefault(name, "ellipse" if name in known else "note")
    lines += [f"  {_quoted(name)} [shape={shape}];" for name, shape in used.items()]
    lines += [f"  {_quoted(held.name)} [label={_label(plan, held)}];" for held in layout.steps]
    return "\n".join([*lines, *edges, "}"]) + "\n"


def _label(plan: Plan, held: StepLayout) -> str:
    step = next(step for step in plan.steps if step.name == held.name)
    where = "exact" if held.runs_on == "exact" else f"{held.width} bits"
    return _quoted(f"{held.name}\n{_type(step.type)}, {where}")


def _type(of: Type) -> str:
    return shorten(str(of), 30, placeholder="..")


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
