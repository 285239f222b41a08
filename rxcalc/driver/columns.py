"""The `--columns` file: which column of the input holds which input of the rulebook."""

from __future__ import annotations

from pathlib import Path


def read_mapping(path: Path) -> dict[str, str] | str:
    """The `input: column` lines of a file, or what is wrong with it.

    A column's name stands as it is, or in quotes when it starts or ends with a space or a quote.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        return f"cannot read {str(path)!r}: {getattr(error, 'strerror', None) or 'it is not UTF-8'}"
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        body = line.strip()
        if not body or body.startswith("#"):
            continue
        name, colon, column = body.partition(":")
        name, column = name.strip(), column.strip()
        if not colon or not name or not column:
            return f"line {number} of {str(path)!r} is not of the form `input: column`"
        if len(column) > 1 and column[0] == column[-1] and column[0] in "'\"":
            column = column[1:-1]
        if name in found:
            return f"line {number} of {str(path)!r} names {name} a second time"
        found[name] = column
    return found
