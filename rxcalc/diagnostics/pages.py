"""The pages of diagnostic codes (`docs/diagnostics`), as plain text for a terminal."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Final

from rxcalc.diagnostics.codes import CODES, WARNINGS
from rxcalc.diagnostics.text import display_width
from rxcalc.shipped import diagnostics_folder

_NUMBER: Final = re.compile(r"(?:rx)?([0-9]{3})", re.IGNORECASE)
_LINK: Final = re.compile(r"\[([^\]]+)\]\(([^)]+)\)")


def page(code: str) -> str:
    """The page of a code of the table, in Markdown.

    Raises:
        OSError: the installation lacks the page.
    """
    return (diagnostics_folder() / f"{code}.md").read_text(encoding="utf-8")


def find_code(written: str) -> str | None:
    """The code that `RX301`, `rx301`, `301` or the short name `unknown-name` means.

    A short name that two codes bear means neither.
    """
    number = _NUMBER.fullmatch(written.strip())
    if number is not None:
        code = f"RX{number[1]}"
        return code if code in CODES else None
    name = written.strip().lower().replace(" ", "-").replace("_", "-")
    named = [code for code, (slug, _) in CODES.items() if slug == name]
    return named[0] if len(named) == 1 else None


def nearest(written: str) -> tuple[str, ...]:
    """Codes that may have been meant, best first, at most three."""
    text = written.strip()
    name = text.lower().replace(" ", "-").replace("_", "-")
    named = tuple(code for code, (slug, _) in CODES.items() if slug == name)
    if named:
        return named
    digits = re.sub(r"\D", "", text)
    if digits and re.match(r"(?i)r?x?\s*-?\d", text):
        wanted = int(digits[:6])
        return tuple(sorted(CODES, key=lambda code: (abs(int(code[2:]) - wanted), code))[:3])
    by_slug = {slug: code for code, (slug, _) in CODES.items()}
    return tuple(by_slug[slug] for slug in get_close_matches(name, list(by_slug), n=3, cutoff=0.55))


def plain(markdown: str, width: int = 80) -> str:
    """A page as text: paragraphs wrapped to `width`, examples indented by four and as written."""
    blocks = [block for found in _blocks(markdown) if (block := _shown(found, width))]
    return "\n\n".join(blocks) + "\n"


def listing(width: int = 80) -> str:
    """Every code with its short name and summary; warnings are marked."""
    left = max(len(slug) for slug, _ in CODES.values()) + len("RX000  ") + 2
    lines: list[str] = []
    for code, (slug, summary) in CODES.items():
        told = summary + (" (warning)" if code in WARNINGS else "")
        wrapped = _wrapped(told, max(20, width - left))
        lines.append(f"{f'{code}  {slug}':{left}}{wrapped[0]}")
        lines += [" " * left + more for more in wrapped[1:]]
    return "\n".join(lines) + "\n"


def _blocks(markdown: str) -> Iterator[list[str]]:
    """Paragraphs, and fenced examples with their fences."""
    block: list[str] = []
    is_code = False
    for line in markdown.splitlines():
        if line.startswith("```"):
            if not is_code and block:
                yield block
                block = []
            block.append(line)
            if is_code:
                yield block
                block = []
            is_code = not is_code
        elif line.strip() or is_code:
            block.append(line)
        elif block:
            yield block
            block = []
    if block:
        yield block


def _shown(block: list[str], width: int) -> str:
    if block[0].startswith("```"):
        return "\n".join(f"    {line}".rstrip() for line in block[1:-1])
    text = _LINK.sub(_link, " ".join(line.strip() for line in block)).lstrip("# ")
    return "\n".join(_wrapped(text, width))


def _link(found: re.Match[str]) -> str:
    """The words of a link; where it leads too, unless that is a code that they name."""
    words, target = found[1], found[2]
    return words if words in target else f"{words} ({target.replace('../', 'docs/', 1)})"


def _wrapped(text: str, width: int) -> list[str]:
    """The words in lines of at most `width` terminal columns; a longer word has a line of its own."""
    lines: list[str] = []
    for word in text.split():
        if lines and display_width(lines[-1]) + 1 + display_width(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines
