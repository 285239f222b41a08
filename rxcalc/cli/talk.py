"""A conversation on a terminal, or with answers from standard input: the questions go to stderr."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import click

from rxcalc.cli.show import Failure, visible

if TYPE_CHECKING:
    from rxcalc.report.text_ask import AskWords

HELP: Final = frozenset({"?", "？", "help", "帮助"})
UNKNOWN: Final = frozenset({"d", "don't know", "dont know", "不知道"})
BACK: Final = frozenset({"b", "back", "返回"})
QUIT: Final = frozenset({"q", "quit", "exit", "退出"})
NONE: Final = frozenset({"-", "none", "无", "没有"})
YES: Final = frozenset({"yes", "y", "true", "是", "有"})
NO: Final = frozenset({"no", "n", "false", "否", "没有", "无"})


class RanOutError(Exception):
    """There are no more answers on standard input."""


class QuitError(Exception):
    """The person stops."""


class BackError(Exception):
    """The person goes back."""


@dataclass(kw_only=True)
class Talk:
    """Who talks, and in which words."""

    words: AskWords

    def say(self, *lines: str) -> None:
        """Lines to the person."""
        for line in lines:
            click.echo(visible(line), err=True)

    def ask(self, *lines: str) -> str:
        """The answer to a question, trimmed."""
        self.say(*lines[:-1])
        click.echo(f"{visible(lines[-1])} > ", err=True, nl=False)
        line = _line()
        if not line:
            click.echo("", err=True)
            raise RanOutError
        if not sys.stdin.isatty():
            click.echo(visible(line.strip()), err=True)
        return line.strip()

    def more(self, *lines: str) -> str:
        """The answer to a question that is shown only where somebody is left to answer it."""
        if sys.stdin is not None and sys.stdin.isatty():
            return self.ask(*lines)
        line = _line()
        if not line:
            raise RanOutError
        self.say(*lines[:-1], f"{lines[-1]} > {line.strip()}")
        return line.strip()

    def yes(self, *lines: str) -> bool:
        """The answer to a yes or no."""
        while True:
            answer = self.ask(*lines).lower()
            if answer in YES | NO:
                return answer in YES
            if answer in QUIT:
                raise QuitError
            self.say(self.words.say("wanted", self.words.say("yes_no")))


def _line() -> str:
    """The next line of standard input; empty where there is none."""
    try:
        return sys.stdin.readline() if sys.stdin is not None else ""
    except UnicodeDecodeError as problem:
        raise Failure("standard input is not UTF-8", "type or pipe the answers as UTF-8") from problem
