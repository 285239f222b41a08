"""The outline of an explanation: its sections in the order in which a bill is read."""

from __future__ import annotations

from collections.abc import Iterator

from rxcalc.report.bearers import bearer_of, total_label
from rxcalc.report.model import Explanation, PartitionLine, StepLine, WindowLine
from rxcalc.report.outline_model import (
    BandRow,
    Bands,
    Block,
    Column,
    Fact,
    Facts,
    Item,
    Listing,
    Outline,
    Paragraph,
    Part,
    RowFigures,
    Rows,
    Section,
    Share,
    Shares,
    Table,
    Told,
)
from rxcalc.report.outline_rows import check_item, group_section, list_section
from rxcalc.report.outline_steps import Teller, identifier, short_title
from rxcalc.report.phrases import REFUSALS_ZH, phrase, word

__all__ = [
    "BandRow", "Bands", "Block", "Column", "Fact", "Facts", "Item", "Listing", "Outline", "Paragraph", "Part", "RowFigures",
    "Rows", "Section", "Share", "Shares", "Table", "Told", "build", "short_title",
]  # fmt: skip

_MARKED = ("fictional", "illustrative", "unmarked")


def build(x: Explanation, language: str = "en", detail: str = "steps") -> Outline:
    """The outline of an explanation. `detail`: brief (result, shares and findings), steps, full (also what did not apply)."""
    return _Builder(x, language, detail).outline()


