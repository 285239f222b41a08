"""The case analysis of all steps, reported: gaps, overlaps and dead clauses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from fractions import Fraction
from typing import Final, TypeAlias

from rxcalc.diagnostics.model import Sink
from rxcalc.lang.ops import Op
from rxcalc.lang.types import COUNT, DATE, DAYS, PERCENT, ErrorType, Plain
from rxcalc.source import Span
from rxcalc.typed import problems
from rxcalc.typed.cases import WORK, Bounds, Cases
from rxcalc.typed.graph import walk
from rxcalc.typed.nodes import TClause, TExpr, TInput, TStep

Ranges: TypeAlias = "Mapping[str, tuple[Fraction | None, Fraction | None]]"
MAX_PAIRS: Final = 30_000  # pairs of rows of one table that are compared before the rest counts as undecided


def decide(steps: tuple[TStep, ...], inputs: tuple[TInput, ...], ranges: Ranges, sink: Sink) -> tuple[str, ...]:
    """Reports what the case analysis finds; returns what it could not decide, in words.

    `ranges` holds the proven range of each step's value where lowering has found it.
    """
    bounds = _bounds_of(inputs, steps, ranges)
    undecided: list[str] = []
    for step in steps:
        _cases(step, bounds, undecided, sink)
    return tuple(undecided)


def _bounds_of(inputs: tuple[TInput, ...], steps: tuple[TStep, ...], ranges: Ranges) -> Callable[[str], Bounds]:
    by_name = {i.name: i for i in inputs}
    by_step = {s.name: s for s in steps}

    def bounds(name: str) -> Bounds:
        given = by_name.get(name)
        if given is not None:
            low, high = (Fraction(x.toordinal()) if isinstance(x, date) else x for x in (given.low, given.high))
            places = given.decimals + (2 if given.type == PERCENT else 0)
            grid = Fraction(1, 10**places) if isinstance(given.type, Plain) else None
            return Bounds(
                Fraction(low) if isinstance(low, int | Fraction) else None,
                Fraction(high) if isinstance(high, int | Fraction) else None,
                grid,
            )
        step = by_step.get(name)
        if step is None:
            return Bounds()
        lowest, highest = ranges.get(name, (None, None))
        whole = Fraction(1) if step.type in (COUNT, DAYS, DATE) else None
        return Bounds(lowest, highest, step.rounding.to if step.rounding is not None else whole, computed=True)

    return bounds


def _cases(step: TStep, bounds: Callable[[str], Bounds], undecided: list[str], sink: Sink) -> None:
    clauses = step.clauses
    if any(isinstance(node.type, ErrorType) for c in clauses if c.when is not None for node in walk(c.when)):
        return
    if len(clauses) == 1 and clauses[0].when is None:
        return
    cases = Cases([c.when for c in clauses], bounds)
    if clauses[-1].when is not None:
        gap = cases.gap()
        if gap is not None:
            sink.add(problems.not_exhaustive(_rule_span(step), gap.witness, undecided=gap.undecided))
    is_unique = step.decl.rule.hit == "unique"
    if is_unique:
        _overlaps(clauses, bounds, sink)
    for index, clause in enumerate(clauses):
        own = Cases([clause.when], bounds).reaches(0) if clause.when is not None else True
        # Rows of a unique table never hold together, so only their own conditions can make them dead.
        if own and ((clause.when is not None and is_unique) or cases.reaches(index)):
            continue
        why = "the clauses before it cover all its cases" if own else "its condition never holds"
        sink.add(problems.unreachable(clause.span, why))
    if cases.spent > WORK:
        undecided.append(
            f"step `{step.name}`: too many combinations of cases to look at; what was not looked at is taken as reachable"
        )
    opaque = sum(1 for c in clauses if c.when is not None and not _decided(c.when))
    if opaque:
        undecided.append(
            f"step `{step.name}`: {opaque} condition{'s' if opaque > 1 else ''} compared values with each other; taken as reachable and not exhaustive"
        )


def _overlaps(clauses: tuple[TClause, ...], bounds: Callable[[str], Bounds], sink: Sink) -> None:
    """Reports rows of a unique table that may hold together."""
    pairs = 0
    for index, clause in enumerate(clauses):
        for other in clauses[:index]:
            if clause.when is None or other.when is None:
                continue
            pairs += 1
            if pairs > MAX_PAIRS:
                sink.add(problems.overlap(clause.span, other.span, "", undecided=True))
                return
            found = Cases([other.when, clause.when], bounds).overlap(0, 1)
            if found is not None:
                sink.add(problems.overlap(clause.span, other.span, found.witness, undecided=found.undecided))


def _decided(t: TExpr) -> bool:
    if t.op in (Op.AND, Op.OR, Op.NOT):
        return all(_decided(a) for a in t.args)
    if t.op in (Op.EQ, Op.NE, Op.LT, Op.LE, Op.GT, Op.GE):
        return any(a.op is Op.CONST for a in t.args) and all(
            a.op in (Op.CONST, Op.INPUT, Op.STEP, Op.PARAMETER) for a in t.args
        )
    if t.op in (Op.KNOWN, Op.IN_SET):
        return t.args[0].op in (Op.INPUT, Op.STEP, Op.PARAMETER)
    return t.op in (Op.INPUT, Op.STEP, Op.CONST, Op.PARAMETER)


def _rule_span(step: TStep) -> Span:
    return step.clauses[-1].span
