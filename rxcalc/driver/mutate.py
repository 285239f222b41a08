"""Whether the examples of a rulebook notice small changes of it, and which bill would notice one that they do not."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rxcalc.diagnostics.model import Sink
from rxcalc.driver.examples import ExamplesReport
from rxcalc.driver.telling import Telling, Told, fails, under
from rxcalc.examples.mutants import Mutant, mutants, noticed
from rxcalc.examples.run import ExampleRunner
from rxcalc.inputs.episodes import EpisodeEntry
from rxcalc.plan.changed import UnchangeableError
from rxcalc.plan.nodes import Plan
from rxcalc.tracing.hits import Hit


class MutationError(ValueError):
    """Mutation says nothing of these examples: why, and what to do."""


@dataclass(frozen=True)
class Survivor:
    """A change that no example notices. `touched` counts the examples that use what was changed.

    `told` is a bill that would notice it, None where none was found in so many `tries`.
    """

    mutant: Mutant
    touched: int
    told: Told | None
    tries: int


@dataclass(frozen=True)
class Mutation:
    """How the examples did: `made` changes of `possible` ones, of which so many were `killed`; `refused` could not be made."""

    possible: int
    made: int
    killed: int
    refused: int
    survivors: tuple[Survivor, ...]


def mutation(report: ExamplesReport, *, seed: int, limit: int, search: bool = True) -> Mutation:
    """Runs the examples against each of at most `limit` changes, drawn with `seed` where there are more.

    Raises:
        MutationError: there are no examples, or some of them fail already.
    """
    assert report.compiled is not None  # noqa: S101 - the caller has refused it before
    if report.failed:
        message = f"{report.failed} of the examples and guarantees fail, so a change of the rules would say nothing"
        raise MutationError(message)
    plan = report.compiled.plan
    everything = mutants(plan)
    chosen = everything
    if len(everything) > limit:
        numbers = random.Random(seed).sample(range(len(everything)), limit)  # noqa: S311 - not for secrets
        chosen = tuple(everything[n] for n in sorted(numbers))
    examples = _Examples(plan, report.entries)
    telling = Telling(plan, report.entries, Path(report.found.shown).name)
    killed = refused = 0
    survivors: list[Survivor] = []
    for mutant in chosen:
        try:
            changed = mutant.change(plan)
        except UnchangeableError:
            refused += 1
            continue
        touched = examples.touched(mutant)
        if examples.notice(changed, touched):
            killed += 1
            continue
        told, tries = telling.bill(mutant, changed, [report.entries[n] for n in touched]) if search else (None, 0)
        survivors.append(Survivor(mutant, len(touched), told, tries))
    return Mutation(len(everything), killed + len(survivors), killed, refused, tuple(survivors))


class _Examples:
    """The examples of a rulebook, to be run against changed plans; those that noticed a change before come first."""

    def __init__(self, plan: Plan, entries: Sequence[EpisodeEntry]) -> None:
        self.entries = entries
        self.used: list[frozenset[Hit]] = []
        for entry in entries:
            runner = ExampleRunner(plan, watching=True)
            runner.run(entry, Sink())
            self.used.append(frozenset[Hit]().union(*runner.used))
        self.runner = ExampleRunner(plan)
        self.order = list(range(len(entries)))

    def touched(self, mutant: Mutant) -> list[int]:
        """The examples that might notice it."""
        return [n for n in self.order if noticed(mutant, self.used[n])]

    def notice(self, changed: Plan, touched: Sequence[int]) -> bool:
        """Whether one of the examples fails under the changed plan."""
        runner = under(self.runner, changed)
        for n in touched:
            if fails(runner, self.entries[n]):
                self.order.remove(n)
                self.order.insert(0, n)
                return True
        return False
