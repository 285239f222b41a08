"""Where the files lie that are shipped beside the code: the grammar, the reference rulebooks, the pages of codes.

An installed wheel holds copies inside the package; a checkout (and an editable install of it) uses its own
top-level folders. Both are plain data folders, not Python packages.
"""

from __future__ import annotations

from pathlib import Path

__all__ = ["diagnostics_folder", "grammar_file", "rulebooks_folder"]


def rulebooks_folder() -> Path:
    """The folder with one folder per shipped rulebook."""
    return _shipped("rulebooks")


def grammar_file() -> Path:
    """The Lark grammar of the policy language."""
    return _shipped("grammar/rxcalc.lark")


def diagnostics_folder() -> Path:
    """The folder with one page per diagnostic code."""
    return _shipped("docs/diagnostics")


def _shipped(name: str) -> Path:
    package = Path(__file__).resolve().parent
    packaged = package / name
    return packaged if packaged.exists() else package.parent / name
