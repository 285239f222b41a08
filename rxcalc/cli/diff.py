"""`rxcalc diff`."""

from __future__ import annotations

import os
import tempfile
from contextlib import ExitStack
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rxcalc.cli import options
from rxcalc.cli.bill_files import ENCODINGS, column_mapping, list_files, memory_size
from rxcalc.cli.show import Failure, diagnostics, place, result
from rxcalc.diagnostics.model import Sink

if TYPE_CHECKING:
    from rxcalc.driver.diff_api import Difference
    from rxcalc.driver.find import Found
    from rxcalc.plan.nodes import Plan


@click.command("diff")
@click.argument("old", shell_complete=options.complete_rulebook)
@click.argument("new", shell_complete=options.complete_rulebook)
@click.argument("episodes", required=False, type=click.Path(path_type=Path))
@click.option(
    "--by", multiple=True, metavar="FIELD", help="Tell the amount by the values of this input too; may be repeated."
)
@click.option(
    "--amount", default=None, metavar="NAME", help="Winners and losers by this output or share, not patient_pays."
)
@click.option(
    "--as-of",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    help="Compute every bill with the values of this day, whatever its own day.",
)
@click.option("--attribute", is_flag=True, help="Say which change moved which bills.")
@click.option(
    "--moved-out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write every bill that comes out otherwise to this CSV file; with --attribute also the changes that moved it.",
)
@click.option("--lines", type=click.Path(path_type=Path), metavar="FILE", help="The lines of the bills.")
@click.option("--list", "lists", multiple=True, metavar="NAME=FILE", help="The rows of another list; may be repeated.")
@click.option("--groups", type=click.Path(path_type=Path), metavar="DIR", help="A folder with the inputs of groups.")
@click.option(
    "--columns", "mapping", type=click.Path(path_type=Path), metavar="MAP.yaml", help="Which column is which input."
)
@click.option("--encoding", type=click.Choice(ENCODINGS), default="auto", show_default=True, help="Of text files.")
@click.option(
    "--earlier",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Results of an earlier batch: its bills came before, as they were paid. May be repeated.",
)
@click.option("--opening", type=click.Path(path_type=Path), metavar="FILE", help="What windows hold before the bills.")
@click.option("--memory", default="2GB", show_default=True, metavar="SIZE", help="What each of the two runs may take.")
@click.option(
    "--temp-dir",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Where results stand until they are compared. [default: the system's folder for temporary files]",
)
@click.option("--episode", default=None, type=click.Path(), metavar="FILE", help="The bill: a YAML or JSON file, or -.")
@options.example()
@click.option("--exit-code", is_flag=True, help="Leave with exit code 1 when anything differs.")
@options.form("text", "json", "md", "html")
@options.lang()
@options.output()
def command(
    old: str,
    new: str,
    episodes: Path | None,
    by: tuple[str, ...],
    amount: str | None,
    as_of: datetime | None,
    moved_out: Path | None,
    attribute: bool,  # noqa: FBT001 - click gives options by name
    lines: Path | None,
    lists: tuple[str, ...],
    groups: Path | None,
    mapping: Path | None,
    encoding: str,
    earlier: tuple[Path, ...],
    opening: Path | None,
    memory: str,
    temp_dir: Path | None,
    episode: str | None,
    example: str | None,
    exit_code: bool,  # noqa: FBT001 - click gives options by name
    form: str,
    lang: str | None,
    output: str | None,
) -> int:
    """What changed in meaning between two rulebooks, and what it moves over many bills, or on one.

    Without bills: the changes, not of spelling but of meaning. EPISODES, a file as for `rxcalc batch`: totals, who pays
    less and who more, the distribution. --episode: one bill under both, step by step.

    OLD and NEW are paths or names of rulebooks; NAME@VERSION picks a version, REV:PATH reads a git revision.

    \b
    Example:
      rxcalc diff shanghai-employee@2017 shanghai-employee@2024
      rxcalc diff HEAD:rules/rulebook.yaml rules/rulebook.yaml --exit-code
      rxcalc diff HEAD:rules/rulebook.yaml rules/rulebook.yaml episodes.csv --by level
      rxcalc diff HEAD:rules/rulebook.yaml rules/rulebook.yaml episodes.csv --as-of 2026-01-01 --attribute
      rxcalc diff qin dian --episode bill.yaml
    """
    for_bills = {
        "--by": by, "--amount": amount, "--attribute": attribute, "--lines": lines, "--list": lists,
        "--groups": groups, "--columns": mapping, "--earlier": earlier, "--opening": opening, "--moved-out": moved_out, "--temp-dir": temp_dir,
    }  # fmt: skip
    given = [name for name, value in for_bills.items() if value]
    if episodes is None and given:
        raise Failure(f"{', '.join(given)}: for a file of bills, and none is given", "name it behind NEW")
    if as_of is not None and episodes is None and episode is None:
        raise Failure(
            "--as-of is for bills, and none is given", "name a file of bills behind NEW, or add --episode FILE"
        )
    day = as_of.date() if as_of is not None else None
    if episodes is not None and (episode is not None or example is not None):
        raise Failure("a file of bills and --episode are given", "compare one or the other")
    with ExitStack() as stack:
        sides = tuple(_side(name, stack) for name in (old, new))
        plans = sides[0][1], sides[1][1]
        read = [file for found, plan in sides for file in _files(found, plan)]
        if episode is not None:
            if form == "html":
                raise Failure(
                    "`--format html` is for rulebooks and files of bills", "take text, json or md for one bill"
                )
            return _one_bill(plans, episode, example, day, form, lang, output, read, exit_code=exit_code)
        if example is not None:
            raise Failure("`--example` names an entry of an episode file, and none is given", "add --episode FILE")
        if form == "md":
            raise Failure("`--format md` is for one bill", "add --episode FILE, or take text, json or html")
        from rxcalc.driver.batch_groups import input_files
        from rxcalc.driver.diff_api import BillsAsked, Difference, compared

        rows = list_files("--list", lists, lines)
        asked = BillsAsked(
            lists=rows,
            groups=groups,
            columns=column_mapping(mapping) if mapping is not None else None,
            encoding=encoding,
            earlier=earlier,
            opening=opening,
            by=by,
            amount=amount,
            as_of=day,
            attribute=attribute,
            memory=memory_size(memory),
            temp_dir=temp_dir,
            rows=moved_out is not None,
        )
        known = (episodes, opening, mapping, *rows.values(), *earlier)
        read += [path for path in known if path]
        read += [file for plan in plans for file in input_files(plan, groups).values()] if groups else []
        place(output, read)
        if moved_out is not None:
            place(str(moved_out), read, "--moved-out")
            if output is not None and os.path.realpath(output) == os.path.realpath(moved_out):
                raise Failure(f"`{output}` is named by -o and by --moved-out", "name two files")
        found = compared(plans, (sides[0][0], sides[1][0]), episodes, asked)
        if not isinstance(found, Difference):
            raise Failure(found.message, "; ".join(found.help))
        result(_page(found, form, options.language(lang)), output, tuple(read))
        if moved_out is not None and found.rows is not None:
            result(found.rows, str(moved_out), tuple(read), "--moved-out")
        return 1 if exit_code and found.differs else 0


def _side(name: str, stack: ExitStack) -> tuple[Found, Plan]:
    """A rulebook's file and plan; Failure after printing its errors."""
    from rxcalc.driver import revisions
    from rxcalc.driver.cached import plan_for
    from rxcalc.driver.find import NotFound

    folder = Path()
    if revisions.is_revision(name):
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rxcalc-")))
    found = revisions.rulebook(name, folder)
    if isinstance(found, NotFound):
        raise Failure(found.message, found.help)
    sink = Sink()
    plan = plan_for(found, sink)
    if plan is None:
        diagnostics(sink, only_errors=True)
        raise Failure(f"`{name}` has errors and was not compared", "mend it, or compare another version")
    return found, plan


def _files(found: Found, plan: Plan) -> tuple[Path, ...]:
    return (found.path, *(found.path.parent / file for file in plan.files))


def _page(found: Difference, form: str, language: str) -> str:
    """The page."""
    status = _status((found.old, found.new), language) if found.moved is not None else []
    if form == "text":
        from rxcalc.report.layout import wrap

        columns = max(60, min(options.columns(), 120))
        parts = [found.text(language, columns=columns)]
        parts += ["\n".join(wrap(line, columns)) + "\n" for line in status]
        return "\n".join(parts)
    if form == "html":
        from rxcalc import __version__
        from rxcalc.report.moved_html import render

        plans = found.old, found.new
        return render(plans, found.edits, found.moved, found.attributed, status, __version__, language)
    import json

    document = found.document() | ({"status": status} if found.moved is not None else {})
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _status(plans: tuple[Plan, Plan], language: str) -> list[str]:
    """What the evidence of the rulebooks' values forbids to believe."""
    from rxcalc.plan.nodes import weakest_evidence
    from rxcalc.report.phrases import phrase

    worst = dict.fromkeys(weakest_evidence(plan) for plan in plans)
    return [phrase(f"status_{one}", language) for one in worst if one != "sourced"]


def _one_bill(
    plans: tuple[Plan, Plan],
    episode: str,
    example: str | None,
    day: date | None,
    form: str,
    lang: str | None,
    output: str | None,
    read: list[Path],
    *,
    exit_code: bool,
) -> int:
    """One bill under both."""
    from rxcalc.cli.episode import entry_of
    from rxcalc.driver.diff import NotComparable, diff_episode

    entry = entry_of(episode, example, Sink())
    language = options.language(lang)
    found = diff_episode(*plans, entry, language, day)
    if isinstance(found, NotComparable):
        raise Failure(found.message, found.help)
    if form == "json":
        import json

        from rxcalc import __version__
        from rxcalc.report.whatif_json import diff_document

        document = diff_document(found.table, found.notes, __version__, language) | {"days": found.days}
        text = json.dumps(document, ensure_ascii=False, indent=2) + "\n"
    elif form == "md":
        from rxcalc.report.markdown_whatif import render as as_markdown

        text = as_markdown(found.view)
    else:
        from rxcalc.report.text_whatif import render

        text = render(found.view, columns=options.columns())
    result(text, output, (Path(episode), *read))
    return 1 if found.refused or (exit_code and found.different) else 0
