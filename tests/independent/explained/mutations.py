"""One digit of a printed explanation changed, and whether a reader could notice at all."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

WORDS = ("source", "note", "rule at", "because")
ABOUT = re.compile(r" \((?:since|sourced|illustrative|fictional|[A-Z])")
HEAD = re.compile(
    r"^ *(source|note|rule at|because|formula|figures|exact|uses|over|group|from|case|tested|bands|given|on|days|limit|weights|divides|adds up|rounded|amount)(?: {2,}|$)"
)


@dataclass(frozen=True)
class Change:
    """A changed digit: the text with it, the line, and why nobody could notice it ("" if one could)."""

    text: str
    line: int
    shown: str
    silent: str


def changes(text: str, how_many: int, seed: str) -> list[Change]:
    """Some texts that differ from the given one in one digit each."""
    draw = random.Random(seed)
    places = [m.start() for m in re.finditer(r"\d", text)]
    found: list[Change] = []
    for place in draw.sample(places, min(how_many, len(places))):
        digit = draw.choice([d for d in "0123456789" if d != text[place]])
        changed = text[:place] + digit + text[place + 1 :]
        line = text.count("\n", 0, place)
        found.append(
            Change(
                changed, line + 1, f"{text[max(0, place - 20) : place]}[{text[place]} -> {digit}]", silent(text, place)
            )
        )
    return found


def silent(text: str, place: int) -> str:
    """Why a digit says nothing that arithmetic could test: it is part of a name, a citation, prose."""
    lines = text.split("\n")
    at = text.count("\n", 0, place)
    column = place - (text.rfind("\n", 0, place) + 1)
    line = lines[at]
    rule = next((n for n, one in enumerate(lines) if re.fullmatch(r"=+", one)), 0)
    if at <= rule or re.match(r"  \S+ \S+ \(\S+\.yaml\)|  laid over ", line):
        return "title"
    if any(one in ("Sources", "Assumptions") for one in section(lines, at)):
        return "sources"
    key, words = told(lines, at, column)
    if (
        key in WORDS
        or line.startswith(("Some values", "Values in", "This episode"))
        or re.search(r": filled with its default$", line)
    ):
        return "prose"
    if key == "not applied" and ", because " not in words:
        return "prose"
    if key == "uses" and ABOUT.search(words):
        return "citation"
    token = re.search(r"[^\s(),;=\[\]{}«»]*$", line[:column])
    head = token[0] if token else ""
    rest = re.match(r"[^\s(),;=\[\]{}«»]*", line[column:])
    whole = head + (rest[0] if rest else "")
    if re.search(r"[A-Za-z_]", re.sub(r"^(?:¥|[A-Z]{3} )|%$", "", whole)):
        return "name"
    if re.search(r"\([^()]*[A-Za-z][^()]*, $", line[:column].removesuffix(head)) and re.fullmatch(
        r"\d{4}-\d{2}-\d{2}", whole
    ):
        return "day of an earlier episode"
    if line.startswith("REFUSED"):
        return "prose"
    blank = next((n for n in range(rule, len(lines)) if not lines[n].strip()), len(lines))
    if at < blank and len(re.findall(rf"(?<![\w.,]){re.escape(whole)}(?![\w]|[.,]\d)", text)) == 1:
        return "input that no figure reads"
    return ""


def section(lines: list[str], at: int) -> list[str]:
    """The first lines of the section that a line is in."""
    found: list[str] = []
    for n in range(at, -1, -1):
        if lines[n] and not lines[n].startswith(" "):
            found.append(lines[n])
        if not lines[n].strip():
            break
    return found


def told(lines: list[str], at: int, column: int) -> tuple[str, str]:
    """The key of the line that a place is in, and what it says up to the place."""
    words = lines[at][:column]
    for n in range(at, -1, -1):
        line = lines[n]
        match = HEAD.match(line)
        if match:
            return match[1], f"{line} {words}" if n != at else words
        if re.match(r" *Not applied: ", line):
            return "not applied", f"{line} {words}" if n != at else words
        if not line.strip() or not line.startswith("   "):
            break
        if n != at:
            words = f"{line.strip()} {words}"
    return "", words
