"""Rulebook files with their spaces, quotes and line ends changed, as people and editors write them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from random import Random

from rxcalc.diagnostics.model import Sink
from rxcalc.rulebook.document import Mapping, Node, Scalar, Sequence
from rxcalc.rulebook.load import load_yaml_text
from rxcalc.rulebook.rule_places import rule_places
from rxcalc.syntax.grammar import parser

GLUED = set("(),*/+")


def mangled(text: str, random: Random) -> str:
    """The text with other spaces inside its lines; a line that another one is aligned with stays as it is."""
    root = load_yaml_text("f", text, Sink())
    assert root is not None
    places = rule_places(root) if isinstance(root, Mapping) and root.get("rxcalc") else {}
    edits: list[tuple[int, int, str]] = []
    for start, end, new in _edits(root, text, places, random):
        line = text[text.rfind("\n", 0, start) + 1 : text.find("\n", end)]
        if not re.search(r"(^|\s)#", line):  # a comment behind it would move
            edits.append((start, end, new))
    parts: list[str] = []
    at = 0
    for start, end, new in sorted(edits):
        if start >= at:
            parts += [text[at:start], new]
            at = end
    found = "".join(parts) + text[at:]
    return ("\ufeff" if random.random() < 0.3 else "") + (
        found.replace("\n", "\r\n") if random.random() < 0.3 else found
    )


def indented(text: str) -> str:
    """The text with twice the indent on every line."""
    return re.sub(r"(?m)^ *(?:- +)*", lambda found: "".join(f"{char} " for char in found[0]), text)


def _edits(node: Node, text: str, places: dict[int, str], random: Random) -> Iterator[tuple[int, int, str]]:
    match node:
        case Scalar():
            yield from _words(node, text, places, random)
            yield from _quotes(node, text, random)
        case Mapping():
            is_flow = text[node.span.start] == "{"
            if is_flow and "\n" in text[node.span.start : node.span.end]:
                return
            for entry in node.entries:
                yield from _edits(entry.key, text, places, random)
                yield from _edits(entry.value, text, places, random)
                stop = entry.key.span.end
                is_one_line = "\n" not in text[stop : entry.value.span.end].rstrip()
                if is_one_line and text.startswith(": ", stop) and text[stop + 2] not in " \n":
                    yield stop + 1, stop + 2, " " * random.randint(1, 4)
            if is_flow:
                yield from _commas([entry.value for entry in node.entries], node, text, random)
        case Sequence():
            is_flow = text[node.span.start] == "["
            if is_flow and "\n" in text[node.span.start : node.span.end]:
                return
            for item in node.items:
                yield from _edits(item, text, places, random)
            if is_flow:
                yield from _commas(list(node.items), node, text, random)


def _commas(items: list[Node], node: Mapping | Sequence, text: str, random: Random) -> Iterator[tuple[int, int, str]]:
    for item in items:
        if text.startswith(", ", item.span.end):
            yield item.span.end, item.span.end + 2, random.choice([", ", " , ", ",   ", " ,  "])
    yield node.span.start + 1, node.span.start + 1, " " * random.randint(0, 2)
    yield node.span.end - 1, node.span.end - 1, " " * random.randint(0, 2)


def _quotes(node: Scalar, text: str, random: Random) -> Iterator[tuple[int, int, str]]:
    raw = text[node.span.start : node.span.end]
    if node.style == "double" and not re.search(r"['\\\n]", raw) and random.random() < 0.4:
        yield node.span.start, node.span.start + 1, "'"
        yield node.span.end - 1, node.span.end, "'"


def _words(node: Scalar, text: str, places: dict[int, str], random: Random) -> Iterator[tuple[int, int, str]]:
    """Blanks put between the words of a rule, and taken out where the words stay apart."""
    start = places.get(node.span.start)
    if start not in ("rule", "expression") or node.embedded is None or node.style == "folded":
        return
    raw = text[node.span.start : node.span.end]
    lines = [line for line in node.text.split("\n") if line.strip()]
    if "\\" in raw or (len(lines) > 1 and not all(re.match(r"(when|otherwise)\b", line) for line in lines)):
        return
    reader = parser().parse_interactive(node.text, start=start)
    try:
        words = list(reader.iter_parse())
    except Exception:  # noqa: BLE001 - `reject` and the like are no rule
        return
    for at, word in enumerate(words[1:], 1):
        before = words[at - 1]
        gap = node.text[before.end_pos : word.start_pos]
        if "\n" in gap or (at == 1 and str(before) == "-"):
            continue
        place = node.embedded.span(before.end_pos or 0, (before.end_pos or 0) + 1).start
        if gap == " " and (str(before) in GLUED or str(word) in GLUED) and random.random() < 0.4:
            yield place, place + 1, ""
        elif random.random() < 0.3:
            yield place, place, " " * random.randint(1, 3)
