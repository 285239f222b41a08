"""The examples beside a rulebook, run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from rxcalc.diagnostics.model import Sink
from rxcalc.driver.compile import Compiled, compile_file
from rxcalc.driver.find import Found
from rxcalc.examples.difference import Difference
from rxcalc.examples.run import ExampleResult, ExampleRunner
from rxcalc.inputs.episodes import EpisodeEntry, read_entries
from rxcalc.report.order import bill_sequence
from rxcalc.rulebook.load import load_yaml

if TYPE_CHECKING:
    from rxcalc.coverage.model import Coverage


@dataclass(frozen=True, slots=True)
class ExamplesReport:
    """How the examples of one rulebook went.

    `compiled` is None when the rulebook has errors (in the sink), `coverage` when it was not asked for. `entries` are
    the examples as read, one for each of the `results`; `read` are their files by the name that messages give them.
    """

    found: Found
    compiled: Compiled | None
    results: tuple[ExampleResult, ...]
    trends: tuple[Difference, ...]
    coverage: Coverage | None = None
    entries: tuple[EpisodeEntry, ...] = ()
    read: Mapping[str, Path] = field(default_factory=dict)

    @property
    def failed(self) -> int:
        """How many examples and guarantees failed."""
        return sum(not r.passed for r in self.results) + len(self.trends)


def run_examples(found: Found, sink: Sink, *, coverage: bool = False) -> ExamplesReport:
    """Compiles a rulebook and runs `examples/*.yaml` beside it; `coverage` also says what they use of it."""
    compiled = compile_file(found.path, found.shown, sink)
    if compiled is None:
        return ExamplesReport(found, None, (), ())
    runner = ExampleRunner(compiled.plan, watching=coverage, order=bill_sequence)
    results: list[ExampleResult] = []
    entries: list[EpisodeEntry] = []
    read: dict[str, Path] = {}
    for path in example_files(found.path.parent):
        shown = str(Path(found.shown).parent / "examples" / path.name)
        read[shown] = path
        node = load_yaml(path, shown, sink)
        for entry in read_entries(node, sink) if node is not None else ():
            if entry.rulebook and entry.rulebook not in (
                compiled.plan.rulebook,
                f"{compiled.plan.rulebook}@{compiled.plan.version}",
            ):
                continue
            entries.append(entry)
            results.append(runner.run(entry, sink))
    covered = None
    if coverage:
        from rxcalc.coverage.items import implied_reads, items_of
        from rxcalc.coverage.model import measured

        covered = measured(items_of(compiled.plan), runner.used, implied_reads(compiled.plan))
    trends = tuple(runner.trends(entries))
    return ExamplesReport(found, compiled, tuple(results), trends, covered, tuple(entries), read)


def example_files(folder: Path) -> list[Path]:
    """The example files beside a rulebook, by name."""
    examples = folder / "examples"
    return (
        sorted(p for p in examples.iterdir() if p.suffix in (".yaml", ".yml") and p.is_file())
        if examples.is_dir()
        else []
    )
