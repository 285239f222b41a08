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
    from rxcalc.rulebook.document import Document
    from rxcalc.sampling.hints import Hints
    from rxcalc.syntax.nodes import RulebookDecl


@dataclass(frozen=True, slots=True)
class Compiled:
    """A rulebook that checked without errors. `notes` says what the analysis could not decide.

    `hints` are those of `sample:`, None where there are none; the plan knows nothing of them.
    """

    plan: Plan
    path: Path
    notes: tuple[str, ...] = ()
    timings: tuple[tuple[str, float], ...] = ()
    hints: Hints | None = None


def compile_file(path: Path, shown: str, sink: Sink) -> Compiled | None:
    """Load, parse, check and lower one rulebook file; None after errors, all of them in the sink."""
    from rxcalc.rulebook.load import load_document
    from rxcalc.rulebook.overlay import Overlays

    timings = _Timings()
    own = Sink(limit=sink.limit, files=sink.files)
    overlays = Overlays(path, shown, find.base, own)
    document = load_document(path, shown, own)
    timings.note("load")
    whole = overlays.resolved(document) if document is not None else None
    timings.note("overlay")
    compiled = _compiled(whole, path, own, timings) if whole is not None else None
    sink.extend(overlays.related(diagnostic) for diagnostic in own)
    sink.left_out += own.left_out
    return compiled


class _Timings:
    """How long each pass took."""

    def __init__(self) -> None:
        self.passes: list[tuple[str, float]] = []
        self.at = time.perf_counter()

    def note(self, name: str) -> None:
        """Ends a pass."""
        now = time.perf_counter()
        self.passes.append((name, now - self.at))
        self.at = now


def declared(path: Path, shown: str, sink: Sink) -> RulebookDecl | None:
    """A rulebook as written, with its bases laid under it; None after errors."""
    from rxcalc.rulebook.load import load_document
    from rxcalc.rulebook.overlay import Overlays
    from rxcalc.syntax.parse import parse_rulebook

    document = load_document(path, shown, sink)
    whole = Overlays(path, shown, find.base, sink).resolved(document) if document is not None else None
    return parse_rulebook(whole, sink) if whole is not None else None


def compile_declared(decl: RulebookDecl, folder: Path, sink: Sink) -> Plan | None:
    """The plan of a rulebook that was put together in memory, its tables in `folder`; None after errors. It has no digest."""
    from rxcalc.plan.lower import lower, ranges_of
    from rxcalc.plan.verify import verify
    from rxcalc.typed.check import check
    from rxcalc.typed.decide import decide

    typed = check(decl, folder, sink)
    if typed is None:
        return None
    plan = lower(typed, sink.files, "", sink)
    decide(typed, ranges_of(plan), sink)
    sink.extend(verify(plan))
    return None if sink.has_errors else plan


def _compiled(document: Document, path: Path, sink: Sink, timings: _Timings) -> Compiled | None:
    from rxcalc.plan.describe import files
    from rxcalc.plan.lower import lower, ranges_of
    from rxcalc.plan.verify import verify
    from rxcalc.syntax.parse import parse_rulebook
    from rxcalc.typed.check import check
    from rxcalc.typed.decide import decide

    decl = parse_rulebook(document, sink)
    timings.note("parse")
    if decl is None:
        return None
    typed = check(decl, path.parent, sink)
    timings.note("check")
    if typed is None:
        return None
    plan = lower(typed, sink.files, find.digest_of(path, files(typed)), sink)
    timings.note("lower")
    notes = decide(typed, ranges_of(plan), sink)
    timings.note("cases")
    sink.extend(verify(plan))
    timings.note("verify")
    hints = None
    if decl.sample is not None:
        from rxcalc.sampling.hints import read_hints

        hints = read_hints(decl, plan, sink)
        timings.note("hints")
    return None if sink.has_errors else Compiled(plan, path, notes, tuple(timings.passes), hints)
