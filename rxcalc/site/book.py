"""What the pages of a rulebook are made from, and what all of them ask: labels, links, evidence, places, uses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from rxcalc.backends.base import Outcome
from rxcalc.coverage.model import Coverage
from rxcalc.examples.difference import Difference
from rxcalc.examples.run import ExampleResult
from rxcalc.inputs.episodes import EpisodeEntry
from rxcalc.lang.types import OneOf, Plain, ScheduleType, Type
from rxcalc.plan.nodes import Formula, Place, Plan, PlanList, PlanSetValue, Words
from rxcalc.prose.model import Run, Sentence
from rxcalc.prose.rules import Rules
from rxcalc.report.bearers import bearer_label, bearer_of, total_label
from rxcalc.report.wording import Wording
from rxcalc.rulebook.bases import HIDDEN
from rxcalc.site.metas import metas
from rxcalc.site.refs import Names, levels, part_ref, ref, shares_of
from rxcalc.site.uses import Uses
from rxcalc.site.words import say
from rxcalc.source import SourceFile
from rxcalc.syntax.nodes import NO_META, Meta, RulebookDecl
from rxcalc.tracing.hits import (
    BandUsed,
    CheckFound,
    ClauseTaken,
    ConditionBroken,
    Hit,
    PartBorne,
    RowRead,
    RuleRun,
    ValueRead,
)


@dataclass(frozen=True)
class Given:
    """A rulebook that compiled, its declarations, its files by the name that places give them, and how its examples went.

    `entries`, `results`, `used`, `commands` and `outcomes` go together, one for each example; outcomes are those of its episodes
    but the earlier ones, none where they cannot be read. `removed` is what overlays leave out of their bases, as they name it.
    """

    shown: str
    plan: Plan
    decl: RulebookDecl
    files: Mapping[str, SourceFile]
    entries: tuple[EpisodeEntry, ...]
    results: tuple[ExampleResult, ...]
    used: tuple[frozenset[Hit], ...]
    commands: tuple[str, ...]
    outcomes: tuple[tuple[Outcome, ...], ...]
    trends: tuple[Difference, ...]
    coverage: Coverage
    removed: tuple[str, ...] = ()

    @property
    def failed(self) -> int:
        """How many examples and guarantees fail."""
        return sum(not r.passed for r in self.results) + len(self.trends)


@dataclass(frozen=True)
class Where:
    """A place in a file, and the rulebook it belongs to ("" where there is only one)."""

    file: str
    line: int
    of: str = ""


class Book:
    """One rulebook in one language."""

    def __init__(self, given: Given, language: str) -> None:
        self.given = given
        self.plan = given.plan
        self.decl = given.decl
        self.language = language
        self.names = Names(given.plan)
        self.uses = Uses(given.plan, self.names)
        self.wording = Wording(language, given.plan.decimals, grouped=True)
        self.results = frozenset(self.names.field("", name) for name in given.plan.outputs)
        self.metas: Mapping[str, Meta] = metas(given.decl)
        self.prose = Rules(given.plan, language)
        self._labels = dict(_labels(given.plan))
        self._parts = dict(_parts(given.plan))

    # ---- words ----

    def say(self, key: str, *values: object) -> str:
        """A fixed text."""
        return say(key, self.language, *values)

    def words(self, words: Words) -> str:
        """A text in the reader's language, in one line."""
        return self.wording.words(words) if words else ""

    def text(self, words: Words) -> tuple[str, ...]:
        """A text in the reader's language, by paragraphs: a line break inside a note is only where its line was full."""
        found = dict(words)
        text = found.get(self.language) or found.get("") or found.get("en") or (words[0][1] if words else "")
        return tuple(" ".join(p.split()) for p in text.split("\n\n") if p.strip())

    def label(self, of: str) -> str:
        """What a thing is called: its label, else its name in plain words."""
        if of in self._parts:
            bearer, label, part = self._parts[of]
            borne = bearer_label(part.partition(".")[0], self.words(bearer), self.language)
            own = self.words(label) or part.partition(".")[2].replace("_", " ")
            return f"{borne}{self.say('label_sep')}{own}" if own and own != borne else borne
        return self.words(self._labels.get(of, ())) or self._total(of) or self.named(of)

    def named(self, of: str) -> str:
        """The name of a thing as words."""
        kind, _, name = of.partition("-")
        name = name.rpartition(".")[2].replace(HIDDEN, "")
        match kind:
            case "requires":
                return self.say("condition", name)
            case "guarantee" | "trend":
                before = len(self.plan.guarantees) if kind == "trend" else 0
                return self.say("guarantee", int(name) + before)
            case "check":
                check = self.plan.checks[int(name) - 1]
                return self.words(check.say) or check.name.replace("_", " ") or self.say("check", name)
            case "input" if (field := self.prose.names.fields.get(_field(of))) is not None:
                return field.label  # a key without a label of its own is called like what it is taken from
            case "list" if name == "lines":
                return self.say("lines")
            case _:
                return name.replace("_", " ")

    def _total(self, of: str) -> str:
        """The total of a bearer, which the rulebook does not label; "" for other things."""
        level, _, name = of.removeprefix("share-").rpartition(".")
        own = dict(levels(self.plan)).get(level)
        if not of.startswith("share-") or own is None or isinstance(own, PlanList) or name not in own.totals:
            return ""
        bearer = bearer_of(name)
        labels = (self.words(p.bearer_label) for p in own.shares[0].parts if p.bearer == bearer) if own.shares else ()
        return total_label(bearer, next(filter(None, labels), ""), self.language)

    def level(self, level: str) -> str:
        """What the rows of a level are called."""
        if not level:
            return self.say("episode")
        kind = "list" if any(x.name == level for x in self.plan.lists) else "group"
        return self.label(ref(kind, "", level))

    def run(self, of: str) -> Run:
        """A thing by its label, as a link."""
        return Run(self.label(of), of)

    def runs(self, of: Iterable[str]) -> Sentence:
        """Things by their labels."""
        return tuple(self.run(name) for name in of if name in self.names.page)

    def formula(self, formula: Formula) -> Sentence:
        """A formula as written, in which names are links."""
        parts = zip(formula.parts, formula.names, strict=True)
        return tuple(Run(name, self.uses.of_node(part) if isinstance(part, int) else "") for part, name in parts)

    def type_of(self, of: Type, values: tuple[PlanSetValue, ...] = ()) -> str:
        """A type in words."""
        match of:
            case OneOf(values=names, ordered=ordered):
                labels = {v.name: self.words(v.label) for v in values}
                told = self.say("list_sep").join(labels.get(name) or name.replace("_", " ") for name in names)
                return self.say("type_one_of", told) + (self.say("type_ordered") if ordered else "")
            case ScheduleType(form=form, value=value, over=over):
                return self.say(f"type_{form}", self.type_of(Plain(value)), self.type_of(Plain(over)))
            case Plain(kind=kind):
                return self.say(f"type_{kind.value}")
            case _:
                return str(of)

    # ---- evidence and places ----

    def cites(self, of: str) -> tuple[tuple[str, str], ...]:
        """The sources that a thing names, each with the place in it."""
        return tuple((c.source, c.place) for c in self.metas.get(of, NO_META).cite)

    def note(self, of: str) -> tuple[str, ...]:
        """The note of a thing, by paragraphs."""
        note = self.metas.get(of, NO_META).note
        return self.text(note.by_language) if note is not None else ()

    @cached_property
    def set_labels(self) -> Mapping[tuple[str, ...], Mapping[str, str]]:
        """The labels of the values of every set, by all its values."""
        found: dict[tuple[str, ...], dict[str, str]] = {}
        for _, of in levels(self.plan):
            declared: list[tuple[Type, tuple[PlanSetValue, ...]]] = [(i.type, i.values) for i in of.inputs]
            declared += [(s.type, s.values) for s in of.steps]
            for type_, values in declared:
                if isinstance(type_, OneOf):
                    own = found.setdefault(type_.values, {})
                    for v in values:
                        if v.label:
                            own.setdefault(v.name, self.words(v.label))
        return found

    @cached_property
    def item_numbers(self) -> Mapping[tuple[str, str], int]:
        """The places in sources that anything cites, numbered within their source in the order of reading."""
        cited = {(c.source, c.place) for meta in self.metas.values() for c in meta.cite}
        found: dict[tuple[str, str], int] = {}
        for source, place in sorted(cited, key=lambda c: (c[0], _natural(c[1]))):
            found[source, place] = 1 + sum(1 for s, _ in found if s == source)
        return found

    def where(self, place: Place) -> Where:
        """A place; where rulebooks are laid over each other, with the one that it belongs to."""
        base = next((b for b in self.plan.bases if b.shown == place.file), None)
        if base is not None:
            return Where(place.file, place.line, self.say("version_of", base.rulebook or base.named, base.version))
        of = self.say("version_of", self.plan.rulebook, self.plan.version) if self.plan.bases else ""
        return Where(place.file, place.line, of)

    # ---- examples ----

    @cached_property
    def used_by(self) -> Mapping[str, tuple[int, ...]]:
        """The examples that used each thing, by their numbers; nothing is said of what leaves no trace (a guarantee)."""
        found: dict[str, dict[int, None]] = {of: {} for of in self._tracked()}
        for at, hits in enumerate(self.given.used):
            for hit in hits:
                of = self.of_hit(hit)
                if of:
                    found.setdefault(of, {}).setdefault(at)
        return {of: tuple(numbers) for of, numbers in found.items()}

    @cached_property
    def band_hits(self) -> Mapping[tuple[str, int, tuple[str, ...]], tuple[BandUsed, ...]]:
        """The parts of schedules that can be used, by parameter, date and key."""
        found: dict[tuple[str, int, tuple[str, ...]], dict[BandUsed, None]] = {}
        for item in self.given.coverage.items:
            for hit in item.hits:
                if isinstance(hit, BandUsed):
                    found.setdefault((hit.parameter, hit.segment, hit.keys), {})[hit] = None
        return {of: tuple(hits) for of, hits in found.items()}

    @cached_property
    def times(self) -> Mapping[Hit, int]:
        """By how many examples each single thing was used."""
        counts: dict[Hit, int] = {}
        for hits in self.given.used:
            for hit in hits:
                counts[hit] = counts.get(hit, 0) + 1
        return counts

    def of_hit(self, hit: Hit) -> str:
        """The rule or value that something used is part of; "" for an arm of a formula, which its rule tells as well."""
        of = dict(levels(self.plan))
        match hit:
            case ClauseTaken(level=level, step=step) | RuleRun(level=level, step=step):
                return ref("step", level, step)
            case ValueRead(parameter=name) | BandUsed(parameter=name):
                return ref("parameter", "", name)
            case RowRead(table=name):
                return ref("table", "", name)
            case ConditionBroken(level=level, condition=at):
                return ref("requires", level, at + 1)
            case PartBorne(level=level, partition=at, part=number):
                return part_ref(level, at, shares_of(of[level])[at], number)
            case CheckFound(check=at):
                return ref("check", "", at + 1)
            case _:
                return ""

    def _tracked(self) -> Iterator[str]:
        for item in self.given.coverage.items:
            yield from (of for hit in item.hits if (of := self.of_hit(hit)))


