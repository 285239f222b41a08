"""The Python interface: the same results and the same refusals as the commands, as values."""

from __future__ import annotations

from fractions import Fraction

import pytest

import rxcalc
from rxcalc.driver.api import RulebookError

BILL = {"person_id": "P1", "person_class": "active", "level": "level_3", "total": "20000.00", "in_scope": "20000.00"}


def bill(**fields: object) -> dict[str, object]:
    return {**BILL, "episode_id": "E2", "discharge_date": "2025-06-30", **fields}


def test_a_bill_is_evaluated() -> None:
    """(20,000 - 1,300) x 85% = 15,895.00."""
    outcome = rxcalc.load("beijing-employee").evaluate(bill())
    assert outcome.problem is None
    assert outcome.steps["pool_pays"] == Fraction(15895)


def test_floats_are_refused() -> None:
    """A binary float is a problem of the episode, not an amount."""
    outcome = rxcalc.load("beijing-employee").evaluate(bill(total=20000.1))
    assert outcome.problem is not None
    assert outcome.problem.field == "total"


def test_what_came_before_counts() -> None:
    """An earlier bill, or the state given, makes the admission a later one."""
    rulebook = rxcalc.load("beijing-employee")
    for given in (
        {"earlier": [bill(episode_id="E1", discharge_date="2025-01-01")]},
        {"so_far": {"this_year.count()": 1, "this_year.sum(pool_pays)": 0}},
    ):
        x = rulebook.explain(bill(), **given)  # type: ignore[arg-type]
        assert dict(x.outputs)["deductible_due"] == "650.00"
        assert x.problem is None


@pytest.mark.parametrize(
    "given",
    [
        {"earlier": [bill(episode_id="E1", person_id="P2", discharge_date="2025-01-01")]},
        {"earlier": [bill(discharge_date="2025-01-01")]},
        {"earlier": [bill(episode_id="E1", discharge_date="2025-12-01")]},
        {"so_far": {"this_year.summ(pool_pays)": 8000}},
        {"so_far": {"this_year.count()": 1.0}},
    ],
)
def test_what_cannot_have_come_before_is_refused(given: dict[str, object]) -> None:
    """Another person's bill, a doubled id, a later bill, an unknown call and a float are refusals with a code."""
    x = rxcalc.load("beijing-employee").explain(bill(), **given)  # type: ignore[arg-type]
    assert x.problem is not None
    assert x.problem.code in ("RX752", "RX753", "RX756")
    assert x.outputs == ()


def test_an_unknown_rulebook_is_an_exception() -> None:
    """Where a command would exit with 2, the interface raises."""
    with pytest.raises(RulebookError, match="did you mean `qin`"):
        rxcalc.load("quin")


def test_check_and_test_are_there() -> None:
    """`check` gives diagnostics, `test` the examples' results."""
    rulebook = rxcalc.load("qin")
    assert rulebook.check() == ()
    assert rulebook.test().failed == 0
