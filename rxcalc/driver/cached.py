"""Compiled plans, kept between runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rxcalc.diagnostics.model import Sink
from rxcalc.driver.find import Found

if TYPE_CHECKING:
    from rxcalc.plan.nodes import Plan


def plan_for(found: Found, sink: Sink) -> Plan | None:
    """The plan of a rulebook file."""
    from rxcalc.driver.compile import compile_file

    compiled = compile_file(found.path, found.shown, sink)
    return compiled.plan if compiled is not None else None
