"""What tables of databases share: names found in the catalogue, files that must hold everything, messages."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

from rxcalc.inputs.shown import quoted
from rxcalc.tabular import problems
from rxcalc.tabular.problems import UsageProblem


def usable(path: Path, file: Path) -> UsageProblem | None:
    """Whether the file is there, and holds all changes made to the database."""
    if not file.exists():
        return problems.cannot_read(str(path), f"there is no file {quoted(str(file), 200)}")
    if not file.is_file():
        return problems.cannot_read(str(path), "it is not a regular file")
    for suffix in (".wal", "-wal", "-journal"):
        beside = file.with_name(file.name + suffix)
        try:
            if beside.stat().st_size:
                return UsageProblem(
                    f"{quoted(str(file), 200)} has changes that are not yet in the file: they are in {quoted(beside.name, 200)}",
                    (
                        "end the program that writes to it, or open the database once and let it write them (CHECKPOINT)",
                    ),
                )
        except OSError:
            continue
    return None


def matched(name: str, tables: Sequence[tuple[str, str]], usual: str) -> tuple[str, str] | None:
    """The schema and table of a name as written, `usual` being the schema of bare names."""
    named = [(schema, table) for schema, table in tables if f"{schema}.{table}" == name]
    bare = [(schema, table) for schema, table in tables if schema == usual and table == name]
    return next(iter([*bare, *named]), None)


def no_table(path: Path, name: str, tables: Sequence[str], views: Sequence[str]) -> UsageProblem:
    """The database has no such table."""
    if name in views:
        return UsageProblem(
            f"{quoted(name)} of {quoted(str(path), 200)} is a view, whose rows have no order of their own",
            (f"make a table of it: CREATE TABLE .. AS SELECT * FROM {name} ORDER BY ..",),  # noqa: S608 a hint
        )
    near = [table for table in tables if table.lower() == name.lower()] or get_close_matches(name, tables, n=1)
    listed = ", ".join(quoted(table) for table in tables[:20]) + (", .." if len(tables) > 20 else "")
    hint = f"did you mean {quoted(near[0])}? " if near else ""
    return UsageProblem(
        f"{quoted(str(path), 200)}: the database has no table {quoted(name)}",
        (f"{hint}its tables are {listed}" if tables else "it has no tables",),
    )


def identifier(name: str) -> str:
    """A name as SQL takes it, whatever it holds."""
    return '"' + name.replace('"', '""') + '"'


def failed(path: Path, error: BaseException, what: str) -> UsageProblem:
    """The database cannot be opened or read on."""
    said = (str(error) or type(error).__name__).splitlines()[0]
    locked = "lock" in said.lower()
    hint = "end the program that uses it, then run again" if locked else f"check that the file is a {what} database"
    return UsageProblem(f"cannot read {quoted(str(path), 200)}: {quoted(said, 300)}", (hint,))
