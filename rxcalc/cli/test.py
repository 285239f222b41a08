"""`rxcalc test`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from rxcalc.cli.show import Failure, diagnostics, visible
from rxcalc.diagnostics.model import Severity, Sink
from rxcalc.driver import find

if TYPE_CHECKING:
    from rxcalc.driver.examples import ExamplesReport


@click.command("test")
@click.argument("rulebooks", nargs=-1, required=True, metavar="RULEBOOK..")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(rulebooks: tuple[str, ...], form: str) -> int:
    """Run the examples of rulebooks; a failing one shows the first step that differs.

    RULEBOOK is a file, a folder, or the name of a shipped rulebook.

    \b
    Example:
      rxcalc test rules/
      rxcalc test qin
    """
    from rxcalc.driver.examples import run_examples

    reports: list[tuple[ExamplesReport, Sink]] = []
    for name in rulebooks:
        found = find.rulebooks(name)
        if isinstance(found, find.NotFound):
            raise Failure(found.message, found.help)
        for file in found:
            sink = Sink()
            reports.append((run_examples(file, sink), sink))
    broken = False
    documents: list[object] = []
    for report, sink in reports:
        diagnostics(sink, only_errors=True)
        if report.compiled is None:
            raise Failure(f"`{report.found.shown}` has errors and was not tested", "mend them first")
        broken |= bool(report.failed) or sink.has_errors
        documents.append(_document(report))
        if form == "text":
            _print(report, mistakes=sink.count(Severity.ERROR))
    if form == "json":
        click.echo(json.dumps(documents, ensure_ascii=False, indent=2))
    return 1 if broken else 0


def _print(report: ExamplesReport, mistakes: int) -> None:
    for r in report.results:
        if r.passed:
            continue
        first = r.differences[0]
        click.echo(f"FAILED {visible(r.file)}:{r.line}: {visible(r.name)}")
        click.echo(f"  first difference: {first.name}: expected {first.expected}, found {first.found}")
        for d in r.differences[1:4]:
            click.echo(f"  then: {d.name}: expected {d.expected}, found {d.found}")
        if len(r.differences) > 4:
            click.echo(f"  and {len(r.differences) - 4} more")
        click.echo(f"  to see it: rxcalc explain {r.file} --example '{r.name}' -r {report.found.shown}")
    for d in report.trends:
        click.echo(f"FAILED {d.name}: {d.found}")
    total = len(report.results)
    if not total:
        click.echo(
            f"{visible(report.found.shown)}: warning: it has no examples; put some into examples/*.yaml beside it",
            err=True,
        )
        return
    values = sum(r.checked for r in report.results)
    passed = total - sum(not r.passed for r in report.results)
    guarded = f", {len(report.trends)} guarantee(s) broken" if report.trends else ""
    wrong = f", {mistakes} mistake(s) in the example files" if mistakes else ""
    click.echo(
        f"{visible(report.found.shown)}: {passed} of {total} examples passed ({values} values compared){guarded}{wrong}"
    )


def _document(report: ExamplesReport) -> dict[str, object]:
    return {
        "rulebook": report.found.shown,
        "examples": len(report.results),
        "failed": report.failed,
        "results": [
            {
                "example": r.name,
                "file": r.file,
                "line": r.line,
                "by": r.by,
                "passed": r.passed,
                "compared": r.checked,
                "differences": [{"name": d.name, "expected": d.expected, "found": d.found} for d in r.differences],
            }
            for r in report.results
        ],
        "guarantees": [{"name": d.name, "found": d.found} for d in report.trends],
    }
