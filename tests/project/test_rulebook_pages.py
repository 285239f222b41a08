"""The shipped rulebooks: every rule says its source, every page says what became of each source item."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
RULEBOOKS = ROOT / "rulebooks"
NAMES = sorted(folder.name for folder in RULEBOOKS.iterdir() if folder.is_dir())
PAGES = ROOT / "docs" / "rulebooks"
FILES = sorted(RULEBOOKS.glob("*/rulebook*.yaml"))
ITEM = re.compile(r"\b([SQ])-(\d{2,3})\b")
RANGE = re.compile(r"\b([SQ])-(\d{2,3})(?: to |\.\.)(?:[SQ]-)?(\d{2,3})\b")
SCENARIOS = {
    1: "qin", 2: "qin", 3: "sanming", 4: "sanming", 5: "sanming", 6: "sanming", 7: "dian", 8: "sanming",
    9: "sanming", 10: "sanming-settlement", 11: "dian", 12: "sanming-settlement",
}  # fmt: skip


def items(text: str) -> set[str]:
    """The source items that a text names, ranges written out (`S-18 to S-24`)."""
    found = {f"{kind}-{number}" for kind, number in ITEM.findall(text)}
    for kind, first, last in RANGE.findall(text):
        found |= {f"{kind}-{number:02}" for number in range(int(first), int(last) + 1)}
    return found


def loaded(path: Path) -> dict[str, Any]:
    """A YAML file, every scalar a string."""
    document: dict[str, Any] = yaml.load(path.read_text("utf-8"), Loader=yaml.BaseLoader)
    return document


def rules(document: dict[str, Any], where: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every parameter, table and step, on all levels and in the parts of an overlay."""
    for section in ("parameters", "tables", "steps"):
        for name, of in document.get(section, {}).items():
            yield f"{where}{section}.{name}", of
    inner = {"lines": document.get("lines", {}), **document.get("lists", {}), **document.get("groups", {})}
    inner |= {part: document.get(part, {}) for part in ("changes", "adds")}
    for name, of in inner.items():
        yield from rules(of, f"{where}{name}.") if of else ()


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_rule_cites_its_source(path: Path) -> None:
    """No parameter, table or step without a citation."""
    found = list(rules(loaded(path)))
    assert found
    assert [name for name, of in found if not (isinstance(of, dict) and of.get("cite"))] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_rulebook_has_a_page_that_names_its_items(name: str) -> None:
    """What a rulebook cites stands in the table of its page, and what the sources leave open is said."""
    page = (PAGES / f"{name}.md").read_text("utf-8")
    told = items(page)
    cited = set[str]()
    for path in RULEBOOKS.glob(f"{name}/rulebook*.yaml"):
        cited |= items(path.read_text("utf-8"))
    assert sorted(cited - told) == []
    assert "| source item | rule | example |" in page
    assert re.search(r"^## What the (source leaves|sources leave) open", page, re.MULTILINE)


@pytest.mark.parametrize(("number", "name"), sorted(SCENARIOS.items()))
def test_the_scenarios_are_examples_by_name(number: int, name: str) -> None:
    """Each of the twelve acceptance scenarios of the source facts is at least one example."""
    names = [e["example"] for file in RULEBOOKS.glob(f"{name}/examples/*.yaml") for e in _entries(file)]
    assert [n for n in names if n.startswith(f"scenario {number}:")]


def _entries(file: Path) -> list[dict[str, Any]]:
    document: list[dict[str, Any]] = yaml.load(file.read_text("utf-8"), Loader=yaml.BaseLoader)
    return document


def test_every_source_item_is_named() -> None:
    """What became of each fact and each open question stands on some page."""
    told = set[str]()
    for page in PAGES.glob("*.md"):
        told |= items(page.read_text("utf-8"))
    wanted = {f"S-{n:02}" for n in range(1, 201)}
    assert sorted((wanted | {f"Q-{n:02}" for n in range(1, 20)}) - told) == []
