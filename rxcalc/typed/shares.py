"""Partitions of an amount among bearers, conditions and guarantees: of the episode or of a group."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from rxcalc.diagnostics.model import Sink
from rxcalc.lang.types import FLAG, MONEY, Plain
from rxcalc.syntax import nodes as syn
from rxcalc.typed import level_problems, problems
from rxcalc.typed.expressions import Scope, Typer
from rxcalc.typed.facts import NO_FACTS
from rxcalc.typed.inputs import DEFAULT_BOUNDS
from rxcalc.typed.nodes import TCondition, TPart, TPartition, TTrend
from rxcalc.typed.symbols import Role, nearest

_X12: Final = re.compile(r"(PR|CO|OA|PI|CR)-[0-9A-Z]{1,4}")


def part_key(index: int, partition: syn.PartitionDecl, bearer: syn.BearerDecl, part: syn.PartDecl) -> str:
    """The name of a part: `patient.deductible`; `fund` when unnamed; later partitions in front: `hospital_side.fund`."""
    name = f"{bearer.name.name}.{part.name.name}" if part.name else bearer.name.name
    return name if index == 0 else f"{partition.name.name}.{name}"


def totals_of(partitions: tuple[syn.PartitionDecl, ...]) -> tuple[str, ...]:
    """The automatic totals: `<bearer>_pays` of each bearer of the first partition."""
    return tuple(f"{b.name.name}_pays" for b in partitions[0].bearers) if partitions else ()


def check_shares(partitions: tuple[syn.PartitionDecl, ...], typer: Typer, sink: Sink) -> tuple[TPartition, ...]:
    """The partitions of the typer's level."""
    result: list[TPartition] = []
    for partition in partitions:
        of = typer.coerce(typer.value(partition.of, MONEY, NO_FACTS, Scope()), MONEY)
        parts: list[TPart] = []
        rests = [part for b in partition.bearers for part in b.parts if part.value is None]
        for extra in rests[1:]:
            help_ = "only one part of a partition can take what is left"
            sink.add(problems.bad_shares(extra.span, "there is a second `rest`", help_))
        if not any(b.parts for b in partition.bearers):
            message = f"`{partition.name.name}` has no parts"
            sink.add(problems.bad_shares(partition.name.span, message, "name at least one bearer with a part"))
        for b in partition.bearers:
            for part in b.parts:
                value = None
                if part.value is not None:
                    value = typer.coerce(typer.value(part.value, MONEY, NO_FACTS, Scope()), MONEY)
                if part.x12 is not None and not _X12.fullmatch(part.x12.name):
                    sink.add(problems.bad_x12(part.x12.span, part.x12.name))
                parts.append(TPart(b.name.name, part.name.name if part.name else "", value, part, b))
        result.append(TPartition(partition.name.name, of, tuple(parts), partition))
    return tuple(result)


def check_requires(conditions: Iterable[syn.Condition], typer: Typer) -> tuple[TCondition, ...]:
    """The `requires:` of the typer's level."""
    return tuple(TCondition(typer.condition(r.that, NO_FACTS, Scope()), r.say, r.span) for r in conditions)


def check_guarantees(guarantees: Iterable[syn.GuaranteeDecl], typer: Typer, sink: Sink) -> tuple[TCondition, ...]:
    """The comparison guarantees of the typer's level; other forms are only for episodes."""
    conditions: list[TCondition] = []
    for g in guarantees:
        if g.kind == "compare" and g.that is not None:
            conditions.append(TCondition(typer.condition(g.that, NO_FACTS, Scope(shares=True)), g.say, g.span))
        elif typer.level:
            help_ = "`increasing` and `within` are tried on whole episodes; say a condition of the row"
            sink.add(
                level_problems.bad_level(g.span, f"`{g.kind}` stands among the guarantees of `{typer.level}`", help_)
            )
    return tuple(conditions)


def check_trends(guarantees: Iterable[syn.GuaranteeDecl], typer: Typer, sink: Sink) -> tuple[TTrend, ...]:
    """The guarantees `increasing` and `within` of the episode."""
    trends: list[TTrend] = []
    own = typer.world.levels[typer.level].own
    inputs = [s.name for s in own.values() if s.role is Role.INPUT]
    for g in guarantees:
        if g.what is None or g.within is None:
            continue
        what = typer.value(g.what, None, NO_FACTS, Scope(shares=True))
        symbol = own.get(g.within.name)
        if symbol is None or symbol.role is not Role.INPUT:
            sink.add(problems.unknown_name(g.within.span, g.within.name, nearest(g.within.name, inputs)))
        elif not isinstance(symbol.type, Plain) or symbol.type.kind not in DEFAULT_BOUNDS or symbol.type == FLAG:
            wanted = "an input with a range (amount, number, date)"
            sink.add(problems.wrong_type(g.within.span, wanted, f"a {symbol.type}"))
        typer.used.add(g.within.name)
        trends.append(TTrend(g.kind, what, g.within.name, g.span))
    return tuple(trends)
