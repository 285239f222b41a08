"""What commands over files of bills are given: the files of lists, names of columns, sizes."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path
from typing import Final

from rxcalc.cli.show import Failure

ENCODINGS: Final = ("auto", "utf-8", "gb18030", "gbk", "utf-16", "utf-16-le", "utf-16-be")
_LEAST_MEMORY: Final = 600_000_000


def list_files(option: str, pairs: tuple[str, ...], lines: Path | None) -> dict[str, Path]:
    """The files of lists by name: those of `option`, each NAME=FILE, and that of `--lines`."""
    found = {"lines": lines} if lines is not None else {}
    for pair in pairs:
        name, equals, file = pair.partition("=")
        if not equals or not name.strip() or not file.strip():
            raise Failure(f"`{option} {pair}` is not NAME=FILE", f"e.g. {option} premiums=premiums.csv")
        if name.strip() in found:
            raise Failure(f"`{option}` gives {name.strip()} a second time", "give each list one file")
        found[name.strip()] = Path(file.strip())
    return found


def memory_size(text: str) -> int:
    """A size such as 2GB, 800MB or 1.5GiB, in bytes."""
    match = re.fullmatch(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)\s*([KMGT])(i?)B?", text.strip(), re.IGNORECASE)
    if match is None:
        raise Failure(f"`--memory {text}` is no size", "e.g. 2GB or 800MB")
    power = " KMGT".index(match[2].upper())
    size = int(Fraction(match[1]) * (1024 if match[3] else 1000) ** power)
    if size < _LEAST_MEMORY:
        raise Failure(f"`--memory {text}` is too little: the program itself takes some 300 MB", "allow at least 600MB")
    return size


def column_mapping(path: Path) -> dict[str, str]:
    """The `input: column` lines of a `--columns` file."""
    from rxcalc.driver.columns import read_mapping

    found = read_mapping(path)
    if isinstance(found, str):
        raise Failure(found, "write one line per input, as in `total: 费用总额`")
    return found
