"""Rulebooks and episodes as commands get them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rxcalc.cli.show import Failure, diagnostics
from rxcalc.diagnostics.model import Sink
from rxcalc.driver import find

if TYPE_CHECKING:
    from rxcalc.plan.nodes import Plan
    from rxcalc.tabular.summary import RulebookFacts, VersionsFacts


def files_of(name: str, plan: Plan) -> tuple[Path, ...]:
    """The files that a rulebook consists of: itself, its bases and its tables."""
    found = find.rulebook(name)
    if isinstance(found, find.NotFound):
        return ()
    return (found.path, *(found.path.parent / file for file in plan.files))


def facts_of(names: Sequence[str], plans: Sequence[Plan]) -> RulebookFacts | VersionsFacts | None:
    """What a summary says of where the rulebook is, or each version of it."""
    from rxcalc.driver.versions import rulebooks_facts

    found = [find.rulebook(name) for name in names]
    books = [(one.path, plan) for one, plan in zip(found, plans, strict=True) if isinstance(one, find.Found)]
    return rulebooks_facts(books) if len(books) == len(names) else None


def plan_of(name: str) -> Plan:
    """The plan of the rulebook that `name` means; Failure after printing its errors."""
    from rxcalc.driver.cached import plan_for

    found = find.rulebook(name)
    if isinstance(found, find.NotFound):
        raise Failure(found.message, found.help)
    sink = Sink()
    plan = plan_for(found, sink)
    if plan is None:
        diagnostics(sink, only_errors=True)
        raise Failure(f"`{name}` has errors and was not run", f"`rxcalc check {name}` shows them all")
    return plan


def joint_plan(plans: Sequence[Plan]) -> Plan:
    """The plan of several versions as one; Failure when they do not fit together."""
    if len(plans) == 1:
        return plans[0]
    from rxcalc.driver.versions import join_versions
    from rxcalc.tabular.problems import UsageProblem

    found = join_versions(plans)
    if isinstance(found, UsageProblem):
        raise Failure(found.message, "; ".join(found.help))
    return found.plan
