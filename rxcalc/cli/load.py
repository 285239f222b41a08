"""Rulebooks and episodes as commands get them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rxcalc.cli.show import Failure, diagnostics
from rxcalc.diagnostics.model import Sink
from rxcalc.driver import find

if TYPE_CHECKING:
    from rxcalc.plan.nodes import Plan


def files_of(name: str, plan: Plan) -> tuple[Path, ...]:
    """The files that a rulebook consists of: itself, its bases and its tables."""
    found = find.rulebook(name)
    if isinstance(found, find.NotFound):
        return ()
    return (found.path, *(found.path.parent / file for file in plan.files))


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
