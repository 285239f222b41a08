"""How an input or output is named: a file, a sheet of a workbook (`FILE.xlsx?sheet=NAME`), a table of a database.

Everything after `?table=` or `?sheet=` is the name as it is: nothing in it is decoded, quoted or split.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rxcalc.inputs.shown import quoted
from rxcalc.tabular.problems import UsageProblem

DATABASES: Final = ("duckdb", "sqlite")
WORKBOOKS: Final = frozenset({".xlsx"})
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):(.*)", re.DOTALL)
_URL: Final = re.compile(r"/|.*\?table=", re.DOTALL)  # a Path has one slash left of http://
_PATTERN: Final = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True)
class Locator:
    """A name taken apart. `scheme` is a database's or "", `part` the table or sheet or ""."""

    scheme: str
    file: Path
    part: str


def file_of(path: Path) -> Path:
    """The local file behind a name; the name itself where it is none of a part of a file."""
    found = locate(path)
    return path if isinstance(found, UsageProblem) else found.file


def is_database(path: Path) -> bool:
    """Whether a name is that of a database's table, well written or not."""
    match = _SCHEME.fullmatch(str(path))
    return match is not None and match[1].lower() in DATABASES


def locate(path: Path) -> Locator | UsageProblem:
    """A name taken apart, or why it names no local file."""
    text = str(path)
    match = _SCHEME.fullmatch(text)
    if match is not None and match[1].lower() in DATABASES:
        return _table(text, match[1].lower(), match[2])
    if path.exists():  # a file may be called anything
        return Locator("", path, "")
    if match is not None and _URL.match(match[2]):
        return UsageProblem(
            f"{quoted(text, 200)} is no local file: {match[1]}: is not known here",
            ("give one local file, or duckdb:FILE?table=TABLE or sqlite:FILE?table=TABLE",),
        )
    file, mark, sheet = text.partition("?sheet=")
    if mark:
        if not sheet or Path(file).suffix.lower() not in WORKBOOKS:
            return UsageProblem(
                f"{quoted(text, 200)} names no sheet of a workbook", ("write FILE.xlsx?sheet=NAME, in quotes",)
            )
        return Locator("", Path(file), sheet)
    return Locator("", path, "")


def is_pattern(path: Path) -> bool:
    """Whether a name that no file bears is meant for several files."""
    return _PATTERN.search(str(path)) is not None


def _table(text: str, scheme: str, rest: str) -> Locator | UsageProblem:
    file, mark, table = rest.partition("?table=")
    if not file or not mark or not table:
        lacking = "no file" if not file else "no table"
        return UsageProblem(f"{quoted(text, 200)} names {lacking}", (f"write {scheme}:FILE?table=TABLE, in quotes",))
    return Locator(scheme, Path(file), table)
