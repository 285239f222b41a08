"""Comparisons, conditions, choices and missing values in columns."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING, Final, TypeVar

from rxcalc.lang.ops import Op
from rxcalc.lang.types import OneOf, Type, is_numeric
from rxcalc.plan.columns.formed import Formed, either, under
from rxcalc.plan.columns.kernel import Kernel, NotProven
from rxcalc.plan.nodes import PlanInput, PlanNode, Value

if TYPE_CHECKING:
    from rxcalc.plan.columns.walk import Walk

__all__ = ["chosen", "form", "joined", "number_bounds", "place_in"]

X = TypeVar("X")

_COMPARISONS: Final = {Op.EQ: "=", Op.NE: "!=", Op.LT: "<", Op.LE: "<=", Op.GT: ">", Op.GE: ">="}


def place_in(value: object, of: Type) -> int | None:
    """The position of a value in its set; None for other types."""
    return of.values.index(value) if isinstance(of, OneOf) and isinstance(value, str) else None


def number_bounds(field: PlanInput) -> tuple[Fraction | None, Fraction | None]:
    """The declared bounds of a numeric input."""
    low = None if field.low is None or isinstance(field.low, date) else Fraction(field.low)
    high = None if field.high is None or isinstance(field.high, date) else Fraction(field.high)
    return low, high


def form(walk: Walk[X], node: PlanNode) -> Formed[X] | None:
    """The node, if it is one of the operations of this module."""
    match node.op:
        case Op.EQ | Op.NE | Op.LT | Op.LE | Op.GT | Op.GE:
            return Formed(code=_compared(walk, _COMPARISONS[node.op], *node.args), fail=walk.fails(node.args))
        case Op.IN_SET:
            return _in_set(walk, node)
        case Op.AND | Op.OR:
            return joined(walk.kernel, node.op, [walk.form(arg) for arg in node.args])
        case Op.NOT:
            code = walk.kernel.unary("not", walk.form(node.args[0]).as_code)
            return Formed(code=code, fail=walk.fails(node.args))
        case Op.KNOWN:
            formed = walk.form(node.args[0])
            code = formed.as_code if formed.number is None else formed.number.num.code
            return Formed(code=walk.kernel.unary("known", code), fail=formed.fail)
        case Op.DEFAULT:
            return _default(walk, node)
        case Op.IF:
            condition = walk.form(node.args[0])
            code = condition.as_code
            then, otherwise = walk.form(node.args[1]), walk.form(node.args[2])
            if then.fail is not None or otherwise.fail is not None:
                code = walk.kernel.share(code)
            formed = chosen(walk, code, then, otherwise)
            return Formed(formed.number, formed.code, either(walk.kernel, condition.fail, formed.fail), formed.absent)
        case Op.HAS | Op.MEETS:
            codes = [walk.form(arg).as_code for arg in node.args]
            return Formed(code=walk.kernel.binary(node.op.value, *codes), fail=walk.fails(node.args))
        case Op.MIN | Op.MAX if not is_numeric(node.type):
            codes = [walk.form(arg).as_code for arg in node.args]
            code = codes[0]
            for other in codes[1:]:
                code = walk.kernel.binary(node.op.value, code, other)
            return Formed(code=code, fail=walk.fails(node.args))
        case _:
            return None


def chosen(walk: Walk[X], condition: X, then: Formed[X], otherwise: Formed[X]) -> Formed[X]:
    """The branch taken; only its failure counts. A branch that no column holds fails where it is taken."""
    kernel = walk.kernel
    fail = under(kernel, condition, then.fail)
    if otherwise.fail is not None:
        fail = either(kernel, fail, under(kernel, kernel.unary("not", condition), otherwise.fail))
    if then.absent or otherwise.absent:
        only = otherwise if then.absent else then
        return Formed(only.number, only.code, fail, absent=only.absent)
    if then.number is not None or otherwise.number is not None:
        return Formed(number=walk.arithmetic.choose(condition, then.as_number, otherwise.as_number), fail=fail)
    if then.at is not None and then.at == otherwise.at:
        return Formed(code=then.code, fail=fail)
    return Formed(code=kernel.select(condition, then.as_code, otherwise.as_code), fail=fail)


def _compared(walk: Walk[X], op: str, left: int, right: int) -> X:
    one, other = walk.form(left), walk.form(right)
    if one.number is not None or other.number is not None:
        return walk.arithmetic.compare(op, one.as_number, other.as_number)
    a, b = one.as_code, other.as_code
    own, into = walk.plan.nodes[left].type, walk.plan.nodes[right].type
    if isinstance(own, OneOf) and isinstance(into, OneOf) and own.values != into.values:
        # The wider set says the order; every value of the narrower one is in it.
        if set(own.values) <= set(into.values):
            a = walk.kernel.recode(a, own.values, into.values)
        else:
            b = walk.kernel.recode(b, into.values, own.values)
    return walk.kernel.binary(op, a, b)


def _in_set(walk: Walk[X], node: PlanNode) -> Formed[X]:
    formed = walk.form(node.args[0])
    of = walk.plan.nodes[node.args[0]].type
    values: Sequence[Value] = tuple(node.data) if isinstance(node.data, tuple | frozenset) else ()
    tests: list[X] = []
    number = None if formed.number is None else walk.arithmetic.shared_number(formed.number)
    code = formed.code if formed.code is None or formed.at is not None else walk.kernel.share(formed.code)
    for value in values:
        other = walk.constant(value, of)
        if number is not None:
            tests.append(walk.arithmetic.compare("=", number, other.as_number))
        elif code is not None:
            tests.append(walk.kernel.binary("=", code, other.as_code))
    result = either(walk.kernel, *tests)
    if result is None:
        if number is None and code is None:
            raise NotProven
        result = walk.kernel.unary("not", walk.kernel.always())
    return Formed(code=result, fail=formed.fail)


def joined(kernel: Kernel[X], op: Op, parts: Sequence[Formed[X]]) -> Formed[X]:
    """AND, OR: an operand can fail only while those before it have not decided. Formed from the last backwards."""
    code: X | None = None
    fail: X | None = None
    for part in reversed(parts):
        own = part.code
        if fail is not None and own is not None:
            own = kernel.share(own)
            going = own if op is Op.AND else kernel.unary("not", own)
            fail = kernel.binary("and", going, fail)
        fail = either(kernel, part.fail, fail)
        if own is not None:
            code = own if code is None else kernel.binary(op.value, own, code)
    return Formed(code=code, fail=fail, absent=code is None)


def _default(walk: Walk[X], node: PlanNode) -> Formed[X]:
    kernel, arithmetic = walk.kernel, walk.arithmetic
    value, other = walk.form(node.args[0]), walk.form(node.args[1])
    fail = value.fail
    if other.fail is not None:
        code = value.as_code if value.number is None else value.number.num.code
        gone = kernel.unary("not", kernel.unary("known", code))
        fail = either(kernel, fail, under(kernel, gone, other.fail))
    if value.number is None:
        return Formed(code=kernel.binary("default", value.as_code, other.as_code), fail=fail)
    a, b = arithmetic.shared_number(value.number), other.as_number
    if a.num.fixed:
        return Formed(number=a, fail=fail)
    known = kernel.unary("known", a.num.code)
    return Formed(number=arithmetic.choose(kernel.share(known), a, b), fail=fail)
