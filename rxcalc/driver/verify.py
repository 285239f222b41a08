"""`rxcalc verify`: whether the files that a summary names are still those of the run, and its accounts theirs."""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from rxcalc.driver.find import digest_of
from rxcalc.shipped import rulebooks_folder
from rxcalc.tabular import problems
from rxcalc.tabular.locators import file_of, is_database
from rxcalc.tabular.problems import UsageProblem
from rxcalc.tabular.summary import FORMAT, place_at

Outcome = Literal["holds", "differs", "missing", "unreadable", "not checked"]

_MAX_BYTES: Final = 256 << 20  # `affected_by_reversals` may name many episodes
_HASH: Final = re.compile(r"[0-9a-f]{64}")
_STATUS: Final = ("complete", "incomplete", "refused")
_CHUNK: Final = 4 << 20


@dataclass(frozen=True, slots=True)
class Entry:
    """A file that a summary names: what it is there (`lists.lines.results`), where it is, its bytes and SHA-256."""

    what: str
    name: str
    path: Path
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Book:
    """A rulebook that a summary names, with the files that it reads beside its own."""

    name: str
    version: str
    path: Path | None  # None: the summary does not say where it is
    shown: str
    files: tuple[str, ...]
    digest: str


@dataclass(frozen=True, slots=True)
class Summary:
    """A summary as read: only what has the form that `rxcalc batch` writes is taken from it."""

    path: Path
    body: Mapping[str, Any]
    entries: tuple[Entry, ...]
    books: tuple[Book, ...]

    def entry(self, what: str) -> Entry | None:
        """The file by what it is."""
        return next((entry for entry in self.entries if entry.what == what), None)


@dataclass(frozen=True, slots=True)
class FileCheck:
    """What became of one file. `expected` and `found` are SHA-256."""

    what: str
    path: str
    outcome: Outcome
    expected: str
    found: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class SumCheck:
    """A count or sum of the summary held against what the files, or its own parts, add up to."""

    what: str
    recorded: str
    found: str

    @property
    def holds(self) -> bool:
        """Whether both say the same."""
        return self.recorded == self.found


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """What came of running the batch once more: per file and part of the summary whether it is the same."""

    version: str  # of rxcalc now
    files: tuple[FileCheck, ...] = ()
    parts: tuple[str, ...] = ()  # parts of the summary that differ
    why_not: str = ""  # it was not run


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyReport:
    """The outcome of a verification."""

    summary: Summary
    files: tuple[FileCheck, ...]
    sums: tuple[SumCheck, ...]
    notes: tuple[str, ...] = ()
    again: Again | None = None

    @property
    def holds(self) -> bool:
        """Whether everything that was looked at is as recorded."""
        if self.again is not None:
            same = all(check.outcome == "holds" for check in self.again.files)
            if self.again.why_not or self.again.parts or not same:
                return False
        return all(check.outcome in ("holds", "not checked") for check in self.files) and all(
            check.holds for check in self.sums
        )


# ---- reading a summary ----------------------------------------------------------------------------------


@dataclass(slots=True)
class _Wrong(Exception):  # noqa: N818 - never leaves this module
    """Why a file is no summary."""

    why: str


