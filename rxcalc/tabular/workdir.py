"""The private folder of a run beside its results: what is put aside, and the journal from which an interrupted run goes on."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import stat
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

from rxcalc.tabular import problems
from rxcalc.tabular.problems import UsageProblem

JOURNAL: Final = "journal.jsonl"

Entry = Mapping[str, Any]


class WorkFolder:
    """A folder of mode 0700, held by one run at a time.

    Its journal has one JSON object a line, after a hash of it and of all lines before: what was changed, cut out or
    torn ends what can be believed.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor
        self._chain = ""

    def entries(self) -> list[Entry]:
        """What an interrupted run has noted, up to the first line that is not as it was written; later ones are cut off."""
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        with os.fdopen(os.dup(self._descriptor), "rb") as file:
            data = file.read()
        found: list[Entry] = []
        good = 0
        self._chain = ""
        for line in data.splitlines(keepends=True):
            digest, _, body = line.partition(b" ")
            if not body.endswith(b"\n") or digest.decode(errors="replace") != self._linked(body):
                break
            try:
                entry = json.loads(body)
            except (ValueError, RecursionError):
                break
            if not isinstance(entry, dict):
                break
            found.append(entry)
            good += len(line)
            self._chain = digest.decode()
        os.ftruncate(self._descriptor, good)
        os.lseek(self._descriptor, 0, os.SEEK_END)
        return found

    def note(self, entry: Entry, *, sync: bool = False) -> None:
        """Add a line to the journal; with `sync` it is on the disk before this returns."""
        body = (json.dumps(entry, ensure_ascii=False, separators=(",", ":")) + "\n").encode(errors="surrogatepass")
        self._chain = self._linked(body)
        data = self._chain.encode() + b" " + body
        while data:
            data = data[os.write(self._descriptor, data) :]
        if sync:
            os.fsync(self._descriptor)

    def _linked(self, body: bytes) -> str:
        """The hash of a line and all before."""
        return blake2b(self._chain.encode() + body, digest_size=12).hexdigest()

    def clear(self) -> None:
        """Remove everything that an earlier run has left here."""
        self._chain = ""
        os.ftruncate(self._descriptor, 0)
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        for entry in self.path.iterdir():
            if entry.name != JOURNAL:
                with contextlib.suppress(OSError):
                    shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()

    def close(self) -> None:
        """Let go of the folder; it stays."""
        with contextlib.suppress(OSError):
            os.close(self._descriptor)

    def remove(self) -> None:
        """Remove the folder with everything in it; never fails."""
        shutil.rmtree(self.path, ignore_errors=True)
        self.close()


def open_folder(path: Path) -> WorkFolder | UsageProblem:
    """The folder, made when it is not there; refused while another run holds it, and when it is somebody else's."""
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
    try:
        with contextlib.suppress(FileExistsError):
            path.mkdir(mode=0o700)
        found = path.lstat()
        if not stat.S_ISDIR(found.st_mode):
            return problems.cannot_write(str(path), "it is no folder, and the parts of a run are to go there")
        if hasattr(os, "getuid") and found.st_uid != os.getuid():
            return problems.cannot_write(str(path), "it belongs to somebody else")
        descriptor = os.open(path / JOURNAL, flags, 0o600)
    except OSError as error:
        return problems.cannot_write(str(path), error.strerror or str(error))
    if not _locked(descriptor):
        os.close(descriptor)
        return problems.other_run(str(path))
    return WorkFolder(path, descriptor)


def _locked(descriptor: int) -> bool:
    """Whether this process has the file alone. Systems without such locks cannot tell."""
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
