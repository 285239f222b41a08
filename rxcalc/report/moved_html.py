"""What changed between two rulebooks and what it moves, as one HTML page: no script, no request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from rxcalc.compare.attributed import Attributed
from rxcalc.compare.model import Edit
from rxcalc.compare.moved import Across, Moved, Refused
from rxcalc.inputs.shown import shown
from rxcalc.plan.nodes import Plan
from rxcalc.report import attributed as effects
from rxcalc.report import moved_beside as beside
from rxcalc.report import pages
from rxcalc.report.amounts import money, signed
from rxcalc.report.edits import cut, heading
from rxcalc.report.moved import DECILES, MOST_GROUPS, codes, counts, group_key, mean
from rxcalc.report.moved_charts import Bars, by_change, histogram
from rxcalc.report.phrases_diff import aspect, refusal, say, subject, value, word


@dataclass(frozen=True)
class Table:
    """A table: the first `left` cells of a row say what it is of, the others are figures."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left: int = 1


@dataclass(frozen=True)
class Items:
    """A list."""

    rows: tuple[str, ...]


@dataclass(frozen=True)
class Title:
    """A heading within a section."""

    text: str


Block = str | Table | Items | Title | Bars


@dataclass(frozen=True)
class Section:
    """A section of the page, and what the contents say of it."""

    id: str
    title: str
    told: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Changed:
    """One change of meaning, in words."""

    title: str
    was: str
    now: str


def render(
    plans: tuple[Plan, Plan],
    edits: Sequence[Edit],
    moved: Moved | None,
    attributed: Attributed | None,
    status: Sequence[str],
    version: str,
    language: str = "en",
) -> str:
    """The page. `status` are sentences on the evidence of the rulebooks' values."""
    page = _Page(language, moved, attributed)
    return pages.render(
        pages.environment(say=page.say, kind=lambda block: type(block).__name__),
        "diff.html",
        "diff.css",
        title=page.say("page_title", heading(*plans)),
        lang=language,
        skip=page.say("skip"),
        heading=heading(*plans),
        count=page.say("count_changes_1") if len(edits) == 1 else page.say("count_changes", f"{len(edits):,}"),
        subjects=page.changes(edits),
        sections=list(page.sections(plans)),
        status=status,
        version=version,
    )


