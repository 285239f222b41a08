"""A whole sample: bills, their lists and the inputs of their groups, as lines of files."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rxcalc.backends.exact import Exact
from rxcalc.plan.nodes import Plan, PlanInput, Value
from rxcalc.sampling.bills import Bill, BillMaker
from rxcalc.sampling.cells import quoted, writer_of
from rxcalc.sampling.groups import GroupRow, Settle, Settlement
from rxcalc.sampling.hints import Hints
from rxcalc.sampling.makers import makers
from rxcalc.sampling.people import Check, People


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a file. `head` come first, then the inputs, in declared order."""

    head: tuple[tuple[str, Callable[[Value], str]], ...]
    inputs: tuple[PlanInput, ...]
    writers: tuple[Callable[[Value], str], ...]

    @staticmethod
    def of(plan: Plan, inputs: tuple[PlanInput, ...], head: tuple[PlanInput, ...] = ()) -> Columns:
        """The columns for some inputs."""
        decimals = plan.decimals
        return Columns(
            tuple((i.name, writer_of(i.type, decimals)) for i in head),
            inputs,
            tuple(writer_of(i.type, min(decimals, i.decimals)) for i in inputs),
        )

    def header(self, separator: str) -> str:
        """The first line."""
        return separator.join((*(n for n, _ in self.head), *(i.name for i in self.inputs))) + "\n"

    def of_bill(self, bill: Bill) -> list[str]:
        """The cells of an episode."""
        if bill.cells is None:
            bill.cells = self.cells(bill.values, bill.blank)
        return bill.cells

    def line(
        self, values: Mapping[str, Value], blank: Collection[str], separator: str, head: tuple[Value, ...] = ()
    ) -> str:
        """A record."""
        cells = [write(value) for (_, write), value in zip(self.head, head, strict=True)]
        return self.joined([*cells, *self.cells(values, blank)], separator)

    @staticmethod
    def joined(cells: Sequence[str], separator: str) -> str:
        """Cells as a record."""
        return separator.join([quoted(cell, separator) for cell in cells]) + "\n"

    def cells(self, values: Mapping[str, Value], blank: Collection[str]) -> list[str]:
        """The cells of the inputs; those left out are empty."""
        return [
            "" if i.name in blank else write(values[i.name]) for i, write in zip(self.inputs, self.writers, strict=True)
        ]


@dataclass(frozen=True, slots=True)
class Batch:
    """Some bills that can be written, with the number of persons that they are of."""

    bills: list[Bill]
    persons: int


class Sample:
    """Makes a sample of a rulebook.

    Args:
        plan: the rulebook.
        hints: what is known of how the data should look.
        seed: any text; the same one gives the same sample anywhere.
        per_key: how many episodes each person has; 0: as the hints say, else one to six.
        without: lists that get no rows, since nobody wants their file.
        with_groups: whether the inputs of groups are wanted, also where no bill depends on them.
        check: names the refused ones of many bills, quicker than one by one.
        settle: computes bills with their groups, quicker than the evaluator.
    """

    def __init__(
        self, plan: Plan, hints: Hints, seed: str, *, per_key: int = 0, without: Collection[str] = (),
        with_groups: bool = False, check: Check | None = None, settle: Settle | None = None,
    ) -> None:  # fmt: skip
        self.plan = plan
        exact = Exact(plan)
        made = makers(plan, hints, exact)
        bills = BillMaker(plan, hints, made, exact, seed, without)
        self.people = People(plan, hints, bills, exact, seed, per_key, check)
        self.settlement = Settlement(plan, made, self.people, exact, seed, settle)
        self.with_groups = with_groups
        self.groups: dict[str, list[str]] = {}

    @property
    def group_kinds(self) -> tuple[str, ...]:
        """The kinds of groups that have inputs."""
        return tuple(g.name for g in self.plan.groups if g.inputs and not g.inside)

    def batches(self, episodes: int) -> Iterator[Batch]:
        """The bills, a person at a time; all at once where they depend on each other. Then `group_rows` are known.

        Raises Unmade when the rulebook refuses whatever is drawn.
        """
        if self.people.stands_alone:
            kept: list[Bill] = []
            for person in self.people.made(episodes):
                yield Batch(person.bills, 1)
                kept += person.bills if self.with_groups else ()
            if self.with_groups and self.group_kinds:
                self._write_groups(self.settlement.rows_for(kept))
            return
        settled = self.settlement.made(episodes)
        self._write_groups(settled.groups)
        for person in settled.people:
            yield Batch(person.bills, 1)

    def _write_groups(self, rows: Mapping[str, Sequence[GroupRow]]) -> None:
        for g in self.plan.groups:
            if g.name in rows:
                columns = self.columns_of_group(g.name)
                keys = [k.name for k in g.keys]
                self.groups[g.name] = [
                    columns.line(row.values, row.blank, ",", tuple(row.values[k] for k in keys)) for row in rows[g.name]
                ]

    def columns_of_group(self, kind: str) -> Columns:
        """Keys and inputs of a kind of groups."""
        g = next(g for g in self.plan.groups if g.name == kind)
        decimals = self.plan.decimals
        head = tuple((k.name, writer_of(k.type, decimals)) for k in g.keys)
        return Columns(head, g.inputs, tuple(writer_of(i.type, min(decimals, i.decimals)) for i in g.inputs))

    def columns_of_list(self, name: str) -> Columns:
        """The episode's id and the inputs of a list."""
        x = next(x for x in self.plan.lists if x.name == name)
        head = tuple(i for i in self.plan.inputs if i.name == "episode_id")
        return Columns.of(self.plan, x.inputs, head)

    def columns(self) -> Columns:
        """The inputs of the episode."""
        return Columns.of(self.plan, self.plan.inputs)
