"""The lines of a file that a declaration consists of."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import dedent

from rxcalc.plan.nodes import Place
from rxcalc.source import SourceFile

LONGEST = 80
"""Lines; the rest is left out and said."""


def excerpt(files: Mapping[str, SourceFile], place: Place) -> str:
    """The line of a place and those further in below it, moved to the left; "" where the file was not kept.

    A declaration is written in block style or on one line, so that what belongs to it stands further in.
    """
    file = files.get(place.file)
    if file is None or file.hidden or not 1 <= place.line <= len(file.line_starts):
        return ""
    first = file.line(place.line)
    depth = _depth(first)
    lines = [first]
    blank: list[str] = []
    for number in range(place.line + 1, len(file.line_starts) + 1):
        line = file.line(number)
        if not line.strip():
            blank.append("")
            continue
        if _depth(line) <= depth:
            break
        lines += [*blank, line]
        blank = []
        if len(lines) > LONGEST:
            lines[LONGEST:] = [" " * (depth + 2) + ".."]
            break
    return dedent("\n".join(lines)).strip("\n")


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())
