"""`rxcalc batch`."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rxcalc.cli.bill_files import ENCODINGS, column_mapping, list_files, memory_size
from rxcalc.cli.options import default_language, language
from rxcalc.cli.options import rulebook as rulebook_option
from rxcalc.cli.show import Failure

if TYPE_CHECKING:
    from rxcalc.driver.batch_report import BatchOptions, BatchReport, FindingReport, RejectExample
    from rxcalc.plan.nodes import Plan
    from rxcalc.tabular.accounts import Accounts
    from rxcalc.tabular.naming import Names


@click.command("batch")
@click.argument("episodes", type=click.Path(path_type=Path))
@rulebook_option(required=True, several=True)
@click.option("-o", "--output", "results", required=True, type=click.Path(path_type=Path), help="The results file.")
@click.option(
    "--lines",
    type=click.Path(path_type=Path),
    help="The lines of the bills: a file with the column episode_id and those of the rulebook's `lines:`.",
)
@click.option(
    "--lines-out",
    type=click.Path(path_type=Path),
    help="Write the lines with what the rulebook computes for each to this file.",
)
@click.option("--list", "lists", multiple=True, metavar="NAME=FILE", help="The file of another list of the rulebook.")
@click.option(
    "--list-out", "list_results", multiple=True, metavar="NAME=FILE", help="As --lines-out, for another list."
)
@click.option(
    "--earlier",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Results of an earlier run: its episodes came before, as recorded. May be repeated.",
)
@click.option("--opening", type=click.Path(path_type=Path), help="What windows hold before the first episode.")
@click.option(
    "--closing", type=click.Path(path_type=Path), help="Write what windows hold after the last episode, for --opening."
)
@click.option(
    "--groups",
    type=click.Path(path_type=Path),
    help="The folder that holds the inputs of groups: one file a kind, DIR/region_year.csv, with its keys and inputs.",
)
@click.option(
    "--groups-out",
    type=click.Path(path_type=Path),
    help="The folder for the results of groups, one file a kind. [default: beside the results, .groups/]",
)
@click.option(
    "--rejects", type=click.Path(path_type=Path), help="Refused records. [default: beside the results, .rejects.csv]"
)
@click.option(
    "--summary", type=click.Path(path_type=Path), help="Counts and totals. [default: beside the results, .summary.json]"
)
@click.option(
    "--findings",
    type=click.Path(path_type=Path),
    help="What the rulebook's checks found. [default: beside the results, .findings.csv]",
)
@click.option(
    "--select",
    default=None,
    metavar="NAME,..",
    help="inputs, outputs, steps, shares, or single names. [default: inputs,outputs]",
)
@click.option(
    "--names",
    type=click.Choice(["step", "label", "nhsa"]),
    default="step",
    show_default=True,
    help="What result columns are called: as in the rulebook, by its labels, or as in the national interface.",
)
@click.option("--excel", is_flag=True, help="CSV files that spreadsheets show as they are: ids as text, no formulas.")
@click.option(
    "--redact",
    is_flag=True,
    help="Hide codes and texts; ids become pseudonyms that still tell rows apart.",
)
@click.option("--columns", "mapping", type=click.Path(path_type=Path), help="A YAML file of `input: column` lines.")
@click.option(
    "--encoding",
    type=click.Choice(ENCODINGS),
    default="auto",
    show_default=True,
    help="Of EPISODES and files of lists; other files are always recognised.",
)
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
@click.option(
    "--lang",
    type=click.Choice(["en", "zh"]),
    default=None,
    help="Language of the messages of findings, and of labels. [default: from LANG]",
)
@click.option(
    "--memory",
    default="2GB",
    show_default=True,
    metavar="SIZE",
    help="What the run may take; rows beyond it are put aside on disk.",
)
@click.option(
    "--temp-dir",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Where rows are put aside. [default: a private folder beside the results]",
)
@click.option("--resume", is_flag=True, help="Go on from where the same command was interrupted.")
@click.option("--dry-run", is_flag=True, help="Read, check and compute everything, write nothing.")
def command(
    episodes: Path,
    rulebook: tuple[str, ...],
    results: Path,
    lines: Path | None,
    lines_out: Path | None,
    lists: tuple[str, ...],
    list_results: tuple[str, ...],
    earlier: tuple[Path, ...],
    opening: Path | None,
    closing: Path | None,
    groups: Path | None,
    groups_out: Path | None,
    rejects: Path | None,
    summary: Path | None,
    findings: Path | None,
    select: str | None,
    mapping: Path | None,
    encoding: str,
    after_reject: str,
    max_rejects: str,
    threads: int | None,
    lang: str | None,
    names: Names,
    memory: str,
    temp_dir: Path | None,
    *,
    excel: bool,
    redact: bool,
    progress: bool | None,
    resume: bool,
    dry_run: bool,
) -> int:
    """Run a rulebook over a file of episodes, exact to the last digit: CSV, TSV, Parquet, xlsx, a table of DuckDB or SQLite.

    Results appear whole or not at all. Records that cannot be computed go to the rejects file, with
    the reason, and can be fed back after mending. The exit code is 1 when there are any.

    \b
    Example:
      rxcalc batch episodes.csv -r beijing-employee -o results.csv
      rxcalc batch episodes.csv -r rules/ -o short.csv --select episode_id,outputs
      rxcalc batch episodes.csv -r rules/ -o results.csv --lines lines.csv --lines-out lines-paid.csv
      rxcalc batch february.csv -r beijing-employee -o february-paid.csv --earlier january-paid.csv
      rxcalc batch episodes.csv -r rules/ -o results.csv --groups inputs/ --groups-out settled/
      rxcalc batch episodes.csv -r shanghai-employee@2017 -r shanghai-employee@2024 -o results.csv
    """
    if threads is not None:
        os.environ["POLARS_MAX_THREADS"] = str(threads)  # read once, when polars is imported below
    from rxcalc.cli.load import facts_of, files_of, joint_plan, plan_of

    plans = [plan_of(name) for name in rulebook]
    plan = joint_plan(plans)
    from rxcalc.driver.batch import run_batch
    from rxcalc.driver.batch_report import BatchOptions
    from rxcalc.tabular.progress import progress_for
    from rxcalc.tabular.redaction import Redaction

    options = BatchOptions(
        episodes=episodes,
        results=results,
        rejects=rejects,
        summary=summary,
        select=_selected(select),
        columns=column_mapping(mapping) if mapping is not None else {},
        encoding=encoding,
        after_reject="compute" if after_reject == "compute" else "refuse",
        max_rejects=max_rejects,
        threads=threads or os.cpu_count() or 1,
        dry_run=dry_run,
        resume=resume,
        memory=memory_size(memory),
        temp_dir=temp_dir,
        lists=list_files("--list", lists, lines),
        list_results=list_files("--list-out", list_results, lines_out),
        earlier=earlier,
        opening=opening,
        closing=closing,
        groups=groups,
        groups_out=groups_out,
        findings=findings,
        language=language(lang),
        names=names,
        excel=excel,
        redact=Redaction.made() if redact else None,
        rulebook=facts_of(rulebook, plans),
        reads=tuple(
            path
            for path in (*(f for name, own in zip(rulebook, plans, strict=True) for f in files_of(name, own)), mapping)
            if path is not None
        ),
    )
    shown = progress_for(sys.stderr, wanted=progress)
    if len(plans) > 1:
        from rxcalc.driver.versions_run import run_versions

        report = run_versions(plans, options, shown)
    else:
        report = run_batch(plan, options, shown)
    if report.accounts is not None:
        _tell(plan, options, report)
    if report.problem is not None:
        raise Failure(report.problem.message, "; ".join(report.problem.help))
    return report.exit_code


def _selected(text: str | None) -> tuple[str, ...]:
    """The names of `--select`."""
    if text is None:
        return ()
    names = tuple(name.strip() for name in text.split(","))
    if not all(names):
        raise Failure(f"`--select {text}` has an empty name", "e.g. --select episode_id,outputs")
    return names


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
    lines: list[str] = [report.resumed] if report.resumed else []
    if report.unknown_sequence and plan.sequence is not None:
        lines.append(
            f"{report.unknown_sequence:,} record(s) have no readable {plan.sequence.by}: nobody's later episodes can be known to depend on them"
        )
    lines += [
        f"{found.unlinked:,} record(s) of {name} have no readable episode_id: the episodes that they belong to are computed without them"
        for name, found in report.lists.items()
        if found.unlinked
    ]
    lines += [
        f"{of.unplaced:,} rejected record(s) may belong to any group of {name}: no group can be known to be complete"
        for name, of in report.groups.items()
        if of.unplaced
    ]
    took = f"   ({report.seconds:.1f} s)"
    lines += _accounts("records", accounts, report.decimals, report.defaults, plan.currency, took)
    for name, found in report.lists.items():
        lines += _accounts(f"records of {name}", found.accounts, found.decimals, found.defaults, plan.currency)
    for name, of in report.groups.items():
        rest = f", {of.rejected:,} more rejected ({of.incomplete:,} incomplete)" if of.rejected else ""
        lines.append(f"{of.groups:,} groups of {name} of {of.members:,} members{rest}")
        lines += [
            f"  refused {code}  {count:,}  e.g. {of.examples[code]}" for code, count in sorted(of.reject_codes.items())
        ]
    lines.extend(f"  assumed: {assumption}" for assumption in report.assumptions)
    lines += _found(report.findings, plan.currency, plan.decimals, options.findings_path)
    if report.incomplete:
        lines.append(
            f"{report.incomplete:,} result(s) read a group that lacks a member: see the column group_incomplete"
        )
    if report.stale:
        lines.append(
            f"{report.stale:,} issued result(s) would have been others, had these episodes been there: see {options.stale_path}"
        )
    if report.affected:
        lines.append(
            f"{report.affected:,} result(s) had read an episode that is reversed now: see affected_by_reversals in the summary"
        )
    lines += _rejected("rejected:", report.reject_codes, report.examples, options)
    for name, found in report.lists.items():
        lines += _rejected(f"rejected of {name}:", found.reject_codes, found.examples, options)
    lines.extend(f"wrote {path}" for path in report.published)
    lines += _next(plan, options, report)
    if options.dry_run:
        lines.append("dry run: nothing was written")
    lines.extend(status_lines(plan))
    click.echo("\n".join(lines), err=True)


def _next(plan: Plan, options: BatchOptions, report: BatchReport) -> list[str]:
    """What to do about rejects."""
    from rxcalc.inputs.openings import window_calls

    of_lists = [name for name, found in report.lists.items() if found.reject_codes]
    if not report.published or not (report.reject_codes or of_lists):
        return []
    if window_calls(plan):
        why = "later episodes look back on them"
    elif report.groups:
        why = "their groups are computed from all of their members"
    elif report.lists:
        why = "episodes and lines need each other"
    else:
        return [
            f"next: mend the records in {options.rejects_path} and run them again; `rxcalc batch` ignores their rx_ columns"
        ]
    files = [options.episodes] if report.reject_codes else []
    files += [options.lists[name] for name in of_lists]
    named = " and ".join(str(file) for file in files)
    return [f"next: mend these records in {named} and run everything again: {why}"]


def _accounts(
    what: str,
    accounts: Accounts,
    decimals: Mapping[str, int],
    defaults: Mapping[str, int],
    currency: str,
    end: str = "",
) -> list[str]:
    """What became of the records of a file, in counts and in money."""
    counts = accounts.counts()
    sums_up = " + ".join(f"{counts[kind]:,} {kind}" for kind in ("written", "rejected", "totals", "blank"))
    lines = [f"{counts['read']:,} {what} read = {sums_up}{end}"]
    for name, sums in accounts.totals(decimals).items():
        parts = [f"{sums[kind]} {kind}" for kind in ("written", "rejected")]
        if counts["totals"]:
            parts.append(f"{sums['totals']} in total rows")
        unreadable = f"; {sums['unreadable_cells']} unreadable cells left out" if sums["unreadable_cells"] else ""
        lines.append(f"  {name}: {sums['read']} {currency} read = {' + '.join(parts)}{unreadable}")
    lines += [f"  {name}: the default was filled in {count:,} times" for name, count in defaults.items() if count]
    return lines + _total_rows(what, accounts, decimals)


def _total_rows(what: str, accounts: Accounts, decimals: Mapping[str, int]) -> list[str]:
    """Whether rows of totals are what the records above them add up to; a note for whoever made the file."""
    from rxcalc.tabular.accounts import plain

    rows = accounts.total_rows
    equal = rows.said - rows.wrong
    lines = [f"  {equal:,} total row(s) equal what stands above them"] if equal else []
    for row in rows.first[:3]:
        for name, said in row.said.items():
            above, since = row.above[name], row.since[name]
            if said in (above, since):
                continue
            says, sums, part = (plain(amount, decimals[name]) for amount in (said, above, since))
            rest = f" ({part} since the total row before)" if since != above else ""
            lines.append(
                f"  note: the total row on line {row.line} says {name} {says}, the {what} above it add up to {sums}{rest}"
            )
    if rows.wrong > 3:
        lines.append(f"  note: {rows.wrong - 3:,} more total rows differ: see total_rows in the summary")
    return lines


def _found(findings: Mapping[str, FindingReport], currency: str, decimals: int, path: Path) -> list[str]:
    """How much the checks have found, and each that found anything."""
    if not findings:
        return []
    count = sum(found.count for found in findings.values())
    errors = sum(found.count for found in findings.values() if found.severity == "error")
    lines = [
        f"{count:,} finding(s)"
        + (f", {errors:,} of them errors" if errors else "")
        + (f": see {path}" if count else "")
    ]
    for name, found in findings.items():
        amount = found.as_json(decimals).get("amount")
        told = f"  {currency} {amount}" if amount is not None else ""
        lines += [f"  {found.severity:5s}  {name}  {found.count:,}{told}"] if found.count else []
    return lines


def _rejected(
    title: str, codes: Mapping[str, int], examples: Mapping[str, RejectExample], options: BatchOptions
) -> list[str]:
    """How many records were refused with each code, the most first, with an example; a message may hold what is hidden."""
    lines = [title] if codes else []
    for code, count in sorted(codes.items(), key=lambda item: (-item[1], item[0])):
        example = examples[code]
        told = example.message if options.redact is None else example.field
        lines.append(f"  {code}  {count:,}  e.g. line {example.line}: {told}")
    return lines
