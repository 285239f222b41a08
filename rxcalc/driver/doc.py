"""A site of rulebooks: compiled, their examples run, written into a folder that appears whole or not at all."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from collections.abc import Mapping as Map
from collections.abc import Sequence as Row
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rxcalc import __version__
from rxcalc.backends.base import Outcome
from rxcalc.bill.subject import compute, read_subject
from rxcalc.coverage.items import implied_reads, items_of
from rxcalc.coverage.model import measured
from rxcalc.diagnostics.model import Sink
from rxcalc.driver.compile import compile_file, declared
from rxcalc.driver.examples import example_files
from rxcalc.driver.failing import command_of
from rxcalc.driver.find import Found
from rxcalc.examples.run import ExampleResult, ExampleRunner
from rxcalc.inputs.episodes import EpisodeEntry, read_entries
from rxcalc.plan.nodes import Plan
from rxcalc.report.order import bill_sequence
from rxcalc.rulebook.document import Mapping, Scalar, Sequence
from rxcalc.rulebook.load import load_yaml, load_yaml_text
from rxcalc.shipped import rulebooks_folder
from rxcalc.site.book import Given
from rxcalc.site.pages import site
from rxcalc.tracing.hits import Hit

MARKER: Final = "rxcalc-site.json"
"""The file that says that a folder is a site of rxcalc, and which files of it are."""

_PLAIN: Final = re.compile(r"[^A-Za-z0-9._-]+")
_TAKEN: Final = frozenset({"zh", "en"})


@dataclass(frozen=True, slots=True)
class NotWritten:
    """Why there is no site, and what to do."""

    message: str
    help: str


def given(found: Found, sink: Sink) -> Given | None:
    """A rulebook with how its examples went; None after errors in it or in its example files, all of them in the sink.

    Its files are called by their places in its folder: pages tell nothing of the machine, and do not depend on how the rulebook
    was named. Errors tell the path that the user knows.
    """
    made = _given(Found(found.path, _neutral(found)), Sink(limit=sink.limit))
    return made if made is not None else _given(found, sink)


def _neutral(found: Found) -> str:
    """A file as `FOLDER/FILE`; that of a shipped rulebook as everywhere."""
    path = Path(os.path.realpath(found.path))
    is_shipped = path.is_relative_to(os.path.realpath(rulebooks_folder()))
    return found.shown if is_shipped else f"{path.parent.name}/{found.path.name}"


def _given(found: Found, sink: Sink) -> Given | None:
    compiled = compile_file(found.path, found.shown, sink)
    if compiled is None:
        return None
    decl = declared(found.path, found.shown, Sink(files=sink.files))
    if decl is None:
        return None
    plan = compiled.plan
    runner = ExampleRunner(plan, watching=True, order=bill_sequence)
    entries: list[EpisodeEntry] = []
    results: list[ExampleResult] = []
    used: list[frozenset[Hit]] = []
    for path in example_files(found.path.parent):
        shown = str(Path(found.shown).parent / "examples" / path.name)
        node = load_yaml(path, shown, sink)
        for entry in read_entries(node, sink) if node is not None else ():
            if entry.rulebook and entry.rulebook not in (plan.rulebook, f"{plan.rulebook}@{plan.version}"):
                continue
            before = len(runner.used)
            entries.append(entry)
            results.append(runner.run(entry, sink))
            used.append(frozenset[Hit]().union(*runner.used[before:]))
    if sink.has_errors:
        return None
    implied = implied_reads(plan)
    return Given(
        shown=found.shown,
        plan=plan,
        decl=decl,
        files=dict(sink.files),
        entries=tuple(entries),
        results=tuple(results),
        used=tuple(hits.union(*(implied[hit] for hit in hits if hit in implied)) for hits in used),
        commands=tuple(command_of(result, found.shown) for result in results),
        outcomes=tuple(_outcomes(plan, entry) for entry in entries),
        trends=tuple(runner.trends(entries)),
        coverage=measured(items_of(plan), runner.used, implied),
        removed=tuple(_removed(plan, found.shown, sink)),
    )


def _removed(plan: Plan, shown: str, sink: Sink) -> Iterator[str]:
    """The paths that an overlay, and those that it stands on, leave out; they compiled, so they read without a mistake."""
    for name in (shown, *(b.shown for b in plan.bases)):
        file = sink.files.get(name)
        root = load_yaml_text(name, file.text, Sink()) if file is not None else None
        of = root.get("removes") if isinstance(root, Mapping) else None
        yield from (item.text for item in (of.items if isinstance(of, Sequence) else (of,)) if isinstance(item, Scalar))


def _outcomes(plan: Plan, entry: EpisodeEntry) -> tuple[Outcome, ...]:
    """The results of the episodes of an example; none where they cannot be read, as in one that expects that."""
    subject = read_subject(plan, entry, Sink())
    if subject is None:
        return ()
    return tuple(ran.outcome for ran in compute(subject).all[subject.earlier :] if ran.outcome is not None)


def folders(books: Row[Given]) -> dict[str, Given]:
    """The rulebooks by the folders of their pages: their names, with the version where several bear one name."""
    names = [_plain(b.plan.rulebook) for b in books]
    found: dict[str, Given] = {}
    for name, book in zip(names, books, strict=True):
        alone = names.count(name) == 1 and name not in _TAKEN
        wanted = name if alone else f"{name}-{_plain(book.plan.version)}"
        folder, number = wanted, 2
        while folder.lower() in {f.lower() for f in found}:
            folder, number = f"{wanted}-{number}", number + 1
        found[folder] = book
    return found


def _plain(text: str) -> str:
    """A name for a folder."""
    return _PLAIN.sub("-", text).strip(".-") or "rulebook"


def write(books: Row[Given], target: Path, languages: Row[str]) -> tuple[str, ...] | NotWritten:
    """Makes the site; gives its files. An earlier site is replaced, any other folder with something in it is left alone."""
    target = Path(os.path.realpath(target))
    try:
        refused = _refusal(target)
    except OSError as problem:
        refused = _cannot(target, problem)
    if refused is not None:
        return refused
    files = site(folders(books), languages, __version__)
    marker = {"rxcalc-site": 1, "files": sorted(files)}
    files = {**files, MARKER: json.dumps(marker, ensure_ascii=False, indent=1) + "\n"}
    made: Path | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
        _fill(made, files)
        _place(made, target)
    except OSError as problem:
        return _cannot(target, problem)
    finally:
        if made is not None:
            shutil.rmtree(made, ignore_errors=True)
    return tuple(sorted(files))


def _cannot(target: Path, problem: OSError) -> NotWritten:
    return NotWritten(f"cannot write `{target}`: {problem.strerror or problem}", "choose another folder with -o")


def _fill(folder: Path, files: Map[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    mask = os.umask(0o077)
    os.umask(mask)
    folder.chmod(0o777 & ~mask)  # mkdtemp's own is private


def _place(made: Path, target: Path) -> None:
    """Gives the new folder its name; the old one comes back if that fails."""
    if not target.exists():
        made.rename(target)
        return
    aside = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    old = aside / "old"
    target.rename(old)
    try:
        made.rename(target)
    except BaseException:
        old.rename(target)
        raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _refusal(target: Path) -> NotWritten | None:
    """Why a place is not written to: it is something else than a site of rxcalc, or holds more than that."""
    if not target.exists():
        return None
    here = Path(os.path.realpath(Path.cwd()))
    if here.is_relative_to(target):  # the folder is replaced whole: whoever is in it would be nowhere
        return NotWritten(
            f"cannot replace `{target}`: it is the current folder, or one above it",
            "name a folder inside it with -o, or leave it first",
        )
    if not target.is_dir():
        return NotWritten(f"cannot write `{target}`: it is no folder", "choose another folder with -o")
    held = sorted(p.relative_to(target).as_posix() for p in target.rglob("*") if not p.is_dir() or p.is_symlink())
    if not held:
        return None
    try:
        marker = json.loads((target / MARKER).read_text(encoding="utf-8"))
        own = {MARKER, *map(str, marker["files"])} if marker["rxcalc-site"] == 1 else set()
    except (OSError, ValueError, KeyError, TypeError):
        own = set()
    if not own:
        return NotWritten(
            f"cannot write `{target}`: it holds other files and is no earlier site of rxcalc",
            "choose a new or empty folder with -o",
        )
    others = [name for name in held if name not in own]
    if others:
        more = f" and {len(others) - 1} more" if len(others) > 1 else ""
        return NotWritten(
            f"cannot replace `{target}`: it holds `{others[0]}`{more}, not made by rxcalc",
            "move what is yours out of it, or choose another folder with -o",
        )
    return None
