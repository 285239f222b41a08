"""The JSON Schema of a rulebook's episode files, for editors."""

from __future__ import annotations

from rxcalc.lang.types import Kind, OneOf, Plain
from rxcalc.plan.nodes import Plan, PlanInput

DRAFT = "https://json-schema.org/draft/2020-12/schema"


def episode_schema(plan: Plan) -> dict[str, object]:
    """A JSON Schema (draft 2020-12) for `episode:` files; exact limits are left to rxcalc itself."""
    fields = {"type": "object", "additionalProperties": False, "properties": {i.name: _field(i) for i in plan.inputs}}
    required = [i.name for i in plan.inputs if not i.optional and i.default is None]
    complete = {**fields, "required": required}
    calls = {
        c.key: {"type": ["number", "string"], "description": f"state before the first listed episode ({c.type})"}
        for c in plan.window_calls
    }
    results = [*(s.name for s in plan.steps), *plan.totals]
    amounts = {"type": "object", "properties": {name: {"type": ["number", "string"]} for name in results}}
    return {
        "$schema": DRAFT,
        "title": f"Episode of {plan.rulebook} {plan.version}",
        "type": "object",
        "additionalProperties": False,
        "required": ["episode"],
        "properties": {
            "rulebook": {"type": "string", "description": "the rulebook to use; -r wins"},
            "episode": complete,
            "earlier": {
                "type": "array",
                "items": {"type": "object", "required": ["episode"], "properties": {"episode": complete}},
            },
            "so_far": {"type": "object", "additionalProperties": False, "properties": calls},
            "charged": amounts,
        },
    }


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
