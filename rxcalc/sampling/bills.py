"""One bill made up: an episode with its lists."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from rxcalc.backends.exact import Exact
from rxcalc.backends.exact_ops import Refused
from rxcalc.lang.types import COUNT, DATE
from rxcalc.plan.figures import formula_text
from rxcalc.plan.nodes import Plan, PlanCondition, PlanList, Value
from rxcalc.sampling.draws import Draws
from rxcalc.sampling.edges import Field
from rxcalc.sampling.fields import FieldMaker, Place, frame_of, ordered, rank_of
from rxcalc.sampling.hints import Hints
from rxcalc.sampling.rows import Fields, Making, Unmade

MOST_TRIES: Final = 200
ROW_TRIES: Final = 100
_MOST_ROWS: Final = 8
_LIST: Final = "*"
_ASCENDING_TRIES: Final = 12


@dataclass(slots=True)
class Bill:
    """A made-up episode: its values as the evaluator reads them, and which cells stay empty."""

    values: dict[str, Value]
    blank: frozenset[str]
    rows: dict[str, list[tuple[dict[str, Value], frozenset[str]]]] = field(default_factory=dict)
    cells: list[str] | None = None  # as they are written, where they were needed before

    @property
    def name(self) -> str:
        """Its id."""
        return str(self.values["episode_id"])


@dataclass(frozen=True, slots=True)
class Turn:
    """Which bill is made: the person's number, the episode's, how often it was refused, and what is settled already.

    `given` are fields made before (ids, what a person's episodes share, dates put in order).
    """

    person: int
    episode: int
    attempt: int
    given: Mapping[str, Value]
    before: Fields | None


class BillMaker:
    """Makes the bills of one rulebook; lists `without` a file have no rows."""

    def __init__(
        self, plan: Plan, hints: Hints, makers: Mapping[Field, FieldMaker], exact: Exact, seed: str,
        without: Collection[str] = (),
    ) -> None:  # fmt: skip
        self.plan = plan
        self.hints = hints
        self.makers = makers
        self.exact = exact
        self.seed = seed
        self.without = without
        self.lists = {x.name: x for x in plan.lists}
        own = {key: m for key, m in makers.items() if not key[0]}
        needs: dict[Field, set[Field]] = {
            key: set(m.reads) | {(name, _LIST) for name in m.over} for key, m in own.items()
        }
        self.row_order: dict[str, list[FieldMaker]] = {}
        for x in plan.lists:
            rows = {key: m for key, m in makers.items() if key[0] == x.name}
            of_bill = {r for m in rows.values() for r in m.reads if not r[0]}
            size = hints.rows.get(x.name)
            of_bill |= {("", n) for n in size.of_bill} if size is not None else set()
            needs[x.name, _LIST] = of_bill
            order = ordered({k: m.reads for k, m in rows.items()}, lambda k: rank_of(makers[k].spec, ""))
            self.row_order[x.name] = [rows[k] for k in order]
        first = plan.effective_by
        self.order = ordered(needs, lambda k: 4 if k[1] == _LIST else rank_of(makers[k].spec, first))
        self.counted = {x.name: _counted(x, hints) for x in plan.lists}
        self.days = ordering_days(plan, makers)
        hinted = (hints.fields.get(("", name)) for name in self.days)
        self.ascending = {h.name for h in hinted if h is not None and h.formula is not None and h.formula.before}

    def make(self, turn: Turn) -> Bill:
        """A bill that meets every requirement of the rulebook; Unmade after too many tries."""
        reason: Unmade | None = None
        for left in range(MOST_TRIES):
            try:
                return self._made(turn, left)
            except Unmade as unmade:
                reason = unmade
        assert reason is not None  # noqa: S101 - there was a try
        raise reason

    def _made(self, turn: Turn, left: int) -> Bill:
        values: dict[str, Value] = dict(turn.given)
        rows: dict[str, list[Fields]] = {}
        bill = Bill(values, frozenset())
        blank: set[str] = set()
        on = values.get(self.plan.effective_by)
        c = Making(values, values, turn.before, rows, on if isinstance(on, date) else self.plan.effective_from)
        place = Place(turn.person, turn.episode)
        for level, name in self.order:
            if name == _LIST:
                found = self._rows(self.lists[level], turn, left, c)
                bill.rows[level] = found
                rows[level] = [row for row, _ in found]
            elif name not in values:
                tries = _ASCENDING_TRIES if name in self.ascending and turn.before is not None else 1
                for again in range(tries):
                    c.draws = self._draws(turn, left, name, *((again,) if again else ()))
                    values[name], is_blank = self.makers[level, name].make(c, place)
                    if tries == 1 or not self._comes_before(name, values, turn):
                        break
                if is_blank:
                    blank.add(name)
            if name == self.plan.effective_by and isinstance(day := values[name], date):
                c.on = day
        self._hold(self.plan.requires, "", c)
        bill.values = {**{i.name: values[i.name] for i in self.plan.inputs}, **{x: tuple(r) for x, r in rows.items()}}
        bill.blank = frozenset(blank)
        return bill

    def _draws(self, turn: Turn, left: int, *name: object) -> Draws:
        return Draws(self.seed, turn.person, turn.episode, turn.attempt, left, *name)

    @staticmethod
    def _comes_before(name: str, values: Fields, turn: Turn) -> bool:
        """Whether a day comes before that of the person's episode before."""
        day, earlier = values[name], turn.before.get(name) if turn.before is not None else None
        return isinstance(day, date) and isinstance(earlier, date) and day < earlier

    def free_date(self, name: str, person: int, episode: int, attempt: int) -> date | None:
        """A date that is drawn without looking at anything else."""
        maker = self.makers["", name]
        turn = Turn(person, episode, attempt, {}, None)
        for left in range(MOST_TRIES):
            c = Making({}, {}, None, {}, self.plan.effective_from)
            c.draws = self._draws(turn, left, name)
            try:
                value, _ = maker.make(c, Place(person, episode))
            except Unmade:
                continue
            return value if isinstance(value, date) else None
        return None

    # ---- lists ----

    def _rows(self, x: PlanList, turn: Turn, left: int, c: Making) -> list[tuple[dict[str, Value], frozenset[str]]]:
        size = self._size(x, turn, left, c)
        found: list[tuple[dict[str, Value], frozenset[str]]] = []
        taken: set[tuple[Value, ...]] = set()
        for number in range(size):
            row = self._row(x, turn, left, number, c, found[-1][0] if found else None, taken)
            if row is not None:
                found.append(row)
        if x.required and not found:
            raise Unmade(f"list `{x.name}`", "it has no row")
        return found

    def _size(self, x: PlanList, turn: Turn, left: int, c: Making) -> int:
        """How many rows: as the hint says, else one to eight, and sometimes none where none are needed."""
        if x.name in self.without:
            return 0
        draws = self._draws(turn, left, x.name, "rows")
        hint = self.hints.rows.get(x.name)
        if hint is None:
            return 0 if not x.required and draws.below(10) == 0 else draws.spread(1, _MOST_ROWS)
        before, c.draws, c.before = c.before, draws, None
        size = hint.run(c)
        c.before = before
        return max(1 if x.required else 0, int(size or 0))

    def _row(
        self, x: PlanList, turn: Turn, left: int, number: int, c: Making, before: Fields | None,
        taken: set[tuple[Value, ...]],
    ) -> tuple[dict[str, Value], frozenset[str]] | None:  # fmt: skip
        """A row at a place of the order that is not taken; None where there is none left."""
        reason: Unmade | None = None
        counted = self.counted[x.name]
        place = Place(turn.person, turn.episode, number)
        for again in range(ROW_TRIES):
            values: dict[str, Value] = {}
            blank: set[str] = set()
            row = Making(values, c.bill, before, c.rows, c.on)
            try:
                for maker in self.row_order[x.name]:
                    name = maker.spec.name
                    if name == counted:
                        low = maker.spec.low
                        values[name] = number + max(1, low if isinstance(low, int) else 1)
                        continue
                    row.draws = self._draws(turn, left, x.name, number, again, name)
                    values[name], is_blank = maker.make(row, place)
                    if is_blank:
                        blank.add(name)
                self._hold(x.requires, x.name, row)
            except Unmade as unmade:
                reason = unmade
                continue
            at = tuple(values[n] for n in x.order)
            if not x.order or at not in taken:
                taken.add(at)
                ordered_values = {i.name: values[i.name] for i in x.inputs}
                return ordered_values, frozenset(blank)
        if reason is not None:
            raise reason
        return None

    # ---- requirements ----

    def _hold(self, conditions: Sequence[PlanCondition], level: str, c: Making) -> None:
        """Tests what can be tested before the bill is computed."""
        if not conditions:
            return
        frame = frame_of(level, c)
        for condition in conditions:
            try:
                holds: Any = self.exact.thunks[condition.that](frame)
            except (Refused, KeyError, TypeError):
                continue  # it reads results: the whole bill is computed later
            if not holds:
                raise Unmade(f"the requirement `{formula_text(condition.formula)}`")


def _counted(x: PlanList, hints: Hints) -> str:
    """The field of a list's order that counts its rows; "" where there is none."""
    of = {i.name: i.type for i in x.inputs}
    hinted = {name for level, name in hints.fields if level == x.name}
    return next((n for n in reversed(x.order) if of[n] == COUNT and n not in hinted), "")


def ordering_days(plan: Plan, makers: Mapping[Field, FieldMaker]) -> tuple[str, ...]:
    """The dates that decide the order of a person's episodes, and those that they are reckoned from."""
    if plan.sequence is None:
        return ()
    wanted = [("", name) for name in (*plan.sequence.order, plan.effective_by)]
    seen: dict[Field, None] = {}
    while wanted:
        key = wanted.pop()
        if key in makers and key not in seen and makers[key].spec.type == DATE:
            seen[key] = None
            wanted.extend(sorted(makers[key].reads))
    return tuple(name for _, name in seen)
