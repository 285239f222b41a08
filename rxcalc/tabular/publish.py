"""Output files appear whole or not at all: written beside the target, synced, renamed."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

from rxcalc.tabular import problems
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

    def finish(self) -> None:
        """Bring the bytes to the disk; the file keeps its temporary name."""
        self._wait()
        self._file.flush()
        os.fsync(self._file.fileno())
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


def open_draft(target: Path, made: list[Path] | None = None) -> Draft | UsageProblem:
    """A new draft for `target`, or why none can be made there.

    Its temporary name is added to `made` before the file is there, so that a signal finds none unknown.
    """
    if target.is_dir():
        return problems.cannot_write(str(target), "it is a folder")
    if target.exists() and not target.is_file():
        return problems.cannot_write(str(target), "it is no regular file")
    shown, target = target, Path(os.path.realpath(target))  # a link stays a link; the file behind it is replaced
    folder = target.parent
    if not folder.is_dir():
        return problems.cannot_write(str(target), f"the folder {str(folder)!r} does not exist")
    temporary = folder / f".{target.name[:100]}.{secrets.token_hex(6)}.part"
    if made is not None:
        made.append(temporary)
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0), 0o600)
    except OSError as error:
        return problems.cannot_write(str(target), error.strerror or str(error))
    return Draft(target, temporary, os.fdopen(descriptor, "wb", buffering=1 << 20), shown)


def publish(drafts: tuple[Draft, ...]) -> UsageProblem | None:
    """Give finished drafts their names and the usual permissions, in order; on a failure those not yet named are removed."""
    failing = drafts[0]
    try:
        for draft in drafts:
            failing = draft
            draft.finish()
        usual = 0o666 & ~_umask()
        for draft in drafts:
            draft.temporary.chmod(_mode(draft.target, usual))
        # The results, which come first, get their name last: they never stand without their rejects.
        for draft in reversed(drafts):
            failing = draft
            draft.temporary.replace(draft.target)
        for folder in {draft.target.parent for draft in drafts}:
            _sync_folder(folder)
    except OSError as error:
        for draft in drafts:
            draft.discard()
        return problems.cannot_write(str(failing.shown), error.strerror or str(error))
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
    seen = {_identity(source): what for what, source in sources}
    for what, target in targets:
        key = _identity(target)
        if key in seen:
            return problems.same_file(str(target), seen[key])
        seen[key] = what
    return None


def _identity(path: Path) -> tuple[object, ...]:
    try:
        found = path.stat()
    except OSError:
        return (str(path.resolve()),)
    return (found.st_dev, found.st_ino)


def _sync_folder(folder: Path) -> None:
    with contextlib.suppress(OSError):  # some file systems refuse to sync folders; the rename itself is done
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
