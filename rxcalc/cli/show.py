"""What commands print and write: diagnostics to stderr, results to stdout or a file."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import click

from rxcalc.cli.options import colored
from rxcalc.diagnostics.model import Severity, Sink


class Failure(click.ClickException):
    """A command that cannot do its work: bad usage, unreadable input, unknown rulebook (exit code 2)."""

    exit_code = 2

    def __init__(self, message: str, help_: str = "") -> None:
        super().__init__(message)
        self.help_ = help_

    def show(self, file: object = None) -> None:
        """One line for what is wrong, one for what to do."""
        del file
        click.echo(f"rxcalc: {visible(self.message)}", err=True)
        if self.help_:
            click.echo(f"  help: {visible(self.help_)}", err=True)


def visible(text: str) -> str:
    """A name from outside with control characters escaped, so that it cannot steer the terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def diagnostics(sink: Sink, *, only_errors: bool = False) -> None:
    """Prints what a sink holds to stderr."""
    from rxcalc.diagnostics.text import render

    for d in sink.sorted():
        if only_errors and d.severity is not Severity.ERROR:
            continue
        width = min(max(60, _columns()), 120)
        click.echo(render(d, sink.files, color=colored(sys.stderr), width=width) + "\n", err=True)
    if sink.left_out:
        click.echo(f"and {sink.left_out} more", err=True)


def _columns() -> int:
    import shutil

    return shutil.get_terminal_size((80, 24)).columns


def place(output: str | None, reads: Iterable[Path] = (), option: str = "-o") -> None:
    """Refuses a place where a result cannot stand, before anything is computed: a folder, or one of the files read."""
    if output is None or output == "-":
        return
    help_ = f"choose another place with {option}"
    target = Path(os.path.realpath(output))
    if target.exists() and not target.is_file():
        raise Failure(f"cannot write `{output}`: it is no regular file", help_)
    if any(target == Path(os.path.realpath(path)) for path in reads):
        raise Failure(f"cannot write `{output}`: it is one of the files read", help_)
    if not target.parent.is_dir():
        raise Failure(f"cannot write `{output}`: there is no folder `{target.parent}`", help_)


def result(text: str, output: str | None, reads: tuple[Path, ...] = (), option: str = "-o") -> None:
    """Prints a result, or writes it to a file that appears whole or not at all; never over one of the files read."""
    if output is None or output == "-":
        click.echo(text, nl=False)
        return
    place(output, reads, option)
    help_ = f"choose another place with {option}"
    target = Path(os.path.realpath(output))
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    except OSError as problem:
        raise Failure(f"cannot write `{output}`: {problem.strerror}", help_) from problem
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        mask = os.umask(0o077)
        os.umask(mask)
        Path(name).chmod(target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~mask)
        Path(name).replace(target)
    except OSError as problem:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise Failure(f"cannot write `{output}`: {problem.strerror}", help_) from problem
