"""Small rulebooks, one for each construct of the language, with amounts computed by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from rxcalc.diagnostics.model import Sink
from rxcalc.diagnostics.text import render
from rxcalc.driver.examples import ExamplesReport, example_files, run_examples
from rxcalc.driver.find import Found

CASES = Path(__file__).parent / "cases" / "runs"
FOLDERS = sorted(p.parent for p in CASES.glob("*/rulebook.yaml"))

# Where the program does not yet do what the language says; each must keep failing until it does.
OPEN: dict[str, str] = {}


def folders() -> list[object]:
    """The cases, those that are open marked with the reason."""
    return [
        pytest.param(f, id=f.name, marks=[pytest.mark.xfail(strict=True, raises=AssertionError, reason=OPEN[f.name])])
        if f.name in OPEN
        else pytest.param(f, id=f.name)
        for f in FOLDERS
    ]


def run(folder: Path) -> tuple[ExamplesReport, Sink]:
    """The examples of one case, run."""
    sink = Sink()
    return run_examples(Found(folder / "rulebook.yaml", f"{folder.name}/rulebook.yaml"), sink), sink


@pytest.mark.parametrize("folder", folders())
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
