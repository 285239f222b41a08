"""`rxcalc test --mutate`: whether the examples notice small changes of the rules, as text or JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rxcalc.cli import options
from rxcalc.cli.show import Failure, diagnostics, result, visible
from rxcalc.report.layout import wrap

if TYPE_CHECKING:
    from rxcalc.diagnostics.model import Sink
    from rxcalc.driver.examples import ExamplesReport
    from rxcalc.driver.mutate import Mutation, Survivor
    from rxcalc.examples.mutant import Mutant


def mutate_all(
    reports: Sequence[tuple[ExamplesReport, Sink]],
    *,
    seed: int,
    limit: int,
    form: str,
    output: str | None,
    least: Fraction | None,
    read: tuple[Path, ...],
) -> int:
    """The exit code: 1 only where fewer changes were noticed than `--fail-under` asks for."""
    from rxcalc.driver.mutate import MutationError, mutation

    found: list[tuple[str, Mutation]] = []
    for report, sink in reports:
        diagnostics(sink, only_errors=True)
        shown = report.found.shown
        if report.compiled is None or sink.has_errors:
            raise Failure(f"`{shown}` or its examples have errors; nothing was changed", "mend them first")
        if not report.results:
            raise Failure(f"`{shown}` has no examples", "put some into examples/*.yaml beside it")
        try:
            found.append((shown, mutation(report, seed=seed, limit=limit)))
        except MutationError as error:
            raise Failure(f"{error}", f"run `rxcalc test {shown}` and mend them first") from error
    if form == "json":
        documents = [_document(name, seed, m) for name, m in found]
        result(json.dumps(documents, ensure_ascii=False, indent=2) + "\n", output, read)
    else:
        columns = max(60, min(options.columns(), 120))
        result("".join(f"{line}\n" for name, m in found for line in _told(name, seed, m, columns)), output, read)
    weak = [name for name, m in found if least is not None and m.made and Fraction(m.killed * 100, m.made) < least]
    for name in weak:
        click.echo(f"{visible(name)}: its examples notice fewer changes than --fail-under asks for", err=True)
    return 1 if weak else 0


def _percent(m: Mutation) -> str:
    """With one decimal, rounded down, so that 100.0 means all."""
    tenths = m.killed * 1000 // m.made if m.made else 0
    return f"{tenths // 10}.{tenths % 10}"


def _told(name: str, seed: int, m: Mutation, columns: int) -> Iterator[str]:
    drawn = (
        f" (drawn from {m.possible} with --seed {seed})" if m.made + len(m.refused) + len(m.idle) < m.possible else ""
    )
    yield f"{visible(name)}: {m.killed} of {m.made} changes noticed by the examples, {_percent(m)}%{drawn}"
    yield from _others("cannot be made, as the rulebook would no longer hold together", m.refused, columns)
    yield from _others("are proven to make no difference, and not counted", m.idle, columns)
    printed: set[str] = set()
    for s in m.survivors:
        told = f"{s.mutant.kind}: {s.mutant.what}: {s.mutant.was} -> {s.mutant.now}"
        yield f"survived {visible(s.mutant.place.file)}:{s.mutant.place.line}:"
        yield from (f"  {line}" for line in wrap(visible(told), columns - 2))
        yield from _why(s, printed)


def _others(said: str, of: Sequence[tuple[Mutant, str]], columns: int) -> Iterator[str]:
    """Changes that say nothing of the examples, each with the reason."""
    if of:
        yield f"  {len(of)} more {said}:"
    for m, why in of:
        told = f"{m.place.file}:{m.place.line}: {m.kind}: {m.what}: {m.was} -> {m.now}: {why}"
        first, *rest = wrap(visible(told), columns - 6)
        yield f"    {first}"
        yield from (f"      {line}" for line in rest)


def _why(s: Survivor, printed: set[str]) -> Iterator[str]:
    if not s.touched:
        yield "  no example uses it"
    if s.told is None and s.tries < 0:
        yield "  no bill was looked for: the changes above have taken all tries; add examples for them first"
        return
    if s.told is None:
        yield f"  no bill found that tells it apart in {s.tries} tries; it may make no difference"
        return
    if s.told.title in printed:
        yield f"  the example `{visible(s.told.title)}` above notices it too"
        return
    printed.add(s.told.title)
    yield f"  this example notices it ({visible(s.told.name)}: {visible(s.told.was)}, changed {visible(s.told.now)}):"
    yield ""
    yield from (f"    {visible(line)}" if line else "" for line in s.told.text.splitlines())
    yield ""


def _document(name: str, seed: int, m: Mutation) -> dict[str, object]:
    return {
        "rulebook": name,
        "seed": seed,
        "possible": m.possible,
        "made": m.made,
        "noticed": m.killed,
        "percent": _percent(m),
        "cannot_be_made": [{**_change(x), "why": why} for x, why in m.refused],
        "no_difference": [{**_change(x), "why": why} for x, why in m.idle],
        "survivors": [
            {
                **_change(s.mutant),
                "examples": s.touched,
                "tries": s.tries if s.tries >= 0 else None,
                "example": s.told.text if s.told is not None else None,
            }
            for s in m.survivors
        ],
    }


def _change(m: Mutant) -> dict[str, object]:
    where = {"file": m.place.file, "line": m.place.line}
    return {"kind": m.kind, "what": m.what, "was": m.was, "now": m.now, "where": where}
