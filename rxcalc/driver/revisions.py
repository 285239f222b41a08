"""A rulebook as it was in a revision of git: `REV:PATH`, taken out into a private folder.

The whole folder above the rulebook's own is taken, because bases of overlays may stand anywhere in it. Nothing of the
repository or of the working files is touched.
"""

from __future__ import annotations

import os
import re
import subprocess
import tarfile
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path, PurePosixPath
from typing import IO, Final

from rxcalc.driver import find
from rxcalc.driver.find import Found, NotFound

_REVISION: Final = re.compile(r"[^:]{2,}:.+|[^:]:[^\\/].*")  # not `C:\\rules`
_SECONDS: Final = 60


def is_revision(name: str) -> bool:
    """Whether a name means a file of a revision: `HEAD~1:rules/rulebook.yaml`, and no such file is there."""
    return bool(_REVISION.fullmatch(name)) and not Path(name).exists()


def rulebook(name: str, folder: Path) -> Found | NotFound:
    """The rulebook that a path, a shipped name or `REV:PATH` means; a revision's files are put into `folder`.

    PATH starts at the top of the repository of the current folder, as in git, or else at the current folder.
    """
    if not is_revision(name):
        return find.rulebook(name)
    revision, _, path = name.partition(":")
    try:
        return _taken(revision, path, name, folder)
    except FileNotFoundError:
        return NotFound(f"`{name}` needs git, which is not installed", "install git, or name a file")
    except subprocess.TimeoutExpired:
        return NotFound(f"git took more than {_SECONDS} seconds for `{name}`", "name a file of the working folder")
    except (OSError, tarfile.TarError) as error:
        return NotFound(f"the files of `{name}` could not be taken out: {error}", "name a file of the working folder")


def _taken(revision: str, path: str, name: str, folder: Path) -> Found | NotFound:
    top = _git("rev-parse", "--show-toplevel")
    if top is None:
        return NotFound(
            f"`{name}` names a revision, and the current folder is in no git repository",
            "go to the repository, or name a file",
        )
    commit = _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    if commit is None:
        return NotFound(f"the repository has no revision `{revision}`", _instead_of(revision))
    root = Path(top)
    inside = next((p for p in _candidates(root, path) if _git("cat-file", "-e", f"{commit}:{p}") is not None), None)
    if inside is None:
        return NotFound(
            f"revision `{revision}` has no `{path}`", f"`git ls-tree -r --name-only {revision}` lists its files"
        )
    is_folder = _git("cat-file", "-t", f"{commit}:{inside}") == "tree"
    own = PurePosixPath(inside) if is_folder else PurePosixPath(inside).parent
    _extract(root, commit, own.parent, folder)
    found = find.rulebook(str(folder / inside))
    if isinstance(found, NotFound):
        return NotFound(found.message.replace(str(folder / inside), name), found.help)
    shown = f"{name.rstrip('/')}/{found.path.name}" if is_folder else name
    return replace(found, shown=shown)


def _instead_of(revision: str) -> str:
    """What to do about a revision that is not there."""
    if _git("rev-parse", "--is-shallow-repository") == "true":
        return "this copy has not all revisions: fetch it first (in a GitHub job: checkout with `fetch-depth: 0`)"
    names = (_git("for-each-ref", "--format=%(refname:short)") or "").splitlines()
    elsewhere = next((name for name in names if name.endswith(f"/{revision}")), None)
    near = elsewhere or next(iter(get_close_matches(revision, names, n=1, cutoff=0.7)), None)
    return f"did you mean `{near}`?" if near else "`git log --oneline` lists revisions, `git branch -a` branches"


def _candidates(root: Path, path: str) -> list[str]:
    """What a path can mean within the repository: from its top, or from the current folder."""
    found = []
    for base in (root, Path.cwd()) if not path.startswith(("./", "../")) else (Path.cwd(),):
        whole = Path(os.path.normpath(base / path))
        if whole.is_relative_to(root):
            found.append(whole.relative_to(root).as_posix())
    return found


def _extract(root: Path, commit: str, above: PurePosixPath, folder: Path) -> None:
    """All files of a folder of the commit."""
    command = ["git", "-C", str(root), "archive", "--format=tar", commit, "--", str(above)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=_environment()) as process:  # noqa: S603 - no shell; the commit is a hash
        stream: IO[bytes] | None = process.stdout
        if stream is not None:
            with tarfile.open(fileobj=stream, mode="r|") as archive:
                archive.extractall(folder, filter="data")
            stream.read()
    if process.returncode:
        message = f"git archive ended with {process.returncode}"
        raise OSError(message)


def _git(*words: str) -> str | None:
    """What git prints, without the line's end; None when it fails."""
    done = subprocess.run(  # noqa: S603 - no shell, fixed words; names stand behind --end-of-options or a hash
        ["git", *words],  # noqa: S607 - git is where the user has it
        capture_output=True, text=True, check=False, timeout=_SECONDS, env=_environment(),
    )  # fmt: skip
    return done.stdout.strip() if done.returncode == 0 else None


def _environment() -> dict[str, str]:
    return {**os.environ, "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0"}
