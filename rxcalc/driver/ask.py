"""`explain --ask`: what a partial episode file says, and the episode file that an interview gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from rxcalc.bill.interview import Given, Interview, Interviewed, Kind, Rows
from rxcalc.bill.looking_back import Before
from rxcalc.bill.possible import Possible, point, union
from rxcalc.bill.subject import cell_diagnostic, read_record
from rxcalc.diagnostics.model import Sink
from rxcalc.examples.saved import scalar
from rxcalc.inputs import problems
from rxcalc.inputs.cells import CellProblem, CellReader
from rxcalc.inputs.episodes import EpisodeEntry, Fields
from rxcalc.inputs.groups import read_groups
from rxcalc.inputs.openings import openings
from rxcalc.inputs.records import Record, RecordReader, RowReader
from rxcalc.lang.types import CODE, CODES, TEXT, OneOf, Type
from rxcalc.plan.nodes import Plan, PlanInput, Value
from rxcalc.report.phrases_ask import phrase
from rxcalc.rulebook.document import Mapping as MappingNode
from rxcalc.rulebook.document import Node, Scalar, Sequence
from rxcalc.sampling.cells import writer_of
from rxcalc.source import NOWHERE

KEPT: Final = ("earlier", "so_far", "charged", "note")
"""What stands beside `episode:` and is written again as it was given."""
LOOKING_BACK: Final = (Kind.BEFORE, Kind.OPENING)
NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


def start(
    plan: Plan, entry: EpisodeEntry | None, sink: Sink, overrides: Mapping[str, str] | None = None, node: Node | None = None
) -> Interview | None:  # fmt: skip
    """An interview that begins with what an episode file says; None after reporting what is wrong with the file.

    `node` is the file as it was read: an empty `so_far: {}` in it says that nothing came before the bill.
    """
    if entry is None:
        fields = Fields({}, {}, NOWHERE)
        given = Given(_values(plan, _with(fields, overrides), sink))
    else:
        found = _given(plan, entry, sink, overrides or {})
        if found is None:
            return None
        given = found
        opened = node.get("so_far") if isinstance(node, MappingNode) else None
        if not given.past and isinstance(opened, MappingNode) and not opened.entries:
            given = replace(given, before=False)
    return None if sink.has_errors else Interview(Interviewed(plan), given)


def _given(plan: Plan, entry: EpisodeEntry, sink: Sink, overrides: Mapping[str, str]) -> Given | None:
    fields = _with(entry.episodes[-1][0], overrides)
    values = _values(plan, fields, sink)
    lists = {x.name: _rows(plan, fields, x.name) for x in plan.lists if x.name in fields.rows}
    reader = RecordReader(plan)
    read = [read_record(reader, plan, f, sink) for f in entry.earlier]
    opened = openings(entry, plan, sink)
    groups = read_groups(entry, plan, sink).results
    if sink.has_errors:
        return None
    earlier = tuple(r.values for r in read if r is not None)
    sequence = plan.sequence
    if earlier and sequence is not None:
        values.setdefault(sequence.by, earlier[-1][sequence.by])
    before = Before(earlier, opened)
    return Given(values, lists, _group_results(plan, groups), before, True if before else None)


def _values(plan: Plan, fields: Fields, sink: Sink) -> dict[str, Value]:
    """The inputs that a file gives; those that are required and empty are still to be asked."""
    for span, name in fields.misplaced_lists(plan):
        sink.add(problems.not_one_value(span, name))
    read = RecordReader(plan).read(fields.given())
    if not isinstance(read, Record):
        for problem in read:
            if problem.code != "RX704" or problem.row is not None:
                sink.add(cell_diagnostic(problem, fields))
    found: dict[str, Value] = {}
    for spec in plan.inputs:
        name = next((n for n in (spec.name, *spec.aliases) if n in fields.values), "")
        if not name:
            continue
        value = CellReader.of(spec, plan.currency).read(fields.values[name])
        if not isinstance(value, CellProblem):
            found[spec.name] = value
    return found


def _rows(plan: Plan, fields: Fields, name: str) -> Rows:
    spec = next(x for x in plan.lists if x.name == name)
    reader = RowReader(spec.inputs, plan.currency, name)
    wrong: list[CellProblem] = []  # told already with the whole record
    return tuple(reader.read(row.values, wrong)[0] for row in fields.rows[name])


def _group_results(plan: Plan, groups: Mapping[str, Rows]) -> dict[str, Possible]:
    """Results of groups by kind and field: of several groups of a kind, any of theirs."""
    found: dict[str, Possible] = {}
    for group in plan.groups:
        rows = [row for row in groups.get(group.name, ()) if row]
        defaults = {i.name: i.default for i in group.inputs if i.optional or i.default is not None}
        for name in dict.fromkeys(n for row in rows for n in (*defaults, *row)):
            values = [row[name] if name in row else defaults.get(name) for row in rows]
            known = [point(v) for v, row in zip(values, rows, strict=True) if name in row or name in defaults]
            found[f"{group.name}.{name}"] = union([*known, *([point(None)] if len(rows) > 1 else [])])
    return found


def _with(fields: Fields, overrides: Mapping[str, str] | None) -> Fields:
    """The fields with those given on the command line."""
    if not overrides:
        return fields
    places = dict.fromkeys(overrides, NOWHERE)
    values, spans, keys = ({**fields.values, **overrides}, {**fields.spans, **places}, {**fields.keys, **places})
    return replace(fields, values=values, spans=spans, keys=keys)


# ---- the file ----


@dataclass(frozen=True)
class Written:
    """An episode file. `kept` is how many of the answers stand in it; `again` whether what came before is asked again."""

    text: str
    kept: int
    again: bool


def written(
    interview: Interview,
    rulebook: str,
    node: Node | None,
    language: str,
    filled: Mapping[str, Value],
    charged: Mapping[str, str] = NOTHING,
) -> Written:
    """The episode file of what was answered; what else the file at the beginning held is written again.

    `filled` are required inputs that are entered without being asked, `charged` what the paper says, as it says it.
    Amounts of earlier bills are kept as soon as they are complete: a file that gives some of them says by that that the
    others are nothing.
    """
    plan = interview.of.plan
    lines = [f"rulebook: {scalar(rulebook)}", "episode:"]
    values = {**interview.values, **filled}
    for spec in plan.inputs:
        if spec.name not in values or _says_nothing(interview, spec, values[spec.name]):
            continue
        text = cell_text(plan, spec.type, spec.decimals, values[spec.name])
        comment = f"  # {phrase('comment_filled', language)}" if spec.name in filled else ""
        lines.append(f"  {spec.name}: {text}{comment}")
    if lines[-1] == "episode:":
        lines[-1] = "episode: {}"
    for x in plan.lists:
        rows = interview.lists.get(x.name)
        if rows is None:
            continue
        lines.append(f"{x.name}:" if rows else f"{x.name}: []")
        for row in rows:
            cells = (
                f"{i.name}: {cell_text(plan, i.type, i.decimals, row[i.name])}"
                for i in x.inputs
                if row.get(i.name) is not None
            )
            lines.append(f"  - {{{', '.join(cells)}}}")
    kept = _kept(node)
    opened = [f"  {scalar(k)}: {cell_text(plan, interview.of.openings[k].type, plan.decimals, v)}" for k, v in interview.openings.items() if v is not None]  # fmt: skip
    again = any(q.kind in LOOKING_BACK for q, _ in interview.history) and any(
        name.startswith("so_far:") for name in interview.bounds.open
    )
    if interview.before is False:
        lines += [] if "so_far" in kept else [f"so_far: {{}}  # {phrase('comment_none_before', language)}"]
    elif again and opened:
        told = "; ".join(line.strip() for line in opened)
        lines.append(f"# {phrase('comment_incomplete', language, told)}")
    elif opened:
        lines += ["so_far:", *opened]
    groups = _groups(interview, node)
    lines += ["groups:", *(f"  {scalar(kind)}: {text}" for kind, text in groups.items())] if groups else []
    lines += [f"{key}: {text}" for key, text in kept.items()]
    lines += ["charged:", *(f"  {scalar(name)}: {scalar(text)}" for name, text in charged.items())] if charged else []
    stand = [a for q, a in interview.history if a.known and not (again and q.kind in LOOKING_BACK)]
    return Written("\n".join(lines) + "\n", len(stand), again)


def _groups(interview: Interview, node: Node | None) -> dict[str, str]:
    """Results of groups by kind, those of the file at the beginning and those answered."""
    given = node.get("groups") if isinstance(node, MappingNode) else None
    rows = {e.key.text: e.value for e in given.entries} if isinstance(given, MappingNode) else {}
    answered: dict[str, dict[str, str]] = {}
    for (kind, name), value in interview.groups.items():
        of = interview.of.groups[kind, name].type
        answered.setdefault(kind, {})[name] = cell_text(interview.of.plan, of, 0, value)
    found: dict[str, str] = {}
    for kind in dict.fromkeys((*rows, *answered)):
        row = rows.get(kind)
        cells = {e.key.text: _flow(e.value) for e in row.entries} if isinstance(row, MappingNode) else {}
        if row is not None and not isinstance(row, MappingNode):
            found[kind] = _flow(row)
        else:
            both = {**cells, **answered.get(kind, {})}
            found[kind] = "{" + ", ".join(f"{scalar(n)}: {text}" for n, text in both.items()) + "}"
    return found


def _says_nothing(interview: Interview, spec: PlanInput, value: Value) -> bool:
    """Whether an input is missing by assumption only, not by an answer or the file."""
    asked = any(q.name == spec.name for q, _ in interview.history)
    return value is None and not asked and spec.name not in interview.given.values


def cell_text(plan: Plan, of: Type, decimals: int, value: Value) -> str:
    """A value as an episode file holds it."""
    if value is None:
        return "null"
    text = writer_of(of, min(plan.decimals, decimals))(value)
    return scalar(text) if of in (CODE, CODES, TEXT) or isinstance(of, OneOf) else text


def _kept(node: Node | None) -> dict[str, str]:
    """What else the file at the beginning held, as flow text."""
    if not isinstance(node, MappingNode):
        return {}
    return {e.key.text: _flow(e.value) for e in node.entries if e.key.text in KEPT}


def _flow(node: Node) -> str:
    match node:
        case Scalar():
            return "null" if node.is_null else scalar(node.text)
        case Sequence():
            return f"[{', '.join(map(_flow, node.items))}]"
        case MappingNode():
            return "{" + ", ".join(f"{scalar(e.key.text)}: {_flow(e.value)}" for e in node.entries) + "}"
