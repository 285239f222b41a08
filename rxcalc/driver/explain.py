"""One episode file explained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from rxcalc.bill.subject import Subject, all_fields, compute, read_subject
from rxcalc.diagnostics.model import Sink
from rxcalc.inputs.episodes import EpisodeEntry, Fields
from rxcalc.plan.nodes import Plan, PlanInput
from rxcalc.report.explanation import explain
from rxcalc.report.model import Explanation
from rxcalc.report.wording import in_language
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
    given = all_fields(entry, overrides)
    subject = read_subject(plan, entry, sink, overrides)
    if subject is None:
        lacking = [name for f in given for name in _lacking(plan, f)]
        return Missing(tuple(dict.fromkeys(lacking)), template(plan, given[-1], language)) if lacking else None
    results = explain_subject(subject, language, grouped=grouped)
    return (*results[:-1], replace(results[-1], set_by_hand=tuple(overrides))) if overrides else results


def explain_subject(subject: Subject, language: str = "en", *, grouped: bool = True) -> tuple[Explanation, ...]:
    """The explanations of the episodes that are not `earlier` ones, the bill last."""
    plan = subject.plan
    computed = compute(subject, recording=True)
    return tuple(
        explain(
            plan,
            ran.outcome,
            computed.recorders[at],
            language=language,
            grouped=grouped,
            assumptions=assumptions(plan, computed.recorders[at]),
            defaulted=subject.records[at].defaulted,
            affected=ran.affected,
        )
        for at, ran in enumerate(computed.all)
        if at >= subject.earlier and ran.outcome is not None
    )


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
        value = fields.values.get(i.name) if fields is not None else None
        lines.append(f"  {i.name}: {value if value is not None else ''}".rstrip() + f"    # {_about(i, language)}")
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
    return "; ".join(t for t in (in_language(i.label, language), about, need) if t)