def read_summary(path: Path) -> Summary | UsageProblem:
    """The summary, or why it cannot be taken for one. Nothing in it is believed before it has been looked at."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return problems.cannot_read(str(path), "it is no regular file")
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        return problems.cannot_read(str(path), getattr(error, "strerror", None) or str(error))
    if len(data) > _MAX_BYTES:
        return _none(path, f"it has more than {_MAX_BYTES >> 20} MiB")
    try:
        body = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        return _none(path, f"byte {error.start:,} is not UTF-8")
    except json.JSONDecodeError as error:
        return _none(path, f"line {error.lineno} is not JSON: {error.msg}")
    except (ValueError, RecursionError):  # a number of thousands of digits; brackets without end
        return _none(path, "it holds JSON that no run writes")
    try:
        return _summary(path, body)
    except _Wrong as wrong:
        return _none(path, wrong.why)


def _none(path: Path, why: str) -> UsageProblem:
    return UsageProblem(
        f"{str(path)!r} is no summary of `rxcalc batch`: {why}", ("give the file .summary.json beside the results",)
    )


def _summary(path: Path, body: object) -> Summary:
    if not isinstance(body, dict):
        raise _Wrong("it holds no JSON object")
    if not isinstance(body.get("rxcalc"), str) or body.get("status") not in _STATUS:
        raise _Wrong("it does not say which rxcalc made it, or with what status")
    if body.get("format") != FORMAT or isinstance(body.get("format"), bool):
        raise _Wrong(f"its format is {str(body.get('format'))[:20]!r}, this rxcalc reads format {FORMAT}")
    entries = tuple(_entries(path.parent, body, ""))
    if not any(entry.what == "input" for entry in entries):
        raise _Wrong("it names no input")
    for name in ("counts", "totals", "options", "columns"):
        if not isinstance(body.get(name), dict):
            raise _Wrong(f"it has no {name}")
    return Summary(path, body, entries, _books(path.parent, body.get("rulebook")))


def _entries(folder: Path, node: object, at: str) -> Iterator[Entry]:
    """Every file that the summary names, in its order; a file is an object with a name and a hash."""
    if isinstance(node, list):
        node = {str(number): part for number, part in enumerate(node)}
    if not isinstance(node, dict):
        return
    if "sha256" in node:
        name, size, digest = node.get("name"), node.get("bytes"), node.get("sha256")
        told = node.get("path", name)
        if not isinstance(name, str) or not isinstance(told, str) or not told or "\0" in told:
            raise _Wrong(f"{at or 'it'} has a hash, but no file")
        if name != Path(name).name or name in ("", ".", ".."):
            raise _Wrong(f"the name of {at} is not that of a file alone")
        if not isinstance(size, int) or isinstance(size, bool) or not isinstance(digest, str):
            raise _Wrong(f"{at} has no size or hash")
        if size < 0 or not _HASH.fullmatch(digest):
            raise _Wrong(f"the size or hash of {at} is none")
        yield Entry(at, name, place_at(folder, told), size, digest)
    for key, part in node.items():
        yield from _entries(folder, part, f"{at}.{key}" if at else str(key))


def _books(folder: Path, told: object) -> tuple[Book, ...]:
    """The rulebook; of several versions each."""
    if not isinstance(told, dict):
        raise _Wrong("it names no rulebook")
    versions = told.get("versions")
    if isinstance(versions, list) and versions:
        return tuple(_book(folder, one) for one in versions)
    return (_book(folder, told),)


def _book(folder: Path, told: object) -> Book:
    if not isinstance(told, dict):
        raise _Wrong("a version of the rulebook is no object")
    name, version, digest = (told.get(key) for key in ("name", "version", "digest"))
    if not isinstance(name, str) or not isinstance(version, str) or not isinstance(digest, str):
        raise _Wrong("it does not say which rulebook was run")
    files, path, shipped = told.get("files", []), told.get("path"), told.get("shipped")
    if not isinstance(files, list) or not all(isinstance(file, str) and "\0" not in file for file in files):
        raise _Wrong("the files of the rulebook are not named")
    if isinstance(shipped, str) and shipped and ".." not in Path(shipped).parts and "\0" not in shipped:
        place = rulebooks_folder() / shipped
        return Book(name, version, place, str(Path("rulebooks") / shipped), tuple(files), digest)
    if isinstance(path, str) and path and "\0" not in path:
        return Book(name, version, folder / path, path, tuple(files), digest)
    return Book(name, version, None, name, tuple(files), digest)


# ---- files ----------------------------------------------------------------------------------------------


def check_book(book: Book) -> FileCheck:
    """Whether the rulebook, with all the files it reads, is the one that was run."""
    what = f"rulebook {book.name} {book.version}"
    if book.path is None:
        return FileCheck(what, book.shown, "not checked", book.digest, why="the summary does not say where it is")
    for file in (book.path, *(book.path.parent / other for other in book.files)):
        told = _unfit(file)
        if told is not None:
            shown = book.shown if file == book.path else str(file)
            return FileCheck(what, shown, told[0], book.digest, why=told[1])
    try:
        found = digest_of(book.path, book.files)
    except OSError as error:
        return FileCheck(what, book.shown, "unreadable", book.digest, why=error.strerror or str(error))
    return FileCheck(what, book.shown, "holds" if found == book.digest else "differs", book.digest, found)


def is_read(what: str) -> bool:
    """Whether a file of a summary was read by the run, not written."""
    return what in ("input", "opening") or what.endswith(".input") or what.startswith("earlier.")


def check_file(entry: Entry, name: str = "") -> FileCheck:
    """Whether a file has the bytes that the summary says."""
    shown = name or str(entry.path)
    file = file_of(entry.path)
    if is_database(entry.path) and not is_read(entry.what):
        if not file.is_file():
            return FileCheck(entry.what, shown, "missing", entry.sha256, why="there is no such database")
        why = "a table of a database has no bytes of its own; its records and sums are added up"
        return FileCheck(entry.what, shown, "not checked", entry.sha256, why=why)
    told = _unfit(file)
    if told is not None:
        return FileCheck(entry.what, shown, told[0], entry.sha256, why=told[1])
    total = hashlib.sha256()
    try:
        with file.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                total.update(chunk)
    except OSError as error:
        return FileCheck(entry.what, shown, "unreadable", entry.sha256, why=error.strerror or str(error))
    found = total.hexdigest()
    return FileCheck(entry.what, shown, "holds" if found == entry.sha256 else "differs", entry.sha256, found)


def _own_database(entry: Entry, summary: Summary) -> FileCheck | None:
    """An input in the database to which the run has added its own tables: the bytes are others since."""
    if not is_read(entry.what) or not is_database(entry.path):
        return None
    written = (file_of(e.path) for e in summary.entries if not is_read(e.what) and is_database(e.path))
    if file_of(entry.path) not in written or not file_of(entry.path).is_file():
        return None
    why = "the run has added its results to the same database, whose bytes are others since"
    return FileCheck(entry.what, str(entry.path), "not checked", entry.sha256, why=why)


def _unfit(path: Path) -> tuple[Outcome, str] | None:
    """Why a file cannot be read at all: what is no regular file is never opened."""
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return "missing", "there is no such file"
    except (OSError, ValueError) as error:
        return "unreadable", getattr(error, "strerror", None) or str(error)
    return None if stat.S_ISREG(mode) else ("unreadable", "it is no regular file")


# ---- everything -----------------------------------------------------------------------------------------


def verify(
    path: Path, *, rerun: bool = False, temp_dir: Path | None = None, threads: int = 0
) -> VerifyReport | UsageProblem:
    """Holds a summary against its files: hashes, counts and sums; with `rerun` against a run of today too."""
    from rxcalc.driver.verify_accounts import check_accounts

    summary = read_summary(path)
    if isinstance(summary, UsageProblem):
        return summary
    files = [check_book(book) for book in summary.books]
    files += [_own_database(entry, summary) or check_file(entry) for entry in summary.entries]
    outcomes = {check.what: check.outcome for check in files}
    threads = threads or os.cpu_count() or 1
    sums, notes = check_accounts(summary, outcomes, threads)
    again = None
    if rerun:
        from rxcalc.driver.verify_again import run_again

        again = run_again(summary, files, temp_dir, threads)
    return VerifyReport(summary=summary, files=tuple(files), sums=tuple(sums), notes=tuple(notes), again=again)
