"""Where rulebooks are: a path, a folder, or the name of a shipped one; and where the base of an overlay is."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rxcalc.rulebook.bases import FoundBase, NoBase
from rxcalc.shipped import rulebooks_folder

if TYPE_CHECKING:
    from rxcalc.plan.nodes import PlanBase

FILE_NAME: Final = re.compile(r"rulebook(@[A-Za-z0-9._-]+)?\.ya?ml")


@dataclass(frozen=True)
class Found:
    """A rulebook file and how messages call it."""

    path: Path
    shown: str


@dataclass(frozen=True)
class NotFound:
    """Why no rulebook was found, and what to do."""

    message: str
    help: str


def shipped() -> tuple[Found, ...]:
    """The shipped rulebooks, by name and version."""
    folder = rulebooks_folder()
    found: list[Found] = []
    for sub in sorted(p for p in folder.iterdir() if p.is_dir()) if folder.is_dir() else ():
        found.extend(Found(file, str(Path("rulebooks") / sub.name / file.name)) for file in _files(sub))
    return tuple(found)


def rulebook(name: str) -> Found | NotFound:
    """The one rulebook that a path or a shipped name (`name@version`) means."""
    path = Path(name)
    if path.is_dir():
        files = _files(path)
        if len(files) == 1:
            return Found(files[0], str(files[0]))
        if files:
            names = ", ".join(f.name for f in files)
            return NotFound(f"`{name}` holds several rulebooks: {names}", "name the file you mean")
        return NotFound(f"`{name}` holds no rulebook", "a rulebook folder has a file `rulebook.yaml`")
    if path.exists() or path.suffix in (".yaml", ".yml") or "/" in name or "\\" in name:
        if not path.exists():
            return NotFound(
                f"there is no file `{name}`", "check the path, or list the shipped rulebooks with `rxcalc rulebooks`"
            )
        return Found(path, name)
    return _shipped(name)


def _shipped(name: str) -> Found | NotFound:
    """The shipped rulebook `name` or `name@version`."""
    base, _, version = name.partition("@")
    folder = rulebooks_folder() / base
    files = _files(folder) if re.fullmatch(r"[A-Za-z0-9_-]+", base) and folder.is_dir() else []
    if version:
        files = [f for f in files if f.stem == f"rulebook@{version}"] or [f for f in files if _has_version(f, version)]
    if len(files) == 1:
        return Found(files[0], str(Path("rulebooks") / base / files[0].name))
    if files:
        versions = ", ".join(f"{base}@{f.stem.partition('@')[2]}" for f in files)
        return NotFound(f"`{name}` has several versions: {versions}", "name the one you mean")
    known = sorted({f.path.parent.name for f in shipped()})
    near = get_close_matches(base, known, n=1)
    hint = f"did you mean `{near[0]}`?" if near else f"shipped rulebooks: {', '.join(known)}; or give a path"
    what = f"version `{version}` of `{base}`" if version and base in known else f"rulebook `{name}`"
    return NotFound(f"there is no {what}", hint)


def base(owner: Path, named: str, limit: Path | None) -> FoundBase | NoBase:
    """The rulebook that the overlay `owner` extends: a path inside its parent folder, or a shipped name.

    A word without a slash and without `.yaml` is a shipped name; nothing depends on the current folder.
    """
    if not re.search(r"[/\\]|\.ya?ml$", named) and named not in (".", ".."):
        found = _shipped(named)
        if isinstance(found, Found):
            return FoundBase(Path(os.path.realpath(found.path)), found.shown)
        beside = f"./{named}" if (owner.parent / named).exists() else f"../{named}"
        path = (owner.parent / beside).exists()
        return NoBase(
            "missing", found.message, f"for the path beside this file write `{beside}`" if path else found.help
        )
    folder = Path(os.path.realpath(owner.parent))
    try:
        real = Path(os.path.realpath(folder / named))
        inside = real.is_relative_to(folder.parent) and (limit is None or real.is_relative_to(limit))
        if not inside or Path(named).is_absolute():
            return NoBase("outside", f"`{named}` is not inside the folder above this rulebook's own", "")
        info = real.stat()
        if stat.S_ISDIR(info.st_mode):
            files = _files(real)
            if len(files) != 1:
                held = f"several rulebooks: {', '.join(f.name for f in files)}" if files else "no rulebook"
                wanted = "name the file you mean" if files else "name a folder with a file `rulebook.yaml`, or a file"
                return NoBase("missing" if files else "irregular", f"`{named}` holds {held}", wanted)
            # The file in a folder may itself be a link that leads away.
            return base(owner, str(Path(named) / files[0].name), limit)
        if not stat.S_ISREG(info.st_mode):
            return NoBase("irregular", f"`{named}` is a pipe, socket or device", "name a file that holds a rulebook")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        is_gone = isinstance(error, FileNotFoundError | NotADirectoryError)
        message = f"there is no file `{named}`" if is_gone else f"cannot read `{named}`: {reason}"
        return NoBase(
            "missing", message, "the path starts at this file's folder; a shipped rulebook is named by its name"
        )
    return FoundBase(real)


def same_bases(path: Path, bases: tuple[PlanBase, ...]) -> bool:
    """Whether the overlay at `path` still stands on these bases: each `extends:` leads to the same file."""
    for one in bases:
        found = base(path.parent / one.owner if one.owner else path, one.named, None)
        if isinstance(found, NoBase) or found.path != Path(os.path.realpath(path.parent / one.file)):
            return False
    return True


def rulebooks(name: str) -> tuple[Found, ...] | NotFound:
    """Every rulebook below a folder without one of its own, all versions of a shipped one; else the one that `name` means."""
    path = Path(name)
    if path.is_dir():
        files = _files(path) or sorted(
            p for p in path.rglob("rulebook*.y*ml") if FILE_NAME.fullmatch(p.name) and p.is_file()
        )
        return tuple(Found(f, str(f)) for f in files) or NotFound(
            f"`{name}` holds no rulebook", "a rulebook folder has a file `rulebook.yaml`"
        )
    if not path.exists() and re.fullmatch(r"[A-Za-z0-9_-]+", name):
        versions = tuple(one for one in shipped() if one.path.parent.name == name)
        if len(versions) > 1:
            return versions
    found = rulebook(name)
    return (found,) if isinstance(found, Found) else found


def digest_of(path: Path, others: tuple[str, ...] = ()) -> str:
    """SHA-256 over the rulebook file and the others it reads (bases, tables), as hexadecimal text.

    The others are named from the rulebook's folder.
    """
    total = hashlib.sha256()
    for file in (path, *(path.parent / other for other in others)):
        content = file.read_bytes()
        total.update(len(content).to_bytes(8, "big"))
        total.update(content)
    return total.hexdigest()


def _files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if FILE_NAME.fullmatch(p.name) and p.is_file())


def _has_version(file: Path, version: str) -> bool:
    """Whether the file says `version: "<version>"` on a line of its own; cheap, for `name@version`."""
    pattern = re.compile(rf"""^version:\s*["']?{re.escape(version)}["']?\s*(#.*)?$""", re.MULTILINE)
    return bool(pattern.search(file.read_text(encoding="utf-8-sig", errors="replace")))
