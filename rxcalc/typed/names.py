"""Typing of names: what a bare or dotted name stands for on the level where it is read."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, assert_never

from rxcalc.lang import units
from rxcalc.lang.ops import Op
from rxcalc.lang.types import ERROR, FLAG, MONEY, ErrorType, OneOf, Type
from rxcalc.rulebook.bases import HIDDEN
from rxcalc.source import Span
from rxcalc.syntax import nodes as syn
from rxcalc.typed import level_problems, lookups, problems, rows
from rxcalc.typed.facts import NO_FACTS, Facts
from rxcalc.typed.levels import ABOVE, EPISODE
from rxcalc.typed.nodes import TExpr
from rxcalc.typed.symbols import BASE, Role, Symbol, nearest

if TYPE_CHECKING:
    from rxcalc.typed.expressions import Scope, Typer

READABLE: Final = (Role.INPUT, Role.STEP, Role.KEY, Role.RECEIVED, Role.TOTAL, Role.PART)
MOST_LISTED: Final = 16

MISSING: Final = "missing"


def bare(typer: Typer, e: syn.Name, want: Type | None, scope: Scope) -> TExpr:
    """A bare name, or a value of the set wanted."""
    if scope.local and e.name == scope.local[0]:
        return typer.make(Op.LOCAL, (), scope.local[1], e, e.name)
    named = scope.base if e.name == BASE and scope.base is not None else e.name
    symbol = typer.symbols.names.get(named) or typer.symbols.shares.get(named)
    is_value = isinstance(want, OneOf) and e.name in want.values
    if symbol is None and e.name == BASE and not is_value:
        typer.sink.add(problems.base_outside_change(e.span))
        return typer.error(e)
    if symbol is None:
        if is_value and want is not None:
            return typer.make(Op.CONST, (), want, e, e.name)
        if e.name == MISSING:
            # No value, on purpose: what an optional step may give. Its type is whatever is expected there.
            if want is None:
                typer.sink.add(problems.no_value_here(e.span))
                return typer.error(e)
            return typer.make(Op.CONST, (), want, e, None, missing=True)
        if _of_rows(typer, e, want, scope):
            return typer.error(e)
        expected = ", ".join(want.values) if isinstance(want, OneOf) else ""
        extra = want.values if isinstance(want, OneOf) else ()
        typer.sink.add(problems.unknown_name(e.span, e.name, typer.symbols.nearest(e.name, extra), expected))
        return typer.error(e)
    if is_value:
        typer.sink.add(problems.name_and_value(e.span, e.name))
        return typer.error(e)
    return _symbol(typer, e, symbol, scope)


def _of_rows(typer: Typer, e: syn.Name, want: Type | None, scope: Scope) -> bool:
    """Whether an unknown bare name was reported as what it is: rows, or a field of rows."""
    rows_here = typer.world.rows(typer.level)
    if e.name == ABOVE:
        no_above(typer, e.span)
        return True
    if e.name in rows_here:
        help_ = f"read them with a function, e.g. `count({e.name})` or `sum({e.name}.field)`"
        typer.sink.add(problems.wrong_role(e.span, e.name, "name for many rows", help_))
        return True
    if isinstance(want, OneOf) and nearest(e.name, want.values) is not None:
        return False
    for prefix, level in scope.rows:
        if _readable(typer, level, e.name) is not None:
            typer.sink.add(problems.unknown_name(e.span, e.name, f"{'.'.join(prefix)}.{e.name}"))
            return True
    for word, level in rows_here.items():
        field = _readable(typer, level, e.name)
        if field is not None and not scope.rows:
            typer.sink.add(
                level_problems.field_of_rows(e.span, e.name, word, examples(word, e.name, _type(typer, field)))
            )
            return True
    fields = [name for level in rows_here.values() for name in typer.world.levels[level].own]
    near = nearest(e.name, fields)
    if near is not None and typer.symbols.nearest(e.name) is None and not scope.rows:
        typer.sink.add(problems.unknown_name(e.span, e.name, near))
        return True
    return False


def _readable(typer: Typer, level: str, name: str) -> Symbol | None:
    symbol = typer.world.levels[level].own.get(name)
    return symbol if symbol is not None and symbol.role in READABLE else None


def _type(typer: Typer, symbol: Symbol) -> Type:
    return symbol.type or typer.world.type_of(symbol.level, symbol.name)


def examples(word: str, name: str, of: Type) -> str:
    """How a field of many rows can be read, by its type."""
    field = f"{word}.{name}"
    if of == FLAG:
        return f"`any({field})`, `all({field})` or `count({word} where {field})`"
    if isinstance(of, ErrorType) or units.add(of, of, 1) is not None:
        return f"`sum({field})`, `max({field})` or `count({word} where {field} > ..)`"
    return f"`any({field} = ..)`, `count({word} where {field} = ..)` or `count(distinct {field})`"


def no_above(typer: Typer, span: Span) -> None:
    """Reports `above` where there is no row above."""
    level = typer.world.levels[typer.level]
    if level.kind == "list":
        typer.sink.add(level_problems.no_order(span, "`above`", level.name))
    else:
        help_ = "it stands in the steps of a list, and means the rows before this one"
        typer.sink.add(problems.wrong_role(span, ABOVE, "word for the earlier rows of a list", help_))


def _symbol(typer: Typer, e: syn.Expr, symbol: Symbol, scope: Scope) -> TExpr:
    typer.used.add(symbol.key)
    match symbol.role:
        case Role.INPUT | Role.STEP | Role.KEY | Role.RECEIVED:
            if scope.constants:
                help_ = "a limit or value may be computed from constants and parameters only"
                typer.sink.add(problems.wrong_role(e.span, symbol.name, symbol.role.value, help_))
                return typer.error(e)
            return lifted(typer, _field(typer, e, symbol), (symbol.level,) if symbol.level != typer.level else ())
        case Role.PARAMETER:
            return lookups.lookup(typer, e, NO_FACTS, scope)
        case Role.TOTAL | Role.PART:
            if not scope.shares:
                typer.sink.add(problems.total_in_step(e.span, symbol.name))
                return typer.error(e)
            return lifted(typer, _field(typer, e, symbol), (symbol.level,) if symbol.level != typer.level else ())
        case Role.TABLE:
            help_ = f"read a cell, `{symbol.name}[key].column`, or test for a row, `key in {symbol.name}`"
        case Role.WINDOW:
            help_ = f"read it with a function, e.g. `{symbol.name}.count()`"
        case Role.LIST:
            help_ = f"read its rows with a function, e.g. `count({symbol.name})` or `sum({symbol.name}.field)`"
        case Role.GROUP:
            help_ = f"read a result of it, e.g. `{symbol.name}.field`"
        case _:
            assert_never(symbol.role)
    typer.sink.add(problems.wrong_role(e.span, symbol.name, symbol.role.value, help_))
    return typer.error(e)


def _field(typer: Typer, e: syn.Expr, symbol: Symbol) -> TExpr:
    """A field read on a row of its own level."""
    own = typer.at(symbol.level)
    match symbol.role:
        case Role.INPUT:
            return own.make(Op.INPUT, (), symbol.type or ERROR, e, symbol.name, missing=symbol.missing)
        case Role.KEY:
            return own.make(Op.INPUT, (), own.step_type(symbol.name), e, symbol.name)
        case Role.TOTAL | Role.PART:
            return own.make(Op.SHARE, (), MONEY, e, symbol.name)
        case Role.RECEIVED:
            missing = symbol.level in typer.world.sometimes.get(symbol.name, ())
            return own.make(Op.STEP, (), MONEY, e, symbol.name, missing=missing)
        case _:
            return own.make(Op.STEP, (), own.step_type(symbol.name), e, symbol.name, missing=symbol.missing)


def lifted(typer: Typer, t: TExpr, path: tuple[str, ...]) -> TExpr:
    """What `t` is on the row that this level's row belongs to, along `path` (of `World.path`)."""
    for step in range(len(path) - 1, -1, -1):
        level = typer.level if step == 0 else path[step - 1]
        missing = t.missing or path[step] in typer.world.keyless
        t = replace(typer.at(level).make(Op.LIFT, (t,), t.type, t.syntax, path[step], missing=missing), span=t.span)
    return t


