"""Options that several commands share, each defined once, and how they reach a terminal."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def default_language() -> str:
    """`zh` where the environment asks for Chinese, else `en`."""
    wanted = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    return "zh" if wanted.lower().startswith("zh") else "en"


def complete_rulebook(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """What a shell offers where a rulebook is named."""
    from rxcalc.cli.completion import rulebooks

    del ctx, param
    return rulebooks(incomplete)


def lang() -> Decorator:
    """`--lang`."""
    return click.option(
        "--lang", type=click.Choice(["en", "zh"]), default=None, help="Language of labels. [default: from LANG]"
    )


def output() -> Decorator:
    """`-o`."""
    return click.option(
        "-o",
        "--output",
        type=click.Path(dir_okay=False),
        default=None,
        help="Write to this file instead of the terminal.",
    )


def form(*forms: str) -> Decorator:
    """`--format`, as `form`; the first of `forms` is the default."""
    return click.option("--format", "form", type=click.Choice(forms), default=forms[0], show_default=True)


def example() -> Decorator:
    """`--example`."""
    return click.option("--example", default=None, metavar="NAME", help="Take this entry of an examples file.")


def rulebook(*, required: bool = False, several: bool = False) -> Decorator:
    """`-r` for one rulebook; with `several` for some versions of one, as a tuple of names."""
    more = " May be repeated: each episode runs on the version whose dates hold its own." if several else ""
    return click.option(
        "-r",
        "--rulebook",
        required=required,
        multiple=True,
        shell_complete=complete_rulebook,
        callback=None if several else lambda _, __, given: _only_one(given),
        help=f"Path or name of the rulebook.{more}",
    )


def _only_one(given: tuple[str, ...]) -> str | None:
    """The one rulebook named; several would say nothing about which of them counts."""
    if len(given) > 1:
        message = f"it is given {len(given)} times: {', '.join(given)}. Run each rulebook or version by itself"
        raise click.BadParameter(message)
    return given[0] if given else None


def columns() -> int:
    """The terminal's width, 80 when there is none."""
    return shutil.get_terminal_size((80, 24)).columns if sys.stdout is not None and sys.stdout.isatty() else 80


def colored(stream: Any) -> bool:
    """Whether colours may be used on a stream: a terminal, and NO_COLOR not set."""
    return stream is not None and bool(stream.isatty()) and not os.environ.get("NO_COLOR")


def language(given: str | None) -> str:
    """The language chosen by `--lang`, else by the environment."""
    return given or default_language()
