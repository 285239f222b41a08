"""A plan and its layout as JSON and as a graph."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import date
from fractions import Fraction
from textwrap import shorten
from typing import Any

from rxcalc.lang.ops import Op
from rxcalc.lang.types import Type
from rxcalc.plan.layout import CallLayout, Layout, StepLayout, input_scale
from rxcalc.plan.nodes import (
    Plan,
    PlanCall,
    PlanCondition,
    PlanGroup,
    PlanInput,
    PlanList,
    PlanStep,
    evaluation_order,
    weakest_evidence,
)


def dump_json(plan: Plan, layout: Layout) -> str:
    """The steps and how they are held, for programs."""
    steps = [_as_json(plan, step, held) for step, held in zip(plan.steps, layout.steps, strict=True)]
    document = {
        "rulebook": plan.rulebook,
        "version": plan.version,
        "status": weakest_evidence(plan),
        "currency": plan.currency,
        "bases": [base.file for base in plan.bases],
        "inputs": _inputs(plan.inputs),
        "parameters": [
            {"name": found.name, "type": str(found.type), "from": [str(segment.start) for segment in found.segments]}
            for found in plan.parameters
        ],
        "calls": [_call_as_json(call, held) for call, held in zip(plan.calls, layout.calls, strict=True)],
        "steps": steps,
        "lists": [_list(plan, layout, x) for x in plan.lists],
        "groups": [_group(plan, layout, g) for g in plan.groups],
        "together": layout.together,
        "spreads": [
            {
                "name": s.name,
                "what": plan.nodes[s.what].text,
                "from": s.source,
                "over": s.target,
                "by": plan.nodes[s.by].text,
                "low": _plain(s.low),
                "high": _plain(s.high),
            }
            for s in plan.spreads
        ],
        "checks": [
            {
                "name": c.name,
                "level": c.level,
                "severity": c.severity,
                "when": plan.nodes[c.when].text,
                "amount": plan.nodes[c.amount].text if c.amount >= 0 else None,
            }
            for c in plan.checks
        ],
        "blocks": [
            {
                "phase": b.phase,
                "through": b.through,
                "items": [{"level": level, "name": name} for level, name in b.items],
            }
            for b in evaluation_order(plan)
        ],
        "outputs": list(plan.outputs),
    }
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _call_as_json(call: PlanCall, held: CallLayout) -> dict[str, Any]:
    """A call; how it runs in columns, and why not simply accumulated."""
    return {
        "call": call.key,
        "level": call.level,
        "kind": call.kind,
        "over": f"{call.of}.{call.inner}" if call.inner else call.of or call.element,
        "how": held.how,
        "why": held.why,
    }


def _inputs(inputs: Sequence[PlanInput]) -> list[dict[str, Any]]:
    return [
        {
            "name": field.name,
            "type": str(field.type),
            "low": _plain(field.low),
            "high": _plain(field.high),
            "optional": field.optional,
            "scale": input_scale(field),
        }
        for field in inputs
    ]


def _list(plan: Plan, layout: Layout, x: PlanList) -> dict[str, Any]:
    return {
        "name": x.name,
        "order": list(x.order),
        "required": x.required,
        "inputs": _inputs(x.inputs),
        "requires": _conditions(plan, x.requires),
        "steps": _steps(plan, layout, x),
        "guarantees": _conditions(plan, x.guarantees),
    }


def _group(plan: Plan, layout: Layout, g: PlanGroup) -> dict[str, Any]:
    return {
        "name": g.name,
        "of": g.of,
        "inside": g.inside,
        "keys": {k.name: plan.nodes[k.node].text for k in g.keys},
        "inputs": _inputs(g.inputs),
        "sequence": None if g.sequence is None else {"by": g.sequence.by, "order": list(g.sequence.order)},
        "effective": plan.nodes[g.effective].text if g.effective >= 0 else None,
        "requires": _conditions(plan, g.requires),
        "steps": _steps(plan, layout, g),
        "shares": [p.name for p in g.shares],
        "guarantees": _conditions(plan, g.guarantees),
    }


def _conditions(plan: Plan, conditions: Sequence[PlanCondition]) -> list[str]:
    return [plan.nodes[c.that].text for c in conditions]


def _steps(plan: Plan, layout: Layout, x: PlanList | PlanGroup) -> list[dict[str, Any]]:
    return [_as_json(plan, s, held, x.name) for s, held in zip(x.steps, layout.levels[x.name], strict=True)]


def _rounding(step: PlanStep) -> dict[str, str] | None:
    return None if step.rounding is None else {"to": str(step.rounding.to), "mode": step.rounding.mode}


def _as_json(plan: Plan, step: PlanStep, held: StepLayout, level: str = "") -> dict[str, Any]:
    return {
        "name": step.name,
        "type": str(step.type),
        "lazy": step.lazy,
        "rounding": _rounding(step),
        "low": _plain(held.low),
        "high": _plain(held.high),
        "scale": held.scale,
        "width": held.width,
        "widest": held.widest,
        "denominator": held.pair,
        "runs_on": held.runs_on,
        "reason": held.reason,
        "reads": _reads(plan, step, level),
    }


def _plain(value: object) -> str | None:
    """A bound as exact text: a fraction as `1/3`, a date as itself."""
    if isinstance(value, int | Fraction | date):
        return str(value)
    return None


def _reads(plan: Plan, step: PlanStep, level: str) -> list[str]:
    """The inputs, steps and window calls that a step reads, in the order of first use; those of other rows by level.

    `level` is where the step stands: its own fields go by their names, others are `lines.amount`, `region_year.budget`,
    and in a list or group those of the episode `episode.total`.
    """
    return _names(plan, [n for c in step.clauses for n in (c.when, c.then)], level)


def _names(plan: Plan, roots: Sequence[int], level: str) -> list[str]:
    seen: dict[str, None] = {}
    todo = [(node, "") for node in roots if node >= 0][::-1]
    while todo:
        index, rows = todo.pop()
        entry = plan.nodes[index]
        match entry.op:
            case Op.INPUT | Op.STEP | Op.SHARE:
                seen.setdefault(_qualified(entry.level, str(entry.data), level))
            case Op.WINDOW:
                seen.setdefault(plan.calls[int(str(entry.data))].key)
            case Op.ROWS:
                call = plan.calls[int(str(entry.data))]
                todo += [(node, call.element or "") for node in (call.where, call.value) if node >= 0]
            case Op.EARLIER if isinstance(entry.data, tuple):
                seen.setdefault(_qualified(rows, str(entry.data[1]), level))
        todo.extend((arg, rows) for arg in reversed(entry.args))
    return list(seen)


def _qualified(of: str, name: str, level: str) -> str:
    return name if of == level else f"{of or 'episode'}.{name}"


def dump_dot(plan: Plan, layout: Layout) -> str:
    """The steps as a graph for Graphviz: an arrow from what is read to the step that reads it.

    Steps of lists and groups stand in a frame of their level; what a spread divides points to the part received.
    """
    lines = [f"digraph {_quoted(plan.rulebook)} {{", "  rankdir=LR;", "  node [shape=box];"]
    levels: list[tuple[str, Plan | PlanList | PlanGroup]] = [("", plan)]
    levels += [(x.name, x) for x in plan.lists]
    levels += [(g.name, g) for g in plan.groups]
    inputs = {_node(level, i.name) for level, of in levels for i in of.inputs}
    inputs |= {_node(g.name, k.name) for g in plan.groups for k in g.keys}
    steps = {_node(level, s.name) for level, of in levels for s in of.steps}
    steps |= {_node(s.target, s.name) for s in plan.spreads}
    edges = list(_edges(plan, levels))
    others = [name for name in dict.fromkeys(read for read, _ in edges) if name not in steps]
    lines += [f"  {_quoted(name)} [shape={'ellipse' if name in inputs else 'note'}];" for name in others]
    lines += [f"  {_quoted(held.name)} [label={_label(plan, held)}];" for held in layout.steps]
    lines += [f"  {_quoted(s.name)} [shape=cds];" for s in plan.spreads if not s.target]
    for level, of in levels[1:]:
        lines += [f"  subgraph {_quoted('cluster_' + level)} {{", f"    label={_quoted(level)};"]
        lines += [f"    {_quoted(_node(level, s.name))} [label={_quoted(_told(s))}];" for s in of.steps]
        lines += [f"    {_quoted(_node(level, s.name))} [shape=cds];" for s in plan.spreads if s.target == level]
        lines.append("  }")
    lines += [f"  {_quoted(read)} -> {_quoted(reader)};" for read, reader in edges]
    return "\n".join([*lines, "}"]) + "\n"


def _edges(plan: Plan, levels: Sequence[tuple[str, Plan | PlanList | PlanGroup]]) -> Iterator[tuple[str, str]]:
    for level, of in levels:
        for step in of.steps:
            for name in _reads(plan, step, level):
                yield _global(plan, level, name), _node(level, step.name)
    for s in plan.spreads:
        for root, at in ((s.what, s.source), (s.by, s.target)):
            for name in _names(plan, [root], at):
                yield _global(plan, at, name), _node(s.target, s.name)


def _node(level: str, name: str) -> str:
    return f"{level}.{name}" if level else name


def _global(plan: Plan, level: str, name: str) -> str:
    """The name in the graph of what a step of a level reads."""
    of, dot, rest = name.partition(".")
    if dot and of == "episode":
        return rest
    is_call = any(c.key == name for c in plan.calls)
    return name if is_call or dot else _node(level, name)


def _told(step: PlanStep) -> str:
    return f"{step.name}\n{_type(step.type)}"


def _label(plan: Plan, held: StepLayout) -> str:
    step = next(step for step in plan.steps if step.name == held.name)
    where = "exact" if held.runs_on == "exact" else f"{held.width} bits"
    return _quoted(f"{held.name}\n{_type(step.type)}, {where}")


def _type(of: Type) -> str:
    return shorten(str(of), 30, placeholder="..")


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
