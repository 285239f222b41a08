"""The pages of a site as files: names with their text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeAlias

from rxcalc.plan.nodes import weakest_evidence
from rxcalc.report.html_words import say as say_report
from rxcalc.report.pages import environment, render
from rxcalc.report.phrases import phrase
from rxcalc.site.book import Book, Given
from rxcalc.site.cases import cases
from rxcalc.site.cover import covered
from rxcalc.site.fields import inputs
from rxcalc.site.graphs import graphs
from rxcalc.site.overview import in_force, overview, title
from rxcalc.site.refs import PAGES, anchor
from rxcalc.site.rules import rules
from rxcalc.site.sources import sources, uncited
from rxcalc.site.values import MOST_ROWS, changes, parameters, tables
from rxcalc.site.words import say

STYLES: Final = ("site.css",)
Printed: TypeAlias = Callable[..., str]
"""Gives the page of a template, its style sheets and its values."""


@dataclass(frozen=True)
class Place:
    """Where a set of pages stands: its folder from the site's, its language, whether there is another, the front page."""

    folder: str
    language: str
    other: str  # the path to the folder of the other language, "" for none
    front: str  # the path to the page that lists all rulebooks, "" for none


def site(books: Mapping[str, Given], languages: Sequence[str], version: str) -> dict[str, str]:
    """The files of a site by path: a rulebook's pages at the top, of several in a folder each, with a front page."""
    several = len(books) > 1
    printed = partial(render, environment(anchor=anchor, kind=_kind))  # one for all, so that each template is read once
    found: dict[str, str] = {}
    for at, language in enumerate(languages):
        sub = "" if not at else f"{language}/"
        told = []
        for folder, given in books.items():
            base = f"{folder}/" if several else ""
            other = "" if len(languages) < 2 else (f"{languages[1]}/" if not at else "../")
            up = "../" * (several + bool(at))
            place = Place(base + sub, language, other, f"{up}{sub}index.html" if several else "")
            book = Book(given, language)
            versions = tuple(
                (f"{up}{name}/{sub}index.html", say("version_of", language, same.plan.rulebook, same.plan.version))
                for name, same in books.items()
                if name != folder and same.plan.rulebook == given.plan.rulebook
            )
            found.update(_pages(printed, book, place, version, versions))
            told.append((f"{'../' if at else ''}{base}{sub}index.html", book))
        if several:
            other = "" if len(languages) < 2 else (f"{languages[1]}/" if not at else "../")
            found[f"{sub}index.html"] = _front(printed, told, language, other, version)
    return dict(sorted(found.items()))


def _pages(
    printed: Printed, book: Book, place: Place, version: str, versions: tuple[tuple[str, str], ...]
) -> Iterator[tuple[str, str]]:
    """The pages of one rulebook in one language; `versions` lead to the others of its name."""
    plan = book.plan
    status = weakest_evidence(plan)
    status = status if status != "sourced" else ""
    banner = (
        (say_report(f"banner_{status}", book.language), phrase(f"status_{status}", book.language))
        if status
        else ("", "")
    )
    levels = rules(book)
    data: dict[str, dict[str, object]] = {
        "index": {"overview": overview(book), "versions": versions},
        "rules": {"levels": levels},
        "values": {
            "parameters": parameters(book),
            "tables": tables(book),
            "changes": changes(book),
            "most": MOST_ROWS,
        },
        "inputs": {"levels": inputs(book)},
        "sources": {"sources": sources(book), "uncited": uncited(book)},
        "graph": {"graphs": graphs(book)},
        "examples": {
            "files": cases(book),
            "trends": book.given.trends,
            "passed": sum(r.passed for r in book.given.results),
            "total": len(book.given.results),
        },
        "coverage": {"covered": covered(book), "total": len(book.given.results)},
    }
    name = title(book)
    for page in PAGES:
        yield (
            f"{place.folder}{page}.html",
            printed(
                f"site_{page}.html",
                *STYLES,
                say=book.say,
                on_paper=f"{banner[0]}: {banner[1]}" if banner[0] else "",
                title=name if page == "index" else book.say("title_of", book.say(page), name),
                heading=name if page == "index" else book.say(page),
                book_title=name,
                lang=book.language,
                skip=book.say("skip"),
                href=partial(book.names.href, page=page),
                page=page,
                pages=PAGES,
                place=place,
                status=status,
                banner=banner,
                failed=book.given.failed,
                version=version,
                plan=plan,
                **data[page],
            ),
        )


def _kind(of: object) -> str:
    return type(of).__name__


def _front(printed: Printed, books: Sequence[tuple[str, Book]], language: str, other: str, version: str) -> str:
    """The page that lists several rulebooks."""
    rows = [
        (href, title(b), say("version_of", language, b.plan.rulebook, b.plan.version), in_force(b), _mark(b))
        for href, b in books
    ]
    return printed(
        "site_front.html",
        *STYLES,
        say=partial(_say, language=language),
        title=say("rulebooks", language),
        lang=language,
        skip=say("skip", language),
        other=other,
        books=rows,
        version=version,
    )


def _say(key: str, *values: object, language: str) -> str:
    return say(key, language, *values)


def _mark(book: Book) -> tuple[str, str]:
    status = weakest_evidence(book.plan)
    return status, book.say(f"status_{status}")
