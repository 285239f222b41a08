"""What every page must hold, read with a parser that knows nothing of how the page was made."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from xml.etree.ElementTree import Element

import html5lib

FORBIDDEN = {"script", "iframe", "frame", "object", "embed", "form", "input", "base", "img", "video", "audio", "source", "use", "image",
             "foreignObject", "animate", "set", "template", "noscript", "math"}  # fmt: skip
AMOUNT = re.compile(r"-?\d[\d,]*\.\d+")


def parse(html: str) -> Element:
    """The page as a tree; an error that the HTML standard names fails the test."""
    parser = html5lib.HTMLParser(tree=html5lib.getTreeBuilder("etree"), namespaceHTMLElements=False)
    tree = parser.parse(html)
    assert [(place, code) for place, code, _ in parser.errors] == []
    assert isinstance(tree, Element)
    return tree


def elements(tree: Element) -> Iterator[tuple[str, Element]]:
    for element in tree.iter():
        if isinstance(element.tag, str):
            yield element.tag.rpartition("}")[2], element


def text_of(element: Element) -> str:
    return "".join(element.itertext())


def complaints(html: str) -> list[str]:
    """What is wrong with a page, in words; nothing when it is fit to be handed on."""
    tree = parse(html)
    found: list[str] = []
    ids = Counter(e.get("id") for _, e in elements(tree) if e.get("id") is not None)
    found += [f"the id {i} stands {n} times" for i, n in ids.items() if n > 1]
    found += [f"the id {i!r} has characters of its own" for i in ids if not re.fullmatch(r"[A-Za-z0-9_-]+", i or "")]
    level = 0
    headings = []
    for tag, e in elements(tree):
        where = f"<{tag} id={e.get('id')}>"
        if tag in FORBIDDEN:
            found.append(f"{where} must not be there")
        for name, value in e.attrib.items():
            found += _attribute(where, tag, str(name).rpartition("}")[2], value, set(ids))
        if re.fullmatch("h[1-6]", tag):
            now = int(tag[1])
            headings.append(now)
            if now > level + 1:
                found.append(f"{where} {text_of(e)[:40]!r} follows a heading of level {level}")
            level = now
            if not text_of(e).strip():
                found.append(f"{where} is empty")
        if tag == "table":
            found += [f"{where} has no caption"] * (e.find("caption") is None)
        if tag == "th" and e.get("scope") not in ("col", "row", "rowgroup", "colgroup"):
            found.append(f"{where} has no scope")
        if tag == "svg" and (e.get("role") != "img" or not text_of(e).strip()):
            found.append(f"{where} says nothing")
    if headings.count(1) != 1:
        found.append(f"{headings.count(1)} headings of level 1")
    root = tree
    if root.get("lang") not in ("en", "zh-Hans"):
        found.append("no language")
    found += [
        f"no <{tag}>"
        for tag in ("header", "main", "nav", "footer", "title")
        if not any(t == tag for t, _ in elements(tree))
    ]
    return found


def _attribute(where: str, tag: str, name: str, value: str, ids: set[str | None]) -> list[str]:
    found: list[str] = []
    if name.startswith("on") or name in (
        "src",
        "srcset",
        "style",
        "action",
        "formaction",
        "data",
        "poster",
        "background",
        "ping",
    ):
        found.append(f"{where} has {name}={value!r}")
    elif name == "href" and not (
        (tag == "link" and value == "data:,") or (tag == "a" and value.startswith("#") and value[1:] in ids)
    ):
        found.append(f"{where} leads to {value!r}")
    elif name in ("aria-labelledby", "aria-describedby"):
        found += [f"{where} names {i}, which is not there" for i in value.split() if i not in ids]
    elif name == "fill" and not (value.startswith("url(#") and value[5:-1] in ids):
        found.append(f"{where} is filled with {value!r}")
    elif name == "http-equiv" and value != "Content-Security-Policy":
        found.append(f"{where} has {name}={value!r}")
    return found


def skeleton(html: str) -> Counter[tuple[str, tuple[str, ...]]]:
    """How often each element stands there with which attributes; not the lines of a chart's labels and the links in formulas."""
    return Counter(
        (tag, tuple(sorted(str(name) for name in e.attrib)))
        for tag, e in elements(parse(html))
        if tag not in ("text", "a")
    )


def amounts(text: str) -> set[str]:
    """Every decimal number of a text, without the commas between thousands."""
    return {a.replace(",", "") for a in AMOUNT.findall(text)}
