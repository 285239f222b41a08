"""`rxcalc completion`, and what a shell is offered for a rulebook."""

from __future__ import annotations

import os
from typing import Final

import click
from click.shell_completion import CompletionItem, get_completion_class

SHELLS: Final = ("bash", "zsh", "fish")


@click.command("completion")
@click.argument("shell", type=click.Choice(SHELLS))
def command(shell: str) -> int:
    """Print the completion script of a shell: commands, options, and the names of shipped rulebooks.

    \b
    Example:
      rxcalc completion bash > ~/.local/share/bash-completion/completions/rxcalc
      rxcalc completion zsh > ~/.zfunc/_rxcalc
      rxcalc completion fish > ~/.config/fish/completions/rxcalc.fish
    """
    from rxcalc.cli.main import cli

    kind = get_completion_class(shell)
    if kind is None:  # click knows the three shells
        raise click.UsageError(f"click has no completion for {shell}")
    click.echo(kind(cli, {}, "rxcalc", "_RXCALC_COMPLETE").source(), nl=False)
    return 0


def rulebooks(incomplete: str) -> list[CompletionItem]:
    """The shipped rulebooks that begin so, and files and folders."""
    if os.sep in incomplete or incomplete.startswith((".", "~")):
        return [CompletionItem(incomplete, type="file")]
    from rxcalc.driver import find

    names: dict[str, None] = {}
    for found in find.shipped():
        _, _, version = found.path.stem.partition("@")
        name = found.path.parent.name
        names.setdefault(f"{name}@{version}" if version else name)
    fitting = [CompletionItem(name) for name in names if name.startswith(incomplete)]
    return [*fitting, CompletionItem(incomplete, type="file")]


def codes(incomplete: str) -> list[CompletionItem]:
    """The diagnostic codes that begin so, each with what it means."""
    from rxcalc.diagnostics.codes import CODES

    wanted = incomplete.upper()
    return [CompletionItem(code, help=about) for code, (_, about) in CODES.items() if code.startswith(wanted)]
