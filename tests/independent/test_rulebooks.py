"""The shipped rulebooks, whose amounts were worked out a second time by scripts that share no code."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

REPOSITORY = Path(__file__).parents[2]
SCRIPTS = Path(__file__).parent / "rulebooks"
NAMES = sorted(folder.name for folder in (REPOSITORY / "rulebooks").iterdir() if folder.is_dir())
MISSING = "missing"


def script(name: str) -> ModuleType:
    """The independent script of a rulebook."""
    path = SCRIPTS / f"{name.replace('-', '_')}.py"
    spec = importlib.util.spec_from_file_location(f"independent_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up by name
    spec.loader.exec_module(module)
    return module


def plain(value: Any) -> str:
    """A figure in one spelling: 5 and 5.00 are the same amount, 80% is four fifths."""
    if value is None:
        return MISSING
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = str(value).strip()
    try:
        return str(Fraction(text.removesuffix("%").replace(",", "")) / (100 if text.endswith("%") else 1))
    except ValueError:
        return {"true": "yes", "false": "no"}.get(text.lower(), text)


def entries(name: str) -> list[dict[str, Any]]:
    """The examples of a rulebook as written, every scalar a string."""
    return [
        entry
        for file in sorted((REPOSITORY / "rulebooks" / name / "examples").glob("*.yaml"))
        for entry in yaml.load(file.read_text("utf-8"), Loader=yaml.BaseLoader)
    ]


def group_keys(name: str) -> dict[str, list[str]]:
    """The keys of each kind of groups, in all versions of a rulebook and its bases."""
    keys: dict[str, list[str]] = {}
    for file in sorted((REPOSITORY / "rulebooks" / name).glob("rulebook*.yaml")):
        rulebook = yaml.load(file.read_text("utf-8"), Loader=yaml.BaseLoader)
        if "extends" in rulebook:
            keys |= group_keys(Path(rulebook["extends"]).name)
        for section in (rulebook, rulebook.get("adds", {}), rulebook.get("changes", {})):
            keys |= {kind: list(of["by"]) for kind, of in section.get("groups", {}).items() if "by" in of}
    return keys


def flat(expect: dict[str, Any], keys: dict[str, list[str]]) -> Iterator[tuple[str, str]]:
    """What is expected as flat names with figures; findings are left out."""
    for field, value in expect.items():
        if field == "findings":
            continue
        if field == "groups":
            for kind, rows in value.items():
                for row in rows if isinstance(rows, list) else [rows]:
                    own = ",".join(sorted(f"{key}={row[key]}" for key in keys[kind] if key in row))
                    where = f"groups.{kind}[{own}]"
                    named = {k: x for k, x in row.items() if k not in keys[kind] and k != "findings"}
                    yield from ((f"{where}.{k}", plain(x)) for k, x in named.items())
        elif isinstance(value, dict):
            for row, fields in value.items():
                yield from ((f"{field}.{row}.{k}", plain(x)) for k, x in fields.items())
        else:
            yield field, plain(value)


def theirs(found: dict[str, str], field: str) -> list[str]:
    """The script's figures under a name; an example's only group may be named without its keys."""
    if field in found or not field.startswith("groups."):
        return [found[field]]
    kind, _, of = field.partition("[")
    return [x for k, x in found.items() if k.startswith(f"{kind}[") and k.endswith(of[of.index("]") :])]


@pytest.mark.parametrize("name", NAMES)
def test_expected_amounts_are_those_of_the_script(name: str) -> None:
    """Every figure that an example expects comes out of the script too, and what it refuses is refused."""
    results, keys = script(name).results, group_keys(name)
    wrong: list[str] = []
    compared = 0
    for entry in entries(name):
        listed = entry.get("episodes") or [entry]
        found = results(entry)
        assert len(found) == len(listed), entry["example"]
        for number, (one, values) in enumerate(zip(listed, found, strict=True), start=1):
            own = {k: plain(x) for k, x in values.items()}
            where = f"{entry['example']} ({number})"
            if "rejects" in one:
                if own.get("rejects", MISSING) not in (MISSING, one["rejects"]):
                    wrong.append(f"{where}: refused with {one['rejects']}, the script says {own['rejects']}")
                continue
            for field, figure in flat(one.get("expect", {}), keys):
                compared += 1
                if theirs(own, field) != [figure]:
                    wrong.append(f"{where}: {field} expected {figure}, the script says {theirs(own, field)}")
        whole = {k: plain(x) for values in found for k, x in values.items() if k.startswith("groups.")}
        for field, figure in flat(entry.get("expect", {}), keys) if "episodes" in entry else ():
            compared += 1
            if theirs(whole, field) != [figure]:
                wrong.append(f"{entry['example']}: {field} expected {figure}, the script says {theirs(whole, field)}")
    assert wrong == []
    assert compared > 80


@pytest.mark.parametrize("name", NAMES)
def test_every_example_says_where_its_amounts_come_from(name: str) -> None:
    """`by:` says source, hand computation or script, and the name of an example is given once."""
    listed = entries(name)
    assert [entry["example"] for entry in listed if not entry.get("by") and "rejects" not in entry] == []
    names = [(entry.get("rulebook", ""), entry["example"]) for entry in listed]
    assert sorted(n for n in set(names) if names.count(n) > 1) == []


def test_the_scripts_share_no_code() -> None:
    """A script that read rxcalc would prove nothing."""
    for path in SCRIPTS.glob("*.py"):
        text = path.read_text("utf-8")
        assert "import rxcalc" not in text
        assert "from rxcalc" not in text
