"""The pages of `rxcalc doc`: sound, every link leads somewhere, nothing runs or is asked for, on any screen and on paper."""

from __future__ import annotations

import importlib.util
import posixpath
import re
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from types import ModuleType
from typing import Any

import pytest

from rxcalc.diagnostics.model import Sink
from rxcalc.driver import find
from rxcalc.driver.doc import folders, given, write
from rxcalc.site.book import Given
from rxcalc.site.pages import site
from rxcalc.site.refs import PAGES


def _load(name: str, folder: str = "html") -> ModuleType:
    path = Path(__file__).parents[1] / folder / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"rxcalc_{folder}_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CHECKS = _load("checks")
SCRIPTS = _load("test_browser")
SMALL = _load("small", "site")
QUICK = ("dian",)
HREF = re.compile(r'\shref="([^"]*)"')
ID = re.compile(r'\sid="([^"]*)"')
# Hidden boxes of folds and wide tables and pictures scroll by themselves.
OUT = """(() => [...document.querySelectorAll('body *')].filter(e => !e.closest('.scroll, .skip, .hidden'))
  .filter(e => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
  .map(e => [e.tagName, e.className.baseVal ?? e.className, e.textContent.slice(0, 40)]))()"""
A4 = (595, 842)  # points
OPEN = "document.querySelectorAll('details').forEach(d => d.open = true)"


@cache
def small_book() -> Given:
    book = given(find.Found(SMALL.make(Path(mkdtemp(prefix="rxcalc-site-"))), "small/rulebook.yaml"), Sink())
    assert book is not None
    return book


@cache
def pages(*names: str) -> dict[str, str]:
    """The pages of shipped rulebooks, by name, and of the small one."""
    books = [small_book()]
    for name in names:
        found = find.rulebook(name)
        assert isinstance(found, find.Found)
        book = given(found, Sink())
        assert book is not None
        books.append(book)
    return site(folders(books), ["en", "zh"], "1")


@cache
def small() -> dict[str, str]:
    """The pages of the small rulebook."""
    return site({"small": small_book()}, ["en", "zh"], "1")


def dead_links(of: dict[str, str]) -> list[tuple[str, str]]:
    """Every link of every page that leads to no page or to no id of it; those to the web have a protocol."""
    ids = {name: ID.findall(text) for name, text in of.items()}
    assert [name for name, found in ids.items() if len(set(found)) < len(found)] == []
    dead = []
    for name, text in of.items():
        for link in set(HREF.findall(text)) - {"data:,"}:
            if re.match(r"https?://", link):
                continue
            path, _, at = link.partition("#")
            target = posixpath.normpath(posixpath.join(posixpath.dirname(name), path)) if path else name
            if at not in (ids.get(target, []) if at else [""] if target in ids else []):
                dead.append((name, link))
    return dead


def complaints(text: str) -> list[str]:
    """As on any page of rxcalc, but links may lead to other pages, a graph has links in it, and is shown again for paper."""
    found = CHECKS.complaints(text)
    return [
        c
        for c in found
        if " leads to " not in c and c not in ("<svg id=None> says nothing", "<use id=None> must not be there")
    ]


def test_links_of_some_shipped_rulebooks() -> None:
    assert dead_links(pages(*QUICK)) == []


@pytest.mark.long
def test_links_of_all_shipped_rulebooks() -> None:
    names = [f"{f.path.parent.name}{f.path.stem.removeprefix('rulebook')}" for f in find.shipped()]
    found = pages(*names)
    assert len(found) == (len(names) + 1) * len(PAGES) * 2 + 2
    assert dead_links(found) == []
    quick = [name for name in found if "zh/" not in name and not name.endswith("examples.html")]
    assert {name: c for name in quick if (c := complaints(found[name]))} == {}


def test_a_dead_link_is_noticed() -> None:
    of = dict(small())
    assert dead_links(of) == []
    of["values.html"] = of["values.html"].replace('id="parameter-rate"', 'id="parameter-other"')
    assert ("rules.html", "values.html#parameter-rate") in dead_links(of)
    del of["graph.html"]
    assert ("index.html", "graph.html") in dead_links(of)