def member(typer: Typer, e: syn.Member, facts: Facts, scope: Scope) -> TExpr:
    """`lines.amount` inside a call over lines, `region_year.budget`, `patient.deductible`, or a table's cell."""
    path = rows.dotted(e)
    for prefix, level in scope.rows:
        if len(path) > len(prefix) and path[: len(prefix)] == prefix:
            return earlier(typer, prefix, ".".join(path[len(prefix) :]), e, level)
    if not path:
        return lookups.lookup(typer, e, facts, scope)
    own = typer.world.rows(typer.level)
    symbol = typer.symbols.names.get(path[0])
    part = typer.symbols.shares.get(".".join(path))
    if part is not None and symbol is None:
        return _symbol(typer, e, part, scope)
    if symbol is not None and symbol.role is Role.WINDOW:
        shown = ".".join(path)
        help_ = f"`{shown}` has a value only inside `{path[0]}.sum(..)` and its kin"
        whose = "field of the rows above" if path[0] == ABOVE else "field of earlier rows"
        typer.sink.add(problems.wrong_role(e.span, shown, whose, help_))
        return typer.error(e)
    if path[0] in own and not (
        symbol is not None and symbol.role is Role.GROUP and typer.world.path(typer.level, path[0]) is not None
    ):
        field = _readable(typer, own[path[0]], path[1])
        told = (
            f"add them up, or choose: {examples(path[0], '.'.join(path[1:]), _type(typer, field) if field else ERROR)}"
        )
        if scope.rows and scope.rows[-1][1] == EPISODE:
            told = f"`{'.'.join((*scope.rows[-1][0], *path))}` are those of the earlier episodes"
        elif scope.rows and typer.level == own[path[0]]:
            told = f"`{'.'.join((*scope.rows[-1][0], *path[1:]))}` is that of each row gone over"
        typer.sink.add(level_problems.rows_outside(e.span, ".".join(path), told))
        return typer.error(e)
    if symbol is None and path[0] == ABOVE:
        no_above(typer, e.of.span)
        return typer.error(e)
    if symbol is None and path[0] in typer.world.levels:
        typer.sink.add(level_problems.rows_elsewhere(e.span, path[0], next(iter(own), "")))
        return typer.error(e)
    if symbol is None:
        known = tuple(own)
        typer.sink.add(problems.unknown_name(_first(e).span, path[0], typer.symbols.nearest(path[0], known)))
        return typer.error(e)
    if symbol.role is Role.GROUP:
        return _group_field(typer, e, symbol, ".".join(path[1:]))
    return lookups.lookup(typer, e, facts, scope)


