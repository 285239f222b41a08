"""What `whatif` and `diff` say, before any medium lays it out: every word of it, in one language."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from rxcalc.bill.near import MOST_OF_ROWS, Near, Nearest
from rxcalc.bill.whatif import Varied
from rxcalc.lang.types import DATE, FLAG, MONEY, OneOf
from rxcalc.plan.nodes import Plan
from rxcalc.report.compared import Line, Parting, Side, Table, change_sentence
from rxcalc.report.phrases import phrase
from rxcalc.report.phrases_whatif import said
from rxcalc.report.wording import Wording


@dataclass(frozen=True)
class NearLine:
    """A change that lowers the amount: what is otherwise, what the amount becomes, how far it is."""

    text: str
    becomes: str
    away: str


@dataclass(frozen=True)
class NearView:
    """What lowers an amount. `told` says how it was looked for, `notes` what was not found or not tried."""

    title: str
    told: str
    lines: tuple[NearLine, ...]
    notes: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class View:
    """The page. `heads` say what each further column is; `first` names the first column. `notes` follow the partings."""

    title: str
    intro: str
    first: str
    heads: tuple[tuple[str, str], ...]
    refusals: tuple[str, ...]
    table: Table
    partings: tuple[tuple[str, Parting], ...]
    notes: tuple[str, ...]
    near: NearView | None
    status: str
    language: str

    def columns_of(self, some: Sequence[int]) -> list[tuple[str, list[Line]]]:
        """The lines by section that are not nothing in all of these columns, with the sections' titles."""
        found: dict[str, list[Line]] = {}
        for line in self.table.lines:
            if any((cell := line.cells[at]) is not None and not cell.is_zero for at in some):
                found.setdefault(line.section, []).append(line)
        return [(self.section_title(section), lines) for section, lines in found.items()]

    def section_title(self, section: str) -> str:
        """The title of the lines of a section."""
        head, _, name = section.partition(":")
        several = len({line.section for line in self.table.lines if line.section.startswith("shares:")}) > 1
        title = said(head, self.language)
        return f"{title}{phrase('label_sep', self.language)}{name}" if head == "shares" and several else title


def whatif_view(
    table: Table, varied: Iterable[Varied], near: NearView | None, language: str, episode: str, listed: int = 1
) -> View:
    """The page of `whatif` about the last one of the bills `listed`."""
    first, *others = table.sides
    heads = tuple((s.mark, sentence(s, language)) for s in others)
    notes = [said("several", language).format(listed, episode)] if listed > 1 else []
    notes += [said("left_out_more", language).format(v.field, v.left_out) for v in varied if v.left_out]
    notes += [said(v.why, language).format(v.field) for v in varied if v.why]
    same = [
        s.mark for s, p in zip(others, table.partings, strict=True) if p is None and not s.refusal and not first.refusal
    ]
    notes = [said("no_parting", language).format(", ".join(same)), *notes] if same else notes
    return View(
        title=_title(first.plan, language),
        intro=said("what_if", language).format(episode) if others else "",
        first=said("as_is", language),
        heads=heads,
        refusals=tuple(_refusals(table.sides, language)),
        table=table,
        partings=_partings(table, said("parts_at", language)),
        notes=tuple(notes),
        near=near,
        status=_status([s.explanation.status for s in table.sides if s.explanation is not None], language),
        language=language,
    )


def diff_view(table: Table, notes: Sequence[str], language: str, episode: str) -> View:
    """The page of `diff --episode`: the bill under two rulebooks."""
    first, other = table.sides
    found = [*notes]
    comparison = table.comparisons[0]
    if comparison is not None and not first.refusal and not other.refusal:
        if comparison.first is None:
            found.insert(0, said("no_parting_shared", language))
        for side, places in ((first, comparison.of_one), (other, comparison.of_other)):
            names = dict.fromkeys(f"{p.level}.{p.name}" if p.level else p.name for p in places)
            if names:
                head = said("only_old", language).format(side.mark)
                found.append(f"{head}{phrase('label_sep', language)}{', '.join(names)}")
    titles = [f"{side.mark}{phrase('label_sep', language)}{_title(side.plan, language)}" for side in (first, other)]
    return View(
        title=titles[0],
        intro=said("two_rulebooks", language).format(episode),
        first=first.mark,
        heads=((first.mark, _title(first.plan, language)), (other.mark, _title(other.plan, language))),
        refusals=tuple(_refusals(table.sides, language)),
        table=table,
        partings=_partings(table, said("old_new_part", language)),
        notes=tuple(found),
        near=None,
        status=_status([s.explanation.status for s in table.sides if s.explanation is not None], language),
        language=language,
    )


