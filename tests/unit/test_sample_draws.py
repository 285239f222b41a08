"""Draws: the same anywhere, evenly spread, and normal where they should be."""

from __future__ import annotations

import sys
from collections import Counter
from decimal import Decimal
from fractions import Fraction
from statistics import NormalDist

import pytest

from rxcalc.sampling.draws import Draws, on_grid

N = 4_000


class Fixed(Draws):
    """Draws whose next word is known."""

    def __init__(self, word: int) -> None:
        super().__init__()
        self.known = word

    def word(self) -> int:
        """The word given."""
        return self.known


def test_words_are_those_of_the_hash() -> None:
    """The first words of a stream are the digest of its name: another program can check them."""
    from hashlib import blake2b

    digest = blake2b(b"7\x1fe\x1f3", digest_size=32, salt=bytes(16)).digest()
    draws = Draws("7", "e", 3)
    found = [draws.word() for _ in range(4)]
    assert sorted(found) == sorted(int.from_bytes(digest[n : n + 8], "big") for n in range(0, 32, 8))
    assert draws.word() not in found


def test_normal_draws_are_the_quantiles_of_the_normal_distribution() -> None:
    """To nine digits they are what statistics.NormalDist says, far out in the tails too."""
    words = [(k << 64) // 997 for k in range(1, 997)] + [(1 << 64) >> e for e in range(4, 50)]
    for word in words:
        part = (2 * word + 1) / (2 << 64)
        assert float(Fixed(word).normal()) == pytest.approx(NormalDist().inv_cdf(part), rel=1e-9, abs=1e-9)


def test_normal_draws_do_not_depend_on_the_decimal_context() -> None:
    """Whatever the caller has set up for decimals, the draws stay."""
    from decimal import localcontext

    with localcontext() as context:
        context.prec = 4
        narrow = [Draws("a", n).lognormal(Decimal(9), Decimal("1.2")) for n in range(50)]
    assert narrow == [Draws("a", n).lognormal(Decimal(9), Decimal("1.2")) for n in range(50)]


def test_whole_numbers_are_even_and_hold_both_ends() -> None:
    """Each of ten values comes about as often; so do ranges wider than 64 bits."""
    counts = Counter(Draws("even", n).between(1, 10) for n in range(N))
    assert set(counts) == set(range(1, 11))
    assert all(abs(c - N / 10) < 5 * (N * 0.09) ** 0.5 for c in counts.values())
    wide = [Draws("wide", n).below(10**30) for n in range(200)]
    assert min(wide) < 10**29 < 9 * 10**29 < max(wide)


def test_chances_are_kept() -> None:
    """A third is a third; nothing and everything are exact."""
    hits = sum(Draws("c", n).chance(Fraction(1, 3)) for n in range(N))
    assert abs(hits - N / 3) < 5 * (N * 2 / 9) ** 0.5
    assert not any(Draws("c", n).chance(0) for n in range(100))
    assert all(Draws("c", n).chance(1) for n in range(100))


def test_a_spread_gives_each_order_of_magnitude_its_part() -> None:
    """From 1 to 10^6 a sixth of the values has each number of digits, and both ends can occur."""
    counts = Counter(len(str(Draws("s", n).spread(1, 10**6 - 1))) for n in range(N))
    assert all(abs(counts[d] - N / 6) < 5 * (N * 5 / 36) ** 0.5 for d in range(1, 7))
    assert {Draws("t", n).spread(3, 4) for n in range(60)} == {3, 4}


def test_grid_rounds_half_up() -> None:
    """A tie goes away from zero."""
    assert on_grid(Fraction(1, 200), Fraction(1, 100)) == Fraction(1, 100)
    assert on_grid(Fraction(-1, 200), Fraction(1, 100)) == Fraction(-1, 100)
    assert on_grid(Fraction(7, 2), Fraction(1)) == 4


def test_no_floating_point_in_sampling() -> None:
    """Nothing of the package makes a float: neither literals nor calls."""
    import ast
    from pathlib import Path

    import rxcalc.sampling

    for file in Path(rxcalc.sampling.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            assert not (isinstance(node, ast.Constant) and isinstance(node.value, float)), (file.name, node.lineno)
            named = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float"
            assert not named, (file.name, node.lineno)
    assert sys.version_info >= (3, 11)
