"""Differences that rounding hides, and how far an amount must be moved until they come out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from rxcalc.driver.scenes import BREAKS, Moves, Recording, Run, Scene, Scenes, Spot, run
from rxcalc.driver.telling_moves import Movements
from rxcalc.lang.arithmetic import round_to
from rxcalc.lang.types import MONEY
from rxcalc.plan.nodes import Plan, PlanStep, RoundTo, Value
from rxcalc.sampling.hints import grid_of

_MOST_STEPS: Final = 500  # of the smallest size of a field, on either side
_MOST_PLACES: Final = 4
_MOST_SPOTS: Final = 4
_STRIDE: Final = 100  # over which a slope is measured


@dataclass(frozen=True)
class _Behind:
    """A step that gives the same under two plans, although its exact values are apart."""

    row: tuple[str, int, object]
    name: str
    exact: Fraction
    away: Fraction
    rounding: RoundTo


class Hidden:
    """Looks behind the rounding of steps, for one changed plan."""

    def __init__(self, scenes: Scenes, movements: Movements, changed: Plan) -> None:
        self.scenes = scenes
        self.movements = movements
        plan = scenes.plan
        levels = [("", plan.steps), *((x.name, x.steps) for x in plan.lists), *((g.name, g.steps) for g in plan.groups)]
        self.steps: dict[tuple[str, str], PlanStep] = {(level, s.name): s for level, steps in levels for s in steps}
        self._changed = changed
        self._exact: Recording | None = None

    def moves(self, scene: Scene, moves: Moves) -> Iterator[Moves]:
        """The scene with one amount moved a little further, to where the first hidden difference is rounded apart."""
        behind = self._behind(scene, moves)
        if behind is None:
            return
        amounts = [s for s in scene.numbers() if scene.spec(s).type == MONEY][:_MOST_SPOTS]
        for spot in amounts:
            own = moves.get(spot, scene.value(spot))
            if isinstance(own, int | Fraction):
                yield from self._places(scene, moves, spot, Fraction(own), behind)

    def _behind(self, scene: Scene, moves: Moves) -> _Behind | None:
        was = self.scenes.recorded(scene, moves)
        if self._exact is None:
            self._exact = Recording(self._changed)
        try:
            now = run(self._exact, scene, moves, recording=True)
        except BREAKS:
            return None
        for key, recorder in was.recorders.items() if was is not None else ():
            other = now.recorders.get(key)
            for one, two in zip(recorder.steps, other.steps if other is not None else (), strict=False):
                step = self.steps.get((key[0], one.name))
                if (
                    one.name == two.name and one.exact != two.exact and one.value == two.value
                    and step is not None and step.rounding is not None
                    and isinstance(one.exact, int | Fraction) and isinstance(two.exact, int | Fraction)
                ):  # fmt: skip
                    exact, away = Fraction(one.exact), Fraction(two.exact) - Fraction(one.exact)
                    return _Behind(key, one.name, exact, away, step.rounding)
        return None

    def _places(self, scene: Scene, moves: Moves, spot: Spot, own: Fraction, behind: _Behind) -> Iterator[Moves]:
        grid = grid_of(scene.spec(spot)) or Fraction(1)
        slope = self._slope(scene, moves, spot, own, grid, behind)
        if not slope:
            return
        found = 0
        for n in range(1, _MOST_STEPS):
            for away in (n, -n):
                exact = behind.exact + away * slope
                to, mode = behind.rounding.to, behind.rounding.mode
                if round_to(exact, to, mode) == round_to(exact + behind.away, to, mode):
                    continue
                value: Value = own + away * grid
                if scene.allows(spot, value):
                    found += 1
                    yield self.movements.linked(scene, {**moves, spot: value}, spot)
                    if found >= _MOST_PLACES:
                        return

    def _slope(
        self, scene: Scene, moves: Moves, spot: Spot, own: Fraction, grid: Fraction, behind: _Behind
    ) -> Fraction | None:
        """What one smallest step of a field adds to the exact value; None where it cannot be said."""
        for stride in (_STRIDE, -_STRIDE):
            value = own + stride * grid
            if scene.allows(spot, value):
                found = self.scenes.recorded(scene, self.movements.linked(scene, {**moves, spot: value}, spot))
                exact = _exact_of(found, behind)
                return (exact - behind.exact) / stride if exact is not None else None
        return None


def _exact_of(found: Run | None, behind: _Behind) -> Fraction | None:
    recorder = found.recorders.get(behind.row) if found is not None else None
    for step in recorder.steps if recorder is not None else ():
        if step.name == behind.name and isinstance(step.exact, int | Fraction):
            return Fraction(step.exact)
    return None