def sentence(side: Side, language: str) -> str:
    """What is otherwise on a side."""
    return said("and", language).join(change_sentence(c, language, side.plan.decimals) for c in side.changes)


def near_view(found: Near | str, name: str, plan: Plan, language: str) -> NearView:
    """What lowers an amount, in words."""
    words = Wording(language, plan.decimals, grouped=True)
    if isinstance(found, str):
        why = said(f"why_{found}", language)
        return NearView(said("near_impossible", language).format(name, why), "", (), ())
    label = _label(plan, name, words)
    amount = words.figure(found.amount.value, found.amount.type, "near")
    key = "near_told" if found.found else "near_none"
    lines = []
    for one in found.found:
        text = change_sentence(one.change, language, plan.decimals)
        where = f" ({one.level} {one.row})" if one.level else ""
        new, less = (words.figure(v, found.amount.type, "near") for v in (one.amount, one.saving))
        becomes = said("becomes", language).format(new, less)
        lines.append(NearLine(text + where, becomes, _away(one, words)))
    specs = {i.name: words.words(i.label) or i.name for i in plan.inputs}
    joined = [", ".join(specs[n] for n in names) for names in (found.unmoved, found.passed)]
    notes = [
        (said(k, language), names) for k, names in zip(("near_unmoved", "near_passed"), joined, strict=True) if names
    ]
    told = said(key, language).format(found.tried, found.refused)
    more = said("rows_cut", language).format(MOST_OF_ROWS) if found.cut_short else ""
    if any(i.type == MONEY for i in plan.inputs) and found.amount.type == MONEY:
        told = f"{told} {said('near_money', language)}" if language != "zh" else told + said("near_money", language)
    told = " ".join(t for t in (told, more) if t)
    return NearView(said("near", language).format(label, name, amount), told, tuple(lines), tuple(notes))


def _away(one: Nearest, words: Wording) -> str:
    """How far a change goes, where the change itself does not say it."""
    change = one.change
    if change.spec is None or change.old is None or change.new is None:
        return ""
    of = change.spec.type
    if isinstance(of, OneOf) or of == FLAG or isinstance(change.new, str):
        return ""
    if of == DATE:
        return said("days_1" if one.steps == 1 else "days", words.language).format(one.steps)
    if isinstance(change.old, int | Fraction) and isinstance(change.new, int | Fraction):
        return said("by", words.language).format(words.figure(abs(Fraction(change.new) - change.old), of, "near"))
    return ""


def _label(plan: Plan, name: str, words: Wording) -> str:
    step = next((s for s in plan.steps if s.name == name), None)
    if step is not None and step.label:
        return words.words(step.label)
    from rxcalc.report.bearers import BEARERS

    bearer = name.removesuffix("_pays").partition(".")[0]
    part = next((p for x in plan.shares for p in x.parts if f"{p.bearer}.{p.part}" == name), None)
    if part is not None and part.label:
        return words.words(part.label)
    return BEARERS.get(bearer, {}).get(words.language, name)


def _partings(table: Table, title: str) -> tuple[tuple[str, Parting], ...]:
    found = zip(table.sides[1:], table.partings, strict=True)
    return tuple((title.format(p.mark), p) for side, p in found if p is not None and not side.refusal)


def _refusals(sides: Sequence[Side], language: str) -> Iterable[str]:
    first, *others = sides
    if first.refusal:
        named = first.mark != said("as_is", language)
        yield (
            said("refused", language).format(first.mark, first.refusal)
            if named
            else said("base_refused", language).format(first.refusal)
        )
    for side in others:
        if side.refusal:
            yield said("refused" if side.outcome is not None else "unreadable", language).format(
                side.mark, side.refusal
            )


def _title(plan: Plan, language: str) -> str:
    title = Wording(language, plan.decimals, grouped=True).words(plan.title) or plan.rulebook
    return f"{title} ({plan.rulebook} {plan.version})"


def _status(found: Sequence[str], language: str) -> str:
    """What is said of the weakest evidence of all rulebooks used."""
    worst = next((s for s in ("fictional", "illustrative", "unmarked") if s in found), "")
    return phrase(f"status_{worst}", language) if worst else ""


def marked(sides: Sequence[Side]) -> tuple[Side, ...]:
    """Sides after the first one called A, B, .. Z, A2, .."""
    return tuple(replace(side, mark=_letter(at)) for at, side in enumerate(sides))


def _letter(at: int) -> str:
    head = chr(ord("A") + at % 26)
    return head if at < 26 else f"{head}{at // 26 + 1}"
