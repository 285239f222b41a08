"""A bill that tells a rulebook from a changed one: an example's bills moved to where the change shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import copy
from datetime import date
from itertools import chain
from pathlib import Path
from typing import Final

from rxcalc.backends.exact import Exact
from rxcalc.diagnostics.model import Sink
from rxcalc.driver.aims import Reading, guards_of
from rxcalc.driver.hidden import Hidden
from rxcalc.driver.scenes import BREAKS, Moves, Run, Scene, Scenes, differences, run, scene_of
from rxcalc.driver.telling_moves import Movements
from rxcalc.driver.telling_text import Told, Writer
from rxcalc.examples.mutant import Mutant, may_notice
from rxcalc.examples.run import ExampleRunner
from rxcalc.inputs.episodes import EpisodeEntry, read_entries
from rxcalc.plan.nodes import Plan
from rxcalc.rulebook.load import load_yaml_text
from rxcalc.sampling.edges import edges
from rxcalc.tracing.hits import RuleRun

MOST_TRIES: Final = 500
MOST_IN_ALL: Final = 15_000
"""Of all changes of a rulebook together."""

NOT_LOOKED: Final = -1
MOST_SCENES: Final = 8
MOST_BASES: Final = 4
MOST_REACHED: Final = 160
MOST_PROOFS: Final = 3
MOST_ROWS: Final = 60
"""Larger examples are left alone: each try would cost too much."""

MOST_LOOKS: Final = 16
"""Of one scene, behind what is rounded."""

MOST_AFTER: Final = 120
"""Tries after a refused bill that tells the plans apart."""

OWN_TRIES: Final = 140
"""Of one scene, so that a change gets to see several."""


class Telling:
    """Searches the bills of examples, moved, for one that gives other results under a changed plan."""

    def __init__(self, plan: Plan, entries: Sequence[EpisodeEntry]) -> None:
        self.plan = plan
        self.runner = ExampleRunner(plan)
        self.scenes = Scenes(plan)
        read = (scene_of(plan, entry) for entry in entries)
        self.all = [s for s in read if s is not None and s.size <= MOST_ROWS]
        self.all.sort(key=lambda s: s.size)
        self.movements = Movements(self.scenes, Reading(plan), edges(plan))
        self.writer = Writer(plan, {e.name for e in entries})
        self.found: list[tuple[EpisodeEntry, Told, Run]] = []
        self.spent = 0
        self._differed = False  # whether the scene computed last came out otherwise

    def bill(self, mutant: Mutant, changed: Plan, exact: Exact) -> tuple[Told | None, int]:
        """The first bill found that tells the plans apart, as an example proven to; and how many were tried.

        `exact` evaluates the changed plan. A bill that was found for another change, and tells this one apart too, comes first.
        None are tried any more (`NOT_LOOKED`) once all changes together have taken `MOST_IN_ALL`.
        """
        runner = under(self.runner, changed, exact)
        tries = 0
        for entry, known, was in self.found:
            if may_notice(self.plan, mutant, was.used, was.nodes):
                tries += 1
                if fails(runner, entry):
                    return known, tries
        if self.spent >= MOST_IN_ALL:
            return None, NOT_LOOKED
        found, tries = self._search(mutant, changed, runner, tries)
        self.spent += tries
        return found, tries

    def _search(self, mutant: Mutant, changed: Plan, runner: ExampleRunner, tries: int) -> tuple[Told | None, int]:
        before = self.scenes.computed
        proofs = 0
        refusing: tuple[Told, Run] | None = (
            None  # a bill that is refused tells less: another one is looked for, for a while
        )
        refused_at = 0
        hidden = Hidden(self.scenes, self.movements, changed)
        for scene, base in self._bases(mutant):
            own = self.scenes.computed
            here = 0
            looks = MOST_LOOKS
            for moves in self.movements.of(mutant, scene, base):
                spent = tries + self.scenes.computed - before
                if spent >= MOST_TRIES or (refusing is not None and spent - refused_at >= MOST_AFTER):
                    return self._taken(refusing), spent
                if here + self.scenes.computed - own >= OWN_TRIES:
                    break
                was = self.scenes.plain(scene, moves)
                if was is None or not may_notice(self.plan, mutant, was.used, was.nodes):
                    continue
                here += 1
                tries += 1
                told = self._tell(mutant, runner, scene, moves, was)
                if told is None and not self._differed and mutant.kind in ("limit", "rate") and looks:
                    looks -= 1
                    for further in hidden.moves(scene, moves):
                        tries += 1
                        other = self.scenes.plain(scene, further)
                        told = self._tell(mutant, runner, scene, further, other) if other is not None else None
                        was = other or was
                        if told is not None:
                            break
                        looks = min(looks, MOST_LOOKS // 4)
                spent = tries + self.scenes.computed - before
                if told is not None and (not told.refuses or mutant.kind in ("clause", "comparison")):
                    return self._taken((told, was)), spent
                if told is not None and refusing is None:
                    refusing, refused_at = (told, was), spent
                if self._differed and told is None:
                    proofs += 1
                    if proofs >= MOST_PROOFS:
                        return self._taken(refusing), spent
        return self._taken(refusing), tries + self.scenes.computed - before

    def _taken(self, found: tuple[Told, Run] | None) -> Told | None:
        """Keeps an example that is given out: its name is taken, and it comes first for other changes."""
        if found is None:
            return None
        told, was = found
        node = load_yaml_text("example", told.text, Sink())
        self.writer.taken.add(told.title)
        self.found += [(entry, told, was) for entry in (read_entries(node, Sink()) if node is not None else ())]
        return told

    def _bases(self, mutant: Mutant) -> Iterator[tuple[Scene, Moves]]:
        """Scenes that use what is changed, as they are or with a choice or two made otherwise; then some that do not."""
        touched = [s for s in self.all if self._uses(mutant, s, {})]
        touched.sort(key=lambda s: -_named(s, mutant))
        yield from ((scene, {}) for scene in _varied(touched, MOST_SCENES))
        if len(touched) < MOST_BASES:
            others = [s for s in self.all if s not in touched]
            others.sort(key=lambda s: not self._runs(mutant, s))
            yield from self._reached(mutant, others)

    def _uses(self, mutant: Mutant, scene: Scene, moves: Moves) -> bool:
        found = self.scenes.plain(scene, moves)
        return found is not None and may_notice(self.plan, mutant, found.used, found.nodes)

    def _runs(self, mutant: Mutant, scene: Scene) -> bool:
        """Whether a scene comes near a change: it evaluates the step, or the nodes, that are changed."""
        found = self.scenes.plain(scene, {})
        if found is None:
            return False
        if mutant.clause is not None:
            return RuleRun(mutant.clause[0], mutant.clause[1]) in found.used
        return not found.nodes.isdisjoint(mutant.about)

    def _reached(self, mutant: Mutant, scenes: Sequence[Scene]) -> Iterator[tuple[Scene, Moves]]:
        """Scenes brought to use what is changed."""
        left, bases = MOST_REACHED, MOST_BASES
        for scene in _varied(scenes, MOST_SCENES):
            singles = [
                *self.movements.keyed(mutant, scene, {}),
                *self.movements.days(mutant, scene, {}),
                *self.movements.choices(mutant, scene, {}),
            ]
            pairs = ({**a, **b} for n, a in enumerate(singles[:24]) for b in singles[n + 1 : 24])
            guards = guards_of(self.movements.reading, mutant)
            for moves in chain(singles, self.movements.met(scene, {}, guards), pairs):
                left -= 1
                if left <= 0 or not bases:
                    return
                if self._uses(mutant, scene, moves):
                    bases -= 1
                    yield scene, moves
                    break

    def _tell(self, mutant: Mutant, runner: ExampleRunner, scene: Scene, moves: Moves, was: Run) -> Told | None:
        """The moved scene as an example that passes and that fails under the change; None where it tells nothing."""
        self._differed = False
        try:
            now = run(runner.exact, scene, moves)
        except BREAKS:
            now = None
        apart = differences(self.plan, was, now, scene.shown) if now is not None else []
        if now is not None and not apart:
            return None
        self._differed = True
        told = self.writer.example(mutant, scene, moves, was, apart)
        sink = Sink()
        node = load_yaml_text("example", told.text, sink)
        read = read_entries(node, sink) if node is not None else ()
        if len(read) != 1 or not self.runner.run(read[0], sink).passed or sink.has_errors or not fails(runner, read[0]):
            return None
        return told


def _named(scene: Scene, mutant: Mutant) -> int:
    """How many of the codes and days that a change names stand in a scene."""
    wanted = {v for v in mutant.near if isinstance(v, str | date)}
    rows = (row for record in scene.records for v in record.values() if isinstance(v, tuple) for row in v)
    return len({v for row in (*scene.records, *rows) for v in row.values() if isinstance(v, str | date)} & wanted)


def _varied(scenes: Sequence[Scene], most: int) -> Sequence[Scene]:
    """Some of them, small ones mostly, but not all of one file."""
    by_file: dict[str, list[Scene]] = {}
    for scene in scenes:
        by_file.setdefault(Path(scene.entry.span.file).name, []).append(scene)
    found: list[Scene] = []
    while len(found) < most and any(by_file.values()):
        for own in by_file.values():
            if own and len(found) < most:
                found.append(own.pop(0))
    return found


def under(runner: ExampleRunner, changed: Plan, exact: Exact) -> ExampleRunner:
    """A runner that reads and compares as before, and computes with a changed plan."""
    other = copy(runner)
    other.plan = changed
    other.exact = exact
    return other


def fails(runner: ExampleRunner, entry: EpisodeEntry) -> bool:
    """Whether an example does not give what it expects; so does one that can no longer be computed."""
    try:
        return not runner.run(entry, Sink()).passed
    except BREAKS:
        return True
