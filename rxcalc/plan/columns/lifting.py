"""Values of one frame in another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from rxcalc.lang.types import OneOf, Type
from rxcalc.plan.columns.formed import Formed
from rxcalc.plan.columns.numbers import Ints
from rxcalc.plan.columns.walk import Walk

__all__ = ["absorbed", "brought"]

X = TypeVar("X")


def brought(
    walk: Walk[X], source: Walk[X], formed: Formed[X], of: Type, carry: Callable[[X], X], *, nullable: bool
) -> Formed[X]:
    """A value of another frame in this one. `nullable`: there may be no row to take it from; then it is missing, and no failure."""
    kernel = walk.kernel
    if formed.absent:
        return Formed(fail=kernel.always(), absent=True)
    fail = None if formed.fail is None else carry(formed.fail)
    if fail is not None and nullable:
        fail = kernel.share(kernel.binary("default", fail, kernel.unary("not", kernel.always())))

    def ints(a: Ints[X], *, may_miss: bool) -> Ints[X]:
        return walk.arithmetic.ints(a.low) if a.fixed and not may_miss else replace(a, code=carry(a.code), fixed=False)

    if formed.number is not None:
        number = source.arithmetic.narrowed(formed.number)
        den = None if number.den is None else ints(number.den, may_miss=False)
        return Formed(number=replace(number, num=ints(number.num, may_miss=nullable), den=den), fail=fail)
    if formed.at is not None and isinstance(of, OneOf) and not nullable:
        return Formed(code=kernel.constant(of.values[formed.at], of), fail=fail, at=formed.at)
    return Formed(code=carry(formed.as_code), fail=fail)


def absorbed(walk: Walk[X], other: Walk[X]) -> None:
    """Takes over what another walk has noted: reasons why something has no column, and how wide it went."""
    if walk is not other:
        walk.reasons.extend(other.reasons)
        other.reasons.clear()
        walk.arithmetic.widest = max(walk.arithmetic.widest, other.arithmetic.widest)
        other.arithmetic.widest = 64
