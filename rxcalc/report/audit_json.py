"""Audits as JSON: amounts are strings of plain decimals."""

from __future__ import annotations

from rxcalc.bill.audit import Audited, Compared
from rxcalc.bill.search import Hypothesis
from rxcalc.lang.types import Type
from rxcalc.plan.nodes import Value
from rxcalc.report.as_json import FORMAT, document
from rxcalc.report.audit_sums import contradictions, patient_side
from rxcalc.report.audit_words import Sentences
from rxcalc.report.audited import cites, explanation_of
from rxcalc.report.wording import plain_value


def audit_document(audited: Audited, version: str, language: str = "en") -> dict[str, object]:
    """The audit as a JSON document; `search` is null where nothing differs."""
    explained = document(explanation_of(audited, language, grouped=False), version)
    words = Sentences(audited, language)
    found = audited.found
    decimals = audited.subject.plan.decimals
    first = audited.first
    return {
        "rxcalc": version,
        "format": FORMAT,
        "rulebook": explained["rulebook"],
        "episode": explained["episode"],
        "tolerance": plain_value(audited.tolerance, audited.amounts[0].charged.of.type, decimals)
        if audited.amounts
        else "0",
        "problem": explained["problem"],
        "amounts": [_amount(words, c, decimals) for c in audited.amounts],
        "patient": patient_side(audited, words)[0] or None,
        "contradictions": list(contradictions(audited, words)),
        "reverses": audited.outcome.reverses or None,
        "first_difference": _named(first) if first is not None else None,
        "search": None
        if found is None
        else {
            "tried": found.count,
            "by_kind": {kind.value: n for kind, n in found.tried.items()},
            "not_computable": found.refused,
            "reproduce_first": len(found.hypotheses),
            "explain_all": len(found.causes),
            "in_part": [spec.name for spec in found.in_part],
            "not_readable": [{"rulebook": o.name, "problem": o.problem} for o in found.unread],
        },
        "causes": [
            _hypothesis(words, audited, h) for h in (found.hypotheses if found is not None else ()) if h.is_cause
        ],
        "others": [
            _hypothesis(words, audited, h) for h in (found.hypotheses if found is not None else ()) if not h.is_cause
        ],
        "checks": explained["checks"],
        "windows": explained["windows"],
        "assumptions": explained["assumptions"],
        "sources": explained["sources"],
    }


def _named(c: Compared) -> dict[str, object]:
    return {"name": c.charged.of.name, "list": c.charged.of.level or None, "row": c.charged.row or None}


def _amount(words: Sentences, c: Compared, decimals: int) -> dict[str, object]:
    type_ = c.charged.of.type
    apart = c.difference
    return {
        **_named(c),
        "label": words.wording.words(c.charged.of.label),
        "type": str(type_),
        "charged": plain_value(c.charged.charged, type_, decimals),
        "computed": None if c.verdict == "absent" else plain_value(c.ours, type_, decimals),
        "difference": None if apart is None else plain_value(apart, type_, decimals),
        "verdict": c.verdict,
        "cite": list(cites(c.charged.of.cite)),
    }


def _hypothesis(words: Sentences, audited: Audited, h: Hypothesis) -> dict[str, object]:
    c = h.change
    decimals = words.plan.decimals
    return {
        "kind": c.kind.value,
        "name": c.name or None,
        "level": c.level or None,
        "row": c.row or None,
        "was": _value(c.was, c.type, decimals),
        "now": _value(c.now, c.type, decimals),
        "detail": c.detail or None,
        "throughout": c.throughout,
        "weight": c.weight,
        "explains_all": h.explains_all,
        "is_cause": h.is_cause,
        "reproduces": [_named(audited.amounts[at]) for at in h.reproduced],
        "within_tolerance": [_named(audited.amounts[at]) for at, _ in h.within],
        "misses": [_named(audited.amounts[at]) for at in h.missed],
        "sentence": words.told(h),
        "cite": list(cites(c.cite)),
    }


def _value(value: Value | str, type_: Type | None, decimals: int) -> str | None:
    if type_ is None:
        return None if value is None else str(value)
    return plain_value(value, type_, decimals)
