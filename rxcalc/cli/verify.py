"""`rxcalc verify`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rxcalc.cli import options
from rxcalc.cli.show import Failure, visible

if TYPE_CHECKING:
    from rxcalc.driver.verify import Again, FileCheck, VerifyReport


@click.command("verify")
@click.argument("summary", type=click.Path(path_type=Path))
@click.option("--rerun", is_flag=True, help="Run the batch once more, into a private folder, and compare every byte.")
@click.option("--temp-dir", type=click.Path(path_type=Path), help="Where --rerun makes that folder.")
@options.form("text", "json")
def command(summary: Path, form: str, temp_dir: Path | None, *, rerun: bool) -> int:
    """Hold the summary of a batch against the files that it names.

    Rulebook, inputs, results, rejects and all other files must have the bytes that the summary says; results
    and rejects are counted and added up once more. The exit code is 1 when anything does not hold. With --rerun
    the batch is run again with the rxcalc installed, also where an older one made the summary.

    \b
    Example:
      rxcalc verify results.summary.json
      rxcalc verify results.summary.json --rerun
    """
    from rxcalc.driver.verify import verify
    from rxcalc.tabular.problems import UsageProblem

    if temp_dir is not None and not temp_dir.is_dir():
        raise Failure(f"`{temp_dir}` is no folder", "name one for --temp-dir that is there")
    report = verify(summary, rerun=rerun, temp_dir=temp_dir)
    if isinstance(report, UsageProblem):
        raise Failure(report.message, "; ".join(report.help))
    click.echo(json.dumps(_as_json(report), ensure_ascii=True, indent=2) if form == "json" else _as_text(report))
    return 0 if report.holds else 1


def _as_text(report: VerifyReport) -> str:
    """What holds, and what does not with both sides."""
    body = report.summary.body
    books = ", ".join(f"{book.name} {book.version}" for book in report.summary.books)
    lines = [f"{report.summary.path}: {books}, run by rxcalc {body['rxcalc'][:40]}, {body['status']}"]
    lines += [line for check in report.files for line in _file(check)]
    wrong = [check for check in report.sums if not check.holds]
    lines += [f"  differs      {c.what}: {c.recorded} in the summary, {c.found} added up" for c in wrong]
    lines += [f"  not checked  {note}" for note in report.notes]
    if not wrong:
        lines.append(f"  {'holds':11s}  {len(report.sums)} counts and sums")
    if report.again is not None:
        lines += _again(report.again, str(body["rxcalc"]))
    lines.append("everything holds" if report.holds else "not everything holds")
    return "\n".join(visible(line) for line in lines)


def _file(check: FileCheck) -> list[str]:
    """A file, and why it does not hold."""
    lines = [f"  {check.outcome:11s}  {check.what}  {check.path}" + (f": {check.why}" if check.why else "")]
    if check.outcome == "differs":
        lines += [
            f"               summary  {check.expected or 'names no such file'}",
            f"               here     {check.found}",
        ]
    return lines


def _again(again: Again, before: str) -> list[str]:
    """What running once more has shown."""
    by = f"rxcalc {again.version}" + (f", the summary was made by {before[:40]}" if again.version != before else "")
    if again.why_not:
        return [f"not run again ({by}): {again.why_not}"]
    lines = [f"run again by {by}:"]
    lines += [line for check in again.files for line in _file(check)]
    lines += [f"  {'differs':11s}  {part} in the summary" for part in again.parts]
    return lines


def _as_json(report: VerifyReport) -> dict[str, object]:
    """The report for programs."""
    again = report.again
    return {
        "summary": str(report.summary.path),
        "rxcalc": report.summary.body["rxcalc"],
        "holds": report.holds,
        "files": [_file_json(check) for check in report.files],
        "sums": [
            {"what": check.what, "holds": check.holds, "summary": check.recorded, "found": check.found}
            for check in report.sums
        ],
        "not_checked": list(report.notes),
        "rerun": None
        if again is None
        else {
            "rxcalc": again.version,
            "not_run": again.why_not or None,
            "files": [_file_json(check) for check in again.files],
            "parts_that_differ": list(again.parts),
        },
    }


def _file_json(check: FileCheck) -> dict[str, object]:
    return {
        "what": check.what,
        "path": check.path,
        "outcome": check.outcome,
        "summary": check.expected,
        "found": check.found or None,
        "why": check.why or None,
    }
