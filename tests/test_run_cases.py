"""Small rulebooks, one for each construct of the language, with amounts computed by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from rxcalc.diagnostics.model import Sink
from rxcalc.diagnostics.text import render
from rxcalc.driver.examples import TestReport, example_files, run_examples
from rxcalc.driver.find import Found

CASES = Path(__file__).parent / "cases" / "runs"
FOLDERS = sorted(p.parent for p in CASES.glob("*/rulebook.yaml"))


def run(folder: Path) -> tuple[TestReport, Sink]:
    """The examples of one case, run."""
    sink = Sink()
    return run_examples(Found(folder / "rulebook.yaml", f"{folder.name}/rulebook.yaml"), sink), sink


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda p: p.name)
def test_the_examples_come_out_as_computed_by_hand(folder: Path) -> None:
    """Every amount equals the one worked out in the example, and nothing else is said of the rulebook."""
    report, sink = run(folder)
    assert not list(sink), "\n".join(render(d, sink.files) for d in sink.sorted())
    assert report.results
    failures = [
        f"{result.name}: {d.name} should be {d.expected}, is {d.found}"
        for result in report.results
        for d in result.differences
    ]
    assert not failures, "\n".join(failures)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda p: p.name)
def test_every_example_says_how_it_was_computed(folder: Path) -> None:
    """An expected amount without its computation cannot be judged by a reader."""
    report, _ = run(folder)
    assert example_files(folder)
    assert all(result.by for result in report.results)
