"""A run while it lasts: its private folder, its journal, the files it writes, and what an interrupted run has left of them."""

from __future__ import annotations

import contextlib
import dataclasses
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from rxcalc import __version__
from rxcalc.driver.batch_prepare import Prepared, unwritable
from rxcalc.driver.batch_report import BatchOptions
from rxcalc.tabular.locators import file_of, is_database
from rxcalc.tabular.problems import UsageProblem, cannot_write, resumes_other
from rxcalc.tabular.publish import Draft, is_part, open_draft, placed_draft, placed_table, publish, reopen_draft
from rxcalc.tabular.spool import Spool
from rxcalc.tabular.workdir import Entry, WorkFolder, open_folder

_NOT_ASKED: Final = {
    "threads",
    "memory",
    "temp_dir",
    "resume",
    "private",
    "max_rejects",
}  # options without bearing on what is written


@dataclass(slots=True)
class Passed:
    """How far the pass through one file has come: the note of every block, the last one with everything added up."""

    blocks: list[Entry] = field(default_factory=list)
    done: Entry | None = None

    @property
    def latest(self) -> Entry | None:
        """The last note."""
        return self.done or (self.blocks[-1] if self.blocks else None)


@dataclass(slots=True)
class Left:
    """What the journal of an interrupted run says."""

    start: Entry | None = None
    round: Entry | None = None
    computed: Entry | None = None
    passes: dict[str, Passed] = field(default_factory=dict)
    drafts: dict[str, Mapping[str, Any]] = field(default_factory=dict)  # the latest state of each
    publishing: bool = False

    @classmethod
    def of(cls, entries: list[Entry]) -> Left:
        """The journal read from its start."""
        left = cls()
        for entry in entries:
            match entry.get("kind"):
                case "start":
                    left = cls(start=entry)
                case "round":
                    left.round, left.passes, left.drafts = entry, {}, {}
                case "drafts":
                    left.drafts |= entry["drafts"]
                case "computed":
                    left.computed = entry
                    left.drafts |= entry["drafts"]
                case "block":
                    left.passes.setdefault(entry["pass"], Passed()).blocks.append(entry)
                    left.drafts |= entry["drafts"]
                case "done":
                    left.passes.setdefault(entry["pass"], Passed()).done = entry
                    left.drafts |= entry["drafts"]
                case "publishing":
                    left.publishing = True
                    left.drafts |= entry["drafts"]
        return left


