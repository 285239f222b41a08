"""`rxcalc verify --rerun`: the batch of a summary run once more, into a private folder, and compared byte by byte."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from rxcalc import __version__
from rxcalc.diagnostics.model import Sink
from rxcalc.driver.batch import run_batch
from rxcalc.driver.batch_report import BatchOptions
from rxcalc.driver.cached import plan_for
from rxcalc.driver.find import Found
from rxcalc.driver.verify import Again, Book, Entry, FileCheck, Summary, is_read, read_summary
from rxcalc.driver.versions_run import run_versions
from rxcalc.plan.nodes import Plan
from rxcalc.tabular.encodings import CHOICES
from rxcalc.tabular.locators import locate
from rxcalc.tabular.problems import UsageProblem

_PASSING: Final = frozenset({"rxcalc", "seconds", "rulebook"})  # the rulebook is compared by its digest before
_TAKEN_OVER: Final[Mapping[str, tuple[object, ...]]] = {  # options that are texts or flags, with the values they have
    "max_rejects": (),
    "encoding": CHOICES,
    "names": ("step", "label", "nhsa"),
    "excel": (False, True),
    "language": ("en", "zh"),
}


def run_again(summary: Summary, files: Sequence[FileCheck], temp_dir: Path | None, threads: int) -> Again:
    """Whether a run of today on the same rulebook and inputs gives the same files and the same summary."""
    unfit = [f"{c.what} {c.outcome}" for c in files if is_read(c.what) and c.outcome not in ("holds", "not checked")]
    unfit += [f"{c.what} {c.outcome}" for c in files if _is_book(c.what) and c.outcome != "holds"]
    if unfit:
        return Again(version=__version__, why_not=f"what the run read is not the same: {', '.join(unfit[:5])}")
    plans = [_plan(book) for book in summary.books]
    known = [plan for plan in plans if plan is not None]
    if len(known) < len(plans):
        return Again(version=__version__, why_not="the rulebook has errors now: see `rxcalc check`")
    with tempfile.TemporaryDirectory(prefix=".rxcalc-verify-", dir=temp_dir) as name:
        options = _options(summary, Path(name), threads)
        if isinstance(options, str):
            return Again(version=__version__, why_not=options)
        report = run_batch(known[0], options) if len(known) == 1 else run_versions(known, options)
        again = read_summary(options.summary_path)
        if isinstance(again, UsageProblem):
            why = report.problem.message if report.problem is not None else again.message
            return Again(version=__version__, why_not=f"the run failed: {why}")
        return Again(version=__version__, files=_compared(summary, again), parts=_parts(summary, again))


def _plan(book: Book) -> Plan | None:
    assert book.path is not None  # noqa: S101 - its hash holds
    return plan_for(Found(book.path, book.shown), Sink())


def _is_book(what: str) -> bool:
    return what.startswith("rulebook ")


def _options(summary: Summary, folder: Path, threads: int) -> BatchOptions | str:
    """The batch that the summary tells of, its files going to `folder`; or what it does not tell rightly."""
    by_what = {entry.what: entry for entry in summary.entries}
    told: Mapping[str, Any] = summary.body["options"]
    select, columns = told.get("select", []), told.get("columns", {})
    if not isinstance(select, list) or not all(isinstance(name, str) for name in select):
        return "the summary's options.select is no list of names"
    if not isinstance(columns, dict) or not all(isinstance(column, str) for column in columns.values()):
        return "the summary's options.columns maps no names to columns"
    lists = {what.split(".")[1]: e.path for what, e in by_what.items() if _place(what, "lists", "input")}
    results = by_what.get("results")
    paths: dict[str, Path] = {}
    for what in ("rejects", "findings", "closing"):
        if what in by_what:
            paths[what] = _copy(folder, by_what[what])
    groups = [e for what, e in by_what.items() if _place(what, "groups", "input")]
    options = BatchOptions(
        episodes=by_what["input"].path,
        results=_copy(folder, results) if results is not None else folder / _guess(by_what.get("rejects")),
        summary=folder / "again.json",
        rejects=paths.get("rejects"),
        findings=paths.get("findings"),
        closing=paths.get("closing"),
        select=tuple(select),
        columns=columns,
        after_reject="compute" if told.get("after_reject") == "compute" else "refuse",
        threads=threads,
        lists=lists,
        list_results={
            what.split(".")[1]: _copy(folder, e) for what, e in by_what.items() if _place(what, "lists", "results")
        },
        earlier=tuple(e.path for what, e in by_what.items() if what.startswith("earlier.")),
        opening=by_what["opening"].path if "opening" in by_what else None,
        groups=groups[0].path.parent if groups else None,
        groups_out=_own_folder(folder, "groups"),
    )
    more: dict[str, Any] = {}
    for name, known in _TAKEN_OVER.items():
        if name in told:
            is_known = told[name] in known if known else isinstance(told[name], str)
            if not is_known or isinstance(told[name], list | dict):
                return f"the summary's options.{name} is none"
            more[name] = told[name]
    return dataclasses.replace(options, **more)


def _place(what: str, section: str, kind: str) -> bool:
    parts = what.split(".")
    return len(parts) == 3 and parts[0] == section and parts[2] == kind


def _copy(folder: Path, entry: Entry) -> Path:
    """Where an output of the run of today goes: a file, or a table of a database, of the same name."""
    place = _own_folder(folder, entry.what)
    found = locate(entry.path)
    if isinstance(found, UsageProblem) or not found.scheme:
        return place / entry.name
    return Path(f"{found.scheme}:{place / found.file.name}?table={found.part}")


def _own_folder(folder: Path, what: str) -> Path:
    """A folder of its own for each output, since in the run they may have had the same name in several."""
    place = folder / what.replace("/", "_")
    place.mkdir(exist_ok=True)
    return place


def _guess(rejects: Entry | None) -> str:
    """The name of results that were not published: their companions are named after it."""
    return rejects.name.replace(".rejects.", ".", 1) if rejects is not None else "results.csv"


def _compared(summary: Summary, again: Summary) -> tuple[FileCheck, ...]:
    """Every file that was written, as it was and as it is now."""
    now = {entry.what: entry for entry in again.entries}
    found: list[FileCheck] = []
    for entry in summary.entries:
        if is_read(entry.what):
            continue
        other = now.pop(entry.what, None)
        if other is None:
            found.append(FileCheck(entry.what, entry.name, "missing", entry.sha256, why="this run does not write it"))
        else:
            same = other.sha256 == entry.sha256
            found.append(FileCheck(entry.what, entry.name, "holds" if same else "differs", entry.sha256, other.sha256))
    found += [FileCheck(w, e.name, "differs", "", e.sha256) for w, e in now.items() if not is_read(w)]
    return tuple(found)


def _parts(summary: Summary, again: Summary) -> tuple[str, ...]:
    """The parts of the summary that differ, apart from hashes and places of files."""
    old, new = _bare(dict(summary.body)), _bare(dict(again.body))
    names = [name for name in {**old, **new} if name not in _PASSING]
    return tuple(name for name in names if old.get(name) != new.get(name))


def _bare(node: Any) -> Any:
    """JSON without what is compared elsewhere or may differ: hashes, sizes and places."""
    if isinstance(node, dict):
        is_file = "sha256" in node
        own = {k: v for k, v in node.items() if not (is_file and k in ("name", "path", "bytes", "sha256"))}
        return {key: _bare(part) for key, part in own.items()}
    return [_bare(part) for part in node] if isinstance(node, list) else node
