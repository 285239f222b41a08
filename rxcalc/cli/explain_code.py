"""`rxcalc explain-code`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from rxcalc.cli import options
from rxcalc.cli.show import Failure

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

NO_CHINESE = "诊断代码的说明目前只有英文。"


def _complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from rxcalc.cli.completion import codes

    del ctx, param
    return codes(incomplete)


@click.command("explain-code")
@click.argument("codes", nargs=-1, metavar="CODE..", shell_complete=_complete)
@click.option("--list", "is_list", is_flag=True, help="List every code with what it means.")
@options.lang()
def command(codes: tuple[str, ...], lang: str | None, *, is_list: bool) -> int:
    """Explain a diagnostic code: what it means and why, a wrong example and a right one.

    CODE is the code of a message, such as RX301 or 301, or its short name.

    \b
    Example:
      rxcalc explain-code RX301
      rxcalc explain-code unknown-name
      rxcalc explain-code --list
    """
    from rxcalc.diagnostics.codes import CODES
    from rxcalc.diagnostics.pages import find_code, listing, nearest, page, plain

    if is_list and codes:
        raise Failure("--list shows every code", "leave out the codes, or --list")
    if not codes and not is_list:
        raise Failure("say which code", "e.g. `rxcalc explain-code RX301`; --list shows them all")
    found: list[str] = []
    for written in codes:
        code = find_code(written)
        if code is None:
            near = [f"{one} ({CODES[one][0]})" for one in nearest(written)]
            hint = f"did you mean {' or '.join(near)}? " if near else ""
            raise Failure(f"there is no code `{written}`", f"{hint}`rxcalc explain-code --list` shows them all")
        if code not in found:
            found.append(code)
    if options.language(lang) == "zh":
        click.echo(NO_CHINESE, err=True)
    width = min(max(40, options.columns()), 80)
    text = listing(width) if is_list else "\n\n".join(plain(page(code), width) for code in found)
    click.echo(text, nl=False)
    return 0
