"""Random expressions: whatever the layout proves, both back ends give the same value or the same refusal."""

from __future__ import annotations

import random
from fractions import Fraction
from typing import Any

import pytest
from plans import Book, cells, reference, run

from rxcalc.lang.ops import Op
from rxcalc.lang.types import FLAG, MONEY, NUMBER
from rxcalc.plan.layout import lay_out
from rxcalc.plan.nodes import RoundTo

MODES = ("half-up", "half-even", "half-down", "up", "down")


class Grower:
    """Grows random expressions over a few inputs; money throughout, since columns know no units."""

    def __init__(self, seed: int) -> None:
        self.pick = random.Random(seed)
        self.book = Book()
        wide = 10 ** self.pick.choice([1, 3, 6, 11, 13])
        self.ends = {"x": (-wide, wide), "y": (0, wide), "z": (1, wide), "w": (-50, 3)}
        self.leaves = [self.book.input(name, MONEY, *ends) for name, ends in self.ends.items()]
        self.optional = self.book.input("o", MONEY, -9, 9, optional=True)
        self.flags = [self.book.input(name, FLAG) for name in ("f", "g")]

    def number(self, depth: int) -> int:
        """A random numeric node."""
        pick, book = self.pick, self.book
        if depth == 0 or pick.random() < 0.15:
            value = Fraction(pick.randrange(-300, 300), pick.choice([1, 2, 3, 7, 100]))
            return pick.choice([*self.leaves, *self.leaves, book.const(value, NUMBER)])
        ops = [
            Op.ADD,
            Op.ADD,
            Op.MULTIPLY,
            Op.DIVIDE,
            Op.MIN,
            Op.MAX,
            Op.ABS,
            Op.NEGATE,
            Op.IF,
            Op.ROUND,
            Op.FLOOR,
            Op.CEIL,
            Op.DEFAULT,
        ]
        match op := pick.choice(ops):
            case Op.ADD:
                return book.add(*(self.number(depth - 1) for _ in range(3)), signs=(1, pick.choice([1, -1]), -1))
            case Op.MULTIPLY | Op.DIVIDE | Op.MIN | Op.MAX:
                return book.node(op, self.number(depth - 1), self.number(depth - 1))
            case Op.ABS | Op.NEGATE:
                return book.node(op, self.number(depth - 1))
            case Op.IF:
                return book.node(op, self.flag(depth - 1), self.number(depth - 1), self.number(depth - 1))
            case Op.DEFAULT:
                return book.node(op, self.optional, self.number(depth - 1))
            case _:
                to = RoundTo(Fraction(pick.choice(["0.01", "0.05", "1", "50"])), pick.choice(MODES))
                return book.node(op, self.number(depth - 1), data=to)

    def flag(self, depth: int) -> int:
        """A random flag node."""
        pick, book = self.pick, self.book
        if depth <= 0 or pick.random() < 0.3:
            return pick.choice(self.flags)
        match op := pick.choice([Op.AND, Op.OR, Op.NOT, Op.LT, Op.LE, Op.EQ, Op.NE, Op.KNOWN]):
            case Op.AND | Op.OR:
                return book.node(op, *(self.flag(depth - 1) for _ in range(3)), of=FLAG)
            case Op.NOT:
                return book.node(op, self.flag(depth - 1), of=FLAG)
            case Op.KNOWN:
                return book.node(op, self.optional, of=FLAG)
            case _:
                return book.test(op, self.number(depth - 1), self.number(depth - 1))

    def rows(self, count: int) -> list[dict[str, Any]]:
        """Rows that often stand at the ends of the ranges."""
        pick = self.pick

        def value(low: int, high: int) -> Fraction:
            near = [Fraction(low), Fraction(high), Fraction(max(low, 0)), Fraction(max(low, 1)), Fraction(max(low, 3))]
            if pick.random() < 0.4:
                return pick.choice(near)
            return Fraction(pick.randrange(low * 100, high * 100 + 1), 100)

        return [
            {
                **{name: value(*ends) for name, ends in self.ends.items()},
                "o": pick.choice([None, 0, -9, Fraction("1.25")]),
                "f": pick.random() < 0.5,
                "g": pick.random() < 0.5,
            }
            for _ in range(count)
        ]


def agree(seed: int, depth: int, count: int) -> tuple[int, int]:
    """Compares both back ends on one random plan; the widest column and the number of exact steps."""
    grower = Grower(seed)
    book, pick = grower.book, grower.pick
    for at in range(3):
        first = grower.number(depth)
        clauses = [(grower.flag(depth - 1), grower.number(depth - 1)), (-1, first)]
        grower.leaves.append(book.step(f"s{at}", clauses if pick.random() < 0.5 else first, mode=pick.choice(MODES)))
    plan, rows = book.plan(), grower.rows(count)
    for name in ("s0", "s1", "s2"):
        expected = reference(plan, rows, name)
        for row, value in expected.items():
            if not isinstance(value, str) and abs(value) * 100 >= 10**38:
                expected[row] = "RX718"  # no result column holds it
        assert cells(plan, run(plan, rows, [name]), name) == expected, name
    steps = lay_out(plan).steps
    return max(step.widest for step in steps), sum(step.runs_on == "exact" for step in steps)


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_random_plans_agree(depth: int) -> None:
    """Forty plans of each depth; all widths occur."""
    seen = [agree(seed, depth, 60) for seed in range(depth * 1000, depth * 1000 + 40)]
    assert {64, 128} <= {widest for widest, _ in seen}
    assert any(exact == 0 for _, exact in seen)


@pytest.mark.long
def test_many_random_plans_agree() -> None:
    """A longer run of the same."""
    for seed in range(300):
        agree(seed, 2 + seed % 4, 120)
