"""An audit ready to be shown: every text in the reader's language, nothing escaped."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final

from rxcalc.bill.audit import Audited, Compared
from rxcalc.bill.changes import Kind
from rxcalc.bill.charged import ChargedAmount
from rxcalc.bill.search import Found, Hypothesis
from rxcalc.inputs.openings import window_calls
from rxcalc.lang.types import MONEY
from rxcalc.plan.nodes import Words
from rxcalc.report.audit_rules import behind
from rxcalc.report.audit_sums import contradictions, patient_side
from rxcalc.report.audit_words import Sentences, phrase
from rxcalc.report.explanation import explain
from rxcalc.report.model import BandLine, CheckLine, Explanation, StepLine, Used
from rxcalc.report.outline_model import Item
from rxcalc.report.outline_steps import Teller, is_zero
from rxcalc.report.phrases import phrase as common_phrase
from rxcalc.report.phrases import word
from rxcalc.report.wording import cited

MOST_PARTLY = 6
"""How many changes that explain only some amounts are written out for a reader; files hold all."""
MOST_THIN = 2
MOST_BEHIND = 12
"""How many steps behind the first amount that differs are written out in a letter."""
_FIGURES: Final = re.compile(r"[\d\s.,%¥()<>=!+*/-]+")


@dataclass(frozen=True)
class AmountLine:
    """A charged amount beside that of the rules; `sign` is more, less or "" where the two are no numbers."""

    name: str
    row: str
    label: str
    charged: str
    ours: str
    difference: str
    verdict: str
    sign: str
    is_first: bool


@dataclass(frozen=True)
class RuleLine:
    """How the rules come to an amount: formula, its figures, why this case, what it read, where it stands."""

    label: str
    formula: str
    figures: str
    value: str
    because: str
    used: tuple[str, ...]
    cite: str
    item: Item | None  # a step as explanations show it
    bands: tuple[str, ...] = ()
    status: str = ""  # of its evidence, in words; "" where it is sourced or bears no mark
    rounded: str = ""  # the exact value and how it was rounded, "" where it was not

    def worked(self, formula: str, figures: str, value: str, language: str) -> str:
        """` = formula = figures = value`, each once; a value that was rounded is not called equal to the exact one."""
        if self.rounded:
            colon = "：" if language == "zh" else ": "
            value = f"{self.rounded}{colon}{value}"
        return "".join(f" = {p}" for p in dict.fromkeys((formula, figures, value)) if p)


@dataclass(frozen=True)
class CauseLine:
    """A change in a sentence. `note` says what else it explains, `cite` where the rule that it is about stands.

    `also` are other values that do the same; `inexact` says what comes out within the tolerance only.
    """

    sentence: str
    note: str
    cite: str
    also: str = ""
    inexact: str = ""


@dataclass(frozen=True)
class FindingLine:
    """A finding of the rulebook's checks as one text, with its figures and the amount concerned."""

    severity: str
    text: str
    is_charge: bool  # an error, or about an amount


@dataclass(frozen=True)
class AuditView:
    """Everything that an audit tells. The first `likely` of the causes are equally plausible by their kind."""

    language: str
    episode: str
    title: str
    rulebook: str
    amounts: tuple[AmountLine, ...]
    summary: str
    first: AmountLine | None
    rule: RuleLine | None
    refused: str
    tried: str
    causes: tuple[CauseLine, ...]
    likely: int
    no_cause: str
    only_one: str
    partly: tuple[CauseLine, ...]
    more_partly: str
    fitted: tuple[CauseLine, ...]
    unread: tuple[str, ...]
    checks: tuple[FindingLine, ...]
    assumptions: tuple[str, ...]
    sources: tuple[tuple[str, str, str], ...]
    status: str
    evidence: str  # the weakest: fictional, illustrative, unmarked, sourced or ""
    is_fine: bool  # nothing differs, and no finding is an error
    patient: str  # what the rules make the patient pay besides what is charged: less, more, equal, or "" where it is not known
    told_patient: str
    contradictions: tuple[str, ...]
    reversal: str
    behind: tuple[
        RuleLine, ...
    ]  # the steps behind the first amount that differs, as far as they are not agreed, in order
    more_behind: int
    letter_sources: tuple[tuple[str, str, str], ...]  # those of the steps behind too
    facts: frozenset[str]  # the fields of the bill that it rests on


