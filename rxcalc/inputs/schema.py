"""The JSON Schema of a rulebook's episode files, for editors."""

from __future__ import annotations

from rxcalc.inputs.groups import key_specs, result_specs
from rxcalc.lang.types import Kind, OneOf, Plain
from rxcalc.plan.nodes import Plan, PlanGroup, PlanInput, PlanList, Words

DRAFT = "https://json-schema.org/draft/2020-12/schema"


def episode_schema(plan: Plan) -> dict[str, object]:
    """A JSON Schema (draft 2020-12) of episode files, and of the lists of examples beside the rulebook.

    It has what editors show and offer. Exact limits, dates and what goes together are left to rxcalc itself.
    """
    entry = _entry(plan)
    example = {**entry, "properties": {**_example_keys(plan), **_properties(entry)}, "required": ["example"]}
    return {
        "$schema": DRAFT,
        "title": f"Episode of {plan.rulebook} {plan.version}",
        "if": {"type": "array"},
        "then": {
            "type": "array",
            "items": _unless_refused(example),
            "description": "examples that `rxcalc test` runs",
        },
        "else": entry,
    }


def _entry(plan: Plan) -> dict[str, object]:
    """A bill, or several, with what came before."""
    item = _item(plan)
    groups = {g.name: _group(g, plan) for g in plan.groups if not g.inside}
    calls = {
        c.key: {"type": ["number", "string"], "description": f"state before the first listed episode ({c.type})"}
        for c in plan.calls
        if c.kind == "window" and not c.level
    }
    given = {"type": "object", "additionalProperties": False, "properties": groups}
    return {
        "type": "object",
        "additionalProperties": False,
        "anyOf": [{"required": ["episode"]}, {"required": ["episodes"]}],
        "dependentRequired": {"episode": [li.name for li in plan.lists if li.required]},
        "properties": {
            "rulebook": {"type": "string", "description": "the rulebook to use; -r wins"},
            **_properties(item),
            "episodes": {
                "type": "array",
                "items": _unless_refused(item),
                "description": "several bills, instead of `episode`",
            },
            "earlier": {"type": "array", "items": item, "description": "bills of the same sequence that came before"},
            "so_far": {
                "type": "object",
                # The first or last date of a spell or period may be given though no rule calls it.
                "additionalProperties": {"type": ["number", "string"]},
                "properties": calls,
                "description": "the state of window calls before the first bill listed",
            },
            **({"groups": {**given, "description": "groups across bills, given"}} if groups else {}),
            "charged": {
                "type": "object",
                "description": "what the bill charges, for `rxcalc audit`: results by name, rows of lists by their order",
                "properties": _results(plan),
            },
            "status": {"description": "the evidence behind the bill"},
        },
    }


def _unless_refused(schema: dict[str, object]) -> dict[str, object]:
    """The schema, except for a bill that is refused on purpose: any field of it may be wrong."""
    return {"if": {"required": ["rejects"]}, "then": {"type": "object"}, "else": schema}


def _example_keys(plan: Plan) -> dict[str, object]:
    """What an example has besides its episode."""
    return {
        "example": {"type": ["string", "number"], "description": "what the example shows; its name"},
        "expect": _expect(plan),
    }


def _item(plan: Plan) -> dict[str, object]:
    """One bill with its lists, and what an example says of it."""
    return {
        "type": "object",
        "required": ["episode", *(li.name for li in plan.lists if li.required)],
        "additionalProperties": False,
        "properties": {
            "episode": {**_row(plan.inputs), "description": "the fields of the bill"},
            **{li.name: _list(li) for li in plan.lists},
            "expect": _expect(plan),
            "rejects": {"type": "string", "pattern": "^RX[0-9]{3}$", "description": "the code that refuses the bill"},
            "by": {"type": "string", "description": "where the expected amounts come from, such as a hand computation"},
            "note": {"description": "a remark"},
            "cite": {"description": "where the case stands: source#place"},
        },
    }


def _expect(plan: Plan) -> dict[str, object]:
    more = {
        "findings": {"type": "array", "description": "the findings of `checks`, all of them: {check: name, ..}"},
        **{li.name: {"description": f"results of {li.name}, by the values of its order"} for li in plan.lists},
        "groups": {"description": "results of groups, by their keys"},
    }
    return {
        "type": "object",
        "description": "what must come out: steps, parts, totals",
        "properties": {**_results(plan), **more},
    }


def _results(plan: Plan) -> dict[str, object]:
    """Steps, parts and totals, by the names under which they are expected and charged."""
    found: dict[str, object] = {}
    for step in plan.steps:
        if not step.lazy:
            found[step.name] = {"description": _told(step.label, str(step.type))}
    for number, partition in enumerate(plan.shares):
        prefix = f"{partition.name}." if number else ""
        for part in partition.parts:
            if part.part:
                found[f"{prefix}{part.bearer}.{part.part}"] = {"description": _told(part.label, "money")}
    for total in plan.totals:
        found.setdefault(total, {"description": "the bearer's total (money)"})
    return found


def _properties(schema: dict[str, object]) -> dict[str, object]:
    found = schema["properties"]
    return found if isinstance(found, dict) else {}


def _told(label: Words, type_: str) -> str:
    """A label in all its languages, and the type."""
    text = "; ".join(text for _, text in label)
    return f"{text} ({type_})" if text else type_


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
    kind = "a value of a set" if isinstance(i.type, OneOf) else str(i.type)
    if i.optional:
        kind += ", may be missing"
    elif i.default is not None:
        kind += f", {i.default} if left out"
    schema: dict[str, object] = {"description": _told(i.label, kind)}
    match i.type:
        case OneOf():
            spellings = dict.fromkeys(spelling for v in i.values for spelling in (v.name, *v.aliases))
            # In YAML a spelling such as 3 is a number.
            numbers = [int(one) for one in spellings if one.isascii() and one.isdigit() and str(int(one)) == one]
            schema["enum"] = [*spellings, *numbers]
            told = [f"{v.name}: {'; '.join(text for _, text in v.label)}" for v in i.values if v.label]
            if told:
                schema["description"] = "\n".join([_told(i.label, kind), *told])
        case Plain(Kind.FLAG):
            schema["type"] = ["boolean", "string", "number"]
        case Plain(Kind.DATE):
            schema |= {"type": ["string", "number"], "format": "date"}
        case Plain(Kind.COUNT | Kind.DAYS | Kind.MONTHS | Kind.YEARS):
            schema["type"] = ["integer", "string"]
        case Plain(Kind.MONEY | Kind.NUMBER | Kind.MONEY_PER_DAY):
            schema["type"] = ["number", "string"]
        case Plain(Kind.CODES):
            schema["type"] = ["string", "number", "array"]
        case _:
            schema["type"] = ["string", "number"]
    return schema
