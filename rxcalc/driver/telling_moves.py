"""How the bills of examples are moved to where a change of the rules shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from fractions import Fraction
from itertools import chain, islice, product
from typing import Final

from rxcalc.driver.aims import Aim, Reading, aims_of
from rxcalc.driver.scenes import OF_GROUPS, Moves, Run, Scene, Scenes, Spot
from rxcalc.examples.mutant import Mutant
from rxcalc.lang.ops import Op
from rxcalc.lang.types import CODE, CODES, DATE, FLAG, MONEY, TEXT, is_numeric, is_whole
from rxcalc.plan.nodes import PlanInput, Value
from rxcalc.sampling.edges import Edges, specs_of
from rxcalc.sampling.hints import grid_of

UNKNOWN: Final = "NONE-SUCH"
"""A code that no table has: a condition that looks one up is noticed by it."""

_BESIDE: Final = (0, -1, 1, -2, 2, -50, 50, -100, 100)  # in the smallest steps of a field
_FAR: Final = (100_000, -100_000, 10_000, -10_000, *_BESIDE)
"""A rate shows the more, the further away."""

_MOST_SPOTS: Final = 14
_SECANTS: Final = 5
_MOST_EDGES: Final = 16


class Movements:
    """The moves of scenes that may make a change of the rules show."""

    def __init__(self, scenes: Scenes, reading: Reading, edges: Edges) -> None:
        self.scenes = scenes
        self.reading = reading
        self.edges = edges
        self.effective = scenes.plan.effective_by
        self.specs = specs_of(scenes.plan)
        self._links: dict[int, list[_Link]] = {}

    def of(self, mutant: Mutant, scene: Scene, base: Moves) -> Iterator[Moves]:
        """A scene as it is, then moved in one thing, then in two, then further away. `base` always holds."""
        yield base
        days = list(self.days(mutant, scene, base))
        keyed = list(self.keyed(mutant, scene, base))
        dated = chain(({**a, **b} for a, b in product(keyed[:4], days[:4])), days)
        yield from keyed
        if mutant.kind in ("date", "cell"):
            yield from dated
        beside = _FAR if mutant.kind == "rate" else _BESIDE
        met = self.met(scene, base, aims_of(self.reading, mutant), beside=beside)
        known: list[Moves] = []
        for moves in met:
            known.append(moves)
            yield moves
        yield from dated
        choices = list(self.choices(mutant, scene, base))
        numbers = list(self._near(mutant, scene, base))
        yield from chain(choices, numbers)
        for one, other in chain(product(days[:6], choices), product(known[:3], choices), product(days[:6], known[:6])):
            yield {**one, **other}
        yield from ({**a, **b} for a, b in islice(product(numbers, choices), 60))
        yield from self._far(scene, base)

    # ---- single moves ----

    def days(self, mutant: Mutant, scene: Scene, base: Moves) -> Iterator[Moves]:
        """All dates of the scene moved by as many days as bring one of its episodes to the days of a change, and single dates."""
        near = [v for v in mutant.near if isinstance(v, date)]
        if not near:
            return
        dates = [s for s in scene.spots() if isinstance(_value(scene, s, base), date)]
        others = [s for s in dates if s[1] or s[3] != self.effective]
        shifted: list[Moves] = []
        for day in near:
            own = {
                at: v
                for at, r in enumerate(scene.records)
                if isinstance(v := r[self.effective], date) and at >= scene.shown
            }
            for away in dict.fromkeys(day - v for v in own.values()):
                moves = dict(base)
                for spot in dates:
                    value = _value(scene, spot, base)
                    assert isinstance(value, date)  # noqa: S101 - asked for
                    moves[spot] = _shifted(value, away)
                if all(v is None or scene.allows(s, v) for s, v in moves.items()):
                    whole = {s: v for s, v in moves.items() if v is not None}
                    yield whole
                    shifted.append(whole)
        for day, spot in product(near, dates):
            if scene.allows(spot, day) and _value(scene, spot, base) != day:
                yield {**base, spot: day}
        # the bill on one of the days, and another of its dates, or all of them, on another
        for shift, day in product((*shifted[:4], base), near[:3]):
            if len(others) > 1:
                yield {**shift, **{s: day for s in others if scene.allows(s, day)}}
            yield from ({**shift, s: day} for s in others[:4] if shift.get(s) != day and scene.allows(s, day))

    def keyed(self, mutant: Mutant, scene: Scene, base: Moves) -> Iterator[Moves]:
        """The fields by which a value or a row is looked up, all together those of the change."""
        for fields, keys in product(self._looked_up_by(mutant), mutant.keys):
            rows = {spot[:3] for spot in scene.spots()}
            for at, level, row in sorted(rows, key=lambda r: (-r[0], r[2])):
                if at == OF_GROUPS or level != next((lv for lv, _ in fields if lv), ""):
                    continue
                moves: dict[Spot, Value] = {}
                for (of, name), key in zip(fields, keys, strict=False):
                    spot = (at, of, row if of else 0, name)
                    if key is not None and _value(scene, spot, base) != key:
                        moves[spot] = key
                if moves and all(scene.allows(s, v) for s, v in moves.items()):
                    yield {**base, **moves}

    def _looked_up_by(self, mutant: Mutant) -> list[tuple[tuple[str, str], ...]]:
        """The fields, by level and name, that each reader of what is changed looks up by; readers by anything else are left out."""
        plan = self.scenes.plan
        found: dict[tuple[tuple[str, str], ...], None] = {}
        for index in mutant.about:
            node = plan.nodes[index]
            fields: list[tuple[str, str]] = []
            for arg in node.args[: getattr(node.data, "keys", 0)] if mutant.keys else ():
                own = plan.nodes[arg]
                while own.op is Op.LIFT:
                    own = plan.nodes[own.args[0]]
                if own.op is Op.INPUT and (own.level, str(own.data)) in self.specs:
                    fields.append((own.level, str(own.data)))
            if fields and len(fields) == getattr(node.data, "keys", 0):
                found.setdefault(tuple(fields))
        return list(found)

    def choices(self, mutant: Mutant, scene: Scene, base: Moves) -> Iterator[Moves]:
        """Other values of sets, flags and codes, those of the bill first."""
        near = (*mutant.near, UNKNOWN) if mutant.kind == "clause" else mutant.near
        for spot in scene.spots():
            spec = scene.spec(spot)
            for value in _choices(spec, near):
                if value != _value(scene, spot, base) and scene.allows(spot, value):
                    yield {**base, spot: value}
            if spec.optional and _value(scene, spot, base) is not None and spec.type not in (TEXT, CODES):
                yield {**base, spot: None}

    def _near(self, mutant: Mutant, scene: Scene, base: Moves) -> Iterator[Moves]:
        """Numbers and days at the values of a change."""
        for spot in islice(scene.spots(), 40):
            spec = scene.spec(spot)
            for value in _fitting(spec, mutant.near):
                if value != _value(scene, spot, base) and scene.allows(spot, value):
                    yield self.linked(scene, {**base, spot: value}, spot)

    def _far(self, scene: Scene, base: Moves) -> Iterator[Moves]:
        """The values that the rules compare a field with."""
        for spot in islice(scene.spots(), 30):
            for value in self.edges.values.get((spot[1], spot[3]), ())[:_MOST_EDGES]:
                if value != _value(scene, spot, base) and scene.allows(spot, value):
                    yield self.linked(scene, {**base, spot: value}, spot)

    # ---- values that meet ----

    def met(
        self, scene: Scene, base: Moves, aims: Sequence[Aim], *, beside: Sequence[int] = _BESIDE, deep: bool = True
    ) -> Iterator[Moves]:
        """One number or date moved until two values of the rules meet, and a little beside that place."""
        start = self.scenes.recorded(scene, base)
        if start is None:
            return
        spots = list(islice(scene.numbers(), _MOST_SPOTS))
        seen: set[tuple[Spot, Value]] = set()
        for aim in aims:
            for key, gap in _gaps(start, aim).items():
                ends: list[Moves] = []  # fields that come to their bounds before the two meet
                met = False
                for spot in sorted(spots, key=lambda s: not _belongs(s, key)):
                    place, reached = self._place(scene, base, spot, aim, key, gap)
                    if place is None:
                        continue
                    met |= reached
                    value = _carried(scene.spec(spot), place)
                    if not reached and value is not None:
                        ends.append(self.linked(scene, {**base, spot: value}, spot))
                    grid = _grid(scene.spec(spot))
                    for away in beside:
                        value = _carried(scene.spec(spot), place + away * grid)
                        if value is not None and (spot, value) not in seen and scene.allows(spot, value):
                            seen.add((spot, value))
                            yield self.linked(scene, {**base, spot: value}, spot)
                if not met and len(ends) > 1 and deep:
                    yield from self.met(scene, ends[0], [aim], beside=beside, deep=False)

    def _place(
        self, scene: Scene, base: Moves, spot: Spot, aim: Aim, key: object, gap: Fraction
    ) -> tuple[Fraction | None, bool]:
        """Where the values meet while one field is moved, as far as a few steps along the slope lead; None where it moves nothing.

        The flag says whether they meet there, or come as near as the smallest step lets them.
        """
        spec, grid = scene.spec(spot), _grid(scene.spec(spot))
        x, d = _number(_value(scene, spot, base)), gap
        if not d:
            return x, True
        stride = max(grid, _floored(abs(x) / 8, grid)) if spec.type != DATE else grid
        onward = x + stride if scene.allows(spot, _carried(spec, x + stride)) else x - stride
        for _ in range(_SECANTS):
            value = _carried(spec, onward)
            if onward == x:
                return x, True
            if value is None or not scene.allows(spot, value):
                bound = spec.low if onward < x else spec.high
                return (_number(bound), False) if bound is not None and d != gap else (x, False)
            found = self.scenes.recorded(scene, self.linked(scene, {**base, spot: value}, spot))
            new = _gaps(found, aim).get(key) if found is not None else None
            if new is None or new == d:
                return (None, False) if x == _number(_value(scene, spot, base)) else (x, False)
            slope = (new - d) / (onward - x)
            x, d = onward, new
            if not d:
                break
            onward = _floored(x - d / slope, grid)
        return x, not d

    # ---- fields that go together ----

    def linked(self, scene: Scene, moves: Moves, spot: Spot) -> Moves:
        """Moves with those of fields that are sums or products of others in the scene, so that the bill stays whole."""
        at, level, _, name = spot
        if at == OF_GROUPS or spot not in moves:
            return moves
        found = dict(moves)
        for link in self._links_of(scene):
            if link.at != at:
                continue
            rows = range(link.rows)
            if not level and name == link.total:
                # the row that bears most bears the difference
                parts = [_number(_value(scene, (at, link.level, n, link.field), moves)) for n in rows]
                most = max(rows, key=lambda n: parts[n])
                rest = _number(moves[spot]) - sum(parts) + parts[most]
                if rest >= 0:
                    found[at, link.level, most, link.field] = rest
            elif level == link.level and name == link.field and (at, "", 0, link.total) not in moves:
                whole = sum((_number(_value(scene, (at, level, n, name), moves)) for n in rows), Fraction(0))
                found[at, "", 0, link.total] = whole
        return found

    def _links_of(self, scene: Scene) -> list[_Link]:
        if id(scene) not in self._links:
            self._links[id(scene)] = list(_links(scene))
        return self._links[id(scene)]


class _Link:
    """A field of an episode that is the sum of a field of the rows of one of its lists."""

    def __init__(self, at: int, total: str, level: str, field: str, rows: int) -> None:
        self.at, self.total, self.level, self.field, self.rows = at, total, level, field, rows


def _links(scene: Scene) -> Iterator[_Link]:
    plan = scene.plan
    for at, record in enumerate(scene.records):
        for level in plan.lists:
            rows = record.get(level.name)
            if not isinstance(rows, tuple) or not rows:
                continue
            sums = {
                i.name: sum((_number(row[i.name]) for row in rows), Fraction(0))
                for i in level.inputs
                if i.type == MONEY and all(isinstance(row.get(i.name), int | Fraction) for row in rows)
            }
            for spec in plan.inputs:
                value = record.get(spec.name)
                if spec.type == MONEY and isinstance(value, int | Fraction) and value > 0:
                    yield from (_Link(at, spec.name, level.name, f, len(rows)) for f, s in sums.items() if s == value)


def _gaps(found: Run | None, aim: Aim) -> Mapping[object, Fraction]:
    """How far the two values of an aim are apart, on each row that has them."""
    gaps: dict[object, Fraction] = {}
    for key, recorder in found.recorders.items() if found is not None else ():
        values = recorder.nodes
        one, other = values.get(aim.node), values.get(aim.to) if aim.to >= 0 else aim.at
        if _is_number(one) and _is_number(other):
            gaps[key] = _number(one) - _number(other)
    return gaps


def _belongs(spot: Spot, key: object) -> bool:
    """Whether a value stands on the row of a recorder."""
    at, level, row, _ = spot
    return isinstance(key, tuple) and key == (level, at, row)


def _value(scene: Scene, spot: Spot, moves: Moves) -> Value:
    return moves[spot] if spot in moves else scene.value(spot)


def _choices(spec: PlanInput, near: Sequence[Value]) -> Iterator[Value]:
    """The values of a set, a flag's two, and for codes those that the change names."""
    if spec.values:
        yield from (v.name for v in spec.values)
    elif spec.type == FLAG:
        yield from (True, False)
    elif spec.type in (CODE, TEXT):
        yield from (v for v in near if isinstance(v, str))


