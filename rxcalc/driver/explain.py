"""One episode file explained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from rxcalc.backends.base import Row
from rxcalc.backends.exact import Exact
from rxcalc.backends.exact_groups import run_all
from rxcalc.backends.history import Opening
from rxcalc.diagnostics.model import Diagnostic, Label, Severity, Sink
from rxcalc.inputs import problems
from rxcalc.inputs.cells import CellProblem
from rxcalc.inputs.episodes import EpisodeEntry, Fields
from rxcalc.inputs.groups import GivenGroups, read_groups
from rxcalc.inputs.openings import openings
from rxcalc.inputs.records import Record, RecordReader
from rxcalc.plan.nodes import Plan, PlanInput, Value
from rxcalc.report.explanation import explain
from rxcalc.report.model import Explanation
from rxcalc.report.wording import in_language
from rxcalc.source import NOWHERE, Span
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
    reader = RecordReader(plan)
    given = [*entry.earlier, *(f for f, _ in entry.episodes)]
    if overrides:
        last = given[-1]
        spans = {name: span for name, span in last.spans.items() if name not in overrides}
        given[-1] = replace(
            last, values={**last.values, **overrides}, spans={**spans, **dict.fromkeys(overrides, NOWHERE)}
        )
    read = [_record(reader, plan, f, sink) for f in given]
    opening_values = openings(entry, plan, sink)
    if any(r is None for r in read):
        lacking = [name for f in given for name in _lacking(plan, f)]
        return Missing(tuple(dict.fromkeys(lacking)), template(plan, given[-1], language)) if lacking else None
    records = [r for r in read if r is not None]
    groups = read_groups(entry, plan, sink)
    _check_earlier(plan, records, given, len(entry.earlier), sink, several=entry.several)
    if sink.has_errors:
        return None
    results = _run(plan, records, len(entry.earlier), opening_values, groups, language, grouped=grouped)
    return (*results[:-1], replace(results[-1], set_by_hand=tuple(overrides))) if overrides else results


def _run(
    plan: Plan,
    records: list[Record],
    hidden: int,
    opening_values: Mapping[str, Value],
    groups: GivenGroups,
    language: str,
    *,
    grouped: bool,
) -> tuple[Explanation, ...]:
    exact = Exact(plan, recording=True)
    recorders = {at: Recorder() for at in range(len(records))}
    rows = [Row(at, str(record.values["episode_id"]), record.values) for at, record in enumerate(records)]
    opening = Opening(opening_values, single=len(records) == 1)
    owners = {record.values[plan.sequence.by] for record in records} if plan.sequence is not None else ()
    together = run_all(
        exact,
        rows,
        groups.inputs,
        given=groups.results,
        openings=dict.fromkeys(owners, opening),
        recorders=recorders,
    )
    return tuple(
        explain(
            plan,
            ran.outcome,
            recorders[at],
            language=language,
            grouped=grouped,
            assumptions=assumptions(plan, recorders[at]),
            defaulted=records[at].defaulted,
            affected=ran.affected,
        )
        for at, ran in enumerate(together.ran)
        if at >= hidden and ran.outcome is not None
    )


def assumptions(plan: Plan, recorder: Recorder) -> tuple[str, ...]:
    """The window calls that were read and count as nothing before the first episode, in the rulebook's order."""
    order = {call.key: at for at, call in enumerate(plan.calls)}
    assumed = [call for one in (recorder, *recorder.rows.values()) for call in one.assumed]
    return tuple(sorted(dict.fromkeys(assumed), key=lambda call: order.get(call, len(order))))


def _place(plan: Plan, record: Record) -> tuple[Value, ...]:
    assert plan.sequence is not None  # noqa: S101 - asked only then
    return tuple(record.values[name] for name in plan.sequence.order)


def _check_earlier(
    plan: Plan, records: list[Record], given: list[Fields], earlier: int, sink: Sink, *, several: bool
) -> None:
    for at, field, message, help_ in misplaced(plan, records, earlier, several=several):
        sink.add(problems.not_earlier(_at(given[at], field), message, help_))


def misplaced(
    plan: Plan, records: list[Record], earlier: int, *, several: bool = False
) -> list[tuple[int, str, str, str]]:
    """Listed episodes that are not one sequence in which the first `earlier` ones come first; of `several` sequences each.

    Each as its index, the field that shows it, what is wrong, and what to do.
    """
    found: list[tuple[int, str, str, str]] = []
    seen: set[Value] = set()
    for at, record in enumerate(records):
        episode_id = record.values["episode_id"]
        if episode_id in seen:
            found.append(
                (at, "episode_id", f"the id `{episode_id}` is given to two episodes", "give each bill its own id")
            )
        seen.add(episode_id)
    sequence = plan.sequence
    if sequence is None:
        return found
    bill = records[-1].values[sequence.by]
    first: dict[Value, tuple[Value, ...]] = {}
    for record in records[earlier:]:
        own = record.values[sequence.by]
        if several or own == bill:
            first[own] = min(first.get(own, _place(plan, record)), _place(plan, record))
    for at, record in enumerate(records):
        own = record.values[sequence.by]
        if own not in first:
            message = f"this episode belongs to {sequence.by} `{own}`, the bill to `{bill}`"
            found.append((at, sequence.by, message, "list only episodes of the same one, or correct the field"))
        elif at < earlier and _place(plan, record) >= first[own]:
            told = f"episodes are taken by {', '.join(sequence.order)}"
            found.append((at, sequence.order[0], "this episode does not come before the bill", told))
    return found


def _at(fields: Fields, name: str) -> Span:
    return fields.place(name)


def _record(reader: RecordReader, plan: Plan, fields: Fields, sink: Sink) -> Record | None:
    for span, name in fields.misplaced_lists(plan):
        sink.add(problems.not_one_value(span, name))
    read = reader.read(fields.given())
    if isinstance(read, Record):
        return read
    for problem in read:
        sink.add(cell_diagnostic(problem, fields))
    return None


def cell_diagnostic(problem: CellProblem, fields: Fields) -> Diagnostic:
    """A cell's problem at its place in the episode file."""
    span: Span = fields.place(problem.field, problem.row, of_key=problem.code == "RX745")
    return Diagnostic(code=problem.code, severity=Severity.ERROR, message=problem.message, primary=Label(span=span))


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
