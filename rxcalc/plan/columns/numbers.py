"""Exact arithmetic on columns of whole numbers, with the proof that no intermediate overflows.

A back end over machine integers computes through `Arithmetic`: every whole number that it forms
passes here with its proven bounds, and gets the narrowest width that holds them. The same code
serves the layout (with a kernel that computes nothing) and the columnar back end (with one that
builds expressions), so that what is proven is what is run.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, floor, gcd
from typing import Generic, TypeVar

from rxcalc.lang.arithmetic import ceil_to, floor_to, lcm, round_to
from rxcalc.plan.columns.kernel import Kernel, NotProven
from rxcalc.plan.nodes import RoundTo

__all__ = ["Arithmetic", "Ints", "Number"]

X = TypeVar("X")


@dataclass(frozen=True, slots=True)
class Ints(Generic[X]):
    """A column of whole numbers within `low`..`high`, held at `width`. `fixed`: one literal (never missing)."""

    code: X
    low: int
    high: int
    width: int
    fixed: bool = False


@dataclass(frozen=True, slots=True)
class Number(Generic[X]):
    """value = num / (scale * den); `den` (positive) is None when it is 1. `low`..`high` bound the value."""

    num: Ints[X]
    scale: int
    den: Ints[X] | None
    low: Fraction
    high: Fraction

    @property
    def fixed(self) -> Fraction | None:
        """The value, when it is one literal."""
        return Fraction(self.num.low, self.scale) if self.num.fixed and self.den is None else None


_FLIP = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "!=": "!="}


class Arithmetic(Generic[X]):
    """Operations on `Ints` and `Number`. `widest` and `peak` say what was needed since they were last reset."""

    def __init__(self, kernel: Kernel[X], *, limited: bool) -> None:
        self.kernel = kernel
        self._limited = limited
        self.widest = 64
        self.peak = 0

    # Whole numbers

    def width(self, low: int, high: int) -> int:
        """The least width that holds the bounds; NotProven when none does."""
        bits = max(low.bit_length(), high.bit_length())
        self.peak = max(self.peak, abs(low), abs(high))
        if bits > 127 and self._limited:
            message = f"values of {bits} bits do not fit a column of 128 bits"
            raise NotProven(message)
        width = 64 if bits <= 63 else 128
        self.widest = max(self.widest, width)
        return width

    def ints(self, value: int) -> Ints[X]:
        """A literal."""
        width = self.width(value, value)
        return Ints(self.kernel.whole(value, width), value, value, width, fixed=True)

    def _at(self, a: Ints[X], width: int) -> X:
        if a.width == width:
            return a.code
        return self.kernel.whole(a.low, width) if a.fixed else self.kernel.cast(a.code, width)

    def _form(self, op: str, a: Ints[X], b: Ints[X], low: int, high: int) -> Ints[X]:
        width = max(self.width(low, high), a.width, b.width)
        return Ints(self.kernel.binary(op, self._at(a, width), self._at(b, width)), low, high, width)

    def narrow(self, a: Ints[X]) -> Ints[X]:
        """The same numbers at the least width that holds their bounds."""
        width = self.width(a.low, a.high)
        return a if a.width == width else replace(a, code=self._at(a, width), width=width)

    def shared(self, a: Ints[X]) -> Ints[X]:
        """The same numbers, computed once."""
        return a if a.fixed else replace(a, code=self.kernel.share(a.code))

    def plus(self, a: Ints[X], b: Ints[X]) -> Ints[X]:
        """The sum a + b."""
        if a.fixed and b.fixed:
            return self.ints(a.low + b.low)
        if a.fixed and a.low == 0:
            return b
        if b.fixed and b.low == 0:
            return a
        return self._form("+", a, b, a.low + b.low, a.high + b.high)

    def minus(self, a: Ints[X], b: Ints[X]) -> Ints[X]:
        """The difference a - b."""
        if b.fixed:
            return self.plus(a, self.ints(-b.low))
        return self._form("-", a, b, a.low - b.high, a.high - b.low)

    def times(self, a: Ints[X], b: Ints[X]) -> Ints[X]:
        """The product a * b."""
        if a.fixed and b.fixed:
            return self.ints(a.low * b.low)
        for one, other in ((a, b), (b, a)):
            if one.fixed and one.low == 1:
                return other
            if one.fixed and one.low == -1:
                return self.negated(other)
        ends = (a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high)
        return self._form("*", a, b, min(ends), max(ends))

    def over(self, a: Ints[X], b: Ints[X]) -> Ints[X]:
        """The quotient a / b (b > 0) to minus infinity."""
        if b.fixed and b.low == 1:
            return a
        if a.fixed and b.fixed:
            return self.ints(a.low // b.low)
        least = max(b.low, 1)
        ends = (a.low // least, a.low // b.high, a.high // least, a.high // b.high)
        return self._form("//", a, b, min(ends), max(ends))

    def divided(self, a: Ints[X], b: Ints[X]) -> tuple[Ints[X], Ints[X]]:
        """The whole quotient and the remainder of a >= 0 by b > 0."""
        whole = self.shared(replace(self.over(a, b), low=0, high=a.high))
        width = max(a.width, b.width, whole.width)
        # What the quotient takes of a is no more than a.
        taken = Ints(self.kernel.binary("*", self._at(whole, width), self._at(b, width)), 0, a.high, width)
        return self.narrow(whole), replace(self.minus(a, taken), low=0, high=min(a.high, b.high))

    def negated(self, a: Ints[X]) -> Ints[X]:
        """The negative of a."""
        if a.fixed:
            return self.ints(-a.low)
        return self._form("-", self.ints(0), a, -a.high, -a.low)  # polars 2.1 cannot negate 128 bits

    def test(self, op: str, a: Ints[X], b: Ints[X]) -> X:
        """A comparison."""
        width = max(a.width, b.width)
        if a.fixed and not b.fixed:
            a, b, op = b, a, _FLIP[op]
        return self.kernel.binary(op, self._at(a, width), self._at(b, width))

    def pick(self, condition: X, a: Ints[X], b: Ints[X]) -> Ints[X]:
        """Takes a where the condition holds, else b."""
        if a.fixed and b.fixed and a.low == b.low:
            return a
        low, high = min(a.low, b.low), max(a.high, b.high)
        width = max(self.width(low, high), a.width, b.width)
        return Ints(self.kernel.select(condition, self._at(a, width), self._at(b, width)), low, high, width)

    def extreme(self, op: str, a: Ints[X], b: Ints[X]) -> Ints[X]:
        """The smaller or larger of two; one side alone when the bounds decide."""
        if a.fixed and b.fixed:
            return self.ints(min(a.low, b.low) if op == "min" else max(a.low, b.low))
        # A bound may decide only against a literal: a column could be missing where the other is not.
        for one, other in ((a, b), (b, a)):
            if other.fixed and (one.high <= other.low if op == "min" else one.low >= other.low):
                return one
        least, most = (min, min) if op == "min" else (max, max)
        return self._form(op, a, b, least(a.low, b.low), most(a.high, b.high))

    # Numbers

    def fixed(self, value: Fraction | int) -> Number[X]:
        """A literal."""
        return Number(self.ints(value.numerator), value.denominator, None, Fraction(value), Fraction(value))

    def number(self, num: Ints[X], scale: int, den: Ints[X] | None = None) -> Number[X]:
        """A number with the bounds that its parts give."""
        if den is None:
            return Number(num, scale, None, Fraction(num.low, scale), Fraction(num.high, scale))
        least, most = scale * max(den.low, 1), scale * den.high
        low = Fraction(num.low, least if num.low < 0 else most)
        return Number(num, scale, den, low, Fraction(num.high, most if num.high < 0 else least))

    def within(self, a: Number[X], low: Fraction | None, high: Fraction | None) -> Number[X]:
        """The same number with bounds proven elsewhere."""
        low = a.low if low is None else max(low, a.low)
        high = a.high if high is None else min(high, a.high)
        if low > high or a.num.fixed or (low == a.low and high == a.high):
            return a
        num = a.num
        if a.den is None:
            least, most = ceil(low * a.scale), floor(high * a.scale)
            if least > most:
                return a
            num = replace(num, low=least, high=most)
        return Number(num, a.scale, a.den, low, high)

    def shared_number(self, a: Number[X]) -> Number[X]:
        """The same number, computed once."""
        den = None if a.den is None else self.shared(a.den)
        return replace(a, num=self.shared(a.num), den=den)

    def narrowed(self, a: Number[X]) -> Number[X]:
        """The same number at the least widths."""
        den = None if a.den is None else self.narrow(a.den)
        return replace(a, num=self.narrow(a.num), den=den)

    def at_scale(self, a: Number[X], scale: int) -> Ints[X]:
        """The numerator at another scale; exact also for a coarser one, where the value is known to fit it."""
        if scale == a.scale:
            return a.num
        if scale % a.scale == 0:
            return self.times(a.num, self.ints(scale // a.scale))
        common = lcm(scale, a.scale)
        return self.over(self.times(a.num, self.ints(common // a.scale)), self.ints(common // scale))

    def whole(self, a: Number[X], scale: int) -> Ints[X]:
        """The numerator at a scale that the value is known to fit, at the least width."""
        if a.den is None:
            return self.narrow(self.at_scale(a, scale))
        return self.narrow(self.over(self.times(a.num, self.ints(scale)), self.times(a.den, self.ints(a.scale))))

    def _den(self, a: Number[X]) -> Ints[X]:
        return self.ints(1) if a.den is None else a.den

    def _over_common(self, a: Number[X], b: Number[X]) -> tuple[Ints[X], Ints[X], int, Ints[X] | None]:
        """Both numerators over one scale and denominator."""
        scale = lcm(a.scale, b.scale)
        x, y = self.at_scale(a, scale), self.at_scale(b, scale)
        if a.den is None and b.den is None:
            return x, y, scale, None
        p, q = self._den(a), self._den(b)
        return self.times(x, q), self.times(y, p), scale, self.times(p, q)

    def add(self, a: Number[X], b: Number[X], sign: int = 1) -> Number[X]:
        """The sum a + b, or with sign -1 the difference a - b."""
        if a.fixed == 0 and sign > 0:
            return b
        if b.fixed == 0:
            return a
        x, y, scale, den = self._over_common(a, b)
        low, high = (a.low + b.low, a.high + b.high) if sign > 0 else (a.low - b.high, a.high - b.low)
        total = self.plus(x, y) if sign > 0 else self.minus(x, y)
        return self.within(self.number(total, scale, den), low, high)

    def multiply(self, a: Number[X], b: Number[X]) -> Number[X]:
        """The product a * b."""
        for one, other in ((a, b), (b, a)):
            if one.fixed == 0:
                return one
            value = one.fixed
            if value is not None and value.numerator != 1:
                # Reducing against the other's scale keeps 85% of a fen amount small.
                common = gcd(value.numerator, other.scale)
                if common > 1 and other.den is None:
                    num = self.times(other.num, self.ints(value.numerator // common))
                    return self.number(num, other.scale // common * value.denominator)
        den = None if a.den is None and b.den is None else self.times(self._den(a), self._den(b))
        ends = (a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high)
        return self.within(self.number(self.times(a.num, b.num), a.scale * b.scale, den), min(ends), max(ends))

    def negate(self, a: Number[X]) -> Number[X]:
        """The negative of a."""
        return Number(self.negated(a.num), a.scale, a.den, -a.high, -a.low)

    def absolute(self, a: Number[X]) -> Number[X]:
        """The magnitude of a."""
        if a.low >= 0:
            return a
        high = max(-a.num.low, a.num.high, 0)
        low = max(a.num.low, -a.num.high, 0)
        num = Ints(self.kernel.unary("abs", a.num.code), low, high, a.num.width)
        return self.within(self.number(num, a.scale, a.den), Fraction(0), max(-a.low, a.high))

    def divide(self, a: Number[X], b: Number[X], scale: int) -> Number[X]:
        """The quotient a / b for b not zero. With a proven `scale` of the result the quotient is held whole."""
        value = b.fixed
        if value is not None and value != 0:
            return self.multiply(a, self.fixed(1 / value))
        common = gcd(a.scale, b.scale)
        num = self.times(self.times(a.num, self.ints(b.scale // common)), self._den(b))
        den = self.times(self._den(a), b.num)
        if b.num.low <= 0:
            den = self.shared(den)
            negative = self.test("<", den, self.ints(0))
            num = self.shared(num)
            num = self.pick(negative, self.negated(num), num)
            high = max(abs(den.low), abs(den.high), 1)
            den = Ints(self.kernel.unary("abs", den.code), 1, high, den.width)
        if scale > 0 and a.den is None and b.den is None:
            whole = self.over(self.times(num, self.ints(scale)), self.times(den, self.ints(a.scale // common)))
            return self.number(whole, scale)
        return self.number(num, a.scale // common, den)

    def compare(self, op: str, a: Number[X], b: Number[X]) -> X:
        """A comparison, cross-multiplied where there are denominators."""
        if a.fixed is not None and b.fixed is None:
            a, b, op = b, a, _FLIP[op]
        limit = b.fixed
        if limit is not None and a.den is None and op not in {"=", "!="}:
            # X < v * s for whole X needs no finer scale: the limit is moved to a whole number.
            scaled = limit * a.scale
            return self.test(op, a.num, self.ints(ceil(scaled) if op in {"<", ">="} else floor(scaled)))
        x, y, _, _ = self._over_common(a, b)
        return self.test(op, x, y)

    def choose(self, condition: X, a: Number[X], b: Number[X]) -> Number[X]:
        """Takes a where the condition holds, else b."""
        if a is b or (a.fixed is not None and a.fixed == b.fixed):
            return a
        scale = lcm(a.scale, b.scale)
        num = self.pick(condition, self.at_scale(a, scale), self.at_scale(b, scale))
        den = None if a.den is None and b.den is None else self.pick(condition, self._den(a), self._den(b))
        return self.within(self.number(num, scale, den), min(a.low, b.low), max(a.high, b.high))

    def least_or_most(self, op: str, a: Number[X], b: Number[X]) -> Number[X]:
        """The smaller (`min`) or larger (`max`) of two."""
        take = min if op == "min" else max
        low, high = take(a.low, b.low), take(a.high, b.high)
        if a.den is None and b.den is None:
            scale = lcm(a.scale, b.scale)
            num = self.extreme(op, self.at_scale(a, scale), self.at_scale(b, scale))
            return self.within(self.number(num, scale), low, high)
        a, b = self.shared_number(a), self.shared_number(b)
        first = self.compare("<=" if op == "min" else ">=", a, b)
        return self.within(self.choose(self.kernel.share(first), a, b), low, high)

    def rounded(self, a: Number[X], to: RoundTo, mode: str) -> Number[X]:
        """`a` to a multiple of `to.to`: a mode of the language, or `floor` or `ceil`."""
        value = a.fixed
        if value is not None:
            return self.fixed(_round(value, to.to, mode))
        low, high = _round(a.low, to.to, mode), _round(a.high, to.to, mode)
        step, parts = to.to.numerator, to.to.denominator
        common = gcd(parts, a.scale * step)
        num = self.times(a.num, self.ints(parts // common))
        den = self.times(self._den(a), self.ints(a.scale * step // common))
        if not (den.fixed and den.low == 1):
            num = self._quotient(num, den, mode, a)
        least, most = floor(low / to.to), ceil(high / to.to)
        num = replace(num, low=max(num.low, least), high=min(num.high, most)) if least <= most else num
        return self.within(self.number(self.times(self.narrow(num), self.ints(step)), parts), low, high)

    def _quotient(self, num: Ints[X], den: Ints[X], mode: str, value: Number[X]) -> Ints[X]:
        """The rounded quotient. A bias before one division to minus infinity stands for the mode."""
        if den.fixed:
            half, short, last = (self.ints(n) for n in (den.low // 2, (den.low - 1) // 2, den.low - 1))
        else:
            den = self.shared(den)
            half = self.over(den, self.ints(2))
            last = self.plus(den, self.ints(-1))
            short = self.over(last, self.ints(2))
        zero = self.ints(0)
        # One bias for values >= 0, another below zero: the modes are symmetric about zero.
        match mode:
            case "floor":
                above, below = zero, zero
            case "ceil":
                above, below = last, last
            case "half-up":
                above, below = half, short
            case "half-down":
                above, below = short, half
            case "up":
                above, below = last, zero
            case "down":
                above, below = zero, last
            case _:
                return self._half_even(num, den, half)
        if value.low >= 0:
            bias = above
        elif value.high <= 0:
            bias = below
        elif above.fixed and below.fixed and above.low == below.low:
            bias = above
        else:
            num = self.shared(num)
            bias = self.pick(self.test("<", num, zero), below, above)
        return self.over(self.plus(num, bias), den)

    def _half_even(self, num: Ints[X], den: Ints[X], half: Ints[X]) -> Ints[X]:
        """Ties go up, then back by one where that gave an odd number."""
        raised = self.shared(self.plus(num, half))
        whole = self.shared(self.over(raised, den))
        if den.fixed and den.low % 2 == 1:
            return whole  # there are no ties
        tie = self.test("=", self.times(whole, den), raised)
        if not den.fixed:
            even = self.test("=", self.times(half, self.ints(2)), den)
            tie = self.kernel.binary("and", tie, even)
        halved = self.times(self.over(whole, self.ints(2)), self.ints(2))
        odd = self.test("!=", halved, whole)
        back = self.kernel.binary("and", tie, odd)
        return self.pick(back, self.plus(whole, self.ints(-1)), whole)


def _round(value: Fraction, to: Fraction, mode: str) -> Fraction:
    match mode:
        case "floor":
            return floor_to(value, to)
        case "ceil":
            return ceil_to(value, to)
        case _:
            return round_to(value, to, mode)
