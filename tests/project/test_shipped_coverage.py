"""The examples of the shipped rulebooks use everything that is in them."""

from __future__ import annotations

import pytest

from rxcalc.diagnostics.model import Sink
from rxcalc.driver import find
from rxcalc.driver.examples import run_examples

SHIPPED = find.shipped()


@pytest.mark.parametrize("found", SHIPPED, ids=lambda found: found.shown)
def test_the_examples_use_every_rule(found: find.Found) -> None:
    """Every clause, band, row, date, share, requirement and check is used by an example, and every example passes."""
    report = run_examples(found, Sink(), coverage=True)
    assert report.failed == 0
    assert report.coverage is not None
    assert str(report.coverage.total.percent) == "100.0"