class Session:
    """The folder, journal and drafts of a run. A dry run has a folder elsewhere, and neither journal nor drafts."""

    def __init__(self, prepared: Prepared, folder: Path, held: WorkFolder | None) -> None:
        self.prepared = prepared
        self.folder = folder
        self.left = Left()
        self.told = ""  # what became of an interrupted run
        self.drafts: dict[str, Draft] = {}
        self._held = held
        self._temporary: list[Path] = []
        self._met: dict[str, tuple[int, ...]] = {}  # what stood in the place of an output when it was opened
        self._records: dict[str, int] = {}  # written so far, by pass
        self._made: Path | None = None

    @property
    def noted(self) -> bool:
        """Whether this run keeps a journal."""
        return self._held is not None

    def note(self, kind: str, **entry: Any) -> None:
        """A line of the journal."""
        if self._held is not None:
            self._held.note({"kind": kind, **entry}, sync=kind in {"start", "publishing"})
        if kind == "block":
            self._records[entry["pass"]] = entry["tally"]["accounts"][0][0]

    def kept(self) -> str:
        """What an interruption leaves, and how to go on."""
        if self._held is None or self.prepared.job.options.private:
            return "nothing was written"
        records = self._records.get("", 0)
        what = f"the results of {records:,} records" if records else "what was computed so far"
        return (
            f"kept in {self._held.path}: {what}; give the same command with --resume to go on, "
            "or without it to begin anew; or remove that folder"
        )

    # ---- drafts

    def add(self, what: str, path: Path) -> UsageProblem | None:
        """Opens the draft of a file, unless an interrupted run has left it."""
        if what in self.drafts or self._held is None:
            return None
        draft = open_draft(path, self._temporary, self._held.path)
        if isinstance(draft, UsageProblem):
            return draft
        self.drafts[what] = draft
        self._met[what] = _stamp(path)
        self.note("drafts", drafts={what: draft.state()})
        return None

    def add_anew(self, what: str, path: Path) -> UsageProblem | None:
        """Opens the draft of a file that is written in one go, whatever there is of it."""
        draft = self.drafts.pop(what, None)
        if draft is not None:
            draft.discard()
        return self.add(what, path)

    def states(self, *what: str) -> dict[str, Any]:
        """The states of drafts, for the journal."""
        return {name: self.drafts[name].state() for name in what if name in self.drafts}

    def make_folder(self, path: Path) -> UsageProblem | None:
        """Makes a folder for files to come, unless it is there."""
        try:
            if not path.is_dir():
                path.mkdir()
                self._made = path
        except OSError as error:
            return cannot_write(str(path), error.strerror or str(error))
        return None

    def discard(self) -> None:
        """Removes what is not published, to begin again."""
        for draft in self.drafts.values():
            draft.discard()
        self.drafts.clear()
        for path in self._temporary:
            with contextlib.suppress(OSError):  # most have gone with their draft, or were published
                path.unlink(missing_ok=True)
        self._temporary.clear()

    def publish(self, *what: str) -> tuple[Path, ...] | UsageProblem:
        """Gives these files their names, in order the last first; the others are dropped."""
        for name in what:
            path = self.drafts[name].shown
            if name in self._met and not is_database(path) and _stamp(path) != self._met[name]:
                return cannot_write(str(path), "another program has written it while this run was going on")
        drafts = tuple(self.drafts[name] for name in what)
        problem = publish(drafts, lambda: self.note("publishing", drafts=self.states(*what)))
        return problem if problem is not None else tuple(draft.shown for draft in drafts)

    # ---- the end

    def close(self, *, keep: bool) -> None:
        """Ends the run; with `keep` everything stays for a run that goes on from here."""
        if keep and self._held is not None:
            for draft in self.drafts.values():
                draft.leave()
            self._held.close()
            return
        if self._held is None or self.folder != self._held.path:
            _remove(self.folder)
        self.discard()
        if self._made is not None:
            with contextlib.suppress(OSError):  # it holds what was published
                self._made.rmdir()
        if self._held is not None:
            self._held.remove()

    # ---- going on

    def begin_again(self) -> None:
        """Drops what an interrupted run has left: it is damaged."""
        self.discard()
        self.left = Left()
        self.told = "the parts of the interrupted run are damaged; beginning anew"
        self.begin()

    def begin_round(self, known: Mapping[str, Any]) -> None:
        """Writes everything once more, with what is known by now."""
        self.discard()
        self.left = Left()
        self.note("round", known=known)

    def take_up(self, entries: list[Entry]) -> UsageProblem | None:
        """Goes on from what an interrupted run has left, as far as it is whole; else begins anew."""
        start = self._start()
        try:
            left = Left.of(entries)
            if left.start is None:
                self.told = "no interrupted run has left anything here; beginning anew"
                self.begin()
                return self._writable()
            differing = tuple(name for name in start if left.start.get(name) != start[name])
            if differing:
                return resumes_other(differing)
            whole = self._reopen(left)
        except (KeyError, TypeError, ValueError, AttributeError):  # no run has written such a journal
            whole = False
        if not whole:
            self.begin_again()
            return self._writable()
        self.left = left
        self.told = "going on from the interrupted run"
        return None if left.publishing else self._writable()

    def _writable(self) -> UsageProblem | None:
        """Why a table cannot be made; a run that was stopped while it published may find its own."""
        return unwritable([(what, path) for what, path in self.prepared.targets.items() if is_database(path)])

    def begin(self) -> None:
        """Begins anew."""
        if self._held is not None:
            self._held.clear()
            self.note("start", **self._start())

    def _reopen(self, left: Left) -> bool:
        """All drafts as they were when the journal last spoke of them."""
        paths = self.prepared.targets
        for what, state in left.drafts.items():
            path = paths.get(what)
            if path is None:
                return False
            assert self._held is not None  # noqa: S101 - a dry run has no journal
            draft = reopen_draft(path, state, self._temporary, self._held.path)
            if left.publishing and is_database(path):
                placed = _placed_table(path, state)
                if placed is not None and draft is not None:
                    draft.leave()
                draft = placed or draft
            elif draft is None and left.publishing:
                draft = placed_draft(path, state)
            if draft is None:
                return False
            self.drafts[what] = draft
        return True

    def spool(self, name: str) -> Spool:
        """A spool of the folder."""
        return Spool(self.folder, name)

    def _start(self) -> dict[str, Any]:
        """What two runs must have in common to be one."""
        job = self.prepared.job
        options = job.options
        asked = {
            f.name.replace("_", "-"): repr(getattr(options, f.name))
            for f in dataclasses.fields(BatchOptions)
            if f.name not in _NOT_ASKED
        }
        return {"rxcalc": __version__, "rulebook": job.plan.digest, **asked, "input files": _identities(options)}


