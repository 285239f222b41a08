"""Typing of lookups: parameters, table cells and tests for a row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rxcalc.lang.ops import Op
from rxcalc.lang.types import DATE, FLAG
from rxcalc.syntax import nodes as syn
from rxcalc.syntax.unparse import unparse
from rxcalc.typed import names, problems
from rxcalc.typed.facts import Facts
from rxcalc.typed.nodes import CellUse, ParameterUse, TExpr
from rxcalc.typed.symbols import Role, nearest

if TYPE_CHECKING:
    from rxcalc.typed.expressions import Scope, Typer


def lookup(typer: Typer, e: syn.Expr, facts: Facts, scope: Scope) -> TExpr:
    """`p[key, ..]` or `table[key].column`, either with `at`."""
    at: TExpr | None = None
    inner = e
    if isinstance(inner, syn.At):
        at = typer.coerce(typer.value(inner.date, DATE, facts, scope), DATE)
        inner = inner.of
    column: syn.Member | None = None
    if isinstance(inner, syn.Member):
        column = inner
        inner = inner.of
        if isinstance(inner, syn.At):
            at = typer.coerce(typer.value(inner.date, DATE, facts, scope), DATE)
            inner = inner.of
    keys: tuple[syn.Expr, ...] = ()
    if isinstance(inner, syn.Index):
        keys, inner = inner.keys, inner.of
    if not isinstance(inner, syn.Name):
        typer.sink.add(
            problems.wrong_type(
                e.span,
                "a parameter or table",
                "an expression",
                "`[..]`, `.` and `at` follow a parameter's or table's name",
            )
        )
        return typer.error(e)
    symbol = typer.symbols.names.get(inner.name)
    if symbol is None:
        typer.sink.add(problems.unknown_name(inner.span, inner.name, typer.symbols.nearest(inner.name)))
        return typer.error(e)
    typer.used.add(symbol.key)
    if symbol.role is Role.GROUP and column is not None and keys and at is None:
        return _group(typer, e, symbol.name, keys, column, facts, scope)
    if symbol.role is Role.TABLE:
        return _cell(typer, e, symbol.name, keys, column, at, facts, scope)
    if symbol.role is Role.PARAMETER and column is None:
        return parameter(typer, e, symbol.name, keys, at, facts, scope)
    if symbol.role is Role.LIST:
        help_ = f"rows have no place to be read by; use a function, e.g. `sum({symbol.name}.field where ..)`"
        typer.sink.add(problems.wrong_role(e.span, symbol.name, symbol.role.value, help_))
    elif symbol.role is Role.GROUP:
        help_ = "a group has its own date, so `at` cannot follow it"
        if at is None:
            help_ = f"read a result of it, e.g. `{unparse(inner if not keys else e)}.field`"
        typer.sink.add(problems.wrong_role(e.span, symbol.name, symbol.role.value, help_))
    elif column is not None:
        typer.sink.add(problems.unknown_member(column.name_span, symbol.name, column.name, None, ""))
    else:
        typer.sink.add(
            problems.wrong_role(e.span, symbol.name, symbol.role.value, "`[..]` and `at` follow a parameter or a table")
        )
    return typer.error(e)


def parameter(
    typer: Typer, e: syn.Expr, name: str, keys: tuple[syn.Expr, ...], at: TExpr | None, facts: Facts, scope: Scope
) -> TExpr:
    """A parameter's value, or for a schedule the reference that bands(..) and its kin take."""
    shape = typer.tables.parameters.get(name)
    if shape is None:
        return typer.error(e)
    if len(keys) != len(shape.keys):
        usage = f"`{name}`" if not shape.keys else f"`{name}[{', '.join('..' for _ in shape.keys)}]`"
        typer.sink.add(
            problems.wrong_arguments(
                e.span, name, f"{usage}: it is given by {len(shape.keys)} key{'s' if len(shape.keys) != 1 else ''}"
            )
        )
        return typer.error(e)
    typed = tuple(typer.coerce(typer.value(k, w, facts, scope), w) for k, w in zip(keys, shape.keys, strict=True))
    use = ParameterUse(name, len(keys), at is not None)
    args = typed + ((at,) if at else ())
    return typer.make(Op.PARAMETER, args, shape.type, e, use, missing=shape.may_be_none)


