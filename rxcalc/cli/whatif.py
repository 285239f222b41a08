"""`rxcalc whatif`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from rxcalc.cli import options
from rxcalc.cli.episode import entry_of, named_rulebooks
from rxcalc.cli.load import files_of, plan_of
from rxcalc.cli.show import Failure, diagnostics, result
from rxcalc.diagnostics.model import Sink


@click.command("whatif")
@click.argument("episode", type=click.Path())
@options.rulebook(several=True)
@click.option(
    "--vary", multiple=True, metavar="FIELD", help="Go through the other values of an input, or of `parameter.NAME`."
)
@click.option(
    "--set", "sets", multiple=True, metavar="FIELD=VALUE[,..]", help="One more alternative, with this changed; several changes parted by commas."
)  # fmt: skip
@click.option("--near", default="", metavar="AMOUNT", help="Look for the smallest change that lowers this amount.")
@options.example()
@options.form("text", "json", "md")
@options.lang()
@options.output()
def command(
    episode: str,
    rulebook: tuple[str, ...],
    vary: tuple[str, ...],
    sets: tuple[str, ...],
    near: str,
    example: str | None,
    form: str,
    lang: str | None,
    output: str | None,
) -> int:
    """Compute a bill as it is and with things changed, side by side: amounts, what moved, and where they part.

    EPISODE is a YAML or JSON file, or - for standard input.

    \b
    Example:
      rxcalc whatif bill.yaml -r qin --vary level
      rxcalc whatif bill.yaml -r qin --set level=city,referred=no --set total_cost=9000
      rxcalc whatif bill.yaml -r qin --near patient_pays
    """
    from rxcalc.bill.whatif import Unvaried
    from rxcalc.driver.whatif import Asked, what_if

    if not vary and not sets and not near:
        raise Failure("nothing is to be changed", "say what: --vary FIELD, --set FIELD=VALUE or --near AMOUNT")
    sink = Sink()
    entry = entry_of(episode, example, sink)
    names = named_rulebooks(rulebook, entry)
    plans = [plan_of(name) for name in names]
    language = options.language(lang)
    asked = Asked(tuple(dict.fromkeys(vary)), tuple(_changes(text) for text in sets), near)
    found = what_if(plans, entry, asked, sink, language)
    if isinstance(found, Unvaried):
        raise Failure(found.message, found.help)
    if found is None:
        diagnostics(sink)
        click.echo(f"The bill itself cannot be read; `rxcalc explain {episode}` shows what it lacks.", err=True)
        return 1
    read = [file for name, own in zip(names, plans, strict=True) for file in files_of(name, own)]
    if form == "json":
        import json

        from rxcalc import __version__
        from rxcalc.report.whatif_json import whatif_document

        document = whatif_document(found.table, found.varied, found.near, found.goal, __version__, language)
        text = json.dumps(document, ensure_ascii=False, indent=2) + "\n"
    elif form == "md":
        from rxcalc.report.markdown_whatif import render as as_markdown

        text = as_markdown(found.view)
    else:
        from rxcalc.report.text_whatif import render

        text = render(found.view, columns=options.columns())
    result(text, output, (Path(episode), *read))
    return 1 if found.refused or found.unreadable else 0


def _changes(text: str) -> Mapping[str, str]:
    from rxcalc.driver.whatif import changes_of

    found = changes_of(text)
    if found is None:
        raise Failure(f"`--set {text}` is not FIELD=VALUE", "e.g. --set level=city, or --set level=city,referred=no")
    return found
