"""`rxcalc explain`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from rxcalc.cli import options
from rxcalc.cli.episode import example_of, load, named_rulebooks
from rxcalc.cli.explain_formats import FORMATS, GROUPED, written
from rxcalc.cli.load import files_of, plan_of
from rxcalc.cli.show import Failure, diagnostics, result, visible
from rxcalc.diagnostics.model import Sink

if TYPE_CHECKING:
    from rxcalc.cli.ask import Asked
    from rxcalc.driver.explain import GivenBill
    from rxcalc.inputs.episodes import EpisodeEntry
    from rxcalc.plan.nodes import Plan


@click.command("explain")
@click.argument("episode", type=click.Path(), required=False)
@options.rulebook(several=True)
@options.form(*FORMATS)
@click.option(
    "--detail",
    type=click.Choice(["brief", "steps", "full"]),
    default="steps",
    show_default=True,
    help="How much to show.",
)
@click.option(
    "--set",
    "sets",
    multiple=True,
    metavar="FIELD=VALUE",
    help="Use this value instead of the one in the file; of the rulebook: parameter.NAME.KEY=VALUE.",
)
@options.example()
@click.option(
    "--save-example",
    type=click.Path(dir_okay=False),
    default=None,
    metavar="FILE",
    help="Add the bill to an examples file, with ids replaced and its results expected.",
)
@click.option("--ask", is_flag=True, help="Ask for what is not known, as far as it makes a difference.")
@click.option(
    "--save",
    type=click.Path(dir_okay=False),
    default=None,
    metavar="FILE",
    help="With --ask: save the episode file here.",
)
@click.option("--redact", is_flag=True, help="Show pseudonyms instead of ids, and no codes or texts of the bill.")
@options.lang()
@options.output()
def command(
    episode: str | None,
    rulebook: tuple[str, ...],
    form: str,
    detail: str,
    sets: tuple[str, ...],
    example: str | None,
    save_example: str | None,
    ask: bool,  # noqa: FBT001 - click gives it by name
    save: str | None,
    redact: bool,  # noqa: FBT001 - click gives it by name
    lang: str | None,
    output: str | None,
) -> int:
    """Explain one bill: each step with its clause, formula, figures and source, then who bears each yuan.

    EPISODE is a YAML or JSON file, or - for standard input. With --ask it may be left out, or hold a part of the bill only.

    \b
    Example:
      rxcalc explain bill.yaml -r qin
      rxcalc explain bill.yaml -r qin --set level=city --detail full
      rxcalc explain bill.yaml -r qin --set parameter.deductible.county=350
      rxcalc explain bill.yaml -r qin --format html -o bill.html
      rxcalc explain --ask -r qin --save bill.yaml
      rxcalc explain visit.yaml -r shanghai-employee@2017 -r shanghai-employee@2024
    """
    from rxcalc.driver.explain import Missing, given_bill

    _told_apart(output, save_example, save)
    if redact and save_example is not None:
        raise click.UsageError(
            "an example holds the codes of the bill, so --save-example does not go with --redact; run them one after the other"
        )
    sink = Sink()
    language = options.language(lang)
    overrides = _overrides(sets)
    if ask:
        asked = _asked(episode, example, rulebook, overrides, save, language, redact=redact)
        if asked.code:
            _written(asked.text, output if asked.text else None)
            return asked.code
        entry, rulebook, overrides = _answers(asked.text), (asked.rulebook,), {}
    elif episode is None or save is not None:
        raise click.UsageError(
            "name an EPISODE, or ask for one with --ask" if episode is None else "--save goes with --ask"
        )
    else:
        entry = _entry(episode, example, rulebook, sink, language, redact=redact)
    names = named_rulebooks(rulebook, entry)
    plans = [plan_of(name) for name in names]
    plan = plans[0] if len(plans) == 1 else _version(plans, entry, overrides)
    read = (
        *((Path(episode),) if episode is not None else ()),
        *(file for name, own in zip(names, plans, strict=True) for file in files_of(name, own)),
    )
    given = given_bill(plan, entry, sink, language=language, overrides=overrides, redact=redact)
    if isinstance(given, Missing):
        _problems(sink, redact=redact)
        click.echo(f"The episode lacks: {', '.join(given.names)}. Fill in this template:\n", err=True)
        click.echo(given.template, err=True)
        return 1
    if given is None:
        _problems(sink, redact=redact)
        return 1
    found = given.explained(language, grouped=form in GROUPED, redact=redact)
    text = written(found, given.subject.plan, form, language=language, detail=detail, columns=options.columns())
    if save_example is not None:
        _save(save_example, plan, entry, overrides, given, read)
    _written(text, output, read)
    return 1 if any(x.complains for x in found) else 0


def _told_apart(*files: str | None) -> None:
    """Refuses to write two things into one file: the second would replace the first."""
    named = [name for name in files if name not in (None, "-")]
    places = [Path(str(name)).resolve() for name in named]
    twice = next((name for at, name in enumerate(named) if places[at] in places[:at]), None)
    if twice is not None:
        raise Failure(f"two results would be written to `{twice}`", "give each a file of its own; nothing was written")


def _written(text: str, output: str | None, read: tuple[Path, ...] = ()) -> None:
    """The result, printed or in a file; stderr then names the file, for nothing else is shown."""
    result(text, output, read)
    if output not in (None, "-"):
        click.echo(f"wrote {visible(str(output))}", err=True)


def _problems(sink: Sink, *, redact: bool) -> None:
    """What is wrong with the bill; with `redact` only which kind of mistake and where, since messages repeat values."""
    if not redact:
        diagnostics(sink)
        return
    from rxcalc.diagnostics.codes import CODES

    for d in sink.sorted():
        span, file = d.primary.span, sink.files.get(d.primary.span.file)
        line = f":{file.position(span.start)[0]}" if file is not None and file.text else ""
        click.echo(f"{d.severity.value} {d.code}: {CODES[d.code][1]}", err=True)
        click.echo(f"  --> {span.file}{line}" if span.file else "  --> --set", err=True)
    if tuple(sink):
        click.echo("  help: messages repeat values of the bill; without --redact they are shown", err=True)


def _entry(
    episode: str, example: str | None, rulebook: tuple[str, ...], sink: Sink, language: str, *, redact: bool
) -> EpisodeEntry:
    """The entry of the file; where there is none, the rulebook's template is shown."""
    from rxcalc.inputs.episodes import read_entry

    node = load(episode, sink)
    if example is not None:
        node = example_of(node, example, episode)
    entry = read_entry(node, sink) if node is not None else None
    if entry is not None:
        return entry
    _problems(sink, redact=redact)
    if rulebook:
        from rxcalc.driver.explain import template

        click.echo(f"An episode file for `{rulebook[-1]}` looks like this:\n", err=True)
        click.echo(template(plan_of(rulebook[-1]), language=language), err=True)
    raise Failure(
        f"`{episode}` is no episode file",
        "" if rulebook else "name a rulebook with -r to see what such a file holds",
    )


