"""`rxcalc check`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import click

from rxcalc.cli import options
from rxcalc.cli.show import Failure, diagnostics, visible
from rxcalc.diagnostics.model import Severity, Sink
from rxcalc.driver import find

if TYPE_CHECKING:
    from rxcalc.driver.compile import Compiled
    from rxcalc.plan.nodes import Plan, PlanPartition, PlanStep

ALWAYS: Final = ("input", "parameter", "table", "step", "part")  # named even when there are none


@click.command("check")
@click.argument("rulebooks", nargs=-1, required=True, metavar="RULEBOOK..", shell_complete=options.complete_rulebook)
@options.form("text", "json", "sarif", "github")
@click.pass_context
def command(ctx: click.Context, rulebooks: tuple[str, ...], form: str) -> int:
    """Check rulebooks and show every error in one run, each with its place, a code and what to do.

    RULEBOOK is a file, a folder, or the name of a shipped rulebook. `--format github` marks the lines of a
    pull request, `sarif` is for code-scanning tools.

    \b
    Example:
      rxcalc check rules/
      rxcalc check qin --format json
      rxcalc check rules/ --format sarif > rxcalc.sarif
    """
    from rxcalc.driver.compile import compile_file

    root = ctx.find_root()
    debug = bool(root.params.get("debug"))
    sinks: list[tuple[find.Found, Sink, Compiled | None]] = []
    for name in rulebooks:
        found = find.rulebooks(name)
        if isinstance(found, find.NotFound):
            raise Failure(found.message, found.help)
        for file in found:
            sink = Sink()
            sinks.append((file, sink, compile_file(file.path, file.shown, sink)))
    if form == "json":
        _print_json(sinks)
    elif form == "sarif":
        _print_sarif(sinks)
    elif form == "github":
        _print_github(sinks)
    else:
        for file, sink, compiled in sinks:
            _print_text(file, sink, compiled, debug=debug)
    return 1 if any(sink.has_errors for _, sink, _ in sinks) else 0


def _print_text(file: find.Found, sink: Sink, compiled: Compiled | None, *, debug: bool) -> None:
    diagnostics(sink)
    errors, warnings = sink.count(Severity.ERROR), sink.count(Severity.WARNING)
    if compiled is None:
        click.echo(f"{visible(file.shown)}: {_count(errors, 'error')}, {_count(warnings, 'warning')}")
        return
    plan = compiled.plan
    click.echo(f"{visible(file.shown)}: no errors, {_count(warnings, 'warning')}")
    if plan.bases:
        click.echo(f"  laid over  {', '.join(visible(base.file) for base in plan.bases)}")
    for of, counts in _read(plan).items():
        told = ", ".join(_count(n, word) for word, n in counts.items() if n or (not of and word in ALWAYS))
        click.echo(f"  {'' if of else 'read':9}  {of}{': ' if of else ''}{told}")
    click.echo(
        f"  evidence   {', '.join(f'{count} {status}' for status, count in plan.evidence if count) or 'no values'}"
    )
    for note in compiled.notes:
        click.echo(f"  undecided  {note}")
    if debug:
        for name, seconds in compiled.timings:
            click.echo(f"  {name:10s} {seconds * 1000:.1f} ms")


def _read(plan: Plan) -> dict[str, dict[str, int]]:
    """How much was read, by kind: of the rulebook (""), of every list and every kind of groups by name."""
    found = {
        "": {
            "input": len(plan.inputs),
            "parameter": len(plan.parameters),
            "table": len(plan.tables),
            "window": sum(not w.level for w in plan.windows),
            "list": len(plan.lists),
            "group": len(plan.groups),
            **_rules(plan, "", plan.steps, plan.shares),
        }
    }
    for x in plan.lists:
        found[x.name] = {"input": len(x.inputs), **_rules(plan, x.name, x.steps, ())}
    for g in plan.groups:
        windows = sum(w.level == g.name for w in plan.windows)
        rules = _rules(plan, g.name, g.steps, g.shares)
        found[g.name] = {"key": len(g.keys), "input": len(g.inputs), "window": windows, **rules}
    return found


def _rules(plan: Plan, level: str, steps: tuple[PlanStep, ...], shares: tuple[PlanPartition, ...]) -> dict[str, int]:
    return {
        "step": sum(not s.lazy for s in steps),
        "spread": sum(s.target == level for s in plan.spreads),
        "part": sum(len(p.parts) for p in shares),
        "check": sum(c.level == level for c in plan.checks),
    }


def _print_json(sinks: list[tuple[find.Found, Sink, Compiled | None]]) -> None:
    from rxcalc.diagnostics.as_json import as_json

    documents = [
        {
            "rulebook": file.shown,
            "errors": sink.count(Severity.ERROR),
            "warnings": sink.count(Severity.WARNING),
            "left_out": sink.left_out,
            "diagnostics": [as_json(d, sink.files) for d in sink.sorted()],
            "bases": [base.file for base in compiled.plan.bases] if compiled is not None else None,
            "read": _read_json(compiled.plan) if compiled is not None else None,
            "evidence": dict(compiled.plan.evidence) if compiled is not None else None,
            "undecided": list(compiled.notes) if compiled is not None else None,
        }
        for file, sink, compiled in sinks
    ]
    click.echo(json.dumps(documents, ensure_ascii=False, indent=2))


def _print_sarif(sinks: list[tuple[find.Found, Sink, Compiled | None]]) -> None:
    from rxcalc import __version__
    from rxcalc.diagnostics.paths import top
    from rxcalc.diagnostics.sarif import as_sarif

    log = as_sarif([(file.shown, sink) for file, sink, _ in sinks], __version__, top())
    click.echo(json.dumps(log, ensure_ascii=False, indent=2))


def _print_github(sinks: list[tuple[find.Found, Sink, Compiled | None]]) -> None:
    from rxcalc.diagnostics.github import as_github, left_out
    from rxcalc.diagnostics.paths import top

    root = top()
    # A mistake in a base that several rulebooks share is told once.
    lines = dict.fromkeys(as_github(d, sink.files, root) for _, sink, _ in sinks for d in sink.sorted())
    for line in lines:
        click.echo(line)
    for file, sink, _ in sinks:
        if sink.left_out:
            click.echo(left_out(file.shown, sink.left_out))


def _read_json(plan: Plan) -> dict[str, dict[str, int]]:
    return {of or "episode": {f"{word}s": n for word, n in counts.items()} for of, counts in _read(plan).items()}


def _count(n: int, word: str) -> str:
    return f"{n} {word}" if n == 1 else f"{n} {word}s"