def test_the_pages_are_sound() -> None:
    """Headings, tables, languages, policy: of both languages, also of an overlay and of a front page."""
    found = pages(*QUICK)
    quick = [n for n in found if n.startswith(("dian/zh", "index", "zh/")) and "examples" not in n]
    assert {name: c for name in quick if (c := complaints(found[name]))} == {}
    assert {name: c for name, text in small().items() if (c := complaints(text))} == {}


def test_each_page_leads_to_itself_in_the_other_language() -> None:
    found = small()
    for page in PAGES:
        assert f'hreflang="zh-Hans" href="zh/{page}.html"' in found[f"{page}.html"]
        assert f'hreflang="en" href="../{page}.html"' in found[f"zh/{page}.html"]


def test_the_mark_of_the_figures_stands_on_every_page_and_sheet() -> None:
    for name, text in small().items():
        assert ("示意" if name.startswith("zh/") else "ILLUSTRATIVE") in text, name
        assert '@top-left { content: "' in text


def test_rules_say_which_rulebook_they_come_from() -> None:
    text = pages(*QUICK)["dian/rules.html"]
    assert "from qin, version 2019.1" in text


# ---- texts that would like to be more than texts ----

HOSTILE = (
    "<script>window.ran=1</script>\"'><img src=x onerror=window.ran=1></style></title>&amp;{{7*7}}${ran}" + "W" * 150
)


def hostile(folder: Path) -> Path:
    """The small rulebook with the text wherever a reader's text may stand."""
    quoted = "'" + HOSTILE.replace("'", "''") + "'"
    text = SMALL.RULEBOOK
    for old in (
        "Small rules",
        "小规则",
        "The law",
        "法规",
        "Never used",
        "Township",
        "乡镇",
        "Deductible due",
        "起付额",
        "not the first time",
        "非首次",
        "Total, zh",
        "dear, amount",
        "the lines are part of the bill",
    ):
        assert old in text, old
    text = text.replace("{en: Small rules, zh: 小规则}", quoted).replace("{en: The law, zh: 法规}", quoted)
    text = text.replace("Never used", quoted).replace("{en: Township, zh: 乡镇}", quoted).replace("[乡]", f"[{quoted}]")
    text = text.replace("{en: Deductible due, zh: 起付额}", quoted).replace(
        "{en: not the first time, zh: 非首次}", quoted
    )
    text = text.replace("{en: Total, zh: 总额}", quoted).replace("say: dear", f"say: {quoted}")
    text = text.replace("say: the lines are part of the bill", f"say: {quoted}").replace("Of the bill.", quoted)
    text = text.replace("https://example.org/law", "javascript:window.ran=1").replace("2023-12-01", quoted)
    text = text.replace("cite: law#article 3", "cite: " + quoted.replace("'", "'law#", 1)).replace(
        "    First paragraph\n", f"    {HOSTILE}\n"
    )
    text = (
        text.replace("reason: A-1", f"reason: {quoted}")
        .replace("rulebook: small\n", "rulebook: small\nlabel: x\n")
        .replace("label: x\n", "")
    )
    examples = SMALL.EXAMPLES.replace("example: first", f"example: {quoted}").replace(
        '"hand: 90 x 50% + 50 x 20% = 55"', quoted
    )
    examples = examples.replace("code: A,", f"code: {quoted},").replace("lost: 20.00", "lost: 0.00")
    return Path(SMALL.make(folder, text, examples))


@cache
def hostile_site() -> Path:
    folder = Path(mkdtemp(prefix="rxcalc-site-"))
    sink = Sink()
    book = given(find.Found(hostile(folder / "\"'><b>"), "rulebook.yaml"), sink)
    assert book is not None, [d.message for d in sink.sorted()]
    assert isinstance(write([book], folder / "site", ("en", "zh")), tuple)
    return folder / "site"


