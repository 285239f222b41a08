"""Whether the examples of a rulebook notice small changes of it, and which bill would notice one that they do not."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rxcalc.backends.exact import Exact
from rxcalc.diagnostics.model import Sink
from rxcalc.driver.examples import ExamplesReport
from rxcalc.driver.scenes import Recording
from rxcalc.driver.telling import Telling, fails, under
from rxcalc.driver.telling_text import Told
from rxcalc.examples.idle import Idle
from rxcalc.examples.mutant import Mutant, may_notice
from rxcalc.examples.mutants import mutants
from rxcalc.examples.run import ExampleRunner
from rxcalc.inputs.episodes import EpisodeEntry
from rxcalc.plan.changed import UnchangeableError
from rxcalc.plan.nodes import Plan
from rxcalc.tracing.hits import Hit

LARGE: Final = 2_000
"""Rows of an example above which not every value is kept: it counts as using all."""


class MutationError(ValueError):
    """Mutation says nothing of these examples: why, and what to do."""


@dataclass(frozen=True)
class Survivor:
    """A change that no example notices. `touched` counts the examples that use what was changed.

    `told` is a bill that would notice it, None where none was found in so many `tries` (negative: none was looked for).
    """

    mutant: Mutant
    touched: int
    told: Told | None
    tries: int


@dataclass(frozen=True)
class Mutation:
    """How the examples did: of `possible` changes so many were `made`, and of these so many `killed` by an example.

    `refused` could not be made, each with the reason; `idle` make no difference to any bill, each with the proof. Neither
    counts as made.
    """

    possible: int
    made: int
    killed: int
    refused: tuple[tuple[Mutant, str], ...]
    idle: tuple[tuple[Mutant, str], ...]
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
    telling = Telling(plan, report.entries)
    idle = Idle(plan)
    refused: list[tuple[Mutant, str]] = []
    unmoved: list[tuple[Mutant, str]] = []
    survivors: list[Survivor] = []
    killed = 0
    for mutant in chosen:
        try:
            changed = mutant.change(plan)
        except UnchangeableError as error:
            refused.append((mutant, error.message))
            continue
        exact = Exact(changed)
        touched = examples.touched(mutant)
        if examples.notice(changed, exact, touched):
            killed += 1
            continue
        proof = idle.proof(mutant)
        if proof:
            unmoved.append((mutant, proof))
            continue
        told, tries = telling.bill(mutant, changed, exact) if search else (None, 0)
        survivors.append(Survivor(mutant, len(touched), told, tries))
    made = killed + len(survivors)
    return Mutation(len(everything), made, killed, tuple(refused), tuple(unmoved), tuple(survivors))


class _Examples:
    """The examples of a rulebook, to be run against changed plans; those that noticed a change before come first."""

    def __init__(self, plan: Plan, entries: Sequence[EpisodeEntry]) -> None:
        self.plan = plan
        self.entries = entries
        self.used: list[tuple[frozenset[Hit], frozenset[int]]] = []
        recording = Recording(plan)
        for entry in entries:
            large = _size(entry) > LARGE
            runner = ExampleRunner(plan, watching=True, exact=None if large else recording)
            runner.run(entry, Sink())
            nodes = frozenset(range(len(plan.nodes))) if large else frozenset[int]().union(*runner.nodes)
            self.used.append((frozenset[Hit]().union(*runner.used), nodes))
        self.runner = ExampleRunner(plan)
        self.order = sorted(range(len(entries)), key=lambda n: _size(entries[n]))  # those that cost least first

    def touched(self, mutant: Mutant) -> list[int]:
        """The examples that might notice it."""
        return [n for n in self.order if may_notice(self.plan, mutant, *self.used[n])]

    def notice(self, changed: Plan, exact: Exact, touched: Sequence[int]) -> bool:
        """Whether one of the examples fails under the changed plan."""
        runner = under(self.runner, changed, exact)
        for n in touched:
            if fails(runner, self.entries[n]):
                self.order.remove(n)
                self.order.insert(0, n)
                return True
        return False


def _size(entry: EpisodeEntry) -> int:
    """How many episodes and rows an example has."""
    given = [*entry.earlier, *(fields for fields, _ in entry.episodes)]
    return len(given) + sum(len(rows) for fields in given for rows in fields.rows.values())
