"""`rxcalc explain`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from rxcalc.cli import options
from rxcalc.cli.load import plan_of
from rxcalc.cli.show import Failure, diagnostics, result
from rxcalc.diagnostics.model import Sink
from rxcalc.rulebook.document import Node


@click.command("explain")
@click.argument("episode", type=click.Path())
@options.rulebook()
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--detail", type=click.Choice(["brief", "steps", "full"]), default="steps", show_default=True, help="How much to show.")
@click.option("--set", "sets", multiple=True, metavar="FIELD=VALUE", help="Use this value instead of the one in the file.")
@options.lang()
@options.output()
def command(episode: str, rulebook: str | None, form: str, detail: str, sets: tuple[str, ...], lang: str | None, output: str | None) -> int:
    """Explain one bill: each step with its clause, formula, figures and source, then who bears each yuan.

    EPISODE is a YAML or JSON file, or - for standard input.

    \b
    Example:
      rxcalc explain bill.yaml -r qin
      rxcalc explain bill.yaml -r qin --set level=city --detail full
    """
    from rxcalc.driver.explain import Missing, explain_entry
    from rxcalc.inputs.episodes import read_entry

    sink = Sink()
    node = _load(episode, sink)
    entry = read_entry(node, sink) if node is not None else None
    if entry is None:
        diagnostics(sink)
        raise Failure(f"`{episode}` is no episode file", "see the messages above")
    name = rulebook or entry.rulebook
    if not name:
        raise Failure("no rulebook is named", "say which one with -r, or write `rulebook: qin` into the episode file; `rxcalc rulebooks` lists them")
    plan = plan_of(name)
    language = options.language(lang)
    found = explain_entry(plan, entry, sink, language=language, overrides=_overrides(sets))
    if isinstance(found, Missing):
        diagnostics(sink)
        click.echo(f"The episode lacks: {', '.join(found.names)}. Fill in this template:\n", err=True)
        click.echo(found.template, err=True)
        return 1
    if found is None:
        diagnostics(sink)
        return 1
    if form == "json":
        import json

        from rxcalc import __version__
        from rxcalc.report.as_json import document

        documents = [document(x, __version__) for x in found]
        text = json.dumps(documents[0] if len(documents) == 1 else documents, ensure_ascii=False, indent=2) + "\n"
    else:
        from rxcalc.report.text import render

        text = "\n".join(render(x, language=language, detail=detail, columns=options.columns()) for x in found)
    result(text, output)
    return 1 if any(x.problem is not None for x in found) else 0


def _load(episode: str, sink: Sink) -> Node | None:
    from rxcalc.rulebook.load import load_yaml, load_yaml_text

    if episode == "-":
        try:
            text = sys.stdin.buffer.read().decode("utf-8-sig")
        except UnicodeDecodeError as problem:
            raise Failure("standard input is not UTF-8", "save the episode as UTF-8") from problem
        return load_yaml_text("standard input", text, sink)
    path = Path(episode)
    if not path.exists():
        raise Failure(f"there is no file `{episode}`", "check the path of the episode file")
    return load_yaml(path, episode, sink)


def _overrides(sets: tuple[str, ...]) -> dict[str, str]:
    result_: dict[str, str] = {}
    for item in sets:
        name, equals, value = item.partition("=")
        if not equals or not name.strip():
            raise Failure(f"`--set {item}` is not FIELD=VALUE", "e.g. --set level=city")
        result_[name.strip()] = value.strip()
    return result_
