"""A rulebook's name or path to its plan: the only place that knows the order of the passes."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rxcalc.diagnostics.model import Sink
from rxcalc.driver import find

if TYPE_CHECKING:
    from rxcalc.plan.nodes import Plan


@dataclass(frozen=True, slots=True)
class Compiled:
    """A rulebook that checked without errors. `notes` says what the analysis could not decide."""

    plan: Plan
    path: Path
    notes: tuple[str, ...] = ()
    timings: tuple[tuple[str, float], ...] = ()
    tables: tuple[str, ...] = ()  # the table files read, relative to the rulebook's folder


def compile_file(path: Path, shown: str, sink: Sink) -> Compiled | None:
    """Load, parse, check and lower one rulebook file; None after errors, all of them in the sink."""
    from rxcalc.plan.lower import lower
    from rxcalc.plan.verify import verify
    from rxcalc.rulebook.load import load_document
    from rxcalc.syntax.parse import parse_rulebook
    from rxcalc.typed.check import check
    from rxcalc.typed.decide import decide

    timings: list[tuple[str, float]] = []
    at = time.perf_counter()

    def timed(name: str) -> None:
        nonlocal at
        now = time.perf_counter()
        timings.append((name, now - at))
        at = now

    document = load_document(path, shown, sink)
    timed("load")
    if document is None:
        return None
    decl = parse_rulebook(document, sink)
    timed("parse")
    if decl is None:
        return None
    typed = check(decl, path.parent, sink)
    timed("check")
    if typed is None:
        return None
    tables = tuple(t.decl.file.text for t in typed.tables)
    plan = lower(typed, sink.files, find.digest_of(path, tables), sink)
    timed("lower")
    notes = decide(typed.steps, typed.inputs, {s.name: (s.low, s.high) for s in plan.steps}, sink)
    timed("cases")
    sink.extend(verify(plan))
    timed("verify")
    return None if sink.has_errors else Compiled(plan, path, notes, tuple(timings), tables)
