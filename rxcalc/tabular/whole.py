"""Files that must be read whole or not at all: opening amounts, inputs of groups. Every column of them means something."""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from rxcalc.inputs.cells import TRIM
from rxcalc.inputs.tables import TableReader
from rxcalc.plan.nodes import Plan, PlanInput
from rxcalc.tabular import problems
from rxcalc.tabular.header import match_columns
from rxcalc.tabular.problems import UsageProblem
from rxcalc.tabular.reader import BLOCK
from rxcalc.tabular.source import open_source
from rxcalc.tabular.summary import FileFacts, facts_of


@dataclass(frozen=True, slots=True)
class WholeTable:
    """A file's rows as typed columns, with the line on which each stands."""

    path: Path
    frame: pl.DataFrame
    lines: tuple[int, ...]
    facts: FileFacts
    absent: tuple[str, ...]


def read_whole(
    path: Path,
    plan: Plan,
    inputs: tuple[PlanInput, ...],
    meant: Callable[[str], str] = str,
    others: Container[str] = (),
) -> WholeTable | UsageProblem:
    """The table whose columns are `inputs`; refused at the first row that cannot be read.

    `meant` gives what a header is to be taken for, by default itself. Columns of `others` are passed over.
    """
    source = open_source(path)
    if isinstance(source, UsageProblem):
        return source
    head = source.head
    named = replace(head, names=tuple(meant(name.strip(TRIM)) for name in head.names))
    own = replace(plan, inputs=inputs, sequence=None, windows=(), calls=(), lists=(), groups=())
    columns = match_columns(str(path), named.names, own)
    if isinstance(columns, UsageProblem):
        return columns
    unread = next((name for name in columns.unread if name not in others), None)
    if unread is not None:
        return problems.unknown_column(str(path), unread, tuple(spec.name for spec in inputs))
    tables = TableReader(own)
    reader = source.blocks(BLOCK)
    frames: list[pl.DataFrame] = []
    lines: list[int] = []
    line = head.line
    for raw in reader:
        block = raw.read(named).as_texts()
        bad = {row: record.problem for row, record in block.bad if record.problem is not None}
        if bad:
            row, problem = min(bad.items())
            return problems.unreadable_row(str(path), line + block.line(row), problem.message)
        filled = block.fields.select(pl.any_horizontal(pl.all().str.strip_chars(TRIM).fill_null("") != "")).to_series()
        rows = filled.arg_true()
        texts = block.fields.select(pl.col(str(at)).alias(name) for name, at in columns.inputs.items())
        own_lines = [line + block.line(row) for row in rows.to_list()]
        faulty = next((name for name, at in columns.inputs.items() if block.faults.get(str(at))), None)
        if faulty is not None:
            name, (row, fault) = faulty, min(block.faults[str(columns.inputs[faulty])].items())
            return problems.unreadable_row(str(path), line + block.line(row), f"{name}: {fault.message}")
        checked = tables.read(texts[rows])
        if checked.problems:
            row, found = checked.problems[0]
            return problems.unreadable_row(str(path), own_lines[row], found.message)
        frames.append(checked.frame)
        lines += own_lines
        line += block.height
    if reader.problem is not None:
        return reader.problem
    if not frames:
        frames.append(tables.read(pl.DataFrame(schema=dict.fromkeys(columns.inputs, pl.String))).frame)
    facts = facts_of(source, reader.bytes_read, reader.digest)
    return WholeTable(path, pl.concat(frames), tuple(lines), facts, columns.absent)
