"""A single small change of a rulebook."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Final

from rxcalc.lang.ops import Op
from rxcalc.lang.types import Kind, Plain, Type, is_whole
from rxcalc.plan.nodes import Band, Place, Plan, Point, Value
from rxcalc.tracing.hits import Hit

KINDS: Final = ("limit", "rate", "comparison", "clause", "date", "cell")
_AMOUNTS: Final = frozenset({Kind.MONEY, Kind.MONEY_PER_DAY})
_PLAIN: Final = frozenset(
    {Op.LT, Op.LE, Op.GT, Op.GE, Op.EQ, Op.NE, Op.ADD, Op.MULTIPLY, Op.NEGATE, Op.MIN, Op.MAX, Op.PARAMETER, Op.CELL,
     Op.HAS_ROW}
)  # fmt: skip
"""Operations that leave their value behind whenever they are evaluated, as far as they do not refuse."""

_LOOK_UPS: Final = frozenset({Op.PARAMETER, Op.CELL, Op.HAS_ROW})


@dataclass(frozen=True)
class Mutant:
    """A change: `kind` is one of `KINDS`, `what` says which thing, `was` and `now` how.

    `hits` are uses without which an episode cannot notice it (None: any might). `near` are values around which inputs
    should be tried to notice it. `about` are the nodes that are changed, or that read what is changed; `of` names the
    latter: ("parameter", its name), ("table", its name), ("column", of a table).

    `keys` are those of the value of a parameter, or of the rows of a table.

    For proofs: `span` are the first and last day (None: open) on which reading it makes a difference; `alike`: the values
    before and after a day are equal; `moves` a constant (`node`) from one value to another; `part` a schedule and the number
    of the band whose limit is moved, `slices` its old and new place; `clause` the level, step and number of a clause left out.
    """

    kind: str
    place: Place
    what: str
    was: str
    now: str
    change: Callable[[Plan], Plan]
    hits: frozenset[Hit] | None = None
    near: tuple[Value, ...] = field(default=(), compare=False)
    about: tuple[int, ...] = field(default=(), compare=False)
    of: tuple[str, str] = field(default=("", ""), compare=False)
    keys: tuple[tuple[Value, ...], ...] = field(default=(), compare=False)
    span: tuple[date, date | None] | None = field(default=None, compare=False)
    alike: bool = field(default=False, compare=False)
    moves: tuple[Fraction, Fraction] | None = field(default=None, compare=False)
    node: int = field(default=-1, compare=False)
    part: tuple[tuple[Band | Point, ...], int] | None = field(default=None, compare=False)
    slices: tuple[Fraction, Fraction] | None = field(default=None, compare=False)
    clause: tuple[str, str, int] | None = field(default=None, compare=False)


def may_notice(plan: Plan, mutant: Mutant, used: frozenset[Hit], nodes: frozenset[int]) -> bool:
    """Whether an episode that used so much of the rulebook, and evaluated these nodes, could notice a mutant."""
    if mutant.hits is not None:
        return not mutant.hits.isdisjoint(used)
    if not mutant.about:
        return True
    about = [plan.nodes[n] for n in mutant.about]
    if any(n.earlier or n.body or n.op not in _PLAIN for n in about):
        return True
    # A look-up that finds nothing refuses and leaves no value; its keys have left theirs.
    looked_up = (a for n in about if n.op in _LOOK_UPS for a in n.args)
    bare = any(n.op in _LOOK_UPS and not n.args for n in about)
    return bare or not nodes.isdisjoint((*mutant.about, *looked_up))


def moved(value: object, type_: Type) -> Iterator[tuple[str, Fraction | int]]:
    """An amount a fen and a unit lower and higher, a rate a point; nothing below nothing, no rate above all."""
    if not isinstance(type_, Plain) or isinstance(value, bool) or not isinstance(value, int | Fraction):
        return
    strides: tuple[Fraction, ...] = ()
    kind = "limit"
    if type_.kind is Kind.PERCENT:
        strides, kind = (Fraction(1, 100),), "rate"
    elif type_.kind in _AMOUNTS or type_.kind is Kind.NUMBER:
        strides = (Fraction(1, 100), Fraction(1))
    elif is_whole(type_):
        strides = (Fraction(1),)
    for stride in strides:
        for now in (value - stride, value + stride):
            if now < 0 <= value or (kind == "rate" and now > 1 >= value):
                continue
            yield kind, int(now) if is_whole(type_) else now
