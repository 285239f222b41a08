"""`rxcalc doc`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from rxcalc.cli import options
from rxcalc.cli.show import Failure, diagnostics, visible
from rxcalc.diagnostics.model import Sink
from rxcalc.driver import find

if TYPE_CHECKING:
    from rxcalc.site.book import Given


@click.command("doc")
@click.argument("rulebooks", nargs=-1, required=True, metavar="RULEBOOK..", shell_complete=options.complete_rulebook)
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(),
    metavar="DIR",
    help="Folder of the site: a new one, an empty one, or an earlier site, which is replaced.",
)
@click.option(
    "--lang", type=click.Choice(["en", "zh"]), default=None, help="Only this language.  [default: both, English first]"
)
def command(rulebooks: tuple[str, ...], output: str, lang: str | None) -> int:
    """Make a site of rulebooks for readers: rules in sentences, values over time, sources, graphs, examples, coverage.

    The pages need no server and load nothing: open DIR/index.html.

    \b
    Example:
      rxcalc doc qin -o site
      rxcalc doc rules/ -o site --lang zh
    """
    from rxcalc.driver.doc import NotWritten, given, write

    books: list[Given] = []
    broken = False
    files: list[find.Found] = []
    for name in rulebooks:
        found = find.rulebooks(name)
        if isinstance(found, find.NotFound):
            raise Failure(found.message, found.help)
        files += [f for f in found if f not in files]
    for file in files:
        sink = Sink()
        book = given(file, sink)
        diagnostics(sink, only_errors=True)
        if book is None:
            broken = True
        else:
            books.append(book)
    if broken:
        click.echo("nothing was written; `rxcalc check` and `rxcalc test` show all errors", err=True)
        return 2
    done = write(books, Path(output), (lang,) if lang else ("en", "zh"))
    if isinstance(done, NotWritten):
        raise Failure(done.message, done.help)
    for book in books:
        if book.failed:
            click.echo(
                f"{visible(book.shown)}: {book.failed} of its examples and guarantees fail; the pages say so", err=True
            )
    pages = sum(name.endswith(".html") for name in done)
    click.echo(
        f"{visible(output)}: {pages} pages of {len(books)} rulebook(s); open {visible(str(Path(output) / 'index.html'))}"
    )
    return 0
