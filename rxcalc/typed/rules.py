"""Steps: types inferred where not declared, clauses typed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
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
from rxcalc.rulebook.bases import HIDDEN
from rxcalc.syntax import nodes as syn
from rxcalc.typed import problems
from rxcalc.typed.expressions import Scope, Tables, Typer
from rxcalc.typed.facts import NO_FACTS, Facts, false_facts, true_facts
from rxcalc.typed.graph import mention_order, walk
from rxcalc.typed.levels import World
from rxcalc.typed.nodes import Rounding, TClause, TExpr, TStep
from rxcalc.typed.symbols import nearest
from rxcalc.typed.values import Values

MOST_ROUNDS = 20
ROUNDABLE = (MONEY, PERCENT, NUMBER, COUNT, DAYS, MONEY_PER_DAY)


@dataclass(frozen=True, slots=True)
class Untyped:
    """Something whose type follows from its clauses: a step, or (`of` says of which members) a key of a group."""

    level: str
    name: str
    clauses: tuple[syn.Clause, ...]
    at: str  # the level on whose rows the clauses are evaluated


def infer_types(
    world: World, steps: Iterable[tuple[str, syn.StepDecl]], keys: Iterable[tuple[str, str, syn.KeyDecl]],
    declared: Callable[[syn.StepDecl], Type | None], shapes: Tables,
) -> None:  # fmt: skip
    """Fills `world.types`: of every step as declared, else what its clauses give; of every key what its expression gives.

    A step that is not inferred yet counts as unknown, which adds nothing and contradicts nothing,
    so `min(x, cap - year.sum(this_step))` takes its type from x.
    """
    open_: dict[tuple[str, str], Untyped] = {}
    for level, step in steps:
        given = declared(step)
        if given is not None:
            world.types[level, step.name.name] = given
        else:
            open_.setdefault((level, step.name.name), Untyped(level, step.name.name, step.rule.clauses, level))
    for group, members, key in keys:
        clause = syn.Clause(when=None, then=key.value, span=key.value.span)
        open_.setdefault((group, key.name.name), Untyped(group, key.name.name, (clause,), members))
    # Steps after those they mention, so that one pass settles all but circles through windows; no
    # recursion, because a chain of steps may be as long as a rulebook.
    by_name: dict[str, list[tuple[str, str]]] = {}
    for unit in open_:
        by_name.setdefault(unit[1], []).append(unit)
        by_name.setdefault(unit[0], []).append(unit)  # `region_year[key].x` needs the types of the keys
    mentions = {
        unit: frozenset(other for name in (*_mentions(of.clauses), unit[1] + HIDDEN) for other in by_name.get(name, ()))
        for unit, of in open_.items()
    }
    units = mention_order(mentions)
    place = {unit: at for at, unit in enumerate(units)}
    for unit in units:
        _settled(open_[unit], world, shapes)
    # What stands in a circle was looked at before all that it mentions was known: again, until nothing changes.
    circles = {unit for unit in units if any(place[other] >= place[unit] for other in mentions[unit])}
    for _ in range(MOST_ROUNDS if circles else 0):
        before = dict(world.types)
        for unit in units:
            if unit in circles or isinstance(world.type_of(*unit), ErrorType | ZeroType):
                _settled(open_[unit], world, shapes)
        if before == world.types:
            break
        changed = {unit for unit in units if before.get(unit) != world.types.get(unit)}
        circles |= {unit for unit in units if mentions[unit] & changed}


def _settled(of: Untyped, world: World, shapes: Tables) -> Type:
    """The type that the clauses give with what is known so far, which is noted."""
    typer = Typer(world, of.at, shapes, Sink())
    scope = _scope(of.name, typer)
    result: Type = ERROR
    facts = NO_FACTS
    for clause in of.clauses:
        if clause.then is not None:
            found = typer.expr(clause.then, None, facts, scope).type
            joined = units.common(result, found)
            # A plain number among amounts is the slip (`then 5` for `then ¥5`), whichever stands first.
            result = joined or (found if result in (COUNT, NUMBER) else result)
        if clause.when is not None:
            facts |= false_facts(clause.when)
    if not isinstance(result, ErrorType):
        world.types[of.level, of.name] = result
    return result


def _mentions(clauses: tuple[syn.Clause, ...]) -> frozenset[str]:
    """Every bare or dotted name in clauses."""
    found: set[str] = set()
    stack: list[object] = [clauses]
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
    decl: syn.RulebookDecl, steps: tuple[syn.StepDecl, ...], typer: Typer, values: Values,
    set_values: Callable[[syn.TypeSpec | None], tuple[syn.SetValue, ...]], sink: Sink,
) -> tuple[TStep, ...]:  # fmt: skip
    """The steps of the typer's level checked, as declared."""
    messages = {m.name.name: m.text for m in decl.messages}
    checked: dict[str, TStep] = {}
    for step in steps:
        if step.name.name in checked:
            continue
        type_ = typer.step_type(step.name.name)
        clauses = _clauses(step, type_, typer, messages, sink)
        if isinstance(type_, ScheduleType):
            sink.add(problems.wrong_type(step.name.span, "a type of single values", f"a {type_}"))
        powers = any(c.then is not None and c.then.op in (Op.POWER, Op.ROOT) for c in clauses)
        # What `base` stands for is exact; a power has no exact value, so its rounding stays.
        rounding = _rounding(decl, step, type_, values, sink) if powers or not step.lazy else None
        checked[step.name.name] = TStep(
            step.name.name, type_, clauses, rounding, step.optional, step, set_values(step.type)
        )
    return tuple(checked.values())


def uninferred(steps: Iterable[tuple[str, syn.StepDecl]], world: World, sink: Sink) -> None:
    """Reports steps whose type follows only from themselves.

    Only in a rulebook without other errors: one of them may be the reason.
    """
    for level, step in steps:
        if step.type is None and isinstance(world.type_of(level, step.name.name), ErrorType | ZeroType):
            sink.add(problems.cannot_infer(step.name.span, step.name.name))


def _clauses(
    step: syn.StepDecl, type_: Type, typer: Typer, messages: dict[str, syn.Words], sink: Sink
) -> tuple[TClause, ...]:
    result: list[TClause] = []
    facts: Facts = NO_FACTS
    scope = _scope(step.name.name, typer)
    for clause in step.rule.clauses:
        when = typer.condition(clause.when, facts, scope) if clause.when is not None else None
        inner = facts
        if clause.when is not None:
            inner = facts | true_facts(clause.when)
        then: TExpr | None = None
        if clause.then is not None:
            then = typer.expr(clause.then, type_, inner, scope)
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


def _scope(step: str, typer: Typer) -> Scope:
    """Where the rule of a step stands: in a step that an overlay changed `base` is the one it replaced."""
    replaced = typer.symbols.names.get(step + HIDDEN)
    return Scope(base=replaced.name if replaced is not None and replaced.level == typer.level else None)


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
