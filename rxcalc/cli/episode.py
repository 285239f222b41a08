"""Episode files as commands about one bill get them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rxcalc.cli.show import Failure, diagnostics
from rxcalc.diagnostics.model import Sink
from rxcalc.rulebook.document import Mapping, Node, Scalar, Sequence

if TYPE_CHECKING:
    from rxcalc.inputs.episodes import EpisodeEntry


def entry_of(episode: str, example: str | None, sink: Sink) -> EpisodeEntry:
    """The entry of an episode file (`-`: standard input), or one of an examples file by its name; Failure when there is none."""
    from rxcalc.inputs.episodes import read_entry

    node = load(episode, sink)
    if example is not None:
        node = example_of(node, example, episode)
    entry = read_entry(node, sink) if node is not None else None
    if entry is None:
        diagnostics(sink)
        help_ = (
            "name one with --example NAME"
            if isinstance(node, Sequence)
            else "`rxcalc explain` shows what such a file holds"
        )
        raise Failure(f"`{episode}` is no episode file", help_)
    return entry


def named_rulebooks(given: tuple[str, ...], entry: EpisodeEntry) -> tuple[str, ...]:
    """The rulebooks named on the command line, else the one that the file names; Failure when there is none."""
    names = given or ((entry.rulebook,) if entry.rulebook else ())
    if not names:
        raise Failure(
            "no rulebook is named",
            "say which one with -r, or write `rulebook: qin` into the episode file; `rxcalc rulebooks` lists them",
        )
    return names


def load(episode: str, sink: Sink) -> Node | None:
    """The content of a YAML or JSON file, or of standard input; None after reporting that it cannot be read."""
    from rxcalc.rulebook.load import load_yaml, load_yaml_text

    if episode == "-":
        if sys.stdin is None:
            raise Failure("there is no standard input", "name an episode file")
        try:
            text = sys.stdin.buffer.read().decode("utf-8-sig")
        except UnicodeDecodeError as problem:
            raise Failure("standard input is not UTF-8", "save the episode as UTF-8") from problem
        if holds_nothing(text):
            click.echo("Standard input is empty.", err=True)
            return None
        return _readable(load_yaml_text("standard input", text, sink), "standard input", sink)
    path = Path(episode)
    if not path.exists():
        raise Failure(f"there is no file `{episode}`", "check the path of the episode file")
    if is_empty(path):
        click.echo(f"`{episode}` is empty.", err=True)
        return None
    return _readable(load_yaml(path, episode, sink), f"`{episode}`", sink)


def _readable(node: Node | None, name: str, sink: Sink) -> Node | None:
    """The content, unless it cannot be told what is meant: a key given twice, say."""
    if node is not None and sink.has_errors:
        diagnostics(sink)
        raise Failure(f"{name} cannot be read", "mend what is marked above")
    return node


def example_of(node: Node | None, name: str, file: str) -> Node | None:
    """The entry of an examples file that bears a name."""
    if not isinstance(node, Sequence):
        raise Failure(f"`{file}` is no examples file", "leave --example out for an episode file")
    entries: dict[str, Node] = {}
    for item in node.items:
        found = item.get("example") if isinstance(item, Mapping) else None
        if isinstance(found, Scalar):
            entries.setdefault(found.text.strip(), item)
    if name not in entries:
        from difflib import get_close_matches

        near = get_close_matches(name, list(entries), n=1)
        raise Failure(f"`{file}` has no example `{name}`", f"did you mean `{near[0]}`?" if near else "")
    return entries[name]


def is_empty(path: Path) -> bool:
    """Whether a file holds nothing, or comments only."""
    try:
        return path.is_file() and holds_nothing(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError):
        return False


def holds_nothing(text: str) -> bool:
    """Whether a YAML text holds nothing but comments."""
    return all(not line.strip() or line.lstrip().startswith("#") for line in text.splitlines())