def audit_view(audited: Audited, language: str = "en") -> AuditView:
    """The audit in a language."""
    words = Sentences(audited, language)
    explained = explanation_of(audited, language)
    tell, further = (_Tell(words, explained, audited) for _ in range(2))
    lines = tuple(_line(words, c, is_first=c is audited.first) for c in audited.amounts)
    status = common_phrase(f"status_{explained.status}", language) if explained.status in _TOLD else ""
    problem = audited.outcome.problem
    found = audited.found
    causes, partly, fitted = _hypotheses(audited)
    grouped, groups_partly = _alike(causes), _alike(partly)
    rest = len(groups_partly) - MOST_PARTLY
    patient, told_patient = patient_side(audited, words)
    first = _of_bill(audited)
    rests = behind(audited, first, _agreed(audited)) if first is not None else None
    near = frozenset(tell.telling(rests.steps)[:MOST_BEHIND]) if rests is not None else frozenset()
    view = AuditView(
        language=language,
        episode=str(audited.subject.bill["episode_id"]),
        title=phrase("title", language, audited.subject.bill["episode_id"]),
        rulebook=(explained.title or explained.rulebook) + words.aside(f"{explained.rulebook} {explained.version}"),
        amounts=lines,
        summary=_summary(audited, language),
        first=next((line for line in lines if line.is_first), None),
        rule=tell.rule(audited.first.charged) if audited.first is not None else None,
        refused=phrase("refused", language, problem.code, problem.message) if problem is not None else "",
        tried=_tried(found, language) if found is not None else "",
        causes=tuple(tell.cause(own, tell.explains(own[0])) for own in grouped),
        likely=sum(own[0].change.weight == causes[0].change.weight for own in grouped),
        no_cause=tell.no_cause(),
        only_one=phrase("only_one", language) if found is not None and len(audited.amounts) == 1 else "",
        partly=tuple(tell.cause(own, tell.partly(own[0])) for own in groups_partly[:MOST_PARTLY]),
        more_partly=phrase("more_partly", language, rest) if rest > 0 else "",
        fitted=tuple(tell.cause([h], tell.explains(h)) for h in fitted),
        unread=_untried(audited, words),
        checks=tuple(_finding(c, words, language) for c in explained.checks),
        assumptions=explained.assumptions,
        sources=(),
        status=status,
        evidence=explained.status,
        is_fine=audited.first is None and not explained.complains,
        patient=patient,
        told_patient=told_patient,
        contradictions=contradictions(audited, words),
        reversal=phrase("reversal", language, audited.outcome.reverses) if audited.outcome.reverses else "",
        behind=(*(further.step(s, s.label) for s in explained.steps if s.name in near), *further.parts(first)),
        letter_sources=(),
        more_behind=len(tell.telling(rests.steps)) - len(near) if rests is not None else 0,
        facts=rests.inputs if rests is not None else frozenset(),
    )
    own = tuple(s for s in explained.sources if s[0] in tell.named)
    all_ = tuple(s for s in explained.sources if s[0] in tell.named | further.named)
    return replace(view, sources=own, letter_sources=all_)


_TOLD = ("fictional", "illustrative", "unmarked")


def explanation_of(audited: Audited, language: str, *, grouped: bool = True) -> Explanation:
    """The bill explained as the rules have it."""
    recorder = audited.computed.recorder
    assert recorder is not None  # noqa: S101 - audits are computed with one
    order = {call.key: at for at, call in enumerate(window_calls(audited.subject.plan))}
    assumed = {call for one in (recorder, *recorder.rows.values()) for call in one.assumed}
    return explain(
        audited.subject.plan,
        audited.outcome,
        recorder,
        language=language,
        grouped=grouped,
        assumptions=tuple(sorted(assumed, key=lambda call: order.get(call, len(order)))),
        defaulted=audited.subject.records[-1].defaulted,
    )


