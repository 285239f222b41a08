"""The sentences of rules, as `prose` words them; short ones that follow each other are one paragraph."""

from __future__ import annotations

from collections.abc import Iterable

from rxcalc.plan.nodes import Formula, PlanList, PlanSpread, PlanWindow
from rxcalc.prose.model import Block, Grid, Run, Said, Sentence
from rxcalc.prose.written import written
from rxcalc.site.book import Book
from rxcalc.site.refs import levels, ref


def step(book: Book, level: str, name: str) -> tuple[Block, ...]:
    """A step."""
    return _joined(book, ref("step", level, name), book.prose.step(level, name))


def condition(book: Book, kind: str, level: str, number: int) -> tuple[Block, ...]:
    """A `requires:` or a guarantee, by its number from 1."""
    of = book.prose.requires if kind == "requires" else book.prose.guarantee
    return _joined(book, "", of(level, number - 1))


def trend(book: Book, number: int) -> tuple[Block, ...]:
    """A guarantee about how one amount follows another."""
    return _joined(book, "", book.prose.trend(number - 1))


def check(book: Book, number: int) -> tuple[Block, ...]:
    """A check, by its number from 1."""
    return _joined(book, "", book.prose.check(number - 1))


def window(book: Book, of: PlanWindow) -> tuple[Block, ...]:
    """A window."""
    return _joined(book, "", book.prose.declared.window(of.level, of.name))


def spread(book: Book, of: PlanSpread) -> tuple[Block, ...]:
    """A part received."""
    return _joined(book, ref("spread", of.target, of.name), book.prose.spread(of.target, of.name))


def partition(book: Book, level: str, at: int) -> tuple[Block, ...]:
    """A partition, by its number from 0."""
    return _joined(book, "", book.prose.partition(level, at))


def rows(book: Book, level: str) -> tuple[Block, ...]:
    """What a list or kind of groups is, and in which order its rows or the bills of a person are taken."""
    declared = book.prose.declared
    of = dict(levels(book.plan))[level]
    if isinstance(of, PlanList):
        return _joined(book, ref("list", "", level), declared.listed(level))
    return _joined(
        book, ref("group", "", level), (*(declared.group(level) if level else ()), *declared.sequence(level))
    )


def field(book: Book, level: str, name: str) -> tuple[Block, ...]:
    """An input, without the values of its set, which stand in a table of their own."""
    blocks = book.prose.declared.input(level, name)
    told = [b for b, after in zip(blocks, (*blocks[1:], None), strict=True) if not isinstance(after, Grid)]
    return _joined(book, ref("input", level, name), (b for b in told if not isinstance(b, Grid)))


def parameter(book: Book, name: str) -> tuple[Block, ...]:
    """A parameter, without its values, which stand in a table."""
    of = next(p for p in book.plan.parameters if p.name == name)
    values = {b for at in range(len(of.segments)) for b in book.prose.declared.segment(name, at)}
    return _joined(
        book, ref("parameter", "", name), (b for b in book.prose.declared.parameter(name) if b not in values)
    )


def table(book: Book, name: str) -> tuple[Block, ...]:
    """A table, without its rows."""
    return _joined(
        book, ref("table", "", name), (b for b in book.prose.declared.table(name) if not isinstance(b, Grid))
    )


def value(book: Book, node: int, formula: Formula | None) -> Sentence:
    """An expression in one line, as a part of a sentence."""
    return book.prose.inline(written(book.plan, node, formula))


def _joined(book: Book, own: str, blocks: Iterable[Block]) -> tuple[Block, ...]:
    """Sentences without points of their own, one behind the other; the subject does not lead to where it stands."""
    found: list[Block] = []
    for number, given in enumerate(blocks):
        block = given
        if not number and isinstance(block, Said):
            block = Said(tuple(Run(r.text) if r.ref == own else r for r in block.sentence), block.points)
        last = found[-1] if found else None
        if isinstance(block, Said) and isinstance(last, Said) and not last.points and not block.points:
            between = () if book.language == "zh" else (Run(" "),)
            found[-1] = Said((*last.sentence, *between, *block.sentence))
        else:
            found.append(block)
    return tuple(found)
