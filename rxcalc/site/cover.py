"""The page of coverage: what the examples use of the rules, and what none of them does."""

from __future__ import annotations

from typing import Final

from rxcalc.coverage.model import Item
from rxcalc.prose.model import Run, Sentence
from rxcalc.site.book import Book
from rxcalc.site.model import Covered, Gap

MOST: Final = 30
"""Gaps of one kind in one table or parameter; more of them are counted."""


def covered(book: Book) -> Covered:
    """The coverage by kind, then the gaps in the order of the files."""
    coverage = book.given.coverage
    total = coverage.total
    shown: dict[tuple[str, str, str], int] = {}
    gaps = []
    for item in coverage.uncovered:
        of = (item.kind, item.level, item.name)
        shown[of] = shown.get(of, 0) + 1
        if shown[of] <= MOST:
            gaps.append(Gap(book.say(f"kind_{item.kind}"), _thing(book, item), item.what, book.where(item.place)))
    more = [
        book.say("and_more_of", count - MOST, book.say(f"kind_{kind}"), f"{level}.{name}" if level else name)
        for (kind, level, name), count in shown.items()
        if count > MOST
    ]
    return Covered(
        total=(total.covered, total.of, total.percent),
        kinds=tuple((book.say(f"kind_{k}"), s.covered, s.of, s.percent) for k, s in coverage.kinds.items()),
        gaps=tuple(gaps),
        more=tuple(more),
    )


def _thing(book: Book, item: Item) -> Sentence:
    """The rule or value that an item is part of, as a link where it is one."""
    of = next((found for hit in item.hits if (found := book.of_hit(hit))), "")
    of = of or book.names.field(item.level, item.name.removesuffix(" (base)"))
    return (book.run(of),) if of in book.names.page else (Run(item.name),)
