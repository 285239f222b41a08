"""`rxcalc batch`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rxcalc.cli.options import default_language
from rxcalc.cli.show import Failure

if TYPE_CHECKING:
    from rxcalc.driver.batch_report import BatchOptions, BatchReport
    from rxcalc.plan.nodes import Plan


@click.command("batch")
@click.argument("episodes", type=click.Path(path_type=Path))
@click.option("-r", "--rulebook", required=True, help="Path or name of the rulebook.")
@click.option("-o", "--output", "results", required=True, type=click.Path(path_type=Path), help="The results file.")
@click.option(
    "--rejects", type=click.Path(path_type=Path), help="Refused records. [default: beside the results, .rejects.csv]"
)
@click.option(
    "--summary", type=click.Path(path_type=Path), help="Counts and totals. [default: beside the results, .summary.json]"
)
@click.option(
    "--select",
    default="",
    metavar="NAME,..",
    help="inputs, outputs, steps, shares, or single names. [default: inputs,outputs]",
)
@click.option("--columns", "mapping", type=click.Path(path_type=Path), help="A YAML file of `input: column` lines.")
@click.option(
    "--after-reject",
    type=click.Choice(["reject", "compute"]),
    default="reject",
    show_default=True,
    help="What to do with episodes that come after a refused one of the same person.",
)
@click.option("--max-rejects", default="", metavar="N|P%", help="Publish no results when more records are refused.")
@click.option("--threads", type=click.IntRange(1, 64), default=None, help="Threads to use. [default: one per core]")
@click.option("--progress/--no-progress", default=None, help="Show progress. [default: on a terminal]")
@click.option("--dry-run", is_flag=True, help="Read, check and compute everything, write nothing.")
def command(
    episodes: Path,
    rulebook: str,
    results: Path,
    rejects: Path | None,
    summary: Path | None,
    select: str,
    mapping: Path | None,
    after_reject: str,
    max_rejects: str,
    threads: int | None,
    *,
    progress: bool | None,
    dry_run: bool,
) -> int:
    """Run a rulebook over a CSV file of episodes, exact to the last digit.

    Results appear whole or not at all. Records that cannot be computed go to the rejects file, with
    the reason, and can be fed back after mending. The exit code is 1 when there are any.

    \b
    Example:
      rxcalc batch episodes.csv -r beijing-employee -o results.csv
      rxcalc batch episodes.csv -r rules/ -o short.csv --select episode_id,outputs
    """
    if threads is not None:
        os.environ["POLARS_MAX_THREADS"] = str(threads)  # read once, when polars is imported below
    from rxcalc.cli.load import files_of, plan_of

    plan = plan_of(rulebook)
    from rxcalc.driver.batch import run_batch
    from rxcalc.driver.batch_report import BatchOptions
    from rxcalc.tabular.progress import progress_for

    options = BatchOptions(
        episodes=episodes,
        results=results,
        rejects=rejects,
        summary=summary,
        select=tuple(name.strip() for name in select.split(",") if name.strip()),
        columns=_mapping(mapping) if mapping is not None else {},
        after_reject="compute" if after_reject == "compute" else "refuse",
        max_rejects=max_rejects,
        threads=threads or os.cpu_count() or 1,
        dry_run=dry_run,
        reads=tuple(path for path in (*files_of(rulebook, plan), mapping) if path is not None),
    )
    report = run_batch(plan, options, progress_for(sys.stderr, wanted=progress))
    if report.accounts is not None:
        _tell(plan, options, report)
    if report.problem is not None:
        raise Failure(report.problem.message, "; ".join(report.problem.help))
    return report.exit_code


def _mapping(path: Path) -> dict[str, str]:
    """The `input: column` lines of a `--columns` file."""
    from rxcalc.driver.columns import read_mapping

    found = read_mapping(path)
    if isinstance(found, str):
        raise Failure(found, "write one line per input, as in `total: 费用总额`")
    return found


def status_lines(plan: Plan) -> list[str]:
    """What the evidence of the rulebook's values forbids to believe."""
    from rxcalc.plan.nodes import weakest_evidence
    from rxcalc.report.phrases import phrase

    worst = weakest_evidence(plan)
    return [phrase(f"status_{worst}", default_language())] if worst != "sourced" else []


def _tell(plan: Plan, options: BatchOptions, report: BatchReport) -> None:
    """The outcome for a human, on stderr."""
    accounts = report.accounts
    assert accounts is not None  # noqa: S101 - the caller looked
    lines: list[str] = []
    if report.unknown_sequence and plan.sequence is not None:
        lines.append(
            f"{report.unknown_sequence:,} record(s) have no readable {plan.sequence.by}: nobody's later episodes can be known to depend on them"
        )
    counts = accounts.counts()
    lines.append(
        f"{counts['read']:,} records read = {counts['written']:,} written + {counts['rejected']:,} rejected"
        f" + {counts['totals']:,} totals + {counts['blank']:,} blank   ({report.seconds:.1f} s)"
    )
    for name, sums in accounts.totals(report.decimals).items():
        parts = [f"{sums[kind]} {kind}" for kind in ("written", "rejected")]
        if counts["totals"]:
            parts.append(f"{sums['totals']} in total rows")
        unreadable = f"; {sums['unreadable_cells']} unreadable cells left out" if sums["unreadable_cells"] else ""
        lines.append(f"  {name}: {sums['read']} {plan.currency} read = {' + '.join(parts)}{unreadable}")
    for name, count in report.defaults.items():
        if count:
            lines.append(f"  {name}: the default was filled in {count:,} times")
    lines.extend(f"  assumed: {assumption}" for assumption in report.assumptions)
    if report.reject_codes:
        lines.append("rejected:")
        for code, count in sorted(report.reject_codes.items(), key=lambda item: (-item[1], item[0])):
            example = report.examples[code]
            lines.append(f"  {code}  {count:,}  e.g. line {example.line}: {example.message}")
    lines.extend(f"wrote {path}" for path in report.published)
    if report.reject_codes and report.published and plan.window_calls:
        lines.append(
            f"next: mend these records in {options.episodes} and run the whole file again: later episodes look back on them"
        )
    elif report.reject_codes and report.published:
        lines.append(
            f"next: mend the records in {options.rejects_path} and run them again; `rxcalc batch` ignores their rx_ columns"
        )
    if options.dry_run:
        lines.append("dry run: nothing was written")
    lines.extend(status_lines(plan))
    click.echo("\n".join(lines), err=True)
