"""`rxcalc diff`."""

from __future__ import annotations

import os
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rxcalc.cli import options
from rxcalc.cli.show import Failure, diagnostics, result
from rxcalc.diagnostics.model import Sink

if TYPE_CHECKING:
    from rxcalc.compare.attributed import Attributed
    from rxcalc.compare.model import Edit
    from rxcalc.compare.moved import Moved
    from rxcalc.driver.diff_batch import Books
    from rxcalc.driver.diff_runs import BillFiles
    from rxcalc.driver.find import Found
    from rxcalc.plan.nodes import Plan


@click.command("diff")
@click.argument("old")
@click.argument("new")
@click.argument("episodes", required=False, type=click.Path(path_type=Path))
@click.option(
    "--by", multiple=True, metavar="FIELD", help="Tell the amount by the values of this input too; may be repeated."
)
@click.option(
    "--amount", default=None, metavar="NAME", help="Winners and losers by this output or share, not patient_pays."
)
@click.option("--attribute", is_flag=True, help="Say which change moved which bills.")
@click.option("--lines", type=click.Path(path_type=Path), metavar="FILE", help="The lines of the bills.")
@click.option("--list", "lists", multiple=True, metavar="NAME=FILE", help="The rows of another list; may be repeated.")
@click.option("--groups", type=click.Path(path_type=Path), metavar="DIR", help="A folder with the inputs of groups.")
@click.option(
    "--columns", "mapping", type=click.Path(path_type=Path), metavar="MAP.yaml", help="Which column is which input."
)
@click.option("--encoding", default="auto", show_default=True, help="Of text files.")
@click.option("--episode", default=None, type=click.Path(), metavar="FILE", help="The bill: a YAML or JSON file, or -.")
@click.option("--example", default=None, metavar="NAME", help="Take this entry of an examples file.")
@click.option("--exit-code", is_flag=True, help="Leave with exit code 1 when anything differs.")
@click.option("--format", "form", type=click.Choice(["text", "json", "md", "html"]), default="text", show_default=True)
@options.lang()
@options.output()
def command(
    old: str,
    new: str,
    episodes: Path | None,
    by: tuple[str, ...],
    amount: str | None,
    attribute: bool,  # noqa: FBT001 - click gives options by name
    lines: Path | None,
    lists: tuple[str, ...],
    groups: Path | None,
    mapping: Path | None,
    encoding: str,
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
      rxcalc diff qin dian --episode bill.yaml
    """
    if episodes is None and (by or amount or attribute or lines or lists or groups or mapping):
        raise Failure(
            "--by, --amount, --attribute, --lines, --list, --groups and --columns are for a file of bills",
            "name it behind NEW",
        )
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
            return _one_bill(plans, episode, example, form, lang, output, read, exit_code=exit_code)
        if example is not None:
            raise Failure("`--example` names an entry of an episode file, and none is given", "add --episode FILE")
        if form == "md":
            raise Failure("`--format md` is for one bill", "add --episode FILE, or take text, json or html")
        from rxcalc.compare.edits import edits

        found = edits(*plans)
        moved = None
        if episodes is not None:
            from rxcalc.cli.batch import _files as files_of_lists
            from rxcalc.cli.batch import _mapping
            from rxcalc.driver.diff_batch import Books
            from rxcalc.driver.diff_runs import BillFiles

            files = BillFiles(
                episodes=episodes,
                lists=files_of_lists("--list", lists, lines),
                columns=_mapping(mapping) if mapping is not None else {},
                encoding=encoding,
                groups=groups,
                threads=os.cpu_count() or 1,
            )
            read += [episodes, *files.lists.values()]
            books = Books(sides[0][0], sides[1][0], found) if attribute else None
            moved = _moved(plans, files, by, amount, books)
        result(_changes(plans, found, moved, form, options.language(lang)), output, tuple(read))
        return 1 if exit_code and (found or (moved is not None and moved[0].differs)) else 0


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


def _moved(
    plans: tuple[Plan, Plan], files: BillFiles, by: tuple[str, ...], amount: str | None, books: Books | None
) -> tuple[Moved, Attributed | None]:
    """What the change moves over a file of bills."""
    from rxcalc.driver.diff_batch import diff_batch
    from rxcalc.tabular.problems import UsageProblem

    moved = diff_batch(*plans, files, by, amount, books)
    if isinstance(moved, UsageProblem):
        raise Failure(moved.message, "; ".join(moved.help))
    return moved


def _changes(
    plans: tuple[Plan, Plan],
    found: tuple[Edit, ...],
    moved: tuple[Moved, Attributed | None] | None,
    form: str,
    language: str,
) -> str:
    """The page."""
    from rxcalc.report import edits as report
    from rxcalc.report import moved as bills

    of, attributed = moved or (None, None)
    if form == "text":
        parts = [report.text(*plans, found)]
        if of is not None:
            parts.append(bills.text(of))
        if attributed is not None:
            parts.append(bills.attributed_text(attributed))
        if of is not None:
            parts += [f"{line}\n" for line in _status(plans, language)]
        return "\n".join(parts)
    from rxcalc import __version__

    if form == "html":
        from rxcalc.report.moved_html import render

        status = _status(plans, language) if of is not None else []
        return render(plans, found, of, attributed, status, __version__)
    import json

    document = report.document(*plans, found, __version__)
    if of is not None:
        document |= bills.document(of) | {"status": _status(plans, language)}
    if attributed is not None:
        document["attribution"] = bills.attributed_document(attributed)
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
    found = diff_episode(*plans, entry, language)
    if isinstance(found, NotComparable):
        raise Failure(found.message, found.help)
    if form == "json":
        import json

        from rxcalc import __version__
        from rxcalc.report.whatif_json import diff_document

        text = json.dumps(diff_document(found.table, found.notes, __version__, language), ensure_ascii=False, indent=2)
        text += "\n"
    elif form == "md":
        from rxcalc.report.markdown_whatif import render as as_markdown

        text = as_markdown(found.view)
    else:
        from rxcalc.report.text_whatif import render

        text = render(found.view, columns=options.columns())
    result(text, output, (Path(episode), *read))
    return 1 if found.refused or (exit_code and found.different) else 0