def cites(words: Words) -> tuple[str, ...]:
    """Citations as texts, each once."""
    return tuple(dict.fromkeys(cited(words)))


def _untried(audited: Audited, words: Sentences) -> tuple[str, ...]:
    """What the search left out: rulebooks under which the bill cannot be read, fields of long lists."""
    found = audited.found
    if found is None:
        return ()
    notes = [phrase("unread", words.language, o.name, o.problem) for o in found.unread]
    for spec in found.in_part:
        label = words.wording.words(spec.label) or spec.name
        notes.append(phrase("in_part", words.language, label, len(audited.subject.rows(spec.name))))
    return tuple(notes)


def _summary(audited: Audited, language: str) -> str:
    if audited.first is not None:
        return ""
    within = sum(a.verdict == "within" for a in audited.amounts)
    one = "_1" if len(audited.amounts) == 1 else ""
    return phrase(f"all_within{one}" if within else f"all_equal{one}", language, len(audited.amounts), within)


def _tried(found: Found, language: str) -> str:
    """How many changes were tried, and how many of those that are told give what; figures put in are told apart."""
    real = [h for h in found.hypotheses if h.change.kind is not Kind.FITTED]
    every, part = sum(h.is_cause for h in real), sum(not h.explains_all for h in real)
    thin = sum(h.explains_all and h.is_thin for h in real)
    says = [phrase("tried_all_1" if every == 1 else "tried_all", language, every)] if every else []
    if part:
        key = "tried_part" if every else "tried_part_alone_1" if part == 1 else "tried_part_alone"
        says.append(phrase(key, language, part))
    says += [phrase("tried_thin", language, thin)] if thin else []
    between = "，" if language == "zh" else ", "
    return phrase("tried", language, found.count, between.join(says) or phrase("tried_none", language))


def _agreed(audited: Audited) -> list[str]:
    """The steps that are charged as the rules have them."""
    return [a.charged.of.name for a in audited.amounts if a.verdict == "equal" and not a.charged.of.level]


def _of_bill(audited: Audited) -> ChargedAmount | None:
    """The first amount that differs, where it is one of the bill and was computed by a rule."""
    first = audited.first
    if first is None or first.charged.of.level or audited.outcome.reverses or first.verdict == "absent":
        return None
    return first.charged


def _line(words: Sentences, c: Compared, *, is_first: bool) -> AmountLine:
    apart = c.difference
    shown = words.wording.figure(abs(apart), c.charged.of.type) if apart else ""
    sign = "more" if apart is not None and apart > 0 else "less" if apart is not None and apart < 0 else ""
    return AmountLine(
        name=c.charged.of.name,
        row=f"{c.charged.of.level} {c.charged.row}" if c.charged.of.level else "",
        label=words.label(c.charged),
        charged=words.amount(c.charged, c.charged.charged),
        ours="" if c.verdict == "absent" else words.amount(c.charged, c.ours),
        difference=("+" if sign == "more" else "-") + shown if shown else "",
        verdict=phrase(c.verdict, words.language),
        sign=sign,
        is_first=is_first,
    )


def _hypotheses(audited: Audited) -> tuple[list[Hypothesis], list[Hypothesis], list[Hypothesis]]:
    """The causes, the changes that explain only some amounts, and fitted figures that explain all (where nothing else does)."""
    all_ = audited.found.hypotheses if audited.found is not None else ()
    causes = [h for h in all_ if h.is_cause]
    fitted = [h for h in all_ if h.explains_all and h.change.kind is Kind.FITTED] if not causes else []
    partly = [h for h in all_ if not h.explains_all and h.change.weight < 10] if not causes else []
    return causes, partly, fitted


_ALONE = frozenset(
    {Kind.BRANCH, Kind.BOUND, Kind.BANDS, Kind.VERSION, Kind.EARLIER_MORE, Kind.EARLIER_OUT, Kind.RULEBOOK}
)