class _Builder:
    def __init__(self, x: Explanation, language: str, detail: str) -> None:
        self.x = x
        self.language = language
        self.detail = detail
        self.teller = Teller.of(x, language, detail)
        self.phrase = self.teller.phrase

    def outline(self) -> Outline:
        x = self.x
        title = f"{x.title or x.rulebook} ({x.rulebook} {x.version})"
        return Outline(self.language, self.detail, title, self._versions(), tuple(self._sections()))

    def _versions(self) -> tuple[str, ...]:
        """Which version of which rulebook was used, and where it stands; by default only where it is more than one."""
        if not self.x.rules or (len(self.x.rules) == 1 and self.detail != "full"):
            return ()
        own, *bases = (f"{r.rulebook} {r.version} ({r.file})" for r in self.x.rules)
        return (own, *(self.phrase("laid_over").format(base) for base in bases))

    def _sections(self) -> Iterator[Section]:
        x, brief = self.x, self.detail == "brief"
        yield self._facts()
        yield from self._status()
        yield from self._reversal()
        if not brief or x.problem is not None:
            yield from self._computed()
        yield from self._refusal()
        if x.outputs and (brief or not x.shares) and x.problem is None:
            yield self._results()
        for p in x.shares:
            at = identifier("shares", p.name)
            yield Section(at, "shares", self.teller.shares_title(p), (self.teller.shares(p),))
        if x.totals:
            yield self._totals()
        yield from self._findings()
        if x.windows and not brief:
            items = tuple(self._window(w, at) for at, w in enumerate(x.windows, start=1))
            yield Section("windows", "windows", self.phrase("windows"), items)
        yield from self._notes()
        if x.sources and not brief:
            rows = tuple(Fact(name, title, word(status, self.language)) for name, title, status in x.sources)
            yield Section("sources", "sources", self.phrase("sources"), (Facts(rows),))

    # ---- before the steps ----

    def _facts(self) -> Section:
        missing = word("missing", self.language)
        rows = tuple(Fact(name, label, value) for name, label, value in self.x.episode if value != missing)
        return Section("facts", "facts", "", (Facts(rows),))

    def _status(self) -> Iterator[Section]:
        if self.x.status in _MARKED:
            text = self.phrase(f"status_{self.x.status}")
            yield Section("status", "status", "", (Paragraph(text, "status"),))

    def _reversal(self) -> Iterator[Section]:
        """That the results are another episode's, with the sign changed, and whose results would differ without it."""
        if self.x.reverses:
            told = [Paragraph(self.phrase("reverses").format(self.x.reverses), "reversal")]
            if self.x.affected:
                told.append(Paragraph(f"{self.phrase('affected')} {', '.join(self.x.affected)}", "reversal"))
            yield Section("reversal", "reversal", "", tuple(told))

    def _refusal(self) -> Iterator[Section]:
        problem = self.x.problem
        if problem is not None:
            lead = REFUSALS_ZH.get(problem.code, "") if self.language == "zh" else ""
            message = self.phrase("refused_en").format(problem.message)
            text = f"{self.phrase('refused')} {problem.code}{self.phrase('label_sep')}"
            text += f"{lead}。{message}" if lead else message
            yield Section("refusal", "refusal", "", (Paragraph(text, "refusal"),))

    # ---- what was computed ----

    def _computed(self) -> Iterator[Section]:
        """Lists and their groups, the steps of the episode, groups across bills."""
        for found in self.x.lists:
            yield list_section(self.teller, found)
        for at, group in enumerate(self.x.groups, start=1):
            if group.inside:
                yield group_section(self.teller, group, at)
        if self.x.steps:
            items = tuple(self.teller.step(s, "step") for s in self.x.steps)
            yield Section("steps", "steps", self.phrase("steps"), items)
        across = [(at, g) for at, g in enumerate(self.x.groups, start=1) if not g.inside]
        if across:
            groups = tuple(group_section(self.teller, g, at) for at, g in across)
            yield Section("groups", "groups", self.phrase("groups"), (), groups)

    # ---- results ----

    def _results(self) -> Section:
        labels = labels_of(self.x, self.language)
        rows = tuple(Fact(name, labels.get(name, name), self._output(name, value)) for name, value in self.x.outputs)
        return Section("results", "results", self.phrase("results"), (Facts(rows, amounts=True),))

    def _output(self, name: str, value: str) -> str:
        step: StepLine | None = next((s for s in self.x.steps if s.name == name), None)
        return step.shown.rpartition(" = ")[2] if step is not None else grouped(value)

    def _totals(self) -> Section:
        totals = _totals(self.x, self.language)
        rows = tuple(Fact(name, totals[name], grouped(value), self._adds_up(name)) for name, value in self.x.totals)
        return Section("totals", "totals", self.phrase("totals"), (Facts(rows, amounts=True),))

    def _adds_up(self, total: str) -> str:
        """The parts of a bearer; nothing for a single one."""
        first: PartitionLine | None = self.x.shares[0] if self.x.shares else None
        parts = [p.shown for p in first.parts if f"{p.bearer}_pays" == total] if first is not None else []
        return f"= {self.teller.summed(parts)}" if len(parts) > 1 and self.detail != "brief" else ""

    def _findings(self) -> Iterator[Section]:
        if self.x.checks:
            items = tuple(check_item(self.teller, c, at) for at, c in enumerate(self.x.checks, start=1))
            yield Section("findings", "findings", self.phrase("checks"), items)
        if self.x.incomplete:
            text = self.phrase("group_incomplete").format(", ".join(self.x.incomplete))
            yield Section("incomplete", "incomplete", "", (Paragraph(text, "warning"),))

    # ---- what it rests on ----

    def _window(self, w: WindowLine, at: int) -> Item:
        """A window call with what every earlier episode gave, so that it can be redone."""
        if w.function == "count":
            terms = self.teller.window_terms("", w.seen, w.opened)
        else:
            terms = self.teller.window_terms(w.function, w.seen, w.opened)
        days = f"{self.phrase('since')} {w.since}" if w.since else ""
        days = f"{w.since} {self.phrase('until')} {w.until}" if w.until else days
        if not terms:
            terms = ", ".join(w.episodes) or (self.phrase("opening") if w.opening else self.phrase("none_before"))
        told = [*self.teller.told("over", terms), *self.teller.told("period", days)]
        return Item(f"window-{at}", w.call, "", w.value, tuple(told))

    def _notes(self) -> Iterator[Section]:
        x = self.x
        if x.assumptions:
            told = (Paragraph(self.phrase("assumed")), Listing(x.assumptions))
            yield Section("assumptions", "assumptions", self.phrase("assumptions"), told)
        labels = {name: label for name, label, _ in x.episode}
        for key, names in (("set_by_hand", x.set_by_hand), ("defaulted", x.defaulted)):
            if names:
                shown = "、".join(labels.get(n, n) for n in names) if self.language == "zh" else ", ".join(names)
                text = f"{shown}{self.phrase('label_sep')}{self.phrase(key)}"
                yield Section(key, key, "", (Paragraph(text),))


def labels_of(x: Explanation, language: str) -> dict[str, str]:
    """What outputs are called: steps by their label, a total `Fund, in all [fund_pays]`."""
    parts: dict[str, str] = {}
    for part in (part for p in x.shares[:1] for part in p.parts if part.part):
        sep = phrase("label_sep", language)
        parts[f"{part.bearer}.{part.part}"] = f"{part.bearer_label}{sep}{part.label}"
    return {**parts, **_totals(x, language), **{s.name: s.label for s in x.steps}}


def _totals(x: Explanation, language: str) -> dict[str, str]:
    declared = {part.bearer: part.bearer_label for p in x.shares[:1] for part in p.parts}
    labels = {
        name: total_label(bearer, declared.get(bearer, ""), language)
        for name, _ in x.totals
        if (bearer := bearer_of(name))
    }
    return {name: f"{labels[name]} [{name}]" if name in labels else name for name, _ in x.totals}


def grouped(amount: str) -> str:
    """Plain digits in groups of three."""
    head, dot, tail = amount.partition(".")
    if not head.removeprefix("-").isdigit():
        return amount
    sign = "-" if head.startswith("-") else ""
    return f"{sign}{int(head.removeprefix('-')):,}{dot}{tail}"
