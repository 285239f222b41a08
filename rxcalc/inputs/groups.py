"""Groups given in an episode or example file: results that stand for groups, or inputs of groups to compute."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from fractions import Fraction

from rxcalc.diagnostics.model import Sink
from rxcalc.inputs import problems
from rxcalc.inputs.cells import CellProblem, CellReader
from rxcalc.inputs.episodes import EpisodeEntry, Fields
from rxcalc.lang.types import MONEY, Type, is_numeric, is_whole
from rxcalc.plan.nodes import Place, Plan, PlanGroup, PlanInput, PlanSetValue, Value, share_name
from rxcalc.rulebook.document import Scalar

WIDE = Fraction(10**24)
DECIMALS = 12


@dataclass(frozen=True)
class GivenGroups:
    """Rows by kind. `inputs` hold keys and inputs of groups to compute; `results` stand for groups and are not computed.

    A row of `results` without keys stands for every group of its kind.
    """

    inputs: Mapping[str, tuple[Mapping[str, Value], ...]] = field(default_factory=dict)
    results: Mapping[str, tuple[Mapping[str, Value], ...]] = field(default_factory=dict)


def result_spec(name: str, type_: Type, values: tuple[PlanSetValue, ...] = (), *, optional: bool = False) -> PlanInput:
    """A computed value as if it were an input: read back by the same rules, its bounds left open."""
    wide = WIDE if is_numeric(type_) else None
    return PlanInput(
        name=name, type=type_, optional=optional, default=None, low=None if wide is None else -wide, high=wide,
        decimals=0 if is_whole(type_) else DECIMALS, values=values, flags=(), drop_time=False, aliases=(), label=(),
        names=(), place=Place(),
    )  # fmt: skip


def key_specs(group: PlanGroup, plan: Plan) -> tuple[PlanInput, ...]:
    """The keys of a group as inputs. A value of a set may be spelt as in the input that bears the key's name."""
    spelt: dict[str, tuple[PlanSetValue, ...]] = {i.name: i.values for i in plan.inputs}
    spelt |= {i.name: i.values for li in plan.lists for i in li.inputs if i.name not in spelt}
    return tuple(
        result_spec(key.name, key.type, spelt.get(key.name) or plain_values(key.type), optional=False)
        for key in group.keys
    )


def plain_values(type_: Type) -> tuple[PlanSetValue, ...]:
    """The values of a set by their names alone; () for every other type."""
    names: tuple[str, ...] = getattr(type_, "values", ())
    return tuple(PlanSetValue(name, (), ()) for name in names)


def result_specs(group: PlanGroup, plan: Plan) -> tuple[PlanInput, ...]:
    """The results of a group: steps, parts, totals, and what it receives of a spread."""
    steps = [
        result_spec(s.name, s.type, s.values or plain_values(s.type), optional=s.optional)
        for s in group.steps
        if not s.lazy
    ]
    parts = [share_name(at, p.name, part.bearer, part.part) for at, p in enumerate(group.shares) for part in p.parts]
    received = [s.name for s in plan.spreads if s.target == group.name]
    return (*steps, *(result_spec(name, MONEY) for name in dict.fromkeys((*parts, *group.totals, *received))))


def read_groups(entry: EpisodeEntry, plan: Plan, sink: Sink) -> GivenGroups:
    """What an entry gives of groups; what is wrong goes to the sink.

    Where the episodes listed are all there are (an example, `episodes:`), rows of keys and inputs alone are
    inputs; elsewhere every row is a result.
    """
    inputs: dict[str, tuple[Mapping[str, Value], ...]] = {}
    results: dict[str, tuple[Mapping[str, Value], ...]] = {}
    kinds = {group.name: group for group in plan.groups}
    for kind, rows in entry.groups:
        group = kinds.get(kind.text)
        if group is None or group.inside:
            _unknown_kind(kind, group, kinds, sink)
            continue
        computed = {spec.name for spec in result_specs(group, plan)}
        given = [bool(computed & row.values.keys()) for row in rows]
        if entry.closed and any(given) and not all(given):
            row = rows[given.index(False)]
            message = f"some rows of `{kind.text}` give results and others only inputs"
            sink.add(problems.bad_group(row.span, message, "give results for all of its groups, or for none"))
            continue
        as_results = any(given) or not entry.closed
        read = [_row(group, plan, row, sink, results=as_results, single=len(rows) == 1) for row in rows]
        (results if as_results else inputs)[kind.text] = tuple(row for row in read if row is not None)
    for name in (*inputs, *results):
        _doubled(kinds[name], inputs.get(name) or results.get(name) or (), entry, sink)
    if not entry.closed:
        # One bill does not tell what its group amounts to: a row without results refuses whoever reads one.
        results |= {group.name: ({},) for group in plan.groups if not group.inside and group.name not in results}
    return GivenGroups(inputs, results)


