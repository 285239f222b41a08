"""The page of `rxcalc test --coverage --format html`: sound, readable, without script, and true to the coverage."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from click.testing import CliRunner

from rxcalc.cli.main import cli
from rxcalc.cli.show import Failure


def _load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"rxcalc_html_{name}", Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CHECKS = _load("checks")
SCRIPTS = _load("test_browser")

RULEBOOK = """\
rxcalc: 1
rulebook: small
version: "1"
currency: CNY
rounding: half-up
effective: {from: 2020-01-01, by: day}
inputs:
  episode_id: {type: code}
  day: {type: date}
  code: {type: code}
  total: {type: money}
tables:
  prices: {file: prices.csv, key: [code], columns: {price: {type: money}}}
parameters:
  rates:
    type: bands of percent over money
    values:
      2020-01-01: [{to: 100, is: 50%}, {is: 20%}]
steps:
  # <script>window.ran = 1</script> & a long remark that goes on and on for the sake of a line that has to be broken somewhere
  price: |
    when code in prices then prices[code].price
    otherwise total
  pays: |
    when total > ¥100 then ¥100
    otherwise min(price, bands(rates, total))
shares:
  bill: {of: total, fund: pays, patient: rest}
outputs: [pays]
"""
EXAMPLE = """\
- example: below
  by: hand
  episode: {episode_id: E1, day: 2025-01-01, code: A, total: 50}
  expect: {pays: 25.00}
"""


def run(*args: str) -> Any:
    return CliRunner().invoke(cli, [*args], catch_exceptions=False, standalone_mode=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "examples").mkdir()
    (tmp_path / "rulebook.yaml").write_text(RULEBOOK, encoding="utf-8")
    (tmp_path / "prices.csv").write_text("code,price\nA,30.00\nB,40.00\n", encoding="utf-8")
    (tmp_path / "examples" / "all.yaml").write_text(EXAMPLE, encoding="utf-8")
    return tmp_path


@pytest.fixture
def html(folder: Path) -> Path:
    file = folder / "coverage.html"
    assert run("test", str(folder), "--coverage", "--format", "html", "-o", str(file)).return_value == 0
    return file


def rows(html: Path) -> dict[str, tuple[str, str, str]]:
    """Each line of the listings by its source: its class, its use, all its words."""
    tree = CHECKS.parse(html.read_text(encoding="utf-8"))
    found = {}
    for tag, row in CHECKS.elements(tree):
        cells = [c for c in row if c.get("class") == "uses" and c.tag == "td"] if tag == "tr" else []
        if cells:
            source = next(e for e in row.iter() if e.get("class") == "source")
            words = " ".join(CHECKS.text_of(row).split())
            found[CHECKS.text_of(source).strip()] = (row.get("class") or "", CHECKS.text_of(cells[0]), words)
    return found


def test_each_line_says_how_often_it_was_used(html: Path) -> None:
    """One example: the first clause of `price`, the second of `pays`, the first band, the row of A."""
    of = rows(html)
    assert of["when code in prices then prices[code].price"][:2] == ("used", "1")
    assert of["when total > ¥100 then ¥100"][:2] == ("never", "never")
    assert "never; no example in which it holds" in of["when total > ¥100 then ¥100"][2]
    assert of["2020-01-01: [{to: 100, is: 50%}, {is: 20%}]"][:2] == ("part", "0..1")
    assert "band 2, above 100.00 (20%): never" in of["2020-01-01: [{to: 100, is: 50%}, {is: 20%}]"][2]
    assert of["A,30.00"][:2] == ("used", "1")
    assert of["B,40.00"][:2] == ("never", "never")
    assert of["currency: CNY"][:2] == ("", "")


def test_it_holds_the_same_as_the_json(html: Path, folder: Path) -> None:
    """As many gaps, and every line of the files."""
    (document,) = json.loads(run("test", str(folder), "--coverage", "--format", "json").stdout)
    gaps = sum(not item["covered"] for item in document["coverage"]["items"])
    text = html.read_text(encoding="utf-8")
    assert text.split('<ul class="gaps">')[1].split("</ul>")[0].count("<li>") == gaps
    lines = {line.strip() for line in (RULEBOOK + "code,price\nA,30.00\nB,40.00").splitlines()}
    assert lines <= rows(html).keys()


def test_the_page_is_sound(html: Path, tmp_path: Path) -> None:
    """Headings, tables, links and policy as in the explanation page; also for a rulebook whose examples use everything."""
    assert CHECKS.complaints(html.read_text(encoding="utf-8")) == []
    other = tmp_path / "qin.html"
    run("test", "qin", str(html.parent), "--coverage", "--format", "html", "-o", str(other))
    text = other.read_text(encoding="utf-8")
    assert CHECKS.complaints(text) == []
    assert "FICTIONAL" in text
    assert "Nothing: each of them is used by an example." in text


@pytest.mark.parametrize(("width", "dark"), [(360, False), (1000, False), (1000, True)])
def test_in_a_browser(browser: Any, html: Path, width: int, *, dark: bool) -> None:
    """No script, no request, no sideways scrolling, and every text can be told from its ground."""
    browser.look(width=width, dark=dark)
    opened = browser.open(html)
    assert (opened.console, opened.requests) == ([], [])
    assert browser.value("typeof window.ran") == "undefined"
    assert browser.value(SCRIPTS.CONTRASTS) == []
    assert browser.value("document.documentElement.scrollWidth") <= width


def test_needs_coverage(folder: Path) -> None:
    """There is no page without it."""
    with pytest.raises(Failure, match="needs --coverage"):
        run("test", str(folder), "--format", "html")
