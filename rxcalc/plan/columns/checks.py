"""The checks of a plan in columns: where there is a finding, of what amount, and the figures of its condition."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Generic, TypeVar

from rxcalc.lang.ops import Op
from rxcalc.plan.columns.calls import Calls
from rxcalc.plan.columns.formed import Formed, either, under
from rxcalc.plan.columns.kernel import Kernel, NotProven
from rxcalc.plan.columns.levels import Levels
from rxcalc.plan.columns.sides import reading
from rxcalc.plan.columns.walk import Walk
from rxcalc.plan.nodes import PlanCheck, RoundTo, evaluation_order
from rxcalc.plan.reads import nodes_with_calls

__all__ = ["FormedCheck", "form_checks"]

X = TypeVar("X")


@dataclass(frozen=True, slots=True)
class FormedCheck(Generic[X]):
    """A check over the rows of its level. `index` is its place in the plan.

    `found` holds where there is a finding. `amount` is the amount, rounded (None: the check has none), `figures` the values in
    the holes of its condition, by node. Whether there is a finding on rows that are `left`, only the exact evaluator can say; `reason`
    says why a part of the check has no column.
    """

    index: int
    level: str
    found: X
    amount: Formed[X] | None
    figures: Mapping[int, Formed[X]]
    left: X | None
    reason: str


def form_checks(levels: Levels[X], calls: Calls[X]) -> tuple[FormedCheck[X], ...]:
    """All checks, once everything else is formed."""
    plan = levels.plan
    if not plan.checks:
        return ()
    if levels.across:  # by now more may be refused
        last = evaluation_order(plan)[-1]
        if all(
            level in levels.in_bill and levels.source(level, name) not in levels.across for level, name in last.items
        ):
            levels.standing.begin()
        levels.forget()
    across = reading(plan, levels.across)
    before = calls.check()
    levels.open = calls.open
    found = tuple(_check(levels, index, check, across) for index, check in enumerate(plan.checks))
    calls.only_checked(before)
    return found


def _check(levels: Levels[X], index: int, check: PlanCheck, across: frozenset[int]) -> FormedCheck[X]:
    walk: Walk[X] = levels.walks[check.level]
    kernel = walk.kernel
    walk.reasons = []
    nobody = kernel.unary("not", kernel.always())
    holes = sorted({part for part in check.formula.parts if isinstance(part, int)})
    parts = [node for node in (check.amount, *holes) if node >= 0]
    below = nodes_with_calls(levels.plan, [check.when, *parts])
    if check.level in levels.across:  # what goes over members does so without those that were refused since
        walk.forget(below)
    try:
        walk = levels.walk(check.level)
        when = walk.form(check.when)
        code = when.as_code
    except NotProven as gap:
        reason = str(gap) or next(iter(walk.reasons), "") or "it reads a value that has no column"
        return FormedCheck(index, check.level, nobody, None, {}, kernel.always(), reason)
    why = _reason(levels, [check.when])
    left = _unsettled(kernel, when.fail, whole=bool(why))
    holds = kernel.binary("default", code, nobody)
    holds = kernel.share(_without(kernel, holds, when.fail))
    amount, figures, fail = _parts(walk, check, holes)
    part = _reason(levels, parts)
    left = either(kernel, left, under(kernel, holds, _unsettled(kernel, fail, whole=bool(part))))
    if check.level in levels.in_bill and not across.isdisjoint(below):
        # Which groups were read before the failure decides whether the bill is marked as incomplete.
        left = either(kernel, left, _known(kernel, when.fail), under(kernel, holds, _known(kernel, fail)))
        _mark(levels, check, parts, holds)
    found = kernel.share(_without(kernel, holds, fail))
    left = None if left is None else kernel.share(left)
    return FormedCheck(index, check.level, found, amount, figures, left, why or part)


def _mark(levels: Levels[X], check: PlanCheck, parts: Iterable[int], holds: X) -> None:
    """Bills on which the check reads a group that lacks a member are marked as those that a step reads one on."""
    if levels.broken:
        return

    def reads(walk: Walk[X]) -> X | None:
        return either(walk.kernel, walk.form(check.when).fail, under(walk.kernel, holds, walk.fails(parts)))

    levels.marks.item(check.level, [check.when, *parts], reads)


def _parts(
    walk: Walk[X], check: PlanCheck, holes: Iterable[int]
) -> tuple[Formed[X] | None, dict[int, Formed[X]], X | None]:
    """The amount and the figures, and where one of them fails or has no column."""
    kernel, plan = walk.kernel, walk.plan
    amount: Formed[X] | None = None
    fails: list[X | None] = []
    if check.amount >= 0:
        amount = walk.form(check.amount)
        try:
            minor = RoundTo(Fraction(1, 10**plan.decimals), plan.rounding)
            number = walk.arithmetic.rounded(amount.as_number, minor, plan.rounding)
            amount = Formed(number=walk.arithmetic.shared_number(walk.arithmetic.narrowed(number)), fail=amount.fail)
        except NotProven:
            amount = Formed(fail=kernel.always(), absent=True)
        fails.append(amount.fail)
    figures = {node: walk.form(node) for node in holes}
    fails += [figure.fail for figure in figures.values()]
    held = {node: figure for node, figure in figures.items() if not figure.absent}
    return None if amount is None or amount.absent else amount, held, either(kernel, *fails)


def _without(kernel: Kernel[X], holds: X, fail: X | None) -> X:
    """Where it holds and nothing fails."""
    return holds if fail is None else kernel.binary("and", holds, kernel.unary("not", _known(kernel, fail)))  # type: ignore[arg-type] # not None


def _known(kernel: Kernel[X], fail: X | None) -> X | None:
    """A failure; what is not known counts as one."""
    return None if fail is None else kernel.binary("default", fail, kernel.always())


def _unsettled(kernel: Kernel[X], fail: X | None, *, whole: bool) -> X | None:
    """Where a failure leaves it open whether there is a finding: everywhere if it may be for want of a column (`whole`)."""
    if fail is None or whole:
        return _known(kernel, fail)
    return kernel.unary("not", kernel.unary("known", fail))


def _gaps(levels: Levels[X]) -> set[int]:
    """The nodes that no column holds, on any row; of nodes that mean the same the first."""
    walks: list[Walk[X]] = [*levels.walks.values(), levels.bill, *levels.calls.walks()]
    same = levels.walks[""].same
    gaps = {
        same[node]
        for walk in walks
        for node, formed in walk.formed.items()
        if formed.absent or (node in walk.notes and walk.notes[node].reason)
    }
    return gaps | {
        same[node]
        for node, entry in enumerate(levels.plan.nodes)
        if entry.op is Op.WINDOW and int(str(entry.data)) in levels.open
    }


def _reason(levels: Levels[X], roots: Iterable[int]) -> str:
    """Why a part of what these nodes need has no column; "" if it all has."""
    same, gaps = levels.walks[""].same, _gaps(levels)
    node = next((n for n in nodes_with_calls(levels.plan, roots) if same[n] in gaps), -1)
    if node < 0:
        return ""
    walks: list[Walk[X]] = [*levels.walks.values(), levels.bill, *levels.calls.walks()]
    told = (walk.notes[n].reason for walk in walks for n in walk.notes if same[n] == same[node])
    return next((reason for reason in told if reason), "it reads a value that has no column")
