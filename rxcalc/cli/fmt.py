"""`rxcalc fmt`."""

from __future__ import annotations

import difflib
import sys
from pathlib import Path

import click

from rxcalc.cli import options
from rxcalc.cli.show import Failure, diagnostics, result, visible
from rxcalc.diagnostics.model import Sink
from rxcalc.driver import find


@click.command("fmt")
@click.argument("rulebooks", nargs=-1, required=True, metavar="RULEBOOK..", shell_complete=options.complete_rulebook)
@click.option("--check", "is_check", is_flag=True, help="Write nothing; exit 1 and list the files that would change.")
@click.option("--diff", "is_diff", is_flag=True, help="Write nothing; show what would change.")
def command(rulebooks: tuple[str, ...], *, is_check: bool, is_diff: bool) -> int:
    """Give rulebooks, their examples and episode files one spelling; comments and order stay, and so does the meaning.

    RULEBOOK is a file, or a folder: then every rulebook in or below it, and the examples beside each.
    `-` reads from standard input and prints the result.

    \b
    Example:
      rxcalc fmt rules/
      rxcalc fmt rules/mine --check --diff
    """
    if "-" in rulebooks:
        return _pipe(rulebooks, is_check=is_check, is_diff=is_diff)
    files = _files(rulebooks, may_write=not is_check and not is_diff)
    changed: list[str] = []
    refused = 0
    for file in files:
        data = _read(file)
        text = _formatted(file.shown, data)
        if text is None:
            refused += 1
            continue
        if text.encode() == data:
            continue
        changed.append(file.shown)
        if is_diff:
            click.echo(_diff(file.shown, data, text), nl=False)
        elif is_check:
            click.echo(visible(file.shown))
        if not is_check and not is_diff:
            result(text, str(file.path))
            click.echo(f"formatted {visible(file.shown)}", err=True)
    would = "would change" if is_check or is_diff else "changed"
    told = f"{_count(len(changed), 'file')} {would}, {len(files) - len(changed) - refused} left as they are"
    click.echo(told + (f", {_count(refused, 'file')} not formatted" if refused else ""), err=True)
    if refused:
        return 2
    return 1 if is_check and changed else 0


def _files(names: tuple[str, ...], *, may_write: bool) -> list[find.Found]:
    """The files to format, each once."""
    from rxcalc.driver.fmt import files_of

    found: dict[Path, find.Found] = {}
    for name in names:
        files = files_of(name)
        if isinstance(files, find.NotFound):
            raise Failure(files.message, files.help)
        if may_write and not Path(name).exists():
            raise Failure(
                f"`{name}` is a rulebook that comes with rxcalc and is not rewritten",
                "give the path of a rulebook of yours; --check and --diff only look",
            )
        for file in files:
            found.setdefault(file.path.resolve(), file)
    return list(found.values())


def _read(file: find.Found) -> bytes:
    from rxcalc.rulebook.load import MAX_BYTES

    if not file.path.is_file():
        raise Failure(f"`{file.shown}` is no regular file", "name a rulebook, an example file or a folder")
    try:
        with file.path.open("rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except OSError as problem:
        raise Failure(f"cannot read `{file.shown}`: {problem.strerror}", "check the path and its rights") from problem


def _formatted(shown: str, data: bytes) -> str | None:
    """The new text; None after saying why there is none."""
    from rxcalc.driver.fmt import Unformatted, formatted

    sink = Sink()
    found = formatted(shown, data, sink)
    if not isinstance(found, Unformatted):
        return found
    diagnostics(sink, only_errors=True)
    click.echo(f"rxcalc: {visible(shown)} is not formatted: {found.message}", err=True)
    if found.help:
        click.echo(f"  help: {visible(found.help)}", err=True)
    return None


def _pipe(names: tuple[str, ...], *, is_check: bool, is_diff: bool) -> int:
    if len(names) > 1:
        raise Failure("`-` stands alone", "format standard input, or files")
    data = sys.stdin.buffer.read()
    text = _formatted("<stdin>", data)
    if text is None:
        return 2
    is_changed = text.encode() != data
    if is_diff:
        click.echo(_diff("<stdin>", data, text), nl=False)
    elif not is_check:
        click.echo(text, nl=False)
    return 1 if is_check and is_changed else 0


def _diff(shown: str, data: bytes, text: str) -> str:
    """The change as a unified diff. Line ends and a byte order mark of the file before are named, not shown."""
    before = data.decode("utf-8-sig")
    lines = difflib.unified_diff(
        before.replace("\r\n", "\n").splitlines(keepends=True),
        text.splitlines(keepends=True),
        visible(shown),
        f"{visible(shown)} (formatted)",
    )
    found = "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)
    marks = [name for name, is_there in _marks(data, before) if is_there]
    return found + (f"{visible(shown)}: without {' and '.join(marks)}\n" if marks else "")


def _marks(data: bytes, before: str) -> tuple[tuple[str, bool], ...]:
    return (("byte order mark", data.startswith(b"\xef\xbb\xbf")), ("CRLF line ends", "\r\n" in before))


def _count(n: int, word: str) -> str:
    return f"{n} {word}" if n == 1 else f"{n} {word}s"