def test_hostile_texts_stay_texts() -> None:
    """Not one element more than with harmless texts, no address that runs, every link still leads somewhere."""
    found = {
        p.relative_to(hostile_site()).as_posix(): p.read_text(encoding="utf-8") for p in hostile_site().rglob("*.html")
    }
    assert dead_links(found) == []
    for name, text in found.items():
        assert complaints(text) == [], name
        assert "javascript:" not in "".join(HREF.findall(text)), name
    assert "javascript:window.ran=1" in found["sources.html"]  # told, but no link
    assert "{{7*7}}" in found["index.html"]


@pytest.mark.parametrize("page", [f"{p}.html" for p in PAGES])
def test_hostile_texts_do_not_run(browser: Any, page: str) -> None:
    browser.look(width=320)
    opened = browser.open(hostile_site() / page)
    assert (opened.console, opened.requests) == ([], [])
    browser.value(OPEN)
    assert browser.value("typeof window.ran") == "undefined"
    assert browser.value("document.scripts.length + document.images.length + frames.length") == 0
    assert browser.value(OUT) == []
    assert browser.value("document.documentElement.scrollWidth") <= 320


# ---- in a browser ----


@cache
def on_disk() -> Path:
    folder = Path(mkdtemp(prefix="rxcalc-site-"))
    for name, text in small().items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize(("width", "dark", "folder"), [(320, False, ""), (768, True, "zh"), (1200, False, "")])
@pytest.mark.parametrize("page", PAGES)
def test_pages_on_screens(browser: Any, page: str, width: int, folder: str, *, dark: bool) -> None:
    """No script, no request, no sideways scrolling of the page, and every text can be told from its ground."""
    browser.look(width=width, dark=dark)
    opened = browser.open(on_disk() / folder / f"{page}.html")
    assert (opened.console, opened.requests) == ([], [])
    browser.value(OPEN)
    assert browser.value(OUT) == []
    assert browser.value("document.documentElement.scrollWidth") <= width
    assert browser.value(SCRIPTS.CONTRASTS) == []


def test_a_link_of_the_graph_leads_to_the_rule(browser: Any) -> None:
    """By keyboard too: the boxes are links with names."""
    browser.look(width=1200)
    browser.open(on_disk() / "graph.html")
    names = [name for role, name in browser.tree() if role == "link"]
    assert "Deductible due" in names
    browser.events.clear()
    browser.value(
        "[...document.querySelectorAll('svg a')].find(a => a.getAttribute('aria-label') === 'Deductible due').dispatchEvent(new MouseEvent('click', {bubbles: true, cancelable: true}))"
    )
    browser.wait_for("Page.loadEventFired")
    assert browser.value("location.hash") == "#step-base_due"
    assert browser.value("document.querySelector(':target').textContent").startswith("Deductible due")


def test_a_link_to_an_example_opens_it(browser: Any) -> None:
    browser.look(width=1200)
    browser.open(on_disk() / "rules.html")
    assert browser.value("[...document.querySelectorAll('a')].some(a => a.href.endsWith('examples.html#example-2'))")
    browser.events.clear()
    browser.value("location.href = 'examples.html#example-2'")
    browser.wait_for("Page.loadEventFired")
    assert browser.value("[...document.querySelectorAll('.item')].map(d => d.open)") == [False, True]


def test_on_paper(browser: Any) -> None:
    """The mark stands on every sheet; folds with examples are open, those about the file are left out."""
    browser.look(width=1000, media="print")
    browser.open(on_disk() / "rules.html")
    assert browser.value("getComputedStyle(document.querySelector('details.more')).display") == "none"
    assert browser.value("getComputedStyle(document.querySelector('.pages')).display") == "none"
    boxes = [tuple(float(x) for x in box.split()) for box in re.findall(rb"/MediaBox \[([^\]]*)\]", browser.pdf())]
    assert {(round(w), round(h)) for _, _, w, h in boxes} == {A4}
    browser.open(on_disk() / "graph.html")
    boxes = [tuple(float(x) for x in box.split()) for box in re.findall(rb"/MediaBox \[([^\]]*)\]", browser.pdf())]
    assert (A4[1], A4[0]) in {(round(w), round(h)) for _, _, w, h in boxes}
