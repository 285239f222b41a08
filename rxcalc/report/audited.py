"""An audit ready to be shown: every text in the reader's language, nothing escaped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from rxcalc.bill.audit import Audited, Compared
from rxcalc.bill.changes import Kind
from rxcalc.bill.charged import ChargedAmount
from rxcalc.bill.search import Hypothesis
from rxcalc.inputs.openings import window_calls
from rxcalc.lang.types import MONEY
from rxcalc.plan.nodes import Words
from rxcalc.report.audit_words import Sentences, phrase
from rxcalc.report.explanation import explain
from rxcalc.report.model import CheckLine, Explanation, StepLine
from rxcalc.report.outline_model import Item
from rxcalc.report.outline_steps import Teller
from rxcalc.report.phrases import phrase as common_phrase
from rxcalc.report.wording import cited

MOST_PARTLY = 6
"""How many changes that explain only some amounts are written out for a reader; files hold all."""


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


@dataclass(frozen=True)
class CauseLine:
    """A change in a sentence. `note` says what else it explains, `cite` where the rule that it is about stands."""

    sentence: str
    note: str
    cite: str


@dataclass(frozen=True)
class FindingLine:
    """A finding of the rulebook's checks as one text, with its figures and the amount concerned."""

    severity: str
    text: str


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


def audit_view(audited: Audited, language: str = "en") -> AuditView:
    """The audit in a language."""
    words = Sentences(audited, language)
    explained = explanation_of(audited, language)
    tell = _Tell(words, explained, audited)
    lines = tuple(_line(words, c, is_first=c is audited.first) for c in audited.amounts)
    status = common_phrase(f"status_{explained.status}", language) if explained.status in _TOLD else ""
    problem = audited.outcome.problem
    found = audited.found
    causes, partly, fitted = _hypotheses(audited)
    grouped, groups_partly = _alike(causes), _alike(partly)
    rest = len(groups_partly) - MOST_PARTLY
    explains = phrase("all_reproduced", language)
    view = AuditView(
        language=language,
        episode=str(audited.subject.bill["episode_id"]),
        title=phrase("title", language, audited.subject.bill["episode_id"]),
        rulebook=f"{explained.title or explained.rulebook} ({explained.rulebook} {explained.version})",
        amounts=lines,
        summary=_summary(audited, language),
        first=next((line for line in lines if line.is_first), None),
        rule=tell.rule(audited.first.charged) if audited.first is not None else None,
        refused=phrase("refused", language, problem.code, problem.message) if problem is not None else "",
        tried=phrase("tried", language, found.count, len(found.hypotheses), len(causes)) if found is not None else "",
        causes=tuple(tell.cause(own, explains) for own in grouped),
        likely=sum(own[0].change.weight == causes[0].change.weight for own in grouped),
        no_cause=phrase("no_cause", language) if found is not None and not causes else "",
        only_one=phrase("only_one", language) if found is not None and len(audited.amounts) == 1 else "",
        partly=tuple(tell.cause(own, tell.partly(own[0])) for own in groups_partly[:MOST_PARTLY]),
        more_partly=phrase("more_partly", language, rest) if rest > 0 else "",
        fitted=tuple(tell.cause([h], explains) for h in fitted),
        unread=_untried(audited, words),
        checks=tuple(_finding(c, words, language) for c in explained.checks),
        assumptions=explained.assumptions,
        sources=(),
        status=status,
        evidence=explained.status,
        is_fine=audited.first is None and not explained.complains,
    )
    return replace(view, sources=tuple(s for s in explained.sources if s[0] in tell.named))


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
    return phrase("all_within" if within else "all_equal", language, len(audited.amounts), within)


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
    fitted = [h for h in all_ if h.explains_all and not h.is_cause] if not causes else []
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
        key = (c.kind, c.level, c.row, c.name, c.throughout, h.reproduced) if c.kind not in _ALONE else at
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
        return self.teller.cited(cite)

    def cause(self, alike: Sequence[Hypothesis], note: str) -> CauseLine:
        """A change in a sentence, with the other values that do the same."""
        first, *others = alike
        language = self.words.language
        also = dict.fromkeys(self.words.now(h.change) for h in others)
        if also:
            listed = phrase("also", language, ("；" if language == "zh" else "; ").join(also))
            note = f"{note}{listed}" if language == "zh" else f"{note} {listed}"
        return CauseLine(self.words.sentence(first.change), note, self.cited(cites(first.change.cite)))

    def partly(self, h: Hypothesis) -> str:
        """Which charged amounts a change leaves unexplained."""
        words, amounts = self.words, self.audited.amounts
        missed = ("、" if words.language == "zh" else ", ").join(words.label(amounts[at].charged) for at in h.missed)
        return phrase("partly_told", words.language, len(h.reproduced), len(amounts), missed)

    def rule(self, first: ChargedAmount) -> RuleLine | None:
        """How the rules come to an amount."""
        words, name = self.words, first.of.name
        step = next((s for s in _steps(self.x, first) if s.name == name), None)
        if step is not None:
            item = self.teller.step(step, "step")
            used = tuple(dict.fromkeys(f"{u.name} = {u.value}" for u in step.used))
            label = words.label(first)
            return RuleLine(
                label, step.formula, step.figures, step.shown, step.because, used, self.cited(step.cite), item
            )
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
    parts = [said, c.figures, phrase("finding_amount", language, c.shown) if c.amount is not None else ""]
    return FindingLine(c.severity, ("；" if language == "zh" else "; ").join(p for p in parts if p))


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
