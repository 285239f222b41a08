"""Steps: types inferred where not declared, clauses typed, order found, cases decided."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from rxcalc.diagnostics.model import Sink
from rxcalc.lang import units
from rxcalc.lang.ops import Op
from rxcalc.lang.types import (
    COUNT,
    DATE,
    DAYS,
    ERROR,
    MONEY,
    MONEY_PER_DAY,
    NUMBER,
    PERCENT,
    ErrorType,
    Plain,
    ScheduleType,
    Type,
    ZeroType,
)
from rxcalc.source import Span
from rxcalc.syntax import nodes as syn
from rxcalc.typed import problems
from rxcalc.typed.cases import Bounds, Cases
from rxcalc.typed.expressions import Scope, Tables, Typer
from rxcalc.typed.facts import NO_FACTS, Facts, false_facts, true_facts
from rxcalc.typed.graph import order, steps_read, walk
from rxcalc.typed.nodes import Rounding, TClause, TExpr, TInput, TStep
from rxcalc.typed.symbols import SymbolTable, nearest
from rxcalc.typed.values import Values

ROUNDABLE = (MONEY, PERCENT, NUMBER, COUNT, DAYS, MONEY_PER_DAY)


@dataclass(frozen=True, slots=True)
class CheckedSteps:
    """Steps in evaluation order, and what the case analysis left open."""

    steps: tuple[TStep, ...]
    undecided: tuple[str, ...]


def infer_types(
    decl: syn.RulebookDecl, declared: Callable[[syn.StepDecl], Type | None], symbols: SymbolTable, shapes: Tables
) -> dict[str, Type]:
    """The type of every step: as declared, else what its clauses give. ERROR where it cannot be found.

    A step that is still being inferred counts as unknown, which adds nothing and contradicts nothing,
    so `min(x, cap - year.sum(this_step))` takes its type from x.
    """
    steps = {s.name.name: s for s in decl.steps}
    known: dict[str, Type] = {}
    for step in decl.steps:
        given = declared(step)
        if given is not None:
            known[step.name.name] = given
    busy: set[str] = set()

    def step_type(name: str) -> Type:
        if name in known:
            return known[name]
        if name in busy or name not in steps:
            return ERROR
        busy.add(name)
        result: Type = ERROR
        typer = Typer(symbols, shapes, Sink(), step_type)
        facts = NO_FACTS
        for clause in steps[name].rule.clauses:
            if clause.then is not None:
                found = typer.expr(clause.then, None, facts, Scope()).type
                joined = units.common(result, found)
                # A plain number among amounts is the slip (`then 5` for `then ¥5`), whichever stands first.
                result = joined or (found if result in (COUNT, NUMBER) else result)
            if clause.when is not None:
                facts |= false_facts(clause.when)
        busy.discard(name)
        # Inside a circle through a window the answer may still be open: only a settled one is kept.
        if not isinstance(result, ErrorType) or not busy:
            known[name] = result
        return result

    for name in steps:
        step_type(name)
    return known


def check_steps(
    decl: syn.RulebookDecl, typer: Typer, values: Values, types: dict[str, Type], inputs: tuple[TInput, ...],
    set_values: Callable[[syn.TypeSpec | None], tuple[syn.SetValue, ...]], sink: Sink,
) -> CheckedSteps | None:  # fmt: skip
    """All steps checked, in evaluation order; None when they cannot be ordered."""
    messages = {m.name.name: m.text for m in decl.messages}
    checked: dict[str, TStep] = {}
    undecided: list[str] = []
    for step in decl.steps:
        if step.name.name in checked:
            continue
        type_ = types.get(step.name.name, ERROR)
        clauses = _clauses(step, type_, typer, messages, sink)
        if isinstance(type_, ScheduleType):
            sink.add(problems.wrong_type(step.name.span, "a type of single values", f"a {type_}"))
        rounding = _rounding(decl, step, type_, values, sink)
        checked[step.name.name] = TStep(
            step.name.name, type_, clauses, rounding, step.optional, step, set_values(step.type)
        )
    bounds = _bounds_of(inputs, checked)
    for done in checked.values():
        _cases(done, bounds, undecided, sink)
    names = order(tuple(checked), {name: steps_read(s.clauses) for name, s in checked.items()}, sink)
    if not sink.has_errors:
        # Only now: in a rulebook with other errors, one of them may be the reason.
        _uninferred(decl, types, sink)
    return None if names is None else CheckedSteps(tuple(checked[name] for name in names), tuple(undecided))


def _uninferred(decl: syn.RulebookDecl, types: dict[str, Type], sink: Sink) -> None:
    """Reports steps whose type follows only from themselves."""
    for step in decl.steps:
        if step.type is None and isinstance(types.get(step.name.name, ERROR), ErrorType | ZeroType):
            sink.add(problems.cannot_infer(step.name.span, step.name.name))


def _clauses(
    step: syn.StepDecl, type_: Type, typer: Typer, messages: dict[str, syn.Words], sink: Sink
) -> tuple[TClause, ...]:
    result: list[TClause] = []
    facts: Facts = NO_FACTS
    for clause in step.rule.clauses:
        when = typer.condition(clause.when, facts, Scope()) if clause.when is not None else None
        inner = facts
        if clause.when is not None:
            inner = facts | true_facts(clause.when)
        then: TExpr | None = None
        if clause.then is not None:
            then = typer.expr(clause.then, type_, inner, Scope())
            if not step.optional:
                then = typer.known(then)
            if not isinstance(type_, ErrorType):
                then = _as_step(typer, then, type_)
            _check_powers(then, step, sink)
        because, name = _because(clause.because, messages, sink)
        result.append(TClause(when, then, because, name, clause.span, clause))
        if clause.when is not None:
            facts |= false_facts(clause.when)
    return tuple(result)


def _as_step(typer: Typer, then: TExpr, type_: Type) -> TExpr:
    if type_ == NUMBER and then.type == COUNT:
        return then
    return typer.coerce(then, type_)


def _because(because: syn.Because | None, messages: dict[str, syn.Words], sink: Sink) -> tuple[syn.Words | None, str]:
    if because is None:
        return None, ""
    if because.name is not None:
        if because.name not in messages:
            sink.add(
                problems.unknown_name(
                    because.span, because.name, nearest(because.name, tuple(messages)), ", ".join(messages)
                )
            )
            return None, because.name
        return messages[because.name], because.name
    return syn.Words(by_language=(("", because.text or ""),)), ""


def _check_powers(then: TExpr, step: syn.StepDecl, sink: Sink) -> None:
    for node in walk(then):
        if node.op in (Op.POWER, Op.ROOT) and (node is not then or step.round is None or step.round.exact):
            sink.add(problems.needs_rounding(node.span, node.op.value))


def _rounding(decl: syn.RulebookDecl, step: syn.StepDecl, type_: Type, values: Values, sink: Sink) -> Rounding | None:
    spec = step.round
    unit = Fraction(1, 10**decl.decimals)
    if spec is None:
        return Rounding(unit, decl.rounding, parts=False) if type_ == MONEY else None
    if isinstance(type_, ErrorType):
        return None
    if type_ not in ROUNDABLE:
        sink.add(problems.rounding_on_exact(spec.span, type_))
        return None
    if spec.exact:
        return None
    to: object = unit
    if spec.to is not None:
        to = values.scalar(spec.to, type_)
        if not isinstance(to, int | Fraction) or to <= 0:
            if isinstance(to, int | Fraction):
                sink.add(
                    problems.bad_value(
                        spec.to.span, spec.to.text, "step of rounding", "it must be above zero, e.g. `to: 0.01`"
                    )
                )
            return None
    elif type_ != MONEY:
        sink.add(problems.bad_value(spec.span, "round", f"rounding of a {type_}", "say to what: `round: {to: ..}`"))
        return None
    return Rounding(_fraction(to), spec.mode or decl.rounding, spec.parts)


def _fraction(value: object) -> Fraction:
    return Fraction(value) if isinstance(value, int | Fraction) else Fraction(1)


# ---- case analysis ---------------------------------------------------------------------------


def _bounds_of(inputs: tuple[TInput, ...], steps: dict[str, TStep]) -> Callable[[str], Bounds]:
    by_name = {i.name: i for i in inputs}

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
        step = steps.get(name)
        if step is None:
            return Bounds()
        if step.rounding is not None:
            return Bounds(grid=step.rounding.to)
        whole = step.type in (COUNT, DAYS, DATE)
        return Bounds(grid=Fraction(1) if whole else None)

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
    for index, clause in enumerate(clauses):
        if step.decl.rule.hit == "unique" and clause.when is not None:
            for other in range(index):
                if clauses[other].when is None:
                    continue
                found = cases.overlap(other, index)
                if found is not None:
                    sink.add(
                        problems.overlap(clause.span, clauses[other].span, found.witness, undecided=found.undecided)
                    )
        if not cases.reaches(index):
            why = (
                "its condition never holds"
                if clause.when is not None and not Cases([clause.when], bounds).reaches(0)
                else "the clauses before it cover all its cases"
            )
            sink.add(problems.unreachable(clause.span, why))
    opaque = sum(1 for c in clauses if c.when is not None and not _decided(c.when))
    if opaque:
        undecided.append(
            f"step `{step.name}`: {opaque} condition{'s' if opaque > 1 else ''} compared values with each other; taken as reachable and not exhaustive"
        )


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
