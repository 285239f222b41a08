"""`--earlier`: results of earlier runs, which stand for episodes that are not in the input."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from rxcalc.driver.batch_blocks import Job
from rxcalc.driver.batch_exact import cells_of, values_of
from rxcalc.driver.batch_read import Places
from rxcalc.driver.batch_report import BatchOptions
from rxcalc.inputs.groups import plain_values, result_spec
from rxcalc.inputs.tables import ROW, TableReader
from rxcalc.lang.ops import Op
from rxcalc.lang.types import PERCENT
from rxcalc.passes.sequence import placing_fields
from rxcalc.plan.columns.walk import input_scale
from rxcalc.plan.nodes import Plan, PlanInput, share_names
from rxcalc.plan.reads import lists_looked_back_at, recorded_results, window_reads
from rxcalc.tabular import problems
from rxcalc.tabular.blocks import Head
from rxcalc.tabular.forms import beside
from rxcalc.tabular.header import match_columns
from rxcalc.tabular.judging import ID
from rxcalc.tabular.locators import is_database
from rxcalc.tabular.problems import UsageProblem
from rxcalc.tabular.source import narrowed, open_source
from rxcalc.tabular.summary import FileFacts
from rxcalc.tabular.writer import Layout

if TYPE_CHECKING:
    from rxcalc.backends.base import Row
    from rxcalc.backends.columnar.given import Given


_SUMMARY: Final = 64 << 20  # a larger file is no summary


@dataclass(frozen=True, slots=True)
class PastFile:
    """One file of earlier results: `job` reads it; `absent` are optional inputs without a column."""

    job: Job
    absent: tuple[str, ...]

    @property
    def path(self) -> Path:
        """The file."""
        return self.job.options.episodes


@dataclass(frozen=True, slots=True)
class PastRead:
    """A file of earlier results as typed columns; `frame` has one row each, with `__row` its record."""

    file: PastFile
    frame: pl.DataFrame
    places: Places
    facts: FileFacts


@dataclass(frozen=True, slots=True)
class Past:
    """All earlier results."""

    reads: tuple[PastRead, ...] = ()

    def rows(self, plan: Plan, numbers: Iterable[int] | None = None) -> list[Row]:
        """The episodes (of some numbers) as the exact evaluator takes them; numbered from -1 down, called `=` and their id."""
        from rxcalc.backends.base import Outcome, Row

        results = {cell.name for cell in cells_of(plan, _results(plan))}
        shares = set(share_names(plan))
        wanted = None if numbers is None else sorted(-number - 1 for number in numbers)
        found: list[Row] = []
        first = 0
        for read in self.reads:
            own = read.file.job.plan
            places: Sequence[int] = range(first, first + read.frame.height)
            frame = read.frame
            if wanted is not None:
                places = wanted[bisect_left(wanted, first) : bisect_left(wanted, first + frame.height)]
                frame = frame[[place - first for place in places]]
            have = set(frame.columns)
            fields = [spec for spec in own.inputs if spec.name in have]
            for place, values in zip(places, values_of(own, fields, frame), strict=True):
                inputs = {name: value for name, value in values.items() if name not in results}
                steps = {name: value for name, value in values.items() if name in results and name not in shares}
                amounts = {
                    name: Fraction(value)
                    for name, value in values.items()
                    if name in shares and isinstance(value, int | Fraction)
                }
                recorded = Outcome(inputs, steps, amounts)
                found.append(Row(-place - 1, f"={inputs[ID]}", inputs, recorded=recorded))
            first += read.frame.height
        return found

    def given(self, plan: Plan) -> Given:
        """The episodes as columns take them."""
        from rxcalc.backends.columnar.given import Given

        scales: dict[str, int] = {}
        frames: list[pl.DataFrame] = []
        first = 0
        for read in self.reads:
            scales |= {spec.name: input_scale(spec) for spec in read.file.job.plan.inputs}
            numbers = -1 - pl.int_range(first, first + read.frame.height, dtype=pl.Int64(), eager=True)
            frames.append(read.frame.with_columns(numbers.alias(ROW)))
            first += read.frame.height
        return Given(pl.concat(frames, how="diagonal_relaxed"), scales, partial(self.rows, plan))

    def place(self, number: int) -> tuple[str, int]:
        """The file and the line of the row with a number."""
        at = -number - 1
        for read in self.reads:
            if at < read.frame.height:
                return read.file.path.name, read.places.line(int(read.frame.get_column(ROW)[at]))
            at -= read.frame.height
        raise IndexError(number)


def _results(plan: Plan) -> tuple[str, ...]:
    """Every result that a file may hold."""
    steps = [step.name for step in plan.steps if not step.lazy]
    received = [spread.name for spread in plan.spreads if not spread.target]
    return tuple(dict.fromkeys((*steps, *received, *share_names(plan))))


def needed_fields(plan: Plan) -> frozenset[str]:
    """The fields without which an earlier episode cannot stand for itself: inputs and results."""
    found = {ID, *placing_fields(plan), *window_reads(plan), *recorded_results(plan)}
    if plan.sequence is not None:
        found.add(plan.sequence.by)
    for group in plan.groups:
        if group.of == "" and not group.inside:
            for key in group.keys:
                found |= _own_fields(plan, key.node)
            for spread in plan.spreads:
                if spread.source == group.name and not spread.target:
                    found |= _own_fields(plan, spread.by)
    for call in plan.calls:
        if call.kind == "rows" and call.of == "episodes":
            for node in (call.value, call.where):
                found |= _other_fields(plan, node, "episodes")
    return frozenset(found)


def _own_fields(plan: Plan, node: int) -> set[str]:
    """The inputs and results of an episode that an expression reads."""
    return {str(n.data) for n in _below(plan, node) if n.op in (Op.INPUT, Op.STEP, Op.SHARE) and not n.level}


def _other_fields(plan: Plan, node: int, rows: str) -> set[str]:
    """The fields of other rows that an expression inside an aggregate reads."""
    found = [n.data for n in _below(plan, node) if n.op is Op.EARLIER]
    return {str(data[1]) for data in found if isinstance(data, tuple) and data[0] == rows}


def _below(plan: Plan, node: int) -> Iterable[Any]:
    todo = [node] if node >= 0 else []
    while todo:
        one = plan.nodes[todo.pop()]
        yield one
        todo.extend(one.args)


# ---- reading ------------------------------------------------------------------------------------------


def prepare_past(plan: Plan, options: BatchOptions) -> tuple[PastFile, ...] | UsageProblem:
    """The files of earlier results with their headers matched, or what one of them lacks."""
    if not options.earlier:
        return ()
    if plan.sequence is None and not plan.groups:
        return problems.no_sequence("--earlier")
    lists = lists_looked_back_at(plan)
    if lists:
        return problems.earlier_without_lines(f"a window reads the {lists[0]}")
    of_lines = next((g.name for g in plan.groups if g.of and not g.inside and g.of in {x.name for x in plan.lists}), "")
    if of_lines:
        return problems.earlier_without_lines(f"the groups of {of_lines} are made of lines")
    found: list[PastFile] = []
    for path in options.earlier:
        file = _prepare(plan, path, options)
        if isinstance(file, UsageProblem):
            return file
        found.append(file)
    return tuple(found)


def _prepare(plan: Plan, path: Path, options: BatchOptions) -> PastFile | UsageProblem:
    source = open_source(path)
    if isinstance(source, UsageProblem):
        return source
    head = source.head
    needed = needed_fields(plan)
    cells = {cell.name: cell for cell in cells_of(plan, _results(plan))}
    lacking = tuple(name for name in cells if name in needed and name not in head.names)
    if lacking:
        return problems.earlier_lacks(str(path), lacking)
    specs: list[PlanInput] = []
    for spec in plan.inputs:
        if spec.name in needed:
            specs.append(spec)
        else:  # as it was read then; whoever left the column out needs it no more
            specs.append(replace(spec, optional=spec.default is None))
    steps = {step.name: step for step in plan.steps}
    for name, cell in cells.items():
        if name in head.names:
            step = steps.get(name)
            values = (step.values if step is not None else ()) or plain_values(cell.type)
            plain = result_spec(name, cell.type, values, optional=step is None or step.optional)
            decimals = cell.decimals or 0
            specs.append(replace(plain, decimals=max(0, decimals - 2) if cell.type == PERCENT else decimals))
    known = {spec.name for spec in specs}
    own = replace(plan, inputs=tuple(specs), windows=(), calls=(), lists=(), groups=())
    mapped = _mapped(head, options.columns, known)
    columns = match_columns(str(path), head.names, own, mapped)
    if isinstance(columns, UsageProblem):
        names = tuple(s.name for s in specs if not s.optional and s.default is None and not _has(head, s, mapped))
        return problems.earlier_lacks(str(path), names) if names else columns
    source = narrowed(source, set(columns.inputs.values()))
    tables = TableReader(own)
    form = Layout(columns, (), (), head.separator)
    shape = tables.shape(columns.inputs, len(head.names), head.separator, frozenset())
    job = Job(own, replace(options, episodes=path), source, columns, form, tables, None, {}, shape)
    absent = tuple(name for name in columns.absent if name in needed)
    return PastFile(job, absent)


def _mapped(head: Head, columns: Mapping[str, str], known: set[str]) -> dict[str, str]:
    """What `--columns` says, as far as this file has the columns."""
    return {name: column for name, column in columns.items() if name in known and column in head.names}


def _has(head: Head, spec: PlanInput, mapped: Mapping[str, str]) -> bool:
    return spec.name in mapped or any(name in head.names for name in (spec.name, *spec.aliases))


def rejected_before(files: Iterable[FileFacts]) -> list[str]:
    """What the summaries beside earlier results tell of records that were rejected then, and so are in none of them."""
    found: list[str] = []
    for facts in files:
        path = beside(facts.path, ".summary.json") if facts.path is not None else None
        try:
            if path is None or path.stat().st_size > _SUMMARY:
                continue
            body = json.loads(path.read_bytes())
            same = body["results"]["sha256"] == facts.sha256 or (facts.path is not None and is_database(facts.path))
            count = body["counts"]["rejected"] if same else 0
        except (OSError, ValueError, RecursionError, KeyError, TypeError):  # no summary of these results
            continue
        if isinstance(count, int) and count > 0:
            found.append(
                f"{facts.name}: {count:,} record(s) were rejected in that run, so later episodes are computed without them; "
                "mend them and run that file again first"
            )
    return found


def assumed_of(files: Iterable[PastFile]) -> list[str]:
    """What was taken for granted about earlier results."""
    absent: dict[str, list[str]] = {}
    for file in files:
        for name in file.absent:
            absent.setdefault(name, []).append(file.path.name)
    return [
        f"{name}: no column in {', '.join(names[:3])}{f' and {len(names) - 3} more' if len(names) > 3 else ''}, so missing in all episodes there"
        for name, names in absent.items()
    ]
