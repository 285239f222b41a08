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
from rxcalc.typed.nodes import TClause, TExpr, TGroup, TInput, TList, TStep, TypedRulebook

Ranges: TypeAlias = "Mapping[tuple[str, str], tuple[Fraction | None, Fraction | None]]"
_READ: Final = (Op.INPUT, Op.STEP, Op.PARAMETER, Op.LIFT)
MAX_PAIRS: Final = 30_000  # pairs of rows of one table that are compared before the rest counts as undecided


def decide(typed: TypedRulebook, ranges: Ranges, sink: Sink) -> tuple[str, ...]:
    """Reports what the case analysis finds; returns what it could not decide, in words.

    `ranges` holds the proven range of each step's value, by level and name, where lowering has found it.
    """
    undecided: list[str] = []
    episode = _fields("", typed.inputs, typed.steps, ranges)
    for step in typed.steps:
        _cases(step, _lookup(episode), undecided, sink)
    others: tuple[TList | TGroup, ...] = (*typed.lists, *typed.groups)
    for x in others:
        own = _fields(x.name, x.inputs, x.steps, ranges)
        inside = not isinstance(x, TGroup) or x.in_bill
        for step in x.steps:
            _cases(step, _lookup({**episode, **own} if inside else own), undecided, sink)
    return tuple(undecided)


def _lookup(known: Mapping[str, Bounds]) -> Callable[[str], Bounds]:
    return lambda name: known.get(name, Bounds())


def _fields(level: str, inputs: tuple[TInput, ...], steps: tuple[TStep, ...], ranges: Ranges) -> dict[str, Bounds]:
    """What is known of the inputs and steps of a level."""
    found: dict[str, Bounds] = {}
    for step in steps:
        lowest, highest = ranges.get((level, step.name), (None, None))
        whole = Fraction(1) if step.type in (COUNT, DAYS, DATE) else None
        grid = step.rounding.to if step.rounding is not None else whole
        found[step.name] = Bounds(lowest, highest, grid, computed=True)
    for given in inputs:
        low, high = (Fraction(x.toordinal()) if isinstance(x, date) else x for x in (given.low, given.high))
        places = given.decimals + (2 if given.type == PERCENT else 0)
        found[given.name] = Bounds(
            Fraction(low) if isinstance(low, int | Fraction) else None,
            Fraction(high) if isinstance(high, int | Fraction) else None,
            Fraction(1, 10**places) if isinstance(given.type, Plain) else None,
        )
    return found


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
        return any(a.op is Op.CONST for a in t.args) and all(a.op in (Op.CONST, *_READ) for a in t.args)
    if t.op in (Op.KNOWN, Op.IN_SET):
        return t.args[0].op in _READ
    return t.op in (Op.CONST, *_READ)


def _rule_span(step: TStep) -> Span:
    return step.clauses[-1].span
