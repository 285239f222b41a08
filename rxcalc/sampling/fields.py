"""How each field of a row is made up: from its hint, its catalogue, what `requires:` says of it, or as is usual."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Final, TypeAlias

from rxcalc.backends.exact_nodes import Thunk
from rxcalc.backends.exact_ops import Refused
from rxcalc.backends.frames import Frame
from rxcalc.lang.arithmetic import Rational
from rxcalc.lang.types import CODE, CODES, DATE, FLAG, OneOf, is_numeric
from rxcalc.plan.figures import figure
from rxcalc.plan.nodes import PlanInput, Value
from rxcalc.sampling.catalogues import Catalogue, Keys
from rxcalc.sampling.draws import on_grid, plain_number
from rxcalc.sampling.edges import Field
from rxcalc.sampling.hints import Hint, grid_of
from rxcalc.sampling.relations import Bound, Relation
from rxcalc.sampling.rows import Making, Unmade
from rxcalc.sampling.usual import Limits, Usual

Made: TypeAlias = "tuple[Value, bool]"
"""A value, and whether its cell stays empty: a missing value, or a default left out."""

LEFT_OUT: Final = Fraction(1, 5)
AT_AN_EDGE: Final = Fraction(5, 100)
HINTED_AT_AN_EDGE: Final = Fraction(3, 100)
UNKNOWN: Final = Fraction(5, 100)
NAMED_BY_A_RULE: Final = Fraction(1, 4)
KEPT_IN_A_WINDOW: Final = Fraction(1, 2)
_TRIES: Final = 20
_SELDOM: Final = 20  # a bound far beyond all other figures, such as the largest amount allowed, is one edge in so many
_POOL: Final = 20
_OWN_POOL: Final = 3
_NEAR: Final = 4  # an id that nothing makes unique is that of one of the last few episodes
_MOST_CODES: Final = 3


@dataclass(frozen=True, slots=True)
class Place:
    """Which row of which episode of which person is made, for ids."""

    person: int
    episode: int
    row: int = 0


@dataclass(slots=True)
class FieldMaker:
    """Makes the values of one field."""

    key: Field
    spec: PlanInput
    hint: Hint
    edges: Sequence[Value]
    usual: Usual
    thunks: Sequence[Thunk]
    catalogue: Catalogue | None = None
    table: Keys | None = None
    relation: Relation = field(default_factory=Relation)
    span: tuple[date, date] | None = None  # of a date that stands by itself
    same: Fraction = Fraction(0)
    missing: Fraction = Fraction(0)
    is_shared: bool = False  # a code that windows tell a person's episodes apart by
    owner: str = ""  # the field that names the person
    pool: Sequence[str] = ()
    _edge_share: Fraction | None = None

    @property
    def reads(self) -> frozenset[Field]:
        """The fields of the row and its episode that must be there before."""
        level, formula = self.key[0], self.hint.formula
        found = (
            {(level, n) for n in formula.reads} | {("", n) for n in formula.of_bill} if formula is not None else set()
        )
        for bound in self.relation.bounds():
            found |= bound.reads
        return frozenset(found)

    @property
    def over(self) -> frozenset[str]:
        """The lists that must be there before."""
        found = set(self.hint.formula.over) if self.hint.formula is not None else set()
        return frozenset(found.union(*(bound.over for bound in self.relation.bounds())))

    @property
    def is_free(self) -> bool:
        """Whether it is drawn without looking at anything else."""
        formula = self.hint.formula
        return not self.reads and not self.over and not self.same and (formula is None or not formula.before)

    def make(self, c: Making, place: Place) -> Made:
        """A value for a row, from the draws in `c`; Unmade when these draws give none."""
        draws = c.draws
        if self.missing and draws.chance(self.missing):
            return self.spec.default, True
        if self.same and c.before is not None and draws.chance(self.same):
            before = c.before.get(self.spec.name)
            if before is not None:
                return before, False  # inside the bounds, as it was
        value = self._value(c, place)
        if value is None:
            if self.spec.optional or self.spec.default is not None:
                return self.spec.default, True
            raise Unmade(f"the hint for `{self.spec.name}`", "it gives no value, and the field must have one")
        return value, False

    def _value(self, c: Making, place: Place) -> Value:
        hint, draws = self.hint, c.draws
        limits = self._limits(c)
        if hint.weights:
            left = Fraction(draws.word(), 1 << 64)
            for value, share in hint.weights:
                left -= share
                if left < 0:
                    return value
            if isinstance(self.spec.type, OneOf) and hint.formula is None:
                return draws.one([v for v in self.spec.type.values if v not in dict(hint.weights)])
            if self.spec.type == FLAG and hint.formula is None:
                return not hint.weights[0][0]
        if self._edge_share is None:
            self._edge_share = self._at_an_edge() if self.edges else Fraction(0)
        if self._edge_share and draws.chance(self._edge_share):
            near = hint.formula is not None or draws.below(_SELDOM) > 0
            inside = [v for v in self.edges if limits.hold(v) and not (near and self.usual.is_far(v))]
            if inside:
                return draws.one(inside)
        if hint.formula is not None:
            return self._by_hint(c)
        if self.relation.equal is not None:
            value = self._evaluated(self.relation.equal, c)
            if value is not None:
                return self._fitting(value, "requires")
        if self.spec.type in (CODE, CODES):
            return self._code(c, place)
        return self.usual.value(draws, limits, c.on, self.span)

    def _at_an_edge(self) -> Fraction:
        formula = self.hint.formula
        if self.hint.edges is not None:
            return self.hint.edges
        if self.relation.equal is not None or (formula is not None and (not formula.draws or not self.is_free)):
            return Fraction(0)
        return AT_AN_EDGE if formula is None else HINTED_AT_AN_EDGE

    # ---- limits ----

    def _limits(self, c: Making) -> Limits:
        low, high = self.spec.low, self.spec.high
        if not self.relation.low and not self.relation.high:
            return Limits(low, high)
        lows = [b for b in (self._limit(bound, c, 1) for bound in self.relation.low) if b is not None]
        highs = [b for b in (self._limit(bound, c, -1) for bound in self.relation.high) if b is not None]
        by_low = max(lows) if lows else None
        by_high = min(highs) if highs else None
        narrows_low = by_low is not None and (low is None or by_low >= low)  # type: ignore[operator]  # as above
        narrows_high = by_high is not None and (high is None or by_high <= high)  # type: ignore[operator]  # as above
        return Limits(by_low if narrows_low else low, by_high if narrows_high else high, narrows_low, narrows_high)

    def _limit(self, bound: Bound, c: Making, inward: int) -> int | Fraction | date | None:
        value = self._evaluated(bound, c)
        if value is None or not bound.strict:
            return value
        if isinstance(value, date):
            return date.fromordinal(value.toordinal() + inward)
        return plain_number(value + inward * (grid_of(self.spec) or 1))

    def _evaluated(self, bound: Bound, c: Making) -> int | Fraction | date | None:
        """The value of a term of `requires:` in the row; None where something in it is missing."""
        frame = frame_of(self.key[0], c)
        total: Rational = 0
        try:
            for sign, node in bound.of.parts:
                value = self.thunks[node](frame)
                total += sign * (value.toordinal() if isinstance(value, date) else value)
        except (TypeError, KeyError, Refused):
            return None
        if self.spec.type == DATE:
            return date.fromordinal(int(total)) if 1 <= total <= date.max.toordinal() else None
        return total

    # ---- from hints ----

    def _by_hint(self, c: Making) -> Value:
        formula = self.hint.formula
        assert formula is not None  # noqa: S101 - the caller looked
        tries = _TRIES if formula.draws else 1
        for left in range(tries, 0, -1):
            value = formula.run(c)
            if value is None:
                return None
            try:
                return self._fitting(value, "hint")
            except Unmade:
                if left == 1:
                    raise
        return None

    def _fitting(self, value: Value, whence: str) -> Value:
        """A value rounded to the decimals of its field, inside its declared bounds."""
        spec = self.spec
        if is_numeric(spec.type) and isinstance(value, int | Fraction):
            digits = spec.decimals + (2 if str(spec.type) == "percent" else 0)
            value = on_grid(value, Fraction(1, 10**digits))
        if isinstance(value, int | Fraction | date) and not isinstance(value, bool):
            if not Limits(spec.low, spec.high).hold(value):
                about = f"the hint for `{spec.name}`" if whence == "hint" else f"`{spec.name}` by `requires:`"
                low, high = (figure(v, spec.type, 0, endless="near") for v in (spec.low, spec.high))
                raise Unmade(about, f"it gives {figure(value, spec.type, 0, endless='near')}, outside {low} .. {high}")
        elif isinstance(spec.type, OneOf) and value not in spec.type.values:
            raise Unmade(f"the hint for `{spec.name}`", f"`{value}` is not in its set")
        return value

    # ---- codes ----

    def _code(self, c: Making, place: Place) -> Value:
        if self.spec.type == CODES:
            pool = self.catalogue.constants if self.catalogue is not None and self.catalogue.constants else self.pool
            return frozenset(c.draws.one(pool) for _ in range(c.draws.between(1, _MOST_CODES)))
        known: dict[Field, Value] = {("", n): v for n, v in c.bill.items()}
        known.update(((self.key[0], n), v) for n, v in c.values.items())
        if self.table is not None:
            return self._key(c, self.table.values(known, c.on), self.hint.unknown or Fraction(0))
        catalogue = self.catalogue
        if catalogue is not None:
            if catalogue.constants and c.draws.chance(NAMED_BY_A_RULE):
                return c.draws.one(catalogue.constants)
            if catalogue.needed or catalogue.others:
                usual = UNKNOWN if catalogue.is_open else Fraction(0)
                unknown = self.hint.unknown if self.hint.unknown is not None else usual
                return self._key(c, catalogue.values(known, c.on), unknown)
        if self.hint.same is not None:
            return f"{self.pool[0][0]}{place.person + 1:07d}-{place.episode + 1}"
        if self.is_shared or (not self.key[0] and self.spec.name.endswith("_id")):
            owner = c.bill.get(self.owner) if self.owner else None
            if owner is not None:
                return f"{owner}-{c.draws.below(_OWN_POOL) + 1}"
            return f"{self.pool[0][0]}{max(1, place.person + 1 - c.draws.below(_NEAR)):07d}"
        return c.draws.one(self.pool)

    def _key(self, c: Making, keys: Sequence[Value], unknown: Fraction) -> Value:
        if unknown and c.draws.chance(unknown):
            return f"X{c.draws.below(10**6):06d}"
        if not keys:
            raise Unmade(f"`{self.spec.name}`", "no table has a key that fits the other fields")
        return c.draws.one(keys)


def frame_of(level: str, c: Making) -> Frame:
    """The row as conditions of `requires:` read it."""
    bill = Frame(c.bill, c.on, _no_window, None)
    for name, rows in c.rows.items():
        for row in rows:
            bill.within(row, name, ())
    if not level:
        return bill
    own = Frame(c.values, c.on, _no_window, None, level=level)
    own.root = bill
    own.up[""] = bill
    return own


def _no_window(call: int, frame: Frame) -> Value:
    del call, frame
    return None


def pool_of(name: str) -> tuple[str, ...]:
    """Codes for a field of which nothing is known: `H01`, `H02`, .."""
    return tuple(f"{name[0].upper()}{n:02d}" for n in range(1, _POOL + 1))


def ordered(needs: Mapping[Field, Iterable[Field]], rank: Callable[[Field], int]) -> list[Field]:
    """Things in an order in which each comes after what it needs, and else by rank; a circle is cut where it is met."""
    waiting = {key: {n for n in of if n in needs and n != key} for key, of in needs.items()}
    found: list[Field] = []
    while waiting:
        ready = [key for key, of in waiting.items() if not of]
        chosen = min(ready or waiting, key=rank)
        found.append(chosen)
        del waiting[chosen]
        for of in waiting.values():
            of.discard(chosen)
    return found


def rank_of(spec: PlanInput, first: str) -> int:
    """When a field is made if nothing else decides: the date of the bill, other dates, sets and flags, the rest."""
    if spec.name == first:
        return 0
    if spec.type == DATE:
        return 1
    return 2 if isinstance(spec.type, OneOf) or spec.type == FLAG else 3
