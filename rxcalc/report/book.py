"""A plan as explanations read it, and the rows that were evaluated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from rxcalc.backends.lookups import NO_VALUE, ParameterIndex, TableIndex
from rxcalc.lang.types import OneOf, Type
from rxcalc.plan.nodes import Plan, PlanGroup, PlanInput, PlanList, PlanStep, Value, Words
from rxcalc.report.order import Result, bill_order
from rxcalc.report.wording import Wording
from rxcalc.tracing.model import GroupKey, GroupTrace, Recorder

__all__ = ["Book", "Result", "Seen", "level_of"]


class Book:
    """A plan as explanations read it, with what is known of the groups behind one bill."""

    def __init__(
        self, plan: Plan, wording: Wording, groups: Mapping[GroupKey, GroupTrace], inside: Mapping[GroupKey, int]
    ) -> None:
        self.plan = plan
        self.wording = wording
        self.sentences = wording.for_sentences()
        self.groups = groups
        self.inside = inside  # line groups and how many lines each has
        self.parameters = {p.name: p for p in plan.parameters}
        self.tables = {t.name: t for t in plan.tables}
        self.kinds = {g.name: g for g in plan.groups}
        self._rows: dict[str, TableIndex] = {}
        self._values: dict[str, ParameterIndex] = {}
        self._order = bill_order(plan)
        self._fields = _fields(plan)
        self._set_labels = _set_labels(self._fields.values())

    def results(self, level: str) -> tuple[Result, ...]:
        """The steps and the parts received of a level, in the order in which the bill is explained."""
        return self._order.get(level, ())

    def label(self, level: str, name: str) -> str:
        """The label of an input, key, step or part received in the reader's language, else its name."""
        field = self._fields.get((level, name))
        return (self.wording.words(field.label) if field is not None else "") or name

    def value_words(self, value: Value, type_: Type, level: str = "", name: str = "") -> str:
        """A value as a sentence says it: one of a set by its label, that of the field first."""
        if not isinstance(value, str) or not isinstance(type_, OneOf):
            return self.sentences.figure(value, type_)
        field = self._fields.get((level, name))
        own = {v.name: v.label for v in field.values} if isinstance(field, PlanInput | PlanStep) else {}
        return self.wording.words(own.get(value) or self._set_labels.get((type_.values, value), ())) or value

    def schedule(self, parameter: str, keys: tuple[Value, ...], on: date) -> object:
        """The value of a parameter on a day; None where it has none."""
        if parameter not in self._values:
            self._values[parameter] = ParameterIndex.of(self.parameters[parameter])
        found: object = self._values[parameter].at(tuple(str(k) for k in keys), on)
        return None if found is NO_VALUE else found

    def rows(self, table: str) -> TableIndex:
        """A table, ready to be looked into."""
        if table not in self._rows:
            self._rows[table] = TableIndex(self.tables[table])
        return self._rows[table]

    def group_name(self, key: GroupKey) -> str:
        """A group with its keys: `region_year[north, 2025]`; one given without keys by its kind only."""
        kind, keys = key
        shown = [self.wording.key(v, k.type) for v, k in zip(keys, self.kinds[kind].keys, strict=True)]
        return kind if not keys or all(v is None for v in keys) else f"{kind}[{', '.join(shown)}]"


@dataclass(frozen=True)
class Seen:
    """A row that was evaluated: its recorder, the date of its parameters, the recorders of the rows it belongs to."""

    recorder: Recorder
    on: Value
    up: Mapping[str, Recorder]
    level: str = ""


def level_of(plan: Plan, level: str) -> Plan | PlanList | PlanGroup:
    """What declares a level."""
    levels: dict[str, Plan | PlanList | PlanGroup] = {"": plan}
    levels.update({x.name: x for x in plan.lists})
    levels.update({g.name: g for g in plan.groups})
    return levels[level]


def _fields(plan: Plan) -> dict[tuple[str, str], Result | PlanInput]:
    """What has a label, by level and name."""
    levels: list[tuple[str, Plan | PlanList | PlanGroup]] = [("", plan)]
    levels += [(x.name, x) for x in plan.lists]
    levels += [(g.name, g) for g in plan.groups]
    found: dict[tuple[str, str], Result | PlanInput] = {}
    for level, of in levels:
        found |= {(level, i.name): i for i in of.inputs}
        found |= {(level, s.name): s for s in of.steps}
    return found | {(s.target, s.name): s for s in plan.spreads}


def _set_labels(fields: Iterable[Result | PlanInput]) -> dict[tuple[tuple[str, ...], str], Words]:
    """The labels of sets by their values: a set may be labelled on one field and used on another."""
    found: dict[tuple[tuple[str, ...], str], Words] = {}
    for field in fields:
        if isinstance(field, PlanInput | PlanStep) and isinstance(field.type, OneOf):
            for v in field.values:
                if v.label:
                    found.setdefault((field.type.values, v.name), v.label)
    return found
