"""`whatif` and `diff` as JSON: amounts are strings of plain decimals."""

from __future__ import annotations

from rxcalc.bill.compare import Comparison, Place
from rxcalc.bill.near import Near
from rxcalc.bill.whatif import Change, Varied, written
from rxcalc.plan.nodes import Plan, weakest_evidence
from rxcalc.report.compared import Parting, Reading, Side, Table
from rxcalc.report.wording import Wording

FORMAT = 1


def whatif_document(
    table: Table, varied: tuple[Varied, ...], near: Near | str | None, goal: str, version: str, language: str
) -> dict[str, object]:
    """The page of `whatif`; alternatives stand in the order of their marks."""
    first = table.sides[0]
    return {
        **_head(first, version),
        "bill": _side(table, 0, language),
        "alternatives": [_side(table, at, language) for at in range(1, len(table.sides))],
        "varied": [
            {"field": v.field, "alternatives": len(v.alternatives), "left_out": v.left_out, "why": v.why or None}
            for v in varied
        ],
        "near": _near(near, goal, first.plan) if near is not None else None,
    }


def diff_document(table: Table, notes: dict[str, list[str]], version: str, language: str) -> dict[str, object]:
    """The page of `diff --episode`. `notes` say by kind which inputs only one rulebook knows."""
    comparison = table.comparisons[0]
    first, other = table.sides
    return {
        "rxcalc": version,
        "format": FORMAT,
        "episode": _id(first),
        "old": {"rulebook": _rulebook(first.plan), "currency": first.plan.currency, **_side(table, 0, language)},
        "new": {"rulebook": _rulebook(other.plan), "currency": other.plan.currency, **_side(table, 1, language)},
        "only_in_old": [_place(p) for p in comparison.of_one] if comparison is not None else [],
        "only_in_new": [_place(p) for p in comparison.of_other] if comparison is not None else [],
        "inputs": notes,
        "differs": is_different(table),
    }


def is_different(table: Table) -> bool:
    """Whether anything comes out differently: a result, a result that only one has, a refusal."""
    first, *others = table.sides
    return any(
        c is None or bool(c.differing or c.of_one or c.of_other) or first.refusal != o.refusal
        for c, o in zip(table.comparisons, others, strict=True)
    )


def _head(side: Side, version: str) -> dict[str, object]:
    return {
        "rxcalc": version,
        "format": FORMAT,
        "rulebook": _rulebook(side.plan),
        "currency": side.plan.currency,
        "episode": _id(side),
    }


def _id(side: Side) -> str | None:
    return str(side.outcome.inputs["episode_id"]) if side.outcome is not None else None


def _rulebook(plan: Plan) -> dict[str, object]:
    return {"name": plan.rulebook, "version": plan.version, "hash": plan.digest, "status": weakest_evidence(plan)}


def _side(table: Table, at: int, language: str) -> dict[str, object]:
    side = table.sides[at]
    words = Wording(language, side.plan.decimals, grouped=False)
    problem = side.outcome.problem if side.outcome is not None else None
    sections: dict[str, dict[str, object]] = {"outputs": {}, "shares": {}, "totals": {}}
    for line in table.lines:
        cell = line.cells[at]
        if cell is not None:
            own: dict[str, object] = {"value": cell.plain}
            sections[line.section.partition(":")[0]][line.name] = own if at == 0 else {**own, "moved": cell.moved_plain}
    found: dict[str, object] = {
        "mark": side.mark,
        "rulebook_version": side.plan.version,
        "problem": None
        if problem is None
        else {"code": problem.code, "field": problem.field, "value": problem.value, "message": problem.message},
        "unreadable": list(side.problems),
        **sections,
    }
    if at == 0:
        return found
    parting, comparison = table.partings[at - 1], table.comparisons[at - 1]
    changes = [_change(c, words) for c in side.changes]
    found |= {
        "changes": changes,
        "diverges": _parting(parting) if parting is not None else None,
        "differing": _differing(comparison, words) if comparison is not None else [],
    }
    return found


def _change(change: Change, words: Wording) -> dict[str, object]:
    if change.parameter is not None:
        label = words.words(change.parameter.label) or change.parameter.name
        if change.since is not None:
            return {
                "field": change.field,
                "label": label,
                "kind": "version",
                "from": str(change.was),
                "to": str(change.since),
            }
        old = words.plain(change.old, change.parameter.type)
        return {"field": change.field, "label": label, "kind": "parameter", "from": old, "to": change.text}
    label = words.words(change.spec.label) if change.spec is not None else ""
    old = written(change.old, change.spec) if change.spec is not None and change.old is not None else None
    return {
        "field": change.field,
        "label": label or change.field,
        "kind": "input",
        "from": old,
        "to": change.text or None,
    }


def _parting(parting: Parting) -> dict[str, object]:
    return {
        **_place(parting.place),
        "label": parting.label,
        "bill": _reading(parting.one),
        "other": _reading(parting.other),
        "moved": parting.moved_plain,
    }


def _reading(reading: Reading) -> dict[str, object]:
    """The value, what every step has, and the lines of the page in their order."""
    told: dict[str, object] = {"clause": None, "because": None, "formula": None, "figures": None}
    told |= {t.key: t.text for t in reading.told if t.key in told}
    return {"value": reading.plain, **told, "told": [{"key": t.key, "text": t.text} for t in reading.told]}


def _differing(found: Comparison, words: Wording) -> list[dict[str, object]]:
    return [
        {
            **_place(d.place),
            "from": words.plain(d.one.value, d.one.type),
            "to": words.plain(d.other.value, d.other.type),
            "moved": words.plain(d.moved, d.other.type) if d.moved is not None else None,
        }
        for d in found.differing
    ]


def _place(place: Place) -> dict[str, object]:
    return {"level": place.level or None, "row": place.row or None, "name": place.name, "kind": place.kind}


def _near(near: Near | str, goal: str, plan: Plan) -> dict[str, object]:
    if isinstance(near, str):
        return {"amount": goal, "impossible": near, "found": []}
    words = Wording("en", plan.decimals, grouped=False)
    of = near.amount.type
    return {
        "amount": goal,
        "impossible": None,
        "value": words.plain(near.amount.value, of),
        "tried": near.tried,
        "refused": near.refused,
        "cut_short": near.cut_short,
        "found": [
            {
                **_change(n.change, words),
                "level": n.level or None,
                "row": n.row or None,
                "steps": n.steps,
                "value": words.plain(n.amount, of),
                "saving": words.plain(n.saving, of),
            }
            for n in near.found
        ],
        "unmoved": list(near.unmoved),
        "not_tried": list(near.passed),
    }
