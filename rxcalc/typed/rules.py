"""Steps: types inferred where not declared, clauses typed, order found, cases decided."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from fractions import Fraction

from rxcalc.diagnostics.model import Sink
from rxcalc.lang import units
from rxcalc.lang.ops import Op
from rxcalc.lang.types import (
    COUNT,
    DAYS,
    ERROR,
    MONEY,
    MONEY_PER_DAY,
    NUMBER,
    PERCENT,
    ErrorType,
    ScheduleType,
    Type,
    ZeroType,
)
from rxcalc.syntax import nodes as syn
from rxcalc.typed import problems
from rxcalc.typed.expressions import Scope, Tables, Typer
from rxcalc.typed.facts import NO_FACTS, Facts, false_facts, true_facts
from rxcalc.typed.graph import mention_order, order, steps_read, walk
from rxcalc.typed.nodes import Rounding, TClause, TExpr, TStep
from rxcalc.typed.symbols import SymbolTable, nearest
from rxcalc.typed.values import Values

ROUNDABLE = (MONEY, PERCENT, NUMBER, COUNT, DAYS, MONEY_PER_DAY)


def infer_types(
    decl: syn.RulebookDecl, declared: Callable[[syn.StepDecl], Type | None], symbols: SymbolTable, shapes: Tables
) -> dict[str, Type]:
    """The type of every step: as declared, else what its clauses give. ERROR where it cannot be found.

    A step that is not inferred yet counts as unknown, which adds nothing and contradicts nothing,
    so `min(x, cap - year.sum(this_step))` takes its type from x.
    """
    known: dict[str, Type] = {}
    open_: list[syn.StepDecl] = []
    for step in decl.steps:
        given = declared(step)
        if given is not None:
            known[step.name.name] = given
        else:
            open_.append(step)
    # Steps after those they mention, so that one pass settles all but circles through windows; no
    # recursion, because a chain of steps may be as long as a rulebook.
    names = mention_order({s.name.name: _mentions(s.rule) for s in open_})
    by_name = {s.name.name: s for s in open_}
    while names:
        left = [name for name in names if not _settled(name, by_name[name], known, symbols, shapes)]
        if len(left) == len(names):
            break
        names = left
    return known


def _settled(name: str, step: syn.StepDecl, known: dict[str, Type], symbols: SymbolTable, shapes: Tables) -> bool:
    """Whether the clauses of a step give it a type with what is known so far; then it is known too."""
    typer = Typer(symbols, shapes, Sink(), lambda other: known.get(other, ERROR))
    result: Type = ERROR
    facts = NO_FACTS
    for clause in step.rule.clauses:
        if clause.then is not None:
            found = typer.expr(clause.then, None, facts, Scope()).type
            joined = units.common(result, found)
            # A plain number among amounts is the slip (`then 5` for `then ¥5`), whichever stands first.
            result = joined or (found if result in (COUNT, NUMBER) else result)
        if clause.when is not None:
            facts |= false_facts(clause.when)
    if isinstance(result, ErrorType):
        return False
    known[name] = result
    return True


def _mentions(rule: syn.Rule) -> frozenset[str]:
    """Every bare or dotted name in a rule."""
    found: set[str] = set()
    stack: list[object] = [rule]
    while stack:
        node = stack.pop()
        match node:
            case syn.Name(name=name):
                found.add(name)
            case syn.Member(name=name):
                found.add(name)
        if isinstance(node, tuple):
            stack.extend(node)
        elif isinstance(node, syn.Expression | syn.Rule | syn.Clause | syn.Argument):
            stack.extend(getattr(node, f.name) for f in fields(node))
    return frozenset(found)


def check_steps(
    decl: syn.RulebookDecl, typer: Typer, values: Values, types: dict[str, Type],
    set_values: Callable[[syn.TypeSpec | None], tuple[syn.SetValue, ...]], sink: Sink,
) -> tuple[TStep, ...] | None:  # fmt: skip
    """All steps checked, in evaluation order; None when they cannot be ordered."""
    messages = {m.name.name: m.text for m in decl.messages}
    checked: dict[str, TStep] = {}
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
    names = order(tuple(checked), {name: steps_read(s.clauses) for name, s in checked.items()}, sink)
    if not sink.has_errors:
        # Only now: in a rulebook with other errors, one of them may be the reason.
        _uninferred(decl, types, sink)
    return None if names is None else tuple(checked[name] for name in names)


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
