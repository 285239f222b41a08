"""The page in a headless Chromium: no error, no request, no sideways scrolling, contrast, paper, screen reader."""

from __future__ import annotations

import importlib.util
import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from rxcalc.report.html import Facts, page
from rxcalc.report.outline_model import Column, Item, Section, Table, Told


def _load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"rxcalc_html_{name}", Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SAMPLE = _load("sample")
FACTS = Facts("BILL-1", "fictional", "CNY")
A4 = (595, 842)  # points
BILL_IN_WORDS = "1,200.00 = Fund 860.00 (Insurance fund 860.00); Patient 339.99 (Deductible 200.00, Co-payment 139.99); Hospital 0.01 (Rounding 0.01)"
COLLECTION_IN_WORDS = "340.00 = Patient 300.00 (Paid at discharge 300.00); Government 40.00 (Waived 40.00)"

# Every element with text of its own, and every bar: its colour on the nearest ground that is not transparent.
CONTRASTS = """(() => {
  const light = c => { c /= 255; return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; };
  const parts = c => (c.match(/[0-9.]+/g) || []).map(Number);
  const level = c => { const [r, g, b] = parts(c); return 0.2126 * light(r) + 0.7152 * light(g) + 0.0722 * light(b); };
  const ratio = (a, b) => { const [x, y] = [level(a), level(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };
  const ground = e => {
    for (; e; e = e.parentElement) {
      const c = getComputedStyle(e).backgroundColor;
      const p = parts(c);
      if (p.length === 3 || p[3] > 0) return c;
    }
    return 'rgb(255, 255, 255)';
  };
  const low = [];
  for (const e of document.querySelectorAll('body *')) {
    const own = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    if (!own || !e.getClientRects().length || e.closest('.hidden, title, desc')) continue;
    const style = getComputedStyle(e);
    const found = ratio(e.closest('svg') ? style.fill : style.color, ground(e));
    if (found < 4.5) low.push([e.tagName, e.className.baseVal ?? e.className, e.textContent.trim().slice(0, 30), found]);
  }
  for (const bar of document.querySelectorAll('.chart .bar')) {
    const style = getComputedStyle(bar);
    const track = getComputedStyle(bar.parentElement.querySelector('.track')).fill;
    const found = ratio(style.fill === 'none' ? style.stroke : style.fill, track);
    if (found < 3) low.push(['bar', bar.parentElement.className.baseVal, '', found]);
  }
  return low;
})()"""
OVERFLOW = """(() => {
  const wide = document.documentElement.clientWidth;
  const out = [...document.querySelectorAll('body *')].filter(e => !e.closest('.scroll, .skip, .hidden, defs'))
    .filter(e => e.getBoundingClientRect().right > wide + 1).map(e => [e.tagName, e.className.baseVal ?? e.className, e.textContent.slice(0, 30)]);
  return {wide: document.documentElement.scrollWidth, window: innerWidth, out};
})()"""
OVERLAPS = """(() => {
  const found = [];
  for (const row of document.querySelectorAll('.chart g')) {
    const texts = [...row.querySelectorAll('text')].map(t => t.getBoundingClientRect());
    const amount = texts.pop();
    for (const t of texts) if (t.bottom > amount.top + 3 && t.top < amount.bottom - 3 && t.right > amount.left) found.push(row.textContent.trim());
  }
  return found;
})()"""


def saved(folder: Path, *outlines: Any, language: str = "en") -> Path:
    file = folder / "page.html"
    file.write_text(page(list(outlines), language=language, version="1"), encoding="utf-8")
    return file


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    return saved(tmp_path, (SAMPLE.sample(), FACTS))


def test_the_page_loads_without_an_error_and_without_a_request(browser: Any, sample: Path) -> None:
    browser.look(width=1000)
    opened = browser.open(sample)
    assert opened.console == []
    assert opened.requests == []


