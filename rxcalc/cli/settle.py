"""`rxcalc settle`: a batch that settles groups."""

from __future__ import annotations

import copy

import click

from rxcalc.cli import batch

_HELP = """Settle groups over a file of episodes: `rxcalc batch` with the inputs of groups.

    Each group takes its inputs from DIR/GROUP.csv, is computed from its members, and gives them what they
    read of it: a point value, a share of a budget. Episodes, rejects and summary are those of `rxcalc batch`;
    the results of groups go to one file a kind, with their keys, inputs, steps, members and rejected members.
    A result that read a group which lacks a member says so in its column group_incomplete.

    \b
    Example:
      rxcalc settle episodes.csv -r rules/ -o results.csv --groups inputs/ --groups-out settled/
    """


def _params() -> list[click.Parameter]:
    """The parameters of `rxcalc batch`, with the folder of inputs asked for."""
    found = [copy.copy(param) for param in batch.command.params]
    for param in found:
        if param.name == "groups":
            param.required = True
    return found


command = click.Command("settle", params=_params(), callback=batch.command.callback, help=_HELP)
