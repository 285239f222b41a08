"""Rounding, roots and dates against independent definitions."""

from __future__ import annotations

import decimal
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rxcalc.lang.arithmetic import (
    MODES,
    TooLargeError,
    ceil_to,
    decimals_of,
    floor_to,
    integer_root,
    plain,
    power_rounded,
    round_to,
    shortest,
)
from rxcalc.lang.dates import add_months, first_day, last_day, months_between, years_between

# The standard library's decimal module is the second implementation: the same five modes by other names.
DECIMAL_MODES = {
    "half-up": decimal.ROUND_HALF_UP,
    "half-even": decimal.ROUND_HALF_EVEN,
    "half-down": decimal.ROUND_HALF_DOWN,
    "up": decimal.ROUND_UP,
    "down": decimal.ROUND_DOWN,
}
decimals = st.decimals(min_value=-(10**9), max_value=10**9, allow_nan=False, allow_infinity=False, places=4)
days = st.dates(min_value=date(1901, 1, 1), max_value=date(2198, 12, 31))


@given(decimals, st.sampled_from(MODES), st.sampled_from([0, 1, 2, 3]))
def test_rounding_equals_decimal(value: Decimal, mode: str, places: int) -> None:
    """Every mode rounds as the decimal module does."""
    expected = value.quantize(Decimal(1).scaleb(-places), rounding=DECIMAL_MODES[mode])
    assert round_to(Fraction(value), Fraction(1, 10**places), mode) == Fraction(expected)


@pytest.mark.parametrize(
    ("value", "mode", "expected"),
    [
        ("0.005", "half-up", "0.01"), ("-0.005", "half-up", "-0.01"), ("0.005", "half-down", "0"), ("-0.005", "half-down", "0"),
        ("0.005", "half-even", "0"), ("0.015", "half-even", "0.02"), ("-0.025", "half-even", "-0.02"), ("0.001", "up", "0.01"),
        ("-0.001", "up", "-0.01"), ("0.009", "down", "0"), ("-0.009", "down", "0"),
    ],
)  # fmt: skip
def test_ties_are_symmetric_about_zero(value: str, mode: str, expected: str) -> None:
    """Ties and directions are the same on both sides of zero."""
    assert round_to(Fraction(value), Fraction(1, 100), mode) == Fraction(expected)


@given(decimals, st.sampled_from(["0.01", "0.05", "1", "10", "0.3"]))
def test_floor_and_ceil_enclose(value: Decimal, to: str) -> None:
    """Floor and ceil are the multiples just below and just above, also for negative values."""
    step = Fraction(to)
    low, high = floor_to(Fraction(value), step), ceil_to(Fraction(value), step)
    assert low <= Fraction(value) <= high
    assert high - low in (0, step)
    assert (low / step).denominator == (high / step).denominator == 1


@given(st.integers(0, 10**40), st.integers(1, 40))
def test_integer_root_is_the_largest(value: int, degree: int) -> None:
    """The root's power does not pass the value; the next one's does."""
    root = integer_root(value, degree)
    assert root**degree <= value < (root + 1) ** degree


@given(
    st.fractions(min_value=Fraction(1, 1000), max_value=1000, max_denominator=1000),
    st.fractions(min_value=-3, max_value=3, max_denominator=8),
    st.sampled_from(MODES),
)
def test_power_rounds_right(base: Fraction, exponent: Fraction, mode: str) -> None:
    """A rounded power lies where exact comparison of whole powers says it must."""
    to = Fraction(1, 10**6)
    result = power_rounded(base, exponent, to, mode)
    p, q = exponent.numerator, exponent.denominator
    exact = base**p  # (base ** exponent) ** q

    def above(x: Fraction) -> bool:
        return x > 0 and x**q > exact

    slack = to if mode in ("up", "down") else to / 2
    assert not above(result - slack)
    assert above(result + slack) or (result + slack) ** q == exact
    if mode == "down":
        assert not above(result)
    if mode == "up":
        assert above(result) or result**q == exact


def test_power_beyond_the_limit_is_refused() -> None:
    """A power whose whole numbers pass 4,096 bits is refused instead of computed."""
    with pytest.raises(TooLargeError):
        power_rounded(Fraction("1.23456789"), Fraction("0.123456789"), Fraction(1, 100), "half-up")


@given(days, st.integers(-600, 600))
def test_months_keep_the_day_or_take_the_last(on: date, n: int) -> None:
    """A date moved by months keeps its day, or takes the month's last day where that is shorter."""
    moved = add_months(on, n)
    assert (moved.year * 12 + moved.month) - (on.year * 12 + on.month) == n
    assert moved.day == on.day or (moved + timedelta(days=1)).day == 1


@given(days, days)
def test_months_between_is_the_largest(a: date, b: date) -> None:
    """months_between is the largest n with a + n months <= b, years_between likewise."""
    n = months_between(a, b)
    assert add_months(a, n) <= b < add_months(a, n + 1)
    y = years_between(a, b)
    assert add_months(a, 12 * y) <= b < add_months(a, 12 * (y + 1))


@given(days, st.sampled_from(["month", "quarter", "year"]))
def test_first_and_last_day_bound_the_period(on: date, unit: str) -> None:
    """The period's days run from first to last day; the days outside belong to others."""
    first, last = first_day(on, unit), last_day(on, unit)
    assert first <= on <= last
    assert first_day(last, unit) == first
    assert last_day(first - timedelta(days=1), unit) == first - timedelta(days=1)
    assert first_day(last + timedelta(days=1), unit) == last + timedelta(days=1)


def test_printing_is_exact() -> None:
    """Amounts print without loss or not at all."""
    assert plain(Fraction("91759.5"), 2) == "91759.50"
    assert plain(Fraction("-1234567.05"), 2, grouped=True) == "-1,234,567.05"
    assert shortest(Fraction(1, 3)) is None
    assert shortest(Fraction(1, 8), least=2) == "0.125"
    assert decimals_of(97) is None
    assert decimals_of(80) == 4
    with pytest.raises(ValueError, match="not exact"):
        plain(Fraction(1, 3), 2)
