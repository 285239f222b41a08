"""What a value can be while some of what it depends on is not known: intervals, sets, and linear forms.

Everything here is an outer bound: the value is among what is said, whatever the unknown inputs are. Numbers are
exact rationals, dates count as their ordinals.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from fractions import Fraction
from typing import Final, TypeAlias

from rxcalc.lang.arithmetic import ceil_to, floor_to, round_to
from rxcalc.lang.types import DATE, Type, is_whole
from rxcalc.plan.nodes import Value

ZERO: Final = Fraction(0)


@dataclass(frozen=True, slots=True)
class Form:
    """The sum of factors times unknown numbers, and of something in `low`..`high`."""

    factors: Mapping[str, Fraction]
    low: Fraction
    high: Fraction


NO_FORM: Final = Form({}, ZERO, ZERO)


@dataclass(frozen=True, slots=True)
class Span:
    """A number or date in `low`..`high` (None: not bounded). `form` says, where it is known, how it depends on the unknown.

    `grid`: it is known to be a multiple of this, so that rounding to it changes nothing.
    """

    low: Fraction | None = None
    high: Fraction | None = None
    missing: bool = False
    form: Form | None = None
    grid: Fraction | None = field(default=None, compare=False)

    @property
    def is_point(self) -> bool:
        """Whether it is one number and never missing."""
        return self.low is not None and self.low == self.high and not self.missing


@dataclass(frozen=True, slots=True)
class Choice:
    """One of some values (None: anything of the type), and maybe missing."""

    values: frozenset[Value] | None
    missing: bool = False

    @property
    def is_point(self) -> bool:
        """Whether it is one value and never missing."""
        return self.values is not None and len(self.values) == 1 and not self.missing


Possible: TypeAlias = "Span | Choice"

NOTHING: Final = Choice(frozenset())
"""No value is possible: whoever gets here is refused."""
ABSENT: Final = Choice(frozenset(), missing=True)
YES: Final = Choice(frozenset({True}))
NO: Final = Choice(frozenset({False}))
EITHER: Final = Choice(frozenset({True, False}))
ANYTHING: Final = Choice(None)


def flag(can_be: bool, can_fail: bool) -> Choice:  # noqa: FBT001 - the two sides of one question
    """A flag that may hold, fail, or both."""
    return (EITHER if can_fail else YES) if can_be else NO if can_fail else NOTHING


def point(value: Value) -> Possible:
    """The one value that is possible; None is missing."""
    if value is None:
        return ABSENT
    if isinstance(value, date):
        day = Fraction(value.toordinal())
        return Span(day, day)
    if isinstance(value, int | Fraction) and not isinstance(value, bool):
        return Span(Fraction(value), Fraction(value))
    return Choice(frozenset({value}))


def value_of(possible: Possible, of: Type) -> Value:
    """The value of what can be one thing only, as the exact back end carries it."""
    if isinstance(possible, Choice):
        return next(iter(possible.values)) if possible.values else None
    assert possible.low is not None  # noqa: S101 - asked of points only
    if of == DATE:
        return date.fromordinal(int(possible.low))
    return possible.low.numerator if is_whole(of) else possible.low


def is_known(possible: Possible) -> bool:
    """Whether it is settled: one value, or surely missing."""
    return possible.is_point or possible == ABSENT


def without_missing(possible: Possible) -> Possible:
    """The same, where a value is used and hence there."""
    return replace(possible, missing=False) if possible.missing else possible


def may_be_true(possible: Possible) -> bool:
    """Whether a flag can hold."""
    return not isinstance(possible, Choice) or possible.values is None or True in possible.values


def may_be_false(possible: Possible) -> bool:
    """Whether a flag can fail."""
    return not isinstance(possible, Choice) or possible.values is None or False in possible.values


def union(parts: Iterable[Possible]) -> Possible:
    """One of several."""
    found = list(dict.fromkeys(map(_Same, parts)))
    if len(found) == 1:
        return found[0].of
    missing = any(p.of.missing for p in found)
    some = [p.of for p in found if not (isinstance(p.of, Choice) and p.of.values == frozenset())]
    if not some:
        return ABSENT if missing else NOTHING
    spans = [p for p in some if isinstance(p, Span)]
    if len(spans) == len(some):
        lows, highs = [p.low for p in spans], [p.high for p in spans]
        forms = {id(p.form) for p in spans}
        return Span(
            None if None in lows else min(x for x in lows if x is not None),
            None if None in highs else max(x for x in highs if x is not None),
            missing,
            spans[0].form if len(forms) == 1 else None,
            _common(spans),
        )
    values: set[Value] = set()
    for p in some:
        if isinstance(p, Span) or p.values is None:
            return Choice(None, missing)
        values |= p.values
    return Choice(frozenset(values), missing)


@dataclass(frozen=True, slots=True)
class _Same:
    """A possible value, equal to another one by what is said of it and the identity of its form."""

    of: Possible = field(compare=False)

    def __hash__(self) -> int:
        return hash((self.of.low, self.of.high)) if isinstance(self.of, Span) else hash(self.of)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _Same):
            return NotImplemented
        a, b = self.of, other.of
        if isinstance(a, Span) and isinstance(b, Span):
            return (a.low, a.high, a.missing) == (b.low, b.high, b.missing) and a.form is b.form
        return a == b


def met(a: Possible, b: Possible) -> Possible:
    """What is possible by both of two bounds of the same value."""
    missing = a.missing and b.missing
    if isinstance(a, Span) and isinstance(b, Span):
        low = b.low if a.low is None else a.low if b.low is None else max(a.low, b.low)
        high = b.high if a.high is None else a.high if b.high is None else min(a.high, b.high)
        if low is not None and high is not None and low > high:
            return ABSENT if missing else NOTHING
        form = a.form if a.form is not None else b.form
        return Span(low, high, missing, form, a.grid or b.grid)
    if isinstance(a, Span) or isinstance(b, Span):
        span, choice = (a, b) if isinstance(a, Span) else (b, a)
        if isinstance(choice, Choice) and choice.values is not None:
            return ABSENT if missing else NOTHING
        return replace(span, missing=missing)
    if a.values is None or b.values is None:
        return Choice(b.values if a.values is None else a.values, missing)
    return Choice(a.values & b.values, missing)


class Box:
    """The unknown numbers with their limits; arithmetic on what depends on them.

    `cuts` takes up, by unknown number, the places at which a comparison that is not decided changes sides:
    on either side of them the results are simpler. `mixed` takes up those that share such a comparison with another one.
    """

    def __init__(
        self, limits: Mapping[str, tuple[Fraction, Fraction]], grids: Mapping[str, Fraction] | None = None
    ) -> None:
        self.limits = dict(limits)
        self.grids = grids or {}
        self.facts: list[Form] = []  # each at least zero, at `high`, on every bill that is not refused
        self.cuts: dict[str, set[Fraction]] = {}
        self.mixed: set[str] = set()

    # ---- forms ----

    def held(self, low: Fraction | None, high: Fraction | None, form: Form | None) -> Span:
        """A number with both bounds, and those that its form gives."""
        if form is None or not form.factors:
            if form is not None:
                low = form.low if low is None else max(low, form.low)
                high = form.high if high is None else min(high, form.high)
            return Span(low, high)
        least, most = self.range_of(form)
        low = least if low is None else max(low, least)
        high = most if high is None else min(high, most)
        return Span(low, high, form=form if low != high else None)

    def range_of(self, form: Form) -> tuple[Fraction, Fraction]:
        """The bounds of a form, also by the facts that share an unknown with it."""
        least, most = self._corners(form)
        for fact in self.facts:
            for name, factor in fact.factors.items():
                ratio = form.factors.get(name, ZERO) / factor
                if not ratio:
                    continue
                # form = (form - ratio x fact) + ratio x fact, and the fact is not below zero.
                left = _plus(form, Form(fact.factors, fact.high, fact.high), -ratio)
                if left is None:
                    continue
                low, high = self._corners(left)
                if ratio > 0:
                    least = max(least, low)
                else:
                    most = min(most, high)
        return least, most

    def _corners(self, form: Form) -> tuple[Fraction, Fraction]:
        least, most = form.low, form.high
        for name, factor in form.factors.items():
            low, high = self.limits[name]
            a, b = factor * low, factor * high
            least += min(a, b)
            most += max(a, b)
        return least, most

    def add(self, parts: Iterable[Span], signs: Iterable[int]) -> Span:
        """A signed sum."""
        low: Fraction | None = ZERO
        high: Fraction | None = ZERO
        formed = False
        signed = list(zip(parts, signs, strict=True))
        for part, sign in signed:
            own_low, own_high = (part.low, part.high) if sign > 0 else (_minus(part.high), _minus(part.low))
            low = None if low is None or own_low is None else low + own_low
            high = None if high is None or own_high is None else high + own_high
            formed = formed or part.form is not None
        grid = _common([part for part, _ in signed])
        if not formed:
            return Span(low, high, grid=grid)
        form: Form | None = NO_FORM
        for part, sign in signed:
            form = _plus(form, form_of(part), sign)
        return replace(self.held(low, high, form), grid=grid)

    def minus(self, a: Span, b: Span) -> Span:
        """A difference."""
        return self.add((a, b), (1, -1))

    def multiply(self, a: Span, b: Span) -> Span:
        """A product."""
        if a.is_point:
            a, b = b, a
        if b.is_point and b.low is not None:
            return self.scaled(a, b.low)
        if a.low is None or a.high is None or b.low is None or b.high is None:
            positive = a.low is not None and a.low >= 0 and b.low is not None and b.low >= 0
            return Span(a.low * b.low if positive and a.low is not None and b.low is not None else None, None)
        corners = [a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high]
        return Span(min(corners), max(corners))

    def scaled(self, a: Span, factor: Fraction) -> Span:
        """A multiple."""
        if factor == 0:
            return _NOUGHT
        ends = [None if x is None else x * factor for x in (a.low, a.high)]
        low, high = ends if factor > 0 else ends[::-1]
        found = self.held(low, high, _plus(NO_FORM, a.form, factor) if a.form is not None else None)
        return replace(found, grid=a.grid) if factor.denominator == 1 else found

    # ---- order ----

    def order(self, a: Span, b: Span) -> tuple[bool, bool, bool]:
        """Whether a can be less than, equal to, more than b."""
        return _sides(self.minus(a, b))

    def undecided(self, a: Span, b: Span) -> None:
        """Takes note that it matters on which side of b a is."""
        difference = self.minus(a, b)
        if difference.form is None:
            return
        factors = difference.form.factors
        if len(factors) > 1:
            self.mixed.update(factors)
            return
        for name, factor in factors.items():
            low, high = self.limits[name]
            for rest in {difference.form.low, difference.form.high}:
                at = -rest / factor
                if low <= at <= high:
                    self.cuts.setdefault(name, set()).add(at)

    def least(self, parts: Iterable[Span]) -> Span:
        """The smallest of several."""
        found: Span | None = None
        for part in parts:
            if found is None:
                found = part
                continue
            less, _, more = self.order(found, part)
            if less and more:
                self.undecided(found, part)
            if more:
                lows, highs = (found.low, part.low), [x for x in (found.high, part.high) if x is not None]
                low = None if None in lows else min(x for x in lows if x is not None)
                both = (found, part)
                found = part if not less else Span(low, min(highs, default=None), grid=_common(both))
        assert found is not None  # noqa: S101 - min and max have arguments
        return found

    def largest(self, parts: Iterable[Span]) -> Span:
        """The largest of several."""
        return self.negated(self.least([self.negated(part) for part in parts]))

    def negated(self, a: Span) -> Span:
        """The number with its sign changed."""
        return self.scaled(a, Fraction(-1))

    # ---- rounding ----

    def rounded(self, a: Span, to: Fraction, mode: str) -> Span:
        """The number rounded to a multiple of `to`; modes also `floor` and `ceil`."""
        if a.grid is not None and (a.grid / to).denominator == 1:
            return on_grid(a, to)
        low = None if a.low is None else _round(a.low, to, mode)
        high = None if a.high is None else _round(a.high, to, mode)
        if a.form is None or low == high:
            return Span(low, high, a.missing, grid=to)
        if self._is_whole(a.form, to):
            return replace(a, grid=to)
        down, up = {"floor": (to, ZERO), "ceil": (ZERO, to)}.get(mode, (to, to))
        if mode.startswith("half"):
            down = up = to / 2
        form = Form(a.form.factors, a.form.low - down, a.form.high + up)
        return replace(on_grid(self.held(low, high, form), to), missing=a.missing, grid=to)

    def _is_whole(self, form: Form, to: Fraction) -> bool:
        """Whether a form is a multiple of `to` whatever its unknown are, so that rounding changes nothing."""
        if form.low != form.high or (form.low / to).denominator != 1:
            return False
        steps = [self.grids.get(name, ZERO) * factor / to for name, factor in form.factors.items()]
        return all(step and step.denominator == 1 for step in steps)


def _sides(difference: Span) -> tuple[bool, bool, bool]:
    low, high = difference.low, difference.high
    less, more = low is None or low < 0, high is None or high > 0
    return less, (low is None or low <= 0) and (high is None or high >= 0), more


def _common(parts: Sequence[Span]) -> Fraction | None:
    """The grid that several numbers, and sums of them, lie on."""
    found: Fraction | None = None
    for part in parts:
        if part.grid is None and part.is_point and part.low is not None:
            continue  # looked at below, against the grid of the others
        if part.grid is None or (found is not None and part.grid != found):
            return None
        found = part.grid
    if found is None:
        return None
    points = (part.low for part in parts if part.is_point and part.low is not None)
    return found if all((x / found).denominator == 1 for x in points) else None


def on_grid(a: Span, to: Fraction) -> Span:
    """The bounds drawn in to multiples of `to`, for a number that is one."""
    low = None if a.low is None else ceil_to(a.low, to)
    high = None if a.high is None else floor_to(a.high, to)
    if low is not None and high is not None and low >= high:
        return Span(low, low, a.missing) if low == high else a
    return replace(a, low=low, high=high)


_NOUGHT: Final = Span(ZERO, ZERO)


def form_of(a: Span) -> Form | None:
    """The form of a number; one that depends on nothing unknown in a known way varies by itself."""
    if a.form is not None:
        return a.form
    return None if a.low is None or a.high is None else Form({}, a.low, a.high)


def _plus(a: Form | None, b: Form | None, sign: int | Fraction) -> Form | None:
    """A form and a multiple of another one."""
    if a is None or b is None:
        return None
    if not b.factors:
        factors: Mapping[str, Fraction] = a.factors
    elif not a.factors:
        factors = b.factors if sign == 1 else {name: sign * factor for name, factor in b.factors.items()}
    else:
        both = dict(a.factors)
        for name, factor in b.factors.items():
            both[name] = both.get(name, ZERO) + sign * factor
        factors = {name: factor for name, factor in both.items() if factor}
    if b.low == b.high:
        moved = sign * b.low
        return Form(factors, a.low + moved, a.high + moved)
    low, high = (b.low, b.high) if sign > 0 else (b.high, b.low)
    return Form(factors, a.low + sign * low, a.high + sign * high)


def _round(x: Fraction, to: Fraction, mode: str) -> Fraction:
    if mode == "floor":
        return floor_to(x, to)
    return ceil_to(x, to) if mode == "ceil" else round_to(x, to, mode)


def _minus(x: Fraction | None) -> Fraction | None:
    return None if x is None else -x