def _first(e: syn.Expr) -> syn.Expr:
    while isinstance(e, syn.Member):
        e = e.of
    return e


def _group_field(typer: Typer, e: syn.Member, group: Symbol, name: str) -> TExpr:
    """`region_year.point_value`: of the group that this row belongs to."""
    path = typer.world.path(typer.level, group.name)
    if group.name not in typer.world.levels:
        return typer.error(e)  # its declaration was reported
    if path is None:
        typer.sink.add(level_problems.not_member(e.span, group.name, typer.level))
        return typer.error(e)
    field = field_of(typer, group.name, name, e, e.name_span)
    return typer.error(e) if field is None else lifted(typer, field, path)


def field_of(typer: Typer, level: str, name: str, e: syn.Expr, span: Span) -> TExpr | None:
    """A field of another level's row by name; None when reported."""
    owner = typer.world.levels.get(level)
    if owner is None:
        return None
    symbol = owner.own.get(name) or (owner.symbols.shares.get(name) if owner.kind != "list" else None)
    if symbol is None or symbol.role not in READABLE:
        _unknown_field(typer, span, level or "the episode", name, level)
        return None
    typer.used.add(symbol.key)
    typer.used.add(level)
    return _field(typer, e, symbol)


def earlier(typer: Typer, prefix: tuple[str, ...], name: str, e: syn.Expr, level: str) -> TExpr:
    """The other row's input, step, total or part `name`."""
    owner = typer.world.levels[level]
    symbol = owner.own.get(name) or (owner.symbols.shares.get(name) if owner.kind != "list" else None)
    if symbol is None or symbol.role not in READABLE:
        _unknown_field(typer, e.span, ".".join(prefix), name, level)
        return typer.error(e)
    typer.used.add(symbol.key)
    field = _field(typer, e, symbol)
    return typer.make(Op.EARLIER, (), field.type, e, (".".join(prefix), name, level), missing=field.missing)


def _unknown_field(typer: Typer, span: Span, of: str, name: str, level: str) -> None:
    owner = typer.world.levels[level]
    if level == EPISODE and name in typer.world.levels:
        help_ = f"name a field of its rows: `{of}.{name}.field`"
        typer.sink.add(problems.wrong_role(span, f"{of}.{name}", "name for many rows", help_))
        return
    shares = owner.symbols.shares.values() if owner.kind != "list" else ()
    known = [s.name for s in (*owner.own.values(), *shares) if s.role in READABLE and HIDDEN not in s.name]
    near = nearest(name, known)
    head, _, rest = name.partition(".")
    lists = [x.name for x in typer.world.levels.values() if x.kind == "list"]
    if rest and level == EPISODE and nearest(head, lists) is not None:
        near = f"{nearest(head, lists)}.{rest}"  # of the lines of earlier episodes
    listed = ", ".join(known) if near is None and len(known) <= MOST_LISTED else ""
    typer.sink.add(problems.unknown_member(span, of, name, near, listed))