@pytest.mark.parametrize("text", SAMPLE.HOSTILE)
def test_hostile_texts_do_not_run_and_ask_for_nothing(browser: Any, tmp_path: Path, text: str) -> None:
    facts = Facts(text, "fictional", text)
    file = saved(tmp_path, (SAMPLE.hostile(SAMPLE.sample(), text), facts))
    browser.look(width=360)
    opened = browser.open(file)
    assert opened.console == []
    assert opened.requests == []
    assert browser.value("location.href") == file.as_uri()
    assert browser.value("document.scripts.length + document.images.length + frames.length") == 0
    seen = browser.value(OVERFLOW)
    assert seen["wide"] <= 360
    assert seen["out"] == []


def test_the_policy_would_stop_a_script_and_a_request(browser: Any, sample: Path) -> None:
    """The second lock: even if a script came into the page, the policy of the page does not let it run or load."""
    broken = sample.with_name("broken.html")
    bad = '<script>window.ran = 1</script><img src="http://127.0.0.1:9/x.png"><style>body{display:none}</style>'
    broken.write_text(sample.read_text(encoding="utf-8").replace("<footer>", f"{bad}<footer>"), encoding="utf-8")
    browser.look(width=1000)
    opened = browser.open(broken)
    assert browser.value("typeof window.ran") == "undefined"
    assert browser.value("getComputedStyle(document.body).display") == "block"
    assert len([c for c in opened.console if "Content Security Policy" in c]) == 3