def _field(of: str) -> tuple[str, str]:
    """Level and name of a field."""
    level, _, name = of.partition("-")[2].rpartition(".")
    return level, name


def _natural(text: str) -> tuple[tuple[int, str], ...]:
    """A place as a key: numbers in it count as numbers, so that article 9 stands before article 10."""
    pieces = re.split(r"([0-9]{1,9})", text)
    return tuple((int(p), "") if n % 2 else (-1, p) for n, p in enumerate(pieces))


def _labels(plan: Plan) -> Iterator[tuple[str, Words]]:
    """The labels that the rulebook gives its things."""
    for level, of in levels(plan):
        for i in of.inputs:
            yield ref("input", level, i.name), i.label
        for step in of.steps:
            yield ref("step", level, step.name), step.label
        for partition in shares_of(of):
            yield ref("partition", level, partition.name), partition.label
    for x in plan.lists:
        yield ref("list", "", x.name), x.label
    for g in plan.groups:
        yield ref("group", "", g.name), g.label
    for spread in plan.spreads:
        yield ref("spread", spread.target, spread.name), spread.label
    for parameter in plan.parameters:
        yield ref("parameter", "", parameter.name), parameter.label
    for table in plan.tables:
        yield ref("table", "", table.name), table.label


def _parts(plan: Plan) -> Iterator[tuple[str, tuple[Words, Words, str]]]:
    """The parts of shares: the label of the bearer, their own, and both names."""
    for level, of in levels(plan):
        for at, partition in enumerate(shares_of(of)):
            for number, part in enumerate(partition.parts):
                both = (part.bearer_label, part.label, f"{part.bearer}.{part.part}")
                yield part_ref(level, at, partition, number), both
