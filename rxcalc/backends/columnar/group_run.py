"""Runs of plans with groups across bills: all bills and all groups in columns, refused ones looked at by the exact evaluator."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import polars as pl

from rxcalc.backends.base import Finding, GroupOutcome, Outcome, Problem, Ran, Row
from rxcalc.backends.columnar.crossings import Frames
from rxcalc.backends.columnar.found import LEFT, Found
from rxcalc.backends.columnar.kernel import carrier
from rxcalc.backends.columnar.listing import Listing
from rxcalc.backends.columnar.parts import counts_of
from rxcalc.backends.columnar.program import Output, Program
from rxcalc.backends.columnar.results import complete, nothing
from rxcalc.backends.columnar.values import held_as, parts_of, values_in
from rxcalc.lang.ops import Op
from rxcalc.lang.types import MONEY, Type
from rxcalc.plan.columns.formed import Formed
from rxcalc.plan.columns.sides import reading
from rxcalc.plan.columns.together import why_together
from rxcalc.plan.columns.walk import input_scale
from rxcalc.plan.nodes import PlanGroup, Value

__all__ = ["Evaluators", "GroupRun"]


class Whole(Protocol):
    """What became of a set of episodes and of the groups that go across them."""

    ran: list[Ran]
    groups: list[GroupOutcome]
    unplaced: Mapping[str, int]


class Evaluators(Protocol):
    """The exact evaluator for plans with groups across bills."""

    def together(
        self, rows: Sequence[Row], group_inputs: Mapping[str, Sequence[Mapping[str, Value]]], *, compute: bool
    ) -> Whole:
        """What became of a whole set of rows, in the order given, and of all groups."""

    def among(self, groups: Sequence[GroupOutcome]) -> Callable[[Mapping[str, Value], Mapping[str, Value]], Outcome]:
        """A function that runs one episode, given its inputs and what it received of groups, among these."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of groups in columns: its keys, inputs, steps and shares by name."""

    group: PlanGroup
    inputs: Mapping[str, tuple[Type, Formed[pl.Expr]]]
    steps: Mapping[str, tuple[Type, Formed[pl.Expr]]]
    shares: Mapping[str, tuple[Type, Formed[pl.Expr]]]

    @classmethod
    def of(cls, program: Program, group: PlanGroup) -> _Kind:
        """A kind of a program."""
        walk = program.formed.levels.walks[group.name]
        types: dict[str, Type] = {step.name: step.type for step in group.steps if not step.lazy}
        inputs: dict[str, Type] = {key.name: key.type for key in group.keys}
        inputs |= {given.name: given.type for given in group.inputs}
        received = [s.name for s in program.plan.spreads if s.target == group.name]
        return cls(
            group,
            {name: (of, walk.input(name)) for name, of in inputs.items()},
            {name: (types.get(name, MONEY), walk.steps[name]) for name in (*types, *received)},
            {name: (MONEY, formed) for name, formed in walk.shares.items()},
        )

    def exprs(self) -> dict[str, pl.Expr]:
        """All that is wanted of it."""
        parts = {"i": self.inputs, "s": self.steps, "p": self.shares}
        return {
            f"{mark}:{name}{part}": expr
            for mark, fields in parts.items()
            for name, (_, formed) in fields.items()
            for part, expr in parts_of(formed).items()
        }

    def rows(self, table: pl.DataFrame, mark: str) -> list[dict[str, Value]]:
        """The inputs (`i`), steps (`s`) or shares (`p`) of each group."""
        fields = {"i": self.inputs, "s": self.steps, "p": self.shares}[mark]
        columns = [values_in(table, f"{mark}:{name}", formed, of) for name, (of, formed) in fields.items()]
        if not columns:
            return [{} for _ in range(table.height)]
        return [dict(zip(fields, row, strict=True)) for row in zip(*columns, strict=True)]


def _given(program: Program, kind: _Kind, rows: Sequence[Mapping[str, Value]]) -> pl.DataFrame:
    """The rows of a kind's file: keys `k0`, .. and the inputs that columns read; the last one is for groups that it does not have."""
    group, wanted = kind.group, program.group_inputs(kind.group.name)
    rows = [*rows, {}]
    columns = []
    for at, key in enumerate(group.keys):
        formed = kind.inputs[key.name][1]
        scale = 1 if formed.number is None else formed.number.scale
        cells_ = [held_as(row.get(key.name), key.type, scale) for row in rows]
        columns.append(pl.Series(f"k{at}", cells_, dtype=carrier(key.type, 64)))
    for given in group.inputs:
        if given.name in wanted:
            values = [given.default if row.get(given.name) is None else row.get(given.name) for row in rows]
            held = [held_as(value, given.type, input_scale(given)) for value in values]
            columns.append(pl.Series(f"i:{given.name}", held, dtype=wanted[given.name]))
    return pl.DataFrame(columns)


