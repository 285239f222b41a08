"""The pages of the example bills: fit to be handed on, in both languages and at every depth, with every amount in them."""

from __future__ import annotations

import importlib.util
import re
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from rxcalc.diagnostics.model import Sink
from rxcalc.driver import find
from rxcalc.driver.cached import plan_for
from rxcalc.driver.explain import Missing, explain_entry
from rxcalc.inputs.episodes import read_entry
from rxcalc.plan.nodes import Plan
from rxcalc.report.as_json import document
from rxcalc.report.html import render
from rxcalc.report.model import Explanation
from rxcalc.rulebook.load import load_yaml

ROOT = Path(__file__).parents[2]
BILLS = sorted((ROOT / "docs" / "bills").glob("*.yaml"))
LOOKED_AT = ("qin-lines", "beijing-year", "sanming-transfer")


def _load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"rxcalc_html_{name}", Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CHECKS = _load("checks")
BROWSER = _load("test_browser")


@cache
def plan(name: str) -> Plan:
    found = find.rulebook(name)
    assert isinstance(found, find.Found)
    sink = Sink()
    made = plan_for(found, sink)
    assert made is not None, [d.message for d in sink.sorted()]
    return made


def explained(file: Path, language: str, *, grouped: bool) -> tuple[Explanation, ...]:
    sink = Sink()
    node = load_yaml(file, file.name, sink)
    assert node is not None
    entry = read_entry(node, sink)
    assert entry is not None
    found = explain_entry(plan(entry.rulebook), entry, sink, language=language, grouped=grouped)
    assert found is not None
    assert not isinstance(found, Missing)
    return found


def numbers(node: object, wanted: tuple[str, ...]) -> Iterator[str]:
    """The decimals below the wanted names of a JSON document."""
    if isinstance(node, dict) and not node.get("exact"):  # else the page has the fraction, the document a rounded one
        for name, value in node.items():
            if name in wanted and isinstance(value, str) and re.fullmatch(r"-?\d+\.\d+", value):
                yield value
            elif name in ("outputs", "totals"):
                yield from (v for v in value.values() if re.fullmatch(r"-?\d+\.\d+", v))
            else:
                yield from numbers(value, wanted)
    elif isinstance(node, list):
        for item in node:
            yield from numbers(item, wanted)


@pytest.mark.parametrize(("language", "detail"), [("en", "brief"), ("zh", "steps"), ("en", "full")])
@pytest.mark.parametrize("file", BILLS, ids=lambda f: f.stem)
def test_the_page_of_every_example_bill_is_fit_to_be_handed_on(file: Path, language: str, detail: str) -> None:
    found = explained(file, language, grouped=True)
    html = render(found, language=language, detail=detail, version="1")
    assert CHECKS.complaints(html) == []
    if found[-1].status:
        assert f'class="banner {found[-1].status}"' in html


@pytest.mark.parametrize("file", BILLS, ids=lambda f: f.stem)
def test_every_amount_of_the_json_is_on_the_page(file: Path) -> None:
    html = render(explained(file, "en", grouped=True), detail="full", version="1")
    on_page = CHECKS.amounts(" ".join(CHECKS.parse(html).itertext()))
    for x in explained(file, "en", grouped=False):
        wanted = set(numbers(document(x, "1"), ("amount", "value")))
        assert wanted - on_page == set()


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("bill", LOOKED_AT)
def test_three_bills_in_a_browser(browser: Any, tmp_path: Path, bill: str, language: str) -> None:
    """On a phone, a desk, in the dark and on paper: nothing asked for, nothing overlapping, nothing pale."""
    file = tmp_path / "bill.html"
    text = render(
        explained(ROOT / "docs" / "bills" / f"{bill}.yaml", language, grouped=True), language=language, version="1"
    )
    file.write_text(text, encoding="utf-8")
    for width, dark in ((360, True), (1000, False)):
        browser.look(width=width, dark=dark)
        opened = browser.open(file)
        assert (opened.console, opened.requests) == ([], [])
        seen = browser.value(BROWSER.OVERFLOW)
        assert (seen["wide"], seen["out"]) == (width, [])
        assert browser.value(BROWSER.OVERLAPS) == []
        assert browser.value(BROWSER.CONTRASTS) == []
    assert len(re.findall(rb"/MediaBox\s*\[\s*0\s+0\s+59[45][\d.]*\s+84[12][\d.]*\s*\]", browser.pdf())) >= 2


HOSTILE = "</title><script>document.title='ran'</script><img src=http://evil.example/x onerror=alert(1)>"


def test_a_hostile_rulebook_and_a_hostile_bill_do_not_run(browser: Any, tmp_path: Path) -> None:
    """From the files on: labels, title and reason of a rulebook, ids and item codes of a bill."""
    book = tmp_path / "qin"
    shutil.copytree(ROOT / "rulebooks" / "qin", book)
    rules = (book / "rulebook.yaml").read_text(encoding="utf-8")
    for text in ("Qin Province medical reform, inpatient", "Deductible, yuan", "Deductible", "Insurance fund"):
        rules = rules.replace(f"{{en: {text},", f'{{en: "{HOSTILE}{text}",')
    (book / "rulebook.yaml").write_text(rules, encoding="utf-8")
    bill = (
        (ROOT / "docs" / "bills" / "qin-lines.yaml")
        .read_text(encoding="utf-8")
        .replace("rulebook: qin", f"rulebook: {book}")
    )
    bill = bill.replace("BILL-5", f'"{HOSTILE}"').replace("EX-REG", f'"{HOSTILE}"')
    (tmp_path / "bill.yaml").write_text(bill, encoding="utf-8")
    html = render(explained(tmp_path / "bill.yaml", "en", grouped=True), detail="full", version="1")
    assert html.count("&lt;script&gt;") > 10
    assert CHECKS.complaints(html) == []
    file = tmp_path / "page.html"
    file.write_text(html, encoding="utf-8")
    browser.look(width=360)
    opened = browser.open(file)
    assert (opened.console, opened.requests) == ([], [])
    assert browser.value("document.title").startswith("Explanation of bill </title>")
    assert browser.value("document.scripts.length + document.images.length") == 0
    seen = browser.value(BROWSER.OVERFLOW)
    assert (seen["wide"], seen["out"]) == (360, [])
