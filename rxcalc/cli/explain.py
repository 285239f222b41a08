"""`rxcalc explain`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rxcalc.cli import options
from rxcalc.cli.load import files_of, plan_of
from rxcalc.cli.show import Failure, diagnostics, result
from rxcalc.diagnostics.model import Sink
from rxcalc.rulebook.document import Mapping, Node, Scalar, Sequence

if TYPE_CHECKING:
    from rxcalc.inputs.episodes import EpisodeEntry
    from rxcalc.plan.nodes import Plan


@click.command("explain")
@click.argument("episode", type=click.Path())
@options.rulebook(several=True)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option(
    "--detail",
    type=click.Choice(["brief", "steps", "full"]),
    default="steps",
    show_default=True,
    help="How much to show.",
)
@click.option(
    "--set", "sets", multiple=True, metavar="FIELD=VALUE", help="Use this value instead of the one in the file."
)
@click.option("--example", default=None, metavar="NAME", help="Take this entry of an examples file.")
@options.lang()
@options.output()
def command(
    episode: str,
    rulebook: tuple[str, ...],
    form: str,
    detail: str,
    sets: tuple[str, ...],
    example: str | None,
    lang: str | None,
    output: str | None,
) -> int:
    """Explain one bill: each step with its clause, formula, figures and source, then who bears each yuan.

    EPISODE is a YAML or JSON file, or - for standard input.

    \b
    Example:
      rxcalc explain bill.yaml -r qin
      rxcalc explain bill.yaml -r qin --set level=city --detail full
      rxcalc explain visit.yaml -r shanghai-employee@2017 -r shanghai-employee@2024
    """
    from rxcalc.driver.explain import Missing, explain_entry
    from rxcalc.inputs.episodes import read_entry

    sink = Sink()
    node = _load(episode, sink)
    if example is not None:
        node = _example(node, example, episode)
    entry = read_entry(node, sink) if node is not None else None
    if entry is None:
        if episode != "-" and _is_empty(Path(episode)):
            click.echo(f"`{episode}` is empty.", err=True)
        else:
            diagnostics(sink)
        if rulebook:
            from rxcalc.driver.explain import template

            click.echo(f"An episode file for `{rulebook[-1]}` looks like this:\n", err=True)
            click.echo(template(plan_of(rulebook[-1]), language=options.language(lang)), err=True)
        raise Failure(
            f"`{episode}` is no episode file",
            "" if rulebook else "name a rulebook with -r to see what such a file holds",
        )
    names = rulebook or ((entry.rulebook,) if entry.rulebook else ())
    if not names:
        raise Failure(
            "no rulebook is named",
            "say which one with -r, or write `rulebook: qin` into the episode file; `rxcalc rulebooks` lists them",
        )
    plans = [plan_of(name) for name in names]
    plan = plans[0] if len(plans) == 1 else _version(plans, entry, _overrides(sets))
    language = options.language(lang)
    found = explain_entry(plan, entry, sink, language=language, grouped=form == "text", overrides=_overrides(sets))
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
    read = [file for name, own in zip(names, plans, strict=True) for file in files_of(name, own)]
    result(text, output, (Path(episode), *read))
    return 1 if any(x.complains for x in found) else 0


def _version(plans: list[Plan], entry: EpisodeEntry, overrides: dict[str, str]) -> Plan:
    """The version that holds the bill's date."""
    from rxcalc.driver.versions_follow import version_of
    from rxcalc.tabular.problems import UsageProblem

    found = version_of(plans, entry, overrides)
    if isinstance(found, UsageProblem):
        raise Failure(found.message, "; ".join(found.help))
    return found


def _example(node: Node | None, name: str, file: str) -> Node | None:
    """The entry of an examples file that bears a name."""
    if not isinstance(node, Sequence):
        raise Failure(f"`{file}` is no examples file", "leave --example out for an episode file")
    entries = _by_name(node)
    if name not in entries:
        from difflib import get_close_matches

        near = get_close_matches(name, list(entries), n=1)
        raise Failure(f"`{file}` has no example `{name}`", f"did you mean `{near[0]}`?" if near else "")
    return entries[name]


def _by_name(node: Sequence) -> dict[str, Node]:
    """The entries of an examples file by name."""
    named: dict[str, Node] = {}
    for item in node.items:
        name = item.get("example") if isinstance(item, Mapping) else None
        if isinstance(name, Scalar):
            named.setdefault(name.text.strip(), item)
    return named


def _load(episode: str, sink: Sink) -> Node | None:
    from rxcalc.rulebook.load import load_yaml, load_yaml_text

    if episode == "-":
        if sys.stdin is None:
            raise Failure("there is no standard input", "name an episode file")
        try:
            text = sys.stdin.buffer.read().decode("utf-8-sig")
        except UnicodeDecodeError as problem:
            raise Failure("standard input is not UTF-8", "save the episode as UTF-8") from problem
        return load_yaml_text("standard input", text, sink)
    path = Path(episode)
    if not path.exists():
        raise Failure(f"there is no file `{episode}`", "check the path of the episode file")
    return load_yaml(path, episode, sink)


def _is_empty(path: Path) -> bool:
    try:
        return path.is_file() and not path.read_bytes().strip()
    except OSError:
        return False


def _overrides(sets: tuple[str, ...]) -> dict[str, str]:
    result_: dict[str, str] = {}
    for item in sets:
        name, equals, value = item.partition("=")
        if not equals or not name.strip():
            raise Failure(f"`--set {item}` is not FIELD=VALUE", "e.g. --set level=city")
        result_[name.strip()] = value.strip()
    return result_