def _cell(
    typer: Typer,
    e: syn.Expr,
    name: str,
    keys: tuple[syn.Expr, ...],
    column: syn.Member | None,
    at: TExpr | None,
    facts: Facts,
    scope: Scope,
) -> TExpr:
    shape = typer.tables.tables.get(name)
    if shape is None:
        return typer.error(e)
    if column is None or len(keys) != len(shape.keys):
        usage = f"`{name}[{', '.join('key' for _ in shape.keys)}].column`"
        typer.sink.add(problems.wrong_arguments(e.span, name, usage))
        return typer.error(e)
    found = shape.columns.get(column.name)
    if found is None:
        near = nearest(column.name, tuple(shape.columns))
        typer.sink.add(problems.unknown_member(column.name_span, name, column.name, near, ", ".join(shape.columns)))
        return typer.error(e)
    typed = tuple(typer.coerce(typer.value(k, w, facts, scope), w) for k, w in zip(keys, shape.keys, strict=True))
    use = CellUse(name, column.name, len(keys), at is not None)
    return typer.make(Op.CELL, typed + ((at,) if at else ()), found[0], e, use, missing=found[1])


def _group(
    typer: Typer, e: syn.Expr, name: str, keys: tuple[syn.Expr, ...], column: syn.Member, facts: Facts, scope: Scope
) -> TExpr:
    """`alliance_year[treating, year].inflow`: a group's result by key; missing where there is no such group."""
    group = typer.world.levels.get(name)
    if group is None:
        return typer.error(e)
    wanted = [s.name for s in group.own.values() if s.role is Role.KEY]
    if len(keys) != len(wanted):
        typer.sink.add(problems.wrong_arguments(e.span, name, f"`{name}[{', '.join(wanted)}].{column.name}`"))
        return typer.error(e)
    types = [typer.world.type_of(name, key) for key in wanted]
    typed = tuple(typer.coerce(typer.value(k, w, facts, scope), w) for k, w in zip(keys, types, strict=True))
    field = names.field_of(typer, name, column.name, e, column.name_span)
    if field is None:
        return typer.error(e)
    return typer.make(Op.GROUP, (field, *typed), field.type, e, name, missing=True)


def in_table(typer: Typer, e: syn.InTable, facts: Facts, scope: Scope) -> TExpr:
    """`key in table`, `[a, b] in table at d`."""
    at: TExpr | None = None
    table = e.table
    if isinstance(table, syn.At):
        at = typer.coerce(typer.value(table.date, DATE, facts, scope), DATE)
        table = table.of
    name = table.name if isinstance(table, syn.Name) else ""
    symbol = typer.symbols.names.get(name)
    if symbol is None:
        typer.sink.add(problems.unknown_name(e.table.span, name, typer.symbols.nearest(name)))
        return typer.error(e)
    if symbol.role is not Role.TABLE:
        help_ = "`in` needs a table or a set in braces: `level in {city, province}`"
        typer.sink.add(problems.wrong_role(e.table.span, name, symbol.role.value, help_))
        return typer.error(e)
    typer.used.add(symbol.key)
    shape = typer.tables.tables.get(name)
    if shape is None:
        return typer.error(e)
    if len(e.keys) != len(shape.keys):
        typer.sink.add(problems.wrong_arguments(e.span, name, f"`[{', '.join('key' for _ in shape.keys)}] in {name}`"))
        return typer.error(e)
    typed = tuple(typer.coerce(typer.value(k, w, facts, scope), w) for k, w in zip(e.keys, shape.keys, strict=True))
    return typer.make(Op.HAS_ROW, typed + ((at,) if at else ()), FLAG, e, CellUse(name, "", len(typed), at is not None))
