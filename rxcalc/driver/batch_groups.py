"""`--groups` and `--groups-out`: the inputs of groups that go across bills, and their results, one file a kind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rxcalc.driver.batch_exact import values_of
from rxcalc.driver.batch_report import BatchOptions, GroupReport
from rxcalc.inputs.groups import key_specs, result_specs
from rxcalc.lang.types import Type
from rxcalc.plan.nodes import Plan, PlanGroup, Value
from rxcalc.tabular import problems
from rxcalc.tabular.problems import UsageProblem
from rxcalc.tabular.selection import is_finite
from rxcalc.tabular.summary import FileFacts
from rxcalc.tabular.whole import read_whole
from rxcalc.tabular.writer import line_of, plain_cell

if TYPE_CHECKING:
    from rxcalc.backends.base import GroupOutcome

_SUFFIXES: Final = (".csv", ".tsv", ".tab", ".parquet", ".pq", ".xlsx")


@dataclass(frozen=True, slots=True)
class GroupInputs:
    """Rows of keys and inputs by kind, the files that they come from, and files that are none of them."""

    rows: Mapping[str, Sequence[Mapping[str, Value]]] = field(default_factory=dict)
    files: Mapping[str, FileFacts] = field(default_factory=dict)
    others: tuple[str, ...] = ()


def across(plan: Plan) -> tuple[PlanGroup, ...]:
    """The kinds of groups that go across bills."""
    return tuple(group for group in plan.groups if not group.inside)


def input_files(plan: Plan, folder: Path) -> dict[str, Path]:
    """The file of each kind that has one."""
    found: dict[str, Path] = {}
    for group in across(plan):
        path = next((p for suffix in _SUFFIXES if (p := folder / f"{group.name}{suffix}").exists()), None)
        if path is not None:
            found[group.name] = path
    return found


def read_group_inputs(plan: Plan, options: BatchOptions) -> GroupInputs | UsageProblem:
    """The inputs of all groups, or why a file cannot be taken."""
    if options.groups is None:
        return GroupInputs()
    kinds = {group.name: group for group in across(plan)}
    if not kinds:
        return problems.no_groups("--groups")
    if not options.groups.is_dir():
        return problems.no_folder(str(options.groups))
    others: list[str] = []
    chosen = input_files(plan, options.groups)
    for path in sorted(options.groups.iterdir()):
        if path.suffix.lower() in _SUFFIXES and chosen.get(path.stem, path) != path:
            return problems.same_kind(str(path), chosen[path.stem].name)
        if path.suffix.lower() in _SUFFIXES and path.stem not in kinds:
            near = get_close_matches(path.stem, kinds, n=1, cutoff=0.75)
            if near:
                return problems.no_such_group(str(path), f"{near[0]}{path.suffix}")
            others.append(path.name)
    rows: dict[str, Sequence[Mapping[str, Value]]] = {}
    files: dict[str, FileFacts] = {}
    for name, path in chosen.items():
        read = _read(plan, kinds[name], path)
        if isinstance(read, UsageProblem):
            return read
        rows[name], files[name] = read
    return GroupInputs(rows, files, tuple(others))


def _read(plan: Plan, group: PlanGroup, path: Path) -> tuple[list[dict[str, Value]], FileFacts] | UsageProblem:
    fields = (*key_specs(group, plan), *group.inputs)
    table = read_whole(path, plan, fields)
    if isinstance(table, UsageProblem):
        return table
    rows = values_of(plan, fields, table.frame)
    seen: dict[tuple[Value, ...], int] = {}
    for line, row in zip(table.lines, rows, strict=True):
        key = tuple(row[k.name] for k in group.keys)
        if key in seen:
            told = ", ".join(f"{k.name} {plain_cell(row[k.name], k.type, plan.decimals)}" for k in group.keys)
            return problems.group_twice(str(path), line, seen[key], told)
        seen[key] = line
    return rows, table.facts


# ---- results ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class GroupFile:
    """A file that is written: its name in the folder, and its lines."""

    name: str
    lines: Iterable[bytes]


def group_files(plan: Plan, outcomes: Sequence[GroupOutcome], *, excel: bool = False) -> list[GroupFile]:
    """For each kind the results of its groups, and those that are refused."""
    found: list[GroupFile] = []
    for group in across(plan):
        own = [outcome for outcome in outcomes if outcome.kind == group.name]
        found.append(
            GroupFile(
                f"{group.name}.csv", _written(_results(plan, group, [o for o in own if o.problem is None]), excel=excel)
            )
        )
        refused = [o for o in own if o.problem is not None]
        found.append(GroupFile(f"{group.name}.rejects.csv", _written(_rejects(plan, group, refused), excel=excel)))
    return found


def _written(rows: Iterable[list[str]], *, excel: bool) -> Iterable[bytes]:
    """Rows as lines; the first is the header."""
    return (line_of(row, excel=excel, first=at == 0) for at, row in enumerate(rows))


def _results(plan: Plan, group: PlanGroup, outcomes: Sequence[GroupOutcome]) -> Iterable[list[str]]:
    """Keys, inputs, results, `members`, `rejected`."""
    given, computed = group_columns(plan, group)
    yield [*given, *computed, *_tallies(given, computed)]
    for o in outcomes:
        results = {**o.steps, **o.shares}
        told = [plain_cell(o.inputs.get(name), of, plan.decimals) for name, of in given.items()]
        told += [plain_cell(results.get(name), of, plan.decimals) for name, of in computed.items()]
        yield [*told, str(o.members), str(o.rejected)]


def _rejects(plan: Plan, group: PlanGroup, outcomes: Sequence[GroupOutcome]) -> Iterable[list[str]]:
    """Keys, inputs, `members`, `rejected`, and why the group is refused."""
    given, computed = group_columns(plan, group)
    yield [*given, *_tallies(given, computed), "rx_code", "rx_field", "rx_value", "rx_message"]
    for o in outcomes:
        told = [plain_cell(o.inputs.get(name), of, plan.decimals) for name, of in given.items()]
        why = [o.problem.code, o.problem.field, o.problem.value, o.problem.message] if o.problem is not None else []
        yield [*told, str(o.members), str(o.rejected), *why]


def _tallies(*taken: Iterable[str]) -> tuple[str, ...]:
    """The headers of the two counts; a group that has a field of that name has them as `rx_members`, `rx_rejected`."""
    names = {name for part in taken for name in part}
    return tuple(f"rx_{tally}" if tally in names else tally for tally in ("members", "rejected"))


def group_columns(plan: Plan, group: PlanGroup) -> tuple[dict[str, Type], dict[str, Type]]:
    """The columns of keys and inputs, and those of results that have a finite decimal form."""
    given = {key.name: key.type for key in group.keys} | {spec.name: spec.type for spec in group.inputs}
    left_out = {step.name for step in group.steps if step.lazy or not is_finite(step)}
    computed = {spec.name: spec.type for spec in result_specs(group, plan) if spec.name not in left_out}
    return given, computed


def group_reports(plan: Plan, outcomes: Sequence[GroupOutcome], unplaced: Mapping[str, int]) -> dict[str, GroupReport]:
    """What became of the groups of each kind."""
    found: dict[str, GroupReport] = {}
    for group in across(plan):
        own = [outcome for outcome in outcomes if outcome.kind == group.name]
        codes: dict[str, int] = {}
        examples: dict[str, str] = {}
        for o in own:
            if o.problem is not None:
                codes[o.problem.code] = codes.get(o.problem.code, 0) + 1
                examples.setdefault(o.problem.code, o.problem.message)
        found[group.name] = GroupReport(
            groups=len(own),
            members=sum(o.members for o in own),
            rejected=sum(o.rejected for o in own),
            incomplete=sum(1 for o in own if o.rejected),
            unplaced=unplaced.get(group.name, 0),
            reject_codes=codes,
            examples=examples,
        )
    return found
