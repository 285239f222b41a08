"""Codes that a rulebook knows: the keys of its tables, and those that a rule compares a field with."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from rxcalc.lang.ops import Op
from rxcalc.lang.types import CODE, CODES
from rxcalc.plan.nodes import CellRef, Plan, PlanGroup, PlanList, PlanTable, Value
from rxcalc.plan.reads import nodes_with_calls
from rxcalc.sampling.edges import Field, specs_of

_MOST_STARTS: Final = 200


@dataclass(slots=True)
class Keys:
    """The values of one key of a table, given its other keys as far as they are known, and the date."""

    table: PlanTable
    key: int
    others: tuple[tuple[int, Field], ...]  # the other keys that are fields too
    starts: tuple[date, ...] = ()
    _found: dict[tuple[object, ...], tuple[Value, ...]] = field(default_factory=dict)

    def values(self, known: Mapping[Field, Value], on: date) -> tuple[Value, ...]:
        """The keys that have a row, in the order of the file."""
        given = tuple(known.get(of) for _, of in self.others)
        period = bisect_right(self.starts, on)
        index = (*given, period)
        if index not in self._found:
            wanted = [(at, value) for (at, _), value in zip(self.others, given, strict=True) if value is not None]
            rows = (
                row
                for row in self.table.rows
                if all(row.keys[at] == value for at, value in wanted)
                and (row.start is None or row.start <= on)
                and (row.end is None or on <= row.end)
            )
            self._found[index] = tuple(dict.fromkeys(row.keys[self.key] for row in rows))  # type: ignore[misc]  # keys are values
        return self._found[index]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Where the codes of a field come from. `needed` tables must have a row for it; without any, also `others` may be asked.

    `constants` are codes that a rule names. `open`: a code that no table has is no mistake.
    """

    needed: tuple[Keys, ...]
    others: tuple[Keys, ...]
    constants: tuple[str, ...]

    @property
    def is_open(self) -> bool:
        """Whether a rule itself asks if the tables have the code."""
        return not self.needed

    def values(self, known: Mapping[Field, Value], on: date) -> Sequence[Value]:
        """The codes that fit what is known of the row."""
        if self.needed:
            found = self.needed[0].values(known, on)
            for keys in self.needed[1:]:
                also = keys.values(known, on)
                # Tables that share no code are those of different kinds of items: any of them may be right.
                both = frozenset(also)
                found = tuple(v for v in found if v in both) or (*found, *also)
            return found
        return tuple(dict.fromkeys(v for keys in self.others for v in keys.values(known, on)))


def keys_of(table: PlanTable, key: int, others: tuple[tuple[int, Field], ...] = ()) -> Keys:
    """The values of a key, with the days on which other rows become valid."""
    ends = {d.fromordinal(d.toordinal() + 1) for r in table.rows for d in (r.end,) if d is not None and d != date.max}
    starts = sorted({d for r in table.rows for d in (r.start,) if d is not None} | ends)
    return Keys(table, key, others, tuple(starts[:_MOST_STARTS]))


def catalogues(plan: Plan) -> dict[Field, Catalogue]:
    """The catalogue of every code that is the key of a table, or that a rule names."""
    specs = specs_of(plan)
    tables = {t.name: t for t in plan.tables}
    in_checks = nodes_with_calls(plan, [n for c in plan.checks for n in (c.when, c.amount) if n >= 0])
    elsewhere = nodes_with_calls(plan, _roots(plan))
    uses: dict[tuple[Field, str, int], tuple[tuple[int, Field], ...]] = {}
    needed: set[tuple[Field, str]] = set()
    asked: set[tuple[Field, str]] = set()
    constants: dict[Field, dict[str, None]] = {}
    for index, node in enumerate(plan.nodes):
        if isinstance(node.data, CellRef) and node.op in (Op.CELL, Op.HAS_ROW):
            fields = [_field(plan, a) for a in node.args[: node.data.keys]]
            for at, of in enumerate(fields):
                if of is None or of not in specs or specs[of].type != CODE:
                    continue
                others = tuple((n, f) for n, f in enumerate(fields) if f is not None and n != at and f in specs)
                is_range = bool(tables[node.data.table].range_key) and at == node.data.keys - 1
                if not is_range:
                    uses.setdefault((of, node.data.table, at), others)
                    if node.op is Op.HAS_ROW:
                        asked.add((of, node.data.table))
                    elif index in elsewhere or index not in in_checks:
                        needed.add((of, node.data.table))
        else:
            _constants(plan, index, constants)
    found: dict[Field, Catalogue] = {}
    for of in dict.fromkeys([*(f for f, _, _ in uses), *constants]):
        own = [(keys_of(tables[t], at, others), (f, t)) for (f, t, at), others in uses.items() if f == of]
        found[of] = Catalogue(
            tuple(keys for keys, use in own if use in needed and use not in asked),
            tuple(keys for keys, use in own if use not in needed or use in asked),
            tuple(constants.get(of, ())),
        )
    return found


def _constants(plan: Plan, index: int, found: dict[Field, dict[str, None]]) -> None:
    """Codes that a rule compares a field with."""
    node = plan.nodes[index]
    if node.op in (Op.EQ, Op.NE, Op.HAS, Op.MEETS):
        for a, b in (node.args, node.args[::-1]):
            of, other = _field(plan, a), plan.nodes[b]
            if of is not None and other.op is Op.CONST and other.type in (CODE, CODES) and isinstance(other.data, str):
                found.setdefault(of, {})[other.data] = None
    elif node.op is Op.IN_SET and isinstance(node.data, tuple):
        of = _field(plan, node.args[0])
        if of is not None and plan.nodes[node.args[0]].type == CODE:
            found.setdefault(of, {}).update(dict.fromkeys(v for v in node.data if isinstance(v, str)))


def _field(plan: Plan, index: int) -> Field | None:
    """The input that a node is, on its own row or the episode of it."""
    node = plan.nodes[index]
    if node.op is Op.INPUT:
        return node.level, str(node.data)
    if node.op is Op.LIFT:
        return _field(plan, node.args[0])
    return None


def _roots(plan: Plan) -> list[int]:
    """The nodes that rules, conditions and shares start from; not those of checks."""
    found: list[int] = []
    levels: tuple[Plan | PlanList | PlanGroup, ...] = (plan, *plan.lists, *plan.groups)
    for level in levels:
        found += [n for s in level.steps for c in s.clauses for n in (c.when, c.then)]
        found += [c.that for c in (*level.requires, *level.guarantees)]
        shares = () if isinstance(level, PlanList) else level.shares
        found += [p.of for p in shares] + [part.value for p in shares for part in p.parts]
    found += [k.node for g in plan.groups for k in g.keys] + [n for s in plan.spreads for n in (s.what, s.by)]
    return [n for n in found if n >= 0]
