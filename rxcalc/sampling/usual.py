"""Values of fields without hints: what is usual for their type, and near what the rulebook decides by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Final

from rxcalc.lang.arithmetic import Rational, ceil_to, floor_to
from rxcalc.lang.dates import add_months
from rxcalc.lang.types import DATE, FLAG, Kind, OneOf, Plain
from rxcalc.plan.nodes import PlanInput, Value
from rxcalc.sampling.draws import Draws, plain_number
from rxcalc.sampling.edges import declared_bounds
from rxcalc.sampling.hints import grid_of
from rxcalc.sampling.rows import Unmade

# What is drawn where a rulebook names no figure: from, to.
_SPREADS: Final[Mapping[Kind, tuple[int | Fraction, int]]] = {
    Kind.MONEY: (10, 50_000),
    Kind.MONEY_PER_DAY: (10, 1_000),
    Kind.NUMBER: (Fraction(1, 10), 100),
    Kind.COUNT: (1, 10),
    Kind.DAYS: (1, 30),
    Kind.MONTHS: (1, 24),
    Kind.YEARS: (1, 90),
}
_OF_GROUPS: Final[Mapping[Kind, tuple[int, int]]] = {
    Kind.MONEY: (10_000, 10_000_000),
    Kind.COUNT: (10, 100_000),
    Kind.NUMBER: (10, 100_000),
}
_FAR: Final = 10
_BEYOND: Final = 3  # how far beyond the largest figure of the rulebook values go
_CENTURY: Final = 36_000  # days
_STAY: Final = 40
_SELDOM: Final = 12  # one in so many dates stands where a rule about ages or days changes


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of a value in its row: those declared, and narrower ones that other fields give (`*_by_others`)."""

    low: int | Fraction | date | None
    high: int | Fraction | date | None
    low_by_others: bool = False
    high_by_others: bool = False

    def hold(self, value: Value) -> bool:
        """Whether a number or date lies inside."""
        assert isinstance(value, int | Fraction | date)  # noqa: S101 - only those have limits
        return not (
            (self.low is not None and value < self.low) or (self.high is not None and value > self.high)  # type: ignore[operator]  # one type
        )


