"""Typing of calls over rows: windows (`w.sum(..)`, `above.sum(..)`) and aggregates (`sum(lines.x where ..)`)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Final

from rxcalc.lang import units
from rxcalc.lang.builtins import AGGREGATES, WINDOW_FUNCTIONS
from rxcalc.lang.ops import Op
from rxcalc.lang.types import COUNT, FLAG, MONEY, ErrorType, Type
from rxcalc.source import NOWHERE
from rxcalc.syntax import nodes as syn
from rxcalc.syntax.unparse import unparse
from rxcalc.typed import level_problems, names, problems
from rxcalc.typed.facts import Facts, true_facts
from rxcalc.typed.levels import ABOVE, EPISODE
from rxcalc.typed.nodes import TExpr, WindowUse
from rxcalc.typed.symbols import BASE, Role, nearest

if TYPE_CHECKING:
    from rxcalc.typed.expressions import Scope, Typer

_AMBIGUOUS: Final = ("min", "max")  # of several values, or with one argument of rows


def dotted(e: syn.Expr) -> tuple[str, ...]:
    """The names of `a.b.c`; empty for anything else."""
    path: list[str] = []
    while isinstance(e, syn.Member):
        path.append(e.name)
        e = e.of
    return (e.name, *reversed(path)) if isinstance(e, syn.Name) else ()


def paths(root: object) -> Iterator[tuple[str, ...]]:
    """Every bare or dotted name in an expression, as its parts."""
    stack: list[object] = [root]
    while stack:
        node = stack.pop()
        path = dotted(node) if isinstance(node, syn.Name | syn.Member) else ()
        if path:
            yield path
        elif isinstance(node, tuple):
            stack.extend(node)
        elif isinstance(node, syn.Expression | syn.Argument):
            stack.extend(getattr(node, f.name) for f in fields(node))


def is_aggregate(e: syn.Call) -> bool:
    """Whether a call of a function goes over rows."""
    name = e.function.name
    return name in AGGREGATES and (name not in _AMBIGUOUS or len(e.arguments) == 1)


# ---- aggregates ------------------------------------------------------------------------------


def aggregate(typer: Typer, e: syn.Call, facts: Facts, scope: Scope) -> TExpr:
    """`sum(lines.amount where lines.class = C)`, `count(lines)`, `rank(lines.amount)` .."""
    name = e.function.name
    usage = AGGREGATES[name][0]
    if len(e.arguments) != 1:
        typer.sink.add(problems.wrong_arguments(e.span, name, usage))
        return typer.error(e)
    argument = e.arguments[0]
    known = typer.world.rows(typer.level)
    words = sorted({path[0] for path in paths(argument) if path[0] in known})
    if not words:
        return _no_rows(typer, e, argument, facts, scope)
    if len(words) > 1:
        typer.sink.add(level_problems.several_rows(e.span, name, words))
        return typer.error(e)
    if scope.rows or scope.local is not None:
        typer.sink.add(level_problems.nested_rows(e.span, unparse(e)))
        return typer.error(e)
    word = words[0]
    element = known[word]
    typer.use_rows(element)
    if name == "rank" and element != typer.level:
        lists = [x.name for x in typer.world.levels.values() if x.kind == "list"]
        where = f"it stands in the steps of a list, e.g. of `{word if word in lists else lists[0]}`" if lists else ""
        typer.sink.add(problems.wrong_role(e.span, "rank", "place among the rows of the same list", where))
        return typer.error(e)
    if name == "rank" and ABOVE not in typer.world.levels[typer.level].own:
        typer.sink.add(level_problems.no_order(e.span, "`rank`", typer.level))
        return typer.error(e)
    if _is_episodes(typer, (word,), argument, scope) and name != "rank":
        return names.lifted(typer, typer.at(EPISODE).expr(e, None, facts, scope), (EPISODE,))
    inside = replace(scope, rows=(((word,), element),))
    use = WindowUse(word, name, False, False, argument.distinct, unparse(e), "rows", element, "", element)  # noqa: FBT003 - fields
    if (
        name == "count"
        and isinstance(argument.value, syn.Name)
        and argument.value.name == word
        and not argument.distinct
    ):
        argument = replace(argument, value=None)
    return _call(typer, e, Op.ROWS, argument, use, inside, facts, usage)


def _no_rows(typer: Typer, e: syn.Call, argument: syn.Argument, facts: Facts, scope: Scope) -> TExpr:
    """Reports an aggregate that names no rows, by what it names instead."""
    name = e.function.name
    known = typer.world.rows(typer.level)
    sink = typer.sink
    for path in paths(argument):
        symbol = typer.symbols.names.get(path[0])
        shown = ".".join(path)
        if symbol is not None and symbol.role is Role.GROUP and symbol.name not in typer.world.levels:
            return typer.error(e)  # its declaration was reported
        if symbol is not None and symbol.role in (Role.LIST, Role.GROUP) and typer.world.levels[symbol.name].in_bill:
            sink.add(level_problems.rows_elsewhere(e.span, symbol.name, next(iter(known), "")))
            return typer.error(e)
        if symbol is None and len(path) > 1 and shown not in typer.symbols.shares:
            for part in (argument.value, argument.where):
                if part is not None and path in paths(part):
                    typer.expr(part, None, facts, scope)  # which reports the name
            return typer.error(e)
        if symbol is None and len(path) == 1:
            word = next((w for w, level in known.items() if path[0] in typer.world.levels[level].own), "")
            if word:
                sink.add(level_problems.no_rows(e.span, name, f"write `{word}.{shown}` for the `{shown}` of each row"))
                return typer.error(e)
        if symbol is not None and symbol.role is Role.WINDOW:
            help_ = f"the rows of a window are read as `{symbol.name}.{name}(..)`"
            sink.add(level_problems.no_rows(e.span, name, help_))
            return typer.error(e)
        if symbol is not None and symbol.role is Role.GROUP:
            own = f"`{shown}` is that of the one `{symbol.name}` that this belongs to: write it without `{name}`"
            help_ = own if typer.world.path(typer.level, symbol.name) else f"read one by key: `{symbol.name}[key, ..]`"
            sink.add(level_problems.no_rows(e.span, name, help_))
            return typer.error(e)
    several = f"of several values: `{name}(a, b, ..)`" if name in _AMBIGUOUS else ""
    example = _example(typer, known)
    if example:
        over = f"write the rows in front of their fields, e.g. `{name}({example})`"
    else:
        over = "there are no rows here: a rulebook has them in `lines:`, `lists:` and `groups:`"
    sink.add(level_problems.no_rows(e.span, name, several, over))
    return typer.error(e)


def _example(typer: Typer, known: Mapping[str, str]) -> str:
    """A field of rows that can be added up."""
    for word, level in known.items():
        for symbol in typer.world.levels[level].own.values():
            of = symbol.type or typer.world.type_of(level, symbol.name)
            if symbol.role in names.READABLE and of == MONEY:
                return f"{word}.{symbol.name}"
    return f"{next(iter(known))}.field" if known else ""


def _is_episodes(typer: Typer, over: Collection[str], argument: syn.Argument, scope: Scope) -> bool:
    """Whether a call in a row of a bill reads nothing of this row, so that it has one value for the bill."""
    level = typer.world.levels[typer.level]
    if level.name == EPISODE or not level.in_bill or any(word not in typer.world.rows(EPISODE) for word in over):
        return False
    if level.kind == "group" and level.of in over:
        return False  # the members of this group, not all rows of the bill
    return not any(_is_own(typer, path, scope) for path in paths(argument) if path[0] not in over)


def _is_own(typer: Typer, path: tuple[str, ...], scope: Scope) -> bool:
    if path == (BASE,) and scope.base is not None:
        return True
    symbol = typer.symbols.names.get(path[0])
    if symbol is None:
        return False
    if symbol.role is Role.GROUP:  # the row's own group
        return typer.world.path(typer.level, symbol.name) != (
            EPISODE,
            *(typer.world.path(EPISODE, symbol.name) or ("?",)),
        )
    return symbol.level == typer.level and symbol.role not in (Role.PARAMETER, Role.TABLE)


# ---- windows ---------------------------------------------------------------------------------


def window_call(typer: Typer, e: syn.Call, function: syn.Member, facts: Facts, scope: Scope) -> TExpr:
    """`this_year.sum(pays where ..)`, `above.sum(pays)`."""
    owner = function.of
    symbol = typer.symbols.names.get(owner.name) if isinstance(owner, syn.Name) else None
    if symbol is None or symbol.role is not Role.WINDOW:
        word = unparse(owner)
        if symbol is None and word == ABOVE:
            names.no_above(typer, owner.span)
        elif symbol is None:
            windows = [s.name for s in typer.symbols.names.values() if s.role is Role.WINDOW]
            typer.sink.add(problems.unknown_name(owner.span, word, nearest(word, windows)))
        elif symbol.role in (Role.LIST, Role.GROUP) and function.name in AGGREGATES:
            help_ = f"only windows are read so; write `{function.name}({word}.field where ..)`"
            typer.sink.add(problems.wrong_role(owner.span, word, symbol.role.value, help_))
        else:
            typer.sink.add(
                problems.wrong_role(owner.span, word, symbol.role.value, "only windows have functions like `.sum(..)`")
            )
        return typer.error(e)
    typer.used.add(symbol.key)
    name = symbol.name
    usage = f"{name}.{function.name}"
    if function.name not in WINDOW_FUNCTIONS:
        near = nearest(function.name, WINDOW_FUNCTIONS)
        typer.sink.add(
            problems.unknown_member(function.name_span, name, function.name, near, ", ".join(WINDOW_FUNCTIONS))
        )
        return typer.error(e)
    if scope.rows or scope.local is not None:
        help_ = "give the inner value a step of its own"
        typer.sink.add(problems.wrong_role(e.span, usage, "window call inside another call", help_))
        return typer.error(e)
    if len(e.arguments) > 1 or (not e.arguments and function.name != "count"):
        typer.sink.add(problems.wrong_arguments(e.span, usage, f"{usage}(x) or {usage}(x where condition)"))
        return typer.error(e)
    argument = e.arguments[0] if e.arguments else syn.Argument(value=None)
    is_above = name == ABOVE and typer.world.levels[symbol.level].kind == "list"
    others = [path for path in paths(argument) if path[0] != name]
    if symbol.level != typer.level and not any(_is_own(typer, path, scope) for path in others):
        return names.lifted(typer, typer.at(symbol.level).expr(e, None, facts, scope), (symbol.level,))
    inners = [] if is_above else _inners(typer, symbol.level, name, argument)
    if len(inners) > 1:
        typer.sink.add(level_problems.several_rows(e.span, usage, [f"{name}.{inner}" for inner in inners]))
        return typer.error(e)
    inner = inners[0] if inners else ""
    rows: tuple[tuple[tuple[str, ...], str], ...] = (((name,), symbol.level),)
    if inner:
        rows = (((name, inner), inner), *rows)
        typer.use_rows(inner)
    inside = replace(scope, rows=rows)
    use = WindowUse(
        name, function.name, False, False, argument.distinct, unparse(e), "above" if is_above else "window", name if not is_above else typer.level,  # noqa: FBT003 - fields
        inner, inner or symbol.level,
    )  # fmt: skip
    op = Op.ROWS if is_above else Op.WINDOW
    return _call(typer, e, op, argument, use, inside, facts, f"{usage}(x) or {usage}(x where condition)")


def _inners(typer: Typer, level: str, window: str, argument: syn.Argument) -> list[str]:
    """The lists of the earlier episodes whose rows a window call goes over: `lines` in `w.sum(w.lines.x)`."""
    if level != EPISODE:
        return []
    lists = {g.name for g in typer.world.levels.values() if g.kind == "list"}
    return sorted({path[1] for path in paths(argument) if len(path) > 1 and path[0] == window and path[1] in lists})


# ---- both ------------------------------------------------------------------------------------


def _call(
    typer: Typer, e: syn.Call, op: Op, argument: syn.Argument, use: WindowUse, scope: Scope, facts: Facts, usage: str
) -> TExpr:
    function = use.function
    if (argument.distinct and function != "count") or (argument.value is None and function != "count"):
        typer.sink.add(
            problems.wrong_arguments(e.span, function if op is Op.ROWS else f"{use.window}.{function}", usage)
        )
        return typer.error(e)
    if function == "count" and argument.value is not None and not argument.distinct and use.kind != "rows":
        word = use.window
        told = f"{word}.count(), {word}.count(where condition) or {word}.count(distinct x)"
        typer.sink.add(problems.wrong_arguments(e.span, f"{word}.count", told))
        return typer.error(e)
    where: TExpr | None = None
    value: TExpr | None = None
    inner_facts = facts
    if argument.where is not None:
        where = typer.condition(argument.where, facts, scope)
        found = true_facts(argument.where)
        # The value is ranked on this row too, which need not meet the condition.
        inner_facts = facts | (found & _own_facts(typer, use, facts) if function == "rank" else found)
    if argument.value is not None:
        if function in ("any", "all"):
            value = typer.condition(argument.value, inner_facts, scope)
        elif use.kind == "rows":
            value = typer.value(argument.value, None, inner_facts, scope)
        else:
            value = _window_value(typer, use, argument.value, inner_facts, scope)
    result: Type = COUNT if value is None else value.type
    match function:
        case "count" if value is not None and value.type == FLAG and not argument.distinct:
            # `count(lines.class = C)` would count every line: it has a value, yes or no, on each.
            told = f"count({use.window} where {unparse(value.syntax)})"
            typer.sink.add(problems.wrong_arguments(e.span, "count", told))
            return typer.error(e)
        case "count" | "rank":
            result = COUNT
        case "any" | "all":
            result = FLAG
        case "sum" if (
            value is not None and not isinstance(value.type, ErrorType) and units.add(value.type, value.type, 1) is None
        ):
            typer.sink.add(problems.wrong_type(value.span, "a number or amount", f"a {value.type}"))
            return typer.error(e)
    if function in ("min", "max", "rank") and value is not None and not units.can_order(value.type, value.type):
        typer.sink.add(problems.wrong_type(value.span, "something that can be ordered", f"a {value.type}"))
        return typer.error(e)
    use = replace(use, has_value=value is not None, has_where=where is not None)
    args = tuple(x for x in (value, where) if x is not None)
    return typer.make(op, args, result, e, use, missing=function in ("first", "last", "min", "max"))


def _own_facts(typer: Typer, use: WindowUse, facts: Facts) -> Facts:
    """What is known of this row, told of it as of one of the rows gone over."""
    found: set[str] = set()
    for name in typer.world.levels[typer.level].own:
        bare = syn.Name(name=name, span=NOWHERE)
        if repr(bare) in facts:
            of = syn.Name(name=use.window, span=NOWHERE)
            found.add(repr(syn.Member(of=of, name=name, name_span=NOWHERE, span=NOWHERE)))
    return frozenset(found)


def _window_value(typer: Typer, use: WindowUse, e: syn.Expr, facts: Facts, scope: Scope) -> TExpr:
    """The first argument of a window call: one bare name is the earlier row's."""
    name = "" if use.inner else _one_name(typer, use, e)
    t = names.earlier(typer, (use.window,), name, e, use.element) if name else typer.expr(e, None, facts, scope)
    if t.missing and isinstance(e, syn.Name):
        prefixed = syn.Member(span=e.span, of=syn.Name(span=e.span, name=use.window), name=e.name, name_span=e.span)
        if repr(prefixed) in facts:
            t = replace(t, missing=False)
    if use.function in ("first", "last"):
        return t
    if t.missing and isinstance(e, syn.Name):
        typer.sink.add(problems.earlier_may_be_missing(e.span, use.window, e.name))
        return replace(t, missing=False)
    return typer.known(t)


def _one_name(typer: Typer, use: WindowUse, e: syn.Expr) -> str:
    """The name that an expression is, `pays` or the share part `patient.deductible`; "" for anything else."""
    element = typer.world.levels[use.element]
    match e:
        case syn.Name(name=name):
            return name
        case syn.Member(of=syn.Name(name=owner), name=name) if f"{owner}.{name}" in element.symbols.shares:
            return "" if owner in element.own else f"{owner}.{name}"
        case _:
            return ""
