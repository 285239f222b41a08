"""`rxcalc new`."""

from __future__ import annotations

from pathlib import Path

import click

from rxcalc.cli.show import Failure, visible


@click.command("new")
@click.argument("name")
@click.option("--in", "parent", metavar="DIR", default=".", help="Folder to make it in. [default: the current one]")
def command(name: str, parent: str) -> int:
    """Start a rulebook: a folder with rules to change and examples worked out by hand.

    It checks without errors, its examples pass and use every rule. All its figures are made up.

    \b
    Example:
      rxcalc new county-2026
      rxcalc new county-2026 --in rules
    """
    from rxcalc.driver.start import NotStarted, start

    made = start(name, Path(parent))
    if isinstance(made, NotStarted):
        raise Failure(made.message, made.help)
    shown = visible(str(made))
    click.echo(f"{shown}/rulebook.yaml and {shown}/examples/first.yaml: every figure is made up, put in yours")
    click.echo(f"next: rxcalc check {shown} && rxcalc test {shown} --coverage")
    return 0