def _fitting(spec: PlanInput, near: Sequence[Value]) -> Iterator[Value]:
    """The values of a change and their neighbours, as far as a field can hold them."""
    if spec.type == DATE:
        yield from (v for v in near if isinstance(v, date))
    elif is_numeric(spec.type):
        given = [Fraction(v) for v in near if isinstance(v, int | Fraction) and not isinstance(v, bool)]
        places = [_carried(spec, v + step * _grid(spec)) for v in given for step in (0, 1, -1, 100, -100)]
        yield from dict.fromkeys(v for v in places if v is not None)


def _shifted(day: date, away: timedelta) -> date | None:
    try:
        return day + away
    except OverflowError:
        return None


def _is_number(value: object) -> bool:
    return isinstance(value, int | Fraction | date) and not isinstance(value, bool)


def _number(value: object) -> Fraction:
    """A number, or a date as its day's number."""
    if isinstance(value, date):
        return Fraction(value.toordinal())
    return Fraction(value) if isinstance(value, int | Fraction) else Fraction(0)


def _grid(spec: PlanInput) -> Fraction:
    """The smallest step of a field."""
    return grid_of(spec) or Fraction(1)


def _floored(value: Fraction, grid: Fraction) -> Fraction:
    return grid * (value / grid).__floor__()


def _carried(spec: PlanInput, value: Fraction) -> Value:
    """A number as a field carries it; None where it cannot."""
    if spec.type == DATE:
        return date.fromordinal(int(value)) if 1 <= value <= date.max.toordinal() else None
    if (value / _grid(spec)).denominator != 1:
        return None
    return int(value) if is_whole(spec.type) else value
