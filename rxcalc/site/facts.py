"""What the pages tell of every rule: source, place, what it reads and what reads it, the examples that use it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from rxcalc.plan.nodes import Place
from rxcalc.prose.model import Block
from rxcalc.rulebook.bases import HIDDEN
from rxcalc.site.book import Book
from rxcalc.site.excerpt import excerpt
from rxcalc.site.model import Cited, Clause, Rule, Used
from rxcalc.site.refs import anchor

FIRST_EXAMPLES: Final = 6


def rule(
    book: Book,
    of: str,
    *,
    place: Place,
    name: str | None = None,
    facts: Iterable[str] = (),
    said: Iterable[Block] = (),
    clauses: Iterable[Clause] = (),
    note: tuple[str, ...] = (),
    status: str = "",
    citable: bool = False,
    source: bool = True,
) -> Rule:
    """A rule with what can be told of any; `citable` ones say so where they name no source."""
    reads = book.uses.reads.get(of)
    cites = cited(book, of)
    return Rule(
        ref=of,
        label=book.label(of),
        name=name_of(of) if name is None else name,
        facts=tuple(facts),
        said=tuple(said),
        clauses=tuple(clauses),
        note=(*book.note(of), *note),
        cites=cites,
        uncited=citable and not cites,
        status=status,
        where=book.where(place),
        reads=book.runs(reads.now) if reads is not None else (),
        before=book.runs(reads.before) if reads is not None else (),
        read_by=book.runs(book.uses.read_by.get(of, ())),
        result=of in book.results,
        used=used(book, of),
        source=excerpt(book.given.files, place) if source else "",
    )


def name_of(of: str) -> str:
    """The name of a thing as rules write it; of a replaced rule that of the one in its place."""
    return of.partition("-")[2].replace(HIDDEN, "")


def cited(book: Book, of: str) -> tuple[Cited, ...]:
    """The sources of a thing by their titles, each as a link to the place on the page of sources."""
    titles = {s.name: book.words(s.title) for s in book.plan.sources}
    found = []
    for source, place in book.cites(of):
        title = titles.get(source) or source
        text = f"{title}{book.say('list_sep')}{place}" if place else title
        found.append(Cited(text, f"sources.html#{anchor(item_id(book, source, place))}"))
    return tuple(found)


def item_id(book: Book, source: str, place: str) -> str:
    """The id of a place in a source: by number, because a place may be any text."""
    return f"source-{source}.{book.item_numbers[source, place]}"


def used(book: Book, of: str) -> Used | None:
    """The examples that use a thing; None where that leaves no trace."""
    numbers = book.used_by.get(of)
    if numbers is None:
        return None
    shown = numbers[:FIRST_EXAMPLES]
    names = tuple((book.given.entries[n].name or str(n + 1), f"examples.html#{example_id(n)}") for n in shown)
    return Used(len(numbers), len(book.given.entries), names, len(numbers) - len(shown))


def example_id(number: int) -> str:
    """The id of an example."""
    return f"example-{number + 1}"