class GroupRun:
    """One run over a whole set of bills. `alone`: only for the groups, on which no bill depends; bills were computed before.

    Results stand in `values`, `exact`, `problems`, `found` (by `__row`), `flagged`, `marked`, `fine`, `groups`, `unplaced` and `incomplete` (the
    kinds of groups that a row has read and that lack a member) afterwards.
    """

    def __init__(
        self,
        program: Program,
        evaluators: Evaluators,
        disagree: Callable[[], Problem | None],
        outputs: Sequence[Output],
        listing: Listing,
        group_inputs: Mapping[str, Sequence[Mapping[str, Value]]],
        *,
        compute: bool,
        alone: bool = False,
    ) -> None:
        self._program, self._plan = program, program.plan
        self._evaluators, self._disagree, self._compute, self._alone = evaluators, disagree, compute, alone
        self._outputs, self._listing, self._inputs = outputs, listing, group_inputs
        self.values = nothing(outputs, {"__row": listing.bills.frame.schema["__row"]})
        self.exact: list[tuple[int, Outcome]] = []
        self.problems: list[tuple[int, Problem]] = []
        self.flagged: set[int] = set()
        self.marked: set[int] = set()
        self.fine = pl.Series(dtype=pl.UInt32())
        self.groups: list[GroupOutcome] = []
        self.unplaced: dict[str, int] = {}
        self.incomplete: dict[int, tuple[str, ...]] = {}
        self.found: list[Found] = []

        wide = self._listing.wide or any(out.exact for out in self._outputs)
        self._in_turn = not wide and not why_together(program.plan, program.formed)
        if self._in_turn:
            self._kinds = [_Kind.of(program, g) for g in self._plan.groups if not g.inside]
            finder = listing.finder
            self._of_groups = {kind.group.name: kind.exprs() for kind in self._kinds}
            if finder is not None:
                self._of_groups = {name: {**own, **finder.wanted(name)} for name, own in self._of_groups.items()}
            self._wanted = self._of_episodes()
            for kind, gone in program.formed.levels.standing.counted.items():
                of = self._plan_of(kind)
                (self._of_groups[of] if of else self._wanted).update({} if gone is None else {f"o:{kind}": gone})

    def _plan_of(self, kind: str) -> str:
        return next(g.of for g in self._plan.groups if g.name == kind)

    def run(self) -> None:
        """Computes all bills and groups."""
        if not self._in_turn or not self._in_columns():
            self._all_together()

    # In columns

    def _in_columns(self) -> bool:
        """Everything in columns; False when a group is refused whose message takes more than its members to find."""
        program, listing, bills = self._program, self._listing, self._listing.bills
        kinds, wanted, groups = self._kinds, self._wanted, self._of_groups
        bad = bills.frame["__bad"] | bills.bad
        frame = program.prepared(bills.frame.with_columns(bad.alias("__bad")), ["__row", "__bad"])
        lists = listing.pieces(0, frame.height)
        lists.given = {kind.group.name: _given(program, kind, self._inputs.get(kind.group.name, ())) for kind in kinds}
        done, tables = listing.compute_groups(frame, lists, bad, wanted, groups, ["__row"])
        for name, table in tables.items():
            if LEFT in table.columns:
                tables[name] = table.with_columns(pl.col("__flag") | pl.col(LEFT))
        odd = [kind for kind in kinds if tables[kind.group.name]["__flag"].any()]
        if odd and not self._is_simple():
            return False
        falls = self._of_refused(kinds[0], tables, lists) if odd and not self._alone else None
        flags = done["__flag"] if falls is None else done["__flag"] | falls
        self.found = listing.keep(flags)
        self.fine = (~flags).arg_true()
        rest = done.filter(~flags) if flags.any() else done
        self.values = complete(rest, self._outputs)
        for kind in kinds:
            of, name = kind.group.of, kind.group.name
            table = tables[of] if of else done
            gone = table[f"o:{name}"] if f"o:{name}" in table.columns else None
            refused = table["__flag"] if of else table["__flag"] & ~table["__left"]
            self._outcomes(kind, tables[name], lists.belongs[of, name], refused, gone)
            if not of:
                self._count_unplaced(kind, done)
        if self._alone:
            for kind in odd:
                self._settle(kind, tables[kind.group.name], lists.falls[kind.group.name])
            return True
        self._note_incomplete(rest)
        looked = flags & ~bills.frame["__bad"]
        if falls is not None:
            looked &= ~falls
            self._settle(kinds[0], tables[kinds[0].group.name], lists.falls[kinds[0].group.name])
        if looked.any():
            self._look(looked.arg_true(), done.filter(looked))
        return True

    def _is_simple(self) -> bool:
        """Whether nothing passes between groups, so that a group with its members can be computed by itself."""
        nodes = self._plan.nodes
        if self._alone:  # no bill reads a group, so whatever reads one is a group
            across = self._program.formed.levels.across
            return not reading(self._plan, across) and not any(kind.group.of for kind in self._kinds)
        one = len(self._kinds) == 1 and not self._kinds[0].group.of
        return one and not any(node.op is Op.GROUP and node.data == self._kinds[0].group.name for node in nodes)

    @staticmethod
    def _of_refused(kind: _Kind, tables: Mapping[str, pl.DataFrame], lists: Frames) -> pl.Series:
        """The rows that fall in a refused group of a kind."""
        name = kind.group.name
        return tables[name]["__flag"].gather(lists.falls[name]).fill_null(value=False)

    def _settle(self, kind: _Kind, table: pl.DataFrame, falls: pl.Series) -> None:
        """Refused groups and all rows that fall in them, computed exactly by themselves. `falls`: the group of each row."""
        name, names = kind.group.name, [key.name for key in kind.group.keys]
        places = [at for at, outcome in enumerate(self.groups) if outcome.kind == name]
        odd = [at for at, flag in zip(places, table["__flag"].to_list(), strict=True) if flag]
        if self._alone:
            lacking = [at for at in odd if self._is_lacking(kind.group, at)]
            self._settle_lacking(kind.group, lacking)
            odd = sorted({*odd} - {*lacking})
            if not odd:
                return
        refused = {tuple(self.groups[at].inputs[key] for key in names): at for at in odd}
        given = self._inputs.get(name, ())
        inputs = {name: [row for row in given if tuple(row[key] for key in names) in refused]}
        here = falls.is_in([at - places[0] for at in odd]).fill_null(value=False)
        whole = self._exactly(here.arg_true(), inputs)
        found = {tuple(g.inputs[key] for key in names): g for g in whole.groups if g.kind == name}
        for key, at in refused.items():
            self.groups[at] = found[key]

    def _is_lacking(self, group: PlanGroup, at: int) -> bool:
        """Whether a group lacks an input that it needs."""
        own = self.groups[at].inputs
        return any(own[given.name] is None for given in group.inputs if not given.optional)

    def _settle_lacking(self, group: PlanGroup, lacking: Sequence[int]) -> None:
        """Groups without an input that they need are refused whoever their members are."""
        whole = self._evaluators.together(
            (), {group.name: [self.groups[at].inputs for at in lacking]}, compute=self._compute
        )
        own = [g for g in whole.groups if g.kind == group.name]
        for at, found in zip(lacking, own, strict=True):  # the same order: that of the keys
            self.groups[at] = replace(found, members=self.groups[at].members, rejected=self.groups[at].rejected)

    def _of_episodes(self) -> dict[str, pl.Expr]:
        """What is wanted of the episodes."""
        levels = self._program.formed.levels
        walk = levels.walks[""]
        wanted = {out.name: out.expr for out in self._outputs if out.expr is not None}
        for name in self._received():
            wanted |= {f"r:{name}{part}": expr for part, expr in parts_of(walk.steps[name]).items()}
        for kind in self._kinds:
            name = kind.group.name
            mark = levels.marks.bills(name)
            wanted |= {} if mark is None else {f"m:{name}": mark}
            if not kind.group.of:
                keys = [parts_of(walk.form(key.node))[""] for key in kind.group.keys]
                wanted |= {f"k:{name}": pl.any_horizontal([key.is_null() for key in keys])} if keys else {}
        return wanted

    def _received(self) -> list[str]:
        across = self._program.formed.levels.across
        return [s.name for s in self._plan.spreads if not s.target and s.source in across]

    def _outcomes(
        self, kind: _Kind, table: pl.DataFrame, member: pl.Series, refused: pl.Series, out: pl.Series | None
    ) -> None:
        """The results of the groups of a kind."""
        known = member.is_not_null()
        gone = member.filter(known & refused).sort()
        members = member.filter(known if out is None else known & ~out).sort()
        counts = counts_of(members, table.height).to_list()
        rejected = (table["__rejected"] + counts_of(gone, table.height)).to_list()
        inputs, steps, shares = (kind.rows(table, mark) for mark in "isp")
        found: list[tuple[Finding, ...]] = [()] * table.height
        if self._listing.finder is not None:
            for places, own in self._listing.finder.findings(kind.group.name, table):
                for place, finding in zip(places.to_list(), own, strict=True):
                    found[place] = (*found[place], finding)
        self.groups += [
            GroupOutcome(kind.group.name, own, of_steps, of_shares, None, count, lost, findings)
            for own, of_steps, of_shares, count, lost, findings in zip(
                inputs, steps, shares, counts, rejected, found, strict=True
            )
        ]

    def _count_unplaced(self, kind: _Kind, done: pl.DataFrame) -> None:
        """Rows refused as they were read of which nobody knows which group they are in."""
        name = f"k:{kind.group.name}"
        unknown = int((done[name] & self._listing.bills.frame["__bad"]).sum()) if name in done.columns else 0
        if unknown:
            self.unplaced[kind.group.name] = unknown

    def _note_incomplete(self, done: pl.DataFrame) -> None:
        kinds = sorted(name[2:] for name in done.columns if name.startswith("m:"))
        marked = [done["__row"].filter(done[f"m:{kind}"].fill_null(value=False)).to_list() for kind in kinds]
        for kind, rows in zip(kinds, marked, strict=True):
            for row in rows:
                self.incomplete[row] = (*self.incomplete.get(row, ()), kind)

    def _look(self, at: pl.Series, done: pl.DataFrame) -> None:
        """Refused bills on the exact evaluator, among the groups as they came out."""
        bills, walk = self._listing.bills, self._program.formed.levels.walks[""]
        run = self._evaluators.among(self.groups)
        parts = {name: values_in(done, f"r:{name}", walk.steps[name], MONEY) for name in self._received()}
        rows = done["__row"].to_list()
        self.flagged.update(rows)
        for place, (row, inputs, left) in enumerate(zip(rows, bills.inputs(at), done["__left"].to_list(), strict=True)):
            outcome = run(inputs, {name: values[place] for name, values in parts.items()})
            problem = outcome.problem or (None if left else self._disagree())
            if problem is None:
                self.exact.append((row, outcome))
                if outcome.incomplete:
                    self.incomplete[row] = outcome.incomplete
            else:
                self.problems.append((row, problem))

    # Exactly

    def _all_together(self) -> None:
        """All bills and groups on the exact evaluator."""
        height = self._listing.bills.frame.height
        whole = self._exactly(pl.int_range(height, dtype=pl.UInt32(), eager=True), self._inputs)
        self.groups, self.unplaced = whole.groups, dict(whole.unplaced)

    def _exactly(self, at: pl.Series, inputs: Mapping[str, Sequence[Mapping[str, Value]]]) -> Whole:
        """The bills at these places with their groups on the exact evaluator; takes over what became of the bills."""
        bills = self._listing.bills
        frame = bills.frame[at]
        numbers, bad = frame["__row"].to_list(), frame["__bad"].to_list()
        unplaced = (
            frame["__key_unreadable"].to_list() if "__key_unreadable" in frame.columns else [False] * len(numbers)
        )
        rows = [
            Row(number, str(number), own, refused=refused, unplaced=unknown)
            for number, own, refused, unknown in zip(numbers, bills.inputs(at), bad, unplaced, strict=True)
        ]
        whole = self._evaluators.together(rows, inputs, compute=self._compute)
        for ran in whole.ran:
            number, outcome = ran.row.number, ran.outcome
            if outcome is None or ran.row.refused:
                continue
            self.flagged.add(number)
            if outcome.problem is not None:
                self.problems.append((number, outcome.problem))
                continue
            self.exact.append((number, outcome))
            if ran.after:
                self.marked.add(number)
            if outcome.incomplete:
                self.incomplete[number] = outcome.incomplete
        return whole
