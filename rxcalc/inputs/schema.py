"""The JSON Schema of a rulebook's episode files, for editors."""

from __future__ import annotations

from rxcalc.inputs.groups import key_specs, result_specs
from rxcalc.lang.types import Kind, OneOf, Plain
from rxcalc.plan.nodes import Plan, PlanGroup, PlanInput, PlanList

DRAFT = "https://json-schema.org/draft/2020-12/schema"


def episode_schema(plan: Plan) -> dict[str, object]:
    """A JSON Schema (draft 2020-12) for `episode:` files; exact limits are left to rxcalc itself."""
    complete = _row(plan.inputs)
    lists = {li.name: _list(li) for li in plan.lists}
    needed = [li.name for li in plan.lists if li.required]
    calls = {
        c.key: {"type": ["number", "string"], "description": f"state before the first listed episode ({c.type})"}
        for c in plan.calls
        if c.kind == "window" and not c.level
    }
    results = [*(s.name for s in plan.steps if not s.lazy), *plan.totals]
    groups = {g.name: _group(g, plan) for g in plan.groups if not g.inside}
    amounts = {"type": "object", "properties": {name: {"type": ["number", "string"]} for name in results}}
    return {
        "$schema": DRAFT,
        "title": f"Episode of {plan.rulebook} {plan.version}",
        "type": "object",
        "additionalProperties": False,
        "required": ["episode", *needed],
        "properties": {
            "rulebook": {"type": "string", "description": "the rulebook to use; -r wins"},
            "episode": complete,
            **lists,
            "earlier": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["episode", *needed],
                    "properties": {"episode": complete, **lists},
                },
            },
            "so_far": {"type": "object", "additionalProperties": False, "properties": calls},
            **({"groups": {"type": "object", "additionalProperties": False, "properties": groups}} if groups else {}),
            "charged": amounts,
        },
    }


def _row(inputs: tuple[PlanInput, ...]) -> dict[str, object]:
    """The fields of an episode, or of a row of a list."""
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {i.name: _field(i) for i in inputs},
        "required": [i.name for i in inputs if not i.optional and i.default is None],
    }


def _list(spec: PlanList) -> dict[str, object]:
    label = "; ".join(text for _, text in spec.label) or f"the {spec.name} of the bill"
    least = {"minItems": 1} if spec.required else {}
    return {"type": "array", "description": label, "items": _row(spec.inputs), **least}


def _group(group: PlanGroup, plan: Plan) -> dict[str, object]:
    """Results that stand for groups of a kind: one map, or rows that hold the keys too."""
    fields = (*key_specs(group, plan), *group.inputs, *result_specs(group, plan))
    row = {"type": "object", "additionalProperties": False, "properties": {i.name: _field(i) for i in fields}}
    label = "; ".join(text for _, text in group.label) or f"results of {group.name}"
    return {"description": label, "anyOf": [row, {"type": "array", "items": row}]}


def _field(i: PlanInput) -> dict[str, object]:
    schema: dict[str, object] = {"description": "; ".join(text for _, text in i.label) or str(i.type)}
    match i.type:
        case OneOf():
            schema["enum"] = [spelling for v in i.values for spelling in (v.name, *v.aliases)]
        case Plain(Kind.FLAG):
            schema["type"] = ["boolean", "string"]
        case Plain(Kind.DATE):
            schema |= {"type": "string", "format": "date"}
        case Plain(Kind.COUNT | Kind.DAYS | Kind.MONTHS | Kind.YEARS):
            schema["type"] = ["integer", "string"]
        case Plain(Kind.MONEY | Kind.NUMBER | Kind.MONEY_PER_DAY):
            schema["type"] = ["number", "string"]
        case _:
            schema["type"] = ["string", "number"]
    return schema
