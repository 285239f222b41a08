"""File names as other programs need them: relative to the top of what was checked out."""

from __future__ import annotations

import os
from pathlib import Path


def relative(shown: str, root: Path) -> str | None:
    """`shown` (a path from the current folder, or an absolute one) from `root`, with slashes; None outside it."""
    path = Path(os.path.abspath(shown))  # noqa: PTH100 - links are kept as written: the reader knows no other name
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else None


def top() -> Path:
    """The folder that paths start from: the workspace of a GitHub job where the program runs inside it, else here."""
    here = Path.cwd()
    given = os.environ.get("GITHUB_WORKSPACE")
    if given and here.is_relative_to(Path(given)):
        return Path(given)
    return here
