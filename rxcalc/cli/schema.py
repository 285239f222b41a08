"""`rxcalc schema`."""

from __future__ import annotations

import json

import click

from rxcalc.cli import options
from rxcalc.cli.load import plan_of
from rxcalc.cli.show import Failure, result


@click.command("schema")
@click.argument("kind", type=click.Choice(["rulebook", "episode"]), default="rulebook")
@click.argument("rulebook", required=False, shell_complete=options.complete_rulebook)
@options.output()
def command(kind: str, rulebook: str | None, output: str | None) -> int:
    """Print the JSON Schema of rulebook files, or of the episode and example files of one rulebook, for editors.

    An editor uses it where a file begins with `# yaml-language-server: $schema=FILE`.

    \b
    Example:
      rxcalc schema rulebook -o rulebook.schema.json
      rxcalc schema episode qin
    """
    if kind == "rulebook":
        from rxcalc.rulebook.schema import rulebook_schema

        if rulebook is not None:
            raise Failure(
                "the schema of rulebook files needs no rulebook", "write `rxcalc schema episode NAME` for episode files"
            )
        schema = rulebook_schema()
    else:
        from rxcalc.inputs.schema import episode_schema

        if rulebook is None:
            raise Failure("say for which rulebook", "e.g. `rxcalc schema episode qin`")
        schema = episode_schema(plan_of(rulebook))
    result(json.dumps(schema, ensure_ascii=False, indent=2) + "\n", output)
    return 0
