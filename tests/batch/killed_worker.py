"""Runs rxcalc and kills it at a named step: `killed_worker.py STEP N WHERE -- arguments`; `count - -` only counts the steps.

Steps are calls that change files: `write` (a part of an output), `note` (the journal), `aside` (rows put aside), `sync`, `mode`,
`rename`. WHERE is `before`, `middle` (half of the bytes are there) or `after`. With `count` the steps go to stderr, one a line.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rxcalc.tabular.publish import Draft
from rxcalc.tabular.spool import Spool
from rxcalc.tabular.workdir import WorkFolder

_counts: dict[str, int] = {}


def _die() -> None:
    sys.stderr.flush()
    os.kill(os.getpid(), signal.SIGKILL)


def watched(step: str, call: Callable[..., Any], half: Callable[..., None] | None = None) -> Callable[..., Any]:
    """The call, which counts itself and kills the process where it is asked to."""

    def run(*args: Any, **named: Any) -> Any:
        at = _counts[step] = _counts.get(step, 0) + 1
        if WANTED[0] == "count":
            sys.stderr.write(f"step {step} {at}\n")
        here = WANTED[0] == step and int(WANTED[1]) == at
        if here and WANTED[2] == "before":
            _die()
        if here and WANTED[2] == "middle" and half is not None:
            half(*args)
            _die()
        found = call(*args, **named)
        if here:
            _die()
        return found

    return run


def on_main_thread(call: Callable[..., Any]) -> Callable[..., Any]:
    """`sync`: not the syncs that start early, on threads of their own."""
    seen = watched("sync", call)
    main = threading.main_thread()

    def run(*args: Any) -> Any:
        return (seen if threading.current_thread() is main else call)(*args)

    return run


def half_written(draft: Any, data: Any) -> None:
    """Half of a part, with the operating system."""
    draft._file.write(memoryview(data)[: len(data) // 2])
    draft._file.flush()


def half_noted(folder: Any, entry: Any) -> None:
    """Half a line of the journal."""
    os.write(folder._descriptor, b'{"kind":"block","pass":"","li')


def half_aside(spool: Any, part: int, frame: Any) -> None:
    """A segment that ends too soon."""
    with spool._path(part).open("ab") as file:
        file.write((1 << 20).to_bytes(8, "big") + b"\0\0\0\0cut short")


WANTED = sys.argv[1:4]
if __name__ == "__main__":
    Draft.write = watched("write", Draft.write, half_written)  # type: ignore[method-assign]
    WorkFolder.note = watched("note", WorkFolder.note, half_noted)  # type: ignore[method-assign]
    Spool.append = watched("aside", Spool.append, half_aside)  # type: ignore[method-assign]
    os.fsync = on_main_thread(os.fsync)  # type: ignore[assignment]
    Path.chmod = watched("mode", Path.chmod)  # type: ignore[method-assign]
    Path.replace = watched("rename", Path.replace)  # type: ignore[method-assign]
    sys.argv = ["rxcalc", *sys.argv[5:]]
    from rxcalc.cli.main import main

    main()
