"""The algebra of units: which kinds may be added, multiplied, divided and compared (docs/language.md, Units)."""

from __future__ import annotations

from typing import Final

from rxcalc.lang.types import COUNT, DATE, DAYS, ERROR, NUMBER, ErrorType, Kind, OneOf, Plain, Type, ZeroType

M, P, N, C = Kind.MONEY, Kind.PERCENT, Kind.NUMBER, Kind.COUNT
D, MO, Y, R = Kind.DAYS, Kind.MONTHS, Kind.YEARS, Kind.MONEY_PER_DAY

# Products are commutative; only one order is written.
PRODUCTS: Final[dict[tuple[Kind, Kind], Kind]] = {
    (M, P): M, (M, N): M, (M, C): M,
    (P, P): P, (N, P): N, (C, P): N,
    (N, N): N, (N, C): N, (C, C): C,
    (D, C): D, (MO, C): MO, (Y, C): Y,
    (R, D): M, (R, P): R, (R, N): R, (R, C): R,
}  # fmt: skip

QUOTIENTS: Final[dict[tuple[Kind, Kind], Kind]] = {
    (M, P): M, (M, N): M, (M, C): M, (M, M): N, (M, D): R, (M, R): N,
    (N, N): N, (N, C): N, (C, N): N, (C, C): N,
    (P, N): N, (P, C): N, (P, P): N,
    (D, D): N, (R, R): N, (R, N): R, (R, C): R, (R, P): R,
}  # fmt: skip

SUMS: Final = frozenset({M, P, N, C, D, MO, Y, R})
DURATIONS: Final = frozenset({D, MO, Y})


def common(a: Type, b: Type) -> Type | None:
    """The type both can be read as without changing a value (count is a number; `0` is anything), or None."""
    match a, b:
        case (ErrorType(), other) | (other, ErrorType()):
            return other
        case (ZeroType(), other) | (other, ZeroType()) if isinstance(other, ZeroType) or _counts(other):
            return other
        case Plain(x), Plain(y) if x is y:
            return a
        case Plain(x), Plain(y) if {x, y} == {N, C}:
            return NUMBER
        case OneOf() as x, OneOf() as y if x.values == y.values:
            return x
        case _:
            return None


def add(a: Type, b: Type, sign: int) -> Type | None:
    """The type of a + b (sign 1) or a - b (sign -1), or None."""
    match a, b:
        case Plain(Kind.DATE), Plain(Kind.DATE) if sign < 0:
            return DAYS
        case Plain(Kind.DATE), Plain(kind) if kind in DURATIONS:
            return DATE
        case Plain(kind), Plain(Kind.DATE) if kind in DURATIONS and sign > 0:
            return DATE
        case _:
            result = common(a, b)
            return result if isinstance(result, ErrorType | ZeroType) or _counts(result) else None


def multiply(a: Type, b: Type) -> Type | None:
    """The type of a x b, or None."""
    if isinstance(a, ErrorType) or isinstance(b, ErrorType):
        return ERROR
    a, b = _zero_as_count(a), _zero_as_count(b)
    if isinstance(a, Plain) and isinstance(b, Plain):
        kind = PRODUCTS.get((a.kind, b.kind)) or PRODUCTS.get((b.kind, a.kind))
        return Plain(kind) if kind else None
    return None


def divide(a: Type, b: Type) -> Type | None:
    """The type of a / b, or None."""
    if isinstance(a, ErrorType) or isinstance(b, ErrorType):
        return ERROR
    a, b = _zero_as_count(a), _zero_as_count(b)
    if isinstance(a, Plain) and isinstance(b, Plain):
        kind = QUOTIENTS.get((a.kind, b.kind))
        return Plain(kind) if kind else None
    return None


def can_equal(a: Type, b: Type) -> bool:
    """Whether `a = b` is allowed: one type, and not text."""
    result = common(a, b)
    return result is not None and result not in (Plain(Kind.TEXT), Plain(Kind.CODES))


def can_order(a: Type, b: Type) -> bool:
    """Whether `a < b` is allowed: rationals of one unit, dates, or values of one ordered set."""
    result = common(a, b)
    match result:
        case ErrorType() | ZeroType() | Plain(Kind.DATE):
            return True
        case OneOf(ordered=ordered):
            return ordered
        case _:
            return _counts(result)


def _counts(of: Type | None) -> bool:
    return isinstance(of, Plain) and of.kind in SUMS


def _zero_as_count(of: Type) -> Type:
    return COUNT if isinstance(of, ZeroType) else of
