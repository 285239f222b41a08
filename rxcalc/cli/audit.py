"""`rxcalc audit`."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from rxcalc.cli import options
from rxcalc.cli.episode import entry_of, named_rulebooks
from rxcalc.cli.load import files_of, plan_of
from rxcalc.cli.show import Failure, diagnostics, result
from rxcalc.diagnostics.model import Sink

if TYPE_CHECKING:
    from rxcalc.inputs.episodes import EpisodeEntry
    from rxcalc.plan.nodes import Plan


MANY = 30
"""Lines and earlier bills from which on the search takes so long that it is said beforehand."""


@click.command("audit")
@click.argument("episode", type=click.Path())
@options.rulebook(several=True)
@click.option(
    "--tolerance",
    default="0",
    show_default=True,
    metavar="AMOUNT",
    help="A difference up to this is let pass, e.g. 0.01.",
)
@click.option(
    "--against",
    multiple=True,
    metavar="RULEBOOK",
    help="Also try this rulebook as the cause of a difference; may be repeated.",
)
@click.option(
    "--letter",
    default=None,
    type=click.Path(dir_okay=False),
    help="Write a letter of objection (Markdown) to this file.",
)
@options.example()
@options.form("text", "json", "md")
@options.lang()
@options.output()
def command(
    episode: str,
    rulebook: tuple[str, ...],
    tolerance: str,
    against: tuple[str, ...],
    letter: str | None,
    example: str | None,
    form: str,
    lang: str | None,
    output: str | None,
) -> int:
    """Compare what a bill charges with the rules, and search for what explains the first difference.

    EPISODE is a YAML or JSON file, or - for standard input; under `charged:` it holds what the bill says, by step, part,
    total or label. The exit code is 1 when an amount differs beyond the tolerance, or a check of the rulebook finds an error.

    \b
    Example:
      rxcalc audit bill.yaml -r qin
      rxcalc audit bill.yaml -r qin --tolerance 0.01 --letter objection.md --lang zh
    """
    from rxcalc.driver.audit import Unmatched, audit_entry, charged_again, charged_template
    from rxcalc.driver.explain import Missing
    from rxcalc.driver.find import NotFound
    from rxcalc.driver.find import rulebook as find_rulebook
    from rxcalc.report.audited import audit_view

    allowed = _tolerance(tolerance)
    sink = Sink()
    entry = entry_of(episode, example, sink)
    names = named_rulebooks(rulebook, entry)
    plans = [plan_of(name) for name in names]
    plan = plans[0] if len(plans) == 1 else _version(plans, entry)
    others = [(name, plan_of(name)) for name in against]
    language = options.language(lang)
    if letter is not None and output is not None and Path(letter).resolve() == Path(output).resolve():
        raise Failure(f"`--letter` and `-o` name the same file `{letter}`", "give them two names")
    if not entry.charged and not any(rows for _, rows in entry.charged_rows):
        _nothing_charged(episode, charged_template(plan, language))
    found_at = find_rulebook(names[plans.index(plan)])
    where = None if isinstance(found_at, NotFound) else found_at
    if sum(len(rows) for fields, _ in entry.episodes for rows in fields.rows.values()) + len(entry.earlier) > MANY:
        click.echo("This bill has many lines or earlier bills: the search can take a minute or more.", err=True)
    audited = audit_entry(plan, entry, sink, tolerance=allowed, found=where, against=others, language=language)
    if isinstance(audited, Missing):
        diagnostics(sink)
        click.echo(f"The episode lacks: {', '.join(audited.names)}. Fill in this template:\n", err=True)
        click.echo(audited.template.rstrip("\n") + "\n" + charged_again(entry), err=True)
        return 1
    if audited is None or isinstance(audited, Unmatched):
        diagnostics(sink)
        return 1 if audited is None else 2
    if not audited.amounts:  # rows are named, and none of their amounts
        _nothing_charged(episode, charged_template(plan, language))
    view = audit_view(audited, language)
    if form == "json":
        import json

        from rxcalc import __version__
        from rxcalc.report.audit_json import audit_document

        text = json.dumps(audit_document(audited, __version__, language), ensure_ascii=False, indent=2) + "\n"
    elif form == "md":
        from rxcalc.report.markdown_audit import render as as_markdown

        text = as_markdown(view)
    else:
        from rxcalc.report.text_audit import render

        text = render(view, columns=options.columns())
    read = [file for name, own in zip(names, plans, strict=True) for file in files_of(name, own)]
    read += [file for name, own in others for file in files_of(name, own)]
    if letter is None:
        result(text, output, (Path(episode), *read))
        return 0 if view.is_fine else 1
    result(text, output, (Path(episode), *read, Path(letter)))
    from rxcalc.report.letter import objection, objects

    if not objects(audited, view):
        click.echo("There is nothing to object to: no letter was written.", err=True)
        return 0 if view.is_fine else 1
    written = objection(audited, view)
    _keep_filled_in(Path(letter), written)
    result(written, letter, (Path(episode), *read), "--letter")
    click.echo(f"The letter is in {letter}. Read it, fill in what stands in square brackets, and sign it.", err=True)
    if view.patient in ("more", "equal"):
        click.echo(f"Think twice before sending it. {view.told_patient}", err=True)
    return 0 if view.is_fine else 1


def _nothing_charged(episode: str, template: str) -> NoReturn:
    """Says that the file gives no amount of the bill, and what to fill in."""
    click.echo(f"`{episode}` does not say what the bill charges. Add this and fill it in:\n", err=True)
    click.echo(template, err=True)
    raise Failure("there is no `charged:` in the file", "write the bill's figures under `charged:`, then run it again")


def _keep_filled_in(file: Path, text: str) -> None:
    """Refuses to write over a letter that somebody has changed."""
    try:
        there = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return
    except (OSError, UnicodeDecodeError):
        there = ""
    if there.splitlines() != text.splitlines():
        raise Failure(
            f"`{file}` exists and holds another text, which may be what you filled in; it was left as it is",
            "give the letter another name, or delete the old one first",
        )


def _tolerance(text: str) -> Fraction:
    """An amount of money, not below zero."""
    from rxcalc.inputs.numerals import Numeral, read_numeral

    found = read_numeral(text.strip(), "CNY")
    if not isinstance(found, Numeral) or found.percent or found.units < 0:
        raise Failure(f"`--tolerance {text}` is no amount", "write a plain number that is not below zero, e.g. 0.01")
    return Fraction(found.units, 10**found.decimals)


def _version(plans: list[Plan], entry: EpisodeEntry) -> Plan:
    """The version that holds the bill's date."""
    from rxcalc.driver.versions_follow import version_of
    from rxcalc.tabular.problems import UsageProblem

    found = version_of(plans, entry, {})
    if isinstance(found, UsageProblem):
        raise Failure(found.message, "; ".join(found.help))
    return found
