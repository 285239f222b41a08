"""The atlas: rulebooks of other systems, whose amounts were worked out a second time by scripts that share no code."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from rxcalc.diagnostics.model import Sink
from rxcalc.driver import find
from rxcalc.driver.examples import run_examples

ATLAS = Path(__file__).parents[1] / "cases" / "atlas"
NAMES = sorted(folder.name for folder in ATLAS.iterdir() if folder.is_dir())


def script(name: str) -> ModuleType:
    """The independent script of a rulebook."""
    path = Path(__file__).parent / "atlas" / f"{name.replace('-', '_')}.py"
    spec = importlib.util.spec_from_file_location(f"atlas_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def plain(value: Any) -> str:
    """A figure in one spelling: 5 and 5.00 are the same amount."""
    text = str(value)
    try:
        return str(Fraction(text.removesuffix("%").replace(",", "")) / (100 if text.endswith("%") else 1))
    except ValueError:
        return {"true": "yes", "false": "no"}.get(text.lower(), text)


def expectations(name: str) -> Iterator[tuple[str, str, str]]:
    """What the examples of a rulebook expect: example, field, figure."""
    rulebook = yaml.load((ATLAS / name / "rulebook.yaml").read_text("utf-8"), Loader=yaml.BaseLoader)
    keys = {kind: list(group["by"]) for kind, group in rulebook.get("groups", {}).items()}
    for file in sorted((ATLAS / name / "examples").glob("*.yaml")):
        for entry in yaml.load(file.read_text("utf-8"), Loader=yaml.BaseLoader):
            several = entry.get("episodes") or [entry]
            for n, one in enumerate(several, start=1):
                called = f"{entry['example']}#{n}" if len(several) > 1 else entry["example"]
                if "rejects" in one:
                    yield called, "rejects", one["rejects"]
                for field, value in one.get("expect", {}).items():
                    yield from ((called, *found) for found in flat(field, value, keys))


def ordered(field: str) -> str:
    """A group's field with its keys in one order."""
    head, bracket, rest = field.partition("[")
    if not bracket:
        return field
    own, _, of = rest.partition("]")
    return f"{head}[{','.join(sorted(own.split(',')))}]{of}"


def flat(field: str, value: Any, keys: dict[str, list[str]]) -> Iterator[tuple[str, str]]:
    """One expected field, rows and groups taken apart."""
    if field == "groups":
        for kind, rows in value.items():
            for row in rows if isinstance(rows, list) else [rows]:
                own = ",".join(sorted(f"{key}={row[key]}" for key in keys[kind] if key in row))
                where = f"groups.{kind}[{own}]" if own else f"groups.{kind}"
                yield from ((f"{where}.{name}", plain(x)) for name, x in row.items() if name not in keys[kind])
    elif isinstance(value, dict):
        for row, fields in value.items():
            yield from ((f"{field}.{row}.{name}", plain(x)) for name, x in fields.items())
    else:
        yield field, plain(value)


@pytest.mark.parametrize("name", NAMES)
def test_expected_amounts_are_those_of_the_script(name: str) -> None:
    """Every figure that an example expects was worked out by the script, from data of its own."""
    known = {
        example: {ordered(k): plain(v) for k, v in found.items()} for example, found in script(name).expected().items()
    }
    compared = 0
    for example, field, figure in expectations(name):
        theirs = known.get(example) or known[f"{example}#1"]
        wanted = [field]
        if field not in theirs and field.startswith("groups.") and "[" not in field:
            # An example's only group may be named without its key.
            kind, _, of = field.removeprefix("groups.").partition(".")
            wanted = [k for k in theirs if k.startswith(f"groups.{kind}[") and k.endswith(f"].{of}")]
        assert [theirs[name] for name in wanted] == [figure], (example, field)
        compared += 1
    assert compared > 80


@pytest.mark.parametrize("name", NAMES)
def test_examples_pass(name: str) -> None:
    """The program gives every amount of the examples."""
    found = find.rulebooks(str(ATLAS / name))
    assert not isinstance(found, find.NotFound)
    for file in found:
        report = run_examples(file, Sink())
        assert report.compiled is not None
        assert len(report.results) >= 15
        assert [r.name for r in report.results if not r.passed] == []


def test_the_scripts_share_no_code() -> None:
    """A script that read rxcalc would prove nothing."""
    for name in NAMES:
        text = (Path(__file__).parent / "atlas" / f"{name.replace('-', '_')}.py").read_text("utf-8")
        assert "import rxcalc" not in text
        assert "from rxcalc" not in text