class Usual:
    """Draws values of one field that has neither hint nor catalogue."""

    def __init__(
        self, spec: PlanInput, edges: Sequence[Value], *, gaps: Sequence[int], ages: Sequence[int], is_birth: bool,
        of_group: bool,
    ) -> None:  # fmt: skip
        self.spec = spec
        self.gaps, self.ages = gaps, ages
        self.is_birth = is_birth
        self.grid = grid_of(spec) or Fraction(1)
        kind = spec.type.kind if isinstance(spec.type, Plain) else None
        self.kind = kind
        spread = (
            (_OF_GROUPS.get(kind) if of_group and kind else None) or (_SPREADS.get(kind) if kind else None) or (1, 10)
        )
        first, last = Fraction(spread[0]), Fraction(spread[1])
        extremes = {v for v in declared_bounds(spec) if v is not None}
        figures = [v for v in edges if isinstance(v, int | Fraction) and v > 1 and v not in extremes]
        if figures and not of_group:
            first, last = min(first, Fraction(min(figures)) / 4), Fraction(max(figures)) * _BEYOND
        # A field of two or more decimals that is no amount is drawn with two.
        self.step = (
            max(self.grid, Fraction(1, 100)) if kind in (Kind.NUMBER, Kind.MONEY, Kind.MONEY_PER_DAY) else self.grid
        )
        self.first, self.last = first, last
        low, _ = declared_bounds(spec)
        self.may_be_negative = isinstance(low, int | Fraction) and low < 0

    def value(self, draws: Draws, limits: Limits, on: date, span: tuple[date, date] | None) -> Value:
        """A value inside the limits; `span` are the days of a date that stands by itself."""
        spec = self.spec
        if limits.low is not None and limits.high is not None and limits.low > limits.high:  # type: ignore[operator]  # one type
            raise Unmade(f"`{spec.name}`", "nothing lies between what other fields ask of it")
        match spec.type:
            case OneOf(values=values):
                return draws.one(values)
            case _ if spec.type == FLAG:
                return draws.below(2) == 1
            case _ if spec.type == DATE:
                return self._day(draws, limits, on, span)
            case Plain(kind=Kind.PERCENT):
                step = Fraction(1, 100) if draws.below(4) else max(self.grid, Fraction(1, 10_000))
                return self._within(draws, limits, step)
            case Plain(kind=Kind.TEXT):
                return "made up"
            case _:
                return self._number(draws, limits)

    def is_far(self, value: Value) -> bool:
        """Whether a boundary lies far beyond what is usual."""
        return isinstance(value, int | Fraction) and abs(Fraction(value)) > _FAR * self.last

    # ---- numbers ----

    def _number(self, draws: Draws, limits: Limits) -> Value:
        low, high = limits.low, limits.high
        assert not isinstance(low, date)  # noqa: S101 - a number
        assert not isinstance(high, date)  # noqa: S101 - as above
        if limits.high_by_others and high is not None:
            if draws.below(5) == 0:
                return plain_number(high)
            return self._within(draws, limits, self.step)
        if limits.low_by_others and low is not None:
            more = Fraction(0) if draws.below(8) == 0 else self._spread(draws, Fraction(self.step), self.last)
            return self._clipped(low + more, low, high)
        first = max(self.first, self.step, Fraction(low) if low is not None else self.step)
        last = min(self.last, Fraction(high)) if high is not None else self.last
        if last <= first:
            return self._within(draws, limits, self.step) if high is not None else self._clipped(first, low, high)
        value = self._spread(draws, first, last)
        if self.may_be_negative and draws.below(6) == 0:
            value = -value
        return self._clipped(value, low, high)

    def _spread(self, draws: Draws, first: Fraction, last: Fraction) -> Fraction:
        """Each order of magnitude as likely; one in four is a round figure."""
        step = self.step
        value = draws.spread(max(1, int(first / step)), max(1, int(last / step))) * step
        if step < 1 and draws.below(4) == 0 and value >= 10:
            value = Fraction(floor_to(value, Fraction(1)))
        return value

    def _within(self, draws: Draws, limits: Limits, step: Fraction) -> Value:
        """Evenly between the limits."""
        low, high = limits.low, limits.high
        assert isinstance(low, int | Fraction)  # noqa: S101 - numbers have bounds
        assert isinstance(high, int | Fraction)  # noqa: S101 - as above
        least, most = int(ceil_to(low, step) / step), int(floor_to(high, step) / step)
        if most < least:
            least, most, step = (
                int(ceil_to(low, self.grid) / self.grid),
                int(floor_to(high, self.grid) / self.grid),
                self.grid,
            )
        if most < least:
            raise Unmade(f"`{self.spec.name}`", "nothing lies between what other fields ask of it")
        return plain_number(draws.between(least, most) * step)

    def _clipped(self, value: Rational, low: Rational | None, high: Rational | None) -> Value:
        value = value if low is None or value >= low else Fraction(ceil_to(low, self.grid))
        value = value if high is None or value <= high else Fraction(floor_to(high, self.grid))
        return plain_number(value)

    # ---- dates ----

    def _day(self, draws: Draws, limits: Limits, on: date, span: tuple[date, date] | None) -> Value:
        low, high = limits.low, limits.high
        first = low.toordinal() if isinstance(low, date) else 1
        last = high.toordinal() if isinstance(high, date) else date.max.toordinal()
        if limits.low_by_others and limits.high_by_others:
            day = draws.between(first, last)
        elif limits.low_by_others:
            day = first + self._gap(draws)
        elif limits.high_by_others:
            day = last - self._gap(draws)
        elif span is not None:
            day = draws.between(max(first, span[0].toordinal()), min(last, span[1].toordinal()))
        elif self.is_birth and self.ages and draws.below(_SELDOM) == 0:
            years = draws.one(self.ages)
            day = add_months(on, -12 * years).toordinal() + draws.below(3) - 1
        elif self.is_birth:
            day = on.toordinal() - draws.below(_CENTURY)
        else:
            day = on.toordinal() - self._gap(draws)
        return date.fromordinal(min(last, max(first, day)))

    def _gap(self, draws: Draws) -> int:
        """Days between two dates: mostly few; now and then one more or less than the rulebook has a rule for."""
        if self.gaps and draws.below(_SELDOM) == 0:
            return max(0, draws.one(self.gaps) + draws.below(3) - 1)
        return draws.spread(1, _STAY) - 1
