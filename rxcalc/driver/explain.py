"""One episode file explained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from rxcalc.backends.base import Outcome, Problem
from rxcalc.bill.subject import Subject, all_fields, compute, read_subject
from rxcalc.diagnostics.model import Diagnostic, Label, Severity, Sink
from rxcalc.examples.saved import scalar
from rxcalc.inputs.by_hand import is_parameter, set_by_hand
from rxcalc.inputs.cells import CellProblem
from rxcalc.inputs.episodes import EpisodeEntry, Fields
from rxcalc.plan.nodes import Plan, PlanInput
from rxcalc.report.explanation import explain
from rxcalc.report.model import Explanation
from rxcalc.report.phrases import phrase
from rxcalc.report.redacted import Hiding, hiding
from rxcalc.report.wording import in_language, in_one_line
from rxcalc.source import NOWHERE
from rxcalc.tracing.model import Recorder


@dataclass(frozen=True)
class Missing:
    """The required inputs that an episode lacks, as a template to fill in."""

    names: tuple[str, ...]
    template: str


def explain_entry(
    plan: Plan,
    entry: EpisodeEntry,
    sink: Sink,
    *,
    language: str = "en",
    grouped: bool = True,
    overrides: Mapping[str, str] | None = None,
) -> tuple[Explanation, ...] | Missing | None:
    """The explanations of an entry's episodes; `Missing` when inputs lack; None after other problems (in the sink)."""
    given = given_bill(plan, entry, sink, language=language, overrides=overrides)
    return given.explained(language, grouped=grouped) if isinstance(given, GivenBill) else given


@dataclass(frozen=True)
class GivenBill:
    """A bill ready to be computed, with what was set by hand, as readers are told."""

    subject: Subject
    by_hand: tuple[str, ...]

    def explained(self, language: str = "en", *, grouped: bool = True, redact: bool = False) -> tuple[Explanation, ...]:
        """The explanations of the episodes that are not `earlier` ones, the bill last; with `redact` fit to be shown to others."""
        hides = _hiding(self.subject) if redact else None
        results = explain_subject(self.subject, language, grouped=grouped, hides=hides)
        return (*results[:-1], replace(results[-1], set_by_hand=self.by_hand)) if self.by_hand else results


def given_bill(
    plan: Plan,
    entry: EpisodeEntry,
    sink: Sink,
    *,
    language: str = "en",
    overrides: Mapping[str, str] | None = None,
    redact: bool = False,
) -> GivenBill | Missing | None:
    """The bill of an entry, checked; `overrides` are inputs of the last episode and parameters (`parameter.NAME.KEY`).

    `Missing` when inputs lack, with `redact` without those that are there; None after other problems (in the sink).
    """
    fields = {name: text for name, text in (overrides or {}).items() if not is_parameter(name)}
    parameters = {name: text for name, text in (overrides or {}).items() if is_parameter(name)}
    if wrong := next((name for name in fields if name.partition(".")[0] in {x.name for x in plan.lists}), ""):
        sink.add(
            _by_hand_problem(
                "RX745",
                f"{wrong}: only fields of the episode and parameters can be set by hand; change the rows of a list in the file",
            )
        )
        return None
    subject = read_subject(plan, entry, sink, fields)
    if subject is None:
        given = all_fields(entry, fields)
        lacking = [name for f in given for name in _lacking(plan, f)]
        return (
            Missing(tuple(dict.fromkeys(lacking)), template(plan, None if redact else given[-1], language))
            if lacking
            else None
        )
    if not parameters:
        return GivenBill(subject, tuple(fields))
    on = subject.bill[plan.effective_by]
    assert isinstance(on, date)  # noqa: S101 - `effective: {by: ..}` is a date input
    found = set_by_hand(plan, parameters, on)
    if isinstance(found, CellProblem):
        sink.add(_by_hand_problem(found.code, found.message))
        return None
    changed, changes = found
    told = (f"{c.path} = {c.now} ({phrase('in_place_of', language)} {c.was})" for c in changes)
    return GivenBill(subject.with_plan(changed), (*fields, *told))


def _by_hand_problem(code: str, message: str) -> Diagnostic:
    """What is wrong with something set by hand, which stands in no file."""
    return Diagnostic(code=code, severity=Severity.ERROR, message=message, primary=Label(span=NOWHERE))


