"""Explanations as JSON: amounts are strings of plain decimals."""

from __future__ import annotations

from rxcalc.report.explanation import Explanation, PartitionLine, StepLine

FORMAT = 1


def document(x: Explanation, version: str) -> dict[str, object]:
    """The explanation as a JSON document; a refused episode has `problem` and no shares."""
    return {
        "rxcalc": version,
        "format": FORMAT,
        "rulebook": {"name": x.rulebook, "version": x.version, "title": x.title, "hash": x.digest, "status": x.status},
        "currency": x.currency,
        "episode": {name: value for name, _, value in x.episode},
        "problem": None
        if x.problem is None
        else {"code": x.problem.code, "field": x.problem.field, "value": x.problem.value, "message": x.problem.message},
        "outputs": dict(x.outputs),
        "steps": [_step(s) for s in x.steps],
        "not_applied": [
            {"step": s.name, "condition": n.condition, "figures": n.figures, "because": n.because or None}
            for s in x.steps
            for n in s.not_applied
        ],
        "shares": [part for p in x.shares for part in _parts(p)],
        "totals": dict(x.totals),
        "checks": [],
        "windows": [
            {"call": w.call, "value": w.value, "episodes": list(w.episodes), "opening": w.opening} for w in x.windows
        ],
        "assumptions": list(x.assumptions),
        "defaulted": list(x.defaulted),
        "set_by_hand": list(x.set_by_hand),
        "sources": [{"id": name, "title": title, "status": status or None} for name, title, status in x.sources],
    }


def _step(s: StepLine) -> dict[str, object]:
    result: dict[str, object] = {
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
        "cite": list(s.cite),
        "status": s.status or None,
        "file": s.file,
        "line": s.line,
    }
    return result


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