def open_session(prepared: Prepared) -> Session | UsageProblem:
    """The session of a batch that is ready to run; with `--resume` as the interrupted run has left it."""
    options = prepared.job.options
    if options.dry_run:
        return Session(prepared, Path(tempfile.mkdtemp(prefix="rxcalc-", dir=options.temp_dir)), None)
    if not options.work_path.parent.is_dir():
        return cannot_write(str(options.results), f"the folder {str(options.work_path.parent)!r} does not exist")
    held = open_folder(options.work_path)
    if isinstance(held, UsageProblem):
        return held
    session = Session(prepared, options.aside_path, held)
    try:
        options.aside_path.mkdir(mode=0o700, exist_ok=True)
        entries = held.entries()
        if options.resume:
            problem = session.take_up(entries)
            if problem is not None:
                session.close(keep=True)
                return problem
        else:
            _drop_parts(entries)
            session.begin()
    except OSError as error:
        session.close(keep=False)
        return cannot_write(str(held.path), error.strerror or str(error))
    except BaseException as stop:
        session.close(keep=True)
        stop.add_note(session.kept())
        raise
    return session


def _drop_parts(entries: list[Entry]) -> None:
    """Removes what an interrupted run has left beside its outputs: files with names that only drafts have."""
    for entry in entries:
        drafts = entry.get("drafts")
        for state in drafts.values() if isinstance(drafts, dict) else ():
            part = Path(str(state.get("part"))) if isinstance(state, dict) else None
            if part is not None and is_part(part) and not part.is_symlink():
                with contextlib.suppress(OSError):
                    part.unlink(missing_ok=True)


def _stamp(path: Path) -> tuple[int, ...]:
    """What tells one version of a file from another."""
    try:
        found = file_of(path).stat()
    except OSError:
        return ()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _placed_table(path: Path, state: Mapping[str, Any]) -> Draft | None:
    """The draft of a table that is there already: only the run that was publishing it can have made it."""
    from rxcalc.tabular.write_databases import has_table

    return placed_table(path, state) if has_table(path) else None


def _identities(options: BatchOptions) -> list[list[Any]]:
    """The files read, as far as their size and time tell one from another."""
    paths = [options.episodes, *options.lists.values(), *options.earlier, *options.reads]
    paths += [path for path in (options.opening,) if path is not None]
    if options.groups is not None and options.groups.is_dir():
        paths += sorted(options.groups.iterdir())
    found: list[list[Any]] = []
    for path in paths:
        with contextlib.suppress(OSError):
            about = file_of(path).stat()
            found.append([str(path), about.st_size, about.st_mtime_ns])
    return found


def _remove(folder: Path) -> None:
    import shutil

    shutil.rmtree(folder, ignore_errors=True)
