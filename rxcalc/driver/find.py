"""Where rulebooks are: a path, a folder, or the name of a shipped one."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from rxcalc.shipped import rulebooks_folder

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


def rulebooks(name: str) -> tuple[Found, ...] | NotFound:
    """Every rulebook below a folder without one of its own; else the one that `name` means."""
    path = Path(name)
    if path.is_dir():
        files = _files(path) or sorted(
            p for p in path.rglob("rulebook*.y*ml") if FILE_NAME.fullmatch(p.name) and p.is_file()
        )
        return tuple(Found(f, str(f)) for f in files) or NotFound(
            f"`{name}` holds no rulebook", "a rulebook folder has a file `rulebook.yaml`"
        )
    found = rulebook(name)
    return (found,) if isinstance(found, Found) else found


def digest_of(path: Path, tables: tuple[str, ...] = ()) -> str:
    """SHA-256 over the rulebook file and its table files, as hexadecimal text."""
    total = hashlib.sha256()
    for file in (path, *(path.parent / t for t in tables)):
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
