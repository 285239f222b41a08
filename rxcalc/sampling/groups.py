"""The inputs of groups across bills, made up for the groups that the made-up bills fall in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, TypeAlias

from rxcalc.backends.base import GroupOutcome, Problem
from rxcalc.backends.exact import Exact
from rxcalc.backends.exact_ops import Refused
from rxcalc.backends.frames import sortable
from rxcalc.plan.nodes import Plan, PlanGroup, Value
from rxcalc.sampling.bills import Bill
from rxcalc.sampling.draws import Draws
from rxcalc.sampling.edges import Field
from rxcalc.sampling.fields import FieldMaker, Place, ordered, rank_of
from rxcalc.sampling.people import People, Person
from rxcalc.sampling.rows import Fields, Making, Unmade
from rxcalc.sampling.valid import OF_A_GROUP, refused_together

MOST_ROUNDS: Final = 40
_PATIENCE: Final = 4
Keys: TypeAlias = "tuple[Value, ...]"
Settle: TypeAlias = "Callable[[Sequence[Bill], Mapping[str, Sequence[Mapping[str, Value]]]], tuple[dict[int, Problem], list[GroupOutcome]]]"
"""Computes bills with the inputs of their groups: why bills are refused, by their place, and what became of the groups."""


@dataclass(slots=True)
class GroupRow:
    """The inputs of one group, as its file gives them; cells in `blank` stay empty."""

    values: dict[str, Value]
    blank: frozenset[str]


@dataclass(slots=True)
class Settled:
    """All persons, and the rows of groups by kind."""

    people: list[Person]
    groups: dict[str, list[GroupRow]] = field(default_factory=dict)


class Settlement:
    """Makes bills that depend on each other, with the inputs of their groups, until nothing is refused."""

    def __init__(
        self, plan: Plan, makers: Mapping[Field, FieldMaker], people: People, exact: Exact, seed: str,
        settle: Settle | None = None,
    ) -> None:  # fmt: skip
        self.settle = settle or partial(refused_together, exact)
        self.plan = plan
        self.people = people
        self.exact = exact
        self.seed = seed
        self.kinds = {g.name: g for g in plan.groups if not g.inside}
        self.order: dict[str, list[FieldMaker]] = {}
        for name in self.kinds:
            own = {key: m for key, m in makers.items() if key[0] == name}
            self.order[name] = [
                own[k] for k in ordered({k: m.reads for k, m in own.items()}, lambda k: rank_of(makers[k].spec, ""))
            ]
        self.attempts: dict[tuple[str, Keys], int] = {}
        self.met: dict[str, list[Keys]] = {}  # groups that came to light in the last round

    def rows_for(self, bills: Sequence[Bill]) -> dict[str, list[GroupRow]]:
        """Inputs for the groups of bills that stand as they are: they read no group. Unmade after too many rounds."""
        reason = Problem("", "", "", "")
        for _ in range(MOST_ROUNDS):
            _, groups, rows = self._settled(bills)
            broken = [g for g in groups if g.problem is not None]
            if not broken:
                return rows
            reason = self._again(broken) or reason
        raise Unmade(f"{reason.code} {reason.field}".strip(), reason.message)

    def _again(self, broken: Sequence[GroupOutcome]) -> Problem | None:
        """Other draws for the groups that are refused; why the last one is."""
        for g in broken:
            key = (g.kind, tuple(g.inputs[k.name] for k in self.kinds[g.kind].keys))
            self.attempts[key] = self.attempts.get(key, 0) + 1
        return broken[-1].problem if broken else None

    def made(self, episodes: int) -> Settled:
        """Bills and groups of which none is refused; Unmade after too many rounds."""
        people = list(self.people.made(episodes))
        reason = Problem("", "", "", "")
        for turn in range(MOST_ROUNDS):
            bills = [bill for person in people for bill in person.bills]
            problems, groups, rows = self._settled(bills)
            broken = [g for g in groups if g.problem is not None]
            if not problems and not broken:
                return Settled(people, rows)
            reason = self._again(broken) or reason
            # While their group is mended its members wait; if that does not help they may be the reason.
            own = {at: p for at, p in problems.items() if p.code != OF_A_GROUP or turn >= _PATIENCE}
            reason = next(iter(own.values()), reason)
            at = 0
            for person in people:
                wrong = [n for n in range(len(person.bills)) if at + n in own]
                at += len(person.bills)
                if wrong:
                    self.people.make_again(person, wrong)
        raise Unmade(f"{reason.code} {reason.field}".strip(), reason.message)

    def _settled(
        self, bills: Sequence[Bill]
    ) -> tuple[dict[int, Problem], list[GroupOutcome], dict[str, list[GroupRow]]]:
        """The bills computed with the inputs of all groups; groups that were not foreseen come to light as others are formed."""
        members = self._members(bills)
        rows: dict[str, dict[Keys, GroupRow]] = {name: {} for name in self.kinds}
        for name, found in members.items():
            kind = self.kinds[name]
            if kind.inputs:
                rows[name] = {key: self._row(kind, key, of) for key, of in found.items()}
        for name, keys in self.met.items():
            for key in keys:
                if key not in rows[name]:
                    rows[name][key] = self._row(self.kinds[name], key, ())
        for _ in range(len(self.kinds) + 2):
            given = {name: [row.values for row in found.values()] for name, found in rows.items()}
            problems, groups = self.settle(bills, given)
            new = False
            for g in groups:
                kind = self.kinds[g.kind]
                key = tuple(g.inputs[k.name] for k in kind.keys)
                if kind.inputs and key not in rows[g.kind]:
                    rows[g.kind][key] = self._row(kind, key, ())
                    new = True
            if not new:
                break
        # A group met before may have lost its members since.
        idle = {
            (g.kind, tuple(g.inputs[k.name] for k in self.kinds[g.kind].keys))
            for g in groups
            if not g.members + g.rejected
        }
        groups = [g for g in groups if g.members + g.rejected]
        self.met = {name: [key for key in found if (name, key) not in idle] for name, found in rows.items()}
        rows = {
            name: {key: row for key, row in found.items() if (name, key) not in idle} for name, found in rows.items()
        }
        ordered_rows = {
            name: [found[key] for key in sorted(found, key=sortable)]
            for name, found in rows.items()
            if self.kinds[name].inputs
        }
        return problems, groups, ordered_rows

    def _members(self, bills: Sequence[Bill]) -> dict[str, dict[Keys, list[Fields]]]:
        """The episodes of each group of episodes, as far as its keys follow from their inputs."""
        kinds = [g for g in self.kinds.values() if not g.of]
        found: dict[str, dict[Keys, list[Fields]]] = {g.name: {} for g in kinds}
        for bill in bills if kinds else ():
            frame = self.exact.begin(bill.values)
            for g in kinds:
                try:
                    key = tuple(self.exact.thunks[k.node](frame) for k in g.keys)
                except (Refused, KeyError, TypeError):
                    continue
                if None not in key:
                    found[g.name].setdefault(key, []).append(bill.values)
        return found

    def _row(self, g: PlanGroup, key: Keys, members: Sequence[Fields]) -> GroupRow:
        values: dict[str, Value] = dict(zip((k.name for k in g.keys), key, strict=True))
        blank: set[str] = set()
        c = Making(values, values, None, {"episodes": members}, self.plan.effective_from)
        attempt = self.attempts.get((g.name, key), 0)
        for maker in self.order[g.name]:
            name = maker.spec.name
            c.draws = Draws(self.seed, g.name, *key, attempt, name)
            values[name], is_blank = maker.make(c, Place(0, 0))
            if is_blank:
                blank.add(name)
        return GroupRow(values, frozenset(blank))
