"""The old rulebook with one change of the new one made in it, compiled: one plan for each change."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from rxcalc.compare.as_of import with_values_of
from rxcalc.compare.merge import closure, context, is_inert, merged, reading
from rxcalc.compare.mix import UnfitError
from rxcalc.compare.model import Subject
from rxcalc.compare.parts import Changes, RowPart
from rxcalc.diagnostics.model import Sink
from rxcalc.driver.compile import compile_declared, declared
from rxcalc.driver.find import Found
from rxcalc.plan.nodes import Plan
from rxcalc.syntax.nodes import RulebookDecl, TableDecl


@dataclass(frozen=True)
class Books:
    """Where two rulebooks are, for attribution."""

    old: Found
    new: Found


@dataclass(frozen=True)
class Piece:
    """A change, what was made along with it because neither stands without the other, and the plan.

    None: it cannot be made by itself, not even with what it needs. Some of that may be changes of their own, `beyond`: then what
    this one does is what it adds to them, and `base` is the old rulebook with them.
    """

    subject: Subject
    along: tuple[Subject, ...]
    plan: Plan | None
    beyond: tuple[Subject, ...] = ()
    base: Plan | None = None


def pieces(books: Books, changes: Changes, folder: Path, days: tuple[date, date] | None = None) -> tuple[Piece, ...]:
    """A plan for every change that may move amounts by itself. Tables are copied into `folder`.

    `days`: what is the old rulebook's has its values of the first day, what is the new one's those of the second.
    """
    sink = Sink()
    one, other = declared(books.old.path, books.old.shown, sink), declared(books.new.path, books.new.shown, sink)
    if one is None or other is None:  # both were compiled before, so the files are others now
        return ()
    one, other = _own_tables(one, books.old.path, folder, "old"), _own_tables(other, books.new.path, folder, "new")
    return tuple(_Maker(one, other, changes, folder, days, sink).made())


@dataclass(frozen=True)
class _Maker:
    old: RulebookDecl
    new: RulebookDecl
    changes: Changes
    folder: Path
    days: tuple[date, date] | None
    sink: Sink

    def made(self) -> list[Piece]:
        """A piece a change; changes of which none stands without the other are one.

        What stands in none of them is one piece with all that it needs, without a plan where that does not compile.
        """
        kinds = self.changes.kinds
        reads = reading(self.old, self.new, kinds, self.changes.parts)
        found: dict[frozenset[Subject], Piece] = {}
        stuck: dict[Subject, None] = {}
        whole: set[Subject] = set()  # things of which a part does not stand without the others
        for subject in (s for s, change in kinds.items() if not is_inert(s, change)):
            if subject.whole in whole:
                continue
            own = closure(subject, kinds, reads)
            for together in self._together(own):
                if frozenset(together) in found:
                    break
                plan = self._plan(together)
                if plan is not None:
                    if subject.part.key and len(set(self.changes.siblings(subject)) & set(together)) > 1:
                        whole.add(subject.whole)
                        found = {key: piece for key, piece in found.items() if not key <= frozenset(together)}
                    found[frozenset(together)] = self._piece(subject, together, plan)
                    break
            else:
                stuck |= dict.fromkeys(own)
        made = {subject for together in found for subject in together}
        left = [subject for subject in stuck if subject not in made]
        if left:
            plan = self._plan(list(stuck))
            told = list(stuck) if plan is not None or not found else left
            found[frozenset(told)] = self._piece(left[0], told, plan)
        return [self._beyond(together, piece, found) for together, piece in found.items()]

    def _beyond(self, together: frozenset[Subject], piece: Piece, found: Mapping[frozenset[Subject], Piece]) -> Piece:
        """The piece with the changes of their own that it was made with, so that nothing counts twice."""
        others = [key for key, other in found.items() if key < together and other.plan is not None]
        if piece.plan is None or not others:
            return piece
        union = frozenset(s for key in others for s in key)
        known = found.get(union)
        base = known.plan if known is not None else None if union == together else self._plan(sorted(union, key=str))
        if base is None:
            union = max(others, key=len)
            base = found[union].plan
        return replace(piece, beyond=self.changes.told(s for s in self.changes.kinds if s in union), base=base)

    def _together(self, own: Sequence[Subject]) -> Iterator[list[Subject]]:
        """What is tried: the changes themselves, with those of the rulebook as a whole, and with all of each thing."""
        wide = dict.fromkeys(sibling for subject in own for sibling in self.changes.siblings(subject))
        of_all = context(self.changes.kinds)
        for these in (own, list(wide)):
            yield list(these)
            yield list(dict.fromkeys((*these, *of_all)))

    def _piece(self, subject: Subject, together: Sequence[Subject], plan: Plan | None) -> Piece:
        told = self.changes.told(together)
        own = subject if subject in told else subject.whole
        return Piece(own, tuple(s for s in told if s != own), plan)

    def _plan(self, taken: Sequence[Subject]) -> Plan | None:
        """The plan of a merged rulebook; None when it has errors."""
        try:
            made = merged(self.old, self.new, taken, self.changes.parts)
        except UnfitError:
            return None
        made = self._with_rows(made, taken)
        plan = compile_declared(made, self.folder, Sink(files=dict(self.sink.files)))
        if plan is None or self.days is None:
            return plan
        others = {s.name for s in taken if s.section in ("parameter", "table")}
        return with_values_of(plan, self.days[0], others, self.days[1])

    # ---- rows of tables

    def _with_rows(self, made: RulebookDecl, taken: Sequence[Subject]) -> RulebookDecl:
        """The rulebook with tables in which these rows are as in the new one."""
        for name in dict.fromkeys(s.name for s in taken if isinstance(self.changes.parts.get(s), RowPart)):
            own = [self.changes.parts[s] for s in taken if s.section == "table" and s.name == name]
            rows = [part for part in own if isinstance(part, RowPart)]
            if len(rows) == sum(s.section == "table" and s.name == name for s in self.changes.parts):
                continue  # the whole table is the new one's
            one, other = (next(t for t in side.tables if t.name.name == name) for side in (self.old, self.new))
            file = self.folder / f"rows-of-{one.file.text}"
            file.write_text(_mixed_rows(self._rows(one), self._rows(other), rows), encoding="utf-8")
            mixed = replace(one, file=replace(one.file, text=file.name))
            made = replace(made, tables=tuple(mixed if t.name.name == name else t for t in made.tables))
        return made

    def _rows(self, table: TableDecl) -> dict[int, list[str]]:
        """The rows of a table by their lines, as `typed/tables.py` counts them; the header is the first."""
        text = (self.folder / table.file.text).read_bytes().decode("utf-8-sig")
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        found: dict[int, list[str]] = {}
        for record in reader:
            if any(cell.strip() for cell in record):
                found[reader.line_num] = record
        return found


def _mixed_rows(old: dict[int, list[str]], new: dict[int, list[str]], parts: Sequence[RowPart]) -> str:
    """A table of the old rows with some of the new ones."""
    head, *lines = old
    names = [name.strip() for name in old[head]]
    theirs = [name.strip() for name in new[next(iter(new))]]
    places = [theirs.index(name) if name in theirs else -1 for name in names]
    instead = {part.old: part.new for part in parts if part.old}
    made = io.StringIO(newline="")
    writer = csv.writer(made)
    writer.writerow(names)
    taken = [part.new for part in parts if not part.old]
    for line in lines:
        if line not in instead:
            writer.writerow(old[line])
        elif instead[line]:
            taken.append(instead[line])
    writer.writerows([new[line][at] if at >= 0 else "" for at in places] for line in taken)
    return made.getvalue()


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
