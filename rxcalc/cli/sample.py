"""`rxcalc sample`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rxcalc.cli import options
from rxcalc.cli.show import Failure, diagnostics
from rxcalc.diagnostics.model import Sink
from rxcalc.driver import find

if TYPE_CHECKING:
    from rxcalc.driver.compile import Compiled
    from rxcalc.driver.sample import SampleReport


@click.command("sample")
@click.argument("rulebook", shell_complete=options.complete_rulebook)
@click.option("-n", "episodes", type=click.IntRange(0), default=100, show_default=True, help="How many episodes.")
@click.option(
    "--per-key",
    type=click.IntRange(1, 10_000),
    default=None,
    help="Episodes of each person (each value of `sequence: by`); the last one may have fewer. [default: 1 to 6]",
)
@click.option("--lines-out", type=click.Path(path_type=Path), help="Write the lines of the bills to this file.")
@click.option("--list", "lists", multiple=True, metavar="NAME=FILE", help="As --lines-out, for another list.")
@click.option(
    "--groups-out",
    type=click.Path(path_type=Path),
    help="Write the inputs of groups to this folder, one file a kind, for `rxcalc settle --groups`.",
)
@click.option("--seed", default="1", show_default=True, help="Any text: the same seed gives the same bytes anywhere.")
@click.option("-o", "--output", default="-", help="The file of episodes, .csv or .tsv. [default: the terminal]")
def command(
    rulebook: str,
    episodes: int,
    per_key: int | None,
    lines_out: Path | None,
    lists: tuple[str, ...],
    groups_out: Path | None,
    seed: str,
    output: str,
) -> int:
    """Make up valid, varied episodes of a rulebook, boundaries included.

    Values come from the rulebook itself: its sets, tables, dates and thresholds; `sample:` in the rulebook steers
    them. No episode is one that the rulebook refuses. Nothing in the data is real.

    \b
    Example:
      rxcalc sample qin -n 1000 --seed 7 -o episodes.csv
      rxcalc sample rules/ -n 500 --per-key 4 -o episodes.csv --lines-out lines.csv
      rxcalc sample rules/ -n 500 -o episodes.csv --groups-out inputs/
    """
    compiled, files = _compiled(rulebook)
    from rxcalc.driver.sample import SampleOptions, run_sample

    options = SampleOptions(
        episodes=episodes,
        episodes_to=None if output == "-" else Path(output),
        seed=seed,
        per_key=per_key or 0,
        lists=_files(lists, lines_out),
        groups_to=groups_out,
        reads=files,
    )
    report = run_sample(compiled.plan, compiled.hints, options, sys.stdout.buffer.write)
    if report.problem is not None:
        raise Failure(report.problem.message, "; ".join(report.problem.help))
    sys.stdout.flush()
    _tell(compiled, seed, report)
    return 0


def _compiled(name: str) -> tuple[Compiled, tuple[Path, ...]]:
    """The rulebook with its hints, which no kept plan holds; Failure after printing its errors."""
    from rxcalc.driver.compile import compile_file

    found = find.rulebook(name)
    if isinstance(found, find.NotFound):
        raise Failure(found.message, found.help)
    sink = Sink()
    compiled = compile_file(found.path, found.shown, sink)
    if compiled is None:
        diagnostics(sink, only_errors=True)
        raise Failure(f"`{name}` has errors and was not run", f"`rxcalc check {name}` shows them all")
    return compiled, (found.path, *(found.path.parent / file for file in compiled.plan.files))


def _files(pairs: tuple[str, ...], lines: Path | None) -> dict[str, Path]:
    """The files of lists by name."""
    found = {"lines": lines} if lines is not None else {}
    for pair in pairs:
        name, equals, file = pair.partition("=")
        if not equals or not name.strip() or not file.strip():
            raise Failure(f"`--list {pair}` is not NAME=FILE", "e.g. --list premiums=premiums.csv")
        if name.strip() in found:
            raise Failure(f"`--list` gives {name.strip()} a second time", "give each list one file")
        found[name.strip()] = Path(file.strip())
    return found


def _tell(compiled: Compiled, seed: str, report: SampleReport) -> None:
    """What was made, on stderr."""
    from rxcalc.cli.batch import status_lines

    plan = compiled.plan
    owners = f" of {report.persons:,} {plan.sequence.by}" if plan.sequence is not None else ""
    lines = [f"made up {report.episodes:,} episodes{owners} for {plan.rulebook} {plan.version}, seed {seed}"]
    lines += [f"  {count:,} rows of {name}" for name, count in report.rows.items()]
    lines += [f"  {count:,} groups of {name}" for name, count in report.groups.items()]
    if report.unwritten_lists:
        option = "--lines-out FILE" if report.unwritten_lists == ("lines",) else "--lines-out FILE, --list NAME=FILE"
        lines.append(f"  without rows of {', '.join(report.unwritten_lists)}: {option} makes them too")
    if report.unwritten_groups:
        lines.append(
            f"  the inputs of {', '.join(report.unwritten_groups)} are not written: --groups-out DIR writes them"
        )
    lines += [f"wrote {path}" for path in report.published]
    lines.append("made-up data: nobody and nothing in it is real")
    click.echo("\n".join([*lines, *status_lines(plan)]), err=True)
