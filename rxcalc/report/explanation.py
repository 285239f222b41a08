"""The explanation of one episode, made from its outcome and its trace."""

from __future__ import annotations

from dataclasses import replace

from rxcalc.backends.base import Outcome
from rxcalc.lang.types import MONEY
from rxcalc.plan.nodes import Plan, PlanStep, weakest_evidence
from rxcalc.report.book import Book, Seen
from rxcalc.report.evidence import window_terms
from rxcalc.report.model import Explanation, RulesLine, WindowLine
from rxcalc.report.redacted import Hiding, HidingWording, redacted
from rxcalc.report.rows import RowsExplainer
from rxcalc.report.shares import partitions
from rxcalc.report.steps import StepExplainer, without_rule
from rxcalc.report.wording import Wording
from rxcalc.tracing.model import GroupKey, Recorder


def explain(
    plan: Plan,
    outcome: Outcome,
    recorder: Recorder,
    *,
    language: str = "en",
    grouped: bool = True,
    assumptions: tuple[str, ...] = (),
    defaulted: tuple[str, ...] = (),
    affected: tuple[str, ...] = (),
    hides: Hiding | None = None,
) -> Explanation:
    """The explanation of an outcome that was computed with `recorder`. `grouped` writes 1,300.00, else 1300.00.

    `hides` says which values are not shown.
    """
    wording = (
        Wording(language, plan.decimals, grouped=grouped)
        if hides is None
        else HidingWording(language, plan.decimals, hides, grouped=grouped)
    )
    book = Book(plan, wording, recorder.groups, _line_groups(plan, outcome, recorder))
    episode = StepExplainer(book, Seen(recorder, outcome.inputs.get(plan.effective_by), {}))
    rows = RowsExplainer(book, outcome, recorder)
    reverses = bool(outcome.reverses)
    refused = outcome.problem is not None
    found = Explanation(
        rulebook=plan.rulebook,
        version=plan.version,
        title=wording.words(plan.title),
        digest=plan.digest,
        status=_status(plan),
        currency=plan.currency,
        episode=tuple(
            (i.name, wording.words(i.label) or i.name, wording.input(i, outcome.inputs.get(i.name)))
            for i in plan.inputs
        ),
        steps=without_rule(book, "", outcome.steps) if reverses else episode.lines(),
        shares=() if refused else partitions(episode, plan.shares, outcome.shares, reverses=reverses),
        totals=() if refused else tuple((name, _result(book, outcome, name)) for name in plan.totals),
        outputs=() if refused else tuple((name, _result(book, outcome, name)) for name in plan.outputs),
        windows=_windows(book, recorder),
        assumptions=assumptions,
        sources=tuple((s.name, wording.words(s.title), s.status) for s in plan.sources),
        problem=outcome.problem,
        defaulted=defaulted,
        bases=tuple(base.file for base in plan.bases),
        lists=rows.lists(),
        groups=rows.groups(),
        checks=rows.checks(),
        incomplete=outcome.incomplete,
        rules=(
            RulesLine(plan.rulebook, plan.version, plan.file),
            *(RulesLine(base.rulebook, base.version, base.shown) for base in plan.bases),
        ),
    )
    found = replace(found, reverses=outcome.reverses, affected=affected)
    return found if hides is None else redacted(found, hides)


def _status(plan: Plan) -> str:
    """The weakest evidence of the rulebook's values; where all figures stand in its rules, that of its sources."""
    if any(count for _, count in plan.evidence):
        return weakest_evidence(plan)
    statuses = {source.status for source in plan.sources}
    return next((status for status in ("fictional", "illustrative", "sourced") if status in statuses), "")


def _line_groups(plan: Plan, outcome: Outcome, recorder: Recorder) -> dict[GroupKey, int]:
    """The groups inside the bill and how many lines each has."""
    return {
        (g.name, tuple(row.inputs.get(k.name) for k in g.keys)): len(
            recorder.rows.get((g.name, at), Recorder()).members
        )
        for g in plan.groups
        if g.inside
        for at, row in enumerate(outcome.lists.get(g.name, ()))
    }


def _result(book: Book, outcome: Outcome, name: str) -> str:
    """A step, total, part or part received as plain text."""
    if name in outcome.shares:
        return book.wording.plain(outcome.shares[name], MONEY) or ""
    result = next((r for r in book.results("") if r.name == name), None)
    type_ = result.type if isinstance(result, PlanStep) else MONEY
    return book.wording.plain(outcome.steps.get(name), type_) or ""


def _windows(book: Book, recorder: Recorder) -> tuple[WindowLine, ...]:
    """The window calls of the episode, each once, though several rules may make it."""
    found: dict[str, WindowLine] = {}
    for at, w in sorted(recorder.windows.items()):
        call = book.plan.calls[at]
        first, last = w.days or (None, None)
        found.setdefault(
            w.key,
            WindowLine(
                w.key, book.wording.figure(w.value, call.type), w.episodes, w.opening, str(first or ""), str(last or ""),
                call.function, book.wording.written(w.opened, call.type, "fraction") if w.opening else "",
                window_terms(book, at, w),
            ),
        )  # fmt: skip
    return tuple(found.values())
