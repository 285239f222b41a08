"""Whether bills are computed, on the evaluator that defines what that means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rxcalc.backends.base import GroupOutcome, Problem, Row
from rxcalc.backends.exact import Exact
from rxcalc.backends.exact_groups import run_all
from rxcalc.backends.history import run_person
from rxcalc.plan.nodes import Value
from rxcalc.sampling.bills import Bill

DEPENDS = "RX811"
OF_A_GROUP = "RX809"


def refused(exact: Exact, bills: Sequence[Bill]) -> dict[int, Problem]:
    """The bills of one sequence that are refused, and why; those refused only because of another one are left out."""
    if exact.plan.sequence is None:
        problems = {at: exact.run(bill.values).problem for at, bill in enumerate(bills)}
    else:
        ran = run_person(exact, _in_order(exact, bills))
        problems = {r.row.number: r.outcome.problem if r.outcome is not None else None for r in ran}
    return _first_causes({at: p for at, p in problems.items() if p is not None})


def refused_together(
    exact: Exact, bills: Sequence[Bill], groups: Mapping[str, Sequence[Mapping[str, Value]]]
) -> tuple[dict[int, Problem], list[GroupOutcome]]:
    """The same for all bills with their groups, and what became of the groups."""
    done = run_all(exact, _in_order(exact, bills), groups)
    problems = {r.row.number: r.outcome.problem for r in done.ran if r.outcome is not None}
    return _first_causes({at: p for at, p in problems.items() if p is not None}), done.groups


def _in_order(exact: Exact, bills: Sequence[Bill]) -> list[Row]:
    order = exact.plan.sequence.order if exact.plan.sequence is not None else ("episode_id",)
    rows = [Row(at, bill.name, bill.values) for at, bill in enumerate(bills)]
    return sorted(rows, key=lambda r: tuple(r.inputs[name] for name in order))


def _first_causes(problems: dict[int, Problem]) -> dict[int, Problem]:
    return {at: p for at, p in problems.items() if p.code != DEPENDS} or problems
