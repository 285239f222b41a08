"""The page of sources: each with the places in it that are cited, and what cites them."""

from __future__ import annotations

import re

from rxcalc.prose.model import Sentence
from rxcalc.site.book import Book
from rxcalc.site.facts import item_id
from rxcalc.site.model import Source, SourceItem
from rxcalc.site.refs import anchor, levels, part_ref, ref, result_ref, shares_of
from rxcalc.syntax.nodes import SourceDecl

_WEB = re.compile(r"https?://[^\s<>\"']+", re.IGNORECASE)


def sources(book: Book) -> tuple[Source, ...]:
    """All sources, as written."""
    by: dict[tuple[str, str], list[str]] = {}
    for of, meta in book.metas.items():
        for cite in meta.cite:
            by.setdefault((cite.source, cite.place), []).append(of)
    return tuple(_source(book, s, by) for s in book.decl.sources)


def _source(book: Book, of: SourceDecl, by: dict[tuple[str, str], list[str]]) -> Source:
    name = of.name.name
    url = of.url or ""
    items = tuple(
        SourceItem(anchor(item_id(book, name, place)), place or book.say("whole_source"), book.runs(by[source, place]))
        for source, place in book.item_numbers
        if source == name
    )
    return Source(
        id=anchor(f"source-{name}"),
        title=book.words(of.title.by_language) or name,
        name=name,
        date=of.date.text if of.date is not None else "",
        url=url,
        linked=bool(_WEB.fullmatch(url)),
        status=of.status or "unmarked",
        note=book.text(of.note.by_language) if of.note is not None else (),
        items=items,
    )


def uncited(book: Book) -> Sentence:
    """The rules and values that could name a source and do not, in the order of the rulebook; what is left over needs none."""
    named: list[str] = []
    for level, of in levels(book.plan):
        named += [ref("requires", level, at) for at, _ in enumerate(of.requires, start=1)]
        named += [result_ref(level, r) for r in book.names.order.get(level, ())]
        for at, partition in enumerate(shares_of(of)):
            parts = enumerate(partition.parts)
            named += [part_ref(level, at, partition, number) for number, part in parts if part.value >= 0]
    named += [ref("check", "", at) for at, _ in enumerate(book.plan.checks, start=1)]
    named += [ref("parameter", "", p.name) for p in book.plan.parameters]
    named += [ref("table", "", t.name) for t in book.plan.tables]
    return book.runs(of for of in named if not book.cites(of))
