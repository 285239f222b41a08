"""Names, types, units, missing values, dates and cases of a whole rulebook: syntax tree to typed rulebook."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from rxcalc.diagnostics.model import Sink
from rxcalc.lang import units
from rxcalc.lang.types import CODE, DATE, ERROR, MONEY, Kind, OneOf, Plain, ScheduleType, Type
from rxcalc.rulebook.bases import HIDDEN
from rxcalc.rulebook.document import Mapping, Node, Scalar
from rxcalc.source import Span
from rxcalc.syntax import nodes as syn
from rxcalc.typed import levels, problems, rules
from rxcalc.typed.check_levels import (
    Context,
    Episode,
    check_checks,
    check_groups,
    check_keys,
    check_lists,
    check_spreads,
    units_of,
)
from rxcalc.typed.decide import decide
from rxcalc.typed.expressions import ParameterShape, Tables, TableShape, Typer
from rxcalc.typed.inputs import check_inputs
from rxcalc.typed.levels import EPISODE, World
from rxcalc.typed.nodes import TColumn, TInput, TParameter, TTable, TypedRulebook
from rxcalc.typed.order import blocks
from rxcalc.typed.sequence import check_sequence
from rxcalc.typed.shares import (
    check_guarantees,
    check_requires,
    check_shares,
    check_trends,
    part_key,
    totals_of,
)
from rxcalc.typed.symbols import Role, SymbolTable, nearest
from rxcalc.typed.tables import load_table
from rxcalc.typed.values import Values


def check(decl: syn.RulebookDecl, folder: Path, sink: Sink) -> TypedRulebook | None:
    """The typed rulebook, or None after errors (all reported to the sink)."""
    return _Checker(decl, folder, sink).run()


class _Described(Protocol):
    """A declaration that may cite a source."""

    @property
    def meta(self) -> syn.Meta: ...


class _Checker:
    def __init__(self, decl: syn.RulebookDecl, folder: Path, sink: Sink) -> None:
        self.decl = decl
        self.folder = folder
        self.sink = sink
        self.sets = {s.name.name: s.type for s in decl.sets}

    # ---- the whole ----

    def run(self) -> TypedRulebook | None:
        decl = self.decl = levels.distinct(self.decl, self.sink)
        self._cites()
        world = levels.build(decl, self.resolve, part_key, self.sink)
        self._episode_id()
        symbols = world.levels[EPISODE].symbols
        shapes = self._shapes(symbols)
        typer = Typer(world, EPISODE, shapes, self.sink)
        values = Values(typer, self.sink)
        inputs = check_inputs(decl, decl.inputs, self.resolve, self.set_values, values, self.sink)
        parameters = self._parameters(values, shapes)
        tables = self._tables(values, shapes)
        self._effective(inputs, parameters)
        check_sequence(decl, symbols, self.sink, typer.used)
        stepped = [(EPISODE, s) for s in decl.steps]
        stepped += [(x.name.name, s) for x in decl.lists for s in x.steps]
        stepped += [(g.name.name, s) for g in decl.groups if g.name.name in world.levels for s in g.steps]
        keyed = [
            (g.name.name, world.levels[g.name.name].of, k)
            for g in decl.groups
            if g.name.name in world.levels
            for k in g.by
        ]
        rules.infer_types(world, stepped, keyed, self._step_type, shapes)
        context = Context(decl, world, shapes, values, self.sink, typer.used, self.resolve, self.set_values)
        keys = check_keys(context)
        episode = Episode(
            check_requires(decl.requires, typer),
            rules.check_steps(decl, decl.steps, typer, values, self.set_values, self.sink),
            check_shares(decl.shares, typer, self.sink),
            check_guarantees(decl.guarantees, typer, self.sink),
        )
        trends = check_trends(decl.guarantees, typer, self.sink)
        lists, groups = check_lists(context), check_groups(context, keys)
        spreads, checks = check_spreads(context), check_checks(context)
        ordered = blocks(units_of(context, episode, lists, groups, spreads), self.sink)
        outputs = self._outputs(typer, symbols)
        if not self.sink.has_errors:
            rules.uninferred(stepped, world, self.sink)
        self._unused(world, typer.used)
        place = {item: at for at, item in enumerate(item for b in ordered or () for item in b.items)}
        steps = tuple(sorted(episode.steps, key=lambda s: place.get((EPISODE, s.name), 0)))
        typed = TypedRulebook(
            decl=decl,
            inputs=inputs,
            parameters=parameters,
            tables=tables,
            requires=episode.requires,
            steps=steps,
            shares=episode.shares,
            totals=totals_of(decl.shares),
            guarantees=episode.guarantees,
            trends=trends,
            outputs=outputs,
            lists=lists,
            groups=groups,
            spreads=spreads,
            checks=checks,
            blocks=ordered or (),
        )
        if self.sink.has_errors or ordered is None:
            # Not lowered, so without the ranges of steps; what is certain without them is told all the same.
            decide(typed, {}, self.sink)
            return None
        return typed

    def _episode_id(self) -> None:
        for i in self.decl.inputs:
            if i.name.name == "episode_id" and (i.type.kind != "code" or i.optional or i.default is not None):
                self.sink.add(problems.bad_episode_id(i.type.span))

    # ---- types ----

    def resolve(self, spec: syn.TypeSpec) -> Type:
        """The type that a specification names; ERROR when reported."""
        match spec.kind:
            case "one_of":
                return self._one_of(spec)
            case "bands" | "cliff" | "curve":
                found = ScheduleType(spec.kind, Kind(spec.value), Kind(spec.over))
                help_ = _unfit(found)
                if not help_:
                    return found
                self.sink.add(problems.bad_value(spec.span, str(found), "type", help_))
                return ERROR
            case _:
                try:
                    return Plain(Kind(spec.kind))
                except ValueError:
                    near = nearest(spec.kind, tuple(k.value for k in Kind))
                    self.sink.add(
                        problems.bad_value(spec.span, spec.kind, "type", f"did you mean `{near}`?" if near else "")
                    )
                    return ERROR

    def _one_of(self, spec: syn.TypeSpec) -> Type:
        if spec.set_name is not None:
            found = self.sets.get(spec.set_name.name)
            if found is None:
                near = nearest(spec.set_name.name, tuple(self.sets))
                self.sink.add(problems.unknown_name(spec.set_name.span, spec.set_name.name, near))
                return ERROR
            return self._one_of(found)
        seen: dict[str, Span] = {}
        for value in spec.values:
            if value.name in seen:
                self.sink.add(problems.duplicate_name(value.span, value.name, seen[value.name], "value of this set"))
            seen.setdefault(value.name, value.span)
        spellings: dict[str, str] = {}
        for value in spec.values:
            for spelling in (value.name, *value.aliases):
                if spellings.setdefault(spelling, value.name) != value.name:
                    self.sink.add(
                        problems.duplicate_name(
                            value.span, spelling, seen[spellings[spelling]], "value of this set, or its alias"
                        )
                    )
        return OneOf(tuple(seen), spec.ordered)

    def set_values(self, spec: syn.TypeSpec | None) -> tuple[syn.SetValue, ...]:
        """The declared values behind a `one_of`, for labels and aliases."""
        if spec is None or spec.kind != "one_of":
            return ()
        if spec.set_name is not None:
            found = self.sets.get(spec.set_name.name)
            return found.values if found else ()
        return spec.values

    def _step_type(self, step: syn.StepDecl) -> Type | None:
        return self.resolve(step.type) if step.type is not None else None

    # ---- names ----

    def _shapes(self, symbols: SymbolTable) -> Tables:
        parameters: dict[str, ParameterShape] = {}
        for p in self.decl.parameters:
            keys = [self._key_set(ident, symbols) for ident in p.by]
            if all(k is not None for k in keys):
                parameters[p.name.name] = ParameterShape(
                    self.resolve(p.type), tuple(k for k in keys if k is not None), _has_none(p)
                )
        tables: dict[str, TableShape] = {}
        for t in self.decl.tables:
            columns: dict[str, tuple[Type, bool]] = {}
            for c in t.columns:
                if c.name.name in columns:
                    self.sink.add(problems.duplicate_name(c.name.span, c.name.name, c.name.span, "column"))
                columns[c.name.name] = (self.resolve(c.type), c.optional)
            tables[t.name.name] = TableShape(tuple(self._table_key(k) for k in t.key), columns)
        return Tables(parameters, tables, self.decl.currency)

    def _key_set(self, ident: syn.Ident, symbols: SymbolTable) -> OneOf | None:
        """`by:` names sets, or inputs or steps for their sets."""
        spec: syn.TypeSpec | None = self.sets.get(ident.name)
        if spec is None:
            owner = next((field for field in self._fields() if field.name.name == ident.name), None)
            if owner is None:
                near = symbols.nearest(ident.name, tuple(self.sets))
                self.sink.add(problems.unknown_name(ident.span, ident.name, near))
                return None
            spec = owner.type
        if spec is None or spec.kind != "one_of":
            found = spec.kind if spec is not None else "step without `one_of:`"
            self.sink.add(
                problems.wrong_type(
                    ident.span, "a set, or an input or step with `one_of:`", found, "only closed sets can be keys"
                )
            )
            return None
        result = self._one_of(spec)
        return result if isinstance(result, OneOf) else None

    def _fields(self) -> Iterator[syn.InputDecl | syn.StepDecl]:
        """Inputs and steps of all levels, the episode's first."""
        decl = self.decl
        yield from decl.inputs
        yield from decl.steps
        for s in decl.lists:
            yield from s.inputs
            yield from s.steps
        for g in decl.groups:
            yield from g.inputs
            yield from g.steps

    def _table_key(self, key: syn.KeyColumn) -> Type:
        """A key column has the type of the input or step of its name, else it is a code (a range key: money)."""
        field = next((f for f in self._fields() if f.name.name == key.name.name and f.type is not None), None)
        if field is not None and field.type is not None:
            return self.resolve(field.type)
        if key.name.name in self.sets:
            return self._one_of(self.sets[key.name.name])
        return CODE if key.match == "exact" else MONEY

    def _cites(self) -> None:
        known = tuple(s.name.name for s in self.decl.sources)
        declarations: tuple[_Described, ...] = (
            *self._fields(), *self.decl.parameters, *self.decl.tables, *self.decl.requires, *self.decl.shares,
            *self.decl.checks, *self.decl.spreads, *(s for g in self.decl.groups for s in g.spreads),
            *(c for g in self.decl.groups for c in g.checks), *(c for s in self.decl.lists for c in s.checks),
            *(b for p in self.decl.shares for b in p.bearers), *(q for p in self.decl.shares for b in p.bearers for q in b.parts),
        )  # fmt: skip
        for declared in declarations:
            for cite in declared.meta.cite:
                if cite.source not in known:
                    self.sink.add(problems.unknown_source(cite.span, cite.source, nearest(cite.source, known)))

    # ---- inputs, parameters, tables ----

    def _parameters(self, values: Values, shapes: Tables) -> tuple[TParameter, ...]:
        result: list[TParameter] = []
        # Limits of schedules may read parameters that hold single values, so those come first.
        for schedules in (False, True):
            for p in self.decl.parameters:
                shape = shapes.parameters.get(p.name.name)
                if shape is None or isinstance(shape.type, ScheduleType) is not schedules:
                    continue
                read = values.parameter(p, shape.type, shape.keys)
                if read is not None:
                    result.append(read)
        place = {p.name.name: at for at, p in enumerate(self.decl.parameters)}
        return tuple(sorted(result, key=lambda p: place[p.name]))

    def _tables(self, values: Values, shapes: Tables) -> tuple[TTable, ...]:
        result: list[TTable] = []
        for t in self.decl.tables:
            shape = shapes.tables[t.name.name]
            columns = tuple(self._column(c, shape.columns[c.name.name][0], values) for c in t.columns)
            for key in t.key[:-1]:
                if key.match != "exact":
                    self.sink.add(
                        problems.bad_value(
                            key.name.span, key.match, "place for a range key", "a range key is the last key"
                        )
                    )
            base = self.decl.base_at(t.file.span)
            folder = self.folder / base.folder if base is not None else self.folder
            table = load_table(t, shape.keys, columns, folder, values, self.sink)
            if table is not None:
                result.append(table)
        return tuple(result)

    def _column(self, c: syn.ColumnDecl, type_: Type, values: Values) -> TColumn:
        decimals: int | None = self.decl.decimals if type_ == MONEY else None
        if c.decimals is not None:
            given = values.scalar(c.decimals, Plain(Kind.COUNT))
            decimals = given if isinstance(given, int) else decimals
        return TColumn(c.name.name, type_, c.optional, c, decimals)

    def _effective(self, inputs: tuple[TInput, ...], parameters: tuple[TParameter, ...]) -> None:
        effective = self.decl.effective
        by = next((i for i in inputs if i.name == effective.by.name), None)
        if by is None:
            near = nearest(effective.by.name, [i.name for i in inputs])
            self.sink.add(problems.unknown_name(effective.by.span, effective.by.name, near))
        elif by.type != DATE or by.optional:
            self.sink.add(
                problems.wrong_type(
                    effective.by.span,
                    "a date input that is always given",
                    f"{'an optional' if by.optional else 'a'} {by.type}",
                )
            )
        for p in parameters:
            if not p.segments:
                continue
            first = p.segments[0].start
            if first > effective.start:
                span = p.decl.values[0].span
                gap = f"from {effective.start} to {first - timedelta(days=1)}"
                self.sink.add(
                    problems.no_value_at(
                        span,
                        p.name,
                        gap,
                        f"the rulebook is effective from {effective.start}: give a value from then on, or `none`",
                    )
                )
            if p.end is not None and (effective.end is None or p.end < effective.end) and p.decl.ends is not None:
                self.sink.add(
                    problems.no_value_at(
                        p.decl.ends.span,
                        p.name,
                        f"after {p.end}",
                        "the rulebook is still effective then: give a further value, or end `effective` too",
                    )
                )

    # ---- outputs ----

    def _outputs(self, typer: Typer, symbols: SymbolTable) -> tuple[str, ...]:
        result: list[str] = []
        for ident in self.decl.outputs:
            symbol = symbols.names.get(ident.name) or symbols.shares.get(ident.name)
            if symbol is None:
                level = _level_with(typer.world, ident.name)
                if level:
                    help_ = (
                        f"outputs are results of the episode; all results of `{level}` are written with its own rows"
                    )
                    self.sink.add(problems.wrong_role(ident.span, ident.name, f"field of `{level}`", help_))
                else:
                    self.sink.add(problems.unknown_name(ident.span, ident.name, symbols.nearest(ident.name)))
                continue
            if symbol.role not in (Role.STEP, Role.TOTAL, Role.PART, Role.RECEIVED):
                self.sink.add(
                    problems.wrong_role(
                        ident.span,
                        ident.name,
                        symbol.role.value,
                        "outputs are steps, totals or parts of the shares; inputs are copied anyway",
                    )
                )
                continue
            if ident.name in result:
                self.sink.add(problems.duplicate_name(ident.span, ident.name, ident.span, "output"))
                continue
            typer.used.add(ident.name)
            result.append(ident.name)
        return tuple(result)

    def _unused(self, world: World, used: set[str]) -> None:
        needed = {self.decl.effective.by.name, "episode_id"} | used
        if self.sink.has_errors:
            return  # the rule that reads it may be the one in error
        totals = totals_of(self.decl.shares)
        shared = world.levels[EPISODE].symbols.names
        for symbol in (
            *shared.values(),
            *(s for level in world.levels.values() if level.name for s in level.own.values()),
        ):
            watched = symbol.role in (Role.PARAMETER, Role.TABLE) or (
                symbol.role is Role.WINDOW and symbol.name != levels.ABOVE
            )
            if symbol.role is Role.STEP and not symbol.level:
                watched = symbol.name not in totals
            if watched and symbol.key not in needed and HIDDEN not in symbol.name:
                self.sink.add(problems.unused(symbol.span, symbol.name, symbol.role.value))


