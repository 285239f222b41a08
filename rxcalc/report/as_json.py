"""Explanations as JSON: amounts are strings of plain decimals."""

from __future__ import annotations

from collections.abc import Sequence

from rxcalc.report.model import (
    BandsFigures,
    CallLine,
    CheckLine,
    Explanation,
    GroupLine,
    ListLine,
    PartitionLine,
    SeenLine,
    StepLine,
    Used,
)

FORMAT = 1


def document(x: Explanation, version: str) -> dict[str, object]:
    """The explanation as a JSON document; a refused episode has `problem` and no shares."""
    return {
        "rxcalc": version,
        "format": FORMAT,
        "rulebook": {"name": x.rulebook, "version": x.version, "title": x.title, "hash": x.digest, "status": x.status},
        "bases": list(x.bases),
        "rules": [{"rulebook": r.rulebook, "version": r.version, "file": r.file} for r in x.rules],
        "currency": x.currency,
        "episode": {name: value for name, _, value in x.episode},
        "problem": None
        if x.problem is None
        else {"code": x.problem.code, "field": x.problem.field, "value": x.problem.value, "message": x.problem.message},
        "reverses": x.reverses or None,
        "affected": list(x.affected),
        "outputs": dict(x.outputs),
        "steps": [_step(s) for s in x.steps],
        "not_applied": [
            {
                "step": s.name,
                "condition": n.condition,
                "figures": n.figures,
                "because": n.because or None,
                "what": n.what or None,
                "reason": n.reason or None,
            }
            for s in x.steps
            for n in s.not_applied
        ],
        "shares": [part for p in x.shares for part in _parts(p)],
        "totals": dict(x.totals),
        "lists": {x.name: _rows(x) for x in x.lists},
        "groups": [_group(g) for g in x.groups],
        "group_incomplete": list(x.incomplete),
        "checks": [_check(c) for c in x.checks],
        "windows": [
            {
                "call": w.call,
                "value": w.value,
                "episodes": list(w.episodes),
                "opening": w.opening,
                "opening_amount": w.opened or None,
                "from": w.since or None,
                "to": w.until or None,
                "terms": _seen(w.seen),
            }
            for w in x.windows
        ],
        "assumptions": list(x.assumptions),
        "defaulted": list(x.defaulted),
        "set_by_hand": list(x.set_by_hand),
        "sources": [{"id": name, "title": title, "status": status or None} for name, title, status in x.sources],
    }


def _step(s: StepLine) -> dict[str, object]:
    return {
        "name": s.name,
        "label": s.label,
        "type": s.type,
        "value": s.value,
        "exact": s.exact,
        "holds_for": s.qualifier or None,
        "clause": s.clause or None,
        "because": s.because or None,
        "formula": s.formula,
        "figures": s.figures,
        "rounding": s.rounding or None,
        "bands": [_bands(b) for b in s.bands],
        "uses": [_used(u) for u in s.used],
        "calls": [_call(c) for c in s.calls],
        "groups": [
            {
                "name": g.name,
                "value": g.value,
                "source": g.source,
                "members": g.members if g.source == "computed" else None,
                "incomplete": g.incomplete,
            }
            for g in s.groups
        ],
        "spread": None
        if s.spread is None
        else {
            "method": "largest remainder",
            "whole": s.spread.whole,
            "weight": s.spread.weight,
            "weights": s.spread.weights,
            "parts": s.spread.parts,
            "more": s.spread.more,
            "group": s.spread.group or None,
        },
        "cite": list(s.cite),
        "status": s.status or None,
        "file": s.file,
        "line": s.line,
    }


def _bands(b: BandsFigures) -> dict[str, object]:
    return {
        "call": b.call,
        "target": b.target or None,
        "total": b.total or None,
        "rounding": b.rounding or None,
        "limits": [{"formula": x.formula, "figures": x.figures, "value": x.value} for x in b.limits],
        "parts": [
            {
                "from": line.low,
                "to": line.high,
                "rate": line.rate,
                "given": line.given or None,
                "exact": line.exact or None,
                "amount": line.amount,
            }
            for line in b.lines
        ],
    }


def _used(u: Used) -> dict[str, object]:
    return {
        "name": u.name,
        "value": u.value or None,
        "since": u.since or None,
        "cite": list(u.cite),
        "status": u.status or None,
        "by_hand": u.by_hand,
    }


def _call(c: CallLine) -> dict[str, object]:
    return {
        "call": c.call,
        "value": c.value,
        "of": c.of,
        "rows": list(c.rows),
        "terms": list(c.terms) if not c.is_window else [s.value for s in c.seen],
        "count": c.count,
        "opening": c.opening,
        "opening_amount": c.opened or None,
    }


def _seen(seen: Sequence[SeenLine]) -> list[dict[str, object]]:
    return [{"episode": s.episode, "day": s.day or None, "value": s.value or None} for s in seen]


def _rows(x: ListLine) -> list[dict[str, object]]:
    """The rows of a list: what places each in the list's order, its inputs, its steps."""
    return [
        {
            "order": {name: value for name, value in row.inputs if name in x.order},
            "inputs": dict(row.inputs),
            "steps": [_step(s) for s in row.steps],
        }
        for row in x.rows
    ]


def _group(g: GroupLine) -> dict[str, object]:
    return {
        "group": g.kind,
        "label": g.label,
        "of": g.of,
        "inside": g.inside,
        "given": g.given,
        "keys": dict(g.keys),
        "inputs": {name: value for name, _, value in g.inputs},
        "members": list(g.members),
        "rejected": g.rejected,
        "steps": [_step(s) for s in g.steps],
        "results": dict(g.results),
        "shares": [part for p in g.shares for part in _parts(p)],
    }


def _check(c: CheckLine) -> dict[str, object]:
    return {
        "check": c.name,
        "severity": c.severity,
        "say": c.say,
        "level": c.level or None,
        "row": dict(c.row),
        "when": c.condition,
        "figures": c.figures,
        "amount": c.amount,
        "formula": c.amount_formula or None,
        "amount_figures": c.amount_figures or None,
        "exact": c.exact or None,
        "rounding": c.rounding or None,
        "bands": [_bands(b) for b in c.bands],
        "uses": [_used(u) for u in c.used],
        "calls": [_call(x) for x in c.calls],
        "file": c.file,
        "line": c.line,
    }


def _parts(p: PartitionLine) -> list[dict[str, object]]:
    return [
        {
            "partition": p.name,
            "bearer": part.bearer,
            "part": part.part or None,
            "amount": part.amount,
            "reason": part.reason or None,
            "x12": part.x12 or None,
            "label": part.label,
            "formula": part.formula,
            "figures": part.figures or None,
            "exact": part.exact or None,
            "rounding": part.rounding or None,
            "bands": [_bands(b) for b in part.bands],
            "uses": [_used(u) for u in part.used],
            "calls": [_call(c) for c in part.calls],
            "cite": list(part.cite),
        }
        for part in p.parts
    ]
