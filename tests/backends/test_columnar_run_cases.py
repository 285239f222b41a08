"""The worked examples of tests/cases, which say by hand what comes out, on the columns as well."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bills import differences, reference, run

from rxcalc.diagnostics.model import Sink
from rxcalc.driver.compile import compile_file
from rxcalc.driver.examples import example_files
from rxcalc.inputs.episodes import read_entries
from rxcalc.inputs.records import Record, RecordReader
from rxcalc.plan.nodes import Plan
from rxcalc.rulebook.load import load_yaml

CASES = Path(__file__).parents[1] / "cases"
FOLDERS = sorted(path.parent for kind in ("runs", "atlas") for path in (CASES / kind).glob("*/rulebook.yaml"))


def bills_of(plan: Plan, folder: Path) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The bills of each example, earlier ones too; without those that give opening amounts or cannot be read."""
    reader, sink = RecordReader(plan), Sink()
    for path in example_files(folder):
        node = load_yaml(path, path.name, sink)
        for entry in read_entries(node, sink) if node is not None else ():
            read = [reader.read(fields.given()) for fields in (*entry.earlier, *(f for f, _ in entry.episodes))]
            records = [dict(r.values) for r in read if isinstance(r, Record)]
            ids = {record["episode_id"] for record in records}
            if not entry.so_far and len(records) == len(read) == len(ids):
                yield entry.name, records


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda p: p.name)
def test_the_columns_give_what_the_exact_evaluator_gives(folder: Path) -> None:
    """Every result and every refusal of every example is the same on both back ends."""
    compiled = compile_file(folder / "rulebook.yaml", "rulebook.yaml", Sink())
    assert compiled is not None
    if any(not group.inside for group in compiled.plan.groups):
        pytest.skip("groups across bills: tests/batch and tests/backends/test_columnar_groups.py")
    for name, bills in bills_of(compiled.plan, folder):
        outcomes, _ = reference(compiled.plan, bills)
        assert differences(compiled.plan, bills, outcomes, run(compiled.plan, bills)) == [], name
