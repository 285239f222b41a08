"""Output files appear whole or not at all: written beside the target, synced, renamed."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Final

from rxcalc.tabular import problems
from rxcalc.tabular.locators import Locator, file_of, is_database, locate
from rxcalc.tabular.problems import UsageProblem

_SYNC_EVERY: Final = 24 << 20


@dataclass(slots=True)
class Draft:
    """A file being written under a private temporary name (mode 0600). `digest` is of what was written."""

    target: Path
    temporary: Path
    _file: BinaryIO
    shown: Path  # the target as it was named
    _hash: object = field(default_factory=hashlib.sha256)
    size: int = 0
    _synced: int = 0
    _syncing: threading.Thread | None = None
    placed: bool = False  # it bears its name already

    @property
    def table(self) -> bool:
        """Whether it is put aside for a table of a database."""
        return is_database(self.shown)

    def write(self, data: bytes | memoryview) -> None:
        """Append bytes. Raises OSError, as when the disk is full."""
        self._file.write(data)
        self._hash.update(data)  # type: ignore[attr-defined]  # hashlib's objects have no public type
        self.size += len(data)
        if self.size - self._synced > _SYNC_EVERY and (self._syncing is None or not self._syncing.is_alive()):
            # The disk starts early, so that the sync at the end has little left to wait for.
            self._synced = self.size
            self._syncing = threading.Thread(target=_sync, args=(self._file.fileno(),), daemon=True)
            self._syncing.start()

    @property
    def digest(self) -> str:
        """SHA-256 of the bytes written so far."""
        return str(self._hash.hexdigest())  # type: ignore[attr-defined]  # as above

    def state(self) -> dict[str, Any]:
        """What `reopen_draft` needs to go on from here: everything written so far is with the operating system."""
        if not self._file.closed:
            self._file.flush()
        return {"part": str(self.temporary), "size": self.size, "sha256": self.digest}

    def flush(self) -> None:
        """Everything written so far is there for whoever reads the temporary file."""
        self._file.flush()

    def become(self, made: Path) -> None:
        """Another file, made of this one in the same folder, takes its place."""
        self._wait()
        self._file.close()
        self.temporary.unlink(missing_ok=True)
        self.temporary = made
        self._hash, self.size = hashlib.sha256(), 0
        self._file = made.open("r+b", buffering=0)
        while data := self._file.read(1 << 20):
            self._hash.update(data)
            self.size += len(data)
        self._synced = self.size

    def finish(self) -> None:
        """Bring the bytes to the disk; the file keeps its temporary name."""
        self._wait()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()

    def leave(self) -> None:
        """Close the file and let it stay, for a run that goes on from here."""
        self._wait()
        with contextlib.suppress(OSError):
            self._file.close()

    def discard(self) -> None:
        """Remove the file; never fails."""
        self._wait()
        with contextlib.suppress(OSError):
            self._file.close()
        with contextlib.suppress(OSError):
            self.temporary.unlink(missing_ok=True)

    def _wait(self) -> None:
        if self._syncing is not None:
            self._syncing.join()
            self._syncing = None


def _sync(descriptor: int) -> None:
    with contextlib.suppress(OSError):  # the sync at the end meets and reports what fails here
        os.fsync(descriptor)


def open_draft(target: Path, made: list[Path] | None = None, parts: Path | None = None) -> Draft | UsageProblem:
    """A new draft for `target`, or why none can be made there.

    Its temporary name is added to `made` before the file is there, so that a signal finds none unknown. It is in the
    folder `parts`, if a file there can be renamed to the target, else beside it.
    """
    shown, target = target, file_of(target)
    if target.is_dir():
        return problems.cannot_write(str(target), "it is a folder")
    if target.exists() and not target.is_file():
        return problems.cannot_write(str(target), "it is no regular file")
    target = Path(os.path.realpath(target))  # a link stays a link; the file behind it is replaced
    folder = target.parent
    if not folder.is_dir():
        return problems.cannot_write(str(target), f"the folder {str(folder)!r} does not exist")
    if parts is not None and _same_disk(parts, folder):
        folder = parts
    temporary = folder / f".{target.name[:100]}.{secrets.token_hex(6)}.part"
    if made is not None:
        made.append(temporary)
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0), 0o600)
    except OSError as error:
        return problems.cannot_write(str(target), error.strerror or str(error))
    return Draft(target, temporary, os.fdopen(descriptor, "wb", buffering=1 << 20), shown)


def is_part(path: Path) -> bool:
    """Whether a file bears the kind of name that only drafts have."""
    return re.fullmatch(r"\..{1,100}\.[0-9a-f]{12}\.part", path.name, re.DOTALL) is not None


def _same_disk(one: Path, other: Path) -> bool:
    try:
        return one.stat().st_dev == other.stat().st_dev
    except OSError:
        return False


def reopen_draft(target: Path, state: Mapping[str, Any], made: list[Path], parts: Path) -> Draft | None:
    """The draft of an interrupted run as it was at a `state`; None when its part is not what it was."""
    shown, target = target, Path(os.path.realpath(file_of(target)))
    temporary = Path(state["part"])
    if temporary.parent not in (target.parent, parts) or not is_part(temporary):
        return None
    try:
        descriptor = os.open(temporary, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0))
    except OSError:
        return None
    made.append(temporary)
    file = os.fdopen(descriptor, "r+b", buffering=1 << 20)
    size = int(state["size"])
    if file.seek(0, os.SEEK_END) < size:
        file.close()
        return None
    file.truncate(size)
    file.seek(size)
    return Draft(target, temporary, file, shown, _Proving(temporary, size, state["sha256"]), size, size)


class DamagedError(OSError):
    """A part is not what the journal says."""


class _Proving:
    """The hash of a part of an interrupted run, made on a thread of its own while the run reads on; raises DamagedError when it is another."""

    def __init__(self, path: Path, size: int, expected: str) -> None:
        self._path, self._size, self._expected = path, size, expected
        self._hash = hashlib.sha256()
        self._thread: threading.Thread | None = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        left = self._size
        with contextlib.suppress(OSError), self._path.open("rb") as file:  # what cannot be read is not as expected
            while left and (data := file.read(min(left, 1 << 20))):
                self._hash.update(data)
                left -= len(data)

    def _proven(self) -> None:
        if self._thread is not None:
            self._thread.join()
            self._thread = None
            if self._hash.hexdigest() != self._expected:
                message = "a part of the interrupted run was damaged"
                raise DamagedError(5, message, str(self._path))

    def update(self, data: bytes | memoryview) -> None:
        """More bytes."""
        self._proven()
        self._hash.update(data)

    def hexdigest(self) -> str:
        """The hash so far."""
        self._proven()
        return self._hash.hexdigest()


def placed_draft(target: Path, state: Mapping[str, Any]) -> Draft | None:
    """A draft that an interrupted run had given its name already; None when the file is another."""
    if is_database(target):  # its part stays till the table is there
        return None
    shown, target = target, Path(os.path.realpath(target))
    try:
        with target.open("rb") as file:
            found = hashlib.file_digest(file, "sha256")
            size = file.tell()
            if size != state["size"] or found.hexdigest() != state["sha256"]:
                return None
    except OSError:
        return None
    return Draft(target, Path(state["part"]), BytesIO(), shown, found, size, size, placed=True)


def placed_table(target: Path, state: Mapping[str, Any]) -> Draft:
    """The draft of a table that an interrupted run had put into its database already."""
    return Draft(
        Path(os.path.realpath(file_of(target))), Path(state["part"]), BytesIO(), target, _Known(state["sha256"]),
        state["size"], state["size"], placed=True,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Known:
    """A hash of which only the result is known."""

    value: str

    def hexdigest(self) -> str:
        """The result."""
        return self.value


def publish(drafts: tuple[Draft, ...], ready: Callable[[], None] = lambda: None) -> UsageProblem | None:
    """Give finished drafts their names and the usual permissions, in order; on a failure those not yet named are removed.

    `ready` is called when all bytes are on the disk, before the first file gets its name.
    """
    drafts = tuple(draft for draft in drafts if not draft.placed)
    if not drafts:
        return None
    failing = drafts[0]
    loads = None
    try:
        for draft in drafts:
            failing = draft
            draft.finish()
        for draft in drafts:
            if draft.table:
                from rxcalc.tabular.write_databases import Loads

                failing = draft
                loads = loads or Loads()
                loads.load(draft.shown, draft.temporary)
        usual = 0o666 & ~_umask()
        files = tuple(draft for draft in drafts if not draft.table)
        for draft in files:
            draft.temporary.chmod(_mode(draft.target, usual))
        ready()
        # The results, which come first, get their name last: they never stand without their rejects.
        for draft in reversed(files):
            failing = draft
            draft.temporary.replace(draft.target)
        if loads is not None:
            failing = next(draft for draft in drafts if draft.table)
            loads.commit()
            for draft in drafts:
                if draft.table:
                    draft.temporary.unlink(missing_ok=True)
        for folder in {draft.target.parent for draft in drafts}:
            _sync_folder(folder)
    except OSError as error:
        if loads is not None:
            loads.undo()
        for draft in drafts:
            draft.discard()
        return problems.cannot_write(str(failing.shown), error.strerror or str(error))
    except BaseException:  # an interruption: databases are let go of, parts stay
        if loads is not None:
            loads.undo()
        raise
    return None


def _mode(target: Path, usual: int) -> int:
    """The permissions of the file that is replaced, else the usual ones."""
    try:
        return target.stat().st_mode & 0o777
    except OSError:
        return usual


def _umask() -> int:
    """The permissions that the user's new files lack; reading them means setting them for a moment."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def distinct_files(sources: tuple[tuple[str, Path], ...], targets: tuple[tuple[str, Path], ...]) -> UsageProblem | None:
    """Refuses targets that are one of the files read, or each other, through links too."""
    seen: dict[tuple[object, ...], dict[str, str]] = {}
    for what, source in sources:
        seen.setdefault(_identity(source), {})[_part(source)] = what
    for what, target in targets:
        own, part = seen.setdefault(_identity(target), {}), _part(target)
        # Tables of one database are several outputs; the file itself is none of them.
        other = own.get(part) or own.get("") or (next(iter(own.values()), None) if not part else None)
        if other is not None:
            return problems.same_file(str(target), other)
        own[part] = what
    return None


def _identity(path: Path) -> tuple[object, ...]:
    file = file_of(path)
    try:
        found = file.stat()
    except OSError:
        return (str(file.resolve()),)
    return (found.st_dev, found.st_ino)


def _part(path: Path) -> str:
    """The table of a database, by which names of any case are one."""
    found = locate(path)
    return found.part.casefold() if isinstance(found, Locator) and found.scheme else ""


def _sync_folder(folder: Path) -> None:
    with contextlib.suppress(OSError):  # some file systems refuse to sync folders; the rename itself is done
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
