"""Lists, groups, spreads and checks of a rulebook, typed; and the order of everything."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction

from rxcalc.diagnostics.model import Severity, Sink
from rxcalc.lang.ops import Op
from rxcalc.lang.types import CODES, DATE, FLAG, MONEY, TEXT, ErrorType, Plain, ScheduleType, Type
from rxcalc.source import NOWHERE
from rxcalc.syntax import nodes as syn
from rxcalc.syntax.unparse import unparse
from rxcalc.typed import level_problems, problems, rules
from rxcalc.typed.expressions import Scope, Tables, Typer
from rxcalc.typed.facts import NO_FACTS, true_facts
from rxcalc.typed.graph import walk
from rxcalc.typed.inputs import check_inputs
from rxcalc.typed.levels import ABOVE, EPISODE, EPISODES, World
from rxcalc.typed.nodes import (
    CellUse,
    ParameterUse,
    ScheduleUse,
    TCheck,
    TCondition,
    TExpr,
    TGroup,
    TKey,
    TList,
    TPartition,
    TSpread,
    TStep,
)
from rxcalc.typed.order import MEMBERS, Edge, Units
from rxcalc.typed.rows import paths
from rxcalc.typed.sequence import check_windows
from rxcalc.typed.shares import check_guarantees, check_requires, check_shares, part_key, totals_of
from rxcalc.typed.symbols import Role, nearest
from rxcalc.typed.values import Values


@dataclass(frozen=True, slots=True)
class Context:
    """What the checks of one rulebook share."""

    decl: syn.RulebookDecl
    world: World
    tables: Tables
    values: Values
    sink: Sink
    used: set[str]
    resolve: Callable[[syn.TypeSpec], Type]
    set_values: Callable[[syn.TypeSpec | None], tuple[syn.SetValue, ...]]

    def typer(self, level: str) -> Typer:
        """The typer of a level."""
        return Typer(self.world, level, self.tables, self.sink, self.used)


def check_keys(x: Context) -> dict[str, tuple[TKey, ...]]:
    """The keys of all groups; notes which members may have no group."""
    found: dict[str, tuple[TKey, ...]] = {}
    for g in _groups(x):
        name = g.name.name
        typer = x.typer(x.world.levels[name].of)
        keys: list[TKey] = []
        for key in g.by:
            value = typer.expr(key.value, None, NO_FACTS, Scope())
            if value.type in (CODES, TEXT) or isinstance(value.type, ScheduleType):
                help_ = "a key is a code, a value of a set, a date, a flag, a number or an amount"
                x.sink.add(
                    level_problems.bad_group_key(value.span, f"a {value.type} cannot be the key of a group", help_)
                )
            if value.missing:
                x.world.keyless.add(name)
            keys.append(TKey(key.name.name, value))
        found[name] = tuple(keys)
    for g in _groups(x):
        for spread in g.spreads:
            over = EPISODE if spread.over.name == EPISODES else spread.over.name
            path = x.world.path(over, g.name.name) or ()
            if x.world.may_have_none(path):
                x.world.sometimes.setdefault(spread.name.name, set()).add(over)
    return found


def _groups(x: Context) -> list[syn.GroupDecl]:
    return [g for g in x.decl.groups if g.name.name in x.world.levels]


def check_lists(x: Context) -> tuple[TList, ...]:
    """All lists."""
    result: list[TList] = []
    for s in x.decl.lists:
        typer = x.typer(s.name.name)
        inputs = check_inputs(x.decl, s.inputs, x.resolve, x.set_values, x.values, x.sink)
        own = x.world.levels[s.name.name].own
        for ident in s.order:
            symbol = own.get(ident.name)
            if symbol is None or symbol.role is not Role.INPUT:
                known = [i.name.name for i in s.inputs]
                other = typer.symbols.names.get(ident.name)
                if other is not None:
                    role = f"{other.role.value}{'' if other.level else ' of the episode'}"
                    help_ = f"rows are taken in the order of inputs of `{s.name.name}`: {', '.join(known)}"
                    x.sink.add(problems.wrong_role(ident.span, ident.name, role, help_))
                else:
                    near = nearest(ident.name, known)
                    x.sink.add(problems.unknown_name(ident.span, ident.name, near, ", ".join(known)))
            elif symbol.missing or symbol.type in (CODES, TEXT):
                told = "is optional" if symbol.missing else f"is a {symbol.type}"
                help_ = "take inputs that are always given, such as a line number"
                x.sink.add(
                    level_problems.bad_level(
                        ident.span, f"`{ident.name}` {told}, but rows are taken in its order", help_
                    )
                )
        result.append(
            TList(
                s.name.name,
                inputs,
                check_requires(s.requires, typer),
                rules.check_steps(x.decl, s.steps, typer, x.values, x.set_values, x.sink),
                check_guarantees(s.guarantees, typer, x.sink),
                s,
            )
        )
    return tuple(result)


def check_groups(x: Context, keys: dict[str, tuple[TKey, ...]]) -> tuple[TGroup, ...]:
    """All kinds of groups, each after what it is a group of."""
    result: list[TGroup] = []
    for g in sorted(_groups(x), key=lambda g: list(x.world.levels).index(g.name.name)):
        name = g.name.name
        level = x.world.levels[name]
        typer = x.typer(name)
        inputs = check_inputs(x.decl, g.inputs, x.resolve, x.set_values, x.values, x.sink)
        is_misplaced = level.in_bill and bool(g.inputs or g.sequence or g.windows or g.effective)
        if is_misplaced:
            given = "inputs" if g.inputs else "sequence" if g.sequence else "windows" if g.windows else "effective"
            help_ = "groups of lines have the episode's date and no file of their own; make it a group of episodes, or leave it out"
            x.sink.add(
                level_problems.bad_level(g.name.span, f"`{name}` lies inside one bill and cannot have `{given}`", help_)
            )
        effective = None
        if not is_misplaced:
            _group_sequence(x, g)
        if not is_misplaced and g.effective is not None:
            effective = typer.coerce(typer.value(g.effective, DATE, NO_FACTS, Scope()), DATE)
            _given(x, name, effective)
        requires = check_requires(g.requires, typer)
        steps = rules.check_steps(x.decl, g.steps, typer, x.values, x.set_values, x.sink)
        shares = check_shares(g.shares, typer, x.sink)
        guarantees = check_guarantees(g.guarantees, typer, x.sink)
        roots = [root for s in steps for c in s.clauses for root in (c.when, c.then)]
        roots += [v for p in shares for v in (p.of, *(part.value for part in p.parts))]
        _needs_date(x, name, (*roots, *(c.that for c in (*requires, *guarantees))))
        result.append(
            TGroup(
                name, level.of, level.in_bill, keys.get(name, ()), inputs, effective, requires, steps, shares,
                totals_of(g.shares), guarantees, g,
            )
        )  # fmt: skip
    return tuple(result)


def _given(x: Context, group: str, effective: TExpr) -> None:
    """Reports the first thing that is not there yet when the date of a group is needed."""
    for node in walk(effective):
        if node.op is Op.STEP:
            what = f"the step `{node.data}`"
        elif node.op in (Op.ROWS, Op.WINDOW):
            what = "other rows"
        elif node.op in (Op.PARAMETER, Op.CELL, Op.HAS_ROW, Op.LIFT, Op.GROUP):
            what = f"`{unparse(node.syntax)}`"
        else:
            continue
        help_ = f"the date of a group is made of its keys and inputs, e.g. `{group}: {{effective: last_day(year)}}`"
        x.sink.add(level_problems.bad_level(node.span, f"`effective` of `{group}` reads {what}", help_))
        return


def _group_sequence(x: Context, g: syn.GroupDecl) -> None:
    own = x.world.levels[g.name.name].own
    keys = [k.name.name for k in g.by]
    unknown: list[syn.Ident] = []

    def key(ident: syn.Ident, what: str) -> Type | None:
        del what
        symbol = own.get(ident.name)
        if symbol is None or symbol.role is not Role.KEY:
            x.sink.add(problems.unknown_name(ident.span, ident.name, nearest(ident.name, keys), ", ".join(keys)))
            unknown.append(ident)
            return None
        return x.world.type_of(g.name.name, ident.name)  # values of a set are taken in their declared order

    if g.sequence is not None:
        key(g.sequence.by, "by")
        for ident in g.sequence.order:
            key(ident, "order")
        lacking = [k for k in keys if k not in {g.sequence.by.name, *(i.name for i in g.sequence.order)}]
        if lacking and not unknown:
            help_ = f"add {', '.join(f'`{k}`' for k in lacking)} to its `order`, so that no two groups tie"
            x.sink.add(level_problems.bad_level(g.sequence.span, "`by` and `order` do not make out one group", help_))
        if g.sequence.reverses is not None:
            x.sink.add(
                level_problems.bad_level(g.sequence.reverses.span, "groups are never reversed", "leave `reverses` out")
            )
    dates = [k for k in keys if x.world.type_of(g.name.name, k) == DATE]
    check_windows(g.windows, g.sequence, key, dates, x.sink, "sequence: {by: alliance, order: [year]}")


def _needs_date(x: Context, name: str, roots: Iterable[TExpr | None]) -> None:
    """Reports the first value that depends on a date in a kind of groups without one."""
    if x.world.levels[name].in_bill or any(g.name.name == name and g.effective is not None for g in x.decl.groups):
        return
    dated = {t.name.name for t in x.decl.tables if t.start is not None or t.end is not None}
    for root in roots:
        for node in walk(root) if root is not None else ():
            use = node.data
            reads = isinstance(use, ParameterUse | ScheduleUse) or (isinstance(use, CellUse) and use.table in dated)
            if reads and node.level == name and not getattr(use, "at", False) and node.op is not Op.OVER_DAYS:
                x.sink.add(level_problems.needs_effective(node.span, name))
                return


def check_spreads(x: Context) -> tuple[TSpread, ...]:
    """All spreads, of the episode and of groups."""
    result: list[TSpread] = []
    declared = [(EPISODE, s.over.name, s) for s in x.decl.spreads]
    for g in _groups(x):
        declared += [(g.name.name, EPISODE if s.over.name == EPISODES else s.over.name, s) for s in g.spreads]
    for source, target, s in declared:
        if target not in x.world.levels or (target == EPISODE and s.over.name != EPISODES):
            continue
        if x.world.levels[target].kind == "list" and ABOVE not in x.world.levels[target].own:
            x.sink.add(level_problems.no_order(s.over.span, "a spread", target))
        what = x.typer(source).value(s.what, MONEY, NO_FACTS, Scope(shares=True))
        if not isinstance(what.type, ErrorType) and what.type != MONEY:
            x.sink.add(problems.wrong_type(what.span, "an amount to be spread", f"a {what.type}"))
        by = x.typer(target).value(s.by, None, NO_FACTS, Scope(shares=True))
        _needs_date(x, source, [what])
        _needs_date(x, target, [by])
        weight = isinstance(by.type, Plain) and by.type.kind.value in ("money", "number", "count", "percent", "days")
        if by.op is Op.CONST and isinstance(by.data, int | Fraction) and by.data <= 0:
            help_ = "weigh by a field of each row, or by 1 for equal parts"
            x.sink.add(level_problems.bad_spread(by.span, "no row has a weight above zero", help_))
        elif not isinstance(by.type, ErrorType) and not weight:
            x.sink.add(problems.wrong_type(by.span, "a weight: an amount or a number", f"a {by.type}"))
        result.append(TSpread(s.name.name, source, target, what, by, s))
    return tuple(result)


def check_checks(x: Context) -> tuple[TCheck, ...]:
    """All checks; one at the top level that reads fields of a list looks at every row of that list."""
    result: list[TCheck] = []
    declared = [(_level_of(x, c), c) for c in x.decl.checks]
    declared += [(s.name.name, c) for s in x.decl.lists for c in s.checks]
    declared += [(g.name.name, c) for g in _groups(x) for c in g.checks]
    named: set[str] = set()
    for level, c in declared:
        if c.name is not None and c.name.name in named:
            message = f"two checks are called `{c.name.name}`"
            x.sink.add(level_problems.bad_check(c.name.span, message, "give each check a name of its own"))
        named |= {c.name.name} if c.name is not None else set()
        typer = x.typer(level)
        before = x.sink.count(Severity.ERROR)
        when = typer.condition(c.when, NO_FACTS, Scope(shares=True))
        amount = None
        if c.amount is not None and x.sink.count(Severity.ERROR) == before:
            amount = typer.value(c.amount, MONEY, true_facts(c.when), Scope(shares=True))
            amount = typer.coerce(amount, MONEY)
        if when.op is Op.CONST and when.type == FLAG:
            told = "always" if when.data else "never"
            x.sink.add(
                level_problems.bad_check(when.span, f"this is {told} found", "name what of the bill is to be looked at")
            )
        _needs_date(x, level, [when, amount])
        result.append(TCheck(level, when, amount, c))
    return tuple(result)


def _level_of(x: Context, c: syn.CheckDecl) -> str:
    """The list whose fields a check at the top level names bare; else the episode."""
    own = x.world.levels[EPISODE].symbols.names
    names = {path[0] for e in (c.when, c.amount) if e is not None for path in paths(e)} - own.keys()
    lists = [level for level in x.world.levels.values() if level.kind == "list" and names & level.own.keys()]
    known = names & {name for level in lists for name in level.own}
    whole = [level.name for level in lists if known <= level.own.keys()]
    if len(whole) > 1:
        told = " and of ".join(f"`{name}`" for name in whole)
        shown = ", ".join(f"`{name}`" for name in sorted(known))
        help_ = f"put the check under the list that it looks at: `{whole[0]}: {{checks: [..]}}`"
        x.sink.add(level_problems.bad_check(c.when.span, f"{shown} could be that of {told}", help_))
    return whole[0] if whole else lists[0].name if lists else EPISODE


# ---- the order of everything -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Episode:
    """The checked rules of the episode itself."""

    requires: tuple[TCondition, ...]
    steps: tuple[TStep, ...]
    shares: tuple[TPartition, ...]
    guarantees: tuple[TCondition, ...]


def units_of(
    x: Context, episode: Episode, lists: tuple[TList, ...], groups: tuple[TGroup, ...], spreads: tuple[TSpread, ...]
) -> Units:
    """Everything that is computed, and what each of it reads."""
    shares: dict[tuple[str, str], str] = {}
    for level, partitions in ((EPISODE, episode.shares), *((g.name, g.shares) for g in groups)):
        for index, p in enumerate(partitions):
            for b in p.decl.bearers:
                for part in b.parts:
                    shares[level, part_key(index, p.decl, b, part)] = f"shares:{p.name}"
                if index == 0:
                    shares.setdefault((level, f"{b.name.name}_pays"), f"shares:{p.name}")
    units = Units(x.world, shares)
    for g in groups:
        units.add((g.name, MEMBERS), [k.value for k in g.keys])
    levels: list[
        tuple[str, tuple[TCondition, ...], tuple[TStep, ...], tuple[TPartition, ...], tuple[TCondition, ...]]
    ] = [(EPISODE, episode.requires, episode.steps, episode.shares, episode.guarantees)]
    levels += [(s.name, s.requires, s.steps, (), s.guarantees) for s in lists]
    levels += [(g.name, g.requires, g.steps, g.shares, g.guarantees) for g in groups]
    first: dict[str, list[tuple[str, str]]] = {}
    for level, requires, *_ in levels:
        for n, c in enumerate(requires):
            units.add((level, f"requires:{n}"), [c.that])
    for unit in [u for u in units.reads if u[1].startswith("requires:") and not units.reads[u]]:
        first.setdefault(unit[0], []).append(unit)
    for level, _, steps, partitions, guarantees in levels:
        for s in steps:
            units.add((level, s.name), [root for c in s.clauses for root in (c.when, c.then)])
        _receive(units, level, spreads)
        for p in partitions:
            units.add((level, f"shares:{p.name}"), [p.of, *(part.value for part in p.parts)])
            for b in p.decl.bearers:  # a step that bears a total's name must equal it
                if any(s.name == f"{b.name.name}_pays" for s in steps):
                    units.need((level, f"shares:{p.name}"), (level, f"{b.name.name}_pays"), b.name.span)
        for n, c in enumerate(guarantees):
            units.add((level, f"guarantee:{n}"), [c.that])
    _after_requires(units, x.world, first)
    for g in groups:
        for unit in [u for u in units.reads if u[0] == g.name and u[1] != MEMBERS]:
            units.need(unit, (g.name, MEMBERS), g.decl.name.span)
        if g.effective is not None:
            for unit in [u for u in units.reads if u[0] == g.name and u[1] != MEMBERS]:
                for (to, through), edge in _reads(units, g.effective).items():
                    if to != unit:
                        units.reads[unit].setdefault((to, through), edge)
    return units


def _reads(units: Units, root: TExpr) -> dict[tuple[tuple[str, str], str], Edge]:
    trial = Units(units.world, units.share_units)
    trial.add(("", ""), [root])
    return dict(trial.reads["", ""])


def _receive(units: Units, level: str, spreads: tuple[TSpread, ...]) -> None:
    for s in spreads:
        if s.target == level:
            units.add((level, s.name), [s.what, s.by])
            if s.source != EPISODE:
                units.need((level, s.name), (s.source, MEMBERS), s.decl.name.span)
                if not units.world.levels[s.source].in_bill:
                    units.given[level, s.name] = s.source


def _after_requires(units: Units, world: World, first: dict[str, list[tuple[str, str]]]) -> None:
    """Rows are tested before anything is computed of them: what the tests find, every rule may rely on."""
    bill = [u for level, found in first.items() if world.levels[level].in_bill for u in found]
    for unit in list(units.reads):
        if unit[1].startswith("requires:") and not units.reads[unit]:
            continue
        before = bill if world.levels[unit[0]].in_bill else first.get(unit[0], [])
        for condition in before:
            if condition != unit and unit[1] != MEMBERS:
                units.need(unit, condition, NOWHERE)
