"""Draws that are the same anywhere: hashes for chance, whole numbers and decimals for distributions, no float.

A stream is named by what is drawn (the seed, the person, the episode, the field ..), so that a field's
values depend neither on how many episodes are made nor on what is drawn for other fields.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from hashlib import blake2b
from struct import Struct
from typing import Final, TypeVar

from rxcalc.lang.arithmetic import Rational, round_quotient

T = TypeVar("T")

_WORD: Final = 1 << 64
_DIGEST: Final = 32  # bytes of one hash: four words
_WORDS: Final = Struct(">4Q")
# Every operation used (sums, products, quotients, ln, exp, sqrt) is correctly rounded in this context, so the same anywhere.
_CONTEXT: Final = Context(prec=24, rounding=ROUND_HALF_EVEN, Emax=999, Emin=-999)

# Wichura, AS 241 (PPND16): rational approximations of the normal quantile; numerators, then denominators, by falling powers.
_MIDDLE: Final = (
    ("2509.0809287301226727", "33430.575583588128105", "67265.770927008700853", "45921.953931549871457",
     "13731.693765509461125", "1971.5909503065514427", "133.14166789178437745", "3.387132872796366608"),
    ("5226.495278852854561", "28729.085735721942674", "39307.89580009271061", "21213.794301586595867",
     "5394.1960214247511077", "687.1870074920579083", "42.313330701600911252", "1"),
)  # fmt: skip
_NEAR: Final = (
    ("0.00077454501427834140764", "0.0227238449892691845833", "0.24178072517745061177", "1.27045825245236838258",
     "3.64784832476320460504", "5.7694972214606914055", "4.6303378461565452959", "1.42343711074968357734"),
    ("1.05075007164441684324E-9", "0.0005475938084995344946", "0.0151986665636164571966", "0.14810397642748007459",
     "0.68976733498510000455", "1.6763848301838038494", "2.05319162663775882187", "1"),
)  # fmt: skip
_FAR: Final = (
    ("2.01033439929228813265E-7", "0.0000271155556874348757815", "0.0012426609473880784386", "0.026532189526576123093",
     "0.29656057182850489123", "1.7848265399172913358", "5.4637849111641143699", "6.6579046435011037772"),
    ("2.04426310338993978564E-15", "1.4215117583164458887E-7", "0.000018463183175100546818", "0.0007868691311456132591",
     "0.0148753612908506148525", "0.13692988092273580531", "0.59983220655588793769", "1"),
)  # fmt: skip


def _decimals(texts: tuple[tuple[str, ...], tuple[str, ...]]) -> tuple[tuple[Decimal, ...], tuple[Decimal, ...]]:
    return tuple(Decimal(t) for t in texts[0]), tuple(Decimal(t) for t in texts[1])


_COEFFICIENTS: Final = tuple(_decimals(t) for t in (_MIDDLE, _NEAR, _FAR))


class Draws:
    """A stream of draws with a name."""

    __slots__ = ("_at", "_name", "_words")

    def __init__(self, *name: object) -> None:
        self._name = "\x1f".join(map(str, name)).encode()
        self._words: list[int] = []
        self._at = 0

    def word(self) -> int:
        """64 random bits."""
        if not self._words:
            block = blake2b(self._name, digest_size=_DIGEST, salt=self._at.to_bytes(16, "big")).digest()
            self._at += 1
            self._words = list(_WORDS.unpack(block))
        return self._words.pop()

    def below(self, bound: int) -> int:
        """A whole number from 0 to bound - 1, each as likely (to 2**-64 of the bound)."""
        if bound <= 1 << 32:
            return self.word() * bound >> 64
        return (self.word() * _WORD + self.word()) * bound >> 128

    def chance(self, part: Rational) -> bool:
        """Yes in `part` of all cases."""
        return self.word() * part.denominator < part.numerator * _WORD

    def one(self, of: Sequence[T]) -> T:
        """One of several, each as likely."""
        return of[self.below(len(of))]

    def between(self, low: int, high: int) -> int:
        """A whole number from low to high."""
        return low + self.below(high - low + 1)

    def normal(self) -> Decimal:
        """A draw of the standard normal distribution, to about 16 digits."""
        c = _CONTEXT
        q = c.divide(Decimal(2 * self.word() + 1 - _WORD), Decimal(2 * _WORD))  # u - 1/2, never at an end
        if c.abs(q) <= Decimal("0.425"):
            return c.multiply(q, _quotient(0, c.subtract(Decimal("0.180625"), c.multiply(q, q))))
        tail = c.subtract(Decimal("0.5"), c.abs(q))
        r = c.sqrt(c.minus(c.ln(tail)))
        z = _quotient(1, c.subtract(r, Decimal("1.6"))) if r <= Decimal(5) else _quotient(2, c.subtract(r, Decimal(5)))
        return z if q > 0 else c.minus(z)

    def lognormal(self, mu: Decimal, sigma: Decimal) -> Decimal:
        """E to the power of a normal draw. Raises decimal's exceptions when that is out of all bounds."""
        return _CONTEXT.exp(_CONTEXT.fma(sigma, self.normal(), mu))

    def spread(self, low: int, high: int) -> int:
        """A whole number from low to high (low > 0), each order of magnitude as likely."""
        if high <= low:
            return low
        c = _CONTEXT
        part = c.divide(Decimal(self.word()), Decimal(_WORD))
        span = c.ln(c.divide(Decimal(high + 1), Decimal(low)))
        return min(high, max(low, int(c.multiply(Decimal(low), c.exp(c.multiply(part, span))))))


def _quotient(piece: int, x: Decimal) -> Decimal:
    above, below = _COEFFICIENTS[piece]
    c = _CONTEXT
    n, d = above[0], below[0]
    for a, b in zip(above[1:], below[1:], strict=True):
        n, d = c.fma(n, x, a), c.fma(d, x, b)
    return c.divide(n, d)


def decimal_of(value: Rational) -> Decimal:
    """A rational as a decimal of 24 digits."""
    return _CONTEXT.divide(Decimal(value.numerator), Decimal(value.denominator))


def on_grid(value: Rational, grid: Fraction) -> Rational:
    """The multiple of `grid` nearest to a value, a whole number where it is one."""
    steps = round_quotient(value.numerator * grid.denominator, value.denominator * grid.numerator, "half-up")
    return plain_number(steps * grid)


def plain_number(value: Rational) -> Rational:
    """A whole Fraction as an int, as cells give it."""
    return value.numerator if value.denominator == 1 else value
