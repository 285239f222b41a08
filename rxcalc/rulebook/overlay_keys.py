"""Which keys may stand where in an overlay, as a JSON Schema made from that of whole rulebooks."""

from __future__ import annotations

from typing import Final

from rxcalc.rulebook.keys import OVERLAY_KEYS, RULEBOOK_SCHEMA, SCALAR, Schema

__all__ = ["EITHER_SCHEMA", "LEVEL", "LEVELS", "LISTED", "NAMED", "OVERLAY_SCHEMA", "OWN"]

OWN: Final = ("rxcalc", "rulebook", "title", "version", "effective", "status", "note", "label", "cite")
"""What an overlay says of itself; its base's words do not hold for it."""

NAMED: Final = frozenset(
    {
        *(
            "sources",
            "sets",
            "inputs",
            "windows",
            "parameters",
            "tables",
            "steps",
            "shares",
            "messages",
            "spread",
            "sample",
        ),
    }
)
"""Sections whose members are replaced, added and removed one by one."""

LISTED: Final = frozenset({"requires", "guarantees", "outputs", "checks"})
"""Sections that are replaced whole and that `adds:` appends to."""

LEVEL: Final = frozenset({"lines"})
"""Sections that hold sections of their own."""

LEVELS: Final = frozenset({"lists", "groups"})
"""Sections whose members hold sections of their own."""


def _partial(level: Schema) -> Schema:
    """A level of which some sections are given."""
    sections = {key: {**of, "required": []} if key in NAMED else of for key, of in level["properties"].items()}
    return {**level, "properties": sections, "required": []}


def _section(key: str, of: Schema) -> Schema:
    if key in LEVEL:
        return _partial(of)
    if key in LEVELS:
        return {**of, "additionalProperties": _partial(of["additionalProperties"])}
    return {**of, "required": []} if key in NAMED else of


def _overlay() -> Schema:
    whole = RULEBOOK_SCHEMA["properties"]
    sections = {key: _section(key, of) for key, of in whole.items() if key not in OWN}
    texts = {key: whole[key] for key in ("title", "status", "note", "label", "cite")}
    some = {"type": "object", "required": [], "additionalProperties": False, "minProperties": 1}
    changed, added = "sections with what replaces the base's", "sections with what is new"
    named = "what is removed, such as [steps.old_step, parameters.p]"
    path = {
        "type": SCALAR,
        "pattern": r"^[a-z_]+(\.[A-Za-z][A-Za-z0-9_-]*)*$",
        "x-expected": "the path of a thing, such as steps.old_step",
        "description": "the path of a thing, such as steps.old_step",
    }
    return {
        "type": "object",
        "x-expected": "an overlay",
        "description": "a rulebook laid over another one",
        "properties": {
            **{key: whole[key] for key in OWN},
            "extends": {
                "type": SCALAR,
                "x-expected": "a path such as ../base, or the name of a shipped rulebook",
                "description": "the rulebook that this one is laid over: a path from this file, or a shipped name",
            },
            "changes": {**some, "properties": {**texts, **sections}, "x-expected": changed, "description": changed},
            "adds": {**some, "properties": sections, "x-expected": added, "description": added},
            "removes": {
                "type": [*SCALAR, "array"],
                "minItems": 1,
                "items": path,
                "x-expected": named,
                "description": named,
            },
        },
        "required": ["rxcalc", "rulebook", "extends", "version", "effective"],
        "additionalProperties": False,
    }


OVERLAY_SCHEMA: Final[Schema] = {**_overlay(), "$defs": RULEBOOK_SCHEMA["$defs"]}

EITHER_SCHEMA: Final[Schema] = {
    "$schema": RULEBOOK_SCHEMA["$schema"],
    "title": RULEBOOK_SCHEMA["title"],
    "if": {"anyOf": [{"type": "object", "required": [key]} for key in OVERLAY_KEYS]},
    "then": {key: value for key, value in OVERLAY_SCHEMA.items() if key != "$defs"},
    "else": {key: value for key, value in RULEBOOK_SCHEMA.items() if key not in ("$defs", "$schema", "title")},
    "$defs": RULEBOOK_SCHEMA["$defs"],
}
"""Whole rulebooks and overlays, for editors."""