def results_given(plan: Plan, groups: Mapping[str, object]) -> dict[str, tuple[Mapping[str, Value], ...]] | CellProblem:
    """Results of groups from Python values: by kind one map of results, or several with the keys.

    A kind that is not given stands there too, without results: reading one refuses the bill.
    """
    kinds = {group.name: group for group in plan.groups if not group.inside}
    found: dict[str, tuple[Mapping[str, Value], ...]] = {name: ({},) for name in kinds}
    for name, given in groups.items():
        rows = [given] if isinstance(given, Mapping) else given
        if name not in kinds or not isinstance(rows, list | tuple):
            return CellProblem("RX757", name, str(given), f"`{name}` is no group of this rulebook across bills")
        group = kinds[name]
        specs = {spec.name: spec for spec in (*key_specs(group, plan), *group.inputs, *result_specs(group, plan))}
        read: list[Mapping[str, Value]] = []
        for row in rows:
            values: dict[str, Value] = {}
            for field_, value in row.items():
                if field_ not in specs:
                    return CellProblem("RX757", f"{name}.{field_}", str(value), _unknown(group, field_, specs)[0])
                cell = CellReader.of(specs[field_], plan.currency).value(value)
                if isinstance(cell, CellProblem):
                    return CellProblem("RX757", f"{name}.{field_}", cell.value, cell.message)
                values[field_] = cell
            read.append(values)
        lacking = [key.name for row in read for key in group.keys if key.name not in row]
        if lacking and not (len(read) == 1 and len(lacking) == len(group.keys)):
            return CellProblem(
                "RX757", name, "", f"a group of `{name}` does not say its {', '.join(dict.fromkeys(lacking))}"
            )
        found[name] = tuple(read)
    return found


def _row(
    group: PlanGroup, plan: Plan, row: Fields, sink: Sink, *, results: bool, single: bool
) -> Mapping[str, Value] | None:
    """The values of one row; None when any is wrong."""
    keys, own = key_specs(group, plan), group.inputs
    computed = result_specs(group, plan) if results else ()
    specs = {spec.name: spec for spec in (*keys, *own, *computed)}
    aliases = {alias: spec.name for spec in own for alias in spec.aliases}
    values: dict[str, Value] = {}
    fine = True
    for name, text in row.values.items():
        spec = specs.get(aliases.get(name, name))
        if spec is None:
            known = (*specs, *aliases, *(spec.name for spec in result_specs(group, plan)))
            sink.add(problems.bad_group(row.keys[name], *_unknown(group, name, known)))
            fine = False
            continue
        found = CellReader.of(spec, plan.currency).read(text)
        if isinstance(found, CellProblem):
            sink.add(problems.bad_group(row.spans[name], found.message, "write the value as a result shows it"))
            fine = False
        else:
            values[spec.name] = found
    lacking = [key.name for key in keys if key.name not in values]
    if fine and lacking and not (results and single and len(lacking) == len(keys)):
        message = f"the group of `{group.name}` does not say its {', '.join(lacking)}"
        sink.add(problems.bad_group(row.span, message, f"its keys are {', '.join(key.name for key in keys)}"))
        fine = False
    for spec in own if fine and not results else ():
        absent = CellReader.of(spec, plan.currency).absent("")
        if spec.name in row.values or any(alias in row.values for alias in spec.aliases):
            continue
        if isinstance(absent, CellProblem):
            message = f"the group of `{group.name}` does not give its {spec.name}"
            sink.add(problems.bad_group(row.span, message, "give it, or leave the group out if nothing is known of it"))
            fine = False
        else:
            values[spec.name] = absent
    return values if fine else None


def _unknown_kind(kind: Scalar, group: PlanGroup | None, kinds: Iterable[str], sink: Sink) -> None:
    if group is not None:
        message = f"groups of `{kind.text}` lie inside one bill and are computed from its rows"
        sink.add(problems.bad_group(kind.span, message, "leave them out"))
        return
    known = list(kinds)
    near = get_close_matches(kind.text[:80], known, n=1)
    names = f"its groups are {', '.join(known)}" if known else "it has no groups at all"
    message = f"the rulebook has no group `{kind.text}`"
    sink.add(problems.bad_group(kind.span, message, f"did you mean `{near[0]}`?" if near else names))


def _unknown(group: PlanGroup, name: str, known: Iterable[str]) -> tuple[str, str]:
    names = list(dict.fromkeys(known))
    near = get_close_matches(name[:80], names, n=1)
    return (
        f"`{name}` is no key, input or result of group `{group.name}`",
        f"did you mean `{near[0]}`?" if near else f"it has {', '.join(names)}",
    )


def _doubled(group: PlanGroup, rows: tuple[Mapping[str, Value], ...], entry: EpisodeEntry, sink: Sink) -> None:
    """Refuses two rows for one group."""
    seen: set[tuple[Value, ...]] = set()
    for row in rows:
        key = tuple(row.get(k.name) for k in group.keys)
        if key in seen:
            place = next(kind.span for kind, _ in entry.groups if kind.text == group.name)
            told = ", ".join(f"{k.name} {row.get(k.name)}" for k in group.keys)
            sink.add(problems.bad_group(place, f"`{group.name}` has two rows for {told}", "keep one"))
        seen.add(key)