@pytest.mark.parametrize("width", [320, 360, 768, 1200])
def test_the_page_does_not_scroll_sideways(browser: Any, sample: Path, width: int) -> None:
    browser.look(width=width)
    browser.open(sample)
    seen = browser.value(OVERFLOW)
    assert seen["wide"] <= seen["window"] == width
    assert seen["out"] == []
    assert browser.value(OVERLAPS) == []


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("status", ["fictional", "illustrative"])
def test_text_and_bars_can_be_told_from_their_ground(browser: Any, tmp_path: Path, *, dark: bool, status: str) -> None:
    file = saved(tmp_path, (SAMPLE.sample(), replace(FACTS, status=status)))
    browser.look(width=1000, dark=dark)
    browser.open(file)
    ground = browser.value("getComputedStyle(document.body).backgroundColor")
    assert (ground != "rgb(255, 255, 255)") == dark
    assert browser.value(CONTRASTS) == []
    browser.look(width=1000, dark=dark, media="print")
    assert browser.value("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert browser.value(CONTRASTS) == []


def test_the_bars_are_as_long_as_the_amounts(browser: Any, sample: Path) -> None:
    """860.00, 339.99, 200.00, 139.99 and 0.01 of 1,200.00, measured in pixels; the sliver can be seen."""
    browser.look(width=1000)
    browser.open(sample)
    script = """[...document.querySelector('.chart').querySelectorAll('.bar')].map(b => [b.getBBox().x, b.getBBox().width,
      b.parentElement.classList.contains('thin')])"""
    found = browser.value(script)
    whole = found[0][1]
    lengths = [Fraction(x) for x in ("1200.00", "860.00", "339.99", "200.00", "139.99", "0.01")]
    starts = [Fraction(x) for x in ("0", "0", "860.00", "860.00", "1060.00", "1199.99")]
    for (x, width, _), start, length in zip(found, starts, lengths, strict=True):
        assert abs(width / whole - float(length / 1200)) < 0.0001
        assert abs(x / whole - float(start / 1200)) < 0.0001
    assert [thin for _, _, thin in found] == [False] * 5 + [True]
    assert browser.value("getComputedStyle(document.querySelector('.chart .thin .bar')).strokeWidth") == "2px"


def test_it_prints_on_a4_with_everything_open(browser: Any, tmp_path: Path) -> None:
    steps = tuple(
        Item(f"step-s{n}", f"Step {n}", f"s{n}", "1.00", (Told("formula", "formula", f"closed on the screen {n}"),))
        for n in range(80)
    )
    outline = SAMPLE.sample()
    file = saved(
        tmp_path, (replace(outline, sections=(*outline.sections, Section("more", "steps", "More", steps))), FACTS)
    )
    browser.look(width=1000)
    browser.open(file)
    script = "[...document.querySelectorAll('details.item .told')].filter(e => e.checkVisibility({contentVisibilityAuto: true})).length"
    shown = browser.value(script)
    every = browser.value("document.querySelectorAll('details.item .told').length")
    assert shown < every
    browser.look(width=1000, media="print")
    assert browser.value(script) == every
    browser.look(width=1000)
    pdf = browser.pdf()
    boxes = re.findall(rb"/MediaBox\s*\[\s*0\s+0\s+([\d.]+)\s+([\d.]+)\s*\]", pdf)
    assert len(boxes) >= 4
    assert {(round(float(w)), round(float(h))) for w, h in boxes} == {A4}


def test_a_step_is_not_torn_in_two_on_paper(browser: Any, sample: Path) -> None:
    browser.look(width=1000, media="print")
    browser.open(sample)
    script = "[...document.querySelectorAll('.item:not(:has(table.working)), figure, tr')].map(e => getComputedStyle(e).breakInside)"
    assert set(browser.value(script)) == {"avoid"}


def test_a_wide_table_fits_on_a4(browser: Any, tmp_path: Path) -> None:
    """Eighteen columns: on paper, 180 mm wide, no table is cut off and no amount broken."""
    columns = [Column("no", "Line", "order", is_number=True, is_money=False)]
    columns += [Column(f"c{n}", f"Amount number {n}", "step", is_number=True, is_money=True) for n in range(17)]
    rows = tuple((str(r), *(f"{r * 7 + 1},234,{n + 100}.50" for n in range(17))) for r in range(1, 4))
    outline = SAMPLE.sample()
    outline = replace(
        outline, sections=(*outline.sections, Section("wide", "list", "Wide", (Table("Wide", tuple(columns), rows),)))
    )
    file = saved(tmp_path, (outline, FACTS))
    browser.look(width=680, media="print")  # 180 mm at 96 pixels an inch
    browser.open(file)
    assert (
        browser.value(
            "[...document.querySelectorAll('.rows')].filter(t => t.scrollWidth > 680 || t.getBoundingClientRect().right > 681).length"
        )
        == 0
    )
    heights = browser.value(
        "[...document.querySelectorAll('#wide .rows tbody tr')].map(r => r.getBoundingClientRect().height)"
    )
    assert len(heights) >= 6
    assert max(heights) < 1.5 * min(heights)


def test_a_screen_reader_finds_its_way(browser: Any, sample: Path) -> None:
    browser.look(width=1000)
    browser.open(sample)
    tree = browser.tree()
    headings = [name for role, name in tree if role == "heading"]
    assert headings[:5] == [
        "Explanation of bill BILL-1",
        "Who pays what, in CNY",
        "Who bears each yuan of 1,200.00",
        "Collection",
        "Contents",
    ]
    assert "Deductible, county hospital deductible_due 200.00" in headings
    landmarks = [(role, name) for role, name in tree if role in ("main", "banner", "contentinfo", "navigation")]
    assert sorted(landmarks) == [("banner", ""), ("contentinfo", ""), ("main", ""), ("navigation", "Contents")]
    pictures = [name for role, name in tree if role in ("image", "img")]
    assert pictures == [
        f"{title} {words}"
        for title, words in (
            ("Where each yuan of 1,200.00 goes", BILL_IN_WORDS),
            ("Where each yuan of 340.00 goes", COLLECTION_IN_WORDS),
        )
    ]
    tables = [name for role, name in tree if role == "table"]
    assert tables[:3] == ["Every part of 1,200.00 CNY", "Every part of 340.00 CNY", "Lines: 2 rows"]
    assert ("note", "") in [(role, "") for role, _ in tree if role == "note"]
    assert browser.value("document.documentElement.lang") == "en"


def test_the_keyboard_reaches_the_result_first(browser: Any, sample: Path) -> None:
    browser.look(width=1000)
    browser.open(sample)
    for kind in ("keyDown", "keyUp"):
        browser.ask("Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9)
    assert browser.value("document.activeElement.className") == "skip"
    assert browser.value("document.activeElement.getBoundingClientRect().left >= 0")