def _unfit(of: ScheduleType) -> str:
    """Why a schedule cannot be read as its type says, as advice; empty when it can."""
    if of.value not in units.SUMS or of.over not in units.SUMS:
        return "a schedule gives numbers, amounts or durations over numbers, amounts or durations"
    if of.form == "bands" and units.multiply(Plain(of.over), Plain(of.value)) is None:
        return f"bands multiply {of.over.value} by {of.value.value}, which has no unit; `cliff of ..` gives one whole value per slice"
    if of.form == "curve" and of.value in (Kind.COUNT, Kind.DAYS, Kind.MONTHS, Kind.YEARS):
        return "between two points a curve gives fractions: say `curve of number`, and round what it gives"
    return ""


def _level_with(world: World, name: str) -> str:
    """The list or group that has a field `part`, or is named in `lines.part`."""
    head = name.partition(".")[0]
    if head in world.levels:
        return head
    return next((level.name for level in world.levels.values() if level.name and name in level.own), "")


def _has_none(p: syn.ParameterDecl) -> bool:
    stack: list[Node] = [v.value for v in p.values]
    while stack:
        node = stack.pop()
        match node:
            case Scalar():
                if node.text == "none" and not node.is_quoted:
                    return True
            case Mapping():
                stack.extend(entry.value for entry in node.entries)
    return False
