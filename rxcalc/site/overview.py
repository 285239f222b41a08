"""The first page: what the rulebook is, from when on it holds, what it computes, who pays what."""

from __future__ import annotations

from collections.abc import Iterator

from rxcalc.plan.nodes import Plan
from rxcalc.prose.model import Run, Sentence
from rxcalc.report.phrases import word
from rxcalc.site.book import Book
from rxcalc.site.model import Overview
from rxcalc.site.refs import levels
from rxcalc.site.rules import partition


def overview(book: Book) -> Overview:
    """The first page of a rulebook."""
    note = book.decl.note
    return Overview(
        facts=tuple(_facts(book)),
        note=book.text(note.by_language) if note is not None else (),
        results=tuple(_results(book)),
        partitions=tuple(partition(book, "", at, p) for at, p in enumerate(book.plan.shares)),
    )


def title(book: Book) -> str:
    """What the rulebook is called."""
    return book.words(book.plan.title) or book.plan.rulebook


def in_force(book: Book) -> str:
    """The dates in force in words."""
    plan = book.plan
    by = book.label(book.names.field("", plan.effective_by))
    if plan.effective_to is None:
        return book.say("from_on", plan.effective_from.isoformat(), by)
    return book.say("from_to", plan.effective_from.isoformat(), plan.effective_to.isoformat(), by)


def _facts(book: Book) -> Iterator[tuple[str, str]]:
    plan = book.plan
    yield book.say("rulebook"), book.say("version_of", plan.rulebook, plan.version)
    yield book.say("in_force"), in_force(book)
    yield book.say("currency"), plan.currency
    yield book.say("rounding"), book.say("rounding_told", word(plan.rounding, book.language))
    for base in plan.bases:
        yield book.say("laid_over"), book.say("version_of", base.rulebook, base.version)
    if book.given.removed:
        yield book.say("removed"), book.say("list_sep").join(book.given.removed)
    yield book.say("figures_told"), _evidence(book, plan)
    total = len(book.given.results)
    passed = sum(r.passed for r in book.given.results)
    yield book.say("examples"), book.say("examples_state", passed, total) if total else book.say("no_examples")
    if total:
        yield book.say("coverage"), book.say("coverage_state", book.given.coverage.total.percent)


def _evidence(book: Book, plan: Plan) -> str:
    counts = [(status, n) for status, n in plan.evidence if n]
    told = (book.say("evidence_told", n, book.say(f"status_{status}")) for status, n in counts)
    return book.say("list_sep").join(told) or book.say("none")


def _results(book: Book) -> Iterator[tuple[Sentence, str]]:
    """The outputs, each with its type."""
    types = {s.name: book.type_of(s.type, s.values) for _, of in levels(book.plan)[:1] for s in of.steps}
    for name in book.plan.outputs:
        of = book.names.field("", name)
        yield ((book.run(of),) if of else (Run(name),)), types.get(name, book.say("type_money"))
