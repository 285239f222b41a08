"""The `rxcalc` program. Commands are imported only when they run, so that `--help` starts at once."""

from __future__ import annotations

import io
import os
import signal
import sys
from importlib import import_module
from typing import Final

import click

# name: (module, what it does in one line)
COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "explain": ("rxcalc.cli.explain", "Explain one bill step by step, and who bears each yuan."),
    "whatif": (
        "rxcalc.cli.whatif",
        "Compute one bill with things changed, side by side; find what would lower an amount.",
    ),
    "diff": (
        "rxcalc.cli.diff",
        "Compare two rulebooks: what changed in meaning, and what it moves over many bills or on one.",
    ),
    "audit": ("rxcalc.cli.audit", "Compare what a bill charges with the rules; search for the cause; write a letter."),
    "batch": ("rxcalc.cli.batch", "Run a rulebook over a file of episodes."),
    "settle": ("rxcalc.cli.settle", "Run a rulebook over a file of episodes and settle their groups."),
    "verify": ("rxcalc.cli.verify", "Hold the summary of a batch against the files that it names."),
    "new": ("rxcalc.cli.new", "Start a rulebook that checks and tests green."),
    "check": ("rxcalc.cli.check", "Check rulebooks: every error in one run, with its place."),
    "explain-code": ("rxcalc.cli.explain_code", "Explain a diagnostic code: why, a wrong example, a right one."),
    "test": ("rxcalc.cli.test", "Run the examples of rulebooks."),
    "fmt": ("rxcalc.cli.fmt", "Give rulebooks one spelling, without a change of meaning."),
    "doc": ("rxcalc.cli.doc", "Make a site of rulebooks for readers: sentences, values, sources, graphs, examples."),
    "plan": ("rxcalc.cli.plan", "Show the compiled plan of a rulebook."),
    "sample": ("rxcalc.cli.sample", "Make up valid, varied episodes of a rulebook."),
    "rulebooks": ("rxcalc.cli.rulebooks", "List the rulebooks that come with rxcalc."),
    "schema": ("rxcalc.cli.schema", "Print JSON Schemas for editors."),
    "completion": ("rxcalc.cli.completion", "Print the completion script of a shell."),
}


class _LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        found = COMMANDS.get(cmd_name)
        if found is None:
            return None
        command: click.Command = import_module(found[0]).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, about) for name, (_, about) in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            from difflib import get_close_matches

            near = get_close_matches(args[0], list(COMMANDS), n=1)
            hint = f" Did you mean `{near[0]}`?" if near else ""
            ctx.fail(f"There is no command `{args[0]}`.{hint}")
        return super().resolve_command(ctx, args)


def _version(ctx: click.Context, param: click.Parameter, value: bool) -> None:  # noqa: FBT001 - click's signature
    del param
    if value and not ctx.resilient_parsing:
        from rxcalc import __version__

        click.echo(f"rxcalc {__version__}")
        ctx.exit()


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version", is_flag=True, callback=_version, expose_value=False, is_eager=True, help="Show the version and exit."
)
@click.option("--debug", is_flag=True, help="Show a traceback when rxcalc itself fails.")
def cli(*, debug: bool) -> None:
    """Exact, explained reimbursement of health-insurance bills.

    \b
    Example:
      rxcalc explain bill.yaml -r qin
    """
    del debug


class _StoppedError(BaseException):
    """A signal that asks the program to end; raised so that temporary files are removed on the way out."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def _stop(number: int, frame: object) -> None:
    del frame
    raise _StoppedError(number)


def main() -> None:
    """Runs the program and leaves with its exit code; a fault of rxcalc shows as RX902, not as a traceback."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character gets its escape, not a failure.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        # Inside the block, so that a Ctrl-C during start-up ends like any other.
        for name in ("SIGTERM", "SIGHUP"):
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), _stop)
        code = cli.main(standalone_mode=False)
        if sys.stdout is not None:
            sys.stdout.flush()
        sys.exit(code if isinstance(code, int) else 0)
    except _StoppedError as stopped:
        _tell_notes(stopped)
        sys.exit(128 + stopped.number)
    except (click.Abort, KeyboardInterrupt) as stopped:
        click.echo("Interrupted.", err=True)
        _tell_notes(stopped.__cause__ or stopped)
        sys.exit(130)
    except click.ClickException as problem:
        problem.show()
        sys.exit(problem.exit_code)
    except OSError as problem:
        if "--debug" in sys.argv:
            raise
        _leave(problem)
    except SystemExit:
        raise
    except BaseException as problem:
        if "--debug" in sys.argv:
            raise
        click.echo(f"error RX902: rxcalc itself failed: {type(problem).__name__}: {problem}", err=True)
        click.echo(
            "  help: this is a fault of rxcalc; run again with `rxcalc --debug ..` and report what it prints", err=True
        )
        sys.exit(2)


def _tell_notes(stopped: BaseException) -> None:
    """What a run has to say of its interruption."""
    for note in getattr(stopped, "__notes__", ()):
        click.echo(note, err=True)


def _leave(problem: OSError) -> None:
    """Ends after a failed write: quietly when the reader has left (`| head`), else with the reason."""
    if sys.stdout is not None:
        # Python would try the rest of the output again at exit, and complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if isinstance(problem, BrokenPipeError):
        sys.exit(0)
    where = f" `{problem.filename}`" if problem.filename else " the output"
    click.echo(f"rxcalc: cannot read or write{where}: {problem.strerror or problem}", err=True)
    sys.exit(2)
