"""`rxcalc test --update`: shows what would change in example files, asks, and writes them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from rxcalc.cli.show import Failure, diagnostics, result, visible

if TYPE_CHECKING:
    from rxcalc.diagnostics.model import Sink
    from rxcalc.driver.examples import ExamplesReport
    from rxcalc.driver.update import Change, Rewritten


def update_all(reports: Sequence[tuple[ExamplesReport, Sink]], *, yes: bool) -> int:
    """The exit code: 1 where something is left that only a person can mend, or that was not to be written."""
    from rxcalc.driver.update import UpdateError, rewritten

    found: list[Rewritten] = []
    shown: set[str] = set()
    for report, sink in reports:
        diagnostics(sink, only_errors=True)
        if report.compiled is None or sink.has_errors:
            raise Failure(f"`{report.found.shown}` or its examples have errors; nothing was updated", "mend them first")
        try:
            changed = rewritten(report, sink)
        except UpdateError as error:
            raise Failure(f"{error}", "nothing was written") from error
        both = [one.shown for one in changed if one.shown in shown]
        if both:
            raise Failure(
                f"`{both[0]}` has failing examples of several rulebooks", "update one rulebook at a time, by its file"
            )
        shown |= {one.shown for one in changed}
        found += changed
    broken = any(report.trends for report, _ in reports)
    for one in found:
        _show(one)
    if any(one.reviewed for one in found):
        click.echo("what stands in `by:` does not prove the new values: check them by hand, then say there how")
    writing = [one for one in found if one.changes]
    left = sum(len(one.by_hand) for one in found)
    if not found:
        click.echo("every example passes; nothing to update")
    elif not writing:
        click.echo("nothing can be updated; change these by hand")
    else:
        _ask(writing, yes=yes)
        for one in writing:
            text = f"\ufeff{one.text}" if one.has_mark else one.text
            result(text, str(one.path))
            click.echo(f"wrote {visible(one.shown)}")
    return 1 if left or broken else 0


def _ask(writing: Sequence[Rewritten], *, yes: bool) -> None:
    """Goes on only when the changes are wanted."""
    if yes:
        return
    changes = sum(len(one.changes) for one in writing)
    if sys.stdin is None or not sys.stdin.isatty():
        raise Failure("there is nobody to ask, so nothing was written", "look at the changes, then add --yes")
    if not click.confirm(f"write {changes} change(s) to {len(writing)} file(s)?", default=False):
        raise Failure("nothing was written", "run it again to see the changes")


def _show(one: Rewritten) -> None:
    for change in one.changes:
        click.echo(f"{_place(change)}: {visible(change.name)}: {visible(change.was)} -> {visible(change.becomes)}")
    for change in one.by_hand:
        click.echo(
            f"{_place(change)}: {visible(change.name)}: expected {visible(change.was)}, found {visible(change.becomes)}: "
            "change it by hand"
        )
    for name in one.reviewed:
        click.echo(f"warning: {visible(one.shown)}: {visible(name)}: its `by:` is marked NEEDS REVIEW")


def _place(change: Change) -> str:
    return f"{visible(change.file)}:{change.line}: {visible(change.example)}"