def _hiding(subject: Subject) -> Hiding:
    """What is hidden by the key of the environment, so that runs fit together, else by one made for this run."""
    from rxcalc.tabular.redaction import Redaction, ids_of

    redaction = Redaction.made()
    return hiding(subject.plan, [r.values for r in subject.records], ids_of(subject.plan), redaction.pseudonym)


def explain_subject(
    subject: Subject, language: str = "en", *, grouped: bool = True, hides: Hiding | None = None
) -> tuple[Explanation, ...]:
    """The explanations of the episodes that are not `earlier` ones, the bill last."""
    plan = subject.plan
    computed = compute(subject, recording=True)
    refused = {
        str(subject.records[at].values["episode_id"]): ran.outcome.problem
        for at, ran in enumerate(computed.all)
        if ran.outcome is not None and ran.outcome.problem is not None
    }
    return tuple(
        explain(
            plan,
            with_cause(ran.outcome, refused),
            computed.recorders[at],
            language=language,
            grouped=grouped,
            assumptions=assumptions(plan, computed.recorders[at]),
            defaulted=subject.records[at].defaulted,
            affected=ran.affected,
            hides=hides,
        )
        for at, ran in enumerate(computed.all)
        if at >= subject.earlier and ran.outcome is not None
    )


def with_cause(outcome: Outcome, refused: Mapping[str, Problem]) -> Outcome:
    """The outcome; where it was refused because of an earlier episode, with why that one was."""
    told = found = outcome.problem
    seen: set[str] = set()
    while found is not None and found.code == "RX811" and found.value in refused and found.value not in seen:
        name = found.value
        seen.add(name)
        found = refused[name]
        if found.code != "RX811":
            message = f"{told.message}. `{name}` was refused with {found.code}: {found.message}" if told else ""
            return replace(outcome, problem=replace(told, message=message)) if told else outcome
    return outcome


def assumptions(plan: Plan, recorder: Recorder) -> tuple[str, ...]:
    """The window calls that were read and count as nothing before the first episode, in the rulebook's order."""
    order = {call.key: at for at, call in enumerate(plan.calls)}
    assumed = [call for one in (recorder, *recorder.rows.values()) for call in one.assumed]
    return tuple(sorted(dict.fromkeys(assumed), key=lambda call: order.get(call, len(order))))


def _lacking(plan: Plan, fields: Fields) -> list[str]:
    return [
        i.name
        for i in plan.inputs
        if not i.optional and i.default is None and not (fields.values.get(i.name) or "").strip()
    ]


EXAMPLES: Final = {
    "money": "1234.50", "percent": "85%", "number": "1.25", "count": "3", "days": "5", "date": "2025-03-07", "flag": "yes or no",
    "code": "any text", "codes": "[A01, B02]", "text": "any text", "money per day": "120.00", "months": "6", "years": "40",
}  # fmt: skip


def template(plan: Plan, fields: Fields | None = None, language: str = "en") -> str:
    """The episode with every declared input, ready to be filled in."""
    lines = [f"rulebook: {plan.rulebook}", "episode:"]
    for i in plan.inputs:
        given = fields.values if fields is not None else {}
        value = next((given[name] for name in (i.name, *i.aliases) if name in given), None)
        lines.append(f"  {i.name}: {scalar(value) if value else ''}".rstrip() + f"    # {_about(i, language)}")
    for spec in plan.lists:
        need = "at least one row" if spec.required else "none: []"
        lines.append(f"{spec.name}:    # one item for each row; {need}")
        for at, i in enumerate(spec.inputs):
            lines.append(f"  {'-' if at == 0 else ' '} {i.name}:    # {_about(i, language)}")
    from rxcalc.plan.columns.together import kinds_read

    read = kinds_read(plan)
    if read:
        lines.append("groups:    # results that the bill reads, as settled")
        lines += [f"  {name}: {{}}" for name in read]
    return "\n".join(lines) + "\n"


def _about(i: PlanInput, language: str) -> str:
    """What belongs into a field of a template."""
    about = " or ".join(v.name for v in i.values) if i.values else f"e.g. {EXAMPLES.get(str(i.type), str(i.type))}"
    if str(i.type) == "flag":
        about = "yes or no"
    default = ("no", "yes")[i.default] if isinstance(i.default, bool) else i.default
    need = "optional" if i.optional else f"without it {default}" if default is not None else "required"
    return "; ".join(t for t in (in_one_line(in_language(i.label, language)), about, need) if t)