def _alike(hypotheses: Sequence[Hypothesis]) -> list[list[Hypothesis]]:
    """Changes of one and the same thing that explain the same amounts, together, in the order of the first of each."""
    found: dict[object, list[Hypothesis]] = {}
    for at, h in enumerate(hypotheses):
        c = h.change
        key: object = (c.kind, c.level, c.row, c.name, c.throughout, h.reproduced) if c.kind not in _ALONE else at
        if c.kind is Kind.EARLIER_MORE or (c.kind is Kind.OPENING and c.now == 1 and c.was in (None, 0)):
            key = (Kind.EARLIER_MORE, h.reproduced)  # an episode before it, told in several ways
        found.setdefault(key, []).append(h)
    return list(found.values())


class _Tell:
    """Writes rules and changes down; `named` takes up the sources that citations name."""

    def __init__(self, words: Sentences, x: Explanation, audited: Audited) -> None:
        self.words, self.x, self.audited = words, x, audited
        self.teller = Teller.of(x, words.language, "steps")
        self.named: set[str] = set()

    def cited(self, cite: tuple[str, ...]) -> str:
        """Citations by the titles of their sources."""
        self.named.update(c.partition(", ")[0] for c in cite)
        told = self.teller.cited(cite)
        return told.replace(", ", "，") if self.words.language == "zh" else told

    def cause(self, alike: Sequence[Hypothesis], note: str) -> CauseLine:
        """A change in a sentence, with the other values that do the same."""
        first, *others = alike
        language = self.words.language
        before = [h for h in alike if h.change.kind is Kind.EARLIER_MORE]
        if before and len(alike) > 1:
            # An episode before it, told in several ways, is one thing: the one that says least is said.
            first, others = max(before, key=lambda h: h.change.number), []
        values = dict.fromkeys(self.words.now(h.change) for h in others)
        also = phrase("also", language, ("；" if language == "zh" else "; ").join(values)) if values else ""
        inexact = self.explains(first) if first.within else ""
        cite = self.cited(cites(first.change.cite))
        return CauseLine(self.words.told(first), note, cite, also, inexact)

    def explains(self, h: Hypothesis) -> str:
        """That every charged amount comes out; within the tolerance, what does."""
        words, amounts = self.words, self.audited.amounts
        if not h.within:
            return phrase("all_reproduced", words.language)
        told = [f"{words.label(amounts[at].charged)} {words.amount(amounts[at].charged, v)}" for at, v in h.within]
        return phrase("all_within_tolerance", words.language, ("，" if words.language == "zh" else ", ").join(told))

    def no_cause(self) -> str:
        """That nothing explains all amounts; a wrong digit that would, for what it is."""
        found, language = self.audited.found, self.words.language
        if found is None or found.causes:
            return ""
        thin = [h for h in found.hypotheses if h.explains_all and h.is_thin]
        if not thin:
            return phrase("no_cause", language)
        told = ("" if language == "zh" else " ").join(self.words.told(h) for h in thin[:MOST_THIN])
        return phrase("thin", language, told)

    def telling(self, names: Sequence[str]) -> list[str]:
        """Those steps that are not nothing."""
        shown = {s.name: s.shown for s in self.x.steps}
        return [n for n in names if n in shown and not is_zero(shown[n])]

    def step(self, step: StepLine, label: str) -> RuleLine:
        """How the rules come to a step."""
        item = self.teller.step(step, "step")
        if self.words.language == "zh" and item.qualifier:
            item = replace(item, label=f"{item.label}（{item.qualifier}）", qualifier="")
        known = tuple(dict.fromkeys(self._used(u, step.cite) for u in step.used))
        cite = self.cited(step.cite)
        bands = tuple(self._band(r) for b in step.bands for r in b.lines)
        how = step.rounding if self.words.language == "zh" else f"rounded {step.rounding}"
        rounded = f"{step.exact}, {how}" if step.exact and step.rounding else ""
        status = self._status(step.status)
        return RuleLine(
            label, step.formula, step.figures, step.shown, step.because, known, cite, item, bands, status, rounded
        )

    def parts(self, amount: ChargedAmount | None) -> list[RuleLine]:
        """How the parts of a total come about that are no steps as they stand and not nothing."""
        steps = {s.name for s in self.x.steps}
        found = []
        for partition in self.x.shares[:1] if amount is not None else ():
            for part, told in zip(partition.parts, self.teller.shares(partition).parts, strict=True):
                name = amount.of.name if amount is not None else ""
                if (
                    f"{part.bearer}_pays" == name
                    and part.part
                    and part.formula not in steps
                    and not is_zero(part.shown)
                ):
                    working = " ".join(told.working).removeprefix("= ")
                    working = working.replace(": ", "：", 1) if self.words.language == "zh" else working
                    label = part.label or part.part
                    value = part.shown
                    if part.exact:  # the working ends with the exact value and how it was rounded
                        working, value = f"{working}{'：' if self.words.language == 'zh' else ': '}{value}", ""
                    found.append(RuleLine(label, "", working, value, "", (), self.cited(part.cite), None))
        return found

    def _band(self, b: BandLine) -> str:
        return phrase("band", self.words.language, b.low, b.high, b.length, b.rate, b.amount)

    def _used(self, u: Used, known: tuple[str, ...]) -> str:
        """A value that was read; the sources that it names are listed."""
        self.named.update(c.partition(", ")[0] for c in u.cite if c not in known)
        told = self.teller.used(u, known)
        if self.words.language == "zh" and told.endswith(")"):
            return "（".join(told[:-1].rsplit(" (", 1)) + "）"
        return told

    def _status(self, status: str) -> str:
        return word(status, self.words.language) if status in _TOLD else ""

    def partly(self, h: Hypothesis) -> str:
        """Which charged amounts a change leaves unexplained."""
        words, amounts = self.words, self.audited.amounts
        missed = ("、" if words.language == "zh" else ", ").join(words.label(amounts[at].charged) for at in h.missed)
        return phrase("partly_told", words.language, len(h.reproduced), len(amounts), missed)

    def rule(self, first: ChargedAmount) -> RuleLine | None:
        """How the rules come to an amount."""
        words, name = self.words, first.of.name
        step = next((s for s in _steps(self.x, first) if s.name == name), None)
        if self.audited.outcome.reverses:
            return None  # no rule is applied to it
        if step is not None:
            return self.step(step, words.label(first))
        for partition in self.x.shares:
            for part in partition.parts:
                own = f"{part.bearer}.{part.part}" if part.part else part.bearer
                if name in (own, f"{partition.name}.{own}"):
                    formula = common_phrase("rest", words.language) if part.formula == "rest" else part.formula
                    cite = self.cited(part.cite)
                    return RuleLine(words.label(first), formula, part.figures, part.shown, "", (), cite, None)
            if name in dict(self.x.totals):
                parts = [p for p in partition.parts if f"{p.bearer}_pays" == name]
                value = words.wording.figure(sum((Fraction(p.amount) for p in parts), Fraction(0)), MONEY)
                formula, figures = (
                    " + ".join(texts) for texts in ([p.label or p.part for p in parts], [p.shown for p in parts])
                )
                return RuleLine(words.label(first), formula, figures, value, "", (), "", None)
        return None


def _finding(c: CheckLine, words: Sentences, language: str) -> FindingLine:
    """`warning, lines 2: sold above its purchase price; 12.00 > 10.00; amount 4.00`."""
    row = "/".join(value for _, value in c.row)
    where = words.row(c.level, row) if row else ""
    severity = phrase(c.severity, language)
    said = (
        phrase("finding_on", language, severity, where, c.say)
        if where
        else phrase("finding", language, severity, c.say)
    )
    figures = (
        c.figures if _FIGURES.fullmatch(c.figures) else ""
    )  # a condition that is no comparison of figures tells a layman nothing
    parts = [said, figures, phrase("finding_amount", language, c.shown) if c.amount is not None else ""]
    is_charge = c.severity == "error" or c.amount is not None
    return FindingLine(c.severity, ("；" if language == "zh" else "; ").join(p for p in parts if p), is_charge)


def _steps(x: Explanation, first: ChargedAmount) -> tuple[StepLine, ...]:
    if not first.of.level:
        return x.steps
    return tuple(
        s
        for own in x.lists
        if own.name == first.of.level
        for row in own.rows
        if row.key == first.row
        for s in row.steps
    )
