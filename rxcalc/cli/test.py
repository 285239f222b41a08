"""`rxcalc test`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from rxcalc.cli import options
from rxcalc.cli.show import Failure, diagnostics, result, visible
from rxcalc.diagnostics.model import Severity, Sink
from rxcalc.driver import find

if TYPE_CHECKING:
    from rxcalc.driver.examples import ExamplesReport
    from rxcalc.examples.run import ExampleResult
    from rxcalc.inputs.episodes import EpisodeEntry

MOST_DIFFERENCES: Final = 20
"""Of one example, in text."""


@click.command("test")
@click.argument("rulebooks", nargs=-1, required=True, metavar="RULEBOOK..", shell_complete=options.complete_rulebook)
@click.option("--coverage", is_flag=True, help="Show what of each rulebook its examples use, and what they do not.")
@click.option(
    "--fail-under",
    metavar="P",
    default=None,
    help="With --coverage or --mutate: exit 1 where less than P percent is covered, or noticed.",
)
@click.option("--format", "form", type=click.Choice(["text", "json", "html"]), default="text", show_default=True)
@click.option(
    "--junit",
    type=click.Path(dir_okay=False),
    default=None,
    metavar="FILE",
    help="Also write the results as a JUnit report.",
)
@click.option(
    "--update", is_flag=True, help="Show what failing examples would expect instead, ask, and rewrite their files."
)
@click.option("--yes", is_flag=True, help="With --update: do not ask.")
@click.option("--mutate", is_flag=True, help="Change the rules in small ways, and show what no example notices.")
@click.option("--seed", type=click.IntRange(0), default=None, show_default="0", help="With --mutate: which are drawn.")
@click.option(
    "--limit", type=click.IntRange(1), default=None, show_default="300", help="With --mutate: at most so many changes."
)
@options.output()
def command(
    rulebooks: tuple[str, ...],
    form: str,
    output: str | None,
    fail_under: str | None,
    junit: str | None,
    seed: int | None,
    limit: int | None,
    *,
    coverage: bool,
    update: bool,
    yes: bool,
    mutate: bool,
) -> int:
    """Run the examples of rulebooks; a failing one shows the first step that differs.

    RULEBOOK is a file, a folder, or the name of a shipped rulebook.

    \b
    Example:
      rxcalc test rules/
      rxcalc test qin --coverage --fail-under 100
      rxcalc test rules/ --junit results.xml
      rxcalc test qin --coverage --format html -o coverage.html
      rxcalc test rules/ --update
      rxcalc test qin --mutate
    """
    from rxcalc.driver.examples import run_examples

    least = _percent(fail_under) if fail_under is not None else None
    if least is not None and not coverage and not mutate:
        raise Failure(
            "--fail-under needs --coverage or --mutate", "say both, e.g. `rxcalc test qin --coverage --fail-under 95`"
        )
    if not mutate and (seed is not None or limit is not None):
        raise Failure("--seed and --limit need --mutate", "e.g. `rxcalc test qin --mutate --limit 50 --seed 1`")
    if mutate and (coverage or update or junit is not None):
        raise Failure("--mutate goes with neither --coverage, --update nor --junit", "run `rxcalc test` once for each")
    if form == "html" and not coverage:
        raise Failure(
            "--format html needs --coverage", "e.g. `rxcalc test qin --coverage --format html -o coverage.html`"
        )
    if yes and not update:
        raise Failure("--yes needs --update", "say both, or leave --yes out")
    if update and (coverage or form != "text" or output is not None or junit is not None):
        raise Failure("--update goes with no other output", "update first, then run `rxcalc test` again")
    if junit is not None and not mutate:
        _apart(junit, output, form)
    reports: list[tuple[ExamplesReport, Sink]] = []
    for name in rulebooks:
        found = find.rulebooks(name)
        if isinstance(found, find.NotFound):
            raise Failure(found.message, found.help)
        for file in found:
            sink = Sink()
            reports.append((run_examples(file, sink, coverage=coverage), sink))
    if update:
        from rxcalc.cli.test_update import update_all

        return update_all(reports, yes=yes)
    if mutate:
        from rxcalc.cli.test_mutate import mutate_all

        return mutate_all(
            reports, seed=seed or 0, limit=limit or 300, form=form, output=output, least=least, read=_read(reports)
        )
    broken = False
    lines: list[str] = []
    documents: list[object] = []
    for report, sink in reports:
        diagnostics(sink, only_errors=True)
        if report.compiled is None:
            raise Failure(f"`{report.found.shown}` has errors and was not tested", "mend them first")
        broken |= bool(report.failed) or sink.has_errors
        documents.append(_document(report))
        if form == "text":
            told = list(_told(report, mistakes=sink.count(Severity.ERROR)))
            if output is None:
                click.echo("".join(f"{line}\n" for line in told), nl=False)
            lines += told
    if form == "html":
        from rxcalc import __version__
        from rxcalc.driver.listed import page

        result(page(reports, __version__), output, _read(reports))
    elif form == "json":
        result(json.dumps(documents, ensure_ascii=False, indent=2) + "\n", output, _read(reports))
    elif output is not None:
        result("".join(f"{line}\n" for line in lines), output, _read(reports))
    if junit is not None:
        from rxcalc.driver.junit import document as junit_document

        result(junit_document(reports), junit, _read(reports), "--junit")
    for report, _ in reports:
        if least is not None and report.coverage is not None and report.coverage.total.is_under(least):
            click.echo(
                f"{visible(report.found.shown)}: {report.coverage.total.percent}% is covered, less than {fail_under}%",
                err=True,
            )
            broken = True
    return 1 if broken else 0


def _apart(junit: str, output: str | None, form: str) -> None:
    """Refuses a report that would go where the results go."""
    if junit == "-" and (output is None or output == "-"):
        raise Failure("the JUnit report and the results cannot both go to standard output", "give one of them a file")
    if output not in (None, "-") and Path(junit).resolve() == Path(str(output)).resolve():
        raise Failure(f"`{junit}` cannot hold both the JUnit report and the {form} results", "name another file")


def _percent(written: str) -> Fraction:
    if not re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,9})?", written) or Fraction(written) > 100:
        raise Failure(f"`--fail-under {written}` is no percentage", "give a number from 0 to 100, e.g. 95 or 99.5")
    return Fraction(written)


def _read(reports: Sequence[tuple[ExamplesReport, Sink]]) -> tuple[Path, ...]:
    """All files that the reports were made from."""
    from rxcalc.driver.examples import example_files

    found: list[Path] = []
    for report, _ in reports:
        folder = report.found.path.parent
        others = report.compiled.plan.files if report.compiled is not None else ()
        found += [report.found.path, *(folder / file for file in others), *example_files(folder)]
    return tuple(found)


def _told(report: ExamplesReport, mistakes: int) -> Iterator[str]:
    yield from _examples(report, mistakes)
    if report.coverage is not None:
        from rxcalc.coverage.text import render

        yield from map(visible, render(report.coverage, report.found.shown, options.columns()))


def _examples(report: ExamplesReport, mistakes: int) -> Iterator[str]:
    for r, entry in zip(report.results, report.entries, strict=True):
        if not r.passed:
            yield f"FAILED {visible(r.file)}:{r.line}: {visible(r.name)}"
            yield from _failed(report, r, entry)
    for d in report.trends:
        yield f"FAILED {d.name}: {d.found}"
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
    evidence = _evidence(report)
    marked = f"; {evidence} figures, no real tariff" if evidence in ("fictional", "illustrative") else ""
    yield (
        f"{visible(report.found.shown)}: {passed} of {total} examples passed "
        f"({values} values compared){guarded}{wrong}{marked}"
    )


def _failed(report: ExamplesReport, r: ExampleResult, entry: EpisodeEntry) -> Iterator[str]:
    """The first difference with its working, the others in short, and the command that shows the bill."""
    from rxcalc.driver.failing import command_of

    first = r.differences[0]
    yield f"  first difference: {visible(first.name)}: expected {visible(first.expected)}, found {visible(first.found)}"
    yield from (f"    {visible(line)}" for line in _workings(report, r, entry))
    for d in r.differences[1:MOST_DIFFERENCES]:
        yield f"  then: {visible(d.name)}: expected {visible(d.expected)}, found {visible(d.found)}"
    if len(r.differences) > MOST_DIFFERENCES:
        yield f"  and {len(r.differences) - MOST_DIFFERENCES} more; `--format json` has all"
    yield f"  to see it: {visible(command_of(r, report.found.shown))}"


def _workings(report: ExamplesReport, r: ExampleResult, entry: EpisodeEntry) -> list[str]:
    """How the first result that differs came about."""
    from rxcalc.driver.failing import workings

    assert report.compiled is not None  # noqa: S101 - without it there are no results
    return workings(report.compiled.plan, entry, r.differences[0], max(60, min(options.columns(), 120)) - 4)


def _evidence(report: ExamplesReport) -> str | None:
    from rxcalc.plan.nodes import weakest_evidence

    return weakest_evidence(report.compiled.plan) if report.compiled is not None else None


def _why(report: ExamplesReport, r: ExampleResult, entry: EpisodeEntry) -> dict[str, object]:
    """What only a failing example has."""
    from rxcalc.driver.failing import command_of

    return {"first": _workings(report, r, entry), "command": command_of(r, report.found.shown)}


def _document(report: ExamplesReport) -> dict[str, object]:
    found: dict[str, object] = {
        "rulebook": report.found.shown,
        "status": _evidence(report),
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
                **({} if r.passed else _why(report, r, entry)),
            }
            for r, entry in zip(report.results, report.entries, strict=True)
        ],
        "guarantees": [{"name": d.name, "found": d.found} for d in report.trends],
    }
    if report.coverage is not None:
        from rxcalc.coverage.as_json import document

        found["coverage"] = document(report.coverage)
    return found
