"""Which keys may stand where in a rulebook file, as a JSON Schema.

The schema also serves editors, so scalars accept what YAML reads as numbers and flags; our own
instances hold every scalar as the string that was written. `x-expected` says in words what a
place takes.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

Schema: TypeAlias = dict[str, Any]

SCALAR: Final[list[str]] = ["string", "number", "boolean"]
_NAME: Final = "^[a-z][a-z0-9_]*$"
_VALUE: Final = "^[A-Za-z][A-Za-z0-9_]*$"
_DAY: Final = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
MODES: Final = ["half-up", "half-even", "half-down", "up", "down"]
_STATUS: Final = ["sourced", "illustrative", "fictional"]
OVERLAY_KEYS: Final = ("extends", "changes", "adds", "removes")
"""Any of these makes a file an overlay; its schema is made from this one in `overlay_keys.py`."""


def _text(expected: str = "a text", **more: object) -> Schema:
    return {"type": SCALAR, "x-expected": expected, "description": expected, **more}


def _rule(kind: str, expected: str) -> Schema:
    """A place for rule text, read from `kind` of the grammar (`rule_places.py`)."""
    return _text(expected, **{"x-rule": kind})


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _one(expected: str, *allowed: object) -> Schema:
    return {"type": SCALAR, "enum": list(allowed), "x-expected": expected, "description": expected}


def _map(expected: str, properties: Schema, *required: str, others: Schema | bool = False) -> Schema:
    return {
        "type": "object",
        "x-expected": expected,
        "description": expected,
        "properties": properties,
        "required": list(required),
        "additionalProperties": others,
    }


def _named(expected: str, value: Schema, *, name: str = "name") -> Schema:
    return {
        "type": "object",
        "x-expected": f"a map of names to {expected}",
        "description": f"a map of names to {expected}",
        "propertyNames": _ref(name),
        "additionalProperties": value,
    }


def _list(expected: str, item: Schema) -> Schema:
    return {
        "type": "array",
        "minItems": 1,
        "items": item,
        "x-expected": f"a list of {expected}",
        "description": f"a list of {expected}",
    }


def _some(expected: str, item: Schema) -> Schema:
    """One scalar or a list of them."""
    words = f"{expected}, or a list"
    return {"type": [*SCALAR, "array"], "minItems": 1, "items": item, "x-expected": words, "description": words}


_FLAG: Final = _one("yes or no", *("yes", "no", "true", "false"), *(True, False))
_META: Final[Schema] = {
    "label": _ref("words"),
    "note": _ref("words"),
    "cite": _some("a source and place, such as regs#36", _text("a source and place, such as regs#36")),
    "status": _one("the evidence behind it", *_STATUS),
    "names": {**_named("names in other systems", _text("a name")), "propertyNames": True},
}
_TYPE: Final[Schema] = {
    "type": _text("a type, such as money, percent or `bands of percent over money`"),
    "one_of": _ref("one_of"),
    "ordered": _FLAG,
}
_RULE: Final = _rule("rule", "a rule: an expression, or clauses in a `|` block")
_EXPRESSION: Final = _rule("expression", "an expression")

_INPUT: Final = _map(
    "an input",
    {
        **_TYPE,
        **_META,
        "optional": _FLAG,
        "default": _text("a value"),
        "min": _text("a value"),
        "max": _text("a value"),
        "decimals": _text("a whole number", pattern="^[0-9]{1,2}$"),
        "time": _one("what happens to a time of day", "drop"),
        "aliases": _some("another spelling of the column's name", _text("a column's name")),
    },
)
_PARAMETER: Final = _map(
    "a parameter",
    {
        **_TYPE,
        **_META,
        "by": _some("the key: an input, step or set", _ref("name")),
        "values": {
            "type": "object",
            "minProperties": 1,
            "propertyNames": _ref("day"),
            "additionalProperties": True,
            "x-expected": "a map of start dates to values",
            "description": "a map of start dates to values; each date gives a whole new set",
            "x-schedule": True,
        },
        "ends": _ref("day"),
        "outside": _one("what holds outside a curve's points", "hold"),
    },
    "values",
)
_COLUMN: Final[Schema] = {
    "type": [*SCALAR, "object"],
    "x-expected": "a type, or {type: .., optional: yes}",
    "description": "a column",
    "properties": {**_TYPE, **_META, "optional": _FLAG, "decimals": _text("a whole number", pattern="^[0-9]{1,2}$")},
    "additionalProperties": False,
}
_KEY: Final[Schema] = {
    "type": [*SCALAR, "object"],
    "x-expected": "a column, {up_to: column} or {below: column}",
    "description": "a key column",
    "pattern": _NAME,
    "properties": {"up_to": _ref("name"), "below": _ref("name")},
    "additionalProperties": False,
    "minProperties": 1,
    "maxProperties": 1,
}
_TABLE: Final = _map(
    "a table",
    {
        **_META,
        "file": _text("a file such as tables/drg.csv"),
        "key": {
            "type": [*SCALAR, "array", "object"],
            "minItems": 1,
            "items": _KEY,
            "x-expected": "a list of key columns",
            "description": "the key columns",
            **{k: _KEY[k] for k in ("properties", "additionalProperties")},
        },
        "from": _ref("name"),
        "to": _ref("name"),
        "columns": _named("columns", _COLUMN),
    },
    "file",
    "key",
    "columns",
)
_WINDOW: Final = _map(
    "a window",
    {
        **_META,
        "calendar": _one("year, quarter or month", "year", "quarter", "month"),
        "date": _ref("name"),
        "starting": _text("a day such as 07-01, or an input", pattern="^([0-9]{2}-[0-9]{2}|[a-z][a-z0-9_]*)$"),
        "same": _some("an input", _ref("name")),
        "all": _FLAG,
        "rolling": _text("12 months, 60 days or 1 years; or a number of the calendar units in `unit`"),
        "unit": _one("month, quarter or year", "month", "quarter", "year"),
        "gap": _text("a length such as 60 days, after which a new spell starts"),
        "from": _ref("name"),
        "to": _ref("name"),
        "period": _text("a length such as 12 months, which starts with an episode"),
    },
)
_DECISION: Final = _map(
    "a decision table",
    {
        "hit": _one("unique or first", "unique", "first"),
        "of": _some("an expression", _EXPRESSION),
        "rows": _list(
            "rows",
            _map(
                "a row {when: [..], then: ..} or {otherwise: ..}",
                {
                    "when": {
                        "type": [*SCALAR, "array"],
                        "x-expected": "a list of cells",
                        "description": "one cell a column",
                        "items": {
                            "type": [*SCALAR, "array"],
                            "x-expected": "a value, a list of values, any, or a quoted condition",
                            "x-rule": "cell",
                            "items": _rule("expression", "a value"),
                        },
                    },
                    "then": _rule("expression", "an expression, or reject"),
                    "otherwise": _rule("expression", "an expression, or reject"),
                    "because": _text("a reason"),
                },
            ),
        ),
    },
    "of",
    "rows",
)
_STEP: Final[Schema] = {
    **_map(
        "a step",
        {
            **_TYPE,
            **_META,
            "rule": _RULE,
            "table": _DECISION,
            "optional": _FLAG,
            "round": {
                "type": [*SCALAR, "object"],
                "x-expected": "none, an amount, or {to: .., mode: .., parts: ..}",
                "description": "how the value is rounded",
                "properties": {"to": _text("an amount"), "mode": _one("a rounding mode", *MODES), "parts": _FLAG},
                "additionalProperties": False,
            },
        },
    ),
    "type": [*SCALAR, "object"],
    "x-rule": "rule",
}
_X12: Final = _text("an X12 group and reason code, such as PR-1")
_PART: Final[Schema] = {
    "type": [*SCALAR, "object"],
    "x-expected": "an amount, rest, or {is: .., reason: ..}",
    "x-rule": "expression",
    "description": "a part of a share",
    "properties": {
        **_META,
        "is": _rule("expression", "an amount, or rest"),
        "reason": _text("a reason code"),
        "x12": _X12,
        "may_be_negative": _FLAG,
    },
    "additionalProperties": False,
}
_BEARER: Final[Schema] = {
    "type": [*SCALAR, "object"],
    "x-expected": "an amount, rest, or parts with their amounts",
    "x-rule": "expression",
    "description": "who bears it, and in which parts",
    "properties": {
        **_META,
        "is": _rule("expression", "an amount, or rest"),
        "reason": _text("a reason code"),
        "x12": _X12,
        "may_be_negative": _FLAG,
    },
    "propertyNames": _ref("name"),
    "additionalProperties": _PART,
    "minProperties": 1,
}
_PARTITION: Final = _map(
    "a partition of an amount",
    {**_META, "of": _EXPRESSION, **dict.fromkeys(("fund", "patient", "hospital", "government", "other"), _BEARER)},
    "of",
)
_OVER: Final = _map("{what: .., in: ..}", {"what": _EXPRESSION, "in": _ref("name")}, "what", "in")
_GUARANTEE: Final[Schema] = {
    **_map(
        "a condition, or {increasing: ..} or {within: ..}",
        {**_META, "that": _EXPRESSION, "say": _ref("words"), "increasing": _OVER, "within": _OVER},
    ),
    "type": [*SCALAR, "object"],
    "x-rule": "expression",
}
_REQUIRE: Final[Schema] = {
    **_map("a condition, or {that: .., say: ..}", {**_META, "that": _EXPRESSION, "say": _ref("words")}, "that"),
    "type": [*SCALAR, "object"],
    "x-rule": "expression",
}
_CHECK: Final = _map(
    "a check {when: .., say: ..}",
    {
        **_META,
        "name": _ref("name"),
        "when": _EXPRESSION,
        "say": _ref("words"),
        "severity": _one("info, warn or error", "info", "warn", "error"),
        "amount": _EXPRESSION,
    },
    "when",
    "say",
)
_SPREAD: Final = _map(
    "a spread {what: .., over: .., by: ..}",
    {**_META, "what": _EXPRESSION, "over": _text("the rows that receive it"), "by": _EXPRESSION},
    "what",
    "over",
    "by",
)
_SEQUENCE: Final = _map(
    "{by: .., order: [..]}",
    {"by": _ref("name"), "order": _some("an input", _ref("name")), "reverses": _ref("name")},
    "by",
    "order",
)
_LIST: Final = _map(
    "a list of the bill: its inputs and steps",
    {
        **_META,
        "inputs": {**_named("inputs", _INPUT), "minProperties": 1},
        "order": _some("an input", _ref("name")),
        "required": _FLAG,
        "requires": _list("conditions", _REQUIRE),
        "steps": _named("steps", _STEP),
        "checks": _list("checks", _CHECK),
        "guarantees": _list("guarantees", _GUARANTEE),
    },
    "inputs",
)
_GROUP: Final = _map(
    "a kind of groups {of: .., by: {..}}",
    {
        **_META,
        "of": _text("episodes, a list or another kind of groups"),
        "by": {**_named("keys", _EXPRESSION), "minProperties": 1},
        "inputs": _named("inputs", _INPUT),
        "sequence": _SEQUENCE,
        "windows": _named("windows", _WINDOW),
        "effective": _text("a date of the group"),
        "requires": _list("conditions", _REQUIRE),
        "steps": _named("steps", _STEP),
        "spread": _named("spreads", _SPREAD),
        "shares": _named("partitions", _PARTITION),
        "checks": _list("checks", _CHECK),
        "guarantees": _list("guarantees", _GUARANTEE),
    },
    "of",
    "by",
)
_SOURCE: Final[Schema] = {
    **_map(
        "a source",
        {
            "title": _ref("words"),
            "date": _text("a date"),
            "status": _META["status"],
            "url": _text("an address"),
            "note": _ref("words"),
            "label": _ref("words"),
            "cite": _META["cite"],
        },
        "title",
    ),
    "type": [*SCALAR, "object"],
}
_SET: Final[Schema] = {
    "type": ["array", "object"],
    "minItems": 1,
    "minProperties": 1,
    "items": _ref("value"),
    "x-expected": "a list of values",
    "description": "a named set of values",
}

_HINT: Final[Schema] = {
    "type": [*SCALAR, "object"],
    "x-expected": "an expression such as uniform(1, 9), shares of values, or a map of hints",
    "description": "how made-up data of an input, a list or a kind of groups looks; never meaning",
}

RULEBOOK_SCHEMA: Final[Schema] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "rxcalc rulebook, version 1",
    **_map(
        "a rulebook",
        {
            "rxcalc": _one("the version of the language", "1", 1),
            "rulebook": _text("the rulebook's name", pattern="^[a-z][a-z0-9_-]*$"),
            "title": _ref("words"),
            "version": _text("the rulebook's version"),
            "currency": {
                "type": ["string", "object"],
                "pattern": "^[A-Z]{3}$",
                "x-expected": "a currency such as CNY, or {code: TWD, decimals: 0}",
                "description": "the rulebook's currency",
                "properties": {
                    "code": _text("a currency such as CNY", pattern="^[A-Z]{3}$"),
                    "decimals": _text("a whole number up to 6", pattern="^[0-6]$"),
                },
                "required": ["code"],
                "additionalProperties": False,
            },
            "rounding": _one("a rounding mode", *MODES),
            "effective": _map(
                "{from: .., to: .., by: ..}",
                {"from": _ref("day"), "to": _ref("day"), "by": _ref("name"), "announced": _text("a text")},
                "from",
                "by",
            ),
            "status": _META["status"],
            "note": _ref("words"),
            "label": _ref("words"),
            "cite": _META["cite"],
            "sources": _named("sources", _SOURCE, name="source"),
            "sets": _named("sets of values", _SET),
            "inputs": {**_named("inputs", _INPUT), "required": ["episode_id"]},
            "requires": _list("conditions", _REQUIRE),
            "sequence": _SEQUENCE,
            "windows": _named("windows", _WINDOW),
            "parameters": _named("parameters", _PARAMETER),
            "tables": _named("tables", _TABLE),
            "steps": _named("steps", _STEP),
            "shares": _named("partitions", _PARTITION),
            "guarantees": _list("guarantees", _GUARANTEE),
            "outputs": _some("a step or share", _text("a name", pattern="^[a-z][a-z0-9_]*(\\.[a-z][a-z0-9_]*)*$")),
            "messages": _named("texts", _ref("words")),
            "lines": _LIST,
            "lists": _named("lists", _LIST),
            "groups": _named("groups", _GROUP),
            "spread": _named("spreads", _SPREAD),
            "checks": _list("checks", _CHECK),
            "sample": _named("hints for made-up data", _HINT),
        },
        "rxcalc",
        "rulebook",
        "version",
        "currency",
        "rounding",
        "effective",
        "inputs",
    ),
    "$defs": {
        "name": _text("a name: small letters, digits and _, a letter first", pattern=_NAME),
        "source": _text("a name: letters, digits, _ and -, a letter first", pattern="^[A-Za-z][A-Za-z0-9_-]*$"),
        "value": _text("a value: letters, digits and _, a letter first", pattern=_VALUE),
        "day": _text("a date such as 2025-07-01", pattern=_DAY),
        "words": {
            "type": [*SCALAR, "object"],
            "x-expected": "a text, or a map of language tags to texts",
            "description": "a text for readers",
            "propertyNames": _ref("language"),
            "additionalProperties": _text(),
            "minProperties": 1,
        },
        "language": _text("a language tag such as en or zh", pattern="^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$"),
        "one_of": {
            "type": [*SCALAR, "array", "object"],
            "pattern": _NAME,
            "minItems": 1,
            "minProperties": 1,
            "items": _ref("value"),
            "propertyNames": _ref("value"),
            "additionalProperties": {
                "type": [*SCALAR, "object", "null"],
                "x-expected": "{aliases: [..], label: ..}",
                "properties": {
                    "aliases": _some("another spelling", _text("a spelling")),
                    "label": _ref("words"),
                    "note": _ref("words"),
                },
                "additionalProperties": False,
            },
            "x-expected": "a list of values, a map of values to {aliases: [..]}, or the name of a set",
            "description": "a closed set of values",
        },
    },
}
