"""One episode file explained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from rxcalc.backends.exact import Exact
from rxcalc.backends.history import Opening, keys_of, normal, run_sequence
from rxcalc.diagnostics.model import Diagnostic, Label, Severity, Sink
from rxcalc.inputs.cells import CellProblem
from rxcalc.inputs.episodes import EpisodeEntry, Fields, openings
from rxcalc.inputs.records import Record, RecordReader
from rxcalc.plan.nodes import Plan, Value
from rxcalc.report.explanation import Explanation, explain
from rxcalc.source import NOWHERE, Span
from rxcalc.tracing.model import Recorder


@dataclass(frozen=True, slots=True)
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
    read = [_record(reader, f, sink) for f in given]
    opening_values = openings(entry, plan, sink)
    if any(r is None for r in read):
        lacking = [name for f in given for name in _lacking(plan, f)]
        return Missing(tuple(dict.fromkeys(lacking)), template(plan, given[-1])) if lacking else None
    if sink.has_errors:
        return None
    records = [r for r in read if r is not None]
    results = _run(plan, records, len(entry.earlier), opening_values, language, grouped=grouped)
    return (*results[:-1], replace(results[-1], set_by_hand=tuple(overrides))) if overrides else results


def _run(
    plan: Plan, records: list[Record], hidden: int, opening_values: Mapping[str, Value], language: str, *, grouped: bool
) -> tuple[Explanation, ...]:
    exact = Exact(plan, recording=True)
    order = (
        sorted(range(len(records)), key=lambda at: _place(plan, records[at]))
        if plan.sequence is not None
        else list(range(len(records)))
    )
    ordered = [records[at] for at in order]
    recorders = [Recorder() for _ in ordered]
    assumed: set[str] = set()
    opening = Opening(opening_values, keys_of(plan, ordered[0].values), len(ordered) == 1)
    outcomes = run_sequence(exact, [r.values for r in ordered], opening, recorders, assumed)
    results: list[tuple[int, Explanation]] = []
    for at, record, outcome, recorder in zip(order, ordered, outcomes, recorders, strict=True):
        if at < hidden:
            continue
        calls = [w.key for _, w in sorted(recorder.windows.items())]
        assumptions = tuple(c for c in calls if c in assumed and normal(c) not in opening_values)
        results.append(
            (
                at,
                explain(
                    plan,
                    outcome,
                    recorder,
                    language=language,
                    grouped=grouped,
                    assumptions=assumptions,
                    defaulted=record.defaulted,
                ),
            )
        )
    return tuple(x for _, x in sorted(results, key=lambda r: r[0]))


def _place(plan: Plan, record: Record) -> tuple[Value, ...]:
    assert plan.sequence is not None  # noqa: S101 - asked only then
    return tuple(record.values[name] for name in plan.sequence.order)


def _record(reader: RecordReader, fields: Fields, sink: Sink) -> Record | None:
    read = reader.read(fields.values)
    if isinstance(read, Record):
        return read
    for problem in read:
        sink.add(cell_diagnostic(problem, fields))
    return None


def cell_diagnostic(problem: CellProblem, fields: Fields) -> Diagnostic:
    """A cell's problem at its place in the episode file."""
    span: Span = fields.spans.get(problem.field, fields.span)
    return Diagnostic(code=problem.code, severity=Severity.ERROR, message=problem.message, primary=Label(span=span))


def _lacking(plan: Plan, fields: Fields) -> list[str]:
    return [
        i.name
        for i in plan.inputs
        if not i.optional and i.default is None and not (fields.values.get(i.name) or "").strip()
    ]


def template(plan: Plan, fields: Fields) -> str:
    """The episode with every declared input, ready to be filled in."""
    lines = [f"rulebook: {plan.rulebook}", "episode:"]
    for i in plan.inputs:
        value = fields.values.get(i.name)
        about = str(i.type) if not i.values else " | ".join(v.name for v in i.values)
        need = "optional" if i.optional else f"default {i.default}" if i.default is not None else "required"
        lines.append(f"  {i.name}: {value if value is not None else ''}".rstrip() + f"    # {about}, {need}")
    return "\n".join(lines) + "\n"
