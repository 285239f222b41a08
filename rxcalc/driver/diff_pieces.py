"""The old rulebook with one change of the new one made in it, compiled: one plan for each change."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rxcalc.compare.merge import closure, context, is_inert, merged, reading, subjects
from rxcalc.compare.model import Edit, Subject
from rxcalc.diagnostics.model import Sink
from rxcalc.driver.compile import compile_declared, declared
from rxcalc.driver.find import Found
from rxcalc.plan.nodes import Plan
from rxcalc.syntax.nodes import RulebookDecl


@dataclass(frozen=True)
class Piece:
    """A change, what was made along with it because neither stands without the other, and the plan.

    None: it cannot be made without the whole of the new rulebook.
    """

    subject: Subject
    along: tuple[Subject, ...]
    plan: Plan | None


def pieces(old: Found, new: Found, edits: Iterable[Edit], folder: Path) -> tuple[Piece, ...]:
    """A plan for every change that may move amounts by itself. Tables are copied into `folder`."""
    changes = subjects(edits)
    sink = Sink()
    one, other = declared(old.path, old.shown, sink), declared(new.path, new.shown, sink)
    if one is None or other is None:  # both were compiled before, so the files are others now
        return ()
    one, other = _own_tables(one, old.path, folder, "old"), _own_tables(other, new.path, folder, "new")
    reads = reading(one, other, changes)
    found: dict[frozenset[Subject], Piece] = {}
    stuck: dict[Subject, None] = {}
    for subject in (s for s, change in changes.items() if not is_inert(s, change)):
        own = closure(subject, changes, reads)
        for together in (own, list(dict.fromkeys((*own, *context(changes))))):
            if frozenset(together) in found:
                break
            plan = _plan(one, other, together, folder, sink)
            if plan is not None:
                found[frozenset(together)] = Piece(subject, tuple(s for s in together if s != subject), plan)
                break
        else:
            stuck |= dict.fromkeys(own)
    if stuck:
        first, *rest = stuck
        found[frozenset(stuck)] = Piece(first, tuple(rest), _plan(one, other, list(stuck), folder, sink))
    return tuple(found.values())


def _plan(old: RulebookDecl, new: RulebookDecl, taken: Sequence[Subject], folder: Path, of: Sink) -> Plan | None:
    """The plan of a merged rulebook; None when it has errors."""
    return compile_declared(merged(old, new, taken), folder, Sink(files=dict(of.files)))


def _own_tables(decl: RulebookDecl, path: Path, folder: Path, side: str) -> RulebookDecl:
    """The rulebook with its tables copied into the folder, under names that the other side's do not have."""
    found = []
    for at, table in enumerate(decl.tables):
        base = decl.base_at(table.file.span)
        source = path.parent / (Path(base.folder) if base is not None else Path()) / table.file.text
        name = f"{side}-{at}.csv"
        shutil.copyfile(source, folder / name)
        found.append(replace(table, file=replace(table.file, text=name)))
    return replace(decl, tables=tuple(found), bases=())
