"""Coverage as an annotated listing of the rulebook's files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from rxcalc.coverage.model import Coverage, Item, Share
from rxcalc.coverage.text import NOUNS
from rxcalc.report.listing import File, Line, Listing, Mark

LONGEST: Final = 2_000
"""Lines of a file that is listed whole; of a longer one (a large table) only what is never used."""


def listing(
    coverage: Coverage, shown: str, text_of: Callable[[str], str | None], *, examples: int, failed: int, status: str
) -> Listing:
    """The listing; `text_of` gives the text of a file by its name in messages, None where it cannot be read."""
    by_file: dict[str, dict[int, list[Mark]]] = {}
    for item, count in zip(coverage.items, coverage.counts, strict=True):
        marks = by_file.setdefault(item.place.file, {}).setdefault(item.place.line, [])
        marks.append(Mark(_called(item), count, item.lacking))
    kinds = tuple((kind, s.covered, s.of, s.percent) for kind, s in coverage.kinds.items())
    total: Share = coverage.total
    files = tuple(_file(name, text_of(name) or "", marks) for name, marks in by_file.items())
    return Listing(shown, examples, failed, status, kinds, (total.covered, total.of, total.percent), files)


def _file(name: str, text: str, marks: dict[int, list[Mark]]) -> File:
    texts = text.splitlines()
    last = max(len(texts), *marks)
    lines = (
        Line(n, texts[n - 1] if 0 < n <= len(texts) else "", tuple(marks.get(n, ())))
        for n in range(min(1, *marks), last + 1)
    )
    cut = last > LONGEST
    counts = [mark.count for of_line in marks.values() for mark in of_line]
    covered = sum(1 for count in counts if count)
    return File(name, tuple(line for line in lines if not cut or line.never), covered, len(counts), cut)


def _called(item: Item) -> str:
    """What a thing is called: `clause of pays: when total > ¥100`."""
    name = f"{item.level}.{item.name}" if item.level else item.name
    noun = NOUNS[item.kind].format(name)
    joined = noun + item.what if item.what.startswith("[") or noun.endswith(" ") else f"{noun} {item.what}"
    return joined.rstrip(": ")
