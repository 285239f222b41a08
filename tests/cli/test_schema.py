"""`schema`: what editors get says something of every key, offers values, and accepts every rulebook and example."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from jsonschema import Draft202012Validator

from rxcalc.cli.main import cli
from rxcalc.rulebook.key_words import DESCRIPTIONS, TYPES
from rxcalc.syntax.declarations import KINDS

ROOT = Path(__file__).parents[2]
RULEBOOKS = sorted(
    [
        *(ROOT / "rulebooks").glob("*/rulebook*.yaml"),
        *(ROOT / "tests" / "cases" / "atlas").glob("*/rulebook*.yaml"),
        *sorted((ROOT / "tests" / "cases" / "runs").rglob("rulebook*.yaml"))[::5],
    ]
)
SHIPPED = sorted(p.name for p in (ROOT / "rulebooks").iterdir() if (p / "rulebook.yaml").is_file())


class EditorLoader(yaml.BaseLoader):
    """Reads scalars as editors do (YAML 1.2): numbers, true and false, null; dates, yes and no are texts."""


for tag, pattern, first in (
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("int", r"^[-+]?[0-9]+$", "-+0123456789"),
    ("float", r"^[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*)(?:[eE][-+]?[0-9]+)?$", "-+.0123456789"),
    ("null", r"^(?:~|null|Null|NULL|)$", "~nN"),
):
    EditorLoader.add_implicit_resolver(
        f"tag:yaml.org,2002:{tag}", re.compile(pattern), [*first, *([""] if tag == "null" else [])]
    )
EditorLoader.add_constructor("tag:yaml.org,2002:bool", lambda _, node: node.value.lower() == "true")
EditorLoader.add_constructor("tag:yaml.org,2002:int", lambda _, node: int(node.value))
EditorLoader.add_constructor("tag:yaml.org,2002:float", lambda _, node: float(node.value))
EditorLoader.add_constructor("tag:yaml.org,2002:null", lambda _, node: None)
LOADERS = (yaml.BaseLoader, EditorLoader)


def run(*args: str) -> Result:
    return CliRunner().invoke(cli, ["schema", *args], catch_exceptions=False, standalone_mode=False)


@cache
def schema_of(*args: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(run(*args).stdout)
    Draft202012Validator.check_schema(schema)
    return schema


def objects(node: object) -> Iterator[dict[str, Any]]:
    """Every part of a schema that has keys of its own."""
    if isinstance(node, dict):
        if isinstance(node.get("properties"), dict):
            yield node
        for value in node.values():
            yield from objects(value)
    elif isinstance(node, list):
        for value in node:
            yield from objects(value)


def problems(schema: dict[str, Any], document: object) -> list[str]:
    return [f"{list(e.absolute_path)}: {e.message[:200]}" for e in Draft202012Validator(schema).iter_errors(document)]


def test_every_key_of_the_language_has_a_description() -> None:
    """A sentence of its own, not the name of its kind; and no sentence is left for a key that is gone."""
    used: dict[str, set[str]] = {}
    for of in objects(schema_of("rulebook")):
        words = DESCRIPTIONS[of["x-expected"]]
        used.setdefault(of["x-expected"], set()).update(of["properties"])
        for key, value in of["properties"].items():
            assert value["description"] == words[key], (of["x-expected"], key)
            assert value["description"].endswith((".", "..")), key
    sections = {"a rulebook", "an overlay", "sections with what replaces the base's", "sections with what is new"}
    assert set().union(*(used[name] for name in sections)) == set(DESCRIPTIONS["a rulebook"]) - {"names"}
    for kind, words in DESCRIPTIONS.items():
        if kind not in sections:
            assert set(words) - used[kind] <= {"names"}, kind


def test_values_are_offered() -> None:
    """Every closed choice is an enumeration, and types are."""
    assert TYPES == KINDS
    offered: dict[str, set[str]] = {}
    for of in objects(schema_of("rulebook")):
        for key, value in of["properties"].items():
            choices = value.get("enum") or value.get("anyOf", [{}])[0].get("enum", [])
            offered.setdefault(key, set()).update(map(str, choices))
    assert offered["type"] == set(KINDS)
    assert offered["rounding"] == offered["mode"] == {"half-up", "half-even", "half-down", "up", "down"}
    assert offered["status"] == {"sourced", "illustrative", "fictional"}
    assert offered["severity"] == {"info", "warn", "error"}
    assert offered["hit"] == {"unique", "first"}
    assert offered["calendar"] == {"year", "quarter", "month"}
    assert {"yes", "no"} <= offered["optional"] & offered["ordered"] & offered["required"]


@pytest.mark.parametrize("path", RULEBOOKS, ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_every_rulebook_is_accepted(path: Path) -> None:
    """As rxcalc reads it and as editors do."""
    schema = schema_of("rulebook")
    for loader in LOADERS:
        assert problems(schema, yaml.load(path.read_text(encoding="utf-8"), Loader=loader)) == []


def test_slips_are_underlined() -> None:
    """An unknown key, a misspelt type and a word that is not allowed."""
    schema = schema_of("rulebook")
    text = (ROOT / "rulebooks" / "qin" / "rulebook.yaml").read_text(encoding="utf-8")
    for right, wrong in (
        ("rounding: half-up", "rounding: halfup"),
        ("type: money", "type: mony"),
        ("outputs:", "output:"),
    ):
        assert right in text
        assert problems(schema, yaml.load(text.replace(right, wrong, 1), Loader=EditorLoader)), wrong


@pytest.mark.parametrize("name", SHIPPED)
def test_every_example_is_accepted(name: str) -> None:
    """The schema of a rulebook's episode files takes its lists of examples too."""
    schema = schema_of("episode", name)
    for path in sorted((ROOT / "rulebooks" / name / "examples").glob("*.y*ml")):
        for loader in LOADERS:
            assert problems(schema, yaml.load(path.read_text(encoding="utf-8"), Loader=loader)) == [], path.name


def test_labels_are_descriptions() -> None:
    """In every language, with the type; values of a set with theirs; results too."""
    entry = schema_of("episode", "qin")["else"]["properties"]
    fields = entry["episode"]["properties"]
    assert fields["admission_date"]["description"] == "Admission; 入院日期 (date)"
    assert "\ntown: Township; 乡镇" in fields["level"]["description"]
    assert {"town", "乡镇"} <= set(fields["level"]["enum"])
    assert entry["expect"]["properties"]["fund_pays"]["description"].startswith("Fund; 基金支付")
    for of in objects(schema_of("episode", "sanming")):
        for key, value in of["properties"].items():
            assert value.get("description"), key


def test_bad_fields_of_a_bill_are_underlined() -> None:
    """A field that is no input, a value that is not in the set; not where the example is refused on purpose."""
    schema = schema_of("episode", "qin")
    bill = yaml.load((ROOT / "docs" / "bills" / "qin-town.yaml").read_text(encoding="utf-8"), Loader=EditorLoader)
    assert problems(schema, bill) == []
    wrong = {**bill, "episode": {**bill["episode"], "level": "village"}}
    assert problems(schema, wrong)
    assert problems(schema, {**bill, "episode": {**bill["episode"], "totl": 1}})
    assert problems(schema, [{"example": "x", **wrong}])
    assert problems(schema, [{"example": "x", "rejects": "RX705", **wrong}]) == []
