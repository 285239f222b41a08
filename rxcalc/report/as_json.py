"""Explanations as JSON: amounts are strings of plain decimals."""

from __future__ import annotations

from rxcalc.report.model import CheckLine, Explanation, GroupLine, ListLine, PartitionLine, StepLine

FORMAT = 1


def document(x: Explanation, version: str) -> dict[str, object]:
    """The explanation as a JSON document; a refused episode has `problem` and no shares."""
    return {
        "rxcalc": version,
        "format": FORMAT,
        "rulebook": {"name": x.rulebook, "version": x.version, "title": x.title, "hash": x.digest, "status": x.status},
        "bases": list(x.bases),
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
            {"step": s.name, "condition": n.condition, "figures": n.figures, "because": n.because or None}
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
                "from": w.since or None,
                "to": w.until or None,
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
        "clause": s.clause or None,
        "because": s.because or None,
        "formula": s.formula,
        "figures": s.figures,
        "bands": [
            {
                "call": b.call,
                "target": b.target or None,
                "parts": [
                    {
                        "from": line.low,
                        "to": line.high,
                        "rate": line.rate,
                        "given": line.given or None,
                        "amount": line.amount,
                    }
                    for line in b.lines
                ],
            }
            for b in s.bands
        ],
        "uses": [
            {
                "name": u.name,
                "value": u.value or None,
                "since": u.since or None,
                "cite": list(u.cite),
                "status": u.status or None,
            }
            for u in s.used
        ],
        "calls": [
            {
                "call": c.call,
                "value": c.value,
                "of": c.of,
                "rows": list(c.rows),
                "terms": list(c.terms),
                "count": c.count,
                "opening": c.opening,
            }
            for c in s.calls
        ],
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
            "label": part.label,
            "formula": part.formula,
            "figures": part.figures or None,
            "cite": list(part.cite),
        }
        for part in p.parts
    ]
