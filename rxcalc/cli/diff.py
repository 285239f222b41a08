"""`rxcalc diff`."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rxcalc.cli import options
from rxcalc.cli.show import Failure, diagnostics, result
from rxcalc.diagnostics.model import Sink

if TYPE_CHECKING:
    from rxcalc.compare.model import Edit
    from rxcalc.driver.find import Found
    from rxcalc.plan.nodes import Plan


@click.command("diff")
@click.argument("old")
@click.argument("new")
@click.option("--episode", default=None, type=click.Path(), metavar="FILE", help="The bill: a YAML or JSON file, or -.")
@click.option("--example", default=None, metavar="NAME", help="Take this entry of an examples file.")
@click.option("--exit-code", is_flag=True, help="Leave with exit code 1 when anything differs.")
@click.option("--format", "form", type=click.Choice(["text", "json", "md"]), default="text", show_default=True)
@options.lang()
@options.output()
def command(
    old: str,
    new: str,
    episode: str | None,
    example: str | None,
    exit_code: bool,  # noqa: FBT001 - click gives options by name
    form: str,
    lang: str | None,
    output: str | None,
) -> int:
    """What changed in meaning between two rulebooks; with --episode, one bill under both.

    OLD and NEW are paths or names of rulebooks; NAME@VERSION picks a version, REV:PATH reads a git revision.

    \b
    Example:
      rxcalc diff shanghai-employee@2017 shanghai-employee@2024
      rxcalc diff HEAD:rules/rulebook.yaml rules/rulebook.yaml --exit-code
      rxcalc diff qin dian --episode bill.yaml
    """
    with ExitStack() as stack:
        sides = tuple(_side(name, stack) for name in (old, new))
        plans = sides[0][1], sides[1][1]
        read = [file for found, plan in sides for file in _files(found, plan)]
        if episode is not None:
            return _one_bill(plans, episode, example, form, lang, output, read, exit_code=exit_code)
        if example is not None:
            raise Failure("`--example` names an entry of an episode file, and none is given", "add --episode FILE")
        if form == "md":
            raise Failure("`--format md` is for one bill", "add --episode FILE, or take text or json")
        from rxcalc.compare.edits import edits

        found = edits(*plans)
        result(_changes(plans, found, form), output, tuple(read))
        return 1 if exit_code and found else 0


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


def _changes(plans: tuple[Plan, Plan], found: tuple[Edit, ...], form: str) -> str:
    from rxcalc.report import edits as report

    if form == "text":
        return report.text(*plans, found)
    import json

    from rxcalc import __version__

    document = report.document(*plans, found, __version__)
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


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
