"""Names, types, units, missing values, dates and cases of a whole rulebook: syntax tree to typed rulebook."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Protocol

from rxcalc.diagnostics.model import Sink
from rxcalc.lang import units
from rxcalc.lang.types import CODE, DATE, ERROR, FLAG, MONEY, Kind, OneOf, Plain, ScheduleType, Type
from rxcalc.rulebook.document import Mapping, Node, Scalar
from rxcalc.source import Span
from rxcalc.syntax import nodes as syn
from rxcalc.typed import problems, rules
from rxcalc.typed.decide import decide
from rxcalc.typed.expressions import ParameterShape, Scope, Tables, TableShape, Typer
from rxcalc.typed.facts import NO_FACTS
from rxcalc.typed.inputs import DEFAULT_BOUNDS, check_inputs
from rxcalc.typed.nodes import TColumn, TCondition, TInput, TParameter, TPart, TPartition, TTable, TTrend, TypedRulebook
from rxcalc.typed.sequence import check_sequence
from rxcalc.typed.symbols import Role, Symbol, SymbolTable, nearest
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
        self.set_decls: dict[str, tuple[syn.SetValue, ...]] = {}
        self.types: dict[str, Type] = {}

    # ---- the whole ----

    def run(self) -> TypedRulebook | None:
        decl = self.decl
        self._cites()
        symbols = self._symbols()
        shapes = self._shapes(symbols)
        typer = Typer(symbols, shapes, self.sink, lambda name: self.types.get(name, ERROR))
        values = Values(typer, self.sink)
        inputs = check_inputs(decl, self.resolve, self.set_values, values, self.sink)
        parameters = self._parameters(values, shapes)
        tables = self._tables(values, shapes)
        self._effective(inputs, parameters)
        check_sequence(decl, symbols, self.sink, typer.used)
        self.types.update(rules.infer_types(decl, self._step_type, symbols, shapes))
        requires = [TCondition(typer.condition(r.that, NO_FACTS, Scope()), r.say, r.span) for r in decl.requires]
        steps = rules.check_steps(decl, typer, values, self.types, self.set_values, self.sink)
        shares = self._shares(typer)
        guarantees, trends = self._guarantees(typer, symbols)
        outputs = self._outputs(typer, symbols)
        self._unused(symbols, typer.used)
        if self.sink.has_errors or steps is None:
            # Not lowered, so without the ranges of steps; what is certain without them is told all the same.
            decide(steps or (), inputs, {}, self.sink)
            return None
        return TypedRulebook(
            decl=decl,
            inputs=inputs,
            parameters=parameters,
            tables=tables,
            requires=tuple(requires),
            steps=steps,
            shares=shares,
            totals=self._totals(),
            guarantees=guarantees,
            trends=trends,
            outputs=outputs,
        )

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

    def _symbols(self) -> SymbolTable:
        names: dict[str, Symbol] = {}

        def add(ident: syn.Ident, role: Role, type_: Type | None = None, *, missing: bool = False) -> None:
            first = names.get(ident.name)
            if first is not None:
                self.sink.add(problems.duplicate_name(ident.span, ident.name, first.span, first.role.value))
                return
            names[ident.name] = Symbol(ident.name, role, ident.span, type_, missing)

        for i in self.decl.inputs:
            add(i.name, Role.INPUT, self.resolve(i.type), missing=i.optional and i.default is None)
        for s in self.decl.steps:
            add(s.name, Role.STEP, missing=s.optional)
        for p in self.decl.parameters:
            add(p.name, Role.PARAMETER)
        for t in self.decl.tables:
            add(t.name, Role.TABLE)
        for w in self.decl.windows:
            add(w.name, Role.WINDOW)
        shares: dict[str, Symbol] = {}
        for index, partition in enumerate(self.decl.shares):
            for bearer in partition.bearers:
                for part in bearer.parts:
                    key = part_key(index, partition, bearer, part)
                    if key in shares:
                        self.sink.add(problems.duplicate_name(part.span, key, shares[key].span, "part of the shares"))
                    shares[key] = Symbol(key, Role.PART, part.span, MONEY)
                if index == 0 and f"{bearer.name.name}_pays" not in names:
                    total = f"{bearer.name.name}_pays"
                    shares[total] = Symbol(total, Role.TOTAL, bearer.name.span, MONEY)
        for i in self.decl.inputs:
            if i.name.name == "episode_id" and (i.type.kind != "code" or i.optional or i.default is not None):
                self.sink.add(problems.bad_episode_id(i.type.span))
        return SymbolTable(names, shares)

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
            tables[t.name.name] = TableShape(tuple(self._table_key(k, symbols) for k in t.key), columns)
        return Tables(parameters, tables, frozenset(w.name.name for w in self.decl.windows), self.decl.currency)

    def _key_set(self, ident: syn.Ident, symbols: SymbolTable) -> OneOf | None:
        """`by:` names sets, or inputs or steps for their sets."""
        spec: syn.TypeSpec | None = self.sets.get(ident.name)
        if spec is None:
            owner: syn.InputDecl | syn.StepDecl | None = next(
                (i for i in self.decl.inputs if i.name.name == ident.name), None
            )
            owner = owner or next((s for s in self.decl.steps if s.name.name == ident.name), None)
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

    def _table_key(self, key: syn.KeyColumn, symbols: SymbolTable) -> Type:
        """A key column has the type of the input or step of its name, else it is a code (a range key: money)."""
        symbol = symbols.names.get(key.name.name)
        if symbol is not None and symbol.role is Role.INPUT and symbol.type is not None:
            return symbol.type
        step = next((s for s in self.decl.steps if s.name.name == key.name.name and s.type is not None), None)
        if step is not None and step.type is not None:
            return self.resolve(step.type)
        if key.name.name in self.sets:
            return self._one_of(self.sets[key.name.name])
        return CODE if key.match == "exact" else MONEY

    def _cites(self) -> None:
        known = tuple(s.name.name for s in self.decl.sources)
        declarations: tuple[_Described, ...] = (
            *self.decl.inputs, *self.decl.parameters, *self.decl.tables, *self.decl.steps, *self.decl.requires, *self.decl.shares,
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
            table = load_table(t, shape.keys, columns, self.folder, values, self.sink)
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

    # ---- shares, guarantees, outputs ----

    def _totals(self) -> tuple[str, ...]:
        return tuple(f"{b.name.name}_pays" for b in self.decl.shares[0].bearers) if self.decl.shares else ()

    def _shares(self, typer: Typer) -> tuple[TPartition, ...]:
        result: list[TPartition] = []
        for partition in self.decl.shares:
            of = typer.coerce(typer.value(partition.of, MONEY, NO_FACTS, Scope()), MONEY)
            parts: list[TPart] = []
            rests = [part for b in partition.bearers for part in b.parts if part.value is None]
            for extra in rests[1:]:
                self.sink.add(
                    problems.bad_shares(
                        extra.span, "there is a second `rest`", "only one part of a partition can take what is left"
                    )
                )
            if not any(b.parts for b in partition.bearers):
                self.sink.add(
                    problems.bad_shares(
                        partition.name.span,
                        f"`{partition.name.name}` has no parts",
                        "name at least one bearer with a part",
                    )
                )
            for b in partition.bearers:
                for part in b.parts:
                    value = None
                    if part.value is not None:
                        value = typer.coerce(typer.value(part.value, MONEY, NO_FACTS, Scope()), MONEY)
                    parts.append(TPart(b.name.name, part.name.name if part.name else "", value, part, b))
            result.append(TPartition(partition.name.name, of, tuple(parts), partition))
        return tuple(result)

    def _guarantees(self, typer: Typer, symbols: SymbolTable) -> tuple[tuple[TCondition, ...], tuple[TTrend, ...]]:
        conditions: list[TCondition] = []
        trends: list[TTrend] = []
        for g in self.decl.guarantees:
            if g.kind == "compare" and g.that is not None:
                conditions.append(TCondition(typer.condition(g.that, NO_FACTS, Scope(shares=True)), g.say, g.span))
            elif g.what is not None and g.within is not None:
                what = typer.value(g.what, None, NO_FACTS, Scope(shares=True))
                symbol = symbols.names.get(g.within.name)
                if symbol is None or symbol.role is not Role.INPUT:
                    self.sink.add(
                        problems.unknown_name(
                            g.within.span,
                            g.within.name,
                            nearest(g.within.name, [i.name.name for i in self.decl.inputs]),
                        )
                    )
                elif (
                    not isinstance(symbol.type, Plain) or symbol.type.kind not in DEFAULT_BOUNDS or symbol.type == FLAG
                ):
                    self.sink.add(
                        problems.wrong_type(
                            g.within.span, "an input with a range (amount, number, date)", f"a {symbol.type}"
                        )
                    )
                typer.used.add(g.within.name)
                trends.append(TTrend(g.kind, what, g.within.name, g.span))
        return tuple(conditions), tuple(trends)

    def _outputs(self, typer: Typer, symbols: SymbolTable) -> tuple[str, ...]:
        result: list[str] = []
        for ident in self.decl.outputs:
            symbol = symbols.names.get(ident.name) or symbols.shares.get(ident.name)
            if symbol is None:
                self.sink.add(problems.unknown_name(ident.span, ident.name, symbols.nearest(ident.name)))
                continue
            if symbol.role not in (Role.STEP, Role.TOTAL, Role.PART):
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

    def _unused(self, symbols: SymbolTable, used: set[str]) -> None:
        effective = {self.decl.effective.by.name, "episode_id"}
        if self.sink.has_errors:
            return  # the rule that reads it may be the one in error
        for symbol in symbols.names.values():
            watched = symbol.role in (Role.PARAMETER, Role.TABLE, Role.WINDOW) or (
                symbol.role is Role.STEP and not self._names_total(symbol.name)
            )
            if watched and symbol.name not in used | effective:
                self.sink.add(problems.unused(symbol.span, symbol.name, symbol.role.value))

    def _names_total(self, name: str) -> bool:
        return name in self._totals()


def _unfit(of: ScheduleType) -> str:
    """Why a schedule cannot be read as its type says, as advice; empty when it can."""
    if of.value not in units.SUMS or of.over not in units.SUMS:
        return "a schedule gives numbers, amounts or durations over numbers, amounts or durations"
    if of.form == "bands" and units.multiply(Plain(of.over), Plain(of.value)) is None:
        return f"bands multiply {of.over.value} by {of.value.value}, which has no unit; `cliff of ..` gives one whole value per slice"
    if of.form == "curve" and of.value in (Kind.COUNT, Kind.DAYS, Kind.MONTHS, Kind.YEARS):
        return "between two points a curve gives fractions: say `curve of number`, and round what it gives"
    return ""


def part_key(index: int, partition: syn.PartitionDecl, bearer: syn.BearerDecl, part: syn.PartDecl) -> str:
    """The name of a part: `patient.deductible`; `fund` when unnamed; later partitions in front: `hospital_side.fund`."""
    name = f"{bearer.name.name}.{part.name.name}" if part.name else bearer.name.name
    return name if index == 0 else f"{partition.name.name}.{name}"


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