class _Page:
    """The parts of the page, in words of one language."""

    def __init__(self, language: str, moved: Moved | None, attributed: Attributed | None) -> None:
        self.language, self.moved, self.attributed = language, moved, attributed

    def say(self, key: str, *values: object) -> str:
        return say(key, self.language, *values)

    def head(self, *keys: str) -> tuple[str, ...]:
        """Heads of columns."""
        return tuple(_capital(self.say(key)) for key in keys)

    def changes(self, edits: Sequence[Edit]) -> list[tuple[str, list[Changed]]]:
        """The changes of meaning, by what they are of."""
        return [
            (subject(of, self.language), [self._changed(edit) for edit in own])
            for of, own in groupby(edits, key=lambda e: e.subject)
        ]

    def _changed(self, edit: Edit) -> Changed:
        title = f"{word(edit.change, self.language)} {aspect(edit.aspect, self.language)}".strip()
        was, now = (cut(value(side, self.language), self.language) for side in (edit.was, edit.now))
        return Changed(title, was, now)

    def sections(self, plans: tuple[Plan, Plan]) -> Iterator[Section]:
        """The bills, what stands beside them, and whose they are."""
        if self.moved is not None:
            x = self.moved
            told = self.say("changed_of", f"{x.changed:,}", f"{x.both:,}")
            yield Section("bills", self.say("bills"), told, tuple(self._bills(x, plans)))
            if x.lists:
                yield Section("lists", self.say("lists_title"), "", tuple(self._across(x, x.lists, "rows")))
            if x.found:
                yield Section("findings", self.say("findings_title"), "", tuple(self._findings(x)))
            if x.across:
                yield Section("groups", self.say("groups_title"), "", tuple(self._across(x, x.across, "across")))
        if self.attributed is not None:
            of = self.attributed
            yield Section("attribution", self.say("attribution"), "", tuple(self._attribution(of)))

    # ---- the bills

    def _bills(self, x: Moved, plans: tuple[Plan, Plan]) -> Iterator[Block]:
        yield from beside.days_told(x, plans, self.language)
        yield counts(x, self.language)
        if not x.both:
            yield _capital(self.say("none_both"))
        others = [self.say("another", name, f"{count:,}") for name, count in x.others if count]
        for key, names in (("only_old", x.only_old), ("only_new", x.only_new)):
            others += [self.say(key, self.say("list_sep").join(names))] if names else []
        if others:
            yield Items(tuple(others))
        yield from self._refused("newly_rejected", x.newly_rejected, x)
        yield from self._refused("newly_accepted", x.newly_accepted, x)
        if x.both:
            yield from self._amounts(x)

    def _refused(self, title: str, of: Refused, x: Moved) -> Iterator[Block]:
        if of.count:
            named = _capital(self.say(title))
            yield Title(named)
            amount = money(of.amount, x.decimals)
            yield self.say("refused_codes", named, codes(of, self.language), x.amount, amount)
            sep = self.say("label_sep")
            yield Items(tuple(f"{shown(e.id)}{sep}{refusal(e.code, e.message, self.language)}" for e in of.examples))

    def _amounts(self, x: Moved) -> Iterator[Block]:
        d = x.decimals
        yield Title(self.say("totals"))
        rows = [(t.name, money(t.old, d), money(t.new, d), signed(t.moved, d), f"{t.changed:,}") for t in x.totals]
        yield Table(self.say("totals_of"), self.head("total", "old", "new", "moved", "bills_changed"), tuple(rows))
        yield mean("per_bill", x, x.both, self.language)
        if x.heads:
            yield mean("per_head", x, x.heads, self.language, f"{x.heads:,}", x.heads_by)
        yield Title(self.say("who", x.amount))
        for key, side in (("lower", x.lower), ("higher", x.higher)):
            name = _capital(self.say(key))
            yield self.say("side_of", name, f"{side.count:,}", signed(side.moved, d))
            if side.count:
                largest = [(shown(b.id), money(b.old, d), money(b.new, d), signed(b.moved, d)) for b in side.largest]
                yield Table(self.say("side_most", name), self.head("bill", "old", "new", "moved"), tuple(largest))
        if x.histogram:
            yield histogram(x, self.language)
            deciles = [(word(name, self.language), signed(v, d)) for name, v in zip(DECILES, x.deciles, strict=False)]
            yield Table(self.say("deciles", x.amount), self.head("decile", "moved"), tuple(deciles))
        if x.by:
            yield from self._groups(x)

    def _groups(self, x: Moved) -> Iterator[Block]:
        d, named = x.decimals, self.say("list_sep").join(x.by)
        yield Title(self.say("by_title", named))
        rows = [
            (
                *group_key(g, self.language), f"{g.count:,}", f"{g.lower:,}", f"{g.higher:,}", money(g.old, d), money(g.new, d),
                signed(g.new - g.old, d),
            )
            for g in x.groups[:MOST_GROUPS]
        ]  # fmt: skip
        head = self.head("count_of", "lower", "higher", "old", "new", "moved")
        yield Table(self.say("by_caption", x.amount, named), (*x.by, *head), tuple(rows), len(x.by))
        if len(x.groups) > MOST_GROUPS:
            yield self.say("more_groups", f"{len(x.groups) - MOST_GROUPS:,}")

    # ---- beside them

    def _findings(self, x: Moved) -> Iterator[Block]:
        head, rows = beside.findings_table(x, self.language)
        yield Table(self.say("findings_title"), tuple(map(_capital, head)), tuple(map(tuple, rows)))
        told = tuple(line for f in x.found for line in beside.findings_examples(f, self.language))
        if told:
            yield Items(told)

    def _across(self, x: Moved, told: Sequence[Across], key: str) -> Iterator[Block]:
        for a in told:
            yield Title(a.kind)
            yield _capital(beside.across_head(a, self.language, key))
            rows = beside.across_rows(a, x.decimals)
            if rows:
                head = self.head(
                    "total", "old", "new", "moved", "groups_changed" if key == "across" else "rows_changed"
                )
                yield Table(a.kind, head, tuple(map(tuple, rows)))
            more = tuple(beside.across_more(a, self.language, key))
            if more:
                yield Items(more)

    # ---- whose they are

    def _attribution(self, x: Attributed) -> Iterator[Block]:
        yield _capital(effects.summary(x, self.language))
        rows = [tuple(row) for row in effects.rows(x, self.language)]
        if rows:
            yield by_change(x, self.language)
            yield Table(self.say("each_caption"), tuple(map(_capital, effects.head(self.language))), tuple(rows))
        along = [effects.along(e, self.language) for e in x.effects if e.rows and e.along]
        if along:
            yield Items(tuple(along))
        if x.interactions:
            mixed = [
                (effects.movers(i, self.language), f"{i.rows:,}", signed(i.rest, x.decimals)) for i in x.interactions
            ]
            head = tuple(map(_capital, effects.mixed_head(self.language)))
            yield Table(self.say("mixed_caption"), head, tuple(mixed))
        still = tuple(effects.unmoving(x, self.language))
        if still:
            yield Items(still)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