def _asked(
    episode: str | None, example: str | None, rulebook: tuple[str, ...], overrides: dict[str, str], save: str | None,
    language: str, *, redact: bool,
) -> Asked:  # fmt: skip
    """The bill of an interview; what stands in the file is taken as given."""
    from rxcalc.cli.ask import interview
    from rxcalc.inputs.by_hand import is_parameter
    from rxcalc.inputs.episodes import read_entry

    if episode == "-":
        raise click.UsageError("--ask takes its answers from standard input, so EPISODE cannot be - too")
    if any(is_parameter(name) for name in overrides):
        raise click.UsageError(
            "--ask takes no --set parameter..; save the bill with --save, then explain it with --set"
        )
    sink = Sink()
    node = load(episode, sink) if episode is not None else None
    if node is not None and example is not None:
        node = example_of(node, example, str(episode))
    entry = read_entry(node, sink) if node is not None else None
    if episode is not None and entry is None:
        _problems(sink, redact=redact)
        raise Failure(f"`{episode}` is no episode file", "leave it out to be asked for everything")
    if entry is None and not rulebook:
        raise Failure("no rulebook is named", "say which one with -r; `rxcalc rulebooks` lists them")
    names = rulebook if entry is None else named_rulebooks(rulebook, entry)
    return interview(entry, node, names, overrides, save, language)


def _answers(text: str) -> EpisodeEntry:
    """The entry of what was answered, read as any episode file is."""
    from rxcalc.inputs.episodes import read_entry
    from rxcalc.rulebook.load import load_yaml_text

    sink = Sink()
    node = load_yaml_text("the answers", text, sink)
    entry = read_entry(node, sink) if node is not None else None
    if entry is None:
        diagnostics(sink)
        raise Failure(
            "the answers cannot be read back as an episode file", "this is a fault of rxcalc; please report it"
        )
    return entry


def _version(plans: list[Plan], entry: EpisodeEntry, overrides: dict[str, str]) -> Plan:
    """The version that holds the bill's date."""
    from rxcalc.driver.versions_follow import version_of
    from rxcalc.tabular.problems import UsageProblem

    found = version_of(plans, entry, overrides)
    if isinstance(found, UsageProblem):
        raise Failure(found.message, "; ".join(found.help))
    return found


def _save(
    file: str, plan: Plan, entry: EpisodeEntry, overrides: dict[str, str], given: GivenBill, read: tuple[Path, ...]
) -> None:
    """Adds the bill to an examples file."""
    from rxcalc import __version__
    from rxcalc.driver.save_example import NotSaved, example_file
    from rxcalc.inputs.by_hand import is_parameter

    if any(is_parameter(name) for name in overrides):
        raise Failure(
            "an example cannot hold a parameter set by hand", "save the bill without --set parameter..; a rulebook is changed by an overlay"
        )  # fmt: skip
    text = example_file(plan, entry, overrides, given.explained(grouped=False), Path(file), __version__)
    if isinstance(text, NotSaved):
        raise Failure(text.message, text.help)
    result(text, file, read, "--save-example")
    click.echo(f"saved as the last example of `{file}`; say under `by:` who checked its amounts, and how", err=True)


def _overrides(sets: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for item in sets:
        name, equals, value = item.partition("=")
        if not equals or not name.strip():
            raise Failure(
                f"`--set {item}` is not FIELD=VALUE", "e.g. --set level=city, or --set parameter.deductible.city=500"
            )
        found[name.strip()] = value.strip()
    return found
