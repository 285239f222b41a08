"""The page of `rxcalc diff --format html`: sound, without script, and the same figures as the JSON."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from click.testing import CliRunner

from rxcalc.cli.main import cli


def _load(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


HERE = Path(__file__).parent
CHECKS = _load("rxcalc_diff_checks", HERE / "checks.py")
SCRIPTS = _load("rxcalc_diff_browser_tests", HERE / "test_browser.py")
BOOKS = _load("rxcalc_diff_books", HERE.parent / "compare" / "books.py")

BILLS = """\
episode_id,person_id,discharge_date,level,total,age
E1,A,2024-03-01,city,2500.00,40
<b>E2</b>,B,2024-03-02,county,1300.00,10
E3,C,2024-03-03,county,9300.00,105
E4,A,2025-03-03,city,91600.55,60
E5,D,2025-03-03,county,1300.00,40
"""
CHANGES = (
    ("2024-01-01: 80%", "2024-01-01: 75%"),
    ("city: 600, county: 300", "city: 900, county: 300"),
    ("base_amount * 85%", "base_amount * 88%"),
    ("age < 110", "age < 100"),
    ("total > ¥100000", "total > ¥1"),
)


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    (tmp_path / "bills.csv").write_text(BILLS, encoding="utf-8")
    old, new = BOOKS.write(tmp_path / "old"), BOOKS.write(tmp_path / "new", *CHANGES)
    return ["diff", str(old), str(new), str(tmp_path / "bills.csv"), "--by", "level", "--attribute", "--lang", "en"]


@pytest.fixture
def html(words: list[str], tmp_path: Path) -> Path:
    file = tmp_path / "page.html"
    result = CliRunner().invoke(cli, [*words, "--format", "html", "-o", str(file)], standalone_mode=False)
    assert result.exception is None, result.exception
    return file


def test_the_page_is_sound(html: Path, tmp_path: Path) -> None:
    """Headings, tables, links and policy as in the explanation page; what data say stands there as text."""
    page = html.read_text(encoding="utf-8")
    assert CHECKS.complaints(page) == []
    assert "&lt;b&gt;E2&lt;/b&gt;" in page
    assert "ILLUSTRATIVE" in page
    for pair in (("qin", "qin"), ("qin", "dian"), ("shanghai-employee@2017", "shanghai-employee@2024")):
        file = tmp_path / "rules.html"
        CliRunner().invoke(cli, ["diff", *pair, "--format", "html", "-o", str(file)], standalone_mode=False)
        assert CHECKS.complaints(file.read_text(encoding="utf-8")) == []


def test_it_holds_every_amount_of_the_json(html: Path, words: list[str]) -> None:
    """Totals, largest movements, deciles, groups, effects, interactions."""
    x = json.loads(CliRunner().invoke(cli, [*words, "--format", "json"], standalone_mode=False).stdout)
    wanted = [v for t in x["totals"].values() for v in (t["old"], t["new"], t["moved"])]
    wanted += [
        v for side in (x["lower"], x["higher"]) for b in side["largest"] for v in (b["old"], b["new"], b["moved"])
    ]
    wanted += [*x["deciles"].values(), *(g["moved"] for g in x["groups"])]
    wanted += [c["moved"] for c in x["attribution"]["changes"]]
    wanted += [i["beyond_their_sum"] for i in x["attribution"]["interactions"]]
    assert len(wanted) > 40
    assert set(wanted) <= CHECKS.amounts(html.read_text(encoding="utf-8"))


def test_in_chinese(words: list[str], tmp_path: Path) -> None:
    """The same figures, and no word of the English page left but what rulebooks and messages say."""
    file = tmp_path / "page.html"
    given = [*words[:-1], "zh", "--as-of", "2024-06-01", "--format", "html", "-o", str(file)]
    CliRunner().invoke(cli, given, standalone_mode=False, catch_exceptions=False)
    page = file.read_text(encoding="utf-8")
    assert CHECKS.complaints(page) == []
    assert 'lang="zh-Hans"' in page
    text = CHECKS.text_of(CHECKS.parse(page).find("body"))
    for english in ("Totals", "Moved", "Bill", "moved", "changed", "computed", "Contents", "parameter ", "step "):
        assert english not in text, english
    x = json.loads(CliRunner().invoke(cli, [*given[:-4], "--format", "json"], standalone_mode=False).stdout)
    wanted = {v for t in x["totals"].values() for v in (t["old"], t["new"], t["moved"])}
    assert wanted <= CHECKS.amounts(page)


@pytest.mark.parametrize(("width", "dark"), [(360, False), (1000, False), (1000, True)])
def test_in_a_browser(browser: Any, html: Path, width: int, *, dark: bool) -> None:
    """No script, no request, no sideways scrolling of the page, and every text can be told from its ground."""
    browser.look(width=width, dark=dark)
    opened = browser.open(html)
    assert (opened.console, opened.requests) == ([], [])
    assert browser.value(SCRIPTS.CONTRASTS) == []
    assert browser.value("document.documentElement.scrollWidth") <= width


def test_a_bill_has_no_such_page(words: list[str]) -> None:
    """One bill is told as text, Markdown or JSON."""
    result = CliRunner().invoke(cli, [*words[:3], "--episode", "x.yaml", "--format", "html"])
    assert (result.exit_code, "take text, json or md" in result.stderr) == (2, True)
