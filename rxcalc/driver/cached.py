"""Compiled plans kept between runs, as data.

A cache entry is JSON, never code. It is named by the rulebook's bytes, the way messages call the
file, and a stamp of rxcalc's own files, so neither a changed rulebook nor a changed rxcalc can
meet an old plan; the hash of its tables and bases stands inside and is compared too. Whatever cannot be read
is compiled again; whatever cannot be written is not kept. `RXCALC_CACHE=off` turns it off.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rxcalc import __version__
from rxcalc.driver.find import Found, digest_of, same_bases
from rxcalc.shipped import grammar_file

if TYPE_CHECKING:
    from rxcalc.diagnostics.model import Sink
    from rxcalc.plan.nodes import Plan

MAX_BYTES: Final = 4 * 1024 * 1024
MAX_ENTRIES: Final = 64
STAGES: Final = ("lang", "rulebook", "syntax", "typed", "plan")


def plan_for(found: Found, sink: Sink) -> Plan | None:
    """The plan of a rulebook file, from the cache or compiled; None after errors (in the sink)."""
    entry = _entry(found)
    if entry is not None:
        plan = _load(entry, found)
        if plan is not None:
            return plan
    from rxcalc.driver.compile import compile_file

    compiled = compile_file(found.path, found.shown, sink)
    if compiled is None:
        return None
    if entry is not None:
        _save(entry, compiled.plan)
    return compiled.plan


def folder() -> Path | None:
    """The cache folder, or None when caching is off."""
    if os.environ.get("RXCALC_CACHE", "").lower() in ("off", "0", "no"):
        return None
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")  # noqa: PTH111, PTH118 - no home must not raise
    return Path(base) / "rxcalc" if Path(base).is_absolute() else None


def _entry(found: Found) -> Path | None:
    place = folder()
    if place is None:
        return None
    try:
        content = found.path.read_bytes()
    except OSError:
        return None
    total = hashlib.sha256()
    for part in (__version__.encode(), _stamp().encode(), found.shown.encode("utf-8", "surrogateescape"), content):
        total.update(len(part).to_bytes(8, "big"))
        total.update(part)
    return place / f"{total.hexdigest()}.plan"


def _stamp() -> str:
    """Names, sizes and times of the files that decide what a plan is."""
    package = Path(__file__).resolve().parent.parent
    seen: list[str] = []
    for stage in STAGES:
        with contextlib.suppress(OSError), os.scandir(package / stage) as files:
            for file in files:
                if file.name.endswith(".py"):
                    info = file.stat()
                    seen.append(f"{stage}/{file.name}:{info.st_size}:{info.st_mtime_ns}")
    with contextlib.suppress(OSError):
        info = grammar_file().stat()
        seen.append(f"grammar:{info.st_size}:{info.st_mtime_ns}")
    return "\n".join(sorted(seen))


def _load(entry: Path, found: Found) -> Plan | None:
    from rxcalc.plan.codec import decode

    try:
        head, _, body = _own_text(entry).partition("\n")
        if hashlib.sha256(body.encode()).hexdigest() != head:
            return None
        plan = decode(body)
        is_current = same_bases(found.path, plan.bases) and plan.digest == digest_of(found.path, plan.files)
        return plan if is_current else None
    except (OSError, ValueError, TypeError, IndexError, KeyError, AttributeError, RecursionError):
        return None


def _own_text(entry: Path) -> str:
    """The text of an entry that this user wrote and nobody else could; ValueError for anything else."""
    for path in (entry.parent, entry):
        info = path.lstat()
        foreign = hasattr(os, "getuid") and (info.st_uid != os.getuid() or info.st_mode & 0o022)
        if foreign or not (stat.S_ISDIR(info.st_mode) if path != entry else stat.S_ISREG(info.st_mode)):
            message = f"{path} is not ours alone"
            raise ValueError(message)
    with entry.open("rb") as file:
        data = file.read(2 * MAX_BYTES + 1)
    if len(data) > 2 * MAX_BYTES:
        message = "too large for an entry"
        raise ValueError(message)
    return data.decode()


def _save(entry: Path, plan: Plan) -> None:
    from rxcalc.plan.codec import encode

    body = encode(plan)
    if len(body) > MAX_BYTES:
        return
    head = hashlib.sha256(body.encode()).hexdigest()
    with contextlib.suppress(OSError):
        entry.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(dir=entry.parent, prefix=".plan-")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.write(f"{head}\n{body}")
            Path(name).replace(entry)
        except OSError:
            Path(name).unlink(missing_ok=True)
        _prune(entry.parent)


def _prune(place: Path) -> None:
    """Keeps the newest entries only."""
    entries = sorted(place.glob("*.plan"), key=lambda p: p.stat().st_mtime)
    for old in entries[:-MAX_ENTRIES]:
        old.unlink(missing_ok=True)
