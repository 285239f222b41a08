"""Civil dates in columns; the meaning is that of `lang/dates.py`."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final, TypeVar

from rxcalc.lang.dates import FIRST_DATE, LAST_DATE
from rxcalc.lang.ops import Op
from rxcalc.lang.types import DATE
from rxcalc.plan.columns.formed import Formed, either
from rxcalc.plan.columns.numbers import Ints, Number
from rxcalc.plan.nodes import Plan, PlanInput, PlanNode

if TYPE_CHECKING:
    from rxcalc.plan.columns.walk import Walk

__all__ = ["day_bounds", "form", "input_bounds", "of_dates"]

X = TypeVar("X")

_FIRST: Final = date.min.toordinal()
_LAST: Final = date.max.toordinal()
_PARTS: Final = {Op.YEAR: ("year", 1, 9999), Op.MONTH: ("month", 1, 12), Op.DAY: ("day", 1, 31)}


def input_bounds(field: PlanInput) -> tuple[int, int]:
    """First and last day of a date input, as ordinals."""
    low = field.low if isinstance(field.low, date) else FIRST_DATE
    high = field.high if isinstance(field.high, date) else LAST_DATE
    return low.toordinal(), high.toordinal()


def day_bounds(node: PlanNode) -> tuple[int, int]:
    """First and last day of a date node, as ordinals."""
    return (
        _FIRST if node.low is None else max(_FIRST, int(node.low)),
        _LAST if node.high is None else min(_LAST, int(node.high)),
    )


def of_dates(plan: Plan, node: PlanNode) -> bool:
    """Whether the node computes dates, or with dates."""
    return node.type == DATE or any(plan.nodes[arg].type == DATE for arg in node.args)


def form(walk: Walk[X], node: PlanNode) -> Formed[X] | None:
    """The node, if it is one of the operations of this module."""
    kernel = walk.kernel
    match node.op:
        case Op.YEAR | Op.MONTH | Op.DAY:
            op, low, high = _PARTS[node.op]
            code = kernel.unary(op, walk.form(node.args[0]).as_code)
            return _numbered(walk, node, Ints(code, low, high, 64))
        case Op.FIRST_DAY | Op.LAST_DAY:
            side = "first" if node.op is Op.FIRST_DAY else "last"
            code = kernel.unary(f"{side}:{node.data}", walk.form(node.args[0]).as_code)
            return Formed(code=code, fail=walk.fails(node.args))
        case Op.MAKE_DATE:
            year, month, day = (_whole(walk, arg) for arg in node.args)
            code = kernel.share(kernel.make_date(year, month, day))
            gone = kernel.unary("not", kernel.unary("known", code))
            return Formed(code=code, fail=either(kernel, walk.fails(node.args), gone))
        case Op.ADD if of_dates(walk.plan, node):
            return _shifted(walk, node)
        case Op.ADD_MONTHS | Op.ADD_YEARS:
            return _later(walk, node)
        case Op.DAYS_BETWEEN:
            first, second = (walk.day_number(arg) for arg in node.args)
            return Formed(number=walk.arithmetic.add(second, first, -1), fail=walk.fails(node.args))
        case Op.MONTHS_BETWEEN | Op.YEARS_BETWEEN:
            return _between(walk, node)
        case _:
            return None


def _numbered(walk: Walk[X], node: PlanNode, ints: Ints[X]) -> Formed[X]:
    return Formed(number=walk.arithmetic.number(ints, 1), fail=walk.fails(node.args))


def _whole(walk: Walk[X], node: int) -> X:
    """A whole argument at 64 bits."""
    number: Number[X] = walk.form(node).as_number
    return walk.arithmetic.narrow(walk.arithmetic.at_scale(number, 1)).code


def _shifted(walk: Walk[X], node: PlanNode) -> Formed[X]:
    """Date +- days, or date - date."""
    arithmetic, kernel = walk.arithmetic, walk.kernel
    signs = tuple(node.data) if isinstance(node.data, tuple) else (1,) * len(node.args)
    numbers = [
        walk.day_number(arg) if walk.plan.nodes[arg].type == DATE else walk.form(arg).as_number for arg in node.args
    ]
    total = arithmetic.fixed(0)
    for number, sign in zip(numbers, signs, strict=True):
        total = arithmetic.add(total, number, sign)
    fail = walk.fails(node.args)
    if node.type != DATE:
        return Formed(number=total, fail=fail)
    total = arithmetic.shared_number(total)
    if total.low < _FIRST or total.high > _LAST:
        fail = either(kernel, fail, arithmetic.compare("<", total, arithmetic.fixed(_FIRST)))
        fail = either(kernel, fail, arithmetic.compare(">", total, arithmetic.fixed(_LAST)))
    days = arithmetic.narrow(arithmetic.at_scale(total, 1))
    return Formed(code=kernel.unary("from_days", days.code), fail=fail)


def _later(walk: Walk[X], node: PlanNode) -> Formed[X]:
    """Date +- months or years: the same day or the month's last."""
    arithmetic, kernel = walk.arithmetic, walk.kernel
    start, count = node.args
    number = walk.form(count).as_number
    if node.data == -1:
        number = arithmetic.negate(number)
    if node.op is Op.ADD_YEARS:
        number = arithmetic.multiply(number, arithmetic.fixed(12))
    months = arithmetic.narrow(arithmetic.at_scale(number, 1))
    code = kernel.share(kernel.binary("months", walk.form(start).as_code, months.code))
    low, high = day_bounds(walk.plan.nodes[start])
    fail = walk.fails(node.args)
    # Outside the years 1 to 9999 there is no date; 31 days a month is more than any shift.
    if low + 31 * months.low < _FIRST or high + 31 * months.high > _LAST:
        fail = either(kernel, fail, kernel.unary("not", kernel.unary("known", code)))
    return Formed(code=code, fail=fail)


def _between(walk: Walk[X], node: PlanNode) -> Formed[X]:
    """The largest n with a + n months (or years) <= b."""
    arithmetic, kernel = walk.arithmetic, walk.kernel
    first, second = (walk.form(arg).as_code for arg in node.args)

    def part(op: str, of: X) -> Ints[X]:
        low, high = {"year": (1, 9999), "month": (1, 12), "day": (1, 31)}[op]
        return Ints(kernel.unary(op, of), low, high, 64)

    twelve = arithmetic.ints(12)
    months = arithmetic.minus(
        arithmetic.plus(arithmetic.times(part("year", second), twelve), part("month", second)),
        arithmetic.plus(arithmetic.times(part("year", first), twelve), part("month", first)),
    )
    # a + n months falls on a's day, or on the last day of b's month.
    reached = arithmetic.extreme("min", part("day", first), part("day", kernel.unary("last:month", second)))
    short = arithmetic.test(">", reached, part("day", second))
    result = arithmetic.minus(months, Ints(kernel.unary("flag", short), 0, 1, 64))
    if node.op is Op.YEARS_BETWEEN:
        result = arithmetic.over(result, twelve)
    return _numbered(walk, node, result)
